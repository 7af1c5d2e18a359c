//! Numbers about a run, each with its convention beside it.
//!
//! In: [`Records`](crate::records::Records), or a plain equity [`Curve`]. Out: a [`MetricSet`] in
//! the order of [`METRICS`], and the year and month tables.
//!
//! Invariants:
//! - An undefined metric is null with a [`Reason`], never inf, NaN or 0.
//! - Returns are simple returns per snapshot, the first against the initial equity; nothing is
//!   trimmed; sums run in index order. Money put in or taken out is no return.
//! - Trade statistics come from fills, never from days.
//!
//! To add a metric: its function and one [`Definition`] in the file of its family, and a line in
//! [`METRICS`]; a key is never renamed afterwards.

mod compute;
mod costs;
mod curve;
mod definition;
mod drawdown;
mod exposure;
mod frequency;
mod growth;
mod metric;
mod moments;
mod periods;
mod ratios;
mod shape;
mod tail;
mod trading;

pub use self::compute::{METRICS, compute, compute_curve};
pub use self::curve::Curve;
pub use self::definition::Definition;
pub use self::frequency::{periods_per_year, periods_per_year_on};
pub use self::metric::{Conventions, Fact, Metric, MetricSet, Reason, Unit};
pub use self::periods::{PeriodReturn, monthly_returns, yearly_returns};
