//! The description of a feed: tables, columns, range.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::availability::Release;
use super::columns::{Available, ColumnPlan, Wanted};
use super::open_feed::{Joining, OpenFeed, Tables};
use super::{Availability, ChunkLimit, Lag, SignalFill};
use crate::base::{Actions, Adjustment, Error, Result, Step};
use crate::data::{
    ActionTable, CheckReport, Finding, Label, ReadOptions, Severity, SignalTable, Source,
    open_bars, read_context, read_signals, resample, zone_of,
};

/// A further table of signals, with rules of its own.
#[derive(Debug)]
pub struct SignalSource {
    /// The table.
    pub source: Source,
    /// From when on a row may be seen.
    pub available_at: Availability,
    /// Added to the moment at which a row was available.
    pub delay: Option<Lag>,
    /// A row older than this counts as missing; an age equal to it does not. The age counts from
    /// the moment at which the row was available.
    pub staleness: Option<Lag>,
    /// The usual step between its timestamps (ns), compared with the data.
    pub freq_ns: Option<i64>,
    /// The columns to take; `None` is all of them.
    pub columns: Option<Vec<String>>,
    /// Put before each name; may be empty.
    pub prefix: String,
}

/// A further table of context, with rules of its own.
#[derive(Debug)]
pub struct ContextSource {
    /// The table.
    pub source: Source,
    /// From when on a row may be seen.
    pub available_at: Availability,
    /// Added to the moment at which a row was available.
    pub delay: Option<Lag>,
    /// The columns to take; `None` is all of them.
    pub columns: Option<Vec<String>>,
    /// Put before each name; may be empty.
    pub prefix: String,
}

/// Names the tables and columns of a run; [`DataFeed::open`] starts to read.
///
/// Column lists: `None` is "all that are there". When only one of `signal_columns` and
/// `indicator_columns` is `None` it takes what the other leaves; when both are, every numeric
/// extra column of asset data and every column of the signals table is a signal.
///
/// Missing: a symbol without a visible signal row has NaN, counted by reason in
/// [`OpenFeed::join_counts`].
#[derive(Debug)]
pub struct DataFeed {
    /// Bars, with any further columns already known at the bar's own timestamp.
    pub asset_data: Source,
    /// Signals of their own, joined as of each timestamp.
    pub signals: Option<Source>,
    /// Market-wide series, joined as of each timestamp.
    pub context: Option<Source>,
    /// Signals from further tables; their columns follow those of [`DataFeed::signals`].
    pub more_signals: Vec<SignalSource>,
    /// Context from further tables; its columns follow those of [`DataFeed::context`].
    pub more_context: Vec<ContextSource>,
    /// The columns that are signals.
    pub signal_columns: Option<Vec<String>>,
    /// The columns that are indicators.
    pub indicator_columns: Option<Vec<String>>,
    /// The columns of the context table.
    pub context_columns: Option<Vec<String>>,
    /// From when on a row of the signals table may be seen.
    pub signal_available_at: Availability,
    /// From when on a row of the context table may be seen.
    pub context_available_at: Availability,
    /// Added to the moment at which a signal row was available.
    pub signal_delay: Option<Lag>,
    /// Added to the moment at which a context row was available.
    pub context_delay: Option<Lag>,
    /// A signal row older than this counts as missing; an age equal to it does not. The age counts
    /// from the moment at which the row was available.
    pub staleness: Option<Lag>,
    /// The same for context.
    pub context_staleness: Option<Lag>,
    /// What a null in the newest signal row becomes.
    pub signal_fill: SignalFill,
    /// Corporate actions on raw prices; they need an adjustment.
    pub actions: Option<Source>,
    /// What the prices are, and what of their past a strategy sees.
    pub adjustment: Option<Adjustment>,
    /// Bars of this step are put together from finer ones; `None` takes them as they are.
    pub resample: Option<Step>,
    /// Caps the chunks further than [`ReadOptions::batch_rows`] does.
    pub chunk: Option<ChunkLimit>,
    /// Range, symbols, calendar, time zone and checks. `columns` is set from the column lists.
    pub read: ReadOptions,
}

impl DataFeed {
    /// A feed over `asset_data` with every column it has, and no other table.
    #[must_use]
    pub fn new(asset_data: Source) -> Self {
        Self {
            asset_data,
            signals: None,
            context: None,
            more_signals: Vec::new(),
            more_context: Vec::new(),
            signal_columns: None,
            indicator_columns: None,
            context_columns: None,
            signal_available_at: Availability::default(),
            context_available_at: Availability::default(),
            signal_delay: None,
            context_delay: None,
            staleness: None,
            context_staleness: None,
            signal_fill: SignalFill::default(),
            actions: None,
            adjustment: None,
            resample: None,
            chunk: None,
            read: ReadOptions::default(),
        }
    }

