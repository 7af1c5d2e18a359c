//! One file a command.

mod check;
mod config;
mod demo;
mod info;
mod prepare;
mod report;
mod run;
mod sort;

use clap::CommandFactory;
use tapeworks::base::Result;
use tapeworks::run::Overlay;

use crate::args::{Arguments, Check, Command, ConfigCommand};
use crate::terminal::{Outcome, Terminal};

/// Runs the command; `Ok` holds the exit code.
pub fn dispatch(arguments: Arguments, terminal: &Terminal) -> Outcome<u8> {
    let threads = arguments.shared.threads;
    match arguments.command {
        Command::Demo(demo) => demo::demo(&demo, threads, terminal),
        Command::Run(run) => run::run(&run, threads, terminal),
        Command::Prepare(arguments) => prepare::prepare(&arguments, terminal),
        Command::Check(Check::Data(data)) => check::data(&data, threads, terminal),
        Command::Sort(arguments) => sort::sort(&arguments, terminal),
        Command::Info(info) => info::info(&info, terminal),
        Command::Report(report) => report::report(&report, terminal),
        Command::Config(ConfigCommand::Schema) => config::schema(terminal),
        Command::Config(ConfigCommand::Show(show)) => config::show(&show, threads, terminal),
        Command::Config(ConfigCommand::Init(init)) => config::init(&init, terminal),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            let mut command = Arguments::command();
            clap_complete::generate(shell, &mut command, "tapeworks", &mut script);
            terminal.print(&String::from_utf8_lossy(&script))?;
            Ok(0)
        }
    }
}

/// The environment of this process and the overrides of its arguments.
fn overlay(overrides: &[String], threads: Option<u16>) -> Result<Overlay> {
    let mut overlay = Overlay {
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        ..Overlay::default()
    };
    for assignment in overrides {
        overlay.push(assignment)?;
    }
    if let Some(threads) = threads {
        overlay.overrides.push(("backtest.threads".to_owned(), threads.to_string()));
    }
    Ok(overlay)
}
