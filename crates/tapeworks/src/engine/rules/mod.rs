//! Strategies that run wholly in Rust.
//!
//! Each file is one rule; its doc says exactly when it decides and how it sizes.

mod buy_and_hold;
mod noop;
mod sma_cross;

pub use buy_and_hold::BuyAndHold;
pub use noop::Noop;
pub use sma_cross::SmaCross;
