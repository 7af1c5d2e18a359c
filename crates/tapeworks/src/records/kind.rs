//! The closed list of tables.

/// A table of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// One row a reducing fill, and one a position still held at the end.
    Trades,
    /// One row an execution.
    Fills,
    /// One row an event in the life of an order.
    Orders,
    /// One row a refused order, with the figures behind the refusal.
    Rejections,
    /// One row whenever a position changed, and one a position held at the end.
    Positions,
    /// One row a timestamp.
    Portfolio,
    /// One row a change of the account that is not a fill: flows, funding, interest, calls, rolls.
    AccountEvents,
    /// One row an order that has not ended when the run does: what to send now.
    NextOrders,
}

impl RecordKind {
    /// Every table.
    pub const ALL: [Self; 8] = [
        Self::Trades,
        Self::Fills,
        Self::Orders,
        Self::Rejections,
        Self::Positions,
        Self::Portfolio,
        Self::AccountEvents,
        Self::NextOrders,
    ];

    /// The name of the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::Fills => "fills",
            Self::Orders => "orders",
            Self::Rejections => "rejections",
            Self::Positions => "positions",
            Self::Portfolio => "portfolio",
            Self::AccountEvents => "events",
            Self::NextOrders => "next_orders",
        }
    }

    /// The name of its file in a run folder.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Trades => "trades.parquet",
            Self::Fills => "fills.parquet",
            Self::Orders => "orders.parquet",
            Self::Rejections => "rejections.parquet",
            Self::Positions => "positions.parquet",
            Self::Portfolio => "portfolio.parquet",
            Self::AccountEvents => "account_events.parquet",
            Self::NextOrders => "next_orders.parquet",
        }
    }
}
