//! A second broker, written from the rules alone: plain lists, everything looked up anew each bar.
//!
//! Goal: fills, refusals, cancels, ended lots, cash and equity of the engine equal those of this
//! twin on random markets and scripts. Method: coarse prices, so that touches, gaps and equal
//! levels are common; the twin shares no code with the broker, only its records' names.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use tapeworks::broker::{
    CancelReason, Commission, ExitReason, FillFlags, Lots, OrderEventKind, Phase, PositionRule,
    RejectCode, Slippage,
};
use tapeworks::engine::{EngineConfig, RunLog, Size};

use crate::market::{Act, Market, Row, at, play_chunked};
use crate::random::{config, market_of, script};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Market,
    Limit(f64),
    Stop(f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Live,
    Ended,
}

#[derive(Debug, Clone)]
struct Order {
    id: u32,
    asset: u32,
    buys: bool,
    rest: f64,
    kind: Kind,
    reduce_only: bool,
    may_shrink: bool,
    state: State,
}

/// How a price was found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    AtOpen,
    TouchedLimit,
    TouchedStop,
}

#[derive(Debug, Clone)]
struct Position {
    asset: u32,
    units: f64,
    average: f64,
    fees_in: f64,
    slippage_in: f64,
    entry_bar: usize,
    entry_how: How,
    entry_base: f64,
    /// The last fill that entered or added: the levels of rules date from it.
    last_bar: usize,
    last_how: How,
    last_base: f64,
    entry_fill: u32,
    best: f64,
    worst: f64,
    bars_held: u32,
    bars_to_best: u32,
    bars_to_worst: u32,
    entry_flags: u8,
}

#[derive(Debug, Clone, PartialEq)]
struct Fill {
    bar: usize,
    order: u32,
    asset: u32,
    quantity: f64,
    base: f64,
    price: f64,
    commission: f64,
    phase: Phase,
    reason: ExitReason,
    flags: u8,
}

#[derive(Debug, Clone, PartialEq)]
struct Lot {
    exit_fill: Option<u32>,
    entry_fill: u32,
    quantity: f64,
    entry_price: f64,
    exit_price: f64,
    entry_commission: f64,
    exit_commission: f64,
    entry_slippage: f64,
    exit_slippage: f64,
    best: f64,
    worst: f64,
    bars_held: u32,
    bars_to_best: u32,
    bars_to_worst: u32,
    flags: u8,
    reason: ExitReason,
    closes: bool,
}

/// One fill about to happen.
#[derive(Debug, Clone, Copy)]
struct Hit {
    base: f64,
    how: How,
    /// The limit that the price must keep, where there is one.
    limit: Option<f64>,
    flags: u8,
    reason: ExitReason,
}

struct Twin<'a> {
    market: &'a Market,
    config: &'a EngineConfig,
    bar: usize,
    cash: f64,
    equity: f64,
    marks: Vec<f64>,
    orders: Vec<Order>,
    n_orders: u32,
    positions: Vec<Position>,
    run_rules: Vec<PositionRule>,
    asset_rules: Vec<Option<Vec<PositionRule>>>,
    fills: Vec<Fill>,
    lots: Vec<Lot>,
    rejections: Vec<(usize, u32, RejectCode)>,
    cancels: Vec<(usize, u32, CancelReason)>,
    states: Vec<(f64, f64)>,
}

const MAKER: u8 = FillFlags::MAKER.0;
const AMBIGUOUS: u8 = FillFlags::AMBIGUOUS.0;
const TOUCH_ONLY: u8 = FillFlags::TOUCH_ONLY.0;

fn twin<'a>(market: &'a Market, acts: &[(usize, Act)], config: &'a EngineConfig) -> Twin<'a> {
    let n = market.symbols.len();
    let mut twin = Twin {
        market,
        config,
        bar: 0,
        cash: config.cash,
        equity: config.cash,
        marks: vec![f64::NAN; n],
        orders: Vec::new(),
        n_orders: 0,
        positions: Vec::new(),
        run_rules: config.rules.clone(),
        asset_rules: vec![None; n],
        fills: Vec::new(),
        lots: Vec::new(),
        rejections: Vec::new(),
        cancels: Vec::new(),
        states: Vec::new(),
    };
    for bar in market.bars() {
        twin.bar = bar;
        twin.at_the_open();
        twin.opens_inside();
        twin.reduces_inside();
        twin.mark();
        for (_, act) in acts.iter().filter(|(when, _)| *when == bar) {
            twin.act(act);
        }
    }
    twin.end();
    twin
}

