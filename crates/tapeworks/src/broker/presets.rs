//! One constant of semantics a framework whose results can be reproduced.
//!
//! A constant says how orders meet prices. What a framework charges by default, what its account
//! may do and how much volume it may take belong to the run, and are named in each description.
//! "Seen" facts were observed by running the version named; the others were read in its source.

use super::semantics::{
    AfterRuleExit, BarsHeld, BothHit, CashCheck, ChildFrom, ChildGate, CloseRuleAt, EntryBar,
    Excursions, ExitSlip, FeeBase, FillAt, FlipShortfall, FundingAt, LimitGap, LimitSlip,
    MarkMissing, Matching, OnCloseAt, Orphans, PartialSearch, RebalanceOrder, RestFrom, RowCheck,
    RuleStyle, Semantics, Sequence, ShortCash, ShortfallRule, SizeRounding, StopBase, StopExitAt,
    StopLimitRule, TargetRounding, TargetShortfall, Touch, TrailOrder, TrailPercent, WaterMark,
    WaterStart,
};

/// Every constant that a name finds.
pub const SEMANTICS: &[Semantics] = &[
    Semantics::REALISTIC,
    Semantics::BACKTRADER,
    Semantics::BACKTRADER_BRACKET_AS_RULES,
    Semantics::VECTORBT,
    Semantics::VECTORBT_ML4T,
    Semantics::ZIPLINE,
    Semantics::ZIPLINE_NEXT_OPEN,
    Semantics::BACKTESTING_PY,
    Semantics::LUMIBOT,
    Semantics::ML4T_DEFAULT,
    Semantics::ML4T_REALISTIC,
    Semantics::ML4T_IBKR_US_STOCKS_FIXED,
    Semantics::ML4T_FAST,
    Semantics::ML4T_LEAN,
    Semantics::ML4T_BACKTRADER,
    Semantics::ML4T_BACKTRADER_STRICT,
    Semantics::ML4T_VECTORBT,
    Semantics::ML4T_VECTORBT_STRICT,
    Semantics::ML4T_VECTORBT_OSS_STRICT,
    Semantics::ML4T_VECTORBT_FUTURES_STRICT,
    Semantics::ML4T_ZIPLINE,
    Semantics::ML4T_ZIPLINE_STRICT,
];

impl Semantics {
    /// backtrader 1.9.78.123, seen live and read in its broker.
    ///
    /// Unlike `realistic`: orders are walked in the order of submission, each against the whole
    /// row; an order sent together with an entry meets the entry's row, and so does a loose exit;
    /// children of a bracket wait for the row after the parent's, the stop before the target;
    /// trails follow closes from the close of the deciding row; slipped prices stay within the row;
    /// the account is asked at submission, with a budget that refused orders use up as well, and
    /// again at the fill, where nothing but negative cash refuses; loose exits outlive their
    /// position. Its account: [`AccountKind::Margin`](super::AccountKind) with shorts on credit.
    /// `cheat_on_close` is `fill_at = same_close`.
    pub const BACKTRADER: Self = Self {
        name: "backtrader",
        limit_slip: LimitSlip::ClampLoose,
        matching: Matching::OnePass,
        row_check: RowCheck::Finite,
        stop_limit: StopLimitRule::TriggerOrOpenBetween,
        water_mark: WaterMark::Close,
        water_start: WaterStart::SubmitClose,
        entry_bar: EntryBar::None,
        entry_bar_children: EntryBar::None,
        child_from: ChildFrom::NextRow,
        both_hit: BothHit::Submission,
        orphans: Orphans::Keep,
        sequence: Sequence::Submission,
        cash_check: CashCheck::SubmitAndFill,
        target_shortfall: TargetShortfall::AsOrders,
        short_cash: ShortCash::Credit,
        size_rounding: SizeRounding::None,
        target_rounding: TargetRounding::Difference,
        fee_base: FeeBase::PriceOnly,
        targets_count_live: false,
        slip_cap: true,
        double_exit: true,
        cash_tolerance: 0.0,
        ..Self::REALISTIC
    };

