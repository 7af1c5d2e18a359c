//! Checks of data across rows: planted faults that one rule finds, naive twins, and independence of
//! how the table is stored.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tapeworks::base::{Calendar, Timestamp};
use tapeworks::data::{
    CheckLevel, CheckReport, Finding, OnBadRow, ReadOptions, Severity, Source, check,
    check_context, open_bars,
};
use tapeworks::feed::{SignalUse, check_signals};

use crate::data::{DAY_NS, Folder, Row, batch, real, rows, source, stream, utc, write_bars};

const START: i64 = 19_000;

fn at(level: CheckLevel) -> ReadOptions {
    ReadOptions { level, ..ReadOptions::default() }
}

fn find<'a>(report: &'a CheckReport, code: &str, column: &str) -> Option<&'a Finding> {
    report.findings.iter().find(|f| f.code == code && f.column.starts_with(column))
}

fn csv(rows: &[Row], header: &str, more: impl Fn(&Row) -> String) -> String {
    let mut text = format!("timestamp,symbol,open,high,low,close,volume{header}\n");
    for row in rows {
        let _ = write!(text, "{},{}", row.timestamp, row.symbol);
        for value in row.prices {
            if value.is_nan() {
                text.push(',');
            } else {
                let _ = write!(text, ",{value}");
            }
        }
        text.push_str(&more(row));
        text.push('\n');
    }
    text
}

/// A fixed sequence of numbers in 0..1 without a random source.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn scale(row: &mut Row, factor: f64) {
    row.prices[..4].iter_mut().for_each(|price| *price *= factor);
}

fn of<'a>(bars: &'a mut [Row], symbol: &str, day: i64) -> &'a mut Row {
    let time = (START + day) * DAY_NS;
    bars.iter_mut().find(|r| r.symbol == symbol && r.timestamp == time).expect("the row is there")
}

#[test]
fn table_when_one_fault_is_planted_then_its_code_count_and_row_are_told() {
    type Plant = fn(&mut Vec<Row>);
    // what is planted, code, column, count, symbol and date of the first row
    let cases: [(&str, Plant, &str, &str, u64, &str, &str); 6] = [
        ("lost point", |b| scale(of(b, "BBB", 20), 100.0), "D206", "close", 1, "BBB", "2022-01-28"),
        ("print", |b| of(b, "BBB", 30).prices[4] = 2e6, "D206", "volume", 1, "BBB", "2022-02-07"),
        (
            "hole",
            |b| {
                b.retain(|r| {
                    r.symbol != "BBB" || !(START + 10..START + 20).contains(&(r.timestamp / DAY_NS))
                });
            },
            "D306",
            "symbol",
            10,
            "BBB",
            "2022-01-28",
        ),
        (
            "late stamp",
            |b| of(b, "AAA", 10).timestamp += 17_000_000_000,
            "D309",
            "timestamp",
            1,
            "AAA",
            "2022-01-18 00:00:17Z",
        ),
        (
            "no time",
            |b| of(b, "AAA", 0).timestamp = 0,
            "D304",
            "timestamp (1970)",
            1,
            "AAA",
            "1970-01-01",
        ),
        (
            "pause",
            |b| b.iter_mut().take(30).for_each(|r| r.timestamp -= 30 * DAY_NS),
            "D306",
            "timestamp",
            1,
            "AAA",
            "2022-01-18",
        ),
    ];
    for (what, plant, code, column, count, symbol, date) in cases {
        let mut bars = rows(40, &["AAA", "BBB", "CCC"]);
        plant(&mut bars);
        let report = check(stream(batch(&bars, utc(&bars), true)), &ReadOptions::default());
        let report = report.expect(what);
        assert!(report.ok(), "{what}: {report}");
        let finding = find(&report, code, column).unwrap_or_else(|| panic!("{what}: {report}"));
        assert_eq!(finding.severity, Severity::Warning, "{what}");
        assert_eq!(finding.count, count, "{what}: {report}");
        let first = &finding.offenders[0];
        assert_eq!((first.symbol.as_str(), first.timestamp.as_str()), (symbol, date), "{what}");
        assert!(!finding.fix.is_empty(), "{what}");
    }
    let bars = rows(40, &["AAA", "BBB", "CCC"]);
    let report = check(stream(batch(&bars, utc(&bars), true)), &ReadOptions::default());
    assert_eq!(report.expect("clean").findings, []);
}

