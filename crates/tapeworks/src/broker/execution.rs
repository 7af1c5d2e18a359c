//! From a price to a fill: costs, the cash test, the accounting, and what follows from it.

use super::codes::{CancelReason, ExitReason, FillFlags, Phase, RejectCode};
use super::commission::FeeBasis;
use super::cycle::Broker;
use super::ledger::{ClosedLot, FillRow, OrderEvent, OrderEventKind, OrderStatus, RejectionRow};
use super::live::Shortfall;
use super::positions::{Enlargement, Entry, PositionDetail, exceeds};
use super::rules::RuleEntry;
use super::slippage::PriceBasis;
use crate::base::{AssetId, OrderId};

/// An order that has found its price.
#[derive(Debug, Clone, Copy)]
pub(super) struct Execution {
    /// Its place in the book; `None` for the order of a rule, which never rests there.
    pub place: Option<usize>,
    pub order: OrderId,
    pub asset: AssetId,
    /// `+1.0` buys, `-1.0` sells.
    pub sign: f64,
    /// Units left to fill (positive).
    pub wanted: f64,
    pub base_price: f64,
    /// NaN when there is none.
    pub limit: f64,
    pub phase: Phase,
    pub flags: FillFlags,
    pub reason: ExitReason,
    pub reduce_only: bool,
    pub shortfall: Shortfall,
    pub entry: Entry,
    /// What the fill's row showed a position up to this fill: (adverse, favourable).
    pub seen: (f64, f64),
}

impl Broker {
    /// Fills or refuses an order that has found its price.
    pub(super) fn execute(&mut self, execution: &Execution) {
        let held = self.positions.quantity(execution.asset);
        let price = self.price_after_costs(execution);
        let is_opposite = held * execution.sign < 0.0;
        if execution.reduce_only && !is_opposite {
            self.end(execution, OrderStatus::Cancelled(CancelReason::PositionClosed));
            self.push_cancel(execution.order, CancelReason::PositionClosed);
            return;
        }
        if is_opposite || execution.sign < 0.0 {
            self.execute_reduce(execution, held, price);
        } else {
            self.execute_open(execution, held, price);
        }
    }

    /// The price after slippage; a limit is never exceeded.
    fn price_after_costs(&self, execution: &Execution) -> f64 {
        let base = execution.base_price;
        if execution.flags.has(FillFlags::MAKER) {
            return base;
        }
        let slipped = base
            + execution.sign
                * self.conditions.slippage.per_unit(&PriceBasis {
                    asset: execution.asset,
                    sign: execution.sign,
                    price: base,
                    quantity: execution.wanted,
                    volume: f64::NAN,
                    used: 0.0,
                    tick: f64::NAN,
                    spread: f64::NAN,
                    sigma: f64::NAN,
                    adv: f64::NAN,
                });
        if execution.limit.is_nan() {
            slipped
        } else if execution.sign > 0.0 {
            slipped.min(execution.limit)
        } else {
            slipped.max(execution.limit)
        }
    }

    fn execute_reduce(&mut self, execution: &Execution, held: f64, price: f64) {
        let mut quantity = execution.wanted;
        if exceeds(quantity, held.abs()) {
            let may_shrink = execution.shortfall == Shortfall::Partial && held != 0.0;
            if !execution.reduce_only && !may_shrink {
                // A cash account holds no short position, so a sale of stated units beyond what is
                // held is refused whole: half of it would not be what was asked for.
                self.end(execution, OrderStatus::Rejected(RejectCode::ShortNotAllowed));
                self.push_rejection(
                    execution.order,
                    RejectCode::ShortNotAllowed,
                    quantity,
                    held.abs(),
                );
                return;
            }
            self.push_event(execution.order, OrderEventKind::ResizedToPosition, quantity);
            quantity = held.abs();
        }
        let fill = self.push_fill(execution, quantity, price);
        self.close_lot(execution, fill, quantity, held);
        self.finish(execution, quantity);
        self.fit_reduce_only(execution.asset);
    }

