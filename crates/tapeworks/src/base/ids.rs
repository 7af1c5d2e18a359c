//! Dense ids and the names behind them.

/// An asset of the run: an index into every per-asset array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(pub u32);

/// An order of the run, in submission order; it is also the time priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub u32);

impl AssetId {
    /// The position of this asset in per-asset arrays.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl OrderId {
    /// The position of this order in the order log.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The symbols of a run, sorted by bytes; the rank of a name is its [`AssetId`].
///
/// # Example
/// ```
/// use tapeworks::base::{AssetId, Symbols};
/// let symbols = Symbols::new(["MSFT", "AAPL", "MSFT"]);
/// assert_eq!(symbols.len(), 2);
/// assert_eq!(symbols.id("MSFT"), Some(AssetId(1)));
/// assert_eq!(symbols.name(AssetId(0)), "AAPL");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Symbols {
    names: Vec<Box<str>>,
}

impl Symbols {
    /// Sorts the names and drops repeated ones.
    pub fn new<S: Into<Box<str>>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        Self { names }
    }

    /// The id of a name.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<AssetId> {
        let rank = self.names.binary_search_by(|n| (**n).cmp(name)).ok()?;
        Some(AssetId(u32::try_from(rank).expect("fewer than 2^32 symbols")))
    }

    /// The name of an id of this run.
    #[must_use]
    pub fn name(&self, asset: AssetId) -> &str {
        &self.names[asset.index()]
    }

    /// How many symbols the run has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether the run has no symbol.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names in id order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }
}
