//! `Commission`: what a broker charges.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tapeworks::broker::{Commission, CustomFee, MinScope, Tier, TierBy, TierOf, TierStyle};

use crate::argument::{finite, maximum, not_negative, number};
use crate::custom_models::{Callable, Failure};
use crate::errors::{config_error, one_of, refuse_unknown};
use crate::grid::code;
use crate::screen::screen;

/// What a broker charges for a fill, in account currency.
///
/// Value is quantity times price times multiplier. `minimum` is the least fee and `maximum` the
/// largest one as a fraction of the value (0.01 is 1 %), of each order or, with `scope="fill"`, of
/// each fill.
///
///     >>> import tapeworks as tw
///     >>> tw.Commission.per_share(0.005, 1.0)
///     Commission.per_share(0.005, minimum=1)
///     >>> tw.Commission.combined(tw.Commission.percent(2), tw.Commission.sell_levy(10))
///     Commission.combined(Commission.percent(bps=2, minimum=0),
///         Commission.sell_levy(bps=10))
///     >>> tw.Commission.custom(lambda value, side: 0.001 * value if side == "sell" else 0.0)
///     Commission.custom(<lambda>)
#[pyclass(frozen, name = "Commission", module = "tapeworks")]
pub struct PyCommission {
    pub model: Commission,
    /// Exceptions of the Python callables inside.
    pub failures: Vec<Failure>,
    text: String,
}

impl PyCommission {
    fn new(model: Commission, text: String) -> Self {
        Self { model, failures: Vec::new(), text }
    }
}

const SCOPES: [(&str, MinScope); 2] = [("order", MinScope::Order), ("fill", MinScope::Fill)];

#[pymethods]
impl PyCommission {
    /// No fee.
    #[staticmethod]
    fn none() -> Self {
        Self::new(Commission::None, "Commission.none()".to_owned())
    }

    /// A share of the traded value in basis points (1 bps = 0.01 %).
    #[staticmethod]
    #[pyo3(signature = (bps, *, minimum=0.0, maximum=None, scope="order", **unknown))]
    fn percent(
        bps: f64,
        minimum: f64,
        maximum: Option<f64>,
        scope: &str,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let function = "Commission.percent";
        refuse_unknown(function, &["bps", "minimum", "maximum", "scope"], unknown)?;
        number(function, "bps", bps, (0.0..=10_000.0).contains(&bps), "from 0 to 10000")?;
        not_negative(function, "minimum", minimum)?;
        let model = Commission::Percent {
            bps,
            min: minimum,
            max_pct: self::maximum(function, maximum)?,
            min_scope: one_of("scope", scope, &SCOPES)?,
        };
        Ok(Self::new(model, format!("{function}(bps={bps}, {})", clamp(minimum, maximum, scope))))
    }

    /// `rate` a unit: a share, a contract, a coin.
    #[staticmethod]
    #[pyo3(signature = (rate, minimum=0.0, *, maximum=None, scope="order", **unknown))]
    fn per_share(
        rate: f64,
        minimum: f64,
        maximum: Option<f64>,
        scope: &str,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let function = "Commission.per_share";
        refuse_unknown(function, &["rate", "minimum", "maximum", "scope"], unknown)?;
        not_negative(function, "rate", rate)?;
        not_negative(function, "minimum", minimum)?;
        let model = Commission::PerShare {
            rate,
            min: minimum,
            max_pct: self::maximum(function, maximum)?,
            min_scope: one_of("scope", scope, &SCOPES)?,
        };
        Ok(Self::new(model, format!("{function}({rate}, {})", clamp(minimum, maximum, scope))))
    }

    /// The same amount for every fill.
    #[staticmethod]
    fn per_fill(amount: f64) -> PyResult<Self> {
        not_negative("Commission.per_fill", "amount", amount)?;
        Ok(Self::new(Commission::PerFill { amount }, format!("Commission.per_fill({amount})")))
    }

    /// The same amount for every order, charged with its first fill.
    #[staticmethod]
    fn per_trade(amount: f64) -> PyResult<Self> {
        not_negative("Commission.per_trade", "amount", amount)?;
        Ok(Self::new(Commission::PerOrder { amount }, format!("Commission.per_trade({amount})")))
    }

    /// Rates that change with what is traded: `tiers` are `(up_to, rate)` by rising `up_to`.
    ///
    /// The last `up_to` is `None`. With `rate="bps"` the rates are basis points and `up_to` is
    /// currency; with `rate="per_share"` they are currency a unit and `up_to` is units. `by="fill"`
    /// looks at each fill, `by="month"` at the calendar month (UTC). `marginal=False` charges the
    /// whole fill at the rate of the bracket in which it ends.
    #[staticmethod]
    #[pyo3(signature = (tiers, *, rate="bps", by="fill", marginal=true, **unknown))]
    fn tiered(
        tiers: &Bound<'_, PyAny>,
        rate: &str,
        by: &str,
        marginal: bool,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("Commission.tiered", &["tiers", "rate", "by", "marginal"], unknown)?;
        let of = one_of("rate", rate, &[("bps", TierOf::Percent), ("per_share", TierOf::PerUnit)])?;
        let by_what = one_of("by", by, &[("fill", TierBy::Fill), ("month", TierBy::Month)])?;
        let tiers = tiers
            .extract::<Vec<(Option<f64>, f64)>>()
            .map_err(|_| tiers_error(&format!("{tiers} are no (up_to, rate) pairs")))?;
        let tiers = brackets(&tiers)?;
        let text: Vec<String> = tiers
            .iter()
            .map(|(up_to, rate)| match up_to {
                Some(up_to) => format!("({up_to}, {rate})"),
                None => format!("(None, {rate})"),
            })
            .collect();
        let unit = if of == TierOf::Percent { 1e-4 } else { 1.0 };
        let model = Commission::Tiered {
            tiers: tiers
                .iter()
                .map(|(up_to, rate)| Tier {
                    up_to: up_to.unwrap_or(f64::INFINITY),
                    rate: rate * unit,
                })
                .collect(),
            by: by_what,
            style: if marginal { TierStyle::Marginal } else { TierStyle::Whole },
            of,
        };
        let marginal = if marginal { "True" } else { "False" };
        let text = format!(
            "Commission.tiered([{}], rate='{rate}', by='{by}', marginal={marginal})",
            text.join(", ")
        );
        Ok(Self::new(model, text))
    }

