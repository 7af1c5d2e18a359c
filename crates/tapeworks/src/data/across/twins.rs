//! Two symbols with one series, also shifted in time (`D403`).
//!
//! Of every eight consecutive closes of a symbol a hash is taken, and the least hashes are kept.
//! Which ones these are does not depend on when the closes came, so that equal series keep equal
//! hashes and different ones share none.

use std::collections::BTreeMap;

use super::super::lane::ReadFacts;
use super::super::ledger::{Ledger, Rule};
use super::super::merge::Rows;
use super::super::report::Severity;

const N_CLOSES: usize = 8;
const N_HASHES: usize = 16;
/// Common hashes from which two series are called one.
const N_COMMON: usize = 12;
/// Closes in a window that have to differ, so that still prices are no series.
const N_CHANGES: u32 = 3;
const CLOSE: usize = 3;

#[derive(Debug, Clone)]
struct Sketch {
    closes: [u64; N_CLOSES],
    n: u32,
    /// Bit k is set when the close k rows back differed from the one before it.
    changes: u8,
    /// Ascending, at most [`N_HASHES`].
    hashes: Vec<u64>,
}

/// The least hashes of each symbol.
#[derive(Debug)]
pub(super) struct Twins {
    sketches: Vec<Sketch>,
}

impl Twins {
    pub(super) fn new(n_symbols: usize) -> Self {
        let nothing = Sketch { closes: [0; N_CLOSES], n: 0, changes: 0, hashes: Vec::new() };
        Self { sketches: vec![nothing; n_symbols] }
    }

    pub(super) fn push(&mut self, rows: &Rows) {
        for (&asset, &close) in rows.assets.iter().zip(&rows.columns[CLOSE]) {
            let sketch = &mut self.sketches[asset as usize];
            let bits = close.to_bits();
            let at = sketch.n as usize % N_CLOSES;
            let before = sketch.closes[(at + N_CLOSES - 1) % N_CLOSES];
            sketch.changes = (sketch.changes << 1) | u8::from(bits != before);
            sketch.closes[at] = bits;
            sketch.n += 1;
            if (sketch.n as usize) < N_CLOSES || sketch.changes.count_ones() < N_CHANGES {
                continue;
            }
            let (newer, older) = sketch.closes.split_at(at + 1);
            let hash = older.iter().chain(newer).fold(0, |hash, bits| mixed(hash ^ bits));
            sketch.keep(hash);
        }
    }

    pub(super) fn finish(&mut self, facts: &ReadFacts, ledger: &mut Ledger) {
        let mut owners: Vec<(u64, u32)> = (0_u32..)
            .zip(&self.sketches)
            .flat_map(|(asset, sketch)| sketch.hashes.iter().map(move |hash| (*hash, asset)))
            .collect();
        owners.sort_unstable();
        // Each is compared with the first of its kind alone, so that a thousand equal series are
        // a thousand pairs and not half a million.
        let mut common: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        for same in owners.chunk_by(|a, b| a.0 == b.0) {
            for other in &same[1..] {
                *common.entry((same[0].1, other.1)).or_default() += 1;
            }
        }
        let n_hashes = |asset: u32| self.sketches[asset as usize].hashes.len();
        for ((a, b), n) in common {
            let needed = N_COMMON.min(n_hashes(a).max(n_hashes(b)));
            if n < needed {
                continue;
            }
            let (a, b) = (facts.symbol(a), facts.symbol(b));
            let message = format!("{a} and {b} have the same series of closes, perhaps shifted");
            let column = format!("close ({a}, {b})");
            let rule = Rule {
                severity: Severity::Warning,
                code: "D403",
                column: &column,
                message: &message,
                fix: "keep one of them: two names of one instrument, or one file written twice",
            };
            ledger.count(&rule, 1);
        }
    }
}

impl Sketch {
    fn keep(&mut self, hash: u64) {
        let is_full = self.hashes.len() == N_HASHES;
        if is_full && self.hashes.last().is_some_and(|last| *last <= hash) {
            return;
        }
        if let Err(at) = self.hashes.binary_search(&hash) {
            self.hashes.insert(at, hash);
            self.hashes.truncate(N_HASHES);
        }
    }
}

/// A bijection that spreads its bits (the finaliser of splitmix64).
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
