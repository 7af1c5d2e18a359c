//! The limits of a run and what they have seen so far.

use super::check::{Resolve, check};
use super::returns::SessionReturns;
use super::{LimitAction, LimitKind, PortfolioLimit};
use crate::base::{AssetId, Result};
use crate::broker::codes::RejectCode;

/// The portfolio limits of a run, the peaks and sessions they are measured against, and which of
/// them stand in breach.
#[derive(Debug, Clone, Default)]
pub struct LimitBook {
    limits: Vec<Watch>,
    /// Highest equity so far, the initial cash included, restated at capital flows.
    peak: f64,
    /// Equity at the end of the session before, restated at capital flows.
    session_base: f64,
    /// Equity at the last close, without what has flowed since.
    equity: f64,
    session: Option<u32>,
    /// The session in which a limit halted trading.
    halted: Option<u32>,
    /// Return of the session under way.
    session_return: f64,
    returns: SessionReturns,
    /// Reused between rows.
    breaches: Vec<Breach>,
}

#[derive(Debug, Clone)]
struct Watch {
    limit: PortfolioLimit,
    /// Assets of a group, by rising number.
    members: Vec<AssetId>,
    is_breached: bool,
}

/// A limit that a close has passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breach {
    /// Its place in the list of the run.
    pub limit: usize,
    /// What was measured, as a fraction of equity.
    pub measured: f64,
    /// What happens.
    pub action: LimitAction,
}

/// An order refused by a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitRefusal {
    /// Why.
    pub code: RejectCode,
    /// What the order would have led to: currency for exposures, a count for counts; NaN when
    /// trading is halted.
    pub need: f64,
    /// What is allowed, in the same units.
    pub have: f64,
}

/// The portfolio as it would be after an order that opens something.
#[derive(Clone, Copy)]
pub struct OpenView<'a> {
    /// The symbol.
    pub asset: AssetId,
    /// Signed value of the symbol's position after the order.
    pub value_after: f64,
    /// Sum of absolute values after the order.
    pub gross_after: f64,
    /// Sum of values after the order.
    pub net_after: f64,
    /// Sum of values before the order: what brings it nearer to 0 is not refused.
    pub net_before: f64,
    /// Equity.
    pub equity: f64,
    /// Positions after the order.
    pub n_positions_after: u32,
    /// Whether the symbol has no position yet.
    pub is_new: bool,
    /// Orders of this session, this one included.
    pub n_orders: u32,
    /// Signed value of any symbol's position before the order; asked for members of groups only.
    pub value: &'a dyn Fn(AssetId) -> f64,
}

/// The portfolio at the marks of a row that has ended.
#[derive(Debug, Clone, Copy)]
pub struct CloseView<'a> {
    /// Number of the session.
    pub session: u32,
    /// Equity, what has flowed in included.
    pub equity: f64,
    /// Capital that has flowed in (out: negative) since the last close.
    pub flow: f64,
    /// Sum of absolute values.
    pub gross: f64,
    /// Sum of values.
    pub net: f64,
    /// Signed values of all positions.
    pub positions: &'a [(AssetId, f64)],
}

/// What rounding may add to a value before it passes a limit.
const TOLERANCE: f64 = 1e-9;

impl LimitBook {
    /// A book of the run's limits, before its first row.
    ///
    /// # Errors
    /// `C312` for a figure out of range or a symbol that the run does not have.
    pub fn new(limits: &[PortfolioLimit], resolve: Resolve<'_>, initial_cash: f64) -> Result<Self> {
        let mut book = Self {
            peak: initial_cash,
            session_base: initial_cash,
            equity: initial_cash,
            ..Self::default()
        };
        for limit in limits {
            let members = check(limit, resolve)?;
            if let LimitKind::ValueAtRisk { window, .. }
            | LimitKind::ConditionalValueAtRisk { window, .. } = &limit.kind
            {
                book.returns.keep(*window);
            }
            book.limits.push(Watch { limit: limit.clone(), members, is_breached: false });
        }
        Ok(book)
    }

    /// Whether the run has any limit.
    #[must_use]
    #[inline]
    pub fn is_active(&self) -> bool {
        !self.limits.is_empty()
    }

    /// The largest number of orders a session.
    #[must_use]
    pub fn max_orders(&self) -> Option<u32> {
        let most = self.limits.iter().filter_map(|watch| match watch.limit.kind {
            LimitKind::MaxOrders(most) => Some(most),
            _ => None,
        });
        most.min()
    }

