//! What is joined with what.

use super::universe::Universe;
use crate::base::{Adjustment, Error, Result, Step};
use crate::data::{ReadOptions, Source};
use crate::feed::{Availability, ContextSource, DataFeed, Lag, SignalSource, check_adjustment};
use crate::indicators::IndicatorSpec;

/// The rules of one table of signals.
#[derive(Debug, Clone, Default)]
pub struct SignalTerms {
    /// From when on a row may be seen.
    pub valid_from: Availability,
    /// Added to that instant.
    pub delay: Option<Lag>,
    /// A row older than this counts as missing; an age equal to it does not.
    pub staleness: Option<Lag>,
    /// The usual step of the table (ns), compared with it.
    pub freq_ns: Option<i64>,
    /// The columns to take; `None` is all of them.
    pub columns: Option<Vec<String>>,
    /// Put before each name.
    pub prefix: String,
}

/// The rules of one table of context.
#[derive(Debug, Clone, Default)]
pub struct ContextTerms {
    /// From when on a row may be seen.
    pub valid_from: Availability,
    /// Added to that instant.
    pub delay: Option<Lag>,
    /// The columns to take; `None` is all of them.
    pub columns: Option<Vec<String>>,
    /// Put before each name.
    pub prefix: String,
}

/// Joins tables point in time and writes the result down, with indicators.
///
/// Prices are the spine: a row of the result is a row of the prices, or of the coarser bars that
/// were asked for, and a value that was joined is
/// the newest one known at its timestamp. Missing: null.
///
/// # Example
/// ```no_run
/// use std::ops::ControlFlow;
/// use tapeworks::data::Source;
/// use tapeworks::prepare::{DataPreparer, SaveOptions, SignalTerms};
///
/// let mut preparer = DataPreparer::new();
/// preparer.add_prices(Source::Path("prices.parquet".into()), None)?;
/// preparer.add_signals(Source::Path("scores.parquet".into()), SignalTerms::default());
/// preparer.add_indicators(["rsi:14", "atr"])?;
/// let options = SaveOptions::new("asset_data.parquet");
/// let report = preparer.validate_and_save(&options, &mut |_| ControlFlow::Continue(()))?;
/// println!("{report}");
/// # Ok::<(), tapeworks::base::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct DataPreparer {
    pub(super) prices: Option<Source>,
    pub(super) freq: Option<Step>,
    pub(super) actions: Option<Source>,
    pub(super) adjustment: Option<Adjustment>,
    pub(super) signals: Vec<(Source, SignalTerms)>,
    pub(super) context: Vec<(Source, ContextTerms)>,
    pub(super) indicators: Vec<IndicatorSpec>,
    pub(super) universe: Option<Universe>,
    /// Range, symbols, calendar, time zone and checks of all tables; `columns` and `level` are not
    /// read. The name of the calendar is kept in the files.
    pub read: ReadOptions,
}

impl DataPreparer {
    /// Nothing is joined yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bars whose rows the result has. Bars that are closer together than `freq` are put
    /// together into bars of that step ([`crate::data::resample`]).
    ///
    /// # Errors
    /// `C301` when there are prices already.
    pub fn add_prices(&mut self, source: Source, freq: Option<Step>) -> Result<()> {
        if self.prices.is_some() {
            return Err(Error::config("C301", "prices are added twice").with_hint(
                "one table of prices gives the rows: name a glob or a folder for more",
            ));
        }
        self.prices = Some(source);
        self.freq = freq;
        Ok(())
    }

    /// What the prices are, and the corporate actions on raw ones. Prices are written as they are;
    /// with [`Adjustment::Split`] and [`Adjustment::Total`] indicators are those of a table that is
    /// adjusted as of the session of each row, so that no window mixes units.
    ///
    /// # Errors
    /// `C341` when the two do not go together.
    pub fn set_adjustment(
        &mut self,
        adjustment: Option<Adjustment>,
        actions: Option<Source>,
    ) -> Result<()> {
        check_adjustment(actions.is_some(), adjustment)?;
        self.adjustment = adjustment;
        self.actions = actions;
        Ok(())
    }

    /// A table of signals; may be called again.
    pub fn add_signals(&mut self, source: Source, terms: SignalTerms) {
        self.signals.push((source, terms));
    }

    /// A table of series of the market as a whole; may be called again.
    pub fn add_context(&mut self, source: Source, terms: ContextTerms) {
        self.context.push((source, terms));
    }

    /// Indicators as [`IndicatorSpec::parse`] reads them; may be called again.
    ///
    /// # Errors
    /// `C301` for a name or a number that is none.
    pub fn add_indicators<'a>(&mut self, specs: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let specs = specs.into_iter().map(IndicatorSpec::parse).collect::<Result<Vec<_>>>()?;
        self.indicators.extend(specs);
        Ok(())
    }

    /// Members by time: rows get a column `member` that is 1 inside and 0 outside.
    pub fn set_universe(&mut self, universe: Universe) {
        self.universe = Some(universe);
    }

    /// The zone of dates: the one given, else that of the calendar, else UTC.
    pub(super) fn zone_name(&self) -> String {
        let of_calendar = || self.read.calendar.as_ref().map(|known| known.zone_name().to_owned());
        self.read.tz.clone().or_else(of_calendar).unwrap_or_else(|| "UTC".to_owned())
    }

    /// The feed that joins the tables, bad rows treated as `read` says.
    pub(super) fn feed(&mut self) -> Result<DataFeed> {
        let prices = self.prices.take().ok_or_else(|| {
            Error::config("C301", "there are no prices to prepare")
                .with_hint("add_prices names the table whose rows the result has")
        })?;
        let mut feed = DataFeed::new(prices);
        feed.read = self.read.clone();
        feed.resample = self.freq;
        feed.actions = self.actions.take();
        feed.adjustment = self.adjustment;
        feed.more_signals = std::mem::take(&mut self.signals)
            .into_iter()
            .map(|(source, terms)| SignalSource {
                source,
                available_at: terms.valid_from,
                delay: terms.delay,
                staleness: terms.staleness,
                freq_ns: terms.freq_ns,
                columns: terms.columns,
                prefix: terms.prefix,
            })
            .collect();
        feed.more_context = std::mem::take(&mut self.context)
            .into_iter()
            .map(|(source, terms)| ContextSource {
                source,
                available_at: terms.valid_from,
                delay: terms.delay,
                columns: terms.columns,
                prefix: terms.prefix,
            })
            .collect();
        Ok(feed)
    }
}
