//! The section `risk`: rules that close positions by themselves, and limits on the portfolio.

use schemars::JsonSchema;
use serde::Serialize;

use super::portfolio_limits::PortfolioLimitConfig;
use super::position_rules::PositionRuleConfig;
use super::section::Section;
use super::tree::Node;
use crate::base::Result;

pub(super) const KEYS: &[&str] = &["position", "portfolio"];

/// Rules that close positions by themselves, and limits on the portfolio.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Rules of every position.
    #[serde(default)]
    pub position: Vec<PositionRuleConfig>,
    /// Limits on the whole portfolio.
    #[serde(default)]
    pub portfolio: Vec<PortfolioLimitConfig>,
}

impl Risk {
    pub(super) fn read(node: Option<&Node>) -> Result<Self> {
        let Some(node) = node else { return Ok(Self::default()) };
        let section = Section::open(node, "risk", KEYS)?;
        let position = section.node("position");
        let position =
            position.map(|node| PositionRuleConfig::read_all(node, "risk.position")).transpose()?;
        let portfolio =
            section.node("portfolio").map(PortfolioLimitConfig::read_all).transpose()?;
        Ok(Self {
            position: position.unwrap_or_default(),
            portfolio: portfolio.unwrap_or_default(),
        })
    }
}
