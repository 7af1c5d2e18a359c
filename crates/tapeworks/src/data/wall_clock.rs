//! Local times of a zone: which instants show them, and which of two is meant.

use jiff::tz::{AmbiguousOffset, TimeZone};

use super::options::Ambiguous;
use super::time_column::{TimeColumn, TimeKind};
use crate::base::{Error, Result};

impl TimeColumn {
    /// Whether a stored number is a local time that the clock shows twice.
    pub(super) fn is_shown_twice(&self, value: i64) -> bool {
        let wall = |ambiguous| Self { ambiguous: Some(ambiguous), ..self.clone() }.instant(value);
        matches!((wall(Ambiguous::First), wall(Ambiguous::Second)), (Ok(a), Ok(b)) if a != b)
    }

    /// The instant of a local time that is shown twice, told by the order of the rows around it:
    /// where the wall clock steps back once, rows before the step come first.
    pub(super) fn ordered(&self, values: &[i64], at: usize, first_row: u64) -> Result<i64> {
        let from = (0..at).rev().take_while(|&i| self.is_shown_twice(values[i])).last();
        let from = from.unwrap_or(at);
        let to = (at..values.len()).take_while(|&i| self.is_shown_twice(values[i])).last();
        let to = to.unwrap_or(at);
        let mut steps = (from + 1..=to).filter(|&i| values[i] < values[i - 1]);
        let side = match (steps.next(), steps.next()) {
            (Some(step), None) if at < step => Ambiguous::First,
            (Some(_), None) => Ambiguous::Second,
            _ => {
                let row = first_row + at as u64 + 1;
                let TimeKind::Local { scale } = self.kind else {
                    return Err(self.no_instant(values[at]));
                };
                let found = self.no_instant(values[at].saturating_mul(scale));
                let text = format!("row {row}: {}", found.message());
                return Err(Error::data("D303", text).with_hint(
                    "store the times in UTC, or say which is meant: ambiguous: first or second",
                ));
            }
        };
        Self { ambiguous: Some(side), ..self.clone() }.instant(values[at])
    }

    pub(super) fn no_instant(&self, local: i64) -> Error {
        let wall = jiff::Timestamp::from_nanosecond(i128::from(local))
            .map(|t| t.to_zoned(TimeZone::UTC).datetime().to_string())
            .unwrap_or_default();
        Error::data(
            "D303",
            format!("{}: local time {wall} does not exist or exists twice", self.place),
        )
        .with_hint("store the times in UTC, or with their offset")
    }
}

/// Nanoseconds of a wall clock to UTC; `None` when no instant shows that time, or two do and none
/// was chosen.
pub(super) fn to_utc(local: i64, zone: &TimeZone, ambiguous: Option<Ambiguous>) -> Option<i64> {
    if *zone == TimeZone::UTC {
        return Some(local);
    }
    let wall = jiff::Timestamp::from_nanosecond(i128::from(local)).ok()?;
    let wall = wall.to_zoned(TimeZone::UTC).datetime();
    let instant = unambiguous(zone.to_ambiguous_timestamp(wall), ambiguous)?;
    i64::try_from(instant.as_nanosecond()).ok()
}

/// The one instant of a local time; of two the chosen one, `None` when none was.
pub(super) fn unambiguous(
    local: jiff::tz::AmbiguousTimestamp,
    choice: Option<Ambiguous>,
) -> Option<jiff::Timestamp> {
    match (local.offset(), choice) {
        (AmbiguousOffset::Fold { .. }, Some(Ambiguous::First)) => local.earlier().ok(),
        (AmbiguousOffset::Fold { .. }, Some(Ambiguous::Second)) => local.later().ok(),
        _ => local.unambiguous().ok(),
    }
}
