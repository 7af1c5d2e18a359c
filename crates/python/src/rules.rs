//! Built-in strategies: values that name a rule; the rule itself runs wholly in Rust.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::engine::rules;
use tapeworks::run::config::{Rule, Weight};

use crate::errors::{config_error, one_of, py_err, refuse_unknown};
use crate::grid::code;
use crate::screen::screen;

/// A built-in strategy, for `tw.run`.
#[pyclass(frozen, name = "Rule", module = "tapeworks")]
pub struct PyRule(pub Rule);

#[pymethods]
impl PyRule {
    /// The name of the rule in configs.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn __repr__(&self) -> String {
        screen(&self.describe())
    }

    fn _repr_html_(&self) -> String {
        code(&self.__repr__())
    }
}

impl PyRule {
    /// The rule with its parameters on one line.
    pub fn describe(&self) -> String {
        tapeworks::run::describe_rule(&self.0)
    }
}

/// Does nothing.
#[pyfunction]
fn noop() -> PyRule {
    PyRule(Rule::Noop)
}

/// Buys every symbol with an equal share of the cash at its first row, and holds.
#[pyfunction]
fn buy_and_hold() -> PyRule {
    PyRule(Rule::BuyAndHold)
}

/// Buys `quantity` units when the mean of the last `fast` closes crosses above that of the last
/// `slow` ones, sells them when it crosses below.
#[pyfunction]
#[pyo3(signature = (fast, slow, quantity, **unknown))]
fn sma_cross(
    fast: u64,
    slow: u64,
    quantity: f64,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyRule> {
    refuse_unknown("sma_cross", &["fast", "slow", "quantity"], unknown)?;
    let rows = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    rules::SmaCross::new(rows(fast), rows(slow), quantity).map_err(py_err)?;
    Ok(PyRule(Rule::SmaCross { fast, slow, quantity }))
}

/// Holds the `n` symbols with the highest signal.
///
/// `rebalance`: `"1d"`, `"5d"` (every fifth timestamp of the run; `phase` moves it), `"1w"` or
/// `"month_end"`. `weight`: `"equal"`, `"signal"`, `"inverse_vol"` or each holding's share of
/// equity. `where`: a condition such
/// as `"context.vix < 30"`; where it is false, nothing is held.
///
///     >>> import tapeworks as tw
///     >>> rule = tw.rules.top_n("score", 2, rebalance="5d", where="context.vix < 30")
///     >>> rule.name
///     'top_n'
///     >>> result = tw.run(tw.sample("daily"), rule)
#[pyfunction]
#[pyo3(signature = (
    signal, n, *, rebalance="1d", phase=None, weight=None, long_short=false, max_weight=None,
    r#where=None, **unknown
))]
#[expect(clippy::too_many_arguments, reason = "they are its keywords")]
fn top_n(
    signal: String,
    n: u64,
    rebalance: &str,
    phase: Option<u64>,
    weight: Option<&Bound<'_, PyAny>>,
    long_short: bool,
    max_weight: Option<f64>,
    r#where: Option<String>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyRule> {
    let known =
        ["signal", "n", "rebalance", "phase", "weight", "long_short", "max_weight", "where"];
    refuse_unknown("top_n", &known, unknown)?;
    let weight = match weight {
        None => Weight::Equal,
        Some(given) => match (given.extract::<f64>(), given.extract::<String>()) {
            (Ok(share), _) if share > 0.0 && share <= 1.0 => Weight::Share(share),
            (_, Ok(word)) => one_of(
                "weight",
                &word,
                &[
                    ("equal", Weight::Equal),
                    ("signal", Weight::Signal),
                    ("inverse_vol", Weight::InverseVol),
                ],
            )?,
            _ => {
                return Err(config_error(
                    "C450",
                    format!("top_n: weight={given} is no share of equity in (0, 1]"),
                    "use 0.02, or one of \"equal\", \"signal\", \"inverse_vol\"",
                ));
            }
        },
    };
    let cycle_phase = phase.map(|phase| u32::try_from(phase).unwrap_or(u32::MAX));
    rules::Rebalance::parse(rebalance, cycle_phase).map_err(py_err)?;
    Ok(PyRule(Rule::TopN {
        signal,
        n,
        rebalance: rebalance.to_owned(),
        phase,
        weight,
        long_short,
        max_weight,
        condition: r#where,
    }))
}

/// Holds the weights (fractions of equity) that a signal or indicator column names.
#[pyfunction]
fn weights(column: String) -> PyRule {
    PyRule(Rule::Weights { column })
}

/// Enters where `entry` is true and leaves where `exit` is, both conditions over a row's columns.
///
///     >>> import tapeworks as tw
///     >>> rule = tw.rules.entries_exits("context.vix > 35", "context.vix < 20", quantity=10)
///     >>> len(tw.run(tw.sample("daily"), rule).trades)
///     18
#[pyfunction]
#[pyo3(signature = (entry, exit, *, quantity=None, percent=None, **unknown))]
fn entries_exits(
    entry: String,
    exit: String,
    quantity: Option<f64>,
    percent: Option<f64>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyRule> {
    refuse_unknown("entries_exits", &["entry", "exit", "quantity", "percent"], unknown)?;
    if quantity.is_some() == percent.is_some() {
        return Err(config_error(
            "C451",
            "entries_exits takes exactly one of quantity and percent",
            "quantity is units, percent a share of equity (0.05 is 5 %)",
        ));
    }
    Ok(PyRule(Rule::EntriesExits { entry, exit, quantity, percent }))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyRule>()?;
    module.add_function(wrap_pyfunction!(noop, module)?)?;
    module.add_function(wrap_pyfunction!(buy_and_hold, module)?)?;
    module.add_function(wrap_pyfunction!(sma_cross, module)?)?;
    module.add_function(wrap_pyfunction!(top_n, module)?)?;
    module.add_function(wrap_pyfunction!(weights, module)?)?;
    module.add_function(wrap_pyfunction!(entries_exits, module)?)
}
