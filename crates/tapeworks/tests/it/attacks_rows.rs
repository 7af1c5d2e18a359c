//! Look-ahead attacks on what bars are known at (P9): minutes put together, starts, weeks.
//!
//! The world is one of minutes. What follows a cut is removed, multiplied, reversed or replaced by
//! noise, tables are made of it anew, and nothing that a feed shows up to the cut may change by a
//! bit. The same cuts find tables that are read with the wrong end of their bars.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, RecordBatch, RecordBatchIterator, StringArray, TimestampNanosecondArray,
};
use tapeworks::base::calendar::Session;
use tapeworks::base::{Calendar, Date, Step};
use tapeworks::data::{Label, Source};
use tapeworks::feed::{ChunkSource, DataFeed};

const MINUTE_NS: i64 = 60_000_000_000;
const HALF_HOUR: Step = Step::Span(30 * MINUTE_NS);
const SYMBOLS: [&str; 2] = ["AAA", "BBB"];

/// End of the minute, symbol, close.
type Minute = (i64, usize, f64);

/// How a feed is made of a world.
type Maker<'a> = &'a dyn Fn(&[Minute]) -> DataFeed;

/// A bar of a table: stamp, symbol, open, high, low, close.
type Row = (i64, usize, [f64; 4]);

fn noise(seed: u64) -> f64 {
    let mixed = (seed ^ 0x9e37_79b9).wrapping_mul(6_364_136_223_846_793_005).rotate_left(17);
    let mixed = mixed.wrapping_mul(1_442_695_040_888_963_407);
    f64::from(u32::try_from(mixed >> 33).expect("31 bits")) / 2_147_483_648.0
}

fn sessions() -> Vec<Session> {
    let calendar = Calendar::named("XNYS").expect("built in");
    let date = |text| Date::parse(text).expect("a date");
    calendar.sessions(date("2024-11-18"), date("2024-12-07")).expect("in the span").to_vec()
}

/// Every fifth minute of three weeks, among them a short one with a half day.
fn world() -> Vec<Minute> {
    let mut minutes = Vec::new();
    for session in sessions() {
        let n = (session.close.0 - session.open.0) / (5 * MINUTE_NS);
        for k in 1..=n {
            let end = session.open.0 + k * 5 * MINUTE_NS;
            for symbol in 0..SYMBOLS.len() {
                let seed = u64::try_from(end).expect("after 1970") + symbol as u64;
                minutes.push((end, symbol, 50.0 + 10.0 * noise(seed)));
            }
        }
    }
    minutes
}

/// The same past with other futures.
fn futures(world: &[Minute], cut: i64) -> Vec<(&'static str, Vec<Minute>)> {
    let n = world.partition_point(|row| row.0 <= cut);
    let change = |how: &dyn Fn(usize, f64) -> f64| -> Vec<Minute> {
        let new = |(i, row): (usize, &Minute)| {
            if i < n { *row } else { (row.0, row.1, how(i, row.2)) }
        };
        world.iter().enumerate().map(new).collect()
    };
    let last = world.len() - 1;
    vec![
        ("no", world[..n].to_vec()),
        ("large", change(&|_, close| close * 1_000.0)),
        ("backward", change(&|i, _| world[last - (i - n)].2)),
        ("random", change(&|i, _| 1.0 + 99.0 * noise(i as u64))),
    ]
}

/// The rows of each minute as they are.
fn as_minutes(world: &[Minute]) -> Vec<Row> {
    world.iter().map(|&(end, symbol, close)| (end, symbol, [close; 4])).collect()
}

/// Bars of the rows that share a key, stamped with it.
fn grouped(world: &[Minute], stamp: impl Fn(i64) -> i64) -> Vec<Row> {
    let mut bars: BTreeMap<(i64, usize), [f64; 4]> = BTreeMap::new();
    for &(end, symbol, close) in world {
        let bar = bars.entry((stamp(end), symbol)).or_insert([close; 4]);
        *bar = [bar[0], bar[1].max(close), bar[2].min(close), close];
    }
    bars.into_iter().map(|((stamp, symbol), prices)| (stamp, symbol, prices)).collect()
}

fn session_of(end: i64) -> Session {
    *sessions().iter().find(|s| s.open.0 < end && end <= s.close.0).expect("a session")
}

/// Half hours, stamped with their start.
fn as_half_hours(world: &[Minute]) -> Vec<Row> {
    grouped(world, |end| {
        let open = session_of(end).open.0;
        open + (end - 1 - open) / (30 * MINUTE_NS) * (30 * MINUTE_NS)
    })
}

/// Weeks, stamped with the midnight (UTC) of their Monday.
fn as_weeks(world: &[Minute]) -> Vec<Row> {
    let utc = jiff::tz::TimeZone::UTC;
    grouped(world, |end| {
        let date = session_of(end).date;
        Date(date.0 - i32::try_from(date.weekday()).expect("below 7")).start(&utc).0
    })
}

