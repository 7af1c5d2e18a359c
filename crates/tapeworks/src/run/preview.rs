//! What a run would read and take, found without writing anything.

use super::check_data::{WindowFacts, check_span, inferred_spacing, spacing_warning, span_text};
use super::config::{LoadedConfig, StrategyConfig};
use super::estimate::{Size, record_bytes};
use super::execute::{Event, Stage, Walked, check_warnings, stage, tables, walk};
use super::sample::SAMPLE_PREFIX;
use super::terms::engine_terms;
use super::wire;
use crate::base::{Result, Timestamp};
use crate::data::{self, CheckReport};
use crate::engine::{self, Flow, RunLog, Strategy, rules};
use crate::feed::{ChunkSource, Layout};

/// Data of at most this many rows are run as a whole to count orders.
const TRIAL_ROWS: u64 = 250_000;
/// Of larger data this part of the span.
const TRIAL_PART: i64 = 8;

/// The size of a run, and what it takes.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Preview {
    /// Market rows; exact.
    pub rows: u64,
    /// Timestamps; exact.
    pub timestamps: u64,
    /// Symbols.
    pub symbols: u64,
    /// First and last instant.
    pub span: Option<(String, String)>,
    /// The usual distance of timestamps.
    pub frequency: Option<String>,
    /// Rows of the data that were simulated to estimate orders and fills; 0 for a Python class.
    pub trial_rows: u64,
    /// Orders of the run; `None` for a Python class. Exact when every row was simulated, else those
    /// of the first eighth of the span, scaled up by rows.
    pub orders: Option<u64>,
    /// Fills of the run, as orders.
    pub fills: Option<u64>,
    /// Peak of memory in bytes, estimated: a run of the command line needs between half and twice
    /// as much. Orders of a Python class come on top, about 200 bytes a fill.
    pub memory_bytes: u64,
    /// What the checks found, in a line.
    pub check: String,
    /// What would be warned about.
    pub warnings: Vec<String>,
    #[serde(skip)]
    size: Size,
}

impl Preview {
    /// Seconds that the run takes on an idle machine, given those that reading and checking the
    /// data took (the preview up to [`Stage::Concluding`]).
    #[must_use]
    pub fn seconds(&self, reading: f64) -> f64 {
        self.size.seconds(reading)
    }
}

/// Walks the data of a config without a strategy: everything is read and checked, nothing is
/// written. A built-in rule is then run on a part of the data to count its orders.
///
/// # Errors
/// What a run would find in its config, its data and the part of the data that is run.
pub fn preview(
    loaded: &LoadedConfig,
    observer: &mut dyn FnMut(Event<'_>) -> Flow,
) -> Result<(Preview, CheckReport)> {
    if let Some(folder) = &loaded.config.reporting.directory {
        super::folder::check_target(std::path::Path::new(folder))?;
    }
    let has_rule = matches!(loaded.config.strategy, StrategyConfig::Rule(_));
    let mut make = |layout: &Layout| -> Result<Box<dyn Strategy>> {
        if has_rule {
            wire::strategy(loaded, layout)?;
        }
        Ok(Box::new(rules::Noop))
    };
    let Walked { log, check, .. } = walk(loaded, &mut make, observer)?;
    stage(observer, Stage::Concluding)?;
    let times = &log.states.timestamp;
    let spacing = inferred_spacing(times);
    let mut warnings = loaded.warnings();
    warnings.extend(check_warnings(&check));
    warnings.extend(check_span(&loaded.config.backtest, WindowFacts::of(times)));
    warnings.extend(spacing_warning(loaded.config.data.frequency.as_deref(), spacing));
    let ends = times.first().copied().zip(times.last().copied());
    let trial = match ends.filter(|_| has_rule) {
        Some(ends) => Some(trial(loaded, log.n_rows, ends)?),
        None => None,
    };
    let scaled = |n: u64| {
        let trial_rows = trial.as_ref().map_or(1, |trial| trial.n_rows.max(1));
        u128::from(n) * u128::from(log.n_rows) / u128::from(trial_rows)
    };
    let scaled = |n: u64| u64::try_from(scaled(n)).unwrap_or(u64::MAX);
    let fills = trial.as_ref().map(|trial| scaled(trial.fills.len() as u64));
    let size = Size {
        rows: log.n_rows,
        timestamps: times.len() as u64,
        columns: 7 + log.layout.n_values() as u64,
        context_columns: log.layout.context.len() as u64,
        chunk_rows: wire::read_options(loaded)?.batch_rows as u64,
        held_values: held_values(loaded, &log, &check)?,
        fills: fills.unwrap_or(0),
        record_bytes: trial.as_ref().map_or(0, |trial| scaled(record_bytes(trial))),
    };
    let preview = Preview {
        rows: log.n_rows,
        timestamps: times.len() as u64,
        symbols: log.symbols.len() as u64,
        span: ends.map(|(first, last)| (Timestamp(first).to_string(), Timestamp(last).to_string())),
        frequency: spacing.map(span_text),
        trial_rows: trial.as_ref().map_or(0, |trial| trial.n_rows),
        orders: trial.as_ref().map(|trial| scaled(trial.orders.len() as u64)),
        fills,
        memory_bytes: size.memory_bytes(),
        check: check.verdict(),
        warnings,
        size,
    };
    Ok((preview, check))
}

/// Runs the rule of a config on all of the data, or on their first part when they are large.
fn trial(loaded: &LoadedConfig, n_rows: u64, (first, last): (i64, i64)) -> Result<RunLog> {
    let mut feed = wire::feed(loaded)?;
    if n_rows > TRIAL_ROWS {
        feed.read.end = Some(Timestamp(first + (last - first) / TRIAL_PART));
    }
    let mut feed = feed.open()?;
    let terms = engine_terms(loaded, &feed.symbols())?;
    let mut strategy = wire::strategy(loaded, &feed.layout())?;
    engine::run(&mut feed, strategy.as_mut(), &terms, &mut |_| Flow::Continue)
}

/// Values of the tables that are held in memory: signals and context, and bars that are no Parquet.
fn held_values(loaded: &LoadedConfig, log: &RunLog, check: &CheckReport) -> Result<u64> {
    let n_values = log.layout.n_values() as u64;
    // Time, symbol, place and availability of a row that is joined.
    let mut held = check.n_rows.saturating_sub(log.n_rows) * (n_values + 5);
    for (table, path) in tables(loaded) {
        let is_streamed = !path.starts_with(SAMPLE_PREFIX)
            && data::is_streamed(&loaded.resolve(path).to_string_lossy())?;
        if table == "asset_data" && !is_streamed {
            held += log.n_rows * (7 + n_values);
        }
    }
    Ok(held)
}
