//! What a fill costs in fees.

use super::custom::CustomFee;

/// The fee of a fill, in account currency.
///
/// The value of a fill is `|quantity x price| x multiplier`, its notional. A model that bounds the
/// fee of an order (`min`, `max_pct`) charges a fill what the bounded fee of the order so far
/// exceeds that of the order before it.
///
/// # Example
/// ```
/// use tapeworks::broker::{Commission, FeeBasis};
/// let commission = Commission::percent(10.0, 0.0);
/// let fill = FeeBasis { quantity: 100.0, price: 101.0, multiplier: 1.0, ..FeeBasis::default() };
/// assert_eq!(commission.fee(&fill), 10.1);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Commission {
    /// No fee.
    #[default]
    None,
    /// A share of the traded value.
    ///
    /// Units: `bps` in 1e-4 of the notional, `min` in currency, `max_pct` as a fraction of the
    /// notional (0.01 is 1 %).
    ///
    /// # Assumes
    /// The fee does not depend on volume traded before or on the venue.
    Percent {
        /// Basis points of the traded value.
        bps: f64,
        /// Least fee.
        min: f64,
        /// Largest fee as a fraction of the traded value, also where `min` is more; infinite: none.
        max_pct: f64,
        /// What `min` and `max_pct` apply to.
        min_scope: MinScope,
    },
    /// A fee per unit traded: a share, a contract, a coin.
    ///
    /// Units: `rate` in currency a unit, `min` in currency, `max_pct` as a fraction of the notional
    /// (0.01 is 1 %).
    ///
    /// # Assumes
    /// The fee does not depend on the price.
    PerShare {
        /// Currency a unit.
        rate: f64,
        /// Least fee.
        min: f64,
        /// Largest fee as a fraction of the traded value, also where `min` is more; infinite: none.
        max_pct: f64,
        /// What `min` and `max_pct` apply to.
        min_scope: MinScope,
    },
    /// The same for every fill.
    ///
    /// # Assumes
    /// A fill of the run is one of the venue, which breaks large orders into more.
    PerFill {
        /// Currency a fill.
        amount: f64,
    },
    /// The same for every order, charged with its first fill.
    PerOrder {
        /// Currency an order.
        amount: f64,
    },
    /// A rate that depends on how much is traded.
    ///
    /// Units: `up_to` in currency of notional and `rate` as a fraction of it, or `up_to` in units
    /// and `rate` in currency a unit, as `of` says.
    ///
    /// # Assumes
    /// What counts is this account's own trading in the run; a month starts from 0.
    Tiered {
        /// Brackets, by `up_to`; the last one has no end.
        tiers: Vec<Tier>,
        /// What is added up to find the bracket.
        by: TierBy,
        /// Which part of a fill a rate applies to.
        style: TierStyle,
        /// What rates and brackets measure.
        of: TierOf,
    },
    /// One rate for fills that add liquidity and one for those that take it.
    ///
    /// Units: both in 1e-4 of the notional; negative: a rebate.
    ///
    /// # Assumes
    /// A limit order that waited in the market and was touched adds liquidity; all else takes it.
    MakerTaker {
        /// Basis points where liquidity was added.
        maker_bps: f64,
        /// Basis points where it was taken.
        taker_bps: f64,
    },
    /// A share of the value of sales alone: stamp duty, an exchange levy.
    SellLevy {
        /// Basis points of the sold value.
        bps: f64,
    },
    /// The sum of several.
    Combined(Vec<Commission>),
    /// A model of the user's own.
    Custom(CustomFee),
}

/// What the least and the largest fee apply to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinScope {
    /// The sum over all fills of an order.
    #[default]
    Order,
    /// Each fill: for parity only.
    Fill,
}

/// One bracket of [`Commission::Tiered`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// Where the bracket ends, inclusive; the last one has no end, whatever stands here.
    pub up_to: f64,
    /// Rate inside the bracket.
    pub rate: f64,
}

/// What is added up to find the bracket of a tiered fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TierBy {
    /// The fill alone.
    #[default]
    Fill,
    /// All fills of the account in the calendar month (UTC), this one included.
    Month,
}

