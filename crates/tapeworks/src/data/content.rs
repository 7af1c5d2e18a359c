//! The rows of a table that is held in memory, with the timestamps that bars have.

use arrow::buffer::ScalarBuffer;
use jiff::tz::TimeZone;

use super::block::Block;
use super::cast;
use super::clock::{Clock, Stamps, are_midnights};
use super::options::Label;
use super::plan::Roles;
use super::time_column::{TimeColumn, TimeKind};
use super::time_text::TextForm;
use crate::base::{Result, Step, Symbols};

/// Whether blocks have the lengths of bars in a last column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lengths {
    Read,
    Ignore,
}

/// The rows, with ids that are ranks among the names of this table alone.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) roles: Roles,
    /// In the order of the table; consecutive rows.
    pub(crate) blocks: Vec<Block>,
    pub(crate) names: Symbols,
    pub(crate) has_volume: bool,
    pub(crate) form: TextForm,
    pub(crate) stamps: Stamps,
    pub(crate) date_zone: TimeZone,
    pub(crate) time: TimeColumn,
    pub(crate) available_dates: bool,
    /// The starts of bars, where the table has them and they were asked for.
    starts: Option<Vec<i64>>,
}

/// Rows as a reader found them: dates are midnights still.
pub(super) struct StoredRows {
    pub(super) roles: Roles,
    /// Values and, behind them, when the rows were available.
    pub(super) blocks: Vec<Block>,
    pub(super) names: Symbols,
    pub(super) has_volume: bool,
    pub(super) available_dates: bool,
    /// The column that the timestamps were read from.
    pub(super) time: TimeColumn,
    /// The starts of bars, where the table has them and they were asked for.
    pub(super) starts: Option<Vec<i64>>,
}

impl Content {
    /// What the stamps are; they are as they were stored until [`Self::settle`].
    pub(super) fn new(rows: StoredRows, says_end: bool) -> Self {
        let StoredRows { roles, blocks, names, time, starts, .. } = rows;
        let date_zone = time.date_zone().clone();
        let stamps = if says_end {
            Stamps::Instants
        } else {
            time.stamps(blocks.iter().all(|block| are_midnights(&block.timestamps, &date_zone)))
        };
        Self {
            roles,
            blocks,
            names,
            has_volume: rows.has_volume,
            form: match time.kind {
                TimeKind::Date | TimeKind::DateNumber => TextForm::Date,
                TimeKind::Instant { .. } | TimeKind::Text => TextForm::Instant,
                _ => TextForm::Local,
            },
            stamps,
            date_zone,
            time,
            available_dates: rows.available_dates,
            starts,
        }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.blocks.iter().map(Block::len).sum()
    }

    /// Stamps become the instants at which bars are known, and starts become lengths.
    pub(super) fn settle(
        &mut self,
        clock: &Clock,
        step: Option<Step>,
        lengths: Lengths,
    ) -> Result<()> {
        let time = &mut self.time;
        time.known =
            clock.known_at(self.stamps, &self.date_zone, time.is_naive(), &time.place, step)?;
        let starts = self.starts.take();
        let mut n_before = 0;
        for block in &mut self.blocks {
            let rows = n_before..n_before + block.len();
            let stored = block.timestamps.clone();
            block.timestamps = time.ends(stored.clone(), rows.start as u64)?;
            if lengths == Lengths::Read {
                // Lengths end at the timestamps that bars have, so they wait for those.
                block.columns.push(match (&starts, clock.label) {
                    (_, Label::Start) => cast::lengths(&block.timestamps, &stored),
                    (Some(starts), _) => cast::lengths(&block.timestamps, &starts[rows.clone()]),
                    (None, _) => ScalarBuffer::from(vec![f64::NAN; block.len()]),
                });
            }
            n_before = rows.end;
        }
        Ok(())
    }
}
