//! Tables as CSV files: the text of each value, in one form a column.

use std::io::Write;
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Float64Type, Int32Type, SchemaRef, TimestampNanosecondType, UInt32Type,
};
use arrow::record_batch::RecordBatch;

use crate::base::file::write_error;
use crate::base::{AtomicFile, Result, Timestamp};

/// Writes batches of one schema to `path`, whole or not at all; gives their rows and the bytes of
/// the file.
///
/// One header line, comma, quotes where needed. Times are `2024-03-08T14:30:00Z` with a fraction
/// where there is one, numbers the shortest text that reads back to the same f64, a missing value
/// is empty.
///
/// # Errors
/// `W101` to `W103`: the file cannot be made, written or named.
pub(crate) fn write_csv(
    schema: &SchemaRef,
    batches: impl Iterator<Item = RecordBatch>,
    path: &Path,
) -> Result<(u64, u64)> {
    let mut file = AtomicFile::create(path)?;
    let mut writer = csv::Writer::from_writer(&mut file);
    let failed = |cause: csv::Error| write_error(path, &cause);
    writer.write_record(schema.fields().iter().map(|field| field.name())).map_err(failed)?;
    let mut rows = 0;
    let mut cell = Vec::new();
    for batch in batches {
        rows += batch.num_rows() as u64;
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                cell.clear();
                write_cell(&mut cell, column.as_ref(), row);
                writer.write_field(&cell).map_err(failed)?;
            }
            writer.write_record(None::<&[u8]>).map_err(failed)?;
        }
    }
    writer.flush().map_err(|cause| write_error(path, &cause))?;
    drop(writer);
    Ok((rows, file.commit()?))
}

/// Appends the text of one value; nothing for null.
fn write_cell(cell: &mut Vec<u8>, column: &dyn Array, row: usize) {
    if column.is_null(row) {
        return;
    }
    let written = match column.data_type() {
        DataType::Float64 => write!(cell, "{:?}", column.as_primitive::<Float64Type>().value(row)),
        DataType::UInt32 => write!(cell, "{}", column.as_primitive::<UInt32Type>().value(row)),
        DataType::Boolean => write!(cell, "{}", column.as_boolean().value(row)),
        DataType::Timestamp(..) => {
            let ns = column.as_primitive::<TimestampNanosecondType>().value(row);
            write!(cell, "{}", iso(ns))
        }
        DataType::Dictionary(..) => {
            let column = column.as_dictionary::<Int32Type>();
            let key = column.keys().value(row);
            let text = column.values().as_string::<i32>();
            let idx = usize::try_from(key).expect("Invariant: keys of valid rows are positions");
            write!(cell, "{}", text.value(idx))
        }
        other => unreachable!("no table has a column of type {other}"),
    };
    written.expect("Invariant: a vector takes every byte");
}

/// `2024-03-08T14:30:00Z`, also at midnight, so that every row of a column has one form.
fn iso(ns: i64) -> String {
    let text = Timestamp(ns).to_string();
    match text.split_once(' ') {
        Some((date, time)) => format!("{date}T{time}"),
        None => format!("{text}T00:00:00Z"),
    }
}
