//! The config that `config init` hands out.

/// A commented config; `data` and `context` are the paths it names.
#[must_use]
pub fn starter(data: &str, context: &str) -> String {
    TEMPLATE.replace("@DATA@", data).replace("@CONTEXT@", context)
}

const TEMPLATE: &str = include_str!("starter.yaml");
