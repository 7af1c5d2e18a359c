//! `tw.limits`: limits on the whole portfolio.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::broker::{LimitAction, LimitKind, PortfolioLimit};

use crate::argument::{below_one, number, positive, share};
use crate::errors::{config_error, one_of, refuse_unknown};
use crate::grid::code;
use crate::screen::screen;

/// A limit on the whole portfolio and what happens when it is passed; see `tw.limits`.
///
///     >>> import tapeworks as tw
///     >>> limit = tw.limits.max_drawdown(0.2, action="liquidate")
///     >>> result = tw.run(tw.sample("daily"), tw.rules.buy_and_hold(), limits=limit)
///     >>> result.metrics["n_open_trades"] == 0
///     True
#[pyclass(frozen, name = "Limit", module = "tapeworks")]
pub struct PyLimit {
    pub limit: PortfolioLimit,
    text: String,
}

#[pymethods]
impl PyLimit {
    fn __repr__(&self) -> String {
        screen(&self.text)
    }

    fn _repr_html_(&self) -> String {
        code(&self.text)
    }
}

/// Reads an action: a word, or `("reduce", fraction)`.
fn action(function: &str, given: &Bound<'_, PyAny>) -> PyResult<(LimitAction, String)> {
    if let Ok((word, fraction)) = given.extract::<(String, f64)>()
        && word == "reduce"
    {
        share(function, "reduce", fraction)?;
        let text = format!("action=('reduce', {fraction})");
        return Ok((LimitAction::Reduce(fraction), text));
    }
    let hint = "use one of: \"warn\", \"liquidate\", \"halt\", \"stop\", (\"reduce\", 0.5)";
    let Ok(word) = given.extract::<String>() else {
        let shown = given.repr()?;
        return Err(config_error("C426", format!("{function}: action={shown} is not known"), hint));
    };
    if word == "reduce" {
        return Err(config_error("C426", format!("{function}: reduce needs its fraction"), hint));
    }
    let words = [
        ("warn", LimitAction::Warn),
        ("liquidate", LimitAction::Liquidate),
        ("halt", LimitAction::Halt),
        ("stop", LimitAction::Stop),
    ];
    Ok((one_of("action", &word, &words)?, format!("action='{word}'")))
}

fn limit(
    function: &str,
    kind: LimitKind,
    arguments: &str,
    action: &Bound<'_, PyAny>,
) -> PyResult<PyLimit> {
    let (action, shown) = self::action(function, action)?;
    let text = format!("{function}({arguments}, {shown})");
    Ok(PyLimit { limit: PortfolioLimit { kind, action }, text })
}

/// Equity has fallen by this fraction from its peak; the peak includes the initial cash.
///
/// `action`: "warn", "liquidate", "halt" (nothing may be opened until `self.resume()` or the next
/// session), "stop" (the run ends with an error) or `("reduce", fraction)` of every position.
#[pyfunction]
#[pyo3(signature = (fraction, *, action, **unknown))]
fn max_drawdown(
    fraction: f64,
    action: &Bound<'_, PyAny>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyLimit> {
    refuse_unknown("limits.max_drawdown", &["fraction", "action"], unknown)?;
    let function = "limits.max_drawdown";
    share(function, "fraction", fraction)?;
    limit(function, LimitKind::MaxDrawdown(fraction), &fraction.to_string(), action)
}

/// Equity has fallen by this fraction since the end of the session before.
#[pyfunction]
#[pyo3(signature = (fraction, *, action, **unknown))]
fn daily_loss(
    fraction: f64,
    action: &Bound<'_, PyAny>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyLimit> {
    refuse_unknown("limits.daily_loss", &["fraction", "action"], unknown)?;
    let function = "limits.daily_loss";
    share(function, "fraction", fraction)?;
    limit(function, LimitKind::DailyLoss(fraction), &fraction.to_string(), action)
}

