//! Room `metrics`: against libraries of the field, hand calculation, and inputs without an answer.

use std::io::Read;
use std::path::PathBuf;

use tapeworks::base::{Calendar, Date, Timestamp, time::DAY_NS};
use tapeworks::metrics::{
    Conventions, Curve, METRICS, MetricSet, Reason, compute, compute_curve, monthly_returns,
    periods_per_year, periods_per_year_on, yearly_returns,
};

use crate::run_log::{LogBuilder, by_hand, contracts, with_flows};
use tapeworks::broker::AccountEventKind;

fn close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 1e-10 * wanted.abs()
}

fn assert_values(metrics: &MetricSet, rows: &[(&str, f64)]) {
    for (key, wanted) in rows {
        let found = metrics.value(key).unwrap_or_else(|| panic!("{key} has no value"));
        assert!(close(found, *wanted), "{key}: {found} is not {wanted}");
    }
}

fn assert_reasons(metrics: &MetricSet, rows: &[(&str, Reason)]) {
    for (key, reason) in rows {
        let metric = metrics.metric(key).unwrap_or_else(|| panic!("no metric {key}"));
        assert_eq!((metric.value, metric.reason), (None, Some(*reason)), "{key}");
    }
}

// ------------------------------------------------------------------ the oracle series

fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("TAPEWORKS_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    folder.is_dir().then_some(folder)
}

/// SPY closes of 2010 to 2019 without dividends, stamped at midnight UTC of their session.
fn spy() -> Option<(Vec<i64>, Vec<f64>)> {
    let path = shared()?.join("data/real/lean/equity/usa/daily/spy.zip");
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).ok()?).ok()?;
    let mut text = String::new();
    archive.by_index(0).ok()?.read_to_string(&mut text).ok()?;
    let (mut timestamps, mut closes) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let cells: Vec<&str> = line.split(',').collect();
        let (year, month, day) = (&cells[0][..4], &cells[0][4..6], &cells[0][6..8]);
        if ("2010".."2020").contains(&year) {
            let date = format!("{year}-{month}-{day}");
            let midnight = Timestamp::parse(&date, &jiff::tz::TimeZone::UTC).expect(&date);
            timestamps.push(midnight.0);
            closes.push(cells[4].parse::<f64>().expect("a price") / 10_000.0);
        }
    }
    Some((timestamps, closes))
}

/// Values: empyrical-reloaded 0.7.1, quantstats 0.0.86, numpy, pandas and scipy on the same closes.
#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn metrics_when_given_spy_then_equal_those_of_other_libraries() {
    let Some((timestamps, closes)) = spy() else {
        println!("skipped: no ../shared");
        return;
    };
    let curve = Curve::new(&timestamps, &closes, None);
    assert_eq!(closes.len(), 2_516);
    assert_eq!(periods_per_year(&timestamps), 252.0);
    let metrics = compute_curve(&curve, &Conventions::default());
    assert_values(
        &metrics,
        &[
            ("total_return", 1.840_024_706_609),
            ("sharpe", 0.781_778_496_173),
            ("sortino", 1.093_955_337_573),
            ("cagr", 0.110_253_971_838),
            ("volatility", 0.147_811_123_728),
            ("max_drawdown", -0.201_784_862_729),
            ("calmar", 0.546_393_670_698),
            ("drawdown_longest", 286.0),
            ("ulcer", 0.048_052_071_962),
            ("var_95", -0.015_459_882_126),
            ("cvar_95", -0.023_190_009_721),
            ("omega", 1.153_508_153_469),
            ("tail_ratio", 0.922_873_824_216),
            ("stability", 0.967_314_493_081),
            ("skew", -0.400_997_301_332),
            ("kurtosis", 4.229_231_075_833),
            ("best", 0.050_524_878_382),
            ("worst", -0.064_344_057_343),
            ("positive_periods", 1_375.0 / 2_515.0),
        ],
    );
    let sharpe = metrics.metric("sharpe").unwrap();
    assert_eq!(sharpe.to_string(), "Sharpe 0.78 (252/yr, rf 0, ddof 1, n=2515)");
    let days = |key: &str| -> Vec<String> {
        let facts = &metrics.metric(key).unwrap().facts;
        facts.iter().map(|fact| Timestamp(fact.timestamp.unwrap()).to_string()).collect()
    };
    assert_eq!(days("max_drawdown"), ["2018-09-20", "2018-12-24"]);
    assert_eq!(days("drawdown_longest"), ["2015-05-21", "2016-07-11"]);
    // The same numbers when the first close is handed over as the initial equity.
    let split = Curve::new(&timestamps[1..], &closes[1..], Some(closes[0]));
    let again = compute_curve(&split, &Conventions::default());
    assert_eq!(again.value("ulcer"), metrics.value("ulcer"));
    assert_eq!(again.value("sharpe"), metrics.value("sharpe"));
    // Another convention: 365 periods a year.
    let daily = Conventions { periods_per_year: 365.0, ..Conventions::default() };
    assert_values(&compute_curve(&curve, &daily), &[("sharpe", 0.940_870_565_785)]);
}

