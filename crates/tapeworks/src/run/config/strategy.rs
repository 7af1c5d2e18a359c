//! The section `strategy`: a built-in rule, or a Python class.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section, did_you_mean, expected, number_of};
use super::tree::{Node, Value};
use crate::base::{Error, Result};
use crate::engine::rules::Rebalance;

/// The rules and their keys beside `rule`.
pub(super) const RULES: &[(&str, &[&str])] = &[
    ("noop", &["rule"]),
    ("buy_and_hold", &["rule"]),
    ("sma_cross", &["rule", "fast", "slow", "quantity"]),
    (
        "top_n",
        &[
            "rule",
            "signal",
            "n",
            "rebalance",
            "phase",
            "weight",
            "long_short",
            "max_weight",
            "where",
        ],
    ),
    ("weights", &["rule", "column"]),
    ("entries_exits", &["rule", "entry", "exit", "quantity", "percent"]),
];
const PYTHON_KEYS: &[&str] = &["python", "params"];

/// What decides.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StrategyConfig {
    /// A built-in rule.
    Rule(Rule),
    /// A class of the user; only the Python package can run it.
    Python(PythonStrategy),
}

/// A class of the user.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PythonStrategy {
    /// `module:Class`.
    pub python: String,
    /// Keyword arguments of the class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, serde_json::Value>,
}

/// A built-in rule.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// Does nothing.
    Noop,
    /// Buys every symbol at its first row and holds.
    BuyAndHold,
    /// Holds while the fast mean of closes is above the slow one.
    SmaCross {
        /// Rows of the fast mean.
        fast: u64,
        /// Rows of the slow mean.
        slow: u64,
        /// Units a position.
        quantity: f64,
    },
    /// Holds the symbols with the highest signal.
    TopN {
        /// Column that ranks.
        signal: String,
        /// How many are held.
        n: u64,
        /// `1d`, `5d` (every fifth row of the run), `1w` or `month_end`.
        #[serde(default = "default_rebalance")]
        rebalance: String,
        /// Which row of the cycle acts; left out, the last.
        #[serde(skip_serializing_if = "Option::is_none")]
        phase: Option<u64>,
        /// `equal`, `signal`, `inverse_vol`, or the share of equity of each holding.
        #[serde(default)]
        weight: Weight,
        /// Also shorts the lowest; needs an account that may short.
        #[serde(default)]
        long_short: bool,
        /// Largest share of equity of a holding.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_weight: Option<f64>,
        /// Condition under which symbols qualify, such as `context.vix < 30`.
        #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
        condition: Option<String>,
    },
    /// Holds the weights of a column.
    Weights {
        /// Column with the share of equity of each symbol.
        column: String,
    },
    /// Enters and leaves by expressions over a row.
    EntriesExits {
        /// Buys where this is true and nothing is held.
        entry: String,
        /// Sells where this is true and something is held.
        exit: String,
        /// Units of an entry.
        #[serde(skip_serializing_if = "Option::is_none")]
        quantity: Option<f64>,
        /// Share of equity of an entry.
        #[serde(skip_serializing_if = "Option::is_none")]
        percent: Option<f64>,
    },
}

/// How `top_n` sizes its holdings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// 1/n of equity each.
    #[default]
    Equal,
    /// By its share of the sum of absolute signals.
    Signal,
    /// By its share of the sum of 1/volatility over the last 20 returns.
    InverseVol,
    /// This share of equity each.
    #[serde(untagged)]
    Share(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))] f64),
}

fn default_rebalance() -> String {
    "1d".to_owned()
}

impl Rule {
    /// The name of the rule in configs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::BuyAndHold => "buy_and_hold",
            Self::SmaCross { .. } => "sma_cross",
            Self::TopN { .. } => "top_n",
            Self::Weights { .. } => "weights",
            Self::EntriesExits { .. } => "entries_exits",
        }
    }
}

impl StrategyConfig {
    pub(super) fn read(node: &Node) -> Result<Self> {
        if node.child("python").is_some() {
            return PythonStrategy::read(node).map(Self::Python);
        }
        let Some(rule) = node.child("rule") else {
            let all: Vec<&str> = RULES.iter().flat_map(|(_, keys)| keys.iter().copied()).collect();
            return Err(Section::open(node, "strategy", &all)?.missing("rule"));
        };
        let names = || RULES.iter().map(|(name, _)| *name);
        let Value::Text(name) = &rule.node.value else {
            return Err(expected(&rule.node, "strategy.rule", "the name of a rule"));
        };
        let Some((name, keys)) = RULES.iter().find(|(known, _)| known == name) else {
            let guess = did_you_mean(name, names());
            let place = &rule.node.origin;
            let message = format!("{place}: strategy.rule: {name:?} is unknown{guess}");
            let known: Vec<&str> = names().collect();
            return Err(
                Error::config("C304", message).with_hint(format!("one of: {}", known.join(", ")))
            );
        };
        read_rule(name, &Section::open(node, "strategy", keys)?).map(Self::Rule)
    }
}

