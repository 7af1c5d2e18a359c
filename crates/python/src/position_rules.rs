//! Position rules as small values that `run` and the strategy take.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tapeworks::broker::{PositionRule, ScaledOf};

use crate::argument::{below_one, not_negative, positive, share};
use crate::errors::{config_error, one_of, refuse_unknown};
use crate::grid::code;
use crate::screen::screen;

/// A rule that watches a position and closes it without the strategy's help.
///
/// Base of `StopLoss`, `TakeProfit`, `TrailingStop` and the others.
///
///     >>> import tapeworks as tw
///     >>> rules = [tw.StopLoss(0.05), tw.TakeProfit(0.1), tw.TrailingStop(amount=2.5)]
///     >>> tw.AnyOf(*rules)
///     AnyOf(StopLoss(0.05), TakeProfit(0.1), TrailingStop(amount=2.5))
///     >>> result = tw.run(tw.sample("daily"), tw.rules.buy_and_hold(), rules=rules)
///     >>> sorted(set(result.trades.to_numpy("exit_reason")))
///     ['stop_loss', 'trailing']
#[pyclass(frozen, subclass, name = "PositionRule", module = "tapeworks")]
pub struct PyPositionRule {
    pub rule: PositionRule,
    text: String,
}

#[pymethods]
impl PyPositionRule {
    fn __repr__(&self) -> String {
        screen(&self.text)
    }

    fn _repr_html_(&self) -> String {
        code(&self.text)
    }
}

/// The base object of a rule, which shows its arguments as `text`.
fn base(rule: PositionRule, text: String) -> PyClassInitializer<PyPositionRule> {
    PyClassInitializer::from(PyPositionRule { rule, text })
}

