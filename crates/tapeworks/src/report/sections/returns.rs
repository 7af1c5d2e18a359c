//! Returns by month and by year.

use serde_json::{Value, json};

use super::overview::drawdowns;
use crate::report::calendar::{Clock, MonthReturn, month_returns, session_months};
use crate::report::{ReportInput, number};

/// A month at this return or beyond has the full colour.
const FULL_COLOUR_MIN: f64 = 0.02;

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let states = input.records.states();
    let initial = input.records.initial_cash();
    let clock = Clock::new(&states.timestamp, &input.facts.timezone);
    let growth = input.records.growth();
    let calendar = input.records.log().calendar.clone();
    let months = match calendar {
        Some(calendar) => session_months(&states.timestamp, &growth, initial, calendar),
        None => month_returns(&states.timestamp, &growth, initial, &clock),
    };
    let drawdown = drawdowns(&growth, initial);
    let full = full_colour(&months);
    let years: Vec<Value> = months
        .chunk_by(|a, b| a.year == b.year)
        .map(|year| {
            let mut cells = vec![Value::Null; 12];
            for month in year {
                let place = usize::try_from(month.month - 1).expect("months are 1 to 12");
                cells[place] = cell(month.value, full);
            }
            let total = year.iter().fold(1.0, |growth, m| growth * (1.0 + m.value)) - 1.0;
            let rows = year[0].rows.start..year[year.len() - 1].rows.end;
            let deepest = drawdown[rows].iter().copied().fold(0.0, f64::min);
            json!({
                "year": year[0].year,
                "months": cells,
                "total": total,
                "total_text": number::signed_percent(total),
                "n_up": year.iter().filter(|m| m.value > 0.0).count(),
                "n_months": year.len(),
                "deepest_drawdown": deepest,
                "end_equity": states.equity[year[year.len() - 1].rows.end - 1],
            })
        })
        .collect();
    let best = months.iter().map(|m| m.value).fold(f64::NEG_INFINITY, f64::max);
    let worst = months.iter().map(|m| m.value).fold(f64::INFINITY, f64::min);
    let widest = years.iter().filter_map(|y| y["total"].as_f64()).map(f64::abs).fold(0.0, f64::max);
    json!({
        "years": years,
        "n_months": months.len(),
        "n_up": months.iter().filter(|m| m.value > 0.0).count(),
        "best": best,
        "worst": worst,
        "widest_year": widest,
        "zone": clock.zone_name,
        "is_daily": clock.is_daily,
    })
}

fn cell(value: f64, full: f64) -> Value {
    let heat = (value.abs() / full).min(1.0);
    let text = match value * 100.0 {
        v if !v.is_finite() => number::ABSENT.into(),
        v => number::grouped(v, usize::from(v.abs() < 99.95)),
    };
    let tone = if value < 0.0 { "loss" } else { "gain" };
    json!({"value": value, "text": text, "tone": tone, "heat": (heat * 100.0).round() / 100.0})
}

/// The size beyond which nine of ten months lie, so that one wild month does not pale the rest.
fn full_colour(months: &[MonthReturn]) -> f64 {
    let mut sizes: Vec<f64> =
        months.iter().map(|m| m.value.abs()).filter(|v| v.is_finite()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    sizes.get(sizes.len() * 9 / 10).copied().unwrap_or(0.0).max(FULL_COLOUR_MIN)
}
