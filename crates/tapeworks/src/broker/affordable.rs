//! The largest part of an order that the account can pay for.

use super::bar::Quotes;
use super::cycle::Broker;
use super::execution::{Execution, Priced};
use super::semantics::{PartialSearch, ShortfallRule, SizeRounding};

/// Halvings after which a fractional quantity is as exact as it gets.
const HALVINGS: u32 = 64;
/// Less than this is what rounding leaves of cash that is spent, not an order.
const UNITS_MIN: f64 = 1e-8;

/// Currency that a search at the price after costs leaves unspent beside the tolerance.
const SPENDABLE: f64 = 1e-8;

impl Broker {
    /// The largest quantity up to `wanted` that may be opened beside `closing` units that the order
    /// closes. Below 0 where the unspent tolerance takes from what is closed.
    pub(super) fn affordable(
        &mut self,
        execution: &Execution,
        closing: f64,
        wanted: f64,
        quotes: &impl Quotes,
    ) -> f64 {
        let semantics = &self.conditions.semantics;
        let is_exact = semantics.partial_search == PartialSearch::Exact;
        let has_step = semantics.size_rounding == SizeRounding::Lot;
        let found = if is_exact {
            // Without a step the size is what the cash buys, not what its tolerance would.
            self.is_cash_exact = !has_step;
            let found = self.search(execution, closing, wanted, |broker, opening| {
                broker.passes_at_cost(execution, closing, opening, quotes)
            });
            self.is_cash_exact = false;
            found
        } else {
            self.affordable_less_tolerance(execution, closing, wanted, quotes)
        };
        // Less the tolerance, a cut flip may end below what it closes.
        let is_cut_flip = closing > 0.0 && !is_exact;
        if has_step || is_cut_flip || found >= UNITS_MIN { found } else { 0.0 }
    }

    /// At the price before costs first, then at the one after them where that is too much.
    fn affordable_less_tolerance(
        &mut self,
        execution: &Execution,
        closing: f64,
        wanted: f64,
        quotes: &impl Quotes,
    ) -> f64 {
        if let Some(limit) = self.lock_limit(execution.asset, execution.sign, execution.base_price)
            && self.fee_at(execution.asset, execution.sign, execution.base_price) == 0.0
        {
            return wanted.min((limit - closing).max(0.0));
        }
        let found = if self.passes_at_base(execution, closing, wanted, quotes) {
            wanted
        } else {
            let found = self.search(execution, closing, wanted, |broker, opening| {
                broker.passes_at_base(execution, closing, opening, quotes)
            });
            self.less_a_cent(found, execution.base_price, 0.0, closing)
        };
        let shortfall = self.conditions.semantics.shortfall;
        if found <= 0.0 || self.passes_at_cost(execution, closing, found, quotes) {
            return found;
        }
        let cuts = matches!(shortfall, ShortfallRule::Partial | ShortfallRule::PartialOrCancel);
        if !cuts {
            return 0.0;
        }
        let found = self.search(execution, closing, found, |broker, opening| {
            broker.passes_at_cost(execution, closing, opening, quotes)
        });
        let priced = self.price_after_costs(execution, closing + found, quotes);
        let price = priced.map_or(execution.base_price, |priced| priced.price);
        self.less_a_cent(found, price, SPENDABLE, closing)
    }

    /// The units of a buy that the cash itself pays for, whatever they close.
    pub(super) fn payable(&mut self, execution: &Execution, quotes: &impl Quotes) -> f64 {
        let wanted = execution.wanted;
        let multiplier = self.positions.multiplier(execution.asset);
        let passes = |broker: &mut Self, quantity: f64| {
            let priced = broker.price_after_costs(execution, quantity, quotes);
            priced.is_some_and(|priced| {
                let fee = broker.fee(execution, quantity, priced.price);
                let have = broker.spendable();
                let need = quantity * priced.price * multiplier + fee;
                need <= have + broker.tolerance_of(have)
            })
        };
        if passes(self, wanted) {
            return wanted;
        }
        self.is_cash_exact = true;
        let found = self.search(execution, 0.0, wanted, passes);
        self.is_cash_exact = false;
        if found >= UNITS_MIN { found } else { 0.0 }
    }

    /// The largest quantity for which `passes` holds: the cost rises with the quantity, whatever
    /// the fee model.
    fn search(
        &mut self,
        execution: &Execution,
        closing: f64,
        wanted: f64,
        mut passes: impl FnMut(&mut Self, f64) -> bool,
    ) -> f64 {
        debug_assert!(closing >= 0.0, "a part of the order");
        if self.conditions.semantics.size_rounding == SizeRounding::None {
            // Halves the whole order, as a framework does that knows no legs: the last bit of a
            // size decides what it leaves of the cash, and with it whether the next order fills.
            let (mut pays, mut fails) = (0.0, closing + wanted);
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(pays, fails);
                if middle <= closing || passes(self, middle - closing) {
                    pays = middle;
                } else {
                    fails = middle;
                }
            }
            return (pays - closing).max(0.0);
        }
        let lots = self.lot(execution.asset);
        let (mut pays, mut fails) = (0.0, lots.count(wanted));
        while fails - pays > 1.0 {
            let middle = f64::midpoint(pays, fails).floor();
            // Beyond 2^53 lots neighbours lie more than one apart.
            if middle <= pays || middle >= fails {
                break;
            }
            if passes(self, lots.units(middle)) {
                pays = middle;
            } else {
                fails = middle;
            }
        }
        lots.units(pays)
    }

    fn passes_at_cost(
        &mut self,
        execution: &Execution,
        closing: f64,
        opening: f64,
        quotes: &impl Quotes,
    ) -> bool {
        let priced = self.price_after_costs(execution, closing + opening, quotes);
        priced.is_some_and(|priced| {
            // What is too small to trade is judged once the size is known.
            self.refuse_unpaid(execution, closing, opening, &priced, quotes).is_none()
        })
    }

    fn passes_at_base(
        &mut self,
        execution: &Execution,
        closing: f64,
        opening: f64,
        quotes: &impl Quotes,
    ) -> bool {
        let flags = execution.flags;
        let priced = Priced { price: execution.base_price, stop_slip: 0.0, impact: 0.0, flags };
        self.refuse_open(execution, closing, opening, &priced, quotes).is_none()
    }

    /// Leaves the tolerance of the cash test unspent where quantities have no step.
    fn less_a_cent(&self, quantity: f64, price: f64, more: f64, closing: f64) -> f64 {
        match self.conditions.semantics.size_rounding {
            SizeRounding::Lot => quantity,
            SizeRounding::None => {
                let tolerance = self.conditions.semantics.cash_tolerance.max(0.0) + more;
                // Of the whole order again, so that the sum of its legs is that very number.
                (closing + quantity - tolerance / price).max(0.0) - closing
            }
        }
    }
}
