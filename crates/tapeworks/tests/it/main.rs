//! One integration binary: a file per room, through the public API.

mod accounting;
mod base;
mod execution;
mod look_ahead;
mod market;
mod naive_broker;
mod random;