/// Declares a rule class without fields of its own.
macro_rules! rule_class {
    ($(#[$doc:meta])* $class:ident, $name:literal) => {
        $(#[$doc])*
        #[pyclass(frozen, extends = PyPositionRule, name = $name, module = "tapeworks")]
        pub struct $class;
    };
}

rule_class!(
    /// Closes a position when the price is this fraction worse than its entry price.
    ///
    /// As `stop_loss=` of an order, a stop that lives as long as what the order opens.
    PyStopLoss, "StopLoss"
);
rule_class!(
    /// Closes a position when the price is this fraction better than its entry price.
    ///
    /// As `take_profit=` of an order, a limit that lives as long as what the order opens.
    PyTakeProfit, "TakeProfit"
);
rule_class!(
    /// Closes a position when the price is this fraction, or this `amount` of currency, worse than
    /// the best price since the entry.
    ///
    /// As `stop_loss=` of an order, a trailing stop that lives as long as what the order opens.
    PyTrailingStop, "TrailingStop"
);
rule_class!(
    /// A trailing stop whose distance depends on the gain at the last close.
    ///
    /// `steps` are `(gain, distance)` by rising gain; the highest gain that is reached counts.
    PyTighteningTrail, "TighteningTrail"
);
rule_class!(
    /// Closes a position `multiple` times a column below its entry price, the column (such as an
    /// average true range) as it stood when the entry was decided.
    PyVolatilityStop, "VolatilityStop"
);
rule_class!(
    /// Closes a position `multiple` times a column below the best price since the entry, the column
    /// as of the row before.
    PyVolatilityTrail, "VolatilityTrail"
);
rule_class!(
    /// Closes parts of a position at gains: `steps` are `(gain, fraction)` by rising gain.
    ///
    /// `of="initial"`: fractions of the first entry; `of="remaining"`: of what is held then.
    PyScaledExit, "ScaledExit"
);
rule_class!(
    /// Closes a position at the next open once it has been held for `bars` rows of its symbol.
    PyTimeExit, "TimeExit"
);
rule_class!(
    /// Closes a position at the next open once a column says against it: below `-threshold` for a
    /// long, above `threshold` for a short.
    PySignalExit, "SignalExit"
);
rule_class!(
    /// All of the rules are armed; whichever the price reaches first closes.
    PyAnyOf, "AnyOf"
);
rule_class!(
    /// Closes a position at the next open once all of the rules hold at a close.
    PyAllOf, "AllOf"
);

#[pymethods]
impl PyStopLoss {
    #[new]
    fn new(fraction: f64) -> PyResult<PyClassInitializer<Self>> {
        below_one("StopLoss", "fraction", fraction)?;
        Ok(base(PositionRule::StopLoss(fraction), format!("StopLoss({fraction})"))
            .add_subclass(Self))
    }

    /// Distance as a fraction of the price.
    #[getter]
    fn fraction(slf: PyRef<'_, Self>) -> f64 {
        distance(&slf.as_super().rule).unwrap_or(f64::NAN)
    }
}

#[pymethods]
impl PyTakeProfit {
    #[new]
    fn new(fraction: f64) -> PyResult<PyClassInitializer<Self>> {
        positive("TakeProfit", "fraction", fraction)?;
        Ok(base(PositionRule::TakeProfit(fraction), format!("TakeProfit({fraction})"))
            .add_subclass(Self))
    }

    /// Distance as a fraction of the price.
    #[getter]
    fn fraction(slf: PyRef<'_, Self>) -> f64 {
        distance(&slf.as_super().rule).unwrap_or(f64::NAN)
    }
}

#[pymethods]
impl PyTrailingStop {
    #[new]
    #[pyo3(signature = (fraction=None, *, amount=None, **unknown))]
    fn new(
        fraction: Option<f64>,
        amount: Option<f64>,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        refuse_unknown("TrailingStop", &["fraction", "amount"], unknown)?;
        match (fraction, amount) {
            (Some(fraction), None) => {
                below_one("TrailingStop", "fraction", fraction)?;
                let text = format!("TrailingStop({fraction})");
                Ok(base(PositionRule::TrailingStop(fraction), text).add_subclass(Self))
            }
            (None, Some(amount)) => {
                positive("TrailingStop", "amount", amount)?;
                let text = format!("TrailingStop(amount={amount})");
                Ok(base(PositionRule::TrailingAmount(amount), text).add_subclass(Self))
            }
            _ => Err(config_error(
                "C420",
                "TrailingStop takes a fraction or an amount, one of them",
                "tw.TrailingStop(0.1) trails by 10 percent, tw.TrailingStop(amount=2.5) by 2.50",
            )),
        }
    }

    /// Distance as a fraction of the price; `None` when it is an amount.
    #[getter]
    fn fraction(slf: PyRef<'_, Self>) -> Option<f64> {
        distance(&slf.as_super().rule)
    }

    /// Distance in currency; `None` when it is a fraction.
    #[getter]
    fn amount(slf: PyRef<'_, Self>) -> Option<f64> {
        match slf.as_super().rule {
            PositionRule::TrailingAmount(amount) => Some(amount),
            _ => None,
        }
    }
}

#[pymethods]
impl PyTighteningTrail {
    #[new]
    fn new(steps: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        let steps = rising("TighteningTrail", steps)?;
        for (_, distance) in &steps {
            below_one("TighteningTrail", "distance", *distance)?;
        }
        let text = format!("TighteningTrail({steps:?})");
        Ok(base(PositionRule::TighteningTrail(steps), text).add_subclass(Self))
    }
}

#[pymethods]
impl PyVolatilityStop {
    #[new]
    fn new(multiple: f64, column: String) -> PyResult<PyClassInitializer<Self>> {
        positive("VolatilityStop", "multiple", multiple)?;
        let text = format!("VolatilityStop({multiple}, '{column}')");
        Ok(base(PositionRule::VolatilityStop { multiple, column }, text).add_subclass(Self))
    }
}

#[pymethods]
impl PyVolatilityTrail {
    #[new]
    fn new(multiple: f64, column: String) -> PyResult<PyClassInitializer<Self>> {
        positive("VolatilityTrail", "multiple", multiple)?;
        let text = format!("VolatilityTrail({multiple}, '{column}')");
        Ok(base(PositionRule::VolatilityTrail { multiple, column }, text).add_subclass(Self))
    }
}

#[pymethods]
impl PyScaledExit {
    #[new]
    #[pyo3(signature = (steps, *, of="initial", **unknown))]
    fn new(
        steps: &Bound<'_, PyAny>,
        of: &str,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        refuse_unknown("ScaledExit", &["steps", "of"], unknown)?;
        let steps = rising("ScaledExit", steps)?;
        for (_, fraction) in &steps {
            share("ScaledExit", "fraction", *fraction)?;
        }
        let parts = [("initial", ScaledOf::Initial), ("remaining", ScaledOf::Remaining)];
        let text = format!("ScaledExit({steps:?}, of='{of}')");
        let of = one_of("of", of, &parts)?;
        Ok(base(PositionRule::ScaledExit { steps, of }, text).add_subclass(Self))
    }
}

#[pymethods]
impl PyTimeExit {
    #[new]
    fn new(bars: i64) -> PyResult<PyClassInitializer<Self>> {
        let rows = u32::try_from(bars).ok().filter(|rows| *rows > 0).ok_or_else(|| {
            config_error(
                "C422",
                format!("TimeExit: bars={bars}, expected a whole number of at least 1"),
                "tw.TimeExit(20) closes after twenty rows of the symbol",
            )
        })?;
        Ok(base(PositionRule::TimeExit(rows), format!("TimeExit({rows})")).add_subclass(Self))
    }
}

#[pymethods]
impl PySignalExit {
    #[new]
    #[pyo3(signature = (column, threshold=0.0, **unknown))]
    fn new(
        column: String,
        threshold: f64,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        refuse_unknown("SignalExit", &["column", "threshold"], unknown)?;
        not_negative("SignalExit", "threshold", threshold)?;
        let text = format!("SignalExit('{column}', {threshold})");
        Ok(base(PositionRule::SignalExit { column, threshold }, text).add_subclass(Self))
    }
}

#[pymethods]
impl PyAnyOf {
    #[new]
    #[pyo3(signature = (*rules))]
    fn new(rules: &Bound<'_, PyTuple>) -> PyResult<PyClassInitializer<Self>> {
        let (rules, text) = parts("AnyOf", rules)?;
        Ok(base(PositionRule::Any(rules), text).add_subclass(Self))
    }
}

#[pymethods]
impl PyAllOf {
    #[new]
    #[pyo3(signature = (*rules))]
    fn new(rules: &Bound<'_, PyTuple>) -> PyResult<PyClassInitializer<Self>> {
        let (rules, text) = parts("AllOf", rules)?;
        Ok(base(PositionRule::All(rules), text).add_subclass(Self))
    }
}

fn distance(rule: &PositionRule) -> Option<f64> {
    match rule {
        PositionRule::StopLoss(x) | PositionRule::TakeProfit(x) | PositionRule::TrailingStop(x) => {
            Some(*x)
        }
        _ => None,
    }
}

/// Reads steps whose gains rise.
fn rising(class: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<(f64, f64)>> {
    let steps = given.extract::<Vec<(f64, f64)>>().unwrap_or_default();
    let rises = steps.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let is_gain = |(gain, _): &(f64, f64)| gain.is_finite() && *gain >= 0.0;
    if !steps.is_empty() && rises && steps.iter().all(is_gain) {
        return Ok(steps);
    }
    Err(config_error(
        "C422",
        format!("{class}: {given} is no list of pairs with rising gains from 0 up"),
        "for example [(0.05, 0.5), (0.10, 0.5)]: at a gain of 5 percent, then at 10 percent",
    ))
}

/// The rules of a group, given one by one or as a list.
fn parts(class: &str, rules: &Bound<'_, PyTuple>) -> PyResult<(Vec<PositionRule>, String)> {
    let listed = match rules.len() {
        1 if rules.get_item(0)?.cast::<PyPositionRule>().is_err() => rules.get_item(0)?,
        _ => rules.clone().into_any(),
    };
    let read = position_rules(Some(&listed))?;
    if read.is_empty() {
        return Err(config_error(
            "C421",
            format!("{class}() has no rule"),
            "for example tw.AllOf(tw.TimeExit(5), tw.StopLoss(0.02))",
        ));
    }
    let texts: PyResult<Vec<String>> =
        listed.try_iter()?.map(|rule| rule.and_then(|rule| rule.repr()?.extract())).collect();
    Ok((read, format!("{class}({})", texts?.join(", "))))
}

/// Reads a rule or a sequence of rules.
///
/// # Errors
/// `ConfigError` `TW-C421` for anything else.
pub fn position_rules(rules: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<PositionRule>> {
    let Some(rules) = rules else { return Ok(Vec::new()) };
    if let Ok(rule) = rules.cast::<PyPositionRule>() {
        return Ok(vec![rule.get().rule.clone()]);
    }
    let not_rules = |value: &Bound<'_, PyAny>| {
        config_error(
            "C421",
            format!("{value} is no position rule"),
            "use tw.StopLoss(0.05), tw.TakeProfit(0.1), tw.TrailingStop(0.1) or a list of them",
        )
    };
    let mut read = Vec::new();
    for rule in rules.try_iter().map_err(|_| not_rules(rules))? {
        let rule = rule?;
        read.push(rule.cast::<PyPositionRule>().map_err(|_| not_rules(&rule))?.get().rule.clone());
    }
    Ok(read)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPositionRule>()?;
    module.add_class::<PyStopLoss>()?;
    module.add_class::<PyTakeProfit>()?;
    module.add_class::<PyTrailingStop>()?;
    module.add_class::<PyTighteningTrail>()?;
    module.add_class::<PyVolatilityStop>()?;
    module.add_class::<PyVolatilityTrail>()?;
    module.add_class::<PyScaledExit>()?;
    module.add_class::<PyTimeExit>()?;
    module.add_class::<PySignalExit>()?;
    module.add_class::<PyAnyOf>()?;
    module.add_class::<PyAllOf>()
}
