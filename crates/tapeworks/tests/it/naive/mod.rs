//! A second broker, written from the execution contract alone: plain lists, everything looked up
//! anew each bar, no code shared with the broker but the names of its records.

mod account;
mod acts;
mod book;
mod compare;
mod costs;
mod execute;
mod groups;
mod limits;
mod matching;
mod phases;
mod position;
mod rules;

use tapeworks::base::AssetId;
use tapeworks::broker::{
    AccountEventKind, CancelReason, ExpireReason, Instrument, OrderStatus, PositionRule, RejectCode,
};
use tapeworks::engine::EngineConfig;

use crate::market::{Act, Market, Row};

use book::{Fill, Lot, Order, Position, State};
pub use compare::difference;

pub struct Twin<'a> {
    market: &'a Market,
    config: &'a EngineConfig,
    bars: Vec<usize>,
    /// Number of the present session: each bar is a day.
    session: usize,
    bar: usize,
    cash: f64,
    equity: f64,
    /// What proceeds are not settled yet, with the session that settles them.
    unsettled: Vec<(usize, f64)>,
    marks: Vec<f64>,
    /// Units filled in this row, by asset.
    used: Vec<f64>,
    orders: Vec<Order>,
    next_priority: u64,
    n_groups: u32,
    positions: Vec<Position>,
    run_rules: Vec<PositionRule>,
    asset_rules: Vec<Option<Vec<PositionRule>>>,
    fills: Vec<Fill>,
    lots: Vec<Lot>,
    rejections: Vec<(usize, u32, RejectCode)>,
    events: Vec<(usize, AccountEventKind, Option<u32>, f64)>,
    totals: State,
    states: Vec<State>,
    month_units: f64,
    month_notional: f64,
    call_stands: bool,
    is_closed: bool,
    is_halted: bool,
    peak: f64,
    /// Chained returns since the start.
    index: f64,
    session_flow: f64,
    session_base: f64,
    session_orders: u32,
    breached: Vec<bool>,
    /// Children that were released at the open, with the price of their parent.
    late: Vec<(u32, f64)>,
}

/// Walks a market with a script.
pub fn twin<'a>(market: &'a Market, acts: &[(usize, Act)], config: &'a EngineConfig) -> Twin<'a> {
    let n = market.symbols.len();
    let mut twin = Twin {
        market,
        config,
        bars: market.bars(),
        session: 0,
        bar: 0,
        cash: config.cash,
        equity: config.cash,
        unsettled: Vec::new(),
        marks: vec![f64::NAN; n],
        used: vec![0.0; n],
        orders: Vec::new(),
        next_priority: 0,
        n_groups: 0,
        positions: Vec::new(),
        run_rules: config.rules.clone(),
        asset_rules: vec![None; n],
        fills: Vec::new(),
        lots: Vec::new(),
        rejections: Vec::new(),
        events: Vec::new(),
        totals: State {
            cash: 0.0,
            equity: 0.0,
            unsettled: 0.0,
            funding: 0.0,
            borrow: 0.0,
            interest: 0.0,
            flows: 0.0,
            fees: 0.0,
        },
        states: Vec::new(),
        month_units: 0.0,
        month_notional: 0.0,
        call_stands: false,
        is_closed: false,
        is_halted: false,
        peak: 1.0,
        index: 1.0,
        session_flow: 0.0,
        session_base: config.cash,
        session_orders: 0,
        breached: vec![false; config.limits.len()],
        late: Vec::new(),
    };
    for session in 0..twin.bars.len() {
        twin.session = session;
        twin.bar = twin.bars[session];
        twin.clock();
        twin.before_the_open();
        twin.at_the_open();
        twin.opens_inside();
        twin.reduces_inside();
        twin.at_the_close();
        twin.end_immediate_orders();
        twin.mark();
        twin.queue_rule_exits();
        twin.check_limits();
        twin.check_margin();
        twin.seal();
        let bar = twin.bar;
        for (_, act) in acts.iter().filter(|(when, _)| *when == bar) {
            twin.act(act);
        }
    }
    twin.end();
    twin
}

impl<'a> Twin<'a> {
    fn tradable(&self, asset: u32) -> Option<&'a Row> {
        self.tradable_at(self.bar, asset)
    }

    fn tradable_at(&self, bar: usize, asset: u32) -> Option<&'a Row> {
        let row = self.market.row(bar, asset)?;
        let [o, h, l, c] = row.ohlc;
        let has_volume = self.instrument(asset).has_volume;
        let ok = row.ohlc.iter().all(|p| p.is_finite())
            && l <= o.min(c)
            && o.max(c) <= h
            && (row.volume != 0.0 || !has_volume);
        ok.then_some(row)
    }

    fn instrument(&self, asset: u32) -> Instrument {
        let symbol = &self.market.symbols[asset as usize];
        self.config.instruments.get(symbol).copied().unwrap_or(self.config.instrument)
    }

    fn n_assets(&self) -> u32 {
        u32::try_from(self.market.symbols.len()).expect("few symbols")
    }

    /// Signed units.
    fn held(&self, asset: u32) -> f64 {
        self.positions.iter().find(|p| p.asset == asset).map_or(0.0, |p| p.units)
    }

    fn positions_by_asset(&self) -> Vec<Position> {
        let mut positions = self.positions.clone();
        positions.sort_by_key(|p| p.asset);
        positions
    }

    fn order(&self, id: u32) -> &Order {
        &self.orders[id as usize]
    }

    fn order_mut(&mut self, id: u32) -> &mut Order {
        &mut self.orders[id as usize]
    }

    /// Live orders in the order of their priority.
    fn live_ids(&self) -> Vec<u32> {
        let mut live: Vec<&Order> = self.orders.iter().filter(|o| o.is_live()).collect();
        live.sort_by_key(|o| o.priority);
        live.iter().map(|o| o.id).collect()
    }

    fn cancel(&mut self, id: u32, reason: CancelReason) {
        self.end_order(id, OrderStatus::Cancelled(reason));
    }

    fn expire(&mut self, id: u32, reason: ExpireReason) {
        self.end_order(id, OrderStatus::Expired(reason));
    }

    fn reject(&mut self, id: u32, code: RejectCode) {
        self.rejections.push((self.bar, id, code));
        self.end_order(id, OrderStatus::Rejected(code));
    }

    fn event(&mut self, kind: AccountEventKind, asset: Option<u32>, amount: f64) {
        self.events.push((self.bar, kind, asset, amount));
    }
}

fn id_of(asset: u32) -> AssetId {
    AssetId(asset)
}
