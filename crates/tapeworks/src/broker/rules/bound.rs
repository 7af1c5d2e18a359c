//! A rule with its figures checked and its columns found, and the level that it stands for.

use super::PositionFacts;
use super::memory::ColumnMemory;
use super::rule::ScaledOf;
use crate::broker::codes::ExitReason;

/// A rule that can be asked for its level or its verdict.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bound {
    StopLoss(f64),
    TakeProfit(f64),
    Trailing(f64),
    TrailingAmount(f64),
    /// `(return, fraction)`, by rising return.
    Tightening(Vec<(f64, f64)>),
    VolatilityStop {
        multiple: f64,
        column: usize,
    },
    VolatilityTrail {
        multiple: f64,
        column: usize,
    },
    /// `(return, fraction)`, by rising return.
    Scaled {
        steps: Vec<(f64, f64)>,
        of: ScaledOf,
    },
    Time(u32),
    Signal {
        column: usize,
        threshold: f64,
    },
    /// Holds when one holds; only inside of `All`, for a list of rules is this already.
    Any(Vec<Bound>),
    All(Vec<Bound>),
}

/// A position as its rules see it. Prices are NaN where there is none yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched<'a> {
    pub facts: &'a PositionFacts,
    pub asset: usize,
    /// The price that levels are measured from.
    pub base: f64,
    /// The best price so far.
    pub water: f64,
    /// The last close since the entry.
    pub closed: f64,
    /// Units of the first entry.
    pub first: f64,
    /// Steps of the ladder that have fired.
    pub step: u8,
    /// Units that the present step has still to close; NaN: it has not begun.
    pub left: f64,
    pub columns: &'a [ColumnMemory],
}

/// `price` moved by a fraction of itself; below zero by a fraction of its size.
#[inline]
pub(super) fn moved(price: f64, fraction: f64) -> f64 {
    if price < 0.0 { price + fraction * price.abs() } else { price * (1.0 + fraction) }
}

/// `price` moved against the side held by a fraction of itself.
#[inline]
pub(super) fn behind(price: f64, side: f64, fraction: f64) -> f64 {
    if price < 0.0 {
        price - side * fraction * price.abs()
    } else {
        price * (1.0 - side * fraction)
    }
}

impl Watched<'_> {
    /// Gain of the position at a price, as a fraction of its base.
    #[inline]
    pub fn return_at(&self, price: f64) -> f64 {
        self.facts.side * (price - self.base) / self.base.abs()
    }

    fn memory(&self, column: usize) -> Option<&ColumnMemory> {
        self.columns.iter().find(|memory| memory.column == column)
    }
}

impl Bound {
    /// The adverse level, NaN for a rule without one or while it is not known.
    #[inline]
    pub fn adverse(&self, watched: &Watched<'_>) -> f64 {
        let side = watched.facts.side;
        let distance = |value: Option<f64>, multiple: f64| value.map_or(f64::NAN, |v| multiple * v);
        match self {
            Self::StopLoss(x) => behind(watched.base, side, *x),
            Self::Trailing(x) => behind(watched.water, side, *x),
            Self::TrailingAmount(amount) => watched.water - side * amount,
            Self::Tightening(steps) => behind(watched.water, side, fraction_at(steps, watched)),
            Self::VolatilityStop { multiple, column } => {
                let anchor = watched.memory(*column).map(|memory| memory.anchor[watched.asset]);
                watched.base - side * distance(anchor, *multiple)
            }
            Self::VolatilityTrail { multiple, column } => {
                let latest = watched.memory(*column).map(|memory| memory.latest[watched.asset]);
                watched.water - side * distance(latest, *multiple)
            }
            _ => f64::NAN,
        }
    }

    /// The favourable level and the units it closes (infinite: all), NaN for a rule without one.
    #[inline]
    pub fn favourable(&self, watched: &Watched<'_>) -> (f64, f64) {
        let side = watched.facts.side;
        match self {
            Self::TakeProfit(x) => (moved(watched.base, side * x), f64::INFINITY),
            Self::Scaled { steps, of } => steps.get(usize::from(watched.step)).map_or(
                (f64::NAN, f64::NAN),
                |&(rise, fraction)| {
                    (moved(watched.base, side * rise), scaled_quantity(*of, fraction, watched))
                },
            ),
            _ => (f64::NAN, f64::NAN),
        }
    }

    /// Why a fill of this rule happened.
    pub fn reason(&self) -> ExitReason {
        match self {
            Self::StopLoss(_) => ExitReason::StopLoss,
            Self::TakeProfit(_) => ExitReason::TakeProfit,
            Self::Trailing(_) | Self::TrailingAmount(_) | Self::Tightening(_) => {
                ExitReason::Trailing
            }
            Self::VolatilityStop { .. } | Self::VolatilityTrail { .. } => {
                ExitReason::VolatilityStop
            }
            Self::Scaled { .. } => ExitReason::Scaled,
            Self::Time(_) => ExitReason::Time,
            Self::Signal { .. } => ExitReason::SignalExit,
            Self::Any(_) | Self::All(_) => ExitReason::AllRules,
        }
    }

    /// Whether the rule waits for closes in place of resting in the market.
    pub fn is_close_triggered(&self) -> bool {
        matches!(self, Self::Time(_) | Self::Signal { .. } | Self::Any(_) | Self::All(_))
    }

    /// Whether a close makes the rule true. Levels are those that would rest in the next row.
    pub fn holds(&self, watched: &Watched<'_>, close: f64, value: &dyn Fn(usize) -> f64) -> bool {
        let side = watched.facts.side;
        match self {
            Self::Time(bars) => watched.facts.bars_held >= *bars,
            // A missing value says nothing: comparisons with NaN are false.
            Self::Signal { column, threshold } => side * value(*column) < -threshold,
            Self::TakeProfit(_) | Self::Scaled { .. } => {
                side * close >= side * self.favourable(watched).0
            }
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(watched, close, value)),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(watched, close, value)),
            _ => side * close <= side * self.adverse(watched),
        }
    }

    /// Calls `visit` with this rule and with those inside of it.
    pub fn visit(&self, visit: &mut dyn FnMut(&Bound)) {
        visit(self);
        if let Self::Any(rules) | Self::All(rules) = self {
            for rule in rules {
                rule.visit(visit);
            }
        }
    }
}

/// The distance that counts at the return of the last close; a position without a close of its own
/// has earned nothing yet.
fn fraction_at(steps: &[(f64, f64)], watched: &Watched<'_>) -> f64 {
    let gain = if watched.closed.is_nan() { 0.0 } else { watched.return_at(watched.closed) };
    let reached = steps.iter().take_while(|&&(from, _)| gain >= from).count();
    steps[reached.saturating_sub(1)].1
}

/// The units that a step of a ladder still closes, never more than what is held.
pub(super) fn scaled_quantity(of: ScaledOf, fraction: f64, watched: &Watched<'_>) -> f64 {
    let held = watched.facts.quantity;
    let whole = match of {
        ScaledOf::Initial if watched.first.is_finite() => watched.first,
        _ => held,
    };
    if watched.left.is_nan() { (fraction * whole).min(held) } else { watched.left.min(held) }
}
