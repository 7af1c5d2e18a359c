//! The portfolio and its positions at the end of each session, for libraries that count in days.
//!
//! Both are read off the tables of a run, just made or loaded from its folder. The positions table
//! has a row only where a position changed, so their values in between come from the prices, which
//! are walked once more.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, TimestampNanosecondType};

use super::arrays::{dictionary, float_field, floats, key, text_field, texts, time_field, times};
use crate::base::calendar::SessionDays;
use crate::base::{Calendar, Date, Error, Result, Symbols};
use crate::feed::ChunkSource;

/// The last row of the portfolio table in each session.
///
/// `portfolio` are batches of that table; sessions are those of the calendar, without one UTC days.
///
/// Shape: `session` (`Date32`), `timestamp`, `equity`, `daily_return`.
/// Units: equity in account currency, returns as fractions without money put in or taken out.
/// Missing: `daily_return` is null where the equity before was not positive.
///
/// # Panics
/// When the batches are not of a portfolio table.
#[must_use]
pub fn portfolio_by_session(
    portfolio: &[RecordBatch],
    calendar: Option<Arc<Calendar>>,
) -> RecordBatch {
    let mut days = SessionDays::new(calendar);
    let mut last: Option<Ended> = None;
    let mut ended: Vec<Ended> = Vec::new();
    for batch in portfolio {
        let stamps = column(batch, "timestamp").as_primitive::<TimestampNanosecondType>();
        let (equity, returns) = (numbers(batch, "equity"), numbers(batch, "daily_return"));
        for row in 0..batch.num_rows() {
            let session = days.date(stamps.value(row));
            ended.extend(last.take_if(|last| last.session != session));
            let daily_return = returns[row];
            let timestamp = stamps.value(row);
            last = Some(Ended { session, timestamp, equity: equity[row], daily_return });
        }
    }
    ended.extend(last);
    let fields = vec![
        Field::new("session", DataType::Date32, false),
        time_field("timestamp"),
        float_field("equity"),
        float_field("daily_return"),
    ];
    batch_of(
        fields,
        vec![
            dates(ended.iter().map(|row| row.session)),
            times(ended.iter().map(|row| row.timestamp).collect()),
            floats(ended.iter().map(|row| row.equity).collect()),
            floats(ended.iter().map(|row| row.daily_return).collect()),
        ],
    )
}

/// A session's last row of the portfolio.
#[derive(Debug, Clone, Copy)]
struct Ended {
    session: Date,
    timestamp: i64,
    equity: f64,
    daily_return: f64,
}

/// The positions held at the end of each session, at their marks.
///
/// `positions` are batches of the positions table, `feed` is that of the run and `until` the last
/// timestamp of the run. A mark is the last known close; where a split falls on a day without a
/// row, the mark follows the units.
///
/// Shape: `session` (`Date32`), `symbol`, `quantity`, `mark`, `value`; by session and symbol.
/// Units: value in account currency (quantity x mark x multiplier); negative for shorts.
///
/// # Errors
/// `TW-C472` when the feed lacks a symbol that was held; what reading the feed finds.
///
/// # Panics
/// When the batches are not of a positions table.
pub fn holdings_by_session(
    positions: &[RecordBatch],
    feed: &mut dyn ChunkSource,
    until: i64,
) -> Result<RecordBatch> {
    let symbols = feed.symbols();
    let changes = changes(positions, &symbols)?;
    let mut held = vec![Held::NONE; symbols.len()];
    let mut found = Found::default();
    let mut days = SessionDays::new(feed.calendar());
    let mut session: Option<Date> = None;
    let mut next = 0;
    'walk: while let Some(chunk) = feed.next_chunk()? {
        for (t, &now) in chunk.timestamps.iter().enumerate() {
            if now > until {
                break 'walk;
            }
            let date = days.date(now);
            if let Some(over) = session.filter(|over| *over != date) {
                found.push(over, &held);
            }
            session = Some(date);
            for row in chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize {
                let position = &mut held[chunk.assets[row] as usize];
                position.seen = now;
                if chunk.close[row].is_finite() {
                    position.mark = chunk.close[row];
                }
            }
            while let Some(change) = changes.get(next).filter(|change| change.timestamp <= now) {
                held[change.asset].apply(change, now);
                next += 1;
            }
        }
    }
    if let Some(over) = session {
        found.push(over, &held);
    }
    let names = dictionary(symbols.iter());
    let fields = vec![
        Field::new("session", DataType::Date32, false),
        text_field("symbol"),
        float_field("quantity"),
        float_field("mark"),
        float_field("value"),
    ];
    let columns = vec![
        dates(found.sessions.iter().copied()),
        texts(found.symbols, &names),
        floats(found.quantities),
        floats(found.marks),
        floats(found.values),
    ];
    Ok(batch_of(fields, columns))
}

