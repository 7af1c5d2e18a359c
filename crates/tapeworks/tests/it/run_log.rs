//! Run logs made by hand, for the tests of the rooms that read them.

use std::sync::Arc;

use tapeworks::base::{AssetId, OrderId, Symbols};
use tapeworks::broker::{
    AccountEvent, AccountEventKind, CancelReason, ExitReason, FillCost, FillFlags, Instrument,
    Instruments, LotCost, OrderKind, OrderOrigin, Phase, RejectCode,
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
    rare: Rare,
}

/// What few runs have, since the start; its columns stay empty until there is some.
#[derive(Clone, Copy, Default)]
struct Rare {
    funding: f64,
    borrow: f64,
    interest: f64,
    flows: f64,
}

#[derive(Clone, Copy)]
struct Held {
    quantity: f64,
    price: f64,
    fees_in: f64,
    slippage_in: f64,
    impact_in: f64,
    funding_in: f64,
    borrow_in: f64,
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
            impact_in: 0.0,
            funding_in: 0.0,
            borrow_in: 0.0,
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
        Self { log, held: vec![flat; symbols.len()], cash, fees: 0.0, rare: Rare::default() }
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

    /// Gives one asset a contract multiplier.
    pub fn multiplier(&mut self, asset: u32, multiplier: f64) {
        let particular = Instrument { multiplier, ..Instrument::default() };
        let n_assets = self.held.len();
        self.log.instruments =
            Instruments::new(Instrument::default(), &[(AssetId(asset), particular)], n_assets);
    }

    /// Money that comes in (negative: goes out).
    pub fn flow(&mut self, timestamp: i64, amount: f64) {
        self.cash += amount;
        self.rare.flows += amount;
        self.account_event(timestamp, AccountEventKind::Flow, None, amount);
    }

    /// Interest received on cash.
    pub fn interest(&mut self, timestamp: i64, amount: f64) {
        self.cash += amount;
        self.rare.interest += amount;
        self.account_event(timestamp, AccountEventKind::Interest, None, amount);
    }

    /// Funding and borrowing costs paid for what is held of an asset.
    pub fn accrue(&mut self, timestamp: i64, asset: u32, funding: f64, borrow: f64) {
        self.cash -= funding + borrow;
        self.rare.funding += funding;
        self.rare.borrow += borrow;
        let held = &mut self.held[asset as usize];
        held.funding_in += funding;
        held.borrow_in += borrow;
        self.account_event(timestamp, AccountEventKind::Funding, Some(asset), -funding);
        self.account_event(timestamp, AccountEventKind::Borrow, Some(asset), -borrow);
    }

    pub fn account_event(
        &mut self,
        timestamp: i64,
        kind: AccountEventKind,
        asset: Option<u32>,
        amount: f64,
    ) {
        let asset = asset.map(AssetId);
        let fills_before = u32::try_from(self.log.fills.len()).expect("a small run");
        self.log.account_events.push(AccountEvent { timestamp, kind, asset, amount, fills_before });
    }

    pub fn event(&mut self, timestamp: i64, order: u32, kind: OrderEventKind, old_quantity: f64) {
        self.change(timestamp, order, kind, old_quantity, f64::NAN);
    }