#[test]
fn symbols_when_they_start_late_or_end_early_then_no_hole() {
    let mut bars = rows(40, &["AAA", "BBB", "CCC"]);
    bars.retain(|r| r.symbol != "BBB" || r.timestamp >= (START + 30) * DAY_NS);
    bars.retain(|r| r.symbol != "CCC" || r.timestamp < (START + 10) * DAY_NS);
    let report = check(stream(batch(&bars, utc(&bars), true)), &ReadOptions::default());
    assert_eq!(report.expect("clean").findings, []);
}

#[test]
fn rows_when_later_than_tomorrow_then_warned_about_only_where_the_present_is_known() {
    let bars = rows(40, &["AAA"]);
    let now = Some(Timestamp((START + 30) * DAY_NS));
    let options = ReadOptions { now, ..ReadOptions::default() };
    let report = check(stream(batch(&bars, utc(&bars), true)), &options).expect("a warning");
    // Days 32 to 39: the row of tomorrow itself may be there.
    assert_eq!(find(&report, "D304", "timestamp (future)").expect("told").count, 8);
}

#[test]
fn bars_when_they_end_before_they_start_or_overlap_then_d307() {
    let folder = Folder::new("overlap");
    let bars = rows(10, &["AAA", "BBB"]);
    let start = |row: &Row| format!(",{}", row.timestamp - DAY_NS);
    let read = |text: &str| {
        let source = folder.text("bars.csv", text);
        check(source, &ReadOptions::default()).expect("readable")
    };
    assert!(read(&csv(&bars, ",start_time", start)).ok());
    // start of the third row of AAA, how many rows break the rule
    for (start_of_third, n) in [(0, 1), (3, 1), (DAY_NS, 0), (DAY_NS + 3_600_000_000_000, 1)] {
        let third = bars[4].clone();
        let text = csv(&bars, ",start_time", |row| {
            let is_third = *row == third;
            format!(",{}", row.timestamp - if is_third { start_of_third } else { DAY_NS })
        });
        let report = read(&text);
        let found = find(&report, "D307", "start_time").map_or(0, |f| f.count);
        // A bar that starts late, but before its end, overlaps nothing.
        let expected = if start_of_third == 3 { 0 } else { n };
        assert_eq!(found, expected, "{start_of_third}: {report}");
        assert_eq!(report.ok(), expected == 0);
    }
}

