//! The rows of a text table: asked cells to numbers, times and names, a line at a time.

use std::io::BufReader;

use csv::ByteRecord;
use jiff::tz::TimeZone;

use super::block::{Block, RowNumbers};
use super::clock::Clock;
use super::content::{Content, Lengths, StoredRows};
use super::csv::{CsvTable, broken, csv_reader, number, read, skip_mark};
use super::joined::halves;
use super::names::{BAR_COLUMNS, canonical};
use super::plan::{Roles, SymbolFrom};
use super::sort_budget::SORT_BYTES;
use super::table_symbols::SYMBOL_BYTES;
use super::text_cells::{NameCells, TimeCells};
use super::text_file;
use super::time_column::{TimeColumn, TimeKind};
use super::time_text::TextForm;
use crate::base::{Error, ErrorKind, Result, Symbols};

impl CsvTable {
    /// Reads the asked columns of all rows.
    ///
    /// # Errors
    /// With path, line, column and text: a line that is too short or too long, a cell that is no
    /// number or no time.
    pub(crate) fn read(
        self,
        roles: Roles,
        values: &[Option<usize>],
        clock: &Clock,
        file_idx: u32,
        lengths: Lengths,
    ) -> Result<Content> {
        let (stream, _) = text_file::open(&self.source)?;
        let mut stream = BufReader::with_capacity(1 << 16, stream);
        skip_mark(&mut stream).map_err(|e| broken(&self.source.name, &e))?;
        let mut reader = csv_reader(stream, self.delimiter);
        let mut record = ByteRecord::new();
        if self.has_header {
            read(&mut reader, &mut record, &self.source.name)?;
        }
        let n_prices = if is_bars(&self.names, values) { 4 } else { 0 };
        let mut times = TimeCells::new(clock);
        let mut available = roles.available_at.map(|c| (c, TimeCells::new(clock)));
        let start = roles.start.filter(|_| lengths == Lengths::Read);
        let mut starts = start.map(|c| (c, TimeCells::new(clock)));
        let mut names = NameCells::default();
        let mut assets = Vec::new();
        let mut columns: Vec<Vec<f64>> = values.iter().map(|_| Vec::new()).collect();
        while read(&mut reader, &mut record, &self.source.name)? {
            let line = record.position().map_or(0, csv::Position::line);
            self.check_width(&record, line)?;
            let cell = |c: usize| self.cell(&record, c, line);
            let time = cell(roles.time)?;
            let joined;
            let time = match roles.time_of_day {
                Some(c) => {
                    joined = format!("{time} {}", cell(c)?);
                    joined.as_str()
                }
                None => time,
            };
            times.push(time).map_err(|reason| self.fault(line, roles.time, time, &reason))?;
            for (c, times) in available.iter_mut().chain(&mut starts) {
                let text = cell(*c)?;
                times.push(text).map_err(|reason| self.fault(line, *c, text, &reason))?;
            }
            assets.push(match &roles.symbol {
                SymbolFrom::Column(c) => {
                    let name = cell(*c)?;
                    if name.len() > SYMBOL_BYTES {
                        let reason = "is too long for a symbol (more than 256 bytes)";
                        return Err(self.fault(line, *c, name, reason));
                    }
                    names.id(name)
                }
                SymbolFrom::Constant(_) | SymbolFrom::Market => 0,
            });
            for (i, (column, value)) in columns.iter_mut().zip(values).enumerate() {
                column.push(match value {
                    Some(c) => self.value(&record, *c, line, i < n_prices)?,
                    None => f64::NAN,
                });
            }
            self.check_held(assets.len(), values.len(), line)?;
        }
        // A text table has one form of times; its column is of the type that says the same.
        let kind = match times.form {
            None | Some(TextForm::Date) => TimeKind::Date,
            Some(TextForm::Local) => TimeKind::Local { scale: 1 },
            Some(TextForm::Instant) => TimeKind::Instant { scale: 1 },
        };
        let place = |c: usize| format!("{}: column {:?}", self.source.name, self.names[c]);
        let time = TimeColumn::of_kind(kind, TimeZone::UTC, clock, place(roles.time));
        let timestamps = times.finish(place(roles.time))?.into();
        let available_dates =
            available.as_ref().is_some_and(|(_, times)| times.form == Some(TextForm::Date));
        let mut columns: Vec<_> = columns.into_iter().map(Into::into).collect();
        if let Some((c, times)) = available {
            columns.extend(halves(&times.finish(place(c))?));
        }
        let starts = starts.map(|(c, times)| times.finish(place(c))).transpose()?;
        let (names, assets) = match &roles.symbol {
            SymbolFrom::Column(_) => names.ranked(assets),
            SymbolFrom::Constant(name) => (Symbols::new([name.as_str()]), assets),
            SymbolFrom::Market => (Symbols::default(), assets),
        };
        let block =
            Block { file: file_idx, rows: RowNumbers::From(0), timestamps, assets, columns };
        let has_volume = values.get(4).is_some_and(Option::is_some);
        let blocks = vec![block];
        let rows = StoredRows { roles, blocks, names, has_volume, available_dates, time, starts };
        Ok(Content::new(rows, false))
    }