/// Which part of a fill the rate of a bracket applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TierStyle {
    /// The part that lies in the bracket.
    #[default]
    Marginal,
    /// The whole fill, at the rate of the bracket in which it ends.
    Whole,
}

/// What the brackets and rates of a tiered fee measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TierOf {
    /// Traded value: `up_to` in currency, `rate` as a fraction of the value.
    #[default]
    Percent,
    /// Units traded: `up_to` in units, `rate` in currency a unit.
    PerUnit,
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
    /// Units, each fill positive.
    pub units: f64,
    /// Sum of [`FeeBasis::notional`].
    pub notional: f64,
    /// Fees.
    pub fees: f64,
}

impl FeeBasis {
    /// Value of the fill in account currency, never negative.
    #[must_use]
    #[inline]
    pub fn notional(&self) -> f64 {
        (self.quantity * self.price * self.multiplier).abs()
    }
}

impl Traded {
    /// Adds a fill and its fee.
    #[inline]
    pub fn add(&mut self, basis: &FeeBasis, fee: f64) {
        self.units += basis.quantity;
        self.notional += basis.notional();
        self.fees += fee;
    }
}

impl Commission {
    /// A share of the traded value with a least fee an order: [`Commission::Percent`].
    #[must_use]
    pub fn percent(bps: f64, min: f64) -> Self {
        Self::Percent { bps, min, max_pct: f64::INFINITY, min_scope: MinScope::Order }
    }

    /// A fee per unit with a least fee an order: [`Commission::PerShare`].
    #[must_use]
    pub fn per_share(rate: f64, min: f64) -> Self {
        Self::PerShare { rate, min, max_pct: f64::INFINITY, min_scope: MinScope::Order }
    }

    /// The fee of a fill.
    ///
    /// Finite for every built-in model; of a [`Commission::Custom`] the caller must ask
    /// [`check_fee`](super::check_fee). Negative only as a rebate.
    #[must_use]
    #[inline]
    pub fn fee(&self, basis: &FeeBasis) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Percent { bps, min: 0.0, max_pct: f64::INFINITY, .. } => {
                basis.notional() * (bps * 1e-4)
            }
            Self::PerShare { rate, min: 0.0, max_pct: f64::INFINITY, .. } => basis.quantity * rate,
            _ => self.fee_of_kind(basis),
        }
    }

    /// Whether this model never charges anything.
    #[must_use]
    pub fn is_free(&self) -> bool {
        match *self {
            Self::None => true,
            Self::Percent { bps: rate, min, .. } | Self::PerShare { rate, min, .. } => {
                rate == 0.0 && min == 0.0
            }
            Self::PerFill { amount } | Self::PerOrder { amount } => amount == 0.0,
            Self::Tiered { ref tiers, .. } => tiers.iter().all(|tier| tier.rate == 0.0),
            Self::MakerTaker { maker_bps, taker_bps } => maker_bps == 0.0 && taker_bps == 0.0,
            Self::SellLevy { bps } => bps == 0.0,
            Self::Combined(ref parts) => parts.iter().all(Self::is_free),
            Self::Custom(_) => false,
        }
    }

    /// The model on one line, such as `10 bps, at least 1`; empty for none.
    #[must_use]
    pub fn describe(&self) -> String {
        match *self {
            Self::None => String::new(),
            Self::Percent { bps, min, max_pct, min_scope } => {
                format!("{bps} bps{}", bounds_text(min, max_pct, min_scope))
            }
            Self::PerShare { rate, min, max_pct, min_scope } => {
                format!("{rate} a unit{}", bounds_text(min, max_pct, min_scope))
            }
            Self::PerFill { amount } => format!("{amount} a fill"),
            Self::PerOrder { amount } => format!("{amount} an order"),
            Self::Tiered { ref tiers, by, style, of } => tiers_text(tiers, by, style, of),
            Self::MakerTaker { maker_bps, taker_bps } => {
                format!("{maker_bps} bps as maker, {taker_bps} bps as taker")
            }
            Self::SellLevy { bps } => format!("{bps} bps of sales"),
            Self::Combined(ref parts) => {
                let parts = parts.iter().map(Self::describe).filter(|part| !part.is_empty());
                parts.collect::<Vec<_>>().join(" + ")
            }
            Self::Custom(ref custom) => custom.model().describe(),
        }
    }

    /// The arms that the caller's code need not carry.
    #[inline(never)]
    fn fee_of_kind(&self, basis: &FeeBasis) -> f64 {
        match *self {
            Self::Percent { bps, min, max_pct, min_scope } => Bounds { min, max_pct, min_scope }
                .apply(basis, |_, notional| notional * (bps * 1e-4)),
            Self::PerShare { rate, min, max_pct, min_scope } => {
                Bounds { min, max_pct, min_scope }.apply(basis, |units, _| units * rate)
            }
            Self::PerFill { amount } => amount,
            Self::PerOrder { amount } if basis.order.units == 0.0 => amount,
            Self::Tiered { ref tiers, by, style, of } => {
                let (size, month) = match of {
                    TierOf::Percent => (basis.notional(), basis.month.notional),
                    TierOf::PerUnit => (basis.quantity, basis.month.units),
                };
                let before = if by == TierBy::Month { month } else { 0.0 };
                tiered(tiers, style, before, size)
            }
            Self::MakerTaker { maker_bps, taker_bps } => {
                let bps = if basis.is_maker { maker_bps } else { taker_bps };
                basis.notional() * (bps * 1e-4)
            }
            Self::SellLevy { bps } if basis.is_sell => basis.notional() * (bps * 1e-4),
            Self::Combined(ref parts) => parts.iter().map(|part| part.fee(basis)).sum(),
            Self::Custom(ref custom) => custom.model().fee(basis),
            Self::None | Self::PerOrder { .. } | Self::SellLevy { .. } => 0.0,
        }
    }
}

