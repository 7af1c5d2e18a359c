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
    }
}

codes! {
    /// Who sent an order.
    OrderOrigin {
        /// The strategy.
        Strategy = "strategy",
        /// A position rule.
        PositionRule = "position_rule",
    }
}

codes! {
    /// The phase of the bar cycle in which a fill happened.
    Phase {
        /// At the open of the row.
        Open = "open",
        /// Inside the row's range.
        Inside = "inside",
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
        /// `TrailingStop`.
        Trailing = "trailing",
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
        /// Limit or stop is not a positive finite price.
        PriceInvalid = "price_invalid",
        /// The symbol has no row yet.
        NotListed = "not_listed",
        /// The account cannot pay for the opening part.
        InsufficientCash = "insufficient_cash",
        /// The account kind does not allow a short position.
        ShortNotAllowed = "short_not_allowed",
        /// A closing order found no position.
        PositionMissing = "position_missing",
    }
}

codes! {
    /// Why an order ended without (all of) its fill.
    CancelReason {
        /// The strategy cancelled it.
        User = "user",
        /// The position it would have reduced is gone.
        PositionClosed = "position_closed",
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
