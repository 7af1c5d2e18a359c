//! From when on a row of signals or context may be seen.

use crate::base::{Error, Result};

/// The rule that turns a row's stamp into the instant at which it was available.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Availability {
    /// At its own stamp.
    #[default]
    Timestamp,
}

impl Availability {
    /// Reads the name that configs and Python use.
    ///
    /// # Errors
    /// `C301` for a name that is no mode, and for the modes that need a trading calendar.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "timestamp" => Ok(Self::Timestamp),
            "market_open" | "market_close" | "next_day" => Err(Error::config(
                "C301",
                format!("available_at {name:?} needs a trading calendar, which is not there yet"),
            )
            .with_hint(
                "stamp each row with the instant at which it was known and use \"timestamp\"",
            )),
            _ => Err(Error::config("C301", format!("available_at {name:?} is no mode"))
                .with_hint("modes: timestamp, market_open, market_close, next_day")),
        }
    }
}
