//! Room `feed`: when rows of signals and context are known, on a calendar and without one.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, RecordBatch, RecordBatchIterator, StringArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::Schema;
use jiff::tz::TimeZone;
use tapeworks::base::{Calendar, Date, Error, ErrorKind, Timestamp};
use tapeworks::data::{Ambiguous, Label, Source};
use tapeworks::feed::{Availability, ChunkSource, DataFeed, Lag, SignalFill};

const PRICES: [&str; 5] = ["open", "high", "low", "close", "volume"];

/// How a stamp column is stored.
#[derive(Clone, Copy, PartialEq)]
enum Stored {
    Dates,
    /// Times with the zone UTC.
    Utc,
    /// Times on a wall clock.
    Wall,
}

fn ns(text: &str) -> i64 {
    Timestamp::parse(text, &TimeZone::UTC).expect(text).0
}

fn stamps(stored: Stored, texts: &[&str]) -> ArrayRef {
    let instants = texts.iter().map(|text| ns(text)).collect::<Vec<_>>();
    match stored {
        Stored::Dates => Arc::new(Date32Array::from_iter_values(
            texts.iter().map(|t| Date::parse(t).expect(t).0),
        )),
        Stored::Utc => Arc::new(TimestampNanosecondArray::from(instants).with_timezone("UTC")),
        Stored::Wall => Arc::new(TimestampNanosecondArray::from(instants)),
    }
}

