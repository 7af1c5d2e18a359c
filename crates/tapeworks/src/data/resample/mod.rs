//! Bars to coarser bars: a reader that puts the rows of another one together by windows.
//!
//! - `parts`: how the rows of a window become one.
//! - `spacing`: how far apart the rows of a table are, told by its first rows.

mod parts;
mod spacing;

use std::collections::VecDeque;
use std::sync::Arc;

use super::options::{BarBatch, BarReader, Label, ReadOptions};
use super::reader::zone_of;
use super::report::{CheckReport, Finding, Severity};
use crate::base::calendar::{Window, Windows};
use crate::base::time::DAY_NS;
use crate::base::{AssetId, Error, Result, Step, Symbols, Timestamp};
use parts::Parts;
pub(super) use spacing::Spacing;

/// Rows that tell how far apart rows are. Fixed, so that nothing depends on the size of batches.
const LEARN_ROWS: usize = 65_536;

/// Puts bars together into bars of a coarser step, or leaves them as they are when they have it.
///
/// Returns the bars, and whether they were put together. A coarser bar has the first open, the
/// highest high, the lowest low and the last close of its parts; volume, notional and counts are
/// summed (missing when one is missing), `vwap` is notional over volume, and of any other column
/// the last value is kept. Where parts say when they start, it starts with its first one. Parts
/// without prices are passed over for prices. Its timestamp is the
/// end of its window, the instant at which it is known. Windows are those of [`Windows`]; with a
/// calendar rows outside sessions are left out and counted. The windows at the ends of the data
/// are left out when `start` lies inside the first, and when no row, and not `end`, reaches the end
/// of the last.
///
/// Memory: a row a symbol, and the first rows of the table.
///
/// # Errors
/// `D309` when the rows are further apart than the step, or the step is no multiple of theirs;
/// `C301` for a step that sessions do not have; what reading the first rows finds.
pub fn resample(
    bars: Box<dyn BarReader>,
    step: Step,
    options: &ReadOptions,
) -> Result<(Box<dyn BarReader>, bool)> {
    let zone = zone_of(options)?;
    let windows = Windows::new(step, zone, options.calendar.clone())?;
    let mut source = Peeked { bars, waiting: VecDeque::new() };
    let mut spacing = Spacing::default();
    let mut left = LEARN_ROWS;
    while left > 0
        && let Some(batch) = source.bars.next_batch()?
    {
        let n = batch.len().min(left);
        spacing.push(&batch.timestamps[..n], &batch.assets[..n]);
        left -= n;
        source.waiting.push_back(batch);
    }
    let Some(found) = spacing.usual() else { return Ok((Box::new(source), false)) };
    let finer = Step::of_spacing(found);
    if finer == step || step.about_ns() == found {
        return Ok((Box::new(source), false));
    }
    if step.about_ns() < finer.about_ns() {
        return Err(Error::data(
            "D309",
            format!("prices are usually {finer} apart, and freq says {step}"),
        )
        .with_hint(
            "name the step of the prices, or leave freq out; no row is made up between two",
        ));
    }
    if !step.is_multiple_of(finer) {
        return Err(Error::data(
            "D309",
            format!("prices are usually {finer} apart, and {step} is no multiple of that"),
        )
        .with_hint("bars are put together from whole bars: name a multiple of their step"));
    }
    // A date without a calendar keeps its midnight as stamp, but its row is one of that date.
    let names_dates = source.has_dates() && options.label != Label::End;
    let is_dated = names_dates && options.calendar.is_none();
    let (symbols, extras) = (source.symbols(), source.extras().to_vec());
    let parts = Parts::new(symbols.len(), &extras);
    Ok((
        Box::new(Resampler {
            source,
            windows,
            step,
            finer_ns: if let Step::Span(ns) = finer { ns } else { 0 },
            shift: i64::from(is_dated),
            start: options.start.map_or(i64::MIN, |start| start.0),
            // A row at the end of the range is not asked for, save where a date stands for its row.
            reach: options.end.map_or(i64::MIN, |end| end.0 - i64::from(!names_dates)),
            batch_rows: options.batch_rows.max(1),
            window: None,
            latest: i64::MIN,
            parts,
            symbols,
            counts: Counts { finer: finer.to_string(), ..Counts::default() },
            is_done: false,
        }),
        true,
    ))
}

/// A reader of which the first batches were looked at.
struct Peeked {
    bars: Box<dyn BarReader>,
    waiting: VecDeque<BarBatch>,
}

impl BarReader for Peeked {
    fn symbols(&self) -> Arc<Symbols> {
        self.bars.symbols()
    }

    fn extras(&self) -> &[String] {
        self.bars.extras()
    }

    fn next_batch(&mut self) -> Result<Option<BarBatch>> {
        match self.waiting.pop_front() {
            Some(batch) => Ok(Some(batch)),
            None => self.bars.next_batch(),
        }
    }

    fn report(&self) -> CheckReport {
        self.bars.report()
    }

    fn has_dates(&self) -> bool {
        self.bars.has_dates()
    }

    fn has_volume(&self) -> bool {
        self.bars.has_volume()
    }

    fn span(&self) -> Option<(i64, i64)> {
        self.bars.span()
    }
}

/// What the report tells.
#[derive(Debug, Default)]
struct Counts {
    finer: String,
    rows_in: u64,
    rows_out: u64,
    outside: u64,
    outside_first: Option<(u32, i64)>,
    across: u64,
    across_first: Option<(u32, i64)>,
    cut: Vec<(u64, Window)>,
}

