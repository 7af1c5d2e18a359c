//! The user's Python strategy as the engine's `Strategy`: the one loop between the two languages.
//!
//! The engine runs detached from the interpreter and calls once a timestamp. The simple mode is a
//! loop over the rows of that timestamp right here; there is no second engine. The trader is moved
//! into the Python object for the time of a callback, so its helpers act on it directly.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::{PyAttributeError, PyException, PyKeyError, PyValueError};
use pyo3::prelude::*;
use tapeworks::bars::Terms;
use tapeworks::base::spelling::nearest;
use tapeworks::base::{self, AssetId, Rescale, Timestamp};
use tapeworks::broker::{FillRow, RejectionRow};
use tapeworks::engine::{Slice, Strategy, Trader};
use tapeworks::feed::MarketChunk;
use tapeworks::lookback::{Lookback, LookbackTerms};

use crate::batch::{Batch, ChunkViews};
use crate::c_api::{Callable, is_unshared};
use crate::errors::{Error, StrategyError, config_error};
use crate::event::MarketEvent;
use crate::indicator::Cursor;
use crate::instant::datetime;
use crate::market::Market;
use crate::orders::Answer;
use crate::position::{Fill, Rejection};
use crate::strategy::{Live, PyStrategy};

/// What happens when an order is refused, besides its row in the rejections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnReject {
    Record,
    Warn,
    Raise,
}

/// A Python strategy, ready to be called by the engine.
pub struct PyCallbacks {
    base: Py<PyStrategy>,
    market: Arc<Market>,
    mode: Mode,
    on_fill: Option<Callable>,
    on_reject: Option<Callable>,
    has_on_rescale: bool,
    object: Py<PyAny>,
    history_rows: usize,
    lookback: Arc<Mutex<Lookback>>,
    /// The exception that ended the run, kept for the caller to raise.
    failure: Option<PyErr>,
    /// Whether the Python object belongs to this run.
    is_started: bool,
}

enum Mode {
    Simple { call: Callable, event: Option<Py<MarketEvent>> },
    Batch { call: Py<PyAny>, views: Option<Arc<ChunkViews>> },
}

