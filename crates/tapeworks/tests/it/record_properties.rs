//! Room `records`: the tables against each other and against a naive ledger, on random runs.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Float64Type};
use proptest::prelude::*;
use tapeworks::engine::{Flow, OrderStatus, RunLog, run};
use tapeworks::records::{
    Pairing, RecordKind, Records, Snapshot, TableOptions, Trade, TradeStatus,
};

use crate::market::Script;
use crate::random::{config, draws, market_of, script};
use crate::run_log::{costly_records, random_records};
use crate::tables::{close, ids, names, numbers, table, times, values, words};

/// Goal: all trades are derivable from the fills alone. Method: a naive ledger of cost basis, not
/// of averages, fed with the fills table; compared with the trades table to 1e-9.
#[test]
fn trades_when_rederived_from_the_fills_table_then_equal() {
    for seed in 0..20 {
        let records = random_records(seed, 5, 60);
        let fills = table(&records, RecordKind::Fills);
        let (symbols, sides) = (names(&fills, "symbol"), names(&fills, "side"));
        let (units, prices) = (values(&fills, "quantity"), values(&fills, "price"));
        let (fees, slips) = (values(&fills, "commission"), values(&fills, "slippage"));
        let reasons = words(&fills, "reason");
        // symbol -> (signed units, cost basis, fees in, slippage in)
        let mut ledger: BTreeMap<String, [f64; 4]> = BTreeMap::new();
        let mut trades = records.trades();
        for idx in 0..fills.num_rows() {
            let book = ledger.entry(symbols[idx].clone()).or_default();
            let sign = if sides[idx] == "buy" { 1.0 } else { -1.0 };
            let mut left = units[idx];
            let slip = slips[idx] * units[idx];
            if book[0] * sign < 0.0 {
                let closed = left.min(book[0].abs());
                let share = closed / book[0].abs();
                let proceeds = closed * prices[idx] * book[0].signum();
                let net =
                    proceeds - book[1] * share - book[2] * share - fees[idx] * closed / units[idx];
                let costs = (book[2] + book[3]) * share + (fees[idx] + slip) * closed / units[idx];
                let trade = trades.next().expect("a trade a reducing fill");
                assert_eq!(reasons[idx].as_deref(), Some("signal"));
                assert_eq!(trade.exit_order_id.map(|o| o.0), ids(&fills, "order_id")[idx]);
                assert_eq!(trade.entry_quantity, closed);
                assert!(close(trade.pnl_net, net), "{} {net}", trade.pnl_net);
                assert!(close(trade.total_cost, costs), "{} {costs}", trade.total_cost);
                assert_eq!(trade.status == TradeStatus::Closed, closed == book[0].abs());
                book[0] += sign * closed;
                for value in &mut book[1..] {
                    *value *= 1.0 - share;
                }
                left -= closed;
            } else {
                assert_eq!(reasons[idx], None);
            }
            if left > 0.0 {
                let share = left / units[idx];
                book[0] += sign * left;
                book[1] += sign * left * prices[idx];
                book[2] += fees[idx] * share;
                book[3] += slip * share;
            }
        }
        let open: Vec<_> = trades.collect();
        let held: Vec<_> = ledger.iter().filter(|(_, book)| book[0] != 0.0).collect();
        assert_eq!(open.len(), held.len());
        for (trade, (symbol, book)) in open.iter().zip(held) {
            assert_eq!(trade.status, TradeStatus::Open);
            assert_eq!(records.symbols().name(trade.asset), symbol);
            assert_eq!(trade.entry_quantity, book[0].abs());
            assert!(close(trade.pnl_net, trade.exit_price * book[0] - book[1] - book[2]));
        }
    }
}

