//! What the engine needs to know beside feed and strategy.

use std::collections::BTreeMap;

use crate::broker::{
    AccountTerms, Commission, Impact, Instrument, Lots, Participation, PortfolioLimit,
    PositionRule, Semantics, Slippage,
};

/// The terms of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineConfig {
    /// Cash at the start, in account currency.
    pub cash: f64,
    /// Fees.
    pub commission: Commission,
    /// Price given up by takers.
    pub slippage: Slippage,
    /// Price given up beside slippage where a stop triggered the fill, as a fraction of it.
    pub stop_slippage: f64,
    /// Price moved by takers.
    pub impact: Impact,
    /// Largest share of the volume that may be filled; `None`: any.
    pub participation: Option<Participation>,
    /// Quantity step.
    pub lots: Lots,
    /// What the account may do, and on which terms.
    pub account: AccountTerms,
    /// Terms of the instruments that `instruments` does not name.
    pub instrument: Instrument,
    /// Terms of single instruments, by symbol.
    pub instruments: BTreeMap<String, Instrument>,
    /// Deposits and withdrawals: (ns UTC, currency).
    pub flows: Vec<(i64, f64)>,
    /// Funding rates: (ns UTC, symbol, rate).
    pub funding: Vec<(i64, String, f64)>,
    /// Contract rolls: (ns UTC, from, to).
    pub rolls: Vec<(i64, String, String)>,
    /// Rules that every position follows.
    pub rules: Vec<PositionRule>,
    /// Limits on the whole portfolio.
    pub limits: Vec<PortfolioLimit>,
    /// How orders meet prices.
    pub semantics: Semantics,
    /// Which portfolio states are kept.
    pub snapshot: Snapshot,
    /// Recompute the accounting identities after every timestamp.
    pub check_invariants: bool,
}

/// Which portfolio states the tables of a run keep. The choice changes no order, no fill and no
/// metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Snapshot {
    /// That of every timestamp.
    #[default]
    Bar,
    /// That of the last timestamp of every session (day, UTC).
    Session,
}

impl Snapshot {
    /// Every value, in declaration order.
    pub const ALL: [Self; 2] = [Self::Bar, Self::Session];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bar => "bar",
            Self::Session => "session",
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            cash: 100_000.0,
            commission: Commission::None,
            slippage: Slippage::None,
            stop_slippage: 0.0,
            impact: Impact::None,
            participation: None,
            lots: Lots::Integer,
            account: AccountTerms::default(),
            instrument: Instrument::default(),
            instruments: BTreeMap::new(),
            flows: Vec::new(),
            funding: Vec::new(),
            rolls: Vec::new(),
            rules: Vec::new(),
            limits: Vec::new(),
            semantics: Semantics::REALISTIC,
            snapshot: Snapshot::Bar,
            check_invariants: false,
        }
    }
}
