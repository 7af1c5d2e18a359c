//! Orders that wait for their price, by priority.

use super::codes::{ExitReason, OrderKind, OrderOrigin, Side, TimeInForce};
use super::commission::Traded;
use super::matching::{Terms, Trail};
use super::positions::Enlargement;
use crate::base::{AssetId, OrderId};

/// What to do when the account cannot pay for the whole opening quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortfall {
    /// Refuse the order.
    Reject,
    /// Fill the largest number of lots that passes.
    Partial,
    /// End the order without a refusal.
    Cancel,
}

/// One order in the book.
#[derive(Debug, Clone, Copy)]
pub struct LiveOrder {
    /// Its id.
    pub order: OrderId,
    /// The asset.
    pub asset: AssetId,
    /// How it finds its price.
    pub terms: Terms,
    /// Units left (positive).
    pub rest: f64,
    /// Where its rarer terms lie in the book; `NO_RARE`: it has none.
    rare: u32,
    /// Never opens or flips a position.
    pub reduce_only: bool,
    /// What to do when cash is short.
    pub shortfall: Shortfall,
    /// What the order is for, when it closes a position.
    pub reason: ExitReason,
    /// Who sent it; it decides the order of reduces at the open.
    pub origin: OrderOrigin,
    /// Waits for its parent: invisible to matching.
    pub is_held: bool,
    /// Its stop was reached.
    pub is_triggered: bool,
    /// Set when the order has ended; it leaves the book at the end of the phase.
    pub is_done: bool,
}

/// The terms and the memory that few orders have.
#[derive(Debug, Clone, Copy)]
pub struct Rare {
    /// How its stop follows the price.
    pub trail: Trail,
    /// How long it lives.
    pub tif: TimeInForce,
    /// The session in which a `day` order lives; 0: not known before the next timestamp.
    pub session: u32,
    /// The order whose fill releases this one.
    pub parent: Option<OrderId>,
    /// Whether the parent's first fill releases it, or the complete one.
    pub releases_on_first: bool,
    /// Sized by what the parent has filled.
    pub follows_parent: bool,
    /// Distance of a bracket's stop (below) or target (above) as a fraction of the parent's average
    /// price; NaN: its prices are given.
    pub fraction: f64,
    /// One-cancels-other group; 0: none.
    pub group: u32,
    /// Units that others of its group have filled in its place.
    pub taken: f64,
    /// The fill that released it.
    pub since: Enlargement,
    /// What the order has traded so far.
    pub traded: Traded,
    /// The row in which it last filled, and how much it filled there.
    pub filled_at: i64,
    /// Units filled in that row.
    pub filled_in_row: f64,
    /// Close of its symbol when it was sent.
    pub submit_close: f64,
    /// Rows of its symbol it still has to wait.
    pub delay: u8,
    /// The price at which a rule has already decided it fills; NaN: none.
    pub decided: f64,
    /// Whether a level of the rule was reached, in place of a close that decided.
    pub by_level: bool,
    /// What a rebalance wanted to move, in currency; NaN: not sized by one.
    pub value: f64,
    /// First timestamp at which it may be tested.
    pub from: i64,
}

const NO_RARE: u32 = u32::MAX;

/// All live orders, by priority: submission, or the last change that costs it.
#[derive(Debug, Clone, Default)]
pub struct LiveOrders {
    orders: Vec<LiveOrder>,
    rares: Vec<Rare>,
    free: Vec<u32>,
    /// Live market orders by asset.
    n_market: Vec<u32>,
    /// Live, released reduce-only orders by asset.
    n_reduce_only: Vec<u32>,
    /// Live orders that wait for a level.
    n_resting: usize,
    /// Live orders that wait for a close.
    n_on_close: usize,
    /// Live orders with rarer terms.
    n_rare: usize,
    /// Live orders that the account or a limit has sent.
    n_forced: usize,
    n_done: usize,
    /// A change has put an order behind later ones, so ids do not ascend.
    is_shuffled: bool,
}

