//! Where an order finds its price in one row: pure functions of the order's terms and the row.

use super::codes::{OrderKind, Side};

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

impl Trail {
    /// No trail.
    pub const NONE: Self = Self {
        distance: f64::NAN,
        is_percent: false,
        limit_offset: f64::NAN,
        activate: f64::NAN,
        water: f64::NAN,
    };
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

impl Terms {
    /// The price that the order waits for; NaN for a market order.
    #[must_use]
    pub fn level(&self) -> f64 {
        match self.kind {
            OrderKind::Market | OrderKind::MarketOnClose => f64::NAN,
            OrderKind::Limit => self.limit,
            _ => self.stop,
        }
    }

    /// The base price at the open of a row, when the order can fill there.
    ///
    /// A limit takes an open that is better than its price; a stop that the open has passed fills
    /// at the open, not at its level.
    #[must_use]
    #[inline]
    pub fn price_at_open(&self, open: f64) -> Option<f64> {
        let fills = match (self.kind, self.side) {
            (OrderKind::Market, _) => true,
            (OrderKind::Limit, Side::Buy) => open <= self.limit,
            (OrderKind::Limit, Side::Sell) => open >= self.limit,
            (OrderKind::MarketOnClose, _) => false,
            (_, Side::Buy) => open >= self.stop,
            (_, Side::Sell) => open <= self.stop,
        };
        fills.then_some(open)
    }

    /// The base price inside a row that runs from `low` to `high`, for an order that its open did
    /// not fill.
    #[must_use]
    #[inline]
    pub fn price_inside(&self, low: f64, high: f64) -> Option<f64> {
        match (self.kind, self.side) {
            (OrderKind::Market, _) => None,
            (OrderKind::Limit, Side::Buy) => (low <= self.limit).then_some(self.limit),
            (OrderKind::Limit, Side::Sell) => (high >= self.limit).then_some(self.limit),
            (OrderKind::MarketOnClose, _) => None,
            (_, Side::Buy) => (high >= self.stop).then_some(self.stop),
            (_, Side::Sell) => (low <= self.stop).then_some(self.stop),
        }
    }

    /// Whether a fill inside the row only touched the limit.
    #[must_use]
    #[inline]
    pub fn is_only_touched(&self, low: f64, high: f64) -> bool {
        self.kind == OrderKind::Limit
            && match self.side {
                Side::Buy => low == self.limit,
                Side::Sell => high == self.limit,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::{OrderKind, Side, Terms};

    #[test]
    fn price_when_gap_touch_or_miss_then_table_holds() {
        use OrderKind::{Limit, Market, Stop};
        use Side::{Buy, Sell};
        // kind, side, level, open, low, high, price at open, price inside
        let rows = [
            (Market, Buy, 0.0, 100.0, 95.0, 105.0, Some(100.0), None),
            (Limit, Buy, 98.0, 97.0, 95.0, 99.0, Some(97.0), Some(98.0)),
            (Limit, Buy, 98.0, 100.0, 98.0, 101.0, None, Some(98.0)),
            (Limit, Buy, 98.0, 100.0, 98.5, 101.0, None, None),
            (Limit, Sell, 102.0, 103.0, 101.0, 104.0, Some(103.0), Some(102.0)),
            (Limit, Sell, 102.0, 100.0, 99.0, 102.0, None, Some(102.0)),
            (Limit, Sell, 102.0, 100.0, 99.0, 101.0, None, None),
            (Stop, Buy, 102.0, 103.0, 101.0, 104.0, Some(103.0), Some(102.0)),
            (Stop, Buy, 102.0, 100.0, 99.0, 102.0, None, Some(102.0)),
            (Stop, Buy, 102.0, 100.0, 99.0, 101.0, None, None),
            (Stop, Sell, 98.0, 97.0, 96.0, 99.0, Some(97.0), Some(98.0)),
            (Stop, Sell, 98.0, 100.0, 98.0, 101.0, None, Some(98.0)),
            (Stop, Sell, 98.0, 100.0, 98.5, 101.0, None, None),
        ];
        for (kind, side, level, open, low, high, at_open, inside) in rows {
            let terms = Terms { kind, side, limit: level, stop: level };
            assert_eq!(terms.price_at_open(open), at_open, "{terms:?} at {open}");
            assert_eq!(terms.price_inside(low, high), inside, "{terms:?} in {low}..{high}");
        }
    }
}