/// A9, A10: closed and open results add up to the change of equity, commissions to the fee column.
#[test]
fn tables_when_summed_then_agree_with_the_account() {
    for seed in 0..20 {
        let records = random_records(seed, 4, 80);
        let portfolio = table(&records, RecordKind::Portfolio);
        let net: f64 = records.trades().map(|trade| trade.pnl_net).sum();
        let last = portfolio.num_rows() - 1;
        assert!(close(1e7 + net, values(&portfolio, "equity")[last]), "seed {seed}");
        let fills = table(&records, RecordKind::Fills);
        let fees: f64 = values(&fills, "commission").iter().sum();
        assert!(close(fees, values(&portfolio, "fees")[last]));
        let charged: f64 =
            records.trades().map(|trade| trade.entry_commission + trade.exit_commission).sum();
        assert!(close(fees, charged));
        let positions = table(&records, RecordKind::Positions);
        let open: f64 = names(&positions, "status")
            .iter()
            .zip(values(&positions, "value"))
            .filter(|(status, _)| *status == "open")
            .map(|(_, value)| value)
            .sum();
        assert!(close(open, values(&portfolio, "positions_value")[last]));
        // What a position has realised when it closes is the sum of its trades.
        let when = times(&positions, "timestamp");
        let symbols = names(&positions, "symbol");
        let realised = values(&positions, "realised");
        let rows = names(&positions, "status");
        let mut n_closed = 0;
        for idx in (0..rows.len()).filter(|&idx| rows[idx] == "closed") {
            let asset = records.symbols().id(&symbols[idx]).unwrap();
            let of_asset = || records.trades().filter(|trade| trade.asset == asset);
            let last = of_asset().filter(|t| Some(t.exit_timestamp) == when[idx]).last().unwrap();
            assert_eq!(last.status, TradeStatus::Closed);
            let parts = of_asset().filter(|trade| trade.entry_order_id == last.entry_order_id);
            let earned: f64 = parts.map(|trade| trade.pnl_net).sum();
            assert!(close(realised[idx], earned), "{} {earned}", realised[idx]);
            n_closed += 1;
        }
        assert!(n_closed > 0);
    }
}

/// A9 with every kind of cost: both pairings add up to the change of equity less flows and interest,
/// and to the same costs, in all and by symbol.
#[test]
fn trades_when_costs_are_of_every_kind_then_both_pairings_add_up_to_the_account() {
    let mut n_seen = [0; 4];
    for seed in 0..40 {
        let records = costly_records(seed, 4, 80);
        assert!(records.trades_fifo().count() > records.n_trades());
        let log = records.log();
        let last = |column: &[f64]| *column.last().expect("a run with rows");
        let (flows, interest) = (last(&log.states.flows), last(&log.states.interest));
        let earned = last(&log.states.equity) - 1e7 - flows - interest;
        let totals = records.cost_totals();
        let kinds = [totals.impact, totals.stop_slippage, totals.borrow, totals.funding.abs()];
        for (seen, kind) in n_seen.iter_mut().zip(kinds) {
            *seen += usize::from(kind > 0.0);
        }
        // By symbol: net result, all costs, and the parts of costs.
        let mut sums = [[[0.0; 7]; 4]; 2];
        let pairings: [Vec<_>; 2] = [records.trades().collect(), records.trades_fifo().collect()];
        for (sums, trades) in sums.iter_mut().zip(&pairings) {
            for trade in trades {
                let values = [
                    trade.pnl_net,
                    trade.total_cost,
                    trade.entry_commission + trade.exit_commission,
                    trade.entry_slippage + trade.exit_slippage,
                    trade.entry_impact + trade.exit_impact,
                    trade.funding,
                    trade.borrow,
                ];
                for (sum, value) in sums[trade.asset.index()].iter_mut().zip(values) {
                    *sum += value;
                }
            }
        }
        for (average, fifo) in sums[0].iter().flatten().zip(sums[1].iter().flatten()) {
            assert!(close(*fifo, *average), "seed {seed}: {fifo} {average}");
        }
        let of_all = |value: usize| sums[0].iter().map(|symbol| symbol[value]).sum::<f64>();
        assert!((of_all(0) - earned).abs() < 1e-6, "seed {seed}: {} {earned}", of_all(0));
        assert!(close(of_all(1), totals.paid()));
        assert!(close(of_all(2), totals.commission));
        assert!(close(of_all(3), totals.slippage + totals.stop_slippage));
        assert!(close(of_all(4), totals.impact));
        assert!(close(of_all(5), totals.funding));
        assert!(close(of_all(6), totals.borrow));
    }
    assert!(n_seen.iter().all(|&n| n > 30), "{n_seen:?}");
}

