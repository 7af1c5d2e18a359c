//! A column with one value a row: a price, the volume, a signal or an indicator.

use super::{Layout, MarketChunk};

/// The columns that every feed has, in table order.
pub const PRICES: [&str; 5] = ["open", "high", "low", "close", "volume"];

/// The place of a column with one value a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowColumn {
    /// One of [`PRICES`], the volume included.
    Price(usize),
    /// A signal of the layout.
    Signal(usize),
    /// An indicator of the layout.
    Indicator(usize),
}

impl RowColumn {
    /// The factor of its values among those of prices and of volumes.
    #[must_use]
    pub fn factor(self, (price, volume): (f64, f64)) -> f64 {
        match self {
            Self::Price(0..=3) => price,
            Self::Price(_) => volume,
            Self::Signal(_) | Self::Indicator(_) => 1.0,
        }
    }

    /// Its values in a chunk, one a row.
    #[must_use]
    #[inline]
    pub fn of(self, chunk: &MarketChunk) -> &[f64] {
        match self {
            Self::Price(0) => &chunk.open,
            Self::Price(1) => &chunk.high,
            Self::Price(2) => &chunk.low,
            Self::Price(3) => &chunk.close,
            Self::Price(_) => &chunk.volume,
            Self::Signal(i) => &chunk.signals[i],
            Self::Indicator(i) => &chunk.indicators[i],
        }
    }
}

impl Layout {
    /// The place of a row column by name.
    #[must_use]
    pub fn row_column(&self, name: &str) -> Option<RowColumn> {
        let place = |names: &[String]| names.iter().position(|known| known == name);
        PRICES
            .iter()
            .position(|known| *known == name)
            .map(RowColumn::Price)
            .or_else(|| place(&self.signals).map(RowColumn::Signal))
            .or_else(|| place(&self.indicators).map(RowColumn::Indicator))
    }

    /// Every row column in table order: prices, volume, signals, indicators.
    pub fn row_columns(&self) -> impl Iterator<Item = (&str, RowColumn)> {
        let prices = PRICES.iter().enumerate().map(|(i, name)| (*name, RowColumn::Price(i)));
        let signals = self.signals.iter().map(String::as_str).enumerate();
        let indicators = self.indicators.iter().map(String::as_str).enumerate();
        prices
            .chain(signals.map(|(i, name)| (name, RowColumn::Signal(i))))
            .chain(indicators.map(|(i, name)| (name, RowColumn::Indicator(i))))
    }
}
