//! A feed in motion: decoded chunks of a frame, or a file that is read.

use std::sync::Arc;

use tapeworks::base::{self, Actions, Calendar, Symbols};
use tapeworks::data::CheckReport;
use tapeworks::feed::{ChunkSource, FeedClock, Layout, MarketChunk, MemoryFeed, OpenFeed};

/// A feed in motion.
pub enum Opened {
    Memory(MemoryFeed, CheckReport),
    Stream(OpenFeed),
}

impl Opened {
    /// Rows that will come, where that is known.
    pub fn n_rows(&self) -> Option<u64> {
        match self {
            Self::Memory(feed, _) => Some(feed.n_rows() as u64),
            Self::Stream(feed) => feed.n_rows(),
        }
    }

    /// What checking found; whole once the feed has ended.
    pub fn report(&self) -> CheckReport {
        match self {
            Self::Memory(_, report) => report.clone(),
            Self::Stream(feed) => feed.report(),
        }
    }
}

impl ChunkSource for Opened {
    fn symbols(&self) -> Arc<Symbols> {
        match self {
            Self::Memory(feed, _) => feed.symbols(),
            Self::Stream(feed) => feed.symbols(),
        }
    }

    fn layout(&self) -> Arc<Layout> {
        match self {
            Self::Memory(feed, _) => feed.layout(),
            Self::Stream(feed) => feed.layout(),
        }
    }

    fn calendar(&self) -> Option<Arc<Calendar>> {
        match self {
            Self::Memory(feed, _) => feed.calendar(),
            Self::Stream(feed) => feed.calendar(),
        }
    }

    fn actions(&self) -> Option<Arc<Actions>> {
        match self {
            Self::Memory(feed, _) => feed.actions(),
            Self::Stream(feed) => feed.actions(),
        }
    }

    fn clock(&self) -> FeedClock {
        match self {
            Self::Memory(feed, _) => feed.clock(),
            Self::Stream(feed) => feed.clock(),
        }
    }

    fn next_chunk(&mut self) -> base::Result<Option<Arc<MarketChunk>>> {
        match self {
            Self::Memory(feed, _) => feed.next_chunk(),
            Self::Stream(feed) => feed.next_chunk(),
        }
    }
}
