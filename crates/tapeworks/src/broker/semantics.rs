//! The execution contract as data.
//!
//! A run stores its semantics in full; nothing else in the broker branches on a name. This version
//! ships one constant; each constant of a peer framework will be one more value of the same struct.

/// How orders meet prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Semantics {
    /// The name that configs and reports use.
    pub name: &'static str,
    /// When a market order fills.
    pub fill_at: FillAt,
    /// Which level fires first when one row reaches both an adverse and a favourable one.
    pub both_hit: BothHit,
    /// What of the entry row may act on the position entered in it.
    pub entry_bar: EntryBar,
}

/// When a market order fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillAt {
    /// At the open of the next row of its symbol.
    NextOpen,
}

/// Which level fires first when one row reaches both an adverse and a favourable one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BothHit {
    /// The adverse one: the pessimistic reading of a row whose path is unknown.
    StopFirst,
}

/// What of the entry row may act on the position entered in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryBar {
    /// Adverse extremes that may lie after the entry, favourable ones that must.
    AfterEntry,
}

/// Every constant by name.
pub const SEMANTICS: &[Semantics] = &[Semantics::REALISTIC];

impl Semantics {
    /// The default: no look-ahead, pessimistic where a row leaves the path open.
    pub const REALISTIC: Self = Self {
        name: "realistic",
        fill_at: FillAt::NextOpen,
        both_hit: BothHit::StopFirst,
        entry_bar: EntryBar::AfterEntry,
    };

    /// The constant of a name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        SEMANTICS.iter().find(|s| s.name == name).copied()
    }
}

impl Default for Semantics {
    fn default() -> Self {
        Self::REALISTIC
    }
}
