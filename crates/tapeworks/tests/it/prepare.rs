//! Room `prepare`: the joins against a naive twin, the files, what is refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::TimestampNanosecondArray;
use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use arrow::record_batch::{RecordBatch, RecordBatchIterator};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use tapeworks::base::time::DAY_NS;
use tapeworks::base::{Error, Result, Step};
use tapeworks::data::Source;
use tapeworks::engine::Flow;
use tapeworks::feed::{DataFeed, Lag};
use tapeworks::prepare::{
    Compression, ContextTerms, DataPreparer, PartitionBy, PrepareReport, SaveOptions, SignalTerms,
    Universe,
};
use tapeworks::run::config::Format;
use tapeworks::run::{self, LoadedConfig, Overlay, sample_reader};

use crate::random::draws;

const MINUTE_NS: i64 = 60_000_000_000;
/// Friday 2024-01-05 00:00 UTC.
const START: i64 = 19_727 * DAY_NS;

/// timestamp, symbol, value; a missing value is `None`.
type SignalRow = (i64, &'static str, Option<f64>);

/// What a bar (timestamp, symbol, close) has in a column.
type Told<'a> = &'a dyn Fn(&(i64, &'static str, f64)) -> Option<String>;

fn times(stamps: impl Iterator<Item = i64>) -> ArrayRef {
    let stamps: TimestampNanosecondArray = stamps.map(Some).collect();
    Arc::new(stamps.with_timezone("UTC"))
}

fn source(columns: Vec<(&str, ArrayRef)>) -> Source {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let schema = batch.schema();
    Source::Arrow(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

/// Bars of (timestamp, symbol, close).
fn prices(rows: &[(i64, &str, f64)]) -> Source {
    let floats = |value: fn(f64) -> f64| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(value(row.2))).collect::<Float64Array>())
    };
    source(vec![
        ("timestamp", times(rows.iter().map(|row| row.0))),
        ("symbol", Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>())),
        ("open", floats(|x| x)),
        ("high", floats(|x| x + 1.0)),
        ("low", floats(|x| x - 1.0)),
        ("close", floats(|x| x)),
        ("volume", floats(|x| x * 10.0)),
    ])
}

fn signals(name: &str, rows: &[SignalRow]) -> Source {
    source(vec![
        ("timestamp", times(rows.iter().map(|row| row.0))),
        ("symbol", Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>())),
        (name, Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>())),
    ])
}

fn context(name: &str, rows: &[(i64, Option<f64>)]) -> Source {
    source(vec![
        ("timestamp", times(rows.iter().map(|row| row.0))),
        (name, Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>())),
    ])
}

fn folder(name: &str) -> PathBuf {
    let path =
        std::env::temp_dir().join(format!("tapeworks-prepare-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a temporary folder");
    path
}

fn save(preparer: &mut DataPreparer, options: &SaveOptions) -> Result<PrepareReport> {
    preparer.validate_and_save(options, &mut |_| ControlFlow::Continue(()))
}

/// The column of a Parquet file as texts: times as nanoseconds, missing as `None`.
fn column(path: &Path, name: &str) -> Vec<Option<String>> {
    let file = fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut values = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let array = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
        let array = match array.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, Some(zone)) if **zone == *"UTC" => {
                cast(array, &DataType::Int64).unwrap()
            }
            _ => Arc::clone(array),
        };
        if let Some(stamps) = array.as_any().downcast_ref::<Int64Array>() {
            values.extend(stamps.iter().map(|value| value.map(|ns| ns.to_string())));
        } else if let Some(floats) = array.as_any().downcast_ref::<Float64Array>() {
            assert!(floats.iter().flatten().all(|value| !value.is_nan()), "NaN in {name}");
            values.extend(floats.iter().map(|value| value.map(|x| format!("{x:?}"))));
        } else {
            let texts = cast(&array, &DataType::Utf8).unwrap();
            let texts = texts.as_any().downcast_ref::<StringArray>().unwrap().clone();
            values.extend(texts.iter().map(|value| value.map(str::to_owned)));
        }
    }
    values
}

