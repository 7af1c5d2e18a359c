//! What a batch callback may return: targets or orders for all symbols in one object.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base::AssetId;
use tapeworks::broker::TimeInForce;
use tapeworks::engine::{Distance, OrderRequest, Trader, TrailTerms};

use crate::batch::Batch;
use crate::errors::{order_error, refuse_unknown};
use crate::grid::code;
use crate::numpy_view::{floats, integers};
use crate::order_terms::time_in_force;
use crate::screen::screen;

/// What the numbers of [`Targets`] mean.
#[derive(Clone, Copy)]
enum Meaning {
    Weights,
    Quantities,
    Values,
}

/// The holdings wanted, one number a row of the batch; NaN leaves a symbol as it is.
#[pyclass(frozen, module = "tapeworks")]
pub struct Targets {
    numbers: Py<PyAny>,
    meaning: Meaning,
}

/// Orders at rows of the batch, with signed quantities.
#[pyclass(frozen, module = "tapeworks")]
pub struct Orders {
    index: Py<PyAny>,
    quantity: Py<PyAny>,
    limit: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
    trail: Option<Py<PyAny>>,
    trail_percent: Option<Py<PyAny>>,
    tif: TimeInForce,
    tag: Option<String>,
}

#[pymethods]
impl Targets {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let word = match self.meaning {
            Meaning::Weights => "weights",
            Meaning::Quantities => "quantities",
            Meaning::Values => "values",
        };
        Ok(screen(&format!("targets({word}={})", self.numbers.bind(py).repr()?)))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        Ok(code(&self.__repr__(py)?))
    }
}

#[pymethods]
impl Orders {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (index, quantity) = (self.index.bind(py).repr()?, self.quantity.bind(py).repr()?);
        Ok(screen(&format!("orders({index}, {quantity})")))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        Ok(code(&self.__repr__(py)?))
    }
}

/// The holdings wanted after this timestamp, aligned with `batch.symbols`.
///
/// Give one of `weights` (fractions of equity), `quantities` (units) or `values` (currency). Orders
/// that reduce a position go out first, then the others, each in row order; NaN leaves a symbol as
/// it is. A symbol that has no row at this timestamp is left as it is.
///
///     >>> import tapeworks as tw
///     >>> class Equal(tw.Strategy):
///     ...     def on_timestamp_batch(self, timestamp, batch, context):
///     ...         return tw.targets(weights=[1 / len(batch)] * len(batch))
///     ...
///     >>> len(tw.run(tw.sample("daily"), Equal()).fills)
///     11374
#[pyfunction]
#[pyo3(signature = (*, weights=None, quantities=None, values=None, **unknown))]
fn targets(
    weights: Option<Py<PyAny>>,
    quantities: Option<Py<PyAny>>,
    values: Option<Py<PyAny>>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<Targets> {
    refuse_unknown("targets", &["weights", "quantities", "values"], unknown)?;
    match (weights, quantities, values) {
        (Some(numbers), None, None) => Ok(Targets { numbers, meaning: Meaning::Weights }),
        (None, Some(numbers), None) => Ok(Targets { numbers, meaning: Meaning::Quantities }),
        (None, None, Some(numbers)) => Ok(Targets { numbers, meaning: Meaning::Values }),
        _ => Err(order_error(
            "O310",
            "targets() takes exactly one of weights, quantities and values",
            "for example tw.targets(weights=w) with one number a row of batch.symbols",
        )),
    }
}

/// Orders for many symbols: `index` are row numbers of the batch, `quantity` signed units.
///
/// `quantity`, `limit`, `stop`, `trail` (currency) and `trail_percent` (0.05 is 5 %) are arrays as
/// long as `index`, or one number for all; NaN is "none". A row with limit and stop is a stop-limit
/// order. `tif`: "gtc", "day", "ioc", "fok", "gtd" with `good_till`. Orders go out in the order of
/// `index`.
///
///     >>> import tapeworks as tw
///     >>> class BuyTheFirst(tw.Strategy):
///     ...     def on_timestamp_batch(self, timestamp, batch, context):
///     ...         if not self.positions and not self.open_orders():
///     ...             return tw.orders([0], [10.0], tag="first")
///     ...
///     >>> tw.run(tw.sample("daily"), BuyTheFirst()).reasons()
///     {'submitted': 1, 'filled': 1}
#[pyfunction]
#[pyo3(signature = (
    index, quantity, *, limit=None, stop=None, trail=None, trail_percent=None, tif="gtc",
    good_till=None, tag=None, **unknown))]
