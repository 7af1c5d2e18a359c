//! Typed reading of one mapping of the tree; every complaint names key, place and remedy.

use super::tree::{Node, Origin, Value};
use crate::base::spelling::nearest;
use crate::base::{Error, Result};

/// The bounds of a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bounds {
    /// Any finite number.
    Finite,
    /// Above 0.
    Positive,
    /// 0 or above.
    NotNegative,
    /// Above the first, at most the second.
    UpTo(f64, f64),
    /// At least the first, at most the second.
    Within(f64, f64),
}

impl Bounds {
    fn holds(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Self::Finite => true,
                Self::Positive => value > 0.0,
                Self::NotNegative => value >= 0.0,
                Self::UpTo(low, high) => value > low && value <= high,
                Self::Within(low, high) => value >= low && value <= high,
            }
    }

    fn rule(self) -> String {
        match self {
            Self::Finite => "a finite number".to_owned(),
            Self::Positive => "a number above 0".to_owned(),
            Self::NotNegative => "a number of 0 or above".to_owned(),
            Self::UpTo(low, high) => format!("a number above {low} and at most {high}"),
            Self::Within(low, high) => format!("a number from {low} to {high}"),
        }
    }
}

/// One mapping whose keys have been checked against the keys it may have.
#[derive(Debug)]
pub(super) struct Section<'a> {
    path: String,
    node: &'a Node,
    keys: &'a [&'a str],
}

impl<'a> Section<'a> {
    /// Checks that `node` is a mapping with no other keys than `keys`.
    pub fn open(node: &'a Node, path: &str, keys: &'a [&'a str]) -> Result<Self> {
        let Value::Map(entries) = &node.value else {
            return Err(expected(node, path, "a mapping of keys to values"));
        };
        let section = Self { path: path.to_owned(), node, keys };
        for entry in entries {
            if !keys.contains(&entry.key.as_str()) {
                return Err(section.unknown(&entry.key, &entry.origin));
            }
        }
        Ok(section)
    }

    fn unknown(&self, key: &str, origin: &Origin) -> Error {
        let guess = did_you_mean(key, self.keys.iter().copied());
        let place = if self.path.is_empty() { "a config" } else { &self.path };
        Error::config("C201", format!("{origin}: unknown key {}{guess}", self.path_of(key)))
            .with_hint(format!("keys of {place}: {}", self.keys.join(", ")))
    }

    /// The dotted path of a key of this section.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key, when given.
    pub fn node(&self, key: &str) -> Option<&'a Node> {
        debug_assert!(self.keys.contains(&key), "{key} is read but not listed in {}", self.path);
        self.node.child(key).map(|entry| &entry.node)
    }

    /// The complaint about a key that must be given.
    pub fn missing(&self, key: &str) -> Error {
        let origin = &self.node.origin;
        Error::config("C202", format!("{origin}: {} is missing", self.path_of(key))).with_hint(
            format!(
                "add {key}: to {}",
                if self.path.is_empty() { "the config" } else { &self.path }
            ),
        )
    }

    /// A complaint about the value of a key.
    pub fn bad(&self, key: &str, reason: &str) -> Error {
        let origin = self.node(key).map_or(&self.node.origin, |node| &node.origin);
        Error::config("C303", format!("{origin}: {}: {reason}", self.path_of(key)))
    }

    /// A complaint that what the value asks for does not exist in this version.
    pub fn not_available(&self, key: &str, what: &str, available: &str) -> Error {
        let origin = self.node(key).map_or(&self.node.origin, |node| &node.origin);
        Error::config(
            "C305",
            format!("{origin}: {}: {what} is not available in this version", self.path_of(key)),
        )
        .with_hint(format!("available: {available}"))
    }

    /// A text; a number or a boolean must be quoted to be one.
    pub fn text(&self, key: &str) -> Result<Option<String>> {
        self.node(key).map(|node| text_of(node, &self.path_of(key))).transpose()
    }

    /// A finite number within bounds.
    pub fn number(&self, key: &str, bounds: Bounds) -> Result<Option<f64>> {
        self.node(key).map(|node| number_of(node, &self.path_of(key), bounds)).transpose()
    }

    /// A whole number from `low` to `high`.
    pub fn whole(&self, key: &str, low: u64, high: u64) -> Result<Option<u64>> {
        let Some(node) = self.node(key) else { return Ok(None) };
        let rule = format!("a whole number from {low} to {high}");
        match node.value {
            Value::Int(value) => match u64::try_from(value) {
                Ok(value) if (low..=high).contains(&value) => Ok(Some(value)),
                _ => Err(out_of_range(node, &self.path_of(key), &rule)),
            },
            Value::Float(_) => Err(out_of_range(node, &self.path_of(key), &rule)),
            _ => Err(expected(node, &self.path_of(key), &rule)),
        }
    }

