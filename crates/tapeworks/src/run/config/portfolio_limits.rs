//! `risk.portfolio`: limits on the whole portfolio.

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section, expected, number_of};
use super::tree::{Entry, Node, Value};
use crate::base::{Error, Result};
use crate::broker::{LimitAction, LimitKind, PortfolioLimit};

const KEYS: &[&str] = &[
    "max_drawdown",
    "daily_loss",
    "gross_exposure",
    "net_exposure",
    "symbol_exposure",
    "group_exposure",
    "max_positions",
    "max_orders",
    "value_at_risk",
    "conditional_value_at_risk",
    "action",
];
const ACTIONS: &[&str] = &["warn", "liquidate", "halt", "stop"];

/// A limit on the whole portfolio and what happens when it is passed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub struct PortfolioLimitConfig {
    /// What is limited.
    #[serde(flatten)]
    pub limit: LimitConfig,
    /// What happens when it is passed. Limits on exposure, positions and orders refuse what would
    /// pass them in any case; there it is `warn` when left out. The others need it.
    #[serde(default = "default_action")]
    pub action: LimitActionConfig,
}

/// What is limited; fractions of equity.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitConfig {
    /// Fall of equity from its peak.
    MaxDrawdown(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))] f64),
    /// Fall of equity since the end of the session before.
    DailyLoss(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))] f64),
    /// Sum of absolute values.
    GrossExposure(#[schemars(extend("exclusiveMinimum" = 0))] f64),
    /// Absolute sum of values.
    NetExposure(#[schemars(extend("exclusiveMinimum" = 0))] f64),
    /// Absolute value of one position.
    SymbolExposure(#[schemars(extend("exclusiveMinimum" = 0))] f64),
    /// Sum of absolute values of some symbols.
    GroupExposure(GroupLimit),
    /// Positions held.
    MaxPositions(#[schemars(range(min = 1, max = 1_000_000))] u64),
    /// Orders a session.
    MaxOrders(#[schemars(range(min = 1, max = 1_000_000))] u64),
    /// Historical loss quantile of session returns.
    ValueAtRisk(TailLimit),
    /// Mean of the session returns beyond the quantile.
    ConditionalValueAtRisk(TailLimit),
}

/// A limit on a group of symbols.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupLimit {
    /// Symbols of the group.
    pub symbols: Vec<String>,
    /// Largest fraction of equity.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub limit: f64,
}

/// A limit on the tail of session returns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TailLimit {
    /// Confidence, such as 0.95.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub level: f64,
    /// Sessions looked at.
    #[schemars(range(min = 2, max = 100_000))]
    pub window: u64,
    /// Largest loss as a fraction of equity.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    pub limit: f64,
}

/// What happens when a limit is passed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitActionConfig {
    /// It is noted.
    Warn,
    /// This fraction of every position is sold at the next opens.
    Reduce(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))] f64),
    /// Every position is closed at the next opens.
    Liquidate,
    /// Nothing may be opened until the next session.
    Halt,
    /// The run ends with an error.
    Stop,
}

fn default_action() -> LimitActionConfig {
    LimitActionConfig::Warn
}

impl PortfolioLimitConfig {
    pub(super) fn read_all(node: &Node) -> Result<Vec<Self>> {
        let path = "risk.portfolio";
        let Value::List(items) = &node.value else {
            let rule = "a list of limits, such as [{max_drawdown: 0.2, action: liquidate}]";
            return Err(expected(node, path, rule));
        };
        items.iter().map(Self::read).collect()
    }

    fn read(node: &Node) -> Result<Self> {
        let path = "risk.portfolio";
        let section = Section::open(node, path, KEYS)?;
        let Value::Map(entries) = &node.value else {
            return Err(expected(node, path, "a mapping"));
        };
        let mut limits = entries.iter().filter(|entry| entry.key != "action");
        let (Some(entry), None) = (limits.next(), limits.next()) else {
            let reason = "one limit a list item, such as - {max_drawdown: 0.2, action: liquidate}";
            return Err(Error::config("C302", format!("{}: {path}: {reason}", node.origin)));
        };
        let limit = LimitConfig::read(entry)?;
        let action = match section.node("action") {
            Some(node) => LimitActionConfig::read(&section, node)?,
            None if limit.refuses_orders() => LimitActionConfig::Warn,
            None => {
                let all = format!("{}, reduce: 0.5", ACTIONS.join(", "));
                return Err(section
                    .missing("action")
                    .with_hint(format!("say what happens: {all}")));
            }
        };
        Ok(Self { limit, action })
    }

    /// The limit as the engine takes it.
    #[must_use]
    pub fn limit(&self) -> PortfolioLimit {
        PortfolioLimit {
            kind: self.limit.kind(),
            action: match self.action {
                LimitActionConfig::Warn => LimitAction::Warn,
                LimitActionConfig::Reduce(fraction) => LimitAction::Reduce(fraction),
                LimitActionConfig::Liquidate => LimitAction::Liquidate,
                LimitActionConfig::Halt => LimitAction::Halt,
                LimitActionConfig::Stop => LimitAction::Stop,
            },
        }
    }
}