#[expect(clippy::too_many_arguments, reason = "they are its keywords")]
fn orders(
    index: Py<PyAny>,
    quantity: Py<PyAny>,
    limit: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
    trail: Option<Py<PyAny>>,
    trail_percent: Option<Py<PyAny>>,
    tif: &str,
    good_till: Option<&Bound<'_, PyAny>>,
    tag: Option<String>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<Orders> {
    refuse_unknown(
        "orders",
        &[
            "index",
            "quantity",
            "limit",
            "stop",
            "trail",
            "trail_percent",
            "tif",
            "good_till",
            "tag",
        ],
        unknown,
    )?;
    let tif = time_in_force(tif, good_till)?;
    Ok(Orders { index, quantity, limit, stop, trail, trail_percent, tif, tag })
}

/// A batch callback's answer, read out of Python and ready to be sent.
pub enum Answer {
    Targets(Vec<(AssetId, f64)>, Sent),
    Orders(Vec<OrderRequest>, Option<String>),
}

/// How targets reach the trader.
#[derive(Clone, Copy)]
pub struct Sent(Meaning);

impl Answer {
    /// Whether an object is what a batch callback returns.
    pub fn is_ours(returned: &Bound<'_, PyAny>) -> bool {
        returned.is_instance_of::<Targets>() || returned.is_instance_of::<Orders>()
    }

    /// Reads the object that the callback returned; `None` when there is nothing to send.
    ///
    /// # Errors
    /// `OrderError` when the arrays do not fit the batch, or the object is none of ours.
    pub fn read(returned: &Bound<'_, PyAny>, batch: &Batch) -> PyResult<Option<Self>> {
        if returned.is_none() {
            return Ok(None);
        }
        if let Ok(targets) = returned.cast::<Targets>() {
            return read_targets(targets.get(), returned.py(), batch).map(Some);
        }
        if let Ok(orders) = returned.cast::<Orders>() {
            return read_orders(orders.get(), returned.py(), batch).map(Some);
        }
        Err(order_error(
            "O311",
            format!("on_timestamp_batch returned a {}", returned.get_type().name()?),
            "return tw.targets(...), tw.orders(...) or nothing",
        ))
    }

    /// Sends everything.
    pub fn send(self, trader: &mut Trader) -> tapeworks::base::Result<()> {
        match self {
            Self::Targets(wanted, Sent(meaning)) => send_targets(&wanted, meaning, trader),
            Self::Orders(requests, tag) => {
                let tag = tag.map_or(0, |tag| trader.tag(&tag));
                for request in requests {
                    trader.submit(&OrderRequest { tag, ..request })?;
                }
            }
        }
        Ok(())
    }
}

fn read_targets(targets: &Targets, py: Python<'_>, batch: &Batch) -> PyResult<Answer> {
    let numbers = floats(targets.numbers.bind(py))?;
    let assets = batch.assets();
    if numbers.len() != assets.len() {
        return Err(order_error(
            "O312",
            format!("targets() got {} numbers for {} rows", numbers.len(), assets.len()),
            "give one number a row, in the order of batch.symbols",
        ));
    }
    let wanted = assets.iter().zip(numbers).filter(|(_, number)| !number.is_nan());
    let wanted = wanted.map(|(asset, number)| (AssetId(*asset), number)).collect();
    Ok(Answer::Targets(wanted, Sent(targets.meaning)))
}

/// Reductions first: they free the cash that the others need.
fn send_targets(wanted: &[(AssetId, f64)], meaning: Meaning, trader: &mut Trader) {
    let equity = trader.equity();
    let units = |trader: &Trader, asset: AssetId, number: f64| match meaning {
        Meaning::Quantities => number,
        Meaning::Values => number / trader.mark(asset),
        Meaning::Weights => number * equity / trader.mark(asset),
    };
    let shrinks = |trader: &Trader, asset: AssetId, number: f64| {
        let held = trader.quantity(asset);
        held != 0.0 && (units(trader, asset, number) - held) * held < 0.0
    };
    let reducing: Vec<bool> =
        wanted.iter().map(|(asset, number)| shrinks(trader, *asset, *number)).collect();
    for first in [true, false] {
        for ((asset, number), reduces) in wanted.iter().zip(&reducing) {
            if *reduces != first || (*number == 0.0 && trader.quantity(*asset) == 0.0) {
                continue;
            }
            match meaning {
                Meaning::Weights => trader.target_percent(*asset, *number),
                Meaning::Quantities => trader.target_quantity(*asset, *number),
                Meaning::Values => trader.target_value(*asset, *number),
            };
        }
    }
}

fn read_orders(orders: &Orders, py: Python<'_>, batch: &Batch) -> PyResult<Answer> {
    let index = integers(orders.index.bind(py))?;
    let quantity = numbers_for(Some(&orders.quantity), py, index.len(), "quantity")?;
    let limit = numbers_for(orders.limit.as_ref(), py, index.len(), "limit")?;
    let stop = numbers_for(orders.stop.as_ref(), py, index.len(), "stop")?;
    let trail = numbers_for(orders.trail.as_ref(), py, index.len(), "trail")?;
    let parts = numbers_for(orders.trail_percent.as_ref(), py, index.len(), "trail_percent")?;
    let assets = batch.assets();
    let mut requests = Vec::with_capacity(index.len());
    for (i, row) in index.iter().enumerate() {
        let asset = usize::try_from(*row).ok().and_then(|row| assets.get(row));
        let asset = asset.ok_or_else(|| {
            order_error(
                "O313",
                format!("orders() names row {row}, the batch has rows 0..{}", assets.len()),
                "index holds row numbers of batch.symbols",
            )
        })?;
        let price = |values: &[f64]| values.get(i).copied().filter(|value| !value.is_nan());
        let (limit, stop) = (price(&limit), price(&stop));
        let trail = trail_of(price(&trail), price(&parts), limit.or(stop).is_some())?;
        let market = OrderRequest::market(AssetId(*asset), quantity[i]);
        requests.push(OrderRequest { limit, stop, trail, tif: orders.tif, ..market });
    }
    Ok(Answer::Orders(requests, orders.tag.clone()))
}

/// The trail of one row.
fn trail_of(
    amount: Option<f64>,
    fraction: Option<f64>,
    has_price: bool,
) -> PyResult<Option<TrailTerms>> {
    let hint = "trail is currency above 0, trail_percent a fraction above 0 and below 1 (0.05 is \
                5 %); a row has one of them, and then neither limit nor stop";
    let distance = match (amount, fraction) {
        (None, None) => return Ok(None),
        _ if has_price => {
            return Err(order_error(
                "O303",
                "orders(): a row has a trail and a price at once",
                hint,
            ));
        }
        (Some(amount), None) if amount > 0.0 && amount.is_finite() => Distance::Amount(amount),
        (None, Some(part)) if part > 0.0 && part < 1.0 => Distance::Fraction(part),
        _ => {
            let shown = amount.or(fraction).unwrap_or(f64::NAN);
            return Err(order_error("O309", format!("orders(): {shown} is no trail"), hint));
        }
    };
    Ok(Some(TrailTerms { distance, limit_offset: None, activate: None }))
}

/// `wanted` numbers: the array itself, or one number repeated; empty when there is none.
fn numbers_for(
    given: Option<&Py<PyAny>>,
    py: Python<'_>,
    wanted: usize,
    argument: &str,
) -> PyResult<Vec<f64>> {
    let Some(given) = given.map(|given| given.bind(py)) else { return Ok(Vec::new()) };
    let numbers = floats(given)?;
    if let [number] = numbers[..] {
        return Ok(vec![number; wanted]);
    }
    if numbers.len() == wanted {
        return Ok(numbers);
    }
    Err(order_error(
        "O314",
        format!("orders() got {} numbers in {argument} for {wanted} rows", numbers.len()),
        "give arrays of one length, or one number for all",
    ))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Targets>()?;
    module.add_class::<Orders>()?;
    module.add_function(wrap_pyfunction!(targets, module)?)?;
    module.add_function(wrap_pyfunction!(orders, module)?)
}
