//! Room `records`: the tables as files.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tapeworks::records::{RecordKind, write_csv, write_parquet};

use crate::run_log::{LogBuilder, by_hand, costly_records};
use crate::tables::{column, table, words};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tapeworks-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
}

#[test]
fn parquet_when_read_back_then_equal_with_metadata_and_no_temporary_file() {
    let folder = folder("parquet");
    let records = costly_records(5, 6, 100);
    for kind in RecordKind::ALL {
        let path = folder.join(kind.file_name());
        std::fs::write(&path, "an older file").unwrap();
        let written = write_parquet(&records, kind, &path, "run-1").unwrap();
        assert_eq!(written.bytes, std::fs::metadata(&path).unwrap().len());
        assert_eq!(written.rows, records.n_rows(kind) as u64);
        let again = folder.join("again.parquet");
        write_parquet(&records, kind, &again, "run-1").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
        let file = std::fs::File::open(&path).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let metadata = builder.metadata().file_metadata().key_value_metadata().unwrap();
        let entry = |key: &str| metadata.iter().find(|kv| kv.key == key)?.value.clone();
        assert_eq!(entry("schema_version").as_deref(), Some("1"));
        assert_eq!(entry("table").as_deref(), Some(kind.as_str()));
        assert_eq!(entry("run_id").as_deref(), Some("run-1"));
        let schema = records.schema(kind);
        let rows: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
        assert_eq!(
            rows.first().map(|batch| batch.schema().fields().clone()),
            Some(schema.fields().clone())
        );
        // The reader makes its own dictionaries: compare the texts.
        let found = concat_batches(&rows[0].schema(), &rows).unwrap();
        let wanted = table(&records, kind);
        for field in schema.fields() {
            let name = field.name();
            match field.data_type() {
                DataType::Dictionary(..) => {
                    assert_eq!(words(&found, name), words(&wanted, name), "{name}");
                }
                _ => assert_eq!(&column(&found, name), &column(&wanted, name), "{name}"),
            }
        }
    }
    let left = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, RecordKind::ALL.len() + 1);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn parquet_when_a_table_is_empty_then_the_file_has_its_columns_and_no_rows() {
    let folder = folder("empty");
    let records = LogBuilder::new(&["A"], 1.0).finish();
    for kind in RecordKind::ALL {
        let path = folder.join(kind.file_name());
        assert_eq!(write_parquet(&records, kind, &path, "").unwrap().rows, 0);
        let file = std::fs::File::open(&path).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        assert_eq!(builder.schema().fields(), records.schema(kind).fields());
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn csv_when_written_then_one_line_a_row_and_empty_cells_for_null() {
    let folder = folder("csv");
    let path = folder.join("positions.csv");
    let written = write_csv(&by_hand(), RecordKind::Positions, &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!((written.rows, written.bytes), (5, text.len() as u64));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "timestamp,symbol,status,quantity,entry_price,entry_timestamp,mark,value,unrealised,\
         fees_in,realised"
    );
    assert_eq!(
        lines[1],
        "1970-01-02T00:00:00Z,AAA,opened,100.0,10.0,1970-01-02T00:00:00Z,10.0,1000.0,0.0,2.0,0.0"
    );
    assert_eq!(lines[3], "1970-01-04T00:00:00Z,AAA,closed,0.0,,,9.0,0.0,0.0,0.0,46.0");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn files_when_the_folder_is_absent_then_the_error_names_it() {
    let path = std::env::temp_dir().join("tapeworks-no-such-folder/trades.parquet");
    let error = write_parquet(&by_hand(), RecordKind::Trades, &path, "").unwrap_err();
    assert_eq!(error.code(), "W101");
    assert!(error.message().contains("trades.parquet"), "{error}");
}
