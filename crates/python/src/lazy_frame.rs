//! A lazy polars frame, written once in batches and read back in chunks: never held whole.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tapeworks::base;

use crate::errors::py_err;

/// The file that a lazy frame was written to; the folder around it goes with the last copy.
#[derive(Clone)]
pub struct LazyFile {
    /// The Parquet file.
    pub path: String,
    _folder: Arc<Py<PyAny>>,
}

impl LazyFile {
    /// Whether `value` is a polars `LazyFrame`, or speaks like one.
    ///
    /// # Errors
    /// What looking at its attributes raises.
    pub fn is_lazy(value: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(value.hasattr("sink_parquet")? && value.hasattr("collect_schema")?)
    }

    /// Writes batches to a file of the system's temporary folder, `stem`.parquet.
    ///
    /// # Errors
    /// `OutputError` `TW-W102` when it cannot be written.
    pub fn of_batches(
        py: Python<'_>,
        stem: &str,
        schema: &SchemaRef,
        batches: &[RecordBatch],
    ) -> PyResult<Self> {
        let named = PyDict::new(py);
        named.set_item("prefix", "tapeworks-")?;
        let folder = py.import("tempfile")?.call_method("TemporaryDirectory", (), Some(&named))?;
        let name: String = folder.getattr("name")?.extract()?;
        let path = std::path::Path::new(&name).join(format!("{stem}.parquet"));
        let write = || -> Result<(), String> {
            let text = |error: &dyn std::fmt::Display| error.to_string();
            let file = std::fs::File::create(&path).map_err(|error| text(&error))?;
            let mut writer = ArrowWriter::try_new(file, Arc::clone(schema), None)
                .map_err(|error| text(&error))?;
            for batch in batches {
                writer.write(batch).map_err(|error| text(&error))?;
            }
            writer.close().map(drop).map_err(|error| text(&error))
        };
        py.detach(write).map_err(|cause| {
            let text = format!("cannot write {}: {cause}", path.display());
            py_err(base::Error::output("W102", text).with_hint("free space on the disk"))
        })?;
        let path = path.to_string_lossy().into_owned();
        Ok(Self { path, _folder: Arc::new(folder.unbind()) })
    }

    /// Runs the query into a file of the system's temporary folder.
    ///
    /// # Errors
    /// What the query raises.
    pub fn write(frame: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = frame.py();
        let named = PyDict::new(py);
        named.set_item("prefix", "tapeworks-")?;
        let folder = py.import("tempfile")?.call_method("TemporaryDirectory", (), Some(&named))?;
        let path: String = folder.getattr("name")?.extract()?;
        let path = std::path::Path::new(&path).join("lazy_frame.parquet");
        let path = path.to_string_lossy().into_owned();
        // The fastest compression: the file lives as long as the feed.
        let named = PyDict::new(py);
        named.set_item("compression", "snappy")?;
        frame.call_method("sink_parquet", (&path,), Some(&named))?;
        Ok(Self { path, _folder: Arc::new(folder.unbind()) })
    }
}
