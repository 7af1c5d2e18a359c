//! Orders coming in.

use super::codes::{
    CancelReason, ExitReason, OrderKind, OrderOrigin, RejectCode, Side, TimeInForce,
};
use super::cycle::Broker;
use super::groups::trailing_limit;
use super::ledger::{OrderDetail, OrderEventKind, OrderRow, OrderStatus};
use super::live::{LiveOrder, Rare, Shortfall};
use super::matching::{Terms, Trail};
use super::semantics::{AfterRuleExit, ChildGate, RestFrom, SizeRounding};
use crate::base::{AssetId, OrderId};

/// An order with its quantity settled. Missing numbers are NaN.
#[derive(Debug, Clone, Copy)]
pub struct NewOrder {
    /// The asset.
    pub asset: AssetId,
    /// Signed units before lot rounding.
    pub quantity: f64,
    /// How it finds its price.
    pub kind: OrderKind,
    /// Limit price.
    pub limit: f64,
    /// Stop price.
    pub stop: f64,
    /// How its stop follows the price; the water mark is filled in.
    pub trail: Trail,
    /// How long it lives.
    pub tif: TimeInForce,
    /// Never opens or flips a position.
    pub reduce_only: bool,
    /// What to do when cash is short.
    pub shortfall: Shortfall,
    /// Index into the run's tags.
    pub tag: u32,
    /// What it is for, when it closes a position.
    pub reason: ExitReason,
    /// The order whose fill releases it.
    pub parent: Option<OrderId>,
    /// Whether the parent's first fill releases it, or the complete one.
    pub releases_on_first: bool,
    /// Sized by what the parent has filled.
    pub follows_parent: bool,
    /// Signed distance of its price from the parent's average price, as a fraction.
    pub fraction: f64,
    /// One-cancels-other group from [`Broker::new_group`]; 0: none.
    pub group: u32,
    /// Whether other orders depend on its fills.
    pub is_parent: bool,
    /// What a rebalance wants to move, in currency.
    pub value: f64,
    /// Set when the order is refused for a reason that its sender has found.
    pub refused: Option<RejectCode>,
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

impl Default for Change {
    fn default() -> Self {
        Self { quantity: f64::NAN, limit: f64::NAN, stop: f64::NAN, trail: f64::NAN }
    }
}

impl NewOrder {
    /// A market order over signed units.
    #[must_use]
    pub fn market(asset: AssetId, quantity: f64) -> Self {
        Self {
            asset,
            quantity,
            kind: OrderKind::Market,
            limit: f64::NAN,
            stop: f64::NAN,
            trail: Trail::NONE,
            tif: TimeInForce::Gtc,
            reduce_only: false,
            shortfall: Shortfall::Reject,
            tag: 0,
            reason: ExitReason::Signal,
            parent: None,
            releases_on_first: true,
            follows_parent: false,
            fraction: f64::NAN,
            group: 0,
            is_parent: false,
            value: f64::NAN,
            refused: None,
        }
    }

