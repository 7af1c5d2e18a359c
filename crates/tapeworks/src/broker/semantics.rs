//! The execution contract as data: every choice that a simulator makes about orders and prices.
//!
//! A run stores its semantics in full; nothing in the broker branches on a name. The constants that
//! reproduce other frameworks are in `presets`.

use super::codes::codes;
use crate::base::{Error, Result};

codes! {
    /// When a market order fills.
    FillAt {
        /// At the open of the next row of its symbol.
        NextOpen = "next_open",
        /// At the close of the next row of its symbol.
        NextClose = "next_close",
        /// At the close of the row in which it was sent, after the callback.
        SameClose = "same_close",
        /// At the close of the row in which it was sent, inside the call that sends it.
        Immediate = "immediate",
        /// At the open of the row in which it was sent: look-ahead, for parity only.
        ThisOpen = "this_open",
    }
}

codes! {
    /// The first row against which a resting order is tested.
    RestFrom {
        /// The row after the one in which it was sent.
        Next = "next",
        /// The very row in which it was sent: look-ahead, for parity only.
        Same = "same",
    }
}

codes! {
    /// How a row is walked.
    Matching {
        /// Open, inside, close: what certainly happened first comes first.
        Phased = "phased",
        /// One order after the other, each against the whole row.
        OnePass = "one_pass",
    }
}

codes! {
    /// Which rows can fill orders.
    RowCheck {
        /// Four finite prices in order, and a volume that is not 0.
        Full = "full",
        /// Four finite prices and a volume that is not 0.
        Volume = "volume",
        /// Four finite prices.
        Finite = "finite",
    }
}

codes! {
    /// What of a row reaches levels.
    Touch {
        /// Its open and its range.
        BarRange = "bar_range",
        /// Its close alone; what is reached fills at the price of market orders.
        Close = "close",
        /// The price at which market orders fill, and what is reached fills there.
        FillPrice = "fill_price",
    }
}

codes! {
    /// The price of a limit that the open has passed.
    LimitGap {
        /// The open, which is better.
        Open = "open",
        /// The limit.
        Limit = "limit",
    }
}

codes! {
    /// What slippage does to a limit order.
    LimitSlip {
        /// Moves its price up to the limit, and never beyond.
        Clamp = "clamp",
        /// Nothing.
        Unslipped = "unslipped",
        /// A price beyond the limit is no fill: the order waits.
        Refuse = "refuse",
        /// Moves its price beyond the limit.
        Exceed = "exceed",
        /// As `clamp`, but an order that fills at its stop may go beyond its limit, and a sale at
        /// the open beyond the row. For parity only.
        ClampLoose = "clamp_loose",
    }
}

codes! {
    /// Where a stop-limit order fills in the row that triggers it.
    StopLimitRule {
        /// At the trigger when the limit allows it; else at the limit if the close came back to it.
        TriggerOrClose = "trigger_or_close",
        /// At the trigger when the limit allows it; at the limit only if the open lay between.
        TriggerOrOpenBetween = "trigger_or_open_between",
        /// At the trigger when the limit allows it; else at the limit wherever the row touched it.
        Trigger = "trigger",
        /// At the limit wherever the row touched it; where the limit is better than the stop and
        /// the stop was reached inside the row, only if the close came back to the limit.
        Limit = "limit",
        /// At the stop, whatever the open, if the limit lies beyond it and the row touched it;
        /// else not in this row.
        Better = "better",
    }
}

codes! {
    /// Which price-triggered exits pay slippage.
    ExitSlip {
        /// All.
        Always = "always",
        /// All but those that fill at the open.
        NotAtGap = "not_at_gap",
        /// None.
        Never = "never",
        /// None, nor any other fill that closes; whatever opens does.
        OpensOnly = "opens_only",
    }
}

codes! {
    /// What moves the stop of a trailing order whose distance is a fraction.
    TrailPercent {
        /// Prices that are better than the best so far.
        Best = "best",
        /// Each row anew, up and down, for a sale; nothing for a buy. For parity only.
        LastRow = "last_row",
    }
}

