//! Margin calls, bankruptcy and portfolio limits (4.4, 6.2).

use tapeworks::broker::{
    AccountEventKind, CancelReason, ExitReason, LimitAction, LimitKind, Margin, MarginCallPolicy,
    OrderKind, OrderOrigin,
};

use super::Twin;
use super::book::Order;

impl Twin<'_> {
    fn maintenance(&self, asset: u32, units: f64) -> f64 {
        let terms = self.config.account;
        let mark = self.marks[asset as usize];
        let value = units.abs() * mark.abs() * self.multiplier(asset);
        match self.instrument(asset).maintenance_margin {
            Margin::Account if units > 0.0 => value * terms.maintenance_long,
            Margin::Account => value * terms.maintenance_short,
            Margin::Fraction(x) => value * x,
            Margin::PerContract(currency) => units.abs() * currency,
        }
    }

    pub(super) fn check_margin(&mut self) {
        let positions = self.positions_by_asset();
        if self.equity <= 0.0 && !positions.is_empty() && !self.is_closed {
            self.event(AccountEventKind::Bankruptcy, None, self.equity);
            self.is_closed = true;
            for id in self.live_ids() {
                self.cancel(id, CancelReason::AccountClosed);
            }
            for p in positions {
                self.margin_order(p.asset, -p.units);
            }
            return;
        }
        if self.pays_in_full() || self.is_closed {
            return;
        }
        let mut needs: Vec<(u32, f64, f64)> = positions
            .iter()
            .map(|p| (p.asset, p.units, self.maintenance(p.asset, p.units)))
            .collect();
        let need: f64 = needs.iter().map(|n| n.2).sum();
        let mut missing = need - self.equity;
        if missing <= 0.0 || positions.is_empty() {
            self.call_stands = false;
            return;
        }
        self.event(AccountEventKind::MarginCall, None, missing);
        self.call_stands = true;
        if self.config.account.margin_call != MarginCallPolicy::Liquidate {
            return;
        }
        needs.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
        for (asset, held, need) in needs {
            let waits: f64 = self
                .orders
                .iter()
                .filter(|o| o.is_live() && o.asset == asset && o.origin == OrderOrigin::MarginCall)
                .map(Order::rest)
                .sum();
            let per_unit = need / held.abs();
            missing -= waits * per_unit;
            if missing <= 0.0 {
                break;
            }
            let lots = (missing / per_unit * self.lots_per_unit(asset) - 1e-9).ceil();
            let units = (lots / self.lots_per_unit(asset)).min(held.abs() - waits);
            if units > 0.0 {
                self.margin_order(asset, -held.signum() * units);
                missing -= units * per_unit;
            }
        }
    }

    fn margin_order(&mut self, asset: u32, quantity: f64) {
        let reason = ExitReason::MarginCall;
        self.system_order(asset, quantity, OrderKind::Market, OrderOrigin::MarginCall, reason);
    }

    pub(super) fn check_limits(&mut self) {
        // Every row is a session: its close ends the halt of the one before.
        self.is_halted = false;
        // The chained return, of which capital that came or went is no part.
        let unit = self.session_base / self.index;
        let without_flow = self.equity - self.session_flow;
        self.index *= without_flow / self.session_base;
        self.peak = self.peak.max(self.index);
        for i in 0..self.config.limits.len() {
            let limit = &self.config.limits[i];
            let values: Vec<f64> = self
                .positions_by_asset()
                .iter()
                .map(|p| p.units * self.marks[p.asset as usize] * self.multiplier(p.asset))
                .collect();
            let gross: f64 = values.iter().map(|v| v.abs()).sum();
            let largest = values.iter().map(|v| v.abs()).fold(0.0, f64::max);
            let net = values.iter().sum::<f64>().abs();
            let (measured, is_passed) = match limit.kind {
                LimitKind::MaxDrawdown(x) => {
                    let drawdown = 1.0 - self.index / self.peak;
                    (drawdown, drawdown >= x)
                }
                LimitKind::DailyLoss(x) => {
                    let loss = 1.0 - (self.equity - self.session_flow) / self.session_base;
                    (loss, loss >= x)
                }
                LimitKind::GrossExposure(x) => (gross / self.equity, gross / self.equity > x),
                LimitKind::NetExposure(x) => (net / self.equity, net / self.equity > x),
                LimitKind::SymbolExposure(x) => (largest / self.equity, largest / self.equity > x),
                _ => continue,
            };
            let rearms = matches!(limit.kind, LimitKind::DailyLoss(_));
            if !is_passed {
                self.breached[i] = false;
                continue;
            }
            if self.breached[i] && !rearms {
                continue;
            }
            self.breached[i] = true;
            self.event(AccountEventKind::LimitBreach, None, measured);
            let fraction = match limit.action {
                LimitAction::Warn | LimitAction::Stop => continue,
                LimitAction::Halt => {
                    self.is_halted = true;
                    continue;
                }
                LimitAction::Reduce(fraction) => fraction,
                LimitAction::Liquidate => 1.0,
            };
            for p in self.positions_by_asset() {
                // What is queued already is on its way out.
                let queued: f64 = self
                    .orders
                    .iter()
                    .filter(|o| o.is_live() && o.asset == p.asset && o.kind == OrderKind::Market)
                    .filter(|o| o.origin == OrderOrigin::PortfolioLimit)
                    .map(Order::rest)
                    .sum();
                let left = (p.units.abs() - queued).max(0.0);
                let units = self.round(p.asset, p.units.abs() * fraction).min(left) * p.side();
                if units != 0.0 {
                    let origin = OrderOrigin::PortfolioLimit;
                    let reason = ExitReason::PortfolioLimit;
                    self.system_order(p.asset, -units, OrderKind::Market, origin, reason);
                }
            }
        }
        // Nothing has no return: there a flow leaves what is missing to the peak as it is.
        if self.session_flow != 0.0 && (without_flow <= 0.0 || self.equity <= 0.0) {
            let missing = (self.peak - self.index) * unit;
            self.index = self.equity;
            self.peak = self.equity + missing;
        }
    }
}
