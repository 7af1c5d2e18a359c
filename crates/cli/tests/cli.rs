//! The program from outside: exit codes, streams, files.

#![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// A working folder of its own that goes away with the test.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tapeworks-cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::cargo_bin("tapeworks").unwrap();
        command.current_dir(&self.0).env_clear().args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn example(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/configs");
    root.join(name).to_string_lossy().into_owned()
}

const SMALL: &str =
    "data: {asset_data: 'sample:bars', symbols: [AAPL]}\nstrategy: {rule: buy_and_hold}\n";

const RUN_FILES: [&str; 12] = [
    "account_events.parquet",
    "config.resolved.yaml",
    "fills.parquet",
    "manifest.json",
    "metrics.json",
    "next_orders.parquet",
    "orders.parquet",
    "portfolio.parquet",
    "positions.parquet",
    "rejections.parquet",
    "report.html",
    "trades.parquet",
];

#[test]
fn demo_when_run_then_verdict_summary_and_whole_folder() {
    let desk = Desk::new("demo");
    let output = desk.run(&["demo"]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stdout.starts_with("check"), "{stdout}");
    assert!(stdout.contains("Sharpe"), "{stdout}");
    let last: Vec<&str> = stdout.lines().rev().take(2).collect();
    assert!(last[0].ends_with("runs/demo") && last[1].ends_with("runs/demo/report.html"));
    assert!(stdout.lines().count() <= 32, "one screen: {}", stdout.lines().count());
    assert!(stdout.lines().all(|line| line.chars().count() <= 100), "{stdout}");
    assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "no ANSI when piped");
    assert_eq!(desk.names("runs/demo"), RUN_FILES);
    assert_eq!(desk.names("runs"), ["demo"]);
    // A second run replaces the first.
    assert_eq!(desk.run(&["demo", "-q"]).status.code(), Some(0));
    assert_eq!(desk.names("runs"), ["demo"]);
}

#[test]
fn run_when_given_examples_then_exit_0_and_a_json_document() {
    let desk = Desk::new("examples");
    for name in ["top_n.yaml", "sma_cross.toml", "entries_exits.json"] {
        let output = desk.run(&["run", &example(name), "--json", "--out", name]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["schema_version"], 1);
        assert!(document["metrics"]["sharpe"]["convention"].is_string(), "{document}");
        assert_eq!(desk.names(name), RUN_FILES);
        let saved: Value =
            serde_json::from_slice(&fs::read(desk.path(name).join("metrics.json")).unwrap())
                .unwrap();
        assert_eq!(saved["metrics"], document["metrics"], "{name}");
    }
    let default = desk.run(&["run", &example("top_n.yaml"), "-q"]);
    assert_eq!(default.status.code(), Some(0));
    let made = desk.names("runs");
    assert!(made.len() == 1 && made[0].starts_with("top_n-") && made[0].len() == 14, "{made:?}");
}

