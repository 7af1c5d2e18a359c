//! The rules of all symbols, and what they remember of each position.

use std::collections::BTreeMap;

use super::bound::Watched;
use super::evaluated::{self, Completed};
use super::memory::Memory;
use super::set::RuleSet;
use super::{Level, PositionFacts};
use crate::base::{AssetId, OrderId};
use crate::broker::bar::{Bar, Quotes};
use crate::broker::codes::ExitReason;
use crate::broker::semantics::Semantics;

/// The run's rules, the rules of single symbols, and the memory of each position.
#[derive(Debug, Clone, Default)]
pub struct RuleBook {
    run: RuleSet,
    by_asset: Vec<Option<RuleSet>>,
    active: bool,
    /// Whether no set has anything but stop-losses, targets and plain trails.
    plain: bool,
    any_close: bool,
    any_water: bool,
    pub(super) memory: Memory,
    /// What the columns showed when live orders were sent, by order.
    decisions: BTreeMap<u32, Decision>,
}

/// The row in which an order was sent, as far as rules are concerned.
#[derive(Debug, Clone)]
struct Decision {
    asset: AssetId,
    /// One value a column; where it was missing, the first one after it.
    values: Box<[f64]>,
}

/// An opening fill, as far as rules are concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleEntry {
    /// Average price of the position after the fill, or the price that the semantics measure from.
    pub base: f64,
    /// Where the water mark starts; used when the position is new.
    pub water: f64,
    /// Whether the position is new, or was added to.
    pub is_new: bool,
}

/// What a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleExit {
    /// Units to close; infinite: all.
    pub quantity: f64,
    /// The rule.
    pub reason: ExitReason,
    /// The price at which it fired; NaN: whatever the next market order gets.
    pub price: f64,
    /// Whether it fills at the next open in place of now.
    pub is_deferred: bool,
    /// Whether a level was reached; otherwise a close has decided.
    pub by_level: bool,
}

impl RuleBook {
    /// A book in which every position of the run follows `run`.
    #[must_use]
    pub fn new(run: RuleSet, n_assets: usize) -> Self {
        let mut book = Self {
            run,
            by_asset: vec![None; n_assets],
            memory: Memory::new(n_assets),
            ..Self::default()
        };
        book.take_stock();
        book
    }

    /// Gives one symbol, or the run, another set. A ladder starts again at its first step; what
    /// else is remembered of a position stays.
    pub fn set(&mut self, asset: Option<AssetId>, set: RuleSet) {
        if let Some(asset) = asset {
            self.by_asset[asset.index()] = Some(set);
            self.memory.set_step(asset.index(), 0);
        } else {
            self.run = set;
            for (asset, own) in self.by_asset.iter().enumerate() {
                if own.is_none() {
                    self.memory.set_step(asset, 0);
                }
            }
        }
        self.take_stock();
    }

    /// Whether any symbol has a rule.
    #[must_use]
    #[inline]
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Whether [`RuleBook::remember`] must be called at the end of each timestamp.
    #[must_use]
    #[inline]
    pub fn needs_memory(&self) -> bool {
        !self.memory.columns.is_empty()
    }

    /// The rules of a symbol.
    #[must_use]
    #[inline]
    pub fn of(&self, asset: AssetId) -> &RuleSet {
        self.by_asset[asset.index()].as_ref().unwrap_or(&self.run)
    }

    /// Takes in a fill that opened a position or added to it. `facts` are those after the fill. The
    /// decision row of a volatility stop is the last row that [`RuleBook::remember`] has seen.
    pub fn enter(&mut self, asset: AssetId, entry: &RuleEntry, facts: &PositionFacts) {
        if entry.is_new {
            self.memory.open(asset.index(), entry.water, facts.quantity);
        }
        self.memory.base[asset.index()] = entry.base;
    }

    /// Keeps what the rules look at of the row in which an order is sent.
    pub fn note_decision(&mut self, order: OrderId, asset: AssetId) {
        let values = self.memory.previous(asset.index());
        self.decisions.insert(order.0, Decision { asset, values });
    }

