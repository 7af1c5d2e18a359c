//! Matching as most frameworks do it: one order after the other, each against the whole row.
//!
//! A row is walked in this order: exits that an earlier row has decided, rules that are asked with
//! the completed row, then the orders of earlier rows in the sequence of the semantics. After the
//! callback the same walk takes the orders of the row itself, where the semantics let them fill.

use super::bar::{Bar, Quotes};
use super::codes::{FillFlags, OrderKind, OrderOrigin, Phase, RejectCode, Side};
use super::cycle::{Broker, Hit};
use super::matching::Touched;
use super::semantics::{
    CashCheck, EntryBar, Excursions, FillAt, OnCloseAt, RestFrom, RuleStyle, Sequence, Touch,
    TrailOrder,
};
use super::shadow::Shadow;
use crate::base::AssetId;

/// Which orders a walk takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// Those of earlier rows, before the callback.
    Earlier,
    /// Those of this row, after the callback.
    Own,
    /// The market orders of this row, inside the call that sends one.
    Call,
}

/// The prices at which a walk finds a row.
#[derive(Debug, Clone, Copy)]
struct Row {
    bar: Bar,
    /// What a market order gets.
    market: f64,
    /// The phase of that price.
    phase: Phase,
}

impl Broker {
    /// Decided exits and rules first, then the orders of earlier rows.
    pub(super) fn match_one_pass(&mut self, quotes: &impl Quotes) {
        self.watch(quotes);
        self.roll(quotes);
        self.send_deferred(quotes);
        self.fill_decided(quotes);
        let semantics = self.conditions.semantics;
        let asks = semantics.rules == RuleStyle::Evaluated;
        if asks && semantics.entry_bar == EntryBar::None {
            self.ask_rules(quotes);
        } else if !asks {
            self.close_beyond_open(quotes);
            self.reduce_inside(quotes, false);
        }
        self.walk(quotes, Walk::Earlier);
        if asks && semantics.entry_bar != EntryBar::None {
            self.ask_rules(quotes);
        }
        self.live.sweep();
    }

    /// After the callback: fills what the semantics fill in the row in which it was sent.
    pub fn match_after(&mut self, quotes: &impl Quotes) {
        self.match_own(quotes, Walk::Own);
    }

    /// Inside the call that sends a market order: fills it.
    pub fn match_call(&mut self, quotes: &impl Quotes) {
        self.match_own(quotes, Walk::Call);
    }

    fn match_own(&mut self, quotes: &impl Quotes, walk: Walk) {
        if self.conditions.semantics.fills_in_own_row() {
            self.row_is_over = true;
            self.walk(quotes, walk);
            self.age_entered(quotes);
            self.live.sweep();
            self.book.forget();
        }
    }

    /// Fills the exits that rules, limits and the account have decided in an earlier row.
    fn fill_decided(&mut self, quotes: &impl Quotes) {
        if !self.live.has_forced() {
            return;
        }
        for place in 0..self.live.len() {
            let live = *self.live.at(place);
            // What the volume left of an exit at a level waits with the other orders.
            let has_price = self.live.rare(place).is_some_and(|rare| !rare.decided.is_nan());
            if !live.is_open() || live.origin == OrderOrigin::Strategy || has_price {
                continue;
            }
            let Some(bar) = self.row(live.asset, quotes) else { continue };
            let row = self.prices(bar, Walk::Earlier);
            let by_stop = self.live.rare(place).is_some_and(|rare| rare.by_level);
            let hit = Hit { by_stop, ..self.hit(row.market, row.phase) };
            self.fill_order(place, hit, quotes);
        }
    }

    /// Matches one order after the other.
    fn walk(&mut self, quotes: &impl Quotes, walk: Walk) {
        if self.live.is_empty() {
            return;
        }
        let mut turns: Vec<usize> =
            (0..self.live.len()).filter(|&place| self.has_turn(place, walk)).collect();
        let reduces_first = matches!(
            self.conditions.semantics.sequence,
            Sequence::ReduceFirst | Sequence::OpensLargestFirst | Sequence::OpensSmallestFirst
        );
        if reduces_first {
            let (reduces, mut opens): (Vec<usize>, Vec<usize>) =
                turns.iter().partition(|&&place| self.is_reduce(self.live.at(place)));
            for place in reduces {
                // Orders before it may have left nothing to reduce; it then waits with the opens.
                if self.live.at(place).is_open() && !self.is_reduce(self.live.at(place)) {
                    opens.push(place);
                } else {
                    self.try_fill(place, quotes, walk);
                }
            }
            opens.sort_unstable();
            turns = opens;
        }
        self.put_in_sequence(&mut turns, quotes, walk);
        if walk == Walk::Earlier && self.conditions.semantics.cash_check == CashCheck::Queue {
            return self.fill_queue(&turns, quotes);
        }
        for place in turns {
            self.try_fill(place, quotes, walk);
        }
    }