    fn is_plain(&self) -> bool {
        self.trail.distance.is_nan()
            && self.tif == TimeInForce::Gtc
            && self.parent.is_none()
            && self.group == 0
    }
}

impl Broker {
    /// Takes an order into the book, or refuses it; either way it gets a row and an id.
    ///
    /// It is first tested against a row of its symbol after now.
    pub fn submit(&mut self, new: &NewOrder) -> OrderId {
        let order = self.next_order();
        let quantity = match self.conditions.semantics.size_rounding {
            SizeRounding::Lot => self.lot(new.asset).round(new.quantity),
            SizeRounding::None => new.quantity,
        };
        let side = if quantity > 0.0 { Side::Buy } else { Side::Sell };
        let mark = self.positions.mark(new.asset);
        let water = if self.conditions.semantics.trails_start_blank() { f64::NAN } else { mark };
        let trail = Trail { water, ..new.trail };
        let terms = self.priced_terms(new, side, &trail);
        let is_held =
            new.parent.is_some() && self.conditions.semantics.child_gate == ChildGate::ParentFill;
        self.ledger.orders.push(OrderRow {
            created: self.now,
            quantity: if quantity.is_finite() { quantity } else { new.quantity },
            limit: terms.limit,
            stop: terms.stop,
            filled: 0.0,
            asset: new.asset,
            tag: new.tag,
            kind: new.kind,
            origin: OrderOrigin::Strategy,
            reason: new.reason,
            reduce_only: new.reduce_only,
            status: if is_held { OrderStatus::Held } else { OrderStatus::Live },
        });
        if !new.is_plain() {
            self.ledger.details.push(OrderDetail {
                order,
                trail: new.trail.distance,
                is_percent: new.trail.is_percent,
                limit_offset: new.trail.limit_offset,
                tif: new.tif,
                parent: new.parent,
                group: new.group,
                triggered_at: i64::MIN,
            });
        }
        if new.parent.is_none() {
            self.session_orders += 1;
        } else if new.follows_parent && self.is_orphan(new) {
            return self.drop_order(order, CancelReason::ParentDone);
        }
        if self.is_blocked(new.asset) {
            return self.drop_order(order, CancelReason::AfterRuleExit);
        }
        let refusal = self.refusal(new, quantity, &terms).or_else(|| {
            let passes = self.passes_submission(new.asset, quantity, &terms);
            (!passes).then(|| (self.code_of_shortage(), f64::NAN, f64::NAN))
        });
        if let Some((code, need, have)) = refusal {
            self.ledger.orders[order.index()].status = OrderStatus::Rejected(code);
            self.push_rejection(order, code, need, have);
            return order;
        }
        let asked_in_units = new.shortfall != Shortfall::Partial;
        if asked_in_units && quantity != new.quantity {
            self.push_change(order, OrderEventKind::Rounded, new.quantity, quantity);
        }
        let mut live = LiveOrder::new(order, new.asset, terms, quantity.abs());
        live.reduce_only = new.reduce_only;
        live.shortfall = new.shortfall;
        live.reason = new.reason;
        live.is_held = is_held;
        let semantics = &self.conditions.semantics;
        let needs_rare = !new.is_plain()
            || new.is_parent
            || self.needs_rare()
            || semantics.fill_delay > 0
            || semantics.rest_from == RestFrom::Same
            || semantics.sorts_by_value();
        if needs_rare {
            let rare = Rare {
                trail,
                tif: new.tif,
                parent: new.parent,
                releases_on_first: new.releases_on_first,
                follows_parent: new.follows_parent,
                fraction: new.fraction,
                group: new.group,
                value: new.value,
                delay: semantics.fill_delay,
                submit_close: mark,
                ..Rare::PLAIN
            };
            self.live.push_rare(live, rare);
        } else {
            self.live.push(live);
        }
        if self.rules.needs_memory() {
            self.rules.note_decision(order, new.asset);
        }
        self.catch_up_with_parent(new, order);
        order
    }

    /// Whether the order that this one waits for has ended without a fill.
    fn is_orphan(&self, new: &NewOrder) -> bool {
        new.parent.is_some_and(|parent| {
            let row = &self.ledger.orders[parent.index()];
            let is_over = !matches!(row.status, OrderStatus::Live | OrderStatus::Held);
            is_over && row.filled == 0.0
        })
    }

    /// Whether orders are dropped because a rule has closed the symbol in this row.
    fn is_blocked(&self, asset: AssetId) -> bool {
        self.conditions.semantics.after_rule_exit == AfterRuleExit::Blocked
            && self.closed_by_rule.contains(&asset.0)
            && self.positions.quantity(asset) == 0.0
    }

    /// Ends an order that never reaches the book.
    fn drop_order(&mut self, order: OrderId, reason: CancelReason) -> OrderId {
        self.ledger.orders[order.index()].status = OrderStatus::Cancelled(reason);
        self.push_cancel(order, reason);
        order
    }

    /// A number for orders that cancel each other.
    pub fn new_group(&mut self) -> u32 {
        self.n_groups += 1;
        self.n_groups
    }

    /// The prices of an order, on the instrument's steps: never more aggressive than asked for.
    fn priced_terms(&self, new: &NewOrder, side: Side, trail: &Trail) -> Terms {
        let mut terms = Terms { kind: new.kind, side, limit: new.limit, stop: new.stop };
        if !trail.distance.is_nan() {
            terms.stop = if trail.activate.is_nan() { trail.stop(side) } else { f64::NAN };
            if !trail.limit_offset.is_nan() {
                terms.limit = trailing_limit(side, terms.stop, trail.limit_offset);
            }
            return terms;
        }
        terms.limit = self.limit_on_tick(new.asset, side, new.limit);
        terms.stop = self.stop_on_tick(new.asset, side, new.stop);
        terms
    }

    /// A limit on the instrument's steps, never more aggressive than asked for.
    pub(super) fn limit_on_tick(&self, asset: AssetId, side: Side, limit: f64) -> f64 {
        let tick = self.conditions.instruments.of(asset).tick;
        if tick.is_nan() { limit } else { to_tick(limit, tick, side == Side::Sell) }
    }

