//! Indicators of the preparer over raw prices with corporate actions, against tables that are
//! adjusted as of each row.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};

use tapeworks::base::time::DAY_NS;
use tapeworks::base::{Adjustment, Date, Result, Step};
use tapeworks::data::{ReadOptions, Source, adjust_prices};
use tapeworks::feed::{ChunkSource, DataFeed, Layout, MarketChunk};
use tapeworks::prepare::{
    DataPreparer, INDICATORS, IndicatorSet, IndicatorSpec, PrepareReport, SaveOptions,
};
use tapeworks::run;
use tapeworks::run::config::{Format, LoadedPrepare};

use crate::data::Folder;

const RELATIVE: f64 = 1e-9;
/// Differences of prices near 0 are known to the rounding of the prices only.
const ABSOLUTE: f64 = 1e-9;
const BARS: &str = "timestamp,symbol,open,high,low,close,volume,vwap,notional\n";
const ACTIONS: &str = "symbol,ex_date,kind,ratio,amount\n";
/// 2024-01-01.
const FIRST_DAY: i64 = 19_723;
const N_DAYS: usize = 150;

/// A folder of its own for every call: tests run side by side.
fn folder() -> Folder {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    Folder::new(&format!("prepare-actions-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

fn source(folder: &Folder, name: &str, text: &str) -> Source {
    let path = folder.file(name);
    fs::write(&path, text).unwrap();
    Source::Path(path.to_string_lossy().into_owned())
}

fn day(n: usize) -> Date {
    Date(i32::try_from(FIRST_DAY).unwrap() + i32::try_from(n).unwrap())
}

/// symbol, day from which it is effective, kind, ratio or amount.
type Action = (&'static str, usize, &'static str, f64);

/// Every kind of step: powers of two, 7:1, reverse, dividends, both on one day, two on days
/// on which AAA has no row, and one from before the first row of BBB.
const STEPS: [Action; 10] = [
    ("AAA", 40, "split", 2.0),
    ("AAA", 55, "dividend", 1.5),
    ("AAA", 70, "split", 7.0),
    ("AAA", 90, "split", 0.25),
    ("AAA", 90, "dividend", 2.0),
    ("AAA", 120, "split", 4.0),
    ("AAA", 121, "dividend", 0.5),
    ("BBB", 10, "split", 3.0),
    ("BBB", 100, "dividend", 4.0),
    ("BBB", 149, "split", 2.0),
];

fn table(steps: &[Action]) -> String {
    let mut text = ACTIONS.to_owned();
    for (symbol, n, kind, value) in steps {
        let value = if *kind == "split" { format!("{value},") } else { format!(",{value}") };
        writeln!(text, "{symbol},{},{kind},{value}", day(*n)).unwrap();
    }
    text
}

/// Raw bars of AAA and, from day 20 on, BBB; without the days 120 and 121 of AAA. A generator of
/// its own, so that the table is the same everywhere.
fn bars() -> String {
    let mut state = 12_345_u64;
    let mut draw = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1_u32 << 24)
    };
    let mut text = BARS.to_owned();
    let mut price = [200.0, 80.0];
    for n in 0..N_DAYS {
        for (at, symbol) in ["AAA", "BBB"].into_iter().enumerate() {
            for step in STEPS.iter().filter(|step| step.0 == symbol && step.1 == n && n > 20) {
                price[at] = if step.2 == "split" { price[at] / step.3 } else { price[at] - step.3 };
            }
            let open = price[at] * (1.0 + 0.02 * (draw() - 0.5));
            let close = open * (1.0 + 0.06 * (draw() - 0.5));
            let high = open.max(close) * (1.0 + 0.02 * draw());
            let low = open.min(close) * (1.0 - 0.02 * draw());
            let volume = (1_000.0 * (1.0 + draw()) * 100.0 / open).round();
            price[at] = close;
            if (at == 1 && n < 20) || (at == 0 && (n == 120 || n == 121)) {
                continue;
            }
            let date = day(n);
            let (vwap, notional) = (f64::midpoint(high, low), close * volume);
            writeln!(
                text,
                "{date}T16:00:00Z,{symbol},{open},{high},{low},{close},{volume},{vwap},{notional}"
            )
            .unwrap();
        }
    }
    text
}

fn every_spec() -> Vec<String> {
    INDICATORS.iter().map(|one| one.name.to_owned()).collect()
}

fn save(preparer: &mut DataPreparer, folder: &Folder, name: &str) -> Result<PrepareReport> {
    let options = SaveOptions::new(folder.file(name));
    preparer.validate_and_save(&options, &mut |_| ControlFlow::Continue(()))
}

/// A preparer over `bars` with `indicators`; no actions table without steps.
fn preparer(
    folder: &Folder,
    bars: &str,
    indicators: &[&str],
    adjustment: Option<Adjustment>,
    steps: &[Action],
) -> DataPreparer {
    let mut preparer = DataPreparer::new();
    preparer.add_prices(source(folder, "bars.csv", bars), None).unwrap();
    let table = (!steps.is_empty()).then(|| source(folder, "actions.csv", &table(steps)));
    preparer.set_adjustment(adjustment, table).unwrap();
    preparer.add_indicators(indicators.iter().copied()).unwrap();
    preparer
}

/// All rows of a prepared file: names of the columns beside prices, and the rows.
fn rows(folder: &Folder, name: &str) -> (Vec<String>, MarketChunk) {
    let path = folder.file(name).to_string_lossy().into_owned();
    let mut feed = DataFeed::new(Source::Path(path)).open().unwrap();
    let names = feed.layout().signals.clone();
    let mut all = MarketChunk { signals: vec![Vec::new(); names.len()], ..MarketChunk::default() };
    while let Some(part) = feed.next_chunk().unwrap() {
        for (&stamp, ends) in part.timestamps.iter().zip(part.offsets.windows(2)) {
            all.timestamps.extend((ends[0]..ends[1]).map(|_| stamp));
        }
        all.assets.extend(&part.assets);
        all.close.extend(&part.close);
        for (column, more) in all.signals.iter_mut().zip(&part.signals) {
            column.extend(more);
        }
    }
    (names, all)
}

/// One column of a prepared file with one symbol.
fn column(folder: &Folder, name: &str, wanted: &str) -> Vec<f64> {
    let (names, rows) = rows(folder, name);
    let at = names.iter().position(|name| name == wanted).unwrap();
    rows.signals[at].clone()
}

fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() <= RELATIVE * b.abs() + ABSOLUTE
}

