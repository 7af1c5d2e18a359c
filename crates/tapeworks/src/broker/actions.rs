//! Corporate actions on raw prices: splits, dividends, mergers, renames, before the open of the
//! first session on or after their ex-date.
//!
//! A split restates everything that speaks of units or prices of the symbol, so that the account is
//! worth as much as before; what is no whole lot afterwards is paid in cash at the open.

use super::bar::Quotes;
use super::codes::{CancelReason, ExitReason, OrderOrigin};
use super::cycle::Broker;
use super::ledger::{AccountEventKind, OrderEventKind};
use super::live::Rare;
use super::lots::Lots;
use super::matching::Trail;
use super::positions::dust;
use super::rolling::Leg;
use super::semantics::SizeRounding;
use crate::base::{ActionKind, AssetId, CorporateAction, Date, Rescale};

/// A dividend on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pay_date: Date,
    asset: AssetId,
    amount: f64,
}

impl Broker {
    /// At the first row of a session: applies what is effective by now, and pays what is due.
    ///
    /// Actions from before the first row of a run have nothing to act on, and its prices know them.
    pub(super) fn apply_actions(&mut self, is_first: bool, quotes: &impl Quotes) {
        if !self.dues.is_empty() {
            self.pay_dues();
        }
        while let Some(&action) = self.conditions.schedule.actions.get(self.next_action) {
            if action.ex_date > self.date {
                return;
            }
            self.next_action += 1;
            if !(is_first && action.ex_date < self.date) {
                self.apply(&action, quotes);
            }
        }
    }

    fn apply(&mut self, action: &CorporateAction, quotes: &impl Quotes) {
        let asset = action.asset;
        match action.kind {
            ActionKind::Split { ratio } => self.split(asset, ratio, quotes),
            ActionKind::Dividend { amount, pay_date } => {
                self.receive_dividend(asset, amount, pay_date);
            }
            ActionKind::Merger { cash, into } => {
                self.end_symbol(asset, cash, into, AccountEventKind::Merger, quotes);
            }
            ActionKind::Rename { into } => {
                let kind = AccountEventKind::Rename;
                self.end_symbol(asset, 0.0, Some((into, 1.0)), kind, quotes);
            }
        }
    }

    fn split(&mut self, asset: AssetId, ratio: f64, quotes: &impl Quotes) {
        let held = self.positions.quantity(asset);
        self.rescales.push(Rescale::split(asset, ratio));
        self.positions.split(asset, ratio);
        self.past.split(asset, ratio);
        if self.rules.is_active() {
            self.rules.split(asset, ratio);
        }
        for exit in self.deferred.iter_mut().filter(|exit| exit.is_of(asset)) {
            exit.split(ratio);
        }
        if self.split_orders(asset, ratio) || held != 0.0 {
            self.push_account_event(AccountEventKind::Split, Some(asset), ratio);
        }
        if held == 0.0 {
            return;
        }
        self.pay_residue(asset, quotes);
        if self.rules.is_active() && self.positions.quantity(asset) != 0.0 {
            self.set_guard(asset);
        }
    }

