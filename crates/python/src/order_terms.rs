//! An order as the user states it: the keywords of `buy` and `sell`, read and checked once.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};
use tapeworks::base::AssetId;
use tapeworks::broker::{PositionRule, TimeInForce};
use tapeworks::engine::{Distance, ExitPrice, OrderRequest, Size, TrailTerms};

use crate::errors::{order_error, refuse_unknown};
use crate::instant::{instant, zone};
use crate::position_rules::PyPositionRule;

/// Keywords of `buy` and `sell`.
const KEYWORDS: [&str; 17] = [
    "symbol",
    "quantity",
    "percent",
    "value",
    "limit",
    "stop",
    "trail",
    "trail_percent",
    "stop_loss",
    "take_profit",
    "tif",
    "good_till",
    "on_close",
    "reduce_only",
    "trail_limit",
    "activate",
    "tag",
];
/// Keywords that other libraries use, with ours.
const ELSEWHERE: &[(&str, &str)] = &[
    ("size", "quantity="),
    ("qty", "quantity="),
    ("amount", "quantity= (units) or value= (currency)"),
    ("shares", "quantity="),
    ("price", "limit= or stop="),
    ("limit_price", "limit="),
    ("stop_price", "stop="),
    ("exectype", "limit=, stop=, trail= or on_close="),
    ("order_type", "limit=, stop=, trail= or on_close="),
    ("trailamount", "trail="),
    ("trailpercent", "trail_percent="),
    ("trail_price", "trail="),
    ("time_in_force", "tif="),
    ("valid", "tif=\"gtd\" with good_till="),
    ("good_till_date", "good_till="),
    ("sl", "stop_loss="),
    ("tp", "take_profit="),
    ("take_profit_price", "take_profit="),
    ("stop_loss_price", "stop_loss="),
];

/// An order without an asset id: what `buy`, `sell` and `Order` have in common.
#[derive(Debug, Clone)]
pub struct OrderTerms {
    pub symbol: String,
    pub tag: Option<String>,
    pub(crate) request: OrderRequest,
}

/// The sizes of an order, of which one is given.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub quantity: Option<f64>,
    pub percent: Option<f64>,
    pub value: Option<f64>,
}

impl OrderTerms {
    /// Reads the arguments of `function`; `side` is `1.0` to buy, `-1.0` to sell.
    ///
    /// # Errors
    /// `TypeError` for unknown keywords, `OrderError` for terms that contradict each other.
    pub fn read(
        function: &str,
        side: f64,
        symbol: &str,
        sizes: Sizes,
        limit: Option<f64>,
        stop: Option<f64>,
        others: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let size = sizes.one(side, symbol)?;
        // The asset is filled in when the order is sent.
        let plain = OrderRequest { size, limit, stop, ..OrderRequest::market(AssetId(0), 0.0) };
        let mut terms = Self { symbol: symbol.to_owned(), tag: None, request: plain };
        if let Some(others) = others {
            terms.read_others(function, others)?;
        }
        Ok(terms)
    }

