//! `Strategy.history`: windows of the rows up to now, as arrays and `Bars`.

use std::sync::{Arc, Mutex};

use arrow::buffer::ScalarBuffer;
use pyo3::prelude::*;
use tapeworks::bars::{Bars, Terms};
use tapeworks::base::{AssetId, Step};
use tapeworks::lookback::{Lookback, PastColumn};

use crate::bars::PyBars;
use crate::errors::{config_error, py_err};
use crate::event::no_column;
use crate::indicator::PyIndicator;
use crate::market::Market;
use crate::numpy_view;

/// What `history` was asked for.
pub struct Asked<'a, 'py> {
    pub symbol: &'a str,
    pub length: usize,
    pub column: Option<&'a Bound<'py, PyAny>>,
    pub step: Option<Step>,
    /// What is known of the rows besides their values.
    pub terms: &'a Arc<Terms>,
}

/// One column as a read-only array, or all of them as `Bars`.
pub fn history<'py>(
    py: Python<'py>,
    market: &Market,
    lookback: &Arc<Mutex<Lookback>>,
    asked: &Asked<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let asset = market.asset(asked.symbol)?;
    let column = asked.column.map(|column| column_of(market, column)).transpose()?;
    if let Some(step) = asked.step {
        return coarser(py, market, lookback, asked, (asset, column, step));
    }
    let mut lookback = lookback.lock().expect("no panic happens while it is held");
    if let Some(column) = column {
        let values = lookback.window(asset, column, asked.length).map_err(py_err)?;
        drop(lookback);
        return numpy_view::view(py, Box::new(values.clone()), &values);
    }
    let rows = lookback.rows(asset, asked.length).map_err(py_err)?;
    drop(lookback);
    bars(py, market, asked, rows.timestamps, rows.columns)
}

/// Rows of one symbol as `Bars`, which make frames of them when asked.
fn bars<'py>(
    py: Python<'py>,
    market: &Market,
    asked: &Asked<'_, 'py>,
    timestamps: impl Into<ScalarBuffer<i64>>,
    columns: Vec<impl Into<ScalarBuffer<f64>>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (names, terms) = (market.column_names(), Arc::clone(asked.terms));
    let bars = Bars::of_rows(asked.symbol, timestamps, names, columns, terms);
    Ok(Bound::new(py, PyBars::new(bars))?.into_any())
}

/// Bars of a longer step.
fn coarser<'py>(
    py: Python<'py>,
    market: &Market,
    lookback: &Arc<Mutex<Lookback>>,
    asked: &Asked<'_, 'py>,
    (asset, column, step): (AssetId, Option<PastColumn>, Step),
) -> PyResult<Bound<'py, PyAny>> {
    let bars = {
        let mut lookback = lookback.lock().expect("no panic happens while it is held");
        lookback.coarser(asset, step, asked.length).map_err(py_err)?
    };
    match column {
        None => self::bars(py, market, asked, bars.timestamps, bars.columns),
        Some(PastColumn::Row(wanted)) => {
            let place = market.layout.row_columns().position(|(_, column)| column == wanted);
            let values = bars.columns.into_iter().nth(place.expect("it was found by its name"));
            let values: Arc<[f64]> = values.expect("every column is there").into();
            numpy_view::view(py, Box::new(Arc::clone(&values)), &values)
        }
        Some(PastColumn::Running(..)) => Err(config_error(
            "C301",
            "history of an indicator has no timeframe".to_owned(),
            "leave timeframe out, or compute the figure from history(symbol, n, column, timeframe)",
        )),
    }
}

/// A column by name, or that of an indicator.
fn column_of(market: &Market, column: &Bound<'_, PyAny>) -> PyResult<PastColumn> {
    if let Ok(indicator) = column.cast::<PyIndicator>() {
        return indicator.get().past_column();
    }
    let name: String = column.extract()?;
    market.row_column(&name).map(PastColumn::Row).ok_or_else(|| no_column(market, &name))
}