fn source(columns: Vec<(&str, ArrayRef)>) -> Source {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let schema: Arc<Schema> = batch.schema();
    Source::Arrow(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

/// Bars of one symbol.
fn bars(stored: Stored, at: &[&str]) -> Source {
    let n = at.len();
    let mut columns = vec![("timestamp", stamps(stored, at))];
    columns.push(("symbol", Arc::new(StringArray::from(vec!["AAA"; n]))));
    for name in PRICES {
        columns.push((name, Arc::new(Float64Array::from(vec![10.0; n]))));
    }
    source(columns)
}

/// Rows of one symbol: stamp, value; null values are missing.
fn scores(stored: Stored, rows: &[(&str, Option<f64>)], released: Option<&[&str]>) -> Source {
    let at: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let values: Vec<Option<f64>> = rows.iter().map(|row| row.1).collect();
    let mut columns = vec![("date", stamps(stored, &at))];
    columns.push(("symbol", Arc::new(StringArray::from(vec!["AAA"; rows.len()]))));
    columns.push(("score", Arc::new(Float64Array::from(values))));
    if let Some(released) = released {
        columns.push(("available_at", stamps(Stored::Utc, released)));
    }
    source(columns)
}

/// Columns of the market: stamp, value.
fn series(stored: Stored, rows: &[(&str, f64)], released: Option<&[&str]>) -> Source {
    let at: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let values: Vec<f64> = rows.iter().map(|row| row.1).collect();
    let mut columns = vec![("timestamp", stamps(stored, &at))];
    columns.push(("cpi", Arc::new(Float64Array::from(values)) as ArrayRef));
    if let Some(released) = released {
        columns.push(("available_at", stamps(Stored::Utc, released)));
    }
    source(columns)
}

fn on(calendar: &str, mut feed: DataFeed) -> DataFeed {
    feed.read.calendar = Some(Calendar::named(calendar).expect(calendar));
    feed
}

/// Timestamp, signal (if any) and context (if any) of each row, missing as NaN.
fn walked(feed: DataFeed) -> Result<Vec<(String, f64)>, Error> {
    let mut open = feed.open()?;
    let mut rows = Vec::new();
    while let Some(chunk) = open.next_chunk()? {
        let column = chunk.signals.first().or(chunk.context.first());
        for (t, &at) in chunk.timestamps.iter().enumerate() {
            rows.push((Timestamp(at).to_string(), column.map_or(f64::NAN, |column| column[t])));
        }
    }
    Ok(rows)
}

/// The first instant at which a value shows, `"never"` if none.
fn first_seen(feed: DataFeed) -> String {
    let rows = walked(feed).expect("a clean feed");
    let seen = rows.iter().find(|(_, value)| !value.is_nan());
    seen.map_or_else(|| "never".to_owned(), |(at, _)| at.clone())
}

/// The table of the design, with probes a minute before each instant and at it.
#[test]
fn available_at_when_a_mode_and_a_date_then_the_instant_of_the_table() {
    let xnys = [
        ("2024-03-08", "2024-03-08 14:30", "2024-03-08 21:00", "2024-03-11 13:30"),
        ("2024-03-09", "2024-03-11 13:30", "2024-03-10 05:00", "2024-03-11 13:30"),
        ("2024-11-28", "2024-11-29 14:30", "2024-11-29 05:00", "2024-11-29 14:30"),
        ("2024-11-29", "2024-11-29 14:30", "2024-11-29 18:00", "2024-12-02 14:30"),
        ("2024-12-24", "2024-12-24 14:30", "2024-12-24 18:00", "2024-12-26 14:30"),
    ];
    let always = [("2024-03-09", "2024-03-09 00:00", "2024-03-10 00:00", "2024-03-10 00:00")];
    let futures = [("2024-03-11", "2024-03-10 22:00", "2024-03-11 22:00", "2024-03-11 22:00")];
    let tables = [("XNYS", &xnys[..]), ("24/7", &always[..]), ("CMES", &futures[..])];
    for (name, table) in tables {
        for (date, open, close, next) in table {
            for (mode, known) in
                [("market_open", open), ("market_close", close), ("next_day", next)]
            {
                let known = ns(known);
                let minute = 60_000_000_000;
                let texts: Vec<String> = [known - minute, known, known + minute]
                    .map(|at| Timestamp(at).to_string().replace('Z', ""))
                    .to_vec();
                let probes: Vec<&str> = texts.iter().map(String::as_str).collect();
                for stored in [Stored::Dates, Stored::Wall] {
                    let mut feed = on(name, DataFeed::new(bars(Stored::Utc, &probes)));
                    feed.signals = Some(scores(stored, &[(date, Some(1.5))], None));
                    feed.signal_available_at = Availability::parse(mode).expect(mode);
                    let seen = first_seen(feed);
                    assert_eq!(seen, Timestamp(known).to_string(), "{name} {date} {mode}");
                }
            }
        }
    }
}

/// Daily bars are known at their close: the open's signal and the close's are both seen there.
#[test]
fn daily_bars_when_on_a_calendar_then_known_at_the_close() {
    let days = ["2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12"];
    let feed = |mode: &str| {
        let mut feed = on("XNYS", DataFeed::new(bars(Stored::Dates, &days)));
        feed.signals = Some(scores(Stored::Dates, &[("2024-03-08", Some(1.0))], None));
        feed.signal_available_at = Availability::parse(mode).expect(mode);
        feed
    };
    let rows = walked(feed("market_open")).expect("clean");
    let at: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(
        at,
        [
            "2024-03-07 21:00:00Z",
            "2024-03-08 21:00:00Z",
            "2024-03-11 20:00:00Z",
            "2024-03-12 20:00:00Z"
        ]
    );
    assert_eq!(first_seen(feed("market_open")), "2024-03-08 21:00:00Z");
    assert_eq!(first_seen(feed("market_close")), "2024-03-08 21:00:00Z");
    assert_eq!(first_seen(feed("next_day")), "2024-03-11 20:00:00Z");
    // The same dates as midnights, with and without a zone; as times when the caller says so.
    for stored in [Stored::Wall, Stored::Utc] {
        let rows = walked(on("XNYS", DataFeed::new(bars(stored, &days)))).expect("clean");
        assert_eq!(rows[1].0, "2024-03-08 21:00:00Z");
    }
    let mut times = on("24/7", DataFeed::new(bars(Stored::Utc, &days)));
    times.read.label = Label::End;
    assert_eq!(walked(times).expect("clean")[1].0, "2024-03-08");
}

/// A range is one of dates, also where a session ends with the midnight after it.
#[test]
fn range_when_daily_bars_end_at_midnight_then_dates_count() {
    let days = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"];
    for (calendar, stamps) in [
        ("24/7", ["2024-01-03", "2024-01-04"]),
        ("XNYS", ["2024-01-02 21:00:00Z", "2024-01-03 21:00:00Z"]),
    ] {
        let mut feed = on(calendar, DataFeed::new(bars(Stored::Dates, &days)));
        let zone = feed.read.calendar.as_ref().map(|c| c.zone().clone()).expect("a calendar");
        feed.read.start = Some(Timestamp::parse("2024-01-02", &zone).expect("a date"));
        feed.read.end = Some(Timestamp::parse("2024-01-04", &zone).expect("a date"));
        let at: Vec<String> = walked(feed).expect("clean").into_iter().map(|row| row.0).collect();
        assert_eq!(at, stamps, "{calendar}");
    }
}

#[test]
fn dates_when_no_session_then_d305_with_the_nearest() {
    let feed = on("XNYS", DataFeed::new(bars(Stored::Dates, &["2024-11-27", "2024-11-28"])));
    let mut open = feed.open().expect("opens");
    while open.next_chunk().expect("rows").is_some() {}
    let report = open.report();
    let finding = report.findings.iter().find(|f| f.code == "D305").expect("a warning");
    assert_eq!(finding.count, 1);
    let row = finding.offenders[0].to_string();
    assert!(row.contains("2024-11-27 and 2024-11-29"), "{row}");
    assert!(report.ok());
    // Outside the calendar nothing is guessed.
    let error = walked(on("XNYS", DataFeed::new(bars(Stored::Dates, &["1980-01-02"]))));
    assert_eq!(error.expect_err("before 1990").code(), "D311");
}

/// L102: a date is no instant, unless the bars have dates too and there is no calendar.
#[test]
fn dates_when_taken_as_instants_then_l102_names_the_modes() {
    let signal = || Some(scores(Stored::Dates, &[("2024-03-08", Some(1.0))], None));
    let minutes = ["2024-03-08 14:31", "2024-03-08 14:32"];
    let cases = [
        DataFeed { signals: signal(), ..DataFeed::new(bars(Stored::Utc, &minutes)) },
        on("XNYS", DataFeed { signals: signal(), ..DataFeed::new(bars(Stored::Utc, &minutes)) }),
        on(
            "XNYS",
            DataFeed { signals: signal(), ..DataFeed::new(bars(Stored::Dates, &["2024-03-08"])) },
        ),
        // Midnights of UTC are dates to New York.
        on(
            "XNYS",
            DataFeed {
                signals: Some(scores(Stored::Utc, &[("2024-03-08", Some(1.0))], None)),
                ..DataFeed::new(bars(Stored::Utc, &minutes))
            },
        ),
        DataFeed {
            context: Some(series(Stored::Dates, &[("2024-03-08", 1.0)], None)),
            ..DataFeed::new(bars(Stored::Utc, &minutes))
        },
    ];
    for feed in cases {
        let error = walked(feed).expect_err("dates are no instants");
        assert_eq!((error.code(), error.kind()), ("L102", ErrorKind::LookAhead));
        for mode in ["market_open", "market_close", "next_day"] {
            assert!(error.hint().is_some_and(|hint| hint.contains(mode)), "{error}");
        }
    }
    let plain =
        DataFeed { signals: signal(), ..DataFeed::new(bars(Stored::Dates, &["2024-03-08"])) };
    assert_eq!(first_seen(plain), "2024-03-08");
}

/// L101: a row stamped 16:30 is not known at 09:30.
#[test]
fn instants_when_the_mode_is_earlier_then_l101_with_symbol_times_and_row() {
    let minutes = ["2024-03-08 14:31"];
    let late = [("2024-03-07 14:30", Some(1.0)), ("2024-03-08 21:30", Some(2.0))];
    for mode in ["market_open", "market_close"] {
        let mut feed = on("XNYS", DataFeed::new(bars(Stored::Utc, &minutes)));
        feed.signals = Some(scores(Stored::Utc, &late, None));
        feed.signal_available_at = Availability::parse(mode).expect(mode);
        let error = walked(feed).expect_err("a leak");
        assert_eq!((error.code(), error.kind()), ("L101", ErrorKind::LookAhead));
        let known = if mode == "market_open" { "14:30:00Z" } else { "21:00:00Z" };
        for part in ["AAA", "score", "2024-03-08 21:30:00Z", known, "row 2"] {
            assert!(error.message().contains(part), "{part}: {error}");
        }
    }
    let mut feed = DataFeed::new(bars(Stored::Utc, &minutes));
    feed.signals = Some(scores(Stored::Utc, &late[..1], Some(&["2024-03-07 14:29"])));
    let error = walked(feed).expect_err("known before its stamp");
    assert_eq!(error.code(), "L101");
}

/// The column wins over the mode, and later releases of an old stamp replace the newer stamp.
#[test]
fn vintages_when_released_then_the_newest_release_wins() {
    let probes = ["2024-01-31", "2024-02-13 13:30", "2024-03-12 12:30", "2024-03-12 12:31"];
    let rows = [("2023-12-31", 3.4), ("2024-01-31", 3.1), ("2024-01-31", 3.2), ("2023-12-31", 3.5)];
    let released = ["2024-01-11 13:30", "2024-02-13 13:30", "2024-03-12 12:30", "2024-03-12 12:31"];
    let mut feed = DataFeed::new(bars(Stored::Utc, &probes));
    feed.context = Some(series(Stored::Dates, &rows, Some(&released)));
    feed.context_available_at = Availability::Timestamp;
    let values: Vec<f64> = walked(feed).expect("clean").into_iter().map(|row| row.1).collect();
    assert_eq!(values, [3.4, 3.1, 3.2, 3.5]);
    // The same for signals, with a delay on top.
    let mut feed = DataFeed::new(bars(Stored::Utc, &probes));
    let one = [("2024-01-31", Some(3.1)), ("2024-01-31", Some(3.2))];
    feed.signals = Some(scores(Stored::Dates, &one, Some(&released[1..3])));
    feed.signal_delay = Some(Lag::parse("1m").expect("a span"));
    let values: Vec<f64> = walked(feed).expect("clean").into_iter().map(|row| row.1).collect();
    assert!(values[..2].iter().all(|value| value.is_nan()));
    assert_eq!(values[2..], [3.1, 3.2]);
}

/// Friday's close + 1 session is Monday's close; three sessions are counted, days are not.
#[test]
fn lags_when_in_sessions_then_weekends_do_not_count() {
    let days = ["2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12", "2024-03-13"];
    let feed = |delay: Option<&str>, staleness: Option<&str>| {
        let mut feed = on("XNYS", DataFeed::new(bars(Stored::Dates, &days)));
        feed.signals = Some(scores(Stored::Dates, &[("2024-03-07", Some(1.0))], None));
        feed.signal_available_at = Availability::MarketClose;
        feed.signal_delay = delay.map(|text| Lag::parse(text).expect(text));
        feed.staleness = staleness.map(|text| Lag::parse(text).expect(text));
        walked(feed).expect("clean").iter().map(|row| !row.1.is_nan()).collect::<Vec<_>>()
    };
    assert_eq!(feed(None, None), [true, true, true, true, true]);
    assert_eq!(feed(Some("1session"), None), [false, true, true, true, true]);
    assert_eq!(feed(Some("2sessions"), None), [false, false, true, true, true]);
    assert_eq!(feed(Some("15m"), None), [false, true, true, true, true]);
    assert_eq!(feed(None, Some("2sessions")), [true, true, true, false, false]);
    assert_eq!(feed(None, Some("1d")), [true, true, false, false, false]);
    assert!(Lag::parse("0sessions").is_err() && Lag::parse("x").is_err());
}

#[test]
fn nulls_when_filled_then_the_newest_value_of_the_column() {
    let probes = ["2024-03-08 14:31", "2024-03-08 14:32", "2024-03-08 14:33", "2024-03-08 14:40"];
    let rows = [("2024-03-08 14:31", Some(1.0)), ("2024-03-08 14:32", None)];
    for (fill, expected) in [
        (SignalFill::None, [1.0, f64::NAN, f64::NAN, f64::NAN]),
        (SignalFill::Last, [1.0, 1.0, 1.0, f64::NAN]),
    ] {
        let mut feed = DataFeed::new(bars(Stored::Utc, &probes));
        feed.signals = Some(scores(Stored::Utc, &rows, None));
        feed.signal_fill = fill;
        feed.staleness = Some(Lag::Span(5 * 60_000_000_000));
        let values: Vec<u64> =
            walked(feed).expect("clean").into_iter().map(|row| row.1.to_bits()).collect();
        assert_eq!(values, expected.map(f64::to_bits), "{fill:?}");
    }
}

/// Wall clocks: the zone must be known, skipped times are refused, repeated ones told by order.
#[test]
fn wall_clocks_when_they_change_then_by_order_or_an_error() {
    let night = ["2024-11-03 00:30", "2024-11-03 01:00", "2024-11-03 01:30", "2024-11-03 01:00"];
    let feed = |at: &[&str]| {
        let mut feed = DataFeed::new(bars(Stored::Wall, at));
        feed.read.tz = Some("America/New_York".into());
        feed
    };
    let at = |feed| walked(feed).map(|rows| rows.into_iter().map(|row| row.0).collect::<Vec<_>>());
    assert_eq!(
        at(feed(&night)).expect("sorted"),
        [
            "2024-11-03 04:30:00Z",
            "2024-11-03 05:00:00Z",
            "2024-11-03 05:30:00Z",
            "2024-11-03 06:00:00Z"
        ]
    );
    assert_eq!(at(feed(&night[..3])).expect_err("one pass only").code(), "D303");
    for (choice, hour) in [(Ambiguous::First, "05:30:00Z"), (Ambiguous::Second, "06:30:00Z")] {
        let mut chosen = feed(&night[2..3]);
        chosen.read.ambiguous = Some(choice);
        assert_eq!(at(chosen).expect("chosen"), [format!("2024-11-03 {hour}")]);
    }
    assert_eq!(at(feed(&["2024-03-10 02:30"])).expect_err("skipped").code(), "D303");
    // A calendar has to know the zone.
    let naive = on("XNYS", DataFeed::new(bars(Stored::Wall, &["2024-03-08 09:31"])));
    let error = at(naive).expect_err("no zone");
    assert_eq!(error.code(), "D303");
    assert!(error.hint().is_some_and(|hint| hint.contains("America/New_York")), "{error}");
}

/// Written by `oracles/calendars/availability.py` with `exchange_calendars` 4.13.2 and pandas.
const KNOWN: &str = include_str!("known.txt");

/// Ten years of five markets: at each instant of the golden, and a nanosecond before it, the signal
/// with the greatest (known, date) is the one that is seen.
#[test]
fn available_at_when_ten_years_then_as_pandas_and_exchange_calendars_say() {
    let rows: Vec<Vec<&str>> = KNOWN
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').collect())
        .collect();
    let mut n_probes = 0;
    for market in ["XNYS", "XLON", "XHKG", "CMES", "24/7"] {
        for mode in ["market_open", "market_close", "next_day"] {
            let table: Vec<(&str, i64)> = rows
                .iter()
                .filter(|row| row[0] == market && row[1] == mode)
                .map(|row| (row[2], row[3].parse().expect("an instant")))
                .collect();
            assert!(table.len() > 100, "{market} {mode}");
            let mut probes: Vec<i64> = table.iter().flat_map(|row| [row.1 - 1, row.1]).collect();
            probes.sort_unstable();
            probes.dedup();
            let texts: Vec<String> =
                probes.iter().map(|&at| Timestamp(at).to_string().replace('Z', "")).collect();
            let signals: Vec<(&str, Option<f64>)> = table
                .iter()
                .enumerate()
                .map(|(i, row)| (row.0, Some(f64::from(u32::try_from(i).expect("few")))))
                .collect();
            let at: Vec<&str> = texts.iter().map(String::as_str).collect();
            let mut feed = on(market, DataFeed::new(bars(Stored::Utc, &at)));
            feed.read.label = Label::End;
            feed.signals = Some(scores(Stored::Dates, &signals, None));
            feed.signal_available_at = Availability::parse(mode).expect(mode);
            let got = walked(feed).expect("clean");
            assert_eq!(got.len(), probes.len());
            for (&probe, (_, value)) in probes.iter().zip(&got) {
                let seen = (0..table.len()).filter(|&i| table[i].1 <= probe);
                let want = seen.max_by_key(|&i| (table[i].1, table[i].0));
                let want = want.map_or(f64::NAN, |i| f64::from(u32::try_from(i).expect("few")));
                assert_eq!(value.to_bits(), want.to_bits(), "{market} {mode} {probe}");
                n_probes += 1;
            }
        }
    }
    assert!(n_probes > 3_000, "{n_probes}");
}
