//! Orders that wait for their price, in submission order.

use super::codes::{ExitReason, OrderKind, Side};
use super::matching::Terms;
use crate::base::{AssetId, OrderId};

/// What to do when the account cannot pay for the whole opening quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortfall {
    /// Refuse the order.
    Reject,
    /// Fill the largest number of lots that passes.
    Partial,
}

/// One order in the book.
#[derive(Debug, Clone, Copy)]
pub struct LiveOrder {
    /// Its id; also its time priority.
    pub order: OrderId,
    /// The asset.
    pub asset: AssetId,
    /// How it finds its price.
    pub terms: Terms,
    /// Units left (positive).
    pub rest: f64,
    /// Never opens or flips a position.
    pub reduce_only: bool,
    /// What to do when cash is short.
    pub shortfall: Shortfall,
    /// What the order is for, when it closes a position.
    pub reason: ExitReason,
    /// Set when the order has ended; it leaves the book at the end of the phase.
    pub is_done: bool,
}

/// All live orders. Ids ascend, so an order is found by binary search and the walk over the book is
/// the time priority.
#[derive(Debug, Clone, Default)]
pub struct LiveOrders {
    orders: Vec<LiveOrder>,
    /// Live market orders by asset.
    n_market: Vec<u32>,
    /// Live reduce-only orders by asset.
    n_reduce_only: Vec<u32>,
    /// Live orders that are not market orders.
    n_resting: usize,
    n_done: usize,
}

impl LiveOrder {
    /// `+1.0` for a buy, `-1.0` for a sell.
    #[inline]
    #[must_use]
    pub fn sign(&self) -> f64 {
        match self.terms.side {
            Side::Buy => 1.0,
            Side::Sell => -1.0,
        }
    }
}

impl LiveOrders {
    /// An empty book over `n_assets` assets.
    #[must_use]
    pub fn new(n_assets: usize) -> Self {
        Self { n_market: vec![0; n_assets], n_reduce_only: vec![0; n_assets], ..Self::default() }
    }

    /// Adds an order; its id is above every other's.
    pub fn push(&mut self, order: LiveOrder) {
        debug_assert!(self.orders.last().is_none_or(|last| last.order < order.order));
        if order.terms.kind == OrderKind::Market {
            self.n_market[order.asset.index()] += 1;
        } else {
            self.n_resting += 1;
        }
        self.n_reduce_only[order.asset.index()] += u32::from(order.reduce_only);
        self.orders.push(order);
    }

    /// How many orders the book holds, ended ones of this phase included.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether the book is empty.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Whether any order waits for a level.
    #[must_use]
    #[inline]
    pub fn has_resting(&self) -> bool {
        self.n_resting > 0
    }

    /// The order at a place in the book.
    #[must_use]
    #[inline]
    pub fn at(&self, idx: usize) -> LiveOrder {
        self.orders[idx]
    }

    /// The place of a live order.
    #[must_use]
    pub fn find(&self, order: OrderId) -> Option<usize> {
        let idx = self.orders.binary_search_by_key(&order, |live| live.order).ok()?;
        (!self.orders[idx].is_done).then_some(idx)
    }

    /// Signed units of live market orders of an asset: targets count them as on their way.
    ///
    /// Summed when asked, for a running sum would keep the rounding of orders that are gone. Most
    /// assets have no such order, and then nothing is summed.
    #[must_use]
    pub fn market_rest(&self, asset: AssetId) -> f64 {
        if self.n_market[asset.index()] == 0 {
            return 0.0;
        }
        let is_market =
            |live: &&LiveOrder| live.asset == asset && live.terms.kind == OrderKind::Market;
        self.iter().filter(is_market).map(|live| live.sign() * live.rest).sum()
    }

    /// Whether an asset has live reduce-only orders.
    #[must_use]
    #[inline]
    pub fn has_reduce_only(&self, asset: AssetId) -> bool {
        self.n_reduce_only[asset.index()] > 0
    }

    /// The live orders, in submission order.
    pub fn iter(&self) -> impl Iterator<Item = &LiveOrder> {
        self.orders.iter().filter(|live| !live.is_done)
    }

    /// Leaves `rest` units of an order to fill.
    pub fn cut(&mut self, idx: usize, rest: f64) {
        let live = &mut self.orders[idx];
        debug_assert!(!live.is_done && rest < live.rest, "a cut takes units off a live order");
        live.rest = rest;
    }

    /// Marks an order as ended.
    pub fn end(&mut self, idx: usize) {
        let live = &mut self.orders[idx];
        debug_assert!(!live.is_done, "an order ends once");
        live.is_done = true;
        let live = *live;
        if live.terms.kind == OrderKind::Market {
            self.n_market[live.asset.index()] -= 1;
        } else {
            self.n_resting -= 1;
        }
        self.n_reduce_only[live.asset.index()] -= u32::from(live.reduce_only);
        self.n_done += 1;
    }

    /// Drops ended orders from the book.
    pub fn sweep(&mut self) {
        if self.n_done == 0 {
            return;
        }
        if self.n_done == self.orders.len() {
            self.orders.clear();
        } else {
            self.orders.retain(|live| !live.is_done);
        }
        self.n_done = 0;
    }
}
