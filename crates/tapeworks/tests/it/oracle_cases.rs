//! The shared single cases: what ml4t-backtest 0.2.0 did with hand-made rows, replayed by us.
//!
//! A case is equal when fills, trades, the ends of its orders and the account after every row are:
//! counts, symbols, sides, bars and statuses exactly, numbers to 1e-9 of themselves.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;

use serde_json::Value;
use tapeworks::base::{AssetId, Result};
use tapeworks::broker::{AfterRuleExit, CancelReason, OrderKind, OrderStatus, Semantics};
use tapeworks::engine::{
    ClosedLot, Distance, EngineConfig, ExitPrice, Flow, OrderRequest, RunLog, Size, Slice,
    Strategy, Trader, run,
};

use crate::market::{Market, Row, bar_of};
use crate::oracle_config::{config_of, folder, number, read, semantics_of};

/// Cases that a default refuses on purpose, each with what makes it pass.
const REFUSED: &[(&str, &str)] = &[];

/// Every value that the comparison looks at, by the place where it stands.
type Facts = Vec<(String, Fact)>;

#[derive(Debug, Clone, PartialEq)]
enum Fact {
    Number(f64),
    Text(String),
}

/// The rows of a case, ids by the order of names. A context that the strategy sets in its callback
/// of bar k is a column from bar k + `context_delay` on.
pub fn market_of(case: &Value, context_delay: usize) -> Market {
    let mut symbols: Vec<String> = case["prices"].as_object().unwrap().keys().cloned().collect();
    symbols.sort();
    let contexts: Vec<&Value> =
        case["ops"].as_array().unwrap().iter().filter(|op| op["op"] == "ctx").collect();
    let mut signals: Vec<String> =
        contexts.iter().flat_map(|op| op["ctx"].as_object().unwrap().keys().cloned()).collect();
    signals.sort();
    signals.dedup();
    let mut rows = Vec::new();
    for (asset, symbol) in (0..).zip(&symbols) {
        for (bar, prices) in case["prices"][symbol].as_array().unwrap().iter().enumerate() {
            let Some(prices) = prices.as_array() else { continue };
            let price = |idx: usize| prices[idx].as_f64().unwrap();
            let value = |name: &String| {
                let said = contexts.iter().filter(|op| {
                    bar_of_op(op) + context_delay <= bar && asset_name(op) == symbol.as_str()
                });
                said.filter_map(|op| op["ctx"][name].as_f64()).next_back().unwrap_or(f64::NAN)
            };
            rows.push(Row {
                bar,
                asset,
                ohlc: [price(0), price(1), price(2), price(3)],
                volume: prices.get(4).map_or(1e6, |volume| volume.as_f64().unwrap()),
                signals: signals.iter().map(value).collect(),
            });
        }
    }
    rows.sort_by_key(|row| (row.bar, row.asset));
    Market { symbols, signals, rows, actions: None }
}

fn bar_of_op(op: &Value) -> usize {
    usize::try_from(op["bar"].as_u64().unwrap()).unwrap()
}

fn asset_name(op: &Value) -> &str {
    op["asset"].as_str().unwrap_or("A")
}

/// The strategy of a case: its list of acts.
pub struct Script {
    ops: Vec<Value>,
    fractional: bool,
}

impl Script {
    pub fn of(case: &Value) -> Self {
        let share_type = &case["resolved_config"]["position_sizing"]["share_type"];
        let ops = case["ops"].as_array().unwrap().clone();
        Self { ops, fractional: share_type == "fractional" }
    }
}

impl Strategy for Script {
    fn on_data(&mut self, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
        let bar = bar_of(slice.timestamp());
        for op in self.ops.iter().filter(|op| bar_of_op(op) == bar) {
            perform(op, self.fractional, slice, trader)?;
        }
        Ok(())
    }
}

