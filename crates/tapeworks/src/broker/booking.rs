//! What a fill does to cash, positions and the ledger, and how orders end.

use super::bar::Quotes;
use super::codes::{CancelReason, ExitReason, ExpireReason, RejectCode, TimeInForce};
use super::custom::{check_fee, check_price_cost};
use super::cycle::Broker;
use super::execution::{Execution, Priced};
use super::free_cash::Movement;
use super::ledger::{
    ClosedLot, FillCost, FillRow, LotCost, OrderEvent, OrderEventKind, OrderStatus, RejectionRow,
};
use super::positions::{Enlargement, PositionDetail, exceeds};
use super::rules::RuleEntry;
use super::semantics::{CashCheck, Excursions, StopBase, WaterStart};
use crate::base::{AssetId, OrderId};

impl Broker {
    /// Books a fill of `quantity` units, of which `closing` reduce what is held and the rest opens.
    pub(super) fn book_fill(
        &mut self,
        execution: &Execution,
        held: f64,
        closing: f64,
        quantity: f64,
        priced: &Priced,
        quotes: &impl Quotes,
    ) {
        if let Err(error) = check_price_cost("price", priced.price.abs()) {
            return self.fail_at(execution.asset, error);
        }
        // A sum of the two parts would not always be the quantity that was asked for. Beside
        // nothing that closes, however little opens a position.
        let opens = closing == 0.0 || exceeds(quantity, closing);
        let opening = if opens { quantity - closing } else { 0.0 };
        let fee = self.fee(execution, quantity, priced.price);
        let fee = match check_fee(fee) {
            Ok(fee) => fee,
            Err(error) => {
                self.fail_at(execution.asset, error);
                0.0
            }
        };
        let fill = self.push_fill(execution, quantity, opening, fee, priced);
        self.count_trade(execution, quantity, fee, priced.price);
        if closing > 0.0 {
            self.close_lot(execution, fill, closing, fee * (closing / quantity), held, priced);
        }
        if opening > 0.0 {
            let held = self.positions.quantity(execution.asset);
            let fee = fee * (opening / quantity);
            self.add_to_position(execution, fill, opening, fee, held, priced, quotes);
        }
        if self.positions.is_future(execution.asset) {
            self.positions.settle(execution.asset, priced.price);
        }
        let row = &mut self.ledger.orders[execution.order.index()];
        row.filled += execution.sign * quantity;
        assert!(
            !exceeds(row.filled.abs(), row.quantity.abs()),
            "an order fills no more than it asks (A6)"
        );
        self.book.fill(execution.asset);
    }

    /// Writes the fill and moves the cash.
    fn push_fill(
        &mut self,
        execution: &Execution,
        quantity: f64,
        opening: f64,
        commission: f64,
        priced: &Priced,
    ) -> u32 {
        let semantics = &self.conditions.semantics;
        let row = &self.ledger.orders[execution.order.index()];
        assert!(
            self.now > row.created || (self.now == row.created && semantics.fills_in_own_row()),
            "a fill comes after its decision (A7)"
        );
        // Of the cash before the fill: that is what the cash test allowed.
        let tolerance = self.account.tolerance() + semantics.cash_tolerance.max(0.0);
        let asset = execution.asset;
        let change = if self.positions.is_future(asset) {
            let gain = self.positions.settle(asset, priced.price);
            self.account.variation += gain;
            gain - commission
        } else {
            let multiplier = self.positions.multiplier(asset);
            -(execution.sign * quantity * priced.price * multiplier + commission)
        };
        self.account.cash += change;
        self.account.fees += commission;
        self.free_cash.fill(&Movement {
            asset,
            held: self.positions.quantity(asset),
            signed: execution.sign * quantity,
            unit: priced.price * self.positions.multiplier(asset),
            fee: commission,
        });
        assert!(
            opening == 0.0
                || !self.conditions.terms.kind.pays_in_full()
                || semantics.cash_check != CashCheck::AtFill
                || self.account.cash >= -2.0 * tolerance,
            "an account that pays in full has paid for what it opens (A4)"
        );
        if opening == 0.0 && change > 0.0 && self.conditions.terms.settlement_days > 0 {
            let due = self.session + self.conditions.terms.settlement_days;
            self.settlements.hold(due, change);
            self.account.unsettled = self.settlements.total();
        }
        let fill = u32::try_from(self.ledger.fills.len()).expect("fewer than 2^32 fills");
        self.ledger.fills.push(FillRow {
            timestamp: self.now,
            quantity: execution.sign * quantity,
            base_price: execution.base_price,
            price: priced.price,
            commission,
            order: execution.order,
            asset,
            phase: execution.phase,
            reason: execution.reason,
            flags: priced.flags,
        });
        if priced.stop_slip != 0.0 || priced.impact != 0.0 {
            let (stop_slip, impact) = (priced.stop_slip, priced.impact);
            self.ledger.fill_costs.push(FillCost { fill, stop_slip, impact });
        }
        fill
    }

