//! Bars put together into coarser bars: by hand, against a naive twin, and however they are cut.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampNanosecondArray};
use arrow::record_batch::{RecordBatch, RecordBatchIterator};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use tapeworks::base::time::DAY_NS;
use tapeworks::base::{Calendar, Date, Result, Step, Timestamp};
use tapeworks::data::{BarBatch, CheckReport, ReadOptions, Source, open_bars, resample};

const MINUTE_NS: i64 = 60_000_000_000;

/// timestamp, symbol, open, high, low, close, volume, notional, score.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub time: i64,
    pub symbol: usize,
    pub values: [f64; 7],
}

const SYMBOLS: [&str; 3] = ["AAA", "BBB", "CCC"];
const COLUMNS: [&str; 7] = ["open", "high", "low", "close", "volume", "notional", "score"];

pub fn at(text: &str) -> i64 {
    Timestamp::parse(text, &TimeZone::UTC).unwrap().0
}

fn source(rows: &[Bar]) -> Source {
    let stamps: TimestampNanosecondArray = rows.iter().map(|row| Some(row.time)).collect();
    let names: StringArray = rows.iter().map(|row| Some(SYMBOLS[row.symbol])).collect();
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![("timestamp", Arc::new(stamps.with_timezone("UTC"))), ("symbol", Arc::new(names))];
    for (c, name) in COLUMNS.iter().enumerate() {
        let values: Float64Array = rows.iter().map(|row| Some(row.values[c])).collect();
        columns.push((name, Arc::new(values)));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let schema = batch.schema();
    Source::Arrow(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

pub fn coarser(rows: &[Bar], step: &str, options: &ReadOptions) -> Result<(Vec<Bar>, CheckReport)> {
    let bars = open_bars(source(rows), options)?;
    let (mut bars, _) = resample(bars, Step::parse(step).unwrap(), options)?;
    let symbols = bars.symbols();
    let place: Vec<usize> =
        symbols.iter().map(|name| SYMBOLS.iter().position(|s| *s == name).unwrap()).collect();
    let mut found = Vec::new();
    while let Some(batch) = bars.next_batch()? {
        let BarBatch { timestamps, assets, open, high, low, close, volume, extras, .. } = batch;
        for i in 0..timestamps.len() {
            found.push(Bar {
                time: timestamps[i],
                symbol: place[assets[i] as usize],
                values: [open[i], high[i], low[i], close[i], volume[i], extras[0][i], extras[1][i]],
            });
        }
    }
    Ok((found, bars.report()))
}

pub fn on(calendar: &str) -> ReadOptions {
    ReadOptions { calendar: Some(Calendar::named(calendar).unwrap()), ..ReadOptions::default() }
}

/// A bar with close `x`, open a tenth below, high and low a half away, volume `x`.
pub fn bar(time: i64, symbol: usize, x: f64) -> Bar {
    Bar { time, symbol, values: [x - 0.1, x + 0.5, x - 0.5, x, x, x * x, -x] }
}

fn stamps(rows: &[Bar]) -> Vec<String> {
    rows.iter().map(|row| Timestamp(row.time).to_string()).collect()
}

/// Ten minutes of two symbols, the values by hand.
#[test]
fn resample_when_minutes_become_five_then_first_highest_lowest_last_and_sums() {
    let start = at("2024-03-08 14:30");
    let mut rows = Vec::new();
    for minute in 1..=10 {
        let time = start + minute * MINUTE_NS;
        rows.push(bar(time, 0, 100.0 + minute as f64));
        if minute != 3 && minute < 9 {
            rows.push(bar(time, 1, 50.0 - minute as f64));
        }
    }
    let (found, report) = coarser(&rows, "5m", &ReadOptions::default()).unwrap();
    let expected = [
        // AAA closes at 101..105, volumes alike: 515; notional 101^2 + .. + 105^2 = 53,055.
        (5, 0, [100.9, 105.5, 100.5, 105.0, 515.0, 53_055.0, -105.0]),
        // BBB at 49, 48, 46, 45: 188; 2,401 + 2,304 + 2,116 + 2,025 = 8,846.
        (5, 1, [48.9, 49.5, 44.5, 45.0, 188.0, 8_846.0, -45.0]),
        (10, 0, [105.9, 110.5, 105.5, 110.0, 540.0, 58_330.0, -110.0]),
        (10, 1, [43.9, 44.5, 41.5, 42.0, 129.0, 5_549.0, -42.0]),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (row, (minute, symbol, values)) in found.iter().zip(expected) {
        assert_eq!((row.time, row.symbol), (start + minute * MINUTE_NS, symbol));
        for (a, b) in row.values.iter().zip(values) {
            assert!((a - b).abs() < 1e-9, "{row:?} {values:?}");
        }
    }
    assert!(report.findings.iter().any(|f| f.message.contains("17 rows of 1m")), "{report}");
}

/// Windows by hand: the early close of 2024-11-29 (18:00 UTC), the lunch of Tokyo (11:30-12:30),
/// and Chicago's evening.
#[test]
fn resample_when_on_a_calendar_then_windows_begin_at_opens_and_end_at_closes() {
    let half_hours = |from: &str, to: &str| -> Vec<Bar> {
        let (from, to) = (at(from), at(to));
        let n = (to - from) / (30 * MINUTE_NS);
        (1..=n).map(|k| bar(from + k * 30 * MINUTE_NS, 0, 9.0)).collect()
    };
    // Rows before the open and after the close are no part of a bar.
    let (found, report) =
        coarser(&half_hours("2024-11-29 13:00", "2024-11-29 19:00"), "1h", &on("XNYS")).unwrap();
    let day = ["15:30:00Z", "16:30:00Z", "17:30:00Z", "18:00:00Z"];
    assert_eq!(stamps(&found), day.map(|time| format!("2024-11-29 {time}")));
    assert_eq!(found.iter().map(|row| row.values[4]).collect::<Vec<_>>(), [18.0, 18.0, 18.0, 9.0]);
    let outside = report.findings.iter().find(|f| f.code == "D305" && f.message.contains("no bar"));
    assert_eq!(outside.map(|f| f.count), Some(5), "{report}");

    let mut tokyo = half_hours("2024-03-08 00:00", "2024-03-08 02:30");
    tokyo.extend(half_hours("2024-03-08 03:30", "2024-03-08 06:00"));
    let (found, _) = coarser(&tokyo, "1h", &on("XTKS")).unwrap();
    let hours = ["01:00", "02:00", "02:30", "04:30", "05:30", "06:00"];
    assert_eq!(stamps(&found), hours.map(|time| format!("2024-03-08 {time}:00Z")));

    // The session of Monday begins on Sunday at 17:00 in Chicago, 22:00 UTC in summer time, and ends
    // a day later.
    let chicago = half_hours("2024-03-10 22:00", "2024-03-11 22:00");
    let (found, _) = coarser(&chicago, "1d", &on("CMES")).unwrap();
    assert_eq!(stamps(&found), ["2024-03-11 22:00:00Z"]);
}

/// Good Friday 2024-03-29 ended the week and the month on Thursday.
#[test]
fn resample_when_days_become_weeks_and_months_then_stamped_with_the_last_close() {
    let calendar = on("XNYS");
    let sessions = calendar.calendar.as_ref().unwrap();
    let dates = sessions
        .sessions(Date::parse("2024-03-25").unwrap(), Date::parse("2024-04-09").unwrap())
        .unwrap();
    let rows: Vec<Bar> = dates.iter().map(|s| bar(s.close.0, 0, 10.0)).collect();
    let (weeks, report) = coarser(&rows, "1w", &calendar).unwrap();
    // Monday the 8th of April is alone in its week, which the data do not end.
    assert_eq!(stamps(&weeks), ["2024-03-28 20:00:00Z", "2024-04-05 20:00:00Z"]);
    assert_eq!([weeks[0].values[4], weeks[1].values[4]], [40.0, 50.0]);
    assert!(report.findings.iter().any(|f| f.message.contains("makes no bar")), "{report}");
    let (months, _) = coarser(&rows, "1mo", &calendar).unwrap();
    assert_eq!(stamps(&months), ["2024-03-28 20:00:00Z"]);
    let until = ReadOptions { end: Some(Timestamp(at("2024-05-01"))), ..calendar.clone() };
    let (months, _) = coarser(&rows, "1mo", &until).unwrap();
    assert_eq!(stamps(&months), ["2024-03-28 20:00:00Z", "2024-04-30 20:00:00Z"]);
    // A start inside the first week leaves no whole week of it.
    let from = ReadOptions { start: Some(Timestamp(at("2024-03-26 12:00"))), ..calendar };
    assert_eq!(stamps(&coarser(&rows, "1w", &from).unwrap().0), ["2024-04-05 20:00:00Z"]);
}

/// A range is half-open: it holds the row of midnight only when it goes on behind it.
#[test]
fn resample_when_the_range_ends_with_a_window_then_its_last_row_is_not_in_it() {
    let start = at("2024-03-08");
    let rows: Vec<Bar> = (1..=144).map(|k| bar(start + k * 10 * MINUTE_NS, 0, 1.0)).collect();
    let until = |text| {
        let end = Some(Timestamp(at(text)));
        coarser(&rows, "1d", &ReadOptions { end, ..ReadOptions::default() }).unwrap().0
    };
    assert_eq!(until("2024-03-09"), []);
    let day = until("2024-03-09 00:01");
    assert_eq!((stamps(&day), day[0].values[4]), (vec!["2024-03-09".to_owned()], 144.0));
}

/// Dates without a calendar keep their midnights; the row of a Monday is of the week that begins.
#[test]
fn resample_when_dates_have_no_calendar_then_a_week_is_known_on_the_monday_after_it() {
    let days = ["03-04", "03-05", "03-06", "03-07", "03-08", "03-11", "03-12"];
    let rows: Vec<Bar> = days.iter().map(|day| bar(at(&format!("2024-{day}")), 0, 1.0)).collect();
    let (weeks, _) = coarser(&rows, "1w", &ReadOptions::default()).unwrap();
    assert_eq!(stamps(&weeks), ["2024-03-11"]);
    assert_eq!(weeks[0].values[4], 5.0);
}

#[test]
fn resample_when_the_step_does_not_fit_then_d309_and_c301() {
    let rows: Vec<Bar> = (1..60).map(|k| bar(k * 5 * MINUTE_NS, 0, 9.0)).collect();
    for (step, calendar, code, words) in [
        ("7m", None, "D309", "no multiple"),
        ("1m", None, "D309", "usually 5m apart"),
        ("2d", Some("XNYS"), "C301", "2d is no length within the sessions"),
    ] {
        let options = calendar.map_or_else(ReadOptions::default, on);
        let error = coarser(&rows, step, &options).expect_err(step);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(words), "{error}");
    }
    // Rows that have the step already are not touched.
    let (same, _) = coarser(&rows, "5m", &ReadOptions::default()).unwrap();
    assert_eq!(same, rows);
}

/// The borders of all windows near the rows, written down one by one.
fn borders(step: &str, calendar: Option<&Calendar>, rows: &[Bar]) -> Vec<(i64, i64)> {
    let (first, last) = (rows[0].time - 40 * DAY_NS, rows[rows.len() - 1].time + 40 * DAY_NS);
    let length = match step {
        "30m" => 30 * MINUTE_NS,
        "90m" => 90 * MINUTE_NS,
        _ => 0,
    };
    let Some(calendar) = calendar else {
        let monday = at("2024-01-01");
        return match step {
            "1mo" => {
                let firsts: Vec<i64> =
                    (1..=12).map(|month| at(&format!("2024-{month:02}-01"))).collect();
                firsts.windows(2).map(|w| (w[0], w[1])).collect()
            }
            "1w" => (0..52).map(|k| monday + k * 7 * DAY_NS).map(|t| (t, t + 7 * DAY_NS)).collect(),
            "1d" => (0..366).map(|k| monday + k * DAY_NS).map(|t| (t, t + DAY_NS)).collect(),
            _ => {
                // 1970-01-01 is a multiple of every length.
                let from = first - first.rem_euclid(length);
                let n = (last - from) / length + 1;
                (0..n).map(|k| from + k * length).map(|t| (t, t + length)).collect()
            }
        };
    };
    let mut all = Vec::new();
    for session in calendar.all() {
        let (open, close) = (session.open.0, session.close.0);
        if close < first || open > last {
            continue;
        }
        let parts = match session.lunch {
            Some((a, b)) => vec![(open, a.0), (b.0, close)],
            None => vec![(open, close)],
        };
        if length == 0 {
            all.push((session.date, open, close));
            continue;
        }
        for (from, to) in parts {
            let mut border = from;
            while border < to {
                all.push((session.date, border, (border + length).min(to)));
                border += length;
            }
        }
    }
    let key = |date: Date| match step {
        "1w" => i64::from(date.0) - i64::try_from(date.weekday()).unwrap(),
        "1mo" => i64::from(date.year_month().0) * 12 + i64::from(date.year_month().1),
        _ => i64::from(date.0),
    };
    if !matches!(step, "1w" | "1mo") {
        return all.into_iter().map(|(_, a, b)| (a, b)).collect();
    }
    let mut grouped: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for (date, open, close) in all {
        let window = grouped.entry(key(date)).or_insert((open, close));
        window.1 = close;
    }
    grouped.into_values().collect()
}

/// Every row looked up among all windows, and a window's rows put together at its end.
fn twin(all_rows: &[Bar], step: &str, calendar: Option<&Calendar>) -> Vec<Bar> {
    let windows = borders(step, calendar, all_rows);
    let is_traded = |time: i64| {
        let sessions = calendar.iter().flat_map(|calendar| calendar.all());
        calendar.is_none() || sessions.clone().any(|s| s.open.0 < time && time <= s.close.0)
    };
    let rows: Vec<&Bar> = all_rows.iter().filter(|row| is_traded(row.time)).collect();
    let last = all_rows[all_rows.len() - 1].time;
    let mut found = Vec::new();
    for (from, to) in windows.into_iter().filter(|(_, to)| *to <= last) {
        for symbol in 0..SYMBOLS.len() {
            let parts: Vec<&Bar> = rows
                .iter()
                .copied()
                .filter(|row| row.symbol == symbol && row.time > from && row.time <= to)
                .collect();
            let (Some(first), Some(end)) = (parts.first(), parts.last()) else { continue };
            let all = |c: usize| parts.iter().map(move |row| row.values[c]);
            found.push(Bar {
                time: to,
                symbol,
                values: [
                    first.values[0],
                    all(1).fold(f64::MIN, f64::max),
                    all(2).fold(f64::MAX, f64::min),
                    end.values[3],
                    all(4).sum(),
                    all(5).sum(),
                    end.values[6],
                ],
            });
        }
    }
    found
}

/// Ten-minute bars of three symbols with holes, over days and nights.
fn random_rows() -> impl Strategy<Value = Vec<Bar>> {
    let bars = prop::collection::vec((0_usize..3, 1_u32..100, 0_u8..12), 80..500);
    (bars, 0_i64..300).prop_map(|(cells, shift)| {
        let mut time = at("2024-03-07 00:00") + shift * 60 * MINUTE_NS;
        let mut rows: Vec<Bar> = Vec::new();
        for (symbol, price, hole) in cells {
            let next = rows.last().is_none_or(|row: &Bar| row.symbol >= symbol);
            if next {
                // Mostly the next ten minutes; now and then hours.
                time += 10 * MINUTE_NS * i64::from(if hole == 0 { 40 } else { 1 });
            }
            rows.push(bar(time, symbol, f64::from(price)));
        }
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn resample_when_rows_are_random_then_the_naive_twin_says_the_same(
        rows in random_rows(),
        step in prop::sample::select(vec!["30m", "90m", "1d", "1w", "1mo"]),
        calendar in prop::sample::select(vec!["", "XNYS", "XTKS", "CMES", "24/7"]),
        batch_rows in prop::sample::select(vec![1_usize, 7, 64, 65_536]),
    ) {
        let mut options = if calendar.is_empty() { ReadOptions::default() } else { on(calendar) };
        options.batch_rows = batch_rows;
        let (found, _) = coarser(&rows, step, &options).unwrap();
        prop_assert_eq!(found, twin(&rows, step, options.calendar.as_deref()));
    }

    /// P9: what is known at an instant does not change with the rows after it.
    #[test]
    fn resample_when_the_future_is_poisoned_then_no_bar_before_it_changes(
        rows in random_rows(),
        step in prop::sample::select(vec!["30m", "90m", "1d", "1w"]),
        calendar in prop::sample::select(vec!["", "XNYS", "24/7"]),
        cut in 2_usize..9,
    ) {
        let options = if calendar.is_empty() { ReadOptions::default() } else { on(calendar) };
        let (clean, _) = coarser(&rows, step, &options).unwrap();
        let now = rows[rows.len() * cut / 10].time;
        let mut poisoned = rows.clone();
        for row in poisoned.iter_mut().filter(|row| row.time > now) {
            *row = bar(row.time, row.symbol, 5_000.0);
        }
        let (found, _) = coarser(&poisoned, step, &options).unwrap();
        let known = |bars: &[Bar]| -> Vec<Bar> {
            bars.iter().filter(|bar| bar.time <= now).cloned().collect()
        };
        prop_assert_eq!(known(&found), known(&clean));
        // No bar is there before the last of its parts: its close is one of a row up to then.
        for bar in &clean {
            let is_past = |row: &&Bar| row.symbol == bar.symbol && row.time <= bar.time;
            let newest = rows.iter().rev().find(is_past).map(|row| row.values[3]);
            if calendar.is_empty() {
                prop_assert_eq!(newest, Some(bar.values[3]));
            }
        }
    }
}
