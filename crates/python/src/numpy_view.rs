//! Read-only numpy arrays over memory of the engine, without copying and without linking numpy.
//!
//! numpy is imported on first use. An array is made from `__array_struct__`: address, length, type
//! and the read-only flag; numpy keeps the owner alive as the array's base.
//!
//! A view covers the rows that were asked for and nothing else: from `array.base` no later row of
//! the same column can be reached.

use std::any::Any;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

use crate::c_api::{Callable, Described};

static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
/// The same function in the form that is fastest to call.
static VIEW: PyOnceLock<Callable> = PyOnceLock::new();
static CONTIGUOUS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A number type that numpy knows by the same memory layout.
pub trait Element: Copy {
    /// numpy's letter for the kind of number.
    const KIND: u8;
}

impl Element for f64 {
    const KIND: u8 = b'f';
}

impl Element for i64 {
    const KIND: u8 = b'i';
}

impl Element for u32 {
    const KIND: u8 = b'u';
}

/// Keeps memory alive and tells numpy where it is.
#[pyclass(frozen)]
struct Memory {
    described: Described,
    /// Never read: it owns the memory that is described.
    #[expect(dead_code, reason = "held for its lifetime, not its value")]
    owner: Box<dyn Any + Send + Sync>,
}

#[pymethods]
impl Memory {
    #[getter]
    fn __array_struct__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.described.capsule(py)
    }
}

/// A read-only array over `values`, which must live inside `owner` and never change.
pub fn view<'py, T: Element>(
    py: Python<'py>,
    owner: Box<dyn Any + Send + Sync>,
    values: &[T],
) -> PyResult<Bound<'py, PyAny>> {
    let memory = Memory { described: Described::new(values, T::KIND), owner };
    let asarray = VIEW.get_or_try_init(py, || asarray(py).map(Callable::new))?;
    asarray.call(py, Py::new(py, memory)?.as_any())
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
