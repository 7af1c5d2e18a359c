//! A chunk of market data in the simulation's layout: time-major and ragged.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::base::{Actions, Calendar, Result, Symbols};

/// The names of the columns that ride along with the prices, in the order in which they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// Per-row model outputs.
    pub signals: Vec<String>,
    /// Per-row derived columns (volatility, ATR, ...).
    pub indicators: Vec<String>,
    /// Per-timestamp columns of the market as a whole.
    pub context: Vec<String>,
}

impl Layout {
    /// Signals, indicators and context together: the values a decision carries.
    #[must_use]
    pub fn n_values(&self) -> usize {
        self.signals.len() + self.indicators.len() + self.context.len()
    }

    /// The names of all columns: signals, indicators, context.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let names = self.signals.iter().chain(&self.indicators).chain(&self.context);
        names.map(String::as_str).collect()
    }

    /// The number of a column among signals, indicators and context, in this order.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        let mut names = self.signals.iter().chain(&self.indicators).chain(&self.context);
        names.position(|column| column == name)
    }
}

/// A run of consecutive timestamps with all their rows.
///
/// Shape: `timestamps` has T unique ascending instants (ns UTC, when the row is known); the rows of
/// `timestamps[t]` are `offsets[t]..offsets[t + 1]`; `assets` and each price, signal and indicator
/// column have one value a row, sorted by asset id within a timestamp and unique there; each
/// context column has one value a timestamp.
///
/// Missing: NaN. A symbol without a row at a timestamp is absent.
#[derive(Debug, Clone, Default)]
pub struct MarketChunk {
    /// Unique ascending instants.
    pub timestamps: Vec<i64>,
    /// Row offsets, one more than timestamps, first 0.
    pub offsets: Vec<u32>,
    /// Asset id of each row.
    pub assets: Vec<u32>,
    /// First price.
    pub open: Vec<f64>,
    /// Highest price.
    pub high: Vec<f64>,
    /// Lowest price.
    pub low: Vec<f64>,
    /// Last price.
    pub close: Vec<f64>,
    /// Units traded; NaN where unknown.
    pub volume: Vec<f64>,
    /// One column a signal, a value a row.
    pub signals: Vec<Vec<f64>>,
    /// One column an indicator, a value a row.
    pub indicators: Vec<Vec<f64>>,
    /// One column a context series, a value a timestamp.
    pub context: Vec<Vec<f64>>,
}

impl MarketChunk {
    /// How many rows the chunk holds.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.assets.len()
    }
}

/// How the rows of a feed without a calendar relate to dates.
#[derive(Debug, Clone)]
pub struct FeedClock {
    /// The zone in which dates begin and end.
    pub zone: TimeZone,
    /// Whether rows are stamped with the midnight of their date rather than the instant at which
    /// they became known.
    pub has_dates: bool,
}

/// Dates in UTC, rows stamped with instants.
impl Default for FeedClock {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, has_dates: false }
    }
}

/// Anything that yields slices in time order is a feed.
///
/// Invariants the engine checks at the door: chunks ascend in time without overlap, columns agree
/// with the layout, asset ids are below the number of symbols.
pub trait ChunkSource {
    /// The symbols of the whole run, known before the first chunk.
    fn symbols(&self) -> Arc<Symbols>;

    /// The columns that ride along.
    fn layout(&self) -> Arc<Layout>;

    /// The sessions of the market; without a calendar a session is a UTC day with rows.
    fn calendar(&self) -> Option<Arc<Calendar>> {
        None
    }

    /// Corporate actions on its raw prices, and what the prices are; `None` where nothing is known.
    fn actions(&self) -> Option<Arc<Actions>> {
        None
    }

    /// How the rows relate to dates.
    fn clock(&self) -> FeedClock {
        FeedClock::default()
    }

    /// The next chunk, or `None` at the end.
    ///
    /// # Errors
    /// What reading and checking the data found; nothing of the failed chunk has been given out.
    fn next_chunk(&mut self) -> Result<Option<Arc<MarketChunk>>>;
}
