//! A run of rows of one file, decoded but not yet in the order of the whole table.

#![expect(clippy::needless_bitwise_bool, reason = "loops without branches vectorise")]

use arrow::buffer::ScalarBuffer;
use rustc_hash::FxHashMap;

/// Where the rows of a block stand in their file.
#[derive(Debug, Clone)]
pub(crate) enum RowNumbers {
    /// Consecutive rows; the 0-based number of the first.
    From(u64),
    /// One 0-based number a row.
    Listed(Vec<u64>),
}

/// Decoded rows of one file; every column has one value a row.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) file: u32,
    pub(crate) rows: RowNumbers,
    pub(crate) timestamps: ScalarBuffer<i64>,
    pub(crate) assets: Vec<u32>,
    pub(crate) columns: Vec<ScalarBuffer<f64>>,
}

impl RowNumbers {
    /// Those of blocks that become one of `n` rows.
    fn joined(blocks: &[Block], n: usize) -> Self {
        let starts = |block: &Block| match block.rows {
            Self::From(first) => Some(first),
            Self::Listed(_) => None,
        };
        let goes_on = |pair: &[Block]| {
            let end = starts(&pair[0]).map(|first| first + pair[0].len() as u64);
            end.is_some() && end == starts(&pair[1])
        };
        if let Some(first) = blocks.first().and_then(starts)
            && blocks.windows(2).all(goes_on)
        {
            return Self::From(first);
        }
        let mut rows = Vec::with_capacity(n);
        for block in blocks {
            rows.extend((0..block.len()).map(|i| block.row(i) - 1));
        }
        Self::Listed(rows)
    }
}

impl Block {
    pub(crate) fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// The 1-based data row of a position.
    pub(crate) fn row(&self, i: usize) -> u64 {
        match &self.rows {
            RowNumbers::From(first) => first + i as u64 + 1,
            RowNumbers::Listed(rows) => rows[i] + 1,
        }
    }

    /// Where a row stands among the files of the table.
    pub(crate) fn place(&self, i: usize) -> (u32, u64) {
        (self.file, self.row(i))
    }

    /// The rows at `positions`, in that order.
    pub(crate) fn take(&self, positions: &[u32]) -> Self {
        let at = |i: &u32| *i as usize;
        let rows = positions.iter().map(|i| self.row(at(i)) - 1).collect();
        Self {
            file: self.file,
            rows: RowNumbers::Listed(rows),
            timestamps: positions.iter().map(|i| self.timestamps[at(i)]).collect(),
            assets: positions.iter().map(|i| self.assets[at(i)]).collect(),
            columns: self
                .columns
                .iter()
                .map(|column| positions.iter().map(|i| column[at(i)]).collect())
                .collect(),
        }
    }

    /// The blocks as one; they belong to one file.
    pub(crate) fn concat(blocks: &[Self]) -> Option<Self> {
        let first = blocks.first()?;
        if blocks.len() == 1 {
            return Some(first.clone());
        }
        let n = blocks.iter().map(Self::len).sum();
        let mut timestamps = Vec::with_capacity(n);
        let mut assets = Vec::with_capacity(n);
        for block in blocks {
            timestamps.extend_from_slice(&block.timestamps);
            assets.extend_from_slice(&block.assets);
        }
        let columns = (0..first.columns.len()).map(|c| {
            let mut column = Vec::with_capacity(n);
            for block in blocks {
                column.extend_from_slice(&block.columns[c]);
            }
            column.into()
        });
        Some(Self {
            file: first.file,
            rows: RowNumbers::joined(blocks, n),
            columns: columns.collect(),
            timestamps: timestamps.into(),
            assets,
        })
    }

    /// Rows before which a later time stands.
    pub(crate) fn n_out_of_time(&self) -> u64 {
        let mut latest = i64::MIN;
        let mut n = 0;
        for &time in &self.timestamps {
            n += u64::from(time < latest);
            latest = latest.max(time);
        }
        n
    }

    /// Positions of rows before which a later time of the same symbol stands. A table that is
    /// written symbol by symbol has none.
    pub(crate) fn late_rows(&self) -> Vec<usize> {
        let mut latest: FxHashMap<u32, i64> = FxHashMap::default();
        let mut late = Vec::new();
        for (i, (&time, &asset)) in self.timestamps.iter().zip(&self.assets).enumerate() {
            let before = latest.entry(asset).or_insert(time);
            if time < *before {
                late.push(i);
            }
            *before = time.max(*before);
        }
        late
    }

    /// The same rows by (timestamp, asset, row). A column is let go once it is moved, so that there
    /// are never two copies of the whole.
    pub(crate) fn sorted(self) -> Self {
        let n = u32::try_from(self.len()).expect("a block in memory has fewer than 2^32 rows");
        let mut order: Vec<u32> = (0..n).collect();
        order.sort_by_key(|&i| (self.timestamps[i as usize], self.assets[i as usize]));
        let rows = order.iter().map(|&i| self.row(i as usize) - 1).collect();
        let moved = |column: ScalarBuffer<f64>| order.iter().map(|&i| column[i as usize]).collect();
        Self {
            file: self.file,
            rows: RowNumbers::Listed(rows),
            timestamps: order.iter().map(|&i| self.timestamps[i as usize]).collect(),
            assets: order.iter().map(|&i| self.assets[i as usize]).collect(),
            columns: self.columns.into_iter().map(moved).collect(),
        }
    }
}

/// Whether no value is below the one before it.
pub(crate) fn is_ascending(values: &[i64]) -> bool {
    values.windows(2).fold(true, |ok, w| ok & (w[0] <= w[1]))
}
