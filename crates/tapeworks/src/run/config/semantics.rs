//! `execution.semantics`: a name, or a name with knobs changed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::section::expected;
use super::tree::{Node, Value};
use crate::base::{Error, Result};
use crate::broker::Semantics;
use crate::run::semantics_change::{
    KnobValue, change_knob, knobs, semantics_named, semantics_names,
};

/// How orders meet prices: the name of a set of rules, or a set with single knobs changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SemanticsConfig {
    /// One of the sets.
    Name(String),
    /// A set with changes.
    Changed {
        /// The set that is changed.
        base: String,
        /// The knobs that differ from it.
        #[serde(flatten)]
        knobs: BTreeMap<String, KnobValue>,
    },
}

impl Default for SemanticsConfig {
    fn default() -> Self {
        Self::Name(Semantics::REALISTIC.name.to_owned())
    }
}

impl SemanticsConfig {
    pub(super) fn read(node: &Node) -> Result<Self> {
        let path = "execution.semantics";
        match &node.value {
            Value::Text(name) => {
                semantics_named(name).map_err(|error| placed(&error, node, path))?;
                Ok(Self::Name(name.clone()))
            }
            Value::Map(entries) => {
                let mut base = Semantics::REALISTIC.name.to_owned();
                let mut changed = BTreeMap::new();
                let mut scratch = Semantics::REALISTIC;
                for entry in entries {
                    let path = format!("{path}.{}", entry.key);
                    let value = match &entry.node.value {
                        Value::Text(word) => KnobValue::Word(word.clone()),
                        Value::Bool(on) => KnobValue::Flag(*on),
                        Value::Int(number) => KnobValue::Number(*number as f64),
                        Value::Float(number) => KnobValue::Number(*number),
                        // `none` is a word of several knobs; `null` reads like it.
                        Value::Null { is_word: true } => KnobValue::Word("none".to_owned()),
                        _ => return Err(expected(&entry.node, &path, "a word or a number")),
                    };
                    match (entry.key.as_str(), value) {
                        ("base", KnobValue::Word(name)) => {
                            semantics_named(&name)
                                .map_err(|error| placed(&error, &entry.node, &path))?;
                            base = name;
                        }
                        ("base", _) => return Err(expected(&entry.node, &path, "a name")),
                        (knob, value) => {
                            change_knob(&mut scratch, knob, &value).map_err(|error| {
                                placed(&error, &entry.node, "execution.semantics")
                            })?;
                            changed.insert(knob.to_owned(), value);
                        }
                    }
                }
                Ok(Self::Changed { base, knobs: changed })
            }
            _ => Err(expected(node, path, "a name, or a mapping of base: and knobs")),
        }
    }

    /// The knobs as the engine takes them.
    ///
    /// # Errors
    /// `C330` for names that do not exist; configs that were read have passed this.
    pub fn semantics(&self) -> Result<Semantics> {
        match self {
            Self::Name(name) => semantics_named(name),
            Self::Changed { base, knobs } => {
                let mut semantics = semantics_named(base)?;
                for (knob, value) in knobs {
                    change_knob(&mut semantics, knob, value)?;
                }
                Ok(semantics)
            }
        }
    }
}

/// An error of a name or a knob, with its place.
fn placed(error: &Error, node: &Node, path: &str) -> Error {
    let message = format!("{}: {path}: {}", node.origin, error.message());
    let placed = Error::config("C304", message);
    match error.hint() {
        Some(hint) => placed.with_hint(hint),
        None => placed,
    }
}

impl JsonSchema for SemanticsConfig {
    fn schema_name() -> Cow<'static, str> {
        "SemanticsConfig".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = semantics_names().collect();
        let mut properties = serde_json::Map::new();
        properties.insert(
            "base".to_owned(),
            serde_json::json!({"enum": names, "description": "The set that is changed."}),
        );
        for (knob, takes) in knobs() {
            let schema = match takes {
                Ok(words) => serde_json::json!({"enum": words}),
                Err(rule) => {
                    let kind = if rule.starts_with("true") { "boolean" } else { "number" };
                    serde_json::json!({"type": kind, "description": rule})
                }
            };
            properties.insert(knob.to_owned(), schema);
        }
        json_schema!({
            "description": "How orders meet prices: the name of a set of rules, or a set with \
                            single knobs changed.",
            "oneOf": [
                {"enum": names},
                {"type": "object", "properties": properties, "additionalProperties": false}
            ]
        })
    }
}
