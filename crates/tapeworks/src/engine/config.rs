//! What the engine needs to know beside feed and strategy.

use crate::base::{Error, Result};
use crate::broker::{AccountKind, Commission, Lots, PositionRule, Semantics, Slippage};

/// The terms of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineConfig {
    /// Cash at the start, in account currency.
    pub cash: f64,
    /// Fees.
    pub commission: Commission,
    /// Price given up by takers.
    pub slippage: Slippage,
    /// Quantity step.
    pub lots: Lots,
    /// What the account may do.
    pub account: AccountKind,
    /// Rules that every position follows.
    pub rules: Vec<PositionRule>,
    /// How orders meet prices.
    pub semantics: Semantics,
    /// Recompute the accounting identities after every timestamp.
    pub check_invariants: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            cash: 100_000.0,
            commission: Commission::None,
            slippage: Slippage::None,
            lots: Lots::Integer,
            account: AccountKind::Cash,
            rules: Vec::new(),
            semantics: Semantics::REALISTIC,
            check_invariants: false,
        }
    }
}

impl EngineConfig {
    /// Refuses figures that no run can start with.
    ///
    /// # Errors
    /// `C311` for cash that is not positive and finite, or a cost that is negative or not finite.
    pub fn check(&self) -> Result<()> {
        let must = |name: &str, value: f64, is_valid: bool, rule: &str| {
            if is_valid {
                Ok(())
            } else {
                Err(Error::config("C311", format!("{name} is {value}: it must be {rule}")))
            }
        };
        let cost = |name: &str, value: f64| {
            must(name, value, value.is_finite() && value >= 0.0, "finite and not negative")
        };
        must("cash", self.cash, self.cash.is_finite() && self.cash > 0.0, "finite and above 0")?;
        match self.commission {
            Commission::None => {}
            Commission::Percent { bps, min } => {
                cost("commission.bps", bps)?;
                cost("commission.min", min)?;
            }
            Commission::PerShare { rate, min } => {
                cost("commission.rate", rate)?;
                cost("commission.min", min)?;
            }
        }
        match self.slippage {
            Slippage::None => Ok(()),
            Slippage::Percent { bps } => {
                cost("slippage.bps", bps)?;
                must("slippage.bps", bps, bps < 1e4, "below 10,000 (the whole price)")
            }
        }
    }
}
