//! What happens between a row's open and its close: entries touched, then levels that reduce.

use std::cmp::Ordering;

use super::bar::{Bar, Quotes};
use super::codes::{ExitReason, FillFlags, OrderKind, Phase};
use super::cycle::{Broker, Hit, rule_terms};
use super::matching::{Terms, Touched};
use super::positions::{Enlargement, Entry};
use super::reach::{Reach, reach};
use super::rules::Level;
use super::semantics::BothHit;
use crate::base::AssetId;

/// A level that a row reached and that would reduce a position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    asset: AssetId,
    is_favourable: bool,
    /// The price at which it fills.
    price: f64,
    /// The price at which it has its turn: a stop-limit order fills at its limit after its stop.
    turn: f64,
    by_stop: bool,
    /// Its stop was reached in this row, before its price.
    is_triggered: bool,
    is_maker: bool,
    source: Source,
    /// The fill that opened the position it would reduce.
    entry_fill: u32,
}

/// Where a candidate comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A live order, by its place in the book.
    Order(usize),
    /// A position rule.
    Rule(Level),
}

impl Broker {
    /// Fills what the rows reached between their open and close: opens by priority, then reduces by
    /// symbol, within a symbol in the order that the semantics say.
    pub(super) fn inside_phase(&mut self, quotes: &impl Quotes) {
        // Both lists stay empty while no rule is set.
        let can_fire = !self.watched.is_empty() || !self.enlarged.is_empty();
        if !self.live.has_resting() && !can_fire {
            return;
        }
        self.left_to_reduce.clear();
        if self.live.has_resting() {
            self.open_inside(quotes);
        }
        self.reduce_inside(quotes, true);
        self.live.sweep();
    }

    fn open_inside(&mut self, quotes: &impl Quotes) {
        for place in 0..self.live.len() {
            let live = self.live.at(place);
            let kind = live.kind();
            if !live.is_open()
                || matches!(kind, OrderKind::Market | OrderKind::MarketOnClose)
                || self.is_released_now(place)
            {
                continue;
            }
            if self.is_reduce(live) {
                self.left_to_reduce.push(place);
                continue;
            }
            let Some(bar) = self.row(live.asset, quotes) else { continue };
            let semantics = &self.conditions.semantics;
            let touched = live.terms.inside(kind, bar.low, bar.high, &bar, semantics);
            if !(touched.fills() || touched.is_triggered) || !self.may_fill_now(place) {
                continue;
            }
            let comes_late = touched.is_maker && self.must_fill_at_once(place);
            let (asset, sign) = (live.asset, live.sign());
            let order = live.order;
            if touched.is_triggered {
                self.note_trigger(place);
                if !touched.fills() {
                    self.triggered_inside.push(order);
                }
            }
            if touched.fills() && !comes_late {
                let flags = limit_flags(&self.live.at(place).terms, touched.is_maker, &bar);
                let seen = self.seen_by_flip(asset, sign, &touched, &bar);
                let hit = Hit { flags, seen, ..Hit::of(&touched, Phase::Inside) };
                self.fill_order(place, hit, quotes);
            }
        }
    }

