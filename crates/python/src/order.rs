//! `Order`: an order that is not sent yet.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::broker::TimeInForce;
use tapeworks::engine::{Distance, ExitPrice, Size};

use crate::errors::order_error;
use crate::grid::code;
use crate::order_terms::{OrderTerms, Sizes};
use crate::screen::screen;

/// An order that is not sent yet: for `self.submit`, `self.oco` and `self.after`.
///
/// `Order.buy(...)` and `Order.sell(...)` take the arguments of `self.buy` and `self.sell`.
///
///     >>> import tapeworks as tw
///     >>> tw.Order.buy("AAPL", 10, limit=99.5, tif="day")
///     Order.buy('AAPL', 10, limit=99.5, tif='day')
#[pyclass(frozen, name = "Order", module = "tapeworks")]
pub struct PyOrder(pub OrderTerms);

#[pymethods]
impl PyOrder {
    /// An order to buy, with the arguments of `Strategy.buy`.
    #[staticmethod]
    #[pyo3(
        signature = (
            symbol, quantity=None, percent=None, value=None, limit=None, stop=None, **others
        ),
        text_signature = "(symbol, quantity=None, percent=None, value=None, limit=None, stop=None, \
            *, trail=None, trail_percent=None, stop_loss=None, take_profit=None, tif='gtc', \
            good_till=None, on_close=False, reduce_only=False, trail_limit=None, activate=None, \
            tag=None)"
    )]
    fn buy(
        symbol: &str,
        quantity: Option<f64>,
        percent: Option<f64>,
        value: Option<f64>,
        limit: Option<f64>,
        stop: Option<f64>,
        others: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let sizes = Sizes { quantity, percent, value };
        OrderTerms::read("Order.buy", 1.0, symbol, sizes, limit, stop, others).map(Self)
    }

    /// An order to sell, with the arguments of `Strategy.sell`.
    #[staticmethod]
    #[pyo3(
        signature = (
            symbol, quantity=None, percent=None, value=None, limit=None, stop=None, **others
        ),
        text_signature = "(symbol, quantity=None, percent=None, value=None, limit=None, stop=None, \
            *, trail=None, trail_percent=None, stop_loss=None, take_profit=None, tif='gtc', \
            good_till=None, on_close=False, reduce_only=False, trail_limit=None, activate=None, \
            tag=None)"
    )]
    fn sell(
        symbol: &str,
        quantity: Option<f64>,
        percent: Option<f64>,
        value: Option<f64>,
        limit: Option<f64>,
        stop: Option<f64>,
        others: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let sizes = Sizes { quantity, percent, value };
        OrderTerms::read("Order.sell", -1.0, symbol, sizes, limit, stop, others).map(Self)
    }

    /// The symbol.
    #[getter]
    fn symbol(&self) -> &str {
        &self.0.symbol
    }

    fn __repr__(&self) -> String {
        screen(&self.0.shown())
    }

    fn _repr_html_(&self) -> String {
        code(&self.0.shown())
    }
}

impl OrderTerms {
    /// The order as it is written in Python.
    fn shown(&self) -> String {
        let request = &self.request;
        let (word, amount) = match request.size {
            Size::Quantity(amount) => ("", amount),
            Size::Percent(amount) => ("percent=", amount),
            Size::Value(amount) => ("value=", amount),
        };
        let side = if amount < 0.0 || amount.is_sign_negative() { "sell" } else { "buy" };
        let mut parts = vec![format!("'{}'", self.symbol), format!("{word}{}", amount.abs())];
        let mut price = |name: &str, given: Option<f64>| {
            if let Some(given) = given {
                parts.push(format!("{name}={given}"));
            }
        };
        price("limit", request.limit);
        price("stop", request.stop);
        if let Some(trail) = request.trail {
            match trail.distance {
                Distance::Amount(amount) => price("trail", Some(amount)),
                Distance::Fraction(part) => price("trail_percent", Some(part)),
            }
            price("trail_limit", trail.limit_offset);
            price("activate", trail.activate);
        }
        for (name, class, given) in [
            ("stop_loss", "StopLoss", request.stop_loss),
            ("take_profit", "TakeProfit", request.take_profit),
        ] {
            match given {
                Some(ExitPrice::Price(given)) => parts.push(format!("{name}={given}")),
                Some(ExitPrice::Fraction(part)) => parts.push(format!("{name}={class}({part})")),
                None => {}
            }
        }
        match request.trailing_exit.map(|trail| trail.distance) {
            Some(Distance::Fraction(part)) => parts.push(format!("stop_loss=TrailingStop({part})")),
            Some(Distance::Amount(amount)) => {
                parts.push(format!("stop_loss=TrailingStop(amount={amount})"));
            }
            None => {}
        }
        if request.tif != TimeInForce::Gtc {
            parts.push(format!("tif='{}'", request.tif.as_str()));
        }
        for (name, on) in [("on_close", request.on_close), ("reduce_only", request.reduce_only)] {
            if on {
                parts.push(format!("{name}=True"));
            }
        }
        if let Some(tag) = &self.tag {
            parts.push(format!("tag='{tag}'"));
        }
        format!("Order.{side}({})", parts.join(", "))
    }
}

/// Reads a list of orders.
///
/// # Errors
/// `OrderError` `TW-O310` for anything else.
pub fn orders_of(function: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<OrderTerms>> {
    let no_order = |value: &Bound<'_, PyAny>| {
        order_error(
            "O315",
            format!("{function}() takes tw.Order objects, not {value}"),
            "for example [tw.Order.sell(\"A\", 10, limit=110), tw.Order.sell(\"A\", 10, stop=95)]",
        )
    };
    if let Ok(order) = value.cast::<PyOrder>() {
        return Ok(vec![order.get().0.clone()]);
    }
    let mut read = Vec::new();
    for order in value.try_iter().map_err(|_| no_order(value))? {
        let order = order?;
        read.push(order.cast::<PyOrder>().map_err(|_| no_order(&order))?.get().0.clone());
    }
    Ok(read)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyOrder>()
}
