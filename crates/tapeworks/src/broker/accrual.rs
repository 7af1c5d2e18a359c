//! Costs that time brings: borrowing, interest, funding.

use super::cycle::Broker;
use super::ledger::AccountEventKind;
use super::time_costs::{borrow_cost, cash_interest, funding_cost, year_fraction};
use crate::base::AssetId;

impl Broker {
    /// Pays for what is held short and earns or pays interest on cash, for the time since it was
    /// last done, on the positions, marks and settled cash of the row before.
    pub(super) fn pay_borrow_and_interest(&mut self) {
        let elapsed_ns = (self.now - self.accrued_at).max(0);
        self.accrued_at = self.now;
        let terms = self.conditions.terms;
        if elapsed_ns == 0 {
            return;
        }
        let years = year_fraction(terms.day_count, elapsed_ns, 1);
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            let quantity = self.positions.quantity(asset);
            let rate = self.conditions.instruments.of(asset).borrow_rate;
            let rate = if rate.is_nan() { terms.borrow_rate } else { rate };
            if quantity >= 0.0 || rate == 0.0 || self.positions.is_future(asset) {
                continue;
            }
            let (mark, multiplier) = (self.positions.mark(asset), self.positions.multiplier(asset));
            let cost = borrow_cost(quantity, mark, multiplier, rate, years);
            self.account.cash -= cost;
            self.account.borrow += cost;
            self.positions.detail_mut(asset).borrow_in += cost;
            self.push_account_event(AccountEventKind::Borrow, Some(asset), -cost);
        }
        let settled = self.account.cash - self.account.unsettled;
        let interest = cash_interest(settled, &terms, years);
        if interest != 0.0 {
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
            let paid = funding_cost(quantity, mark, self.positions.multiplier(asset), rate);
            self.account.cash -= paid;
            self.free_cash.add(-paid);
            self.account.funding += paid;
            self.positions.detail_mut(asset).funding_in += paid;
            self.push_account_event(AccountEventKind::Funding, Some(asset), -paid);
        }
    }
}