/// Values: pandas resample of the month-end closes.
#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn months_when_given_spy_then_equal_those_of_pandas() {
    let Some((timestamps, closes)) = spy() else {
        println!("skipped: no ../shared");
        return;
    };
    let curve = Curve::new(&timestamps, &closes, None);
    let months = monthly_returns(&curve);
    assert_eq!(months.len(), 120);
    assert_eq!((months[0].year, months[0].month), (2010, Some(1)));
    let whole: Vec<f64> = months[1..].iter().map(|month| month.value.unwrap()).collect();
    assert_eq!(whole.iter().filter(|&&value| value > 0.0).count(), 81);
    assert!(close(whole.iter().copied().fold(f64::MIN, f64::max), 0.108_509_322_259));
    assert!(close(whole.iter().copied().fold(f64::MAX, f64::min), -0.093_343_007_437));
    let growth = |rows: &[f64]| rows.iter().map(|value| 1.0 + value).product::<f64>();
    let years: Vec<f64> = yearly_returns(&curve).iter().map(|year| year.value.unwrap()).collect();
    assert_eq!(years.len(), 10);
    assert!(close(growth(&years), 2.840_024_706_609));
    assert!(close(growth(&whole) * (1.0 + months[0].value.unwrap()), growth(&years)));
}

/// A year of a market without a close, each day stamped with the midnight that ends it, and the
/// evening sessions of Chicago, which begin a date earlier in UTC. Growth by hand: every month
/// doubles on its last day.
#[test]
fn months_when_on_a_calendar_then_the_last_close_counts_in_its_month() {
    let calendar = Calendar::named("24/7").unwrap();
    let (from, to) = (Date::parse("2024-01-01").unwrap(), Date::parse("2025-01-01").unwrap());
    let sessions = calendar.sessions(from, to).unwrap();
    let timestamps: Vec<i64> = sessions.iter().map(|session| session.close.0).collect();
    let mut value = 1.0;
    let mut equity = Vec::new();
    for session in sessions {
        let is_last = Date(session.date.0 + 1).year_month() != session.date.year_month();
        value *= if is_last { 2.0 } else { 1.0 };
        equity.push(value);
    }
    let curve = Curve::new(&timestamps, &equity, Some(1.0)).on(Some(&calendar));
    let months = monthly_returns(&curve);
    assert_eq!(months.len(), 12);
    assert!(months.iter().all(|month| month.value == Some(1.0)), "{months:?}");
    assert_eq!(months[1].n_rows, 29);
    let years = yearly_returns(&curve);
    assert_eq!((years.len(), years[0].value), (1, Some(4_095.0)));
    // By UTC days the last close of December is one of January.
    assert_eq!(monthly_returns(&Curve { calendar: None, ..curve }).len(), 13);

    // Rows at the open of Sunday evening and at the close of each day: two a session.
    let chicago = Calendar::named("CMES").unwrap();
    let sessions = chicago.sessions(from, to).unwrap();
    let rows: Vec<i64> = sessions
        .iter()
        .flat_map(|session| [session.open.0 + 3_600_000_000_000, session.close.0])
        .collect();
    assert!((periods_per_year_on(&rows, Some(&chicago)) - 504.0).abs() < 1e-9);
    assert!((periods_per_year_on(&timestamps, Some(&calendar)) - 365.0).abs() < 1e-9);
}

// ------------------------------------------------------------------ by hand

