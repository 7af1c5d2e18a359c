//! `execution.commission`: what a fill pays.

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section, expected};
use super::tree::{Node, Value};
use crate::base::Result;

/// The kinds, with the keys of each.
pub(super) const KINDS: &[(&str, &[&str])] = &[
    ("none", &["kind"]),
    ("percent", &["kind", "bps", "min", "max_pct", "min_scope"]),
    ("per_share", &["kind", "rate", "min", "max_pct", "min_scope"]),
    ("per_fill", &["kind", "amount"]),
    ("per_order", &["kind", "amount"]),
    ("tiered", &["kind", "tiers", "by", "marginal"]),
    ("maker_taker", &["kind", "maker_bps", "taker_bps"]),
    ("sell_levy", &["kind", "bps"]),
    ("combined", &["kind", "parts"]),
];
pub(super) const TIER_KEYS: &[&str] = &["up_to", "bps", "rate"];
/// Names that other libraries use, with ours.
const ALIASES: &[(&str, &str)] = &[("per_trade", "per_order"), ("per_unit", "per_share")];

/// What a fill pays the broker. Value is quantity x price x multiplier.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
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
        /// Least fee, account currency.
        #[serde(default)]
        min: f64,
        /// Largest fee as a fraction of the traded value.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_pct: Option<f64>,
        /// What `min` and `max_pct` are of.
        #[serde(default)]
        min_scope: MinScope,
    },
    /// An amount a unit: a share, a contract.
    PerShare {
        /// Account currency a unit.
        rate: f64,
        /// Least fee, account currency.
        #[serde(default)]
        min: f64,
        /// Largest fee as a fraction of the traded value.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_pct: Option<f64>,
        /// What `min` and `max_pct` are of.
        #[serde(default)]
        min_scope: MinScope,
    },
    /// An amount a fill.
    PerFill {
        /// Account currency.
        amount: f64,
    },
    /// An amount an order, with its first fill.
    PerOrder {
        /// Account currency.
        amount: f64,
    },
    /// Rates that change with what is traded.
    Tiered {
        /// The brackets by rising `up_to`; the last has none.
        tiers: Vec<TierConfig>,
        /// What the brackets count.
        #[serde(default)]
        by: TierBy,
        /// Whether each bracket's rate holds for the part inside it, in place of for everything.
        #[serde(default = "default_true")]
        marginal: bool,
    },
    /// A share of the traded value that depends on who waited in the book.
    MakerTaker {
        /// Basis points of limit orders that waited; negative is a rebate.
        maker_bps: f64,
        /// Basis points of all other fills.
        taker_bps: f64,
    },
    /// A share of the value sold: a stamp duty, an exchange levy.
    SellLevy {
        /// Basis points of the traded value of sales.
        #[schemars(range(min = 0.0, max = 10_000.0))]
        bps: f64,
    },
    /// The sum of several.
    Combined {
        /// The parts.
        parts: Vec<CommissionConfig>,
    },
}

/// One bracket: `bps` of value, with `up_to` in currency, or `rate` a unit, with `up_to` in units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TierConfig {
    /// Where the bracket ends; the last has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<f64>,
    /// Basis points of the traded value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bps: Option<f64>,
    /// Account currency a unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

/// What the brackets of a tiered fee count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TierBy {
    /// The fill.
    #[default]
    Fill,
    /// Everything of the calendar month (UTC).
    Month,
}

/// What a least and a largest fee are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MinScope {
    /// The order, over all its fills.
    #[default]
    Order,
    /// Each fill.
    Fill,
}

fn default_true() -> bool {
    true
}

/// Least and largest fee, and what they are of.
struct Clamp {
    min: f64,
    max_pct: Option<f64>,
    min_scope: MinScope,
}

impl Clamp {
    fn read(section: &Section<'_>) -> Result<Self> {
        let scopes = [("order", MinScope::Order), ("fill", MinScope::Fill)];
        Ok(Self {
            min: section.number("min", Bounds::NotNegative)?.unwrap_or(0.0),
            max_pct: section.number("max_pct", Bounds::UpTo(0.0, 1.0))?,
            min_scope: section.choice("min_scope", &scopes, &[])?.unwrap_or_default(),
        })
    }
}

impl CommissionConfig {
    pub(super) fn read(node: &Node) -> Result<Self> {
        Self::read_at(node, "execution.commission")
    }

