//! Room `records`: the tables against hand calculation.

use arrow::array::AsArray;
use arrow::compute::concat_batches;
use tapeworks::base::OrderId;
use tapeworks::broker::{
    AccountEventKind, CancelReason, ExitReason, ExpireReason, FillFlags, OrderDetail, OrderKind,
    OrderOrigin, RejectCode, TimeInForce,
};
use tapeworks::engine::{OrderEventKind, RejectionRow};
use tapeworks::records::{
    CostTotals, Pairing, RecordKind, Records, Snapshot, TableOptions, TradeSide, TradeStatus, hint,
};
use tapeworks::run::fingerprint;

use crate::run_log::{DAY, LogBuilder, by_hand, contracts, with_flows};
use crate::tables::{close, column, ids, marks, names, numbers, table, times, values, words};

#[test]
fn trades_when_computed_by_hand_then_equal() {
    let records = by_hand();
    let trades: Vec<_> = records.trades().collect();
    assert_eq!(trades.len(), 3);
    let first = &trades[0];
    assert_eq!(first.side, TradeSide::Long);
    assert_eq!(first.status, TradeStatus::Partial);
    assert_eq!((first.entry_timestamp, first.exit_timestamp), (DAY, 2 * DAY));
    assert_eq!((first.entry_price, first.exit_price, first.entry_quantity), (10.0, 12.0, 50.0));
    assert_eq!((first.pnl_gross, first.pnl_net), (100.0, 98.0));
    assert_eq!((first.entry_commission, first.exit_commission), (1.0, 1.0));
    // Slippage: 0.5 a unit on 50 units at the entry, none at the exit; two currency of fees.
    assert_eq!((first.entry_slippage, first.exit_slippage, first.total_cost), (25.0, 0.0, 27.0));
    assert_eq!(first.pnl_percent, 98.0 / 500.0);
    assert!(close(first.return_gross, 0.2));
    assert_eq!(first.holding_period_days, 1.0);
    assert_eq!((first.max_favorable_excursion, first.max_adverse_excursion), (100.0, 0.0));
    assert!(close(first.max_favorable_excursion_pct, 0.2));
    let second = &trades[1];
    assert_eq!(second.status, TradeStatus::Closed);
    assert_eq!((second.pnl_gross, second.pnl_net), (-50.0, -52.0));
    assert_eq!(records.tag(second.exit_tag), Some("out"));
    assert_eq!(second.max_adverse_excursion, -50.0);
    let open = &trades[2];
    assert_eq!(open.status, TradeStatus::Open);
    assert_eq!(open.exit_reason, ExitReason::EndOfRun);
    assert_eq!((open.exit_order_id, open.exit_price, open.pnl_net), (None, 21.0, 10.0));
    assert_eq!(open.exit_timestamp, 3 * DAY);
    assert_eq!(records.entry_values(open), [0.9, 40.0, 17.0]);
    assert!(records.exit_values(open).is_none());
}

#[test]
fn trades_table_when_written_then_decision_values_and_nulls_stand_in_their_columns() {
    let batch = table(&by_hand(), RecordKind::Trades);
    assert_eq!(names(&batch, "symbol"), ["AAA", "AAA", "BBB"]);
    assert_eq!(names(&batch, "status"), ["partial", "closed", "open"]);
    assert_eq!(names(&batch, "exit_reason"), ["signal", "signal", "end_of_run"]);
    assert_eq!(values(&batch, "entry_signal_score"), [0.5, 0.5, 0.9]);
    assert_eq!(numbers(&batch, "exit_signal_score"), [Some(-0.5), Some(-1.0), None]);
    assert_eq!(numbers(&batch, "exit_vix"), [None, Some(17.0), None]);
    assert_eq!(values(&batch, "entry_rsi"), [30.0, 30.0, 40.0]);
    assert_eq!(ids(&batch, "exit_order_id"), [Some(1), Some(2), None]);
    assert_eq!(words(&batch, "exit_tag"), [None, Some("out".to_owned()), None]);
    assert_eq!(numbers(&batch, "stop_loss_level"), [None, None, None]);
}