    /// A stop on the instrument's steps, never more eager than asked for.
    pub(super) fn stop_on_tick(&self, asset: AssetId, side: Side, stop: f64) -> f64 {
        let tick = self.conditions.instruments.of(asset).tick;
        if tick.is_nan() { stop } else { to_tick(stop, tick, side == Side::Buy) }
    }

    fn refusal(
        &self,
        new: &NewOrder,
        quantity: f64,
        terms: &Terms,
    ) -> Option<(RejectCode, f64, f64)> {
        let mark = self.positions.mark(new.asset);
        let instrument = self.conditions.instruments.of(new.asset);
        let plain = |code| Some((code, f64::NAN, f64::NAN));
        let is_child = new.parent.is_some();
        if !quantity.is_finite() {
            // A size in currency or percent has no units before the first price is known.
            return plain(if mark.is_nan() {
                RejectCode::NotListed
            } else {
                RejectCode::QuantityNotFinite
            });
        }
        if mark.is_nan() {
            return plain(RejectCode::NotListed);
        }
        if self.ended.contains(&new.asset) {
            return plain(RejectCode::Delisted);
        }
        if self.is_closed {
            return plain(RejectCode::AccountClosed);
        }
        if new.reduce_only && !is_child && self.positions.quantity(new.asset) == 0.0 {
            return Some((RejectCode::PositionMissing, new.quantity.abs(), 0.0));
        }
        if quantity == 0.0 {
            let smallest = self.lot(new.asset).least();
            return Some((RejectCode::QuantityZero, smallest, new.quantity.abs()));
        }
        if quantity.abs() > instrument.max_quantity {
            let code = RejectCode::AboveMaxQuantity;
            return Some((code, quantity.abs(), instrument.max_quantity));
        }
        if let Some(price) = self.invalid_price(new, terms) {
            return Some((RejectCode::PriceInvalid, f64::NAN, price));
        }
        if let Some(code) = new.refused {
            return plain(code);
        }
        // What a bracket brings with it is measured from its entry, not from the mark.
        let band = if is_child { f64::NAN } else { self.conditions.terms.price_band };
        let distance = (terms.limit - mark).abs();
        if distance > band * mark.abs() {
            return Some((RejectCode::PriceBand, distance, band * mark.abs()));
        }
        // What an order brings with it is no order of its own; what only reduces may always leave.
        if let Some(most) = self.limits.max_orders()
            && !is_child
            && !new.reduce_only
            && self.session_orders > most
        {
            let code = RejectCode::LimitOrderCount;
            return Some((code, f64::from(self.session_orders), f64::from(most)));
        }
        None
    }

    /// The first price of an order that is none.
    fn invalid_price(&self, new: &NewOrder, terms: &Terms) -> Option<f64> {
        let any_sign = self.conditions.instruments.of(new.asset).allows_negative_prices;
        let is_valid = |price: f64| price.is_finite() && (any_sign || price > 0.0);
        let has_fraction = !new.fraction.is_nan();
        let prices: &[f64] = match new.kind {
            OrderKind::Market | OrderKind::MarketOnClose => &[],
            // The parent's fill gives it its price.
            _ if has_fraction => &[],
            OrderKind::Limit => &[terms.limit],
            OrderKind::Stop => &[terms.stop],
            OrderKind::StopLimit => &[terms.stop, terms.limit],
            OrderKind::Trailing | OrderKind::TrailingLimit => &[new.trail.distance],
        };
        prices.iter().copied().find(|&price| !is_valid(price))
    }

    /// A child whose parent has already filled, or ended, does not wait for it.
    fn catch_up_with_parent(&mut self, new: &NewOrder, order: OrderId) {
        let Some(parent) = new.parent else { return };
        let row = self.ledger.orders[parent.index()];
        let Some(place) = self.live.find(order) else { return };
        let is_over = !matches!(row.status, OrderStatus::Live | OrderStatus::Held);
        let is_released =
            row.status == OrderStatus::Filled || (new.releases_on_first && row.filled != 0.0);
        if is_released && self.live.at(place).is_held {
            self.live.release(place);
            self.ledger.orders[order.index()].status = OrderStatus::Live;
            self.push_change(order, OrderEventKind::Released, f64::NAN, f64::NAN);
        } else if is_over && !is_released {
            self.cancel_at(place, CancelReason::ParentDone);
            self.live.sweep();
        }
    }
}

/// Moves a price to a whole number of ticks, up or down; NaN stays NaN.
fn to_tick(price: f64, tick: f64, up: bool) -> f64 {
    let steps = price / tick;
    // A price that is a whole number of ticks but for rounding is one.
    if (steps - steps.round()).abs() <= 1e-9 * steps.abs().max(1.0) {
        return price;
    }
    let whole = if up { steps.ceil() } else { steps.floor() };
    whole * tick
}
