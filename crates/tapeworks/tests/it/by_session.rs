//! Room `records`: what stands at the end of each session, against hand calculation.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Date32Type;
use tapeworks::base::{Calendar, Symbols};
use tapeworks::feed::{Layout, MarketChunk, MemoryFeed};
use tapeworks::records::{RecordKind, Records, holdings_by_session, portfolio_by_session};

use crate::run_log::{DAY, by_hand, contracts};
use crate::tables::{close, column, names, values};

/// Closes by timestamp, a value a symbol; NaN is no row.
fn feed(symbols: &[&str], rows: &[(i64, &[f64])]) -> MemoryFeed {
    let mut chunk = MarketChunk { offsets: vec![0], ..MarketChunk::default() };
    for (timestamp, closes) in rows {
        chunk.timestamps.push(*timestamp);
        for (asset, price) in closes.iter().enumerate().filter(|(_, price)| !price.is_nan()) {
            chunk.assets.push(u32::try_from(asset).expect("few symbols"));
            for prices in [&mut chunk.open, &mut chunk.high, &mut chunk.low, &mut chunk.close] {
                prices.push(*price);
            }
            chunk.volume.push(1.0);
        }
        chunk.offsets.push(u32::try_from(chunk.assets.len()).expect("few rows"));
    }
    let symbols = Arc::new(Symbols::new(symbols.iter().copied()));
    MemoryFeed::new(symbols, Arc::new(Layout::default()), vec![Arc::new(chunk)])
}

fn batches(records: &Records, kind: RecordKind) -> Vec<RecordBatch> {
    records.batches(kind, 2).collect()
}

fn sessions(batch: &RecordBatch) -> Vec<i32> {
    column(batch, "session").as_primitive::<Date32Type>().values().to_vec()
}

/// 100 bought at 10 with a fee of 2 of 2,000, half sold at 12 (fee 1), half at 9 (fee 1); then 10
/// bought at 20. Day by day: 2,000; 998 + 1,100; 1,597 + 600; 1,846 + 210.
#[test]
fn portfolio_when_taken_by_session_then_the_last_row_of_each() {
    let rows = portfolio_by_session(&batches(&by_hand(), RecordKind::Portfolio), None);
    assert_eq!(sessions(&rows), [0, 1, 2, 3]);
    assert_eq!(values(&rows, "equity"), [2_000.0, 2_098.0, 2_197.0, 2_056.0]);
    for (found, wanted) in values(&rows, "daily_return").iter().zip([
        0.0,
        98.0 / 2_000.0,
        99.0 / 2_098.0,
        -141.0 / 2_197.0,
    ]) {
        assert!(close(*found, wanted), "{found} {wanted}");
    }
    let nothing = portfolio_by_session(&[], Calendar::named("XNYS").ok());
    assert_eq!(nothing.num_rows(), 0);
}

#[test]
fn holdings_when_positions_do_not_change_then_the_closes_value_them() {
    let missing = f64::NAN;
    let mut feed = feed(
        &["AAA", "BBB"],
        &[
            (0, &[10.0, 20.0]),
            (DAY, &[10.5, 20.0]),
            (DAY + 1, &[11.0, missing]),
            (2 * DAY, &[12.0, 20.0]),
            (3 * DAY, &[9.0, 21.0]),
            (4 * DAY, &[9.0, missing]),
            (9 * DAY, &[9.0, 99.0]),
        ],
    );
    let positions = batches(&by_hand(), RecordKind::Positions);
    let held = holdings_by_session(&positions, &mut feed, 4 * DAY).expect("the symbols are there");
    assert_eq!(sessions(&held), [1, 2, 3, 4]);
    assert_eq!(names(&held, "symbol"), ["AAA", "AAA", "BBB", "BBB"]);
    assert_eq!(values(&held, "quantity"), [100.0, 50.0, 10.0, 10.0]);
    assert_eq!(values(&held, "mark"), [11.0, 12.0, 21.0, 21.0]);
    assert_eq!(values(&held, "value"), [1_100.0, 600.0, 210.0, 210.0]);
}

#[test]
fn holdings_when_a_contract_has_a_multiplier_then_in_currency() {
    let mut feed = feed(&["F"], &[(0, &[100.0]), (DAY, &[105.0]), (2 * DAY, &[108.0])]);
    let positions = batches(&contracts().finish(), RecordKind::Positions);
    let held = holdings_by_session(&positions, &mut feed, 2 * DAY).expect("the symbol is there");
    // two contracts of 10 a point at 105, then one at 108
    assert_eq!(values(&held, "value"), [2_100.0, 1_080.0]);
}

#[test]
fn holdings_when_the_feed_lacks_a_symbol_then_it_is_named() {
    let positions = batches(&by_hand(), RecordKind::Positions);
    let error = holdings_by_session(&positions, &mut feed(&["AAA"], &[]), DAY).expect_err("no BBB");
    assert_eq!(error.code(), "C472");
    assert!(error.to_string().contains("BBB"), "{error}");
}
