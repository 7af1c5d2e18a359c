//! How far a taker's price lies from the base price.

use super::custom::CustomPrice;
use crate::base::AssetId;

/// What a volatility cost is where the past is too short, in basis points of the price.
const UNKNOWN_PAST_BPS: f64 = 7.5;

/// The price given up by a taker, per unit.
///
/// Missing: where a kind asks for the volume of the row and it is unknown or 0, the cost is 0 and
/// the fill carries [`FillFlags::NO_VOLUME_COST`](super::FillFlags::NO_VOLUME_COST).
///
/// # Example
/// ```
/// use tapeworks::base::AssetId;
/// use tapeworks::broker::{PriceBasis, Slippage};
/// let basis = PriceBasis { price: 101.0, ..PriceBasis::of_fill(AssetId(0), 1.0, 500.0) };
/// assert_eq!(Slippage::Fixed { amount: 0.05 }.per_unit(&basis), 0.05);
/// ```
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
    /// The same amount for every unit.
    ///
    /// # Assumes
    /// The spread depends on nothing; on a cheap instrument it is a large share of the price.
    Fixed {
        /// Currency a unit.
        amount: f64,
    },
    /// So many price steps of the instrument.
    ///
    /// Missing: NaN, which [`check_price_cost`](super::check_price_cost) refuses, where the
    /// instrument has no tick.
    ///
    /// # Assumes
    /// The book is as deep as any order at that distance.
    Ticks {
        /// Price steps, not necessarily whole.
        n: f64,
    },
    /// Half of the bid-ask spread; the spread of the instrument, where it has one, comes first.
    ///
    /// # Assumes
    /// Base prices are middle prices, and the spread is constant.
    Spread {
        /// Currency a unit.
        amount: f64,
        /// What `amount` is; the spread of an instrument is always the full one.
        measure: SpreadMeasure,
    },
    /// Half of a spread that is a share of the price.
    ///
    /// # Assumes
    /// Base prices are middle prices, and the spread is proportional to them.
    SpreadBps {
        /// The full spread in basis points of the price.
        bps: f64,
    },
    /// Market orders buy at the ask and sell at the bid of the row; the fallback where there is no
    /// quote and for all other takers.
    ///
    /// # Assumes
    /// The quote of a row could be traded at when the row opened, in any size.
    Quote {
        /// Column of the bid price.
        bid: String,
        /// Column of the ask price.
        ask: String,
        /// What is paid without a quote.
        fallback: Box<Slippage>,
    },
    /// In proportion to the share of the row's volume: `k P q / V`.
    ///
    /// # Assumes
    /// The volume of the row, which is known at its end, is the depth that the order met.
    VolumeShare {
        /// Share of the price at a fill of the whole volume.
        coefficient: f64,
    },
    /// With the square of the account's share of the row's volume: `k P ((used + q) / V)^2`.
    ///
    /// # Assumes
    /// As [`Slippage::VolumeShare`]; fills of a row meet a book that earlier ones have thinned.
    VolumeShareSquared {
        /// Share of the price at a fill of the whole volume.
        coefficient: f64,
    },
    /// With volatility and size: `eta 1e-4 sigma sqrt(q / ADV) P`.
    ///
    /// Units: `eta_bps` in 1e-4 of the price at a yearly volatility of 1 and a fill of the whole
    /// mean volume; sigma a year; ADV in units a row.
    ///
    /// Lookback: `rows` rows before the one that fills.
    ///
    /// Missing: 7.5 basis points where the past is shorter or has gaps.
    ///
    /// # Assumes
    /// Depth follows the mean volume and width the volatility of the recent past.
    Volatility {
        /// Basis points.
        eta_bps: f64,
        /// Rows of the past that sigma and ADV look at.
        rows: u32,
    },
    /// A model of the user's own.
    Custom(CustomPrice),
}

/// What the amount of [`Slippage::Spread`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpreadMeasure {
    /// From bid to ask: takers give up half of it.
    #[default]
    Full,
    /// From the middle to either side: takers give up all of it.
    Half,
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

impl PriceBasis {
    /// A fill of which nothing else is known: all other figures are NaN, `used` is 0.
    #[must_use]
    #[inline]
    pub fn of_fill(asset: AssetId, sign: f64, quantity: f64) -> Self {
        Self {
            asset,
            sign,
            price: f64::NAN,
            quantity,
            volume: f64::NAN,
            used: 0.0,
            tick: f64::NAN,
            spread: f64::NAN,
            sigma: f64::NAN,
            adv: f64::NAN,
        }
    }

    /// `cost` of the share of the row's volume that `units` are; 0 where the volume is unknown.
    #[inline]
    pub(super) fn by_volume_share(&self, units: f64, cost: impl Fn(f64) -> f64) -> f64 {
        if self.volume > 0.0 { cost(units / self.volume) } else { 0.0 }
    }
}

