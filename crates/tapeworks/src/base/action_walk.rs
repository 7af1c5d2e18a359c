//! The actions of each symbol in the order of its rows, as factors of the rows before them.

use super::{ActionKind, Actions, Adjustment, AssetId, CorporateAction, Date, Rescale};

/// Walks the rows of all symbols and tells which actions restate what came before a row.
///
/// A dividend is measured by the last close before it, in units after the splits of its day and
/// before. Missing: a missing close is passed over; a dividend without a close before it, or not
/// below that close, restates nothing.
#[derive(Debug, Clone)]
pub struct ActionWalk {
    adjustment: Adjustment,
    /// Of each symbol, the first one last, so that it is taken from the end.
    waiting: Vec<Vec<CorporateAction>>,
    closes: Vec<f64>,
}

impl ActionWalk {
    /// Nothing has passed yet. Actions with an ex-date after `until` are left out.
    #[must_use]
    pub fn new(actions: &Actions, n_symbols: usize, until: Option<Date>) -> Self {
        let mut waiting: Vec<Vec<CorporateAction>> = vec![Vec::new(); n_symbols];
        for action in actions.list().iter().rev() {
            if until.is_none_or(|until| action.ex_date <= until) {
                waiting[action.asset.index()].push(*action);
            }
        }
        Self { adjustment: actions.adjustment, waiting, closes: vec![f64::NAN; n_symbols] }
    }

    /// The next action of a symbol that is effective by `date` and restates the rows before it;
    /// `None` when there is no further one.
    pub fn due(&mut self, asset: AssetId, date: Date) -> Option<(Date, Rescale)> {
        self.next_where(asset, |action| action.ex_date <= date)
    }

    /// The next action of a symbol that restates the rows before it, whenever it is effective.
    pub fn rest(&mut self, asset: AssetId) -> Option<(Date, Rescale)> {
        self.next_where(asset, |_| true)
    }

    /// Remembers the close of a row.
    pub fn see(&mut self, asset: AssetId, close: f64) {
        if close.is_finite() {
            self.closes[asset.index()] = close;
        }
    }

    fn next_where(
        &mut self,
        asset: AssetId,
        is_wanted: impl Fn(&CorporateAction) -> bool,
    ) -> Option<(Date, Rescale)> {
        let at = asset.index();
        while let Some(action) = self.waiting[at].pop_if(|action| is_wanted(action)) {
            let close = &mut self.closes[at];
            let rescale = match action.kind {
                ActionKind::Split { ratio } => {
                    *close /= ratio;
                    Some(Rescale::split(asset, ratio))
                }
                ActionKind::Dividend { amount, .. } if self.adjustment == Adjustment::Total => {
                    Rescale::dividend(asset, amount, *close)
                }
                ActionKind::Dividend { .. }
                | ActionKind::Merger { .. }
                | ActionKind::Rename { .. } => None,
            };
            if let Some(rescale) = rescale {
                return Some((action.ex_date, rescale));
            }
        }
        None
    }
}
