//! The phases of a row in which everything happens at one price: its open and its close.

use super::bar::Quotes;
use super::codes::{OrderKind, OrderOrigin, Phase};
use super::cycle::{Broker, Hit};
use super::live::LiveOrder;
use super::matching::Touched;
use super::semantics::FillAt;
use crate::base::AssetId;

/// Who reduces first at the open.
const FORCED: [OrderOrigin; 3] =
    [OrderOrigin::MarginCall, OrderOrigin::PortfolioLimit, OrderOrigin::PositionRule];

impl Broker {
    /// Fills at the open everything that the open satisfies: rolls, then reduces (margin calls,
    /// portfolio limits, position rules, then orders by priority), then the rest by priority.
    pub(super) fn open_phase(&mut self, quotes: &impl Quotes) {
        self.watch(quotes);
        self.roll(quotes);
        if self.live.has_forced() {
            for origin in FORCED {
                self.reduce_at_open(quotes, |live| live.origin == origin);
            }
        }
        self.close_beyond_open(quotes);
        if self.live.is_empty() {
            return;
        }
        let mut at_open = std::mem::take(&mut self.at_open);
        at_open.clear();
        for place in 0..self.live.len() {
            let Some(touched) = self.touched_at_open(place, quotes) else { continue };
            if self.is_reduce(self.live.at(place)) {
                self.fill_order(place, Hit::of(&touched, Phase::Open), quotes);
            } else {
                at_open.push((place, touched));
            }
        }
        for (place, touched) in &at_open {
            if self.live.at(*place).is_open() {
                self.fill_order(*place, Hit::of(touched, Phase::Open), quotes);
            }
        }
        self.at_open = at_open;
        self.release_at_open(quotes);
        self.live.sweep();
    }

    /// Fills what waits for the close: first reduces, then opens.
    pub(super) fn close_phase(&mut self, quotes: &impl Quotes) {
        let market_waits = self.conditions.semantics.fill_at == FillAt::NextClose;
        if !self.live.has_on_close() && !market_waits {
            return;
        }
        for reduces in [true, false] {
            for place in 0..self.live.len() {
                let live = self.live.at(place);
                let kind = live.kind();
                let waits =
                    kind == OrderKind::MarketOnClose || (market_waits && kind == OrderKind::Market);
                // The second time round, what the others have turned into a reduce as well.
                if !live.is_open() || !waits || (reduces && !self.is_reduce(live)) {
                    continue;
                }
                let Some(bar) = self.row(live.asset, quotes) else { continue };
                let hit = Hit { phase: Phase::Close, ..Hit::at_open(bar.close) };
                // The whole row lies before this fill.
                let side = self.positions.quantity(live.asset).signum();
                let seen = if side < 0.0 { (bar.high, bar.low) } else { (bar.low, bar.high) };
                let seen = self.seen_until_close(live.asset, &bar, seen);
                self.fill_order(place, Hit { seen, ..hit }, quotes);
            }
        }
        self.live.sweep();
    }

    fn reduce_at_open(&mut self, quotes: &impl Quotes, is_turn: impl Fn(&LiveOrder) -> bool) {
        for place in 0..self.live.len() {
            if !is_turn(self.live.at(place)) {
                continue;
            }
            let Some(touched) = self.touched_at_open(place, quotes) else { continue };
            if self.is_reduce(self.live.at(place)) {
                self.fill_order(place, Hit::of(&touched, Phase::Open), quotes);
            }
        }
    }

    /// What the open of its row does to an order; `None` when it leaves it alone. A stop that is
    /// reached without a fill is noted.
    fn touched_at_open(&mut self, place: usize, quotes: &impl Quotes) -> Option<Touched> {
        let live = self.live.at(place);
        if !live.is_open() {
            return None;
        }
        let kind = live.kind();
        let market_waits = self.conditions.semantics.fill_at == FillAt::NextClose;
        if market_waits && kind == OrderKind::Market && live.origin == OrderOrigin::Strategy {
            return None;
        }
        let bar = self.row(live.asset, quotes)?;
        let touched = live.terms.at_open(kind, bar.open, &self.conditions.semantics);
        if live.is_rare() && !self.may_fill_now(place) {
            return None;
        }
        if touched.is_triggered {
            self.note_trigger(place);
        }
        touched.fills().then_some(touched)
    }

    /// Fires the levels of rules that the open lies beyond, one after the other.
    pub(super) fn close_beyond_open(&mut self, quotes: &impl Quotes) {
        for at in 0..self.watched.len() {
            let asset = AssetId(self.watched[at]);
            let Some(bar) = self.row(asset, quotes) else { continue };
            if self.has_rule_order(asset) {
                continue;
            }
            // A ladder has a handful of steps; each turn takes one.
            loop {
                let side = self.positions.quantity(asset).signum();
                if side == 0.0 {
                    break;
                }
                let (adverse, favourable) = self.levels(asset);
                let beyond = adverse
                    .filter(|level| side * bar.open <= side * level.price)
                    .or(favourable.filter(|level| side * bar.open >= side * level.price));
                let Some(level) = beyond else { break };
                let before = (self.ledger.fills.len(), self.ledger.orders.len());
                self.fill_rule(asset, level, Hit::at_open(bar.open), quotes);
                let after = (self.ledger.fills.len(), self.ledger.orders.len());
                // A step of a ladder that is less than a lot is passed without a fill.
                let is_stuck = before == after && self.levels(asset) == (adverse, favourable);
                if is_stuck || self.has_rule_order(asset) {
                    break;
                }
            }
        }
    }

    /// Whether a rule already has an order for this asset in the book.
    pub(super) fn has_rule_order(&self, asset: AssetId) -> bool {
        self.live.has_forced()
            && self
                .live
                .iter()
                .any(|live| live.asset == asset && live.origin == OrderOrigin::PositionRule)
    }
}
