//! `DataPreparer`: tables joined point in time and written down.

use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base::{Adjustment, Calendar, Step, StopFlag};
use tapeworks::data::{CheckLevel, CsvFormat, OnBadRow, ReadOptions};
use tapeworks::engine::{Flow, Progress as Walked};
use tapeworks::feed::{Availability, check_adjustment};
use tapeworks::prepare::{
    Compression, ContextTerms, DataPreparer, INDICATORS, IndicatorSpec, PartitionBy, PrepareReport,
    SaveOptions, SignalTerms, Universe,
};

use crate::calendar::PyCalendar;
use crate::check::PyCheckReport;
use crate::errors::{config_error, one_of, py_err, refuse_unknown};
use crate::feed::{ambiguous_of, label_of, lag, span_ns, step};
use crate::frames::Input;
use crate::html;
use crate::instant::{instant, span_text, zone};
use crate::interrupt::Work;
use crate::json::to_python;
use crate::progress::Watch;
use crate::screen::screen;

/// Joins prices, signals and context point in time and writes them down, with indicators.
///
/// Prices are the spine: a row of the result is a row of the prices, and a joined value is the
/// newest one known at its timestamp. Every `add_` method returns the preparer.
///
///     >>> import polars as pl, tapeworks as tw, tempfile
///     >>> days = pl.datetime_range(pl.datetime(2024, 1, 1, time_zone="UTC"),
///     ...                          pl.datetime(2024, 1, 3, time_zone="UTC"), "1d", eager=True)
///     >>> prices = pl.DataFrame({"timestamp": days, "symbol": "AAA", "open": [9.0, 10.0, 12.0],
///     ...     "high": [11.0, 12.0, 13.0], "low": [9.0, 10.0, 12.0], "close": [10.0, 12.0, 12.0],
///     ...     "volume": 100.0})
///     >>> scores = pl.DataFrame({"timestamp": days[1:2], "symbol": ["AAA"], "score": [0.5]})
///     >>> prep = tw.DataPreparer().add_prices(prices, freq="1d").add_signals(scores)
///     >>> target = tempfile.mkdtemp() + "/asset_data.parquet"
///     >>> report = prep.add_indicators(["returns"]).validate_and_save(target)
///     >>> report.columns, report.joins[0]["not_yet"]
///     (['score', 'returns_1'], 1)
///     >>> pl.read_parquet(target)["score"].to_list()
///     [None, 0.5, 0.5]
#[pyclass(name = "DataPreparer", module = "tapeworks")]
pub struct PyDataPreparer {
    read: ReadOptions,
    prices: Option<(Input, Option<Step>)>,
    actions: Option<Input>,
    adjustment: Option<Adjustment>,
    signals: Vec<(Input, SignalTerms)>,
    context: Vec<(Input, ContextTerms)>,
    indicators: Vec<String>,
    universe: Option<Input>,
}

const KEYWORDS: [&str; 11] = [
    "calendar",
    "tz",
    "label",
    "ambiguous",
    "start",
    "end",
    "symbols",
    "on_bad_row",
    "csv_columns",
    "csv_delimiter",
    "csv_price_scale",
];
const PRICE_KEYWORDS: [&str; 4] = ["table", "freq", "actions", "adjustment"];
const SIGNAL_KEYWORDS: [&str; 7] =
    ["table", "freq", "valid_from", "staleness", "delay", "columns", "prefix"];
const CONTEXT_KEYWORDS: [&str; 5] = ["table", "columns", "valid_from", "delay", "prefix"];
const SAVE_KEYWORDS: [&str; 6] =
    ["asset_output", "context_output", "partition_by", "compression", "force", "progress"];

