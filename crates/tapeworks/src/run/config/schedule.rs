//! `execution.flows`, `funding` and `rolls`: what is decided outside the run, listed or in a table.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Section, expected, number_of, text_of};
use super::tree::{Node, Value};
use crate::base::{Error, Result, Timestamp};

pub(super) const FLOW_KEYS: &[&str] = &["timestamp", "amount"];
pub(super) const FUNDING_KEYS: &[&str] = &["timestamp", "symbol", "rate"];
pub(super) const ROLL_KEYS: &[&str] = &["timestamp", "from", "to"];

/// Entries written in the config, or the path of a table that has them as columns.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Listed<T> {
    /// The entries.
    Entries(Vec<T>),
    /// A CSV or Parquet table.
    Table(String),
}

/// Capital that comes in (positive) or goes out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowConfig {
    /// Effective before the open of the first row at or after this time.
    pub timestamp: String,
    /// Account currency.
    pub amount: f64,
}

/// The funding of a perpetual contract at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FundingConfig {
    /// The instant.
    pub timestamp: String,
    /// The contract.
    pub symbol: String,
    /// Fraction of the position's value that longs pay and shorts receive.
    pub rate: f64,
}

/// The change from one contract to the next.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollConfig {
    /// At the first open of both contracts at or after this time.
    pub timestamp: String,
    /// The contract that is left.
    pub from: String,
    /// The contract that is entered.
    pub to: String,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self::Entries(Vec::new())
    }
}

impl<T> Listed<T> {
    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Entries(entries) if entries.is_empty())
    }

    /// The path of the table, when there is one.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::Table(path) => Some(path),
            Self::Entries(_) => None,
        }
    }
}

/// Reads a list of mappings; `entry` reads one.
fn read_list<T>(
    node: &Node,
    path: &str,
    keys: &[&str],
    entry: impl Fn(&Section<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let Value::List(items) = &node.value else {
        let rule = format!("a list of {{{}: ...}}", keys.join(": ..., "));
        return Err(expected(node, path, &rule));
    };
    items.iter().map(|item| entry(&Section::open(item, path, keys)?)).collect()
}

fn time(section: &Section<'_>) -> Result<String> {
    let text = section.text("timestamp")?.ok_or_else(|| section.missing("timestamp"))?;
    // The zone is another section's key; a wrong text is wrong in every zone.
    Timestamp::parse(&text, &TimeZone::UTC).map_err(|error| {
        section.bad("timestamp", error.message()).with_hint("write a date like 2024-03-08")
    })?;
    Ok(text)
}

fn number(section: &Section<'_>, key: &str) -> Result<f64> {
    let node = section.node(key).ok_or_else(|| section.missing(key))?;
    number_of(node, &section.path_of(key), super::section::Bounds::Finite)
}

fn text(section: &Section<'_>, key: &str) -> Result<String> {
    section.text(key)?.ok_or_else(|| section.missing(key))
}

impl Listed<FlowConfig> {
    pub(super) fn read_flows(node: &Node) -> Result<Self> {
        if let Value::Text(_) = node.value {
            return text_of(node, "execution.flows").map(Self::Table);
        }
        let entry = |section: &Section<'_>| {
            Ok(FlowConfig { timestamp: time(section)?, amount: number(section, "amount")? })
        };
        read_list(node, "execution.flows", FLOW_KEYS, entry).map(Self::Entries)
    }
}

impl Listed<FundingConfig> {
    pub(super) fn read_funding(node: &Node) -> Result<Self> {
        if let Value::Text(_) = node.value {
            return text_of(node, "execution.funding").map(Self::Table);
        }
        let entry = |section: &Section<'_>| {
            Ok(FundingConfig {
                timestamp: time(section)?,
                symbol: text(section, "symbol")?,
                rate: number(section, "rate")?,
            })
        };
        read_list(node, "execution.funding", FUNDING_KEYS, entry).map(Self::Entries)
    }
}

impl RollConfig {
    pub(super) fn read_all(node: &Node) -> Result<Vec<Self>> {
        let entry = |section: &Section<'_>| {
            let roll = Self {
                timestamp: time(section)?,
                from: text(section, "from")?,
                to: text(section, "to")?,
            };
            if roll.from == roll.to {
                let reason = format!("a roll from {} to itself", roll.from);
                return Err(section.bad("to", &reason));
            }
            Ok(roll)
        };
        read_list(node, "execution.rolls", ROLL_KEYS, entry)
    }
}

/// The instant of an entry, in the zone of the run.
///
/// # Errors
/// `C301` when a local time does not exist or exists twice in that zone.
pub(in crate::run) fn instant(key: &str, text: &str, zone: &TimeZone) -> Result<i64> {
    Timestamp::parse(text, zone).map(|instant| instant.0).map_err(|error| {
        Error::config(error.code(), format!("{key}: {}", error.message()))
            .with_hint(error.hint().unwrap_or("write the time with its offset"))
    })
}
