//! Tables of corporate actions: read, checked against bars, and applied to real prices.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use tapeworks::base::time::DAY_NS;
use tapeworks::base::{ActionKind, Adjustment, AssetId, Date, Error, Symbols, Timestamp};
use tapeworks::broker::AccountEventKind;
use tapeworks::data::{
    ActionTable, CheckReport, CsvFormat, ReadOptions, Severity, Source, adjust_prices, check,
    check_actions,
};
use tapeworks::engine::rules::BuyAndHold;
use tapeworks::engine::{EngineConfig, Flow, RunLog, run};
use tapeworks::feed::DataFeed;
use tapeworks::records::Records;

use crate::data::{Folder, real};

const HEADER: &str = "symbol,ex_date,kind,ratio,amount,pay_date,into\n";

fn path(folder: &Folder, name: &str, text: &str) -> Source {
    let path = folder.file(name);
    std::fs::write(&path, text).expect("a temporary file");
    Source::Path(path.to_string_lossy().into_owned())
}

/// A folder of its own for every call: tests run side by side.
fn folder() -> Folder {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    Folder::new(&format!("actions-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

fn midnight(text: &str) -> Timestamp {
    Timestamp(i64::from(Date::parse(text).expect("a date").0) * DAY_NS)
}

fn read(text: &str) -> Result<ActionTable, Error> {
    let folder = folder();
    ActionTable::read(path(&folder, "actions.csv", text), &ReadOptions::default())
}

/// Daily bars of two symbols from 2024-01-01 on; AAA falls to a half on the fifth day.
fn bars(folder: &Folder) -> Source {
    let mut text = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
    for day in 1..=9 {
        let a = if day < 5 { 100.0 } else { 50.0 };
        for (symbol, p) in [("AAA", a), ("BBB", 20.0)] {
            writeln!(text, "2024-01-0{day}T00:00:00Z,{symbol},{p},{p},{p},{p},1000")
                .expect("a string grows");
        }
    }
    path(folder, "bars.csv", &text)
}

fn warnings(report: &CheckReport) -> Vec<(&str, &str)> {
    let of = report.findings.iter().filter(|f| f.severity == Severity::Warning);
    of.map(|f| (f.code.as_str(), f.column.as_str())).collect()
}

#[test]
fn table_when_read_then_each_kind_has_its_figures() {
    let rows = "BBB,2024-01-09,dividend,,0.25,2024-02-01,\n\
                AAA,2024-01-05,split,2,,,\n\
                AAA,2024-01-08,merger,1.5,3,,BBB\n\
                BBB,2024-01-10,rename,,,,AAA\n\
                ZZZ,2024-01-05,split,3,,,\n";
    let symbols = Symbols::new(["AAA", "BBB"]);
    let table = read(&format!("{HEADER}{rows}")).expect("a table");
    let (found, report) = table.bind(&symbols, &ReadOptions::default());
    let (a, b) = (AssetId(0), AssetId(1));
    let date = |text: &str| Date::parse(text).expect("a date");
    let wanted = [
        (
            b,
            "2024-01-09",
            ActionKind::Dividend { amount: 0.25, pay_date: Some(date("2024-02-01")) },
        ),
        (a, "2024-01-05", ActionKind::Split { ratio: 2.0 }),
        (a, "2024-01-08", ActionKind::Merger { cash: 3.0, into: Some((b, 1.5)) }),
        (b, "2024-01-10", ActionKind::Rename { into: a }),
    ];
    let found: Vec<_> = found.iter().map(|one| (one.asset, one.ex_date, one.kind)).collect();
    assert_eq!(found, wanted.map(|(asset, day, kind)| (asset, date(day), kind)));
    assert_eq!(warnings(&report), [("D605", "symbol")], "ZZZ has no bars");
    // A run over some symbols knows that the table speaks of others.
    let table = read(&format!("{HEADER}{rows}")).expect("a table");
    let options = ReadOptions { symbols: Some(vec!["AAA".into()]), ..ReadOptions::default() };
    assert!(table.bind(&symbols, &options).1.findings.is_empty());
}

#[test]
fn table_when_a_row_is_no_action_then_it_is_refused_with_its_place() {
    let rows = [
        ("AAA,2024-01-05,split,0,,,", "ratio"),
        ("AAA,2024-01-05,split,-2,,,", "ratio"),
        ("AAA,2024-01-05,split,NaN,,,", "ratio"),
        ("AAA,2024-01-05,split,inf,,,", "ratio"),
        ("AAA,2024-01-05,split,two,,,", "\"two\" is no number"),
        ("AAA,2024-01-05,split,,,,", "ratio"),
        ("AAA,2024-01-05,split,2,,,\nAAA,2024-01-05,split,2,,,", "second split"),
        ("AAA,2024-01-05,dividend,,-1,,", "dividend of -1"),
        ("AAA,2024-01-05,dividend,,1,2024-01-04,", "paid before"),
        ("AAA,2024-01-05,dividend,,1,,\nAAA,2024-01-05,dividend,,1,,", "second dividend"),
        ("AAA,2024-01-05,merger,,,,", "merger gives"),
        ("AAA,2024-01-05,merger,2,,,", "merger gives"),
        ("AAA,2024-01-05,rename,,,,AAA", "names the other symbol"),
        ("AAA,2024-01-05,spinof,2,,,", "spinof"),
        ("AAA,2024-13-05,split,2,,,", "2024-13-05"),
        ("AAA,2024-01-05T13:30:00Z,split,2,,,", "13:30"),
        (",2024-01-05,split,2,,,", "no symbol"),
        ("AAA,,split,2,,,", "no ex_date"),
    ];
    for (row, words) in rows {
        let error = read(&format!("{HEADER}{row}\n")).map(drop).expect_err(row);
        assert_eq!(error.code(), "D605", "{row}");
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("actions.csv"), "{row}: {text}");
    }
    for (text, words) in [
        ("", "column"),
        (HEADER, "no rows"),
        ("symbol,ex_date,ratio\nAAA,2024-01-05,2\n", "no column kind"),
        ("symbol,when,kind\nAAA,2024-01-05,split\n", "no column ex_date"),
    ] {
        let error = read(text).map(drop).expect_err(words);
        assert!(error.code() == "D101" && error.to_string().contains(words), "{error}");
    }
    // Two different dividends of one day are two; midnights are dates.
    let two = "AAA,2024-01-05T00:00:00Z,dividend,,1,,\nAAA,2024-01-05 00:00:00,dividend,,2,,\n";
    assert!(read(&format!("{HEADER}{two}")).is_ok());
}

#[test]
fn actions_when_checked_against_bars_then_what_does_not_fit_is_warned_about() {
    let folder = folder();
    let found = |rows: &str| {
        let text = format!("symbol,date,kind,value\n{rows}\n");
        let actions = path(&folder, "actions.csv", &text);
        check_actions(actions, bars(&folder), &ReadOptions::default()).expect("a report")
    };
    let clean =
        found("AAA,2024-01-05,split,2\nBBB,2024-01-08,dividend,0.5\nAAA,2020-01-01,split,7");
    assert!(clean.findings.is_empty() && clean.n_rows == 3, "{clean}");
    for (row, column, words) in [
        ("AAA,2024-01-05,split,1000", "ratio", "1000"),
        ("BBB,2024-01-08,dividend,20", "amount", "close of 20"),
        ("ZZZ,2024-01-08,split,2", "symbol", "ZZZ"),
        ("AAA,2024-02-08,split,2", "ex_date", "after the last bar"),
    ] {
        let report = found(row);
        assert_eq!(warnings(&report), [("D605", column)], "{report}");
        assert!(report.ok() && report.findings[0].message.contains(words), "{report}");
    }
    assert!(!found("AAA,2024-01-05,split,0").ok());
}

/// A split explains the fall of the close; without it, or with another ratio, the fall is a jump.
#[test]
fn jump_when_an_action_explains_it_then_there_is_no_warning() {
    let folder = folder();
    let jumps = |ratio: Option<f64>| {
        let explained = ratio.map(|ratio| {
            let row = format!("{HEADER}AAA,2024-01-05,split,{ratio},,,\n");
            std::sync::Arc::new(read(&row).expect("a table").explained())
        });
        let options = ReadOptions { explained, ..ReadOptions::default() };
        let report = check(bars(&folder), &options).expect("a report");
        report.findings.iter().filter(|finding| finding.code == "D207").count()
    };
    assert_eq!(jumps(None), 1);
    assert_eq!(jumps(Some(2.0)), 0);
    assert_eq!(jumps(Some(4.0)), 1);
}

#[test]
fn feed_when_adjustment_and_actions_disagree_then_it_is_refused() {
    let folder = folder();
    let open = |actions: bool, adjustment: Option<Adjustment>| {
        let mut feed = DataFeed::new(bars(&folder));
        let row = format!("{HEADER}AAA,2024-01-05,split,2,,,\n");
        feed.actions = actions.then(|| path(&folder, "actions.csv", &row));
        feed.adjustment = adjustment;
        feed.open().map(drop).map_err(|error| error.code().to_owned())
    };
    let refused = Err("C341".to_owned());
    assert_eq!(open(true, None), refused);
    assert_eq!(open(true, Some(Adjustment::Stated)), refused);
    assert_eq!(open(false, Some(Adjustment::Split)), refused);
    assert_eq!(open(false, Some(Adjustment::Total)), refused);
    for (actions, adjustment) in [
        (false, None),
        (false, Some(Adjustment::Stated)),
        (false, Some(Adjustment::None)),
        (true, Some(Adjustment::None)),
        (true, Some(Adjustment::Total)),
    ] {
        assert_eq!(open(actions, adjustment), Ok(()));
    }
}

/// Prices of a view, against the definition row by row: each later action in turn.
#[test]
fn prices_when_adjusted_then_as_the_definition_row_by_row() {
    let folder = folder();
    let rows = "AAA,2024-01-05,split,2,,,\nAAA,2024-01-08,dividend,,5,,\n\
                AAA,2024-01-08,split,0.5,,,\nBBB,2024-02-01,dividend,,1,,\n";
    let adjust = |adjustment, view: Option<&str>| {
        let actions = path(&folder, "actions.csv", &format!("{HEADER}{rows}"));
        let view = view.map(|text| Date::parse(text).expect("a date"));
        let bars = bars(&folder);
        let found = adjust_prices(bars, actions, adjustment, view, &ReadOptions::default());
        let rows = found.expect("prices").rows;
        let of = |asset: u32, column: &[f64]| {
            let rows = rows.assets.iter().zip(column).filter(|(a, _)| **a == asset);
            rows.map(|(_, x)| *x).collect::<Vec<f64>>()
        };
        (of(0, &rows.close), of(0, &rows.volume), of(1, &rows.low))
    };
    // Days 1-4 at 100, 5-7 at 50, 8 and 9 at 50 after a reverse split of one for two, whose close
    // before is 100 in its units, less a dividend of 5.
    let (close, volume, low) = adjust(Adjustment::Split, None);
    assert_eq!(close, [100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 50.0, 50.0]);
    assert_eq!(volume, [1e3, 1e3, 1e3, 1e3, 500.0, 500.0, 500.0, 1e3, 1e3]);
    assert_eq!(low, [20.0; 9]);
    let (close, _, low) = adjust(Adjustment::Total, None);
    assert_eq!(close, [95.0, 95.0, 95.0, 95.0, 95.0, 95.0, 95.0, 50.0, 50.0]);
    assert_eq!(low, [20.0; 9], "the dividend of February is not known on the last day");
    let (close, volume, _) = adjust(Adjustment::Total, Some("2024-01-05"));
    assert_eq!(close, [50.0; 9]);
    assert_eq!(volume[..5], [2e3, 2e3, 2e3, 2e3, 1e3]);
    let (_, _, low) = adjust(Adjustment::Total, Some("2024-02-01"));
    assert_eq!(low, [19.0; 9]);
    let plain = path(&folder, "actions.csv", &format!("{HEADER}{rows}"));
    let refused =
        adjust_prices(bars(&folder), plain, Adjustment::None, None, &ReadOptions::default());
    assert_eq!(refused.map(drop).expect_err("no change").code(), "C341");
}

/// AAPL as LEAN has it, raw, in integers of a ten-thousandth.
fn aapl() -> Option<(Source, ReadOptions)> {
    let file = real("lean/equity/usa/daily/aapl.zip")?;
    let columns = ["timestamp", "open", "high", "low", "close", "volume"];
    let options = ReadOptions {
        csv: CsvFormat {
            columns: Some(columns.map(str::to_owned).to_vec()),
            price_scale: 0.0001,
            ..CsvFormat::default()
        },
        start: Some(midnight("2012-01-03")),
        end: Some(midnight("2014-12-31")),
        ..ReadOptions::default()
    };
    Some((Source::Path(file.to_string_lossy().into_owned()), options))
}

/// Seven for one on 2014-06-09: raw prices of one provider, adjusted by us, against the adjusted
/// ones of another (the closes of both are rounded, and come from different feeds).
#[test]
fn aapl_when_adjusted_for_its_split_then_as_another_provider_has_it() {
    let (Some((bars, options)), Some(other)) =
        (aapl(), real("zipline/csvdir_samples/csvdir/daily/AAPL.csv.gz"))
    else {
        return;
    };
    let folder = folder();
    let actions = path(&folder, "actions.csv", &format!("{HEADER}aapl,2014-06-09,split,7,,,\n"));
    let ours = adjust_prices(bars, actions, Adjustment::Split, None, &options).expect("prices");
    let other = Source::Path(other.to_string_lossy().into_owned());
    let mut reader = tapeworks::data::open_bars(other, &ReadOptions::default()).expect("bars");
    let mut theirs = std::collections::BTreeMap::new();
    while let Some(batch) = reader.next_batch().expect("clean bars") {
        theirs.extend(batch.timestamps.iter().copied().zip(batch.close));
    }
    let mut n = 0;
    for (ns, close) in ours.rows.timestamps.iter().zip(&ours.rows.close) {
        let Some(theirs) = theirs.get(ns) else { continue };
        n += 1;
        assert!((close / theirs - 1.0).abs() < 2e-3, "{}: {close}, {theirs}", Timestamp(*ns));
    }
    assert!(n > 700, "{n} days in common");
}

/// Bought and held over the split with raw prices: the units are seven times as many, the equity is
/// that of a seventh of the price, and no day has a return that the adjusted prices do not have.
#[test]
fn aapl_when_held_over_its_split_then_equity_does_not_jump() {
    let Some((bars, options)) = aapl() else { return };
    let folder = folder();
    let hold = |with_actions: bool, bars: Source| -> RunLog {
        let mut feed = DataFeed::new(bars);
        feed.read = options.clone();
        let table = format!(
            "{HEADER}aapl,2014-06-09,split,7,,,\naapl,2014-08-07,dividend,,0.47,2014-08-14,\n"
        );
        if with_actions {
            feed.actions = Some(path(&folder, "actions.csv", &table));
            feed.adjustment = Some(Adjustment::None);
        }
        let config = EngineConfig { check_invariants: true, ..EngineConfig::default() };
        let mut feed = feed.open().expect("a feed");
        run(&mut feed, &mut BuyAndHold::new(), &config, &mut |_| Flow::Continue).expect("it runs")
    };
    let log = hold(true, bars);
    let units = log.fills[0].quantity;
    let splits: Vec<f64> = log
        .account_events
        .iter()
        .filter(|event| event.kind == AccountEventKind::Split)
        .map(|event| event.amount)
        .collect();
    assert_eq!(splits, [7.0]);
    let equity = &log.states.equity;
    let at = |text: &str| {
        let day = midnight(text);
        log.states.timestamp.binary_search(&day.0).expect("a day with a row")
    };
    let (before, on) = (at("2014-06-06"), at("2014-06-09"));
    // 645.57 and 93.70 by the file: the gain of the day is 7 x 93.70 - 645.57 a unit held before.
    let gain = units * (7.0 * 93.70 - 645.57);
    assert!((equity[on] - equity[before] - gain).abs() < 1e-6, "{}", equity[on] - equity[before]);
    let (ex, paid) = (at("2014-08-07"), at("2014-08-14"));
    let income = 7.0 * units * 0.47;
    assert!((log.states.receivable[ex] - income).abs() < 1e-9);
    assert_eq!(log.states.receivable[paid], 0.0);
    assert!((log.states.cash[paid] - log.states.cash[ex] - income).abs() < 1e-9);
    let records = Records::new(log);
    let trade = records.trades().next().expect("one trade");
    assert!((trade.entry_quantity - 7.0 * units).abs() < 1e-9);
    assert!((trade.dividends - income).abs() < 1e-9);
}
