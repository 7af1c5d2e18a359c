//! What is decided at the marks of a row and acts at the next opens: rules on closes, portfolio
//! limits, margin calls.

use super::account::MarginCallPolicy;
use super::bar::Quotes;
use super::codes::{CancelReason, ExitReason, OrderKind, OrderOrigin, Side};
use super::cycle::Broker;
use super::ledger::{AccountEventKind, OrderRow, OrderStatus};
use super::limits::{CloseView, LimitAction};
use super::live::{LiveOrder, Rare};
use super::matching::Terms;
use super::positions::exceeds;
use super::semantics::RuleStyle;
use crate::base::{AssetId, Error, Timestamp};

impl Broker {
    /// After the marks have moved: settles futures, pays the funding of this instant, and queues
    /// the exits that closes, limits and margin ask for.
    pub fn settle(&mut self, quotes: &impl Quotes) {
        self.book.forget();
        if !self.conditions.instruments.are_plain() {
            self.pay_variation();
        }
        if !self.conditions.schedule.funding.is_empty() {
            self.pay_funding(true);
        }
        if self.rules.is_active() && self.conditions.semantics.rules == RuleStyle::Resting {
            self.queue_close_rules(quotes);
        }
        if self.limits.is_active() {
            self.apply_limits();
        }
        if !self.conditions.terms.kind.pays_in_full() {
            self.check_margin();
        }
        if self.rules.needs_memory() {
            self.rules.remember(quotes);
        }
        if !self.past.is_off() {
            for asset in 0..u32::try_from(self.positions.n_assets()).expect("fewer than 2^32") {
                let asset = AssetId(asset);
                if let Some(bar) = self.row(asset, quotes) {
                    self.past.push(asset, bar.close, bar.volume);
                }
            }
        }
    }

    /// Cash plus what the positions add to it at the marks.
    #[must_use]
    pub fn equity(&self) -> f64 {
        self.account.balance() + self.positions.valuation().worth
    }

