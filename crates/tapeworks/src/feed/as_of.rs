//! As-of joins: at an instant, the newest row of a table that was available by then.

use super::availability::{NEVER, place};
use super::lag::Limit;
use crate::base::{AssetId, Error, ErrorKind, Result, Symbols, Timestamp};
use crate::data::{ContextTable, Finding, RowFacts, Severity, SignalTable};

/// How many market rows got a signal row, and why the others did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JoinCounts {
    /// Market rows joined.
    pub n_rows: u64,
    /// Rows whose symbol had no signal row yet.
    pub n_not_yet: u64,
    /// Rows whose newest signal row was older than the staleness limit.
    pub n_stale: u64,
}

impl JoinCounts {
    /// Rows without a signal row, for either reason.
    #[must_use]
    pub fn n_missing(&self) -> u64 {
        self.n_not_yet + self.n_stale
    }

    /// The counts as a note of the check report; `None` when every row got a signal row.
    fn finding(&self, columns: &[String]) -> Option<Finding> {
        (self.n_missing() > 0).then(|| Finding {
            code: "D604".into(),
            severity: Severity::Note,
            table: "signals".into(),
            column: columns.join(", "),
            message: format!(
                "market rows without a signal row: {} before the first of their symbol, {} with \
                 one older than the staleness limit",
                self.n_not_yet, self.n_stale
            ),
            count: self.n_missing(),
            share: self.n_missing() as f64 / self.n_rows as f64,
            offenders: Vec::new(),
            symbols: Vec::new(),
            fix: "nothing to do when this is expected: the values are missing there".into(),
        })
    }
}

/// No row of a table is available.
const NONE: u32 = u32::MAX;

/// What a null in the newest row becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignalFill {
    /// It stays missing.
    #[default]
    None,
    /// The newest value of the column that was available by then.
    Last,
}

impl SignalFill {
    /// Reads `"none"` or `"last"`.
    ///
    /// # Errors
    /// `C301` for anything else.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "none" => Ok(Self::None),
            "last" => Ok(Self::Last),
            _ => Err(Error::config("C301", format!("signal_fill {name:?} is no way to fill"))
                .with_hint("write \"none\" or \"last\"")),
        }
    }
}

/// A table that is joined, in the order in which its rows became available.
#[derive(Debug)]
pub(super) struct Joined {
    table: &'static str,
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    /// Symbol of each row; empty for context.
    assets: Vec<u32>,
    known: Vec<i64>,
    /// Rows by (available, stamp); empty when the table is in that order.
    order: Vec<u32>,
    facts: RowFacts,
}

impl Joined {
    pub(super) fn signals(table: SignalTable, known: Vec<i64>) -> Self {
        assert_eq!(table.timestamps.len(), table.assets.len());
        let SignalTable { names, timestamps, assets, columns, facts } = table;
        let parts = Self { table: "signals", names, columns, assets, known, order: vec![], facts };
        parts.ordered(&timestamps)
    }

    pub(super) fn context(table: ContextTable, known: Vec<i64>) -> Self {
        let ContextTable { names, timestamps, columns, facts } = table;
        let assets = Vec::new();
        let parts = Self { table: "context", names, columns, assets, known, order: vec![], facts };
        parts.ordered(&timestamps)
    }

    fn ordered(mut self, stamps: &[i64]) -> Self {
        assert_eq!(self.known.len(), stamps.len());
        let n = u32::try_from(stamps.len()).expect("a table in memory has fewer than 2^32 rows");
        assert!(n < NONE);
        let key = |row: u32| (self.known[row as usize], stamps[row as usize]);
        if !(1..n).all(|row| key(row - 1) <= key(row)) {
            let mut order: Vec<u32> = (0..n).collect();
            order.sort_by_key(|&row| key(row));
            self.order = order;
        }
        self.facts.available_at = None;
        self
    }

    fn row(&self, place: usize) -> Option<usize> {
        if self.order.is_empty() {
            return (place < self.known.len()).then_some(place);
        }
        self.order.get(place).map(|&row| row as usize)
    }
}

/// The as-of join: one cursor over the table, and the newest visible row of each symbol.
///
/// Rows enter in the order of their availability, when the clock passes it, and every row is
/// touched once: O(1) amortised, and a later row cannot be reached. Of several rows the one with
/// the greatest (available, stamp) is seen, so a revision replaces what it revises.
#[derive(Debug)]
pub(super) struct AsOfJoin {
    rows: Joined,
    limit: Option<Limit>,
    fill: SignalFill,
    cursor: usize,
    newest: Vec<u32>,
    /// The newest row with a value, by symbol and column; empty without filling.
    newest_values: Vec<u32>,
    counts: JoinCounts,
    /// Table row of each market row of the batch in hand, `NONE` when missing; with filling one
    /// for each column.
    picked: Vec<u32>,
}

impl AsOfJoin {
    pub(super) fn new(
        rows: Joined,
        n_symbols: usize,
        limit: Option<Limit>,
        fill: SignalFill,
    ) -> Self {
        let n_values = if fill == SignalFill::Last { n_symbols * rows.names.len() } else { 0 };
        Self {
            rows,
            limit,
            fill,
            cursor: 0,
            newest: vec![NONE; n_symbols],
            newest_values: vec![NONE; n_values],
            counts: JoinCounts::default(),
            picked: Vec::new(),
        }
    }