#[pymethods]
impl PyDataPreparer {
    #[new]
    #[pyo3(signature = (
        *, calendar=None, tz=None, label=None, ambiguous=None, start=None, end=None, symbols=None,
        on_bad_row="error", csv_columns=None, csv_delimiter=None, csv_price_scale=1.0, **unknown
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are its keywords")]
    fn new(
        calendar: Option<&Bound<'_, PyAny>>,
        tz: Option<&str>,
        label: Option<&str>,
        ambiguous: Option<&str>,
        start: Option<&Bound<'_, PyAny>>,
        end: Option<&Bound<'_, PyAny>>,
        symbols: Option<Vec<String>>,
        on_bad_row: &str,
        csv_columns: Option<Vec<String>>,
        csv_delimiter: Option<char>,
        csv_price_scale: f64,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("DataPreparer", &KEYWORDS, unknown)?;
        let calendar = calendar.map(PyCalendar::read).transpose()?;
        let local = zone_of(tz, calendar.as_deref())?;
        let when = |value: Option<&Bound<'_, PyAny>>| {
            value.map(|value| instant(value, &local)).transpose()
        };
        let delimiter = csv_delimiter.map(u8::try_from).transpose().map_err(|_| {
            config_error("C441", "csv_delimiter is no ASCII character", "use one of , ; | or a tab")
        })?;
        let bad_rows =
            [("error", OnBadRow::Error), ("drop", OnBadRow::Drop), ("null", OnBadRow::Null)];
        let read = ReadOptions {
            tz: tz.map(str::to_owned),
            calendar,
            label: label_of(label)?,
            ambiguous: ambiguous_of(ambiguous)?,
            symbols,
            start: when(start)?,
            end: when(end)?,
            level: CheckLevel::Standard,
            on_bad_row: one_of("on_bad_row", on_bad_row, &bad_rows)?,
            csv: CsvFormat { columns: csv_columns, price_scale: csv_price_scale, delimiter },
            ..ReadOptions::default()
        };
        Ok(Self {
            read,
            prices: None,
            actions: None,
            adjustment: None,
            signals: Vec::new(),
            context: Vec::new(),
            indicators: Vec::new(),
            universe: None,
        })
    }

    /// The bars whose rows the result has. Bars that are closer together than `freq` ("5min", "1d",
    /// "1w", "1mo") are put together into bars of that step; with a calendar by sessions.
    ///
    /// Prices are written as they are. `adjustment` says what they are: raw ("none", "split",
    /// "total"), with a table of `actions`, or adjusted already ("stated"). With "split" and
    /// "total" indicators are those of a table adjusted as of the session of each row.
    #[pyo3(signature = (table, *, freq=None, actions=None, adjustment=None, **unknown))]
    fn add_prices<'py>(
        mut slf: PyRefMut<'py, Self>,
        table: &Bound<'_, PyAny>,
        freq: Option<&Bound<'_, PyAny>>,
        actions: Option<&Bound<'_, PyAny>>,
        adjustment: Option<&str>,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyRefMut<'py, Self>> {
        refuse_unknown("add_prices", &PRICE_KEYWORDS, unknown)?;
        if slf.prices.is_some() {
            return Err(config_error(
                "C301",
                "prices are added twice",
                "one table of prices gives the rows: name a glob or a folder for more",
            ));
        }
        let freq = freq.map(|value| step("freq", value)).transpose()?;
        let actions = actions.map(|table| Input::read("actions", table)).transpose()?;
        let adjustment =
            adjustment.map(|word| one_of("adjustment", word, &Adjustment::ALL)).transpose()?;
        check_adjustment(actions.is_some(), adjustment).map_err(py_err)?;
        slf.prices = Some((Input::read("prices", table)?, freq));
        slf.actions = actions;
        slf.adjustment = adjustment;
        Ok(slf)
    }

    /// A table of signals, joined as of each row; may be called again.
    #[pyo3(signature = (
        table, *, freq=None, valid_from="timestamp", staleness=None, delay=None, columns=None,
        prefix="", **unknown
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are its keywords")]
    fn add_signals<'py>(
        mut slf: PyRefMut<'py, Self>,
        table: &Bound<'_, PyAny>,
        freq: Option<&Bound<'_, PyAny>>,
        valid_from: &str,
        staleness: Option<&Bound<'_, PyAny>>,
        delay: Option<&Bound<'_, PyAny>>,
        columns: Option<Vec<String>>,
        prefix: &str,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyRefMut<'py, Self>> {
        refuse_unknown("add_signals", &SIGNAL_KEYWORDS, unknown)?;
        let terms = SignalTerms {
            valid_from: Availability::parse(valid_from).map_err(py_err)?,
            delay: lag("delay", delay)?,
            staleness: lag("staleness", staleness)?,
            freq_ns: freq.map(|value| span_ns("freq", value)).transpose()?,
            columns,
            prefix: prefix.to_owned(),
        };
        slf.signals.push((Input::read("signals", table)?, terms));
        Ok(slf)
    }

    /// A table of series of the market as a whole; may be called again.
    #[pyo3(signature = (
        table, *, columns=None, valid_from="timestamp", delay=None, prefix="", **unknown
    ))]
    fn add_context<'py>(
        mut slf: PyRefMut<'py, Self>,
        table: &Bound<'_, PyAny>,
        columns: Option<Vec<String>>,
        valid_from: &str,
        delay: Option<&Bound<'_, PyAny>>,
        prefix: &str,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyRefMut<'py, Self>> {
        refuse_unknown("add_context", &CONTEXT_KEYWORDS, unknown)?;
        let terms = ContextTerms {
            valid_from: Availability::parse(valid_from).map_err(py_err)?,
            delay: lag("delay", delay)?,
            columns,
            prefix: prefix.to_owned(),
        };
        slf.context.push((Input::read("context", table)?, terms));
        Ok(slf)
    }

    /// Indicators such as `"rsi:14"` or `"macd"`; may be called again.
    fn add_indicators(
        mut slf: PyRefMut<'_, Self>,
        indicators: Vec<String>,
    ) -> PyResult<PyRefMut<'_, Self>> {
        for text in &indicators {
            IndicatorSpec::parse(text).map_err(py_err)?;
        }
        slf.indicators.extend(indicators);
        Ok(slf)
    }

    /// Members by time, a table of symbol, from, to: rows get a column `member` of 1 and 0.
    fn add_universe<'py>(
        mut slf: PyRefMut<'py, Self>,
        table: &Bound<'_, PyAny>,
    ) -> PyResult<PyRefMut<'py, Self>> {
        slf.universe = Some(Input::read("universe", table)?);
        Ok(slf)
    }

    /// Every indicator with its defaults, and what it gives.
    #[staticmethod]
    fn indicators(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let known = PyDict::new(py);
        for one in INDICATORS {
            let spec = IndicatorSpec::parse(one.name).map_err(py_err)?;
            known.set_item(spec.to_string(), one.doc)?;
        }
        Ok(known)
    }

    /// Joins, checks and writes everything; files appear whole or not at all.
    #[pyo3(signature = (
        asset_output, context_output=None, *, partition_by=None, compression="zstd:3", force=false,
        progress=None, **unknown
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are its keywords")]
    fn validate_and_save(
        &self,
        py: Python<'_>,
        asset_output: PathBuf,
        context_output: Option<PathBuf>,
        partition_by: Option<&str>,
        compression: &str,
        force: bool,
        progress: Option<bool>,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyPrepareReport> {
        refuse_unknown("validate_and_save", &SAVE_KEYWORDS, unknown)?;
        let options = SaveOptions {
            asset_output,
            context_output,
            partition_by: partition_by.map(PartitionBy::parse).transpose().map_err(py_err)?,
            compression: Compression::parse(compression).map_err(py_err)?,
            force,
        };
        let stop = StopFlag::default();
        let mut preparer = self.description()?;
        preparer.read.stop = stop.clone();
        let mut watch = Watch::new(py, progress, None).until(&stop);
        let work = Work::start(move || {
            preparer.validate_and_save(&options, &mut |walked| {
                let walked = Walked { rows: walked.rows, timestamp: walked.timestamp };
                match watch.step(&walked) {
                    Flow::Continue => ControlFlow::Continue(()),
                    Flow::Stop => ControlFlow::Break(()),
                }
            })
        });
        work.wait(py, &stop)?.map(PyPrepareReport).map_err(py_err)
    }

    fn __repr__(&self) -> String {
        let mut lines = vec!["DataPreparer".to_owned()];
        let prices = self.prices.iter().map(|(input, _)| ("prices", input));
        let signals = self.signals.iter().map(|(input, _)| ("signals", input));
        let context = self.context.iter().map(|(input, _)| ("context", input));
        let actions = self.actions.iter().map(|input| ("actions", input));
        let universe = self.universe.iter().map(|input| ("universe", input));
        let tables = prices.chain(actions).chain(signals).chain(context).chain(universe);
        lines.extend(tables.map(|(name, input)| format!("  {name}: {}", input.describe())));
        if !self.indicators.is_empty() {
            lines.push(format!("  indicators: {}", self.indicators.join(", ")));
        }
        screen(&lines.join("\n"))
    }

    fn _repr_html_(&self) -> String {
        html::outline(&self.__repr__())
    }
}