struct Bounds {
    min: f64,
    max_pct: f64,
    min_scope: MinScope,
}

impl Bounds {
    /// The fee of a fill, from the unbounded fee of so many units worth so much.
    ///
    /// What the order paid before is computed anew rather than read from `basis.order.fees`, which
    /// in a [`Commission::Combined`] holds the fees of the other parts as well.
    fn apply(&self, basis: &FeeBasis, fee: impl Fn(f64, f64) -> f64) -> f64 {
        // Without a bound above, 0 of value makes the product NaN, which `min` passes over.
        let bounded = |units: f64, notional: f64| {
            fee(units, notional).max(self.min).min(self.max_pct * notional)
        };
        let (quantity, notional) = (basis.quantity, basis.notional());
        if self.min_scope == MinScope::Fill || basis.order.units == 0.0 {
            return bounded(quantity, notional);
        }
        let order = &basis.order;
        let so_far = bounded(order.units + quantity, order.notional + notional);
        (so_far - bounded(order.units, order.notional)).max(0.0)
    }
}

/// The fee of `size` after `before`, in the measure of the brackets.
fn tiered(tiers: &[Tier], style: TierStyle, before: f64, size: f64) -> f64 {
    let (Some(last), after) = (tiers.last(), before + size) else { return 0.0 };
    if style == TierStyle::Whole {
        let tier = tiers.iter().find(|tier| after <= tier.up_to).unwrap_or(last);
        return size * tier.rate;
    }
    let mut from = before;
    let mut fee = 0.0;
    for tier in &tiers[..tiers.len() - 1] {
        let to = after.min(tier.up_to);
        if to > from {
            fee += (to - from) * tier.rate;
            from = to;
        }
    }
    fee + (after - from) * last.rate
}

fn bounds_text(min: f64, max_pct: f64, min_scope: MinScope) -> String {
    let least = if min > 0.0 { format!(", at least {min}") } else { String::new() };
    let most = if max_pct.is_finite() {
        format!(", at most {max_pct} of the value")
    } else {
        String::new()
    };
    let is_plain = least.is_empty() && most.is_empty();
    let scope = if min_scope == MinScope::Order || is_plain { "" } else { " (each fill)" };
    format!("{least}{most}{scope}")
}