/// Returns +10 %, -10 %, +10 %; values from Python's statistics module.
#[test]
fn curve_metrics_when_computed_by_hand_then_equal() {
    let timestamps = [0, DAY_NS, 2 * DAY_NS];
    let curve = Curve::new(&timestamps, &[110.0, 99.0, 108.9], Some(100.0));
    let conventions = Conventions { periods_per_year: 4.0, risk_free: 0.05 };
    let metrics = compute_curve(&curve, &conventions);
    assert_values(
        &metrics,
        &[
            ("final_equity", 108.9),
            ("total_return", 0.089),
            ("cagr", 0.120_393_308_465_283_29),
            ("volatility", 0.230_940_107_675_850_38),
            ("sharpe", 0.364_788_933_654_704_9),
            ("sortino", 0.649_829_293_074_712_3),
            ("calmar", 1.203_933_084_652_832_9),
            ("ulcer", 0.050_249_378_105_604_45),
            ("var_95", -0.08),
            ("cvar_95", -0.1),
            ("tail_ratio", 1.25),
            ("skew", -1.732_050_807_568_878_5),
            ("stability", 0.007_468_933_659_800_319),
            ("max_drawdown", -0.1),
            ("drawdown_longest", 2.0),
            ("omega", 2.0),
            ("positive_periods", 2.0 / 3.0),
        ],
    );
    let sharpe = metrics.metric("sharpe").unwrap();
    assert_eq!(sharpe.convention_text(), "4/yr, rf 0.05, ddof 1, n=3");
    assert_reasons(&metrics, &[("kurtosis", Reason::TooFew)]);
    let curve = Curve::new(&[0, 1, 2, 3, 4], &[101.0, 100.0, 103.0, 99.0, 104.0], Some(100.0));
    assert_values(
        &compute_curve(&curve, &Conventions::default()),
        &[("kurtosis", -0.692_895_981_713_647_3)],
    );
}

/// The run of `run_log::by_hand`: nets +98 and -52, fees 4, slippage 50, equity 2,000 to 2,056.
#[test]
fn trade_metrics_when_computed_by_hand_then_equal() {
    let metrics = compute(&by_hand(), &Conventions::default());
    let mean_equity = (2_000.0 + 2_098.0 + 2_197.0 + 2_056.0) / 4.0;
    let exposure = (1_100.0 / 2_098.0 + 600.0 / 2_197.0 + 210.0 / 2_056.0) / 4.0;
    assert_values(
        &metrics,
        &[
            ("n_trades", 2.0),
            ("n_open_trades", 1.0),
            ("win_rate", 0.5),
            ("profit_factor", 98.0 / 52.0),
            ("expectancy", 23.0),
            ("payoff", 98.0 / 52.0),
            ("kelly", 0.5 - 0.5 * 52.0 / 98.0),
            ("win_streak", 1.0),
            ("loss_streak", 1.0),
            ("avg_holding_bars", 2.0),
            ("avg_holding_days", 1.5),
            ("turnover", 2_250.0 / 2.0 / mean_equity * 252.0 / 4.0),
            ("exposure_gross", exposure),
            ("exposure_net", exposure),
            ("leverage_max", 1_100.0 / 2_098.0),
            ("time_in_market", 0.75),
            ("commissions", 4.0),
            ("slippage_cost", 50.0),
            ("cost_share", 54.0 / 110.0),
            ("breakeven_cost", 110.0 / 54.0),
            ("final_equity", 2_056.0),
            ("total_return", 0.028),
        ],
    );
    assert_eq!(metrics.value("rejections"), Some(0.0));
    assert_eq!(metrics.value("ambiguous_share"), Some(0.0));
    let keys: Vec<&str> = metrics.iter().map(|metric| metric.key).collect();
    assert_eq!(keys, METRICS.iter().map(|definition| definition.key).collect::<Vec<_>>());
}

/// The run of `run_log::contracts`: equity 10,000 to 10,142 after 38 of costs.
#[test]
fn cost_metrics_when_computed_by_hand_then_equal() {
    let mut builder = contracts();
    builder.account_event(DAY_NS, AccountEventKind::MarginCall, None, 5.0);
    builder.log().states.margin_used = vec![0.0, 2_014.6, 540.0];
    let metrics = compute(&builder.finish(), &Conventions::default());
    assert_values(
        &metrics,
        &[
            ("commissions", 4.0),
            ("slippage_cost", 10.0),
            ("stop_slippage_cost", 10.0),
            ("impact_cost", 10.0),
            ("funding_cost", 4.0),
            ("borrow_cost", 0.0),
            ("interest", 0.0),
            ("cost_share", 38.0 / 180.0),
            ("breakeven_cost", 180.0 / 38.0),
            ("net_flows", 0.0),
            ("margin_calls", 1.0),
            ("margin_used_max", 0.2),
            ("leverage_max", 2_100.0 / 10_073.0),
            ("turnover", 3_110.0 / 2.0 / (30_215.0 / 3.0) * 252.0 / 3.0),
        ],
    );
}