codes! {
    /// When a trail follows the price of a row.
    TrailOrder {
        /// After the row was tested against the level of the rows before.
        TestThenUpdate = "test_then_update",
        /// Before it is tested: a high counts before a low that may have come first.
        UpdateThenTest = "update_then_test",
        /// The level of the rows before against the range, then the new one against the close.
        TwoPass = "two_pass",
    }
}

codes! {
    /// Which prices move the water mark of a trail.
    WaterMark {
        /// Highs (lows for a short).
        Extreme = "extreme",
        /// Closes.
        Close = "close",
    }
}

codes! {
    /// Where the water mark of a trail starts.
    WaterStart {
        /// At the entry fill.
        Fill = "fill",
        /// At the close of the row in which the entry was sent.
        SubmitClose = "submit_close",
        /// At the close of the entry row.
        EntryClose = "entry_close",
        /// At the extreme of the entry row.
        EntryExtreme = "entry_extreme",
    }
}

codes! {
    /// Whether position rules rest in the market or are asked once a row.
    RuleStyle {
        /// Levels rest like orders.
        Resting = "resting",
        /// The list of rules is asked with the completed row; the first that fires wins.
        Evaluated = "evaluated",
    }
}

codes! {
    /// The price from which the levels of rules are measured.
    StopBase {
        /// The average fill price.
        Fill = "fill",
        /// The close of the row in which the entry was sent.
        SubmitClose = "submit_close",
    }
}

codes! {
    /// Where a level-triggered rule fills.
    StopExitAt {
        /// At its level, or at the open beyond it.
        Level = "level",
        /// At the extreme of the row.
        Extreme = "extreme",
        /// At the close of the row.
        Close = "close",
        /// At the next open.
        NextOpen = "next_open",
    }
}

codes! {
    /// Where a close-triggered rule fills.
    CloseRuleAt {
        /// At the next open.
        NextOpen = "next_open",
        /// At the open of the row whose close triggered it: look-ahead, for parity only.
        SameOpen = "same_open",
        /// At that close.
        SameClose = "same_close",
    }
}

codes! {
    /// What of the entry row may act on the position entered in it.
    EntryBar {
        /// Adverse extremes that may lie after the entry, favourable ones that must.
        AfterEntry = "after_entry",
        /// Nothing.
        None = "none",
        /// All of it.
        FullBar = "full_bar",
        /// All of it after an entry at the market; after a stop entry a favourable level that the
        /// row reached while it reached no adverse one; nothing after a limit entry.
        ByEntry = "by_entry",
    }
}

codes! {
    /// Which level fires first when one row reaches several.
    BothHit {
        /// Adverse ones, nearest to the open first: the pessimistic reading.
        StopFirst = "stop_first",
        /// Favourable ones first: the optimistic reading.
        ProfitFirst = "profit_first",
        /// In the order of submission.
        Submission = "submission",
        /// In the order of the rule list.
        RuleList = "rule_list",
        /// Open, high, low, close when the row closed below its open; else open, low, high, close.
        OhlcPath = "ohlc_path",
        /// The level nearest to the open.
        NearestOpen = "nearest_open",
    }
}

codes! {
    /// When the children of a bracket become live.
    ChildGate {
        /// When the parent fills.
        ParentFill = "parent_fill",
        /// At once: they may open what they should close. For parity only.
        Ungated = "ungated",
    }
}

codes! {
    /// The first row against which a released child is tested.
    ChildFrom {
        /// The row of the parent's fill.
        SameRow = "same_row",
        /// The row after it.
        NextRow = "next_row",
    }
}

codes! {
    /// What becomes of the exits of a position that something else has closed.
    Orphans {
        /// They are cancelled.
        Cancel = "cancel",
        /// They stay, and may open a position. For parity only.
        Keep = "keep",
        /// A sale that ends a position cancels the other sales of the symbol; a buy nothing. For
        /// parity only.
        CancelSymbol = "cancel_symbol",
        /// They stay; a fill that flips the position cancels all other orders of the symbol. For
        /// parity only.
        KeepButFlip = "keep_but_flip",
    }
}

