//! How far a run is: a bar on a terminal, a line each ten seconds elsewhere.

use std::io::IsTerminal;
use std::time::Duration;
#[expect(clippy::disallowed_types, reason = "speed is shown, never part of a result")]
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tapeworks::run::{Event, Stage};

use crate::terminal::Terminal;

/// Work shorter than this shows nothing.
const QUIET_START: Duration = Duration::from_millis(500);
/// Distance of lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of one run.
#[expect(clippy::disallowed_types, reason = "speed is shown, never part of a result")]
#[derive(Debug)]
pub struct Progress<'a> {
    terminal: &'a Terminal,
    bar: Option<ProgressBar>,
    is_tty: bool,
    window: Option<(i64, i64)>,
    first: Option<i64>,
    stage: Stage,
    started: Instant,
    last_line: Instant,
}

impl<'a> Progress<'a> {
    /// Progress over a time window, when it is known.
    #[expect(clippy::disallowed_types, reason = "speed is shown, never part of a result")]
    pub fn new(terminal: &'a Terminal, window: Option<(i64, i64)>) -> Self {
        let is_tty = std::io::stderr().is_terminal();
        let now = Instant::now();
        Self {
            terminal,
            bar: None,
            is_tty,
            window,
            first: None,
            stage: Stage::Opening,
            started: now,
            last_line: now,
        }
    }

    /// Takes in an event of the run.
    pub fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Stage(stage) => {
                self.stage = stage;
                if let Some(bar) = &self.bar {
                    bar.set_message(stage.as_str());
                }
            }
            Event::Rows(progress) => self.rows(progress.rows, progress.timestamp),
        }
    }

    fn rows(&mut self, rows: u64, timestamp: i64) {
        if !self.terminal.shows_progress() || self.started.elapsed() < QUIET_START {
            return;
        }
        let first = *self.first.get_or_insert(timestamp);
        let expected = self.expected_rows(rows, first, timestamp);
        if !self.is_tty {
            self.line(rows, expected);
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar =
                ProgressBar::with_draw_target(expected, ProgressDrawTarget::stderr_with_hz(5))
                    .with_elapsed(self.started.elapsed())
                    .with_message(self.stage.as_str());
            let template = match expected {
                Some(_) => "{msg} {wide_bar} {human_pos} rows, {per_sec}, eta {eta}",
                None => "{msg} {spinner} {human_pos} rows, {per_sec}, {elapsed}",
            };
            bar.set_style(
                ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        });
        if let Some(expected) = expected {
            bar.set_length(expected);
        }
        bar.set_position(rows);
    }

    /// Rows at the end, by the share of the window that has been walked.
    fn expected_rows(&self, rows: u64, first: i64, now: i64) -> Option<u64> {
        let (start, end) = self.window?;
        let start = start.max(first.min(now));
        let share = (now - start) as f64 / (end - start).max(1) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
        (share > 0.01).then(|| (rows as f64 / share.min(1.0)) as u64)
    }

    #[expect(clippy::disallowed_types, reason = "speed is shown, never part of a result")]
    fn line(&mut self, rows: u64, expected: Option<u64>) {
        if self.last_line.elapsed() < LINE_EVERY {
            return;
        }
        self.last_line = Instant::now();
        let seconds = self.started.elapsed().as_secs_f64();
        let speed = rows as f64 / seconds;
        let left = expected.map_or(String::new(), |expected| {
            format!(", about {:.0} s left", expected.saturating_sub(rows) as f64 / speed)
        });
        let stage = self.stage.as_str();
        self.terminal.note(&format!("{stage}: {rows} rows, {speed:.0} rows/s{left}"));
    }

    /// Clears the bar away.
    pub fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
