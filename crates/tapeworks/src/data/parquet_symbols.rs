//! The names of symbols in a Parquet file, from dictionaries and statistics where they suffice.

use std::collections::BTreeSet;
use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::statistics::Statistics;

use super::cast::names_of;
use super::parquet::{BLOCK_ROWS, Group, ParquetTable, unreadable};
use super::plan::{Roles, SymbolFrom};
use crate::base::Result;

impl ParquetTable {
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

    /// Whether the statistics of the symbol column leave room for one of the names.
    pub(super) fn may_hold(&self, group: usize, roles: &Roles, symbols: Option<&[String]>) -> bool {
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
}

fn is_all_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    chunk.dictionary_page_offset().is_some()
        && chunk.page_encoding_stats_mask().is_some_and(|mask| {
            mask.is_only(Encoding::PLAIN_DICTIONARY) || mask.is_only(Encoding::RLE_DICTIONARY)
        })
}