    /// Adds a fill to the running totals that fees and caps look at.
    fn count_trade(&mut self, execution: &Execution, quantity: f64, fee: f64, price: f64) {
        let asset = execution.asset;
        let basis = self.fee_basis(execution, quantity, price);
        for traded in [
            Some(&mut self.month.1),
            execution
                .place
                .and_then(|place| self.live.rare_mut(place))
                .map(|rare| &mut rare.traded),
        ]
        .into_iter()
        .flatten()
        {
            traded.add(&basis, fee);
        }
        let now = self.now;
        if let Some(rare) = execution.place.and_then(|place| self.live.rare_mut(place)) {
            rare.filled_in_row =
                if rare.filled_at == now { rare.filled_in_row + quantity } else { quantity };
            rare.filled_at = now;
        }
        if let Some(used) = self.used.get_mut(asset.index()) {
            if *used == 0.0 {
                self.used_assets.push(asset.0);
            }
            *used += quantity;
        }
    }

    fn close_lot(
        &mut self,
        execution: &Execution,
        fill: u32,
        closed: f64,
        fee: f64,
        held: f64,
        priced: &Priced,
    ) {
        let asset = execution.asset;
        let multiplier = self.positions.multiplier(asset);
        let slippage = execution.sign * (priced.price - execution.base_price) * closed * multiplier;
        let row_is_over = self.row_is_over;
        let detail = self.positions.detail_mut(asset);
        if !row_is_over {
            detail.take_pending(held.signum());
        }
        let share = closed / held.abs();
        let part = |sum: &mut f64| {
            let part = *sum * share;
            *sum -= part;
            part
        };
        let entry_commission = part(&mut detail.fees_in);
        let entry_slippage = part(&mut detail.slippage_in);
        let entry_impact = part(&mut detail.impact_in);
        let funding = part(&mut detail.funding_in);
        let borrow = part(&mut detail.borrow_in);
        let mut lot = lot_of(detail, closed, held.signum());
        lot.exit_fill = Some(fill);
        lot.exit_price = priced.price;
        lot.entry_commission = entry_commission;
        lot.exit_commission = fee;
        lot.entry_slippage = entry_slippage;
        lot.exit_slippage = slippage;
        lot.exit_timestamp = self.now;
        lot.bars_held += u32::from(detail.entry_timestamp != self.now && !row_is_over);
        lot.see(execution.seen.0, execution.seen.1);
        lot.flags = lot.flags.with(priced.flags);
        lot.reason = execution.reason;
        let cost = LotCost {
            lot: u32::try_from(self.ledger.lots.len()).expect("fewer than 2^32 lots"),
            entry_impact,
            exit_impact: priced.impact * closed * multiplier,
            funding,
            borrow,
        };
        if !cost.is_zero() {
            self.ledger.lot_costs.push(cost);
        }
        self.positions.set_quantity(asset, held + execution.sign * closed, held.abs().max(closed));
        lot.closes_position = self.positions.quantity(asset) == 0.0;
        if lot.closes_position && self.rules.is_active() {
            self.rules.leave(asset);
        }
        self.ledger.lots.push(lot);
    }

