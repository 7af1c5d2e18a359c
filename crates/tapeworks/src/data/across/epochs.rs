//! Timestamps that no market data has (`D304`): before 1900, a lone 1970, the future.

use super::super::lane::ReadFacts;
use super::super::ledger::{Firsts, Ledger, Rule};
use super::super::merge::Rows;
use super::super::report::Severity;
use super::groups;
use crate::base::Timestamp;
use crate::base::time::DAY_NS;

/// 1900-01-01.
const FIRST_NS: i64 = -25_567 * DAY_NS;
const MONTH_NS: i64 = 30 * DAY_NS;

/// Rows on the first day of 1970 that nothing leads up to, until it is known what follows.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    last: Option<i64>,
    n_zero: u64,
    zeros: Firsts,
}

impl Epochs {
    pub(super) fn push(
        &mut self,
        rows: &Rows,
        starts: &[usize],
        facts: &ReadFacts,
        ledger: &mut Ledger,
    ) {
        let future = facts.now.map_or(i64::MAX, |now| now.saturating_add(DAY_NS));
        for (from, to) in groups(starts, rows.len()) {
            let time = rows.timestamps[from];
            let before = self.last.replace(time);
            let is_zero = (0..DAY_NS).contains(&time);
            if time >= FIRST_NS && time <= future && !is_zero {
                continue;
            }
            let is_lone = before.is_none_or(|before| before < -MONTH_NS);
            for i in from..to {
                let value = format!("time {}", Timestamp(time));
                if is_zero {
                    if is_lone {
                        self.n_zero += 1;
                        let rule = "times are not the zero of the clock";
                        let describe = || facts.offender_in(rows, i, value, rule);
                        self.zeros.offer(rows.place(i), describe);
                    }
                    continue;
                }
                let (rule, text) = if time < FIRST_NS {
                    (&OLD, "times lie in 1900..2262")
                } else {
                    (&FUTURE, "times lie before tomorrow")
                };
                ledger.row(rule, facts.symbol(rows.assets[i]), rows.place(i), || {
                    facts.offender_in(rows, i, value, text)
                });
            }
        }
    }

    pub(super) fn finish(&mut self, ledger: &mut Ledger) {
        if self.n_zero > 0 && self.last.is_some_and(|last| last > MONTH_NS) {
            ledger.count(&ZERO, self.n_zero);
            ledger.first_rows(&ZERO, std::mem::take(&mut self.zeros));
        }
    }
}

const OLD: Rule<'_> = Rule {
    severity: Severity::Error,
    code: "D304",
    column: "timestamp",
    message: "times before 1900",
    fix: "check the unit of the times and their source",
};

const FUTURE: Rule<'_> = Rule {
    severity: Severity::Warning,
    code: "D304",
    column: "timestamp (future)",
    message: "times later than tomorrow",
    fix: "check the times of these rows; a stand-in for a missing time is no time",
};

const ZERO: Rule<'_> = Rule {
    severity: Severity::Warning,
    code: "D304",
    column: "timestamp (1970)",
    message: "times on 1970-01-01, the zero of the clock: probably missing times",
    fix: "write the times of these rows, or drop them",
};
