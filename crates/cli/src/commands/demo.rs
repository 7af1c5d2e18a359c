//! `tapeworks demo`: the bundled sample, from check to report.

use std::path::Path;

use tapeworks::base::Result;
use tapeworks::data::{self, ReadOptions, Source, open_bars};
use tapeworks::run::config::Format;
use tapeworks::run::{DEMO_CONFIG, LoadedConfig, sample_reader};

use super::overlay;
use super::run::{execute, interrupted_or, print};
use crate::args::Demo;
use crate::interrupt::Interrupt;
use crate::terminal::{Outcome, Terminal};

pub fn demo(arguments: &Demo, threads: Option<u16>, terminal: &Terminal) -> Outcome<u8> {
    let mut overlay = overlay(&[], threads)?;
    let out = arguments.out.to_string_lossy().into_owned();
    overlay.overrides.push(("reporting.directory".to_owned(), out));
    let loaded =
        LoadedConfig::parse(DEMO_CONFIG, Format::Yaml, "demo.yaml", Path::new(""), &overlay)?;
    let interrupt = Interrupt::listen();
    match execute(&loaded, terminal, &interrupt) {
        Ok((outcome, saved)) => {
            if !terminal.json {
                terminal.print(&verdicts()?)?;
            }
            print(&outcome, &saved, terminal)?;
            terminal.note("next: `tapeworks config init my.yaml`, then `tapeworks run my.yaml`");
            Ok(0)
        }
        Err(failure) => interrupted_or(failure, &interrupt, terminal),
    }
}

/// What the checks say of each table of the sample, a line each.
fn verdicts() -> Result<String> {
    let options = ReadOptions::default();
    let table = |name: &str| sample_reader(name).map(Source::Arrow);
    let symbols = open_bars(table("bars")?, &options)?.symbols();
    let checks = [
        data::check(table("bars")?, &options)?,
        data::read_signals(table("signals")?, &symbols, &options)?.1,
        data::read_context(table("context")?, &options)?.1,
    ];
    let lines: Vec<String> =
        checks.iter().map(|check| format!("check   {}", check.verdict())).collect();
    Ok(lines.join("\n"))
}
