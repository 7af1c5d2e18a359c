//! What was joined, found and written.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::base::Timestamp;
use crate::data::{CheckReport, Severity};

/// One file of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreparedFile {
    /// `asset_data` or `context_data`.
    pub table: String,
    /// Where it is.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

impl PreparedFile {
    pub(super) fn new(table: &str, path: &Path, rows: u64, bytes: u64) -> Self {
        Self { table: table.to_owned(), path: path.display().to_string(), rows, bytes }
    }
}

/// How one table of signals met the rows of the prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JoinReport {
    /// Its columns in the result.
    pub columns: Vec<String>,
    /// Rows of the prices.
    pub rows: u64,
    /// Rows before the first signal of their symbol was known.
    pub not_yet: u64,
    /// Rows whose newest signal was older than the limit.
    pub stale: u64,
}

/// What [`super::DataPreparer::validate_and_save`] did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrepareReport {
    /// Rows of asset data.
    pub rows: u64,
    /// Their timestamps.
    pub timestamps: u64,
    /// Symbols of the prices.
    pub symbols: u64,
    /// First and last timestamp, ns UTC; absent without rows.
    pub span: Option<(i64, i64)>,
    /// The usual step between timestamps, ns; absent below two timestamps.
    pub frequency_ns: Option<i64>,
    /// The columns of asset data beside timestamp, symbol, prices and volume.
    pub columns: Vec<String>,
    /// The columns of context data.
    pub context_columns: Vec<String>,
    /// A row for each table of signals.
    pub joins: Vec<JoinReport>,
    /// Rows outside the universe; absent without one.
    pub outside_universe: Option<u64>,
    /// What reading the tables found and repaired.
    pub input: CheckReport,
    /// What checking the asset data that were written found.
    pub result: CheckReport,
    /// Whether the result was written although it does not pass the checks.
    pub forced: bool,
    /// The files, in order of time or symbol.
    pub files: Vec<PreparedFile>,
}

impl PrepareReport {
    /// Whether neither the tables nor the result break a rule.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.input.ok() && self.result.ok()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// One line.
    #[must_use]
    pub fn verdict(&self) -> String {
        let files = self.files.len();
        let plural = if files == 1 { "" } else { "s" };
        format!(
            "{} rows of {} symbols written to {files} file{plural}, {:.1} MiB{}",
            self.rows,
            self.symbols,
            self.bytes() as f64 / f64::from(1 << 20),
            if self.forced { "; forced although rows break rules" } else { "" }
        )
    }
}

/// Files that are listed one by one.
const N_FILES_SHOWN: usize = 4;

/// The verdict, then a line a fact.
impl fmt::Display for PrepareReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.verdict())?;
        if let Some((first, last)) = self.span {
            let (first, last) = (Timestamp(first), Timestamp(last));
            writeln!(f, "span      {first} .. {last}, {} timestamps", self.timestamps)?;
        }
        let list = |names: &[String]| if names.is_empty() { "-".into() } else { names.join(", ") };
        writeln!(f, "columns   {}", list(&self.columns))?;
        if !self.context_columns.is_empty() {
            writeln!(f, "context   {}", list(&self.context_columns))?;
        }
        for join in &self.joins {
            let missing = join.not_yet + join.stale;
            let share = 100.0 * missing as f64 / join.rows.max(1) as f64;
            writeln!(
                f,
                "signals   {}: {missing} rows without ({share:.1} %): {} not known yet, {} stale",
                list(&join.columns),
                join.not_yet,
                join.stale
            )?;
        }
        if let Some(n) = self.outside_universe {
            writeln!(f, "universe  {n} rows outside (member = 0)")?;
        }
        for (name, report) in [("input", &self.input), ("result", &self.result)] {
            writeln!(f, "{:<9} {}", name, report.verdict())?;
            let findings = report.findings.iter().filter(|one| one.severity != Severity::Note);
            for one in findings {
                let place = format!("TW-{} {}.{}", one.code, one.table, one.column);
                writeln!(f, "          {place}: {}; count {}", one.message, one.count)?;
            }
            for line in report.repairs.lines() {
                writeln!(f, "          repair: {line}")?;
            }
        }
        for file in self.files.iter().take(N_FILES_SHOWN) {
            writeln!(f, "file      {}, {} rows, {} bytes", file.path, file.rows, file.bytes)?;
        }
        match self.files.len().saturating_sub(N_FILES_SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "          and {more} more"),
        }
    }
}