    #[expect(clippy::too_many_arguments, reason = "a fill and what was known before it")]
    fn add_to_position(
        &mut self,
        execution: &Execution,
        fill: u32,
        quantity: f64,
        fee: f64,
        held: f64,
        priced: &Priced,
        quotes: &impl Quotes,
    ) {
        let (asset, price) = (execution.asset, priced.price);
        let multiplier = self.positions.multiplier(asset);
        let slippage = execution.sign * (price - execution.base_price) * quantity * multiplier;
        let fill_of =
            Enlargement { timestamp: self.now, base: execution.base_price, how: execution.entry };
        let session = self.session;
        let is_over = self.row_is_over;
        let follows_extremes = self.conditions.semantics.excursions == Excursions::AfterEntry;
        let detail = self.positions.detail_mut(asset);
        detail.last = fill_of;
        if held == 0.0 {
            *detail = PositionDetail {
                entry_price: price,
                best: price,
                worst: price,
                entry_timestamp: self.now,
                entry_fill: fill,
                entry: fill_of,
                last: fill_of,
                last_session: session,
                ..PositionDetail::default()
            };
        } else {
            let old = detail.entry_price;
            detail.entry_price = (held.abs() * old + quantity * price) / (held.abs() + quantity);
            if !follows_extremes {
                // Excursions are kept as returns on the average price of their time.
                let new = detail.entry_price;
                if !is_over {
                    detail.take_pending(held.signum());
                }
                detail.best = new * (1.0 + (detail.best - old) / old);
                detail.worst = new * (1.0 + (detail.worst - old) / old);
            }
        }
        detail.fees_in += fee;
        detail.slippage_in += slippage;
        detail.impact_in += priced.impact * quantity * multiplier;
        detail.flags = detail.flags.with(priced.flags);
        self.positions.set_quantity(
            asset,
            held + execution.sign * quantity,
            held.abs().max(quantity),
        );
        if self.rules.is_active() {
            self.tell_rules(execution, held == 0.0, price, quotes);
        }
    }

    /// Tells the rules of an opening fill.
    fn tell_rules(
        &mut self,
        execution: &Execution,
        is_new: bool,
        price: f64,
        quotes: &impl Quotes,
    ) {
        let asset = execution.asset;
        let facts = self.facts(asset);
        let semantics = &self.conditions.semantics;
        let submit_close = execution
            .place
            .and_then(|place| self.live.rare(place))
            .map_or(f64::NAN, |rare| rare.submit_close);
        let or_fill = |other: f64| if other.is_nan() { price } else { other };
        let base = match semantics.stop_base {
            StopBase::Fill => facts.entry_price,
            StopBase::SubmitClose if is_new => or_fill(submit_close),
            StopBase::SubmitClose => self.rules.base(asset),
        };
        let bar = quotes.bar(asset);
        let water = match semantics.water_start {
            WaterStart::Fill => price,
            WaterStart::SubmitClose => or_fill(submit_close),
            WaterStart::EntryClose => or_fill(bar.map_or(f64::NAN, |bar| bar.close)),
            WaterStart::EntryExtreme => or_fill(
                bar.map_or(f64::NAN, |bar| if facts.side > 0.0 { bar.high } else { bar.low }),
            ),
        };
        self.rules.enter(asset, &RuleEntry { base, water, is_new }, &facts);
        if is_new && self.rules.needs_memory() {
            self.rules.recall_decision(execution.order, asset);
        }
        if is_new {
            let levels = self.rules.first_levels(asset, facts.side);
            let detail = self.positions.detail_mut(asset);
            (detail.stop_level, detail.target_level) = levels;
        }
        if !self.enlarged.contains(&asset.0) {
            self.enlarged.push(asset.0);
        }
        self.set_guard(asset);
    }