    /// backtrader as the comparisons use it whose exits are rules: stop, target and trail are sent
    /// on the notice of the entry's fill, as one group of which one fill cancels the others.
    ///
    /// Unlike [`BACKTRADER`](Self::BACKTRADER): levels are measured from the close of the deciding
    /// row, a trail starts at the close of the entry row, and the first row tested is the one after
    /// it; of two exits in one row the first of the list fills. Seen live on sixteen scenarios.
    pub const BACKTRADER_BRACKET_AS_RULES: Self = Self {
        name: "backtrader_bracket_as_rules",
        rules: RuleStyle::Evaluated,
        stop_base: StopBase::SubmitClose,
        water_start: WaterStart::EntryClose,
        water_entry_row: false,
        both_hit: BothHit::RuleList,
        ..Self::BACKTRADER
    };

    /// vectorbt 1.2.0, `from_signals` and `from_orders` with OHLC, seen live on random paths.
    ///
    /// Unlike `realistic`: orders fill at the close of their own row; stops are asked from the next
    /// row on, an adverse one before a favourable one, and pay no slippage; a trail starts at the
    /// close of the entry row and follows extremes; a row in which a stop fires takes no other
    /// order of that symbol; buys fill as far as cash goes, sales need none. Its account:
    /// [`AccountKind::Margin`](super::AccountKind) with shorts on credit, fractional units.
    /// `call_seq = "auto"` is `sequence = value_ascending`, `lock_cash` is `short_cash = lock`.
    pub const VECTORBT: Self = Self {
        name: "vectorbt",
        fill_at: FillAt::SameClose,
        matching: Matching::OnePass,
        row_check: RowCheck::Finite,
        exit_slip: ExitSlip::Never,
        water_start: WaterStart::EntryClose,
        water_entry_row: false,
        rules: RuleStyle::Evaluated,
        stop_base: StopBase::SubmitClose,
        close_rule_at: CloseRuleAt::SameClose,
        entry_bar: EntryBar::None,
        entry_bar_children: EntryBar::None,
        sequence: Sequence::BySymbol,
        shortfall: ShortfallRule::Partial,
        short_cash: ShortCash::CreditCapped,
        size_rounding: SizeRounding::None,
        target_rounding: TargetRounding::Difference,
        on_close_at: OnCloseAt::Same,
        after_rule_exit: AfterRuleExit::Blocked,
        targets_count_live: false,
        ..Self::REALISTIC
    };

    /// What ml4t-backtest 0.2.0 calls `vectorbt`: the preset as it is.
    ///
    /// Unlike [`VECTORBT`](Self::VECTORBT): a trail starts at the extreme of the entry row and
    /// moves before it is tested, so it leaves earlier on half of random paths.
    pub const VECTORBT_ML4T: Self = Self { name: "vectorbt_ml4t", ..Self::ML4T_VECTORBT };

    /// zipline-reloaded 3.2.1, seen live.
    ///
    /// Unlike `realistic`: everything is decided and filled at closes, the first being that of the
    /// row after the decision; rules are a strategy that looks at closes; nobody asks for cash; a
    /// limit beyond which slippage would carry the price waits. Its account:
    /// [`AccountKind::Margin`](super::AccountKind), nothing asked, whole units. Its default costs,
    /// 0.001 a unit and 5 bps up to a tenth of the volume, are terms of a run; so are its three
    /// decimals of price.
    pub const ZIPLINE: Self = Self {
        name: "zipline",
        fill_at: FillAt::NextClose,
        matching: Matching::OnePass,
        row_check: RowCheck::Volume,
        touch: Touch::Close,
        limit_slip: LimitSlip::Refuse,
        water_mark: WaterMark::Close,
        water_start: WaterStart::EntryClose,
        trail_rules: TrailOrder::UpdateThenTest,
        rules: RuleStyle::Evaluated,
        rule_touch: Touch::Close,
        stop_exit_at: StopExitAt::NextOpen,
        entry_bar: EntryBar::FullBar,
        orphans: Orphans::Keep,
        sequence: Sequence::BySymbol,
        cash_check: CashCheck::Never,
        target_shortfall: TargetShortfall::AsOrders,
        short_cash: ShortCash::Credit,
        target_rounding: TargetRounding::Difference,
        targets_count_live: false,
        double_exit: true,
        ..Self::REALISTIC
    };

