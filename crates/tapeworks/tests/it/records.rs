//! Room `records`: the tables against what a run log means, and against each other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Float64Type, Int32Type, TimestampNanosecondType, UInt32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tapeworks::base::{AssetId, OrderId, Symbols};
use tapeworks::broker::{
    CancelReason, ExitReason, FillFlags, OrderKind, OrderOrigin, Phase, RejectCode,
};
use tapeworks::engine::{
    ClosedLot, FillRow, OrderEvent, OrderEventKind, OrderRow, OrderStatus, RejectionRow, RunLog,
    States,
};
use tapeworks::feed::Layout;
use tapeworks::records::{RecordKind, Records, TradeSide, TradeStatus, write_csv, write_parquet};

pub const DAY: i64 = 86_400_000_000_000;

/// Builds a run log fill by fill, with the account of semantics 5.1.
pub struct LogBuilder {
    log: RunLog,
    held: Vec<Held>,
    cash: f64,
    fees: f64,
}

#[derive(Clone, Copy)]
struct Held {
    quantity: f64,
    price: f64,
    fees_in: f64,
    slippage_in: f64,
    entry_fill: u32,
    mark: f64,
}

impl LogBuilder {
    pub fn new(symbols: &[&str], cash: f64) -> Self {
        Self::with_layout(symbols, cash, Layout::default())
    }

    pub fn with_layout(symbols: &[&str], cash: f64, layout: Layout) -> Self {
        let flat = Held {
            quantity: 0.0,
            price: f64::NAN,
            fees_in: 0.0,
            slippage_in: 0.0,
            entry_fill: 0,
            mark: f64::NAN,
        };
        let states =
            States { context: vec![Vec::new(); layout.context.len()], ..States::default() };
        let log = RunLog {
            symbols: Arc::new(Symbols::new(symbols.iter().copied())),
            layout: Arc::new(layout),
            initial_cash: cash,
            orders: Vec::new(),
            order_events: Vec::new(),
            fills: Vec::new(),
            lots: Vec::new(),
            rejections: Vec::new(),
            decision_values: Vec::new(),
            states,
            tags: vec!["".into()],
            n_rows: 0,
            n_untradable_rows: 0,
            notes: Vec::new(),
        };
        Self { log, held: vec![flat; symbols.len()], cash, fees: 0.0 }
    }

    /// A market order of the strategy; returns its id.
    pub fn order(&mut self, created: i64, asset: u32, quantity: f64) -> u32 {
        self.log.orders.push(OrderRow {
            created,
            quantity,
            limit: f64::NAN,
            stop: f64::NAN,
            filled: 0.0,
            asset: AssetId(asset),
            tag: 0,
            kind: OrderKind::Market,
            origin: OrderOrigin::Strategy,
            reason: ExitReason::Signal,
            reduce_only: false,
            status: OrderStatus::Live,
        });
        u32::try_from(self.log.orders.len() - 1).unwrap()
    }

    pub fn event(&mut self, timestamp: i64, order: u32, kind: OrderEventKind, old_quantity: f64) {
        let fills_before = u32::try_from(self.log.fills.len()).unwrap();
        let order = OrderId(order);
        self.log.order_events.push(OrderEvent {
            timestamp,
            order,
            kind,
            old_quantity,
            fills_before,
        });
        let row = &mut self.log.orders[order.index()];
        match kind {
            OrderEventKind::Cancelled(reason) => row.status = OrderStatus::Cancelled(reason),
            OrderEventKind::LiveAtEnd => row.status = OrderStatus::LiveAtEnd,
            OrderEventKind::Rejected(code) => {
                row.status = OrderStatus::Rejected(code);
                let (need, have) = (10.0, 5.0);
                self.log.rejections.push(RejectionRow { timestamp, order, code, need, have });
            }
            _ => {}
        }
    }

