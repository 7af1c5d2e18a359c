//! Rules that rest in the market or wait for closes, each by hand calculation.

use proptest::prelude::*;

use super::{Level, PositionFacts, PositionRule, RuleBook, RuleEntry, RuleSet, ScaledOf};
use crate::base::AssetId;
use crate::broker::bar::{Bar, Quotes};
use crate::broker::codes::ExitReason;

const ASSET: AssetId = AssetId(1);
const N_ASSETS: usize = 2;

/// One row of the asset under test, with a value in every column.
struct Row {
    value: f64,
}

impl Quotes for Row {
    fn tradable(&self, asset: AssetId) -> Option<Bar> {
        self.bar(asset)
    }

    fn range(&self, asset: AssetId) -> Option<(f64, f64)> {
        (asset == ASSET).then_some((1.0, 1.0))
    }

    fn bar(&self, asset: AssetId) -> Option<Bar> {
        let bar = Bar { open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: 1.0 };
        (asset == ASSET).then_some(bar)
    }

    fn value(&self, asset: AssetId, _column: usize) -> f64 {
        if asset == ASSET { self.value } else { f64::NAN }
    }
}

fn facts(side: f64, quantity: f64, entry_price: f64, bars_held: u32) -> PositionFacts {
    PositionFacts { side, quantity, entry_price, bars_held }
}

fn book(rules: &[PositionRule]) -> RuleBook {
    RuleBook::new(RuleSet::among(rules, &["atr", "score"]).expect("valid rules"), N_ASSETS)
}

fn enter(book: &mut RuleBook, side: f64, price: f64, quantity: f64) -> PositionFacts {
    let facts = facts(side, quantity, price, 0);
    book.enter(ASSET, &RuleEntry { base: price, water: price, is_new: true }, &facts);
    facts
}

fn adverse(book: &RuleBook, facts: &PositionFacts) -> f64 {
    book.levels(ASSET, facts).0.map_or(f64::NAN, |level| level.price)
}

fn favourable(book: &RuleBook, facts: &PositionFacts) -> f64 {
    book.levels(ASSET, facts).1.map_or(f64::NAN, |level| level.price)
}

fn is_close(got: f64, expected: f64) -> bool {
    (got.is_nan() && expected.is_nan()) || (got - expected).abs() < 1e-12
}

fn end_row(book: &mut RuleBook, facts: &PositionFacts, best: f64, close: f64, value: f64) -> bool {
    let moves = book.end_row(ASSET, facts, best, close, &Row { value });
    if book.needs_memory() {
        book.remember(&Row { value });
    }
    moves
}

fn volatility_stop(multiple: f64) -> PositionRule {
    PositionRule::VolatilityStop { multiple, column: "atr".to_owned() }
}

fn volatility_trail(multiple: f64) -> PositionRule {
    PositionRule::VolatilityTrail { multiple, column: "atr".to_owned() }
}

fn ladder(steps: &[(f64, f64)], of: ScaledOf) -> PositionRule {
    PositionRule::ScaledExit { steps: steps.to_vec(), of }
}

#[test]
fn levels_when_one_rule_then_each_side_has_its_price() {
    use PositionRule::{StopLoss, TakeProfit, TrailingAmount, TrailingStop};
    let nan = f64::NAN;
    // rule, side, entry, best, adverse, favourable
    let rows = [
        (StopLoss(0.05), 1.0, 100.0, 110.0, 95.0, nan),
        (StopLoss(0.05), -1.0, 100.0, 90.0, 105.0, nan),
        (StopLoss(0.05), 1.0, -10.0, -8.0, -10.5, nan),
        (StopLoss(0.05), -1.0, -10.0, -12.0, -9.5, nan),
        (TakeProfit(0.1), 1.0, 100.0, 101.0, nan, 110.0),
        (TakeProfit(0.1), -1.0, 100.0, 99.0, nan, 90.0),
        (TakeProfit(0.1), 1.0, -10.0, -9.5, nan, -9.0),
        (TakeProfit(0.1), -1.0, -10.0, -10.5, nan, -11.0),
        (TrailingStop(0.05), 1.0, 100.0, 110.0, 104.5, nan),
        (TrailingStop(0.05), -1.0, 100.0, 90.0, 94.5, nan),
        (TrailingStop(0.05), 1.0, -10.0, -8.0, -8.4, nan),
        (TrailingAmount(4.0), 1.0, 100.0, 110.0, 106.0, nan),
        (TrailingAmount(4.0), -1.0, 100.0, 90.0, 94.0, nan),
    ];
    for (rule, side, entry, best, expected_adverse, expected_favourable) in rows {
        let mut book = book(std::slice::from_ref(&rule));
        let facts = enter(&mut book, side, entry, 10.0);
        end_row(&mut book, &facts, best, best, nan);
        let what = format!("{rule:?} side {side} from {entry}");
        assert!(is_close(adverse(&book, &facts), expected_adverse), "{what}");
        assert!(is_close(favourable(&book, &facts), expected_favourable), "{what}");
        book.leave(ASSET);
        assert_eq!(book.levels(ASSET, &facts), (None, None), "{what}");
    }
}