/// Goal: pairing first in, first out is that. Method: a naive twin that keeps every unit apart.
#[test]
fn trades_when_paired_by_single_units_then_equal() {
    for seed in 0..20 {
        let records = random_records(seed, 3, 80);
        let fills = table(&records, RecordKind::Fills);
        let symbols = names(&fills, "symbol");
        let (sides, quantities) = (names(&fills, "side"), values(&fills, "quantity"));
        let prices = values(&fills, "price");
        // Per symbol: the fill of each unit held; one entry of `pairs` a unit closed.
        let mut held: BTreeMap<String, (f64, Vec<usize>)> = BTreeMap::new();
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for idx in 0..fills.num_rows() {
            let sign = if sides[idx] == "buy" { 1.0 } else { -1.0 };
            let (side, units) = held.entry(symbols[idx].clone()).or_default();
            let mut n_left = quantities[idx];
            while n_left > 0.5 {
                if units.is_empty() || *side == sign {
                    *side = sign;
                    units.push(idx);
                } else {
                    pairs.push((units.remove(0), idx));
                }
                n_left -= 1.0;
            }
        }
        let order = |fill: usize| records.fills()[fill].order;
        let mut found = pairs.chunk_by(|a, b| a == b);
        let mut n_open = 0;
        for trade in records.trades_fifo() {
            let Some(exit) = trade.exit_order_id else {
                let symbol = records.symbols().name(trade.asset);
                let units = &held[symbol].1;
                let n_units = units.iter().filter(|&&f| order(f) == trade.entry_order_id).count();
                assert_eq!(trade.entry_quantity, n_units as f64);
                n_open += n_units;
                continue;
            };
            let units = found.next().expect("a trade a pair of fills");
            let (entry_fill, exit_fill) = units[0];
            assert_eq!(trade.entry_quantity, units.len() as f64);
            assert_eq!((trade.entry_order_id, exit), (order(entry_fill), order(exit_fill)));
            assert_eq!(trade.entry_price, prices[entry_fill]);
            assert_eq!(trade.exit_price, prices[exit_fill]);
        }
        assert!(found.next().is_none());
        assert_eq!(n_open, held.values().map(|(_, units)| units.len()).sum::<usize>());
    }
}

#[test]
fn orders_when_random_then_each_order_begins_ends_once_and_time_never_goes_back() {
    for seed in 0..20 {
        let records = random_records(seed, 5, 60);
        let batch = table(&records, RecordKind::Orders);
        let (events, orders) = (names(&batch, "event"), ids(&batch, "order_id"));
        let when = times(&batch, "timestamp");
        assert!(when.is_sorted());
        let mut stages: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
        for (event, order) in events.iter().zip(orders) {
            stages.entry(order.unwrap()).or_default().push(event);
        }
        assert_eq!(stages.len(), records.log().orders.len());
        for (order, stages) in stages {
            assert_eq!(stages[0], "submitted", "order {order}");
            let ends = ["filled", "cancelled", "rejected", "live_at_end"];
            let n_ends = stages.iter().filter(|stage| ends.contains(stage)).count();
            assert_eq!(n_ends, 1, "order {order}: {stages:?}");
            assert!(ends.contains(stages.last().unwrap()), "order {order}: {stages:?}");
        }
        let filled = ids(&batch, "fill_id");
        let filled: Vec<u32> = filled.into_iter().flatten().collect();
        assert_eq!(filled, (0..u32::try_from(records.fills().len()).unwrap()).collect::<Vec<_>>());
    }
}

#[test]
fn batches_when_cut_differently_then_the_rows_are_the_same_and_bounded() {
    let options = TableOptions {
        pairing: Pairing::Fifo,
        snapshot: Snapshot::Session,
        ..TableOptions::default()
    };
    check_cuts(&random_records(3, 6, 100));
    check_cuts(&costly_records(3, 6, 100));
    check_cuts(&costly_records(4, 6, 100).with_options(options));
}

fn check_cuts(records: &Records) {
    for kind in RecordKind::ALL {
        let whole: Vec<RecordBatch> = records.batches(kind, usize::MAX / 2).collect();
        let cut: Vec<RecordBatch> = records.batches(kind, 13).collect();
        assert!(cut.iter().all(|batch| batch.num_rows() <= 13), "{kind:?}");
        let schema = records.schema(kind);
        let cut = concat_batches(&schema, &cut).expect("one schema");
        let whole = concat_batches(&schema, &whole).expect("one schema");
        assert_eq!(whole, cut, "{kind:?}");
        assert_eq!(cut.num_rows(), records.n_rows(kind), "{kind:?}");
        for column in cut.columns().iter().filter(|c| *c.data_type() == DataType::Float64) {
            assert!(column.as_primitive::<Float64Type>().iter().flatten().all(f64::is_finite));
        }
    }
}

// ------------------------------------------------------------------ runs of the engine

