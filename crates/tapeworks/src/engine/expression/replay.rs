//! The rows that windows look back to, kept so that a corporate action can restate them.
//!
//! A window over prices from before a split compares other units with the present ones. No factor
//! repairs the state of an arbitrary expression (`ts_mean(log(close), 20)`), so its windows are
//! filled anew from the restated rows; that happens once an action, and only for its symbol.

use std::collections::VecDeque;

use super::{Operand, RowProgram, Step};
use crate::base::Rescale;
use crate::feed::MarketChunk;

/// Open, high, low, close, volume.
const PRICES: usize = 5;

/// The last rows of each asset: prices, volume, and the columns that ride along.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    rows: usize,
    n_signals: usize,
    n_indicators: usize,
    by_asset: Vec<VecDeque<Box<[f64]>>>,
}

impl Kept {
    pub(super) fn push(&mut self, chunk: &MarketChunk, t: usize) {
        (self.n_signals, self.n_indicators) = (chunk.signals.len(), chunk.indicators.len());
        let rows = chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize;
        for row in rows {
            let asset = chunk.assets[row] as usize;
            if asset >= self.by_asset.len() {
                self.by_asset.resize(asset + 1, VecDeque::new());
            }
            let kept = &mut self.by_asset[asset];
            let prices = [&chunk.open, &chunk.high, &chunk.low, &chunk.close, &chunk.volume];
            let columns = chunk.signals.iter().chain(&chunk.indicators);
            let of_row = prices.into_iter().chain(columns).map(|column| column[row]);
            let values = of_row.chain(chunk.context.iter().map(|column| column[t])).collect();
            if kept.len() == self.rows {
                kept.pop_front();
            }
            kept.push_back(values);
        }
    }
}

impl RowProgram {
    /// Keeps the rows that [`RowProgram::rescale`] needs; call it before the first row.
    pub fn keep_rows(&mut self) {
        let rows = self.lookback();
        if rows > 0 {
            self.kept = Some(Kept { rows, n_signals: 0, n_indicators: 0, by_asset: Vec::new() });
        }
    }

    /// Restates the earlier prices and volumes of an asset, after
    /// [`RowProgram::keep_rows`]: later values are those of a program that has only seen the
    /// restated rows. Signals, indicators and context stay as they were given.
    pub fn rescale(&mut self, rescale: &Rescale) {
        let Some(kept) = &mut self.kept else { return };
        let (n_signals, n_indicators) = (kept.n_signals, kept.n_indicators);
        let asset = rescale.asset;
        let Some(rows) = kept.by_asset.get_mut(asset.index()) else { return };
        for values in rows.iter_mut() {
            for price in &mut values[..PRICES - 1] {
                *price *= rescale.price;
            }
            values[PRICES - 1] *= rescale.volume;
        }
        let column = |at: usize| rows.iter().map(|values| values[at]).collect::<Vec<f64>>();
        let n = u32::try_from(rows.len()).expect("a window has fewer than 2^32 rows");
        let width = rows.front().map_or(PRICES, |values| values.len());
        let group = |from: usize, to: usize| (from..to.min(width)).map(&column).collect();
        let indicators_from = PRICES + n_signals;
        let context_from = indicators_from + n_indicators;
        // Every row is a timestamp of its own.
        let chunk = MarketChunk {
            timestamps: (0..i64::from(n)).collect(),
            offsets: (0..=n).collect(),
            assets: vec![asset.0; rows.len()],
            open: column(0),
            high: column(1),
            low: column(2),
            close: column(3),
            volume: column(4),
            signals: group(PRICES, indicators_from),
            indicators: group(indicators_from, context_from),
            context: group(context_from, width),
        };
        for node in &mut self.nodes {
            if let Step::Series(_, series) = &mut node.step {
                series.forget(asset.index());
            }
        }
        let mut out = Vec::new();
        for t in 0..chunk.timestamps.len() {
            self.evaluate_at(&chunk, t, &mut out);
        }
    }

    /// The most rows before the present one that a value depends on.
    fn lookback(&self) -> usize {
        let mut depths: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let depth = |operand: &Operand| match operand {
                Operand::Node(idx) => depths[*idx],
                _ => 0,
            };
            depths.push(match &node.step {
                Step::Map(_, x) => depth(x),
                Step::Zip(_, a, b) => depth(a).max(depth(b)),
                Step::Choose { condition, yes, no } => {
                    depth(condition).max(depth(yes)).max(depth(no))
                }
                Step::Series(x, series) => depth(x) + series.lookback(),
            });
        }
        depths.into_iter().max().unwrap_or(0)
    }
}
