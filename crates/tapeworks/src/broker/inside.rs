//! What happens between a row's open and its close: entries touched, then levels that reduce.

use super::bar::{Bar, Quotes};
use super::codes::{FillFlags, OrderKind, Phase};
use super::cycle::{Broker, Hit, rule_terms};
use super::matching::Terms;
use super::positions::Entry;
use super::reach::reach;
use super::rules::Level;
use crate::base::AssetId;

/// A level that a row reached and that would reduce a position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    asset: AssetId,
    is_favourable: bool,
    /// The level, signed so that what the price meets first sorts first: on the way down the
    /// highest stop of a long, on the way up its lowest target.
    rank: f64,
    source: Source,
}

/// Where a candidate comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    Order(usize),
    Rule(Level),
}

impl Broker {
    pub(super) fn open_inside(&mut self, quotes: &impl Quotes) {
        for idx in 0..self.live.len() {
            let live = self.live.at(idx);
            if live.is_done || live.terms.kind == OrderKind::Market || self.is_reduce(&live) {
                continue;
            }
            let Some(bar) = quotes.tradable(live.asset) else { continue };
            let Some(price) = live.terms.price_inside(bar.low, bar.high) else { continue };
            let flags = limit_flags(&live.terms, &bar);
            let seen = (price, price);
            self.fill_order(
                idx,
                &live,
                Hit { base_price: price, phase: Phase::Inside, flags, seen },
            );
        }
    }

    pub(super) fn reduce_inside(&mut self, quotes: &impl Quotes) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        self.collect_orders(quotes, &mut candidates);
        if self.rules.is_active() {
            self.collect_rules(quotes, &mut candidates);
        }
        // Stable: equal levels keep submission order, rules after orders.
        candidates.sort_by(|a, b| {
            (a.asset, a.is_favourable)
                .cmp(&(b.asset, b.is_favourable))
                .then(a.rank.total_cmp(&b.rank))
        });
        for group in candidates.chunk_by(|a, b| a.asset == b.asset) {
            let both = group[0].is_favourable != group[group.len() - 1].is_favourable;
            for candidate in group {
                self.reduce(candidate, both, quotes);
            }
        }
        self.candidates = candidates;
    }

    fn collect_orders(&self, quotes: &impl Quotes, candidates: &mut Vec<Candidate>) {
        for idx in 0..self.live.len() {
            let live = self.live.at(idx);
            if live.is_done || live.terms.kind == OrderKind::Market || !self.is_reduce(&live) {
                continue;
            }
            let Some(bar) = quotes.tradable(live.asset) else { continue };
            let side = -live.sign();
            let reach = reach(&self.positions.detail(live.asset).entry, side, &bar, self.now);
            let (low, high) = reach.as_range(side);
            if let Some(price) = live.terms.price_inside(low, high) {
                let is_favourable = live.terms.kind == OrderKind::Limit;
                candidates.push(Candidate {
                    asset: live.asset,
                    is_favourable,
                    rank: rank(side, is_favourable, price),
                    source: Source::Order(idx),
                });
            }
        }
    }

    fn collect_rules(&self, quotes: &impl Quotes, candidates: &mut Vec<Candidate>) {
        let brought_in = self.watched.iter().filter(|asset| !self.enlarged.contains(asset));
        for &asset in brought_in.chain(&self.enlarged) {
            let asset = AssetId(asset);
            let side = self.positions.quantity(asset).signum();
            if self.positions.quantity(asset) == 0.0 {
                continue;
            }
            let Some(bar) = quotes.tradable(asset) else { continue };
            let (adverse, favourable) = self.levels(asset);
            let reach = reach(&self.positions.detail(asset).last, side, &bar, self.now);
            let mut push = |level: Level, is_favourable: bool| {
                candidates.push(Candidate {
                    asset,
                    is_favourable,
                    rank: rank(side, is_favourable, level.price),
                    source: Source::Rule(level),
                });
            };
            if let Some(level) = adverse.filter(|l| side * reach.adverse <= side * l.price) {
                push(level, false);
            }
            if let Some(level) = favourable.filter(|l| side * reach.favourable >= side * l.price) {
                push(level, true);
            }
        }
    }

    /// Closes what a candidate would close, unless an earlier one has left nothing of it.
    fn reduce(&mut self, candidate: &Candidate, both: bool, quotes: &impl Quotes) {
        let asset = candidate.asset;
        let quantity = self.positions.quantity(asset);
        match candidate.source {
            Source::Order(idx) if self.live.at(idx).is_done => return,
            // Its price has come, so it may not rest on: it is refused as at any other turn.
            Source::Order(idx) if quantity == 0.0 => {
                let live = self.live.at(idx);
                let hit = Hit::at_open(live.terms.level());
                return self.fill_order(idx, &live, Hit { phase: Phase::Inside, ..hit });
            }
            Source::Rule(_) if quantity == 0.0 => return,
            _ => {}
        }
        let side = quantity.signum();
        let bar = quotes.tradable(asset).expect("a candidate was made from this row");
        let detail = self.positions.detail(asset);
        // The levels of rules follow the average price, so they date from the last add.
        let (level, since) = match candidate.source {
            Source::Order(idx) => (self.live.at(idx).terms.level(), detail.entry),
            Source::Rule(level) => (level.price, detail.last),
        };
        let reach = reach(&detail.entry, side, &bar, self.now);
        // On the row of the entry a level may already lie behind it: it fires at the entry.
        let is_new = since.timestamp == self.now;
        let price = match (is_new, candidate.is_favourable) {
            (false, _) => level,
            (true, false) => side * (side * level).min(side * since.base),
            (true, true) => side * (side * level).max(side * since.base),
        };
        let mut flags = FillFlags::default();
        let uncertain_entry = is_new
            && since.how == Entry::Stop
            && !candidate.is_favourable
            && side * bar.close > side * level;
        if both || uncertain_entry {
            flags = flags.with(FillFlags::AMBIGUOUS);
        }
        let seen = if candidate.is_favourable {
            (reach.adverse, price)
        } else {
            (price, side * (side * reach.start).max(side * price))
        };
        let hit = Hit { base_price: price, phase: Phase::Inside, flags, seen };
        match candidate.source {
            Source::Order(idx) => {
                let live = self.live.at(idx);
                let flags = flags.with(limit_flags(&live.terms, &bar));
                self.fill_order(idx, &live, Hit { flags, ..hit });
            }
            Source::Rule(level) => {
                let terms = rule_terms(side, level);
                let flags = flags.with(limit_flags(&terms, &bar));
                self.fill_rule(asset, level, Hit { flags, ..hit });
            }
        }
    }
}

/// The order in which the price meets levels of one kind, after the position exists.
fn rank(side: f64, is_favourable: bool, level: f64) -> f64 {
    if is_favourable { side * level } else { -side * level }
}

/// What is known of a fill of these terms inside the row.
fn limit_flags(terms: &Terms, bar: &Bar) -> FillFlags {
    if terms.kind != OrderKind::Limit {
        return FillFlags::default();
    }
    if terms.is_only_touched(bar.low, bar.high) {
        FillFlags::MAKER.with(FillFlags::TOUCH_ONLY)
    } else {
        FillFlags::MAKER
    }
}
