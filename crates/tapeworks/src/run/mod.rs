//! One config describes a whole run; wired once, for CLI and Python alike.

pub mod config;

pub use config::{Config, LoadedConfig, Overlay};
