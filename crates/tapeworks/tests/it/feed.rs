//! Room `feed`: joins as of a time, independence of chunks, the decoding thread.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use proptest::prelude::*;
use tapeworks::base::time::DAY_NS;
use tapeworks::base::{Error, ErrorKind, Result, Symbols, Timestamp};
use tapeworks::data::{
    BarBatch, BarReader, CheckReport, ContextTable, ReadOptions, SignalTable, Source, open_bars,
    read_context, read_signals,
};
use tapeworks::feed::open_feed::FeedTables;
use tapeworks::feed::{
    Availability, ChunkLimit, ChunkSource, DataFeed, Layout, MarketChunk, MemoryFeed, OpenFeed,
};

use crate::random::draws;

/// One market row: timestamp, asset, close, one extra value.
type Row = (i64, u32, f64, f64);

/// A reader over rows in memory that fails, panics or ends as told.
struct Rows {
    symbols: Arc<Symbols>,
    extras: Vec<String>,
    batches: std::vec::IntoIter<BarBatch>,
    after: After,
    dropped: Option<Sender<()>>,
}

#[derive(Clone, Copy)]
enum After {
    End,
    Fail,
    Panic,
}

impl BarReader for Rows {
    fn symbols(&self) -> Arc<Symbols> {
        Arc::clone(&self.symbols)
    }

    fn extras(&self) -> &[String] {
        &self.extras
    }

    fn next_batch(&mut self) -> Result<Option<BarBatch>> {
        match (self.batches.next(), self.after) {
            (Some(batch), _) => Ok(Some(batch)),
            (None, After::End) => Ok(None),
            (None, After::Fail) => Err(Error::data("D102", "row group 7 is cut short")),
            (None, After::Panic) => panic!("index 7 out of range"),
        }
    }

    fn report(&self) -> CheckReport {
        CheckReport { table: "bars".into(), ..CheckReport::default() }
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        if let Some(dropped) = self.dropped.take() {
            let _ = dropped.send(());
        }
    }
}

fn batch(rows: &[Row]) -> BarBatch {
    let prices: Vec<f64> = rows.iter().map(|row| row.2).collect();
    BarBatch {
        timestamps: rows.iter().map(|row| row.0).collect(),
        assets: rows.iter().map(|row| row.1).collect(),
        open: prices.iter().map(|price| price - 0.25).collect(),
        high: prices.iter().map(|price| price + 1.0).collect(),
        low: prices.iter().map(|price| price - 1.0).collect(),
        close: prices,
        volume: rows.iter().map(|row| f64::from(row.1) + 100.0).collect(),
        extras: vec![rows.iter().map(|row| row.3).collect()],
        ..BarBatch::default()
    }
}

/// Batches of about `batch_rows` rows that end where a timestamp does.
fn batches(rows: &[Row], batch_rows: usize) -> Vec<BarBatch> {
    let mut out = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let mut at = batch_rows.min(rest.len());
        while at < rest.len() && rest[at].0 == rest[at - 1].0 {
            at += 1;
        }
        let (head, tail) = rest.split_at(at);
        out.push(batch(head));
        rest = tail;
    }
    out
}

fn names(n: u32) -> Arc<Symbols> {
    Arc::new(Symbols::new((0..n).map(|id| format!("S{id:03}"))))
}

fn reader(rows: &[Row], n_symbols: u32, batch_rows: usize) -> Rows {
    Rows {
        symbols: names(n_symbols),
        extras: vec!["atr".into()],
        batches: batches(rows, batch_rows).into_iter(),
        after: After::End,
        dropped: None,
    }
}

fn tables(bars: Rows, signals: Option<SignalTable>, context: Option<ContextTable>) -> FeedTables {
    FeedTables { bars: Box::new(bars), signals, context }
}

/// A signals table with one column from (timestamp, asset, value) rows in order.
fn signals(rows: &[(i64, u32, f64)]) -> SignalTable {
    SignalTable {
        names: vec!["score".into()],
        timestamps: rows.iter().map(|row| row.0).collect(),
        assets: rows.iter().map(|row| row.1).collect(),
        columns: vec![rows.iter().map(|row| row.2).collect()],
        ..SignalTable::default()
    }
}

