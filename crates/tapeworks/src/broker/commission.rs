//! What a fill costs in fees.

/// The fee of an order's fill, in currency.
#[derive(Debug, Clone, PartialEq, Default)]
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

/// What a fee may depend on: one fill, and what was traded before it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FeeBasis {
    /// Units of the fill, positive.
    pub quantity: f64,
    /// Price paid or received a unit.
    pub price: f64,
    /// Units of account currency per unit of price, as fees count it.
    pub multiplier: f64,
    /// Whether units are sold.
    pub is_sell: bool,
    /// Whether the fill added liquidity.
    pub is_maker: bool,
    /// What the same order traded before this fill.
    pub order: Traded,
    /// What the account traded in this calendar month (UTC) before this fill.
    pub month: Traded,
}

/// Trading so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Traded {
    /// Units.
    pub units: f64,
    /// Quantity x price x multiplier.
    pub notional: f64,
    /// Fees.
    pub fees: f64,
}

impl Commission {
    /// The fee of a fill.
    #[must_use]
    #[inline]
    pub fn fee(&self, basis: &FeeBasis) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Percent { bps, min } => {
                (basis.quantity * basis.price * basis.multiplier * (bps * 1e-4)).max(min)
            }
            Self::PerShare { rate, min } => (basis.quantity * rate).max(min),
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
