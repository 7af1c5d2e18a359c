//! `Result`: what a run came to, just made or read back from a run folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;
use tapeworks::base::{self, StopFlag};
use tapeworks::feed::ChunkSource;
use tapeworks::records::{Reasons, RecordKind, Records, RowBatches};
use tapeworks::report;
use tapeworks::run::{self, Outcome, SavedRun};

use crate::config_run::ConfigPlan;
use crate::errors::{config_error, py_err};
use crate::feed::PyDataFeed;
use crate::handover;
use crate::html;
use crate::interrupt::Work;
use crate::json::to_python;
use crate::run::Plan;
use crate::screen::screen;
use crate::table::Table;

/// The metrics of `Result.summary`, those that a first look needs.
const SUMMARY: [&str; 12] = [
    "final_equity",
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "n_trades",
    "win_rate",
    "profit_factor",
    "commissions",
    "rejections",
];

/// Rows of a batch that is compared.
const BATCH_ROWS: usize = 65_536;

/// A finished run: metrics with their conventions, and six tables of records.
///
///     >>> import tapeworks as tw
///     >>> result = tw.run(tw.sample("daily"), tw.rules.sma_cross(20, 50, quantity=100))
///     >>> result.metrics["n_trades"]
///     127.0 (one a reducing fill, n=127)
///     >>> round(result.metrics["max_drawdown"], 4)
///     -0.0974
///     >>> result.metrics["sharpe"].convention
///     '252/yr, rf 0, ddof 1'
///     >>> result.reasons()["submitted"], result.reasons()["filled"]
///     (257, 257)
#[pyclass(frozen, name = "Result", module = "tapeworks")]
pub struct RunResult {
    held: Held,
    /// How it was made; a run that was read back knows its folder alone.
    pub recipe: Option<Recipe>,
    /// The metrics document: name, run id, fingerprint, metrics.
    document: Value,
    /// The feed of the run, for what is read off the prices afterwards.
    feed: Option<Py<PyDataFeed>>,
}

/// What a run can be made again from.
pub enum Recipe {
    Run(Box<Plan>),
    Config(Box<ConfigPlan>),
}

#[derive(Clone)]
enum Held {
    Made { outcome: Arc<Outcome>, records: Arc<Records> },
    Saved(Arc<SavedRun>),
}

impl Held {
    fn batches(&self, kind: RecordKind) -> base::Result<RowBatches> {
        match self {
            Self::Made { records, .. } => Ok(Box::new(records.batches(kind, BATCH_ROWS).map(Ok))),
            Self::Saved(saved) => saved.batches(kind),
        }
    }
}

impl RunResult {
    /// The result of a run that has ended.
    pub fn of_outcome(outcome: Outcome, recipe: Recipe) -> Self {
        let document = outcome.metrics_json();
        let records = Arc::new(outcome.records.clone());
        let held = Held::Made { outcome: Arc::new(outcome), records };
        Self { held, recipe: Some(recipe), document, feed: None }
    }

    /// The last timestamp walked, ns UTC.
    pub fn last_timestamp(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        let (held, stop) = (self.held.clone(), StopFlag::default());
        let work = Work::start(move || run::last_timestamp(&|kind| held.batches(kind)));
        work.wait(py, &stop)?.map_err(py_err)
    }

    /// Proves that `whole`, the run over more rows, has the records of this one.
    pub fn check_continued_by(&self, py: Python<'_>, whole: &Self) -> PyResult<()> {
        let Held::Made { records, .. } = &whole.held else { return Ok(()) };
        let (held, records, stop) = (self.held.clone(), Arc::clone(records), StopFlag::default());
        let read = move |kind| held.batches(kind);
        let work = Work::start(move || run::check_continuation(&read, &records));
        work.wait(py, &stop)?.map_err(py_err)
    }

    /// The run folder it was read from.
    pub fn saved(&self) -> Option<&SavedRun> {
        match &self.held {
            Held::Made { .. } => None,
            Held::Saved(saved) => Some(saved),
        }
    }

