//! The closed lists of codes that orders, fills and rejections carry, each with its text form.

/// Declares an enum of one byte whose variants have stable lower-case names.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value, in declaration order; `value as usize` is its position.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name that records and messages use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

pub(super) use codes;

codes! {
    /// Direction of an order or fill.
    Side {
        /// Adds units.
        Buy = "buy",
        /// Takes units away.
        Sell = "sell",
    }
}

codes! {
    /// How an order finds its price.
    OrderKind {
        /// At the first price that comes.
        Market = "market",
        /// At the limit or better.
        Limit = "limit",
        /// At market once the stop price is reached.
        Stop = "stop",
        /// At the limit or better once the stop price is reached.
        StopLimit = "stop_limit",
        /// A stop that follows the best price at a distance.
        Trailing = "trailing_stop",
        /// A trailing stop that becomes a limit order when it is reached.
        TrailingLimit = "trailing_limit",
        /// At the last price of the session.
        MarketOnClose = "market_on_close",
    }
}

codes! {
    /// Who sent an order.
    OrderOrigin {
        /// The strategy.
        Strategy = "strategy",
        /// A position rule.
        PositionRule = "position_rule",
        /// A portfolio limit.
        PortfolioLimit = "portfolio_limit",
        /// A margin call or a bankruptcy.
        MarginCall = "margin_call",
        /// The roll of a contract.
        Roll = "roll",
        /// The end of an instrument: delisting or expiry.
        Delisting = "delisting",
        /// The end of the run.
        EndOfRun = "end_of_run",
        /// A corporate action.
        CorporateAction = "corporate_action",
    }
}

codes! {
    /// The phase of the bar cycle in which a fill happened.
    Phase {
        /// At the open of the row.
        Open = "open",
        /// Inside the row's range.
        Inside = "inside",
        /// At the close of the row.
        Close = "close",
    }
}

codes! {
    /// Why a fill that reduces a position happened; `signal` for every order of the strategy.
    ExitReason {
        /// An order of the strategy.
        Signal = "signal",
        /// `StopLoss`.
        StopLoss = "stop_loss",
        /// `TakeProfit`.
        TakeProfit = "take_profit",
        /// `TrailingStop`, `TighteningTrail` or a trailing order of a bracket.
        Trailing = "trailing",
        /// `VolatilityStop` or `VolatilityTrail`.
        VolatilityStop = "volatility_stop",
        /// `TimeExit`.
        Time = "time",
        /// One step of `ScaledExit`.
        Scaled = "scaled",
        /// `SignalExit`.
        SignalExit = "signal_exit",
        /// All conditions of `all([..])`.
        AllRules = "all_rules",
        /// The stop of a bracket.
        BracketStop = "bracket_stop",
        /// The target of a bracket.
        BracketTarget = "bracket_target",
        /// A portfolio limit.
        PortfolioLimit = "portfolio_limit",
        /// A margin call or a bankruptcy.
        MarginCall = "margin_call",
        /// The roll of a contract.
        Roll = "roll",
        /// The contract expired.
        Expired = "expired",
        /// The instrument was delisted, or merged for cash.
        Delisted = "delisted",
        /// The units became those of another symbol: a merger for shares, a rename.
        Exchanged = "exchanged",
        /// What a split left of a lot, paid in cash.
        CashInLieu = "cash_in_lieu",
        /// Still open when the run ended.
        EndOfRun = "end_of_run",
    }
}

