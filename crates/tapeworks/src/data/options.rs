//! What a read is asked for, and what it gives.

use std::fmt;
use std::sync::Arc;

use arrow::record_batch::RecordBatchReader;

use jiff::tz::TimeZone;

use super::actions::ExplainedMoves;
use super::clock::Stamps;
use super::report::CheckReport;
use crate::base::spelling::nearest;
use crate::base::{Calendar, Error, Result, Step, StopFlag, Symbols, Timestamp};

/// Where a table comes from.
pub enum Source {
    /// A file, a glob (`*`, `?`, `**`), or a folder, whose `key=value` parts are read as columns.
    Path(String),
    /// A stream of record batches; it is drained into memory, since the symbols of the whole run
    /// have to be known before its first row.
    Arrow(Box<dyn RecordBatchReader + Send>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "Path({path:?})"),
            Self::Arrow(reader) => write!(f, "Arrow({:?})", reader.schema()),
        }
    }
}

/// How much of a table is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckLevel {
    /// Metadata, statistics of row groups, and every row rule on a sample of 1,000 rows a file.
    Fast,
    /// Every row rule on every row, and the checks across rows.
    #[default]
    Standard,
    /// Adds what takes longer: stale prices, contradictions between columns, survivors, twins,
    /// columns that never change, signals that know too much, and a second reading.
    Paranoid,
}

/// What happens to a row that breaks a value rule (`D201`..`D205`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBadRow {
    /// The read ends with an error that names the first rows and the total.
    #[default]
    Error,
    /// The row is left out and counted.
    Drop,
    /// Its prices (or its volume, when that is at fault) become missing, and it is counted.
    Null,
}

/// What a bar's stamp names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Label {
    /// Its end; with a calendar, dates name sessions.
    #[default]
    Auto,
    /// Its end, also where the stamps are dates.
    End,
    /// Its start: the bar is known a step later, with a calendar at most at the end of its session
    /// or of the part before the break. Dates name sessions, or the periods that begin with them.
    Start,
    /// Its session, or one of its week or month: the bar is known at the last close. Needs a
    /// calendar.
    Session,
}

impl Label {
    /// Reads `end`, `start` or `session`.
    ///
    /// # Errors
    /// `C301` for another word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "end" => Ok(Self::End),
            "start" => Ok(Self::Start),
            "session" => Ok(Self::Session),
            _ => Err(no_word("label", word, &["end", "start", "session"])),
        }
    }
}

/// Which instant a local time names that a clock shows twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambiguous {
    /// The first one, before the clock goes back.
    First,
    /// The second one.
    Second,
}

impl Ambiguous {
    /// Reads `first` or `second`.
    ///
    /// # Errors
    /// `C301` for another word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "first" => Ok(Self::First),
            "second" => Ok(Self::Second),
            _ => Err(no_word("ambiguous", word, &["first", "second"])),
        }
    }
}

fn no_word(what: &str, given: &str, words: &[&str]) -> Error {
    let error = Error::config("C301", format!("{what} {given:?} is not known"));
    match nearest(given, words.iter().copied()) {
        Some(near) => error.with_hint(format!("did you mean {near:?}")),
        None => error.with_hint(format!("write one of: {}", words.join(", "))),
    }
}

/// How text tables are laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvFormat {
    /// Column names of files without a header; `None` reads the header.
    pub columns: Option<Vec<String>>,
    /// Units of one step of the prices: 0.0001 for integers of a hundredth of a cent.
    pub price_scale: f64,
    /// The separator; `None` looks for one of `, ; tab |`.
    pub delimiter: Option<u8>,
}

impl Default for CsvFormat {
    fn default() -> Self {
        Self { columns: None, price_scale: 1.0, delimiter: None }
    }
}

/// What of a table is read, and how strictly.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Zone of times without one, as an IANA name; UTC when absent.
    pub tz: Option<String>,
    /// Sessions of the market: dates of bars name sessions, whose close is the bar's timestamp.
    pub calendar: Option<Arc<Calendar>>,
    /// What the stamps of bars name.
    pub label: Label,
    /// How far apart the bars of a symbol are: what starts are moved by, and whether dates are
    /// those of weeks or months. Left out, it is told by the first rows.
    pub step: Option<Step>,
    /// How local times that exist twice are read; left out, by their order, else an error.
    pub ambiguous: Option<Ambiguous>,
    /// The only symbols to read; all when absent.
    pub symbols: Option<Vec<String>>,
    /// First instant that is read.
    pub start: Option<Timestamp>,
    /// First instant that is no longer read.
    pub end: Option<Timestamp>,
    /// Numeric columns to read besides prices and volume; all of them when absent.
    pub columns: Option<Vec<String>>,
    /// Whether the starts of bars are read where a table has them ([`BarBatch::lengths`]); the
    /// checks read them anyway.
    pub starts: bool,
    /// How much is checked.
    pub level: CheckLevel,
    /// What happens to a row that breaks a rule.
    pub on_bad_row: OnBadRow,
    /// Whether prices at or below 0 are prices, as of spreads and some futures.
    pub allow_negative: bool,
    /// Rows a batch has at most, unless one timestamp alone has more.
    pub batch_rows: usize,
    /// Layout of text tables.
    pub csv: CsvFormat,
    /// Moves of closes that corporate actions explain; they are no jumps (`D207`).
    pub explained: Option<Arc<ExplainedMoves>>,
    /// Threads that decode; 1 keeps to the reader's own. What is read does not depend on it.
    pub threads: Option<usize>,
    /// The present: rows later than a day after it are warned about. Absent, no row is, so that a
    /// run does not depend on the clock.
    pub now: Option<Timestamp>,
    /// Ends reading between two batches (`I130`).
    pub stop: StopFlag,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            tz: None,
            calendar: None,
            label: Label::default(),
            step: None,
            ambiguous: None,
            symbols: None,
            start: None,
            end: None,
            columns: None,
            starts: false,
            level: CheckLevel::default(),
            on_bad_row: OnBadRow::default(),
            allow_negative: false,
            batch_rows: 65_536,
            csv: CsvFormat::default(),
            explained: None,
            threads: None,
            now: None,
            stop: StopFlag::default(),
        }
    }
}

