//! Which column of a file plays which part.

use std::path::Path;

use arrow::datatypes::{DataType, Field};

use super::cast::is_name;
use super::names::{BAR_COLUMNS, canonical, check_unique, near_miss, unknown_name};
use crate::base::{Error, Result};

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Bars,
    Signals,
    Context,
}

impl Table {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Signals => "signals",
            Self::Context => "context",
        }
    }
}

/// What the values of a column can be used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Number,
    Flag,
    Time,
    Name,
    Other,
}

/// A column as found in a file.
#[derive(Debug, Clone)]
pub(crate) struct FoundColumn {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    pub(crate) type_name: String,
}

impl FoundColumn {
    /// An Arrow column.
    pub(crate) fn of(field: &Field) -> Self {
        let data_type = field.data_type();
        let kind = match data_type {
            t if t.is_numeric() => ColumnKind::Number,
            DataType::Boolean => ColumnKind::Flag,
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => ColumnKind::Time,
            t if is_name(t) => ColumnKind::Name,
            _ => ColumnKind::Other,
        };
        Self { name: field.name().clone(), kind, type_name: data_type.to_string() }
    }
}

/// Where the symbol of a row comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SymbolFrom {
    Column(usize),
    /// All rows have this symbol: from a folder `symbol=X`, or from the file's name.
    Constant(String),
    /// The table has no symbols.
    Market,
}

/// The parts of a file's columns.
#[derive(Debug, Clone)]
pub(crate) struct Roles {
    pub(crate) time: usize,
    /// Time of day beside a column of dates.
    pub(crate) time_of_day: Option<usize>,
    pub(crate) symbol: SymbolFrom,
    /// When a row was available, in a table that is joined.
    pub(crate) available_at: Option<usize>,
    /// Start of the window of a bar.
    pub(crate) start: Option<usize>,
    /// The symbol that the path names, when the file has a symbol column as well.
    pub(crate) expected_symbol: Option<String>,
    /// Whether the symbol is the name of the file, or the only one that was asked for.
    pub(crate) symbol_is_stem: bool,
    /// `(found, meant)` for names that were mapped.
    pub(crate) mapped: Vec<(String, String)>,
}

impl Roles {
    pub(crate) fn find(
        columns: &[FoundColumn],
        table: Table,
        place: &str,
        partitions: &[(String, String)],
        stem: Option<&str>,
    ) -> Result<Self> {
        let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
        let (time, time_of_day) = find_time(columns, &names, place)?;
        let kept: Vec<String> = names
            .iter()
            .enumerate()
            .filter(|(i, name)| Some(*i) != time_of_day && !is_index(name))
            .map(|(_, name)| name.clone())
            .collect();
        check_unique(&kept, place)?;
        let in_path = partitions.iter().find(|(k, _)| canonical(k) == "symbol").map(|(_, v)| v);
        let column = names.iter().position(|name| canonical(name) == "symbol");
        let (symbol, expected) = match (table, column, in_path) {
            (Table::Context, ..) => (SymbolFrom::Market, None),
            (_, Some(i), expected) => {
                if !matches!(columns[i].kind, ColumnKind::Name | ColumnKind::Number) {
                    return Err(Error::data(
                        "D101",
                        format!(
                            "{place}: column {:?} has type {}, not text",
                            names[i], columns[i].type_name
                        ),
                    ));
                }
                (SymbolFrom::Column(i), expected.cloned())
            }
            (_, None, Some(name)) => (SymbolFrom::Constant(name.clone()), None),
            (Table::Bars, None, None) if stem.is_some() => {
                (SymbolFrom::Constant(stem.unwrap_or_default().to_owned()), None)
            }
            _ => return Err(missing(place, "symbol", &names)),
        };
        let is_joined = table != Table::Bars;
        let available_at = names.iter().position(|name| is_joined && is_available_at(name));
        let symbol_is_stem = matches!((&symbol, in_path), (SymbolFrom::Constant(_), None));
        let mapped = names
            .iter()
            .map(|name| (name.clone(), canonical(name)))
            .filter(|(found, meant)| found != meant)
            .collect();
        let start = names.iter().position(|name| canonical(name) == "start_time");
        Ok(Self {
            time,
            time_of_day,
            symbol,
            available_at,
            start: start.filter(|_| table == Table::Bars),
            expected_symbol: expected,
            symbol_is_stem,
            mapped,
        })
    }
}