codes! {
    /// The order in which orders of one row are matched.
    Sequence {
        /// Reduces first, then opens, each by order id.
        ReduceFirst = "reduce_first",
        /// By order id.
        Submission = "submission",
        /// By asset, then by order id.
        BySymbol = "by_symbol",
        /// Reduces first, then opens by value, largest first.
        OpensLargestFirst = "opens_largest_first",
        /// Reduces first, then opens by value, smallest first.
        OpensSmallestFirst = "opens_smallest_first",
        /// All by signed value: largest sale first, largest buy last.
        ValueAscending = "value_ascending",
        /// All by the cash they would take.
        FreeCashAscending = "free_cash_ascending",
    }
}

codes! {
    /// When the account is asked whether it can pay.
    CashCheck {
        /// At the fill.
        AtFill = "at_fill",
        /// Never.
        Never = "never",
        /// At submission against a running budget at the close, and cash at the fill.
        SubmitAndFill = "submit_and_fill",
        /// For the whole queue of a row, at its close, before the first fill.
        Queue = "queue",
    }
}

codes! {
    /// What happens to an open that the account cannot pay for.
    ShortfallRule {
        /// It is refused.
        Reject = "reject",
        /// The largest quantity that can be paid fills.
        Partial = "partial",
        /// It is cancelled without a refusal.
        Cancel = "cancel",
        /// The largest quantity that can be paid fills; where there is none, it is cancelled
        /// without a refusal.
        PartialOrCancel = "partial_or_cancel",
    }
}

codes! {
    /// What becomes of an order that flips a position when the account cannot pay for what it
    /// opens.
    FlipShortfall {
        /// What it closes fills, and the rest is refused.
        CloseAndReject = "close_and_reject",
        /// What it closes fills and the order is done, if the account was asked at submission;
        /// others are refused whole.
        CloseAndFill = "close_and_fill",
        /// It is refused whole.
        Whole = "whole",
    }
}

codes! {
    /// Which orders sized by a target fill as far as the account can pay.
    TargetShortfall {
        /// All of them.
        Partial = "partial",
        /// Those of a rebalance in whole lots; other targets follow the rule of orders in stated
        /// units.
        Rebalance = "rebalance",
        /// None: they follow the rule of orders in stated units.
        AsOrders = "as_orders",
    }
}

codes! {
    /// How the largest quantity that can be paid is found.
    PartialSearch {
        /// Exactly, at the price that will be paid.
        Exact = "exact",
        /// At the price before slippage; a fractional quantity by halving, less one cent. Every
        /// open that slippage has moved is tested once more at the price paid, as if nothing had
        /// been asked before. For parity only.
        HalvingLessCent = "halving_less_cent",
    }
}

codes! {
    /// What short proceeds may pay for in an account that allows short positions.
    ShortCash {
        /// Margin decides, not cash.
        Margin = "margin",
        /// They are cash like any other: a short may be opened while cash stays at 0 or above.
        Credit = "credit",
        /// They are cash like any other, and no buy goes beyond it: one that covers is cut as well.
        CreditCapped = "credit_capped",
        /// They are cash like any other, and a short is opened against free cash of its value.
        CreditCovered = "credit_covered",
        /// They are locked, and as much again.
        Lock = "lock",
        /// As `lock`, in the rounding order of one cash movement an order.
        LockCombined = "lock_combined",
    }
}

codes! {
    /// How the quantity of an order is rounded.
    SizeRounding {
        /// To lots, toward zero.
        Lot = "lot",
        /// Not at all.
        None = "none",
    }
}

codes! {
    /// What is rounded when a target is turned into an order.
    TargetRounding {
        /// The target.
        Target = "target",
        /// The difference to what is held.
        Difference = "difference",
        /// The difference, by the order that asks for it: less than a lot is a refused order.
        Order = "order",
    }
}

codes! {
    /// The order in which a rebalance sends its orders.
    RebalanceOrder {
        /// What reduces positions first, then the rest, each by symbol.
        ReducesFirst = "reduces_first",
        /// Sales first, then buys, each as the weights were given; what was not named is sold after
        /// them.
        SalesFirst = "sales_first",
    }
}

codes! {
    /// Whether the contract multiplier enters percentage fees.
    FeeBase {
        /// It does.
        Notional = "notional",
        /// It does not: for parity only.
        PriceOnly = "price_only",
    }
}

