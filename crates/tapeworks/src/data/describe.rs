//! What a table holds, told from its metadata as far as that reaches.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::options::{CheckLevel, ReadOptions, Source};
use super::plan::Table;
use super::reader::{Extent, TableReader};
use crate::base::{Result, Timestamp};

/// Size, names and times of a table of bars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceInfo {
    /// Files read, sorted by path.
    pub files: Vec<String>,
    /// Bytes of the files.
    pub bytes: u64,
    /// Row groups of the parquet files.
    pub n_row_groups: usize,
    /// Rows of the files.
    pub n_rows: u64,
    /// Columns of the first file with their types.
    pub columns: Vec<(String, String)>,
    /// Symbols by name.
    pub symbols: Vec<String>,
    /// First and last timestamp, ns UTC.
    pub span: Option<(i64, i64)>,
    /// Most frequent step between timestamps of the first rows, ns; absent below two timestamps.
    pub modal_step_ns: Option<i64>,
}

/// Describes bars from the footers of parquet files and the first rows of the first file.
///
/// # Errors
/// When the table cannot be opened: no file, no such column, no time.
pub fn describe(source: Source, options: &ReadOptions) -> Result<SourceInfo> {
    let options =
        ReadOptions { columns: Some(Vec::new()), level: CheckLevel::Fast, ..options.clone() };
    let mut reader = TableReader::open(source, &options, Table::Bars, None, Extent::Whole)?;
    let mut steps: BTreeMap<i64, u32> = BTreeMap::new();
    if let Ok(Some(rows)) = reader.next_counted() {
        for pair in rows.timestamps.windows(2).filter(|pair| pair[0] < pair[1]) {
            *steps.entry(pair[1] - pair[0]).or_default() += 1;
        }
    }
    let modal = steps.into_iter().max_by_key(|(step, n)| (*n, -step)).map(|(step, _)| step);
    let files = reader.files.clone();
    Ok(SourceInfo {
        files: files.names,
        bytes: files.bytes,
        n_row_groups: files.n_row_groups,
        n_rows: files.n_rows,
        columns: files.columns,
        symbols: reader.symbol_names(),
        span: files.span,
        modal_step_ns: modal,
    })
}

/// A line a fact; long lists are cut with their length.
impl fmt::Display for SourceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = |names: &[String], n_shown: usize| {
            let shown: Vec<&str> = names.iter().take(n_shown).map(String::as_str).collect();
            let more = if names.len() > n_shown { ", ..." } else { "" };
            format!("{} ({}{more})", names.len(), shown.join(", "))
        };
        let mib = self.bytes as f64 / f64::from(1 << 20);
        writeln!(f, "rows        {}", super::report::grouped(self.n_rows))?;
        writeln!(f, "symbols     {}", cut(&self.symbols, 8))?;
        if let Some((first, last)) = self.span {
            writeln!(f, "span        {} .. {}", Timestamp(first), Timestamp(last))?;
        }
        if let Some(step) = self.modal_step_ns {
            writeln!(f, "step        {}", step_text(step))?;
        }
        writeln!(f, "files       {}", cut(&self.files, 2))?;
        writeln!(f, "size        {mib:.1} MiB, {} row groups", self.n_row_groups)?;
        let columns: Vec<String> = self.columns.iter().map(|(n, t)| format!("{n}: {t}")).collect();
        write!(f, "columns     {}", columns.join(", "))
    }
}

fn step_text(step_ns: i64) -> String {
    const UNITS: [(i64, &str); 5] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
    ];
    let unit = UNITS.iter().find(|(ns, _)| step_ns % ns == 0);
    unit.map_or_else(|| format!("{step_ns}ns"), |(ns, name)| format!("{}{name}", step_ns / ns))
}
