//! Position rules (6.1): resting levels, and conditions that are looked at when a row has ended.

use tapeworks::broker::{ExitReason, OrderKind, OrderOrigin, PositionRule, ScaledOf};

use super::Twin;
use super::book::{Hit, Position};

/// A price at which a rule fires.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    pub price: f64,
    pub is_target: bool,
    pub reason: ExitReason,
    step: Option<(usize, usize)>,
    fraction: f64,
    of: ScaledOf,
}

fn flat(rules: &[PositionRule]) -> Vec<&PositionRule> {
    let mut list = Vec::new();
    for rule in rules {
        match rule {
            PositionRule::Any(inner) => list.extend(flat(inner)),
            rule => list.push(rule),
        }
    }
    list
}

impl Twin<'_> {
    pub(super) fn rules_of(&self, asset: u32) -> &[PositionRule] {
        self.asset_rules[asset as usize].as_ref().unwrap_or(&self.run_rules)
    }

    /// The value of a column in the row of a bar; NaN without one.
    pub(super) fn column(&self, bar: usize, asset: u32, name: &str) -> f64 {
        let at = self.market.signals.iter().position(|s| s == name).expect("a column of the run");
        self.market.row(bar, asset).map_or(f64::NAN, |row| row.signals[at])
    }

    /// The last value that the column had before this row, back to the row before the entry.
    fn column_before(&self, asset: u32, name: &str) -> f64 {
        let entry =
            self.positions.iter().find(|p| p.asset == asset).map_or(self.bar, |p| p.entry.bar);
        let has_row = |bar: &usize| self.market.row(*bar, asset).is_some();
        let first = (0..entry).rev().find(has_row).unwrap_or(entry);
        let counts = |bar: &usize| *bar == first || self.tradable_at(*bar, asset).is_some();
        let bars = (first..self.bar).rev().filter(counts);
        let mut values = bars.map(|bar| self.column(bar, asset, name));
        values.find(|value| value.is_finite()).unwrap_or(f64::NAN)
    }

    /// The close of the last tradable row before this one.
    fn close_before(&self, asset: u32) -> f64 {
        let mut rows = (0..self.bar).rev().filter_map(|bar| self.tradable_at(bar, asset));
        rows.next().map_or(f64::NAN, |row| row.ohlc[3])
    }

    /// All levels of a position, stops first, each kind nearest first.
    pub(super) fn levels(&self, asset: u32) -> Vec<Level> {
        let Some(p) = self.positions.iter().find(|p| p.asset == asset) else { return Vec::new() };
        let side = p.side();
        let away = |base: f64, x: f64| base * if side > 0.0 { 1.0 - x } else { 1.0 + x };
        let mut levels = Vec::new();
        let mut push = |price: f64, is_target: bool, reason: ExitReason, fraction: f64| {
            let of = ScaledOf::Initial;
            levels.push(Level { price, is_target, reason, step: None, fraction, of });
        };
        for (i, rule) in flat(self.rules_of(asset)).into_iter().enumerate() {
            match rule {
                PositionRule::StopLoss(x) => {
                    push(away(p.average, *x), false, ExitReason::StopLoss, 1.0);
                }
                PositionRule::TakeProfit(x) => {
                    push(away(p.average, -x), true, ExitReason::TakeProfit, 1.0);
                }
                PositionRule::TrailingStop(x) => {
                    push(away(p.best, *x), false, ExitReason::Trailing, 1.0);
                }
                PositionRule::TrailingAmount(a) => {
                    push(p.best - side * a, false, ExitReason::Trailing, 1.0);
                }
                PositionRule::TighteningTrail(steps) => {
                    // On the entry row there is no close of this position yet.
                    let is_new = p.entry.bar == self.bar;
                    let close = if is_new { p.average } else { self.close_before(asset) };
                    let gain = side * (close / p.average - 1.0);
                    let reached = steps.iter().rev().find(|step| gain >= step.0);
                    let x = reached.unwrap_or(&steps[0]).1;
                    push(away(p.best, x), false, ExitReason::Trailing, 1.0);
                }
                PositionRule::VolatilityStop { multiple, .. } => {
                    if let Some(taken) = p.taken.iter().find(|taken| taken.0 == i) {
                        let price = p.average - side * multiple * taken.1;
                        push(price, false, ExitReason::VolatilityStop, 1.0);
                    }
                }
                PositionRule::VolatilityTrail { multiple, column } => {
                    let price = p.best - side * multiple * self.column_before(asset, column);
                    if price.is_finite() {
                        push(price, false, ExitReason::VolatilityStop, 1.0);
                    }
                }
                PositionRule::ScaledExit { .. }
                | PositionRule::TimeExit(_)
                | PositionRule::SignalExit { .. }
                | PositionRule::All(_)
                | PositionRule::Any(_) => {}
            }
        }
        for (i, rule) in flat(self.rules_of(asset)).into_iter().enumerate() {
            let PositionRule::ScaledExit { steps, of } = rule else { continue };
            for (k, &(gain, fraction)) in steps.iter().enumerate() {
                if !p.steps_done.contains(&(i, k)) {
                    levels.push(Level {
                        price: away(p.average, -gain),
                        is_target: true,
                        reason: ExitReason::Scaled,
                        step: Some((i, k)),
                        fraction,
                        of: *of,
                    });
                }
            }
        }
        levels.retain(|level| self.is_armed(asset, level));
        levels.sort_by(|a, b| {
            let key = |level: &Level| {
                if level.is_target { side * level.price } else { -side * level.price }
            };
            // At one price the stop loss comes first.
            let late = |level: &Level| level.reason != ExitReason::StopLoss;
            a.is_target
                .cmp(&b.is_target)
                .then(key(a).total_cmp(&key(b)))
                .then(late(a).cmp(&late(b)))
        });
        levels
    }

    /// A rule that has fired and could not fill completely has an order at work.
    fn is_armed(&self, asset: u32, level: &Level) -> bool {
        !self.orders.iter().any(|o| {
            o.asset == asset
                && o.is_live()
                && o.origin == OrderOrigin::PositionRule
                && (o.is_triggered
                    || o.kind == OrderKind::Market
                    || (o.kind == OrderKind::Limit && o.reason == level.reason))
        })
    }

    fn mark_of(&self, asset: u32) -> f64 {
        self.marks[asset as usize]
    }

    /// Fires a level; false when nothing of it can happen in this row.
    pub(super) fn exit_by_rule(&mut self, asset: u32, level: &Level, hit: Hit) -> bool {
        let held = self.held(asset);
        let i =
            self.positions.iter().position(|p| p.asset == asset).expect("levels have positions");
        let mut units = held.abs();
        // Of a target an order is written for what fits into the cap; the rest waits on.
        let cap = self.cap_left(asset).max(0.0);
        let fits = if cap < units { self.round(asset, cap) } else { units };
        if let Some(step) = level.step {
            let whole = match level.of {
                ScaledOf::Initial => self.positions[i].entry_units,
                ScaledOf::Remaining => held.abs(),
            };
            let begun =
                self.positions[i].steps_left.iter().find(|left| left.0 == step).map(|l| l.1);
            let wanted = begun.unwrap_or_else(|| self.round(asset, whole * level.fraction));
            units = wanted.min(held.abs());
            // A step of nothing is done; all else of a target waits for volume.
            if units > 0.0 && fits == 0.0 {
                return false;
            }
            self.positions[i].steps_left.retain(|left| left.0 != step);
            if fits < units {
                self.positions[i].steps_left.push((step, units - fits));
            } else {
                self.positions[i].steps_done.push(step);
            }
            if units == 0.0 {
                return true;
            }
        }
        if level.is_target && fits == 0.0 {
            return false;
        }
        if level.is_target && fits < units {
            units = fits;
        }
        let kind = if level.is_target { OrderKind::Limit } else { OrderKind::Stop };
        let id = self.system_order(
            asset,
            -held.signum() * units,
            kind,
            OrderOrigin::PositionRule,
            level.reason,
        );
        let bar = self.bar;
        let order = self.order_mut(id);
        order.from_bar = bar;
        if level.is_target {
            order.limit = level.price;
        } else {
            order.stop = level.price;
        }
        self.take_turn(id, hit);
        true
    }

    /// What a volatility stop can take when the position begins.
    pub(super) fn take_columns_at_entry(&mut self, asset: u32) {
        let p = self.positions.iter().find(|p| p.asset == asset).expect("just opened");
        // The last row at the decision, else the first later one with a value.
        let decided = self.order(p.entry_order).created;
        let has_row = |&bar: &usize| self.market.row(bar, asset).is_some();
        let last = (0..=decided).rev().find(has_row);
        for bar in last.into_iter().chain((decided + 1..self.bar).filter(has_row)) {
            self.take_columns(asset, bar);
        }
    }

    fn take_columns(&mut self, asset: u32, bar: usize) {
        let mut taken = Vec::new();
        let p = self.positions.iter().find(|p| p.asset == asset).expect("asked with a position");
        for (i, rule) in flat(self.rules_of(asset)).into_iter().enumerate() {
            let PositionRule::VolatilityStop { column, .. } = rule else { continue };
            let value = self.column(bar, asset, column);
            if value.is_finite() && !p.taken.iter().any(|taken| taken.0 == i) {
                taken.push((i, value));
            }
        }
        let p = self.positions.iter_mut().find(|p| p.asset == asset).expect("found above");
        p.taken.extend(taken);
    }

    /// Phase 5: conditions at the close queue market orders for the next row.
    pub(super) fn queue_rule_exits(&mut self) {
        for p in self.positions_by_asset() {
            if self.tradable(p.asset).is_none() {
                continue;
            }
            self.take_columns(p.asset, self.bar);
            let is_queued = self.orders.iter().any(|o| {
                o.asset == p.asset
                    && o.is_live()
                    && o.origin == OrderOrigin::PositionRule
                    && (o.kind == OrderKind::Market || o.is_triggered)
            });
            if is_queued {
                continue;
            }
            let reason = flat(self.rules_of(p.asset)).into_iter().find_map(|rule| match rule {
                PositionRule::TimeExit(_) if self.holds(&p, rule) => Some(ExitReason::Time),
                PositionRule::SignalExit { .. } if self.holds(&p, rule) => {
                    Some(ExitReason::SignalExit)
                }
                PositionRule::All(_) if self.holds(&p, rule) => Some(ExitReason::AllRules),
                _ => None,
            });
            if let Some(reason) = reason {
                let origin = OrderOrigin::PositionRule;
                self.system_order(p.asset, -p.units, OrderKind::Market, origin, reason);
            }
        }
    }

    /// Whether a condition is true at the close of this row.
    fn holds(&self, p: &Position, rule: &PositionRule) -> bool {
        let side = p.side();
        let close = self.mark_of(p.asset);
        match rule {
            PositionRule::TimeExit(n) => p.bars_held >= *n,
            PositionRule::SignalExit { column, threshold } => {
                side * self.column(self.bar, p.asset, column) < -threshold
            }
            PositionRule::StopLoss(x) => {
                side * (close - p.average * if side > 0.0 { 1.0 - x } else { 1.0 + x }) <= 0.0
            }
            PositionRule::TakeProfit(x) => {
                side * (close - p.average * if side > 0.0 { 1.0 + x } else { 1.0 - x }) >= 0.0
            }
            PositionRule::All(rules) => rules.iter().all(|rule| self.holds(p, rule)),
            PositionRule::Any(rules) => rules.iter().any(|rule| self.holds(p, rule)),
            _ => unreachable!("the twin draws four conditions"),
        }
    }
}
