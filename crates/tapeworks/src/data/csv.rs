//! Text tables: header and separator are looked at first, then the asked columns are read.
//!
//! The columns are held in memory: a table of text is small beside what memory holds, and its
//! symbols have to be known before its first row.

use std::io::{BufRead, BufReader, Read};

use csv::ByteRecord;
use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;

use super::block::{Block, RowNumbers};
use super::cast::NAMELESS;
use super::clock::{Clock, Stamps, are_midnights};
use super::joined::halves;
use super::loaded::Content;
use super::names::{BAR_COLUMNS, canonical};
use super::options::CsvFormat;
use super::parquet::SORT_BYTES;
use super::plan::{ColumnKind, FoundColumn, Roles, SymbolFrom};
use super::source::SourceFile;
use super::text_file;
use super::time_column::{TextForm, TimeColumn, TimeKind, is_date_number, parse_text};
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
            assets.push(match &roles.symbol {
                SymbolFrom::Column(c) => names.id(cell(*c)?),
                SymbolFrom::Constant(_) | SymbolFrom::Market => 0,
            });
            for (i, (column, value)) in columns.iter_mut().zip(values).enumerate() {
                let Some(c) = value else {
                    column.push(f64::NAN);
                    continue;
                };
                let text = cell(*c)?;
                let number = number(text).ok_or_else(|| {
                    let repeated = self.names[*c].eq_ignore_ascii_case(text.trim());
                    let reason = if repeated { "repeats the header" } else { "is no number" };
                    self.fault(line, *c, text, reason)
                })?;
                let is_price = i < n_prices;
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
            let is_key = known == "timestamp" || known == "symbol";
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

/// Times of a column of text; the first cell tells epoch numbers from text.
struct TimeCells {
    clock: Clock,
    form: Option<TextForm>,
    is_number: bool,
    is_compact: bool,
    last_text: String,
    values: Vec<i64>,
}

impl TimeCells {
    fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            form: None,
            is_number: false,
            is_compact: false,
            last_text: String::new(),
            values: Vec::new(),
        }
    }

    fn push(&mut self, text: &str) -> std::result::Result<(), String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty; every row needs a time".to_owned());
        }
        if self.values.is_empty() {
            let number = text.parse::<i64>().ok();
            self.is_number = number.is_some_and(|n| !(text.len() == 8 && is_date_number(n)));
        }
        if self.is_number {
            let number = text.parse().map_err(|_| "is no integer like the rows before")?;
            self.values.push(number);
            self.form = Some(TextForm::Instant);
            return Ok(());
        }
        if let (true, Some(&last)) = (self.last_text == text, self.values.last()) {
            self.values.push(last);
            return Ok(());
        }
        let is_compact = text.as_bytes().get(4) != Some(&b'-');
        if !self.values.is_empty() && is_compact != self.is_compact {
            return Err("has another format than the rows before".to_owned());
        }
        self.is_compact = is_compact;
        let (ns, form) = parse_text(text, &self.clock.zone, self.clock.ambiguous)?;
        match self.form {
            Some(before) if (before == TextForm::Instant) != (form == TextForm::Instant) => {
                return Err("has a zone where other rows have none, or none where they do".into());
            }
            Some(TextForm::Local) => {}
            _ => self.form = Some(form),
        }
        text.clone_into(&mut self.last_text);
        self.values.push(ns);
        Ok(())
    }

    fn finish(self, place: String) -> Result<Vec<i64>> {
        if !self.is_number {
            return Ok(self.values);
        }
        let mut column = TimeColumn::of_kind(TimeKind::Integer, TimeZone::UTC, &self.clock, place);
        let low = self.values.iter().min().copied().unwrap_or(0);
        let high = self.values.iter().max().copied().unwrap_or(0);
        column.decide_unit(low, high)?;
        self.values.into_iter().map(|value| column.instant(value)).collect()
    }
}

/// Names of symbols in the order of their first row.
#[derive(Default)]
struct NameCells {
    ids: FxHashMap<String, u32>,
    names: Vec<String>,
    last: Option<u32>,
}

impl NameCells {
    fn id(&mut self, name: &str) -> u32 {
        if name.trim().is_empty() {
            return NAMELESS;
        }
        if let Some(last) = self.last.filter(|last| self.names[*last as usize] == name) {
            return last;
        }
        let id = if let Some(id) = self.ids.get(name) {
            *id
        } else {
            let id = u32::try_from(self.names.len()).expect("fewer than 2^32 symbols");
            self.ids.insert(name.to_owned(), id);
            self.names.push(name.to_owned());
            id
        };
        self.last = Some(id);
        id
    }

    /// The names sorted, and the ids as ranks.
    fn ranked(self, assets: Vec<u32>) -> (Symbols, Vec<u32>) {
        let symbols = Symbols::new(self.names.iter().map(String::as_str));
        let rank = |name: &String| symbols.id(name).map_or(NAMELESS, |id| id.0);
        let ranks: Vec<u32> = self.names.iter().map(rank).collect();
        let ranked = assets
            .into_iter()
            .map(|a| ranks.get(a as usize).copied().unwrap_or(NAMELESS))
            .collect();
        (symbols, ranked)
    }
}