fn context(rows: &[(i64, f64)]) -> ContextTable {
    ContextTable {
        names: vec!["vix".into()],
        timestamps: rows.iter().map(|row| row.0).collect(),
        columns: vec![rows.iter().map(|row| row.1).collect()],
        ..ContextTable::default()
    }
}

/// Everything a feed says about each row: (timestamp, asset, open, close, volume, signals..,
/// context).
type Told = (i64, u32, [u64; 6]);

fn told(feed: &mut dyn ChunkSource) -> Vec<Told> {
    let layout = feed.layout();
    assert_eq!(layout.signals, ["atr", "score"]);
    let mut out = Vec::new();
    while let Some(chunk) = feed.next_chunk().expect("a clean feed") {
        assert_eq!(chunk.offsets.first(), Some(&0));
        assert_eq!(chunk.offsets.last().map(|&n| n as usize), Some(chunk.n_rows()));
        for (t, &now) in chunk.timestamps.iter().enumerate() {
            for row in chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize {
                let values = [
                    chunk.open[row],
                    chunk.close[row],
                    chunk.volume[row],
                    chunk.signals[0][row],
                    chunk.signals[1][row],
                    chunk.context[0][t],
                ];
                out.push((now, chunk.assets[row], values.map(f64::to_bits)));
            }
        }
    }
    out
}

/// Random market rows, signal rows and context rows on a small grid of times, so that ties occur.
fn random_tables() -> impl Strategy<Value = (Vec<Row>, SignalTable, ContextTable)> {
    let value = prop_oneof![4 => -5.0..5.0f64, 1 => Just(f64::NAN)];
    let market =
        prop::collection::btree_map((0..40i64, 0..5u32), (1.0..9.0f64, -1.0..1.0f64), 1..90);
    let signal = prop::collection::btree_map((-5..45i64, 0..5u32), value.clone(), 0..60);
    let series = prop::collection::btree_map(-5..45i64, value, 0..20);
    (market, signal, series).prop_map(|(market, signal, series)| {
        let rows =
            market.into_iter().map(|((t, a), (close, extra))| (t, a, close, extra)).collect();
        let signal: Vec<_> = signal.into_iter().map(|((t, a), v)| (t, a, v)).collect();
        let series: Vec<_> = series.into_iter().collect();
        (rows, signals(&signal), context(&series))
    })
}

/// The twin: for one row, look at the whole table.
fn newest(table: &SignalTable, now: i64, asset: u32, staleness_ns: Option<i64>) -> (f64, [u64; 2]) {
    let seen = (0..table.timestamps.len())
        .filter(|&row| table.assets[row] == asset && table.timestamps[row] <= now)
        .max_by_key(|&row| table.timestamps[row]);
    match seen {
        None => (f64::NAN, [1, 0]),
        Some(row) if staleness_ns.is_some_and(|limit| now - table.timestamps[row] > limit) => {
            (f64::NAN, [0, 1])
        }
        Some(row) => (table.columns[0][row], [0, 0]),
    }
}

