//! Rules asked once a row with the completed bar, in the order of the list, as peers ask them.
//!
//! Levels are compared with the whole row, returns and signals with its close; where an exit fills
//! follows from [`Semantics::stop_exit_at`], [`Semantics::close_rule_at`] and
//! [`Semantics::trail_rules`].

use super::book::RuleExit;
use super::bound::{Bound, Watched, scaled_quantity};
use crate::broker::bar::Bar;
use crate::broker::semantics::{BothHit, CloseRuleAt, Semantics, StopExitAt, TrailOrder};

/// One completed row of a position's symbol.
#[derive(Clone, Copy)]
pub(super) struct Completed<'a> {
    pub bar: &'a Bar,
    pub value: &'a dyn Fn(usize) -> f64,
    pub semantics: &'a Semantics,
}

/// The first rule of a list that fires; stops before targets where the semantics say so.
pub(super) fn first(
    list: &[Bound],
    watched: &Watched<'_>,
    row: &Completed<'_>,
) -> Option<RuleExit> {
    if row.semantics.both_hit != BothHit::StopFirst {
        return list.iter().find_map(|rule| row.ask(rule, watched));
    }
    let is_target = |rule: &&Bound| matches!(rule, Bound::TakeProfit(_) | Bound::Scaled { .. });
    let stops = list.iter().filter(|rule| !is_target(rule));
    stops.chain(list.iter().filter(is_target)).find_map(|rule| row.ask(rule, watched))
}

impl Completed<'_> {
    fn ask(&self, rule: &Bound, watched: &Watched<'_>) -> Option<RuleExit> {
        // Returns, and levels that only closes meet, are measured from the entry price itself.
        let from_entry = Watched { base: watched.facts.entry_price, ..*watched };
        let side = watched.facts.side;
        let close = self.bar.close;
        match rule {
            Bound::StopLoss(_) => self.stop(rule, rule.adverse(watched), watched),
            Bound::TakeProfit(_) => self.target(rule, watched),
            Bound::Trailing(_) | Bound::TrailingAmount(_) => self.trail(rule, watched),
            Bound::Tightening(_) => {
                let now = Watched { closed: close, ..from_entry };
                self.close_rule(rule, side * close <= side * rule.adverse(&now))
            }
            Bound::VolatilityStop { .. } | Bound::VolatilityTrail { .. } => {
                let level = rule.adverse(&from_entry);
                (side * close <= side * level).then(|| now_at(rule, level))
            }
            Bound::Scaled { steps, of } => {
                let &(rise, fraction) = steps.get(usize::from(watched.step))?;
                let exit = self.close_rule(rule, from_entry.return_at(close) >= rise)?;
                Some(RuleExit { quantity: scaled_quantity(*of, fraction, watched), ..exit })
            }
            Bound::Time(_) | Bound::Signal { .. } => {
                self.close_rule(rule, rule.holds(watched, close, self.value))
            }
            Bound::Any(rules) => {
                let fires = rules.iter().any(|rule| self.ask(rule, watched).is_some());
                self.close_rule(rule, fires)
            }
            Bound::All(rules) => {
                let fires = rules.iter().all(|rule| self.ask(rule, watched).is_some());
                self.close_rule(rule, fires)
            }
        }
    }

    fn stop(&self, rule: &Bound, level: f64, watched: &Watched<'_>) -> Option<RuleExit> {
        let side = watched.facts.side;
        let worst = self.adverse_extreme(side);
        (side * worst <= side * level).then(|| match self.semantics.stop_exit_at {
            StopExitAt::Level => now_at(rule, side * (side * self.bar.open).min(side * level)),
            StopExitAt::Extreme => now_at(rule, worst),
            StopExitAt::Close => now_at(rule, self.bar.close),
            StopExitAt::NextOpen => deferred(rule),
        })
    }

    fn target(&self, rule: &Bound, watched: &Watched<'_>) -> Option<RuleExit> {
        let side = watched.facts.side;
        let level = rule.favourable(watched).0;
        let best = self.favourable_extreme(side);
        (side * best >= side * level).then(|| match self.semantics.stop_exit_at {
            StopExitAt::Level => now_at(rule, side * (side * self.bar.open).max(side * level)),
            StopExitAt::Extreme => now_at(rule, best),
            StopExitAt::Close => now_at(rule, self.bar.close),
            StopExitAt::NextOpen => deferred(rule),
        })
    }

    fn trail(&self, rule: &Bound, watched: &Watched<'_>) -> Option<RuleExit> {
        let side = watched.facts.side;
        let best = side * (side * watched.water).max(side * self.favourable_extreme(side));
        let raised = rule.adverse(&Watched { water: best, ..*watched });
        let level = match self.semantics.trail_rules {
            TrailOrder::UpdateThenTest => raised,
            TrailOrder::TestThenUpdate | TrailOrder::TwoPass => rule.adverse(watched),
        };
        // A trail that the open has passed fills there, whatever it does inside the row.
        let is_gap = side * self.bar.open < side * level
            && self.semantics.stop_exit_at != StopExitAt::NextOpen;
        if is_gap {
            return Some(now_at(rule, self.bar.open));
        }
        self.stop(rule, level, watched).or_else(|| {
            let is_second = self.semantics.trail_rules == TrailOrder::TwoPass
                && side * self.bar.close <= side * raised;
            is_second.then(|| match self.semantics.stop_exit_at {
                StopExitAt::NextOpen => deferred(rule),
                _ => now_at(rule, self.bar.close),
            })
        })
    }

    fn close_rule(&self, rule: &Bound, fires: bool) -> Option<RuleExit> {
        fires.then(|| match self.semantics.close_rule_at {
            CloseRuleAt::NextOpen => RuleExit { by_level: false, ..deferred(rule) },
            CloseRuleAt::SameOpen => RuleExit { by_level: false, ..now_at(rule, self.bar.open) },
            CloseRuleAt::SameClose => RuleExit { by_level: false, ..now_at(rule, self.bar.close) },
        })
    }

    fn adverse_extreme(&self, side: f64) -> f64 {
        if side > 0.0 { self.bar.low } else { self.bar.high }
    }

    fn favourable_extreme(&self, side: f64) -> f64 {
        if side > 0.0 { self.bar.high } else { self.bar.low }
    }
}

