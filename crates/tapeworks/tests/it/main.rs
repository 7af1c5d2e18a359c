//! One integration binary: a file per room, through the public API.

mod base;
mod expression;
mod feed;
mod metrics;
mod records;
mod report;
mod rules;
