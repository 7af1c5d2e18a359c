//! The account: cash, what it may open, and what it is worth.

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountKind {
    /// Pays for everything it holds; no short positions.
    #[default]
    Cash,
}

impl AccountKind {
    /// The name that configs and reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
        }
    }
}

/// Cash and the running totals of an account, in currency.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Account {
    /// What it may do.
    pub kind: AccountKind,
    /// Cash.
    pub cash: f64,
    /// Commissions paid since the start.
    pub fees: f64,
}

impl Account {
    /// Whether `need` currency can be paid.
    ///
    /// The tolerance absorbs the rounding of the cash arithmetic: an order sized to the last cent
    /// passes, one that costs a cent more does not.
    #[must_use]
    #[inline]
    pub fn can_pay(&self, need: f64) -> bool {
        need <= self.cash + self.tolerance()
    }

    /// The size of rounding errors of the cash arithmetic.
    #[must_use]
    #[inline]
    pub fn tolerance(&self) -> f64 {
        1e-9 * self.cash.abs().max(1.0)
    }
}
