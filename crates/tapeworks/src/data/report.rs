//! What a read found: findings with their first rows, repairs, and the shape of the table.

#![expect(clippy::format_push_string, reason = "reports are written once a run")]

use std::fmt;

use serde::Serialize;

use super::ledger::Ledger;
use crate::base::{Error, Timestamp};

/// Offending rows that are kept in full; the rest is counted.
pub const N_OFFENDERS: usize = 5;
const N_LINES: usize = 30;

/// Whether a finding stops a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The run refuses the table.
    Error,
    /// Counted, and repaired where the finding says so.
    Warning,
    /// A fact worth a line, such as the zone that was assumed for dates.
    Note,
}

/// One row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offender {
    /// File of the row.
    pub file: String,
    /// Data row in the file, from 1; the header of a text file is not counted.
    pub row: u64,
    /// Symbol of the row.
    pub symbol: String,
    /// Time of the row as text.
    pub timestamp: String,
    /// The values that break the rule.
    pub values: String,
    /// The rule in words.
    pub rule: String,
}

impl fmt::Display for Offender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} row {} ({} {})", self.file, self.row, self.symbol, self.timestamp)?;
        write!(f, ": {}; rule: {}", self.values, self.rule)
    }
}

/// One kind of fact about a table, with a count and the first rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Stable code, without the `TW-` prefix.
    pub code: String,
    /// Whether it stops a run.
    pub severity: Severity,
    /// Table: `bars`, `signals` or `context`.
    pub table: String,
    /// Column or columns.
    pub column: String,
    /// What is wrong, in words.
    pub message: String,
    /// How many rows (or columns, files, names) it concerns.
    pub count: u64,
    /// `count` over the rows of the table.
    pub share: f64,
    /// The first rows.
    pub offenders: Vec<Offender>,
    /// Symbols hit most, with their counts.
    pub symbols: Vec<(String, u64)>,
    /// What to do.
    pub fix: String,
}

/// What was changed on the way in; zero everywhere for a clean table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Repairs {
    /// Rows that were out of order.
    pub sorted_rows: u64,
    /// Repeated equal rows that were left out.
    pub dropped_duplicates: u64,
    /// Rows left out by `on_bad_row: drop`.
    pub dropped_rows: u64,
    /// Rows with values made missing by `on_bad_row: null`.
    pub nulled_rows: u64,
    /// Column names that were understood as another name, `(found, meant)`.
    pub mapped_columns: Vec<(String, String)>,
    /// The zone that was assumed for times without one.
    pub naive_tz: Option<String>,
}

impl Repairs {
    /// The repairs that changed rows, a sentence each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut count = |n: u64, text: &str| {
            if n > 0 {
                lines.push(format!("{} {text}", grouped(n)));
            }
        };
        count(self.sorted_rows, "rows out of order were sorted");
        count(self.dropped_duplicates, "repeated equal rows were dropped");
        count(self.dropped_rows, "bad rows were dropped (on_bad_row: drop)");
        count(self.nulled_rows, "bad rows were made missing (on_bad_row: null)");
        lines
    }
}

/// The result of checking a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CheckReport {
    /// Tables: `bars`, `signals`, `context`, or several of these with a comma between.
    pub table: String,
    /// `fast`, `standard` or `paranoid`.
    pub level: String,
    /// Whether only a sample of the rows was checked.
    pub sample: bool,
    /// Files read.
    pub n_files: u64,
    /// Rows read.
    pub n_rows: u64,
    /// Rows that break an error rule.
    pub n_error_rows: u64,
    /// Symbols of the table.
    pub n_symbols: u64,
    /// First and last timestamp, ns UTC.
    pub span: Option<(i64, i64)>,
    /// What was found, errors first.
    pub findings: Vec<Finding>,
    /// What was changed on the way in.
    pub repairs: Repairs,
}

impl CheckReport {
    /// The report of a table that cannot be read at all.
    pub(crate) fn refused(table: &'static str, error: &Error) -> Self {
        let mut ledger = Ledger::new(table);
        ledger.failure(error, "table");
        Self { table: table.to_owned(), findings: ledger.findings(), ..Self::default() }
    }

