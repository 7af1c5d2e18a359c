//! Bars as files, whole or not at all.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::table::{Bars, KEYS};
use crate::base::file::write_error;
use crate::base::{AtomicFile, Result};
use crate::data::{self, TypeOrder};

/// Rows of a row group.
const ROW_GROUP_ROWS: usize = 128 * 1024;
/// Rows that are encoded at a time.
const BATCH_ROWS: usize = 8_192;
const ZSTD_LEVEL: i32 = 3;

impl Bars {
    /// Writes the rows as a Parquet file and gives its bytes; a file that is there is replaced.
    ///
    /// zstd 3, row groups of 128 Ki rows with statistics by page, symbols as a dictionary, and in
    /// the footer the order of the rows, zone, calendar, adjustment, and that stamps are ends
    /// unless they are dates: [`super::read_bars`] reads the same bars. The same bars give the same
    /// bytes.
    ///
    /// # Errors
    /// `W101` to `W103`: the file cannot be made, written or named.
    pub fn write_parquet(&self, path: &Path) -> Result<u64> {
        let batch = self.packed();
        let mut file = AtomicFile::create(path)?;
        let failed = |cause: parquet::errors::ParquetError| write_error(path, &cause);
        // What the schema says of itself stands in the footer, a key each.
        let schema = Arc::new(Schema::new(batch.schema().fields().clone()));
        let batch = RecordBatch::try_new(schema, batch.columns().to_vec())
            .expect("Invariant: the same columns");
        let ordered = TypeOrder::new(&mut file, batch.num_columns());
        let mut writer = ArrowWriter::try_new(ordered, batch.schema(), Some(self.properties()))
            .map_err(failed)?;
        for from in (0..batch.num_rows()).step_by(BATCH_ROWS) {
            let n = BATCH_ROWS.min(batch.num_rows() - from);
            writer.write(&batch.slice(from, n)).map_err(failed)?;
        }
        let ordered = writer.into_inner().map_err(failed)?;
        ordered.finish().map_err(|cause| failed(cause.into()))?;
        file.commit()
    }

    /// Writes the rows as a CSV file and gives its bytes; a file that is there is replaced.
    ///
    /// One header line, comma, quotes where needed. Times are `2024-03-08T14:30:00Z`, numbers the
    /// shortest text that reads back to the same f64, a missing value is empty.
    ///
    /// # Errors
    /// `W101` to `W103`: the file cannot be made, written or named.
    pub fn write_csv(&self, path: &Path) -> Result<u64> {
        let batch = self.packed();
        let part = |from| batch.slice(from, BATCH_ROWS.min(batch.num_rows() - from));
        let parts = (0..batch.num_rows()).step_by(BATCH_ROWS).map(part);
        data::write_csv(&batch.schema(), parts, path).map(|(_, bytes)| bytes)
    }

    fn properties(&self) -> WriterProperties {
        let entry = |(key, value): (String, String)| KeyValue::new(key, value);
        let sorted =
            |column_idx| SortingColumn { column_idx, descending: false, nulls_first: true };
        let symbol = 1 + i32::from(self.starts().is_some());
        let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("Invariant: a level zstd knows");
        let mut builder = WriterProperties::builder()
            .set_created_by(concat!("tapeworks ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_dictionary_enabled(false)
            .set_sorting_columns(Some([0, symbol].map(sorted).to_vec()))
            .set_key_value_metadata(Some(self.entries().into_iter().map(entry).collect()))
            .set_column_dictionary_enabled(ColumnPath::from(KEYS[2]), true);
        for time in &KEYS[..2] {
            let path = ColumnPath::from(*time);
            builder = builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
        builder.build()
    }
}
