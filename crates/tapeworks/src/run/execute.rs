//! From a config to an outcome: open, run, conclude.

use std::path::{Path, PathBuf};

use super::by_hand::describe_costs;
use super::check_data::{WindowFacts, check_span, inferred_spacing, spacing_warning};
use super::config::{LoadedConfig, StrategyConfig};
use super::inputs::{TableHash, hash_bytes, hash_path};
use super::manifest::InputEntry;
use super::outcome::{Outcome, RunParts, conclude};
use super::sample::{SAMPLE_PREFIX, sample_bytes};
use super::terms::engine_terms;
use super::{folder, wire};
use crate::base::{Error, ErrorKind, Result, Timestamp};
use crate::broker::Semantics;
use crate::data::{CheckReport, Severity};
use crate::engine::{self, EngineConfig, Flow, Progress, RunLog, Strategy};
use crate::feed::{Availability, ChunkSource, Layout, OpenFeed};

/// What a caller hears while a run goes on; the answer [`Flow::Stop`] ends it.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A part of the work begins.
    Stage(Stage),
    /// Market rows were walked.
    Rows(&'a Progress),
}

/// The parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Tables are opened; signals and context are read.
    Opening,
    /// The strategy walks the data.
    Running,
    /// Metrics are computed.
    Concluding,
    /// The run folder is written.
    Writing,
}

impl Stage {
    /// One word for progress lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Running => "running",
            Self::Concluding => "concluding",
            Self::Writing => "writing",
        }
    }
}

