//! The parts of a run for a caller that builds it without a config file: the Python package.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::config::{Rule, StrategyConfig};
use super::content_hash::content_hash;
use super::inputs::hash_path;
use super::manifest::InputEntry;
use super::wire;
use crate::base::Result;
use crate::broker::{Commission, PositionRule, Slippage};
use crate::engine::{EngineConfig, Strategy};
use crate::feed::Layout;

/// The strategy behind a built-in rule, bound to the columns of a feed.
///
/// # Errors
/// What the rule refuses: figures out of range, columns that are not there.
pub fn rule_strategy(rule: &Rule, layout: &Layout) -> Result<Box<dyn Strategy>> {
    wire::build(rule, layout)
}

/// A rule with its parameters on one line: `sma_cross(fast 20, slow 50)`.
#[must_use]
pub fn describe_rule(rule: &Rule) -> String {
    wire::describe(&StrategyConfig::Rule(rule.clone()))
}

/// A strategy and the position rules that watch it, on one line.
#[must_use]
pub fn describe_strategy(strategy: &str, terms: &EngineConfig) -> String {
    if terms.rules.is_empty() {
        return strategy.to_owned();
    }
    let rules: Vec<String> = terms
        .rules
        .iter()
        .map(describe_rule_of_position)
        .collect();
    format!("{strategy}; every position: {}", rules.join(", "))
}

fn describe_rule_of_position(rule: &PositionRule) -> String {
    let pairs = |pairs: &[(f64, f64)]| {
        let each: Vec<String> = pairs.iter().map(|(at, then)| format!("{then} from {at}")).collect();
        each.join(", ")
    };
    let all = |rules: &[PositionRule], word: &str| {
        let each: Vec<String> = rules.iter().map(describe_rule_of_position).collect();
        format!("({})", each.join(word))
    };
    match rule {
        PositionRule::StopLoss(x) => format!("stop_loss {x}"),
        PositionRule::TakeProfit(x) => format!("take_profit {x}"),
        PositionRule::TrailingStop(x) => format!("trailing {x}"),
        PositionRule::TrailingAmount(amount) => format!("trailing {amount} of currency"),
        PositionRule::TighteningTrail(steps) => format!("trailing {}", pairs(steps)),
        PositionRule::VolatilityStop { multiple, column } => {
            format!("stop {multiple} x {column}")
        }
        PositionRule::VolatilityTrail { multiple, column } => {
            format!("trailing {multiple} x {column}")
        }
        PositionRule::ScaledExit { steps, .. } => format!("scaled exit {}", pairs(steps)),
        PositionRule::TimeExit(rows) => format!("{rows} rows at most"),
        PositionRule::SignalExit { column, threshold } => {
            format!("until {column} is {threshold} against it")
        }
        PositionRule::Any(rules) => all(rules, " or "),
        PositionRule::All(rules) => all(rules, " and "),
    }
}

/// Commission and slippage on one line; empty when nothing is charged.
#[must_use]
pub fn describe_costs(terms: &EngineConfig) -> String {
    let least = |min: f64| if min > 0.0 { format!(", at least {min}") } else { String::new() };
    let commission = match terms.commission {
        Commission::None => None,
        Commission::Percent { bps, min } => Some(format!("commission {bps} bps{}", least(min))),
        Commission::PerShare { rate, min } => {
            Some(format!("commission {rate} a unit{}", least(min)))
        }
    };
    let slippage = match terms.slippage {
        Slippage::None => None,
        Slippage::Percent { bps } => Some(format!("slippage {bps} bps")),
    };
    commission.into_iter().chain(slippage).collect::<Vec<_>>().join("; ")
}

/// A table of files as the manifest names it, with the hash of its content.
///
/// # Errors
/// `D101`, `D102` when there is no file or it cannot be read.
pub fn file_input(table: &str, path: &str) -> Result<InputEntry> {
    let hashed = hash_path(path)?;
    Ok(InputEntry {
        table: table.to_owned(),
        path: path.to_owned(),
        n_files: hashed.n_files,
        bytes: hashed.bytes,
        hash: hashed.hash,
        rows: None,
        span: None,
    })
}

/// A table that lies in memory, as the manifest names it, with the hash of its values.
///
/// Shape: the hash does not depend on how the rows are cut into batches, nor on whether texts are
/// stored as dictionaries or views.
#[must_use]
pub fn batches_input(
    table: &str,
    path: &str,
    schema: &Schema,
    batches: &[RecordBatch],
) -> InputEntry {
    InputEntry {
        table: table.to_owned(),
        path: path.to_owned(),
        n_files: 0,
        bytes: batches.iter().map(|batch| batch.get_array_memory_size() as u64).sum(),
        hash: content_hash(schema, batches),
        rows: Some(batches.iter().map(|batch| batch.num_rows() as u64).sum()),
        span: None,
    }
}