/// Goal: money put in or taken out is no return. Method: the same run without it.
#[test]
fn metrics_when_money_comes_and_goes_then_equal_those_of_the_run_without_it() {
    let records = with_flows();
    let metrics = compute(&records, &Conventions::default());
    let growth = [110.0, 110.0, 110.0, 121.0, 108.9];
    let curve = Curve::new(&records.states().timestamp, &growth, Some(100.0));
    let without = compute_curve(&curve, &Conventions::default());
    assert!(without.len() > 15);
    for metric in &without {
        assert_eq!(metrics.value(metric.key), metric.value, "{}", metric.key);
    }
    assert_values(&metrics, &[("total_return", 0.089), ("max_drawdown", 108.9 / 121.0 - 1.0)]);
    let months = monthly_returns(&Curve::of(&records));
    assert!(close(months[0].value.unwrap(), 0.089));
    // What came in and stayed is neither profit nor base of the cost share.
    let mut builder = contracts();
    builder.flow(2 * DAY_NS, 1_000.0);
    builder.state(3 * DAY_NS, &[]);
    let metrics = compute(&builder.finish(), &Conventions::default());
    assert_values(
        &metrics,
        &[
            ("final_equity", 11_142.0),
            ("total_return", 0.0142),
            ("net_flows", 1_000.0),
            ("cost_share", 38.0 / 180.0),
        ],
    );
}

#[test]
fn streaks_when_trades_alternate_then_the_longest_runs_count() {
    let mut builder = LogBuilder::new(&["A"], 1e6);
    for (day, exit) in [11.0, 12.0, 9.0, 8.0, 7.0, 10.0, 11.0].into_iter().enumerate() {
        let day = i64::try_from(day).unwrap() * DAY_NS;
        let (buy, sell) = (builder.order(day, 0, 1.0), builder.order(day, 0, -1.0));
        builder.fill(day, buy, 1.0, 10.0, 10.0, 0.0);
        builder.fill(day, sell, -1.0, exit, exit, 0.0);
        builder.state(day, &[]);
    }
    // Results +1 +2 -1 -2 -3 0 +1: the zero belongs to neither side.
    let metrics = compute(&builder.finish(), &Conventions::default());
    assert_values(
        &metrics,
        &[
            ("win_streak", 2.0),
            ("loss_streak", 3.0),
            ("win_rate", 3.0 / 7.0),
            ("profit_factor", 4.0 / 6.0),
            ("payoff", (4.0 / 3.0) / 2.0),
        ],
    );
    assert_reasons(&metrics, &[("cost_share", Reason::NoGrossProfit)]);
}

// ------------------------------------------------------------------ inputs without an answer

const OF_RETURNS: [&str; 13] = [
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "calmar",
    "var_95",
    "cvar_95",
    "omega",
    "tail_ratio",
    "stability",
    "skew",
    "kurtosis",
    "best",
];

fn of_curve(equity: &[f64]) -> MetricSet {
    let timestamps: Vec<i64> = (0..).take(equity.len()).map(|day: i64| day * DAY_NS).collect();
    let metrics =
        compute_curve(&Curve::new(&timestamps, equity, Some(100.0)), &Conventions::default());
    for metric in &metrics {
        assert!(metric.value.is_none_or(f64::is_finite), "{metric}");
        assert_eq!(metric.value.is_none(), metric.reason.is_some(), "{metric}");
    }
    metrics
}

#[test]
fn metrics_when_the_curve_is_empty_then_no_rows() {
    for metric in &of_curve(&[]) {
        assert_eq!(metric.reason, Some(Reason::NoRows), "{}", metric.key);
    }
    let none = Curve::new(&[], &[], None);
    assert_eq!(compute_curve(&none, &Conventions::default()).value("total_return"), None);
    assert!(monthly_returns(&none).is_empty());
}

