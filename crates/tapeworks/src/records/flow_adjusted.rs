//! Equity without the money that was put in or taken out.

use std::borrow::Cow;

/// Turns equity into the equity that the initial capital alone would have come to.
///
/// A flow F of row t enters no return: `r_t = (E_t - F_t) / E_{t-1} - 1`, and the adjusted equity
/// is the initial one times the product of `1 + r`. Without a flow it is the equity itself, to the
/// bit.
/// Missing: NaN from a flow on that meets no equity.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlowAdjusted {
    /// Adjusted equity over equity.
    factor: f64,
    /// Flows so far.
    flows: f64,
}

impl FlowAdjusted {
    pub(super) fn new() -> Self {
        Self { factor: 1.0, flows: 0.0 }
    }

    /// The flow of the row whose flows since the start are `flows`.
    pub(super) fn flow(&self, flows: f64) -> f64 {
        flows - self.flows
    }

    /// Adjusted equity of the next row.
    pub(super) fn push(&mut self, equity: f64, flows: f64) -> f64 {
        let flow = self.flow(flows);
        if flow != 0.0 {
            self.factor *= (equity - flow) / equity;
            self.flows = flows;
        }
        equity * self.factor
    }

    /// An adjusted value in the money of the present row.
    pub(super) fn at_present(&self, adjusted: f64) -> f64 {
        adjusted / self.factor
    }
}

/// Equity without flows, row by row; `flows` are those since the start, empty for none.
#[must_use]
pub fn flow_adjusted<'a>(equity: &'a [f64], flows: &[f64]) -> Cow<'a, [f64]> {
    if flows.iter().all(|&flow| flow == 0.0) {
        return Cow::Borrowed(equity);
    }
    let mut adjusted = FlowAdjusted::new();
    let rows = equity.iter().zip(flows).map(|(&equity, &flows)| adjusted.push(equity, flows));
    Cow::Owned(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 earns 10 %; 110 come in and the 220 stay; half is taken out, and the rest earns 10 %.
    #[test]
    fn equity_when_money_moves_then_only_earnings_count() {
        let equity = [110.0, 220.0, 110.0, 121.0];
        let flows = [0.0, 110.0, 0.0, 0.0];
        assert_eq!(*flow_adjusted(&equity, &flows), [110.0, 110.0, 110.0, 121.0]);
        assert!(matches!(flow_adjusted(&equity, &[]), Cow::Borrowed(_)));
        assert!(flow_adjusted(&[0.0, 5.0], &[-100.0, -100.0]).iter().all(|v| !v.is_finite()));
    }
}
