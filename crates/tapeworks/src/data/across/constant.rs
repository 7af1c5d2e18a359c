//! Columns that never change (`D604`).

use super::super::lane::ReadFacts;
use super::super::ledger::{Ledger, Rule};
use super::super::merge::Rows;
use super::super::names::BAR_COLUMNS;
use super::super::report::Severity;

/// A column of fewer values may well have one value.
const VALUES_MIN: u64 = 20;

#[derive(Debug, Clone, Copy)]
struct Seen {
    first: f64,
    n: u64,
    changes: bool,
}

/// The first value of each further column, as long as no other was seen.
#[derive(Debug)]
pub(super) struct Constant {
    columns: Vec<Seen>,
}

impl Constant {
    pub(super) fn new(names: &[String], _n_symbols: usize) -> Self {
        let nothing = Seen { first: f64::NAN, n: 0, changes: false };
        Self { columns: vec![nothing; names.len() - BAR_COLUMNS.len()] }
    }

    pub(super) fn push(&mut self, rows: &Rows) {
        for (seen, column) in self.columns.iter_mut().zip(&rows.columns[BAR_COLUMNS.len()..]) {
            if seen.changes {
                continue;
            }
            for &value in column.iter().filter(|value| !value.is_nan()) {
                if seen.n == 0 {
                    seen.first = value;
                }
                seen.n += 1;
                seen.changes |= value != seen.first;
            }
        }
    }

    pub(super) fn finish(&mut self, facts: &ReadFacts, ledger: &mut Ledger) {
        let names = &facts.names[BAR_COLUMNS.len()..];
        for (seen, name) in self.columns.iter().zip(names) {
            report(name, seen.first, seen.n, seen.changes, ledger);
        }
    }
}

/// The finding for a column that was seen whole.
pub(in super::super) fn report(name: &str, value: f64, n: u64, changes: bool, ledger: &mut Ledger) {
    if changes || n < VALUES_MIN {
        return;
    }
    let message = format!("the column is {value} in all {n} rows that have a value");
    let rule = Rule {
        severity: Severity::Warning,
        code: "D604",
        column: name,
        message: &message,
        fix: "check how the column was made; a column that never changes decides nothing",
    };
    ledger.count(&rule, n);
}
