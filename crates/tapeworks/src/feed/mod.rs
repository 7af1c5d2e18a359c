//! Market slices in time order.

pub mod chunk;

pub use chunk::{ChunkSource, Layout, MarketChunk};