struct Resampler {
    source: Peeked,
    windows: Windows,
    step: Step,
    /// Length of a part; 0 for days and more, which never lie across a border.
    finer_ns: i64,
    /// Added to stamps before they are looked up: 1 where stamps are the dates of their rows.
    shift: i64,
    /// First instant that was asked for.
    start: i64,
    /// Last instant that was asked for; the least one when the range has no end.
    reach: i64,
    batch_rows: usize,
    window: Option<Window>,
    latest: i64,
    parts: Parts,
    symbols: Arc<Symbols>,
    counts: Counts,
    is_done: bool,
}

impl Resampler {
    /// Takes the rows of one timestamp.
    fn take(
        &mut self,
        batch: &BarBatch,
        rows: std::ops::Range<usize>,
        out: &mut BarBatch,
    ) -> Result<()> {
        let now = batch.timestamps[rows.start];
        let n = rows.len() as u64;
        self.counts.rows_in += n;
        let found = self.windows.of(now.saturating_add(self.shift))?;
        self.latest = now;
        let Some(window) = found else {
            // A week goes on behind rows of the night.
            self.counts.outside += n;
            self.counts.outside_first.get_or_insert((batch.assets[rows.start], now));
            return Ok(());
        };
        if self.window != Some(window) {
            self.flush(now, out);
            self.window = Some(window);
        }
        if !window.is_first && now.saturating_sub(self.finer_ns) < window.start && self.finer_ns > 0
        {
            self.counts.across += n;
            self.counts.across_first.get_or_insert((batch.assets[rows.start], now));
        }
        for i in rows {
            self.parts.add(batch, i);
        }
        Ok(())
    }

    /// Ends the window in hand: `reached` is the newest instant that is known of.
    fn flush(&mut self, reached: i64, out: &mut BarBatch) {
        let Some(window) = self.window.take() else { return };
        let is_whole = self.start <= window.start.saturating_add(1);
        if is_whole && reached.max(self.reach) >= window.end {
            self.counts.rows_out += self.parts.flush(window.end, out);
        } else {
            let n = self.parts.clear();
            self.counts.cut.push((n, window));
        }
    }

    fn finding(
        &self,
        severity: Severity,
        code: &str,
        count: u64,
        message: String,
        fix: &str,
    ) -> Finding {
        Finding {
            code: code.to_owned(),
            severity,
            table: "bars".to_owned(),
            column: "timestamp".to_owned(),
            message,
            count,
            share: count as f64 / self.counts.rows_in.max(1) as f64,
            offenders: Vec::new(),
            symbols: Vec::new(),
            fix: fix.to_owned(),
        }
    }

    fn first(&self, row: Option<(u32, i64)>) -> String {
        let text = |(asset, ns)| format!("{} {}", self.symbols.name(AssetId(asset)), Timestamp(ns));
        row.map_or_else(String::new, text)
    }
}

impl BarReader for Resampler {
    fn symbols(&self) -> Arc<Symbols> {
        Arc::clone(&self.symbols)
    }

    fn extras(&self) -> &[String] {
        self.source.extras()
    }

    fn next_batch(&mut self) -> Result<Option<BarBatch>> {
        let mut out = self.parts.batch();
        while !self.is_done && out.len() < self.batch_rows {
            let Some(batch) = self.source.next_batch()? else {
                self.is_done = true;
                // A row of a date reaches to the end of that date.
                let reached = self.latest.saturating_add(self.shift * DAY_NS);
                self.flush(reached, &mut out);
                break;
            };
            let mut from = 0;
            while from < batch.len() {
                let now = batch.timestamps[from];
                let to = from + batch.timestamps[from..].partition_point(|t| *t == now);
                self.take(&batch, from..to, &mut out)?;
                from = to;
            }
        }
        Ok(Some(out).filter(|out| !out.is_empty()))
    }

    fn has_volume(&self) -> bool {
        self.source.has_volume()
    }

    /// What was read, and what became of it.
    fn report(&self) -> CheckReport {
        let mut report = self.source.report();
        let counts = &self.counts;
        let (n_in, n_out, step, finer) =
            (counts.rows_in, counts.rows_out, self.step, &counts.finer);
        let text = format!("{n_in} rows of {finer} were put together into {n_out} rows of {step}");
        report.findings.push(self.finding(Severity::Note, "D309", n_out, text, ""));
        if counts.outside > 0 {
            let first = self.first(counts.outside_first);
            let text =
                format!("rows outside the sessions belong to no bar of {step}, first {first}");
            let fix = "leave rows before the open and after the close out, or name the calendar \
                       that the market has";
            let found = self.finding(Severity::Warning, "D305", counts.outside, text, fix);
            report.findings.push(found);
        }
        if counts.across > 0 {
            let first = self.first(counts.across_first);
            let text = format!(
                "rows lie across the border of two bars of {step}; each counts in the one in which \
                 it ends, first {first}"
            );
            let fix = "choose a step whose windows begin where rows begin";
            let found = self.finding(Severity::Warning, "D309", counts.across, text, fix);
            report.findings.push(found);
        }
        for (n, window) in &counts.cut {
            let (from, to) = (Timestamp(window.start), Timestamp(window.end));
            let text = format!("the data do not hold the whole of {from} .. {to}; it makes no bar");
            let fix = "start and end the data with whole windows";
            report.findings.push(self.finding(Severity::Warning, "D309", *n, text, fix));
        }
        report.findings.sort_by(|a, b| (a.severity, &a.code).cmp(&(b.severity, &b.code)));
        report
    }
}
