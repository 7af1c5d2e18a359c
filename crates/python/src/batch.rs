//! `Batch`: all rows of one timestamp, with a zero-copy view a column.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDict, PyList, PyString, PyTuple};
use tapeworks::base::{AssetId, Timestamp};
use tapeworks::feed::{MarketChunk, RowColumn};

use crate::event::{MarketEvent, no_column};
use crate::instant::datetime;
use crate::market::{Family, Market};
use crate::numpy_view::{self, Element};
use crate::screen::screen;
use crate::table::Table;

/// A chunk, with what its batches share.
pub struct ChunkViews {
    pub market: Arc<Market>,
    pub chunk: Arc<MarketChunk>,
    /// Rows of the last symbol list made, and that list: most timestamps have the same symbols.
    symbols: Mutex<Option<(usize, usize, Py<PyTuple>)>>,
}

impl ChunkViews {
    pub fn new(market: Arc<Market>, chunk: Arc<MarketChunk>) -> Self {
        Self { symbols: Mutex::new(None), market, chunk }
    }

    fn symbols<'py>(&self, py: Python<'py>, rows: (usize, usize)) -> PyResult<Bound<'py, PyTuple>> {
        let assets = &self.chunk.assets;
        {
            let last = self.symbols.lock().expect("no panic happens while it is held");
            if let Some((start, end, names)) = &*last
                && assets[*start..*end] == assets[rows.0..rows.1]
            {
                return Ok(names.bind(py).clone());
            }
        }
        let names = assets[rows.0..rows.1].iter().map(|asset| self.market.symbol(*asset));
        let names = PyTuple::new(py, names.collect::<Vec<_>>())?;
        let made = Some((rows.0, rows.1, names.clone().unbind()));
        let replaced = {
            let mut last = self.symbols.lock().expect("no panic happens while it is held");
            std::mem::replace(&mut *last, made)
        };
        drop(replaced);
        Ok(names)
    }
}

/// All rows of one timestamp. Columns are read-only numpy views of the feed's memory, in the order
/// of `symbols`; missing values are NaN.
///
///     >>> import tapeworks as tw
///     >>> batch = next(tw.sample("daily").iter_batches())
///     >>> batch.symbols
///     ['AAPL', 'IBM', 'MSFT']
///     >>> batch["close"].round(2)
///     array([ 4.19, 73.67, 30.23])
///     >>> batch.index("IBM")
///     1
#[pyclass(frozen, module = "tapeworks", mapping)]
pub struct Batch {
    views: Arc<ChunkViews>,
    t: usize,
    start: usize,
    end: usize,
}

impl Batch {
    pub fn new(views: Arc<ChunkViews>, t: usize) -> Self {
        let rows = |at: usize| views.chunk.offsets[at] as usize;
        let (start, end) = (rows(t), rows(t + 1));
        Self { views, t, start, end }
    }

    /// Asset ids of the rows.
    pub fn assets(&self) -> &[u32] {
        &self.views.chunk.assets[self.start..self.end]
    }

    /// One event a row.
    pub fn events(&self) -> impl Iterator<Item = MarketEvent> + '_ {
        (self.start..self.end).map(|row| {
            let (market, chunk) = (Arc::clone(&self.views.market), Arc::clone(&self.views.chunk));
            MarketEvent::new(market, chunk, self.t, row)
        })
    }

    /// Context of the timestamp by name.
    pub fn context_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let values = PyDict::new(py);
        let columns = &self.views.chunk.context;
        for (name, column) in self.views.market.py_names(Family::Context).iter().zip(columns) {
            values.set_item(name, column[self.t])?;
        }
        Ok(values)
    }

    fn column<'py>(&self, py: Python<'py>, column: RowColumn) -> PyResult<Bound<'py, PyAny>> {
        self.view(py, column.of(&self.views.chunk))
    }

    /// The rows of a column of the chunk.
    fn view<'py, T: Element>(&self, py: Python<'py>, of: &[T]) -> PyResult<Bound<'py, PyAny>> {
        let owner = Box::new(Arc::clone(&self.views.chunk));
        numpy_view::view(py, owner, &of[self.start..self.end])
    }
}

