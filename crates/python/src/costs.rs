//! Costs and position rules as small values that `run` takes.

use pyo3::prelude::*;
use tapeworks::broker::{Commission, PositionRule, Slippage};

use crate::errors::config_error;

/// What a broker charges for a fill.
#[pyclass(frozen, name = "Commission", module = "tapeworks")]
pub struct PyCommission(pub Commission);

#[pymethods]
impl PyCommission {
    /// A share of the traded value in basis points (1 bps = 0.01 %), at least `minimum` a fill.
    #[staticmethod]
    #[pyo3(signature = (bps, *, minimum=0.0))]
    fn percent(bps: f64, minimum: f64) -> PyResult<Self> {
        not_negative("Commission.percent", "bps", bps)?;
        not_negative("Commission.percent", "minimum", minimum)?;
        Ok(Self(Commission::percent(bps, minimum)))
    }

    /// `rate` a unit, at least `minimum` a fill.
    #[staticmethod]
    #[pyo3(signature = (rate, minimum=0.0))]
    fn per_share(rate: f64, minimum: f64) -> PyResult<Self> {
        not_negative("Commission.per_share", "rate", rate)?;
        not_negative("Commission.per_share", "minimum", minimum)?;
        Ok(Self(Commission::per_share(rate, minimum)))
    }

    fn __repr__(&self) -> String {
        match self.0 {
            Commission::Percent { bps, min, .. } => {
                format!("Commission.percent(bps={bps}, minimum={min})")
            }
            Commission::PerShare { rate, min, .. } => {
                format!("Commission.per_share({rate}, minimum={min})")
            }
            Commission::None => "Commission.none()".to_owned(),
            ref other => format!("Commission({})", other.describe()),
        }
    }
}

/// How much worse than the reference price a market order fills.
#[pyclass(frozen, name = "Slippage", module = "tapeworks")]
pub struct PySlippage(pub Slippage);

#[pymethods]
impl PySlippage {
    /// A share of the price in basis points, against the order.
    #[staticmethod]
    fn percent(bps: f64) -> PyResult<Self> {
        not_negative("Slippage.percent", "bps", bps)?;
        Ok(Self(Slippage::Percent { bps }))
    }

    fn __repr__(&self) -> String {
        match self.0 {
            Slippage::Percent { bps } => format!("Slippage.percent(bps={bps})"),
            Slippage::None => "Slippage.none()".to_owned(),
            ref other => format!("Slippage({})", other.describe()),
        }
    }
}

/// Declares a position rule with one fraction.
macro_rules! rule {
    ($(#[$doc:meta])* $name:ident, $text:literal) => {
        $(#[$doc])*
        #[pyclass(frozen, name = $text, module = "tapeworks")]
        pub struct $name(f64);

        #[pymethods]
        impl $name {
            #[new]
            fn new(fraction: f64) -> PyResult<Self> {
                if fraction.is_finite() && fraction > 0.0 {
                    return Ok(Self(fraction));
                }
                Err(config_error(
                    "C420",
                    format!("{}({fraction}) is not above 0", $text),
                    "give a fraction of the price: 0.05 is 5 percent",
                ))
            }

            /// Distance as a fraction of the price.
            #[getter]
            fn fraction(&self) -> f64 {
                self.0
            }

            fn __repr__(&self) -> String {
                format!("{}({})", $text, self.0)
            }
        }
    };
}

rule!(
    /// Closes a position when the price is this fraction worse than its entry price.
    PyStopLoss, "StopLoss"
);
rule!(
    /// Closes a position when the price is this fraction better than its entry price.
    PyTakeProfit, "TakeProfit"
);
rule!(
    /// Closes a position when the price is this fraction worse than the best since entry.
    PyTrailingStop, "TrailingStop"
);

/// Reads a rule or a sequence of rules.
///
/// # Errors
/// `ConfigError` `TW-C421` for anything else.
pub fn position_rules(rules: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<PositionRule>> {
    let Some(rules) = rules else { return Ok(Vec::new()) };
    if let Some(rule) = position_rule(rules) {
        return Ok(vec![rule]);
    }
    let mut read = Vec::new();
    let not_rules = |value: &Bound<'_, PyAny>| {
        config_error(
            "C421",
            format!("{value} is no position rule"),
            "use tw.StopLoss(0.05), tw.TakeProfit(0.1), tw.TrailingStop(0.1) or a list of them",
        )
    };
    for rule in rules.try_iter().map_err(|_| not_rules(rules))? {
        let rule = rule?;
        read.push(position_rule(&rule).ok_or_else(|| not_rules(&rule))?);
    }
    Ok(read)
}

fn position_rule(value: &Bound<'_, PyAny>) -> Option<PositionRule> {
    if let Ok(rule) = value.cast::<PyStopLoss>() {
        return Some(PositionRule::StopLoss(rule.get().0));
    }
    if let Ok(rule) = value.cast::<PyTakeProfit>() {
        return Some(PositionRule::TakeProfit(rule.get().0));
    }
    let rule = value.cast::<PyTrailingStop>().ok()?;
    Some(PositionRule::TrailingStop(rule.get().0))
}

fn not_negative(function: &str, argument: &str, value: f64) -> PyResult<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(config_error(
        "C422",
        format!("{function}: {argument}={value} is not a finite number from 0 up"),
        "costs are never negative here",
    ))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCommission>()?;
    module.add_class::<PySlippage>()?;
    module.add_class::<PyStopLoss>()?;
    module.add_class::<PyTakeProfit>()?;
    module.add_class::<PyTrailingStop>()
}
