//! `risk.position`: rules that watch a position.

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section, expected, number_of};
use super::tree::{Entry, Node, Value};
use crate::base::{Error, Result};
use crate::broker::{PositionRule, ScaledOf};

const RULES: &[&str] = &[
    "stop_loss",
    "take_profit",
    "trailing",
    "trailing_amount",
    "tightening",
    "volatility_stop",
    "volatility_trail",
    "scaled",
    "time",
    "signal_exit",
    "any",
    "all",
];
const BELOW_ONE: Bounds = Bounds::UpTo(0.0, 1.0 - f64::EPSILON);

/// A rule of a position; fractions of the price it refers to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionRuleConfig {
    /// Closes at this loss from the entry price.
    StopLoss(#[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))] f64),
    /// Closes at this gain from the entry price.
    TakeProfit(#[schemars(extend("exclusiveMinimum" = 0))] f64),
    /// Closes at this fall from the best price since entry.
    Trailing(#[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))] f64),
    /// Closes at this fall from the best price since entry, account currency a unit.
    TrailingAmount(#[schemars(extend("exclusiveMinimum" = 0))] f64),
    /// A trail whose distance depends on the gain at the last close: `[gain, distance]`, by rising
    /// gain.
    Tightening(Vec<(f64, f64)>),
    /// Closes this many times a column below the entry price, the column as of the entry.
    VolatilityStop(VolatilityRule),
    /// Closes this many times a column below the best price since entry.
    VolatilityTrail(VolatilityRule),
    /// Closes a part at each of several gains.
    Scaled(ScaledRule),
    /// Closes at the next open once the position has this many rows.
    Time(#[schemars(range(min = 1, max = 1_000_000))] u64),
    /// Closes at the next open once a column says against the position.
    SignalExit(SignalRule),
    /// All of these are armed; whichever price reaches first closes.
    Any(Vec<PositionRuleConfig>),
    /// Closes at the next open once all of these hold at a close.
    All(Vec<PositionRuleConfig>),
}

/// A distance in units of a column, such as an average true range.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolatilityRule {
    /// How many times the column.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub multiple: f64,
    /// A signal or indicator column.
    pub column: String,
}

/// Partial exits at gains.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaledRule {
    /// `[gain, fraction]`, by rising gain.
    pub steps: Vec<(f64, f64)>,
    /// What the fractions are of.
    #[serde(default)]
    pub of: ScaledOfName,
}

/// What the fractions of a scaled exit are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScaledOfName {
    /// The size at the first entry.
    #[default]
    Initial,
    /// What is held when the step fires.
    Remaining,
}

/// A column that closes positions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignalRule {
    /// A signal or indicator column.
    pub column: String,
    /// How far beyond zero, against the position.
    #[serde(default)]
    pub threshold: f64,
}

impl PositionRuleConfig {
    pub(super) fn read_all(node: &Node, path: &str) -> Result<Vec<Self>> {
        let Value::List(items) = &node.value else {
            return Err(expected(node, path, "a list of rules, such as [{stop_loss: 0.05}]"));
        };
        items.iter().map(|item| Self::read(item, path)).collect()
    }

    fn read(node: &Node, path: &str) -> Result<Self> {
        Section::open(node, path, RULES)?;
        let Value::Map(entries) = &node.value else {
            return Err(expected(node, path, "a mapping"));
        };
        let [entry] = entries.as_slice() else {
            let reason = "one rule a list item, such as - stop_loss: 0.05";
            return Err(Error::config("C302", format!("{}: {path}: {reason}", node.origin)));
        };
        let path = format!("{path}.{}", entry.key);
        let number = |bounds| number_of(&entry.node, &path, bounds);
        match entry.key.as_str() {
            "stop_loss" => number(BELOW_ONE).map(Self::StopLoss),
            "take_profit" => number(Bounds::Positive).map(Self::TakeProfit),
            "trailing" => number(BELOW_ONE).map(Self::Trailing),
            "trailing_amount" => number(Bounds::Positive).map(Self::TrailingAmount),
            "tightening" => {
                let pairs = read_pairs(&entry.node, &path, "[gain, distance]", BELOW_ONE)?;
                Ok(Self::Tightening(pairs))
            }
            "volatility_stop" => volatility(entry, &path).map(Self::VolatilityStop),
            "volatility_trail" => volatility(entry, &path).map(Self::VolatilityTrail),
            "scaled" => scaled(entry, &path).map(Self::Scaled),
            "time" => rows(entry, &path).map(Self::Time),
            "signal_exit" => {
                let section = Section::open(&entry.node, &path, &["column", "threshold"])?;
                let column = section.text("column")?.ok_or_else(|| section.missing("column"))?;
                let threshold = section.number("threshold", Bounds::NotNegative)?.unwrap_or(0.0);
                Ok(Self::SignalExit(SignalRule { column, threshold }))
            }
            kind => {
                let rules = Self::read_all(&entry.node, &path)?;
                if rules.is_empty() {
                    let message = format!("{}: {path}: the list is empty", entry.node.origin);
                    return Err(Error::config("C303", message));
                }
                Ok(if kind == "any" { Self::Any(rules) } else { Self::All(rules) })
            }
        }
    }

