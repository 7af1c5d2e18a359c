//! Bars that are not stamped at their end: starts, and dates of weeks and months. What a bar is
//! known at is told by hand and by a clock that is walked minute by minute.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use tapeworks::base::calendar::Session;
use tapeworks::base::{Calendar, Error, Result, Step, Timestamp};
use tapeworks::data::{
    Ambiguous, BarBatch, CheckLevel, Label, ReadOptions, Source, check, open_bars,
};
use tapeworks::prepare::{DataPreparer, SaveOptions};

const MINUTE_NS: i64 = 60_000_000_000;

fn at(text: &str) -> i64 {
    Timestamp::parse(text, &TimeZone::UTC).unwrap().0
}

struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tapeworks-label-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    /// A text table of (stamp, symbol); the close is the number of the row.
    fn table(&self, rows: &[(String, &str)]) -> String {
        let mut text = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
        for (i, (stamp, symbol)) in rows.iter().enumerate() {
            let x = i + 1;
            let _ = writeln!(text, "{stamp},{symbol},{x},{x},{x},{x},1");
        }
        fs::write(self.0.join("bars.csv"), text).unwrap();
        self.path("bars.csv")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn options(label: Label, calendar: &str) -> ReadOptions {
    let calendar = (!calendar.is_empty()).then(|| Calendar::named(calendar).unwrap());
    ReadOptions { label, calendar, tz: Some("UTC".into()), ..ReadOptions::default() }
}

fn read(path: &str, options: &ReadOptions) -> Result<Vec<(i64, f64)>> {
    let mut bars = open_bars(Source::Path(path.to_owned()), options)?;
    let mut rows = Vec::new();
    while let Some(BarBatch { timestamps, close, .. }) = bars.next_batch()? {
        rows.extend(timestamps.into_iter().zip(close));
    }
    Ok(rows)
}

fn known(rows: &[(i64, f64)]) -> Vec<String> {
    rows.iter().map(|(time, _)| Timestamp(*time).to_string()).collect()
}

fn of_one(stamps: &[&str]) -> Vec<(String, &'static str)> {
    stamps.iter().map(|stamp| ((*stamp).to_owned(), "AAA")).collect()
}

/// Instants by hand: a minute later; the early close of 2024-11-29 at 18:00 UTC; the lunch of
/// Tokyo from 02:30 to 03:30 UTC and its close, since that month, at 06:30.
#[test]
fn starts_when_read_then_bars_are_known_a_step_later_or_at_the_close() {
    let desk = Desk::new("hand");
    let cases: [(&str, &[&str], &[&str]); 4] = [
        (
            "",
            &["14:30", "14:31", "14:33", "14:34", "14:35"],
            &["14:31", "14:32", "14:34", "14:35", "14:36"],
        ),
        ("XNYS", &["14:30", "15:30", "16:30", "17:30"], &["15:30", "16:30", "17:30", "18:00"]),
        (
            "XTKS",
            &["00:00", "01:00", "02:00", "03:30", "04:30", "05:45"],
            &["01:00", "02:00", "02:30", "04:30", "05:30", "06:30"],
        ),
        ("24/7", &["20:00", "21:00", "22:00", "23:00"], &["21:00", "22:00", "23:00", "24:00"]),
    ];
    for (calendar, starts, ends) in cases {
        let stamps: Vec<String> = starts.iter().map(|t| format!("2024-11-29 {t}:00Z")).collect();
        let rows: Vec<(String, &str)> = stamps.iter().map(|s| (s.clone(), "AAA")).collect();
        let path = desk.table(&rows);
        let found = read(&path, &options(Label::Start, calendar)).unwrap();
        let expected: Vec<String> = ends
            .iter()
            .map(|t| match *t {
                "24:00" => "2024-11-30".to_owned(),
                t => format!("2024-11-29 {t}:00Z"),
            })
            .collect();
        assert_eq!(known(&found), expected, "{calendar}");
        let closes: Vec<f64> = found.iter().map(|(_, close)| *close).collect();
        assert!(closes.windows(2).all(|pair| pair[0] < pair[1]));
        // Without the label a stamp is an end.
        let plain = read(&path, &options(Label::Auto, calendar)).unwrap();
        assert_eq!(plain[0].0, at(&format!("2024-11-29 {}", starts[0])));
    }
}

/// Days of New York: clocks went forward on Sunday 2024-03-10.
#[test]
fn dates_when_they_are_starts_then_known_when_the_next_date_begins() {
    let desk = Desk::new("dates");
    let path = desk.table(&of_one(&[
        "2024-03-08",
        "2024-03-09",
        "2024-03-10",
        "2024-03-11",
        "2024-03-12",
    ]));
    let mut start = options(Label::Start, "");
    start.tz = Some("America/New_York".into());
    let midnights = ["09 05", "10 05", "11 04", "12 04", "13 04"];
    let expected = midnights.map(|text| {
        let (day, hour) = text.split_once(' ').unwrap();
        format!("2024-03-{day} {hour}:00:00Z")
    });
    assert_eq!(known(&read(&path, &start).unwrap()), expected);
    // On a calendar a date is a session, whichever end of it the label names.
    let path = desk.table(&of_one(&["2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12"]));
    for label in [Label::Start, Label::Auto, Label::Session] {
        let on = ReadOptions { tz: None, ..options(label, "XNYS") };
        let days = ["07 21", "08 21", "11 20", "12 20"];
        let expected = days.map(|text| format!("2024-03-{text}:00:00Z"));
        assert_eq!(known(&read(&path, &on).unwrap()), expected, "{label:?}");
    }
}

/// Weeks and months of XNYS by hand; Friday 2024-03-29 was a holiday.
#[test]
fn weeks_and_months_when_dated_by_any_convention_then_known_at_the_last_close() {
    let desk = Desk::new("weeks");
    let weeks = ["2024-03-22 20", "2024-03-28 20", "2024-04-05 20", "2024-04-12 20"];
    let months = ["2024-01-31 21", "2024-02-29 21", "2024-03-28 20", "2024-04-30 20"];
    let cases: [(&[&str], Label, &[&str; 4]); 9] = [
        (&["2024-03-18", "2024-03-25", "2024-04-01", "2024-04-08"], Label::Auto, &weeks),
        (&["2024-03-18", "2024-03-25", "2024-04-01", "2024-04-08"], Label::Start, &weeks),
        (&["2024-03-22", "2024-03-28", "2024-04-05", "2024-04-12"], Label::Auto, &weeks),
        (&["2024-03-23", "2024-03-30", "2024-04-06", "2024-04-13"], Label::Auto, &weeks),
        (&["2024-03-24", "2024-03-31", "2024-04-07", "2024-04-14"], Label::Session, &weeks),
        (&["2024-03-17", "2024-03-24", "2024-03-31", "2024-04-07"], Label::Start, &weeks),
        (&["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"], Label::Auto, &months),
        (&["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"], Label::Auto, &months),
        (&["2024-01-15", "2024-02-15", "2024-03-15", "2024-04-15"], Label::Session, &months),
    ];
    for (dates, label, expected) in cases {
        let path = desk.table(&of_one(dates));
        let mut on = ReadOptions { tz: None, ..options(label, "XNYS") };
        let ends = expected.map(|text| format!("{text}:00:00Z"));
        assert_eq!(known(&read(&path, &on).unwrap()), ends, "{label:?} {dates:?}");
        // Two rows tell nothing of a step; said, it is the same.
        let path = desk.table(&of_one(&dates[..1]));
        on.step = Some(if expected == &weeks { Step::Week } else { Step::Months(1) });
        assert_eq!(known(&read(&path, &on).unwrap()), [ends[0].clone()]);
    }
}

/// What would be shown too early, or cannot be told, is refused.
#[test]
fn labels_when_they_contradict_the_rows_then_refused() {
    let desk = Desk::new("refused");
    let minutes: Vec<String> = (0..30).map(|k| format!("2024-03-08 15:{k:02}:00Z")).collect();
    let five: Vec<String> = (0..12).map(|k| format!("2024-03-08 15:{:02}:00Z", k * 5)).collect();
    let hours: Vec<String> = (13..24).map(|k| format!("2024-03-08 {k}:30:00Z")).collect();
    let mut doubled = minutes.clone();
    doubled.push("2024-03-08 15:10:30Z".into());
    let weeks = ["2024-03-20", "2024-03-27", "2024-04-03", "2024-04-10"].map(str::to_owned);
    let sundays = ["2024-03-17", "2024-03-24", "2024-03-31", "2024-04-07"].map(str::to_owned);
    let said = |step| ReadOptions { step: Some(step), ..options(Label::Start, "") };
    let minute = Step::Span(MINUTE_NS);
    let fast = ReadOptions { level: CheckLevel::Fast, ..options(Label::Start, "") };
    let cases: [(&[String], ReadOptions, &str, &str); 9] = [
        (&five, said(minute), "D309", "usually 5m apart, and the frequency says 1m"),
        (&minutes, said(Step::Span(5 * MINUTE_NS)), "D309", "the frequency says 5m"),
        (&minutes[..2], options(Label::Start, ""), "D309", "too few rows"),
        (&minutes, fast, "D309", "the level fast"),
        (&doubled, options(Label::Start, ""), "D307", "bar before ends"),
        // Hours go on behind the close of 21:00: the bar of 20:30 may hold trades of the evening.
        (
            &hours,
            ReadOptions { step: Some(Step::Span(60 * MINUTE_NS)), ..options(Label::Start, "XNYS") },
            "D307",
            "begins outside the sessions",
        ),
        (
            &weeks,
            ReadOptions { tz: None, ..options(Label::Auto, "XNYS") },
            "D303",
            "neither the first nor the last",
        ),
        (&sundays, ReadOptions { tz: None, ..options(Label::Auto, "XNYS") }, "D303", "a Sunday"),
        (
            &weeks,
            ReadOptions { step: Some(Step::Day), tz: None, ..options(Label::Auto, "XNYS") },
            "D309",
            "says 1d",
        ),
    ];
    for (stamps, options, code, words) in cases {
        let rows: Vec<(String, &str)> = stamps.iter().map(|s| (s.clone(), "AAA")).collect();
        let path = desk.table(&rows);
        let error: Error = read(&path, &options).expect_err(words);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(words), "{words}: {error}");
    }
    let error = Label::parse("strat").expect_err("no label");
    assert!(error.to_string().contains("start"), "{error}");
}