/// Sessions by hand, in UTC: New York 14:30 to 21:00 on Friday 2024-03-08, 13:30 to 20:00 from
/// Monday on and to 17:00 on 2024-07-03; Hong Kong 01:30 to 08:00 with a break from 04:00 to 05:00.
#[test]
fn times_when_outside_the_sessions_of_the_calendar_then_d305() {
    let folder = Folder::new("off_sessions");
    let new_york = [
        ("2024-03-08T14:29:00Z", true),
        ("2024-03-08T14:30:00Z", false),
        ("2024-03-08T21:00:00Z", false),
        ("2024-03-08T21:01:00Z", true),
        ("2024-03-09T15:00:00Z", true),
        ("2024-03-11T13:30:00Z", false),
        ("2024-03-11T20:30:00Z", true),
        ("2024-07-03T17:00:00Z", false),
        ("2024-07-03T17:01:00Z", true),
    ];
    let hong_kong = [
        ("2024-03-08T01:31:00Z", false),
        ("2024-03-08T04:00:00Z", false),
        ("2024-03-08T04:30:00Z", true),
        ("2024-03-08T05:00:00Z", false),
        ("2024-03-08T14:30:00Z", true),
    ];
    for (calendar, times) in [("XNYS", &new_york[..]), ("XHKG", &hong_kong), ("24/7", &new_york)] {
        let mut text = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
        for (time, _) in times {
            for symbol in ["AAA", "BBB"] {
                let _ = writeln!(text, "{time},{symbol},10,11,9,10,100");
            }
        }
        let known = Some(Calendar::named(calendar).expect("built in"));
        let options = ReadOptions { calendar: known, ..ReadOptions::default() };
        let report = check(folder.text("bars.csv", &text), &options).expect("readable");
        let outside: Vec<u64> = (1..)
            .zip(times)
            .filter(|(_, (_, is_outside))| *is_outside && calendar != "24/7")
            .flat_map(|(n, _)| [2 * n - 1, 2 * n])
            .collect();
        let found = find(&report, "D305", "timestamp");
        assert_eq!(found.map_or(0, |f| f.count), outside.len() as u64, "{calendar}: {report}");
        let rows: Vec<u64> =
            found.map_or(vec![], |f| f.offenders.iter().map(|one| one.row).collect());
        assert_eq!(rows, outside[..outside.len().min(5)], "{calendar}");
        // Without a calendar there are no sessions.
        let report = check(folder.text("bars.csv", &text), &ReadOptions::default());
        assert!(find(&report.expect("readable"), "D305", "").is_none());
    }
}

#[test]
fn counts_when_negative_then_d205_and_identities_when_broken_then_d209() {
    let folder = Folder::new("identities");
    let bars = rows(30, &["AAA"]);
    let last = bars[29].clone();
    // columns, their values in clean rows, in the last row, code, column
    let cases = [
        (",n_trades", ",3", ",-3", "D205", "n_trades"),
        (",vwap", ",100", ",500", "D209", "vwap"),
        (",n_trades,n_buys,n_sells", ",9,4,5", ",9,5,5", "D209", "n_trades"),
        (",buy_volume,sell_volume", ",500,500", ",500,5000", "D209", "volume"),
    ];
    for (header, clean, broken, code, column) in cases {
        let more = |row: &Row| {
            // A vwap has to lie in the bar.
            let clean = match header {
                ",vwap" => format!(",{}", row.prices[0]),
                _ => clean.to_owned(),
            };
            if *row == last { broken.to_owned() } else { clean }
        };
        let source = || folder.text("bars.csv", &csv(&bars, header, more));
        let report = check(source(), &at(CheckLevel::Paranoid)).expect("readable");
        let finding = find(&report, code, column).unwrap_or_else(|| panic!("{header}: {report}"));
        assert_eq!((finding.count, finding.severity), (1, Severity::Error), "{header}");
        assert_eq!(finding.offenders[0].row, 30);
        if code == "D209" {
            assert!(check(source(), &at(CheckLevel::Standard)).expect("readable").ok());
        }
    }
}

#[test]
fn paranoid_when_a_fault_is_planted_then_its_code_is_told_at_that_level_alone() {
    type Plant = fn(&mut Vec<Row>);
    let cases: [(&str, Plant, &str, u64); 4] = [
        (
            "stale",
            |b| (100..105).for_each(|day| of(b, "BBB", day).prices = [50.0, 51.0, 49.0, 50.0, 9.0]),
            "D208",
            5,
        ),
        (
            "twins",
            |b| {
                for day in 3..250 {
                    let prices = of(b, "AAA", day - 3).prices;
                    of(b, "BBB", day).prices = prices;
                }
            },
            "D403",
            1,
        ),
        ("constant", |b| b.iter_mut().for_each(|r| r.signal = 7.0), "D604", 750),
        ("survivors", |_| {}, "D402", 3),
    ];
    for (what, plant, code, count) in cases {
        let mut random = noise(7);
        let mut bars = rows(250, &["AAA", "BBB", "CCC"]);
        for row in &mut bars {
            let shift = random();
            row.prices[..4].iter_mut().for_each(|price| *price += shift);
            row.signal = random();
        }
        plant(&mut bars);
        let table = || stream(batch(&bars, utc(&bars), true));
        let report = check(table(), &at(CheckLevel::Paranoid)).expect(what);
        let finding = find(&report, code, "").unwrap_or_else(|| panic!("{what}: {report}"));
        assert_eq!((finding.count, finding.severity), (count, Severity::Warning), "{report}");
        let others: Vec<&str> = report.findings.iter().map(|f| f.code.as_str()).collect();
        let expected = if code == "D402" { vec!["D402"] } else { vec!["D402", code] };
        let mut sorted = expected.clone();
        sorted.sort_unstable();
        let mut others: Vec<&str> =
            others.into_iter().filter(|c| *c != "D207" && *c != "D206").collect();
        others.sort_unstable();
        assert_eq!(others, sorted, "{what}: {report}");
        let standard = check(table(), &at(CheckLevel::Standard)).expect(what);
        assert!(find(&standard, code, "").is_none(), "{what}");
    }
}

