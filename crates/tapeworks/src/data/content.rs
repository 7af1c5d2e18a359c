//! The rows of a table that is held in memory, with the timestamps that bars have.

use arrow::buffer::ScalarBuffer;
use jiff::tz::TimeZone;

use super::block::Block;
use super::cast;
use super::clock::{Clock, Stamps, are_midnights};
use super::plan::Roles;
use super::time_column::{TimeColumn, TimeKind};
use super::time_text::TextForm;
use crate::base::{Result, Symbols};

/// Whether the starts of bars are read too, as lengths in a last column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lengths {
    Read,
    Ignore,
}

/// The rows, with ids that are ranks among the names of this table alone.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) roles: Roles,
    pub(crate) block: Block,
    pub(crate) names: Symbols,
    pub(crate) has_volume: bool,
    pub(crate) form: TextForm,
    pub(crate) stamps: Stamps,
    pub(crate) date_zone: TimeZone,
    pub(crate) is_session: bool,
    pub(crate) available_dates: bool,
}

/// Rows as a reader found them: dates are midnights still.
pub(super) struct StoredRows {
    pub(super) roles: Roles,
    /// Values and, behind them, when the rows were available.
    pub(super) block: Block,
    pub(super) names: Symbols,
    pub(super) has_volume: bool,
    pub(super) available_dates: bool,
    /// The column that the timestamps were read from.
    pub(super) time: TimeColumn,
    /// The starts of bars, where the table has them and they were asked for.
    pub(super) starts: Option<Vec<i64>>,
}

impl Content {
    /// Dates that name sessions become their closes, and starts become lengths.
    pub(super) fn settle(rows: StoredRows, clock: &Clock, lengths: Lengths) -> Result<Self> {
        let StoredRows { roles, mut block, names, mut time, .. } = rows;
        let date_zone = time.date_zone().clone();
        let stamps = time.stamps(are_midnights(&block.timestamps, &date_zone));
        time.sessions = clock.sessions(stamps, &date_zone, time.is_naive(), &time.place)?;
        block.timestamps = time.closes(block.timestamps, 0)?;
        if lengths == Lengths::Read {
            // Lengths end at the timestamps that bars have, so they wait for the closes.
            block.columns.push(match rows.starts {
                Some(starts) => cast::lengths(&block.timestamps, &starts),
                None => ScalarBuffer::from(vec![f64::NAN; block.len()]),
            });
        }
        Ok(Self {
            roles,
            block,
            names,
            has_volume: rows.has_volume,
            form: match time.kind {
                TimeKind::Date | TimeKind::DateNumber => TextForm::Date,
                TimeKind::Instant { .. } | TimeKind::Text => TextForm::Instant,
                _ => TextForm::Local,
            },
            stamps,
            date_zone,
            is_session: time.sessions.is_some(),
            available_dates: rows.available_dates,
        })
    }
}