impl PyCallbacks {
    /// Finds out which methods the strategy overrides.
    ///
    /// # Errors
    /// `ConfigError` when the object is no strategy, or overrides none or both of the two modes.
    pub fn new(object: &Bound<'_, PyAny>, market: Arc<Market>) -> PyResult<Self> {
        let base = object.cast::<PyStrategy>().map_err(|_| not_a_strategy(object))?;
        let overridden = |name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
            let py = object.py();
            let own = object.get_type().getattr(name)?;
            let inherited = py.get_type::<PyStrategy>().getattr(name)?;
            Ok(if own.is(&inherited) { None } else { Some(object.getattr(name)?) })
        };
        let class = object.get_type().name()?;
        let mode = match (overridden("on_market_data")?, overridden("on_timestamp_batch")?) {
            (Some(call), None) => Mode::Simple { call: Callable::new(&call), event: None },
            (None, Some(call)) => Mode::Batch { call: call.unbind(), views: None },
            (Some(_), Some(_)) => {
                return Err(config_error(
                    "C430",
                    format!("{class} overrides both on_market_data and on_timestamp_batch"),
                    "keep one: a batch strategy can loop with self.iter_events(batch, context)",
                ));
            }
            (None, None) => {
                return Err(config_error(
                    "C431",
                    format!("{class} overrides neither on_market_data nor on_timestamp_batch"),
                    "write one of them; tw.rules.noop() is the strategy that does nothing",
                ));
            }
        };
        let hook = |name: &str| -> PyResult<Option<Callable>> {
            Ok(overridden(name)?.map(|call| Callable::new(&call)))
        };
        Ok(Self {
            on_fill: hook("on_fill")?,
            on_reject: hook("on_reject")?,
            has_on_rescale: overridden("on_rescale")?.is_some(),
            history_rows: object.getattr("history_rows")?.extract()?,
            base: base.clone().unbind(),
            object: object.clone().unbind(),
            market,
            mode,
            lookback: Arc::default(),
            failure: None,
            is_started: false,
        })
    }

    /// The exception that ended the run, when it was one of the strategy.
    pub fn take_failure(&mut self) -> Option<PyErr> {
        self.failure.take()
    }

    /// Lets go of the run's data once the run has ended.
    pub fn finish(&mut self) {
        if self.is_started {
            let ended = std::mem::take(&mut *self.base.get().live());
            drop(ended);
        }
    }

    /// Runs `body` with the trader inside the Python object.
    fn with_trader(
        &mut self,
        trader: &mut Trader,
        body: impl FnOnce(&mut Self, Python<'_>) -> PyResult<()>,
    ) -> base::Result<()> {
        Python::attach(|py| {
            let base = self.base.clone_ref(py);
            let strategy = base.get();
            {
                let mut live = strategy.live();
                std::mem::swap(&mut live.trader, trader);
                live.active = true;
            }
            let outcome = body(self, py);
            {
                let mut live = strategy.live();
                live.active = false;
                std::mem::swap(&mut live.trader, trader);
            }
            outcome.map_err(|error| {
                self.failure = Some(error);
                base::Error::strategy("S101", "the strategy raised an exception")
            })
        })
    }

    /// Gives the present timestamp to the helpers that look back.
    fn move_to(&self, slice: &Slice<'_>) -> base::Result<()> {
        let mut lookback = self.lookback.lock().expect("no panic happens while it is held");
        if lookback.move_to(slice.chunk(), slice.t())? {
            for running in &self.base.get().live().indicators {
                running.move_to(&lookback, slice.chunk());
            }
        }
        Ok(())
    }

    /// What helpers that look back need of a feed.
    fn lookback_terms(&self, trader: &Trader) -> LookbackTerms {
        LookbackTerms {
            symbols: Arc::clone(trader.symbols()),
            layout: Arc::clone(trader.layout()),
            calendar: trader.calendar().cloned(),
            actions: trader.actions().cloned(),
            clock: trader.clock().clone(),
            rows_max: self.history_rows,
        }
    }

    /// Starts the indicators that were asked for before the run.
    fn begin_indicators(&self, _py: Python<'_>) -> PyResult<()> {
        let base = self.base.get();
        let declared = base.declared();
        for running in &declared {
            running.begin(&self.lookback, &self.market)?;
        }
        base.live().indicators = declared;
        Ok(())
    }

    fn call_hook(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let object = self.object.bind(py);
        let own = object.get_type().getattr(name)?;
        if !own.is(&py.get_type::<PyStrategy>().getattr(name)?) {
            object.call_method0(name).map_err(|error| in_hook(py, error, name, None, None))?;
        }
        Ok(())
    }

    fn on_slice(&mut self, py: Python<'_>, chunk: &Arc<MarketChunk>, t: usize) -> PyResult<()> {
        let cursor = Arc::clone(self.base.get().cursor());
        let called = self.call_for(py, &cursor, chunk, t);
        cursor.set(0, 0);
        called
    }

    /// Calls the strategy for the rows of a timestamp.
    fn call_for(
        &mut self,
        py: Python<'_>,
        cursor: &Cursor,
        chunk: &Arc<MarketChunk>,
        t: usize,
    ) -> PyResult<()> {
        let now = Some(chunk.timestamps[t]);
        match &mut self.mode {
            Mode::Simple { call, event } => {
                let rows = chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize;
                for row in rows {
                    cursor.set(row, row + 1);
                    let object = event_at(py, event, &self.market, chunk, t, row)?;
                    let called = call.call(py, object).and_then(|answer| check_answer(&answer));
                    if let Err(error) = called {
                        let symbol = self.market.symbols.name(AssetId(chunk.assets[row]));
                        return Err(in_hook(py, error, "on_market_data", now, Some(symbol)));
                    }
                }
                Ok(())
            }
            Mode::Batch { call, views } => {
                let name = "on_timestamp_batch";
                let fresh = views.as_ref().is_none_or(|views| !Arc::ptr_eq(&views.chunk, chunk));
                if fresh {
                    let market = Arc::clone(&self.market);
                    *views = Some(Arc::new(ChunkViews::new(market, Arc::clone(chunk))));
                }
                let views = views.as_ref().expect("made above");
                cursor.set(chunk.offsets[t] as usize, chunk.offsets[t + 1] as usize);
                let batch = Bound::new(py, Batch::new(Arc::clone(views), t))?;
                let context = batch.get().context_dict(py)?;
                let stamp = datetime(py, chunk.timestamps[t])?;
                let answer = call
                    .bind(py)
                    .call1((stamp, &batch, context))
                    .and_then(|returned| Answer::read(&returned, batch.get()));
                match answer.map_err(|error| in_hook(py, error, name, now, None))? {
                    None => Ok(()),
                    Some(answer) => {
                        let mut live = self.base.get().live();
                        answer.send(&mut live.trader).map_err(crate::errors::py_err)
                    }
                }
            }
        }
    }
}