fn perform(op: &Value, fractional: bool, slice: &Slice<'_>, trader: &mut Trader) -> Result<()> {
    let id = |trader: &Trader, name: &str| trader.symbols().id(name).expect("a symbol of the case");
    let asset = id(trader, asset_name(op));
    let price = |key: &str| op[key].as_f64();
    match op["op"].as_str().unwrap() {
        "submit" => {
            trader.submit(&request(asset, op))?;
        }
        "bracket" => {
            let order = OrderRequest {
                limit: price("entry_limit"),
                stop_loss: price("sl").map(ExitPrice::Price),
                take_profit: price("tp").map(ExitPrice::Price),
                ..OrderRequest::market(asset, number(op, "qty"))
            };
            trader.submit(&order)?;
        }
        "close" if trader.quantity(asset) != 0.0 => {
            trader.close(asset, 1.0);
        }
        "close_always" => {
            trader.close(asset, 1.0);
        }
        "reduce" if trader.quantity(asset) != 0.0 => {
            trader.close(asset, number(op, "fraction"));
        }
        "close" | "reduce" | "ctx" => {}
        "target_pct" => {
            trader.target_percent(asset, number(op, "pct"));
        }
        "weights" => {
            let weights = op["w"].as_object().unwrap().iter();
            let weights: Vec<(AssetId, f64)> =
                weights.map(|(name, w)| (id(trader, name), w.as_f64().unwrap())).collect();
            trader.rebalance(&weights);
        }
        "executor" => execute_weights(op, fractional, slice, trader)?,
        "cancel_all" => cancel_all(trader),
        other => panic!("no act {other}"),
    }
    Ok(())
}

fn request(asset: AssetId, op: &Value) -> OrderRequest {
    let quantity = number(op, "qty");
    let price = |key: &str| number(op, key);
    match op["type"].as_str().unwrap_or("market") {
        "market" => OrderRequest::market(asset, quantity),
        "moc" => OrderRequest::on_close(asset, quantity),
        "limit" => OrderRequest::limit(asset, quantity, price("limit")),
        "stop" => OrderRequest::stop(asset, quantity, price("stop")),
        "stop_limit" => OrderRequest::stop_limit(asset, quantity, price("stop"), price("limit")),
        "trailing_stop" => {
            OrderRequest::trailing(asset, quantity, Distance::Amount(price("trail")))
        }
        other => panic!("no order type {other}"),
    }
}

fn cancel_all(trader: &mut Trader) {
    for order in trader.open_orders() {
        trader.cancel(order);
    }
}

/// The package's target-weight executor with its defaults: nothing may be pending, no shorts,
/// differences in weight to the nearest whole unit, reductions first.
fn execute_weights(
    op: &Value,
    fractional: bool,
    slice: &Slice<'_>,
    trader: &mut Trader,
) -> Result<()> {
    cancel_all(trader);
    let equity = trader.equity();
    let mut changes = Vec::new();
    for (name, weight) in op["w"].as_object().unwrap() {
        let asset = trader.symbols().id(name).expect("a symbol of the case");
        let Some(row) = slice.row_of(asset) else { continue };
        let close = slice.close()[row];
        let held = trader.quantity(asset) * close / equity;
        let value = equity * (weight.as_f64().unwrap().clamp(0.0, 1.0) - held);
        let units = if fractional {
            value / close
        } else {
            (value.abs() / close + 0.5).floor().copysign(value)
        };
        changes.push((asset, units));
    }
    let named: Vec<AssetId> =
        op["w"].as_object().unwrap().keys().filter_map(|name| trader.symbols().id(name)).collect();
    let send = |trader: &mut Trader, asset, units: f64| {
        if units == 0.0 {
            return Ok(());
        }
        let order = OrderRequest::market(asset, units);
        trader.submit(&OrderRequest { size: Size::Quantity(units), ..order }).map(|_| ())
    };
    for &(asset, units) in changes.iter().filter(|change| change.1 < 0.0) {
        send(trader, asset, units)?;
    }
    let held: Vec<AssetId> = trader.held().iter().map(|&asset| AssetId(asset)).collect();
    for asset in held.into_iter().filter(|asset| !named.contains(asset)) {
        trader.close(asset, 1.0);
    }
    for &(asset, units) in changes.iter().filter(|change| change.1 > 0.0) {
        send(trader, asset, units)?;
    }
    Ok(())
}

