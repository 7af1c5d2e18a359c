//! From a source to rows in table order: what to read is settled, files are laid into lanes, rows
//! come out with their findings.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::across::{AcrossRows, check_repeats};
use super::clock::{Clock, Stamps};
use super::content::Lengths;
use super::group_columns::SecondThread;
use super::hive;
use super::joined::{N_HALVES, N_PLACES};
use super::lane::{FileFacts, Lane, OpenFile, ReadFacts};
use super::ledger::Ledger;
use super::merge::{Merger, Rows};
use super::names::{BAR_COLUMNS, canonical};
use super::options::{BarBatch, BarReader, CheckLevel, Label, ReadOptions, RowFacts, Source};
use super::parquet_stream::ParquetStream;
use super::plan::{FoundColumn, Roles, Table, stem, value_columns};
use super::report::{CheckReport, Severity};
use super::row_step::{note_periods, step_of};
use super::sample;
use super::start_checks::StartChecks;
use super::statistics;
use super::table_columns::{common_available_at, common_stamps, note_facts, wanted_extras};
use super::table_file::{TableFile, open_files};
use super::table_symbols::symbols_of;
use crate::base::{Error, Result, Step, StopFlag, Symbols};

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
    /// The rows of the sample of the level `fast`.
    Sample,
}

/// A table in (timestamp, asset) order with its findings.
pub(crate) struct TableReader {
    facts: Arc<ReadFacts>,
    merger: Merger,
    across: Option<AcrossRows>,
    starts: Option<StartChecks>,
    ledger: Ledger,
    level: CheckLevel,
    n_files: u64,
    pub(crate) files: FileSummary,
    row_facts: RowFacts,
    failed: bool,
    ended: bool,
    stop: StopFlag,
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
        let clock = Clock::new(options, table)?;
        let zone = clock.zone.clone();
        let start = options.start.map_or(i64::MIN, |t| t.0);
        let end = options.end.map_or(i64::MAX, |t| t.0);
        let mut ledger = Ledger::new(table.name());
        let since = start.saturating_sub(reach_of_files(options));
        let (mut tables, sources) = open_files(source, options, &zone, (since, end))?;
        let extras = wanted_extras(&tables, options, table, &mut ledger)?;
        let names: Vec<String> = match table {
            Table::Bars => BAR_COLUMNS.iter().map(|n| (*n).to_owned()).chain(extras).collect(),
            Table::Signals | Table::Context => extras,
        };
        // Dates that name sessions are known up to a day later: no row group is left out for it.
        let has_sessions = options.calendar.is_some() && table == Table::Bars;
        let range = (start, if has_sessions { end.saturating_add(1) } else { end });
        let has_starts =
            |t: &TableFile| t.columns().iter().any(|c| canonical(&c.name) == "start_time");
        let is_start = options.label == Label::Start && table == Table::Bars;
        let has_lengths = is_start
            || (table == Table::Bars
                && (options.starts || options.level != CheckLevel::Fast)
                && tables.iter().any(has_starts));
        let lengths = if has_lengths { Lengths::Read } else { Lengths::Ignore };
        let mut file_facts = Vec::with_capacity(tables.len());
        for (file, source) in tables.iter_mut().zip(&sources) {
            let partitions = source.as_ref().map_or(&[][..], |s| s.partitions.as_slice());
            let place = file.name().to_owned();
            let stem = match source {
                Some(source) => stem(&source.path),
                None => only_symbol(options).map(str::to_owned),
            };
            let roles = Roles::find(file.columns(), table, &place, partitions, stem.as_deref())?;
            let values = value_columns(file.columns(), &names, table, &place)?;
            match file {
                TableFile::Parquet(t) => {
                    t.bind(roles, values, &clock, options.symbols.as_deref())?;
                }
                TableFile::Loaded(t) => t.bind(roles, &values, &clock, lengths)?,
            }
            file_facts.push(FileFacts {
                has_volume: file.has_volume(),
                expected_symbol: file.roles().expected_symbol.clone(),
                expected_span: hive::span(partitions, &zone, &place)?,
                is_session: false,
                reach_ns: 0,
                sample: sample::ranges(file.n_rows()),
                name: place,
            });
        }
        let step = match table {
            Table::Bars => step_of(&tables, &clock, options)?,
            Table::Signals | Table::Context => None,
        };
        let mut cut_step_ns = None;
        for (file, facts) in tables.iter_mut().zip(&mut file_facts) {
            file.settle(&clock, step, lengths, range)?;
            if let Some(rule) = file.known() {
                facts.is_session = rule.names_sessions();
                facts.reach_ns = rule.reach_ns();
                cut_step_ns = cut_step_ns.or(rule.cut_step_ns());
                note_periods(rule, &mut ledger);
            }
        }
        let (stamps, date_zone) = common_stamps(&tables, table)?;
        let has_available_at = common_available_at(&tables)?;
        note_facts(&tables, options, table, &mut ledger)?;
        if options.level == CheckLevel::Fast {
            for file in &tables {
                if let TableFile::Parquet(file) = file {
                    statistics::note(file, table, options.allow_negative, &mut ledger);
                }
            }
        }
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
            allow_negative: options.allow_negative,
            calendar: options.calendar.clone().filter(|_| table == Table::Bars),
            stamps,
            n_carried: match table {
                Table::Bars => 0,
                _ => N_PLACES + if has_available_at { N_HALVES } else { 0 },
            },
            has_available_at,
            explained: options.explained.clone(),
            now: options.now.map(|now| now.0),
            second: SecondThread::new(options.threads),
            has_lengths,
            is_start,
            is_label_left_out: options.label == Label::Auto,
            cut_step_ns,
        });
        let row_facts = RowFacts {
            available_dates: tables.iter().any(TableFile::available_dates),
            stamps,
            zone: (stamps != Stamps::Instants).then_some(date_zone),
            files: facts.files.iter().map(|file| file.name.clone()).collect(),
            ..RowFacts::default()
        };
        let lanes = lanes(tables, &facts, extent);
        let merger = Merger::new(Arc::clone(&facts), lanes, options.batch_rows);
        Ok(Self {
            across: AcrossRows::new(&facts),
            starts: StartChecks::new(&facts),
            facts,
            merger,
            ledger,
            level: options.level,
            n_files,
            files: summary,
            row_facts,
            failed: false,
            ended: false,
            stop: options.stop.clone(),
        })
    }

    /// What is known of the table's rows before they are read.
    pub(crate) fn row_facts(&self) -> (RowFacts, bool) {
        (self.row_facts.clone(), self.facts.has_available_at)
    }

    pub(crate) fn facts(&self) -> &Arc<ReadFacts> {
        &self.facts
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.facts.names
    }

    pub(crate) fn symbol_names(&self) -> Vec<String> {
        self.facts.symbols.iter().map(str::to_owned).collect()
    }

    /// The next rows; findings are only counted.
    pub(crate) fn next_counted(&mut self) -> Result<Option<Rows>> {
        self.stop.check()?;
        let rows = self.merger.next_rows(&mut self.ledger)?;
        if let (Some(rows), Some(starts)) = (&rows, &mut self.starts) {
            starts.push(rows, &self.facts, &mut self.ledger);
        }
        match (&rows, &mut self.across) {
            (Some(rows), Some(across)) => across.push(rows, &mut self.ledger),
            (None, _) if !self.ended => self.end(),
            _ => {}
        }
        Ok(rows)
    }

    /// The checks across rows, to be made by the caller.
    pub(crate) fn take_across(&mut self) -> Option<AcrossRows> {
        self.across.take()
    }

    /// Findings that were made elsewhere.
    pub(crate) fn absorb(&mut self, ledger: Ledger) {
        self.ledger.absorb(ledger);
    }

    fn end(&mut self) {
        self.ended = true;
        if let Some(across) = &mut self.across {
            across.finish(&mut self.ledger);
        }
        if self.facts.table == Table::Bars {
            let n_repeats = self.ledger.repairs.dropped_duplicates;
            check_repeats(self.ledger.n_rows, n_repeats, &mut self.ledger);
        }
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
        self.ledger.failure(error, "table");
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
                let known = if self.facts.is_start { "beginning" } else { "known" };
                let text = format!("dates are taken as {known} at their midnight in {zone}");
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
            span: if self.level == CheckLevel::Fast { self.files.span } else { self.ledger.span },
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

    fn n_rows_of_files(&self) -> Option<u64> {
        Some(self.files.n_rows)
    }

    fn span(&self) -> Option<(i64, i64)> {
        self.files.span
    }

    fn next_batch(&mut self) -> Result<Option<BarBatch>> {
        let Some(rows) = self.next_rows()? else { return Ok(None) };
        let mut columns = rows.columns.into_iter();
        let mut next = || columns.next().expect("bars have five columns");
        let [open, high, low, close, volume] = [next(), next(), next(), next(), next()];
        let extras = columns.by_ref().take(self.extras().len()).collect();
        let lengths = columns.next().filter(|_| self.facts.has_lengths).unwrap_or_default();
        let (timestamps, assets) = (rows.timestamps, rows.assets);
        Ok(Some(BarBatch { timestamps, assets, open, high, low, close, volume, extras, lengths }))
    }

    fn has_volume(&self) -> bool {
        self.facts.files.iter().any(|file| file.has_volume)
    }

    fn report(&self) -> CheckReport {
        TableReader::report(self)
    }

    fn has_dates(&self) -> bool {
        self.row_facts.stamps != Stamps::Instants
    }
}

