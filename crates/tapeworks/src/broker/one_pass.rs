//! Matching as most frameworks do it: one order after the other, each against the whole row.

use super::bar::Quotes;
use super::codes::{FillFlags, Phase};
use super::cycle::{Broker, Hit};
use super::matching::Touched;
use super::semantics::{FillAt, RuleStyle, Sequence};
use crate::base::AssetId;

impl Broker {
    /// Rules first, then the orders of earlier rows in the sequence of the semantics.
    pub(super) fn match_one_pass(&mut self, quotes: &impl Quotes) {
        self.watch(quotes);
        match self.conditions.semantics.rules {
            RuleStyle::Resting => {
                self.close_beyond_open(quotes);
                self.reduce_inside(quotes);
            }
            RuleStyle::Evaluated => self.evaluate_rules(quotes),
        }
        self.match_orders(quotes, false);
        self.live.sweep();
    }

    /// After the callback: fills what the semantics fill in the row in which it was sent.
    pub fn match_after(&mut self, quotes: &impl Quotes) {
        if !self.conditions.semantics.fills_in_own_row() {
            return;
        }
        self.match_orders(quotes, true);
        self.live.sweep();
        self.book.forget();
    }

    /// Matches the orders of earlier rows, or those of this one.
    fn match_orders(&mut self, quotes: &impl Quotes, own_row: bool) {
        if self.live.is_empty() {
            return;
        }
        let mut turns: Vec<usize> = (0..self.live.len()).collect();
        self.put_in_sequence(&mut turns, quotes);
        for place in turns {
            let live = *self.live.at(place);
            let created = self.ledger.orders[live.order.index()].created;
            if !live.is_open() || (created == self.now) != own_row || !self.may_fill_now(place) {
                continue;
            }
            let Some(bar) = self.row(live.asset, quotes) else { continue };
            let semantics = self.conditions.semantics;
            let touched = if own_row
                || matches!(semantics.fill_at, FillAt::NextClose) && live.kind() == super::codes::OrderKind::Market
            {
                live.terms.at_close(live.kind(), bar.close)
            } else {
                live.terms.in_row(live.kind(), &bar, &semantics)
            };
            if touched.is_triggered {
                self.note_trigger(place);
            }
            if touched.fills() {
                let hit = hit_in_row(&touched, bar.open, bar.close);
                self.fill_order(place, hit, quotes);
            }
        }
    }

    fn put_in_sequence(&self, turns: &mut [usize], quotes: &impl Quotes) {
        let value = |place: usize| {
            let live = self.live.at(place);
            let price = quotes.bar(live.asset).map_or(0.0, |bar| bar.open);
            live.rest * price * self.positions.multiplier(live.asset)
        };
        let opens = |place: usize| !self.is_reduce(self.live.at(place));
        match self.conditions.semantics.sequence {
            Sequence::Submission => {}
            Sequence::BySymbol => turns.sort_by_key(|&place| self.live.at(place).asset),
            Sequence::ReduceFirst => turns.sort_by_key(|&place| opens(place)),
            Sequence::OpensLargestFirst => turns.sort_by(|&a, &b| {
                opens(a).cmp(&opens(b)).then(value(b).total_cmp(&value(a)))
            }),
            Sequence::OpensSmallestFirst => turns.sort_by(|&a, &b| {
                opens(a).cmp(&opens(b)).then(value(a).total_cmp(&value(b)))
            }),
            Sequence::ValueAscending | Sequence::FreeCashAscending => turns.sort_by(|&a, &b| {
                let signed = |place: usize| self.live.at(place).sign() * value(place);
                signed(a).total_cmp(&signed(b))
            }),
        }
    }

    /// Asks the rules of every position once, with the completed row.
    fn evaluate_rules(&mut self, quotes: &impl Quotes) {
        let semantics = self.conditions.semantics;
        for asset in self.positions.held().to_vec() {
            let asset = AssetId(asset);
            let Some(bar) = self.row(asset, quotes) else { continue };
            let facts = self.facts(asset);
            let exit = self.rules.evaluate(asset, &facts, &bar, quotes, &semantics);
            if let Some(exit) = exit {
                let quantity = exit.quantity.min(facts.quantity);
                let origin = super::codes::OrderOrigin::PositionRule;
                self.queue_reduce(asset, quantity, origin, exit.reason);
            }
        }
    }
}

/// A fill somewhere in a row that was matched as one.
fn hit_in_row(touched: &Touched, open: f64, close: f64) -> Hit {
    let phase = if touched.price == open {
        Phase::Open
    } else if touched.price == close {
        Phase::Close
    } else {
        Phase::Inside
    };
    let flags = if touched.is_maker { FillFlags::MAKER } else { FillFlags::default() };
    Hit { flags, ..Hit::of(touched, phase) }
}
