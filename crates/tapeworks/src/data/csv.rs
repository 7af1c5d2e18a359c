//! Text tables.

use jiff::tz::TimeZone;

use super::loaded::Content;
use super::options::CsvFormat;
use super::plan::{FoundColumn, Roles};
use super::source::SourceFile;
use crate::base::{Error, Result};

#[derive(Debug)]
pub(crate) struct CsvTable {}

impl CsvTable {
    pub(crate) fn open(source: &SourceFile, _format: &CsvFormat) -> Result<Self> {
        Err(Error::data("D102", format!("{}: text tables are not read yet", source.name)))
    }

    pub(crate) fn columns(&self) -> Vec<FoundColumn> {
        Vec::new()
    }

    pub(crate) fn bytes(&self) -> u64 {
        0
    }

    pub(crate) fn read(
        self,
        _roles: Roles,
        _values: &[Option<usize>],
        _zone: &TimeZone,
        _file_idx: u32,
    ) -> Result<Content> {
        Err(Error::data("D102", "text tables are not read yet"))
    }
}
