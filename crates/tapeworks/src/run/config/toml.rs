//! TOML into the tree.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tree::{Entry, Node, Origin, Value};
use crate::base::{Error, Result};

/// Parses a TOML document. `label` is the file as messages name it.
pub(super) fn parse(text: &str, label: &Arc<str>) -> Result<Node> {
    let places = Places { text, label };
    let table = DeTable::parse(text).map_err(|error| {
        let at = places.at(error.span().map_or(0, |span| span.start));
        let Origin::File { line, .. } = &at else { unreachable!("places are in the file") };
        let reason = error.message().lines().next().unwrap_or("broken syntax").to_owned();
        Error::config("C101", format!("{at}: not a valid config, line {line}: {reason}"))
            .with_hint("check brackets, quotes and table headers near that line")
    })?;
    let origin = places.at(table.span().start);
    Ok(Node::new(Value::Map(entries(table.into_inner(), &places)?), origin))
}

struct Places<'a> {
    text: &'a str,
    label: &'a Arc<str>,
}

impl Places<'_> {
    fn at(&self, byte: usize) -> Origin {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Origin::File {
            file: self.label.clone(),
            line: before.matches('\n').count() as u64 + 1,
            column: before[line_start..].chars().count() as u64 + 1,
        }
    }
}

fn entries(table: DeTable<'_>, places: &Places<'_>) -> Result<Vec<Entry>> {
    table
        .into_iter()
        .map(|(key, value)| {
            let origin = places.at(key.span().start);
            Ok(Entry { key: key.into_inner().into_owned(), origin, node: node(value, places)? })
        })
        .collect()
}

fn node(spanned: Spanned<DeValue<'_>>, places: &Places<'_>) -> Result<Node> {
    let origin = places.at(spanned.span().start);
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(digits) => {
            let parsed = i128::from_str_radix(digits.as_str(), digits.radix());
            Value::Int(parsed.map_err(|_| {
                Error::config("C101", format!("{origin}: {} is too large", digits.as_str()))
            })?)
        }
        DeValue::Float(digits) => Value::Float(digits.as_str().parse().map_err(|_| {
            Error::config("C101", format!("{origin}: {} is no number", digits.as_str()))
        })?),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => {
            let items: Result<Vec<Node>> =
                items.into_iter().map(|item| node(item, places)).collect();
            Value::List(items?)
        }
        DeValue::Table(table) => Value::Map(entries(table, places)?),
    };
    Ok(Node::new(value, origin))
}