    /// Whether no finding is an error.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.n_findings(Severity::Error) == 0
    }

    /// How many findings have this severity.
    #[must_use]
    pub fn n_findings(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|f| f.severity == severity).count()
    }

    /// One line: the outcome and the size of the table.
    #[must_use]
    pub fn verdict(&self) -> String {
        let errors = self.n_findings(Severity::Error);
        let warnings = self.n_findings(Severity::Warning);
        let outcome = match (errors, warnings) {
            (0, 0) => "clean".to_owned(),
            (0, n) => format!("usable with {}", counted(n as u64, "warning")),
            (n, _) if self.n_error_rows > 0 => format!(
                "refused: {} in {}",
                if n == 1 { "1 kind of error".to_owned() } else { format!("{n} kinds of error") },
                counted(self.n_error_rows, "row")
            ),
            (n, _) => format!("refused: {}", counted(n as u64, "error")),
        };
        let mut line = format!(
            "{} {outcome}; {}, {}, {}",
            self.table,
            counted(self.n_rows, "row"),
            counted(self.n_symbols, "symbol"),
            counted(self.n_files, "file"),
        );
        if let Some((first, last)) = self.span {
            line += &format!(", {} .. {}", Timestamp(first), Timestamp(last));
        }
        line + if self.sample { " (sample of at most 1,000 rows a file)" } else { "" }
    }

    /// The report as an error, when it holds error findings.
    ///
    /// # Errors
    /// The first error finding, with its rows and how many further findings there are.
    pub fn raise_if_errors(&self) -> crate::base::Result<()> {
        let mut errors = self.findings.iter().filter(|f| f.severity == Severity::Error);
        let Some(first) = errors.next() else { return Ok(()) };
        let mut message = match first.offenders.first() {
            Some(o) => format!(
                "{} row {}, column {}: {}; rule: {} ({} {}); {} of {} {} this rule",
                o.file,
                o.row,
                first.column,
                o.values,
                o.rule,
                o.symbol,
                o.timestamp,
                counted(first.count, "row"),
                grouped(self.n_rows),
                if first.count == 1 { "breaks" } else { "break" }
            ),
            None => first.message.clone(),
        };
        for offender in first.offenders.iter().skip(1) {
            message += &format!("\n  {offender}");
        }
        for other in errors {
            message += &format!("\nalso TW-{} {}: {}", other.code, other.column, other.message);
            message += &format!(" ({})", counted(other.count, "row"));
        }
        Err(Error::data(code_of(&first.code), message).with_hint(first.fix.clone()))
    }

    /// Joins the report of another part of the same run; of other tables it covers, it names them.
    pub fn merge(&mut self, other: CheckReport) {
        if self.table.is_empty() {
            *self = other;
            return;
        }
        if self.table == other.table {
            self.n_symbols = self.n_symbols.max(other.n_symbols);
            self.span = match (self.span, other.span) {
                (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
                (a, b) => a.or(b),
            };
        }
        let known = self.table.split(", ").any(|table| table == other.table);
        if !known {
            self.table = format!("{}, {}", self.table, other.table);
        }
        self.n_files += other.n_files;
        self.n_rows += other.n_rows;
        self.n_error_rows += other.n_error_rows;
        self.sample |= other.sample;
        self.findings.extend(other.findings);
        self.findings.sort_by(|a, b| (a.severity, &a.code).cmp(&(b.severity, &b.code)));
        self.repairs.sorted_rows += other.repairs.sorted_rows;
        self.repairs.dropped_duplicates += other.repairs.dropped_duplicates;
        self.repairs.dropped_rows += other.repairs.dropped_rows;
        self.repairs.nulled_rows += other.repairs.nulled_rows;
        self.repairs.mapped_columns.extend(other.repairs.mapped_columns);
        self.repairs.naive_tz = self.repairs.naive_tz.take().or(other.repairs.naive_tz);
    }
}

/// At most 30 lines: the verdict, then each finding with its rows and its fix.
impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![self.verdict()];
        for finding in &self.findings {
            let level = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let share = match finding.share {
                s if s > 0.0 && self.n_rows > 0 => format!(" ({:.3} %)", s * 100.0),
                _ => String::new(),
            };
            lines.push(format!(
                "{level}[TW-{}] {}.{}: {}; count {}{share}",
                finding.code,
                finding.table,
                finding.column,
                finding.message,
                grouped(finding.count),
            ));
            lines.extend(finding.offenders.iter().map(|o| format!("  {o}")));
            if finding.symbols.len() > 1 {
                let hit: Vec<_> = finding.symbols.iter().map(|(s, n)| format!("{s} {n}")).collect();
                lines.push(format!("  hit most: {}", hit.join(", ")));
            }
            if !finding.fix.is_empty() {
                lines.push(format!("  fix: {}", finding.fix));
            }
        }
        lines.extend(self.repairs.lines().into_iter().map(|line| format!("repair: {line}")));
        if lines.len() > N_LINES {
            let hidden = lines.len() - (N_LINES - 1);
            lines.truncate(N_LINES - 1);
            lines.push(format!("... {hidden} more lines; the JSON report holds them all"));
        }
        write!(f, "{}", lines.join("\n"))
    }
}

/// Digits in groups of three.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// The static form of a code, as errors carry it.
fn code_of(code: &str) -> &'static str {
    const CODES: [&str; 20] = [
        "D101", "D102", "D103", "D104", "D201", "D202", "D203", "D204", "D205", "D209", "D210",
        "D301", "D302", "D303", "D304", "D307", "D401", "D601", "D602", "D603",
    ];
    CODES.iter().find(|c| **c == code).copied().unwrap_or("D100")
}
