//! What three rooms share: errors, ids, time, whole files.
//!
//! Nothing here knows of markets. In: nothing. Out: the nouns every other room speaks.
//!
//! - [`action_walk`]: actions as factors of the rows before them.
//! - [`actions`]: splits, dividends, mergers, renames.
//! - [`calendar`]: trading sessions and their instants.
//! - [`date`]: calendar dates, and when they begin in a zone.
//! - [`error`]: one error type, with a stable code, a place and a remedy.
//! - [`expression`]: row expressions, their grammar and functions.
//! - [`mod@file`]: files that appear whole or not at all.
//! - [`ids`]: dense `u32` ids for assets and orders, and the sorted list of symbol names.
//! - [`span`]: lengths of time as text.
//! - [`spelling`]: did you mean.
//! - [`step`]: how far apart rows are.
//! - [`stop_flag`]: another thread ends a long piece of work.
//! - [`time`]: instants in nanoseconds since 1970 UTC, spans, and their text forms.
//!
//! Invariant: a symbol id is the rank of its name in byte order among the names of the whole run,
//! so ids do not depend on threads, chunks or the order in which rows arrive.

pub mod action_walk;
pub mod actions;
pub mod calendar;
pub mod date;
pub mod error;
pub mod expression;
pub mod file;
pub mod ids;
pub mod span;
pub mod spelling;
pub mod step;
pub mod stop_flag;
pub mod time;

pub use action_walk::ActionWalk;
pub use actions::{ActionKind, Actions, Adjustment, CorporateAction, Rescale};
pub use calendar::Calendar;
pub use date::Date;
pub use error::{Error, ErrorKind, Result};
pub use file::AtomicFile;
pub use ids::{AssetId, OrderId, Symbols};
pub use step::Step;
pub use stop_flag::StopFlag;
pub use time::Timestamp;
