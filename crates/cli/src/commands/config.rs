//! `tapeworks config`: schema, resolved values, a starter.

use std::fs::OpenOptions;
use std::io::{self, Write};

use serde_json::json;
use tapeworks::base::Error;
use tapeworks::run::LoadedConfig;
use tapeworks::run::config::{self, OriginRow};

use super::overlay;
use crate::args::{ConfigInit, ConfigShow};
use crate::terminal::{Outcome, Terminal};

pub fn schema(terminal: &Terminal) -> Outcome<u8> {
    terminal.print_json(&config::schema())?;
    Ok(0)
}

pub fn show(arguments: &ConfigShow, threads: Option<u16>, terminal: &Terminal) -> Outcome<u8> {
    let overlay = overlay(&arguments.overrides, threads)?;
    let loaded = LoadedConfig::read(&arguments.config, &overlay)?;
    for warning in loaded.warnings() {
        terminal.warn(&warning);
    }
    match (terminal.json, arguments.origin) {
        (true, false) => terminal.print_json(&json!(loaded.config))?,
        (false, false) => terminal.print(&loaded.config.to_yaml()?)?,
        (true, true) => {
            let rows: Vec<_> = loaded
                .origins()
                .iter()
                .map(|row| {
                    let value: serde_json::Value =
                        serde_json::from_str(&row.value).unwrap_or_default();
                    json!({"key": row.key, "value": value, "origin": row.origin.to_string()})
                })
                .collect();
            terminal.print_json(&json!(rows))?;
        }
        (false, true) => terminal.print(&origin_table(&loaded.origins()))?,
    }
    Ok(0)
}

fn origin_table(rows: &[OriginRow]) -> String {
    let key_width = rows.iter().map(|row| row.key.len()).max().unwrap_or(0);
    let value_width = rows.iter().map(|row| row.value.len().min(40)).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        let line = format!("{:key_width$}  {:value_width$}  {}", row.key, row.value, row.origin);
        text += line.trim_end();
        text.push('\n');
    }
    text
}

pub fn init(arguments: &ConfigInit, terminal: &Terminal) -> Outcome<u8> {
    let text = config::starter();
    let Some(path) = &arguments.path else {
        terminal.print(text)?;
        return Ok(0);
    };
    let failed = |cause: io::Error| {
        let reason = match cause.kind() {
            io::ErrorKind::AlreadyExists => "it exists and is left alone".to_owned(),
            _ => cause.to_string(),
        };
        Error::output("W101", format!("cannot write {}: {reason}", path.display()))
            .with_hint("name another file")
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    terminal.print(&path.display().to_string())?;
    terminal.note(&format!("next: `tapeworks run {}`", path.display()));
    Ok(0)
}
