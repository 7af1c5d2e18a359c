//! Bars as the frame that pandas users know: times in the index.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int32Type;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::bars::Bars;

use crate::numpy_view;
use crate::table::library;

/// A `pandas.DataFrame` of the value columns. The index is a `DatetimeIndex` named `timestamp` when
/// there is one symbol, a `MultiIndex` (timestamp, symbol) otherwise; times are in the bars' zone.
///
/// # Errors
/// `ImportError` without pandas.
pub fn indexed<'py>(py: Python<'py>, bars: &Bars) -> PyResult<Bound<'py, PyAny>> {
    let pandas = library(py, "pandas", "pandas")?;
    let columns = PyDict::new(py);
    if let Some(starts) = bars.starts() {
        let starts = numpy_view::view(py, Box::new(starts.clone()), starts)?;
        columns.set_item("start_time", zoned(&pandas, starts, bars)?)?;
    }
    for name in bars.value_names() {
        columns.set_item(name, values(py, bars, name)?)?;
    }
    let times = bars.timestamps();
    let named = PyDict::new(py);
    let index = if bars.symbols().len() <= 1 {
        let times = numpy_view::view(py, Box::new(times.clone()), times)?;
        zoned(&pandas, times, bars)?.call_method1("rename", ("timestamp",))?
    } else {
        let (unique, codes) = ranks(times);
        let unique: Arc<[i64]> = unique.into();
        let unique = numpy_view::view(py, Box::new(Arc::clone(&unique)), &unique)?;
        let codes: Arc<[i64]> = codes.into();
        let codes = numpy_view::view(py, Box::new(Arc::clone(&codes)), &codes)?;
        let packed = bars.packed();
        let symbols = packed.column_by_name("symbol").expect("bars have symbols");
        let symbols = symbols.as_dictionary::<Int32Type>();
        let names: Vec<&str> = symbols.values().as_string::<i32>().iter().flatten().collect();
        let keys: Arc<[i64]> = symbols.keys().values().iter().map(|key| i64::from(*key)).collect();
        let keys = numpy_view::view(py, Box::new(Arc::clone(&keys)), &keys)?;
        named.set_item("levels", (zoned(&pandas, unique, bars)?, names))?;
        named.set_item("codes", (codes, keys))?;
        named.set_item("names", ("timestamp", "symbol"))?;
        pandas.getattr("MultiIndex")?.call((), Some(&named))?
    };
    let named = PyDict::new(py);
    named.set_item("index", &index)?;
    // Columns are copied: a frame may be written to, bars may not.
    named.set_item("copy", true)?;
    if let Some(start) = columns.get_item("start_time")? {
        let series = pandas.getattr("Series")?.call((start,), None)?;
        series.setattr("index", &index)?;
        columns.set_item("start_time", series)?;
    }
    pandas.getattr("DataFrame")?.call((columns,), Some(&named))
}

/// A column of values as a read-only numpy array that shares their memory.
///
/// # Errors
/// When numpy is not there.
pub fn values<'py>(py: Python<'py>, bars: &Bars, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let column = bars.column(name).map_err(crate::errors::py_err)?;
    numpy_view::view(py, Box::new(column.clone()), column)
}

/// Nanoseconds UTC as a `DatetimeIndex` in the bars' zone.
fn zoned<'py>(
    pandas: &Bound<'py, PyModule>,
    ns: Bound<'py, PyAny>,
    bars: &Bars,
) -> PyResult<Bound<'py, PyAny>> {
    let times = ns.call_method1("view", ("datetime64[ns]",))?;
    let index = pandas.getattr("DatetimeIndex")?.call1((times,))?;
    let index = index.call_method1("tz_localize", ("UTC",))?;
    match bars.terms().tz.as_str() {
        "UTC" => Ok(index),
        zone => index.call_method1("tz_convert", (zone,)),
    }
}

/// The distinct values of an ascending column, and the rank of each row's among them.
fn ranks(times: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let mut unique: Vec<i64> = Vec::new();
    let mut codes = Vec::with_capacity(times.len());
    for &time in times {
        if unique.last() != Some(&time) {
            unique.push(time);
        }
        codes.push(i64::try_from(unique.len() - 1).expect("memory holds fewer rows"));
    }
    (unique, codes)
}
