//! How far an order moves the price against itself.

use super::slippage::PriceBasis;

/// The price moved by a taker, per unit; it comes before slippage.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Impact {
    /// None.
    #[default]
    None,
    /// `c (q / V) P`.
    Linear {
        /// Share of the price at a fill of the whole volume.
        coefficient: f64,
    },
}

impl Impact {
    /// Currency a unit, never negative; 0 where the volume is unknown.
    #[must_use]
    pub fn per_unit(&self, basis: &PriceBasis) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Linear { coefficient } if basis.volume > 0.0 => {
                coefficient * (basis.quantity / basis.volume) * basis.price
            }
            Self::Linear { .. } => 0.0,
        }
    }

    /// Whether this model ever moves a price.
    #[must_use]
    pub fn is_free(&self) -> bool {
        *self == Self::None
    }

    /// How many rows of the past the model looks at.
    #[must_use]
    pub fn past_rows(&self) -> usize {
        0
    }
}