    /// The config as text, or the terms of a run that was made without one.
    pub fn config_text(&self) -> PyResult<String> {
        match &self.held {
            Held::Made { outcome, .. } => Ok(outcome.config_yaml.clone()),
            Held::Saved(saved) => {
                let made = saved.path("config");
                let made = made.unwrap_or_else(|| saved.folder.join("config.resolved.yaml"));
                Ok(std::fs::read_to_string(made)?)
            }
        }
    }

    /// One side of a comparison.
    fn side(&self) -> PyResult<run::Side> {
        let metrics = self.document["metrics"].as_object();
        let values = metrics.into_iter().flatten();
        let metrics = values.map(|(key, facts)| (key.clone(), facts["value"].as_f64())).collect();
        let fills = self.held.batches(RecordKind::Fills).map_err(py_err)?;
        Ok(run::Side { metrics, fills })
    }

    /// The same result with the feed that was walked.
    #[must_use]
    pub fn with_feed(self, feed: Py<PyDataFeed>) -> Self {
        Self { feed: Some(feed), ..self }
    }

    /// Writes the run folder.
    pub fn write(&self, py: Python<'_>, folder: &Path) -> PyResult<()> {
        let Held::Made { outcome, .. } = &self.held else {
            return Err(config_error(
                "C470",
                "a loaded run is not written again",
                "copy its folder",
            ));
        };
        let clock = py.import("datetime")?;
        let zone = clock.getattr("timezone")?.getattr("utc")?;
        let now = clock.getattr("datetime")?.call_method1("now", (zone,))?;
        let made_at: String = now.call_method1("isoformat", (" ", "seconds"))?.extract()?;
        let (outcome, folder) = (Arc::clone(outcome), folder.to_path_buf());
        let stop = StopFlag::default();
        let shared = stop.clone();
        let work = Work::start(move || outcome.save_until(&folder, Some(&made_at), &shared));
        work.wait(py, &stop)?.map(drop).map_err(py_err)
    }

    /// Warns once when times without a zone were read as UTC.
    pub fn warn_of_naive_times(&self, py: Python<'_>) -> PyResult<()> {
        let Held::Made { outcome, .. } = &self.held else { return Ok(()) };
        for warning in &outcome.facts.warnings {
            if warning.starts_with("TW-D303") {
                py.import("warnings")?.call_method1("warn", (warning,))?;
            }
        }
        Ok(())
    }

    fn table(&self, kind: RecordKind) -> PyResult<Table> {
        match &self.held {
            Held::Made { records, .. } => Ok(Table::of_records(Arc::clone(records), kind)),
            Held::Saved(saved) => {
                let path = saved.path(kind.as_str()).ok_or_else(|| {
                    config_error(
                        "C471",
                        format!("the run folder has no {} table", kind.as_str()),
                        "make the run again",
                    )
                })?;
                Table::read_parquet(kind.as_str(), &path)
            }
        }
    }

