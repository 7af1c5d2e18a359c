//! Tables of corporate actions: `symbol, ex_date, kind` and what the kind needs.
//!
//! The table is small and its cells are dates, words and numbers, so it is read as text whatever
//! its format, and each cell is read by the rules of its column.

use std::collections::BTreeMap;

use super::action_cells::{ActionCells, read_cells};
use super::ledger::{Ledger, Rule};
use super::options::{ReadOptions, Source};
use super::report::{CheckReport, Offender, Severity};
use crate::base::{ActionKind, CorporateAction, Date, Result, Symbols};

/// The name of the table in findings.
pub(super) const ACTIONS: &str = "actions";
/// A split of more units than this for one, or of one for more, is more likely a slip.
const RATIO_MAX: f64 = 100.0;
const FIX: &str = "correct the row, or leave it out";

/// One row that can be an action, by the names of its symbols.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub place: (u32, u64),
    pub symbol: String,
    pub date: Date,
    pub event: Event,
}

/// What happens, by name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    Split { ratio: f64 },
    Dividend { amount: f64, pay_date: Option<Date> },
    Merger { cash: f64, into: Option<(String, f64)> },
    Rename { into: String },
}

/// A table of corporate actions, read and not yet bound to the symbols of a run.
#[derive(Debug)]
pub struct ActionTable {
    cells: ActionCells,
    rows: Vec<Row>,
    ledger: Ledger,
}

impl ActionTable {
    /// Reads a table of corporate actions.
    ///
    /// Columns: `symbol`, `ex_date` (or `date`), `kind` (`split`, `dividend`, `merger`, `rename`);
    /// `ratio` for splits and mergers (new units for an old one), `amount` for dividends and
    /// mergers (currency a unit), or both of them in one column `value`; `pay_date` of dividends,
    /// `into` of mergers and renames (the other symbol). Other columns are left alone.
    ///
    /// # Errors
    /// `D605` for rows that are no actions, `D101` for a table without the columns.
    pub fn read(source: Source, options: &ReadOptions) -> Result<Self> {
        let cells = read_cells(source, options)?;
        let mut ledger = Ledger::new(ACTIONS);
        let rows = rows(&cells, &mut ledger);
        report(&cells, ledger.clone()).raise_if_errors()?;
        Ok(Self { cells, rows, ledger })
    }

    /// The moves of closes that the actions explain.
    #[must_use]
    pub fn explained(&self) -> ExplainedMoves {
        let mut moves = ExplainedMoves::default();
        for row in &self.rows {
            let of_symbol = moves.0.entry(row.symbol.clone()).or_default();
            let (ratio, dividend) = of_symbol.entry(row.date).or_insert((1.0, 0.0));
            match row.event {
                Event::Split { ratio: of_split } => *ratio *= of_split,
                Event::Dividend { amount, .. } => *dividend += amount,
                Event::Merger { .. } | Event::Rename { .. } => {}
            }
        }
        moves
    }

    /// The actions on the symbols of a run. Symbols that it does not have are warned about, unless
    /// `options.symbols` names the wanted ones.
    #[must_use]
    pub fn bind(
        mut self,
        symbols: &Symbols,
        options: &ReadOptions,
    ) -> (Vec<CorporateAction>, CheckReport) {
        let mut actions = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            match (symbols.id(&row.symbol), row.event.bind(symbols)) {
                (Some(asset), Some(kind)) => {
                    actions.push(CorporateAction { asset, ex_date: row.date, kind });
                }
                (None, _) if options.symbols.is_some() => {}
                _ => warn_stranger(&self.cells, row, symbols, &mut self.ledger),
            }
        }
        (actions, report(&self.cells, self.ledger))
    }
}

/// Moves of closes from one row to the next that corporate actions explain, by symbol and date.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExplainedMoves(BTreeMap<String, BTreeMap<Date, (f64, f64)>>);

/// An ex-date without trading takes effect on the next session, which a long week-end may put off.
const DAYS_LATER: i32 = 4;

impl ExplainedMoves {
    /// The close that follows `close` by the actions up to a date; `None` where there are none.
    pub(super) fn expected(&self, symbol: &str, date: Date, close: f64) -> Option<f64> {
        let days = Date(date.0.saturating_sub(DAYS_LATER))..=date;
        let of_symbol = self.0.get(symbol)?;
        let mut found = of_symbol.range(days).map(|(_, &action)| action).peekable();
        found.peek()?;
        Some(found.fold(close, |close, (ratio, dividend)| close / ratio - dividend))
    }
}