    /// Fires the levels that rows reached and that reduce positions: those of rules, and those of
    /// orders unless these are matched elsewhere.
    pub(super) fn reduce_inside(&mut self, quotes: &impl Quotes, with_orders: bool) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        if with_orders && self.live.has_resting() {
            self.collect_orders(quotes, &mut candidates);
        }
        if self.rules.is_active() {
            self.collect_rules(quotes, &mut candidates);
        }
        // Stable: equal levels keep the order of submission, rules after orders.
        candidates.sort_by_key(|candidate| candidate.asset);
        for group in candidates.chunk_by(|a, b| a.asset == b.asset) {
            self.reduce_one_by_one(group, quotes);
        }
        self.candidates = candidates;
    }

    /// Takes the levels that one symbol's row reached one at a time, in the order in which the
    /// price met them; a step of a ladder puts the next one in its place.
    fn reduce_one_by_one(&mut self, group: &[Candidate], quotes: &impl Quotes) {
        let asset = group[0].asset;
        let bar = quotes.bar(asset).expect("a candidate was made from this row");
        let side = self.positions.quantity(asset).signum();
        let rule = self.conditions.semantics.both_hit;
        let both = group.iter().any(|one| one.is_favourable != group[0].is_favourable);
        let mut left = group.to_vec();
        while !left.is_empty() {
            left.sort_by(|a, b| turn(a, b, side, &bar, rule));
            let candidate = left.remove(0);
            self.reduce(&candidate, both, quotes);
            let is_step = matches!(
                candidate.source, Source::Rule(level) if level.reason == ExitReason::Scaled
            );
            // The rules of a position that a flip has made wait for the next row.
            if is_step && candidate.entry_fill == self.positions.detail(asset).entry_fill {
                left.extend(self.next_step(asset, &bar, quotes));
            }
        }
    }

    /// What the row showed the position that a fill closes on its way to the other side.
    fn seen_by_flip(&self, asset: AssetId, sign: f64, touched: &Touched, bar: &Bar) -> (f64, f64) {
        let side = self.positions.quantity(asset).signum();
        let price = touched.price;
        if side * sign >= 0.0 {
            return (price, price);
        }
        let entry = self.positions.detail(asset).entry;
        let reach = reach(&entry, side, bar, self.now, self.conditions.semantics.entry_bar);
        if touched.is_maker {
            (reach.adverse, price)
        } else {
            (price, side * (side * reach.start).max(side * price))
        }
    }

    fn collect_orders(&mut self, quotes: &impl Quotes, candidates: &mut Vec<Candidate>) {
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            let kind = live.kind();
            if !live.is_open()
                || matches!(kind, OrderKind::Market | OrderKind::MarketOnClose)
                || !(self.is_reduce(&live) || self.was_left_to_reduce(place))
            {
                continue;
            }
            let Some(bar) = self.row(live.asset, quotes) else { continue };
            let side = -live.sign();
            let since = self.since_of(place);
            let reach = self.reach_of(place, side, &bar);
            let (low, high) = reach.as_range(side);
            let semantics = &self.conditions.semantics;
            let touched = live.terms.inside(kind, low, high, &bar, semantics);
            if !(touched.fills() || touched.is_triggered)
                || !self.may_fill_now(place)
                || self.triggered_inside.contains(&live.order)
            {
                continue;
            }
            // What must fill at once takes its trigger, and no limit that the price comes to later.
            let comes_late = touched.is_maker && self.must_fill_at_once(place);
            if touched.is_triggered && (!touched.fills() || comes_late) {
                self.note_trigger(place);
                self.triggered_inside.push(live.order);
            }
            if !touched.fills() || comes_late {
                continue;
            }
            let is_favourable = kind == OrderKind::Limit;
            let price = not_before_entry(touched.price, &since, side, is_favourable, self.now);
            // A stop-limit order that the price came back to fills at its limit.
            let came_back = touched.is_maker && kind != OrderKind::Limit;
            let (price, turn) = if came_back && touched.is_triggered {
                let stop = not_before_entry(live.terms.stop, &since, side, false, self.now);
                (touched.price, stop)
            } else if came_back {
                (touched.price, touched.price)
            } else {
                (price, price)
            };
            if !live.terms.is_within_limit(price) {
                // The entry lies beyond stop and limit: the order is a limit order from here on.
                self.note_trigger(place);
                continue;
            }
            candidates.push(Candidate {
                asset: live.asset,
                is_favourable,
                price,
                turn,
                by_stop: touched.by_stop,
                is_triggered: touched.by_stop || touched.is_triggered,
                is_maker: touched.is_maker,
                source: Source::Order(place),
                entry_fill: self.positions.detail(live.asset).entry_fill,
            });
        }
    }

    fn collect_rules(&self, quotes: &impl Quotes, candidates: &mut Vec<Candidate>) {
        let brought_in = self.watched.iter().filter(|asset| !self.enlarged.contains(asset));
        for &asset in brought_in.chain(&self.enlarged) {
            let asset = AssetId(asset);
            let side = self.positions.quantity(asset).signum();
            if side == 0.0 || self.has_rule_order(asset) {
                continue;
            }
            let Some(bar) = self.row(asset, quotes) else { continue };
            let (adverse, favourable) = self.levels(asset);
            let reach = self.rule_reach(asset, side, &bar);
            if let Some(level) = adverse.filter(|l| side * reach.adverse <= side * l.price) {
                candidates.push(self.rule_candidate(asset, level, side, false));
            }
            if let Some(level) = favourable.filter(|l| side * reach.favourable >= side * l.price) {
                candidates.push(self.rule_candidate(asset, level, side, true));
            }
        }
    }

    fn rule_candidate(
        &self,
        asset: AssetId,
        level: Level,
        side: f64,
        is_favourable: bool,
    ) -> Candidate {
        // The levels of rules follow the average price, so they date from the last add.
        let since = self.positions.detail(asset).last;
        let price = not_before_entry(level.price, &since, side, is_favourable, self.now);
        Candidate {
            asset,
            is_favourable,
            price,
            turn: price,
            by_stop: !is_favourable,
            is_triggered: false,
            is_maker: is_favourable,
            source: Source::Rule(level),
            entry_fill: self.positions.detail(asset).entry_fill,
        }
    }

    fn rule_reach(&self, asset: AssetId, side: f64, bar: &Bar) -> Reach {
        let rule = self.conditions.semantics.entry_bar;
        reach(&self.positions.detail(asset).last, side, bar, self.now, rule)
    }

    /// What of a row may reach an order that reduces a position.
    fn reach_of(&self, place: usize, side: f64, bar: &Bar) -> Reach {
        let rule = self.conditions.semantics.entry_bar_children;
        reach(&self.since_of(place), side, bar, self.now, rule)
    }

    /// The fill from which an order dates: that of its parent, or the entry of its position.
    fn since_of(&self, place: usize) -> Enlargement {
        let released = self.live.rare(place).map(|rare| rare.since);
        released
            .filter(|since| since.timestamp == self.now)
            .unwrap_or(self.positions.detail(self.live.at(place).asset).entry)
    }

    /// Closes what a candidate would close, unless an earlier one has left nothing of it.
    fn reduce(&mut self, candidate: &Candidate, both: bool, quotes: &impl Quotes) {
        let asset = candidate.asset;
        let quantity = self.positions.quantity(asset);
        match candidate.source {
            Source::Order(place) if !self.live.at(place).is_open() => return,
            // Its price has come, so it may not rest on: it is refused as at any other turn.
            Source::Order(place) if quantity * self.live.at(place).sign() >= 0.0 => {
                let bar = quotes.bar(asset).expect("a candidate was made from this row");
                let terms = self.live.at(place).terms;
                let hit = Hit {
                    phase: Phase::Inside,
                    flags: limit_flags(&terms, candidate.is_maker, &bar),
                    by_stop: candidate.by_stop,
                    ..Hit::at_open(candidate.price)
                };
                if candidate.is_triggered {
                    self.note_trigger(place);
                }
                return self.fill_order(place, hit, quotes);
            }
            // Its position is gone; another one may be in its place.
            Source::Rule(_)
                if quantity == 0.0
                    || candidate.entry_fill != self.positions.detail(asset).entry_fill =>
            {
                return;
            }
            _ => {}
        }
        let side = quantity.signum();
        let bar = quotes.bar(asset).expect("a candidate was made from this row");
        let since = match candidate.source {
            Source::Order(place) => self.since_of(place),
            Source::Rule(_) => self.positions.detail(asset).last,
        };
        let rule = self.conditions.semantics.entry_bar;
        let entry = self.positions.detail(asset).entry;
        let reach = reach(&entry, side, &bar, self.now, rule);
        let price = candidate.price;
        let level = match candidate.source {
            Source::Order(place) => {
                let live = self.live.at(place);
                live.terms.level(live.kind())
            }
            Source::Rule(level) => level.price,
        };
        let mut flags = FillFlags::default();
        let uncertain_entry = since.timestamp == self.now
            && since.how == Entry::Stop
            && !candidate.is_favourable
            && side * bar.close > side * level;
        if both || uncertain_entry {
            flags = flags.with(FillFlags::AMBIGUOUS);
        }
        let seen = if candidate.is_favourable || candidate.is_maker {
            (reach.adverse, price)
        } else {
            (price, side * (side * reach.start).max(side * price))
        };
        let hit = Hit {
            base_price: price,
            phase: Phase::Inside,
            flags,
            by_stop: candidate.by_stop,
            seen,
        };
        match candidate.source {
            Source::Order(place) => {
                if candidate.is_triggered {
                    self.note_trigger(place);
                }
                let terms = self.live.at(place).terms;
                let flags = flags.with(limit_flags(&terms, candidate.is_maker, &bar));
                self.fill_order(place, Hit { flags, ..hit }, quotes);
            }
            Source::Rule(level) => {
                let level = self.with_units_now(asset, level);
                let terms = rule_terms(side, level);
                let flags = flags.with(limit_flags(&terms, candidate.is_maker, &bar));
                self.fill_rule(asset, level, Hit { flags, ..hit }, quotes);
            }
        }
    }

    /// A step of a ladder with the units that are its part of what is held now: a fill of this row
    /// may have come before it.
    fn with_units_now(&self, asset: AssetId, level: Level) -> Level {
        let is_same = |now: &Level| {
            now.reason == ExitReason::Scaled
                && level.reason == ExitReason::Scaled
                && now.price == level.price
        };
        self.levels(asset).1.filter(is_same).unwrap_or(level)
    }

    /// The next step of a ladder, when the row reached it as well. What a step could not fill for
    /// want of volume waits for the next row.
    fn next_step(&self, asset: AssetId, bar: &Bar, quotes: &impl Quotes) -> Option<Candidate> {
        let side = self.positions.quantity(asset).signum();
        if side == 0.0
            || self.has_rule_order(asset)
            || self.fillable(asset, None, f64::INFINITY, quotes) == 0.0
        {
            return None;
        }
        let reach = self.rule_reach(asset, side, bar);
        let level = self.levels(asset).1?;
        let is_reached = side * reach.favourable >= side * level.price;
        is_reached.then(|| self.rule_candidate(asset, level, side, true))
    }

    /// Whether an order was released in this row: which part of it lies after that is known only
    /// for what reduces.
    fn is_released_now(&self, place: usize) -> bool {
        self.live.rare(place).is_some_and(|rare| rare.since.timestamp == self.now)
    }

    /// Whether an order would have reduced its position when the row began, however small an order
    /// before it has left that since: it has its turn in this row all the same.
    fn was_left_to_reduce(&self, place: usize) -> bool {
        let live = self.live.at(place);
        self.left_to_reduce.binary_search(&place).is_ok()
            && self.positions.quantity(live.asset) * live.sign() < 0.0
    }

    /// What the row showed a position up to its close.
    pub(super) fn seen_until_close(
        &self,
        asset: AssetId,
        bar: &Bar,
        all: (f64, f64),
    ) -> (f64, f64) {
        let side = self.positions.quantity(asset).signum();
        let entry = self.positions.detail(asset).entry;
        if side == 0.0 || entry.timestamp != self.now {
            return all;
        }
        let reach = reach(&entry, side, bar, self.now, self.conditions.semantics.entry_bar);
        (reach.adverse, reach.favourable)
    }
}