/// All 52 indicators at every tenth row and around every action: the value is the last one over the
/// raw table adjusted as of the session of the row, computed without any action.
#[test]
fn indicators_when_actions_pass_then_as_over_a_table_adjusted_as_of_the_row() {
    let folder = folder();
    let text = bars();
    let specs = every_spec();
    let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
    let parsed: Vec<IndicatorSpec> =
        specs.iter().map(|text| IndicatorSpec::parse(text).unwrap()).collect();
    let layout = Layout { signals: vec!["vwap".into(), "notional".into()], ..Layout::default() };
    for adjustment in [Adjustment::Split, Adjustment::Total] {
        save(
            &mut preparer(&folder, &text, &specs, Some(adjustment), &STEPS),
            &folder,
            "out.parquet",
        )
        .unwrap();
        let (names, ours) = rows(&folder, "out.parquet");
        let mut faults = Vec::new();
        let mut n_values = 0;
        let near = |n: usize| STEPS.iter().any(|step| (step.1..step.1 + 4).contains(&n));
        for n in (0..N_DAYS).filter(|&n| n % 10 == 0 || near(n)) {
            let view = adjust_prices(
                source(&folder, "view.csv", &text),
                source(&folder, "actions.csv", &table(&STEPS)),
                adjustment,
                Some(day(n)),
                &ReadOptions::default(),
            )
            .unwrap();
            assert_eq!(view.extras, ["vwap", "notional"]);
            for asset in 0..2_u32 {
                let until = (FIRST_DAY + i64::try_from(n).unwrap() + 1) * DAY_NS;
                let kept: Vec<usize> = (0..view.rows.assets.len())
                    .filter(|&i| view.rows.assets[i] == asset && view.rows.timestamps[i] < until)
                    .collect();
                let Some(&last) =
                    kept.last().filter(|&&i| view.rows.timestamps[i] > until - DAY_NS)
                else {
                    continue;
                };
                let of = |column: &[f64]| kept.iter().map(|&i| column[i]).collect::<Vec<f64>>();
                let n_rows = u32::try_from(kept.len()).unwrap();
                let alone = MarketChunk {
                    timestamps: (0..i64::from(n_rows)).collect(),
                    offsets: (0..=n_rows).collect(),
                    assets: vec![0; kept.len()],
                    open: of(&view.rows.open),
                    high: of(&view.rows.high),
                    low: of(&view.rows.low),
                    close: of(&view.rows.close),
                    volume: of(&view.rows.volume),
                    signals: view.rows.extras.iter().map(|column| of(column)).collect(),
                    ..MarketChunk::default()
                };
                let mut set = IndicatorSet::new(&parsed, &layout).unwrap();
                let theirs = set.push_chunk(&alone);
                let row = (0..ours.assets.len())
                    .find(|&i| {
                        ours.assets[i] == asset && ours.timestamps[i] == view.rows.timestamps[last]
                    })
                    .unwrap();
                for (name, values) in set.columns().iter().zip(&theirs) {
                    let at = names.iter().position(|ours| ours == name).unwrap();
                    let (ours, theirs) = (ours.signals[at][row], values[values.len() - 1]);
                    n_values += usize::from(!theirs.is_nan());
                    if !same(ours, theirs) {
                        faults.push(format!("day {n} asset {asset} {name}: {ours} {theirs}"));
                    }
                }
            }
        }
        assert!(faults.is_empty(), "{adjustment:?} {}\n{}", faults.len(), faults.join("\n"));
        assert!(n_values > 3_000, "{n_values}");
    }
}

