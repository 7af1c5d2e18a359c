//! Room `records`: the tables against hand calculation.

use arrow::compute::concat_batches;
use tapeworks::broker::{CancelReason, ExitReason, OrderKind, OrderOrigin, RejectCode};
use tapeworks::engine::OrderEventKind;
use tapeworks::records::{RecordKind, TradeSide, TradeStatus};

use crate::run_log::{DAY, LogBuilder, by_hand};
use crate::tables::{close, ids, names, numbers, table, times, values, words};

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
    builder.event(DAY, first, OrderEventKind::ResizedForCash, 10.0);
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
    builder.event(0, order, OrderEventKind::Rounded, -7.5);
    builder.event(DAY, order, OrderEventKind::ResizedToPosition, -7.0);
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
