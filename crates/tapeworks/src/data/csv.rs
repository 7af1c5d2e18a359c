//! Text tables: header and separator are looked at first, then the asked columns are read.
//!
//! The columns are held in memory: a table of text is small beside what memory holds, and its
//! symbols have to be known before its first row.

use std::io::{BufRead, BufReader, Read};

use csv::ByteRecord;
use jiff::tz::TimeZone;

use super::block::{Block, RowNumbers};
use super::cast;
use super::clock::{Clock, Stamps, are_midnights};
use super::joined::halves;
use super::loaded::{Content, Lengths};
use super::names::{BAR_COLUMNS, canonical};
use super::options::CsvFormat;
use super::parquet::SORT_BYTES;
use super::plan::{ColumnKind, FoundColumn, Roles, SymbolFrom};
use super::source::SourceFile;
use super::table_symbols::SYMBOL_BYTES;
use super::text_cells::{NameCells, TimeCells};
use super::text_file;
use super::time_column::{TextForm, TimeColumn, TimeKind};
use crate::base::{Error, ErrorKind, Result, Symbols};

/// Rows that are looked at to tell numbers from text.
const SNIFF_ROWS: usize = 100;

/// A text table of which the first rows were looked at.
#[derive(Debug)]
pub(crate) struct CsvTable {
    source: SourceFile,
    names: Vec<String>,
    kinds: Vec<ColumnKind>,
    delimiter: u8,
    has_header: bool,
    /// Divisor of the prices.
    price_unit: f64,
    bytes: u64,
}

impl CsvTable {
    pub(crate) fn open(source: &SourceFile, format: &CsvFormat) -> Result<Self> {
        let (stream, bytes) = text_file::open(source)?;
        let mut stream = BufReader::with_capacity(1 << 16, stream);
        let failed = |e: std::io::Error| broken(&source.name, &e);
        let first = skip_mark(&mut stream).map_err(failed)?;
        let delimiter = format.delimiter.unwrap_or_else(|| sniff_delimiter(&first));
        let mut reader = csv_reader(stream, delimiter);
        let mut record = ByteRecord::new();
        if !read(&mut reader, &mut record, &source.name)? {
            return Err(Error::data("D101", format!("{}: the file is empty", source.name))
                .with_hint("a table has a header and rows"));
        }
        if record.get(0).is_some_and(|cell| cell.starts_with(b"#")) {
            return Err(Error::data(
                "D101",
                format!("{0}:1: line 1 starts with '#', no header", source.name),
            )
            .with_hint("remove the lines of comments"));
        }
        if format.delimiter.is_none() && delimiter == b';' {
            return Err(Error::data(
                "D101",
                format!(
                    "{}:1: the delimiter is ';', so '.' may not be the decimal point",
                    source.name
                ),
            )
            .with_hint(
                "name the delimiter when numbers are written 1.25 \
                 (csv delimiter ';', --csv-delimiter); write 1,25 as 1.25",
            ));
        }
        let cells = texts(&record, &source.name)?;
        let (names, has_header) = header(cells, format, &source.name)?;
        let mut table = Self {
            source: source.clone(),
            kinds: vec![ColumnKind::Number; names.len()],
            names,
            delimiter,
            has_header,
            price_unit: price_unit(format.price_scale)?,
            bytes,
        };
        let mut more = true;
        if has_header {
            more = read(&mut reader, &mut record, &source.name)?;
        }
        for _ in 0..SNIFF_ROWS {
            if !more {
                break;
            }
            table.sniff_kinds(&record);
            more = read(&mut reader, &mut record, &source.name)?;
        }
        Ok(table)
    }

