//! The parts of a report. Each is a function from the run to JSON and a template that shows it.
//!
//! To add a section: a file here with `build`, a template in `assets/sections/`, one row in
//! [`SECTIONS`]. What stands under the key `embed` of a section's JSON is for the page's script
//! and is not given to the template.

mod account;
mod costs;
mod drawdowns;
mod figures;
mod head;
mod orders;
mod overview;
mod reproduce;
mod returns;
mod trades;

use serde_json::Value;

use super::ReportInput;

pub(super) use account::account_alarm;
pub(super) use costs::Bridge;
pub(super) use head::{cost_line, is_free, window_line};
pub(super) use orders::OrderTally;

/// One part of the report.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Stable name: key in the JSON report, anchor in the page.
    pub key: &'static str,
    /// Heading; empty for the parts that need none.
    pub title: &'static str,
    /// What it shows.
    pub build: fn(&ReportInput<'_>) -> Value,
    /// How it shows it (minijinja; the section's JSON is `s`).
    pub template: &'static str,
}

macro_rules! section {
    ($key:ident, $title:literal) => {
        Section {
            key: stringify!($key),
            title: $title,
            build: $key::build,
            template: include_str!(concat!("../assets/sections/", stringify!($key), ".html")),
        }
    };
}

/// Every section in page order.
pub const SECTIONS: &[Section] = &[
    section!(head, ""),
    section!(overview, "Overview"),
    section!(returns, "Returns"),
    section!(drawdowns, "Drawdowns"),
    section!(figures, "Metrics"),
    section!(trades, "Trades"),
    section!(costs, "Costs"),
    section!(orders, "Orders"),
    section!(account, "Account"),
    section!(reproduce, "Reproduce"),
];
