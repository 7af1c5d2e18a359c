//! The next-orders table: what has been decided and has not ended when the run does.
//!
//! The rows of a run end, its orders need not: a market order of the last row waits for a row that
//! never came. This is the list to send now.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{
    dictionary, flag_field, flags, float_field, floats, id_field, ids, key, optional_ids,
    optional_times, tag_key, text_field, texts, time_field, times,
};
use super::fills::side_key;
use super::order_history::{HistoryRow, OrderHistory};
use super::orders::{TIFS, detail, gtd_until, rule_key, tif_key};
use super::table::Cursor;
use crate::base::OrderId;
use crate::broker::{ExitReason, OrderDetail, OrderKind, OrderOrigin, OrderStatus, Side};
use crate::engine::{OrderRow, RunLog};

/// How a pending order stands; a key is its place here.
const STATUSES: [&str; 3] = ["new", "resting", "held"];

/// The orders that have not ended, by id.
pub(super) fn pending(log: &RunLog) -> impl Iterator<Item = OrderId> + '_ {
    let is_pending = |order: &OrderRow| {
        matches!(order.status, OrderStatus::Live | OrderStatus::Held | OrderStatus::LiveAtEnd)
    };
    let id = |idx: usize| OrderId(u32::try_from(idx).expect("fewer than 2^32 orders"));
    log.orders
        .iter()
        .enumerate()
        .filter(move |(_, order)| is_pending(order))
        .map(move |(i, _)| id(i))
}

pub(super) struct NextOrdersCursor {
    /// How each pending order stands, by id.
    rows: Vec<HistoryRow>,
    next: usize,
    symbols: ArrayRef,
    sides: ArrayRef,
    kinds: ArrayRef,
    statuses: ArrayRef,
    tifs: ArrayRef,
    origins: ArrayRef,
    rules: ArrayRef,
    tags: ArrayRef,
}

impl NextOrdersCursor {
    pub(super) fn new(log: &RunLog) -> Self {
        Self {
            rows: last_rows(log),
            next: 0,
            symbols: dictionary(log.symbols.iter()),
            sides: dictionary(Side::ALL.iter().map(|side| side.as_str())),
            kinds: dictionary(OrderKind::ALL.iter().map(|kind| kind.as_str())),
            statuses: dictionary(STATUSES),
            tifs: dictionary(TIFS.iter().map(|tif| tif.as_str())),
            origins: dictionary(OrderOrigin::ALL.iter().map(|origin| origin.as_str())),
            rules: dictionary(ExitReason::ALL.iter().map(|reason| reason.as_str())),
            tags: dictionary(log.tags.iter().map(AsRef::as_ref)),
        }
    }
}

/// The last row of each pending order in the orders table, which knows what was cut and changed.
fn last_rows(log: &RunLog) -> Vec<HistoryRow> {
    let orders: Vec<OrderId> = pending(log).collect();
    if orders.is_empty() {
        return Vec::new();
    }
    let mut last: Vec<Option<HistoryRow>> = vec![None; orders.len()];
    let mut history = OrderHistory::new(log);
    while let Some(row) = history.next_row(log) {
        if let Ok(at) = orders.binary_search(&row.order) {
            last[at] = Some(row);
        }
    }
    last.into_iter().flatten().collect()
}

fn status_key(log: &RunLog, order: &OrderRow) -> i32 {
    let last = log.states.timestamp.last().copied().unwrap_or(i64::MIN);
    match order.status {
        OrderStatus::Held => 2,
        _ if order.created >= last => 0,
        _ => 1,
    }
}

impl Cursor for NextOrdersCursor {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            time_field("decided_at"),
            text_field("symbol"),
            text_field("side"),
            text_field("kind"),
            float_field("quantity"),
            float_field("limit"),
            float_field("stop"),
            text_field("tif"),
            text_field("status"),
            text_field("tag").with_nullable(true),
            text_field("rule").with_nullable(true),
            text_field("origin"),
            flag_field("reduce_only"),
            float_field("trail"),
            flag_field("trail_is_percent"),
            float_field("limit_offset"),
            time_field("gtd_until").with_nullable(true),
            id_field("order_id"),
            id_field("parent_id").with_nullable(true),
            id_field("group").with_nullable(true),
        ]))
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let start = self.next;
        let end = self.rows.len().min(start + rows);
        if start == end {
            return None;
        }
        self.next = end;
        let found = &self.rows[start..end];
        let orders: Vec<&OrderRow> =
            found.iter().map(|row| &log.orders[row.order.index()]).collect();
        let details: Vec<OrderDetail> = found.iter().map(|row| detail(log, row)).collect();
        let numbers = |value: fn(&HistoryRow) -> f64| floats(found.iter().map(value).collect());
        let keys = |value: &dyn Fn(&OrderRow) -> i32, dictionary: &ArrayRef| {
            texts(orders.iter().map(|order| value(order)).collect(), dictionary)
        };
        Some(vec![
            times(orders.iter().map(|order| order.created).collect()),
            keys(&|order| key(order.asset.0), &self.symbols),
            keys(&|order| side_key(order.quantity), &self.sides),
            keys(&|order| order.kind as i32, &self.kinds),
            numbers(|row| row.quantity - row.filled),
            numbers(|row| row.limit),
            numbers(|row| row.stop),
            texts(details.iter().map(|detail| tif_key(detail.tif)).collect(), &self.tifs),
            keys(&|order| status_key(log, order), &self.statuses),
            keys(&|order| tag_key(order.tag), &self.tags),
            keys(&rule_key, &self.rules),
            keys(&|order| order.origin as i32, &self.origins),
            flags(orders.iter().map(|order| order.reduce_only).collect()),
            numbers(|row| row.trail),
            flags(details.iter().map(|detail| detail.is_percent).collect()),
            floats(details.iter().map(|detail| detail.limit_offset).collect()),
            optional_times(details.iter().map(|detail| gtd_until(detail.tif)).collect()),
            ids(found.iter().map(|row| row.order.0).collect()),
            optional_ids(details.iter().map(|d| d.parent.map(|parent| parent.0)).collect()),
            optional_ids(details.iter().map(|d| (d.group != 0).then_some(d.group)).collect()),
        ])
    }
}
