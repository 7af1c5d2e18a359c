//! The argument `semantics`: a name, or a mapping of `base` and knobs.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};
use tapeworks::base;
use tapeworks::broker::Semantics;
use tapeworks::run::{KnobValue, change_knob, semantics_named};

use crate::errors::{config_error, py_err};

/// Reads a name such as `"realistic"`, or `{"base": "realistic", "both_hit": "profit_first"}`.
///
/// # Errors
/// `ConfigError` that names the nearest name, knob or word, and all of them.
pub fn semantics(value: &Bound<'_, PyAny>) -> PyResult<Semantics> {
    let of = |error: base::Error| {
        let placed = base::Error::config(error.code(), format!("semantics: {}", error.message()));
        py_err(match error.hint() {
            Some(hint) => placed.with_hint(hint),
            None => placed,
        })
    };
    if let Ok(name) = value.extract::<String>() {
        return semantics_named(&name).map_err(of);
    }
    let Ok(changes) = value.cast::<PyDict>() else {
        return Err(config_error(
            "C460",
            format!("semantics={} is neither a name nor a mapping", value.repr()?),
            "for example semantics={\"base\": \"realistic\", \"both_hit\": \"profit_first\"}",
        ));
    };
    let base = changes.get_item("base")?;
    let base = base.map_or(Ok(Semantics::REALISTIC.name.to_owned()), |base| base.extract())?;
    let mut semantics = semantics_named(&base).map_err(of)?;
    for (knob, value) in changes.iter() {
        let knob: String = knob.extract()?;
        if knob == "base" {
            continue;
        }
        let value = if value.is_instance_of::<PyBool>() {
            KnobValue::Flag(value.extract()?)
        } else if let Ok(number) = value.extract::<f64>() {
            KnobValue::Number(number)
        } else {
            KnobValue::Word(value.str()?.extract()?)
        };
        change_knob(&mut semantics, &knob, &value).map_err(of)?;
    }
    Ok(semantics)
}
