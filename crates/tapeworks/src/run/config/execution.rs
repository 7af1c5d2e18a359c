//! The section `execution`: how orders are filled and what they cost.

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section};
use super::tree::{Node, Value};
use crate::base::Result;

pub(super) const KEYS: &[&str] =
    &["semantics", "account", "lots", "leverage_max", "commission", "slippage"];
const COMMISSION_KEYS: &[&str] = &["kind", "bps", "rate", "min"];
const SLIPPAGE_KEYS: &[&str] = &["kind", "bps"];
const LATER_SEMANTICS: &[&str] =
    &["backtrader", "vectorbt", "zipline", "backtesting", "lumibot", "lean", "ml4t"];

/// How orders are filled and what they cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// The fill rules.
    #[serde(default)]
    pub semantics: SemanticsName,
    /// What may be held and borrowed.
    #[serde(default)]
    pub account: AccountName,
    /// Whether quantities are whole.
    #[serde(default)]
    pub lots: LotsName,
    /// Most gross exposure over equity; a cash account has 1.
    #[serde(default)]
    pub leverage_max: LeverageMax,
    /// What a fill pays the broker.
    #[serde(default)]
    pub commission: CommissionConfig,
    /// How far a fill is from its base price.
    #[serde(default)]
    pub slippage: SlippageConfig,
}

/// Gross exposure over equity at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct LeverageMax(#[schemars(range(min = 1.0, max = 1.0))] pub f64);

impl Default for LeverageMax {
    fn default() -> Self {
        Self(1.0)
    }
}

/// The fill rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SemanticsName {
    /// Decided on a bar's close, filled from the next bar's open on; the path inside a bar is
    /// pessimistic.
    #[default]
    Realistic,
}

/// What may be held and borrowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountName {
    /// No borrowing, no shorts.
    #[default]
    Cash,
}

/// Whether quantities are whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LotsName {
    /// Whole units, rounded toward zero.
    #[default]
    Integer,
    /// Any quantity.
    Fractional,
}

/// What a fill pays the broker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CommissionConfig {
    /// Nothing.
    #[default]
    None,
    /// A share of the traded value.
    Percent {
        /// Basis points of the traded value.
        #[schemars(range(min = 0.0, max = 10_000.0))]
        bps: f64,
        /// Least fee of an order, account currency.
        #[serde(default)]
        min: f64,
    },
    /// An amount a unit.
    PerShare {
        /// Account currency a unit.
        rate: f64,
        /// Least fee of an order, account currency.
        #[serde(default)]
        min: f64,
    },
}

/// How far a fill is from its base price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SlippageConfig {
    /// Not at all.
    #[default]
    None,
    /// A share of the price, against the trader.
    Percent {
        /// Basis points of the price.
        #[schemars(range(min = 0.0, max = 9_999.0))]
        bps: f64,
    },
}

impl Execution {
    pub(super) fn read(node: Option<&Node>) -> Result<Self> {
        let Some(node) = node else { return Ok(Self::default()) };
        let section = Section::open(node, "execution", KEYS)?;
        let semantics = [("realistic", SemanticsName::Realistic)];
        let lots = [("integer", LotsName::Integer), ("fractional", LotsName::Fractional)];
        let later = ["margin", "crypto", "futures"];
        let semantics = section.choice("semantics", &semantics, LATER_SEMANTICS)?;
        let account = section.choice("account", &[("cash", AccountName::Cash)], &later)?;
        if let Some(leverage) = section.number("leverage_max", Bounds::Positive)?
            && leverage != 1.0
        {
            return Err(section.not_available("leverage_max", "a limit other than 1", "1.0"));
        }
        Ok(Self {
            semantics: semantics.unwrap_or_default(),
            account: account.unwrap_or_default(),
            lots: section.choice("lots", &lots, &[])?.unwrap_or_default(),
            leverage_max: LeverageMax::default(),
            commission: section
                .node("commission")
                .map(CommissionConfig::read)
                .transpose()?
                .unwrap_or_default(),
            slippage: section
                .node("slippage")
                .map(SlippageConfig::read)
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    None,
    Percent,
    PerShare,
}

impl CommissionConfig {
    fn read(node: &Node) -> Result<Self> {
        if is_none(node) {
            return Ok(Self::None);
        }
        let kinds =
            [("none", Kind::None), ("percent", Kind::Percent), ("per_share", Kind::PerShare)];
        let later = ["per_trade", "tiered", "maker_taker"];
        let all = Section::open(node, "execution.commission", COMMISSION_KEYS)?;
        let kind = all.choice("kind", &kinds, &later)?.ok_or_else(|| all.missing("kind"))?;
        let keys: &[&str] = match kind {
            Kind::None => &["kind"],
            Kind::Percent => &["kind", "bps", "min"],
            Kind::PerShare => &["kind", "rate", "min"],
        };
        let section = Section::open(node, "execution.commission", keys)?;
        if kind == Kind::None {
            return Ok(Self::None);
        }
        let min = section.number("min", Bounds::NotNegative)?.unwrap_or(0.0);
        if kind == Kind::Percent {
            let bps = section.number("bps", Bounds::Within(0.0, 10_000.0))?;
            return Ok(Self::Percent { bps: bps.ok_or_else(|| section.missing("bps"))?, min });
        }
        let rate = section.number("rate", Bounds::NotNegative)?;
        Ok(Self::PerShare { rate: rate.ok_or_else(|| section.missing("rate"))?, min })
    }
}

impl SlippageConfig {
    fn read(node: &Node) -> Result<Self> {
        if is_none(node) {
            return Ok(Self::None);
        }
        let kinds = [("none", Kind::None), ("percent", Kind::Percent)];
        let later = ["per_share", "spread", "volume_share"];
        let section = Section::open(node, "execution.slippage", SLIPPAGE_KEYS)?;
        let kind = section.choice("kind", &kinds, &later)?;
        if kind.ok_or_else(|| section.missing("kind"))? == Kind::None {
            Section::open(node, "execution.slippage", &["kind"])?;
            return Ok(Self::None);
        }
        let bps = section.number("bps", Bounds::Within(0.0, 9_999.0))?;
        Ok(Self::Percent { bps: bps.ok_or_else(|| section.missing("bps"))? })
    }
}

fn is_none(node: &Node) -> bool {
    matches!(&node.value, Value::Text(text) if text == "none")
}
