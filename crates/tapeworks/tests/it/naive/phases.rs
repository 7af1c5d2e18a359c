//! The phases in which orders meet prices: open, inside, close (1.1, 2.4, 2.5, 4.6).

use tapeworks::broker::{ExpireReason, OrderKind, OrderOrigin, Phase, TimeInForce};

use super::Twin;
use super::book::{Hit, How, Start};
use super::matching::{AMBIGUOUS, MAKER, Met, Range, TOUCH_ONLY};
use super::matching::{at_close, at_price, inside, range_after};
use super::rules::Level;

/// What a row reached of what would reduce a position.
struct Reached {
    /// At which it is met: its level, on the row of an entry beyond it the entry.
    price: f64,
    is_target: bool,
    /// An order or the level of a rule.
    who: Result<u32, Level>,
    met: Met,
    /// The entry that it dates from.
    start: Option<Start>,
    level: f64,
}

impl Twin<'_> {
    /// Whether the whole of an order would reduce a position.
    pub(super) fn reduces(&self, id: u32) -> bool {
        let order = self.order(id);
        let held = self.held(order.asset);
        if held * order.d >= 0.0 {
            return false;
        }
        let is_cut = order.reduce_only || (order.may_shrink && self.pays_in_full());
        is_cut || order.rest() - held.abs() <= Self::dust(held)
    }

    fn meets_this_row(&self, id: u32) -> bool {
        let order = self.order(id);
        order.is_live()
            && order.from_bar <= self.bar
            && !order.is_done_for_row
            && self.tradable(order.asset).is_some()
    }

    /// Fills an order whose price has come, or notes that its stop was reached.
    pub(super) fn act_on(&mut self, id: u32, met: Met) {
        match met {
            Met::No => {}
            Met::Fill(hit) => {
                let waits =
                    matches!(self.order(id).kind, OrderKind::StopLimit | OrderKind::TrailingLimit);
                if waits && !self.order(id).is_triggered && !hit.by_stop {
                    self.reach(id);
                }
                self.take_turn(id, hit);
            }
            Met::Triggered => self.trigger(id),
        }
    }

    /// The stop was reached in this row: what does not fill rests as a limit.
    fn reach(&mut self, id: u32) {
        self.order_mut(id).reached = true;
    }

    pub(super) fn trigger(&mut self, id: u32) {
        let order = self.order_mut(id);
        if matches!(order.kind, OrderKind::StopLimit | OrderKind::TrailingLimit) {
            order.limit = super::matching::limit_once_triggered(order);
        }
        order.is_triggered = true;
    }

    // --- phase 2 ------------------------------------------------------------------------------

    pub(super) fn at_the_open(&mut self) {
        self.used.fill(0.0);
        for order in &mut self.orders {
            order.is_done_for_row = false;
        }
        for origin in [OrderOrigin::MarginCall, OrderOrigin::PortfolioLimit] {
            self.orders_at_open(true, |o| o == origin);
        }
        self.orders_at_open(true, |o| o == OrderOrigin::PositionRule);
        for asset in 0..self.n_assets() {
            self.levels_at_open(asset);
        }
        self.orders_at_open(true, |o| o == OrderOrigin::Strategy);
        self.orders_at_open(false, |_| true);
        self.fire_late();
    }

    fn orders_at_open(&mut self, only_reduces: bool, of: impl Fn(OrderOrigin) -> bool) {
        for id in self.live_ids() {
            if of(self.order(id).origin) {
                self.order_at_open(id, only_reduces);
            }
        }
    }

    fn order_at_open(&mut self, id: u32, only_reduces: bool) {
        if !self.meets_this_row(id) || (only_reduces && !self.reduces(id)) {
            return;
        }
        let order = self.order(id).clone();
        // A child of a parent that filled at this open has been asked already.
        if order.start.is_some_and(|start| start.bar == self.bar) {
            return;
        }
        let open = self.tradable(order.asset).expect("asked above").ohlc[0];
        self.act_on(id, at_price(&order, open, How::AtOpen));
    }

    fn levels_at_open(&mut self, asset: u32) {
        loop {
            let Some(row) = self.tradable(asset) else { return };
            let open = row.ohlc[0];
            let held = self.held(asset);
            let reached = |level: &Level| {
                let behind = held.signum() * (level.price - open);
                if level.is_target { behind <= 0.0 } else { behind >= 0.0 }
            };
            let Some(level) = self.levels(asset).into_iter().find(reached) else { return };
            let limit = if level.is_target { level.price } else { f64::NAN };
            let hit = Hit {
                base: open,
                how: How::AtOpen,
                phase: Phase::Open,
                limit,
                by_stop: !level.is_target,
                flags: 0,
            };
            if !self.exit_by_rule(asset, &level, hit) {
                return;
            }
        }
    }

    // --- phase 3a -----------------------------------------------------------------------------

    pub(super) fn opens_inside(&mut self) {
        for id in self.live_ids() {
            if !self.meets_this_row(id) || self.reduces(id) {
                continue;
            }
            let order = self.order(id).clone();
            // What a fill of this row has released and would open something waits for the next.
            if order.start.is_some_and(|start| start.bar == self.bar) {
                continue;
            }
            let row = self.tradable(order.asset).expect("asked above");
            let range = self.range_for(order.start, order.asset);
            let met = inside(&order, row.ohlc, range);
            self.act_on(id, met);
            // Of a stop that was reached without a fill the rest of the row says nothing.
            if matches!(met, Met::Triggered) {
                self.order_mut(id).is_done_for_row = true;
            }
        }
    }

    /// What of this row may act on an order that was released by a fill, or on any other.
    fn range_for(&self, start: Option<Start>, asset: u32) -> Range {
        let ohlc = self.tradable(asset).expect("only asked of tradable rows").ohlc;
        match start {
            Some(start) if start.bar == self.bar => {
                range_after(ohlc, start.side, start.how, start.base)
            }
            _ => Range { low: ohlc[2], high: ohlc[1] },
        }
    }

    // --- phase 3b -----------------------------------------------------------------------------

    pub(super) fn reduces_inside(&mut self) {
        for asset in 0..self.n_assets() {
            if self.tradable(asset).is_some() && self.held(asset) != 0.0 {
                self.reduces_of(asset);
            }
        }
    }

    fn reduces_of(&mut self, asset: u32) {
        let ohlc = self.tradable(asset).expect("asked above").ohlc;
        let close = ohlc[3];
        let side = self.held(asset).signum();
        let mut both = None;
        // Targets of rules for which the volume of the row is used up wait for the next.
        let mut has_targets = true;
        // What came first stays: an order reached after the position is gone met the same prices.
        let entered = self.positions.iter().find(|p| p.asset == asset).map(|p| p.entry);
        loop {
            let mut candidates: Vec<Reached> = Vec::new();
            let position = self.positions.iter().find(|p| p.asset == asset).cloned();
            let added = position.as_ref().map(|p| p.last);
            for id in self.live_ids() {
                let order = self.order(id).clone();
                if order.asset != asset || order.d != -side || !self.meets_this_row(id) {
                    continue;
                }
                let start = order.start.or(entered);
                let range = self.range_for(start, asset);
                let met = inside(&order, ohlc, range);
                let is_target = order.kind == OrderKind::Limit || order.is_triggered;
                let price = if is_target { order.limit } else { order.stop_level() };
                if !matches!(met, Met::No) {
                    candidates.push(Reached {
                        price,
                        is_target,
                        who: Ok(id),
                        met,
                        start,
                        level: price,
                    });
                }
            }
            let range = self.range_for(added, asset);
            // Rules of a position that a flip has made in this phase wait for the next row.
            let levels =
                if self.held(asset) * side > 0.0 { self.levels(asset) } else { Vec::new() };
            for level in levels.into_iter().filter(|level| has_targets || !level.is_target) {
                let (adverse, favourable) =
                    if side > 0.0 { (range.low, range.high) } else { (range.high, range.low) };
                let reached = if level.is_target {
                    side * (favourable - level.price) >= 0.0
                } else {
                    side * (adverse - level.price) <= 0.0
                };
                if !reached {
                    continue;
                }
                let extreme = if side > 0.0 { ohlc[1] } else { ohlc[2] };
                let touch = if extreme == level.price { TOUCH_ONLY } else { 0 };
                let hit = Hit {
                    base: level.price,
                    how: if level.is_target { How::TouchedLimit } else { How::TouchedStop },
                    phase: Phase::Inside,
                    limit: if level.is_target { level.price } else { f64::NAN },
                    by_stop: !level.is_target,
                    flags: if level.is_target { MAKER | touch } else { 0 },
                };
                let price = level.price;
                candidates.push(Reached {
                    price,
                    is_target: level.is_target,
                    who: Err(level),
                    met: Met::Fill(hit),
                    start: added,
                    level: price,
                });
            }
            // On the entry row a level that lies behind the entry fires at the entry.
            for Reached { price, is_target, met, start, .. } in &mut candidates {
                let Met::Fill(hit) = met else { continue };
                let Some(start) = start.filter(|start| start.bar == self.bar) else { continue };
                let behind = side * (hit.base - start.base);
                let is_certain = *is_target || hit.by_stop;
                if is_certain && ((*is_target && behind < 0.0) || (!*is_target && behind > 0.0)) {
                    hit.base = start.base;
                    *price = start.base;
                }
            }
            // Nearest first; a stable sort: at equal levels orders by priority, then the rule.
            candidates.sort_by(|a, b| {
                let key = |price: f64, is_target: bool| {
                    if is_target { side * price } else { -side * price }
                };
                let nearest = key(a.price, a.is_target).total_cmp(&key(b.price, b.is_target));
                a.is_target.cmp(&b.is_target).then(nearest)
            });
            let fills = |target: bool| {
                candidates.iter().any(|c| c.is_target == target && matches!(c.met, Met::Fill(_)))
            };
            let is_both = fills(true) && fills(false);
            let both = *both.get_or_insert(is_both);
            let Some(first) = candidates.into_iter().next() else { return };
            let Reached { is_target, who, met, start, level, .. } = first;
            let met = match met {
                Met::Fill(mut hit) => {
                    let start = start.filter(|start| start.bar == self.bar);
                    let is_open = who.is_ok() && self.held(asset) * side <= 0.0;
                    let by_stop = start.is_some_and(|start| start.how == How::TouchedStop);
                    let both = both && !is_open;
                    if both || (!is_target && !is_open && by_stop && side * (close - level) > 0.0) {
                        hit.flags |= AMBIGUOUS;
                    }
                    Met::Fill(hit)
                }
                met => met,
            };
            match who {
                Ok(id) => {
                    self.act_on(id, met);
                    self.order_mut(id).is_done_for_row = true;
                }
                Err(level) => {
                    let Met::Fill(hit) = met else { unreachable!("levels only fill") };
                    has_targets &= self.exit_by_rule(asset, &level, hit);
                }
            }
        }
    }

    // --- phase 4 ------------------------------------------------------------------------------

    pub(super) fn at_the_close(&mut self) {
        for only_reduces in [true, false] {
            for id in self.live_ids() {
                if !self.meets_this_row(id) || (only_reduces && !self.reduces(id)) {
                    continue;
                }
                let order = self.order(id).clone();
                let close = self.tradable(order.asset).expect("asked above").ohlc[3];
                self.act_on(id, at_close(&order, close));
            }
        }
    }

    /// `ioc` and `fok` orders have had their row.
    pub(super) fn end_immediate_orders(&mut self) {
        for id in self.live_ids() {
            let order = self.order(id);
            if self.tradable(order.asset).is_none() || order.from_bar > self.bar {
                continue;
            }
            match order.tif {
                TimeInForce::Ioc => self.expire(id, ExpireReason::IocRest),
                TimeInForce::Fok => self.expire(id, ExpireReason::FokUnfilled),
                _ => {}
            }
        }
    }
}
