//! One integration binary: a file per room, through the public API.

mod accounting;
mod base;
mod data;
mod execution;
mod expression;
mod feed;
mod look_ahead;
mod market;
mod metrics;
mod naive_broker;
mod position_rules;
mod random;
mod record_files;
mod record_properties;
mod records;
mod report;
mod rules;
mod run;
mod run_log;
mod sample;
mod tables;