impl Slippage {
    /// Currency a unit, never negative.
    ///
    /// Of [`Slippage::Custom`] and [`Slippage::Ticks`] the caller must ask
    /// [`check_price_cost`](super::check_price_cost). Where [`Slippage::quoted`] gave the price,
    /// nothing more is given up.
    #[must_use]
    #[inline]
    pub fn per_unit(&self, basis: &PriceBasis) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Percent { bps } => basis.price.abs() * (bps * 1e-4),
            _ => self.per_unit_of_kind(basis),
        }
    }

    /// `price` after giving up `per_unit` of it.
    ///
    /// A fraction multiplies the price, as other frameworks do it: their last bit, not a sum's.
    #[inline]
    pub(super) fn moved(&self, price: f64, sign: f64, per_unit: f64) -> f64 {
        match *self {
            Self::Percent { bps } if price > 0.0 && per_unit != 0.0 => {
                price * (1.0 + sign * (bps * 1e-4))
            }
            _ => price + sign * per_unit,
        }
    }

    /// The price of a market order where the row has a quote: the ask for buys, the bid for sells.
    ///
    /// Missing: `None` for other kinds, and where the two are not both finite, above 0 and in
    /// order: an empty side of a book is often written as 0.
    #[must_use]
    #[inline]
    pub fn quoted(&self, bid: f64, ask: f64, sign: f64) -> Option<f64> {
        let is_quote = bid > 0.0 && ask >= bid && ask.is_finite();
        let price = if sign > 0.0 { ask } else { bid };
        (matches!(self, Self::Quote { .. }) && is_quote).then_some(price)
    }

    /// The columns of bid and ask that the model reads.
    #[must_use]
    pub fn quote_columns(&self) -> Option<(&str, &str)> {
        match self {
            Self::Quote { bid, ask, .. } => Some((bid, ask)),
            _ => None,
        }
    }

    /// Whether this model never moves a price.
    #[must_use]
    pub fn is_free(&self) -> bool {
        match *self {
            Self::None => true,
            Self::Percent { bps } | Self::SpreadBps { bps } => bps == 0.0,
            Self::Fixed { amount } => amount == 0.0,
            Self::Ticks { n } => n == 0.0,
            Self::VolumeShare { coefficient } | Self::VolumeShareSquared { coefficient } => {
                coefficient == 0.0
            }
            Self::Spread { .. }
            | Self::Quote { .. }
            | Self::Volatility { .. }
            | Self::Custom(_) => false,
        }
    }

    /// Whether the cost depends on the volume of the row.
    #[must_use]
    pub fn needs_volume(&self) -> bool {
        match self {
            Self::VolumeShare { .. } | Self::VolumeShareSquared { .. } => true,
            Self::Quote { fallback, .. } => fallback.needs_volume(),
            Self::Custom(custom) => custom.model().needs_volume(),
            _ => false,
        }
    }

    /// How many rows of the past the model looks at.
    #[must_use]
    pub fn past_rows(&self) -> usize {
        match self {
            Self::Volatility { rows, .. } => *rows as usize,
            Self::Quote { fallback, .. } => fallback.past_rows(),
            Self::Custom(custom) => custom.model().past_rows(),
            _ => 0,
        }
    }

    /// The model on one line, such as `5 bps`; empty for none.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Percent { bps } => format!("{bps} bps"),
            Self::Fixed { amount } => format!("{amount} a unit"),
            Self::Ticks { n } => format!("{n} ticks"),
            Self::Spread { amount, measure: SpreadMeasure::Full } => {
                format!("half of a spread of {amount}")
            }
            Self::Spread { amount, measure: SpreadMeasure::Half } => {
                format!("a half-spread of {amount}")
            }
            Self::SpreadBps { bps } => format!("half of a spread of {bps} bps"),
            Self::Quote { bid, ask, fallback } => {
                let fallback = match fallback.describe() {
                    text if text.is_empty() => "none".to_owned(),
                    text => text,
                };
                format!("quotes of {bid} and {ask}, else {fallback}")
            }
            Self::VolumeShare { coefficient } => {
                format!("{coefficient} of the price x share of volume")
            }
            Self::VolumeShareSquared { coefficient } => {
                format!("{coefficient} of the price x share of volume squared")
            }
            Self::Volatility { eta_bps, rows } => {
                format!("{eta_bps} bps x yearly volatility x root of share of volume ({rows} rows)")
            }
            Self::Custom(custom) => custom.model().describe(),
        }
    }

    /// The arms that the caller's code need not carry.
    #[inline(never)]
    fn per_unit_of_kind(&self, basis: &PriceBasis) -> f64 {
        let price = basis.price.abs();
        match *self {
            Self::None => 0.0,
            Self::Percent { bps } => price * (bps * 1e-4),
            Self::Fixed { amount } => amount,
            Self::Ticks { n } => n * basis.tick,
            Self::Spread { amount, measure } => {
                if !basis.spread.is_nan() {
                    return basis.spread / 2.0;
                }
                match measure {
                    SpreadMeasure::Full => amount / 2.0,
                    SpreadMeasure::Half => amount,
                }
            }
            Self::SpreadBps { bps } => price * (bps * 1e-4) / 2.0,
            Self::Quote { ref fallback, .. } => fallback.per_unit(basis),
            Self::VolumeShare { coefficient } => {
                basis.by_volume_share(basis.quantity, |share| price * coefficient * share)
            }
            Self::VolumeShareSquared { coefficient } => basis
                .by_volume_share(basis.used + basis.quantity, |share| {
                    price * coefficient * (share * share)
                }),
            Self::Volatility { eta_bps, .. } => {
                let is_known = basis.sigma.is_finite() && basis.adv > 0.0;
                let bps = if is_known {
                    eta_bps * basis.sigma * (basis.quantity / basis.adv).sqrt()
                } else {
                    UNKNOWN_PAST_BPS
                };
                price * (bps * 1e-4)
            }
            Self::Custom(ref custom) => custom.model().per_unit(basis),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::custom::{CustomPrice, PriceModel, check_price_cost};
    use super::*;

    fn basis(price: f64, quantity: f64) -> PriceBasis {
        PriceBasis { price, ..PriceBasis::of_fill(AssetId(0), 1.0, quantity) }
    }

    fn quote(fallback: Slippage) -> Slippage {
        Slippage::Quote { bid: "bid".into(), ask: "ask".into(), fallback: Box::new(fallback) }
    }

    #[derive(Debug)]
    struct Wide;

    impl PriceModel for Wide {
        fn per_unit(&self, basis: &PriceBasis) -> f64 {
            basis.quantity * 0.001
        }

        fn needs_volume(&self) -> bool {
            true
        }

        fn past_rows(&self) -> usize {
            7
        }
    }

    /// By hand, with the figures of oracle cases 40_* and 41 (ml4t-backtest 0.2.0) where one of the
    /// kinds is theirs.
    #[test]
    fn per_unit_when_a_unit_fills_then_as_computed_by_hand() {
        let full = SpreadMeasure::Full;
        let eta = Slippage::Volatility { eta_bps: 10.0, rows: 20 };
        let at = |volume: f64| PriceBasis { volume, ..basis(101.0, 500.0) };
        let past = |sigma: f64, adv: f64| PriceBasis { sigma, adv, ..basis(101.0, 500.0) };
        let particular = PriceBasis { tick: 0.25, spread: 0.3, ..basis(101.0, 500.0) };
        let below_zero = basis(-37.0, 10.0);
        for (slippage, basis, want) in [
            (Slippage::None, at(1e4), 0.0),
            // 40_slippage_percentage: 101.101, 102.897; 41: 95.095 x .998 = 94.90481, x .001
            (Slippage::Percent { bps: 10.0 }, at(1e4), 0.101),
            (Slippage::Percent { bps: 10.0 }, basis(103.0, 500.0), 0.103),
            (Slippage::Percent { bps: 10.0 }, basis(94.904_81, 10.0), 0.094_904_81),
            (Slippage::Percent { bps: 10.0 }, below_zero, 0.037),
            // 40_slippage_fixed, 40_slippage_spread_full
            (Slippage::Fixed { amount: 0.05 }, at(1e4), 0.05),
            (Slippage::Spread { amount: 0.1, measure: full }, at(1e4), 0.05),
            (Slippage::Spread { amount: 0.1, measure: SpreadMeasure::Half }, at(1e4), 0.1),
            (Slippage::Spread { amount: 0.1, measure: full }, particular, 0.15),
            (Slippage::Spread { amount: 0.1, measure: SpreadMeasure::Half }, particular, 0.15),
            (Slippage::SpreadBps { bps: 10.0 }, at(1e4), 0.0505),
            (Slippage::Ticks { n: 2.0 }, particular, 0.5),
            (Slippage::Ticks { n: 1.5 }, particular, 0.375),
            // 101 x .1 x 500 / 10,000
            (Slippage::VolumeShare { coefficient: 0.1 }, at(1e4), 0.505),
            (Slippage::VolumeShare { coefficient: 0.1 }, at(f64::NAN), 0.0),
            (Slippage::VolumeShare { coefficient: 0.1 }, at(0.0), 0.0),
            // 40_slippage_cumulative_volume_share: 101.02525; then 101 x .1 x (1,500 / 10,000)^2
            (Slippage::VolumeShareSquared { coefficient: 0.1 }, at(1e4), 0.025_25),
            (
                Slippage::VolumeShareSquared { coefficient: 0.1 },
                PriceBasis { used: 1_000.0, ..at(1e4) },
                0.227_25,
            ),
            (Slippage::VolumeShareSquared { coefficient: 0.1 }, at(f64::NAN), 0.0),
            // 10 bps x .32 x sqrt(500 / 50,000) = .32 bps
            (eta.clone(), past(0.32, 5e4), 0.003_232),
            (eta.clone(), past(0.0, 5e4), 0.0),
            (eta.clone(), past(f64::NAN, 5e4), 0.075_75),
            (eta.clone(), past(0.32, f64::NAN), 0.075_75),
            (eta, past(0.32, 0.0), 0.075_75),
            (quote(Slippage::Percent { bps: 10.0 }), at(1e4), 0.101),
            (Slippage::Custom(CustomPrice::new(Wide)), at(1e4), 0.5),
        ] {
            let got = slippage.per_unit(&basis);
            assert!((got - want).abs() <= 1e-15 + 1e-14 * want, "{slippage:?}: {got}, not {want}");
            assert!(check_price_cost("slippage", got).is_ok());
        }
    }

    #[test]
    fn ticks_when_the_instrument_has_no_tick_then_the_cost_is_refused() {
        let cost = Slippage::Ticks { n: 1.0 }.per_unit(&basis(101.0, 500.0));
        assert_eq!(check_price_cost("slippage", cost).unwrap_err().code(), "S111");
    }

    #[test]
    fn quoted_when_the_row_has_a_quote_then_takers_pay_its_far_side() {
        let nan = f64::NAN;
        for (bid, ask, buy, sell) in [
            (99.0, 101.0, Some(101.0), Some(99.0)),
            (100.0, 100.0, Some(100.0), Some(100.0)),
            (nan, 101.0, None, None),
            (99.0, nan, None, None),
            (99.0, f64::INFINITY, None, None),
            (0.0, 101.0, None, None),
            (102.0, 101.0, None, None),
        ] {
            let model = quote(Slippage::None);
            assert_eq!(model.quoted(bid, ask, 1.0), buy, "{bid} {ask}");
            assert_eq!(model.quoted(bid, ask, -1.0), sell, "{bid} {ask}");
            assert_eq!(Slippage::Percent { bps: 1.0 }.quoted(bid, ask, 1.0), None);
        }
    }

    #[test]
    fn models_when_described_then_figures_and_needs_show() {
        let rows = [
            (Slippage::None, "", true, false, 0),
            (Slippage::Percent { bps: 5.0 }, "5 bps", false, false, 0),
            (Slippage::Fixed { amount: 0.0 }, "0 a unit", true, false, 0),
            (Slippage::Ticks { n: 2.0 }, "2 ticks", false, false, 0),
            (
                Slippage::Spread { amount: 0.1, measure: SpreadMeasure::Full },
                "half of a spread of 0.1",
                false,
                false,
                0,
            ),
            (
                Slippage::Spread { amount: 0.1, measure: SpreadMeasure::Half },
                "a half-spread of 0.1",
                false,
                false,
                0,
            ),
            (Slippage::SpreadBps { bps: 2.0 }, "half of a spread of 2 bps", false, false, 0),
            (quote(Slippage::None), "quotes of bid and ask, else none", false, false, 0),
            (
                quote(Slippage::VolumeShare { coefficient: 0.1 }),
                "quotes of bid and ask, else 0.1 of the price x share of volume",
                false,
                true,
                0,
            ),
            (
                Slippage::VolumeShareSquared { coefficient: 0.1 },
                "0.1 of the price x share of volume squared",
                false,
                true,
                0,
            ),
            (
                Slippage::Volatility { eta_bps: 10.0, rows: 20 },
                "10 bps x yearly volatility x root of share of volume (20 rows)",
                false,
                false,
                20,
            ),
            (
                quote(Slippage::Volatility { eta_bps: 10.0, rows: 20 }),
                "quotes of bid and ask, else 10 bps x yearly volatility x root of share of volume \
                 (20 rows)",
                false,
                false,
                20,
            ),
            (Slippage::Custom(CustomPrice::new(Wide)), "custom", false, true, 7),
        ];
        for (slippage, text, is_free, needs_volume, past_rows) in rows {
            assert_eq!(slippage.describe(), text);
            assert_eq!(slippage.is_free(), is_free, "{slippage:?}");
            assert_eq!(slippage.needs_volume(), needs_volume, "{slippage:?}");
            assert_eq!(slippage.past_rows(), past_rows, "{slippage:?}");
        }
        assert_eq!(quote(Slippage::None).quote_columns(), Some(("bid", "ask")));
        assert_eq!(Slippage::None.quote_columns(), None);
    }
}
