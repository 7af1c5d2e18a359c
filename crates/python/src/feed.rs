//! `DataFeed`: the description of a run's data, usable for as many runs as wanted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base;
use tapeworks::base::{Adjustment, StopFlag};
use tapeworks::data::{CheckReport, ReadOptions};
use tapeworks::feed::{
    Availability, ChunkLimit, ChunkSource, DataFeed, MemoryFeed, PRICES, SignalFill, SignalUse,
};
use tapeworks::run::InputEntry;

use crate::bars::PyBars;
use crate::check::PyCheckReport;
use crate::errors::{config_error, one_of, py_err, refuse_unknown};
pub use crate::feed_words::{ambiguous_of, label_of, lag, span_ns, step};
use crate::feed_words::{chunk_limit, names};
use crate::frames::Input;
use crate::grid::folded;
use crate::html;
use crate::interrupt::Work;
use crate::market::Market;
pub use crate::opened::Opened;
use crate::read_options::ReadKeywords;
use crate::screen::screen;
use crate::walk::{BatchIterator, EventIterator};

/// Market data for a run: bars with their signals and indicators, and context, in time order.
///
/// Paths are streamed from disk by every run in bounded memory. Frames are streamed by the first
/// run; from the second on, and when they are iterated, their decoded rows are kept. Column lists:
/// `None` is all that are there.
///
///     >>> import tapeworks as tw
///     >>> import polars as pl
///     >>> days = pl.datetime_range(pl.datetime(2024, 1, 2), pl.datetime(2024, 1, 4), "1d",
///     ...                          time_zone="UTC", eager=True)
///     >>> bars = pl.DataFrame({"timestamp": days, "symbol": "AAA", "open": [9.0, 10.0, 12.0],
///     ...     "high": [11.0, 12.0, 13.0], "low": [9.0, 10.0, 12.0],
///     ...     "close": [10.0, 12.0, 12.0], "volume": 100.0})
///     >>> feed = tw.DataFeed(bars)
///     >>> [event.close for event in feed]
///     [10.0, 12.0, 12.0]
///     >>> feed.check().ok
///     True
#[pyclass(frozen, name = "DataFeed", module = "tapeworks")]
pub struct PyDataFeed(pub Arc<Feed>);

/// What a feed knows, shared with the threads that read it.
pub struct Feed {
    asset_data: Input,
    signals: Option<Input>,
    context: Option<Input>,
    actions: Option<Input>,
    spec: Spec,
    /// Chunks of a frame, once they are decoded.
    memory: Mutex<Option<(MemoryFeed, CheckReport)>>,
    market: Mutex<Option<Arc<Market>>>,
    /// What the last run read.
    hashed: Mutex<Vec<InputEntry>>,
    /// Whether a run has read it.
    was_run: AtomicBool,
}

/// The options of a feed that are plain values.
#[derive(Clone)]
struct Spec {
    signal_columns: Option<Vec<String>>,
    indicator_columns: Option<Vec<String>>,
    context_columns: Option<Vec<String>>,
    signal_rule: SignalUse,
    context_rule: SignalUse,
    signal_fill: SignalFill,
    adjustment: Option<Adjustment>,
    chunk: Option<ChunkLimit>,
    read: ReadOptions,
}

const KEYWORDS: [&str; 30] = [
    "asset_data",
    "signals",
    "context",
    "actions",
    "adjustment",
    "signal_columns",
    "indicator_columns",
    "context_columns",
    "signal_available_at",
    "context_available_at",
    "staleness",
    "context_staleness",
    "signal_delay",
    "context_delay",
    "signal_fill",
    "calendar",
    "tz",
    "label",
    "frequency",
    "ambiguous",
    "chunk",
    "validation",
    "on_bad_row",
    "allow_negative",
    "start",
    "end",
    "symbols",
    "csv_columns",
    "csv_delimiter",
    "csv_price_scale",
];

impl std::ops::Deref for PyDataFeed {
    type Target = Feed;

    fn deref(&self) -> &Feed {
        &self.0
    }
}

impl PyDataFeed {
    /// Starts to read; frames are decoded by the first call and shared by all.
    ///
    /// # Errors
    /// What reading and checking find.
    pub fn open(&self, py: Python<'_>) -> PyResult<Opened> {
        if let Some(opened) = self.decoded() {
            return Ok(opened);
        }
        let (feed, stop) = (Arc::clone(&self.0), StopFlag::default());
        let shared = stop.clone();
        Work::start(move || feed.open_detached(&shared)).wait(py, &stop)?.map_err(py_err)
    }

