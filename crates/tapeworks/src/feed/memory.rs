//! A feed whose chunks are already in memory and can be walked again.

use std::sync::Arc;

use super::{ChunkSource, FeedClock, Layout, MarketChunk};
use crate::base::{Actions, Calendar, Result, Symbols};

/// Chunks in memory, shared and reusable.
///
/// Walking it hands out shared chunks, nothing is copied; [`MemoryFeed::rewind`] starts over, and a
/// clone is a second reader of the same chunks.
///
/// # Example
/// ```
/// use std::sync::Arc;
/// use tapeworks::base::Symbols;
/// use tapeworks::feed::{ChunkSource, Layout, MarketChunk, MemoryFeed};
///
/// let chunk = MarketChunk {
///     timestamps: vec![1], offsets: vec![0, 1], assets: vec![0],
///     open: vec![1.0], high: vec![1.0], low: vec![1.0], close: vec![1.0], volume: vec![5.0],
///     ..MarketChunk::default()
/// };
/// let mut feed = MemoryFeed::new(Symbols::new(["AAA"]), Layout::default(), vec![chunk]);
/// assert_eq!(feed.next_chunk()?.expect("one chunk").n_rows(), 1);
/// assert!(feed.next_chunk()?.is_none());
/// feed.rewind();
/// assert!(feed.next_chunk()?.is_some());
/// # Ok::<(), tapeworks::base::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemoryFeed {
    /// The symbols of the run.
    pub symbols: Arc<Symbols>,
    /// The columns that ride along.
    pub layout: Arc<Layout>,
    /// The chunks in time order.
    pub chunks: Vec<Arc<MarketChunk>>,
    /// The sessions of the market.
    pub calendar: Option<Arc<Calendar>>,
    /// Corporate actions on raw prices.
    pub actions: Option<Arc<Actions>>,
    /// How the rows relate to dates.
    pub clock: FeedClock,
    next: usize,
}

impl MemoryFeed {
    /// A feed over `chunks`, which ascend in time.
    #[must_use]
    pub fn new(
        symbols: impl Into<Arc<Symbols>>,
        layout: impl Into<Arc<Layout>>,
        chunks: impl IntoIterator<Item = impl Into<Arc<MarketChunk>>>,
    ) -> Self {
        let chunks = chunks.into_iter().map(Into::into).collect();
        Self {
            symbols: symbols.into(),
            layout: layout.into(),
            chunks,
            calendar: None,
            actions: None,
            clock: FeedClock::default(),
            next: 0,
        }
    }

    /// The same feed with the sessions of a market.
    #[must_use]
    pub fn with_calendar(self, calendar: Option<Arc<Calendar>>) -> Self {
        Self { calendar, ..self }
    }

    /// The same feed with corporate actions on its raw prices.
    #[must_use]
    pub fn with_actions(self, actions: Option<Arc<Actions>>) -> Self {
        Self { actions, ..self }
    }

    /// The same feed with rows that relate so to dates.
    #[must_use]
    pub fn with_clock(self, clock: FeedClock) -> Self {
        Self { clock, ..self }
    }

    /// Starts over.
    pub fn rewind(&mut self) {
        self.next = 0;
    }

    /// Rows of all chunks.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.n_rows()).sum()
    }
}

impl ChunkSource for MemoryFeed {
    fn symbols(&self) -> Arc<Symbols> {
        Arc::clone(&self.symbols)
    }

    fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.layout)
    }

    fn calendar(&self) -> Option<Arc<Calendar>> {
        self.calendar.clone()
    }

    fn actions(&self) -> Option<Arc<Actions>> {
        self.actions.clone()
    }

    fn clock(&self) -> FeedClock {
        self.clock.clone()
    }

    fn next_chunk(&mut self) -> Result<Option<Arc<MarketChunk>>> {
        let chunk = self.chunks.get(self.next).map(Arc::clone);
        self.next += usize::from(chunk.is_some());
        Ok(chunk)
    }
}
