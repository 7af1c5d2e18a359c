//! What a caller may hand in as a table: a path, or a frame of any library that speaks Arrow.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::data::Source;
use tapeworks::run::InputEntry;

use crate::bars::PyBars;
use crate::c_api::import_stream;
use crate::errors::py_err;
use crate::lazy_frame::LazyFile;

/// A frame of more chunks than this is put together by its library.
const PARTS_MAX: usize = 1_000;

/// A table of the caller.
#[derive(Clone)]
pub enum Input {
    /// A file, a glob or a folder, read anew by every run.
    Path(String),
    /// A lazy frame, written to a file of ours.
    Lazy(LazyFile),
    /// Several paths, one a line, and the files of ours among them.
    Several(String, Vec<LazyFile>),
    /// Batches of a frame, shared with it and never copied.
    Batches(SchemaRef, Arc<Vec<RecordBatch>>),
}

impl Input {
    /// Reads the argument `name`: a path, [`PyBars`], anything with `__arrow_c_stream__`, or a lazy
    /// polars frame, which is run into a temporary file batch by batch.
    ///
    /// A pandas frame with a named index (a `DatetimeIndex`, a `MultiIndex`) has it turned into
    /// columns by pandas itself; unnamed levels become `timestamp` and `symbol` by their type.
    ///
    /// # Errors
    /// `DataError` `TW-D120` for anything else.
    pub fn read(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let has = |attribute: &str| value.hasattr(attribute);
        if value.is_instance_of::<pyo3::types::PyString>() || has("__fspath__")? {
            let path: PathBuf = value.extract()?;
            return Ok(Self::Path(path.to_string_lossy().into_owned()));
        }
        if let Ok(bars) = value.cast::<PyBars>() {
            let known = bars.get();
            let batch = value.py().detach(|| known.bars.packed().clone());
            return Ok(Self::Batches(batch.schema(), Arc::new(vec![batch])));
        }
        if LazyFile::is_lazy(value)? {
            return LazyFile::write(value).map(Self::Lazy);
        }
        let frame = if has("reset_index")? && has("rename_axis")? {
            flattened(value)?
        } else {
            value.clone()
        };
        if !frame.hasattr("__arrow_c_stream__")? {
            return Err(no_frame(name, value));
        }
        let mut batches = Vec::new();
        let mut schema = None;
        for part in parts(&frame)? {
            let reader = import_stream(&part)?;
            schema.get_or_insert_with(|| reader.schema());
            let found = frame.py().detach(|| reader.collect::<Result<Vec<_>, _>>());
            batches.extend(found.map_err(|error| {
                py_err(tapeworks::base::Error::data("D121", format!("{name}: {error}")))
            })?);
        }
        Ok(Self::Batches(schema.expect("a frame has a part"), Arc::new(batches)))
    }

    /// The table once more, as the engine reads it.
    pub fn source(&self) -> Source {
        match self {
            Self::Path(path) => Source::Path(path.clone()),
            Self::Several(paths, _) => Source::Path(paths.clone()),
            Self::Lazy(file) => Source::Path(file.path.clone()),
            Self::Batches(schema, batches) => {
                let batches: Vec<_> = batches.iter().cloned().map(Ok).collect();
                let reader = RecordBatchIterator::new(batches, Arc::clone(schema));
                Source::Arrow(Box::new(reader) as Box<dyn RecordBatchReader + Send>)
            }
        }
    }

    /// The table as a manifest names it, with the hash of its content.
    ///
    /// # Errors
    /// When a file has gone.
    pub fn entry(&self, table: &str) -> tapeworks::base::Result<InputEntry> {
        match self {
            Self::Path(path) | Self::Several(path, _) => {
                let entry = tapeworks::run::file_input(table, path)?;
                Ok(InputEntry { path: self.describe(), ..entry })
            }
            Self::Lazy(file) => {
                let entry = tapeworks::run::file_input(table, &file.path)?;
                Ok(InputEntry { path: self.describe(), ..entry })
            }
            Self::Batches(schema, batches) => {
                Ok(tapeworks::run::batches_input(table, &self.describe(), schema, batches))
            }
        }
    }

