//! A table as a Parquet file.

use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use arrow::datatypes::{DataType, Schema};

use super::{AtomicFile, RecordKind, Records};
use crate::base::file::write_error;
use crate::base::{Result, StopFlag};
use crate::data::TypeOrder;

/// Version of the schemas of all tables, kept in the metadata of each file.
pub const SCHEMA_VERSION: u32 = 1;

/// Rows made and encoded at a time.
const BATCH_ROWS: usize = 8_192;

/// Rows of a row group.
const ROW_GROUP_ROWS: usize = 128 * 1024;

/// zstd level.
const ZSTD_LEVEL: i32 = 3;

/// What a writer left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Rows of the table.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Writes a table to `path`, whole or not at all; a file that is there is replaced.
///
/// zstd, row groups of 128 Ki rows, metadata `schema_version`, `table` and `run_id`. The same
/// records give the same bytes.
///
/// # Errors
/// `W101` to `W103`: the file cannot be made, written or named.
pub fn write_parquet(
    records: &Records,
    kind: RecordKind,
    path: &Path,
    run_id: &str,
) -> Result<Written> {
    write_parquet_until(records, kind, path, run_id, &StopFlag::default())
}

/// [`write_parquet`] that ends, and leaves no file, once `stop` is raised.
pub(crate) fn write_parquet_until(
    records: &Records,
    kind: RecordKind,
    path: &Path,
    run_id: &str,
    stop: &StopFlag,
) -> Result<Written> {
    let batches = records.batches(kind, BATCH_ROWS);
    let schema = batches.schema();
    let properties = properties(&schema, kind, run_id);
    let mut file = AtomicFile::create(path)?;
    let failed = |cause: parquet::errors::ParquetError| write_error(path, &cause);
    let ordered = TypeOrder::new(&mut file, schema.fields().len());
    let mut writer = ArrowWriter::try_new(ordered, schema, Some(properties)).map_err(failed)?;
    let mut rows = 0;
    for batch in batches {
        stop.check()?;
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(failed)?;
    }
    let ordered = writer.into_inner().map_err(failed)?;
    ordered.finish().map_err(|cause| failed(cause.into()))?;
    Ok(Written { rows, bytes: file.commit()? })
}

/// Dictionaries only for texts: numbers and times seldom repeat, and hashing them costs more than
/// it saves.
fn properties(schema: &Schema, kind: RecordKind, run_id: &str) -> WriterProperties {
    let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let metadata = vec![
        entry("schema_version", SCHEMA_VERSION.to_string()),
        entry("table", kind.as_str().to_owned()),
        entry("run_id", run_id.to_owned()),
    ];
    let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("Invariant: a level zstd knows");
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("tapeworks ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_dictionary_enabled(false)
        .set_key_value_metadata(Some(metadata));
    for field in schema.fields() {
        let column = ColumnPath::from(field.name().as_str());
        builder = match field.data_type() {
            DataType::Dictionary(..) => builder.set_column_dictionary_enabled(column, true),
            DataType::Timestamp(..) | DataType::UInt32 => {
                builder.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED)
            }
            _ => builder,
        };
    }
    builder.build()
}
