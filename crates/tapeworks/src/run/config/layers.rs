//! From a file, the environment and overrides to one tree: the later wins.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::tree::{Node, Origin, Value};
use super::{json, toml, yaml};
use crate::base::{Error, Result};

/// Environment variables with this prefix set keys: `TAPEWORKS__EXECUTION__LOTS=fractional`.
pub const ENVIRONMENT_PREFIX: &str = "TAPEWORKS__";

/// Largest config file that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// What lies over the file: the environment as the caller sees it, and `key=value` overrides.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// Environment variables, for `${NAME}` and for `TAPEWORKS__A__B`.
    pub environment: BTreeMap<String, String>,
    /// Overrides in the order given, each a dotted key and the text of its value.
    pub overrides: Vec<(String, String)>,
}

impl Overlay {
    /// Adds an override written as `key=value`.
    ///
    /// # Errors
    /// `C307` when there is no `=` or no key.
    pub fn push(&mut self, assignment: &str) -> Result<()> {
        match assignment.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                self.overrides.push((key.trim().to_owned(), value.to_owned()));
                Ok(())
            }
            _ => Err(Error::config("C307", format!("{assignment:?} is no override"))
                .with_hint("write key=value, such as execution.commission.bps=1")),
        }
    }
}

/// Reads a config file into a tree and lays the overlay over it.
pub(super) fn read_tree(path: &Path, overlay: &Overlay) -> Result<Node> {
    let label = path.display().to_string();
    let text = read_text(path, &label)?;
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let format = match ending.as_deref() {
        Some("yaml" | "yml") => Format::Yaml,
        Some("toml") => Format::Toml,
        Some("json") => Format::Json,
        _ => {
            return Err(Error::config("C102", format!("{label} is no .yaml, .toml or .json file"))
                .with_hint("give the config one of these endings"));
        }
    };
    parse_tree(&text, format, &label, overlay)
}

/// The syntax of a config text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// TOML 1.
    Toml,
    /// JSON.
    Json,
}

/// Parses a config text and lays the overlay over it.
pub(super) fn parse_tree(
    text: &str,
    format: Format,
    label: &str,
    overlay: &Overlay,
) -> Result<Node> {
    let shared: Arc<str> = Arc::from(label);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Error::config("C102", format!("{label}: the config is empty"))
            .with_hint("`tapeworks config init` writes one to start from"));
    }
    let mut tree = match format {
        Format::Yaml => yaml::parse(text, &shared),
        Format::Toml => toml::parse(text, &shared),
        Format::Json => json::parse(text, &shared),
    }?;
    if !matches!(tree.value, Value::Map(_)) {
        let found = tree.shown();
        return Err(Error::config(
            "C302",
            format!("{}: the config is {found}, expected a mapping of sections", tree.origin),
        ));
    }
    substitute(&mut tree, &overlay.environment)?;
    for (name, value) in &overlay.environment {
        let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
        let key = rest.to_lowercase();
        let path: Vec<&str> = key.split("__").collect();
        put(&mut tree, &path, value, &Origin::Environment(name.clone()), overlay)?;
    }
    for (key, value) in &overlay.overrides {
        let path: Vec<&str> = key.split('.').collect();
        put(&mut tree, &path, value, &Origin::Override(key.clone()), overlay)?;
    }
    Ok(tree)
}

fn put(
    tree: &mut Node,
    path: &[&str],
    text: &str,
    origin: &Origin,
    overlay: &Overlay,
) -> Result<()> {
    if path.iter().any(|part| part.is_empty()) {
        return Err(Error::config("C307", format!("{origin}: a part of the key is empty"))
            .with_hint("write section.key, such as backtest.seed"));
    }
    let mut node = yaml::parse_fragment(text, origin);
    substitute(&mut node, &overlay.environment)?;
    tree.put(path, node);
    Ok(())
}

fn read_text(path: &Path, label: &str) -> Result<String> {
    let unreadable = |error: &std::io::Error| {
        Error::config("C102", format!("{label} cannot be read: {error}"))
            .with_hint("check the path of the config")
    };
    let facts = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !facts.is_file() {
        return Err(Error::config("C102", format!("{label} is no file")));
    }
    if facts.len() > MAX_BYTES {
        return Err(Error::config(
            "C102",
            format!("{label} has {} bytes, a config has at most {MAX_BYTES}", facts.len()),
        ));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].split(|byte| *byte == b'\n').count();
        Error::config("C101", format!("{label}:{line}: not utf-8 (byte {at})"))
            .with_hint("save the config as UTF-8")
    })
}

/// Replaces `${NAME}` in every text; `$${` stands for a literal `${`.
fn substitute(node: &mut Node, environment: &BTreeMap<String, String>) -> Result<()> {
    match &mut node.value {
        Value::List(items) => items.iter_mut().try_for_each(|item| substitute(item, environment)),
        Value::Map(entries) => {
            entries.iter_mut().try_for_each(|entry| substitute(&mut entry.node, environment))
        }
        Value::Text(text) if text.contains("${") => {
            let replaced = replace_names(text, &node.origin, environment)?;
            let whole = yaml::parse_fragment(&replaced, &node.origin);
            *node = match whole.value {
                Value::List(_) | Value::Map(_) | Value::Null { .. } => {
                    Node::new(Value::Text(replaced), node.origin.clone())
                }
                _ => whole,
            };
            Ok(())
        }
        _ => Ok(()),
    }
}

fn replace_names(
    text: &str,
    origin: &Origin,
    environment: &BTreeMap<String, String>,
) -> Result<String> {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if rest[..start].ends_with('$') {
            replaced.push_str(&rest[..start - 1]);
            replaced.push_str("${");
            rest = &rest[start + 2..];
            continue;
        }
        replaced.push_str(&rest[..start]);
        let Some(length) = rest[start..].find('}') else {
            return Err(Error::config("C306", format!("{origin}: {text:?} has ${{ without }}")));
        };
        let name = &rest[start + 2..start + length];
        let value = environment.get(name).ok_or_else(|| {
            Error::config("C306", format!("{origin}: the environment variable {name} is not set"))
                .with_hint(format!("set {name}, or write the value itself"))
        })?;
        replaced.push_str(value);
        rest = &rest[start + length + 1..];
    }
    replaced.push_str(rest);
    Ok(replaced)
}
