//! The report of a data check.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::data::{self, CheckReport, ReadOptions, SortOptions, parse_bytes};
use tapeworks::feed::{SignalUse, check_signals};

use crate::errors::py_err;
use crate::frames::Input;
use crate::grid::escaped;
use crate::instant::span_text;
use crate::json::to_python;

/// What checking a table found: a verdict, findings with their first rows, and repairs.
#[pyclass(frozen, name = "CheckReport", module = "tapeworks")]
pub struct PyCheckReport(pub CheckReport);

#[pymethods]
impl PyCheckReport {
    /// Whether no error was found.
    #[getter]
    fn ok(&self) -> bool {
        self.0.ok()
    }

    /// The verdict on one line.
    #[getter]
    fn verdict(&self) -> String {
        self.0.verdict()
    }

    /// Rows read.
    #[getter]
    fn n_rows(&self) -> u64 {
        self.0.n_rows
    }

    /// Symbols of the table.
    #[getter]
    fn n_symbols(&self) -> u64 {
        self.0.n_symbols
    }

    /// The first and the last timestamp as text, `None` without rows.
    #[getter]
    fn span(&self) -> Option<(String, String)> {
        self.0.span.map(span_text)
    }

    /// The findings, errors first: code, severity, column, message, count, first offenders, fix.
    #[getter]
    fn findings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py)?.get_item("findings").map(|found| found.expect("the report has the key"))
    }

    /// What was changed on the way in, a sentence each.
    #[getter]
    fn repairs(&self) -> Vec<String> {
        self.0.repairs.lines()
    }

    /// The whole report as plain values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let value = serde_json::to_value(&self.0).expect("a report has text keys");
        Ok(to_python(py, &value)?.cast_into::<PyDict>()?)
    }

    fn __bool__(&self) -> bool {
        self.0.ok()
    }

    fn __repr__(&self) -> String {
        self.0.to_string()
    }

    fn _repr_html_(&self) -> String {
        format!("<pre>{}</pre>", escaped(&self.0.to_string()))
    }
}

/// Checks bars, and signals and context against them; rows that break rules are findings.
///
/// # Errors
/// When the bars cannot be opened at all.
pub fn check(
    py: Python<'_>,
    bars: &Input,
    signals: Option<&Input>,
    context: Option<&Input>,
    how: &SignalUse,
    options: &ReadOptions,
) -> PyResult<PyCheckReport> {
    let checked = py.detach(|| {
        let mut report = data::check(bars.source(), options)?;
        if !report.ok() {
            return Ok(report);
        }
        if let Some(signals) = signals {
            let found = check_signals(signals.source(), bars.source(), how, options)?;
            report.merge(found);
        }
        if let Some(context) = context {
            let found = data::check_context(context.source(), Some(bars.source()), options)?;
            report.merge(found);
        }
        Ok(report)
    });
    checked.map(PyCheckReport).map_err(py_err)
}

/// Writes a table by timestamp, symbol and `bar_id` to a Parquet file within a memory budget.
///
/// # Errors
/// When the source cannot be read, the output exists or cannot be written.
#[pyfunction]
#[pyo3(signature = (source, out, *, memory="256MB", tz=None))]
fn sort_bars(
    py: Python<'_>,
    source: PathBuf,
    out: PathBuf,
    memory: &str,
    tz: Option<String>,
) -> PyResult<u64> {
    let options = SortOptions { memory_bytes: parse_bytes(memory).map_err(py_err)?, tz };
    let source = source.to_string_lossy().into_owned();
    let sorted = py.detach(|| data::sort_bars(&source, &out, &options));
    sorted.map(|sorted| sorted.n_rows).map_err(py_err)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sort_bars, module)?)?;
    module.add_class::<PyCheckReport>()
}
