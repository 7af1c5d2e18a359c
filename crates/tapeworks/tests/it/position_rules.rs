//! Position rules through the engine; every number by hand.

use tapeworks::broker::{AccountKind, AccountTerms, ExitReason, PositionRule, ScaledOf};
use tapeworks::engine::{EngineConfig, RunLog};

use crate::market::{Act, Market, fills, market, play};

/// The six bars that many of the worked cases share.
const WALK: [[f64; 4]; 6] = [
    [100.0, 101.0, 99.0, 100.5],
    [101.0, 103.0, 100.0, 102.0],
    [102.5, 104.0, 101.0, 103.0],
    [103.0, 105.0, 98.0, 99.0],
    [98.0, 99.0, 95.0, 96.0],
    [96.5, 97.0, 90.0, 91.0],
];

/// Five bars that rise.
const CLIMB: [[f64; 4]; 5] = [
    [100.0, 101.0, 99.0, 100.0],
    [100.0, 102.0, 99.0, 101.0],
    [101.0, 103.0, 100.0, 102.5],
    [103.0, 106.0, 102.0, 105.0],
    [105.0, 107.0, 104.0, 106.0],
];

/// A fill: bar, units, price, and why.
type Fill = (usize, f64, f64, ExitReason);

fn run(market: &Market, acts: &[(usize, Act)], rules: &[PositionRule]) -> RunLog {
    // A margin account, for shorts as for longs.
    let account = AccountTerms { kind: AccountKind::Margin, ..AccountTerms::default() };
    let rules = rules.to_vec();
    play(market, acts, &EngineConfig { rules, account, ..EngineConfig::default() })
}

fn assert_fills(case: &str, log: &RunLog, expected: &[Fill]) {
    let got: Vec<Fill> = fills(log)
        .into_iter()
        .zip(&log.fills)
        .map(|((bar, _, units, price), fill)| (bar, units, price, fill.reason))
        .collect();
    let is_same = got.len() == expected.len()
        && got.iter().zip(expected).all(|(got, want)| {
            (got.0, got.3) == (want.0, want.3)
                && (got.1 - want.1).abs() < 1e-9
                && (got.2 - want.2).abs() < 1e-9
        });
    assert!(is_same, "{case}: fills {got:?}, expected {expected:?}");
}

/// The mirror image of a market around 100.
fn mirrored(bars: &[[f64; 4]]) -> Vec<[f64; 4]> {
    bars.iter().map(|[o, h, l, c]| [200.0 - o, 200.0 - l, 200.0 - h, 200.0 - c]).collect()
}

fn ladder(steps: &[(f64, f64)], of: ScaledOf) -> PositionRule {
    PositionRule::ScaledExit { steps: steps.to_vec(), of }
}

fn signal_exit(threshold: f64) -> PositionRule {
    PositionRule::SignalExit { column: "score".to_owned(), threshold }
}

#[test]
fn time_exit_when_old_enough_then_the_next_open() {
    // entered in bar 1; bar 3 is the second row after it
    let log = run(&Market::one(&WALK), &[(0, market(0, 10.0))], &[PositionRule::TimeExit(2)]);
    let expected = [(1, 10.0, 101.0, ExitReason::Signal), (4, -10.0, 98.0, ExitReason::Time)];
    assert_fills("time", &log, &expected);
}

#[test]
fn time_exit_when_the_strategy_closes_in_the_same_row_then_one_fill() {
    let acts = [(0, market(0, 10.0)), (3, market(0, -10.0))];
    let log = run(&Market::one(&WALK), &acts, &[PositionRule::TimeExit(2)]);
    // the rule stands before the strategy; what is left for it would open a short
    assert_eq!(fills(&log)[1], (4, 0, -10.0, 98.0));
    assert_eq!(log.fills[1].reason, ExitReason::Time);
}

#[test]
fn trails_when_price_turns_then_the_level_of_the_rows_before() {
    let trail = ExitReason::Trailing;
    // best price 101, 103, 104 before bar 3 falls to 98
    let rows = [
        (PositionRule::TighteningTrail(vec![(-1.0, 0.03)]), (3, -10.0, 100.88, trail)),
        (PositionRule::TrailingStop(0.05), (3, -10.0, 98.8, trail)),
        (PositionRule::TrailingAmount(4.0), (3, -10.0, 100.0, trail)),
        // 6.5 below 104 is 97.5, and the best price 105 of bar 3 makes it 98.5 for bar 4
        (PositionRule::TrailingAmount(6.5), (4, -10.0, 98.0, trail)),
        // the close of 103 in bar 2 is 1.98 %: from there 1 % below 104
        (PositionRule::TighteningTrail(vec![(0.0, 0.1), (0.019, 0.01)]), (3, -10.0, 102.96, trail)),
    ];
    for (rule, exit) in rows {
        let log = run(&Market::one(&WALK), &[(0, market(0, 10.0))], std::slice::from_ref(&rule));
        let expected = [(1, 10.0, 101.0, ExitReason::Signal), exit];
        assert_fills(&format!("{rule:?}"), &log, &expected);
    }
}

#[test]
fn ladder_when_the_price_climbs_then_each_step_once_at_its_level() {
    let steps = [(0.02, 0.5), (0.04, 0.5)];
    let scaled = ExitReason::Scaled;
    for (bars, side) in [(CLIMB.to_vec(), 1.0), (mirrored(&CLIMB), -1.0)] {
        let at = |price: f64| 100.0 + side * (price - 100.0);
        for (of, second) in [(ScaledOf::Initial, 50.0), (ScaledOf::Remaining, 25.0)] {
            let acts = [(0, market(0, side * 100.0))];
            let log = run(&Market::one(&bars), &acts, &[ladder(&steps, of)]);
            let expected = [
                (1, side * 100.0, 100.0, ExitReason::Signal),
                (1, -side * 50.0, at(102.0), scaled),
                (3, -side * second, at(104.0), scaled),
            ];
            assert_fills(&format!("{of:?} side {side}"), &log, &expected);
        }
    }
}

