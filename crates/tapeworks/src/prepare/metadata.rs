//! What a prepared file says of itself.

use serde_json::json;

use super::preparer::{ContextTerms, DataPreparer, SignalTerms};
use crate::base::Adjustment;
use crate::indicators::IndicatorSpec;

/// Version of the layout of prepared files.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The rules of the tables, kept while the feed consumes them.
#[derive(Debug)]
pub(super) struct Terms {
    signals: Vec<SignalTerms>,
    context: Vec<ContextTerms>,
    indicators: Vec<IndicatorSpec>,
    adjustment: Option<Adjustment>,
    calendar: Option<String>,
    tz: String,
}

impl Terms {
    pub(super) fn of(preparer: &DataPreparer) -> Self {
        Self {
            signals: preparer.signals.iter().map(|(_, terms)| terms.clone()).collect(),
            context: preparer.context.iter().map(|(_, terms)| terms.clone()).collect(),
            indicators: preparer.indicators.clone(),
            adjustment: preparer.adjustment,
            calendar: preparer.read.calendar.as_ref().map(|known| known.name().to_owned()),
            tz: preparer.zone_name(),
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
                    "available_at": terms.valid_from.as_str(),
                    "delay": terms.delay.map(|lag| lag.to_string()),
                    "staleness": terms.staleness.map(|lag| lag.to_string()),
                })
            })
            .collect();
        let indicators: Vec<String> = self.indicators.iter().map(ToString::to_string).collect();
        let mut entries = self.entries("asset_data", is_forced);
        entries.push(("availability".into(), json!(rules).to_string()));
        entries.push(("indicators".into(), json!(indicators).to_string()));
        if let Some(adjustment) = self.adjustment {
            entries.push(("adjustment".into(), adjustment.as_str().to_owned()));
        }
        entries.push(("universe".into(), has_universe.to_string()));
        entries
    }

    /// Entries of context data.
    pub(super) fn context_entries(&self, is_forced: bool) -> Vec<(String, String)> {
        let rule = |terms: &ContextTerms| {
            json!({
                "columns": terms.columns,
                "prefix": terms.prefix,
                "available_at": terms.valid_from.as_str(),
                "delay": terms.delay.map(|lag| lag.to_string()),
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
