//! Where an order finds its price in one row: pure functions of the order's terms and the row.

use super::bar::Bar;
use super::codes::{OrderKind, Side};
use super::semantics::{LimitGap, Semantics, StopLimitRule};

/// How the stop of a trailing order follows the price. Missing numbers are NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trail {
    /// How far behind the water mark: an amount, or a fraction of it.
    pub distance: f64,
    /// Whether `distance` is a fraction.
    pub is_percent: bool,
    /// The limit lies this far beyond the stop once it is reached; NaN: a market order then.
    pub limit_offset: f64,
    /// The order sleeps until a row has reached this price.
    pub activate: f64,
    /// The best price so far.
    pub water: f64,
}

/// The prices that an order waits for; NaN where it has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// How the order finds its price.
    pub kind: OrderKind,
    /// Its direction.
    pub side: Side,
    /// Limit price.
    pub limit: f64,
    /// Stop price.
    pub stop: f64,
}

/// What a row, or a part of it, did to an order.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Touched {
    /// The price before costs at which it fills, NaN when it does not.
    pub price: f64,
    /// Its stop was reached here.
    pub is_triggered: bool,
    /// The price came to it: it added liquidity.
    pub is_maker: bool,
    /// A stop set the price.
    pub by_stop: bool,
}

impl Trail {
    /// No trail.
    pub const NONE: Self = Self {
        distance: f64::NAN,
        is_percent: false,
        limit_offset: f64::NAN,
        activate: f64::NAN,
        water: f64::NAN,
    };

    /// The stop behind the water mark, for an order of this side.
    #[must_use]
    pub fn stop(&self, side: Side) -> f64 {
        // A sell trails below the best price, a buy above it.
        let down = match side {
            Side::Sell => 1.0,
            Side::Buy => -1.0,
        };
        if self.is_percent {
            // The second form is for prices below zero, where a fraction of the price points the
            // other way.
            if self.water >= 0.0 {
                self.water * (1.0 - down * self.distance)
            } else {
                self.water - down * self.distance * self.water.abs()
            }
        } else {
            self.water - down * self.distance
        }
    }

    /// Follows a price that is better for an order of this side.
    pub fn follow(&mut self, side: Side, price: f64) {
        let is_better = match side {
            _ if self.water.is_nan() => true,
            Side::Sell => price > self.water,
            Side::Buy => price < self.water,
        };
        if is_better {
            self.water = price;
        }
    }
}

impl Touched {
    pub(super) const MISSED: Self =
        Self { price: f64::NAN, is_triggered: false, is_maker: false, by_stop: false };

    fn taken(price: f64) -> Self {
        Self { price, ..Self::MISSED }
    }

    fn stopped(price: f64) -> Self {
        Self { price, is_triggered: true, by_stop: true, is_maker: false }
    }

    /// Whether the order fills here.
    #[must_use]
    #[inline]
    pub fn fills(&self) -> bool {
        !self.price.is_nan()
    }
}

impl Terms {
    /// The price that the order waits for; NaN for a market order.
    #[must_use]
    pub fn level(&self, kind: OrderKind) -> f64 {
        match kind {
            OrderKind::Market | OrderKind::MarketOnClose => f64::NAN,
            OrderKind::Limit => self.limit,
            _ => self.stop,
        }
    }

    /// `price` is at the limit or better.
    #[inline]
    fn limit_takes(&self, price: f64) -> bool {
        match self.side {
            Side::Buy => price <= self.limit,
            Side::Sell => price >= self.limit,
        }
    }

    /// Whether a price is no worse than the limit, when there is one.
    #[must_use]
    pub fn is_within_limit(&self, price: f64) -> bool {
        self.limit.is_nan() || self.limit_takes(price)
    }

    /// `price` has reached the stop.
    #[inline]
    fn stop_takes(&self, price: f64) -> bool {
        match self.side {
            Side::Buy => price >= self.stop,
            Side::Sell => price <= self.stop,
        }
    }

    /// What the open of a row does to an order that waits as `kind`.
    ///
    /// A limit takes an open that is better than its price; a stop that the open has passed fills
    /// at the open, not at its level.
    #[must_use]
    #[inline]
    pub fn at_open(&self, kind: OrderKind, open: f64, semantics: &Semantics) -> Touched {
        match kind {
            OrderKind::Market => Touched::taken(open),
            OrderKind::Limit if self.limit_takes(open) => match semantics.limit_gap {
                LimitGap::Open => Touched::taken(open),
                LimitGap::Limit => Touched::taken(self.limit),
            },
            OrderKind::Stop | OrderKind::Trailing if self.stop_takes(open) => {
                Touched::stopped(open)
            }
            // Where gaps are ignored the open means nothing.
            OrderKind::StopLimit | OrderKind::TrailingLimit
                if semantics.stop_limit != StopLimitRule::Better && self.stop_takes(open) =>
            {
                let price = match semantics.stop_limit {
                    StopLimitRule::Limit => f64::NAN,
                    _ if self.limit_takes(open) => open,
                    _ => f64::NAN,
                };
                Touched { price, is_triggered: true, is_maker: false, by_stop: true }
            }
            _ => Touched::MISSED,
        }
    }

