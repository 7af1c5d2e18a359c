//! `Indicator`: what `Strategy.indicator` gives, a running figure with its value of each row.
//!
//! The numbers are computed by the engine, a chunk at a time; a handle reads them at the row that
//! the strategy is called for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tapeworks::base::spelling::nearest;
use tapeworks::feed::{MarketChunk, RowColumn};
use tapeworks::indicators::{IndicatorSpec, RunningColumn};
use tapeworks::lookback::{Lookback, PastColumn};

use crate::errors::{config_error, order_error, py_err};
use crate::event::{MarketEvent, no_column};
use crate::grid::code;
use crate::market::Market;
use crate::numpy_view;
use crate::screen::screen;

/// The rows of its chunk that the strategy is called for; empty between calls.
#[derive(Debug, Default)]
pub struct Cursor {
    start: AtomicUsize,
    end: AtomicUsize,
}

impl Cursor {
    /// The strategy is called for these rows.
    #[inline]
    pub fn set(&self, start: usize, end: usize) {
        self.start.store(start, Ordering::Relaxed);
        self.end.store(end, Ordering::Relaxed);
    }

    #[inline]
    fn get(&self) -> (usize, usize) {
        (self.start.load(Ordering::Relaxed), self.end.load(Ordering::Relaxed))
    }
}

/// One indicator of a strategy: what it is, and where its numbers are once a run has begun.
pub struct Running {
    spec: IndicatorSpec,
    source: String,
    cursor: Arc<Cursor>,
    place: Mutex<Option<Place>>,
}

struct Place {
    lookback: Weak<Mutex<Lookback>>,
    market: Arc<Market>,
    /// Its number in the lookback.
    number: usize,
    chunk: Option<Arc<MarketChunk>>,
    columns: Option<Arc<[RunningColumn]>>,
}

impl Running {
    /// Reads `indicator("sma", "close", 20)`, `indicator("sma:20")`, `indicator("atr", n=14)`.
    ///
    /// # Errors
    /// `C301` for a name or number that the table of indicators does not have.
    pub fn read(
        name: &str,
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
        cursor: &Arc<Cursor>,
    ) -> PyResult<Self> {
        let mut source = None;
        let mut text = name.to_owned();
        for (i, argument) in arguments.iter().enumerate() {
            if let Ok(number) = argument.extract::<f64>() {
                text = format!("{text}:{number}");
            } else if let (0, Ok(column)) = (i, argument.extract::<String>()) {
                source = Some(column);
            } else {
                return Err(config_error(
                    "C301",
                    format!("indicator({name:?}): {argument} is neither a column nor a number"),
                    "write the column first, then numbers: indicator(\"sma\", \"close\", 20)",
                ));
            }
        }
        let mut spec = IndicatorSpec::parse(&text).map_err(py_err)?;
        if let Some(keywords) = keywords.filter(|keywords| !keywords.is_empty()) {
            let parameters = spec.indicator().parameters;
            let mut numbers = spec.values().to_vec();
            for (key, value) in keywords.iter() {
                let key: String = key.extract()?;
                let place = parameters.iter().position(|one| one.name == key);
                let Some(place) = place else {
                    let names = || parameters.iter().map(|one| one.name);
                    let hint = nearest(&key, names()).map_or_else(
                        || format!("it takes {}", names().collect::<Vec<_>>().join(", ")),
                        |near| format!("did you mean {near:?}?"),
                    );
                    let text = format!("indicator {name} has no number {key:?}");
                    return Err(config_error("C301", text, &hint));
                };
                numbers[place] = value.extract()?;
            }
            let words = numbers.iter().map(f64::to_string);
            let words: Vec<String> =
                std::iter::once(spec.indicator().name.to_owned()).chain(words).collect();
            spec = IndicatorSpec::parse(&words.join(":")).map_err(py_err)?;
        }
        Ok(Self {
            spec,
            source: source.unwrap_or_else(|| "close".to_owned()),
            cursor: Arc::clone(cursor),
            place: Mutex::new(None),
        })
    }

    /// Whether it is the same figure of the same column.
    pub fn is_same(&self, other: &Self) -> bool {
        self.spec == other.spec && self.source == other.source
    }