    pub(crate) fn columns(&self) -> Vec<FoundColumn> {
        let column = |(name, kind): (&String, &ColumnKind)| FoundColumn {
            name: name.clone(),
            kind: *kind,
            type_name: if *kind == ColumnKind::Number { "number" } else { "text" }.to_owned(),
        };
        self.names.iter().zip(&self.kinds).map(column).collect()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

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
        let mut starts = TimeCells::new(clock);
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
            if let Some((c, times)) = &mut available {
                let text = cell(*c)?;
                times.push(text).map_err(|reason| self.fault(line, *c, text, &reason))?;
            }
            if let Some(c) = start {
                let text = cell(c)?;
                starts.push(text).map_err(|reason| self.fault(line, c, text, &reason))?;
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
                let Some(c) = value else {
                    column.push(f64::NAN);
                    continue;
                };
                let text = cell(*c)?;
                let is_price = i < n_prices;
                let number = number(text).ok_or_else(|| {
                    let repeated = self.names[*c].eq_ignore_ascii_case(text.trim());
                    let reason = if repeated { "repeats the header" } else { "is no number" };
                    self.fault(line, *c, text, reason)
                })?;
                if number.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) {
                    return Err(self.fault(line, *c, text, "is beyond the range of f64"));
                }
                if is_price && !text.is_empty() && text.trim().is_empty() {
                    return Err(self.fault(line, *c, text, "is blank"));
                }
                column.push(if is_price { number / self.price_unit } else { number });
            }
            let held = assets.len() as u64 * (20 + 8 * values.len() as u64);
            if held > SORT_BYTES {
                return Err(Error::new(
                    ErrorKind::Resource,
                    "R101",
                    format!(
                        "{}: {} rows of text need {held} bytes by line {line}, \
                         {SORT_BYTES} are allowed",
                        self.source.name,
                        assets.len()
                    ),
                )
                .with_hint("convert the table to parquet, which is streamed"));
            }
        }
        let form = times.form.unwrap_or(TextForm::Date);
        let place = format!("{}: column {:?}", self.source.name, self.names[roles.time]);
        let timestamps = times.finish(place.clone())?;
        let date_zone = if form == TextForm::Instant { TimeZone::UTC } else { clock.zone.clone() };
        let stamps = match (are_midnights(&timestamps, &date_zone), form) {
            (false, _) => Stamps::Instants,
            (true, TextForm::Instant) => Stamps::Midnights,
            (true, _) => Stamps::Dates,
        };
        let is_naive = form == TextForm::Local;
        let mut column = TimeColumn::of_kind(TimeKind::Text, TimeZone::UTC, clock, place.clone());
        column.sessions = clock.sessions(stamps, &date_zone, is_naive, &place)?;
        let timestamps = column.closes(timestamps.into(), 0)?;
        let mut available_dates = false;
        if let Some((_, times)) = available {
            available_dates = times.form == Some(TextForm::Date);
            let [days, ns] = halves(&times.finish(place)?);
            columns.extend([days.to_vec(), ns.to_vec()]);
        }
        if let Some(c) = start {
            let place = format!("{}: column {:?}", self.source.name, self.names[c]);
            columns.push(cast::lengths(&timestamps, &starts.finish(place)?).to_vec());
        } else if lengths == Lengths::Read {
            columns.push(vec![f64::NAN; timestamps.len()]);
        }
        let (names, assets) = match &roles.symbol {
            SymbolFrom::Column(_) => names.ranked(assets),
            SymbolFrom::Constant(name) => (Symbols::new([name.as_str()]), assets),
            SymbolFrom::Market => (Symbols::default(), assets),
        };
        let block = Block {
            file: file_idx,
            rows: RowNumbers::From(0),
            timestamps,
            assets,
            columns: columns.into_iter().map(Into::into).collect(),
        };
        let has_volume = values.get(4).is_some_and(Option::is_some);
        Ok(Content {
            roles,
            block,
            names,
            has_volume,
            form,
            stamps,
            date_zone,
            is_session: column.sessions.is_some(),
            available_dates,
        })
    }

    fn sniff_kinds(&mut self, record: &ByteRecord) {
        for (c, kind) in self.kinds.iter_mut().enumerate() {
            let text = record.get(c).and_then(|cell| std::str::from_utf8(cell).ok());
            let known = canonical(&self.names[c]);
            let is_price = BAR_COLUMNS.contains(&known.as_str());
            let is_key = matches!(known.as_str(), "timestamp" | "symbol" | "start_time");
            if is_key || (!is_price && text.is_some_and(|text| number(text).is_none())) {
                *kind = ColumnKind::Name;
            }
        }
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

type CsvReader = csv::Reader<BufReader<Box<dyn Read + Send>>>;

fn csv_reader(stream: BufReader<Box<dyn Read + Send>>, delimiter: u8) -> CsvReader {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(stream)
}

fn read(reader: &mut CsvReader, record: &mut ByteRecord, name: &str) -> Result<bool> {
    reader.read_byte_record(record).map_err(|e| {
        let line = e.position().map_or(reader.position().line(), csv::Position::line);
        Error::data("D102", format!("{name}:{line}: cannot read: {e}"))
            .with_hint("the file is damaged, cut or no text; write or download it again")
    })
}

fn broken(name: &str, error: &std::io::Error) -> Error {
    Error::data("D102", format!("{name}: cannot read: {error}"))
        .with_hint("the file is damaged or cut; write or download it again")
}

/// Skips a byte order mark and gives the first line, as far as one read reaches.
fn skip_mark(stream: &mut BufReader<Box<dyn Read + Send>>) -> std::io::Result<Vec<u8>> {
    if stream.fill_buf()?.starts_with(&[0xef, 0xbb, 0xbf]) {
        stream.consume(3);
    }
    let buffer = stream.fill_buf()?;
    let end = buffer.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(buffer.len());
    Ok(buffer[..end].to_vec())
}

/// The separator that the first line has most of.
fn sniff_delimiter(line: &[u8]) -> u8 {
    let count = |d: u8| line.split(|b| *b == d).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|d| count(*d)).unwrap_or(b',')
}