#[test]
fn levels_when_prices_are_equal_then_stop_before_trail_and_target_before_ladder() {
    let rules = [
        PositionRule::TrailingAmount(5.0),
        ladder(&[(0.1, 0.5)], ScaledOf::Initial),
        PositionRule::StopLoss(0.05),
        PositionRule::TakeProfit(0.1),
    ];
    let mut book = book(&rules);
    let facts = enter(&mut book, 1.0, 100.0, 10.0);
    let (stop, target) = book.levels(ASSET, &facts);
    assert_eq!(stop.expect("two stops").reason, ExitReason::StopLoss);
    assert_eq!(target.expect("two targets").reason, ExitReason::TakeProfit);
    assert_eq!(book.first_levels(ASSET, 1.0), (95.0, 110.000_000_000_000_01));
}

#[test]
fn end_row_when_only_fixed_levels_then_nothing_moves() {
    let mut fixed = book(&[PositionRule::StopLoss(0.05), PositionRule::TakeProfit(0.1)]);
    let facts = enter(&mut fixed, 1.0, 100.0, 10.0);
    assert!(!end_row(&mut fixed, &facts, 104.0, 103.0, 2.0));
    let mut trail = book(&[PositionRule::TrailingStop(0.05)]);
    enter(&mut trail, 1.0, 100.0, 10.0);
    assert!(end_row(&mut trail, &facts, 104.0, 103.0, 2.0));
    assert!(!end_row(&mut trail, &facts, 104.0, 103.0, 2.0));
    assert!(!end_row(&mut trail, &facts, f64::NAN, 103.0, 2.0));
}

#[test]
fn tightening_when_returns_rise_and_fall_then_the_previous_close_picks_the_distance() {
    // oracle input 34 under `realistic`: the best price goes 101, 103, 104; 3 % below is 100.88
    let mut one = book(&[PositionRule::TighteningTrail(vec![(-1.0, 0.03)])]);
    let position = enter(&mut one, 1.0, 101.0, 10.0);
    for (high, close) in [(103.0, 102.0), (104.0, 103.0)] {
        assert!(end_row(&mut one, &position, high, close, f64::NAN));
    }
    assert!(is_close(adverse(&one, &position), 100.88));

    let steps = vec![(0.05, 0.04), (0.1, 0.02)];
    let mut book = book(&[PositionRule::TighteningTrail(steps)]);
    let position = enter(&mut book, 1.0, 100.0, 10.0);
    // best price, close, level of the next row
    let rows = [(102.0, 101.0, 97.92), (112.0, 110.0, 109.76), (112.0, 104.0, 107.52)];
    assert!(is_close(adverse(&book, &position), 96.0));
    for (high, close, expected) in rows {
        end_row(&mut book, &position, high, close, f64::NAN);
        assert!(is_close(adverse(&book, &position), expected), "after a close of {close}");
    }
    // short from 100: a close of 90 is 10 %
    let position = enter(&mut book, -1.0, 100.0, 10.0);
    end_row(&mut book, &position, 89.0, 90.0, f64::NAN);
    assert!(is_close(adverse(&book, &position), 90.78));
}

