//! Position rules that are asked once a row, and what becomes of their exits.
//!
//! An exit that a level or a close has decided becomes an order behind all others, at a price that
//! is already known; one that is put off becomes a market order of the next row of its symbol.

use super::bar::{Bar, Quotes};
use super::codes::{OrderKind, OrderOrigin, RejectCode, Side};
use super::cycle::Broker;
use super::ledger::{OrderRow, OrderStatus};
use super::live::{LiveOrder, Rare};
use super::matching::Terms;
use super::one_pass::Walk;
use super::rules::{PositionFacts, RuleExit};
use super::semantics::{FillAt, SizeRounding, Touch};
use crate::base::AssetId;

/// An exit that waits for the next row of its symbol, and the position as it was decided on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deferred {
    asset: AssetId,
    exit: RuleExit,
    facts: PositionFacts,
}

impl Deferred {
    /// Whether it is of this asset.
    pub fn is_of(&self, asset: AssetId) -> bool {
        self.asset == asset
    }

    /// Restates it after a split.
    pub fn split(&mut self, ratio: f64) {
        self.exit.quantity *= ratio;
        self.exit.price /= ratio;
        self.facts.quantity *= ratio;
        self.facts.entry_price /= ratio;
    }
}

impl Broker {
    /// Asks the rules of every position once, with the completed row.
    pub(super) fn ask_rules(&mut self, quotes: &impl Quotes) {
        if !self.rules.is_active() {
            return;
        }
        let semantics = self.conditions.semantics;
        let mut held: Vec<AssetId> =
            self.positions.held().iter().map(|&asset| AssetId(asset)).collect();
        // In the order in which the positions were opened.
        held.sort_by_key(|&asset| self.positions.detail(asset).entry_fill);
        for asset in held {
            let Some(bar) = self.row(asset, quotes) else { continue };
            let seen = match semantics.rule_touch {
                Touch::BarRange => bar,
                Touch::Close | Touch::FillPrice => {
                    let price = bar.close;
                    Bar { open: price, high: price, low: price, ..bar }
                }
            };
            let mut facts = self.facts(asset);
            // The row counts, unless the position was entered in it.
            facts.bars_held += u32::from(self.positions.detail(asset).entry_timestamp != self.now);
            let exit = self.rules.evaluate(asset, &facts, &seen, quotes, &semantics);
            match exit {
                Some(exit) if exit.is_deferred => self.defer(asset, &exit, &facts),
                Some(exit) => {
                    let n_live = self.live.len();
                    self.send_rule_exit(asset, &exit, &facts);
                    if semantics.fill_at == FillAt::Immediate && self.live.len() > n_live {
                        self.try_fill(n_live, quotes, Walk::Earlier);
                    }
                }
                None => {}
            }
        }
    }

    /// Keeps an exit for the next row of its symbol; a later one takes its place.
    fn defer(&mut self, asset: AssetId, exit: &RuleExit, facts: &PositionFacts) {
        self.deferred.retain(|one| one.asset != asset);
        self.deferred.push(Deferred { asset, exit: *exit, facts: *facts });
    }

    /// Sends the exits that an earlier row has put off, unless their position is gone.
    pub(super) fn send_deferred(&mut self, quotes: &impl Quotes) {
        for one in std::mem::take(&mut self.deferred) {
            if self.positions.quantity(one.asset) == 0.0 {
                continue;
            }
            if self.row(one.asset, quotes).is_some() {
                self.send_rule_exit(one.asset, &one.exit, &one.facts);
            } else {
                self.deferred.push(one);
            }
        }
    }

    /// Puts the exit of a rule behind all other orders.
    fn send_rule_exit(&mut self, asset: AssetId, exit: &RuleExit, facts: &PositionFacts) {
        let semantics = self.conditions.semantics;
        let held = facts.quantity;
        let quantity = match self.conditions.semantics.size_rounding {
            SizeRounding::Lot => self.lot(asset).round(exit.quantity.min(held)),
            SizeRounding::None => exit.quantity.min(held),
        };
        let side = facts.side;
        let terms = Terms {
            kind: OrderKind::Market,
            side: if side > 0.0 { Side::Sell } else { Side::Buy },
            limit: f64::NAN,
            stop: f64::NAN,
        };
        let order = self.next_order();
        self.ledger.orders.push(OrderRow {
            created: self.previous,
            quantity: -side * quantity,
            limit: f64::NAN,
            stop: f64::NAN,
            filled: 0.0,
            asset,
            tag: 0,
            kind: OrderKind::Market,
            origin: OrderOrigin::PositionRule,
            reason: exit.reason,
            reduce_only: !semantics.double_exit,
            status: OrderStatus::Live,
        });
        if quantity == 0.0 {
            let code = RejectCode::QuantityZero;
            self.ledger.orders[order.index()].status = OrderStatus::Rejected(code);
            return self.push_rejection(order, code, self.lot(asset).least(), exit.quantity);
        }
        let mut live = LiveOrder::new(order, asset, terms, quantity);
        live.reduce_only = !semantics.double_exit;
        live.reason = exit.reason;
        live.origin = OrderOrigin::PositionRule;
        let rare = Rare { decided: exit.price, by_level: exit.by_level, ..self.rare_of_rule() };
        self.live.push_rare(live, rare);
        let closes_all = quantity >= held;
        if !exit.is_deferred && closes_all && !self.closed_by_rule.contains(&asset.0) {
            self.closed_by_rule.push(asset.0);
        }
    }
}
