//! Text with one JSON object a line (`.jsonl`, `.ndjson`), as Arrow columns.

use std::io::{BufRead, BufReader};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use serde_json::{Map, Value};

use super::sort_budget::SORT_BYTES;
use super::source::SourceFile;
use super::text_file;
use crate::base::{Error, ErrorKind, Result};

/// The values of a column; its type is that of its first value.
#[derive(Debug)]
enum Column {
    /// Only nulls so far, and how many.
    Empty(usize),
    Integer(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
    Text(Vec<Option<String>>),
    Flag(Vec<Option<bool>>),
}

/// Reads the whole file.
///
/// # Errors
/// `D101` and `D102` with path, line and column: a line that is no object, a key that the first
/// line does not have, a value of another type than the ones before.
pub(crate) fn open(source: &SourceFile) -> Result<Box<dyn RecordBatchReader + Send>> {
    let (stream, _) = text_file::open(source)?;
    let mut names: Vec<String> = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    let mut held = 0_u64;
    let mut n_rows = 0;
    for (line, text) in (1_u64..).zip(BufReader::with_capacity(1 << 16, stream).lines()) {
        let place = format!("{}:{line}: line {line}", source.name);
        let text = text.map_err(|e| {
            Error::data("D102", format!("{place}: cannot read: {e}"))
                .with_hint("the file is damaged, cut or no UTF-8 text; write it again")
        })?;
        if text.trim().is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_str(&text).map_err(|e| {
            Error::data("D102", format!("{place}: no JSON object: {e}"))
                .with_hint("write one complete object a line; JSON knows no NaN, write null")
        })?;
        if n_rows == 0 {
            names = object.keys().cloned().collect();
            columns = names.iter().map(|_| Column::Empty(0)).collect();
        }
        if let Some(key) = object.keys().find(|key| !names.contains(key)) {
            return Err(Error::data(
                "D101",
                format!("{place}: key {key:?} is not in the first line"),
            )
            .with_hint("give every line the same keys"));
        }
        for (name, column) in names.iter().zip(&mut columns) {
            let value = object.get(name).unwrap_or(&Value::Null);
            if !column.push(value) {
                return Err(Error::data(
                    "D101",
                    format!("{place}, column {name}: {value} has another type than before"),
                )
                .with_hint("store one type in a column; null is a missing value"));
            }
        }
        n_rows += 1;
        held += text.len() as u64 + 8 * names.len() as u64;
        if held > SORT_BYTES {
            return Err(Error::new(
                ErrorKind::Resource,
                "R101",
                format!(
                    "{place}: {n_rows} rows of text need {held} bytes, {SORT_BYTES} are allowed"
                ),
            )
            .with_hint("convert the table to parquet, which is streamed"));
        }
    }
    if n_rows == 0 {
        return Err(Error::data("D101", format!("{}: the file is empty", source.name))
            .with_hint("a table has rows"));
    }
    let arrays: Vec<ArrayRef> = columns.into_iter().map(Column::finish).collect();
    let fields = names.iter().zip(&arrays).map(|(n, a)| Field::new(n, a.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
        .map_err(|e| Error::data("D102", format!("{}: {e}", source.name)))?;
    Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

impl Column {
    /// False for a value of another type.
    fn push(&mut self, value: &Value) -> bool {
        if let Self::Empty(n) = self {
            let n = *n;
            *self = match value {
                Value::Null => Self::Empty(n),
                Value::Bool(_) => Self::Flag(vec![None; n]),
                Value::Number(number) if number.is_i64() => Self::Integer(vec![None; n]),
                Value::Number(_) => Self::Real(vec![None; n]),
                Value::String(_) => Self::Text(vec![None; n]),
                Value::Array(_) | Value::Object(_) => return false,
            };
        }
        if let (Self::Integer(values), Value::Number(number)) = (&mut *self, value)
            && !number.is_i64()
        {
            *self = Self::Real(values.iter().map(|v| v.map(|v| v as f64)).collect());
        }
        match (self, value) {
            (Self::Empty(n), Value::Null) => *n += 1,
            (Self::Integer(values), Value::Null) => values.push(None),
            (Self::Real(values), Value::Null) => values.push(None),
            (Self::Text(values), Value::Null) => values.push(None),
            (Self::Flag(values), Value::Null) => values.push(None),
            (Self::Integer(values), Value::Number(number)) => values.push(number.as_i64()),
            (Self::Real(values), Value::Number(number)) => values.push(number.as_f64()),
            (Self::Text(values), Value::String(text)) => values.push(Some(text.clone())),
            (Self::Flag(values), Value::Bool(flag)) => values.push(Some(*flag)),
            _ => return false,
        }
        true
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Empty(n) => arrow::array::new_null_array(&DataType::Null, n),
            Self::Integer(values) => Arc::new(Int64Array::from(values)),
            Self::Real(values) => Arc::new(Float64Array::from(values)),
            Self::Text(values) => Arc::new(StringArray::from(values)),
            Self::Flag(values) => Arc::new(BooleanArray::from(values)),
        }
    }
}