/// The newest row known at `now`, by looking at every one of them.
fn naive(
    rows: &[SignalRow],
    now: i64,
    symbol: &str,
    delay_ns: i64,
    staleness_ns: Option<i64>,
) -> std::result::Result<Option<f64>, &'static str> {
    let mut best: Option<(i64, Option<f64>)> = None;
    for &(stamp, owner, value) in rows {
        let known = stamp + delay_ns;
        if owner == symbol && known <= now && best.is_none_or(|(newest, _)| newest < known) {
            best = Some((known, value));
        }
    }
    match best {
        None => Err("not yet"),
        Some((known, _)) if staleness_ns.is_some_and(|limit| now - known > limit) => Err("stale"),
        Some((_, value)) => Ok(value),
    }
}

const NAMES: [&str; 3] = ["AAA", "BBB", "CCC"];

/// Ragged minutes: (minute, symbol) chosen at random, one symbol late, closes by row.
fn ragged_prices() -> impl Strategy<Value = Vec<(i64, &'static str, f64)>> {
    prop::collection::btree_set((0_i64..400, 0_usize..3), 1..150).prop_map(|keys| {
        let alive = keys.into_iter().filter(|&(minute, who)| who < 2 || minute > 200);
        let row = |(minute, who): (i64, usize)| {
            let close = 50.0 + (minute % 17) as f64 + who as f64;
            (START + minute * MINUTE_NS, NAMES[who], close)
        };
        let mut rows: Vec<_> = alive.map(row).collect();
        // Every symbol has a row: one without bars is an error of its own.
        rows.extend(NAMES.map(|name| (START + 500 * MINUTE_NS, name, 60.0)));
        rows
    })
}

/// Signals every `step` minutes with holes and missing values, on the grid of the prices so that
/// ties happen, shifted by `shift` seconds.
fn ragged_signals(step: i64, shift: i64) -> impl Strategy<Value = Vec<SignalRow>> {
    let one = (0_i64..400 / step, 0_usize..3);
    prop::collection::btree_map(one, prop::option::weighted(0.8, -5.0..5.0_f64), 1..60).prop_map(
        move |rows| {
            let row = |((at, who), value): ((i64, usize), Option<f64>)| {
                let stamp = START + at * step * MINUTE_NS + shift * 1_000_000_000;
                (stamp, NAMES[who], value)
            };
            rows.into_iter().map(row).collect()
        },
    )
}

proptest! {
    #![proptest_config(draws(48))]

    /// Two tables of other frequencies, delays, limits of age and holes, and context: every value
    /// is that of a twin that looks at all rows, and the batches of the reader change no byte.
    #[test]
    fn joins_when_data_are_ragged_then_those_of_a_naive_twin(
        bars in ragged_prices(),
        quick in ragged_signals(5, 0),
        slow in ragged_signals(60, 30),
        series in prop::collection::btree_map(0_i64..40, prop::option::weighted(0.8, 10.0..20.0_f64), 1..20),
        delay in 0_i64..20,
        limit in prop::option::of(1_i64..120),
        batch_rows in 1_usize..40,
    ) {
        let series: Vec<(i64, Option<f64>)> =
            series.into_iter().map(|(at, value)| (START + at * 10 * MINUTE_NS, value)).collect();
        let (delay_ns, staleness_ns) = (delay * MINUTE_NS, limit.map(|limit| limit * MINUTE_NS));
        let home = folder("twin");
        let mut bytes = Vec::new();
        let mut report = None;
        let options = SaveOptions {
            context_output: Some(home.join("context.parquet")),
            ..SaveOptions::new(home.join("asset.parquet"))
        };
        for batch_rows in [65_536, batch_rows] {
            let mut preparer = DataPreparer::new();
            preparer.read.batch_rows = batch_rows;
            preparer.add_prices(prices(&bars), None).unwrap();
            let terms = SignalTerms { delay: Some(Lag::Span(delay_ns)), ..SignalTerms::default() };
            preparer.add_signals(signals("quick", &quick), terms);
            let prefix = "slow_".to_owned();
            let staleness = staleness_ns.map(Lag::Span);
            let terms = SignalTerms { staleness, prefix, ..SignalTerms::default() };
            preparer.add_signals(signals("score", &slow), terms);
            preparer.add_context(context("vix", &series), ContextTerms::default());
            preparer.add_indicators(["sma:3", "rsi:2"]).unwrap();
            report = Some(save(&mut preparer, &options).unwrap());
            bytes.push(fs::read(&options.asset_output).unwrap());
        }
        prop_assert!(bytes[0] == bytes[1], "batches of {} rows change the file", batch_rows);
        let report = report.unwrap();

        let text = |value: Option<f64>| value.map(|x| format!("{x:?}"));
        let mut sorted = bars.clone();
        sorted.sort_by_key(|row| (row.0, row.1));
        let of = |name: &str| column(&options.asset_output, name);
        let expect = |f: Told<'_>| -> Vec<Option<String>> { sorted.iter().map(f).collect() };
        prop_assert_eq!(of("timestamp"), expect(&|row| Some(row.0.to_string())));
        prop_assert_eq!(of("symbol"), expect(&|row| Some(row.1.to_owned())));
        prop_assert_eq!(of("close"), expect(&|row| text(Some(row.2))));
        let joined = |rows: &[SignalRow], delay, limit| {
            expect(&|row| text(naive(rows, row.0, row.1, delay, limit).ok().flatten()))
        };
        prop_assert_eq!(of("quick"), joined(&quick, delay_ns, None));
        prop_assert_eq!(of("slow_score"), joined(&slow, 0, staleness_ns));
        let reasons = |reason: &str| {
            let why = |row: &&(i64, &str, f64)| naive(&slow, row.0, row.1, 0, staleness_ns);
            sorted.iter().filter(|row| why(row) == Err(reason)).count() as u64
        };
        prop_assert_eq!(report.joins[1].not_yet, reasons("not yet"));
        prop_assert_eq!(report.joins[1].stale, reasons("stale"));

        let market: Vec<SignalRow> = series.iter().map(|&(at, value)| (at, "", value)).collect();
        let mut stamps: Vec<i64> = sorted.iter().map(|row| row.0).collect();
        stamps.dedup();
        let expected: Vec<Option<String>> =
            stamps.iter().map(|&now| text(naive(&market, now, "", 0, None).ok().flatten())).collect();
        prop_assert_eq!(column(options.context_output.as_ref().unwrap(), "vix"), expected);
        prop_assert_eq!(report.rows, sorted.len() as u64);
        fs::remove_dir_all(home).unwrap();
    }
}