    /// Begins with the rows that a run has seen.
    ///
    /// # Errors
    /// `KeyError` for a column that the feed does not have; as [`Lookback::indicator`].
    pub fn begin(&self, lookback: &Arc<Mutex<Lookback>>, market: &Arc<Market>) -> PyResult<()> {
        let column = market.row_column(&self.source);
        let column = column.ok_or_else(|| no_column(market, &self.source))?;
        self.check_source(column)?;
        let mut rows = lookback.lock().expect("no panic happens while it is held");
        let number = rows.indicator(self.spec.clone(), column).map_err(py_err)?;
        *self.place() = Some(Place {
            lookback: Arc::downgrade(lookback),
            market: Arc::clone(market),
            number,
            chunk: rows.chunk().cloned(),
            columns: rows.running(number),
        });
        Ok(())
    }

    fn check_source(&self, column: RowColumn) -> PyResult<()> {
        let needs = self.spec.indicator().needs;
        if column != RowColumn::Price(3) && needs.len() != 1 {
            return Err(config_error(
                "C301",
                format!("indicator {} reads more columns than {:?}", self.spec, self.source),
                "leave the column out",
            ));
        }
        Ok(())
    }

    /// The run has reached a chunk.
    pub fn move_to(&self, lookback: &Lookback, chunk: &Arc<MarketChunk>) {
        if let Some(place) = &mut *self.place() {
            place.columns = lookback.running(place.number);
            place.chunk = Some(Arc::clone(chunk));
        }
    }

    /// The column of an output in the lookback, while a run has it.
    fn past_column(&self, output: usize) -> Option<PastColumn> {
        self.place().as_ref().map(|place| PastColumn::Running(place.number, output))
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<Place>> {
        self.place.lock().expect("no panic happens while it is held")
    }
}

/// A running indicator of a strategy: `self.indicator("sma", "close", 20)`.
///
/// `value` is that of the row that `on_market_data` is called for, `previous` that of the row of
/// the same symbol before; `values` and `previous_values` are arrays aligned with `batch.symbols`.
/// `indicator["AAPL"]` is the newest value of a symbol, `indicator[event]` that of an event. NaN
/// is missing: before enough rows have passed, and where the row lacks a column that is read.
///
///     >>> import tapeworks as tw
///     >>> class Cross(tw.Strategy):
///     ...     def on_start(self):
///     ...         self.fast = self.indicator("sma", "close", 20)
///     ...         self.slow = self.indicator("sma", "close", 50)
///     ...     def on_market_data(self, event):
///     ...         if self.fast.crossed_above(self.slow):
///     ...             self.order_target_percent(event.symbol, 0.2)
///     ...         elif self.fast.crossed_below(self.slow):
///     ...             self.order_target_percent(event.symbol, 0.0)
///     ...
///     >>> result = tw.run(tw.sample("daily"), Cross())
#[pyclass(frozen, name = "Indicator", module = "tapeworks")]
#[derive(Clone)]
pub struct PyIndicator {
    running: Arc<Running>,
    output: usize,
}

impl PyIndicator {
    pub fn new(running: Arc<Running>, output: usize) -> Self {
        Self { running, output }
    }

    /// Its column in the lookback.
    ///
    /// # Errors
    /// `O300` when no run has begun with it.
    pub fn past_column(&self) -> PyResult<PastColumn> {
        self.running.past_column(self.output).ok_or_else(|| self.idle())
    }

    fn idle(&self) -> PyErr {
        order_error(
            "O300",
            format!("{} has a value only while a run calls the strategy", self.name()),
            "read it inside on_market_data or on_timestamp_batch",
        )
    }

    /// What `of` reads in the columns at the rows the strategy is called for.
    fn at_rows<T>(&self, of: impl FnOnce(&RunningColumn, usize, usize) -> Option<T>) -> Option<T> {
        let (start, end) = self.running.cursor.get();
        let place = self.running.place();
        let columns = place.as_ref()?.columns.as_ref()?;
        if start == end { None } else { of(&columns[self.output], start, end) }
    }

    /// Value and value before at the one row the strategy is called for.
    #[inline]
    fn pair(&self) -> PyResult<(f64, f64)> {
        let found = self.at_rows(|column, start, end| {
            (end - start == 1).then(|| (column.values[start], column.previous[start]))
        });
        found.ok_or_else(|| {
            let (start, end) = self.running.cursor.get();
            if end - start > 1 {
                return order_error(
                    "O318",
                    format!("{}: {} rows are at hand, not one", self.name(), end - start),
                    "a batch strategy reads .values and .previous_values, or indicator[symbol]",
                );
            }
            self.idle()
        })
    }

