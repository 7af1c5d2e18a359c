//! How the tables are made, where there is a choice.

pub use crate::engine::Snapshot;

/// Which units a reducing fill closes, in the trades table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pairing {
    /// Units at the average price of the position: one trade a reducing fill.
    #[default]
    Average,
    /// The units bought first (sold first, of a short position): one trade a pair of fills.
    Fifo,
}

/// The choices behind the tables; the default makes what the account itself keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableOptions {
    /// Which units a reducing fill closes.
    pub pairing: Pairing,
    /// Which states are kept.
    pub snapshot: Snapshot,
    /// Account currency for the column of that name; empty: not known.
    pub currency: String,
}

impl Pairing {
    /// Every value, in declaration order.
    pub const ALL: [Self; 2] = [Self::Average, Self::Fifo];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Fifo => "fifo",
        }
    }
}