    /// An event that changed a value of an order.
    pub fn change(&mut self, timestamp: i64, order: u32, kind: OrderEventKind, old: f64, new: f64) {
        let fills_before = u32::try_from(self.log.fills.len()).expect("a small run");
        let order = OrderId(order);
        self.log.order_events.push(OrderEvent { timestamp, order, kind, old, new, fills_before });
        let row = &mut self.log.orders[order.index()];
        match kind {
            OrderEventKind::Cancelled(reason) => row.status = OrderStatus::Cancelled(reason),
            OrderEventKind::Expired(reason) => row.status = OrderStatus::Expired(reason),
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
        self.fill_at(timestamp, order, quantity, [base, price], fee, [0.0, 0.0]);
    }

    /// As [`Self::fill`]; of what `price` is beyond `base`, `[stop_slip, impact]` a unit are those.
    pub fn fill_at(
        &mut self,
        timestamp: i64,
        order: u32,
        quantity: f64,
        [base, price]: [f64; 2],
        fee: f64,
        [stop_slip, impact]: [f64; 2],
    ) {
        let id = u32::try_from(self.log.fills.len()).expect("a small run");
        let row = &mut self.log.orders[order as usize];
        row.filled += quantity;
        if row.filled == row.quantity {
            row.status = OrderStatus::Filled;
        }
        let (asset, reason) = (row.asset, row.reason);
        let multiplier = self.log.instruments.of(asset).multiplier;
        if stop_slip != 0.0 || impact != 0.0 {
            self.log.fill_costs.push(FillCost { fill: id, stop_slip, impact });
        }
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
        self.cash -= d * q * price * multiplier + fee;
        self.fees += fee;
        let held = &mut self.held[asset.index()];
        held.mark = price;
        let slippage = d * (price - base) * q * multiplier;
        let impact = impact * q * multiplier;
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
            let cost = held.cost(self.log.lots.len(), share, impact * (closing / q));
            held.impact_in -= cost.entry_impact;
            held.funding_in -= cost.funding;
            held.borrow_in -= cost.borrow;
            held.quantity += d * closing;
            self.log.lots.push(lot);
            push_cost(&mut self.log.lot_costs, cost);
        }
        if opening > 0.0 {
            if held.quantity == 0.0 {
                *held = Held {
                    price,
                    entry_fill: id,
                    fees_in: 0.0,
                    slippage_in: 0.0,
                    impact_in: 0.0,
                    funding_in: 0.0,
                    borrow_in: 0.0,
                    ..*held
                };
            } else {
                let units = held.quantity.abs();
                held.price = (units * held.price + opening * price) / (units + opening);
            }
            held.quantity += d * opening;
            held.fees_in += fee * (opening / q);
            held.slippage_in += slippage * (opening / q);
            held.impact_in += impact * (opening / q);
        }
    }

    /// Marks some assets and records a state.
    pub fn state(&mut self, timestamp: i64, marks: &[(u32, f64)]) {
        for &(asset, mark) in marks {
            self.held[asset as usize].mark = mark;
        }
        let instruments = &self.log.instruments;
        let held = || {
            let assets = (0..).map(AssetId).zip(&self.held);
            let held = assets.filter(|(_, held)| held.quantity != 0.0);
            held.map(|(asset, held)| held.quantity * held.mark * instruments.of(asset).multiplier)
        };
        let value: f64 = held().sum();
        let gross: f64 = held().map(f64::abs).sum();
        let n_held = held().count();
        let states = &mut self.log.states;
        states.timestamp.push(timestamp);
        states.equity.push(self.cash + value);
        states.cash.push(self.cash);
        states.positions_value.push(value);
        states.gross_exposure.push(gross);
        states.fees.push(self.fees);
        states.n_stale.push(0);
        states.n_positions.push(u32::try_from(n_held).expect("a small run"));
        let n_rows = states.timestamp.len();
        for (column, value) in [
            (&mut states.funding, self.rare.funding),
            (&mut states.borrow, self.rare.borrow),
            (&mut states.interest, self.rare.interest),
            (&mut states.flows, self.rare.flows),
        ] {
            if value != 0.0 || !column.is_empty() {
                column.resize(n_rows - 1, 0.0);
                column.push(value);
            }
        }
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
            push_cost(&mut self.log.lot_costs, held.cost(self.log.lots.len() - 1, 1.0, 0.0));
        }
        Records::new(self.log)
    }
}

impl Held {
    /// The other costs of a `share` of what is held, as lot number `lot`.
    fn cost(&self, lot: usize, share: f64, exit_impact: f64) -> LotCost {
        LotCost {
            lot: u32::try_from(lot).expect("a small run"),
            entry_impact: self.impact_in * share,
            exit_impact,
            funding: self.funding_in * share,
            borrow: self.borrow_in * share,
            dividends: 0.0,
        }
    }
}

fn push_cost(costs: &mut Vec<LotCost>, cost: LotCost) {
    let parts = [cost.entry_impact, cost.exit_impact, cost.funding, cost.borrow];
    if parts.iter().any(|&part| part != 0.0) {
        costs.push(cost);
    }
}

/// A random run: orders of whole units, some cancelled, refused or live at the end, flips included.
pub fn random_records(seed: u64, n_assets: usize, n_rows: usize) -> Records {
    random_run(seed, n_assets, n_rows, false)
}

