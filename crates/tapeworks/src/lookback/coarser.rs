//! Bars of a longer step out of the rows of a run, completed ones only.

use crate::base::calendar::Windows;
use crate::base::time::DAY_NS;
use crate::base::{AssetId, Rescale, Result};
use crate::feed::{Layout, MarketChunk, RowColumn};

use super::restated::Rescales;

/// The last bars of a symbol, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct CoarserBars {
    /// Ends of the windows, ns UTC.
    pub timestamps: Vec<i64>,
    /// A column each of [`Layout::row_columns`], in that order; NaN is missing.
    pub columns: Vec<Vec<f64>>,
}

/// The bars of one asset; the newest may still be open.
#[derive(Debug, Clone, Default)]
struct AssetBars {
    /// End of the window of each bar.
    ends: Vec<i64>,
    columns: Vec<Vec<f64>>,
    /// Bars at the front that may lack their first rows.
    n_partial: usize,
}

/// Puts rows together by windows, for every symbol.
pub(super) struct Coarser {
    windows: Windows,
    /// Added to stamps before they are looked up: 1 where stamps are the dates of their rows.
    shift: i64,
    columns: Vec<RowColumn>,
    assets: Vec<AssetBars>,
    /// The first timestamp of the present chunk that was not looked at.
    next: usize,
    leaves_first_out: bool,
}

impl Coarser {
    pub(super) fn new(windows: Windows, shift: i64, layout: &Layout, n_symbols: usize) -> Self {
        let columns: Vec<RowColumn> = layout.row_columns().map(|(_, column)| column).collect();
        let empty = AssetBars { columns: vec![Vec::new(); columns.len()], ..AssetBars::default() };
        Self {
            windows,
            shift,
            columns,
            assets: vec![empty; n_symbols],
            next: 0,
            leaves_first_out: false,
        }
    }

    /// Rows before the first one that is pushed have been let go, so a first bar may lack some.
    pub(super) fn leave_first_out(&mut self) {
        self.leaves_first_out = true;
    }

    /// The next rows are those of another chunk.
    pub(super) fn begin_chunk(&mut self) {
        self.next = 0;
    }

    /// Takes the rows of the chunk before timestamp number `end`, those that were not taken yet.
    pub(super) fn push(
        &mut self,
        chunk: &MarketChunk,
        end: usize,
        rescales: &Rescales,
    ) -> Result<()> {
        for t in self.next..end {
            let stamp = chunk.timestamps[t];
            let Some(window) = self.windows.of(stamp.saturating_add(self.shift))? else {
                continue;
            };
            for row in chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize {
                let asset = AssetId(chunk.assets[row]);
                let factors = rescales.factors(asset, stamp);
                let bars = &mut self.assets[asset.index()];
                let is_new = bars.ends.last() != Some(&window.end);
                if is_new {
                    if bars.ends.is_empty() && self.leaves_first_out {
                        bars.n_partial = 1;
                    }
                    bars.ends.push(window.end);
                }
                for (of, column) in self.columns.iter().zip(&mut bars.columns) {
                    let value = of.of(chunk)[row] * of.factor(factors);
                    if is_new {
                        column.push(value);
                    } else {
                        let so_far = column.last_mut().expect("a bar has a value in each column");
                        *so_far = together(*of, *so_far, value);
                    }
                }
            }
        }
        self.next = end.max(self.next);
        Ok(())
    }

    /// Restates every bar of a symbol.
    pub(super) fn rescale(&mut self, rescale: &Rescale) {
        let bars = &mut self.assets[rescale.asset.index()];
        for (of, column) in self.columns.iter().zip(&mut bars.columns) {
            let factor = of.factor((rescale.price, rescale.volume));
            for value in column {
                *value *= factor;
            }
        }
    }

    /// Where the bars of an asset that are complete at `now` are.
    fn complete(&self, asset: AssetId, now: i64) -> std::ops::Range<usize> {
        let bars = &self.assets[asset.index()];
        // Windows end in order, and only the newest can end after now.
        // A row of a date reaches to the end of that date.
        let reached = now.saturating_add(self.shift * DAY_NS);
        let is_open = bars.ends.last().is_some_and(|end| *end > reached);
        let end = bars.ends.len() - usize::from(is_open);
        bars.n_partial.min(end)..end
    }

    /// How many bars of an asset are complete at `now`.
    pub(super) fn n_complete(&self, asset: AssetId, now: i64) -> usize {
        self.complete(asset, now).len()
    }

    /// The last `length` of them; there must be as many.
    pub(super) fn last(&self, asset: AssetId, now: i64, length: usize) -> CoarserBars {
        let end = self.complete(asset, now).end;
        let bars = &self.assets[asset.index()];
        let range = end - length..end;
        CoarserBars {
            timestamps: bars.ends[range.clone()].to_vec(),
            columns: bars.columns.iter().map(|column| column[range.clone()].to_vec()).collect(),
        }
    }
}

/// A bar so far and the next of its rows. A row without prices is passed over, a missing volume
/// makes the sum missing.
fn together(column: RowColumn, so_far: f64, next: f64) -> f64 {
    match column {
        RowColumn::Price(0) if so_far.is_nan() => next,
        RowColumn::Price(0) => so_far,
        RowColumn::Price(1) => so_far.max(next),
        RowColumn::Price(2) => so_far.min(next),
        RowColumn::Price(3) if next.is_nan() => so_far,
        RowColumn::Price(3) | RowColumn::Signal(_) | RowColumn::Indicator(_) => next,
        RowColumn::Price(_) => so_far + next,
    }
}
