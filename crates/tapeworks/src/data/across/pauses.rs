//! Long stretches in which the whole table has no row (`D306`).

use super::super::lane::ReadFacts;
use super::super::ledger::{Firsts, Ledger, Rule};
use super::super::merge::Rows;
use super::super::report::Severity;
use super::groups;
use crate::base::Timestamp;
use crate::base::time::DAY_NS;

/// No market that trades daily closes for longer.
const PAUSE_NS: i64 = 14 * DAY_NS;
/// Tables with longer steps, such as monthly ones, are not judged.
const STEP_MAX_NS: i64 = 2 * DAY_NS;

/// The last timestamp of the table.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    last: Option<i64>,
    n: u64,
    longest_ns: i64,
    firsts: Firsts,
}

impl Pauses {
    pub(super) fn push(&mut self, rows: &Rows, starts: &[usize], facts: &ReadFacts) {
        for (from, _) in groups(starts, rows.len()) {
            let time = rows.timestamps[from];
            if let Some(last) = self.last.replace(time)
                && time.saturating_sub(last) > PAUSE_NS
            {
                let pause = time.saturating_sub(last);
                self.n += 1;
                self.longest_ns = self.longest_ns.max(pause);
                self.firsts.offer(rows.place(from), || {
                    let values =
                        format!("gap of {} days since {}", pause / DAY_NS, Timestamp(last));
                    facts.offender_in(rows, from, values, "no gap of more than 14 days")
                });
            }
        }
    }

    pub(super) fn finish(&mut self, step_ns: Option<i64>, ledger: &mut Ledger) {
        if self.n == 0 || step_ns.is_none_or(|step| step > STEP_MAX_NS) {
            return;
        }
        let message = format!(
            "the table has no row for more than 14 days; the longest gap has {} days",
            self.longest_ns / DAY_NS
        );
        let rule = Rule {
            severity: Severity::Warning,
            code: "D306",
            column: "timestamp",
            message: &message,
            fix: "add the rows that are missing, correct the times around the gap, or align \
                  symbols that share no time",
        };
        ledger.count(&rule, self.n);
        ledger.first_rows(&rule, std::mem::take(&mut self.firsts));
    }
}
