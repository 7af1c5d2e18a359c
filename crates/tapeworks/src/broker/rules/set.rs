//! A list of rules, checked and bound to the columns of a run.

use super::rule::PositionRule;
use super::{Level, PositionFacts};
use crate::base::{Error, Result};
use crate::broker::codes::ExitReason;

/// Finds the number of a column by its name.
pub type Columns<'a> = &'a dyn Fn(&str) -> Option<usize>;

/// The rules of one position. NaN: no such rule. Where a rule is given twice, the tighter counts.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSet {
    stop_loss: f64,
    take_profit: f64,
    trailing: f64,
}

impl Default for RuleSet {
    fn default() -> Self {
        Self { stop_loss: f64::NAN, take_profit: f64::NAN, trailing: f64::NAN }
    }
}

fn fraction(name: &str, x: f64, below: f64) -> Result<f64> {
    if x.is_finite() && x > 0.0 && x < below {
        return Ok(x);
    }
    Err(Error::config("C310", format!("{name}({x}): the fraction must be above 0 and below 1"))
        .with_hint("write 0.05 for five percent"))
}

impl RuleSet {
    /// The set that a list of rules makes.
    ///
    /// # Errors
    /// `C310` when a fraction is not above 0, or not below 1 for a stop; `C331` for a column that
    /// the run does not have.
    pub fn new(rules: &[PositionRule], columns: Columns<'_>) -> Result<Self> {
        let _ = columns;
        let mut set = Self::default();
        for rule in rules {
            // f64::min takes the other operand when one is NaN: the first rule, or the tighter.
            match rule {
                PositionRule::StopLoss(x) => {
                    set.stop_loss = set.stop_loss.min(fraction("StopLoss", *x, 1.0)?);
                }
                PositionRule::TakeProfit(x) => {
                    let x = fraction("TakeProfit", *x, f64::INFINITY)?;
                    set.take_profit = set.take_profit.min(x);
                }
                PositionRule::TrailingStop(x) => {
                    set.trailing = set.trailing.min(fraction("TrailingStop", *x, 1.0)?);
                }
                other => return Err(Error::config("C332", format!("{other:?} is not ready"))),
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
    pub(super) fn adverse(&self, facts: &PositionFacts, base: f64, water: f64) -> Option<Level> {
        let side = facts.side;
        let stop = base * (1.0 - side * self.stop_loss);
        let trail = water * (1.0 - side * self.trailing);
        let trail_first = trail.is_finite() && (stop.is_nan() || side * trail > side * stop);
        let level = |price, reason| Some(Level { price, quantity: f64::INFINITY, reason });
        if trail_first {
            level(trail, ExitReason::Trailing)
        } else if stop.is_finite() {
            level(stop, ExitReason::StopLoss)
        } else {
            None
        }
    }

    /// The favourable level of a position.
    #[must_use]
    #[inline]
    pub(super) fn favourable(&self, facts: &PositionFacts, base: f64) -> Option<Level> {
        let price = base * (1.0 + facts.side * self.take_profit);
        let reason = ExitReason::TakeProfit;
        price.is_finite().then_some(Level { price, quantity: f64::INFINITY, reason })
    }

    /// The stop-loss and take-profit levels at entry, NaN where there is no such rule.
    #[must_use]
    pub(super) fn first_levels(&self, side: f64, base: f64) -> (f64, f64) {
        (base * (1.0 - side * self.stop_loss), base * (1.0 + side * self.take_profit))
    }
}
