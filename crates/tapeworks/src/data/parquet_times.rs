//! What the footer of a Parquet file and, where it is silent, its rows say of a time column.

use std::collections::BTreeSet;
use std::sync::Arc;

use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

use super::cast::{SymbolDecoder, names_of};
use super::clock::{Clock, Stamps, are_midnights};
use super::parquet::{BLOCK_ROWS, ParquetTable};
use super::plan::SymbolFrom;
use super::row_step::FirstRows;
use super::time_column::{TimeColumn, TimeKind};
use super::time_unit::number_range;
use crate::base::{Result, Symbols};

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

    /// Stamps and symbols of the first rows that may be read.
    pub(super) fn first_rows(&self, n: usize) -> Result<FirstRows> {
        let plan = self.plan();
        let symbol = match plan.roles.symbol {
            SymbolFrom::Column(column) => Some(column),
            SymbolFrom::Constant(_) | SymbolFrom::Market => None,
        };
        let mut columns: Vec<usize> = symbol.into_iter().chain([plan.roles.time]).collect();
        columns.sort_unstable();
        let at = |column: usize| columns.iter().position(|c| *c == column).unwrap_or(0);
        let place = || format!("{}: symbols", self.name);
        let (mut stamps, mut batches, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
        'groups: for group in &plan.groups {
            let mut row = group.first_row;
            for batch in self.group_reader(group.idx, &columns, BLOCK_ROWS)? {
                if stamps.len() >= n {
                    break 'groups;
                }
                let batch = batch.map_err(|e| self.broken(&e))?;
                let times = plan.time.instants(batch.column(at(plan.roles.time)), row)?;
                stamps.extend_from_slice(&times);
                row += batch.num_rows() as u64;
                if let Some(column) = symbol {
                    let array = batch.column(at(column));
                    names_of(array, &place, &mut names)?;
                    batches.push(Arc::clone(array));
                }
            }
        }
        let names = Symbols::new(names);
        let mut decoder = SymbolDecoder::default();
        let mut assets = Vec::with_capacity(stamps.len());
        for array in &batches {
            assets.extend(decoder.decode(array, &names, &place)?);
        }
        assets.resize(stamps.len(), 0);
        let names = match &plan.roles.symbol {
            SymbolFrom::Constant(name) => Symbols::new([name.as_str()]),
            SymbolFrom::Column(_) | SymbolFrom::Market => names,
        };
        Ok(FirstRows { stamps, assets, names })
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
