//! The position rules that a user can give.

/// A rule that watches a position. Returns and distances are fractions: 0.05 is 5 %.
#[derive(Debug, Clone, PartialEq)]
pub enum PositionRule {
    /// A resting stop at `base x (1 - x)`; the base is the average of the entry fills.
    StopLoss(f64),
    /// A resting limit at `base x (1 + x)`.
    TakeProfit(f64),
    /// A resting stop at `W x (1 - x)`; the water mark `W` starts at the entry fill and follows the
    /// best price of the rows before the one tested.
    TrailingStop(f64),
    /// A resting stop at `W - amount`, in currency.
    TrailingAmount(f64),
    /// A trailing stop whose distance depends on the return at the previous close: the entry
    /// `(return, x)` with the highest return that is reached counts; before the first, the first.
    TighteningTrail(Vec<(f64, f64)>),
    /// A resting stop at `base - multiple x column`, the column's value at the entry's decision, or
    /// at the first later row where it is finite.
    VolatilityStop {
        /// Distance in units of the column.
        multiple: f64,
        /// A signal or indicator column, such as an average true range.
        column: String,
    },
    /// A resting stop at `W - multiple x column`, the column's value at the previous row.
    VolatilityTrail {
        /// Distance in units of the column.
        multiple: f64,
        /// A signal or indicator column.
        column: String,
    },
    /// Resting limits at `base x (1 + return)`, each once, that close a fraction each.
    ScaledExit {
        /// `(return, fraction)`, by rising return.
        steps: Vec<(f64, f64)>,
        /// What the fractions are of.
        of: ScaledOf,
    },
    /// Closes at the next open once the position is so many rows old.
    TimeExit(u32),
    /// Closes at the next open once the column says against the position: below `-threshold` for a
    /// long, above `threshold` for a short.
    SignalExit {
        /// A signal or indicator column.
        column: String,
        /// How far beyond zero.
        threshold: f64,
    },
    /// All of these are armed; whichever price reaches first fires. The list of a run is this.
    Any(Vec<PositionRule>),
    /// Closes at the next open once all of these hold at a close.
    All(Vec<PositionRule>),
}

/// What the fractions of a scaled exit are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScaledOf {
    /// The size at the first entry.
    #[default]
    Initial,
    /// What is held when the step fires.
    Remaining,
}