fn read_rule(name: &str, section: &Section<'_>) -> Result<Rule> {
    let text = |key: &str| section.text(key)?.ok_or_else(|| section.missing(key));
    let count = |key: &str| section.whole(key, 1, 1_000_000)?.ok_or_else(|| section.missing(key));
    match name {
        "noop" => Ok(Rule::Noop),
        "buy_and_hold" => Ok(Rule::BuyAndHold),
        "sma_cross" => {
            let (fast, slow) = (count("fast")?, count("slow")?);
            if fast >= slow {
                let reason = format!("fast {fast} is not below slow {slow}");
                return Err(section.bad("fast", &reason));
            }
            let quantity = section.number("quantity", Bounds::Positive)?;
            let quantity = quantity.ok_or_else(|| section.missing("quantity"))?;
            Ok(Rule::SmaCross { fast, slow, quantity })
        }
        "top_n" => Ok(Rule::TopN {
            signal: text("signal")?,
            n: count("n")?,
            rebalance: rebalance(section)?,
            phase: section.whole("phase", 0, 1_000_000)?,
            weight: section
                .node("weight")
                .map(|_| weight(section))
                .transpose()?
                .unwrap_or_default(),
            long_short: section.flag("long_short")?.unwrap_or_default(),
            max_weight: section.number("max_weight", Bounds::UpTo(0.0, 1.0))?,
            condition: section.text("where")?,
        }),
        "weights" => Ok(Rule::Weights { column: text("column")? }),
        _ => {
            let quantity = section.number("quantity", Bounds::Positive)?;
            let percent = section.number("percent", Bounds::UpTo(0.0, 1.0))?;
            if quantity.is_some() == percent.is_some() {
                let reason = "give either quantity (units) or percent (share of equity)";
                return Err(section.bad("entry", reason));
            }
            Ok(Rule::EntriesExits { entry: text("entry")?, exit: text("exit")?, quantity, percent })
        }
    }
}

fn rebalance(section: &Section<'_>) -> Result<String> {
    let text = section.text("rebalance")?.unwrap_or_else(default_rebalance);
    let phase = section.whole("phase", 0, 1_000_000)?.and_then(|phase| u32::try_from(phase).ok());
    Rebalance::parse(&text, phase).map_err(|error| {
        let hint = error.hint().unwrap_or_default().to_owned();
        section.bad("rebalance", error.message()).with_hint(hint)
    })?;
    Ok(text)
}

fn weight(section: &Section<'_>) -> Result<Weight> {
    match section.node("weight") {
        Some(node) if matches!(node.value, Value::Int(_) | Value::Float(_)) => {
            number_of(node, "strategy.weight", Bounds::UpTo(0.0, 1.0)).map(Weight::Share)
        }
        _ => {
            let names = [
                ("equal", Weight::Equal),
                ("signal", Weight::Signal),
                ("inverse_vol", Weight::InverseVol),
            ];
            let chosen = section.choice("weight", &names, &[])?;
            Ok(chosen.unwrap_or_default())
        }
    }
}

impl PythonStrategy {
    fn read(node: &Node) -> Result<Self> {
        let section = Section::open(node, "strategy", PYTHON_KEYS)?;
        let python = section.text("python")?.ok_or_else(|| section.missing("python"))?;
        let parts: Vec<&str> = python.split(':').collect();
        if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
            return Err(section.bad("python", "expected module:Class"));
        }
        let mut params = BTreeMap::new();
        if let Some(node) = section.node("params") {
            let Value::Map(entries) = &node.value else {
                return Err(expected(node, "strategy.params", "a mapping of names to values"));
            };
            for entry in entries {
                params.insert(entry.key.clone(), plain(&entry.node));
            }
        }
        Ok(Self { python, params })
    }
}

/// The value without its places.
fn plain(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null { .. } => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => match i64::try_from(*value) {
            Ok(value) => value.into(),
            Err(_) => (*value as f64).into(),
        },
        Value::Float(value) => (*value).into(),
        Value::Text(value) => value.clone().into(),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(entries) => serde_json::Value::Object(
            entries.iter().map(|entry| (entry.key.clone(), plain(&entry.node))).collect(),
        ),
    }
}
