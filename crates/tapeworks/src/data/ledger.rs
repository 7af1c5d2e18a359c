//! Findings while a table is read: counts, symbols hit, the first rows in the order of the files.

use std::collections::BTreeMap;

use super::report::{Finding, N_OFFENDERS, Offender, Repairs, Severity};
use crate::base::Error;

/// What a finding says besides its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule<'a> {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    pub(crate) column: &'a str,
    pub(crate) message: &'a str,
    pub(crate) fix: &'a str,
}

/// Where a row stands: file number and 1-based row. Blocks of several files arrive in an order
/// that depends on how they are stored; this one does not.
pub(crate) type Place = (u32, u64);

/// The first rows that break a rule, by place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Firsts(Vec<(Place, Offender)>);

impl Firsts {
    /// Keeps the row when it is among the first; `describe` is called for those alone.
    pub(crate) fn offer(&mut self, place: Place, describe: impl FnOnce() -> Offender) {
        if self.0.len() == N_OFFENDERS && self.0.last().is_some_and(|(last, _)| *last <= place) {
            return;
        }
        let at = self.0.partition_point(|(other, _)| *other <= place);
        self.0.insert(at, (place, describe()));
        self.0.truncate(N_OFFENDERS);
    }

    fn join(&mut self, other: Self) {
        for (place, offender) in other.0 {
            self.offer(place, || offender);
        }
    }
}

/// Findings while a table is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) table: &'static str,
    pub(crate) n_rows: u64,
    pub(crate) n_error_rows: u64,
    pub(crate) span: Option<(i64, i64)>,
    pub(crate) repairs: Repairs,
    /// Times of day without a zone were seen, not dates alone.
    pub(crate) has_naive_clock: bool,
    findings: BTreeMap<(Severity, &'static str, String), Open>,
}

#[derive(Debug, Clone, Default)]
struct Open {
    message: String,
    fix: String,
    count: u64,
    firsts: Firsts,
    symbols: BTreeMap<String, u64>,
}

impl Ledger {
    pub(crate) fn new(table: &'static str) -> Self {
        Self { table, ..Self::default() }
    }

    /// Counts `n` without a row, for facts about files and columns.
    pub(crate) fn count(&mut self, rule: &Rule<'_>, n: u64) {
        self.open(rule).count += n;
    }

    /// Takes in an error that ended a read, or a part of it, as a finding.
    pub(crate) fn failure(&mut self, error: &Error, column: &str) {
        let rule = Rule {
            severity: Severity::Error,
            code: error.code(),
            column,
            message: error.message(),
            fix: error.hint().unwrap_or(""),
        };
        self.count(&rule, 1);
    }

    /// Counts one row; `describe` is called for the rows that are kept in full.
    pub(crate) fn row(
        &mut self,
        rule: &Rule<'_>,
        symbol: &str,
        place: Place,
        describe: impl FnOnce() -> Offender,
    ) {
        let open = self.open(rule);
        open.add(symbol, 1);
        open.firsts.offer(place, describe);
    }

    /// Counts `n` rows of a symbol that were counted elsewhere.
    pub(crate) fn rows(&mut self, rule: &Rule<'_>, symbol: &str, n: u64) {
        self.open(rule).add(symbol, n);
    }

    /// The first rows of a finding that were kept elsewhere.
    pub(crate) fn first_rows(&mut self, rule: &Rule<'_>, firsts: Firsts) {
        self.open(rule).firsts.join(firsts);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.findings.first_key_value().is_some_and(|((s, ..), _)| *s == Severity::Error)
    }

    pub(crate) fn saw_span(&mut self, first: i64, last: i64) {
        self.span = Some(self.span.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
    }

    /// Takes in the findings of another part of the same read.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.n_rows += other.n_rows;
        self.n_error_rows += other.n_error_rows;
        for (key, open) in other.findings {
            let mine = self.findings.entry(key).or_insert_with(|| Open {
                message: open.message.clone(),
                fix: open.fix.clone(),
                ..Open::default()
            });
            mine.count += open.count;
            mine.firsts.join(open.firsts);
            for (symbol, n) in open.symbols {
                *mine.symbols.entry(symbol).or_default() += n;
            }
        }
    }

    fn open(&mut self, rule: &Rule<'_>) -> &mut Open {
        let key = (rule.severity, rule.code, rule.column.to_owned());
        self.findings.entry(key).or_insert_with(|| Open {
            message: rule.message.to_owned(),
            fix: rule.fix.to_owned(),
            ..Open::default()
        })
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        let rows = self.n_rows.max(1) as f64;
        let finding =
            |((severity, code, column), open): (&(Severity, &'static str, String), &Open)| {
                let mut symbols: Vec<_> = open.symbols.clone().into_iter().collect();
                symbols.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                symbols.truncate(N_OFFENDERS);
                Finding {
                    code: (*code).to_owned(),
                    severity: *severity,
                    table: self.table.to_owned(),
                    column: column.clone(),
                    message: open.message.clone(),
                    count: open.count,
                    share: if symbols.is_empty() { 0.0 } else { open.count as f64 / rows },
                    offenders: open.firsts.0.iter().map(|(_, o)| o.clone()).collect(),
                    symbols,
                    fix: open.fix.clone(),
                }
            };
        self.findings.iter().map(finding).collect()
    }
}

impl Open {
    fn add(&mut self, symbol: &str, n: u64) {
        self.count += n;
        match self.symbols.get_mut(symbol) {
            Some(known) => *known += n,
            None => {
                self.symbols.insert(symbol.to_owned(), n);
            }
        }
    }
}
