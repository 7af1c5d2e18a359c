//! Whether the account may open what an order asks for.

use super::bar::Quotes;
use super::codes::{OrderKind, RejectCode};
use super::cycle::Broker;
use super::execution::{Execution, Priced};
use super::instrument::Margin;
use super::limits::OpenView;
use super::semantics::{CashCheck, PartialSearch, ShortCash};
use crate::base::AssetId;

/// Why an order may not open, what it would need and what there is.
pub(super) type Refusal = (RejectCode, f64, f64);

/// Values of the positions at the opens of one timestamp, kept up to date fill by fill.
///
/// Other symbols are valued at their open of the row, or at their last mark: a test may not know
/// what they will do later in the row.
#[derive(Debug, Clone, Default)]
pub(super) struct RowBook {
    /// The timestamp for which it holds.
    at: i64,
    total: Share,
    by_asset: Vec<Share>,
    /// Assets with a share.
    listed: Vec<u32>,
    /// Assets whose position has changed since their share was taken.
    changed: Vec<u32>,
}

/// What one position adds to the sums.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    /// What it adds to the cash to make equity.
    pub worth: f64,
    /// Its initial margin.
    pub margin: f64,
    /// Its absolute value.
    pub gross: f64,
    /// Its value.
    pub net: f64,
}

impl RowBook {
    pub fn new(n_assets: usize) -> Self {
        Self { at: i64::MIN, by_asset: vec![Share::default(); n_assets], ..Self::default() }
    }

    /// Notes that the position of an asset has changed.
    #[inline]
    pub fn fill(&mut self, asset: AssetId) {
        self.changed.push(asset.0);
    }

    /// Notes that the marks have moved.
    #[inline]
    pub fn forget(&mut self) {
        self.at = i64::MIN;
        self.changed.clear();
    }

    fn put(&mut self, asset: AssetId, share: Share) {
        let old = std::mem::replace(&mut self.by_asset[asset.index()], share);
        self.total.worth += share.worth - old.worth;
        self.total.margin += share.margin - old.margin;
        self.total.gross += share.gross - old.gross;
        self.total.net += share.net - old.net;
    }
}

impl Broker {
    /// Why `opening` units may not be opened beside `closing` that the order closes; `None` when
    /// they may.
    pub(super) fn refuse_open(
        &mut self,
        execution: &Execution,
        closing: f64,
        opening: f64,
        priced: &Priced,
        quotes: &impl Quotes,
    ) -> Option<Refusal> {
        let multiplier = self.positions.multiplier(execution.asset);
        let least = self.conditions.instruments.of(execution.asset).min_notional;
        let notional = opening * priced.price.abs() * multiplier;
        self.refuse_side(execution, closing, opening)
            .or_else(|| {
                let is_small = notional < least;
                is_small.then_some((RejectCode::BelowMinNotional, least, notional))
            })
            .or_else(|| self.refuse_unpaid(execution, closing, opening, priced, quotes))
    }

    /// Why nothing may be opened on this side, whatever its size.
    fn refuse_side(&self, execution: &Execution, closing: f64, opening: f64) -> Option<Refusal> {
        let plain = |code| Some((code, f64::NAN, f64::NAN));
        if self.is_closed {
            return plain(RejectCode::AccountClosed);
        }
        if self.call_stands {
            return plain(RejectCode::MarginCallActive);
        }
        if execution.sign > 0.0 {
            return None;
        }
        if self.conditions.terms.kind.pays_in_full() {
            let held = self.positions.quantity(execution.asset);
            return Some((RejectCode::ShortNotAllowed, closing + opening, held.max(0.0)));
        }
        if !self.conditions.instruments.of(execution.asset).is_shortable {
            return plain(RejectCode::NotShortable);
        }
        None
    }

    /// Why an open of this size may not be: the portfolio's limits, then what the account can pay
    /// for.
    pub(super) fn refuse_unpaid(
        &mut self,
        execution: &Execution,
        closing: f64,
        opening: f64,
        priced: &Priced,
        quotes: &impl Quotes,
    ) -> Option<Refusal> {
        let asset = execution.asset;
        let held = self.positions.quantity(asset);
        let after = held + execution.sign * (closing + opening);
        let kind = self.conditions.terms.kind;
        let multiplier = self.positions.multiplier(asset);
        if self.limits.is_active()
            && let Some(refusal) =
                self.refuse_by_limits(execution, closing + opening, after, priced, quotes)
        {
            return Some(refusal);
        }
        // A queue was asked as a whole, before the first of its orders fills.
        let is_again = self.asks_again(execution, priced);
        match self.conditions.semantics.cash_check {
            CashCheck::Queue if is_again => {
                return self.refuse_by_picture(execution, closing + opening, priced, quotes);
            }
            CashCheck::Never | CashCheck::Queue => return None,
            CashCheck::AtFill | CashCheck::SubmitAndFill => {}
        }
        let fee = self.fee(execution, closing + opening, priced.price);
        if fee.is_nan() {
            // A defect of a user's model, not a lack of cash: booking the fill reports it.
            return None;
        }
        let asks_for_cash = kind.pays_in_full()
            || self.conditions.semantics.short_cash != ShortCash::Margin
            || self.was_asked_at_submission(execution);
        if asks_for_cash {
            let price = priced.price * multiplier;
            self.refuse_by_cash(execution, held, (closing, opening), price, fee, is_again)
        } else {
            self.refuse_by_margin(execution, closing + opening, after, priced, fee, quotes)
        }
    }

