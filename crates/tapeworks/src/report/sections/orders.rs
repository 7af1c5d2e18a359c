//! How orders ended: filled, refused with the reason and first examples, cancelled, still live.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::records::{
    CancelReason, ExpireReason, FillFlags, OrderStatus, Records, RejectCode, hint,
};
use crate::report::calendar::Clock;
use crate::report::{ReportInput, number};

/// How many refused orders of one code are shown.
const N_EXAMPLES: usize = 3;

/// Orders by how they ended.
#[derive(Debug, Clone, Default)]
pub(in crate::report) struct OrderTally {
    /// All orders.
    pub n_orders: usize,
    /// Completely filled.
    pub n_filled: usize,
    /// Refused.
    pub n_rejected: usize,
    /// Still live when the run ended.
    pub n_live: usize,
    /// Fills whose order of events is not certain.
    pub n_ambiguous: usize,
    /// Fills at a limit that was only touched.
    pub n_touch_only: usize,
    /// Fills whose costs by volume count as 0, for the volume is not known.
    pub n_no_volume: usize,
    n_fills: usize,
    rejected: BTreeMap<RejectCode, usize>,
    cancelled: BTreeMap<CancelReason, usize>,
    expired: BTreeMap<ExpireReason, usize>,
}

impl OrderTally {
    pub(in crate::report) fn of(records: &Records) -> Self {
        let log = records.log();
        let mut tally =
            Self { n_orders: log.orders.len(), n_fills: log.fills.len(), ..Self::default() };
        for order in &log.orders {
            match order.status {
                OrderStatus::Filled => tally.n_filled += 1,
                OrderStatus::Rejected(code) => {
                    tally.n_rejected += 1;
                    *tally.rejected.entry(code).or_default() += 1;
                }
                OrderStatus::Cancelled(reason) => {
                    *tally.cancelled.entry(reason).or_default() += 1;
                }
                OrderStatus::Expired(reason) => {
                    *tally.expired.entry(reason).or_default() += 1;
                }
                OrderStatus::Live | OrderStatus::Held | OrderStatus::LiveAtEnd => {
                    tally.n_live += 1;
                }
            }
        }
        let having = |flag| log.fills.iter().filter(|fill| fill.flags.has(flag)).count();
        tally.n_ambiguous = having(FillFlags::AMBIGUOUS);
        tally.n_touch_only = having(FillFlags::TOUCH_ONLY);
        tally.n_no_volume = having(FillFlags::NO_VOLUME_COST);
        tally
    }

    /// `48,151 orders: 48,151 filled; refused: none`.
    pub(in crate::report) fn line(&self) -> String {
        let mut parts = vec![format!("{} filled", number::count(self.n_filled))];
        for (reason, n) in &self.cancelled {
            parts.push(format!("{} cancelled ({})", number::count(*n), reason.as_str()));
        }
        for (reason, n) in &self.expired {
            parts.push(format!("{} expired ({})", number::count(*n), reason.as_str()));
        }
        if self.n_live > 0 {
            parts.push(format!("{} live at the end", number::count(self.n_live)));
        }
        format!(
            "{} {}: {}; refused: {}",
            number::count(self.n_orders),
            if self.n_orders == 1 { "order" } else { "orders" },
            parts.join(", "),
            self.rejected_line()
        )
    }

    /// `insufficient_cash 12, quantity_zero 3` or `none`.
    pub(in crate::report) fn rejected_line(&self) -> String {
        if self.rejected.is_empty() {
            return "none".into();
        }
        let parts: Vec<_> = self
            .rejected
            .iter()
            .map(|(code, n)| format!("{} {}", code.as_str(), number::count(*n)))
            .collect();
        parts.join(", ")
    }

    /// Ambiguous fills over all fills; 0 without fills.
    pub(in crate::report) fn ambiguous_share(&self) -> f64 {
        self.n_ambiguous as f64 / self.n_fills.max(1) as f64
    }
}

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let log = input.records.log();
    let tally = OrderTally::of(input.records);
    let clock = Clock::new(&log.states.timestamp, &input.facts.timezone);
    let mut outcomes = vec![json!({"outcome": "filled", "n": tally.n_filled})];
    for (reason, n) in &tally.cancelled {
        outcomes.push(json!({"outcome": format!("cancelled: {}", reason.as_str()), "n": n}));
    }
    for (reason, n) in &tally.expired {
        outcomes.push(json!({"outcome": format!("expired: {}", reason.as_str()), "n": n}));
    }
    if tally.n_live > 0 {
        outcomes.push(json!({"outcome": "live at the end", "n": tally.n_live}));
    }
    for (code, n) in &tally.rejected {
        outcomes.push(json!({"outcome": format!("refused: {}", code.as_str()), "n": n}));
    }
    let rejections: Vec<_> = tally
        .rejected
        .iter()
        .map(|(code, n)| {
            let examples: Vec<_> = log
                .rejections
                .iter()
                .filter(|row| row.code == *code)
                .take(N_EXAMPLES)
                .map(|row| {
                    // A change of an order that never was has no order behind it.
                    let order = log.orders.get(row.order.index());
                    json!({
                        "time": clock.label(row.timestamp),
                        "symbol": order.map(|order| log.symbols.name(order.asset)),
                        "order_id": row.order.0,
                        "quantity": order.map(|order| order.quantity),
                        "need": row.need,
                        "have": row.have,
                    })
                })
                .collect();
            json!({"code": code.as_str(), "n": n, "hint": hint(*code), "examples": examples})
        })
        .collect();
    json!({
        "n_orders": tally.n_orders,
        "line": tally.line(),
        "outcomes": outcomes,
        "rejections": rejections,
        "n_fills": log.fills.len(),
        "n_ambiguous": tally.n_ambiguous,
        "n_touch_only": tally.n_touch_only,
        "n_no_volume": tally.n_no_volume,
    })
}
