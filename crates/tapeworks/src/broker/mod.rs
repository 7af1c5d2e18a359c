//! Orders, matching, costs, account, positions and position rules.
//!
//! In: orders, and the rows of one timestamp at a time. Out: fills, refusals, ended lots.
//!
//! The broker imports only `base` and is handed one row of prices a symbol ([`Quotes`]), so it
//! cannot look ahead and can be tested with a table. [`Broker`] runs the phases of the bar cycle
//! (`cycle`, `inside`), fills what has found its price (`execution`), and takes orders in
//! (`submission`).
//!
//! Invariants: an order is first tested against a row after the one in which it was sent; a fill
//! names one order and never exceeds it; a cash account pays for what it opens and never goes
//! short; every refusal is a row with a code and its figures.
//!
//! To add a cost model: a variant and an arm in its file. An order kind: a variant of [`OrderKind`]
//! and its prices in `matching`; the compiler leads on.

mod account;
mod bar;
mod codes;
mod commission;
mod cycle;
mod execution;
mod inside;
mod ledger;
mod live;
mod lots;
mod matching;
mod positions;
mod reach;
mod rules;
mod semantics;
mod slippage;
mod submission;

pub use account::{Account, AccountKind};
pub use bar::{Bar, Quotes};
pub use codes::{
    CancelReason, ExitReason, FillFlags, OrderKind, OrderOrigin, Phase, RejectCode, Side,
};
pub use commission::Commission;
pub use cycle::{Broker, Conditions};
pub use ledger::{
    ClosedLot, FillRow, Ledger, OrderEvent, OrderEventKind, OrderRow, OrderStatus, RejectionRow,
};
pub use live::{LiveOrder, LiveOrders, Shortfall};
pub use lots::Lots;
pub use matching::Terms;
pub(crate) use positions::dust;
pub use positions::{PositionDetail, PositionView, Positions, Valuation};
pub use rules::{PositionRule, RuleBook, RuleSet};
pub use semantics::{BothHit, EntryBar, FillAt, SEMANTICS, Semantics};
pub use slippage::Slippage;
pub use submission::NewOrder;
