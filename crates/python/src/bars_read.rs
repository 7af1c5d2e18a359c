//! `read_bars`: from a path or a frame to `Bars`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::bars::{self, Bars};
use tapeworks::base::Adjustment;
use tapeworks::data::{CheckReport, ReadOptions, Severity};

use crate::bars::PyBars;
use crate::errors::{one_of, py_err, refuse_unknown};
use crate::frames::Input;
use crate::read_options::ReadKeywords;

const KEYWORDS: [&str; 17] = [
    "src",
    "tz",
    "columns",
    "symbols",
    "start",
    "end",
    "label",
    "calendar",
    "adjustment",
    "check",
    "frequency",
    "ambiguous",
    "on_bad_row",
    "allow_negative",
    "csv_columns",
    "csv_delimiter",
    "csv_price_scale",
];

/// Reads bars of one or many symbols into memory, sorted by (timestamp, symbol) and checked.
///
/// `src` is a path, a glob, a folder with `key=value` parts, or a frame of any library that speaks
/// Arrow, a lazy polars one too; a pandas index may hold times, or times and symbols. Column names
/// such as `date`, `ticker` or `Open` are understood. A frame without a column of symbols is that
/// of the one symbol in `symbols`.
///
/// `columns` keeps these columns besides timestamp and symbol; `None` is every column of numbers.
/// `start` and `end` are half-open. `label`, `calendar`, `tz`, `frequency` and `ambiguous` say what
/// the stamps are, as for `DataFeed`; `adjustment` ("none", "split", "total", "stated") says what
/// the prices are and changes none. `check` is "fast", "standard" or "paranoid".
///
///     >>> import polars as pl
///     >>> import tapeworks as tw
///     >>> days = pl.DataFrame({"date": ["2024-03-08", "2024-03-11"], "ticker": ["A", "A"]})
///     >>> days = days.with_columns(Open=10.0, High=12.0, Low=9.0, Close=11.0, Volume=pl.lit(500))
///     >>> bars = tw.read_bars(days, calendar="XNYS")
///     >>> [str(close) for close in bars.df.index]
///     ['2024-03-08 16:00:00-05:00', '2024-03-11 16:00:00-04:00']
#[pyfunction]
#[pyo3(signature = (
    src, *, tz=None, columns=None, symbols=None, start=None, end=None, label=None, calendar=None,
    adjustment=None, check="standard", frequency=None, ambiguous=None, on_bad_row="error",
    allow_negative=false, csv_columns=None, csv_delimiter=None, csv_price_scale=1.0, **unknown
))]
#[expect(clippy::too_many_arguments, reason = "they are its keywords")]
fn read_bars(
    src: &Bound<'_, PyAny>,
    tz: Option<&str>,
    columns: Option<Vec<String>>,
    symbols: Option<Vec<String>>,
    start: Option<&Bound<'_, PyAny>>,
    end: Option<&Bound<'_, PyAny>>,
    label: Option<&str>,
    calendar: Option<&Bound<'_, PyAny>>,
    adjustment: Option<&str>,
    check: &str,
    frequency: Option<&Bound<'_, PyAny>>,
    ambiguous: Option<&str>,
    on_bad_row: &str,
    allow_negative: bool,
    csv_columns: Option<Vec<String>>,
    csv_delimiter: Option<char>,
    csv_price_scale: f64,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyBars> {
    refuse_unknown("read_bars", &KEYWORDS, unknown)?;
    let options = ReadKeywords {
        source: src,
        tz,
        calendar,
        label,
        frequency,
        ambiguous,
        symbols,
        start,
        end,
        level: ("check", check),
        on_bad_row,
        allow_negative,
        csv_columns,
        csv_delimiter,
        csv_price_scale,
    };
    read("src", src, columns.as_deref(), adjustment, &options.options()?)
}

/// Reads the argument `name`; bars that were read before bring what their prices are.
///
/// # Errors
/// What reading and checking find.
pub fn read(
    name: &str,
    source: &Bound<'_, PyAny>,
    columns: Option<&[String]>,
    adjustment: Option<&str>,
    options: &ReadOptions,
) -> PyResult<PyBars> {
    let known = source.cast::<PyBars>().ok();
    let adjustment =
        adjustment.map(|word| one_of("adjustment", word, &Adjustment::ALL)).transpose()?;
    let adjustment =
        adjustment.or_else(|| known.and_then(|bars| bars.get().bars.terms().adjustment));
    let input = Input::read(name, source)?;
    let py = source.py();
    let bars: Bars = py
        .detach(|| bars::read_bars(input.source(), columns, adjustment, options))
        .map_err(py_err)?;
    if let Some(report) = &bars.terms().report {
        warn_of_naive_times(py, report)?;
    }
    Ok(PyBars::new(bars))
}

/// Warns once when times without a zone were read as UTC; other findings are in the report.
fn warn_of_naive_times(py: Python<'_>, report: &CheckReport) -> PyResult<()> {
    let is_naive = |code: &str, severity| code == "D303" && severity == Severity::Warning;
    let found = report.findings.iter().find(|found| is_naive(&found.code, found.severity));
    let Some(found) = found else { return Ok(()) };
    let line = format!("TW-{} {}: {}; {}", found.code, found.column, found.message, found.fix);
    py.import("warnings")?.call_method1("warn", (line,)).map(drop)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(read_bars, module)?)
}
