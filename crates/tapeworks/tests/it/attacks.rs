//! Look-ahead attacks on the whole path, from tables over the feed to decisions.
//!
//! What follows a cut is removed, multiplied, reversed, replaced by noise, or joined by a new
//! symbol; nothing up to the cut may change by a bit. The same cuts find leaks that were planted in
//! the making of signals, and the door refuses tables that leak by themselves.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, RecordBatch, RecordBatchIterator, StringArray,
    TimestampNanosecondArray,
};
use tapeworks::base::time::DAY_NS;
use tapeworks::base::{AssetId, Calendar, Date};
use tapeworks::broker::{AccountKind, OrderOrigin, OrderRow, PositionRule};
use tapeworks::data::Source;
use tapeworks::engine::rules::{Rebalance, TopN, Weighting};
use tapeworks::engine::{EngineConfig, Flow, RunLog, run};
use tapeworks::feed::{Availability, ChunkSource, DataFeed};

use crate::market::{Act, Market, play};

const SYMBOLS: [&str; 5] = ["BBB", "CCC", "DDD", "EEE", "FFF"];
const N_DAYS: usize = 260;
/// Sessions compared, after enough of them for the signals.
const CUTS: std::ops::Range<usize> = 40..240;

/// What is true of the market: a close a day and symbol, and a series with its revisions.
#[derive(Debug, Clone)]
struct World {
    symbols: Vec<&'static str>,
    closes: Vec<Vec<Option<f64>>>,
    /// (day of its stamp, day after whose close it was released, value).
    releases: Vec<(usize, usize, f64)>,
}

/// A generator of its own, so that the world is the same for ever.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 33).expect("31 bits")) / 2_147_483_648.0
    }
}

fn world() -> World {
    let mut noise = Noise(7);
    let mut prices = [50.0, 80.0, 20.0, 100.0, 40.0];
    let mut closes = Vec::new();
    for day in 0..N_DAYS {
        let mut row = Vec::new();
        for (symbol, price) in prices.iter_mut().enumerate() {
            *price *= 0.97 + 0.06 * noise.next();
            // One symbol is listed late, one leaves, one has days without a row.
            let is_there = match symbol {
                1 => day >= 70,
                3 => day < 180,
                4 => day % 7 != 3,
                _ => true,
            };
            row.push(is_there.then_some(*price));
        }
        closes.push(row);
    }
    let mut releases = Vec::new();
    for day in (0..N_DAYS).step_by(20) {
        for delay in [5, 12, 30] {
            releases.push((day, day + delay, 10.0 + 20.0 * noise.next()));
        }
    }
    World { symbols: SYMBOLS.to_vec(), closes, releases }
}

impl World {
    /// What is known after the close of a day.
    fn until(&self, day: usize) -> Self {
        let closes = self.closes[..=day].to_vec();
        let releases = self.releases.iter().copied().filter(|row| row.1 <= day).collect();
        Self { symbols: self.symbols.clone(), closes, releases }
    }

    /// The same past with other futures: none, large, backwards, noise, and with a new symbol.
    fn futures(&self, cut: usize) -> Vec<(&'static str, Self)> {
        let mut large = self.clone();
        let mut backwards = self.clone();
        let mut random = self.clone();
        let mut newcomer = self.clone();
        let mut noise = Noise(cut as u64);
        backwards.closes[cut + 1..].reverse();
        for row in &mut large.closes[cut + 1..] {
            row.iter_mut().flatten().for_each(|close| *close *= 1000.0);
        }
        for row in &mut random.closes[cut + 1..] {
            for close in row {
                *close = Some(1.0 + 99.0 * noise.next()).filter(|close| *close > 10.0);
            }
        }
        for world in [&mut large, &mut random] {
            for row in world.releases.iter_mut().filter(|row| row.1 > cut) {
                row.2 = 40.0 * noise.next();
            }
        }
        // First in the order of names, so that every id moves.
        newcomer.symbols.insert(0, "AAA");
        for (day, row) in newcomer.closes.iter_mut().enumerate() {
            row.insert(0, (day > cut).then(|| 500.0 * (1.0 + noise.next())));
        }
        let all = self.clone();
        let none = self.until(cut);
        vec![
            ("real", all),
            ("no", none),
            ("large", large),
            ("backward", backwards),
            ("random", random),
            ("newcomer's", newcomer),
        ]
    }

