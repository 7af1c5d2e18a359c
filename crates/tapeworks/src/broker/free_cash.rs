//! Cash behind short positions, for semantics that lock it.
//!
//! A short sale locks its proceeds and as much again; covering gives both back. The two forms
//! differ in the order of their additions alone, which decides the last bits of a free amount.

use super::codes::Side;
use super::cycle::Broker;
use super::semantics::ShortCash;
use crate::base::AssetId;

/// Cash that is not locked, and the value at which each short position was opened.
#[derive(Debug, Clone, Default)]
pub(super) struct FreeCash {
    free: f64,
    basis: Vec<f64>,
    is_combined: bool,
}

/// One fill, as far as locked cash is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Movement {
    pub asset: AssetId,
    /// Signed units held before.
    pub held: f64,
    /// Signed units of the fill.
    pub signed: f64,
    /// Price times multiplier.
    pub unit: f64,
    pub fee: f64,
}

impl FreeCash {
    /// Nothing is locked; inactive unless the semantics lock cash.
    pub fn new(cash: f64, short_cash: ShortCash, n_assets: usize) -> Self {
        let locks = matches!(short_cash, ShortCash::Lock | ShortCash::LockCombined);
        Self {
            free: cash,
            basis: if locks { vec![0.0; n_assets] } else { Vec::new() },
            is_combined: short_cash == ShortCash::LockCombined,
        }
    }

    pub fn is_active(&self) -> bool {
        !self.basis.is_empty()
    }

    pub fn free(&self) -> f64 {
        self.free
    }

    /// Value at which the short position of an asset was opened.
    pub fn basis(&self, asset: AssetId) -> f64 {
        self.basis.get(asset.index()).copied().unwrap_or(0.0)
    }

    /// Cash that came in, or went out, beside fills.
    pub fn add(&mut self, amount: f64) {
        self.free += amount;
    }

    pub fn fill(&mut self, movement: &Movement) {
        if !self.is_active() {
            return;
        }
        if self.is_combined {
            self.fill_at_once(movement);
        } else {
            self.fill_by_legs(movement);
        }
    }

    /// The closing part, then the opening part, then the fee.
    fn fill_by_legs(&mut self, movement: &Movement) {
        let Movement { asset, held, signed, unit, fee } = *movement;
        let mut rest = signed;
        let basis = &mut self.basis[asset.index()];
        if held < 0.0 && signed > 0.0 {
            let covered = signed.min(held.abs());
            let released = covered / held.abs() * *basis;
            self.free = sum(self.free, released + released - covered * unit);
            let left = held + covered;
            *basis = if left < 0.0 { left.abs() / held.abs() * *basis } else { 0.0 };
            rest -= covered;
        } else if held > 0.0 && signed < 0.0 {
            let closed = signed.abs().min(held);
            self.free = sum(self.free, closed * unit);
            rest += closed;
        }
        if rest != 0.0 {
            let need = rest.abs() * unit;
            self.free = sum(self.free, -need);
            if rest < 0.0 {
                *basis += need;
            }
        }
        self.free = sum(self.free, -fee);
    }

    /// One movement an order, fee included.
    fn fill_at_once(&mut self, movement: &Movement) {
        let Movement { asset, held, signed, unit, fee } = *movement;
        let basis = &mut self.basis[asset.index()];
        let quantity = signed.abs();
        if signed > 0.0 {
            let paid = sum(quantity * unit, fee);
            if held >= 0.0 {
                self.free = sum(self.free, -paid);
                return;
            }
            let covered = quantity.min(held.abs());
            let released = covered * (*basis / held.abs());
            self.free = sum(self.free + 2.0 * released, -paid);
            *basis = if held + covered < 0.0 { sum(*basis, -released) } else { 0.0 };
            return;
        }
        let received = sum(quantity * unit, -fee);
        let left = held - quantity;
        if left >= 0.0 {
            self.free += received;
            return;
        }
        let opened = if held < 0.0 { quantity } else { left.abs() };
        let value = opened * unit;
        *basis += value;
        self.free = sum(self.free, sum(received, -2.0 * value));
    }

