//! Columns of text cells that are no numbers: times of one form, and names.

use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;

use super::cast::NAMELESS;
use super::clock::Clock;
use super::options::Ambiguous;
use super::time_column::{TimeColumn, TimeKind};
use super::time_text::{TextForm, parse_text};
use super::time_unit::is_date_number;
use crate::base::{Error, Result, Symbols};

/// Times of a column of text; the first cell tells epoch numbers from text.
pub(super) struct TimeCells {
    clock: Clock,
    pub(super) form: Option<TextForm>,
    is_number: bool,
    is_compact: bool,
    last_text: String,
    values: Vec<i64>,
    /// Rows whose local time the clock shows twice: the first instant is in `values`, the second
    /// here, until the order of the rows tells.
    twice: Vec<(usize, i64)>,
}

impl TimeCells {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            form: None,
            is_number: false,
            is_compact: false,
            last_text: String::new(),
            values: Vec::new(),
            twice: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, text: &str) -> std::result::Result<(), String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty; every row needs a time".to_owned());
        }
        if self.values.is_empty() {
            let number = text.parse::<i64>().ok();
            self.is_number = number.is_some_and(|n| !(text.len() == 8 && is_date_number(n)));
        }
        if self.is_number {
            let number = text.parse().map_err(|_| "is no integer like the rows before")?;
            self.values.push(number);
            self.form = Some(TextForm::Instant);
            return Ok(());
        }
        let row = self.values.len();
        if let (true, Some(&last)) = (self.last_text == text, self.values.last()) {
            if let Some(&(at, second)) = self.twice.last()
                && at + 1 == row
            {
                self.twice.push((row, second));
            }
            self.values.push(last);
            return Ok(());
        }
        let is_compact = text.as_bytes().get(4) != Some(&b'-');
        if !self.values.is_empty() && is_compact != self.is_compact {
            return Err("has another format than the rows before".to_owned());
        }
        self.is_compact = is_compact;
        let read = |ambiguous| parse_text(text, &self.clock.zone, ambiguous);
        let (ns, form) = match read(self.clock.ambiguous) {
            Ok(found) => found,
            Err(reason) => {
                let first = read(Some(Ambiguous::First)).map_err(|_| reason)?;
                self.twice.push((row, read(Some(Ambiguous::Second))?.0));
                first
            }
        };
        match self.form {
            Some(before) if (before == TextForm::Instant) != (form == TextForm::Instant) => {
                return Err("has a zone where other rows have none, or none where they do".into());
            }
            Some(TextForm::Local) => {}
            _ => self.form = Some(form),
        }
        text.clone_into(&mut self.last_text);
        self.values.push(ns);
        Ok(())
    }

    pub(super) fn finish(mut self, place: String) -> Result<Vec<i64>> {
        if !self.is_number {
            self.order(&place)?;
            return Ok(self.values);
        }
        let mut column = TimeColumn::of_kind(TimeKind::Integer, TimeZone::UTC, &self.clock, place);
        let low = self.values.iter().min().copied().unwrap_or(0);
        let high = self.values.iter().max().copied().unwrap_or(0);
        column.decide_unit(low, high)?;
        self.values.into_iter().map(|value| column.instant(value)).collect()
    }
}

impl TimeCells {
    /// Local times that are shown twice: where the wall clock steps back once among rows that
    /// follow one another, rows before the step come first.
    fn order(&mut self, place: &str) -> Result<()> {
        let twice = std::mem::take(&mut self.twice);
        for run in twice.chunk_by(|a, b| a.0 + 1 == b.0) {
            let steps_back = |i: &usize| self.values[run[*i].0] < self.values[run[*i - 1].0];
            let mut steps = (1..run.len()).filter(steps_back);
            let (Some(step), None) = (steps.next(), steps.next()) else {
                let row = run[0].0 + 1;
                let text = format!(
                    "{place}: row {row}: a local time that exists twice (clock change), and the \
                     order of the rows does not tell which is meant"
                );
                return Err(Error::data("D303", text).with_hint(
                    "write the times in UTC or with their offset, or say which is meant: \
                     ambiguous: first or second",
                ));
            };
            for &(row, second) in &run[step..] {
                self.values[row] = second;
            }
        }
        Ok(())
    }
}

/// Names of symbols in the order of their first row.
#[derive(Default)]
pub(super) struct NameCells {
    ids: FxHashMap<String, u32>,
    names: Vec<String>,
    last: Option<u32>,
}

impl NameCells {
    pub(super) fn id(&mut self, name: &str) -> u32 {
        if name.trim().is_empty() {
            return NAMELESS;
        }
        if let Some(last) = self.last.filter(|last| self.names[*last as usize] == name) {
            return last;
        }
        let id = if let Some(id) = self.ids.get(name) {
            *id
        } else {
            let id = u32::try_from(self.names.len()).expect("fewer than 2^32 symbols");
            self.ids.insert(name.to_owned(), id);
            self.names.push(name.to_owned());
            id
        };
        self.last = Some(id);
        id
    }

    /// The names sorted, and the ids as ranks.
    pub(super) fn ranked(self, assets: Vec<u32>) -> (Symbols, Vec<u32>) {
        let symbols = Symbols::new(self.names.iter().map(String::as_str));
        let rank = |name: &String| symbols.id(name).map_or(NAMELESS, |id| id.0);
        let ranks: Vec<u32> = self.names.iter().map(rank).collect();
        let ranked = assets
            .into_iter()
            .map(|a| ranks.get(a as usize).copied().unwrap_or(NAMELESS))
            .collect();
        (symbols, ranked)
    }
}
