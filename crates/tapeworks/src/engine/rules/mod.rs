//! Strategies that run wholly in Rust.
//!
//! Each file is one rule; its doc says exactly when it decides and how it sizes.

mod buy_and_hold;
mod entries_exits;
mod noop;
mod rebalance;
mod sma_cross;
mod top_n;
mod weights;

pub use buy_and_hold::BuyAndHold;
pub use entries_exits::EntriesExits;
pub use noop::Noop;
pub use rebalance::Rebalance;
pub use sma_cross::SmaCross;
pub use top_n::{TopN, Weighting};
pub use weights::Weights;

/// A decision takes missing as "no".
fn is_true(value: f64) -> bool {
    !value.is_nan() && value != 0.0
}