codes! {
    /// Why an order was refused.
    RejectCode {
        /// Lot rounding left nothing.
        QuantityZero = "quantity_zero",
        /// NaN or infinite.
        QuantityNotFinite = "quantity_not_finite",
        /// The opening part is worth less than the instrument's least trade.
        BelowMinNotional = "below_min_notional",
        /// More than the instrument's largest order.
        AboveMaxQuantity = "above_max_quantity",
        /// A price of the order is not finite, or not positive where prices are.
        PriceInvalid = "price_invalid",
        /// The limit lies further from the mark than the price band allows.
        PriceBand = "price_band",
        /// The symbol has no row yet.
        NotListed = "not_listed",
        /// The instrument has ended.
        Delisted = "delisted",
        /// The instrument is halted.
        Halted = "halted",
        /// A portfolio limit has halted trading.
        TradingHalted = "trading_halted",
        /// An exposure limit would be passed.
        LimitExposure = "limit_exposure",
        /// The prices of a bracket are not in order around its entry.
        BracketInvalid = "bracket_invalid",
        /// A market-on-close order after the last session.
        SessionClosed = "session_closed",
        /// The account cannot pay for the opening part.
        InsufficientCash = "insufficient_cash",
        /// Equity does not cover the margin of the resulting positions.
        InsufficientMargin = "insufficient_margin",
        /// The account kind does not allow a short position.
        ShortNotAllowed = "short_not_allowed",
        /// The instrument cannot be borrowed.
        NotShortable = "not_shortable",
        /// A closing order found no position.
        PositionMissing = "position_missing",
        /// Nothing may be opened while a margin call stands.
        MarginCallActive = "margin_call_active",
        /// The account is bankrupt.
        AccountClosed = "account_closed",
        /// The largest number of positions is reached.
        LimitPositions = "limit_positions",
        /// The largest number of orders of a session is reached.
        LimitOrderCount = "limit_order_count",
        /// A change of an order that does not exist.
        OrderUnknown = "order_unknown",
        /// Refused by the test at submission that a peer's semantics ask for.
        PrecheckFailed = "precheck_failed",
    }
}

codes! {
    /// Why an order ended without (all of) its fill.
    CancelReason {
        /// The strategy cancelled it.
        User = "user",
        /// Its sibling filled.
        Oco = "oco",
        /// Its parent ended without a fill.
        ParentDone = "parent_done",
        /// The position it would have reduced is gone.
        PositionClosed = "position_closed",
        /// The instrument ended.
        Delisted = "delisted",
        /// The opening part of a flip was refused; the closing part has filled.
        OpenLegRejected = "open_leg_rejected",
        /// The account could not pay, and the semantics cancel in place of refusing.
        InsufficientCash = "insufficient_cash",
        /// A margin call or bankruptcy.
        MarginCall = "margin_call",
        /// The account is closed.
        AccountClosed = "account_closed",
        /// A rule has closed the symbol in this row, and the semantics drop orders after it.
        AfterRuleExit = "after_rule_exit",
        /// A split left less than a lot of it.
        SplitRounding = "split_rounding",
    }
}

codes! {
    /// Why an order ran out of time.
    ExpireReason {
        /// A `day` order at the end of its session.
        DayEnd = "day_end",
        /// A `gtd` order past its date.
        GtdPassed = "gtd_passed",
        /// What an `ioc` order could not fill at once.
        IocRest = "ioc_rest",
        /// A `fok` order that could not fill whole.
        FokUnfilled = "fok_unfilled",
    }
}

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeInForce {
    /// Until it fills, is cancelled, or its instrument ends.
    #[default]
    Gtc,
    /// In the session of the next timestamp.
    Day,
    /// Up to and including an instant (ns UTC).
    Gtd(i64),
    /// In the first tradable row of its symbol, as far as it fills there at once.
    Ioc,
    /// Whole in the first tradable row of its symbol, or not at all.
    Fok,
}

impl TimeInForce {
    /// The stable name, without the date of `gtd`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gtc => "gtc",
            Self::Day => "day",
            Self::Gtd(_) => "gtd",
            Self::Ioc => "ioc",
            Self::Fok => "fok",
        }
    }
}

/// Facts about a fill, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct FillFlags(pub u8);

impl FillFlags {
    /// The fill added liquidity (a limit touched inside the row).
    pub const MAKER: Self = Self(1);
    /// The row touched a favourable level as well, or the order of events is not certain.
    pub const AMBIGUOUS: Self = Self(2);
    /// The limit was only touched, never traded through.
    pub const TOUCH_ONLY: Self = Self(4);
    /// A cost that depends on volume was taken as 0, for the row's volume is unknown.
    pub const NO_VOLUME_COST: Self = Self(8);

    /// Both sets of facts.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every fact of `other` is set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
