//! Where words go: results to standard output, everything else to standard error.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use tapeworks::base::Error;

use crate::args::{Color, Shared};

/// Why a command did not finish.
#[derive(Debug)]
pub enum Failure {
    /// An error with code, message and hint.
    Error(Error),
    /// Whoever read standard output has gone.
    ClosedPipe,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Result of a command or a part of one.
pub type Outcome<T> = Result<T, Failure>;

/// How this process speaks.
#[derive(Debug, Clone)]
pub struct Terminal {
    /// One JSON document on standard output.
    pub json: bool,
    quiet: bool,
    verbose: bool,
    color: bool,
    progress: bool,
}

impl Terminal {
    /// As the arguments and the environment ask.
    pub fn new(shared: &Shared, json: bool) -> Self {
        let stderr_is_tty = io::stderr().is_terminal();
        let color = match shared.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                stderr_is_tty && !refused
            }
        };
        Self {
            json: json || shared.json,
            quiet: shared.quiet,
            verbose: shared.verbose,
            color,
            progress: !shared.no_progress && !shared.quiet,
        }
    }

    /// Before the arguments are understood.
    pub fn plain(json: bool) -> Self {
        Self { json, quiet: false, verbose: false, color: false, progress: false }
    }

    /// Whether progress is shown.
    pub fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Whether more is said than needed.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Writes a result to standard output, all of it or an error.
    #[expect(clippy::unused_self, reason = "commands speak through their terminal")]
    pub fn print(&self, text: &str) -> Outcome<()> {
        let mut stdout = io::stdout().lock();
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.write_all(newline.as_bytes()))
            .and_then(|()| stdout.flush());
        written.map_err(|cause| match cause.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Error(Error::output(
                "W108",
                format!("cannot write to standard output: {cause}"),
            )),
        })
    }

    /// Writes one JSON document to standard output.
    pub fn print_json(&self, value: &serde_json::Value) -> Outcome<()> {
        self.print(&serde_json::to_string_pretty(value).expect("a JSON value prints"))
    }

    /// A line on standard error; nobody there is no error.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
        }
    }

    /// A warning on standard error.
    pub fn warn(&self, text: &str) {
        self.note(&format!("{} {text}", self.paint("warning:", "33")));
    }

    /// Reports a failure and returns the exit code.
    pub fn fail(&self, failure: &Failure) -> u8 {
        let Failure::Error(error) = failure else { return 0 };
        if self.json {
            let document = serde_json::json!({
                "error": {
                    "code": format!("TW-{}", error.code()),
                    "message": error.message(),
                    "hint": error.hint(),
                }
            });
            // The exit code tells the rest when nobody reads this.
            let _ = self.print_json(&document);
        }
        let head = self.paint(&format!("error[TW-{}]:", error.code()), "1;31");
        let mut text = format!("{head} {}\n", error.message());
        if let Some(hint) = error.hint() {
            let _ = writeln!(text, "{} {hint}", self.paint("hint:", "36"));
        }
        let _ = io::stderr().lock().write_all(text.as_bytes());
        error.exit_code()
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
