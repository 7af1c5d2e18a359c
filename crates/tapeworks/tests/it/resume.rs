//! A run that goes on: what is proved of the old span, and what the orders of the end are.
//!
//! Expected values are those of a run over all rows, or of the bundled sample cut by hand.

use std::path::Path;

use tapeworks::base::Timestamp;
use tapeworks::engine::Flow;
use tapeworks::records::{RecordKind, Records, RowBatches, first_difference};
use tapeworks::run::config::Format;
use tapeworks::run::{self, LoadedConfig, Outcome, Overlay};

fn outcome(end: &str, quantity: u32) -> Outcome {
    let text = format!(
        "backtest: {{initial_capital: 100_000{end}}}\n\
         data: {{asset_data: 'sample:bars'}}\n\
         strategy: {{rule: sma_cross, fast: 5, slow: 12, quantity: {quantity}}}\n"
    );
    let loaded =
        LoadedConfig::parse(&text, Format::Yaml, "run.yaml", Path::new(""), &Overlay::default());
    let loaded = loaded.expect("a config");
    run::execute(&loaded, &mut |_| Flow::Continue).expect("a run")
}

fn rows(records: &Records, kind: RecordKind) -> RowBatches {
    // Batches of other lengths on the two sides.
    Box::new(records.batches(kind, 7).map(Ok))
}

#[test]
fn continuation_when_the_first_run_is_a_prefix_then_it_holds_for_every_cut() {
    let whole = outcome("", 10);
    for date in ["2005-03-01", "2008-10-13", "2012-12-31"] {
        let first = outcome(&format!(", end_date: {date}"), 10);
        assert!(first.records.fills().len() > 10);
        let read = |kind| Ok(rows(&first.records, kind));
        run::check_continuation(&read, &whole.records).unwrap();
        let last = run::last_timestamp(&read).unwrap().map(Timestamp);
        assert_eq!(last.map(|t| t.0), first.records.states().timestamp.last().copied());
    }
}

#[test]
fn continuation_when_a_quantity_differs_then_the_first_fill_is_named() {
    let (first, whole) = (outcome(", end_date: 2008-10-13", 10), outcome("", 11));
    let error = run::check_continuation(&|kind| Ok(rows(&first.records, kind)), &whole.records);
    let error = error.unwrap_err();
    assert_eq!(error.code(), "D320");
    let text = error.message();
    assert!(text.contains("fill 0 was") && text.contains("quantity 10.0"), "{text}");
    assert!(text.contains("and is now") && text.contains("quantity 11.0"), "{text}");
}

#[test]
fn first_difference_when_one_table_is_longer_then_its_row_is_told() {
    let (short, long) = (outcome(", end_date: 2008-10-13", 10), outcome("", 10));
    let n = short.records.fills().len();
    let columns = ["timestamp", "symbol", "quantity"];
    let same = first_difference(
        rows(&long.records, RecordKind::Fills),
        rows(&long.records, RecordKind::Fills),
        &columns,
    );
    assert_eq!(same.unwrap(), None);
    let found = first_difference(
        rows(&short.records, RecordKind::Fills),
        rows(&long.records, RecordKind::Fills),
        &columns,
    );
    let found = found.unwrap().expect("the longer one has more");
    assert_eq!((found.row, found.ours), (n as u64, None));
    let fill = &long.records.fills()[n];
    let symbol = long.records.symbols().name(fill.asset);
    let expected = format!(
        "timestamp {}, symbol {symbol}, quantity {:?}",
        Timestamp(fill.timestamp),
        fill.quantity.abs()
    );
    assert_eq!(found.theirs, Some(expected));
}

#[test]
fn next_orders_when_a_run_ends_then_the_orders_without_an_end() {
    let found = outcome("", 10);
    let log = found.records.log();
    // Walked by hand: an order that neither filled whole, nor was refused, cancelled or expired.
    let ended = ["filled", "cancelled", "expired", "rejected"];
    let open: Vec<u32> = (0_u32..)
        .zip(&log.orders)
        .filter(|(_, order)| !ended.contains(&order.status.as_str()))
        .map(|(id, _)| id)
        .collect();
    let mut ids = Vec::new();
    for batch in found.records.batches(RecordKind::NextOrders, 1) {
        let column = batch.column_by_name("order_id").unwrap();
        let column = arrow::array::AsArray::as_primitive::<arrow::datatypes::UInt32Type>(column);
        ids.extend(column.values().iter().copied());
    }
    assert_eq!(ids, open);
    assert_eq!(found.records.n_rows(RecordKind::NextOrders), open.len());
}

#[test]
fn reasons_when_counted_then_orders_and_silent_timestamps_add_up() {
    let found = outcome("", 10);
    let (log, reasons) = (found.records.log(), found.records.reasons());
    assert_eq!(reasons.n_orders, log.orders.len() as u64);
    let mut decided: Vec<i64> = log.orders.iter().map(|order| order.created).collect();
    decided.dedup();
    assert_eq!(reasons.n_timestamps - reasons.n_silent, decided.len() as u64);
    let of =
        |cause: &str| reasons.causes.iter().find(|one| one.cause == cause).map_or(0, |one| one.n);
    assert_eq!(of("submitted"), reasons.n_orders);
    assert_eq!(of("no signal"), reasons.n_silent);
    let filled = log.orders.iter().filter(|order| order.status.as_str() == "filled").count();
    assert_eq!(of("filled"), filled as u64);
    let text = reasons.line();
    assert!(text.starts_with(&format!("{} orders: {filled} filled", reasons.n_orders)), "{text}");
}