    fn execute_open(&mut self, execution: &Execution, held: f64, price: f64) {
        let mut quantity = execution.wanted;
        let need = self.cost_of(quantity, price);
        if !(need <= self.account.cash + self.account.tolerance()) {
            let affordable = match execution.shortfall {
                Shortfall::Reject => 0.0,
                Shortfall::Partial => self.affordable(quantity, price),
            };
            if affordable == 0.0 {
                self.end(execution, OrderStatus::Rejected(RejectCode::InsufficientCash));
                let have = self.account.cash;
                self.push_rejection(execution.order, RejectCode::InsufficientCash, need, have);
                return;
            }
            self.push_event(execution.order, OrderEventKind::ResizedForCash, quantity);
            quantity = affordable;
        }
        let fill = self.push_fill(execution, quantity, price);
        self.add_to_position(execution, fill, quantity, held, price);
        self.finish(execution, quantity);
    }

    fn fee(&self, quantity: f64, price: f64) -> f64 {
        let basis = FeeBasis { quantity, price, multiplier: 1.0, ..FeeBasis::default() };
        self.conditions.commission.fee(&basis)
    }

    fn cost_of(&self, quantity: f64, price: f64) -> f64 {
        quantity * price + self.fee(quantity, price)
    }

    /// The largest number of whole lots up to `wanted` that cash can pay, in units.
    ///
    /// Bisection over lots: the cost rises with the quantity, whatever the fee model.
    fn affordable(&self, wanted: f64, price: f64) -> f64 {
        let per_unit = self.conditions.lots.per_unit();
        let (mut pays, mut fails) = (0.0, (wanted * per_unit).round());
        while fails - pays > 1.0 {
            let middle = f64::midpoint(pays, fails).floor();
            if self.cost_of(middle / per_unit, price)
                <= self.account.cash + self.account.tolerance()
            {
                pays = middle;
            } else {
                fails = middle;
            }
        }
        pays / per_unit
    }

    /// Writes the fill and moves the cash.
    fn push_fill(&mut self, execution: &Execution, quantity: f64, price: f64) -> u32 {
        let row = &self.ledger.orders[execution.order.index()];
        assert!(self.now > row.created, "a fill comes after its decision (A7)");
        let commission = self.fee(quantity, price);
        // Of the cash before the fill: that is what the cash test allowed.
        let tolerance = self.account.tolerance();
        self.account.cash -= execution.sign * quantity * price + commission;
        self.account.fees += commission;
        assert!(
            execution.sign < 0.0 || self.account.cash >= -2.0 * tolerance,
            "a cash account pays for what it opens (A4)"
        );
        let fill = u32::try_from(self.ledger.fills.len()).expect("fewer than 2^32 fills");
        self.ledger.fills.push(FillRow {
            timestamp: self.now,
            quantity: execution.sign * quantity,
            base_price: execution.base_price,
            price,
            commission,
            order: execution.order,
            asset: execution.asset,
            phase: execution.phase,
            reason: execution.reason,
            flags: execution.flags,
        });
        fill
    }

    fn close_lot(&mut self, execution: &Execution, fill: u32, closed: f64, held: f64) {
        let row = self.ledger.fills[fill as usize];
        let slippage = execution.sign * (row.price - row.base_price) * closed;
        let detail = self.positions.detail_mut(execution.asset);
        let share = closed / held.abs();
        let entry_commission = detail.fees_in * share;
        let entry_slippage = detail.slippage_in * share;
        detail.fees_in -= entry_commission;
        detail.slippage_in -= entry_slippage;
        let mut lot = lot_of(detail, closed, held.signum());
        lot.exit_fill = Some(fill);
        lot.exit_price = row.price;
        lot.entry_commission = entry_commission;
        lot.exit_commission = row.commission;
        lot.entry_slippage = entry_slippage;
        lot.exit_slippage = slippage;
        lot.exit_timestamp = self.now;
        lot.bars_held += u32::from(detail.entry_timestamp != self.now);
        lot.see(execution.seen.0, execution.seen.1);
        lot.flags = lot.flags.with(execution.flags);
        lot.reason = execution.reason;
        self.positions.set_quantity(
            execution.asset,
            held + execution.sign * closed,
            held.abs().max(closed),
        );
        lot.closes_position = self.positions.quantity(execution.asset) == 0.0;
        self.ledger.lots.push(lot);
    }

