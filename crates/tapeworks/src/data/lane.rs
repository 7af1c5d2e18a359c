//! Files of one lane follow one another in time; their blocks are filtered and checked here.

use std::collections::VecDeque;
use std::sync::Arc;

use super::actions::ExplainedMoves;
use super::block::{Block, is_ascending};
use super::check;
use super::clock::Stamps;
use super::group_columns::SecondThread;
use super::ledger::{Ledger, Rule};
use super::merge::Rows;
use super::options::{CheckLevel, OnBadRow};
use super::plan::Table;
use super::report::{Offender, Severity};
use super::{joined, session_rows};
use crate::base::{Calendar, Error, Result, Symbols, Timestamp};

/// What is true for a whole read.
#[derive(Debug)]
pub(crate) struct ReadFacts {
    pub(crate) table: Table,
    pub(crate) symbols: Arc<Symbols>,
    /// Names of the columns of each block.
    pub(crate) names: Vec<String>,
    pub(crate) files: Vec<FileFacts>,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) level: CheckLevel,
    pub(crate) on_bad_row: OnBadRow,
    /// Whether prices at or below 0 are prices.
    pub(crate) allow_negative: bool,
    /// Sessions of the market, for bars.
    pub(crate) calendar: Option<Arc<Calendar>>,
    /// What the stamps of its files are.
    pub(crate) stamps: Stamps,
    /// Columns of a block behind those of `names`.
    pub(crate) n_carried: usize,
    /// Whether the first two of them say when rows were available.
    pub(crate) has_available_at: bool,
    /// Moves of closes that corporate actions explain.
    pub(crate) explained: Option<Arc<ExplainedMoves>>,
    /// The instant after which rows lie in the future, when it is known.
    pub(crate) now: Option<i64>,
    /// Where a large file may decode beside the reader's own thread.
    pub(crate) second: SecondThread,
    /// Blocks carry one column more than `names`: ns from the start of a bar to its timestamp.
    pub(crate) has_lengths: bool,
    /// Whether bars were stamped at their start.
    pub(crate) is_start: bool,
    /// Whether nobody said what stamps name.
    pub(crate) is_label_left_out: bool,
    /// The step of such bars, where closes cut it.
    pub(crate) cut_step_ns: Option<i64>,
}

/// What is true for a file.
#[derive(Debug, Clone)]
pub(crate) struct FileFacts {
    pub(crate) name: String,
    pub(crate) has_volume: bool,
    /// Row ranges (0-based, half-open) that are checked at the level `fast`.
    pub(crate) sample: Vec<(u64, u64)>,
    /// The symbol that its folder names.
    pub(crate) expected_symbol: Option<String>,
    /// The times that its folder names, both ends included.
    pub(crate) expected_span: Option<(i64, i64)>,
    /// Whether its stamps name sessions.
    pub(crate) is_session: bool,
    /// How far behind its date or stamp a row may be known.
    pub(crate) reach_ns: i64,
}

impl ReadFacts {
    /// Columns of a block that was checked, and of a merged row.
    pub(crate) fn n_columns(&self) -> usize {
        self.names.len() + usize::from(self.has_lengths) + self.n_carried
    }

    /// The name of a column of a block.
    pub(crate) fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("start_time", String::as_str)
    }

    pub(crate) fn symbol(&self, asset: u32) -> &str {
        match asset as usize {
            i if i < self.symbols.len() => self.symbols.name(crate::base::AssetId(asset)),
            _ => "",
        }
    }

    /// The block in order of (timestamp, asset); what was out of order goes to the ledger.
    pub(crate) fn sort(&self, block: Block, ledger: &mut Ledger) -> Block {
        ledger.repairs.sorted_rows += block.n_out_of_time();
        let rule = Rule {
            severity: Severity::Warning,
            code: "D301",
            column: "timestamp",
            message: "rows unsorted: a later time of the same symbol stands before them; \
                      they were sorted",
            fix: "write the table sorted by timestamp and symbol",
        };
        for i in block.late_rows() {
            ledger.row(&rule, self.symbol(block.assets[i]), block.place(i), || {
                let time = Timestamp(block.timestamps[i]);
                self.offender(&block, i, format!("time {time}"), "times ascend")
            });
        }
        block.sorted()
    }

    /// The same for a row in table order.
    pub(crate) fn offender_in(
        &self,
        rows: &Rows,
        i: usize,
        values: String,
        rule: &str,
    ) -> Offender {
        let (file, row) = rows.place(i);
        Offender {
            file: self.files[file as usize].name.clone(),
            row,
            symbol: self.symbol(rows.assets[i]).to_owned(),
            timestamp: Timestamp(rows.timestamps[i]).to_string(),
            values,
            rule: rule.to_owned(),
        }
    }

    /// The row at a position of a block, as a report shows it.
    pub(crate) fn offender(&self, block: &Block, i: usize, values: String, rule: &str) -> Offender {
        Offender {
            file: self.files[block.file as usize].name.clone(),
            row: block.row(i),
            symbol: self.symbol(block.assets[i]).to_owned(),
            timestamp: Timestamp(block.timestamps[i]).to_string(),
            values,
            rule: rule.to_owned(),
        }
    }
}

