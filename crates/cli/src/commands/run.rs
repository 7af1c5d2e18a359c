//! `tapeworks run`: a config, from data to run folder.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
#[expect(clippy::disallowed_types, reason = "the estimate of time, never part of a result")]
use std::time::Instant;

use serde_json::json;
use tapeworks::base::ErrorKind;
use tapeworks::engine::Flow;
use tapeworks::report;
use tapeworks::run::{self, Event, LoadedConfig, Outcome as RunOutcome, SavedFolder, Stage};

use super::overlay;
use crate::args::Run;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::terminal::{Failure, Outcome, Terminal};

pub fn run(arguments: &Run, threads: Option<u16>, terminal: &Terminal) -> Outcome<u8> {
    let mut overlay = overlay(&arguments.overrides, threads)?;
    if let Some(out) = &arguments.out {
        let text = out.to_string_lossy().into_owned();
        overlay.overrides.push(("reporting.directory".to_owned(), text));
    }
    let loaded = LoadedConfig::read(&arguments.config, &overlay)?;
    let interrupt = Interrupt::listen();
    if arguments.preview {
        return dry_run(&loaded, terminal, &interrupt);
    }
    let finished = execute(&loaded, terminal, &interrupt);
    let (outcome, saved) = match finished {
        Ok(finished) => finished,
        Err(failure) => return interrupted_or(failure, &interrupt, terminal),
    };
    print(&outcome, &saved, terminal)?;
    Ok(0)
}

/// Runs a config and writes its folder.
pub fn execute(
    loaded: &LoadedConfig,
    terminal: &Terminal,
    interrupt: &Interrupt,
) -> Outcome<(RunOutcome, SavedFolder)> {
    let mut progress = Progress::new(terminal, window(loaded));
    let result = run::execute(loaded, &mut |event| hear(event, &mut progress, interrupt));
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => {
            progress.finish();
            return Err(error.into());
        }
    };
    progress.hear(Event::Stage(Stage::Writing));
    let folder = outcome.default_folder();
    interrupt.set_unfinished(Some(run::temporary_name(&folder)));
    let made_at = jiff::Timestamp::now().to_string();
    let saved = outcome.save(&folder, Some(&made_at));
    interrupt.set_unfinished(None);
    progress.finish();
    Ok((outcome, saved?))
}

fn hear(event: Event<'_>, progress: &mut Progress<'_>, interrupt: &Interrupt) -> Flow {
    progress.hear(event);
    if interrupt.is_set() { Flow::Stop } else { Flow::Continue }
}

fn window(loaded: &LoadedConfig) -> Option<(i64, i64)> {
    let (start, end) = loaded.config.backtest.window().ok()?;
    Some((start?.0, end?.0))
}

/// An interrupted run has its own exit code.
pub fn interrupted_or(failure: Failure, interrupt: &Interrupt, terminal: &Terminal) -> Outcome<u8> {
    match &failure {
        Failure::Error(error) if error.kind() == ErrorKind::Interrupted => {
            terminal.fail(&failure);
            Ok(interrupt.exit_code())
        }
        _ => Err(failure),
    }
}

/// Prints a finished run: warnings, the summary, and last what was written.
pub fn print(outcome: &RunOutcome, saved: &SavedFolder, terminal: &Terminal) -> Outcome<()> {
    for warning in &outcome.facts.warnings {
        terminal.warn(warning);
    }
    if terminal.is_verbose() {
        for input in &outcome.parts.inputs {
            let (table, path, hash) = (&input.table, &input.path, &input.hash);
            terminal.note(&format!("read {table} {path}, {} bytes, blake3 {hash}", input.bytes));
        }
        terminal.note(&format!("run id {}", outcome.facts.run_id));
        terminal.note(&format!("fingerprint {}", outcome.fingerprint));
    }
    if terminal.json {
        let mut document = outcome.metrics_json();
        let manifest = &saved.manifest;
        document["folder"] = json!(saved.folder.display().to_string());
        document["files"] = json!(manifest.files.iter().map(|f| &f.name).collect::<Vec<_>>());
        document["warnings"] = json!(manifest.warnings);
        document["repairs"] = json!(manifest.repairs);
        return terminal.print_json(&document);
    }
    let mut text = report::text(&outcome.report_input());
    text.truncate(text.trim_end().len());
    text.push_str("\n\n");
    if let Some(page) = saved.manifest.file("report") {
        let _ = writeln!(text, "report  {}", display(&saved.folder.join(&page.name)));
    }
    let _ = writeln!(text, "folder  {}", display(&saved.folder));
    terminal.print(&text)
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

#[expect(clippy::disallowed_types, reason = "the estimate of time, never part of a result")]
fn dry_run(loaded: &LoadedConfig, terminal: &Terminal, interrupt: &Interrupt) -> Outcome<u8> {
    let mut progress = Progress::new(terminal, window(loaded));
    let begun = Instant::now();
    let mut reading = Duration::ZERO;
    let result = run::preview(loaded, &mut |event| {
        if matches!(event, Event::Stage(Stage::Concluding)) {
            reading = begun.elapsed();
        }
        hear(event, &mut progress, interrupt)
    });
    progress.finish();
    let (preview, check) = match result {
        Ok(found) => found,
        Err(error) => return interrupted_or(error.into(), interrupt, terminal),
    };
    for warning in &preview.warnings {
        terminal.warn(warning);
    }
    let seconds = preview.seconds(reading.as_secs_f64());
    if terminal.json {
        let mut document = json!({
            "config": loaded.config, "preview": preview, "check": check,
        });
        document["preview"]["seconds"] = json!((seconds * 100.0).round() / 100.0);
        terminal.print_json(&document)?;
        return Ok(0);
    }
    let span =
        preview.span.clone().map_or(String::new(), |(first, last)| format!(", {first} .. {last}"));
    let mut text = loaded.config.to_yaml()?;
    text += "---\n";
    let _ = writeln!(
        text,
        "rows      {} ({} timestamps, {} symbols{span})",
        preview.rows, preview.timestamps, preview.symbols
    );
    if let Some(frequency) = &preview.frequency {
        let _ = writeln!(text, "frequency {frequency} (inferred)");
    }
    let mebibytes = preview.memory_bytes as f64 / f64::from(1 << 20);
    if let (Some(orders), Some(fills)) = (preview.orders, preview.fills) {
        let is_whole = preview.trial_rows == preview.rows;
        let how = if is_whole { "" } else { ", by the first eighth of the span" };
        let _ = writeln!(text, "orders    {orders}, fills {fills}{how}");
    } else {
        text += "orders    not known: a Python class sends them\n";
    }
    let _ = writeln!(text, "memory    about {mebibytes:.0} MiB at the peak, within a factor of 2");
    let _ = writeln!(text, "time      about {seconds:.1} s on this machine, when it is idle");
    let _ = writeln!(text, "check     {}", preview.check);
    text += "dry run: nothing was written\n";
    terminal.print(&text)?;
    Ok(0)
}