impl Twin<'_> {
    // --- the rows ---------------------------------------------------------------------------

    fn tradable(&self, asset: u32) -> Option<&Row> {
        let row = self.market.row(self.bar, asset)?;
        let [o, h, l, c] = row.ohlc;
        let ok = row.ohlc.iter().all(|p| p.is_finite())
            && l <= o.min(c)
            && o.max(c) <= h
            && row.volume != 0.0;
        ok.then_some(row)
    }

    fn held(&self, asset: u32) -> f64 {
        self.positions.iter().find(|p| p.asset == asset).map_or(0.0, |p| p.units)
    }

    fn round(&self, units: f64) -> f64 {
        let lot = self.lot();
        // Quotients that should be whole are taken as whole: one step of f64 counts as nothing.
        let lots = units.abs() * (1.0 / lot).round();
        let whole = (lots + 1e-9_f64.max(lots * f64::EPSILON)).floor();
        let rounded = whole / (1.0 / lot).round();
        if units < 0.0 { -rounded } else { rounded }
    }

    fn lot(&self) -> f64 {
        match self.config.lots {
            Lots::Integer => 1.0,
            Lots::Fractional => 1e-8,
            Lots::Step(step) => step,
        }
    }

    fn fee(&self, units: f64, price: f64) -> f64 {
        match self.config.commission {
            Commission::None => 0.0,
            Commission::Percent { bps, min, .. } => (units * price * bps * 1e-4).max(min),
            Commission::PerShare { rate, min, .. } => (units * rate).max(min),
            ref other => panic!("{other:?} is not drawn"),
        }
    }

    fn rules_of(&self, asset: u32) -> &[PositionRule] {
        self.asset_rules[asset as usize].as_ref().unwrap_or(&self.run_rules)
    }

    /// The stop that the price meets first, and the target that it meets first.
    fn levels(&self, position: &Position) -> [Option<(f64, ExitReason)>; 2] {
        let mut adverse: Option<(f64, ExitReason)> = None;
        let mut favourable: Option<(f64, ExitReason)> = None;
        for rule in self.rules_of(position.asset) {
            match *rule {
                PositionRule::StopLoss(x) => {
                    let level = position.average * (1.0 - x);
                    if adverse.is_none_or(|(other, reason)| {
                        level > other || (level == other && reason == ExitReason::Trailing)
                    }) {
                        adverse = Some((level, ExitReason::StopLoss));
                    }
                }
                PositionRule::TrailingStop(x) => {
                    let level = position.best * (1.0 - x);
                    if adverse.is_none_or(|(other, _)| level > other) {
                        adverse = Some((level, ExitReason::Trailing));
                    }
                }
                PositionRule::TakeProfit(x) => {
                    let level = position.average * (1.0 + x);
                    if favourable.is_none_or(|(other, _)| level < other) {
                        favourable = Some((level, ExitReason::TakeProfit));
                    }
                }
                _ => unreachable!("the twin draws three rules"),
            }
        }
        [adverse, favourable]
    }

    // --- the phases -------------------------------------------------------------------------

    /// The fill of an order that is satisfied at the open.
    fn hit_at_open(&self, order: &Order) -> Option<Hit> {
        let [o, ..] = self.tradable(order.asset)?.ohlc;
        let (satisfied, limit) = match (order.kind, order.buys) {
            (Kind::Market, _) => (true, None),
            (Kind::Limit(x), true) => (o <= x, Some(x)),
            (Kind::Limit(x), false) => (o >= x, Some(x)),
            (Kind::Stop(s), true) => (o >= s, None),
            (Kind::Stop(s), false) => (o <= s, None),
        };
        let hit = Hit { base: o, how: How::AtOpen, limit, flags: 0, reason: ExitReason::Signal };
        satisfied.then_some(hit)
    }

    /// The fill of an order that the range touches.
    fn hit_inside(&self, order: &Order) -> Option<Hit> {
        let [_, h, l, _] = self.tradable(order.asset)?.ohlc;
        let reason = ExitReason::Signal;
        match (order.kind, order.buys) {
            (Kind::Limit(x), buys) => {
                let extreme = if buys { l } else { h };
                let touched = if buys { l <= x } else { h >= x };
                let flags = MAKER | if extreme == x { TOUCH_ONLY } else { 0 };
                let hit = Hit { base: x, how: How::TouchedLimit, limit: Some(x), flags, reason };
                touched.then_some(hit)
            }
            (Kind::Stop(s), buys) => {
                let touched = if buys { h >= s } else { l <= s };
                let hit = Hit { base: s, how: How::TouchedStop, limit: None, flags: 0, reason };
                touched.then_some(hit)
            }
            (Kind::Market, _) => None,
        }
    }

    fn live_ids(&self) -> Vec<u32> {
        self.orders.iter().filter(|o| o.state == State::Live).map(|o| o.id).collect()
    }

    fn live(&self, id: u32) -> Option<Order> {
        self.orders.iter().find(|o| o.id == id && o.state == State::Live).cloned()
    }

    fn reduces(&self, order: &Order) -> bool {
        let held = self.held(order.asset);
        // Rounding of sums counts as nothing.
        let dust = 1e-12_f64.max(16.0 * f64::EPSILON * held);
        let is_cut = order.reduce_only || order.may_shrink;
        !order.buys && held > 0.0 && (is_cut || order.rest - held <= dust)
    }

    fn units_of(&self, order: &Order) -> f64 {
        let is_cut = order.reduce_only || order.may_shrink;
        if is_cut { order.rest.min(self.held(order.asset)) } else { order.rest }
    }

    fn at_the_open(&mut self) {
        for position in self.positions_by_asset() {
            let Some(row) = self.tradable(position.asset) else { continue };
            let o = row.ohlc[0];
            let how = How::AtOpen;
            match self.levels(&position) {
                [Some((level, reason)), _] if o <= level => {
                    let hit = Hit { base: o, how, limit: None, flags: 0, reason };
                    self.exit_by_rule(position.asset, hit);
                }
                [_, Some((level, reason))] if o >= level => {
                    let hit = Hit { base: o, how, limit: Some(level), flags: 0, reason };
                    self.exit_by_rule(position.asset, hit);
                }
                _ => {}
            }
        }
        for only_reduces in [true, false] {
            for id in self.live_ids() {
                let Some(order) = self.live(id) else { continue };
                let Some(hit) = self.hit_at_open(&order) else { continue };
                if self.reduces(&order) || !only_reduces {
                    self.take_turn(&order, hit);
                }
            }
        }
    }

    fn opens_inside(&mut self) {
        for id in self.live_ids() {
            let Some(order) = self.live(id) else { continue };
            let Some(hit) = self.hit_inside(&order) else { continue };
            if !self.reduces(&order) {
                self.take_turn(&order, hit);
            }
        }
    }

    fn reduces_inside(&mut self) {
        for asset in 0..u32::try_from(self.market.symbols.len()).unwrap() {
            let Some(row) = self.tradable(asset) else { continue };
            let [_, h, l, c] = row.ohlc;
            let entered = self.positions.iter().find(|p| p.asset == asset);
            // What of this row lies after the entry.
            let lowest = l;
            let highest_since = |bar: usize, how: How, base: f64| {
                if bar == self.bar && how == How::TouchedLimit { base.max(c) } else { h }
            };
            // For orders since the entry, for rules since the last add.
            let mut highest = h;
            let mut highest_of_rules = h;
            let mut starts = [None, None];
            if let Some(p) = entered {
                highest = highest_since(p.entry_bar, p.entry_how, p.entry_base);
                highest_of_rules = highest_since(p.last_bar, p.last_how, p.last_base);
                if p.entry_bar == self.bar {
                    starts[0] = Some((p.entry_base, p.entry_how));
                }
                if p.last_bar == self.bar {
                    starts[1] = Some((p.last_base, p.last_how));
                }
            }
            let mut both = None;
            loop {
                let mut adverse: Vec<(f64, Option<u32>, Hit)> = Vec::new();
                let mut favourable: Vec<(f64, Option<u32>, Hit)> = Vec::new();
                for id in self.live_ids() {
                    let order = self.live(id).unwrap();
                    if order.asset != asset || order.buys {
                        continue;
                    }
                    match (order.kind, self.hit_inside(&order)) {
                        (Kind::Stop(s), Some(hit)) if lowest <= s => {
                            adverse.push((s, Some(id), hit));
                        }
                        (Kind::Limit(x), Some(hit)) if highest >= x => {
                            favourable.push((x, Some(id), hit));
                        }
                        _ => {}
                    }
                }
                if let Some(position) = self.positions.iter().find(|p| p.asset == asset) {
                    let [stop, target] = self.levels(position);
                    if let Some((level, reason)) = stop
                        && lowest <= level
                    {
                        let how = How::TouchedStop;
                        let hit = Hit { base: level, how, limit: None, flags: 0, reason };
                        adverse.push((level, None, hit));
                    }
                    if let Some((level, reason)) = target
                        && highest_of_rules >= level
                    {
                        let how = How::TouchedLimit;
                        let flags = MAKER | if h == level { TOUCH_ONLY } else { 0 };
                        let hit = Hit { base: level, how, limit: Some(level), flags, reason };
                        favourable.push((level, None, hit));
                    }
                }
                // Stable sorts: at equal levels orders by id, then the rule.
                adverse.sort_by(|a, b| b.0.total_cmp(&a.0));
                favourable.sort_by(|a, b| a.0.total_cmp(&b.0));
                let both = *both.get_or_insert(!adverse.is_empty() && !favourable.is_empty());
                let is_adverse = !adverse.is_empty();
                let Some((level, id, mut hit)) =
                    adverse.into_iter().next().or(favourable.into_iter().next())
                else {
                    break;
                };
                // On the entry row a level that lies behind the entry fires at the entry.
                let mut by_stop = false;
                if let Some((base, how)) = starts[usize::from(id.is_none())] {
                    hit.base = if is_adverse { hit.base.min(base) } else { hit.base.max(base) };
                    by_stop = how == How::TouchedStop;
                }
                if both || (is_adverse && by_stop && c > level) {
                    hit.flags |= AMBIGUOUS;
                }
                match id {
                    None => self.exit_by_rule(asset, hit),
                    Some(id) => {
                        let order = self.live(id).unwrap();
                        self.take_turn(&order, hit);
                    }
                }
            }
        }
    }

    fn mark(&mut self) {
        for asset in 0..self.marks.len() {
            let row = self.market.row(self.bar, u32::try_from(asset).unwrap());
            if let Some(row) = row
                && row.ohlc[3].is_finite()
            {
                self.marks[asset] = row.ohlc[3];
            }
        }
        for i in 0..self.positions.len() {
            let Some(row) = self.tradable(self.positions[i].asset) else { continue };
            let [_, h, l, c] = row.ohlc;
            let position = &mut self.positions[i];
            let (mut up, down) = (h, l);
            if position.entry_bar == self.bar {
                if position.entry_how == How::TouchedLimit {
                    up = position.entry_base.max(c);
                }
            } else {
                position.bars_held += 1;
            }
            if up > position.best {
                position.best = up;
                position.bars_to_best = position.bars_held;
            }
            if down < position.worst {
                position.worst = down;
                position.bars_to_worst = position.bars_held;
            }
        }
        let value: f64 =
            self.positions_by_asset().iter().map(|p| p.units * self.marks[p.asset as usize]).sum();
        self.equity = self.cash + value;
        self.states.push((self.cash, self.equity));
    }

    fn positions_by_asset(&self) -> Vec<Position> {
        let mut positions = self.positions.clone();
        positions.sort_by_key(|p| p.asset);
        positions
    }

    fn end(&mut self) {
        for position in self.positions_by_asset() {
            self.lots.push(Lot {
                exit_fill: None,
                entry_fill: position.entry_fill,
                quantity: position.units,
                entry_price: position.average,
                exit_price: self.marks[position.asset as usize],
                entry_commission: position.fees_in,
                exit_commission: 0.0,
                entry_slippage: position.slippage_in,
                exit_slippage: 0.0,
                best: position.best.max(position.average),
                worst: position.worst.min(position.average),
                bars_held: position.bars_held,
                bars_to_best: position.bars_to_best,
                bars_to_worst: position.bars_to_worst,
                flags: position.entry_flags,
                reason: ExitReason::EndOfRun,
                closes: false,
            });
        }
    }

    // --- one fill ---------------------------------------------------------------------------

    fn exit_by_rule(&mut self, asset: u32, hit: Hit) {
        let id = self.n_orders;
        self.n_orders += 1;
        let units = self.held(asset);
        self.fill(id, asset, -units, hit);
    }

    /// The order's price has come: it fills or is refused.
    fn take_turn(&mut self, order: &Order, hit: Hit) {
        if !order.buys {
            if self.reduces(order) {
                self.finish(order.id);
                self.fill(order.id, order.asset, -self.units_of(order), hit);
            } else {
                self.reject(order.id, RejectCode::ShortNotAllowed);
            }
            return;
        }
        let price = self.price(true, hit);
        let affordable = |units: f64| {
            units * price + self.fee(units, price) <= self.cash + 1e-9 * self.cash.abs().max(1.0)
        };
        let mut units = order.rest;
        if !affordable(units) {
            if order.may_shrink {
                // Largest number of lots that can be paid: bisection, cost grows with size.
                let per_unit = (1.0 / self.lot()).round();
                let (mut low, mut high) = (0.0, (units * per_unit).round());
                while high - low > 1.0 {
                    let middle = f64::midpoint(low, high).floor();
                    if affordable(middle / per_unit) { low = middle } else { high = middle }
                }
                units = low / per_unit;
            } else {
                units = 0.0;
            }
        }
        if units == 0.0 {
            self.reject(order.id, RejectCode::InsufficientCash);
        } else {
            self.finish(order.id);
            self.fill(order.id, order.asset, units, hit);
        }
    }

    fn price(&self, buys: bool, hit: Hit) -> f64 {
        let d = if buys { 1.0 } else { -1.0 };
        let is_maker = hit.flags & MAKER != 0;
        let slip = match self.config.slippage {
            Slippage::Percent { bps } if !is_maker => hit.base * (bps * 1e-4),
            _ => 0.0,
        };
        let price = hit.base + d * slip;
        match hit.limit {
            Some(x) if buys => price.min(x),
            Some(x) => price.max(x),
            None => price,
        }
    }

    fn fill(&mut self, order: u32, asset: u32, quantity: f64, hit: Hit) {
        let buys = quantity > 0.0;
        let units = quantity.abs();
        let price = self.price(buys, hit);
        let commission = self.fee(units, price);
        self.cash -= quantity * price + commission;
        let fill_id = u32::try_from(self.fills.len()).unwrap();
        let phase = if hit.how == How::AtOpen { Phase::Open } else { Phase::Inside };
        self.fills.push(Fill {
            bar: self.bar,
            order,
            asset,
            quantity,
            base: hit.base,
            price,
            commission,
            phase,
            reason: hit.reason,
            flags: hit.flags,
        });
        let slippage = (price - hit.base).abs() * units;
        if buys {
            self.grow(asset, units, price, commission, slippage, fill_id, hit);
        } else {
            self.shrink(asset, units, price, commission, slippage, fill_id, hit);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the figures of one fill")]
    fn grow(
        &mut self,
        asset: u32,
        units: f64,
        price: f64,
        commission: f64,
        slippage: f64,
        fill: u32,
        hit: Hit,
    ) {
        if let Some(p) = self.positions.iter_mut().find(|p| p.asset == asset) {
            p.average = (p.units * p.average + units * price) / (p.units + units);
            p.units += units;
            p.fees_in += commission;
            p.slippage_in += slippage;
            p.entry_flags |= hit.flags;
            p.last_bar = self.bar;
            p.last_how = hit.how;
            p.last_base = hit.base;
            return;
        }
        self.positions.push(Position {
            asset,
            units,
            average: price,
            fees_in: commission,
            slippage_in: slippage,
            entry_bar: self.bar,
            entry_how: hit.how,
            entry_base: hit.base,
            last_bar: self.bar,
            last_how: hit.how,
            last_base: hit.base,
            entry_fill: fill,
            best: price,
            worst: price,
            bars_held: 0,
            bars_to_best: 0,
            bars_to_worst: 0,
            entry_flags: hit.flags,
        });
    }

    #[expect(clippy::too_many_arguments, reason = "the figures of one fill")]
    fn shrink(
        &mut self,
        asset: u32,
        units: f64,
        price: f64,
        commission: f64,
        slippage: f64,
        fill: u32,
        hit: Hit,
    ) {
        let [o, _, l, _] = self.tradable(asset).unwrap().ohlc;
        let i = self.positions.iter().position(|p| p.asset == asset).unwrap();
        let p = &mut self.positions[i];
        let share = units / p.units;
        let (fees, slippage_in) = (p.fees_in * share, p.slippage_in * share);
        p.fees_in -= fees;
        p.slippage_in -= slippage_in;
        p.units -= units;
        if p.units.abs() <= 1e-12_f64.max(16.0 * f64::EPSILON * units) {
            p.units = 0.0;
        }
        let same_row = p.entry_bar == self.bar;
        let now = p.bars_held + u32::from(!same_row);
        // The extremes of the exit row up to the exit; in the entry row nothing before the entry.
        let (up, down) = match hit.how {
            How::AtOpen => (o, o),
            How::TouchedStop if same_row && p.entry_how != How::AtOpen => (hit.base, hit.base),
            How::TouchedStop => (o.max(hit.base), hit.base),
            How::TouchedLimit => (hit.base, l),
        };
        let (mut best, mut to_best) = (p.best.max(p.average), p.bars_to_best);
        if up > best {
            (best, to_best) = (up, now);
        }
        let (mut worst, mut to_worst) = (p.worst.min(p.average), p.bars_to_worst);
        if down < worst {
            (worst, to_worst) = (down, now);
        }
        self.lots.push(Lot {
            exit_fill: Some(fill),
            entry_fill: p.entry_fill,
            quantity: units,
            entry_price: p.average,
            exit_price: price,
            entry_commission: fees,
            exit_commission: commission,
            entry_slippage: slippage_in,
            exit_slippage: slippage,
            best,
            worst,
            bars_held: now,
            bars_to_best: to_best,
            bars_to_worst: to_worst,
            flags: p.entry_flags | hit.flags,
            reason: hit.reason,
            closes: p.units == 0.0,
        });
        let left = p.units;
        if left == 0.0 {
            self.positions.remove(i);
        }
        // Reduce-only orders follow the position at once.
        for i in 0..self.orders.len() {
            let order = &mut self.orders[i];
            if order.asset == asset && order.reduce_only && order.state == State::Live {
                if left == 0.0 {
                    order.state = State::Ended;
                    self.cancels.push((self.bar, order.id, CancelReason::PositionClosed));
                } else {
                    order.rest = order.rest.min(left);
                }
            }
        }
    }

    fn finish(&mut self, id: u32) {
        self.orders.iter_mut().find(|o| o.id == id).unwrap().state = State::Ended;
    }

    fn reject(&mut self, id: u32, code: RejectCode) {
        if let Some(order) = self.orders.iter_mut().find(|o| o.id == id) {
            order.state = State::Ended;
        }
        self.rejections.push((self.bar, id, code));
    }

    // --- the strategy -----------------------------------------------------------------------

    fn send(&mut self, asset: u32, quantity: f64, kind: Kind, reduce_only: bool, may_shrink: bool) {
        let id = self.n_orders;
        self.n_orders += 1;
        let rounded = self.round(quantity);
        let price_ok = match kind {
            Kind::Market => true,
            Kind::Limit(x) | Kind::Stop(x) => x.is_finite() && x > 0.0,
        };
        let code = if self.marks[asset as usize].is_nan() {
            Some(RejectCode::NotListed)
        } else if !rounded.is_finite() {
            Some(RejectCode::QuantityNotFinite)
        } else if reduce_only && self.held(asset) == 0.0 {
            Some(RejectCode::PositionMissing)
        } else if rounded == 0.0 {
            Some(RejectCode::QuantityZero)
        } else if !price_ok {
            Some(RejectCode::PriceInvalid)
        } else {
            None
        };
        if let Some(code) = code {
            self.reject(id, code);
            return;
        }
        self.orders.push(Order {
            id,
            asset,
            buys: rounded > 0.0,
            rest: rounded.abs(),
            kind,
            reduce_only,
            may_shrink,
            state: State::Live,
        });
    }

    fn market_orders(&self, asset: u32) -> impl Iterator<Item = &Order> {
        self.orders
            .iter()
            .filter(move |o| o.state == State::Live && o.asset == asset && o.kind == Kind::Market)
    }

    fn on_its_way(&self, asset: u32) -> f64 {
        self.market_orders(asset).map(|o| if o.buys { o.rest } else { -o.rest }).sum()
    }

    fn target(&mut self, asset: u32, units: f64) {
        let quantity = self.round(units) - self.held(asset) - self.on_its_way(asset);
        if !quantity.is_finite() || self.round(quantity) != 0.0 {
            self.send(asset, quantity, Kind::Market, false, true);
        }
    }

    fn target_value(&mut self, asset: u32, currency: f64) {
        let mark = self.marks[asset as usize];
        if (currency - (self.held(asset) + self.on_its_way(asset)) * mark).abs() < 0.01 {
            return;
        }
        self.target(asset, if currency == 0.0 { 0.0 } else { currency / mark });
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Order(order) => {
                let asset = order.asset.0;
                let mark = self.marks[asset as usize];
                let (quantity, may_shrink) = match order.size {
                    Size::Quantity(units) => (units, false),
                    Size::Percent(fraction) => (fraction * self.equity / mark, true),
                    Size::Value(currency) => (currency / mark, true),
                };
                let kind = match (order.limit, order.stop) {
                    (Some(x), _) => Kind::Limit(x),
                    (_, Some(s)) => Kind::Stop(s),
                    _ => Kind::Market,
                };
                self.send(asset, quantity, kind, order.reduce_only, may_shrink);
            }
            Act::Close(asset, fraction) => {
                let quantity = -self.held(*asset) * fraction;
                self.send(*asset, quantity, Kind::Market, true, false);
            }
            Act::CloseAll => {
                for position in self.positions_by_asset() {
                    self.send(position.asset, -position.units, Kind::Market, true, false);
                }
            }
            Act::TargetQuantity(asset, units) => self.target(*asset, *units),
            Act::TargetPercent(asset, fraction) => {
                self.target_value(*asset, fraction * self.equity);
            }
            Act::TargetValue(asset, currency) => self.target_value(*asset, *currency),
            Act::Rebalance(weights) => {
                let n = u32::try_from(self.marks.len()).unwrap();
                let wanted: Vec<(u32, f64, bool)> = (0..n)
                    .filter_map(|asset| {
                        let weight = weights.iter().find(|w| w.0 == asset).map(|w| w.1);
                        let held = self.held(asset);
                        let has_order = self.market_orders(asset).next().is_some();
                        let weight = weight.or((held != 0.0 || has_order).then_some(0.0))?;
                        let value = (held + self.on_its_way(asset)) * self.marks[asset as usize];
                        Some((asset, weight, weight * self.equity < value))
                    })
                    .collect();
                for reduces in [true, false] {
                    for &(asset, weight, _) in wanted.iter().filter(|w| w.2 == reduces) {
                        self.target_value(asset, weight * self.equity);
                    }
                }
            }
            Act::Cancel(id) => {
                if let Some(order) = self.live(*id) {
                    self.finish(order.id);
                    self.cancels.push((self.bar, *id, CancelReason::User));
                }
            }
            Act::SetRules(Some(asset), rules) => {
                self.asset_rules[*asset as usize] = Some(rules.clone());
            }
            Act::SetRules(None, rules) => self.run_rules.clone_from(rules),
        }
    }
}

