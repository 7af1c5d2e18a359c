//! Timestamps of the table at which a symbol has no row, between its first and its last (`D306`).

use super::super::lane::ReadFacts;
use super::super::ledger::{Firsts, Ledger, Rule};
use super::super::merge::Rows;
use super::super::report::Severity;
use super::groups;
use crate::base::Timestamp;

#[derive(Debug, Clone, Copy, Default)]
struct Life {
    /// Number of the timestamp of the last row, from 1; 0 before the first row.
    tick: u32,
    time: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Missing {
    n_rows: u64,
    n_holes: u64,
    longest: u32,
}

/// The last row of each symbol on the clock of the table.
#[derive(Debug)]
pub(super) struct Holes {
    tick: u32,
    lives: Vec<Life>,
    missing: Vec<Missing>,
    firsts: Firsts,
}

impl Holes {
    pub(super) fn new(n_symbols: usize) -> Self {
        Self {
            tick: 0,
            lives: vec![Life::default(); n_symbols],
            missing: vec![Missing::default(); n_symbols],
            firsts: Firsts::default(),
        }
    }

    pub(super) fn push(&mut self, rows: &Rows, starts: &[usize], facts: &ReadFacts) {
        for (from, to) in groups(starts, rows.len()) {
            self.tick += 1;
            let now = Life { tick: self.tick, time: rows.timestamps[from] };
            for i in from..to {
                let asset = rows.assets[i] as usize;
                let last = std::mem::replace(&mut self.lives[asset], now);
                if now.tick > last.tick + 1 && last.tick > 0 {
                    let n = now.tick - last.tick - 1;
                    let missing = &mut self.missing[asset];
                    missing.n_rows += u64::from(n);
                    missing.n_holes += 1;
                    missing.longest = missing.longest.max(n);
                    self.firsts.offer(rows.place(i), || {
                        let values = format!("{n} missing since {}", Timestamp(last.time));
                        facts.offender_in(rows, i, values, "a row at every timestamp of the table")
                    });
                }
            }
        }
    }

    pub(super) fn finish(&mut self, facts: &ReadFacts, ledger: &mut Ledger) {
        let hit = || self.missing.iter().enumerate().filter(|(_, m)| m.n_rows > 0);
        let Some((most, longest)) =
            hit().max_by_key(|(asset, m)| (m.longest, std::cmp::Reverse(*asset)))
        else {
            return;
        };
        let n_holes: u64 = hit().map(|(_, m)| m.n_holes).sum();
        let name = |asset: usize| facts.symbol(u32::try_from(asset).unwrap_or(u32::MAX));
        let message = format!(
            "timestamps without a row inside a symbol's own life: {n_holes} holes in {} symbols, \
             the longest has {} rows ({})",
            hit().count(),
            longest.longest,
            name(most),
        );
        let rule = Rule {
            severity: Severity::Warning,
            code: "D306",
            column: "symbol",
            message: &message,
            fix: "nothing to do when the symbol did not trade; else add the rows",
        };
        for (asset, missing) in hit() {
            ledger.rows(&rule, name(asset), missing.n_rows);
        }
        ledger.first_rows(&rule, std::mem::take(&mut self.firsts));
    }
}
