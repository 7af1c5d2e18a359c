//! Intraday rows outside the sessions of the calendar (`D305`).

use std::sync::Arc;

use super::super::clock::Stamps;
use super::super::lane::ReadFacts;
use super::super::ledger::{Ledger, Rule};
use super::super::merge::Rows;
use super::super::report::Severity;
use super::groups;
use crate::base::calendar::Calendar;
use crate::base::{Date, Timestamp};

/// The sessions that rows have to lie in.
#[derive(Debug)]
pub(super) struct Sessions {
    calendar: Arc<Calendar>,
}

impl Sessions {
    /// Nothing without a calendar, and nothing for dates: those name sessions instead of lying in
    /// them.
    pub(super) fn new(facts: &ReadFacts) -> Option<Self> {
        let calendar = facts.calendar.clone().filter(|_| facts.stamps == Stamps::Instants)?;
        Some(Self { calendar })
    }

    pub(super) fn push(
        &self,
        rows: &Rows,
        starts: &[usize],
        facts: &ReadFacts,
        ledger: &mut Ledger,
    ) {
        for (from, to) in groups(starts, rows.len()) {
            let time = Timestamp(rows.timestamps[from]);
            // Times outside the span of the calendar were refused when they were read.
            let Some(text) =
                self.calendar.session_of(time).ok().and_then(|date| self.outside(time, date))
            else {
                continue;
            };
            for i in from..to {
                ledger.row(&RULE, facts.symbol(rows.assets[i]), rows.place(i), || {
                    facts.offender_in(rows, i, format!("time {time}"), &text)
                });
            }
        }
    }

    /// Where trading was instead; `None` for a time in the session of the date. Open and close
    /// belong to it, as do both ends of a lunch break.
    fn outside(&self, time: Timestamp, date: Date) -> Option<String> {
        let Ok(Some(session)) = self.calendar.session(date) else {
            return Some(format!("{date} is no session of {}", self.calendar.name()));
        };
        if time < session.open || time > session.close {
            return Some(format!("the session of {date} is {} .. {}", session.open, session.close));
        }
        let (begin, end) = session.lunch?;
        (time > begin && time < end).then(|| format!("{begin} .. {end} is a break"))
    }
}

const RULE: Rule<'_> = Rule {
    severity: Severity::Warning,
    code: "D305",
    column: "timestamp (session)",
    message: "rows outside the sessions of the calendar",
    fix: "name the calendar that the market has and the zone of the times, or remove the rows",
};