    /// What the prices from `low` to `high` do to an order that its open did not fill. `bar` is the
    /// whole row: its close tells whether the price came back.
    #[must_use]
    #[inline]
    pub fn inside(
        &self,
        kind: OrderKind,
        low: f64,
        high: f64,
        bar: &Bar,
        semantics: &Semantics,
    ) -> Touched {
        let (toward_limit, toward_stop) = match self.side {
            Side::Buy => (low, high),
            Side::Sell => (high, low),
        };
        match kind {
            OrderKind::Limit if self.limit_takes(toward_limit) => {
                Touched { price: self.limit, is_maker: true, ..Touched::MISSED }
            }
            OrderKind::Stop | OrderKind::Trailing if self.stop_takes(toward_stop) => {
                Touched::stopped(self.stop)
            }
            OrderKind::StopLimit | OrderKind::TrailingLimit if self.stop_takes(toward_stop) => {
                self.stop_limit_inside(toward_limit, bar, semantics)
            }
            _ => Touched::MISSED,
        }
    }

    /// A stop-limit order whose stop lies within the row.
    fn stop_limit_inside(&self, toward_limit: f64, bar: &Bar, semantics: &Semantics) -> Touched {
        let triggered = Touched { is_triggered: true, ..Touched::MISSED };
        let at_limit = Touched { price: self.limit, is_maker: true, ..triggered };
        if semantics.stop_limit == StopLimitRule::Limit {
            let may_come_first = !self.limit_takes(self.stop) && !self.limit_takes(bar.close);
            let is_reached = self.limit_takes(toward_limit) && !may_come_first;
            return if is_reached { at_limit } else { triggered };
        }
        if semantics.stop_limit == StopLimitRule::Better {
            let is_beyond = self.limit_takes(self.stop) && self.limit != self.stop;
            let fills = is_beyond && self.limit_takes(toward_limit);
            let at_stop = Touched { price: self.stop, by_stop: true, ..triggered };
            return if fills { at_stop } else { triggered };
        }
        if self.limit_takes(self.stop) {
            return Touched { price: self.stop, by_stop: true, ..triggered };
        }
        let came_back = match semantics.stop_limit {
            StopLimitRule::TriggerOrClose => self.limit_takes(bar.close),
            StopLimitRule::TriggerOrOpenBetween => {
                let has_turned = match self.side {
                    Side::Buy => bar.open > bar.close,
                    Side::Sell => bar.open <= bar.close,
                };
                has_turned && self.limit_takes(bar.close)
            }
            StopLimitRule::Trigger => self.limit_takes(toward_limit),
            _ => false,
        };
        if came_back { at_limit } else { triggered }
    }

    /// What one price of a row does to an order, for semantics that look at no other; what it
    /// reaches fills at `fill`.
    #[must_use]
    pub fn at_price(&self, kind: OrderKind, price: f64, fill: f64) -> Touched {
        let limit_takes = self.limit_takes(price);
        let stop_takes = self.stop_takes(price);
        match kind {
            OrderKind::Market | OrderKind::MarketOnClose => Touched::taken(fill),
            OrderKind::Limit if limit_takes => Touched::taken(fill),
            OrderKind::Stop | OrderKind::Trailing if stop_takes => Touched::stopped(fill),
            OrderKind::StopLimit | OrderKind::TrailingLimit if stop_takes => {
                let price = if limit_takes { fill } else { f64::NAN };
                Touched { price, is_triggered: true, ..Touched::MISSED }
            }
            _ => Touched::MISSED,
        }
    }

    /// What a whole row does to an order that is matched in one pass.
    #[must_use]
    pub fn in_row(&self, kind: OrderKind, bar: &Bar, semantics: &Semantics) -> Touched {
        let first = self.at_open(kind, bar.open, semantics);
        if first.fills() {
            return first;
        }
        if first.is_triggered {
            // From here on it is a limit order.
            let later = self.inside(OrderKind::Limit, bar.low, bar.high, bar, semantics);
            return Touched { is_triggered: true, ..later };
        }
        self.inside(kind, bar.low, bar.high, bar, semantics)
    }