#[test]
fn survivors_when_one_symbol_ends_early_then_no_word() {
    let mut bars = rows(250, &["AAA", "BBB"]);
    bars.retain(|r| r.symbol != "BBB" || r.timestamp < (START + 200) * DAY_NS);
    let report = check(stream(batch(&bars, utc(&bars), true)), &at(CheckLevel::Paranoid));
    assert!(find(&report.expect("readable"), "D402", "").is_none());
}

/// Signals that are the return of the next row, of their own row, or neither.
#[test]
fn signals_when_they_know_the_next_return_then_l105() {
    let names = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"];
    let mut random = noise(11);
    let mut bars = rows(60, &names);
    for row in &mut bars {
        let level = 100.0 + 20.0 * random();
        row.prices = [level, level + 1.0, level - 1.0, level, 100.0];
    }
    let clean = bars.clone();
    let close = |symbol: &str, time: i64| {
        let row = clean.iter().find(|r| r.symbol == symbol && r.timestamp == time);
        row.map_or(f64::NAN, |row| row.prices[3])
    };
    // what the signal is, the word of the finding
    let cases: [(&str, i64, i64, Option<&str>); 3] = [
        ("next", 0, 1, Some("to the next row")),
        ("own", -1, 0, Some("its own stamp")),
        ("noise", 0, 0, None),
    ];
    for (what, from, to, word) in cases {
        for row in &mut bars {
            let step = |n: i64| close(&row.symbol, row.timestamp + n * DAY_NS);
            row.signal = if word.is_some() { step(to) / step(from) } else { random() };
        }
        let report = check(stream(batch(&bars, utc(&bars), true)), &at(CheckLevel::Paranoid));
        let report = report.expect(what);
        let smells: Vec<&Finding> = report.findings.iter().filter(|f| f.code == "L105").collect();
        let told = smells.iter().any(|f| word.is_some_and(|word| f.message.contains(word)));
        assert_eq!(told, word.is_some(), "{what}: {report}");
        assert!(word.is_some() || smells.is_empty(), "{what}: {report}");
    }
}

