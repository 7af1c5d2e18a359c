//! Days that begin and end whole half hours off the sessions (`D308`): times of another zone.

use std::sync::Arc;

use super::super::clock::Stamps;
use super::super::lane::ReadFacts;
use super::super::ledger::{Firsts, Ledger, Place, Rule};
use super::super::merge::Rows;
use super::super::report::{Offender, Severity};
use super::groups;
use crate::base::Timestamp;
use crate::base::calendar::Calendar;

/// Rows this far apart belong to two days of trading.
const PAUSE_NS: i64 = 2 * HOUR_NS;
/// Tables with longer steps have no first and last row of a day.
const STEP_MAX_NS: i64 = HOUR_NS;
/// Fewer days say nothing.
const DAYS_MIN: usize = 5;
/// No two zones are further apart.
const OFFSET_MAX_NS: i64 = 14 * HOUR_NS;
const HALF_HOUR_NS: i64 = HOUR_NS / 2;
const HOUR_NS: i64 = 3_600_000_000_000;

/// Rows without a long pause between them.
#[derive(Debug)]
struct Day {
    first: i64,
    last: i64,
    asset: u32,
    place: Place,
}

/// The days of the table.
#[derive(Debug)]
pub(super) struct Zones {
    calendar: Arc<Calendar>,
    days: Vec<Day>,
}

impl Zones {
    /// Nothing without a calendar, and nothing for dates: those have no time of day.
    pub(super) fn new(facts: &ReadFacts) -> Option<Self> {
        let calendar = facts.calendar.clone().filter(|_| facts.stamps == Stamps::Instants)?;
        Some(Self { calendar, days: Vec::new() })
    }

    pub(super) fn push(&mut self, rows: &Rows, starts: &[usize]) {
        for (from, _) in groups(starts, rows.len()) {
            let time = rows.timestamps[from];
            match self.days.last_mut() {
                Some(day) if time.saturating_sub(day.last) <= PAUSE_NS => day.last = time,
                _ => {
                    let (asset, place) = (rows.assets[from], rows.place(from));
                    self.days.push(Day { first: time, last: time, asset, place });
                }
            }
        }
    }

    pub(super) fn finish(&self, step_ns: Option<i64>, facts: &ReadFacts, ledger: &mut Ledger) {
        let Some(step) = step_ns.filter(|step| *step <= STEP_MAX_NS) else { return };
        let mut offsets = Vec::new();
        let mut firsts = Firsts::default();
        for day in &self.days {
            let Some((offset, open, close)) = self.offset(day, step) else { continue };
            offsets.push(offset);
            firsts.offer(day.place, || Offender {
                file: facts.files[day.place.0 as usize].name.clone(),
                row: day.place.1,
                symbol: facts.symbol(day.asset).to_owned(),
                timestamp: Timestamp(day.first).to_string(),
                values: format!("rows until {}, {} h off", Timestamp(day.last), hours(offset)),
                rule: format!("{} is open {open} .. {close}", self.calendar.name()),
            });
        }
        if self.days.len() < DAYS_MIN || offsets.len() * 2 <= self.days.len() {
            return;
        }
        let n = offsets.len();
        offsets.sort_unstable();
        let runs = offsets.chunk_by(|a, b| a == b);
        let usual = runs.max_by_key(|run| run.len()).map_or(0, |run| run[0]);
        let message = format!(
            "the first and last rows of {n} of {} days lie whole half hours off open and close \
             of {}, most often {} h: the times are of another zone",
            self.days.len(),
            self.calendar.name(),
            hours(usual)
        );
        let rule = Rule {
            severity: Severity::Warning,
            code: "D308",
            column: "timestamp (zone)",
            message: &message,
            fix: "name the zone of the times (tz), or the calendar that the market has",
        };
        ledger.count(&rule, n as u64);
        ledger.first_rows(&rule, firsts);
    }

    /// How far the day is off its session, the same at both ends, and when that was open. A row is
    /// stamped at its end, so trading began a step before the first one.
    fn offset(&self, day: &Day, step: i64) -> Option<(i64, Timestamp, Timestamp)> {
        let began = day.first.saturating_sub(step);
        let sessions = self.calendar.all();
        let at = sessions.partition_point(|session| session.open.0 < began);
        let near = [at.checked_sub(1), Some(at)].into_iter().flatten();
        let near = near.filter_map(|at| sessions.get(at));
        let session = near.min_by_key(|session| began.abs_diff(session.open.0))?;
        let offset = began.saturating_sub(session.open.0);
        let is_zone = offset != 0
            && offset % HALF_HOUR_NS == 0
            && offset.abs() <= OFFSET_MAX_NS
            && day.last.saturating_sub(session.close.0) == offset;
        is_zone.then_some((offset, session.open, session.close))
    }
}

fn hours(ns: i64) -> String {
    format!("{:+}", ns as f64 / HOUR_NS as f64)
}
