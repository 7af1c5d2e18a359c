//! The portfolio table: one row a timestamp (or a session), after everything of it has happened.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{float_field, floats, id_field, ids, time_field, times};
use super::flow_adjusted::FlowAdjusted;
use super::options::Snapshot;
use super::table::Cursor;
use crate::base::calendar::SessionDays;
use crate::engine::{RunLog, States};

pub(super) struct PortfolioCursor {
    next: usize,
    snapshot: Snapshot,
    context: Vec<String>,
    adjusted: FlowAdjusted,
    initial: f64,
    /// Equity of the timestamp before.
    previous: f64,
    /// Adjusted equity at the end of the session before.
    previous_day: f64,
    /// Highest adjusted equity so far.
    highest: f64,
    /// Tells the sessions.
    days: SessionDays,
}

/// What a row says of the way to it.
#[derive(Debug, Clone, Copy)]
struct Row {
    idx: usize,
    period_return: f64,
    daily_return: f64,
    cumulative_return: f64,
    high_water_mark: f64,
    drawdown: f64,
}

impl PortfolioCursor {
    pub(super) fn new(log: &RunLog, snapshot: Snapshot) -> Self {
        let context = &log.layout.context;
        Self {
            next: 0,
            snapshot,
            context: context.iter().map(|name| format!("context_{name}")).collect(),
            adjusted: FlowAdjusted::new(),
            initial: log.initial_cash,
            previous: log.initial_cash,
            previous_day: log.initial_cash,
            highest: log.initial_cash,
            days: SessionDays::new(log.calendar.clone()),
        }
    }

    /// Whether a row is the last one of its session.
    fn ends_session(&mut self, timestamps: &[i64], idx: usize) -> bool {
        let date = self.days.date(timestamps[idx]);
        timestamps.get(idx + 1).is_none_or(|&next| self.days.date(next) != date)
    }

    /// The next row of the table; timestamps inside a session are walked in any case.
    fn next_row(&mut self, states: &States) -> Option<Row> {
        while self.next < states.timestamp.len() {
            let idx = self.next;
            self.next += 1;
            let equity = states.equity[idx];
            let flows = states.flows.get(idx).copied().unwrap_or(0.0);
            let flow = self.adjusted.flow(flows);
            let bar_return = ratio(equity - flow, self.previous) - 1.0;
            self.previous = equity;
            let adjusted = self.adjusted.push(equity, flows);
            self.highest = self.highest.max(adjusted);
            let ends_session = self.ends_session(&states.timestamp, idx);
            let mut daily_return = f64::NAN;
            if ends_session {
                daily_return = ratio(adjusted, self.previous_day) - 1.0;
                self.previous_day = adjusted;
            }
            let period_return = match self.snapshot {
                Snapshot::Bar => bar_return,
                Snapshot::Session if ends_session => daily_return,
                Snapshot::Session => continue,
            };
            return Some(Row {
                idx,
                period_return,
                daily_return,
                cumulative_return: ratio(adjusted, self.initial) - 1.0,
                high_water_mark: self.adjusted.at_present(self.highest),
                drawdown: ratio(adjusted, self.highest) - 1.0,
            });
        }
        None
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
            float_field("margin_used"),
            float_field("buying_power"),
            float_field("funding"),
            float_field("borrow"),
            float_field("interest"),
            float_field("dividends"),
            float_field("receivable"),
            float_field("flows"),
            float_field("fees"),
        ];
        fields.extend(self.context.iter().map(float_field));
        Arc::new(Schema::new(fields))
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let states = &log.states;
        let rows: Vec<Row> = std::iter::from_fn(|| self.next_row(states)).take(rows).collect();
        if rows.is_empty() {
            return None;
        }
        let way = |value: fn(&Row) -> f64| floats(rows.iter().map(value).collect());
        let at = |value: &dyn Fn(usize) -> f64| floats(rows.iter().map(|r| value(r.idx)).collect());
        let column = |column: &[f64]| at(&|idx| column[idx]);
        // An empty column is one of zeros.
        let rare = |column: &[f64]| at(&|idx| column.get(idx).copied().unwrap_or(0.0));
        let counts = |column: &[u32]| ids(rows.iter().map(|row| column[row.idx]).collect());
        let buying_power = |idx: usize| match states.buying_power.get(idx) {
            Some(&power) => power,
            None => states.cash[idx].max(0.0),
        };
        let mut columns = vec![
            times(rows.iter().map(|row| states.timestamp[row.idx]).collect()),
            column(&states.equity),
            column(&states.cash),
            rare(&states.unsettled),
            column(&states.positions_value),
            counts(&states.n_positions),
            counts(&states.n_stale),
            column(&states.gross_exposure),
            column(&states.positions_value),
            at(&|idx| ratio(states.gross_exposure[idx], states.equity[idx])),
            at(&|idx| ratio(states.positions_value[idx], states.equity[idx])),
            way(|row| row.period_return),
            way(|row| row.daily_return),
            way(|row| row.cumulative_return),
            way(|row| row.high_water_mark),
            way(|row| row.drawdown),
            rare(&states.margin_used),
            at(&buying_power),
            rare(&states.funding),
            rare(&states.borrow),
            rare(&states.interest),
            rare(&states.dividends),
            rare(&states.receivable),
            rare(&states.flows),
            column(&states.fees),
        ];
        columns.extend(states.context.iter().map(|values| column(values)));
        Some(columns)
    }
}

/// How many rows the table has.
pub(super) fn n_rows(log: &RunLog, snapshot: Snapshot) -> usize {
    let timestamps = &log.states.timestamp;
    match snapshot {
        Snapshot::Bar => timestamps.len(),
        Snapshot::Session => {
            let mut days = SessionDays::new(log.calendar.clone());
            let mut dates: Vec<_> = timestamps.iter().map(|&ns| days.date(ns)).collect();
            dates.dedup();
            dates.len()
        }
    }
}

/// A quotient that is missing where its base is not a positive number.
fn ratio(above: f64, below: f64) -> f64 {
    if below > 0.0 { above / below } else { f64::NAN }
}
