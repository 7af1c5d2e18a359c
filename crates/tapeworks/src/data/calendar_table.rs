//! A calendar of one's own, from a table of sessions.

use std::fs::File;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchReader};
use arrow::compute::{filter, is_not_null};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::clock::Clock;
use super::names::canonical;
use super::options::{ReadOptions, Source};
use super::plan::Table;
use super::time_column::TimeColumn;
use crate::base::calendar::{Calendar, Session};
use crate::base::{Date, Error, Result, Timestamp};

/// Reads the sessions of a market: columns `session` (or `date`), `open`, `close`, and, for
/// markets with a lunch break, `break_start` and `break_end`, null on days without one.
///
/// Times without a zone are local time of `zone` (an IANA name), dates are dates of it.
///
/// # Errors
/// `D101` for columns that are missing, `D102` for a file that is no Parquet file, `C309` for
/// sessions that overlap or are out of order.
pub fn read_calendar(source: Source, name: &str, zone: &str) -> Result<Calendar> {
    let options = ReadOptions { tz: Some(zone.to_owned()), ..ReadOptions::default() };
    let clock = Clock::new(&options, Table::Context)?;
    let mut sessions = Vec::new();
    match source {
        Source::Arrow(reader) => read(reader, &clock, &mut sessions)?,
        Source::Path(path) => {
            let broken = |text: String| {
                Error::data("D102", format!("{path}: cannot be read as parquet: {text}"))
                    .with_hint("give a Parquet file or a frame of session, open, close")
            };
            let file = File::open(&path).map_err(|e| broken(e.to_string()))?;
            let reader = ParquetRecordBatchReaderBuilder::try_new(file)
                .and_then(ParquetRecordBatchReaderBuilder::build)
                .map_err(|e| broken(e.to_string()))?;
            read(Box::new(reader), &clock, &mut sessions)?;
        }
    }
    Calendar::from_sessions(name, zone, sessions)
}

fn read(
    reader: Box<dyn RecordBatchReader + Send>,
    clock: &Clock,
    sessions: &mut Vec<Session>,
) -> Result<()> {
    for batch in reader {
        let batch = batch.map_err(|e| Error::data("D102", format!("calendar: {e}")))?;
        let dates = instants(&batch, "session", clock)?;
        let (opens, closes) = (instants(&batch, "open", clock)?, instants(&batch, "close", clock)?);
        let starts = instants(&batch, "break_start", clock)?;
        let ends = instants(&batch, "break_end", clock)?;
        let known = |column: &[Option<i64>], row: usize, name: &str| {
            column.get(row).copied().flatten().map(Timestamp).ok_or_else(|| {
                Error::data("D101", format!("calendar: row {} has no {name}", row + 1))
                    .with_hint("give columns session, open, close (and break_start, break_end)")
            })
        };
        for row in 0..batch.num_rows() {
            let lunch = match (starts.get(row).copied().flatten(), ends.get(row).copied().flatten())
            {
                (Some(start), Some(end)) => Some((Timestamp(start), Timestamp(end))),
                (None, None) => None,
                _ => {
                    let text = format!("calendar: row {} has half a break", row + 1);
                    return Err(Error::data("D101", text));
                }
            };
            sessions.push(Session {
                date: Date::of(known(&dates, row, "session")?, &clock.zone),
                open: known(&opens, row, "open")?,
                close: known(&closes, row, "close")?,
                lunch,
            });
        }
    }
    Ok(())
}

/// The instants of a column, empty when there is none.
fn instants(batch: &RecordBatch, name: &str, clock: &Clock) -> Result<Vec<Option<i64>>> {
    let schema = batch.schema();
    let is_wanted =
        |found: &str| found == name || (name == "session" && canonical(found) == "timestamp");
    let Some(at) = schema.fields().iter().position(|field| is_wanted(field.name())) else {
        return Ok(Vec::new());
    };
    let column: &ArrayRef = batch.column(at);
    let place = format!("calendar: column {:?}", schema.field(at).name());
    let time = TimeColumn::new(column.data_type(), clock, place)?;
    let arrow = |e: arrow::error::ArrowError| Error::data("D101", format!("calendar: {e}"));
    let mask = is_not_null(column).map_err(arrow)?;
    let present = filter(column, &mask).map_err(arrow)?;
    let mut found = time.instants(&present, 0)?.to_vec().into_iter();
    Ok((0..column.len()).map(|i| if column.is_null(i) { None } else { found.next() }).collect())
}
