//! `tapeworks._native`: the engine, handed to Python.
//!
//! Nothing here decides about markets: each file converts, detaches from the interpreter, calls the
//! thinking crate, converts back.
//!
//! - in: [`frames`] (paths, Arrow streams), [`joined_input`], [`read_options`], [`calendar`],
//!   [`bars`] with [`bars_read`] and [`bars_frame`], [`feed`], [`feed_words`], [`opened`],
//!   [`prepare`], [`walk`], [`sample`];
//! - callbacks: [`strategy`] (base class and helpers), [`callbacks`] (the loop between the two
//!   languages), [`event`], [`batch`], [`order`], [`order_terms`], [`orders`], [`position`],
//!   [`look_back`], [`indicator`];
//! - running: [`run`], [`config_run`], [`resume`], [`rules`], [`user_strategy`], [`progress`]; its
//!   terms: [`semantics`], [`account`], [`instrument`], [`commission`], [`price_cost`],
//!   [`custom_models`], [`position_rules`], [`limits`], [`schedule`];
//! - out: [`result`], [`table`], [`handover`], [`check`], [`numpy_view`], and how they are shown:
//!   [`grid`], [`html`], [`screen`];
//! - shared: [`argument`], [`market`], [`errors`], [`instant`], [`interrupt`], [`json`],
//!   [`c_api`].
//!
//! To add a function: its file, a `register`, its line in `python/tapeworks/_native.pyi`.

#![expect(
    clippy::needless_pass_by_value,
    clippy::unused_self,
    reason = "the signatures are those that Python calls"
)]

mod account;
mod argument;
mod bars;
mod bars_frame;
mod bars_read;
mod batch;
mod c_api;
mod calendar;
mod callbacks;
mod check;
mod command_line;
mod commission;
mod config_run;
mod custom_models;
mod errors;
mod event;
mod feed;
mod feed_words;
mod frames;
mod grid;
mod handover;
mod html;
mod indicator;
mod instant;
mod interrupt;
mod instrument;
mod joined_input;
mod json;
mod lazy_frame;
mod limits;
mod look_back;
mod market;
mod numpy_view;
mod opened;
mod order;
mod order_terms;
mod orders;
mod position;
mod position_rules;
mod prepare;
mod price_cost;
mod progress;
mod read_options;
mod result;
mod resume;
mod rules;
mod run;
mod sample;
mod schedule;
mod screen;
mod semantics;
mod strategy;
mod table;
mod user_strategy;
mod walk;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    errors::register(module)?;
    interrupt::register(module)?;
    table::register(module)?;
    check::register(module)?;
    bars::register(module)?;
    bars_read::register(module)?;
    batch::register(module)?;
    orders::register(module)?;
    position::register(module)?;
    order::register(module)?;
    position_rules::register(module)?;
    commission::register(module)?;
    price_cost::register(module)?;
    account::register(module)?;
    instrument::register(module)?;
    limits::register(module)?;
    rules::register(module)?;
    strategy::register(module)?;
    indicator::register(module)?;
    calendar::register(module)?;
    feed::register(module)?;
    walk::register(module)?;
    prepare::register(module)?;
    sample::register(module)?;
    run::register(module)?;
    config_run::register(module)?;
    result::register(module)?;
    resume::register(module)?;
    command_line::register(module)
}
