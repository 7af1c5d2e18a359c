//! The rows of the present timestamp, found by asset.

use crate::base::AssetId;
use crate::broker::{Bar, Quotes};
use crate::feed::MarketChunk;

/// Where each asset's row of the present timestamp lies.
#[derive(Debug, Clone, Default)]
pub(super) struct RowMap {
    /// Row in the chunk, valid where `stamp` is the present one.
    row: Vec<u32>,
    stamp: Vec<u32>,
    present: u32,
    /// First row of the timestamp.
    start: usize,
    /// Every asset has a row, so an asset's row is `start + id`.
    is_complete: bool,
}

/// The rows of the present timestamp, for the broker.
pub(super) struct Present<'a> {
    pub chunk: &'a MarketChunk,
    pub rows: &'a RowMap,
    /// Number of the timestamp in the chunk.
    pub t: usize,
}

impl Quotes for Present<'_> {
    #[expect(clippy::inline_always, reason = "a sixth of a run was the call; measured")]
    #[inline(always)]
    fn tradable(&self, asset: AssetId) -> Option<Bar> {
        let row = self.rows.row_of(asset)?;
        let bar = Bar {
            open: self.chunk.open[row],
            high: self.chunk.high[row],
            low: self.chunk.low[row],
            close: self.chunk.close[row],
            volume: self.chunk.volume[row],
        };
        bar.is_tradable().then_some(bar)
    }

    #[inline]
    fn bar(&self, asset: AssetId) -> Option<Bar> {
        let row = self.rows.row_of(asset)?;
        Some(Bar {
            open: self.chunk.open[row],
            high: self.chunk.high[row],
            low: self.chunk.low[row],
            close: self.chunk.close[row],
            volume: self.chunk.volume[row],
        })
    }

    fn value(&self, asset: AssetId, column: usize) -> f64 {
        let n_signals = self.chunk.signals.len();
        let n_row_values = n_signals + self.chunk.indicators.len();
        if column >= n_row_values {
            return self.chunk.context[column - n_row_values][self.t];
        }
        let Some(row) = self.rows.row_of(asset) else { return f64::NAN };
        if column < n_signals {
            self.chunk.signals[column][row]
        } else {
            self.chunk.indicators[column - n_signals][row]
        }
    }

    #[inline]
    fn range(&self, asset: AssetId) -> Option<(f64, f64)> {
        let row = self.rows.row_of(asset)?;
        Some((self.chunk.low[row], self.chunk.high[row]))
    }
}

impl RowMap {
    /// A map over `n_assets` assets, before the first timestamp.
    pub fn new(n_assets: usize) -> Self {
        Self { row: vec![0; n_assets], stamp: vec![0; n_assets], ..Self::default() }
    }

    /// The chunk's row of an asset at the present timestamp.
    #[inline]
    pub fn row_of(&self, asset: AssetId) -> Option<usize> {
        if self.is_complete {
            return Some(self.start + asset.index());
        }
        (self.stamp[asset.index()] == self.present).then(|| self.row[asset.index()] as usize)
    }

    /// Moves to timestamp `t` of a chunk.
    pub fn point_to(&mut self, chunk: &MarketChunk, t: usize) {
        let (start, end) = (chunk.offsets[t], chunk.offsets[t + 1]);
        self.start = start as usize;
        // Ids are unique and ascending in a slice, so as many rows as assets means all of them.
        self.is_complete = (end - start) as usize == self.row.len();
        if self.is_complete {
            return;
        }
        self.present = self.present.checked_add(1).expect("fewer than 2^32 timestamps");
        for row in start..end {
            let asset = chunk.assets[row as usize] as usize;
            self.row[asset] = row;
            self.stamp[asset] = self.present;
        }
    }
}

/// Rows of a chunk in which nothing can fill.
pub(super) fn count_untradable(chunk: &MarketChunk) -> u64 {
    let n = chunk.n_rows();
    // Slices of one known length, so that the loop needs no checks and runs on vectors.
    let (open, high) = (&chunk.open[..n], &chunk.high[..n]);
    let (low, close) = (&chunk.low[..n], &chunk.close[..n]);
    let volume = &chunk.volume[..n];
    let mut n_untradable = 0;
    for row in 0..n {
        let bar = Bar {
            open: open[row],
            high: high[row],
            low: low[row],
            close: close[row],
            volume: volume[row],
        };
        n_untradable += u64::from(!bar.is_tradable());
    }
    n_untradable
}
