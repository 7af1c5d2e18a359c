//! Tables that are held in memory as columns: Arrow streams and text files.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use arrow::buffer::ScalarBuffer;
use arrow::record_batch::RecordBatchReader;
use jiff::tz::TimeZone;

use super::block::{Block, RowNumbers, is_ascending};
use super::cast::{NAMELESS, SymbolDecoder, UNWANTED, names_of, to_f64};
use super::clock::{Clock, Stamps};
use super::content::{Content, Lengths, StoredRows};
use super::csv::CsvTable;
use super::joined::halves;
use super::known_at::KnownAt;
use super::lane::{BlockStream, ReadFacts};
use super::ledger::Ledger;
use super::options::CsvFormat;
use super::plan::{FoundColumn, Roles, SymbolFrom};
use super::row_step::FirstRows;
use super::sort_budget::check_sort_budget;
use super::source::{Format, SourceFile};
use super::time_column::{TimeColumn, TimeKind};
use super::time_text::TextForm;
use super::time_unit::number_range;
use crate::base::{Error, Result, Step, Symbols};

/// Rows of a stream that are decoded at a time.
const BLOCK_ROWS: usize = 65_536;

/// A table of which only the header was looked at, until it is bound.
pub(crate) struct LoadedTable {
    pub(crate) name: String,
    pub(crate) columns: Vec<FoundColumn>,
    pub(crate) n_rows: u64,
    pub(crate) bytes: u64,
    file_idx: u32,
    origin: Origin,
    content: Option<Content>,
}

enum Origin {
    Arrow(Box<dyn RecordBatchReader + Send>),
    Csv(Box<CsvTable>),
    Drained,
}

impl std::fmt::Debug for LoadedTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedTable").field("name", &self.name).finish_non_exhaustive()
    }
}

impl LoadedTable {
    pub(crate) fn from_arrow(reader: Box<dyn RecordBatchReader + Send>) -> Self {
        let schema = reader.schema();
        Self {
            name: "table".to_owned(),
            columns: schema.fields().iter().map(|field| FoundColumn::of(field)).collect(),
            n_rows: 0,
            bytes: 0,
            file_idx: 0,
            origin: Origin::Arrow(reader),
            content: None,
        }
    }

    /// The rows of a file that another reader decodes.
    pub(crate) fn from_file(
        source: &SourceFile,
        file_idx: u32,
        reader: Box<dyn RecordBatchReader + Send>,
    ) -> Self {
        let bytes = std::fs::metadata(&source.path).map_or(0, |metadata| metadata.len());
        let mut table = Self::from_arrow(reader);
        if source.format == Format::JsonLines {
            // JSON has no times and no integers: text and numbers are no finding there.
            for column in &mut table.columns {
                "JSON".clone_into(&mut column.type_name);
            }
        }
        Self { name: source.name.clone(), file_idx, bytes, ..table }
    }

    pub(crate) fn from_csv(source: &SourceFile, file_idx: u32, format: &CsvFormat) -> Result<Self> {
        let table = CsvTable::open(source, format)?;
        Ok(Self {
            name: source.name.clone(),
            columns: table.columns(),
            n_rows: 0,
            bytes: table.bytes(),
            file_idx,
            origin: Origin::Csv(Box::new(table)),
            content: None,
        })
    }

    pub(crate) fn bind(
        &mut self,
        roles: Roles,
        values: &[Option<usize>],
        clock: &Clock,
        lengths: Lengths,
    ) -> Result<()> {
        let content = match std::mem::replace(&mut self.origin, Origin::Drained) {
            Origin::Arrow(reader) => self.drain(reader, roles, values, clock, lengths)?,
            Origin::Csv(table) => table.read(roles, values, clock, self.file_idx, lengths)?,
            Origin::Drained => return Ok(()),
        };
        self.n_rows = content.n_rows() as u64;
        self.content = Some(content);
        Ok(())
    }

    fn content(&self) -> &Content {
        self.content.as_ref().expect("a table is bound before it is read")
    }

    pub(crate) fn roles(&self) -> &Roles {
        &self.content().roles
    }

