//! A row a symbol: how many rows, from when to when, how far apart, how much is missing.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampNanosecondArray, UInt64Array};
use arrow::record_batch::RecordBatch;

use super::table::{Bars, NO_START};

#[derive(Debug, Clone)]
struct Symbol {
    n_rows: u64,
    start: i64,
    end: i64,
    n_missing: u64,
    low: f64,
    high: f64,
    volume: f64,
}

impl Bars {
    /// A row a symbol, ascending by name: `symbol`, `n_rows`, `start`, `end`, `freq`, `n_missing`
    /// (missing values in all columns), `low` and `high` (the extremes of these columns, `close`
    /// where they are absent), `volume` (its sum over the rows that have one).
    ///
    /// Missing: null; `freq` of a symbol with one row, prices and volumes without a column.
    #[must_use]
    pub fn info(&self) -> RecordBatch {
        let of = |name: &str| self.column(name).or_else(|_| self.column("close")).ok();
        let (lows, highs, volumes) = (of("low"), of("high"), self.column("volume").ok());
        let empty = Symbol {
            n_rows: 0,
            start: i64::MAX,
            end: i64::MIN,
            n_missing: 0,
            low: f64::NAN,
            high: f64::NAN,
            volume: f64::NAN,
        };
        let mut all = vec![empty; self.symbols.len()];
        for (row, (&time, &asset)) in self.timestamps.iter().zip(&self.assets).enumerate() {
            let one = &mut all[asset as usize];
            let start = self.starts.as_ref().map_or(NO_START, |starts| starts[row]);
            one.n_rows += 1;
            one.start = one.start.min(if start == NO_START { time } else { start });
            one.end = time;
            one.n_missing += self.columns.iter().map(|c| u64::from(c[row].is_nan())).sum::<u64>();
            // NaN gives way to a number in both.
            one.low = one.low.min(lows.map_or(f64::NAN, |column| column[row]));
            one.high = one.high.max(highs.map_or(f64::NAN, |column| column[row]));
            let volume = volumes.map_or(f64::NAN, |column| column[row]);
            if !volume.is_nan() {
                one.volume = if one.volume.is_nan() { volume } else { one.volume + volume };
            }
        }
        let distances = self.distances();
        let present = self.present();
        let rows = || present.iter().map(|asset| &all[asset.index()]);
        let instants = |of: fn(&Symbol) -> i64| -> ArrayRef {
            let values = TimestampNanosecondArray::from_iter_values(rows().map(of));
            Arc::new(values.with_timezone("UTC"))
        };
        let counts = |of: fn(&Symbol) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(rows().map(of)))
        };
        let numbers = |of: fn(&Symbol) -> f64| -> ArrayRef {
            let there = rows().map(of).map(|value| (!value.is_nan()).then_some(value));
            Arc::new(there.collect::<Float64Array>())
        };
        let steps = present.iter().map(|asset| distances[asset.index()].frequency());
        let steps = steps.map(|step| step.map(|step| step.to_string()));
        let columns: [(&str, ArrayRef, bool); 9] = [
            ("symbol", Arc::new(StringArray::from_iter_values(self.symbols())), false),
            ("n_rows", counts(|one| one.n_rows), false),
            ("start", instants(|one| one.start), false),
            ("end", instants(|one| one.end), false),
            ("freq", Arc::new(steps.collect::<StringArray>()), true),
            ("n_missing", counts(|one| one.n_missing), false),
            ("low", numbers(|one| one.low), true),
            ("high", numbers(|one| one.high), true),
            ("volume", numbers(|one| one.volume), true),
        ];
        RecordBatch::try_from_iter_with_nullable(columns)
            .expect("Invariant: columns have a value a symbol")
    }
}