/// Declares a limit on exposure as a fraction of equity.
macro_rules! exposure {
    ($(#[$doc:meta])* $function:ident, $text:literal, $kind:path) => {
        $(#[$doc])*
        ///
        /// An order that would pass it is refused as `limit_exposure`; `action` is what happens
        /// when prices pass it.
        #[pyfunction]
        #[pyo3(signature = (fraction, *, action=None, **unknown))]
        fn $function(
            py: Python<'_>,
            fraction: f64,
            action: Option<&Bound<'_, PyAny>>,
            unknown: Option<&Bound<'_, PyDict>>,
        ) -> PyResult<PyLimit> {
            refuse_unknown($text, &["fraction", "action"], unknown)?;
            positive($text, "fraction", fraction)?;
            limit($text, $kind(fraction), &fraction.to_string(), &or_warn(py, action))
        }
    };
}

exposure!(
    /// The sum of the absolute values of all positions, as a fraction of equity.
    gross_exposure, "limits.gross_exposure", LimitKind::GrossExposure
);
exposure!(
    /// The absolute sum of the values of all positions, as a fraction of equity.
    net_exposure, "limits.net_exposure", LimitKind::NetExposure
);
exposure!(
    /// The absolute value of any one position, as a fraction of equity.
    symbol_exposure, "limits.symbol_exposure", LimitKind::SymbolExposure
);

/// The sum of the absolute values of a group of symbols, as a fraction of equity.
///
/// An order that would pass it is refused as `limit_exposure`.
#[pyfunction]
#[pyo3(signature = (symbols, fraction, *, action=None, **unknown))]
fn group_exposure(
    py: Python<'_>,
    symbols: Vec<String>,
    fraction: f64,
    action: Option<&Bound<'_, PyAny>>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyLimit> {
    refuse_unknown("limits.group_exposure", &["symbols", "fraction", "action"], unknown)?;
    let function = "limits.group_exposure";
    positive(function, "fraction", fraction)?;
    let arguments = format!("{symbols:?}, {fraction}");
    let kind = LimitKind::GroupExposure { symbols, limit: fraction };
    limit(function, kind, &arguments, &or_warn(py, action))
}

/// So many positions at most; an order that would open one more is refused as `limit_positions`.
#[pyfunction]
#[pyo3(signature = (n, *, action=None, **unknown))]
fn max_positions(
    py: Python<'_>,
    n: u32,
    action: Option<&Bound<'_, PyAny>>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyLimit> {
    refuse_unknown("limits.max_positions", &["n", "action"], unknown)?;
    let function = "limits.max_positions";
    number(function, "n", f64::from(n), n > 0, "of at least 1")?;
    limit(function, LimitKind::MaxPositions(n), &n.to_string(), &or_warn(py, action))
}

/// So many orders a session at most; one more is refused as `limit_order_count`.
#[pyfunction]
#[pyo3(signature = (n, *, action=None, **unknown))]
fn max_orders(
    py: Python<'_>,
    n: u32,
    action: Option<&Bound<'_, PyAny>>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyLimit> {
    refuse_unknown("limits.max_orders", &["n", "action"], unknown)?;
    let function = "limits.max_orders";
    number(function, "n", f64::from(n), n > 0, "of at least 1")?;
    limit(function, LimitKind::MaxOrders(n), &n.to_string(), &or_warn(py, action))
}

/// The loss that session returns exceeded in `1 - level` of the last `window` sessions has passed
/// `fraction` of equity.
#[pyfunction]
#[pyo3(signature = (fraction, *, action, level=0.95, window=250, **unknown))]
fn value_at_risk(
    fraction: f64,
    action: &Bound<'_, PyAny>,
    level: f64,
    window: u32,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyLimit> {
    refuse_unknown("limits.value_at_risk", &["fraction", "action", "level", "window"], unknown)?;
    let function = "limits.value_at_risk";
    let arguments = tail(function, fraction, level, window)?;
    limit(function, LimitKind::ValueAtRisk { level, window, limit: fraction }, &arguments, action)
}

/// The mean of the session losses beyond the value at risk has passed `fraction` of equity.
#[pyfunction]
#[pyo3(signature = (fraction, *, action, level=0.95, window=250, **unknown))]
fn conditional_value_at_risk(
    fraction: f64,
    action: &Bound<'_, PyAny>,
    level: f64,
    window: u32,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyLimit> {
    refuse_unknown(
        "limits.conditional_value_at_risk",
        &["fraction", "action", "level", "window"],
        unknown,
    )?;
    let function = "limits.conditional_value_at_risk";
    let arguments = tail(function, fraction, level, window)?;
    let kind = LimitKind::ConditionalValueAtRisk { level, window, limit: fraction };
    limit(function, kind, &arguments, action)
}

fn tail(function: &str, fraction: f64, level: f64, window: u32) -> PyResult<String> {
    share(function, "fraction", fraction)?;
    below_one(function, "level", level)?;
    number(function, "window", f64::from(window), window >= 2, "of at least 2 sessions")?;
    Ok(format!("{fraction}, level={level}, window={window}"))
}

fn or_warn<'py>(py: Python<'py>, action: Option<&Bound<'py, PyAny>>) -> Bound<'py, PyAny> {
    action.cloned().unwrap_or_else(|| pyo3::types::PyString::new(py, "warn").into_any())
}

/// Reads the argument `limits`: a limit or a sequence of limits.
///
/// # Errors
/// `ConfigError` `TW-C427` for anything else.
pub fn portfolio_limits(value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<PortfolioLimit>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if let Ok(limit) = value.cast::<PyLimit>() {
        return Ok(vec![limit.get().limit.clone()]);
    }
    let no_limit = |value: &Bound<'_, PyAny>| {
        config_error(
            "C427",
            format!("{value} is no limit of the portfolio"),
            "for example limits=[tw.limits.max_drawdown(0.2, action=\"liquidate\")]",
        )
    };
    let mut read = Vec::new();
    for limit in value.try_iter().map_err(|_| no_limit(value))? {
        let limit = limit?;
        read.push(limit.cast::<PyLimit>().map_err(|_| no_limit(&limit))?.get().limit.clone());
    }
    Ok(read)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLimit>()?;
    module.add_function(wrap_pyfunction!(max_drawdown, module)?)?;
    module.add_function(wrap_pyfunction!(daily_loss, module)?)?;
    module.add_function(wrap_pyfunction!(gross_exposure, module)?)?;
    module.add_function(wrap_pyfunction!(net_exposure, module)?)?;
    module.add_function(wrap_pyfunction!(symbol_exposure, module)?)?;
    module.add_function(wrap_pyfunction!(group_exposure, module)?)?;
    module.add_function(wrap_pyfunction!(max_positions, module)?)?;
    module.add_function(wrap_pyfunction!(max_orders, module)?)?;
    module.add_function(wrap_pyfunction!(value_at_risk, module)?)?;
    module.add_function(wrap_pyfunction!(conditional_value_at_risk, module)?)
}