/// What is known of the rows besides their values.
fn terms_of(trader: &Trader) -> Arc<Terms> {
    Arc::new(Terms {
        tz: trader.clock().zone.iana_name().unwrap_or("UTC").to_owned(),
        calendar: trader.calendar().cloned(),
        adjustment: trader.actions().map(|actions| actions.adjustment),
        is_dated: trader.clock().has_dates,
        report: None,
    })
}

/// The event of a row: the last one again when the user kept no reference to it.
#[inline]
fn event_at<'a>(
    py: Python<'_>,
    slot: &'a mut Option<Py<MarketEvent>>,
    market: &Arc<Market>,
    chunk: &Arc<MarketChunk>,
    t: usize,
    row: usize,
) -> PyResult<&'a Py<PyAny>> {
    let reusable =
        slot.as_ref().is_some_and(|event| is_unshared(event, py) && event.get().reads(chunk));
    if reusable {
        let event = slot.as_ref().expect("it was looked at above");
        event.get().move_to(t, row);
    } else {
        let event = MarketEvent::new(Arc::clone(market), Arc::clone(chunk), t, row);
        *slot = Some(Py::new(py, event)?);
    }
    Ok(slot.as_ref().expect("it was just filled").as_any())
}

impl Strategy for PyCallbacks {
    fn on_start(&mut self, trader: &mut Trader) -> base::Result<()> {
        {
            let mut live = self.base.get().live();
            if live.market.is_some() {
                return Err(base::Error::strategy("S103", "the strategy object is in another run")
                    .with_hint("make one object a run"));
            }
            self.lookback = Arc::new(Mutex::new(Lookback::new(self.lookback_terms(trader))));
            *live = Live {
                market: Some(Arc::clone(&self.market)),
                lookback: Arc::clone(&self.lookback),
                terms: terms_of(trader),
                ..Live::default()
            };
        }
        self.is_started = true;
        self.with_trader(trader, |this, py| this.begin_indicators(py))?;
        self.with_trader(trader, |this, py| this.call_hook(py, "on_start"))
    }

    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> base::Result<()> {
        self.move_to(slice)?;
        self.with_trader(trader, |this, py| this.on_slice(py, slice.chunk(), slice.t()))
    }

    fn on_fill(&mut self, fill: &FillRow, trader: &mut Trader) -> base::Result<()> {
        if self.on_fill.is_none() {
            return Ok(());
        }
        let value = Fill::new(trader, fill);
        let (now, asset) = (fill.timestamp, fill.asset);
        self.with_trader(trader, |this, py| {
            let call = this.on_fill.as_ref().expect("looked at above");
            let value = Py::new(py, value)?.into_any();
            call.call(py, &value).map(drop).map_err(|error| {
                let symbol = this.market.symbols.name(asset);
                in_hook(py, error, "on_fill", Some(now), Some(symbol))
            })
        })
    }