    /// Starts to read for a run: the first one streams a frame and keeps none of its rows decoded,
    /// since most feeds are run once; later ones read as [`Self::open`] does.
    ///
    /// # Errors
    /// What reading and checking find.
    pub fn open_for_run(&self, py: Python<'_>) -> PyResult<Opened> {
        let is_kept = self.memory.lock().is_ok_and(|memory| memory.is_some());
        if is_kept || self.was_run.swap(true, Ordering::Relaxed) {
            return self.open(py);
        }
        self.stream(py)
    }

    /// Starts to read without keeping what is decoded.
    fn stream(&self, py: Python<'_>) -> PyResult<Opened> {
        let (feed, stop) = (Arc::clone(&self.0), StopFlag::default());
        let mut description = feed.description();
        description.read.stop = stop.clone();
        let opened = Work::start(move || description.open()).wait(py, &stop)?;
        opened.map(Opened::Stream).map_err(py_err)
    }

    fn known_market(&self, py: Python<'_>) -> PyResult<Arc<Market>> {
        let known = self.market.lock().expect("no panic happens while it is held").clone();
        if let Some(market) = known {
            return Ok(market);
        }
        // Symbols and columns are known before the first row is.
        let opened = self.stream(py)?;
        Ok(self.market(py, &opened))
    }

    /// The same feed over more rows: each new table follows the old one of its kind.
    ///
    /// # Errors
    /// `TW-C473` for a table that this feed does not have, and for a feed that ends at a date;
    /// `TW-D322` when the columns are others.
    pub fn extended(&self, py: Python<'_>, more: &MoreInputs) -> PyResult<Self> {
        if self.spec.read.end.is_some() {
            return Err(config_error(
                "C473",
                "the feed of the run ends at end=, so later rows are not read",
                "give the feed without it: tw.resume(result, new_rows, feed=tw.DataFeed(...))",
            ));
        }
        let side = |name: &str, old: Option<&Input>, new: Option<&Input>| match (old, new) {
            (Some(old), Some(new)) => Input::joined(py, name, old, new).map(Some),
            (old, None) => Ok(old.cloned()),
            (None, Some(_)) => Err(config_error(
                "C473",
                format!("{name}: the feed of the run has no such table"),
                "leave it out, or make a new run with it",
            )),
        };
        Ok(Self(Arc::new(Feed {
            signals: side("signals", self.signals.as_ref(), more.signals.as_ref())?,
            context: side("context", self.context.as_ref(), more.context.as_ref())?,
            actions: side("actions", self.actions.as_ref(), more.actions.as_ref())?,
            spec: self.spec.clone(),
            ..Feed::of_inputs(
                Input::joined(py, "new_rows", &self.asset_data, &more.asset_data)?,
                None,
                None,
            )
        })))
    }
}

/// Tables that a run goes on with.
pub struct MoreInputs {
    pub asset_data: Input,
    pub signals: Option<Input>,
    pub context: Option<Input>,
    pub actions: Option<Input>,
}

impl Feed {
    /// The tables of this feed, to go on with.
    pub fn tables_to_add(&self) -> MoreInputs {
        MoreInputs {
            asset_data: self.asset_data.clone(),
            signals: self.signals.clone(),
            context: self.context.clone(),
            actions: self.actions.clone(),
        }
    }

    /// How the tables are read.
    pub fn read_options(&self) -> &ReadOptions {
        &self.spec.read
    }

    /// Reads from inputs that are ready, such as the tables of the sample.
    pub fn of_inputs(asset_data: Input, signals: Option<Input>, context: Option<Input>) -> Self {
        let spec = Spec {
            signal_columns: None,
            indicator_columns: None,
            context_columns: None,
            signal_rule: SignalUse::default(),
            context_rule: SignalUse::default(),
            signal_fill: SignalFill::default(),
            adjustment: None,
            chunk: None,
            read: ReadOptions::default(),
        };
        Self {
            asset_data,
            signals,
            context,
            actions: None,
            spec,
            memory: Mutex::new(None),
            market: Mutex::new(None),
            hashed: Mutex::new(Vec::new()),
            was_run: AtomicBool::new(false),
        }
    }

