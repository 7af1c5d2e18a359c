//! One row of prices, and the only window through which the broker sees the market.

use crate::base::AssetId;

/// One symbol's prices for one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Units traded; NaN where unknown.
    pub volume: f64,
}

impl Bar {
    /// Whether orders may fill in this row: four finite prices in order, and not a row without
    /// trade. Unknown volume is allowed.
    ///
    /// The comparisons are false for NaN, and what lies between two finite prices is finite. They
    /// are joined without branches, for the loop asks this of every row.
    #[expect(clippy::needless_bitwise_bool, reason = "branches keep the loop off vectors")]
    #[must_use]
    #[inline]
    pub fn is_tradable(&self) -> bool {
        (self.low <= self.open)
            & (self.low <= self.close)
            & (self.open <= self.high)
            & (self.close <= self.high)
            & (self.low > f64::NEG_INFINITY)
            & (self.high < f64::INFINITY)
            & (self.volume != 0.0)
    }
}

/// The rows of one timestamp. The broker is handed nothing else, so it cannot look ahead.
pub trait Quotes {
    /// The row of `asset` at this timestamp, when there is one that is tradable.
    fn tradable(&self, asset: AssetId) -> Option<Bar>;

    /// Low and high of the row of `asset`, when there is one, tradable or not.
    fn range(&self, asset: AssetId) -> Option<(f64, f64)>;

    /// The row of `asset`, when there is one, tradable or not.
    fn bar(&self, asset: AssetId) -> Option<Bar>;

    /// What the row of `asset` carries in a column of the run (signals, then indicators, then
    /// context); NaN without a row.
    fn value(&self, asset: AssetId, column: usize) -> f64;
}

#[cfg(test)]
mod tests {
    use super::Bar;

    #[test]
    fn is_tradable_when_any_price_or_volume_is_off_then_false() {
        let nan = f64::NAN;
        // open, high, low, close, volume, tradable
        let rows = [
            (10.0, 11.0, 9.0, 10.5, 5.0, true),
            (10.0, 11.0, 9.0, 10.5, nan, true),
            (10.0, 11.0, 9.0, 10.5, 0.0, false),
            (nan, 11.0, 9.0, 10.5, 5.0, false),
            (10.0, nan, 9.0, 10.5, 5.0, false),
            (10.0, 11.0, nan, 10.5, 5.0, false),
            (10.0, 11.0, 9.0, nan, 5.0, false),
            (10.0, 10.4, 9.0, 10.5, 5.0, false),
            (10.0, 11.0, 10.1, 10.5, 5.0, false),
            (10.0, f64::INFINITY, 9.0, 10.5, 5.0, false),
            (10.0, 11.0, f64::NEG_INFINITY, 10.5, 5.0, false),
        ];
        for (open, high, low, close, volume, expected) in rows {
            let bar = Bar { open, high, low, close, volume };
            assert_eq!(bar.is_tradable(), expected, "{bar:?}");
        }
    }
}
