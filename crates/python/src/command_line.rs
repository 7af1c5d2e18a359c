//! The console script of the wheel: the command line program, in this process.

use pyo3::prelude::*;

/// Runs the command line program with `arguments` (the program's name first); gives the exit code.
#[pyfunction]
fn command_line(py: Python<'_>, arguments: Vec<String>) -> i32 {
    py.detach(|| i32::from(tapeworks_cli::main(arguments.into_iter().map(Into::into))))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(command_line, module)?)
}
