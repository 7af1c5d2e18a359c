//! What the footer of a Parquet file and, where it is silent, its rows say of a time column.

use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

use super::clock::{Clock, Stamps, are_midnights};
use super::parquet::{BLOCK_ROWS, ParquetTable};
use super::time_column::{TimeColumn, TimeKind};
use super::time_unit::number_range;
use crate::base::Result;

impl ParquetTable {
    pub(super) fn time_column(&self, column: usize, clock: &Clock) -> Result<TimeColumn> {
        let field = self.meta.schema().field(column);
        let place = format!("{}: column {:?}", self.name, field.name());
        let mut time = TimeColumn::new(field.data_type(), clock, place)?;
        if time.needs_unit() {
            let (low, high) = self.number_range(column)?;
            time.decide_unit(low, high)?;
        }
        Ok(time)
    }

    pub(super) fn span(
        &self,
        group: usize,
        time: &TimeColumn,
        column: usize,
        first_row: u64,
    ) -> Result<Option<(i64, i64)>> {
        let statistics = self.chunk(group, column).and_then(number_statistics);
        // Numbers of a time column on a wall clock keep their order in UTC, save in the hour
        // that exists twice, and such times are refused.
        if let (Some((low, high)), false) = (statistics, matches!(time.kind, TimeKind::Text)) {
            return time.span(low, high).map(Some);
        }
        let mut span: Option<(i64, i64)> = None;
        let mut row = first_row;
        for batch in self.group_reader(group, &[column], BLOCK_ROWS)? {
            let batch = batch.map_err(|e| self.broken(&e))?;
            for &t in &time.convert(batch.column(0), row)? {
                span = Some(span.map_or((t, t), |(a, b)| (a.min(t), b.max(t))));
            }
            row += batch.num_rows() as u64;
        }
        Ok(span)
    }

    /// What the time column holds: midnights alone are told by the statistics of every row group
    /// and the rows of the first one; a later row that is none is found when it is read.
    pub(super) fn stamps(&self, time: &TimeColumn, column: usize) -> Result<Stamps> {
        if matches!(time.kind, TimeKind::Date | TimeKind::DateNumber) {
            return Ok(Stamps::Dates);
        }
        let zone = time.date_zone();
        for group in 0..self.n_row_groups {
            let ends = self.chunk(group, column).and_then(number_statistics);
            if let (Some((low, high)), false) = (ends, matches!(time.kind, TimeKind::Text)) {
                let (low, high) = time.span(low, high)?;
                if !are_midnights(&[low, high], zone) {
                    return Ok(Stamps::Instants);
                }
            }
        }
        let mut row = 0;
        if self.n_row_groups == 0 {
            return Ok(Stamps::Instants);
        }
        for batch in self.group_reader(0, &[column], BLOCK_ROWS)? {
            let batch = batch.map_err(|e| self.broken(&e))?;
            if !are_midnights(&time.instants(batch.column(0), row)?, zone) {
                return Ok(Stamps::Instants);
            }
            row += batch.num_rows() as u64;
        }
        Ok(time.stamps(true))
    }

    pub(super) fn stamp_facts(&self) -> (Stamps, jiff::tz::TimeZone) {
        let plan = self.plan();
        (plan.stamps, plan.time.date_zone().clone())
    }

    pub(super) fn available_dates(&self) -> bool {
        let kind = self.plan().available_at.as_ref().map(|column| &column.kind);
        matches!(kind, Some(TimeKind::Date | TimeKind::DateNumber))
    }

    pub(super) fn number_range(&self, column: usize) -> Result<(i64, i64)> {
        let mut range: Option<(i64, i64)> = None;
        for group in 0..self.n_row_groups {
            let found = match self.chunk(group, column).and_then(number_statistics) {
                Some(found) => vec![found],
                None => self
                    .group_reader(group, &[column], BLOCK_ROWS)?
                    .map(|batch| batch.map_err(|e| self.broken(&e)))
                    .filter_map(|batch| match batch {
                        Ok(batch) => number_range(batch.column(0)).map(Ok),
                        Err(e) => Some(Err(e)),
                    })
                    .collect::<Result<_>>()?,
            };
            for (low, high) in found {
                range = Some(range.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
            }
        }
        Ok(range.unwrap_or((0, 0)))
    }
}

fn number_statistics(chunk: &ColumnChunkMetaData) -> Option<(i64, i64)> {
    match chunk.statistics()? {
        Statistics::Int64(range) => Some((*range.min_opt()?, *range.max_opt()?)),
        Statistics::Int32(range) => {
            Some((i64::from(*range.min_opt()?), i64::from(*range.max_opt()?)))
        }
        _ => None,
    }
}
