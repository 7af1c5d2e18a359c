//! What one row does to one order: rules 2.2 as they stand there.

use tapeworks::broker::{FillFlags, OrderKind, Phase, TimeInForce};

use super::book::{Hit, How, Order};

pub const MAKER: u8 = FillFlags::MAKER.0;
pub const AMBIGUOUS: u8 = FillFlags::AMBIGUOUS.0;
pub const TOUCH_ONLY: u8 = FillFlags::TOUCH_ONLY.0;
pub const NO_VOLUME_COST: u8 = FillFlags::NO_VOLUME_COST.0;

/// Whether an order's price has come.
#[derive(Debug, Clone, Copy)]
pub enum Met {
    No,
    Fill(Hit),
    /// The stop was reached and the limit was not.
    Triggered,
}

/// The part of a row that may act on an order.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub low: f64,
    pub high: f64,
}

fn taker(base: f64, how: How, by_stop: bool, limit: f64) -> Hit {
    let phase = match how {
        How::AtOpen => Phase::Open,
        How::AtClose => Phase::Close,
        _ => Phase::Inside,
    };
    Hit { base, how, phase, limit, by_stop, flags: 0 }
}

/// The limit of a stop that is reached: stated, or at its distance from the level.
pub fn limit_once_triggered(order: &Order) -> f64 {
    match (order.kind, order.trail.and_then(|trail| trail.limit_offset)) {
        (OrderKind::TrailingLimit, Some(offset)) => order.stop_level() + order.d * offset,
        _ => order.limit,
    }
}

fn is_passive_at(order: &Order, limit: f64, price: f64) -> bool {
    order.d * (price - limit) <= 0.0
}

/// An order at a price that is certain: the open, or the parent's fill.
pub fn at_price(order: &Order, price: f64, how: How) -> Met {
    use OrderKind::{Limit, Market, MarketOnClose, Stop, StopLimit, Trailing, TrailingLimit};
    match order.kind {
        Market => Met::Fill(taker(price, how, false, f64::NAN)),
        Limit if is_passive_at(order, order.limit, price) => {
            Met::Fill(taker(price, how, false, order.limit))
        }
        Limit | MarketOnClose => Met::No,
        Stop | Trailing if order.is_triggered => Met::Fill(taker(price, how, false, f64::NAN)),
        StopLimit | TrailingLimit if order.is_triggered => {
            if is_passive_at(order, order.limit, price) {
                Met::Fill(taker(price, how, false, order.limit))
            } else {
                Met::No
            }
        }
        _ if order.is_dormant || order.d * (price - order.stop_level()) < 0.0 => Met::No,
        Stop | Trailing => Met::Fill(taker(price, how, true, f64::NAN)),
        StopLimit | TrailingLimit => {
            let limit = limit_once_triggered(order);
            if is_passive_at(order, limit, price) {
                Met::Fill(taker(price, how, true, limit))
            } else {
                Met::Triggered
            }
        }
    }
}

/// An order inside a row, of which `range` may act on it.
pub fn inside(order: &Order, ohlc: [f64; 4], range: Range) -> Met {
    use OrderKind::{Limit, Market, MarketOnClose, Stop, Trailing};
    let [_, high, low, close] = ohlc;
    let buys = order.d > 0.0;
    let is_stop = matches!(order.kind, Stop | Trailing);
    if matches!(order.kind, Market | MarketOnClose) || (is_stop && order.is_triggered) {
        return Met::No;
    }
    let only_at_once = matches!(order.tif, TimeInForce::Ioc | TimeInForce::Fok);
    if order.kind == Limit || order.is_triggered {
        let is_touched = if buys { range.low <= order.limit } else { range.high >= order.limit };
        if !is_touched || only_at_once {
            return Met::No;
        }
        return Met::Fill(passive(order, order.limit, [high, low]));
    }
    let stop = order.stop_level();
    let is_touched = if buys { range.high >= stop } else { range.low <= stop };
    if order.is_dormant || !is_touched {
        return Met::No;
    }
    if is_stop {
        return Met::Fill(taker(stop, How::TouchedStop, true, f64::NAN));
    }
    let limit = limit_once_triggered(order);
    if order.d * (limit - stop) >= 0.0 {
        Met::Fill(taker(stop, How::TouchedStop, true, limit))
    } else if is_passive_at(order, limit, close) && !only_at_once {
        Met::Fill(passive(order, limit, [high, low]))
    } else {
        Met::Triggered
    }
}

fn passive(order: &Order, limit: f64, [high, low]: [f64; 2]) -> Hit {
    let extreme = if order.d > 0.0 { low } else { high };
    let flags = MAKER | if extreme == limit { TOUCH_ONLY } else { 0 };
    Hit { base: limit, how: How::TouchedLimit, phase: Phase::Inside, limit, by_stop: false, flags }
}

/// An order at the close.
pub fn at_close(order: &Order, close: f64) -> Met {
    match order.kind {
        OrderKind::MarketOnClose => Met::Fill(taker(close, How::AtClose, false, f64::NAN)),
        _ => Met::No,
    }
}

/// What of a row lies after a fill of a position of side `side` (2.5), or may lie there.
pub fn range_after(ohlc: [f64; 4], side: f64, how: How, base: f64) -> Range {
    let [_, high, low, close] = ohlc;
    match how {
        How::AtOpen | How::TouchedStop => Range { low, high },
        How::TouchedLimit | How::WithParent if side > 0.0 => Range { low, high: base.max(close) },
        How::TouchedLimit | How::WithParent => Range { low: base.min(close), high },
        How::AtClose => Range { low: f64::INFINITY, high: f64::NEG_INFINITY },
    }
}
