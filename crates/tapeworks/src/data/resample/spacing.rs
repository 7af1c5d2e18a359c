//! How far apart the rows of one symbol usually are.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::base::Step;

/// Distinct distances that are counted; beyond them rows have no usual one.
const N_STEPS_MAX: usize = 10_000;

/// Distances between the rows of each symbol.
#[derive(Debug, Default)]
pub(crate) struct Spacing {
    last: FxHashMap<u32, i64>,
    steps: BTreeMap<i64, u64>,
}

impl Spacing {
    /// Rows in time order.
    pub(crate) fn push(&mut self, timestamps: &[i64], assets: &[u32]) {
        for (&now, &asset) in timestamps.iter().zip(assets) {
            if let Some(before) = self.last.insert(asset, now)
                && now > before
                && (self.steps.len() < N_STEPS_MAX || self.steps.contains_key(&(now - before)))
            {
                *self.steps.entry(now - before).or_default() += 1;
            }
        }
    }

    /// Rows of a file in any order.
    pub(crate) fn push_unsorted(&mut self, timestamps: &[i64], assets: &[u32]) {
        if timestamps.windows(2).all(|pair| pair[0] <= pair[1]) {
            return self.push(timestamps, assets);
        }
        let mut order: Vec<usize> = (0..timestamps.len()).collect();
        order.sort_by_key(|&i| timestamps[i]);
        let sorted = |values: &[i64]| order.iter().map(|&i| values[i]).collect::<Vec<_>>();
        let ids: Vec<u32> = order.iter().map(|&i| assets[i]).collect();
        self.push(&sorted(timestamps), &ids);
    }

    /// The most frequent distance, the smaller one on a tie.
    pub(crate) fn usual(&self) -> Option<i64> {
        let most = self.steps.iter().max_by_key(|&(step, n)| (*n, Reverse(*step)));
        most.map(|(step, _)| *step)
    }

    /// The step of most distances, those of months taken together, the smaller one on a tie; `None`
    /// below `n_min` distances.
    pub(crate) fn usual_step(&self, n_min: u64) -> Option<Step> {
        let mut steps: BTreeMap<i64, (Step, u64)> = BTreeMap::new();
        for (&ns, &n) in &self.steps {
            let step = Step::of_spacing(ns);
            steps.entry(step.about_ns()).or_insert((step, 0)).1 += n;
        }
        if self.steps.values().sum::<u64>() < n_min {
            return None;
        }
        let most = steps.iter().max_by_key(|&(about, (_, n))| (*n, Reverse(*about)));
        most.map(|(_, (step, _))| *step)
    }
}
