//! What a prepared file says of itself.

use serde_json::json;

use super::indicators::IndicatorSpec;
use super::preparer::{ContextTerms, DataPreparer, SignalTerms};
use crate::feed::Availability;

/// Version of the layout of prepared files.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The rules of the tables, kept while the feed consumes them.
#[derive(Debug)]
pub(super) struct Terms {
    signals: Vec<SignalTerms>,
    context: Vec<ContextTerms>,
    indicators: Vec<IndicatorSpec>,
    calendar: Option<String>,
    tz: String,
}

impl Terms {
    pub(super) fn of(preparer: &DataPreparer) -> Self {
        Self {
            signals: preparer.signals.iter().map(|(_, terms)| terms.clone()).collect(),
            context: preparer.context.iter().map(|(_, terms)| terms.clone()).collect(),
            indicators: preparer.indicators.clone(),
            calendar: preparer.calendar.clone(),
            tz: preparer.read.tz.clone().unwrap_or_else(|| "UTC".to_owned()),
        }
    }

    /// Entries of asset data; `signals` has the columns of each table in the result.
    ///
    /// No path and no clock: the same inputs give the same bytes.
    pub(super) fn asset_entries(
        &self,
        signals: &[Vec<String>],
        has_universe: bool,
        is_forced: bool,
    ) -> Vec<(String, String)> {
        let rules: Vec<_> = self
            .signals
            .iter()
            .zip(signals)
            .map(|(terms, columns)| {
                json!({
                    "columns": columns,
                    "available_at": name(terms.valid_from),
                    "delay_ns": terms.delay_ns,
                    "staleness_ns": terms.staleness_ns,
                })
            })
            .collect();
        let indicators: Vec<String> = self.indicators.iter().map(ToString::to_string).collect();
        let mut entries = self.entries("asset_data", is_forced);
        entries.push(("availability".into(), json!(rules).to_string()));
        entries.push(("indicators".into(), json!(indicators).to_string()));
        entries.push(("universe".into(), has_universe.to_string()));
        entries
    }

    /// Entries of context data.
    pub(super) fn context_entries(&self, is_forced: bool) -> Vec<(String, String)> {
        let rule = |terms: &ContextTerms| {
            json!({
                "columns": terms.columns,
                "prefix": terms.prefix,
                "available_at": name(terms.valid_from),
                "delay_ns": terms.delay_ns,
            })
        };
        let rules: Vec<_> = self.context.iter().map(rule).collect();
        let mut entries = self.entries("context_data", is_forced);
        entries.push(("availability".into(), json!(rules).to_string()));
        entries
    }

    fn entries(&self, table: &str, is_forced: bool) -> Vec<(String, String)> {
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let mut entries = vec![
            entry("schema_version", &SCHEMA_VERSION.to_string()),
            entry("table", table),
            entry("tz", &self.tz),
            entry("label", "end"),
        ];
        if let Some(calendar) = &self.calendar {
            entries.push(entry("calendar", calendar));
        }
        if is_forced {
            entries.push(entry("forced", "true"));
        }
        entries
    }
}

/// The word that configs and Python use: `MarketOpen` is `market_open`.
fn name(mode: Availability) -> String {
    let mut word = String::new();
    for letter in format!("{mode:?}").chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}
