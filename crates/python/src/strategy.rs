//! `Strategy`: the base class of the user's strategies, with the helpers that send orders.
//!
//! During a callback the object holds the run's trader itself: the engine's trader is swapped in
//! before the call and out after it, so a helper is one lock and one call away from the engine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDict, PyTuple};
use tapeworks::bars::Terms;
use tapeworks::base::{AssetId, OrderId};
use tapeworks::broker::Change;
use tapeworks::engine::{OrderRequest, ReleaseOn, Trader};
use tapeworks::lookback::Lookback;

use crate::batch::Batch;
use crate::errors::{order_error, py_err};
use crate::event::MarketEvent;
use crate::grid::code;
use crate::indicator::{Cursor, PyIndicator, Running};
use crate::instant::datetime;
use crate::look_back::{self, Asked};
use crate::market::Market;
use crate::numpy_view;
use crate::order::orders_of;
use crate::order_terms::{OrderTerms, Sizes};
use crate::position::Position;
use crate::position_rules::position_rules;
use crate::screen::screen;
use crate::table::Table;

/// Rows of the past that a strategy may look back on without saying more.
pub const HISTORY_ROWS: usize = 2_000_000;

/// Base class of strategies: override exactly one of `on_market_data` and `on_timestamp_batch`.
///
/// `on_market_data(event)` is called once per symbol and timestamp; `on_timestamp_batch(timestamp,
/// batch, context)` once per timestamp with all symbols. The hooks `on_start`, `on_fill`,
/// `on_reject` and `on_end` are optional. Keywords of the constructor are kept in `params`.
///
///     >>> import tapeworks as tw
///     >>> class Dips(tw.Strategy):
///     ...     def on_market_data(self, event):
///     ...         if event.close < 0.98 * event.open and self.quantity(event.symbol) == 0:
///     ...             self.buy(event.symbol, 10, stop_loss=tw.StopLoss(0.05))
///     ...
///     >>> result = tw.run(tw.sample("daily"), Dips())
///     >>> len(result.rejections)
///     0
#[pyclass(subclass, frozen, name = "Strategy", module = "tapeworks")]
pub struct PyStrategy {
    live: Mutex<Live>,
    args: Py<PyTuple>,
    params: Py<PyDict>,
    /// Indicators that were asked for before a run; each run begins with them.
    declared: Mutex<Vec<Arc<Running>>>,
    cursor: Arc<Cursor>,
}

/// What the strategy can reach while a callback runs.
#[derive(Default)]
pub struct Live {
    pub trader: Trader,
    pub market: Option<Arc<Market>>,
    /// The rows up to now.
    pub lookback: Arc<Mutex<Lookback>>,
    /// What is known of the rows besides their values.
    pub terms: Arc<Terms>,
    /// Running indicators.
    pub indicators: Vec<Arc<Running>>,
    /// Whether a callback runs at this moment.
    pub active: bool,
}

impl Live {
    fn market(&self) -> &Arc<Market> {
        self.market.as_ref().expect("a running callback has a market")
    }
}