/// The symbol of a frame that has no column of them: the one that was asked for.
fn only_symbol(options: &ReadOptions) -> Option<&str> {
    match options.symbols.as_deref() {
        Some([one]) => Some(one),
        _ => None,
    }
}

pub(crate) fn zone_of(options: &ReadOptions) -> Result<TimeZone> {
    match options.tz.as_deref() {
        // Dates of a market are dates of its zone.
        None => Ok(options.calendar.as_ref().map_or(TimeZone::UTC, |c| c.zone().clone())),
        Some("UTC") => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|_| {
            Error::config("C303", format!("{name:?} is no time zone"))
                .with_hint("write an IANA name such as America/New_York")
        }),
    }
}

/// How far behind the dates of its folder a row may be known: files of a month before the range may
/// hold rows of it.
fn reach_of_files(options: &ReadOptions) -> i64 {
    if options.label != Label::Start && options.calendar.is_none() {
        return 0;
    }
    options.step.unwrap_or(Step::Months(1)).about_ns() / 30 * 32
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
    let is_sample = extent == Extent::Sample;
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
            TableFile::Parquet(table) => Box::new(move || {
                Ok(Box::new(ParquetStream::new(Arc::new(*table), facts, is_sample)) as Box<_>)
            }),
            TableFile::Loaded(table) => {
                Box::new(move || Ok(Box::new(table.stream(&facts, is_sample)) as Box<_>))
            }
        });
    }
    lanes.into_iter().map(|files| Lane::new(Arc::clone(facts), files)).collect()
}