impl PyDataPreparer {
    fn description(&self) -> PyResult<DataPreparer> {
        let mut preparer = DataPreparer::new();
        preparer.read = self.read.clone();
        if let Some((input, freq)) = &self.prices {
            preparer.add_prices(input.source(), *freq).map_err(py_err)?;
            let actions = self.actions.as_ref().map(Input::source);
            preparer.set_adjustment(self.adjustment, actions).map_err(py_err)?;
        }
        for (input, terms) in &self.signals {
            preparer.add_signals(input.source(), terms.clone());
        }
        for (input, terms) in &self.context {
            preparer.add_context(input.source(), terms.clone());
        }
        let specs = self.indicators.iter().map(String::as_str);
        preparer.add_indicators(specs).map_err(py_err)?;
        if let Some(input) = &self.universe {
            let local = zone_of(self.read.tz.as_deref(), self.read.calendar.as_deref())?;
            preparer.set_universe(Universe::read(input.source(), &local).map_err(py_err)?);
        }
        Ok(preparer)
    }
}

/// The zone of dates: the one given, else that of the calendar, else UTC.
fn zone_of(tz: Option<&str>, calendar: Option<&Calendar>) -> PyResult<TimeZone> {
    match (tz, calendar) {
        (None, Some(calendar)) => Ok(calendar.zone().clone()),
        _ => zone(tz),
    }
}

