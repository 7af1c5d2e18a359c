//! The events of all orders, merged in the order in which they happened.
//!
//! The log keeps orders, fills and other events apart. Each event knows how many fills came before
//! it, which merges the two; submissions are placed by time and id. Fills of a timestamp come
//! before the decisions of that timestamp, because a strategy decides after the row has been
//! matched; where a cancel and a submission share a timestamp, the cancel stands first.

use std::collections::BTreeMap;

use crate::base::OrderId;
use crate::broker::{AccountEventKind, OrderEvent, OrderEventKind, OrderStatus};
use crate::engine::RunLog;

/// Names of events; an event's key is its place here.
pub(super) const EVENTS: [&str; 19] = [
    "submitted",
    "partly_filled",
    "filled",
    "rounded",
    "split",
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
    /// What the event changed, before and after; units unsigned, of a cut those left to be filled.
    /// NaN where nothing changed.
    pub old_value: f64,
    pub new_value: f64,
    /// Whether what changed is the quantity.
    pub is_quantity: bool,
    pub fill_id: Option<u32>,
}

/// How an order that has events stands, as far as the walk has come.
#[derive(Debug, Clone, Copy)]
struct Standing {
    order: OrderId,
    quantity: f64,
    limit: f64,
    stop: f64,
    trail: f64,
    filled: f64,
}

/// Walks the log once; see the module.
pub(super) struct OrderHistory {
    next_order: usize,
    next_fill: usize,
    next_event: usize,
    /// Orders with events, ascending.
    with_events: Vec<Standing>,
    /// Units filled so far of orders without events that fill in parts.
    in_parts: BTreeMap<OrderId, f64>,
}

