//! Checks of single arguments, each with the name of function and argument in its message.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::config_error;

/// Refuses a number for which `is_valid` does not hold; `rule` says what does.
///
/// # Errors
/// `ConfigError` `TW-C422`.
pub fn number(
    function: &str,
    argument: &str,
    value: f64,
    is_valid: bool,
    rule: &str,
) -> PyResult<f64> {
    if is_valid {
        return Ok(value);
    }
    Err(config_error(
        "C422",
        format!("{function}: {argument}={value}, expected a number {rule}"),
        "numbers are units, currency, basis points (bps) or fractions (0.05 is 5 %), as named",
    ))
}

/// A finite number.
pub fn finite(function: &str, argument: &str, value: f64) -> PyResult<f64> {
    number(function, argument, value, value.is_finite(), "that is finite")
}

/// A finite number from 0 up.
pub fn not_negative(function: &str, argument: &str, value: f64) -> PyResult<f64> {
    number(function, argument, value, value.is_finite() && value >= 0.0, "from 0 up")
}

/// A finite number above 0.
pub fn positive(function: &str, argument: &str, value: f64) -> PyResult<f64> {
    number(function, argument, value, value.is_finite() && value > 0.0, "above 0")
}

/// A fraction above 0 and at most 1.
pub fn share(function: &str, argument: &str, value: f64) -> PyResult<f64> {
    number(function, argument, value, value > 0.0 && value <= 1.0, "above 0 and at most 1")
}

/// A fraction above 0 and below 1.
pub fn below_one(function: &str, argument: &str, value: f64) -> PyResult<f64> {
    number(function, argument, value, value > 0.0 && value < 1.0, "above 0 and below 1")
}

/// The largest fee as a fraction of the value; none is infinite.
pub fn maximum(function: &str, value: Option<f64>) -> PyResult<f64> {
    value.map_or(Ok(f64::INFINITY), |value| share(function, "maximum", value))
}

/// The keywords of a call, read one by one; `None` is the same as left out.
pub struct Options<'a, 'py> {
    function: &'a str,
    given: Option<&'a Bound<'py, PyDict>>,
}

impl<'a, 'py> Options<'a, 'py> {
    pub fn new(function: &'a str, given: Option<&'a Bound<'py, PyDict>>) -> Self {
        Self { function, given }
    }

    pub fn any(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(given) = self.given else { return Ok(None) };
        Ok(given.get_item(name)?.filter(|value| !value.is_none()))
    }

    pub fn text(&self, name: &str) -> PyResult<Option<String>> {
        let Some(value) = self.any(name)? else { return Ok(None) };
        value.extract().map(Some).map_err(|_| self.no(name, &value, "a text"))
    }

    pub fn number(&self, name: &str) -> PyResult<Option<f64>> {
        let Some(value) = self.any(name)? else { return Ok(None) };
        value.extract().map(Some).map_err(|_| self.no(name, &value, "a number"))
    }

    pub fn whole(&self, name: &str) -> PyResult<Option<u64>> {
        let Some(value) = self.any(name)? else { return Ok(None) };
        value.extract().map(Some).map_err(|_| self.no(name, &value, "a whole number from 0 up"))
    }

    pub fn flag(&self, name: &str) -> PyResult<Option<bool>> {
        let Some(value) = self.any(name)? else { return Ok(None) };
        value.extract().map(Some).map_err(|_| self.no(name, &value, "True or False"))
    }

    pub fn path(&self, name: &str) -> PyResult<Option<PathBuf>> {
        let Some(value) = self.any(name)? else { return Ok(None) };
        value.extract().map(Some).map_err(|_| self.no(name, &value, "a path"))
    }

    /// The complaint about a value of another type.
    pub fn no(&self, name: &str, value: &Bound<'_, PyAny>, wanted: &str) -> PyErr {
        let class = value.get_type().name().map_or(String::new(), |name| name.to_string());
        let text = value.repr().map_or(String::new(), |text| text.to_string());
        let text = if text.chars().count() <= 40 { format!("={text}") } else { String::new() };
        PyTypeError::new_err(format!("{}: {name}{text} is a {class}, not {wanted}", self.function))
    }
}
