//! `Slippage`, `Impact`, `Participation`: prices given up, and how much of a row may fill.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::broker::{
    CapScope, CustomPrice, Impact, Participation, Slippage, SpreadMeasure, VolumeBasis,
};

use crate::argument::{not_negative, number, positive, share};
use crate::custom_models::{Callable, Failure, PyPriceModel};
use crate::errors::{config_error, one_of, refuse_unknown};
use crate::grid::code;
use crate::screen::screen;

/// How much worse than its reference price a fill that takes liquidity is, against the order.
///
/// Limit orders that wait in the market pay none, and no limit is ever exceeded.
///
///     >>> import tapeworks as tw
///     >>> tw.Slippage.percent(bps=5)
///     Slippage.percent(bps=5)
///     >>> tw.Slippage.volatility(50, window=20)
///     Slippage.volatility(50, window=20)
#[pyclass(frozen, name = "Slippage", module = "tapeworks")]
pub struct PySlippage {
    pub model: Slippage,
    pub failures: Vec<Failure>,
    text: String,
}

impl PySlippage {
    fn new(model: Slippage, arguments: &str) -> Self {
        Self { model, failures: Vec::new(), text: format!("Slippage.{arguments}") }
    }
}

#[pymethods]
impl PySlippage {
    /// No slippage.
    #[staticmethod]
    fn none() -> Self {
        Self::new(Slippage::None, "none()")
    }

    /// A share of the price in basis points.
    #[staticmethod]
    fn percent(bps: f64) -> PyResult<Self> {
        let is_share = (0.0..10_000.0).contains(&bps);
        number("Slippage.percent", "bps", bps, is_share, "from 0 and below 10000")?;
        Ok(Self::new(Slippage::Percent { bps }, &format!("percent(bps={bps})")))
    }

    /// The same amount of currency for every unit.
    #[staticmethod]
    fn fixed(amount: f64) -> PyResult<Self> {
        not_negative("Slippage.fixed", "amount", amount)?;
        Ok(Self::new(Slippage::Fixed { amount }, &format!("fixed({amount})")))
    }

    /// So many price steps of the instrument; every instrument then needs a `tick`.
    #[staticmethod]
    fn ticks(n: f64) -> PyResult<Self> {
        not_negative("Slippage.ticks", "n", n)?;
        Ok(Self::new(Slippage::Ticks { n }, &format!("ticks({n})")))
    }

    /// Half of a bid-ask spread in currency; the `spread` of an instrument comes before this one.
    ///
    /// With `half=True`, `amount` is half of the spread already.
    #[staticmethod]
    #[pyo3(signature = (amount, *, half=false, **unknown))]
    fn spread(amount: f64, half: bool, unknown: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        refuse_unknown("Slippage.spread", &["amount", "half"], unknown)?;
        not_negative("Slippage.spread", "amount", amount)?;
        let measure = if half { SpreadMeasure::Half } else { SpreadMeasure::Full };
        let flag = if half { ", half=True" } else { "" };
        Ok(Self::new(Slippage::Spread { amount, measure }, &format!("spread({amount}{flag})")))
    }

    /// Half of a bid-ask spread of `bps` basis points of the price.
    #[staticmethod]
    fn spread_bps(bps: f64) -> PyResult<Self> {
        let is_share = (0.0..10_000.0).contains(&bps);
        number("Slippage.spread_bps", "bps", bps, is_share, "from 0 and below 10000")?;
        Ok(Self::new(Slippage::SpreadBps { bps }, &format!("spread_bps(bps={bps})")))
    }

    /// Market orders buy at the ask and sell at the bid of the row, two columns of the data.
    ///
    /// Rows without a quote, and other orders that take liquidity, use `fallback`.
    #[staticmethod]
    #[pyo3(signature = (bid="bid", ask="ask", *, fallback=None, **unknown))]
    fn quote(
        bid: &str,
        ask: &str,
        fallback: Option<&Bound<'_, Self>>,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("Slippage.quote", &["bid", "ask", "fallback"], unknown)?;
        let inner = fallback.map_or(Slippage::None, |given| given.get().model.clone());
        if matches!(inner, Slippage::Quote { .. }) {
            return Err(config_error(
                "C422",
                "Slippage.quote: fallback is a quote again",
                "give a kind that needs no quote, for example tw.Slippage.percent(5)",
            ));
        }
        let text =
            fallback.map_or(String::new(), |given| format!(", fallback={}", given.get().text));
        let model =
            Slippage::Quote { bid: bid.to_owned(), ask: ask.to_owned(), fallback: Box::new(inner) };
        let failures = fallback.map_or(Vec::new(), |given| given.get().failures.clone());
        let text = format!("Slippage.quote('{bid}', '{ask}'{text})");
        Ok(Self { model, failures, text })
    }