/// The end of a bar, by walking the clock: it goes on until its length is over or its part of the
/// session is.
fn walked_end(start: i64, minutes: i64, sessions: &[Session]) -> i64 {
    let is_open = |t: i64| {
        sessions.iter().any(|s| {
            s.open.0 <= t && t < s.close.0 && !s.lunch.is_some_and(|(a, b)| a.0 <= t && t < b.0)
        })
    };
    let began_open = is_open(start);
    let mut now = start;
    for _ in 0..minutes {
        now += MINUTE_NS;
        // 24/7 has no moment at which it is closed: its sessions touch.
        let crossed = sessions.iter().any(|s| s.close.0 == now);
        if began_open && (!is_open(now) || crossed) {
            break;
        }
    }
    now
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// No close is known before the end of its bar, nor later.
    #[test]
    fn starts_when_random_then_the_walked_clock_says_the_same(
        calendar in prop::sample::select(vec!["XNYS", "XTKS", "CMES", "24/7"]),
        minutes in prop::sample::select(vec![1_i64, 5, 30, 45, 60, 120]),
        holes in prop::collection::vec(0_u8..5, 400),
        file in prop::sample::select(vec!["csv", "parquet"]),
    ) {
        let sessions = Calendar::named(calendar).unwrap();
        let (from, to) = (at("2024-11-27"), at("2024-12-03"));
        let near: Vec<Session> =
            sessions.all().iter().filter(|s| s.close.0 > from && s.open.0 < to).copied().collect();
        // Bars of the length from each open, and again from each break.
        let mut starts = Vec::new();
        for session in &near {
            let parts = match session.lunch {
                Some((a, b)) => vec![(session.open.0, a.0), (b.0, session.close.0)],
                None => vec![(session.open.0, session.close.0)],
            };
            for (mut t, end) in parts {
                while t < end {
                    starts.push(t);
                    t += minutes * MINUTE_NS;
                }
            }
        }
        let kept: Vec<i64> = starts
            .iter()
            .zip(holes.iter().cycle())
            .filter(|(_, hole)| **hole > 0)
            .map(|(t, _)| *t)
            .take(300)
            .collect();
        let desk = Desk::new(&format!("walk-{}-{minutes}", calendar.replace('/', "")));
        let rows: Vec<(String, &str)> = kept
            .iter()
            .map(|t| (Timestamp(*t).to_string(), "AAA"))
            .map(|(t, s)| (if t.len() == 10 { format!("{t} 00:00:00Z") } else { t }, s))
            .collect();
        let mut path = desk.table(&rows);
        let mut how = options(Label::Start, calendar);
        how.step = Some(Step::Span(minutes * MINUTE_NS));
        if file == "parquet" {
            let plain = options(Label::End, "");
            let sorted = desk.path("sorted.parquet");
            let mut preparer = DataPreparer::new();
            preparer.read = plain;
            preparer.add_prices(Source::Path(path), None).unwrap();
            preparer
                .validate_and_save(&SaveOptions::new(&sorted), &mut |_| ControlFlow::Continue(()))
                .unwrap();
            path = sorted;
        }
        let found = read(&path, &how).unwrap();
        let expected: Vec<i64> = kept.iter().map(|t| walked_end(*t, minutes, &near)).collect();
        prop_assert_eq!(found.iter().map(|(t, _)| *t).collect::<Vec<_>>(), expected);
        prop_assert!(check(Source::Path(path), &how).unwrap().ok());
    }
}

