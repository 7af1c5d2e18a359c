//! Calendars of one's own, from tables, wherever a named one may stand.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tapeworks::base::{Calendar, Date, Error};
use tapeworks::data::{Source, open_calendar, read_calendar};
use tapeworks::engine::Flow;
use tapeworks::run::config::{CalendarChoice, Format, LoadedPrepare};
use tapeworks::run::{self, LoadedConfig, Overlay};

/// Three sessions of Tokyo: with a break, a half day without, and one given as instants.
const SESSIONS: &str = "date,open,close,break_start,break_end\n\
    2024-03-07,09:00,15:00,11:30,12:30\n\
    2024-03-08,09:00,11:30,,\n\
    2024-03-11,2024-03-11T00:00:00Z,2024-03-11 15:00,11:30:00,12:30\n";

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("tapeworks-own-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn shown(calendar: &Calendar) -> Vec<String> {
    let lunch = |s: &tapeworks::base::calendar::Session| {
        s.lunch.map_or_else(|| "none".to_owned(), |(a, b)| format!("{a} {b}"))
    };
    let rows = calendar.all().iter();
    rows.map(|s| format!("{} {} {} {}", s.date, s.open, s.close, lunch(s))).collect()
}

/// Tokyo is nine hours before UTC, the instants by hand.
#[test]
fn calendar_when_a_text_table_then_its_sessions_by_hand() {
    let home = folder("text");
    let path = home.join("tokyo.csv");
    fs::write(&path, SESSIONS).unwrap();
    let text = path.to_string_lossy();
    let calendar = open_calendar(&text, Some("Asia/Tokyo")).unwrap();
    let expected = [
        "2024-03-07 2024-03-07 2024-03-07 06:00:00Z 2024-03-07 02:30:00Z 2024-03-07 03:30:00Z",
        "2024-03-08 2024-03-08 2024-03-08 02:30:00Z none",
        "2024-03-11 2024-03-11 2024-03-11 06:00:00Z 2024-03-11 02:30:00Z 2024-03-11 03:30:00Z",
    ];
    assert_eq!(shown(&calendar), expected);
    assert_eq!(calendar.name(), "tokyo");
    let date = |text| Date::parse(text).unwrap();
    assert_eq!(calendar.span(), (date("2024-03-07"), date("2024-03-11")));
    assert_eq!(open_calendar(&text, None).expect_err("no zone").code(), "C304");
    assert_eq!(open_calendar("XNYS", None).unwrap().name(), "XNYS");
    fs::remove_dir_all(home).unwrap();
}

#[test]
fn calendar_when_its_table_is_wrong_then_the_row_and_the_remedy_are_named() {
    let home = folder("wrong");
    let path = home.join("own.csv");
    let attempt = |text: &str| -> Error {
        fs::write(&path, text).unwrap();
        let source = Source::Path(path.to_string_lossy().into_owned());
        read_calendar(source, "own", "America/New_York").expect_err(text)
    };
    // 02:30 did not exist on 2024-03-10.
    for (text, code, words) in [
        ("", "D102", "empty"),
        ("date,open\n2024-03-07,09:30\n", "D101", "row 1 has no close"),
        (
            "date,open,close\n2024-03-07,09:30,16:00\n2024-03-08,,16:00\n",
            "D101",
            "row 2 has no open",
        ),
        ("date,open,close\n2024-03-07,09:30\n", "D101", "row 1 has 2 columns"),
        ("date,open,close,break_start\n2024-03-07,09:30,16:00,12:00\n", "D101", "half a break"),
        ("date,open,close\n2024-03-07,half past nine,16:00\n", "D303", "row 1"),
        ("date,open,close\n2024-03-10,2024-03-10 02:30,16:00\n", "D303", "row 1"),
        ("date,open,close\n2024-03-07,16:00,09:30\n", "C309", "session 2024-03-07"),
        ("date,open,close\n2024-03-08,09:30,16:00\n2024-03-07,09:30,16:00\n", "C309", "2024-03-07"),
        ("date,open,close\n", "C309", "at least one session"),
    ] {
        let error = attempt(text);
        assert_eq!(error.code(), code, "{text:?}: {error}");
        let found = format!("{error} {}", error.hint().unwrap_or_default());
        assert!(found.contains(words), "{words}: {found}");
        assert!(code == "D303" || found.contains("own.csv"), "{found}");
    }
    fs::remove_dir_all(home).unwrap();
}

const CONFIG: &str = "
backtest: {calendar: {path: tokyo.csv, timezone: Asia/Tokyo}, initial_capital: 1000}
data: {asset_data: bars.csv}
strategy: {rule: buy_and_hold}
";

/// A run and a preparation on a table of sessions know daily bars at its closes.
#[test]
fn configs_when_they_name_a_table_then_dates_are_its_sessions() {
    let home = folder("config");
    fs::write(home.join("tokyo.csv"), SESSIONS).unwrap();
    let bars = "timestamp,symbol,open,high,low,close,volume\n\
                2024-03-07,AAA,10,11,9,10,100\n2024-03-08,AAA,10,11,9,10,100\n\
                2024-03-11,AAA,10,11,9,10,100\n";
    fs::write(home.join("bars.csv"), bars).unwrap();
    let load = |text: &str| {
        LoadedConfig::parse(text, Format::Yaml, "run.yaml", &home, &Overlay::default())
    };
    let loaded = load(CONFIG).unwrap();
    let CalendarChoice::Table(table) = &loaded.config.backtest.calendar else {
        panic!("a table was named")
    };
    assert_eq!((table.name.as_str(), table.timezone.as_str()), ("own", "Asia/Tokyo"));
    let outcome = run::execute(&loaded, &mut |_| Flow::Continue).unwrap();
    // 15:00, 11:30 and 15:00 in Tokyo.
    let closes = [1_709_791_200, 1_709_865_000, 1_710_136_800].map(|s: i64| s * 1_000_000_000);
    assert_eq!(outcome.records.states().timestamp, closes);
    assert!(outcome.parts.inputs.iter().any(|input| input.table == "calendar"));

    for (from, to, code, words) in [
        ("tokyo.csv", "kyoto.csv", "C303", "run.yaml:2:"),
        (", timezone: Asia/Tokyo", "", "C202", "timezone"),
        ("timezone: Asia/Tokyo", "timezone: Asia/Tokio", "C303", "no time zone"),
        ("timezone:", "timzone:", "C201", "did you mean timezone"),
    ] {
        let error = load(&CONFIG.replacen(from, to, 1)).expect_err(to);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }

    let prepare = "prepare: {prices: bars.csv, calendar: {path: tokyo.csv, timezone: Asia/Tokyo}, \
                   asset_output: asset.parquet}";
    let loaded = LoadedPrepare::parse(prepare, Format::Yaml, "prepare.yaml", &home).unwrap();
    let report = run::prepare(&loaded, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(report.span, Some((closes[0], closes[2])));
    assert!(Path::new(&home.join("asset.parquet")).exists());
    fs::remove_dir_all(home).unwrap();
}
