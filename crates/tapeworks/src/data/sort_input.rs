//! The files of a table as record batches of one schema, and the columns that order their rows.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::clock::Clock;
use super::names::canonical;
use super::options::{ReadOptions, Source};
use super::plan::{FoundColumn, Roles, SymbolFrom, Table, stem};
use super::pread::PreadFile;
use super::reader::{Extent, TableReader};
use super::source::{Format, SourceFile, files};
use super::time_column::TimeColumn;
use super::time_unit::number_range;
use super::{arrow_file, dbn, json_lines};
use crate::base::{Error, Result};

const BATCH_ROWS: usize = 8_192;

/// Batches of one file after the other.
pub(super) type Batches = Box<dyn Iterator<Item = Result<RecordBatch>>>;

/// The files of a table that is to be sorted.
pub(super) struct SortInput {
    files: Vec<SourceFile>,
    schema: SchemaRef,
    keys: KeyColumns,
}

/// Where the keys are, and how times are read.
#[derive(Debug, Clone)]
pub(super) struct KeyColumns {
    time: usize,
    clock: TimeColumn,
    symbol: usize,
    bar_id: Option<usize>,
}

/// The keys of the rows of a batch.
#[derive(Debug)]
pub(super) struct Keys {
    times: arrow::buffer::ScalarBuffer<i64>,
    symbols: StringArray,
    bar_ids: Option<Vec<i64>>,
}

impl SortInput {
    pub(super) fn open(text: &str, tz: Option<&str>) -> Result<Self> {
        let options = ReadOptions { tz: tz.map(str::to_owned), ..ReadOptions::default() };
        let clock = Clock::new(&options, Table::Bars)?;
        let files = files(text)?;
        let mut schema: Option<(SchemaRef, String)> = None;
        for file in &files {
            let found = schema_of(file)?;
            match &schema {
                Some((first, name)) if *first != found => {
                    return Err(Error::data(
                        "D101",
                        format!("{} and {name} differ in columns or types", file.name),
                    )
                    .with_hint("sort them one by one, or write them alike"));
                }
                Some(_) => {}
                None => schema = Some((found, file.name.clone())),
            }
        }
        let (schema, name) =
            schema.ok_or_else(|| Error::data("D101", format!("{text}: no file")))?;
        let keys = KeyColumns::find(&schema, &name, &clock, &files)?;
        Ok(Self { files, schema, keys })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(super) fn key_columns(&self) -> KeyColumns {
        self.keys.clone()
    }

    /// All rows, file by file, at most `rows` at once where the format allows.
    pub(super) fn batches(self, rows: usize) -> Batches {
        let schema = self.schema;
        Box::new(self.files.into_iter().flat_map(move |file| -> Batches {
            match batches_of(&file, rows) {
                Ok(batches) => {
                    let (schema, symbol) = (Arc::clone(&schema), symbol_of(&file));
                    Box::new(batches.map(move |batch| adapted(&batch?, &schema, symbol.as_deref())))
                }
                Err(error) => Box::new(std::iter::once(Err(error))),
            }
        }))
    }
}

/// The symbol of all rows of a file that has no column of symbols.
fn symbol_of(file: &SourceFile) -> Option<String> {
    let in_path = file.partitions.iter().find(|(key, _)| canonical(key) == "symbol");
    in_path.map(|(_, value)| value.clone()).or_else(|| stem(&file.path))
}

/// Dictionaries of text become text, so that batches of different files can be joined, and a column
/// of symbols is added where the path names them.
fn adapted(batch: &RecordBatch, schema: &SchemaRef, symbol: Option<&str>) -> Result<RecordBatch> {
    let failed = |e: arrow::error::ArrowError| Error::data("D102", format!("cannot read: {e}"));
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for (i, field) in schema.fields().iter().enumerate() {
        columns.push(match batch.columns().get(i) {
            Some(column) => cast(column, field.data_type()).map_err(failed)?,
            None => Arc::new(StringArray::from(vec![symbol.unwrap_or(""); batch.num_rows()])),
        });
    }
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(failed)
}

/// The schema of a file as it will be written.
fn schema_of(file: &SourceFile) -> Result<SchemaRef> {
    let found = if file.format == Format::Parquet {
        Arc::clone(parquet_builder(file)?.schema())
    } else {
        let no_rows = || {
            Error::data("D101", format!("{}: no rows", file.name)).with_hint("leave the file out")
        };
        batches_of(file, BATCH_ROWS)?.next().ok_or_else(no_rows)??.schema()
    };
    let mut fields: Vec<Field> = found.fields().iter().map(|f| plain(f)).collect();
    if !fields.iter().any(|field| canonical(field.name()) == "symbol") {
        fields.push(Field::new("symbol", DataType::Utf8, false));
    }
    Ok(Arc::new(Schema::new(fields)))
}

fn plain(field: &Field) -> Field {
    match field.data_type() {
        DataType::Dictionary(_, value) => field.clone().with_data_type(value.as_ref().clone()),
        DataType::Utf8View | DataType::LargeUtf8 => field.clone().with_data_type(DataType::Utf8),
        _ => field.clone(),
    }
}

fn parquet_builder(file: &SourceFile) -> Result<ParquetRecordBatchReaderBuilder<PreadFile>> {
    let broken = |e: &dyn std::fmt::Display| {
        Error::data("D102", format!("{}: cannot be read as parquet: {e}", file.name))
            .with_hint("the file is damaged or cut; write or download it again")
    };
    let content = PreadFile::open(&file.path, true).map_err(|e| broken(&e))?;
    ParquetRecordBatchReaderBuilder::try_new(content).map_err(|e| broken(&e))
}

fn batches_of(file: &SourceFile, rows: usize) -> Result<Batches> {
    let name = file.name.clone();
    let broken = move |e: arrow::error::ArrowError| {
        Error::data("D102", format!("{name}: cannot be decoded: {e}"))
            .with_hint("the file is damaged or cut; write or download it again")
    };
    Ok(match file.format {
        Format::Parquet => {
            let reader = parquet_builder(file)?
                .with_batch_size(rows)
                .build()
                .map_err(|e| broken(e.into()))?;
            Box::new(reader.map(move |batch| batch.map_err(&broken)))
        }
        Format::Arrow => Box::new(arrow_file::open(file)?.map(move |b| b.map_err(&broken))),
        Format::JsonLines => Box::new(json_lines::open(file)?.map(move |b| b.map_err(&broken))),
        Format::Dbn => Box::new(dbn::open(file)?.map(move |b| b.map_err(&broken))),
        Format::Csv => text_batches(file)?,
    })
}

/// Text tables have no types: their times, symbols and numbers are read as bars are.
fn text_batches(file: &SourceFile) -> Result<Batches> {
    let source = Source::Path(file.name.clone());
    let options = ReadOptions { level: super::CheckLevel::Fast, ..ReadOptions::default() };
    let mut reader = TableReader::open(source, &options, Table::Bars, None, Extent::Whole)?;
    let names = reader.names().to_vec();
    let symbols = reader.symbol_names();
    Ok(Box::new(std::iter::from_fn(move || {
        let rows = match reader.next_counted() {
            Ok(rows) => rows?,
            Err(error) => return Some(Err(error)),
        };
        let times = arrow::array::TimestampNanosecondArray::from(rows.timestamps);
        let symbol = |asset: &u32| symbols.get(*asset as usize).map(String::as_str);
        let mut columns: Vec<(String, ArrayRef)> = vec![
            ("timestamp".to_owned(), Arc::new(times.with_timezone("UTC"))),
            (
                "symbol".to_owned(),
                Arc::new(rows.assets.iter().map(symbol).collect::<StringArray>()),
            ),
        ];
        for (name, values) in names.iter().zip(rows.columns) {
            let values = values.into_iter().map(|v| (!v.is_nan()).then_some(v));
            let values: arrow::array::Float64Array = values.collect();
            columns.push((name.clone(), Arc::new(values)));
        }
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
            .collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays);
        Some(batch.map_err(|e| Error::data("D102", e.to_string())))
    })))
}