#[test]
fn signals_and_context_when_checked_against_bars_then_ends_gaps_and_ages_are_told() {
    let folder = Folder::new("against");
    let path = folder.file("bars.parquet");
    write_bars(&path, &rows(40, &["AAA", "BBB"]), 1_000);
    let line = |day: i64, symbol: &str, value: &str| {
        format!("{},{symbol},{value}\n", Timestamp((START + day) * DAY_NS))
    };
    let mut text = "timestamp,symbol,score\n".to_owned();
    text += &line(-3, "AAA", "1");
    for day in 0..10 {
        text += &line(day, "AAA", if day == 4 { "" } else { "0.5" });
        text += &line(day, "BBB", &format!("{day}"));
    }
    text += &line(45, "BBB", "2");
    let told = |level| {
        let signals = folder.text("signals.csv", &text);
        let how = SignalUse::default();
        let report = check_signals(signals, source(&path), &how, &at(level)).expect("readable");
        let of = report.findings.iter().map(|f| (f.code.clone(), f.column.clone(), f.count));
        of.collect::<Vec<_>>()
    };
    let word = |code: &str, column: &str, count: u64| (code.to_owned(), column.to_owned(), count);
    let standard = told(CheckLevel::Standard);
    for expected in [
        word("D602", "score", 1),
        word("D602", "timestamp (after)", 1),
        word("D602", "timestamp (before)", 1),
    ] {
        assert!(standard.contains(&expected), "{standard:?}");
    }
    // The last signal but one is of day 9: decisions of days 15 to 39 are older than five days.
    let paranoid = told(CheckLevel::Paranoid);
    assert!(paranoid.contains(&word("D604", "score", 50)), "{paranoid:?}");

    let context = folder.text("context.csv", "timestamp,vix\n2022-01-08,20\n2022-01-09,\n");
    let report = check_context(context, Some(source(&path)), &ReadOptions::default());
    let report = report.expect("readable");
    assert_eq!(find(&report, "D603", "vix").expect("missing").count, 1);
    let ends = find(&report, "D603", "timestamp").expect("ends early");
    assert!(ends.offenders[0].values.contains("2022-02-16"), "{report}");
}

/// Counts of D206, D207 and D306 by loops over all pairs.
#[test]
fn findings_when_prices_are_random_then_equal_the_naive_twin() {
    for seed in 0..20 {
        let mut random = noise(seed);
        let mut bars = rows(120, &["AAA", "BBB", "CCC", "DDD"]);
        for row in &mut bars {
            let factor = match random() {
                u if u < 0.05 => 1.35,
                u if u < 0.08 => 0.6,
                u if u < 0.10 => 50.0,
                _ => 1.0,
            };
            scale(row, factor);
            if random() < 0.02 {
                row.prices[4] *= 5_000.0;
            }
        }
        bars.retain(|_| random() > 0.1);
        let report = check(stream(batch(&bars, utc(&bars), true)), &ReadOptions::default());
        let report = report.expect("warnings");
        let mut naive: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        let mut times: Vec<i64> = bars.iter().map(|r| r.timestamp).collect();
        times.dedup();
        for symbol in ["AAA", "BBB", "CCC", "DDD"] {
            let own: Vec<&Row> = bars.iter().filter(|r| r.symbol == symbol).collect();
            let close: Vec<f64> = own.iter().map(|r| r.prices[3]).collect();
            let volume: Vec<f64> = own.iter().map(|r| r.prices[4]).collect();
            let (first, last) = (own[0].timestamp, own[own.len() - 1].timestamp);
            let life = times.iter().filter(|t| (first..=last).contains(*t)).count();
            *naive.entry(("D306", "symbol")).or_default() += (life - own.len()) as u64;
            let mut busy_until = 0;
            for i in 1..close.len() {
                let ratio = close[i] / close[i - 1];
                let near = |r: f64| (ratio / r - 1.0).abs() <= 0.02;
                let split = (near(1.5) && volume[i] < volume[i - 1])
                    || (near(2.0 / 3.0) && volume[i] > volume[i - 1]);
                if ratio.ln().abs() > 0.4 || split {
                    *naive.entry(("D207", "close")).or_default() += 1;
                }
                let off = |i: usize, median: f64| (close[i] / median - 1.0).abs();
                let before = &close[i.saturating_sub(11)..i];
                let moved = close[i] > 1.1 * close[i - 1] || 1.1 * close[i] < close[i - 1];
                if before.len() >= 5 && moved && i >= busy_until {
                    let median = median(before);
                    if off(i, median) > 0.2 {
                        let back =
                            (i + 1..(i + 3).min(close.len())).find(|j| off(*j, median) <= 0.1);
                        busy_until = back.unwrap_or(i + 2);
                        *naive.entry(("D206", "close")).or_default() += u64::from(back.is_some());
                    }
                }
            }
            for i in 20..volume.len() {
                let before = &volume[i.saturating_sub(50)..i];
                if volume[i] > 1_000.0 * median(before) {
                    *naive.entry(("D206", "volume")).or_default() += 1;
                }
            }
        }
        for ((code, column), n) in naive {
            let found = find(&report, code, column).map_or(0, |f| f.count);
            assert_eq!(found, n, "seed {seed}: {code} {column}\n{report}");
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2])
}