proptest! {
    #![proptest_config(draws(256))]

    #[test]
    fn joins_when_tables_are_random_then_equal_to_the_quadratic_twin(
        (rows, signal, series) in random_tables(),
        staleness_ns in prop::option::of(0..12i64),
    ) {
        let bars = reader(&rows, 5, 16);
        let all = tables(bars, Some(signal.clone()), Some(series.clone()));
        let mut feed = OpenFeed::from_tables(all, staleness_ns, None).expect("columns differ");
        let got = told(&mut feed);
        prop_assert_eq!(got.len(), rows.len());
        let mut missing = [0; 2];
        for (&(now, asset, close, extra), got) in rows.iter().zip(&got) {
            let (score, why) = newest(&signal, now, asset, staleness_ns);
            missing = [missing[0] + why[0], missing[1] + why[1]];
            let vix = (0..series.timestamps.len())
                .filter(|&row| series.timestamps[row] <= now)
                .max_by_key(|&row| series.timestamps[row])
                .map_or(f64::NAN, |row| series.columns[0][row]);
            let volume = f64::from(asset) + 100.0;
            let want = [close - 0.25, close, volume, extra, score, vix].map(f64::to_bits);
            prop_assert_eq!(*got, (now, asset, want));
        }
        let counts = feed.join_counts().expect("a signals table was joined");
        prop_assert_eq!([counts.n_not_yet, counts.n_stale], missing);
        prop_assert_eq!(counts.n_rows, rows.len() as u64);
    }

    #[test]
    fn chunks_when_cut_in_any_way_then_the_rows_are_the_same(
        (rows, signal, series) in random_tables(),
    ) {
        let run = |batch_rows: usize, limit: Option<ChunkLimit>| {
            let bars = reader(&rows, 5, batch_rows);
            let all = tables(bars, Some(signal.clone()), Some(series.clone()));
            told(&mut OpenFeed::from_tables(all, Some(7), limit).expect("columns differ"))
        };
        let whole = run(usize::MAX, None);
        for batch_rows in [1, 7, 4096] {
            prop_assert_eq!(&run(batch_rows, None), &whole);
            for limit in [ChunkLimit::Rows(1), ChunkLimit::Rows(7), ChunkLimit::Days(1)] {
                prop_assert_eq!(&run(batch_rows, Some(limit)), &whole);
            }
        }
    }

    #[test]
    fn symbols_when_a_subset_is_fed_then_its_rows_are_the_same(
        (rows, signal, series) in random_tables(),
    ) {
        let run = |rows: &[Row]| {
            let all = tables(reader(rows, 5, 16), Some(signal.clone()), Some(series.clone()));
            told(&mut OpenFeed::from_tables(all, Some(7), None).expect("columns differ"))
        };
        let keep = |asset: u32| asset == 1 || asset == 3;
        let mut whole = run(&rows);
        whole.retain(|row| keep(row.1));
        let subset: Vec<Row> = rows.iter().copied().filter(|row| keep(row.1)).collect();
        prop_assert_eq!(run(&subset), whole);
    }
}

/// Hand case: a row at T sees stamps up to T itself, a hole in the newest row stays a hole, and an
/// age equal to the limit is not stale.
#[test]
fn signals_when_stamps_touch_the_decision_then_equal_is_seen_and_later_is_not() {
    let rows: Vec<Row> = (1..=6).map(|t| (t * 10, 0, 5.0, 0.0)).collect();
    let signal = signals(&[(20, 0, 1.5), (31, 0, 2.5), (41, 0, f64::NAN)]);
    let all = tables(reader(&rows, 1, 100), Some(signal), None);
    let mut feed = OpenFeed::from_tables(all, Some(10), None).expect("opens");
    let chunk = feed.next_chunk().expect("clean").expect("one chunk");
    // T = 10: nothing yet. 20: equal stamp. 30: age 10 = limit. 40: the row of 31. 50: the hole of
    // 41, no hunting for 31. 60: age 19 is stale.
    let score: Vec<_> = chunk.signals[1].iter().map(|v| v.to_bits()).collect();
    let nan = f64::NAN;
    assert_eq!(score, [nan, 1.5, 1.5, 2.5, nan, nan].map(f64::to_bits));
    assert!(feed.next_chunk().expect("clean").is_none());
    let counts = feed.join_counts().expect("joined");
    assert_eq!((counts.n_rows, counts.n_not_yet, counts.n_stale), (6, 1, 1));
    let report = feed.report();
    let note = report.findings.iter().find(|finding| finding.code == "D604").expect("a note");
    assert_eq!((note.count, report.ok()), (2, true));
}

/// 2.5 days of hourly rows: chunks of a day end at midnight UTC, those of a month do not cut.
#[test]
fn chunk_limit_when_days_then_no_chunk_crosses_midnight() {
    let rows: Vec<Row> = (0..60).map(|hour| (hour * DAY_NS / 24, 0, 5.0, 0.0)).collect();
    let lengths = |limit: &str| {
        let limit = ChunkLimit::parse(limit).expect("a length");
        let all = tables(reader(&rows, 1, 1000), None, None);
        let mut feed = OpenFeed::from_tables(all, None, Some(limit)).expect("opens");
        let mut lengths = Vec::new();
        while let Some(chunk) = feed.next_chunk().expect("clean") {
            lengths.push(chunk.n_rows());
        }
        lengths
    };
    assert_eq!(lengths("1d"), [24, 24, 12]);
    assert_eq!(lengths("1mo"), [60]);
    assert_eq!(lengths("25"), [25, 25, 10]);
}

