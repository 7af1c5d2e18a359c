//! One config describes a whole run; wired once, for CLI and Python alike.
//!
//! In: a config ([`config`]), or the log of a run that was made by hand ([`conclude`]). Out: an
//! [`Outcome`], and with [`Outcome::save`] a run folder: resolved config, metrics, eight tables,
//! the report, and last a manifest with the hash of each.
//!
//! Invariants: a run folder appears whole or not at all; two runs of one config on the same files
//! differ in one field, the caller's clock; nothing in a config is ignored without a word.
//!
//! To add a key, see [`config`]; to add a file of the run folder, a line in [`Outcome::save`].

pub mod config;
mod content_hash;

mod by_hand;
mod check_data;
mod compare;
mod estimate;
mod execute;
mod fingerprint;
mod folder;
mod inputs;
mod manifest;
mod not_charged;
mod outcome;
mod prepare;
mod preview;
mod resume;
mod sample;
mod saved;
mod semantics_change;
mod terms;
mod wire;

pub use by_hand::{batches_input, describe_costs, describe_rule, file_input, rule_strategy};
pub use compare::{FIRST_FILL, Side, compare};
pub use config::{Config, LoadedConfig, Overlay};
pub use execute::{Event, Stage, execute, execute_with, same_instant};
pub use fingerprint::fingerprint;
pub use folder::{check_target, temporary_name};
pub use manifest::{FileEntry, InputEntry, MANIFEST, MANIFEST_VERSION, Manifest};
pub use outcome::{Outcome, RunParts, SavedFolder, VERSION, conclude, write_file};
pub use prepare::prepare;
pub use preview::{Preview, preview};
pub use resume::{
    MoreRows, ReadTable, check_continuation, check_later, config_read_options, extended,
    last_timestamp, saved_config,
};
pub use sample::{DEMO_CONFIG, SAMPLE_PREFIX, sample_bytes, sample_reader};
pub use saved::{SavedRun, load};
pub use semantics_change::{KnobValue, change_knob, semantics_named, semantics_names};
pub use terms::check_symbols;
