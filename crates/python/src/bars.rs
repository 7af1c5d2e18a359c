//! `Bars`: rows of the market as an object, and its `metadata`.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatchIterator;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCapsule, PyDateTime, PyDict, PyString};
use tapeworks::bars::{Bars, Metadata};
use tapeworks::base::Timestamp;

use crate::bars_frame::{indexed, values};
use crate::bars_read::read;
use crate::c_api::export_stream;
use crate::check::PyCheckReport;
use crate::errors::{config_error, py_err, refuse_unknown};
use crate::feed::step;
use crate::grid::{Grid, folded};
use crate::html;
use crate::instant::{datetime, instant, zone};
use crate::numpy_view;
use crate::read_options::{ReadKeywords, level};
use crate::table::{Table, arrow_error, thousands};

const FRAME_KEYWORDS: [&str; 7] =
    ["df", "symbol", "tz", "label", "calendar", "adjustment", "check"];
/// Rows of a `repr` and of an HTML table.
const ROWS_SHOWN: usize = 6;

/// Bars of one or many symbols in long form, sorted by (timestamp, symbol). They never change:
/// slices, numpy arrays and Arrow streams share their memory.
///
/// Made by `tw.read_bars`, `Bars.from_frame` and `Strategy.history`. Times are the instants at
/// which bars are known; a missing value is null in frames and NaN in numpy.
///
///     >>> import datetime as dt
///     >>> import polars as pl
///     >>> import tapeworks as tw
///     >>> zone = dt.timezone.utc
///     >>> minutes = [dt.datetime(2024, 3, 8, 14, m, tzinfo=zone) for m in (31, 32, 33)]
///     >>> prices = {name: [10.0, 11.0, 12.0] for name in ("open", "high", "low", "close")}
///     >>> bars = tw.Bars.from_frame(pl.DataFrame({"timestamp": minutes} | prices), symbol="A")
///     >>> len(bars), bars.metadata.freq, bars.columns
///     (3, '1m', ['timestamp', 'symbol', 'open', 'high', 'low', 'close'])
///     >>> bars.slice("2024-03-08 14:32").to_numpy("close").tolist()
///     [11.0, 12.0]
#[pyclass(frozen, name = "Bars", module = "tapeworks")]
pub struct PyBars {
    pub bars: Bars,
    pandas: PyOnceLock<Py<PyAny>>,
    polars: PyOnceLock<Py<PyAny>>,
}

impl PyBars {
    pub fn new(bars: Bars) -> Self {
        Self { bars, pandas: PyOnceLock::new(), polars: PyOnceLock::new() }
    }

    /// The rows as a table, whose conversions are those of all tables.
    fn table(&self, py: Python<'_>) -> Table {
        let batch = py.detach(|| self.bars.batch().clone());
        Table::of_batches("bars", batch.schema(), vec![batch])
    }

    /// Facts on a few lines of at most 80 columns.
    fn facts(&self) -> Vec<String> {
        let known = self.bars.metadata();
        let (n_rows, n_symbols) = (thousands(known.n_rows), known.symbols.len());
        let step = known.freq.map_or(String::new(), |freq| format!(", {freq}"));
        let s = if n_symbols == 1 { "" } else { "s" };
        let mut lines = vec![format!("Bars: {n_rows} rows, {n_symbols} symbol{s}{step}")];
        if let (Some(start), Some(end)) = (known.start, known.end) {
            lines.push(format!("  span     {} .. {}", Timestamp(start), Timestamp(end)));
        }
        let mut shown: Vec<String> = known.symbols.iter().take(6).map(|s| short(s)).collect();
        if n_symbols > shown.len() {
            shown.push(format!("and {} more", n_symbols - shown.len()));
        }
        lines.extend(folded("  symbols  ", &shown, 80));
        let mut terms = vec![format!("tz {}", known.tz)];
        terms.extend(known.calendar.as_ref().map(|name| format!("calendar {name}")));
        terms.extend(known.adjustment.map(|word| format!("adjustment {}", word.as_str())));
        lines.extend(folded("  terms    ", &terms, 80));
        let size = self.bars.n_bytes() as f64 / 1e6;
        let missing = self.bars.n_missing();
        lines.push(format!("  missing  {} values; {size:.1} MB", thousands(missing)));
        lines
    }

