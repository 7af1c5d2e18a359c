//! The broker and the phases of its bar cycle.
//!
//! At each timestamp the loop calls, in this order: [`Broker::begin`] (clock, expiries,
//! settlements, capital flows, costs of time), [`Broker::match_row`] (everything that the rows
//! fill), [`Broker::age`] (excursions, trails and age of the positions); then it moves the marks,
//! and calls [`Broker::settle`] (variation, funding, rules decided at closes, limits, margin). Only
//! then may new orders come in, so no order ever meets a price of the row in which it was decided.
//! Semantics that fill in that row all the same do so in [`Broker::match_after`].

use super::account::{Account, AccountTerms};
use super::actions::Due;
use super::asked_rules::Deferred;
use super::bar::{Bar, Quotes};
use super::buying_power::RowBook;
use super::codes::{ExitReason, FillFlags, OrderKind, OrderOrigin, Phase, Side};
use super::commission::{Commission, Traded};
use super::execution::Execution;
use super::free_cash::FreeCash;
use super::impact::Impact;
use super::inside::Candidate;
use super::instrument::Instruments;
use super::ledger::{Ledger, OrderRow, OrderStatus};
use super::limits::LimitBook;
use super::live::{LiveOrder, LiveOrders, Shortfall};
use super::lots::Lots;
use super::matching::{Terms, Touched};
use super::participation::Participation;
use super::past::Past;
use super::positions::{Entry, Positions, exceeds};
use super::rules::{Level, PositionFacts, RuleBook, RuleEntry, RuleSet};
use super::schedule::Schedule;
use super::semantics::{Matching, RowCheck, Semantics, TargetShortfall};
use super::settlement::Settlements;
use super::shadow::Shadow;
use super::slippage::Slippage;
use crate::base::Date;
use crate::base::calendar::SessionDays;
use crate::base::{AssetId, Error, OrderId, Rescale};

/// What a run agrees on with its broker.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// Fees.
    pub commission: Commission,
    /// Price given up by takers.
    pub slippage: Slippage,
    /// Price given up beside slippage where a stop triggered the fill, as a fraction of it.
    pub stop_slippage: f64,
    /// Price moved by takers.
    pub impact: Impact,
    /// Largest share of the volume that may be filled.
    pub participation: Option<Participation>,
    /// Quantity step.
    pub lots: Lots,
    /// Terms of the instruments.
    pub instruments: Instruments,
    /// How orders meet prices.
    pub semantics: Semantics,
    /// The terms of the account.
    pub terms: AccountTerms,
    /// What is known beforehand.
    pub schedule: Schedule,
    /// Rows a year, for yearly volatilities.
    pub periods_per_year: f64,
    /// The columns of bid and ask, where the slippage reads them.
    pub quotes: Option<(usize, usize)>,
}