fn now_at(rule: &Bound, price: f64) -> RuleExit {
    let (quantity, reason) = (f64::INFINITY, rule.reason());
    RuleExit { quantity, reason, price, is_deferred: false, by_level: true }
}

fn deferred(rule: &Bound) -> RuleExit {
    RuleExit { is_deferred: true, ..now_at(rule, f64::NAN) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::codes::ExitReason;
    use crate::broker::rules::PositionFacts;
    use crate::broker::rules::rule::ScaledOf;

    fn bar([open, high, low, close]: [f64; 4]) -> Bar {
        Bar { open, high, low, close, volume: f64::NAN }
    }

    /// Asks one rule of a position of 10 units from 100, two rows old, with its best price at 110
    /// (90 for a short).
    fn ask(side: f64, rule: &Bound, prices: [f64; 4], semantics: &Semantics) -> Option<RuleExit> {
        let facts = PositionFacts { side, quantity: 10.0, entry_price: 100.0, bars_held: 2 };
        let watched = Watched {
            facts: &facts,
            asset: 0,
            base: 100.0,
            water: 100.0 + side * 10.0,
            closed: f64::NAN,
            first: 10.0,
            step: 0,
            left: f64::NAN,
            columns: &[],
        };
        let bar = bar(prices);
        let row = Completed { bar: &bar, value: &|_| -0.6, semantics };
        first(std::slice::from_ref(rule), &watched, &row)
    }

    fn price(side: f64, rule: &Bound, prices: [f64; 4], semantics: &Semantics) -> f64 {
        ask(side, rule, prices, semantics).map_or(f64::INFINITY, |exit| exit.price)
    }

    /// The mirror image of a row around 100.
    fn mirrored([open, high, low, close]: [f64; 4]) -> [f64; 4] {
        [200.0 - open, 200.0 - low, 200.0 - high, 200.0 - close]
    }

    #[test]
    fn stop_and_target_when_row_gaps_or_touches_then_price_follows_the_knob() {
        // long from 100, stop 95, target 110; rows and prices by hand
        let touched = [98.0, 99.0, 94.0, 96.0];
        let gapped = [93.0, 96.0, 92.0, 95.5];
        let reached = [108.0, 112.0, 107.0, 111.0];
        let beyond = [111.0, 113.0, 109.0, 112.0];
        let rows = [
            (StopExitAt::Level, [95.0, 93.0, 110.0, 111.0]),
            (StopExitAt::Extreme, [94.0, 92.0, 112.0, 113.0]),
            (StopExitAt::Close, [96.0, 95.5, 111.0, 112.0]),
        ];
        let (stop, target) = (Bound::StopLoss(0.05), Bound::TakeProfit(0.1));
        for (stop_exit_at, expected) in rows {
            let semantics = Semantics { stop_exit_at, ..Semantics::REALISTIC };
            let cases = [(&stop, touched), (&stop, gapped), (&target, reached), (&target, beyond)];
            for ((rule, prices), expected) in cases.into_iter().zip(expected) {
                let long = price(1.0, rule, prices, &semantics);
                assert!((long - expected).abs() < 1e-12, "{rule:?} {stop_exit_at:?}: {long}");
                let short = price(-1.0, rule, mirrored(prices), &semantics);
                assert!((short - (200.0 - expected)).abs() < 1e-12, "short {rule:?}: {short}");
            }
        }
        let semantics = Semantics { stop_exit_at: StopExitAt::NextOpen, ..Semantics::REALISTIC };
        let exit = ask(1.0, &stop, touched, &semantics).expect("touched");
        assert!(exit.is_deferred && exit.price.is_nan());
    }

    #[test]
    fn trail_when_the_same_row_raises_it_then_order_decides() {
        // long, best price 110, 5 %: level 104.5 of the rows before; a row with high 120: 114
        let trail = Bound::Trailing(0.05);
        let semantics = |trail_rules| Semantics { trail_rules, ..Semantics::REALISTIC };
        let rows = [
            // untouched before, touched after, close 113 behind the raised level
            ([115.0, 120.0, 112.0, 113.0], f64::INFINITY, 114.0, 113.0),
            // close above the raised level: the second pass holds
            ([115.0, 120.0, 112.0, 119.0], f64::INFINITY, 114.0, f64::INFINITY),
            // the open has passed the level of the rows before
            ([104.0, 106.0, 103.0, 105.0], 104.0, 104.0, 104.0),
            // touched inside, no new high
            ([108.0, 109.0, 104.0, 108.0], 104.5, 104.5, 104.5),
        ];
        for (prices, lagged, raised, two_pass) in rows {
            let got = [TrailOrder::TestThenUpdate, TrailOrder::UpdateThenTest, TrailOrder::TwoPass]
                .map(|order| price(1.0, &trail, prices, &semantics(order)));
            for (got, expected) in got.into_iter().zip([lagged, raised, two_pass]) {
                assert!(got == expected || (got - expected).abs() < 1e-12, "{prices:?}: {got}");
            }
        }
        // short, best price 90, amount 5: level 95; a low of 80 lowers it to 85
        let amount = Bound::TrailingAmount(5.0);
        let prices = [86.0, 88.0, 80.0, 84.0];
        let got = [TrailOrder::TestThenUpdate, TrailOrder::UpdateThenTest, TrailOrder::TwoPass]
            .map(|order| price(-1.0, &amount, prices, &semantics(order)));
        // the open of 86 is beyond the lowered level, the close of 84 is not
        assert_eq!(got, [f64::INFINITY, 86.0, f64::INFINITY]);
    }

    #[test]
    fn close_rules_when_they_fire_then_price_follows_the_knob() {
        let prices = [103.0, 105.0, 98.0, 99.0];
        let rules = [
            (Bound::Time(2), ExitReason::Time),
            (Bound::Signal { column: 0, threshold: 0.5 }, ExitReason::SignalExit),
            (Bound::Tightening(vec![(-1.0, 0.05)]), ExitReason::Trailing),
            (Bound::All(vec![Bound::Time(1), Bound::StopLoss(0.02)]), ExitReason::AllRules),
        ];
        for (rule, reason) in rules {
            for (close_rule_at, expected) in
                [(CloseRuleAt::SameOpen, 103.0), (CloseRuleAt::SameClose, 99.0)]
            {
                let semantics = Semantics { close_rule_at, ..Semantics::REALISTIC };
                let exit = ask(1.0, &rule, prices, &semantics).expect("fires");
                assert_eq!((exit.price, exit.reason, exit.is_deferred), (expected, reason, false));
            }
            let exit = ask(1.0, &rule, prices, &Semantics::REALISTIC).expect("fires");
            assert!(exit.is_deferred, "{rule:?}");
        }
        for held in [Bound::Time(3), Bound::Signal { column: 0, threshold: 0.6 }] {
            assert_eq!(ask(1.0, &held, prices, &Semantics::REALISTIC), None);
        }
    }

    #[test]
    fn ladder_when_the_close_reaches_its_step_then_a_part_closes() {
        // return of the close: 2.5 %, the high is not looked at
        let rule = Bound::Scaled { steps: vec![(0.02, 0.3), (0.04, 0.5)], of: ScaledOf::Remaining };
        let semantics = Semantics { close_rule_at: CloseRuleAt::SameOpen, ..Semantics::REALISTIC };
        let exit = ask(1.0, &rule, [101.0, 106.0, 100.0, 102.5], &semantics).expect("2.5 %");
        assert_eq!((exit.quantity, exit.price, exit.reason), (3.0, 101.0, ExitReason::Scaled));
        assert_eq!(ask(1.0, &rule, [101.0, 106.0, 100.0, 101.9], &semantics), None);
    }
}
