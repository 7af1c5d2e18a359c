//! As-of joins: at an instant, the newest row of a table that was available by then.

use crate::base::{AssetId, Error, ErrorKind, Result, Symbols, Timestamp};
use crate::data::{ContextTable, Finding, Severity, SignalTable};

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
    pub(super) fn finding(&self, columns: &[String]) -> Option<Finding> {
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

/// The signal join: one cursor over the table, and the newest visible row of each symbol.
///
/// The table is ordered by availability, so a row enters when the clock passes it and every row is
/// touched once: O(1) amortised, and a later row cannot be reached.
#[derive(Debug)]
pub(super) struct SignalJoin {
    table: SignalTable,
    staleness_ns: Option<i64>,
    cursor: usize,
    newest: Vec<u32>,
    counts: JoinCounts,
    /// Table row of each market row of the batch in hand, `NONE` when missing.
    picked: Vec<u32>,
}

impl SignalJoin {
    pub(super) fn new(table: SignalTable, n_symbols: usize, staleness_ns: Option<i64>) -> Self {
        assert!(u32::try_from(table.timestamps.len()).is_ok_and(|n| n < NONE));
        assert_eq!(table.timestamps.len(), table.assets.len());
        let newest = vec![NONE; n_symbols];
        let counts = JoinCounts::default();
        Self { table, staleness_ns, cursor: 0, newest, counts, picked: Vec::new() }
    }

    pub(super) fn counts(&self) -> JoinCounts {
        self.counts
    }

    pub(super) fn finding(&self) -> Option<Finding> {
        self.counts.finding(&self.table.names)
    }

    /// Chooses the table row of each market row; timestamps ascend over all calls.
    ///
    /// # Errors
    /// `L101` when a chosen row would be later than its decision; it names symbol and both times.
    pub(super) fn pick(
        &mut self,
        timestamps: &[i64],
        assets: &[u32],
        symbols: &Symbols,
    ) -> Result<()> {
        self.picked.clear();
        let table = &self.table;
        for (&now, &asset) in timestamps.iter().zip(assets) {
            while self.cursor < table.timestamps.len() && table.timestamps[self.cursor] <= now {
                let owner = table.assets[self.cursor] as usize;
                self.newest[owner] = u32::try_from(self.cursor).expect("checked when built");
                self.cursor += 1;
            }
            let row = self.newest[asset as usize];
            self.counts.n_rows += 1;
            if row == NONE {
                self.counts.n_not_yet += 1;
                self.picked.push(NONE);
                continue;
            }
            let known = table.timestamps[row as usize];
            if known > now {
                let symbol = symbols.name(AssetId(asset));
                return Err(look_ahead(&table.names, Some(symbol), known, now));
            }
            if self.staleness_ns.is_some_and(|limit| now.saturating_sub(known) > limit) {
                self.counts.n_stale += 1;
                self.picked.push(NONE);
            } else {
                self.picked.push(row);
            }
        }
        Ok(())
    }

    /// The values of one table column for the market rows of the last [`Self::pick`].
    pub(super) fn gather(&self, column: usize) -> Vec<f64> {
        let values = &self.table.columns[column];
        let value = |&row: &u32| if row == NONE { f64::NAN } else { values[row as usize] };
        self.picked.iter().map(value).collect()
    }
}

/// The context join: one cursor, since every timestamp sees the same newest row.
#[derive(Debug)]
pub(super) struct ContextJoin {
    table: ContextTable,
    cursor: usize,
    picked: Vec<u32>,
}

impl ContextJoin {
    pub(super) fn new(table: ContextTable) -> Self {
        assert!(u32::try_from(table.timestamps.len()).is_ok_and(|n| n < NONE));
        Self { table, cursor: 0, picked: Vec::new() }
    }

    /// Chooses the table row of each unique timestamp; they ascend over all calls.
    ///
    /// # Errors
    /// `L101` as for signals.
    pub(super) fn pick(&mut self, timestamps: &[i64]) -> Result<()> {
        self.picked.clear();
        let known = &self.table.timestamps;
        for &now in timestamps {
            while self.cursor < known.len() && known[self.cursor] <= now {
                self.cursor += 1;
            }
            let Some(row) = self.cursor.checked_sub(1) else {
                self.picked.push(NONE);
                continue;
            };
            if known[row] > now {
                return Err(look_ahead(&self.table.names, None, known[row], now));
            }
            self.picked.push(u32::try_from(row).expect("checked when built"));
        }
        Ok(())
    }

    /// The values of one table column for the timestamps of the last [`Self::pick`].
    pub(super) fn gather(&self, column: usize) -> Vec<f64> {
        let values = &self.table.columns[column];
        let value = |&row: &u32| if row == NONE { f64::NAN } else { values[row as usize] };
        self.picked.iter().map(value).collect()
    }
}

fn look_ahead(columns: &[String], symbol: Option<&str>, known: i64, now: i64) -> Error {
    let table = if symbol.is_some() { "signals" } else { "context" };
    let owner = symbol.map_or_else(String::new, |name| format!(" of {name}"));
    Error::new(
        ErrorKind::LookAhead,
        "L101",
        format!(
            "{table} ({}){owner} available at {} would be used at {}",
            columns.join(", "),
            Timestamp(known),
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
    fn signal_join_when_the_newest_row_is_later_than_now_then_l101() {
        let day = crate::base::time::DAY_NS;
        let table = SignalTable {
            names: vec!["score".into()],
            timestamps: vec![day, 2 * day],
            assets: vec![0, 0],
            columns: vec![vec![1.0, 2.0]],
        };
        let symbols = Symbols::new(["AAA"]);
        let mut join = SignalJoin::new(table, 1, None);
        join.newest[0] = 1;
        join.cursor = 2;
        let error = join.pick(&[day], &[0], &symbols).expect_err("row 1 is a day later");
        assert_eq!(error.code(), "L101");
        assert_eq!(error.kind(), ErrorKind::LookAhead);
        for part in ["AAA", "score", "1970-01-02", "1970-01-03"] {
            assert!(error.message().contains(part), "{error}");
        }
    }
}
