//! The few steps that only the C interface offers; the one file with `unsafe` in the project.
//!
//! - an Arrow C stream is taken out of a capsule and put into one (zero-copy, both ways);
//! - memory of the engine is described to numpy (its array interface, zero-copy, read-only);
//! - a Python function is called with one or two arguments without building a tuple, which the
//!   stable ABI of Python 3.10 offers only as a variadic C function;
//! - the reference count of an event tells whether the user's code kept it.
#![expect(
    unsafe_code,
    reason = "the C interfaces of Arrow and Python are reached here and only here"
)]

use std::ffi::{c_char, c_int, c_void};

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

/// numpy's description of memory, by the names of its C structure.
#[repr(C)]
struct ArrayInterface {
    two: c_int,
    nd: c_int,
    typekind: c_char,
    itemsize: c_int,
    flags: c_int,
    shape: *mut isize,
    strides: *mut isize,
    data: *mut c_void,
    descr: *mut c_void,
}

/// Contiguous in both orders, aligned, in the byte order of the machine; not writeable.
const READ_ONLY: c_int = 0x1 | 0x2 | 0x100 | 0x200;

/// A read-only array of one dimension, as numpy wants it described.
pub struct Described(Box<OneDimension>);

/// Boxed, because the interface points to its neighbours.
struct OneDimension {
    interface: ArrayInterface,
    shape: isize,
    stride: isize,
}

// SAFETY: the pointers are only handed to numpy, which reads through them while attached; what they
// point to never changes.
unsafe impl Send for Described {}
// SAFETY: as above.
unsafe impl Sync for Described {}

impl Described {
    /// Describes `values`, whose type numpy knows by the letter `kind` ('f', 'i', 'u').
    pub fn new<T>(values: &[T], kind: u8) -> Self {
        let signed = |size: usize| isize::try_from(size).expect("memory is smaller than isize");
        let size = size_of::<T>();
        let mut described = Box::new(OneDimension {
            interface: ArrayInterface {
                two: 2,
                nd: 1,
                typekind: c_char::try_from(kind).expect("a letter"),
                itemsize: c_int::try_from(size).expect("a number's size"),
                flags: READ_ONLY,
                shape: std::ptr::null_mut(),
                strides: std::ptr::null_mut(),
                data: values.as_ptr().cast_mut().cast(),
                descr: std::ptr::null_mut(),
            },
            shape: signed(values.len()),
            stride: signed(size),
        });
        described.interface.shape = &raw mut described.shape;
        described.interface.strides = &raw mut described.stride;
        Self(described)
    }

    /// The capsule that `__array_struct__` gives. It must not outlive the description: numpy keeps
    /// the object that owns it, and lets the capsule go.
    pub fn capsule<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let pointer = (&raw const self.0.interface).cast_mut().cast();
        // SAFETY: the pointer is not null, the capsule has no name and no destructor as numpy's
        // array interface demands, and the call returns a new reference or null with an exception.
        unsafe {
            let capsule = pyo3::ffi::PyCapsule_New(pointer, std::ptr::null(), None);
            Bound::from_owned_ptr_or_err(py, capsule)
        }
    }
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
