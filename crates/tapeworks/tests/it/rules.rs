//! The built-in rules of `engine` that rank, weigh and switch: when they decide, what they send.

use proptest::prelude::*;
use proptest::strategy::Strategy as Draw;
use tapeworks::base::time::DAY_NS;
use tapeworks::base::{Result, Symbols};
use tapeworks::engine::rules::{EntriesExits, Rebalance, TopN, Weighting, Weights};
use tapeworks::engine::{EngineConfig, Flow, RunLog, Size, Strategy, run};
use tapeworks::feed::{Layout, MarketChunk, MemoryFeed};

use crate::random::draws;

const NAN: f64 = f64::NAN;

/// One day: its context value, and a row of (open, close, score) for each symbol that is there.
#[derive(Debug, Clone)]
struct Day {
    vix: f64,
    rows: Vec<Option<(f64, f64, f64)>>,
}

fn day(rows: &[(f64, f64, f64)]) -> Day {
    Day { vix: 20.0, rows: rows.iter().copied().map(Some).collect() }
}

fn layout() -> Layout {
    Layout { signals: vec!["score".into()], indicators: Vec::new(), context: vec!["vix".into()] }
}

/// Chunks of `chunk_days` days; symbols are A, B, C, ...
fn feed(days: &[Day], chunk_days: usize) -> MemoryFeed {
    let n_symbols = days.iter().map(|day| day.rows.len()).max().unwrap_or(0);
    let names = ["A", "B", "C", "D", "E"].into_iter().take(n_symbols);
    let mut chunks = Vec::new();
    for (at, days) in days.chunks(chunk_days).enumerate() {
        let mut chunk = MarketChunk { offsets: vec![0], ..MarketChunk::default() };
        chunk.signals = vec![Vec::new()];
        chunk.context = vec![days.iter().map(|day| day.vix).collect()];
        for (t, day) in days.iter().enumerate() {
            let number = i64::try_from(at * chunk_days + t).expect("small");
            chunk.timestamps.push(number * DAY_NS);
            for (asset, row) in (0u32..).zip(&day.rows) {
                let &Some((open, close, score)) = row else { continue };
                chunk.assets.push(asset);
                chunk.open.push(open);
                chunk.high.push(open.max(close));
                chunk.low.push(open.min(close));
                chunk.close.push(close);
                chunk.volume.push(1000.0);
                chunk.signals[0].push(score);
            }
            chunk.offsets.push(u32::try_from(chunk.assets.len()).expect("small"));
        }
        chunks.push(chunk);
    }
    MemoryFeed::new(Symbols::new(names), layout(), chunks)
}

fn simulate(
    days: &[Day],
    chunk_days: usize,
    cash: f64,
    build: impl Fn(&Layout) -> Result<Box<dyn Strategy>>,
) -> RunLog {
    let mut strategy = build(&layout()).expect("a valid rule");
    let config = EngineConfig { cash, check_invariants: true, ..EngineConfig::default() };
    let mut feed = feed(days, chunk_days);
    run(&mut feed, strategy.as_mut(), &config, &mut |_| Flow::Continue).expect("a clean run")
}

/// (day, asset, units, price) of each fill.
fn fills(log: &RunLog) -> Vec<(i64, u32, f64, f64)> {
    let row = |fill: &tapeworks::engine::FillRow| {
        (fill.timestamp / DAY_NS, fill.asset.0, fill.quantity, fill.price)
    };
    log.fills.iter().map(row).collect()
}

/// Day, asset and units of an order.
type Sent = (i64, u32, f64);

fn orders(log: &RunLog) -> Vec<Sent> {
    log.orders.iter().map(|order| (order.created / DAY_NS, order.asset.0, order.quantity)).collect()
}

fn half_in_the_best() -> TopN {
    TopN { weighting: Weighting::Fixed(0.5), ..TopN::new("score", 1) }
}

