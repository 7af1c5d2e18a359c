//! Orders that depend on each other: brackets, one-cancels-other, one-triggers-other, and closing
//! orders that depend on their position.

use super::bar::Quotes;
use super::codes::{CancelReason, ExpireReason, FillFlags, OrderKind, Phase, Side, TimeInForce};
use super::cycle::{Broker, Hit};
use super::execution::Execution;
use super::ledger::{FillRow, OrderEventKind, OrderStatus};
use super::matching::Trail;
use super::positions::exceeds;
use super::semantics::{ChildFrom, Orphans};
use crate::base::{AssetId, OrderId};

impl Broker {
    /// What follows from a fill of `filled` units: siblings shrink, children come alive, closing
    /// orders fit what is left.
    ///
    /// `average` is the average price of the order's fills.
    pub(super) fn after_fill(&mut self, execution: &Execution, filled: f64, average: f64) {
        if self.live.has_rare() {
            let group = self.group_of(execution.order);
            if group != 0 {
                self.shrink_siblings(execution.order, group, filled);
            }
            self.release_children(execution, average);
        }
        match self.conditions.semantics.orphans {
            Orphans::Cancel => self.fit_reduce_only(execution.asset),
            Orphans::KeepButFlip => self.cancel_after_flip(execution, filled),
            Orphans::CancelSymbol if execution.sign < 0.0 => {
                self.cancel_sales_of_closed(execution.asset);
            }
            Orphans::Keep | Orphans::CancelSymbol => {}
        }
    }

