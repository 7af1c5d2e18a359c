//! Parquet rows, decoded a row group at a time with positioned reads and sorted where they must be.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::ScalarBuffer;

use super::block::{Block, RowNumbers, is_ascending};
use super::cast::{SymbolDecoder, UNWANTED, lengths, to_f64};
use super::group_columns::GroupColumns;
use super::joined::halves;
use super::lane::{BlockStream, ReadFacts};
use super::ledger::Ledger;
use super::parquet::{BLOCK_ROWS, Group, ParquetTable};
use super::plan::SymbolFrom;
use super::sort_budget::check_sort_budget;
use crate::base::Result;

/// Decodes the row groups of one file.
pub(crate) struct ParquetStream {
    table: Arc<ParquetTable>,
    facts: Arc<ReadFacts>,
    next_group: usize,
    /// Decoded columns, and whether a row group of theirs is open.
    columns: GroupColumns,
    is_open: bool,
    row: u64,
    symbols: SymbolDecoder,
    /// NaN for a column that the file does not have.
    missing: ScalarBuffer<f64>,
    sorted: VecDeque<Block>,
    is_sample: bool,
}

impl BlockStream for ParquetStream {
    fn next_block(&mut self, ledger: &mut Ledger) -> Result<Option<Block>> {
        let table = Arc::clone(&self.table);
        let plan = table.plan();
        if self.is_sample && self.next_group == 0 {
            self.next_group = plan.groups.len();
            let block = self.sample()?;
            match block {
                Some(block) if !is_ascending(&block.timestamps) => self.sort(Some(block), ledger),
                Some(block) => self.sorted.push_back(block),
                None => {}
            }
        }
        if plan.is_shuffled && self.next_group == 0 {
            self.next_group = plan.groups.len();
            let block = self.load(&plan.groups)?;
            self.sort(block, ledger);
        }
        loop {
            if let Some(block) = self.sorted.pop_front() {
                return Ok(Some(block));
            }
            if self.is_open {
                if let Some(arrays) = self.columns.next()? {
                    let block = self.decode(&arrays)?;
                    if is_ascending(&block.timestamps) {
                        return Ok(Some(block));
                    }
                    self.sort(Some(block), ledger);
                } else {
                    self.is_open = false;
                }
                continue;
            }
            let Some(group) = plan.groups.get(self.next_group) else { return Ok(None) };
            self.next_group += 1;
            if group.n_rows > BLOCK_ROWS as u64 && !table.is_group_sorted(group)? {
                let block = self.load(std::slice::from_ref(group))?;
                self.sort(block, ledger);
                continue;
            }
            self.row = group.first_row;
            self.columns.open(group)?;
            self.is_open = true;
        }
    }
}

impl ParquetStream {
    /// Starts decoding a bound table: all of it, or the rows of its sample.
    pub(super) fn new(table: Arc<ParquetTable>, facts: Arc<ReadFacts>, is_sample: bool) -> Self {
        let projection = projection(&table, &facts);
        let second = (!is_sample).then_some(&facts.second);
        let columns = GroupColumns::new(Arc::clone(&table), projection, second);
        Self {
            table,
            facts,
            next_group: 0,
            columns,
            is_open: false,
            row: 0,
            symbols: SymbolDecoder::default(),
            missing: ScalarBuffer::from(Vec::new()),
            sorted: VecDeque::new(),
            is_sample,
        }
    }

