//! What a strategy may look back on: windows of completed rows, coarser bars, running indicators.
//!
//! In: the chunks of a feed and the timestamp that the run has reached. Out: the last rows of a
//! symbol as columns, without copying them one by one.
//!
//! - [`Lookback`]: the rows up to now, and how far back they are kept.
//! - `symbol_major`: a column of a chunk, symbol after symbol, so that a window is a slice of it.
//! - `by_asset`: which rows of a chunk are whose.
//! - `restated`: the past in the units of now, where corporate actions restate it.
//! - `coarser`: bars of a longer step, completed ones only.
//!
//! Invariants: nothing of a row after now is handed out, neither its values nor a slice from which
//! they could be reached; a window is the same whatever the chunks; memory is bounded by the rows
//! that are kept.

mod by_asset;
mod coarser;
mod restated;
mod rows;
mod symbol_major;

pub use coarser::CoarserBars;
pub use rows::{Lookback, LookbackTerms, PastColumn, PastRows};