fn feed(rows: &[Row], label: Label, step: Option<Step>) -> DataFeed {
    let at = TimestampNanosecondArray::from_iter_values(rows.iter().map(|row| row.0));
    let names = StringArray::from_iter_values(rows.iter().map(|row| SYMBOLS[row.1]));
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![("timestamp", Arc::new(at.with_timezone("UTC"))), ("symbol", Arc::new(names))];
    for (c, name) in ["open", "high", "low", "close"].into_iter().enumerate() {
        let prices = Float64Array::from_iter_values(rows.iter().map(|row| row.2[c]));
        columns.push((name, Arc::new(prices)));
    }
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let schema = batch.schema();
    let reader = RecordBatchIterator::new([Ok(batch)], schema);
    let mut feed = DataFeed::new(Source::Arrow(Box::new(reader)));
    feed.read.calendar = Some(Calendar::named("XNYS").expect("built in"));
    feed.read.label = label;
    feed.read.step = step;
    feed
}

/// What a feed shows up to an instant, to the bit.
fn shown(feed: DataFeed, until: i64) -> Vec<String> {
    let mut open = feed.open().expect("the table opens");
    let mut lines = Vec::new();
    while let Some(chunk) = open.next_chunk().expect("the rows are in order") {
        for (t, &now) in chunk.timestamps.iter().enumerate().take_while(|(_, t)| **t <= until) {
            for i in chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize {
                let prices = [&chunk.open, &chunk.high, &chunk.low, &chunk.close];
                let bits = prices.map(|column| column[i].to_bits());
                lines.push(format!("{now} {} {bits:?}", chunk.assets[i]));
            }
        }
    }
    lines
}

/// How many cuts find a future in the past, and how many lines were compared.
fn leaks(make: Maker<'_>) -> (usize, usize) {
    let world = world();
    let ends: Vec<i64> = world.iter().map(|row| row.0).collect();
    let (mut n_found, mut n_lines) = (0, 0);
    // From the second week on, every 37th row: on borders and inside of bars.
    for &cut in ends[700..].iter().step_by(37) {
        let want = shown(make(&world), cut);
        n_lines += want.len();
        let differs = |other: &Vec<Minute>| shown(make(other), cut) != want;
        n_found += usize::from(futures(&world, cut).iter().any(|(_, other)| differs(other)));
    }
    (n_found, n_lines)
}

#[test]
fn bars_when_read_with_their_ends_then_no_future_is_in_the_past() {
    let resampled = |step: Step| {
        move |world: &[Minute]| {
            let mut feed = feed(&as_minutes(world), Label::Auto, None);
            feed.resample = Some(step);
            feed
        }
    };
    let starts = |world: &[Minute]| feed(&as_half_hours(world), Label::Start, Some(HALF_HOUR));
    let weeks = |label| move |world: &[Minute]| feed(&as_weeks(world), label, Some(Step::Week));
    let cases: [(&str, Maker<'_>); 6] = [
        ("half hours of minutes", &resampled(HALF_HOUR)),
        ("days of minutes", &resampled(Step::Day)),
        ("weeks of minutes", &resampled(Step::Week)),
        ("half hours by their start", &starts),
        ("weeks by their Monday", &weeks(Label::Auto)),
        ("weeks by their Monday, said", &weeks(Label::Start)),
    ];
    for (name, make) in cases {
        let (n_found, n_lines) = leaks(make);
        assert_eq!(n_found, 0, "{name}");
        assert!(n_lines > 0, "{name}: nothing was compared");
    }
}

/// The same tables with the wrong end of their bars: the cuts see each.
#[test]
fn bars_when_read_with_the_wrong_end_then_some_cut_finds_the_future() {
    let ends = |world: &[Minute]| feed(&as_half_hours(world), Label::End, None);
    let weeks = |world: &[Minute]| feed(&as_weeks(world), Label::End, None);
    let days = |world: &[Minute]| {
        // Weeks taken for days: known at the close of their Monday.
        let step = Some(Step::Day);
        let mut rows = as_weeks(world);
        rows.truncate(2 * SYMBOLS.len());
        feed(&rows, Label::Auto, step)
    };
    let cases: [(&str, Maker<'_>); 3] =
        [("starts as ends", &ends), ("Mondays as instants", &weeks), ("weeks as days", &days)];
    for (name, make) in cases {
        assert!(leaks(make).0 > 0, "{name} went unseen");
    }
    // A step that is too short is refused at the door.
    let short = feed(&as_half_hours(&world()), Label::Start, Some(Step::Span(MINUTE_NS)));
    assert_eq!(short.open().expect_err("30 minutes, said to be 1").code(), "D309");
}
