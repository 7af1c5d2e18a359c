//! Whole tables: signals and context in memory, and checks without keeping rows.

use super::check_table::check_table;
use super::joined::take_facts;
use super::merge::Rows;
use super::options::{ContextTable, ReadOptions, RowFacts, SignalTable, Source};
use super::plan::Table;
use super::reader::{Extent, TableReader};
use super::report::CheckReport;
use crate::base::{Result, Symbols};

/// Checks bars and gives every finding; rows that break rules, and a file that cannot be read, are
/// findings and not errors.
///
/// # Errors
/// When the options are wrong, or rows out of order need more memory than is allowed.
pub fn check(source: Source, options: &ReadOptions) -> Result<CheckReport> {
    check_table(source, options, Table::Bars, None)
}

/// Reads columns that belong to the market as a whole.
///
/// Rows out of order are sorted and counted, nulls are NaN.
///
/// # Errors
/// `D603` for infinite values and for two rows with one timestamp and different values, unless a
/// column `available_at` makes them vintages.
pub fn read_context(source: Source, options: &ReadOptions) -> Result<(ContextTable, CheckReport)> {
    let (names, rows, facts, report) = read(source, options, Table::Context, None)?;
    let Rows { timestamps, columns, .. } = rows;
    Ok((ContextTable { names, timestamps, columns, facts }, report))
}

/// Reads columns that belong to symbols, with the ids of `symbols`.
///
/// Rows out of order are sorted and counted, nulls are NaN. Symbols outside `options.symbols` are
/// left out.
///
/// # Errors
/// `D602` for infinite values, for two rows with one key and different values, and, unless
/// `options.symbols` is given, for a symbol that the run does not know.
pub fn read_signals(
    source: Source,
    symbols: &Symbols,
    options: &ReadOptions,
) -> Result<(SignalTable, CheckReport)> {
    let (names, rows, facts, report) = read(source, options, Table::Signals, Some(symbols))?;
    let Rows { timestamps, assets, columns, .. } = rows;
    Ok((SignalTable { names, timestamps, assets, columns, facts }, report))
}

fn read(
    source: Source,
    options: &ReadOptions,
    table: Table,
    symbols: Option<&Symbols>,
) -> Result<(Vec<String>, Rows, RowFacts, CheckReport)> {
    let mut reader = TableReader::open(source, options, table, symbols, Extent::Whole)?;
    let names = reader.names().to_vec();
    let (mut facts, has_available_at) = reader.row_facts();
    let mut all = Rows::default();
    while let Some(rows) = reader.next_rows()? {
        if all.columns.is_empty() {
            all = rows;
        } else {
            all.append(&rows);
        }
    }
    if !all.columns.is_empty() {
        take_facts(&mut all, has_available_at, &mut facts);
    }
    all.columns.resize_with(names.len(), Vec::new);
    Ok((names, all, facts, reader.report()))
}
