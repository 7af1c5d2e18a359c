//! The broker and the phases of its bar cycle.
//!
//! At each timestamp the loop calls, in this order: [`Broker::open_phase`] (everything that fills
//! at the open: first what reduces, then what opens), [`Broker::inside_phase`] (levels touched
//! inside the rows: first what opens, then what reduces), [`Broker::mark_phase`] (excursions and
//! age of the positions). Only then may new orders come in, so no order ever meets a price of the
//! row in which it was decided.

use super::account::Account;
use super::bar::{Bar, Quotes};
use super::codes::{ExitReason, FillFlags, OrderKind, OrderOrigin, Phase, Side};
use super::commission::Commission;
use super::execution::Execution;
use super::ledger::{Ledger, OrderRow, OrderStatus};
use super::live::{LiveOrder, LiveOrders, Shortfall};
use super::lots::Lots;
use super::matching::Terms;
use super::positions::{Enlargement, Entry, Positions, exceeds};
use super::rules::{Level, RuleBook, RuleSet};
use super::semantics::Semantics;
use super::slippage::Slippage;
use crate::base::time::DAY_NS;
use crate::base::{AssetId, OrderId};

/// What a run agrees on with its broker.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions {
    /// Fees.
    pub commission: Commission,
    /// Price given up by takers.
    pub slippage: Slippage,
    /// Quantity step.
    pub lots: Lots,
    /// How orders meet prices.
    pub semantics: Semantics,
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
    candidates: Vec<Candidate>,
    /// Per asset: between these prices no rule of its position fires.
    guards: Vec<Guard>,
    /// Assets whose row leaves the guard of the position they brought into it.
    watched: Vec<u32>,
    /// Assets whose position was entered or added to in the present row.
    pub(super) enlarged: Vec<u32>,
}

/// The open interval of prices in which no rule of a position fires.
#[derive(Debug, Clone, Copy)]
struct Guard {
    low: f64,
    high: f64,
}

/// A level that a row reached and that would reduce a position.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    asset: AssetId,
    is_favourable: bool,
    /// The level, signed so that what the price meets first sorts first: on the way down the
    /// highest stop of a long, on the way up its lowest target.
    rank: f64,
    source: Source,
}

/// Where a candidate comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Order(usize),
    Rule(Level),
}

/// How an order or a rule found its price.
#[derive(Debug, Clone, Copy)]
struct Hit {
    base_price: f64,
    phase: Phase,
    flags: FillFlags,
    /// What the row showed a position up to this price: (adverse, favourable).
    seen: (f64, f64),
}

/// The prices of a row that may act on a position, for its side.
#[derive(Debug, Clone, Copy)]
struct Reach {
    adverse: f64,
    favourable: f64,
    /// The first price of the row at which the position existed.
    start: f64,
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
            let best = detail.best;
            detail.push_favourable(side, reach.favourable, bars);
            detail.push_adverse(side, reach.adverse, bars);
            if detail.best != best && self.rules.is_active() {
                self.set_guard(asset);
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

    fn open_inside(&mut self, quotes: &impl Quotes) {
        for idx in 0..self.live.len() {
            let live = self.live.at(idx);
            if live.is_done || live.terms.kind == OrderKind::Market || self.is_reduce(&live) {
                continue;
            }
            let Some(bar) = quotes.tradable(live.asset) else { continue };
            let Some(price) = live.terms.price_inside(bar.low, bar.high) else { continue };
            let flags = limit_flags(&live.terms, &bar);
            let seen = (price, price);
            self.fill_order(
                idx,
                &live,
                Hit { base_price: price, phase: Phase::Inside, flags, seen },
            );
        }
    }

    fn reduce_inside(&mut self, quotes: &impl Quotes) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        self.collect_orders(quotes, &mut candidates);
        if self.rules.is_active() {
            self.collect_rules(quotes, &mut candidates);
        }
        // Stable: equal levels keep submission order, rules after orders.
        candidates.sort_by(|a, b| {
            (a.asset, a.is_favourable)
                .cmp(&(b.asset, b.is_favourable))
                .then(a.rank.total_cmp(&b.rank))
        });
        for group in candidates.chunk_by(|a, b| a.asset == b.asset) {
            let both = group[0].is_favourable != group[group.len() - 1].is_favourable;
            for candidate in group {
                self.reduce(candidate, both, quotes);
            }
        }
        self.candidates = candidates;
    }