    fn dates(&self) -> Vec<Date> {
        let calendar = Calendar::named("XNYS").expect("built in");
        let from = Date::parse("2023-09-01").expect("a date");
        let sessions = calendar.sessions(from, Date(from.0 + 500)).expect("in the span");
        // Releases lie behind the last row, too.
        sessions[..self.closes.len() + 40].iter().map(|session| session.date).collect()
    }
}

/// A row of signals: day of its stamp, symbol, value.
type Score = (usize, usize, f64);
/// How signals are made of a world.
type Maker = fn(&World) -> Vec<Score>;

/// A maker that scores each row with a function of (world, day, symbol).
fn each(world: &World, score: impl Fn(usize, usize) -> Option<f64>) -> Vec<Score> {
    let mut rows = Vec::new();
    for day in 0..world.closes.len() {
        for symbol in 0..world.symbols.len() {
            if world.closes[day][symbol].is_some()
                && let Some(value) = score(day, symbol)
            {
                rows.push((day, symbol, value));
            }
        }
    }
    rows
}

fn close(world: &World, day: usize, symbol: usize) -> Option<f64> {
    world.closes.get(day)?.get(symbol).copied().flatten()
}

/// Closes of a symbol, all of them.
fn series(world: &World, symbol: usize) -> Vec<f64> {
    world.closes.iter().filter_map(|row| row[symbol]).collect()
}

/// The return of the last five sessions, less the average over the symbols that have one.
fn honest(world: &World) -> Vec<Score> {
    let past = |day: usize, symbol: usize| {
        let then = close(world, day.checked_sub(5)?, symbol)?;
        Some(close(world, day, symbol)? / then - 1.0)
    };
    each(world, |day, symbol| {
        let all: Vec<f64> = (0..world.symbols.len()).filter_map(|s| past(day, s)).collect();
        Some(past(day, symbol)? - all.iter().sum::<f64>() / all.len() as f64)
    })
}

fn source(columns: Vec<(&str, ArrayRef)>) -> Source {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let schema = batch.schema();
    Source::Arrow(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

fn dates_of(days: impl Iterator<Item = Date>) -> ArrayRef {
    Arc::new(Date32Array::from_iter_values(days.map(|date| date.0)))
}

fn numbers(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

/// The instants after whose session a world's days are over.
fn closes_of(dates: &[Date]) -> Vec<i64> {
    let calendar = Calendar::named("XNYS").expect("built in");
    dates.iter().map(|&date| calendar.close(date).expect("a session").0).collect()
}

/// What a defect of the making does to the tables.
#[derive(Clone, Copy, PartialEq)]
enum Stamping {
    Right,
    /// Bars carry the date of the session before.
    BarsEarly,
    /// Signals carry the date of the session before.
    SignalsEarly,
    /// Every revision carries the moment of the first release.
    RevisionsEarly,
}

fn feed(world: &World, maker: Maker, stamping: Stamping) -> DataFeed {
    let dates = world.dates();
    let known = closes_of(&dates);
    let early = |day: usize, stamp: Stamping| {
        if stamping == stamp { day.saturating_sub(1) } else { day }
    };
    let bars: Vec<(usize, usize, f64)> = each(world, |day, symbol| close(world, day, symbol))
        .into_iter()
        .filter(|row| stamping != Stamping::BarsEarly || row.0 > 0)
        .collect();
    let names = |rows: &[Score]| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| world.symbols[row.1])))
    };
    // The open is near the close before, high and low around both.
    let open = |&(day, symbol, close): &Score| {
        let before = day.checked_sub(1).and_then(|day| world.closes[day][symbol]);
        before.map_or(close, |before| before * 1.001)
    };
    let mut columns =
        vec![("date", dates_of(bars.iter().map(|row| dates[early(row.0, Stamping::BarsEarly)])))];
    columns.push(("symbol", names(&bars)));
    columns.push(("open", numbers(bars.iter().map(open))));
    columns.push(("high", numbers(bars.iter().map(|row| open(row).max(row.2) * 1.01))));
    columns.push(("low", numbers(bars.iter().map(|row| open(row).min(row.2) * 0.99))));
    columns.push(("close", numbers(bars.iter().map(|row| row.2))));
    columns.push(("volume", numbers(bars.iter().map(|_| 1e6))));
    let mut feed = DataFeed::new(source(columns));
    feed.read.calendar = Some(Calendar::named("XNYS").expect("built in"));

    let scores: Vec<Score> = maker(world)
        .into_iter()
        .filter(|row| stamping != Stamping::SignalsEarly || row.0 > 0)
        .collect();
    let stamps = scores.iter().map(|row| dates[early(row.0, Stamping::SignalsEarly)]);
    feed.signals = Some(source(vec![
        ("date", dates_of(stamps)),
        ("symbol", names(&scores)),
        ("score", numbers(scores.iter().map(|row| row.2))),
    ]));
    feed.signal_available_at = Availability::MarketClose;

    let released = |&(day, release, _): &(usize, usize, f64)| {
        let release = if stamping == Stamping::RevisionsEarly { day + 5 } else { release };
        // An hour after the close: the next session is the first to see it.
        known[release] + DAY_NS / 24
    };
    let mut rows = world.releases.clone();
    if stamping == Stamping::RevisionsEarly {
        // Only the last revision survives, as in a table that was downloaded today.
        rows.sort_by_key(|row| (row.0, std::cmp::Reverse(row.1)));
        rows.dedup_by_key(|row| row.0);
    }
    let at = TimestampNanosecondArray::from_iter_values(rows.iter().map(released));
    feed.context = Some(source(vec![
        ("date", dates_of(rows.iter().map(|row| dates[row.0]))),
        ("available_at", Arc::new(at.with_timezone("UTC"))),
        ("vix", numbers(rows.iter().map(|row| row.2))),
    ]));
    feed
}