/// A preparer over the bundled sample with its signals and context.
fn sampled() -> DataPreparer {
    let table = |name: &str| Source::Arrow(sample_reader(name).unwrap());
    let mut preparer = DataPreparer::new();
    preparer.add_prices(table("bars"), Some(Step::Day)).unwrap();
    preparer.add_signals(table("signals"), SignalTerms::default());
    preparer.add_context(table("context"), ContextTerms::default());
    preparer
}

/// The hash of all records of a run over `data`.
fn records_hash(data: &str) -> String {
    let text = format!(
        "data:\n{data}strategy:\n  {{rule: top_n, signal: score, n: 2, rebalance: 5d, \
         where: \"context.vix < 30\"}}\nexecution:\n  commission: {{kind: percent, bps: 10}}\n"
    );
    let overlay = Overlay::default();
    let loaded = LoadedConfig::parse(&text, Format::Yaml, "a.yaml", Path::new(""), &overlay);
    let outcome = run::execute(&loaded.unwrap(), &mut |_| Flow::Continue).unwrap();
    assert!(outcome.records.log().fills.len() > 100, "the rule trades");
    outcome.fingerprint
}

#[test]
fn prepared_data_when_run_then_the_records_of_the_separate_tables() {
    let home = folder("run");
    let separate = records_hash(
        "  asset_data: sample:bars\n  signals: sample:signals\n  context_data: sample:context\n",
    );
    for (i, partition_by) in
        [None, Some(PartitionBy::Month), Some(PartitionBy::Symbol)].into_iter().enumerate()
    {
        let asset_output =
            home.join(if partition_by.is_some() { "asset" } else { "asset.parquet" });
        let options = SaveOptions {
            context_output: Some(home.join("context.parquet")),
            partition_by,
            ..SaveOptions::new(&asset_output)
        };
        let report = save(&mut sampled(), &options).unwrap();
        assert!(report.ok(), "{report}");
        // README of the sample: 12,154 bars of 5 symbols, 3,270 dates, 157 months.
        assert_eq!((report.rows, report.symbols, report.timestamps), (12_154, 5, 3_270));
        assert_eq!(report.files.len(), [2, 158, 6][i]);
        let rows: u64 = report.files.iter().map(|file| file.rows).sum();
        assert_eq!(rows, 12_154 + 3_270);
        let prepared = records_hash(&format!(
            "  asset_data: {}\n  context_data: {}\n",
            asset_output.display(),
            home.join("context.parquet").display()
        ));
        assert_eq!(prepared, separate, "{partition_by:?}");
    }
    fs::remove_dir_all(home).unwrap();
}

