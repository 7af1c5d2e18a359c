//! A calendar of one's own, from a table of sessions.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchIterator, StringArray};
use arrow::array::{RecordBatchReader, StringBuilder};
use arrow::compute::{cast, filter, is_not_null};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::clock::Clock;
use super::csv::{CsvReader, csv_reader, skip_mark, sniff_delimiter};
use super::names::canonical;
use super::options::{ReadOptions, Source};
use super::plan::Table;
use super::source::files;
use super::text_file;
use super::time_column::TimeColumn;
use super::time_text::parse_text;
use crate::base::calendar::{Calendar, Session};
use crate::base::{Date, Error, Result, Timestamp};

const HINT: &str = "give a text or Parquet file, or a frame, of session, open, close (and \
                    break_start, break_end)";

/// A built-in calendar by its name, or one of the sessions in a text or Parquet file, when the text
/// has a file's ending (`.csv`, `.csv.gz`, `.parquet`, ...).
///
/// `zone` is that of the file's times and dates.
///
/// # Errors
/// `C308` for a name that is no calendar, `C304` for a file without a zone, else as
/// [`read_calendar`].
pub fn open_calendar(text: &str, zone: Option<&str>) -> Result<Arc<Calendar>> {
    const ENDINGS: [&str; 6] = [".csv", ".tsv", ".txt", ".gz", ".parquet", ".pq"];
    let lower = text.to_ascii_lowercase();
    if !ENDINGS.iter().any(|ending| lower.ends_with(ending)) {
        return Calendar::named(text);
    }
    let Some(zone) = zone else {
        let found = format!("calendar {text}: the zone of its times and dates is not named");
        return Err(Error::config("C304", found)
            .with_hint("name it, an IANA name such as America/New_York"));
    };
    let stem = Path::new(text).file_stem().and_then(|name| name.to_str()).unwrap_or("own");
    read_calendar(Source::Path(text.to_owned()), stem, zone).map(Arc::new)
}

/// Reads the sessions of a market: columns `session` (or `date`), `open`, `close`, and, for
/// markets with a lunch break, `break_start` and `break_end`, null or empty on days without one.
///
/// Times are instants with a zone, local times of `zone` (an IANA name), or texts such as `09:30`,
/// which are times of the session's date; dates are dates of the zone.
///
/// # Errors
/// `D101` for columns and cells that are missing, `D102` for a file that cannot be read, `D303` for
/// cells that are no time, `C309` for sessions that overlap or are out of order.
pub fn read_calendar(source: Source, name: &str, zone: &str) -> Result<Calendar> {
    let options = ReadOptions { tz: Some(zone.to_owned()), ..ReadOptions::default() };
    let clock = Clock::new(&options, Table::Context)?;
    let mut table = SessionTable { place: "calendar".to_owned(), clock, sessions: Vec::new() };
    match source {
        Source::Arrow(reader) => table.read(reader)?,
        Source::Path(path) => {
            table.place.clone_from(&path);
            let is_parquet = [".parquet", ".pq"].iter().any(|ending| path.ends_with(ending));
            let reader = if is_parquet { parquet(&path)? } else { text(&path)? };
            table.read(reader)?;
        }
    }
    let SessionTable { place, sessions, .. } = table;
    Calendar::from_sessions(name, zone, sessions).map_err(|error| {
        let text = format!("{place}: {}", error.message());
        Error::new(error.kind(), error.code(), text).with_hint(error.hint().unwrap_or(HINT))
    })
}

fn broken(path: &str, text: &dyn std::fmt::Display) -> Error {
    Error::data("D102", format!("{path}: cannot be read: {text}")).with_hint(HINT)
}

fn parquet(path: &str) -> Result<Box<dyn RecordBatchReader + Send>> {
    let file = File::open(path).map_err(|e| broken(path, &e))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|e| broken(path, &e))?;
    Ok(Box::new(reader))
}

/// A text table as columns of text; an empty cell is null.
fn text(path: &str) -> Result<Box<dyn RecordBatchReader + Send>> {
    let found = files(path)?;
    let [source] = found.as_slice() else {
        return Err(broken(path, &"it is no single file"));
    };
    let (stream, _) = text_file::open(source)?;
    let mut stream = std::io::BufReader::new(stream);
    let first = skip_mark(&mut stream).map_err(|e| broken(path, &e))?;
    let mut reader: CsvReader = csv_reader(stream, sniff_delimiter(&first));
    let mut rows = reader.byte_records();
    let utf8 = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_owned();
    let header: Vec<String> = match rows.next() {
        Some(row) => row.map_err(|e| broken(path, &e))?.iter().map(utf8).collect(),
        None => return Err(broken(path, &"it is empty")),
    };
    let mut columns: Vec<StringBuilder> = header.iter().map(|_| StringBuilder::new()).collect();
    for (i, row) in rows.enumerate() {
        let row = row.map_err(|e| broken(path, &e))?;
        if row.len() != header.len() {
            let text = format!(
                "{path}: row {} has {} columns, the header has {}",
                i + 1,
                row.len(),
                header.len()
            );
            return Err(Error::data("D101", text).with_hint("complete or remove the line"));
        }
        for (column, cell) in columns.iter_mut().zip(&row) {
            column.append_option(Some(utf8(cell)).filter(|cell| !cell.is_empty()));
        }
    }
    let fields: Vec<Field> =
        header.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays: Vec<ArrayRef> =
        columns.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|e| broken(path, &e))?;
    Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

