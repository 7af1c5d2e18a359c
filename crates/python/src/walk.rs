//! Walking a feed from Python without a run: a row or a timestamp at a time.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use tapeworks::base;
use tapeworks::feed::ChunkSource;

use crate::batch::{Batch, ChunkViews};
use crate::errors::py_err;
use crate::event::MarketEvent;
use crate::feed::Opened;
use crate::market::Market;

/// A walk over all timestamps of a feed.
struct Walk {
    opened: Opened,
    market: Arc<Market>,
    views: Option<Arc<ChunkViews>>,
    t: usize,
    row: usize,
}

impl Walk {
    fn new(opened: Opened, market: Arc<Market>) -> Self {
        Self { opened, market, views: None, t: 0, row: 0 }
    }

    /// The chunk that holds the next timestamp.
    fn chunk(&mut self) -> base::Result<Option<&Arc<ChunkViews>>> {
        let used = self.views.as_ref().is_none_or(|views| self.t >= views.chunk.timestamps.len());
        if used {
            (self.t, self.row) = (0, 0);
            self.views = loop {
                match self.opened.next_chunk()? {
                    None => break None,
                    Some(chunk) if chunk.n_rows() == 0 => {}
                    Some(chunk) => {
                        break Some(Arc::new(ChunkViews::new(Arc::clone(&self.market), chunk)));
                    }
                }
            };
        }
        Ok(self.views.as_ref())
    }
}

/// Iterator over the rows of a feed.
#[pyclass(frozen, module = "tapeworks")]
pub struct EventIterator {
    walk: Mutex<Walk>,
}

impl EventIterator {
    pub fn new(opened: Opened, market: Arc<Market>) -> Self {
        Self { walk: Mutex::new(Walk::new(opened, market)) }
    }
}

#[pymethods]
impl EventIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<MarketEvent>> {
        py.detach(|| {
            let mut walk = self.walk.lock().expect("reading returns errors, it does not panic");
            let Some(views) = walk.chunk()?.map(Arc::clone) else { return Ok(None) };
            let (t, row) = (walk.t, walk.row);
            walk.row += 1;
            if walk.row >= views.chunk.offsets[t + 1] as usize {
                walk.t += 1;
            }
            let (market, chunk) = (Arc::clone(&views.market), Arc::clone(&views.chunk));
            Ok(Some(MarketEvent::new(market, chunk, t, row)))
        })
        .map_err(py_err)
    }
}

/// Iterator over the timestamps of a feed.
#[pyclass(frozen, module = "tapeworks")]
pub struct BatchIterator {
    walk: Mutex<Walk>,
}

impl BatchIterator {
    pub fn new(opened: Opened, market: Arc<Market>) -> Self {
        Self { walk: Mutex::new(Walk::new(opened, market)) }
    }
}

#[pymethods]
impl BatchIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        py.detach(|| {
            let mut walk = self.walk.lock().expect("reading returns errors, it does not panic");
            let Some(views) = walk.chunk()?.map(Arc::clone) else { return Ok(None) };
            walk.t += 1;
            Ok(Some(Batch::new(views, walk.t - 1)))
        })
        .map_err(py_err)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<EventIterator>()?;
    module.add_class::<BatchIterator>()
}