    fn grid(&self, rows_shown: usize) -> PyResult<Grid> {
        let batch = self.bars.packed().clone();
        let schema = batch.schema();
        let reader = RecordBatchIterator::new([Ok(batch)], Arc::clone(&schema));
        Grid::of_batches(&schema, Box::new(reader), self.bars.len(), rows_shown)
            .map_err(arrow_error)
    }
}

/// A name as far as a line has room for it.
fn short(name: &str) -> String {
    if name.chars().count() <= 24 {
        return name.to_owned();
    }
    format!("{}..", name.chars().take(22).collect::<String>())
}

#[pymethods]
impl PyBars {
    /// A frame as bars, as `tw.read_bars` reads it. `symbol` names the symbol of a frame that has
    /// no column of them.
    #[staticmethod]
    #[pyo3(signature = (
        df, *, symbol=None, tz=None, label=None, calendar=None, adjustment=None, check="standard",
        **unknown
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are its keywords")]
    fn from_frame(
        df: &Bound<'_, PyAny>,
        symbol: Option<String>,
        tz: Option<&str>,
        label: Option<&str>,
        calendar: Option<&Bound<'_, PyAny>>,
        adjustment: Option<&str>,
        check: &str,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("Bars.from_frame", &FRAME_KEYWORDS, unknown)?;
        let options = ReadKeywords {
            source: df,
            tz,
            calendar,
            label,
            frequency: None,
            ambiguous: None,
            symbols: symbol.map(|symbol| vec![symbol]),
            start: None,
            end: None,
            level: ("check", check),
            on_bad_row: "error",
            allow_negative: false,
            csv_columns: None,
            csv_delimiter: None,
            csv_price_scale: 1.0,
        };
        read("df", df, None, adjustment, &options.options()?)
    }

    /// What the bars are, computed from their rows: symbols, start, end, number of rows, frequency,
    /// zone, calendar and adjustment.
    #[getter]
    fn metadata(&self, py: Python<'_>) -> PyBarsMetadata {
        PyBarsMetadata(py.detach(|| self.bars.metadata().clone()))
    }

    /// The symbols that have rows, ascending.
    #[getter]
    fn symbols(&self, py: Python<'_>) -> Vec<String> {
        py.detach(|| self.bars.symbols().map(str::to_owned).collect())
    }

    /// Every column by name: `timestamp`, `start_time` where it is known, `symbol`, then values.
    #[getter]
    fn columns(&self) -> Vec<&str> {
        self.bars.column_names()
    }

