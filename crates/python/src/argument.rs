//! Checks of single numbers, each with the name of function and argument in its message.

use pyo3::prelude::*;

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
