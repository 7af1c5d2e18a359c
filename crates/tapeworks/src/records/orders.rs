//! The orders table: every event in the life of every order, in the order in which they happened.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{
    NO_TEXT, dictionary, flag_field, flags, float_field, floats, id_field, ids, key, optional_ids,
    optional_times, tag_key, text_field, texts, time_field, times,
};
use super::fills::side_key;
use super::order_history::{EVENTS, HistoryRow, OrderHistory};
use super::table::Cursor;
use crate::broker::{
    CancelReason, ExitReason, ExpireReason, OrderDetail, OrderKind, OrderOrigin, RejectCode, Side,
    TimeInForce,
};
use crate::engine::{OrderRow, RunLog};

/// Names of times in force; a key is its place here.
pub(super) const TIFS: [TimeInForce; 5] =
    [TimeInForce::Gtc, TimeInForce::Day, TimeInForce::Gtd(0), TimeInForce::Ioc, TimeInForce::Fok];

pub(super) struct OrdersCursor {
    history: OrderHistory,
    /// Every reason once: codes of refusals and reasons of cancels share some names.
    reason_names: Vec<&'static str>,
    symbols: ArrayRef,
    sides: ArrayRef,
    kinds: ArrayRef,
    origins: ArrayRef,
    rules: ArrayRef,
    tags: ArrayRef,
    events: ArrayRef,
    reasons: ArrayRef,
    tifs: ArrayRef,
}

impl OrdersCursor {
    pub(super) fn new(log: &RunLog) -> Self {
        let reason_names = reason_names();
        Self {
            history: OrderHistory::new(log),
            symbols: dictionary(log.symbols.iter()),
            sides: dictionary(Side::ALL.iter().map(|side| side.as_str())),
            kinds: dictionary(OrderKind::ALL.iter().map(|kind| kind.as_str())),
            origins: dictionary(OrderOrigin::ALL.iter().map(|origin| origin.as_str())),
            rules: dictionary(ExitReason::ALL.iter().map(|reason| reason.as_str())),
            tags: dictionary(log.tags.iter().map(AsRef::as_ref)),
            events: dictionary(EVENTS),
            reasons: dictionary(reason_names.iter().copied()),
            tifs: dictionary(TIFS.iter().map(|tif| tif.as_str())),
            reason_names,
        }
    }

    fn reason_key(&self, reason: Option<&'static str>) -> i32 {
        let place = reason.and_then(|name| self.reason_names.iter().position(|&n| n == name));
        place.map_or(NO_TEXT, |place| i32::try_from(place).expect("a short list"))
    }
}

