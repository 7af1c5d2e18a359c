//! How far a taker's price lies from the base price.

/// The price given up by a taker, per unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Slippage {
    /// Fills at the base price.
    #[default]
    None,
    /// A fixed share of the price.
    ///
    /// Units: `bps` in 1e-4 of the base price.
    ///
    /// # Assumes
    /// The spread is proportional to the price and independent of size and volatility.
    Percent {
        /// Basis points of the base price.
        bps: f64,
    },
}

impl Slippage {
    /// Currency a unit, never negative.
    #[must_use]
    #[inline]
    pub fn per_unit(&self, price: f64) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Percent { bps } => price * (bps * 1e-4),
        }
    }

    /// Whether this model ever moves a price.
    #[must_use]
    pub fn is_free(&self) -> bool {
        match *self {
            Self::None => true,
            Self::Percent { bps } => bps == 0.0,
        }
    }
}