    fn read_others(&mut self, function: &str, others: &Bound<'_, PyDict>) -> PyResult<()> {
        let request = &mut self.request;
        let (mut trail, mut trail_percent, mut trail_limit) = (None, None, None);
        let (mut activate, mut good_till, mut tif) = (None, None, "gtc".to_owned());
        for (name, value) in others.iter() {
            let name: String = name.extract()?;
            if name == "tif" {
                tif = word(&name, &value)?;
                continue;
            }
            if value.is_none() && KEYWORDS.contains(&name.as_str()) {
                continue;
            }
            match name.as_str() {
                "trail" => trail = Some(number(&name, &value)?),
                "trail_percent" => trail_percent = Some(number(&name, &value)?),
                "trail_limit" => trail_limit = Some(number(&name, &value)?),
                "activate" => activate = Some(number(&name, &value)?),
                "good_till" => good_till = Some(value),
                "on_close" => request.on_close = flag(&name, &value)?,
                "reduce_only" => request.reduce_only = flag(&name, &value)?,
                "tag" => self.tag = Some(word(&name, &value)?),
                "stop_loss" => match exit(&name, &value)? {
                    Exit::At(price) => request.stop_loss = Some(price),
                    Exit::Trailing(trail) => request.trailing_exit = Some(trail),
                },
                "take_profit" => match exit(&name, &value)? {
                    Exit::At(price) => request.take_profit = Some(price),
                    Exit::Trailing(_) => return Err(no_exit(&name, &value)),
                },
                _ => return Err(unknown(function, &name)),
            }
        }
        request.trail = trail_terms(&self.symbol, trail, trail_percent, trail_limit, activate)?;
        request.tif = time_in_force(&tif, good_till.as_ref())?;
        let given: Vec<&str> = [
            ("limit", request.limit.is_some()),
            ("stop", request.stop.is_some()),
            ("trail", request.trail.is_some()),
            ("on_close", request.on_close),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect();
        if given.len() > 1 && given != ["limit", "stop"] {
            return Err(order_error(
                "O303",
                format!("an order for {} has {} at once", self.symbol, given.join(" and ")),
                "limit= and stop= together make a stop-limit order; trail= (with trail_limit=) and \
                 on_close= stand alone",
            ));
        }
        Ok(())
    }

    /// The request, for an asset of the run.
    pub fn request(&self, asset: AssetId, tag: u32) -> OrderRequest {
        OrderRequest { asset, tag, ..self.request }
    }
}

impl Sizes {
    fn one(self, side: f64, symbol: &str) -> PyResult<Size> {
        let (word, amount) = match (self.quantity, self.percent, self.value) {
            (Some(amount), None, None) => ("quantity", amount),
            (None, Some(amount), None) => ("percent", amount),
            (None, None, Some(amount)) => ("value", amount),
            _ => {
                return Err(order_error(
                    "O302",
                    format!("an order for {symbol} needs exactly one of quantity, percent, value"),
                    "for example self.buy(\"AAPL\", 100) or self.buy(\"AAPL\", percent=0.05)",
                ));
            }
        };
        if amount < 0.0 {
            return Err(order_error(
                "O304",
                format!("{word}={amount} for {symbol} is negative"),
                "buy and sell take positive sizes; for the other direction call the other one",
            ));
        }
        let amount = side * amount;
        Ok(match word {
            "quantity" => Size::Quantity(amount),
            "percent" => Size::Percent(amount),
            _ => Size::Value(amount),
        })
    }
}

fn unknown(function: &str, name: &str) -> PyErr {
    if let Some((_, ours)) = ELSEWHERE.iter().find(|(theirs, _)| *theirs == name) {
        return PyTypeError::new_err(format!("{function}() has no argument '{name}'; use {ours}"));
    }
    let refused = Python::attach(|py| {
        let given = PyDict::new(py);
        given.set_item(name, py.None())?;
        refuse_unknown(function, &KEYWORDS, Some(&given))
    });
    refused.expect_err("the name is none of the keywords")
}

fn number(name: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let refused = || -> PyResult<PyErr> {
        Ok(order_error(
            "O306",
            format!("{name}={} is no number", value.repr()?),
            "prices and amounts are numbers of currency, trail_percent a fraction (0.05 is 5 %)",
        ))
    };
    if value.is_instance_of::<PyBool>() {
        return Err(refused()?);
    }
    value.extract().or_else(|_| Err(refused()?))
}

fn word(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    value.extract().or_else(|_| {
        let shown = value.repr()?;
        Err(order_error("O306", format!("{name}={shown} is no text"), "write it in quotes"))
    })
}

fn flag(name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.extract().or_else(|_| {
        let shown = value.repr()?;
        Err(order_error("O306", format!("{name}={shown} is neither True nor False"), "give a bool"))
    })
}

enum Exit {
    At(ExitPrice),
    Trailing(TrailTerms),
}

/// Reads an exit of an order: a price, or a rule that says how far away.
fn exit(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Exit> {
    if let Ok(rule) = value.cast::<PyPositionRule>() {
        return match (name, &rule.get().rule) {
            ("stop_loss", PositionRule::StopLoss(x))
            | ("take_profit", PositionRule::TakeProfit(x)) => Ok(Exit::At(ExitPrice::Fraction(*x))),
            ("stop_loss", PositionRule::TrailingStop(x)) => {
                Ok(Exit::Trailing(plain_trail(Distance::Fraction(*x))))
            }
            ("stop_loss", PositionRule::TrailingAmount(amount)) => {
                Ok(Exit::Trailing(plain_trail(Distance::Amount(*amount))))
            }
            _ => Err(no_exit(name, value)),
        };
    }
    if value.is_instance_of::<PyBool>() {
        return Err(no_exit(name, value));
    }
    let price = value.extract::<f64>().map_err(|_| no_exit(name, value))?;
    Ok(Exit::At(ExitPrice::Price(price)))
}

fn no_exit(name: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let hint = if name == "stop_loss" {
        "a number is a price; tw.StopLoss(0.05) is 5 percent from the entry, tw.TrailingStop(0.05) \
         from the best price since"
    } else {
        "a number is a price; tw.TakeProfit(0.1) is 10 percent from the entry"
    };
    order_error("O305", format!("{name}={value} is no exit of an order"), hint)
}

fn plain_trail(distance: Distance) -> TrailTerms {
    TrailTerms { distance, limit_offset: None, activate: None }
}

fn trail_terms(
    symbol: &str,
    trail: Option<f64>,
    trail_percent: Option<f64>,
    limit_offset: Option<f64>,
    activate: Option<f64>,
) -> PyResult<Option<TrailTerms>> {
    let wrong = |what: String, hint: &str| Err(order_error("O309", what, hint));
    let distance = match (trail, trail_percent) {
        (Some(_), Some(_)) => {
            return wrong(
                format!("an order for {symbol} has trail and trail_percent at once"),
                "trail= is currency, trail_percent= a fraction of the price (0.05 is 5 %)",
            );
        }
        (Some(amount), None) if amount.is_finite() && amount > 0.0 => Distance::Amount(amount),
        (Some(amount), None) => {
            return wrong(
                format!("trail={amount} for {symbol} is no distance above 0"),
                "trail= is currency behind the best price",
            );
        }
        (None, Some(part)) if part > 0.0 && part < 1.0 => Distance::Fraction(part),
        (None, Some(part)) => {
            return wrong(
                format!("trail_percent={part} for {symbol} is not above 0 and below 1"),
                "a fraction of the best price: 0.05 is 5 percent",
            );
        }
        (None, None) => {
            let lonely = [("trail_limit", limit_offset), ("activate", activate)];
            if let Some((name, _)) = lonely.iter().find(|(_, given)| given.is_some()) {
                return wrong(
                    format!("{name}= for {symbol} belongs to a trailing stop, and there is none"),
                    "give trail= (currency) or trail_percent= (fraction) with it",
                );
            }
            return Ok(None);
        }
    };
    for (name, given) in [("trail_limit", limit_offset), ("activate", activate)] {
        if let Some(given) = given
            && !(given.is_finite() && given >= 0.0)
        {
            return wrong(
                format!("{name}={given} for {symbol} is not a finite number from 0 up"),
                "trail_limit= is currency beyond the stop, activate= a price",
            );
        }
    }
    Ok(Some(TrailTerms { distance, limit_offset, activate }))
}

/// Reads `tif` and `good_till`; a date alone makes an order `gtd`.
pub fn time_in_force(tif: &str, good_till: Option<&Bound<'_, PyAny>>) -> PyResult<TimeInForce> {
    let until = |value: &Bound<'_, PyAny>| -> PyResult<TimeInForce> {
        Ok(TimeInForce::Gtd(instant(value, &zone(None)?)?.0))
    };
    match (tif, good_till) {
        ("gtc" | "gtd", Some(value)) => until(value),
        ("gtc", None) => Ok(TimeInForce::Gtc),
        ("day", None) => Ok(TimeInForce::Day),
        ("ioc", None) => Ok(TimeInForce::Ioc),
        ("fok", None) => Ok(TimeInForce::Fok),
        ("gtd", None) => Err(order_error(
            "O306",
            "tif=\"gtd\" needs good_till=",
            "for example good_till=\"2024-03-08\", or a datetime; it is the last instant to fill",
        )),
        ("day" | "ioc" | "fok", Some(_)) => Err(order_error(
            "O306",
            format!("tif={tif:?} and good_till= at once"),
            "good_till= is for tif=\"gtd\"",
        )),
        _ => {
            let known = ["gtc", "day", "gtd", "ioc", "fok"];
            let near = tapeworks::base::spelling::nearest(tif, known)
                .map_or(String::new(), |near| format!("; did you mean '{near}'?"));
            Err(order_error(
                "O306",
                format!("tif={tif:?} is not known{near}"),
                "one of: gtc (until cancelled), day, gtd (with good_till=), ioc, fok",
            ))
        }
    }
}
