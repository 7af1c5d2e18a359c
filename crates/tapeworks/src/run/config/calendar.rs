//! A trading calendar in a config: a name, or a table of sessions.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Section, text_of};
use super::tree::{Node, Value};
use crate::base::{Calendar, Error, Result};
use crate::data::{Source, read_calendar};

pub(super) const KEYS: &[&str] = &["path", "timezone", "name"];

/// A built-in calendar by its code (`XNYS`, `24/7`, ...), `none`, or a table of sessions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum CalendarChoice {
    /// By name.
    Name(String),
    /// From a table.
    Table(CalendarTable),
}

/// A calendar of your own: a table of session (or date), open, close, and `break_start`,
/// `break_end` where there are breaks. Times are instants, local times, or times of day such as
/// `09:30`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarTable {
    /// A text or Parquet file.
    pub path: String,
    /// Zone of its dates and of times without one (IANA name).
    pub timezone: String,
    /// What reports call it; left out, `own`.
    #[serde(default = "default_name")]
    pub name: String,
    /// The sessions, read with the config.
    #[serde(skip)]
    #[schemars(skip)]
    pub(super) sessions: Option<Arc<Calendar>>,
}

fn default_name() -> String {
    "own".to_owned()
}

impl Default for CalendarChoice {
    fn default() -> Self {
        Self::Name("none".to_owned())
    }
}

impl CalendarChoice {
    /// The calendar, `None` for `none`.
    #[must_use]
    pub fn sessions(&self) -> Option<Arc<Calendar>> {
        match self {
            Self::Name(name) => Calendar::named(name).ok(),
            Self::Table(table) => table.sessions.clone(),
        }
    }

    /// The table, where there is one.
    #[must_use]
    pub fn table(&self) -> Option<&CalendarTable> {
        match self {
            Self::Name(_) => None,
            Self::Table(table) => Some(table),
        }
    }

    /// Reads the key `calendar` of a section; `directory` is where paths start from.
    pub(super) fn read(section: &Section<'_>, directory: &Path) -> Result<Self> {
        let placed = |error: Error| {
            let placed = section.bad("calendar", error.message());
            placed.with_hint(error.hint().unwrap_or_default())
        };
        match section.node("calendar") {
            None => Ok(Self::default()),
            Some(node) if matches!(node.value, Value::Map(_)) => {
                let mut table = CalendarTable::read(node, &section.path_of("calendar"))?;
                let path = directory.join(&table.path).to_string_lossy().into_owned();
                let read = read_calendar(Source::Path(path), &table.name, &table.timezone);
                table.sessions = Some(Arc::new(read.map_err(placed)?));
                Ok(Self::Table(table))
            }
            Some(node) => match text_of(node, &section.path_of("calendar"))? {
                none if none == "none" => Ok(Self::Name(none)),
                name => {
                    let known = Calendar::named(&name).map_err(placed)?;
                    Ok(Self::Name(known.name().to_owned()))
                }
            },
        }
    }
}

impl CalendarTable {
    fn read(node: &Node, path: &str) -> Result<Self> {
        let section = Section::open(node, path, KEYS)?;
        Ok(Self {
            path: section.text("path")?.ok_or_else(|| section.missing("path"))?,
            timezone: section.text("timezone")?.ok_or_else(|| section.missing("timezone"))?,
            name: section.text("name")?.unwrap_or_else(default_name),
            sessions: None,
        })
    }
}