#[test]
fn metrics_when_one_row_then_growth_only() {
    let metrics = of_curve(&[101.0]);
    assert_values(
        &metrics,
        &[("total_return", 0.010_000_000_000_000_009), ("final_equity", 101.0)],
    );
    assert_eq!(metrics.value("max_drawdown"), Some(0.0));
    let few =
        ["sharpe", "sortino", "volatility", "var_95", "omega", "stability", "skew", "kurtosis"];
    assert_reasons(&metrics, &few.map(|key| (key, Reason::TooFew)));
    assert_reasons(&metrics, &[("calmar", Reason::NoDrawdown)]);
    // Minute bars: 1 % in one minute is beyond f64 in a year.
    let minutes = Conventions { periods_per_year: 98_280.0, risk_free: 0.0 };
    let metrics = compute_curve(&Curve::new(&[0], &[101.0], Some(100.0)), &minutes);
    assert_reasons(&metrics, &[("cagr", Reason::TooFew)]);
}

#[test]
fn metrics_when_constant_then_zero_variance() {
    let metrics = of_curve(&[100.0; 10]);
    let rows = ["total_return", "cagr", "volatility", "max_drawdown", "ulcer", "best", "worst"];
    for key in rows {
        assert_eq!(metrics.value(key), Some(0.0), "{key}");
    }
    assert_reasons(
        &metrics,
        &[
            ("sharpe", Reason::ZeroVariance),
            ("sortino", Reason::NoDownside),
            ("calmar", Reason::NoDrawdown),
            ("omega", Reason::NoDownside),
            ("tail_ratio", Reason::NoDownside),
            ("stability", Reason::ZeroVariance),
            ("skew", Reason::ZeroVariance),
            ("kurtosis", Reason::ZeroVariance),
        ],
    );
    // Equal returns of 1 %: their spread is rounding, not risk.
    let mut equity = 100.0;
    let growing: Vec<f64> = (0..50)
        .map(|_| {
            equity *= 1.01;
            equity
        })
        .collect();
    let metrics = of_curve(&growing);
    assert_reasons(&metrics, &[("sharpe", Reason::ZeroVariance), ("skew", Reason::ZeroVariance)]);
}

#[test]
fn metrics_when_equity_is_nan_then_null_with_a_reason() {
    let metrics = of_curve(&[101.0, f64::NAN, 102.0]);
    assert_reasons(&metrics, &OF_RETURNS.map(|key| (key, Reason::NonPositiveEquity)));
    let others = ["total_return", "max_drawdown", "ulcer", "drawdown_longest", "final_equity"];
    assert_reasons(&metrics, &others.map(|key| (key, Reason::NonPositiveEquity)));
}

#[test]
fn metrics_when_ruined_then_the_loss_shows_and_returns_are_undefined() {
    let metrics = of_curve(&[50.0, -10.0, 20.0]);
    assert_reasons(&metrics, &OF_RETURNS.map(|key| (key, Reason::NonPositiveEquity)));
    assert_values(
        &metrics,
        &[("total_return", -0.8), ("max_drawdown", -1.1), ("drawdown_longest", 3.0)],
    );
    let curve = Curve::new(&[0, 32 * DAY_NS], &[-10.0, 20.0], Some(100.0));
    let months: Vec<Option<f64>> =
        monthly_returns(&curve).iter().map(|month| month.value).collect();
    assert_eq!(months, [None, None]);
}

#[test]
fn metrics_when_only_losses_then_null_where_wins_are_needed() {
    let mut builder = LogBuilder::new(&["A"], 1_000.0);
    let (buy, sell) = (builder.order(0, 0, 10.0), builder.order(0, 0, -10.0));
    builder.fill(0, buy, 10.0, 10.0, 10.0, 1.0);
    builder.state(0, &[]);
    builder.fill(DAY_NS, sell, -10.0, 9.0, 9.0, 1.0);
    builder.state(DAY_NS, &[]);
    let metrics = compute(&builder.finish(), &Conventions::default());
    assert_eq!(metrics.value("win_rate"), Some(0.0));
    assert_eq!(metrics.value("profit_factor"), Some(0.0));
    assert_values(&metrics, &[("expectancy", -12.0), ("loss_streak", 1.0)]);
    assert_reasons(
        &metrics,
        &[
            ("payoff", Reason::NoWins),
            ("kelly", Reason::NoWins),
            ("breakeven_cost", Reason::NoGrossProfit),
        ],
    );
}

