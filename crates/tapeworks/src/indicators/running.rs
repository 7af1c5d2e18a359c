//! One indicator along a run: the value of each row, and of the row of its symbol before.

use std::sync::Arc;

use super::{Degrees, IndicatorSet, IndicatorSpec, Units};
use crate::base::{Actions, Calendar, Result};
use crate::feed::{Layout, MarketChunk, RowColumn};

/// Values of an indicator for the rows of a chunk, NaN where missing.
#[derive(Debug, Clone, Default)]
pub struct RunningColumn {
    /// At the row, in its units.
    pub values: Vec<f64>,
    /// At the row of the same symbol before, in the units of this row; NaN at a symbol's first row.
    pub previous: Vec<f64>,
}

/// An indicator over every symbol of a run, chunk by chunk.
///
/// # Example
/// ```
/// use tapeworks::feed::{Layout, MarketChunk, RowColumn};
/// use tapeworks::indicators::{IndicatorSpec, RunningIndicator};
/// let chunk = MarketChunk {
///     timestamps: vec![1, 2, 3], offsets: vec![0, 1, 2, 3], assets: vec![0; 3],
///     open: vec![1.0, 2.0, 6.0], high: vec![1.0, 2.0, 6.0], low: vec![1.0, 2.0, 6.0],
///     close: vec![1.0, 2.0, 6.0], volume: vec![1.0; 3], ..MarketChunk::default()
/// };
/// let spec = IndicatorSpec::parse("sma:2")?;
/// let mut mean = RunningIndicator::new(spec, RowColumn::Price(3), &Layout::default())?;
/// let column = &mean.push_chunk(&chunk)[0];
/// assert_eq!((column.values[2], column.previous[2]), (4.0, 1.5));
/// # Ok::<(), tapeworks::base::Error>(())
/// ```
#[derive(Debug)]
pub struct RunningIndicator {
    spec: IndicatorSpec,
    set: IndicatorSet,
    /// The newest value of each asset in the units of its first row, for each column.
    last: Vec<Vec<f64>>,
}

impl RunningIndicator {
    /// The indicator `spec` with `source` in the place of the close.
    ///
    /// # Errors
    /// `C301` when another source than the close is named for an indicator that reads more than
    /// the close; `D601` when the data lack a column that it reads.
    pub fn new(spec: IndicatorSpec, source: RowColumn, layout: &Layout) -> Result<Self> {
        // The names of its columns are not those of the feed, so none is taken.
        let nameless = Layout {
            signals: layout.signals.iter().map(|name| own_name(name)).collect(),
            indicators: layout.indicators.iter().map(|name| own_name(name)).collect(),
            context: Vec::new(),
        };
        let set = IndicatorSet::new(std::slice::from_ref(&spec), &nameless)?.reading(source)?;
        let last = vec![Vec::new(); spec.indicator().outputs.len()];
        Ok(Self { spec, set, last })
    }

    /// The same over raw prices with corporate actions, as [`IndicatorSet::with_actions`].
    #[must_use]
    pub fn with_actions(
        mut self,
        actions: &Actions,
        n_symbols: usize,
        calendar: Option<Arc<Calendar>>,
    ) -> Self {
        self.set = self.set.with_actions(actions, n_symbols, calendar);
        self
    }

    /// What it is.
    #[must_use]
    pub fn spec(&self) -> &IndicatorSpec {
        &self.spec
    }

    /// How its columns follow the units of prices and volumes, where actions restate the past.
    #[must_use]
    pub fn degrees(&self) -> Degrees {
        match self.set.units {
            Some(_) => self.spec.indicator().degrees,
            None => Degrees { price: 0, volume: 0 },
        }
    }

    /// One column an output, a value a row of the next chunk.
    #[must_use]
    pub fn push_chunk(&mut self, chunk: &MarketChunk) -> Vec<RunningColumn> {
        let degrees = self.degrees();
        let (columns, units) = self.set.push_chunk_in_units(chunk);
        let n_assets = chunk.assets.iter().max().map_or(0, |&asset| asset as usize + 1);
        let with_previous = |(values, last): (Vec<f64>, &mut Vec<f64>)| {
            if last.len() < n_assets {
                last.resize(n_assets, f64::NAN);
            }
            let mut previous = Vec::with_capacity(values.len());
            for (i, (&asset, &value)) in chunk.assets.iter().zip(&values).enumerate() {
                let factor = units.as_ref().map_or(Units::FIRST, |units| units[i]).factor(degrees);
                let newest = std::mem::replace(&mut last[asset as usize], value / factor);
                previous.push(newest * factor);
            }
            RunningColumn { values, previous }
        };
        columns.into_iter().zip(&mut self.last).map(with_previous).collect()
    }
}

/// A name that no indicator gives, save for the column that indicators read by name.
fn own_name(name: &str) -> String {
    if name == "vwap" || name == "notional" { name.to_owned() } else { format!("{name} ") }
}