codes! {
    /// What a position without a row is worth, and whether its targets can be traded.
    MarkMissing {
        /// Its last mark.
        Last = "last",
        /// Its last mark; orders for it are not made.
        SkipOrders = "skip_orders",
    }
}

codes! {
    /// Which rows age a position.
    BarsHeld {
        /// The tradable rows of its symbol.
        OwnRows = "own_rows",
        /// All timestamps.
        AllRows = "all_rows",
    }
}

codes! {
    /// Which prices enter the excursions of a position.
    Excursions {
        /// Extremes that may belong to it.
        AfterEntry = "after_entry",
        /// Closes, as returns on the average price of their time; the exit row is left out.
        Marks = "marks",
        /// The close of the entry row, then extremes; the exit row is left out.
        NotEntryRow = "not_entry_row",
        /// Extremes, those of the entry row too; the exit row is left out.
        WholeRows = "whole_rows",
    }
}

codes! {
    /// Which position pays a funding rate whose instant is that of a row.
    FundingAt {
        /// The one after the row's fills.
        AfterFills = "after_fills",
        /// The one before the row's fills, at the row's close: for parity only.
        BeforeFills = "before_fills",
    }
}

codes! {
    /// At which close a market-on-close order fills.
    OnCloseAt {
        /// At that of a later row.
        Next = "next",
        /// At that of the row in which it was sent: for parity only.
        Same = "same",
    }
}

codes! {
    /// Whether a symbol may be traded again in the row in which a rule closed it.
    AfterRuleExit {
        /// It may.
        Allowed = "allowed",
        /// Orders of that row are dropped.
        Blocked = "blocked",
    }
}

codes! {
    /// What becomes of positions that are open at the end.
    FinalClose {
        /// They stay, valued at the last mark.
        Mark = "mark",
        /// They are closed at the last close, with costs.
        Trade = "trade",
    }
}

/// Declares [`Semantics`] with a setter and a getter by name for every knob.
macro_rules! semantics {
    ($($(#[$doc:meta])* $knob:ident: $type:ident,)+) => {
        /// How orders meet prices. Start from a constant and change what differs.
        ///
        /// # Example
        /// ```
        /// use tapeworks::broker::{BothHit, Semantics};
        /// let optimistic = Semantics { both_hit: BothHit::ProfitFirst, ..Semantics::REALISTIC };
        /// assert_ne!(optimistic, Semantics::REALISTIC);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct Semantics {
            /// The name that configs and reports use.
            pub name: &'static str,
            $($(#[$doc])* pub $knob: $type,)+
            /// Rows of its symbol that a market order waits before it may fill.
            pub fill_delay: u8,
            /// Whether prices after costs are kept within the row's range.
            pub slip_cap: bool,
            /// Whether the entry row moves the water mark of a trail as later rows do; if not, its
            /// close alone does.
            pub water_entry_row: bool,
            /// Whether targets count what live market orders will bring.
            pub targets_count_live: bool,
            /// Whether two exits of one row may together flip a position.
            pub double_exit: bool,
            /// Whether trailing orders pay a fee.
            pub fee_on_trailing: bool,
            /// Whether stop slippage is paid by orders too, in place of position rules alone.
            pub stop_slip_orders: bool,
            /// The part of equity that the weights of a rebalance are measured from.
            pub headroom: f64,
            /// By how much currency an open may exceed the cash; negative: relative to the cash.
            pub cash_tolerance: f64,
        }

        impl Semantics {
            /// The names of the knobs that take a word.
            pub const KNOBS: &'static [&'static str] = &[$(stringify!($knob)),+];

            /// Sets one knob by its name.
            ///
            /// # Errors
            /// `C330` for an unknown knob or word, with those that exist.
            pub fn set(&mut self, knob: &str, value: &str) -> Result<()> {
                match knob {
                    $(stringify!($knob) => {
                        self.$knob = $type::ALL
                            .iter()
                            .copied()
                            .find(|one| one.as_str() == value)
                            .ok_or_else(|| {
                                let names = $type::ALL.iter().map(|one| one.as_str());
                                unknown(&format!("semantics.{knob}"), value, names)
                            })?;
                        Ok(())
                    })+
                    _ => Err(unknown("semantics", knob, Self::KNOBS.iter().copied())),
                }
            }

            /// The words that a knob takes; `None` when there is no such knob.
            #[must_use]
            pub fn words_of(knob: &str) -> Option<Vec<&'static str>> {
                match knob {
                    $(stringify!($knob) => {
                        Some($type::ALL.iter().map(|one| one.as_str()).collect())
                    })+
                    _ => None,
                }
            }

            /// The word of one knob; `None` when there is no such knob.
            #[must_use]
            pub fn value_of(&self, knob: &str) -> Option<&'static str> {
                match knob {
                    $(stringify!($knob) => Some(self.$knob.as_str()),)+
                    _ => None,
                }
            }
        }
    };
}

