//! Databento Binary Encoding (`.dbn`, `.dbn.zst`), versions 1 to 3: bars as Arrow columns.
//!
//! A record of a bar carries the start of its window; its timestamp is the window's end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use jiff::civil;
use jiff::tz::TimeZone;

use super::sort_budget::SORT_BYTES;
use super::source::SourceFile;
use crate::base::{Error, ErrorKind, Result};

/// Metadata above this is no metadata.
const METADATA_BYTES: usize = 256 << 20;
/// Bytes of a record of a bar, without and with the time at which it was sent.
const BAR_BYTES: [usize; 2] = [56, 64];
/// Units of a price.
const PRICE_UNIT: f64 = 1e9;
const UNDEFINED_PRICE: i64 = i64::MAX;

/// ns of the window by record type.
const LENGTHS_NS: [(u8, i64); 5] = [
    (0x20, 1_000_000_000),
    (0x21, 60_000_000_000),
    (0x22, 3_600_000_000_000),
    (0x23, 86_400_000_000_000),
    (0x24, 86_400_000_000_000),
];

/// Symbols of an instrument id, by the dates (`YYYYMMDD`, half-open) on which they hold.
type Symbols = BTreeMap<u32, Vec<(u32, u32, String)>>;

/// Reads the whole file.
///
/// # Errors
/// `D102` when the file is damaged or cut, `D101` when a record is no bar or has no symbol.
pub(crate) fn open(source: &SourceFile) -> Result<Box<dyn RecordBatchReader + Send>> {
    let name = &source.name;
    let failed = |e: std::io::Error| broken(name, &format!("cannot read: {e}"));
    let file = BufReader::new(File::open(&source.path).map_err(failed)?);
    let is_packed = source.path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zst"));
    let mut stream: Box<dyn Read> = if is_packed {
        // A file may hold several frames; the decoder reads them one after the other.
        Box::new(BufReader::new(zstd::stream::read::Decoder::with_buffer(file).map_err(failed)?))
    } else {
        Box::new(file)
    };
    let mut head = [0_u8; 8];
    read_exact(&mut stream, &mut head, name, "its first 8 bytes")?;
    let [b'D', b'B', b'N', version, ..] = head else {
        return Err(broken(name, "it does not start with DBN"));
    };
    if !(1..=3).contains(&version) {
        return Err(Error::data("D102", format!("{name}: DBN version {version} is not known"))
            .with_hint("versions 1 to 3 are read"));
    }
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
    if length > METADATA_BYTES {
        return Err(broken(name, &format!("metadata with a length of {length} bytes")));
    }
    let mut metadata = Vec::new();
    let n = (&mut stream).take(length as u64).read_to_end(&mut metadata).map_err(failed)?;
    if n < length {
        return Err(broken(name, &format!("the metadata is cut: {n} of {length} bytes")));
    }
    let symbols = symbols(&metadata, version)
        .ok_or_else(|| broken(name, "the metadata holds less than it says"))?;
    let bars = read_bars(&mut stream, &symbols, name)?;
    bars.into_reader(name)
}

#[derive(Debug, Default)]
struct Bars {
    timestamps: Vec<i64>,
    starts: Vec<i64>,
    symbols: Vec<String>,
    prices: [Vec<Option<f64>>; 4],
    volumes: Vec<f64>,
}

fn read_bars(stream: &mut dyn Read, symbols: &Symbols, name: &str) -> Result<Bars> {
    let mut bars = Bars::default();
    for row in 1_u64.. {
        let mut record = [0_u8; 64];
        let place = format!("{name}: record {row}");
        if stream.read(&mut record[..1]).map_err(|e| broken(&place, &e.to_string()))? == 0 {
            break;
        }
        let length = usize::from(record[0]) * 4;
        read_exact(stream, &mut record[1..16], &place, "the header")?;
        let rtype = record[1];
        let Some((_, window)) = LENGTHS_NS.iter().find(|(known, _)| *known == rtype) else {
            return Err(Error::data("D101", format!("{place}: type {rtype:#04x} is no bar"))
                .with_hint(
                    "files of the schemas ohlcv-1s, ohlcv-1m, ohlcv-1h and ohlcv-1d are read",
                ));
        };
        if !BAR_BYTES.contains(&length) {
            return Err(broken(&place, &format!("a bar with a length of {length} bytes, not 56")));
        }
        read_exact(stream, &mut record[16..length], &place, "the bar")?;
        let number = |at: usize| {
            let bytes: [u8; 8] = record[at..at + 8].try_into().expect("Invariant: 8 bytes");
            u64::from_le_bytes(bytes)
        };
        let id = u32::from_le_bytes([record[4], record[5], record[6], record[7]]);
        let start =
            i64::try_from(number(8)).ok().filter(|start| start.checked_add(*window).is_some());
        let Some(start) = start else {
            return Err(Error::data(
                "D304",
                format!("{place}: timestamp {} is undefined", number(8)),
            )
            .with_hint("drop the record at its source"));
        };
        let Some(symbol) = symbol_of(symbols, id, start) else {
            return Err(Error::data("D401", format!("{place}: no symbol for instrument {id}"))
                .with_hint("ask for the file with symbol mappings in its metadata"));
        };
        bars.timestamps.push(start + window);
        bars.starts.push(start);
        bars.symbols.push(symbol.to_owned());
        for (prices, at) in bars.prices.iter_mut().zip([16, 24, 32, 40]) {
            let price = number(at).cast_signed();
            prices.push((price != UNDEFINED_PRICE).then(|| price as f64 / PRICE_UNIT));
        }
        bars.volumes.push(number(48) as f64);
        if row * 100 > SORT_BYTES {
            let text = format!("{place}: more bars than {SORT_BYTES} bytes hold");
            return Err(Error::new(ErrorKind::Resource, "R101", text)
                .with_hint("ask for the data in several files, by month"));
        }
    }
    Ok(bars)
}