    /// Measures a new position from the row in which its order was sent; call it after
    /// [`RuleBook::enter`]. A value that was missing there is the first one after it.
    pub fn recall_decision(&mut self, order: OrderId, asset: AssetId) {
        if let Some(decided) = self.decisions.get(&order.0) {
            self.memory.anchor(asset.index(), &decided.values);
        }
    }

    /// Forgets the decision of an order that has ended.
    pub fn drop_decision(&mut self, order: OrderId) {
        self.decisions.remove(&order.0);
    }

    /// The price from which the levels of a position are measured; NaN without one.
    #[must_use]
    pub fn base(&self, asset: AssetId) -> f64 {
        self.memory.base[asset.index()]
    }

    /// Forgets a position that is gone.
    pub fn leave(&mut self, asset: AssetId) {
        self.memory.forget(asset.index());
    }

    /// Restates what is remembered of a symbol after a split: one old unit is `ratio` new ones.
    pub fn split(&mut self, asset: AssetId, ratio: f64) {
        self.memory.split(asset.index(), ratio);
        for decision in self.decisions.values_mut().filter(|decision| decision.asset == asset) {
            for value in &mut decision.values {
                *value /= ratio;
            }
        }
    }

    /// Takes in the row of a held symbol that has ended, a tradable one. `favourable` is the best
    /// price of the row that counts for the water mark; NaN: none does. True when a level has
    /// moved.
    #[inline]
    pub fn end_row(
        &mut self,
        asset: AssetId,
        facts: &PositionFacts,
        favourable: f64,
        close: f64,
        quotes: &impl Quotes,
    ) -> bool {
        let water = &mut self.memory.water[asset.index()];
        let moves = facts.side * favourable > facts.side * *water;
        if moves {
            *water = favourable;
        }
        if self.plain {
            return moves && self.any_water;
        }
        self.end_row_of_more(asset, close, quotes) || (moves && self.any_water)
    }

    /// Keeps the columns that rules look at, of every symbol with a row. The broker calls it once a
    /// timestamp, after [`RuleBook::end_row`] of the held ones, when [`RuleBook::needs_memory`].
    pub fn remember(&mut self, quotes: &impl Quotes) {
        for memory in &mut self.memory.columns {
            for (asset, previous) in memory.previous.iter_mut().enumerate() {
                let id = AssetId(u32::try_from(asset).expect("fewer than 2^32 assets"));
                if quotes.range(id).is_some() {
                    *previous = quotes.value(id, memory.column);
                }
            }
        }
        for decision in self.decisions.values_mut() {
            for (value, memory) in decision.values.iter_mut().zip(&self.memory.columns) {
                if !value.is_finite() {
                    *value = memory.previous[decision.asset.index()];
                }
            }
        }
    }

    /// The levels that rest in the market for a position: (adverse, favourable), each the one that
    /// price meets first.
    #[must_use]
    pub fn levels(&self, asset: AssetId, facts: &PositionFacts) -> (Option<Level>, Option<Level>) {
        let set = self.of(asset);
        if set.is_empty() {
            return (None, None);
        }
        let watched = self.watched(asset, facts);
        (set.adverse(&watched), set.favourable(&watched))
    }

    /// Notes that a level has fired, so that a ladder goes on to its next step, whatever lot
    /// rounding has left of the fill.
    pub fn step(&mut self, asset: AssetId, level: &Level) {
        if level.reason == ExitReason::Scaled {
            self.push_step(asset);
        }
    }

    /// Notes that a level has filled in part, `units` of `wanted`: a step of a ladder waits for the
    /// rest of them, whatever happens to the position.
    pub fn fill_part(&mut self, asset: AssetId, level: &Level, units: f64, wanted: f64) {
        if level.reason == ExitReason::Scaled {
            self.memory.left[asset.index()] = wanted - units;
        }
    }