/// Decisions, orders, fills and states up to an instant, by name and to the bit.
fn past(log: &RunLog, until: i64) -> Vec<String> {
    let name = |asset: AssetId| log.symbols.name(asset);
    let mut lines = Vec::new();
    let n_values = log.layout.n_values();
    // An exit by rule is written when it fires, dated with the row before: its fill says more.
    let is_sent =
        |order: &OrderRow| order.created <= until && order.origin != OrderOrigin::PositionRule;
    for (i, order) in log.orders.iter().enumerate().filter(|(_, order)| is_sent(order)) {
        let seen: Vec<u64> = log.decision_values[i * n_values..(i + 1) * n_values]
            .iter()
            .map(|value| value.to_bits())
            .collect();
        lines.push(format!("order {} {} {seen:?}", order.created, name(order.asset)));
    }
    for fill in log.fills.iter().filter(|fill| fill.timestamp <= until) {
        let bits = [fill.quantity, fill.price].map(f64::to_bits);
        let line = format!("fill {} {} {bits:?}", fill.timestamp, name(fill.asset));
        lines.push(format!("{line} {}", fill.reason.as_str()));
    }
    for (i, &at) in log.states.timestamp.iter().enumerate().take_while(|(_, at)| **at <= until) {
        let states = &log.states;
        let bits = [states.equity[i], states.cash[i]].map(f64::to_bits);
        let vix: Vec<u64> = states.context.iter().map(|column| column[i].to_bits()).collect();
        lines.push(format!("state {at} {bits:?} {} {vix:?}", states.n_positions[i]));
    }
    lines
}

fn decided(world: &World, maker: Maker, stamping: Stamping, until: i64) -> Vec<String> {
    let mut open = feed(world, maker, stamping).open().expect("the tables open");
    let rule = TopN {
        signal: "score".into(),
        n: 2,
        rebalance: Rebalance::parse("3d", None).expect("a cycle"),
        weighting: Weighting::Equal,
        long_short: false,
        max_weight: None,
        condition: Some("context.vix < 26".into()),
    };
    let mut strategy = rule.build(&open.layout()).expect("columns are there");
    let config = EngineConfig {
        rules: vec![PositionRule::StopLoss(0.04), PositionRule::TrailingStop(0.06)],
        ..EngineConfig::default()
    };
    let log = run(&mut open, strategy.as_mut(), &config, &mut |_| Flow::Continue);
    past(&log.expect("the run ends well"), until)
}

/// P1, P2, P3, P10: 200 cuts, six futures each, everything up to the cut equal to the bit.
#[test]
fn past_when_the_future_changes_at_200_cuts_then_every_decision_stays() {
    let world = world();
    let known = closes_of(&world.dates());
    let mut n_lines = 0;
    for cut in CUTS {
        let futures = world.futures(cut);
        let want = decided(&futures[0].1, honest, Stamping::Right, known[cut]);
        n_lines += want.len();
        for (name, world) in &futures[1..] {
            let got = decided(world, honest, Stamping::Right, known[cut]);
            for (got, want) in got.iter().zip(&want) {
                assert_eq!(got, want, "cut {cut}, {name} future");
            }
            assert_eq!(got.len(), want.len(), "cut {cut}, {name} future");
        }
    }
    assert_eq!(CUTS.len(), 200);
    assert!(n_lines > 200 * 200, "the runs trade: {n_lines} lines");
}

