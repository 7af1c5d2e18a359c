//! The calendars that come with the crate, by code and alias.

use std::sync::{Arc, OnceLock};

use super::rules;
use super::table::Calendar;
use crate::base::spelling::nearest;
use crate::base::{Error, Result};

macro_rules! tables {
    ($($file:literal)*) => {
        &[$(include_str!(concat!("tables/", $file, ".txt"))),*]
    };
}

/// Each with its names on the second line.
const TABLES: &[&str] = tables!(
    "XNYS" "XLON" "XETR" "XPAR" "XTSE" "XHKG" "XTKS" "XSHG" "XASX" "CMES" "XCBF" "24_7" "24_5"
);

/// Made when first asked for, kept for the life of the process.
static MADE: [OnceLock<Arc<Calendar>>; TABLES.len()] = [const { OnceLock::new() }; TABLES.len()];

/// Code first, then aliases.
fn names_of(table: &'static str) -> impl Iterator<Item = &'static str> {
    let line = table.lines().find_map(|line| line.strip_prefix("names ")).unwrap_or_default();
    line.split_ascii_whitespace()
}

impl Calendar {
    /// A built-in calendar by its code or an alias: `XNYS`, `NASDAQ`, `LSE`, `24/7`.
    ///
    /// # Errors
    /// `C308` for a name that is not known; it names the nearest one or all of them.
    pub fn named(name: &str) -> Result<Arc<Self>> {
        let is_wanted = |known: &str| known.eq_ignore_ascii_case(name.trim());
        let Some(at) = TABLES.iter().position(|table| names_of(table).any(is_wanted)) else {
            let error = Error::config("C308", format!("{name:?} is no calendar"));
            let codes: Vec<&str> = Self::names().collect();
            let all = TABLES.iter().flat_map(|table| names_of(table));
            return Err(match nearest(name, all) {
                Some(near) => error.with_hint(format!("did you mean {near:?}")),
                None => error.with_hint(format!("calendars: {}", codes.join(", "))),
            });
        };
        let made = MADE[at].get_or_init(|| {
            Arc::new(rules::calendar(TABLES[at]).expect("a test reads every table"))
        });
        Ok(Arc::clone(made))
    }

    /// The codes of the built-in calendars.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLES.iter().filter_map(|table| names_of(table).next())
    }
}