    // --- how orders end -------------------------------------------------------------------------

    /// Ends an order with its fills.
    pub(super) fn finish(&mut self, execution: &Execution, status: OrderStatus) {
        let row = &mut self.ledger.orders[execution.order.index()];
        assert!(row.status == OrderStatus::Live, "an order ends once (A6)");
        row.status = status;
        if let Some(place) = execution.place {
            self.live.end(place);
        }
    }

    /// Refuses an order that has found its price.
    pub(super) fn reject(&mut self, execution: &Execution, code: RejectCode, need: f64, have: f64) {
        self.finish(execution, OrderStatus::Rejected(code));
        self.push_rejection(execution.order, code, need, have);
        self.after_end(execution.order);
    }

    /// Ends an order that would only reduce a position which is gone.
    pub(super) fn cancel_unneeded(&mut self, execution: &Execution) {
        let reason = CancelReason::PositionClosed;
        self.finish(execution, OrderStatus::Cancelled(reason));
        self.push_cancel(execution.order, reason);
        self.after_end(execution.order);
    }

    /// Ends an order that the account cannot pay for, where the semantics do not refuse it.
    pub(super) fn cancel_for_cash(&mut self, execution: &Execution) {
        let reason = CancelReason::InsufficientCash;
        self.finish(execution, OrderStatus::Cancelled(reason));
        self.push_cancel(execution.order, reason);
        self.after_end(execution.order);
    }

    /// Ends an order by time.
    pub(super) fn expire(&mut self, execution: &Execution, reason: ExpireReason) {
        self.finish(execution, OrderStatus::Expired(reason));
        let event = OrderEventKind::Expired(reason);
        self.push_change(execution.order, event, f64::NAN, f64::NAN);
        self.after_end(execution.order);
    }

    /// Ends a live or held order by time.
    pub(super) fn expire_at(&mut self, place: usize, reason: ExpireReason) {
        let order = self.live.at(place).order;
        self.live.end(place);
        self.ledger.orders[order.index()].status = OrderStatus::Expired(reason);
        self.push_change(order, OrderEventKind::Expired(reason), f64::NAN, f64::NAN);
        self.after_end(order);
    }

    /// Cancels a live or held order.
    pub(super) fn cancel_at(&mut self, place: usize, reason: CancelReason) {
        let order = self.live.at(place).order;
        self.live.end(place);
        self.ledger.orders[order.index()].status = OrderStatus::Cancelled(reason);
        self.push_cancel(order, reason);
        self.after_end(order);
    }

    /// Refuses a live order before it has found a price.
    pub(super) fn reject_at(&mut self, place: usize, code: RejectCode, need: f64, have: f64) {
        let order = self.live.at(place).order;
        self.live.end(place);
        self.ledger.orders[order.index()].status = OrderStatus::Rejected(code);
        self.push_rejection(order, code, need, have);
        self.after_end(order);
    }

    /// Notes that the stop of an order was reached.
    pub(super) fn note_trigger(&mut self, place: usize) {
        let live = *self.live.at(place);
        if live.is_triggered {
            return;
        }
        self.live.trigger(place);
        let is_two_step = live.kind() != self.live.at(place).kind();
        let details = &mut self.ledger.details;
        if let Ok(at) = details.binary_search_by_key(&live.order, |detail| detail.order) {
            details[at].triggered_at = self.now;
        }
        if is_two_step && !live.terms.limit.is_nan() {
            let stop = live.terms.stop;
            self.push_change(live.order, OrderEventKind::Triggered, f64::NAN, stop);
        }
    }

    /// How long the order at a place lives.
    pub(super) fn tif_of(&self, place: Option<usize>) -> TimeInForce {
        place.and_then(|place| self.live.rare(place)).map_or(TimeInForce::Gtc, |rare| rare.tif)
    }

