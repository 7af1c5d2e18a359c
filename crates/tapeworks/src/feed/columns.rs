//! Which column of which table plays which role.

use super::{Layout, PRICES};
use crate::base::spelling::nearest;
use crate::base::{Error, Result};

/// Where the values of a signal or indicator come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// An extra column of asset data.
    Asset(usize),
    /// A column of a signals table: which table, which column.
    Signals(usize, usize),
}

/// The columns of a feed: their names, and where each one comes from in the same order.
#[derive(Debug, Clone)]
pub(super) struct ColumnPlan {
    pub(super) layout: Layout,
    pub(super) signals: Vec<Origin>,
    pub(super) indicators: Vec<Origin>,
    /// Table and column of each context series.
    pub(super) context: Vec<(usize, usize)>,
}

/// The columns a user asked for; `None` is "all that are there".
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) signals: Option<&'a [String]>,
    pub(super) indicators: Option<&'a [String]>,
    pub(super) context: Option<&'a [String]>,
}

/// The columns that the tables have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Available<'a> {
    pub(super) asset: &'a [String],
    /// The names of each signals table.
    pub(super) signals: &'a [&'a [String]],
    /// The names of each context table.
    pub(super) context: &'a [&'a [String]],
}

impl ColumnPlan {
    /// Gives every column its role.
    ///
    /// Named columns are looked for in both tables. When only one list is `None` it takes the
    /// columns that the other list leaves; when both are, every column is a signal.
    ///
    /// # Errors
    /// `D601` for a named column that no table has, and for one that two tables have; `C301` for a
    /// column that is named twice or is a price.
    pub(super) fn new(wanted: Wanted<'_>, available: Available<'_>) -> Result<Self> {
        let everything =
            || available.asset.iter().chain(available.signals.iter().copied().flatten());
        let rest_of = |taken: Option<&[String]>| -> Vec<String> {
            let taken = taken.unwrap_or_default();
            everything().filter(|name| !taken.contains(name)).cloned().collect()
        };
        let (signals, indicators) = match (wanted.signals, wanted.indicators) {
            (Some(signals), Some(indicators)) => (signals.to_vec(), indicators.to_vec()),
            (Some(signals), None) => (signals.to_vec(), rest_of(Some(signals))),
            (None, Some(indicators)) => (rest_of(Some(indicators)), indicators.to_vec()),
            (None, None) => (rest_of(None), Vec::new()),
        };
        let all_context = available.context.concat();
        let context = wanted.context.map_or_else(|| all_context.clone(), <[String]>::to_vec);

        let locate = |name: &String| locate(name, available);
        let signal_origins = signals.iter().map(locate).collect::<Result<Vec<_>>>()?;
        let indicator_origins = indicators.iter().map(locate).collect::<Result<Vec<_>>>()?;
        let context_origins = context
            .iter()
            .map(|name| match places(name, available.context).as_slice() {
                [one] => Ok(*one),
                [] => Err(missing(name, "the context table", &all_context)),
                _ => Err(two_tables(name, "two context tables")),
            })
            .collect::<Result<Vec<_>>>()?;
        refuse_twice(signals.iter().chain(&indicators))?;
        refuse_twice(context.iter())?;
        Ok(Self {
            layout: Layout { signals, indicators, context },
            signals: signal_origins,
            indicators: indicator_origins,
            context: context_origins,
        })
    }

    /// The asset columns in use, in table order.
    pub(super) fn asset_columns(&self) -> Vec<usize> {
        let mut used: Vec<usize> = self
            .signals
            .iter()
            .chain(&self.indicators)
            .filter_map(|origin| match origin {
                Origin::Asset(column) => Some(*column),
                Origin::Signals(..) => None,
            })
            .collect();
        used.sort_unstable();
        used
    }
}

fn locate(name: &String, available: Available<'_>) -> Result<Origin> {
    let asset = available.asset.iter().position(|column| column == name);
    let signals = places(name, available.signals);
    let is_price = PRICES.contains(&name.as_str());
    match (asset, signals.as_slice()) {
        (Some(_), [_, ..]) => Err(two_tables(name, "asset data and in the signals table")),
        (None, [_, ..]) if is_price => Err(two_tables(name, "asset data and in the signals table")),
        (None, [_, _, ..]) => Err(two_tables(name, "two signals tables")),
        (Some(column), []) => Ok(Origin::Asset(column)),
        (None, &[(table, column)]) => Ok(Origin::Signals(table, column)),
        (None, []) if is_price => Err(Error::config(
            "C301",
            format!("column {name:?} is a price, it cannot be a signal or indicator"),
        )
        .with_hint("prices are always there: leave it out of the column lists")),
        (None, []) => {
            let signals = available.signals.iter().copied().flatten();
            let all: Vec<String> = available.asset.iter().chain(signals).cloned().collect();
            Err(missing(name, "asset data and signals", &all))
        }
    }
}

/// Every table and column with this name.
fn places(name: &String, tables: &[&[String]]) -> Vec<(usize, usize)> {
    let of_table = |(table, names): (usize, &&[String])| {
        let columns = names.iter().enumerate().filter(|(_, column)| *column == name);
        columns.map(|(column, _)| (table, column)).collect::<Vec<_>>()
    };
    tables.iter().enumerate().flat_map(of_table).collect()
}

fn two_tables(name: &str, places: &str) -> Error {
    Error::data("D601", format!("column {name:?} is in {places}"))
        .with_hint("rename it in one of the tables, or name the columns that the run shall read")
}

fn missing(name: &str, place: &str, there: &[String]) -> Error {
    let error = Error::data("D601", format!("column {name:?} is not in {place}"));
    match nearest(name, there.iter().map(String::as_str)) {
        Some(near) => error.with_hint(format!("did you mean {near:?}")),
        None if there.is_empty() => error.with_hint("there are no such columns at all"),
        None => error.with_hint(format!("columns there: {}", there.join(", "))),
    }
}

fn refuse_twice<'a>(names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut sorted: Vec<&String> = names.collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::config("C301", format!("column {:?} is named twice", pair[0]))
            .with_hint("name a column once, as a signal or as an indicator")),
        None => Ok(()),
    }
}
