//! One integration binary: a file per room, through the public API.

mod base;
mod execution;
mod market;
mod naive_broker;
mod random;