    pub(super) fn push_cancel(&mut self, order: OrderId, reason: CancelReason) {
        self.push_change(order, OrderEventKind::Cancelled(reason), f64::NAN, f64::NAN);
    }

    pub(super) fn push_rejection(
        &mut self,
        order: OrderId,
        code: RejectCode,
        need: f64,
        have: f64,
    ) {
        self.ledger.rejections.push(RejectionRow { timestamp: self.now, order, code, need, have });
        self.push_change(order, OrderEventKind::Rejected(code), f64::NAN, f64::NAN);
    }

    pub(super) fn push_change(&mut self, order: OrderId, kind: OrderEventKind, old: f64, new: f64) {
        let fills_before = u32::try_from(self.ledger.fills.len()).expect("fewer than 2^32 fills");
        self.ledger.events.push(OrderEvent {
            timestamp: self.now,
            order,
            kind,
            old,
            new,
            fills_before,
        });
    }

    /// Writes what is still open: live orders, and each position as a lot at its last mark.
    pub fn close_books(&mut self) {
        // What waits for its parent stays held.
        let waits = self.live.iter().filter(|live| !live.is_held);
        let live: Vec<OrderId> = waits.map(|live| live.order).collect();
        for order in live {
            self.ledger.orders[order.index()].status = OrderStatus::LiveAtEnd;
            self.push_change(order, OrderEventKind::LiveAtEnd, f64::NAN, f64::NAN);
        }
        for &asset in self.positions.held() {
            let asset = AssetId(asset);
            let quantity = self.positions.quantity(asset);
            let mut detail = *self.positions.detail(asset);
            detail.take_pending(quantity.signum());
            let detail = &detail;
            let mut lot = lot_of(detail, quantity.abs(), quantity.signum());
            lot.exit_price = self.positions.mark(asset);
            lot.exit_timestamp = self.now;
            lot.entry_commission = detail.fees_in;
            lot.entry_slippage = detail.slippage_in;
            let cost = LotCost {
                lot: u32::try_from(self.ledger.lots.len()).expect("fewer than 2^32 lots"),
                entry_impact: detail.impact_in,
                exit_impact: 0.0,
                funding: detail.funding_in,
                borrow: detail.borrow_in,
            };
            if !cost.is_zero() {
                self.ledger.lot_costs.push(cost);
            }
            self.ledger.lots.push(lot);
        }
    }
}

/// A lot of `quantity` units of a position, before its exit is written in.
fn lot_of(detail: &PositionDetail, quantity: f64, side: f64) -> ClosedLot {
    ClosedLot {
        exit_fill: None,
        entry_fill: detail.entry_fill,
        quantity,
        side,
        entry_price: detail.entry_price,
        exit_price: f64::NAN,
        entry_commission: 0.0,
        exit_commission: 0.0,
        entry_slippage: 0.0,
        exit_slippage: 0.0,
        // Excursions start at the entry price; adds may have moved it past what was seen so far.
        best: side * (side * detail.best).max(side * detail.entry_price),
        worst: side * (side * detail.worst).min(side * detail.entry_price),
        stop_level: detail.stop_level,
        target_level: detail.target_level,
        exit_timestamp: 0,
        bars_held: detail.bars_held,
        bars_to_best: detail.bars_to_best,
        bars_to_worst: detail.bars_to_worst,
        flags: detail.flags,
        reason: ExitReason::EndOfRun,
        closes_position: false,
    }
}

impl ClosedLot {
    /// Takes in the prices of the exit row up to the exit.
    fn see(&mut self, adverse: f64, favourable: f64) {
        if self.side * favourable > self.side * self.best {
            self.best = favourable;
            self.bars_to_best = self.bars_held;
        }
        if self.side * adverse < self.side * self.worst {
            self.worst = adverse;
            self.bars_to_worst = self.bars_held;
        }
    }
}

impl LotCost {
    fn is_zero(&self) -> bool {
        [self.entry_impact, self.exit_impact, self.funding, self.borrow].iter().all(|c| *c == 0.0)
    }
}
