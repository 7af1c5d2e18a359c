//! `DataFeed`: the description of a run's data, usable for as many runs as wanted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base;
use tapeworks::base::{Actions, Adjustment, Calendar, Step, Symbols};
use tapeworks::data::{Ambiguous, CheckReport, Label, ReadOptions};
use tapeworks::feed::{
    Availability, ChunkLimit, ChunkSource, DataFeed, FeedClock, Lag, Layout, MarketChunk,
    MemoryFeed, OpenFeed, PRICES, SignalFill, SignalUse,
};
use tapeworks::run::InputEntry;

use crate::bars::PyBars;
use crate::check::PyCheckReport;
use crate::errors::{config_error, one_of, py_err, refuse_unknown};
use crate::frames::Input;
use crate::grid::folded;
use crate::html;
use crate::market::Market;
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
pub struct PyDataFeed {
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

/// A feed in motion.
pub enum Opened {
    Memory(MemoryFeed, CheckReport),
    Stream(OpenFeed),
}

impl Opened {
    /// What checking found; whole once the feed has ended.
    pub fn report(&self) -> CheckReport {
        match self {
            Self::Memory(_, report) => report.clone(),
            Self::Stream(feed) => feed.report(),
        }
    }
}

impl ChunkSource for Opened {
    fn symbols(&self) -> Arc<Symbols> {
        match self {
            Self::Memory(feed, _) => feed.symbols(),
            Self::Stream(feed) => feed.symbols(),
        }
    }

    fn layout(&self) -> Arc<Layout> {
        match self {
            Self::Memory(feed, _) => feed.layout(),
            Self::Stream(feed) => feed.layout(),
        }
    }

    fn calendar(&self) -> Option<Arc<Calendar>> {
        match self {
            Self::Memory(feed, _) => feed.calendar(),
            Self::Stream(feed) => feed.calendar(),
        }
    }

    fn actions(&self) -> Option<Arc<Actions>> {
        match self {
            Self::Memory(feed, _) => feed.actions(),
            Self::Stream(feed) => feed.actions(),
        }
    }

    fn clock(&self) -> FeedClock {
        match self {
            Self::Memory(feed, _) => feed.clock(),
            Self::Stream(feed) => feed.clock(),
        }
    }

    fn next_chunk(&mut self) -> base::Result<Option<Arc<MarketChunk>>> {
        match self {
            Self::Memory(feed, _) => feed.next_chunk(),
            Self::Stream(feed) => feed.next_chunk(),
        }
    }
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

impl PyDataFeed {
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
        py.detach(|| self.description().open().map(Opened::Stream)).map_err(py_err)
    }

    /// Starts to read; frames are decoded by the first call and shared by all.
    ///
    /// # Errors
    /// What reading and checking find.
    pub fn open(&self, py: Python<'_>) -> PyResult<Opened> {
        py.detach(|| self.open_detached()).map_err(py_err)
    }

    fn open_detached(&self) -> base::Result<Opened> {
        if let Input::Path(_) | Input::Lazy(_) = self.asset_data {
            return self.description().open().map(Opened::Stream);
        }
        let mut memory = self.memory.lock().expect("decoding returns errors, it does not panic");
        if let Some((feed, report)) = &*memory {
            let mut feed = feed.clone();
            feed.rewind();
            return Ok(Opened::Memory(feed, report.clone()));
        }
        let mut open = self.description().open()?;
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

    fn known_market(&self, py: Python<'_>) -> PyResult<Arc<Market>> {
        let known = self.market.lock().expect("no panic happens while it is held").clone();
        if let Some(market) = known {
            return Ok(market);
        }
        // Symbols and columns are known before the first row is.
        let opened = py.detach(|| self.description().open().map(Opened::Stream)).map_err(py_err)?;
        Ok(self.market(py, &opened))
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
        signal_columns: Option<Vec<String>>,
        indicator_columns: Option<Vec<String>>,
        context_columns: Option<Vec<String>>,
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
        symbols: Option<Vec<String>>,
        csv_columns: Option<Vec<String>>,
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
            symbols,
            start,
            end,
            level: ("validation", validation),
            on_bad_row,
            allow_negative,
            csv_columns,
            csv_delimiter,
            csv_price_scale,
        };
        let read = read.options()?;
        let known = asset_data.cast::<PyBars>().ok();
        let spec = Spec {
            signal_columns,
            indicator_columns,
            context_columns,
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
        let feed = Self {
            spec,
            signals: side("signals", signals)?,
            context: side("context", context)?,
            actions: side("actions", actions)?,
            ..Self::of_inputs(Input::read("asset_data", asset_data)?, None, None)
        };
        feed.description().check_rules().map_err(py_err)?;
        Ok(feed)
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
        crate::check::check(
            py,
            &self.asset_data,
            self.signals.as_ref(),
            self.context.as_ref(),
            self.actions.as_ref(),
            &self.spec.signal_rule,
            &self.spec.read,
        )
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

/// What the stamps of bars name.
pub fn label_of(label: Option<&str>) -> PyResult<Label> {
    let choices = [("end", Label::End), ("start", Label::Start), ("session", Label::Session)];
    label.map_or(Ok(Label::Auto), |label| one_of("label", label, &choices))
}

/// Which instant a local time names that the clock shows twice.
pub fn ambiguous_of(which: Option<&str>) -> PyResult<Option<Ambiguous>> {
    let choices = [("first", Ambiguous::First), ("second", Ambiguous::Second)];
    which.map(|which| one_of("ambiguous", which, &choices)).transpose()
}

/// A span as nanoseconds: a text such as `"5d"`, or a `timedelta`.
pub fn span_ns(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    if let Ok(text) = value.extract::<String>() {
        return tapeworks::run::config::parse_span(&text).map_err(|reason| {
            config_error("C442", format!("{argument}={text:?}: {reason}"), "write 5d, 12h or 30m")
        });
    }
    let span: std::time::Duration = value.extract()?;
    i64::try_from(span.as_nanos()).map_err(|_| {
        config_error("C442", format!("{argument} is longer than 292 years"), "write 5d")
    })
}

/// How far apart rows are: a text such as `"5m"`, `"1d"` or `"1mo"`, or a `timedelta`.
pub fn step(argument: &str, value: &Bound<'_, PyAny>) -> PyResult<Step> {
    if let Ok(text) = value.extract::<String>() {
        return Step::parse(&text).map_err(|reason| {
            config_error("C442", format!("{argument}={text:?}: {reason}"), "write 5m, 1d, 1w, 1mo")
        });
    }
    let text = format!("{}ms", span_ns(argument, value)? / 1_000_000);
    Step::parse(&text).map_err(|reason| config_error("C442", reason, "write 5m, 1d, 1w or 1mo"))
}

/// A text such as `"5d"` or `"3sessions"`, or a `timedelta`.
pub fn lag(argument: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Lag>> {
    let Some(value) = value else { return Ok(None) };
    if let Ok(text) = value.extract::<String>() {
        return Lag::parse(&text).map(Some).map_err(|error| {
            let reason = format!("{argument}={text:?}: {}", error.message());
            config_error("C442", reason, error.hint().unwrap_or_default())
        });
    }
    span_ns(argument, value).map(|ns| Some(Lag::Span(ns)))
}

/// `"1mo"`, `"5d"` or a number of rows.
fn chunk_limit(value: &Bound<'_, PyAny>) -> PyResult<ChunkLimit> {
    let text: String = value.str()?.extract()?;
    ChunkLimit::parse(&text).map_err(py_err)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyDataFeed>()
}