/// Orders, positions, cash and the ledger of one run.
#[derive(Debug, Clone, Default)]
pub struct Broker {
    pub(super) conditions: Conditions,
    pub(super) account: Account,
    pub(super) positions: Positions,
    pub(super) live: LiveOrders,
    pub(super) rules: RuleBook,
    pub(super) limits: LimitBook,
    pub(super) ledger: Ledger,
    pub(super) now: i64,
    pub(super) previous: i64,
    /// Sessions of the calendar, or UTC days.
    pub(super) days: SessionDays,
    /// Date of the present session.
    pub(super) date: Date,
    /// Sessions with data so far.
    pub(super) session: u32,
    /// Timestamps of the present session so far.
    pub(super) rows_in_session: u32,
    /// Whether any session so far had more than one timestamp.
    pub(super) is_intraday: bool,
    pub(super) n_stale: u32,
    /// Orders the strategy has sent in this session.
    pub(super) session_orders: u32,
    pub(super) settlements: Settlements,
    pub(super) free_cash: FreeCash,
    pub(super) shadow: Shadow,
    /// Orders of the present queue that the account has accepted.
    pub(super) accepted: Vec<OrderId>,
    /// Exits of rules that wait for the next row of their symbol.
    pub(super) deferred: Vec<Deferred>,
    /// The positions have aged by the present row: what fills now fills after the callback.
    pub(super) row_is_over: bool,
    pub(super) past: Past,
    pub(super) book: RowBook,
    /// Units filled in the present row, by asset; empty when nobody asks.
    pub(super) used: Vec<f64>,
    pub(super) used_assets: Vec<u32>,
    /// What was traded in the present calendar month, and its number.
    pub(super) month: (i64, Traded),
    /// Since when borrowing and interest are unpaid.
    pub(super) accrued_at: i64,
    pub(super) next_flow: usize,
    pub(super) next_funding: usize,
    pub(super) pending_rolls: Vec<usize>,
    pub(super) next_action: usize,
    /// Dividends that wait for their pay date.
    pub(super) dues: Vec<Due>,
    /// Symbols that a corporate action has ended.
    pub(super) ended: Vec<AssetId>,
    /// What the actions of the present timestamp do to the past.
    pub(super) rescales: Vec<Rescale>,
    pub(super) call_stands: bool,
    /// Capital flows up to the last close.
    pub(super) flows_seen: f64,
    pub(super) is_closed: bool,
    /// The cash test has no tolerance: while the size of a partial fill is sought.
    pub(super) is_cash_exact: bool,
    pub(super) n_groups: u32,
    /// What has gone wrong in a user's model or an account; it ends the run.
    pub(super) fault: Option<(Error, Option<AssetId>)>,
    /// Reused between rows: places in the book that can fill at the open.
    pub(super) at_open: Vec<(usize, Touched)>,
    /// Reused between rows: levels that can close something inside the rows.
    pub(super) candidates: Vec<Candidate>,
    /// Per asset: between these prices no rule of its position fires.
    guards: Vec<Guard>,
    /// Assets whose row leaves the guard of the position they brought into it.
    pub(super) watched: Vec<u32>,
    /// Assets whose position was entered or added to in the present row.
    pub(super) enlarged: Vec<u32>,
    /// Stop-limit orders whose stop the present row reached inside without a fill: they are limit
    /// orders from the next row on.
    pub(super) triggered_inside: Vec<OrderId>,
    /// Places of the orders that the present row meets after those that open, in ascending order.
    pub(super) left_to_reduce: Vec<usize>,
    /// Assets that a rule has closed in the present row.
    pub(super) closed_by_rule: Vec<u32>,
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
    /// A stop set the price.
    pub by_stop: bool,
    /// What the row showed a position up to this price: (adverse, favourable).
    pub seen: (f64, f64),
}

impl Broker {
    /// A broker with `cash` and no positions.
    #[must_use]
    pub fn new(
        conditions: Conditions,
        account: Account,
        rules: RuleBook,
        limits: LimitBook,
        n_assets: usize,
    ) -> Self {
        let past_rows = conditions
            .slippage
            .past_rows()
            .max(conditions.impact.past_rows())
            .max(conditions.participation.map_or(0, |cap| cap.past_rows()));
        let counts_use = conditions.participation.is_some() || conditions.slippage.needs_volume();
        Self {
            positions: Positions::new(n_assets).with_instruments(&conditions.instruments),
            live: LiveOrders::new(n_assets),
            guards: vec![Guard::NEVER; n_assets],
            past: Past::new(n_assets, past_rows, conditions.periods_per_year),
            used: if counts_use { vec![0.0; n_assets] } else { Vec::new() },
            pending_rolls: (0..conditions.schedule.rolls.len()).collect(),
            accrued_at: i64::MIN,
            book: RowBook::new(n_assets),
            free_cash: FreeCash::new(account.cash, conditions.semantics.short_cash, n_assets),
            ledger: Ledger::with_room(),
            conditions,
            account,
            rules,
            limits,
            ..Self::default()
        }
    }

