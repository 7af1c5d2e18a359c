//! How far an order moves the price against itself.

use super::custom::CustomPrice;
use super::slippage::PriceBasis;

/// The price moved by a taker, per unit; it comes before slippage.
///
/// `q` is the quantity of the fill, `V` the volume of its row, `P` the price before impact. The
/// impact is temporary: later prices are those of the data.
///
/// Missing: 0 where the volume of the row is unknown or 0, and the fill carries
/// [`FillFlags::NO_VOLUME_COST`](super::FillFlags::NO_VOLUME_COST).
///
/// # Assumes
/// The volume of the row, which is known at its end, is the depth that the order met.
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
    /// `c sigma sqrt(q / (V f)) P`; [`Impact::sqrt`] gives the usual figures.
    ///
    /// Source: the square-root law of market impact, as in Almgren, Thum, Hauptmann and Li, "Direct
    /// estimation of equity market impact", 2005.
    ///
    /// # Assumes
    /// Volatility is the same for every asset and row.
    Sqrt {
        /// Impact in units of `sigma` at a fill of the whole volume.
        coefficient: f64,
        /// Volatility of one row's return, as a fraction.
        sigma: f64,
        /// Share of the volume that counts as depth.
        volume_share: f64,
    },
    /// `max(c (q / V)^e P, min)`.
    Power {
        /// Share of the price at a fill of the whole volume.
        coefficient: f64,
        /// Power of the share of volume.
        exponent: f64,
        /// Least impact, in currency a unit.
        min: f64,
    },
    /// A model of the user's own.
    Custom(CustomPrice),
}

impl Impact {
    /// [`Impact::Sqrt`] with a coefficient of 0.5, a volatility of 2 % a row and the whole volume.
    #[must_use]
    pub fn sqrt() -> Self {
        Self::Sqrt { coefficient: 0.5, sigma: 0.02, volume_share: 1.0 }
    }

    /// Currency a unit, never negative.
    ///
    /// Of [`Impact::Custom`] the caller must ask [`check_price_cost`](super::check_price_cost).
    #[must_use]
    pub fn per_unit(&self, basis: &PriceBasis) -> f64 {
        let price = basis.price.abs();
        match *self {
            Self::None => 0.0,
            Self::Linear { coefficient } => {
                basis.by_volume_share(basis.quantity, |share| coefficient * share * price)
            }
            Self::Sqrt { coefficient, sigma, volume_share } => basis
                .by_volume_share(basis.quantity, |share| {
                    coefficient * sigma * (share / volume_share).sqrt() * price
                }),
            Self::Power { coefficient, exponent, min } => basis
                .by_volume_share(basis.quantity, |share| {
                    (coefficient * share.powf(exponent) * price).max(min)
                }),
            Self::Custom(ref custom) => custom.model().per_unit(basis),
        }
    }

    /// Whether this model never moves a price.
    #[must_use]
    pub fn is_free(&self) -> bool {
        match *self {
            Self::None => true,
            Self::Linear { coefficient } => coefficient == 0.0,
            Self::Sqrt { coefficient, sigma, .. } => coefficient == 0.0 || sigma == 0.0,
            Self::Power { coefficient, min, .. } => coefficient == 0.0 && min == 0.0,
            Self::Custom(_) => false,
        }
    }

    /// Whether the cost depends on the volume of the row.
    #[must_use]
    pub fn needs_volume(&self) -> bool {
        match self {
            Self::None => false,
            Self::Linear { .. } | Self::Sqrt { .. } | Self::Power { .. } => true,
            Self::Custom(custom) => custom.model().needs_volume(),
        }
    }

    /// How many rows of the past the model looks at.
    #[must_use]
    pub fn past_rows(&self) -> usize {
        match self {
            Self::Custom(custom) => custom.model().past_rows(),
            _ => 0,
        }
    }