impl LimitConfig {
    fn read(entry: &Entry) -> Result<Self> {
        let path = format!("risk.portfolio.{}", entry.key);
        let number = |bounds| number_of(&entry.node, &path, bounds);
        let share = Bounds::UpTo(0.0, 1.0);
        match entry.key.as_str() {
            "max_drawdown" => number(share).map(Self::MaxDrawdown),
            "daily_loss" => number(share).map(Self::DailyLoss),
            "gross_exposure" => number(Bounds::Positive).map(Self::GrossExposure),
            "net_exposure" => number(Bounds::Positive).map(Self::NetExposure),
            "symbol_exposure" => number(Bounds::Positive).map(Self::SymbolExposure),
            "group_exposure" => {
                let section = Section::open(&entry.node, &path, &["symbols", "limit"])?;
                let symbols =
                    section.texts("symbols")?.ok_or_else(|| section.missing("symbols"))?;
                if symbols.is_empty() {
                    return Err(section.bad("symbols", "the list is empty"));
                }
                let limit = section.number_needed("limit", Bounds::Positive)?;
                Ok(Self::GroupExposure(GroupLimit { symbols, limit }))
            }
            "max_positions" => count(entry, &path).map(Self::MaxPositions),
            "max_orders" => count(entry, &path).map(Self::MaxOrders),
            key => {
                let section = Section::open(&entry.node, &path, &["level", "window", "limit"])?;
                let below_one = Bounds::UpTo(0.0, 1.0 - f64::EPSILON);
                let window = section.whole("window", 2, 100_000)?;
                let tail = TailLimit {
                    level: section.number_needed("level", below_one)?,
                    window: window.ok_or_else(|| section.missing("window"))?,
                    limit: section.number_needed("limit", share)?,
                };
                Ok(match key {
                    "value_at_risk" => Self::ValueAtRisk(tail),
                    _ => Self::ConditionalValueAtRisk(tail),
                })
            }
        }
    }

    /// Whether the limit refuses orders that would pass it.
    fn refuses_orders(&self) -> bool {
        !matches!(
            self,
            Self::MaxDrawdown(_)
                | Self::DailyLoss(_)
                | Self::ValueAtRisk(_)
                | Self::ConditionalValueAtRisk(_)
        )
    }

    fn kind(&self) -> LimitKind {
        let whole = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        match self {
            Self::MaxDrawdown(x) => LimitKind::MaxDrawdown(*x),
            Self::DailyLoss(x) => LimitKind::DailyLoss(*x),
            Self::GrossExposure(x) => LimitKind::GrossExposure(*x),
            Self::NetExposure(x) => LimitKind::NetExposure(*x),
            Self::SymbolExposure(x) => LimitKind::SymbolExposure(*x),
            Self::GroupExposure(GroupLimit { symbols, limit }) => {
                LimitKind::GroupExposure { symbols: symbols.clone(), limit: *limit }
            }
            Self::MaxPositions(n) => LimitKind::MaxPositions(whole(*n)),
            Self::MaxOrders(n) => LimitKind::MaxOrders(whole(*n)),
            Self::ValueAtRisk(TailLimit { level, window, limit }) => {
                LimitKind::ValueAtRisk { level: *level, window: whole(*window), limit: *limit }
            }
            Self::ConditionalValueAtRisk(TailLimit { level, window, limit }) => {
                let (level, window, limit) = (*level, whole(*window), *limit);
                LimitKind::ConditionalValueAtRisk { level, window, limit }
            }
        }
    }
}

impl LimitActionConfig {
    fn read(section: &Section<'_>, node: &Node) -> Result<Self> {
        if let Value::Map(_) = node.value {
            let path = section.path_of("action");
            let inner = Section::open(node, &path, &["reduce"])?;
            return inner.number_needed("reduce", Bounds::UpTo(0.0, 1.0)).map(Self::Reduce);
        }
        let words = [Self::Warn, Self::Liquidate, Self::Halt, Self::Stop].into_iter().enumerate();
        let words: Vec<(&str, Self)> = words.map(|(idx, action)| (ACTIONS[idx], action)).collect();
        if matches!(&node.value, Value::Text(word) if word == "reduce") {
            let reason = "reduce needs the fraction that is sold";
            return Err(section.bad("action", reason).with_hint("write action: {reduce: 0.5}"));
        }
        Ok(section.choice("action", &words, &[])?.expect("the caller found the key"))
    }
}

fn count(entry: &Entry, path: &str) -> Result<u64> {
    match entry.node.value {
        Value::Int(n) if (1..=1_000_000).contains(&n) => {
            Ok(u64::try_from(n).expect("looked at above"))
        }
        _ => Err(expected(&entry.node, path, "a whole number from 1 to 1000000")),
    }
}