/// A row of the positions table.
#[derive(Debug, Clone, Copy)]
struct Change {
    timestamp: i64,
    asset: usize,
    quantity: f64,
    mark: f64,
    value: f64,
}

/// A position as it stands, with the last close of its symbol.
#[derive(Debug, Clone, Copy)]
struct Held {
    quantity: f64,
    mark: f64,
    multiplier: f64,
    /// The last timestamp at which the symbol had a row.
    seen: i64,
}

impl Held {
    const NONE: Self = Self { quantity: 0.0, mark: f64::NAN, multiplier: 1.0, seen: i64::MIN };

    fn apply(&mut self, change: &Change, now: i64) {
        if self.seen != now {
            // Without a row nothing was traded: the units were restated, and the mark with them.
            let is_split = self.quantity != 0.0 && change.quantity != 0.0;
            self.mark =
                if is_split { self.mark * self.quantity / change.quantity } else { change.mark };
        }
        let notional = change.quantity * change.mark;
        self.multiplier = if notional == 0.0 { 1.0 } else { change.value / notional };
        self.quantity = change.quantity;
    }
}

/// Columns of the answer.
#[derive(Debug, Default)]
struct Found {
    sessions: Vec<Date>,
    symbols: Vec<i32>,
    quantities: Vec<f64>,
    marks: Vec<f64>,
    values: Vec<f64>,
}

impl Found {
    fn push(&mut self, session: Date, held: &[Held]) {
        for (asset, position) in held.iter().enumerate().filter(|(_, p)| p.quantity != 0.0) {
            self.sessions.push(session);
            self.symbols.push(key(u32::try_from(asset).expect("ids are u32")));
            self.quantities.push(position.quantity);
            self.marks.push(position.mark);
            self.values.push(position.quantity * position.mark * position.multiplier);
        }
    }
}

/// The changes in time order; rows of what is held at the end change nothing.
fn changes(positions: &[RecordBatch], symbols: &Symbols) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for batch in positions {
        let stamps = column(batch, "timestamp").as_primitive::<TimestampNanosecondType>();
        let (names, statuses) = (words(batch, "symbol"), words(batch, "status"));
        let (quantities, marks) = (numbers(batch, "quantity"), numbers(batch, "mark"));
        let values = numbers(batch, "value");
        for row in 0..batch.num_rows() {
            if statuses.as_string::<i32>().value(row) == "open" {
                continue;
            }
            let name = names.as_string::<i32>().value(row);
            let asset = symbols.id(name).ok_or_else(|| {
                Error::config("C472", format!("the run held {name}, which the feed does not have"))
                    .with_hint("give the feed of the run")
            })?;
            changes.push(Change {
                timestamp: stamps.value(row),
                asset: asset.index(),
                quantity: quantities[row],
                mark: marks[row],
                value: values[row],
            });
        }
    }
    Ok(changes)
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    batch.column_by_name(name).expect("Invariant: the tables have fixed columns")
}

fn words(batch: &RecordBatch, name: &str) -> ArrayRef {
    cast(column(batch, name), &DataType::Utf8).expect("Invariant: a column of texts")
}

/// Numbers with NaN for null.
fn numbers(batch: &RecordBatch, name: &str) -> Vec<f64> {
    let values = column(batch, name).as_primitive::<Float64Type>();
    values.iter().map(|value| value.unwrap_or(f64::NAN)).collect()
}

fn dates(sessions: impl Iterator<Item = Date>) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(sessions.map(|date| date.0)))
}

fn batch_of(fields: Vec<Field>, columns: Vec<ArrayRef>) -> RecordBatch {
    let schema = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, columns).expect("Invariant: one array a field, of equal length")
}
