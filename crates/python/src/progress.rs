//! The progress line on stderr, and the user's Ctrl-C.

#![expect(clippy::disallowed_types, reason = "a progress line measures time; no result does")]

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tapeworks::base::Timestamp;
use tapeworks::engine::{Flow, Progress};

use crate::table::thousands;

/// Runs shorter than this show nothing.
const QUIET: Duration = Duration::from_secs(1);
/// Time between two lines.
const PERIOD: Duration = Duration::from_millis(200);

/// Watches one run.
pub struct Watch {
    is_shown: bool,
    started: Instant,
    last: Option<Instant>,
    /// What a signal handler raised, `KeyboardInterrupt` as a rule.
    pub interrupt: Option<PyErr>,
}

impl Watch {
    /// `wanted` forces the line on or off; otherwise a terminal gets it.
    pub fn new(wanted: Option<bool>) -> Self {
        let is_shown = wanted.unwrap_or_else(|| std::io::stderr().is_terminal());
        Self { is_shown, started: Instant::now(), last: None, interrupt: None }
    }

    /// Called between chunks.
    pub fn step(&mut self, progress: &Progress) -> Flow {
        let signals = Python::attach(|py| {
            let pending = py.check_signals();
            pending.err()
        });
        if let Some(error) = signals {
            self.interrupt = Some(error);
            return Flow::Stop;
        }
        let elapsed = self.started.elapsed();
        let is_due = self.last.is_none_or(|last| last.elapsed() >= PERIOD);
        if self.is_shown && elapsed >= QUIET && is_due {
            self.last = Some(Instant::now());
            let rate = progress.rows as f64 / elapsed.as_secs_f64() / 1e6;
            let rows = usize::try_from(progress.rows).unwrap_or(usize::MAX);
            let now = Timestamp(progress.timestamp);
            let mut stderr = std::io::stderr().lock();
            // A closed stderr must not end a run.
            let _ = write!(stderr, "\r{} rows, {rate:.2} M rows/s, at {now}   ", thousands(rows));
            let _ = stderr.flush();
        }
        Flow::Continue
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.last.is_some() {
            let _ = writeln!(std::io::stderr());
        }
    }
}