fn zscore(values: &[f64], value: f64) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (value - mean) / variance.sqrt()
}

/// P7: defects planted in the making of signals and stamps; each is found by some cut.
#[test]
fn leaks_when_planted_in_the_making_then_some_cut_finds_each() {
    let leaks: [(&str, Maker, Stamping); 14] = [
        ("the next close", |w| each(w, |d, s| close(w, d + 1, s)), Stamping::Right),
        (
            "the next return",
            |w| each(w, |d, s| Some(close(w, d + 1, s)? / close(w, d, s)?)),
            Stamping::Right,
        ),
        (
            "a centred mean",
            |w| {
                each(w, |d, s| {
                    let days = d.saturating_sub(2)..=d + 2;
                    let found: Vec<f64> = days.filter_map(|day| close(w, day, s)).collect();
                    Some(close(w, d, s)? / (found.iter().sum::<f64>() / found.len() as f64))
                })
            },
            Stamping::Right,
        ),
        (
            "a z-score over the whole sample",
            |w| each(w, |d, s| Some(zscore(&series(w, s), close(w, d, s)?))),
            Stamping::Right,
        ),
        (
            "a rank over the whole sample",
            |w| {
                each(w, |d, s| {
                    let now = close(w, d, s)?;
                    let below = series(w, s).iter().filter(|v| **v < now).count();
                    Some(below as f64 / series(w, s).len() as f64)
                })
            },
            Stamping::Right,
        ),
        (
            "the highest close of all days",
            |w| {
                each(w, |d, s| Some(close(w, d, s)? / series(w, s).into_iter().fold(0.0, f64::max)))
            },
            Stamping::Right,
        ),
        (
            "prices adjusted to the last one",
            |w| each(w, |d, s| Some(close(w, d, s)? / series(w, s).last()?)),
            Stamping::Right,
        ),
        (
            "the symbols that are there at the end",
            |w| {
                let last = w.closes.last().expect("days");
                honest(w).into_iter().filter(|row| last[row.1].is_some()).collect()
            },
            Stamping::Right,
        ),
        (
            "a fill from behind",
            |w| {
                each(w, |d, s| {
                    // Every fifth close is known, the others take the next one that is.
                    let later = (d..w.closes.len()).find(|day| day % 5 == 0)?;
                    close(w, later, s)
                })
            },
            Stamping::Right,
        ),
        (
            "the nearest row in place of the newest",
            |w| {
                each(w, |d, s| {
                    let nearest = (d + 5) / 10 * 10;
                    close(w, nearest, s).or_else(|| close(w, d / 10 * 10, s))
                })
            },
            Stamping::Right,
        ),
        (
            "a fold that is fitted on what follows",
            |w| {
                each(w, |d, s| {
                    let half: Vec<f64> =
                        (d + 1..w.closes.len()).filter_map(|day| close(w, day, s)).collect();
                    let mean = half.iter().sum::<f64>() / half.len().max(1) as f64;
                    Some(mean / close(w, d, s)?)
                })
            },
            Stamping::Right,
        ),
        ("bars stamped at their start", honest, Stamping::BarsEarly),
        ("signals shifted by a session", honest, Stamping::SignalsEarly),
        ("revisions in place of first releases", honest, Stamping::RevisionsEarly),
    ];
    let world = world();
    let known = closes_of(&world.dates());
    for (name, maker, stamping) in leaks {
        let is_found = |cut: usize| {
            let base = decided(&world, maker, stamping, known[cut]);
            let futures = world.futures(cut);
            futures[1..]
                .iter()
                .any(|(_, other)| decided(other, maker, stamping, known[cut]) != base)
        };
        assert!(CUTS.step_by(4).any(is_found), "{name}: no cut shows it");
    }
}