// --- the comparison -----------------------------------------------------------------------------

fn near(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// The first difference between the engine's log and the twin's, as text.
fn difference(log: &RunLog, twin: &Twin<'_>) -> Option<String> {
    for (i, want) in twin.fills.iter().enumerate() {
        let Some(got) = log.fills.get(i) else {
            return Some(format!("fill {i} is missing: {want:?}"));
        };
        let same = got.timestamp == at(want.bar)
            && got.order.0 == want.order
            && got.asset.0 == want.asset
            && near(got.quantity, want.quantity)
            && near(got.base_price, want.base)
            && near(got.price, want.price)
            && near(got.commission, want.commission)
            && got.phase == want.phase
            && (got.quantity > 0.0 || got.reason == want.reason)
            && got.flags.0 == want.flags;
        if !same {
            return Some(format!("fill {i}: want {want:?}\n got {got:?}"));
        }
    }
    if log.fills.len() > twin.fills.len() {
        return Some(format!("one fill too many: {:?}", log.fills[twin.fills.len()]));
    }
    let rejections: Vec<_> =
        log.rejections.iter().map(|r| (r.timestamp, r.order.0, r.code)).collect();
    let wanted: Vec<_> = twin.rejections.iter().map(|r| (at(r.0), r.1, r.2)).collect();
    if rejections != wanted {
        return Some(format!("rejections: want {wanted:?}\n got {rejections:?}"));
    }
    let cancels: Vec<_> = log
        .order_events
        .iter()
        .filter_map(|event| match event.kind {
            OrderEventKind::Cancelled(reason) => Some((event.timestamp, event.order.0, reason)),
            _ => None,
        })
        .collect();
    let wanted: Vec<_> = twin.cancels.iter().map(|c| (at(c.0), c.1, c.2)).collect();
    if cancels != wanted {
        return Some(format!("cancels: want {wanted:?}\n got {cancels:?}"));
    }
    for (i, want) in twin.lots.iter().enumerate() {
        let Some(got) = log.lots.get(i) else {
            return Some(format!("lot {i} is missing: {want:?}"));
        };
        let same = got.exit_fill == want.exit_fill
            && got.entry_fill == want.entry_fill
            && near(got.quantity, want.quantity)
            && got.side == 1.0
            && near(got.entry_price, want.entry_price)
            && near(got.exit_price, want.exit_price)
            && near(got.entry_commission, want.entry_commission)
            && near(got.exit_commission, want.exit_commission)
            && near(got.entry_slippage, want.entry_slippage)
            && near(got.exit_slippage, want.exit_slippage)
            && near(got.best, want.best)
            && near(got.worst, want.worst)
            && got.bars_held == want.bars_held
            && got.bars_to_best == want.bars_to_best
            && got.bars_to_worst == want.bars_to_worst
            && got.flags.0 == want.flags
            && got.reason == want.reason
            && got.closes_position == want.closes;
        if !same {
            return Some(format!("lot {i}: want {want:?}\n got {got:?}"));
        }
    }
    if log.lots.len() != twin.lots.len() {
        return Some(format!("{} lots, want {}", log.lots.len(), twin.lots.len()));
    }
    let states = log.states.cash.iter().zip(&log.states.equity);
    for (i, ((&cash, &equity), want)) in states.zip(&twin.states).enumerate() {
        if !near(cash, want.0) || !near(equity, want.1) {
            return Some(format!("state {i}: want {want:?}, got cash {cash} equity {equity}"));
        }
    }
    (log.states.cash.len() != twin.states.len()).then(|| "number of states".to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn engine_when_market_and_script_are_random_then_equals_the_twin(
        (market, acts, config) in (1_u32..=4).prop_flat_map(|n| {
            (market_of(n), script(n), config())
        })
    ) {
        let twin = twin(&market, &acts, &config);
        let log = play_chunked(&market, &acts, &config, 4).0;
        if let Some(text) = difference(&log, &twin) {
            return Err(TestCaseError::fail(text));
        }
    }
}
