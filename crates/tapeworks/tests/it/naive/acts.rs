//! What the strategy does: orders in, changes and cancels (2.1, 2.7, 4.5, 4.7).

use tapeworks::broker::{
    CancelReason, Change, ExitReason, LimitKind, OrderKind, OrderOrigin, OrderStatus, RejectCode,
    TimeInForce,
};
use tapeworks::engine::{Distance, ExitPrice, OrderRequest, Size, TrailTerms};

use super::Twin;
use super::book::{ChildOf, Order};
use crate::market::Act;

/// Where an order comes from besides its own terms.
#[derive(Clone, Copy)]
struct Place {
    origin: OrderOrigin,
    reason: ExitReason,
    parent: Option<u32>,
    child_of: ChildOf,
    group: u32,
}

const PLAIN: Place = Place {
    origin: OrderOrigin::Strategy,
    reason: ExitReason::Signal,
    parent: None,
    child_of: ChildOf::Nobody,
    group: 0,
};

impl Twin<'_> {
    /// Writes an order down without asking anything.
    fn push_order(&mut self, asset: u32, quantity: f64, kind: OrderKind, place: Place) -> u32 {
        let id = u32::try_from(self.orders.len()).expect("few orders");
        let is_held = place.parent.is_some();
        self.orders.push(Order {
            id,
            asset,
            d: if quantity > 0.0 { 1.0 } else { -1.0 },
            total: quantity.abs(),
            filled: 0.0,
            filled_notional: 0.0,
            paid: Vec::new(),
            kind,
            limit: f64::NAN,
            stop: f64::NAN,
            trail: None,
            water: self.marks[asset as usize],
            is_dormant: false,
            is_triggered: false,
            reached: false,
            tif: TimeInForce::Gtc,
            reduce_only: false,
            may_shrink: false,
            origin: place.origin,
            reason: place.reason,
            status: if is_held { OrderStatus::Held } else { OrderStatus::Live },
            priority: self.next_priority,
            created: self.bar,
            from_bar: self.bar + 1,
            day_session: self.session + 1,
            child_of: place.child_of,
            parent: place.parent,
            start: None,
            group: place.group,
            taken_by_siblings: 0.0,
            is_done_for_row: false,
        });
        self.next_priority += 1;
        id
    }

    /// A market order of a rule, a limit or a margin call; of rules also one that fires now.
    pub(super) fn system_order(
        &mut self,
        asset: u32,
        quantity: f64,
        kind: OrderKind,
        origin: OrderOrigin,
        reason: ExitReason,
    ) -> u32 {
        let id = self.push_order(asset, quantity, kind, Place { origin, reason, ..PLAIN });
        self.order_mut(id).reduce_only = true;
        id
    }

    /// A limit never more aggressive, a stop never more eager.
    fn to_tick(&self, asset: u32, price: f64, up: bool) -> f64 {
        let tick = self.instrument(asset).tick;
        if tick.is_nan() || !price.is_finite() {
            return price;
        }
        super::costs::to_tick(price, tick, up)
    }

    fn price_is_bad(&self, asset: u32, price: f64) -> bool {
        !price.is_finite() || (price <= 0.0 && !self.instrument(asset).allows_negative_prices)
    }

    fn send(
        &mut self,
        request: &OrderRequest,
        quantity: f64,
        may_shrink: bool,
        place: Place,
    ) -> u32 {
        let asset = request.asset.0;
        let rounded = self.round(asset, quantity);
        let offset = request.trail.and_then(|trail| trail.limit_offset);
        let kind = match (request.limit, request.stop, request.trail) {
            _ if request.on_close => OrderKind::MarketOnClose,
            (_, _, Some(_)) if offset.is_some() => OrderKind::TrailingLimit,
            (_, _, Some(_)) => OrderKind::Trailing,
            (Some(_), Some(_), _) => OrderKind::StopLimit,
            (Some(_), None, _) => OrderKind::Limit,
            (None, Some(_), _) => OrderKind::Stop,
            (None, None, _) => OrderKind::Market,
        };
        let id = self.push_order(asset, rounded, kind, place);
        let d = self.order(id).d;
        let limit = self.to_tick(asset, request.limit.unwrap_or(f64::NAN), d < 0.0);
        let stop = self.to_tick(asset, request.stop.unwrap_or(f64::NAN), d > 0.0);
        let order = self.order_mut(id);
        order.limit = limit;
        order.stop = stop;
        order.trail = request.trail;
        order.is_dormant = request.trail.is_some_and(|trail| trail.activate.is_some());
        order.tif = request.tif;
        order.reduce_only = request.reduce_only;
        order.may_shrink = may_shrink;
        let mark = self.marks[asset as usize];
        let bad_limit = request.limit.is_some() && self.price_is_bad(asset, limit);
        let bad_stop = request.stop.is_some() && self.price_is_bad(asset, stop);
        let band = self.config.account.price_band;
        let counted = self.config.limits.iter().filter_map(|limit| match limit.kind {
            LimitKind::MaxOrders(n) => Some(n),
            _ => None,
        });
        let max_orders = counted.min();
        let counts = place.parent.is_none() && !request.reduce_only;
        let code = if mark.is_nan() {
            Some(RejectCode::NotListed)
        } else if !rounded.is_finite() {
            Some(RejectCode::QuantityNotFinite)
        } else if self.is_closed {
            Some(RejectCode::AccountClosed)
        } else if request.reduce_only && self.held(asset) == 0.0 {
            Some(RejectCode::PositionMissing)
        } else if rounded == 0.0 {
            Some(RejectCode::QuantityZero)
        } else if rounded.abs() > self.instrument(asset).max_quantity {
            Some(RejectCode::AboveMaxQuantity)
        } else if bad_limit || bad_stop {
            Some(RejectCode::PriceInvalid)
        } else if exits_are_behind(request, quantity, mark) {
            Some(RejectCode::BracketInvalid)
        } else if (limit - mark).abs() > band * mark.abs() {
            Some(RejectCode::PriceBand)
        } else if counts && max_orders.is_some_and(|n| self.session_orders >= n) {
            Some(RejectCode::LimitOrderCount)
        } else {
            None
        };
        // Children are no orders of their own.
        self.session_orders += u32::from(place.parent.is_none());
        let bracket = [request.stop_loss, request.take_profit];
        self.push_bracket(id, bracket, request.trailing_exit);
        if let Some(code) = code {
            self.reject(id, code);
        }
        id
    }

    fn push_bracket(&mut self, id: u32, exits: [Option<ExitPrice>; 2], trail: Option<TrailTerms>) {
        let [stop_loss, take_profit] = exits;
        if stop_loss.is_none() && take_profit.is_none() && trail.is_none() {
            return;
        }
        self.n_groups += 1;
        let parent = self.order(id).clone();
        let (asset, d) = (parent.asset, parent.d);
        let group = self.n_groups;
        let place = |reason: ExitReason, exit: Option<ExitPrice>| Place {
            origin: OrderOrigin::Strategy,
            reason,
            parent: Some(id),
            child_of: ChildOf::Bracket(exit),
            group,
        };
        let price_of = |exit: ExitPrice| match exit {
            ExitPrice::Price(price) => price,
            ExitPrice::Fraction(_) => f64::NAN,
        };
        let quantity = -d * parent.total;
        if let Some(exit) = stop_loss {
            let place = place(ExitReason::BracketStop, Some(exit));
            let child = self.push_order(asset, quantity, OrderKind::Stop, place);
            self.order_mut(child).stop = self.to_tick(asset, price_of(exit), d < 0.0);
            self.order_mut(child).reduce_only = true;
        }
        if let Some(exit) = take_profit {
            let place = place(ExitReason::BracketTarget, Some(exit));
            let child = self.push_order(asset, quantity, OrderKind::Limit, place);
            self.order_mut(child).limit = self.to_tick(asset, price_of(exit), d > 0.0);
            self.order_mut(child).reduce_only = true;
        }
        if let Some(terms) = trail {
            let kind = match terms.limit_offset {
                Some(_) => OrderKind::TrailingLimit,
                None => OrderKind::Trailing,
            };
            let child = self.push_order(asset, quantity, kind, place(ExitReason::Trailing, None));
            let order = self.order_mut(child);
            order.trail = Some(terms);
            order.is_dormant = terms.activate.is_some();
            order.reduce_only = true;
        }
    }

    fn submit(&mut self, request: &OrderRequest, place: Place) -> u32 {
        let asset = request.asset.0;
        let price = self.marks[asset as usize] * self.multiplier(asset);
        let (quantity, may_shrink) = match request.size {
            Size::Quantity(units) => (units, false),
            Size::Percent(fraction) => (fraction * self.equity / price, true),
            Size::Value(currency) => (currency / price, true),
        };
        self.send(request, quantity, may_shrink, place)
    }

    fn send_market(&mut self, asset: u32, quantity: f64, reduce_only: bool, may_shrink: bool) {
        let request =
            OrderRequest { reduce_only, ..OrderRequest::market(super::id_of(asset), 0.0) };
        self.send(&request, quantity, may_shrink, PLAIN);
    }

    fn market_orders(&self, asset: u32) -> impl Iterator<Item = &Order> {
        self.orders
            .iter()
            .filter(move |o| o.is_live() && o.asset == asset && o.kind == OrderKind::Market)
    }

    fn on_its_way(&self, asset: u32) -> f64 {
        self.market_orders(asset).map(|o| o.d * o.rest()).sum()
    }

    fn target(&mut self, asset: u32, units: f64) {
        let held = self.held(asset);
        let quantity = self.round(asset, units) - held - self.on_its_way(asset);
        if !quantity.is_finite() || self.round(asset, quantity) != 0.0 {
            // What only makes a position smaller may not open one.
            let is_less = held * units >= 0.0 && units.abs() < held.abs();
            self.send_market(asset, quantity, is_less && held * quantity < 0.0, true);
        }
    }

    fn target_value(&mut self, asset: u32, currency: f64) {
        let price = self.marks[asset as usize] * self.multiplier(asset);
        if (currency - (self.held(asset) + self.on_its_way(asset)) * price).abs() < 0.01 {
            return;
        }
        self.target(asset, if currency == 0.0 { 0.0 } else { currency / price });
    }

    fn rebalance(&mut self, weights: &[(u32, f64)]) {
        let wanted: Vec<(u32, f64, bool)> = (0..self.n_assets())
            .filter_map(|asset| {
                let weight = weights.iter().find(|w| w.0 == asset).map(|w| w.1);
                let held = self.held(asset);
                let has_order = self.market_orders(asset).next().is_some();
                let weight = weight.or((held != 0.0 || has_order).then_some(0.0))?;
                let due = held + self.on_its_way(asset);
                let price = self.marks[asset as usize] * self.multiplier(asset);
                // Toward zero of what is held: the side of the position decides.
                Some((asset, weight, is_reduce(due, weight * self.equity, price)))
            })
            .collect();
        for reduces in [true, false] {
            for &(asset, weight, _) in wanted.iter().filter(|w| w.2 == reduces) {
                self.target_value(asset, weight * self.equity);
            }
        }
    }

    fn replace(&mut self, id: u32, change: &Change) {
        let is_own = |o: &Order| o.origin == OrderOrigin::Strategy && o.is_open();
        if !self.orders.get(id as usize).is_some_and(is_own) {
            return;
        }
        let order = self.order(id).clone();
        let mut to_the_end = false;
        if change.quantity.is_finite() {
            let total = self.round(order.asset, change.quantity);
            if total <= order.filled {
                self.cancel(id, CancelReason::User);
                return;
            }
            to_the_end |= total > order.total;
            self.order_mut(id).total = total;
        }
        let limit = self.to_tick(order.asset, change.limit, order.d < 0.0);
        // Only a price that the order has can change; one stated for an exit takes the place of its
        // fraction.
        let is_fraction = matches!(order.child_of, ChildOf::Bracket(Some(ExitPrice::Fraction(_))));
        let has_limit = order.limit.is_finite() || (is_fraction && order.kind == OrderKind::Limit);
        let has_stop = order.stop.is_finite() || (is_fraction && order.kind == OrderKind::Stop);
        if is_fraction
            && ((limit.is_finite() && has_limit) || (change.stop.is_finite() && has_stop))
        {
            self.order_mut(id).child_of = ChildOf::Bracket(None);
        }
        if limit.is_finite() && has_limit && order.trail.is_none() {
            to_the_end |= limit != order.limit;
            self.order_mut(id).limit = limit;
            self.state_price(id);
        }
        let stop = self.to_tick(order.asset, change.stop, order.d > 0.0);
        if stop.is_finite() && has_stop && order.trail.is_none() {
            to_the_end |= stop != order.stop;
            self.order_mut(id).stop = stop;
            self.order_mut(id).is_triggered = false;
            self.state_price(id);
        }
        if change.trail.is_finite()
            && let Some(trail) = &mut self.order_mut(id).trail
        {
            let distance = match trail.distance {
                Distance::Amount(_) => Distance::Amount(change.trail),
                Distance::Fraction(_) => Distance::Fraction(change.trail),
            };
            to_the_end |= distance != trail.distance;
            trail.distance = distance;
            self.order_mut(id).is_triggered = false;
        }
        if to_the_end {
            self.order_mut(id).priority = self.next_priority;
            self.next_priority += 1;
        }
    }

    /// A stated price is no fraction any more.
    fn state_price(&mut self, id: u32) {
        let order = self.order_mut(id);
        if let ChildOf::Bracket(_) = order.child_of {
            order.child_of = ChildOf::Bracket(None);
        }
    }

    pub(super) fn act(&mut self, act: &Act) {
        match act {
            Act::Order(request) => {
                self.submit(request, PLAIN);
            }
            Act::Oco(requests) => {
                self.n_groups += 1;
                let group = self.n_groups;
                for request in requests {
                    self.submit(request, Place { group, ..PLAIN });
                }
            }
            Act::Oto(parent, on, requests) => {
                let parent = self.submit(parent, PLAIN);
                for request in requests {
                    let child_of = ChildOf::Oto(*on);
                    self.submit(request, Place { parent: Some(parent), child_of, ..PLAIN });
                }
                self.after_end_of_refused(parent);
            }
            Act::Close(asset, fraction) => {
                self.send_market(*asset, -self.held(*asset) * fraction, true, false);
            }
            Act::CloseAll => {
                for p in self.positions_by_asset() {
                    self.send_market(p.asset, -p.units, true, false);
                }
            }
            Act::TargetQuantity(asset, units) => self.target(*asset, *units),
            Act::TargetPercent(asset, fraction) => {
                self.target_value(*asset, fraction * self.equity);
            }
            Act::TargetValue(asset, currency) => self.target_value(*asset, *currency),
            Act::Rebalance(weights) => self.rebalance(weights),
            Act::Cancel(id) => {
                // What rules, limits and calls have sent is not the strategy's.
                let is_own = |o: &Order| o.origin == OrderOrigin::Strategy;
                if self.orders.get(*id as usize).is_some_and(is_own) {
                    self.cancel(*id, CancelReason::User);
                }
            }
            Act::CancelAll(asset) => {
                let mut orders: Vec<&Order> = self
                    .orders
                    .iter()
                    .filter(|o| o.is_open() && asset.is_none_or(|asset| asset == o.asset))
                    .filter(|o| o.origin == OrderOrigin::Strategy)
                    .collect();
                orders.sort_by_key(|o| o.priority);
                let ids: Vec<u32> = orders.iter().map(|o| o.id).collect();
                for id in ids {
                    self.cancel(id, CancelReason::User);
                }
            }
            Act::Replace(id, change) => self.replace(*id, change),
            Act::Resume => self.is_halted = false,
            Act::SetRules(Some(asset), rules) => {
                self.asset_rules[*asset as usize] = Some(rules.clone());
            }
            Act::SetRules(None, rules) => self.run_rules.clone_from(rules),
        }
    }

    fn after_end_of_refused(&mut self, parent: u32) {
        if !self.order(parent).is_open() {
            self.after_end(parent);
        }
    }
}

fn is_reduce(due: f64, target: f64, price: f64) -> bool {
    target < due * price
}

/// A stop on the winning side of the entry, or a target on the losing one.
fn exits_are_behind(request: &OrderRequest, quantity: f64, mark: f64) -> bool {
    let entry = request.limit.or(request.stop).unwrap_or(mark);
    let is_long = quantity > 0.0;
    let stop = match request.stop_loss {
        Some(ExitPrice::Price(price)) => {
            if is_long {
                price >= entry
            } else {
                price <= entry
            }
        }
        _ => false,
    };
    let target = match request.take_profit {
        Some(ExitPrice::Price(price)) => {
            if is_long {
                price <= entry
            } else {
                price >= entry
            }
        }
        _ => false,
    };
    stop || target
}
