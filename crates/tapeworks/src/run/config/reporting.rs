//! The section `reporting`: where results go.

use schemars::JsonSchema;
use serde::Serialize;

use super::section::Section;
use super::tree::Node;
use crate::base::Result;

pub(super) const KEYS: &[&str] =
    &["directory", "snapshot", "trades_output", "portfolio_output", "metrics_output", "report"];

/// Where results go.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reporting {
    /// The run folder, relative to the working directory; left out, `runs/<name>-<hash8>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// How often the state of the portfolio is kept.
    #[serde(default)]
    pub snapshot: SnapshotName,
    /// Name of the trades table in the run folder.
    #[serde(default = "default_trades")]
    pub trades_output: String,
    /// Name of the portfolio table in the run folder.
    #[serde(default = "default_portfolio")]
    pub portfolio_output: String,
    /// Name of the metrics file in the run folder.
    #[serde(default = "default_metrics")]
    pub metrics_output: String,
    /// Name of the report in the run folder; `none` writes none.
    #[serde(default = "default_report")]
    pub report: String,
}

/// How often the state of the portfolio is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotName {
    /// At every timestamp.
    #[default]
    Bar,
    /// At the last timestamp of every session (day, UTC); metrics are of these states.
    Session,
}

fn default_trades() -> String {
    "trades.parquet".to_owned()
}

fn default_portfolio() -> String {
    "portfolio.parquet".to_owned()
}

fn default_metrics() -> String {
    "metrics.json".to_owned()
}

fn default_report() -> String {
    "report.html".to_owned()
}

impl Default for Reporting {
    fn default() -> Self {
        Self {
            directory: None,
            snapshot: SnapshotName::default(),
            trades_output: default_trades(),
            portfolio_output: default_portfolio(),
            metrics_output: default_metrics(),
            report: default_report(),
        }
    }
}

/// Names of the run folder that are not for the user to give away.
const TAKEN: &[&str] = &[
    "config.resolved.yaml",
    "fills.parquet",
    "orders.parquet",
    "rejections.parquet",
    "positions.parquet",
    "account_events.parquet",
    "next_orders.parquet",
    "manifest.json",
];

impl Reporting {
    pub(super) fn read(node: Option<&Node>) -> Result<Self> {
        let mut reporting = Self::default();
        let Some(node) = node else { return Ok(reporting) };
        let section = Section::open(node, "reporting", KEYS)?;
        reporting.directory = section.text("directory")?;
        let snapshots = [("bar", SnapshotName::Bar), ("session", SnapshotName::Session)];
        reporting.snapshot = section.choice("snapshot", &snapshots, &[])?.unwrap_or_default();
        let mut given = Vec::new();
        for (key, slot, ending) in [
            ("trades_output", &mut reporting.trades_output, ".parquet"),
            ("portfolio_output", &mut reporting.portfolio_output, ".parquet"),
            ("metrics_output", &mut reporting.metrics_output, ".json"),
            ("report", &mut reporting.report, ".html"),
        ] {
            if let Some(name) = section.text(key)? {
                let none = key == "report" && name == "none";
                let plain = !name.contains(['/', '\\']) && name.ends_with(ending);
                if !none && (!plain || name.starts_with('.') || TAKEN.contains(&name.as_str())) {
                    let reason = format!("{name:?} is not a free file name ending in {ending}");
                    return Err(section
                        .bad(key, &reason)
                        .with_hint("files lie in reporting.directory; give a plain name"));
                }
                *slot = name;
            }
            if given.contains(slot) {
                return Err(section.bad(key, &format!("the name {slot:?} is given twice")));
            }
            given.push(slot.clone());
        }
        Ok(reporting)
    }
}
