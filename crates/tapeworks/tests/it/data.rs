//! Room `data`: readers against tables written here, a naive twin, and the real files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, DictionaryArray, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::record_batch::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tapeworks::base::{Symbols, Timestamp};
use tapeworks::data::{
    BarBatch, CheckLevel, CheckReport, CsvFormat, OnBadRow, ReadOptions, Severity, Source, check,
    describe, fingerprint, open_bars, read_context, read_signals,
};

pub(crate) const DAY_NS: i64 = 86_400_000_000_000;

/// A folder of its own for a test, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tapeworks-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a writable temporary folder");
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("writable");
        path
    }

    pub(crate) fn text(&self, name: &str, content: &str) -> Source {
        let path = self.file(name);
        fs::write(&path, content).expect("writable");
        source(&path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn source(path: &Path) -> Source {
    Source::Path(path.to_str().expect("utf-8").to_owned())
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) timestamp: i64,
    pub(crate) symbol: String,
    pub(crate) prices: [f64; 5],
    pub(crate) signal: f64,
}

/// Deterministic clean bars: `days` x `symbols`, by time then symbol.
pub(crate) fn rows(days: i64, symbols: &[&str]) -> Vec<Row> {
    let mut out = Vec::new();
    for day in 0..days {
        for (s, symbol) in symbols.iter().enumerate() {
            let base = 100.0
                + s as f64 * 10.0
                + ((day * 7 + i64::try_from(s).expect("few symbols") * 3) % 11) as f64;
            out.push(Row {
                timestamp: (19_000 + day) * DAY_NS,
                symbol: (*symbol).to_owned(),
                prices: [base, base + 2.0, base - 1.0, base + 1.0, 1000.0 + day as f64],
                signal: (day as f64) / 10.0 - s as f64,
            });
        }
    }
    out
}

/// A fixed permutation without a random source: multiplicative congruential shuffle.
pub(crate) fn shuffled(rows: &[Row]) -> Vec<Row> {
    let mut out = rows.to_vec();
    let mut state = 12_345_u64;
    for i in (1..out.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        out.swap(i, (state >> 33) as usize % (i + 1));
    }
    out
}

pub(crate) fn batch(rows: &[Row], timestamps: ArrayRef, with_symbol: bool) -> RecordBatch {
    let column = |c: usize| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| r.prices[c])))
    };
    let signal: ArrayRef = Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| r.signal)));
    let mut columns = vec![("timestamp", timestamps)];
    if with_symbol {
        let names = rows.iter().map(|r| r.symbol.as_str());
        let names: ArrayRef = Arc::new(names.collect::<DictionaryArray<Int32Type>>());
        columns.push(("symbol", names));
    }
    for (c, name) in ["open", "high", "low", "close", "volume"].into_iter().enumerate() {
        columns.push((name, column(c)));
    }
    columns.push(("signal", signal));
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

pub(crate) fn utc(rows: &[Row]) -> ArrayRef {
    let times = TimestampNanosecondArray::from_iter_values(rows.iter().map(|r| r.timestamp));
    Arc::new(times.with_timezone("UTC"))
}

pub(crate) fn write(path: &Path, batch: &RecordBatch, group_rows: usize) {
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(group_rows)).build();
    let file = fs::File::create(path).expect("writable");
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a valid schema");
    writer.write(batch).expect("writable");
    writer.close().expect("writable");
}

pub(crate) fn write_bars(path: &Path, rows: &[Row], group_rows: usize) {
    write(path, &batch(rows, utc(rows), true), group_rows);
}

pub(crate) fn stream(batch: RecordBatch) -> Source {
    let schema = batch.schema();
    let reader: Box<dyn RecordBatchReader + Send> =
        Box::new(RecordBatchIterator::new(vec![Ok(batch)], schema));
    Source::Arrow(reader)
}

/// Reads all rows and checks the invariant of the batches on the way.
pub(crate) fn read(
    source: Source,
    options: &ReadOptions,
) -> tapeworks::base::Result<(Vec<Row>, CheckReport)> {
    let mut reader = open_bars(source, options)?;
    let symbols = reader.symbols();
    let mut out = Vec::new();
    let mut last: Option<(i64, u32)> = None;
    while let Some(batch) = reader.next_batch()? {
        assert!(!batch.is_empty());
        assert!(last.is_none_or(|(t, _)| t < batch.timestamps[0]), "ends at a boundary");
        for i in 0..batch.len() {
            let key = (batch.timestamps[i], batch.assets[i]);
            assert!(last < Some(key), "strictly ascending");
            last = Some(key);
            out.push(row_of(&batch, i, &symbols));
        }
    }
    Ok((out, reader.report()))
}