#[test]
fn files_when_prepared_twice_then_equal_bytes_and_the_rules_in_the_footer() {
    let home = folder("bytes");
    let mut sizes = Vec::new();
    for compression in ["zstd:3", "snappy", "none"] {
        let options = SaveOptions {
            context_output: Some(home.join("context.parquet")),
            compression: Compression::parse(compression).unwrap(),
            ..SaveOptions::new(home.join("asset.parquet"))
        };
        let mut bytes = Vec::new();
        for _ in 0..2 {
            let mut preparer = sampled();
            preparer.add_indicators(["rsi:14", "macd"]).unwrap();
            save(&mut preparer, &options).unwrap();
            bytes.push(fs::read(&options.asset_output).unwrap());
        }
        assert!(bytes[0] == bytes[1], "{compression}");
        sizes.push(bytes[0].len());
    }
    assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2], "{sizes:?}");
    let file = fs::File::open(home.join("asset.parquet")).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let entries = builder.metadata().file_metadata().key_value_metadata().unwrap();
    let entry = |key: &str| {
        let found = entries.iter().find(|entry| entry.key == key);
        found.and_then(|entry| entry.value.clone()).unwrap_or_else(|| panic!("no entry {key}"))
    };
    assert_eq!(entry("schema_version"), "1");
    assert_eq!(entry("indicators"), "[\"rsi:14\",\"macd:12:26:9\"]");
    let rules: serde_json::Value = serde_json::from_str(&entry("availability")).unwrap();
    assert_eq!(rules[0]["columns"][0], "score");
    assert_eq!(rules[0]["available_at"], "timestamp");
    // A column that was joined is not joined again.
    let mut again = DataPreparer::new();
    let path = home.join("asset.parquet").display().to_string();
    again.add_prices(Source::Path(path), None).unwrap();
    let table = Source::Arrow(sample_reader("signals").unwrap());
    again.add_signals(table, SignalTerms::default());
    let error = save(&mut again, &SaveOptions::new(home.join("b.parquet"))).expect_err("twice");
    assert_eq!(error.code(), "D601");
    assert!(error.message().contains("score"), "{error}");
    fs::remove_dir_all(home).unwrap();
}

fn bars_of_two_days() -> Vec<(i64, &'static str, f64)> {
    let rows = (0..4).flat_map(|i| NAMES.map(|name| (START + i * DAY_NS, name, 10.0 + i as f64)));
    rows.collect()
}