/// Runs a case under given terms.
pub fn replay(case: &Value, config: &EngineConfig, context_delay: usize) -> Result<RunLog> {
    let market = market_of(case, context_delay);
    run(&mut market.feed(2), &mut Script::of(case), config, &mut |_| Flow::Continue)
}

// ------------------------------------------------------------------ what was expected

fn expected_facts(expected: &Value) -> Facts {
    let mut facts = Facts::new();
    let mut put = |place: &str, row: &Value, numbers: &[&str], texts: &[&str]| {
        for key in texts {
            let value = row[*key].as_str().unwrap_or("").to_owned();
            facts.push((format!("{place}.{key}"), Fact::Text(value)));
        }
        for key in numbers {
            facts.push((format!("{place}.{key}"), Fact::Number(row[*key].as_f64().unwrap())));
        }
    };
    let array = |key: &str| expected[key].as_array().unwrap();
    for (i, fill) in array("fills").iter().enumerate() {
        let numbers = ["bar", "qty", "price", "commission", "slippage"];
        put(&format!("fills[{i}]"), fill, &numbers, &["asset", "side"]);
    }
    let mut trades: Vec<&Value> = array("trades").iter().collect();
    trades.sort_by_key(|trade| {
        let is_open = trade["status"] == "open";
        (is_open, is_open.then(|| trade["asset"].as_str().unwrap().to_owned()))
    });
    for (i, trade) in trades.into_iter().enumerate() {
        let numbers = [
            "entry_bar",
            "exit_bar",
            "entry",
            "exit",
            "qty",
            "pnl",
            "pnl_pct",
            "fees",
            "bars_held",
            "mfe",
            "mae",
        ];
        put(&format!("trades[{i}]"), trade, &numbers, &["asset", "status"]);
    }
    let mut orders: Vec<String> = array("orders").iter().map(expected_order).collect();
    orders.sort();
    for (i, order) in orders.into_iter().enumerate() {
        facts.push((format!("orders[{i}]"), Fact::Text(order)));
    }
    for key in ["npos", "cash", "equity", "gross", "net"] {
        for (bar, value) in array(key).iter().enumerate() {
            facts.push((format!("{key}[{bar}]"), Fact::Number(value.as_f64().unwrap())));
        }
    }
    facts.push(("final_value".into(), Fact::Number(number(expected, "final_value"))));
    facts
}

fn expected_order(order: &Value) -> String {
    let word = |key: &str| order[key].as_str().unwrap_or("");
    let kind = if word("type") == "moc" { "market_on_close" } else { word("type") };
    let status = if word("status") == "pending" { "live_at_end" } else { word("status") };
    let code = match word("code") {
        "quantity_rounds_to_zero" => "quantity_zero",
        "insufficient_buying_power" => "insufficient_margin",
        "account_restriction" => "short_not_allowed",
        "price_unavailable" => "not_listed",
        other => other,
    };
    format!("{} {} {kind} {status} {code}", word("asset"), word("side"))
}

// ------------------------------------------------------------------ what we did

