//! The description of a feed: tables, columns, range.

use super::availability::Release;
use super::columns::{Available, ColumnPlan, Wanted};
use super::open_feed::{FeedTables, Joining, OpenFeed};
use super::{Availability, ChunkLimit, Lag, SignalFill};
use crate::base::Result;
use crate::data::{CheckReport, ReadOptions, Source, open_bars, read_context, read_signals};

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
            chunk: None,
            read: ReadOptions::default(),
        }
    }

    /// Refuses rules that need a calendar which is not there, before anything is read.
    ///
    /// # Errors
    /// `C301`.
    pub fn check_rules(&self) -> Result<()> {
        let release = |mode, delay| Release {
            mode,
            delay,
            calendar: self.read.calendar.clone(),
            bars_have_dates: false,
        };
        release(self.signal_available_at, self.signal_delay).check("signals", self.staleness)?;
        release(self.context_available_at, self.context_delay)
            .check("context", self.context_staleness)
    }

    /// Opens the tables, reads signals and context, and starts to decode the bars.
    ///
    /// # Errors
    /// What reading and checking find; `D601` for columns that are not there or are there twice;
    /// `L101` for rows said to be known before their own stamp, `L102` for dates taken as instants,
    /// `C301` for rules that count sessions without a calendar.
    pub fn open(self) -> Result<OpenFeed> {
        let joining = |mode, delay, staleness, fill| Joining {
            release: Release { mode, delay, ..Release::default() },
            staleness,
            fill,
        };
        let joins = [
            joining(self.signal_available_at, self.signal_delay, self.staleness, self.signal_fill),
            joining(
                self.context_available_at,
                self.context_delay,
                self.context_staleness,
                SignalFill::None,
            ),
        ];
        let calendar = self.read.calendar.clone();
        let mut options = self.read;
        if let Some(ChunkLimit::Rows(rows)) = self.chunk {
            options.batch_rows = options.batch_rows.min(rows.max(1));
        }
        let mut bars_options = options.clone();
        bars_options.columns = match (&self.signals, &self.signal_columns, &self.indicator_columns)
        {
            (None, Some(signals), Some(indicators)) => {
                Some(signals.iter().chain(indicators).cloned().collect())
            }
            _ => None,
        };
        let path = match &self.asset_data {
            Source::Path(path) => Some(path.clone()),
            Source::Arrow(_) => None,
        };
        let mut bars = open_bars(self.asset_data, &bars_options)?;

        // A row from before the run's start may be the newest one that its first timestamp sees.
        let mut table_options = options;
        table_options.start = None;
        table_options.columns = None;
        let mut report = CheckReport::default();
        let signals = match self.signals {
            Some(source) => {
                let (table, found) = read_signals(source, &bars.symbols(), &table_options)?;
                report.merge(found);
                Some(table)
            }
            None => None,
        };
        table_options.columns.clone_from(&self.context_columns);
        let context = match self.context {
            Some(source) => {
                let (table, found) = read_context(source, &table_options)?;
                report.merge(found);
                Some(table)
            }
            None => None,
        };

        let plan = |extras: &[String]| {
            ColumnPlan::new(
                Wanted {
                    signals: self.signal_columns.as_deref(),
                    indicators: self.indicator_columns.as_deref(),
                    context: self.context_columns.as_deref(),
                },
                Available {
                    asset: extras,
                    signals: signals.as_ref().map_or(&[], |table| table.names.as_slice()),
                    context: context.as_ref().map_or(&[], |table| table.names.as_slice()),
                },
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
        let tables = FeedTables { bars, signals, context };
        OpenFeed::start(tables, columns, joins, calendar, self.chunk, report)
    }
}
