//! `execution.instrument` and `execution.instruments`: what is particular to an instrument.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section, expected};
use super::tree::{Node, Value};
use crate::base::Result;
use crate::broker::{Instrument, Margin};

pub(super) const KEYS: &[&str] = &[
    "lot",
    "tick",
    "multiplier",
    "min_notional",
    "max_quantity",
    "shortable",
    "future",
    "has_volume",
    "negative_prices",
    "margin",
    "margin_rate",
    "maintenance",
    "maintenance_rate",
    "borrow_rate",
    "spread",
];

/// The terms of an instrument; what is left out is as for a share of stock, or, for a single
/// symbol, as `execution.instrument` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstrumentConfig {
    /// Step of quantities; `execution.lots` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub lot: Option<f64>,
    /// Step of prices; none when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub tick: Option<f64>,
    /// Account currency per unit of price; 1 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub multiplier: Option<f64>,
    /// Least value of an opening trade, account currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub min_notional: Option<f64>,
    /// Largest quantity of an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub max_quantity: Option<f64>,
    /// Whether a short position may be opened; true when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortable: Option<bool>,
    /// Whether gains are settled in cash each row, as those of a future are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub future: Option<bool>,
    /// Whether a volume of 0 means that nothing traded; true when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_volume: Option<bool>,
    /// Whether prices may be 0 or negative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_prices: Option<bool>,
    /// Initial margin in account currency a contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub margin: Option<f64>,
    /// Initial margin as a fraction of the position's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    pub margin_rate: Option<f64>,
    /// Maintenance margin in account currency a contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub maintenance: Option<f64>,
    /// Maintenance margin as a fraction of the position's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    pub maintenance_rate: Option<f64>,
    /// Cost of borrowing for short positions, a fraction a year; the account's when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub borrow_rate: Option<f64>,
    /// Full bid-ask spread in account currency, for slippage of kind `spread`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub spread: Option<f64>,
}

impl InstrumentConfig {
    pub(super) fn read(node: &Node, path: &str) -> Result<Self> {
        let section = Section::open(node, path, KEYS)?;
        for (amount, rate) in [("margin", "margin_rate"), ("maintenance", "maintenance_rate")] {
            if section.node(amount).is_some() && section.node(rate).is_some() {
                let reason = format!("{amount} (currency a contract) and {rate} are both given");
                return Err(section.bad(rate, &reason).with_hint("keep one of them"));
            }
        }
        let read = Self {
            lot: section.number("lot", Bounds::Positive)?,
            tick: section.number("tick", Bounds::Positive)?,
            multiplier: section.number("multiplier", Bounds::Positive)?,
            min_notional: section.number("min_notional", Bounds::NotNegative)?,
            max_quantity: section.number("max_quantity", Bounds::Positive)?,
            shortable: section.flag("shortable")?,
            future: section.flag("future")?,
            has_volume: section.flag("has_volume")?,
            negative_prices: section.flag("negative_prices")?,
            margin: section.number("margin", Bounds::Positive)?,
            margin_rate: section.number("margin_rate", Bounds::UpTo(0.0, 1.0))?,
            maintenance: section.number("maintenance", Bounds::Positive)?,
            maintenance_rate: section.number("maintenance_rate", Bounds::UpTo(0.0, 1.0))?,
            borrow_rate: section.number("borrow_rate", Bounds::Within(0.0, 10.0))?,
            spread: section.number("spread", Bounds::NotNegative)?,
        };
        for (key, kept, opened) in [
            ("maintenance", read.maintenance, read.margin),
            ("maintenance_rate", read.maintenance_rate, read.margin_rate),
        ] {
            if let (Some(kept), Some(opened)) = (kept, opened)
                && kept > opened
            {
                let reason = format!("{kept} is above the initial margin {opened}");
                return Err(section
                    .bad(key, &reason)
                    .with_hint("a position must be cheaper to keep than to open"));
            }
        }
        Ok(read)
    }

    pub(super) fn read_all(node: &Node) -> Result<BTreeMap<String, Self>> {
        let path = "execution.instruments";
        let Value::Map(entries) = &node.value else {
            return Err(expected(node, path, "a mapping of symbols to their terms"));
        };
        entries
            .iter()
            .map(|entry| {
                let read = Self::read(&entry.node, &format!("{path}.{}", entry.key))?;
                Ok((entry.key.clone(), read))
            })
            .collect()
    }

    /// The terms as the engine takes them: what is left out is as in `usual`.
    ///
    /// A maintenance margin that is left out follows an initial one that is given.
    #[must_use]
    pub fn terms(&self, usual: &Instrument) -> Instrument {
        let margin = |amount: Option<f64>, rate: Option<f64>| match (amount, rate) {
            (Some(amount), _) => Some(Margin::PerContract(amount)),
            (None, Some(rate)) => Some(Margin::Fraction(rate)),
            (None, None) => None,
        };
        let initial = margin(self.margin, self.margin_rate);
        let kept = margin(self.maintenance, self.maintenance_rate);
        Instrument {
            lot: self.lot.unwrap_or(usual.lot),
            tick: self.tick.unwrap_or(usual.tick),
            multiplier: self.multiplier.unwrap_or(usual.multiplier),
            min_notional: self.min_notional.unwrap_or(usual.min_notional),
            max_quantity: self.max_quantity.unwrap_or(usual.max_quantity),
            is_shortable: self.shortable.unwrap_or(usual.is_shortable),
            is_future: self.future.unwrap_or(usual.is_future),
            has_volume: self.has_volume.unwrap_or(usual.has_volume),
            allows_negative_prices: self.negative_prices.unwrap_or(usual.allows_negative_prices),
            initial_margin: initial.unwrap_or(usual.initial_margin),
            maintenance_margin: kept.or(initial).unwrap_or(usual.maintenance_margin),
            borrow_rate: self.borrow_rate.unwrap_or(usual.borrow_rate),
            spread: self.spread.unwrap_or(usual.spread),
        }
    }
}