/// A run of consecutive bars, a value a row in every column.
///
/// Invariant: (timestamp, asset) strictly ascends within and across batches, and a batch ends where
/// a timestamp ends. Missing: NaN.
#[derive(Debug, Clone, Default)]
pub struct BarBatch {
    /// Instants at which the rows are known, ns UTC.
    pub timestamps: Vec<i64>,
    /// Asset ids.
    pub assets: Vec<u32>,
    /// First price.
    pub open: Vec<f64>,
    /// Highest price.
    pub high: Vec<f64>,
    /// Lowest price.
    pub low: Vec<f64>,
    /// Last price.
    pub close: Vec<f64>,
    /// Units traded; NaN where unknown.
    pub volume: Vec<f64>,
    /// The asked columns, in the order of [`BarReader::extras`].
    pub extras: Vec<Vec<f64>>,
    /// ns from the start of each bar to its timestamp; empty where nothing says when bars start.
    pub lengths: Vec<f64>,
}

impl BarBatch {
    /// How many rows the batch has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether the batch has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// First instant of a bar, ns UTC; `None` where it is not known.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "lengths are differences of i64")]
    pub fn start(&self, row: usize) -> Option<i64> {
        let length = self.lengths.get(row).filter(|length| !length.is_nan())?;
        Some(self.timestamps[row] - *length as i64)
    }
}

/// Checked bars in (timestamp, asset) order, batch by batch.
pub trait BarReader: Send {
    /// The symbols of the whole read, known before the first batch.
    fn symbols(&self) -> Arc<Symbols>;

    /// Names of the columns besides prices and volume.
    fn extras(&self) -> &[String];

    /// The next batch, or `None` at the end.
    ///
    /// # Errors
    /// The first rows that break a rule with their total, or a file that cannot be read.
    fn next_batch(&mut self) -> Result<Option<BarBatch>>;

    /// What was found and repaired up to now; complete after the last batch.
    fn report(&self) -> CheckReport;

    /// Whether the rows were stamped with dates, or all of them at midnights.
    fn has_dates(&self) -> bool {
        false
    }

    /// Rows of the files, as far as they tell before a row is read; the range and the symbols that
    /// were asked for may leave fewer.
    fn n_rows_of_files(&self) -> Option<u64> {
        None
    }

    /// Whether any file of the table has volumes.
    fn has_volume(&self) -> bool {
        true
    }

    /// First and last timestamp as the files tell them before a row is read, ns UTC.
    fn span(&self) -> Option<(i64, i64)> {
        None
    }
}

/// What is known of a table's rows besides their values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowFacts {
    /// When each row was available (ns UTC), from a column `available_at`.
    pub available_at: Option<Vec<i64>>,
    /// Whether that column holds dates.
    pub available_dates: bool,
    /// What the stamps are.
    pub stamps: Stamps,
    /// The zone of stamps that are midnights.
    pub zone: Option<TimeZone>,
    /// The files of the table.
    pub files: Vec<String>,
    /// (file, data row from 1) of each row; empty for a table that was not read.
    pub places: Vec<(u32, u64)>,
}

/// Columns that belong to the market as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContextTable {
    /// Names of the columns.
    pub names: Vec<String>,
    /// Ascending instants of the rows, ns UTC; several rows of one are vintages, told apart by
    /// when they were available.
    pub timestamps: Vec<i64>,
    /// A column a name, a value a timestamp; missing is NaN.
    pub columns: Vec<Vec<f64>>,
    /// Availability and origin of the rows.
    pub facts: RowFacts,
}

/// Columns that belong to a symbol, such as model outputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SignalTable {
    /// Names of the columns.
    pub names: Vec<String>,
    /// Instants of the rows, ns UTC; rows are sorted by (timestamp, asset), vintages of one key by
    /// when they were available.
    pub timestamps: Vec<i64>,
    /// Asset ids of the rows.
    pub assets: Vec<u32>,
    /// A column a name, a value a row; missing is NaN.
    pub columns: Vec<Vec<f64>>,
    /// Availability and origin of the rows.
    pub facts: RowFacts,
}
