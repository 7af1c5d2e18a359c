//! Cost models that are Python callables.

use std::fmt;
use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base::spelling::nearest;
use tapeworks::broker::{FeeBasis, FeeModel, PriceBasis, PriceModel};

use crate::errors::{StrategyError, config_error};

/// What a fee may depend on, as keywords.
const FEE_NAMES: &[&str] = &[
    "quantity",
    "price",
    "multiplier",
    "value",
    "side",
    "maker",
    "order_quantity",
    "order_value",
    "order_fees",
    "month_quantity",
    "month_value",
    "month_fees",
];
/// What a price cost may depend on, as keywords.
const PRICE_NAMES: &[&str] =
    &["quantity", "price", "side", "volume", "used", "tick", "spread", "sigma", "adv", "asset"];

/// The exception that a model has raised, until the run has ended.
pub type Failure = Arc<Mutex<Option<PyErr>>>;

/// A callable that gives a number, and the keywords that it takes.
pub struct Callable {
    call: Py<PyAny>,
    /// What the model is, in messages: `commission`, `slippage`, `impact`.
    what: &'static str,
    name: String,
    takes: Vec<&'static str>,
    failure: Failure,
}

impl fmt::Debug for Callable {
    /// The name alone: the text enters the hash of a run and holds no address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

impl Callable {
    /// Looks at the signature of a callable; it is called with the keywords that it names.
    ///
    /// # Errors
    /// `ConfigError` `TW-C423` when it cannot be called, or asks for a keyword that there is none
    /// of.
    pub fn new(what: &'static str, call: &Bound<'_, PyAny>) -> PyResult<Self> {
        let known = if what == "commission" { FEE_NAMES } else { PRICE_NAMES };
        if !call.is_callable() {
            let class = call.get_type().name()?;
            return Err(config_error(
                "C423",
                format!("the {what} model is a {class}, which cannot be called"),
                "give a function, for example lambda quantity, price: 0.01 * quantity",
            ));
        }
        let name = call
            .getattr("__name__")
            .and_then(|name| name.extract())
            .or_else(|_| call.get_type().name().map(|name| name.to_string()))?;
        let takes = taken(what, call, known)?;
        let failure = Arc::new(Mutex::new(None));
        Ok(Self { call: call.clone().unbind(), what, name, takes, failure })
    }

    /// Where the exception of a call is kept.
    pub fn failure(&self) -> Failure {
        Arc::clone(&self.failure)
    }

    /// The number that the callable gives for these keywords; NaN after an exception, which the
    /// engine refuses.
    fn ask(&self, fill: impl Fn(&Bound<'_, PyDict>, &str) -> PyResult<()>) -> f64 {
        Python::attach(|py| {
            let asked = || -> PyResult<f64> {
                let keywords = PyDict::new(py);
                for name in &self.takes {
                    fill(&keywords, name)?;
                }
                let cost: f64 = self.call.bind(py).call((), Some(&keywords))?.extract()?;
                if cost.is_finite() {
                    return Ok(cost);
                }
                Err(PyValueError::new_err(format!("it gave {cost}: a cost is finite")))
            };
            asked().unwrap_or_else(|error| {
                let mut kept = self.failure.lock().expect("no panic happens while it is held");
                kept.get_or_insert_with(|| self.placed(py, error));
                f64::NAN
            })
        })
    }

    /// The exception as a `StrategyError` that names the model; interrupts pass as they are.
    fn placed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        if !error.is_instance_of::<pyo3::exceptions::PyException>(py) {
            return error;
        }
        let class = error.get_type(py).name().map_or(String::new(), |name| name.to_string());
        let text = error.value(py).str().map_or(String::new(), |text| text.to_string());
        let message = format!("TW-S112: {class} in the {} model {}: {text}", self.what, self.name);
        let raised = StrategyError::new_err(message);
        let _ = raised.value(py).setattr("code", "TW-S112");
        raised.set_cause(py, Some(error));
        raised
    }
}

/// The keywords of ours that a callable takes.
fn taken(
    what: &str,
    call: &Bound<'_, PyAny>,
    known: &[&'static str],
) -> PyResult<Vec<&'static str>> {
    let py = call.py();
    let Ok(signature) = py.import("inspect")?.call_method1("signature", (call,)) else {
        return Ok(known.to_vec());
    };
    let mut takes = Vec::new();
    for parameter in signature.getattr("parameters")?.call_method0("values")?.try_iter()? {
        let parameter = parameter?;
        let name: String = parameter.getattr("name")?.extract()?;
        let kind: String = parameter.getattr("kind")?.getattr("name")?.extract()?;
        if kind == "VAR_KEYWORD" {
            return Ok(known.to_vec());
        }
        if let Some(name) = known.iter().find(|known| **known == name) {
            takes.push(*name);
            continue;
        }
        let empty = parameter.getattr("empty")?;
        let has_default = !parameter.getattr("default")?.is(&empty);
        if !has_default && kind != "VAR_POSITIONAL" {
            let near = nearest(&name, known.iter().copied())
                .map_or(String::new(), |near| format!("; did you mean '{near}'?"));
            return Err(config_error(
                "C423",
                format!("the {what} model asks for '{name}', which there is none of{near}"),
                &format!("a {what} model may take: {}", known.join(", ")),
            ));
        }
    }
    Ok(takes)
}

fn side(is_sell: bool) -> &'static str {
    if is_sell { "sell" } else { "buy" }
}

impl FeeModel for Callable {
    fn fee(&self, basis: &FeeBasis) -> f64 {
        self.ask(|keywords, name| match name {
            "quantity" => keywords.set_item(name, basis.quantity),
            "price" => keywords.set_item(name, basis.price),
            "multiplier" => keywords.set_item(name, basis.multiplier),
            "value" => keywords.set_item(name, basis.notional()),
            "side" => keywords.set_item(name, side(basis.is_sell)),
            "maker" => keywords.set_item(name, basis.is_maker),
            "order_quantity" => keywords.set_item(name, basis.order.units),
            "order_value" => keywords.set_item(name, basis.order.notional),
            "order_fees" => keywords.set_item(name, basis.order.fees),
            "month_quantity" => keywords.set_item(name, basis.month.units),
            "month_value" => keywords.set_item(name, basis.month.notional),
            _ => keywords.set_item(name, basis.month.fees),
        })
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}

/// A price cost in Python, and what it looks at.
#[derive(Debug)]
pub struct PyPriceModel {
    pub callable: Callable,
    pub needs_volume: bool,
    pub past_rows: usize,
}

impl PriceModel for PyPriceModel {
    fn per_unit(&self, basis: &PriceBasis) -> f64 {
        self.callable.ask(|keywords, name| match name {
            "quantity" => keywords.set_item(name, basis.quantity),
            "price" => keywords.set_item(name, basis.price),
            "side" => keywords.set_item(name, side(basis.sign < 0.0)),
            "volume" => keywords.set_item(name, basis.volume),
            "used" => keywords.set_item(name, basis.used),
            "tick" => keywords.set_item(name, basis.tick),
            "spread" => keywords.set_item(name, basis.spread),
            "sigma" => keywords.set_item(name, basis.sigma),
            "adv" => keywords.set_item(name, basis.adv),
            _ => keywords.set_item(name, basis.asset.0),
        })
    }

    fn needs_volume(&self) -> bool {
        self.needs_volume
    }

    fn past_rows(&self) -> usize {
        self.past_rows
    }

    fn describe(&self) -> String {
        self.callable.name.clone()
    }
}
