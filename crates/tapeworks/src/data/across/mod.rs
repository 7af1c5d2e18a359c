//! Checks that look at more than one row: they see the rows in table order, after the row rules, so
//! that what they find does not depend on files, formats, blocks or batches.
//!
//! Each keeps O(symbols) and is one file: [`prices`] and [`volumes`] (D206, D207), [`holes`]
//! (D306), [`grid`] (D309), [`pauses`] (D306), [`epochs`] (D304), [`overlaps`] (D307), with a
//! calendar [`sessions`] (D305) and [`labels`] (D312); at the level `paranoid` also [`stale`]
//! (D208), [`identities`] (D209), with a calendar [`zones`] (D308), [`lifespans`] (D402), [`twins`]
//! (D403), [`constant`] (D604) and [`rank_ic`] (L105).
//!
//! To add a check: a file with `push` and `finish`, a field and two calls below.

pub(super) mod constant;
mod epochs;
mod grid;
mod holes;
mod identities;
mod labels;
mod lifespans;
mod median;
pub(super) mod overlaps;
mod pauses;
mod prices;
pub(super) mod rank_ic;
mod sessions;
mod stale;
mod twins;
mod volumes;
mod zones;

use std::sync::Arc;

use super::lane::ReadFacts;
use super::ledger::{Ledger, Rule};
use super::merge::Rows;
use super::options::CheckLevel;
use super::plan::Table;
use super::report::Severity;

/// A table of fewer rows may consist of repeats without being called damaged.
const REPEATS_FROM_ROWS: u64 = 1_000;

/// All checks across rows of one table of bars.
pub(crate) struct AcrossRows {
    facts: Arc<ReadFacts>,
    /// Positions at which a timestamp starts in the rows in hand, and their number.
    starts: Vec<usize>,
    n_timestamps: u64,
    prices: prices::Prices,
    volumes: volumes::Volumes,
    holes: holes::Holes,
    grid: grid::Grid,
    pauses: pauses::Pauses,
    epochs: epochs::Epochs,
    overlaps: Option<overlaps::Overlaps>,
    sessions: Option<sessions::Sessions>,
    labels: Option<labels::Labels>,
    paranoid: Option<Paranoid>,
}

/// What the level `paranoid` adds.
struct Paranoid {
    stale: stale::StaleRuns,
    identities: identities::Identities,
    zones: Option<zones::Zones>,
    lifespans: lifespans::Lifespans,
    twins: twins::Twins,
    constant: constant::Constant,
    rank_ic: rank_ic::RankIc,
}

impl AcrossRows {
    /// The checks of a table at its level; none for the levels and tables that have none.
    pub(crate) fn new(facts: &Arc<ReadFacts>) -> Option<Self> {
        if facts.table != Table::Bars || facts.level == CheckLevel::Fast {
            return None;
        }
        let n = facts.symbols.len();
        let paranoid = (facts.level == CheckLevel::Paranoid).then(|| Paranoid {
            stale: stale::StaleRuns::new(n),
            identities: identities::Identities::new(&facts.names),
            zones: zones::Zones::new(facts),
            lifespans: lifespans::Lifespans::new(n),
            twins: twins::Twins::new(n),
            constant: constant::Constant::new(&facts.names, n),
            rank_ic: rank_ic::RankIc::of_bars(&facts.names, n),
        });
        Some(Self {
            facts: Arc::clone(facts),
            starts: Vec::new(),
            n_timestamps: 0,
            prices: prices::Prices::new(n),
            volumes: volumes::Volumes::new(n),
            holes: holes::Holes::new(n),
            grid: grid::Grid::default(),
            pauses: pauses::Pauses::default(),
            epochs: epochs::Epochs::default(),
            overlaps: (facts.has_lengths && !facts.is_start).then(|| overlaps::Overlaps::new(n)),
            sessions: sessions::Sessions::new(facts),
            labels: labels::Labels::new(facts),
            paranoid,
        })
    }

    /// The next rows in table order; they end where a timestamp ends.
    pub(crate) fn push(&mut self, rows: &Rows, ledger: &mut Ledger) {
        let facts = &*self.facts;
        find_starts(&rows.timestamps, &mut self.starts);
        let starts = &self.starts;
        self.n_timestamps += starts.len() as u64;
        self.prices.push(rows, facts, ledger);
        self.volumes.push(rows, facts, ledger);
        self.holes.push(rows, starts, facts);
        self.grid.push(rows, starts, facts);
        self.pauses.push(rows, starts, facts);
        self.epochs.push(rows, starts, facts, ledger);
        if let Some(overlaps) = &mut self.overlaps {
            overlaps.push(rows, facts, ledger);
        }
        if let Some(sessions) = &self.sessions {
            sessions.push(rows, starts, facts, ledger);
        }
        if let Some(labels) = &mut self.labels {
            labels.push(rows, starts);
        }
        if let Some(paranoid) = &mut self.paranoid {
            paranoid.stale.push(rows, facts, ledger);
            paranoid.identities.push(rows, facts, ledger);
            if let Some(zones) = &mut paranoid.zones {
                zones.push(rows, starts);
            }
            paranoid.lifespans.push(rows, starts);
            paranoid.twins.push(rows);
            paranoid.constant.push(rows);
            paranoid.rank_ic.push(rows, starts);
        }
    }

    /// What is known only after the last row.
    pub(crate) fn finish(&mut self, ledger: &mut Ledger) {
        let facts = &*self.facts;
        self.holes.finish(facts, ledger);
        self.grid.finish(facts, ledger);
        self.pauses.finish(self.grid.step_ns(), ledger);
        self.epochs.finish(ledger);
        match &self.labels {
            Some(labels) => labels.finish(ledger),
            None => labels::judge_dates(self.grid.step_ns(), self.n_timestamps, facts, ledger),
        }
        if let Some(paranoid) = &mut self.paranoid {
            paranoid.stale.finish(facts, ledger);
            if let Some(zones) = &paranoid.zones {
                zones.finish(self.grid.step_ns(), facts, ledger);
            }
            paranoid.lifespans.finish(ledger);
            paranoid.twins.finish(facts, ledger);
            paranoid.constant.finish(facts, ledger);
            paranoid.rank_ic.finish(ledger);
        }
    }
}

/// A table most of whose rows are repeats was put together wrongly: that is no repair any more.
pub(crate) fn check_repeats(n_rows: u64, n_repeats: u64, ledger: &mut Ledger) {
    if n_rows < REPEATS_FROM_ROWS || n_repeats * 2 <= n_rows {
        return;
    }
    let rule = Rule {
        severity: Severity::Error,
        code: "D302",
        column: "timestamp, symbol",
        message: "more than half of the rows are duplicates of another row",
        fix: "the table is damaged or was joined to itself; write it again with one row a symbol \
              and timestamp",
    };
    ledger.count(&rule, n_repeats);
}

pub(super) fn find_starts(timestamps: &[i64], starts: &mut Vec<usize>) {
    starts.clear();
    let mut last = None;
    for (i, &time) in timestamps.iter().enumerate() {
        if last != Some(time) {
            starts.push(i);
            last = Some(time);
        }
    }
}

/// The rows of each timestamp.
fn groups(starts: &[usize], n: usize) -> impl Iterator<Item = (usize, usize)> {
    starts.iter().copied().zip(starts.iter().copied().skip(1).chain(std::iter::once(n)))
}
