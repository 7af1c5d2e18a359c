//! The config of a run: read from YAML, TOML or JSON, layered, checked, printed.
//!
//! In: a file, the environment as the caller sees it, overrides. Out: a [`LoadedConfig`] whose
//! [`Config`] holds only values that this version can honour; what a later version brings is
//! refused by name. Every complaint names file, line, column and key.
//!
//! To add a key: a field of the section's struct, its name in `KEYS`, one line in `read`.

mod tree;
mod yaml;
mod toml;
mod json;
mod layers;
mod section;
mod backtest;
mod calendar;
mod data;
mod prepare;
mod strategy;
mod execution;
mod semantics;
mod account;
mod instrument;
mod commission;
mod price_cost;
mod schedule;
mod risk;
mod position_rules;
mod portfolio_limits;
mod reporting;
mod starter;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

pub use crate::base::span::parse_span;
pub use account::{AccountConfig, AccountName, AccountTermsConfig, MarginCallName};
pub use backtest::Backtest;
pub use calendar::{CalendarChoice, CalendarTable};
pub use commission::{CommissionConfig, MinScope, TierBy, TierConfig};
pub use data::{
    BadRow, Columns, ContextData, ContextTable, Csv, DataSection, Signals, SymbolChoice, Validation,
};
pub use execution::{Execution, LeverageMax, LotsName};
pub use instrument::InstrumentConfig;
pub use layers::{ENVIRONMENT_PREFIX, Format, Overlay};
pub use portfolio_limits::{
    GroupLimit, LimitActionConfig, LimitConfig, PortfolioLimitConfig, TailLimit,
};
pub use position_rules::{
    PositionRuleConfig, ScaledOfName, ScaledRule, SignalRule, VolatilityRule,
};
pub use prepare::{
    LoadedPrepare, PartitionName, PrepareContext, PreparePrices, PrepareSection, PrepareSignals,
};
pub use price_cost::{
    CapScopeName, ImpactConfig, ParticipationConfig, SlippageConfig, VolumeBasisName,
};
pub use reporting::{Reporting, SnapshotName};
pub use risk::Risk;
pub(super) use schedule::instant;
pub use schedule::{FlowConfig, FundingConfig, Listed, RollConfig};
pub use semantics::SemanticsConfig;
pub use starter::starter;
pub use strategy::{PythonStrategy, Rule, StrategyConfig, Weight};
pub use tree::Origin;

use crate::base::{Error, Result};
use section::Section;
use tree::{Node, Value};

const SECTIONS: &[&str] =
    &["prepare", "backtest", "data", "strategy", "execution", "risk", "reporting"];

/// One config describes a whole run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "tapeworks run")]
pub struct Config {
    /// Which tables `tapeworks prepare` joins into asset data and context data; a run reads the
    /// files that it left, not this section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepare: Option<PrepareSection>,
    /// What is run, over which window, with how much.
    #[serde(default)]
    pub backtest: Backtest,
    /// Which tables are read, and how strictly.
    pub data: DataSection,
    /// What decides.
    pub strategy: StrategyConfig,
    /// How orders are filled and what they cost.
    #[serde(default)]
    pub execution: Execution,
    /// Rules that close positions by themselves.
    #[serde(default)]
    pub risk: Risk,
    /// Where results go.
    #[serde(default)]
    pub reporting: Reporting,
}

/// A config with what is known of its making.
#[derive(Debug, Clone)]
pub struct LoadedConfig {
    /// The values.
    pub config: Config,
    /// The folder that relative data paths start from.
    pub directory: PathBuf,
    tree: Node,
}

/// One value of a config and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct OriginRow {
    /// Dotted key.
    pub key: String,
    /// The value as JSON.
    pub value: String,
    /// Where it was written, or [`Origin::Default`].
    pub origin: Origin,
}

