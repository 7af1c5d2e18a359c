//! Clock, time costs, marks (1.1 phases 0, 1, 5; 3.6; 4.1; 4.4).

use tapeworks::broker::{AccountEventKind, ExpireReason, OrderKind, TimeInForce};

use super::Twin;
use super::book::{How, State};
use super::matching::range_after;
use crate::market::at;

const DAY_S: f64 = 86_400.0;

impl Twin<'_> {
    /// Phase 0: each bar is a session of its own.
    pub(super) fn clock(&mut self) {
        let ids: Vec<u32> = self.orders.iter().filter(|o| o.is_open()).map(|o| o.id).collect();
        for id in ids {
            match self.order(id).tif {
                TimeInForce::Day if self.order(id).day_session < self.session => {
                    self.expire(id, ExpireReason::DayEnd);
                }
                TimeInForce::Gtd(until) if until < at(self.bar) => {
                    self.expire(id, ExpireReason::GtdPassed);
                }
                _ => {}
            }
        }
        let session = self.session;
        self.unsettled.retain(|&(due, _)| due > session);
        self.session_base = self.equity;
        self.session_flow = 0.0;
        self.session_orders = 0;
    }

    /// Phase 1: time costs since the session before, then capital flows.
    pub(super) fn before_the_open(&mut self) {
        let now = at(self.bar);
        let before = self.session.checked_sub(1).map(|k| at(self.bars[k]));
        if let Some(before) = before {
            let terms = self.config.account;
            // A year of 252 days counts sessions; this is the first since the one before.
            let elapsed = (now - before) as f64 / 1e9 / DAY_S;
            let days = if terms.day_count == 252.0 { 1.0 } else { elapsed };
            for p in self.positions_by_asset() {
                let own = self.instrument(p.asset).borrow_rate;
                let rate = if own.is_nan() { terms.borrow_rate } else { own };
                let value = p.units.abs() * self.marks[p.asset as usize] * self.multiplier(p.asset);
                let cost = value * rate * days / terms.day_count;
                if p.units < 0.0 && cost != 0.0 {
                    self.cash -= cost;
                    self.totals.borrow += cost;
                    self.event(AccountEventKind::Borrow, Some(p.asset), -cost);
                }
            }
            let unsettled: f64 = self.unsettled.iter().map(|u| u.1).sum();
            let settled = self.cash - unsettled;
            let rate = if settled > 0.0 { terms.credit_rate } else { terms.debit_rate };
            let interest = settled * rate * days / terms.day_count;
            if interest != 0.0 {
                self.cash += interest;
                self.totals.interest += interest;
                self.event(AccountEventKind::Interest, None, interest);
            }
            self.fund(|f| before < f && f < now);
        }
        for &(f, amount) in &self.config.flows {
            if f <= now && before.is_none_or(|before| before < f) {
                self.cash += amount;
                self.totals.flows += amount;
                self.session_flow += amount;
                self.event(AccountEventKind::Flow, None, amount);
            }
        }
    }

    fn fund(&mut self, is_due: impl Fn(i64) -> bool) {
        let mut due: Vec<_> = self.config.funding.iter().filter(|f| is_due(f.0)).collect();
        due.sort_by_key(|f| f.0);
        for (_, symbol, rate) in due {
            let symbols = &self.market.symbols;
            let asset = symbols.iter().position(|s| s == symbol).expect("a symbol of the run");
            let asset = u32::try_from(asset).expect("few symbols");
            let cost =
                self.held(asset) * self.marks[asset as usize] * self.multiplier(asset) * rate;
            if self.held(asset) != 0.0 && cost != 0.0 {
                self.cash -= cost;
                self.totals.funding += cost;
                self.event(AccountEventKind::Funding, Some(asset), -cost);
            }
        }
    }

    /// Phase 5 up to the marks: closes, variation, funding of this instant, extremes, trails.
    pub(super) fn mark(&mut self) {
        for asset in 0..self.n_assets() {
            if let Some(row) = self.market.row(self.bar, asset)
                && row.ohlc[3].is_finite()
            {
                self.marks[asset as usize] = row.ohlc[3];
            }
        }
        for i in 0..self.positions.len() {
            let asset = self.positions[i].asset;
            if self.instrument(asset).is_future {
                let mark = self.marks[asset as usize];
                let p = &mut self.positions[i];
                let gain = p.units * (mark - p.settle);
                p.settle = mark;
                self.cash += gain * self.multiplier(asset);
            }
        }
        let now = at(self.bar);
        self.fund(|f| f == now);
        self.move_water_marks();
        self.move_trails();
        self.equity = self.equity_at_marks();
    }

    pub(super) fn equity_at_marks(&self) -> f64 {
        let value: f64 = self
            .positions_by_asset()
            .iter()
            .map(|p| {
                let mark = self.marks[p.asset as usize];
                let is_future = self.instrument(p.asset).is_future;
                let price = if is_future { mark - p.settle } else { mark };
                p.units * self.multiplier(p.asset) * price
            })
            .sum();
        self.cash + value
    }

    /// Trailing orders follow the price of the row that has ended.
    fn move_trails(&mut self) {
        for id in self.live_ids() {
            let order = self.order(id).clone();
            let is_trail = matches!(order.kind, OrderKind::Trailing | OrderKind::TrailingLimit);
            let Some(row) = self.tradable(order.asset) else { continue };
            if !is_trail {
                continue;
            }
            let mut best = if order.d < 0.0 { row.ohlc[1] } else { row.ohlc[2] };
            if let Some(start) = order.start
                && start.bar == self.bar
            {
                if start.how == How::AtClose {
                    continue;
                }
                let range = range_after(row.ohlc, start.side, start.how, start.base);
                best = if order.d < 0.0 { range.high } else { range.low };
            }
            let order = self.order_mut(id);
            if -order.d * (best - order.water) > 0.0 {
                order.water = best;
            }
            if let Some(activate) = order.trail.and_then(|trail| trail.activate)
                && -order.d * (best - activate) >= 0.0
            {
                order.is_dormant = false;
            }
        }
    }

    /// Phase 7.
    pub(super) fn seal(&mut self) {
        self.states.push(State {
            cash: self.cash,
            equity: self.equity,
            unsettled: self.unsettled.iter().map(|u| u.1).sum(),
            ..self.totals
        });
    }
}