/// Day 0: A is best: 0.5 x 1000 / 10 = 50. They fill at 11: cash 450. Day 1: equity 450 + 50 x 12 =
/// 1050; B and C tie, B comes first: 525 / 20 = 26.25 -> 26; A goes. Fills at 13 and 21: cash 450 +
/// 650 - 546 = 554. Day 2: 554 + 26 x 22 = 1126; B stays best: 563 / 22 = 25.6 -> 25: sells one,
/// which never fills.
#[test]
fn top_n_when_the_best_changes_then_fills_and_equity_by_hand() {
    let days = [
        day(&[(10.0, 10.0, 3.0), (20.0, 20.0, 2.0), (30.0, 30.0, 1.0)]),
        day(&[(11.0, 12.0, 1.0), (20.0, 20.0, 5.0), (30.0, 30.0, 5.0)]),
        day(&[(13.0, 13.0, 1.0), (21.0, 22.0, 5.0), (30.0, 30.0, 1.0)]),
    ];
    let log = simulate(&days, 1, 1000.0, |layout| half_in_the_best().build(layout));
    assert_eq!(orders(&log), [(0, 0, 50.0), (1, 0, -50.0), (1, 1, 26.0), (2, 1, -1.0)]);
    assert_eq!(fills(&log), [(1, 0, 50.0, 11.0), (2, 0, -50.0, 13.0), (2, 1, 26.0, 21.0)]);
    assert_eq!(log.states.equity, [1000.0, 1050.0, 1126.0]);
}

/// A row without score, without a price or with a false condition is no candidate; a false context
/// filter empties the universe and closes what is held.
#[test]
fn top_n_when_rows_are_no_candidates_then_passed_over() {
    let filter = |condition: &str| TopN { condition: Some(condition.into()), ..half_in_the_best() };
    let mut days = [
        day(&[(10.0, 10.0, NAN), (20.0, NAN, 9.0), (25.0, 25.0, 1.0)]),
        day(&[(10.0, 10.0, NAN), (20.0, NAN, 9.0), (25.0, 25.0, 1.0)]),
        day(&[(10.0, 10.0, 3.0), (20.0, 20.0, 9.0), (25.0, 25.0, 1.0)]),
    ];
    let log = simulate(&days, 3, 1000.0, |layout| half_in_the_best().build(layout));
    assert_eq!(orders(&log), [(0, 2, 20.0), (2, 2, -20.0), (2, 1, 25.0)]);
    let log = simulate(&days, 3, 1000.0, |layout| filter("score < 5").build(layout));
    assert_eq!(orders(&log), [(0, 2, 20.0), (2, 2, -20.0), (2, 0, 50.0)]);

    days[2].vix = 31.0;
    let log = simulate(&days, 3, 1000.0, |layout| filter("context.vix < 30").build(layout));
    assert_eq!(orders(&log), [(0, 2, 20.0), (2, 2, -20.0)]);
    days[2].vix = NAN;
    let log = simulate(&days, 3, 1000.0, |layout| filter("context.vix < 30").build(layout));
    assert_eq!(orders(&log), [(0, 2, 20.0), (2, 2, -20.0)], "missing is not true");
}

/// A is bought on day 0 for 50 units. It has no row on day 2, where B alone is ranked: A is told to
/// go and goes at its next row. Had A not been bought by then, the order that waits is cancelled.
#[test]
fn top_n_when_a_symbol_has_no_row_then_its_order_waits_or_is_cancelled() {
    let mut days = [
        day(&[(10.0, 10.0, 3.0), (20.0, 20.0, 2.0)]),
        day(&[(10.0, 10.0, 3.0), (20.0, 20.0, 2.0)]),
        day(&[(10.0, 10.0, 3.0), (20.0, 20.0, 2.0)]),
        day(&[(12.0, 12.0, 1.0), (20.0, 20.0, 2.0)]),
    ];
    let rule = TopN { rebalance: Rebalance::Days { every: 2, phase: 0 }, ..half_in_the_best() };
    days[2].rows[0] = None;
    let log = simulate(&days, 2, 1000.0, |layout| rule.build(layout));
    assert_eq!(orders(&log), [(0, 0, 50.0), (2, 0, -50.0), (2, 1, 25.0)]);
    assert_eq!(fills(&log), [(1, 0, 50.0, 10.0), (3, 0, -50.0, 12.0), (3, 1, 25.0, 20.0)]);
    days[1].rows[0] = None;
    let log = simulate(&days, 2, 1000.0, |layout| rule.build(layout));
    assert_eq!(orders(&log), [(0, 0, 50.0), (2, 1, 25.0)]);
    assert_eq!(fills(&log), [(3, 1, 25.0, 20.0)]);
}

