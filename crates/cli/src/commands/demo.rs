//! `tapeworks demo`: the bundled sample, from check to report.

use std::path::Path;

use tapeworks::run::config::Format;
use tapeworks::run::{DEMO_CONFIG, LoadedConfig};

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
            if let (false, Some(check)) = (terminal.json, &outcome.parts.check) {
                terminal.print(&format!("check   {}\n", check.verdict()))?;
            }
            print(&outcome, &saved, terminal)?;
            terminal.note("next: `tapeworks config init my.yaml`, then `tapeworks run my.yaml`");
            Ok(0)
        }
        Err(failure) => interrupted_or(failure, &interrupt, terminal),
    }
}