    /// The model on one line, such as `linear 0.1`; empty for none.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Linear { coefficient } => format!("linear {coefficient}"),
            Self::Sqrt { coefficient, sigma, volume_share } => {
                format!(
                    "square root {coefficient} (volatility {sigma} a row, depth {volume_share})"
                )
            }
            Self::Power { coefficient, exponent, min } => {
                let least =
                    if *min > 0.0 { format!(", at least {min} a unit") } else { String::new() };
                format!("power {coefficient} (exponent {exponent}){least}")
            }
            Self::Custom(custom) => custom.model().describe(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::custom::PriceModel;
    use super::*;
    use crate::base::AssetId;

    fn basis(price: f64, quantity: f64, volume: f64) -> PriceBasis {
        PriceBasis { price, volume, ..PriceBasis::of_fill(AssetId(0), 1.0, quantity) }
    }

    #[derive(Debug)]
    struct Cent;

    impl PriceModel for Cent {
        fn per_unit(&self, _: &PriceBasis) -> f64 {
            0.01
        }
    }

    /// By hand; the first two are oracle case 60 (ml4t-backtest 0.2.0): 102.01 and 101.97.
    #[test]
    fn per_unit_when_a_unit_fills_then_as_computed_by_hand() {
        let nan = f64::NAN;
        let linear = Impact::Linear { coefficient: 0.1 };
        let power = Impact::Power { coefficient: 0.2, exponent: 0.5, min: 0.3 };
        for (impact, basis, want) in [
            (Impact::None, basis(101.0, 100.0, 1_000.0), 0.0),
            (linear.clone(), basis(101.0, 100.0, 1_000.0), 1.01),
            (linear.clone(), basis(103.0, 100.0, 1_000.0), 1.03),
            (linear.clone(), basis(101.0, 100.0, nan), 0.0),
            (linear.clone(), basis(101.0, 100.0, 0.0), 0.0),
            (linear, basis(-37.0, 100.0, 1_000.0), 0.37),
            // .5 x .02 x sqrt(100 / 10,000) x 50
            (Impact::sqrt(), basis(50.0, 100.0, 10_000.0), 0.05),
            // 1 x .04 x sqrt(100 / (10,000 x .25)) x 50
            (
                Impact::Sqrt { coefficient: 1.0, sigma: 0.04, volume_share: 0.25 },
                basis(50.0, 100.0, 10_000.0),
                0.4,
            ),
            (Impact::sqrt(), basis(50.0, 100.0, nan), 0.0),
            // .2 x sqrt(.01) x 50 = 1; .2 x sqrt(.0001) x 50 = .1 is below .3
            (power.clone(), basis(50.0, 100.0, 10_000.0), 1.0),
            (power.clone(), basis(50.0, 1.0, 10_000.0), 0.3),
            (power, basis(50.0, 1.0, nan), 0.0),
            // .2 x .1^2 x 50
            (
                Impact::Power { coefficient: 0.2, exponent: 2.0, min: 0.0 },
                basis(50.0, 1_000.0, 10_000.0),
                0.1,
            ),
            (Impact::Custom(CustomPrice::new(Cent)), basis(50.0, 1.0, nan), 0.01),
        ] {
            let got = impact.per_unit(&basis);
            assert!((got - want).abs() <= 1e-14 * want, "{impact:?}: {got}, not {want}");
        }
    }

    #[test]
    fn models_when_described_then_figures_and_needs_show() {
        let power = |coefficient, min| Impact::Power { coefficient, exponent: 0.6, min };
        for (impact, text, is_free, needs_volume) in [
            (Impact::None, "", true, false),
            (Impact::Linear { coefficient: 0.1 }, "linear 0.1", false, true),
            (Impact::Linear { coefficient: 0.0 }, "linear 0", true, true),
            (Impact::sqrt(), "square root 0.5 (volatility 0.02 a row, depth 1)", false, true),
            (power(0.1, 0.0), "power 0.1 (exponent 0.6)", false, true),
            (power(0.0, 0.3), "power 0 (exponent 0.6), at least 0.3 a unit", false, true),
            (Impact::Custom(CustomPrice::new(Cent)), "custom", false, false),
        ] {
            assert_eq!(impact.describe(), text);
            assert_eq!(impact.is_free(), is_free, "{impact:?}");
            assert_eq!(impact.needs_volume(), needs_volume, "{impact:?}");
            assert_eq!(impact.past_rows(), 0);
        }
    }
}