#[test]
fn feed_when_dropped_midway_then_the_thread_ends() {
    let rows: Vec<Row> = (0..1000).map(|t| (t, 0, 5.0, 0.0)).collect();
    for n_taken in [0, 1, 5] {
        let (sender, receiver) = channel();
        let mut bars = reader(&rows, 1, 1);
        bars.dropped = Some(sender);
        let mut feed = OpenFeed::from_tables(tables(bars, None, None), None, None).expect("opens");
        for _ in 0..n_taken {
            assert!(feed.next_chunk().expect("clean").is_some());
        }
        drop(feed);
        // The reader lives on the thread: its drop is the thread's end.
        receiver.recv_timeout(Duration::from_secs(20)).expect("the thread ends by itself");
    }
}

#[test]
fn feed_when_decoding_fails_or_panics_then_the_error_comes_through_and_stays() {
    let rows: Vec<Row> = (0..3).map(|t| (t, 0, 5.0, 0.0)).collect();
    for (after, words) in
        [(After::Fail, "row group 7 is cut short"), (After::Panic, "index 7 out of range")]
    {
        let mut bars = reader(&rows, 1, 1);
        bars.after = after;
        let mut feed = OpenFeed::from_tables(tables(bars, None, None), None, None).expect("opens");
        for _ in 0..3 {
            assert!(feed.next_chunk().expect("good rows come first").is_some());
        }
        for _ in 0..2 {
            let error = feed.next_chunk().expect_err("the bad batch");
            assert_eq!(error.kind(), ErrorKind::Data);
            assert!(error.message().contains(words), "{error}");
        }
    }
}

/// A reader that breaks its promise of order is caught at the door, not simulated.
#[test]
fn feed_when_rows_are_out_of_order_then_error() {
    let cases: [&[Row]; 2] =
        [&[(2, 0, 5.0, 0.0), (1, 0, 5.0, 0.0)], &[(1, 1, 5.0, 0.0), (1, 0, 5.0, 0.0)]];
    for rows in cases {
        let mut bars = reader(&[], 2, 1);
        bars.batches = vec![batch(rows)].into_iter();
        let mut feed = OpenFeed::from_tables(tables(bars, None, None), None, None).expect("opens");
        assert!(feed.next_chunk().expect_err("out of order").message().contains("ascend"));
    }
}

#[test]
fn columns_when_asset_data_and_signals_share_one_then_error_names_it() {
    let mut table = signals(&[(0, 0, 1.0)]);
    for shared in ["atr", "close"] {
        table.names = vec![shared.into()];
        let all = tables(reader(&[(1, 0, 5.0, 0.0)], 1, 1), Some(table.clone()), None);
        let error = OpenFeed::from_tables(all, None, None).expect_err("two columns of one name");
        assert_eq!(error.code(), "D601");
        assert!(error.message().contains(shared), "{error}");
    }
}

#[test]
fn memory_feed_when_rewound_then_the_same_chunks_uncopied() {
    let rows: Vec<Row> = (0..10).map(|t| (t, 0, 5.0, 0.0)).collect();
    let all = tables(reader(&rows, 1, 4), None, None);
    let feed = OpenFeed::from_tables(all, None, None).expect("opens");
    let mut memory = feed.into_memory().expect("clean");
    assert_eq!(memory.n_rows(), 10);
    let walk = |memory: &mut MemoryFeed| -> Vec<*const MarketChunk> {
        std::iter::from_fn(|| memory.next_chunk().expect("in memory"))
            .map(|chunk| Arc::as_ptr(&chunk))
            .collect()
    };
    let first = walk(&mut memory);
    assert_eq!(first.len(), 3);
    assert!(walk(&mut memory).is_empty());
    memory.rewind();
    assert_eq!(walk(&mut memory), first);
}

#[test]
fn availability_when_a_mode_needs_a_calendar_then_config_error_says_so() {
    for mode in ["market_open", "market_close", "next_day"] {
        let feed = DataFeed {
            signal_available_at: Availability::parse(mode).expect("a mode"),
            ..sample_feed()
        };
        let error = feed.open().expect_err(mode);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains("calendar"), "{error}");
    }
    let error = Availability::parse("market_opn").expect_err("unknown");
    assert_eq!(error.hint(), Some("did you mean \"market_open\""));
}

fn sample(name: &str) -> Source {
    Source::Path(format!("{}/sample/{name}.parquet", env!("CARGO_MANIFEST_DIR")))
}

fn sample_feed() -> DataFeed {
    DataFeed {
        signals: Some(sample("signals")),
        context: Some(sample("context")),
        ..DataFeed::new(sample("bars"))
    }
}