impl LoadedConfig {
    /// Reads a config file; the overlay's environment and overrides win over it.
    ///
    /// # Errors
    /// `C1xx` for syntax, `C2xx` for keys, `C3xx` for values, each with file, line and column.
    pub fn read(path: &Path, overlay: &Overlay) -> Result<Self> {
        let directory = path.parent().unwrap_or(Path::new("")).to_path_buf();
        Self::from_tree(layers::read_tree(path, overlay)?, directory)
    }

    /// Reads a config text; `label` stands for the file in messages.
    ///
    /// # Errors
    /// As [`LoadedConfig::read`].
    pub fn parse(
        text: &str,
        format: Format,
        label: &str,
        directory: &Path,
        overlay: &Overlay,
    ) -> Result<Self> {
        let tree = layers::parse_tree(text, format, label, overlay)?;
        Self::from_tree(tree, directory.to_path_buf())
    }

    fn from_tree(tree: Node, directory: PathBuf) -> Result<Self> {
        let section = Section::open(&tree, "", SECTIONS)?;
        let data = section.node("data").ok_or_else(|| section.missing("data"))?;
        let strategy = section.node("strategy").ok_or_else(|| section.missing("strategy"))?;
        let config = Config {
            prepare: section
                .node("prepare")
                .map(|node| PrepareSection::read(node, &directory))
                .transpose()?,
            backtest: Backtest::read(section.node("backtest"), &directory)?,
            data: DataSection::read(data)?,
            strategy: StrategyConfig::read(strategy)?,
            execution: Execution::read(section.node("execution"))?,
            risk: Risk::read(section.node("risk"))?,
            reporting: Reporting::read(section.node("reporting"))?,
        };
        Ok(Self { config, directory, tree })
    }

    /// Where the value of a dotted key was written.
    #[must_use]
    pub fn origin(&self, key: &str) -> Origin {
        let mut node = &self.tree;
        for part in key.split('.') {
            let child = match (&node.value, part.parse::<usize>()) {
                (Value::List(items), Ok(index)) => items.get(index),
                _ => node.child(part).map(|entry| &entry.node),
            };
            match child {
                Some(child) => node = child,
                None if matches!(node.value, Value::Map(_)) => return Origin::Default,
                // A value in short form stands for all the keys of the long one.
                None => return node.origin.clone(),
            }
        }
        node.origin.clone()
    }

    /// A complaint about a value found wrong after reading, with its place and key.
    #[must_use]
    pub fn complain(&self, key: &str, reason: &str) -> Error {
        match self.origin(key) {
            Origin::Default => Error::config("C303", format!("{key}: {reason}")),
            origin => Error::config("C303", format!("{origin}: {key}: {reason}")),
        }
    }

    /// Every value with its origin, by key within its section.
    #[must_use]
    pub fn origins(&self) -> Vec<OriginRow> {
        let mut rows = Vec::new();
        let value = serde_json::to_value(&self.config).expect("a config has text keys only");
        self.collect_origins("", &value, &mut rows);
        rows
    }

    fn collect_origins(&self, key: &str, value: &serde_json::Value, rows: &mut Vec<OriginRow>) {
        match value {
            serde_json::Value::Object(map) if !map.is_empty() => {
                for (name, child) in map {
                    let path = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                    self.collect_origins(&path, child, rows);
                }
            }
            _ => rows.push(OriginRow {
                key: key.to_owned(),
                value: value.to_string(),
                origin: self.origin(key),
            }),
        }
    }

    /// A path of the config, seen from where the config lies.
    #[must_use]
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// Things that are allowed and seldom meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let execution = &self.config.execution;
        if let CommissionConfig::Percent { bps, .. } = &execution.commission
            && *bps > 500.0
        {
            warnings.push(format!(
                "execution.commission: {bps} bps takes {} % of every fill",
                bps / 100.0
            ));
        }
        if let SlippageConfig::Percent { bps } = &execution.slippage
            && *bps > 500.0
        {
            warnings.push(format!(
                "execution.slippage: {bps} bps moves every fill by {} %",
                bps / 100.0
            ));
        }
        if let Some(SymbolChoice::Names(names)) = &self.config.data.symbols {
            let mut sorted = names.clone();
            sorted.sort();
            let mut repeated: Vec<&String> =
                sorted.windows(2).filter(|w| w[0] == w[1]).map(|w| &w[0]).collect();
            repeated.dedup();
            for name in repeated {
                warnings.push(format!("data.symbols: {name} is listed more than once"));
            }
        }
        warnings
    }
}

