//! The portfolio table: one row a timestamp, after everything of that timestamp has happened.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{float_field, floats, id_field, ids, time_field, times};
use super::table::Cursor;
use crate::base::time::DAY_NS;
use crate::engine::RunLog;

pub(super) struct PortfolioCursor {
    next: usize,
    context: Vec<String>,
    /// Equity of the row before.
    previous: f64,
    /// Last equity of the UTC day before.
    previous_day: f64,
    high_water_mark: f64,
}

impl PortfolioCursor {
    pub(super) fn new(log: &RunLog) -> Self {
        let context = &log.layout.context;
        Self {
            next: 0,
            context: context.iter().map(|name| format!("context_{name}")).collect(),
            previous: log.initial_cash,
            previous_day: log.initial_cash,
            high_water_mark: log.initial_cash,
        }
    }
}

impl Cursor for PortfolioCursor {
    fn schema(&self) -> SchemaRef {
        let mut fields = vec![
            time_field("timestamp"),
            float_field("equity"),
            float_field("cash"),
            float_field("unsettled"),
            float_field("positions_value"),
            id_field("num_positions"),
            id_field("stale_positions"),
            float_field("gross_exposure"),
            float_field("net_exposure"),
            float_field("gross_leverage"),
            float_field("net_leverage"),
            float_field("period_return"),
            float_field("daily_return"),
            float_field("cumulative_return"),
            float_field("high_water_mark"),
            float_field("drawdown"),
            float_field("fees"),
        ];
        fields.extend(self.context.iter().map(float_field));
        Arc::new(Schema::new(fields))
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let states = &log.states;
        let range = self.next..states.timestamp.len().min(self.next + rows);
        if range.is_empty() {
            return None;
        }
        self.next = range.end;
        let equity = &states.equity[range.clone()];
        let value = &states.positions_value[range.clone()];
        let gross = &states.gross_exposure[range.clone()];
        let mut period = Vec::with_capacity(range.len());
        let mut daily = Vec::with_capacity(range.len());
        let mut water = Vec::with_capacity(range.len());
        for idx in range.clone() {
            let now = states.equity[idx];
            period.push(ratio(now, self.previous) - 1.0);
            self.previous = now;
            let day = states.timestamp[idx].div_euclid(DAY_NS);
            let ends_day =
                states.timestamp.get(idx + 1).is_none_or(|next| next.div_euclid(DAY_NS) != day);
            if ends_day {
                daily.push(ratio(now, self.previous_day) - 1.0);
                self.previous_day = now;
            } else {
                daily.push(f64::NAN);
            }
            self.high_water_mark = self.high_water_mark.max(now);
            water.push(self.high_water_mark);
        }
        let over = |above: &[f64], below: &[f64]| {
            floats(above.iter().zip(below).map(|(a, b)| ratio(*a, *b)).collect())
        };
        let below = equity.iter().zip(&water).map(|(now, high)| ratio(*now, *high) - 1.0);
        let drawdown = floats(below.collect());
        let start = log.initial_cash;
        let mut columns = vec![
            times(states.timestamp[range.clone()].to_vec()),
            floats(equity.to_vec()),
            floats(states.cash[range.clone()].to_vec()),
            floats(vec![0.0; range.len()]),
            floats(value.to_vec()),
            ids(states.n_positions[range.clone()].to_vec()),
            ids(states.n_stale[range.clone()].to_vec()),
            floats(gross.to_vec()),
            floats(value.to_vec()),
            over(gross, equity),
            over(value, equity),
            floats(period),
            floats(daily),
            floats(equity.iter().map(|now| ratio(*now, start) - 1.0).collect()),
            floats(water),
            drawdown,
            floats(states.fees[range.clone()].to_vec()),
        ];
        columns.extend(states.context.iter().map(|column| floats(column[range.clone()].to_vec())));
        Some(columns)
    }
}

/// A quotient that is missing where its base is not a positive number.
fn ratio(above: f64, below: f64) -> f64 {
    if below > 0.0 { above / below } else { f64::NAN }
}
