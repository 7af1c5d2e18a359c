//! Signals checked as a run would join them.

use std::sync::Arc;

use super::Availability;
use super::availability::{Release, check_seen};
use super::lag::{Lag, Limit};
use crate::base::calendar::Calendar;
use crate::base::{AssetId, Result};
use crate::data::{self, CheckReport, ReadOptions, SignalRows, SignalRules, Source};

/// When the rows of a table of signals may be seen, and how long.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignalUse {
    /// From when on; a column `available_at` of the table wins.
    pub available_at: Availability,
    /// Added to the moment at which a row was available.
    pub delay: Option<Lag>,
    /// The greatest age that counts; left out, five usual steps between signals.
    pub staleness: Option<Lag>,
}

/// Checks a table of signals against the bars that it goes with and gives every finding.
///
/// A row that is stamped later than it is said to be known is a finding (`L101`), as are dates that
/// would be read as instants (`L102`). At the level `paranoid` each row of the bars is joined with
/// the newest signal that was available at its timestamp: how many decisions meet one that is too
/// old (`D604`), and how much the values know of returns (`L105`).
///
/// # Errors
/// When the bars cannot be opened or the options are wrong; `C301` for rules that count sessions
/// without a calendar.
pub fn check_signals(
    signals: Source,
    bars: Source,
    how: &SignalUse,
    options: &ReadOptions,
) -> Result<CheckReport> {
    let calendar = options.calendar.clone();
    let limit = how.staleness.map(|lag| Limit::new(lag, calendar.clone()));
    let mut rules = Rules { how: *how, calendar, limit };
    rules.release(false).check("signals", how.staleness)?;
    data::check_signals(signals, bars, options, &mut rules)
}

struct Rules {
    how: SignalUse,
    calendar: Option<Arc<Calendar>>,
    limit: Option<Limit>,
}

impl Rules {
    fn release(&self, bars_have_dates: bool) -> Release {
        Release {
            mode: self.how.available_at,
            delay: self.how.delay,
            calendar: self.calendar.clone(),
            bars_have_dates,
        }
    }
}

impl SignalRules for Rules {
    fn known_at(&mut self, rows: &SignalRows<'_>) -> Result<Vec<i64>> {
        let owner = |row: usize| format!(" of {}", rows.symbols.name(AssetId(rows.assets[row])));
        let release = self.release(rows.bars_have_dates);
        let (names, stamps) = (rows.names, rows.timestamps);
        let known = release.available_at("signals", names, stamps, rows.facts, &owner)?;
        check_seen("signals", names, &known, rows.last_bar)?;
        Ok(known)
    }

    fn is_stale(&mut self, known: i64, now: i64) -> Option<bool> {
        self.limit.as_mut().map(|limit| limit.is_stale(known, now))
    }
}
