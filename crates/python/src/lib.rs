//! `tapeworks._native`: the engine, handed to Python.
//!
//! Nothing here decides about markets: each file converts, detaches from the interpreter, calls the
//! thinking crate, converts back.
//!
//! - in: [`frames`] (paths, Arrow streams), [`feed`], [`walk`], [`sample`];
//! - callbacks: [`strategy`] (base class and helpers), [`callbacks`] (the loop between the two
//!   languages), [`event`], [`batch`], [`orders`], [`position`], [`history`];
//! - running: [`run`], [`config_run`], [`rules`], [`costs`], [`progress`];
//! - out: [`result`], [`table`], [`grid`], [`check`], [`numpy_view`];
//! - shared: [`market`], [`errors`], [`instant`], [`json`], [`c_api`].
//!
//! To add a function: its file, a `register`, its line in `python/tapeworks/_native.pyi`.

#![expect(
    clippy::needless_pass_by_value,
    clippy::unused_self,
    reason = "the signatures are those that Python calls"
)]

mod batch;
mod c_api;
mod callbacks;
mod check;
mod command_line;
mod config_run;
mod costs;
mod errors;
mod event;
mod feed;
mod frames;
mod grid;
mod history;
mod instant;
mod json;
mod market;
mod numpy_view;
mod orders;
mod position;
mod progress;
mod result;
mod rules;
mod run;
mod sample;
mod strategy;
mod table;
mod walk;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    errors::register(module)?;
    table::register(module)?;
    check::register(module)?;
    batch::register(module)?;
    orders::register(module)?;
    position::register(module)?;
    costs::register(module)?;
    rules::register(module)?;
    strategy::register(module)?;
    feed::register(module)?;
    walk::register(module)?;
    sample::register(module)?;
    run::register(module)?;
    config_run::register(module)?;
    result::register(module)?;
    command_line::register(module)
}