/// Code, column and count of a finding, and the symbols hit.
type Fact = (String, String, u64, Vec<(String, u64)>);

/// Every kind of finding at once.
fn messy() -> Vec<Row> {
    let mut bars = rows(300, &["AAA", "BBB", "CCC", "DDD"]);
    for day in [20, 60, 61, 150, 200, 201, 290] {
        scale(of(&mut bars, "BBB", day), 3.0);
        of(&mut bars, "CCC", day).prices[4] = -1.0;
        of(&mut bars, "DDD", day).prices[4] = 9e6;
        of(&mut bars, "AAA", day).prices[1] = 1.0;
    }
    bars.retain(|r| r.symbol != "DDD" || (r.timestamp / DAY_NS) % 7 != 3);
    of(&mut bars, "CCC", 77).timestamp += 17_000_000_000;
    bars.sort_by_key(|r| r.timestamp);
    let again = bars[30].clone();
    bars.insert(31, again);
    bars
}

#[test]
fn findings_when_the_table_is_stored_or_read_in_other_ways_then_equal() {
    let folder = Folder::new("stored");
    let bars = messy();
    let path = folder.file("bars.parquet");
    for level in [CheckLevel::Standard, CheckLevel::Paranoid, CheckLevel::Fast] {
        let mut known: Option<CheckReport> = None;
        for group_rows in [1, 97, 100_000] {
            write_bars(&path, &bars, group_rows);
            for batch_rows in [1, 13, 100_000] {
                let options = ReadOptions { batch_rows, ..at(level) };
                let report = check(source(&path), &options).expect("readable");
                let same = known.get_or_insert_with(|| report.clone());
                let rows = |r: &CheckReport| {
                    // At `fast` the row groups themselves are told about.
                    let kept = r.findings.iter().filter(|f| {
                        level != CheckLevel::Fast
                            || !f.offenders.iter().any(|o| o.values.starts_with("row group"))
                    });
                    kept.cloned().collect::<Vec<Finding>>()
                };
                assert_eq!(rows(same), rows(&report), "{level:?} {group_rows} {batch_rows}");
            }
        }
    }
    // Other files: the same findings, at other places.
    write_bars(&path, &bars, 97);
    let facts = |source: Source| {
        let report = check(source, &at(CheckLevel::Paranoid)).expect("readable");
        let facts = report.findings.into_iter().map(|f| (f.code, f.column, f.count, f.symbols));
        facts.collect::<Vec<_>>()
    };
    let whole = facts(source(&path));
    assert!(whole.len() >= 8, "{whole:?}");
    for symbol in ["AAA", "BBB", "CCC", "DDD"] {
        let own: Vec<Row> = bars.iter().filter(|r| r.symbol == symbol).cloned().collect();
        write_bars(&folder.file(&format!("by/{symbol}.parquet")), &own, 50);
    }
    assert_eq!(facts(source(&folder.0.join("by"))), whole);
    let text = csv(&bars, ",signal", |row| format!(",{}", row.signal));
    let naked = |facts: Vec<Fact>| {
        facts.into_iter().filter(|f| f.0 != "D304" && f.0 != "D303").collect::<Vec<_>>()
    };
    assert_eq!(naked(facts(folder.text("bars.csv", &text))), naked(whole.clone()));
    assert_eq!(facts(stream(batch(&bars, utc(&bars), true))), whole);
}

