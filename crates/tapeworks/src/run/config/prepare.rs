//! The section `prepare`: which tables are joined, and where the result goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use super::SECTIONS;
use super::calendar::CalendarChoice;
use super::data::{BadRow, Csv, SymbolChoice, ambiguous, label};
use super::layers::{self, Format, Overlay};
use super::section::{Section, expected, text_of};
use super::tree::{Node, Value};
use crate::base::span::parse_span;
use crate::base::{Adjustment, Calendar, Result, Step, Timestamp};
use crate::feed::{Availability, Lag};
use crate::prepare::{Compression, IndicatorSpec};

pub(super) const KEYS: &[&str] = &[
    "prices",
    "actions",
    "adjustment",
    "signals",
    "context",
    "indicators",
    "universe",
    "symbols",
    "start",
    "end",
    "calendar",
    "label",
    "ambiguous",
    "timezone",
    "on_bad_row",
    "csv",
    "asset_output",
    "context_output",
    "partition_by",
    "compression",
    "force",
];
pub(super) const PRICE_KEYS: &[&str] = &["path", "freq"];
pub(super) const SIGNAL_KEYS: &[&str] =
    &["path", "freq", "valid_from", "delay", "staleness", "columns", "prefix"];
pub(super) const CONTEXT_KEYS: &[&str] = &["path", "valid_from", "delay", "columns", "prefix"];

/// Which tables are joined point in time, and where the result goes. Paths are relative to the
/// config file.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrepareSection {
    /// The bars whose rows the result has.
    pub prices: PreparePrices,
    /// Corporate actions on raw prices: a table with the columns `symbol`, `ex_date`,
    /// `kind`, `ratio` and `amount`. Prices are written raw all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<String>,
    /// What the prices are: raw, with indicators over them as they were quoted (`none`), in the
    /// units of each row (`split`) or without dividends as well (`total`); or adjusted already
    /// (`stated`). Needed with actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["none", "split", "total", "stated"]))]
    pub adjustment: Option<String>,
    /// Tables of signals, each with its rules.
    #[serde(default)]
    pub signals: Vec<PrepareSignals>,
    /// Tables of series of the market as a whole, each with its rules.
    #[serde(default)]
    pub context: Vec<PrepareContext>,
    /// Indicators, such as `rsi:14` or `macd`.
    #[serde(default)]
    pub indicators: Vec<String>,
    /// A table of members: symbol, from, to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub universe: Option<String>,
    /// The symbols to prepare, as a list or a text file with one a line; left out, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbols: Option<SymbolChoice>,
    /// First day or instant of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// First day or instant that is no longer part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Trading calendar (`XNYS`, `24/7`, ..., or a table of sessions): dates name its sessions,
    /// whose bars are known at their close; `valid_from` and lags in sessions count them. Its name
    /// is kept in the files.
    #[serde(default)]
    pub calendar: CalendarChoice,
    /// What the stamps of prices name: `end`, `start` (bars are known a step later) or `session`.
    /// Left out, ends; with a calendar, dates name sessions, or weeks and months of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["end", "start", "session"]))]
    pub label: Option<String>,
    /// Which instant a local time names that the clock shows twice: `first` or `second`. Left out,
    /// the order of the rows tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["first", "second"]))]
    pub ambiguous: Option<String>,
    /// Zone of times without one, and of the months of `partition_by`; left out, that of the
    /// calendar, or UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What happens to a row that breaks a rule.
    #[serde(default)]
    pub on_bad_row: BadRow,
    /// How CSV files are written.
    #[serde(default)]
    pub csv: Csv,
    /// The file of asset data, or the folder when they are partitioned.
    pub asset_output: String,
    /// The file of context data; given when, and only when, there is context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_output: Option<String>,
    /// How asset data are spread over files; left out, one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<PartitionName>,
    /// `zstd:LEVEL`, `snappy` or `none`.
    #[serde(default = "default_compression")]
    pub compression: String,
    /// Writes a result that does not pass the checks, and says so in it.
    #[serde(default)]
    pub force: bool,
}

/// The bars whose rows the result has.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreparePrices {
    /// File, glob or directory.
    pub path: String,
    /// Spacing of the rows of the result (`5min`, `1d`, `1w`, `1mo`): bars that are closer together
    /// are put together, by sessions where there is a calendar; left out, rows stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freq: Option<String>,
}