/// Days of a market without a close are stamped at midnights; the file says that those are ends.
#[test]
fn prepared_days_of_24_7_when_read_with_their_calendar_then_the_same_instants() {
    let desk = Desk::new("round");
    let path = desk.table(&of_one(&["2024-03-08", "2024-03-09", "2024-03-10", "2024-03-11"]));
    let on = ReadOptions { tz: None, ..options(Label::Auto, "24/7") };
    let expected = ["2024-03-09", "2024-03-10", "2024-03-11", "2024-03-12"];
    assert_eq!(known(&read(&path, &on).unwrap()), expected);
    let prepared = desk.path("prepared.parquet");
    let mut preparer = DataPreparer::new();
    preparer.read = on.clone();
    preparer.add_prices(Source::Path(path), None).unwrap();
    preparer
        .validate_and_save(&SaveOptions::new(&prepared), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(known(&read(&prepared, &on).unwrap()), expected);
    assert_eq!(known(&read(&prepared, &options(Label::Auto, "")).unwrap()), expected);
}

/// Clocks of New York went back at 02:00 on 2024-11-03: 01:00 to 02:00 was there twice, first from
/// 05:00 UTC and again from 06:00.
#[test]
fn wall_clocks_when_an_hour_is_repeated_then_the_order_of_the_rows_tells() {
    let desk = Desk::new("twice");
    let zone = |ambiguous| ReadOptions {
        tz: Some("America/New_York".into()),
        ambiguous,
        ..ReadOptions::default()
    };
    let rows = |times: &[&str], symbols: &[&'static str]| -> Vec<(String, &'static str)> {
        let each = |time: &&str| {
            let stamp = format!("2024-11-03 {time}:00");
            symbols.iter().map(|s| (stamp.clone(), *s)).collect::<Vec<_>>()
        };
        times.iter().flat_map(each).collect()
    };
    let walk = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"];
    let expected = ["04:30", "05:00", "05:30", "06:00", "06:30", "07:00"]
        .map(|time| format!("2024-11-03 {time}:00Z"));
    let path = desk.table(&rows(&walk, &["AAA"]));
    assert_eq!(known(&read(&path, &zone(None)).unwrap()), expected);
    let path = desk.table(&rows(&walk, &["AAA", "BBB"]));
    let found = known(&read(&path, &zone(None)).unwrap());
    let twice: Vec<&String> = expected.iter().flat_map(|time| [time, time]).collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), twice);
    // One pass of the hour may be either; two equal times may be both.
    for times in [&["00:30", "01:00", "01:30", "02:00"][..], &["00:30", "01:30", "01:30", "02:00"]]
    {
        let path = desk.table(&rows(times, &["AAA"]));
        let error = read(&path, &zone(None)).expect_err("either");
        assert_eq!(error.code(), "D303");
        assert!(error.message().contains("row 2") && error.message().contains("order"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("ambiguous")), "{error}");
    }
    let path = desk.table(&rows(&["00:30", "01:00", "02:00"], &["AAA"]));
    for (which, hour) in [(Ambiguous::First, "05"), (Ambiguous::Second, "06")] {
        let found = known(&read(&path, &zone(Some(which))).unwrap());
        assert_eq!(found[1], format!("2024-11-03 {hour}:00:00Z"));
    }
}

