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
//! To add a cost model: a variant and its arms in its file, and its figures in
//! `engine::config_check`. An order kind: a variant of [`OrderKind`] and its prices in `matching`;
//! the compiler leads on.

mod account;
mod actions;
mod accrual;
mod affordable;
mod aging;
mod asked_rules;
mod bar;
mod booking;
mod buying_power;
mod changes;
mod clock;
mod codes;
mod commission;
mod custom;
mod cycle;
mod execution;
mod free_cash;
mod groups;
mod impact;
mod inside;
mod instrument;
mod ledger;
mod limits;
mod live;
mod lots;
mod margin;
mod matching;
mod one_pass;
mod participation;
mod past;
mod phased;
mod positions;
mod presets;
mod reach;
mod rolling;
mod rules;
mod schedule;
mod semantics;
mod settlement;
mod shadow;
mod slippage;
mod submission;
mod time_costs;
mod view;

pub use account::{Account, AccountKind, AccountTerms, MarginCallPolicy};
pub use bar::{Bar, Quotes};
pub use codes::{
    CancelReason, ExitReason, ExpireReason, FillFlags, OrderKind, OrderOrigin, Phase, RejectCode,
    Side, TimeInForce,
};
pub use commission::{Commission, FeeBasis, MinScope, Tier, TierBy, TierOf, TierStyle, Traded};
pub use custom::{
    CustomFee, CustomPrice, FeeModel, PriceModel, check_fee, check_price_cost, is_valid_fee,
    is_valid_price_cost,
};
pub use cycle::{Broker, Conditions};
pub use impact::Impact;
pub use instrument::{Instrument, Instruments, Margin};
pub use ledger::{
    AccountEvent, AccountEventKind, ClosedLot, FillCost, FillRow, Ledger, LotCost, OrderDetail,
    OrderEvent, OrderEventKind, OrderRow, OrderStatus, RejectionRow,
};
pub use limits::{
    Breach, CloseView, LimitAction, LimitBook, LimitKind, LimitRefusal, OpenView, PortfolioLimit,
};
pub use live::{LiveOrder, LiveOrders, Shortfall};
pub use lots::Lots;
pub use matching::{Terms, Trail};
pub use participation::{CapScope, Participation, VolumeBasis};
pub use past::Past;
pub(crate) use positions::dust;
pub use positions::{PositionDetail, PositionView, Positions, Valuation};
pub use presets::SEMANTICS;
pub use rules::{
    Columns, PositionFacts, PositionRule, RuleBook, RuleEntry, RuleExit, RuleSet, ScaledOf,
};
pub use schedule::{CapitalFlow, FundingRate, Roll, Schedule};
pub use semantics::{
    AfterRuleExit, BarsHeld, BothHit, CashCheck, ChildFrom, ChildGate, CloseRuleAt, EntryBar,
    Excursions, ExitSlip, FeeBase, FillAt, FinalClose, FlipShortfall, FundingAt, LimitGap,
    LimitSlip, MarkMissing, Matching, OnCloseAt, Orphans, PartialSearch, RebalanceOrder, RestFrom,
    RowCheck, RuleStyle, Semantics, Sequence, ShortCash, ShortfallRule, SizeRounding, StopBase,
    StopExitAt, StopLimitRule, TargetRounding, TargetShortfall, Touch, TrailOrder, WaterMark,
    WaterStart,
};
pub use slippage::{PriceBasis, Slippage, SpreadMeasure};
pub use submission::{Change, NewOrder};
pub use time_costs::{borrow_cost, cash_interest, describe_rates, funding_cost, year_fraction};
