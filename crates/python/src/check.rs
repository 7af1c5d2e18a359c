//! The report of a data check.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base::{self, Adjustment, AssetId, Date, StopFlag};
use tapeworks::data::{self, CheckReport, ReadOptions, SortOptions, parse_bytes};
use tapeworks::feed::{PRICES, SignalUse, check_signals};

use crate::calendar::PyCalendar;
use crate::errors::{one_of, py_err, refuse_unknown};
use crate::frames::Input;
use crate::html;
use crate::instant::span_text;
use crate::interrupt::Work;
use crate::json::to_python;
use crate::screen::screen;
use crate::table::Table;

/// What checking a table found: a verdict, findings with their first rows, and repairs.
///
///     >>> import tapeworks as tw
///     >>> report = tw.sample("daily").check()
///     >>> bool(report), report.n_symbols
///     (True, 5)
///     >>> [finding["code"] for finding in report.findings]
///     ['D207', 'D303', 'D303', 'D303']
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
        screen(&self.0.to_string())
    }

    fn _repr_html_(&self) -> String {
        let text = self.0.to_string();
        let (verdict, findings) = text.split_once('\n').unwrap_or((&text, ""));
        let mut html = html::heading(verdict, &[]);
        if !findings.is_empty() {
            html += &html::block(&screen(findings));
        }
        html
    }
}

/// Checks bars, and signals, context and corporate actions against them; rows that break rules are
/// findings.
///
/// # Errors
/// When the bars cannot be opened at all.
pub fn check(
    bars: &Input,
    signals: Option<&Input>,
    context: Option<&Input>,
    actions: Option<&Input>,
    how: &SignalUse,
    options: &ReadOptions,
) -> base::Result<CheckReport> {
    // What the actions explain is no jump of the prices.
    let explained = |actions: &Input| {
        let table = data::ActionTable::read(actions.source(), options).ok()?;
        Some(std::sync::Arc::new(table.explained()))
    };
    let bars_options = ReadOptions { explained: actions.and_then(explained), ..options.clone() };
    let mut report = data::check(bars.source(), &bars_options)?;
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
    if let Some(actions) = actions {
        let found = data::check_actions(actions.source(), bars.source(), options)?;
        report.merge(found);
    }
    Ok(report)
}

/// Writes a table by timestamp, symbol and `bar_id` to a Parquet file within a memory budget.
///
/// # Errors
/// When the source cannot be read, the output exists or cannot be written.
#[pyfunction]
#[pyo3(signature = (source, out, *, memory="256MB", tz=None, **unknown))]
fn sort_bars(
    py: Python<'_>,
    source: PathBuf,
    out: PathBuf,
    memory: &str,
    tz: Option<String>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<u64> {
    refuse_unknown("sort_bars", &["source", "out", "memory", "tz"], unknown)?;
    let options = SortOptions { memory_bytes: parse_bytes(memory).map_err(py_err)?, tz };
    let source = source.to_string_lossy().into_owned();
    let stop = StopFlag::default();
    let shared = stop.clone();
    let work = Work::start(move || data::sort_bars_until(&source, &out, &options, &shared));
    work.wait(py, &stop)?.map(|sorted| sorted.n_rows).map_err(py_err)
}

/// Raw bars in the units of one date: `split` divides earlier prices by later split ratios (and
/// multiplies volumes), `total` takes dividends off as well. `view_date` is the last row's when it
/// is left out; such prices know the actions up to it.
#[pyfunction]
#[pyo3(signature = (
    bars, actions, *, adjustment="total", view_date=None, calendar=None, tz=None, **unknown
))]
#[expect(clippy::too_many_arguments, reason = "they are its keywords")]
fn adjust_prices(
    py: Python<'_>,
    bars: &Bound<'_, PyAny>,
    actions: &Bound<'_, PyAny>,
    adjustment: &str,
    view_date: Option<&Bound<'_, PyAny>>,
    calendar: Option<&Bound<'_, PyAny>>,
    tz: Option<String>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<Table> {
    refuse_unknown(
        "adjust_prices",
        &["bars", "actions", "adjustment", "view_date", "calendar", "tz"],
        unknown,
    )?;
    let adjustment = one_of("adjustment", adjustment, &Adjustment::ALL)?;
    let view_date = match view_date {
        None => None,
        Some(date) => Some(Date::parse(&date.str()?.to_string()).map_err(py_err)?),
    };
    let calendar = calendar.map(PyCalendar::read).transpose()?;
    let (bars, actions) = (Input::read("bars", bars)?, Input::read("actions", actions)?);
    let stop = StopFlag::default();
    let options = ReadOptions { calendar, tz, stop: stop.clone(), ..ReadOptions::default() };
    let work = Work::start(move || {
        data::adjust_prices(bars.source(), actions.source(), adjustment, view_date, &options)
    });
    let data::AdjustedBars { symbols, extras, rows } = work.wait(py, &stop)?.map_err(py_err)?;
    let names: Vec<&str> = rows.assets.iter().map(|&asset| symbols.name(AssetId(asset))).collect();
    let prices = [rows.open, rows.high, rows.low, rows.close, rows.volume];
    let columns = PRICES.into_iter().zip(prices);
    let extras = extras.iter().map(String::as_str).zip(rows.extras);
    Ok(Table::of_rows(rows.timestamps, names.into_iter(), columns.chain(extras).collect()))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sort_bars, module)?)?;
    module.add_function(wrap_pyfunction!(adjust_prices, module)?)?;
    module.add_class::<PyCheckReport>()
}
