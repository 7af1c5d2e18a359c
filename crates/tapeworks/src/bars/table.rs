//! The columns of bars, and parts of them.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use arrow::buffer::ScalarBuffer;
use arrow::record_batch::RecordBatch;

use super::metadata::Metadata;
use crate::base::spelling::nearest;
use crate::base::{Adjustment, AssetId, Calendar, Error, Result, Symbols, Timestamp};
use crate::data::CheckReport;

/// The start of a bar that nobody knows.
pub(super) const NO_START: i64 = i64::MIN;
/// Names of the key columns, in the order of the table; the second is there when starts are known.
pub(super) const KEYS: [&str; 3] = ["timestamp", "start_time", "symbol"];

/// Bars of one or many symbols in long form, in time order.
///
/// Shape: a value a row in every column; rows are sorted by (timestamp, symbol), a pair of which
/// there is once. Timestamps are the instants at which bars are known, ns UTC. Columns are `f64`.
/// Missing: NaN inside, null in Arrow.
///
/// Cloning and slicing share the columns. Metadata, Arrow arrays and null masks are made when they
/// are first asked for.
///
/// # Example
/// ```
/// use std::sync::Arc;
/// use tapeworks::bars::{Bars, Terms};
///
/// let names = ["open", "high", "low", "close"].map(Arc::from);
/// let columns = [1.0, 2.0, 0.5, 1.5].map(|price| vec![price, price + 1.0]);
/// let bars = Bars::of_rows("A", vec![60_i64, 120], Arc::new(names), columns, Terms::utc());
/// assert_eq!(bars.len(), 2);
/// assert_eq!(bars.column("close")?[..], [1.5, 2.5]);
/// assert_eq!(bars.slice(Some(120), None).timestamps()[..], [120]);
/// # Ok::<(), tapeworks::base::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Bars {
    pub(super) symbols: Arc<Symbols>,
    pub(super) timestamps: ScalarBuffer<i64>,
    /// First instant of each bar, [`NO_START`] where it is not known.
    pub(super) starts: Option<ScalarBuffer<i64>>,
    pub(super) assets: ScalarBuffer<u32>,
    pub(super) names: Arc<[Arc<str>]>,
    pub(super) columns: Vec<ScalarBuffer<f64>>,
    pub(super) terms: Arc<Terms>,
    pub(super) made: Made,
}

/// What was made on request, for these rows and columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Made {
    pub(super) present: OnceLock<Vec<AssetId>>,
    pub(super) metadata: OnceLock<Metadata>,
    pub(super) arrays: OnceLock<Vec<ArrayRef>>,
    pub(super) plain: OnceLock<RecordBatch>,
    pub(super) packed: OnceLock<RecordBatch>,
}

/// What is known of bars besides their values; all parts of a table share it.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The zone of their dates, an IANA name.
    pub tz: String,
    /// The sessions of their market.
    pub calendar: Option<Arc<Calendar>>,
    /// What the prices are said to be.
    pub adjustment: Option<Adjustment>,
    /// Whether timestamps are dates, at their midnights in `tz`, and no instants.
    pub is_dated: bool,
    /// What reading them found.
    pub report: Option<CheckReport>,
}

impl Terms {
    /// Bars in UTC of which nothing else is known.
    #[must_use]
    pub fn utc() -> Arc<Self> {
        Arc::new(Self { tz: "UTC".to_owned(), ..Self::default() })
    }
}