    /// Restates the live and held orders of an asset; what is left of one is cut to whole lots.
    /// Whether there were any.
    fn split_orders(&mut self, asset: AssetId, ratio: f64) -> bool {
        let mut has_any = false;
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            if live.asset != asset || live.is_done {
                continue;
            }
            has_any = true;
            let rest = match self.conditions.semantics.size_rounding {
                SizeRounding::Lot => self.lot(asset).round(live.rest * ratio),
                SizeRounding::None => live.rest * ratio,
            };
            let mut terms = live.terms;
            terms.limit /= ratio;
            terms.stop /= ratio;
            let row = &mut self.ledger.orders[live.order.index()];
            let old = row.quantity.abs();
            row.filled *= ratio;
            row.quantity = row.quantity * ratio - live.sign() * (live.rest * ratio - rest);
            (row.limit, row.stop) = (terms.limit, terms.stop);
            let new = row.quantity.abs();
            self.push_change(live.order, OrderEventKind::Split, old, new);
            for (kind, old, new) in [
                (OrderEventKind::ReplacedLimit, live.terms.limit, terms.limit),
                (OrderEventKind::ReplacedStop, live.terms.stop, terms.stop),
            ] {
                if !old.is_nan() {
                    self.push_change(live.order, kind, old, new);
                }
            }
            let waits_for_parent = live.is_held;
            if rest == 0.0 && !waits_for_parent {
                self.cancel_at(place, CancelReason::SplitRounding);
                continue;
            }
            self.live.set_rest(place, rest);
            self.live.set_terms(place, terms);
            let Some(rare) = self.live.rare_mut(place) else { continue };
            let before = rare.trail.distance;
            split_rare(rare, ratio);
            let after = rare.trail.distance;
            if !before.is_nan() && before != after {
                self.push_change(live.order, OrderEventKind::ReplacedTrail, before, after);
            }
        }
        self.live.sweep();
        has_any
    }

    /// Pays in cash what a split has left of a lot: at the open, or at the mark without a row.
    fn pay_residue(&mut self, asset: AssetId, quotes: &impl Quotes) {
        let lot = self.lot(asset);
        let is_rounded = self.conditions.semantics.size_rounding == SizeRounding::Lot;
        // Where every amount can be held, what is below the step is noise.
        if !is_rounded || lot == Lots::Fractional {
            return;
        }
        let held = self.positions.quantity(asset);
        let residue = held - lot.round(held);
        if residue * held > 0.0 && residue.abs() > dust(held) {
            let price = self.row(asset, quotes).map_or(self.positions.mark(asset), |bar| bar.open);
            self.book_action(asset, -residue, price, ExitReason::CashInLieu, quotes);
        }
    }

    fn receive_dividend(&mut self, asset: AssetId, amount: f64, pay_date: Option<Date>) {
        let close = self.positions.mark(asset);
        self.rescales.extend(Rescale::dividend(asset, amount, close));
        let held = self.positions.quantity(asset);
        if held == 0.0 || self.positions.is_future(asset) {
            return;
        }
        let income = held * self.positions.multiplier(asset) * amount;
        self.account.dividends += income;
        self.positions.detail_mut(asset).dividends_in += income;
        self.push_account_event(AccountEventKind::Dividend, Some(asset), income);
        if let Some(pay_date) = pay_date.filter(|&pay_date| pay_date > self.date) {
            self.dues.push(Due { pay_date, asset, amount: income });
            self.account.receivable += income;
        } else {
            self.account.cash += income;
            self.free_cash.add(income);
        }
    }

    fn pay_dues(&mut self) {
        let date = self.date;
        let is_due = |due: &Due| due.pay_date <= date;
        if !self.dues.iter().any(is_due) {
            return;
        }
        for due in self.dues.clone().iter().filter(|due| is_due(due)) {
            self.account.cash += due.amount;
            self.free_cash.add(due.amount);
            self.push_account_event(AccountEventKind::DividendPaid, Some(due.asset), due.amount);
        }
        self.dues.retain(|due| !is_due(due));
        // Summed anew, so that rounding leaves nothing behind once all is paid.
        self.account.receivable = self.dues.iter().map(|due| due.amount).sum();
    }

    /// Ends a symbol: its orders are cancelled, its position becomes `cash` a unit and units of
    /// another symbol, which cost nothing.
    ///
    /// Units of a symbol that has traded before are worth its last price. Where it has not (a
    /// rename, a new company), they carry the value of the old ones on.
    fn end_symbol(
        &mut self,
        asset: AssetId,
        cash: f64,
        into: Option<(AssetId, f64)>,
        kind: AccountEventKind,
        quotes: &impl Quotes,
    ) {
        for place in 0..self.live.len() {
            if self.live.at(place).asset == asset && !self.live.at(place).is_done {
                self.cancel_at(place, CancelReason::Delisted);
            }
        }
        self.live.sweep();
        self.deferred.retain(|exit| !exit.is_of(asset));
        let held = self.positions.quantity(asset);
        let mark = self.positions.mark(asset);
        let mut price = cash;
        if let Some((other, ratio)) = into {
            let scale = self.positions.multiplier(other) / self.positions.multiplier(asset);
            if self.positions.mark(other).is_nan() {
                self.positions.marks_mut()[other.index()] = (mark - cash) / (ratio * scale);
                price = mark;
            } else {
                price = cash + self.positions.mark(other) * ratio * scale;
            }
        }
        if held != 0.0 {
            self.push_account_event(kind, Some(asset), held);
            let reason = if into.is_some() { ExitReason::Exchanged } else { ExitReason::Delisted };
            self.book_action(asset, -held, price, reason, quotes);
            if let Some((other, ratio)) = into {
                let units = self.lot(other).round(held * ratio);
                let price = self.positions.mark(other);
                if units != 0.0 {
                    self.book_action(other, units, price, reason, quotes);
                }
            }
        }
        if !self.ended.contains(&asset) {
            self.ended.push(asset);
        }
    }

    /// A fill without costs that no order asked for.
    fn book_action(
        &mut self,
        asset: AssetId,
        units: f64,
        price: f64,
        reason: ExitReason,
        quotes: &impl Quotes,
    ) {
        let leg = Leg { origin: OrderOrigin::CorporateAction, reason };
        self.trade_leg(asset, units, price, &leg, quotes);
        self.live.sweep();
    }
}

fn split_rare(rare: &mut Rare, ratio: f64) {
    let Trail { distance, is_percent, limit_offset, activate, water } = rare.trail;
    rare.trail = Trail {
        distance: if is_percent { distance } else { distance / ratio },
        is_percent,
        limit_offset: limit_offset / ratio,
        activate: activate / ratio,
        water: water / ratio,
    };
    rare.taken *= ratio;
    rare.traded.units *= ratio;
    rare.filled_in_row *= ratio;
    rare.since.base /= ratio;
    rare.submit_close /= ratio;
    rare.decided /= ratio;
}