fn files_in(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What is refused leaves the folder as it was.
#[test]
fn preparing_when_something_is_wrong_then_a_code_and_no_file() {
    type Break = fn(&mut DataPreparer, &mut SaveOptions);
    let bars = bars_of_two_days();
    // what is done, code, a word of the text
    let rows: [(Break, &str, &str); 9] = [
        (
            |p, _| {
                for _ in 0..2 {
                    let rows = [(START, "AAA", Some(1.0))];
                    p.add_signals(signals("score", &rows), SignalTerms::default());
                }
            },
            "D601",
            "two signals tables",
        ),
        (
            |p, _| {
                let terms =
                    SignalTerms { columns: Some(vec!["scroe".into()]), ..SignalTerms::default() };
                p.add_signals(signals("score", &[(START, "AAA", Some(1.0))]), terms);
            },
            "D601",
            "score",
        ),
        (
            |p, _| {
                let rows = [(START, "ZZZ", Some(1.0))];
                p.add_signals(signals("score", &rows), SignalTerms::default());
            },
            "D602",
            "ZZZ",
        ),
        (
            |p, _| {
                let terms = SignalTerms { delay: Some(Lag::Span(-1)), ..SignalTerms::default() };
                p.add_signals(signals("score", &[(START, "AAA", Some(1.0))]), terms);
            },
            "C301",
            "delay",
        ),
        (
            |p, _| p.add_context(context("vix", &[(START, None)]), ContextTerms::default()),
            "C301",
            "context_output",
        ),
        (|_, o| o.context_output = Some("context.parquet".into()), "C301", "no context"),
        (|p, _| p.add_indicators(["vwap_dev"]).unwrap(), "D601", "vwap"),
        (|p, _| p.add_indicators(["sma", "sma:20"]).unwrap(), "D601", "sma_20"),
        (|_, o| o.asset_output = std::env::temp_dir(), "W104", "folder"),
    ];
    let home = folder("wrong");
    fs::write(home.join("asset.parquet"), "the old one").unwrap();
    for (change, code, word) in rows {
        let mut preparer = DataPreparer::new();
        preparer.add_prices(prices(&bars), None).unwrap();
        let mut options = SaveOptions::new(home.join("asset.parquet"));
        change(&mut preparer, &mut options);
        let error = save(&mut preparer, &options).expect_err(word);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(word), "{word}: {error}");
        assert_eq!(files_in(&home), ["asset.parquet"], "{word}");
    }
    assert_eq!(fs::read(home.join("asset.parquet")).unwrap(), b"the old one");
    let empty = save(&mut DataPreparer::new(), &SaveOptions::new(home.join("x.parquet")));
    assert_eq!(empty.expect_err("no prices").code(), "C301");

    // The walk is ended by the caller.
    let mut preparer = DataPreparer::new();
    preparer.add_prices(prices(&bars), None).unwrap();
    let options = SaveOptions::new(home.join("asset.parquet"));
    let ended = preparer.validate_and_save(&options, &mut |_| ControlFlow::Break(()));
    assert_eq!(ended.expect_err("ended").code(), "I130");
    assert_eq!(files_in(&home), ["asset.parquet"]);

    // A folder of somebody else is left alone; one of ours is replaced.
    let foreign = home.join("foreign");
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("notes.txt"), "mine").unwrap();
    let mut partitioned = SaveOptions::new(&foreign);
    partitioned.partition_by = Some(PartitionBy::Symbol);
    let attempt = |options: &SaveOptions| -> Result<PrepareReport> {
        let mut preparer = DataPreparer::new();
        preparer.add_prices(prices(&bars), None).unwrap();
        save(&mut preparer, options)
    };
    assert_eq!(attempt(&partitioned).expect_err("foreign").code(), "W104");
    assert_eq!(files_in(&foreign), ["notes.txt"]);
    partitioned.asset_output = home.join("ours");
    for _ in 0..2 {
        attempt(&partitioned).unwrap();
        let found = files_in(&home.join("ours"));
        assert_eq!(found, ["_tapeworks_prepared", "symbol=AAA", "symbol=BBB", "symbol=CCC"]);
    }
    fs::remove_dir_all(home).unwrap();
}

#[test]
fn prices_when_their_step_is_not_the_said_one_then_d309() {
    let home = folder("step");
    let attempt = |freq: &str| -> std::result::Result<PrepareReport, Error> {
        let mut preparer = DataPreparer::new();
        let freq = Step::parse(freq).unwrap();
        preparer.add_prices(prices(&bars_of_two_days()), Some(freq)).unwrap();
        save(&mut preparer, &SaveOptions::new(home.join("asset.parquet")))
    };
    for wrong in ["1m", "36h"] {
        assert_eq!(attempt(wrong).expect_err("another step").code(), "D309");
    }
    assert_eq!(files_in(&home), [] as [&str; 0]);
    assert_eq!(attempt("1d").unwrap().frequency_ns, Some(DAY_NS));
    // Of signals the step is only remarked on.
    let mut preparer = DataPreparer::new();
    preparer.add_prices(prices(&bars_of_two_days()), None).unwrap();
    let rows = [(START, "AAA", Some(1.0)), (START + DAY_NS, "AAA", Some(2.0))];
    let terms = SignalTerms { freq_ns: Some(MINUTE_NS), ..SignalTerms::default() };
    preparer.add_signals(signals("score", &rows), terms);
    let report = save(&mut preparer, &SaveOptions::new(home.join("asset.parquet"))).unwrap();
    let codes: Vec<&str> = report.input.findings.iter().map(|one| one.code.as_str()).collect();
    assert!(codes.contains(&"D309"), "{codes:?}");
    fs::remove_dir_all(home).unwrap();
}

