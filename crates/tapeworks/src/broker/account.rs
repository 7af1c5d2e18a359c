//! The account: its kind and terms, its cash, and its running totals.

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountKind {
    /// Pays for everything it holds; no short positions.
    #[default]
    Cash,
    /// Borrows against what it holds; short positions allowed.
    Margin,
    /// A spot account that trades around the clock; pays for everything it holds.
    Crypto,
    /// Holds contracts against margin; gains are settled in cash each row.
    Futures,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Cash, Self::Margin, Self::Crypto, Self::Futures];

    /// The name that configs and reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Margin => "margin",
            Self::Crypto => "crypto",
            Self::Futures => "futures",
        }
    }

    /// Whether the account pays in full for what it opens, and so holds no short position.
    #[must_use]
    #[inline]
    pub fn pays_in_full(self) -> bool {
        matches!(self, Self::Cash | Self::Crypto)
    }
}

/// What happens when equity falls below the maintenance margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarginCallPolicy {
    /// Positions are reduced at the next opens, largest requirement first, until it is met.
    #[default]
    Liquidate,
    /// The call is written down and nothing is sold; while it stands, nothing opens.
    Record,
    /// The run ends with an error.
    Stop,
    /// Nobody asks, not even when nothing is left: for parity only.
    Ignore,
}

/// The terms on which an account is held.
///
/// Units: margins as fractions of notional, rates as fractions a year, `settlement_days` in
/// sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AccountTerms {
    /// What the account may do.
    pub kind: AccountKind,
    /// Initial margin.
    pub initial_margin: f64,
    /// Maintenance margin of long positions.
    pub maintenance_long: f64,
    /// Maintenance margin of short positions.
    pub maintenance_short: f64,
    /// What a margin call does.
    pub margin_call: MarginCallPolicy,
    /// Share of the cash that opens must leave alone.
    pub cash_buffer: f64,
    /// Sessions until the proceeds of a reduce can pay for an open.
    pub settlement_days: u32,
    /// Yearly cost of borrowing what is held short.
    pub borrow_rate: f64,
    /// Yearly interest paid on cash.
    pub credit_rate: f64,
    /// Yearly interest charged on negative cash.
    pub debit_rate: f64,
    /// Days a year for rates: 360, 365 or 252.
    pub day_count: f64,
    /// How far a limit may lie from the mark, as a fraction; NaN: anywhere.
    pub price_band: f64,
}

impl AccountTerms {
    /// The usual terms of an account of this kind: margins 50 % initial, 25 % maintenance long and
    /// 30 % short; no costs of time.
    #[must_use]
    pub fn new(kind: AccountKind) -> Self {
        Self {
            kind,
            initial_margin: 0.5,
            maintenance_long: 0.25,
            maintenance_short: 0.30,
            margin_call: MarginCallPolicy::Liquidate,
            cash_buffer: 0.0,
            settlement_days: 0,
            borrow_rate: 0.0,
            credit_rate: 0.0,
            debit_rate: 0.0,
            day_count: 360.0,
            price_band: f64::NAN,
        }
    }
}

impl Default for AccountTerms {
    fn default() -> Self {
        Self::new(AccountKind::Cash)
    }
}

impl From<AccountKind> for AccountTerms {
    fn from(kind: AccountKind) -> Self {
        Self::new(kind)
    }
}

/// Cash and the running totals of an account, in currency.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Account {
    /// Cash.
    pub cash: f64,
    /// The part of the cash that cannot pay for opens yet.
    pub unsettled: f64,
    /// Commissions paid since the start.
    pub fees: f64,
    /// Funding paid since the start (negative: received).
    pub funding: f64,
    /// Borrowing costs paid since the start.
    pub borrow: f64,
    /// Interest received since the start (negative: paid).
    pub interest: f64,
    /// Deposits less withdrawals since the start.
    pub flows: f64,
    /// Gains of futures settled in cash since the start.
    pub variation: f64,
    /// Dividends since the start, by ex-date (negative: owed by short positions).
    pub dividends: f64,
    /// The part of the dividends that is not paid yet.
    pub receivable: f64,
}

impl Account {
    /// Cash, and what is certain to come in or go out.
    #[must_use]
    #[inline]
    pub fn balance(&self) -> f64 {
        self.cash + self.receivable
    }

    /// The size of rounding errors of the cash arithmetic.
    ///
    /// It lets an order sized to the last cent pass, and not one that costs a cent more.
    #[must_use]
    #[inline]
    pub fn tolerance(&self) -> f64 {
        1e-9 * self.cash.abs().max(1.0)
    }
}