    /// Fills `quantity` of `order` at `price` (base price `base`) for `fee`.
    pub fn fill(
        &mut self,
        timestamp: i64,
        order: u32,
        quantity: f64,
        base: f64,
        price: f64,
        fee: f64,
    ) {
        let id = u32::try_from(self.log.fills.len()).unwrap();
        let row = &mut self.log.orders[order as usize];
        row.filled += quantity;
        if row.filled == row.quantity {
            row.status = OrderStatus::Filled;
        }
        let (asset, reason) = (row.asset, row.reason);
        self.log.fills.push(FillRow {
            timestamp,
            quantity,
            base_price: base,
            price,
            commission: fee,
            order: OrderId(order),
            asset,
            phase: Phase::Open,
            reason,
            flags: FillFlags::default(),
        });
        let (d, q) = (quantity.signum(), quantity.abs());
        self.cash -= d * q * price + fee;
        self.fees += fee;
        let held = &mut self.held[asset.index()];
        held.mark = price;
        let slippage = d * (price - base) * q;
        let closing = if held.quantity * d < 0.0 { q.min(held.quantity.abs()) } else { 0.0 };
        let opening = q - closing;
        if closing > 0.0 {
            let share = closing / held.quantity.abs();
            let side = held.quantity.signum();
            let lot = ClosedLot {
                exit_fill: Some(id),
                entry_fill: held.entry_fill,
                quantity: closing,
                side,
                entry_price: held.price,
                exit_price: price,
                entry_commission: held.fees_in * share,
                exit_commission: fee * (closing / q),
                entry_slippage: held.slippage_in * share,
                exit_slippage: slippage * (closing / q),
                best: if side > 0.0 { held.price.max(price) } else { held.price.min(price) },
                worst: if side > 0.0 { held.price.min(price) } else { held.price.max(price) },
                stop_level: f64::NAN,
                target_level: f64::NAN,
                exit_timestamp: timestamp,
                bars_held: 2,
                bars_to_best: 1,
                bars_to_worst: 2,
                flags: FillFlags::default(),
                reason,
                closes_position: closing == held.quantity.abs(),
            };
            held.fees_in -= lot.entry_commission;
            held.slippage_in -= lot.entry_slippage;
            held.quantity += d * closing;
            self.log.lots.push(lot);
        }
        if opening > 0.0 {
            if held.quantity == 0.0 {
                *held = Held { price, entry_fill: id, fees_in: 0.0, slippage_in: 0.0, ..*held };
            } else {
                let units = held.quantity.abs();
                held.price = (units * held.price + opening * price) / (units + opening);
            }
            held.quantity += d * opening;
            held.fees_in += fee * (opening / q);
            held.slippage_in += slippage * (opening / q);
        }
    }

    /// Marks some assets and records a state.
    pub fn state(&mut self, timestamp: i64, marks: &[(u32, f64)]) {
        for &(asset, mark) in marks {
            self.held[asset as usize].mark = mark;
        }
        let held = || self.held.iter().filter(|held| held.quantity != 0.0);
        let value: f64 = held().map(|held| held.quantity * held.mark).sum();
        let states = &mut self.log.states;
        states.timestamp.push(timestamp);
        states.equity.push(self.cash + value);
        states.cash.push(self.cash);
        states.positions_value.push(value);
        states.gross_exposure.push(held().map(|held| held.quantity.abs() * held.mark).sum());
        states.fees.push(self.fees);
        states.n_positions.push(u32::try_from(held().count()).unwrap());
        for column in &mut states.context {
            column.push(20.0);
        }
    }

    /// The log itself, for what the builder has no word for.
    pub fn log(&mut self) -> &mut RunLog {
        &mut self.log
    }

    /// Leaves what is held as open lots at the last state.
    pub fn finish(mut self) -> Records {
        let now = self.log.states.timestamp.last().copied().unwrap_or(0);
        for held in self.held.iter().filter(|held| held.quantity != 0.0) {
            self.log.lots.push(ClosedLot {
                exit_fill: None,
                entry_fill: held.entry_fill,
                quantity: held.quantity.abs(),
                side: held.quantity.signum(),
                entry_price: held.price,
                exit_price: held.mark,
                entry_commission: held.fees_in,
                exit_commission: 0.0,
                entry_slippage: held.slippage_in,
                exit_slippage: 0.0,
                best: held.price,
                worst: held.price,
                stop_level: f64::NAN,
                target_level: f64::NAN,
                exit_timestamp: now,
                bars_held: 1,
                bars_to_best: 0,
                bars_to_worst: 0,
                flags: FillFlags::default(),
                reason: ExitReason::EndOfRun,
                closes_position: false,
            });
        }
        Records::new(self.log)
    }
}