#[pymethods]
impl Batch {
    /// When these rows became known, as a `datetime` in UTC.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.views.chunk.timestamps[self.t])
    }

    /// When these rows became known, in nanoseconds since 1970 UTC.
    #[getter]
    fn timestamp_ns(&self) -> i64 {
        self.views.chunk.timestamps[self.t]
    }

    /// The symbols of the rows, ascending.
    #[getter]
    fn symbols<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        Ok(self.views.symbols(py, (self.start, self.end))?.to_list())
    }

    /// Each row's position in `feed.symbols`, as a read-only view (for arrays over all symbols).
    #[getter]
    fn ids<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.view(py, &self.views.chunk.assets)
    }

    /// Names of the columns: prices, signals, indicators.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.views.market.row_column_names().map(str::to_owned).collect()
    }

    /// The signal columns by name.
    #[getter]
    fn signals(slf: Bound<'_, Self>) -> Columns {
        Columns { batch: slf.unbind(), family: Family::Signals }
    }

    /// The indicator columns by name.
    #[getter]
    fn indicators(slf: Bound<'_, Self>) -> Columns {
        Columns { batch: slf.unbind(), family: Family::Indicators }
    }

    /// Context of the timestamp by name.
    #[getter]
    fn context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.context_dict(py)
    }

    /// The row of a symbol.
    fn index(&self, symbol: &str) -> PyResult<usize> {
        let asset = self.views.market.symbols.id(symbol);
        asset.and_then(|asset| self.assets().binary_search(&asset.0).ok()).ok_or_else(|| {
            PyKeyError::new_err(format!(
                "'{symbol}' has no row at {}",
                Timestamp(self.views.chunk.timestamps[self.t])
            ))
        })
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match self.views.market.row_column(name) {
            Some(column) => self.column(py, column),
            None => Err(no_column(&self.views.market, name)),
        }
    }

    fn __contains__(&self, column: &str) -> bool {
        self.views.market.row_column(column).is_some()
    }

    fn __len__(&self) -> usize {
        self.end - self.start
    }

    /// The rows as a table: timestamp, symbol and every column.
    fn to_table(&self) -> Table {
        let chunk = &self.views.chunk;
        let stamps = vec![chunk.timestamps[self.t]; self.end - self.start];
        let names =
            self.assets().iter().map(|asset| self.views.market.symbols.name(AssetId(*asset)));
        let mut columns = Vec::new();
        for name in self.views.market.row_column_names() {
            let column = self.views.market.row_column(name).expect("it is one of its own names");
            columns.push((name, column.of(chunk)[self.start..self.end].to_vec()));
        }
        Table::of_rows(stamps, names, columns)
    }

    /// The rows as a polars frame.
    fn to_polars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_table().to_polars(py)
    }

    fn __repr__(&self) -> String {
        screen(&format!(
            "Batch({}, {} rows: {})",
            Timestamp(self.views.chunk.timestamps[self.t]),
            self.end - self.start,
            self.columns().join(", ")
        ))
    }

    fn _repr_html_(&self) -> PyResult<String> {
        self.to_table().html(&self.__repr__())
    }
}

/// One family of columns of a batch, by name.
///
///     >>> import tapeworks as tw
///     >>> batch = next(tw.sample("daily").iter_batches())
///     >>> list(batch.signals), batch.signals["score"].size
///     (['score'], 3)
#[pyclass(frozen, module = "tapeworks", mapping)]
pub struct Columns {
    batch: Py<Batch>,
    family: Family,
}

impl Columns {
    fn place(&self, name: &str) -> Option<RowColumn> {
        let names = self.batch.get().views.market.names(self.family);
        let i = names.iter().position(|known| known == name)?;
        Some(match self.family {
            Family::Signals => RowColumn::Signal(i),
            _ => RowColumn::Indicator(i),
        })
    }
}

#[pymethods]
impl Columns {
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let batch = self.batch.get();
        if let Some(column) = self.place(name) {
            return batch.column(py, column);
        }
        let have = batch.views.market.names(self.family).join(", ");
        Err(PyKeyError::new_err(format!("no column '{name}'; there are: {have}")))
    }

    fn __contains__(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    fn __len__(&self) -> usize {
        self.batch.get().views.market.names(self.family).len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.keys(py)?.call_method0("__iter__")
    }

    /// The names.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let names = self.batch.get().views.market.py_names(self.family);
        PyList::new(py, names.iter().map(|name: &Py<PyString>| name.bind(py)))
    }

    fn __repr__(&self) -> String {
        screen(&format!("Columns({})", self.batch.get().views.market.names(self.family).join(", ")))
    }

    fn _repr_html_(&self) -> PyResult<String> {
        let batch = self.batch.get();
        let chunk = &batch.views.chunk;
        let names = batch.views.market.names(self.family);
        let columns = names.iter().map(|name| {
            let column = self.place(name).expect("it is one of its own names");
            (name.as_str(), column.of(chunk)[batch.start..batch.end].to_vec())
        });
        let stamps = vec![chunk.timestamps[batch.t]; batch.end - batch.start];
        let symbols = batch.assets().iter().map(|id| batch.views.market.symbols.name(AssetId(*id)));
        Table::of_rows(stamps, symbols, columns.collect()).html(&self.__repr__())
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<MarketEvent>()?;
    module.add_class::<Batch>()?;
    module.add_class::<Columns>()
}
