//! From records and metrics to documents people read: an offline page, text, Markdown, JSON.
//!
//! In: [`ReportInput`], the records and metrics of a run and the facts they do not hold. Out:
//! [`html`] (one file that refers to nothing outside itself), [`text`] (one screen), [`markdown`],
//! [`json`] (numbers unrounded).
//!
//! Invariants:
//! - Nothing is computed twice: a section is JSON first ([`SECTIONS`]), and each form shows that.
//! - Every name that came from outside is escaped.
//! - Drawn series are thinned so that no extreme is lost; tables that are cut say so.
//!
//! To add a section: see [`sections`].

mod calendar;
mod encode;
mod facts;
mod histogram;
mod html;
mod json;
mod line_chart;
mod markdown;
pub mod number;
mod sample;
pub mod sections;
mod svg;
mod text;

pub use self::facts::{
    CORPORATE_ACTIONS, InputFact, NOT_MODELLED, RunFacts, UNVERIFIED, Unverified,
};
pub use self::html::html;
pub use self::json::{SCHEMA_VERSION, json};
pub use self::markdown::markdown;
pub use self::sections::{SECTIONS, Section};
pub use self::text::text;

use crate::metrics::MetricSet;
use crate::records::Records;

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct ReportInput<'a> {
    /// The tables of the run.
    pub records: &'a Records,
    /// Its metrics.
    pub metrics: &'a MetricSet,
    /// What the records do not hold.
    pub facts: RunFacts,
}
