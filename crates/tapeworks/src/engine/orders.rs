//! Orders stated by what is to be traded, and what depends on them.

use super::present::Present;
use super::request::{Distance, ExitPrice, OrderRequest, ReleaseOn, Size, TrailTerms};
use super::trader::Trader;
use crate::base::{AssetId, Error, OrderId, Result};
use crate::broker::{
    BothHit, Change, ChildGate, ExitReason, FillAt, NewOrder, OrderKind, RejectCode, Trail,
};

impl Trader {
    /// Sends an order; it is first tested against the next row of its symbol.
    ///
    /// A refused order gets an id and a row in the rejections as well. `Percent` and `Value` sizes
    /// fill as far as cash goes; `Quantity` fills whole or not at all. With exits, their orders get
    /// the next ids (stop loss, take profit, trailing exit) and wait for this one's fill.
    ///
    /// # Errors
    /// `O101` when prices contradict each other; `O102` when the asset is not of this run; `O103`
    /// for a fraction or distance out of range; `O111` for a close order without daily rows.
    pub fn submit(&mut self, request: &OrderRequest) -> Result<OrderId> {
        let new = self.new_order(request)?;
        if request.stop_loss.is_none()
            && request.take_profit.is_none()
            && request.trailing_exit.is_none()
        {
            return Ok(self.send(&new));
        }
        self.send_bracket(request, &new)
    }

    /// Sends orders of which a fill takes its quantity off the others, and a complete one ends
    /// them.
    ///
    /// # Errors
    /// As [`Trader::submit`]; nothing is sent then. `O104` for an order with exits of its own.
    pub fn submit_oco(&mut self, requests: &[OrderRequest]) -> Result<Vec<OrderId>> {
        let mut orders = self.without_exits(requests)?;
        let group = self.broker.new_group();
        for order in &mut orders {
            order.group = group;
        }
        Ok(orders.iter().map(|order| self.send(order)).collect())
    }

    /// Sends orders that wait for the fill of another. They are first tested against a row after
    /// it, but what closes the position it made, against the rest of its row.
    ///
    /// # Errors
    /// As [`Trader::submit_oco`]; `O105` when the parent is no order of this run.
    pub fn submit_after(
        &mut self,
        parent: OrderId,
        on: ReleaseOn,
        requests: &[OrderRequest],
    ) -> Result<Vec<OrderId>> {
        if parent.index() >= self.broker.ledger().orders.len() {
            return Err(Error::order(
                "O105",
                format!("there is no order {} to wait for", parent.0),
            )
            .with_hint("pass the id that submit returned"));
        }
        let mut orders = self.without_exits(requests)?;
        for order in &mut orders {
            order.parent = Some(parent);
            order.releases_on_first = on == ReleaseOn::Partial;
        }
        Ok(orders.iter().map(|order| self.send(order)).collect())
    }

    /// Changes a live order from the next row on; false when it has already ended.
    pub fn replace(&mut self, order: OrderId, change: &Change) -> bool {
        self.broker.replace(order, change)
    }

    /// Ends a live order; false when it has already ended.
    pub fn cancel(&mut self, order: OrderId) -> bool {
        order.index() < self.broker.ledger().orders.len() && self.broker.cancel(order)
    }

    /// Ends all live orders, or those of one asset: how many.
    pub fn cancel_all(&mut self, asset: Option<AssetId>) -> usize {
        self.broker.cancel_all(asset)
    }

    /// Lets opens through again after a portfolio limit has halted them.
    pub fn resume(&mut self) {
        self.broker.resume();
    }

    pub(super) fn send(&mut self, new: &NewOrder) -> OrderId {
        let order = self.broker.submit(new);
        if self.layout().n_values() > 0 {
            self.push_present_values(new.asset);
        }
        let fills_now = self.broker.conditions().semantics.fill_at == FillAt::Immediate
            && new.kind == OrderKind::Market;
        if fills_now {
            let present = Present { chunk: &self.chunk, rows: &self.rows, t: self.t };
            self.broker.match_call(&present);
            self.equity = self.broker.equity();
        }
        order
    }

    fn without_exits(&self, requests: &[OrderRequest]) -> Result<Vec<NewOrder>> {
        for request in requests {
            let has_exits = request.stop_loss.is_some()
                || request.take_profit.is_some()
                || request.trailing_exit.is_some();
            if has_exits {
                let symbol = self.symbols().name(request.asset);
                return Err(Error::order(
                    "O104",
                    format!("{symbol}: an order that waits for another has no exits of its own"),
                )
                .with_hint("send its exits as orders that wait for it"));
            }
        }
        requests.iter().map(|request| self.new_order(request)).collect()
    }

    fn new_order(&self, request: &OrderRequest) -> Result<NewOrder> {
        self.check_asset(request.asset)?;
        let kind = self.kind_of(request)?;
        let unit = self.mark(request.asset) * self.broker.positions().multiplier(request.asset);
        let (quantity, shortfall) = match request.size {
            Size::Quantity(units) => (units, self.shortfall_of_units()),
            Size::Percent(fraction) => {
                (fraction * self.equity / unit, self.shortfall_of_target(false))
            }
            Size::Value(currency) => (currency / unit, self.shortfall_of_target(false)),
        };
        Ok(NewOrder {
            kind,
            limit: request.limit.unwrap_or(f64::NAN),
            stop: request.stop.unwrap_or(f64::NAN),
            trail: request.trail.map_or(Ok(Trail::NONE), |trail| self.trail(request, &trail))?,
            tif: request.tif,
            reduce_only: request.reduce_only,
            shortfall,
            tag: request.tag,
            ..NewOrder::market(request.asset, quantity)
        })
    }