    /// Asks the account for all orders that the row reaches, at its close, before the first fills.
    fn fill_queue(&mut self, turns: &[usize], quotes: &impl Quotes) {
        let close = |asset: AssetId| quotes.bar(asset).map(|bar| bar.close);
        self.shadow = self.picture(|broker, asset| {
            close(asset).filter(|c| c.is_finite()).unwrap_or(broker.positions.mark(asset))
        });
        let mut accepted = Vec::new();
        for &place in turns {
            let Some(hit) = self.find_hit(place, quotes, Walk::Earlier) else { continue };
            let live = *self.live.at(place);
            let signed = live.sign() * live.rest;
            let mark = close(live.asset).unwrap_or(hit.base_price);
            if self.shadow_covers(live.asset, signed, mark) {
                accepted.push((place, hit));
                self.shadow_fill(live.asset, signed, hit.base_price, mark);
            } else {
                self.reject_at(place, RejectCode::InsufficientMargin, f64::NAN, f64::NAN);
            }
        }
        self.accepted = accepted.iter().map(|row| self.live.at(row.0).order).collect();
        for (place, hit) in accepted {
            if self.live.at(place).is_open() {
                self.fill_order(place, hit, quotes);
            }
        }
        self.accepted.clear();
        self.shadow = Shadow::default();
    }

    /// Whether an order takes part in a walk at all; a held child may come alive in it.
    fn has_turn(&self, place: usize, walk: Walk) -> bool {
        let live = self.live.at(place);
        let semantics = &self.conditions.semantics;
        let is_own = self.ledger.orders[live.order.index()].created == self.now;
        let kind = live.kind();
        if live.is_done {
            return false;
        }
        match (kind, walk) {
            (OrderKind::MarketOnClose, Walk::Earlier) => semantics.on_close_at == OnCloseAt::Next,
            (OrderKind::MarketOnClose, Walk::Own) => semantics.on_close_at == OnCloseAt::Same,
            (_, Walk::Earlier) => !is_own,
            (OrderKind::Market, Walk::Own | Walk::Call) => {
                let in_own_row = matches!(
                    semantics.fill_at,
                    FillAt::SameClose | FillAt::Immediate | FillAt::ThisOpen
                );
                is_own && in_own_row
            }
            // The row is walked again with all that rests.
            (_, Walk::Own) => semantics.rest_from == RestFrom::Same,
            (_, Walk::Call) => false,
        }
    }

    /// What a row offers in a walk.
    fn prices(&self, bar: Bar, walk: Walk) -> Row {
        let (market, phase) = match (self.conditions.semantics.fill_at, walk) {
            (FillAt::NextOpen, Walk::Earlier) | (FillAt::ThisOpen, _) => (bar.open, Phase::Open),
            _ => (bar.close, Phase::Close),
        };
        Row { bar, market, phase }
    }

    /// Fills an order if the row reaches it.
    pub(super) fn try_fill(&mut self, place: usize, quotes: &impl Quotes, walk: Walk) {
        if let Some(hit) = self.find_hit(place, quotes, walk) {
            self.fill_order(place, hit, quotes);
        }
    }

    /// Where the row fills an order; a stop that it reaches is noted.
    fn find_hit(&mut self, place: usize, quotes: &impl Quotes, walk: Walk) -> Option<Hit> {
        let live = *self.live.at(place);
        if !live.is_open() || !self.may_fill_now(place) {
            return None;
        }
        let bar = self.row(live.asset, quotes)?;
        let row = self.prices(bar, walk);
        if self.conditions.semantics.trail_orders == TrailOrder::UpdateThenTest {
            self.follow_before_test(place, &bar);
        }
        if !self.entry_row_counts(place, &bar) {
            return None;
        }
        let touched = self.touched(place, &row);
        if touched.is_triggered {
            self.note_trigger(place);
        }
        if !touched.fills() {
            return None;
        }
        let phase = match live.kind() {
            OrderKind::Market => row.phase,
            OrderKind::MarketOnClose => Phase::Close,
            _ if touched.price == bar.open && !touched.is_maker => Phase::Open,
            _ => Phase::Inside,
        };
        let flags = if touched.is_maker { FillFlags::MAKER } else { FillFlags::default() };
        Some(Hit { flags, by_stop: touched.by_stop, ..self.hit(touched.price, phase) })
    }

    fn touched(&self, place: usize, row: &Row) -> Touched {
        let live = self.live.at(place);
        let semantics = &self.conditions.semantics;
        let kind = live.kind();
        let taken = |price| Touched { price, ..Touched::MISSED };
        let decided = self.live.rare(place).filter(|rare| !rare.decided.is_nan());
        match kind {
            OrderKind::Market => {
                if let Some(rare) = decided {
                    return Touched { by_stop: rare.by_level, ..taken(rare.decided) };
                }
                taken(row.market)
            }
            OrderKind::MarketOnClose => taken(row.bar.close),
            OrderKind::Trailing | OrderKind::TrailingLimit => {
                live.terms.in_row(kind, &row.bar, semantics)
            }
            _ => match semantics.touch {
                Touch::BarRange => live.terms.in_row(kind, &row.bar, semantics),
                Touch::Close => live.terms.at_price(kind, row.bar.close, row.market),
                Touch::FillPrice => live.terms.at_price(kind, row.market, row.market),
            },
        }
    }