fn texts(record: &ByteRecord, name: &str) -> Result<Vec<String>> {
    let text = |cell: &[u8]| {
        std::str::from_utf8(cell).map(|t| t.trim().to_owned()).map_err(|_| {
            Error::data("D102", format!("{name}:1: the first line is not UTF-8"))
                .with_hint("save the file as UTF-8")
        })
    };
    record.iter().map(text).collect()
}

/// Column names, and whether the first line holds them.
fn header(first: Vec<String>, format: &CsvFormat, name: &str) -> Result<(Vec<String>, bool)> {
    let looks_like_data = first.iter().any(|cell| cell.parse::<f64>().is_ok());
    match &format.columns {
        Some(columns) => {
            if columns.len() != first.len() {
                return Err(Error::data(
                    "D101",
                    format!(
                        "{name}: {} columns are named, line 1 has {}",
                        columns.len(),
                        first.len()
                    ),
                )
                .with_hint(format!("line 1 is {}", first.join(", "))));
            }
            let same = columns.iter().zip(&first).all(|(c, f)| canonical(c) == canonical(f));
            Ok((columns.clone(), same && !looks_like_data))
        }
        None if looks_like_data => {
            Err(Error::data("D101", format!("{name}: no header; line 1 is {}", first.join(", ")))
                .with_hint(
                    "name the columns (csv columns: [timestamp, open, high, low, close, volume])",
                ))
        }
        None => Ok((first, true)),
    }
}

/// The whole number that prices are divided by, so that 0.0001 is exact.
fn price_unit(scale: f64) -> Result<f64> {
    if !(scale.is_finite() && scale > 0.0) {
        return Err(Error::config("C301", format!("price_scale {scale} is not above 0"))
            .with_hint("write 0.0001 for prices in units of a hundredth of a cent"));
    }
    let unit = 1.0 / scale;
    let whole = unit.round();
    Ok(if whole >= 1.0 && (unit - whole).abs() < 1e-9 * whole { whole } else { unit })
}

/// Whether the values start with the four prices of a bar.
fn is_bars(names: &[String], values: &[Option<usize>]) -> bool {
    values.len() >= BAR_COLUMNS.len()
        && (0..4).all(|i| values[i].is_some_and(|c| canonical(&names[c]) == BAR_COLUMNS[i]))
}

/// A number, NaN for the forms of a missing value, `None` for other text.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text {
        "" | "NA" | "N/A" | "n/a" | "na" | "null" | "NULL" | "None" => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}
