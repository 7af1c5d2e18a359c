//! `MarketEvent`: one row of the market, as the simple mode sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDict, PyString};
use tapeworks::feed::MarketChunk;

use crate::grid::code;
use crate::instant::datetime;
use crate::market::{Family, Market};
use crate::screen::screen;
use tapeworks::base::spelling::nearest;

/// One row of the market: a symbol at the instant its bar became known.
///
/// Values are read from the chunk's columns when asked for; missing values are NaN. It never
/// changes while anybody holds it: the engine re-uses it only when the callback kept no reference.
///
///     >>> import tapeworks as tw
///     >>> event = next(iter(tw.sample("daily")))
///     >>> event
///     MarketEvent(2000-03-01 AAPL, open=3.8092, high=4.2429, low=3.8072, close=4.1867,
///         volume=299301389)
///     >>> event["close"] == event.close == event.data["close"]
///     True
///     >>> event.context
///     {'vix': 21.64}
#[pyclass(frozen, module = "tapeworks")]
pub struct MarketEvent {
    market: Arc<Market>,
    chunk: Arc<MarketChunk>,
    time: AtomicU32,
    row: AtomicU32,
}

impl MarketEvent {
    pub fn new(market: Arc<Market>, chunk: Arc<MarketChunk>, time: usize, row: usize) -> Self {
        let event = Self { market, chunk, time: AtomicU32::new(0), row: AtomicU32::new(0) };
        event.move_to(time, row);
        event
    }

    /// Points an unshared event at another row of its chunk.
    #[inline]
    pub fn move_to(&self, time: usize, row: usize) {
        let small = |i: usize| u32::try_from(i).expect("a chunk's rows are counted in u32");
        self.time.store(small(time), Ordering::Relaxed);
        self.row.store(small(row), Ordering::Relaxed);
    }

    /// Whether the event reads from this chunk.
    pub fn reads(&self, chunk: &Arc<MarketChunk>) -> bool {
        Arc::ptr_eq(&self.chunk, chunk)
    }

    /// Its row, when it reads from this chunk.
    pub fn row_in(&self, chunk: &Arc<MarketChunk>) -> Option<usize> {
        self.reads(chunk).then(|| self.i())
    }

    #[inline]
    fn t(&self) -> usize {
        self.time.load(Ordering::Relaxed) as usize
    }

    #[inline]
    fn i(&self) -> usize {
        self.row.load(Ordering::Relaxed) as usize
    }

    fn family<'py>(&self, py: Python<'py>, family: Family) -> PyResult<Bound<'py, PyDict>> {
        let values = PyDict::new(py);
        let (columns, at) = match family {
            Family::Signals => (&self.chunk.signals, self.i()),
            Family::Indicators => (&self.chunk.indicators, self.i()),
            Family::Context => (&self.chunk.context, self.t()),
        };
        for (name, column) in self.market.py_names(family).iter().zip(columns) {
            values.set_item(name, column[at])?;
        }
        Ok(values)
    }
}

#[pymethods]
impl MarketEvent {
    /// When the row became known, as a `datetime` in UTC.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.chunk.timestamps[self.t()])
    }

    /// When the row became known, in nanoseconds since 1970 UTC.
    #[getter]
    fn timestamp_ns(&self) -> i64 {
        self.chunk.timestamps[self.t()]
    }

    /// The symbol.
    #[getter]
    fn symbol(&self, py: Python<'_>) -> Py<PyString> {
        self.market.symbol(self.chunk.assets[self.i()]).clone_ref(py)
    }

    /// First price of the bar.
    #[getter]
    fn open(&self) -> f64 {
        self.chunk.open[self.i()]
    }

    /// Highest price of the bar.
    #[getter]
    fn high(&self) -> f64 {
        self.chunk.high[self.i()]
    }

    /// Lowest price of the bar.
    #[getter]
    fn low(&self) -> f64 {
        self.chunk.low[self.i()]
    }

    /// Last price of the bar.
    #[getter]
    fn close(&self) -> f64 {
        self.chunk.close[self.i()]
    }

    /// Units traded, NaN where unknown.
    #[getter]
    fn volume(&self) -> f64 {
        self.chunk.volume[self.i()]
    }

    /// Prices and volume by name.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let values = PyDict::new(py);
        let row = self.i();
        let c = &*self.chunk;
        for (name, column) in
            self.market.price_names().iter().zip([&c.open, &c.high, &c.low, &c.close, &c.volume])
        {
            values.set_item(name, column[row])?;
        }
        Ok(values)
    }

    /// Signals of the row by name.
    #[getter]
    fn signals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.family(py, Family::Signals)
    }

    /// Indicators of the row by name.
    #[getter]
    fn indicators<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.family(py, Family::Indicators)
    }

    /// Context of the timestamp by name.
    #[getter]
    fn context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.family(py, Family::Context)
    }

    /// One value by column name: a price, a signal or an indicator, without building a dict.
    fn __getitem__(&self, name: &str) -> PyResult<f64> {
        match self.market.row_column(name) {
            Some(column) => Ok(column.of(&self.chunk)[self.i()]),
            None => Err(no_column(&self.market, name)),
        }
    }

    fn __repr__(&self) -> String {
        let c = &*self.chunk;
        let i = self.i();
        screen(&format!(
            "MarketEvent({} {}, open={}, high={}, low={}, close={}, volume={})",
            tapeworks::base::Timestamp(c.timestamps[self.t()]),
            self.market.symbols.name(tapeworks::base::AssetId(c.assets[i])),
            c.open[i],
            c.high[i],
            c.low[i],
            c.close[i],
            c.volume[i]
        ))
    }

    fn _repr_html_(&self) -> String {
        code(&self.__repr__())
    }
}

/// The `KeyError` of a column that a feed does not have.
pub fn no_column(market: &Market, name: &str) -> PyErr {
    let near = nearest(name, market.row_column_names())
        .map_or(String::new(), |near| format!("; did you mean '{near}'?"));
    let have: Vec<&str> = market.row_column_names().collect();
    PyKeyError::new_err(format!("no column '{name}'{near}; the feed has {}", have.join(", ")))
}