    /// Refuses rules that need a calendar which is not there, and an adjustment that does not go
    /// with the actions, before anything is read.
    ///
    /// # Errors
    /// `C301`, `C341`.
    pub fn check_rules(&self) -> Result<()> {
        let release = |mode, delay| Release {
            mode,
            delay,
            calendar: self.read.calendar.clone(),
            bars_have_dates: false,
        };
        release(self.signal_available_at, self.signal_delay).check("signals", self.staleness)?;
        release(self.context_available_at, self.context_delay)
            .check("context", self.context_staleness)?;
        for more in &self.more_signals {
            release(more.available_at, more.delay).check("signals", more.staleness)?;
        }
        for more in &self.more_context {
            release(more.available_at, more.delay).check("context", None)?;
        }
        check_adjustment(self.actions.is_some(), self.adjustment)
    }

    /// Opens the tables, reads signals and context, and starts to decode the bars.
    ///
    /// # Errors
    /// What reading and checking find; `D601` for columns that are not there or are there twice;
    /// `L101` for rows said to be known before their own stamp, `L102` for dates taken as instants,
    /// `C301` for rules that count sessions without a calendar.
    pub fn open(self) -> Result<OpenFeed> {
        self.check_rules()?;
        let fill = self.signal_fill;
        let joining = |mode, delay, staleness, fill| Joining {
            release: Release { mode, delay, ..Release::default() },
            staleness,
            fill,
        };
        let calendar = self.read.calendar.clone();
        let mut options = self.read;
        if let Some(ChunkLimit::Rows(rows)) = self.chunk {
            options.batch_rows = options.batch_rows.min(rows.max(1));
        }
        let mut bars_options = options.clone();
        bars_options.columns = match (&self.signals, &self.signal_columns, &self.indicator_columns)
        {
            (None, Some(signals), Some(indicators)) if self.more_signals.is_empty() => {
                Some(signals.iter().chain(indicators).cloned().collect())
            }
            _ => None,
        };
        let path = match &self.asset_data {
            Source::Path(path) => Some(path.clone()),
            Source::Arrow(_) => None,
        };
        let actions = self.actions.map(|source| ActionTable::read(source, &options)).transpose()?;
        bars_options.explained = actions.as_ref().map(|table| Arc::new(table.explained()));
        let explained = bars_options.explained.clone();
        let (label, zone) = (bars_options.label, zone_of(&bars_options)?);
        let mut bars = open_bars(self.asset_data, &bars_options)?;

        // A row from before the run's start may be the newest one that its first timestamp sees.
        let mut table_options = options;
        table_options.start = None;
        table_options.columns = None;
        let mut report = CheckReport::default();
        let mut list = Vec::new();
        if let Some(table) = actions {
            let (bound, found) = table.bind(&bars.symbols(), &table_options);
            report.merge(found);
            list = bound;
        }
        let actions = self.adjustment.map(|adjustment| Arc::new(Actions::new(adjustment, list)));
        let mut signals = Vec::new();
        if let Some(source) = self.signals {
            let (table, found) = read_signals(source, &bars.symbols(), &table_options)?;
            report.merge(found);
            let (mode, delay) = (self.signal_available_at, self.signal_delay);
            signals.push((table, joining(mode, delay, self.staleness, fill)));
        }
        for more in self.more_signals {
            table_options.columns = more.columns;
            let (mut table, found) = read_signals(more.source, &bars.symbols(), &table_options)?;
            add_prefix(&mut table.names, &more.prefix);
            report.merge(found);
            report.findings.extend(off_step(&table, more.freq_ns));
            let (mode, delay) = (more.available_at, more.delay);
            signals.push((table, joining(mode, delay, more.staleness, fill)));
        }
        // Names that further tables bring may be meant: only a table that is alone is asked.
        table_options.columns =
            self.context_columns.clone().filter(|_| self.more_context.is_empty());
        let mut context = Vec::new();
        if let Some(source) = self.context {
            let (table, found) = read_context(source, &table_options)?;
            report.merge(found);
            let (mode, delay) = (self.context_available_at, self.context_delay);
            let rules = joining(mode, delay, self.context_staleness, SignalFill::None);
            context.push((table, rules));
        }
        for more in self.more_context {
            table_options.columns = more.columns;
            let (mut table, found) = read_context(more.source, &table_options)?;
            add_prefix(&mut table.names, &more.prefix);
            report.merge(found);
            let rules = joining(more.available_at, more.delay, None, SignalFill::None);
            context.push((table, rules));
        }
        let signal_names: Vec<&[String]> =
            signals.iter().map(|(table, _)| table.names.as_slice()).collect();
        let context_names: Vec<&[String]> =
            context.iter().map(|(table, _)| table.names.as_slice()).collect();

        let plan = |extras: &[String]| {
            ColumnPlan::new(
                Wanted {
                    signals: self.signal_columns.as_deref(),
                    indicators: self.indicator_columns.as_deref(),
                    context: self.context_columns.as_deref(),
                },
                Available { asset: extras, signals: &signal_names, context: &context_names },
            )
        };
        let mut columns = plan(bars.extras())?;
        let used = columns.asset_columns();
        if let (Some(path), true) = (path, used.len() < bars.extras().len()) {
            // Only now is it known which columns come from where: read no others.
            let names = used.iter().map(|&column| bars.extras()[column].clone()).collect();
            bars_options.columns = Some(names);
            bars = open_bars(Source::Path(path), &bars_options)?;
            columns = plan(bars.extras())?;
        }
        let is_whole = (bars_options.start, bars_options.end) == (None, None)
            && bars_options.symbols.is_none()
            && self.resample.is_none();
        let n_rows = bars.n_rows_of_files().filter(|_| is_whole);
        let (bars, is_resampled) = match self.resample {
            Some(step) => resample(bars, step, &bars_options)?,
            None => (bars, false),
        };
        let tables = Tables { bars, signals, context, actions };
        let mut feed = OpenFeed::start(tables, columns, calendar, self.chunk, report)?;
        feed.is_resampled = is_resampled;
        feed.n_rows = n_rows;
        feed.clock.has_dates &= !is_resampled && matches!(label, Label::Auto | Label::Session);
        feed.clock.zone = zone;
        feed.explained = explained;
        Ok(feed)
    }
}

