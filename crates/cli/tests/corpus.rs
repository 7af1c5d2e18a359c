//! The corpus of malformed, odd and hostile inputs, case by case, through `tapeworks check data`.
//!
//! The corpus is generated outside of the repository; without it, or without a Python that has
//! pyarrow, the test says so and does nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// What no run may print.
const CRASHES: [&str; 3] = ["panicked at", "Traceback", "core dumped"];

fn script() -> Option<PathBuf> {
    let shared = std::env::var_os("TAPEWORKS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let script = shared.join("badinput/make_corpus.py");
    if script.exists() {
        return Some(script);
    }
    eprintln!("skipped: no ../shared");
    None
}

fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    let asked = std::env::var_os("PYTHON").map(PathBuf::from);
    let all = asked.into_iter().chain([own, PathBuf::from("python3")]);
    let found = all.into_iter().find(|python| {
        let outcome = Command::new(python).args(["-c", "import pyarrow"]).output();
        outcome.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        eprintln!("skipped: no Python with pyarrow; `make wheel` makes one");
    }
    found
}

fn check(folder: &Path, kind: &str, input: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tapeworks"));
    command.args(["check", "data"]).arg(input).args(["--kind", kind]).current_dir(folder);
    if ["signals", "actions"].contains(&kind) {
        command.arg("--bars").arg(folder.join("bars.parquet"));
    }
    command.output().expect("the binary starts")
}

fn words<'a>(case: &'a Value, key: &str) -> Vec<&'a str> {
    case[key].as_array().map_or_else(Vec::new, |all| all.iter().filter_map(Value::as_str).collect())
}

/// The fault of an outcome, by the rules of the corpus; `None` when there is none.
fn fault(case: &Value, output: &Output) -> Option<String> {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text).to_lowercase();
    let class = match output.status.code() {
        None => return Some("died by a signal".to_owned()),
        Some(0) if text.contains("warning") => "warn",
        Some(0) => "ok",
        Some(_) => "error",
    };
    if let Some(crash) = CRASHES.iter().find(|crash| text.contains(&crash.to_lowercase())) {
        return Some(format!("shows {crash:?}"));
    }
    let expected = case["expected"].as_str().unwrap_or_default();
    if class != expected && !words(case, "accept").contains(&class) {
        return Some(format!("{class}, not {expected}: {text}"));
    }
    let lost: Vec<&str> = words(case, "see")
        .into_iter()
        .filter(|word| class != "ok" && !text.contains(&word.to_lowercase()))
        .collect();
    if !lost.is_empty() {
        return Some(format!("lacks {}: {text}", lost.join(", ")));
    }
    let rows = case["rows"].as_u64().filter(|_| class != "error")?;
    let is_told =
        text.contains(&format!("{rows} row")) || text.contains(&format!("{} row", grouped(rows)));
    let is_repaired = text.contains("repair:");
    (!is_told && !is_repaired).then(|| format!("not {rows} rows: {text}"))
}

fn grouped(n: u64) -> String {
    if n < 1_000 { n.to_string() } else { format!("{},{:03}", n / 1_000, n % 1_000) }
}

#[test]
fn corpus_when_checked_then_every_case_is_graded_as_expected() {
    let (Some(script), Some(python)) = (script(), python()) else { return };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("badinput");
    let made = Command::new(python).arg(script).arg(&folder).output().expect("Python starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let manifest = std::fs::read(folder.join("manifest.json")).expect("the corpus was made");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let mut faults = Vec::new();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for case in manifest["entries"].as_array().expect("cases") {
        let word = |key: &str| case[key].as_str().unwrap_or_default();
        if !["bars", "signals", "actions"].contains(&word("kind")) {
            continue;
        }
        let of_case = folder.join(word("id"));
        let before = std::fs::read_dir(&of_case).map_or(0, Iterator::count);
        let output = check(&of_case, word("kind"), &folder.join(word("input")));
        let mut found = fault(case, &output);
        if std::fs::read_dir(&of_case).map_or(0, Iterator::count) != before {
            found = Some("left a file behind".to_owned());
        }
        let class = format!("{} {}", word("kind"), word("expected"));
        *counts.entry(class).or_default() += 1;
        if let Some(text) = found {
            faults.push(format!("{} ({}): {text}", word("id"), word("wrong")));
        }
    }
    assert_eq!(counts.values().sum::<u32>(), 355, "{counts:?}");
    assert!(faults.is_empty(), "{} cases differ:\n{}", faults.len(), faults.join("\n"));
    let _ = std::fs::remove_dir_all(&folder);
}