/// Bars whose prices are one number, a day each.
fn flat(rows: &[(f64, f64)]) -> String {
    let mut text = BARS.to_owned();
    for (n, (close, volume)) in rows.iter().enumerate() {
        let (date, money) = (day(n), close * volume);
        writeln!(
            text,
            "{date}T16:00:00Z,AAA,{close},{close},{close},{close},{volume},{close},{money}"
        )
        .unwrap();
    }
    text
}

/// The same without the columns vwap and notional.
fn without_money(text: &str) -> String {
    let cut = |line: &str| line.rsplitn(3, ',').last().unwrap().to_owned();
    text.lines().map(cut).collect::<Vec<String>>().join("\n")
}

/// closes and volumes, actions, adjustment, indicator, its column by hand.
type Case<'a> = (&'a [(f64, f64)], &'a [Action], Adjustment, &'a str, &'a [f64]);

#[test]
fn indicators_when_actions_pass_then_as_by_hand() {
    use Adjustment::{None, Split, Total};
    let nan = f64::NAN;
    let halved = [(100.0, 10.0), (102.0, 10.0), (51.0, 20.0), (52.0, 20.0)];
    let split: [Action; 1] = [("AAA", 2, "split", 2.0)];
    let paid = [(100.0, 10.0), (90.0, 10.0), (99.0, 10.0)];
    let dividend: [Action; 1] = [("AAA", 1, "dividend", 10.0)];
    let small = [(100.0, 0.01), (51.0, 0.01), (52.0, 0.005)];
    let half: [Action; 1] = [("AAA", 1, "dividend", 50.0)];
    let cases: [Case<'_>; 13] = [
        // 50, 51 | 51, 52 in new units.
        (&halved, &split, Split, "sma:2", &[nan, 101.0, 51.0, 51.5]),
        (&halved, &split, None, "sma:2", &[nan, 101.0, 76.5, 51.5]),
        (&halved, &split, Split, "mom:1", &[nan, 2.0, 0.0, 1.0]),
        (&halved, &split, Split, "returns:2", &[nan, nan, 0.02, 52.0 / 51.0 - 1.0]),
        // 10 + 10 old units are 40 new ones; no change on the third day, 20 on the fourth.
        (&halved, &split, Split, "obv", &[10.0, 20.0, 40.0, 60.0]),
        // Mean of squares about 101, and about 50.5 or 51.5 in new units.
        (&halved, &split, Split, "var:2", &[nan, 1.0, 0.0, 0.25]),
        // Money stays money.
        (&halved, &split, Split, "adv:2", &[nan, 1010.0, 1020.0, 1030.0]),
        // A line from 51 to 52 rises by 1 a row.
        (&halved, &split, Split, "linreg_angle:2", &[nan, 2_f64.atan().to_degrees(), 0.0, 45.0]),
        // 100 is 90 without the dividend; it is paid in full, so nothing was lost.
        (&paid, &dividend, Total, "returns:1", &[nan, 0.0, 0.1]),
        (&paid, &dividend, Total, "sma:2", &[nan, 90.0, 94.5]),
        (&paid, &dividend, Split, "sma:2", &[nan, 95.0, 94.5]),
        (&paid, &dividend, Total, "adv:2", &[nan, 950.0, 945.0]),
        // 0.51 + 0.26 flow in units of the last row: below 1.
        (&small, &half, Total, "mfi:2", &[nan, nan, 0.0]),
    ];
    for (prices, steps, adjustment, indicator, wanted) in cases {
        let folder = folder();
        let name = IndicatorSpec::parse(indicator).unwrap().columns()[0].clone();
        // With a column of money, and with close x volume in its place.
        for text in [flat(prices), without_money(&flat(prices))] {
            let mut preparer = preparer(&folder, &text, &[indicator], Some(adjustment), steps);
            save(&mut preparer, &folder, "out.parquet").unwrap();
            let ours = column(&folder, "out.parquet", &name);
            let all = ours.iter().zip(wanted).all(|(a, b)| same(*a, *b));
            assert!(all && ours.len() == wanted.len(), "{indicator} {adjustment:?}: {ours:?}");
        }
        // What is traded is written.
        let closes = rows(&folder, "out.parquet").1.close;
        assert_eq!(closes, prices.iter().map(|row| row.0).collect::<Vec<f64>>());
    }
}