/// A symbol of the row that has no bars.
pub(super) fn warn_stranger(
    cells: &ActionCells,
    row: &Row,
    symbols: &Symbols,
    ledger: &mut Ledger,
) {
    let stranger = match &row.event {
        _ if symbols.id(&row.symbol).is_none() => &row.symbol,
        Event::Merger { into: Some((other, _)), .. } | Event::Rename { into: other } => other,
        _ => return,
    };
    warn(cells, row, "symbol", &format!("{stranger} has no bars"), "actions have bars", ledger);
}

pub(super) fn warn(
    cells: &ActionCells,
    row: &Row,
    column: &str,
    message: &str,
    wanted: &str,
    ledger: &mut Ledger,
) {
    let rule = Rule {
        severity: Severity::Warning,
        code: "D605",
        column,
        message,
        fix: "compare the row with another source",
    };
    ledger.row(&rule, &row.symbol, row.place, || offender(cells, row.place, wanted));
}

pub(super) fn report(cells: &ActionCells, mut ledger: Ledger) -> CheckReport {
    ledger.n_rows = cells.rows.len() as u64;
    let names: std::collections::BTreeSet<&str> =
        (0..cells.rows.len()).map(|row| cells.symbol(row)).collect();
    CheckReport {
        table: ACTIONS.to_owned(),
        level: "standard".to_owned(),
        n_files: cells.files.len() as u64,
        n_rows: ledger.n_rows,
        n_error_rows: ledger.n_error_rows,
        n_symbols: names.len() as u64,
        findings: ledger.findings(),
        repairs: ledger.repairs,
        ..CheckReport::default()
    }
}

/// The rows that are actions; what is wrong with the others goes into the ledger.
pub(super) fn rows(cells: &ActionCells, ledger: &mut Ledger) -> Vec<Row> {
    let mut rows = Vec::with_capacity(cells.rows.len());
    for at in 0..cells.rows.len() {
        match row(cells, at) {
            Ok(row) => {
                if let Event::Split { ratio } = row.event
                    && !(1.0 / RATIO_MAX..=RATIO_MAX).contains(&ratio)
                {
                    let text = format!("{}: a split of {ratio} units for one", row.symbol);
                    warn(cells, &row, "ratio", &text, "from 0.01 to 100 units for one", ledger);
                }
                rows.push(row);
            }
            Err((column, message)) => {
                ledger.n_error_rows += 1;
                refuse(cells, cells.place(at), column, &message, ledger);
            }
        }
    }
    refuse_repeats(cells, &mut rows, ledger);
    rows
}

fn refuse(
    cells: &ActionCells,
    place: (u32, u64),
    column: &str,
    message: &str,
    ledger: &mut Ledger,
) {
    let (severity, code) = (Severity::Error, "D605");
    let rule = Rule { severity, code, column, message, fix: FIX };
    let symbol = cells.symbol(cells.row_at(place)).to_owned();
    ledger.row(&rule, &symbol, place, || offender(cells, place, message));
}

