//! The events of all orders, merged in the order in which they happened.
//!
//! The log keeps orders, fills and other events apart. Each event knows how many fills came before
//! it, which merges the two; submissions are placed by time and id. Fills of a timestamp come
//! before the decisions of that timestamp, because a strategy decides after the row has been
//! matched; where a cancel and a submission share a timestamp, the cancel stands first.

use std::collections::BTreeMap;

use crate::base::OrderId;
use crate::broker::{OrderEvent, OrderEventKind, OrderRow, OrderStatus};
use crate::engine::RunLog;

/// Names of events; an event's key is its place here.
pub(super) const EVENTS: [&str; 18] = [
    "submitted",
    "partly_filled",
    "filled",
    "rounded",
    "resized_for_cash",
    "resized_to_position",
    "resized_by_group",
    "released",
    "triggered",
    "replaced_quantity",
    "replaced_limit",
    "replaced_stop",
    "replaced_trail",
    "too_late",
    "cancelled",
    "expired",
    "rejected",
    "live_at_end",
];

const SUBMITTED: usize = 0;
const PARTLY_FILLED: usize = 1;
const FILLED: usize = 2;

/// One event and how the order stood after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct HistoryRow {
    pub timestamp: i64,
    pub order: OrderId,
    /// Place in [`EVENTS`].
    pub event: usize,
    /// Why, for an event that has a reason.
    pub reason: Option<&'static str>,
    /// Units of the order, unsigned.
    pub quantity: f64,
    pub limit: f64,
    pub stop: f64,
    pub trail: f64,
    /// Units filled so far, unsigned.
    pub filled: f64,
    /// What the event changed, before and after; units unsigned, NaN where nothing changed.
    pub old_value: f64,
    pub new_value: f64,
    /// Whether what changed is the quantity.
    pub is_quantity: bool,
    pub fill_id: Option<u32>,
}

/// A term of an order that events can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    Quantity,
    Limit,
    Stop,
    Trail,
}

/// The value of a term before one of the events that change it.
#[derive(Debug, Clone, Copy)]
struct Change {
    order: OrderId,
    term: Term,
    event_idx: u32,
    old: f64,
}

/// Walks the log once; see the module.
pub(super) struct OrderHistory {
    next_order: usize,
    next_fill: usize,
    next_event: usize,
    /// By order, term and event.
    changes: Vec<Change>,
    /// Orders with events, ascending, and their units filled so far.
    with_events: Vec<(OrderId, f64)>,
    /// Units filled so far of orders without events that fill in parts.
    in_parts: BTreeMap<OrderId, f64>,
}

impl OrderHistory {
    pub(super) fn new(log: &RunLog) -> Self {
        let mut with_events: Vec<_> =
            log.order_events.iter().map(|event| (event.order, 0.0)).collect();
        with_events.sort_unstable_by_key(|entry| entry.0);
        with_events.dedup_by_key(|entry| entry.0);
        Self {
            next_order: 0,
            next_fill: 0,
            next_event: 0,
            changes: changes(log),
            with_events,
            in_parts: BTreeMap::new(),
        }
    }