    fn pay_variation(&mut self) {
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            if self.positions.is_future(asset) {
                let gain = self.positions.settle(asset, self.positions.mark(asset));
                self.account.cash += gain;
                self.account.variation += gain;
            }
        }
    }

    fn queue_close_rules(&mut self, quotes: &impl Quotes) {
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            if !self.rules.needs_close(asset) || self.has_rule_order(asset) {
                continue;
            }
            let Some(bar) = self.row(asset, quotes) else { continue };
            let facts = self.facts(asset);
            if let Some(exit) = self.rules.at_close(asset, &facts, bar.close, quotes) {
                self.queue_reduce(
                    asset,
                    exit.quantity.min(facts.quantity),
                    OrderOrigin::PositionRule,
                    exit.reason,
                );
            }
        }
    }

    /// Queues a market order that reduces a position at the next open of its symbol.
    pub(super) fn queue_reduce(
        &mut self,
        asset: AssetId,
        quantity: f64,
        origin: OrderOrigin,
        reason: ExitReason,
    ) {
        let held = self.positions.quantity(asset);
        let quantity = self.part_of(asset, quantity);
        if quantity == 0.0 {
            return;
        }
        let side = if held > 0.0 { Side::Sell } else { Side::Buy };
        let terms = Terms { kind: OrderKind::Market, side, limit: f64::NAN, stop: f64::NAN };
        let order = self.next_order();
        self.ledger.orders.push(OrderRow {
            created: self.now,
            quantity: -held.signum() * quantity,
            limit: f64::NAN,
            stop: f64::NAN,
            filled: 0.0,
            asset,
            tag: 0,
            kind: OrderKind::Market,
            origin,
            reason,
            reduce_only: true,
            status: OrderStatus::Live,
        });
        let mut live = LiveOrder::new(order, asset, terms, quantity);
        live.reduce_only = true;
        live.reason = reason;
        live.origin = origin;
        if self.needs_rare() {
            self.live.push_rare(live, self.rare_of_rule());
        } else {
            self.live.push(live);
        }
    }

    /// So much of a position in whole lots, or all of it: what rounding has added to sums of units
    /// is not left behind.
    pub(super) fn part_of(&self, asset: AssetId, quantity: f64) -> f64 {
        let held = self.positions.quantity(asset).abs();
        if exceeds(held, quantity) { self.lot(asset).round(quantity) } else { held }
    }

    /// The rarer terms of an order that a rule, a limit or the account sends.
    pub(super) fn rare_of_rule(&self) -> Rare {
        Rare { from: self.now, ..Rare::PLAIN }
    }

    /// Whether every order keeps a memory: volume caps and fee minimums look at what it traded.
    pub(super) fn needs_rare(&self) -> bool {
        self.conditions.participation.is_some() || self.conditions.semantics.needs_submit_close()
    }

    /// Units that orders of an origin are about to take off a position.
    fn queued(&self, asset: AssetId, origin: OrderOrigin) -> f64 {
        if !self.live.has_forced() {
            return 0.0;
        }
        let is_one = |live: &&LiveOrder| live.asset == asset && live.origin == origin;
        self.live.iter().filter(is_one).map(|live| live.rest).sum()
    }

    fn apply_limits(&mut self) {
        let valuation = self.positions.valuation();
        let values: Vec<(AssetId, f64)> = self
            .positions
            .held()
            .iter()
            .map(|&asset| {
                let id = AssetId(asset);
                let units = self.positions.quantity(id) * self.positions.multiplier(id);
                (id, units * self.positions.mark(id))
            })
            .collect();
        let breaches = self.limits.evaluate(&CloseView {
            session: self.session,
            equity: self.account.balance() + valuation.worth,
            flow: self.account.flows - self.flows_seen,
            gross: valuation.gross,
            net: valuation.net,
            positions: &values,
        });
        let breaches = breaches.to_vec();
        self.flows_seen = self.account.flows;
        for breach in breaches {
            self.push_account_event(AccountEventKind::LimitBreach, None, breach.measured);
            match breach.action {
                // The limits themselves refuse opens while trading is halted.
                LimitAction::Warn | LimitAction::Halt => {}
                LimitAction::Reduce(fraction) => self.reduce_all(fraction),
                LimitAction::Liquidate => self.reduce_all(1.0),
                LimitAction::Stop => self.fail(Error::order(
                    "O140",
                    format!(
                        "{}: portfolio limit {} was passed: measured {}",
                        Timestamp(self.now),
                        breach.limit + 1,
                        breach.measured
                    ),
                )),
            }
        }
    }

    fn reduce_all(&mut self, fraction: f64) {
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            let held = self.positions.quantity(asset).abs();
            let queued = self.queued(asset, OrderOrigin::PortfolioLimit);
            let wanted = (held * fraction).min(held - queued);
            if wanted > 0.0 {
                self.queue_reduce(
                    asset,
                    wanted,
                    OrderOrigin::PortfolioLimit,
                    ExitReason::PortfolioLimit,
                );
            }
        }
    }

    /// The margin call and the bankruptcy test, at the marks.
    fn check_margin(&mut self) {
        let policy = self.conditions.terms.margin_call;
        if self.positions.held().is_empty() || policy == MarginCallPolicy::Ignore {
            self.call_stands = false;
            return;
        }
        let equity = self.equity();
        if equity <= 0.0 {
            return self.go_bankrupt(equity);
        }
        if self.is_closed {
            return;
        }
        // (requirement, asset), largest first, ties by asset.
        let mut needs: Vec<(f64, AssetId)> = self
            .positions
            .held()
            .iter()
            .map(|&asset| {
                let asset = AssetId(asset);
                let quantity = self.positions.quantity(asset);
                let unit = self.margin_a_unit(asset, self.positions.mark(asset), false, quantity);
                (quantity.abs() * unit, asset)
            })
            .collect();
        let required: f64 = needs.iter().map(|(need, _)| need).sum();
        if equity >= required {
            self.call_stands = false;
            return;
        }
        self.call_stands = true;
        self.push_account_event(AccountEventKind::MarginCall, None, required - equity);
        match policy {
            MarginCallPolicy::Record | MarginCallPolicy::Ignore => {}
            MarginCallPolicy::Stop => self.fail(Error::order(
                "O141",
                format!(
                    "{}: margin call: equity {equity} is below the maintenance margin {required}",
                    Timestamp(self.now)
                ),
            )),
            MarginCallPolicy::Liquidate => {
                needs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                let mut missing = required - equity;
                for (need, asset) in needs {
                    if missing <= 0.0 {
                        break;
                    }
                    let held = self.positions.quantity(asset).abs();
                    let unit = need / held;
                    let queued = self.queued(asset, OrderOrigin::MarginCall);
                    missing -= queued * unit;
                    let enough = self.lot(asset).round_up((missing / unit).max(0.0));
                    let units = enough.min(held - queued);
                    if units > 0.0 {
                        missing -= units * unit;
                        let (origin, reason) = (OrderOrigin::MarginCall, ExitReason::MarginCall);
                        self.queue_reduce(asset, units, origin, reason);
                    }
                }
            }
        }
    }

    fn go_bankrupt(&mut self, equity: f64) {
        if !self.is_closed {
            self.is_closed = true;
            self.push_account_event(AccountEventKind::Bankruptcy, None, equity);
            for place in 0..self.live.len() {
                if !self.live.at(place).is_done {
                    self.cancel_at(place, CancelReason::AccountClosed);
                }
            }
            self.live.sweep();
        }
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            let held = self.positions.quantity(asset).abs();
            let left = held - self.queued(asset, OrderOrigin::MarginCall);
            if exceeds(left, 0.0) {
                let (origin, reason) = (OrderOrigin::MarginCall, ExitReason::MarginCall);
                self.queue_reduce(asset, left, origin, reason);
            }
        }
    }
}
