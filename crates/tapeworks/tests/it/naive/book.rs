//! What the twin writes down: orders, positions, fills and ended lots.

use tapeworks::broker::{ExitReason, OrderKind, OrderOrigin, OrderStatus, Phase, TimeInForce};
use tapeworks::engine::{ExitPrice, ReleaseOn, TrailTerms};

/// How a price was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum How {
    AtOpen,
    TouchedLimit,
    TouchedStop,
    AtClose,
    /// A child that was already satisfied when its parent filled inside the row.
    WithParent,
}

/// One fill about to happen.
#[derive(Debug, Clone, Copy)]
pub struct Hit {
    pub base: f64,
    pub how: How,
    pub phase: Phase,
    /// The limit that the price must keep; NaN: none.
    pub limit: f64,
    /// Whether a stop triggered it.
    pub by_stop: bool,
    pub flags: u8,
}

/// The fill from which a level dates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    pub bar: usize,
    /// Which way the fill went.
    pub side: f64,
    pub how: How,
    pub base: f64,
}

/// An order so far, as one part of a fee model sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Paid {
    pub raw: f64,
    pub notional: f64,
    pub fees: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ChildOf {
    Nobody,
    /// Sized by the parent; the price where it is a fraction.
    Bracket(Option<ExitPrice>),
    /// Sized by itself.
    Oto(ReleaseOn),
}

#[derive(Debug, Clone)]
pub struct Order {
    pub id: u32,
    pub asset: u32,
    /// +1 buys, -1 sells.
    pub d: f64,
    pub total: f64,
    pub filled: f64,
    pub filled_notional: f64,
    /// What each part of the fee model has seen of this order.
    pub paid: Vec<Paid>,
    pub kind: OrderKind,
    pub limit: f64,
    pub stop: f64,
    pub trail: Option<TrailTerms>,
    pub water: f64,
    pub is_dormant: bool,
    pub is_triggered: bool,
    /// Its stop was reached in the row of its turn.
    pub reached: bool,
    pub tif: TimeInForce,
    pub reduce_only: bool,
    pub may_shrink: bool,
    pub origin: OrderOrigin,
    pub reason: ExitReason,
    pub status: OrderStatus,
    /// Matching order among equals: the id, until a change moves it to the end.
    pub priority: u64,
    pub created: usize,
    /// The first bar that may fill it.
    pub from_bar: usize,
    /// The number of the session for which a `day` order lives.
    pub day_session: usize,
    pub child_of: ChildOf,
    pub parent: Option<u32>,
    pub start: Option<Start>,
    pub group: u32,
    /// Units that siblings have filled in its place.
    pub taken_by_siblings: f64,
    /// Whether it had its turn in this row and could not fill completely.
    pub is_done_for_row: bool,
}

impl Order {
    pub fn rest(&self) -> f64 {
        self.total - self.filled
    }

    pub fn is_live(&self) -> bool {
        self.status == OrderStatus::Live
    }

    pub fn is_open(&self) -> bool {
        matches!(self.status, OrderStatus::Live | OrderStatus::Held)
    }

    /// The stop price: stated, or behind the water mark.
    pub fn stop_level(&self) -> f64 {
        use tapeworks::engine::Distance::{Amount, Fraction};
        match self.trail.map(|trail| trail.distance) {
            None => self.stop,
            Some(Amount(a)) => self.water + self.d * a,
            Some(Fraction(x)) if self.d < 0.0 => self.water * (1.0 - x),
            Some(Fraction(x)) => self.water * (1.0 + x),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Position {
    pub asset: u32,
    /// Signed.
    pub units: f64,
    pub average: f64,
    pub fees_in: f64,
    pub slippage_in: f64,
    pub settle: f64,
    pub entry: Start,
    pub entry_units: f64,
    /// The last fill that entered or added: the levels of rules date from it.
    pub last: Start,
    pub entry_fill: u32,
    pub entry_order: u32,
    /// Best and worst price for its side since the entry.
    pub best: f64,
    pub worst: f64,
    pub bars_held: u32,
    pub bars_to_best: u32,
    pub bars_to_worst: u32,
    pub flags: u8,
    /// Steps of a scaled exit that are done, by rule and step.
    pub steps_done: Vec<(usize, usize)>,
    /// What steps that have begun have left to sell.
    pub steps_left: Vec<((usize, usize), f64)>,
    /// Column values that volatility stops have taken, by rule.
    pub taken: Vec<(usize, f64)>,
}

impl Position {
    pub fn side(&self) -> f64 {
        self.units.signum()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Fill {
    pub bar: usize,
    pub order: u32,
    pub asset: u32,
    pub quantity: f64,
    pub base: f64,
    pub price: f64,
    pub commission: f64,
    pub phase: Phase,
    pub reason: ExitReason,
    pub flags: u8,
    pub reduces: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Lot {
    pub exit_fill: Option<u32>,
    pub entry_fill: u32,
    pub quantity: f64,
    pub side: f64,
    pub entry_price: f64,
    pub exit_price: f64,
    pub entry_commission: f64,
    pub exit_commission: f64,
    pub entry_slippage: f64,
    pub exit_slippage: f64,
    pub best: f64,
    pub worst: f64,
    pub bars_held: u32,
    pub bars_to_best: u32,
    pub bars_to_worst: u32,
    pub flags: u8,
    pub reason: ExitReason,
    pub closes: bool,
}

/// The books at the end of a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    pub cash: f64,
    pub equity: f64,
    pub unsettled: f64,
    pub funding: f64,
    pub borrow: f64,
    pub interest: f64,
    pub flows: f64,
    pub fees: f64,
}
