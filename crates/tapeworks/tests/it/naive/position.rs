//! What a fill does to cash and position (4.1, 4.4, 5.1), and the lots and extremes (5.2, 5.4).

use tapeworks::broker::ExitReason;

use super::Twin;
use super::book::{Fill, Hit, How, Lot, Position, Start};

impl Twin<'_> {
    pub(super) fn apply(&mut self, id: u32, q: f64, price: f64, fee: f64, hit: Hit) {
        let order = self.order(id).clone();
        let (asset, d) = (order.asset, order.d);
        let m = self.multiplier(asset);
        let held = self.held(asset);
        let is_future = self.instrument(asset).is_future;
        let mut closed = if held * d < 0.0 { q.min(held.abs()) } else { 0.0 };
        if (q - closed).abs() <= Self::dust(held) {
            closed = if held * d < 0.0 { q } else { 0.0 };
        }
        let opened = q - closed;
        let (fee_closed, fee_opened) = (fee * (closed / q), fee * (opened / q));
        if is_future {
            if let Some(p) = self.positions.iter_mut().find(|p| p.asset == asset) {
                self.cash += p.units * m * (price - p.settle);
                p.settle = price;
            }
            self.cash -= fee;
        } else {
            self.cash -= d * q * price * m + fee;
            let proceeds = -(d * closed * price * m + fee_closed);
            let days = self.config.account.settlement_days as usize;
            if closed > 0.0 && proceeds > 0.0 && days > 0 {
                self.unsettled.push((self.session + days, proceeds));
            }
        }
        self.totals.fees += fee;
        let fill = u32::try_from(self.fills.len()).expect("few fills");
        self.fills.push(Fill {
            bar: self.bar,
            order: id,
            asset,
            quantity: d * q,
            base: hit.base,
            price,
            commission: fee,
            phase: hit.phase,
            reason: order.reason,
            flags: hit.flags,
            reduces: closed > 0.0,
        });
        let slippage = d * (price - hit.base) * m;
        if closed > 0.0 {
            self.shrink(
                asset,
                closed,
                price,
                fee_closed,
                slippage * closed,
                fill,
                order.reason,
                hit,
            );
        }
        if opened > 0.0 {
            self.grow(id, opened, price, fee_opened, slippage * opened, fill, hit);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the figures of one fill")]
    fn grow(
        &mut self,
        id: u32,
        units: f64,
        price: f64,
        fee: f64,
        slippage: f64,
        fill: u32,
        hit: Hit,
    ) {
        let (asset, d) = (self.order(id).asset, self.order(id).d);
        let start = Start { bar: self.bar, side: d, how: hit.how, base: hit.base };
        if let Some(p) = self.positions.iter_mut().find(|p| p.asset == asset) {
            let held = p.units.abs();
            p.average = (held * p.average + units * price) / (held + units);
            p.units += d * units;
            p.fees_in += fee;
            p.slippage_in += slippage;
            p.flags |= hit.flags;
            p.last = start;
            return;
        }
        self.positions.push(Position {
            asset,
            units: d * units,
            average: price,
            fees_in: fee,
            slippage_in: slippage,
            settle: price,
            entry: start,
            entry_units: units,
            last: start,
            entry_fill: fill,
            entry_order: id,
            best: price,
            worst: price,
            bars_held: 0,
            bars_to_best: 0,
            bars_to_worst: 0,
            flags: hit.flags,
            steps_done: Vec::new(),
            steps_left: Vec::new(),
            taken: Vec::new(),
        });
        self.take_columns_at_entry(asset);
    }

    #[expect(clippy::too_many_arguments, reason = "the figures of one fill")]
    fn shrink(
        &mut self,
        asset: u32,
        units: f64,
        price: f64,
        fee: f64,
        slippage: f64,
        fill: u32,
        reason: ExitReason,
        hit: Hit,
    ) {
        let [open, high, low, _] = self.tradable(asset).expect("a fill has a row").ohlc;
        let dust = Self::dust(self.held(asset));
        let i = self.positions.iter().position(|p| p.asset == asset).expect("it reduces");
        let p = &mut self.positions[i];
        let side = p.units.signum();
        let share = units / p.units.abs();
        let (fees, slippage_in) = (p.fees_in * share, p.slippage_in * share);
        p.fees_in -= fees;
        p.slippage_in -= slippage_in;
        p.units -= side * units;
        if p.units.abs() <= dust {
            p.units = 0.0;
        }
        let same_row = p.entry.bar == self.bar;
        let now = p.bars_held + u32::from(!same_row);
        // The extremes of the exit row up to the exit; in the entry row nothing before the entry.
        let best_of = |a: f64, b: f64| if side > 0.0 { a.max(b) } else { a.min(b) };
        let (favourable, adverse) = if side > 0.0 { (high, low) } else { (low, high) };
        let (up, down) = match hit.how {
            How::AtOpen => (open, open),
            How::WithParent => (hit.base, hit.base),
            How::TouchedStop if same_row && p.entry.how != How::AtOpen => (hit.base, hit.base),
            How::TouchedStop => (best_of(open, hit.base), hit.base),
            How::TouchedLimit => (hit.base, adverse),
            How::AtClose if same_row && p.entry.how == How::AtClose => (p.best, p.worst),
            How::AtClose if same_row && p.entry.how == How::TouchedLimit => {
                (best_of(hit.base, p.entry.base), adverse)
            }
            How::AtClose => (favourable, adverse),
        };
        let (mut best, mut to_best) = (best_of(p.best, p.average), p.bars_to_best);
        if side * (up - best) > 0.0 {
            (best, to_best) = (up, now);
        }
        let worst_of = |a: f64, b: f64| if side > 0.0 { a.min(b) } else { a.max(b) };
        let (mut worst, mut to_worst) = (worst_of(p.worst, p.average), p.bars_to_worst);
        if side * (down - worst) < 0.0 {
            (worst, to_worst) = (down, now);
        }
        self.lots.push(Lot {
            exit_fill: Some(fill),
            entry_fill: p.entry_fill,
            quantity: units,
            side,
            entry_price: p.average,
            exit_price: price,
            entry_commission: fees,
            exit_commission: fee,
            entry_slippage: slippage_in,
            exit_slippage: slippage,
            best,
            worst,
            bars_held: now,
            bars_to_best: to_best,
            bars_to_worst: to_worst,
            flags: p.flags | hit.flags,
            reason,
            closes: p.units == 0.0,
        });
        if p.units == 0.0 {
            self.positions.remove(i);
        }
    }

    /// Phase 5: extremes and age of what is held, of tradable rows only.
    pub(super) fn move_water_marks(&mut self) {
        for i in 0..self.positions.len() {
            let Some(row) = self.tradable(self.positions[i].asset) else { continue };
            let [_, high, low, close] = row.ohlc;
            let bar = self.bar;
            let p = &mut self.positions[i];
            let side = p.side();
            let (mut up, mut down) = if side > 0.0 { (high, low) } else { (low, high) };
            if p.entry.bar == bar {
                match p.entry.how {
                    How::TouchedLimit | How::WithParent if side > 0.0 => {
                        up = p.entry.base.max(close);
                    }
                    How::TouchedLimit | How::WithParent => up = p.entry.base.min(close),
                    How::AtClose => (up, down) = (p.best, p.worst),
                    How::AtOpen | How::TouchedStop => {}
                }
            } else {
                p.bars_held += 1;
            }
            if side * (up - p.best) > 0.0 {
                p.best = up;
                p.bars_to_best = p.bars_held;
            }
            if side * (down - p.worst) < 0.0 {
                p.worst = down;
                p.bars_to_worst = p.bars_held;
            }
        }
    }

    pub(super) fn end(&mut self) {
        for p in self.positions_by_asset() {
            let side = p.side();
            let further = |a: f64, b: f64, up: f64| if up > 0.0 { a.max(b) } else { a.min(b) };
            self.lots.push(Lot {
                exit_fill: None,
                entry_fill: p.entry_fill,
                quantity: p.units.abs(),
                side,
                entry_price: p.average,
                exit_price: self.marks[p.asset as usize],
                entry_commission: p.fees_in,
                exit_commission: 0.0,
                entry_slippage: p.slippage_in,
                exit_slippage: 0.0,
                best: further(p.best, p.average, side),
                worst: further(p.worst, p.average, -side),
                bars_held: p.bars_held,
                bars_to_best: p.bars_to_best,
                bars_to_worst: p.bars_to_worst,
                flags: p.flags,
                reason: ExitReason::EndOfRun,
                closes: false,
            });
        }
        for order in &mut self.orders {
            if order.is_live() {
                order.status = tapeworks::broker::OrderStatus::LiveAtEnd;
            }
        }
    }
}