    /// The metrics as plain values. Those of a run folder are read by Python, whose parser gives
    /// back every float to the last bit.
    fn metric_facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let facts = match &self.held {
            Held::Made { .. } => to_python(py, &self.document["metrics"])?,
            Held::Saved(saved) => {
                let path =
                    saved.path("metrics").unwrap_or_else(|| saved.folder.join("metrics.json"));
                let text = std::fs::read_to_string(path)?;
                py.import("json")?.call_method1("loads", (text,))?.get_item("metrics")?
            }
        };
        Ok(facts.cast_into::<PyDict>()?)
    }

    fn text(&self, key: &str) -> String {
        self.document[key].as_str().unwrap_or_default().to_owned()
    }

    /// The name and the strategy.
    fn title(&self) -> String {
        format!("Result {}: {}", self.text("name"), self.text("strategy"))
    }

    /// What was run, under which terms.
    fn terms(&self) -> Vec<String> {
        let n = |key: &str| self.document[key].as_u64().unwrap_or_default();
        let count = |n: u64| crate::table::thousands(usize::try_from(n).unwrap_or(usize::MAX));
        let (rows, symbols) = (count(n("rows")), n("symbols"));
        let mut lines = vec![format!("{rows} rows, {symbols} symbols, run {}", self.run_id())];
        if let Held::Made { outcome, .. } = &self.held {
            let facts = &outcome.facts;
            let costs = if facts.costs.is_empty() { "no costs" } else { &facts.costs };
            lines.push(format!("fills {}, {} account, {costs}", facts.semantics, facts.account));
        }
        lines
    }

    /// The headline metrics: key, value, convention.
    fn headline(&self) -> Vec<[String; 3]> {
        let mut rows = Vec::new();
        for key in SUMMARY {
            let metric = &self.document["metrics"][key];
            if metric.is_null() {
                continue;
            }
            let value = match metric["value"].as_f64() {
                Some(value) => written(value, metric["unit"].as_str().unwrap_or_default()),
                None => format!("n/a ({})", metric["reason"].as_str().unwrap_or("undefined")),
            };
            let convention = metric["convention"].as_str().unwrap_or_default();
            let n = metric["n"].as_u64().unwrap_or_default();
            let how = if convention.is_empty() {
                format!("n={n}")
            } else {
                format!("{convention}, n={n}")
            };
            rows.push([key.to_owned(), value, how]);
        }
        rows
    }

    /// What became of the orders on one line; empty for a folder that does not know.
    fn refused(&self) -> String {
        self.reasons_found().map_or(String::new(), |found| found.line())
    }

    /// The tables that a hand-over reads; the sessions of a loaded run are those of `feed`.
    fn handed_over(
        &self,
        py: Python<'_>,
        feed: Option<&Py<PyDataFeed>>,
    ) -> PyResult<handover::Run> {
        let calendar = match &self.held {
            Held::Made { records, .. } => records.log().calendar.clone(),
            Held::Saved(_) => match feed {
                Some(feed) => feed.get().open(py)?.calendar(),
                None => None,
            },
        };
        Ok(handover::Run {
            portfolio: self.table(RecordKind::Portfolio)?,
            positions: self.table(RecordKind::Positions)?,
            fills: self.table(RecordKind::Fills)?,
            trades: self.table(RecordKind::Trades)?,
            calendar,
        })
    }

    fn reasons_found(&self) -> Option<Reasons> {
        serde_json::from_value(self.document.get("reasons")?.clone()).ok()
    }
}

