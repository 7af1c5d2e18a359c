//! `tapeworks prepare`: tables to asset data and context data.

use std::ops::ControlFlow;

use serde_json::json;
use tapeworks::engine::Progress as Walked;
use tapeworks::run::config::LoadedPrepare;
use tapeworks::run::{self, Event};

use super::overlay;
use super::run::interrupted_or;
use crate::args::Prepare;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::terminal::{Outcome, Terminal};

/// Done, although rows break rules.
const FINDINGS: u8 = 3;

pub fn prepare(arguments: &Prepare, terminal: &Terminal) -> Outcome<u8> {
    let mut overlay = overlay(&arguments.overrides, None)?;
    if arguments.force {
        overlay.overrides.push(("prepare.force".to_owned(), "true".to_owned()));
    }
    let loaded = LoadedPrepare::read(&arguments.config, &overlay)?;
    let interrupt = Interrupt::listen();
    let mut progress = Progress::new(terminal, None);
    let result = run::prepare(&loaded, &mut |walked| {
        progress.hear(Event::Rows(&Walked { rows: walked.rows, timestamp: walked.timestamp }));
        if interrupt.is_set() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    progress.finish();
    let report = match result {
        Ok(report) => report,
        Err(error) => return interrupted_or(error.into(), &interrupt, terminal),
    };
    if terminal.json {
        let mut document = json!(report);
        document["ok"] = json!(report.ok());
        document["verdict"] = json!(report.verdict());
        terminal.print_json(&document)?;
    } else {
        terminal.print(&report.to_string())?;
    }
    Ok(if report.ok() { 0 } else { FINDINGS })
}
