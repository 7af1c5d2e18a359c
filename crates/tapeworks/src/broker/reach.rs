//! Which prices of a row may act on a position.

use super::bar::Bar;
use super::positions::{Enlargement, Entry};
use super::semantics::EntryBar;

/// The prices of a row that may act on a position, for its side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub adverse: f64,
    pub favourable: f64,
    /// The first price of the row at which the position existed.
    pub start: f64,
}

impl Reach {
    /// The reach as (low, high).
    pub fn as_range(self, side: f64) -> (f64, f64) {
        if side > 0.0 { (self.adverse, self.favourable) } else { (self.favourable, self.adverse) }
    }
}

/// What of a row may act on a position: all of it, but on the row of an enlargement what `rule`
/// says; by default adverse prices only where they may lie after it and favourable ones only where
/// they must.
#[inline]
pub(super) fn reach(since: &Enlargement, side: f64, bar: &Bar, now: i64, rule: EntryBar) -> Reach {
    let (adverse, favourable) = if side > 0.0 { (bar.low, bar.high) } else { (bar.high, bar.low) };
    if since.timestamp != now {
        return Reach { adverse, favourable, start: bar.open };
    }
    let start = since.base;
    match (rule, since.how) {
        (EntryBar::None, _) | (_, Entry::Close) | (EntryBar::ByEntry, Entry::Limit) => {
            Reach { adverse: f64::NAN, favourable: f64::NAN, start }
        }
        (EntryBar::FullBar, _) | (_, Entry::Open | Entry::Stop) => {
            Reach { adverse, favourable, start }
        }
        (EntryBar::AfterEntry, Entry::Limit) => {
            Reach { adverse, favourable: side * (side * start).max(side * bar.close), start }
        }
    }
}
