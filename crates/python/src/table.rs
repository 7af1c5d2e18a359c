//! `Table`: rows that leave the engine through the Arrow C stream, to any library the user has.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, RecordBatchIterator, RecordBatchReader,
    StringArray, TimestampNanosecondArray, UInt32Array,
};
use arrow::compute::{cast, concat};
use arrow::datatypes::{
    DataType, Field, Float64Type, Schema, SchemaRef, TimeUnit, TimestampNanosecondType,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use pyo3::exceptions::{PyImportError, PyKeyError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use tapeworks::base::{Error, Symbols, Timestamp};
use tapeworks::broker::PositionView;
use tapeworks::data::TypeOrder;
use tapeworks::records::{AtomicFile, RecordKind, Records};

use crate::c_api::export_stream;
use crate::errors::py_err;
use crate::grid::{Grid, without_zone};
use crate::numpy_view;
use tapeworks::base::spelling::nearest;

/// Rows a batch that leaves through the stream.
const BATCH_ROWS: usize = 65_536;

/// An immutable table of rows. It is an Arrow stream (`__arrow_c_stream__`), so any library that
/// speaks Arrow takes it as it is; the `to_...` methods import that library when they are called.
///
///     >>> import tapeworks as tw
///     >>> result = tw.run(tw.sample("daily"), tw.rules.buy_and_hold(), cash=100_000)
///     >>> result.fills.to_numpy("symbol").tolist()
///     ['AAPL', 'IBM', 'MSFT']
///     >>> result.fills.to_polars().columns == result.fills.columns
///     True
#[pyclass(frozen, module = "tapeworks")]
pub struct Table {
    name: String,
    rows: Rows,
}

enum Rows {
    /// Made from the run log when they are asked for.
    Records(Arc<Records>, RecordKind),
    Batches(SchemaRef, Arc<Vec<RecordBatch>>),
}

impl Table {
    /// One of the six tables of a run.
    pub fn of_records(records: Arc<Records>, kind: RecordKind) -> Self {
        Self { name: kind.as_str().to_owned(), rows: Rows::Records(records, kind) }
    }

    /// A table of ready batches.
    pub fn of_batches(name: &str, schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { name: name.to_owned(), rows: Rows::Batches(schema, Arc::new(batches)) }
    }

    /// Market rows: instant, symbol and number columns.
    pub fn of_rows<'a>(
        timestamps: Vec<i64>,
        symbols: impl Iterator<Item = &'a str>,
        columns: Vec<(&str, Vec<f64>)>,
    ) -> Self {
        let instant = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let mut fields = vec![
            Field::new("timestamp", instant, false),
            Field::new("symbol", DataType::Utf8, false),
        ];
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(TimestampNanosecondArray::from(timestamps).with_timezone("UTC")),
            Arc::new(StringArray::from_iter_values(symbols)),
        ];
        for (name, values) in columns {
            fields.push(Field::new(name, DataType::Float64, true));
            let known = values.into_iter().map(|value| (!value.is_nan()).then_some(value));
            arrays.push(Arc::new(known.collect::<Float64Array>()));
        }
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
            .expect("the arrays were made for these fields");
        Self::of_batches("rows", schema, vec![batch])
    }

    /// Positions as they stand.
    pub fn of_positions(symbols: &Symbols, views: &[PositionView]) -> Self {
        let text = views.iter().map(|view| symbols.name(view.asset));
        let opened = views.iter().map(|view| view.entry_timestamp);
        let instant = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let mut fields = vec![Field::new("symbol", DataType::Utf8, false)];
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(StringArray::from_iter_values(text))];
        let columns: [(&str, Number); 5] = [
            ("quantity", |view| view.quantity),
            ("entry_price", |view| view.entry_price),
            ("mark", |view| view.mark),
            ("value", |view| view.value),
            ("unrealised", |view| view.unrealised),
        ];
        for (name, of) in columns {
            fields.push(Field::new(name, DataType::Float64, false));
            arrays.push(Arc::new(Float64Array::from_iter_values(views.iter().map(of))));
        }
        fields.push(Field::new("entry_timestamp", instant, false));
        let opened = TimestampNanosecondArray::from_iter_values(opened).with_timezone("UTC");
        arrays.push(Arc::new(opened));
        fields.push(Field::new("bars_held", DataType::UInt32, false));
        let bars = UInt32Array::from_iter_values(views.iter().map(|view| view.bars_held));
        arrays.push(Arc::new(bars));
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
            .expect("the arrays were made for these fields");
        Self::of_batches("positions", schema, vec![batch])
    }

    /// A Parquet file as a table.
    ///
    /// # Errors
    /// `OutputError` `TW-W106` when the file cannot be read.
    pub fn read_parquet(name: &str, path: &Path) -> PyResult<Self> {
        let unreadable = |cause: &dyn std::fmt::Display| {
            let text = format!("{}: {cause}", path.display());
            py_err(tapeworks::base::Error::output("W106", text).with_hint("make the run again"))
        };
        let file = File::open(path).map_err(|cause| unreadable(&cause))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(|cause| unreadable(&cause))?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|cause| unreadable(&cause))?;
        Ok(Self::of_batches(name, schema, batches))
    }

    fn schema(&self) -> SchemaRef {
        match &self.rows {
            Rows::Records(records, kind) => records.schema(*kind),
            Rows::Batches(schema, _) => Arc::clone(schema),
        }
    }

    /// The rows, a batch at a time.
    pub fn reader(&self) -> Box<dyn RecordBatchReader + Send> {
        let schema = self.schema();
        match &self.rows {
            Rows::Records(records, kind) => {
                let batches = records.batches(*kind, BATCH_ROWS).map(Ok);
                Box::new(RecordBatchIterator::new(batches, schema))
            }
            Rows::Batches(_, batches) => {
                let batches = Shared { batches: Arc::clone(batches), next: 0 };
                Box::new(RecordBatchIterator::new(batches, schema))
            }
        }
    }

    fn n_rows(&self) -> usize {
        match &self.rows {
            Rows::Records(records, kind) => records.n_rows(*kind),
            Rows::Batches(_, batches) => batches.iter().map(RecordBatch::num_rows).sum(),
        }
    }

    fn column(&self, name: &str) -> PyResult<ArrayRef> {
        let schema = self.schema();
        let Ok(place) = schema.index_of(name) else {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            let near = nearest(name, names)
                .map_or(String::new(), |near| format!("; did you mean '{near}'?"));
            return Err(PyKeyError::new_err(format!("no column '{name}' in {}{near}", self.name)));
        };
        let mut parts = Vec::new();
        for batch in self.reader() {
            parts.push(Arc::clone(batch.map_err(arrow_error)?.column(place)));
        }
        if parts.is_empty() {
            return Ok(arrow::array::new_empty_array(schema.field(place).data_type()));
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        concat(&parts).map_err(arrow_error)
    }

    /// A column of numbers, NaN for null.
    pub fn numbers(&self, name: &str) -> PyResult<Vec<f64>> {
        let column = self.column(name)?;
        let values = column.as_primitive::<Float64Type>();
        Ok(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
    }

    /// The first and the last timestamp.
    pub fn instants(&self) -> PyResult<(Option<Timestamp>, Option<Timestamp>)> {
        let column = self.column("timestamp")?;
        let stamps = column.as_primitive::<TimestampNanosecondType>().values();
        Ok((stamps.first().copied().map(Timestamp), stamps.last().copied().map(Timestamp)))
    }

    /// The first and last rows as text, for `repr`.
    fn grid(&self, rows_shown: usize) -> PyResult<Grid> {
        Grid::of_batches(&self.schema(), self.reader(), self.n_rows(), rows_shown)
            .map_err(arrow_error)
    }

    /// The first and last rows as an HTML table under a title.
    pub fn html(&self, title: &str) -> PyResult<String> {
        Ok(self.grid(20)?.html(title))
    }

    fn title(&self) -> String {
        format!(
            "{}: {} rows x {} columns",
            self.name,
            thousands(self.n_rows()),
            self.columns().len()
        )
    }
}

/// Reads one number of a position.
type Number = fn(&PositionView) -> f64;

/// Batches handed out one after the other without copying.
struct Shared {
    batches: Arc<Vec<RecordBatch>>,
    next: usize,
}

impl Iterator for Shared {
    type Item = Result<RecordBatch, arrow::error::ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.get(self.next)?.clone();
        self.next += 1;
        Some(Ok(batch))
    }
}