impl PyStrategy {
    /// The keyword arguments that the strategy was made with.
    pub fn parameters<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.params.bind(py).clone()
    }

    /// The positional arguments that the strategy was made with.
    pub fn positional<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        self.args.bind(py).clone()
    }

    /// The rows the strategy is called for.
    pub fn cursor(&self) -> &Arc<Cursor> {
        &self.cursor
    }

    /// Indicators that were asked for before a run.
    pub fn declared(&self) -> Vec<Arc<Running>> {
        self.declared.lock().expect("no panic happens while it is held").clone()
    }

    /// The state behind the helpers.
    pub fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().expect("no panic happens while it is held")
    }

    /// The state, when a callback runs.
    ///
    /// # Errors
    /// `OrderError` `TW-O300` outside a run.
    fn running(&self) -> PyResult<MutexGuard<'_, Live>> {
        let live = self.live();
        if live.active {
            return Ok(live);
        }
        drop(live);
        Err(order_error(
            "O300",
            "this helper works only while a run calls the strategy",
            "use it inside on_market_data, on_timestamp_batch or a hook",
        ))
    }

    /// The indicator that was asked for, which may be there already.
    fn find_or_add(&self, asked: Running) -> PyResult<Arc<Running>> {
        let known = |list: &[Arc<Running>]| list.iter().find(|one| one.is_same(&asked)).cloned();
        let (market, lookback) = {
            let live = self.live();
            if !live.active {
                drop(live);
                let mut declared = self.declared.lock().expect("no panic happens here");
                return Ok(known(&declared).unwrap_or_else(|| {
                    declared.push(Arc::new(asked));
                    Arc::clone(declared.last().expect("it was just added"))
                }));
            }
            if let Some(known) = known(&live.indicators) {
                return Ok(known);
            }
            (Arc::clone(live.market()), Arc::clone(&live.lookback))
        };
        let added = Arc::new(asked);
        added.begin(&lookback, &market)?;
        self.live().indicators.push(Arc::clone(&added));
        Ok(added)
    }

    /// Sends an order that has been read.
    fn send(&self, terms: &OrderTerms) -> PyResult<u32> {
        let mut live = self.running()?;
        let request = live.request(terms)?;
        live.trader.submit(&request).map(|order| order.0).map_err(py_err)
    }
}

impl Live {
    /// The order for the engine, with its symbol and tag looked up.
    fn request(&mut self, terms: &OrderTerms) -> PyResult<OrderRequest> {
        let asset = self.market().asset(&terms.symbol)?;
        let tag = terms.tag.as_deref().map_or(0, |tag| self.trader.tag(tag));
        Ok(terms.request(asset, tag))
    }

    fn requests(&mut self, orders: &[OrderTerms]) -> PyResult<Vec<OrderRequest>> {
        orders.iter().map(|terms| self.request(terms)).collect()
    }
}

fn ids(orders: &[OrderId]) -> Vec<u32> {
    orders.iter().map(|order| order.0).collect()
}

#[pymethods]
impl PyStrategy {
    #[new]
    #[pyo3(signature = (*args, **params))]
    fn new(
        py: Python<'_>,
        args: &Bound<'_, PyTuple>,
        params: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let args = args.clone().unbind();
        let params = params.map_or_else(|| Ok(PyDict::new(py)), PyDictMethods::copy)?;
        Ok(Self {
            live: Mutex::new(Live::default()),
            args,
            params: params.unbind(),
            declared: Mutex::default(),
            cursor: Arc::default(),
        })
    }

    /// Rows of the past kept for `history`; set it on the class to keep more, or 0 to keep none.
    #[classattr]
    fn history_rows() -> usize {
        HISTORY_ROWS
    }

    /// Simple mode: called once per symbol and timestamp.
    fn on_market_data(&self, event: &Bound<'_, PyAny>) {
        let _ = event;
    }

    /// Batch mode: called once per timestamp with all its symbols; may return `tw.targets(...)` or
    /// `tw.orders(...)`.
    fn on_timestamp_batch(
        &self,
        timestamp: &Bound<'_, PyAny>,
        batch: &Bound<'_, PyAny>,
        context: &Bound<'_, PyAny>,
    ) {
        let _ = (timestamp, batch, context);
    }

    /// Called once before the first row.
    fn on_start(&self) {}

    /// Called after each execution.
    fn on_fill(&self, fill: &Bound<'_, PyAny>) {
        let _ = fill;
    }

    /// Called after each refused order.
    fn on_reject(&self, rejection: &Bound<'_, PyAny>) {
        let _ = rejection;
    }

    /// Called when a corporate action restates the past of a symbol (feeds with adjustment "split"
    /// or "total"): multiply what you remember of its earlier prices by `price`, and of its
    /// volumes by `volume`. `history` does so by itself.
    fn on_rescale(&self, symbol: &str, price: f64, volume: f64) {
        let _ = (symbol, price, volume);
    }

    /// Called once after the last row.
    fn on_end(&self) {}

