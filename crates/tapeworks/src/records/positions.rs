//! The positions table: the state of a position after each timestamp at which it changed, and of
//! the positions held at the end at their last mark.
//!
//! The fills are replayed with the arithmetic of the account (semantics 5.1), so the table agrees
//! with the lots to the last bit.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Schema, SchemaRef};

use super::arrays::{
    dictionary, float_field, floats, key, optional_times, text_field, texts, time_field, times,
};
use super::costs::{LotWalk, SplitWalk, lot_cost};
use super::table::Cursor;
use crate::engine::{FillRow, RunLog};

/// How a row of the table came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// Flat before this timestamp, held after it.
    Opened,
    /// Held before and after.
    Changed,
    /// Flat after this timestamp.
    Closed,
    /// Held at the end of the run, at the last mark.
    Open,
}

impl Status {
    const NAMES: [&str; 4] = ["opened", "changed", "closed", "open"];
}

/// A position as its fills leave it.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    quantity: f64,
    entry_price: f64,
    entry_timestamp: i64,
    fees_in: f64,
    /// Net result of the units closed since the position was opened.
    realised: f64,
    /// Price of the last fill.
    mark: f64,
    /// Units of currency per unit of price.
    multiplier: f64,
    /// Whether it was held before the timestamp in progress.
    was_held: bool,
    /// Whether the timestamp in progress has a fill of it.
    is_touched: bool,
}

impl Position {
    /// Closes what the fill closes, then opens the rest.
    /// `accrued` is the funding and borrowing cost of the units it closes, less their dividends.
    fn apply(&mut self, fill: &FillRow, accrued: f64) {
        let (direction, units) = (fill.quantity.signum(), fill.quantity.abs());
        let opposite = self.quantity * direction < 0.0;
        let closing = if opposite { units.min(self.quantity.abs()) } else { 0.0 };
        let opening = units - closing;
        self.mark = fill.price;
        if closing > 0.0 {
            let share = self.fees_in * (closing / self.quantity.abs());
            let gross = (fill.price * closing - self.entry_price * closing)
                * self.multiplier
                * self.quantity.signum();
            self.realised += gross - (share + fill.commission * (closing / units)) - accrued;
            self.fees_in -= share;
            self.quantity = settled(self.quantity, direction * closing);
        }
        if opening > 0.0 {
            if self.quantity == 0.0 {
                self.entry_price = fill.price;
                self.entry_timestamp = fill.timestamp;
                self.realised = 0.0;
                self.fees_in = 0.0;
            } else {
                let held = self.quantity.abs();
                self.entry_price =
                    (held * self.entry_price + opening * fill.price) / (held + opening);
            }
            self.quantity = settled(self.quantity, direction * opening);
            self.fees_in += fill.commission * (opening / units);
        }
    }
}

/// The sum of two quantities, 0 where only rounding is left of it.
fn settled(held: f64, change: f64) -> f64 {
    let sum = held + change;
    let larger = held.abs().max(change.abs());
    if sum.abs() <= (16.0 * f64::EPSILON * larger).max(1e-12) { 0.0 } else { sum }
}

pub(super) struct PositionsCursor {
    next_fill: usize,
    ended: LotWalk,
    splits: SplitWalk,
    /// The next lot that is still held; these stand at the end, by asset.
    next_open: usize,
    positions: Vec<Position>,
    /// Assets of the timestamp in progress that still wait for their row, last first.
    waiting: Vec<u32>,
    now: i64,
    symbols: ArrayRef,
    statuses: ArrayRef,
}

impl PositionsCursor {
    pub(super) fn new(log: &RunLog) -> Self {
        Self {
            next_fill: 0,
            ended: LotWalk::default(),
            splits: SplitWalk::default(),
            next_open: log.lots.partition_point(|lot| lot.exit_fill.is_some()),
            positions: vec![Position::default(); log.symbols.len()],
            waiting: Vec::new(),
            now: 0,
            symbols: dictionary(log.symbols.iter()),
            statuses: dictionary(Status::NAMES),
        }
    }