/// Weights on day 0 of 10,000 with closes 10, 20, 40 and scores 3, 1, -2, by hand.
#[test]
fn top_n_when_weighted_then_units_by_hand() {
    let days = [day(&[(10.0, 10.0, 3.0), (20.0, 20.0, 1.0), (40.0, 40.0, -2.0)])];
    let rule = |n: usize, weighting: Weighting| TopN { weighting, ..TopN::new("score", n) };
    let rows: [(&str, TopN, &[Sent]); 8] = [
        ("equal", rule(2, Weighting::Equal), &[(0, 0, 500.0), (0, 1, 250.0)]),
        // Three candidates for four places: each place is a quarter, one stays empty.
        ("equal, few", rule(4, Weighting::Equal), &[(0, 0, 250.0), (0, 1, 125.0), (0, 2, 62.0)]),
        ("fixed", rule(2, Weighting::Fixed(0.1)), &[(0, 0, 100.0), (0, 1, 50.0)]),
        // 3 / 4 and 1 / 4; the signal below 0 is no long position.
        ("signal", rule(3, Weighting::Signal), &[(0, 0, 750.0), (0, 1, 125.0)]),
        (
            "cap",
            TopN { max_weight: Some(0.3), ..rule(2, Weighting::Equal) },
            &[(0, 0, 300.0), (0, 1, 150.0)],
        ),
        (
            "long and short",
            TopN { long_short: true, ..rule(1, Weighting::Fixed(0.5)) },
            &[(0, 2, -125.0), (0, 0, 500.0)],
        ),
        (
            "long and short by signal",
            TopN { long_short: true, ..rule(2, Weighting::Signal) },
            &[(0, 2, -250.0), (0, 0, 750.0), (0, 1, 125.0)],
        ),
        ("an expression", TopN::new("0 - score", 1), &[(0, 2, 250.0)]),
    ];
    for (name, rule, want) in rows {
        let log = simulate(&days, 1, 10_000.0, |layout| rule.build(layout));
        assert_eq!(orders(&log), want, "{name}");
    }
}

fn score() -> impl Draw<Value = f64> {
    prop::sample::select(vec![NAN, -f64::INFINITY, -2.0, -1.0, -0.0, 0.0, 1.0, 1.5, f64::INFINITY])
}

proptest! {
    #![proptest_config(draws(2_000))]

    /// The chosen are those of a stable sort by signal, also among ties, signed zeros, infinities.
    #[test]
    fn top_n_when_scores_are_random_then_chosen_as_by_a_stable_sort(
        scores in prop::collection::vec(score(), 1..5),
        n in 1_usize..4,
        long_short in any::<bool>(),
    ) {
        let rows: Vec<_> = scores.iter().map(|score| (10.0, 10.0, *score)).collect();
        let rule = TopN { weighting: Weighting::Fixed(0.01), long_short, ..TopN::new("score", n) };
        let log = simulate(&[day(&rows)], 1, 10_000.0, |layout| rule.build(layout));

        let mut ids: Vec<usize> = (0..scores.len()).filter(|&id| !scores[id].is_nan()).collect();
        ids.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).expect("no NaN is left"));
        let mut rest = ids.split_off(n.min(ids.len()));
        rest.sort_unstable();
        rest.sort_by(|&a, &b| scores[a].partial_cmp(&scores[b]).expect("no NaN is left"));
        rest.truncate(if long_short { n } else { 0 });
        ids.sort_unstable();
        rest.sort_unstable();
        let sent = |ids: &[usize], units: f64| -> Vec<Sent> {
            ids.iter().map(|&id| (0, u32::try_from(id).expect("small"), units)).collect()
        };
        prop_assert_eq!(orders(&log), [sent(&rest, -10.0), sent(&ids, 10.0)].concat());
    }
}

/// Returns of A are +-0.1, of B +-0.2: volatilities 1 : 2, weights 2/3 and 1/3 of 29,700. A: 19,800
/// / 99 = 200; B: 9,900 / 96 = 103.1. C is constant and has no weight; before day 2 nobody has one.
#[test]
fn top_n_when_weighted_by_inverse_volatility_then_units_by_hand() {
    let days = [
        day(&[(100.0, 100.0, 1.0), (100.0, 100.0, 2.0), (7.0, 7.0, 3.0)]),
        day(&[(110.0, 110.0, 1.0), (120.0, 120.0, 2.0), (7.0, 7.0, 3.0)]),
        day(&[(99.0, 99.0, 1.0), (96.0, 96.0, 2.0), (7.0, 7.0, 3.0)]),
    ];
    let rule = TopN { weighting: Weighting::InverseVol { window: 2 }, ..TopN::new("score", 2) };
    for chunk_days in [1, 3] {
        let log = simulate(&days, chunk_days, 29_700.0, |layout| rule.build(layout));
        assert_eq!(orders(&log), [(2, 0, 200.0), (2, 1, 103.0)]);
    }
}

