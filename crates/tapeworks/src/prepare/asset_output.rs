//! Asset data on their way to one file, or to a folder with a file a month or a symbol.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::options::PartitionBy;
use super::part_file::{PartFile, ROW_GROUP_ROWS, Rows, Shape};
use super::report::PreparedFile;
use crate::base::{AssetId, AtomicFile, Error, Result, Symbols};

/// Files that may be open at a time.
const N_OPEN_MAX: usize = 512;
/// Rows that all open files of a folder hold in memory together.
const OPEN_ROWS: usize = 1 << 19;
/// A folder of ours has it; another one is not replaced.
const MARKER: &str = "_tapeworks_prepared";

/// The rows a row group has when `n_files` files are open at a time.
pub(super) fn row_group_rows(partition_by: Option<PartitionBy>, n_symbols: usize) -> usize {
    match partition_by {
        Some(PartitionBy::Symbol) => (OPEN_ROWS / n_symbols.max(1)).clamp(1024, ROW_GROUP_ROWS),
        _ => ROW_GROUP_ROWS,
    }
}

/// Asset data that are being written.
pub(super) enum AssetOutput {
    Single {
        target: PathBuf,
        part: Box<PartFile>,
    },
    Months {
        folder: StagedFolder,
        shape: Box<Shape>,
        zone: TimeZone,
        open: Option<Box<Month>>,
    },
    Symbols {
        folder: StagedFolder,
        shape: Box<Shape>,
        names: Arc<Symbols>,
        open: Vec<Option<Part>>,
    },
}

pub(super) struct Month {
    label: String,
    path: PathBuf,
    part: PartFile,
}

pub(super) struct Part {
    path: PathBuf,
    file: PartFile,
}

/// Asset data that are complete and not yet in their place.
pub(super) enum StagedAssets {
    Single { target: PathBuf, file: AtomicFile, n_rows: u64 },
    Folder(StagedFolder),
}

impl AssetOutput {
    pub(super) fn create(
        target: &Path,
        partition_by: Option<PartitionBy>,
        shape: Shape,
        names: &Arc<Symbols>,
        zone: TimeZone,
    ) -> Result<Self> {
        let Some(by) = partition_by else {
            if target.is_dir() {
                return Err(Error::output("W104", format!("{} is a folder", target.display()))
                    .with_hint("name a file, or partition by month or symbol"));
            }
            return Ok(Self::Single {
                target: target.to_path_buf(),
                part: Box::new(PartFile::create(target, &shape)?),
            });
        };
        if by == PartitionBy::Symbol && names.len() > N_OPEN_MAX {
            return Err(Error::config(
                "C301",
                format!(
                    "partition_by symbol keeps a file open for each of {} symbols; {N_OPEN_MAX} \
                     are the most",
                    names.len()
                ),
            )
            .with_hint("partition by month, or prepare the symbols in parts"));
        }
        let folder = StagedFolder::create(target)?;
        let shape = Box::new(shape);
        Ok(match by {
            PartitionBy::Month => Self::Months { folder, shape, zone, open: None },
            PartitionBy::Symbol => {
                let names = Arc::clone(names);
                let open = names.iter().map(|_| None).collect();
                Self::Symbols { folder, shape, names, open }
            }
        })
    }

    /// Appends rows; they ascend by (timestamp, asset) over all calls.
    pub(super) fn push(&mut self, rows: &Rows<'_>) -> Result<()> {
        let n = rows.timestamps.len();
        match self {
            Self::Single { target, part } => part.push(rows, 0..n, target),
            Self::Months { folder, shape, zone, open } => {
                let mut from = 0;
                while from < n {
                    let now = rows.timestamps[from];
                    let (label, end) = month(now, zone)?;
                    let to = from + rows.timestamps[from..].partition_point(|&t| t < end);
                    if open.as_ref().is_none_or(|month| month.label != label) {
                        if let Some(done) = open.take() {
                            folder.finish(done.part, &done.path)?;
                        }
                        let path = folder.part_path("month", &label)?;
                        let part = PartFile::create(&path, shape)?;
                        *open = Some(Box::new(Month { label, path, part }));
                    }
                    let month = open.as_mut().expect("Invariant: opened above");
                    month.part.push(rows, from..to, &month.path)?;
                    from = to;
                }
                Ok(())
            }
            Self::Symbols { folder, shape, names, open } => {
                for (i, &asset) in rows.assets.iter().enumerate() {
                    let slot = &mut open[asset as usize];
                    if slot.is_none() {
                        let path = folder.part_path("symbol", names.name(AssetId(asset)))?;
                        let file = PartFile::create(&path, shape)?;
                        *slot = Some(Part { path, file });
                    }
                    let part = slot.as_mut().expect("Invariant: opened above");
                    part.file.push(rows, i..i + 1, &part.path)?;
                }
                Ok(())
            }
        }
    }

    /// Completes the files.
    pub(super) fn finish(self) -> Result<StagedAssets> {
        match self {
            Self::Single { target, part } => {
                let (file, n_rows) = part.finish(&target)?;
                Ok(StagedAssets::Single { target, file, n_rows })
            }
            Self::Months { mut folder, open, .. } => {
                if let Some(done) = open {
                    folder.finish(done.part, &done.path)?;
                }
                Ok(StagedAssets::Folder(folder))
            }
            Self::Symbols { mut folder, open, .. } => {
                for part in open.into_iter().flatten() {
                    folder.finish(part.file, &part.path)?;
                }
                Ok(StagedAssets::Folder(folder))
            }
        }
    }
}

