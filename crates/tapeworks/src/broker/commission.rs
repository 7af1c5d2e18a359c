//! What a fill costs in fees.

/// The fee of an order's fill, in currency.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Commission {
    /// No fee.
    #[default]
    None,
    /// A share of the traded value.
    ///
    /// Units: `bps` in 1e-4 of quantity x price, `min` in currency an order.
    ///
    /// # Assumes
    /// The fee does not depend on volume traded before or on the venue.
    Percent {
        /// Basis points of the traded value.
        bps: f64,
        /// Least fee of an order.
        min: f64,
    },
    /// A fee per unit traded.
    ///
    /// Units: `rate` in currency a unit, `min` in currency an order.
    PerShare {
        /// Currency a unit.
        rate: f64,
        /// Least fee of an order.
        min: f64,
    },
}

impl Commission {
    /// The fee of a complete fill of `quantity` (positive) units at `price`.
    ///
    /// The minimum belongs to the order; an order of this version fills in one piece, so the fill's
    /// fee is the order's fee.
    #[must_use]
    #[inline]
    pub fn fee(&self, quantity: f64, price: f64) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Percent { bps, min } => (quantity * price * (bps * 1e-4)).max(min),
            Self::PerShare { rate, min } => (quantity * rate).max(min),
        }
    }

    /// Whether this model ever charges anything.
    #[must_use]
    pub fn is_free(&self) -> bool {
        match *self {
            Self::None => true,
            Self::Percent { bps, min } => bps == 0.0 && min == 0.0,
            Self::PerShare { rate, min } => rate == 0.0 && min == 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Commission;

    #[test]
    fn fee_when_small_then_minimum_holds() {
        // model, quantity, price, fee by hand
        let rows = [
            (Commission::None, 100.0, 10.0, 0.0),
            (Commission::Percent { bps: 10.0, min: 0.0 }, 100.0, 10.0, 1.0),
            (Commission::Percent { bps: 10.0, min: 5.0 }, 100.0, 10.0, 5.0),
            (Commission::PerShare { rate: 0.005, min: 1.0 }, 100.0, 10.0, 1.0),
            (Commission::PerShare { rate: 0.005, min: 1.0 }, 400.0, 10.0, 2.0),
        ];
        for (model, quantity, price, fee) in rows {
            assert!((model.fee(quantity, price) - fee).abs() < 1e-12, "{model:?}");
        }
    }
}