/// The columns that hold the values of `names`; only `volume` may be absent.
pub(crate) fn value_columns(
    columns: &[FoundColumn],
    names: &[String],
    table: Table,
    place: &str,
) -> Result<Vec<Option<usize>>> {
    let found: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    let mut out = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let at = found
            .iter()
            .position(|f| f == name)
            .or_else(|| found.iter().position(|f| canonical(f) == canonical(name)));
        let is_price = table == Table::Bars && i < BAR_COLUMNS.len();
        match at {
            None if is_price && name == "volume" => out.push(None),
            None if is_price => return Err(missing(place, name, &found)),
            None => {
                return Err(unknown_name(
                    "D601",
                    &format!("column in {place} named"),
                    name,
                    &found,
                ));
            }
            Some(c)
                if columns[c].kind == ColumnKind::Number
                    || (columns[c].kind == ColumnKind::Flag && !is_price) =>
            {
                out.push(Some(c));
            }
            Some(c) => {
                return Err(Error::data(
                    "D101",
                    format!(
                        "{place}: column {:?} has type {}, not a number",
                        found[c], columns[c].type_name
                    ),
                )
                .with_hint("store the column as a float or an integer"));
            }
        }
    }
    Ok(out)
}

/// Numeric columns besides the parts of the table, by canonical name.
pub(crate) fn extra_columns(columns: &[FoundColumn], table: Table) -> Vec<String> {
    columns
        .iter()
        .filter(|c| c.kind == ColumnKind::Number && !is_index(&c.name))
        .map(|c| match canonical(&c.name) {
            known if known == "adj_close" || table == Table::Bars => known,
            _ => c.name.clone(),
        })
        .filter(|name| {
            let known = canonical(name);
            let is_price = table == Table::Bars && BAR_COLUMNS.contains(&known.as_str());
            let is_release = table != Table::Bars && is_available_at(name);
            let is_start = table == Table::Bars && known == "start_time";
            let is_key = known == "timestamp" || known == "symbol";
            !is_price && !is_release && !is_start && !is_key
        })
        .collect()
}

/// The name of a file without its folders and endings.
pub(crate) fn stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let mut stem = name;
    for ending in [".zip", ".gz", ".zst", ".csv", ".tsv", ".txt", ".parquet", ".pq"] {
        let at = stem.len().checked_sub(ending.len());
        if let Some(at) = at.filter(|at| *at > 0 && stem.is_char_boundary(*at))
            && stem[at..].eq_ignore_ascii_case(ending)
        {
            stem = &stem[..at];
        }
    }
    Some(stem.to_owned())
}

fn find_time(
    columns: &[FoundColumn],
    names: &[String],
    place: &str,
) -> Result<(usize, Option<usize>)> {
    let times: Vec<usize> = (0..names.len())
        .filter(|i| canonical(&names[*i]) == "timestamp" && !is_index(&names[*i]))
        .collect();
    let is = |i: usize, name: &str| names[i].trim().eq_ignore_ascii_case(name);
    match times.as_slice() {
        [one] => Ok((*one, None)),
        [a, b] if is(*a, "date") && is(*b, "time") && columns[*b].kind == ColumnKind::Name => {
            Ok((*a, Some(*b)))
        }
        [] => match names.iter().position(|name| is_index(name)) {
            Some(i) if matches!(columns[i].kind, ColumnKind::Time | ColumnKind::Name) => {
                Ok((i, None))
            }
            _ => Err(missing(place, "timestamp", names)),
        },
        [a, b, ..] => Err(Error::data(
            "D104",
            format!("{place}: columns {:?} and {:?} both mean timestamp", names[*a], names[*b]),
        )
        .with_hint("keep one of them, or rename the other")),
    }
}

/// The column that says when a row of signals or context was available.
fn is_available_at(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("available_at")
}

/// The index that pandas writes beside the columns.
fn is_index(name: &str) -> bool {
    name.is_empty() || name == "__index_level_0__" || name == "Unnamed: 0"
}

fn missing(place: &str, name: &str, found: &[String]) -> Error {
    let error =
        Error::data("D101", format!("{place}: no column {name}; there are {}", found.join(", ")));
    match near_miss(name, found.iter().map(String::as_str)) {
        Some(near) => error.with_hint(format!("rename {near:?} to {name:?}")),
        None => error.with_hint(match name {
            "timestamp" => "name the column timestamp, datetime, date, time or ts; of a pandas \
                            frame a DatetimeIndex counts as well"
                .to_owned(),
            "symbol" => "name the column \"symbol\" (or ticker, asset, code, sid); a frame of one \
                         symbol may do without when that symbol is named (symbols)"
                .to_owned(),
            _ => format!("name the column {name:?}"),
        }),
    }
}