    /// Buys `quantity` units, `percent` of equity (0.05 is 5 %) or `value` in currency; returns the
    /// order id.
    ///
    /// Without a price it is a market order. `limit=` and `stop=` are prices, both together make a
    /// stop-limit order. `trail=` (currency) or `trail_percent=` (0.05 is 5 %) is a stop that
    /// follows the best price; `trail_limit=` makes it a limit order that far beyond the stop,
    /// `activate=` is the price from which it follows. `on_close=True` fills at the last price of
    /// the session.
    ///
    /// `stop_loss=` and `take_profit=` close what this order opens and cancel each other: a number
    /// is a price, `tw.StopLoss(0.05)`, `tw.TakeProfit(0.1)` are fractions of the entry price and
    /// `stop_loss=tw.TrailingStop(0.1)` trails.
    ///
    /// `tif`: "gtc", "day", "ioc" (what fills at once), "fok" (whole at once or not at all), "gtd"
    /// up to and including `good_till=`. `reduce_only=True` never opens a position.
    #[pyo3(
        signature = (
            symbol, quantity=None, percent=None, value=None, limit=None, stop=None, **others
        ),
        text_signature = "($self, symbol, quantity=None, percent=None, value=None, limit=None, \
            stop=None, *, trail=None, trail_percent=None, stop_loss=None, take_profit=None, \
            tif='gtc', good_till=None, on_close=False, reduce_only=False, trail_limit=None, \
            activate=None, tag=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are its keywords")]
    fn buy(
        &self,
        symbol: &str,
        quantity: Option<f64>,
        percent: Option<f64>,
        value: Option<f64>,
        limit: Option<f64>,
        stop: Option<f64>,
        others: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u32> {
        let sizes = Sizes { quantity, percent, value };
        self.send(&OrderTerms::read("buy", 1.0, symbol, sizes, limit, stop, others)?)
    }

    /// Sells, with the arguments of `buy`.
    #[pyo3(
        signature = (
            symbol, quantity=None, percent=None, value=None, limit=None, stop=None, **others
        ),
        text_signature = "($self, symbol, quantity=None, percent=None, value=None, limit=None, \
            stop=None, *, trail=None, trail_percent=None, stop_loss=None, take_profit=None, \
            tif='gtc', good_till=None, on_close=False, reduce_only=False, trail_limit=None, \
            activate=None, tag=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are its keywords")]
    fn sell(
        &self,
        symbol: &str,
        quantity: Option<f64>,
        percent: Option<f64>,
        value: Option<f64>,
        limit: Option<f64>,
        stop: Option<f64>,
        others: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u32> {
        let sizes = Sizes { quantity, percent, value };
        self.send(&OrderTerms::read("sell", -1.0, symbol, sizes, limit, stop, others)?)
    }

    /// Sends an order that was made with `tw.Order.buy` or `tw.Order.sell`; returns its id.
    fn submit(&self, order: &Bound<'_, PyAny>) -> PyResult<u32> {
        match orders_of("submit", order)?.as_slice() {
            [terms] => self.send(terms),
            several => Err(order_error(
                "O315",
                format!("submit() got {} orders", several.len()),
                "submit takes one; self.oco sends several of which one fills",
            )),
        }
    }

    /// Sends orders of which one fills: what one fills, the others lose (one cancels other).
    ///
    /// `orders` are `tw.Order` objects of one symbol, such as a target and a stop:
    /// `self.oco([tw.Order.sell("A", 10, limit=110), tw.Order.sell("A", 10, stop=95)])`. Returns
    /// their ids.
    fn oco(&self, orders: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
        let orders = orders_of("oco", orders)?;
        let mut live = self.running()?;
        let requests = live.requests(&orders)?;
        live.trader.submit_oco(&requests).map(|sent| ids(&sent)).map_err(py_err)
    }

    /// Sends orders that wait until another order has filled (one triggers other).
    ///
    /// `on="complete"` waits for the whole fill of `order_id`, `on="partial"` for its first. When
    /// that order ends without a fill, these are cancelled as `parent_done`. Returns their ids.
    #[pyo3(signature = (order_id, orders, *, on="complete"))]
    fn after(&self, order_id: u32, orders: &Bound<'_, PyAny>, on: &str) -> PyResult<Vec<u32>> {
        let release = match on {
            "complete" => ReleaseOn::Complete,
            "partial" => ReleaseOn::Partial,
            _ => {
                return Err(order_error(
                    "O316",
                    format!("after: on={on:?} is not known"),
                    "one of: complete (the whole fill of the order), partial (its first fill)",
                ));
            }
        };
        let orders = orders_of("after", orders)?;
        let mut live = self.running()?;
        let requests = live.requests(&orders)?;
        let sent = live.trader.submit_after(OrderId(order_id), release, &requests);
        sent.map(|sent| ids(&sent)).map_err(py_err)
    }

    /// Changes a live order from the next row on; `False` when it is not live any more.
    ///
    /// `quantity` is the new total in units, what has filled included: at or below that, the order
    /// is cancelled. A new price or a larger quantity puts it behind all other orders.
    #[pyo3(signature = (order_id, *, quantity=None, limit=None, stop=None, trail=None))]
    fn replace(
        &self,
        order_id: u32,
        quantity: Option<f64>,
        limit: Option<f64>,
        stop: Option<f64>,
        trail: Option<f64>,
    ) -> PyResult<bool> {
        let given = [("quantity", quantity), ("limit", limit), ("stop", stop), ("trail", trail)];
        if given.iter().all(|(_, value)| value.is_none()) {
            return Err(order_error(
                "O317",
                format!("replace of order {order_id} changes nothing"),
                "give quantity=, limit=, stop= or trail=",
            ));
        }
        for (name, value) in given {
            if let Some(value) = value
                && (!value.is_finite() || (value < 0.0 && matches!(name, "quantity" | "trail")))
            {
                return Err(order_error(
                    "O317",
                    format!("replace of order {order_id}: {name}={value}"),
                    "quantity and trail are finite and not negative, prices are finite",
                ));
            }
        }
        let keep = f64::NAN;
        let change = Change {
            quantity: quantity.unwrap_or(keep),
            limit: limit.unwrap_or(keep),
            stop: stop.unwrap_or(keep),
            trail: trail.unwrap_or(keep),
        };
        Ok(self.running()?.trader.replace(OrderId(order_id), &change))
    }

    /// Closes a position, or a fraction of it; returns the order id.
    ///
    /// Without a position the order is refused as `position_missing`.
    #[pyo3(signature = (symbol, fraction=1.0))]
    fn close_position(&self, symbol: &str, fraction: f64) -> PyResult<u32> {
        if !(fraction > 0.0 && fraction <= 1.0) {
            return Err(order_error(
                "O307",
                format!("fraction={fraction} for {symbol} is not in (0, 1]"),
                "1.0 closes the whole position, 0.5 half of it",
            ));
        }
        let mut live = self.running()?;
        let asset = live.market().asset(symbol)?;
        Ok(live.trader.close(asset, fraction).0)
    }

    /// Closes every position.
    fn close_all(&self) -> PyResult<()> {
        self.running()?.trader.close_all();
        Ok(())
    }

    /// Cancels a live order; `False` when it is not live any more.
    fn cancel(&self, order_id: u32) -> PyResult<bool> {
        Ok(self.running()?.trader.cancel(OrderId(order_id)))
    }

    /// Cancels every live order, or those of one symbol; returns how many.
    #[pyo3(signature = (symbol=None))]
    fn cancel_all(&self, symbol: Option<&str>) -> PyResult<usize> {
        let mut live = self.running()?;
        let asset = symbol.map(|symbol| live.market().asset(symbol)).transpose()?;
        Ok(live.trader.cancel_all(asset))
    }

    /// Lets positions be opened again after a limit of the portfolio has halted trading.
    fn resume(&self) -> PyResult<()> {
        self.running()?.trader.resume();
        Ok(())
    }

    /// Sends the order that brings a symbol to `percent` of equity (0.05 is 5 %).
    ///
    /// `None` when nothing is to be done.
    fn order_target_percent(&self, symbol: &str, percent: f64) -> PyResult<Option<u32>> {
        let mut live = self.running()?;
        let asset = live.market().asset(symbol)?;
        Ok(live.trader.target_percent(asset, percent).map(|order| order.0))
    }

    /// Sends the order that brings a symbol to `value` in currency.
    fn order_target_value(&self, symbol: &str, value: f64) -> PyResult<Option<u32>> {
        let mut live = self.running()?;
        let asset = live.market().asset(symbol)?;
        Ok(live.trader.target_value(asset, value).map(|order| order.0))
    }

    /// Sends the order that brings a symbol to `quantity` units.
    fn order_target_quantity(&self, symbol: &str, quantity: f64) -> PyResult<Option<u32>> {
        let mut live = self.running()?;
        let asset = live.market().asset(symbol)?;
        Ok(live.trader.target_quantity(asset, quantity).map(|order| order.0))
    }

    /// Brings the portfolio to these weights; symbols that are not named go to 0.
    fn rebalance(&self, weights: BTreeMap<String, f64>) -> PyResult<()> {
        let mut live = self.running()?;
        let mut wanted = Vec::with_capacity(weights.len());
        for (symbol, weight) in &weights {
            wanted.push((live.market().asset(symbol)?, *weight));
        }
        live.trader.rebalance(&wanted);
        Ok(())
    }

    /// Sets the exit rules of one symbol, or of all when `symbol` is not given.
    #[pyo3(signature = (rules, symbol=None))]
    fn set_position_rules(
        &self,
        rules: Option<&Bound<'_, PyAny>>,
        symbol: Option<&str>,
    ) -> PyResult<()> {
        let rules = position_rules(rules)?;
        let mut live = self.running()?;
        let asset = symbol.map(|symbol| live.market().asset(symbol)).transpose()?;
        live.trader.set_rules(asset, &rules).map_err(py_err)
    }

    /// The position of a symbol, `None` when flat.
    fn get_position(&self, symbol: &str) -> PyResult<Option<Position>> {
        let live = self.running()?;
        let asset = live.market().asset(symbol)?;
        let view = live.trader.position(asset);
        Ok(view.map(|view| Position::new(live.trader.symbols(), &view)))
    }

    /// Units held of a symbol; 0 when flat.
    fn quantity(&self, symbol: &str) -> PyResult<f64> {
        let live = self.running()?;
        let asset = live.market().asset(symbol)?;
        Ok(live.trader.quantity(asset))
    }

    /// Units held of each row of a batch, as a new array.
    fn quantities<'py>(
        &self,
        py: Python<'py>,
        batch: &Bound<'py, Batch>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let held: Arc<[f64]> = {
            let live = self.running()?;
            let assets = batch.get().assets();
            assets.iter().map(|asset| live.trader.quantity(AssetId(*asset))).collect()
        };
        numpy_view::view(py, Box::new(Arc::clone(&held)), &held)
    }

    /// Every position by symbol.
    #[getter]
    fn positions(&self) -> PyResult<BTreeMap<String, Position>> {
        let live = self.running()?;
        let symbols = live.trader.symbols();
        let held = live.trader.held().iter().filter_map(|asset| {
            let view = live.trader.position(AssetId(*asset))?;
            Some((symbols.name(view.asset).to_owned(), Position::new(symbols, &view)))
        });
        Ok(held.collect())
    }

    /// Every position as a polars frame.
    fn get_all_positions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let table = {
            let live = self.running()?;
            let held = live.trader.held().iter();
            let views: Vec<_> =
                held.filter_map(|asset| live.trader.position(AssetId(*asset))).collect();
            Table::of_positions(live.trader.symbols(), &views)
        };
        table.to_polars(py)
    }

    /// Ids of the live orders, ascending.
    fn open_orders(&self) -> PyResult<Vec<u32>> {
        Ok(self.running()?.trader.open_orders().iter().map(|order| order.0).collect())
    }

    /// Whole units that risk `risk_pct` of equity when the price moves by one `atr`.
    #[pyo3(signature = (price, atr, risk_pct=0.02))]
    fn calculate_position_size(&self, price: f64, atr: f64, risk_pct: f64) -> PyResult<i64> {
        let equity = self.running()?.trader.equity();
        let units = (equity * risk_pct / atr).floor();
        if !(price > 0.0 && atr > 0.0 && units.is_finite() && units >= 0.0) {
            return Ok(0);
        }
        // A float beyond i64 saturates; no account is that large.
        #[expect(clippy::cast_possible_truncation, reason = "checked to be finite and whole")]
        Ok(units as i64)
    }

    /// The last price of a symbol, `None` before its first row.
    fn last_price(&self, symbol: &str) -> PyResult<Option<f64>> {
        let live = self.running()?;
        let mark = live.trader.mark(live.market().asset(symbol)?);
        Ok((!mark.is_nan()).then_some(mark))
    }

    /// The last `length` rows of a symbol up to now: one column (a name or an indicator) as a
    /// read-only array, or all columns as `Bars`.
    ///
    /// With `timeframe` ("5m", "1h", "1d", "1w") they are bars of that step, completed ones only.
    #[pyo3(signature = (symbol, length, column=None, *, timeframe=None))]
    fn history<'py>(
        &self,
        py: Python<'py>,
        symbol: &str,
        length: usize,
        column: Option<&Bound<'py, PyAny>>,
        timeframe: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let step = timeframe.map(|step| crate::feed::step("timeframe", step)).transpose()?;
        let (market, lookback, terms) = {
            let live = self.running()?;
            (Arc::clone(live.market()), Arc::clone(&live.lookback), Arc::clone(&live.terms))
        };
        let asked = Asked { symbol, length, column, step, terms: &terms };
        look_back::history(py, &market, &lookback, &asked)
    }

    /// A running indicator: `self.indicator("sma", "close", 20)`, `self.indicator("atr", 14)`.
    ///
    /// `tw.DataPreparer.indicators()` lists the names with their numbers. It is computed by the
    /// engine along the run, for every symbol; asked for again, it is the same one. Ask for it in
    /// `__init__` or `on_start`.
    #[pyo3(
        signature = (name, *args, output=None, **numbers),
        text_signature = "($self, name, *args, output=None, **numbers)"
    )]
    fn indicator(
        &self,
        name: &str,
        args: &Bound<'_, PyTuple>,
        output: Option<&str>,
        numbers: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyIndicator> {
        let asked = Running::read(name, args, numbers, &self.cursor)?;
        let running = self.find_or_add(asked)?;
        let first = PyIndicator::new(running, 0);
        output.map_or(Ok(first.clone()), |output| first.output(output))
    }

    /// One event a row of a batch, so that a batch strategy can use code of the simple mode.
    #[pyo3(signature = (batch, context=None))]
    fn iter_events<'py>(
        &self,
        py: Python<'py>,
        batch: &Bound<'py, Batch>,
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = context;
        let events = batch.get().events().map(|event| Py::new(py, event));
        let events = events.collect::<PyResult<Vec<Py<MarketEvent>>>>()?;
        events.into_pyobject(py)?.call_method0("__iter__")
    }

    /// Adds a line to the notes of the run.
    fn note(&self, text: String) -> PyResult<()> {
        self.running()?.trader.note(text);
        Ok(())
    }

    /// Cash, in account currency.
    #[getter]
    fn cash(&self) -> PyResult<f64> {
        Ok(self.running()?.trader.cash())
    }

    /// Cash plus the value of all positions.
    #[getter]
    fn equity(&self) -> PyResult<f64> {
        Ok(self.running()?.trader.equity())
    }

    /// The instant the run has reached, as a `datetime` in UTC.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        let now = self.running()?.trader.timestamp();
        datetime(py, now)
    }

    /// The symbols of the feed.
    #[getter]
    fn symbols(&self) -> PyResult<Vec<String>> {
        Ok(self.running()?.trader.symbols().iter().map(str::to_owned).collect())
    }

    /// The keyword arguments that the strategy was made with.
    #[getter]
    fn params(&self, py: Python<'_>) -> Py<PyDict> {
        self.params.clone_ref(py)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let mut parts = Vec::new();
        for (name, value) in slf.get().parameters(slf.py()).iter() {
            parts.push(format!("{name}={}", value.repr()?));
        }
        Ok(screen(&format!("{}({})", slf.get_type().name()?, parts.join(", "))))
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(code(&slf.repr()?.to_string()))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyStrategy>()
}
