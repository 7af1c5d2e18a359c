//! Instants and spans: `i64` nanoseconds since 1970-01-01 UTC, and their text forms.

use std::fmt;

use jiff::civil;
use jiff::tz::TimeZone;

use super::{Error, Result};

/// Nanoseconds in a day.
pub const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// An instant in nanoseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads `2024-03-08`, `2024-03-08 14:30[:00[.5]]`, `2024-03-08T14:30:00Z` or an offset form.
    ///
    /// A text without zone is local time of `zone`; a date is its local midnight.
    ///
    /// # Errors
    /// `C301` when the text is no time, or a local time that does not exist or exists twice.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self> {
        let text = text.trim();
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Self::from_nanosecond(instant.as_nanosecond(), text);
        }
        let local = text
            .parse::<civil::DateTime>()
            .or_else(|_| text.parse::<civil::Date>().map(|date| date.at(0, 0, 0, 0)))
            .map_err(|_| {
                Error::config("C301", format!("{text:?} is no time"))
                    .with_hint("write 2024-03-08, 2024-03-08 14:30 or 2024-03-08T14:30:00Z")
            })?;
        let instant = zone.to_ambiguous_timestamp(local).unambiguous().map_err(|_| {
            Error::config(
                "C301",
                format!("{text:?} does not name one instant in its zone (clock change)"),
            )
            .with_hint("write the time with its offset, for example 2024-11-03T01:30:00-04:00")
        })?;
        Self::from_nanosecond(instant.as_nanosecond(), text)
    }

    fn from_nanosecond(ns: i128, text: &str) -> Result<Self> {
        i64::try_from(ns).map(Self).map_err(|_| {
            Error::config("C301", format!("{text:?} is outside 1678..2262, the range of i64 ns"))
        })
    }

    /// The UTC calendar date as (year, month, day).
    #[must_use]
    pub fn utc_date(self) -> (i16, i8, i8) {
        let date = self.to_jiff().to_zoned(TimeZone::UTC).date();
        (date.year(), date.month(), date.day())
    }

    /// Whole days since 1970-01-01 UTC, rounded toward the past.
    #[must_use]
    pub fn utc_day(self) -> i64 {
        self.0.div_euclid(DAY_NS)
    }

    pub(super) fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.0))
            .expect("every i64 ns is in jiff's range")
    }
}

/// `2024-03-08` at midnight UTC, `2024-03-08 14:30:00Z` otherwise, with a fraction when there is
/// one.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.to_jiff().to_zoned(TimeZone::UTC).datetime();
        if self.0.rem_euclid(DAY_NS) == 0 {
            write!(f, "{}", time.date())
        } else {
            write!(f, "{} {}Z", time.date(), time.time())
        }
    }
}