/// What was joined, found and written.
#[pyclass(frozen, name = "PrepareReport", module = "tapeworks")]
pub struct PyPrepareReport(PrepareReport);

#[pymethods]
impl PyPrepareReport {
    /// Whether neither the tables nor the result break a rule.
    #[getter]
    fn ok(&self) -> bool {
        self.0.ok()
    }

    /// The verdict on one line.
    #[getter]
    fn verdict(&self) -> String {
        self.0.verdict()
    }

    /// Rows of asset data.
    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows
    }

    /// Distinct timestamps.
    #[getter]
    fn timestamps(&self) -> u64 {
        self.0.timestamps
    }

    /// Symbols of the prices.
    #[getter]
    fn symbols(&self) -> u64 {
        self.0.symbols
    }

    /// The first and the last timestamp as text, `None` without rows.
    #[getter]
    fn span(&self) -> Option<(String, String)> {
        self.0.span.map(span_text)
    }

    /// The columns of asset data beside time, symbol, prices and volume.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.0.columns.clone()
    }

    /// The columns of context data.
    #[getter]
    fn context_columns(&self) -> Vec<String> {
        self.0.context_columns.clone()
    }

    /// For each table of signals: columns, rows, and rows without a value by reason.
    #[getter]
    fn joins<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.entry(py, "joins")
    }

    /// Rows outside the universe, `None` without one.
    #[getter]
    fn outside_universe(&self) -> Option<u64> {
        self.0.outside_universe
    }

    /// Whether the result was written although it does not pass the checks.
    #[getter]
    fn forced(&self) -> bool {
        self.0.forced
    }

    /// What reading the tables found and repaired.
    #[getter]
    fn input(&self) -> PyCheckReport {
        PyCheckReport(self.0.input.clone())
    }

    /// What checking the written asset data found.
    #[getter]
    fn result(&self) -> PyCheckReport {
        PyCheckReport(self.0.result.clone())
    }

    /// For each file: table, path, rows, bytes.
    #[getter]
    fn files<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.entry(py, "files")
    }

    /// Bytes of all files.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes()
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
        html::block(&self.__repr__())
    }
}

impl PyPrepareReport {
    fn entry<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Bound<'py, PyAny>> {
        let found = self.to_dict(py)?.get_item(key)?;
        Ok(found.expect("the report has the key"))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyDataPreparer>()?;
    module.add_class::<PyPrepareReport>()
}