fn row_of(batch: &BarBatch, i: usize, symbols: &Symbols) -> Row {
    Row {
        timestamp: batch.timestamps[i],
        symbol: symbols.name(tapeworks::base::AssetId(batch.assets[i])).to_owned(),
        prices: [batch.open[i], batch.high[i], batch.low[i], batch.close[i], batch.volume[i]],
        signal: batch.extras.first().map_or(f64::NAN, |column| column[i]),
    }
}

pub(crate) fn codes(report: &CheckReport, severity: Severity) -> Vec<(String, u64)> {
    let of = report.findings.iter().filter(|f| f.severity == severity);
    of.map(|f| (f.code.clone(), f.count)).collect()
}

pub(crate) fn real(path: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("TAPEWORKS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join("data/real").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no ../shared");
    None
}

#[test]
fn bars_when_read_in_any_batch_size_then_rows_are_equal() {
    let folder = Folder::new("batches");
    let expected = rows(40, &["AAA", "BBB", "CCC"]);
    let path = folder.file("bars.parquet");
    write_bars(&path, &expected, 33);
    for batch_rows in [1, 7, 4096] {
        let options = ReadOptions { batch_rows, ..ReadOptions::default() };
        let (found, report) = read(source(&path), &options).expect("clean bars");
        assert_eq!(found, expected, "batch_rows {batch_rows}");
        assert!(report.ok() && report.findings.is_empty(), "{report}");
        assert_eq!(report.n_rows, 120);
    }
}

#[test]
fn bars_when_shuffled_then_equal_to_sorted_and_counted() {
    let folder = Folder::new("shuffled");
    let expected = rows(40, &["AAA", "BBB", "CCC"]);
    let mixed = shuffled(&expected);
    // The naive count: rows before which a later time stands.
    let n_late = (0..mixed.len())
        .filter(|i| mixed[..*i].iter().any(|before| before.timestamp > mixed[*i].timestamp))
        .count() as u64;
    let n_late_in_symbol = (0..mixed.len())
        .filter(|i| {
            let row = &mixed[*i];
            let is_later = |b: &Row| b.symbol == row.symbol && b.timestamp > row.timestamp;
            mixed[..*i].iter().any(is_later)
        })
        .count() as u64;
    let path = folder.file("bars.parquet");
    for group_rows in [10, 1_000] {
        write_bars(&path, &mixed, group_rows);
        let (found, report) = read(source(&path), &ReadOptions::default()).expect("sortable");
        assert_eq!(found, expected);
        assert_eq!(report.repairs.sorted_rows, n_late, "groups of {group_rows}");
        assert_eq!(codes(&report, Severity::Warning), [("D301".to_owned(), n_late_in_symbol)]);
    }
    let (found, _) =
        read(stream(batch(&mixed, utc(&mixed), true)), &ReadOptions::default()).expect("sortable");
    assert_eq!(found, expected);
}

#[test]
fn bars_when_symbols_are_out_of_order_within_a_timestamp_then_sorted() {
    let folder = Folder::new("within");
    let expected = rows(30, &["AAA", "BBB", "CCC"]);
    let mut mixed = expected.clone();
    mixed.chunks_mut(3).for_each(<[Row]>::reverse);
    let path = folder.file("bars.parquet");
    write_bars(&path, &mixed, 1_000);
    let (found, report) = read(source(&path), &ReadOptions::default()).expect("sortable");
    assert_eq!(found, expected);
    assert_eq!(report.repairs.sorted_rows, 60);
}

