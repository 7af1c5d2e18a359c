//! The data of a run written down: prices as the spine, signals and context joined as of each row,
//! indicators computed.
//!
//! In: tables. Out: asset data, one row a row of prices, and context data, one row a timestamp, as
//! Parquet that [`crate::feed::DataFeed`] reads back to the same run.
//!
//! - [`preparer`]: [`DataPreparer`], what is joined with what.
//! - [`save`]: the walk over a feed, the checks on the result, the commit.
//! - [`options`]: where the result goes and in which shape.
//! - [`universe`]: who was a member when.
//! - `part_file`, `asset_output`, `metadata`: rows to files of fixed shape.
//! - [`report`]: what was joined, found and written.
//!
//! Invariants: rows and timestamps of the prices are kept; the rule of the join is that of the
//! feed, which is what walks the tables; nothing is filled; files appear whole or not at all; the
//! same inputs give the same bytes, however the data were cut into batches; memory holds a row
//! group a file that is open and the tables beside the prices, never the prices.

pub mod options;
pub mod preparer;
pub mod report;
pub mod save;
pub mod universe;

mod asset_output;
mod metadata;
mod part_file;

pub use crate::indicators::{INDICATORS, IndicatorSet, IndicatorSpec};
pub use options::{Compression, PartitionBy, SaveOptions};
pub use preparer::{ContextTerms, DataPreparer, SignalTerms};
pub use report::{JoinReport, PrepareReport, PreparedFile};
pub use save::Progress;
pub use universe::Universe;
