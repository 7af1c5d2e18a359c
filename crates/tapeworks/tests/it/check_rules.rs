//! Checks that need to be told something: that prices may be negative, when a market is open, when
//! signals are known.

use std::fmt::Write as _;

use tapeworks::base::{Calendar, Date, Timestamp};
use tapeworks::data::{
    CheckLevel, CheckReport, Finding, ReadOptions, Severity, Source, check, open_bars,
};
use tapeworks::engine::Flow;
use tapeworks::feed::{Availability, DataFeed, Lag, SignalUse, check_signals};
use tapeworks::run::config::Format;
use tapeworks::run::{self, LoadedConfig, Overlay};

use crate::data::{Folder, Row, batch, rows, source, stream, utc, write_bars};

const MINUTE_NS: i64 = 60_000_000_000;

fn date(text: &str) -> Date {
    Date::parse(text).expect(text)
}

fn errors(report: &CheckReport) -> Vec<&str> {
    let errors = report.findings.iter().filter(|f| f.severity == Severity::Error);
    errors.map(|f| f.code.as_str()).collect()
}

fn found<'a>(report: &'a CheckReport, code: &str) -> Option<&'a Finding> {
    report.findings.iter().find(|f| f.code == code)
}

#[test]
fn prices_when_negative_then_an_error_unless_they_were_allowed() {
    // open, high, low, close; codes without and with allow_negative
    let cases: [([f64; 4], &[&str], &[&str]); 7] = [
        ([-5.0, -4.0, -6.0, -5.5], &["D203"], &[]),
        ([1.0, 2.0, -1.0, 0.0], &["D203"], &[]),
        ([0.0, 0.0, 0.0, 0.0], &["D203"], &[]),
        // The high is below the low; -6 is less than -4.
        ([-5.0, -6.0, -4.0, -5.0], &["D203", "D204"], &["D204"]),
        // By one step of rounding only, on the side below 0.
        ([-5.0, -5.000_000_000_000_001, -6.0, -5.5], &["D203"], &[]),
        ([-5.0, -4.0, -2e15, -5.0], &["D203"], &["D202"]),
        ([-5.0, f64::NAN, -6.0, -5.0], &["D201", "D203"], &["D201"]),
    ];
    for (prices, strict, allowed) in cases {
        let mut bars = rows(40, &["AAA"]);
        bars[20].prices[..4].copy_from_slice(&prices);
        for (allow_negative, expected) in [(false, strict), (true, allowed)] {
            let options = ReadOptions { allow_negative, ..ReadOptions::default() };
            let report = check(stream(batch(&bars, utc(&bars), true)), &options).expect("readable");
            assert_eq!(errors(&report), expected, "{prices:?}, {allow_negative}: {report}");
        }
    }
}

#[test]
fn prices_when_negative_and_allowed_then_read_as_they_are_and_fast_agrees() {
    let folder = Folder::new("negative");
    let path = folder.file("spread.parquet");
    let mut bars = rows(60, &["SPR"]);
    for row in &mut bars {
        row.prices[..4].iter_mut().for_each(|price| *price -= 105.0);
    }
    write_bars(&path, &bars, 16);
    for level in [CheckLevel::Fast, CheckLevel::Standard, CheckLevel::Paranoid] {
        let at = |allow_negative| ReadOptions { level, allow_negative, ..ReadOptions::default() };
        let strict = check(source(&path), &at(false)).expect("readable");
        assert!(errors(&strict).contains(&"D203"), "{strict}");
        let fix = &found(&strict, "D203").expect("told").fix;
        assert!(level == CheckLevel::Fast || fix.contains("allow_negative"), "{fix}");
        let allowed = check(source(&path), &at(true)).expect("readable");
        assert!(allowed.ok(), "{level:?}: {allowed}");
    }
    let options = ReadOptions { allow_negative: true, ..ReadOptions::default() };
    let mut reader = open_bars(source(&path), &options).expect("allowed");
    let read = reader.next_batch().expect("allowed").expect("rows");
    let closes: Vec<f64> = bars.iter().map(|row| row.prices[3]).collect();
    assert_eq!(read.close, closes);
    assert!(closes.iter().any(|close| *close < 0.0) && closes.iter().any(|close| *close > 0.0));
}

