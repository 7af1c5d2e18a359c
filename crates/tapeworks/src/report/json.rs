//! The report as one JSON document: facts, metrics and sections, numbers unrounded.

use serde_json::{Map, Value, json};

use super::ReportInput;
use super::sections::SECTIONS;

/// Version of the document; a key is never renamed within one.
pub const SCHEMA_VERSION: u32 = 1;

/// The report as JSON: `schema_version`, `facts`, `metrics` (each `{value, reason, unit,
/// convention, n}`) and `sections` without drawings and embedded columns.
#[must_use]
pub fn json(input: &ReportInput<'_>) -> Value {
    let mut sections = Map::new();
    for section in SECTIONS {
        let mut value = (section.build)(input);
        if let Some(object) = value.as_object_mut() {
            object.retain(|key, _| key != "embed" && !key.ends_with("_svg"));
        }
        sections.insert(section.key.into(), value);
    }
    json!({
        "schema_version": SCHEMA_VERSION,
        "facts": input.facts,
        "metrics": input.metrics,
        "sections": sections,
    })
}