    /// The next row: first all changes in time order and by symbol, then what is held at the end.
    fn next_row(&mut self, log: &RunLog) -> Option<(i64, u32, Status, Position)> {
        if self.waiting.is_empty() {
            self.walk_timestamp(log);
        }
        if let Some(asset) = self.waiting.pop() {
            let position = &mut self.positions[asset as usize];
            position.is_touched = false;
            let is_held = position.quantity != 0.0;
            let status = match (position.was_held, is_held) {
                (_, false) => Status::Closed,
                (false, true) => Status::Opened,
                (true, true) => Status::Changed,
            };
            position.was_held = is_held;
            return Some((self.now, asset, status, *position));
        }
        let lot = log.lots.get(self.next_open)?;
        self.next_open += 1;
        let asset = log.fills[lot.entry_fill as usize].asset;
        let mut position = self.positions[asset.index()];
        position.mark = lot.exit_price;
        Some((lot.exit_timestamp, asset.0, Status::Open, position))
    }

    /// Applies all splits and fills of the next timestamp.
    fn walk_timestamp(&mut self, log: &RunLog) {
        let of_fill = log.fills.get(self.next_fill).map(|fill| fill.timestamp);
        let of_split = self.splits.peek(log).map(|event| event.timestamp);
        let Some(now) = of_fill.into_iter().chain(of_split).min() else { return };
        self.now = now;
        self.walk_splits(log);
        while let Some(fill) = log.fills.get(self.next_fill)
            && fill.timestamp == self.now
        {
            let accrued = self.ended.ended_by(log, self.next_fill).map_or(0.0, |lot| {
                let cost = lot_cost(log, lot);
                cost.funding + cost.borrow - cost.dividends
            });
            let position = &mut self.positions[fill.asset.index()];
            position.multiplier = log.instruments.of(fill.asset).multiplier;
            position.apply(fill, accrued);
            if !position.is_touched {
                position.is_touched = true;
                self.waiting.push(fill.asset.0);
            }
            self.next_fill += 1;
            self.walk_splits(log);
        }
        self.waiting.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Applies the splits of this timestamp that lie before the next fill.
    fn walk_splits(&mut self, log: &RunLog) {
        while self.splits.peek(log).is_some_and(|event| event.timestamp <= self.now)
            && let Some((asset, ratio)) = self.splits.before(log, self.next_fill)
        {
            let position = &mut self.positions[asset.index()];
            // The split of a symbol that only had orders changes no position.
            if position.quantity == 0.0 {
                continue;
            }
            position.quantity *= ratio;
            position.entry_price /= ratio;
            position.mark /= ratio;
            if !position.is_touched {
                position.is_touched = true;
                self.waiting.push(asset.0);
            }
        }
    }
}

impl Cursor for PositionsCursor {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            time_field("timestamp"),
            text_field("symbol"),
            text_field("status"),
            float_field("quantity"),
            float_field("entry_price"),
            time_field("entry_timestamp").with_nullable(true),
            float_field("mark"),
            float_field("value"),
            float_field("unrealised"),
            float_field("fees_in"),
            float_field("realised"),
        ]))
    }

    fn next_columns(&mut self, log: &RunLog, rows: usize) -> Option<Vec<ArrayRef>> {
        let found: Vec<_> = std::iter::from_fn(|| self.next_row(log)).take(rows).collect();
        if found.is_empty() {
            return None;
        }
        let numbers = |value: fn(&Position) -> f64| {
            floats(found.iter().map(|(_, _, _, position)| value(position)).collect())
        };
        // A flat position has no entry; its row tells what the position that ended has earned.
        let held = |position: &Position| position.quantity != 0.0;
        let since = found.iter().map(|row| held(&row.3).then_some(row.3.entry_timestamp));
        Some(vec![
            times(found.iter().map(|row| row.0).collect()),
            texts(found.iter().map(|row| key(row.1)).collect(), &self.symbols),
            texts(found.iter().map(|row| row.2 as i32).collect(), &self.statuses),
            numbers(|position| position.quantity),
            numbers(|p| if p.quantity == 0.0 { f64::NAN } else { p.entry_price }),
            optional_times(since.collect()),
            numbers(|position| position.mark),
            numbers(|p| p.quantity * p.mark * p.multiplier),
            numbers(|p| (p.mark * p.quantity - p.entry_price * p.quantity) * p.multiplier),
            numbers(|position| position.fees_in),
            numbers(|position| position.realised),
        ])
    }
}

/// How many rows the table has: a (timestamp, symbol) pair with fills counts once.
pub(super) fn n_rows(log: &RunLog) -> usize {
    let mut cursor = PositionsCursor::new(log);
    std::iter::from_fn(|| cursor.next_row(log)).count()
}