/// Runs a config with the rule it names. Nothing is written; see [`Outcome::save`].
///
/// # Errors
/// What the config, the data or the rule finds; `Interrupted` when the observer says stop.
pub fn execute(
    loaded: &LoadedConfig,
    observer: &mut dyn FnMut(Event<'_>) -> Flow,
) -> Result<Outcome> {
    // Refused before any data is read.
    if let StrategyConfig::Python(_) = loaded.config.strategy {
        wire::strategy(loaded, &Layout::default())?;
    }
    run_with(loaded, &mut |layout| wire::strategy(loaded, layout), observer)
}

/// Runs a config with a strategy of the caller's in place of the one it names.
///
/// # Errors
/// As [`execute`], and what the strategy returns.
pub fn execute_with(
    loaded: &LoadedConfig,
    strategy: Box<dyn Strategy + '_>,
    observer: &mut dyn FnMut(Event<'_>) -> Flow,
) -> Result<Outcome> {
    let mut strategy = Some(strategy);
    let mut make = |_: &Layout| Ok(strategy.take().expect("Invariant: made once a run"));
    run_with(loaded, &mut make, observer)
}

/// Makes the strategy of a run when its columns are known.
pub(super) type MakeStrategy<'a, 's> = &'a mut dyn FnMut(&Layout) -> Result<Box<dyn Strategy + 's>>;

fn run_with(
    loaded: &LoadedConfig,
    make: MakeStrategy<'_, '_>,
    observer: &mut dyn FnMut(Event<'_>) -> Flow,
) -> Result<Outcome> {
    if let Some(folder) = &loaded.config.reporting.directory {
        folder::check_target(Path::new(folder))?;
    }
    // The hashes ride on a thread of their own: the tables are read a second time, from memory.
    let (walked, hashes) = std::thread::scope(|scope| {
        let hashes = scope.spawn(|| hash_inputs(loaded));
        let walked = walk(loaded, make, observer);
        (walked, hashes.join().expect("Invariant: hashing does not panic"))
    });
    let Walked { log, check, terms } = walked?;
    let mut inputs = hashes?;
    stage(observer, Stage::Concluding)?;
    describe_inputs(&mut inputs, &check, &log);

    let mut warnings = loaded.warnings();
    warnings.extend(check_warnings(&check));
    let signals = loaded.config.data.signals.as_ref();
    let mode = signals.map_or("timestamp", |signals| signals.available_at.as_str());
    warnings.extend(same_instant(Availability::parse(mode)?, &terms.semantics));
    let window = WindowFacts::of(&log.states.timestamp);
    warnings.extend(check_span(&loaded.config.backtest, window));
    let spacing = inferred_spacing(&log.states.timestamp);
    warnings.extend(spacing_warning(loaded.config.data.frequency.as_deref(), spacing));
    let config = &loaded.config;
    let parts = RunParts {
        name: config.backtest.name.clone(),
        strategy: wire::describe(&config.strategy),
        costs: describe_costs(&terms),
        terms,
        timezone: config.backtest.zone_name(),
        config: Some(config.clone()),
        inputs,
        check: Some(check),
        warnings,
        seed: config.backtest.seed,
        threads: config.backtest.threads,
    };
    Ok(conclude(log, parts))
}

/// The warning for signals that are known at a close and orders that fill at the same close.
#[must_use]
pub fn same_instant(mode: Availability, semantics: &Semantics) -> Option<String> {
    (mode == Availability::MarketClose && semantics.fills_in_own_row()).then(|| {
        "TW-L106 signals: available at market_close, and orders fill in the row that decides: \
         signal and fill share one instant; fill at the next row, or use an earlier mode"
            .to_owned()
    })
}

/// The warnings of the data checks, a line each.
pub(super) fn check_warnings(check: &CheckReport) -> impl Iterator<Item = String> + '_ {
    check.findings.iter().filter(|finding| finding.severity == Severity::Warning).map(|finding| {
        format!("TW-{} {}.{}: {}", finding.code, finding.table, finding.column, finding.message)
    })
}

/// What a walk leaves behind.
pub(super) struct Walked {
    pub log: RunLog,
    pub check: CheckReport,
    pub terms: EngineConfig,
}

/// Opens the feed and lets the strategy walk it.
pub(super) fn walk(
    loaded: &LoadedConfig,
    make: MakeStrategy<'_, '_>,
    observer: &mut dyn FnMut(Event<'_>) -> Flow,
) -> Result<Walked> {
    stage(observer, Stage::Opening)?;
    let mut feed = open(loaded).map_err(|error| placed(loaded, &error))?;
    let terms = engine_terms(loaded, &feed.symbols())?;
    let mut strategy = make(&feed.layout())?;
    stage(observer, Stage::Running)?;
    let log = engine::run(&mut feed, strategy.as_mut(), &terms, &mut |progress| {
        observer(Event::Rows(progress))
    })?;
    if log.n_rows == 0 {
        return Err(no_rows(loaded));
    }
    let check = feed.report();
    Ok(Walked { log, check, terms })
}

/// Names the key of the config behind a table that cannot be opened, or a symbol it does not have.
fn placed(loaded: &LoadedConfig, error: &Error) -> Error {
    let message = error.message();
    let of_table = || {
        let named = |path: &str| message.contains(&resolved_text(loaded, path));
        let tables = tables(loaded).into_iter();
        tables.filter(|(_, path)| named(path)).map(|(table, _)| format!("data.{table}")).next()
    };
    let key = if message.contains("no symbol") && loaded.config.data.symbols.is_some() {
        Some("data.symbols".to_owned())
    } else {
        of_table()
    };
    let Some(key) = key.filter(|_| error.kind() == ErrorKind::Data) else { return error.clone() };
    let placed = format!("{}: {key}: {message}", loaded.origin(&key));
    let placed = Error::new(error.kind(), error.code(), placed);
    match error.hint() {
        Some(hint) => placed.with_hint(hint),
        None => placed,
    }
}

/// Opens the feed of a config.
fn open(loaded: &LoadedConfig) -> Result<OpenFeed> {
    wire::feed(loaded)?.open()
}

pub(super) fn stage(observer: &mut dyn FnMut(Event<'_>) -> Flow, stage: Stage) -> Result<()> {
    match observer(Event::Stage(stage)) {
        Flow::Continue => Ok(()),
        Flow::Stop => Err(interrupted()),
    }
}

pub(super) fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "I101", "stopped by the user")
}

/// The complaint about a window without a row, with the span that the data have.
fn no_rows(loaded: &LoadedConfig) -> Error {
    let backtest = &loaded.config.backtest;
    let window = format!(
        "{} .. {}",
        backtest.start_date.as_deref().unwrap_or("the start"),
        backtest.end_date.as_deref().unwrap_or("the end")
    );
    let span = data_span(loaded).map_or_else(
        || "the data have no row at all".to_owned(),
        |(first, last)| format!("the data span {} .. {}", Timestamp(first), Timestamp(last)),
    );
    let key = if backtest.start_date.is_some() { "backtest.start_date" } else { "data.asset_data" };
    loaded
        .complain(key, &format!("no row lies in {window}; {span}"))
        .with_hint("set start_date and end_date within the data")
}

fn data_span(loaded: &LoadedConfig) -> Option<(i64, i64)> {
    let mut options = wire::read_options(loaded).ok()?;
    (options.start, options.end) = (None, None);
    options.columns = Some(Vec::new());
    let source = wire::source(loaded, &loaded.config.data.asset_data).ok()?;
    let mut bars = crate::data::open_bars(source, &options).ok()?;
    let mut span: Option<(i64, i64)> = None;
    while let Some(batch) = bars.next_batch().ok()? {
        let (Some(&first), Some(&last)) = (batch.timestamps.first(), batch.timestamps.last())
        else {
            continue;
        };
        span = Some((span.map_or(first, |(start, _)| start), last));
    }
    span
}

/// The tables a config names: role and path.
pub(super) fn tables(loaded: &LoadedConfig) -> Vec<(&'static str, &str)> {
    let data = &loaded.config.data;
    let mut tables = vec![("asset_data", data.asset_data.as_str())];
    tables.extend(data.signals.iter().map(|signals| ("signals", signals.path.as_str())));
    tables.extend(data.context_data.iter().map(|table| ("context_data", table.path())));
    tables.extend(data.actions.iter().map(|path| ("actions", path.as_str())));
    let calendar = loaded.config.backtest.calendar.table();
    tables.extend(calendar.map(|table| ("calendar", table.path.as_str())));
    let execution = &loaded.config.execution;
    tables.extend(execution.flows.table().map(|path| ("flows", path)));
    tables.extend(execution.funding.table().map(|path| ("funding", path)));
    tables
}

fn hash_inputs(loaded: &LoadedConfig) -> Result<Vec<InputEntry>> {
    tables(loaded)
        .into_iter()
        .map(|(table, path)| {
            let TableHash { n_files, bytes, hash } = match path.strip_prefix(SAMPLE_PREFIX) {
                Some(name) => hash_bytes(sample_bytes(name)?),
                None => hash_path(&resolved_text(loaded, path))?,
            };
            let (table, path) = (table.to_owned(), path.replace('\n', ", "));
            Ok(InputEntry { table, path, n_files, bytes, hash, rows: None, span: None })
        })
        .collect()
}

fn resolved_text(loaded: &LoadedConfig, path: &str) -> String {
    let resolved: PathBuf = loaded.resolve(path);
    resolved.to_string_lossy().into_owned()
}

/// Adds what is known of rows and span.
fn describe_inputs(inputs: &mut [InputEntry], check: &CheckReport, log: &RunLog) {
    let text = |ns: i64| Timestamp(ns).to_string();
    if let Some(bars) = inputs.iter_mut().find(|input| input.table == "asset_data") {
        bars.rows = Some(log.n_rows);
        let times = &log.states.timestamp;
        let walked = times.first().zip(times.last()).map(|(first, last)| (*first, *last));
        bars.span = walked.or(check.span).map(|(first, last)| (text(first), text(last)));
    }
}