impl Bars {
    fn into_reader(self, name: &str) -> Result<Box<dyn RecordBatchReader + Send>> {
        let instant = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let time = |values: Vec<i64>| -> ArrayRef {
            Arc::new(TimestampNanosecondArray::from(values).with_timezone("UTC"))
        };
        let mut fields = vec![
            Field::new("timestamp", instant.clone(), false),
            Field::new("start_time", instant, false),
            Field::new("symbol", DataType::Utf8, false),
        ];
        let mut arrays = vec![
            time(self.timestamps),
            time(self.starts),
            Arc::new(StringArray::from(self.symbols)) as _,
        ];
        for (column, values) in ["open", "high", "low", "close"].into_iter().zip(self.prices) {
            fields.push(Field::new(column, DataType::Float64, true));
            arrays.push(Arc::new(Float64Array::from(values)) as ArrayRef);
        }
        fields.push(Field::new("volume", DataType::Float64, false));
        arrays.push(Arc::new(Float64Array::from(self.volumes)));
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
            .map_err(|e| Error::data("D102", format!("{name}: {e}")))?;
        Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
    }
}

fn symbol_of(symbols: &Symbols, id: u32, start_ns: i64) -> Option<&str> {
    let intervals = symbols.get(&id)?;
    let date = date_number(start_ns)?;
    let holds = |(from, to, _): &&(u32, u32, String)| *from <= date && (date < *to || from == to);
    intervals.iter().find(holds).map(|(.., symbol)| symbol.as_str())
}

fn date_number(ns: i64) -> Option<u32> {
    let instant = jiff::Timestamp::from_nanosecond(i128::from(ns)).ok()?;
    let date: civil::Date = instant.to_zoned(TimeZone::UTC).date();
    let day =
        i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day());
    u32::try_from(day).ok()
}

/// The symbol mappings of the metadata; `None` when it ends too early.
fn symbols(metadata: &[u8], version: u8) -> Option<Symbols> {
    let mut rest = Cursor(metadata);
    // Dataset, schema, start, end, limit; version 1 also has a count of records.
    rest.skip(16 + 2 + 8 + 8 + 8 + if version == 1 { 8 } else { 0 })?;
    // Symbol types in and out, and whether records carry the time at which they were sent.
    rest.skip(3)?;
    let symbol_bytes = if version == 1 { 22 } else { rest.u16()? as usize };
    rest.skip(if version == 1 { 47 } else { 53 })?;
    let definition_bytes = rest.u32()? as usize;
    rest.skip(definition_bytes)?;
    for _ in ["symbols", "partial", "not found"] {
        let n = rest.u32()? as usize;
        rest.skip(n.checked_mul(symbol_bytes)?)?;
    }
    let mut symbols = Symbols::new();
    for _ in 0..rest.u32()? {
        let raw = rest.text(symbol_bytes)?;
        for _ in 0..rest.u32()? {
            let (from, to) = (rest.u32()?, rest.u32()?);
            let mapped = rest.text(symbol_bytes)?;
            // Which side holds the instrument id depends on what was asked for.
            let (id, symbol) = match (mapped.parse::<u32>(), raw.parse::<u32>()) {
                (Ok(id), _) => (id, raw.clone()),
                (Err(_), Ok(id)) => (id, mapped),
                (Err(_), Err(_)) => continue,
            };
            symbols.entry(id).or_default().push((from, to, symbol));
        }
    }
    Some(symbols)
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn skip(&mut self, n: usize) -> Option<()> {
        self.0 = self.0.get(n..)?;
        Some(())
    }

    fn u16(&mut self) -> Option<u16> {
        let (head, tail) = self.0.split_first_chunk::<2>()?;
        self.0 = tail;
        Some(u16::from_le_bytes(*head))
    }

    fn u32(&mut self) -> Option<u32> {
        let (head, tail) = self.0.split_first_chunk::<4>()?;
        self.0 = tail;
        Some(u32::from_le_bytes(*head))
    }

    /// A text in a field of `n` bytes, up to its first zero.
    fn text(&mut self, n: usize) -> Option<String> {
        let (field, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(n);
        String::from_utf8(field[..end].to_vec()).ok()
    }
}

fn read_exact(stream: &mut dyn Read, buffer: &mut [u8], place: &str, what: &str) -> Result<()> {
    stream.read_exact(buffer).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => broken(place, &format!("{what} is cut")),
        _ => broken(place, &e.to_string()),
    })
}

fn broken(place: &str, fault: &str) -> Error {
    Error::data("D102", format!("{place}: {fault}"))
        .with_hint("the file is damaged or cut; download it again")
}