/// A random run: orders of whole units, some cancelled, refused or live at the end, flips included.
pub fn random_records(seed: u64, n_assets: usize, n_rows: usize) -> Records {
    let names: Vec<String> = (0..n_assets).map(|idx| format!("S{idx:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let layout = Layout {
        signals: vec!["score".into()],
        indicators: vec!["atr".into()],
        context: vec!["vix".into()],
    };
    let mut builder = LogBuilder::with_layout(&names, 1e7, layout);
    let mut random = Random(seed);
    let mut prices = vec![100.0; n_assets];
    let mut waiting: Vec<u32> = Vec::new();
    for row in 0..n_rows {
        let now = i64::try_from(row).unwrap() * DAY / 4;
        for order in std::mem::take(&mut waiting) {
            let quantity = builder.log.orders[order as usize].quantity;
            let base = prices[builder.log.orders[order as usize].asset.index()];
            let price = base * (1.0 + 0.0005 * quantity.signum());
            match random.below(20) {
                0 => builder.event(
                    now,
                    order,
                    OrderEventKind::Rejected(RejectCode::InsufficientCash),
                    f64::NAN,
                ),
                1 => builder.event(
                    now,
                    order,
                    OrderEventKind::Cancelled(CancelReason::User),
                    f64::NAN,
                ),
                2 => waiting.push(order),
                3 if quantity.abs() > 1.0 => {
                    let old = quantity;
                    builder.log.orders[order as usize].quantity = quantity.signum();
                    builder.event(now, order, OrderEventKind::ResizedForCash, old);
                    builder.fill(now, order, quantity.signum(), base, price, 1.0);
                }
                _ => builder.fill(now, order, quantity, base, price, 0.5 + quantity.abs() * 0.005),
            }
        }
        for (asset, price) in prices.iter_mut().enumerate() {
            *price *= 0.98 + 0.04 * (random.below(1001) as f64 / 1000.0);
            if random.below(3) == 0 {
                let units = (random.below(9) + 1) as f64;
                let quantity = if random.below(2) == 0 { units } else { -units };
                let id = builder.order(now, u32::try_from(asset).unwrap(), quantity);
                builder.log.decision_values.extend([f64::from(id), 2.0, 20.0]);
                waiting.push(id);
            }
        }
        let marks: Vec<(u32, f64)> = (0..).zip(prices.iter().copied()).collect();
        builder.state(now, &marks);
    }
    let last = i64::try_from(n_rows - 1).unwrap() * DAY / 4;
    for order in waiting {
        builder.event(last, order, OrderEventKind::LiveAtEnd, f64::NAN);
    }
    builder.finish()
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        // Knuth's 64-bit linear congruential generator; its high bits are good enough here.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

// ------------------------------------------------------------------ reading tables

fn table(records: &Records, kind: RecordKind) -> RecordBatch {
    let batches: Vec<RecordBatch> = records.batches(kind, 7).collect();
    concat_batches(&records.schema(kind), &batches).unwrap()
}

fn column(batch: &RecordBatch, name: &str) -> ArrayRef {
    Arc::clone(batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}")))
}

fn numbers(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    column(batch, name).as_primitive::<Float64Type>().iter().collect()
}

fn values(batch: &RecordBatch, name: &str) -> Vec<f64> {
    numbers(batch, name).into_iter().map(|value| value.expect(name)).collect()
}

fn ids(batch: &RecordBatch, name: &str) -> Vec<Option<u32>> {
    column(batch, name).as_primitive::<UInt32Type>().iter().collect()
}

fn times(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    column(batch, name).as_primitive::<TimestampNanosecondType>().iter().collect()
}

fn words(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = column(batch, name);
    let column = column.as_dictionary::<Int32Type>();
    let texts = column.values().as_string::<i32>();
    let text = |key: i32| texts.value(usize::try_from(key).unwrap()).to_owned();
    column.keys().iter().map(|key| key.map(text)).collect()
}

fn names(batch: &RecordBatch, name: &str) -> Vec<String> {
    words(batch, name).into_iter().map(|word| word.expect(name)).collect()
}

fn close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0)
}

// ------------------------------------------------------------------ one run by hand