#[test]
fn files_when_by_symbol_or_by_month_then_merged_like_one() {
    let folder = Folder::new("files");
    // More files than are kept open at once.
    let symbols: Vec<String> = (0..20).map(|i| format!("S{i:02}")).collect();
    let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
    let expected = rows(40, &symbols);
    for &symbol in &symbols {
        let one: Vec<Row> = expected.iter().filter(|r| r.symbol == symbol).cloned().collect();
        write(
            &folder.file(&format!("by_symbol/symbol={symbol}/part.parquet")),
            &batch(&one, utc(&one), false),
            16,
        );
    }
    for (i, part) in expected.chunks(200).enumerate() {
        write_bars(&folder.file(&format!("by_time/{}.parquet", 9 - i)), part, 1_000);
    }
    for name in ["by_symbol", "by_time", "by_time/*.parquet", "**/symbol=*/*.parquet"] {
        for batch_rows in [5, 4096] {
            let options = ReadOptions { batch_rows, ..ReadOptions::default() };
            let (found, report) = read(source(&folder.0.join(name)), &options).expect(name);
            assert_eq!(found, expected, "{name}");
            assert!(report.findings.is_empty(), "{report}");
        }
    }
}

#[test]
fn bars_when_range_symbols_and_columns_are_asked_then_only_they_come() {
    let folder = Folder::new("range");
    let all = rows(40, &["AAA", "BBB", "CCC"]);
    let path = folder.file("bars.parquet");
    write_bars(&path, &all, 30);
    let (start, end) = (19_010 * DAY_NS, 19_020 * DAY_NS);
    let options = ReadOptions {
        symbols: Some(vec!["CCC".into(), "AAA".into()]),
        start: Some(Timestamp(start)),
        end: Some(Timestamp(end)),
        columns: Some(vec![]),
        ..ReadOptions::default()
    };
    let mut reader = open_bars(source(&path), &options).expect("valid");
    assert!(reader.extras().is_empty());
    assert_eq!(reader.symbols().iter().collect::<Vec<_>>(), ["AAA", "CCC"]);
    let batch = reader.next_batch().expect("valid").expect("rows");
    let expected: Vec<i64> = all
        .iter()
        .filter(|r| r.symbol != "BBB" && (start..end).contains(&r.timestamp))
        .map(|r| r.timestamp)
        .collect();
    assert_eq!(batch.timestamps, expected);
    assert!(reader.next_batch().expect("valid").is_none());
}

#[test]
fn names_when_unknown_then_error_suggests_the_nearest() {
    let folder = Folder::new("names");
    let path = folder.file("bars.parquet");
    write_bars(&path, &rows(3, &["AAA"]), 100);
    let options = ReadOptions { columns: Some(vec!["signl".into()]), ..ReadOptions::default() };
    let error = read(source(&path), &options).expect_err("no such column");
    assert_eq!(error.code(), "D601");
    assert!(error.to_string().contains("did you mean \"signal\""), "{error}");
    let options = ReadOptions { symbols: Some(vec!["AAB".into()]), ..ReadOptions::default() };
    let error = read(source(&path), &options).expect_err("no such symbol");
    assert_eq!(error.code(), "D601");
    assert!(error.to_string().contains("did you mean \"AAA\""), "{error}");
}

