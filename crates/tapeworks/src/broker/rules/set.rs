//! A list of rules, checked and bound to the columns of a run.

use super::Level;
use super::bound::{Bound, Watched, behind, moved};
use super::check::Binder;
use super::rule::PositionRule;
use crate::base::Result;
use crate::broker::codes::ExitReason;

/// Finds the number of a column by its name.
pub type Columns<'a> = &'a dyn Fn(&str) -> Option<usize>;

/// The rules of one position. Where a rule is given twice, the tighter counts.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSet {
    /// The three most frequent rules as figures, NaN without such a rule: the loop asks for them
    /// once a row.
    stop_loss: f64,
    take_profit: f64,
    trailing: f64,
    /// Whether a level rests that is none of the three.
    has_more: bool,
    follows_water: bool,
    needs_close: bool,
    /// All rules in the order given.
    list: Vec<Bound>,
}

impl Default for RuleSet {
    fn default() -> Self {
        Self {
            stop_loss: f64::NAN,
            take_profit: f64::NAN,
            trailing: f64::NAN,
            has_more: false,
            follows_water: false,
            needs_close: false,
            list: Vec::new(),
        }
    }
}

impl RuleSet {
    /// The set that a list of rules makes. `Any` inside the list adds its rules to the list.
    ///
    /// # Errors
    /// `C310` when a figure is out of range, with the rule, the figure and what is allowed; `C331`
    /// for a column that the run does not have.
    pub fn new(rules: &[PositionRule], columns: Columns<'_>) -> Result<Self> {
        Ok(Self::of(Binder { columns, names: &[] }.list(rules)?))
    }

    /// As [`RuleSet::new`], with the columns of the run given by their names: the number of a
    /// column is its place among them, and an error names the nearest one.
    ///
    /// # Errors
    /// Those of [`RuleSet::new`].
    pub fn among(rules: &[PositionRule], names: &[&str]) -> Result<Self> {
        let columns = |name: &str| names.iter().position(|known| *known == name);
        Ok(Self::of(Binder { columns: &columns, names }.list(rules)?))
    }

    fn of(list: Vec<Bound>) -> Self {
        let mut set = Self::default();
        for rule in &list {
            // f64::min takes the other operand when one is NaN: the first rule, or the tighter.
            match rule {
                Bound::StopLoss(x) => set.stop_loss = set.stop_loss.min(*x),
                Bound::TakeProfit(x) => set.take_profit = set.take_profit.min(*x),
                Bound::Trailing(x) => {
                    set.trailing = set.trailing.min(*x);
                    set.follows_water = true;
                }
                Bound::TrailingAmount(_) | Bound::Tightening(_) | Bound::VolatilityTrail { .. } => {
                    set.has_more = true;
                    set.follows_water = true;
                }
                Bound::VolatilityStop { .. } | Bound::Scaled { .. } => set.has_more = true,
                Bound::Time(_) | Bound::Signal { .. } | Bound::Any(_) | Bound::All(_) => {
                    set.needs_close = true;
                }
            }
        }
        set.list = list;
        set
    }

    /// Whether the set holds no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether a level of the set depends on the best price of a position.
    #[must_use]
    #[inline]
    pub(super) fn follows_water(&self) -> bool {
        self.follows_water
    }

    /// Whether any rule is decided at closes.
    #[must_use]
    #[inline]
    pub(super) fn needs_close(&self) -> bool {
        self.needs_close
    }

    /// All rules in the order given.
    pub(super) fn list(&self) -> &[Bound] {
        &self.list
    }

    /// The columns whose past values some rule needs, and whether one needs past closes.
    pub(super) fn needs(&self) -> (Vec<usize>, bool) {
        let (mut columns, mut closes) = (Vec::new(), false);
        for rule in &self.list {
            rule.visit(&mut |rule| match rule {
                Bound::VolatilityStop { column, .. } | Bound::VolatilityTrail { column, .. } => {
                    columns.push(*column);
                }
                Bound::Tightening(_) => closes = true,
                _ => {}
            });
        }
        (columns, closes)
    }

    /// The adverse level of a position: of all stops and trails the one that price meets first,
    /// a stop-loss before a trail at the same price.
    #[must_use]
    #[inline]
    pub(super) fn adverse(&self, watched: &Watched<'_>) -> Option<Level> {
        let side = watched.facts.side;
        let stop = behind(watched.base, side, self.stop_loss);
        let trail = behind(watched.water, side, self.trailing);
        let trail_first = trail.is_finite() && (stop.is_nan() || side * trail > side * stop);
        let (mut price, mut reason) =
            if trail_first { (trail, ExitReason::Trailing) } else { (stop, ExitReason::StopLoss) };
        if self.has_more {
            for rule in &self.list {
                let level = rule.adverse(watched);
                if level.is_finite() && (!price.is_finite() || side * level > side * price) {
                    (price, reason) = (level, rule.reason());
                }
            }
        }
        price.is_finite().then_some(Level { price, quantity: f64::INFINITY, reason })
    }

