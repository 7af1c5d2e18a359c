//! The value rules of a row, on every row: one branch-free pass, then a slow look where it fails.

#![expect(clippy::needless_bitwise_bool, reason = "loops without branches vectorise")]

use arrow::buffer::ScalarBuffer;

use super::block::Block;
use super::cast::NAMELESS;
use super::lane::ReadFacts;
use super::ledger::{Ledger, Rule};
use super::names::{BAR_COLUMNS, canonical};
use super::options::{CheckLevel, OnBadRow};
use super::plan::Table;
use super::report::Severity;

const N_PRICES: usize = 4;
/// Columns that cannot be negative.
const AMOUNTS: [&str; 6] =
    ["notional", "n_trades", "n_buys", "n_sells", "buy_volume", "sell_volume"];
/// No market quotes prices outside these; such numbers are damage, and their products overflow.
const PRICE_MIN: f64 = 1e-15;
const PRICE_MAX: f64 = 1e15;
const VOLUME_MAX: f64 = 1e18;
/// Rounding of prices that were computed, as in adjusted data: two steps of an f64.
const ROUNDING: f64 = 2.0 * f64::EPSILON;
const FIX: &str = "correct the rows at their source, or set on_bad_row: drop or null";
const FIX_SIGN: &str = "correct the rows at their source, or set on_bad_row: drop or null; for \
                        spreads and futures that may trade below 0, allow_negative";

/// Checks a block and applies `on_bad_row`; rows keep their order.
pub(crate) fn rows(block: Block, facts: &ReadFacts, ledger: &mut Ledger) -> Block {
    let has_names = block.assets.iter().fold(true, |ok, asset| ok & (*asset < NAMELESS));
    let n_fixed = if facts.table == Table::Bars { BAR_COLUMNS.len() } else { 0 };
    let has_volume = facts.files[block.file as usize].has_volume;
    let bars_are_good = n_fixed == 0 || {
        let [open, high, low, close, volume] = prices(&block);
        are_good_bars(open, high, low, close, least_price(facts))
            && (!has_volume || are_good_volumes(volume))
    };
    let n_named = facts.names.len();
    let extras_are_good =
        block.columns[n_fixed..n_named].iter().all(|column| are_not_infinite(column));
    let amounts = if n_fixed == 0 { Vec::new() } else { amounts(facts) };
    let amounts_are_good = amounts.iter().all(|c| are_not_negative(&block.columns[*c]));
    if has_names && bars_are_good && extras_are_good && amounts_are_good {
        return block;
    }
    let sample = &facts.files[block.file as usize].sample;
    let is_checked = |i: usize| {
        let row = block.row(i) - 1;
        facts.level != CheckLevel::Fast
            || sample.iter().any(|(first, end)| (*first..*end).contains(&row))
    };
    let mut bad = Vec::new();
    let mut broken = Broken::default();
    for i in 0..block.len() {
        broken.clear();
        check_name(&block, i, facts, ledger, &mut broken);
        if broken.row || !is_checked(i) {
            if broken.row {
                bad.push((u32::try_from(i).expect("a block has fewer rows"), broken.clone()));
            }
            continue;
        }
        if n_fixed > 0 {
            check_bar(&block, i, has_volume, facts, ledger, &mut broken);
        }
        for &c in amounts.iter().filter(|c| block.columns[**c][i] < 0.0) {
            negative(&block, i, c, facts, ledger);
            broken.columns.push(c);
        }
        for c in n_fixed..n_named {
            if block.columns[c][i].is_infinite() {
                infinite(&block, i, c, facts, ledger);
                broken.columns.push(c);
            }
        }
        if !broken.columns.is_empty() {
            bad.push((u32::try_from(i).expect("a block has fewer than 2^32 rows"), broken.clone()));
        }
    }
    ledger.n_error_rows += bad.len() as u64;
    repair(block, facts.on_bad_row, &bad, ledger)
}

/// What is wrong with a row: columns to make missing, or the row as a whole.
#[derive(Debug, Clone, Default)]
struct Broken {
    columns: Vec<usize>,
    row: bool,
}

impl Broken {
    fn clear(&mut self) {
        self.columns.clear();
        self.row = false;
    }
}

