//! Position rules: exits that watch a position without the strategy's help.
//!
//! [`RuleBook`] holds the rules of the run and of single symbols, and what they remember of each
//! position. The broker tells it of entries ([`RuleBook::enter`]) and ended rows
//! ([`RuleBook::end_row`]), and asks for the levels that rest in the market
//! ([`RuleBook::levels`]), for what the close has triggered ([`RuleBook::at_close`]), or, where the
//! semantics want it, for the first rule of the list that fires ([`RuleBook::evaluate`]).

mod book;
mod bound;
mod check;
mod evaluated;
mod memory;
mod rule;
mod set;
#[cfg(test)]
mod tests;

pub use book::{RuleBook, RuleEntry, RuleExit};
pub use rule::{PositionRule, ScaledOf};
pub use set::{Columns, RuleSet};

use super::codes::ExitReason;

/// What the broker knows of a position when it asks its rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositionFacts {
    /// `+1.0` long, `-1.0` short.
    pub side: f64,
    /// Units held, positive.
    pub quantity: f64,
    /// Average price of the units held.
    pub entry_price: f64,
    /// Tradable rows after the entry row, the present one included once it has ended.
    pub bars_held: u32,
}

/// A level that closes a position, or a part of it, and the rule behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Price of the level.
    pub price: f64,
    /// Units it closes; infinite: all.
    pub quantity: f64,
    /// The rule.
    pub reason: ExitReason,
}
