//! Two tables as one: the rows of a run and those that follow them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use pyo3::prelude::*;
use tapeworks::base::Error;

use crate::errors::py_err;
use crate::frames::Input;
use crate::lazy_frame::LazyFile;

impl Input {
    /// The rows of `old`, then those of `new`: of two frames one frame, else the files of both; a
    /// frame beside a path is written to a temporary file.
    ///
    /// # Errors
    /// `DataError` `TW-D322` when two frames differ in their columns.
    pub fn joined(py: Python<'_>, name: &str, old: &Self, new: &Self) -> PyResult<Self> {
        if let (Self::Batches(schema, first), Self::Batches(other, second)) = (old, new) {
            let second = like(name, schema, other, second)?;
            let all: Vec<RecordBatch> = first.iter().cloned().chain(second).collect();
            return Ok(Self::Batches(Arc::clone(schema), Arc::new(all)));
        }
        // A file that holds no column of symbols is named after its symbol.
        let stem = match (old, new) {
            (Self::Path(path), _) | (_, Self::Path(path)) => {
                let stem = Path::new(path).file_stem().map(|stem| stem.to_string_lossy());
                stem.filter(|stem| !stem.contains(['*', '?', '['])).map(String::from)
            }
            _ => None,
        };
        let stem = stem.unwrap_or_else(|| "frame".to_owned());
        let (first, mut ours) = old.paths(py, &stem)?;
        let (second, more) = new.paths(py, &stem)?;
        ours.extend(more);
        Ok(Self::Several(format!("{first}\n{second}"), ours))
    }

    /// The paths of a table, one a line, and the files of ours among them.
    pub fn paths(&self, py: Python<'_>, stem: &str) -> PyResult<(String, Vec<LazyFile>)> {
        Ok(match self {
            Self::Path(path) => (path.clone(), Vec::new()),
            Self::Several(paths, ours) => (paths.clone(), ours.clone()),
            Self::Lazy(file) => (file.path.clone(), vec![file.clone()]),
            Self::Batches(schema, batches) => {
                let file = LazyFile::of_batches(py, stem, schema, batches)?;
                (file.path.clone(), vec![file])
            }
        })
    }
}

/// Batches with the columns, their order and their types of another frame.
fn like(
    name: &str,
    schema: &SchemaRef,
    found: &Schema,
    batches: &[RecordBatch],
) -> PyResult<Vec<RecordBatch>> {
    let differs = |text: String| {
        let error = Error::data("D322", format!("{name}: {text}"));
        py_err(error.with_hint("give new rows the columns of the rows that were run"))
    };
    let names = |schema: &Schema| -> Vec<String> {
        schema.fields().iter().map(|field| field.name().clone()).collect()
    };
    let (wanted, given) = (names(schema), names(found));
    let lacking = |a: &[String], b: &[String]| -> Vec<String> {
        a.iter().filter(|name| !b.contains(name)).cloned().collect()
    };
    let (missing, surplus) = (lacking(&wanted, &given), lacking(&given, &wanted));
    if !missing.is_empty() {
        return Err(differs(format!("no column {}", missing.join(", "))));
    }
    if !surplus.is_empty() {
        let text = format!("column {} is not among those of the run", surplus.join(", "));
        return Err(differs(text));
    }
    let mut all = Vec::with_capacity(batches.len());
    for batch in batches {
        let mut columns = Vec::with_capacity(wanted.len());
        for field in schema.fields() {
            let column = batch.column_by_name(field.name()).expect("looked for above");
            let refuse = |why: &str| {
                let (old, new) = (field.data_type(), column.data_type());
                differs(format!("column {} is {new}, it was {old}{why}", field.name()))
            };
            columns.push(if column.data_type() == field.data_type() {
                Arc::clone(column)
            } else {
                let is_zoned = |kind: &DataType| match kind {
                    DataType::Timestamp(_, zone) => Some(zone.is_some()),
                    _ => None,
                };
                if is_zoned(column.data_type()) != is_zoned(field.data_type()) {
                    return Err(refuse(""));
                }
                let made = cast(column, field.data_type()).map_err(|_| refuse(""))?;
                // A finer clock must not lose its last digits.
                let back = cast(&made, column.data_type()).map_err(|_| refuse(""))?;
                if *back != **column {
                    return Err(refuse(", which cannot hold the values"));
                }
                made
            });
        }
        let made = RecordBatch::try_new(Arc::clone(schema), columns);
        all.push(made.map_err(|error| differs(error.to_string()))?);
    }
    Ok(all)
}