#[test]
fn positions_when_computed_by_hand_then_equal() {
    let batch = table(&by_hand(), RecordKind::Positions);
    let days: Vec<i64> =
        times(&batch, "timestamp").into_iter().map(|time| time.unwrap() / DAY).collect();
    assert_eq!(days, [1, 2, 3, 3, 3]);
    assert_eq!(names(&batch, "status"), ["opened", "changed", "closed", "opened", "open"]);
    assert_eq!(values(&batch, "quantity"), [100.0, 50.0, 0.0, 10.0, 10.0]);
    let entry = [Some(10.0), Some(10.0), None, Some(20.0), Some(20.0)];
    assert_eq!(numbers(&batch, "entry_price"), entry);
    assert_eq!(values(&batch, "mark"), [10.0, 12.0, 9.0, 20.0, 21.0]);
    assert_eq!(values(&batch, "unrealised"), [0.0, 100.0, 0.0, 0.0, 10.0]);
    assert_eq!(values(&batch, "realised"), [0.0, 98.0, 46.0, 0.0, 0.0]);
    assert_eq!(values(&batch, "fees_in"), [2.0, 1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn portfolio_when_computed_by_hand_then_equal() {
    // Equity: 2,000; 2,000 - 1,002 + 1,100; 998 + 599 + 600; 1,597 + 449 - 200 + 210.
    let batch = table(&by_hand(), RecordKind::Portfolio);
    let equity = [2_000.0, 2_098.0, 2_197.0, 2_056.0];
    assert_eq!(values(&batch, "equity"), equity);
    assert_eq!(values(&batch, "cash"), [2_000.0, 998.0, 1_597.0, 1_846.0]);
    assert_eq!(values(&batch, "fees"), [0.0, 2.0, 3.0, 4.0]);
    let returns = [0.0, 2_098.0 / 2_000.0 - 1.0, 2_197.0 / 2_098.0 - 1.0, 2_056.0 / 2_197.0 - 1.0];
    assert_eq!(values(&batch, "period_return"), returns);
    assert_eq!(values(&batch, "daily_return"), returns);
    assert_eq!(values(&batch, "high_water_mark"), [2_000.0, 2_098.0, 2_197.0, 2_197.0]);
    assert_eq!(values(&batch, "drawdown"), [0.0, 0.0, 0.0, 2_056.0 / 2_197.0 - 1.0]);
    assert!(close(values(&batch, "cumulative_return")[3], 0.028));
    assert!(close(values(&batch, "gross_leverage")[2], 600.0 / 2_197.0));
    assert_eq!(values(&batch, "context_vix"), [20.0; 4]);
    assert_eq!(values(&batch, "net_exposure"), values(&batch, "positions_value"));
}

#[test]
fn daily_return_when_intraday_then_only_the_last_row_of_a_utc_day_has_one() {
    let mut builder = LogBuilder::new(&["A"], 100.0);
    for (time, equity) in [(0, 110.0), (DAY / 2, 120.0), (DAY, 60.0), (3 * DAY - 1, 90.0)] {
        builder.state(time, &[]);
        *builder.log().states.equity.last_mut().unwrap() = equity;
    }
    let records = builder.finish();
    for rows in [1, 2, 100] {
        let batches: Vec<_> = records.batches(RecordKind::Portfolio, rows).collect();
        let batch = concat_batches(&records.schema(RecordKind::Portfolio), &batches).unwrap();
        let wanted = [None, Some(120.0 / 100.0 - 1.0), Some(60.0 / 120.0 - 1.0), Some(0.5)];
        assert_eq!(numbers(&batch, "daily_return"), wanted);
    }
}

#[test]
fn portfolio_when_equity_is_lost_then_ratios_of_it_are_null() {
    let mut builder = LogBuilder::new(&["A"], 100.0);
    for (time, equity) in [(0, 50.0), (1, -10.0), (2, -20.0)] {
        builder.state(time, &[]);
        *builder.log().states.equity.last_mut().unwrap() = equity;
    }
    let batch = table(&builder.finish(), RecordKind::Portfolio);
    assert_eq!(numbers(&batch, "period_return"), [Some(-0.5), Some(-1.2), None]);
    assert_eq!(numbers(&batch, "gross_leverage"), [Some(0.0), None, None]);
    assert_eq!(numbers(&batch, "drawdown"), [Some(-0.5), Some(-1.1), Some(-1.2)]);
}

// ------------------------------------------------------------------ the order log

#[test]
fn orders_when_events_meet_then_stand_in_true_order() {
    let mut builder = LogBuilder::new(&["A", "B"], 1e6);
    let first = builder.order(0, 0, 10.0);
    let refused = builder.order(0, 1, 0.0);
    builder.event(0, refused, OrderEventKind::Rejected(RejectCode::QuantityZero), f64::NAN);
    let resting = builder.order(0, 1, 5.0);
    builder.state(0, &[]);
    // At day 1: cut from 10 to 8 and filled in two parts; then, deciding, a cancel and a new order.
    builder.log().orders[first as usize].quantity = 8.0;
    builder.change(DAY, first, OrderEventKind::ResizedForCash, 10.0, 8.0);
    builder.fill(DAY, first, 3.0, 10.0, 10.0, 0.0);
    builder.fill(DAY, first, 5.0, 10.0, 10.0, 0.0);
    builder.event(DAY, resting, OrderEventKind::Cancelled(CancelReason::User), f64::NAN);
    let out = builder.order(DAY, 0, -8.0);
    let row = &mut builder.log().orders[out as usize];
    (row.origin, row.reason) = (OrderOrigin::PositionRule, ExitReason::StopLoss);
    (row.kind, row.stop, row.reduce_only) = (OrderKind::Stop, 9.0, true);
    let late = builder.order(DAY, 1, 1.0);
    builder.state(DAY, &[]);
    builder.event(DAY, out, OrderEventKind::LiveAtEnd, f64::NAN);
    builder.event(DAY, late, OrderEventKind::LiveAtEnd, f64::NAN);
    let batch = table(&builder.finish(), RecordKind::Orders);
    let found: Vec<String> = names(&batch, "event")
        .into_iter()
        .zip(ids(&batch, "order_id"))
        .map(|(event, id)| format!("{event} {}", id.unwrap()))
        .collect();
    let wanted = [
        "submitted 0",
        "submitted 1",
        "rejected 1",
        "submitted 2",
        "resized_for_cash 0",
        "partly_filled 0",
        "filled 0",
        "cancelled 2",
        "submitted 3",
        "submitted 4",
        "live_at_end 3",
        "live_at_end 4",
    ];
    assert_eq!(found, wanted);
    let quantity = values(&batch, "quantity");
    assert_eq!((quantity[0], quantity[4], quantity[6]), (10.0, 8.0, 8.0));
    assert_eq!(numbers(&batch, "old_quantity")[4], Some(10.0));
    assert_eq!(values(&batch, "filled_quantity")[4..8], [0.0, 3.0, 8.0, 0.0]);
    assert_eq!(ids(&batch, "fill_id")[4..7], [None, Some(0), Some(1)]);
    let reasons = words(&batch, "reason");
    assert_eq!(
        (reasons[2].as_deref(), reasons[7].as_deref()),
        (Some("quantity_zero"), Some("user"))
    );
    assert_eq!(words(&batch, "rule")[8].as_deref(), Some("stop_loss"));
    assert_eq!(numbers(&batch, "stop")[8], Some(9.0));
    assert_eq!(words(&batch, "side")[8].as_deref(), Some("sell"));
}

#[test]
fn orders_when_rounded_and_cut_then_each_event_has_the_quantity_before_and_after() {
    let mut builder = LogBuilder::new(&["A"], 1e6);
    let order = builder.order(0, 0, -4.0);
    builder.change(0, order, OrderEventKind::Rounded, -7.5, -7.0);
    builder.change(DAY, order, OrderEventKind::ResizedToPosition, 7.0, 4.0);
    builder.fill(DAY, order, -4.0, 10.0, 10.0, 0.0);
    builder.state(DAY, &[]);
    let batch = table(&builder.finish(), RecordKind::Orders);
    assert_eq!(names(&batch, "event"), ["submitted", "rounded", "resized_to_position", "filled"]);
    assert_eq!(values(&batch, "quantity"), [7.5, 7.0, 4.0, 4.0]);
    assert_eq!(numbers(&batch, "old_quantity"), [None, Some(7.5), Some(7.0), None]);
}

#[test]
fn rejections_when_read_then_carry_the_order_and_a_remedy() {
    let mut builder = LogBuilder::new(&["A"], 1e6);
    let order = builder.order(DAY, 0, f64::NAN);
    builder.log().orders[order as usize].limit = f64::INFINITY;
    builder.event(
        2 * DAY,
        order,
        OrderEventKind::Rejected(RejectCode::QuantityNotFinite),
        f64::NAN,
    );
    let batch = table(&builder.finish(), RecordKind::Rejections);
    assert_eq!(times(&batch, "timestamp"), [Some(2 * DAY)]);
    assert_eq!(names(&batch, "code"), ["quantity_not_finite"]);
    assert_eq!((numbers(&batch, "quantity")[0], numbers(&batch, "limit")[0]), (None, None));
    assert_eq!((values(&batch, "need")[0], values(&batch, "have")[0]), (10.0, 5.0));
    assert!(names(&batch, "hint")[0].contains("NaN"));
    assert_eq!(names(&batch, "kind"), ["market"]);
}

#[test]
fn rejections_when_the_order_is_unknown_then_its_columns_are_null() {
    let mut builder = LogBuilder::new(&["A"], 1.0);
    let order = OrderId(7);
    let code = RejectCode::OrderUnknown;
    let (need, have) = (f64::NAN, f64::NAN);
    builder.log().rejections.push(RejectionRow { timestamp: DAY, order, code, need, have });
    let batch = table(&builder.finish(), RecordKind::Rejections);
    assert_eq!(ids(&batch, "order_id"), [Some(7)]);
    assert_eq!(words(&batch, "symbol"), [None]);
    assert_eq!((numbers(&batch, "quantity")[0], numbers(&batch, "need")[0]), (None, None));
    assert_eq!(names(&batch, "hint"), [hint(code)]);
}

#[test]
fn hints_when_listed_then_every_code_has_one_of_its_own() {
    let mut hints: Vec<&str> = RejectCode::ALL.iter().map(|&code| hint(code)).collect();
    assert!(hints.iter().all(|hint| hint.len() > 20 && !hint.ends_with('.')), "{hints:?}");
    hints.sort_unstable();
    hints.dedup();
    assert_eq!(hints.len(), RejectCode::ALL.len());
}

// ------------------------------------------------------------------ costs of every kind

#[test]
fn trades_when_costs_are_of_every_kind_then_each_stands_in_its_column() {
    let batch = table(&contracts().finish(), RecordKind::Trades);
    assert_eq!(names(&batch, "status"), ["partial", "open"]);
    // (109 - 101) x 10 and (108 - 101) x 10
    assert_eq!(values(&batch, "pnl_gross"), [80.0, 70.0]);
    assert_eq!(values(&batch, "entry_commission"), [1.5, 1.5]);
    assert_eq!(values(&batch, "exit_commission"), [1.0, 0.0]);
    assert_eq!(values(&batch, "entry_slippage"), [7.5, 7.5]);
    assert_eq!(values(&batch, "entry_impact"), [2.5, 2.5]);
    assert_eq!(values(&batch, "exit_slippage"), [5.0, 0.0]);
    assert_eq!(values(&batch, "exit_impact"), [5.0, 0.0]);
    assert_eq!(values(&batch, "funding"), [2.0, 2.0]);
    assert_eq!(values(&batch, "borrow"), [0.0, 0.0]);
    assert_eq!(values(&batch, "pnl_net"), [75.5, 66.5]);
    assert_eq!(values(&batch, "total_cost"), [24.5, 13.5]);
    assert_eq!(values(&batch, "pnl_percent"), [75.5 / 1_010.0, 66.5 / 1_010.0]);
    assert_eq!(values(&batch, "multiplier"), [10.0, 10.0]);
    assert_eq!(values(&batch, "max_favorable_excursion"), [80.0, 0.0]);
    assert_eq!(words(&batch, "currency"), [None, None]);
}

#[test]
fn fills_when_costs_are_of_every_kind_then_their_parts_add_up_to_the_price() {
    let records = contracts().finish();
    let batch = table(&records, RecordKind::Fills);
    assert_eq!(values(&batch, "stop_slip"), [0.5, 0.0]);
    assert_eq!(values(&batch, "impact"), [0.25, 0.5]);
    assert_eq!(values(&batch, "slippage"), [0.25, 0.5]);
    assert_eq!(marks(&batch, "no_volume_cost"), [true, false]);
    let wanted = CostTotals {
        commission: 4.0,
        slippage: 10.0,
        stop_slippage: 10.0,
        impact: 10.0,
        funding: 4.0,
        borrow: 0.0,
        dividends: 0.0,
        interest: 0.0,
        traded: 3_110.0,
    };
    assert_eq!(records.cost_totals(), wanted);
    assert_eq!((wanted.paid(), wanted.are_none()), (38.0, false));
    assert!(CostTotals::default().are_none());
}

#[test]
fn positions_and_portfolio_when_contracts_are_held_then_multiplier_and_funding_count() {
    let records = contracts().finish();
    let positions = table(&records, RecordKind::Positions);
    assert_eq!(names(&positions, "status"), ["opened", "changed", "open"]);
    assert_eq!(values(&positions, "value"), [2_020.0, 1_090.0, 1_080.0]);
    assert_eq!(values(&positions, "unrealised"), [0.0, 80.0, 70.0]);
    assert_eq!(values(&positions, "realised"), [0.0, 75.5, 75.5]);
    let portfolio = table(&records, RecordKind::Portfolio);
    // 10,000 - 2,020 - 3 - 4 = 7,973; + 1,090 - 1 = 9,062
    assert_eq!(values(&portfolio, "cash"), [10_000.0, 7_973.0, 9_062.0]);
    assert_eq!(values(&portfolio, "equity"), [10_000.0, 10_073.0, 10_142.0]);
    assert_eq!(values(&portfolio, "funding"), [0.0, 4.0, 4.0]);
    assert_eq!(values(&portfolio, "buying_power"), [10_000.0, 7_973.0, 9_062.0]);
    for name in ["unsettled", "margin_used", "borrow", "interest", "flows"] {
        assert_eq!(values(&portfolio, name), [0.0; 3], "{name}");
    }
}

#[test]
fn portfolio_when_the_log_has_rare_columns_then_they_are_shown() {
    let mut builder = contracts();
    let states = &mut builder.log().states;
    states.unsettled = vec![0.0, 0.0, 1_090.0];
    states.margin_used = vec![0.0, 1_050.0, 540.0];
    states.buying_power = vec![20_000.0, 18_046.0, 19_204.0];
    let batch = table(&builder.finish(), RecordKind::Portfolio);
    assert_eq!(values(&batch, "unsettled"), [0.0, 0.0, 1_090.0]);
    assert_eq!(values(&batch, "margin_used"), [0.0, 1_050.0, 540.0]);
    assert_eq!(values(&batch, "buying_power"), [20_000.0, 18_046.0, 19_204.0]);
}

#[test]
fn events_when_the_account_moved_then_a_row_each() {
    let mut builder = LogBuilder::new(&["A", "B"], 1_000.0);
    builder.flow(0, 250.0);
    builder.account_event(DAY, AccountEventKind::Roll, Some(1), f64::NAN);
    builder.account_event(2 * DAY, AccountEventKind::MarginCall, None, 75.0);
    let batch = table(&builder.finish(), RecordKind::AccountEvents);
    assert_eq!(names(&batch, "kind"), ["flow", "roll", "margin_call"]);
    assert_eq!(words(&batch, "symbol"), [None, Some("B".to_owned()), None]);
    assert_eq!(numbers(&batch, "amount"), [Some(250.0), None, Some(75.0)]);
    assert_eq!(times(&batch, "timestamp"), [Some(0), Some(DAY), Some(2 * DAY)]);
}

// ------------------------------------------------------------------ flows and sessions

fn all_close(found: &[Option<f64>], wanted: &[Option<f64>]) -> bool {
    let same = |(found, wanted): (&Option<f64>, &Option<f64>)| match (found, wanted) {
        (Some(found), Some(wanted)) => (found - wanted).abs() < 1e-12,
        _ => found == wanted,
    };
    found.len() == wanted.len() && found.iter().zip(wanted).all(same)
}

#[test]
fn portfolio_when_money_comes_and_goes_then_it_is_no_return() {
    let batch = table(&with_flows(), RecordKind::Portfolio);
    let wanted: [(&str, [Option<f64>; 5]); 6] = [
        ("period_return", [Some(0.1), Some(0.0), Some(0.0), Some(0.1), Some(-0.1)]),
        ("daily_return", [None, Some(0.1), None, Some(0.1), Some(-0.1)]),
        ("cumulative_return", [Some(0.1), Some(0.1), Some(0.1), Some(0.21), Some(0.089)]),
        ("high_water_mark", [Some(110.0), Some(220.0), Some(110.0), Some(121.0), Some(121.0)]),
        ("drawdown", [Some(0.0), Some(0.0), Some(0.0), Some(0.0), Some(-0.1)]),
        ("flows", [Some(0.0), Some(110.0), Some(0.0), Some(0.0), Some(0.0)]),
    ];
    for (name, wanted) in wanted {
        let found = numbers(&batch, name);
        assert!(all_close(&found, &wanted), "{name}: {found:?}");
    }
}

#[test]
fn portfolio_when_a_row_a_session_then_the_last_of_each_day_over_all_of_it() {
    let options = TableOptions { snapshot: Snapshot::Session, ..TableOptions::default() };
    let records = with_flows().with_options(options);
    assert_eq!(records.n_rows(RecordKind::Portfolio), 3);
    for rows in [1, 2, 9] {
        let batches: Vec<_> = records.batches(RecordKind::Portfolio, rows).collect();
        let batch = concat_batches(&records.schema(RecordKind::Portfolio), &batches).unwrap();
        assert_eq!(times(&batch, "timestamp"), [DAY / 2, DAY + 1, 3 * DAY].map(Some));
        assert_eq!(values(&batch, "equity"), [220.0, 121.0, 108.9]);
        let returns = [Some(0.1), Some(0.1), Some(-0.1)];
        assert!(all_close(&numbers(&batch, "period_return"), &returns));
        assert!(all_close(&numbers(&batch, "daily_return"), &returns));
        assert!(all_close(&numbers(&batch, "drawdown"), &[Some(0.0), Some(0.0), Some(-0.1)]));
    }
    // A trough inside a session that ends higher is not seen, a peak inside one is.
    let mut builder = LogBuilder::new(&["A"], 100.0);
    for (time, equity) in [(0, 50.0), (1, 200.0), (2, 150.0)] {
        builder.state(time, &[]);
        *builder.log().states.equity.last_mut().unwrap() = equity;
    }
    let options = TableOptions { snapshot: Snapshot::Session, ..TableOptions::default() };
    let batch = table(&builder.finish().with_options(options), RecordKind::Portfolio);
    assert_eq!(values(&batch, "high_water_mark"), [200.0]);
    assert_eq!(values(&batch, "drawdown"), [-0.25]);
}

// ------------------------------------------------------------------ first in, first out

/// 10 bought at 10 (fee 1) and 10 at 20 (fee 2); 15 sold at 30 (fee 3), 10 at 40 (fee 4): 5 of them
/// open a short position that is marked at 35.
fn added_and_flipped() -> Records {
    let mut builder = LogBuilder::new(&["A"], 1_000.0);
    let trades = [(10.0, 10.0, 1.0), (10.0, 20.0, 2.0), (-15.0, 30.0, 3.0), (-10.0, 40.0, 4.0)];
    for (day, (quantity, price, fee)) in (0..).zip(trades) {
        let order = builder.order(day * DAY, 0, quantity);
        builder.fill(day * DAY, order, quantity, price, price, fee);
        builder.state(day * DAY, &[]);
    }
    builder.state(4 * DAY, &[(0, 35.0)]);
    builder.finish()
}

#[test]
fn trades_when_paired_first_in_first_out_by_hand_then_equal() {
    let records = added_and_flipped();
    let average: Vec<f64> = records.trades().map(|trade| trade.pnl_net).collect();
    // Average price 15: 225 - 2.25 - 3, 125 - 0.75 - 2, and 25 - 2 of the short position.
    assert_eq!(average, [219.75, 122.25, 23.0]);
    let currency = "USD".to_owned();
    let options = TableOptions { pairing: Pairing::Fifo, currency, ..TableOptions::default() };
    let records = records.with_options(options);
    assert_eq!(records.n_rows(RecordKind::Trades), 4);
    let batch = table(&records, RecordKind::Trades);
    assert_eq!(ids(&batch, "trade_id"), [0, 1, 2, 3].map(Some));
    assert_eq!(names(&batch, "side"), ["long", "long", "long", "short"]);
    assert_eq!(names(&batch, "status"), ["closed", "partial", "closed", "open"]);
    assert_eq!(values(&batch, "entry_quantity"), [10.0, 5.0, 5.0, 5.0]);
    assert_eq!(values(&batch, "entry_price"), [10.0, 20.0, 20.0, 40.0]);
    assert_eq!(values(&batch, "exit_price"), [30.0, 30.0, 40.0, 35.0]);
    assert_eq!(values(&batch, "entry_commission"), [1.0, 1.0, 1.0, 2.0]);
    assert_eq!(values(&batch, "exit_commission"), [2.0, 1.0, 2.0, 0.0]);
    assert_eq!(values(&batch, "pnl_gross"), [200.0, 50.0, 100.0, 25.0]);
    assert_eq!(values(&batch, "pnl_net"), [197.0, 48.0, 97.0, 23.0]);
    assert_eq!(times(&batch, "entry_timestamp"), [0, DAY, DAY, 3 * DAY].map(Some));
    assert_eq!(ids(&batch, "entry_order_id"), [0, 1, 1, 3].map(Some));
    // The way of the units added later is not in the log.
    assert_eq!(ids(&batch, "holding_period_bars"), [Some(2), None, None, Some(1)]);
    assert_eq!(numbers(&batch, "max_adverse_excursion")[1], None);
    assert_eq!(values(&batch, "holding_period_days"), [2.0, 1.0, 2.0, 1.0]);
    assert_eq!(names(&batch, "currency"), ["USD"; 4]);
}

// ------------------------------------------------------------------ orders of all kinds

#[test]
fn orders_when_changed_triggered_and_expired_then_each_row_has_the_terms_of_its_time() {
    let mut builder = LogBuilder::new(&["A"], 1e6);
    let parent = builder.order(0, 0, 10.0);
    let child = builder.order(0, 0, -6.0);
    let row = &mut builder.log().orders[child as usize];
    (row.kind, row.limit, row.stop) = (OrderKind::TrailingLimit, 12.0, 8.5);
    builder.log().order_details.push(OrderDetail {
        order: OrderId(child),
        trail: 0.25,
        is_percent: true,
        limit_offset: 0.5,
        tif: TimeInForce::Gtd(4 * DAY),
        parent: Some(OrderId(parent)),
        group: 3,
        triggered_at: 2 * DAY,
    });
    builder.fill(DAY, parent, 10.0, 10.0, 10.0, 0.0);
    builder.change(DAY, child, OrderEventKind::Released, f64::NAN, f64::NAN);
    builder.change(DAY, child, OrderEventKind::ResizedByGroup, -10.0, -6.0);
    builder.change(DAY, child, OrderEventKind::ReplacedLimit, 11.0, 12.0);
    builder.change(DAY, child, OrderEventKind::ReplacedStop, 8.0, 8.5);
    builder.change(DAY, child, OrderEventKind::ReplacedTrail, 0.5, 0.25);
    builder.change(2 * DAY, child, OrderEventKind::Triggered, f64::NAN, 8.5);
    builder.fill(2 * DAY, child, -2.0, 8.5, 8.5, 0.0);
    builder.event(5 * DAY, child, OrderEventKind::Expired(ExpireReason::GtdPassed), f64::NAN);
    builder.event(5 * DAY, parent, OrderEventKind::TooLate, f64::NAN);
    builder.state(5 * DAY, &[]);
    let records = builder.finish();
    let batch = table(&records, RecordKind::Orders);
    let wanted = [
        "submitted",
        "submitted",
        "filled",
        "released",
        "resized_by_group",
        "replaced_limit",
        "replaced_stop",
        "replaced_trail",
        "triggered",
        "partly_filled",
        "expired",
        "too_late",
    ];
    assert_eq!(names(&batch, "event"), wanted);
    let of_child = |name: &str| numbers(&batch, name)[3..11].to_vec();
    assert_eq!(of_child("quantity"), [10.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0].map(Some));
    assert_eq!(of_child("limit"), [11.0, 11.0, 12.0, 12.0, 12.0, 12.0, 12.0, 12.0].map(Some));
    assert_eq!(of_child("stop"), [8.0, 8.0, 8.0, 8.5, 8.5, 8.5, 8.5, 8.5].map(Some));
    assert_eq!(of_child("trail"), [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25].map(Some));
    assert_eq!((numbers(&batch, "limit")[1], numbers(&batch, "trail")[1]), (Some(11.0), Some(0.5)));
    let old = [None, Some(10.0), Some(11.0), Some(8.0), Some(0.5), None, None, None];
    assert_eq!(of_child("old_value"), old);
    let new = [None, Some(6.0), Some(12.0), Some(8.5), Some(0.25), Some(8.5), None, None];
    assert_eq!(of_child("new_value"), new);
    assert_eq!(numbers(&batch, "old_quantity")[4..6], [Some(10.0), None]);
    let filled = values(&batch, "filled_quantity");
    assert_eq!(filled, [0.0, 0.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 10.0]);
    assert_eq!(words(&batch, "reason")[10].as_deref(), Some("gtd_passed"));
    let tifs = names(&batch, "tif");
    assert_eq!((tifs[0].as_str(), tifs[1].as_str()), ("gtc", "gtd"));
    assert_eq!(times(&batch, "gtd_until")[..2], [None, Some(4 * DAY)]);
    let at = Some(2 * DAY);
    assert_eq!(times(&batch, "triggered_at")[7..], [None, at, at, at, None]);
    assert_eq!(ids(&batch, "parent_id")[..2], [None, Some(parent)]);
    assert_eq!(ids(&batch, "group")[..2], [None, Some(3)]);
    assert_eq!(numbers(&batch, "limit_offset")[..2], [None, Some(0.5)]);
    assert_eq!(marks(&batch, "trail_is_percent")[..2], [false, true]);
    assert_eq!(names(&batch, "kind")[1], "trailing_limit");
}

#[test]
fn texts_when_a_column_is_a_dictionary_then_no_text_stands_in_it_twice() {
    let records = by_hand();
    for kind in RecordKind::ALL {
        let Some(batch) = records.batches(kind, 100).next() else { continue };
        for field in batch.schema().fields() {
            let column = column(&batch, field.name());
            let Some(column) = column.as_any_dictionary_opt() else { continue };
            let mut texts: Vec<_> = column.values().as_string::<i32>().iter().collect();
            let n_texts = texts.len();
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(texts.len(), n_texts, "{kind:?} {}", field.name());
        }
    }
}

// ------------------------------------------------------------------ the fingerprint

#[test]
fn fingerprint_when_any_recorded_fact_changes_then_it_does_too() {
    let make = |change: &dyn Fn(&mut LogBuilder)| {
        let mut builder = contracts();
        builder.log().order_details.push(OrderDetail {
            order: OrderId(1),
            trail: 0.25,
            is_percent: true,
            limit_offset: 0.5,
            tif: TimeInForce::Gtd(4 * DAY),
            parent: None,
            group: 0,
            triggered_at: i64::MIN,
        });
        change(&mut builder);
        fingerprint(builder.finish().log())
    };
    let plain = make(&|_| {});
    assert_eq!(plain, make(&|_| {}));
    // An empty column is one of zeros.
    assert_eq!(plain, make(&|b| b.log().states.flows = vec![0.0; 3]));
    let changes: [&dyn Fn(&mut LogBuilder); 22] = [
        &|b| b.log().order_details[0].trail = 0.5,
        &|b| b.log().order_details[0].is_percent = false,
        &|b| b.log().order_details[0].limit_offset = 0.25,
        &|b| b.log().order_details[0].tif = TimeInForce::Gtd(5 * DAY),
        &|b| b.log().order_details[0].tif = TimeInForce::Day,
        &|b| b.log().order_details[0].parent = Some(OrderId(0)),
        &|b| b.log().order_details[0].group = 1,
        &|b| b.log().order_details[0].triggered_at = DAY,
        &|b| b.log().fill_costs[0].stop_slip = 0.25,
        &|b| b.log().fill_costs[1].impact = 0.25,
        &|b| b.log().lot_costs[0].funding = 1.0,
        &|b| b.log().fills[1].flags = FillFlags::AMBIGUOUS,
        &|b| b.account_event(DAY, AccountEventKind::LimitBreach, Some(0), 0.5),
        &|b| b.log().account_events[0].amount = -5.0,
        &|b| b.log().account_events[0].asset = None,
        &|b| b.log().states.unsettled = vec![0.0, 0.0, 1.0],
        &|b| b.log().states.margin_used = vec![0.0, 0.0, 1.0],
        &|b| b.log().states.buying_power = vec![0.0, 0.0, 1.0],
        &|b| b.log().states.borrow = vec![0.0, 0.0, 1.0],
        &|b| b.log().states.interest = vec![0.0, 0.0, 1.0],
        &|b| b.log().states.flows = vec![0.0, 0.0, 1.0],
        &|b| b.log().states.n_stale[2] = 1,
    ];
    let mut seen = vec![plain];
    for (idx, change) in changes.into_iter().enumerate() {
        let found = make(change);
        assert!(!seen.contains(&found), "change {idx} is not seen");
        seen.push(found);
    }
}
