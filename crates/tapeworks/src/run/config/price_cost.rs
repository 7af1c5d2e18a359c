//! `execution.slippage`, `impact` and `participation`: prices given up, and how much may fill.

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section, expected, number_of};
use super::tree::{Node, Value};
use crate::base::Result;

/// The kinds of slippage, with the keys of each.
pub(super) const SLIPPAGE_KINDS: &[(&str, &[&str])] = &[
    ("none", &["kind"]),
    ("percent", &["kind", "bps"]),
    ("fixed", &["kind", "amount"]),
    ("ticks", &["kind", "ticks"]),
    ("spread", &["kind", "spread", "half_spread"]),
    ("spread_bps", &["kind", "bps"]),
    ("quote", &["kind", "bid", "ask", "fallback"]),
    ("volume_share", &["kind", "coefficient"]),
    ("volume_share_sq", &["kind", "coefficient"]),
    ("volatility", &["kind", "eta_bps", "window"]),
];
/// The kinds of impact, with the keys of each.
pub(super) const IMPACT_KINDS: &[(&str, &[&str])] = &[
    ("none", &["kind"]),
    ("linear", &["kind", "coefficient"]),
    ("sqrt", &["kind", "coefficient", "sigma", "volume_share"]),
    ("power", &["kind", "coefficient", "exponent", "min"]),
];
pub(super) const PARTICIPATION_KEYS: &[&str] = &["max_share", "basis", "window", "scope"];

/// How far a taker's fill is from its base price, against the trader.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SlippageConfig {
    /// Not at all.
    #[default]
    None,
    /// A share of the price.
    Percent {
        /// Basis points of the price.
        #[schemars(range(min = 0.0, max = 9_999.0))]
        bps: f64,
    },
    /// An amount a unit.
    Fixed {
        /// Account currency a unit.
        amount: f64,
    },
    /// Price steps of the instrument.
    Ticks {
        /// How many.
        ticks: f64,
    },
    /// Half of a bid-ask spread in currency; a spread of the instrument comes before this one.
    Spread {
        /// The full spread.
        #[serde(skip_serializing_if = "Option::is_none")]
        spread: Option<f64>,
        /// Half of the spread; give one of the two.
        #[serde(skip_serializing_if = "Option::is_none")]
        half_spread: Option<f64>,
    },
    /// Half of a bid-ask spread that is a share of the price.
    SpreadBps {
        /// Basis points of the price, the full spread.
        #[schemars(range(min = 0.0, max = 9_999.0))]
        bps: f64,
    },
    /// Market orders buy at the ask and sell at the bid of the row.
    Quote {
        /// Column of the bid price.
        #[serde(default = "default_bid")]
        bid: String,
        /// Column of the ask price.
        #[serde(default = "default_ask")]
        ask: String,
        /// Where a row has no quote, and for other takers.
        #[serde(default)]
        fallback: Box<SlippageConfig>,
    },
    /// `price x coefficient x quantity / volume`.
    VolumeShare {
        /// Share of the price at a fill of the whole volume.
        coefficient: f64,
    },
    /// `price x coefficient x (quantity so far / volume)^2`.
    VolumeShareSq {
        /// Share of the price at a fill of the whole volume.
        coefficient: f64,
    },
    /// `price x eta x volatility x sqrt(quantity / mean volume)`.
    Volatility {
        /// Basis points at a yearly volatility of 1 and a fill of the mean volume.
        eta_bps: f64,
        /// Rows before the fill that volatility and mean volume are taken from.
        #[serde(default = "default_window")]
        #[schemars(range(min = 2, max = 10_000))]
        window: u64,
    },
}

/// How far a taker's order moves the price against itself, before slippage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ImpactConfig {
    /// Not at all.
    #[default]
    None,
    /// `price x coefficient x quantity / volume`.
    Linear {
        /// Share of the price at a fill of the whole volume.
        coefficient: f64,
    },
    /// `price x coefficient x sigma x sqrt(quantity / (volume x volume_share))`.
    Sqrt {
        /// Multiple of sigma at a fill of the whole volume.
        #[serde(default = "default_coefficient")]
        coefficient: f64,
        /// Volatility of a row's return.
        #[serde(default = "default_sigma")]
        sigma: f64,
        /// Share of the volume that counts as depth.
        #[serde(default = "default_one")]
        volume_share: f64,
    },
    /// `price x coefficient x (quantity / volume)^exponent`, at least `min`.
    Power {
        /// Share of the price at a fill of the whole volume.
        coefficient: f64,
        /// The power.
        exponent: f64,
        /// Least amount, account currency a unit.
        #[serde(default)]
        min: f64,
    },
}

/// How much of a row's volume may fill.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParticipationConfig {
    /// Largest share of the volume.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    pub max_share: f64,
    /// Which volume.
    #[serde(default)]
    pub basis: VolumeBasisName,
    /// Rows of the mean, for the basis `adv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub window: Option<u64>,
    /// Who shares it.
    #[serde(default)]
    pub scope: CapScopeName,
}

/// Which volume a participation cap is a share of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VolumeBasisName {
    /// That of the row that fills.
    #[default]
    Bar,
    /// That of the row before.
    PreviousBar,
    /// The mean of the last `window` rows before.
    Adv,
}

/// Who shares a participation cap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CapScopeName {
    /// All orders of a symbol.
    #[default]
    Symbol,
    /// Each order has its own.
    Order,
}

fn default_bid() -> String {
    "bid".to_owned()
}

fn default_ask() -> String {
    "ask".to_owned()
}

