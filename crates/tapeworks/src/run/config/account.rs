//! `execution.account`: a kind, or a kind with its terms.

use schemars::JsonSchema;
use serde::Serialize;

use super::section::{Bounds, Section, expected};
use super::tree::{Node, Value};
use crate::base::Result;
use crate::broker::{AccountKind, AccountTerms, MarginCallPolicy};

pub(super) const KEYS: &[&str] = &[
    "kind",
    "initial_margin",
    "maintenance_long",
    "maintenance_short",
    "margin_call",
    "cash_buffer",
    "settlement_days",
    "borrow_rate",
    "credit_rate",
    "debit_rate",
    "day_count",
    "price_band",
];
const KINDS: &[(&str, AccountName)] = &[
    ("cash", AccountName::Cash),
    ("margin", AccountName::Margin),
    ("crypto", AccountName::Crypto),
    ("futures", AccountName::Futures),
];
/// Keys that only an account with margin has.
const MARGIN_KEYS: &[&str] =
    &["initial_margin", "maintenance_long", "maintenance_short", "margin_call"];

/// What may be held and borrowed: a kind of account, or a kind with its terms.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum AccountConfig {
    /// The usual terms of a kind.
    Name(AccountName),
    /// A kind with terms of its own.
    Terms(AccountTermsConfig),
}

/// The kinds of account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountName {
    /// No borrowing, no shorts.
    #[default]
    Cash,
    /// Borrows against what it holds; shorts allowed.
    Margin,
    /// Spot around the clock: no borrowing, no shorts.
    Crypto,
    /// Contracts against margin; gains are settled in cash each row.
    Futures,
}

/// The terms of an account; what is left out is as usual for the kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountTermsConfig {
    /// What the account may do.
    pub kind: AccountName,
    /// Equity needed to open, as a fraction of the position's value; 0.5 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1))]
    pub initial_margin: Option<f64>,
    /// Equity needed to keep a long position, as a fraction of its value; 0.25 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub maintenance_long: Option<f64>,
    /// Equity needed to keep a short position, as a fraction of its value; 0.3 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub maintenance_short: Option<f64>,
    /// What happens when equity falls below the maintenance margin; `liquidate` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin_call: Option<MarginCallName>,
    /// Share of the cash that opens leave alone; 0 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub cash_buffer: Option<f64>,
    /// Sessions until the proceeds of a sale can pay for a purchase; 0 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 30))]
    pub settlement_days: Option<u64>,
    /// Cost of borrowing what is held short, a fraction a year; 0 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub borrow_rate: Option<f64>,
    /// Interest on cash, a fraction a year; 0 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub credit_rate: Option<f64>,
    /// Interest charged on negative cash, a fraction a year; 0 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub debit_rate: Option<f64>,
    /// Days of the year that rates are stated for: 360, 365 or 252; 360 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = [252, 360, 365]))]
    pub day_count: Option<u64>,
    /// How far a limit may lie from the last price, as a fraction; anywhere when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub price_band: Option<f64>,
}

/// What a margin call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarginCallName {
    /// Positions are reduced at the next opens until the margin is met.
    Liquidate,
    /// The call is written down and nothing is sold; while it stands, nothing opens.
    Record,
    /// Nobody asks, not even when nothing is left.
    Ignore,
    /// The run ends with an error.
    Stop,
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self::Name(AccountName::Cash)
    }
}

impl AccountConfig {
    pub(super) fn read(section: &Section<'_>, node: &Node) -> Result<Self> {
        match &node.value {
            Value::Text(_) => {
                Ok(Self::Name(section.choice("account", KINDS, &[])?.unwrap_or_default()))
            }
            Value::Map(_) => AccountTermsConfig::read(node).map(Self::Terms),
            _ => {
                Err(expected(node, "execution.account", "a kind, or a mapping of kind: and terms"))
            }
        }
    }

    /// The kind of the account.
    #[must_use]
    pub fn kind(&self) -> AccountName {
        match self {
            Self::Name(kind) => *kind,
            Self::Terms(terms) => terms.kind,
        }
    }

    /// The initial margin that was given.
    #[must_use]
    pub fn initial_margin(&self) -> Option<f64> {
        match self {
            Self::Name(_) => None,
            Self::Terms(terms) => terms.initial_margin,
        }
    }