fn facts_of(log: &RunLog, blocks: bool) -> Facts {
    let mut facts = Facts::new();
    let mut text = |place: String, value: &str| facts.push((place, Fact::Text(value.to_owned())));
    let mut numbers: Facts = Facts::new();
    let mut number = |place: String, value: f64| numbers.push((place, Fact::Number(value)));
    for (i, fill) in log.fills.iter().enumerate() {
        let place = |key: &str| format!("fills[{i}].{key}");
        let costs = log.fill_costs.iter().find(|cost| cost.fill as usize == i);
        let before = costs.map_or(0.0, |cost| cost.stop_slip + cost.impact);
        text(place("asset"), log.symbols.name(fill.asset));
        text(place("side"), side(fill.quantity));
        number(place("bar"), bar_of(fill.timestamp) as f64);
        number(place("qty"), fill.quantity.abs());
        number(place("price"), fill.price);
        number(place("commission"), fill.commission);
        number(place("slippage"), (fill.price - fill.base_price).abs() - before);
    }
    for (i, lot) in log.lots.iter().enumerate() {
        let entry = &log.fills[lot.entry_fill as usize];
        let place = |key: &str| format!("trades[{i}].{key}");
        text(place("asset"), log.symbols.name(entry.asset));
        text(place("status"), status_of(lot));
        for (key, value) in trade_numbers(log, lot, entry.timestamp) {
            number(place(key), value);
        }
    }
    let mut orders: Vec<String> =
        log.orders.iter().filter_map(|order| order_text(log, order, blocks)).collect();
    orders.sort();
    for (i, order) in orders.iter().enumerate() {
        text(format!("orders[{i}]"), order);
    }
    let states = &log.states;
    for bar in 0..states.timestamp.len() {
        number(format!("npos[{bar}]"), f64::from(states.n_positions[bar]));
        number(format!("cash[{bar}]"), states.cash[bar]);
        number(format!("equity[{bar}]"), states.equity[bar]);
        number(format!("gross[{bar}]"), states.gross_exposure[bar]);
        number(format!("net[{bar}]"), states.positions_value[bar]);
    }
    number("final_value".into(), *states.equity.last().unwrap());
    facts.extend(numbers);
    facts
}

fn side(quantity: f64) -> &'static str {
    if quantity.is_sign_positive() { "buy" } else { "sell" }
}

fn status_of(lot: &ClosedLot) -> &'static str {
    match lot.exit_fill {
        None => "open",
        Some(_) if lot.closes_position => "closed",
        Some(_) => "partial",
    }
}

fn trade_numbers(log: &RunLog, lot: &ClosedLot, entered: i64) -> Vec<(&'static str, f64)> {
    let asset = log.fills[lot.entry_fill as usize].asset;
    let multiplier = log.instruments.of(asset).multiplier;
    let fees = lot.entry_commission + lot.exit_commission;
    let units = lot.quantity * lot.side;
    let gross = (lot.exit_price * units - lot.entry_price * units) * multiplier;
    let gain = |price: f64| lot.side * (price - lot.entry_price) / lot.entry_price;
    vec![
        ("entry_bar", bar_of(entered) as f64),
        ("exit_bar", bar_of(lot.exit_timestamp) as f64),
        ("entry", lot.entry_price),
        ("exit", lot.exit_price),
        ("qty", units),
        ("pnl", gross - fees),
        ("pnl_pct", gain(lot.exit_price)),
        ("fees", fees),
        ("bars_held", f64::from(lot.bars_held)),
        ("mfe", gain(lot.best)),
        ("mae", gain(lot.worst)),
    ]
}

/// One order as a line; nothing for an order that the peer never made.
fn order_text(log: &RunLog, order: &tapeworks::engine::OrderRow, blocks: bool) -> Option<String> {
    let code = match order.status {
        OrderStatus::Cancelled(CancelReason::AfterRuleExit) if blocks => return None,
        OrderStatus::Rejected(code) => code.as_str(),
        _ => "",
    };
    let status = match order.status {
        OrderStatus::Live | OrderStatus::Held => "live_at_end",
        status => status.as_str(),
    };
    let kind = match order.kind {
        OrderKind::Trailing => "trailing_stop",
        kind => kind.as_str(),
    };
    Some(format!(
        "{} {} {kind} {status} {code}",
        log.symbols.name(order.asset),
        side(order.quantity)
    ))
}

// ------------------------------------------------------------------ comparison

/// Whether two numbers are equal as the contract says.
pub fn near(got: f64, want: f64) -> bool {
    (got - want).abs() <= (1e-9 * want.abs()).max(1e-10)
}