    /// Whether a market order was tested when it was sent.
    pub(super) fn was_asked_at_submission(&self, execution: &Execution) -> bool {
        self.conditions.semantics.cash_check == CashCheck::SubmitAndFill
            && self.ledger.orders[execution.order.index()].kind == OrderKind::Market
    }

    /// Whether slippage has moved the price of an order, under semantics that then ask for it as if
    /// nothing had been asked before.
    pub(super) fn asks_again(&self, execution: &Execution, priced: &Priced) -> bool {
        self.conditions.semantics.partial_search == PartialSearch::HalvingLessCent
            && priced.price != execution.base_price
    }

    /// The test of a queue for one order at its own price. Positions are valued at their opens once
    /// the first order of the row has been asked, at their last marks before.
    fn refuse_by_picture(
        &mut self,
        execution: &Execution,
        quantity: f64,
        priced: &Priced,
        quotes: &impl Quotes,
    ) -> Option<Refusal> {
        let is_first = self.accepted.first() == Some(&execution.order);
        self.shadow = self.picture(|broker, asset| {
            let open = quotes.bar(asset).map(|bar| bar.open).filter(|open| open.is_finite());
            open.filter(|_| !is_first).unwrap_or(broker.positions.mark(asset))
        });
        let signed = execution.sign * quantity;
        let passes = self.shadow_covers(execution.asset, signed, priced.price);
        (!passes).then_some((RejectCode::InsufficientMargin, f64::NAN, f64::NAN))
    }

    /// Cash that may pay for opens.
    pub(super) fn spendable(&self) -> f64 {
        (self.account.cash - self.account.unsettled) * (1.0 - self.conditions.terms.cash_buffer)
    }

    /// By how much a need may exceed what there is.
    pub(super) fn tolerance_of(&self, have: f64) -> f64 {
        let tolerance = self.conditions.semantics.cash_tolerance;
        if !have.is_finite() || self.is_cash_exact {
            // Beyond all numbers nothing passes.
            0.0
        } else if tolerance < 0.0 {
            -tolerance * have.abs().max(1.0)
        } else {
            tolerance
        }
    }

    /// `unit` is the price of one unit of `(closing, opening)`, in account currency.
    fn refuse_by_cash(
        &self,
        execution: &Execution,
        held: f64,
        (closing, opening): (f64, f64),
        unit: f64,
        fee: f64,
        is_again: bool,
    ) -> Option<Refusal> {
        // Where an order was asked about at submission, its fill only has to leave cash at 0.
        if self.was_asked_at_submission(execution) && !is_again {
            let have = self.account.cash;
            let need = execution.sign * (closing + opening) * unit + fee;
            return (need > have).then_some((RejectCode::InsufficientCash, need, have));
        }
        let short_cash = self.conditions.semantics.short_cash;
        let have = match short_cash {
            ShortCash::Lock | ShortCash::LockCombined => {
                self.free_cash.free() * (1.0 - self.conditions.terms.cash_buffer)
            }
            _ => self.spendable(),
        };
        let pays_in_full = self.conditions.terms.kind.pays_in_full();
        let is_credit = matches!(short_cash, ShortCash::Credit | ShortCash::CreditCapped);
        let need = if pays_in_full || is_credit {
            // The proceeds of a sale are cash like any other; what covers one is paid as well.
            execution.sign * (closing + opening) * unit + fee
        } else {
            // What closes comes first: it frees what it sells, or gives back what was locked.
            let freed = if closing == 0.0 {
                0.0
            } else if held > 0.0 {
                closing * unit
            } else {
                2.0 * self.free_cash.basis(execution.asset) - closing * unit
            };
            opening * unit + fee - freed
        };
        let passes = need <= have + self.tolerance_of(have);
        (!passes).then_some((RejectCode::InsufficientCash, need, have))
    }

    fn refuse_by_margin(
        &mut self,
        execution: &Execution,
        quantity: f64,
        after: f64,
        priced: &Priced,
        fee: f64,
        quotes: &impl Quotes,
    ) -> Option<Refusal> {
        let asset = execution.asset;
        let total = self.row_total(quotes);
        let share = self.book.by_asset[asset.index()];
        let base = execution.base_price;
        let equity = self.equity_after(execution, quantity, after, priced, fee, quotes);
        let own = after.abs() * self.margin_a_unit(asset, base, true, after);
        let need = total.margin - share.margin + own;
        let passes = equity >= need - self.tolerance_of(equity);
        (!passes).then_some((RejectCode::InsufficientMargin, need, equity))
    }

