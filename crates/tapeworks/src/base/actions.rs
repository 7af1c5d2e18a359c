//! Corporate actions: what happens to a holding without a trade.

use super::{AssetId, Date, Error, Result};

/// What the prices of a run are, and what of their past a strategy sees in the terms of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Adjustment {
    /// Raw prices; the past is shown as it was quoted.
    None,
    /// Raw prices; the past is shown in the units of now (splits).
    Split,
    /// Raw prices; the past is shown in the units of now and without dividends.
    Total,
    /// The prices are adjusted already, as the provider states: there are no corporate actions.
    Stated,
}

/// What happens on an ex-date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ActionKind {
    /// One old unit becomes `ratio` new ones.
    Split {
        /// New units for an old one: 2 for two-for-one, 0.1 for a reverse split of ten to one.
        ratio: f64,
    },
    /// Cash for each unit held before the ex-date.
    Dividend {
        /// Currency a unit, in units of the ex-date.
        amount: f64,
        /// When it is paid; the ex-date when absent.
        pay_date: Option<Date>,
    },
    /// The symbol ends: each unit becomes cash, units of another symbol, or both.
    Merger {
        /// Currency a unit.
        cash: f64,
        /// The other symbol, and its units for an old one.
        into: Option<(AssetId, f64)>,
    },
    /// The symbol goes on under another name, unit for unit.
    Rename {
        /// The name from the ex-date on.
        into: AssetId,
    },
}

/// An action on one symbol, effective before the open of the first session on or after `ex_date`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CorporateAction {
    /// The symbol.
    pub asset: AssetId,
    /// The first session in which the symbol trades without what the action gives.
    pub ex_date: Date,
    /// What happens.
    pub kind: ActionKind,
}

/// The actions of a run, and what its prices are.
///
/// Invariant: sorted by (ex-date, kind, asset), so that a dividend counts in the units after a
/// split of the same day.
#[derive(Debug, Clone, PartialEq)]
pub struct Actions {
    /// What the prices are.
    pub adjustment: Adjustment,
    list: Vec<CorporateAction>,
}

/// By how much the past of a symbol is multiplied so that it compares with the present.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rescale {
    /// The symbol.
    pub asset: AssetId,
    /// Factor of earlier prices, above 0.
    pub price: f64,
    /// Factor of earlier volumes, above 0.
    pub volume: f64,
}

impl Adjustment {
    /// Every value and its name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("split", Self::Split),
        ("total", Self::Total),
        ("stated", Self::Stated),
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Split => "split",
            Self::Total => "total",
            Self::Stated => "stated",
        }
    }

    /// Reads `none`, `split`, `total` or `stated`.
    ///
    /// # Errors
    /// `C341` for another word.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|&(_, value)| value).ok_or_else(|| {
            Error::config("C341", format!("adjustment: {text:?} is no adjustment"))
                .with_hint("write none, split or total for raw prices, stated for adjusted ones")
        })
    }

    /// Whether the past is shown in other units than it was quoted in.
    #[must_use]
    pub fn rescales(self) -> bool {
        matches!(self, Self::Split | Self::Total)
    }
}

impl ActionKind {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Split { .. } => "split",
            Self::Dividend { .. } => "dividend",
            Self::Merger { .. } => "merger",
            Self::Rename { .. } => "rename",
        }
    }

    /// The place among the actions of one day.
    fn rank(self) -> u8 {
        match self {
            Self::Split { .. } => 0,
            Self::Dividend { .. } => 1,
            Self::Merger { .. } => 2,
            Self::Rename { .. } => 3,
        }
    }
}

impl Actions {
    /// The actions in any order.
    #[must_use]
    pub fn new(adjustment: Adjustment, mut list: Vec<CorporateAction>) -> Self {
        list.sort_by_key(|action| (action.ex_date, action.kind.rank(), action.asset));
        Self { adjustment, list }
    }

    /// The actions by (ex-date, kind, asset).
    #[must_use]
    pub fn list(&self) -> &[CorporateAction] {
        &self.list
    }
}

impl Rescale {
    /// What a split does to the past.
    #[must_use]
    pub fn split(asset: AssetId, ratio: f64) -> Self {
        Self { asset, price: 1.0 / ratio, volume: ratio }
    }

    /// What a dividend does to the past, by the last close before its ex-date; `None` where that
    /// close is unknown or not above the dividend.
    #[must_use]
    pub fn dividend(asset: AssetId, amount: f64, close: f64) -> Option<Self> {
        // A comparison with NaN is false.
        (close > amount && close > 0.0).then(|| Self {
            asset,
            price: 1.0 - amount / close,
            volume: 1.0,
        })
    }
}
