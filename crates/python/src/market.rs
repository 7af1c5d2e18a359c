//! What every object of one feed shares: symbols and column names as ready Python strings.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyString;
use tapeworks::base::{AssetId, Symbols};
use tapeworks::feed::{Layout, PRICES, RowColumn};

use crate::errors::order_error;
use tapeworks::base::spelling::nearest;

/// Symbols and layout of a feed, with their Python strings made once.
pub struct Market {
    pub symbols: Arc<Symbols>,
    pub layout: Arc<Layout>,
    symbol_names: Vec<Py<PyString>>,
    price_names: Vec<Py<PyString>>,
    signal_names: Vec<Py<PyString>>,
    indicator_names: Vec<Py<PyString>>,
    context_names: Vec<Py<PyString>>,
    column_names: Arc<[Arc<str>]>,
}

/// One of the three families of columns that ride along with the prices.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Signals,
    Indicators,
    Context,
}

impl Market {
    pub fn new(py: Python<'_>, symbols: Arc<Symbols>, layout: Arc<Layout>) -> Self {
        let intern = |names: &[String]| -> Vec<Py<PyString>> {
            names.iter().map(|name| PyString::intern(py, name).unbind()).collect()
        };
        Self {
            symbol_names: symbols.iter().map(|name| PyString::intern(py, name).unbind()).collect(),
            price_names: PRICES.iter().map(|name| PyString::intern(py, name).unbind()).collect(),
            signal_names: intern(&layout.signals),
            indicator_names: intern(&layout.indicators),
            context_names: intern(&layout.context),
            column_names: layout.row_columns().map(|(name, _)| Arc::from(name)).collect(),
            symbols,
            layout,
        }
    }

    /// The names of the row columns, in table order, shared.
    pub fn column_names(&self) -> Arc<[Arc<str>]> {
        Arc::clone(&self.column_names)
    }

    /// The Python string of an asset id.
    pub fn symbol(&self, asset: u32) -> &Py<PyString> {
        &self.symbol_names[asset as usize]
    }

    /// The names of a family, in layout order.
    pub fn names(&self, family: Family) -> &[String] {
        match family {
            Family::Signals => &self.layout.signals,
            Family::Indicators => &self.layout.indicators,
            Family::Context => &self.layout.context,
        }
    }

    /// The Python strings of a family, in layout order.
    pub fn py_names(&self, family: Family) -> &[Py<PyString>] {
        match family {
            Family::Signals => &self.signal_names,
            Family::Indicators => &self.indicator_names,
            Family::Context => &self.context_names,
        }
    }

    /// The Python strings of the price columns.
    pub fn price_names(&self) -> &[Py<PyString>] {
        &self.price_names
    }

    /// The asset of a symbol.
    ///
    /// # Errors
    /// `OrderError` `TW-O301` that names the nearest symbol.
    pub fn asset(&self, symbol: &str) -> PyResult<AssetId> {
        self.symbols.id(symbol).ok_or_else(|| {
            let near = nearest(symbol, self.symbols.iter())
                .map_or(String::new(), |near| format!("; did you mean {near:?}?"));
            order_error(
                "O301",
                format!(
                    "{symbol:?} is not among the {} symbols of this feed{near}",
                    self.symbols.len()
                ),
                "feed.symbols lists them",
            )
        })
    }

    /// The place of a row column by name.
    pub fn row_column(&self, name: &str) -> Option<RowColumn> {
        self.layout.row_column(name)
    }

    /// Every row column's name, in table order.
    pub fn row_column_names(&self) -> impl Iterator<Item = &str> {
        self.layout.row_columns().map(|(name, _)| name)
    }
}
