//! How stamps of a table become instants: zone, clock changes, and dates that name sessions.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::options::{Ambiguous, Label, ReadOptions};
use super::plan::Table;
use crate::base::calendar::Calendar;
use crate::base::{Date, Error, Result, Timestamp};

/// What the time column of a table holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stamps {
    /// Points in time.
    #[default]
    Instants,
    /// Points in time with a zone of their own, every one a midnight of that zone.
    Midnights,
    /// Dates: of a date type, or times without a zone that are all midnights.
    Dates,
}

/// The reading of stamps, the same for all files of a table.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    pub(crate) zone: TimeZone,
    pub(crate) ambiguous: Option<Ambiguous>,
    table: Table,
    calendar: Option<Arc<Calendar>>,
    label: Label,
    /// Whether the caller named the zone of times without one.
    is_named: bool,
}

impl Clock {
    /// # Errors
    /// `C303` for an unknown zone, `C304` for session labels without a calendar.
    pub(crate) fn new(options: &ReadOptions, table: Table) -> Result<Self> {
        if options.label == Label::Session && options.calendar.is_none() {
            return Err(Error::config("C304", "label \"session\" needs a calendar")
                .with_hint("name the calendar of the market, for example calendar: XNYS"));
        }
        Ok(Self {
            zone: super::reader::zone_of(options)?,
            ambiguous: options.ambiguous,
            table,
            calendar: options.calendar.clone(),
            label: options.label,
            is_named: options.tz.is_some(),
        })
    }

    /// What happens to the stamps of a file: bars that name sessions are known at their close.
    ///
    /// # Errors
    /// `D303` when a calendar has to know the zone of wall-clock times and nobody named it, and
    /// when stamps that are times were said to name sessions.
    pub(crate) fn sessions(
        &self,
        stamps: Stamps,
        zone: &TimeZone,
        is_naive: bool,
        place: &str,
    ) -> Result<Option<SessionStamps>> {
        let Some(calendar) = &self.calendar else { return Ok(None) };
        if stamps == Stamps::Instants {
            if is_naive && !self.is_named {
                return Err(Error::data(
                    "D303",
                    format!(
                        "{place}: times without a zone, and calendar {} has to know it",
                        calendar.name()
                    ),
                )
                .with_hint(format!(
                    "name the zone of the data: tz: {} or tz: UTC",
                    calendar.zone_name()
                )));
            }
            if self.label == Label::Session && self.table == Table::Bars {
                return Err(Error::data(
                    "D303",
                    format!("{place}: label \"session\", but the stamps have times of day"),
                )
                .with_hint("store dates, or leave the label out"));
            }
        }
        let is_session =
            self.table == Table::Bars && stamps != Stamps::Instants && self.label != Label::End;
        Ok(is_session.then(|| SessionStamps { calendar: Arc::clone(calendar), zone: zone.clone() }))
    }
}

/// Stamps that are midnights and name sessions.
#[derive(Debug, Clone)]
pub(crate) struct SessionStamps {
    pub(crate) calendar: Arc<Calendar>,
    /// The zone of the midnights.
    zone: TimeZone,
}

impl SessionStamps {
    /// The instant at which a bar of the date is known: the close of its session; where there is
    /// none, the midnight that ends the date in the calendar's zone. `None` for a stamp that is no
    /// midnight.
    pub(crate) fn known_at(&self, midnight: i64) -> Option<i64> {
        let date = Date::of(Timestamp(midnight), &self.zone);
        if date.start(&self.zone).0 != midnight {
            return None;
        }
        let close = self.calendar.session(date).ok().flatten().map(|session| session.close);
        Some(close.unwrap_or_else(|| self.calendar.end_of(date)).0)
    }
}

/// Whether every instant is a midnight of the zone.
pub(crate) fn are_midnights(instants: &[i64], zone: &TimeZone) -> bool {
    let mut last = None;
    instants.iter().all(|&ns| {
        last == Some(ns) || {
            last = Some(ns);
            Date::of(Timestamp(ns), zone).start(zone).0 == ns
        }
    })
}