/// Whether actions and adjustment say the same of the prices.
///
/// # Errors
/// `C341` when they do not.
pub fn check_adjustment(has_actions: bool, adjustment: Option<Adjustment>) -> Result<()> {
    let refuse = |text: &str, hint: &str| Err(Error::config("C341", text).with_hint(hint));
    match (has_actions, adjustment) {
        (true, None) => refuse(
            "actions: corporate actions are given, and not what the prices are",
            "name an adjustment: none, split or total for raw prices",
        ),
        (true, Some(Adjustment::Stated)) => refuse(
            "actions: the prices are said to be adjusted (stated), so actions would count twice",
            "leave the actions out, or bring raw prices with adjustment none, split or total",
        ),
        (false, Some(Adjustment::Split | Adjustment::Total)) => refuse(
            "adjustment: there are no actions to restate the past by",
            "give a table of actions, or adjustment stated for prices that are adjusted already",
        ),
        _ => Ok(()),
    }
}

/// A warning when the usual step of a table is not the one that was said.
fn off_step(table: &SignalTable, freq_ns: Option<i64>) -> Option<Finding> {
    let (said, found) = (freq_ns?, modal_step(&table.timestamps)?);
    (said != found).then(|| Finding {
        code: "D309".into(),
        severity: Severity::Warning,
        table: "signals".into(),
        column: table.names.join(", "),
        message: format!(
            "rows are usually {} s apart, and said to be {} s apart",
            found as f64 / 1e9,
            said as f64 / 1e9
        ),
        count: table.timestamps.len() as u64,
        share: 1.0,
        offenders: Vec::new(),
        symbols: Vec::new(),
        fix: "name the step of the table, or leave it out".into(),
    })
}

/// The most frequent step between ascending timestamps, the smaller one on a tie.
fn modal_step(timestamps: &[i64]) -> Option<i64> {
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for pair in timestamps.windows(2).filter(|pair| pair[0] < pair[1]) {
        *counts.entry(pair[1] - pair[0]).or_default() += 1;
    }
    counts.into_iter().max_by_key(|&(step, n)| (n, Reverse(step))).map(|(step, _)| step)
}

fn add_prefix(names: &mut [String], prefix: &str) {
    for name in names {
        name.insert_str(0, prefix);
    }
}
