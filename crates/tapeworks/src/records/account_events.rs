//! The events table: what happened to the account besides fills.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{
    NO_TEXT, dictionary, float_field, floats, key, text_field, texts, time_field, times,
};
use super::table::Cursor;
use crate::broker::AccountEventKind;
use crate::engine::RunLog;

pub(super) struct AccountEventsCursor {
    next: usize,
    symbols: ArrayRef,
    kinds: ArrayRef,
}

impl AccountEventsCursor {
    pub(super) fn new(log: &RunLog) -> Self {
        Self {
            next: 0,
            symbols: dictionary(log.symbols.iter()),
            kinds: dictionary(AccountEventKind::ALL.iter().map(|kind| kind.as_str())),
        }
    }
}

impl Cursor for AccountEventsCursor {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            time_field("timestamp"),
            text_field("kind"),
            text_field("symbol").with_nullable(true),
            float_field("amount"),
        ]))
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let start = self.next;
        let end = log.account_events.len().min(start + rows);
        if start == end {
            return None;
        }
        self.next = end;
        let events = &log.account_events[start..end];
        let symbols = events.iter().map(|event| event.asset.map_or(NO_TEXT, |asset| key(asset.0)));
        Some(vec![
            times(events.iter().map(|event| event.timestamp).collect()),
            texts(events.iter().map(|event| event.kind as i32).collect(), &self.kinds),
            texts(symbols.collect(), &self.symbols),
            floats(events.iter().map(|event| event.amount).collect()),
        ])
    }
}