    pub(crate) fn has_volume(&self) -> bool {
        self.content().has_volume
    }

    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        let times = self.content().blocks.iter().flat_map(|block| block.timestamps.iter());
        times.fold(None, |span, t| {
            Some(span.map_or((*t, *t), |(a, b): (i64, i64)| (a.min(*t), b.max(*t))))
        })
    }

    /// (carries a zone of its own, is a date)
    pub(crate) fn zone_facts(&self) -> (bool, bool) {
        let form = self.content().form;
        (form == TextForm::Instant, form == TextForm::Date)
    }

    pub(super) fn stamp_facts(&self) -> (Stamps, TimeZone) {
        let content = self.content();
        (content.stamps, content.date_zone.clone())
    }

    /// When bars are known, where that is not their stamp.
    pub(super) fn known(&self) -> Option<&KnownAt> {
        self.content().time.known.as_ref()
    }

    /// Settles when the rows are known.
    pub(super) fn settle(
        &mut self,
        clock: &Clock,
        step: Option<Step>,
        lengths: Lengths,
    ) -> Result<()> {
        self.content.as_mut().map_or(Ok(()), |content| content.settle(clock, step, lengths))
    }

    /// Stamps and symbols of the first rows.
    pub(super) fn first_rows(&self, n: usize) -> FirstRows {
        let content = self.content();
        let mut rows =
            FirstRows { stamps: Vec::new(), assets: Vec::new(), names: content.names.clone() };
        for block in &content.blocks {
            let part = block.len().min(n - rows.stamps.len());
            rows.stamps.extend_from_slice(&block.timestamps[..part]);
            rows.assets.extend_from_slice(&block.assets[..part]);
        }
        rows
    }

    pub(super) fn available_dates(&self) -> bool {
        self.content().available_dates
    }

    pub(crate) fn collect_symbols(&self, out: &mut BTreeSet<String>) {
        out.extend(self.content().names.iter().map(str::to_owned));
    }

    pub(crate) fn stream(self, facts: &Arc<ReadFacts>, is_sample: bool) -> LoadedStream {
        let content = self.content.expect("a table is bound before it is read");
        let ids: Vec<u32> = content
            .names
            .iter()
            .map(|name| facts.symbols.id(name).map_or(UNWANTED, |id| id.0))
            .collect();
        let mut blocks: VecDeque<Block> = content.blocks.into();
        if !matches!(content.roles.symbol, SymbolFrom::Market) {
            for asset in blocks.iter_mut().flat_map(|block| &mut block.assets) {
                *asset = ids.get(*asset as usize).copied().unwrap_or(NAMELESS);
            }
        }
        LoadedStream { facts: Arc::clone(facts), blocks, is_sample, is_ordered: false }
    }

    fn drain(
        &self,
        reader: Box<dyn RecordBatchReader + Send>,
        roles: Roles,
        values: &[Option<usize>],
        clock: &Clock,
        wanted: Lengths,
    ) -> Result<Content> {
        let place = |c: usize| format!("{}: column {:?}", self.name, self.columns[c].name);
        let schema = reader.schema();
        let time_type = schema.field(roles.time).data_type();
        let mut time = TimeColumn::new(time_type, clock, place(roles.time))?;
        let said = |key: &str| schema.metadata().get(key).map(String::as_str);
        let says_end = clock.says_end(said);
        let beside = |column: Option<usize>| -> Result<Option<(usize, TimeColumn)>> {
            let column = column
                .map(|c| Ok((c, TimeColumn::new(schema.field(c).data_type(), clock, place(c))?)));
            column.transpose()
        };
        let mut available = beside(roles.available_at)?;
        let mut available_range: Option<(i64, i64)> = None;
        let mut start = beside(roles.start.filter(|_| wanted == Lengths::Read))?;
        let mut start_range: Option<(i64, i64)> = None;
        let mut batches = Vec::new();
        let mut names = BTreeSet::new();
        let mut range: Option<(i64, i64)> = None;
        for batch in reader {
            let batch = batch.map_err(|e| Error::data("D102", format!("{}: {e}", self.name)))?;
            if batch.num_rows() == 0 {
                continue;
            }
            if let SymbolFrom::Column(c) = roles.symbol {
                names_of(batch.column(c), &|| place(c), &mut names)?;
            }
            if time.needs_unit() {
                widen(&mut range, number_range(batch.column(roles.time)));
            }
            if let Some((c, _)) = start.as_ref().filter(|(_, start)| start.needs_unit()) {
                widen(&mut start_range, number_range(batch.column(*c)));
            }
            if let Some((c, column)) = &available
                && column.needs_unit()
            {
                widen(&mut available_range, number_range(batch.column(*c)));
            }
            // Slices share the memory of the batch; what is decoded beside it stays small.
            let n = batch.num_rows();
            let slices = (0..n).step_by(BLOCK_ROWS);
            batches.extend(slices.map(|from| batch.slice(from, BLOCK_ROWS.min(n - from))));
        }
        if let Some((low, high)) = range {
            time.decide_unit(low, high)?;
        }
        if let (Some((low, high)), Some((_, column))) = (available_range, &mut available) {
            column.decide_unit(low, high)?;
        }
        if let (Some((_, start)), Some((low, high))) = (&mut start, start_range) {
            start.decide_unit(low, high)?;
        }
        if let SymbolFrom::Constant(name) = &roles.symbol {
            names.insert(name.clone());
        }
        let names = Symbols::new(names);
        let mut decoder = SymbolDecoder::default();
        let mut blocks = Vec::with_capacity(batches.len());
        let mut starts = Vec::new();
        let mut row = 0_u64;
        for batch in batches {
            let n = batch.num_rows();
            let assets = match roles.symbol {
                SymbolFrom::Column(c) => decoder.decode(batch.column(c), &names, &|| place(c))?,
                SymbolFrom::Constant(_) | SymbolFrom::Market => vec![0; n],
            };
            let mut columns = Vec::with_capacity(values.len());
            for value in values {
                columns.push(match value {
                    Some(c) => to_f64(batch.column(*c), &|| place(*c))?,
                    None => ScalarBuffer::from(vec![f64::NAN; n]),
                });
            }
            let timestamps = time.instants(batch.column(roles.time), row)?;
            if let Some((c, column)) = &available {
                columns.extend(halves(&column.instants(batch.column(*c), row)?));
            }
            if let Some((c, start)) = &start {
                starts.extend_from_slice(&start.instants(batch.column(*c), row)?);
            }
            let rows = RowNumbers::From(row);
            blocks.push(Block { file: self.file_idx, rows, timestamps, assets, columns });
            row += n as u64;
        }
        let available_dates =
            available.is_some_and(|(_, c)| matches!(c.kind, TimeKind::Date | TimeKind::DateNumber));
        let has_volume = values.get(4).is_some_and(Option::is_some);
        let starts = start.map(|_| starts);
        let rows = StoredRows { roles, blocks, names, has_volume, available_dates, time, starts };
        Ok(Content::new(rows, says_end))
    }
}

