//! Indicators of one symbol: its bars in order in, a column or three out.
//!
//! - [`table`]: [`INDICATORS`], every name with its parameters, columns and meaning.
//! - [`spec`]: from `"rsi:14"` to a row of the table with its numbers.
//! - `units`: splits and dividends that have passed, so that no window mixes units.
//! - [`RunningIndicator`]: one indicator with the value of each row and of the row before.
//! - `kernel`: what a row offers, a state a symbol, a loop a chunk.
//! - `averages`, `oscillators`, `trend`, `bands`, `changes`, `window`: the arithmetic.
//!
//! Conventions are those of TA-Lib with no unstable period, where it has the indicator. Invariants:
//! a value depends on this row and earlier ones of its symbol alone, whatever the chunks; a row in
//! which a needed column is missing has no value and leaves the state as it was; a value that is
//! not finite is missing. Windows are summed anew on each row, oldest first, so that no error is
//! carried on.
//!
//! To add one: a kernel, a row of the table, its case among the golden values.

pub mod spec;
pub mod table;

mod averages;
mod bands;
mod changes;
mod kernel;
mod oscillators;
mod running;
mod trend;
mod units;
mod window;

use std::fmt;
use std::sync::Arc;

pub use kernel::Field;
pub use running::{RunningColumn, RunningIndicator};
pub use spec::IndicatorSpec;
pub use table::{INDICATORS, Indicator, Parameter};
pub use units::Degrees;

use crate::base::{Actions, Calendar, Error, Result};
use crate::feed::{Layout, MarketChunk, RowColumn};
use kernel::{Bank, Columns};
use units::{Units, UnitsWalk};

const CLOSE: RowColumn = RowColumn::Price(3);

/// The indicators of a stream of chunks, with a state for each symbol.
pub struct IndicatorSet {
    members: Vec<(IndicatorSpec, Box<dyn Bank>)>,
    notional: Option<usize>,
    vwap: Option<usize>,
    units: Option<UnitsWalk>,
    /// Stands for the close.
    source: RowColumn,
}

impl fmt::Debug for IndicatorSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.members.iter().map(|(spec, _)| spec)).finish()
    }
}

impl IndicatorSet {
    /// The indicators `specs`, over chunks with the columns of `layout`.
    ///
    /// # Errors
    /// `D601` when two indicators, or an indicator and the data, share a column, or the data lack
    /// a column that an indicator reads.
    pub fn new(specs: &[IndicatorSpec], layout: &Layout) -> Result<Self> {
        let there: Vec<&String> = layout.signals.iter().chain(&layout.indicators).collect();
        let place = |name: &str| there.iter().position(|column| *column == name);
        let mut taken: Vec<String> = Vec::new();
        for spec in specs {
            for name in spec.columns() {
                if taken.contains(&name) || place(&name).is_some() {
                    let owner = if taken.contains(&name) { "another one" } else { "the data" };
                    return Err(Error::data(
                        "D601",
                        format!("indicator {spec} gives column {name:?}, which {owner} has"),
                    )
                    .with_hint("leave one of them out, or rename the column of the data"));
                }
                taken.push(name);
            }
            let reads_vwap = spec.indicator().needs.contains(&Field::Vwap);
            if reads_vwap && place("vwap").is_none() {
                return Err(Error::data(
                    "D601",
                    format!("indicator {spec} reads the column vwap, which the data have not"),
                )
                .with_hint("add the column: it is not made up from other prices"));
            }
        }
        let build = |spec: &IndicatorSpec| (spec.clone(), (spec.indicator().build)(spec.values()));
        Ok(Self {
            members: specs.iter().map(build).collect(),
            notional: place("notional"),
            vwap: place("vwap"),
            units: None,
            source: CLOSE,
        })
    }

    /// The same over raw prices of `n_symbols` symbols with corporate actions. Where
    /// `actions.adjustment` restates the past, a value is that of a table adjusted as of the
    /// session of its row (without a calendar its UTC day), so in the units of the row. Money
    /// traded is not restated.
    #[must_use]
    pub fn with_actions(
        mut self,
        actions: &Actions,
        n_symbols: usize,
        calendar: Option<Arc<Calendar>>,
    ) -> Self {
        if actions.adjustment.rescales() {
            self.units = Some(UnitsWalk::new(actions, n_symbols, calendar));
        }
        self
    }

    /// The same with another column in the place of the close.
    ///
    /// # Errors
    /// `C301` when an indicator reads more than the close.
    pub fn reading(mut self, source: RowColumn) -> Result<Self> {
        let reads_more = |spec: &&IndicatorSpec| spec.indicator().needs != [Field::Close];
        let specs = self.members.iter().map(|(spec, _)| spec);
        if source != CLOSE
            && let Some(spec) = specs.into_iter().find(reads_more)
        {
            let name = spec.indicator().name;
            return Err(Error::config("C301", format!("{name} reads more than one column"))
                .with_hint("leave the column out"));
        }
        self.source = source;
        Ok(self)
    }

    /// The names of all columns, in the order of [`Self::push_chunk`].
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        self.members.iter().flat_map(|(spec, _)| spec.columns()).collect()
    }

    /// The columns for the rows of the next chunk: a value a row in each, NaN where missing.
    ///
    /// # Assumes
    /// Chunks come in time order and have the layout that the set was made for.
    #[must_use]
    pub fn push_chunk(&mut self, chunk: &MarketChunk) -> Vec<Vec<f64>> {
        self.push_chunk_in_units(chunk).0
    }

    /// The columns, and the units of the rows.
    fn push_chunk_in_units(&mut self, chunk: &MarketChunk) -> (Vec<Vec<f64>>, Option<Vec<Units>>) {
        let extra = |place: Option<usize>| {
            let all = chunk.signals.iter().chain(&chunk.indicators);
            place.and_then(|place| all.map(Vec::as_slice).nth(place))
        };
        let units = self.units.as_mut().map(|units| units.push_chunk(chunk));
        let rows = Columns {
            assets: &chunk.assets,
            open: &chunk.open,
            high: &chunk.high,
            low: &chunk.low,
            close: self.source.of(chunk),
            volume: &chunk.volume,
            notional: extra(self.notional),
            vwap: extra(self.vwap),
            units: units.as_deref(),
        };
        let mut columns = Vec::new();
        for (spec, bank) in &mut self.members {
            let indicator = spec.indicator();
            let n_rows = chunk.n_rows();
            let mut out: Vec<Vec<f64>> =
                indicator.outputs.iter().map(|_| Vec::with_capacity(n_rows)).collect();
            bank.push_rows(&rows, indicator.needs, indicator.degrees, &mut out);
            columns.append(&mut out);
        }
        (columns, units)
    }
}