    pub(super) fn next_row(&mut self, log: &RunLog) -> Option<HistoryRow> {
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
    fn submission_before(
        &mut self,
        log: &RunLog,
        timestamp: i64,
        order: OrderId,
    ) -> Option<HistoryRow> {
        let submitted = log.orders.get(self.next_order)?;
        if submitted.created >= timestamp && self.next_order > order.index() {
            return None;
        }
        let id = OrderId(u32::try_from(self.next_order).expect("fewer than 2^32 orders"));
        self.next_order += 1;
        Some(HistoryRow {
            timestamp: submitted.created,
            event: SUBMITTED,
            ..self.standing(log, id, 0, 0.0)
        })
    }

    fn fill_row(&mut self, log: &RunLog) -> HistoryRow {
        let idx = self.next_fill;
        self.next_fill += 1;
        let fill = &log.fills[idx];
        let order = &log.orders[fill.order.index()];
        let filled = self.push_filled(fill.order, fill.quantity, order.filled);
        let is_complete = filled == order.filled && order.status == OrderStatus::Filled;
        HistoryRow {
            timestamp: fill.timestamp,
            event: if is_complete { FILLED } else { PARTLY_FILLED },
            fill_id: Some(u32::try_from(idx).expect("fewer than 2^32 fills")),
            ..self.standing(log, fill.order, self.next_event, filled)
        }
    }

    fn event_row(&mut self, log: &RunLog, event: &OrderEvent) -> HistoryRow {
        self.next_event += 1;
        let at = self.with_events.binary_search_by_key(&event.order, |entry| entry.0);
        let filled = at.map_or(0.0, |at| self.with_events[at].1);
        let term = term_of(event.kind);
        let is_quantity = term == Some(Term::Quantity);
        let value = |value: f64| if is_quantity { value.abs() } else { value };
        let name = event.kind.as_str();
        let standing = self.standing(log, event.order, self.next_event, filled);
        // What followed is known even where the event itself does not say.
        let after = if is_quantity { standing.quantity } else { event.new };
        HistoryRow {
            timestamp: event.timestamp,
            event: EVENTS.iter().position(|&event| event == name).expect("every kind has a place"),
            reason: event.kind.reason(),
            old_value: value(event.old),
            new_value: if event.new.is_nan() { after } else { value(event.new) },
            is_quantity,
            ..standing
        }
    }

    /// Adds a fill to what an order has filled; `total` is what it fills in the whole run.
    fn push_filled(&mut self, order: OrderId, quantity: f64, total: f64) -> f64 {
        if let Ok(at) = self.with_events.binary_search_by_key(&order, |entry| entry.0) {
            self.with_events[at].1 += quantity;
            return self.with_events[at].1;
        }
        if quantity == total {
            return quantity;
        }
        // Only orders that fill in parts are kept, and only until their last part.
        let so_far = self.in_parts.entry(order).or_insert(0.0);
        *so_far += quantity;
        let filled = *so_far;
        if filled == total {
            self.in_parts.remove(&order);
        }
        filled
    }

    /// How an order stands before event `next_event`, with `filled` units filled.
    fn standing(&self, log: &RunLog, id: OrderId, next_event: usize, filled: f64) -> HistoryRow {
        let order = &log.orders[id.index()];
        let trail = log
            .order_details
            .binary_search_by_key(&id, |detail| detail.order)
            .map_or(f64::NAN, |at| log.order_details[at].trail);
        HistoryRow {
            timestamp: 0,
            order: id,
            event: SUBMITTED,
            reason: None,
            quantity: self.value(id, Term::Quantity, next_event, last_quantity(order)).abs(),
            limit: self.value(id, Term::Limit, next_event, order.limit),
            stop: self.value(id, Term::Stop, next_event, order.stop),
            trail: self.value(id, Term::Trail, next_event, trail),
            filled: filled.abs(),
            old_value: f64::NAN,
            new_value: f64::NAN,
            is_quantity: false,
            fill_id: None,
        }
    }

    /// A term before the change that comes at or after event `next_event`; `last` when none follows.
    fn value(&self, order: OrderId, term: Term, next_event: usize, last: f64) -> f64 {
        let from = (order, term, next_event);
        let at = self.changes.partition_point(|c| (c.order, c.term, c.event_idx as usize) < from);
        match self.changes.get(at) {
            Some(change) if (change.order, change.term) == (order, term) => change.old,
            _ => last,
        }
    }
}

/// A complete order was, in the end, for what it filled.
fn last_quantity(order: &OrderRow) -> f64 {
    match order.status {
        OrderStatus::Filled => order.filled,
        _ => order.quantity,
    }
}

/// The term that an event of this kind changes.
fn term_of(kind: OrderEventKind) -> Option<Term> {
    match kind {
        OrderEventKind::Rounded
        | OrderEventKind::ResizedForCash
        | OrderEventKind::ResizedToPosition
        | OrderEventKind::ResizedByGroup
        | OrderEventKind::ReplacedQuantity => Some(Term::Quantity),
        OrderEventKind::ReplacedLimit => Some(Term::Limit),
        OrderEventKind::ReplacedStop => Some(Term::Stop),
        OrderEventKind::ReplacedTrail => Some(Term::Trail),
        OrderEventKind::Rejected(_)
        | OrderEventKind::Cancelled(_)
        | OrderEventKind::Expired(_)
        | OrderEventKind::Released
        | OrderEventKind::Triggered
        | OrderEventKind::TooLate
        | OrderEventKind::LiveAtEnd => None,
    }
}

fn changes(log: &RunLog) -> Vec<Change> {
    let events = log.order_events.iter().enumerate();
    let mut changes: Vec<Change> = events
        .filter_map(|(event_idx, event)| {
            Some(Change {
                order: event.order,
                term: term_of(event.kind)?,
                event_idx: u32::try_from(event_idx).expect("fewer than 2^32 events"),
                old: event.old,
            })
        })
        .collect();
    changes.sort_unstable_by_key(|change| (change.order, change.term, change.event_idx));
    changes
}
