//! A table as a CSV file.

use std::path::Path;

use super::{RecordKind, Records, Written};
use crate::base::Result;
use crate::data;

/// Rows made at a time.
const BATCH_ROWS: usize = 8_192;

/// Writes a table to `path`, whole or not at all; a file that is there is replaced.
///
/// One header line, comma, quotes where needed. Times are `2024-03-08T14:30:00Z` with a fraction
/// where there is one, numbers the shortest text that reads back to the same f64, a missing value
/// is empty.
///
/// # Errors
/// `W101` to `W103`: the file cannot be made, written or named.
pub fn write_csv(records: &Records, kind: RecordKind, path: &Path) -> Result<Written> {
    let batches = records.batches(kind, BATCH_ROWS);
    let schema = batches.schema();
    let (rows, bytes) = data::write_csv(&schema, batches, path)?;
    Ok(Written { rows, bytes })
}