impl KeyColumns {
    fn find(schema: &Schema, name: &str, clock: &Clock, files: &[SourceFile]) -> Result<Self> {
        let columns: Vec<_> = schema.fields().iter().map(|field| FoundColumn::of(field)).collect();
        let roles = Roles::find(&columns, Table::Bars, name, &[], None)?;
        let SymbolFrom::Column(symbol) = roles.symbol else {
            return Err(Error::data("D101", format!("{name}: no column symbol")));
        };
        let field = schema.field(roles.time);
        let place = format!("{name}: column {:?}", field.name());
        let mut times = TimeColumn::new(field.data_type(), clock, place)?;
        if times.needs_unit() {
            let mut range: Option<(i64, i64)> = None;
            for file in files {
                for batch in batches_of(file, BATCH_ROWS)? {
                    if let Some((low, high)) = number_range(batch?.column(roles.time)) {
                        range = Some(range.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
                    }
                }
            }
            let (low, high) = range.unwrap_or((0, 0));
            times.decide_unit(low, high)?;
        }
        let bar_id = columns.iter().position(|column| column.name == "bar_id");
        Ok(Self { time: roles.time, clock: times, symbol, bar_id })
    }

    /// The keys of a batch.
    pub(super) fn of(&self, batch: &RecordBatch) -> Result<Keys> {
        let failed = |e: arrow::error::ArrowError| Error::data("D101", e.to_string());
        let times = self.clock.convert(batch.column(self.time), 0)?;
        let symbols = cast(batch.column(self.symbol), &DataType::Utf8).map_err(failed)?;
        let bar_ids = match self.bar_id {
            Some(c) => {
                let ids = cast(batch.column(c), &DataType::Int64).map_err(failed)?;
                let ids = ids.as_primitive::<Int64Type>();
                Some(ids.iter().map(|id| id.unwrap_or(0)).collect())
            }
            None => None,
        };
        Ok(Keys { times, symbols: symbols.as_string::<i32>().clone(), bar_ids })
    }
}

impl Keys {
    /// A row of this batch against a row of another.
    pub(super) fn compare(&self, a: usize, other: &Self, b: usize) -> Ordering {
        let symbol = |keys: &Self, i: usize| !keys.symbols.is_null(i);
        self.times[a]
            .cmp(&other.times[b])
            .then_with(|| symbol(self, a).cmp(&symbol(other, b)))
            .then_with(|| self.symbols.value(a).as_bytes().cmp(other.symbols.value(b).as_bytes()))
            .then_with(|| {
                let id = |keys: &Self, i: usize| keys.bar_ids.as_ref().map_or(0, |ids| ids[i]);
                id(self, a).cmp(&id(other, b))
            })
    }
}
