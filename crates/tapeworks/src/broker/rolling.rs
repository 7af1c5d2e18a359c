//! The change from one contract to the next, at the first open of both.

use super::bar::Quotes;
use super::codes::{ExitReason, OrderKind, OrderOrigin, Phase};
use super::cycle::{Broker, Hit};
use super::execution::{Execution, Priced};
use super::ledger::{AccountEventKind, OrderRow, OrderStatus};
use super::live::Shortfall;
use super::positions::Entry;
use crate::base::AssetId;

impl Broker {
    /// Closes each contract that is due at its open and opens as many of the next at its open. A
    /// roll waits until both have a row.
    pub(super) fn roll(&mut self, quotes: &impl Quotes) {
        if self.pending_rolls.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending_rolls);
        for at in pending {
            let roll = self.conditions.schedule.rolls[at];
            let held = self.positions.quantity(roll.from);
            let both = self.row(roll.from, quotes).zip(self.row(roll.to, quotes));
            match both {
                Some((from, to)) if roll.timestamp <= self.now => {
                    if held != 0.0 {
                        let leg = Leg { origin: OrderOrigin::Roll, reason: ExitReason::Roll };
                        self.push_account_event(AccountEventKind::Roll, Some(roll.from), held);
                        self.trade_leg(roll.from, -held, from.open, &leg, quotes);
                        self.trade_leg(roll.to, held, to.open, &leg, quotes);
                    }
                }
                _ => self.pending_rolls.push(at),
            }
        }
        self.live.sweep();
    }

    /// One leg of a roll, or of a corporate action: it is not asked whether the account may open
    /// it, for the other leg has just set its margin free.
    pub(super) fn trade_leg(
        &mut self,
        asset: AssetId,
        units: f64,
        open: f64,
        leg: &Leg,
        quotes: &impl Quotes,
    ) {
        let order = self.next_order();
        let reduce_only = self.positions.quantity(asset) * units < 0.0;
        self.ledger.orders.push(OrderRow {
            created: self.previous,
            quantity: units,
            limit: f64::NAN,
            stop: f64::NAN,
            filled: 0.0,
            asset,
            tag: 0,
            kind: OrderKind::Market,
            origin: leg.origin,
            reason: leg.reason,
            reduce_only,
            status: OrderStatus::Live,
        });
        let hit = Hit::at_open(open);
        let execution = Execution {
            place: None,
            order,
            asset,
            sign: units.signum(),
            wanted: units.abs(),
            base_price: open,
            is_quoted: false,
            limit: f64::NAN,
            phase: Phase::Open,
            flags: hit.flags,
            by_stop: false,
            reason: leg.reason,
            reduce_only,
            shortfall: Shortfall::Reject,
            entry: Entry::Open,
            seen: hit.seen,
        };
        let held = self.positions.quantity(asset);
        let plain = Priced { price: open, stop_slip: 0.0, impact: 0.0, flags: hit.flags };
        let priced = if leg.origin == OrderOrigin::CorporateAction {
            plain
        } else {
            self.price_after_costs(&execution, units.abs(), quotes).unwrap_or(plain)
        };
        let closing = if held * units < 0.0 { held.abs().min(units.abs()) } else { 0.0 };
        self.book_fill(&execution, held, closing, units.abs(), &priced, quotes);
        self.finish(&execution, OrderStatus::Filled);
        self.after_fill(&execution, units.abs(), priced.price);
    }

    /// Closes every position at its last mark, with costs, at the end of a run.
    pub fn close_all_at_marks(&mut self, quotes: &impl Quotes) {
        for asset in self.positions.held().to_vec() {
            let asset = AssetId(asset);
            let (held, mark) = (self.positions.quantity(asset), self.positions.mark(asset));
            let leg = Leg { origin: OrderOrigin::EndOfRun, reason: ExitReason::EndOfRun };
            self.trade_leg(asset, -held, mark, &leg, quotes);
        }
    }
}

/// Why a trade happens that no order of the strategy asked for.
pub(super) struct Leg {
    pub origin: OrderOrigin,
    pub reason: ExitReason,
}