/// Every fifth day of twelve: days 4 and 9; with phase 0 days 0, 5 and 10.
#[test]
fn top_n_when_rebalanced_every_fifth_day_then_decides_on_those() {
    let days: Vec<Day> = (0..12).map(|n| day(&[(10.0, 10.0 + f64::from(n), 1.0)])).collect();
    for (phase, want) in [(None, vec![4, 9]), (Some(0), vec![0, 5, 10])] {
        let rebalance = Rebalance::parse("5d", phase).expect("a cycle");
        let rule = TopN { rebalance, ..half_in_the_best() };
        let log = simulate(&days, 5, 1000.0, |layout| rule.build(layout));
        let decided: Vec<i64> = orders(&log).iter().map(|order| order.0).collect();
        assert_eq!(decided, want);
    }
}

#[test]
fn top_n_when_figures_are_out_of_range_then_error() {
    let base = TopN::new("score", 1);
    for rule in [
        TopN::new("score", 0),
        TopN { weighting: Weighting::Fixed(0.0), ..base.clone() },
        TopN { weighting: Weighting::Fixed(NAN), ..base.clone() },
        TopN { weighting: Weighting::InverseVol { window: 1 }, ..base.clone() },
        TopN { max_weight: Some(-0.1), ..base.clone() },
        TopN { rebalance: Rebalance::Days { every: 0, phase: 0 }, ..base.clone() },
    ] {
        let error = rule.build(&layout()).err().expect("out of range");
        assert_eq!(error.code(), "C312", "{rule:?}");
    }
    let error = TopN::new("scor", 1).build(&layout()).err().expect("no such column");
    assert_eq!(error.hint(), Some("did you mean score"));
}

#[test]
fn weighting_when_read_then_the_named_one() {
    let read = |text: &str| Weighting::parse(text).ok();
    assert_eq!(read("equal"), Some(Weighting::Equal));
    assert_eq!(read("signal"), Some(Weighting::Signal));
    assert_eq!(read("inverse_vol"), Some(Weighting::InverseVol { window: 20 }));
    assert_eq!(read("inverse_vol:60"), Some(Weighting::InverseVol { window: 60 }));
    for text in ["", "Equal", "inverse_vol:", "inverse_vol:x", "signal:3"] {
        assert_eq!(read(text), None, "{text}");
    }
}

/// Day 0: half of 1000 in A at 10: 50. Day 1, equity 500 + 50 x 11 = 1050: A is left alone, B gets
/// 0.3 x 1050 / 20 = 15.75 -> 15. Day 2, equity 200 + 50 x 12 + 15 x 20 = 1100: A 0.1 x 1100 / 12 =
/// 9.2 -> 9, sent first since it reduces; B 0.5 x 1100 / 20 = 27.5 -> 27. Day 3 closes A.
#[test]
fn weights_when_the_column_says_so_then_targets_by_hand() {
    let days = [
        day(&[(10.0, 10.0, 0.5), (20.0, 20.0, NAN)]),
        day(&[(10.0, 11.0, NAN), (20.0, 20.0, 0.3)]),
        day(&[(11.0, 12.0, 0.1), (20.0, 20.0, 0.5)]),
        day(&[(12.0, 12.0, 0.0), (20.0, 20.0, NAN)]),
    ];
    let log = simulate(&days, 1, 1000.0, |layout| Weights::new("score").build(layout));
    assert_eq!(log.states.equity[..3], [1000.0, 1050.0, 1100.0]);
    assert_eq!(
        orders(&log),
        [(0, 0, 50.0), (1, 1, 15.0), (2, 0, -41.0), (2, 1, 12.0), (3, 0, -9.0)]
    );
}

