//! What `--dry-run` says beside what the run then takes.

#![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// The factor that the help of the estimate states, both ways.
const FACTOR: f64 = 2.0;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tapeworks"));
    command.env_clear();
    command
}

/// Runs a config and gives the greatest memory it held, as the system counts it; `None` where the
/// system does not say so.
fn peak_bytes(folder: &Path, config: &str) -> Option<u64> {
    let mut child = program()
        .current_dir(folder)
        .args(["run", config, "--out", "out", "--quiet"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = None;
    loop {
        // The mark only rises, so the last one that was seen is the peak but for a moment.
        if let Ok(text) = fs::read_to_string(&status)
            && let Some(line) = text.lines().find(|line| line.starts_with("VmHWM:"))
        {
            let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            peak = Some(kilobytes * 1024);
        }
        if let Some(exit) = child.try_wait().unwrap() {
            assert!(exit.success(), "{config}");
            return peak;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Minute bars of 60 symbols whose closes rise and fall, so that crosses are frequent.
fn write_csv(path: &Path, n_minutes: i64) {
    let mut text = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
    for minute in 0..n_minutes {
        for symbol in 0..60 {
            let close = 100 + (minute * (symbol + 3)) % 17;
            let (open, low, high) = (close - 1, close - 2, close + 1);
            let seconds = 1_704_067_200 + 60 * minute;
            writeln!(text, "{seconds},S{symbol:02},{open},{high},{low},{close},1000").unwrap();
        }
    }
    fs::write(path, text).unwrap();
}

#[test]
fn dry_run_when_compared_with_the_run_then_counts_are_exact_and_memory_within_the_factor() {
    let folder = std::env::temp_dir().join(format!("tapeworks-estimates-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    write_csv(&folder.join("minutes.csv"), 3_000);
    let config = |data: &str, rule: &str| {
        format!(
            "data: {data}\nstrategy: {rule}\nbacktest: {{initial_capital: 1e8, timezone: UTC}}\n\
             execution: {{commission: {{kind: percent, bps: 1}}}}\n"
        )
    };
    let sample = "{asset_data: 'sample:bars'}";
    let minutes = "{asset_data: minutes.csv}";
    let cross = "{rule: sma_cross, fast: 2, slow: 5, quantity: 10}";
    for (name, data, rule) in [
        ("few", sample, "{rule: buy_and_hold}"),
        ("sample", sample, cross),
        ("idle", minutes, "{rule: noop}"),
        ("many", minutes, cross),
    ] {
        let file = format!("{name}.yaml");
        fs::write(folder.join(&file), config(data, rule)).unwrap();
        let dry = program()
            .current_dir(&folder)
            .args(["run", &file, "--dry-run", "--json"])
            .output()
            .unwrap();
        assert!(dry.status.success(), "{}", String::from_utf8_lossy(&dry.stderr));
        let document: Value = serde_json::from_slice(&dry.stdout).unwrap();
        let preview = &document["preview"];
        let Some(peak) = peak_bytes(&folder, &file) else {
            eprintln!("skipped: the system does not tell the peak of a process");
            return;
        };
        let text = fs::read_to_string(folder.join("out/manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        let rows = |file: &str| {
            let files = manifest["files"].as_array().unwrap();
            files.iter().find(|entry| entry["name"] == file).unwrap()["rows"].clone()
        };
        // Both tables are below the rows up to which everything is simulated.
        assert_eq!(preview["trial_rows"], preview["rows"], "{name}");
        assert_eq!(preview["fills"], rows("fills.parquet"), "{name}");
        assert_eq!(preview["timestamps"], rows("portfolio.parquet"), "{name}");
        let inputs = manifest["inputs"].as_array().unwrap();
        assert_eq!(preview["rows"], inputs[0]["rows"], "{name}");
        let estimate = preview["memory_bytes"].as_u64().unwrap();
        let ratio = peak as f64 / estimate as f64;
        eprintln!("{name}: {peak} bytes at the peak, {estimate} estimated, ratio {ratio:.2}");
        assert!(ratio < FACTOR && ratio > 1.0 / FACTOR, "{name}: {peak} against {estimate}");
        assert!(preview["seconds"].as_f64().unwrap() > 0.0, "{name}");
        fs::remove_dir_all(folder.join("out")).unwrap();
    }
    fs::remove_dir_all(&folder).unwrap();
}
