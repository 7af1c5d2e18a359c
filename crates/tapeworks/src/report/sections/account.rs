//! What happened to the account besides fills: money in and out, costs of time, calls and limits.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::records::{AccountEvent, AccountEventKind, Records};
use crate::report::calendar::Clock;
use crate::report::{ReportInput, number};

/// How many calls, breaches and rolls are listed one by one.
const N_LISTED: usize = 20;

/// Events of one kind.
#[derive(Debug, Clone, Copy)]
struct Tally {
    n: usize,
    sum: f64,
    first: i64,
    last: i64,
}

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let records = input.records;
    let events = records.account_events();
    let clock = Clock::new(&records.states().timestamp, &input.facts.timezone);
    let mut tallies: BTreeMap<AccountEventKind, Tally> = BTreeMap::new();
    for event in events {
        let at = event.timestamp;
        let tally =
            tallies.entry(event.kind).or_insert(Tally { n: 0, sum: 0.0, first: at, last: at });
        tally.n += 1;
        tally.sum += event.amount;
        tally.last = at;
    }
    let kinds: Vec<Value> = tallies
        .iter()
        .map(|(kind, tally)| {
            json!({
                "kind": kind.as_str(),
                "n": tally.n,
                // What was missing or measured at different times has no sum.
                "sum": is_payment(*kind).then_some(tally.sum),
                "first": clock.label(tally.first),
                "last": clock.label(tally.last),
            })
        })
        .collect();
    let notable = |event: &&AccountEvent| !is_payment(event.kind);
    let listed: Vec<Value> = events
        .iter()
        .filter(notable)
        .take(N_LISTED)
        .map(|event| {
            json!({
                "time": clock.label(event.timestamp),
                "kind": event.kind.as_str(),
                "symbol": event.asset.map(|asset| records.symbols().name(asset)),
                "amount": event.amount,
            })
        })
        .collect();
    let metric = |key: &str| {
        let found = input.metrics.metric(key)?;
        Some(super::figures::row(found, &input.facts.currency))
    };
    let cards: Vec<Value> =
        ["exposure_gross", "exposure_net", "leverage_max", "margin_used_max", "margin_calls"]
            .into_iter()
            .filter_map(metric)
            .collect();
    json!({
        "account": input.facts.account,
        "cards": cards,
        "n": events.len(),
        "kinds": kinds,
        "n_notable": events.iter().filter(notable).count(),
        "listed": listed,
    })
}

/// `2 margin calls, 1 limit breach`: what a reader must not miss; empty when nothing of it was.
pub(in crate::report) fn account_alarm(records: &Records) -> String {
    let alarms = [
        (AccountEventKind::MarginCall, "margin call"),
        (AccountEventKind::Bankruptcy, "bankruptcy"),
        (AccountEventKind::LimitBreach, "limit breach"),
    ];
    let parts = alarms.into_iter().filter_map(|(kind, name)| {
        let n = records.account_events().iter().filter(|event| event.kind == kind).count();
        let name = match (n, name) {
            (0, _) => return None,
            (1, _) => name.to_owned(),
            (_, "bankruptcy") => "bankruptcies".to_owned(),
            (_, "limit breach") => "limit breaches".to_owned(),
            _ => format!("{name}s"),
        };
        Some(format!("{} {name}", number::count(n)))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Whether the amounts of a kind are money that moved, so that they add up.
fn is_payment(kind: AccountEventKind) -> bool {
    match kind {
        AccountEventKind::Flow
        | AccountEventKind::Funding
        | AccountEventKind::Borrow
        | AccountEventKind::Interest
        | AccountEventKind::Dividend
        | AccountEventKind::DividendPaid => true,
        AccountEventKind::MarginCall
        | AccountEventKind::Bankruptcy
        | AccountEventKind::LimitBreach
        | AccountEventKind::Roll
        | AccountEventKind::Split
        | AccountEventKind::Merger
        | AccountEventKind::Rename => false,
    }
}
