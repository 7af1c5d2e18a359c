//! The orders table: every event in the life of every order, in the order in which they happened.
//!
//! The log keeps orders, fills and other events apart. Each event knows how many fills came before
//! it, which merges the two; submissions are placed by time and id. Fills of a timestamp come
//! before the decisions of that timestamp, because a strategy decides after the row has been
//! matched; where a cancel and a submission share a timestamp, the cancel stands first.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{
    NO_TEXT, dictionary, flag_field, flags, float_field, floats, id_field, ids, key, optional_ids,
    tag_key, text_field, texts, time_field, times,
};
use super::fills::side_key;
use super::table::Cursor;
use crate::base::OrderId;
use crate::broker::{CancelReason, ExitReason, OrderKind, OrderOrigin, RejectCode, Side};
use crate::engine::{OrderEvent, OrderEventKind, OrderRow, OrderStatus, RunLog};

/// Names of events; an event's key is its place here.
const EVENTS: [&str; 9] = [
    "submitted",
    "rounded",
    "resized_for_cash",
    "resized_to_position",
    "partly_filled",
    "filled",
    "cancelled",
    "rejected",
    "live_at_end",
];

const SUBMITTED: i32 = 0;
const PARTLY_FILLED: i32 = 4;
const FILLED: i32 = 5;

/// A row of the table.
#[derive(Debug, Clone, Copy)]
struct Row {
    timestamp: i64,
    order: OrderId,
    event: i32,
    /// Key into the reasons of refusals and cancels.
    reason: i32,
    /// Units of the order after the event, unsigned.
    quantity: f64,
    /// Units before it, where the event changed them.
    old_quantity: f64,
    /// Units filled so far.
    filled: f64,
    fill_id: Option<u32>,
}

/// The quantity of an order before one of the events that change it.
#[derive(Debug, Clone, Copy)]
struct Change {
    order: OrderId,
    event_idx: u32,
    old_quantity: f64,
}

pub(super) struct OrdersCursor {
    next_order: usize,
    next_fill: usize,
    next_event: usize,
    /// Changes of quantity by order, then by event.
    changes: Vec<Change>,
    /// Units filled so far of orders that fill in parts.
    filled: BTreeMap<u32, f64>,
    symbols: ArrayRef,
    sides: ArrayRef,
    kinds: ArrayRef,
    origins: ArrayRef,
    rules: ArrayRef,
    tags: ArrayRef,
    events: ArrayRef,
    reasons: ArrayRef,
}

impl OrdersCursor {
    pub(super) fn new(log: &RunLog) -> Self {
        let codes = RejectCode::ALL.iter().map(|code| code.as_str());
        let cancels = CancelReason::ALL.iter().map(|reason| reason.as_str());
        Self {
            next_order: 0,
            next_fill: 0,
            next_event: 0,
            changes: changes(log),
            filled: BTreeMap::new(),
            symbols: dictionary(log.symbols.iter()),
            sides: dictionary(Side::ALL.iter().map(|side| side.as_str())),
            kinds: dictionary(OrderKind::ALL.iter().map(|kind| kind.as_str())),
            origins: dictionary(OrderOrigin::ALL.iter().map(|origin| origin.as_str())),
            rules: dictionary(ExitReason::ALL.iter().map(|reason| reason.as_str())),
            tags: dictionary(log.tags.iter().map(AsRef::as_ref)),
            events: dictionary(EVENTS),
            reasons: dictionary(codes.chain(cancels)),
        }
    }

    fn next_row(&mut self, log: &RunLog) -> Option<Row> {
        let event = log.order_events.get(self.next_event);
        let is_fill_next = self.next_fill < log.fills.len()
            && event.is_none_or(|event| (self.next_fill as u64) < u64::from(event.fills_before));
        if is_fill_next {
            let fill = &log.fills[self.next_fill];
            return Some(
                self.submission_before(log, fill.timestamp, fill.order)
                    .unwrap_or_else(|| self.fill_row(log)),
            );
        }
        if let Some(event) = event {
            // The run has ended: whatever was submitted, was submitted before.
            let at_end = event.kind == OrderEventKind::LiveAtEnd;
            let until = if at_end { i64::MAX } else { event.timestamp };
            return Some(
                self.submission_before(log, until, event.order)
                    .unwrap_or_else(|| self.event_row(log, event)),
            );
        }
        self.submission_before(log, i64::MAX, OrderId(u32::MAX))
    }

    /// The next submission, if it came before something that happened to `order` at `timestamp`.
    fn submission_before(&mut self, log: &RunLog, timestamp: i64, order: OrderId) -> Option<Row> {
        let submitted = log.orders.get(self.next_order)?;
        if submitted.created >= timestamp && self.next_order > order.index() {
            return None;
        }
        let id = OrderId(u32::try_from(self.next_order).expect("fewer than 2^32 orders"));
        self.next_order += 1;
        Some(Row {
            timestamp: submitted.created,
            order: id,
            event: SUBMITTED,
            reason: NO_TEXT,
            quantity: self.quantity_after(log, id, None),
            old_quantity: f64::NAN,
            filled: 0.0,
            fill_id: None,
        })
    }