/// Blocks of one file, in time order.
pub(crate) trait BlockStream: Send {
    fn next_block(&mut self, ledger: &mut Ledger) -> Result<Option<Block>>;
}

/// A file that is opened when its turn comes.
pub(crate) type OpenFile = Box<dyn FnOnce() -> Result<Box<dyn BlockStream>> + Send>;

/// Files that do not overlap in time, one after the other.
pub(crate) struct Lane {
    facts: Arc<ReadFacts>,
    waiting: VecDeque<OpenFile>,
    stream: Option<Box<dyn BlockStream>>,
    last_time: i64,
}

impl Lane {
    pub(crate) fn new(facts: Arc<ReadFacts>, files: Vec<OpenFile>) -> Self {
        Self { facts, waiting: files.into(), stream: None, last_time: i64::MIN }
    }

    /// The next block that has rows after filtering and checking.
    pub(crate) fn next_block(&mut self, ledger: &mut Ledger) -> Result<Option<Block>> {
        loop {
            let Some(stream) = &mut self.stream else {
                match self.waiting.pop_front() {
                    Some(open) => self.stream = Some(open()?),
                    None => return Ok(None),
                }
                continue;
            };
            let Some(block) = stream.next_block(ledger)? else {
                self.stream = None;
                continue;
            };
            let block = self.filter(block)?;
            let block = self.check(block, ledger);
            if block.len() > 0 {
                if self.facts.table != Table::Bars {
                    return Ok(Some(joined::with_places(block)));
                }
                session_rows::check(&block, &self.facts, ledger)?;
                return Ok(Some(block));
            }
        }
    }

    fn filter(&mut self, block: Block) -> Result<Block> {
        let Some(&last) = block.timestamps.last() else { return Ok(block) };
        let first = block.timestamps[0];
        if first < self.last_time || !is_ascending(&block.timestamps) {
            let file = &self.facts.files[block.file as usize].name;
            return Err(Error::data(
                "D301",
                format!(
                    "{file}: rows near row {} go back in time, against the statistics of the file",
                    block.row(0)
                ),
            )
            .with_hint("write the file again with correct statistics"));
        }
        self.last_time = last;
        // A bar that names a session belongs to the range by its date, also where the session ends
        // with the midnight after it.
        let shift = i64::from(self.facts.files[block.file as usize].is_session);
        let moved = |limit: i64| limit.saturating_add(shift);
        let (start, end) = (moved(self.facts.start), moved(self.facts.end));
        let unwanted = super::cast::UNWANTED;
        if first >= start && last < end && !block.assets.contains(&unwanted) {
            return Ok(block);
        }
        let n = u32::try_from(block.len()).expect("a block in memory has fewer than 2^32 rows");
        let keep: Vec<u32> = (0..n)
            .filter(|&i| {
                let i = i as usize;
                let time = block.timestamps[i];
                time >= start && time < end && block.assets[i] != unwanted
            })
            .collect();
        Ok(block.take(&keep))
    }

    fn check(&self, block: Block, ledger: &mut Ledger) -> Block {
        let (Some(&first), Some(&last)) = (block.timestamps.first(), block.timestamps.last())
        else {
            return block;
        };
        ledger.n_rows += block.len() as u64;
        ledger.saw_span(first, last);
        self.check_place(&block, ledger);
        check::rows(block, &self.facts, ledger)
    }

    /// Rows must belong to the folder that holds their file.
    fn check_place(&self, block: &Block, ledger: &mut Ledger) {
        let file = &self.facts.files[block.file as usize];
        let rule = Rule {
            severity: Severity::Error,
            code: "D103",
            column: "path",
            message: "rows that do not belong to the folder of their file",
            fix: "move the rows to the folder they belong to, or rename the folder",
        };
        if let Some(name) = &file.expected_symbol {
            let expected = self.facts.symbols.id(name).map(|id| id.0);
            for i in 0..block.len() {
                if Some(block.assets[i]) != expected {
                    ledger.row(&rule, self.facts.symbol(block.assets[i]), block.place(i), || {
                        let found = self.facts.symbol(block.assets[i]).to_owned();
                        self.facts.offender(
                            block,
                            i,
                            format!("symbol {found}"),
                            &format!("the folder says {name}"),
                        )
                    });
                }
            }
        }
        if let Some((from, to)) = file.expected_span {
            let to = to.saturating_add(file.reach_ns);
            let outside = |i: &usize| block.timestamps[*i] < from || block.timestamps[*i] > to;
            for i in (0..block.len()).filter(outside) {
                ledger.row(&rule, self.facts.symbol(block.assets[i]), block.place(i), || {
                    let rule = format!("the folder says {} .. {}", Timestamp(from), Timestamp(to));
                    self.facts.offender(
                        block,
                        i,
                        format!("time {}", Timestamp(block.timestamps[i])),
                        &rule,
                    )
                });
            }
        }
    }
}