/// Bars of five minutes through the 21 sessions of XNYS of January 2024, moved by `shift`.
fn intraday(shift: impl Fn(usize) -> i64, begin: i64, step: i64) -> Vec<Row> {
    let calendar = Calendar::named("XNYS").expect("built in");
    let sessions = calendar.sessions(date("2024-01-01"), date("2024-02-01")).expect("known");
    let mut out = Vec::new();
    for (k, session) in sessions.iter().enumerate() {
        let mut time = session.open.0 + begin;
        while time <= session.close.0 {
            let prices = [100.0, 101.0, 99.0, 100.0 + (time / step % 7) as f64 / 10.0, 1000.0];
            let timestamp = time + shift(k) * MINUTE_NS;
            out.push(Row { timestamp, symbol: "AAA".to_owned(), prices, signal: 0.0 });
            time += step;
        }
    }
    out.sort_by_key(|row| row.timestamp);
    out
}

/// Minutes by which the rows of a day are moved.
type Shift = fn(usize) -> i64;
/// Days that are told, and the offset that most of them have.
type Told = Option<(u64, &'static str)>;

#[test]
fn times_when_of_another_zone_then_days_off_by_whole_half_hours_are_told() {
    let five = 5 * MINUTE_NS;
    // what, shift of day k in minutes, first stamp after the open, step; days told, usual offset
    let cases: [(&str, Shift, i64, i64, Told); 9] = [
        ("as they are", |_| 0, five, five, None),
        // New York in winter read as UTC.
        ("New York as UTC", |_| -300, five, five, Some((21, "-5 h"))),
        ("Kolkata", |_| 330, five, five, Some((21, "+5.5 h"))),
        ("no zone", |_| 7, five, five, None),
        ("11 of 21 days", |k| if k < 11 { 60 } else { 0 }, five, five, Some((11, "+1 h"))),
        ("10 of 21 days", |k| if k < 10 { 60 } else { 0 }, five, five, None),
        ("two offsets", |k| if k < 6 { -240 } else { -300 }, five, five, Some((21, "-5 h"))),
        ("stamped at the start", |_| 0, 0, five, None),
        ("half hours stamped at the start", |_| -30, five * 6, five * 6, Some((21, "-0.5 h"))),
    ];
    for (what, shift, begin, step, expected) in cases {
        let bars = intraday(shift, begin, step);
        let options = ReadOptions {
            level: CheckLevel::Paranoid,
            calendar: Some(Calendar::named("XNYS").expect("built in")),
            ..ReadOptions::default()
        };
        let report = check(stream(batch(&bars, utc(&bars), true)), &options).expect(what);
        let told = found(&report, "D308");
        assert_eq!(told.map(|f| f.count), expected.map(|(n, _)| n), "{what}: {report}");
        let Some((finding, (_, offset))) = told.zip(expected) else { continue };
        assert_eq!(finding.severity, Severity::Warning, "{what}");
        assert!(finding.message.contains(&format!("most often {offset}")), "{what}: {report}");
        let first = Timestamp(bars[0].timestamp).to_string();
        assert_eq!(finding.offenders[0].timestamp, first, "{what}");
        let standard = ReadOptions { level: CheckLevel::Standard, ..options };
        let report = check(stream(batch(&bars, utc(&bars), true)), &standard).expect(what);
        assert!(found(&report, "D308").is_none(), "{what}: {report}");
    }
}

#[test]
fn day_when_longer_than_its_session_then_no_zone_is_suspected() {
    // Trading before the open and after the close: half hours off, but not the same at both ends.
    let calendar = Calendar::named("XNYS").expect("built in");
    let sessions = calendar.sessions(date("2024-01-01"), date("2024-02-01")).expect("known");
    let mut bars = Vec::new();
    for session in sessions {
        let mut time = session.open.0 - 330 * MINUTE_NS + 5 * MINUTE_NS;
        while time <= session.close.0 + 240 * MINUTE_NS {
            let prices = [100.0, 101.0, 99.0, 100.5, 1000.0];
            bars.push(Row { timestamp: time, symbol: "AAA".to_owned(), prices, signal: 0.0 });
            time += 5 * MINUTE_NS;
        }
    }
    let options = ReadOptions {
        level: CheckLevel::Paranoid,
        calendar: Some(calendar),
        ..ReadOptions::default()
    };
    let report = check(stream(batch(&bars, utc(&bars), true)), &options).expect("readable");
    assert!(found(&report, "D308").is_none(), "{report}");
    assert!(found(&report, "D305").is_some(), "{report}");
}

const SESSIONS: usize = 40;

/// Daily bars of XNYS from 2024-01-02 on, and a signal of each session: the return that its close
/// ends, for the first `n_signals` of them.
fn daily(folder: &Folder, n_signals: usize) -> (std::path::PathBuf, Source) {
    let calendar = Calendar::named("XNYS").expect("built in");
    let sessions = calendar.sessions(date("2024-01-01"), date("2024-06-01")).expect("known");
    let symbols = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"];
    let mut bars = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
    let mut signals = "date,symbol,score\n".to_owned();
    let mut state = 7_u64;
    let mut closes = [100.0; 6];
    for (k, session) in sessions.iter().take(SESSIONS).enumerate() {
        for (symbol, close) in symbols.iter().zip(&mut closes) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let change = ((state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5) / 50.0;
            *close *= 1.0 + change;
            let (low, high) = (*close * 0.99, *close * 1.01);
            let _ = writeln!(bars, "{},{symbol},{close},{high},{low},{close},1000", session.date);
            if k < n_signals {
                let _ = writeln!(signals, "{},{symbol},{change}", session.date);
            }
        }
    }
    let path = folder.file("bars.csv");
    std::fs::write(&path, bars).expect("writable");
    (path, folder.text("signals.csv", &signals))
}

fn on_calendar(level: CheckLevel) -> ReadOptions {
    let calendar = Some(Calendar::named("XNYS").expect("built in"));
    ReadOptions { level, calendar, ..ReadOptions::default() }
}

#[test]
fn signals_when_known_at_the_close_or_a_day_later_then_the_smell_follows() {
    // A signal that holds the return of its own session: seen at that close it is told, seen at the
    // close of the next session it says nothing about the return that ends there.
    for (mode, is_told) in [("market_close", true), ("market_open", true), ("next_day", false)] {
        let folder = Folder::new(&format!("known-{mode}"));
        let (bars, signals) = daily(&folder, SESSIONS);
        let available_at = Availability::parse(mode).expect(mode);
        let how = SignalUse { available_at, ..SignalUse::default() };
        let options = on_calendar(CheckLevel::Paranoid);
        let report = check_signals(signals, source(&bars), &how, &options).expect("readable");
        assert!(report.ok(), "{mode}: {report}");
        assert_eq!(found(&report, "L105").is_some(), is_told, "{mode}: {report}");
    }
}

#[test]
fn signals_when_older_than_staleness_then_the_decisions_are_counted() {
    // Signals of sessions 1 to 10 of 40. Known at the open of the session after, the last one is of
    // age 0 in session 11, 2 in session 13: sessions 14 to 40 are stale, for six symbols. Known at
    // its own close it is of age 2 in session 12: sessions 13 to 40.
    for (mode, n_stale) in [("next_day", 27 * 6), ("market_close", 28 * 6)] {
        let folder = Folder::new(&format!("age-{mode}"));
        let (bars, signals) = daily(&folder, 10);
        let how = SignalUse {
            available_at: Availability::parse(mode).expect(mode),
            staleness: Some(Lag::parse("2sessions").expect("a lag")),
            delay: None,
        };
        let options = on_calendar(CheckLevel::Paranoid);
        let report = check_signals(signals, source(&bars), &how, &options).expect("readable");
        let finding = found(&report, "D604").unwrap_or_else(|| panic!("{mode}: {report}"));
        assert_eq!(finding.count, n_stale, "{mode}: {report}");
        assert!(finding.message.contains("staleness allows"), "{report}");
    }
}

#[test]
fn signals_when_said_to_be_known_too_early_then_findings_at_every_level() {
    let folder = Folder::new("too-early");
    let (bars, dated) = daily(&folder, 10);
    let at = |mode: &str| SignalUse {
        available_at: Availability::parse(mode).expect(mode),
        ..SignalUse::default()
    };
    // 16:30 in New York, half an hour after the close that would have shown it.
    let late = "timestamp,symbol,score\n2024-01-03T21:30:00Z,AAA,1\n2024-01-04T21:30:00Z,AAA,2\n";
    for level in [CheckLevel::Standard, CheckLevel::Paranoid] {
        let options = on_calendar(level);
        let late = folder.text("late.csv", late);
        let report = check_signals(late, source(&bars), &at("market_open"), &options);
        let report = report.expect("readable");
        assert_eq!(errors(&report), ["L101"], "{report}");
        let message = &found(&report, "L101").expect("told").message;
        assert!(message.contains("2024-01-03 21:30:00Z"), "{message}");
    }
    let options = on_calendar(CheckLevel::Standard);
    let report = check_signals(dated, source(&bars), &at("timestamp"), &options).expect("readable");
    assert_eq!(errors(&report), ["L102"], "{report}");
    let error = check_signals(
        folder.text("signals.csv", late),
        source(&bars),
        &at("next_day"),
        &ReadOptions::default(),
    );
    assert_eq!(error.expect_err("there is no calendar").code(), "C301");
}

#[test]
fn tables_when_no_bar_could_see_a_row_then_refused() {
    let folder = Folder::new("unseen");
    let path = folder.file("bars.parquet");
    let bars = rows(40, &["AAA"]);
    write_bars(&path, &bars, 1_000);
    let last = bars[bars.len() - 1].timestamp;
    let table = |times: &[i64]| {
        let lines: Vec<String> = times.iter().map(|time| format!("{time},AAA,1")).collect();
        format!("timestamp,symbol,score\n{}\n", lines.join("\n"))
    };
    let hour = 60 * MINUTE_NS;
    // the times of the signals, delay; whether a bar sees one
    for (times, delay, is_seen) in [
        (vec![last], None, true),
        (vec![last - 400 * 24 * hour], None, true),
        (vec![last + hour], None, false),
        (vec![last + hour, last], None, true),
        (vec![last], Some(Lag::Span(1)), false),
    ] {
        let open = || {
            let mut feed = DataFeed::new(source(&path));
            feed.signals = Some(folder.text("signals.csv", &table(&times)));
            feed.signal_delay = delay;
            feed.open()
        };
        assert_eq!(open().err().map(|e| e.code()), (!is_seen).then_some("D601"), "{times:?}");
        let signals = folder.text("signals.csv", &table(&times));
        let how = SignalUse { delay, ..SignalUse::default() };
        let report = check_signals(signals, source(&path), &how, &ReadOptions::default());
        let report = report.expect("readable");
        assert_eq!(errors(&report).contains(&"D601"), !is_seen, "{times:?}: {report}");
    }
    let mut feed = DataFeed::new(source(&path));
    let late = format!("timestamp,vix\n{},20\n", last + hour);
    feed.context = Some(folder.text("context.csv", &late));
    let error = feed.open().expect_err("the bars end before");
    assert_eq!(error.code(), "D601");
    assert!(error.message().contains("vix") && error.hint().is_some(), "{error}");
}

#[test]
fn bad_rows_when_dropped_or_made_missing_then_the_run_counts_them() {
    let folder = Folder::new("bad-rows");
    // Two of 40 rows have their high below their low.
    let mut text = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
    for day in 0..40_i64 {
        let high = if day == 7 || day == 30 { 8 } else { 11 };
        let _ = writeln!(text, "{},AAA,10,{high},9,10,1000", 1_704_067_200 + day * 86_400);
    }
    std::fs::write(folder.file("bars.csv"), text).expect("writable");
    let run = |on_bad_row: &str| {
        let config = format!(
            "data: {{asset_data: bars.csv, on_bad_row: {on_bad_row}}}\nstrategy: {{rule: noop}}\n"
        );
        let overlay = Overlay::default();
        let loaded = LoadedConfig::parse(&config, Format::Yaml, "run.yaml", &folder.0, &overlay);
        run::execute(&loaded.expect("a config"), &mut |_| Flow::Continue)
    };
    assert_eq!(run("error").expect_err("bad rows").code(), "D204");
    for (mode, line, n_rows) in [
        ("drop", "2 bad rows were dropped (on_bad_row: drop)", 38),
        ("null", "2 bad rows were made missing (on_bad_row: null)", 40),
    ] {
        let outcome = run(mode).expect("repaired");
        assert_eq!(outcome.facts.repairs, [line], "{mode}");
        assert_eq!(outcome.records.log().n_rows, n_rows, "{mode}");
        let page = tapeworks::report::html(&outcome.report_input()).expect("a page");
        assert!(page.contains(line), "{mode}");
    }
}
