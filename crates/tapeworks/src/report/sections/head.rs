//! Who, when, on what, under which rules, and what could not be checked.

use serde_json::{Value, json};

use super::{Bridge, OrderTally, account_alarm};
use crate::report::ReportInput;
use crate::report::calendar::Clock;

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let facts = &input.facts;
    let log = input.records.log();
    let tally = OrderTally::of(input.records);
    json!({
        "name": facts.name,
        "strategy": facts.strategy,
        "window": window_line(input),
        "n_states": log.states.timestamp.len(),
        "n_symbols": log.symbols.len(),
        "n_rows": log.n_rows,
        "n_untradable_rows": log.n_untradable_rows,
        "semantics": facts.semantics,
        "account": facts.account,
        "cash": facts.cash,
        "currency": facts.currency,
        "costs": cost_line(input),
        "is_free": is_free(input),
        "data_fingerprint": facts.data_fingerprint,
        "run_id": facts.run_id,
        "orders": tally.line(),
        "n_rejected": tally.n_rejected,
        "rejected": tally.rejected_line(),
        "n_fills": log.fills.len(),
        "n_ambiguous": tally.n_ambiguous,
        "ambiguous_share": tally.ambiguous_share(),
        "account_alarm": account_alarm(input.records),
        "unverified": facts.unverified,
        "repairs": facts.repairs,
        "n_warnings": facts.warnings.len() + log.notes.len(),
    })
}

/// `2015-01-02 to 2024-12-31`, or what there is in its place.
pub(in crate::report) fn window_line(input: &ReportInput<'_>) -> String {
    let times = &input.records.states().timestamp;
    let clock = Clock::new(times, &input.facts.timezone);
    match times.as_slice() {
        [] => "no rows".into(),
        [only] => clock.label(*only),
        [first, .., last] => format!("{} to {}", clock.label(*first), clock.label(*last)),
    }
}

/// Whether nothing was charged, neither by the terms nor in fact.
pub(in crate::report) fn is_free(input: &ReportInput<'_>) -> bool {
    input.facts.costs.is_empty() && input.records.cost_totals().are_none()
}

/// The costs on one line, `NONE` when nothing is charged.
pub(in crate::report) fn cost_line(input: &ReportInput<'_>) -> String {
    if !input.facts.costs.is_empty() {
        return input.facts.costs.clone();
    }
    if is_free(input) {
        return "NONE".into();
    }
    let parts = Bridge::of(input).parts();
    let charged = parts.into_iter().filter(|(_, amount)| *amount != 0.0);
    charged.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}