/// The same bytes for any batches; and no row knows an action from after its session.
#[test]
fn prepared_when_cut_or_without_the_future_then_the_same_rows() {
    let folder = folder();
    let text = bars();
    let specs = every_spec();
    let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
    let total = Some(Adjustment::Total);
    save(&mut preparer(&folder, &text, &specs, total, &STEPS), &folder, "whole.parquet").unwrap();
    let whole = fs::read(folder.file("whole.parquet")).unwrap();
    for batch_rows in [1, 7, 64] {
        let mut cut = preparer(&folder, &text, &specs, total, &STEPS);
        cut.read.batch_rows = batch_rows;
        save(&mut cut, &folder, "cut.parquet").unwrap();
        assert!(fs::read(folder.file("cut.parquet")).unwrap() == whole, "{batch_rows}");
    }
    let (names, all) = rows(&folder, "whole.parquet");
    let mut n_later = 0;
    for until in [39, 54, 70, 119] {
        let known: Vec<Action> = STEPS.into_iter().filter(|step| step.1 <= until).collect();
        save(&mut preparer(&folder, &text, &specs, total, &known), &folder, "known.parquet")
            .unwrap();
        let (_, known) = rows(&folder, "known.parquet");
        let end = (FIRST_DAY + i64::try_from(until).unwrap() + 1) * DAY_NS;
        for (name, (ours, theirs)) in names.iter().zip(all.signals.iter().zip(&known.signals)) {
            for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
                let is_same = a.to_bits() == b.to_bits();
                assert!(is_same || all.timestamps[i] >= end, "{until} {name} row {i}: {a} {b}");
                n_later += usize::from(!is_same);
            }
        }
    }
    assert!(n_later > 100, "later rows know them: {n_later}");
}