    fn collect_orders(&self, quotes: &impl Quotes, candidates: &mut Vec<Candidate>) {
        for idx in 0..self.live.len() {
            let live = self.live.at(idx);
            if live.is_done || live.terms.kind == OrderKind::Market || !self.is_reduce(&live) {
                continue;
            }
            let Some(bar) = quotes.tradable(live.asset) else { continue };
            let side = -live.sign();
            let reach = reach(&self.positions.detail(live.asset).entry, side, &bar, self.now);
            let (low, high) = reach.as_range(side);
            if let Some(price) = live.terms.price_inside(low, high) {
                let is_favourable = live.terms.kind == OrderKind::Limit;
                candidates.push(Candidate {
                    asset: live.asset,
                    is_favourable,
                    rank: rank(side, is_favourable, price),
                    source: Source::Order(idx),
                });
            }
        }
    }

    fn collect_rules(&self, quotes: &impl Quotes, candidates: &mut Vec<Candidate>) {
        let brought_in = self.watched.iter().filter(|asset| !self.enlarged.contains(asset));
        for &asset in brought_in.chain(&self.enlarged) {
            let asset = AssetId(asset);
            let side = self.positions.quantity(asset).signum();
            if self.positions.quantity(asset) == 0.0 {
                continue;
            }
            let Some(bar) = quotes.tradable(asset) else { continue };
            let (adverse, favourable) = self.levels(asset);
            let reach = reach(&self.positions.detail(asset).last, side, &bar, self.now);
            let mut push = |level: Level, is_favourable: bool| {
                candidates.push(Candidate {
                    asset,
                    is_favourable,
                    rank: rank(side, is_favourable, level.price),
                    source: Source::Rule(level),
                });
            };
            if let Some(level) = adverse.filter(|l| side * reach.adverse <= side * l.price) {
                push(level, false);
            }
            if let Some(level) = favourable.filter(|l| side * reach.favourable >= side * l.price) {
                push(level, true);
            }
        }
    }

    /// Closes what a candidate would close, unless an earlier one has left nothing of it.
    fn reduce(&mut self, candidate: &Candidate, both: bool, quotes: &impl Quotes) {
        let asset = candidate.asset;
        let quantity = self.positions.quantity(asset);
        match candidate.source {
            Source::Order(idx) if self.live.at(idx).is_done => return,
            // Its price has come, so it may not rest on: it is refused as at any other turn.
            Source::Order(idx) if quantity == 0.0 => {
                let live = self.live.at(idx);
                let hit = Hit::at_open(live.terms.level());
                return self.fill_order(idx, &live, Hit { phase: Phase::Inside, ..hit });
            }
            Source::Rule(_) if quantity == 0.0 => return,
            _ => {}
        }
        let side = quantity.signum();
        let bar = quotes.tradable(asset).expect("a candidate was made from this row");
        let detail = self.positions.detail(asset);
        // The levels of rules follow the average price, so they date from the last add.
        let (level, since) = match candidate.source {
            Source::Order(idx) => (self.live.at(idx).terms.level(), detail.entry),
            Source::Rule(level) => (level.price, detail.last),
        };
        let reach = reach(&detail.entry, side, &bar, self.now);
        // On the row of the entry a level may already lie behind it: it fires at the entry.
        let is_new = since.timestamp == self.now;
        let price = match (is_new, candidate.is_favourable) {
            (false, _) => level,
            (true, false) => side * (side * level).min(side * since.base),
            (true, true) => side * (side * level).max(side * since.base),
        };
        let mut flags = FillFlags::default();
        let uncertain_entry = is_new
            && since.how == Entry::Stop
            && !candidate.is_favourable
            && side * bar.close > side * level;
        if both || uncertain_entry {
            flags = flags.with(FillFlags::AMBIGUOUS);
        }
        let seen = if candidate.is_favourable {
            (reach.adverse, price)
        } else {
            (price, side * (side * reach.start).max(side * price))
        };
        let hit = Hit { base_price: price, phase: Phase::Inside, flags, seen };
        match candidate.source {
            Source::Order(idx) => {
                let live = self.live.at(idx);
                let flags = flags.with(limit_flags(&live.terms, &bar));
                self.fill_order(idx, &live, Hit { flags, ..hit });
            }
            Source::Rule(level) => {
                let terms = rule_terms(side, level);
                let flags = flags.with(limit_flags(&terms, &bar));
                self.fill_rule(asset, level, Hit { flags, ..hit });
            }
        }
    }

