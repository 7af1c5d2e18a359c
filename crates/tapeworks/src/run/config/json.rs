//! JSON into the tree.

use std::sync::Arc;

use super::tree::Node;
use super::yaml;
use crate::base::{Error, Result};

/// Parses a JSON document. `label` is the file as messages name it.
///
/// `serde_json` judges the syntax; the places come from the YAML reader, which reads every JSON
/// text. A raw tab can only stand between JSON tokens, so turning tabs into spaces for that
/// reader keeps both meaning and columns.
pub(super) fn parse(text: &str, label: &Arc<str>) -> Result<Node> {
    let judged: std::result::Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
    if let Err(error) = judged {
        let (line, column) = (error.line(), error.column());
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or(&reason);
        return Err(Error::config(
            "C101",
            format!("{label}:{line}:{column}: not a valid config, line {line}: {reason}"),
        )
        .with_hint("check commas, brackets and quotes near that line"));
    }
    yaml::parse(&text.replace('\t', " "), label)
}
