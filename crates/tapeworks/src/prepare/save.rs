//! The walk over a feed, the checks on what was written, the commit.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use jiff::tz::TimeZone;

use super::asset_output::{AssetOutput, row_group_rows};
use super::metadata::Terms;
use super::options::SaveOptions;
use super::part_file::{PartFile, ROW_GROUP_ROWS, Rows, Shape};
use super::preparer::DataPreparer;
use super::report::{JoinReport, PrepareReport, PreparedFile};
use super::universe::{Members, Universe};
use crate::base::time::DAY_NS;
use crate::base::{Actions, AtomicFile, Error, ErrorKind, Result, Step};
use crate::data::{
    self, CheckLevel, CheckReport, Finding, OnBadRow, ReadOptions, Severity, Source,
};
use crate::feed::{ChunkSource, JoinCounts, MarketChunk, OpenFeed};
use crate::indicators::IndicatorSet;

/// How far the walk is; the answer `Break` ends it and nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows that were joined.
    pub rows: u64,
    /// The newest timestamp, ns UTC.
    pub timestamp: i64,
}

/// The column that tells members.
const MEMBER: &str = "member";
/// Distinct steps that are counted; beyond them the data have no usual one.
const N_STEPS_MAX: usize = 10_000;

impl DataPreparer {
    /// Joins, checks and writes everything; the preparer is empty afterwards.
    ///
    /// Every file appears whole or not at all, and none does when the result breaks a rule of the
    /// level `standard`, unless `options.force`.
    ///
    /// # Errors
    /// What the tables break (`D...`, `L101`), `C341` for bars that would mix the units before and
    /// after an action, `D309` when the step of the prices is not the one
    /// that was said, `D601` for columns that are there twice, `C301` for options that do not fit,
    /// `W1..` for files that cannot be written, `I130` when the observer ends the walk.
    pub fn validate_and_save(
        &mut self,
        options: &SaveOptions,
        observer: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<PrepareReport> {
        let has_context = !self.context.is_empty();
        if has_context != options.context_output.is_some() {
            let (found, hint) = if has_context {
                ("context was added and has no context_output", "name the file of context data")
            } else {
                ("there is a context_output and no context", "add_context, or leave it out")
            };
            return Err(Error::config("C301", found).with_hint(hint));
        }
        if options.context_output.as_deref() == Some(options.asset_output.as_path()) {
            return Err(Error::config("C301", "asset_output and context_output are one file"));
        }
        if options.force && self.read.on_bad_row == OnBadRow::Error {
            self.read.on_bad_row = OnBadRow::Null;
        }
        self.read.level = CheckLevel::Standard;
        let terms = Terms::of(self);
        let feed = self.feed()?.open()?;
        let name = self.zone_name();
        let zone = TimeZone::get(&name).map_err(|_| {
            Error::config("C303", format!("{name:?} is no time zone"))
                .with_hint("write an IANA name such as America/New_York")
        })?;
        let mut walk = Walk::start(self, &terms, feed, options, zone)?;
        while let Some(chunk) = walk.feed.next_chunk()? {
            walk.push_chunk(&chunk)?;
            let now = chunk.timestamps.last().copied().unwrap_or_default();
            if observer(&Progress { rows: walk.facts.rows, timestamp: now }).is_break() {
                let text = "interrupted by the user; nothing was written";
                return Err(Error::new(ErrorKind::Interrupted, "I130", text));
            }
        }
        walk.finish(self, options)
    }
}

/// Facts about the rows that went by.
#[derive(Debug, Default)]
struct Facts {
    rows: u64,
    timestamps: u64,
    span: Option<(i64, i64)>,
    steps: BTreeMap<i64, u64>,
    outside: u64,
}

impl Facts {
    fn see(&mut self, chunk: &MarketChunk) {
        for &now in &chunk.timestamps {
            if let Some((_, last)) = self.span
                && (self.steps.len() < N_STEPS_MAX || self.steps.contains_key(&(now - last)))
            {
                *self.steps.entry(now - last).or_default() += 1;
            }
            self.span = Some((self.span.map_or(now, |(first, _)| first), now));
        }
        self.timestamps += chunk.timestamps.len() as u64;
        self.rows += chunk.n_rows() as u64;
    }

