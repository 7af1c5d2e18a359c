//! A universe in which nobody came or went (`D402`): chosen with hindsight.

use super::super::ledger::{Ledger, Rule};
use super::super::merge::Rows;
use super::super::report::Severity;
use super::groups;
use crate::base::time::DAY_NS;

/// Over less time no one is expected to come or go.
const SPAN_NS: i64 = 180 * DAY_NS;

/// First and last timestamp of each symbol and of the table.
#[derive(Debug)]
pub(super) struct Lifespans {
    lives: Vec<Option<(i64, i64)>>,
    table: Option<(i64, i64)>,
}

impl Lifespans {
    pub(super) fn new(n_symbols: usize) -> Self {
        Self { lives: vec![None; n_symbols], table: None }
    }

    pub(super) fn push(&mut self, rows: &Rows, starts: &[usize]) {
        for (from, to) in groups(starts, rows.len()) {
            let time = rows.timestamps[from];
            self.table = Some((self.table.map_or(time, |(first, _)| first), time));
            for &asset in &rows.assets[from..to] {
                let life = &mut self.lives[asset as usize];
                *life = Some((life.map_or(time, |(first, _)| first), time));
            }
        }
    }

    pub(super) fn finish(&mut self, ledger: &mut Ledger) {
        let Some((first, last)) = self.table else { return };
        let n = self.lives.iter().flatten().count();
        let is_long = last.saturating_sub(first) >= SPAN_NS;
        if n < 2 || !is_long || self.lives.iter().flatten().any(|life| *life != (first, last)) {
            return;
        }
        let message = format!(
            "survivorship: all {n} symbols live from the first to the last timestamp, and there \
             is no universe table"
        );
        let rule = Rule {
            severity: Severity::Warning,
            code: "D402",
            column: "symbol",
            message: &message,
            fix: "add the symbols that were delisted, or read the results with that in mind",
        };
        ledger.count(&rule, n as u64);
    }
}
