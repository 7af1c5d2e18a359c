//! The symbols of a table: found in its files, compared with the asked ones, their names checked.

use std::collections::BTreeSet;

use super::ledger::{Ledger, Rule};
use super::names::{near_miss, unknown_name};
use super::options::ReadOptions;
use super::report::Severity;
use super::table_file::TableFile;
use crate::base::{Error, Result, Symbols};

/// No market has longer names; a longer one is a damaged cell.
pub(super) const SYMBOL_BYTES: usize = 256;

/// The symbols of the read: those of the run, the asked ones, or all of the files, in text order.
pub(super) fn symbols_of(
    tables: &[TableFile],
    options: &ReadOptions,
    run_symbols: Option<&Symbols>,
    ledger: &mut Ledger,
) -> Result<Symbols> {
    let mut names = BTreeSet::new();
    for table in tables {
        table.collect_symbols(&mut names)?;
    }
    let all: Vec<String> = names.into_iter().collect();
    if let (Some(wanted), None) = (&options.symbols, run_symbols) {
        check_wanted(wanted, &all, tables)?;
    }
    check_names(&all, ledger);
    if let Some(symbols) = run_symbols {
        if options.symbols.is_none() {
            let strangers: Vec<&str> =
                all.iter().map(String::as_str).filter(|n| symbols.id(n).is_none()).collect();
            if let Some(first) = strangers.first() {
                let listed = strangers.iter().take(5).copied().collect::<Vec<_>>().join(", ");
                return Err(Error::data(
                    "D602",
                    format!("signals: {} symbols have no bars: {listed}", strangers.len()),
                )
                .with_hint(match near_miss(first, symbols.iter()) {
                    Some(near) => format!("did you mean {near:?} in place of {first:?}?"),
                    None => "add their bars, or name the symbols of the run".to_owned(),
                }));
            }
        }
        return Ok(symbols.clone());
    }
    Ok(match &options.symbols {
        Some(wanted) => Symbols::new(wanted.iter().map(String::as_str)),
        None => Symbols::new(all),
    })
}

/// A symbol may have no row in the range, but it has to be somewhere in the files.
fn check_wanted(wanted: &[String], found: &[String], tables: &[TableFile]) -> Result<()> {
    if wanted.iter().all(|name| found.contains(name)) {
        return Ok(());
    }
    let mut names: BTreeSet<String> = found.iter().cloned().collect();
    for table in tables {
        if let TableFile::Parquet(table) = table {
            table.collect_all_symbols(&mut names)?;
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    match wanted.iter().find(|name| !names.contains(name)) {
        Some(missing) => Err(unknown_name("D601", "symbol", missing, &names)),
        None => Ok(()),
    }
}

/// Names that a reader of the report would take for one another.
fn check_names(names: &[String], ledger: &mut Ledger) {
    let plain = |name: &str| -> String {
        composed(name)
            .chars()
            .filter(|c| !c.is_whitespace() && !is_invisible(*c))
            .flat_map(char::to_lowercase)
            .collect()
    };
    for name in names {
        let shown: String = name.chars().take(40).collect();
        let (severity, fault) = match name {
            _ if name.trim().is_empty() => (Severity::Error, "is empty or blank"),
            _ if name.chars().any(char::is_control) => {
                (Severity::Error, "holds a control character")
            }
            _ if name.len() > SYMBOL_BYTES => (Severity::Error, "has more than 256 bytes"),
            _ if name.trim() != name || name.chars().any(is_invisible) => {
                (Severity::Warning, "has outer blanks or invisible characters")
            }
            _ => continue,
        };
        let message = format!("symbol {shown:?} {fault}");
        let fix = "write the symbol as the market does";
        ledger.count(&Rule { severity, code: "D401", column: "symbol", message: &message, fix }, 1);
    }
    let mut sorted: Vec<(String, &String)> = names.iter().map(|name| (plain(name), name)).collect();
    sorted.sort();
    for pair in sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0 && !pair[0].0.is_empty()) {
        let message = format!(
            "{:?} and {:?} differ only by blanks, case, invisible characters or Unicode form",
            pair[0].1, pair[1].1
        );
        let rule = Rule {
            severity: Severity::Warning,
            code: "D401",
            column: "symbol",
            message: &message,
            fix: "write one symbol one way",
        };
        ledger.count(&rule, 1);
    }
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// Letters with their marks as one character, for the marks of European languages: the same name
/// may be written either way.
fn composed(name: &str) -> String {
    const MARKS: [(char, &str, &str); 8] = [
        ('\u{300}', "AEIOUaeiouNn", "ÀÈÌÒÙàèìòùǸǹ"),
        ('\u{301}', "AEIOUYaeiouyCcNnSsZzLlRr", "ÁÉÍÓÚÝáéíóúýĆćŃńŚśŹźĹĺŔŕ"),
        ('\u{302}', "AEIOUaeiouCcGgHhSsWwYy", "ÂÊÎÔÛâêîôûĈĉĜĝĤĥŜŝŴŵŶŷ"),
        ('\u{303}', "ANOIUanoiu", "ÃÑÕĨŨãñõĩũ"),
        ('\u{308}', "AEIOUYaeiouy", "ÄËÏÖÜŸäëïöüÿ"),
        ('\u{30a}', "AUau", "ÅŮåů"),
        ('\u{30c}', "CDENRSTZcdenrstz", "ČĎĚŇŘŠŤŽčďěňřšťž"),
        ('\u{327}', "CSTGKLNRcstgklnr", "ÇŞŢĢĶĻŅŖçşţģķļņŗ"),
    ];
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let mark = MARKS.iter().find(|(mark, ..)| *mark == c);
        let letter = mark.and_then(|(_, letters, composed)| {
            let at = letters.chars().position(|letter| out.ends_with(letter))?;
            composed.chars().nth(at)
        });
        match letter {
            Some(letter) => {
                out.pop();
                out.push(letter);
            }
            None => out.push(c),
        }
    }
    out
}