semantics! {
    /// When a market order fills.
    fill_at: FillAt,
    /// The first row that a resting order meets.
    rest_from: RestFrom,
    /// How a row is walked.
    matching: Matching,
    /// Which rows can fill orders.
    row_check: RowCheck,
    /// What of a row reaches levels.
    touch: Touch,
    /// The price of a limit that the open has passed.
    limit_gap: LimitGap,
    /// What slippage does to a limit order.
    limit_slip: LimitSlip,
    /// Where a stop-limit order fills in the row that triggers it.
    stop_limit: StopLimitRule,
    /// Which price-triggered exits pay slippage.
    exit_slip: ExitSlip,
    /// When a trailing order follows the price.
    trail_orders: TrailOrder,
    /// When a trailing rule follows the price.
    trail_rules: TrailOrder,
    /// What moves the stop of a trailing order whose distance is a fraction.
    trail_percent: TrailPercent,
    /// Which prices move a water mark.
    water_mark: WaterMark,
    /// Where a water mark starts.
    water_start: WaterStart,
    /// Whether rules rest in the market or are asked once a row.
    rules: RuleStyle,
    /// What of a row reaches the levels of rules that are asked.
    rule_touch: Touch,
    /// The price from which the levels of rules are measured.
    stop_base: StopBase,
    /// Where a level-triggered rule fills.
    stop_exit_at: StopExitAt,
    /// Where a close-triggered rule fills.
    close_rule_at: CloseRuleAt,
    /// What of the entry row may act through position rules.
    entry_bar: EntryBar,
    /// What of the entry row may act through the children of a bracket.
    entry_bar_children: EntryBar,
    /// Which level fires first when one row reaches several.
    both_hit: BothHit,
    /// When the children of a bracket become live.
    child_gate: ChildGate,
    /// The first row that a released child meets.
    child_from: ChildFrom,
    /// What becomes of exits whose position is gone.
    orphans: Orphans,
    /// The order of matching.
    sequence: Sequence,
    /// When the account is asked.
    cash_check: CashCheck,
    /// What happens to orders in stated units that cannot be paid.
    shortfall: ShortfallRule,
    /// What becomes of a flip that cannot be paid.
    flip_shortfall: FlipShortfall,
    /// Which orders sized by a target fill as far as the account can pay.
    target_shortfall: TargetShortfall,
    /// How the largest payable quantity is found.
    partial_search: PartialSearch,
    /// What short proceeds may pay for.
    short_cash: ShortCash,
    /// How quantities are rounded.
    size_rounding: SizeRounding,
    /// What is rounded of a target.
    target_rounding: TargetRounding,
    /// The order in which a rebalance sends its orders.
    rebalance_order: RebalanceOrder,
    /// Whether the multiplier enters percentage fees.
    fee_base: FeeBase,
    /// What a position without a row is worth.
    mark_missing: MarkMissing,
    /// Which rows age a position.
    bars_held: BarsHeld,
    /// Which prices enter excursions.
    excursions: Excursions,
    /// Which position pays a funding rate whose instant is that of a row.
    funding_at: FundingAt,
    /// At which close a market-on-close order fills.
    on_close_at: OnCloseAt,
    /// Whether a symbol may be traded again after a rule closed it.
    after_rule_exit: AfterRuleExit,
    /// What becomes of positions that are open at the end.
    final_close: FinalClose,
}

