//! The turn of an order whose price has come: cap, cash test, fill or refusal (3.1, 3.4, 4.2, 4.3).

use tapeworks::broker::{
    AccountKind, CancelReason, ExpireReason, LimitKind, Lots, Margin, OrderStatus, RejectCode,
    TimeInForce,
};

use super::Twin;
use super::book::{Hit, Order};

impl Twin<'_> {
    pub(super) fn pays_in_full(&self) -> bool {
        matches!(self.config.account.kind, AccountKind::Cash | AccountKind::Crypto)
    }

    /// What is nothing beside a position: 16 units in the last place.
    pub(super) fn dust(units: f64) -> f64 {
        1e-12_f64.max(16.0 * f64::EPSILON * units.abs())
    }

    pub(super) fn lots_per_unit(&self, asset: u32) -> f64 {
        let lot = self.instrument(asset).lot;
        match self.config.lots {
            _ if lot > 0.0 => 1.0 / lot,
            Lots::Integer => 1.0,
            Lots::Fractional => 1e8,
            Lots::Step(step) => 1.0 / step,
        }
    }

    /// Toward zero to whole lots; quotients that should be whole are taken as whole.
    pub(super) fn round(&self, asset: u32, units: f64) -> f64 {
        let per_unit = self.lots_per_unit(asset);
        let lots = units.abs() * per_unit;
        let whole = (lots + 1e-9_f64.max(lots * f64::EPSILON)).floor();
        (whole / per_unit).copysign(units)
    }

    /// What the participation cap leaves of this row for a symbol.
    pub(super) fn cap_left(&self, asset: u32) -> f64 {
        let volume = self.tradable(asset).map_or(0.0, |row| row.volume);
        match self.config.participation {
            Some(_) if !self.instrument(asset).has_volume => f64::INFINITY,
            // Of an unknown volume no share is certain.
            Some(_) if volume.is_nan() => 0.0,
            Some(participation) => participation.max_share * volume - self.used[asset as usize],
            None => f64::INFINITY,
        }
    }

    pub(super) fn take_turn(&mut self, id: u32, hit: Hit) {
        let order = self.order(id).clone();
        let held = self.held(order.asset);
        let is_opposite = held * order.d < 0.0;
        let mut rest = order.rest();
        if order.reduce_only {
            if !is_opposite {
                self.cancel(id, CancelReason::PositionClosed);
                return;
            }
            rest = rest.min(held.abs());
        } else if self.pays_in_full() && order.d < 0.0 {
            if is_opposite && order.may_shrink {
                rest = rest.min(held);
            }
            if !is_opposite || rest - held > Self::dust(held) {
                self.reject(id, RejectCode::ShortNotAllowed);
                return;
            }
        }
        let is_fok = order.tif == TimeInForce::Fok;
        let mut q = rest;
        if rest > self.cap_left(order.asset) {
            q = self.round(order.asset, self.cap_left(order.asset).max(0.0));
            if is_fok {
                self.expire(id, ExpireReason::FokUnfilled);
                return;
            }
            self.order_mut(id).is_done_for_row = true;
            if hit.by_stop || self.order(id).reached {
                self.trigger(id);
            }
            if q == 0.0 {
                return;
            }
        }
        if rest < order.rest() && q == rest {
            self.order_mut(id).total = order.filled + rest;
        }
        // Rounding of sums counts as nothing.
        let mut closed = if is_opposite { q.min(held.abs()) } else { 0.0 };
        if q - closed <= Self::dust(held) && closed > 0.0 {
            closed = q;
        }
        let opened = q - closed;
        let mut refused = None;
        let mut sized = opened;
        if opened > 0.0 {
            match self.open_leg(&order, closed, opened, hit) {
                Ok(units) => sized = units,
                Err(code) => {
                    refused = Some(code);
                    sized = 0.0;
                }
            }
        }
        if is_fok && (refused.is_some() || sized < opened) {
            match refused.filter(|_| is_policy(refused)) {
                Some(code) => self.reject(id, code),
                None => self.expire(id, ExpireReason::FokUnfilled),
            }
            return;
        }
        if closed + sized > 0.0 {
            if refused.is_none() && sized < opened {
                self.order_mut(id).total = order.filled + closed + sized;
            }
            self.fill(id, closed + sized, hit);
        }
        match refused {
            Some(code) if closed == 0.0 => self.reject(id, code),
            Some(code) => {
                self.rejections.push((self.bar, id, code));
                self.order_mut(id).status = OrderStatus::Cancelled(CancelReason::OpenLegRejected);
                self.after_end(id);
            }
            None => {}
        }
    }

    /// How much of an open passes, or why it does not.
    fn open_leg(&self, order: &Order, closed: f64, o: f64, hit: Hit) -> Result<f64, RejectCode> {
        let asset = order.asset;
        let instrument = self.instrument(asset);
        let is_new = self.held(asset) == 0.0;
        if self.is_closed {
            return Err(RejectCode::AccountClosed);
        }
        if self.call_stands {
            return Err(RejectCode::MarginCallActive);
        }
        if order.d < 0.0 && !instrument.is_shortable {
            return Err(RejectCode::NotShortable);
        }
        let (price, _) = self.price(order, closed + o, hit);
        if o * price.abs() * instrument.multiplier < instrument.min_notional {
            return Err(RejectCode::BelowMinNotional);
        }
        if self.is_halted {
            return Err(RejectCode::TradingHalted);
        }
        for limit in &self.config.limits {
            match limit.kind {
                LimitKind::MaxPositions(n) if is_new && self.positions.len() >= n as usize => {
                    return Err(RejectCode::LimitPositions);
                }
                _ if self.breaks(&limit.kind, order, closed + o, hit) => {
                    return Err(RejectCode::LimitExposure);
                }
                _ => {}
            }
        }
        let mut sized = o;
        if !self.can_pay(order, closed + o, hit) {
            if !order.may_shrink || order.tif == TimeInForce::Fok {
                return Err(self.cannot_pay());
            }
            // The largest number of lots that passes: by halves, since cost grows with size.
            let per_unit = self.lots_per_unit(asset);
            let (mut low, mut high) = (0.0, (o * per_unit).round());
            while high - low > 1.0 {
                let middle = f64::midpoint(low, high).floor();
                if middle <= low || middle >= high {
                    break;
                }
                let passes = self.can_pay(order, closed + middle / per_unit, hit);
                if passes { low = middle } else { high = middle }
            }
            sized = low / per_unit;
            if sized == 0.0 {
                return Err(self.cannot_pay());
            }
        }
        let (price, _) = self.price(order, closed + sized, hit);
        if sized * price.abs() * instrument.multiplier < instrument.min_notional {
            return Err(RejectCode::BelowMinNotional);
        }
        Ok(sized)
    }

    fn cannot_pay(&self) -> RejectCode {
        if self.pays_in_full() {
            RejectCode::InsufficientCash
        } else {
            RejectCode::InsufficientMargin
        }
    }

    /// The price at which the test values a symbol: its base price, others' open or mark.
    fn test_price(&self, asset: u32, order: &Order, hit: Hit) -> f64 {
        if asset == order.asset {
            return hit.base;
        }
        let open = self.market.row(self.bar, asset).map_or(f64::NAN, |row| row.ohlc[0]);
        if open.is_finite() { open } else { self.marks[asset as usize] }
    }

    /// The book after a fill of `q`: (asset, units, price), and equity.
    fn book_after(&self, order: &Order, q: f64, hit: Hit) -> (Vec<(u32, f64, f64)>, f64) {
        let (price, _) = self.price(order, q, hit);
        let fee = self.fee(order, q, price, hit);
        let mut cash = self.cash - fee;
        let mut book = Vec::new();
        let mut equity = 0.0;
        let mut positions = self.positions_by_asset();
        positions.retain(|p| p.asset != order.asset);
        for p in positions {
            book.push((p.asset, p.units, self.test_price(p.asset, order, hit)));
        }
        let held = self.held(order.asset);
        let m = self.multiplier(order.asset);
        if self.instrument(order.asset).is_future {
            let settle = self.positions.iter().find(|p| p.asset == order.asset);
            cash += settle.map_or(0.0, |p| p.units * m * (price - p.settle));
            equity += (held + order.d * q) * m * (hit.base - price);
        } else {
            cash -= order.d * q * price * m;
            equity += (held + order.d * q) * hit.base * m;
        }
        for &(asset, units, price) in &book {
            let m = self.multiplier(asset);
            let settle = self.positions.iter().find(|p| p.asset == asset).map_or(0.0, |p| p.settle);
            let is_future = self.instrument(asset).is_future;
            equity += units * m * if is_future { price - settle } else { price };
        }
        book.push((order.asset, held + order.d * q, hit.base));
        (book, cash + equity)
    }

    fn can_pay(&self, order: &Order, q: f64, hit: Hit) -> bool {
        if self.pays_in_full() {
            let (price, _) = self.price(order, q, hit);
            let fee = self.fee(order, q, price, hit);
            let unsettled: f64 = self.unsettled.iter().map(|u| u.1).sum();
            let available = (self.cash - unsettled) * (1.0 - self.config.account.cash_buffer);
            let need = q * price * self.multiplier(order.asset) + fee;
            return need <= available + 1e-9 * available.abs().max(1.0);
        }
        let (book, equity) = self.book_after(order, q, hit);
        let need: f64 = book.iter().map(|&(a, units, p)| self.initial_margin(a, units, p)).sum();
        equity + 1e-9 * equity.abs().max(1.0) >= need
    }

    pub(super) fn initial_margin(&self, asset: u32, units: f64, price: f64) -> f64 {
        let value = units.abs() * price.abs() * self.multiplier(asset);
        match self.instrument(asset).initial_margin {
            Margin::Account => value * self.config.account.initial_margin,
            Margin::Fraction(x) => value * x,
            Margin::PerContract(currency) => units.abs() * currency,
        }
    }

    fn breaks(&self, kind: &LimitKind, order: &Order, q: f64, hit: Hit) -> bool {
        let (book, equity) = self.book_after(order, q, hit);
        let values: Vec<f64> =
            book.iter().map(|&(a, units, p)| units * p * self.multiplier(a)).collect();
        let m = self.multiplier(order.asset);
        let own = *values.last().expect("the order's own symbol");
        let gross: f64 = values.iter().map(|v| v.abs()).sum();
        let net: f64 = values.iter().sum::<f64>().abs();
        let before = values.iter().sum::<f64>() - order.d * q * hit.base * m;
        match *kind {
            LimitKind::GrossExposure(x) => gross > x * equity,
            // What brings the net nearer to nothing may.
            LimitKind::NetExposure(x) => net > x * equity && net > before.abs(),
            LimitKind::SymbolExposure(x) => own.abs() > x * equity,
            _ => false,
        }
    }

    fn fill(&mut self, id: u32, q: f64, hit: Hit) {
        let order = self.order(id).clone();
        let (price, flags) = self.price(&order, q, hit);
        let hit = Hit { flags: hit.flags | flags, ..hit };
        let fee = self.fee(&order, q, price, hit);
        self.note_fee(id, q, price, hit);
        self.used[order.asset as usize] += q;
        let order = self.order_mut(id);
        order.filled += q;
        order.filled_notional += q * price;
        if order.rest() <= 1e-12 * order.total {
            order.status = OrderStatus::Filled;
        }
        self.apply(id, q, price, fee, hit);
        self.after_fill(id, q, price, hit);
    }
}

/// Refusals that are not a question of what the account can pay.
fn is_policy(code: Option<RejectCode>) -> bool {
    !matches!(code, None | Some(RejectCode::InsufficientCash | RejectCode::InsufficientMargin))
}
