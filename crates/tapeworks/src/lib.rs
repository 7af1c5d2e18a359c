//! From market data to a report: point-in-time feeds, an event-driven engine, honest records.
//!
//! The rooms, in walking order; each may use only what ARCHITECTURE.md's Rooms table names.

pub mod base;
pub mod data;
pub mod bars;
pub mod feed;
pub mod indicators;
pub mod lookback;
pub mod prepare;
pub mod broker;
pub mod engine;
pub mod records;
pub mod metrics;
pub mod report;
pub mod run;