    /// The table on one line.
    pub fn describe(&self) -> String {
        match self {
            Self::Path(path) => path.clone(),
            Self::Several(paths, ours) => {
                let is_ours = |path: &str| ours.iter().any(|file| file.path == path);
                let name =
                    |path: &str| if is_ours(path) { "frame".into() } else { path.to_owned() };
                paths.lines().map(name).collect::<Vec<String>>().join(", ")
            }
            Self::Lazy(_) => "lazy frame".to_owned(),
            Self::Batches(schema, batches) => {
                let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
                format!("frame of {} x {}", crate::table::thousands(rows), schema.fields().len())
            }
        }
    }
}

/// A polars frame of several chunks, cut where they end: as a whole it would hand out a copy of
/// itself that is one chunk.
fn parts<'py>(frame: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let whole = || Ok(vec![frame.clone()]);
    if !(frame.hasattr("get_columns")? && frame.hasattr("n_chunks")? && frame.hasattr("slice")?) {
        return whole();
    }
    let mut ends = BTreeSet::new();
    for column in frame.call_method0("get_columns")?.try_iter()? {
        let lengths: Vec<usize> = column?.call_method0("chunk_lengths")?.extract()?;
        let mut end = 0;
        ends.extend(lengths.into_iter().map(|length| {
            end += length;
            end
        }));
    }
    if ends.len() <= 1 || ends.len() > PARTS_MAX {
        return whole();
    }
    let mut from = 0;
    let mut parts = Vec::with_capacity(ends.len());
    for end in ends.into_iter().filter(|end| *end > 0) {
        parts.push(frame.call_method1("slice", (from, end - from))?);
        from = end;
    }
    Ok(parts)
}

/// A pandas frame whose index has become columns, unless it only counts the rows.
fn flattened<'py>(frame: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let index = frame.getattr("index")?;
    let names: Vec<Option<String>> = index
        .getattr("names")?
        .try_iter()?
        .map(|name| {
            name.and_then(|name| {
                Ok(if name.is_none() { None } else { Some(name.str()?.extract()?) })
            })
        })
        .collect::<PyResult<_>>()?;
    let by_name = PyDict::new(frame.py());
    if names == [None] {
        // A count of rows, also after rows were left out, is no data.
        let kind: String = index.getattr("dtype")?.getattr("kind")?.extract()?;
        if kind == "i" || kind == "u" {
            by_name.set_item("drop", true)?;
            return frame.call_method("reset_index", (), Some(&by_name));
        }
    }
    let mut full = Vec::with_capacity(names.len());
    for (level, name) in names.into_iter().enumerate() {
        full.push(if let Some(name) = name {
            name
        } else {
            let values = index.call_method1("get_level_values", (level,))?;
            let kind: String = values.getattr("dtype")?.getattr("kind")?.extract()?;
            if kind == "M" { "timestamp".to_owned() } else { "symbol".to_owned() }
        });
    }
    by_name.set_item("index", full)?;
    frame.call_method("rename_axis", (), Some(&by_name))?.call_method0("reset_index")
}

fn no_frame(name: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let class = value.get_type();
    let class = class.name().map_or(String::new(), |name| name.to_string());
    let module = value.get_type().module().map_or(String::new(), |name| name.to_string());
    let hint = if module.starts_with("pandas") {
        "pandas hands out Arrow from 2.2 on, with pyarrow installed"
    } else {
        "give a path, a glob, a folder, or a frame of polars, pandas, pyarrow or DuckDB"
    };
    let error = tapeworks::base::Error::data(
        "D120",
        format!("{name} is a {class}, which is neither a path nor an Arrow stream"),
    );
    py_err(error.with_hint(hint))
}
