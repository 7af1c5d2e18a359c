//! Room `prepare` on a calendar: dates become closes, and rows are known by session.

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, TimestampNanosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tapeworks::run;
use tapeworks::run::config::{Format, LoadedPrepare};

const CONFIG: &str = "
prepare:
  prices: {path: prices.csv}
  signals:
    - {path: score.csv, valid_from: market_close, staleness: 1session}
    - {path: score.csv, valid_from: next_day, prefix: next_}
    - {path: score.csv, valid_from: market_close, delay: 1session, prefix: late_}
  context: {path: vix.csv, valid_from: market_open}
  calendar: NYSE
  asset_output: asset.parquet
  context_output: context.parquet
";

/// Closes of XNYS by hand: 16:00 in New York is 21:00 UTC on Friday 2024-03-08 and 20:00 UTC from
/// Monday on, when clocks have changed.
const CLOSES: [i64; 4] = [1_709_845_200, 1_709_931_600, 1_710_187_200, 1_710_273_600];

/// What a row has in a column; missing is `None`.
type Told = [Option<f64>; 4];

#[test]
fn tables_of_dates_when_prepared_on_a_calendar_then_sessions_say_when_they_are_known() {
    let home = std::env::temp_dir().join(format!("tapeworks-sessions-{}", std::process::id()));
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    let mut prices = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
    for date in ["2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12"] {
        let _ = writeln!(prices, "{date},AAA,10,11,9,10,100");
    }
    fs::write(home.join("prices.csv"), prices).unwrap();
    let scores = "timestamp,symbol,score\n2024-03-07,AAA,1\n2024-03-08,AAA,2\n";
    fs::write(home.join("score.csv"), scores).unwrap();
    // Saturday's number is known when Monday opens.
    fs::write(home.join("vix.csv"), "timestamp,vix\n2024-03-08,15\n2024-03-09,16\n").unwrap();

    let loaded = LoadedPrepare::parse(CONFIG, Format::Yaml, "prepare.yaml", &home).unwrap();
    run::prepare(&loaded, &mut |_| ControlFlow::Continue(())).unwrap();

    let read = |file: &str| {
        let file = fs::File::open(home.join(file)).unwrap();
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap()
    };
    let assets = read("asset.parquet");
    let entries = assets.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let entry = |key: &str| {
        entries.iter().find(|entry| entry.key == key).and_then(|entry| entry.value.clone())
    };
    assert_eq!(entry("calendar").as_deref(), Some("XNYS"));
    assert_eq!(entry("tz").as_deref(), Some("America/New_York"));
    let rules: serde_json::Value = serde_json::from_str(&entry("availability").unwrap()).unwrap();
    assert_eq!(rules[0]["available_at"], "market_close");
    assert_eq!(rules[0]["staleness"], "1session");
    assert_eq!(rules[2]["delay"], "1session");

    let batch = assets.build().unwrap().next().unwrap().unwrap();
    let stamps = batch.column_by_name("timestamp").unwrap();
    let stamps = stamps.as_primitive::<TimestampNanosecondType>().values().to_vec();
    assert_eq!(stamps, CLOSES.map(|seconds| seconds * 1_000_000_000));
    let context = read("context.parquet").build().unwrap().next().unwrap().unwrap();
    let cases: [(_, _, Told); 4] = [
        // Friday's score is one session old on Monday and two on Tuesday.
        (&batch, "score", [Some(1.0), Some(2.0), Some(2.0), None]),
        (&batch, "next_score", [None, Some(1.0), Some(2.0), Some(2.0)]),
        (&batch, "late_score", [None, Some(1.0), Some(2.0), Some(2.0)]),
        (&context, "vix", [None, Some(15.0), Some(16.0), Some(16.0)]),
    ];
    for (batch, name, expected) in cases {
        let column = batch.column_by_name(name).unwrap().as_primitive::<Float64Type>();
        assert_eq!(column.iter().collect::<Vec<_>>(), expected, "{name}");
    }
    fs::remove_dir_all(home).unwrap();
}

#[test]
fn configs_when_their_calendar_or_lag_is_wrong_then_the_key_is_named() {
    for (from, to, code, words) in [
        ("NYSE", "XNYX", "C303", ["prepare.calendar", "XNYS"]),
        ("1session", "0sessions", "C303", ["staleness", "0sessions"]),
    ] {
        let text = CONFIG.replacen(from, to, 1);
        let error =
            LoadedPrepare::parse(&text, Format::Yaml, "prepare.yaml", "".as_ref()).expect_err(to);
        assert_eq!(error.code(), code, "{error}");
        let shown = format!("{error} {}", error.hint().unwrap_or_default());
        assert!(words.iter().all(|word| shown.contains(word)), "{shown}");
    }
    // Without a calendar nothing says when a session opens.
    let text = CONFIG.replacen("NYSE", "none", 1);
    let loaded = LoadedPrepare::parse(&text, Format::Yaml, "prepare.yaml", "".as_ref()).unwrap();
    assert!(loaded.section.calendar.sessions().is_none());
}
