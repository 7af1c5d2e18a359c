//! The exception tree, and the way from the engine's one error type to it.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base::{self, ErrorKind};

use tapeworks::base::spelling::nearest;

create_exception!(
    tapeworks,
    Error,
    PyException,
    "Base of every error that tapeworks raises; `.code` is stable, `.hint` says how to go on."
);
create_exception!(tapeworks, DataError, Error, "Input data breaks a rule.");
create_exception!(
    tapeworks,
    LookAheadError,
    Error,
    "A value would have been used before it was available."
);
create_exception!(tapeworks, ConfigError, Error, "A configuration or an argument is wrong.");
create_exception!(tapeworks, OrderError, Error, "An order that can never be valid.");
create_exception!(
    tapeworks,
    StrategyError,
    Error,
    "The strategy failed; `__cause__` is its own exception, the message has time and symbol."
);
create_exception!(tapeworks, OutputError, Error, "A result could not be written.");
create_exception!(tapeworks, ResourceError, Error, "A cap on memory or files was reached.");

/// The Python exception of an engine error, with `.code` and `.hint`.
pub fn py_err(error: base::Error) -> PyErr {
    let text = error.to_string();
    let raised = match error.kind() {
        ErrorKind::Data => DataError::new_err(text),
        ErrorKind::LookAhead => LookAheadError::new_err(text),
        ErrorKind::Config => ConfigError::new_err(text),
        ErrorKind::Order => OrderError::new_err(text),
        ErrorKind::Strategy => StrategyError::new_err(text),
        ErrorKind::Output => OutputError::new_err(text),
        ErrorKind::Resource => ResourceError::new_err(text),
        ErrorKind::Interrupted => return PyKeyboardInterrupt::new_err(text),
    };
    Python::attach(|py| {
        let value = raised.value(py);
        let set = value
            .setattr("code", format!("TW-{}", error.code()))
            .and_then(|()| value.setattr("hint", error.hint()));
        set.err().unwrap_or(raised)
    })
}

/// An order error raised by a helper of the strategy.
pub fn order_error(code: &'static str, message: impl Into<String>, hint: &str) -> PyErr {
    py_err(base::Error::order(code, message).with_hint(hint))
}

/// A configuration error raised by an argument.
pub fn config_error(code: &'static str, message: impl Into<String>, hint: &str) -> PyErr {
    py_err(base::Error::config(code, message).with_hint(hint))
}

/// Refuses the keywords that a function does not have, and names the nearest one it has.
///
/// # Errors
/// `TypeError` for the first unknown keyword.
pub fn refuse_unknown(
    function: &str,
    known: &[&str],
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    let names = unknown.into_iter().flat_map(PyDictMethods::keys);
    let names = names.map(|name| name.extract::<String>()).collect::<PyResult<Vec<_>>>()?;
    let Some(name) = names.into_iter().find(|name| !known.contains(&name.as_str())) else {
        return Ok(());
    };
    let tail = match nearest(&name, known.iter().copied()) {
        Some(near) => format!("; did you mean '{near}'?"),
        None => format!("; it has: {}", known.join(", ")),
    };
    Err(PyTypeError::new_err(format!("{function}() has no argument '{name}'{tail}")))
}

/// Reads one of a closed list of words.
///
/// # Errors
/// `ConfigError` that lists the words and names the nearest.
pub fn one_of<T: Copy>(argument: &str, given: &str, table: &[(&str, T)]) -> PyResult<T> {
    if let Some((_, value)) = table.iter().find(|(word, _)| *word == given) {
        return Ok(*value);
    }
    let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
    let near = nearest(given, words.iter().copied())
        .map_or(String::new(), |near| format!("; did you mean '{near}'?"));
    Err(config_error(
        "C410",
        format!("{argument}={given:?} is not known{near}"),
        &format!("use one of: {}", words.join(", ")),
    ))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let base = py.get_type::<Error>();
    base.setattr("code", py.None())?;
    base.setattr("hint", py.None())?;
    module.add("Error", base)?;
    module.add("DataError", py.get_type::<DataError>())?;
    module.add("LookAheadError", py.get_type::<LookAheadError>())?;
    module.add("ConfigError", py.get_type::<ConfigError>())?;
    module.add("OrderError", py.get_type::<OrderError>())?;
    module.add("StrategyError", py.get_type::<StrategyError>())?;
    module.add("OutputError", py.get_type::<OutputError>())?;
    module.add("ResourceError", py.get_type::<ResourceError>())
}
