//! The section `risk`: rules that close positions by themselves.

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section, expected, number_of};
use super::tree::{Node, Value};
use crate::base::{Error, Result};

pub(super) const KEYS: &[&str] = &["position", "portfolio"];
const RULES: &[&str] = &["stop_loss", "take_profit", "trailing"];

/// Rules that close positions by themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Rules of every position.
    #[serde(default)]
    pub position: Vec<PositionRuleConfig>,
    /// Rules of the whole portfolio; none exist in this version.
    #[serde(default)]
    #[schemars(length(max = 0))]
    pub portfolio: Vec<PortfolioRuleConfig>,
}

/// A rule of a position; fractions of the price it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionRuleConfig {
    /// Closes at this loss from the entry price.
    StopLoss(#[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))] f64),
    /// Closes at this gain from the entry price.
    TakeProfit(#[schemars(extend("exclusiveMinimum" = 0))] f64),
    /// Closes at this fall from the best price since entry.
    Trailing(#[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))] f64),
}

/// A rule of the whole portfolio; there is none yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub enum PortfolioRuleConfig {}

impl Risk {
    pub(super) fn read(node: Option<&Node>) -> Result<Self> {
        let Some(node) = node else { return Ok(Self::default()) };
        let section = Section::open(node, "risk", KEYS)?;
        if let Some(limits) = section.node("portfolio") {
            match &limits.value {
                Value::List(items) if items.is_empty() => {}
                Value::List(_) => {
                    return Err(section.not_available(
                        "portfolio",
                        "a rule of the portfolio",
                        "[]",
                    ));
                }
                _ => return Err(expected(limits, "risk.portfolio", "a list")),
            }
        }
        let mut position = Vec::new();
        if let Some(rules) = section.node("position") {
            let Value::List(items) = &rules.value else {
                return Err(expected(rules, "risk.position", "a list of rules"));
            };
            for item in items {
                position.push(PositionRuleConfig::read(item)?);
            }
        }
        Ok(Self { position, portfolio: Vec::new() })
    }
}

impl PositionRuleConfig {
    fn read(node: &Node) -> Result<Self> {
        let path = "risk.position";
        Section::open(node, path, RULES)?;
        let Value::Map(entries) = &node.value else {
            return Err(expected(node, path, "a mapping"));
        };
        let [entry] = entries.as_slice() else {
            let reason = "one rule a list item, such as - stop_loss: 0.05";
            return Err(Error::config("C302", format!("{}: {path}: {reason}", node.origin)));
        };
        let path = format!("{path}.{}", entry.key);
        let below_one = Bounds::UpTo(0.0, 1.0 - f64::EPSILON);
        match entry.key.as_str() {
            "stop_loss" => Ok(Self::StopLoss(number_of(&entry.node, &path, below_one)?)),
            "take_profit" => Ok(Self::TakeProfit(number_of(&entry.node, &path, Bounds::Positive)?)),
            _ => Ok(Self::Trailing(number_of(&entry.node, &path, below_one)?)),
        }
    }
}