fn same(got: &Fact, want: &Fact) -> bool {
    match (got, want) {
        (Fact::Number(got), Fact::Number(want)) => near(*got, *want),
        (got, want) => got == want,
    }
}

/// The first place where two sets of facts differ; fills first, for they say where it began.
fn difference(got: &Facts, want: &Facts) -> Option<String> {
    let find = |facts: &Facts, place: &str| {
        facts.iter().find(|fact| fact.0 == place).map(|fact| fact.1.clone())
    };
    let rank = |place: &str| {
        let order = ["fills", "trades", "orders", "npos"];
        order.iter().position(|name| place.starts_with(name)).unwrap_or(order.len())
    };
    let mut places: Vec<(usize, usize, &String)> = Vec::new();
    for (idx, (place, _)) in want.iter().chain(got).enumerate() {
        places.push((rank(place), idx, place));
    }
    places.sort();
    places.into_iter().find_map(|(_, _, place)| {
        let (got, want) = (find(got, place), find(want, place));
        match (&got, &want) {
            (Some(got), Some(want)) if same(got, want) => None,
            _ => Some(format!("{place}: got {got:?}, want {want:?}")),
        }
    })
}

fn outcome(case: &Value) -> Option<String> {
    let Ok(config) = std::panic::catch_unwind(|| config_of(case)) else {
        return Some("no terms".into());
    };
    let blocks = config.semantics.after_rule_exit == AfterRuleExit::Blocked;
    let log = match std::panic::catch_unwind(AssertUnwindSafe(|| replay(case, &config, 0))) {
        Ok(Ok(log)) => log,
        Ok(Err(error)) => return Some(format!("refused: {error}")),
        Err(_) => return Some("panicked".into()),
    };
    let facts = facts_of(&log, blocks);
    difference(&facts, &expected_facts(&case["expected"]))
}

/// Every single case under the semantics that its engine resolved.
#[test]
fn cases_of_ml4t_when_replayed_then_equal() {
    let Some(folder) = folder() else { return };
    let index = read(&folder, "INDEX.json");
    let mut groups: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut failures = String::new();
    for row in index.as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        let case = read(&folder, row["file"].as_str().unwrap());
        let group = groups.entry(row["group"].as_str().unwrap().to_owned()).or_default();
        group.0 += 1;
        let refused = REFUSED.iter().any(|(refused, _)| *refused == id);
        match outcome(&case) {
            None => group.1 += 1,
            Some(_) if refused => {}
            Some(difference) => writeln!(failures, "  {id}: {difference}").unwrap(),
        }
    }
    eprintln!("{:34} {:>5} {:>6}", "group", "cases", "passed");
    for (group, (cases, passed)) in &groups {
        eprintln!("{group:34} {cases:5} {passed:6}");
    }
    let total = groups.values().fold((0, 0), |sum, group| (sum.0 + group.0, sum.1 + group.1));
    eprintln!("{:34} {:5} {:6}", "all", total.0, total.1);
    for (id, reason) in REFUSED {
        eprintln!("refused on purpose: {id}: {reason}");
    }
    assert!(failures.is_empty(), "differences:\n{failures}");
}

/// The constant of a preset is what its resolved config says, knob by knob.
#[test]
fn constant_when_its_preset_is_resolved_then_the_same_knobs() {
    let Some(folder) = folder() else { return };
    let index = read(&folder, "INDEX.json");
    let mut seen = 0;
    for row in index.as_array().unwrap() {
        let Some(preset) = row["preset"].as_str() else { continue };
        let case = read(&folder, row["file"].as_str().unwrap());
        let touched = case["config_overrides"].as_object().unwrap();
        if touched.keys().any(|section| section != "cash") {
            continue;
        }
        let constant = Semantics::by_name(&format!("ml4t_{preset}")).expect(preset);
        let mapped = semantics_of(&case["resolved_config"]);
        assert_eq!(Semantics { name: constant.name, ..mapped }, constant, "{preset}");
        seen += 1;
    }
    assert!(seen >= 20, "{seen} presets were compared");
}
