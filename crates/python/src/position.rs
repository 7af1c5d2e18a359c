//! Plain values that helpers and hooks hand out: positions, fills, refusals.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDateTime;
use tapeworks::base::{Symbols, Timestamp};
use tapeworks::broker::{FillRow, PositionView, RejectionRow};
use tapeworks::engine::Trader;

use crate::grid::code;
use crate::instant::datetime;
use crate::screen::screen;

/// A position as it stands at this timestamp.
#[pyclass(frozen, get_all, module = "tapeworks")]
pub struct Position {
    /// The symbol.
    symbol: String,
    /// Units held; negative when short.
    quantity: f64,
    /// Average price of the units held.
    entry_price: f64,
    /// Last price.
    mark: f64,
    /// Quantity times mark, in currency.
    value: f64,
    /// Profit or loss not yet taken, in currency, before exit costs.
    unrealised: f64,
    /// When the position was opened, in nanoseconds since 1970 UTC.
    entry_timestamp_ns: i64,
    /// Rows of the symbol since the entry row.
    bars_held: u32,
}

impl Position {
    pub fn new(symbols: &Symbols, view: &PositionView) -> Self {
        Self {
            symbol: symbols.name(view.asset).to_owned(),
            quantity: view.quantity,
            entry_price: view.entry_price,
            mark: view.mark,
            value: view.value,
            unrealised: view.unrealised,
            entry_timestamp_ns: view.entry_timestamp,
            bars_held: view.bars_held,
        }
    }
}

#[pymethods]
impl Position {
    /// `"long"` or `"short"`.
    #[getter]
    fn side(&self) -> &'static str {
        if self.quantity < 0.0 { "short" } else { "long" }
    }

    /// When the position was opened, as a `datetime` in UTC.
    #[getter]
    fn entry_timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.entry_timestamp_ns)
    }

    fn __repr__(&self) -> String {
        screen(&format!(
            "Position({} {} at {}, mark {}, unrealised {:.2}, since {})",
            self.symbol,
            self.quantity,
            self.entry_price,
            self.mark,
            self.unrealised,
            Timestamp(self.entry_timestamp_ns)
        ))
    }

    fn _repr_html_(&self) -> String {
        code(&self.__repr__())
    }
}

/// One execution, as `on_fill` sees it.
#[pyclass(frozen, get_all, module = "tapeworks")]
pub struct Fill {
    /// The symbol.
    symbol: String,
    /// `"buy"` or `"sell"`.
    side: &'static str,
    /// Units, always positive.
    quantity: f64,
    /// Units with the sign of the side.
    signed_quantity: f64,
    /// Price paid or received per unit.
    price: f64,
    /// Price before slippage.
    base_price: f64,
    /// Fee in currency.
    commission: f64,
    /// Id of the order.
    order_id: u32,
    /// `"open"` or `"inside"` the bar.
    phase: &'static str,
    /// `"signal"`, or the position rule that closed the position.
    reason: &'static str,
    /// When, in nanoseconds since 1970 UTC.
    timestamp_ns: i64,
}

impl Fill {
    pub fn new(trader: &Trader, row: &FillRow) -> Self {
        Self {
            symbol: trader.symbols().name(row.asset).to_owned(),
            side: if row.quantity < 0.0 { "sell" } else { "buy" },
            quantity: row.quantity.abs(),
            signed_quantity: row.quantity,
            price: row.price,
            base_price: row.base_price,
            commission: row.commission,
            order_id: row.order.0,
            phase: row.phase.as_str(),
            reason: row.reason.as_str(),
            timestamp_ns: row.timestamp,
        }
    }
}

#[pymethods]
impl Fill {
    /// When, as a `datetime` in UTC.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.timestamp_ns)
    }

    fn __repr__(&self) -> String {
        screen(&format!(
            "Fill({} {} {} {} at {}, commission {:.2}, order {})",
            Timestamp(self.timestamp_ns),
            self.side,
            self.quantity,
            self.symbol,
            self.price,
            self.commission,
            self.order_id
        ))
    }

    fn _repr_html_(&self) -> String {
        code(&self.__repr__())
    }
}

/// One refused order, as `on_reject` sees it.
#[pyclass(frozen, get_all, module = "tapeworks")]
pub struct Rejection {
    /// The symbol.
    symbol: String,
    /// Id of the order.
    order_id: u32,
    /// Why, as a stable word: `"insufficient_cash"`, `"quantity_zero"`, ...
    code: &'static str,
    /// `"buy"` or `"sell"`.
    side: &'static str,
    /// Units asked for, always positive.
    quantity: f64,
    /// What was needed (currency or units, by code); NaN when not a quantity.
    need: f64,
    /// What there was; NaN when not a quantity.
    have: f64,
    /// When, in nanoseconds since 1970 UTC.
    timestamp_ns: i64,
}

impl Rejection {
    pub fn new(trader: &Trader, row: &RejectionRow) -> Self {
        let order = trader.order(row.order);
        let symbols: &Arc<Symbols> = trader.symbols();
        Self {
            symbol: symbols.name(order.asset).to_owned(),
            order_id: row.order.0,
            code: row.code.as_str(),
            side: if order.quantity < 0.0 { "sell" } else { "buy" },
            quantity: order.quantity.abs(),
            need: row.need,
            have: row.have,
            timestamp_ns: row.timestamp,
        }
    }

    /// The refusal on one line.
    pub fn line(&self) -> String {
        let figures = if self.need.is_nan() {
            String::new()
        } else {
            format!(", needed {:.2}, had {:.2}", self.need, self.have)
        };
        format!(
            "order {} ({} {} {}) refused at {}: {}{figures}",
            self.order_id,
            self.side,
            self.quantity,
            self.symbol,
            Timestamp(self.timestamp_ns),
            self.code
        )
    }
}

#[pymethods]
impl Rejection {
    /// When, as a `datetime` in UTC.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        datetime(py, self.timestamp_ns)
    }

    fn __repr__(&self) -> String {
        screen(&format!("Rejection({})", self.line()))
    }

    fn _repr_html_(&self) -> String {
        code(&self.__repr__())
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Position>()?;
    module.add_class::<Fill>()?;
    module.add_class::<Rejection>()
}