fn tiers_text(tiers: &[Tier], by: TierBy, style: TierStyle, of: TierOf) -> String {
    let rates: Vec<String> = tiers
        .iter()
        .enumerate()
        .map(|(at, tier)| {
            let is_last = at + 1 == tiers.len();
            let end = if is_last { "above".to_owned() } else { format!("up to {}", tier.up_to) };
            format!("{} {end}", tier.rate)
        })
        .collect();
    let of = if of == TierOf::Percent { "of the value" } else { "a unit" };
    let by = if by == TierBy::Fill { "a fill" } else { "a month" };
    let style = if style == TierStyle::Marginal { "" } else { ", whole fills" };
    format!("{} {of} (by {by}{style})", rates.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::custom::FeeModel;
    use super::*;

    fn near(got: f64, want: f64) -> bool {
        (got - want).abs() <= 1e-12 * want.abs().max(1.0)
    }

    fn fill(quantity: f64, price: f64) -> FeeBasis {
        FeeBasis { quantity, price, multiplier: 1.0, ..FeeBasis::default() }
    }

    /// The fees of the fills of one order.
    fn fees(commission: &Commission, fills: &[(f64, f64)]) -> Vec<f64> {
        let mut order = Traded::default();
        let fee_of = |&(quantity, price): &(f64, f64)| {
            let basis = FeeBasis { order, month: order, ..fill(quantity, price) };
            let fee = commission.fee(&basis);
            order.add(&basis, fee);
            fee
        };
        fills.iter().map(fee_of).collect()
    }

    fn tiers(brackets: &[(f64, f64)]) -> Vec<Tier> {
        brackets.iter().map(|&(up_to, rate)| Tier { up_to, rate }).collect()
    }

    fn within(commission: Commission, share: f64, scope: MinScope) -> Commission {
        match commission {
            Commission::Percent { bps, min, .. } => {
                Commission::Percent { bps, min, max_pct: share, min_scope: scope }
            }
            Commission::PerShare { rate, min, .. } => {
                Commission::PerShare { rate, min, max_pct: share, min_scope: scope }
            }
            other => other,
        }
    }

    /// A model, the fills of one order as quantity and price, and their fees.
    type Case = (Commission, Vec<(f64, f64)>, Vec<f64>);

    /// One order of several fills a row. Oracle cases 37_* and 38 (ml4t-backtest 0.2.0): the first
    /// rows of each kind that names them.
    #[test]
    fn fee_when_an_order_fills_then_as_computed_by_hand() {
        let wide = f64::INFINITY;
        let peer = || Commission::Tiered {
            tiers: tiers(&[(5_000.0, 0.002), (20_000.0, 0.001), (1e18, 0.0005)]),
            by: TierBy::Fill,
            style: TierStyle::Whole,
            of: TierOf::Percent,
        };
        let by_unit = |by, style| Commission::Tiered {
            tiers: tiers(&[(300.0, 0.01), (1_000.0, 0.005), (wide, 0.001)]),
            by,
            style,
            of: TierOf::PerUnit,
        };
        let (month, marginal) = (TierBy::Month, TierStyle::Marginal);
        let rows: Vec<Case> = vec![
            (Commission::None, vec![(100.0, 101.0)], vec![0.0]),
            // 37_commission_percentage
            (Commission::percent(10.0, 0.0), vec![(100.0, 101.0)], vec![10.1]),
            (Commission::percent(10.0, 0.0), vec![(100.0, 103.0)], vec![10.3]),
            // 37_commission_tiered: 8 bps in one bracket
            (Commission::percent(8.0, 0.0), vec![(100.0, 103.0)], vec![8.24]),
            // 1 + 2 + 3 = 6 raw, at least 4: 4, 0 (3 < 4), 2
            (
                Commission::percent(10.0, 4.0),
                vec![(10.0, 100.0), (20.0, 100.0), (30.0, 100.0)],
                vec![4.0, 0.0, 2.0],
            ),
            (
                within(Commission::percent(10.0, 4.0), wide, MinScope::Fill),
                vec![(10.0, 100.0), (60.0, 100.0)],
                vec![4.0, 6.0],
            ),
            // 37_commission_per_share_min and _per_order_per_share: 100 x 0.005 is below 1
            (Commission::per_share(0.005, 1.0), vec![(100.0, 101.0)], vec![1.0]),
            // 0.5, 0.5, 0.5 raw: 1, then 1.0 - 1, then 1.5 - 1
            (
                Commission::per_share(0.005, 1.0),
                vec![(100.0, 101.0), (100.0, 102.5), (100.0, 103.0)],
                vec![1.0, 0.0, 0.5],
            ),
            // 1 % of 20 is less than the least fee, and then of 120: the upper bound wins
            (
                within(Commission::per_share(0.005, 1.0), 0.01, MinScope::Order),
                vec![(10.0, 2.0), (50.0, 2.0)],
                vec![0.2, 0.8],
            ),
            (
                within(Commission::per_share(0.05, 0.0), 0.01, MinScope::Fill),
                vec![(10.0, 2.0), (10.0, 20.0)],
                vec![0.2, 0.5],
            ),
            // 37_commission_per_trade
            (Commission::PerFill { amount: 5.0 }, vec![(100.0, 101.0), (1.0, 1.0)], vec![5.0, 5.0]),
            (
                Commission::PerOrder { amount: 5.0 },
                vec![(100.0, 101.0), (1.0, 1.0)],
                vec![5.0, 0.0],
            ),
            // 38: 10,100 x .001; 30,750 x .0005; 39,200 x .0005
            (peer(), vec![(100.0, 101.0), (300.0, 102.5), (400.0, 98.0)], vec![10.1, 15.375, 19.6]),
            // the end of a bracket belongs to it: 5,000 x .002; 5,001 x .001
            (peer(), vec![(50.0, 100.0), (1.0, 5_001.0)], vec![10.0, 5.001]),
            // 300 x .01 + 700 x .005 + 200 x .001
            (by_unit(TierBy::Fill, marginal), vec![(1_200.0, 9.0)], vec![6.7]),
            // 200 x .01; 100 x .01 + 400 x .005; 300 x .005 + 100 x .001
            (
                by_unit(month, marginal),
                vec![(200.0, 9.0), (500.0, 9.0), (400.0, 9.0)],
                vec![2.0, 3.0, 1.6],
            ),
            // ends at 200, 700 and 1,100: 200 x .01; 500 x .005; 400 x .001
            (
                by_unit(month, TierStyle::Whole),
                vec![(200.0, 9.0), (500.0, 9.0), (400.0, 9.0)],
                vec![2.0, 2.5, 0.4],
            ),
            (
                Commission::MakerTaker { maker_bps: -1.0, taker_bps: 5.0 },
                vec![(2.0, 30_000.0)],
                vec![30.0],
            ),
            (Commission::SellLevy { bps: 50.0 }, vec![(100.0, 10.0)], vec![0.0]),
            // parts keep their own least fee: (1, 0, .5) + (2, 0, 0) + 1 bps of 100, 100, 100
            (
                Commission::Combined(vec![
                    Commission::per_share(0.5, 1.0),
                    Commission::PerOrder { amount: 2.0 },
                    Commission::percent(1.0, 0.0),
                ]),
                vec![(1.0, 100.0), (1.0, 100.0), (1.0, 100.0)],
                vec![3.01, 0.01, 0.51],
            ),
        ];
        for (commission, fills, want) in rows {
            let got = fees(&commission, &fills);
            let is_near = got.iter().zip(&want).all(|(&got, &want)| near(got, want));
            assert!(is_near && got.len() == want.len(), "{commission:?}: {got:?}, not {want:?}");
        }
    }

    /// Side, liquidity and the multiplier: 2 contracts at 4,000 x 50 are worth 400,000.
    #[test]
    fn fee_when_a_fill_has_particulars_then_they_count() {
        let future = FeeBasis { multiplier: 50.0, ..fill(2.0, 4_000.0) };
        let sale = FeeBasis { is_sell: true, ..fill(100.0, 10.0) };
        let maker = FeeBasis { is_maker: true, ..fill(2.0, 30_000.0) };
        let venue = Commission::MakerTaker { maker_bps: -1.0, taker_bps: 5.0 };
        let below_zero = fill(10.0, -37.0);
        for (commission, basis, want) in [
            (Commission::percent(1.0, 0.0), future, 40.0),
            (Commission::per_share(2.5, 0.0), future, 5.0),
            (Commission::SellLevy { bps: 50.0 }, sale, 5.0),
            (venue, maker, -6.0),
            (Commission::percent(10.0, 0.0), below_zero, 0.37),
        ] {
            let got = commission.fee(&basis);
            assert!(near(got, want), "{commission:?}: {got}, not {want}");
        }
    }

    /// However an order is cut into fills, it pays what one fill of all would pay.
    #[test]
    fn fee_when_an_order_is_cut_then_the_sum_is_that_of_one_fill() {
        for commission in [
            Commission::percent(7.0, 3.0),
            Commission::per_share(0.01, 2.0),
            within(Commission::per_share(0.05, 9.0), 0.002, MinScope::Order),
            Commission::PerOrder { amount: 4.0 },
        ] {
            let whole = fees(&commission, &[(1_000.0, 20.0)])[0];
            for parts in [vec![1.0, 999.0], vec![250.0; 4], vec![1.0; 1_000]] {
                let cut: Vec<_> = parts.iter().map(|&units| (units, 20.0)).collect();
                let sum: f64 = fees(&commission, &cut).iter().sum();
                assert!((sum - whole).abs() < 1e-9, "{commission:?}: {sum}, not {whole}");
            }
        }
    }

    #[derive(Debug)]
    struct Named;

    impl FeeModel for Named {
        fn fee(&self, basis: &FeeBasis) -> f64 {
            basis.quantity / 4.0
        }

        fn describe(&self) -> String {
            "a quarter a unit".to_owned()
        }
    }

    #[test]
    fn models_when_described_then_figures_and_freedom_show() {
        let tiered = |by, style| Commission::Tiered {
            tiers: tiers(&[(100.0, 0.02), (f64::INFINITY, 0.01)]),
            by,
            style,
            of: TierOf::PerUnit,
        };
        let custom = Commission::Custom(super::super::custom::CustomFee::new(Named));
        assert_eq!(custom.fee(&fill(10.0, 1.0)), 2.5);
        for (commission, text, is_free) in [
            (Commission::None, "", true),
            (Commission::percent(10.0, 0.0), "10 bps", false),
            (Commission::percent(0.0, 0.0), "0 bps", true),
            (Commission::percent(10.0, 1.0), "10 bps, at least 1", false),
            (Commission::per_share(0.005, 1.0), "0.005 a unit, at least 1", false),
            (
                within(Commission::per_share(0.005, 1.0), 0.01, MinScope::Fill),
                "0.005 a unit, at least 1, at most 0.01 of the value (each fill)",
                false,
            ),
            (Commission::PerFill { amount: 1.0 }, "1 a fill", false),
            (Commission::PerOrder { amount: 0.0 }, "0 an order", true),
            (
                tiered(TierBy::Month, TierStyle::Marginal),
                "0.02 up to 100, 0.01 above a unit (by a month)",
                false,
            ),
            (
                tiered(TierBy::Fill, TierStyle::Whole),
                "0.02 up to 100, 0.01 above a unit (by a fill, whole fills)",
                false,
            ),
            (
                Commission::MakerTaker { maker_bps: 0.0, taker_bps: 0.0 },
                "0 bps as maker, 0 bps as taker",
                true,
            ),
            (Commission::SellLevy { bps: 5.0 }, "5 bps of sales", false),
            (
                Commission::Combined(vec![
                    Commission::percent(1.0, 0.0),
                    Commission::None,
                    Commission::PerOrder { amount: 1.0 },
                ]),
                "1 bps + 1 an order",
                false,
            ),
            (custom, "a quarter a unit", false),
        ] {
            assert_eq!(commission.describe(), text);
            assert_eq!(commission.is_free(), is_free, "{commission:?}");
        }
    }
}
