//! The rejections table: one row a refused order, with the figures and a remedy.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{
    NO_TEXT, dictionary, flag_field, flags, float_field, floats, id_field, ids, key, tag_key,
    text_field, texts, time_field, times,
};
use super::fills::side_key;
use super::hints::hint;
use super::table::Cursor;
use crate::broker::{OrderKind, OrderOrigin, RejectCode, Side};
use crate::engine::{OrderRow, RejectionRow, RunLog};

pub(super) struct RejectionsCursor {
    next: usize,
    symbols: ArrayRef,
    sides: ArrayRef,
    kinds: ArrayRef,
    origins: ArrayRef,
    tags: ArrayRef,
    codes: ArrayRef,
    hints: ArrayRef,
}

impl RejectionsCursor {
    pub(super) fn new(log: &RunLog) -> Self {
        Self {
            next: 0,
            symbols: dictionary(log.symbols.iter()),
            sides: dictionary(Side::ALL.iter().map(|side| side.as_str())),
            kinds: dictionary(OrderKind::ALL.iter().map(|kind| kind.as_str())),
            origins: dictionary(OrderOrigin::ALL.iter().map(|origin| origin.as_str())),
            tags: dictionary(log.tags.iter().map(AsRef::as_ref)),
            codes: dictionary(RejectCode::ALL.iter().map(|code| code.as_str())),
            hints: dictionary(RejectCode::ALL.iter().map(|&code| hint(code))),
        }
    }
}

impl Cursor for RejectionsCursor {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            time_field("timestamp"),
            id_field("order_id"),
            text_field("symbol").with_nullable(true),
            text_field("side").with_nullable(true),
            text_field("kind").with_nullable(true),
            float_field("quantity"),
            float_field("limit"),
            float_field("stop"),
            flag_field("reduce_only"),
            text_field("origin").with_nullable(true),
            text_field("tag").with_nullable(true),
            text_field("code"),
            float_field("need"),
            float_field("have"),
            text_field("hint"),
        ]))
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let start = self.next;
        let end = log.rejections.len().min(start + rows);
        if start == end {
            return None;
        }
        self.next = end;
        let refused = &log.rejections[start..end];
        // A change of an order that never was is refused, too, and has no order behind it.
        let orders: Vec<Option<&OrderRow>> =
            refused.iter().map(|row| log.orders.get(row.order.index())).collect();
        let figures = |value: fn(&RejectionRow) -> f64| floats(refused.iter().map(value).collect());
        let numbers = |value: fn(&OrderRow) -> f64| {
            floats(orders.iter().map(|order| order.map_or(f64::NAN, value)).collect())
        };
        let keys = |value: fn(&OrderRow) -> i32, dictionary: &ArrayRef| {
            texts(orders.iter().map(|order| order.map_or(NO_TEXT, value)).collect(), dictionary)
        };
        let codes = || refused.iter().map(|row| row.code as i32).collect();
        Some(vec![
            times(refused.iter().map(|row| row.timestamp).collect()),
            ids(refused.iter().map(|row| row.order.0).collect()),
            keys(|order| key(order.asset.0), &self.symbols),
            keys(|order| side_key(order.quantity), &self.sides),
            keys(|order| order.kind as i32, &self.kinds),
            numbers(|order| order.quantity.abs()),
            numbers(|order| order.limit),
            numbers(|order| order.stop),
            flags(orders.iter().map(|order| order.is_some_and(|o| o.reduce_only)).collect()),
            keys(|order| order.origin as i32, &self.origins),
            keys(|order| tag_key(order.tag), &self.tags),
            texts(codes(), &self.codes),
            figures(|row| row.need),
            figures(|row| row.have),
            texts(codes(), &self.hints),
        ])
    }
}
