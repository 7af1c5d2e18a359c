//! A column of a chunk with the values of each symbol side by side.

use arrow::buffer::ScalarBuffer;
use arrow::datatypes::ArrowNativeType;

use super::by_asset::ByAsset;

/// One column, symbol after symbol; before the rows of the chunk come rows of earlier ones.
#[derive(Debug)]
pub(super) struct SymbolMajor<T: ArrowNativeType> {
    values: ScalarBuffer<T>,
    /// For each asset where its first value is, and where its first value of the chunk itself is.
    places: Vec<(usize, usize)>,
}

impl<T: ArrowNativeType> SymbolMajor<T> {
    /// Puts `earlier(asset)`, oldest first, and the rows of the chunk together for each asset.
    pub(super) fn new(
        n_symbols: usize,
        rows: &ByAsset,
        own: &[T],
        mut earlier: impl FnMut(usize, &mut Vec<T>),
    ) -> Self {
        let mut values = Vec::with_capacity(own.len());
        let mut places = Vec::with_capacity(n_symbols);
        for asset in 0..n_symbols {
            let begin = values.len();
            earlier(asset, &mut values);
            places.push((begin, values.len()));
            values.extend(rows.of(asset).iter().map(|row| own[*row as usize]));
        }
        Self { values: values.into(), places }
    }

    /// The last `length` values of an asset that has `n_seen` rows of the chunk behind it; `None`
    /// when they are not all here.
    pub(super) fn window(
        &self,
        asset: usize,
        n_seen: usize,
        length: usize,
    ) -> Option<ScalarBuffer<T>> {
        let (begin, own) = self.places[asset];
        let end = own + n_seen;
        (end - begin >= length).then(|| self.values.slice(end - length, length))
    }
}
