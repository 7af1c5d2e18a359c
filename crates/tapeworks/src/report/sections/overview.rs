//! The figures people look at first, and equity, drawdown and exposure over time.

use serde_json::{Value, json};

use super::figures;
use crate::report::calendar::Clock;
use crate::report::encode::{f32_column, f64_column};
use crate::report::line_chart::LineChart;
use crate::report::sample::rows_to_draw;
use crate::report::svg::Unit;
use crate::report::{ReportInput, number};

/// Rows drawn at most: more than a screen is wide.
const MAX_ROWS: usize = 4_000;

/// Metrics of the strip, in order; one that the run does not have is left out.
const STRIP: &[&str] = &[
    "total_return",
    "cagr",
    "sharpe",
    "max_drawdown",
    "volatility",
    "n_trades",
    "win_rate",
    "cost_share",
];

pub(super) fn build(input: &ReportInput<'_>) -> Value {
    let states = input.records.states();
    let clock = Clock::new(&states.timestamp, &input.facts.timezone);
    let drawdown = drawdowns(&input.records.growth(), input.records.initial_cash());
    let exposure: Vec<f64> =
        states.gross_exposure.iter().zip(&states.equity).map(|(g, e)| share(*g, *e)).collect();
    let rows =
        rows_to_draw(states.timestamp.len(), &[&states.equity, &drawdown, &exposure], MAX_ROWS);
    let seconds: Vec<f64> = rows.iter().map(|&i| states.timestamp[i] as f64 / 1e9).collect();
    let pick = |column: &[f64]| -> Vec<f64> { rows.iter().map(|&i| column[i]).collect() };
    let dates = date_ticks(&seconds, &clock);
    let chart = |values: &[f64], unit, title: &str, class, fill_from, height| {
        let seconds = &seconds;
        let dates = &dates;
        LineChart { seconds, values, unit, title, class, fill_from, dates, height }.draw()
    };
    let (equity, drawn_drawdown) = (pick(&states.equity), pick(&drawdown));
    let title = format!("Equity {}", input.facts.currency);
    let n_held_max = states.n_positions.iter().copied().max().unwrap_or(0);
    let column = |values: &[f64]| f32_column(values.iter().copied());
    json!({
        "strip": strip(input),
        "n_states": states.timestamp.len(),
        "n_drawn": rows.len(),
        "equity_svg": chart(&equity, Unit::Money, title.trim(), "equity", None, 300.0),
        "drawdown_svg":
            chart(&drawn_drawdown, Unit::Percent, "Drawdown", "drawdown", Some(0.0), 180.0),
        "n_held_max": n_held_max,
        "embed": {
            "seconds": f64_column(seconds.iter().copied()),
            "equity": column(&equity),
            "drawdown": column(&drawn_drawdown),
            "exposure": column(&pick(&exposure)),
            "positions": f32_column(rows.iter().map(|&i| f64::from(states.n_positions[i]))),
            "initial": input.records.initial_cash(),
            "currency": input.facts.currency,
            "zone": clock.zone_name,
            "is_daily": clock.is_daily,
        },
    })
}

fn strip(input: &ReportInput<'_>) -> Vec<Value> {
    let known = STRIP.iter().filter_map(|key| input.metrics.iter().find(|m| m.key == *key));
    known
        .map(|metric| {
            let mut card = figures::row(metric, &input.facts.currency);
            let signed = metric.key == "total_return" || metric.key == "cagr";
            if let (true, Some(value)) = (signed, metric.value) {
                card["text"] = json!(number::signed_percent(value));
                card["tone"] = json!(match value {
                    v if v < 0.0 => "loss",
                    v if v > 0.0 => "gain",
                    _ => "",
                });
            }
            card
        })
        .collect()
}

/// `G / max(initial, G_0..G) - 1` of growth G.
pub(super) fn drawdowns(growth: &[f64], initial: f64) -> Vec<f64> {
    let mut peak = initial;
    growth
        .iter()
        .map(|&value| {
            peak = peak.max(value);
            if peak > 0.0 { value / peak - 1.0 } else { f64::NAN }
        })
        .collect()
}

fn share(exposure: f64, equity: f64) -> f64 {
    if equity > 0.0 { exposure / equity } else { f64::NAN }
}

/// Up to six dates at equal distances, first and last included.
fn date_ticks(seconds: &[f64], clock: &Clock) -> Vec<(f64, String)> {
    const N_TICKS: usize = 6;
    let (Some(&first), Some(&last)) = (seconds.first(), seconds.last()) else {
        return Vec::new();
    };
    let n = if last > first { N_TICKS } else { 1 };
    // labels are centred on their instant: keep them off the edges
    (0..n)
        .map(|k| first + (last - first) * (k as f64 + 0.5) / n as f64)
        .map(|at| {
            #[expect(clippy::cast_possible_truncation, reason = "seconds of i64 nanoseconds")]
            let ns = (at * 1e9) as i64;
            (at, clock.date(ns).to_string())
        })
        .collect()
}
