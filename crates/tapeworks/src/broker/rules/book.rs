//! The rules of all symbols, and what they remember of each position.

use super::set::RuleSet;
use super::{Level, PositionFacts};
use crate::base::AssetId;
use crate::broker::bar::{Bar, Quotes};
use crate::broker::codes::ExitReason;
use crate::broker::semantics::Semantics;

/// The run's rules, the rules of single symbols, and the memory of each position.
#[derive(Debug, Clone, Default)]
pub struct RuleBook {
    run: RuleSet,
    by_asset: Vec<Option<RuleSet>>,
    active: bool,
    /// Best price since the entry, by asset; NaN without a position.
    water: Vec<f64>,
    /// The price that levels are measured from, by asset.
    base: Vec<f64>,
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
}

impl RuleBook {
    /// A book in which every position of the run follows `run`.
    #[must_use]
    pub fn new(run: RuleSet, n_assets: usize) -> Self {
        Self {
            active: !run.is_empty(),
            run,
            by_asset: vec![None; n_assets],
            water: vec![f64::NAN; n_assets],
            base: vec![f64::NAN; n_assets],
        }
    }

    /// Gives one symbol, or the run, another set.
    pub fn set(&mut self, asset: Option<AssetId>, set: RuleSet) {
        match asset {
            Some(asset) => self.by_asset[asset.index()] = Some(set),
            None => self.run = set,
        }
        self.active =
            !self.run.is_empty() || self.by_asset.iter().flatten().any(|set| !set.is_empty());
    }

    /// Whether any symbol has a rule.
    #[must_use]
    #[inline]
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// The rules of a symbol.
    #[must_use]
    #[inline]
    pub fn of(&self, asset: AssetId) -> &RuleSet {
        self.by_asset[asset.index()].as_ref().unwrap_or(&self.run)
    }

    /// Takes in a fill that opened a position or added to it. `facts` are those after the fill;
    /// `quotes` are the rows of the present.
    pub fn enter(&mut self, asset: AssetId, entry: &RuleEntry, facts: &PositionFacts) {
        let _ = facts;
        self.base[asset.index()] = entry.base;
        if entry.is_new {
            self.water[asset.index()] = entry.water;
        }
    }

    /// Forgets a position that is gone.
    pub fn leave(&mut self, asset: AssetId) {
        self.water[asset.index()] = f64::NAN;
        self.base[asset.index()] = f64::NAN;
    }

    /// Takes in the row that has ended. `favourable` is the best price of the row that counts for
    /// the water mark. True when a level has moved.
    pub fn end_row(
        &mut self,
        asset: AssetId,
        facts: &PositionFacts,
        favourable: f64,
        close: f64,
        quotes: &impl Quotes,
    ) -> bool {
        let _ = (close, quotes);
        let water = &mut self.water[asset.index()];
        let moves = facts.side * favourable > facts.side * *water;
        if moves {
            *water = favourable;
        }
        moves
    }

    /// The levels that rest in the market for a position: (adverse, favourable), each the one that
    /// price meets first.
    #[must_use]
    pub fn levels(&self, asset: AssetId, facts: &PositionFacts) -> (Option<Level>, Option<Level>) {
        let set = self.of(asset);
        if set.is_empty() {
            return (None, None);
        }
        let base = self.base[asset.index()];
        let water = self.water[asset.index()];
        (set.adverse(facts, base, water), set.favourable(facts, base))
    }

    /// Notes that a favourable level has fired and filled, so that a ladder goes on to its next
    /// step.
    pub fn step(&mut self, asset: AssetId, level: &Level) {
        let _ = (asset, level);
    }

    /// Whether any rule of a symbol is decided at closes.
    #[must_use]
    #[inline]
    pub fn needs_close(&self, asset: AssetId) -> bool {
        let _ = asset;
        false
    }

    /// What the close of a row has triggered, if anything.
    #[must_use]
    pub fn at_close(
        &self,
        asset: AssetId,
        facts: &PositionFacts,
        close: f64,
        quotes: &impl Quotes,
    ) -> Option<RuleExit> {
        let _ = (asset, facts, close, quotes);
        None
    }

    /// The first rule of the list that fires in a completed row, under semantics that ask rules in
    /// place of letting their levels rest.
    pub fn evaluate(
        &mut self,
        asset: AssetId,
        facts: &PositionFacts,
        bar: &Bar,
        quotes: &impl Quotes,
        semantics: &Semantics,
    ) -> Option<RuleExit> {
        let _ = (asset, facts, bar, quotes, semantics);
        None
    }

    /// The stop-loss and take-profit levels of a position, NaN where there is no such rule.
    #[must_use]
    pub fn first_levels(&self, asset: AssetId, side: f64) -> (f64, f64) {
        self.of(asset).first_levels(side, self.base[asset.index()])
    }
}
