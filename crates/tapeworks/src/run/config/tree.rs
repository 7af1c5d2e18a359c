//! The text of a config as a tree of values, each with the place it came from.

use std::fmt;
use std::sync::Arc;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a file, at a line and column counted from 1.
    File {
        /// The file as it was named.
        file: Arc<str>,
        /// Line, from 1.
        line: u64,
        /// Column in characters, from 1.
        column: u64,
    },
    /// In an environment variable.
    Environment(String),
    /// In an override such as `--set a.b=1`, by its key.
    Override(String),
    /// Nowhere: the default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Override(key) => write!(f, "--set {key}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value with its origin.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub value: Value,
    pub origin: Origin,
    /// The unread text, where the type is not settled by quotes (overrides, `${NAME}`): a reader
    /// that wants text takes this, one that wants a number takes `value`.
    pub raw: Option<String>,
}

/// One key of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: String,
    pub origin: Origin,
    pub node: Node,
}

/// What YAML, TOML and JSON have in common.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Nothing: the word `null`, or an empty place.
    Null {
        /// The word was written.
        is_word: bool,
    },
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

impl Node {
    pub fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, raw: None }
    }

    /// The value of `key`, when this is a mapping that has it.
    pub fn child(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// Puts `node` at a dotted path, making mappings on the way; an existing value is replaced.
    pub fn put(&mut self, path: &[&str], node: Node) {
        let Some((&first, rest)) = path.split_first() else {
            *self = node;
            return;
        };
        if !matches!(self.value, Value::Map(_)) {
            *self = Self::new(Value::Map(Vec::new()), node.origin.clone());
        }
        let Value::Map(entries) = &mut self.value else { return };
        let position = entries.iter().position(|entry| entry.key == first).unwrap_or_else(|| {
            let origin = node.origin.clone();
            let empty = Self::new(Value::Map(Vec::new()), origin.clone());
            entries.push(Entry { key: first.to_owned(), origin, node: empty });
            entries.len() - 1
        });
        entries[position].node.put(rest, node);
    }

    /// The value as a message shows it.
    pub fn shown(&self) -> String {
        match (&self.raw, &self.value) {
            (Some(raw), _) => format!("{raw:?}"),
            (None, Value::Null { .. }) => "nothing".to_owned(),
            (None, Value::Bool(value)) => value.to_string(),
            (None, Value::Int(value)) => value.to_string(),
            (None, Value::Float(value)) => value.to_string(),
            (None, Value::Text(value)) => format!("{value:?}"),
            (None, Value::List(items)) => format!("a list of {}", items.len()),
            (None, Value::Map(_)) => "a mapping".to_owned(),
        }
    }
}
