//! Jumps of the close that stay (`D207`) and spikes that come back (`D206`).

use rustc_hash::FxHashMap;

use super::super::lane::ReadFacts;
use super::super::ledger::{Ledger, Place, Rule};
use super::super::merge::Rows;
use super::super::report::{Offender, Severity};
use super::median::LastValues;
use crate::base::{Date, Timestamp};

/// A close that moved by less than this is not looked at any further.
const LOOK: f64 = 1.1;
/// exp(0.4) and its inverse: closes that move by more in one row are jumps.
const RISE: f64 = 1.491_824_697_641_270_3;
const FALL: f64 = 0.670_320_046_035_639_3;
/// The split ratio that lies within the moves above.
const SMALL_SPLIT: f64 = 1.5;
const SPLIT_TOLERANCE: f64 = 0.02;
/// Closes before a row that a spike is measured against, and how many there have to be.
const MEDIAN_ROWS: usize = 11;
const MEDIAN_FROM: usize = 5;
/// How far off the median a spike is, and how near the rows after it come.
const SPIKE: f64 = 0.2;
const BACK: f64 = 0.1;
const BACK_ROWS: u8 = 2;
const CLOSE: usize = 3;
const VOLUME: usize = 4;

/// The last closes of a symbol.
#[derive(Debug, Clone, Copy)]
struct Past {
    last: f64,
    volume: f64,
    /// Rows left in which a spike may come back; 0 when none is open.
    open_rows: u8,
    closes: LastValues<MEDIAN_ROWS>,
}

/// A row that may turn out to be a spike.
#[derive(Debug)]
struct Candidate {
    place: Place,
    offender: Offender,
    median: f64,
}

/// Closes of each symbol against the ones before.
#[derive(Debug)]
pub(super) struct Prices {
    past: Vec<Past>,
    open: FxHashMap<u32, Candidate>,
}

impl Prices {
    pub(super) fn new(n_symbols: usize) -> Self {
        let nothing =
            Past { last: f64::NAN, volume: f64::NAN, open_rows: 0, closes: LastValues::EMPTY };
        Self { past: vec![nothing; n_symbols], open: FxHashMap::default() }
    }

    pub(super) fn push(&mut self, rows: &Rows, facts: &ReadFacts, ledger: &mut Ledger) {
        let n = rows.len();
        let (assets, close) = (&rows.assets[..n], &rows.columns[CLOSE][..n]);
        let volume = &rows.columns[VOLUME][..n];
        for i in 0..n {
            let price = close[i];
            let past = &mut self.past[assets[i] as usize];
            let moved = price > past.last * LOOK || price * LOOK < past.last;
            if moved || past.open_rows > 0 {
                look(past, &mut self.open, rows, i, moved, facts, ledger);
            }
            if price > 0.0 {
                past.last = price;
                past.volume = volume[i];
                past.closes.push(price);
            }
        }
    }
}

#[cold]
fn look(
    past: &mut Past,
    open: &mut FxHashMap<u32, Candidate>,
    rows: &Rows,
    i: usize,
    moved: bool,
    facts: &ReadFacts,
    ledger: &mut Ledger,
) {
    let (asset, price) = (rows.assets[i], rows.columns[CLOSE][i]);
    let symbol = facts.symbol(asset);
    if past.open_rows > 0 && price > 0.0 {
        past.open_rows -= 1;
        let is_back = open.get(&asset).is_some_and(|c| (price / c.median - 1.0).abs() <= BACK);
        if is_back || past.open_rows == 0 {
            past.open_rows = 0;
            if let Some(spike) = open.remove(&asset).filter(|_| is_back) {
                ledger.row(&SPIKE_RULE, symbol, spike.place, || spike.offender);
            }
        }
    }
    if !moved || price.is_nan() || price <= 0.0 {
        return;
    }
    let before = explained(rows, i, facts, past.last);
    let (ratio, volume) = (price / before, rows.columns[VOLUME][i]);
    if !(FALL..=RISE).contains(&ratio) || is_split(ratio, past.volume, volume) {
        ledger.row(&JUMP_RULE, symbol, rows.place(i), || {
            let values = format!("close {} then {price}", past.last);
            facts.offender_in(rows, i, values, "closes move by less than 0.4 in log terms")
        });
    }
    if past.open_rows > 0 {
        return;
    }
    let Some((n, median)) = past.closes.median(MEDIAN_FROM) else { return };
    if (price / median - 1.0).abs() > SPIKE {
        past.open_rows = BACK_ROWS;
        let values = format!("close {price}, median of the {n} closes before {median}");
        let rule = "closes stay within 20 % of their median, or do not come back within 2 rows";
        let offender = facts.offender_in(rows, i, values, rule);
        open.insert(asset, Candidate { place: rows.place(i), offender, median });
    }
}

/// The close before a row, restated by the corporate actions that take effect with it.
fn explained(rows: &Rows, i: usize, facts: &ReadFacts, close: f64) -> f64 {
    let Some(moves) = &facts.explained else { return close };
    let instant = Timestamp(rows.timestamps[i]);
    let calendar = facts.calendar.as_ref();
    let session = calendar.and_then(|calendar| calendar.session_of(instant).ok());
    let date = session.unwrap_or_else(|| Date::of_utc(instant));
    moves.expected(facts.symbol(rows.assets[i]), date, close).unwrap_or(close)
}

/// A move of 3:2 or 2:3 with the volume going the other way; all other ratios are jumps anyway.
fn is_split(ratio: f64, volume_before: f64, volume: f64) -> bool {
    let near = |split: f64| (ratio / split - 1.0).abs() <= SPLIT_TOLERANCE;
    (near(SMALL_SPLIT) && volume < volume_before)
        || (near(1.0 / SMALL_SPLIT) && volume > volume_before)
}

const JUMP_RULE: Rule<'_> = Rule {
    severity: Severity::Warning,
    code: "D207",
    column: "close",
    message: "the close jumps: a split that is not adjusted, or a wrong price",
    fix: "adjust the prices for splits, or correct the rows",
};

const SPIKE_RULE: Rule<'_> = Rule {
    severity: Severity::Warning,
    code: "D206",
    column: "close",
    message: "the close leaves its median by more than 20 % and is back within 2 rows",
    fix: "compare the rows with another source: a lost decimal point, a wrong print, a bad tick",
};
