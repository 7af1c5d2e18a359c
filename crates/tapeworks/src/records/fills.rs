//! The fills table: one row an execution.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{
    NO_TEXT, dictionary, flag_field, flags, float_field, floats, id_field, ids, key, text_field,
    texts, time_field, times,
};
use super::costs::{LotWalk, fill_cost, slippage_of};
use super::table::Cursor;
use crate::broker::{ExitReason, FillCost, FillFlags, Phase, Side};
use crate::engine::{FillRow, RunLog};

pub(super) struct FillsCursor {
    next: usize,
    ended: LotWalk,
    symbols: ArrayRef,
    sides: ArrayRef,
    phases: ArrayRef,
    reasons: ArrayRef,
}

impl FillsCursor {
    pub(super) fn new(log: &RunLog) -> Self {
        Self {
            next: 0,
            ended: LotWalk::default(),
            symbols: dictionary(log.symbols.iter()),
            sides: dictionary(Side::ALL.iter().map(|side| side.as_str())),
            phases: dictionary(Phase::ALL.iter().map(|phase| phase.as_str())),
            reasons: dictionary(ExitReason::ALL.iter().map(|reason| reason.as_str())),
        }
    }
}

impl Cursor for FillsCursor {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            id_field("fill_id"),
            id_field("order_id"),
            time_field("timestamp"),
            text_field("symbol"),
            text_field("side"),
            float_field("quantity"),
            float_field("base_price"),
            float_field("price"),
            float_field("stop_slip"),
            float_field("impact"),
            float_field("slippage"),
            float_field("commission"),
            flag_field("maker"),
            flag_field("ambiguous"),
            flag_field("touch_only"),
            flag_field("no_volume_cost"),
            text_field("phase"),
            text_field("reason").with_nullable(true),
        ]))
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let start = self.next;
        let end = log.fills.len().min(start + rows);
        if start == end {
            return None;
        }
        self.next = end;
        let fills = &log.fills[start..end];
        let ended = &mut self.ended;
        let reasons = (start..end)
            .map(|idx| ended.ended_by(log, idx).map_or(NO_TEXT, |_| log.fills[idx].reason as i32))
            .collect();
        let numbers = |value: fn(&FillRow) -> f64| floats(fills.iter().map(value).collect());
        let facts = |fact| flags(fills.iter().map(|fill| fill.flags.has(fact)).collect());
        let first_id = u32::try_from(start).expect("fewer than 2^32 fills");
        let costs: Vec<FillCost> =
            (first_id..).take(fills.len()).map(|fill| fill_cost(log, fill)).collect();
        let slippage =
            (start..end).zip(&costs).map(|(idx, cost)| slippage_of(log, idx, cost)).collect();
        Some(vec![
            ids((first_id..).take(fills.len()).collect()),
            ids(fills.iter().map(|fill| fill.order.0).collect()),
            times(fills.iter().map(|fill| fill.timestamp).collect()),
            texts(fills.iter().map(|fill| key(fill.asset.0)).collect(), &self.symbols),
            texts(fills.iter().map(|fill| side_key(fill.quantity)).collect(), &self.sides),
            numbers(|fill| fill.quantity.abs()),
            numbers(|fill| fill.base_price),
            numbers(|fill| fill.price),
            floats(costs.iter().map(|cost| cost.stop_slip).collect()),
            floats(costs.iter().map(|cost| cost.impact).collect()),
            floats(slippage),
            numbers(|fill| fill.commission),
            facts(FillFlags::MAKER),
            facts(FillFlags::AMBIGUOUS),
            facts(FillFlags::TOUCH_ONLY),
            facts(FillFlags::NO_VOLUME_COST),
            texts(fills.iter().map(|fill| fill.phase as i32).collect(), &self.phases),
            texts(reasons, &self.reasons),
        ])
    }
}

/// Dictionary key of the side of a signed quantity.
pub(super) fn side_key(quantity: f64) -> i32 {
    if quantity < 0.0 { Side::Sell as i32 } else { Side::Buy as i32 }
}
