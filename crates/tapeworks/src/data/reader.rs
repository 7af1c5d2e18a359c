//! From a source to rows in table order: opens files, fixes columns and symbols, plans the lanes.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::hive;
use super::lane::{FileFacts, Lane, OpenFile, ReadFacts, SAMPLE_ROWS};
use super::loaded::LoadedTable;
use super::merge::{Merger, Rows};
use super::names::{BAR_COLUMNS, canonical, unknown_name};
use super::options::{BarBatch, BarReader, CheckLevel, ReadOptions, Source};
use super::parquet::ParquetTable;
use super::plan::{FoundColumn, Roles, SymbolFrom, Table, extra_columns, stem, value_columns};
use super::report::{CheckReport, Ledger, Rule, Severity};
use super::source::{Format, SourceFile, files};
use super::time_column::TimeKind;
use crate::base::{Error, ErrorKind, Result, Symbols};

/// More files than this are opened for each read, so that few handles are in use.
const KEPT_OPEN: usize = 16;
/// No market has longer names; a longer one is a damaged cell.
const SYMBOL_BYTES: usize = 256;

/// Opens bars from a file, a glob, a folder or an Arrow stream.
///
/// Parquet is streamed a block at a time; text tables and Arrow streams are held in memory as
/// columns. Files that do not overlap in time follow one another, others are merged by
/// (timestamp, symbol).
///
/// # Errors
/// `D1xx` when a file cannot be read or lacks a column, `D303`/`D304` for times without meaning,
/// `D601` for names that do not exist, `C304` for options that this version does not know.
pub fn open_bars(source: Source, options: &ReadOptions) -> Result<Box<dyn BarReader>> {
    Ok(Box::new(TableReader::open(source, options, Table::Bars, None, Extent::Whole)?))
}

/// How many rows of each file are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole,
    /// The first rows, enough for the level `fast`.
    Sample,
}

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

    fn roles(&self) -> &Roles {
        match self {
            Self::Parquet(t) => t.roles(),
            Self::Loaded(t) => t.roles(),
        }
    }

    fn span(&self) -> Option<(i64, i64)> {
        match self {
            Self::Parquet(t) => t.span_of_file(),
            Self::Loaded(t) => t.span(),
        }
    }

    fn has_volume(&self) -> bool {
        match self {
            Self::Parquet(t) => t.has_volume(),
            Self::Loaded(t) => t.has_volume(),
        }
    }

    fn collect_symbols(&self, out: &mut BTreeSet<String>) -> Result<()> {
        match self {
            Self::Parquet(t) => t.collect_symbols(out),
            Self::Loaded(t) => {
                t.collect_symbols(out);
                Ok(())
            }
        }
    }

    /// (carries a zone of its own, is a date)
    fn zone_facts(&self) -> (bool, bool) {
        match self {
            Self::Parquet(t) => {
                let is_date = matches!(t.time().kind, TimeKind::Date | TimeKind::DateNumber);
                (!t.time().is_naive() && !is_date, is_date)
            }
            Self::Loaded(t) => t.zone_facts(),
        }
    }
}

/// A table in (timestamp, asset) order with its findings.
pub(crate) struct TableReader {
    facts: Arc<ReadFacts>,
    merger: Merger,
    ledger: Ledger,
    level: CheckLevel,
    n_files: u64,
    pub(crate) files: FileSummary,
    failed: bool,
}

/// Facts for `describe`.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileSummary {
    pub(crate) names: Vec<String>,
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) n_rows: u64,
    pub(crate) n_row_groups: usize,
    pub(crate) bytes: u64,
    pub(crate) span: Option<(i64, i64)>,
}

