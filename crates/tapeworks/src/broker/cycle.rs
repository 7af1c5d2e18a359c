//! The broker and the phases of its bar cycle.
//!
//! At each timestamp the loop calls, in this order: [`Broker::open_phase`] (everything that fills
//! at the open: first what reduces, then what opens), [`Broker::inside_phase`] (levels touched
//! inside the rows: first what opens, then what reduces), [`Broker::mark_phase`] (excursions and
//! age of the positions). Only then may new orders come in, so no order ever meets a price of the
//! row in which it was decided.

use super::account::{Account, AccountTerms};
use super::bar::Quotes;
use super::codes::{ExitReason, FillFlags, OrderKind, OrderOrigin, Phase, Side};
use super::commission::Commission;
use super::execution::Execution;
use super::inside::Candidate;
use super::ledger::{Ledger, OrderRow, OrderStatus};
use super::live::{LiveOrder, LiveOrders, Shortfall};
use super::lots::Lots;
use super::matching::Terms;
use super::positions::{Entry, Positions, exceeds};
use super::reach::reach;
use super::rules::{Level, PositionFacts, RuleBook, RuleEntry, RuleSet};
use super::semantics::Semantics;
use super::slippage::Slippage;
use crate::base::time::DAY_NS;
use crate::base::{AssetId, OrderId};

/// What a run agrees on with its broker.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// Fees.
    pub commission: Commission,
    /// Price given up by takers.
    pub slippage: Slippage,
    /// Quantity step.
    pub lots: Lots,
    /// How orders meet prices.
    pub semantics: Semantics,
    /// The terms of the account.
    pub terms: AccountTerms,
}

/// Orders, positions, cash and the ledger of one run.
#[derive(Debug, Clone, Default)]
pub struct Broker {
    pub(super) conditions: Conditions,
    pub(super) account: Account,
    pub(super) positions: Positions,
    pub(super) live: LiveOrders,
    pub(super) rules: RuleBook,
    pub(super) ledger: Ledger,
    pub(super) now: i64,
    pub(super) previous: i64,
    /// UTC days with data so far.
    pub(super) session: u32,
    pub(super) n_stale: u32,
    /// Reused between rows: places in the book that can fill at the open.
    at_open: Vec<(usize, f64)>,
    /// Reused between rows: levels that can close something inside the rows.
    pub(super) candidates: Vec<Candidate>,
    /// Per asset: between these prices no rule of its position fires.
    guards: Vec<Guard>,
    /// Assets whose row leaves the guard of the position they brought into it.
    pub(super) watched: Vec<u32>,
    /// Assets whose position was entered or added to in the present row.
    pub(super) enlarged: Vec<u32>,
}

/// The open interval of prices in which no rule of a position fires.
#[derive(Debug, Clone, Copy)]
struct Guard {
    low: f64,
    high: f64,
}

/// How an order or a rule found its price.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub base_price: f64,
    pub phase: Phase,
    pub flags: FillFlags,
    /// What the row showed a position up to this price: (adverse, favourable).
    pub seen: (f64, f64),
}

impl Broker {
    /// A broker with `cash` and no positions.
    #[must_use]
    pub fn new(conditions: Conditions, account: Account, rules: RuleBook, n_assets: usize) -> Self {
        Self {
            conditions,
            account,
            rules,
            positions: Positions::new(n_assets),
            live: LiveOrders::new(n_assets),
            guards: vec![Guard::NEVER; n_assets],
            ..Self::default()
        }
    }

    /// Moves the clock. Orders submitted from now on belong to `now`.
    pub fn begin(&mut self, now: i64) {
        self.session += u32::from(now.div_euclid(DAY_NS) != self.now.div_euclid(DAY_NS));
        self.previous = self.now;
        self.now = now;
        self.enlarged.clear();
    }

