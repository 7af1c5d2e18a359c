//! The parts of a run for a caller that builds it without a config file: the Python package.

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Schema, TimeUnit, TimestampNanosecondType};

use super::config::{Rule, StrategyConfig};
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
        .map(|rule| match rule {
            PositionRule::StopLoss(x) => format!("stop_loss {x}"),
            PositionRule::TakeProfit(x) => format!("take_profit {x}"),
            PositionRule::TrailingStop(x) => format!("trailing {x}"),
        })
        .collect();
    format!("{strategy}; every position: {}", rules.join(", "))
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
    let mut hash = blake3::Hasher::new();
    let mut bytes = Vec::new();
    for (place, field) in schema.fields().iter().enumerate() {
        hash.update(field.name().as_bytes());
        for batch in batches {
            bytes.clear();
            push_values(batch.column(place), &mut bytes);
            hash.update(&bytes);
        }
    }
    InputEntry {
        table: table.to_owned(),
        path: path.to_owned(),
        n_files: 0,
        bytes: batches.iter().map(|batch| batch.get_array_memory_size() as u64).sum(),
        hash: hash.finalize().to_hex().to_string(),
        rows: Some(batches.iter().map(|batch| batch.num_rows() as u64).sum()),
        span: None,
    }
}

/// Appends the values of a column in one form a kind of type: texts with their lengths, everything
/// that counts as a whole number where it is one, else as a float.
fn push_values(column: &ArrayRef, bytes: &mut Vec<u8>) {
    let as_type = |kind: DataType| cast(column, &kind).ok();
    let kind = column.data_type();
    if let DataType::Timestamp(_, zone) = kind {
        if let Some(times) = as_type(DataType::Timestamp(TimeUnit::Nanosecond, zone.clone())) {
            let times = times.as_primitive::<TimestampNanosecondType>();
            let instants = times.iter().map(|time| time.unwrap_or(i64::MIN));
            bytes.extend(instants.flat_map(i64::to_le_bytes));
        }
    } else if kind.is_numeric() || *kind == DataType::Boolean {
        if let Some(numbers) = as_type(DataType::Float64) {
            let numbers = numbers.as_primitive::<Float64Type>();
            let numbers = numbers.iter().map(|number| number.unwrap_or(f64::NAN));
            bytes.extend(numbers.flat_map(f64::to_le_bytes));
        }
    } else if let Some(texts) = as_type(DataType::Utf8) {
        for text in texts.as_string::<i32>() {
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            bytes.extend(length.to_le_bytes());
            bytes.extend(text.unwrap_or_default().as_bytes());
        }
    }
}