#[pymethods]
impl Table {
    /// The names of the columns, in order.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.n_rows()
    }

    /// The rows as an Arrow C stream, in batches.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        export_stream(py, self.reader())
    }

    /// The rows as a `polars.DataFrame`.
    pub fn to_polars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let polars = library(py, "polars", "polars")?;
        polars.getattr("DataFrame")?.call1((self.again(py)?,))
    }

    /// The rows as a `pandas.DataFrame`.
    pub fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let pandas = library(py, "pandas", "pandas")?;
        match pandas.getattr("DataFrame")?.getattr("from_arrow") {
            Ok(from_arrow) => from_arrow.call1((self.again(py)?,)),
            Err(_) => self.to_arrow(py)?.call_method0("to_pandas"),
        }
    }

    /// The rows as a `pyarrow.Table`.
    pub fn to_arrow<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let pyarrow = library(py, "pyarrow", "pandas")?;
        pyarrow.getattr("table")?.call1((self.again(py)?,))
    }

    /// One column as a numpy array: `float64`, `datetime64[ns]` (UTC; dates as midnights), or
    /// objects for text.
    ///
    /// Nulls of a number column become NaN.
    fn to_numpy<'py>(&self, py: Python<'py>, column: &str) -> PyResult<Bound<'py, PyAny>> {
        let array = without_zone(&py.detach(|| self.column(column))?);
        match array.data_type() {
            DataType::Timestamp(..) | DataType::Date32 => {
                let unit = DataType::Timestamp(TimeUnit::Nanosecond, None);
                let array = cast(&array, &unit).map_err(arrow_error)?;
                let values = array.as_primitive::<TimestampNanosecondType>();
                let values: Vec<i64> =
                    values.iter().map(|value| value.unwrap_or(i64::MIN)).collect();
                let values: Arc<[i64]> = values.into();
                let numbers = numpy_view::view(py, Box::new(Arc::clone(&values)), &values)?;
                numbers.call_method1("view", ("datetime64[ns]",))
            }
            kind if kind.is_numeric() || *kind == DataType::Boolean => {
                let array = cast(&array, &DataType::Float64).map_err(arrow_error)?;
                let values = array.as_primitive::<Float64Type>();
                let values: Arc<[f64]> = values.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
                numpy_view::view(py, Box::new(Arc::clone(&values)), &values)
            }
            _ => {
                let texts = cast(&array, &DataType::Utf8).map_err(arrow_error)?;
                let texts: Vec<Option<&str>> = texts.as_string::<i32>().iter().collect();
                numpy_view::asarray(py)?.call1((texts, "O"))
            }
        }
    }

    /// Writes the rows as a Parquet file (zstd), whole or not at all.
    fn write_parquet(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let failed = |cause: &dyn std::fmt::Display| {
            Error::output("W102", format!("cannot write {}: {cause}", path.display()))
        };
        let write = || -> tapeworks::base::Result<()> {
            let mut file = AtomicFile::create(&path)?;
            let level = ZstdLevel::try_new(3).expect("zstd has level 3");
            let properties =
                WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
            let ordered = TypeOrder::new(&mut file, self.schema().fields().len());
            let mut writer = ArrowWriter::try_new(ordered, self.schema(), Some(properties))
                .map_err(|cause| failed(&cause))?;
            for batch in self.reader() {
                let batch = batch.map_err(|cause| failed(&cause))?;
                writer.write(&batch).map_err(|cause| failed(&cause))?;
            }
            let ordered = writer.into_inner().map_err(|cause| failed(&cause))?;
            ordered.finish().map_err(|cause| failed(&cause))?;
            file.commit().map(drop)
        };
        py.detach(write).map_err(py_err)
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("{}\n{}", self.title(), self.grid(10)?.text(80)))
    }

    fn _repr_html_(&self) -> PyResult<String> {
        self.html(&self.title())
    }
}

impl Table {
    /// This table once more, as the Python object that a library reads the stream of.
    fn again<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        let rows = match &self.rows {
            Rows::Records(records, kind) => Rows::Records(Arc::clone(records), *kind),
            Rows::Batches(schema, batches) => {
                Rows::Batches(Arc::clone(schema), Arc::clone(batches))
            }
        };
        Bound::new(py, Self { name: self.name.clone(), rows })
    }
}

/// A whole number with commas.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An optional library, or the command that installs it.
pub fn library<'py>(py: Python<'py>, name: &str, extra: &str) -> PyResult<Bound<'py, PyModule>> {
    py.import(name).map_err(|_| {
        PyImportError::new_err(format!(
            "{name} is not installed\nhint: pip install 'tapeworks[{extra}]'"
        ))
    })
}

/// An Arrow failure, which no input of ours should cause.
pub fn arrow_error(error: arrow::error::ArrowError) -> PyErr {
    PyRuntimeError::new_err(format!("arrow: {error}"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Table>()
}
