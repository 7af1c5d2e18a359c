//! What the loop and the strategy may read of the broker.

use super::account::Account;
use super::cycle::{Broker, Conditions};
use super::ledger::Ledger;
use super::live::LiveOrders;
use super::lots::Lots;
use super::positions::Positions;
use super::rules::RuleBook;
use crate::base::{AssetId, Rescale};

impl Broker {
    /// The present (ns UTC).
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Whether a position is valued at an old price.
    #[must_use]
    pub fn is_stale(&self, asset: AssetId) -> bool {
        self.positions.detail(asset).is_stale(self.session)
    }

    /// Positions whose last row lies more than five sessions with data back.
    #[must_use]
    pub fn n_stale(&self) -> u32 {
        self.n_stale
    }

    /// Whether sessions have more than one timestamp, as far as is known.
    #[must_use]
    pub fn is_intraday(&self) -> bool {
        self.is_intraday
    }

    /// The quantity step of an asset.
    #[must_use]
    pub fn lots_of(&self, asset: AssetId) -> Lots {
        self.lot(asset)
    }

    /// Cash and totals.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The positions.
    #[must_use]
    #[inline]
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// The positions, for the loop to move their marks.
    #[inline]
    pub fn positions_mut(&mut self) -> &mut Positions {
        &mut self.positions
    }

    /// What the corporate actions of the present timestamp do to the past, in their order.
    #[must_use]
    pub fn rescales(&self) -> &[Rescale] {
        &self.rescales
    }

    /// The live orders.
    #[must_use]
    #[inline]
    pub fn live(&self) -> &LiveOrders {
        &self.live
    }

    /// The position rules.
    #[must_use]
    pub fn rules(&self) -> &RuleBook {
        &self.rules
    }

    /// What was agreed.
    #[must_use]
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// What has been written down.
    #[must_use]
    #[inline]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Gives the ledger away at the end of a run.
    #[must_use]
    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }
}
