//! The section `data`: which tables are read, and how strictly.

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section, expected, text_of};
use super::tree::{Node, Value};
use crate::base::{Adjustment, Result, Step};
use crate::feed::availability::MODES;
use crate::feed::{ChunkLimit, Lag};

pub(super) const KEYS: &[&str] = &[
    "asset_data",
    "signals",
    "context_data",
    "actions",
    "adjustment",
    "columns",
    "symbols",
    "frequency",
    "label",
    "ambiguous",
    "validation",
    "on_bad_row",
    "allow_negative",
    "chunk",
    "csv",
];
pub(super) const SIGNAL_KEYS: &[&str] = &["path", "available_at", "staleness", "delay", "fill"];
pub(super) const CONTEXT_KEYS: &[&str] = &["path", "available_at", "staleness", "delay"];
pub(super) const COLUMN_KEYS: &[&str] = &["signals", "indicators", "context"];
pub(super) const CSV_KEYS: &[&str] = &["columns", "price_scale", "delimiter"];

/// Which tables are read, and how strictly. Paths are relative to the config file.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSection {
    /// Bars in long form: a file, a glob or a partitioned directory (Parquet, CSV, CSV.gz).
    pub asset_data: String,
    /// A table of signals of its own, joined point in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signals: Option<Signals>,
    /// A table of series of the market as a whole, joined point in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_data: Option<ContextData>,
    /// Corporate actions on raw prices: a table with the columns `symbol`, `ex_date`,
    /// `kind`, `ratio` and `amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<String>,
    /// What the prices are: raw, with a past that a strategy sees as it was quoted (`none`), in the
    /// units of now (`split`) or without dividends as well (`total`); or adjusted already
    /// (`stated`). Needed with actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["none", "split", "total", "stated"]))]
    pub adjustment: Option<String>,
    /// Which columns ride along; left out, all that are there.
    #[serde(default)]
    pub columns: Columns,
    /// The symbols to run, as a list or a text file with one a line; left out, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbols: Option<SymbolChoice>,
    /// Spacing of the rows (`5m`, `1d`, `1w`, `1mo`), compared with the data; left out, inferred.
    /// With `label: start` it says when a bar ends, with a calendar whether dates are those of
    /// weeks or months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// What the stamps of bars name: `end`, `start` (a bar is known a step later) or `session`.
    /// Left out, ends; with a calendar, dates name sessions, or weeks and months of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["end", "start", "session"]))]
    pub label: Option<String>,
    /// Which instant a local time names that the clock shows twice: `first` or `second`. Left out,
    /// the order of the rows tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["first", "second"]))]
    pub ambiguous: Option<String>,
    /// How much is checked.
    #[serde(default)]
    pub validation: Validation,
    /// What happens to a row that breaks a rule.
    #[serde(default)]
    pub on_bad_row: BadRow,
    /// Whether prices at or below 0 are prices, as of spreads and some futures.
    #[serde(default)]
    pub allow_negative: bool,
    /// Cap on what is decoded at a time, a span (`1mo`, `5d`) or a number of rows; it bounds
    /// memory, results do not depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk: Option<String>,
    /// How CSV files are written.
    #[serde(default)]
    pub csv: Csv,
}

/// A table of signals of its own.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signals {
    /// File, glob or directory.
    pub path: String,
    /// When a signal row is known: at its own time, or at the open, at the close or at the next
    /// open of the session that it names; a column `available_at` of the table wins.
    #[serde(default = "default_available_at")]
    #[schemars(extend("enum" = ["timestamp", "market_open", "market_close", "next_day"]))]
    pub available_at: String,
    /// Age above which a signal counts as missing (`5d`, `90m`, `3sessions`); left out, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staleness: Option<String>,
    /// Added to the moment at which a row is known (`15m`, `1session`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
    /// What a null in the newest row becomes: `none` (it stays missing) or `last`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["none", "last"]))]
    pub fill: Option<String>,
}

/// A table of series of the market: a path, or a path and when its rows are known.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ContextData {
    /// File, glob or directory; rows are known at their own time.
    Path(String),
    /// With its rules.
    Table(ContextTable),
}