/// Hours of five sessions, stamped at their starts or ends: rows at the open are remarked on, unless
/// somebody said what stamps are.
#[test]
fn stamps_when_they_look_like_starts_then_d312() {
    let desk = Desk::new("smell");
    let calendar = Calendar::named("XNYS").unwrap();
    let from = calendar.all().partition_point(|s| s.open.0 < at("2024-03-04"));
    let hours = |shift: i64| -> Vec<(String, &'static str)> {
        let mut rows = Vec::new();
        for session in &calendar.all()[from..from + 5] {
            let times = (0..6).map(|k| session.open.0 + (k + shift) * 60 * MINUTE_NS);
            rows.extend(times.map(|t| (Timestamp(t).to_string(), "AAA")));
        }
        // The last half hour of each session.
        for session in calendar.all()[from..from + 5].iter().filter(|_| shift == 1) {
            rows.push((session.close.to_string(), "AAA"));
        }
        rows.sort();
        rows
    };
    let codes = |path: &str, label| {
        let report = check(Source::Path(path.to_owned()), &options(label, "XNYS")).unwrap();
        report.findings.iter().filter(|f| f.code == "D312").map(|f| f.count).sum::<u64>()
    };
    let path = desk.table(&hours(0));
    assert_eq!(codes(&path, Label::Auto), 30);
    assert_eq!(codes(&path, Label::End), 0);
    assert_eq!(codes(&path, Label::Start), 0);
    let path = desk.table(&hours(1));
    assert_eq!(codes(&path, Label::Auto), 0);
    // Dates of weeks without a calendar are known at their midnights, which may be too early.
    let weeks = ["2024-03-18", "2024-03-25", "2024-04-01", "2024-04-08", "2024-04-15"];
    let path = desk.table(&of_one(&weeks));
    for (label, count) in [(Label::Auto, 5), (Label::End, 0), (Label::Start, 0)] {
        let report = check(Source::Path(path.clone()), &options(label, "")).unwrap();
        let found = report.findings.iter().find(|f| f.code == "D312").map_or(0, |f| f.count);
        assert_eq!(found, count, "{label:?}");
    }
}