    /// Whether opens are refused.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.halted.is_some()
    }

    /// Ends a halt.
    pub fn resume(&mut self) {
        self.halted = None;
    }

    /// The limits in the order given.
    #[must_use]
    pub fn limits(&self) -> impl ExactSizeIterator<Item = &PortfolioLimit> {
        self.limits.iter().map(|watch| &watch.limit)
    }

    /// Why an order that opens something may not; orders that only reduce are not asked about.
    #[must_use]
    pub fn check_open(&self, view: &OpenView<'_>) -> Option<LimitRefusal> {
        if self.is_halted() {
            let code = RejectCode::TradingHalted;
            return Some(LimitRefusal { code, need: f64::NAN, have: f64::NAN });
        }
        self.limits.iter().find_map(|watch| watch.check_open(view))
    }

    /// Takes in the close of a row and names the limits that it passed. A limit that stays passed
    /// is named once; it is armed again when a later close is inside, `DailyLoss` also by the next
    /// session.
    pub fn evaluate(&mut self, view: &CloseView<'_>) -> &[Breach] {
        self.breaches.clear();
        self.begin_session(view.session);
        // A flow is no gain: everything is measured without it, then restated with it.
        let before_flow = view.equity - view.flow;
        self.peak = self.peak.max(before_flow);
        self.session_return = before_flow / self.session_base - 1.0;
        for (limit, watch) in self.limits.iter_mut().enumerate() {
            let (measured, is_passed) = match &watch.limit.kind {
                LimitKind::MaxDrawdown(x) => at_least(1.0 - before_flow / self.peak, *x),
                LimitKind::DailyLoss(x) => at_least(1.0 - before_flow / self.session_base, *x),
                LimitKind::GrossExposure(x) => above(view.gross, view.equity, *x),
                LimitKind::NetExposure(x) => above(view.net.abs(), view.equity, *x),
                LimitKind::SymbolExposure(x) => above(largest(view), view.equity, *x),
                LimitKind::GroupExposure { limit, .. } => {
                    above(watch.group_value(view), view.equity, *limit)
                }
                LimitKind::ValueAtRisk { level, window, limit } => {
                    match self.returns.worst(self.session_return, *level, *window) {
                        Some((quantile, _)) => (quantile, quantile > *limit),
                        None => continue,
                    }
                }
                LimitKind::ConditionalValueAtRisk { level, window, limit } => {
                    match self.returns.worst(self.session_return, *level, *window) {
                        Some((_, tail)) => (tail, tail > *limit),
                        None => continue,
                    }
                }
                LimitKind::MaxPositions(_) | LimitKind::MaxOrders(_) => continue,
            };
            if is_passed && !watch.is_breached {
                let action = watch.limit.action;
                self.breaches.push(Breach { limit, measured, action });
                if action == LimitAction::Halt {
                    self.halted = Some(view.session);
                }
            }
            watch.is_breached = is_passed;
        }
        self.restate(before_flow, view.equity);
        &self.breaches
    }

    fn begin_session(&mut self, session: u32) {
        if self.session.is_some_and(|last| last == session) {
            return;
        }
        if self.session.is_some() {
            self.returns.push(self.session_return);
        }
        self.session = Some(session);
        self.session_base = self.equity;
        if self.halted.is_some_and(|since| since != session) {
            self.halted = None;
        }
        for watch in &mut self.limits {
            if matches!(watch.limit.kind, LimitKind::DailyLoss(_)) {
                watch.is_breached = false;
            }
        }
    }

    fn restate(&mut self, before_flow: f64, equity: f64) {
        self.equity = equity;
        if before_flow == equity {
            return;
        }
        // Without equity there is no ratio to keep; then a flow only adds.
        if before_flow > 0.0 && equity > 0.0 {
            let ratio = equity / before_flow;
            self.peak *= ratio;
            self.session_base *= ratio;
        } else {
            self.peak += equity - before_flow;
            self.session_base += equity - before_flow;
        }
    }
}

impl Watch {
    fn check_open(&self, view: &OpenView<'_>) -> Option<LimitRefusal> {
        let exposure = |value: f64, limit: f64| {
            let have = (limit * view.equity).max(0.0);
            (value - have > TOLERANCE * have.max(1.0)).then_some(LimitRefusal {
                code: RejectCode::LimitExposure,
                need: value,
                have,
            })
        };
        let counted = |code, need: u32, have: u32| {
            (need > have).then_some(LimitRefusal {
                code,
                need: f64::from(need),
                have: f64::from(have),
            })
        };
        match &self.limit.kind {
            LimitKind::GrossExposure(x) => exposure(view.gross_after, *x),
            LimitKind::NetExposure(x) => exposure(view.net_after.abs(), *x)
                .filter(|_| view.net_after.abs() > view.net_before.abs()),
            LimitKind::SymbolExposure(x) => exposure(view.value_after.abs(), *x),
            LimitKind::GroupExposure { limit, .. } if self.has(view.asset) => {
                let others = self.members.iter().filter(|member| **member != view.asset);
                let others: f64 = others.map(|member| (view.value)(*member).abs()).sum();
                exposure(others + view.value_after.abs(), *limit)
            }
            LimitKind::MaxPositions(n) if view.is_new => {
                counted(RejectCode::LimitPositions, view.n_positions_after, *n)
            }
            LimitKind::MaxOrders(n) => counted(RejectCode::LimitOrderCount, view.n_orders, *n),
            _ => None,
        }
    }

    fn has(&self, asset: AssetId) -> bool {
        self.members.binary_search_by_key(&asset.0, |member| member.0).is_ok()
    }

    fn group_value(&self, view: &CloseView<'_>) -> f64 {
        let inside = view.positions.iter().filter(|(asset, _)| self.has(*asset));
        inside.map(|(_, value)| value.abs()).sum()
    }
}

fn largest(view: &CloseView<'_>) -> f64 {
    view.positions.iter().fold(0.0, |largest, (_, value)| value.abs().max(largest))
}

/// What was measured and whether it passes the limit.
fn at_least(measured: f64, limit: f64) -> (f64, bool) {
    (measured, measured >= limit)
}

/// A value against equity; without equity any value is too much.
fn above(value: f64, equity: f64, limit: f64) -> (f64, bool) {
    let measured = match (value > 0.0, equity > 0.0) {
        (false, _) => 0.0,
        (true, false) => f64::INFINITY,
        (true, true) => value / equity,
    };
    (measured, measured > limit)
}