    /// zipline as comparisons use it: a slippage model of their own fills market orders at the next
    /// open, and their strategy looks at the range of a row for its exits.
    ///
    /// Unlike [`ZIPLINE`](Self::ZIPLINE): rules are asked with the whole row, the entry row too;
    /// their levels and the trail start from the close of the deciding row. Seen live on fifteen
    /// scenarios.
    pub const ZIPLINE_NEXT_OPEN: Self = Self {
        name: "zipline_next_open",
        fill_at: FillAt::NextOpen,
        rule_touch: Touch::BarRange,
        water_mark: WaterMark::Extreme,
        water_start: WaterStart::SubmitClose,
        stop_base: StopBase::SubmitClose,
        ..Self::ZIPLINE
    };

    /// backtesting.py 0.6.6, read in its broker, seen on probes.
    ///
    /// Unlike `realistic`: the spread is added to entries even beyond their limit, exits pay none;
    /// a stop-limit order that is triggered fills at the better of its prices though the row opened
    /// beyond; after a market entry the whole entry row counts, after a stop entry a target that
    /// was reached while the stop was not, after a limit entry nothing; margin is asked at the
    /// fill, and an order that cannot be paid is dropped with a warning. Its account:
    /// [`AccountKind::Margin`](super::AccountKind), one symbol, whole units. `trade_on_close` is
    /// `fill_at = same_close`, `finalize_trades` is `final_close = trade`.
    pub const BACKTESTING_PY: Self = Self {
        name: "backtesting_py",
        matching: Matching::OnePass,
        row_check: RowCheck::Finite,
        limit_slip: LimitSlip::Exceed,
        stop_limit: StopLimitRule::Better,
        exit_slip: ExitSlip::OpensOnly,
        entry_bar: EntryBar::ByEntry,
        entry_bar_children: EntryBar::ByEntry,
        sequence: Sequence::Submission,
        shortfall: ShortfallRule::Cancel,
        target_shortfall: TargetShortfall::AsOrders,
        target_rounding: TargetRounding::Difference,
        targets_count_live: false,
        cash_tolerance: 0.0,
        ..Self::REALISTIC
    };

    /// lumibot 4.6.30 on minute bars, read in its broker, seen live.
    ///
    /// Unlike `realistic`: nobody asks for cash; a stop-limit order fills at its trigger; a trail
    /// has no level before the end of the first row that it meets; children wait for the row after
    /// the parent's, the target before the stop; trailing fills pay no fee; a sale that ends a
    /// position cancels the symbol's other exits. Its daily bars fill at the open of a row that the
    /// strategy has seen: `fill_at = this_open`.
    pub const LUMIBOT: Self = Self {
        name: "lumibot",
        matching: Matching::OnePass,
        row_check: RowCheck::Finite,
        limit_slip: LimitSlip::Unslipped,
        stop_limit: StopLimitRule::Trigger,
        trail_percent: TrailPercent::LastRow,
        exit_slip: ExitSlip::Never,
        water_start: WaterStart::EntryExtreme,
        water_entry_row: false,
        entry_bar: EntryBar::None,
        entry_bar_children: EntryBar::None,
        both_hit: BothHit::ProfitFirst,
        child_from: ChildFrom::NextRow,
        orphans: Orphans::CancelSymbol,
        sequence: Sequence::Submission,
        cash_check: CashCheck::Never,
        target_shortfall: TargetShortfall::AsOrders,
        short_cash: ShortCash::Credit,
        size_rounding: SizeRounding::None,
        target_rounding: TargetRounding::Difference,
        fee_base: FeeBase::PriceOnly,
        targets_count_live: false,
        double_exit: true,
        fee_on_trailing: false,
        ..Self::REALISTIC
    };