/// Oracle input: 100 units bought at 10 (fee 2), 50 sold at 12 (fee 1), 50 sold at 9 (fee 1), then
/// 10 bought at 20 (fee 0) and held at a mark of 21. Cash 2,000.
pub fn by_hand() -> Records {
    let layout = Layout {
        signals: vec!["score".into()],
        indicators: vec!["rsi".into()],
        context: vec!["vix".into()],
    };
    let mut builder = LogBuilder::with_layout(&["AAA", "BBB"], 2_000.0, layout);
    let buy = builder.order(0, 0, 100.0);
    builder.state(0, &[(0, 10.0)]);
    builder.fill(DAY, buy, 100.0, 9.5, 10.0, 2.0);
    let half = builder.order(DAY, 0, -50.0);
    builder.state(DAY, &[(0, 11.0)]);
    builder.fill(2 * DAY, half, -50.0, 12.0, 12.0, 1.0);
    let rest = builder.order(2 * DAY, 0, -50.0);
    builder.log().orders[rest as usize].tag = 1;
    builder.log().tags.push("out".into());
    let other = builder.order(2 * DAY, 1, 10.0);
    builder.state(2 * DAY, &[(0, 12.0)]);
    builder.fill(3 * DAY, rest, -50.0, 9.0, 9.0, 1.0);
    builder.fill(3 * DAY, other, 10.0, 20.0, 20.0, 0.0);
    builder.state(3 * DAY, &[(0, 9.0), (1, 21.0)]);
    builder.log().decision_values = vec![
        0.5,
        30.0,
        15.0, //
        -0.5,
        70.0,
        f64::NAN, //
        -1.0,
        80.0,
        17.0, //
        0.9,
        40.0,
        17.0,
    ];
    builder.finish()
}

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

// ------------------------------------------------------------------ properties

/// Goal: all trades are derivable from the fills alone. Method: a naive ledger of cost basis, not
/// of averages, fed with the fills table; compared with the trades table to 1e-9.
#[test]
fn trades_when_rederived_from_the_fills_table_then_equal() {
    for seed in 0..20 {
        let records = random_records(seed, 5, 60);
        let fills = table(&records, RecordKind::Fills);
        let (symbols, sides) = (names(&fills, "symbol"), names(&fills, "side"));
        let (units, prices) = (values(&fills, "quantity"), values(&fills, "price"));
        let (fees, slips) = (values(&fills, "commission"), values(&fills, "slippage"));
        let reasons = words(&fills, "reason");
        // symbol -> (signed units, cost basis, fees in, slippage in)
        let mut ledger: BTreeMap<String, [f64; 4]> = BTreeMap::new();
        let mut trades = records.trades();
        for idx in 0..fills.num_rows() {
            let book = ledger.entry(symbols[idx].clone()).or_default();
            let sign = if sides[idx] == "buy" { 1.0 } else { -1.0 };
            let mut left = units[idx];
            let slip = slips[idx] * units[idx];
            if book[0] * sign < 0.0 {
                let closed = left.min(book[0].abs());
                let share = closed / book[0].abs();
                let proceeds = closed * prices[idx] * book[0].signum();
                let net =
                    proceeds - book[1] * share - book[2] * share - fees[idx] * closed / units[idx];
                let costs = (book[2] + book[3]) * share + (fees[idx] + slip) * closed / units[idx];
                let trade = trades.next().expect("a trade a reducing fill");
                assert_eq!(reasons[idx].as_deref(), Some("signal"));
                assert_eq!(trade.exit_order_id.map(|o| o.0), ids(&fills, "order_id")[idx]);
                assert_eq!(trade.entry_quantity, closed);
                assert!(close(trade.pnl_net, net), "{} {net}", trade.pnl_net);
                assert!(close(trade.total_cost, costs), "{} {costs}", trade.total_cost);
                assert_eq!(trade.status == TradeStatus::Closed, closed == book[0].abs());
                book[0] += sign * closed;
                for value in &mut book[1..] {
                    *value *= 1.0 - share;
                }
                left -= closed;
            } else {
                assert_eq!(reasons[idx], None);
            }
            if left > 0.0 {
                let share = left / units[idx];
                book[0] += sign * left;
                book[1] += sign * left * prices[idx];
                book[2] += fees[idx] * share;
                book[3] += slip * share;
            }
        }
        let open: Vec<_> = trades.collect();
        let held: Vec<_> = ledger.iter().filter(|(_, book)| book[0] != 0.0).collect();
        assert_eq!(open.len(), held.len());
        for (trade, (symbol, book)) in open.iter().zip(held) {
            assert_eq!(trade.status, TradeStatus::Open);
            assert_eq!(records.symbols().name(trade.asset), symbol);
            assert_eq!(trade.entry_quantity, book[0].abs());
            assert!(close(trade.pnl_net, trade.exit_price * book[0] - book[1] - book[2]));
        }
    }
}

