//! The rows a strategy has already seen, kept so that it can look back.

use std::collections::VecDeque;
use std::sync::Arc;

use tapeworks::base::{AssetId, Rescale};
use tapeworks::feed::MarketChunk;

/// Chunks up to the present one, the oldest dropped when there are more rows than wanted.
#[derive(Default)]
pub struct History {
    chunks: VecDeque<Kept>,
    n_rows: usize,
    n_dropped: usize,
}

/// Corporate actions that restate the rows before them: when, and by how much.
#[derive(Clone, Default)]
pub struct Rescales(Vec<(i64, Rescale)>);

struct Kept {
    chunk: Arc<MarketChunk>,
    /// Rows of each asset, one asset after the other; made when the chunk is first looked into.
    rows: Option<ByAsset>,
}

struct ByAsset {
    offsets: Vec<u32>,
    rows: Vec<u32>,
}

/// Where a completed row is.
pub struct Place<'a> {
    pub chunk: &'a MarketChunk,
    pub row: usize,
}

impl Rescales {
    /// Restates the rows before `now`.
    pub fn push(&mut self, now: i64, rescale: &Rescale) {
        self.0.push((now, *rescale));
    }

    /// The factors of prices and of volumes of a row of an asset, as of the present.
    pub fn factors(&self, asset: AssetId, timestamp: i64) -> (f64, f64) {
        let later = self.0.iter().filter(|(at, one)| one.asset == asset && *at > timestamp);
        later.fold((1.0, 1.0), |(price, volume), (_, one)| (price * one.price, volume * one.volume))
    }
}

impl History {
    /// Adds the chunk that the run has reached; keeps at most `max_rows` rows of older ones.
    pub fn push(&mut self, chunk: &Arc<MarketChunk>, max_rows: usize) {
        self.n_rows += chunk.n_rows();
        self.chunks.push_back(Kept { chunk: Arc::clone(chunk), rows: None });
        while self.chunks.len() > 1 && self.n_rows > max_rows {
            let gone = self.chunks.pop_front().map_or(0, |kept| kept.chunk.n_rows());
            self.n_rows -= gone;
            self.n_dropped += gone;
        }
    }

    /// Rows that were let go to keep memory bounded.
    pub fn n_dropped(&self) -> usize {
        self.n_dropped
    }

    /// The last `length` rows of an asset up to timestamp `t` of the present chunk, oldest first;
    /// fewer when there are fewer.
    pub fn last(
        &mut self,
        asset: AssetId,
        length: usize,
        t: usize,
        n_symbols: usize,
    ) -> Vec<Place<'_>> {
        let mut left = length;
        let mut parts: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
        for i in (0..self.chunks.len()).rev() {
            if left == 0 {
                break;
            }
            let newest = i + 1 == self.chunks.len();
            let kept = &mut self.chunks[i];
            let by_asset =
                kept.rows.get_or_insert_with(|| ByAsset::new(&kept.chunk.assets, n_symbols));
            let start = by_asset.offsets[asset.index()] as usize;
            let mut end = by_asset.offsets[asset.index() + 1] as usize;
            if newest {
                let seen = kept.chunk.offsets[t + 1];
                end = start + by_asset.rows[start..end].partition_point(|row| *row < seen);
            }
            let from = end - left.min(end - start);
            left -= end - from;
            parts.push((i, from..end));
        }
        let mut places = Vec::with_capacity(length - left);
        for (i, range) in parts.into_iter().rev() {
            let kept = &self.chunks[i];
            let rows = &kept.rows.as_ref().expect("made above").rows[range];
            places.extend(rows.iter().map(|row| Place { chunk: &kept.chunk, row: *row as usize }));
        }
        places
    }
}

impl ByAsset {
    fn new(assets: &[u32], n_symbols: usize) -> Self {
        let mut offsets = vec![0_u32; n_symbols + 1];
        for asset in assets {
            offsets[*asset as usize + 1] += 1;
        }
        for i in 0..n_symbols {
            offsets[i + 1] += offsets[i];
        }
        let mut next = offsets.clone();
        let mut rows = vec![0_u32; assets.len()];
        for (row, asset) in (0_u32..).zip(assets) {
            let place = &mut next[*asset as usize];
            rows[*place as usize] = row;
            *place += 1;
        }
        Self { offsets, rows }
    }
}
