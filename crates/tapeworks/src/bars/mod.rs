//! Bars as an object: rows of many symbols in time order, kept as columns, with what is known of
//! them.
//!
//! - [`table`]: the columns, and parts of them without copying; `of_rows` for a window of one
//!   symbol.
//! - [`read`]: from a source of the room `data`, and to a coarser step.
//! - [`metadata`]: span, step and terms, told from the rows.
//! - `batches`: record batches out, which share the memory of the columns.
//! - `info`: a row a symbol. `write`: CSV and Parquet.
//!
//! Invariants: (timestamp, asset) strictly ascends; columns never change, so that slices, Arrow
//! arrays and views of other languages share them; missing is NaN inside and null in Arrow;
//! metadata is computed from the rows and never taken from a request.
//!
//! To add a fact of the whole: `metadata`; one of each symbol: `info`.

pub mod table;
pub mod read;
pub mod metadata;

mod batches;
mod info;
mod write;

pub use metadata::{Frequency, Metadata};
pub use read::read_bars;
pub use table::{Bars, Terms};
