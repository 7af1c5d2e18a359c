//! Parquet files, planned from their footer: which row groups hold what, and their span in time.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::statistics::Statistics;

use super::block::is_ascending;
use super::cast::{is_name, names_of};
use super::clock::{Clock, Stamps, are_midnights};
use super::plan::{ColumnKind, FoundColumn, Roles, SymbolFrom};
use super::pread::PreadFile;
use super::source::SourceFile;
use super::time_column::{TimeColumn, TimeKind, number_range};
use crate::base::{Error, ErrorKind, Result};

/// Rows decoded at once: a block of eight columns stays in a core's cache.
pub(super) const BLOCK_ROWS: usize = 16_384;
/// Decoded bytes that may be held to bring rows into order.
pub(crate) const SORT_BYTES: u64 = 512 << 20;

/// A file whose footer was read.
#[derive(Debug)]
pub(crate) struct ParquetTable {
    pub(crate) name: String,
    pub(crate) file_idx: u32,
    pub(crate) columns: Vec<FoundColumn>,
    pub(crate) n_rows: u64,
    pub(crate) n_row_groups: usize,
    pub(crate) bytes: u64,
    file: PreadFile,
    meta: ArrowReaderMetadata,
    plan: Option<Plan>,
}

/// What is decoded, known when the roles of the columns are.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) time: TimeColumn,
    pub(super) stamps: Stamps,
    pub(super) available_at: Option<TimeColumn>,
    pub(super) roles: Roles,
    pub(super) values: Vec<Option<usize>>,
    /// The starts of bars, when they are read.
    pub(super) start: Option<(usize, TimeColumn)>,
    pub(super) groups: Vec<Group>,
    /// Row groups overlap in time, so the rows are put in order in memory.
    pub(super) is_shuffled: bool,
}

/// A row group that is read.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) idx: usize,
    pub(super) first_row: u64,
    pub(super) n_rows: u64,
    pub(super) span: (i64, i64),
}

impl ParquetTable {
    pub(crate) fn open(source: &SourceFile, file_idx: u32, keep_open: bool) -> Result<Self> {
        let name = source.name.clone();
        let file = PreadFile::open(&source.path, keep_open)
            .map_err(|e| Error::data("D102", format!("{name}: cannot open: {e}")))?;
        let bytes = parquet::file::reader::Length::len(&file);
        let broken = |e: parquet::errors::ParquetError| unreadable(&name, &e);
        let meta = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(broken)?;
        let schema = with_packed_names(meta.schema());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let meta =
            ArrowReaderMetadata::try_new(meta.metadata().clone(), options).map_err(broken)?;
        let columns = meta.schema().fields().iter().map(|field| found_column(field)).collect();
        let footer = meta.metadata();
        let rows = footer.file_metadata().num_rows();
        let n_rows = u64::try_from(rows)
            .map_err(|_| Error::data("D102", format!("{name}: footer says {rows} rows")))?;
        let n_row_groups = footer.num_row_groups();
        Ok(Self { name, file_idx, columns, n_rows, n_row_groups, bytes, file, meta, plan: None })
    }

    /// Fixes what is decoded, and leaves out row groups outside `start..end`.
    pub(crate) fn bind(
        &mut self,
        roles: Roles,
        values: Vec<Option<usize>>,
        clock: &Clock,
        (start, end): (i64, i64),
        symbols: Option<&[String]>,
    ) -> Result<()> {
        let mut time = self.time_column(roles.time, clock)?;
        let stamps = self.stamps(&time, roles.time)?;
        let (zone, is_naive) = (time.date_zone().clone(), time.is_naive());
        time.sessions = clock.sessions(stamps, &zone, is_naive, &time.place)?;
        let beside = |c: usize| self.time_column(c, clock).map(|time| (c, time));
        let start_column = roles.start.map(beside).transpose()?;
        let available_at = roles.available_at.map(|c| self.time_column(c, clock)).transpose()?;
        let mut groups = Vec::new();
        let mut first_row = 0;
        for idx in 0..self.n_row_groups {
            let rows = self.meta.metadata().row_group(idx).num_rows();
            let n_rows = u64::try_from(rows).map_err(|_| {
                Error::data("D102", format!("{}: row group {idx} says {rows} rows", self.name))
            })?;
            if n_rows > 0
                && self.may_hold(idx, &roles, symbols)
                && let Some(span) = self.span(idx, &time, roles.time, first_row)?
                && span.1 >= start
                && span.0 < end
            {
                groups.push(Group { idx, first_row, n_rows, span });
            }
            first_row += n_rows;
        }
        let is_sorted = groups.windows(2).all(|w| w[0].span.1 <= w[1].span.0);
        let is_shuffled = !is_sorted;
        let start = start_column;
        self.plan =
            Some(Plan { time, stamps, available_at, roles, values, start, groups, is_shuffled });
        Ok(())
    }

