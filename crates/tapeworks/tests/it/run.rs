//! Room `run`: configs with their complaints, the layers over them, runs and their folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tapeworks::base::{ErrorKind, Result};
use tapeworks::engine::Flow;
use tapeworks::report;
use tapeworks::run::config::{Format, Origin};
use tapeworks::run::{self, LoadedConfig, Outcome, Overlay};

const BASE: &str = "\
backtest:
  name: small
  initial_capital: 1_000_000
data:
  asset_data: sample:bars
strategy:
  rule: noop
execution:
  commission: {kind: percent, bps: 10}
";

fn parse(text: &str, format: Format, overlay: &Overlay) -> Result<LoadedConfig> {
    let label = match format {
        Format::Yaml => "run.yaml",
        Format::Toml => "run.toml",
        Format::Json => "run.json",
    };
    LoadedConfig::parse(text, format, label, Path::new(""), overlay)
}

fn yaml(text: &str) -> Result<LoadedConfig> {
    parse(text, Format::Yaml, &Overlay::default())
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("tapeworks-run-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a temporary folder");
    path
}

fn execute(loaded: &LoadedConfig) -> Result<Outcome> {
    run::execute(loaded, &mut |_| Flow::Continue)
}

#[test]
fn config_when_a_line_is_wrong_then_code_place_and_words() {
    // replaced text, its replacement, code, words the error must hold; places counted by hand
    let rows: &[(&str, &str, &str, &[&str])] = &[
        // unknown keys, with the nearest known one
        (
            "commission:",
            "commision:",
            "C201",
            &["run.yaml:9:3", "execution.commision", "did you mean commission"],
        ),
        ("strategy:", "stratgy:", "C201", &["run.yaml:6:1", "stratgy", "did you mean strategy"]),
        (
            "  name: small",
            "  color: red",
            "C201",
            &["run.yaml:2:3", "backtest.color", "keys of backtest: name,"],
        ),
        ("bps: 10", "bps: 10, rate: 1", "C201", &["run.yaml:9:40", "execution.commission.rate"]),
        ("rule: noop", "rule: noop\n  fast: 3", "C201", &["run.yaml:8:3", "strategy.fast"]),
        // missing keys and sections
        ("  asset_data: sample:bars\n", "  chunk: 1mo\n", "C202", &["data.asset_data is missing"]),
        ("strategy:\n  rule: noop\n", "", "C202", &["strategy is missing"]),
        ("kind: percent, ", "", "C202", &["execution.commission.kind is missing"]),
        // wrong types
        (
            "1_000_000",
            "lots",
            "C302",
            &["run.yaml:3:20", "initial_capital", "\"lots\"", "a number above 0"],
        ),
        ("1_000_000", "100,000", "C302", &["run.yaml:3:20", "\"100,000\""]),
        ("1_000_000", "yes", "C302", &["initial_capital"]),
        ("1_000_000", "[1, 2]", "C302", &["initial_capital", "a list of 2"]),
        ("1_000_000", "~", "C302", &["initial_capital", "nothing"]),
        ("  name: small", "  name: 5", "C302", &["backtest.name is 5", "quotes"]),
        ("strategy:\n  rule: noop", "strategy: noop", "C302", &["run.yaml:6:11", "a mapping"]),
        // values out of range
        ("1_000_000", "-1", "C303", &["run.yaml:3:20", "initial_capital is -1"]),
        ("1_000_000", ".nan", "C303", &["initial_capital is NaN"]),
        ("1_000_000", "1e400", "C303", &["initial_capital is inf"]),
        ("bps: 10", "bps: 15000", "C303", &["run.yaml:9:36", "from 0 to 10000"]),
        ("  name: small", "  name: a/b", "C303", &["backtest.name"]),
        ("  name: small", "  threads: 0", "C303", &["backtest.threads"]),
        ("  name: small", "  seed: -1", "C303", &["backtest.seed"]),
        (
            "  name: small",
            "  start_date: 2023-02-30",
            "C303",
            &["backtest.start_date", "2023-02-30"],
        ),
        ("  name: small", "  timezone: Mars/Phobos", "C303", &["backtest.timezone", "Mars/Phobos"]),
        (
            "  name: small",
            "  start_date: 2023-02-01\n  end_date: 2023-01-01",
            "C303",
            &["start_date", "end_date", "2023-01-01"],
        ),
        // closed lists
        (
            "kind: percent",
            "kind: perzent",
            "C304",
            &["perzent", "did you mean percent", "none, percent, per_share, per_fill"],
        ),
        ("rule: noop", "rule: nop", "C304", &["strategy.rule", "did you mean noop", "top_n"]),
        (
            "  name: small",
            "  calendar: XNYX",
            "C303",
            &["run.yaml:2:13", "XNYX", "did you mean \"XNYS\""],
        ),
        // what a later version brings is refused by name
        ("  name: small", "  warm_up_days: 30", "C305", &["backtest.warm_up_days"]),
        (
            "execution:",
            "execution:\n  leverage_max: 2",
            "C303",
            &["leverage_max", "account: margin"],
        ),
        (
            "sample:bars",
            "sample:bars\n  signals: {path: x, available_at: nextday}",
            "C304",
            &["available_at", "did you mean next_day"],
        ),
        // environment
        ("sample:bars", "${NO_SUCH_NAME}/bars", "C306", &["run.yaml:5:15", "NO_SUCH_NAME"]),
        // syntax
        ("  name: small", "\tname: small", "C101", &["run.yaml:2:", "line 2"]),
        ("bps: 10}", "bps: 10", "C101", &["run.yaml:", "line"]),
        (
            "  name: small",
            "  name: small\n  name: large",
            "C101",
            &["run.yaml:3:3", "name", "twice"],
        ),
        ("execution:", "---\nexecution:", "C101", &["run.yaml", "document"]),
    ];
    for (from, to, code, words) in rows {
        let text = BASE.replacen(from, to, 1);
        assert_ne!(text, BASE, "{from}");
        let error = yaml(&text).expect_err(to);
        let shown = error.to_string();
        assert_eq!((error.code(), error.kind()), (*code, ErrorKind::Config), "{to}: {shown}");
        for word in *words {
            assert!(shown.contains(word), "{to}: {word:?} not in {shown}");
        }
    }
}

