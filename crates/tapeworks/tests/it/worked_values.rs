//! The worked values of `realistic` on the inputs of the shared cases; every number by hand.
//!
//! Account, costs and rules are those of the file, the semantics ours. Where a peer's file says
//! something else, the contract names the defect.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use tapeworks::broker::{
    AccountEventKind, AccountKind, CancelReason, ExitReason, FillFlags, Instrument, OrderEventKind,
    OrderStatus, PositionRule, RejectCode, ScaledOf, Semantics,
};
use tapeworks::engine::{EngineConfig, RunLog};

use crate::market::{bar_of, fills};
use crate::oracle_cases::replay;
use crate::oracle_config::{folder, read, terms_of};

/// File of the case, and its fills: bar, symbol, signed quantity, price.
type Row = (&'static str, &'static [(usize, u32, f64, f64)]);

const A: u32 = 0;
const B: u32 = 1;

/// The fills of the contract's table, in its order.
const FILLS: &[Row] = &[
    ("01_market_next_open", &[(1, A, 100.0, 101.0), (3, A, -100.0, 103.0)]),
    ("03_moc", &[(1, A, 100.0, 102.0), (3, A, -100.0, 99.0)]),
    ("05_limit_buy_gap_no_improvement", &[(3, A, 10.0, 95.0)]),
    ("10_stop_limit_same_bar", &[(2, A, 10.0, 103.0)]),
    ("12_trailing_stop_order", &[(1, A, 10.0, 100.0), (4, A, -10.0, 105.0)]),
    ("14_stop_loss_not_on_entry_bar", &[(1, A, 10.0, 100.0), (1, A, -10.0, 95.0)]),
    ("85_rule_and_strategy_exit_same_bar", &[(1, A, 10.0, 100.0), (1, A, -10.0, 95.0)]),
    ("89_rule_and_strategy_exit_short_allowed", &[(1, A, 10.0, 100.0), (1, A, -10.0, 95.0)]),
    ("15_stop_loss_gap_open", &[(1, A, 10.0, 100.0), (2, A, -10.0, 92.0)]),
    ("17_take_profit", &[(1, A, 10.0, 102.0), (3, A, -10.0, 112.2)]),
    ("19_take_profit_gap_improvement", &[(1, A, 10.0, 102.0), (5, A, -10.0, 120.0)]),
    ("28_bracket_child_on_entry_bar", &[(1, A, 10.0, 100.0), (1, A, -10.0, 95.0)]),
    ("82_stop_limit_then_gap", &[(1, A, 10.0, 100.0)]),
    ("20_sl_tp_same_bar_sl_first", &[(1, A, 10.0, 100.0), (2, A, -10.0, 95.0)]),
    ("21_sl_tp_same_bar_tp_first", &[(1, A, 10.0, 100.0), (2, A, -10.0, 95.0)]),
    ("22_trail_lagged_close", &[(1, A, 10.0, 100.0), (4, A, -10.0, 104.5)]),
    ("22_trail_intrabar_bar_extreme", &[(1, A, 10.0, 100.0), (4, A, -10.0, 104.5)]),
    ("27_bracket_both_same_bar", &[(1, A, 10.0, 100.0), (2, A, -10.0, 95.0)]),
    ("29_bracket_unfilled_limit_entry_cash", &[]),
    ("30_bracket_unfilled_limit_entry_short_allowed", &[]),
    ("33_close_triggered_rule_fills_same_bar_open", &[(1, A, 10.0, 101.0), (4, A, -10.0, 98.0)]),
    ("34_tightening_trail_lookahead", &[(1, A, 10.0, 101.0), (3, A, -10.0, 100.88)]),
    ("41_stop_slippage", &[(1, A, 10.0, 100.1), (1, A, -10.0, 94.809_905_19)]),
    ("43_scaled_exit", &[(1, A, 100.0, 100.0), (1, A, -50.0, 102.0), (3, A, -50.0, 104.0)]),
    ("56_fill_ordering_fifo", &[(1, A, 100.0, 100.0), (2, A, -100.0, 110.0), (2, B, 150.0, 50.0)]),
    (
        "56_fill_ordering_priority",
        &[(1, A, 100.0, 100.0), (2, A, -100.0, 110.0), (2, B, 150.0, 50.0)],
    ),
    ("59_volume_limit", &[(1, A, 100.0, 101.0), (2, A, 100.0, 102.5), (3, A, 50.0, 103.0)]),
    ("60_linear_impact", &[(1, A, 100.0, 102.01), (3, A, -100.0, 101.97)]),
    ("62_futures_multiplier_margin", &[(1, A, 2.0, 4005.0), (3, A, -2.0, 4030.0)]),
    ("63_funding", &[(1, A, 10.0, 101.0)]),
    (
        "65_profile_weights_default",
        &[(1, A, 50.0, 100.0), (1, B, 100.0, 50.0), (3, A, -31.0, 110.0), (3, B, 65.0, 52.0)],
    ),
    ("71_missing_bar", &[(1, B, 100.0, 50.0), (3, B, -50.0, 52.0)]),
    ("78_limit_with_slippage_never_fills", &[(2, A, 10.0, 97.5)]),
    ("87_maintenance_no_autoliquidation", &[(1, A, 190.0, 100.0), (3, A, -150.0, 45.0)]),
    ("88_volatility_stop_fill", &[(1, A, 10.0, 100.0), (2, A, -10.0, 94.0)]),
    ("90_bracket_then_strategy_close", &[(1, A, 10.0, 100.0), (2, A, -10.0, 101.0)]),
    ("91_mfe_mae_close_only", &[(1, A, 10.0, 101.0), (4, A, -10.0, 98.0)]),
];