    /// Basis points that depend on who waited: `maker_bps` for limit orders touched in the book,
    /// `taker_bps` for all other fills. A negative rate is a rebate.
    #[staticmethod]
    fn maker_taker(maker_bps: f64, taker_bps: f64) -> PyResult<Self> {
        let function = "Commission.maker_taker";
        for (name, bps) in [("maker_bps", maker_bps), ("taker_bps", taker_bps)] {
            let is_rate = (-10_000.0..=10_000.0).contains(&bps);
            number(function, name, bps, is_rate, "from -10000 to 10000")?;
        }
        let text = format!("{function}(maker_bps={maker_bps}, taker_bps={taker_bps})");
        Ok(Self::new(Commission::MakerTaker { maker_bps, taker_bps }, text))
    }

    /// A share of the value sold in basis points: a stamp duty, an exchange levy.
    #[staticmethod]
    fn sell_levy(bps: f64) -> PyResult<Self> {
        let function = "Commission.sell_levy";
        number(function, "bps", bps, (0.0..=10_000.0).contains(&bps), "from 0 to 10000")?;
        Ok(Self::new(Commission::SellLevy { bps }, format!("{function}(bps={bps})")))
    }

    /// The sum of several.
    #[staticmethod]
    #[pyo3(signature = (*parts))]
    fn combined(parts: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let mut models = Vec::with_capacity(parts.len());
        let mut failures = Vec::new();
        let mut texts = Vec::new();
        for part in parts.iter() {
            let part = part.cast::<Self>().map_err(|_| {
                config_error(
                    "C424",
                    format!("Commission.combined: {part} is no commission"),
                    "for example tw.Commission.combined(tw.Commission.percent(5), \
                     tw.Commission.sell_levy(50))",
                )
            })?;
            let part = part.get();
            models.push(part.model.clone());
            failures.extend(part.failures.iter().cloned());
            texts.push(part.text.clone());
        }
        let text = format!("Commission.combined({})", texts.join(", "));
        Ok(Self { model: Commission::Combined(models), failures, text })
    }

    /// A function of your own that gives the fee of a fill; it is called with the keywords it
    /// names.
    ///
    /// There are `quantity`, `price`, `multiplier`, `value`, `side` ("buy" or "sell"), `maker`, and
    /// what came before this fill: `order_quantity`, `order_value`, `order_fees` of the same order,
    /// `month_quantity`, `month_value`, `month_fees` of the calendar month. The fee must be finite
    /// and must depend on these alone: it may be asked for quantities that are then not filled.
    #[staticmethod]
    fn custom(function: &Bound<'_, PyAny>) -> PyResult<Self> {
        let callable = Callable::new("commission", function)?;
        let failures = vec![callable.failure()];
        let text = format!("Commission.custom({callable:?})");
        Ok(Self { model: Commission::Custom(CustomFee::new(callable)), failures, text })
    }

    fn __repr__(&self) -> String {
        screen(&self.text)
    }

    fn _repr_html_(&self) -> String {
        code(&self.text)
    }
}

fn clamp(minimum: f64, maximum: Option<f64>, scope: &str) -> String {
    let most = maximum.map_or(String::new(), |most| format!(", maximum={most}"));
    let of = if scope == "order" { String::new() } else { format!(", scope='{scope}'") };
    format!("minimum={minimum}{most}{of}")
}

fn tiers_error(what: &str) -> PyErr {
    let hint = "for example [(1_000_000, 10), (None, 5)]: 10 up to a million, 5 above";
    config_error("C422", format!("Commission.tiered: {what}"), hint)
}

/// The brackets, once they rise and end.
fn brackets(tiers: &[(Option<f64>, f64)]) -> PyResult<Vec<(Option<f64>, f64)>> {
    let wrong = |what: String| tiers_error(&what);
    let mut read: Vec<(Option<f64>, f64)> = Vec::with_capacity(tiers.len());
    for (idx, &(up_to, rate)) in tiers.iter().enumerate() {
        finite("Commission.tiered", "rate", rate)?;
        not_negative("Commission.tiered", "rate", rate)?;
        let up_to = up_to.filter(|up_to| *up_to != f64::INFINITY);
        if up_to.is_none() != (idx + 1 == tiers.len()) {
            return Err(wrong(format!(
                "tier {idx}: all but the last have an up_to, the last None"
            )));
        }
        let below = read.last().and_then(|(below, _)| *below).unwrap_or(0.0);
        if let Some(up_to) = up_to
            && (up_to <= below || up_to.is_nan())
        {
            return Err(wrong(format!("tier {idx}: up_to={up_to} is not above {below}")));
        }
        read.push((up_to, rate));
    }
    if read.is_empty() { Err(wrong("there is no tier".to_owned())) } else { Ok(read) }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCommission>()
}
