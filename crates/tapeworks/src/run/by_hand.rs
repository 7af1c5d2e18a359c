//! The parts of a run for a caller that builds it without a config file: the Python package.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::config::{Rule, StrategyConfig};
use super::content_hash::content_hash;
use super::inputs::hash_path;
use super::manifest::InputEntry;
use super::wire;
use crate::base::Result;
use crate::broker::{PositionRule, describe_rates};
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
    let rules: Vec<String> = terms.rules.iter().map(describe_rule_of_position).collect();
    format!("{strategy}; every position: {}", rules.join(", "))
}

fn describe_rule_of_position(rule: &PositionRule) -> String {
    let pairs = |pairs: &[(f64, f64)]| {
        let each: Vec<String> =
            pairs.iter().map(|(at, then)| format!("{then} from {at}")).collect();
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

/// What trading and time cost, on one line; empty when nothing is charged.
#[must_use]
pub fn describe_costs(terms: &EngineConfig) -> String {
    let named = |name: &str, text: String| {
        if text.is_empty() { text } else { format!("{name} {text}") }
    };
    let stop_slippage = match terms.stop_slippage {
        0.0 => String::new(),
        share => format!("{share} of the price"),
    };
    let funding = match terms.funding.len() {
        0 => String::new(),
        n_rates => format!("at {n_rates} instants"),
    };
    let costs = [
        named("commission", terms.commission.describe()),
        named("stop slippage", stop_slippage),
        named("impact", terms.impact.describe()),
        named("slippage", terms.slippage.describe()),
        describe_rates(&terms.account),
        named("funding", funding),
    ];
    costs.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
}

/// A table of files as the manifest names it, with the hash of its content.
///
/// # Errors
/// `D101`, `D102` when there is no file or it cannot be read.
pub fn file_input(table: &str, path: &str) -> Result<InputEntry> {
    let hashed = hash_path(path)?;
    Ok(InputEntry {
        table: table.to_owned(),
        path: path.replace('\n', ", "),
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