#[test]
fn bad_rows_when_dropped_or_nulled_then_counted_at_every_level() {
    let mut bars = rows(100, &["AAA", "BBB"]);
    for day in [3, 50, 97] {
        of(&mut bars, "BBB", day).prices[1] = 1.0;
    }
    for level in [CheckLevel::Fast, CheckLevel::Standard, CheckLevel::Paranoid] {
        for (on_bad_row, n) in [(OnBadRow::Drop, 197), (OnBadRow::Null, 200)] {
            let options = ReadOptions { on_bad_row, ..at(level) };
            let table = || stream(batch(&bars, utc(&bars), true));
            let mut reader = open_bars(table(), &options).expect("readable");
            let (mut n_rows, mut n_missing) = (0, 0);
            while let Some(batch) = reader.next_batch().expect("repaired") {
                n_rows += batch.len();
                n_missing += batch.close.iter().filter(|close| close.is_nan()).count();
            }
            let report = reader.report();
            let repairs = [report.repairs.dropped_rows, report.repairs.nulled_rows];
            let expected = if on_bad_row == OnBadRow::Drop { ([3, 0], 0) } else { ([0, 3], 3) };
            assert_eq!((n_rows, repairs, n_missing), (n, expected.0, expected.1), "{level:?}");
            let finding = find(&report, "D204", "").expect("told");
            assert_eq!((finding.count, finding.severity), (3, Severity::Warning));
            assert_eq!(check(table(), &options).expect("repaired").repairs, report.repairs);
        }
    }
}

#[test]
fn fast_when_prices_are_wrong_anywhere_then_the_statistics_tell() {
    let folder = Folder::new("statistics");
    let path = folder.file("bars.parquet");
    let mut bars = rows(9_000, &["AAA"]);
    // Outside of the first 334 and the last 333 rows; D204 is not in the statistics.
    bars[1_000].prices[2] = -1.0;
    write_bars(&path, &bars, 500);
    let report = check(source(&path), &at(CheckLevel::Fast)).expect("readable");
    let finding = find(&report, "D203", "low").expect("in the statistics");
    assert!(finding.offenders[0].values.contains("row group 2"), "{report}");
    assert!(report.sample && !report.ok());
    let bars = rows(9_000, &["AAA"]);
    write_bars(&path, &bars, 500);
    let report = check(source(&path), &at(CheckLevel::Fast)).expect("readable");
    assert_eq!((report.findings.len(), report.n_rows), (0, 1_000), "{report}");
    assert_eq!(report.span, Some((START * DAY_NS, (START + 8_999) * DAY_NS)));
}

#[test]
fn repeats_when_they_are_most_of_the_table_then_an_error() {
    let row = rows(1, &["AAA"]);
    let bars = vec![row[0].clone(); 2_000];
    let report = check(stream(batch(&bars, utc(&bars), true)), &ReadOptions::default());
    let report = report.expect("readable");
    assert!(!report.ok() && find(&report, "D302", "").expect("told").count == 1_999, "{report}");
}

#[test]
fn real_aapl_when_as_found_then_the_gap_of_years_is_told() {
    let Some(path) = real("kaggle_sp500/as_found/AAPL_data.csv") else { return };
    let report = check(source(&path), &ReadOptions::default()).expect("readable");
    let gap = find(&report, "D306", "timestamp").expect("a gap");
    assert_eq!((gap.count, report.n_rows), (1, 1_259), "{report}");
    assert!(gap.offenders[0].timestamp.starts_with("2021-01"), "{report}");
}

/// Rows by the README of the files; daily and minute bars of Databento.
#[test]
fn real_dbn_when_of_bars_then_every_record_is_read() {
    let Some(folder) = real("nautilus/databento") else { return };
    let mut n_files = 0;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.contains("ohlcv") && name.ends_with(".dbn.zst") {
                let report = check(source(&path), &ReadOptions::default()).expect("readable");
                assert!([10, 20, 60].contains(&report.n_rows), "{name}: {report}");
                assert!(report.ok(), "{name}: {report}");
                n_files += 1;
            }
        }
    }
    assert!(n_files >= 3, "{n_files} files of bars");
}
