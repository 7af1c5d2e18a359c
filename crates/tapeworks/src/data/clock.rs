//! How stamps of a table become instants: zone, clock changes, and stamps that are no ends.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::known_at::{KnownAt, Side};
use super::options::{Ambiguous, Label, ReadOptions};
use super::plan::Table;
use crate::base::calendar::Calendar;
use crate::base::{Date, Error, Result, Step, Timestamp};

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
    pub(crate) label: Label,
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

    /// Whether a table says of itself that its stamps are ends: one that was prepared on a
    /// calendar, or bars that were read before and whose stamps are no dates.
    pub(crate) fn says_end<'a>(&self, said: impl Fn(&str) -> Option<&'a str>) -> bool {
        let knows = match said("table") {
            Some("asset_data") => said("calendar").is_some(),
            table => table == Some("bars"),
        };
        knows && self.label == Label::Auto && said("label") == Some("end")
    }

    /// Whether stamps of bars are dates that name sessions, weeks or months.
    pub(crate) fn has_dates(&self, stamps: Stamps) -> bool {
        self.calendar.is_some()
            && self.table == Table::Bars
            && stamps != Stamps::Instants
            && self.label != Label::End
    }

    /// What happens to the stamps of a file: when its bars are known, where that is not the stamp.
    ///
    /// # Errors
    /// `D303` when a calendar has to know the zone of wall-clock times and nobody named it, and
    /// when stamps that are times were said to name sessions.
    pub(crate) fn known_at(
        &self,
        stamps: Stamps,
        zone: &TimeZone,
        is_naive: bool,
        place: &str,
        step: Option<Step>,
    ) -> Result<Option<KnownAt>> {
        let is_start = self.label == Label::Start && self.table == Table::Bars;
        let zone = zone.clone();
        let start = |calendar| match step {
            Some(step) if is_start => {
                let zone = zone.clone();
                Some(KnownAt::Start { calendar, zone, step })
            }
            _ => None,
        };
        let Some(calendar) = &self.calendar else { return Ok(start(None)) };
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
            return Ok(start(Some(Arc::clone(calendar))));
        }
        if !self.has_dates(stamps) {
            return Ok(None);
        }
        let calendar = Arc::clone(calendar);
        Ok(Some(match step {
            Some(step @ (Step::Week | Step::Months(_))) => {
                let side = match self.label {
                    Label::Start => Side::First,
                    Label::Session => Side::Within,
                    Label::Auto | Label::End => Side::Either,
                };
                KnownAt::Period { calendar, zone, step, side }
            }
            _ => KnownAt::Session { calendar, zone },
        }))
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
