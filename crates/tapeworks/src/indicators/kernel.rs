//! One indicator over the rows of one symbol, and the states of all symbols.

use super::units::{Degrees, Units};

/// What a row of a symbol offers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
    pub(super) volume: f64,
    pub(super) notional: f64,
    pub(super) vwap: f64,
    /// From the units of this row's prices and volume to those in which results are wanted: for the
    /// few kernels that compare with a constant.
    pub(super) units: Units,
}

/// A column that an indicator may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// First price.
    Open,
    /// Highest price.
    High,
    /// Lowest price.
    Low,
    /// Last price.
    Close,
    /// Units traded.
    Volume,
    /// Value traded: the column `notional`, or close x volume where the data have none.
    Notional,
    /// Mean price weighted by volume: the column `vwap`, which the data must have.
    Vwap,
}

impl Row {
    /// The row, which stands in `units`, in the units of the first row of its symbol.
    fn restated(self, units: Units) -> Self {
        Self {
            open: self.open / units.price,
            high: self.high / units.price,
            low: self.low / units.price,
            close: self.close / units.price,
            volume: self.volume / units.volume,
            // What was paid stays what it was: no action restates money.
            notional: self.notional,
            vwap: self.vwap / units.price,
            units,
        }
    }

    fn value(&self, field: Field) -> f64 {
        match field {
            Field::Open => self.open,
            Field::High => self.high,
            Field::Low => self.low,
            Field::Close => self.close,
            Field::Volume => self.volume,
            Field::Notional => self.notional,
            Field::Vwap => self.vwap,
        }
    }
}

/// The state of one symbol. `out` comes filled with NaN and keeps it until the state is warm.
pub(super) trait Kernel: Clone + Send + 'static {
    fn push(&mut self, row: &Row, out: &mut [f64]);
}

/// Columns of rows, a value a row in each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) assets: &'a [u32],
    pub(super) open: &'a [f64],
    pub(super) high: &'a [f64],
    pub(super) low: &'a [f64],
    pub(super) close: &'a [f64],
    pub(super) volume: &'a [f64],
    pub(super) notional: Option<&'a [f64]>,
    pub(super) vwap: Option<&'a [f64]>,
    /// The units of each row; `None` where no action restates the past.
    pub(super) units: Option<&'a [Units]>,
}

impl Columns<'_> {
    fn row(&self, i: usize) -> Row {
        let (close, volume) = (self.close[i], self.volume[i]);
        let row = Row {
            open: self.open[i],
            high: self.high[i],
            low: self.low[i],
            close,
            volume,
            notional: self.notional.map_or(close * volume, |column| column[i]),
            vwap: self.vwap.map_or(f64::NAN, |column| column[i]),
            units: Units::FIRST,
        };
        self.units.map_or(row, |units| row.restated(units[i]))
    }
}

/// The states of all symbols: one call a chunk, so that the loop over rows knows its kernel.
pub(super) trait Bank: Send {
    /// Appends a value a row to each column of `out`, in the units of the row.
    fn push_rows(
        &mut self,
        rows: &Columns<'_>,
        needs: &[Field],
        degrees: Degrees,
        out: &mut [Vec<f64>],
    );
}

struct States<K> {
    fresh: K,
    of_asset: Vec<K>,
}

/// A bank in which every symbol starts with a copy of `fresh`.
pub(super) fn bank<K: Kernel>(fresh: K) -> Box<dyn Bank> {
    Box::new(States { fresh, of_asset: Vec::new() })
}

/// The most columns an indicator gives.
const N_OUTPUTS_MAX: usize = 3;

impl<K: Kernel> Bank for States<K> {
    fn push_rows(
        &mut self,
        rows: &Columns<'_>,
        needs: &[Field],
        degrees: Degrees,
        out: &mut [Vec<f64>],
    ) {
        assert!(out.len() <= N_OUTPUTS_MAX);
        let n_assets = rows.assets.iter().max().map_or(0, |&asset| asset as usize + 1);
        if n_assets > self.of_asset.len() {
            self.of_asset.resize(n_assets, self.fresh.clone());
        }
        for (i, &asset) in rows.assets.iter().enumerate() {
            let row = rows.row(i);
            let mut values = [f64::NAN; N_OUTPUTS_MAX];
            if needs.iter().all(|&field| !row.value(field).is_nan()) {
                self.of_asset[asset as usize].push(&row, &mut values[..out.len()]);
            }
            let factor = row.units.factor(degrees);
            for (column, value) in out.iter_mut().zip(values.map(|value| value * factor)) {
                // What a division by 0 gives is no value.
                column.push(if value.is_finite() { value } else { f64::NAN });
            }
        }
    }
}