    /// What follows from the end of an order: held children of a parent that never filled go with
    /// it; those of a parent that filled in part stay, at that size.
    pub(super) fn after_end(&mut self, order: OrderId) {
        if self.rules.needs_memory() {
            self.rules.drop_decision(order);
        }
        if !self.live.has_rare() {
            return;
        }
        let row = self.ledger.orders[order.index()];
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            let Some(rare) = self.live.rare(place) else { continue };
            if live.is_done || rare.parent != Some(order) {
                continue;
            }
            let waits_for_whole = live.is_held && row.status != OrderStatus::Filled;
            if row.filled == 0.0 || waits_for_whole {
                self.cancel_at(place, CancelReason::ParentDone);
            } else if rare.follows_parent && row.filled.abs() < row.quantity.abs() {
                let child = &mut self.ledger.orders[live.order.index()];
                let (old, filled) = (child.quantity, child.filled.abs());
                let units = row.filled.abs() - rare.taken;
                child.quantity = old.signum() * units;
                let (before, after) = (old.abs() - filled, units - filled);
                self.push_change(live.order, OrderEventKind::ResizedByGroup, before, after);
            }
        }
    }

    fn group_of(&self, order: OrderId) -> u32 {
        let details = &self.ledger.details;
        details
            .binary_search_by_key(&order, |detail| detail.order)
            .map_or(0, |at| details[at].group)
    }

    fn shrink_siblings(&mut self, order: OrderId, group: u32, filled: f64) {
        let is_whole = self.ledger.orders[order.index()].status == OrderStatus::Filled;
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            let is_sibling = self.live.rare(place).is_some_and(|rare| rare.group == group);
            let stays = live.order == order || self.accepted.contains(&live.order);
            if live.is_done || !is_sibling || stays {
                continue;
            }
            let rest = live.rest - filled;
            if is_whole || !exceeds(live.rest, filled) {
                self.cancel_at(place, CancelReason::Oco);
            } else {
                let event = OrderEventKind::ResizedByGroup;
                self.push_change(live.order, event, live.rest, rest);
                self.live.set_rest(place, rest);
                self.live.rare_mut(place).expect("it is in a group").taken += filled;
            }
        }
    }

    /// Lets matching see the children of an order that has filled, sized and priced by its fills.
    fn release_children(&mut self, execution: &Execution, average: f64) {
        let parent = self.ledger.orders[execution.order.index()];
        let is_whole = parent.status == OrderStatus::Filled;
        let since = self.positions.detail(execution.asset).last;
        let now = self.now;
        let child_from = self.conditions.semantics.child_from;
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            let Some(rare) = self.live.rare(place) else { continue };
            if live.is_done || rare.parent != Some(execution.order) {
                continue;
            }
            if !(is_whole || rare.releases_on_first) {
                continue;
            }
            let is_first = live.is_held;
            if rare.follows_parent {
                // Its part of the entry: all that has filled, without what its siblings closed.
                let filled = self.ledger.orders[live.order.index()].filled.abs();
                let units = parent.filled.abs() - rare.taken;
                self.live.set_rest(place, units - filled);
                self.grow_child(live.order, units);
                self.price_child(place, average);
            } else if !is_first {
                continue;
            } else if !rare.trail.distance.is_nan() {
                // A trail on a position follows it from its entry.
                let trail = Trail { water: average, ..rare.trail };
                self.set_trail(place, trail);
            }
            // An order that would open something is tested from the next row on: which part of this
            // one lies after the parent's fill is not known.
            let is_exit = live.reduce_only || self.is_reduce(self.live.at(place));
            let rare = self.live.rare_mut(place).expect("it has rarer terms");
            rare.since = since;
            if is_first {
                let waits = child_from == ChildFrom::NextRow || !is_exit;
                rare.from = if waits { now + 1 } else { now };
                self.live.release(place);
                self.ledger.orders[live.order.index()].status = OrderStatus::Live;
                self.push_change(live.order, OrderEventKind::Released, f64::NAN, f64::NAN);
            }
        }
    }

    /// A parent whose quantity was raised takes its children along.
    fn grow_child(&mut self, order: OrderId, units: f64) {
        let row = &mut self.ledger.orders[order.index()];
        let old = row.quantity;
        if exceeds(units, old.abs()) {
            row.quantity = old.signum() * units;
            self.push_change(order, OrderEventKind::ReplacedQuantity, old.abs(), units);
        }
    }

    /// Average price of the fills of an order.
    pub(super) fn average_price(&self, execution: &Execution) -> f64 {
        if !self.live.has_rare() {
            return f64::NAN;
        }
        let multiplier = self.fee_multiplier(execution.asset);
        let traded = execution.place.and_then(|place| self.live.rare(place)).map(|r| r.traded);
        let last = self.ledger.fills.last();
        // One fill has its price to the last bit.
        let is_only = |fill: &&FillRow| {
            fill.order == execution.order
                && traded.is_some_and(|traded| traded.units == fill.quantity.abs())
        };
        if let Some(fill) = last.filter(is_only) {
            return fill.price;
        }
        match traded {
            Some(traded) if traded.units > 0.0 => traded.notional / (traded.units * multiplier),
            _ => self.ledger.fills.last().map_or(f64::NAN, |fill| fill.price),
        }
    }

    /// Prices a bracket's child from the average price of its parent.
    fn price_child(&mut self, place: usize, average: f64) {
        let live = *self.live.at(place);
        let rare = self.live.rare_mut(place).expect("it has rarer terms");
        let mut terms = live.terms;
        if !rare.trail.distance.is_nan() {
            if live.is_held {
                rare.trail.water = average;
            }
            let is_awake = rare.trail.activate.is_nan();
            terms.stop = if is_awake { rare.trail.stop(terms.side) } else { f64::NAN };
            if !rare.trail.limit_offset.is_nan() {
                terms.limit = trailing_limit(terms.side, terms.stop, rare.trail.limit_offset);
            }
        } else if !rare.fraction.is_nan() {
            // `fraction` is signed: a stop lies against the position, a target with it.
            let position_side = if terms.side == Side::Sell { 1.0 } else { -1.0 };
            let price = average + position_side * rare.fraction * average.abs();
            let price = if average >= 0.0 {
                average * (1.0 + position_side * rare.fraction)
            } else {
                price
            };
            if terms.kind == OrderKind::Limit {
                terms.limit = price;
            } else {
                terms.stop = price;
            }
        } else {
            return;
        }
        let row = &mut self.ledger.orders[live.order.index()];
        (row.limit, row.stop) = (terms.limit, terms.stop);
        self.live.set_terms(place, terms);
    }

    /// Fills at the parent's price the children that the entry at the open has gapped through.
    pub(super) fn release_at_open(&mut self, quotes: &impl Quotes) {
        if !self.live.has_rare() {
            return;
        }
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            let Some(rare) = self.live.rare(place) else { continue };
            let is_new = rare.since.timestamp == self.now && rare.from <= self.now;
            if !live.is_open() || !is_new || !self.is_reduce(&live) {
                continue;
            }
            let base = rare.since.base;
            let touched = live.terms.at_open(live.kind(), base, &self.conditions.semantics);
            if touched.is_triggered {
                self.note_trigger(place);
            }
            if touched.fills() {
                let hit = Hit { flags: FillFlags::default(), ..Hit::of(&touched, Phase::Open) };
                self.fill_order(place, hit, quotes);
            }
        }
    }

    /// Cuts the closing orders of a position that shrank to what is left of it, and cancels those
    /// of a position that is gone or has changed sides, before anything else is matched.
    fn fit_reduce_only(&mut self, asset: AssetId) {
        if !self.live.has_reduce_only(asset) {
            return;
        }
        let held = self.positions.quantity(asset);
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            if live.asset != asset || !live.reduce_only || !live.is_open() {
                continue;
            }
            if held * live.sign() >= 0.0 {
                self.cancel_at(place, CancelReason::PositionClosed);
            } else if exceeds(live.rest, held.abs()) {
                // The next fill of its parent sizes it anew: until then this cut is not its end.
                if !self.grows_with_parent(place) {
                    let event = OrderEventKind::ResizedToPosition;
                    self.push_change(live.order, event, live.rest, held.abs());
                }
                self.live.set_rest(place, held.abs());
            }
        }
    }

    fn grows_with_parent(&self, place: usize) -> bool {
        let Some(rare) = self.live.rare(place).filter(|rare| rare.follows_parent) else {
            return false;
        };
        let status = |order: OrderId| self.ledger.orders[order.index()].status;
        rare.parent.is_some_and(|parent| status(parent) == OrderStatus::Live)
    }

    /// A fill that has crossed zero cancels all other orders of its symbol.
    fn cancel_after_flip(&mut self, execution: &Execution, filled: f64) {
        let held = self.positions.quantity(execution.asset);
        if held * (held - execution.sign * filled) >= 0.0 {
            return;
        }
        for place in 0..self.live.len() {
            let live = self.live.at(place);
            let stays = live.is_done
                || live.order == execution.order
                || self.accepted.contains(&live.order);
            if live.asset == execution.asset && !stays {
                self.cancel_at(place, CancelReason::PositionClosed);
            }
        }
    }

    fn cancel_sales_of_closed(&mut self, asset: AssetId) {
        if self.positions.quantity(asset) != 0.0 {
            return;
        }
        for place in 0..self.live.len() {
            let live = self.live.at(place);
            if live.asset == asset && !live.is_done && live.sign() < 0.0 {
                self.cancel_at(place, CancelReason::PositionClosed);
            }
        }
    }

    /// Ends what had to fill at once and has met a row.
    pub(super) fn expire_immediate(&mut self, quotes: &impl Quotes) {
        if !self.live.has_rare() {
            return;
        }
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            let Some(rare) = self.live.rare(place) else { continue };
            let reason = match rare.tif {
                TimeInForce::Ioc => ExpireReason::IocRest,
                TimeInForce::Fok => ExpireReason::FokUnfilled,
                _ => continue,
            };
            if live.is_open() && rare.from <= self.now && self.row(live.asset, quotes).is_some() {
                self.expire_at(place, reason);
            }
        }
        self.live.sweep();
    }

    /// Whether an order with rarer terms may be tested in this row.
    pub(super) fn may_fill_now(&self, place: usize) -> bool {
        self.live.rare(place).is_none_or(|rare| rare.from <= self.now && rare.delay == 0)
    }

    /// Whether an order takes what its first row gives at once, or nothing.
    pub(super) fn must_fill_at_once(&self, place: usize) -> bool {
        matches!(self.tif_of(Some(place)), TimeInForce::Ioc | TimeInForce::Fok)
    }
}

/// The limit of a trailing order whose stop was reached: a sell waits below it, a buy above.
pub(super) fn trailing_limit(side: Side, stop: f64, offset: f64) -> f64 {
    match side {
        Side::Sell => stop - offset,
        Side::Buy => stop + offset,
    }
}
