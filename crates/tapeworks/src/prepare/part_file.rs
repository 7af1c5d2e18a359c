//! One Parquet file of prepared rows.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::TimestampNanosecondArray;
use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::options::Compression;
use crate::base::file::write_error;
use crate::base::{AtomicFile, Result, Symbols};
use crate::data::TypeOrder;

/// Rows of a row group.
pub(super) const ROW_GROUP_ROWS: usize = 128 * 1024;
/// Rows handed to the writer at a time: pages then end at the same rows whatever the chunks were.
const BATCH_ROWS: usize = 32 * 1024;

/// What all files of a table have in common.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    schema: SchemaRef,
    /// The names behind ids; `None` for a table without symbols.
    symbols: Option<Arc<StringArray>>,
    has_symbol_column: bool,
    properties: WriterProperties,
    batch_rows: usize,
}

impl Shape {
    /// A table of `columns`, with symbols when it has them, `row_group_rows` a row group.
    pub(super) fn new(
        symbols: Option<&Symbols>,
        has_symbol_column: bool,
        columns: &[String],
        compression: Compression,
        row_group_rows: usize,
        metadata: Vec<(String, String)>,
    ) -> Self {
        let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let mut fields = vec![Field::new("timestamp", time, false)];
        if has_symbol_column {
            let names = DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into());
            fields.push(Field::new("symbol", names, false));
        }
        fields.extend(columns.iter().map(|name| Field::new(name, DataType::Float64, true)));
        let entries = metadata.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        let sorted =
            |column_idx| SortingColumn { column_idx, descending: false, nulls_first: true };
        let sorting = (0..if has_symbol_column { 2 } else { 1 }).map(sorted).collect();
        let codec = match compression {
            Compression::Zstd(level) => Codec::ZSTD(
                ZstdLevel::try_new(i32::from(level)).expect("Invariant: a level zstd knows"),
            ),
            Compression::Snappy => Codec::SNAPPY,
            Compression::None => Codec::UNCOMPRESSED,
        };
        let mut builder = WriterProperties::builder()
            .set_created_by(concat!("tapeworks ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(codec)
            .set_max_row_group_row_count(Some(row_group_rows))
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_sorting_columns(Some(sorting))
            .set_key_value_metadata(Some(entries));
        if symbols.is_some() && !has_symbol_column {
            // Many files are open at a time: a dictionary a column of each costs more memory than
            // the rows do.
            builder = builder.set_dictionary_enabled(false);
        }
        builder = builder
            .set_column_dictionary_enabled(ColumnPath::from("timestamp"), false)
            .set_column_encoding(ColumnPath::from("timestamp"), Encoding::DELTA_BINARY_PACKED);
        Self {
            schema: Arc::new(Schema::new(fields)),
            symbols: symbols.map(|names| Arc::new(StringArray::from_iter_values(names.iter()))),
            has_symbol_column,
            properties: builder.build(),
            batch_rows: BATCH_ROWS.min(row_group_rows),
        }
    }
}

/// Rows on their way to files: a timestamp, an asset and a value a column each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) timestamps: &'a [i64],
    /// Empty for a table without symbols.
    pub(super) assets: &'a [u32],
    pub(super) columns: &'a [&'a [f64]],
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct PartFile {
    shape: Shape,
    writer: ArrowWriter<TypeOrder<AtomicFile>>,
    timestamps: Vec<i64>,
    keys: Vec<i32>,
    columns: Vec<Vec<f64>>,
    pub(super) n_rows: u64,
}

impl PartFile {
    pub(super) fn create(path: &Path, shape: &Shape) -> Result<Self> {
        let file = AtomicFile::create(path)?;
        let properties = Some(shape.properties.clone());
        let ordered = TypeOrder::new(file, shape.schema.fields().len());
        let writer = ArrowWriter::try_new(ordered, Arc::clone(&shape.schema), properties)
            .map_err(|cause| write_error(path, &cause))?;
        let n_columns = shape.schema.fields().len() - 1 - usize::from(shape.has_symbol_column);
        Ok(Self {
            shape: shape.clone(),
            writer,
            timestamps: Vec::new(),
            keys: Vec::new(),
            columns: vec![Vec::new(); n_columns],
            n_rows: 0,
        })
    }

    /// Appends the rows of `range`.
    pub(super) fn push(&mut self, rows: &Rows<'_>, range: Range<usize>, path: &Path) -> Result<()> {
        let mut from = range.start;
        while from < range.end {
            let room = self.shape.batch_rows - self.timestamps.len();
            let part = from..range.end.min(from + room);
            from = part.end;
            self.n_rows += part.len() as u64;
            self.timestamps.extend_from_slice(&rows.timestamps[part.clone()]);
            if self.shape.has_symbol_column {
                let key = |&asset: &u32| i32::try_from(asset).expect("fewer than 2^31 symbols");
                self.keys.extend(rows.assets[part.clone()].iter().map(key));
            }
            for (held, column) in self.columns.iter_mut().zip(rows.columns) {
                held.extend_from_slice(&column[part.clone()]);
            }
            if self.timestamps.len() == self.shape.batch_rows {
                self.write_batch(path)?;
            }
        }
        Ok(())
    }

    fn write_batch(&mut self, path: &Path) -> Result<()> {
        if self.timestamps.is_empty() {
            return Ok(());
        }
        let times = TimestampNanosecondArray::from(std::mem::take(&mut self.timestamps));
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(times.with_timezone("UTC"))];
        if let (true, Some(names)) = (self.shape.has_symbol_column, &self.shape.symbols) {
            let keys = Int32Array::from(std::mem::take(&mut self.keys));
            let names = Arc::clone(names) as ArrayRef;
            let column = DictionaryArray::<Int32Type>::try_new(keys, names);
            arrays.push(Arc::new(column.expect("Invariant: ids are below the number of names")));
        }
        for column in &mut self.columns {
            let values = std::mem::take(column).into_iter();
            let present = values.map(|value| (!value.is_nan()).then_some(value));
            arrays.push(Arc::new(present.collect::<Float64Array>()));
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.shape.schema), arrays);
        let batch = batch.expect("Invariant: columns have the types of the schema");
        self.writer.write(&batch).map_err(|cause| write_error(path, &cause))
    }

    /// Writes what is left and the footer; the file still has its temporary name.
    pub(super) fn finish(mut self, path: &Path) -> Result<(AtomicFile, u64)> {
        self.write_batch(path)?;
        let ordered = self.writer.into_inner().map_err(|cause| write_error(path, &cause))?;
        let mut file = ordered.finish().map_err(|cause| write_error(path, &cause))?;
        file.sync()?;
        Ok((file, self.n_rows))
    }
}
