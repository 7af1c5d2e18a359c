//! The event loop, the strategy trait, the built-in rules and the run log.

pub mod log;

pub use log::{
    ClosedLot, FillRow, OrderEvent, OrderEventKind, OrderRow, OrderStatus, RejectionRow, RunLog,
    States,
};