#[test]
fn usage_when_wrong_then_exit_2_code_and_suggestion() {
    let desk = Desk::new("usage");
    let rows: &[(&[&str], &str)] = &[
        (&["rum", "x.yaml"], "run"),
        (&["run", "x.yaml", "--dryrun"], "--dry-run"),
        (&["run", "x.yaml", "--colour"], "--color"),
        (&["check", "dat", "x"], "data"),
        (&["run"], "CONFIG"),
        (&["run", "x.yaml", "--threads", "0"], "threads"),
        (&["run", "absent.yaml"], "absent.yaml"),
        (&["run", "x.ini"], "x.ini"),
        (&["info", "x", "--price-scale", "0"], "price-scale"),
    ];
    for (args, word) in rows {
        let output = desk.run(args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error[TW-C") && stderr.contains(word), "{args:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{args:?}");
        let json = desk.run(&[args, &["--json"][..]].concat());
        let document: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert!(document["error"]["code"].as_str().unwrap().starts_with("TW-C"), "{document}");
        assert!(document["error"]["message"].is_string() && json.status.code() == Some(2));
    }
    assert_eq!(desk.names("."), [] as [&str; 0], "nothing was written");
}

#[test]
fn help_when_asked_then_stdout_and_exit_0() {
    let desk = Desk::new("help");
    for args in [&["--help"][..], &["run", "--help"], &["--version"], &["completions", "bash"]] {
        let output = desk.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{args:?}");
    }
    let bare = desk.run(&[]);
    assert_eq!(bare.status.code(), Some(2));
}

#[test]
fn config_errors_when_run_then_exit_2_with_place() {
    let desk = Desk::new("config");
    fs::write(desk.path("typo.yaml"), SMALL.replace("rule", "ruel")).unwrap();
    let output = desk.run(&["run", "typo.yaml"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.contains("typo.yaml:2:12: unknown key strategy.ruel, did you mean rule"),
        "{stderr}"
    );
    assert_eq!(desk.names("."), ["typo.yaml"]);
}

#[test]
fn run_when_data_or_output_fail_then_exit_1_and_nothing_left() {
    let desk = Desk::new("fail");
    fs::write(desk.path("absent.yaml"), SMALL.replace("sample:bars", "nowhere.parquet")).unwrap();
    fs::write(desk.path("small.yaml"), SMALL).unwrap();
    fs::write(desk.path("file"), "x").unwrap();
    let before = desk.names(".");
    for args in [
        &["run", "absent.yaml", "--out", "r"][..],
        &["run", "absent.yaml", "--dry-run"],
        &["run", "small.yaml", "--out", "file"],
        &["run", "small.yaml", "--out", "file/below", "--dry-run"],
        &["run", "small.yaml", "--out", "."],
        &["report", "."],
        &["config", "init", "file"],
    ] {
        let output = desk.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("hint:"), "{args:?}: {}", text(&output.stderr));
        assert_eq!(desk.names("."), before, "{args:?}");
    }
}

#[test]
fn dry_run_when_asked_then_rows_and_nothing_written() {
    let desk = Desk::new("dry");
    fs::write(desk.path("small.yaml"), SMALL).unwrap();
    let output = desk.run(&["run", "small.yaml", "--dry-run"]);
    let stdout = text(&output.stdout);
    // AAPL has 3,270 rows, by the README of the sample.
    assert!(stdout.contains("rows      3270") && stdout.contains("MiB"), "{stdout}");
    assert!(stdout.contains("rule: buy_and_hold"), "{stdout}");
    assert_eq!(desk.names("."), ["small.yaml"]);
    let json = desk.run(&["run", "small.yaml", "--dry-run", "--json"]);
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(document["preview"]["rows"], 3270);
    assert_eq!(document["config"]["strategy"]["rule"], "buy_and_hold");
}

#[test]
fn check_and_info_when_rows_are_wrong_then_exit_3_and_named() {
    let desk = Desk::new("check");
    let good = "timestamp,symbol,open,high,low,close,volume\n\
                2024-01-02T00:00:00Z,A,10,11,9,10,5\n2024-01-03T00:00:00Z,A,10,11,9,10,5\n";
    fs::write(desk.path("good.csv"), good).unwrap();
    fs::write(desk.path("bad.csv"), good.replacen("10,11,9,10", "10,9.5,9,10", 1)).unwrap();
    let clean = desk.run(&["check", "data", "good.csv"]);
    assert_eq!(clean.status.code(), Some(0), "{}", text(&clean.stderr));
    assert!(!text(&clean.stderr).contains("warning"));
    let findings = desk.run(&["check", "data", "bad.csv"]);
    assert_eq!(findings.status.code(), Some(3));
    assert!(text(&findings.stdout).contains("bad.csv"), "{}", text(&findings.stdout));
    let json = desk.run(&["check", "data", "bad.csv", "--json"]);
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&document["ok"], json.status.code()), (&Value::Bool(false), Some(3)));
    assert_eq!(desk.run(&["check", "data", "none.csv"]).status.code(), Some(3));
    let info = desk.run(&["info", "good.csv", "--json"]);
    let document: Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!((&document["n_rows"], &document["symbols"][0]), (&2.into(), &"A".into()));
}

#[test]
fn config_commands_when_used_then_starter_runs_and_origins_show() {
    let desk = Desk::new("init");
    assert_eq!(desk.run(&["config", "init", "my.yaml"]).status.code(), Some(0));
    assert_eq!(
        text(&desk.run(&["config", "init"]).stdout),
        fs::read_to_string(desk.path("my.yaml")).unwrap()
    );
    let run = desk.run(&["run", "my.yaml", "--out", "r", "-q"]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    let mut show =
        desk.command(&["config", "show", "my.yaml", "--origin", "--set", "strategy.n=3"]);
    let output = show.env("TAPEWORKS__BACKTEST__SEED", "5").output().unwrap();
    let stdout = text(&output.stdout);
    let line = |key: &str| {
        let line =
            stdout.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("strategy.n "), "strategy.n 3 --set strategy.n");
    assert_eq!(line("backtest.seed"), "backtest.seed 5 environment TAPEWORKS__BACKTEST__SEED");
    assert!(line("backtest.name").contains("my.yaml:6:9"), "{}", line("backtest.name"));
    assert!(line("execution.leverage_max").ends_with("default"));
    let schema: Value = serde_json::from_slice(&desk.run(&["config", "schema"]).stdout).unwrap();
    assert!(schema["properties"]["backtest"].is_object());
}

#[test]
fn report_when_asked_again_then_each_format() {
    let desk = Desk::new("report");
    fs::write(desk.path("small.yaml"), SMALL).unwrap();
    desk.run(&["run", "small.yaml", "--out", "r"]);
    for (format, start) in [("md", "# run"), ("json", "{"), ("html", "<!"), ("text", "run")] {
        let output = desk.run(&["report", "r", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", text(&output.stderr));
        assert!(text(&output.stdout).to_lowercase().starts_with(start), "{format}");
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::Read;
    use std::process::{Command as Process, Stdio};
    use std::time::Duration;

    use super::*;

    #[test]
    fn stdout_when_full_then_error_and_when_closed_then_quiet() {
        let desk = Desk::new("streams");
        let program = assert_cmd::cargo::cargo_bin("tapeworks");
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Process::new(&program)
            .args(["config", "schema"])
            .current_dir(&desk.0)
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).starts_with("error[TW-W108]"), "{}", text(&output.stderr));
        let mut child = Process::new(&program)
            .args(["config", "schema"])
            .current_dir(&desk.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert_eq!(stderr, "");
    }

    /// Whether a process has come so far as to handle SIGINT itself.
    fn catches_interrupts(id: u32) -> bool {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & 0b10 != 0
    }

    /// A run that takes long (many rows), interrupted shortly after its start.
    #[test]
    fn interrupt_when_running_then_exit_130_or_143_and_nothing_left() {
        let desk = Desk::new("interrupt");
        let mut csv = String::from("timestamp,symbol,open,high,low,close,volume\n");
        for second in 0..400_000_i64 {
            let time = 1_700_000_000 + second;
            csv.extend([&time.to_string(), "000000000,A,10,11,9,10,5\n"]);
        }
        fs::write(desk.path("bars.csv"), csv).unwrap();
        let slow = "data: {asset_data: bars.csv, chunk: 50}\nstrategy: {rule: sma_cross, fast: 3, slow: 7, quantity: 1}\n";
        fs::write(desk.path("slow.yaml"), slow).unwrap();
        for (name, code) in [("INT", 130), ("TERM", 143)] {
            let mut child = Process::new(assert_cmd::cargo::cargo_bin("tapeworks"))
                .args(["run", "slow.yaml", "--out", "r"])
                .current_dir(&desk.0)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let id = child.id();
            while !catches_interrupts(id) {
                std::thread::sleep(Duration::from_millis(2));
            }
            let line = format!("kill -{name} {id}");
            let sent = Process::new("sh").args(["-c", &line]).status().unwrap();
            assert!(sent.success(), "the run was already over");
            let status = child.wait().unwrap();
            assert_eq!(status.code(), Some(code), "{name}");
            assert_eq!(desk.names("."), ["bars.csv", "slow.yaml"], "{name}");
        }
    }
}

#[test]
fn prepare_when_given_tables_then_files_that_a_run_reads() {
    let desk = Desk::new("prepare");
    let config = "\
prepare:
  prices: {path: 'sample:bars', freq: 1d}
  signals: {path: 'sample:signals', staleness: 30d}
  context: [{path: 'sample:context', columns: [vix]}]
  indicators: [rsi:14, macd]
  asset_output: asset
  context_output: context.parquet
  partition_by: month
data: {asset_data: asset, context_data: context.parquet}
strategy: {rule: top_n, signal: score, n: 2, rebalance: 5d, where: 'context.vix < 30'}
";
    fs::write(desk.path("a.yaml"), config).unwrap();
    let prepared = desk.run(&["--json", "prepare", "a.yaml"]);
    assert_eq!(prepared.status.code(), Some(0), "{}", text(&prepared.stderr));
    let report: Value = serde_json::from_slice(&prepared.stdout).unwrap();
    assert_eq!(report["rows"], 12_154);
    assert_eq!(report["columns"].as_array().unwrap().len(), 5);
    assert!(desk.names("asset").contains(&"month=2008-09".to_owned()));
    let run = desk.run(&["run", "a.yaml", "--out", "runs/a"]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));

    // override, exit code, words on stderr; nothing of the old result changes
    let rows = [
        ("prepare.partition_by=moth", 2, "did you mean month"),
        ("prepare.indicators=[rsl:14]", 2, "did you mean \"rsi\""),
        ("prepare.compression=zstd:50", 2, "levels"),
        ("prepare.signals.valid_from=market_opn", 2, "valid_from"),
        ("prepare.prices.freq=1min", 1, "TW-D309"),
        ("prepare.prices.path=nowhere.parquet", 1, "nowhere.parquet"),
        ("prepare.context=[]", 2, "no context"),
    ];
    for (assignment, code, words) in rows {
        let refused = desk.run(&["prepare", "a.yaml", "--set", assignment]);
        let stderr = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{assignment}: {stderr}");
        assert!(stderr.contains(words), "{assignment}: {stderr}");
    }
    assert_eq!(desk.names("asset").len(), 158);
    let no_section = desk.run(&["prepare", &example("top_n.yaml")]);
    assert_eq!(no_section.status.code(), Some(2));
}
