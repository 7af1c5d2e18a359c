//! Bars that were stamped at their start: they may not overlap, and what is cut at a close has to
//! end there.

use super::across::overlaps::Overlaps;
use super::lane::ReadFacts;
use super::ledger::{Ledger, Place, Rule};
use super::merge::Rows;
use super::report::{Offender, Severity};

/// Checks of a table whose label is `start`, at every level: a wrong step would show bars before
/// their end.
pub(super) struct StartChecks {
    overlaps: Overlaps,
    /// The step that closes cut.
    step_ns: Option<i64>,
    /// The first bar that a close cut.
    cut: Option<Found>,
    /// The first bar that begins outside the sessions.
    outside: Option<Found>,
}

struct Found {
    place: Place,
    asset: u32,
    offender: Offender,
}

impl StartChecks {
    pub(super) fn new(facts: &ReadFacts) -> Option<Self> {
        facts.is_start.then(|| Self {
            overlaps: Overlaps::new(facts.symbols.len()),
            step_ns: facts.cut_step_ns,
            cut: None,
            outside: None,
        })
    }

    pub(super) fn push(&mut self, rows: &Rows, facts: &ReadFacts, ledger: &mut Ledger) {
        self.overlaps.push(rows, facts, ledger);
        let (Some(step), Some(calendar)) = (self.step_ns, &facts.calendar) else { return };
        if self.cut.is_some() && self.outside.is_some() {
            return;
        }
        let lengths = &rows.columns[facts.names.len()];
        let mut last = None;
        for (i, &length) in lengths.iter().enumerate() {
            let (time, asset) = (rows.timestamps[i], rows.assets[i]);
            #[expect(clippy::cast_possible_truncation, reason = "a whole number of ns")]
            let start = time.saturating_sub(length as i64);
            let found = |text: &str| Found {
                place: rows.place(i),
                asset,
                offender: facts.offender_in(rows, i, text.to_owned(), "bars end with the session"),
            };
            if length < step as f64 {
                self.cut.get_or_insert_with(|| found("cut at the end of the session"));
            } else if last != Some(start) && self.outside.is_none() {
                last = Some(start);
                let sessions = calendar.all();
                let at = sessions.partition_point(|session| session.close.0 <= start);
                let is_inside = sessions.get(at).is_some_and(|session| {
                    let in_break = |(a, b): (crate::base::Timestamp, crate::base::Timestamp)| {
                        a.0 <= start && start < b.0
                    };
                    session.open.0 <= start && !session.lunch.is_some_and(in_break)
                });
                if !is_inside {
                    self.outside = Some(found("begins outside the sessions"));
                }
            }
        }
        if self.cut.is_none() || self.outside.is_none() {
            return;
        }
        let rule = Rule {
            severity: Severity::Error,
            code: "D307",
            column: "timestamp",
            message: "bars that begin outside the sessions, in a table whose bars are cut at the \
                      close: nothing says that a bar ends there",
            fix: "leave out the rows before the open and after the close, or stamp every row with \
                  its end",
        };
        for found in [&self.cut, &self.outside].into_iter().flatten() {
            ledger.n_error_rows += 1;
            ledger.row(&rule, facts.symbol(found.asset), found.place, || found.offender.clone());
        }
    }
}