    fn on_rescale(&mut self, rescale: &Rescale, trader: &mut Trader) -> base::Result<()> {
        let now = trader.timestamp();
        {
            let mut lookback = self.lookback.lock().expect("no panic happens while it is held");
            lookback.rescale(now, rescale)?;
        }
        if !self.has_on_rescale {
            return Ok(());
        }
        let Rescale { asset, price, volume } = *rescale;
        self.with_trader(trader, |this, py| {
            let market = Arc::clone(&this.market);
            let symbol = market.symbols.name(asset);
            let called = this.object.bind(py).call_method1("on_rescale", (symbol, price, volume));
            called
                .map(drop)
                .map_err(|error| in_hook(py, error, "on_rescale", Some(now), Some(symbol)))
        })
    }

    fn on_reject(&mut self, rejection: &RejectionRow, trader: &mut Trader) -> base::Result<()> {
        if self.on_reject.is_none() {
            return Ok(());
        }
        let asset = trader.order(rejection.order).asset;
        let value = Rejection::new(trader, rejection);
        let now = rejection.timestamp;
        self.with_trader(trader, |this, py| {
            let call = this.on_reject.as_ref().expect("looked at above");
            let value = Py::new(py, value)?.into_any();
            call.call(py, &value).map(drop).map_err(|error| {
                let symbol = this.market.symbols.name(asset);
                in_hook(py, error, "on_reject", Some(now), Some(symbol))
            })
        })
    }

    fn on_end(&mut self, trader: &mut Trader) -> base::Result<()> {
        self.with_trader(trader, |this, py| this.call_hook(py, "on_end"))
    }
}

/// Adds a policy for refused orders to any strategy.
pub struct WithPolicy<'a> {
    pub strategy: &'a mut dyn Strategy,
    pub on_reject: OnReject,
}

impl Strategy for WithPolicy<'_> {
    fn on_start(&mut self, trader: &mut Trader) -> base::Result<()> {
        self.strategy.on_start(trader)
    }

    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> base::Result<()> {
        self.strategy.on_data(slice, trader)
    }

    fn on_fill(&mut self, fill: &FillRow, trader: &mut Trader) -> base::Result<()> {
        self.strategy.on_fill(fill, trader)
    }

    fn on_rescale(&mut self, rescale: &Rescale, trader: &mut Trader) -> base::Result<()> {
        self.strategy.on_rescale(rescale, trader)
    }

    fn on_reject(&mut self, rejection: &RejectionRow, trader: &mut Trader) -> base::Result<()> {
        self.strategy.on_reject(rejection, trader)?;
        if self.on_reject == OnReject::Record {
            return Ok(());
        }
        let line = Rejection::new(trader, rejection).line();
        match self.on_reject {
            OnReject::Record => Ok(()),
            OnReject::Warn => {
                // A warning that the user's filter turns into an exception ends the run like one.
                let warned = Python::attach(|py| {
                    py.import("warnings")?.call_method1("warn", (&line,)).map(drop)
                });
                warned.map_err(|_| base::Error::order("O320", line))
            }
            OnReject::Raise => Err(base::Error::order("O320", line).with_hint(
                "on_reject=\"record\" keeps refused orders as rows of result.rejections",
            )),
        }
    }

    fn on_end(&mut self, trader: &mut Trader) -> base::Result<()> {
        self.strategy.on_end(trader)
    }
}

