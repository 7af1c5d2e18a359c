//! Lanes become one stream by (timestamp, asset), cut into batches at timestamp boundaries.
//!
//! Rows of one lane that stand alone in time are copied in bulk. A timestamp that several lanes
//! share, or that may go on in a lane's next block, is gathered, sorted and freed of repeated rows.

#![expect(clippy::needless_bitwise_bool, reason = "loops without branches vectorise")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::block::{Block, RowNumbers};
use super::lane::{Lane, ReadFacts};
use super::ledger::{Ledger, Place, Rule};
use super::plan::Table;
use super::report::{Offender, Severity};
use crate::base::{Result, Timestamp};

/// A timestamp with more rows than this is freed of repeated rows while it is gathered.
const GROUP_ROWS: usize = 1 << 18;

/// Rows in table order, a value a row in every column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) timestamps: Vec<i64>,
    pub(crate) assets: Vec<u32>,
    pub(crate) columns: Vec<Vec<f64>>,
    runs: Vec<Run>,
}

/// Consecutive rows of a file: the position of the first, and its place.
#[derive(Debug, Clone, Copy)]
struct Run {
    at: usize,
    place: Place,
}

impl Rows {
    pub(crate) fn with_capacity(n_columns: usize, n: usize) -> Self {
        Self {
            timestamps: Vec::with_capacity(n),
            assets: Vec::with_capacity(n),
            columns: (0..n_columns).map(|_| Vec::with_capacity(n)).collect(),
            runs: Vec::new(),
        }
    }

    /// Where the row at a position was read.
    pub(crate) fn place(&self, i: usize) -> Place {
        let run = self.runs[self.runs.partition_point(|run| run.at <= i) - 1];
        (run.place.0, run.place.1 + (i - run.at) as u64)
    }

    /// Notes where the row about to be added at position `at` was read.
    fn note_place(&mut self, at: usize, place: Place) {
        let goes_on = self.runs.last().is_some_and(|run| {
            run.place.0 == place.0 && run.place.1 + (at - run.at) as u64 == place.1
        });
        if !goes_on {
            self.runs.push(Run { at, place });
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.timestamps.len()
    }

    fn extend(&mut self, block: &Block, from: usize, to: usize) {
        let n = self.len();
        match block.rows {
            RowNumbers::From(_) => self.note_place(n, (block.file, block.row(from))),
            RowNumbers::Listed(_) => {
                for i in from..to {
                    self.note_place(n + i - from, (block.file, block.row(i)));
                }
            }
        }
        self.timestamps.extend_from_slice(&block.timestamps[from..to]);
        self.assets.extend_from_slice(&block.assets[from..to]);
        for (out, column) in self.columns.iter_mut().zip(&block.columns) {
            out.extend_from_slice(&column[from..to]);
        }
    }

    pub(crate) fn append(&mut self, other: &Self) {
        for run in &other.runs {
            self.note_place(self.timestamps.len() + run.at, run.place);
        }
        self.timestamps.extend_from_slice(&other.timestamps);
        self.assets.extend_from_slice(&other.assets);
        for (out, column) in self.columns.iter_mut().zip(&other.columns) {
            out.extend_from_slice(column);
        }
    }

    fn clear(&mut self) {
        self.timestamps.clear();
        self.assets.clear();
        self.columns.iter_mut().for_each(Vec::clear);
        self.runs.clear();
    }
}

struct Head {
    lane: Lane,
    block: Block,
    position: usize,
}

pub(crate) struct Merger {
    facts: Arc<ReadFacts>,
    heads: Vec<Option<Head>>,
    /// (time of the next row, lane) of every lane that is not at its end.
    queue: BinaryHeap<Reverse<(i64, usize)>>,
    batch_rows: usize,
    out: Rows,
    group: Rows,
    waiting: Vec<Lane>,
}

impl Merger {
    pub(crate) fn new(facts: Arc<ReadFacts>, lanes: Vec<Lane>, batch_rows: usize) -> Self {
        let n = facts.n_columns();
        Self {
            facts,
            heads: Vec::new(),
            queue: BinaryHeap::new(),
            batch_rows: batch_rows.max(1),
            out: Rows::with_capacity(n, 0),
            group: Rows::with_capacity(n, 0),
            waiting: lanes,
        }
    }

