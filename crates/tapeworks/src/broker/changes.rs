//! Changes and cancellations of orders that are live.

use super::codes::{CancelReason, OrderKind, OrderOrigin};
use super::cycle::Broker;
use super::ledger::OrderEventKind;
use super::submission::Change;
use crate::base::{AssetId, OrderId};

impl Broker {
    /// Ends a live order of the strategy; false when it has already ended, or was sent by a rule, a
    /// limit or a margin call.
    pub fn cancel(&mut self, order: OrderId) -> bool {
        let Some(place) = self.live.find(order) else {
            self.note_too_late(order);
            return false;
        };
        if self.live.at(place).origin != OrderOrigin::Strategy {
            return false;
        }
        self.cancel_at(place, CancelReason::User);
        self.live.sweep();
        true
    }

    /// Ends all live orders of the strategy, or those for one asset: how many.
    pub fn cancel_all(&mut self, asset: Option<AssetId>) -> usize {
        let mut n_cancelled = 0;
        for place in 0..self.live.len() {
            let live = self.live.at(place);
            let is_own = live.origin == OrderOrigin::Strategy;
            if is_own && !live.is_done && asset.is_none_or(|asset| live.asset == asset) {
                self.cancel_at(place, CancelReason::User);
                n_cancelled += 1;
            }
        }
        self.live.sweep();
        n_cancelled
    }

    /// Changes a live order of the strategy from the next row on; false when it has already ended,
    /// or was sent by a rule, a limit or a margin call.
    ///
    /// Prices that its kind does not have are left out: a trailing order finds its own.
    ///
    /// A quantity at or below what has filled ends the order. A new stop or trail takes back that
    /// the old one was reached. A new price or a larger quantity costs the order its priority.
    pub fn replace(&mut self, order: OrderId, change: &Change) -> bool {
        let Some(place) = self.live.find(order) else {
            self.note_too_late(order);
            return false;
        };
        let live = *self.live.at(place);
        if live.origin != OrderOrigin::Strategy {
            return false;
        }
        let row = self.ledger.orders[order.index()];
        let mut costs_priority = false;
        if !change.quantity.is_nan() {
            let quantity = self.lot(live.asset).round(change.quantity.max(0.0));
            if quantity <= row.filled.abs() {
                return self.cancel(order);
            }
            // What it is over by now: a fill of another order may have cut it.
            let old = row.filled.abs() + live.rest;
            if quantity != old {
                self.live.set_rest(place, quantity - row.filled.abs());
                self.ledger.orders[order.index()].quantity = row.quantity.signum() * quantity;
                self.push_change(order, OrderEventKind::ReplacedQuantity, old, quantity);
                costs_priority |= quantity > old;
            }
        }
        let mut terms = live.terms;
        let mut is_repriced = false;
        let limit = self.limit_on_tick(live.asset, terms.side, change.limit);
        let stop = self.stop_on_tick(live.asset, terms.side, change.stop);
        let has_limit = matches!(terms.kind, OrderKind::Limit | OrderKind::StopLimit);
        if has_limit && !limit.is_nan() && limit != terms.limit {
            self.push_change(order, OrderEventKind::ReplacedLimit, terms.limit, limit);
            terms.limit = limit;
            is_repriced = true;
        }
        let has_stop = matches!(terms.kind, OrderKind::Stop | OrderKind::StopLimit);
        if has_stop && !stop.is_nan() && stop != terms.stop {
            self.push_change(order, OrderEventKind::ReplacedStop, terms.stop, stop);
            terms.stop = stop;
            is_repriced = true;
            if live.is_triggered {
                self.live.untrigger(place);
            }
        }
        self.live.set_terms(place, terms);
        if is_repriced && let Some(rare) = self.live.rare_mut(place) {
            // A price that was stated is none that follows the parent's any more.
            rare.fraction = f64::NAN;
        }
        let row = &mut self.ledger.orders[order.index()];
        (row.limit, row.stop) = (terms.limit, terms.stop);
        let trail = self.live.rare(place).map(|rare| rare.trail);
        if let Some(mut trail) = trail
            && !trail.distance.is_nan()
            && !change.trail.is_nan()
            && change.trail != trail.distance
        {
            self.push_change(order, OrderEventKind::ReplacedTrail, trail.distance, change.trail);
            trail.distance = change.trail;
            costs_priority = true;
            if live.is_triggered {
                self.live.untrigger(place);
            }
            self.set_trail(place, trail);
        }
        if costs_priority || is_repriced {
            self.live.move_to_back(place);
        }
        true
    }

    /// Lets opens through again after a portfolio limit has halted them.
    pub fn resume(&mut self) {
        self.limits.resume();
    }

    fn note_too_late(&mut self, order: OrderId) {
        if order.index() < self.ledger.orders.len() {
            self.push_change(order, OrderEventKind::TooLate, f64::NAN, f64::NAN);
        }
    }
}
