//! The rules that a user gives, checked figure by figure and bound to the columns of a run.

use super::bound::Bound;
use super::rule::PositionRule;
use super::set::Columns;
use crate::base::spelling::nearest;
use crate::base::{Error, Result};

/// Where the columns of a run are found.
#[derive(Clone, Copy)]
pub(super) struct Binder<'a> {
    pub columns: Columns<'a>,
    /// The names that exist, for the remedy; may be empty.
    pub names: &'a [&'a str],
}

/// The most steps that a ladder may have: their count is kept in a byte.
const MAX_STEPS: usize = 255;

fn refuse(rule: &str, value: &str, allowed: &str) -> Error {
    Error::config("C310", format!("{rule}({value}): {allowed}"))
}

fn fraction(rule: &str, x: f64) -> Result<f64> {
    if x.is_finite() && x > 0.0 && x < 1.0 {
        return Ok(x);
    }
    Err(refuse(rule, &x.to_string(), "the fraction must be above 0 and below 1")
        .with_hint("write 0.05 for five percent"))
}

fn positive(rule: &str, x: f64, what: &str) -> Result<f64> {
    if x.is_finite() && x > 0.0 {
        return Ok(x);
    }
    Err(refuse(rule, &x.to_string(), &format!("{what} must be above 0 and finite")))
}

/// Checks that the returns rise and are finite, and that there is at least one step.
fn rising(rule: &str, steps: &[(f64, f64)]) -> Result<()> {
    if steps.is_empty() || steps.len() > MAX_STEPS {
        let allowed = format!("between 1 and {MAX_STEPS} steps are allowed");
        return Err(refuse(rule, &format!("{} steps", steps.len()), &allowed));
    }
    let is_finite = steps.iter().all(|step| step.0.is_finite());
    if !is_finite || !steps.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(refuse(rule, &format!("{steps:?}"), "the returns must be finite and rise"));
    }
    Ok(())
}

impl Binder<'_> {
    /// A list of rules without the `Any` around some of them.
    pub fn list(&self, rules: &[PositionRule]) -> Result<Vec<Bound>> {
        let mut list = Vec::new();
        self.flatten(rules, &mut list)?;
        if list.iter().filter(|rule| matches!(rule, Bound::Scaled { .. })).count() > 1 {
            return Err(refuse("ScaledExit", "two of them", "a position has one ladder")
                .with_hint("write all steps in one ScaledExit"));
        }
        Ok(list)
    }

    fn flatten(&self, rules: &[PositionRule], list: &mut Vec<Bound>) -> Result<()> {
        for rule in rules {
            match rule {
                PositionRule::Any(inner) => self.flatten(inner, list)?,
                other => list.push(self.bind(other)?),
            }
        }
        Ok(())
    }

    fn bind(&self, rule: &PositionRule) -> Result<Bound> {
        Ok(match rule {
            PositionRule::StopLoss(x) => Bound::StopLoss(fraction("StopLoss", *x)?),
            PositionRule::TakeProfit(x) => {
                Bound::TakeProfit(positive("TakeProfit", *x, "the fraction")?)
            }
            PositionRule::TrailingStop(x) => Bound::Trailing(fraction("TrailingStop", *x)?),
            PositionRule::TrailingAmount(amount) => {
                Bound::TrailingAmount(positive("TrailingAmount", *amount, "the amount")?)
            }
            PositionRule::TighteningTrail(steps) => {
                rising("TighteningTrail", steps)?;
                for step in steps {
                    fraction("TighteningTrail", step.1)?;
                }
                Bound::Tightening(steps.clone())
            }
            PositionRule::VolatilityStop { multiple, column } => Bound::VolatilityStop {
                multiple: positive("VolatilityStop", *multiple, "the multiple")?,
                column: self.column("VolatilityStop", column)?,
            },
            PositionRule::VolatilityTrail { multiple, column } => Bound::VolatilityTrail {
                multiple: positive("VolatilityTrail", *multiple, "the multiple")?,
                column: self.column("VolatilityTrail", column)?,
            },
            PositionRule::ScaledExit { steps, of } => {
                rising("ScaledExit", steps)?;
                positive("ScaledExit", steps[0].0, "the first return")?;
                for step in steps {
                    if !(step.1 > 0.0 && step.1 <= 1.0) {
                        let allowed = "each fraction must be above 0 and at most 1";
                        return Err(refuse("ScaledExit", &step.1.to_string(), allowed));
                    }
                }
                Bound::Scaled { steps: steps.clone(), of: *of }
            }
            PositionRule::TimeExit(0) => {
                return Err(refuse("TimeExit", "0", "at least 1 row must pass"));
            }
            PositionRule::TimeExit(bars) => Bound::Time(*bars),
            PositionRule::SignalExit { column, threshold } => {
                if !(threshold.is_finite() && *threshold >= 0.0) {
                    let allowed = "the threshold must be finite and not negative";
                    return Err(refuse("SignalExit", &threshold.to_string(), allowed));
                }
                Bound::Signal { column: self.column("SignalExit", column)?, threshold: *threshold }
            }
            PositionRule::Any(rules) => Bound::Any(self.conditions("Any", rules)?),
            PositionRule::All(rules) => Bound::All(self.conditions("All", rules)?),
        })
    }

    /// Rules as conditions: they say yes or no, so a ladder has no place among them, and a target
    /// of 0 asks for any gain.
    fn conditions(&self, name: &str, rules: &[PositionRule]) -> Result<Vec<Bound>> {
        if rules.is_empty() {
            return Err(refuse(name, "", "at least one rule is needed"));
        }
        let mut conditions = Vec::with_capacity(rules.len());
        for rule in rules {
            conditions.push(match rule {
                PositionRule::ScaledExit { .. } => {
                    let allowed = "a ladder closes parts, so it is no condition";
                    return Err(refuse(name, "ScaledExit", allowed)
                        .with_hint("write TakeProfit with the return of the step"));
                }
                PositionRule::TakeProfit(x) if *x == 0.0 => Bound::TakeProfit(0.0),
                other => self.bind(other)?,
            });
        }
        Ok(conditions)
    }

    fn column(&self, rule: &str, name: &str) -> Result<usize> {
        (self.columns)(name).ok_or_else(|| {
            let error =
                Error::config("C331", format!("{rule}: the run has no column named {name:?}"));
            match nearest(name, self.names.iter().copied()) {
                Some(meant) => error.with_hint(format!("did you mean {meant:?}")),
                None if self.names.is_empty() => {
                    error.with_hint("name a signal, indicator or context column")
                }
                None => error.with_hint(format!("one of {}", self.names.join(", "))),
            }
        })
    }
}