#[pymethods]
impl RunResult {
    /// Every metric by key: a float with `.value`, `.reason`, `.unit`, `.convention`, `.n`.
    #[getter]
    fn metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let module = py.import("tapeworks._metric")?;
        let class = module.getattr("Metric")?;
        let metrics = module.getattr("Metrics")?.call0()?.cast_into::<PyDict>()?;
        for (key, facts) in self.metric_facts(py)?.iter() {
            metrics.set_item(&key, class.call1((&key, facts))?)?;
        }
        Ok(metrics)
    }

    /// The headline metrics, a short `metrics`.
    #[getter]
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = self.metrics(py)?;
        let made = py.import("tapeworks._metric")?.getattr("Metrics")?.call0()?;
        let summary = made.cast_into::<PyDict>()?;
        for key in SUMMARY {
            if let Some(metric) = all.get_item(key)? {
                summary.set_item(key, metric)?;
            }
        }
        Ok(summary)
    }

    /// One row a reducing fill, and one a position still held at the end.
    #[getter]
    fn trades(&self) -> PyResult<Table> {
        self.table(RecordKind::Trades)
    }

    /// One row an execution.
    #[getter]
    fn fills(&self) -> PyResult<Table> {
        self.table(RecordKind::Fills)
    }

    /// One row an event in the life of an order.
    #[getter]
    fn orders(&self) -> PyResult<Table> {
        self.table(RecordKind::Orders)
    }

    /// One row a refused order, with the figures behind the refusal.
    #[getter]
    fn rejections(&self) -> PyResult<Table> {
        self.table(RecordKind::Rejections)
    }

    /// One row whenever a position changed.
    #[getter]
    fn positions(&self) -> PyResult<Table> {
        self.table(RecordKind::Positions)
    }

    /// One row a timestamp: equity, cash, exposure, fees, context.
    #[getter]
    fn portfolio(&self) -> PyResult<Table> {
        self.table(RecordKind::Portfolio)
    }

    /// Name of the run.
    #[getter]
    fn name(&self) -> String {
        self.text("name")
    }

    /// Hash of configuration, inputs and version.
    #[getter]
    fn run_id(&self) -> String {
        self.text("run_id")
    }

    /// Hash of the results: equal for equal records.
    #[getter]
    fn fingerprint(&self) -> String {
        self.text("fingerprint")
    }

    /// Warnings of the run.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        match &self.held {
            Held::Made { outcome, .. } => outcome.facts.warnings.clone(),
            Held::Saved(saved) => saved.manifest.warnings.clone(),
        }
    }

    /// Changes made to the data, with counts.
    #[getter]
    fn repairs(&self) -> Vec<String> {
        match &self.held {
            Held::Made { outcome, .. } => outcome.facts.repairs.clone(),
            Held::Saved(saved) => saved.manifest.repairs.clone(),
        }
    }

    /// What became of the orders, one line a cause: filled, resized, refused by code, cancelled;
    /// and the timestamps without any. A dict of counts that prints as a tally with remedies.
    ///
    ///     >>> import tapeworks as tw
    ///     >>> result = tw.run(tw.sample("daily"), tw.rules.sma_cross(20, 50, quantity=0.5))
    ///     >>> result.reasons()["rejected: quantity_zero"], result.reasons()["no signal"]
    ///     (130, 3146)
    fn reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let found = self.reasons_found().ok_or_else(|| {
            config_error("C471", "the run folder has no tally of orders", "make the run again")
        })?;
        let facts = serde_json::to_value(&found).expect("a tally has text keys");
        let facts = to_python(py, &facts)?;
        py.import("tapeworks._reasons")?.getattr("Reasons")?.call1((facts, found.line()))
    }

    /// What the strategy would send after the last row: orders of the last timestamp (`status`
    /// "new"), those that still rest ("resting") and those that wait for another ("held").
    ///
    ///     >>> import tapeworks as tw
    ///     >>> result = tw.run(tw.sample("daily"), tw.rules.top_n("score", 2, rebalance="1d"))
    ///     >>> orders = result.next_orders().to_polars()
    ///     >>> orders.select("symbol", "side", "quantity", "status").rows()[0]
    ///     ('AAPL', 'sell', 3073.0, 'new')
    fn next_orders(&self) -> PyResult<Table> {
        self.table(RecordKind::NextOrders)
    }

    /// Every metric of both runs with its difference; the row `first_different_fill` has the id of
    /// the first fill at which they part.
    fn compare(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Table> {
        let other = other.cast::<Self>().map_err(|_| {
            let class = other.get_type().name().map_or(String::new(), |name| name.to_string());
            PyTypeError::new_err(format!("compare() takes a tw.Result, not a {class}"))
        })?;
        let (ours, other) = (self.side()?, other.get().side()?);
        let stop = StopFlag::default();
        let work = Work::start(move || run::compare(ours, other));
        let batch = work.wait(py, &stop)?.map_err(py_err)?;
        Ok(Table::of_batches("comparison", batch.schema(), vec![batch]))
    }

    /// Writes the run folder: config, metrics, tables, report, manifest.
    fn save(&self, py: Python<'_>, directory: PathBuf) -> PyResult<()> {
        self.write(py, &directory)
    }

    /// Writes the report as one HTML file that needs no network.
    #[pyo3(
        signature = (path="report.html".into()),
        text_signature = "($self, path='report.html')"
    )]
    fn report(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let html = match &self.held {
            Held::Made { outcome, .. } => {
                let (outcome, stop) = (Arc::clone(outcome), StopFlag::default());
                let work = Work::start(move || report::html(&outcome.report_input()));
                work.wait(py, &stop)?.map_err(py_err)?
            }
            Held::Saved(saved) => {
                let made = saved.path("report").ok_or_else(|| {
                    config_error("C471", "the run folder has no report", "make the run again")
                })?;
                std::fs::read_to_string(made)?
            }
        };
        run::write_file(&path, &html).map_err(py_err)
    }

    /// Returns, positions and transactions as pyfolio takes them.
    ///
    /// Days are sessions (without a calendar UTC days) at midnight UTC. `positions` has the value
    /// of each symbol at the end of the session, and what is left of equity as `cash`;
    /// `transactions` has `amount` (units times multiplier), `price` and `symbol` by instant. A
    /// loaded run needs its `feed`.
    #[pyo3(signature = (*, feed=None))]
    fn to_pyfolio<'py>(
        &self,
        py: Python<'py>,
        feed: Option<Py<PyDataFeed>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let feed = feed.as_ref().or(self.feed.as_ref());
        self.handed_over(py, feed)?.pyfolio(py, feed)
    }

    /// Returns by session as quantstats takes them: a pandas series with dates without a zone.
    ///
    /// A loaded run counts UTC days, or the sessions of `feed`.
    #[pyo3(signature = (*, feed=None))]
    fn to_quantstats<'py>(
        &self,
        py: Python<'py>,
        feed: Option<Py<PyDataFeed>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.handed_over(py, feed.as_ref().or(self.feed.as_ref()))?.quantstats(py)
    }

    /// Completed trades and returns by session as ml4t-diagnostic takes them.
    ///
    /// `trades` is a list of its `TradeRecord`: `pnl` is net, `fees` is all that lies between the
    /// price move and it. `returns` is the series of `to_quantstats`.
    #[pyo3(signature = (*, feed=None))]
    fn to_ml4t<'py>(
        &self,
        py: Python<'py>,
        feed: Option<Py<PyDataFeed>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.handed_over(py, feed.as_ref().or(self.feed.as_ref()))?.ml4t(py)
    }

    fn __repr__(&self) -> String {
        let mut lines = vec![self.title()];
        lines.extend(self.terms().iter().map(|line| format!("  {line}")));
        for [key, value, how] in self.headline() {
            lines.push(format!("  {key:<14}{value:>16}  {how}"));
        }
        let refused = self.refused();
        if !refused.is_empty() {
            lines.push(format!("  {refused}"));
        }
        screen(&lines.join("\n"))
    }

    fn _repr_html_(&self) -> PyResult<String> {
        let portfolio = self.table(RecordKind::Portfolio)?;
        let equity = portfolio.numbers("equity")?;
        let mut lines = self.terms();
        let refused = self.refused();
        if !refused.is_empty() {
            lines.push(refused);
        }
        let caption = match (portfolio.instants()?, equity.as_slice()) {
            ((Some(first), Some(last)), [from, .., to]) => format!(
                "equity {first} .. {last}: {} to {}",
                written(*from, "currency"),
                written(*to, "currency")
            ),
            _ => String::new(),
        };
        Ok(html::heading(&self.title(), &lines)
            + &html::curve(&equity, &caption)
            + &html::facts(&self.headline()))
    }
}