fn default_window() -> u64 {
    20
}

fn default_coefficient() -> f64 {
    0.5
}

fn default_sigma() -> f64 {
    0.02
}

fn default_one() -> f64 {
    1.0
}

fn is_none(node: &Node) -> bool {
    matches!(&node.value, Value::Text(text) if text == "none")
}

impl SlippageConfig {
    pub(super) fn read(node: &Node) -> Result<Self> {
        Self::read_at(node, "execution.slippage")
    }

    fn read_at(node: &Node, path: &str) -> Result<Self> {
        if is_none(node) {
            return Ok(Self::None);
        }
        let (kind, section) = Section::of_kind(node, path, SLIPPAGE_KINDS)?;
        let number = |key: &str, bounds| section.number_needed(key, bounds);
        let bps = Bounds::Within(0.0, 9_999.0);
        match kind {
            "none" => Ok(Self::None),
            "percent" => Ok(Self::Percent { bps: number("bps", bps)? }),
            "fixed" => Ok(Self::Fixed { amount: number("amount", Bounds::NotNegative)? }),
            "ticks" => Ok(Self::Ticks { ticks: number("ticks", Bounds::NotNegative)? }),
            "spread" => {
                let spread = section.number("spread", Bounds::NotNegative)?;
                let half_spread = section.number("half_spread", Bounds::NotNegative)?;
                if spread.is_some() == half_spread.is_some() {
                    let reason = "give either spread (bid to ask) or half_spread";
                    return Err(section.bad("spread", reason));
                }
                Ok(Self::Spread { spread, half_spread })
            }
            "spread_bps" => Ok(Self::SpreadBps { bps: number("bps", bps)? }),
            "quote" => {
                let fallback = section.node("fallback");
                let fallback =
                    fallback.map(|node| Self::read_at(node, &section.path_of("fallback")));
                let fallback = Box::new(fallback.transpose()?.unwrap_or_default());
                if matches!(*fallback, Self::Quote { .. }) {
                    return Err(section.bad("fallback", "a quote cannot stand in for a quote"));
                }
                Ok(Self::Quote {
                    bid: section.text("bid")?.unwrap_or_else(default_bid),
                    ask: section.text("ask")?.unwrap_or_else(default_ask),
                    fallback,
                })
            }
            "volume_share" => {
                Ok(Self::VolumeShare { coefficient: number("coefficient", Bounds::NotNegative)? })
            }
            "volume_share_sq" => {
                Ok(Self::VolumeShareSq { coefficient: number("coefficient", Bounds::NotNegative)? })
            }
            _ => Ok(Self::Volatility {
                eta_bps: number("eta_bps", Bounds::NotNegative)?,
                window: section.whole("window", 2, 10_000)?.unwrap_or_else(default_window),
            }),
        }
    }
}

impl ImpactConfig {
    pub(super) fn read(node: &Node) -> Result<Self> {
        if is_none(node) {
            return Ok(Self::None);
        }
        let (kind, section) = Section::of_kind(node, "execution.impact", IMPACT_KINDS)?;
        let from_0 = Bounds::NotNegative;
        match kind {
            "none" => Ok(Self::None),
            "linear" => {
                Ok(Self::Linear { coefficient: section.number_needed("coefficient", from_0)? })
            }
            "sqrt" => Ok(Self::Sqrt {
                coefficient: section
                    .number("coefficient", from_0)?
                    .unwrap_or_else(default_coefficient),
                sigma: section.number("sigma", from_0)?.unwrap_or_else(default_sigma),
                volume_share: section
                    .number("volume_share", Bounds::Positive)?
                    .unwrap_or_else(default_one),
            }),
            _ => Ok(Self::Power {
                coefficient: section.number_needed("coefficient", from_0)?,
                exponent: section.number_needed("exponent", Bounds::UpTo(0.0, 4.0))?,
                min: section.number("min", from_0)?.unwrap_or(0.0),
            }),
        }
    }
}

impl ParticipationConfig {
    pub(super) fn read(node: &Node) -> Result<Option<Self>> {
        let path = "execution.participation";
        let share = Bounds::UpTo(0.0, 1.0);
        match node.value {
            Value::Text(_) if is_none(node) => return Ok(None),
            Value::Int(_) | Value::Float(_) => {
                let max_share = number_of(node, path, share)?;
                return Ok(Some(Self {
                    max_share,
                    basis: VolumeBasisName::Bar,
                    window: None,
                    scope: CapScopeName::Symbol,
                }));
            }
            Value::Map(_) => {}
            _ => return Err(expected(node, path, "a share such as 0.1, or a mapping")),
        }
        let section = Section::open(node, path, PARTICIPATION_KEYS)?;
        let bases = [
            ("bar", VolumeBasisName::Bar),
            ("previous_bar", VolumeBasisName::PreviousBar),
            ("adv", VolumeBasisName::Adv),
        ];
        let scopes = [("symbol", CapScopeName::Symbol), ("order", CapScopeName::Order)];
        let basis = section.choice("basis", &bases, &[])?.unwrap_or_default();
        let window = section.whole("window", 1, 10_000)?;
        if (basis == VolumeBasisName::Adv) != window.is_some() {
            let reason = "the rows of the mean are given for basis: adv, and only for it";
            return Err(section
                .bad("window", reason)
                .with_hint("for example basis: adv, window: 20"));
        }
        Ok(Some(Self {
            max_share: section.number_needed("max_share", share)?,
            basis,
            window,
            scope: section.choice("scope", &scopes, &[])?.unwrap_or_default(),
        }))
    }
}