impl Rare {
    /// The terms of an order that has none.
    pub const PLAIN: Self = Self {
        trail: Trail::NONE,
        tif: TimeInForce::Gtc,
        session: 0,
        parent: None,
        releases_on_first: true,
        follows_parent: false,
        fraction: f64::NAN,
        group: 0,
        taken: 0.0,
        since: Enlargement::NEVER,
        traded: Traded { units: 0.0, notional: 0.0, fees: 0.0 },
        filled_at: i64::MIN,
        filled_in_row: 0.0,
        submit_close: f64::NAN,
        delay: 0,
        decided: f64::NAN,
        by_level: false,
        value: f64::NAN,
        from: i64::MIN,
    };
}

impl LiveOrder {
    /// An order without rarer terms.
    #[must_use]
    pub fn new(order: OrderId, asset: AssetId, terms: Terms, rest: f64) -> Self {
        Self {
            order,
            asset,
            terms,
            rest,
            rare: NO_RARE,
            reduce_only: false,
            shortfall: Shortfall::Reject,
            reason: ExitReason::Signal,
            origin: OrderOrigin::Strategy,
            is_held: false,
            is_triggered: false,
            is_done: false,
        }
    }

    /// `+1.0` for a buy, `-1.0` for a sell.
    #[inline]
    #[must_use]
    pub fn sign(&self) -> f64 {
        match self.terms.side {
            Side::Buy => 1.0,
            Side::Sell => -1.0,
        }
    }

    /// Whether matching may see it.
    #[inline]
    #[must_use]
    pub fn is_open(&self) -> bool {
        !(self.is_done || self.is_held)
    }

    /// How it finds its price now that its stop may have been reached.
    #[inline]
    #[must_use]
    pub fn kind(&self) -> OrderKind {
        match self.terms.kind {
            OrderKind::Stop | OrderKind::Trailing if self.is_triggered => OrderKind::Market,
            OrderKind::StopLimit | OrderKind::TrailingLimit if self.is_triggered => {
                OrderKind::Limit
            }
            kind => kind,
        }
    }

    /// Whether it has rarer terms.
    #[inline]
    #[must_use]
    pub fn is_rare(&self) -> bool {
        self.rare != NO_RARE
    }

    fn is_forced(&self) -> bool {
        matches!(
            self.origin,
            OrderOrigin::MarginCall | OrderOrigin::PortfolioLimit | OrderOrigin::PositionRule
        )
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
        self.count(&order, true);
        self.orders.push(order);
    }

