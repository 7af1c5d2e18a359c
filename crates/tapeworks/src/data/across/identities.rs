//! What the columns of a bar say about one another (`D209`), to 1e-9.

use super::super::lane::ReadFacts;
use super::super::ledger::{Ledger, Rule};
use super::super::merge::Rows;
use super::super::names::canonical;
use super::super::report::Severity;

const TOLERANCE: f64 = 1e-9;
const HIGH: usize = 1;
const LOW: usize = 2;
const VOLUME: usize = 4;

/// Where the columns are, of those that the table has.
#[derive(Debug)]
pub(super) struct Identities {
    vwap: Option<usize>,
    notional: Option<usize>,
    counts: Option<[usize; 3]>,
    volumes: Option<[usize; 2]>,
}

impl Identities {
    pub(super) fn new(names: &[String]) -> Self {
        let at = |wanted: &str| names.iter().position(|name| canonical(name) == wanted);
        let counts = (at("n_trades"), at("n_buys"), at("n_sells"));
        Self {
            vwap: at("vwap"),
            notional: at("notional"),
            counts: match counts {
                (Some(all), Some(buys), Some(sells)) => Some([all, buys, sells]),
                _ => None,
            },
            volumes: at("buy_volume").zip(at("sell_volume")).map(|(buy, sell)| [buy, sell]),
        }
    }

    pub(super) fn push(&mut self, rows: &Rows, facts: &ReadFacts, ledger: &mut Ledger) {
        let value = |c: usize, i: usize| rows.columns[c][i];
        for i in 0..rows.len() {
            if let Some(c) = self.vwap {
                let (vwap, low, high) = (value(c, i), value(LOW, i), value(HIGH, i));
                if vwap < low * (1.0 - TOLERANCE) || vwap > high * (1.0 + TOLERANCE) {
                    let values = format!("vwap {vwap}, low {low}, high {high}");
                    found("vwap", "low <= vwap <= high", values, rows, i, facts, ledger);
                }
                if let Some(n) = self.notional {
                    let (notional, volume) = (value(n, i), value(VOLUME, i));
                    if (notional - vwap * volume).abs() > TOLERANCE * notional.abs() {
                        let values = format!("notional {notional}, vwap {vwap}, volume {volume}");
                        found("notional", "vwap x volume", values, rows, i, facts, ledger);
                    }
                }
            }
            if let Some([all, buys, sells]) = self.counts {
                let (all, buys, sells) = (value(all, i), value(buys, i), value(sells, i));
                if buys + sells > all {
                    let values = format!("n_trades {all}, n_buys {buys}, n_sells {sells}");
                    let rule = "n_buys + n_sells <= n_trades";
                    found("n_trades", rule, values, rows, i, facts, ledger);
                }
            }
            if let Some([buy, sell]) = self.volumes {
                let (buy, sell, volume) = (value(buy, i), value(sell, i), value(VOLUME, i));
                if buy + sell > volume * (1.0 + TOLERANCE) {
                    let values = format!("volume {volume}, buy_volume {buy}, sell_volume {sell}");
                    let rule = "buy_volume + sell_volume <= volume";
                    found("volume", rule, values, rows, i, facts, ledger);
                }
            }
        }
    }
}

fn found(
    column: &str,
    text: &str,
    values: String,
    rows: &Rows,
    i: usize,
    facts: &ReadFacts,
    ledger: &mut Ledger,
) {
    let rule = Rule {
        severity: Severity::Error,
        code: "D209",
        column,
        message: "columns of one bar contradict one another",
        fix: "compute the columns again from the trades, or leave the wrong one out",
    };
    ledger.n_error_rows += 1;
    let symbol = facts.symbol(rows.assets[i]);
    ledger.row(&rule, symbol, rows.place(i), || facts.offender_in(rows, i, values, text));
}
