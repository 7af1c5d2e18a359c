//! Orders coming in, going out, and what the strategy may read of the book.

use super::account::Account;
use super::codes::{CancelReason, ExitReason, OrderKind, OrderOrigin, RejectCode, Side};
use super::cycle::{Broker, Conditions};
use super::ledger::{Ledger, OrderEventKind, OrderRow, OrderStatus};
use super::live::{LiveOrder, LiveOrders, Shortfall};
use super::matching::Terms;
use super::positions::Positions;
use super::rules::RuleBook;
use crate::base::{AssetId, OrderId};

/// An order with its quantity settled.
#[derive(Debug, Clone, Copy)]
pub struct NewOrder {
    /// The asset.
    pub asset: AssetId,
    /// Signed units before lot rounding.
    pub quantity: f64,
    /// How it finds its price.
    pub kind: OrderKind,
    /// Limit price, NaN when there is none.
    pub limit: f64,
    /// Stop price, NaN when there is none.
    pub stop: f64,
    /// Never opens or flips a position.
    pub reduce_only: bool,
    /// What to do when cash is short.
    pub shortfall: Shortfall,
    /// Index into the run's tags.
    pub tag: u32,
}

/// What is to be different in a live order; NaN: as it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Total units, positive; what has filled counts.
    pub quantity: f64,
    /// Limit price.
    pub limit: f64,
    /// Stop price.
    pub stop: f64,
    /// Trail distance, in the order's own terms.
    pub trail: f64,
}

impl Broker {
    /// Takes an order into the book, or refuses it; either way it gets a row and an id.
    ///
    /// It is first tested against a row of its symbol after now.
    pub fn submit(&mut self, new: &NewOrder) -> OrderId {
        let order =
            OrderId(u32::try_from(self.ledger.orders.len()).expect("fewer than 2^32 orders"));
        let quantity = self.conditions.lots.round(new.quantity);
        self.ledger.orders.push(OrderRow {
            created: self.now,
            quantity: if quantity.is_finite() { quantity } else { new.quantity },
            limit: new.limit,
            stop: new.stop,
            filled: 0.0,
            asset: new.asset,
            tag: new.tag,
            kind: new.kind,
            origin: OrderOrigin::Strategy,
            reason: ExitReason::Signal,
            reduce_only: new.reduce_only,
            status: OrderStatus::Live,
        });
        if let Some((code, need, have)) = self.refusal(new, quantity) {
            self.ledger.orders[order.index()].status = OrderStatus::Rejected(code);
            self.push_rejection(order, code, need, have);
            return order;
        }
        let asked_in_units = new.shortfall == Shortfall::Reject;
        if asked_in_units && quantity != new.quantity {
            self.push_event(order, OrderEventKind::Rounded, new.quantity);
        }
        let side = if quantity > 0.0 { Side::Buy } else { Side::Sell };
        self.live.push(LiveOrder {
            order,
            asset: new.asset,
            terms: Terms { kind: new.kind, side, limit: new.limit, stop: new.stop },
            rest: quantity.abs(),
            reduce_only: new.reduce_only,
            shortfall: new.shortfall,
            reason: ExitReason::Signal,
            is_done: false,
        });
        order
    }

    /// Ends a live order; false when it has already ended.
    pub fn cancel(&mut self, order: OrderId) -> bool {
        let Some(place) = self.live.find(order) else { return false };
        self.cancel_at(place, CancelReason::User);
        self.live.sweep();
        true
    }

    fn refusal(&self, new: &NewOrder, quantity: f64) -> Option<(RejectCode, f64, f64)> {
        let price = match new.kind {
            OrderKind::Market | OrderKind::MarketOnClose => None,
            OrderKind::Limit => Some(new.limit),
            _ => Some(new.stop),
        };
        if !quantity.is_finite() {
            // A size in currency or percent has no units before the first price is known.
            let code = if self.positions.mark(new.asset).is_nan() {
                RejectCode::NotListed
            } else {
                RejectCode::QuantityNotFinite
            };
            Some((code, f64::NAN, f64::NAN))
        } else if self.positions.mark(new.asset).is_nan() {
            Some((RejectCode::NotListed, f64::NAN, f64::NAN))
        } else if new.reduce_only && self.positions.quantity(new.asset) == 0.0 {
            Some((RejectCode::PositionMissing, new.quantity.abs(), 0.0))
        } else if quantity == 0.0 {
            let smallest = 1.0 / self.conditions.lots.per_unit();
            Some((RejectCode::QuantityZero, smallest, new.quantity.abs()))
        } else if price.is_some_and(|price| !(price.is_finite() && price > 0.0)) {
            Some((RejectCode::PriceInvalid, f64::NAN, price.unwrap_or(f64::NAN)))
        } else {
            None
        }
    }

    /// The present (ns UTC).
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Whether a position is valued at an old price.
    #[must_use]
    pub fn is_stale(&self, asset: AssetId) -> bool {
        self.positions.detail(asset).is_stale(self.session)
    }

    /// Positions whose last row lies more than five sessions (UTC days with data) back.
    #[must_use]
    pub fn n_stale(&self) -> u32 {
        self.n_stale
    }

    /// Cash and totals.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The positions.
    #[must_use]
    #[inline]
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// The positions, for the loop to move their marks.
    #[inline]
    pub fn positions_mut(&mut self) -> &mut Positions {
        &mut self.positions
    }

    /// The live orders.
    #[must_use]
    #[inline]
    pub fn live(&self) -> &LiveOrders {
        &self.live
    }

    /// The position rules.
    #[must_use]
    pub fn rules(&self) -> &RuleBook {
        &self.rules
    }

    /// What was agreed.
    #[must_use]
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// What has been written down.
    #[must_use]
    #[inline]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Gives the ledger away at the end of a run.
    #[must_use]
    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }
}