    /// The favourable level of a position: the target, or the next step of the ladder before it.
    #[must_use]
    #[inline]
    pub(super) fn favourable(&self, watched: &Watched<'_>) -> Option<Level> {
        let side = watched.facts.side;
        let price = moved(watched.base, side * self.take_profit);
        let mut nearest = price.is_finite().then_some(Level {
            price,
            quantity: f64::INFINITY,
            reason: ExitReason::TakeProfit,
        });
        if self.has_more {
            for rule in &self.list {
                let (price, quantity) = rule.favourable(watched);
                let is_nearer = |level: Level| side * price < side * level.price;
                if price.is_finite() && nearest.is_none_or(is_nearer) {
                    nearest = Some(Level { price, quantity, reason: rule.reason() });
                }
            }
        }
        nearest
    }

    /// The first rule of the list that a close has triggered.
    pub(super) fn at_close(
        &self,
        watched: &Watched<'_>,
        close: f64,
        value: &dyn Fn(usize) -> f64,
    ) -> Option<ExitReason> {
        self.list
            .iter()
            .find(|rule| rule.is_close_triggered() && rule.holds(watched, close, value))
            .map(Bound::reason)
    }

    /// The stop and take-profit levels at entry, NaN where there is no such rule. A volatility stop
    /// counts as a stop; of two stops the nearer one.
    #[must_use]
    pub(super) fn first_levels(&self, watched: &Watched<'_>) -> (f64, f64) {
        let side = watched.facts.side;
        let mut stop = behind(watched.base, side, self.stop_loss);
        for rule in self.list.iter().filter(|rule| matches!(rule, Bound::VolatilityStop { .. })) {
            // Signed by side the nearer stop is the larger one, whatever is NaN.
            stop = side * (side * stop).max(side * rule.adverse(watched));
        }
        (stop, moved(watched.base, side * self.take_profit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_when_a_figure_is_out_of_range_then_c310_names_rule_and_figure() {
        let column = || "atr".to_owned();
        let scaled = |steps: &[(f64, f64)]| PositionRule::ScaledExit {
            steps: steps.to_vec(),
            of: super::super::ScaledOf::Initial,
        };
        let rows: [(PositionRule, &str); 19] = [
            (PositionRule::StopLoss(0.0), "StopLoss(0)"),
            (PositionRule::StopLoss(1.0), "StopLoss(1)"),
            (PositionRule::StopLoss(f64::NAN), "StopLoss(NaN)"),
            (PositionRule::TakeProfit(-0.1), "TakeProfit(-0.1)"),
            (PositionRule::TakeProfit(0.0), "TakeProfit(0)"),
            (PositionRule::TrailingStop(5.0), "TrailingStop(5)"),
            (PositionRule::TrailingAmount(0.0), "TrailingAmount(0)"),
            (PositionRule::TighteningTrail(vec![]), "TighteningTrail(0 steps)"),
            (PositionRule::TighteningTrail(vec![(0.0, 0.05), (0.0, 0.04)]), "returns must"),
            (PositionRule::TighteningTrail(vec![(0.0, 1.5)]), "TighteningTrail(1.5)"),
            (
                PositionRule::VolatilityStop { multiple: -2.0, column: column() },
                "VolatilityStop(-2)",
            ),
            (
                PositionRule::VolatilityTrail { multiple: 0.0, column: column() },
                "VolatilityTrail(0)",
            ),
            (scaled(&[(0.1, 0.5), (0.05, 0.5)]), "returns must"),
            (scaled(&[(0.1, 1.5)]), "ScaledExit(1.5)"),
            (scaled(&[(-0.1, 0.5)]), "ScaledExit(-0.1)"),
            (PositionRule::TimeExit(0), "TimeExit(0)"),
            (PositionRule::SignalExit { column: column(), threshold: -1.0 }, "SignalExit(-1)"),
            (PositionRule::All(vec![]), "All()"),
            (PositionRule::All(vec![scaled(&[(0.1, 0.5)])]), "All(ScaledExit)"),
        ];
        for (rule, part) in rows {
            let error = RuleSet::among(std::slice::from_ref(&rule), &["atr"]).expect_err(part);
            assert_eq!(error.code(), "C310", "{rule:?}");
            assert!(error.message().contains(part), "{} has no {part}", error.message());
        }
        let two = [scaled(&[(0.1, 0.5)]), PositionRule::Any(vec![scaled(&[(0.2, 0.5)])])];
        assert_eq!(RuleSet::among(&two, &[]).expect_err("two ladders").code(), "C310");
    }

    #[test]
    fn among_when_a_column_is_misspelt_then_c331_names_the_nearest() {
        let rule = PositionRule::VolatilityStop { multiple: 2.0, column: "art".to_owned() };
        let error = RuleSet::among(std::slice::from_ref(&rule), &["score", "atr"])
            .expect_err("no such column");
        assert_eq!(error.code(), "C331");
        assert_eq!(error.hint(), Some("did you mean \"atr\""));
        let nested = PositionRule::All(vec![PositionRule::TimeExit(2), rule]);
        let error = RuleSet::new(&[nested], &|_| None).expect_err("no columns at all");
        assert_eq!(error.code(), "C331");
    }

    #[test]
    fn new_when_any_is_nested_then_its_rules_join_the_list() {
        let nested = PositionRule::Any(vec![
            PositionRule::StopLoss(0.05),
            PositionRule::Any(vec![PositionRule::TakeProfit(0.1)]),
        ]);
        let flat = [PositionRule::StopLoss(0.05), PositionRule::TakeProfit(0.1)];
        assert_eq!(
            RuleSet::among(&[nested], &[]).expect("valid").list(),
            RuleSet::among(&flat, &[]).expect("valid").list()
        );
    }
}
