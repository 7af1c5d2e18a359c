//! All rows of one timestamp, as borrowed columns.

use std::ops::Range;
use std::sync::Arc;

use crate::base::AssetId;
use crate::feed::MarketChunk;

/// The rows of one timestamp of a chunk.
///
/// Shape: each column has [`Slice::len`] values, one a row, in the order of [`Slice::assets`]
/// (ascending ids). Missing: NaN; a symbol without a row is absent.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    chunk: &'a Arc<MarketChunk>,
    t: usize,
}

impl<'a> Slice<'a> {
    /// Timestamp number `t` of a chunk.
    #[must_use]
    #[inline]
    pub fn new(chunk: &'a Arc<MarketChunk>, t: usize) -> Self {
        Self { chunk, t }
    }

    /// The instant at which the rows are known (ns UTC).
    #[must_use]
    #[inline]
    pub fn timestamp(&self) -> i64 {
        self.chunk.timestamps[self.t]
    }

    /// How many rows the timestamp has.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.rows().len()
    }

    /// Whether the timestamp has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows().is_empty()
    }

    /// The place of the rows in the chunk's columns.
    #[must_use]
    #[inline]
    pub fn rows(&self) -> Range<usize> {
        self.chunk.offsets[self.t] as usize..self.chunk.offsets[self.t + 1] as usize
    }

    /// The chunk, for holders that outlive the slice.
    #[must_use]
    pub fn chunk(&self) -> &'a Arc<MarketChunk> {
        self.chunk
    }

    /// The number of this timestamp in its chunk.
    #[must_use]
    pub fn t(&self) -> usize {
        self.t
    }

    /// Asset id of each row, ascending.
    #[must_use]
    #[inline]
    pub fn assets(&self) -> &'a [u32] {
        &self.chunk.assets[self.rows()]
    }

    /// First prices.
    #[must_use]
    #[inline]
    pub fn open(&self) -> &'a [f64] {
        &self.chunk.open[self.rows()]
    }

    /// Highest prices.
    #[must_use]
    #[inline]
    pub fn high(&self) -> &'a [f64] {
        &self.chunk.high[self.rows()]
    }

    /// Lowest prices.
    #[must_use]
    #[inline]
    pub fn low(&self) -> &'a [f64] {
        &self.chunk.low[self.rows()]
    }

    /// Last prices.
    #[must_use]
    #[inline]
    pub fn close(&self) -> &'a [f64] {
        &self.chunk.close[self.rows()]
    }

    /// Units traded; NaN where unknown.
    #[must_use]
    #[inline]
    pub fn volume(&self) -> &'a [f64] {
        &self.chunk.volume[self.rows()]
    }

    /// A signal column by its place in the layout.
    #[must_use]
    #[inline]
    pub fn signal(&self, idx: usize) -> &'a [f64] {
        &self.chunk.signals[idx][self.rows()]
    }

    /// An indicator column by its place in the layout.
    #[must_use]
    #[inline]
    pub fn indicator(&self, idx: usize) -> &'a [f64] {
        &self.chunk.indicators[idx][self.rows()]
    }

    /// A context value by its place in the layout.
    #[must_use]
    #[inline]
    pub fn context(&self, idx: usize) -> f64 {
        self.chunk.context[idx][self.t]
    }

    /// The row of an asset, when it has one here: an index into the columns above.
    #[must_use]
    pub fn row_of(&self, asset: AssetId) -> Option<usize> {
        self.assets().binary_search(&asset.0).ok()
    }
}