    /// Equity after a fill of `quantity` that leaves `after` units, at the prices of this row.
    fn equity_after(
        &mut self,
        execution: &Execution,
        quantity: f64,
        after: f64,
        priced: &Priced,
        fee: f64,
        quotes: &impl Quotes,
    ) -> f64 {
        let asset = execution.asset;
        let total = self.row_total(quotes);
        let share = self.book.by_asset[asset.index()];
        let multiplier = self.positions.multiplier(asset);
        let held = self.positions.quantity(asset);
        let base = execution.base_price;
        let (cash, worth) = if self.positions.is_future(asset) {
            let settled = self.positions.settled(asset);
            let gain = if held == 0.0 { 0.0 } else { held * multiplier * (priced.price - settled) };
            (self.account.balance() + gain - fee, after * multiplier * (base - priced.price))
        } else {
            let paid = execution.sign * quantity * priced.price * multiplier + fee;
            (self.account.balance() - paid, after * base * multiplier)
        };
        cash + (total.worth - share.worth) + worth
    }

    fn refuse_by_limits(
        &mut self,
        execution: &Execution,
        quantity: f64,
        after: f64,
        priced: &Priced,
        quotes: &impl Quotes,
    ) -> Option<Refusal> {
        let asset = execution.asset;
        let fee = self.fee(execution, quantity, priced.price);
        let equity = self.equity_after(execution, quantity, after, priced, fee, quotes);
        let total = self.row_total(quotes);
        let share = self.book.by_asset[asset.index()];
        let unit = execution.base_price * self.positions.multiplier(asset);
        let (held, value) = (self.positions.quantity(asset), after * unit);
        let n_positions = u32::try_from(self.positions.held().len()).expect("fewer than 2^32");
        let is_new = held == 0.0;
        let refusal = self.limits.check_open(&OpenView {
            asset,
            value_after: value,
            gross_after: total.gross - share.gross + value.abs(),
            net_after: total.net - share.net + value,
            net_before: total.net - share.net + held * unit,
            equity,
            n_positions_after: n_positions + u32::from(is_new),
            is_new,
            // Orders are counted when they are sent.
            n_orders: 0,
            value: &|asset| self.book.by_asset[asset.index()].net,
        })?;
        Some((refusal.code, refusal.need, refusal.have))
    }

    /// The sums over all positions at the prices of this row.
    fn row_total(&mut self, quotes: &impl Quotes) -> Share {
        if self.book.at == self.now {
            while let Some(asset) = self.book.changed.pop() {
                let asset = AssetId(asset);
                let share = self.share_of(asset, quotes);
                if !self.book.listed.contains(&asset.0) {
                    self.book.listed.push(asset.0);
                }
                self.book.put(asset, share);
            }
            return self.book.total;
        }
        for asset in std::mem::take(&mut self.book.listed) {
            self.book.by_asset[asset as usize] = Share::default();
        }
        self.book.total = Share::default();
        self.book.changed.clear();
        self.book.at = self.now;
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            let share = self.share_of(asset, quotes);
            self.book.listed.push(asset.0);
            self.book.put(asset, share);
        }
        self.book.total
    }

    fn share_of(&self, asset: AssetId, quotes: &impl Quotes) -> Share {
        let quantity = self.positions.quantity(asset);
        let open = quotes.bar(asset).map_or(f64::NAN, |bar| bar.open);
        let price = if open.is_finite() { open } else { self.positions.mark(asset) };
        // A position entered in this row has no mark of its own before it.
        let price = if price.is_finite() { price } else { self.positions.detail(asset).last.base };
        let net = quantity * price * self.positions.multiplier(asset);
        Share {
            worth: self.positions.worth_at(asset, quantity, price),
            margin: quantity.abs() * self.margin_a_unit(asset, price, true, quantity),
            gross: net.abs(),
            net,
        }
    }

    /// Margin of one unit at a price: initial, or maintenance for the side of `quantity`.
    pub(super) fn margin_a_unit(
        &self,
        asset: AssetId,
        price: f64,
        is_initial: bool,
        quantity: f64,
    ) -> f64 {
        let instrument = self.conditions.instruments.of(asset);
        let terms = &self.conditions.terms;
        let value = (price * instrument.multiplier).abs();
        let margin =
            if is_initial { instrument.initial_margin } else { instrument.maintenance_margin };
        match margin {
            Margin::PerContract(currency) => currency,
            Margin::Fraction(fraction) => value * fraction,
            Margin::Account if is_initial => value * terms.initial_margin,
            Margin::Account if quantity < 0.0 => value * terms.maintenance_short,
            Margin::Account => value * terms.maintenance_long,
        }
    }

    /// Initial margin of all positions at the marks, and the value that could still be opened.
    #[must_use]
    pub fn margin_state(&self, equity: f64) -> (f64, f64) {
        let used: f64 = self
            .positions
            .held()
            .iter()
            .map(|&asset| {
                let asset = AssetId(asset);
                let quantity = self.positions.quantity(asset);
                let mark = self.positions.mark(asset);
                quantity.abs() * self.margin_a_unit(asset, mark, true, quantity)
            })
            .sum();
        (used, (equity - used).max(0.0) / self.conditions.terms.initial_margin)
    }
}