/// A table of signals with its rules.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrepareSignals {
    /// File, glob or directory.
    pub path: String,
    /// Spacing of the rows, remarked on where the data have another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freq: Option<String>,
    /// From when on a row may be seen: `timestamp`, `market_open`, `market_close`, `next_day`.
    #[serde(default = "default_valid_from")]
    pub valid_from: String,
    /// Added to that instant (`15m`, `1session`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
    /// Age above which a row counts as missing (`5d`, `3sessions`); left out, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staleness: Option<String>,
    /// The columns to take; left out, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Put before each name.
    #[serde(default)]
    pub prefix: String,
}

/// A table of context with its rules.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrepareContext {
    /// File, glob or directory.
    pub path: String,
    /// From when on a row may be seen: `timestamp`, `market_open`, `market_close`, `next_day`.
    #[serde(default = "default_valid_from")]
    pub valid_from: String,
    /// Added to that instant (`15m`, `1session`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
    /// The columns to take; left out, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Put before each name.
    #[serde(default)]
    pub prefix: String,
}

/// How asset data are spread over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartitionName {
    /// A folder a month.
    Month,
    /// A folder a symbol.
    Symbol,
}

/// The section with the folder that its paths start from.
#[derive(Debug, Clone)]
pub struct LoadedPrepare {
    /// The values.
    pub section: PrepareSection,
    /// The folder that relative paths start from.
    pub directory: PathBuf,
}

impl LoadedPrepare {
    /// Reads the section of a config file; sections of runs may stand beside it.
    ///
    /// # Errors
    /// `C1xx` for syntax, `C2xx` for keys, `C3xx` for values, each with file, line and column.
    pub fn read(path: &Path, overlay: &Overlay) -> Result<Self> {
        let directory = path.parent().unwrap_or(Path::new("")).to_path_buf();
        Self::from_tree(&layers::read_tree(path, overlay)?, directory)
    }

    /// Reads the section of a config text; `label` stands for the file in messages.
    ///
    /// # Errors
    /// As [`LoadedPrepare::read`].
    pub fn parse(text: &str, format: Format, label: &str, directory: &Path) -> Result<Self> {
        let tree = layers::parse_tree(text, format, label, &Overlay::default())?;
        Self::from_tree(&tree, directory.to_path_buf())
    }

    fn from_tree(tree: &Node, directory: PathBuf) -> Result<Self> {
        let root = Section::open(tree, "", SECTIONS)?;
        let node = root.node("prepare").ok_or_else(|| root.missing("prepare"))?;
        let section = PrepareSection::read(node, &directory)?;
        Ok(Self { section, directory })
    }
}

fn default_valid_from() -> String {
    "timestamp".to_owned()
}

fn default_compression() -> String {
    "zstd:3".to_owned()
}

impl PrepareSection {
    /// The trading calendar, `None` without one.
    #[must_use]
    pub fn sessions(&self) -> Option<Arc<Calendar>> {
        self.calendar.sessions()
    }

    pub(super) fn read(node: &Node, directory: &Path) -> Result<Self> {
        let section = Section::open(node, "prepare", KEYS)?;
        let bad_rows = [("error", BadRow::Error), ("drop", BadRow::Drop), ("null", BadRow::Null)];
        let parts = [("month", PartitionName::Month), ("symbol", PartitionName::Symbol)];
        let prices = section.node("prices").ok_or_else(|| section.missing("prices"))?;
        let output = section.text("asset_output")?;
        let timezone = section.text("timezone")?;
        let calendar = CalendarChoice::read(&section, directory)?;
        let zone = match &timezone {
            None => calendar.sessions().map_or(TimeZone::UTC, |known| known.zone().clone()),
            Some(name) => TimeZone::get(name).map_err(|_| {
                section
                    .bad("timezone", &format!("{name:?} is no time zone"))
                    .with_hint("write an IANA name such as America/New_York")
            })?,
        };
        let date = |key: &str| -> Result<Option<String>> {
            let text = section.text(key)?;
            if let Some(text) = &text {
                Timestamp::parse(text, &zone).map_err(|error| section.bad(key, error.message()))?;
            }
            Ok(text)
        };
        let read = Self {
            prices: PreparePrices::read(prices)?,
            actions: section.text("actions")?,
            adjustment: section
                .choice("adjustment", &Adjustment::ALL, &[])?
                .map(|adjustment| adjustment.as_str().to_owned()),
            signals: tables(&section, "signals", PrepareSignals::read)?,
            context: tables(&section, "context", PrepareContext::read)?,
            indicators: section.texts("indicators")?.unwrap_or_default(),
            universe: section.text("universe")?,
            symbols: section.node("symbols").map(SymbolChoice::read).transpose()?,
            start: date("start")?,
            end: date("end")?,
            calendar,
            label: label(&section)?,
            ambiguous: ambiguous(&section)?,
            timezone,
            on_bad_row: section.choice("on_bad_row", &bad_rows, &[])?.unwrap_or_default(),
            csv: section.node("csv").map(Csv::read).transpose()?.unwrap_or_default(),
            asset_output: output.ok_or_else(|| section.missing("asset_output"))?,
            context_output: section.text("context_output")?,
            partition_by: section.choice("partition_by", &parts, &[])?,
            compression: match section.node("compression").map(|node| &node.value) {
                Some(Value::Null { is_word: true }) => "none".to_owned(),
                _ => section.text("compression")?.unwrap_or_else(default_compression),
            },
            force: section.flag("force")?.unwrap_or(false),
        };
        for text in &read.indicators {
            IndicatorSpec::parse(text).map_err(|error| {
                let hint = error.hint().unwrap_or_default().to_owned();
                section.bad("indicators", error.message()).with_hint(hint)
            })?;
        }
        Compression::parse(&read.compression).map_err(|error| {
            let hint = error.hint().unwrap_or_default().to_owned();
            section.bad("compression", error.message()).with_hint(hint)
        })?;
        Ok(read)
    }
}