    fn time_column(&self, column: usize, clock: &Clock) -> Result<TimeColumn> {
        let field = self.meta.schema().field(column);
        let place = format!("{}: column {:?}", self.name, field.name());
        let mut time = TimeColumn::new(field.data_type(), clock, place)?;
        if time.needs_unit() {
            let (low, high) = self.number_range(column)?;
            time.decide_unit(low, high)?;
        }
        Ok(time)
    }

    pub(super) fn plan(&self) -> &Plan {
        self.plan.as_ref().expect("a table is bound before it is read")
    }

    pub(crate) fn time(&self) -> &TimeColumn {
        &self.plan().time
    }

    pub(crate) fn roles(&self) -> &Roles {
        &self.plan().roles
    }

    pub(crate) fn has_volume(&self) -> bool {
        self.plan().values.get(4).is_some_and(Option::is_some)
    }

    /// First and last instant of the row groups that are read; `None` when none is.
    pub(crate) fn span_of_file(&self) -> Option<(i64, i64)> {
        let spans = self.plan().groups.iter().map(|g| g.span);
        spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The names of the symbols in the row groups that are read, without decoding their rows where
    /// a row group holds all its names in one dictionary.
    pub(crate) fn collect_symbols(&self, out: &mut BTreeSet<String>) -> Result<()> {
        let plan = self.plan();
        match &plan.roles.symbol {
            SymbolFrom::Market => Ok(()),
            SymbolFrom::Constant(name) => {
                out.insert(name.clone());
                Ok(())
            }
            SymbolFrom::Column(column) => {
                for group in &plan.groups {
                    self.group_symbols(group, *column, out)?;
                }
                Ok(())
            }
        }
    }

    /// The same for all row groups, also those that are not read.
    pub(crate) fn collect_all_symbols(&self, out: &mut BTreeSet<String>) -> Result<()> {
        if let SymbolFrom::Column(column) = self.plan().roles.symbol {
            for idx in 0..self.n_row_groups {
                let n_rows = self.meta.metadata().row_group(idx).num_rows();
                let n_rows = u64::try_from(n_rows).unwrap_or(0);
                let group = Group { idx, first_row: 0, n_rows, span: (0, 0) };
                self.group_symbols(&group, column, out)?;
            }
        }
        Ok(())
    }

    fn group_symbols(
        &self,
        group: &Group,
        column: usize,
        out: &mut BTreeSet<String>,
    ) -> Result<()> {
        if let Some(chunk) = self.chunk(group.idx, column)
            && is_all_dictionary(chunk)
        {
            let rows = usize::try_from(group.n_rows).unwrap_or(usize::MAX);
            if let Some(names) = self.dictionary_names(chunk, rows)? {
                out.extend(names);
                return Ok(());
            }
        }
        let place = || format!("{}: column {:?}", self.name, self.columns[column].name);
        for batch in self.group_reader(group.idx, &[column], BLOCK_ROWS)? {
            let batch = batch.map_err(|e| self.broken(&e))?;
            names_of(batch.column(0), &place, out)?;
        }
        Ok(())
    }

    /// Reads a dictionary page of byte arrays: a length of four bytes before each name.
    fn dictionary_names(
        &self,
        chunk: &ColumnChunkMetaData,
        n_rows: usize,
    ) -> Result<Option<Vec<String>>> {
        let broken = |e: parquet::errors::ParquetError| unreadable(&self.name, &e);
        let mut pages = SerializedPageReader::new(Arc::new(self.file.clone()), chunk, n_rows, None)
            .map_err(broken)?;
        let Some(Page::DictionaryPage { buf, num_values, encoding, .. }) =
            pages.get_next_page().map_err(broken)?
        else {
            return Ok(None);
        };
        if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
            return Ok(None);
        }
        let mut names = Vec::new();
        let mut rest: &[u8] = &buf;
        for _ in 0..num_values {
            let Some((head, tail)) = rest.split_first_chunk::<4>() else { return Ok(None) };
            let n = u32::from_le_bytes(*head) as usize;
            let Some((name, tail)) = tail.split_at_checked(n) else { return Ok(None) };
            let Ok(name) = std::str::from_utf8(name) else { return Ok(None) };
            names.push(name.to_owned());
            rest = tail;
        }
        Ok(Some(names))
    }

