//! Arguments to runs, runs to files: the command line of tapeworks. No finance in it.
//!
//! Standard output carries the result and nothing else; progress, warnings and hints go to standard
//! error. Exit codes: 0 done, 1 data or machine, 2 usage or config, 3 done with findings, 130 and
//! 143 interrupted.

mod args;
mod commands;
mod interrupt;
mod progress;
mod terminal;

use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, Parser};
use tapeworks::base::Error;

use args::Arguments;
use terminal::{Failure, Terminal};

/// Runs the program with the arguments of a process, its name first; returns the exit code.
pub fn main(args: impl Iterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.collect();
    let wants_json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    let arguments = match Arguments::try_parse_from(&args) {
        Ok(arguments) => arguments,
        Err(error) => return answer_parser(&error, wants_json),
    };
    let terminal = Terminal::new(&arguments.shared, wants_json);
    match commands::dispatch(arguments, &terminal) {
        Ok(code) => code,
        Err(failure) => terminal.fail(&failure),
    }
}

/// Help and version are results; everything else is a usage error.
fn answer_parser(error: &clap::Error, wants_json: bool) -> u8 {
    let terminal = Terminal::plain(wants_json);
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match terminal.print(&error.render().to_string()) {
            Ok(()) => 0,
            Err(failure) => terminal.fail(&failure),
        };
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let help = Arguments::command().render_help().to_string();
        terminal.note(&help);
        let missing = Error::config("C108", "a command is missing");
        return terminal.fail(&Failure::Error(missing.with_hint("see the commands above")));
    }
    let rendered = error.render().to_string();
    let first = rendered.lines().next().unwrap_or("wrong arguments");
    let message = first.strip_prefix("error: ").unwrap_or(first);
    // clap puts the names of missing arguments on lines of their own.
    let names: Vec<&str> =
        rendered.lines().skip(1).take_while(|line| line.starts_with("  ")).map(str::trim).collect();
    let message = [&[message], names.as_slice()].concat().join(" ");
    let suggestion = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
        ContextKind::ValidValue,
        ContextKind::ValidSubcommand,
    ]
    .into_iter()
    .find_map(|kind| error.get(kind).map(|value| (kind, value.to_string())));
    let hint = match suggestion {
        Some((ContextKind::ValidValue | ContextKind::ValidSubcommand, names)) => {
            format!("one of: {names}")
        }
        Some((_, name)) => format!("did you mean {name}?"),
        None => "`tapeworks --help` lists commands and options".to_owned(),
    };
    terminal.fail(&Failure::Error(Error::config("C108", message).with_hint(hint)))
}