    fn fill_row(&mut self, log: &RunLog) -> Row {
        let idx = self.next_fill;
        self.next_fill += 1;
        let fill = &log.fills[idx];
        let order = &log.orders[fill.order.index()];
        let mut filled = fill.quantity;
        if filled != order.filled {
            // Only orders that fill in parts are kept, and only until their last part.
            let so_far = self.filled.entry(fill.order.0).or_insert(0.0);
            *so_far += fill.quantity;
            filled = *so_far;
        }
        let is_last = filled == order.filled;
        if is_last {
            self.filled.remove(&fill.order.0);
        }
        let is_complete = is_last && order.status == OrderStatus::Filled;
        Row {
            timestamp: fill.timestamp,
            order: fill.order,
            event: if is_complete { FILLED } else { PARTLY_FILLED },
            reason: NO_TEXT,
            quantity: self.quantity_after(log, fill.order, Some(self.next_event)),
            old_quantity: f64::NAN,
            filled: filled.abs(),
            fill_id: Some(u32::try_from(idx).expect("fewer than 2^32 fills")),
        }
    }

    fn event_row(&mut self, log: &RunLog, event: &OrderEvent) -> Row {
        self.next_event += 1;
        let (name, reason) = match event.kind {
            OrderEventKind::Rounded => (1, NO_TEXT),
            OrderEventKind::ResizedForCash => (2, NO_TEXT),
            OrderEventKind::ResizedToPosition => (3, NO_TEXT),
            OrderEventKind::Cancelled(reason) => {
                (6, i32::try_from(RejectCode::ALL.len()).expect("a short list") + reason as i32)
            }
            OrderEventKind::Rejected(code) => (7, code as i32),
            _ => (8, NO_TEXT),
        };
        let order = &log.orders[event.order.index()];
        let filled = match self.filled.get(&event.order.0) {
            Some(filled) => *filled,
            None if self.has_filled(log, event.order) => order.filled,
            None => 0.0,
        };
        Row {
            timestamp: event.timestamp,
            order: event.order,
            event: name,
            reason,
            quantity: self.quantity_after(log, event.order, Some(self.next_event)),
            old_quantity: event.old.abs(),
            filled: filled.abs(),
            fill_id: None,
        }
    }

    /// Whether the filled units of an order without parts lie before the event in progress: a
    /// resize stands before the fill it belongs to, an end after it.
    fn has_filled(&self, log: &RunLog, order: OrderId) -> bool {
        let event = &log.order_events[self.next_event - 1];
        matches!(event.kind, OrderEventKind::Cancelled(_) | OrderEventKind::LiveAtEnd)
            && log.orders[order.index()].filled != 0.0
    }

    /// Units of an order before the change that comes at or after event `next_event` (`None`: as
    /// first asked for); its last quantity when no change follows.
    fn quantity_after(&self, log: &RunLog, id: OrderId, next_event: Option<usize>) -> f64 {
        let from = (id, next_event.unwrap_or(0));
        let at = self.changes.partition_point(|c| (c.order, c.event_idx as usize) < from);
        match self.changes.get(at) {
            Some(change) if change.order == id => change.old_quantity.abs(),
            _ => last_quantity(&log.orders[id.index()]),
        }
    }
}

/// A complete order was, in the end, for what it filled.
fn last_quantity(order: &OrderRow) -> f64 {
    match order.status {
        OrderStatus::Filled => order.filled.abs(),
        _ => order.quantity.abs(),
    }
}

fn changes(log: &RunLog) -> Vec<Change> {
    let mut changes = Vec::new();
    for (event_idx, event) in log.order_events.iter().enumerate() {
        let changes_quantity = matches!(
            event.kind,
            OrderEventKind::Rounded
                | OrderEventKind::ResizedForCash
                | OrderEventKind::ResizedToPosition
        );
        if changes_quantity {
            changes.push(Change {
                order: event.order,
                event_idx: u32::try_from(event_idx).expect("fewer than 2^32 events"),
                old_quantity: event.old,
            });
        }
    }
    changes.sort_unstable_by_key(|change| (change.order, change.event_idx));
    changes
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
            id_field("fill_id").with_nullable(true),
            flag_field("reduce_only"),
            text_field("origin"),
            text_field("rule").with_nullable(true),
            text_field("tag").with_nullable(true),
        ]))
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let found: Vec<Row> = std::iter::from_fn(|| self.next_row(log)).take(rows).collect();
        if found.is_empty() {
            return None;
        }
        let orders: Vec<&OrderRow> =
            found.iter().map(|row| &log.orders[row.order.index()]).collect();
        let numbers = |value: fn(&Row) -> f64| floats(found.iter().map(value).collect());
        let prices =
            |value: fn(&OrderRow) -> f64| floats(orders.iter().map(|order| value(order)).collect());
        let keys = |value: fn(&OrderRow) -> i32, dictionary: &ArrayRef| {
            texts(orders.iter().map(|order| value(order)).collect(), dictionary)
        };
        Some(vec![
            times(found.iter().map(|row| row.timestamp).collect()),
            ids(found.iter().map(|row| row.order.0).collect()),
            texts(found.iter().map(|row| row.event).collect(), &self.events),
            texts(found.iter().map(|row| row.reason).collect(), &self.reasons),
            keys(|order| key(order.asset.0), &self.symbols),
            keys(|order| side_key(order.quantity), &self.sides),
            keys(|order| order.kind as i32, &self.kinds),
            numbers(|row| row.quantity),
            numbers(|row| row.old_quantity),
            numbers(|row| row.filled),
            prices(|order| order.limit),
            prices(|order| order.stop),
            optional_ids(found.iter().map(|row| row.fill_id).collect()),
            flags(orders.iter().map(|order| order.reduce_only).collect()),
            keys(|order| order.origin as i32, &self.origins),
            keys(rule_key, &self.rules),
            keys(|order| tag_key(order.tag), &self.tags),
        ])
    }
}

/// The rule that sent an order; orders of the strategy have none.
fn rule_key(order: &OrderRow) -> i32 {
    match order.origin {
        OrderOrigin::Strategy => NO_TEXT,
        _ => order.reason as i32,
    }
}