    /// Fills at the open everything that the open satisfies: reduces first (position rules, then
    /// orders by id), then the rest by id.
    pub fn open_phase(&mut self, quotes: &impl Quotes) {
        self.watch(quotes);
        self.close_beyond_open(quotes);
        if self.live.is_empty() {
            return;
        }
        let mut at_open = std::mem::take(&mut self.at_open);
        at_open.clear();
        for idx in 0..self.live.len() {
            let live = self.live.at(idx);
            if live.is_done {
                continue;
            }
            let Some(bar) = quotes.tradable(live.asset) else { continue };
            let Some(price) = live.terms.price_at_open(bar.open) else { continue };
            if self.is_reduce(&live) {
                self.fill_order(idx, &live, Hit::at_open(price));
            } else {
                at_open.push((idx, price));
            }
        }
        for &(idx, price) in &at_open {
            let live = self.live.at(idx);
            if !live.is_done {
                self.fill_order(idx, &live, Hit::at_open(price));
            }
        }
        self.at_open = at_open;
        self.live.sweep();
    }

    /// Fills what the rows reached between their open and close: opens by id, then reduces by
    /// symbol, within a symbol the adverse level nearest to the open first.
    pub fn inside_phase(&mut self, quotes: &impl Quotes) {
        // Both lists stay empty while no rule is set.
        let can_fire = !self.watched.is_empty() || !self.enlarged.is_empty();
        if !self.live.has_resting() && !can_fire {
            return;
        }
        self.open_inside(quotes);
        self.reduce_inside(quotes);
        self.live.sweep();
    }