    /// `price * coefficient * quantity / volume`.
    #[staticmethod]
    fn volume_share(coefficient: f64) -> PyResult<Self> {
        not_negative("Slippage.volume_share", "coefficient", coefficient)?;
        let text = format!("volume_share({coefficient})");
        Ok(Self::new(Slippage::VolumeShare { coefficient }, &text))
    }

    /// `price * coefficient * (filled in this row / volume) ** 2`.
    #[staticmethod]
    fn volume_share_sq(coefficient: f64) -> PyResult<Self> {
        not_negative("Slippage.volume_share_sq", "coefficient", coefficient)?;
        let text = format!("volume_share_sq({coefficient})");
        Ok(Self::new(Slippage::VolumeShareSquared { coefficient }, &text))
    }

    /// `price * eta_bps / 10000 * sigma * sqrt(quantity / adv)`, with the yearly volatility `sigma`
    /// and the mean volume `adv` of the `window` rows before the fill; 7.5 bps where they are
    /// fewer.
    #[staticmethod]
    #[pyo3(signature = (eta_bps, *, window=20, **unknown))]
    fn volatility(
        eta_bps: f64,
        window: u32,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("Slippage.volatility", &["eta_bps", "window"], unknown)?;
        not_negative("Slippage.volatility", "eta_bps", eta_bps)?;
        let rows = f64::from(window);
        number("Slippage.volatility", "window", rows, window >= 2, "of at least 2 rows")?;
        let text = format!("volatility({eta_bps}, window={window})");
        Ok(Self::new(Slippage::Volatility { eta_bps, rows: window }, &text))
    }

    /// A function of your own that gives currency a unit, from 0 up; it is called with the keywords
    /// it names.
    ///
    /// There are `quantity`, `price`, `side` ("buy" or "sell"), `volume`, `used` (filled in this
    /// row already), `tick`, `spread`, `asset` (position in `feed.symbols`), and with `past_rows=n`
    /// the yearly volatility `sigma` and the mean volume `adv` of the last n rows. Unknown values
    /// are NaN. `needs_volume=True` marks fills of rows without a volume.
    #[staticmethod]
    #[pyo3(signature = (function, *, needs_volume=false, past_rows=0))]
    fn custom(function: &Bound<'_, PyAny>, needs_volume: bool, past_rows: usize) -> PyResult<Self> {
        let callable = Callable::new("slippage", function)?;
        let failures = vec![callable.failure()];
        let text = format!("Slippage.custom({callable:?})");
        let model = CustomPrice::new(PyPriceModel { callable, needs_volume, past_rows });
        Ok(Self { model: Slippage::Custom(model), failures, text })
    }

    fn __repr__(&self) -> String {
        screen(&self.text)
    }

    fn _repr_html_(&self) -> String {
        code(&self.text)
    }
}

/// How far an order that takes liquidity moves the price against itself, before slippage.
///
/// 0 where the volume of the row is unknown.
///
///     >>> import tapeworks as tw
///     >>> tw.Impact.sqrt(0.5, sigma=0.02)
///     Impact.sqrt(0.5, sigma=0.02, volume_share=1)
#[pyclass(frozen, name = "Impact", module = "tapeworks")]
pub struct PyImpact {
    pub model: Impact,
    pub failures: Vec<Failure>,
    text: String,
}

impl PyImpact {
    fn new(model: Impact, arguments: &str) -> Self {
        Self { model, failures: Vec::new(), text: format!("Impact.{arguments}") }
    }
}

#[pymethods]
impl PyImpact {
    /// No impact.
    #[staticmethod]
    fn none() -> Self {
        Self::new(Impact::None, "none()")
    }

    /// `price * coefficient * quantity / volume`.
    #[staticmethod]
    fn linear(coefficient: f64) -> PyResult<Self> {
        not_negative("Impact.linear", "coefficient", coefficient)?;
        Ok(Self::new(Impact::Linear { coefficient }, &format!("linear({coefficient})")))
    }

    /// `price * coefficient * sigma * sqrt(quantity / (volume * volume_share))`; `sigma` is the
    /// volatility of a row's return.
    #[staticmethod]
    #[pyo3(signature = (coefficient=0.5, *, sigma=0.02, volume_share=1.0, **unknown))]
    fn sqrt(
        coefficient: f64,
        sigma: f64,
        volume_share: f64,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("Impact.sqrt", &["coefficient", "sigma", "volume_share"], unknown)?;
        not_negative("Impact.sqrt", "coefficient", coefficient)?;
        not_negative("Impact.sqrt", "sigma", sigma)?;
        positive("Impact.sqrt", "volume_share", volume_share)?;
        let text = format!("sqrt({coefficient}, sigma={sigma}, volume_share={volume_share})");
        Ok(Self::new(Impact::Sqrt { coefficient, sigma, volume_share }, &text))
    }

