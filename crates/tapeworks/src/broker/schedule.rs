//! What is decided outside the run and happens at stated times: capital flows, funding, rolls,
//! corporate actions.

use crate::base::{AssetId, CorporateAction};

/// Capital that comes in (positive) or goes out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CapitalFlow {
    /// Effective before the open of the first row at or after this instant (ns UTC).
    pub timestamp: i64,
    /// Currency.
    pub amount: f64,
}

/// The funding of a perpetual contract: longs pay `quantity x mark x multiplier x rate`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FundingRate {
    /// The instant (ns UTC).
    pub timestamp: i64,
    /// The contract.
    pub asset: AssetId,
    /// Fraction of the position's value; negative: longs receive.
    pub rate: f64,
}

/// The change from one contract to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roll {
    /// At the first open of both contracts at or after this instant (ns UTC).
    pub timestamp: i64,
    /// The contract that is left.
    pub from: AssetId,
    /// The contract that is entered.
    pub to: AssetId,
}

/// Everything that a run knows beforehand, each list by time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schedule {
    /// Deposits and withdrawals.
    pub flows: Vec<CapitalFlow>,
    /// Funding rates.
    pub funding: Vec<FundingRate>,
    /// Rolls.
    pub rolls: Vec<Roll>,
    /// Corporate actions, in the order of [`Actions::list`](crate::base::Actions::list).
    pub actions: Vec<CorporateAction>,
}

impl Schedule {
    /// Puts each list in the order of time; entries of one instant keep their order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.flows.sort_by_key(|flow| flow.timestamp);
        self.funding.sort_by_key(|rate| rate.timestamp);
        self.rolls.sort_by_key(|roll| roll.timestamp);
        self
    }
}