    /// The distinct timestamps, ascending, as `datetime64[ns]` (UTC).
    #[getter]
    fn timestamps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut unique = self.bars.timestamps().to_vec();
        unique.dedup();
        let unique: Arc<[i64]> = unique.into();
        let unique = numpy_view::view(py, Box::new(Arc::clone(&unique)), &unique)?;
        unique.call_method1("view", ("datetime64[ns]",))
    }

    /// What reading them found and repaired; `None` for bars that the engine made.
    #[getter]
    fn report(&self) -> Option<PyCheckReport> {
        self.bars.terms().report.clone().map(PyCheckReport)
    }

    fn __len__(&self) -> usize {
        self.bars.len()
    }

    /// `bars[["open", "close"]]` are the bars with these columns of values; nothing is copied.
    fn __getitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(name) = key.cast::<PyString>() {
            let name = name.to_string();
            if !self.bars.column_names().contains(&name.as_str()) {
                self.bars.column(&name).map_err(py_err)?;
            }
            return Err(config_error(
                "C490",
                format!("bars[{name:?}]: expressions over a column are not there yet"),
                &format!("bars.to_numpy({name:?}) has its values, bars[[{name:?}]] is bars"),
            ));
        }
        let names: Vec<String> = key.extract().map_err(|_| {
            let class = key.get_type().name().map_or(String::new(), |name| name.to_string());
            PyTypeError::new_err(format!(
                "bars[...] takes a list of column names, not a {class}; rows are taken by \
                 bars.slice(start=, end=, symbols=)"
            ))
        })?;
        self.bars.select(&names).map(Self::new).map_err(py_err)
    }

    /// The rows with `start <= timestamp < end` of these symbols. Times without a zone are local
    /// times of the bars' zone. Rows that stand together are shared, others are copied.
    #[pyo3(signature = (start=None, end=None, symbols=None))]
    fn slice(
        &self,
        py: Python<'_>,
        start: Option<&Bound<'_, PyAny>>,
        end: Option<&Bound<'_, PyAny>>,
        symbols: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let local = zone(Some(&self.bars.terms().tz))?;
        let when = |value: Option<&Bound<'_, PyAny>>| {
            value.map(|value| instant(value, &local).map(|at| at.0)).transpose()
        };
        let bars = self.bars.slice(when(start)?, when(end)?);
        let symbols = match symbols {
            None => return Ok(Self::new(bars)),
            Some(one) if one.is_instance_of::<PyString>() => vec![one.extract::<String>()?],
            Some(names) => names.extract()?,
        };
        py.detach(|| bars.of_symbols(&symbols)).map(Self::new).map_err(py_err)
    }

    /// Bars of a coarser step (`"5m"`, `"1d"`, `"1w"`, `"1mo"`): first open, highest high, lowest
    /// low, last close, sums of volume and counts; by sessions when they have a calendar. Windows
    /// that the data do not hold whole make no bar; `report` says which.
    fn resample(&self, py: Python<'_>, every: &Bound<'_, PyAny>) -> PyResult<Self> {
        let every = step("every", every)?;
        py.detach(|| self.bars.resample(every)).map(Self::new).map_err(py_err)
    }

    /// Checks the rows at a level ("fast", "standard", "paranoid"); rows that break rules are
    /// findings, not an exception.
    #[pyo3(signature = (level="standard"))]
    fn check(&self, py: Python<'_>, level: &str) -> PyResult<PyCheckReport> {
        let level = self::level("level", level)?;
        py.detach(|| self.bars.check(level)).map(PyCheckReport).map_err(py_err)
    }

    /// A row a symbol: `n_rows`, `start`, `end`, `freq`, `n_missing`, `low`, `high`, `volume`.
    fn info(&self, py: Python<'_>) -> Table {
        let batch = py.detach(|| self.bars.info());
        Table::of_batches("info", batch.schema(), vec![batch])
    }

    /// The rows as an Arrow C stream of one batch that shares their memory.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let table = self.table(py);
        export_stream(py, table.reader())
    }

    /// The rows as a `polars.DataFrame`; times and numbers share the memory of the bars.
    fn to_polars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.table(py).to_polars(py)
    }

    /// The rows as a `pandas.DataFrame` with columns timestamp and symbol.
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.table(py).to_pandas(py)
    }

    /// The rows as a `pyarrow.Table`; times and numbers share the memory of the bars.
    fn to_arrow<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.table(py).to_arrow(py)
    }

    /// A column as a read-only numpy array that shares the memory of the bars: `float64` with NaN
    /// for missing, `datetime64[ns]` (UTC); symbols are objects. Without a name every column of
    /// values, copied into one array of shape (rows, columns).
    #[pyo3(signature = (column=None))]
    fn to_numpy<'py>(&self, py: Python<'py>, column: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let instants = |ns: &arrow::buffer::ScalarBuffer<i64>| {
            let ns = numpy_view::view(py, Box::new(ns.clone()), ns)?;
            ns.call_method1("view", ("datetime64[ns]",))
        };
        match (column, self.bars.starts()) {
            (Some("timestamp"), _) => instants(self.bars.timestamps()),
            (Some("start_time"), Some(starts)) => instants(starts),
            (Some("symbol"), _) => {
                let names: Vec<&str> = self.bars.row_symbols().collect();
                numpy_view::asarray(py)?.call1((names, "O"))
            }
            (Some(name), _) => values(py, &self.bars, name),
            (None, _) => {
                let columns = self.bars.value_names().map(|name| values(py, &self.bars, name));
                let columns = columns.collect::<PyResult<Vec<_>>>()?;
                if columns.is_empty() {
                    let shape = (self.bars.len(), 0);
                    return py.import("numpy")?.getattr("empty")?.call1((shape,));
                }
                py.import("numpy")?.getattr("column_stack")?.call1((columns,))
            }
        }
    }

    /// Writes a CSV file, whole or not at all: times as `2024-03-08T14:30:00Z`, numbers that read
    /// back to the same value, nothing for missing.
    fn to_csv(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.bars.write_csv(&path)).map(drop).map_err(py_err)
    }

    /// Writes a Parquet file (zstd), whole or not at all; `tw.read_bars` reads the same bars.
    fn to_parquet(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.bars.write_parquet(&path)).map(drop).map_err(py_err)
    }

    /// The rows as a `pandas.DataFrame` with times in the bars' zone as its index: a
    /// `DatetimeIndex` for one symbol, else a `MultiIndex` (timestamp, symbol). Made on first use,
    /// the same object afterwards; it may be changed, the bars do not.
    #[getter]
    fn df<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let made = self.pandas.get_or_try_init(py, || indexed(py, &self.bars).map(Bound::unbind));
        Ok(made?.bind(py).clone())
    }

    /// `df` by the name that Lumibot gives it.
    #[getter]
    fn pandas_df<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.df(py)
    }

    /// `to_polars()`, made on first use and the same object afterwards.
    #[getter]
    fn polars_df<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let made = self.polars.get_or_try_init(py, || self.to_polars(py).map(Bound::unbind));
        Ok(made?.bind(py).clone())
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("{}\n{}", self.facts().join("\n"), self.grid(ROWS_SHOWN)?.text(80)))
    }

    fn _repr_html_(&self) -> PyResult<String> {
        Ok(html::block(&self.facts().join("\n")) + &self.grid(20)?.html(""))
    }
}