#[test]
fn volatility_stop_when_column_is_missing_then_the_first_later_value_counts() {
    let mut book = book(&[volatility_stop(2.0)]);
    let flat = facts(1.0, 0.0, f64::NAN, 0);
    assert!(book.needs_memory());
    // decided at a row with 2.0: 4 below the entry
    book.remember(&Row { value: 2.0 });
    let position = enter(&mut book, 1.0, 100.0, 10.0);
    assert!(is_close(adverse(&book, &position), 96.0));
    assert!(is_close(book.first_levels(ASSET, 1.0).0, 96.0));
    // later values do not move it; an add moves the base alone
    assert!(end_row(&mut book, &position, 101.0, 100.0, 3.0));
    assert!(is_close(adverse(&book, &position), 96.0));
    let add = RuleEntry { base: 102.0, water: 104.0, is_new: false };
    book.enter(ASSET, &add, &facts(1.0, 20.0, 102.0, 1));
    assert!(is_close(adverse(&book, &position), 98.0));
    book.leave(ASSET);

    // the decision row has no value although the row before it had one
    book.remember(&Row { value: f64::NAN });
    let position = enter(&mut book, -1.0, 100.0, 10.0);
    assert_eq!(book.levels(ASSET, &position), (None, None));
    assert!(!end_row(&mut book, &position, 99.0, 99.0, f64::NAN));
    assert_eq!(book.levels(ASSET, &position), (None, None));
    assert!(end_row(&mut book, &position, 99.0, 99.0, 1.5));
    assert!(is_close(adverse(&book, &position), 103.0));
    end_row(&mut book, &position, 99.0, 99.0, 9.0);
    assert!(is_close(adverse(&book, &position), 103.0));
    assert_eq!(book.levels(AssetId(0), &flat), (None, None));
}

#[test]
fn volatility_trail_when_a_value_is_missing_then_the_last_one_stays() {
    let mut book = book(&[volatility_trail(3.0)]);
    book.remember(&Row { value: 1.0 });
    let position = enter(&mut book, 1.0, 100.0, 10.0);
    assert!(is_close(adverse(&book, &position), 97.0));
    // best price, value of the row, level of the next row
    let rows = [(104.0, 2.0, 98.0), (104.0, f64::NAN, 98.0), (105.0, 1.0, 102.0)];
    for (high, value, expected) in rows {
        end_row(&mut book, &position, high, 100.0, value);
        assert!(is_close(adverse(&book, &position), expected), "{high} {value}");
    }
}

#[test]
fn ladder_when_steps_fire_then_each_closes_its_part_once() {
    let steps = [(0.02, 0.5), (0.04, 0.3), (0.06, 0.5)];
    // what the fractions are of; units closed by each step of 100, by hand
    let rows = [(ScaledOf::Initial, [50.0, 30.0, 20.0]), (ScaledOf::Remaining, [50.0, 15.0, 17.5])];
    for (of, expected) in rows {
        for side in [1.0, -1.0] {
            let mut book = book(&[ladder(&steps, of)]);
            let mut position = enter(&mut book, side, 100.0, 100.0);
            for (&(rise, _), quantity) in steps.iter().zip(expected) {
                let level = book.levels(ASSET, &position).1.expect("a step is left");
                assert!(is_close(level.price, 100.0 * (1.0 + side * rise)));
                assert!(is_close(level.quantity, quantity), "{of:?} at {rise}");
                assert_eq!(level.reason, ExitReason::Scaled);
                book.step(ASSET, &level);
                position.quantity -= level.quantity;
            }
            assert_eq!(book.levels(ASSET, &position), (None, None));
            // the next position starts at the first step
            book.leave(ASSET);
            let position = enter(&mut book, side, 100.0, 10.0);
            let level = book.levels(ASSET, &position).1.expect("the first step");
            assert!(is_close(level.quantity, 5.0));
        }
    }
}

#[test]
fn fill_part_when_volume_is_short_then_the_step_waits_for_its_rest() {
    let steps = [(0.02, 0.5), (0.04, 0.5)];
    // what is left of the first step of 50 after 20 units; the second step after the rest
    for (of, second) in [(ScaledOf::Initial, 50.0), (ScaledOf::Remaining, 25.0)] {
        let mut book = book(&[ladder(&steps, of)]);
        let mut position = enter(&mut book, 1.0, 100.0, 100.0);
        let level = book.levels(ASSET, &position).1.expect("the first step");
        book.fill_part(ASSET, &level, 20.0, level.quantity);
        position.quantity = 80.0;
        let level = book.levels(ASSET, &position).1.expect("the first step still");
        assert!(is_close(level.quantity, 30.0) && is_close(level.price, 102.0), "{of:?}");
        book.step(ASSET, &level);
        position.quantity = 50.0;
        let level = book.levels(ASSET, &position).1.expect("the second step");
        assert!(is_close(level.quantity, second) && is_close(level.price, 104.0), "{of:?}");
    }
}