impl Bars {
    /// Bars of one symbol from columns that are ready, vectors or shared buffers: nothing is
    /// copied, sorted or checked.
    ///
    /// Shape: ascending `timestamps` (ns UTC), a column a name, a value a timestamp.
    ///
    /// Cost: below a microsecond for 200 rows; everything else waits until it is asked for.
    #[must_use]
    pub fn of_rows(
        symbol: &str,
        timestamps: impl Into<ScalarBuffer<i64>>,
        names: Arc<[Arc<str>]>,
        columns: impl IntoIterator<Item = impl Into<ScalarBuffer<f64>>>,
        terms: Arc<Terms>,
    ) -> Self {
        let timestamps = timestamps.into();
        let n = timestamps.len();
        let columns: Vec<ScalarBuffer<f64>> = columns.into_iter().map(Into::into).collect();
        assert_eq!(columns.len(), names.len(), "a name a column");
        assert!(columns.iter().all(|column| column.len() == n), "a value a timestamp");
        debug_assert!(timestamps.windows(2).all(|pair| pair[0] < pair[1]));
        Self {
            symbols: Arc::new(Symbols::new([symbol])),
            timestamps,
            starts: None,
            assets: vec![0; n].into(),
            names,
            columns,
            terms,
            made: Made::default(),
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// Every column by name: `timestamp`, `start_time` where starts are known, `symbol`, values.
    #[must_use]
    pub fn column_names(&self) -> Vec<&str> {
        let keys = KEYS.into_iter().filter(|key| *key != KEYS[1] || self.starts.is_some());
        keys.chain(self.names.iter().map(AsRef::as_ref)).collect()
    }

    /// The columns of values by name.
    pub fn value_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    /// Missing values of all columns.
    #[must_use]
    pub fn n_missing(&self) -> usize {
        self.arrays().iter().map(|array| array.null_count()).sum()
    }

    /// The instants at which the rows are known, ns UTC.
    #[must_use]
    pub fn timestamps(&self) -> &ScalarBuffer<i64> {
        &self.timestamps
    }

    /// First instants of the bars, ns UTC; `i64::MIN` where one is not known, `None` where none is.
    #[must_use]
    pub fn starts(&self) -> Option<&ScalarBuffer<i64>> {
        self.starts.as_ref()
    }

    /// The symbols that have rows, ascending.
    pub fn symbols(&self) -> impl ExactSizeIterator<Item = &str> {
        self.present().iter().map(|&asset| self.symbols.name(asset))
    }

    /// The symbol of each row.
    pub fn row_symbols(&self) -> impl ExactSizeIterator<Item = &str> {
        self.assets.iter().map(|&asset| self.symbols.name(AssetId(asset)))
    }

    /// The values of a column; missing is NaN.
    ///
    /// # Errors
    /// `D601` when no column of values has this name.
    pub fn column(&self, name: &str) -> Result<&ScalarBuffer<f64>> {
        self.names
            .iter()
            .position(|known| **known == *name)
            .map(|place| &self.columns[place])
            .ok_or_else(|| self.no_column(name))
    }

    /// What is known of the rows besides their values.
    #[must_use]
    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// The same rows with these columns of values, in this order; the keys stay.
    ///
    /// # Errors
    /// `D601` for a name that is not there.
    pub fn select<S: AsRef<str>>(&self, names: &[S]) -> Result<Self> {
        let mut kept: Vec<Arc<str>> = Vec::new();
        let mut columns = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            if KEYS.contains(&name) && self.column_names().contains(&name) {
                continue;
            }
            let column = self.column(name)?;
            if !kept.iter().any(|known| **known == *name) {
                kept.push(name.into());
                columns.push(column.clone());
            }
        }
        let names = kept.into();
        Ok(Self { names, columns, made: Made::default(), ..self.clone() })
    }

    /// The rows with `start <= timestamp < end` (ns UTC). Nothing is copied.
    #[must_use]
    pub fn slice(&self, start: Option<i64>, end: Option<i64>) -> Self {
        let place = |at: i64| self.timestamps.partition_point(|time| *time < at);
        let from = start.map_or(0, place);
        let to = end.map_or(self.len(), place).max(from);
        self.rows(from..to)
    }

    /// The rows of these symbols. Rows that stand together are shared, others copied.
    ///
    /// # Errors
    /// `D601` for a symbol that has no row here.
    pub fn of_symbols<S: AsRef<str>>(&self, symbols: &[S]) -> Result<Self> {
        let mut is_wanted = vec![false; self.symbols.len()];
        for name in symbols.iter().map(AsRef::as_ref) {
            let asset = self.symbols.id(name);
            match asset.filter(|asset| self.present().binary_search(asset).is_ok()) {
                Some(asset) => is_wanted[asset.index()] = true,
                None => return Err(self.no_symbol(name)),
            }
        }
        let wanted = |asset: &u32| is_wanted[*asset as usize];
        let n = self.assets.iter().filter(|&asset| wanted(asset)).count();
        let from = self.assets.iter().position(wanted).unwrap_or(0);
        if self.assets[from..from + n].iter().all(wanted) {
            return Ok(self.rows(from..from + n));
        }
        let mut kept = Vec::with_capacity(n);
        kept.extend((0..self.len()).filter(|&row| wanted(&self.assets[row])));
        Ok(Self {
            timestamps: taken(&self.timestamps, &kept),
            starts: self.starts.as_ref().map(|starts| taken(starts, &kept)),
            assets: taken(&self.assets, &kept),
            columns: self.columns.iter().map(|column| taken(column, &kept)).collect(),
            made: Made::default(),
            ..self.clone()
        })
    }

    /// Rows by position. Nothing is copied.
    #[must_use]
    pub fn rows(&self, range: Range<usize>) -> Self {
        let (from, n) = (range.start, range.len());
        Self {
            symbols: Arc::clone(&self.symbols),
            timestamps: self.timestamps.slice(from, n),
            starts: self.starts.as_ref().map(|starts| starts.slice(from, n)),
            assets: self.assets.slice(from, n),
            names: Arc::clone(&self.names),
            columns: self.columns.iter().map(|column| column.slice(from, n)).collect(),
            terms: Arc::clone(&self.terms),
            made: Made::default(),
        }
    }

    /// Bytes of the columns.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.len() * (12 + 8 * (self.columns.len() + usize::from(self.starts.is_some())))
    }

    fn no_column(&self, name: &str) -> Error {
        let there = self.column_names();
        let text = format!("no column {name:?}; the bars have {}", there.join(", "));
        let hint = match nearest(name, there) {
            Some(near) => format!("did you mean {near:?}?"),
            None => "take a name from the list".to_owned(),
        };
        Error::data("D601", text).with_hint(hint)
    }

    fn no_symbol(&self, name: &str) -> Error {
        let there: Vec<&str> = self.symbols().collect();
        let span = match (self.timestamps.first(), self.timestamps.last()) {
            (Some(&first), Some(&last)) => format!("{} .. {}", Timestamp(first), Timestamp(last)),
            _ => "no time at all".to_owned(),
        };
        let text = format!("no row of symbol {name:?} among {} symbols in {span}", there.len());
        let hint = match nearest(name, there) {
            Some(near) => format!("did you mean {near:?}?"),
            None => "take a name from symbols".to_owned(),
        };
        Error::data("D601", text).with_hint(hint)
    }
}

fn taken<T: arrow::datatypes::ArrowNativeType>(
    values: &ScalarBuffer<T>,
    rows: &[usize],
) -> ScalarBuffer<T> {
    rows.iter().map(|&row| values[row]).collect()
}