    /// Whether any rule of a symbol is decided at closes.
    #[must_use]
    #[inline]
    pub fn needs_close(&self, asset: AssetId) -> bool {
        self.any_close && self.of(asset).needs_close()
    }

    /// What the close of a tradable row has triggered, if anything: the first such rule of the
    /// list. Asked after [`RuleBook::end_row`], so `All` compares the close with the levels that
    /// would rest in the next row.
    #[must_use]
    pub fn at_close(
        &self,
        asset: AssetId,
        facts: &PositionFacts,
        close: f64,
        quotes: &impl Quotes,
    ) -> Option<RuleExit> {
        let watched = self.watched(asset, facts);
        let value = |column: usize| quotes.value(asset, column);
        let reason = self.of(asset).at_close(&watched, close, &value)?;
        let quantity = f64::INFINITY;
        Some(RuleExit { quantity, reason, price: f64::NAN, is_deferred: true, by_level: false })
    }

    /// The first rule of the list that fires in a completed row, under semantics that ask rules in
    /// place of letting their levels rest ([`Semantics::rules`]). Asked before
    /// [`RuleBook::end_row`] of the row, with `facts` whose age counts it. A ladder moves on by
    /// itself.
    pub fn evaluate(
        &mut self,
        asset: AssetId,
        facts: &PositionFacts,
        bar: &Bar,
        quotes: &impl Quotes,
        semantics: &Semantics,
    ) -> Option<RuleExit> {
        let watched = self.watched(asset, facts);
        let value = |column: usize| quotes.value(asset, column);
        let row = Completed { bar, value: &value, semantics };
        let exit = evaluated::first(self.of(asset).list(), &watched, &row)?;
        if exit.reason == ExitReason::Scaled {
            self.push_step(asset);
        }
        Some(exit)
    }

    /// The stop-loss and take-profit levels of a position, NaN where there is no such rule.
    #[must_use]
    pub fn first_levels(&self, asset: AssetId, side: f64) -> (f64, f64) {
        let entry_price = self.memory.base[asset.index()];
        let quantity = self.memory.first[asset.index()];
        let facts = PositionFacts { side, quantity, entry_price, bars_held: 0 };
        self.of(asset).first_levels(&self.watched(asset, &facts))
    }

    #[inline]
    pub(super) fn watched<'a>(&'a self, asset: AssetId, facts: &'a PositionFacts) -> Watched<'a> {
        let at = asset.index();
        let memory = &self.memory;
        Watched {
            facts,
            asset: at,
            base: memory.base[at],
            water: memory.water[at],
            closed: memory.closed(at),
            first: memory.first[at],
            step: memory.step[at],
            left: memory.left[at],
            columns: &memory.columns,
        }
    }

    fn push_step(&mut self, asset: AssetId) {
        let step = self.memory.step[asset.index()];
        self.memory.set_step(asset.index(), step.saturating_add(1));
    }

    // Apart from the path that every held symbol takes in every row.
    #[cold]
    fn end_row_of_more(&mut self, asset: AssetId, close: f64, quotes: &impl Quotes) -> bool {
        let mut moves = self.memory.push_columns(asset.index(), |c| quotes.value(asset, c));
        if let Some(closed) = self.memory.closed.get_mut(asset.index()) {
            *closed = close;
            moves = true;
        }
        moves
    }

    /// Looks at all sets anew: what they need to have remembered, and what can be skipped.
    fn take_stock(&mut self) {
        let sets = || std::iter::once(&self.run).chain(self.by_asset.iter().flatten());
        self.active = sets().any(|set| !set.is_empty());
        self.any_close = sets().any(RuleSet::needs_close);
        self.any_water = sets().any(RuleSet::follows_water);
        let needs: Vec<(Vec<usize>, bool)> = sets().map(RuleSet::needs).collect();
        for (columns, closes) in needs {
            for column in columns {
                self.memory.add_column(column);
            }
            if closes {
                self.memory.add_closes();
            }
        }
        self.plain = self.memory.columns.is_empty() && self.memory.closed.is_empty();
    }
}
