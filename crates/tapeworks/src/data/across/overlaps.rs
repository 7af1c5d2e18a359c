//! Bars that end before they start, or start before the bar before them ended (`D307`).

use super::super::lane::ReadFacts;
use super::super::ledger::{Ledger, Rule};
use super::super::merge::Rows;
use super::super::report::Severity;
use crate::base::Timestamp;

/// Lengths above 104 days are rounded as f64; bars may touch within that.
const ROUNDING_NS: i64 = 64;

/// The last timestamp of each symbol.
#[derive(Debug)]
pub(in super::super) struct Overlaps {
    last: Vec<i64>,
}

impl Overlaps {
    pub(in super::super) fn new(n_symbols: usize) -> Self {
        Self { last: vec![i64::MIN; n_symbols] }
    }

    pub(in super::super) fn push(&mut self, rows: &Rows, facts: &ReadFacts, ledger: &mut Ledger) {
        let lengths = &rows.columns[facts.names.len()];
        for (i, &length) in lengths.iter().enumerate() {
            let (time, asset) = (rows.timestamps[i], rows.assets[i]);
            let last = std::mem::replace(&mut self.last[asset as usize], time);
            if length.is_nan() {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, reason = "a difference of two i64")]
            let start = time.saturating_sub(length as i64);
            let (message, text, values) = if length <= 0.0 {
                let values = format!("start_time {}", Timestamp(start));
                ("bars that do not end after they start", "start_time is before timestamp", values)
            } else if start.saturating_add(ROUNDING_NS) < last {
                let text = "a bar starts at or after the end of the one before";
                let (start, last) = (Timestamp(start), Timestamp(last));
                ("bars that overlap", text, format!("start_time {start}, bar before ends {last}"))
            } else {
                continue;
            };
            let rule = Rule {
                severity: Severity::Error,
                code: "D307",
                column: "start_time",
                message,
                fix: "write the start of each bar as its window's inclusive start",
            };
            ledger.n_error_rows += 1;
            ledger.row(&rule, facts.symbol(asset), rows.place(i), || {
                facts.offender_in(rows, i, values, text)
            });
        }
    }
}