    /// The terms as the engine takes them.
    ///
    /// The initial margin of an account with margin is the one given, else `1 / leverage_max`.
    /// Where it is below one half, maintenance margins that were left out shrink with it.
    #[must_use]
    pub fn terms(&self, leverage_max: f64) -> AccountTerms {
        let given = match self {
            Self::Name(kind) => AccountTermsConfig { kind: *kind, ..AccountTermsConfig::default() },
            Self::Terms(terms) => *terms,
        };
        let usual = AccountTerms::new(given.kind.into());
        let initial_margin = given.initial_margin.unwrap_or_else(|| {
            if given.kind.has_margin() { 1.0 / leverage_max } else { usual.initial_margin }
        });
        let shrink = (initial_margin / usual.initial_margin).min(1.0);
        AccountTerms {
            kind: usual.kind,
            initial_margin,
            maintenance_long: given.maintenance_long.unwrap_or(usual.maintenance_long * shrink),
            maintenance_short: given.maintenance_short.unwrap_or(usual.maintenance_short * shrink),
            margin_call: match given.margin_call {
                Some(MarginCallName::Record) => MarginCallPolicy::Record,
                Some(MarginCallName::Ignore) => MarginCallPolicy::Ignore,
                Some(MarginCallName::Stop) => MarginCallPolicy::Stop,
                Some(MarginCallName::Liquidate) | None => MarginCallPolicy::Liquidate,
            },
            cash_buffer: given.cash_buffer.unwrap_or(usual.cash_buffer),
            settlement_days: given
                .settlement_days
                .map_or(usual.settlement_days, |days| u32::try_from(days).unwrap_or(u32::MAX)),
            borrow_rate: given.borrow_rate.unwrap_or(usual.borrow_rate),
            credit_rate: given.credit_rate.unwrap_or(usual.credit_rate),
            debit_rate: given.debit_rate.unwrap_or(usual.debit_rate),
            day_count: given.day_count.map_or(usual.day_count, |days| days as f64),
            price_band: given.price_band.unwrap_or(usual.price_band),
        }
    }
}

impl AccountTermsConfig {
    fn read(node: &Node) -> Result<Self> {
        let section = Section::open(node, "execution.account", KEYS)?;
        let kind = section.choice("kind", KINDS, &[])?.ok_or_else(|| section.missing("kind"))?;
        if !kind.has_margin()
            && let Some(key) = MARGIN_KEYS.iter().find(|key| section.node(key).is_some())
        {
            let reason =
                format!("an account of kind {} has no margin", AccountKind::from(kind).as_str());
            return Err(section.bad(key, &reason).with_hint("leave it out, or use kind: margin"));
        }
        let policies = [
            ("liquidate", MarginCallName::Liquidate),
            ("record", MarginCallName::Record),
            ("ignore", MarginCallName::Ignore),
            ("stop", MarginCallName::Stop),
        ];
        let share = Bounds::Within(0.0, 1.0);
        let rate = Bounds::Within(0.0, 10.0);
        let read = Self {
            kind,
            initial_margin: section.number("initial_margin", Bounds::UpTo(0.0, 1.0))?,
            maintenance_long: section.number("maintenance_long", share)?,
            maintenance_short: section.number("maintenance_short", share)?,
            margin_call: section.choice("margin_call", &policies, &[])?,
            cash_buffer: section.number("cash_buffer", Bounds::Within(0.0, 0.999_999))?,
            settlement_days: section.whole("settlement_days", 0, 30)?,
            borrow_rate: section.number("borrow_rate", rate)?,
            credit_rate: section.number("credit_rate", rate)?,
            debit_rate: section.number("debit_rate", rate)?,
            day_count: section.whole("day_count", 252, 365)?,
            price_band: section.number("price_band", Bounds::Positive)?,
        };
        if read.day_count.is_some_and(|days| ![252, 360, 365].contains(&days)) {
            let reason = "a year of rates has 252, 360 or 365 days";
            return Err(section.bad("day_count", reason));
        }
        let initial = read.initial_margin.unwrap_or(0.5);
        for (key, kept) in [
            ("maintenance_long", read.maintenance_long),
            ("maintenance_short", read.maintenance_short),
        ] {
            if let Some(kept) = kept
                && kept > initial
            {
                let reason = format!("{kept} is above the initial margin {initial}");
                return Err(section
                    .bad(key, &reason)
                    .with_hint("a position must be cheaper to keep than to open"));
            }
        }
        Ok(read)
    }
}

impl AccountName {
    /// Whether the account opens positions against margin.
    #[must_use]
    pub fn has_margin(self) -> bool {
        matches!(self, Self::Margin | Self::Futures)
    }
}

impl From<AccountName> for AccountKind {
    fn from(name: AccountName) -> Self {
        match name {
            AccountName::Cash => Self::Cash,
            AccountName::Margin => Self::Margin,
            AccountName::Crypto => Self::Crypto,
            AccountName::Futures => Self::Futures,
        }
    }
}
