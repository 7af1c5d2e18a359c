//! The few steps that only the C interface offers; the one file with `unsafe` in the project.
//!
//! - an Arrow C stream is taken out of a capsule and put into one (zero-copy, both ways);
//! - a Python function is called with one or two arguments without building a tuple, which the
//!   stable ABI of Python 3.10 offers only as a variadic C function;
//! - the reference count of an event tells whether the user's code kept it.
#![expect(
    unsafe_code,
    reason = "the C interfaces of Arrow and Python are reached here and only here"
)]

use arrow::array::RecordBatchReader;
use arrow::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

const STREAM: &std::ffi::CStr = c"arrow_array_stream";

/// Takes the stream that `frame.__arrow_c_stream__()` hands out.
pub fn import_stream(frame: &Bound<'_, PyAny>) -> PyResult<RecordBatchStreamReader> {
    let capsule = frame.call_method0("__arrow_c_stream__")?;
    let capsule = capsule
        .cast_into::<PyCapsule>()
        .map_err(|_| PyTypeError::new_err("__arrow_c_stream__ did not return a capsule"))?;
    let pointer = capsule.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: the capsule's name says that it points to an ArrowArrayStream, `capsule` keeps it
    // alive, and `from_raw` moves the stream out and leaves a released one behind.
    unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) }
        .map_err(|error| PyTypeError::new_err(format!("the Arrow stream is broken: {error}")))
}

/// Hands `reader` out as the capsule that the Arrow `PyCapsule` interface asks for.
pub fn export_stream(
    py: Python<'_>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}

/// Whether nobody but the caller holds `object`.
pub fn is_unshared<T>(object: &Py<T>, _py: Python<'_>) -> bool {
    // SAFETY: `object` is a live reference and the token proves that this thread is attached.
    unsafe { pyo3::ffi::Py_REFCNT(object.as_ptr()) == 1 }
}

/// A Python callable, kept in the form that is fastest to call.
pub struct Callable {
    function: Py<PyAny>,
    receiver: Option<Py<PyAny>>,
}

impl Callable {
    /// Splits a bound method into its function and its object, so that a call needs no bound
    /// method; anything else is called as it is.
    pub fn new(callable: &Bound<'_, PyAny>) -> Self {
        let parts = (callable.getattr("__func__"), callable.getattr("__self__"));
        match parts {
            (Ok(function), Ok(receiver)) => {
                Self { function: function.unbind(), receiver: Some(receiver.unbind()) }
            }
            _ => Self { function: callable.clone().unbind(), receiver: None },
        }
    }

    /// Calls with one argument.
    #[inline]
    pub fn call<'py>(&self, py: Python<'py>, argument: &Py<PyAny>) -> PyResult<Bound<'py, PyAny>> {
        use pyo3::ffi::{PyObject, PyObject_CallFunctionObjArgs};
        let end = std::ptr::null_mut::<PyObject>();
        // SAFETY: every argument is a live object, the list ends with a null pointer of pointer
        // size as C demands, and the call returns a new reference or null with an exception set.
        unsafe {
            let result = match &self.receiver {
                Some(receiver) => PyObject_CallFunctionObjArgs(
                    self.function.as_ptr(),
                    receiver.as_ptr(),
                    argument.as_ptr(),
                    end,
                ),
                None => {
                    PyObject_CallFunctionObjArgs(self.function.as_ptr(), argument.as_ptr(), end)
                }
            };
            Bound::from_owned_ptr_or_err(py, result)
        }
    }
}