fn repair(block: Block, on_bad_row: OnBadRow, bad: &[(u32, Broken)], ledger: &mut Ledger) -> Block {
    match on_bad_row {
        _ if bad.is_empty() => block,
        // Rows without a symbol belong to no one; the read fails anyway.
        OnBadRow::Error => without(&block, bad, |broken| broken.row),
        OnBadRow::Drop => {
            ledger.repairs.dropped_rows += bad.len() as u64;
            without(&block, bad, |_| true)
        }
        OnBadRow::Null => {
            let mut columns: Vec<Vec<f64>> = block.columns.iter().map(|c| c.to_vec()).collect();
            for (i, broken) in bad {
                for &c in &broken.columns {
                    columns[c][*i as usize] = f64::NAN;
                }
            }
            let nameless = bad.iter().filter(|(_, b)| b.row).count() as u64;
            ledger.repairs.nulled_rows += bad.len() as u64 - nameless;
            ledger.repairs.dropped_rows += nameless;
            let columns = columns.into_iter().map(ScalarBuffer::from).collect();
            let block = Block { columns, ..block };
            if nameless == 0 {
                return block;
            }
            without(&block, bad, |broken| broken.row)
        }
    }
}

/// The block without the rows for which `is_gone` holds.
fn without(block: &Block, bad: &[(u32, Broken)], is_gone: impl Fn(&Broken) -> bool) -> Block {
    let n = u32::try_from(block.len()).expect("a block has fewer than 2^32 rows");
    let mut gone = bad.iter().filter(|(_, b)| is_gone(b)).map(|(i, _)| *i).peekable();
    let keep: Vec<u32> = (0..n).filter(|i| gone.next_if_eq(i).is_none()).collect();
    block.take(&keep)
}

fn prices(block: &Block) -> [&[f64]; 5] {
    [0, 1, 2, 3, 4].map(|c| &block.columns[c][..])
}

fn least_price(facts: &ReadFacts) -> f64 {
    if facts.allow_negative { -PRICE_MAX } else { PRICE_MIN }
}

/// All prices in range, low <= open, close <= high. NaN fails every comparison.
fn are_good_bars(open: &[f64], high: &[f64], low: &[f64], close: &[f64], least: f64) -> bool {
    let n = open.len();
    let (high, low, close) = (&high[..n], &low[..n], &close[..n]);
    let mut ok = true;
    for i in 0..n {
        ok &= (low[i] >= least)
            & (low[i] <= open[i])
            & (low[i] <= close[i])
            & (open[i] <= high[i])
            & (close[i] <= high[i])
            & (high[i] <= PRICE_MAX);
    }
    ok
}

fn are_good_volumes(volume: &[f64]) -> bool {
    volume.iter().fold(true, |ok, v| ok & (*v >= 0.0) & (*v <= VOLUME_MAX))
}

fn are_not_infinite(column: &[f64]) -> bool {
    column.iter().fold(true, |ok, v| ok & (v.abs() != f64::INFINITY))
}

/// Error findings become warnings when the rows are repaired.
fn severity(facts: &ReadFacts) -> Severity {
    match facts.on_bad_row {
        OnBadRow::Error => Severity::Error,
        OnBadRow::Drop | OnBadRow::Null => Severity::Warning,
    }
}

fn check_name(
    block: &Block,
    i: usize,
    facts: &ReadFacts,
    ledger: &mut Ledger,
    broken: &mut Broken,
) {
    if block.assets[i] >= NAMELESS {
        broken.row = true;
        let rule = Rule {
            severity: severity(facts),
            code: "D401",
            column: "symbol",
            message: "rows without a symbol",
            fix: FIX,
        };
        ledger.row(&rule, "", block.place(i), || {
            facts.offender(block, i, "symbol missing".into(), "every row has a symbol")
        });
    }
}

