//! Prices that stand still (`D208`): equal open, high, low and close, row after row.

use super::super::lane::ReadFacts;
use super::super::ledger::{Firsts, Ledger, Place, Rule};
use super::super::merge::Rows;
use super::super::report::{Offender, Severity};
use crate::base::Timestamp;

/// Equal rows that are too many when something was traded in each, and when not.
const TRADED_ROWS: u32 = 5;
const ANY_ROWS: u32 = 20;

#[derive(Debug, Clone, Copy)]
struct Run {
    prices: [f64; 4],
    n_rows: u32,
    n_traded: u32,
    since: i64,
    place: Place,
}

/// The run of equal rows that each symbol is in.
#[derive(Debug)]
pub(super) struct StaleRuns {
    runs: Vec<Run>,
    /// Rows of runs that ended, a symbol.
    n_rows: Vec<u64>,
    firsts: Firsts,
}

impl StaleRuns {
    pub(super) fn new(n_symbols: usize) -> Self {
        let nothing =
            Run { prices: [f64::NAN; 4], n_rows: 0, n_traded: 0, since: 0, place: (0, 0) };
        Self {
            runs: vec![nothing; n_symbols],
            n_rows: vec![0; n_symbols],
            firsts: Firsts::default(),
        }
    }

    pub(super) fn push(&mut self, rows: &Rows, facts: &ReadFacts, _ledger: &mut Ledger) {
        for (i, &asset) in rows.assets.iter().enumerate() {
            let prices = [0, 1, 2, 3].map(|c| rows.columns[c][i]);
            let traded = u32::from(rows.columns[4][i] > 0.0);
            let run = &mut self.runs[asset as usize];
            if prices == run.prices {
                run.n_rows += 1;
                run.n_traded += traded;
                continue;
            }
            if run.n_rows >= TRADED_ROWS {
                let ended = *run;
                self.end(asset, &ended, facts);
            }
            let (since, place) = (rows.timestamps[i], rows.place(i));
            self.runs[asset as usize] = Run { prices, n_rows: 1, n_traded: traded, since, place };
        }
    }

    pub(super) fn finish(&mut self, facts: &ReadFacts, ledger: &mut Ledger) {
        for (asset, run) in (0_u32..).zip(self.runs.clone()) {
            self.end(asset, &run, facts);
        }
        let rule = Rule {
            severity: Severity::Warning,
            code: "D208",
            column: "open, high, low, close",
            message: "prices that stand still over many rows",
            fix: "check whether the source repeats its last row; drop the rows if so",
        };
        if self.n_rows.iter().any(|n| *n > 0) {
            for (asset, &n) in (0_u32..).zip(&self.n_rows).filter(|(_, n)| **n > 0) {
                ledger.rows(&rule, facts.symbol(asset), n);
            }
            ledger.first_rows(&rule, std::mem::take(&mut self.firsts));
        }
    }

    fn end(&mut self, asset: u32, run: &Run, facts: &ReadFacts) {
        if run.n_traded < TRADED_ROWS && run.n_rows < ANY_ROWS {
            return;
        }
        self.n_rows[asset as usize] += u64::from(run.n_rows);
        self.firsts.offer(run.place, || Offender {
            file: facts.files[run.place.0 as usize].name.clone(),
            row: run.place.1,
            symbol: facts.symbol(asset).to_owned(),
            timestamp: Timestamp(run.since).to_string(),
            values: format!(
                "{} rows with close {}, {} of them with volume",
                run.n_rows, run.prices[3], run.n_traded
            ),
            rule: "fewer than 5 equal rows with volume, fewer than 20 without".to_owned(),
        });
    }
}