    /// `price * coefficient * (quantity / volume) ** exponent`, at least `minimum` a unit.
    #[staticmethod]
    #[pyo3(signature = (coefficient, exponent, *, minimum=0.0, **unknown))]
    fn power(
        coefficient: f64,
        exponent: f64,
        minimum: f64,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("Impact.power", &["coefficient", "exponent", "minimum"], unknown)?;
        not_negative("Impact.power", "coefficient", coefficient)?;
        positive("Impact.power", "exponent", exponent)?;
        not_negative("Impact.power", "minimum", minimum)?;
        let text = format!("power({coefficient}, {exponent}, minimum={minimum})");
        Ok(Self::new(Impact::Power { coefficient, exponent, min: minimum }, &text))
    }

    /// A function of your own that gives currency a unit, as in `Slippage.custom`.
    #[staticmethod]
    #[pyo3(signature = (function, *, needs_volume=true, past_rows=0))]
    fn custom(function: &Bound<'_, PyAny>, needs_volume: bool, past_rows: usize) -> PyResult<Self> {
        let callable = Callable::new("impact", function)?;
        let failures = vec![callable.failure()];
        let text = format!("Impact.custom({callable:?})");
        let model = CustomPrice::new(PyPriceModel { callable, needs_volume, past_rows });
        Ok(Self { model: Impact::Custom(model), failures, text })
    }

    fn __repr__(&self) -> String {
        screen(&self.text)
    }

    fn _repr_html_(&self) -> String {
        code(&self.text)
    }
}

/// The largest share of the traded volume that orders may take; the rest waits.
///
/// `basis`: the volume of the row that fills (`"bar"`), of the row before (`"previous_bar"`), or
/// the mean of the last `window` rows (`"adv"`). `scope`: all orders of a symbol share the cap
/// (`"symbol"`), or each has its own (`"order"`).
///
///     >>> import tapeworks as tw
///     >>> tw.Participation(0.1, basis="adv", window=20)
///     Participation(0.1, basis='adv', window=20, scope='symbol')
#[pyclass(frozen, name = "Participation", module = "tapeworks")]
pub struct PyParticipation {
    pub cap: Participation,
    text: String,
}

#[pymethods]
impl PyParticipation {
    #[new]
    #[pyo3(signature = (max_share, *, basis="bar", window=None, scope="symbol", **unknown))]
    fn new(
        max_share: f64,
        basis: &str,
        window: Option<u32>,
        scope: &str,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("Participation", &["max_share", "basis", "window", "scope"], unknown)?;
        share("Participation", "max_share", max_share)?;
        let rows = window.unwrap_or(0);
        let bases = [
            ("bar", VolumeBasis::Bar),
            ("previous_bar", VolumeBasis::PreviousBar),
            ("adv", VolumeBasis::Adv(rows)),
        ];
        let volume = one_of("basis", basis, &bases)?;
        let scopes = [("symbol", CapScope::Symbol), ("order", CapScope::Order)];
        let shared = one_of("scope", scope, &scopes)?;
        if matches!(volume, VolumeBasis::Adv(_)) != (rows > 0) {
            return Err(config_error(
                "C422",
                format!("Participation: window={rows} with basis={basis:?}"),
                "basis=\"adv\" needs the rows of its mean, window=20; the others take none",
            ));
        }
        let mean = if rows > 0 { format!(", window={rows}") } else { String::new() };
        let text = format!("Participation({max_share}, basis='{basis}'{mean}, scope='{scope}')");
        Ok(Self { cap: Participation { max_share, basis: volume, scope: shared }, text })
    }

    fn __repr__(&self) -> String {
        screen(&self.text)
    }

    fn _repr_html_(&self) -> String {
        code(&self.text)
    }
}

/// Reads the argument `participation`: a `Participation`, or the share of the row's volume.
///
/// # Errors
/// `ConfigError` for anything else.
pub fn participation(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Participation>> {
    let Some(value) = value else { return Ok(None) };
    if let Ok(given) = value.cast::<PyParticipation>() {
        return Ok(Some(given.get().cap));
    }
    let Ok(given) = value.extract::<f64>() else {
        return Err(config_error(
            "C422",
            format!("participation={} is no share of the volume", value.repr()?),
            "give 0.1 for a tenth of each row's volume, or tw.Participation(0.1, basis=...)",
        ));
    };
    share("run", "participation", given)?;
    Ok(Some(Participation::new(given)))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PySlippage>()?;
    module.add_class::<PyImpact>()?;
    module.add_class::<PyParticipation>()
}