/// The terms of a file under `realistic`.
fn terms(case: &Value) -> EngineConfig {
    let mut config = EngineConfig { semantics: Semantics::REALISTIC, ..terms_of(case) };
    for rule in &mut config.rules {
        if let PositionRule::ScaledExit { of, .. } = rule {
            *of = ScaledOf::Initial;
        }
    }
    if config.instruments.contains_key("ES") {
        config.account.kind = AccountKind::Futures;
        let instrument = config.instruments["ES"];
        config.instruments.insert("ES".into(), Instrument { is_future: true, ..instrument });
    }
    config
}

fn play(id: &str) -> Option<RunLog> {
    let case = read(&folder()?, &format!("{id}.json"));
    Some(replay(&case, &terms(&case), 0).expect(id))
}

fn close(got: f64, want: f64) -> bool {
    (got - want).abs() <= 1e-9 * want.abs().max(1.0)
}

#[test]
fn cases_when_run_with_realistic_then_the_worked_fills() {
    for (id, want) in FILLS {
        let Some(log) = play(id) else { return };
        let got = fills(&log);
        let same = got.len() == want.len()
            && got.iter().zip(*want).all(|(got, want)| {
                (got.0, got.1) == (want.0, want.1) && close(got.2, want.2) && close(got.3, want.3)
            });
        assert!(same, "{id}: got {got:?}, want {want:?}");
    }
}

fn last_cash(log: &RunLog) -> f64 {
    *log.states.cash.last().unwrap()
}

fn last_equity(log: &RunLog) -> f64 {
    *log.states.equity.last().unwrap()
}

#[test]
fn cases_when_run_with_realistic_then_the_worked_money() {
    // file, cash and equity at the end; NaN: not stated
    let rows = [
        ("03_moc", 99_700.0, 99_700.0),
        ("14_stop_loss_not_on_entry_bar", 99_950.0, 99_950.0),
        ("43_scaled_exit", 100_300.0, 100_300.0),
        ("56_fill_ordering_fifo", 3_500.0, f64::NAN),
        ("63_funding", f64::NAN, 99_899.509),
        ("65_profile_weights_default", 30.0, 10_700.0),
        ("90_bracket_then_strategy_close", 100_010.0, 100_010.0),
        ("87_maintenance_no_autoliquidation", f64::NAN, -650.0),
    ];
    for (id, cash, equity) in rows {
        let Some(log) = play(id) else { return };
        for (name, got, want) in
            [("cash", last_cash(&log), cash), ("equity", last_equity(&log), equity)]
        {
            assert!(want.is_nan() || close(got, want), "{id} {name}: got {got}, want {want}");
        }
    }
}

#[test]
fn futures_when_held_then_gains_are_cash_each_row() {
    let Some(log) = play("62_futures_multiplier_margin") else { return };
    assert_eq!(log.states.cash, [30_000.0, 30_500.0, 32_000.0, 32_500.0]);
    assert_eq!(log.states.equity, log.states.cash);
}

#[test]
fn funding_when_a_position_is_held_then_paid_at_each_close() {
    let Some(log) = play("63_funding") else { return };
    let paid: Vec<f64> = log
        .account_events
        .iter()
        .filter(|event| event.kind == AccountEventKind::Funding)
        .map(|event| event.amount)
        .collect();
    for (got, want) in paid.iter().zip([-0.102, -0.103, -0.099, -0.096, -0.091]) {
        assert!(close(*got, want), "got {paid:?}");
    }
    assert_eq!(paid.len(), 5);
}

