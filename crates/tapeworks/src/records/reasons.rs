//! Why orders ended as they did, one line a cause.

use serde::{Deserialize, Serialize};

use super::hints::{event_hint, hint};
use crate::broker::{OrderEventKind, OrderOrigin, OrderStatus};
use crate::engine::RunLog;

/// What became of the orders of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reasons {
    /// Timestamps walked.
    pub n_timestamps: u64,
    /// Timestamps at which the strategy sent no order.
    pub n_silent: u64,
    /// Orders sent, by whomever.
    pub n_orders: u64,
    /// Orders that filled completely.
    pub n_filled: u64,
    /// Orders that were refused.
    pub n_rejected: u64,
    /// One entry a cause: submissions, fills, then every other event by kind and reason in the
    /// order of its first appearance; `no signal` comes last and counts timestamps.
    pub causes: Vec<Reason>,
}

/// One cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The event, with its reason after a colon: `rejected: quantity_zero`.
    pub cause: String,
    /// Events of this cause.
    pub n: u64,
    /// What it means or what to do about it; empty where the name says it.
    pub remedy: String,
}

impl Reasons {
    pub(super) fn of(log: &RunLog) -> Self {
        let n_filled =
            log.orders.iter().filter(|order| order.status == OrderStatus::Filled).count();
        let mut counts: Vec<(OrderEventKind, u64)> = Vec::new();
        for event in &log.order_events {
            match counts.iter_mut().find(|(kind, _)| *kind == event.kind) {
                Some((_, n)) => *n += 1,
                None => counts.push((event.kind, 1)),
            }
        }
        let n_parts = log.fills.len().saturating_sub(n_filled);
        let first =
            [("submitted", log.orders.len()), ("partly_filled", n_parts), ("filled", n_filled)];
        let mut causes: Vec<Reason> = first
            .into_iter()
            .filter(|&(_, n)| n > 0)
            .map(|(cause, n)| Reason::new(cause.to_owned(), n as u64, event_hint(cause)))
            .collect();
        for (kind, n) in counts {
            let remedy = match kind {
                OrderEventKind::Rejected(code) => hint(code),
                _ => event_hint(kind.reason().unwrap_or(kind.as_str())),
            };
            let cause = match kind.reason() {
                Some(reason) => format!("{}: {reason}", kind.as_str()),
                None => kind.as_str().to_owned(),
            };
            causes.push(Reason::new(cause, n, remedy));
        }
        let n_timestamps = log.states.timestamp.len() as u64;
        let n_silent = n_timestamps - n_deciding(log);
        if n_silent > 0 {
            causes.push(Reason::new("no signal".to_owned(), n_silent, event_hint("no signal")));
        }
        Self {
            n_timestamps,
            n_silent,
            n_orders: log.orders.len() as u64,
            n_filled: n_filled as u64,
            n_rejected: log.rejections.len() as u64,
            causes,
        }
    }

    /// What became of the orders on one line: `37 orders: 20 filled, 17 rejected (quantity_zero)`.
    #[must_use]
    pub fn line(&self) -> String {
        let codes: Vec<&str> =
            self.causes.iter().filter_map(|one| one.cause.strip_prefix("rejected: ")).collect();
        let orders = if self.n_orders == 1 { "order" } else { "orders" };
        let filled = format!("{} {orders}: {} filled", self.n_orders, self.n_filled);
        if self.n_rejected == 0 {
            return filled;
        }
        format!("{filled}, {} rejected ({})", self.n_rejected, codes.join(", "))
    }
}

impl Reason {
    fn new(cause: String, n: u64, remedy: &str) -> Self {
        Self { cause, n, remedy: remedy.to_owned() }
    }
}

/// Timestamps of the run at which the strategy sent an order. What it sends before the first one
/// belongs to none.
fn n_deciding(log: &RunLog) -> u64 {
    let Some(&first) = log.states.timestamp.first() else { return 0 };
    let mut last = i64::MIN;
    let mut n = 0;
    // Ids ascend with time.
    for order in log.orders.iter().filter(|order| order.origin == OrderOrigin::Strategy) {
        if order.created >= first && order.created != last {
            last = order.created;
            n += 1;
        }
    }
    n
}