#[test]
fn rows_when_one_breaks_a_rule_then_code_place_and_policy_are_right() {
    // code, how the row is broken, words of the error
    type Break = (&'static str, fn(&mut Row), &'static str);
    let cases: [Break; 7] = [
        ("D201", |r| r.prices[0] = f64::NAN, "open missing"),
        ("D202", |r| r.prices[1] = f64::INFINITY, "high inf"),
        ("D203", |r| r.prices[2] = 0.0, "low 0"),
        ("D204", |r| r.prices[1] = 1.0, "high 1 is below low"),
        ("D205", |r| r.prices[4] = -1.0, "volume -1"),
        ("D202", |r| r.signal = f64::NEG_INFINITY, "signal -inf"),
        ("D204", |r| r.prices[3] = 500.0, "is below close 500"),
    ];
    let folder = Folder::new("rules");
    let clean = rows(10, &["AAA", "BBB"]);
    for (i, (code, spoil, words)) in cases.into_iter().enumerate() {
        let mut bad = clean.clone();
        spoil(&mut bad[7]);
        let path = folder.file(&format!("{i}.parquet"));
        write_bars(&path, &bad, 100);
        let error = read(source(&path), &ReadOptions::default()).expect_err(words);
        assert_eq!(error.code(), code, "{error}");
        let text = error.to_string();
        for part in [words, "row 8", "BBB", "2022-01-11"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let report = check(source(&path), &ReadOptions::default()).expect("readable");
        assert!(!report.ok());
        assert_eq!((report.n_error_rows, report.n_rows), (1, 20));
        assert_eq!(report.findings[0].offenders[0].row, 8);

        let options = ReadOptions { on_bad_row: OnBadRow::Drop, ..ReadOptions::default() };
        let (found, report) = read(source(&path), &options).expect("dropped");
        let kept: Vec<Row> =
            clean.iter().enumerate().filter(|(i, _)| *i != 7).map(|(_, r)| r.clone()).collect();
        assert_eq!(found, kept);
        assert_eq!(report.repairs.dropped_rows, 1);
        assert!(report.ok());

        let options = ReadOptions { on_bad_row: OnBadRow::Null, ..ReadOptions::default() };
        let (found, report) = read(source(&path), &options).expect("made missing");
        assert_eq!(found.len(), 20);
        assert_eq!(report.repairs.nulled_rows, 1);
        let missing = found[7].prices.iter().chain([&found[7].signal]).any(|v| v.is_nan());
        assert!(missing, "{:?}", found[7]);
    }
}

#[test]
fn error_when_many_rows_are_bad_then_total_and_first_five_are_named() {
    let folder = Folder::new("total");
    let mut bad = rows(100, &["AAA", "BBB"]);
    for row in bad.iter_mut().step_by(4) {
        row.prices[1] = 1.0;
    }
    let path = folder.file("bars.parquet");
    write_bars(&path, &bad, 64);
    let options = ReadOptions { batch_rows: 8, ..ReadOptions::default() };
    let mut reader = open_bars(source(&path), &options).expect("opens");
    let error = reader.next_batch().expect_err("the first batch holds a bad row");
    assert!(error.message().contains("50 rows of 200"), "{error}");
    assert_eq!(reader.report().findings[0].offenders.len(), 5);
    assert!(reader.next_batch().expect("the read has ended").is_none());
}

#[test]
fn duplicates_when_equal_then_one_is_kept_and_when_different_then_error() {
    let folder = Folder::new("duplicates");
    let clean = rows(10, &["AAA", "BBB"]);
    let mut twice = clean.clone();
    twice.insert(6, clean[5].clone());
    let path = folder.file("bars.parquet");
    write_bars(&path, &twice, 100);
    let (found, report) = read(source(&path), &ReadOptions::default()).expect("one is kept");
    assert_eq!(found, clean);
    assert_eq!(report.repairs.dropped_duplicates, 1);
    assert_eq!(codes(&report, Severity::Warning), [("D302".to_owned(), 1)]);

    twice[6].prices[4] += 1.0;
    write_bars(&path, &twice, 100);
    let error = read(source(&path), &ReadOptions::default()).expect_err("they differ");
    assert_eq!(error.code(), "D302");
    for part in ["row 7", "row 6", "volume 1002 and volume 1003"] {
        assert!(error.message().contains(part), "{part} in {error}");
    }
    let other = folder.file("other.parquet");
    write_bars(&path, &clean, 100);
    write_bars(&other, &clean[4..8], 100);
    let (found, report) = read(source(&folder.0), &ReadOptions::default()).expect("equal rows");
    assert_eq!(found, clean);
    assert_eq!(report.repairs.dropped_duplicates, 4);
}

#[test]
fn times_when_stored_in_any_type_then_instants_agree() {
    let expected = rows(5, &["AAA"]);
    let by =
        |f: &dyn Fn(i64) -> i64| -> Vec<i64> { expected.iter().map(|r| f(r.timestamp)).collect() };
    let day = |t: i64| i32::try_from(t / DAY_NS).expect("small");
    // name, column, codes of the warnings
    let columns: Vec<(&str, ArrayRef, &[&str])> = vec![
        ("ns", utc(&expected), &[]),
        ("us naive", Arc::new(TimestampMicrosecondArray::from(by(&|t| t / 1_000))), &["D303"]),
        (
            "date",
            Arc::new(Date32Array::from_iter_values(expected.iter().map(|r| day(r.timestamp)))),
            &[],
        ),
        ("s", Arc::new(Int64Array::from(by(&|t| t / 1_000_000_000))), &["D304"]),
        ("ms", Arc::new(Int64Array::from(by(&|t| t / 1_000_000))), &["D304"]),
        ("ns int", Arc::new(Int64Array::from(by(&|t| t))), &["D304"]),
        (
            "text",
            Arc::new(StringArray::from_iter_values(
                expected.iter().map(|r| Timestamp(r.timestamp).to_string()),
            )),
            &["D304"],
        ),
    ];
    let folder = Folder::new("times");
    for (name, column, warnings) in columns {
        let table = batch(&expected, column, true);
        let path = folder.file("bars.parquet");
        write(&path, &table, 3);
        for source in [source(&path), stream(table)] {
            let (found, report) = read(source, &ReadOptions::default()).expect(name);
            assert_eq!(found, expected, "{name}");
            let found: Vec<String> =
                codes(&report, Severity::Warning).into_iter().map(|(code, _)| code).collect();
            assert_eq!(found, warnings, "{name}");
        }
    }
}

#[test]
fn times_when_naive_then_zone_is_applied_or_warned_about() {
    let folder = Folder::new("naive");
    let mut bars = rows(1, &["AAA"]);
    // 2022-01-08 09:30 on the wall clock; 14:30 UTC in New York's winter.
    bars[0].timestamp += 34_200_000_000_000;
    let times: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![bars[0].timestamp / 1_000]));
    let path = folder.file("bars.parquet");
    write(&path, &batch(&bars, times, true), 10);
    let (_, report) = read(source(&path), &ReadOptions::default()).expect("read as UTC");
    assert_eq!(codes(&report, Severity::Warning), [("D303".to_owned(), 1)]);
    let options = ReadOptions { tz: Some("America/New_York".into()), ..ReadOptions::default() };
    let (found, report) = read(source(&path), &options).expect("read as local time");
    assert_eq!(found[0].timestamp, bars[0].timestamp + 18_000_000_000_000);
    assert_eq!(codes(&report, Severity::Warning), []);
}