#[test]
fn step_when_another_rule_has_fired_then_the_ladder_stays() {
    let mut book = book(&[ladder(&[(0.02, 0.5)], ScaledOf::Initial)]);
    let position = enter(&mut book, 1.0, 100.0, 10.0);
    let stop = Level { price: 95.0, quantity: 5.0, reason: ExitReason::StopLoss };
    book.step(ASSET, &stop);
    assert!(is_close(favourable(&book, &position), 102.0));
}

#[test]
fn at_close_when_conditions_hold_then_everything_closes_at_the_next_open() {
    let signal = |threshold| PositionRule::SignalExit { column: "score".to_owned(), threshold };
    let in_profit_and_old =
        PositionRule::All(vec![PositionRule::TakeProfit(0.0), PositionRule::TimeExit(5)]);
    let stop_or_signal = PositionRule::All(vec![
        PositionRule::TimeExit(1),
        PositionRule::Any(vec![PositionRule::StopLoss(0.02), signal(0.5)]),
    ]);
    let all = Some(ExitReason::AllRules);
    let by_signal = Some(ExitReason::SignalExit);
    // rule, side, rows held, close, score, verdict; entry at 100
    let rows = [
        (PositionRule::TimeExit(2), 1.0, 1, 100.0, 0.0, None),
        (PositionRule::TimeExit(2), 1.0, 2, 100.0, 0.0, Some(ExitReason::Time)),
        (PositionRule::TimeExit(2), -1.0, 3, 100.0, 0.0, Some(ExitReason::Time)),
        (signal(0.5), 1.0, 0, 100.0, -0.5, None),
        (signal(0.5), 1.0, 0, 100.0, -0.6, by_signal),
        (signal(0.5), 1.0, 0, 100.0, 0.6, None),
        (signal(0.5), -1.0, 0, 100.0, 0.6, by_signal),
        (signal(0.5), -1.0, 0, 100.0, -0.6, None),
        (signal(0.0), 1.0, 0, 100.0, f64::NAN, None),
        (in_profit_and_old.clone(), 1.0, 5, 100.0, 0.0, all),
        (in_profit_and_old.clone(), 1.0, 4, 101.0, 0.0, None),
        (in_profit_and_old.clone(), 1.0, 5, 99.9, 0.0, None),
        (in_profit_and_old, -1.0, 5, 99.9, 0.0, all),
        (stop_or_signal.clone(), 1.0, 1, 98.0, 0.0, all),
        (stop_or_signal.clone(), 1.0, 1, 99.0, -1.0, all),
        (stop_or_signal.clone(), 1.0, 1, 99.0, f64::NAN, None),
        (stop_or_signal, 1.0, 0, 90.0, -1.0, None),
    ];
    for (rule, side, bars_held, close, value, expected) in rows {
        let mut book = book(std::slice::from_ref(&rule));
        enter(&mut book, side, 100.0, 10.0);
        assert!(book.needs_close(ASSET));
        let position = facts(side, 10.0, 100.0, bars_held);
        assert_eq!(book.levels(ASSET, &position), (None, None), "{rule:?} does not rest");
        let exit = book.at_close(ASSET, &position, close, &Row { value });
        assert_eq!(exit.map(|exit| exit.reason), expected, "{rule:?} {side} {close} {value}");
        if let Some(exit) = exit {
            assert!(exit.is_deferred && exit.price.is_nan() && exit.quantity.is_infinite());
        }
    }
}

#[test]
fn at_close_when_resting_rules_are_in_the_list_then_they_are_not_asked() {
    let mut book = book(&[PositionRule::StopLoss(0.05), PositionRule::TimeExit(3)]);
    enter(&mut book, 1.0, 100.0, 10.0);
    let position = facts(1.0, 10.0, 100.0, 2);
    assert_eq!(book.at_close(ASSET, &position, 50.0, &Row { value: 0.0 }), None);
    let resting = self::book(&[PositionRule::StopLoss(0.05)]);
    assert!(!resting.needs_close(ASSET) && !resting.needs_memory());
}

#[test]
fn set_when_a_symbol_has_its_own_rules_then_they_replace_those_of_the_run() {
    let mut book = book(&[PositionRule::StopLoss(0.05), ladder(&[(0.1, 0.5)], ScaledOf::Initial)]);
    let position = enter(&mut book, 1.0, 100.0, 10.0);
    let step = book.levels(ASSET, &position).1.expect("a step");
    book.step(ASSET, &step);
    let own = [PositionRule::StopLoss(0.1), ladder(&[(0.2, 0.5)], ScaledOf::Initial)];
    book.set(Some(ASSET), RuleSet::among(&own, &[]).expect("valid"));
    assert!(is_close(adverse(&book, &position), 90.0));
    assert!(is_close(favourable(&book, &position), 120.0));
    book.set(None, RuleSet::default());
    assert!(book.is_active());
    book.set(Some(ASSET), RuleSet::default());
    assert!(!book.is_active());
}