/// Timestamp, asset, close, score and vix of every row.
fn sample_rows(feed: DataFeed) -> Vec<(i64, u32, [u64; 3])> {
    let mut feed = feed.open().expect("the sample opens");
    let mut out = Vec::new();
    while let Some(chunk) = feed.next_chunk().expect("the sample is clean") {
        for (t, &now) in chunk.timestamps.iter().enumerate() {
            for row in chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize {
                let values = [chunk.close[row], chunk.signals[0][row], chunk.context[0][t]];
                out.push((now, chunk.assets[row], values.map(f64::to_bits)));
            }
        }
    }
    assert!(feed.report().ok(), "{}", feed.report());
    out
}

/// The real sample against tables read one by one and joined by looking at all of them; a start in
/// the middle still sees the newest signal and context row from before it.
#[test]
fn data_feed_when_the_sample_is_read_then_equal_to_tables_joined_by_hand() {
    let options = ReadOptions::default();
    let mut bars = open_bars(sample("bars"), &options).expect("bars");
    let (signal, _) = read_signals(sample("signals"), &bars.symbols(), &options).expect("signals");
    let (series, _) = read_context(sample("context"), &options).expect("context");
    let mut want = Vec::new();
    while let Some(batch) = bars.next_batch().expect("clean") {
        for row in 0..batch.timestamps.len() {
            let (now, asset) = (batch.timestamps[row], batch.assets[row]);
            // Tables are in order: the last row that is early enough is the newest one.
            let until = signal.timestamps.partition_point(|&known| known <= now);
            let score = (0..until).rev().find(|&at| signal.assets[at] == asset);
            let score = score.map_or(f64::NAN, |at| signal.columns[0][at]);
            let until = series.timestamps.partition_point(|&known| known <= now);
            let vix = until.checked_sub(1).map_or(f64::NAN, |at| series.columns[0][at]);
            want.push((now, asset, [batch.close[row], score, vix].map(f64::to_bits)));
        }
    }
    assert_eq!(want.len(), 12_154, "the sample's README counts its rows");
    assert_eq!(sample_rows(sample_feed()), want);

    let utc = jiff::tz::TimeZone::UTC;
    // On this day the index has no row: it must see the one of the day before, which lies outside
    // the range of the run.
    let start = Timestamp::parse("2006-05-04", &utc).expect("a date");
    let end = Timestamp::parse("2007-06-01", &utc).expect("a date");
    let mut feed = sample_feed();
    feed.read.start = Some(start);
    feed.read.end = Some(end);
    feed.chunk = Some(ChunkLimit::Months(1));
    want.retain(|row| (start.0..end.0).contains(&row.0));
    assert!(want.len() > 1_000);
    assert!(!f64::from_bits(want[0].2[2]).is_nan());
    assert_eq!(sample_rows(feed), want);
}

/// Roles: with no list every column is a signal; a list of one role leaves the rest to the other.
#[test]
fn data_feed_when_columns_are_named_then_each_has_its_role() {
    let columns = |names: &[&str]| Some(names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>());
    let layout = |feed: DataFeed| feed.open().map(|feed| Layout::clone(&feed.layout()));
    let plain = layout(sample_feed()).expect("opens");
    assert_eq!((plain.signals, plain.context), (vec!["score".into()], vec!["vix".into()]));
    let indicator = DataFeed { indicator_columns: columns(&["score"]), ..sample_feed() };
    let indicator = layout(indicator).expect("opens");
    assert_eq!((indicator.signals, indicator.indicators), (vec![], vec!["score".to_owned()]));
    let none = DataFeed {
        signal_columns: columns(&[]),
        indicator_columns: columns(&[]),
        context_columns: columns(&[]),
        ..sample_feed()
    };
    assert_eq!(layout(none).expect("opens"), Layout::default());
    let wrong = DataFeed { signal_columns: columns(&["scores"]), ..sample_feed() };
    let error = layout(wrong).expect_err("no such column");
    assert_eq!((error.code(), error.hint()), ("D601", Some("did you mean \"score\"")));
    let twice = DataFeed {
        signal_columns: columns(&["score"]),
        indicator_columns: columns(&["score"]),
        ..sample_feed()
    };
    assert_eq!(layout(twice).expect_err("two roles").code(), "C301");
}