/// A row with high below low: refused, and written as missing when forced.
#[test]
fn preparing_when_a_row_breaks_a_rule_then_refused_unless_forced() {
    let home = folder("force");
    let bad = || {
        let column =
            |values: [f64; 2]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
        let mut preparer = DataPreparer::new();
        let table = source(vec![
            ("timestamp", times([START, START + DAY_NS].into_iter())),
            ("symbol", Arc::new(StringArray::from(vec!["AAA", "AAA"]))),
            ("open", column([10.0, 10.0])),
            ("high", column([11.0, 8.0])),
            ("low", column([9.0, 9.0])),
            ("close", column([10.0, 10.0])),
            ("volume", column([1.0, 1.0])),
        ]);
        preparer.add_prices(table, None).unwrap();
        preparer.add_indicators(["returns"]).unwrap();
        preparer
    };
    let mut options = SaveOptions::new(home.join("asset.parquet"));
    let error = save(&mut bad(), &options).expect_err("high below low");
    assert_eq!(error.code(), "D204");
    assert_eq!(files_in(&home), [] as [&str; 0]);
    options.force = true;
    let report = save(&mut bad(), &options).unwrap();
    assert!(report.forced && !report.ok(), "{report}");
    assert_eq!(report.input.repairs.nulled_rows, 1);
    assert_eq!(column(&options.asset_output, "close"), [Some("10.0".to_owned()), None]);
    assert_eq!(column(&options.asset_output, "returns_1"), [None, None]);
    assert!(report.to_string().contains("forced"), "{report}");
    fs::remove_dir_all(home).unwrap();
}

/// By hand: AAA is a member on the second and third day, BBB until the end of the first, CCC never.
#[test]
fn universe_when_given_then_rows_say_who_is_a_member() {
    let home = folder("universe");
    fs::write(
        home.join("members.csv"),
        "symbol,from,to\nAAA,2024-01-06,2024-01-08\nBBB,2020-01-01,2024-01-06T00:00:00Z\nGONE,2020-01-01,\n",
    )
    .unwrap();
    let mut preparer = DataPreparer::new();
    preparer.add_prices(prices(&bars_of_two_days()), None).unwrap();
    let table = Source::Path(home.join("members.csv").display().to_string());
    preparer.set_universe(Universe::read(table, &jiff::tz::TimeZone::UTC).unwrap());
    let options = SaveOptions::new(home.join("asset.parquet"));
    let report = save(&mut preparer, &options).unwrap();
    let member: String = column(&options.asset_output, "member")
        .into_iter()
        .map(|value| if value.as_deref() == Some("1.0") { '1' } else { '0' })
        .collect();
    assert_eq!(member, "010100100000");
    assert_eq!(report.outside_universe, Some(9));
    assert!(report.to_string().contains("GONE"), "{report}");
    // The rows outside are there: positions in leavers stay tradable.
    let path = options.asset_output.display().to_string();
    let feed = DataFeed::new(Source::Path(path)).open().unwrap().into_memory().unwrap();
    assert_eq!(feed.n_rows(), 12);
    for (rows, code) in [
        ("AAA,2024-01-08,2024-01-06", "D402"),
        ("AAA,2024-01-01,\nAAA,2024-01-05,", "D402"),
        ("AAA,soon,", "D304"),
    ] {
        fs::write(home.join("members.csv"), format!("symbol,from,to\n{rows}\n")).unwrap();
        let table = Source::Path(home.join("members.csv").display().to_string());
        let error = Universe::read(table, &jiff::tz::TimeZone::UTC).expect_err(rows);
        assert_eq!(error.code(), code, "{rows}: {error}");
    }
    fs::remove_dir_all(home).unwrap();
}

#[test]
fn words_when_misspelt_then_c301_and_the_nearest() {
    for (text, near) in
        [("ztsd:3", "zstd:3"), ("snapy", "snappy"), ("zstd:99", "levels"), ("gzip", "one of")]
    {
        let error = Compression::parse(text).expect_err(text);
        assert_eq!(error.code(), "C301");
        assert!(error.to_string().contains(near), "{error}");
    }
    assert_eq!(Compression::parse("zstd").unwrap(), Compression::Zstd(3));
    assert!(PartitionBy::parse("mnth").expect_err("typo").to_string().contains("month"));
}
