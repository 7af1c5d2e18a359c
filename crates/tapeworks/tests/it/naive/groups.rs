//! Brackets, one-cancels-other groups, orders after orders, orphans (2.3).

use tapeworks::broker::{CancelReason, OrderKind, OrderStatus};
use tapeworks::engine::{ExitPrice, ReleaseOn};

use super::Twin;
use super::book::{ChildOf, Hit, How, Start};
use super::matching::at_price;

impl Twin<'_> {
    /// Ends an order that has not ended, and those that hung on it.
    pub(super) fn end_order(&mut self, id: u32, status: OrderStatus) {
        if !self.order(id).is_open() {
            return;
        }
        self.order_mut(id).status = status;
        self.after_end(id);
    }

    /// Children that can never be released go with their parent.
    pub(super) fn after_end(&mut self, id: u32) {
        for child in self.children(id) {
            let has_nothing = self.order(id).filled == 0.0;
            let waits_for_all = self.order(child).child_of == ChildOf::Oto(ReleaseOn::Complete);
            let is_held = self.order(child).status == OrderStatus::Held;
            if is_held && (has_nothing || waits_for_all) {
                self.cancel(child, CancelReason::ParentDone);
            }
        }
    }

    fn children(&self, id: u32) -> Vec<u32> {
        self.orders.iter().filter(|o| o.parent == Some(id)).map(|o| o.id).collect()
    }

    /// Children, siblings and orphans of a fill, in this order.
    pub(super) fn after_fill(&mut self, id: u32, q: f64, price: f64, hit: Hit) {
        let released = self.release(id, price, hit);
        self.tell_siblings(id, q);
        self.follow_position(self.order(id).asset);
        if hit.how == How::AtClose {
            return;
        }
        let how = if hit.how == How::AtOpen { How::AtOpen } else { How::WithParent };
        for child in released {
            if !self.order(child).is_live() || self.order(child).from_bar > self.bar {
                continue;
            }
            if how == How::AtOpen {
                self.late.push((child, hit.base));
            }
        }
    }

    /// Children that the open had satisfied already, once the other orders had their turn there.
    pub(super) fn fire_late(&mut self) {
        for (child, base) in std::mem::take(&mut self.late) {
            if self.order(child).is_live() {
                let met = at_price(&self.order(child).clone(), base, How::AtOpen);
                self.act_on(child, met);
            }
        }
    }

    fn release(&mut self, id: u32, price: f64, hit: Hit) -> Vec<u32> {
        let parent = self.order(id).clone();
        // The notional over one fill's size is not always that fill's price to the last bit.
        let is_one_fill = parent.filled_notional == parent.filled * price;
        let average = if is_one_fill { price } else { parent.filled_notional / parent.filled };
        let start = Start { bar: self.bar, side: parent.d, how: hit.how, base: hit.base };
        let mut released = Vec::new();
        let held = self.held(parent.asset);
        for child in self.children(id) {
            if !self.order(child).is_open() {
                continue;
            }
            let is_complete = parent.status == OrderStatus::Filled;
            let child_of = self.order(child).child_of;
            let was_held = self.order(child).status == OrderStatus::Held;
            match child_of {
                ChildOf::Nobody => continue,
                ChildOf::Oto(ReleaseOn::Complete) if !is_complete => continue,
                ChildOf::Oto(_) if !was_held => continue,
                ChildOf::Oto(_) => {}
                ChildOf::Bracket(exit) => {
                    let order = self.order_mut(child);
                    order.total = parent.filled - order.taken_by_siblings;
                    if let Some(ExitPrice::Fraction(x)) = exit {
                        let up = match order.kind {
                            OrderKind::Limit => parent.d,
                            _ => -parent.d,
                        };
                        let level = average * if up > 0.0 { 1.0 + x } else { 1.0 - x };
                        if order.kind == OrderKind::Limit {
                            order.limit = level;
                        } else {
                            order.stop = level;
                        }
                    }
                }
            }
            let bar = self.bar;
            let order = self.order_mut(child);
            order.status = OrderStatus::Live;
            order.start = Some(start);
            // What closes the position meets the rest of this row; all else the rows after it.
            let opposes = held * order.d < 0.0 && order.asset == parent.asset;
            let now = opposes && hit.how != How::AtClose;
            order.from_bar = if now { bar } else { bar + 1 };
            if was_held && order.trail.is_some() {
                order.water = price;
            }
            released.push(child);
        }
        released
    }

    /// A fill of k units of one sibling takes k from the others; its end by filling ends them.
    fn tell_siblings(&mut self, id: u32, q: f64) {
        let order = self.order(id).clone();
        if order.group == 0 {
            return;
        }
        let siblings: Vec<u32> = self
            .orders
            .iter()
            .filter(|o| o.group == order.group && o.id != id && o.is_open())
            .map(|o| o.id)
            .collect();
        for sibling in siblings {
            let other = self.order_mut(sibling);
            other.total -= q;
            other.taken_by_siblings += q;
            if order.status == OrderStatus::Filled || other.rest() <= 1e-12 {
                self.cancel(sibling, CancelReason::Oco);
            }
        }
    }

    /// Orders that only reduce follow the position at once.
    fn follow_position(&mut self, asset: u32) {
        let held = self.held(asset);
        for id in self.live_ids() {
            let order = self.order_mut(id);
            if order.asset != asset || !order.reduce_only {
                continue;
            }
            if held * order.d >= 0.0 {
                self.cancel(id, CancelReason::PositionClosed);
            } else if order.rest() > held.abs() {
                order.total = order.filled + held.abs();
            }
        }
    }
}