    /// Ages the positions and extends their excursions by the rows' extremes.
    pub fn mark_phase(&mut self, quotes: &impl Quotes) {
        self.n_stale = 0;
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            let side = self.positions.quantity(asset).signum();
            let (now, session) = (self.now, self.session);
            let detail = self.positions.detail_mut(asset);
            let Some(bar) = quotes.tradable(asset) else {
                // A row in which nothing can fill is a sign of life all the same.
                if quotes.range(asset).is_some() {
                    detail.push_sighting(now, session);
                }
                self.n_stale += u32::from(detail.is_stale(session));
                continue;
            };
            detail.push_sighting(now, session);
            let reach = reach(&detail.entry, side, &bar, now);
            if detail.entry_timestamp != now {
                detail.bars_held += 1;
            }
            let bars = detail.bars_held;
            detail.push_favourable(side, reach.favourable, bars);
            detail.push_adverse(side, reach.adverse, bars);
            if self.rules.is_active() {
                let facts = self.facts(asset);
                if self.rules.end_row(asset, &facts, reach.favourable, bar.close, quotes) {
                    self.set_guard(asset);
                }
            }
        }
    }

    /// Finds the positions whose rules can fire in this row; most rows leave most guards alone.
    fn watch(&mut self, quotes: &impl Quotes) {
        self.watched.clear();
        if !self.rules.is_active() {
            return;
        }
        for &asset in self.positions.held() {
            let Some((low, high)) = quotes.range(AssetId(asset)) else { continue };
            let guard = self.guards[asset as usize];
            if low <= guard.low || high >= guard.high {
                self.watched.push(asset);
            }
        }
    }

    fn close_beyond_open(&mut self, quotes: &impl Quotes) {
        for at in 0..self.watched.len() {
            let asset = AssetId(self.watched[at]);
            let Some(bar) = quotes.tradable(asset) else { continue };
            let (adverse, favourable) = self.levels(asset);
            let side = self.positions.quantity(asset).signum();
            let beyond = adverse
                .filter(|level| side * bar.open <= side * level.price)
                .or(favourable.filter(|level| side * bar.open >= side * level.price));
            if let Some(level) = beyond {
                let hit = Hit::at_open(bar.open);
                self.fill_rule(asset, level, hit);
            }
        }
    }

    pub(super) fn facts(&self, asset: AssetId) -> PositionFacts {
        let quantity = self.positions.quantity(asset);
        let detail = self.positions.detail(asset);
        PositionFacts {
            side: quantity.signum(),
            quantity: quantity.abs(),
            entry_price: detail.entry_price,
            bars_held: detail.bars_held,
        }
    }

    /// The levels of a position's rules, for its side.
    pub(super) fn levels(&self, asset: AssetId) -> (Option<Level>, Option<Level>) {
        self.rules.levels(asset, &self.facts(asset))
    }

    /// Takes the levels of a position's rules anew, after its entry price, its water mark or its
    /// rules have changed.
    pub(super) fn set_guard(&mut self, asset: AssetId) {
        let (adverse, favourable) = self.levels(asset);
        let adverse = adverse.map_or(f64::NAN, |level| level.price);
        let favourable = favourable.map_or(f64::NAN, |level| level.price);
        // Comparisons with NaN are false: a missing level never fires.
        let is_long = self.positions.quantity(asset) > 0.0;
        let (low, high) = if is_long { (adverse, favourable) } else { (favourable, adverse) };
        self.guards[asset.index()] = Guard { low, high };
    }

    /// Gives one symbol, or with `None` the run, other position rules.
    pub fn set_rules(&mut self, asset: Option<AssetId>, set: RuleSet) {
        let was_active = self.rules.is_active();
        self.rules.set(asset, set);
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            if !was_active {
                // Without rules nobody told the book of the positions.
                let detail = self.positions.detail(asset);
                let (base, water) = (detail.entry_price, detail.best);
                let entry = RuleEntry { base, water, is_new: true };
                let facts = self.facts(asset);
                self.rules.enter(asset, &entry, &facts);
            }
            self.set_guard(asset);
        }
    }

    /// Whether an order would move its position toward zero without crossing it. Orders sized by a
    /// target are cut to what is held, as they are cut to what cash can pay.
    pub(super) fn is_reduce(&self, live: &LiveOrder) -> bool {
        let quantity = self.positions.quantity(live.asset);
        let is_cut = live.reduce_only || live.shortfall == Shortfall::Partial;
        quantity * live.sign() < 0.0 && (is_cut || !exceeds(live.rest, quantity.abs()))
    }

    pub(super) fn fill_order(&mut self, idx: usize, live: &LiveOrder, hit: Hit) {
        let entry = match (hit.phase, live.terms.kind) {
            (Phase::Open, _) | (_, OrderKind::Market) => Entry::Open,
            (Phase::Inside, OrderKind::Limit) => Entry::Limit,
            _ => Entry::Stop,
        };
        self.execute(&Execution {
            place: Some(idx),
            order: live.order,
            asset: live.asset,
            sign: live.sign(),
            wanted: live.rest,
            base_price: hit.base_price,
            limit: live.terms.limit,
            phase: hit.phase,
            flags: hit.flags,
            reason: live.reason,
            reduce_only: live.reduce_only,
            shortfall: live.shortfall,
            entry,
            seen: hit.seen,
        });
    }

    /// Closes a whole position on behalf of a rule; the rule's order is written at this moment.
    pub(super) fn fill_rule(&mut self, asset: AssetId, level: Level, hit: Hit) {
        let quantity = self.positions.quantity(asset);
        let sign = -quantity.signum();
        let terms = rule_terms(quantity.signum(), level);
        let order =
            OrderId(u32::try_from(self.ledger.orders.len()).expect("fewer than 2^32 orders"));
        self.ledger.orders.push(OrderRow {
            created: self.previous,
            quantity: -quantity,
            limit: terms.limit,
            stop: terms.stop,
            filled: 0.0,
            asset,
            tag: 0,
            kind: terms.kind,
            origin: OrderOrigin::PositionRule,
            reason: level.reason,
            reduce_only: true,
            status: OrderStatus::Live,
        });
        self.execute(&Execution {
            place: None,
            order,
            asset,
            sign,
            wanted: quantity.abs(),
            base_price: hit.base_price,
            limit: terms.limit,
            phase: hit.phase,
            flags: hit.flags,
            reason: level.reason,
            reduce_only: true,
            shortfall: Shortfall::Reject,
            entry: Entry::Open,
            seen: hit.seen,
        });
    }
}

impl Hit {
    pub fn at_open(open: f64) -> Self {
        let flags = FillFlags::default();
        Self { base_price: open, phase: Phase::Open, flags, seen: (open, open) }
    }
}

impl Guard {
    /// The guard of an asset without rules.
    const NEVER: Self = Self { low: f64::NAN, high: f64::NAN };
}

/// The terms of the resting order that a rule's level stands for.
pub(super) fn rule_terms(position_side: f64, level: Level) -> Terms {
    let side = if position_side > 0.0 { Side::Sell } else { Side::Buy };
    if level.reason == ExitReason::TakeProfit {
        Terms { kind: OrderKind::Limit, side, limit: level.price, stop: f64::NAN }
    } else {
        Terms { kind: OrderKind::Stop, side, limit: f64::NAN, stop: level.price }
    }
}