/// The strategy's exception with time and symbol: one of ours keeps its class, any other is the
/// cause of a `StrategyError`; interrupts and exits pass as they are.
fn in_hook(
    py: Python<'_>,
    error: PyErr,
    hook: &str,
    now: Option<i64>,
    symbol: Option<&str>,
) -> PyErr {
    if !error.is_instance_of::<PyException>(py) {
        return error;
    }
    let time = now.map_or(String::new(), |now| format!(" at {}", Timestamp(now)));
    let symbol = symbol.map_or(String::new(), |symbol| format!(" for {symbol}"));
    let place = format!("{hook}{time}{symbol}");
    let value = error.value(py);
    let raised = if error.is_instance_of::<Error>(py) {
        let text = value.str().map_or(String::new(), |text| text.to_string());
        let raised = PyErr::from_type(error.get_type(py), format!("{text}\nin {place}"));
        for name in ["code", "hint"] {
            if let Ok(attribute) = value.getattr(name) {
                let _ = raised.value(py).setattr(name, attribute);
            }
        }
        raised
    } else {
        let class = error.get_type(py).name().map_or(String::new(), |name| name.to_string());
        let text = value.str().map_or(String::new(), |text| text.to_string());
        // A reader of arguments says which one it was reading in a note.
        let notes: Vec<String> =
            value.getattr("__notes__").and_then(|notes| notes.extract()).unwrap_or_default();
        let text = std::iter::once(text).chain(notes).collect::<Vec<String>>().join(", ");
        let hint = hint_for(value, &text);
        let shown = hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
        let text = format!("TW-S101: {class} in {place}: {text}{shown}");
        let raised = StrategyError::new_err(text);
        let _ = raised.value(py).setattr("code", "TW-S101");
        let _ = raised.value(py).setattr("hint", hint);
        raised
    };
    raised.set_cause(py, Some(error));
    raised
}

/// What to do about an exception of the strategy that many meet.
fn hint_for(error: &Bound<'_, PyAny>, text: &str) -> Option<String> {
    if error.is_instance_of::<PyAttributeError>() {
        let name: String = error.getattr("name").ok()?.extract().ok()?;
        let object = error.getattr("obj").ok().filter(|object| !object.is_none())?;
        let names: Vec<String> = object.dir().ok()?.extract().ok()?;
        let public = names.iter().map(String::as_str).filter(|name| !name.starts_with('_'));
        return nearest(&name, public).map(|near| format!("did you mean '{near}'?"));
    }
    if error.is_instance_of::<PyKeyError>() {
        // The dicts of an event are plain ones; ours say for themselves what they have.
        let key: String = error.getattr("args").ok()?.get_item(0).ok()?.extract().ok()?;
        return (!key.contains(' ')).then(|| {
            format!(
                "there is no {key:?}; feed.columns lists what the feed has, print(event.signals) \
                     what this row has"
            )
        });
    }
    let is_read_only = error.is_instance_of::<PyValueError>() && text.contains("read-only");
    if is_read_only {
        let hint =
            "columns of a batch are views of the feed: change a copy, batch[\"close\"].copy()";
        return Some(hint.to_owned());
    }
    if let Ok(cause) = error.get_type().name()
        && cause == "TypeError"
        && text.contains("positional argument")
        && text.contains("were given")
    {
        return Some(
            "on_market_data takes (self, event), on_timestamp_batch (self, timestamp, batch, \
             context), on_fill (self, fill)"
                .to_owned(),
        );
    }
    None
}

/// Refuses targets and orders that the simple mode would drop without a word.
fn check_answer(returned: &Bound<'_, PyAny>) -> PyResult<()> {
    if returned.is_none() || !Answer::is_ours(returned) {
        return Ok(());
    }
    Err(crate::errors::order_error(
        "O318",
        format!("on_market_data returned {}, which nothing reads", returned.get_type().name()?),
        "call self.buy, self.sell or self.order_target_percent, or write on_timestamp_batch, \
         which may return targets",
    ))
}

fn not_a_strategy(object: &Bound<'_, PyAny>) -> PyErr {
    let class = object.get_type().name().map_or(String::new(), |name| name.to_string());
    let is_class = object.is_instance_of::<pyo3::types::PyType>();
    if is_class {
        let name = object.getattr("__name__").and_then(|name| name.extract::<String>());
        let name = name.unwrap_or(class);
        return config_error(
            "C432",
            format!("the strategy is the class {name}, which is no strategy"),
            &format!("give an object, not its class: tw.run(feed, {name}())"),
        );
    }
    let hint = "give an object of a subclass of tw.Strategy, or one of tw.rules";
    config_error("C432", format!("the strategy is a {class}, which is no strategy"), hint)
}