/// Whole digits with commas.
fn grouped(digits: &str) -> String {
    digits.parse().map_or_else(|_| digits.to_owned(), crate::table::thousands)
}

fn written(value: f64, unit: &str) -> String {
    match unit {
        "fraction" => format!("{:.2} %", value * 100.0),
        "count" => grouped(&format!("{value:.0}")),
        "currency" => {
            let text = format!("{:.2}", value.abs());
            let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
            format!("{}{}.{cents}", if value < 0.0 { "-" } else { "" }, grouped(whole))
        }
        _ => format!("{value:.4}"),
    }
}

/// Reads a run folder back, after checking every file against the manifest.
///
///     >>> import tapeworks as tw
///     >>> import tempfile
///     >>> folder = tempfile.mkdtemp() + "/run"
///     >>> result = tw.run(tw.sample("daily"), tw.rules.buy_and_hold(), out=folder)
///     >>> tw.load(folder).fingerprint == result.fingerprint
///     True
#[pyfunction]
fn load(py: Python<'_>, directory: PathBuf) -> PyResult<RunResult> {
    let stop = StopFlag::default();
    let saved = Work::start(move || run::load(&directory)).wait(py, &stop)?.map_err(py_err)?;
    let document = saved.metrics.clone();
    Ok(RunResult { held: Held::Saved(Arc::new(saved)), recipe: None, document, feed: None })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RunResult>()?;
    module.add_function(wrap_pyfunction!(load, module)?)
}