    /// ml4t-backtest 0.2.0 without a preset, seen live on single cases and read in its source.
    ///
    /// Unlike `realistic`: each order meets the whole row at once; a limit never improves on a gap,
    /// and any slippage keeps it from filling; a stop-limit order fills at its limit; rules are
    /// asked with the completed row, the first of the list wins, one that closes decide fills at
    /// the earlier open; the entry row is not asked; children of a bracket are live before their
    /// parent fills, the target before the stop, and outlive the position; a position can be closed
    /// twice in a row; excursions and trails look at closes; all timestamps age a position; no
    /// margin is ever called. Its account: [`AccountKind::Cash`](super::AccountKind);
    /// with `allow_short_selling` a margin account with `short_cash = credit_covered`, with
    /// `allow_leverage` too a margin account with `short_cash = margin`.
    pub const ML4T_DEFAULT: Self = Self {
        name: "ml4t_default",
        flip_shortfall: FlipShortfall::Whole,
        matching: Matching::OnePass,
        row_check: RowCheck::Finite,
        limit_gap: LimitGap::Limit,
        limit_slip: LimitSlip::Refuse,
        stop_limit: StopLimitRule::Limit,
        trail_orders: TrailOrder::UpdateThenTest,
        water_mark: WaterMark::Close,
        water_entry_row: false,
        rules: RuleStyle::Evaluated,
        close_rule_at: CloseRuleAt::SameOpen,
        entry_bar: EntryBar::None,
        entry_bar_children: EntryBar::FullBar,
        both_hit: BothHit::ProfitFirst,
        child_gate: ChildGate::Ungated,
        orphans: Orphans::KeepButFlip,
        target_shortfall: TargetShortfall::Rebalance,
        partial_search: PartialSearch::HalvingLessCent,
        short_cash: ShortCash::CreditCovered,
        target_rounding: TargetRounding::Order,
        rebalance_order: RebalanceOrder::SalesFirst,
        fee_base: FeeBase::PriceOnly,
        mark_missing: MarkMissing::SkipOrders,
        bars_held: BarsHeld::AllRows,
        excursions: Excursions::Marks,
        funding_at: FundingAt::BeforeFills,
        on_close_at: OnCloseAt::Same,
        after_rule_exit: AfterRuleExit::Blocked,
        targets_count_live: false,
        double_exit: true,
        stop_slip_orders: false,
        cash_tolerance: 0.01,
        ..Self::REALISTIC
    };

    /// The preset that ml4t-backtest 0.2.0 calls `realistic`: rules that fire fill at the next
    /// open. Its 20 bps fee, 20 bps slippage, 10 bps stop slippage and 2 % cash buffer are terms of
    /// a run.
    pub const ML4T_REALISTIC: Self =
        Self { name: "ml4t_realistic", stop_exit_at: StopExitAt::NextOpen, ..Self::ML4T_DEFAULT };

    /// The preset `ibkr_us_stocks_fixed` of ml4t-backtest 0.2.0: its default at 0.005 a unit, least
    /// 1 a fill, which is a term of a run.
    pub const ML4T_IBKR_US_STOCKS_FIXED: Self =
        Self { name: "ml4t_ibkr_us_stocks_fixed", ..Self::ML4T_DEFAULT };

    /// The preset `fast` of ml4t-backtest 0.2.0: orders fill at the close of their own row, resting
    /// ones against its range; what cannot be paid is cancelled.
    pub const ML4T_FAST: Self = Self {
        name: "ml4t_fast",
        fill_at: FillAt::SameClose,
        rest_from: RestFrom::Same,
        close_rule_at: CloseRuleAt::SameClose,
        shortfall: ShortfallRule::Cancel,
        ..Self::ML4T_DEFAULT
    };

    /// The preset `lean` of ml4t-backtest 0.2.0, its emulation of LEAN; LEAN itself was not run.
    ///
    /// Orders fill in the order of submission; the account is asked at each submission and for the
    /// whole queue at the close of the row in which it fills; targets leave a quarter of a percent.
    /// Its account: margin, 50 % everywhere. Its fee is 0.005 a unit, least 1 a fill.
    pub const ML4T_LEAN: Self = Self {
        name: "ml4t_lean",
        sequence: Sequence::Submission,
        cash_check: CashCheck::Queue,
        short_cash: ShortCash::Margin,
        mark_missing: MarkMissing::Last,
        headroom: 0.9975,
        ..Self::ML4T_DEFAULT
    };

