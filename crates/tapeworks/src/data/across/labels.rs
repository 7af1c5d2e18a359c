//! Bars that seem to be stamped at their start while they are read as stamped at their end
//! (`D312`): rows at opens of the calendar and none at closes, dates of weeks and months.

use std::sync::Arc;

use super::super::clock::Stamps;
use super::super::lane::ReadFacts;
use super::super::ledger::{Ledger, Rule};
use super::super::merge::Rows;
use super::super::report::Severity;
use super::groups;
use crate::base::{Calendar, Step};

/// Fewer sessions than this say nothing.
const SESSIONS_MIN: u64 = 3;

/// Rows at the two ends of sessions.
#[derive(Debug)]
pub(super) struct Labels {
    calendar: Arc<Calendar>,
    n_rows: u64,
    n_outside: u64,
    /// Timestamps at an open that is no close.
    at_open: u64,
    at_close: u64,
}

impl Labels {
    /// Nothing without a calendar, for dates, and where the label was said.
    pub(super) fn new(facts: &ReadFacts) -> Option<Self> {
        let is_open = facts.stamps == Stamps::Instants && facts.is_label_left_out;
        let calendar = facts.calendar.clone().filter(|_| is_open)?;
        Some(Self { calendar, n_rows: 0, n_outside: 0, at_open: 0, at_close: 0 })
    }

    pub(super) fn push(&mut self, rows: &Rows, starts: &[usize]) {
        let sessions = self.calendar.all();
        for (from, to) in groups(starts, rows.len()) {
            let time = rows.timestamps[from];
            let at = sessions.partition_point(|session| session.close.0 < time);
            let inside = sessions.get(at).filter(|session| session.open.0 <= time);
            let Some(session) = inside else {
                self.n_outside += (to - from) as u64;
                continue;
            };
            self.n_rows += (to - from) as u64;
            self.at_close += u64::from(session.close.0 == time);
            self.at_open += u64::from(session.open.0 == time);
        }
    }

    pub(super) fn finish(&self, ledger: &mut Ledger) {
        // Days that lie elsewhere are of another zone or market, and say nothing of labels.
        let is_elsewhere = self.n_outside * 10 > self.n_rows;
        if self.at_open < SESSIONS_MIN || self.at_close * 10 > self.at_open || is_elsewhere {
            return;
        }
        let message = format!(
            "bars seem to be stamped at their start: {} sessions of {} have a row at the open, {} \
             one at the close; read as ends, every row is known a step too early",
            self.at_open,
            self.calendar.name(),
            self.at_close
        );
        let rule = Rule {
            severity: Severity::Warning,
            code: "D312",
            column: "timestamp (label)",
            message: &message,
            fix: "label: start, when stamps are starts; label: end, when they are not",
        };
        ledger.count(&rule, self.n_rows);
    }
}

/// Dates of weeks and months, without a calendar and a label: their midnight may be their start.
pub(super) fn judge_dates(
    step_ns: Option<i64>,
    n_timestamps: u64,
    facts: &ReadFacts,
    ledger: &mut Ledger,
) {
    let step = step_ns.map(Step::of_spacing);
    let Some(step @ (Step::Week | Step::Months(_))) = step else { return };
    let is_open = facts.stamps != Stamps::Instants && facts.is_label_left_out;
    if !is_open || facts.calendar.is_some() || n_timestamps <= SESSIONS_MIN {
        return;
    }
    let message = format!(
        "dates {step} apart are taken as known at their midnight; where they are those on which a \
         period begins, every row is known a period too early"
    );
    let rule = Rule {
        severity: Severity::Warning,
        code: "D312",
        column: "timestamp (label)",
        message: &message,
        fix: "name the calendar, or say label: start or label: end",
    };
    ledger.count(&rule, n_timestamps);
}