    fn read_at(node: &Node, path: &str) -> Result<Self> {
        match &node.value {
            Value::Text(text) if text == "none" => return Ok(Self::None),
            Value::List(_) => {
                return Self::read_parts(node, path).map(|parts| Self::Combined { parts });
            }
            _ => {}
        }
        let node = &with_own_name(node);
        let (kind, section) = Section::of_kind(node, path, KINDS)?;
        let bps = Bounds::Within(0.0, 10_000.0);
        match kind {
            "none" => Ok(Self::None),
            "percent" => {
                let bps = section.number_needed("bps", bps)?;
                let Clamp { min, max_pct, min_scope } = Clamp::read(&section)?;
                Ok(Self::Percent { bps, min, max_pct, min_scope })
            }
            "per_share" => {
                let rate = section.number_needed("rate", Bounds::NotNegative)?;
                let Clamp { min, max_pct, min_scope } = Clamp::read(&section)?;
                Ok(Self::PerShare { rate, min, max_pct, min_scope })
            }
            "per_fill" => {
                Ok(Self::PerFill { amount: section.number_needed("amount", Bounds::NotNegative)? })
            }
            "per_order" => {
                Ok(Self::PerOrder { amount: section.number_needed("amount", Bounds::NotNegative)? })
            }
            "tiered" => {
                let by = [("fill", TierBy::Fill), ("month", TierBy::Month)];
                Ok(Self::Tiered {
                    tiers: read_tiers(&section)?,
                    by: section.choice("by", &by, &[])?.unwrap_or_default(),
                    marginal: section.flag("marginal")?.unwrap_or(true),
                })
            }
            "maker_taker" => Ok(Self::MakerTaker {
                maker_bps: section
                    .number_needed("maker_bps", Bounds::Within(-10_000.0, 10_000.0))?,
                taker_bps: section
                    .number_needed("taker_bps", Bounds::Within(-10_000.0, 10_000.0))?,
            }),
            "sell_levy" => Ok(Self::SellLevy { bps: section.number_needed("bps", bps)? }),
            _ => {
                let parts = section.node("parts").ok_or_else(|| section.missing("parts"))?;
                Self::read_parts(parts, &section.path_of("parts"))
                    .map(|parts| Self::Combined { parts })
            }
        }
    }

    fn read_parts(node: &Node, path: &str) -> Result<Vec<Self>> {
        let Value::List(items) = &node.value else {
            return Err(expected(node, path, "a list of commissions"));
        };
        items
            .iter()
            .enumerate()
            .map(|(idx, item)| Self::read_at(item, &format!("{path}.{idx}")))
            .collect()
    }
}

/// The node with the name of another library replaced by ours.
fn with_own_name(node: &Node) -> Node {
    let mut node = node.clone();
    if let Value::Map(entries) = &mut node.value
        && let Some(entry) = entries.iter_mut().find(|entry| entry.key == "kind")
        && let Value::Text(name) = &mut entry.node.value
        && let Some((_, own)) = ALIASES.iter().find(|(alias, _)| alias == name)
    {
        (*own).clone_into(name);
    }
    node
}

fn read_tiers(section: &Section<'_>) -> Result<Vec<TierConfig>> {
    let path = section.path_of("tiers");
    let node = section.node("tiers").ok_or_else(|| section.missing("tiers"))?;
    let rule = "a list of {up_to: ..., bps: ...} or {up_to: ..., rate: ...}";
    let Value::List(items) = &node.value else { return Err(expected(node, &path, rule)) };
    let mut tiers: Vec<TierConfig> = Vec::with_capacity(items.len());
    for (idx, item) in items.iter().enumerate() {
        let tier = Section::open(item, &format!("{path}.{idx}"), TIER_KEYS)?;
        let read = TierConfig {
            up_to: tier.number("up_to", Bounds::Positive)?,
            bps: tier.number("bps", Bounds::Within(0.0, 10_000.0))?,
            rate: tier.number("rate", Bounds::NotNegative)?,
        };
        if read.bps.is_some() == read.rate.is_some() {
            let reason = "a tier has bps (of value) or rate (a unit), one of them";
            return Err(tier.bad("bps", reason));
        }
        if tiers.first().is_some_and(|first| first.bps.is_some() != read.bps.is_some()) {
            return Err(tier.bad("bps", "all tiers have bps, or all have rate"));
        }
        if read.up_to.is_none() != (idx + 1 == items.len()) {
            let reason = "every tier but the last has up_to, and the last has none";
            return Err(tier.bad("up_to", reason));
        }
        if let (Some(up_to), Some(below)) = (read.up_to, tiers.last().and_then(|tier| tier.up_to))
            && up_to <= below
        {
            let reason = format!("{up_to} is not above {below}, where the tier before ends");
            return Err(tier.bad("up_to", &reason));
        }
        tiers.push(read);
    }
    if tiers.is_empty() { Err(section.bad("tiers", "the list is empty")) } else { Ok(tiers) }
}