impl Config {
    /// The config with every default written out, as YAML.
    ///
    /// # Errors
    /// `C303` when a value has no YAML form.
    pub fn to_yaml(&self) -> Result<String> {
        serde_saphyr::to_string(self)
            .map_err(|error| Error::config("C303", format!("config has no YAML form: {error}")))
    }
}

/// The JSON Schema of [`Config`].
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Config).to_value()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The keys a reader accepts are the properties of the schema: one truth, two forms.
    #[test]
    fn keys_when_compared_with_schema_then_equal() {
        let schema = schema();
        let properties = |pointer: &str| -> BTreeSet<String> {
            let object = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer} in {schema}"));
            object.as_object().unwrap().keys().cloned().collect()
        };
        let rows: [(&str, &[&str]); 21] = [
            ("/properties", SECTIONS),
            ("/$defs/PrepareSection/properties", prepare::KEYS),
            ("/$defs/PreparePrices/properties", prepare::PRICE_KEYS),
            ("/$defs/PrepareSignals/properties", prepare::SIGNAL_KEYS),
            ("/$defs/PrepareContext/properties", prepare::CONTEXT_KEYS),
            ("/$defs/Backtest/properties", backtest::KEYS),
            ("/$defs/CalendarTable/properties", calendar::KEYS),
            ("/$defs/DataSection/properties", data::KEYS),
            ("/$defs/Signals/properties", data::SIGNAL_KEYS),
            ("/$defs/Columns/properties", data::COLUMN_KEYS),
            ("/$defs/Csv/properties", data::CSV_KEYS),
            ("/$defs/Execution/properties", execution::KEYS),
            ("/$defs/Risk/properties", risk::KEYS),
            ("/$defs/Reporting/properties", reporting::KEYS),
            ("/$defs/AccountTermsConfig/properties", account::KEYS),
            ("/$defs/InstrumentConfig/properties", instrument::KEYS),
            ("/$defs/ParticipationConfig/properties", price_cost::PARTICIPATION_KEYS),
            ("/$defs/TierConfig/properties", commission::TIER_KEYS),
            ("/$defs/FlowConfig/properties", schedule::FLOW_KEYS),
            ("/$defs/FundingConfig/properties", schedule::FUNDING_KEYS),
            ("/$defs/RollConfig/properties", schedule::ROLL_KEYS),
        ];
        for (pointer, keys) in rows {
            let keys: BTreeSet<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            assert_eq!(properties(pointer), keys, "{pointer}");
        }
        // Only data and strategy must be given.
        for section in ["Backtest", "Execution", "Risk", "Reporting"] {
            let required = schema.pointer(&format!("/$defs/{section}/required"));
            assert_eq!(required, None, "{section}");
        }
        // Values with a tag: the tag, the keys of each kind.
        let tagged = [
            ("Rule", "rule", strategy::RULES),
            ("CommissionConfig", "kind", commission::KINDS),
            ("SlippageConfig", "kind", price_cost::SLIPPAGE_KINDS),
            ("ImpactConfig", "kind", price_cost::IMPACT_KINDS),
        ];
        for (name, tag, known) in tagged {
            let kinds = schema.pointer(&format!("/$defs/{name}/oneOf")).unwrap();
            let kinds = kinds.as_array().unwrap();
            for (kind, (name, keys)) in kinds.iter().zip(known) {
                let object = kind["properties"].as_object().unwrap();
                assert_eq!(object[tag]["const"], *name);
                let found: BTreeSet<&str> = object.keys().map(String::as_str).collect();
                assert_eq!(found, keys.iter().copied().collect(), "{name}");
            }
            assert_eq!(kinds.len(), known.len(), "{name}");
        }
    }
}