impl TableReader {
    pub(crate) fn open(
        source: Source,
        options: &ReadOptions,
        table: Table,
        run_symbols: Option<&Symbols>,
        extent: Extent,
    ) -> Result<Self> {
        if options.level == CheckLevel::Paranoid {
            return Err(Error::config("C304", "check level paranoid is not in this version")
                .with_hint("use standard: it checks every row"));
        }
        let zone = zone_of(options)?;
        let start = options.start.map_or(i64::MIN, |t| t.0);
        let end = options.end.map_or(i64::MAX, |t| t.0);
        let mut ledger = Ledger::new(table.name());
        let (mut tables, sources) = open_files(source, options, &zone, (start, end))?;
        let extras = wanted_extras(&tables, options, table, &mut ledger)?;
        let names: Vec<String> = match table {
            Table::Bars => BAR_COLUMNS.iter().map(|n| (*n).to_owned()).chain(extras).collect(),
            Table::Signals | Table::Context => extras,
        };
        let mut file_facts = Vec::with_capacity(tables.len());
        for (file, source) in tables.iter_mut().zip(&sources) {
            let partitions = source.as_ref().map_or(&[][..], |s| s.partitions.as_slice());
            let place = file.name().to_owned();
            let stem = source.as_ref().and_then(|s| stem(&s.path));
            let roles = Roles::find(file.columns(), table, &place, partitions, stem.as_deref())?;
            let values = value_columns(file.columns(), &names, table, &place)?;
            match file {
                TableFile::Parquet(t) => {
                    t.bind(roles, values, &zone, (start, end), options.symbols.as_deref())?;
                }
                TableFile::Loaded(t) => t.bind(roles, &values, &zone)?,
            }
            file_facts.push(FileFacts {
                has_volume: file.has_volume(),
                expected_symbol: file.roles().expected_symbol.clone(),
                expected_span: hive::span(partitions, &zone, &place)?,
                name: place,
            });
        }
        note_facts(&tables, options, table, &mut ledger)?;
        let symbols = match table {
            Table::Context => Symbols::new([""]),
            Table::Bars | Table::Signals => symbols_of(&tables, options, run_symbols, &mut ledger)?,
        };
        let summary = summary(&tables);
        if summary.n_rows == 0 {
            let names = summary.names.join(", ");
            return Err(Error::data("D101", format!("{names}: no rows"))
                .with_hint("the table has a header alone; check how it was written"));
        }
        let n_files = tables.len() as u64;
        let facts = Arc::new(ReadFacts {
            table,
            symbols: Arc::new(symbols),
            names,
            files: file_facts,
            start,
            end,
            level: options.level,
            on_bad_row: options.on_bad_row,
        });
        let lanes = lanes(tables, &facts, extent);
        let merger = Merger::new(Arc::clone(&facts), lanes, options.batch_rows);
        Ok(Self {
            facts,
            merger,
            ledger,
            level: options.level,
            n_files,
            files: summary,
            failed: false,
        })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.facts.names
    }

    pub(crate) fn symbol_names(&self) -> Vec<String> {
        self.facts.symbols.iter().map(str::to_owned).collect()
    }

    /// The next rows; findings are only counted.
    pub(crate) fn next_counted(&mut self) -> Result<Option<Rows>> {
        self.merger.next_rows(&mut self.ledger)
    }

    /// The next rows; the first error finding ends the read, after the rest of the table was
    /// checked so that the error carries the total.
    pub(crate) fn next_rows(&mut self) -> Result<Option<Rows>> {
        if self.failed {
            return Ok(None);
        }
        let rows = self.next_counted();
        if rows.is_err() {
            self.failed = true;
            return rows;
        }
        if self.ledger.has_errors() {
            self.failed = true;
            while let Ok(Some(_)) = self.next_counted() {}
            self.report().raise_if_errors()?;
        }
        rows
    }

    pub(crate) fn record_failure(&mut self, error: &Error) {
        let rule = Rule {
            severity: Severity::Error,
            code: error.code(),
            column: "table",
            message: error.message(),
            fix: error.hint().unwrap_or(""),
        };
        self.ledger.count(&rule, 1);
    }

    pub(crate) fn report(&self) -> CheckReport {
        let mut findings = self.ledger.findings();
        for finding in &mut findings {
            if finding.code == "D204" && finding.share > 0.5 {
                "most rows break the order: the columns are probably shifted or \
                               mislabelled; compare the header with the values"
                    .clone_into(&mut finding.fix);
            }
        }
        let mut repairs = self.ledger.repairs.clone();
        if let Some(zone) = &repairs.naive_tz {
            let (severity, message) = if self.ledger.has_naive_clock {
                (Severity::Warning, format!("times without a zone are read as {zone}"))
            } else {
                let text = format!("dates are taken as known at their midnight in {zone}");
                (Severity::Note, text)
            };
            findings.push(super::report::Finding {
                code: "D303".to_owned(),
                severity,
                table: self.ledger.table.to_owned(),
                column: "timestamp".to_owned(),
                message,
                count: self.ledger.n_rows,
                share: 0.0,
                offenders: Vec::new(),
                symbols: Vec::new(),
                fix: match severity {
                    Severity::Warning => {
                        "name the zone of the data, for example tz: America/New_York or tz: UTC"
                            .to_owned()
                    }
                    _ => String::new(),
                },
            });
        }
        repairs.mapped_columns.sort();
        repairs.mapped_columns.dedup();
        findings.sort_by(|a, b| (a.severity, &a.code).cmp(&(b.severity, &b.code)));
        CheckReport {
            table: self.ledger.table.to_owned(),
            level: match self.level {
                CheckLevel::Fast => "fast",
                CheckLevel::Standard => "standard",
                CheckLevel::Paranoid => "paranoid",
            }
            .to_owned(),
            sample: self.level == CheckLevel::Fast,
            n_files: self.n_files,
            n_rows: self.ledger.n_rows,
            n_error_rows: self.ledger.n_error_rows,
            n_symbols: match self.facts.table {
                Table::Context => 0,
                _ => self.facts.symbols.len() as u64,
            },
            span: self.ledger.span,
            findings,
            repairs,
        }
    }
}