#[test]
fn config_when_toml_or_json_is_broken_then_line_and_column() {
    let rows = [
        (Format::Toml, "[data]\nasset_data = \n", "run.toml:2:"),
        (
            Format::Toml,
            "[backtest]\nname = \"a\"\ninitial_capital = \"x\"\n[data]\nasset_data = \"b\"\n[strategy]\nrule = \"noop\"\n",
            "run.toml:3:19",
        ),
        (Format::Json, "{\"data\": {\"asset_data\": }}", "run.json:1:25"),
        (
            Format::Json,
            "{\"data\":\n\t{\"asset_dat\": 1}, \"strategy\": {\"rule\": \"noop\"}}",
            "run.json:2:3",
        ),
    ];
    for (format, text, place) in rows {
        let error = parse(text, format, &Overlay::default()).expect_err(text);
        assert!(error.message().starts_with(place), "{place} in {error}");
    }
}

#[test]
fn config_when_written_in_three_syntaxes_then_equal() {
    let toml = "[backtest]\nname = \"small\"\ninitial_capital = 1_000_000\nstart_date = 2015-01-01\n\
                [data]\nasset_data = \"sample:bars\"\n[strategy]\nrule = \"noop\"\n\
                [execution]\ncommission = { kind = \"percent\", bps = 10 }\n";
    let json = r#"{"backtest": {"name": "small", "initial_capital": 1000000, "start_date": "2015-01-01"},
        "data": {"asset_data": "sample:bars"}, "strategy": {"rule": "noop"},
        "execution": {"commission": {"kind": "percent", "bps": 10}}}"#;
    let yaml = yaml(&BASE.replace("  name:", "  start_date: 2015-01-01\n  name:")).unwrap().config;
    assert_eq!(yaml.backtest.initial_capital, 1e6);
    assert_eq!(parse(toml, Format::Toml, &Overlay::default()).unwrap().config, yaml);
    assert_eq!(parse(json, Format::Json, &Overlay::default()).unwrap().config, yaml);
}

