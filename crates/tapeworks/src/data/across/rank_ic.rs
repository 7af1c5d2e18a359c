//! Signals that know too much (`L105`): their ranks agree with the return that ends at their own
//! stamp, or with the return of the next row, more than any honest signal does.

use super::super::ledger::{Ledger, Rule};
use super::super::merge::Rows;
use super::super::names::{BAR_COLUMNS, canonical};
use super::super::report::Severity;
use super::groups;

/// Mean rank correlation above which a signal smells.
const SMELL: f64 = 0.3;
/// Symbols that make a cross-section, and cross-sections or single pairs that make a verdict.
const SYMBOLS_MIN: usize = 5;
const SECTIONS_MIN: u64 = 20;
const PAIRS_MIN: usize = 100;
const PAIRS_MAX: usize = 50_000;
/// After this many timestamps one of [`STRIDE`] is looked at.
const TICKS_FULL: u64 = 2_000;
const STRIDE: u64 = 16;
const CLOSE: usize = 3;
/// Columns of bars that are no signals.
const KNOWN: [&str; 8] =
    ["vwap", "notional", "n_trades", "n_buys", "n_sells", "buy_volume", "sell_volume", "adj_close"];
const HORIZONS: [&str; 2] =
    ["the return that ends at its own stamp", "the return from its stamp to the next row"];

/// Rank correlations of one column with one return.
#[derive(Debug, Clone, Default)]
struct Agreement {
    sum: f64,
    n_sections: u64,
    /// Single pairs of timestamps with few symbols.
    pairs: Vec<(f64, f64)>,
}

/// Rank correlations of all signals of a table.
#[derive(Debug)]
pub(in super::super) struct RankIc {
    names: Vec<String>,
    columns: Vec<usize>,
    n_ticks: u64,
    closes: Vec<f64>,
    /// The value before, a symbol, for each column.
    before: Vec<Vec<f64>>,
    agreements: Vec<[Agreement; 2]>,
    pairs: [Vec<(f64, f64)>; 2],
}

impl RankIc {
    /// The further columns of bars, save those that describe the bar itself.
    pub(super) fn of_bars(names: &[String], n_symbols: usize) -> Self {
        let is_signal = |c: &usize| !KNOWN.contains(&canonical(&names[*c]).as_str());
        let columns: Vec<usize> = (BAR_COLUMNS.len()..names.len()).filter(is_signal).collect();
        let names = columns.iter().map(|c| names[*c].clone()).collect();
        Self::new(names, columns, n_symbols)
    }

    /// Columns of rows, with their names.
    pub(in super::super) fn new(names: Vec<String>, columns: Vec<usize>, n_symbols: usize) -> Self {
        Self {
            n_ticks: 0,
            closes: vec![f64::NAN; n_symbols],
            before: vec![vec![f64::NAN; n_symbols]; columns.len()],
            agreements: vec![<[Agreement; 2]>::default(); columns.len()],
            pairs: [Vec::new(), Vec::new()],
            names,
            columns,
        }
    }

    pub(in super::super) fn push(&mut self, rows: &Rows, starts: &[usize]) {
        if self.columns.is_empty() {
            return;
        }
        for (from, to) in groups(starts, rows.len()) {
            self.n_ticks += 1;
            let is_used = self.n_ticks <= TICKS_FULL || self.n_ticks.is_multiple_of(STRIDE);
            for (k, &column) in self.columns.iter().enumerate() {
                if is_used {
                    self.pairs.iter_mut().for_each(Vec::clear);
                    for i in from..to {
                        let asset = rows.assets[i] as usize;
                        let (close, before) = (rows.columns[CLOSE][i], self.closes[asset]);
                        // A price at or below 0 has no return.
                        let is_price = close > 0.0 && before > 0.0;
                        let change = if is_price { close / before - 1.0 } else { f64::NAN };
                        let values = [rows.columns[column][i], self.before[k][asset]];
                        for (pairs, value) in self.pairs.iter_mut().zip(values) {
                            if change.is_finite() && value.is_finite() {
                                pairs.push((value, change));
                            }
                        }
                    }
                    for (agreement, pairs) in self.agreements[k].iter_mut().zip(&mut self.pairs) {
                        agreement.add(pairs);
                    }
                }
                for i in from..to {
                    self.before[k][rows.assets[i] as usize] = rows.columns[column][i];
                }
            }
            for i in from..to {
                self.closes[rows.assets[i] as usize] = rows.columns[CLOSE][i];
            }
        }
    }

