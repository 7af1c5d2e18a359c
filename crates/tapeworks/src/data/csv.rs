//! Text tables: header, separator and first rows, looked at before the rows are read (`csv_rows`).
//!
//! The columns are held in memory: a table of text is small beside what memory holds, and its
//! symbols have to be known before its first row.

use std::io::{BufRead, BufReader, Read};

use csv::ByteRecord;

use super::names::{BAR_COLUMNS, canonical};
use super::options::CsvFormat;
use super::plan::{ColumnKind, FoundColumn};
use super::source::SourceFile;
use super::text_file;
use crate::base::{Error, Result};

/// Rows that are looked at to tell numbers from text.
const SNIFF_ROWS: usize = 100;

/// A text table of which the first rows were looked at.
#[derive(Debug)]
pub(crate) struct CsvTable {
    pub(super) source: SourceFile,
    pub(super) names: Vec<String>,
    kinds: Vec<ColumnKind>,
    pub(super) delimiter: u8,
    pub(super) has_header: bool,
    /// Divisor of the prices.
    pub(super) price_unit: f64,
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
}

pub(super) type CsvReader = csv::Reader<BufReader<Box<dyn Read + Send>>>;

pub(super) fn csv_reader(stream: BufReader<Box<dyn Read + Send>>, delimiter: u8) -> CsvReader {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(stream)
}

pub(super) fn read(reader: &mut CsvReader, record: &mut ByteRecord, name: &str) -> Result<bool> {
    reader.read_byte_record(record).map_err(|e| {
        let line = e.position().map_or(reader.position().line(), csv::Position::line);
        Error::data("D102", format!("{name}:{line}: cannot read: {e}"))
            .with_hint("the file is damaged, cut or no text; write or download it again")
    })
}

pub(super) fn broken(name: &str, error: &std::io::Error) -> Error {
    Error::data("D102", format!("{name}: cannot read: {error}"))
        .with_hint("the file is damaged or cut; write or download it again")
}

/// Skips a byte order mark and gives the first line, as far as one read reaches.
pub(super) fn skip_mark(stream: &mut BufReader<Box<dyn Read + Send>>) -> std::io::Result<Vec<u8>> {
    if stream.fill_buf()?.starts_with(&[0xef, 0xbb, 0xbf]) {
        stream.consume(3);
    }
    let buffer = stream.fill_buf()?;
    let end = buffer.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(buffer.len());
    Ok(buffer[..end].to_vec())
}

/// The separator that the first line has most of.
pub(super) fn sniff_delimiter(line: &[u8]) -> u8 {
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

/// A number, NaN for the forms of a missing value, `None` for other text.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text {
        "" | "NA" | "N/A" | "n/a" | "na" | "null" | "NULL" | "None" => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}
