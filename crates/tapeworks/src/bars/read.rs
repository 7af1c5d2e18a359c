//! From a source to bars, and from bars to coarser ones.

use std::sync::Arc;

use super::table::{Bars, KEYS, Made, NO_START, Terms};
use crate::base::{Adjustment, Error, Result, Step, Symbols};
use crate::data::{
    BarBatch, BarReader, CheckLevel, CheckReport, Label, ReadOptions, Source, check, open_bars,
    resample,
};

const PRICES: [&str; 5] = ["open", "high", "low", "close", "volume"];
/// Rows that are handed on at a time.
const BATCH_ROWS: usize = 65_536;

/// Reads bars from a file, a glob, a folder or an Arrow stream, checked at `options.level`.
///
/// `columns` names what is kept besides the keys, in this order; `None` keeps prices, volume where
/// there is one, and every other column of numbers. `adjustment` says what the prices are and
/// changes none of them. Range, symbols, zone, calendar and labels are those of `options`.
///
/// Memory: the columns that are kept, and a block of each file.
///
/// # Errors
/// What reading and checking find; `D601` for a column that is not there.
pub fn read_bars(
    source: Source,
    columns: Option<&[String]>,
    adjustment: Option<Adjustment>,
    options: &ReadOptions,
) -> Result<Bars> {
    let is_value = |name: &&String| !KEYS.contains(&name.as_str());
    let values = columns.map(|names| names.iter().filter(is_value).cloned().collect());
    let options = ReadOptions { columns: values, starts: true, ..options.clone() };
    let reader = open_bars(source, &options)?;
    let says_times = matches!(options.label, Label::Start | Label::End);
    let of_calendar = || options.calendar.as_ref().map(|known| known.zone_name().to_owned());
    let terms = Terms {
        tz: options.tz.clone().or_else(of_calendar).unwrap_or_else(|| "UTC".to_owned()),
        is_dated: reader.has_dates() && options.calendar.is_none() && !says_times,
        calendar: options.calendar.clone(),
        adjustment,
        report: None,
    };
    let bars = collect(reader, terms)?;
    match columns {
        Some(columns) => bars.select(columns),
        None => Ok(bars),
    }
}

impl Bars {
    /// Bars of a coarser step, or these when they have it: first open, highest high, lowest low,
    /// last close, sums of volumes and counts, as [`crate::data::resample`] makes them.
    ///
    /// # Errors
    /// `D101` when a price is not among the columns; `D309` for a step that is finer, or no
    /// multiple; `C301` for a step that sessions do not have.
    pub fn resample(&self, step: Step) -> Result<Self> {
        if let Some(absent) = PRICES[..4].iter().find(|name| self.column(name).is_err()) {
            let there = self.column_names().join(", ");
            let text = format!("resample: no column {absent}; the bars have {there}");
            return Err(Error::data("D101", text)
                .with_hint("put bars together first, and select columns of the result"));
        }
        let options = ReadOptions {
            tz: Some(self.terms.tz.clone()),
            calendar: self.terms.calendar.clone(),
            ..ReadOptions::default()
        };
        let (reader, is_coarser) = resample(Box::new(Rows::new(self.clone())), step, &options)?;
        if !is_coarser {
            return Ok(self.clone());
        }
        // Ends of windows are instants, whatever the parts were stamped with.
        collect(reader, Terms { is_dated: false, report: None, ..(*self.terms).clone() })
    }

    /// Checks the rows once more at a level; rows that break rules are findings.
    ///
    /// # Errors
    /// When the options cannot be met at all, such as a zone that is no zone.
    pub fn check(&self, level: CheckLevel) -> Result<CheckReport> {
        check(self.source(), &ReadOptions { level, ..self.read_options() })
    }

    /// The options with which [`Bars::source`] is read as these bars are.
    #[must_use]
    pub fn read_options(&self) -> ReadOptions {
        ReadOptions {
            tz: Some(self.terms.tz.clone()),
            calendar: self.terms.calendar.clone(),
            ..ReadOptions::default()
        }
    }
}