    fn description(&self) -> DataFeed {
        let mut feed = DataFeed::new(self.asset_data.source());
        let spec = self.spec.clone();
        feed.signals = self.signals.as_ref().map(Input::source);
        feed.context = self.context.as_ref().map(Input::source);
        feed.actions = self.actions.as_ref().map(Input::source);
        feed.adjustment = spec.adjustment;
        feed.signal_columns = spec.signal_columns;
        feed.indicator_columns = spec.indicator_columns;
        feed.context_columns = spec.context_columns;
        feed.signal_available_at = spec.signal_rule.available_at;
        feed.signal_delay = spec.signal_rule.delay;
        feed.staleness = spec.signal_rule.staleness;
        feed.signal_fill = spec.signal_fill;
        feed.context_available_at = spec.context_rule.available_at;
        feed.context_delay = spec.context_rule.delay;
        feed.context_staleness = spec.context_rule.staleness;
        feed.chunk = spec.chunk;
        feed.read = spec.read;
        feed
    }

    /// The chunks of a frame that is decoded already and not in use by another thread.
    fn decoded(&self) -> Option<Opened> {
        let memory = self.memory.try_lock().ok()?;
        let (feed, report) = memory.as_ref()?;
        let mut feed = feed.clone();
        feed.rewind();
        Some(Opened::Memory(feed, report.clone()))
    }

    fn open_detached(&self, stop: &StopFlag) -> base::Result<Opened> {
        let mut description = self.description();
        description.read.stop = stop.clone();
        if !matches!(self.asset_data, Input::Batches(..)) {
            return description.open().map(Opened::Stream);
        }
        let mut memory = self.memory.lock().expect("decoding returns errors, it does not panic");
        if let Some((feed, report)) = &*memory {
            let mut feed = feed.clone();
            feed.rewind();
            return Ok(Opened::Memory(feed, report.clone()));
        }
        let mut open = description.open()?;
        let mut chunks = Vec::new();
        while let Some(chunk) = open.next_chunk()? {
            chunks.push(chunk);
        }
        let feed = MemoryFeed::new(open.symbols(), open.layout(), chunks)
            .with_calendar(open.calendar())
            .with_actions(open.actions())
            .with_clock(open.clock());
        let report = open.report();
        *memory = Some((feed.clone(), report.clone()));
        Ok(Opened::Memory(feed, report))
    }

    /// Symbols and columns as Python strings, made once.
    pub fn market(&self, py: Python<'_>, opened: &Opened) -> Arc<Market> {
        let known = self.market.lock().expect("no panic happens while it is held").clone();
        if let Some(market) = known.filter(|market| {
            *market.symbols == *opened.symbols() && *market.layout == *opened.layout()
        }) {
            return market;
        }
        let market = Arc::new(Market::new(py, opened.symbols(), opened.layout()));
        *self.market.lock().expect("no panic happens while it is held") = Some(Arc::clone(&market));
        market
    }

    /// What a run over this feed reads, for its manifest; files are hashed.
    ///
    /// # Errors
    /// When a file has gone since.
    pub fn inputs(&self) -> base::Result<Vec<InputEntry>> {
        let tables = [
            ("asset_data", Some(&self.asset_data)),
            ("signals", self.signals.as_ref()),
            ("context_data", self.context.as_ref()),
            ("actions", self.actions.as_ref()),
        ];
        let present = tables.into_iter().filter_map(|(table, input)| Some((table, input?)));
        let mut known = self.hashed.lock().expect("hashing returns errors, it does not panic");
        let mut entries = Vec::new();
        for (table, input) in present {
            let held = known.iter().find(|entry: &&InputEntry| entry.table == table).cloned();
            entries.push(match (held, input) {
                // A frame never changes, so it is hashed once; a file may.
                (Some(entry), Input::Batches(..)) => entry,
                (_, input) => input.entry(table)?,
            });
        }
        known.clone_from(&entries);
        Ok(entries)
    }

    /// The zone in which the days of this feed are counted.
    pub fn timezone(&self) -> String {
        let read = &self.spec.read;
        let of_calendar = || read.calendar.as_ref().map(|known| known.zone_name().to_owned());
        read.tz.clone().or_else(of_calendar).unwrap_or_else(|| "UTC".to_owned())
    }

    /// When signals are known.
    pub fn signal_mode(&self) -> Availability {
        if self.signals.is_some() {
            self.spec.signal_rule.available_at
        } else {
            Availability::default()
        }
    }

