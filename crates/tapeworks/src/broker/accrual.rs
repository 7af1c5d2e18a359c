//! Costs that time brings: borrowing, interest, funding.

use super::cycle::Broker;
use super::ledger::AccountEventKind;
use crate::base::AssetId;

/// Nanoseconds a day.
const DAY_NS: f64 = 86_400e9;

impl Broker {
    /// Pays for what is held short and earns or pays interest on cash, for the time since it was
    /// last done, on the positions, marks and settled cash of the row before.
    pub(super) fn pay_borrow_and_interest(&mut self) {
        let days = (self.now - self.accrued_at).max(0) as f64 / DAY_NS;
        self.accrued_at = self.now;
        let terms = self.conditions.terms;
        if days == 0.0 {
            return;
        }
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            let quantity = self.positions.quantity(asset);
            let rate = self.conditions.instruments.of(asset).borrow_rate;
            let rate = if rate.is_nan() { terms.borrow_rate } else { rate };
            if quantity >= 0.0 || rate == 0.0 || self.positions.is_future(asset) {
                continue;
            }
            let value =
                quantity.abs() * self.positions.mark(asset) * self.positions.multiplier(asset);
            let cost = value * rate * days / terms.day_count;
            self.account.cash -= cost;
            self.account.borrow += cost;
            self.positions.detail_mut(asset).borrow_in += cost;
            self.push_account_event(AccountEventKind::Borrow, Some(asset), -cost);
        }
        let settled = self.account.cash - self.account.unsettled;
        let rate = if settled > 0.0 { terms.credit_rate } else { terms.debit_rate };
        if rate != 0.0 && settled != 0.0 {
            let interest = settled * rate * days / terms.day_count;
            self.account.cash += interest;
            self.account.interest += interest;
            self.push_account_event(AccountEventKind::Interest, None, interest);
        }
    }

    /// Pays the funding that is due: before the row (`is_now` false) that of instants before it,
    /// at the last marks; after the marks have moved that of this very instant.
    pub(super) fn pay_funding(&mut self, is_now: bool) {
        let until = if is_now { self.now } else { self.now.saturating_sub(1) };
        self.pay_funding_until(until, |_, _| None);
    }

    /// Pays the funding of this instant at the prices that `price` gives, else at the last marks.
    pub(super) fn pay_funding_at(&mut self, price: impl Fn(&Self, AssetId) -> Option<f64>) {
        self.pay_funding_until(self.now, price);
    }

    fn pay_funding_until(&mut self, until: i64, price: impl Fn(&Self, AssetId) -> Option<f64>) {
        while let Some(rate) = self.conditions.schedule.funding.get(self.next_funding) {
            if rate.timestamp > until {
                return;
            }
            let (asset, rate) = (rate.asset, rate.rate);
            self.next_funding += 1;
            let quantity = self.positions.quantity(asset);
            if quantity == 0.0 {
                continue;
            }
            let mark = price(self, asset).unwrap_or(self.positions.mark(asset));
            let paid = quantity * mark * self.positions.multiplier(asset) * rate;
            self.account.cash -= paid;
            self.free_cash.add(-paid);
            self.account.funding += paid;
            self.positions.detail_mut(asset).funding_in += paid;
            self.push_account_event(AccountEventKind::Funding, Some(asset), -paid);
        }
    }
}