/// In above 10, out below 9: the close of day 1 enters at the open of day 2, the close of day 3
/// leaves at the open of day 4, whose close enters again and never fills.
#[test]
fn entries_exits_when_conditions_turn_then_fills_by_hand() {
    let bars = [(9.0, 9.5), (10.0, 11.0), (11.5, 12.0), (11.0, 8.0), (8.5, 11.0)];
    let days: Vec<Day> = bars.iter().map(|&(open, close)| day(&[(open, close, 0.0)])).collect();
    let rule =
        |size: Size| EntriesExits { entry: "close > 10".into(), exit: "close < 9".into(), size };
    let log = simulate(&days, 2, 1000.0, |layout| rule(Size::Quantity(10.0)).build(layout));
    assert_eq!(fills(&log), [(2, 0, 10.0, 11.5), (4, 0, -10.0, 8.5)]);
    assert_eq!(log.states.equity.last(), Some(&970.0));
    // Half of 1000 at the deciding close of 11 is 45.45 units.
    let log = simulate(&days, 2, 1000.0, |layout| rule(Size::Percent(0.5)).build(layout));
    assert_eq!(orders(&log)[0], (1, 0, 45.0));
    let error = rule(Size::Quantity(0.0)).build(&layout()).err().expect("no size");
    assert_eq!(error.code(), "C312");
}

/// Where both conditions hold nothing is entered, and what is held is left; an entry that waits
/// for a row is not sent twice.
#[test]
fn entries_exits_when_both_hold_or_an_order_waits_then_nothing_more() {
    let mut days: Vec<Day> = (0..5).map(|_| day(&[(10.0, 10.0, 1.0), (5.0, 5.0, 1.0)])).collect();
    let rule = |exit: &str| EntriesExits {
        entry: "score > 0".into(),
        exit: exit.into(),
        size: Size::Quantity(1.0),
    };
    let log = simulate(&days, 1, 1000.0, |layout| rule("close == 10").build(layout));
    assert_eq!(orders(&log), [(0, 1, 1.0)]);
    days[1].rows[1] = None;
    days[2].rows[1] = None;
    let log = simulate(&days, 1, 1000.0, |layout| rule("score < 0").build(layout));
    assert_eq!(orders(&log), [(0, 0, 1.0), (0, 1, 1.0)]);
    assert_eq!(fills(&log), [(1, 0, 1.0, 10.0), (3, 1, 1.0, 5.0)]);
}

fn random_days() -> impl Draw<Value = Vec<Day>> {
    let row = (1..200i32, 1..200i32, -3..4i32).prop_map(|(open, close, score)| {
        let score = if score == 3 { NAN } else { f64::from(score) };
        (f64::from(open) / 4.0, f64::from(close) / 4.0, score)
    });
    let rows = prop::collection::vec(prop::option::weighted(0.9, row), 4);
    let days = (10..40i32, rows).prop_map(|(vix, rows)| Day { vix: f64::from(vix), rows });
    prop::collection::vec(days, 2..30)
}

fn rule_number(n: usize, layout: &Layout) -> Result<Box<dyn Strategy>> {
    match n {
        0 => TopN {
            rebalance: Rebalance::Days { every: 3, phase: 1 },
            weighting: Weighting::InverseVol { window: 2 },
            condition: Some("context.vix < 35 and close > ts_mean(close, 2) * 0.5".into()),
            ..TopN::new("ts_mean(score, 2)", 2)
        }
        .build(layout),
        1 => {
            TopN { rebalance: Rebalance::Weeks { every: 1 }, ..TopN::new("score", 2) }.build(layout)
        }
        2 => Weights::new("score / 10").build(layout),
        _ => EntriesExits {
            entry: "cross_above(close, ts_mean(close, 3))".into(),
            exit: "cross_below(close, ts_mean(close, 3))".into(),
            size: Size::Percent(0.2),
        }
        .build(layout),
    }
}

proptest! {
    #![proptest_config(draws(128))]

    /// Cutting the future off changes nothing before, the decision of the last day included; and
    /// neither does cutting the data into chunks.
    #[test]
    fn rules_when_the_future_or_the_chunks_change_then_decisions_stay(
        days in random_days(),
        cut in 1..30usize,
        rule in 0..4usize,
    ) {
        let build = |layout: &Layout| rule_number(rule, layout);
        let whole = simulate(&days, usize::MAX, 10_000.0, build);
        let text = |log: &RunLog| format!("{:?} {:?}", log.orders, log.fills);
        prop_assert_eq!(text(&simulate(&days, 1, 10_000.0, build)), text(&whole));
        prop_assert_eq!(text(&simulate(&days, 7, 10_000.0, build)), text(&whole));

        let cut = cut.min(days.len());
        let short = simulate(&days[..cut], 3, 10_000.0, build);
        let last = i64::try_from(cut).expect("small") - 1;
        let mut before = orders(&whole);
        before.retain(|order| order.0 <= last);
        prop_assert_eq!(orders(&short), before);
        prop_assert_eq!(&short.states.equity[..], &whole.states.equity[..cut]);
    }
}
