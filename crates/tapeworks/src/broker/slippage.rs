//! How far a taker's price lies from the base price.

use crate::base::AssetId;

/// The price given up by a taker, per unit.
#[derive(Debug, Clone, PartialEq, Default)]
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

/// What a price cost may depend on: one fill, its row, and the rows before it.
///
/// Missing values are NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriceBasis {
    /// The asset.
    pub asset: AssetId,
    /// `+1.0` buys, `-1.0` sells.
    pub sign: f64,
    /// Price before this cost.
    pub price: f64,
    /// Units of the fill, positive.
    pub quantity: f64,
    /// Units traded in the row.
    pub volume: f64,
    /// Units of this asset that the account has already filled in the row.
    pub used: f64,
    /// Price step of the instrument.
    pub tick: f64,
    /// Full bid-ask spread of the instrument in currency.
    pub spread: f64,
    /// Yearly volatility of the closes of the rows before this one.
    pub sigma: f64,
    /// Mean volume of the rows before this one.
    pub adv: f64,
}

impl Slippage {
    /// Currency a unit, never negative.
    #[must_use]
    #[inline]
    pub fn per_unit(&self, basis: &PriceBasis) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Percent { bps } => basis.price * (bps * 1e-4),
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

    /// Whether the cost depends on the volume of the row.
    #[must_use]
    pub fn needs_volume(&self) -> bool {
        false
    }

    /// How many rows of the past the model looks at.
    #[must_use]
    pub fn past_rows(&self) -> usize {
        0
    }
}