    fn add_to_position(
        &mut self,
        execution: &Execution,
        fill: u32,
        quantity: f64,
        held: f64,
        price: f64,
    ) {
        let row = self.ledger.fills[fill as usize];
        let slippage = execution.sign * (price - row.base_price) * quantity;
        let fill_of =
            Enlargement { timestamp: self.now, base: row.base_price, how: execution.entry };
        let detail = self.positions.detail_mut(execution.asset);
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
                ..PositionDetail::default()
            };
        } else {
            detail.entry_price =
                (held.abs() * detail.entry_price + quantity * price) / (held.abs() + quantity);
        }
        detail.fees_in += row.commission;
        detail.slippage_in += slippage;
        detail.flags = detail.flags.with(execution.flags);
        self.positions.set_quantity(
            execution.asset,
            held + execution.sign * quantity,
            held.abs().max(quantity),
        );
        if self.rules.is_active() {
            let facts = self.facts(execution.asset);
            let base = facts.entry_price;
            let entry = RuleEntry { base, water: price, is_new: held == 0.0 };
            self.rules.enter(execution.asset, &entry, &facts);
            if held == 0.0 {
                let levels = self.rules.first_levels(execution.asset, facts.side);
                let detail = self.positions.detail_mut(execution.asset);
                (detail.stop_level, detail.target_level) = levels;
            }
            if !self.enlarged.contains(&execution.asset.0) {
                self.enlarged.push(execution.asset.0);
            }
            self.set_guard(execution.asset);
        }
    }

    /// Books the filled quantity on the order and takes it off the book.
    fn finish(&mut self, execution: &Execution, quantity: f64) {
        let row = &mut self.ledger.orders[execution.order.index()];
        row.filled += execution.sign * quantity;
        assert!(row.filled.abs() <= row.quantity.abs(), "an order fills no more than it asks (A6)");
        self.end(execution, OrderStatus::Filled);
    }

    fn end(&mut self, execution: &Execution, status: OrderStatus) {
        let row = &mut self.ledger.orders[execution.order.index()];
        assert!(row.status == OrderStatus::Live, "an order ends once (A6)");
        row.status = status;
        if let Some(place) = execution.place {
            self.live.end(place);
        }
    }

    /// Cuts the closing orders of a position that shrank to what is left of it, and cancels those
    /// of a position that is gone, before anything else is matched.
    fn fit_reduce_only(&mut self, asset: AssetId) {
        if !self.live.has_reduce_only(asset) {
            return;
        }
        let left = self.positions.quantity(asset).abs();
        for place in 0..self.live.len() {
            let live = self.live.at(place);
            if live.asset != asset || !live.reduce_only || live.is_done {
                continue;
            }
            if left == 0.0 {
                self.cancel_at(place, CancelReason::PositionClosed);
            } else if exceeds(live.rest, left) {
                self.push_event(live.order, OrderEventKind::ResizedToPosition, live.rest);
                self.live.cut(place, left);
            }
        }
    }

    pub(super) fn cancel_at(&mut self, place: usize, reason: CancelReason) {
        let order = self.live.at(place).order;
        self.live.end(place);
        self.ledger.orders[order.index()].status = OrderStatus::Cancelled(reason);
        self.push_cancel(order, reason);
    }

    fn push_cancel(&mut self, order: OrderId, reason: CancelReason) {
        self.push_event(order, OrderEventKind::Cancelled(reason), f64::NAN);
    }

    pub(super) fn push_rejection(
        &mut self,
        order: OrderId,
        code: RejectCode,
        need: f64,
        have: f64,
    ) {
        self.ledger.rejections.push(RejectionRow { timestamp: self.now, order, code, need, have });
        self.push_event(order, OrderEventKind::Rejected(code), f64::NAN);
    }

    pub(super) fn push_event(&mut self, order: OrderId, kind: OrderEventKind, old: f64) {
        let fills_before = u32::try_from(self.ledger.fills.len()).expect("fewer than 2^32 fills");
        self.ledger.events.push(OrderEvent {
            timestamp: self.now,
            order,
            kind,
            old,
            new: f64::NAN,
            fills_before,
        });
    }

    /// Writes what is still open: live orders, and each position as a lot at its last mark.
    pub fn close_books(&mut self) {
        let live: Vec<OrderId> = self.live.iter().map(|live| live.order).collect();
        for order in live {
            self.ledger.orders[order.index()].status = OrderStatus::LiveAtEnd;
            self.push_event(order, OrderEventKind::LiveAtEnd, f64::NAN);
        }
        for &asset in self.positions.held() {
            let asset = AssetId(asset);
            let quantity = self.positions.quantity(asset);
            let detail = self.positions.detail(asset);
            let mut lot = lot_of(detail, quantity.abs(), quantity.signum());
            lot.exit_price = self.positions.mark(asset);
            lot.exit_timestamp = self.now;
            lot.entry_commission = detail.fees_in;
            lot.entry_slippage = detail.slippage_in;
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
