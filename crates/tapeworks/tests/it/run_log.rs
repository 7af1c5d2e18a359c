//! Run logs made by hand, for the tests of the rooms that read them.

use std::sync::Arc;

use tapeworks::base::{AssetId, OrderId, Symbols};
use tapeworks::broker::{
    CancelReason, ExitReason, FillFlags, OrderKind, OrderOrigin, Phase, RejectCode,
};
use tapeworks::engine::{
    ClosedLot, FillRow, OrderEvent, OrderEventKind, OrderRow, OrderStatus, RejectionRow, RunLog,
    States,
};
use tapeworks::feed::Layout;
use tapeworks::records::Records;

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
            ..RunLog::default()
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
        u32::try_from(self.log.orders.len() - 1).expect("few orders")
    }

    pub fn event(&mut self, timestamp: i64, order: u32, kind: OrderEventKind, old_quantity: f64) {
        let fills_before = u32::try_from(self.log.fills.len()).expect("a small run");
        let order = OrderId(order);
        self.log.order_events.push(OrderEvent {
            timestamp,
            order,
            kind,
            old: old_quantity,
            new: f64::NAN,
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
        let id = u32::try_from(self.log.fills.len()).expect("a small run");
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
        states.n_stale.push(0);
        states.n_positions.push(u32::try_from(held().count()).expect("a small run"));
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
        let now = i64::try_from(row).expect("a small run") * DAY / 4;
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
                let id = builder.order(now, u32::try_from(asset).expect("a small run"), quantity);
                builder.log.decision_values.extend([f64::from(id), 2.0, 20.0]);
                waiting.push(id);
            }
        }
        let marks: Vec<(u32, f64)> = (0..).zip(prices.iter().copied()).collect();
        builder.state(now, &marks);
    }
    let last = i64::try_from(n_rows - 1).expect("a small run") * DAY / 4;
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