/// Excursions in price units of one unit held, and rows held.
#[test]
fn excursions_when_run_with_realistic_then_extremes_after_the_entry() {
    let rows = [
        ("01_market_next_open", 3.0, -1.0, Some(2)),
        ("91_mfe_mae_close_only", 4.0, -3.0, None),
        ("71_missing_bar", f64::NAN, f64::NAN, Some(1)),
        ("33_close_triggered_rule_fills_same_bar_open", f64::NAN, f64::NAN, Some(3)),
    ];
    for (id, best, worst, bars) in rows {
        let Some(log) = play(id) else { return };
        let lot = &log.lots[0];
        let (mfe, mae) = (lot.best - lot.entry_price, lot.worst - lot.entry_price);
        assert!(best.is_nan() || close(mfe, best), "{id}: mfe {mfe}, want {best}");
        assert!(worst.is_nan() || close(mae, worst), "{id}: mae {mae}, want {worst}");
        assert!(bars.is_none_or(|bars| bars == lot.bars_held), "{id}: {} rows", lot.bars_held);
    }
}

#[test]
fn both_levels_in_a_row_when_the_stop_fills_then_ambiguous() {
    for id in
        ["20_sl_tp_same_bar_sl_first", "21_sl_tp_same_bar_tp_first", "27_bracket_both_same_bar"]
    {
        let Some(log) = play(id) else { return };
        assert!(log.fills[1].flags.has(FillFlags::AMBIGUOUS), "{id}");
    }
    let Some(log) = play("27_bracket_both_same_bar") else { return };
    let ends: Vec<OrderStatus> = log.orders.iter().map(|order| order.status).collect();
    assert!(ends.contains(&OrderStatus::Cancelled(CancelReason::Oco)), "{ends:?}");
}

#[test]
fn touched_limit_when_slippage_is_charged_then_filled_at_it() {
    let Some(log) = play("78_limit_with_slippage_never_fills") else { return };
    let fill = &log.fills[0];
    assert_eq!((fill.base_price, fill.price), (97.5, 97.5));
    assert!(fill.flags.has(FillFlags::MAKER));
}

#[test]
fn stop_limit_when_triggered_and_out_of_reach_then_it_waits() {
    let Some(log) = play("82_stop_limit_then_gap") else { return };
    let triggered = log.order_events.iter().find(|e| e.kind == OrderEventKind::Triggered);
    assert_eq!(triggered.map(|event| bar_of(event.timestamp)), Some(5));
    assert_eq!(log.orders[1].status, OrderStatus::LiveAtEnd);
}

#[test]
fn bracket_when_its_entry_never_fills_then_children_never_live() {
    for id in
        ["29_bracket_unfilled_limit_entry_cash", "30_bracket_unfilled_limit_entry_short_allowed"]
    {
        let Some(log) = play(id) else { return };
        let ends: Vec<OrderStatus> = log.orders.iter().map(|order| order.status).collect();
        assert_eq!(ends[0], OrderStatus::LiveAtEnd, "{id}");
        assert_eq!(ends.len(), 3, "{id}");
        assert!(log.rejections.is_empty(), "{id}");
    }
}

#[test]
fn bracket_when_the_position_is_closed_then_its_children_are_cancelled() {
    let Some(log) = play("90_bracket_then_strategy_close") else { return };
    let ended = OrderStatus::Cancelled(CancelReason::PositionClosed);
    let n_ended = log.orders.iter().filter(|order| order.status == ended).count();
    assert_eq!(n_ended, 2);
}

#[test]
fn margin_when_it_is_not_covered_then_called_and_bankrupt() {
    let Some(log) = play("87_maintenance_no_autoliquidation") else { return };
    let events: Vec<(AccountEventKind, usize)> =
        log.account_events.iter().map(|event| (event.kind, bar_of(event.timestamp))).collect();
    assert!(events.contains(&(AccountEventKind::MarginCall, 2)), "{events:?}");
    assert!(events.contains(&(AccountEventKind::Bankruptcy, 3)), "{events:?}");
    assert_eq!(log.fills[1].reason, ExitReason::MarginCall);
}

/// A close that comes after the stop on the entry row finds nothing.
#[test]
fn close_when_a_rule_has_closed_then_position_missing() {
    for id in ["85_rule_and_strategy_exit_same_bar", "89_rule_and_strategy_exit_short_allowed"] {
        let Some(folder) = folder() else { return };
        let mut case = read(&folder, &format!("{id}.json"));
        for op in case["ops"].as_array_mut().unwrap() {
            if op["op"] == "close" {
                op["op"] = "close_always".into();
            }
        }
        let log = replay(&case, &terms(&case), 0).expect(id);
        let codes: Vec<RejectCode> = log.rejections.iter().map(|row| row.code).collect();
        assert_eq!(codes, [RejectCode::PositionMissing], "{id}");
    }
}
