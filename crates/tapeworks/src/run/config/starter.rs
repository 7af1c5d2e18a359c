//! The config that `config init` hands out.

/// A commented config that runs on the bundled sample.
#[must_use]
pub fn starter() -> &'static str {
    include_str!("starter.yaml")
}