    /// The most frequent step, the smaller one on a tie.
    fn usual_step(&self) -> Option<i64> {
        let most = self.steps.iter().max_by_key(|&(step, n)| (*n, Reverse(*step)));
        most.map(|(step, _)| *step)
    }
}

struct Walk<'a> {
    feed: OpenFeed,
    indicators: IndicatorSet,
    members: Option<Members>,
    columns: Vec<String>,
    context_columns: Vec<String>,
    output: AssetOutput,
    context: Option<(&'a Path, PartFile)>,
    facts: Facts,
    unknown_members: Vec<String>,
}

impl<'a> Walk<'a> {
    fn start(
        preparer: &DataPreparer,
        terms: &Terms,
        feed: OpenFeed,
        options: &'a SaveOptions,
        zone: TimeZone,
    ) -> Result<Self> {
        let (layout, symbols) = (feed.layout(), feed.symbols());
        let mut indicators = IndicatorSet::new(&preparer.indicators, &layout)?;
        if let Some(actions) = feed.actions() {
            check_windows(preparer, &feed, &actions)?;
            indicators = indicators.with_actions(&actions, symbols.len(), feed.calendar());
        }
        let mut columns: Vec<String> = layout.signals.clone();
        columns.extend(layout.indicators.iter().cloned());
        columns.extend(indicators.columns());
        if preparer.universe.is_some() {
            if columns.iter().any(|column| column == MEMBER) {
                return Err(Error::data(
                    "D601",
                    format!("the universe gives column {MEMBER:?}, which the data have"),
                )
                .with_hint("rename the column of the data"));
            }
            columns.push(MEMBER.to_owned());
        }
        let prices = ["open", "high", "low", "close", "volume"];
        let all: Vec<String> =
            prices.iter().map(|name| (*name).to_owned()).chain(columns.iter().cloned()).collect();
        let by = options.partition_by;
        let entries =
            terms.asset_entries(feed.signal_tables(), preparer.universe.is_some(), options.force);
        let shape = Shape::new(
            Some(&symbols),
            by != Some(super::PartitionBy::Symbol),
            &all,
            options.compression,
            row_group_rows(by, symbols.len()),
            entries,
        );
        let output = AssetOutput::create(&options.asset_output, by, shape, &symbols, zone)?;
        let context_columns = layout.context.clone();
        let context = match &options.context_output {
            Some(path) => {
                let entries = terms.context_entries(options.force);
                let (compression, rows) = (options.compression, ROW_GROUP_ROWS);
                let shape = Shape::new(None, false, &context_columns, compression, rows, entries);
                Some((path.as_path(), PartFile::create(path, &shape)?))
            }
            None => None,
        };
        let members = preparer.universe.as_ref().map(|universe| universe.of(&symbols));
        let named = preparer.universe.iter().flat_map(Universe::symbols);
        let unknown = named.filter(|name| symbols.id(name).is_none()).map(str::to_owned);
        let unknown_members = unknown.collect();
        let facts = Facts::default();
        Ok(Self {
            feed,
            indicators,
            members,
            columns,
            context_columns,
            output,
            context,
            facts,
            unknown_members,
        })
    }

    fn push_chunk(&mut self, chunk: &MarketChunk) -> Result<()> {
        self.facts.see(chunk);
        let mut timestamps = Vec::with_capacity(chunk.n_rows());
        for (&now, ends) in chunk.timestamps.iter().zip(chunk.offsets.windows(2)) {
            timestamps.extend(std::iter::repeat_n(now, (ends[1] - ends[0]) as usize));
        }
        let computed = self.indicators.push_chunk(chunk);
        let member: Option<Vec<f64>> = self.members.as_ref().map(|members| {
            let rows = timestamps.iter().zip(&chunk.assets);
            rows.map(|(&now, &asset)| f64::from(u8::from(members.has(asset, now)))).collect()
        });
        if let Some(member) = &member {
            self.facts.outside += member.iter().filter(|value| **value == 0.0).count() as u64;
        }
        let mut columns: Vec<&[f64]> =
            vec![&chunk.open, &chunk.high, &chunk.low, &chunk.close, &chunk.volume];
        let joined = chunk.signals.iter().chain(&chunk.indicators);
        columns.extend(joined.chain(&computed).chain(&member).map(Vec::as_slice));
        self.output.push(&Rows {
            timestamps: &timestamps,
            assets: &chunk.assets,
            columns: &columns,
        })?;
        if let Some((path, part)) = &mut self.context {
            let columns: Vec<&[f64]> = chunk.context.iter().map(Vec::as_slice).collect();
            let rows = Rows { timestamps: &chunk.timestamps, assets: &[], columns: &columns };
            part.push(&rows, 0..chunk.timestamps.len(), path)?;
        }
        Ok(())
    }