    /// The next batch, or `None` at the end. Findings go to the ledger.
    pub(crate) fn next_rows(&mut self, ledger: &mut Ledger) -> Result<Option<Rows>> {
        for mut lane in std::mem::take(&mut self.waiting) {
            if let Some(block) = lane.next_block(ledger)? {
                self.queue.push(Reverse((block.timestamps[0], self.heads.len())));
                self.heads.push(Some(Head { lane, block, position: 0 }));
            }
        }
        while let Some(Reverse((time, lane))) = self.queue.pop() {
            let bulk = self.bulk(lane);
            if bulk.is_full {
                self.queue.push(Reverse((time, lane)));
                return Ok(self.take_out());
            }
            if bulk.n > 0 {
                self.requeue(lane, ledger)?;
                continue;
            }
            self.gather(time, lane, ledger)?;
            self.tidy(ledger);
            let fits = self.out.len() + self.group.len() <= self.batch_rows;
            let full = if fits { None } else { self.take_out() };
            if self.out.timestamps.capacity() == 0 {
                self.out =
                    Rows::with_capacity(self.facts.n_columns(), self.batch_rows.min(1 << 20));
            }
            self.out.append(&self.group);
            if full.is_some() {
                return Ok(full);
            }
        }
        Ok(self.take_out())
    }

    fn take_out(&mut self) -> Option<Rows> {
        if self.out.len() == 0 {
            return None;
        }
        Some(std::mem::replace(&mut self.out, Rows::with_capacity(self.facts.n_columns(), 0)))
    }

    /// Copies the rows of a lane that come before every other lane's and end at a boundary.
    fn bulk(&mut self, lane: usize) -> Bulk {
        let head = self.heads[lane].as_mut().expect("a queued lane has a block");
        let times = &head.block.timestamps[head.position..];
        let last = times[times.len() - 1];
        let bound = self.queue.peek().map_or(last, |Reverse((other, _))| last.min(*other));
        let mut n = times.partition_point(|time| *time < bound);
        let room = self.batch_rows.saturating_sub(self.out.len());
        if n > room {
            let cut = times[room];
            n = times[..room].partition_point(|time| *time < cut);
            if n == 0 && self.out.len() > 0 {
                return Bulk { n: 0, is_full: true };
            }
        }
        let (from, to) = (head.position, head.position + n);
        if n == 0 || !is_strictly_ascending(&times[..n], &head.block.assets[from..to]) {
            return Bulk { n: 0, is_full: false };
        }
        if self.out.timestamps.capacity() == 0 {
            let capacity = self.batch_rows.min(1 << 20);
            self.out = Rows::with_capacity(self.facts.n_columns(), capacity);
        }
        self.out.extend(&head.block, from, to);
        head.position = to;
        Bulk { n, is_full: false }
    }

    /// Collects all rows of a timestamp from all lanes into `group`.
    fn gather(&mut self, time: i64, first: usize, ledger: &mut Ledger) -> Result<()> {
        self.group.clear();
        let mut tidy_above = GROUP_ROWS;
        let mut lane = Some(first);
        while let Some(l) = lane {
            let mut last_asset = None;
            loop {
                let head = self.heads[l].as_mut().expect("a queued lane has a block");
                let times = &head.block.timestamps[head.position..];
                let n = times.partition_point(|t| *t <= time);
                let (from, to) = (head.position, head.position + n);
                self.group.extend(&head.block, from, to);
                for i in from..to {
                    let asset = head.block.assets[i];
                    ledger.repairs.sorted_rows += u64::from(last_asset > Some(asset));
                    last_asset = Some(asset);
                }
                head.position = to;
                if self.group.len() > tidy_above {
                    self.tidy(ledger);
                    tidy_above = 2 * self.group.len() + GROUP_ROWS;
                }
                let head = self.heads[l].as_ref().expect("a queued lane has a block");
                let goes_on = to == head.block.len();
                if !self.refill(l, ledger)? {
                    break;
                }
                let head = self.heads[l].as_ref().expect("the lane was refilled");
                if !goes_on || head.block.timestamps[head.position] != time {
                    break;
                }
            }
            if let Some(head) = &self.heads[l] {
                self.queue.push(Reverse((head.block.timestamps[head.position], l)));
            }
            lane = match self.queue.peek() {
                Some(Reverse((t, next))) if *t == time => {
                    let next = *next;
                    self.queue.pop();
                    Some(next)
                }
                _ => None,
            };
        }
        Ok(())
    }