    /// The levels of a position's rules, for its side.
    fn levels(&self, asset: AssetId) -> (Option<Level>, Option<Level>) {
        let set = self.rules.of(asset);
        if set.is_empty() {
            return (None, None);
        }
        let side = self.positions.quantity(asset).signum();
        let detail = self.positions.detail(asset);
        (
            set.adverse(side, detail.entry_price, detail.best),
            set.favourable(side, detail.entry_price),
        )
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
        self.rules.set(asset, set);
        for at in 0..self.positions.held().len() {
            self.set_guard(AssetId(self.positions.held()[at]));
        }
    }

    /// Whether an order would move its position toward zero without crossing it. Orders sized by a
    /// target are cut to what is held, as they are cut to what cash can pay.
    fn is_reduce(&self, live: &LiveOrder) -> bool {
        let quantity = self.positions.quantity(live.asset);
        let is_cut = live.reduce_only || live.shortfall == Shortfall::Partial;
        quantity * live.sign() < 0.0 && (is_cut || !exceeds(live.rest, quantity.abs()))
    }

    fn fill_order(&mut self, idx: usize, live: &LiveOrder, hit: Hit) {
        let entry = match (hit.phase, live.terms.kind) {
            (Phase::Open, _) | (_, OrderKind::Market) => Entry::Open,
            (Phase::Inside, OrderKind::Limit) => Entry::Limit,
            (Phase::Inside, OrderKind::Stop) => Entry::Stop,
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
    fn fill_rule(&mut self, asset: AssetId, level: Level, hit: Hit) {
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
    fn at_open(open: f64) -> Self {
        let flags = FillFlags::default();
        Self { base_price: open, phase: Phase::Open, flags, seen: (open, open) }
    }
}

impl Guard {
    /// The guard of an asset without rules.
    const NEVER: Self = Self { low: f64::NAN, high: f64::NAN };
}

impl Reach {
    /// The reach as (low, high).
    fn as_range(self, side: f64) -> (f64, f64) {
        if side > 0.0 { (self.adverse, self.favourable) } else { (self.favourable, self.adverse) }
    }
}

/// The order in which the price meets levels of one kind, after the position exists.
fn rank(side: f64, is_favourable: bool, level: f64) -> f64 {
    if is_favourable { side * level } else { -side * level }
}

/// What of a row may act on a position: all of it, but on the row of an enlargement adverse prices
/// only where they may lie after it and favourable ones only where they must.
fn reach(since: &Enlargement, side: f64, bar: &Bar, now: i64) -> Reach {
    let (adverse, favourable) = if side > 0.0 { (bar.low, bar.high) } else { (bar.high, bar.low) };
    if since.timestamp != now {
        return Reach { adverse, favourable, start: bar.open };
    }
    let start = since.base;
    match since.how {
        Entry::Open | Entry::Stop => Reach { adverse, favourable, start },
        Entry::Limit => {
            Reach { adverse, favourable: side * (side * start).max(side * bar.close), start }
        }
    }
}

/// The terms of the resting order that a rule's level stands for.
fn rule_terms(position_side: f64, level: Level) -> Terms {
    let side = if position_side > 0.0 { Side::Sell } else { Side::Buy };
    if level.reason == ExitReason::TakeProfit {
        Terms { kind: OrderKind::Limit, side, limit: level.price, stop: f64::NAN }
    } else {
        Terms { kind: OrderKind::Stop, side, limit: f64::NAN, stop: level.price }
    }
}

/// What is known of a fill of these terms inside the row.
fn limit_flags(terms: &Terms, bar: &Bar) -> FillFlags {
    if terms.kind != OrderKind::Limit {
        return FillFlags::default();
    }
    if terms.is_only_touched(bar.low, bar.high) {
        FillFlags::MAKER.with(FillFlags::TOUCH_ONLY)
    } else {
        FillFlags::MAKER
    }
}