    fn finish(self, preparer: &DataPreparer, options: &SaveOptions) -> Result<PrepareReport> {
        let frequency_ns = self.facts.usual_step();
        if let (Some(said), Some(found)) = (preparer.freq, frequency_ns)
            && !self.feed.is_resampled()
            && Step::of_spacing(found) != said
            && said.about_ns() != found
        {
            return Err(wrong_step(said, found));
        }
        let mut input = self.feed.report();
        if !self.unknown_members.is_empty() {
            input.findings.push(strangers(&self.unknown_members));
        }
        let mut assets = self.output.finish()?;
        let context = match self.context {
            Some((path, part)) => Some((path, part.finish(path)?)),
            None => None,
        };
        let read = ReadOptions {
            tz: preparer.read.tz.clone(),
            explained: self.feed.explained(),
            stop: preparer.read.stop.clone(),
            ..ReadOptions::default()
        };
        let staged = assets.path()?.to_string_lossy().into_owned();
        let mut result = data::check(Source::Path(staged.clone()), &read)?;
        let context = match context {
            Some((path, (mut file, n_rows))) => {
                check_context(&mut file, path, &read)?;
                Some((path, file, n_rows))
            }
            None => None,
        };
        rename(&mut result, &staged, &options.asset_output);
        preparer.read.stop.check()?;
        if !options.force {
            result.raise_if_errors()?;
        }
        let mut files = assets.commit()?;
        if let Some((path, file, n_rows)) = context {
            let bytes = file.commit()?;
            files.push(PreparedFile::new("context_data", path, n_rows, bytes));
        }
        let joins = self.feed.signal_tables().iter().zip(self.feed.signal_counts());
        let join = |(columns, counts): (&Vec<String>, &JoinCounts)| JoinReport {
            columns: columns.clone(),
            rows: counts.n_rows,
            not_yet: counts.n_not_yet,
            stale: counts.n_stale,
        };
        Ok(PrepareReport {
            rows: self.facts.rows,
            timestamps: self.facts.timestamps,
            symbols: self.feed.symbols().len() as u64,
            span: self.facts.span,
            frequency_ns,
            columns: self.columns,
            context_columns: self.context_columns,
            joins: joins.map(join).collect(),
            outside_universe: self.members.map(|_| self.facts.outside),
            forced: options.force && !(input.ok() && result.ok()),
            input,
            result,
            files,
        })
    }
}

/// Context is read back whole: it has one row a timestamp.
fn check_context(file: &mut AtomicFile, path: &Path, read: &ReadOptions) -> Result<()> {
    let staged = file.sync()?.to_string_lossy().into_owned();
    data::read_context(Source::Path(staged.clone()), read).map(|_| ()).map_err(|error| {
        let message = error.message().replace(&staged, &path.to_string_lossy());
        Error::new(error.kind(), error.code(), message)
    })
}

/// Findings name the place where the data will be, not the one where they were checked.
fn rename(report: &mut CheckReport, staged: &str, target: &Path) {
    let target = target.to_string_lossy();
    for finding in &mut report.findings {
        finding.message = finding.message.replace(staged, &target);
        for offender in &mut finding.offenders {
            offender.file = offender.file.replace(staged, &target);
        }
    }
}

/// A bar that is put together from rows on both sides of an action has prices of two units.
fn check_windows(preparer: &DataPreparer, feed: &OpenFeed, actions: &Actions) -> Result<()> {
    let Some(freq) = preparer.freq.filter(|_| feed.is_resampled()) else { return Ok(()) };
    let is_longer = freq.about_ns() > DAY_NS;
    let is_unknown_day = freq.about_ns() == DAY_NS && feed.calendar().is_none();
    if actions.list().is_empty() || !(is_longer || is_unknown_day) {
        return Ok(());
    }
    let text = if is_longer {
        format!("prices: bars of {freq} would be made of rows before and after an action")
    } else {
        "prices: the days of an action are sessions, and there is no calendar".to_owned()
    };
    Err(Error::config("C341", text).with_hint(if is_longer {
        "prepare bars of a day or less, or put bars together from adjust_prices without actions"
    } else {
        "name a calendar, or bring bars of days"
    }))
}

fn wrong_step(said: Step, found: i64) -> Error {
    let found = Step::of_spacing(found);
    let text =
        format!("prices are usually {found} apart, and freq says {said}; nothing was written");
    Error::data("D309", text)
        .with_hint("name the step of the prices, or leave freq out; no row is made up between two")
}

fn strangers(names: &[String]) -> Finding {
    let shown: Vec<&str> = names.iter().take(5).map(String::as_str).collect();
    Finding {
        code: "D402".into(),
        severity: Severity::Warning,
        table: "universe".into(),
        column: "symbol".into(),
        message: format!("members without prices: {}", shown.join(", ")),
        count: names.len() as u64,
        share: 0.0,
        offenders: Vec::new(),
        symbols: Vec::new(),
        fix: "add their prices: leaving them out is survivorship".into(),
    }
}