/// A9, A10: closed and open results add up to the change of equity, commissions to the fee column.
#[test]
fn tables_when_summed_then_agree_with_the_account() {
    for seed in 0..20 {
        let records = random_records(seed, 4, 80);
        let portfolio = table(&records, RecordKind::Portfolio);
        let net: f64 = records.trades().map(|trade| trade.pnl_net).sum();
        let last = portfolio.num_rows() - 1;
        assert!(close(1e7 + net, values(&portfolio, "equity")[last]), "seed {seed}");
        let fills = table(&records, RecordKind::Fills);
        let fees: f64 = values(&fills, "commission").iter().sum();
        assert!(close(fees, values(&portfolio, "fees")[last]));
        let charged: f64 =
            records.trades().map(|trade| trade.entry_commission + trade.exit_commission).sum();
        assert!(close(fees, charged));
        let positions = table(&records, RecordKind::Positions);
        let open: f64 = names(&positions, "status")
            .iter()
            .zip(values(&positions, "value"))
            .filter(|(status, _)| *status == "open")
            .map(|(_, value)| value)
            .sum();
        assert!(close(open, values(&portfolio, "positions_value")[last]));
        // What a position has realised when it closes is the sum of its trades.
        let when = times(&positions, "timestamp");
        let symbols = names(&positions, "symbol");
        let realised = values(&positions, "realised");
        let rows = names(&positions, "status");
        let mut n_closed = 0;
        for idx in (0..rows.len()).filter(|&idx| rows[idx] == "closed") {
            let asset = records.symbols().id(&symbols[idx]).unwrap();
            let of_asset = || records.trades().filter(|trade| trade.asset == asset);
            let last = of_asset().filter(|t| Some(t.exit_timestamp) == when[idx]).last().unwrap();
            assert_eq!(last.status, TradeStatus::Closed);
            let parts = of_asset().filter(|trade| trade.entry_order_id == last.entry_order_id);
            let earned: f64 = parts.map(|trade| trade.pnl_net).sum();
            assert!(close(realised[idx], earned), "{} {earned}", realised[idx]);
            n_closed += 1;
        }
        assert!(n_closed > 0);
    }
}

#[test]
fn orders_when_random_then_each_order_begins_ends_once_and_time_never_goes_back() {
    for seed in 0..20 {
        let records = random_records(seed, 5, 60);
        let batch = table(&records, RecordKind::Orders);
        let (events, orders) = (names(&batch, "event"), ids(&batch, "order_id"));
        let when = times(&batch, "timestamp");
        assert!(when.is_sorted());
        let mut stages: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
        for (event, order) in events.iter().zip(orders) {
            stages.entry(order.unwrap()).or_default().push(event);
        }
        assert_eq!(stages.len(), records.log().orders.len());
        for (order, stages) in stages {
            assert_eq!(stages[0], "submitted", "order {order}");
            let ends = ["filled", "cancelled", "rejected", "live_at_end"];
            let n_ends = stages.iter().filter(|stage| ends.contains(stage)).count();
            assert_eq!(n_ends, 1, "order {order}: {stages:?}");
            assert!(ends.contains(stages.last().unwrap()), "order {order}: {stages:?}");
        }
        let filled = ids(&batch, "fill_id");
        let filled: Vec<u32> = filled.into_iter().flatten().collect();
        assert_eq!(filled, (0..u32::try_from(records.fills().len()).unwrap()).collect::<Vec<_>>());
    }
}