    fn kind_of(&self, request: &OrderRequest) -> Result<OrderKind> {
        let contradiction = |text: &str, hint: &str| {
            let symbol = self.symbols().name(request.asset);
            Err(Error::order("O101", format!("{symbol}: {text}")).with_hint(hint))
        };
        if request.on_close {
            if request.limit.is_some() || request.stop.is_some() || request.trail.is_some() {
                return contradiction(
                    "an order at the close has no other price",
                    "leave out limit, stop and trail",
                );
            }
            if self.broker.is_intraday() {
                let symbol = self.symbols().name(request.asset);
                return Err(Error::order(
                    "O111",
                    format!("{symbol}: which row of a session is its last is not known beforehand"),
                )
                .with_hint("orders at the close need one row a session"));
            }
            return Ok(OrderKind::MarketOnClose);
        }
        match (request.limit, request.stop, &request.trail) {
            (None, None, None) => Ok(OrderKind::Market),
            (Some(_), None, None) => Ok(OrderKind::Limit),
            (None, Some(_), None) => Ok(OrderKind::Stop),
            (Some(_), Some(_), None) => Ok(OrderKind::StopLimit),
            (None, None, Some(trail)) if trail.limit_offset.is_some() => {
                Ok(OrderKind::TrailingLimit)
            }
            (None, None, Some(_)) => Ok(OrderKind::Trailing),
            _ => contradiction(
                "a trailing order finds its prices itself",
                "leave out limit and stop; trail.limit_offset makes it a limit order",
            ),
        }
    }

    fn trail(&self, request: &OrderRequest, trail: &TrailTerms) -> Result<Trail> {
        let (distance, is_percent) = match trail.distance {
            Distance::Amount(amount) => (amount, false),
            Distance::Fraction(fraction) => (fraction, true),
        };
        let is_valid = distance.is_finite() && distance > 0.0 && !(is_percent && distance >= 1.0);
        if !is_valid {
            return Err(self.out_of_range(request, "trail distance", distance));
        }
        Ok(Trail {
            distance,
            is_percent,
            limit_offset: trail.limit_offset.unwrap_or(f64::NAN),
            activate: trail.activate.unwrap_or(f64::NAN),
            water: f64::NAN,
        })
    }

    fn out_of_range(&self, request: &OrderRequest, what: &str, value: f64) -> Error {
        let symbol = self.symbols().name(request.asset);
        Error::order("O103", format!("{symbol}: {what} {value} is out of range"))
            .with_hint("distances are above 0; a fraction is below 1: 0.05 is five percent")
    }

    /// Sends an order and the exits that live on what it opens.
    fn send_bracket(&mut self, request: &OrderRequest, new: &NewOrder) -> Result<OrderId> {
        let sign = new.quantity.signum();
        let (stop, stop_fraction) = self.exit_price(request, request.stop_loss, -1.0)?;
        let (target, target_fraction) = self.exit_price(request, request.take_profit, 1.0)?;
        let trail = request.trailing_exit.map(|trail| self.trail(request, &trail)).transpose()?;
        let entry = [new.limit, new.stop, self.mark(request.asset)]
            .into_iter()
            .find(|price| !price.is_nan())
            .unwrap_or(f64::NAN);
        let is_behind = |price: f64, with: f64| sign * with * (price - entry) <= 0.0;
        let is_invalid = is_behind(stop, -1.0) || is_behind(target, 1.0);
        let semantics = &self.broker.conditions().semantics;
        let gated = semantics.child_gate == ChildGate::ParentFill;
        let target_first = semantics.both_hit == BothHit::ProfitFirst;
        let refused = (is_invalid && gated).then_some(RejectCode::BracketInvalid);
        let parent = self.send(&NewOrder { is_parent: true, refused, ..*new });
        let quantity = -self.order(parent).quantity;
        let exit = NewOrder {
            // Children that do not wait are orders like any other.
            reduce_only: gated,
            parent: gated.then_some(parent),
            follows_parent: gated,
            group: self.broker.new_group(),
            tag: new.tag,
            ..NewOrder::market(request.asset, quantity)
        };
        let stop = request.stop_loss.map(|_| NewOrder {
            kind: OrderKind::Stop,
            stop,
            fraction: stop_fraction,
            reason: ExitReason::BracketStop,
            ..exit
        });
        let target = request.take_profit.map(|_| NewOrder {
            kind: OrderKind::Limit,
            limit: target,
            fraction: target_fraction,
            reason: ExitReason::BracketTarget,
            ..exit
        });
        let exits = if target_first { [target, stop] } else { [stop, target] };
        for order in exits.iter().flatten() {
            self.send(order);
        }
        if let Some(trail) = trail {
            let has_limit = !trail.limit_offset.is_nan();
            self.send(&NewOrder {
                kind: if has_limit { OrderKind::TrailingLimit } else { OrderKind::Trailing },
                trail,
                reason: ExitReason::Trailing,
                ..exit
            });
        }
        Ok(parent)
    }

    /// The price of an exit, or its signed distance from the entry; NaN for the other one.
    fn exit_price(
        &self,
        request: &OrderRequest,
        exit: Option<ExitPrice>,
        with: f64,
    ) -> Result<(f64, f64)> {
        match exit {
            None => Ok((f64::NAN, f64::NAN)),
            Some(ExitPrice::Price(price)) => Ok((price, f64::NAN)),
            Some(ExitPrice::Fraction(x)) => {
                let most = if with < 0.0 { 1.0 } else { f64::INFINITY };
                if x.is_finite() && x > 0.0 && x < most {
                    Ok((f64::NAN, with * x))
                } else {
                    Err(self.out_of_range(request, "exit distance", x))
                }
            }
        }
    }
}