    /// Sorts `group` by asset and drops repeated rows.
    fn tidy(&mut self, ledger: &mut Ledger) {
        if self.group.assets.windows(2).all(|w| w[0] < w[1]) {
            return;
        }
        let mut order: Vec<usize> = (0..self.group.len()).collect();
        let released = |i: usize| self.group_released(i);
        order.sort_by_key(|i| (self.group.assets[*i], released(*i)));
        let mut keep: Vec<usize> = Vec::with_capacity(order.len());
        for i in order {
            match keep.last() {
                Some(&kept)
                    if self.group.assets[kept] == self.group.assets[i]
                        && released(kept) == released(i) =>
                {
                    self.duplicate(kept, i, ledger);
                }
                _ => keep.push(i),
            }
        }
        let mut group = Rows {
            timestamps: keep.iter().map(|i| self.group.timestamps[*i]).collect(),
            assets: keep.iter().map(|i| self.group.assets[*i]).collect(),
            columns: self
                .group
                .columns
                .iter()
                .map(|column| keep.iter().map(|i| column[*i]).collect())
                .collect(),
            runs: Vec::new(),
        };
        for (at, i) in keep.iter().enumerate() {
            group.note_place(at, self.group.place(*i));
        }
        self.group = group;
    }

    /// When a gathered row was available, where its table says so: part of its key, since a later
    /// release of the same stamp is another vintage and no duplicate.
    fn group_released(&self, i: usize) -> (u64, u64) {
        if !self.facts.has_available_at {
            return (0, 0);
        }
        let first = self.facts.names.len();
        // Whole numbers of one sign order like their bits; days before 1970 are moved up.
        let bits = |column: usize, up: f64| (self.group.columns[column][i] + up).to_bits();
        (bits(first, 1e6), bits(first + 1, 0.0))
    }

    fn duplicate(&self, kept: usize, other: usize, ledger: &mut Ledger) {
        let values = &self.group.columns[..self.facts.names.len()];
        let differs = values.iter().position(|column| {
            let (a, b) = (column[kept], column[other]);
            a != b && !(a.is_nan() && b.is_nan())
        });
        let (first, second) = (self.group.place(kept), self.group.place(other));
        let code = match self.facts.table {
            Table::Bars if first.0 != second.0 => "D103",
            Table::Bars => "D302",
            Table::Signals => "D602",
            Table::Context => "D603",
        };
        let asset = self.group.assets[other];
        let (rule, values) = match differs {
            None => {
                ledger.repairs.dropped_duplicates += 1;
                let rule = Rule {
                    severity: Severity::Warning,
                    code,
                    column: "timestamp, symbol",
                    message: "repeated equal rows; one of them is kept",
                    fix: "remove the repeated rows at their source",
                };
                (rule, "equal values".to_owned())
            }
            Some(c) => {
                ledger.n_error_rows += 1;
                let rule = Rule {
                    severity: Severity::Error,
                    code,
                    column: "timestamp, symbol",
                    message: "rows with one timestamp and symbol but different values (duplicates)",
                    fix: "keep one row a symbol and timestamp",
                };
                let column = &self.group.columns[c];
                let name = self.facts.name(c);
                (rule, format!("{name} {} and {name} {}", column[kept], column[other]))
            }
        };
        ledger.row(&rule, self.facts.symbol(asset), second, || Offender {
            file: self.facts.files[second.0 as usize].name.clone(),
            row: second.1,
            symbol: self.facts.symbol(asset).to_owned(),
            timestamp: Timestamp(self.group.timestamps[other]).to_string(),
            values,
            rule: format!(
                "duplicate of {} row {}",
                self.facts.files[first.0 as usize].name, first.1
            ),
        });
    }

    /// Moves a lane to its next block when the present one is used up; false at the lane's end.
    fn refill(&mut self, lane: usize, ledger: &mut Ledger) -> Result<bool> {
        let Some(head) = self.heads[lane].as_mut() else { return Ok(false) };
        if head.position < head.block.len() {
            return Ok(true);
        }
        if let Some(block) = head.lane.next_block(ledger)? {
            head.block = block;
            head.position = 0;
            Ok(true)
        } else {
            self.heads[lane] = None;
            Ok(false)
        }
    }

    fn requeue(&mut self, lane: usize, ledger: &mut Ledger) -> Result<()> {
        if self.refill(lane, ledger)? {
            let head = self.heads[lane].as_ref().expect("the lane was refilled");
            self.queue.push(Reverse((head.block.timestamps[head.position], lane)));
        }
        Ok(())
    }
}

struct Bulk {
    n: usize,
    is_full: bool,
}

fn is_strictly_ascending(times: &[i64], assets: &[u32]) -> bool {
    let n = times.len();
    let assets = &assets[..n];
    let mut ok = true;
    for i in 1..n {
        ok &=
            (times[i - 1] < times[i]) | ((times[i - 1] == times[i]) & (assets[i - 1] < assets[i]));
    }
    ok
}