#[test]
fn csv_when_laid_out_in_any_common_way_then_rows_agree() {
    let folder = Folder::new("csv");
    let body = "2022-01-03,AAA,10,12,9,11,100\n2022-01-03,BBB,20,22,19,21,200\n";
    let header = "Date,Ticker,Open,High,Low,Close,Volume\n";
    let plain = format!("{header}{body}");
    let dates = "20220103,AAA,10,12,9,11,100\n20220103,BBB,20,22,19,21,200\n";
    let epoch = "1641168000,AAA,10,12,9,11,100\n1641168000,BBB,20,22,19,21,200\n";
    let texts = [
        ("plain", plain.clone()),
        ("mark", format!("\u{feff}{plain}")),
        ("crlf", plain.replace('\n', "\r\n")),
        ("tabs", plain.replace(',', "\t")),
        ("numbers as dates", format!("{header}{dates}")),
        ("epoch", format!("{header}{epoch}")),
        ("lower case", format!("timestamp,symbol,open,high,low,close,volume\n{body}")),
    ];
    let check_rows = |name: &str, source: Source, options: &ReadOptions| {
        let (found, report) = read(source, options).expect(name);
        let times: Vec<i64> = found.iter().map(|r| r.timestamp).collect();
        assert_eq!(times, [1_641_168_000_000_000_000; 2], "{name}");
        assert_eq!(found[0].symbol, "AAA");
        assert_eq!(found[1].prices, [20.0, 22.0, 19.0, 21.0, 200.0], "{name}");
        assert_eq!(codes(&report, Severity::Warning), [], "{name}");
    };
    for (name, text) in &texts {
        let options = ReadOptions::default();
        check_rows(name, folder.text("bars.csv", text), &options);
    }
    // Semicolons go with decimal commas as a rule, so they are read only when they are named.
    let semicolons = plain.replace(',', ";");
    let error = read(folder.text("bars.csv", &semicolons), &ReadOptions::default());
    assert!(error.expect_err("semicolons").message().contains("delimiter"));
    let csv = CsvFormat { delimiter: Some(b';'), ..CsvFormat::default() };
    let options = ReadOptions { csv, ..ReadOptions::default() };
    check_rows("semicolons", folder.text("bars.csv", &semicolons), &options);

    let names = ["timestamp", "symbol", "open", "high", "low", "close", "volume"];
    let csv =
        CsvFormat { columns: Some(names.map(str::to_owned).to_vec()), ..CsvFormat::default() };
    let options = ReadOptions { csv, ..ReadOptions::default() };
    check_rows("no header", folder.text("bars.csv", body), &options);

    // Two members, as `cat a.gz b.gz` makes them.
    let gz = |text: &str| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut out, text.as_bytes()).expect("memory");
        out.finish().expect("memory")
    };
    let packed = [gz(header), gz(body)].concat();
    let path = folder.file("bars.csv.gz");
    fs::write(&path, packed).expect("writable");
    check_rows("gzip", source(&path), &ReadOptions::default());
    let path = folder.file("bars.csv.zst");
    fs::write(&path, zstd::encode_all(plain.as_bytes(), 1).expect("memory")).expect("writable");
    check_rows("zstd", source(&path), &ReadOptions::default());
}

