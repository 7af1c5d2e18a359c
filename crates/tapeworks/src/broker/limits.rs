//! Limits on the whole portfolio.
//!
//! [`LimitBook::check_open`] stands before every order that opens something;
//! [`LimitBook::evaluate`] looks at the marks of a row that has ended and says what was passed. What follows is the
//! broker's: it queues orders for the next opens.

mod book;
mod check;
mod returns;
#[cfg(test)]
mod tests;

pub use book::{Breach, CloseView, LimitBook, LimitRefusal, OpenView};

/// A limit and what happens when it is passed.
#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioLimit {
    /// What is limited.
    pub kind: LimitKind,
    /// What happens.
    pub action: LimitAction,
}

/// What a portfolio limit watches. Fractions are of equity.
#[derive(Debug, Clone, PartialEq)]
pub enum LimitKind {
    /// `1 - equity / peak`; the peak includes the initial cash.
    MaxDrawdown(f64),
    /// `1 - equity / equity at the end of the session before`.
    DailyLoss(f64),
    /// Sum of absolute values / equity.
    GrossExposure(f64),
    /// Absolute sum of values / equity.
    NetExposure(f64),
    /// Absolute value of one position / equity.
    SymbolExposure(f64),
    /// Sum of absolute values of a group of symbols / equity.
    GroupExposure {
        /// Symbols of the group.
        symbols: Vec<String>,
        /// Largest fraction.
        limit: f64,
    },
    /// Positions held. One more is refused, whatever the action.
    MaxPositions(u32),
    /// Orders of the strategy a session. One more is refused, whatever the action.
    MaxOrders(u32),
    /// Historical loss quantile of session returns, once there are enough of them. The session
    /// under way counts with its return so far.
    ValueAtRisk {
        /// Confidence, such as 0.95.
        level: f64,
        /// Sessions looked at.
        window: u32,
        /// Largest loss.
        limit: f64,
    },
    /// Mean loss of the session returns at the quantile and beyond.
    ConditionalValueAtRisk {
        /// Confidence, such as 0.95.
        level: f64,
        /// Sessions looked at.
        window: u32,
        /// Largest loss.
        limit: f64,
    },
}

/// What happens when a portfolio limit is passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LimitAction {
    /// It is noted.
    Warn,
    /// A fraction of every position is sold at the next opens.
    Reduce(f64),
    /// Every position is closed at the next opens.
    Liquidate,
    /// Opens are refused until the first close of a later session, or `resume`: what the session of
    /// the breach has decided does not open anything.
    Halt,
    /// The run ends with an error.
    Stop,
}