#[test]
fn metrics_when_nothing_was_traded_then_no_trades() {
    let mut builder = LogBuilder::new(&["A"], 1_000.0);
    builder.state(0, &[]);
    builder.state(DAY_NS, &[]);
    let metrics = compute(&builder.finish(), &Conventions::default());
    let keys = ["win_rate", "profit_factor", "expectancy", "payoff", "avg_holding_days"];
    assert_reasons(&metrics, &keys.map(|key| (key, Reason::NoTrades)));
    assert_reasons(&metrics, &[("cost_share", Reason::NoTrades)]);
    assert_eq!(metrics.value("turnover"), Some(0.0));
    assert_eq!(metrics.value("n_trades"), Some(0.0));
    let empty = compute(&LogBuilder::new(&["A"], 1.0).finish(), &Conventions::default());
    assert_reasons(&empty, &[("sharpe", Reason::NoRows), ("turnover", Reason::NoRows)]);
}

// ------------------------------------------------------------------ words and frequency

#[test]
fn json_when_written_then_every_metric_has_its_five_entries() {
    let json = serde_json::to_value(of_curve(&[110.0, 99.0])).unwrap();
    let drawdown = serde_json::json!({
        "value": 99.0 / 110.0 - 1.0, "reason": null, "unit": "fraction",
        "convention": "from initial equity", "n": 2, "peak": "1970-01-01", "trough": "1970-01-02",
    });
    assert_eq!(json["max_drawdown"], drawdown);
    let skew = serde_json::json!({
        "value": null, "reason": "too_few", "unit": "ratio",
        "convention": "bias-corrected, per period", "n": 2,
    });
    assert_eq!(json["skew"], skew);
}

#[test]
fn text_when_undefined_then_names_the_reason() {
    let metrics = of_curve(&[100.0, 100.0]);
    let sharpe = metrics.metric("sharpe").unwrap();
    assert_eq!(sharpe.to_string(), "Sharpe n/a (zero variance) (252/yr, rf 0, ddof 1, n=2)");
}

#[test]
fn table_when_read_then_keys_are_unique_and_every_row_has_words() {
    let mut keys: Vec<&str> = METRICS.iter().map(|definition| definition.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), METRICS.len());
    assert!(METRICS.iter().all(|d| !d.label.is_empty() && !d.formula.is_empty()));
}

#[test]
fn periods_when_inferred_then_follow_the_rows() {
    let minute = 60_000_000_000_i64;
    // Day 0 is a Thursday, day 4 a Monday.
    let weekdays: Vec<i64> = (4..604).filter(|day| (day - 2_i64).rem_euclid(7) > 1).collect();
    let every = |step: i64, n: i64| (0..n).map(|idx| idx * step * DAY_NS).collect::<Vec<i64>>();
    let daily = |days: &[i64]| days.iter().map(|day| day * DAY_NS).collect::<Vec<i64>>();
    let intraday = |days: &[i64], n: i64| {
        days.iter()
            .flat_map(|day| (0..n).map(move |k| day * DAY_NS + k * minute))
            .collect::<Vec<_>>()
    };
    let all_days: Vec<i64> = (0..60).collect();
    // Globex: a short session on Sunday evening, none on Saturday.
    let with_sundays: Vec<i64> = (4..200).filter(|day| (day - 2_i64).rem_euclid(7) != 0).collect();
    let rows = [
        ("nothing", vec![], 252.0),
        ("one row", vec![0], 252.0),
        ("exchange days", daily(&weekdays), 252.0),
        ("every day", daily(&all_days), 365.0),
        ("sunday sessions", daily(&with_sundays), 252.0),
        ("390 minutes", intraday(&weekdays, 390), 252.0 * 390.0),
        ("minutes round the clock", intraday(&all_days, 1_440), 365.0 * 1_440.0),
        ("weeks", every(7, 100), 52.0),
        ("months", every(30, 48), 12.0),
        ("quarters", every(91, 20), 4.0),
        ("years", every(365, 9), 1.0),
        ("fortnights", every(14, 100), 26.0),
    ];
    for (name, timestamps, wanted) in rows {
        assert_eq!(periods_per_year(&timestamps), wanted, "{name}");
    }
}
