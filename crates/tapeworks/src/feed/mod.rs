//! Market slices in time order, each value stamped with when it was knowable.
//!
//! In: asset data (bars with extra columns), signals and context as tables. Out: [`MarketChunk`]s,
//! time-major and ragged, for the engine to walk.
//!
//! - [`DataFeed`] names the tables and columns; [`DataFeed::open`] gives an [`OpenFeed`] that
//!   decodes on its own thread while the engine walks the chunk before.
//! - [`MemoryFeed`] holds chunks in memory, to be walked as often as wanted.
//! - [`availability`] says from when on a row may be seen, [`lag`] how much later or how long.
//! - [`check_signals`] checks signals as a run would join them.
//! - [`as_of`] joins signals and context: among rows with `available_at <= T` the newest one.
//!
//! Invariants: no value is handed out at a timestamp before the instant at which it was available
//! (checked on every match, `L101`); memory holds at most three chunks; results do not depend on
//! how the data was cut into batches or chunks.

pub mod as_of;
pub mod availability;
pub mod check_signals;
pub mod chunk;
pub mod chunk_limit;
pub mod columns;
pub mod data_feed;
pub mod lag;
pub mod memory;
pub mod open_feed;
pub mod row_column;

pub use as_of::{JoinCounts, SignalFill};
pub use availability::Availability;
pub use check_signals::{SignalUse, check_signals};
pub use chunk::{ChunkSource, FeedClock, Layout, MarketChunk};
pub use chunk_limit::ChunkLimit;
pub use data_feed::{ContextSource, DataFeed, SignalSource, check_adjustment};
pub use lag::Lag;
pub use memory::MemoryFeed;
pub use open_feed::OpenFeed;
pub use row_column::{PRICES, RowColumn};