fn unknown<'a>(what: &str, given: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let names: Vec<&str> = names.collect();
    Error::config("C330", format!("{what}: there is no {given}"))
        .with_hint(format!("one of {}", names.join(", ")))
}

impl Semantics {
    /// The default: no look-ahead, pessimistic where a row leaves the path open.
    pub const REALISTIC: Self = Self {
        name: "realistic",
        fill_at: FillAt::NextOpen,
        rest_from: RestFrom::Next,
        matching: Matching::Phased,
        row_check: RowCheck::Full,
        touch: Touch::BarRange,
        limit_gap: LimitGap::Open,
        limit_slip: LimitSlip::Clamp,
        stop_limit: StopLimitRule::TriggerOrClose,
        exit_slip: ExitSlip::Always,
        trail_orders: TrailOrder::TestThenUpdate,
        trail_rules: TrailOrder::TestThenUpdate,
        trail_percent: TrailPercent::Best,
        water_mark: WaterMark::Extreme,
        water_start: WaterStart::Fill,
        rules: RuleStyle::Resting,
        rule_touch: Touch::BarRange,
        stop_base: StopBase::Fill,
        stop_exit_at: StopExitAt::Level,
        close_rule_at: CloseRuleAt::NextOpen,
        entry_bar: EntryBar::AfterEntry,
        entry_bar_children: EntryBar::AfterEntry,
        both_hit: BothHit::StopFirst,
        child_gate: ChildGate::ParentFill,
        child_from: ChildFrom::SameRow,
        orphans: Orphans::Cancel,
        sequence: Sequence::ReduceFirst,
        cash_check: CashCheck::AtFill,
        shortfall: ShortfallRule::Reject,
        flip_shortfall: FlipShortfall::CloseAndReject,
        target_shortfall: TargetShortfall::Partial,
        partial_search: PartialSearch::Exact,
        short_cash: ShortCash::Margin,
        size_rounding: SizeRounding::Lot,
        target_rounding: TargetRounding::Target,
        rebalance_order: RebalanceOrder::ReducesFirst,
        fee_base: FeeBase::Notional,
        mark_missing: MarkMissing::Last,
        bars_held: BarsHeld::OwnRows,
        excursions: Excursions::AfterEntry,
        funding_at: FundingAt::AfterFills,
        on_close_at: OnCloseAt::Next,
        after_rule_exit: AfterRuleExit::Allowed,
        final_close: FinalClose::Mark,
        fill_delay: 0,
        slip_cap: false,
        water_entry_row: true,
        targets_count_live: true,
        double_exit: false,
        fee_on_trailing: true,
        stop_slip_orders: true,
        headroom: 1.0,
        cash_tolerance: -1e-9,
    };

    /// Whether orders may fill in the row in which they were sent.
    #[must_use]
    #[inline]
    pub fn fills_in_own_row(&self) -> bool {
        matches!(self.fill_at, FillAt::SameClose | FillAt::Immediate | FillAt::ThisOpen)
            || self.rest_from == RestFrom::Same
            || self.on_close_at == OnCloseAt::Same
    }

    /// Whether the close at which an order was sent is kept with it.
    #[must_use]
    pub fn needs_submit_close(&self) -> bool {
        self.stop_base == StopBase::SubmitClose || self.water_start == WaterStart::SubmitClose
    }

    /// Whether the value of an order decides when its turn comes.
    #[must_use]
    pub fn sorts_by_value(&self) -> bool {
        matches!(
            self.sequence,
            Sequence::OpensLargestFirst | Sequence::OpensSmallestFirst | Sequence::ValueAscending
        )
    }

    /// Whether a trailing order has no level before the first row that it meets.
    #[must_use]
    pub fn trails_start_blank(&self) -> bool {
        self.trail_orders == TrailOrder::UpdateThenTest
            || self.water_start == WaterStart::EntryExtreme
    }

    /// The constant of a name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        super::presets::SEMANTICS.iter().find(|s| s.name == name).copied()
    }
}

impl Default for Semantics {
    fn default() -> Self {
        Self::REALISTIC
    }
}