#[test]
fn batches_when_cut_differently_then_the_rows_are_the_same_and_bounded() {
    let records = random_records(3, 6, 100);
    for kind in RecordKind::ALL {
        let whole: Vec<RecordBatch> = records.batches(kind, usize::MAX / 2).collect();
        let cut: Vec<RecordBatch> = records.batches(kind, 13).collect();
        assert!(cut.iter().all(|batch| batch.num_rows() <= 13), "{kind:?}");
        let schema = records.schema(kind);
        let cut = concat_batches(&schema, &cut).unwrap();
        assert_eq!(concat_batches(&schema, &whole).unwrap(), cut, "{kind:?}");
        assert_eq!(cut.num_rows(), records.n_rows(kind), "{kind:?}");
        for column in cut.columns().iter().filter(|c| *c.data_type() == DataType::Float64) {
            assert!(column.as_primitive::<Float64Type>().iter().flatten().all(f64::is_finite));
        }
    }
}

// ------------------------------------------------------------------ files

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tapeworks-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn parquet_when_read_back_then_equal_with_metadata_and_no_temporary_file() {
    let folder = folder("parquet");
    let records = random_records(5, 6, 100);
    for kind in RecordKind::ALL {
        let path = folder.join(kind.file_name());
        std::fs::write(&path, "an older file").unwrap();
        let written = write_parquet(&records, kind, &path, "run-1").unwrap();
        assert_eq!(written.bytes, std::fs::metadata(&path).unwrap().len());
        assert_eq!(written.rows as usize, records.n_rows(kind));
        let again = folder.join("again.parquet");
        write_parquet(&records, kind, &again, "run-1").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
        let file = std::fs::File::open(&path).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let metadata = builder.metadata().file_metadata().key_value_metadata().unwrap();
        let entry = |key: &str| metadata.iter().find(|kv| kv.key == key)?.value.clone();
        assert_eq!(entry("schema_version").as_deref(), Some("1"));
        assert_eq!(entry("table").as_deref(), Some(kind.as_str()));
        assert_eq!(entry("run_id").as_deref(), Some("run-1"));
        let schema = records.schema(kind);
        let rows: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
        assert_eq!(
            rows.first().map(|batch| batch.schema().fields().clone()),
            Some(schema.fields().clone())
        );
        // The reader makes its own dictionaries: compare the texts.
        let found = concat_batches(&rows[0].schema(), &rows).unwrap();
        let wanted = table(&records, kind);
        for field in schema.fields() {
            let name = field.name();
            match field.data_type() {
                DataType::Dictionary(..) => {
                    assert_eq!(words(&found, name), words(&wanted, name), "{name}");
                }
                _ => assert_eq!(&column(&found, name), &column(&wanted, name), "{name}"),
            }
        }
    }
    let left = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, RecordKind::ALL.len() + 1);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn parquet_when_a_table_is_empty_then_the_file_has_its_columns_and_no_rows() {
    let folder = folder("empty");
    let records = LogBuilder::new(&["A"], 1.0).finish();
    for kind in RecordKind::ALL {
        let path = folder.join(kind.file_name());
        assert_eq!(write_parquet(&records, kind, &path, "").unwrap().rows, 0);
        let file = std::fs::File::open(&path).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert_eq!(builder.schema().fields(), records.schema(kind).fields());
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn csv_when_written_then_one_line_a_row_and_empty_cells_for_null() {
    let folder = folder("csv");
    let path = folder.join("positions.csv");
    let written = write_csv(&by_hand(), RecordKind::Positions, &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!((written.rows, written.bytes), (5, text.len() as u64));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "timestamp,symbol,status,quantity,entry_price,entry_timestamp,mark,value,unrealised,\
         fees_in,realised"
    );
    assert_eq!(
        lines[1],
        "1970-01-02T00:00:00Z,AAA,opened,100.0,10.0,1970-01-02T00:00:00Z,10.0,1000.0,0.0,2.0,0.0"
    );
    assert_eq!(lines[3], "1970-01-04T00:00:00Z,AAA,closed,0.0,,,9.0,0.0,0.0,0.0,46.0");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn files_when_the_folder_is_absent_then_the_error_names_it() {
    let path = std::env::temp_dir().join("tapeworks-no-such-folder/trades.parquet");
    let error = write_parquet(&by_hand(), RecordKind::Trades, &path, "").unwrap_err();
    assert_eq!(error.code(), "W101");
    assert!(error.message().contains("trades.parquet"), "{error}");
}