/// Two splits of a symbol on one day are one too many; so are two other actions that are equal.
fn refuse_repeats(cells: &ActionCells, rows: &mut Vec<Row>, ledger: &mut Ledger) {
    let mut seen: BTreeMap<(String, Date, &'static str), Event> = BTreeMap::new();
    rows.retain(|row| {
        let key = (row.symbol.clone(), row.date, row.event.name());
        match seen.get(&key) {
            Some(first) if *first == row.event || !matches!(row.event, Event::Dividend { .. }) => {
                ledger.n_error_rows += 1;
                let text = format!("{}: a second {} on {}", row.symbol, row.event.name(), row.date);
                refuse(cells, row.place, "kind", &text, ledger);
                false
            }
            _ => {
                seen.insert(key, row.event.clone());
                true
            }
        }
    });
}

type Fault = (&'static str, String);

fn row(cells: &ActionCells, at: usize) -> std::result::Result<Row, Fault> {
    let symbol = cells.symbol(at).to_owned();
    if symbol.is_empty() {
        return Err(("symbol", "the row has no symbol".to_owned()));
    }
    let date = cells
        .date(at, cells.columns.date)
        .map_err(|text| ("ex_date", format!("{symbol}: ex_date {text:?} is no date")))?
        .ok_or_else(|| ("ex_date", format!("{symbol}: the row has no ex_date")))?;
    let number = |column: &'static str| {
        cells
            .number(at, column)
            .map_err(|text| (column, format!("{symbol}: {column} {text:?} is no number")))
    };
    let word = cells.cell(at, Some(cells.columns.kind)).to_ascii_lowercase();
    let event = match word.as_str() {
        "split" => {
            let ratio = number("ratio")?.unwrap_or(f64::NAN);
            if !(ratio.is_finite() && ratio > 0.0) {
                return Err(("ratio", format!("{symbol}: a split of ratio {ratio}, not above 0")));
            }
            Event::Split { ratio }
        }
        "dividend" => {
            let amount = number("amount")?.unwrap_or(f64::NAN);
            if !(amount.is_finite() && amount >= 0.0) {
                let text = format!("{symbol}: a dividend of {amount}, not 0 or above");
                return Err(("amount", text));
            }
            let pay_date = cells
                .date(at, cells.columns.pay_date)
                .map_err(|text| ("pay_date", format!("{symbol}: pay_date {text:?} is no date")))?;
            if pay_date.is_some_and(|pay_date| pay_date < date) {
                return Err(("pay_date", format!("{symbol}: paid before the ex_date {date}")));
            }
            Event::Dividend { amount, pay_date }
        }
        "merger" => {
            let cash = number("amount")?.unwrap_or(0.0);
            let ratio = number("ratio")?;
            let other = cells.cell(at, cells.columns.into);
            let into = match (other.is_empty(), ratio) {
                (false, Some(ratio)) if ratio.is_finite() && ratio > 0.0 => {
                    Some((other.to_owned(), ratio))
                }
                (true, None) if cells.has("amount", at) => None,
                _ => {
                    let text = format!(
                        "{symbol}: a merger gives an amount of cash, or a ratio of units into \
                         another symbol, or both"
                    );
                    return Err(("ratio", text));
                }
            };
            if !(cash.is_finite() && cash >= 0.0) {
                return Err(("amount", format!("{symbol}: a merger for {cash}, not 0 or above")));
            }
            Event::Merger { cash, into }
        }
        "rename" => {
            let other = cells.cell(at, cells.columns.into).to_owned();
            if other.is_empty() || other == symbol {
                let text = format!("{symbol}: a rename names the other symbol in the column into");
                return Err(("into", text));
            }
            Event::Rename { into: other }
        }
        other => {
            let text =
                format!("{symbol}: kind {other:?} is none of split, dividend, merger, rename");
            return Err(("kind", text));
        }
    };
    Ok(Row { place: cells.place(at), symbol, date, event })
}

fn offender(cells: &ActionCells, place: (u32, u64), wanted: &str) -> Offender {
    let at = cells.row_at(place);
    let named = cells.names.iter().zip(&cells.rows[at].cells);
    let values: Vec<String> = named.map(|(name, cell)| format!("{name} {cell}")).collect();
    Offender {
        file: cells.files[place.0 as usize].clone(),
        row: place.1,
        symbol: cells.symbol(at).to_owned(),
        timestamp: cells.cell(at, cells.columns.date).to_owned(),
        values: values.join(", "),
        rule: wanted.to_owned(),
    }
}

impl Event {
    /// The same in ids; `None` when the other symbol is not in the run.
    fn bind(&self, symbols: &Symbols) -> Option<ActionKind> {
        Some(match self {
            Self::Split { ratio } => ActionKind::Split { ratio: *ratio },
            Self::Dividend { amount, pay_date } => {
                ActionKind::Dividend { amount: *amount, pay_date: *pay_date }
            }
            Self::Merger { cash, into } => {
                let into = match into {
                    Some((other, ratio)) => Some((symbols.id(other)?, *ratio)),
                    None => None,
                };
                ActionKind::Merger { cash: *cash, into }
            }
            Self::Rename { into } => ActionKind::Rename { into: symbols.id(into)? },
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Split { .. } => "split",
            Self::Dividend { .. } => "dividend",
            Self::Merger { .. } => "merger",
            Self::Rename { .. } => "rename",
        }
    }
}
