//! Volumes far above what the symbol trades (`D206`).

use super::super::lane::ReadFacts;
use super::super::ledger::{Ledger, Rule};
use super::super::merge::Rows;
use super::super::report::Severity;
use super::median::LastValues;

/// Positive volumes before a row that make its median, and how many there have to be.
const MEDIAN_ROWS: usize = 50;
const MEDIAN_FROM: usize = 20;
const SPIKE: f64 = 1_000.0;
/// The envelope rises by this a row and is never above a volume of the window times
/// `ENVELOPE^rows`. At most 26 rows back stands a volume at or below the median, so a volume of
/// 1,000 medians is above `1,000 / ENVELOPE^26 = 84` envelopes; `LOOK` is below that.
const ENVELOPE: f64 = 1.1;
const LOOK: f64 = 80.0;
const VOLUME: usize = 4;

#[derive(Debug, Clone, Copy)]
struct Past {
    envelope: f64,
    volumes: LastValues<MEDIAN_ROWS>,
}

/// Volumes of each symbol against the ones before.
#[derive(Debug)]
pub(super) struct Volumes {
    past: Vec<Past>,
}

impl Volumes {
    pub(super) fn new(n_symbols: usize) -> Self {
        let nothing = Past { envelope: f64::INFINITY, volumes: LastValues::EMPTY };
        Self { past: vec![nothing; n_symbols] }
    }

    pub(super) fn push(&mut self, rows: &Rows, facts: &ReadFacts, ledger: &mut Ledger) {
        let n = rows.len();
        let (assets, volume) = (&rows.assets[..n], &rows.columns[VOLUME][..n]);
        for i in 0..n {
            let traded = volume[i];
            let past = &mut self.past[assets[i] as usize];
            if traded > past.envelope * LOOK {
                look(past, rows, i, facts, ledger);
            }
            if traded > 0.0 {
                past.envelope = traded.min(past.envelope * ENVELOPE);
                past.volumes.push(traded);
            }
        }
    }
}

#[cold]
fn look(past: &Past, rows: &Rows, i: usize, facts: &ReadFacts, ledger: &mut Ledger) {
    let Some((n, median)) = past.volumes.median(MEDIAN_FROM) else { return };
    let volume = rows.columns[VOLUME][i];
    if volume > SPIKE * median {
        let rule = Rule {
            severity: Severity::Warning,
            code: "D206",
            column: "volume",
            message: "volumes above 1,000 times the median of the 50 before",
            fix: "compare the rows with another source; caps and costs by volume trust them",
        };
        ledger.row(&rule, facts.symbol(rows.assets[i]), rows.place(i), || {
            let values = format!("volume {volume}, median of the {n} before {median}");
            facts.offender_in(rows, i, values, "volumes stay below 1,000 medians")
        });
    }
}