    /// The rule as the engine takes it.
    #[must_use]
    pub fn rule(&self) -> PositionRule {
        let all = |rules: &[Self]| rules.iter().map(Self::rule).collect();
        match self {
            Self::StopLoss(x) => PositionRule::StopLoss(*x),
            Self::TakeProfit(x) => PositionRule::TakeProfit(*x),
            Self::Trailing(x) => PositionRule::TrailingStop(*x),
            Self::TrailingAmount(amount) => PositionRule::TrailingAmount(*amount),
            Self::Tightening(pairs) => PositionRule::TighteningTrail(pairs.clone()),
            Self::VolatilityStop(VolatilityRule { multiple, column }) => {
                PositionRule::VolatilityStop { multiple: *multiple, column: column.clone() }
            }
            Self::VolatilityTrail(VolatilityRule { multiple, column }) => {
                PositionRule::VolatilityTrail { multiple: *multiple, column: column.clone() }
            }
            Self::Scaled(ScaledRule { steps, of }) => PositionRule::ScaledExit {
                steps: steps.clone(),
                of: match of {
                    ScaledOfName::Initial => ScaledOf::Initial,
                    ScaledOfName::Remaining => ScaledOf::Remaining,
                },
            },
            Self::Time(rows) => PositionRule::TimeExit(u32::try_from(*rows).unwrap_or(u32::MAX)),
            Self::SignalExit(SignalRule { column, threshold }) => {
                PositionRule::SignalExit { column: column.clone(), threshold: *threshold }
            }
            Self::Any(rules) => PositionRule::Any(all(rules)),
            Self::All(rules) => PositionRule::All(all(rules)),
        }
    }
}

fn volatility(entry: &Entry, path: &str) -> Result<VolatilityRule> {
    let section = Section::open(&entry.node, path, &["multiple", "column"])?;
    Ok(VolatilityRule {
        multiple: section.number_needed("multiple", Bounds::Positive)?,
        column: section.text("column")?.ok_or_else(|| section.missing("column"))?,
    })
}

fn scaled(entry: &Entry, path: &str) -> Result<ScaledRule> {
    let section = Section::open(&entry.node, path, &["steps", "of"])?;
    let of = [("initial", ScaledOfName::Initial), ("remaining", ScaledOfName::Remaining)];
    let steps = section.node("steps").ok_or_else(|| section.missing("steps"))?;
    Ok(ScaledRule {
        steps: read_pairs(
            steps,
            &section.path_of("steps"),
            "[gain, fraction]",
            Bounds::UpTo(0.0, 1.0),
        )?,
        of: section.choice("of", &of, &[])?.unwrap_or_default(),
    })
}

fn rows(entry: &Entry, path: &str) -> Result<u64> {
    match entry.node.value {
        Value::Int(rows) if (1..=1_000_000).contains(&rows) => {
            Ok(u64::try_from(rows).expect("looked at above"))
        }
        _ => Err(expected(&entry.node, path, "a whole number of rows from 1 to 1000000")),
    }
}

/// A list of pairs whose first numbers rise and whose second ones lie in `bounds`.
fn read_pairs(node: &Node, path: &str, what: &str, bounds: Bounds) -> Result<Vec<(f64, f64)>> {
    let rule = format!("a list of {what}");
    let Value::List(items) = &node.value else { return Err(expected(node, path, &rule)) };
    let mut pairs: Vec<(f64, f64)> = Vec::with_capacity(items.len());
    for item in items {
        let pair = match &item.value {
            Value::List(pair) => pair.as_slice(),
            _ => &[],
        };
        let [gain, other] = pair else { return Err(expected(item, path, what)) };
        let gain_value = number_of(gain, path, Bounds::NotNegative)?;
        if pairs.last().is_some_and(|last| gain_value <= last.0) {
            let message = format!(
                "{}: {path}: gains rise from pair to pair, {gain_value} does not",
                gain.origin
            );
            return Err(Error::config("C303", message));
        }
        pairs.push((gain_value, number_of(other, path, bounds)?));
    }
    if pairs.is_empty() { Err(expected(node, path, &rule)) } else { Ok(pairs) }
}