    fn array<'py>(
        &self,
        py: Python<'py>,
        of: impl Fn(&RunningColumn) -> &[f64],
    ) -> PyResult<Bound<'py, PyAny>> {
        let (start, end) = self.running.cursor.get();
        let columns = {
            let place = self.running.place();
            place.as_ref().and_then(|place| place.columns.clone()).filter(|_| start < end)
        };
        let columns = columns.ok_or_else(|| self.idle())?;
        let owner = Box::new(Arc::clone(&columns));
        numpy_view::view(py, owner, &of(&columns[self.output])[start..end])
    }

    /// Value and value before of what a crossing is with.
    fn other(other: &Bound<'_, PyAny>) -> PyResult<(f64, f64)> {
        if let Ok(indicator) = other.cast::<Self>() {
            return indicator.get().pair();
        }
        let level: f64 = other.extract()?;
        Ok((level, level))
    }
}

#[pymethods]
impl PyIndicator {
    /// Its name as a column: `"sma_20"`.
    #[getter]
    fn name(&self) -> String {
        let column = self.running.spec.columns().swap_remove(self.output);
        match self.running.source.as_str() {
            "close" => column,
            source => format!("{column}_of_{source}"),
        }
    }

    /// The names of all its outputs: one, or such as `["macd", "macd_signal", "macd_hist"]`.
    #[getter]
    fn outputs(&self) -> Vec<&'static str> {
        self.running.spec.indicator().outputs.to_vec()
    }

    /// Another output of the same indicator.
    pub fn output(&self, name: &str) -> PyResult<Self> {
        let outputs = self.running.spec.indicator().outputs;
        let output = outputs.iter().position(|known| *known == name).ok_or_else(|| {
            config_error(
                "C301",
                format!("{} has no output {name:?}", self.running.spec),
                &format!("there are: {}", outputs.join(", ")),
            )
        })?;
        Ok(Self { running: Arc::clone(&self.running), output })
    }

    /// Rows of a symbol before its first value.
    #[getter]
    fn warm_up(&self) -> usize {
        self.running.spec.first_row()
    }

    /// The value at the row that the strategy is called for, NaN where missing.
    #[getter]
    fn value(&self) -> PyResult<f64> {
        self.pair().map(|(value, _)| value)
    }

    /// The value at the row of the same symbol before, in the units of this one.
    #[getter]
    fn previous(&self) -> PyResult<f64> {
        self.pair().map(|(_, previous)| previous)
    }

    /// The values at the rows of the batch, as a read-only view.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.array(py, |column| &column.values)
    }

    /// The values at the rows before, each of its symbol, as a read-only view.
    #[getter]
    fn previous_values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.array(py, |column| &column.previous)
    }

    /// Whether it is above another indicator or a level now, and was not at the row before.
    ///
    /// False while one of the four values is missing.
    fn crossed_above(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (now, before) = self.pair()?;
        let (level, level_before) = Self::other(other)?;
        Ok(now > level && before <= level_before)
    }

    /// Whether it is below another indicator or a level now, and was not at the row before.
    ///
    /// False while one of the four values is missing.
    fn crossed_below(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (now, before) = self.pair()?;
        let (level, level_before) = Self::other(other)?;
        Ok(now < level && before >= level_before)
    }

    /// The newest value of a symbol, or the value of an event.
    fn __getitem__(&self, of: &Bound<'_, PyAny>) -> PyResult<f64> {
        if let Ok(event) = of.cast::<MarketEvent>() {
            let place = self.running.place();
            let found = place.as_ref().and_then(|place| {
                let chunk = place.chunk.as_ref()?;
                let row = event.get().row_in(chunk)?;
                Some(place.columns.as_ref()?[self.output].values[row])
            });
            drop(place);
            return found.ok_or_else(|| self.idle());
        }
        let symbol: String = of.extract()?;
        let (lookback, market, number) = {
            let place = self.running.place();
            let place = place.as_ref().ok_or_else(|| self.idle())?;
            (place.lookback.clone(), Arc::clone(&place.market), place.number)
        };
        let asset = market.asset(&symbol)?;
        let lookback = lookback.upgrade().ok_or_else(|| self.idle())?;
        let column = PastColumn::Running(number, self.output);
        let mut lookback = lookback.lock().expect("no panic happens while it is held");
        match lookback.window(asset, column, 1) {
            Ok(values) => Ok(values[0]),
            // Not one row has passed.
            Err(error) if error.code() == "O308" => Ok(f64::NAN),
            Err(error) => Err(py_err(error)),
        }
    }

    fn __float__(&self) -> PyResult<f64> {
        self.value()
    }

    fn __repr__(&self) -> String {
        let doc = self.running.spec.indicator().doc;
        screen(&format!("Indicator({}: {doc})", self.name()))
    }

    fn _repr_html_(&self) -> String {
        code(&self.__repr__())
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyIndicator>()
}
