//! Who was a member when.

use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch, RecordBatchReader, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use jiff::tz::TimeZone;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::base::{AssetId, Error, Result, Symbols, Timestamp};
use crate::data::Source;

/// Spans of membership by symbol, half-open: a member from the first instant on, no longer one from
/// the second.
///
/// # Example
/// ```
/// use tapeworks::prepare::Universe;
/// use tapeworks::base::Symbols;
/// let universe = Universe::new([("AAA".to_owned(), 10, Some(20)), ("AAA".to_owned(), 30, None)])?;
/// let members = universe.of(&Symbols::new(["AAA", "BBB"]));
/// let at = |now| members.has(0, now);
/// assert_eq!([9, 10, 19, 20, 30].map(at), [false, true, true, false, true]);
/// assert!(!members.has(1, 10));
/// # Ok::<(), tapeworks::base::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Universe {
    spans: BTreeMap<String, Vec<(i64, i64)>>,
}

/// The spans by the ids of a run.
#[derive(Debug)]
pub struct Members(Vec<Vec<(i64, i64)>>);

impl Members {
    /// Whether the asset is a member at `now`.
    #[must_use]
    pub fn has(&self, asset: u32, now: i64) -> bool {
        let spans = &self.0[asset as usize];
        let begun = spans.partition_point(|&(from, _)| from <= now);
        begun.checked_sub(1).is_some_and(|last| now < spans[last].1)
    }
}

impl Universe {
    /// Spans `(symbol, from, to)`, ns UTC; without an end the symbol stays.
    ///
    /// # Errors
    /// `D402` for a span that ends before it begins, and for spans of one symbol that overlap.
    pub fn new(rows: impl IntoIterator<Item = (String, i64, Option<i64>)>) -> Result<Self> {
        let mut spans: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
        for (symbol, from, to) in rows {
            let to = to.unwrap_or(i64::MAX);
            if from >= to {
                let (from, to) = (Timestamp(from), Timestamp(to));
                return Err(Error::data(
                    "D402",
                    format!("universe: {symbol} from {from} to {to} is no span of time"),
                )
                .with_hint("to is the first instant at which the symbol is no member any more"));
            }
            spans.entry(symbol).or_default().push((from, to));
        }
        for (symbol, list) in &mut spans {
            list.sort_unstable();
            if let Some(pair) = list.windows(2).find(|pair| pair[1].0 < pair[0].1) {
                let (one, two) = (Timestamp(pair[0].0), Timestamp(pair[1].0));
                return Err(Error::data(
                    "D402",
                    format!("universe: spans of {symbol} from {one} and from {two} overlap"),
                )
                .with_hint("write one span, or end the first where the second begins"));
            }
        }
        Ok(Self { spans })
    }

    /// Reads columns `symbol`, `from` and `to`: CSV or Parquet by name, or an Arrow stream.
    ///
    /// Dates and times without a zone are read in `zone`. A missing `to` means "until now".
    ///
    /// # Errors
    /// `D101` when a column is not there, `D102` when the table cannot be read, `D304` for a time
    /// that is none, and as [`Universe::new`].
    pub fn read(source: Source, zone: &TimeZone) -> Result<Self> {
        let mut rows = Vec::new();
        match source {
            Source::Path(path) => {
                let unreadable =
                    |cause: &dyn std::fmt::Display| Error::data("D102", format!("{path}: {cause}"));
                let ending = std::path::Path::new(&path).extension().unwrap_or_default();
                let is_parquet =
                    ["parquet", "pq"].iter().any(|one| ending.eq_ignore_ascii_case(one));
                let mut file = std::fs::File::open(&path).map_err(|cause| unreadable(&cause))?;
                if is_parquet {
                    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
                        .and_then(ParquetRecordBatchReaderBuilder::build)
                        .map_err(|cause| unreadable(&cause))?;
                    read_batches(reader, &path, zone, &mut rows)?;
                } else {
                    let mut text = String::new();
                    std::io::Read::read_to_string(&mut file, &mut text)
                        .map_err(|cause| unreadable(&cause))?;
                    read_text(&text, &path, zone, &mut rows)?;
                }
            }
            Source::Arrow(reader) => read_batches(reader, "universe", zone, &mut rows)?,
        }
        Self::new(rows)
    }