/// Without a step to restate by, the figures are those without actions; jumps that actions explain
/// are none in the result.
#[test]
fn prepared_when_raw_and_as_quoted_then_indicators_as_without_actions() {
    let folder = folder();
    let text = bars();
    let specs = ["sma:20", "obv", "atr:14"];
    let none = Some(Adjustment::None);
    save(&mut preparer(&folder, &text, &specs, None, &[]), &folder, "plain.parquet").unwrap();
    let report =
        save(&mut preparer(&folder, &text, &specs, none, &STEPS), &folder, "none.parquet").unwrap();
    for name in ["sma_20", "obv", "atr_14"] {
        let (plain, none) =
            (column(&folder, "plain.parquet", name), column(&folder, "none.parquet", name));
        assert!(plain.iter().zip(&none).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}");
    }
    let jumps = |report: &PrepareReport| {
        let found = report.input.findings.iter().chain(&report.result.findings);
        found.filter(|finding| finding.code == "D207").count()
    };
    assert_eq!(jumps(&report), 0, "{report}");
    let report =
        save(&mut preparer(&folder, &text, &specs, None, &[]), &folder, "plain.parquet").unwrap();
    assert_eq!(jumps(&report), 2, "input and result, when nothing explains them: {report}");
}

#[test]
fn config_when_it_names_actions_then_as_the_calls() {
    let folder = folder();
    let text = bars();
    let split = Some(Adjustment::Split);
    let specs = ["rsi:14", "bbands", "ad"];
    save(&mut preparer(&folder, &text, &specs, split, &STEPS), &folder, "calls.parquet").unwrap();
    let config = "prepare:\n  prices: bars.csv\n  actions: actions.csv\n  adjustment: split\n  \
                  indicators: [rsi:14, bbands, ad]\n  asset_output: config.parquet\n";
    let directory = folder.file("bars.csv").parent().unwrap().to_path_buf();
    let loaded = LoadedPrepare::parse(config, Format::Yaml, "prepare.yaml", &directory).unwrap();
    run::prepare(&loaded, &mut |_| ControlFlow::Continue(())).unwrap();
    let read = |name: &str| fs::read(folder.file(name)).unwrap();
    assert!(read("calls.parquet") == read("config.parquet"));
    let wrong = config.replace("split", "splits");
    let refused = LoadedPrepare::parse(&wrong, Format::Yaml, "prepare.yaml", &directory);
    assert!(refused.expect_err("no adjustment").to_string().contains("adjustment"));
}

#[test]
fn preparer_when_actions_and_adjustment_disagree_then_c341_and_no_file() {
    let folder = folder();
    let actions = || Some(source(&folder, "actions.csv", &table(&STEPS)));
    for (adjustment, table) in [
        (None, actions()),
        (Some(Adjustment::Stated), actions()),
        (Some(Adjustment::Split), None),
        (Some(Adjustment::Total), None),
    ] {
        let error = DataPreparer::new().set_adjustment(adjustment, table).expect_err("refused");
        assert_eq!(error.code(), "C341");
        assert!(error.hint().is_some(), "{error}");
    }
    assert!(DataPreparer::new().set_adjustment(Some(Adjustment::Stated), None).is_ok());
    // Weeks that are put together here would have rows of two units; so would days of no session.
    for (step, text) in [("1w", "before and after an action"), ("1d", "no calendar")] {
        let mut hours = BARS.to_owned();
        for n in 0..400 {
            let (day, hour) = (day(n / 8), 10 + n % 8);
            writeln!(hours, "{day}T{hour}:00:00Z,AAA,1,1,1,1,1,1,1").unwrap();
        }
        let mut preparer = DataPreparer::new();
        let step = Step::parse(step).unwrap();
        preparer.add_prices(source(&folder, "hours.csv", &hours), Some(step)).unwrap();
        preparer.set_adjustment(Some(Adjustment::Split), actions()).unwrap();
        let error = save(&mut preparer, &folder, "none.parquet").expect_err("two units");
        assert_eq!(error.code(), "C341", "{error}");
        assert!(error.message().contains(text), "{error}");
        assert!(!folder.file("none.parquet").exists());
    }
    // A row that is no action names its place.
    let mut preparer = preparer(&folder, &bars(), &["sma"], None, &[]);
    let table = source(&folder, "actions.csv", &format!("{ACTIONS}AAA,2024-01-05,split,-2,\n"));
    preparer.set_adjustment(Some(Adjustment::Split), Some(table)).unwrap();
    let error = save(&mut preparer, &folder, "none.parquet").expect_err("no action");
    assert_eq!(error.code(), "D605", "{error}");
    assert!(error.to_string().contains("actions.csv"), "{error}");
}