    pub(super) fn counts(&self) -> JoinCounts {
        self.counts
    }

    pub(super) fn finding(&self) -> Option<Finding> {
        self.counts.finding(&self.rows.names)
    }

    /// Chooses the table row of each market row, or, without `assets`, of each timestamp.
    /// Timestamps ascend over all calls.
    ///
    /// # Errors
    /// `L101` when a chosen row would be later than its decision; it names symbol and both times.
    pub(super) fn pick(
        &mut self,
        timestamps: &[i64],
        assets: Option<&[u32]>,
        symbols: &Symbols,
    ) -> Result<()> {
        self.picked.clear();
        for (i, &now) in timestamps.iter().enumerate() {
            self.release(now);
            let asset = assets.map_or(0, |assets| assets[i]);
            let row = self.newest[asset as usize];
            self.counts.n_rows += 1;
            if row == NONE {
                self.counts.n_not_yet += 1;
            }
            let row = self.checked(row, now, asset, symbols)?;
            if row == NONE && self.newest[asset as usize] != NONE {
                self.counts.n_stale += 1;
            }
            if self.fill == SignalFill::None {
                self.picked.push(row);
                continue;
            }
            for column in 0..self.rows.names.len() {
                let at = asset as usize * self.rows.names.len() + column;
                let row = self.checked(self.newest_values[at], now, asset, symbols)?;
                self.picked.push(row);
            }
        }
        Ok(())
    }

    /// Lets in the rows that were available by now.
    fn release(&mut self, now: i64) {
        let rows = &self.rows;
        while let Some(row) = rows.row(self.cursor)
            && rows.known[row] <= now
            && rows.known[row] != NEVER
        {
            let owner = rows.assets.get(row).map_or(0, |&asset| asset as usize);
            let id = u32::try_from(row).expect("checked when built");
            self.newest[owner] = id;
            if self.fill == SignalFill::Last {
                let first = owner * rows.names.len();
                let slots = &mut self.newest_values[first..first + rows.names.len()];
                for (slot, column) in slots.iter_mut().zip(&rows.columns) {
                    if !column[row].is_nan() {
                        *slot = id;
                    }
                }
            }
            self.cursor += 1;
        }
    }

    /// The row if it may be seen, `NONE` when it is too old.
    fn checked(&mut self, row: u32, now: i64, asset: u32, symbols: &Symbols) -> Result<u32> {
        if row == NONE {
            return Ok(NONE);
        }
        let known = self.rows.known[row as usize];
        if known > now {
            let is_context = self.rows.assets.is_empty();
            let symbol = (!is_context).then(|| symbols.name(AssetId(asset)));
            return Err(look_ahead(&self.rows, symbol, row as usize, now));
        }
        let is_stale = self.limit.as_mut().is_some_and(|limit| limit.is_stale(known, now));
        Ok(if is_stale { NONE } else { row })
    }

    /// The values of one table column for the rows of the last [`Self::pick`].
    pub(super) fn gather(&self, column: usize) -> Vec<f64> {
        let values = &self.rows.columns[column];
        let value = |&row: &u32| if row == NONE { f64::NAN } else { values[row as usize] };
        match self.fill {
            SignalFill::None => self.picked.iter().map(value).collect(),
            SignalFill::Last => {
                let n = self.rows.names.len();
                self.picked.iter().skip(column).step_by(n).map(value).collect()
            }
        }
    }
}

fn look_ahead(rows: &Joined, symbol: Option<&str>, row: usize, now: i64) -> Error {
    let owner = symbol.map_or_else(String::new, |name| format!(" of {name}"));
    Error::new(
        ErrorKind::LookAhead,
        "L101",
        format!(
            "{}{} ({}){owner} available at {} would be used at {}",
            place(&rows.facts, row),
            rows.table,
            rows.names.join(", "),
            Timestamp(rows.known[row]),
            Timestamp(now)
        ),
    )
    .with_hint("the table must be ordered by the time at which each row was known")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table out of order is our own bug; the door still refuses the value, with both times.
    #[test]
    fn join_when_the_newest_row_is_later_than_now_then_l101() {
        let day = crate::base::time::DAY_NS;
        let table = SignalTable {
            names: vec!["score".into()],
            timestamps: vec![day, 2 * day],
            assets: vec![0, 0],
            columns: vec![vec![1.0, 2.0]],
            facts: RowFacts {
                files: vec!["scores.csv".into()],
                places: vec![(0, 1), (0, 2)],
                ..RowFacts::default()
            },
        };
        let symbols = Symbols::new(["AAA"]);
        let known = table.timestamps.clone();
        let mut join = AsOfJoin::new(Joined::signals(table, known), 1, None, SignalFill::None);
        join.newest[0] = 1;
        join.cursor = 2;
        let error = join.pick(&[day], Some(&[0]), &symbols).expect_err("row 1 is a day later");
        assert_eq!(error.code(), "L101");
        assert_eq!(error.kind(), ErrorKind::LookAhead);
        for part in ["AAA", "score", "1970-01-02", "1970-01-03", "scores.csv row 2"] {
            assert!(error.message().contains(part), "{error}");
        }
    }
}