/// P6, the door: tables that leak by themselves are refused before a row is seen.
#[test]
fn leaks_when_planted_in_the_tables_then_the_door_refuses_each() {
    let plain = || {
        let mut feed = feed(&world().until(60), honest, Stamping::Right);
        feed.context = None;
        feed.signals = None;
        feed
    };
    let stamp = |text: &str| -> ArrayRef {
        let utc = jiff::tz::TimeZone::UTC;
        let at = tapeworks::base::Timestamp::parse(text, &utc).expect(text).0;
        Arc::new(TimestampNanosecondArray::from(vec![at]).with_timezone("UTC"))
    };
    let day = |text: &str| dates_of([Date::parse(text).expect(text)].into_iter());
    let table = |time: ArrayRef, released: Option<ArrayRef>| {
        let mut columns =
            vec![("timestamp", time), ("symbol", Arc::new(StringArray::from(vec!["BBB"])) as _)];
        columns.extend(released.map(|at| ("available_at", at)));
        columns.push(("score", numbers([1.0].into_iter())));
        source(columns)
    };
    let evening = "2023-09-06 20:30"; // half an hour after the close in New York
    let at_open = Availability::MarketOpen;
    let at_close = Availability::MarketClose;
    let own = Availability::Timestamp;
    let cases = [
        ("stamped in the evening, known at the open", table(stamp(evening), None), at_open, "L101"),
        (
            "stamped in the evening, known at the close",
            table(stamp(evening), None),
            at_close,
            "L101",
        ),
        (
            "stamped at noon, known at the open",
            table(stamp("2023-09-06 16:00"), None),
            at_open,
            "L101",
        ),
        (
            "released before its stamp",
            table(stamp(evening), Some(stamp("2023-09-06 20:29"))),
            own,
            "L101",
        ),
        ("a date as an instant", table(day("2023-09-06"), None), own, "L102"),
        ("a midnight of UTC as an instant", table(stamp("2023-09-06"), None), own, "L102"),
        (
            "a release that is a date",
            table(day("2023-09-05"), Some(day("2023-09-06"))),
            own,
            "L102",
        ),
    ];
    for (name, signals, mode, code) in cases {
        let mut feed = plain();
        feed.signals = Some(signals);
        feed.signal_available_at = mode;
        let error = feed.open().expect_err(name);
        assert_eq!(error.code(), code, "{name}: {error}");
    }
    // The same for the market's series, and for times that do not say where they are.
    let mut early = plain();
    early.context = Some(source(vec![
        ("timestamp", stamp(evening)),
        ("available_at", stamp("2023-09-06 13:30")),
        ("vix", numbers([1.0].into_iter())),
    ]));
    assert_eq!(early.open().expect_err("released early").code(), "L101");
    let mut dated = plain();
    dated.context =
        Some(source(vec![("date", day("2023-09-06")), ("vix", numbers([1.0].into_iter()))]));
    assert_eq!(dated.open().expect_err("a date as an instant").code(), "L102");
    let mut naive = plain();
    let noon = TimestampNanosecondArray::from(vec![1_694_016_000_000_000_000]);
    naive.signals = Some(table(Arc::new(noon), None));
    assert_eq!(naive.open().expect_err("whose clock?").code(), "D303");
}

/// P5: who knows the next close earns what trading at the next open pays, and not a cent more.
#[test]
fn oracle_when_it_knows_the_next_close_then_earns_by_the_next_open() {
    let mut noise = Noise(11);
    let mut bars = Vec::new();
    let mut price = 100.0;
    for _ in 0..60 {
        let open = price * (0.98 + 0.04 * noise.next());
        let close = open * (0.97 + 0.06 * noise.next());
        bars.push([open, open.max(close) * 1.02, open.min(close) * 0.98, close]);
        price = close;
    }
    let side = |day: usize| if bars[day + 1][3] > bars[day][3] { 10.0 } else { -10.0 };
    let acts: Vec<(usize, Act)> =
        (0..59).map(|day| (day, Act::TargetQuantity(0, side(day)))).collect();
    let mut config = EngineConfig { cash: 1e6, ..EngineConfig::default() };
    config.account.kind = AccountKind::Margin;
    let log = play(&Market::one(&bars), &acts, &config);
    // Side of day d is held from the open of d + 1 to that of d + 2, the last one to the last close.
    let earned: f64 = (0..59)
        .map(|day| {
            let until = bars.get(day + 2).map_or(bars[59][3], |bar| bar[0]);
            side(day) * (until - bars[day + 1][0])
        })
        .sum();
    let equity = log.states.equity.last().copied().expect("rows");
    assert!((equity - (1e6 + earned)).abs() < 1e-6, "{equity} {earned}");
    let perfect: f64 = (0..59).map(|day| (bars[day + 1][3] - bars[day][3]).abs() * 10.0).sum();
    assert!(earned < perfect, "closes cannot be had");
}