/// `null` is a name in this product and a word of its own in YAML and JSON.
#[test]
fn config_when_a_name_is_a_yaml_word_then_read_as_the_name() {
    let json = r#"{"backtest": {"name": "n"}, "data": {"asset_data": "sample:bars",
        "on_bad_row": null}, "strategy": {"rule": "noop"}}"#;
    let read = parse(json, Format::Json, &Overlay::default()).unwrap().config;
    assert_eq!(read.data.on_bad_row, run::config::BadRow::Null);
    let text = "backtest: {name: n}\ndata:\n  asset_data: sample:bars\n  on_bad_row: null\n\
                strategy: {rule: noop}\n\
                execution:\n  commission: {kind: none}\n  slippage: none\n";
    let read = yaml(text).unwrap().config;
    assert_eq!(read.data.on_bad_row, run::config::BadRow::Null);
    assert_eq!(read.execution, run::config::Execution::default(), "no costs");
    assert_eq!(yaml(&read.to_yaml().unwrap()).unwrap().config, read);
    // An empty place asks for nothing.
    let error = yaml(&text.replace("on_bad_row: null", "on_bad_row:")).unwrap_err();
    assert!(error.message().contains("on_bad_row is nothing"), "{error}");
    // No other key takes the word.
    assert!(yaml(&text.replace("name: n}", "name: null}")).is_err());
}

/// The demo shows signals, a filter by context and both stops at work.
#[test]
fn demo_when_run_then_its_report_shows_exits_by_rule() {
    let outcome = execute(&yaml(run::DEMO_CONFIG).unwrap()).unwrap();
    let summary = report::text(&outcome.report_input());
    let verdict = summary.lines().next().unwrap();
    assert!(verdict.ends_with(" trades") && verdict.chars().count() <= 100, "{verdict}");
    assert!(!summary.lines().any(|line| line.ends_with("...")), "{summary}");
    assert!(summary.contains("where context.vix < 30"), "{summary}");
    let facts = &outcome.facts.checks;
    assert!(facts[0].starts_with("bars, signals, context "), "{facts:?}");
    let markdown = report::markdown(&outcome.report_input());
    let exits = markdown.split("## Exits").nth(1).unwrap();
    for reason in ["signal", "stop_loss", "trailing"] {
        assert!(exits.contains(&format!("| {reason} |")), "{reason}: {exits}");
    }
}

#[test]
fn config_when_resolved_and_read_again_then_equal() {
    for text in [BASE, run::DEMO_CONFIG, run::config::starter()] {
        let once = yaml(text).unwrap().config;
        let resolved = once.to_yaml().unwrap();
        assert_eq!(yaml(&resolved).expect(&resolved).config, once);
    }
}

#[test]
fn layers_when_all_are_given_then_override_beats_environment_beats_file_beats_default() {
    let mut overlay = Overlay::default();
    let names = [
        ("TAPEWORKS__EXECUTION__COMMISSION__BPS", "7"),
        ("TAPEWORKS__BACKTEST__SEED", "3"),
        ("TABLE", "bars"),
    ];
    overlay.environment = BTreeMap::from(names.map(|(k, v)| (k.to_owned(), v.to_owned())));
    overlay.push("execution.commission.bps=1").unwrap();
    overlay.push("data.symbols=[AAPL, IBM]").unwrap();
    let text = BASE.replace("sample:bars", "sample:${TABLE}");
    let loaded = parse(&text, Format::Yaml, &overlay).unwrap();
    let rows = loaded.origins();
    let find = |key: &str| {
        let row = rows.iter().find(|row| row.key == key).unwrap_or_else(|| panic!("{key}"));
        (row.value.as_str(), row.origin.to_string())
    };
    assert_eq!(find("execution.commission.bps"), ("1.0", "--set execution.commission.bps".into()));
    assert_eq!(find("backtest.seed"), ("3", "environment TAPEWORKS__BACKTEST__SEED".into()));
    assert_eq!(find("backtest.name"), ("\"small\"", "run.yaml:2:9".into()));
    assert_eq!(find("data.asset_data"), ("\"sample:bars\"", "run.yaml:5:15".into()));
    assert_eq!(find("execution.lots"), ("\"integer\"", "default".into()));
    assert_eq!(loaded.origin("execution.slippage"), Origin::Default);
    assert!(Overlay::default().push("no equals sign").is_err());
    let mut wrong = Overlay::default();
    wrong.push("execution.commision.bps=1").unwrap();
    let error = parse(BASE, Format::Yaml, &wrong).unwrap_err();
    assert!(error.message().contains("--set execution.commision.bps"), "{error}");
}

