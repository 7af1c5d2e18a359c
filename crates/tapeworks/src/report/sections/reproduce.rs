//! What is needed to get the same numbers again, and what to doubt about them.

use serde_json::{Value, json};

use crate::report::ReportInput;

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let facts = &input.facts;
    let warnings: Vec<&String> = facts.warnings.iter().chain(&input.records.log().notes).collect();
    json!({
        "run_id": facts.run_id,
        "data_fingerprint": facts.data_fingerprint,
        "config_yaml": facts.config_yaml,
        "versions": facts.versions,
        "inputs": facts.inputs,
        "data": facts.data,
        "checks": facts.checks,
        "repairs": facts.repairs,
        "warnings": warnings,
        "unverified": facts.unverified,
        "not_modelled": facts.not_modelled,
    })
}
