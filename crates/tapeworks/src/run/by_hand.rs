//! What a caller needs that builds a run without a config file: the Python package.

use super::config::{Rule, StrategyConfig, Weight};
use super::inputs::hash_path;
use super::manifest::InputEntry;
use super::wire;
use crate::base::Result;
use crate::broker::{Commission, Slippage};
use crate::engine::{EngineConfig, Size, Strategy, rules};
use crate::feed::Layout;

/// The strategy behind a built-in rule, bound to the columns of a feed.
///
/// # Errors
/// What the rule refuses: figures out of range, columns that are not there.
pub fn rule_strategy(rule: &Rule, layout: &Layout) -> Result<Box<dyn Strategy>> {
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    match rule {
        Rule::Noop => Ok(Box::new(rules::Noop)),
        Rule::BuyAndHold => Ok(Box::new(rules::BuyAndHold::new())),
        Rule::SmaCross { fast, slow, quantity } => {
            Ok(Box::new(rules::SmaCross::new(count(*fast), count(*slow), *quantity)?))
        }
        Rule::TopN {
            signal,
            n,
            rebalance,
            phase,
            weight,
            long_short,
            max_weight,
            condition,
        } => {
            let phase = phase.map(|phase| u32::try_from(phase).unwrap_or(u32::MAX));
            let rule = rules::TopN {
                signal: signal.clone(),
                n: count(*n),
                rebalance: rules::Rebalance::parse(rebalance, phase)?,
                weighting: match weight {
                    Weight::Equal => rules::Weighting::Equal,
                    Weight::Share(share) => rules::Weighting::Fixed(*share),
                },
                long_short: *long_short,
                max_weight: *max_weight,
                condition: condition.clone(),
            };
            rule.build(layout)
        }
        Rule::Weights { column } => rules::Weights::new(column.clone()).build(layout),
        Rule::EntriesExits { entry, exit, quantity, percent } => {
            let size = match (quantity, percent) {
                (Some(units), _) => Size::Quantity(*units),
                (None, share) => Size::Percent(share.unwrap_or_default()),
            };
            let (entry, exit) = (entry.clone(), exit.clone());
            rules::EntriesExits { entry, exit, size }.build(layout)
        }
    }
}

/// A rule with its parameters on one line: `sma_cross(fast 20, slow 50)`.
#[must_use]
pub fn describe_rule(rule: &Rule) -> String {
    wire::describe(&StrategyConfig::Rule(rule.clone()))
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