fn check_bar(
    block: &Block,
    i: usize,
    has_volume: bool,
    facts: &ReadFacts,
    ledger: &mut Ledger,
    broken: &mut Broken,
) {
    let [open, high, low, close, volume] = prices(block).map(|column| column[i]);
    let symbol = facts.symbol(block.assets[i]);
    let mut found = |code, column: &str, message, values: String, rule: &str, fix| {
        let finding = Rule { severity: severity(facts), code, column, message, fix };
        let place = block.place(i);
        ledger.row(&finding, symbol, place, || facts.offender(block, i, values, rule));
    };
    let before = broken.columns.len();
    let named = |test: &dyn Fn(f64) -> bool| {
        let all = [open, high, low, close];
        let hit: Vec<String> = (0..N_PRICES)
            .filter(|c| test(all[*c]))
            .map(|c| format!("{} {}", BAR_COLUMNS[c], all[c]))
            .collect();
        (!hit.is_empty()).then(|| hit.join(", "))
    };
    if let Some(values) = named(&f64::is_nan) {
        let values = values.replace(" NaN", " missing");
        found(
            "D201",
            "open, high, low, close",
            "prices are missing",
            values,
            "every row has all four prices",
            FIX,
        );
        broken.columns.extend(0..N_PRICES);
    }
    let any_sign = facts.allow_negative;
    let is_out = |v: f64| {
        v > PRICE_MAX
            || v == f64::NEG_INFINITY
            || if any_sign { v < -PRICE_MAX } else { v > 0.0 && v < PRICE_MIN }
    };
    if let Some(values) = named(&is_out) {
        found(
            "D202",
            "open, high, low, close",
            "prices are infinite or out of range",
            values,
            if any_sign { "prices lie in -1e15..1e15" } else { "prices lie in 1e-15..1e15" },
            FIX,
        );
        broken.columns.extend(0..N_PRICES);
    }
    if let Some(values) = named(&|v| v <= 0.0 && !any_sign) {
        let rule = "prices are above 0";
        found("D203", "open, high, low, close", "prices are not above 0", values, rule, FIX_SIGN);
        broken.columns.extend(0..N_PRICES);
    }
    if rounded_up(high) < open.max(low).max(close) || low > rounded_up(open.min(close)) {
        let values = format!("open {open}, high {high}, low {low}, close {close}");
        let fault = order_fault(open, high, low, close);
        found(
            "D204",
            "open, high, low, close",
            "prices out of order",
            format!("{values}: {fault}"),
            "low <= open, close <= high",
            FIX,
        );
        broken.columns.extend(0..N_PRICES);
    }
    if broken.columns.len() > before {
        broken.columns.truncate(before);
        broken.columns.extend(0..N_PRICES);
    }
    if !has_volume {
        return;
    }
    if volume < 0.0 {
        let values = format!("volume {volume}");
        found("D205", "volume", "volumes below 0", values, "volumes are at least 0", FIX);
        broken.columns.push(N_PRICES);
    } else if volume > VOLUME_MAX {
        let values = format!("volume {volume}");
        found(
            "D202",
            "volume",
            "volumes are infinite or out of range",
            values,
            "volumes are at most 1e18",
            FIX,
        );
        broken.columns.push(N_PRICES);
    } else if volume.is_nan() {
        let finding = Rule {
            severity: Severity::Warning,
            code: "D201",
            column: "volume",
            message: "volumes are missing",
            fix: "rules that use volume see a missing value there",
        };
        ledger.row(&finding, symbol, block.place(i), || {
            facts.offender(block, i, "volume missing".into(), "every volume is given")
        });
    }
}

/// A price, moved up by what rounding may have taken.
fn rounded_up(price: f64) -> f64 {
    price + price.abs() * ROUNDING
}

fn order_fault(open: f64, high: f64, low: f64, close: f64) -> String {
    if high < low {
        return format!("high {high} is below low {low}");
    }
    for (name, value) in [("open", open), ("close", close)] {
        if high < value {
            return format!("high {high} is below {name} {value}");
        }
        if low > value {
            return format!("low {low} is above {name} {value}");
        }
    }
    String::new()
}

fn infinite(block: &Block, i: usize, c: usize, facts: &ReadFacts, ledger: &mut Ledger) {
    let code = match facts.table {
        Table::Bars => "D202",
        Table::Signals => "D602",
        Table::Context => "D603",
    };
    let rule = Rule {
        severity: severity(facts),
        code,
        column: &facts.names[c],
        message: "values are infinite",
        fix: FIX,
    };
    ledger.row(&rule, facts.symbol(block.assets[i]), block.place(i), || {
        let values = format!("{} {}", facts.names[c], block.columns[c][i]);
        facts.offender(block, i, values, "values are finite or missing")
    });
}

/// The columns of bars that count or sum, besides volume.
fn amounts(facts: &ReadFacts) -> Vec<usize> {
    let is_amount = |name: &String| AMOUNTS.contains(&canonical(name).as_str());
    (BAR_COLUMNS.len()..facts.names.len()).filter(|c| is_amount(&facts.names[*c])).collect()
}

fn are_not_negative(column: &[f64]) -> bool {
    column.iter().fold(true, |ok, v| ok & ((*v >= 0.0) | v.is_nan()))
}

fn negative(block: &Block, i: usize, c: usize, facts: &ReadFacts, ledger: &mut Ledger) {
    let rule = Rule {
        severity: severity(facts),
        code: "D205",
        column: &facts.names[c],
        message: "counts or sums below 0",
        fix: FIX,
    };
    ledger.row(&rule, facts.symbol(block.assets[i]), block.place(i), || {
        let values = format!("{} {}", facts.names[c], block.columns[c][i]);
        facts.offender(block, i, values, "counts and sums are at least 0")
    });
}