#[test]
fn split_when_two_for_one_then_prices_halve_and_units_double() {
    let rules = [
        PositionRule::StopLoss(0.05),
        volatility_trail(1.0),
        ladder(&[(0.02, 0.5), (0.04, 0.5)], ScaledOf::Initial),
    ];
    let mut book = book(&rules);
    book.remember(&Row { value: 2.0 });
    enter(&mut book, 1.0, 100.0, 10.0);
    book.split(ASSET, 2.0);
    let position = facts(1.0, 20.0, 50.0, 0);
    // the trail of 1.0 below 50 comes before the stop of 5 %
    assert!(is_close(adverse(&book, &position), 49.0));
    let step = book.levels(ASSET, &position).1.expect("a step");
    assert!(is_close(step.price, 51.0) && is_close(step.quantity, 10.0));
}

/// The adverse and favourable prices of one rule, straight from the definitions.
fn naive(rule: &PositionRule, side: f64, base: f64, water: f64, value: f64) -> (f64, f64) {
    let size = |price: f64| price.abs();
    match rule {
        PositionRule::StopLoss(x) => (base - side * x * size(base), f64::NAN),
        PositionRule::TrailingStop(x) => (water - side * x * size(water), f64::NAN),
        PositionRule::TrailingAmount(a) => (water - side * a, f64::NAN),
        PositionRule::VolatilityStop { multiple, .. } => (base - side * multiple * value, f64::NAN),
        PositionRule::VolatilityTrail { multiple, .. } => {
            (water - side * multiple * value, f64::NAN)
        }
        PositionRule::TakeProfit(x) => (f64::NAN, base + side * x * size(base)),
        PositionRule::ScaledExit { steps, .. } => (f64::NAN, base + side * steps[0].0 * size(base)),
        _ => (f64::NAN, f64::NAN),
    }
}

fn any_resting() -> impl Strategy<Value = PositionRule> {
    // A coarse grid, so that equal levels are frequent.
    (0_u8..6, 1_u8..5).prop_map(|(kind, step)| {
        let x = f64::from(step) * 0.05;
        match kind {
            0 => PositionRule::StopLoss(x),
            1 => PositionRule::TrailingStop(x),
            2 => PositionRule::TrailingAmount(100.0 * x),
            3 => volatility_stop(10.0 * x),
            4 => volatility_trail(10.0 * x),
            _ => PositionRule::TakeProfit(x),
        }
    })
}

proptest! {
    #[test]
    fn levels_when_many_rules_then_the_nearest_of_a_plain_scan(
        mut rules in prop::collection::vec(any_resting(), 0..6),
        step in prop::option::of(1_u8..5),
        is_long in any::<bool>(),
        is_negative in any::<bool>(),
        gain in 0_u8..4,
    ) {
        let side = if is_long { 1.0 } else { -1.0 };
        let base = if is_negative { -100.0 } else { 100.0 };
        let water = base + side * 5.0 * f64::from(gain);
        let value = 10.0;
        if let Some(step) = step {
            rules.push(ladder(&[(f64::from(step) * 0.05, 0.5)], ScaledOf::Initial));
        }
        let mut book = book(&rules);
        if book.needs_memory() {
            book.remember(&Row { value });
        }
        let position = enter(&mut book, side, base, 10.0);
        end_row(&mut book, &position, water, water, value);
        let all: Vec<(f64, f64)> =
            rules.iter().map(|rule| naive(rule, side, base, water, value)).collect();
        // f64::max and f64::min pass over NaN.
        let nearest_stop = all.iter().fold(f64::NAN, |best, one| best.max(side * one.0));
        let nearest_target = all.iter().fold(f64::NAN, |best, one| best.min(side * one.1));
        let (stop, target) = book.levels(ASSET, &position);
        let near = |got: Option<Level>, expected: f64| match got {
            Some(level) => (side * level.price - expected).abs() < 1e-9,
            None => expected.is_nan(),
        };
        prop_assert!(near(stop, nearest_stop), "{stop:?} {nearest_stop}");
        prop_assert!(near(target, nearest_target), "{target:?} {nearest_target}");
    }
}
