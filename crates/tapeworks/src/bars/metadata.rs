//! Span, step and terms of bars, told from their rows.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use rustc_hash::FxHashMap;

use super::table::{Bars, NO_START};
use crate::base::{Adjustment, AssetId, Step};

/// Distinct distances of a symbol that are counted; more of them are no step.
const N_DISTANCES_MAX: usize = 4_096;

/// What bars are, computed from their rows and never taken from what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// The symbols that have rows, ascending.
    pub symbols: Vec<String>,
    /// The least start time; the first timestamp where starts are not known. ns UTC.
    pub start: Option<i64>,
    /// The last timestamp, ns UTC.
    pub end: Option<i64>,
    /// Rows.
    pub n_rows: usize,
    /// How far apart the bars of a symbol are; absent when no symbol has two.
    pub freq: Option<Frequency>,
    /// The zone of dates.
    pub tz: String,
    /// The name of the calendar.
    pub calendar: Option<String>,
    /// What the prices are said to be.
    pub adjustment: Option<Adjustment>,
}

/// How far apart the bars of a symbol are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// Usually so far.
    Every(Step),
    /// No distance makes a tenth of them: bars that close by what was traded.
    Event,
    /// Symbols differ: none of the others makes nine tenths of the rows.
    Mixed,
}

/// `5m`, `1d`, `event` or `mixed`.
impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(step) => step.fmt(f),
            Self::Event => f.write_str("event"),
            Self::Mixed => f.write_str("mixed"),
        }
    }
}

impl Bars {
    /// What the rows say of themselves; computed by the first call.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        self.made.metadata.get_or_init(|| {
            let known = self.starts.iter().flat_map(|starts| starts.iter().copied());
            let start = known.filter(|start| *start != NO_START).min();
            Metadata {
                symbols: self
                    .present()
                    .iter()
                    .map(|id| self.symbols.name(*id).to_owned())
                    .collect(),
                start: start.or_else(|| self.timestamps.first().copied()),
                end: self.timestamps.last().copied(),
                n_rows: self.len(),
                freq: common(&self.distances()),
                tz: self.terms.tz.clone(),
                calendar: self.terms.calendar.as_ref().map(|known| known.name().to_owned()),
                adjustment: self.terms.adjustment,
            }
        })
    }

    /// The ids that have rows, ascending.
    pub(super) fn present(&self) -> &[AssetId] {
        self.made.present.get_or_init(|| {
            let mut is_seen = vec![false; self.symbols.len()];
            let mut left = is_seen.len();
            for &asset in &self.assets {
                if left == 0 {
                    break;
                }
                let seen = &mut is_seen[asset as usize];
                left -= usize::from(!*seen);
                *seen = true;
            }
            let seen = (0..).map(AssetId).zip(is_seen).filter(|(_, seen)| *seen);
            seen.map(|(asset, _)| asset).collect()
        })
    }

    /// The distances between the rows of each symbol, by id.
    pub(super) fn distances(&self) -> Vec<Distances> {
        let mut all = vec![Distances::default(); self.symbols.len()];
        for (&now, &asset) in self.timestamps.iter().zip(&self.assets) {
            all[asset as usize].push(now);
        }
        for one in &mut all {
            one.note();
        }
        all
    }
}

/// Distances between the rows of one symbol.
#[derive(Debug, Clone, Default)]
pub(super) struct Distances {
    last: Option<i64>,
    /// The distance in hand, and how often it came in a row.
    run: (i64, u64),
    counts: FxHashMap<i64, u64>,
    n: u64,
}

impl Distances {
    fn push(&mut self, now: i64) {
        if let Some(last) = self.last.replace(now) {
            self.n += 1;
            let distance = now - last;
            if distance != self.run.0 {
                self.note();
                self.run = (distance, 0);
            }
            self.run.1 += 1;
        }
    }

    fn note(&mut self) {
        let (distance, n) = std::mem::take(&mut self.run);
        if n > 0 && (self.counts.len() < N_DISTANCES_MAX || self.counts.contains_key(&distance)) {
            *self.counts.entry(distance).or_default() += n;
        }
    }

    /// The most frequent step, that of months taken together, the smaller one on a tie.
    pub(super) fn frequency(&self) -> Option<Frequency> {
        let mut steps: BTreeMap<i64, (Step, u64)> = BTreeMap::new();
        for (&distance, &n) in &self.counts {
            let step = Step::of_spacing(distance);
            steps.entry(step.about_ns()).or_insert((step, 0)).1 += n;
        }
        let most = steps.iter().max_by_key(|&(about, (_, n))| (*n, Reverse(*about)));
        let (_, &(step, n)) = most?;
        Some(if n.saturating_mul(10) < self.n { Frequency::Event } else { Frequency::Every(step) })
    }
}

/// The frequency of nearly all distances.
fn common(symbols: &[Distances]) -> Option<Frequency> {
    let mut votes: Vec<(Frequency, u64)> = Vec::new();
    for symbol in symbols {
        let Some(frequency) = symbol.frequency() else { continue };
        match votes.iter_mut().find(|(known, _)| *known == frequency) {
            Some((_, n)) => *n += symbol.n,
            None => votes.push((frequency, symbol.n)),
        }
    }
    let all: u64 = votes.iter().map(|(_, n)| n).sum();
    let (frequency, n) = votes.into_iter().max_by_key(|(_, n)| *n)?;
    Some(if n.saturating_mul(10) < all.saturating_mul(9) { Frequency::Mixed } else { frequency })
}