/// One table, or a list of tables.
fn tables<T>(
    section: &Section<'_>,
    key: &str,
    read: fn(&Node, &str) -> Result<T>,
) -> Result<Vec<T>> {
    let path = section.path_of(key);
    match section.node(key) {
        None => Ok(Vec::new()),
        Some(Node { value: Value::List(items), .. }) => {
            let at = |i: usize| format!("{path}.{i}");
            items.iter().enumerate().map(|(i, item)| read(item, &at(i))).collect()
        }
        Some(node) => Ok(vec![read(node, &path)?]),
    }
}

impl PreparePrices {
    fn read(node: &Node) -> Result<Self> {
        if let Value::Text(_) = node.value {
            return Ok(Self { path: text_of(node, "prepare.prices")?, freq: None });
        }
        let section = Section::open(node, "prepare.prices", PRICE_KEYS)?;
        let path = section.text("path")?.ok_or_else(|| section.missing("path"))?;
        let freq = section.text("freq")?;
        if let Some(text) = &freq {
            Step::parse(text).map_err(|reason| {
                section.bad("freq", &reason).with_hint("write 5min, 1h, 1d, 1w or 1mo")
            })?;
        }
        Ok(Self { path, freq })
    }
}

impl PrepareSignals {
    fn read(node: &Node, path: &str) -> Result<Self> {
        let section = Section::open(node, path, SIGNAL_KEYS)?;
        Ok(Self {
            path: section.text("path")?.ok_or_else(|| section.missing("path"))?,
            freq: span(&section, "freq")?,
            valid_from: mode(&section)?,
            delay: lag(&section, "delay")?,
            staleness: lag(&section, "staleness")?,
            columns: columns(&section)?,
            prefix: section.text("prefix")?.unwrap_or_default(),
        })
    }
}

impl PrepareContext {
    fn read(node: &Node, path: &str) -> Result<Self> {
        let section = Section::open(node, path, CONTEXT_KEYS)?;
        Ok(Self {
            path: section.text("path")?.ok_or_else(|| section.missing("path"))?,
            valid_from: mode(&section)?,
            delay: lag(&section, "delay")?,
            columns: columns(&section)?,
            prefix: section.text("prefix")?.unwrap_or_default(),
        })
    }
}

fn columns(section: &Section<'_>) -> Result<Option<Vec<String>>> {
    match section.node("columns") {
        Some(node) if matches!(&node.value, Value::List(items) if items.is_empty()) => {
            Err(expected(node, &section.path_of("columns"), "at least one column"))
        }
        _ => section.texts("columns"),
    }
}

fn span(section: &Section<'_>, key: &str) -> Result<Option<String>> {
    let text = section.text(key)?;
    if let Some(text) = &text {
        parse_span(text)
            .map_err(|reason| section.bad(key, &reason).with_hint("write 5d, 12h, 90m, 1min"))?;
    }
    Ok(text)
}

/// A length of time or a number of sessions.
fn lag(section: &Section<'_>, key: &str) -> Result<Option<String>> {
    let text = section.text(key)?;
    if let Some(text) = &text {
        Lag::parse(text).map_err(|error| {
            section.bad(key, error.message()).with_hint(error.hint().unwrap_or_default())
        })?;
    }
    Ok(text)
}

fn mode(section: &Section<'_>) -> Result<String> {
    let text = section.text("valid_from")?.unwrap_or_else(default_valid_from);
    Availability::parse(&text).map_err(|error| {
        let hint = error.hint().unwrap_or_default().to_owned();
        section.bad("valid_from", error.message()).with_hint(hint)
    })?;
    Ok(text)
}
