//! Parquet files, planned from their footer: which row groups hold what, and their span in time.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ColumnChunkMetaData;

use super::block::is_ascending;
use super::clock::{Clock, Stamps};
use super::plan::{FoundColumn, Roles};
use super::pread::PreadFile;
use super::source::SourceFile;
use super::time_column::TimeColumn;
use crate::base::{Error, Result, Step};

/// Rows decoded at once: a block of eight columns stays in a core's cache.
pub(super) const BLOCK_ROWS: usize = 16_384;

/// A file whose footer was read.
#[derive(Debug)]
pub(crate) struct ParquetTable {
    pub(crate) name: String,
    pub(crate) file_idx: u32,
    pub(crate) columns: Vec<FoundColumn>,
    pub(crate) n_rows: u64,
    pub(crate) n_row_groups: usize,
    pub(crate) bytes: u64,
    pub(super) file: PreadFile,
    pub(super) meta: ArrowReaderMetadata,
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
        let columns = meta.schema().fields().iter().map(|field| FoundColumn::of(field)).collect();
        let footer = meta.metadata();
        let rows = footer.file_metadata().num_rows();
        let n_rows = u64::try_from(rows)
            .map_err(|_| Error::data("D102", format!("{name}: footer says {rows} rows")))?;
        let n_row_groups = footer.num_row_groups();
        Ok(Self { name, file_idx, columns, n_rows, n_row_groups, bytes, file, meta, plan: None })
    }

    /// Fixes what is decoded; stamps are as they are stored until [`Self::settle`].
    pub(crate) fn bind(
        &mut self,
        roles: Roles,
        values: Vec<Option<usize>>,
        clock: &Clock,
        symbols: Option<&[String]>,
    ) -> Result<()> {
        let time = self.time_column(roles.time, clock)?;
        let stamps = if clock.says_end(|key| self.said(key)) {
            Stamps::Instants
        } else {
            self.stamps(&time, roles.time)?
        };
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
            {
                groups.push(Group { idx, first_row, n_rows, span });
            }
            first_row += n_rows;
        }
        let (start, is_shuffled) = (start_column, false);
        self.plan =
            Some(Plan { time, stamps, available_at, roles, values, start, groups, is_shuffled });
        Ok(())
    }

    /// Settles when bars are known, and leaves out row groups outside `start..end`.
    pub(crate) fn settle(
        &mut self,
        clock: &Clock,
        step: Option<Step>,
        (start, end): (i64, i64),
    ) -> Result<()> {
        let Some(plan) = &mut self.plan else { return Ok(()) };
        let Plan { time, stamps, groups, .. } = plan;
        let (zone, is_naive) = (time.date_zone().clone(), time.is_naive());
        time.known = clock.known_at(*stamps, &zone, is_naive, &time.place, step)?;
        if let Some(rule) = &time.known {
            for Group { span: (first, last), .. } in groups.iter_mut() {
                // A stamp that breaks the rule is told with its row when it is read.
                *first = rule.of(*first).unwrap_or(*first);
                *last = rule.of(*last).unwrap_or(last.saturating_add(rule.reach_ns()));
            }
        }
        groups.retain(|group| group.span.1 >= start && group.span.0 < end);
        plan.is_shuffled = !groups.windows(2).all(|w| w[0].span.1 <= w[1].span.0);
        Ok(())
    }

    /// What the footer says under a key.
    fn said(&self, key: &str) -> Option<&str> {
        let entries = self.meta.metadata().file_metadata().key_value_metadata()?;
        entries.iter().find(|entry| entry.key == key)?.value.as_deref()
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

pub(super) fn unreadable(name: &str, error: &parquet::errors::ParquetError) -> Error {
    Error::data("D102", format!("{name}: cannot be read as parquet: {error}"))
        .with_hint("the file is damaged or cut; write or download it again")
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
