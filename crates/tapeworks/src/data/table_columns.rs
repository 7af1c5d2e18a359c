//! What the files of a table have in common in columns and zones, and what the report tells of it.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::clock::Stamps;
use super::known_at::KnownAt;
use super::ledger::{Ledger, Rule};
use super::names::{BAR_COLUMNS, canonical, unknown_name};
use super::options::ReadOptions;
use super::plan::{SymbolFrom, Table, extra_columns};
use super::report::Severity;
use super::table_file::TableFile;
use crate::base::{Error, Result};

/// Asked columns, or the numeric columns that every file has.
pub(super) fn wanted_extras(
    tables: &[TableFile],
    options: &ReadOptions,
    table: Table,
    ledger: &mut Ledger,
) -> Result<Vec<String>> {
    if let Some(asked) = &options.columns {
        let is_price =
            |name: &String| table == Table::Bars && BAR_COLUMNS.contains(&canonical(name).as_str());
        let mut names: Vec<String> = Vec::new();
        for name in asked.iter().filter(|name| !is_price(name)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        for file in tables {
            let found: Vec<String> = file.columns().iter().map(|c| c.name.clone()).collect();
            for name in &names {
                if !found.iter().any(|f| f == name || canonical(f) == canonical(name)) {
                    let what = format!("column in {} named", file.name());
                    return Err(unknown_name("D601", &what, name, &found));
                }
            }
        }
        return Ok(names);
    }
    let mut names = tables.first().map_or_else(Vec::new, |t| extra_columns(t.columns(), table));
    let mut partial: BTreeMap<String, String> = BTreeMap::new();
    for file in tables.iter().skip(1) {
        let here = extra_columns(file.columns(), table);
        for name in here.iter().filter(|name| !names.contains(name)) {
            let fact = format!("column is in {}, not in every file; it is not read", file.name());
            partial.entry(name.clone()).or_insert(fact);
        }
        for name in names.iter().filter(|name| !here.contains(name)) {
            let fact = format!("column is not in {}; it is not read", file.name());
            partial.entry(name.clone()).or_insert(fact);
        }
        names.retain(|name| here.contains(name));
    }
    for (name, message) in partial {
        let rule = Rule {
            severity: Severity::Warning,
            code: "D104",
            column: &name,
            message: &message,
            fix: "write the column to every file, or name the columns to read",
        };
        ledger.count(&rule, 1);
    }
    Ok(names)
}

/// What the stamps of a table are; dates in one file and times in another are no table.
pub(super) fn common_stamps(tables: &[TableFile], table: Table) -> Result<(Stamps, TimeZone)> {
    let mut found: Option<(Stamps, TimeZone, &str)> = None;
    for file in tables {
        let (mut stamps, zone) = file.stamp_facts();
        if matches!(file.known(), Some(KnownAt::Start { .. })) {
            // Ends are instants, also where starts are dates.
            stamps = Stamps::Instants;
        }
        match &found {
            Some((other, _, name)) if *other != stamps => {
                let is_joined = table != Table::Bars;
                if is_joined && (*other == Stamps::Dates || stamps == Stamps::Dates) {
                    let text =
                        format!("{name} and {}: one has dates, the other times", file.name());
                    return Err(Error::data("D303", text).with_hint(
                        "store dates in every file of the table, or times in every one",
                    ));
                }
                found = Some((Stamps::Instants, zone, file.name()));
            }
            Some(_) => {}
            None => found = Some((stamps, zone, file.name())),
        }
    }
    Ok(found.map_or((Stamps::Instants, TimeZone::UTC), |(stamps, zone, _)| (stamps, zone)))
}

/// Whether the files say when their rows were available; all of them or none.
pub(super) fn common_available_at(tables: &[TableFile]) -> Result<bool> {
    let has = |file: &TableFile| file.roles().available_at.is_some();
    let (with, without) = (tables.iter().find(|f| has(f)), tables.iter().find(|f| !has(f)));
    if let (Some(with), Some(without)) = (with, without) {
        return Err(Error::data(
            "D104",
            format!("{} has a column available_at, {} has none", with.name(), without.name()),
        )
        .with_hint("write the column to every file of the table"));
    }
    Ok(with.is_some())
}

/// Facts about columns and zones that the report tells.
pub(super) fn note_facts(
    tables: &[TableFile],
    options: &ReadOptions,
    table: Table,
    ledger: &mut Ledger,
) -> Result<()> {
    let mut zones: Option<(bool, &str)> = None;
    let mut needs_zone = false;
    for file in tables {
        ledger.repairs.mapped_columns.extend(file.roles().mapped.iter().cloned());
        let (has_zone, is_date) = file.zone_facts();
        needs_zone |= !has_zone;
        ledger.has_naive_clock |= !has_zone && !is_date && options.tz.is_none();
        match zones {
            _ if is_date => {}
            Some((other, name)) if other != has_zone && options.tz.is_none() => {
                return Err(Error::data(
                    "D303",
                    format!(
                        "{name} and {}: one has times with a zone, the other without",
                        file.name()
                    ),
                )
                .with_hint("name the zone of the times without one: tz: America/New_York"));
            }
            _ => zones = Some((has_zone, file.name())),
        }
        for column in file.columns() {
            let known = canonical(&column.name);
            let is_price = BAR_COLUMNS.contains(&known.as_str());
            let (code, message, fix) = match column.type_name.as_str() {
                "Float32" if is_price && table == Table::Bars => {
                    ("D104", "stored as float32, which holds 7 digits", "store prices as float64")
                }
                "Int64" | "UInt64" if known == "timestamp" => (
                    "D304",
                    "integers without a unit; the unit is told by their magnitude",
                    "store the column as a timestamp",
                ),
                "Float64" if known == "timestamp" => (
                    "D304",
                    "floating-point numbers without a unit; the unit is told by their magnitude",
                    "store the column as a timestamp",
                ),
                text if known == "timestamp" && text.contains("Utf8") => (
                    "D304",
                    "times stored as text; a text without a zone is read as local time of tz (UTC)",
                    "store the column as a timestamp",
                ),
                _ if column.name.trim() != column.name => {
                    ("D104", "the name has outer blanks; they are ignored", "rename the column")
                }
                _ => continue,
            };
            let severity = Severity::Warning;
            ledger.count(&Rule { severity, code, column: &known, message, fix }, 1);
        }
        if table == Table::Bars && !file.has_volume() {
            let rule = Rule {
                severity: Severity::Warning,
                code: "D104",
                column: "volume",
                message: "no volume column; volume is missing in every row",
                fix: "add the column when the market has volumes",
            };
            ledger.count(&rule, 1);
        }
        if file.roles().symbol_is_stem && matches!(file.roles().symbol, SymbolFrom::Constant(_)) {
            let rule = Rule {
                severity: Severity::Note,
                code: "D104",
                column: "symbol",
                message: "no symbol column; the symbol is the name of the file, or of a frame the \
                          one that was asked for",
                fix: "",
            };
            ledger.count(&rule, 1);
        }
    }
    if needs_zone && options.tz.is_none() && options.calendar.is_none() {
        ledger.repairs.naive_tz = Some("UTC".to_owned());
    }
    Ok(())
}
