//! Rows off the grid that most rows of the table stand on (`D309`).

use super::super::lane::ReadFacts;
use super::super::ledger::{Firsts, Ledger, Place, Rule};
use super::super::merge::Rows;
use super::super::report::{Offender, Severity};
use super::groups;
use crate::base::Timestamp;

/// Timestamps from which the grid is read.
const LEARN_TICKS: usize = 256;
/// Fewer steps than this make no grid.
const STEPS_MIN: usize = 8;
/// Sessions move by whole half hours against UTC, so a coarser grid would not survive a change of
/// clocks.
const UNIT_MAX_NS: i64 = 1_800_000_000_000;
const UNIT_MIN_NS: i64 = 1_000_000;

/// A timestamp with its first row.
#[derive(Debug)]
struct Tick {
    time: i64,
    n_rows: u64,
    asset: u32,
    place: Place,
}

#[derive(Debug, Clone, Copy)]
struct Learned {
    step_ns: i64,
    /// Least unit and the offset that most timestamps have in it; absent for event bars.
    grid: Option<(i64, i64)>,
}

/// The grid of the table, learned from its first timestamps.
#[derive(Debug, Default)]
pub(super) struct Grid {
    waiting: Vec<Tick>,
    learned: Option<Learned>,
    off: Vec<(u32, u64)>,
    firsts: Firsts,
}

impl Grid {
    pub(super) fn push(&mut self, rows: &Rows, starts: &[usize], facts: &ReadFacts) {
        for (from, to) in groups(starts, rows.len()) {
            let time = rows.timestamps[from];
            match self.learned {
                Some(Learned { grid: Some((unit, phase)), .. }) => {
                    if time.rem_euclid(unit) != phase {
                        let place = rows.place(from);
                        let n_rows = (to - from) as u64;
                        self.judge(&Tick { time, n_rows, asset: rows.assets[from], place }, facts);
                    }
                }
                Some(_) => return,
                None => {
                    let n_rows = (to - from) as u64;
                    let place = rows.place(from);
                    self.waiting.push(Tick { time, n_rows, asset: rows.assets[from], place });
                    if self.waiting.len() == LEARN_TICKS {
                        self.learn(facts);
                    }
                }
            }
        }
    }

    pub(super) fn finish(&mut self, facts: &ReadFacts, ledger: &mut Ledger) {
        if self.learned.is_none() {
            self.learn(facts);
        }
        let Some(Learned { step_ns, grid: Some((unit, phase)) }) = self.learned else { return };
        let message = format!(
            "rows off the grid of the table: rows are usually {} apart, {} after a multiple of {}",
            span(step_ns),
            span(phase),
            span(unit)
        );
        let rule = Rule {
            severity: Severity::Warning,
            code: "D309",
            column: "timestamp",
            message: &message,
            fix: "stamp every row with the end of its window",
        };
        for (asset, n) in &self.off {
            ledger.rows(&rule, facts.symbol(*asset), *n);
        }
        if !self.off.is_empty() {
            ledger.first_rows(&rule, std::mem::take(&mut self.firsts));
        }
    }

    /// The usual step between timestamps, once the table has ended.
    pub(super) fn step_ns(&self) -> Option<i64> {
        self.learned.map(|learned| learned.step_ns)
    }

    fn learn(&mut self, facts: &ReadFacts) {
        let ticks = std::mem::take(&mut self.waiting);
        let steps: Vec<i64> = ticks.windows(2).map(|w| w[1].time - w[0].time).collect();
        let Some((step_ns, n)) = mode(steps.clone()) else { return };
        let unit = gcd(step_ns, UNIT_MAX_NS);
        let is_regular = steps.len() >= STEPS_MIN && n * 2 >= steps.len() && unit >= UNIT_MIN_NS;
        let phases = ticks.iter().map(|tick| tick.time.rem_euclid(unit)).collect();
        let phase = mode(phases).map_or(0, |(phase, _)| phase);
        self.learned = Some(Learned { step_ns, grid: is_regular.then_some((unit, phase)) });
        if is_regular {
            for tick in ticks.iter().filter(|tick| tick.time.rem_euclid(unit) != phase) {
                self.judge(tick, facts);
            }
        }
    }

    fn judge(&mut self, tick: &Tick, facts: &ReadFacts) {
        let Some(Learned { grid: Some((unit, phase)), .. }) = self.learned else { return };
        match self.off.iter_mut().find(|(asset, _)| *asset == tick.asset) {
            Some((_, n)) => *n += tick.n_rows,
            None => self.off.push((tick.asset, tick.n_rows)),
        }
        self.firsts.offer(tick.place, || Offender {
            file: facts.files[tick.place.0 as usize].name.clone(),
            row: tick.place.1,
            symbol: facts.symbol(tick.asset).to_owned(),
            timestamp: Timestamp(tick.time).to_string(),
            values: format!("{} after the grid", span((tick.time - phase).rem_euclid(unit))),
            rule: format!("timestamps lie {} after a multiple of {}", span(phase), span(unit)),
        });
    }
}

/// The most frequent value, the least of them on a tie, and how often it is there.
fn mode(mut values: Vec<i64>) -> Option<(i64, usize)> {
    values.sort_unstable();
    values
        .chunk_by(|a, b| a == b)
        .map(|run| (run[0], run.len()))
        .max_by_key(|(value, n)| (*n, std::cmp::Reverse(*value)))
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

/// A length in the largest unit that divides it.
fn span(ns: i64) -> String {
    const UNITS: [(i64, &str); 5] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
    ];
    let unit = UNITS.iter().find(|(unit, _)| ns != 0 && ns % unit == 0);
    unit.map_or_else(|| format!("{ns}ns"), |(unit, name)| format!("{}{name}", ns / unit))
}
