//! Progress on stderr, and the user's Ctrl-C.
//!
//! A terminal and a notebook get one line that is written over; anything else gets nothing, or a
//! line each ten seconds when it is asked for. No colours and no escape sequences are written.

#![expect(clippy::disallowed_types, reason = "a progress line measures time; no result does")]

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tapeworks::base::{StopFlag, Timestamp};
use tapeworks::engine::{Flow, Progress};

use crate::table::thousands;

/// Work shorter than this shows nothing.
const QUIET: Duration = Duration::from_secs(1);
/// Time between two paintings of the line that is written over.
const REPAINT: Duration = Duration::from_millis(200);
/// Time between two lines where nothing can be written over.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Marks of the bar.
const BAR: usize = 12;
/// The line that is written over is padded to this.
const WIDTH: usize = 79;

/// Where progress goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    /// One line, written over: a terminal, or a notebook's output.
    Line,
    /// A line each ten seconds: a pipe, a file.
    Lines,
}

/// Watches one piece of work.
pub struct Watch {
    mode: Mode,
    total: Option<u64>,
    started: Instant,
    last: Option<Instant>,
    stop: StopFlag,
    /// What a signal handler raised, `KeyboardInterrupt` as a rule.
    pub interrupt: Option<PyErr>,
}

impl Watch {
    /// `wanted` forces progress on or off; otherwise a terminal and a notebook get it. `total` is
    /// the number of rows that will come.
    pub fn new(py: Python<'_>, wanted: Option<bool>, total: Option<u64>) -> Self {
        Self {
            mode: mode(py, wanted),
            total: total.filter(|&rows| rows > 0),
            started: Instant::now(),
            last: None,
            stop: StopFlag::default(),
            interrupt: None,
        }
    }

    /// The same watch for work on another thread, which ends when `stop` is raised.
    pub fn until(mut self, stop: &StopFlag) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Whether to go on.
    pub fn hear(&mut self) -> Flow {
        if self.stop.is_raised() {
            return Flow::Stop;
        }
        let signals = Python::attach(|py| py.check_signals().err());
        if let Some(error) = signals {
            self.interrupt = Some(error);
            return Flow::Stop;
        }
        Flow::Continue
    }

    /// Called between chunks.
    pub fn step(&mut self, progress: &Progress) -> Flow {
        if self.hear() == Flow::Stop {
            return Flow::Stop;
        }
        let period = if self.mode == Mode::Lines { LINE_EVERY } else { REPAINT };
        let is_due = self.last.is_none_or(|last| last.elapsed() >= period);
        if self.mode != Mode::Off && is_due && self.started.elapsed() >= QUIET {
            self.last = Some(Instant::now());
            let line = self.line(progress);
            match self.mode {
                Mode::Line => write(&format!("\r{line:<WIDTH$}")),
                Mode::Lines => write(&format!("{line}\n")),
                Mode::Off => {}
            }
        }
        Flow::Continue
    }

    fn line(&self, progress: &Progress) -> String {
        let rows = progress.rows;
        let per_second = rows as f64 / self.started.elapsed().as_secs_f64();
        let speed = format!("{:.2} M rows/s", per_second / 1e6);
        let text = |n: u64| thousands(usize::try_from(n).unwrap_or(usize::MAX));
        // Files may hold more rows than the run takes, never fewer.
        let Some(total) = self.total.filter(|&total| total >= rows) else {
            return format!("{} rows, {speed}, at {}", text(rows), Timestamp(progress.timestamp));
        };
        let share = rows as f64 / total as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 12")]
        let n = (share * BAR as f64) as usize;
        let left = Duration::from_secs_f64(((total - rows) as f64 / per_second.max(1.0)).ceil());
        let eta = format!("ETA {}:{:02}", left.as_secs() / 60, left.as_secs() % 60);
        let bar = format!("[{}{}]", "#".repeat(n), ".".repeat(BAR - n));
        let (rows, total) = (text(rows), text(total));
        format!("{bar} {:>3.0} %  {rows} of {total} rows, {speed}, {eta}", share * 100.0)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.last.is_some() && self.mode == Mode::Line {
            write("\n");
        }
    }
}

fn mode(py: Python<'_>, wanted: Option<bool>) -> Mode {
    if wanted == Some(false) {
        return Mode::Off;
    }
    let is_terminal = || -> PyResult<bool> {
        let stderr = py.import("sys")?.getattr("stderr")?;
        stderr.call_method0("isatty")?.extract()
    };
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if is_notebook(py).unwrap_or(false) || (is_terminal().unwrap_or(false) && !is_dumb) {
        return Mode::Line;
    }
    if wanted == Some(true) { Mode::Lines } else { Mode::Off }
}

/// Whether the code runs in a Jupyter kernel, whose output takes a carriage return as a terminal
/// does. `IPython` is looked for among what is imported, never imported.
fn is_notebook(py: Python<'_>) -> PyResult<bool> {
    let modules = py.import("sys")?.getattr("modules")?;
    let ipython = modules.call_method1("get", ("IPython",))?;
    if ipython.is_none() {
        return Ok(false);
    }
    let shell = ipython.call_method0("get_ipython")?;
    Ok(shell.get_type().name()? == "ZMQInteractiveShell")
}

/// Writes to `sys.stderr`, wherever that leads. A closed stream must not end a run.
fn write(text: &str) {
    Python::attach(|py| {
        let written = py.import("sys").and_then(|sys| {
            let stderr = sys.getattr("stderr")?;
            stderr.call_method1("write", (text,))?;
            stderr.call_method0("flush")
        });
        drop(written);
    });
}
