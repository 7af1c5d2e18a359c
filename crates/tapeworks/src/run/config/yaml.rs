//! YAML (and JSON, which YAML contains) into the tree.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use serde_saphyr::options::NonFiniteFloatPolicy;

use super::tree::{Entry, Node, Origin, Value};
use crate::base::{Error, Result};

/// Most nodes a config may have; far above any real one, far below a bomb of aliases.
const MAX_NODES: usize = 50_000;

/// Parses one YAML document. `label` is the file as messages name it.
pub(super) fn parse(text: &str, label: &Arc<str>) -> Result<Node> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: MAX_NODES },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    let parsed = serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options);
    parsed.map(|raw| node(raw, text, label)).map_err(|error| explain(&error, text, label))
}

/// The type of a scalar or flow value that stands alone, as in `--set key=value`.
pub(super) fn parse_fragment(text: &str, origin: &Origin) -> Node {
    let label: Arc<str> = Arc::from("");
    let mut parsed = parse(text, &label)
        .unwrap_or_else(|_| Node::new(Value::Text(text.to_owned()), origin.clone()));
    stamp(&mut parsed, origin);
    if !matches!(parsed.value, Value::List(_) | Value::Map(_)) {
        parsed.raw = Some(text.to_owned());
    }
    parsed
}

fn stamp(target: &mut Node, origin: &Origin) {
    target.origin = origin.clone();
    match &mut target.value {
        Value::List(items) => items.iter_mut().for_each(|item| stamp(item, origin)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.origin = origin.clone();
            stamp(&mut entry.node, origin);
        }),
        _ => {}
    }
}

fn explain(error: &serde_saphyr::Error, text: &str, label: &Arc<str>) -> Error {
    let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    let said = error.to_string();
    let reason = if said.contains("budget") {
        format!("more than {MAX_NODES} values or aliases")
    } else if said.contains("multiple YAML documents") {
        "a second document starts here, a config is one document".to_owned()
    } else if said.contains("duplicate mapping key") {
        let key = said.split(": ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or("");
        format!("the key {key} is given twice")
    } else {
        said.split(" at line ").next().unwrap_or(&said).to_owned()
    };
    let index = usize::try_from(line).unwrap_or(1).saturating_sub(1);
    let shown: String = text.lines().nth(index).unwrap_or("").trim().chars().take(60).collect();
    let message =
        format!("{label}:{line}:{column}: not a valid config, line {line}: {reason}; in {shown:?}");
    Error::config("C101", message)
        .with_hint("check indentation (spaces, no tabs), brackets and quotes near that line")
}

/// Whether the word `null` stands at a place; an empty value is null as well, but no word.
fn is_null_word(text: &str, at: serde_saphyr::Location) -> bool {
    let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).saturating_sub(1);
    let line = text.lines().nth(index(at.line())).unwrap_or("");
    let word: String = line.chars().skip(index(at.column())).take(4).collect();
    matches!(word.as_str(), "null" | "Null" | "NULL")
}

fn node(raw: Spanned<Raw>, text: &str, label: &Arc<str>) -> Node {
    let place = |at: serde_saphyr::Location| Origin::File {
        file: label.clone(),
        line: at.line(),
        column: at.column(),
    };
    let value = match raw.value {
        Raw::Null => Value::Null { is_word: is_null_word(text, raw.referenced) },
        Raw::Bool(value) => Value::Bool(value),
        Raw::Int(value) => Value::Int(value),
        Raw::Float(value) => Value::Float(value),
        Raw::Text(value) => Value::Text(value),
        Raw::List(items) => {
            Value::List(items.into_iter().map(|item| node(item, text, label)).collect())
        }
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    origin: place(key.referenced),
                    key: key.value,
                    node: node(value, text, label),
                })
                .collect(),
        ),
    };
    Node::new(value, place(raw.referenced))
}

enum Raw {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_unit<E>(self) -> std::result::Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> std::result::Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Raw, E> {
        Ok(Raw::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Raw, E> {
        Ok(Raw::Int(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> std::result::Result<Raw, E> {
        Ok(Raw::Int(value))
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