    /// The preset `backtrader` of ml4t-backtest 0.2.0: orders in the order of submission, levels
    /// and trails from the close of the deciding row.
    pub const ML4T_BACKTRADER: Self = Self {
        name: "ml4t_backtrader",
        water_start: WaterStart::SubmitClose,
        stop_base: StopBase::SubmitClose,
        sequence: Sequence::Submission,
        mark_missing: MarkMissing::Last,
        ..Self::ML4T_DEFAULT
    };

    /// The preset `backtrader_strict` of ml4t-backtest 0.2.0: the account is asked as backtrader
    /// asks it.
    pub const ML4T_BACKTRADER_STRICT: Self = Self {
        name: "ml4t_backtrader_strict",
        cash_check: CashCheck::SubmitAndFill,
        flip_shortfall: FlipShortfall::CloseAndFill,
        ..Self::ML4T_BACKTRADER
    };

    /// The preset `vectorbt` of ml4t-backtest 0.2.0: market orders fill inside the call that sends
    /// them, at the close of the present row; fractional units; trails from the extreme of the
    /// entry row, moved before they are tested.
    pub const ML4T_VECTORBT: Self = Self {
        name: "ml4t_vectorbt",
        fill_at: FillAt::Immediate,
        rest_from: RestFrom::Same,
        trail_rules: TrailOrder::UpdateThenTest,
        water_mark: WaterMark::Extreme,
        water_start: WaterStart::EntryExtreme,
        close_rule_at: CloseRuleAt::SameClose,
        shortfall: ShortfallRule::PartialOrCancel,
        size_rounding: SizeRounding::None,
        excursions: Excursions::NotEntryRow,
        ..Self::ML4T_DEFAULT
    };

    /// The preset `vectorbt_strict` of ml4t-backtest 0.2.0, its emulation of the licensed
    /// vectorbt, which was not run: cash and as much again stays locked behind shorts; orders go by
    /// the cash that they would take.
    pub const ML4T_VECTORBT_STRICT: Self = Self {
        name: "ml4t_vectorbt_strict",
        fill_at: FillAt::SameClose,
        sequence: Sequence::FreeCashAscending,
        shortfall: ShortfallRule::Partial,
        short_cash: ShortCash::Lock,
        cash_tolerance: 0.0,
        ..Self::ML4T_VECTORBT
    };

    /// The preset `vectorbt_oss_strict` of ml4t-backtest 0.2.0: as its `vectorbt_strict`, orders by
    /// their value and one cash movement an order.
    pub const ML4T_VECTORBT_OSS_STRICT: Self = Self {
        name: "ml4t_vectorbt_oss_strict",
        sequence: Sequence::ValueAscending,
        short_cash: ShortCash::LockCombined,
        ..Self::ML4T_VECTORBT_STRICT
    };

    /// The preset `vectorbt_futures_strict` of ml4t-backtest 0.2.0: as its `vectorbt_strict`,
    /// filled inside the call that sends an order.
    pub const ML4T_VECTORBT_FUTURES_STRICT: Self = Self {
        name: "ml4t_vectorbt_futures_strict",
        fill_at: FillAt::Immediate,
        ..Self::ML4T_VECTORBT_STRICT
    };

    /// The preset `zipline` of ml4t-backtest 0.2.0: nobody asks for cash; rules that fire fill at
    /// the next open; trails follow extremes and move before they are tested.
    pub const ML4T_ZIPLINE: Self = Self {
        name: "ml4t_zipline",
        trail_rules: TrailOrder::UpdateThenTest,
        water_mark: WaterMark::Extreme,
        stop_exit_at: StopExitAt::NextOpen,
        sequence: Sequence::Submission,
        cash_check: CashCheck::Never,
        shortfall: ShortfallRule::Cancel,
        mark_missing: MarkMissing::Last,
        excursions: Excursions::NotEntryRow,
        ..Self::ML4T_DEFAULT
    };

    /// The preset `zipline_strict` of ml4t-backtest 0.2.0, equal to its `zipline`.
    pub const ML4T_ZIPLINE_STRICT: Self =
        Self { name: "ml4t_zipline_strict", ..Self::ML4T_ZIPLINE };
}