    /// The most units that an order may fill at a price without a fee.
    pub fn limit(&self, asset: AssetId, side: Side, held: f64, unit: f64, cash: f64) -> f64 {
        match side {
            Side::Buy if held < 0.0 => self.cover_limit(asset, held, unit, cash),
            Side::Sell if held > 0.0 => {
                let after = sum(self.free, held * unit);
                held + (after / unit).max(0.0)
            }
            _ => (self.free / unit).max(0.0),
        }
    }

    fn cover_limit(&self, asset: AssetId, held: f64, unit: f64, cash: f64) -> f64 {
        let basis = self.basis(asset);
        let short = held.abs();
        if self.is_combined {
            let after = sum(self.free + 2.0 * basis, -(short * unit));
            let limit = if after > 0.0 {
                self.free + 2.0 * basis
            } else if after < 0.0 {
                let per_unit = unit - 2.0 * (basis / short);
                if per_unit == 0.0 {
                    return 0.0;
                }
                self.free / per_unit * unit
            } else {
                cash
            };
            return (limit.min(cash) / unit).max(0.0);
        }
        let per_unit = 2.0 * (basis / short) - unit;
        if per_unit < 0.0 {
            let most = self.free / -per_unit;
            if most < short {
                return most;
            }
        }
        let after = sum(self.free, basis + basis - short * unit);
        short + (after / unit).max(0.0)
    }
}

/// A sum whose operands cancel to nothing where they are equal but for rounding.
fn sum(a: f64, b: f64) -> f64 {
    let cancels = a.is_sign_positive() != b.is_sign_positive()
        && (a.abs() - b.abs()).abs() <= (1e-9 * a.abs().max(b.abs())).max(1e-12);
    if cancels { 0.0 } else { a + b }
}

impl Broker {
    /// The most units of an order that locked cash lets fill; `None` when nothing is locked.
    pub(super) fn lock_limit(&self, asset: AssetId, sign: f64, price: f64) -> Option<f64> {
        if !self.free_cash.is_active() || self.conditions.terms.cash_buffer != 0.0 {
            return None;
        }
        let held = self.positions.quantity(asset);
        let unit = price * self.positions.multiplier(asset);
        let side = if sign > 0.0 { Side::Buy } else { Side::Sell };
        Some(self.free_cash.limit(asset, side, held, unit, self.account.cash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10,000 of cash, 50 units sold short at 100, by hand: 5,000 of proceeds and as much again are
    /// locked.
    #[test]
    fn short_when_opened_and_covered_then_twice_its_value_is_locked() {
        for short_cash in [ShortCash::Lock, ShortCash::LockCombined] {
            let mut cash = FreeCash::new(10_000.0, short_cash, 1);
            let asset = AssetId(0);
            let sale = Movement { asset, held: 0.0, signed: -50.0, unit: 100.0, fee: 0.0 };
            cash.fill(&sale);
            assert_eq!((cash.free(), cash.basis(asset)), (5_000.0, 5_000.0));
            // Covered at 90: 10,000 come back, 4,500 are paid.
            cash.fill(&Movement { held: -50.0, signed: 50.0, unit: 90.0, ..sale });
            assert_eq!((cash.free(), cash.basis(asset)), (10_500.0, 0.0));
        }
    }

    /// 50 short at 100, 5,000 free, at 110: each unit covered takes 110 and gives 200 back.
    #[test]
    fn limit_when_covering_then_what_is_given_back_pays_for_more() {
        let mut cash = FreeCash::new(10_000.0, ShortCash::Lock, 1);
        let asset = AssetId(0);
        cash.fill(&Movement { asset, held: 0.0, signed: -50.0, unit: 100.0, fee: 0.0 });
        // All 50 covered leave 5,000 + 10,000 - 5,500 = 9,500 for 86.36 units more.
        let limit = cash.limit(asset, Side::Buy, -50.0, 110.0, 15_000.0);
        assert!((limit - (50.0 + 9_500.0 / 110.0)).abs() < 1e-9, "{limit}");
        assert_eq!(cash.limit(asset, Side::Sell, -50.0, 100.0, 15_000.0), 50.0);
    }
}