impl OrderHistory {
    pub(super) fn new(log: &RunLog) -> Self {
        Self {
            next_order: 0,
            next_fill: 0,
            next_event: 0,
            with_events: first_standings(log),
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
        Some(HistoryRow { timestamp: submitted.created, event: SUBMITTED, ..self.row_of(log, id) })
    }

    fn fill_row(&mut self, log: &RunLog) -> HistoryRow {
        let idx = self.next_fill;
        self.next_fill += 1;
        let fill = &log.fills[idx];
        let order = &log.orders[fill.order.index()];
        let filled = self.push_filled(fill.order, fill.quantity, order.filled);
        let is_complete = filled == order.filled && order.status == OrderStatus::Filled;
        let row = self.row_of(log, fill.order);
        HistoryRow {
            timestamp: fill.timestamp,
            event: if is_complete { FILLED } else { PARTLY_FILLED },
            // A complete order was, in the end, for what it filled.
            quantity: if is_complete { filled.abs() } else { row.quantity },
            filled: filled.abs(),
            fill_id: Some(u32::try_from(idx).expect("fewer than 2^32 fills")),
            ..row
        }
    }

    fn event_row(&mut self, log: &RunLog, event: &OrderEvent) -> HistoryRow {
        self.next_event += 1;
        let at = self.with_events.binary_search_by_key(&event.order, |standing| standing.order);
        let standing = &mut self.with_events[at.expect("every event is counted")];
        let is_quantity = standing.apply(log, event);
        let unsigned = |value: f64| if is_quantity { value.abs() } else { value };
        let name = event.kind.as_str();
        HistoryRow {
            timestamp: event.timestamp,
            event: EVENTS.iter().position(|&event| event == name).expect("every kind has a place"),
            reason: event.kind.reason(),
            old_value: unsigned(event.old),
            new_value: unsigned(event.new),
            is_quantity,
            ..self.row_of(log, event.order)
        }
    }

    /// Adds a fill to what an order has filled; `total` is what it fills in the whole run.
    fn push_filled(&mut self, order: OrderId, quantity: f64, total: f64) -> f64 {
        if let Ok(at) = self.with_events.binary_search_by_key(&order, |standing| standing.order) {
            let standing = &mut self.with_events[at];
            standing.filled += quantity;
            return standing.filled;
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

    /// A row of an order as it stands.
    fn row_of(&self, log: &RunLog, id: OrderId) -> HistoryRow {
        let at = self.with_events.binary_search_by_key(&id, |standing| standing.order);
        let standing = match at {
            Ok(at) => self.with_events[at],
            Err(_) => Standing::last(log, id),
        };
        HistoryRow {
            timestamp: 0,
            order: id,
            event: SUBMITTED,
            reason: None,
            quantity: standing.quantity,
            limit: standing.limit,
            stop: standing.stop,
            trail: standing.trail,
            filled: standing.filled.abs(),
            old_value: f64::NAN,
            new_value: f64::NAN,
            is_quantity: false,
            fill_id: None,
        }
    }
}

impl Standing {
    /// An order with the terms it ended with, before its first fill.
    fn last(log: &RunLog, id: OrderId) -> Self {
        let row = &log.orders[id.index()];
        let details = &log.order_details;
        let trail = details
            .binary_search_by_key(&id, |detail| detail.order)
            .map_or(f64::NAN, |at| details[at].trail);
        let quantity = row.quantity.abs();
        Self { order: id, quantity, limit: row.limit, stop: row.stop, trail, filled: 0.0 }
    }

    /// Takes in an event; whether it changed the quantity.
    fn apply(&mut self, log: &RunLog, event: &OrderEvent) -> bool {
        match event.kind {
            OrderEventKind::Rounded | OrderEventKind::ReplacedQuantity => {
                self.quantity = event.new.abs();
            }
            OrderEventKind::Split => {
                self.quantity = event.new.abs();
                self.filled *= split_ratio(log, event);
            }
            // A cut says what is left to be filled.
            OrderEventKind::ResizedForCash
            | OrderEventKind::ResizedToPosition
            | OrderEventKind::ResizedByGroup => {
                self.quantity = self.quantity.min(self.filled.abs() + event.new.abs());
            }
            OrderEventKind::ReplacedLimit => self.limit = event.new,
            OrderEventKind::ReplacedStop => self.stop = event.new,
            OrderEventKind::ReplacedTrail => self.trail = event.new,
            OrderEventKind::Rejected(_)
            | OrderEventKind::Cancelled(_)
            | OrderEventKind::Expired(_)
            | OrderEventKind::Released
            | OrderEventKind::Triggered
            | OrderEventKind::TooLate
            | OrderEventKind::LiveAtEnd => {}
        }
        changes_quantity(event.kind)
    }
}

/// Units that one unit became in the split behind an event.
fn split_ratio(log: &RunLog, event: &OrderEvent) -> f64 {
    let asset = Some(log.orders[event.order.index()].asset);
    let events = &log.account_events;
    let from = events.partition_point(|one| one.timestamp < event.timestamp);
    let here = events[from..].iter().take_while(|one| one.timestamp == event.timestamp);
    here.filter(|one| one.kind == AccountEventKind::Split && one.asset == asset)
        .map(|one| one.amount)
        .product()
}

fn changes_quantity(kind: OrderEventKind) -> bool {
    matches!(
        kind,
        OrderEventKind::Rounded
            | OrderEventKind::Split
            | OrderEventKind::ReplacedQuantity
            | OrderEventKind::ResizedForCash
            | OrderEventKind::ResizedToPosition
            | OrderEventKind::ResizedByGroup
    )
}

/// The orders that have events, as they were submitted: the terms they ended with, each with the
/// old value of its first change in its place.
fn first_standings(log: &RunLog) -> Vec<Standing> {
    let mut orders: Vec<OrderId> = log.order_events.iter().map(|event| event.order).collect();
    orders.sort_unstable();
    orders.dedup();
    let mut standings: Vec<Standing> =
        orders.iter().map(|&order| Standing::last(log, order)).collect();
    // From the last event to the first: what is written last is the oldest.
    for event in log.order_events.iter().rev() {
        let at = orders.binary_search(&event.order).expect("listed above");
        let standing = &mut standings[at];
        match event.kind {
            OrderEventKind::Rounded | OrderEventKind::ReplacedQuantity | OrderEventKind::Split => {
                standing.quantity = event.old.abs();
            }
            // A part of an order can be cut as well: the order was for no less.
            kind if changes_quantity(kind) => {
                standing.quantity = standing.quantity.max(event.old.abs());
            }
            OrderEventKind::ReplacedLimit => standing.limit = event.old,
            OrderEventKind::ReplacedStop => standing.stop = event.old,
            OrderEventKind::ReplacedTrail => standing.trail = event.old,
            _ => {}
        }
    }
    standings
}