fn widen(range: &mut Option<(i64, i64)>, other: Option<(i64, i64)>) {
    if let Some((low, high)) = other {
        *range = Some(range.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
    }
}

/// The rows of a table in memory, brought into time order.
pub(crate) struct LoadedStream {
    facts: Arc<ReadFacts>,
    blocks: VecDeque<Block>,
    is_sample: bool,
    is_ordered: bool,
}

impl LoadedStream {
    /// Leaves blocks that ascend in time as they are, so that none of their columns is copied;
    /// others become one.
    fn order(&mut self, ledger: &mut Ledger) -> Result<()> {
        let mut latest = i64::MIN;
        let ascends = self.blocks.iter().all(|block| {
            let (Some(&first), Some(&last)) = (block.timestamps.first(), block.timestamps.last())
            else {
                return true;
            };
            let goes_on = latest <= first && is_ascending(&block.timestamps);
            latest = last;
            goes_on
        });
        if ascends && !self.is_sample {
            return Ok(());
        }
        let blocks = std::mem::take(&mut self.blocks);
        let Some(mut block) = Block::concat(&Vec::from(blocks)) else { return Ok(()) };
        if self.is_sample {
            let ranges = &self.facts.files[block.file as usize].sample;
            let rows = ranges.iter().flat_map(|(from, to)| *from..*to);
            let rows = rows.map(|row| u32::try_from(row).expect("memory holds fewer rows"));
            block = block.take(&rows.collect::<Vec<_>>());
        }
        if !is_ascending(&block.timestamps) {
            let name = &self.facts.files[block.file as usize].name;
            check_sort_budget(name, block.len() as u64, block.columns.len())?;
            block = self.facts.sort(block, ledger);
        }
        self.blocks.extend(Some(block).filter(|block| block.len() > 0));
        Ok(())
    }
}

impl BlockStream for LoadedStream {
    fn next_block(&mut self, ledger: &mut Ledger) -> Result<Option<Block>> {
        if !self.is_ordered {
            self.order(ledger)?;
            self.is_ordered = true;
        }
        Ok(self.blocks.pop_front())
    }
}