impl BarReader for TableReader {
    fn symbols(&self) -> Arc<Symbols> {
        Arc::clone(&self.facts.symbols)
    }

    fn extras(&self) -> &[String] {
        &self.facts.names[BAR_COLUMNS.len()..]
    }

    fn next_batch(&mut self) -> Result<Option<BarBatch>> {
        let Some(rows) = self.next_rows()? else { return Ok(None) };
        let mut columns = rows.columns.into_iter();
        let mut next = || columns.next().expect("bars have five columns");
        let [open, high, low, close, volume] = [next(), next(), next(), next(), next()];
        Ok(Some(BarBatch {
            timestamps: rows.timestamps,
            assets: rows.assets,
            open,
            high,
            low,
            close,
            volume,
            extras: columns.collect(),
        }))
    }

    fn report(&self) -> CheckReport {
        TableReader::report(self)
    }
}

pub(crate) fn zone_of(options: &ReadOptions) -> Result<TimeZone> {
    match options.tz.as_deref() {
        None | Some("UTC") => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|_| {
            Error::config("C303", format!("{name:?} is no time zone"))
                .with_hint("write an IANA name such as America/New_York")
        }),
    }
}

type Opened = (Vec<TableFile>, Vec<Option<SourceFile>>);

fn open_files(
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
        });
    }
    Ok((tables, kept.into_iter().map(Some).collect()))
}