    fn span(
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
    fn stamps(&self, time: &TimeColumn, column: usize) -> Result<Stamps> {
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

    fn number_range(&self, column: usize) -> Result<(i64, i64)> {
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

    /// Whether the statistics of the symbol column leave room for one of the names.
    fn may_hold(&self, group: usize, roles: &Roles, symbols: Option<&[String]>) -> bool {
        let (Some(symbols), SymbolFrom::Column(column)) = (symbols, &roles.symbol) else {
            return true;
        };
        let Some(Statistics::ByteArray(range)) =
            self.chunk(group, *column).and_then(ColumnChunkMetaData::statistics)
        else {
            return true;
        };
        let (Some(low), Some(high)) = (range.min_opt(), range.max_opt()) else { return true };
        // Cut bounds are shorter texts below the least and above the greatest name.
        symbols.iter().any(|s| s.as_bytes() >= low.data() && s.as_bytes() <= high.data())
    }

    pub(super) fn chunk(&self, group: usize, column: usize) -> Option<&ColumnChunkMetaData> {
        let schema = self.meta.metadata().file_metadata().schema_descr();
        let leaf = (0..schema.num_columns()).find(|l| schema.get_column_root_idx(*l) == column)?;
        self.meta.metadata().row_group(group).columns().get(leaf)
    }

    pub(super) fn group_reader(
        &self,
        group: usize,
        columns: &[usize],
        rows: usize,
    ) -> Result<ParquetRecordBatchReader> {
        self.window_reader(group, columns, rows, (0, usize::MAX))
    }

    /// Rows of a group from an offset on, at most `limit`.
    pub(super) fn window_reader(
        &self,
        group: usize,
        columns: &[usize],
        rows: usize,
        (offset, limit): (usize, usize),
    ) -> Result<ParquetRecordBatchReader> {
        let schema = self.meta.metadata().file_metadata().schema_descr();
        let mask = ProjectionMask::roots(schema, columns.iter().copied());
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.file.clone(),
            self.meta.clone(),
        )
        .with_row_groups(vec![group])
        .with_projection(mask)
        .with_batch_size(rows);
        let builder = match (offset, limit) {
            (0, usize::MAX) => builder,
            _ => builder.with_offset(offset).with_limit(limit),
        };
        builder.build().map_err(|e| unreadable(&self.name, &e))
    }

    /// Whether the rows of a group ascend in time; only their times are decoded.
    pub(super) fn is_group_sorted(&self, group: &Group) -> Result<bool> {
        let plan = self.plan();
        let mut last = i64::MIN;
        let mut row = group.first_row;
        for batch in self.group_reader(group.idx, &[plan.roles.time], BLOCK_ROWS)? {
            let batch = batch.map_err(|e| self.broken(&e))?;
            let times = plan.time.convert(batch.column(0), row)?;
            row += batch.num_rows() as u64;
            let Some(&first) = times.first() else { continue };
            if first < last || !is_ascending(&times) {
                return Ok(false);
            }
            last = times[times.len() - 1];
        }
        Ok(true)
    }

    pub(super) fn broken(&self, error: &arrow::error::ArrowError) -> Error {
        Error::data("D102", format!("{}: cannot be decoded: {error}", self.name))
            .with_hint("the file is damaged or cut; write or download it again")
    }
}

/// Refuses to hold more rows than the budget allows.
pub(crate) fn check_sort_budget(name: &str, n_rows: u64, n_values: usize) -> Result<()> {
    let bytes = n_rows.saturating_mul(20 + 8 * n_values as u64);
    if bytes <= SORT_BYTES {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Resource,
        "R101",
        format!(
            "{name}: rows are not in time order; sorting {n_rows} rows needs {bytes} bytes, \
             {SORT_BYTES} are allowed",
        ),
    )
    .with_hint(format!(
        "write the table in order once: tapeworks sort {name} --out SORTED.parquet"
    )))
}

fn unreadable(name: &str, error: &parquet::errors::ParquetError) -> Error {
    Error::data("D102", format!("{name}: cannot be read as parquet: {error}"))
        .with_hint("the file is damaged or cut; write or download it again")
}

pub(crate) fn found_column(field: &Field) -> FoundColumn {
    let data_type = field.data_type();
    let kind = match data_type {
        t if t.is_numeric() => ColumnKind::Number,
        DataType::Boolean => ColumnKind::Flag,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => ColumnKind::Time,
        t if is_name(t) => ColumnKind::Name,
        _ => ColumnKind::Other,
    };
    FoundColumn { name: field.name().clone(), kind, type_name: data_type.to_string() }
}

/// Text columns are decoded as dictionaries, so that names are looked up once and not once a row.
fn with_packed_names(schema: &Schema) -> Schema {
    let packed = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            field.as_ref().clone().with_data_type(packed.clone())
        }
        DataType::Dictionary(_, value)
            if matches!(**value, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) =>
        {
            field.as_ref().clone().with_data_type(packed.clone())
        }
        _ => field.as_ref().clone(),
    });
    Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone())
}

fn is_all_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    chunk.dictionary_page_offset().is_some()
        && chunk.page_encoding_stats_mask().is_some_and(|mask| {
            mask.is_only(Encoding::PLAIN_DICTIONARY) || mask.is_only(Encoding::RLE_DICTIONARY)
        })
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

#[cfg(test)]
mod tests {
    use super::check_sort_budget;

    #[test]
    fn sort_budget_when_exceeded_then_the_bytes_and_the_command_are_named() {
        assert!(check_sort_budget("bars.parquet", 1_000_000, 5).is_ok());
        // 20 bytes of keys and 5 values of 8 bytes a row.
        let error = check_sort_budget("bars.parquet", 10_000_000, 5).expect_err("600 MB");
        assert_eq!(error.code(), "R101");
        assert!(error.message().contains("600000000 bytes"), "{error}");
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("tapeworks sort bars.parquet --out"), "{error}");
    }
}