/// A table of series of the market, and when its rows are known.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextTable {
    /// File, glob or directory.
    pub path: String,
    /// When a row is known, as for signals.
    #[serde(default = "default_available_at")]
    #[schemars(extend("enum" = ["timestamp", "market_open", "market_close", "next_day"]))]
    pub available_at: String,
    /// Age above which a value counts as missing; left out, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staleness: Option<String>,
    /// Added to the moment at which a row is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
}

impl ContextData {
    /// File, glob or directory.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Path(path) => path,
            Self::Table(table) => &table.path,
        }
    }

    fn read(node: &Node) -> Result<Self> {
        if let Value::Map(_) = node.value {
            let section = Section::open(node, "data.context_data", CONTEXT_KEYS)?;
            return Ok(Self::Table(ContextTable {
                path: section.text("path")?.ok_or_else(|| section.missing("path"))?,
                available_at: available_at(&section)?,
                staleness: lag(&section, "staleness")?,
                delay: lag(&section, "delay")?,
            }));
        }
        text_of(node, "data.context_data").map(Self::Path)
    }
}

fn available_at(section: &Section<'_>) -> Result<String> {
    let mode = section.choice("available_at", &MODES, &[])?.unwrap_or_default();
    Ok(mode.as_str().to_owned())
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

/// Which columns ride along; `null` or left out: all that are there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Columns of the signal table, or of the bars when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signals: Option<Vec<String>>,
    /// Further columns of the bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicators: Option<Vec<String>>,
    /// Columns of the context table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Vec<String>>,
}

/// The symbols of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SymbolChoice {
    /// By name.
    Names(Vec<String>),
    /// A text file with one symbol a line.
    File(String),
}

/// How much of the data is checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Validation {
    /// Metadata, statistics and a sample of 1,000 rows a file.
    Fast,
    /// Every row against every rule, and the checks across rows.
    #[default]
    Standard,
    /// Also the checks that take longer.
    Paranoid,
}

/// What happens to a row that breaks a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BadRow {
    /// The run refuses.
    #[default]
    Error,
    /// The row is left out and counted.
    Drop,
    /// The row's prices become missing and are counted.
    Null,
}

/// How CSV files are written.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// Names of the columns of files without a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Factor from the file's price unit to currency (0.0001 for ten-thousandths).
    #[serde(default = "default_scale")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub price_scale: f64,
    /// The character between fields; left out, looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
}

fn default_available_at() -> String {
    "timestamp".to_owned()
}

fn default_scale() -> f64 {
    1.0
}

impl Default for Csv {
    fn default() -> Self {
        Self { columns: None, price_scale: default_scale(), delimiter: None }
    }
}

impl DataSection {
    pub(super) fn read(node: &Node) -> Result<Self> {
        let section = Section::open(node, "data", KEYS)?;
        let levels = [
            ("fast", Validation::Fast),
            ("standard", Validation::Standard),
            ("paranoid", Validation::Paranoid),
        ];
        let bad_rows = [("error", BadRow::Error), ("drop", BadRow::Drop), ("null", BadRow::Null)];
        let frequency = section.text("frequency")?;
        if let Some(text) = &frequency {
            Step::parse(text).map_err(|reason| {
                section.bad("frequency", &reason).with_hint("write 5m, 1h, 1d, 1w or 1mo")
            })?;
        }
        Ok(Self {
            asset_data: section.text("asset_data")?.ok_or_else(|| section.missing("asset_data"))?,
            signals: section.node("signals").map(Signals::read).transpose()?,
            context_data: section.node("context_data").map(ContextData::read).transpose()?,
            actions: section.text("actions")?,
            adjustment: section
                .choice("adjustment", &Adjustment::ALL, &[])?
                .map(|adjustment| adjustment.as_str().to_owned()),
            columns: section.node("columns").map(Columns::read).transpose()?.unwrap_or_default(),
            symbols: section.node("symbols").map(SymbolChoice::read).transpose()?,
            frequency,
            label: label(&section)?,
            ambiguous: ambiguous(&section)?,
            validation: section.choice("validation", &levels, &[])?.unwrap_or_default(),
            on_bad_row: section.choice("on_bad_row", &bad_rows, &[])?.unwrap_or_default(),
            allow_negative: section.flag("allow_negative")?.unwrap_or_default(),
            chunk: chunk(&section)?,
            csv: section.node("csv").map(Csv::read).transpose()?.unwrap_or_default(),
        })
    }
}