/// Asked columns, or the numeric columns that every file has.
fn wanted_extras(
    tables: &[TableFile],
    options: &ReadOptions,
    table: Table,
    ledger: &mut Ledger,
) -> Result<Vec<String>> {
    if let Some(asked) = &options.columns {
        let is_price =
            |name: &String| table == Table::Bars && BAR_COLUMNS.contains(&canonical(name).as_str());
        let mut names: Vec<String> = Vec::new();
        for name in asked.iter().filter(|name| !is_price(name)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        for file in tables {
            let found: Vec<String> = file.columns().iter().map(|c| c.name.clone()).collect();
            for name in &names {
                if !found.iter().any(|f| f == name || canonical(f) == canonical(name)) {
                    let what = format!("column in {} named", file.name());
                    return Err(unknown_name("D601", &what, name, &found));
                }
            }
        }
        return Ok(names);
    }
    let mut names = tables.first().map_or_else(Vec::new, |t| extra_columns(t.columns(), table));
    let mut partial = BTreeSet::new();
    for file in tables.iter().skip(1) {
        let here = extra_columns(file.columns(), table);
        partial.extend(here.iter().filter(|name| !names.contains(name)).cloned());
        partial.extend(names.iter().filter(|name| !here.contains(name)).cloned());
        names.retain(|name| here.contains(name));
    }
    for name in partial {
        let rule = Rule {
            severity: Severity::Warning,
            code: "D104",
            column: &name,
            message: "column is not in every file; it is not read",
            fix: "write the column to every file, or name the columns to read",
        };
        ledger.count(&rule, 1);
    }
    Ok(names)
}

/// Facts about columns and zones that the report tells.
fn note_facts(
    tables: &[TableFile],
    options: &ReadOptions,
    table: Table,
    ledger: &mut Ledger,
) -> Result<()> {
    let mut zones: Option<(bool, &str)> = None;
    let mut needs_zone = false;
    for file in tables {
        ledger.repairs.mapped_columns.extend(file.roles().mapped.iter().cloned());
        let (has_zone, is_date) = file.zone_facts();
        needs_zone |= !has_zone;
        ledger.has_naive_clock |= !has_zone && !is_date && options.tz.is_none();
        match zones {
            _ if is_date => {}
            Some((other, name)) if other != has_zone && options.tz.is_none() => {
                return Err(Error::data(
                    "D303",
                    format!(
                        "{name} and {}: one has times with a zone, the other without",
                        file.name()
                    ),
                )
                .with_hint("name the zone of the times without one: tz: America/New_York"));
            }
            _ => zones = Some((has_zone, file.name())),
        }
        for column in file.columns() {
            let known = canonical(&column.name);
            let is_price = BAR_COLUMNS.contains(&known.as_str());
            let (code, message, fix) = match column.type_name.as_str() {
                "Float32" if is_price && table == Table::Bars => {
                    ("D104", "stored as float32, which holds 7 digits", "store prices as float64")
                }
                "Int64" | "UInt64" if known == "timestamp" => (
                    "D304",
                    "integers without a unit; the unit is told by their magnitude",
                    "store the column as a timestamp",
                ),
                text if known == "timestamp" && text.contains("Utf8") => (
                    "D304",
                    "times stored as text; a text without a zone is read as local time of tz (UTC)",
                    "store the column as a timestamp",
                ),
                _ if column.name.trim() != column.name => {
                    ("D104", "the name has outer blanks; they are ignored", "rename the column")
                }
                _ => continue,
            };
            let severity = Severity::Warning;
            ledger.count(&Rule { severity, code, column: &known, message, fix }, 1);
        }
        if table == Table::Bars && !file.has_volume() {
            let rule = Rule {
                severity: Severity::Warning,
                code: "D104",
                column: "volume",
                message: "no volume column; volume is missing in every row",
                fix: "add the column when the market has volumes",
            };
            ledger.count(&rule, 1);
        }
        if file.roles().symbol_is_stem && matches!(file.roles().symbol, SymbolFrom::Constant(_)) {
            let rule = Rule {
                severity: Severity::Note,
                code: "D104",
                column: "symbol",
                message: "no symbol column; the symbol is the name of the file",
                fix: "",
            };
            ledger.count(&rule, 1);
        }
    }
    if needs_zone && options.tz.is_none() {
        ledger.repairs.naive_tz = Some("UTC".to_owned());
    }
    Ok(())
}

fn symbols_of(
    tables: &[TableFile],
    options: &ReadOptions,
    run_symbols: Option<&Symbols>,
    ledger: &mut Ledger,
) -> Result<Symbols> {
    let mut names = BTreeSet::new();
    for table in tables {
        table.collect_symbols(&mut names)?;
    }
    let all: Vec<String> = names.into_iter().collect();
    if let (Some(wanted), None) = (&options.symbols, run_symbols) {
        check_wanted(wanted, &all, tables)?;
    }
    check_names(&all, ledger);
    if let Some(symbols) = run_symbols {
        if options.symbols.is_none() {
            let strangers: Vec<&str> =
                all.iter().map(String::as_str).filter(|n| symbols.id(n).is_none()).collect();
            if let Some(first) = strangers.first() {
                let listed = strangers.iter().take(5).copied().collect::<Vec<_>>().join(", ");
                return Err(Error::data(
                    "D602",
                    format!("signals: {} symbols have no bars: {listed}", strangers.len()),
                )
                .with_hint(match super::names::near_miss(first, symbols.iter()) {
                    Some(near) => format!("did you mean {near:?} in place of {first:?}?"),
                    None => "add their bars, or name the symbols of the run".to_owned(),
                }));
            }
        }
        return Ok(symbols.clone());
    }
    Ok(match &options.symbols {
        Some(wanted) => Symbols::new(wanted.iter().map(String::as_str)),
        None => Symbols::new(all),
    })
}

/// A symbol may have no row in the range, but it has to be somewhere in the files.
fn check_wanted(wanted: &[String], found: &[String], tables: &[TableFile]) -> Result<()> {
    if wanted.iter().all(|name| found.contains(name)) {
        return Ok(());
    }
    let mut names: BTreeSet<String> = found.iter().cloned().collect();
    for table in tables {
        if let TableFile::Parquet(table) = table {
            table.collect_all_symbols(&mut names)?;
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    match wanted.iter().find(|name| !names.contains(name)) {
        Some(missing) => Err(unknown_name("D601", "symbol", missing, &names)),
        None => Ok(()),
    }
}

/// Names that a reader of the report would take for one another.
fn check_names(names: &[String], ledger: &mut Ledger) {
    let plain = |name: &str| -> String {
        name.chars()
            .filter(|c| !c.is_whitespace() && !is_invisible(*c))
            .flat_map(char::to_lowercase)
            .collect()
    };
    for name in names {
        let shown: String = name.chars().take(40).collect();
        let (severity, fault) = match name {
            _ if name.trim().is_empty() => (Severity::Error, "is empty or blank"),
            _ if name.chars().any(char::is_control) => {
                (Severity::Error, "holds a control character")
            }
            _ if name.len() > SYMBOL_BYTES => (Severity::Error, "has more than 256 bytes"),
            _ if name.trim() != name || name.chars().any(is_invisible) => {
                (Severity::Warning, "has outer blanks or invisible characters")
            }
            _ => continue,
        };
        let message = format!("symbol {shown:?} {fault}");
        let fix = "write the symbol as the market does";
        ledger.count(&Rule { severity, code: "D401", column: "symbol", message: &message, fix }, 1);
    }
    let mut sorted: Vec<(String, &String)> = names.iter().map(|name| (plain(name), name)).collect();
    sorted.sort();
    for pair in sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0 && !pair[0].0.is_empty()) {
        let message = format!(
            "{:?} and {:?} differ only by blanks, case or invisible characters",
            pair[0].1, pair[1].1
        );
        let rule = Rule {
            severity: Severity::Warning,
            code: "D401",
            column: "symbol",
            message: &message,
            fix: "write one symbol one way",
        };
        ledger.count(&rule, 1);
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn summary(tables: &[TableFile]) -> FileSummary {
    let mut summary = FileSummary::default();
    if let Some(first) = tables.first() {
        let column = |c: &FoundColumn| (c.name.clone(), c.type_name.clone());
        summary.columns = first.columns().iter().map(column).collect();
    }
    for table in tables {
        summary.names.push(table.name().to_owned());
        summary.n_rows += table.n_rows();
        let (groups, bytes) = match table {
            TableFile::Parquet(t) => (t.n_row_groups, t.bytes),
            TableFile::Loaded(t) => (0, t.bytes),
        };
        summary.n_row_groups += groups;
        summary.bytes += bytes;
        if let Some((a, b)) = table.span() {
            summary.span = Some(summary.span.map_or((a, b), |(x, y)| (x.min(a), y.max(b))));
        }
    }
    summary
}

/// Files go to the lane that ended first, when that was before they begin; else to a new lane.
fn lanes(tables: Vec<TableFile>, facts: &Arc<ReadFacts>, extent: Extent) -> Vec<Lane> {
    let limit = (extent == Extent::Sample).then_some(SAMPLE_ROWS);
    let mut spans: Vec<((i64, i64), TableFile)> =
        tables.into_iter().filter_map(|t| t.span().map(|span| (span, t))).collect();
    spans.sort_by_key(|(span, _)| *span);
    let mut lanes: Vec<Vec<OpenFile>> = Vec::new();
    let mut ends: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    for ((first, last), table) in spans {
        let lane = match ends.peek() {
            Some(Reverse((end, lane))) if *end < first => {
                let lane = *lane;
                ends.pop();
                lane
            }
            _ => {
                lanes.push(Vec::new());
                lanes.len() - 1
            }
        };
        ends.push(Reverse((last, lane)));
        let facts = Arc::clone(facts);
        lanes[lane].push(match table {
            TableFile::Parquet(table) => {
                Box::new(move || Ok(Box::new(Arc::new(*table).stream(facts, limit)) as Box<_>))
            }
            TableFile::Loaded(table) => {
                Box::new(move || Ok(Box::new(table.stream(&facts, limit)) as Box<_>))
            }
        });
    }
    lanes.into_iter().map(|files| Lane::new(Arc::clone(facts), files)).collect()
}

/// Checks a table without keeping it: every finding, and no error for rows that break rules.
pub(crate) fn check_table(
    source: Source,
    options: &ReadOptions,
    table: Table,
    run_symbols: Option<&Symbols>,
) -> Result<CheckReport> {
    let extent = match options.level {
        CheckLevel::Fast => Extent::Sample,
        CheckLevel::Standard | CheckLevel::Paranoid => Extent::Whole,
    };
    let mut reader = match TableReader::open(source, options, table, run_symbols, extent) {
        Err(error) if error.kind() == ErrorKind::Data => {
            return Ok(CheckReport::refused(table.name(), &error));
        }
        reader => reader?,
    };
    loop {
        match reader.next_counted() {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                reader.record_failure(&error);
                break;
            }
        }
    }
    Ok(reader.report())
}