/// Drains a reader into columns.
fn collect(mut reader: Box<dyn BarReader>, terms: Terms) -> Result<Bars> {
    let symbols = reader.symbols();
    let mut names: Vec<Arc<str>> = PRICES.map(Arc::from).into();
    names.extend(reader.extras().iter().map(|name| Arc::from(name.as_str())));
    let mut timestamps: Vec<i64> = Vec::new();
    let mut assets: Vec<u32> = Vec::new();
    let mut starts: Vec<i64> = Vec::new();
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    while let Some(batch) = reader.next_batch()? {
        if !batch.lengths.is_empty() {
            starts.resize(timestamps.len(), NO_START);
            starts.extend((0..batch.len()).map(|row| batch.start(row).unwrap_or(NO_START)));
        }
        let fresh = [batch.open, batch.high, batch.low, batch.close, batch.volume];
        for (column, more) in columns.iter_mut().zip(fresh.into_iter().chain(batch.extras)) {
            column.extend(more);
        }
        timestamps.extend(batch.timestamps);
        assets.extend(batch.assets);
    }
    if !reader.has_volume() {
        // A volume that nobody gave is no column of missing values.
        names.remove(4);
        columns.remove(4);
    }
    let has_starts = starts.iter().any(|start| *start != NO_START);
    if has_starts {
        starts.resize(timestamps.len(), NO_START);
    }
    Ok(Bars {
        symbols,
        timestamps: timestamps.into(),
        starts: has_starts.then(|| starts.into()),
        assets: assets.into(),
        names: names.into(),
        columns: columns.into_iter().map(Into::into).collect(),
        terms: Arc::new(Terms { report: Some(reader.report()), ..terms }),
        made: Made::default(),
    })
}

/// Bars as a reader gives them; they were checked when they were read.
struct Rows {
    bars: Bars,
    /// Columns besides prices and volume, and where they are.
    extras: Vec<String>,
    places: Vec<usize>,
    next: usize,
}

impl Rows {
    fn new(bars: Bars) -> Self {
        let is_extra = |(_, name): &(usize, &Arc<str>)| !PRICES.contains(&name.as_ref());
        let (places, extras) = bars
            .names
            .iter()
            .enumerate()
            .filter(is_extra)
            .map(|(place, name)| (place, name.to_string()))
            .unzip();
        Self { bars, extras, places, next: 0 }
    }
}

impl BarReader for Rows {
    fn symbols(&self) -> Arc<Symbols> {
        Arc::clone(&self.bars.symbols)
    }

    fn extras(&self) -> &[String] {
        &self.extras
    }

    fn next_batch(&mut self) -> Result<Option<BarBatch>> {
        let bars = &self.bars;
        let (from, n) = (self.next, bars.len());
        if from == n {
            return Ok(None);
        }
        // A batch ends where a timestamp does.
        let last = bars.timestamps[(from + BATCH_ROWS).min(n) - 1];
        let to = bars.timestamps.partition_point(|time| *time <= last);
        self.next = to;
        let column = |name: &str| match bars.column(name) {
            Ok(column) => column[from..to].to_vec(),
            Err(_) => vec![f64::NAN; to - from],
        };
        let [open, high, low, close, volume] = PRICES.map(column);
        let timestamps = bars.timestamps[from..to].to_vec();
        let length = |(&end, &start): (&i64, &i64)| {
            if start == NO_START { f64::NAN } else { (end - start) as f64 }
        };
        let starts = bars.starts.as_ref().map(|starts| &starts[from..to]);
        Ok(Some(BarBatch {
            assets: bars.assets[from..to].to_vec(),
            open,
            high,
            low,
            close,
            volume,
            extras: self
                .places
                .iter()
                .map(|&place| bars.columns[place][from..to].to_vec())
                .collect(),
            lengths: starts.map_or_else(Vec::new, |starts| {
                timestamps.iter().zip(starts).map(length).collect()
            }),
            timestamps,
        }))
    }

    fn report(&self) -> CheckReport {
        CheckReport { table: "bars".to_owned(), ..CheckReport::default() }
    }

    fn has_dates(&self) -> bool {
        self.bars.terms.is_dated
    }

    fn has_volume(&self) -> bool {
        self.bars.column("volume").is_ok()
    }
}