/// Buy and hold on the sample: nothing charged, so equity is cash plus quantity x last close.
#[test]
fn run_when_executed_twice_then_folders_differ_in_the_clock_only() {
    let text = BASE.replace("noop", "buy_and_hold");
    let loaded = yaml(&text).unwrap();
    let outcome = execute(&loaded).unwrap();
    assert!(outcome.records.n_trades() > 0);
    let root = folder("twice");
    let first = outcome.save(&root.join("a"), Some("monday")).unwrap();
    let second = execute(&loaded).unwrap().save(&root.join("b"), Some("tuesday")).unwrap();
    assert_eq!(first.manifest.files, second.manifest.files);
    assert_eq!(first.manifest.fingerprint, second.manifest.fingerprint);
    let mut same = second.manifest.clone();
    same.made_at = first.manifest.made_at.clone();
    assert_eq!(first.manifest, same);
    assert_eq!(first.manifest.data_points, 12_154, "rows of the sample, by its README");
    let names: Vec<&str> = first.manifest.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "config.resolved.yaml",
            "metrics.json",
            "trades.parquet",
            "fills.parquet",
            "orders.parquet",
            "rejections.parquet",
            "positions.parquet",
            "portfolio.parquet",
            "account_events.parquet",
            "next_orders.parquet",
            "report.html",
        ]
    );
    let entries = fs::read_dir(root.join("a")).unwrap().count();
    assert_eq!(entries, names.len() + 1, "the files and the manifest, nothing temporary");
    let loaded_again =
        LoadedConfig::read(&root.join("a/config.resolved.yaml"), &Overlay::default());
    assert_eq!(loaded_again.unwrap().config, loaded.config);
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn folder_when_taken_then_only_a_run_folder_is_replaced() {
    let root = folder("taken");
    let outcome = execute(&yaml(BASE).unwrap()).unwrap();
    let foreign = root.join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("thesis.txt"), "years of work").unwrap();
    let error = outcome.save(&foreign, None).unwrap_err();
    assert_eq!((error.code(), error.kind()), ("W104", ErrorKind::Output));
    assert_eq!(fs::read_to_string(foreign.join("thesis.txt")).unwrap(), "years of work");
    let file = root.join("file");
    fs::write(&file, "x").unwrap();
    assert_eq!(outcome.save(&file, None).unwrap_err().code(), "W104");
    assert_eq!(outcome.save(&file.join("below"), None).unwrap_err().code(), "W104");
    let target = root.join("deep/er/run");
    outcome.save(&target, Some("first")).unwrap();
    outcome.save(&target, Some("second")).unwrap();
    assert_eq!(run::load(&target).unwrap().manifest.made_at.as_deref(), Some("second"));
    let left: Vec<_> = fs::read_dir(target.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary or old folder is left: {left:?}");
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn load_when_the_folder_is_not_whole_then_refused() {
    let root = folder("whole");
    let target = root.join("run");
    execute(&yaml(BASE).unwrap()).unwrap().save(&target, None).unwrap();
    let saved = run::load(&target).unwrap();
    assert!(saved.text().contains("fingerprint") && saved.markdown().contains("| metric |"));
    let mut bytes = fs::read(target.join("portfolio.parquet")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(target.join("portfolio.parquet"), bytes).unwrap();
    assert_eq!(run::load(&target).unwrap_err().code(), "W107");
    fs::remove_file(target.join("portfolio.parquet")).unwrap();
    assert_eq!(run::load(&target).unwrap_err().code(), "W107");
    fs::remove_file(target.join("manifest.json")).unwrap();
    assert_eq!(run::load(&target).unwrap_err().code(), "W106");
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn execute_when_the_observer_says_stop_then_interrupted() {
    let error = run::execute(&yaml(BASE).unwrap(), &mut |_| Flow::Stop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[test]
fn execute_when_window_or_symbols_miss_the_data_then_error_names_both() {
    let early =
        BASE.replace("  name:", "  start_date: 1980-01-01\n  end_date: 1981-01-01\n  name:");
    let error = execute(&yaml(&early).unwrap()).unwrap_err().to_string();
    assert!(error.contains("1980") && error.contains("2000-03-01"), "{error}");
    let absent = BASE.replace("sample:bars", "sample:bars\n  symbols: [AAPL, ZZZ]");
    let error = execute(&yaml(&absent).unwrap()).unwrap_err().to_string();
    assert!(error.contains("ZZZ"), "{error}");
    let partly = BASE.replace("  name:", "  start_date: 1999-01-01\n  name:");
    let warnings = execute(&yaml(&partly).unwrap()).unwrap().facts.warnings;
    assert!(warnings.iter().any(|w| w.contains("1999-01-01") && w.contains("2000-03-01")));
}

#[test]
fn execute_when_the_strategy_is_python_then_it_says_who_can_run_it() {
    let text = BASE.replace("rule: noop", "python: my_module:MyStrategy");
    let error = execute(&yaml(&text).unwrap()).unwrap_err();
    assert_eq!(error.code(), "C305");
    assert!(error.to_string().contains("Python package"), "{error}");
}

/// The fingerprint is of results: chunks and threads leave it alone, a cost moves it.
#[test]
fn fingerprint_when_only_chunks_differ_then_equal_and_costs_move_it() {
    let text = BASE.replace("noop", "buy_and_hold");
    let of = |assignments: &[&str]| {
        let mut overlay = Overlay::default();
        for assignment in assignments {
            overlay.push(assignment).unwrap();
        }
        let outcome = execute(&parse(&text, Format::Yaml, &overlay).unwrap()).unwrap();
        (outcome.fingerprint, outcome.facts.run_id)
    };
    let (whole, id) = of(&[]);
    let (threads, same_id) = of(&["backtest.threads=2", "reporting.directory=elsewhere"]);
    assert_eq!((&whole, &id), (&threads, &same_id));
    let (days, other_id) = of(&["data.chunk=1d"]);
    assert_eq!(whole, days);
    assert_ne!(id, other_id);
    assert_ne!(whole, of(&["execution.commission.bps=11"]).0);
}

#[test]
fn examples_when_run_then_each_trades() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/configs");
    let mut names = Vec::new();
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let loaded = LoadedConfig::read(&path, &Overlay::default()).expect("a valid example");
        let outcome =
            execute(&loaded).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(outcome.records.n_trades() > 0, "{}", path.display());
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(names, ["entries_exits.json", "sma_cross.toml", "top_n.yaml"]);
}

/// A config over raw prices: the split is booked, and the report says what the prices are.
#[test]
fn config_when_it_names_actions_then_they_are_booked_and_told() {
    let folder = folder("actions");
    let bars = "timestamp,symbol,open,high,low,close,volume\n\
                2024-01-02T00:00:00Z,AAA,100,100,100,100,1000\n\
                2024-01-03T00:00:00Z,AAA,100,100,100,100,1000\n\
                2024-01-04T00:00:00Z,AAA,50,50,50,50,2000\n";
    fs::write(folder.join("bars.csv"), bars).expect("a file");
    let actions = "symbol,ex_date,kind,ratio,amount\nAAA,2024-01-04,split,2,\n";
    fs::write(folder.join("actions.csv"), actions).expect("a file");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let text = |more: &str| {
        format!(
            "data: {{asset_data: {}, actions: {}{more}}}\nstrategy: {{rule: buy_and_hold}}\n",
            path("bars.csv"),
            path("actions.csv")
        )
    };
    let loaded = yaml(&text(", adjustment: none")).expect("a config");
    let outcome = execute(&loaded).expect("a run");
    assert!(outcome.records.states().equity.iter().all(|&equity| equity == 100_000.0));
    let unverified = &outcome.facts.unverified;
    let told = unverified.iter().find(|item| item.topic == "adjustment").expect("a line");
    assert!(told.text.contains("raw"), "{}", told.text);
    assert!(!outcome.facts.not_modelled.iter().any(|line| line.contains("dividends")));
    assert!(outcome.parts.inputs.iter().any(|input| input.table == "actions"));
    assert!(loaded.config.to_yaml().expect("yaml").contains("adjustment: none"));
    let error = execute(&yaml(&text("")).expect("a config")).map(drop).expect_err("no adjustment");
    assert_eq!(error.code(), "C341");
    let error = yaml(&text(", adjustment: splits")).map(drop).expect_err("no such word");
    assert!(error.message().contains("splits"), "{error}");
    let _ = fs::remove_dir_all(&folder);
}