    /// Adds an order with rarer terms.
    pub fn push_rare(&mut self, mut order: LiveOrder, rare: Rare) {
        order.rare = if let Some(slot) = self.free.pop() {
            self.rares[slot as usize] = rare;
            slot
        } else {
            self.rares.push(rare);
            u32::try_from(self.rares.len() - 1).expect("fewer than 2^32 orders")
        };
        self.push(order);
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

    /// Whether any order waits for a close.
    #[must_use]
    #[inline]
    pub fn has_on_close(&self) -> bool {
        self.n_on_close > 0
    }

    /// Whether any order has rarer terms.
    #[must_use]
    #[inline]
    pub fn has_rare(&self) -> bool {
        self.n_rare > 0
    }

    /// Whether the account, a limit or a rule has sent any of them.
    #[must_use]
    #[inline]
    pub fn has_forced(&self) -> bool {
        self.n_forced > 0
    }

    /// The order at a place in the book.
    #[must_use]
    #[inline]
    pub fn at(&self, idx: usize) -> &LiveOrder {
        &self.orders[idx]
    }

    /// The rarer terms of the order at a place.
    #[must_use]
    #[inline]
    pub fn rare(&self, idx: usize) -> Option<&Rare> {
        self.rares.get(self.orders[idx].rare as usize)
    }

    /// The rarer terms of the order at a place, to be changed.
    #[inline]
    pub fn rare_mut(&mut self, idx: usize) -> Option<&mut Rare> {
        self.rares.get_mut(self.orders[idx].rare as usize)
    }

    /// The place of a live or held order.
    #[must_use]
    pub fn find(&self, order: OrderId) -> Option<usize> {
        let idx = if self.is_shuffled {
            self.orders.iter().position(|live| live.order == order)?
        } else {
            self.orders.binary_search_by_key(&order, |live| live.order).ok()?
        };
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

    /// The live and held orders, by priority.
    pub fn iter(&self) -> impl Iterator<Item = &LiveOrder> {
        self.orders.iter().filter(|live| !live.is_done)
    }

    /// Leaves `rest` units of an order to fill.
    pub fn set_rest(&mut self, idx: usize, rest: f64) {
        debug_assert!(!self.orders[idx].is_done, "an ended order has no rest");
        self.orders[idx].rest = rest;
    }

    /// Notes that the stop of an order was reached.
    pub fn trigger(&mut self, idx: usize) {
        self.change(idx, |live| live.is_triggered = true);
    }

    /// Lets matching see a held order.
    pub fn release(&mut self, idx: usize) {
        self.change(idx, |live| live.is_held = false);
    }

    /// Changes the prices of an order.
    pub fn set_terms(&mut self, idx: usize, terms: Terms) {
        self.change(idx, |live| live.terms = terms);
    }

    /// Takes back that the stop of an order was reached.
    pub fn untrigger(&mut self, idx: usize) {
        self.change(idx, |live| live.is_triggered = false);
    }

    /// Puts an order behind all others.
    pub fn move_to_back(&mut self, idx: usize) {
        let order = self.orders.remove(idx);
        self.orders.push(order);
        self.is_shuffled = true;
    }

    /// Marks an order as ended.
    pub fn end(&mut self, idx: usize) {
        debug_assert!(!self.orders[idx].is_done, "an order ends once");
        let live = self.orders[idx];
        self.count(&live, false);
        if live.is_rare() {
            self.free.push(live.rare);
        }
        let live = &mut self.orders[idx];
        live.is_done = true;
        live.rare = NO_RARE;
        self.n_done += 1;
    }

    /// Drops ended orders from the book.
    pub fn sweep(&mut self) {
        if self.n_done == 0 {
            return;
        }
        if self.n_done == self.orders.len() {
            self.orders.clear();
            self.is_shuffled = false;
        } else {
            self.orders.retain(|live| !live.is_done);
        }
        self.n_done = 0;
    }

    fn change(&mut self, idx: usize, change: impl FnOnce(&mut LiveOrder)) {
        let before = self.orders[idx];
        self.count(&before, false);
        change(&mut self.orders[idx]);
        let after = self.orders[idx];
        self.count(&after, true);
    }

    /// Keeps the counts that let a phase skip the book.
    #[inline]
    fn count(&mut self, live: &LiveOrder, comes: bool) {
        let add = |count: &mut usize, is_one: bool| {
            let one = usize::from(is_one);
            *count = if comes { *count + one } else { *count - one };
        };
        let kind = live.kind();
        let is_market = kind == OrderKind::Market;
        let is_on_close = kind == OrderKind::MarketOnClose;
        add(&mut self.n_resting, !is_market && !is_on_close);
        add(&mut self.n_on_close, is_on_close);
        add(&mut self.n_rare, live.is_rare());
        add(&mut self.n_forced, live.is_forced());
        let add = |count: &mut u32, is_one: bool| {
            let one = u32::from(is_one);
            *count = if comes { *count + one } else { *count - one };
        };
        let asset = live.asset.index();
        add(&mut self.n_market[asset], live.terms.kind == OrderKind::Market);
        add(&mut self.n_reduce_only[asset], live.reduce_only && !live.is_held);
    }
}
