//! The event loop, the strategy trait, the built-in rules and the run log.
//!
//! In: slices of a feed and a strategy. Out: a [`RunLog`], from which every record is derived.
//!
//! [`run`] walks each timestamp once: what can fill fills, positions are marked, the strategy is
//! called, the state is sealed. The strategy acts through a [`Trader`], which owns all state of the
//! run and knows nothing of later rows.
//!
//! Invariants: at the call for t every order that could fill in row t has filled and shows; an
//! order sent at t never meets a price of t; the log is append-only and independent of chunks.
//!
//! To add a rule: one file under `rules/`, and its name in the configuration of room `run`.

mod config;
mod config_check;
mod event_loop;
mod invariants;
mod log;
mod orders;
mod present;
mod request;
mod slice;
mod strategy;
mod targets;
mod terms;
mod trader;

pub mod expression;
pub mod rules;

pub use crate::broker::{
    ClosedLot, FillRow, OrderEvent, OrderEventKind, OrderRow, OrderStatus, RejectionRow,
};
pub use config::{EngineConfig, Snapshot};
pub use event_loop::{Flow, Progress, run};
pub use log::{RunLog, States};
pub use request::{Distance, ExitPrice, OrderRequest, ReleaseOn, Size, TrailTerms};
pub use slice::Slice;
pub use strategy::Strategy;
pub use trader::Trader;
