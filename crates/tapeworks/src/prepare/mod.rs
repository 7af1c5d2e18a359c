//! Data of a run written down: prices as the spine, signals and context joined as of each row,
//! indicators computed.
//!
//! - [`indicators`]: figures of one symbol's bars, streamed.

pub mod indicators;

pub use indicators::{INDICATORS, IndicatorSet, IndicatorSpec};