    /// Fills everything that the rows of the present fill.
    pub fn match_row(&mut self, quotes: &impl Quotes) {
        match self.conditions.semantics.matching {
            Matching::Phased => {
                self.open_phase(quotes);
                self.inside_phase(quotes);
                self.close_phase(quotes);
            }
            Matching::OnePass => self.match_one_pass(quotes),
        }
        self.expire_immediate(quotes);
    }

    /// The row of an asset, when orders may fill in it.
    #[inline]
    pub(super) fn row(&self, asset: AssetId, quotes: &impl Quotes) -> Option<Bar> {
        match self.conditions.semantics.row_check {
            RowCheck::Full if self.conditions.instruments.of(asset).has_volume => {
                quotes.tradable(asset)
            }
            check => {
                let bar = quotes.bar(asset)?;
                let is_finite =
                    [bar.open, bar.high, bar.low, bar.close].iter().all(|p| p.is_finite());
                let passes = match check {
                    RowCheck::Full => Bar { volume: f64::NAN, ..bar }.is_tradable(),
                    RowCheck::Volume => is_finite && bar.volume != 0.0,
                    RowCheck::Finite => is_finite,
                };
                passes.then_some(bar)
            }
        }
    }

    /// Finds the positions whose rules can fire in this row; most rows leave most guards alone.
    pub(super) fn watch(&mut self, quotes: &impl Quotes) {
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

    /// Whether an order would move its position toward zero without crossing it. In an account that
    /// cannot be short, orders sized by a target are cut to what is held, as they are cut to what
    /// cash can pay.
    pub(super) fn is_reduce(&self, live: &LiveOrder) -> bool {
        let quantity = self.positions.quantity(live.asset);
        let is_cut = live.reduce_only || self.cuts_to_position(live.shortfall);
        quantity * live.sign() < 0.0 && (is_cut || !exceeds(live.rest, quantity.abs()))
    }

    /// Whether an order that sells more than is held is cut to it.
    pub(super) fn cuts_to_position(&self, shortfall: Shortfall) -> bool {
        shortfall == Shortfall::Partial
            && self.conditions.semantics.target_shortfall == TargetShortfall::Partial
            && self.conditions.terms.kind.pays_in_full()
    }

    /// Fills what can be filled of the order at a place in the book.
    pub(super) fn fill_order(&mut self, place: usize, hit: Hit, quotes: &impl Quotes) {
        let live = *self.live.at(place);
        let entry = match hit.phase {
            Phase::Close => Entry::Close,
            Phase::Open => Entry::Open,
            Phase::Inside if hit.flags.has(FillFlags::MAKER) => Entry::Limit,
            Phase::Inside => Entry::Stop,
        };
        let quoted = self.quoted(&live, &hit, quotes);
        self.execute(
            &Execution {
                place: Some(place),
                order: live.order,
                asset: live.asset,
                sign: live.sign(),
                wanted: live.rest,
                base_price: quoted.unwrap_or(hit.base_price),
                is_quoted: quoted.is_some(),
                limit: live.terms.limit,
                phase: hit.phase,
                flags: hit.flags,
                by_stop: hit.by_stop,
                reason: live.reason,
                reduce_only: live.reduce_only,
                shortfall: live.shortfall,
                entry,
                seen: hit.seen,
            },
            quotes,
        );
    }

    /// The quote that a market order takes, where the run's slippage reads quotes.
    fn quoted(&self, live: &LiveOrder, hit: &Hit, quotes: &impl Quotes) -> Option<f64> {
        let (bid, ask) = self.conditions.quotes?;
        if live.kind() != OrderKind::Market || hit.by_stop {
            return None;
        }
        let value = |column| quotes.value(live.asset, column);
        self.conditions.slippage.quoted(value(bid), value(ask), live.sign())
    }

    /// Closes what a rule's level closes; the rule's order is written at this moment.
    ///
    /// What the volume leaves over of a stop goes on as a market order; a target rests on.
    pub(super) fn fill_rule(
        &mut self,
        asset: AssetId,
        level: Level,
        hit: Hit,
        quotes: &impl Quotes,
    ) {
        let held = self.positions.quantity(asset);
        let sign = -held.signum();
        let share = self.part_of(asset, level.quantity);
        let is_target = matches!(level.reason, ExitReason::TakeProfit | ExitReason::Scaled);
        let fillable = self.fillable(asset, None, share, quotes);
        if share == 0.0 || (is_target && fillable == 0.0) {
            if is_target && share == 0.0 {
                self.rules.step(asset, &level);
            }
            return;
        }
        let wanted = if is_target { fillable } else { share };
        let terms = rule_terms(held.signum(), level);
        let order = self.next_order();
        self.ledger.orders.push(OrderRow {
            created: self.previous,
            quantity: sign * wanted,
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
        if is_target && fillable >= share {
            self.rules.step(asset, &level);
        } else if is_target {
            self.rules.fill_part(asset, &level, fillable, share);
        }
        let mut live = LiveOrder::new(order, asset, terms, wanted);
        live.reduce_only = true;
        live.reason = level.reason;
        live.origin = OrderOrigin::PositionRule;
        live.is_triggered = !is_target;
        let place = if fillable < wanted {
            self.live.push_rare(live, self.rare_of_rule());
            Some(self.live.len() - 1)
        } else {
            None
        };
        if fillable > 0.0 {
            self.execute(
                &Execution {
                    place,
                    order,
                    asset,
                    sign,
                    wanted,
                    base_price: hit.base_price,
                    is_quoted: false,
                    limit: terms.limit,
                    phase: hit.phase,
                    flags: hit.flags,
                    by_stop: !is_target,
                    reason: level.reason,
                    reduce_only: true,
                    shortfall: Shortfall::Reject,
                    entry: Entry::Open,
                    seen: hit.seen,
                },
                quotes,
            );
        }
        if !self.closed_by_rule.contains(&asset.0) {
            self.closed_by_rule.push(asset.0);
        }
        if self.positions.quantity(asset) != 0.0 {
            self.set_guard(asset);
        }
    }

    pub(super) fn next_order(&self) -> OrderId {
        OrderId(u32::try_from(self.ledger.orders.len()).expect("fewer than 2^32 orders"))
    }

    /// Notes an error that ends the run at the end of this timestamp.
    pub(super) fn fail(&mut self, error: Error) {
        if self.fault.is_none() {
            self.fault = Some((error, None));
        }
    }

    /// Notes an error that a fill of `asset` has brought up.
    pub(super) fn fail_at(&mut self, asset: AssetId, error: Error) {
        if self.fault.is_none() {
            self.fault = Some((error, Some(asset)));
        }
    }

    /// The error that ends the run, when there is one, and the asset behind it.
    pub fn take_fault(&mut self) -> Option<(Error, Option<AssetId>)> {
        self.fault.take()
    }
}

impl Hit {
    pub fn at_open(price: f64) -> Self {
        let flags = FillFlags::default();
        let (phase, by_stop) = (Phase::Open, false);
        Self { base_price: price, phase, flags, by_stop, seen: (price, price) }
    }

    /// What an order found in a phase.
    pub fn of(touched: &Touched, phase: Phase) -> Self {
        Self { phase, by_stop: touched.by_stop, ..Self::at_open(touched.price) }
    }
}

impl Guard {
    /// The guard of an asset without rules.
    const NEVER: Self = Self { low: f64::NAN, high: f64::NAN };
}

/// The terms of the resting order that a rule's level stands for.
pub(super) fn rule_terms(position_side: f64, level: Level) -> Terms {
    let side = if position_side > 0.0 { Side::Sell } else { Side::Buy };
    if matches!(level.reason, ExitReason::TakeProfit | ExitReason::Scaled) {
        Terms { kind: OrderKind::Limit, side, limit: level.price, stop: f64::NAN }
    } else {
        Terms { kind: OrderKind::Stop, side, limit: f64::NAN, stop: level.price }
    }
}
