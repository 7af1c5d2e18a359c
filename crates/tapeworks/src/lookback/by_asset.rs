//! The rows of each asset in a chunk.

/// Row numbers, one asset after the other, ascending for each.
#[derive(Debug)]
pub(super) struct ByAsset {
    offsets: Vec<u32>,
    rows: Vec<u32>,
}

impl ByAsset {
    /// Sorts the rows of a chunk by their asset ids, which are below `n_symbols`.
    pub(super) fn new(assets: &[u32], n_symbols: usize) -> Self {
        let mut offsets = vec![0_u32; n_symbols + 1];
        for asset in assets {
            offsets[*asset as usize + 1] += 1;
        }
        for i in 0..n_symbols {
            offsets[i + 1] += offsets[i];
        }
        let mut next = offsets.clone();
        let mut rows = vec![0_u32; assets.len()];
        for (row, asset) in (0_u32..).zip(assets) {
            let place = &mut next[*asset as usize];
            rows[*place as usize] = row;
            *place += 1;
        }
        Self { offsets, rows }
    }

    /// All rows of an asset.
    pub(super) fn of(&self, asset: usize) -> &[u32] {
        &self.rows[self.offsets[asset] as usize..self.offsets[asset + 1] as usize]
    }
}
