//! Read-only numpy arrays over memory of the engine, without copying and without linking numpy.
//!
//! numpy is imported on first use. An array is made from `__array_interface__`: address, length,
//! type and the read-only flag; numpy keeps the owner alive as the array's base.

use std::any::Any;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict};

static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static CONTIGUOUS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A number type that numpy knows by the same memory layout.
pub trait Element: Copy {
    /// numpy's name of the type.
    const TYPESTR: &'static str;
}

impl Element for f64 {
    const TYPESTR: &'static str = "<f8";
}

impl Element for i64 {
    const TYPESTR: &'static str = "<i8";
}

impl Element for u32 {
    const TYPESTR: &'static str = "<u4";
}

/// Keeps memory alive and tells numpy where it is.
#[pyclass(frozen)]
struct Memory {
    address: usize,
    len: usize,
    typestr: &'static str,
    /// Never read: it owns the memory at `address`.
    #[expect(dead_code, reason = "held for its lifetime, not its value")]
    owner: Box<dyn Any + Send + Sync>,
}

#[pymethods]
impl Memory {
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let facts = PyDict::new(py);
        facts.set_item("data", (self.address, true))?;
        facts.set_item("shape", (self.len,))?;
        facts.set_item("typestr", self.typestr)?;
        facts.set_item("version", 3)?;
        Ok(facts)
    }
}

/// A read-only array over `values`, which must live inside `owner` and never change.
pub fn view<'py, T: Element>(
    py: Python<'py>,
    owner: Box<dyn Any + Send + Sync>,
    values: &[T],
) -> PyResult<Bound<'py, PyAny>> {
    let memory =
        Memory { address: values.as_ptr() as usize, len: values.len(), typestr: T::TYPESTR, owner };
    asarray(py)?.call1((Bound::new(py, memory)?,))
}

/// The numbers of an array, a list or anything numpy takes, as `f64`.
///
/// # Errors
/// What numpy says about values that are no numbers; `ValueError` unless one-dimensional.
pub fn floats(values: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let bytes = little_endian(values, "<f8")?;
    Ok(bytes.as_bytes().chunks_exact(8).map(|raw| f64::from_le_bytes(eight(raw))).collect())
}

/// The whole numbers of an array or list.
///
/// # Errors
/// What numpy says about values that are no whole numbers.
pub fn integers(values: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    let bytes = little_endian(values, "<i8")?;
    Ok(bytes.as_bytes().chunks_exact(8).map(|raw| i64::from_le_bytes(eight(raw))).collect())
}

/// `numpy.asarray`, imported on first use.
pub fn asarray(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    ASARRAY.import(py, "numpy", "asarray")
}

fn little_endian<'py>(
    values: &Bound<'py, PyAny>,
    typestr: &'static str,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = values.py();
    let array = CONTIGUOUS.import(py, "numpy", "ascontiguousarray")?.call1((values, typestr))?;
    Ok(array.call_method0("tobytes")?.cast_into::<PyBytes>()?)
}

fn eight(raw: &[u8]) -> [u8; 8] {
    raw.try_into().expect("chunks_exact yields eight bytes")
}
