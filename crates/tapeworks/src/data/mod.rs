//! Reading and checking bars, signals and context: a file or an Arrow stream in, checked columns
//! out.
//!
//! - [`options`]: what a read is asked for and what it gives.
//! - `source`, `hive`: from a path, a glob or a folder to files and what their folders name.
//! - `plan`, `names`: which column plays which part; aliases and near misses.
//! - `parquet`, `parquet_symbols`, `parquet_times`, `parquet_stream`, `group_columns`, `pread`:
//!   Parquet to blocks, on two threads where a file is large.
//! - `loaded`, `content`, `csv`, `csv_rows`, `text_cells`, `text_file`, `arrow_file`, `json_lines`,
//!   `dbn`: what is held in memory, to blocks; `sort_budget`: how much that may be.
//! - `clock`, `wall_clock`, `known_at`, `row_step`, `session_rows`, `start_checks`: zones, clock
//!   changes, dates that name sessions, weeks and months, stamps that are starts.
//! - `time_column`, `time_convert`, `time_text`, `time_unit`, `cast`: stored values to nanoseconds
//!   UTC, f64 and symbol ids.
//! - `calendar_table`: sessions of a market from a table.
//! - `table_file`, `table_columns`, `table_symbols`: the files of a table and what they share.
//! - `actions`, `action_cells`, `check_actions`: corporate actions, read and checked; `adjust`:
//!   prices as a view on one date shows them.
//! - `joined`: what rows of signals and context carry besides values.
//! - `lane`, `check`, `merge`, `reader`: blocks to checked rows by (timestamp, symbol).
//! - `across`: checks over several rows; `sample`, `statistics`: the level `fast`; `check_table`,
//!   `check_signals`, `second_reading`: tables checked without being kept.
//! - `resample`: bars put together into coarser bars.
//! - [`sort`], `sort_input`: a table written in order within a memory budget.
//! - `csv_cells`: tables as text; `type_order`: Parquet footers that older readers understand.
//! - [`report`], `ledger`: findings with their first rows, and repairs.
//!
//! Invariants: every row passes the value rules (`check`) on the decoding pass itself; rows come
//! out strictly ascending by (timestamp, asset) whatever the order of the files; a batch ends where
//! a timestamp ends; nothing is filled in, every repair is counted. Parquet is streamed: what is
//! held is one block and one page a column of each open file. Symbols are known before row one.
//!
//! To add a format: read it as Arrow batches (`json_lines`), with an arm in `source` and
//! `table_file`. To add a check: `check` for a rule of one row, `across` for one of several.

pub mod options;
pub mod report;
pub mod describe;
pub mod fingerprint;
pub mod sort;

mod action_cells;
mod actions;
mod across;
mod adjust;
mod arrow_file;
mod block;
mod calendar_table;
mod cast;
mod check;
mod check_actions;
mod check_signals;
mod check_table;
mod clock;
mod content;
mod csv;
mod csv_cells;
mod csv_rows;
mod dbn;
mod group_columns;
mod hive;
mod joined;
mod known_at;
mod json_lines;
mod lane;
mod ledger;
mod loaded;
mod merge;
mod names;
mod parquet;
mod parquet_stream;
mod parquet_symbols;
mod parquet_times;
mod plan;
mod pread;
mod reader;
mod resample;
mod row_step;
mod sample;
mod second_reading;
mod session_rows;
mod sort_budget;
mod sort_input;
mod source;
mod start_checks;
mod statistics;
mod table_columns;
mod table_file;
mod table_symbols;
mod tables;
mod text_cells;
mod text_file;
mod time_column;
mod time_convert;
mod time_text;
mod time_unit;
mod type_order;
mod wall_clock;

pub use actions::{ActionTable, ExplainedMoves};
pub use adjust::{AdjustedBars, adjust_prices};
pub use calendar_table::{open_calendar, read_calendar};
pub use check_actions::check_actions;
pub use check_signals::check_context;
pub(crate) use check_signals::{SignalRows, SignalRules, check_signals};
pub use clock::Stamps;
pub(crate) use csv_cells::write_csv;
pub use describe::{SourceInfo, describe};
pub use fingerprint::{FileFingerprint, fingerprint, fingerprints};
pub use options::{
    Ambiguous, BarBatch, BarReader, CheckLevel, ContextTable, CsvFormat, Label, OnBadRow,
    ReadOptions, RowFacts, SignalTable, Source,
};
pub use reader::open_bars;
pub(crate) use reader::zone_of;
pub use report::{CheckReport, Finding, Offender, Repairs, Severity};
pub use resample::resample;
pub use sort::{SortOptions, Sorted, parse_bytes, sort_bars, sort_bars_until};
pub use source::is_streamed;
pub use tables::{check, read_context, read_signals};
pub use type_order::TypeOrder;