/// What bars are, computed from their rows.
#[pyclass(frozen, eq, name = "BarsMetadata", module = "tapeworks")]
#[derive(PartialEq)]
pub struct PyBarsMetadata(Metadata);

#[pymethods]
impl PyBarsMetadata {
    /// The symbols that have rows, ascending.
    #[getter]
    fn symbols(&self) -> Vec<String> {
        self.0.symbols.clone()
    }

    /// The least start time, the first timestamp where starts are not known; UTC, `None` without
    /// rows.
    #[getter]
    fn start<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        self.0.start.map(|ns| datetime(py, ns)).transpose()
    }

    /// The last timestamp; UTC, `None` without rows.
    #[getter]
    fn end<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        self.0.end.map(|ns| datetime(py, ns)).transpose()
    }

    /// Rows.
    #[getter]
    fn n_rows(&self) -> usize {
        self.0.n_rows
    }

    /// The usual distance between the bars of a symbol ("5m", "1d"), "event" where there is none,
    /// "mixed" where symbols differ, `None` when no symbol has two bars.
    #[getter]
    fn freq(&self) -> Option<String> {
        self.0.freq.map(|freq| freq.to_string())
    }

    /// The zone of dates, an IANA name.
    #[getter]
    fn tz(&self) -> &str {
        &self.0.tz
    }

    /// The name of the calendar.
    #[getter]
    fn calendar(&self) -> Option<&str> {
        self.0.calendar.as_deref()
    }

    /// What the prices are said to be.
    #[getter]
    fn adjustment(&self) -> Option<&'static str> {
        self.0.adjustment.map(tapeworks::base::Adjustment::as_str)
    }

    /// All of it by name.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let facts = PyDict::new(py);
        facts.set_item("symbols", self.symbols())?;
        facts.set_item("start", self.start(py)?)?;
        facts.set_item("end", self.end(py)?)?;
        facts.set_item("n_rows", self.n_rows())?;
        facts.set_item("freq", self.freq())?;
        facts.set_item("tz", self.tz())?;
        facts.set_item("calendar", self.calendar())?;
        facts.set_item("adjustment", self.adjustment())?;
        Ok(facts)
    }

    fn __repr__(&self) -> String {
        let known = &self.0;
        let none = || "None".to_owned();
        let time = |ns: Option<i64>| ns.map_or_else(none, |ns| Timestamp(ns).to_string());
        let lines = [
            format!("{} symbols, {} rows", known.symbols.len(), thousands(known.n_rows)),
            format!("  start       {}", time(known.start)),
            format!("  end         {}", time(known.end)),
            format!("  freq        {}", self.freq().unwrap_or_else(none)),
            format!("  tz          {}", known.tz),
            format!("  calendar    {}", known.calendar.clone().unwrap_or_else(none)),
            format!("  adjustment  {}", self.adjustment().unwrap_or("None")),
        ];
        lines.join("\n")
    }

    fn _repr_html_(&self) -> String {
        html::block(&self.__repr__())
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyBars>()?;
    module.add_class::<PyBarsMetadata>()
}