impl Cursor for OrdersCursor {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            time_field("timestamp"),
            id_field("order_id"),
            text_field("event"),
            text_field("reason").with_nullable(true),
            text_field("symbol"),
            text_field("side"),
            text_field("kind"),
            float_field("quantity"),
            float_field("old_quantity"),
            float_field("filled_quantity"),
            float_field("limit"),
            float_field("stop"),
            float_field("trail"),
            flag_field("trail_is_percent"),
            float_field("limit_offset"),
            float_field("old_value"),
            float_field("new_value"),
            text_field("tif"),
            time_field("gtd_until").with_nullable(true),
            time_field("triggered_at").with_nullable(true),
            id_field("parent_id").with_nullable(true),
            id_field("group").with_nullable(true),
            id_field("fill_id").with_nullable(true),
            flag_field("reduce_only"),
            text_field("origin"),
            text_field("rule").with_nullable(true),
            text_field("tag").with_nullable(true),
        ]))
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let history = &mut self.history;
        let found: Vec<HistoryRow> =
            std::iter::from_fn(|| history.next_row(log)).take(rows).collect();
        if found.is_empty() {
            return None;
        }
        let orders: Vec<&OrderRow> =
            found.iter().map(|row| &log.orders[row.order.index()]).collect();
        let details: Vec<OrderDetail> = found.iter().map(|row| detail(log, row)).collect();
        let numbers = |value: fn(&HistoryRow) -> f64| floats(found.iter().map(value).collect());
        let keys = |value: fn(&OrderRow) -> i32, dictionary: &ArrayRef| {
            texts(orders.iter().map(|order| value(order)).collect(), dictionary)
        };
        let triggered = found.iter().zip(&details).map(|(row, detail)| {
            let at = detail.triggered_at;
            (at != i64::MIN && at <= row.timestamp).then_some(at)
        });
        let events = found.iter().map(|row| i32::try_from(row.event).expect("a short list"));
        Some(vec![
            times(found.iter().map(|row| row.timestamp).collect()),
            ids(found.iter().map(|row| row.order.0).collect()),
            texts(events.collect(), &self.events),
            texts(found.iter().map(|row| self.reason_key(row.reason)).collect(), &self.reasons),
            keys(|order| key(order.asset.0), &self.symbols),
            keys(|order| side_key(order.quantity), &self.sides),
            keys(|order| order.kind as i32, &self.kinds),
            numbers(|row| row.quantity),
            numbers(|row| if row.is_quantity { row.old_value } else { f64::NAN }),
            numbers(|row| row.filled),
            numbers(|row| row.limit),
            numbers(|row| row.stop),
            numbers(|row| row.trail),
            flags(details.iter().map(|detail| detail.is_percent).collect()),
            floats(details.iter().map(|detail| detail.limit_offset).collect()),
            numbers(|row| row.old_value),
            numbers(|row| row.new_value),
            texts(details.iter().map(|detail| tif_key(detail.tif)).collect(), &self.tifs),
            optional_times(details.iter().map(|detail| gtd_until(detail.tif)).collect()),
            optional_times(triggered.collect()),
            optional_ids(details.iter().map(|d| d.parent.map(|parent| parent.0)).collect()),
            optional_ids(details.iter().map(|d| (d.group != 0).then_some(d.group)).collect()),
            optional_ids(found.iter().map(|row| row.fill_id).collect()),
            flags(orders.iter().map(|order| order.reduce_only).collect()),
            keys(|order| order.origin as i32, &self.origins),
            keys(rule_key, &self.rules),
            keys(|order| tag_key(order.tag), &self.tags),
        ])
    }
}

/// The rarer terms of a row's order; those of a plain order where it has none.
pub(super) fn detail(log: &RunLog, row: &HistoryRow) -> OrderDetail {
    let details = &log.order_details;
    match details.binary_search_by_key(&row.order, |detail| detail.order) {
        Ok(at) => details[at],
        Err(_) => OrderDetail {
            order: row.order,
            trail: f64::NAN,
            is_percent: false,
            limit_offset: f64::NAN,
            tif: TimeInForce::Gtc,
            parent: None,
            group: 0,
            triggered_at: i64::MIN,
        },
    }
}

pub(super) fn tif_key(tif: TimeInForce) -> i32 {
    match tif {
        TimeInForce::Gtc => 0,
        TimeInForce::Day => 1,
        TimeInForce::Gtd(_) => 2,
        TimeInForce::Ioc => 3,
        TimeInForce::Fok => 4,
    }
}

pub(super) fn gtd_until(tif: TimeInForce) -> Option<i64> {
    match tif {
        TimeInForce::Gtd(until) => Some(until),
        TimeInForce::Gtc | TimeInForce::Day | TimeInForce::Ioc | TimeInForce::Fok => None,
    }
}

/// The rule that sent an order; orders of the strategy have none.
pub(super) fn rule_key(order: &OrderRow) -> i32 {
    match order.origin {
        OrderOrigin::Strategy => NO_TEXT,
        _ => order.reason as i32,
    }
}

/// Reasons of refusals, cancels and expiries, each name once.
fn reason_names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = RejectCode::ALL.iter().map(|code| code.as_str()).collect();
    let cancels = CancelReason::ALL.iter().map(|reason| reason.as_str());
    for name in cancels.chain(ExpireReason::ALL.iter().map(|reason| reason.as_str())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