    /// A block of the projected columns.
    fn decode(&mut self, arrays: &[ArrayRef]) -> Result<Block> {
        let table = Arc::clone(&self.table);
        let plan = table.plan();
        let column = |wanted: usize| -> &ArrayRef {
            let at = self.columns.projected().iter().position(|c| *c == wanted);
            &arrays[at.expect("the column is projected")]
        };
        let place = |c: usize| format!("{}: column {:?}", table.name, table.columns[c].name);
        let n = column(plan.roles.time).len();
        let stored = plan.time.instants(column(plan.roles.time), self.row)?;
        let timestamps = plan.time.ends(stored.clone(), self.row)?;
        let assets = match &plan.roles.symbol {
            SymbolFrom::Column(c) => {
                self.symbols.decode(column(*c), &self.facts.symbols, &|| place(*c))?
            }
            SymbolFrom::Constant(name) => {
                let id = self.facts.symbols.id(name).map_or(UNWANTED, |id| id.0);
                vec![id; n]
            }
            SymbolFrom::Market => vec![0; n],
        };
        let mut columns = Vec::with_capacity(plan.values.len());
        for value in &plan.values {
            columns.push(if let Some(c) = value {
                to_f64(column(*c), &|| place(*c))?
            } else {
                if self.missing.len() < n {
                    self.missing = ScalarBuffer::from(vec![f64::NAN; n.max(BLOCK_ROWS)]);
                }
                self.missing.slice(0, n)
            });
        }
        if let (Some(c), Some(time)) = (plan.roles.available_at, &plan.available_at) {
            columns.extend(halves(&time.instants(column(c), self.row)?));
        }
        if self.facts.has_lengths {
            columns.push(match &plan.start {
                _ if self.facts.is_start => lengths(&timestamps, &stored),
                Some((c, time)) => lengths(&timestamps, &time.convert(column(*c), self.row)?),
                None => ScalarBuffer::from(vec![f64::NAN; n]),
            });
        }
        let rows = RowNumbers::From(self.row);
        self.row += n as u64;
        Ok(Block { file: table.file_idx, rows, timestamps, assets, columns })
    }

    fn load(&mut self, groups: &[Group]) -> Result<Option<Block>> {
        let table = Arc::clone(&self.table);
        let n_rows: u64 = groups.iter().map(|g| g.n_rows).sum();
        check_sort_budget(&table.name, n_rows, table.plan().values.len())?;
        let mut blocks = Vec::new();
        for group in groups {
            self.row = group.first_row;
            self.columns.open(group)?;
            while let Some(arrays) = self.columns.next()? {
                blocks.push(self.decode(&arrays)?);
            }
        }
        Ok(Block::concat(&blocks))
    }

    /// The rows of the sample that stand in row groups that are read.
    fn sample(&mut self) -> Result<Option<Block>> {
        let table = Arc::clone(&self.table);
        let facts = Arc::clone(&self.facts);
        let ranges = &facts.files[table.file_idx as usize].sample;
        let mut blocks = Vec::new();
        for group in &table.plan().groups {
            let end = group.first_row + group.n_rows;
            for &(first, last) in ranges {
                let (from, to) = (first.max(group.first_row), last.min(end));
                if from >= to {
                    continue;
                }
                let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
                let window = (size(from - group.first_row), size(to - from));
                self.row = from;
                let columns = self.columns.projected();
                for batch in table.window_reader(group.idx, columns, BLOCK_ROWS, window)? {
                    blocks.push(self.decode(batch.map_err(|e| table.broken(&e))?.columns())?);
                }
            }
        }
        Ok(Block::concat(&blocks))
    }

    fn sort(&mut self, block: Option<Block>, ledger: &mut Ledger) {
        if let Some(block) = block {
            self.sorted.push_back(self.facts.sort(block, ledger));
        }
    }
}

/// Indices of the decoded columns, ascending.
fn projection(table: &ParquetTable, facts: &ReadFacts) -> Vec<usize> {
    let plan = table.plan();
    let mut columns: Vec<usize> = plan.values.iter().flatten().copied().collect();
    columns.push(plan.roles.time);
    columns.extend(plan.roles.available_at);
    if let (Some((column, _)), true) = (&plan.start, facts.has_lengths) {
        columns.push(*column);
    }
    if let SymbolFrom::Column(column) = plan.roles.symbol {
        columns.push(column);
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}