    /// The symbols that are members at some time.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.spans.keys().map(String::as_str)
    }

    /// The spans by the ids of `symbols`; a symbol that is not named is never a member.
    #[must_use]
    pub fn of(&self, symbols: &Symbols) -> Members {
        let mut spans = vec![Vec::new(); symbols.len()];
        for (name, list) in &self.spans {
            if let Some(AssetId(id)) = symbols.id(name) {
                spans[id as usize].clone_from(list);
            }
        }
        Members(spans)
    }
}

type Row = (String, i64, Option<i64>);

fn missing(place: &str, name: &str, there: &[String]) -> Error {
    Error::data("D101", format!("{place}: no column {name}; there is {}", there.join(", ")))
        .with_hint("a universe has the columns symbol, from and to")
}

/// Positions of symbol, from and to.
fn places(names: &[String], place: &str) -> Result<[usize; 3]> {
    let find = |wanted: &[&str]| {
        let is_it = |name: &String| wanted.contains(&name.trim().to_ascii_lowercase().as_str());
        names.iter().position(is_it).ok_or_else(|| missing(place, wanted[0], names))
    };
    Ok([find(&["symbol", "asset", "ticker", "sid", "name"])?, find(&["from"])?, find(&["to"])?])
}

fn instant(text: &str, zone: &TimeZone, place: &str, row: usize) -> Result<i64> {
    let at = Timestamp::parse(text, zone);
    at.map(|at| at.0).map_err(|error| {
        let told = Error::data("D304", format!("{place} row {row}: {}", error.message()));
        told.with_hint(error.hint().unwrap_or_default().to_owned())
    })
}

fn read_text(text: &str, place: &str, zone: &TimeZone, rows: &mut Vec<Row>) -> Result<()> {
    let unreadable = |cause: csv::Error| Error::data("D102", format!("{place}: {cause}"));
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let names: Vec<String> =
        reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
    let at = places(&names, place)?;
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(unreadable)?;
        let [symbol, from, to] = at.map(|column| record.get(column).unwrap_or("").trim());
        let to = if to.is_empty() { None } else { Some(instant(to, zone, place, i + 1)?) };
        rows.push((symbol.to_owned(), instant(from, zone, place, i + 1)?, to));
    }
    Ok(())
}

fn read_batches(
    reader: impl RecordBatchReader,
    place: &str,
    zone: &TimeZone,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let names: Vec<String> =
        reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    let at = places(&names, place)?;
    for batch in reader {
        let batch = batch.map_err(|cause| Error::data("D102", format!("{place}: {cause}")))?;
        let [symbols, from, to] = at.map(|column| texts(&batch, column, place));
        let (symbols, from, to) = (symbols?, from?, to?);
        for i in 0..batch.num_rows() {
            let text =
                |column: &StringArray| (!column.is_null(i)).then(|| column.value(i).to_owned());
            let row = rows.len() + 1;
            let told =
                |name: &str| Error::data("D201", format!("{place} row {row}: {name} is missing"));
            let from = text(&from).ok_or_else(|| told("from"))?;
            let to = text(&to).map(|text| instant(&text, zone, place, row)).transpose()?;
            let symbol = text(&symbols).ok_or_else(|| told("symbol"))?;
            rows.push((symbol, instant(&from, zone, place, row)?, to));
        }
    }
    Ok(())
}

/// A column as texts; times with a zone are written with it, so that none is read twice.
fn texts(batch: &RecordBatch, column: usize, place: &str) -> Result<StringArray> {
    let array = batch.column(column);
    let utc = DataType::Timestamp(TimeUnit::Nanosecond, Some("+00:00".into()));
    let array = match array.data_type() {
        DataType::Timestamp(_, Some(_)) => cast(array, &utc),
        _ => Ok(std::sync::Arc::clone(array)),
    };
    let text = array.and_then(|array| cast(&array, &DataType::Utf8)).map_err(|cause| {
        Error::data(
            "D101",
            format!("{place}: column {}: {cause}", batch.schema().field(column).name()),
        )
    })?;
    Ok(text.as_any().downcast_ref::<StringArray>().expect("Invariant: cast to text").clone())
}
