//! `Instrument`: what is particular to what is traded.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::broker::{Instrument, Margin};

use crate::argument::{not_negative, positive, share};
use crate::errors::{config_error, refuse_unknown};
use crate::grid::code;
use crate::screen::screen;

/// What is particular to an instrument. The default is a share of stock without particulars.
///
/// `lot` and `tick` are the steps of quantity and price, `multiplier` is currency per unit of
/// price. `margin` and `maintenance` are currency a contract, `margin_rate` and `maintenance_rate`
/// fractions of the position's value. `future=True` settles gains in cash each row. `spread` is the
/// full bid-ask spread for `Slippage.spread`, `borrow_rate` a fraction a year on short positions.
///
///     >>> import tapeworks as tw
///     >>> tw.Instrument(multiplier=50.0, tick=0.25, future=True, margin=12_000.0)
///     Instrument(multiplier=50, tick=0.25, margin=12000, future=True)
#[pyclass(frozen, name = "Instrument", module = "tapeworks")]
pub struct PyInstrument {
    pub terms: Instrument,
    text: String,
}

#[pymethods]
impl PyInstrument {
    #[new]
    #[pyo3(signature = (
        *, lot=None, tick=None, multiplier=1.0, min_notional=0.0, max_quantity=None,
        shortable=true, future=false, has_volume=true, negative_prices=false, margin=None,
        margin_rate=None, maintenance=None, maintenance_rate=None, borrow_rate=None, spread=None,
        **unknown
    ))]
    #[expect(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        reason = "they are its keywords"
    )]
    fn new(
        lot: Option<f64>,
        tick: Option<f64>,
        multiplier: f64,
        min_notional: f64,
        max_quantity: Option<f64>,
        shortable: bool,
        future: bool,
        has_volume: bool,
        negative_prices: bool,
        margin: Option<f64>,
        margin_rate: Option<f64>,
        maintenance: Option<f64>,
        maintenance_rate: Option<f64>,
        borrow_rate: Option<f64>,
        spread: Option<f64>,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown(
            "Instrument",
            &[
                "lot",
                "tick",
                "multiplier",
                "min_notional",
                "max_quantity",
                "shortable",
                "future",
                "has_volume",
                "negative_prices",
                "margin",
                "margin_rate",
                "maintenance",
                "maintenance_rate",
                "borrow_rate",
                "spread",
            ],
            unknown,
        )?;
        let function = "Instrument";
        let mut parts = Vec::new();
        let mut above_0 = |name: &str, value: Option<f64>| -> PyResult<Option<f64>> {
            let Some(value) = value else { return Ok(None) };
            parts.push(format!("{name}={value}"));
            positive(function, name, value).map(Some)
        };
        let is_plain = multiplier.total_cmp(&1.0).is_eq();
        above_0("multiplier", Some(multiplier).filter(|_| !is_plain))?;
        let (lot, tick) = (above_0("lot", lot)?, above_0("tick", tick)?);
        let max_quantity = above_0("max_quantity", max_quantity)?;
        let initial =
            required("margin", above_0("margin", margin)?, above_0("margin_rate", margin_rate)?)?;
        let kept = required(
            "maintenance",
            above_0("maintenance", maintenance)?,
            above_0("maintenance_rate", maintenance_rate)?,
        )?;
        not_negative(function, "min_notional", min_notional)?;
        for (name, value) in [("borrow_rate", borrow_rate), ("spread", spread)] {
            if let Some(value) = value {
                parts.push(format!("{name}={}", not_negative(function, name, value)?));
            }
        }
        if min_notional > 0.0 {
            parts.push(format!("min_notional={min_notional}"));
        }
        for (name, on, usual) in [
            ("shortable", shortable, true),
            ("future", future, false),
            ("has_volume", has_volume, true),
            ("negative_prices", negative_prices, false),
        ] {
            if on != usual {
                parts.push(format!("{name}={}", if on { "True" } else { "False" }));
            }
        }
        let terms = Instrument {
            lot: lot.unwrap_or(f64::NAN),
            tick: tick.unwrap_or(f64::NAN),
            multiplier,
            min_notional,
            max_quantity: max_quantity.unwrap_or(f64::INFINITY),
            is_shortable: shortable,
            is_future: future,
            has_volume,
            allows_negative_prices: negative_prices,
            initial_margin: initial,
            maintenance_margin: if kept == Margin::Account { initial } else { kept },
            borrow_rate: borrow_rate.unwrap_or(f64::NAN),
            spread: spread.unwrap_or(f64::NAN),
        };
        Ok(Self { terms, text: format!("Instrument({})", parts.join(", ")) })
    }

    fn __repr__(&self) -> String {
        screen(&self.text)
    }

    fn _repr_html_(&self) -> String {
        code(&self.text)
    }
}

fn required(name: &str, amount: Option<f64>, rate: Option<f64>) -> PyResult<Margin> {
    match (amount, rate) {
        (Some(_), Some(_)) => Err(config_error(
            "C422",
            format!("Instrument: {name} and {name}_rate are both given"),
            "one is currency a contract, the other a fraction of the position's value",
        )),
        (Some(amount), None) => Ok(Margin::PerContract(amount)),
        (None, Some(rate)) => {
            share("Instrument", &format!("{name}_rate"), rate).map(Margin::Fraction)
        }
        (None, None) => Ok(Margin::Account),
    }
}

/// Reads the argument `instruments`: terms by symbol.
///
/// # Errors
/// `ConfigError` `TW-C425` for anything else.
pub fn instruments(given: Option<&Bound<'_, PyDict>>) -> PyResult<BTreeMap<String, Instrument>> {
    let mut read = BTreeMap::new();
    for (symbol, terms) in given.into_iter().flatten() {
        let symbol: String = symbol.extract()?;
        let terms = terms.cast::<PyInstrument>().map_err(|_| {
            config_error(
                "C425",
                format!("instruments[{symbol:?}] is {terms}, which is no instrument"),
                "for example instruments={\"ES\": tw.Instrument(multiplier=50, margin=12000)}",
            )
        })?;
        read.insert(symbol, terms.get().terms);
    }
    Ok(read)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyInstrument>()
}
