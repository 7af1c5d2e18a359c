//! What the end of a row does to positions and trails: excursions, age, water marks.

use super::bar::{Bar, Quotes};
use super::codes::Side;
use super::cycle::Broker;
use super::groups::trailing_limit;
use super::positions::Enlargement;
use super::reach::reach;
use super::semantics::{BarsHeld, EntryBar, Excursions, TrailPercent, WaterMark};
use crate::base::AssetId;

impl Broker {
    /// Ages the positions, extends their excursions by the rows' extremes, and lets trails follow.
    pub fn age(&mut self, quotes: &impl Quotes) {
        self.n_stale = 0;
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            self.age_position(asset, quotes);
        }
        if self.live.has_rare() {
            if self.conditions.semantics.fill_delay > 0 {
                self.shorten_delays(quotes);
            }
            self.follow_trails(quotes);
        }
    }

    /// Ages the positions that were entered after the callback of the row.
    pub(super) fn age_entered(&mut self, quotes: &impl Quotes) {
        for at in 0..self.positions.held().len() {
            let asset = AssetId(self.positions.held()[at]);
            let detail = self.positions.detail(asset);
            if detail.entry_timestamp == self.now && detail.last_row != self.now {
                self.age_position(asset, quotes);
            }
        }
    }

    #[inline]
    fn age_position(&mut self, asset: AssetId, quotes: &impl Quotes) {
        let excursions = self.conditions.semantics.excursions;
        let ages_always = self.conditions.semantics.bars_held == BarsHeld::AllRows;
        let side = self.positions.quantity(asset).signum();
        let (now, session) = (self.now, self.session);
        let row = self.row(asset, quotes);
        let detail = self.positions.detail_mut(asset);
        let Some(bar) = row else {
            // A row in which nothing can fill is a sign of life all the same.
            if quotes.range(asset).is_some() {
                detail.push_sighting(now, session);
            }
            self.n_stale += u32::from(detail.is_stale(session));
            if ages_always && detail.entry_timestamp != now {
                detail.bars_held += 1;
            }
            return;
        };
        detail.push_sighting(now, session);
        if detail.entry_timestamp != now {
            detail.bars_held += 1;
        }
        let bars = detail.bars_held;
        if excursions == Excursions::AfterEntry {
            let seen = reach(&detail.entry, side, &bar, now, EntryBar::AfterEntry);
            detail.push_favourable(side, seen.favourable, bars);
            detail.push_adverse(side, seen.adverse, bars);
        } else {
            detail.take_pending(side);
            let is_entry_row = detail.entry_timestamp == now;
            let at_close = match excursions {
                Excursions::Marks => true,
                Excursions::NotEntryRow => is_entry_row,
                Excursions::AfterEntry | Excursions::WholeRows => false,
            };
            detail.pending = match (at_close, side > 0.0) {
                (true, _) => (bar.close, bar.close),
                (false, true) => (bar.low, bar.high),
                (false, false) => (bar.high, bar.low),
            };
        }
        if self.rules.is_active() {
            let entry = self.positions.detail(asset).entry;
            let favourable = self.water_price(&entry, side, &bar);
            let facts = self.facts(asset);
            if self.rules.end_row(asset, &facts, favourable, bar.close, quotes) {
                self.set_guard(asset);
            }
        }
    }

    /// The price of a row that moves the water mark of a position; NaN when none does.
    fn water_price(&self, since: &Enlargement, side: f64, bar: &Bar) -> f64 {
        let semantics = &self.conditions.semantics;
        let is_entry_row = since.timestamp == self.now;
        if is_entry_row && !semantics.water_entry_row {
            return bar.close;
        }
        match semantics.water_mark {
            WaterMark::Close => bar.close,
            WaterMark::Extreme if semantics.entry_bar == EntryBar::AfterEntry => {
                reach(since, side, bar, self.now, EntryBar::AfterEntry).favourable
            }
            WaterMark::Extreme => {
                if side > 0.0 {
                    bar.high
                } else {
                    bar.low
                }
            }
        }
    }

    /// One row less to wait for every order whose symbol has had one.
    fn shorten_delays(&mut self, quotes: &impl Quotes) {
        for place in 0..self.live.len() {
            let has_row = self.row(self.live.at(place).asset, quotes).is_some();
            if let Some(rare) = self.live.rare_mut(place).filter(|_| has_row) {
                rare.delay = rare.delay.saturating_sub(1);
            }
        }
    }

    /// Moves the stops of trailing orders after the row that they were tested against.
    fn follow_trails(&mut self, quotes: &impl Quotes) {
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            let Some(rare) = self.live.rare(place) else { continue };
            if !live.is_open() || rare.trail.distance.is_nan() || live.is_triggered {
                continue;
            }
            let Some(bar) = self.row(live.asset, quotes) else { continue };
            let since = rare.since;
            let side = if live.terms.side == Side::Sell { 1.0 } else { -1.0 };
            let favourable = self.water_price(&since, side, &bar);
            let mut trail = rare.trail;
            let is_anew = trail.is_percent
                && self.conditions.semantics.trail_percent == TrailPercent::LastRow
                && !trail.water.is_nan();
            match live.terms.side {
                Side::Sell if is_anew => trail.water = favourable,
                Side::Buy if is_anew => {}
                side => trail.follow(side, favourable),
            }
            // The order sleeps until a row that has reached its activation price has ended.
            let reached = match live.terms.side {
                Side::Sell => favourable >= trail.activate,
                Side::Buy => favourable <= trail.activate,
            };
            if reached {
                trail.activate = f64::NAN;
            }
            self.set_trail(place, trail);
        }
    }

    /// Gives an order a trail, and the prices that follow from it.
    pub(super) fn set_trail(&mut self, place: usize, trail: super::matching::Trail) {
        let mut terms = self.live.at(place).terms;
        terms.stop = if trail.activate.is_nan() { trail.stop(terms.side) } else { f64::NAN };
        if !trail.limit_offset.is_nan() {
            terms.limit = trailing_limit(terms.side, terms.stop, trail.limit_offset);
        }
        self.live.set_terms(place, terms);
        if let Some(rare) = self.live.rare_mut(place) {
            rare.trail = trail;
        }
        let order = self.live.at(place).order;
        let row = &mut self.ledger.orders[order.index()];
        (row.stop, row.limit) = (terms.stop, terms.limit);
    }
}