impl StagedAssets {
    /// Where the data are until the commit.
    pub(super) fn path(&mut self) -> Result<PathBuf> {
        match self {
            Self::Single { file, .. } => Ok(file.sync()?.to_path_buf()),
            Self::Folder(folder) => Ok(folder.temporary.clone()),
        }
    }

    /// Puts the data in their place, and lists the files.
    pub(super) fn commit(self) -> Result<Vec<PreparedFile>> {
        match self {
            Self::Single { target, file, n_rows } => {
                let bytes = file.commit()?;
                Ok(vec![PreparedFile::new("asset_data", &target, n_rows, bytes)])
            }
            Self::Folder(folder) => folder.commit(),
        }
    }
}

/// A folder under construction: `.NAME.tmp-PID` beside its target. Dropped before the commit, it
/// removes what it holds.
pub(super) struct StagedFolder {
    temporary: PathBuf,
    target: PathBuf,
    files: Vec<PreparedFile>,
    is_committed: bool,
}

impl StagedFolder {
    fn create(target: &Path) -> Result<Self> {
        check_target(target)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let temporary = target.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
        let failed = |cause: io::Error| {
            Error::output("W101", format!("cannot create {}: {cause}", target.display()))
                .with_hint("the folder above must exist and be writable")
        };
        if temporary.exists() {
            // Left by a killed process that had this process' id.
            fs::remove_dir_all(&temporary).map_err(failed)?;
        }
        fs::create_dir(&temporary).map_err(failed)?;
        let target = target.to_path_buf();
        let folder = Self { temporary, target, files: Vec::new(), is_committed: false };
        fs::write(folder.temporary.join(MARKER), b"made by tapeworks prepare\n").map_err(failed)?;
        Ok(folder)
    }

    /// The path of a part, whose folder is made.
    fn part_path(&self, key: &str, value: &str) -> Result<PathBuf> {
        let folder = self.temporary.join(format!("{key}={}", escaped(value)));
        fs::create_dir_all(&folder).map_err(|cause| {
            Error::output("W101", format!("cannot create {}: {cause}", folder.display()))
        })?;
        Ok(folder.join("part-0.parquet"))
    }

    fn finish(&mut self, part: PartFile, path: &Path) -> Result<()> {
        let (file, n_rows) = part.finish(path)?;
        let bytes = file.commit()?;
        let below = path.strip_prefix(&self.temporary).unwrap_or(path);
        let target = self.target.join(below);
        self.files.push(PreparedFile::new("asset_data", &target, n_rows, bytes));
        Ok(())
    }

    fn commit(mut self) -> Result<Vec<PreparedFile>> {
        check_target(&self.target)?;
        let failed = |cause: io::Error| {
            Error::output("W103", format!("cannot name {}: {cause}", self.target.display()))
        };
        sync(&self.temporary).map_err(failed)?;
        let old = self.temporary.with_extension(format!("old-{}", std::process::id()));
        let replaces = self.target.exists();
        if replaces {
            fs::rename(&self.target, &old).map_err(failed)?;
        }
        if let Err(cause) = fs::rename(&self.temporary, &self.target) {
            if replaces {
                let _ = fs::rename(&old, &self.target);
            }
            return Err(failed(cause));
        }
        if replaces {
            // The new data are in place; what is left of the old ones does no harm.
            let _ = fs::remove_dir_all(&old);
        }
        self.is_committed = true;
        let parent = self.target.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync(parent.unwrap_or(Path::new("."))).map_err(failed)?;
        Ok(std::mem::take(&mut self.files))
    }
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        if !self.is_committed {
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

/// A folder may stand where nothing is, where one is empty, or in place of one of ours.
fn check_target(target: &Path) -> Result<()> {
    let refuse = |reason: &str| {
        Err(Error::output("W104", format!("{} {reason}", target.display()))
            .with_hint("name another folder"))
    };
    if target.file_name().is_none() {
        return refuse("is no name of a folder");
    }
    match fs::symlink_metadata(target) {
        Err(_) => Ok(()),
        Ok(facts) if facts.is_dir() => {
            let is_empty = fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none());
            if is_empty || target.join(MARKER).is_file() {
                Ok(())
            } else {
                refuse("exists and holds no prepared data, it is left alone")
            }
        }
        Ok(_) => refuse("exists and is no folder"),
    }
}

#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// A name as part of a path: what is no letter, digit, `-`, `_` or `.` becomes `%XX`.
fn escaped(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.extend(
                [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[digit as usize])),
            );
        }
    }
    text
}

/// `2024-03` and the instant at which the next month begins.
fn month(now: i64, zone: &TimeZone) -> Result<(String, i64)> {
    let beyond = || Error::data("D304", "a month ends beyond the year 2262");
    let instant = jiff::Timestamp::from_nanosecond(i128::from(now)).map_err(|_| beyond())?;
    let first = instant.to_zoned(zone.clone()).date().first_of_month();
    let next = first.checked_add(jiff::Span::new().months(1)).map_err(|_| beyond())?;
    let end = next.to_zoned(zone.clone()).map_err(|_| beyond())?.timestamp().as_nanosecond();
    let end = i64::try_from(end).map_err(|_| beyond())?;
    Ok((format!("{:04}-{:02}", first.year(), first.month()), end))
}