#[test]
fn csv_when_broken_then_error_names_line_column_and_text() {
    let folder = Folder::new("csv-broken");
    let header = "date,open,high,low,close,volume";
    let good = "2022-01-03,10,12,9,11,100";
    // body, code, words
    let cases = [
        (format!("{header}\n{good}\n2022-01-04,10,12,9\n"), "D101", "bars.csv:3"),
        (format!("{header}\n{good},7\n"), "D101", "7 columns"),
        (
            format!("{header}\n2022-01-03,10,x12,9,11,100\n"),
            "D101",
            "bars.csv:2:3: line 2, column high: \"x12\"",
        ),
        (format!("{header}\n01/03/2022,10,12,9,11,100\n"), "D303", "bars.csv:2:1"),
        (format!("{header}\n{good}\n{header}\n"), "D303", "bars.csv:3:1"),
        (format!("{good}\n"), "D101", "no header"),
        (String::new(), "D101", "empty"),
        ("date,open,high,low,cloze\n".to_owned(), "D101", "no column close"),
        (format!("{header},Adj Close,adj_close\n"), "D104", "both mean adj_close"),
    ];
    for (text, code, words) in cases {
        let error = read(folder.text("bars.csv", &text), &ReadOptions::default()).expect_err(words);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(words), "{words} in {error}");
        let report =
            check(folder.text("bars.csv", &text), &ReadOptions::default()).expect("a report");
        assert!(!report.ok(), "{words}");
    }
    let options = ReadOptions { tz: Some("America/New_York".into()), ..ReadOptions::default() };
    let text = format!("{header}\n2022-03-13 02:30,10,12,9,11,100\n");
    let error = read(folder.text("bars.csv", &text), &options).expect_err("a time that is not");
    assert_eq!(error.code(), "D303");
}

#[test]
fn parquet_when_damaged_or_of_wrong_shape_then_error() {
    let folder = Folder::new("damaged");
    let bars = rows(200, &["AAA", "BBB"]);
    let path = folder.file("bars.parquet");
    write_bars(&path, &bars, 100);
    let bytes = fs::read(&path).expect("readable");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("writable");
    let error = read(source(&path), &ReadOptions::default()).expect_err("cut");
    assert_eq!(error.code(), "D102");
    assert!(error.message().contains("bars.parquet"), "{error}");

    let short = batch(&bars, utc(&bars), true).project(&[0, 1, 2, 3, 4]).expect("columns exist");
    write(&path, &short, 100);
    let error = read(source(&path), &ReadOptions::default()).expect_err("no close");
    assert_eq!(error.code(), "D101");
    assert!(error.message().contains("no column close"), "{error}");
    let error = read(source(&folder.0.join("gone.parquet")), &ReadOptions::default());
    assert_eq!(error.expect_err("no file").code(), "D102");
    let error = read(source(&folder.0.join("*.csv")), &ReadOptions::default());
    assert_eq!(error.expect_err("no match").code(), "D101");
}

