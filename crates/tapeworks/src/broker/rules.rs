//! Position rules: levels that close a position without the strategy's help.

use super::codes::ExitReason;
use crate::base::{AssetId, Error, Result};

/// A rule that watches every row of a position. Levels are fractions of a price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PositionRule {
    /// A resting stop at `entry x (1 - x)`; the entry price is the average of the fills.
    StopLoss(f64),
    /// A resting limit at `entry x (1 + x)`.
    TakeProfit(f64),
    /// A resting stop at `W x (1 - x)`; `W` starts at the entry fill and follows the best price of
    /// the rows *before* the one tested.
    TrailingStop(f64),
}

/// The rules of one position. NaN: no such rule.
///
/// Where a rule is given twice, the tighter one counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleSet {
    stop_loss: f64,
    take_profit: f64,
    trailing: f64,
}

/// A level that closes a position, and the rule behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Price of the level.
    pub price: f64,
    /// The rule.
    pub reason: ExitReason,
}

/// The run's rules and the rules of single symbols.
#[derive(Debug, Clone, Default)]
pub struct RuleBook {
    run: RuleSet,
    by_asset: Vec<Option<RuleSet>>,
    active: bool,
}

impl PositionRule {
    fn check(self) -> Result<()> {
        let (name, x, below) = match self {
            Self::StopLoss(x) => ("StopLoss", x, 1.0),
            Self::TakeProfit(x) => ("TakeProfit", x, f64::INFINITY),
            Self::TrailingStop(x) => ("TrailingStop", x, 1.0),
        };
        if x.is_finite() && x > 0.0 && x < below {
            return Ok(());
        }
        Err(Error::config("C310", format!("{name}({x}): the fraction must be above 0 and below 1"))
            .with_hint("write 0.05 for five percent"))
    }
}

impl Default for RuleSet {
    fn default() -> Self {
        Self { stop_loss: f64::NAN, take_profit: f64::NAN, trailing: f64::NAN }
    }
}

impl RuleSet {
    /// The set that a list of rules makes.
    ///
    /// # Errors
    /// `C310` when a fraction is not above 0, or not below 1 for a stop.
    pub fn new(rules: &[PositionRule]) -> Result<Self> {
        let mut set = Self::default();
        for &rule in rules {
            rule.check()?;
            // f64::min takes the other operand when one is NaN: the first rule, or the tighter.
            match rule {
                PositionRule::StopLoss(x) => set.stop_loss = set.stop_loss.min(x),
                PositionRule::TakeProfit(x) => set.take_profit = set.take_profit.min(x),
                PositionRule::TrailingStop(x) => set.trailing = set.trailing.min(x),
            }
        }
        Ok(set)
    }

    /// Whether the set holds no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stop_loss.is_nan() && self.take_profit.is_nan() && self.trailing.is_nan()
    }

    /// The adverse level of a position: the stop or the trail, whichever price meets first.
    #[must_use]
    #[inline]
    pub fn adverse(&self, side: f64, entry_price: f64, best: f64) -> Option<Level> {
        let stop = entry_price * (1.0 - side * self.stop_loss);
        let trail = best * (1.0 - side * self.trailing);
        let trail_first = trail.is_finite() && (stop.is_nan() || side * trail > side * stop);
        if trail_first {
            Some(Level { price: trail, reason: ExitReason::Trailing })
        } else if stop.is_finite() {
            Some(Level { price: stop, reason: ExitReason::StopLoss })
        } else {
            None
        }
    }

    /// The favourable level of a position.
    #[must_use]
    #[inline]
    pub fn favourable(&self, side: f64, entry_price: f64) -> Option<Level> {
        let target = entry_price * (1.0 + side * self.take_profit);
        target.is_finite().then_some(Level { price: target, reason: ExitReason::TakeProfit })
    }

    /// The stop-loss and take-profit levels at entry, NaN where there is no such rule.
    #[must_use]
    pub fn first_levels(&self, side: f64, entry_price: f64) -> (f64, f64) {
        (entry_price * (1.0 - side * self.stop_loss), entry_price * (1.0 + side * self.take_profit))
    }
}

impl RuleBook {
    /// A book in which every position of the run follows `run`.
    #[must_use]
    pub fn new(run: RuleSet, n_assets: usize) -> Self {
        Self { active: !run.is_empty(), run, by_asset: vec![None; n_assets] }
    }

    /// Gives one symbol, or the run, another set.
    pub fn set(&mut self, asset: Option<AssetId>, set: RuleSet) {
        match asset {
            Some(asset) => self.by_asset[asset.index()] = Some(set),
            None => self.run = set,
        }
        self.active =
            !self.run.is_empty() || self.by_asset.iter().flatten().any(|set| !set.is_empty());
    }

    /// Whether any symbol has a rule.
    #[must_use]
    #[inline]
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// The rules of a symbol.
    #[must_use]
    #[inline]
    pub fn of(&self, asset: AssetId) -> &RuleSet {
        self.by_asset[asset.index()].as_ref().unwrap_or(&self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::{ExitReason, PositionRule, RuleSet};

    #[test]
    fn adverse_when_stop_and_trail_then_price_meets_the_nearer_first() {
        let rules = [PositionRule::StopLoss(0.05), PositionRule::TrailingStop(0.10)];
        let set = RuleSet::new(&rules).expect("valid");
        // side, entry, best, level, reason: by hand
        let rows = [
            (1.0, 100.0, 100.0, 95.0, ExitReason::StopLoss),
            (1.0, 100.0, 110.0, 99.0, ExitReason::Trailing),
            (-1.0, 100.0, 100.0, 105.0, ExitReason::StopLoss),
            (-1.0, 100.0, 90.0, 99.0, ExitReason::Trailing),
        ];
        for (side, entry, best, price, reason) in rows {
            let level = set.adverse(side, entry, best).expect("has a stop");
            assert!((level.price - price).abs() < 1e-12, "{level:?}");
            assert_eq!(level.reason, reason);
        }
        assert_eq!(set.favourable(1.0, 100.0), None);
    }

    #[test]
    fn new_when_fraction_is_out_of_range_then_config_error() {
        for rule in [
            PositionRule::StopLoss(0.0),
            PositionRule::StopLoss(1.0),
            PositionRule::StopLoss(f64::NAN),
            PositionRule::TakeProfit(-0.1),
            PositionRule::TrailingStop(5.0),
        ] {
            assert_eq!(RuleSet::new(&[rule]).expect_err("refused").code(), "C310");
        }
    }
}
