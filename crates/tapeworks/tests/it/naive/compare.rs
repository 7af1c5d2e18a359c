//! The first difference between the engine's log and the twin's, as text.

use tapeworks::broker::AccountEventKind;
use tapeworks::engine::RunLog;

use super::Twin;
use crate::market::at;

fn near(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// Shares of fees and costs follow the quantity.
fn near_share(a: f64, b: f64) -> bool {
    near(a, b) || (a - b).abs() <= 1e-7
}

/// Quantities of fills are equal to one lot of 1e-8: at its edge the last bit of a sum decides.
fn near_lot(a: f64, b: f64) -> bool {
    near(a, b) || (a - b).abs() <= 1.01e-8
}

/// The first difference of fills, refusals, ends of orders, lots, states, account events.
pub fn difference(log: &RunLog, twin: &Twin<'_>) -> Option<String> {
    None.or_else(|| fills(log, twin))
        .or_else(|| rejections(log, twin))
        .or_else(|| statuses(log, twin))
        .or_else(|| lots(log, twin))
        .or_else(|| events(log, twin))
        .or_else(|| states(log, twin))
        .map(|text| format!("{text}\n{}", history(log, twin)))
}

/// What both did, a line each, for whoever has to find out which of the two is wrong.
fn history(log: &RunLog, twin: &Twin<'_>) -> String {
    let line = |order: u32, bar: i64, phase: &dyn std::fmt::Debug, q: f64, price: f64| {
        format!("  order {order} bar {bar} {phase:?} {q} at {price}\n")
    };
    let mut text = String::from("the engine:\n");
    for fill in &log.fills {
        let bar = (fill.timestamp - at(0)) / (at(1) - at(0));
        text += &line(fill.order.0, bar, &fill.phase, fill.quantity, fill.price);
    }
    text += "the twin:\n";
    for fill in &twin.fills {
        let bar = i64::try_from(fill.bar).expect("few bars");
        text += &line(fill.order, bar, &fill.phase, fill.quantity, fill.price);
    }
    text
}

fn fills(log: &RunLog, twin: &Twin<'_>) -> Option<String> {
    for (i, want) in twin.fills.iter().enumerate() {
        let Some(got) = log.fills.get(i) else {
            return Some(format!("fill {i} is missing: {want:?}"));
        };
        let same = got.timestamp == at(want.bar)
            && got.order.0 == want.order
            && got.asset.0 == want.asset
            && near_lot(got.quantity, want.quantity)
            && near(got.base_price, want.base)
            && near(got.price, want.price)
            && near(got.commission, want.commission)
            && got.phase == want.phase
            && (!want.reduces || got.reason == want.reason)
            && got.flags.0 == want.flags;
        if !same {
            return Some(format!("fill {i}: want {want:?}\n got {got:?}"));
        }
    }
    let extra = log.fills.get(twin.fills.len());
    extra.map(|fill| format!("one fill too many: {fill:?}"))
}

fn rejections(log: &RunLog, twin: &Twin<'_>) -> Option<String> {
    let got: Vec<_> = log.rejections.iter().map(|r| (r.timestamp, r.order.0, r.code)).collect();
    let want: Vec<_> = twin.rejections.iter().map(|r| (at(r.0), r.1, r.2)).collect();
    (got != want).then(|| format!("rejections: want {want:?}\n got {got:?}"))
}

fn statuses(log: &RunLog, twin: &Twin<'_>) -> Option<String> {
    for (want, got) in twin.orders.iter().zip(&log.orders) {
        let same = got.asset.0 == want.asset
            && got.kind == want.kind
            && got.origin == want.origin
            && got.status == want.status
            && near_lot(got.filled, want.d * want.filled);
        if !same {
            return Some(format!("order {}: want {want:?}\n got {got:?}", want.id));
        }
    }
    let (want, got) = (twin.orders.len(), log.orders.len());
    (want != got).then(|| format!("{got} orders, want {want}"))
}

fn lots(log: &RunLog, twin: &Twin<'_>) -> Option<String> {
    for (i, want) in twin.lots.iter().enumerate() {
        let Some(got) = log.lots.get(i) else {
            return Some(format!("lot {i} is missing: {want:?}"));
        };
        let same = got.exit_fill == want.exit_fill
            && got.entry_fill == want.entry_fill
            && near_lot(got.quantity, want.quantity)
            && got.side == want.side
            && near(got.entry_price, want.entry_price)
            && near(got.exit_price, want.exit_price)
            && near_share(got.entry_commission, want.entry_commission)
            && near_share(got.exit_commission, want.exit_commission)
            && near_share(got.entry_slippage, want.entry_slippage)
            && near_share(got.exit_slippage, want.exit_slippage)
            && near(got.best, want.best)
            && near(got.worst, want.worst)
            && got.bars_held == want.bars_held
            && got.bars_to_best == want.bars_to_best
            && got.bars_to_worst == want.bars_to_worst
            && got.flags.0 == want.flags
            && got.reason == want.reason
            && got.closes_position == want.closes;
        if !same {
            return Some(format!("lot {i}: want {want:?}\n got {got:?}"));
        }
    }
    let (want, got) = (twin.lots.len(), log.lots.len());
    (want != got).then(|| format!("{got} lots, want {want}"))
}

fn events(log: &RunLog, twin: &Twin<'_>) -> Option<String> {
    // The order of events of one row says nothing.
    let mut got: Vec<_> = log.account_events.iter().collect();
    // Costs of nothing are no events.
    got.retain(|event| event.amount != 0.0 || event.kind == AccountEventKind::Bankruptcy);
    got.sort_by_key(|event| (event.timestamp, event.kind, event.asset));
    let mut sorted = twin.events.clone();
    sorted.sort_by_key(|event| (event.0, event.1, event.2));
    for (i, want) in sorted.iter().enumerate() {
        let same = got.get(i).is_some_and(|got| {
            got.timestamp == at(want.0)
                && got.kind == want.1
                && got.asset.map(|asset| asset.0) == want.2
                && near(got.amount, want.3)
        });
        if !same {
            return Some(format!("event {i}: want {want:?}\n got {:?}", got.get(i)));
        }
    }
    got.get(twin.events.len()).map(|event| format!("one event too many: {event:?}"))
}

fn states(log: &RunLog, twin: &Twin<'_>) -> Option<String> {
    let states = &log.states;
    if states.cash.len() != twin.states.len() {
        return Some("number of states".to_string());
    }
    for (i, want) in twin.states.iter().enumerate() {
        let at_or = |column: &[f64]| column.get(i).copied().unwrap_or(0.0);
        let same = near(states.cash[i], want.cash)
            && near(states.equity[i], want.equity)
            && near(states.fees[i], want.fees)
            && near(at_or(&states.unsettled), want.unsettled)
            && near(at_or(&states.funding), want.funding)
            && near(at_or(&states.borrow), want.borrow)
            && near(at_or(&states.interest), want.interest)
            && near(at_or(&states.flows), want.flows);
        if !same {
            return Some(format!(
                "state {i}: want {want:?}\n got cash {} equity {} fees {} unsettled {} funding {} borrow {} interest {} flows {}",
                states.cash[i],
                states.equity[i],
                states.fees[i],
                at_or(&states.unsettled),
                at_or(&states.funding),
                at_or(&states.borrow),
                at_or(&states.interest),
                at_or(&states.flows),
            ));
        }
    }
    None
}