    /// Whether an order may use the row although the fill that released it lies in it.
    fn entry_row_counts(&self, place: usize, bar: &Bar) -> bool {
        let live = self.live.at(place);
        let Some(since) = self.live.rare(place).map(|rare| rare.since) else { return true };
        if since.timestamp != self.now {
            return true;
        }
        match self.conditions.semantics.entry_bar_children {
            EntryBar::FullBar | EntryBar::AfterEntry => true,
            EntryBar::None => false,
            EntryBar::ByEntry => match self.parent_kind(place) {
                OrderKind::Market => true,
                OrderKind::Stop => {
                    live.kind() == OrderKind::Limit && !self.sibling_is_reached(place, bar)
                }
                _ => false,
            },
        }
    }

    /// The kind of the order that released this one; a market order where there is none.
    fn parent_kind(&self, place: usize) -> OrderKind {
        let parent = self.live.rare(place).and_then(|rare| rare.parent);
        parent.map_or(OrderKind::Market, |order| self.ledger.orders[order.index()].kind)
    }

    /// Whether the row reaches a stop in the group of an order.
    fn sibling_is_reached(&self, place: usize, bar: &Bar) -> bool {
        let group = self.live.rare(place).map_or(0, |rare| rare.group);
        (0..self.live.len()).any(|other| {
            let live = self.live.at(other);
            let in_group = self.live.rare(other).is_some_and(|rare| rare.group == group);
            let kind = live.kind();
            group != 0
                && in_group
                && live.is_open()
                && matches!(kind, OrderKind::Stop | OrderKind::Trailing)
                && live.terms.in_row(kind, bar, &self.conditions.semantics).fills()
        })
    }

    /// Moves the stop of a trailing order by the row against which it is tested next.
    fn follow_before_test(&mut self, place: usize, bar: &Bar) {
        let live = *self.live.at(place);
        let Some(rare) = self.live.rare(place) else { return };
        if rare.trail.distance.is_nan() || live.is_triggered {
            return;
        }
        let mut trail = rare.trail;
        let best = if live.terms.side == Side::Sell { bar.high } else { bar.low };
        trail.follow(live.terms.side, best);
        self.set_trail(place, trail);
    }

    /// A fill of a walk; what the row showed of the position is left out where the semantics leave
    /// the exit row out.
    fn hit(&self, price: f64, phase: Phase) -> Hit {
        let seen = match self.conditions.semantics.excursions {
            Excursions::AfterEntry => (price, price),
            Excursions::Marks | Excursions::NotEntryRow | Excursions::WholeRows => {
                (f64::NAN, f64::NAN)
            }
        };
        Hit { phase, seen, ..Hit::at_open(price) }
    }

    fn put_in_sequence(&self, turns: &mut [usize], quotes: &impl Quotes, walk: Walk) {
        let price = |asset: AssetId| {
            let bar = quotes.bar(asset);
            bar.map_or_else(|| self.positions.mark(asset), |bar| self.prices(bar, walk).market)
        };
        let value = |place: usize| {
            let live = self.live.at(place);
            let sent = self.live.rare(place).map_or(f64::NAN, |rare| rare.value);
            let now = live.rest * price(live.asset) * self.positions.multiplier(live.asset);
            if sent.is_nan() { now } else { sent }
        };
        let signed = |place: usize| self.live.at(place).sign() * value(place);
        match self.conditions.semantics.sequence {
            Sequence::Submission | Sequence::ReduceFirst => {}
            Sequence::BySymbol => turns.sort_by_key(|&place| self.live.at(place).asset),
            Sequence::OpensLargestFirst => {
                turns.sort_by(|&a, &b| value(b).total_cmp(&value(a)));
            }
            Sequence::OpensSmallestFirst => {
                turns.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
            }
            Sequence::ValueAscending => {
                turns.sort_by(|&a, &b| signed(a).total_cmp(&signed(b)));
            }
            Sequence::FreeCashAscending => {
                let cash = |place: usize| self.cash_taken(place, price(self.live.at(place).asset));
                turns.sort_by(|&a, &b| cash(a).total_cmp(&cash(b)));
            }
        }
    }

    /// The free cash that an order would take at a price; negative: it frees some.
    fn cash_taken(&self, place: usize, price: f64) -> f64 {
        let live = self.live.at(place);
        let held = self.positions.quantity(live.asset);
        let unit = price * self.positions.multiplier(live.asset);
        let fee = self.fee_at(live.asset, live.sign() * live.rest, price);
        let covered = if held * live.sign() < 0.0 { live.rest.min(held.abs()) } else { 0.0 };
        let opened = live.rest - covered;
        if covered == 0.0 {
            return live.rest * unit + fee;
        }
        if held < 0.0 {
            let released = covered / held.abs() * self.free_cash.basis(live.asset);
            return covered * unit - 2.0 * released + opened * unit + fee;
        }
        -covered * unit + opened * unit + fee
    }
}