/// As [`random_records`], with every kind of cost, a contract of 50 units, and money in and out.
pub fn costly_records(seed: u64, n_assets: usize, n_rows: usize) -> Records {
    random_run(seed, n_assets, n_rows, true)
}

fn random_run(seed: u64, n_assets: usize, n_rows: usize, has_costs: bool) -> Records {
    let names: Vec<String> = (0..n_assets).map(|idx| format!("S{idx:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let layout = Layout {
        signals: vec!["score".into()],
        indicators: vec!["atr".into()],
        context: vec!["vix".into()],
    };
    let mut builder = LogBuilder::with_layout(&names, 1e7, layout);
    if has_costs {
        builder.multiplier(1, 50.0);
    }
    let mut random = Random(seed);
    let mut prices = vec![100.0; n_assets];
    let mut waiting: Vec<u32> = Vec::new();
    for row in 0..n_rows {
        let now = i64::try_from(row).expect("a small run") * DAY / 4;
        for order in std::mem::take(&mut waiting) {
            let quantity = builder.log.orders[order as usize].quantity;
            let base = prices[builder.log.orders[order as usize].asset.index()];
            let costs = if has_costs && random.below(2) == 0 {
                [0.01 * random.below(5) as f64, 0.001 * base]
            } else {
                [0.0, 0.0]
            };
            let price = base * (1.0 + 0.0005 * quantity.signum())
                + (costs[0] + costs[1]) * quantity.signum();
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
                    builder.change(
                        now,
                        order,
                        OrderEventKind::ResizedForCash,
                        old,
                        quantity.signum(),
                    );
                    builder.fill_at(now, order, quantity.signum(), [base, price], 1.0, costs);
                }
                _ => {
                    let fee = 0.5 + quantity.abs() * 0.005;
                    builder.fill_at(now, order, quantity, [base, price], fee, costs);
                }
            }
        }
        if has_costs && row % 4 == 3 {
            for asset in (0..).take(n_assets) {
                let held = builder.held[asset as usize].quantity;
                if held != 0.0 {
                    let borrow = if held < 0.0 { 0.25 } else { 0.0 };
                    builder.accrue(now, asset, 0.125 * held, borrow);
                }
            }
            builder.interest(now, 3.0);
            builder.flow(now, if row % 8 == 3 { 5_000.0 } else { -2_000.0 });
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

/// Two contracts of 10 units of currency a point: bought at 101 (base 100: stop slippage 0.5, impact
/// 0.25, slippage 0.25; fee 3), funding of 4 paid, one sold at 109 (base 110: impact 0.5, slippage
/// 0.5; fee 1), the other held at a mark of 108. Cash 10,000.
pub fn contracts() -> LogBuilder {
    let mut builder = LogBuilder::new(&["F"], 10_000.0);
    builder.multiplier(0, 10.0);
    let buy = builder.order(0, 0, 2.0);
    builder.state(0, &[(0, 100.0)]);
    builder.fill_at(DAY, buy, 2.0, [100.0, 101.0], 3.0, [0.5, 0.25]);
    builder.log().fills[0].flags = FillFlags::NO_VOLUME_COST;
    builder.accrue(DAY, 0, 4.0, 0.0);
    let sell = builder.order(DAY, 0, -1.0);
    builder.state(DAY, &[(0, 105.0)]);
    builder.fill_at(2 * DAY, sell, -1.0, [110.0, 109.0], 1.0, [0.0, 0.5]);
    builder.state(2 * DAY, &[(0, 108.0)]);
    builder
}

/// 100 earns 10 % and 110 come in; the next day 110 go out and the rest earns 10 %, then loses 10 %.
pub fn with_flows() -> Records {
    let mut builder = LogBuilder::new(&["A"], 100.0);
    let times = [0, DAY / 2, DAY, DAY + 1, 3 * DAY];
    for time in times {
        builder.state(time, &[]);
    }
    let states = &mut builder.log().states;
    states.equity = vec![110.0, 220.0, 110.0, 121.0, 108.9];
    states.flows = vec![0.0, 110.0, 0.0, 0.0, 0.0];
    builder.finish()
}
