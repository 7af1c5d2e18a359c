//! The past in the units of now: factors of the corporate actions that came after a row.

use crate::base::{AssetId, Rescale};

/// Corporate actions that restate the rows before them: when, and by how much.
#[derive(Debug, Clone, Default)]
pub(super) struct Rescales(Vec<(i64, Rescale)>);

impl Rescales {
    /// Restates the rows of an asset before `now`.
    pub(super) fn push(&mut self, now: i64, rescale: &Rescale) {
        self.0.push((now, *rescale));
    }

    /// Whether no row of an asset has to be restated.
    pub(super) fn are_none(&self, asset: AssetId) -> bool {
        self.0.iter().all(|(_, one)| one.asset != asset)
    }

    /// The factors of prices and of volumes of a row of an asset, as of the present.
    pub(super) fn factors(&self, asset: AssetId, timestamp: i64) -> (f64, f64) {
        let later = self.0.iter().filter(|(at, one)| one.asset == asset && *at > timestamp);
        later.fold((1.0, 1.0), |(price, volume), (_, one)| (price * one.price, volume * one.volume))
    }
}
