//! Where prepared data go, and in which shape.

use std::path::PathBuf;

use crate::base::spelling::nearest;
use crate::base::{Error, Result};

/// How asset data are spread over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionBy {
    /// A folder `month=YYYY-MM` for each month, in the zone of the preparer.
    Month,
    /// A folder `symbol=NAME` for each symbol.
    Symbol,
}

impl PartitionBy {
    /// Reads `month` or `symbol`.
    ///
    /// # Errors
    /// `C301` for another word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "month" => Ok(Self::Month),
            "symbol" => Ok(Self::Symbol),
            _ => Err(unknown("partition_by", word, &["month", "symbol"])),
        }
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Symbol => "symbol",
        }
    }
}

/// How pages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// zstd with its level, 1 to 22.
    Zstd(u8),
    /// Snappy: larger and quicker to read.
    Snappy,
    /// Not at all.
    None,
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(3)
    }
}

impl Compression {
    /// Reads `zstd`, `zstd:LEVEL`, `snappy` or `none`.
    ///
    /// # Errors
    /// `C301` for another word or level.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("zstd", level)) => {
                let level = level.parse().ok().filter(|level| (1..=22).contains(level));
                level.map(Self::Zstd).ok_or_else(|| {
                    Error::config("C301", format!("compression {text:?} has no level of zstd"))
                        .with_hint("levels are 1 (quick) to 22 (small); \"zstd:3\" is usual")
                })
            }
            None if text == "zstd" => Ok(Self::default()),
            None if text == "snappy" => Ok(Self::Snappy),
            None if text == "none" => Ok(Self::None),
            _ => Err(unknown("compression", text, &["zstd:3", "snappy", "none"])),
        }
    }
}

fn unknown(what: &str, given: &str, words: &[&str]) -> Error {
    let error = Error::config("C301", format!("{what} {given:?} is not known"));
    match nearest(given, words.iter().copied()) {
        Some(near) => error.with_hint(format!("did you mean {near:?}?")),
        None => error.with_hint(format!("write one of: {}", words.join(", "))),
    }
}

/// The files of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveOptions {
    /// The file of asset data, or the folder when they are partitioned.
    pub asset_output: PathBuf,
    /// The file of context data; given when, and only when, there is context.
    pub context_output: Option<PathBuf>,
    /// How asset data are spread over files; `None` is one file.
    pub partition_by: Option<PartitionBy>,
    /// How pages are compressed.
    pub compression: Compression,
    /// Writes a result that does not pass the checks, and says so in it. Prices of rows that break
    /// a rule become missing, unless the read options say otherwise.
    pub force: bool,
}

impl SaveOptions {
    /// One file, zstd 3.
    #[must_use]
    pub fn new(asset_output: impl Into<PathBuf>) -> Self {
        Self {
            asset_output: asset_output.into(),
            context_output: None,
            partition_by: None,
            compression: Compression::default(),
            force: false,
        }
    }
}
