//! The trades table, with the values each decision was made on.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{
    NO_TEXT, dictionary, flag_field, flags, float_field, floats, id_field, ids, key, optional_ids,
    tag_key, text_field, texts, time_field, times,
};
use super::fifo::FifoWalk;
use super::options::{Pairing, TableOptions};
use super::table::Cursor;
use super::trade::{Trade, TradeSide, TradeStatus, decision_values, exit_values};
use crate::broker::ExitReason;
use crate::engine::RunLog;
use crate::feed::Layout;

pub(super) struct TradesCursor {
    next: usize,
    /// Paired first in, first out; else at average prices.
    fifo: Option<FifoWalk>,
    schema: SchemaRef,
    symbols: ArrayRef,
    sides: ArrayRef,
    statuses: ArrayRef,
    reasons: ArrayRef,
    tags: ArrayRef,
    currencies: ArrayRef,
    currency: i32,
}

impl TradesCursor {
    pub(super) fn new(log: &RunLog, options: &TableOptions) -> Self {
        Self {
            next: 0,
            fifo: (options.pairing == Pairing::Fifo).then(|| FifoWalk::new(log)),
            schema: schema(&log.layout),
            symbols: dictionary(log.symbols.iter()),
            sides: dictionary(TradeSide::ALL.iter().map(|side| side.as_str())),
            statuses: dictionary(TradeStatus::ALL.iter().map(|status| status.as_str())),
            reasons: dictionary(ExitReason::ALL.iter().map(|reason| reason.as_str())),
            tags: dictionary(log.tags.iter().map(AsRef::as_ref)),
            currencies: dictionary([options.currency.as_str()]),
            currency: if options.currency.is_empty() { NO_TEXT } else { 0 },
        }
    }

    /// At most `rows` further trades.
    fn next_trades(&mut self, log: &RunLog, rows: usize) -> Vec<Trade> {
        let start = self.next;
        let trades: Vec<Trade> = match &mut self.fifo {
            None => {
                let end = log.lots.len().min(start + rows);
                (start..end).map(|idx| Trade::at(log, idx)).collect()
            }
            Some(fifo) => {
                let pieces = std::iter::from_fn(|| fifo.next_piece(log)).take(rows);
                (start..).zip(pieces).map(|(idx, piece)| Trade::of(log, idx, &piece)).collect()
            }
        };
        self.next += trades.len();
        trades
    }
}

impl Cursor for TradesCursor {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let trades = self.next_trades(log, rows);
        if trades.is_empty() {
            return None;
        }
        let numbers = |value: fn(&Trade) -> f64| floats(trades.iter().map(value).collect());
        let counts = |value: fn(&Trade) -> u32| ids(trades.iter().map(value).collect());
        let ages =
            |value: fn(&Trade) -> Option<u32>| optional_ids(trades.iter().map(value).collect());
        let instants = |value: fn(&Trade) -> i64| times(trades.iter().map(value).collect());
        let facts = |value: fn(&Trade) -> bool| flags(trades.iter().map(value).collect());
        let keys = |value: fn(&Trade) -> i32, dictionary: &ArrayRef| {
            texts(trades.iter().map(value).collect(), dictionary)
        };
        let exit_orders = trades.iter().map(|trade| trade.exit_order_id.map(|order| order.0));
        let mut columns = vec![
            counts(|trade| trade.trade_id),
            keys(|trade| key(trade.asset.0), &self.symbols),
            keys(|trade| trade.side as i32, &self.sides),
            keys(|trade| trade.status as i32, &self.statuses),
            instants(|trade| trade.entry_timestamp),
            numbers(|trade| trade.entry_price),
            numbers(|trade| trade.entry_quantity),
            numbers(|trade| trade.entry_commission),
            numbers(|trade| trade.entry_slippage),
            numbers(|trade| trade.entry_impact),
            instants(|trade| trade.exit_timestamp),
            numbers(|trade| trade.exit_price),
            numbers(|trade| trade.exit_quantity),
            numbers(|trade| trade.exit_commission),
            numbers(|trade| trade.exit_slippage),
            numbers(|trade| trade.exit_impact),
            keys(|trade| trade.exit_reason as i32, &self.reasons),
            numbers(|trade| trade.pnl_gross),
            numbers(|trade| trade.pnl_net),
            numbers(|trade| trade.total_cost),
            numbers(|trade| trade.pnl_percent),
            numbers(|trade| trade.return_gross),
            ages(|trade| trade.holding_period_bars),
            numbers(|trade| trade.holding_period_days),
            numbers(|trade| trade.stop_loss_level),
            numbers(|trade| trade.take_profit_level),
            numbers(|trade| trade.max_favorable_excursion),
            numbers(|trade| trade.max_adverse_excursion),
            numbers(|trade| trade.max_favorable_excursion_pct),
            numbers(|trade| trade.max_adverse_excursion_pct),
            ages(|trade| trade.bars_to_mfe),
            ages(|trade| trade.bars_to_mae),
            facts(|trade| trade.ambiguous),
            facts(|trade| trade.touch_only),
            keys(|trade| tag_key(trade.entry_tag), &self.tags),
            keys(
                |trade| trade.exit_order_id.map_or(NO_TEXT, |_| tag_key(trade.exit_tag)),
                &self.tags,
            ),
            counts(|trade| trade.entry_order_id.0),
            optional_ids(exit_orders.collect()),
            numbers(|trade| trade.funding),
            numbers(|trade| trade.borrow),
            numbers(|trade| trade.dividends),
            numbers(|trade| trade.multiplier),
            texts(vec![self.currency; trades.len()], &self.currencies),
        ];
        let n_values = log.layout.n_values();
        for value_idx in 0..n_values {
            let entry = trades
                .iter()
                .map(|trade| nth(decision_values(log, trade.entry_order_id), value_idx));
            columns.push(floats(entry.collect()));
        }
        for value_idx in 0..n_values {
            let exit = trades.iter().map(|trade| {
                trade
                    .exit_order_id
                    .map_or(f64::NAN, |order| nth(exit_values(log, order), value_idx))
            });
            columns.push(floats(exit.collect()));
        }
        Some(columns)
    }
}