/// What every table of a run must agree on, whatever was ordered under whatever terms.
fn check_run(log: RunLog) -> Result<(), TestCaseError> {
    let last = |column: &[f64]| column.last().copied().unwrap_or(0.0);
    let records = Records::new(log);
    let states = records.states();
    // Sums of sizes near the end of f64 say nothing; the account has tests of its own for them.
    prop_assume!(records.fills().iter().all(|fill| fill.quantity.abs() < 1e9));
    let start = records.initial_cash() + last(&states.flows) + last(&states.interest);
    let earned = states.equity.last().map_or(0.0, |equity| equity - start);
    let totals = records.cost_totals();
    for trades in [records.trades().collect::<Vec<_>>(), records.trades_fifo().collect()] {
        let sum = |value: fn(&Trade) -> f64| trades.iter().map(value).sum::<f64>();
        let pairs = [
            ("net", sum(|t| t.pnl_net), earned),
            ("commission", sum(|t| t.entry_commission + t.exit_commission), totals.commission),
            ("impact", sum(|t| t.entry_impact + t.exit_impact), totals.impact),
            (
                "slippage",
                sum(|t| t.entry_slippage + t.exit_slippage),
                totals.slippage + totals.stop_slippage,
            ),
            ("funding", sum(|t| t.funding), totals.funding),
            ("borrow", sum(|t| t.borrow), totals.borrow),
            ("paid", sum(|t| t.total_cost), totals.paid()),
        ];
        for (name, found, wanted) in pairs {
            prop_assert!((found - wanted).abs() < 1e-6, "{}: {} {}", name, found, wanted);
        }
    }
    let fills = table(&records, RecordKind::Fills);
    let of = |name: &str| values(&fills, name);
    let parts = of("stop_slip").into_iter().zip(of("impact")).zip(of("slippage"));
    let prices = of("base_price").into_iter().zip(of("price"));
    for (((stop, impact), slippage), (base, price)) in parts.zip(prices) {
        prop_assert!(stop >= 0.0 && impact >= 0.0);
        prop_assert!(((price - base).abs() - (stop + impact + slippage).abs()).abs() < 1e-9);
    }
    let positions = table(&records, RecordKind::Positions);
    let rows = names(&positions, "status").into_iter().zip(values(&positions, "value"));
    let held: f64 = rows.filter(|row| row.0 == "open").map(|row| row.1).sum();
    prop_assert!((held - last(&states.positions_value)).abs() < 1e-6);
    check_orders(&records)
}

/// Each order is submitted first, ends once, and only a late cancel or change follows its end.
fn check_orders(records: &Records) -> Result<(), TestCaseError> {
    let batch = table(records, RecordKind::Orders);
    let (events, orders) = (names(&batch, "event"), ids(&batch, "order_id"));
    prop_assert!(times(&batch, "timestamp").is_sorted());
    let mut stages: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (event, order) in events.iter().zip(&orders) {
        stages.entry(order.expect("an id")).or_default().push(event);
    }
    prop_assert_eq!(stages.len(), records.log().orders.len());
    for (order, stages) in stages {
        prop_assert_eq!(stages[0], "submitted", "order {}: {:?}", order, &stages);
        let ends = ["filled", "cancelled", "expired", "rejected", "live_at_end"];
        // A flip whose opening part is refused has filled before: its refusal and its end are two.
        let n_ends = stages.iter().filter(|stage| ends.contains(stage)).count();
        let is_split = stages.contains(&"rejected") && stages.contains(&"cancelled");
        // What waits for its parent stays held.
        let is_held = records.log().orders[order as usize].status == OrderStatus::Held;
        let n_wanted = if is_held { 0 } else { 1 + usize::from(is_split) };
        prop_assert_eq!(n_ends, n_wanted, "order {}: {:?}", order, &stages);
        let last = stages.iter().rfind(|stage| **stage != "too_late").expect("a stage");
        prop_assert!(is_held || ends.contains(last), "order {}: {:?}", order, stages);
    }
    let filled: Vec<u32> = ids(&batch, "fill_id").into_iter().flatten().collect();
    let n_fills = u32::try_from(records.fills().len()).expect("a small run");
    prop_assert_eq!(filled, (0..n_fills).collect::<Vec<_>>());
    // A quantity that is no number is missing, and was refused.
    let quantities = numbers(&batch, "quantity").into_iter().map(|units| units.unwrap_or(0.0));
    for (filled, quantity) in values(&batch, "filled_quantity").into_iter().zip(quantities) {
        prop_assert!(filled <= quantity + 1e-9, "filled {} of {}", filled, quantity);
    }
    Ok(())
}

proptest! {
    #![proptest_config(draws(2_000))]

    /// Orders of every kind under random terms: costs, margins, funding, flows, rules, limits.
    #[test]
    fn tables_when_the_engine_ran_at_random_then_agree(
        (market, acts, config) in (1_u32..=3).prop_flat_map(|n| {
            (market_of(n), script(n), config())
        })
    ) {
        let mut script = Script::default();
        script.acts.extend(acts);
        let log = run(&mut market.feed(4), &mut script, &config, &mut |_| Flow::Continue);
        // Terms may say that the run stops.
        check_run(log.unwrap_or_default())?;
    }
}
