//! Room `broker`: what fills, where, and what is refused; every number by hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tapeworks::base::{AssetId, Result};
use tapeworks::broker::{
    CancelReason, Commission, ExitReason, FillFlags, Lots, OrderEventKind, OrderStatus, Phase,
    PositionRule, RejectCode, Slippage,
};
use tapeworks::engine::{
    EngineConfig, Flow, OrderRequest, RejectionRow, RunLog, Size, Slice, Strategy, Trader, run,
};

use crate::market::{Act, Market, bar_of, fills, limit, market, percent, play, reduce_only, stop};

const FLAT: [f64; 4] = [100.0, 100.0, 100.0, 100.0];

/// The six bars that many of the worked cases share.
const WALK: [[f64; 4]; 6] = [
    [100.0, 101.0, 99.0, 100.5],
    [101.0, 103.0, 100.0, 102.0],
    [102.5, 104.0, 101.0, 103.0],
    [103.0, 105.0, 98.0, 99.0],
    [98.0, 99.0, 95.0, 96.0],
    [96.5, 97.0, 90.0, 91.0],
];

/// Six bars that fall, gap down and recover.
const DIP: [[f64; 4]; 6] = [
    [100.0, 101.0, 99.0, 100.0],
    [100.0, 100.5, 98.5, 99.0],
    [99.0, 99.5, 97.0, 98.0],
    [95.0, 96.0, 94.0, 95.0],
    [96.0, 99.0, 95.5, 98.0],
    [98.0, 104.0, 97.0, 103.0],
];

/// Six bars that rise, gap up, and gap down.
const PEAK: [[f64; 4]; 6] = [
    [100.0, 101.0, 99.0, 100.0],
    [100.0, 102.0, 99.5, 101.0],
    [101.0, 104.0, 100.5, 103.5],
    [106.0, 107.0, 105.0, 106.0],
    [106.0, 106.5, 101.0, 102.0],
    [97.0, 98.0, 95.0, 96.0],
];

/// Two symbols over five bars.
fn pair() -> Market {
    let a = [100.0, 101.0, 99.0, 100.0];
    let late_a = [110.0, 111.0, 109.0, 110.0];
    let b = [50.0, 51.0, 49.0, 50.0];
    let late_b = [52.0, 53.0, 51.0, 52.0];
    Market::many(&[
        ("A", &[a, a, late_a, late_a, late_a].map(Some)),
        ("B", &[b, b, b, late_b, late_b].map(Some)),
    ])
}

