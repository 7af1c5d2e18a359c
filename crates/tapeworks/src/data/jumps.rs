//! Jumps of the close from one row of a symbol to the next (`D207`).

use super::block::Block;
use super::lane::ReadFacts;
use super::report::{Ledger, Rule, Severity};

/// exp(0.4) and its inverse: closes that move by more in one row are looked at.
const RISE: f64 = 1.491_824_697_641_270_3;
const FALL: f64 = 0.670_320_046_035_639_3;
const CLOSE: usize = 3;

/// The last close of each symbol of a lane; ids start at `first`, so that a lane of one symbol
/// holds one number.
#[derive(Debug, Default)]
pub(crate) struct Jumps {
    first: usize,
    closes: Vec<f64>,
}

impl Jumps {
    /// Warns about rows whose close moved by more than 0.4 in log terms.
    pub(crate) fn check(&mut self, block: &Block, facts: &ReadFacts, ledger: &mut Ledger) {
        self.cover(block);
        let close = &block.columns[CLOSE];
        for (i, (&asset, &price)) in block.assets.iter().zip(close.iter()).enumerate() {
            let Some(last) = self.closes.get_mut((asset as usize).wrapping_sub(self.first)) else {
                continue;
            };
            let before = *last;
            if price > before * RISE || price < before * FALL {
                let rule = Rule {
                    severity: Severity::Warning,
                    code: "D207",
                    column: "close",
                    message: "the close jumps: a split that is not adjusted, or a wrong price",
                    fix: "adjust the prices for splits, or correct the rows",
                };
                ledger.row(&rule, facts.symbol(asset), || {
                    let values = format!("close {before} then {price}");
                    facts.offender(block, i, values, "closes move by less than 0.4 in log terms")
                });
            }
            if price > 0.0 {
                *last = price;
            }
        }
    }

    fn cover(&mut self, block: &Block) {
        let n_symbols = super::cast::NAMELESS;
        let (low, high) = block
            .assets
            .iter()
            .filter(|a| **a < n_symbols)
            .fold((u32::MAX, 0), |(low, high), a| (low.min(*a), high.max(*a)));
        if low > high {
            return;
        }
        let (low, high) = (low as usize, high as usize);
        if self.closes.is_empty() {
            self.first = low;
        }
        if low < self.first {
            let missing = vec![f64::NAN; self.first - low];
            self.closes.splice(0..0, missing);
            self.first = low;
        }
        let n = (high + 1 - self.first).max(self.closes.len());
        self.closes.resize(n, f64::NAN);
    }
}