/// On the row of the entry a level may already lie behind it: it fires at the entry.
fn not_before_entry(
    level: f64,
    since: &Enlargement,
    side: f64,
    is_favourable: bool,
    now: i64,
) -> f64 {
    match (since.timestamp == now, is_favourable) {
        (false, _) => level,
        (true, false) => side * (side * level).min(side * since.base),
        (true, true) => side * (side * level).max(side * since.base),
    }
}

/// Which of two candidates of one symbol comes first.
fn turn(a: &Candidate, b: &Candidate, side: f64, bar: &Bar, rule: BothHit) -> Ordering {
    // What the price meets first on its way down, or up, sorts first.
    let rank = |one: &Candidate| {
        if one.is_favourable { side * one.turn } else { -side * one.turn }
    };
    let nearest = rank(a).total_cmp(&rank(b));
    match rule {
        BothHit::StopFirst => a.is_favourable.cmp(&b.is_favourable).then(nearest),
        BothHit::ProfitFirst => b.is_favourable.cmp(&a.is_favourable).then(nearest),
        BothHit::Submission | BothHit::RuleList => Ordering::Equal,
        BothHit::OhlcPath => {
            let high_first = bar.close < bar.open;
            let favourable_first = high_first == (side > 0.0);
            let kind = if favourable_first {
                b.is_favourable.cmp(&a.is_favourable)
            } else {
                a.is_favourable.cmp(&b.is_favourable)
            };
            kind.then(nearest)
        }
        BothHit::NearestOpen => {
            let distance = |one: &Candidate| (one.turn - bar.open).abs();
            distance(a).total_cmp(&distance(b))
        }
    }
}

/// What is known of a fill of these terms inside the row.
fn limit_flags(terms: &Terms, is_maker: bool, bar: &Bar) -> FillFlags {
    if !is_maker {
        return FillFlags::default();
    }
    if terms.is_only_touched(bar.low, bar.high) {
        FillFlags::MAKER.with(FillFlags::TOUCH_ONLY)
    } else {
        FillFlags::MAKER
    }
}
