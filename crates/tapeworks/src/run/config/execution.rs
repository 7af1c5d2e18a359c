//! The section `execution`: how orders are filled, on which terms, and what they cost.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::account::AccountConfig;
use super::commission::CommissionConfig;
use super::instrument::InstrumentConfig;
use super::price_cost::{ImpactConfig, ParticipationConfig, SlippageConfig};
use super::schedule::{FlowConfig, FundingConfig, Listed, RollConfig};
use super::section::{Bounds, Section};
use super::semantics::SemanticsConfig;
use super::tree::Node;
use crate::base::Result;

pub(super) const KEYS: &[&str] = &[
    "semantics",
    "account",
    "lots",
    "leverage_max",
    "commission",
    "slippage",
    "stop_slippage_bps",
    "impact",
    "participation",
    "instrument",
    "instruments",
    "flows",
    "funding",
    "rolls",
];

/// How orders are filled, on which terms, and what they cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// The fill rules.
    #[serde(default)]
    pub semantics: SemanticsConfig,
    /// What may be held and borrowed.
    #[serde(default)]
    pub account: AccountConfig,
    /// Whether quantities are whole.
    #[serde(default)]
    pub lots: LotsName,
    /// Most gross exposure over equity when a position is opened: 1 where there is no margin, else
    /// `1 / initial_margin`.
    #[serde(default)]
    pub leverage_max: LeverageMax,
    /// What a fill pays the broker; a list is a sum.
    #[serde(default)]
    #[schemars(schema_with = "commission_schema")]
    pub commission: CommissionConfig,
    /// How far a fill is from its base price.
    #[serde(default)]
    #[schemars(schema_with = "or_none::<SlippageConfig>")]
    pub slippage: SlippageConfig,
    /// Basis points of the price that a fill gives up beside slippage when a stop triggered it.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 9_999.0))]
    pub stop_slippage_bps: f64,
    /// How far an order moves the price against itself.
    #[serde(default)]
    #[schemars(schema_with = "or_none::<ImpactConfig>")]
    pub impact: ImpactConfig,
    /// Largest share of a row's volume that may fill; left out, all of any order fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "participation_schema")]
    pub participation: Option<ParticipationConfig>,
    /// Terms of every instrument.
    #[serde(default)]
    pub instrument: InstrumentConfig,
    /// Terms of single symbols, over those of every instrument.
    #[serde(default)]
    pub instruments: BTreeMap<String, InstrumentConfig>,
    /// Deposits and withdrawals; a table has the columns timestamp and amount.
    #[serde(default)]
    pub flows: Listed<FlowConfig>,
    /// Funding of perpetual contracts; a table has the columns timestamp, symbol and rate.
    #[serde(default)]
    pub funding: Listed<FundingConfig>,
    /// Changes from one contract to the next.
    #[serde(default)]
    pub rolls: Vec<RollConfig>,
}

/// Gross exposure over equity at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct LeverageMax(#[schemars(range(min = 1.0, max = 1_000.0))] pub f64);

impl Default for LeverageMax {
    fn default() -> Self {
        Self(1.0)
    }
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

/// A value by its kind, or the word for nothing.
fn or_none<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({"anyOf": [{"const": "none"}, generator.subschema_for::<T>()]})
}

fn commission_schema(generator: &mut SchemaGenerator) -> Schema {
    let one = generator.subschema_for::<CommissionConfig>();
    json_schema!({"anyOf": [{"const": "none"}, one, {"type": "array", "items": one}]})
}

fn participation_schema(generator: &mut SchemaGenerator) -> Schema {
    let terms = generator.subschema_for::<ParticipationConfig>();
    let share = json_schema!({"type": "number", "exclusiveMinimum": 0, "maximum": 1});
    json_schema!({"anyOf": [{"const": "none"}, share, terms]})
}

impl Execution {
    pub(super) fn read(node: Option<&Node>) -> Result<Self> {
        let Some(node) = node else { return Ok(Self::default()) };
        let section = Section::open(node, "execution", KEYS)?;
        let lots = [("integer", LotsName::Integer), ("fractional", LotsName::Fractional)];
        let account = section.node("account");
        let account = account
            .map(|node| AccountConfig::read(&section, node))
            .transpose()?
            .unwrap_or_default();
        let instrument = section.node("instrument");
        let instrument =
            instrument.map(|node| InstrumentConfig::read(node, "execution.instrument"));
        let stop_slippage_bps =
            section.number("stop_slippage_bps", Bounds::Within(0.0, 9_999.0))?;
        Ok(Self {
            semantics: read_or_default(&section, "semantics", SemanticsConfig::read)?,
            leverage_max: LeverageMax::read(&section, &account)?,
            account,
            lots: section.choice("lots", &lots, &[])?.unwrap_or_default(),
            commission: read_or_default(&section, "commission", CommissionConfig::read)?,
            slippage: read_or_default(&section, "slippage", SlippageConfig::read)?,
            stop_slippage_bps: stop_slippage_bps.unwrap_or(0.0),
            impact: read_or_default(&section, "impact", ImpactConfig::read)?,
            participation: read_or_default(&section, "participation", ParticipationConfig::read)?,
            instrument: instrument.transpose()?.unwrap_or_default(),
            instruments: read_or_default(&section, "instruments", InstrumentConfig::read_all)?,
            flows: read_or_default(&section, "flows", Listed::read_flows)?,
            funding: read_or_default(&section, "funding", Listed::read_funding)?,
            rolls: read_or_default(&section, "rolls", RollConfig::read_all)?,
        })
    }
}

fn read_or_default<T: Default>(
    section: &Section<'_>,
    key: &str,
    read: impl Fn(&Node) -> Result<T>,
) -> Result<T> {
    section.node(key).map(read).transpose().map(Option::unwrap_or_default)
}

impl LeverageMax {
    fn read(section: &Section<'_>, account: &AccountConfig) -> Result<Self> {
        let given = section.number("leverage_max", Bounds::Within(1.0, 1_000.0))?;
        if !account.kind().has_margin() {
            return match given {
                Some(leverage) if leverage != 1.0 => {
                    let reason = format!(
                        "{leverage}, but an account without margin holds what it pays for: 1"
                    );
                    Err(section
                        .bad("leverage_max", &reason)
                        .with_hint("leave it out, or use account: margin"))
                }
                _ => Ok(Self(1.0)),
            };
        }
        let own = account.initial_margin().map(|margin| 1.0 / margin);
        match (given, own) {
            (Some(given), Some(own)) if (given - own).abs() > 1e-9 * own => {
                let reason = format!("{given}, but account.initial_margin makes it {own}");
                Err(section.bad("leverage_max", &reason).with_hint("keep one of the two"))
            }
            _ => Self(given.or(own).unwrap_or(2.0)).above_maintenance(section, account),
        }
    }

    /// Refuses a leverage at which a position costs more to keep than to open.
    fn above_maintenance(self, section: &Section<'_>, account: &AccountConfig) -> Result<Self> {
        let terms = account.terms(self.0);
        let kept = terms.maintenance_long.max(terms.maintenance_short);
        if kept <= terms.initial_margin {
            return Ok(self);
        }
        let reason = format!(
            "{} opens at a margin of {}, but account keeps at {kept}",
            self.0, terms.initial_margin
        );
        Err(section.bad("leverage_max", &reason).with_hint("lower one of the two"))
    }
}
