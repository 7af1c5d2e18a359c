//! One integration binary: a file per room, through the public API.

mod base;
mod data;
mod expression;
mod feed;
mod metrics;
mod record_files;
mod record_properties;
mod records;
mod report;
mod rules;
mod run_log;
mod tables;