#[test]
fn folders_when_they_name_another_symbol_or_day_then_error() {
    let folder = Folder::new("hive");
    let bars = rows(3, &["AAA"]);
    let wrong = folder.file("a/symbol=BBB/part.parquet");
    write_bars(&wrong, &bars, 100);
    let report = check(source(&folder.0.join("a")), &ReadOptions::default()).expect("readable");
    assert_eq!(codes(&report, Severity::Error), [("D103".to_owned(), 3)]);
    let wrong = folder.file("b/date=2022-01-08/part.parquet");
    write_bars(&wrong, &bars, 100);
    let report = check(source(&folder.0.join("b")), &ReadOptions::default()).expect("readable");
    // Rows of 01-08, 01-09 (the end of the day) and 01-10: one is outside.
    assert_eq!(codes(&report, Severity::Error), [("D103".to_owned(), 1)]);
    let options = ReadOptions { start: Some(Timestamp(20_000 * DAY_NS)), ..ReadOptions::default() };
    let error = read(source(&folder.0.join("b")), &options).expect_err("pruned by its folder");
    assert_eq!(error.code(), "D601");
}

#[test]
fn symbols_when_empty_or_alike_then_found() {
    let folder = Folder::new("alike");
    let text = "date,symbol,open,high,low,close,volume\n\
                2022-01-03,AAA,1,2,1,1,1\n2022-01-03,aaa,1,2,1,1,1\n2022-01-03,,1,2,1,1,1\n";
    let report = check(folder.text("bars.csv", text), &ReadOptions::default()).expect("readable");
    assert_eq!(codes(&report, Severity::Error), [("D401".to_owned(), 1)]);
    assert_eq!(codes(&report, Severity::Warning), [("D401".to_owned(), 1)]);
}

#[test]
fn closes_when_they_halve_then_a_jump_is_warned_about_once() {
    let folder = Folder::new("jumps");
    let mut bars = rows(20, &["AAA", "BBB"]);
    for row in bars.iter_mut().filter(|r| r.symbol == "BBB" && r.timestamp >= 19_010 * DAY_NS) {
        row.prices[..4].iter_mut().for_each(|price| *price /= 2.0);
    }
    let path = folder.file("bars.parquet");
    write_bars(&path, &bars, 7);
    let (found, report) = read(source(&path), &ReadOptions::default()).expect("a warning");
    assert_eq!(found, bars);
    assert_eq!(codes(&report, Severity::Warning), [("D207".to_owned(), 1)]);
    let offender = &report.findings[0].offenders[0];
    assert_eq!((offender.row, offender.symbol.as_str()), (22, "BBB"));
}

#[test]
fn signals_and_context_when_messy_then_sorted_joined_or_refused() {
    let folder = Folder::new("signals");
    let symbols = Symbols::new(["AAA", "BBB"]);
    let text = "date,symbol,score\n2022-01-04,AAA,1\n2022-01-03,BBB,\n2022-01-03,AAA,0.5\n";
    let (table, report) =
        read_signals(folder.text("s.csv", text), &symbols, &ReadOptions::default()).expect("valid");
    assert_eq!(table.names, ["score"]);
    assert_eq!(table.assets, [0, 1, 0]);
    assert_eq!(table.columns[0][0], 0.5);
    assert!(table.columns[0][1].is_nan());
    assert_eq!(report.repairs.sorted_rows, 2);

    // text, code
    let cases = [
        ("date,symbol,score\n2022-01-03,AAA,1\n2022-01-03,AAA,2\n", "D602"),
        ("date,symbol,score\n2022-01-03,AAA,inf\n", "D602"),
        ("date,symbol,score\n2022-01-03,AAC,1\n", "D602"),
        ("date,score\n2022-01-03,1\n", "D101"),
    ];
    for (text, code) in cases {
        let error = read_signals(folder.text("s.csv", text), &symbols, &ReadOptions::default());
        assert_eq!(error.expect_err(text).code(), code, "{text}");
    }

    let text = "date,vix,rate\n2022-01-04,20,1\n2022-01-03,21,\n";
    let (table, _) =
        read_context(folder.text("c.csv", text), &ReadOptions::default()).expect("valid");
    assert_eq!(table.names, ["vix", "rate"]);
    assert_eq!(table.timestamps, [1_641_168_000_000_000_000, 1_641_254_400_000_000_000]);
    assert_eq!(table.columns[0], [21.0, 20.0]);
    assert!(table.columns[1][0].is_nan());
    for text in ["date,vix\n2022-01-03,1\n2022-01-03,2\n", "date,vix\n2022-01-03,inf\n"] {
        let error = read_context(folder.text("c.csv", text), &ReadOptions::default());
        assert_eq!(error.expect_err(text).code(), "D603");
    }
}