/// The words of `label`.
pub(super) fn label(section: &Section<'_>) -> Result<Option<String>> {
    let words = [("end", "end"), ("start", "start"), ("session", "session")];
    Ok(section.choice("label", &words, &[])?.map(str::to_owned))
}

/// The words of `ambiguous`.
pub(super) fn ambiguous(section: &Section<'_>) -> Result<Option<String>> {
    let words = [("first", "first"), ("second", "second")];
    Ok(section.choice("ambiguous", &words, &[])?.map(str::to_owned))
}

fn chunk(section: &Section<'_>) -> Result<Option<String>> {
    let text = match section.node("chunk") {
        None => return Ok(None),
        Some(Node { value: Value::Int(rows), .. }) => rows.to_string(),
        Some(node) => text_of(node, "data.chunk")?,
    };
    match ChunkLimit::parse(&text) {
        Ok(_) => Ok(Some(text)),
        Err(error) => {
            let hint = error.hint().unwrap_or_default().to_owned();
            Err(section.bad("chunk", error.message()).with_hint(hint))
        }
    }
}

impl Signals {
    fn read(node: &Node) -> Result<Self> {
        if let Value::Text(_) = node.value {
            let path = text_of(node, "data.signals")?;
            return Ok(Self {
                path,
                available_at: default_available_at(),
                staleness: None,
                delay: None,
                fill: None,
            });
        }
        let section = Section::open(node, "data.signals", SIGNAL_KEYS)?;
        let path = section.text("path")?.ok_or_else(|| section.missing("path"))?;
        let fills = [("none", "none"), ("last", "last")];
        Ok(Self {
            path,
            available_at: available_at(&section)?,
            staleness: lag(&section, "staleness")?,
            delay: lag(&section, "delay")?,
            fill: section.choice("fill", &fills, &[])?.map(str::to_owned),
        })
    }
}

impl Columns {
    fn read(node: &Node) -> Result<Self> {
        let section = Section::open(node, "data.columns", COLUMN_KEYS)?;
        Ok(Self {
            signals: section.texts("signals")?,
            indicators: section.texts("indicators")?,
            context: section.texts("context")?,
        })
    }
}

impl SymbolChoice {
    pub(super) fn read(node: &Node) -> Result<Self> {
        match &node.value {
            Value::List(items) => {
                if items.is_empty() {
                    return Err(expected(node, "data.symbols", "at least one symbol"));
                }
                let names = items.iter().map(|item| text_of(item, "data.symbols"));
                Ok(Self::Names(names.collect::<Result<_>>()?))
            }
            Value::Text(_) => Ok(Self::File(text_of(node, "data.symbols")?)),
            _ => Err(expected(node, "data.symbols", "a list of symbols or the path of a file")),
        }
    }
}

impl Csv {
    pub(super) fn read(node: &Node) -> Result<Self> {
        let section = Section::open(node, "data.csv", CSV_KEYS)?;
        let mut csv = Self { columns: section.texts("columns")?, ..Self::default() };
        if let Some(scale) = section.number("price_scale", Bounds::Positive)? {
            csv.price_scale = scale;
        }
        if let Some(node) = section.node("delimiter") {
            let text = match (&node.raw, &node.value) {
                (Some(raw), _) | (None, Value::Text(raw)) => raw.as_str(),
                _ => "",
            };
            let text = if text == "\\t" { "\t" } else { text };
            let mut chars = text.chars();
            csv.delimiter = match (chars.next(), chars.next()) {
                (Some(one), None) if one.is_ascii() => Some(one),
                _ => {
                    return Err(expected(node, "data.csv.delimiter", "one ASCII character"));
                }
            };
        }
        Ok(csv)
    }
}