#[test]
fn ladder_when_a_row_passes_several_steps_then_all_of_them() {
    let rule = ladder(&[(0.02, 0.25), (0.04, 0.25), (0.08, 0.5)], ScaledOf::Initial);
    let flat = [100.0, 101.0, 99.0, 100.0];
    let scaled = ExitReason::Scaled;
    let enter = (1, 100.0, 100.0, ExitReason::Signal);
    // the open has passed two steps, the third is touched; then all three inside
    let rows = [
        ([105.0, 109.0, 104.0, 106.0], [105.0, 105.0, 108.0]),
        ([101.0, 109.0, 100.0, 106.0], [102.0, 104.0, 108.0]),
    ];
    for (row, prices) in rows {
        let log = run(
            &Market::one(&[flat, flat, row]),
            &[(0, market(0, 100.0))],
            std::slice::from_ref(&rule),
        );
        let expected = [
            enter,
            (2, -25.0, prices[0], scaled),
            (2, -25.0, prices[1], scaled),
            (2, -50.0, prices[2], scaled),
        ];
        assert_fills(&format!("{row:?}"), &log, &expected);
    }
}

#[test]
fn volatility_stop_when_the_open_is_beyond_it_then_the_open() {
    let bars = [[100.0, 101.0, 99.0, 100.0], [100.0, 101.0, 99.0, 100.0], [94.0, 95.0, 92.0, 93.0]];
    let rule = PositionRule::VolatilityStop { multiple: 2.0, column: "atr".to_owned() };
    let enter = (1, 10.0, 100.0, ExitReason::Signal);
    let acts = [(0, market(0, 10.0))];
    let exit = (2, -10.0, 94.0, ExitReason::VolatilityStop);
    // known at the decision, or only at the end of the entry row
    for known_from in [0, 1] {
        let value = |bar: usize, _| if bar >= known_from { 2.0 } else { f64::NAN };
        let tape = Market::one(&bars).with_signal("atr", value);
        let log = run(&tape, &acts, std::slice::from_ref(&rule));
        assert_fills(&format!("from bar {known_from}"), &log, &[enter, exit]);
    }
    // known at the end of bar 2 only: too late for its open
    let tape = Market::one(&bars).with_signal("atr", |bar, _| [f64::NAN, f64::NAN, 2.0][bar]);
    assert_fills("from bar 2", &run(&tape, &acts, &[rule]), &[enter]);
}

#[test]
fn volatility_trail_when_the_column_moves_then_the_value_of_the_row_before() {
    // entry at 101; best price 103, 104; columns 1 of bar 1 and 1.5 of bar 2: 104 - 3 x 1.5 = 99.5
    let tape = Market::one(&WALK).with_signal("atr", |bar, _| [9.0, 1.0, 1.5, 0.1, 1.0, 1.0][bar]);
    let rule = PositionRule::VolatilityTrail { multiple: 3.0, column: "atr".to_owned() };
    let log = run(&tape, &[(0, market(0, 10.0))], &[rule]);
    let expected =
        [(1, 10.0, 101.0, ExitReason::Signal), (3, -10.0, 99.5, ExitReason::VolatilityStop)];
    assert_fills("trail", &log, &expected);
}

#[test]
fn signal_exit_when_the_column_turns_then_the_next_open() {
    let tape = Market::one(&WALK).with_signal("score", |bar, _| if bar == 2 { -0.6 } else { 0.6 });
    let exit = |bar, units, price| (bar, units, price, ExitReason::SignalExit);
    let enter = |units| (1, units, 101.0, ExitReason::Signal);
    let long = run(&tape, &[(0, market(0, 10.0))], &[signal_exit(0.5)]);
    assert_fills("long", &long, &[enter(10.0), exit(3, -10.0, 103.0)]);
    // above the threshold at the close of the entry row already
    let short = run(&tape, &[(0, market(0, -10.0))], &[signal_exit(0.5)]);
    assert_fills("short", &short, &[enter(-10.0), exit(2, 10.0, 102.5)]);
}

#[test]
fn all_when_every_condition_holds_at_a_close_then_the_next_open() {
    let in_loss_and_old =
        PositionRule::All(vec![PositionRule::StopLoss(0.01), PositionRule::TimeExit(1)]);
    // entered at 101: the close of 99 in bar 3 is the first below 99.99
    let log = run(&Market::one(&WALK), &[(0, market(0, 10.0))], &[in_loss_and_old]);
    let expected = [(1, 10.0, 101.0, ExitReason::Signal), (4, -10.0, 98.0, ExitReason::AllRules)];
    assert_fills("all", &log, &expected);
}

#[test]
fn stop_when_tighter_than_the_trail_then_the_nearer_one_names_the_reason() {
    let rules = [PositionRule::TrailingAmount(6.5), PositionRule::StopLoss(0.02)];
    // stop 98.98; the trail follows to 97.5 before bar 3
    let log = run(&Market::one(&WALK), &[(0, market(0, 10.0))], &rules);
    let expected = [(1, 10.0, 101.0, ExitReason::Signal), (3, -10.0, 98.98, ExitReason::StopLoss)];
    assert_fills("stop", &log, &expected);
}