    /// True or false.
    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        let Some(node) = self.node(key) else { return Ok(None) };
        match node.value {
            Value::Bool(value) => Ok(Some(value)),
            _ => Err(expected(node, &self.path_of(key), "true or false")),
        }
    }

    /// A list of texts without empty ones.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>> {
        let Some(node) = self.node(key) else { return Ok(None) };
        let path = self.path_of(key);
        let Value::List(items) = &node.value else {
            return Err(expected(node, &path, "a list of texts"));
        };
        items.iter().map(|item| text_of(item, &path)).collect::<Result<_>>().map(Some)
    }

    /// A number that must be given.
    pub fn number_needed(&self, key: &str, bounds: Bounds) -> Result<f64> {
        self.number(key, bounds)?.ok_or_else(|| self.missing(key))
    }

    /// The value of the key `kind`, one of `kinds` with the keys that each may have; the section
    /// that comes back has these keys only.
    pub fn of_kind(
        node: &'a Node,
        path: &str,
        kinds: &'a [(&'a str, &'a [&'a str])],
    ) -> Result<(&'a str, Self)> {
        let Value::Map(_) = &node.value else {
            let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
            return Err(expected(node, path, "a mapping with the key kind")
                .with_hint(format!("kinds: {}", names.join(", "))));
        };
        let Some(kind) = node.child("kind") else {
            let missing = Self { path: path.to_owned(), node, keys: &["kind"] }.missing("kind");
            let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
            return Err(missing.with_hint(format!("add kind: one of {}", names.join(", "))));
        };
        let name = match &kind.node.value {
            Value::Null { is_word: true } => "none".to_owned(),
            _ => text_of(&kind.node, &format!("{path}.kind"))?,
        };
        let Some((name, keys)) = kinds.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
            let guess = did_you_mean(&name, names.iter().copied());
            let origin = &kind.node.origin;
            let message = format!("{origin}: {path}.kind: {name:?} is unknown{guess}");
            return Err(
                Error::config("C304", message).with_hint(format!("one of: {}", names.join(", ")))
            );
        };
        Ok((*name, Self::open(node, path, keys)?))
    }

    /// One of a closed list of names; `later` are names that exist in the product but not yet here.
    pub fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
        later: &[&str],
    ) -> Result<Option<T>> {
        let Some(node) = self.node(key) else { return Ok(None) };
        // A name that is a word of YAML or JSON is that name all the same.
        let text = match &node.value {
            Value::Null { is_word: true } if choices.iter().any(|(name, _)| *name == "null") => {
                "null".to_owned()
            }
            _ => text_of(node, &self.path_of(key))?,
        };
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Ok(Some(*value));
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        if later.contains(&text.as_str()) {
            return Err(self.not_available(key, &text, &names.join(", ")));
        }
        let guess = did_you_mean(&text, names.iter().copied());
        let reason = format!("{text:?} is unknown{guess}");
        let origin = self.node(key).map_or(&self.node.origin, |node| &node.origin);
        Err(Error::config("C304", format!("{origin}: {}: {reason}", self.path_of(key)))
            .with_hint(format!("one of: {}", names.join(", "))))
    }
}

/// `, did you mean NAME` when a known name is near, or begins with what was written; else nothing.
pub(super) fn did_you_mean<'k>(
    word: &str,
    mut known: impl Iterator<Item = &'k str> + Clone,
) -> String {
    let begins = |name: &&str| word.len() >= 3 && name.starts_with(word);
    let found = nearest(word, known.clone()).or_else(|| known.find(begins));
    found.map_or_else(String::new, |name| format!(", did you mean {name}"))
}

/// A text that is not empty.
pub(super) fn text_of(node: &Node, path: &str) -> Result<String> {
    let text = match (&node.raw, &node.value) {
        (Some(raw), _) => raw,
        (None, Value::Text(text)) => text,
        (None, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => {
            let complaint = expected(node, path, "a text");
            return Err(complaint.with_hint("put the value in quotes to make it a text"));
        }
        _ => return Err(expected(node, path, "a text")),
    };
    if text.trim().is_empty() {
        return Err(out_of_range(node, path, "a text that is not empty"));
    }
    Ok(text.clone())
}

/// A finite number within bounds.
pub(super) fn number_of(node: &Node, path: &str, bounds: Bounds) -> Result<f64> {
    let value = match node.value {
        Value::Int(value) => value as f64,
        Value::Float(value) => value,
        _ => return Err(expected(node, path, &bounds.rule())),
    };
    if bounds.holds(value) { Ok(value) } else { Err(out_of_range(node, path, &bounds.rule())) }
}

/// The complaint about a value of the wrong type.
pub(super) fn expected(node: &Node, path: &str, rule: &str) -> Error {
    let what = if path.is_empty() { "the config" } else { path };
    Error::config("C302", format!("{}: {what} is {}, expected {rule}", node.origin, node.shown()))
}

fn out_of_range(node: &Node, path: &str, rule: &str) -> Error {
    Error::config("C303", format!("{}: {path} is {}, expected {rule}", node.origin, node.shown()))
}