#[test]
fn describe_and_fingerprint_when_given_a_file_then_facts_agree() {
    let folder = Folder::new("describe");
    let path = folder.file("bars.parquet");
    write_bars(&path, &rows(40, &["AAA", "BBB"]), 33);
    let info = describe(source(&path), &ReadOptions::default()).expect("readable");
    assert_eq!((info.n_rows, info.n_row_groups), (80, 3));
    assert_eq!(info.symbols, ["AAA", "BBB"]);
    assert_eq!(info.span, Some((19_000 * DAY_NS, 19_039 * DAY_NS)));
    assert_eq!(info.modal_step_ns, Some(DAY_NS));
    assert_eq!(info.columns[0].0, "timestamp");
    let text = folder.file("abc.txt");
    fs::write(&text, "abc").expect("writable");
    // From `b3sum`, the reference program of BLAKE3.
    let known = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
    let found = fingerprint(&text).expect("readable");
    assert_eq!((found.blake3.as_str(), found.bytes), (known, 3));
}

#[test]
fn fast_check_when_the_table_is_large_then_says_sample() {
    let folder = Folder::new("fast");
    let mut bars = rows(3_000, &["AAA"]);
    bars[2_500].prices[1] = 1.0;
    let path = folder.file("bars.parquet");
    write_bars(&path, &bars, 10_000);
    let options = ReadOptions { level: CheckLevel::Fast, ..ReadOptions::default() };
    let report = check(source(&path), &options).expect("readable");
    assert!(report.sample && report.verdict().contains("sample"), "{report}");
    bars[5].prices[1] = 1.0;
    write_bars(&path, &bars, 10_000);
    let report = check(source(&path), &options).expect("readable");
    assert_eq!(codes(&report, Severity::Error), [("D204".to_owned(), 1)]);
}

#[test]
fn kaggle_sp500_when_checked_then_exactly_five_rows_are_refused() {
    let Some(path) = real("kaggle_sp500/individual_stocks_5yr") else { return };
    let report = check(source(&path.join("*.csv")), &ReadOptions::default()).expect("readable");
    assert_eq!((report.n_rows, report.n_error_rows), (121_855, 5), "{report}");
    let of = |code: &str| {
        let finding = report.findings.iter().find(|f| f.code == code).expect(code);
        let rows = finding.offenders.iter().map(|o| (o.symbol.clone(), o.timestamp.clone()));
        let mut rows: Vec<_> = rows.collect();
        rows.sort();
        rows
    };
    let row = |symbol: &str, date: &str| (symbol.to_owned(), date.to_owned());
    assert_eq!(
        of("D204"),
        [
            row("AOS", "2014-05-19"),
            row("BBY", "2016-03-14"),
            row("CHD", "2014-05-19"),
            row("CHK", "2014-06-30"),
        ]
    );
    assert_eq!(of("D201").len(), 1);
    assert_eq!(of("D201")[0].0, "BHF");
}

#[test]
fn lumibot_when_columns_are_mislabelled_then_shift_is_suggested() {
    let Some(path) = real("lumibot/XYZ_1D.csv") else { return };
    let report = check(source(&path), &ReadOptions::default()).expect("readable");
    assert!(!report.ok());
    let finding = report.findings.iter().find(|f| f.code == "D204").expect("prices out of order");
    assert!(finding.count >= 250, "{report}");
    assert!(finding.fix.contains("shifted"), "{}", finding.fix);
}

#[test]
fn lean_daily_when_scaled_then_prices_are_dollars() {
    let Some(folder) = real("lean/equity/usa/daily") else { return };
    let names = ["timestamp", "open", "high", "low", "close", "volume"];
    let csv = CsvFormat {
        columns: Some(names.map(str::to_owned).to_vec()),
        price_scale: 0.0001,
        delimiter: None,
    };
    let options = ReadOptions { csv, ..ReadOptions::default() };
    let report = check(source(&folder.join("*.zip")), &options).expect("readable");
    assert!(report.n_rows > 10_000, "{report}");
    let (found, _) = read(source(&folder.join("spy.zip")), &options).expect("readable");
    assert_eq!(found[0].symbol, "spy");
    assert!(found.iter().all(|r| r.prices[3] > 40.0 && r.prices[3] < 500.0));
}