    pub(in super::super) fn finish(&mut self, ledger: &mut Ledger) {
        for (name, agreements) in self.names.iter().zip(&mut self.agreements) {
            for (agreement, horizon) in agreements.iter_mut().zip(HORIZONS) {
                let Some((mean, over)) = agreement.mean() else { continue };
                if mean.abs() <= SMELL {
                    continue;
                }
                let message =
                    format!("look-ahead smell: rank IC {mean:.2} with {horizon} ({over})");
                let column = format!("{name} ({horizon})");
                let rule = Rule {
                    severity: Severity::Warning,
                    code: "L105",
                    column: &column,
                    message: &message,
                    fix: "check when the values were known; stamp them with that instant",
                };
                ledger.count(&rule, 1);
            }
        }
    }
}

impl Agreement {
    fn add(&mut self, pairs: &mut Vec<(f64, f64)>) {
        if pairs.len() >= SYMBOLS_MIN {
            if let Some(rho) = rank_correlation(pairs) {
                self.sum += rho;
                self.n_sections += 1;
            }
        } else if self.pairs.len() < PAIRS_MAX {
            self.pairs.append(pairs);
        }
    }

    /// The mean, and what it was taken over; cross-sections go before single pairs.
    fn mean(&mut self) -> Option<(f64, String)> {
        if self.n_sections >= SECTIONS_MIN {
            let text = format!("mean of {} cross-sections", self.n_sections);
            return Some((self.sum / self.n_sections as f64, text));
        }
        if self.pairs.len() < PAIRS_MIN {
            return None;
        }
        let n = self.pairs.len();
        rank_correlation(&mut self.pairs).map(|rho| (rho, format!("over {n} rows")))
    }
}

/// Spearman's correlation, equal values at their mean rank; `None` when one side is constant.
fn rank_correlation(pairs: &mut [(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    rank(pairs, |pair| &mut pair.0);
    pairs.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
    rank(pairs, |pair| &mut pair.1);
    let mean = f64::midpoint(n, 1.0);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs.iter() {
        xy += (x - mean) * (y - mean);
        xx += (x - mean) * (x - mean);
        yy += (y - mean) * (y - mean);
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

/// Replaces sorted values by their ranks from 1.
fn rank(pairs: &mut [(f64, f64)], side: impl Fn(&mut (f64, f64)) -> &mut f64) {
    let mut from = 0;
    while from < pairs.len() {
        let value = *side(&mut pairs[from]);
        let mut to = from;
        while to < pairs.len() && *side(&mut pairs[to]) == value {
            to += 1;
        }
        let mean = f64::midpoint(from as f64 + 1.0, to as f64);
        for pair in &mut pairs[from..to] {
            *side(pair) = mean;
        }
        from = to;
    }
}

#[cfg(test)]
mod tests {
    use super::rank_correlation;

    #[test]
    fn rank_correlation_when_given_a_textbook_case_then_agrees() {
        // Ten pupils, IQ against hours of television: 1 - 6 x 194 / (10 x 99) = -29/165.
        let iq = [106., 86., 100., 101., 99., 103., 97., 113., 112., 110.];
        let hours = [7., 0., 27., 50., 28., 29., 20., 12., 6., 17.];
        let mut pairs: Vec<(f64, f64)> = iq.into_iter().zip(hours).collect();
        let rho = rank_correlation(&mut pairs).expect("neither side is constant");
        assert!((rho + 29.0 / 165.0).abs() < 1e-15, "{rho}");
        let mut ties = [(1.0, 1.0), (1.0, 2.0), (2.0, 3.0)];
        // Ranks 1.5 1.5 3 against 1 2 3: 1.5 / sqrt(1.5 x 2).
        let rho = rank_correlation(&mut ties).expect("neither side is constant");
        assert!((rho - 1.5 / 3.0_f64.sqrt()).abs() < 1e-15, "{rho}");
        assert_eq!(rank_correlation(&mut [(1.0, 1.0), (1.0, 2.0)]), None);
    }
}
