//! One file of a table, whatever its format, and the opening of all files of a source.

use std::collections::BTreeSet;

use arrow::record_batch::RecordBatchReader;
use jiff::tz::TimeZone;

use super::clock::{Clock, Stamps};
use super::content::Lengths;
use super::known_at::KnownAt;
use super::loaded::LoadedTable;
use super::names::canonical;
use super::options::{ReadOptions, Source};
use super::parquet::ParquetTable;
use super::plan::{FoundColumn, Roles};
use super::row_step::FirstRows;
use super::source::{Format, SourceFile, files};
use super::time_column::TimeKind;
use super::{arrow_file, dbn, hive, json_lines};
use crate::base::{Error, Result, Step};

/// More files than this are opened for each read, so that few handles are in use.
const KEPT_OPEN: usize = 16;

/// One file of a table, planned.
#[derive(Debug)]
pub(crate) enum TableFile {
    Parquet(Box<ParquetTable>),
    Loaded(Box<LoadedTable>),
}

impl TableFile {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Parquet(t) => &t.name,
            Self::Loaded(t) => &t.name,
        }
    }

    pub(crate) fn columns(&self) -> &[FoundColumn] {
        match self {
            Self::Parquet(t) => &t.columns,
            Self::Loaded(t) => &t.columns,
        }
    }

    pub(crate) fn n_rows(&self) -> u64 {
        match self {
            Self::Parquet(t) => t.n_rows,
            Self::Loaded(t) => t.n_rows,
        }
    }

    pub(super) fn roles(&self) -> &Roles {
        match self {
            Self::Parquet(t) => t.roles(),
            Self::Loaded(t) => t.roles(),
        }
    }

    pub(super) fn span(&self) -> Option<(i64, i64)> {
        match self {
            Self::Parquet(t) => t.span_of_file(),
            Self::Loaded(t) => t.span(),
        }
    }

    pub(super) fn has_volume(&self) -> bool {
        match self {
            Self::Parquet(t) => t.has_volume(),
            Self::Loaded(t) => t.has_volume(),
        }
    }

    pub(super) fn collect_symbols(&self, out: &mut BTreeSet<String>) -> Result<()> {
        match self {
            Self::Parquet(t) => t.collect_symbols(out),
            Self::Loaded(t) => {
                t.collect_symbols(out);
                Ok(())
            }
        }
    }

    /// What the stamps are, and the zone of the midnights among them.
    pub(super) fn stamp_facts(&self) -> (Stamps, TimeZone) {
        match self {
            Self::Parquet(t) => t.stamp_facts(),
            Self::Loaded(t) => t.stamp_facts(),
        }
    }

    /// When bars are known, where that is not their stamp.
    pub(super) fn known(&self) -> Option<&KnownAt> {
        match self {
            Self::Parquet(t) => t.time().known.as_ref(),
            Self::Loaded(t) => t.known(),
        }
    }

    /// Settles when bars are known, and leaves out what lies outside `range`.
    pub(super) fn settle(
        &mut self,
        clock: &Clock,
        step: Option<Step>,
        lengths: Lengths,
        range: (i64, i64),
    ) -> Result<()> {
        match self {
            Self::Parquet(t) => t.settle(clock, step, range),
            Self::Loaded(t) => t.settle(clock, step, lengths),
        }
    }

    /// Stamps and symbols of the first rows.
    pub(super) fn first_rows(&self, n: usize) -> Result<FirstRows> {
        match self {
            Self::Parquet(t) => t.first_rows(n),
            Self::Loaded(t) => Ok(t.first_rows(n)),
        }
    }

    /// Whether a column `available_at` holds dates.
    pub(super) fn available_dates(&self) -> bool {
        match self {
            Self::Parquet(t) => t.available_dates(),
            Self::Loaded(t) => t.available_dates(),
        }
    }

    /// (carries a zone of its own, is a date)
    pub(super) fn zone_facts(&self) -> (bool, bool) {
        match self {
            Self::Parquet(t) => {
                let is_date = matches!(t.time().kind, TimeKind::Date | TimeKind::DateNumber);
                (!t.time().is_naive() && !is_date, is_date)
            }
            Self::Loaded(t) => t.zone_facts(),
        }
    }
}

/// Files, and where each one came from.
pub(super) type Opened = (Vec<TableFile>, Vec<Option<SourceFile>>);

fn loaded(file: &SourceFile, idx: u32, reader: Box<dyn RecordBatchReader + Send>) -> TableFile {
    TableFile::Loaded(Box::new(LoadedTable::from_file(file, idx, reader)))
}

/// Opens the files that may hold rows of the range and the symbols.
pub(super) fn open_files(
    source: Source,
    options: &ReadOptions,
    zone: &TimeZone,
    (start, end): (i64, i64),
) -> Result<Opened> {
    let path = match source {
        Source::Arrow(reader) => {
            return Ok((
                vec![TableFile::Loaded(Box::new(LoadedTable::from_arrow(reader)))],
                vec![None],
            ));
        }
        Source::Path(path) => path,
    };
    let mut kept = Vec::new();
    for file in files(&path)? {
        let in_range = match hive::span(&file.partitions, zone, &file.name)? {
            // A session's bar may be known at the midnight that ends its date.
            Some((first, last)) => last >= start && first < end,
            None => true,
        };
        let symbol = file.partitions.iter().find(|(k, _)| canonical(k) == "symbol").map(|(_, v)| v);
        let is_wanted = match (&options.symbols, symbol) {
            (Some(wanted), Some(symbol)) => wanted.contains(symbol),
            _ => true,
        };
        if in_range && is_wanted {
            kept.push(file);
        }
    }
    if kept.is_empty() {
        return Err(Error::data(
            "D601",
            format!("{path}: no file holds the symbols and the range"),
        )
        .with_hint("widen start and end, or check the symbols"));
    }
    let keep_open = kept.len() <= KEPT_OPEN;
    let mut tables = Vec::with_capacity(kept.len());
    for (i, file) in kept.iter().enumerate() {
        let idx = u32::try_from(i).expect("fewer than 2^32 files");
        tables.push(match file.format {
            Format::Parquet => {
                TableFile::Parquet(Box::new(ParquetTable::open(file, idx, keep_open)?))
            }
            Format::Csv => {
                TableFile::Loaded(Box::new(LoadedTable::from_csv(file, idx, &options.csv)?))
            }
            Format::Arrow => loaded(file, idx, arrow_file::open(file)?),
            Format::JsonLines => loaded(file, idx, json_lines::open(file)?),
            Format::Dbn => loaded(file, idx, dbn::open(file)?),
        });
    }
    Ok((tables, kept.into_iter().map(Some).collect()))
}
