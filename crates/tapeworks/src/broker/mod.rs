//! Orders, matching, costs, account, positions and position rules.

pub mod codes;

pub use codes::{
    CancelReason, ExitReason, FillFlags, OrderKind, OrderOrigin, Phase, RejectCode, Side,
};
