//! Bars as an object: parts share memory, facts against a naive twin, blocks of a stream in any
//! cut and order.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampNanosecondArray};
use arrow::record_batch::{RecordBatch, RecordBatchIterator};
use proptest::prelude::*;
use tapeworks::bars::{Bars, Frequency, Terms, read_bars};
use tapeworks::base::Step;
use tapeworks::data::{CheckLevel, ReadOptions, Source};

const MINUTE_NS: i64 = 60_000_000_000;
/// Minute 0 of the tests: 2024-03-08 14:30 UTC, no midnight in reach of them.
const FIRST: i64 = 1_709_908_200_000_000_000;

/// (minute, symbol, close)
type Row = (i64, u8, f64);

fn batch(rows: &[Row]) -> RecordBatch {
    let stamps = rows.iter().map(|row| FIRST + row.0 * MINUTE_NS);
    let stamps = TimestampNanosecondArray::from_iter_values(stamps);
    let names = StringArray::from_iter_values(rows.iter().map(|row| format!("S{}", row.1)));
    let closes: ArrayRef = Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2)));
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![("timestamp", Arc::new(stamps.with_timezone("UTC"))), ("symbol", Arc::new(names))];
    columns.extend(["open", "high", "low", "close"].map(|name| (name, Arc::clone(&closes))));
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The rows as a stream of batches that end at `cuts`.
fn stream(rows: &[Row], cuts: &BTreeSet<usize>) -> Source {
    let whole = batch(rows);
    let ends = cuts.iter().copied().filter(|cut| *cut < rows.len()).chain([rows.len()]);
    let mut from = 0;
    let parts: Vec<_> = ends
        .map(|to| {
            let part = whole.slice(from, to - from);
            from = to;
            Ok(part)
        })
        .collect();
    Source::Arrow(Box::new(RecordBatchIterator::new(parts, whole.schema())))
}

fn read(source: Source) -> Bars {
    let options = ReadOptions { level: CheckLevel::Fast, ..ReadOptions::default() };
    read_bars(source, None, None, &options).unwrap()
}

fn window(n: usize) -> Bars {
    let names: Arc<[Arc<str>]> = ["open", "high", "low", "close"].map(Arc::from).into();
    let times: Vec<i64> = (1..=n).map(|i| FIRST + i64::try_from(i).unwrap() * MINUTE_NS).collect();
    let closes: Vec<f64> = (0..n).map(|i| 100.0 + i as f64).collect();
    Bars::of_rows("SPY", times, names, vec![closes; 4], Terms::utc())
}

#[test]
fn window_when_made_then_a_table_of_one_symbol() {
    let bars = window(200);
    let known = bars.metadata();
    assert_eq!((known.n_rows, known.symbols.as_slice()), (200, ["SPY".to_owned()].as_slice()));
    assert_eq!(known.freq, Some(Frequency::Every(Step::Span(MINUTE_NS))));
    assert_eq!(bars.batch().num_rows(), 200);
    assert_eq!(bars.column("close").unwrap()[199], 299.0);
    assert!(bars.terms().report.is_none());
    let hours = bars.resample(Step::Span(60 * MINUTE_NS)).unwrap();
    // Ends 15:00, 16:00 and 17:00; the rows behind them make no whole hour.
    assert_eq!(hours.column("close").unwrap().to_vec(), [129.0, 189.0, 249.0]);
}

#[test]
fn parts_when_taken_then_they_point_into_the_same_columns() {
    let bars = window(200);
    let at = |bars: &Bars| bars.column("close").unwrap().as_ptr() as usize;
    let part = bars.slice(Some(FIRST + 11 * MINUTE_NS), Some(FIRST + 21 * MINUTE_NS));
    assert_eq!((part.len(), at(&part) - at(&bars)), (10, 80));
    assert_eq!(at(&part.of_symbols(&["SPY"]).unwrap()), at(&part));
    assert_eq!(at(&part.select(&["close"]).unwrap()), at(&part));
    let stream = part.packed().column_by_name("close").unwrap().to_data();
    assert_eq!(stream.buffers()[0].as_ptr() as usize, at(&part));
    assert!(bars.slice(Some(i64::MAX), None).is_empty());
    assert!(bars.slice(Some(FIRST + MINUTE_NS * 9), Some(FIRST)).is_empty());
}

#[test]
fn names_when_no_row_has_them_then_no_symbol_of_the_part() {
    let rows: Vec<Row> = vec![(1, 0, 1.0), (1, 1, 2.0), (2, 1, 3.0), (3, 2, 4.0)];
    let bars = read(stream(&rows, &BTreeSet::new()));
    let part = bars.slice(Some(FIRST + 2 * MINUTE_NS), None);
    assert_eq!(part.metadata().symbols, ["S1", "S2"]);
    assert_eq!(read(part.source()).metadata().symbols, ["S1", "S2"]);
    assert_eq!(read(part.source()).row_symbols().collect::<Vec<_>>(), ["S1", "S2"]);
    let error = part.of_symbols(&["S0"]).unwrap_err();
    assert_eq!(error.code(), "D601");
}

proptest! {
    /// However a stream is cut into batches, and in whatever order its rows come, the bars are the
    /// rows sorted by (time, symbol).
    #[test]
    fn stream_when_cut_and_shuffled_then_sorted_rows(
        keys in prop::collection::btree_set((0_i64..60, 0_u8..4), 2..120),
        cuts in prop::collection::btree_set(1_usize..120, 0..8),
        order in prop::collection::vec(any::<u32>(), 120),
        is_shuffled in any::<bool>(),
    ) {
        let sorted: Vec<Row> = keys
            .iter()
            .enumerate()
            .map(|(i, &(minute, symbol))| (minute, symbol, 1.0 + i as f64))
            .collect();
        let mut rows = sorted.clone();
        if is_shuffled {
            let mut keyed: Vec<_> = order.into_iter().zip(rows).collect();
            keyed.sort_by_key(|(key, row)| (*key, row.0, row.1));
            rows = keyed.into_iter().map(|(_, row)| row).collect();
        }
        let bars = read(stream(&rows, &cuts));
        let minute = |ns: &i64| (ns - FIRST) / MINUTE_NS;
        let found: Vec<(i64, String, f64)> = bars
            .timestamps()
            .iter()
            .zip(bars.row_symbols())
            .zip(bars.column("close").unwrap())
            .map(|((ns, symbol), close)| (minute(ns), symbol.to_owned(), *close))
            .collect();
        let wanted: Vec<_> = sorted.iter().map(|row| (row.0, format!("S{}", row.1), row.2)).collect();
        prop_assert_eq!(found, wanted);

        // A part by symbols and time is what a filter of the rows leaves.
        let (from, to) = (20, 40);
        let names: Vec<String> = bars.metadata().symbols.iter().step_by(2).cloned().collect();
        let part = bars.of_symbols(&names).unwrap();
        let part = part.slice(Some(FIRST + from * MINUTE_NS), Some(FIRST + to * MINUTE_NS));
        let closes = part.column("close").unwrap().to_vec();
        let kept = sorted.iter().filter(|row| {
            (from..to).contains(&row.0) && names.contains(&format!("S{}", row.1))
        });
        prop_assert_eq!(closes, kept.map(|row| row.2).collect::<Vec<_>>());
    }
}
