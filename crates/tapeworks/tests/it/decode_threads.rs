//! Room `data`: what is read does not depend on whether a second thread decodes.

use std::fs;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use tapeworks::data::{BarBatch, CheckLevel, CheckReport, ReadOptions, check, open_bars};

use crate::data::{Folder, Row, rows, source, write_bars};

/// Above the 262,144 rows from which on a second thread is used.
const DAYS: i64 = 900;
const N_SYMBOLS: usize = 300;
const GROUP_ROWS: usize = 20_000;

fn table() -> Vec<Row> {
    let symbols: Vec<String> = (0..N_SYMBOLS).map(|i| format!("S{i:03}")).collect();
    let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
    rows(DAYS, &symbols)
}

fn options(threads: Option<usize>) -> ReadOptions {
    // Batches of another size than the blocks that are decoded.
    ReadOptions { threads, batch_rows: 7_000, ..ReadOptions::default() }
}

/// Batches up to the end or an error, its code and message, and the report.
type Read = (Vec<BarBatch>, Option<(&'static str, String)>, CheckReport);

fn read(path: &Path, threads: Option<usize>) -> Read {
    let mut batches = Vec::new();
    let mut reader = match open_bars(source(path), &options(threads)) {
        Ok(reader) => reader,
        Err(error) => {
            let told = (error.code(), error.message().to_owned());
            return (batches, Some(told), CheckReport::default());
        }
    };
    loop {
        match reader.next_batch() {
            Ok(Some(batch)) => batches.push(batch),
            Ok(None) => return (batches, None, reader.report()),
            Err(error) => {
                let told = (error.code(), error.message().to_owned());
                return (batches, Some(told), reader.report());
            }
        }
    }
}

fn bits(batches: &[BarBatch]) -> Vec<u64> {
    let mut out = Vec::new();
    for batch in batches {
        out.extend(batch.timestamps.iter().map(|t| t.cast_unsigned()));
        out.extend(batch.assets.iter().map(|a| u64::from(*a)));
        let prices = [&batch.open, &batch.high, &batch.low, &batch.close, &batch.volume];
        for column in prices.into_iter().chain(&batch.extras) {
            out.extend(column.iter().map(|value| value.to_bits()));
        }
    }
    out
}

#[test]
fn file_when_decoded_by_two_threads_then_batches_and_findings_are_those_of_one() {
    let folder = Folder::new("two-threads");
    let clean = table();
    // In order; one row group out of order within itself; row groups that overlap in time.
    let mut one_group = clean.clone();
    one_group[4 * GROUP_ROWS..5 * GROUP_ROWS].reverse();
    let mut overlapping = clean.clone();
    overlapping.swap(10, 200_000);
    for (what, bars) in [("clean", &clean), ("group", &one_group), ("overlap", &overlapping)] {
        let path = folder.file(&format!("{what}.parquet"));
        write_bars(&path, bars, GROUP_ROWS);
        let (one, one_error, one_report) = read(&path, Some(1));
        let (two, two_error, two_report) = read(&path, None);
        assert_eq!((&one_error, &two_error), (&None, &None), "{what}");
        assert_eq!(one.iter().map(BarBatch::len).sum::<usize>(), clean.len(), "{what}");
        assert_eq!(bits(&one), bits(&two), "{what}");
        assert_eq!(one_report, two_report, "{what}");
        // The values are those that were written.
        let close: Vec<f64> = two.iter().flat_map(|batch| batch.close.clone()).collect();
        assert!(clean.iter().zip(&close).all(|(row, close)| row.prices[3] == *close), "{what}");
        for level in [CheckLevel::Standard, CheckLevel::Paranoid] {
            let told = |threads| {
                let options = ReadOptions { threads, level, ..ReadOptions::default() };
                check(source(&path), &options).expect("readable")
            };
            assert_eq!(told(Some(1)), told(None), "{what}, {level:?}");
        }
    }
}

#[test]
fn file_when_a_page_of_any_column_is_damaged_then_both_ways_stop_at_one_place() {
    let folder = Folder::new("two-damaged");
    let path = folder.file("bars.parquet");
    write_bars(&path, &table(), GROUP_ROWS);
    let whole = fs::read(&path).expect("written");
    let footer = SerializedFileReader::new(fs::File::open(&path).expect("written"));
    let footer = footer.expect("whole").metadata().clone();
    let mut places = Vec::new();
    for column in footer.row_group(6).columns() {
        let first = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let first = first.min(column.data_page_offset());
        let mut damaged = whole.clone();
        let at = usize::try_from(first).expect("an offset");
        damaged[at..at + 16].fill(0xff);
        fs::write(&path, &damaged).expect("writable");
        let name = column.column_path().string();
        let (one, two) = (read(&path, Some(1)), read(&path, None));
        let (code, message) = one.1.clone().unwrap_or_else(|| panic!("{name}: read as if whole"));
        assert_eq!(code, "D102", "{name}: {message}");
        assert_eq!(two.1.map(|(code, _)| code), Some(code), "{name}");
        assert_eq!(bits(&one.0), bits(&two.0), "{name}");
        places.push(one.0.iter().map(BarBatch::len).sum::<usize>());
    }
    assert_eq!(places.len(), 8, "a time, a symbol, five values and a signal");
    assert!(places.iter().all(|n| *n <= 6 * GROUP_ROWS), "{places:?}");
}

#[test]
fn reader_when_dropped_early_then_the_next_one_reads_the_same() {
    let folder = Folder::new("two-dropped");
    let path = folder.file("bars.parquet");
    write_bars(&path, &table(), GROUP_ROWS);
    let first = |threads| {
        let mut reader = open_bars(source(&path), &options(threads)).expect("whole");
        reader.next_batch().expect("whole").expect("rows")
    };
    let expected = first(Some(1));
    for _ in 0..20 {
        assert_eq!(bits(&[first(None)]), bits(std::slice::from_ref(&expected)));
    }
}