    /// The number in a cell; prices may not be blank and are divided by their unit.
    fn value(&self, record: &ByteRecord, c: usize, line: u64, is_price: bool) -> Result<f64> {
        let text = self.cell(record, c, line)?;
        let number = number(text).ok_or_else(|| {
            let repeated = self.names[c].eq_ignore_ascii_case(text.trim());
            let reason = if repeated { "repeats the header" } else { "is no number" };
            self.fault(line, c, text, reason)
        })?;
        if number.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) {
            return Err(self.fault(line, c, text, "is beyond the range of f64"));
        }
        if is_price && !text.is_empty() && text.trim().is_empty() {
            return Err(self.fault(line, c, text, "is blank"));
        }
        Ok(if is_price { number / self.price_unit } else { number })
    }

    fn check_held(&self, n_rows: usize, n_values: usize, line: u64) -> Result<()> {
        let held = n_rows as u64 * (20 + 8 * n_values as u64);
        if held <= SORT_BYTES {
            return Ok(());
        }
        let text = format!(
            "{}: {n_rows} rows of text need {held} bytes by line {line}, {SORT_BYTES} are allowed",
            self.source.name,
        );
        Err(Error::new(ErrorKind::Resource, "R101", text)
            .with_hint("convert the table to parquet, which is streamed"))
    }

    fn check_width(&self, record: &ByteRecord, line: u64) -> Result<()> {
        if record.len() == self.names.len() {
            return Ok(());
        }
        let text: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
        let mut text = text.join(&char::from(self.delimiter).to_string());
        if let Some((at, _)) = text.char_indices().nth(120) {
            text.truncate(at);
        }
        Err(Error::data(
            "D101",
            format!(
                "{}:{line}: line {line} has {} columns, the header has {}: {text:?}",
                self.source.name,
                record.len(),
                self.names.len()
            ),
        )
        .with_hint("complete or remove the line; nothing is filled in"))
    }

    fn cell<'a>(&self, record: &'a ByteRecord, column: usize, line: u64) -> Result<&'a str> {
        let cell = record.get(column).unwrap_or(b"");
        std::str::from_utf8(cell).map_err(|_| {
            let shown = String::from_utf8_lossy(cell);
            self.fault(line, column, &shown, "is not UTF-8").with_hint("save the file as UTF-8")
        })
    }

    fn fault(&self, line: u64, column: usize, text: &str, reason: &str) -> Error {
        let name = self.names.get(column).map_or("", String::as_str);
        let shown: String = text.chars().take(80).collect();
        let code = match canonical(name).as_str() {
            "timestamp" => "D303",
            _ => "D101",
        };
        Error::data(
            code,
            format!(
                "{}:{line}:{}: line {line}, column {name}: {shown:?} {reason}",
                self.source.name,
                column + 1
            ),
        )
        .with_hint("correct the cell; an empty cell is a missing value")
    }
}

/// Whether the values start with the four prices of a bar.
fn is_bars(names: &[String], values: &[Option<usize>]) -> bool {
    values.len() >= BAR_COLUMNS.len()
        && (0..4).all(|i| values[i].is_some_and(|c| canonical(&names[c]) == BAR_COLUMNS[i]))
}