    /// One line a table, for `repr`.
    fn tables(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("asset_data", self.asset_data.describe())];
        lines.extend(self.signals.iter().map(|input| ("signals", input.describe())));
        lines.extend(self.context.iter().map(|input| ("context", input.describe())));
        lines.extend(self.actions.iter().map(|input| ("actions", input.describe())));
        lines
    }
}

#[pymethods]
impl PyDataFeed {
    #[new]
    #[pyo3(signature = (
        asset_data, *, signals=None, context=None, actions=None, adjustment=None,
        signal_columns=None, indicator_columns=None, context_columns=None,
        signal_available_at="timestamp", context_available_at="timestamp",
        staleness=None, context_staleness=None, signal_delay=None, context_delay=None,
        signal_fill="none", calendar=None, tz=None, label=None, frequency=None, ambiguous=None,
        chunk=None, validation="standard", on_bad_row="error", allow_negative=false, start=None,
        end=None, symbols=None, csv_columns=None, csv_delimiter=None, csv_price_scale=1.0, **unknown
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are its keywords")]
    fn new(
        asset_data: &Bound<'_, PyAny>,
        signals: Option<&Bound<'_, PyAny>>,
        context: Option<&Bound<'_, PyAny>>,
        actions: Option<&Bound<'_, PyAny>>,
        adjustment: Option<&str>,
        signal_columns: Option<&Bound<'_, PyAny>>,
        indicator_columns: Option<&Bound<'_, PyAny>>,
        context_columns: Option<&Bound<'_, PyAny>>,
        signal_available_at: &str,
        context_available_at: &str,
        staleness: Option<&Bound<'_, PyAny>>,
        context_staleness: Option<&Bound<'_, PyAny>>,
        signal_delay: Option<&Bound<'_, PyAny>>,
        context_delay: Option<&Bound<'_, PyAny>>,
        signal_fill: &str,
        calendar: Option<&Bound<'_, PyAny>>,
        tz: Option<&str>,
        label: Option<&str>,
        frequency: Option<&Bound<'_, PyAny>>,
        ambiguous: Option<&str>,
        chunk: Option<&Bound<'_, PyAny>>,
        validation: &str,
        on_bad_row: &str,
        allow_negative: bool,
        start: Option<&Bound<'_, PyAny>>,
        end: Option<&Bound<'_, PyAny>>,
        symbols: Option<&Bound<'_, PyAny>>,
        csv_columns: Option<&Bound<'_, PyAny>>,
        csv_delimiter: Option<char>,
        csv_price_scale: f64,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("DataFeed", &KEYWORDS, unknown)?;
        let read = ReadKeywords {
            source: asset_data,
            tz,
            calendar,
            label,
            frequency,
            ambiguous,
            symbols: names("symbols", symbols)?,
            start,
            end,
            level: ("validation", validation),
            on_bad_row,
            allow_negative,
            csv_columns: names("csv_columns", csv_columns)?,
            csv_delimiter,
            csv_price_scale,
        };
        let read = read.options()?;
        if let (Some(start), Some(end)) = (read.start, read.end)
            && start >= end
        {
            return Err(config_error(
                "C443",
                format!("start={start} is not before end={end}"),
                "the range is half open: rows from start up to, and without, end",
            ));
        }
        let known = asset_data.cast::<PyBars>().ok();
        let spec = Spec {
            signal_columns: names("signal_columns", signal_columns)?,
            indicator_columns: names("indicator_columns", indicator_columns)?,
            context_columns: names("context_columns", context_columns)?,
            signal_rule: SignalUse {
                available_at: Availability::parse(signal_available_at).map_err(py_err)?,
                delay: lag("signal_delay", signal_delay)?,
                staleness: lag("staleness", staleness)?,
            },
            context_rule: SignalUse {
                available_at: Availability::parse(context_available_at).map_err(py_err)?,
                delay: lag("context_delay", context_delay)?,
                staleness: lag("context_staleness", context_staleness)?,
            },
            signal_fill: SignalFill::parse(signal_fill).map_err(py_err)?,
            adjustment: adjustment
                .map(|word| one_of("adjustment", word, &Adjustment::ALL))
                .transpose()?
                .or_else(|| known.and_then(|bars| bars.get().bars.terms().adjustment)),
            chunk: chunk.map(chunk_limit).transpose()?,
            read,
        };
        let side = |name: &str, value: Option<&Bound<'_, PyAny>>| {
            value.map(|value| Input::read(name, value)).transpose()
        };
        let feed = Feed {
            spec,
            signals: side("signals", signals)?,
            context: side("context", context)?,
            actions: side("actions", actions)?,
            ..Feed::of_inputs(Input::read("asset_data", asset_data)?, None, None)
        };
        feed.description().check_rules().map_err(py_err)?;
        Ok(Self(Arc::new(feed)))
    }

    /// The symbols, ascending.
    #[getter]
    fn symbols(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.known_market(py)?.symbols.iter().map(str::to_owned).collect())
    }

    /// Every column by name: time, symbol, prices, signals, indicators, context.
    #[getter]
    fn columns(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let market = self.known_market(py)?;
        let layout = &market.layout;
        let first = ["timestamp", "symbol"].into_iter().chain(PRICES).map(str::to_owned);
        let rest = [&layout.signals, &layout.indicators, &layout.context];
        Ok(first.chain(rest.into_iter().flatten().cloned()).collect())
    }

    /// Names of the signal columns.
    #[getter]
    fn signal_columns(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.known_market(py)?.layout.signals.clone())
    }

    /// Names of the indicator columns.
    #[getter]
    fn indicator_columns(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.known_market(py)?.layout.indicators.clone())
    }

    /// Names of the context columns.
    #[getter]
    fn context_columns(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.known_market(py)?.layout.context.clone())
    }

    /// Checks the asset data at the feed's level, then signals and context against it; bad rows
    /// are findings, not an exception.
    fn check(&self, py: Python<'_>) -> PyResult<PyCheckReport> {
        let (feed, stop) = (Arc::clone(&self.0), StopFlag::default());
        let read = ReadOptions { stop: stop.clone(), ..self.spec.read.clone() };
        let work = Work::start(move || {
            crate::check::check(
                &feed.asset_data,
                feed.signals.as_ref(),
                feed.context.as_ref(),
                feed.actions.as_ref(),
                &feed.spec.signal_rule,
                &read,
            )
        });
        work.wait(py, &stop)?.map(PyCheckReport).map_err(py_err)
    }

    /// One `MarketEvent` a row, in time order.
    fn __iter__(&self, py: Python<'_>) -> PyResult<EventIterator> {
        let opened = self.open(py)?;
        let market = self.market(py, &opened);
        Ok(EventIterator::new(opened, market))
    }

    /// One `Batch` a timestamp, in time order.
    fn iter_batches(&self, py: Python<'_>) -> PyResult<BatchIterator> {
        let opened = self.open(py)?;
        let market = self.market(py, &opened);
        Ok(BatchIterator::new(opened, market))
    }

    /// A signal or indicator and the closes as alphalens takes them.
    ///
    /// `factor` is a series by `(date, asset)`, `prices` a frame with a column a symbol. Dates are
    /// sessions at midnight UTC, or instants where a session has several rows. alphalens buys at
    /// the close at which the factor was known, a row earlier than a run here could.
    fn to_alphalens<'py>(&self, py: Python<'py>, factor: &str) -> PyResult<Bound<'py, PyAny>> {
        crate::handover::alphalens(py, self, factor)
    }

    fn __repr__(&self) -> String {
        let mut lines: Vec<String> =
            self.tables().iter().map(|(name, text)| format!("  {name}: {text}")).collect();
        lines.insert(0, "DataFeed".to_owned());
        let known = self.market.lock().expect("no panic happens while it is held").clone();
        if let Some(market) = known {
            let symbols: Vec<String> = market.symbols.iter().take(8).map(str::to_owned).collect();
            let more = market.symbols.len().saturating_sub(8);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            let lead = format!("  {} symbols: ", market.symbols.len());
            lines.push(format!("{lead}{}{more}", symbols.join(", ")));
            for (name, columns) in [
                ("signals", &market.layout.signals),
                ("indicators", &market.layout.indicators),
                ("context", &market.layout.context),
            ] {
                if !columns.is_empty() {
                    lines.extend(folded(&format!("  {name}: "), columns, 80));
                }
            }
        }
        screen(&lines.join("\n"))
    }

    fn _repr_html_(&self) -> String {
        html::outline(&self.__repr__())
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyDataFeed>()
}