/// Name, market, acts, terms, fills.
type Case = (&'static str, Market, Vec<(usize, Act)>, EngineConfig, Vec<(usize, u32, f64, f64)>);

fn plain() -> EngineConfig {
    EngineConfig::default()
}

fn cash(cash: f64) -> EngineConfig {
    EngineConfig { cash, ..plain() }
}

fn rules(rules: &[PositionRule]) -> EngineConfig {
    EngineConfig { rules: rules.to_vec(), ..plain() }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

fn assert_fills(case: &str, log: &RunLog, expected: &[(usize, u32, f64, f64)]) {
    let got = fills(log);
    let same = got.len() == expected.len()
        && got.iter().zip(expected).all(|(got, want)| {
            (got.0, got.1) == (want.0, want.1) && close(got.2, want.2) && close(got.3, want.3)
        });
    assert!(same, "{case}: fills {got:?}, expected {expected:?}");
}

fn final_state(log: &RunLog) -> (f64, f64) {
    (*log.states.cash.last().unwrap(), *log.states.equity.last().unwrap())
}

/// The row of one bar in which an order is tested, and what must come of it.
#[test]
fn order_when_gap_touch_or_miss_then_price_phase_and_flags() {
    let (open, inside) = (Phase::Open, Phase::Inside);
    let maker = FillFlags::MAKER;
    let touched = maker.with(FillFlags::TOUCH_ONLY);
    let taker = FillFlags::default();
    let buy = |act: fn(u32, f64, f64) -> Act, level| act(0, 10.0, level);
    let sell = |act: fn(u32, f64, f64) -> Act, level| act(0, -10.0, level);
    // order, tested row (open, high, low, close), price, phase, flags
    let rows = [
        (market(0, 10.0), [103.0, 105.0, 99.0, 104.0], Some((103.0, open, taker))),
        (market(0, -10.0), [103.0, 105.0, 99.0, 104.0], Some((103.0, open, taker))),
        (buy(limit, 98.0), [95.0, 99.0, 94.0, 96.0], Some((95.0, open, taker))),
        (buy(limit, 98.0), [98.0, 99.0, 97.0, 98.0], Some((98.0, open, taker))),
        (buy(limit, 98.0), [100.0, 101.0, 97.0, 99.0], Some((98.0, inside, maker))),
        (buy(limit, 98.0), [100.0, 101.0, 98.0, 99.0], Some((98.0, inside, touched))),
        (buy(limit, 98.0), [100.0, 101.0, 98.5, 99.0], None),
        (sell(limit, 102.0), [105.0, 106.0, 101.0, 104.0], Some((105.0, open, taker))),
        (sell(limit, 102.0), [102.0, 103.0, 101.0, 102.0], Some((102.0, open, taker))),
        (sell(limit, 102.0), [100.0, 103.0, 99.0, 101.0], Some((102.0, inside, maker))),
        (sell(limit, 102.0), [100.0, 102.0, 99.0, 101.0], Some((102.0, inside, touched))),
        (sell(limit, 102.0), [100.0, 101.5, 99.0, 101.0], None),
        (buy(stop, 102.0), [105.0, 106.0, 101.0, 104.0], Some((105.0, open, taker))),
        (buy(stop, 102.0), [102.0, 103.0, 101.0, 102.0], Some((102.0, open, taker))),
        (buy(stop, 102.0), [100.0, 103.0, 99.0, 101.0], Some((102.0, inside, taker))),
        (buy(stop, 102.0), [100.0, 102.0, 99.0, 101.0], Some((102.0, inside, taker))),
        (buy(stop, 102.0), [100.0, 101.5, 99.0, 101.0], None),
        (sell(stop, 98.0), [95.0, 99.0, 94.0, 96.0], Some((95.0, open, taker))),
        (sell(stop, 98.0), [98.0, 99.0, 97.0, 98.0], Some((98.0, open, taker))),
        (sell(stop, 98.0), [100.0, 101.0, 97.0, 99.0], Some((98.0, inside, taker))),
        (sell(stop, 98.0), [100.0, 101.0, 98.0, 99.0], Some((98.0, inside, taker))),
        (sell(stop, 98.0), [100.0, 101.0, 98.5, 99.0], None),
    ];
    for (act, row, expected) in rows {
        let case = format!("{act:?} in {row:?}");
        let log =
            play(&Market::one(&[FLAT, FLAT, row]), &[(0, market(0, 10.0)), (1, act)], &plain());
        let got = log.fills.get(1).map(|fill| (fill.price, fill.phase, fill.flags));
        assert_eq!(got, expected, "{case}");
        if got.is_none() {
            assert_eq!(log.orders[1].status, OrderStatus::LiveAtEnd, "{case}");
        }
    }
}

#[test]
fn order_when_row_is_missing_or_broken_then_it_waits() {
    let nan = f64::NAN;
    // row of bar 1, whether the order of bar 0 fills in it
    let rows = [
        (Some([100.0, 101.0, 99.0, 100.0]), 1e3, true),
        (Some([100.0, 101.0, 99.0, 100.0]), nan, true),
        (None, 1e3, false),
        (Some([100.0, 101.0, 99.0, 100.0]), 0.0, false),
        (Some([nan, 101.0, 99.0, 100.0]), 1e3, false),
        (Some([100.0, nan, 99.0, 100.0]), 1e3, false),
        (Some([100.0, 101.0, nan, 100.0]), 1e3, false),
        (Some([100.0, 101.0, 99.0, nan]), 1e3, false),
        (Some([102.0, 101.0, 99.0, 100.0]), 1e3, false),
        (Some([100.0, 101.0, 100.5, 101.0]), 1e3, false),
    ];
    for (row, volume, fills_there) in rows {
        let mut market_of =
            Market::many(&[("A", &[Some(FLAT), row, Some(FLAT)]), ("B", &[Some(FLAT); 3])]);
        for row in market_of.rows.iter_mut().filter(|row| row.bar == 1 && row.asset == 0) {
            row.volume = volume;
        }
        let log = play(&market_of, &[(0, market(0, 10.0))], &plain());
        let bar = if fills_there { 1 } else { 2 };
        assert_fills(&format!("{row:?} volume {volume}"), &log, &[(bar, 0, 10.0, 100.0)]);
    }
}

/// The worked values of the contract: market, acts, terms, fills.
#[test]
fn worked_values_when_played_then_fills_are_those_of_the_contract() {
    use PositionRule::{StopLoss, TakeProfit, TrailingStop};
    let entry = (0, market(0, 10.0));
    let flat_low = |low| [100.0, 101.0, low, 100.0];
    let fall = [
        flat_low(99.0),
        [100.0, 101.0, 94.0, 99.0],
        [99.0, 99.5, 96.0, 97.0],
        [97.0, 98.0, 94.0, 95.5],
        [95.25, 96.0, 93.0, 94.0],
        [94.0, 95.0, 93.0, 94.0],
    ];
    let gap = [flat_low(99.0), flat_low(99.0), [92.0, 93.0, 91.0, 92.0], [92.0, 93.0, 91.0, 92.0]];
    let rise = [
        flat_low(99.0),
        [102.0, 103.0, 101.0, 102.0],
        [103.0, 104.0, 102.0, 103.5],
        [104.0, 113.0, 103.0, 112.0],
        [112.0, 114.0, 111.0, 113.0],
        [120.0, 121.0, 119.0, 120.0],
    ];
    let wide = [flat_low(99.0), flat_low(99.0), [100.0, 112.0, 93.0, 100.0], flat_low(99.0)];
    let trail = [
        flat_low(99.0),
        [100.0, 104.0, 99.0, 103.0],
        [103.0, 110.0, 102.0, 108.0],
        [108.0, 109.0, 104.6, 105.0],
        [105.0, 106.0, 102.0, 103.0],
        [103.0, 104.0, 97.0, 98.0],
    ];
    let slip = EngineConfig { slippage: Slippage::Percent { bps: 10.0 }, ..plain() };
    let fractional = EngineConfig { lots: Lots::Fractional, ..plain() };
    let value =
        OrderRequest { size: Size::Value(100_500.0), ..OrderRequest::market(AssetId(0), 0.0) };
    let one = Market::one;
    #[rustfmt::skip]
    let cases: Vec<Case> = vec![
        ("01", one(&WALK), vec![(0, market(0, 100.0)), (2, Act::Close(0, 1.0))], plain(),
            vec![(1, 0, 100.0, 101.0), (3, 0, -100.0, 103.0)]),
        ("04", one(&DIP), vec![(0, limit(0, 10.0, 97.5)), (4, Act::Close(0, 1.0))], plain(),
            vec![(2, 0, 10.0, 97.5), (5, 0, -10.0, 98.0)]),
        ("05", one(&DIP), vec![(0, limit(0, 10.0, 96.5))], plain(), vec![(3, 0, 10.0, 95.0)]),
        ("07", one(&PEAK), vec![(0, stop(0, 10.0, 103.0))], plain(), vec![(2, 0, 10.0, 103.0)]),
        ("09", one(&PEAK), vec![entry.clone(), (3, stop(0, -10.0, 100.0))], plain(),
            vec![(1, 0, 10.0, 100.0), (5, 0, -10.0, 97.0)]),
        ("14", one(&fall), vec![entry.clone()], rules(&[StopLoss(0.05)]),
            vec![(1, 0, 10.0, 100.0), (1, 0, -10.0, 95.0)]),
        ("15", one(&gap), vec![entry.clone()], rules(&[StopLoss(0.05)]),
            vec![(1, 0, 10.0, 100.0), (2, 0, -10.0, 92.0)]),
        ("17", one(&rise), vec![entry.clone()], rules(&[TakeProfit(0.1)]),
            vec![(1, 0, 10.0, 102.0), (3, 0, -10.0, 112.2)]),
        ("19", one(&rise), vec![entry.clone()], rules(&[TakeProfit(0.15)]),
            vec![(1, 0, 10.0, 102.0), (5, 0, -10.0, 120.0)]),
        ("20", one(&wide), vec![entry.clone()], rules(&[StopLoss(0.05), TakeProfit(0.1)]),
            vec![(1, 0, 10.0, 100.0), (2, 0, -10.0, 95.0)]),
        ("21", one(&wide), vec![entry.clone()], rules(&[TakeProfit(0.1), StopLoss(0.05)]),
            vec![(1, 0, 10.0, 100.0), (2, 0, -10.0, 95.0)]),
        ("22", one(&trail), vec![entry.clone()], rules(&[TrailingStop(0.05)]),
            vec![(1, 0, 10.0, 100.0), (4, 0, -10.0, 104.5)]),
        ("40", one(&WALK), vec![(0, market(0, 500.0)), (2, Act::Close(0, 1.0))], slip.clone(),
            vec![(1, 0, 500.0, 101.101), (3, 0, -500.0, 102.897)]),
        ("42", one(&WALK), vec![(0, market(0, 100.0)), (1, Act::Close(0, 0.5)), (2, Act::Close(0, 0.5))], plain(),
            vec![(1, 0, 100.0, 101.0), (2, 0, -50.0, 102.5), (3, 0, -25.0, 103.0)]),
        ("49", one(&WALK), vec![(0, Act::Order(value))], plain(), vec![(1, 0, 990.0, 101.0)]),
        ("54", one(&WALK), vec![(0, market(0, 10.9))], plain(), vec![(1, 0, 10.0, 101.0)]),
        ("55", one(&WALK), vec![(0, market(0, 10.9)), (2, Act::Close(0, 1.0))], fractional,
            vec![(1, 0, 10.9, 101.0), (3, 0, -10.9, 103.0)]),
        ("56", pair(), vec![(0, market(0, 100.0)), (1, market(1, 150.0)), (1, market(0, -100.0))], cash(1e4),
            vec![(1, 0, 100.0, 100.0), (2, 0, -100.0, 110.0), (2, 1, 150.0, 50.0)]),
        ("57", pair(), vec![(0, market(0, 60.0)), (0, market(1, 160.0))], cash(1e4),
            vec![(1, 0, 60.0, 100.0)]),
        ("65", pair(), vec![(0, Act::Rebalance(vec![(0, 0.5), (1, 0.5)])), (2, Act::Rebalance(vec![(0, 0.2), (1, 0.8)]))], cash(1e4),
            vec![(1, 0, 50.0, 100.0), (1, 1, 100.0, 50.0), (3, 0, -31.0, 110.0), (3, 1, 65.0, 52.0)]),
        ("75", one(&WALK), vec![(0, Act::TargetPercent(0, 0.5)), (2, Act::TargetPercent(0, 0.25))], plain(),
            vec![(1, 0, 497.0, 101.0), (3, 0, -252.0, 103.0)]),
        ("78", one(&DIP), vec![(0, limit(0, 10.0, 97.5))], slip, vec![(2, 0, 10.0, 97.5)]),
        ("85", one(&fall), vec![entry.clone(), (2, Act::Close(0, 1.0))], rules(&[StopLoss(0.05)]),
            vec![(1, 0, 10.0, 100.0), (1, 0, -10.0, 95.0)]),
        ("91", one(&WALK), vec![entry, (3, Act::Close(0, 1.0))], plain(),
            vec![(1, 0, 10.0, 101.0), (4, 0, -10.0, 98.0)]),
    ];
    // case, lot, bars held, best and worst price, flags; the last lot of each case
    let lots = [
        ("01", 2, 104.0, 100.0, 0),
        ("14", 0, 100.0, 95.0, 0),
        ("15", 1, 101.0, 92.0, 0),
        ("17", 2, 112.2, 101.0, FillFlags::MAKER.0),
        ("19", 4, 120.0, 101.0, 0),
        ("20", 1, 101.0, 95.0, FillFlags::AMBIGUOUS.0),
        ("22", 3, 110.0, 99.0, 0),
        ("91", 3, 105.0, 98.0, 0),
    ];
    // case, final cash, final equity
    let finals = [
        ("01", 100_200.0, 100_200.0),
        ("14", 99_950.0, 99_950.0),
        ("56", 3_500.0, 11_300.0),
        ("57", 4_000.0, 10_600.0),
        ("65", 30.0, 10_700.0),
        ("78", 99_025.0, 100_055.0),
    ];
    for (case, market, acts, config, expected) in cases {
        let log = play(&market, &acts, &config);
        assert_fills(case, &log, &expected);
        if let Some(want) = lots.iter().find(|lot| lot.0 == case) {
            let lot = log.lots.last().unwrap();
            assert_eq!((lot.bars_held, lot.flags.0), (want.1, want.4), "{case}");
            assert!(close(lot.best, want.2) && close(lot.worst, want.3), "{case}: {lot:?}");
        }
        if let Some(want) = finals.iter().find(|state| state.0 == case) {
            let got = final_state(&log);
            assert!(close(got.0, want.1) && close(got.1, want.2), "{case}: {got:?}");
        }
        if case == "85" {
            let late = &log.rejections[0];
            assert_eq!((bar_of(late.timestamp), late.code), (2, RejectCode::PositionMissing));
            assert_eq!(log.lots[0].reason, ExitReason::StopLoss);
        }
    }
}

/// Worked value 71: the order waits, the missing bar does not age the position.
#[test]
fn position_when_a_row_is_missing_then_order_waits_and_bars_are_own_rows() {
    let mut market_of = pair();
    market_of.rows.retain(|row| (row.bar, row.asset) != (2, 1));
    let acts = [(0, market(1, 100.0)), (1, market(1, -50.0))];
    let log = play(&market_of, &acts, &cash(1e4));
    assert_fills("71", &log, &[(1, 1, 100.0, 50.0), (3, 1, -50.0, 52.0)]);
    let held: Vec<_> = log.lots.iter().map(|lot| lot.bars_held).collect();
    assert_eq!(held, [1, 2], "the rest is held to bar 4");
    assert_eq!(log.states.equity, [10_000.0, 10_000.0, 10_000.0, 10_200.0, 10_200.0]);
    assert_eq!(log.lots[1].exit_fill, None);
    assert!(!log.lots[0].closes_position);
}

#[test]
fn cancel_when_order_rests_then_it_never_fills() {
    let log = play(
        &Market::one(&DIP),
        &[
            (0, limit(0, 10.0, 90.0)),
            (0, limit(0, 10.0, 96.5)),
            (2, Act::Cancel(1)),
            (3, Act::Cancel(0)),
        ],
        &plain(),
    );
    assert_fills("76", &log, &[]);
    for order in &log.orders {
        assert_eq!(order.status, OrderStatus::Cancelled(CancelReason::User));
    }
}

#[test]
fn refusals_when_order_is_impossible_then_code_and_figures() {
    let nan = f64::NAN;
    let short = |act: Act| vec![(0, market(0, 100.0)), (2, act)];
    // acts, bar of the refusal, code, need, have
    let rows = [
        (vec![(0, market(0, 1000.0))], 1, RejectCode::InsufficientCash, 101_000.0, 100_000.0),
        (short(market(0, -250.0)), 3, RejectCode::ShortNotAllowed, 250.0, 100.0),
        (vec![(0, market(0, -1.0))], 1, RejectCode::ShortNotAllowed, 1.0, 0.0),
        (vec![(0, market(0, 0.5))], 0, RejectCode::QuantityZero, 1.0, 0.5),
        (vec![(0, market(0, nan))], 0, RejectCode::QuantityNotFinite, nan, nan),
        (vec![(0, limit(0, 1.0, 0.0))], 0, RejectCode::PriceInvalid, nan, 0.0),
        (vec![(0, stop(0, 1.0, -1.0))], 0, RejectCode::PriceInvalid, nan, -1.0),
        (vec![(0, Act::Close(0, 1.0))], 0, RejectCode::PositionMissing, 0.0, 0.0),
        (vec![(0, market(1, 1.0))], 0, RejectCode::NotListed, nan, nan),
    ];
    for (acts, bar, code, need, have) in rows {
        let late: Vec<Option<[f64; 4]>> = vec![None, None, None, None, Some(FLAT)];
        let log = play(&Market::many(&[("A", &WALK.map(Some)), ("B", &late)]), &acts, &plain());
        assert_eq!(log.rejections.len(), 1, "{acts:?}");
        let row = log.rejections[0];
        assert_eq!((bar_of(row.timestamp), row.code), (bar, code), "{acts:?}");
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        assert!(same(row.need, need) && same(row.have, have), "{acts:?}: {row:?}");
        assert_eq!(log.orders[row.order.index()].status, OrderStatus::Rejected(code));
    }
}

#[test]
fn costs_when_charged_then_fees_and_lots_carry_their_share() {
    let half = [(0, market(0, 100.0)), (1, Act::Close(0, 0.5)), (2, Act::Close(0, 0.5))];
    let percent = Commission::percent(10.0, 0.0);
    let log = play(&Market::one(&WALK), &half, &EngineConfig { commission: percent, ..plain() });
    let fees: Vec<_> = log.fills.iter().map(|fill| fill.commission).collect();
    assert!(fees.iter().zip([10.1, 5.125, 2.575]).all(|(&fee, want)| close(fee, want)), "{fees:?}");
    // entry commission, exit commission of the lots: 50, 25 and the 25 still held
    let want = [(5.05, 5.125), (2.525, 2.575), (2.525, 0.0)];
    for (lot, want) in log.lots.iter().zip(want) {
        assert!(
            close(lot.entry_commission, want.0) && close(lot.exit_commission, want.1),
            "{lot:?}"
        );
    }
    let per_share = Commission::per_share(0.005, 1.0);
    let config = EngineConfig { commission: per_share, ..plain() };
    let acts = [(0, market(0, 100.0)), (1, market(0, 400.0))];
    let log = play(&Market::one(&WALK), &acts, &config);
    let fees: Vec<_> = log.fills.iter().map(|fill| fill.commission).collect();
    assert_eq!(fees, [1.0, 2.0]);
}

/// The entry row: adverse extremes that may lie after the entry count, favourable ones that must.
#[test]
fn entry_row_when_level_lies_in_it_then_certainty_decides() {
    use PositionRule::{StopLoss, TakeProfit};
    let (sl, tp) = (rules(&[StopLoss(0.05)]), rules(&[TakeProfit(0.05)]));
    let ambiguous = FillFlags::AMBIGUOUS;
    let maker = FillFlags::MAKER;
    let none = FillFlags::default();
    // entry, rule, row, exit price and flags
    let rows = [
        // At the open: all of the row comes later.
        (market(0, 10.0), &sl, [100.0, 101.0, 94.0, 99.0], Some((95.0, none))),
        (market(0, 10.0), &tp, [100.0, 106.0, 99.0, 99.0], Some((105.0, maker))),
        // Limit touched at 100 on the way down: the high came before.
        (limit(0, 10.0, 100.0), &sl, [104.0, 104.0, 94.0, 103.0], Some((95.0, none))),
        (limit(0, 10.0, 100.0), &tp, [104.0, 108.0, 99.0, 103.0], None),
        (limit(0, 10.0, 100.0), &tp, [104.0, 108.0, 99.0, 106.0], Some((105.0, maker))),
        // Stop touched at 100 on the way up: the low may have come before, the high came after.
        (stop(0, 10.0, 100.0), &sl, [97.0, 101.0, 94.0, 99.0], Some((95.0, ambiguous))),
        (stop(0, 10.0, 100.0), &sl, [97.0, 101.0, 94.0, 94.5], Some((95.0, none))),
        (stop(0, 10.0, 100.0), &tp, [97.0, 106.0, 96.0, 99.0], Some((105.0, maker))),
    ];
    for (entry, config, row, expected) in rows {
        let before = [97.0, 103.0, 97.0, 100.0];
        let log = play(&Market::one(&[before, row]), &[(0, entry.clone())], config);
        assert_eq!(bar_of(log.fills[0].timestamp), 1, "{entry:?} in {row:?}");
        let got = log.fills.get(1).map(|fill| (fill.price, fill.flags));
        assert_eq!(got, expected, "{entry:?} in {row:?}");
    }
}

#[test]
fn exit_of_the_strategy_when_a_level_lies_later_in_the_row_then_it_is_first() {
    let config = rules(&[PositionRule::StopLoss(0.05)]);
    let rows = [FLAT, FLAT, [99.0, 99.0, 90.0, 91.0]];
    let log = play(&Market::one(&rows), &[(0, market(0, 10.0)), (1, Act::Close(0, 1.0))], &config);
    assert_fills("close first", &log, &[(1, 0, 10.0, 100.0), (2, 0, -10.0, 99.0)]);
    // At the open the rule is served first, and the reduce-only close ends with the position.
    let rows = [FLAT, FLAT, [94.0, 95.0, 90.0, 91.0]];
    let log = play(&Market::one(&rows), &[(0, market(0, 10.0)), (1, Act::Close(0, 1.0))], &config);
    assert_fills("rule first", &log, &[(1, 0, 10.0, 100.0), (2, 0, -10.0, 94.0)]);
    assert_eq!(log.lots[0].reason, ExitReason::StopLoss);
    assert_eq!(log.orders[1].status, OrderStatus::Cancelled(CancelReason::PositionClosed));
}

#[test]
fn rules_of_a_symbol_when_set_then_beat_those_of_the_run() {
    let config = rules(&[PositionRule::StopLoss(0.05)]);
    let rows = [FLAT, FLAT, [99.0, 99.0, 94.0, 94.0], [94.0, 94.0, 88.0, 89.0]];
    let own = Act::SetRules(Some(0), vec![PositionRule::StopLoss(0.1)]);
    let log = play(&Market::one(&rows), &[(0, market(0, 10.0)), (1, own)], &config);
    assert_fills("own", &log, &[(1, 0, 10.0, 100.0), (3, 0, -10.0, 90.0)]);
    let none = Act::SetRules(Some(0), Vec::new());
    let log = play(&Market::one(&rows), &[(0, market(0, 10.0)), (1, none)], &config);
    assert_fills("none", &log, &[(1, 0, 10.0, 100.0)]);
}

// --- found by the naive twin and by reading ---------------------------------------------------

/// The cash test has a tolerance relative to the cash before the fill; the assertion after the fill
/// took the cash after it, so an order sized to the last cent ended the run with a panic.
#[test]
fn issue_sized_order_when_it_takes_all_cash_then_it_fills() {
    let config = EngineConfig { lots: Lots::Fractional, cash: 100.0, ..plain() };
    let rows = [[6.0, 6.0, 6.0, 6.0], [6.5, 6.5, 6.5, 6.5], [6.5, 6.5, 6.5, 6.5]];
    let log = play(&Market::one(&rows), &[(0, percent(0, 1.0))], &config);
    assert_eq!(log.fills.len(), 1);
    assert!(final_state(&log).0.abs() < 2e-7, "{:?}", final_state(&log));
}

/// A reduce always passes, so its fee may overdraw the account; the check of invariants panicked.
#[test]
fn issue_sale_when_fee_exceeds_proceeds_then_it_still_fills() {
    let commission = Commission::per_share(0.0, 5.0);
    let config = EngineConfig { commission, cash: 105.0, ..plain() };
    let rows = [FLAT, FLAT, [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]];
    let acts = [(0, market(0, 1.0)), (1, Act::Close(0, 1.0)), (2, market(0, 1.0))];
    let log = play(&Market::one(&rows), &acts, &config);
    assert_eq!(final_state(&log), (-4.0, -4.0));
    assert_eq!(log.rejections[0].code, RejectCode::InsufficientCash);
}

/// A partial exit at the open moved the water mark, so the trail of the same row used its open.
#[test]
fn issue_trail_when_part_is_sold_at_the_open_then_level_is_of_earlier_rows() {
    let config = rules(&[PositionRule::TrailingStop(0.05)]);
    let rows = [FLAT, FLAT, [110.0, 110.0, 104.0, 108.0], [108.0, 108.0, 104.0, 105.0]];
    let acts = [(0, market(0, 10.0)), (1, Act::Close(0, 0.5))];
    let log = play(&Market::one(&rows), &acts, &config);
    let want = [(1, 0, 10.0, 100.0), (2, 0, -5.0, 110.0), (3, 0, -5.0, 104.5)];
    assert_fills("trail", &log, &want);
}

/// Reduce-only orders follow a position that shrinks at once; they were cut only at their own fill,
/// so a position that had grown again in between lost more than it should.
#[test]
fn issue_reduce_only_when_position_shrinks_and_grows_then_it_keeps_the_smaller_size() {
    let rows = [FLAT, FLAT, FLAT, FLAT, [100.0, 110.0, 100.0, 105.0]];
    let acts = [
        (0, market(0, 10.0)),
        (1, reduce_only(limit(0, -10.0, 108.0))),
        (1, market(0, -6.0)),
        (2, market(0, 20.0)),
    ];
    let log = play(&Market::one(&rows), &acts, &plain());
    assert_fills(
        "reduce only",
        &log,
        &[(1, 0, 10.0, 100.0), (2, 0, -6.0, 100.0), (3, 0, 20.0, 100.0), (4, 0, -4.0, 108.0)],
    );
    let event = log.order_events.iter().find(|e| e.kind == OrderEventKind::ResizedToPosition);
    assert_eq!(event.map(|event| (bar_of(event.timestamp), event.old)), Some((2, 10.0)));
}

/// A sale whose level was reached after a rule had closed the position rested on, untriggered.
#[test]
fn issue_stop_sale_when_a_rule_closed_the_position_then_it_is_refused() {
    let config = rules(&[PositionRule::StopLoss(0.05)]);
    let rows = [FLAT, FLAT, [100.0, 100.0, 93.0, 99.0], FLAT];
    let acts = [(0, market(0, 10.0)), (1, stop(0, -10.0, 94.0))];
    let log = play(&Market::one(&rows), &acts, &config);
    assert_fills("stop", &log, &[(1, 0, 10.0, 100.0), (2, 0, -10.0, 95.0)]);
    assert_eq!(log.orders[1].status, OrderStatus::Rejected(RejectCode::ShortNotAllowed));
    assert_eq!(bar_of(log.rejections[0].timestamp), 2);
}

/// After an entry at a stop above the open, stops were served by their distance from the open: the
/// one at 98 before the one at 114, though the price falls from 120.
#[test]
fn issue_stops_when_entered_above_the_open_then_the_highest_is_first() {
    let config = rules(&[PositionRule::StopLoss(0.05)]);
    let rows = [FLAT, [100.0, 121.0, 90.0, 95.0]];
    let acts = [(0, stop(0, 10.0, 120.0)), (0, stop(0, -4.0, 98.0))];
    let log = play(&Market::one(&rows), &acts, &config);
    assert_fills("stops", &log, &[(1, 0, 10.0, 120.0), (1, 0, -10.0, 114.0)]);
}

/// A target is a resting limit, so a row that only touches it says so.
#[test]
fn issue_target_when_only_touched_then_flagged() {
    let config = rules(&[PositionRule::TakeProfit(0.25)]);
    for (high, touched) in [(125.0, true), (126.0, false)] {
        let rows = [FLAT, FLAT, [100.0, high, 100.0, 120.0]];
        let log = play(&Market::one(&rows), &[(0, market(0, 10.0))], &config);
        assert_eq!(log.fills[1].price, 125.0);
        assert_eq!(log.fills[1].flags.has(FillFlags::TOUCH_ONLY), touched);
    }
}

/// 0.7 + 0.1 units are 0.7999999999999999: the sale of 0.8 was refused as a short.
#[test]
fn issue_fractional_sale_when_sum_of_purchases_rounds_down_then_it_closes() {
    let config = EngineConfig { lots: Lots::Fractional, ..plain() };
    let acts = [(0, market(0, 0.7)), (0, market(0, 0.1)), (1, market(0, -0.8))];
    let log = play(&Market::one(&[FLAT; 4]), &acts, &config);
    assert!(log.rejections.is_empty(), "{:?}", log.rejections);
    assert!(log.lots[0].closes_position);
}

/// One lot was lost to rounding, so closing a position left a lot behind.
#[test]
fn issue_close_when_quantity_has_many_lots_then_nothing_is_left() {
    let config = EngineConfig { lots: Lots::Fractional, cash: 1e7, ..plain() };
    for units in [1_101.328_157, 8_353.515_329_24, 9_312.782] {
        let acts = [(0, market(0, units)), (1, Act::Close(0, 1.0))];
        let log = play(&Market::one(&[FLAT; 4]), &acts, &config);
        assert_eq!(log.fills[0].quantity, units);
        assert_eq!(log.lots.len(), 1);
        assert!(log.lots[0].closes_position, "{units}");
    }
}

/// Lots beyond the range of f64 made the search for what cash can pay run for ever.
#[test]
fn issue_size_when_lots_overflow_then_refused() {
    let config = EngineConfig { lots: Lots::Fractional, ..plain() };
    let size = Size::Value(1e305);
    let order = OrderRequest { size, ..OrderRequest::market(AssetId(0), 0.0) };
    let log = play(&Market::one(&[FLAT; 3]), &[(0, Act::Order(order))], &config);
    assert_eq!(log.rejections[0].code, RejectCode::QuantityNotFinite);
}

/// NaN closed the whole position; a negative fraction sent a purchase.
#[test]
fn issue_close_when_fraction_is_no_fraction_then_refused() {
    let rows = [
        (f64::NAN, RejectCode::QuantityNotFinite),
        (-0.5, RejectCode::QuantityZero),
        (0.0, RejectCode::QuantityZero),
    ];
    for (fraction, code) in rows {
        let acts = [(0, market(0, 10.0)), (1, Act::Close(0, fraction))];
        let log = play(&Market::one(&[FLAT; 4]), &acts, &plain());
        assert_eq!(log.fills.len(), 1, "{fraction}");
        assert_eq!(log.rejections[0].code, code, "{fraction}");
    }
}

/// The running sum of live market orders kept what a huge refused order had rounded away.
#[test]
fn issue_target_when_a_huge_order_was_refused_then_size_is_right() {
    let acts = [(0, market(0, 1e30)), (0, market(0, 1.0)), (2, Act::TargetQuantity(0, 0.0))];
    let log = play(&Market::one(&[FLAT; 5]), &acts, &plain());
    assert_fills("huge", &log, &[(1, 0, 1.0, 100.0), (3, 0, -1.0, 100.0)]);
}

/// Rules that were set during the run exited with the values of no row at all.
#[test]
fn issue_rule_exit_when_rules_are_set_late_then_values_are_of_the_row_before() {
    let rows = [FLAT, FLAT, FLAT, FLAT, [100.0, 100.0, 90.0, 90.0]];
    let market_of = Market::one(&rows).with_signal("score", |bar, _| 10.0 + bar as f64);
    let set = Act::SetRules(None, vec![PositionRule::StopLoss(0.05)]);
    let log = play(&market_of, &[(0, market(0, 10.0)), (3, set)], &plain());
    assert_fills("rule", &log, &[(1, 0, 10.0, 100.0), (4, 0, -10.0, 95.0)]);
    assert_eq!(log.decision_values, [10.0, 13.0]);
}

/// Sends a refused order for each refusal it hears of.
struct Stubborn;

impl Strategy for Stubborn {
    fn on_start(&mut self, trader: &mut Trader) -> Result<()> {
        trader.submit(&OrderRequest::market(AssetId(0), 0.0)).map(|_| ())
    }

    fn on_data(&mut self, _: &Slice<'_>, _: &mut Trader) -> Result<()> {
        Ok(())
    }

    fn on_reject(&mut self, _: &RejectionRow, trader: &mut Trader) -> Result<()> {
        trader.submit(&OrderRequest::market(AssetId(0), 0.0)).map(|_| ())
    }
}

/// Refusals caused in a callback were delivered in the same round, for ever.
#[test]
fn issue_refusal_when_answered_with_an_order_then_delivered_at_the_next_timestamp() {
    let market_of = Market::one(&[FLAT; 3]).with_signal("score", |bar, _| bar as f64);
    let log = run(&mut market_of.feed(2), &mut Stubborn, &plain(), &mut |_| Flow::Continue)
        .expect("the run ends");
    // One before the start, one a bar, and one after the last bar.
    assert_eq!(log.rejections.len(), 5);
    assert_eq!(log.decision_values.len(), 5);
    assert!(log.decision_values[0].is_nan());
    assert_eq!(log.decision_values[1..], [0.0, 1.0, 2.0, 2.0]);
}

/// Two purchases with slippage have an average price above every price of the market: the best
/// price lay below the entry price, and the favourable excursion was negative.
#[test]
fn issue_excursions_when_average_is_above_the_range_then_not_negative() {
    let config = EngineConfig { slippage: Slippage::Percent { bps: 100.0 }, ..plain() };
    let acts = [(0, limit(0, 1.0, 100.0)), (1, market(0, 9.0))];
    let rows = [[101.0; 4], [101.0, 101.0, 100.0, 100.0], [100.0; 4]];
    let log = play(&Market::one(&rows), &acts, &config);
    let lot = &log.lots[0];
    assert!(close(lot.entry_price, 100.9), "1 at 100, 9 at 101");
    assert_eq!((lot.best, lot.worst), (lot.entry_price, 100.0));
}

/// Asks for rules of a symbol that the run does not have.
struct Stranger;

impl Strategy for Stranger {
    fn on_data(&mut self, _: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        trader.set_rules(Some(AssetId(9)), &[PositionRule::StopLoss(0.1)])
    }
}

#[test]
fn set_rules_when_the_asset_is_not_of_the_run_then_refused() {
    let config = EngineConfig::default();
    let error = run(&mut pair().feed(3), &mut Stranger, &config, &mut |_| Flow::Continue);
    assert_eq!(error.unwrap_err().code(), "O102");
}

/// A bought at the close before is sold again before it arrives: by a target under one cent, and
/// by a rebalance that does not name it.
#[test]
fn targets_when_a_market_order_is_on_its_way_then_it_counts_as_done() {
    let config = EngineConfig { cash: 10_000.0, ..EngineConfig::default() };
    for second in [Act::TargetValue(0, 0.0), Act::Rebalance(vec![])] {
        let log = play(&pair(), &[(0, market(0, 10.0)), (0, second)], &config);
        assert_eq!(fills(&log), [(1, 0, 10.0, 100.0), (1, 0, -10.0, 100.0)]);
    }
}