    /// Whether a fill inside the row only touched the limit.
    #[must_use]
    #[inline]
    pub fn is_only_touched(&self, low: f64, high: f64) -> bool {
        match self.side {
            Side::Buy => low == self.limit,
            Side::Sell => high == self.limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bar, OrderKind, Semantics, Side, StopLimitRule, Terms};

    fn bar(open: f64, high: f64, low: f64, close: f64) -> Bar {
        Bar { open, high, low, close, volume: f64::NAN }
    }

    #[test]
    fn price_when_gap_touch_or_miss_then_table_holds() {
        use OrderKind::{Limit, Market, Stop};
        use Side::{Buy, Sell};
        let nan = f64::NAN;
        // kind, side, level, open, low, high, price at open, price inside
        let rows = [
            (Market, Buy, 0.0, 100.0, 95.0, 105.0, 100.0, nan),
            (Limit, Buy, 98.0, 97.0, 95.0, 99.0, 97.0, 98.0),
            (Limit, Buy, 98.0, 100.0, 98.0, 101.0, nan, 98.0),
            (Limit, Buy, 98.0, 100.0, 98.5, 101.0, nan, nan),
            (Limit, Sell, 102.0, 103.0, 101.0, 104.0, 103.0, 102.0),
            (Limit, Sell, 102.0, 100.0, 99.0, 102.0, nan, 102.0),
            (Limit, Sell, 102.0, 100.0, 99.0, 101.0, nan, nan),
            (Stop, Buy, 102.0, 103.0, 101.0, 104.0, 103.0, 102.0),
            (Stop, Buy, 102.0, 100.0, 99.0, 102.0, nan, 102.0),
            (Stop, Buy, 102.0, 100.0, 99.0, 101.0, nan, nan),
            (Stop, Sell, 98.0, 97.0, 96.0, 99.0, 97.0, 98.0),
            (Stop, Sell, 98.0, 100.0, 98.0, 101.0, nan, 98.0),
            (Stop, Sell, 98.0, 100.0, 98.5, 101.0, nan, nan),
        ];
        let realistic = Semantics::REALISTIC;
        for (kind, side, level, open, low, high, at_open, inside) in rows {
            let terms = Terms { kind, side, limit: level, stop: level };
            let row = bar(open, high, low, open);
            let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
            let first = terms.at_open(kind, open, &realistic).price;
            assert!(same(first, at_open), "{terms:?} at {open}: {first}");
            let later = terms.inside(kind, low, high, &row, &realistic).price;
            assert!(same(later, inside), "{terms:?} in {low}..{high}: {later}");
        }
    }

    #[test]
    fn stop_limit_when_triggered_then_table_holds() {
        let nan = f64::NAN;
        // stop, limit, open, high, low, close, price in the row, triggered: a buy, by hand
        let rows = [
            (103.0, 104.0, 100.0, 104.0, 99.0, 103.5, 103.0, true),
            (103.0, 104.0, 103.5, 105.0, 103.0, 104.5, 103.5, true),
            (103.0, 104.0, 105.0, 106.0, 104.5, 105.0, nan, true),
            (103.0, 104.0, 105.0, 106.0, 103.9, 105.0, 104.0, true),
            (103.0, 102.0, 100.0, 104.0, 99.0, 101.5, 102.0, true),
            (103.0, 102.0, 100.0, 104.0, 99.0, 102.5, nan, true),
            (103.0, 104.0, 100.0, 102.9, 99.0, 102.0, nan, false),
        ];
        for (stop, limit, open, high, low, close, price, triggered) in rows {
            let kind = OrderKind::StopLimit;
            let terms = Terms { kind, side: Side::Buy, limit, stop };
            let touched = terms.in_row(kind, &bar(open, high, low, close), &Semantics::REALISTIC);
            assert_eq!(touched.is_triggered, triggered, "{terms:?} {open} {high} {low} {close}");
            let same = touched.price == price || (touched.price.is_nan() && price.is_nan());
            assert!(same, "{terms:?} {open} {high} {low} {close}: {touched:?}");
        }
        // The rule that some engines have: wherever the row touched the limit.
        let kind = OrderKind::StopLimit;
        let terms = Terms { kind, side: Side::Buy, limit: 103.25, stop: 103.0 };
        let loose = Semantics { stop_limit: StopLimitRule::Limit, ..Semantics::REALISTIC };
        let touched = terms.in_row(kind, &bar(100.0, 104.0, 99.0, 103.5), &loose);
        assert_eq!(touched.price, 103.25);
    }
}