/// One value of a row; NaN where there is none.
fn nth(values: &[f64], value_idx: usize) -> f64 {
    values.get(value_idx).copied().unwrap_or(f64::NAN)
}

fn schema(layout: &Layout) -> SchemaRef {
    let mut fields = vec![
        id_field("trade_id"),
        text_field("symbol"),
        text_field("side"),
        text_field("status"),
        time_field("entry_timestamp"),
        float_field("entry_price"),
        float_field("entry_quantity"),
        float_field("entry_commission"),
        float_field("entry_slippage"),
        float_field("entry_impact"),
        time_field("exit_timestamp"),
        float_field("exit_price"),
        float_field("exit_quantity"),
        float_field("exit_commission"),
        float_field("exit_slippage"),
        float_field("exit_impact"),
        text_field("exit_reason"),
        float_field("pnl_gross"),
        float_field("pnl_net"),
        float_field("total_cost"),
        float_field("pnl_percent"),
        float_field("return_gross"),
        id_field("holding_period_bars").with_nullable(true),
        float_field("holding_period_days"),
        float_field("stop_loss_level"),
        float_field("take_profit_level"),
        float_field("max_favorable_excursion"),
        float_field("max_adverse_excursion"),
        float_field("max_favorable_excursion_pct"),
        float_field("max_adverse_excursion_pct"),
        id_field("bars_to_mfe").with_nullable(true),
        id_field("bars_to_mae").with_nullable(true),
        flag_field("ambiguous"),
        flag_field("touch_only"),
        text_field("entry_tag").with_nullable(true),
        text_field("exit_tag").with_nullable(true),
        id_field("entry_order_id"),
        id_field("exit_order_id").with_nullable(true),
        float_field("funding"),
        float_field("borrow"),
        float_field("dividends"),
        float_field("multiplier"),
        text_field("currency").with_nullable(true),
    ];
    let taken: BTreeSet<String> = fields.iter().map(|field| field.name().clone()).collect();
    let mut names = value_names(layout, "entry", &taken);
    names.extend(value_names(layout, "exit", &taken));
    fields.extend(names.into_iter().map(float_field));
    Arc::new(Schema::new(fields))
}

/// `entry_signal_score`, `entry_atr_14`, `entry_vix`. A name that is taken already (an indicator
/// called `price`, a context series called like an indicator) names its group as well:
/// `entry_indicator_price`, `entry_context_vix`.
fn value_names(layout: &Layout, side: &str, taken: &BTreeSet<String>) -> Vec<String> {
    let mut taken = taken.clone();
    let groups = [
        ("signal", &layout.signals),
        ("indicator", &layout.indicators),
        ("context", &layout.context),
    ];
    let mut names = Vec::with_capacity(layout.n_values());
    for (group, columns) in groups {
        for column in columns {
            let short = format!("{side}_{column}");
            let mut name = if group == "signal" || taken.contains(&short) {
                format!("{side}_{group}_{column}")
            } else {
                short
            };
            while !taken.insert(name.clone()) {
                name.push('_');
            }
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_when_taken_then_name_their_group() {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let layout = Layout {
            signals: owned(&["score"]),
            indicators: owned(&["rsi", "price", "signal_score"]),
            context: owned(&["vix", "rsi"]),
        };
        let schema = schema(&layout);
        let n_fixed = schema.fields().len() - 12;
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .skip(n_fixed)
            .take(6)
            .map(|field| field.name().as_str())
            .collect();
        let wanted = [
            "entry_signal_score",
            "entry_rsi",
            "entry_indicator_price",
            "entry_indicator_signal_score",
            "entry_vix",
            "entry_context_rsi",
        ];
        assert_eq!(names, wanted);
        assert_eq!(schema.field(n_fixed - 1).name(), "currency");
        assert_eq!(schema.field(n_fixed + 6).name(), "exit_signal_score");
    }
}
