//! Column names: aliases, the columns a table needs, and near misses.

use crate::base::{Error, Result};

/// Prices and volume, in the order in which blocks hold them.
pub(crate) const BAR_COLUMNS: [&str; 5] = ["open", "high", "low", "close", "volume"];

/// The canonical name of a column as found in a file.
///
/// Unknown names pass through unchanged.
pub(crate) fn canonical(found: &str) -> String {
    let lower = found.trim().to_ascii_lowercase();
    let name = match lower.as_str() {
        "timestamp" | "date" | "datetime" | "time" | "ts" | "end_time" | "close_time"
        | "__index_level_0__" => "timestamp",
        "symbol" | "asset" | "ticker" | "sid" | "code" | "name" => "symbol",
        "open" | "high" | "low" | "close" | "volume" | "vwap" | "notional" | "start_time" => &lower,
        "adj_close" | "adj close" | "adjclose" => "adj_close",
        "count" => "n_trades",
        "quote_volume" | "quote_asset_volume" | "dollar" => "notional",
        "taker_buy_volume" => "buy_volume",
        _ => found.trim(),
    };
    name.to_owned()
}

/// The name among `known` that is at most two edits away from `wanted`.
pub(crate) fn near_miss<'a>(
    wanted: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = wanted.to_ascii_lowercase();
    known
        .into_iter()
        .map(|name| (edit_distance(&lower, &name.to_ascii_lowercase()), name))
        .filter(|(distance, name)| *distance <= 2 && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The error for a name that does not exist: it lists what does and the nearest one.
pub(crate) fn unknown_name(
    code: &'static str,
    what: &str,
    wanted: &str,
    known: &[String],
) -> Error {
    let listed: Vec<&str> = known.iter().take(20).map(String::as_str).collect();
    let more = if known.len() > listed.len() { ", ..." } else { "" };
    let error = Error::data(
        code,
        format!("no {what} {wanted:?}; the table has {}{more}", listed.join(", ")),
    );
    match near_miss(wanted, known.iter().map(String::as_str)) {
        Some(near) => error.with_hint(format!("did you mean {near:?}?")),
        None => error.with_hint("take a name from the list, or leave it out"),
    }
}

/// Fails when two found names mean one column; both are named.
pub(crate) fn check_unique(found: &[String], place: &str) -> Result<()> {
    let mut seen: Vec<(String, &String)> = Vec::with_capacity(found.len());
    for name in found {
        let meant = canonical(name);
        if let Some((_, other)) = seen.iter().find(|(m, _)| *m == meant) {
            let text = if *other == name {
                format!("{place}: column {name:?} is there twice")
            } else {
                format!("{place}: columns {other:?} and {name:?} both mean {meant}")
            };
            return Err(
                Error::data("D104", text).with_hint("keep one of them, or rename the other")
            );
        }
        seen.push((meant, name));
    }
    Ok(())
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let replace = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{edit_distance, near_miss};

    #[test]
    fn near_miss_when_within_two_edits_then_found() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(near_miss("signl", ["close", "signal"]), Some("signal"));
        assert_eq!(near_miss("momentum", ["close", "signal"]), None);
    }
}