/// Sessions on their way from a table.
struct SessionTable {
    /// File, or `calendar`, for messages.
    place: String,
    clock: Clock,
    sessions: Vec<Session>,
}

impl SessionTable {
    fn read(&mut self, reader: Box<dyn RecordBatchReader + Send>) -> Result<()> {
        for batch in reader {
            let batch = batch.map_err(|e| Error::data("D102", format!("{}: {e}", self.place)))?;
            let dates = self.dates(&batch)?;
            let opens = self.instants(&batch, "open", &dates)?;
            let closes = self.instants(&batch, "close", &dates)?;
            let starts = self.instants(&batch, "break_start", &dates)?;
            let ends = self.instants(&batch, "break_end", &dates)?;
            let cell =
                |column: &[Option<Timestamp>], row: usize| column.get(row).copied().flatten();
            for row in 0..batch.num_rows() {
                let known = |column, name| {
                    cell(column, row).ok_or_else(|| self.fault(row, &format!("has no {name}")))
                };
                let date = dates.get(row).copied().flatten();
                let lunch = match (cell(&starts, row), cell(&ends, row)) {
                    (Some(start), Some(end)) => Some((start, end)),
                    (None, None) => None,
                    _ => return Err(self.fault(row, "has half a break")),
                };
                let session = Session {
                    date: date.ok_or_else(|| self.fault(row, "has no session"))?,
                    open: known(&opens, "open")?,
                    close: known(&closes, "close")?,
                    lunch,
                };
                self.sessions.push(session);
            }
        }
        Ok(())
    }

    fn fault(&self, row: usize, text: &str) -> Error {
        let row = self.sessions.len().max(row) + 1;
        Error::data("D101", format!("{}: row {row} {text}", self.place)).with_hint(HINT)
    }

    fn column(&self, batch: &RecordBatch, name: &str) -> Option<(ArrayRef, String)> {
        let schema = batch.schema();
        let is_wanted = |found: &str| {
            found.trim().eq_ignore_ascii_case(name)
                || (name == "session" && canonical(found) == "timestamp")
        };
        let at = schema.fields().iter().position(|field| is_wanted(field.name()))?;
        let place = format!("{}: column {:?}", self.place, schema.field(at).name());
        Some((Arc::clone(batch.column(at)), place))
    }

    fn dates(&self, batch: &RecordBatch) -> Result<Vec<Option<Date>>> {
        let zone = &self.clock.zone;
        let Some((column, place)) = self.column(batch, "session") else { return Ok(Vec::new()) };
        let instants = self.stored(&column, &place)?;
        Ok(instants.into_iter().map(|t| t.map(|t| Date::of(t, zone))).collect())
    }

    /// The instants of a column, empty when there is none.
    fn instants(
        &self,
        batch: &RecordBatch,
        name: &str,
        dates: &[Option<Date>],
    ) -> Result<Vec<Option<Timestamp>>> {
        let Some((column, place)) = self.column(batch, name) else { return Ok(Vec::new()) };
        let Some(texts) = texts(&column) else { return self.stored(&column, &place) };
        let cells = texts.iter().zip(dates).enumerate();
        cells
            .map(|(row, (text, date))| match (text, date) {
                (None, _) | (_, None) => Ok(None),
                (Some(text), Some(date)) => {
                    let bad = |reason: &str| {
                        let text = format!("{place}: row {}: {text:?} {reason}", row + 1);
                        Error::data("D303", text)
                            .with_hint("write 09:30, or 2024-03-08 09:30 with its own date")
                    };
                    if let Some(minutes) = minutes(text) {
                        return Ok(Some(date.at(minutes, &self.clock.zone)));
                    }
                    let (ns, _) = parse_text(text, &self.clock.zone, None).map_err(bad)?;
                    Ok(Some(Timestamp(ns)))
                }
            })
            .collect()
    }

    /// Instants as a column stores them.
    fn stored(&self, column: &ArrayRef, place: &str) -> Result<Vec<Option<Timestamp>>> {
        let time = TimeColumn::new(column.data_type(), &self.clock, place.to_owned())?;
        let arrow = |e: arrow::error::ArrowError| Error::data("D101", format!("{place}: {e}"));
        let mask = is_not_null(column).map_err(arrow)?;
        let present = filter(column, &mask).map_err(arrow)?;
        let mut found = time.instants(&present, 0)?.to_vec().into_iter().map(Timestamp);
        Ok((0..column.len()).map(|i| if column.is_null(i) { None } else { found.next() }).collect())
    }
}

/// The texts of a column of texts.
fn texts(column: &ArrayRef) -> Option<StringArray> {
    let is_text = match column.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => **value == DataType::Utf8,
        _ => false,
    };
    let plain = is_text.then(|| cast(column, &DataType::Utf8).ok()).flatten()?;
    Some(plain.as_string::<i32>().clone())
}

/// Minutes of a time of day such as `09:30` or `09:30:00`.
fn minutes(text: &str) -> Option<i64> {
    let mut parts = text.trim().split(':');
    let mut number =
        |limit: i64| parts.next()?.parse::<i64>().ok().filter(|n| (0..limit).contains(n));
    let (hours, minutes) = (number(25)?, number(60)?);
    let is_whole = parts.next().is_none_or(|seconds| seconds == "00") && parts.next().is_none();
    is_whole.then_some(hours * 60 + minutes)
}
