//! Lanes become one stream by (timestamp, asset), cut into batches at timestamp boundaries.
//!
//! Rows of one lane that stand alone in time are copied in bulk. A timestamp that several lanes
//! share, or that may go on in a lane's next block, is gathered, sorted and freed of repeated rows.

#![expect(clippy::needless_bitwise_bool, reason = "loops without branches vectorise")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::block::Block;
use super::lane::{Lane, ReadFacts};
use super::plan::Table;
use super::report::{Ledger, Rule, Severity};
use crate::base::Result;

/// Rows in table order, a value a row in every column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) timestamps: Vec<i64>,
    pub(crate) assets: Vec<u32>,
    pub(crate) columns: Vec<Vec<f64>>,
}

impl Rows {
    pub(crate) fn with_capacity(n_columns: usize, n: usize) -> Self {
        Self {
            timestamps: Vec::with_capacity(n),
            assets: Vec::with_capacity(n),
            columns: (0..n_columns).map(|_| Vec::with_capacity(n)).collect(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.timestamps.len()
    }

    fn extend(&mut self, block: &Block, from: usize, to: usize) {
        self.timestamps.extend_from_slice(&block.timestamps[from..to]);
        self.assets.extend_from_slice(&block.assets[from..to]);
        for (out, column) in self.columns.iter_mut().zip(&block.columns) {
            out.extend_from_slice(&column[from..to]);
        }
    }

    pub(crate) fn append(&mut self, other: &Self) {
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
    }
}

struct Head {
    lane: Lane,
    block: Block,
    position: usize,
}

/// Where a gathered row came from.
#[derive(Debug, Clone, Copy)]
struct Origin {
    file: u32,
    row: u64,
}

pub(crate) struct Merger {
    facts: Arc<ReadFacts>,
    heads: Vec<Option<Head>>,
    /// (time of the next row, lane) of every lane that is not at its end.
    queue: BinaryHeap<Reverse<(i64, usize)>>,
    batch_rows: usize,
    out: Rows,
    group: Rows,
    origins: Vec<Origin>,
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
            origins: Vec::new(),
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
        self.origins.clear();
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
                    self.origins.push(Origin { file: head.block.file, row: head.block.row(i) });
                }
                head.position = to;
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
        let group = Rows {
            timestamps: keep.iter().map(|i| self.group.timestamps[*i]).collect(),
            assets: keep.iter().map(|i| self.group.assets[*i]).collect(),
            columns: self
                .group
                .columns
                .iter()
                .map(|column| keep.iter().map(|i| column[*i]).collect())
                .collect(),
        };
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
        let code = match self.facts.table {
            Table::Bars => "D302",
            Table::Signals => "D602",
            Table::Context => "D603",
        };
        let asset = self.group.assets[other];
        let place = |i: usize| {
            let origin = self.origins[i];
            (self.facts.files[origin.file as usize].name.clone(), origin.row)
        };
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
                let name = &self.facts.names[c];
                (rule, format!("{name} {} and {name} {}", column[kept], column[other]))
            }
        };
        ledger.row(&rule, self.facts.symbol(asset), || {
            let (file, row) = place(other);
            let (first_file, first_row) = place(kept);
            super::report::Offender {
                file,
                row,
                symbol: self.facts.symbol(asset).to_owned(),
                timestamp: crate::base::Timestamp(self.group.timestamps[other]).to_string(),
                values,
                rule: format!("duplicate of {first_file} row {first_row}"),
            }
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
