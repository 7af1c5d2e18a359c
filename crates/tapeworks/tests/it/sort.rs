//! `sort_bars` against a sort in memory, with budgets that force many runs.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array, StringArray, UInt64Array};
use arrow::datatypes::{Int32Type, TimestampNanosecondType, UInt64Type};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tapeworks::data::{CheckLevel, ReadOptions, SortOptions, check, parse_bytes, sort_bars};

use crate::data::{DAY_NS, Folder, Row, batch, rows, shuffled, source, utc, write};

/// Timestamp, symbol, `bar_id` and number in the input of a row.
type Key = (i64, String, u64, i32);

/// Several rows a timestamp and symbol, told apart by `bar_id`, some of them not even by that.
fn table(n_days: i64) -> (RecordBatch, Vec<Key>) {
    let mut bars: Vec<Row> = Vec::new();
    for _ in 0..3 {
        bars.extend(rows(n_days, &["BBB", "AAA", "Ä", "CCC"]));
    }
    let bars = shuffled(&bars);
    let ids: Vec<u64> = (0..bars.len() as u64).map(|i| i * 7 % 3).collect();
    let n = i32::try_from(bars.len()).expect("few rows");
    let keys = bars.iter().zip(&ids).zip(0_i32..);
    let keys = keys.map(|((r, id), i)| (r.timestamp, r.symbol.clone(), *id, i)).collect();
    let plain = batch(&bars, utc(&bars), true);
    let mut columns: Vec<(String, ArrayRef)> = plain
        .schema()
        .fields()
        .iter()
        .zip(plain.columns())
        .map(|(field, column)| (field.name().clone(), Arc::clone(column)))
        .collect();
    columns.push(("bar_id".into(), Arc::new(UInt64Array::from(ids))));
    columns.push((
        "note".into(),
        Arc::new(StringArray::from_iter_values((0..n).map(|i| format!("n{i}")))),
    ));
    columns.push(("seq".into(), Arc::new(Int32Array::from_iter_values(0..n))));
    (RecordBatch::try_from_iter(columns).expect("columns of one length"), keys)
}

fn keys_of(path: &std::path::Path) -> Vec<Key> {
    let file = fs::File::open(path).expect("written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("parquet").build();
    let mut keys = Vec::new();
    for batch in reader.expect("parquet") {
        let batch = batch.expect("readable");
        let column = |name: &str| batch.column_by_name(name).expect(name);
        let symbols = arrow::compute::cast(column("symbol"), &arrow::datatypes::DataType::Utf8);
        let symbols = symbols.expect("text");
        for i in 0..batch.num_rows() {
            let seq = column("seq").as_primitive::<Int32Type>().value(i);
            assert_eq!(column("note").as_string::<i32>().value(i), format!("n{seq}"));
            keys.push((
                column("timestamp").as_primitive::<TimestampNanosecondType>().value(i),
                symbols.as_string::<i32>().value(i).to_owned(),
                column("bar_id").as_primitive::<UInt64Type>().value(i),
                seq,
            ));
        }
    }
    keys
}

#[test]
fn sort_when_the_budget_is_small_then_equals_a_sort_in_memory() {
    let folder = Folder::new("sort");
    let (table, mut expected) = table(1_500);
    // The number in the input is the last key: equal rows keep their order.
    expected.sort();
    let path = folder.file("in/bars.parquet");
    write(&path, &table, 5_000);
    // budget, least number of runs: the smallest one merges in two levels
    for (memory_bytes, least) in [(64 << 10, 65), (2 << 20, 2), (1 << 30, 1)] {
        let out = folder.file("out/sorted.parquet");
        let options = SortOptions { memory_bytes, ..SortOptions::default() };
        let sorted = sort_bars(path.to_str().expect("utf-8"), &out, &options).expect("sorted");
        assert_eq!(sorted.n_rows, expected.len() as u64);
        assert!(sorted.n_runs >= least && (least > 1 || sorted.n_runs == 1), "{sorted:?}");
        assert!(keys_of(&out) == expected, "{memory_bytes} bytes");
        let beside: Vec<_> =
            fs::read_dir(out.parent().expect("a folder")).expect("there").collect();
        assert_eq!(beside.len(), 1, "runs are gone: {beside:?}");
        fs::remove_file(&out).expect("there");
    }
}

#[test]
fn sort_when_files_are_by_symbol_then_the_name_becomes_a_column() {
    let folder = Folder::new("sort-by");
    for symbol in ["AAA", "BBB"] {
        let own = shuffled(&rows(50, &[symbol]));
        let path = folder.file(&format!("by/symbol={symbol}/part.parquet"));
        write(&path, &batch(&own, utc(&own), false), 1_000);
    }
    let out = folder.file("sorted.parquet");
    let by = folder.0.join("by");
    sort_bars(by.to_str().expect("utf-8"), &out, &SortOptions::default()).expect("sorted");
    let options = ReadOptions { level: CheckLevel::Standard, ..ReadOptions::default() };
    let report = check(source(&out), &options).expect("readable");
    assert_eq!((report.n_rows, report.n_symbols, report.findings.len()), (100, 2, 0), "{report}");
    assert_eq!(report.span, Some((19_000 * DAY_NS, 19_049 * DAY_NS)));
}

#[test]
fn sort_when_it_cannot_be_done_then_nothing_is_left() {
    let folder = Folder::new("sort-not");
    let text = "timestamp,symbol,open,high,low,close\n2022-01-04,A,1,1,1,1\n2022-01-03,A,1,1,1,1\n";
    fs::write(folder.file("bars.csv"), text).expect("writable");
    fs::write(folder.file("there.parquet"), "mine").expect("writable");
    fs::write(folder.file("broken.parquet"), "PAR1 nothing PAR1").expect("writable");
    let name = |file: &str| folder.0.join(file).to_str().expect("utf-8").to_owned();
    // source, output, memory, code
    let cases = [
        ("bars.csv", "there.parquet", 1 << 20, "W101"),
        ("bars.csv", "none/out.parquet", 1 << 20, "W101"),
        ("broken.parquet", "out.parquet", 1 << 20, "D102"),
        ("nothing.parquet", "out.parquet", 1 << 20, "D102"),
        ("bars.csv", "out.parquet", 1 << 10, "C301"),
    ];
    for (from, out, memory_bytes, code) in cases {
        let options = SortOptions { memory_bytes, ..SortOptions::default() };
        let error = sort_bars(&name(from), &folder.0.join(out), &options).expect_err(from);
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(fs::read_dir(&folder.0).expect("there").count(), 3, "{from} {out}");
    }
    assert_eq!(fs::read(folder.file("there.parquet")).expect("there"), b"mine");
    let out = folder.0.join("out.parquet");
    let sorted = sort_bars(&name("bars.csv"), &out, &SortOptions::default()).expect("text too");
    assert_eq!(sorted.n_rows, 2);
    let report = check(source(&out), &ReadOptions::default()).expect("readable");
    assert_eq!(report.repairs.sorted_rows, 0, "{report}");
}

#[test]
fn sizes_when_written_by_people_then_bytes() {
    for (text, bytes) in
        [("65536", 65_536), ("256MB", 256_000_000), ("1GiB", 1 << 30), ("2k", 2_000)]
    {
        assert_eq!(parse_bytes(text).expect(text), bytes);
    }
    for text in ["", "MB", "-1", "1.5GB", "9999999999999999999999", "1 lot"] {
        assert_eq!(parse_bytes(text).expect_err(text).code(), "C301");
    }
}
