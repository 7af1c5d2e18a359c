//! Windows, running indicators and coarser bars beside naive twins, whatever the chunks.

use std::sync::Arc;

use proptest::prelude::*;
use tapeworks::base::{AssetId, Calendar, Rescale, Step, Symbols, Timestamp};
use tapeworks::feed::{FeedClock, Layout, MarketChunk, RowColumn};
use tapeworks::indicators::IndicatorSpec;
use tapeworks::lookback::{Lookback, LookbackTerms, PastColumn};

use crate::random::draws;

const CLOSE: RowColumn = RowColumn::Price(3);
const SECOND: i64 = 1_000_000_000;
const VOLUME: RowColumn = RowColumn::Price(4);

/// A row: its timestamp number, its asset, its close.
type Row = (usize, u32, f64);

fn terms(n_symbols: usize) -> LookbackTerms {
    LookbackTerms {
        symbols: Symbols::new((0..n_symbols).map(|i| format!("S{i}"))).into(),
        layout: Arc::new(Layout::default()),
        calendar: None,
        actions: None,
        clock: FeedClock::default(),
        rows_max: usize::MAX,
    }
}

/// Rows at `stamps`, in chunks that end before the timestamps of `cuts`.
fn chunks(rows: &[Row], stamps: &[i64], cuts: &[usize]) -> Vec<Arc<MarketChunk>> {
    let mut made = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([stamps.len()]) {
        let mut chunk = MarketChunk { offsets: vec![0], ..MarketChunk::default() };
        for (t, stamp) in stamps.iter().enumerate().take(to).skip(from) {
            chunk.timestamps.push(*stamp);
            for (_, asset, close) in rows.iter().filter(|row| row.0 == t) {
                chunk.assets.push(*asset);
                chunk.close.push(*close);
                chunk.volume.push(1.0);
            }
            chunk.offsets.push(u32::try_from(chunk.assets.len()).expect("few rows"));
        }
        chunk.open.clone_from(&chunk.close);
        chunk.high.clone_from(&chunk.close);
        chunk.low.clone_from(&chunk.close);
        if !chunk.timestamps.is_empty() {
            made.push(Arc::new(chunk));
        }
        from = to.max(from);
    }
    made
}

/// Rows of three symbols, a third of them missing, and places to cut.
fn market() -> impl Strategy<Value = (Vec<Row>, usize, Vec<usize>)> {
    let row = prop::option::weighted(0.7, 1_u32..100);
    let rows = prop::collection::vec(prop::collection::vec(row, 3), 1..25);
    let cuts = prop::collection::vec(0_usize..25, 0..4);
    (rows, cuts).prop_map(|(grid, mut cuts)| {
        let n = grid.len();
        let mut rows = Vec::new();
        for (t, values) in grid.into_iter().enumerate() {
            for (asset, value) in (0_u32..).zip(values) {
                rows.extend(value.map(|value| (t, asset, f64::from(value))));
            }
        }
        cuts.retain(|cut| *cut < n);
        cuts.sort_unstable();
        (rows, n, cuts)
    })
}

/// The closes of an asset up to timestamp number `t`.
fn closes(rows: &[Row], asset: u32, t: usize) -> Vec<f64> {
    rows.iter().filter(|row| row.1 == asset && row.0 <= t).map(|row| row.2).collect()
}

proptest! {
    #![proptest_config(draws(400))]

    #[test]
    fn windows_when_rows_are_ragged_then_the_last_of_the_symbol((rows, n, cuts) in market()) {
        let stamps: Vec<i64> = (1..=i64::try_from(n).expect("few rows")).map(|t| 60 * t).collect();
        let mut lookback = Lookback::new(terms(3));
        let spec = IndicatorSpec::parse("sma:2").expect("in the table");
        let mean = lookback.indicator(spec, CLOSE).expect("close is there");
        let mut now = 0;
        for chunk in chunks(&rows, &stamps, &cuts) {
            for t in 0..chunk.timestamps.len() {
                lookback.move_to(&chunk, t).expect("no calendar");
                for asset in 0..3_u32 {
                    let seen = closes(&rows, asset, now);
                    let id = AssetId(asset);
                    for length in [1, 2, 5, 9] {
                        let window = lookback.window(id, PastColumn::Row(CLOSE), length);
                        if seen.len() < length {
                            prop_assert_eq!(window.expect_err("too few").code(), "O308");
                            continue;
                        }
                        let wanted = &seen[seen.len() - length..];
                        prop_assert_eq!(&window.expect("enough")[..], wanted);
                        let running = PastColumn::Running(mean, 0);
                        let means = lookback.window(id, running, length).expect("enough");
                        for (i, value) in means.iter().enumerate() {
                            let at = seen.len() - length + i;
                            let wanted = (at > 0).then(|| f64::midpoint(seen[at - 1], seen[at]));
                            prop_assert_eq!(wanted.is_none(), value.is_nan());
                            prop_assert!(wanted.is_none_or(|wanted| wanted == *value));
                        }
                    }
                }
                let columns = lookback.running(mean).expect("a chunk was seen");
                let range = chunk.offsets[t] as usize..chunk.offsets[t + 1] as usize;
                for row in range {
                    let seen = closes(&rows, chunk.assets[row], now);
                    let wanted = (seen.len() > 2)
                        .then(|| f64::midpoint(seen[seen.len() - 3], seen[seen.len() - 2]));
                    let previous = columns[0].previous[row];
                    prop_assert_eq!(wanted.is_none(), previous.is_nan());
                    prop_assert!(wanted.is_none_or(|wanted| wanted == previous));
                }
                now += 1;
            }
        }
    }

    #[test]
    fn coarser_bars_when_rows_are_ragged_then_those_whose_window_has_ended(
        (rows, n, cuts) in market()
    ) {
        let minute = 60_000_000_000_i64;
        let stamps: Vec<i64> = (1..=i64::try_from(n).expect("few rows")).map(|t| minute * t).collect();
        let mut lookback = Lookback::new(terms(3));
        let mut now = 0;
        for chunk in chunks(&rows, &stamps, &cuts) {
            for t in 0..chunk.timestamps.len() {
                lookback.move_to(&chunk, t).expect("no calendar");
                for asset in 0..3_u32 {
                    // Five minutes: rows 0 to 4 make the first bar.
                    let whole = (now + 1) / 5;
                    let bars: Vec<Vec<f64>> = (0..whole)
                        .map(|bar| {
                            let of = |row: &&Row| row.1 == asset && row.0 / 5 == bar;
                            rows.iter().filter(of).map(|row| row.2).collect()
                        })
                        .filter(|bar: &Vec<f64>| !bar.is_empty())
                        .collect();
                    let step = Step::Span(5 * minute);
                    let found = lookback.coarser(AssetId(asset), step, bars.len());
                    let found = found.expect("as many as are whole");
                    let column = |place: usize, of: &dyn Fn(&Vec<f64>) -> f64| {
                        let wanted: Vec<f64> = bars.iter().map(of).collect();
                        assert_eq!(found.columns[place], wanted);
                    };
                    column(0, &|bar| bar[0]);
                    column(1, &|bar| bar.iter().copied().fold(f64::MIN, f64::max));
                    column(2, &|bar| bar.iter().copied().fold(f64::MAX, f64::min));
                    column(3, &|bar| bar[bar.len() - 1]);
                    column(4, &|bar| bar.len() as f64);
                    let more = lookback.coarser(AssetId(asset), step, bars.len() + 1);
                    prop_assert_eq!(more.expect_err("one more is not there").code(), "O308");
                }
                now += 1;
            }
        }
    }
}

/// A split of 1 to 2 before the third row: 10, 12 are seen as 5, 6 from then on; volumes double.
#[test]
fn past_when_a_split_restates_it_then_in_units_of_now() {
    let rows = [(0, 0, 10.0), (1, 0, 12.0), (2, 0, 7.0), (3, 0, 8.0)];
    let minute = 60_000_000_000_i64;
    let stamps: Vec<i64> = (1..5).map(|t| minute * t).collect();
    for cuts in [vec![], vec![1, 2, 3]] {
        let mut lookback = Lookback::new(terms(1));
        let mut t_run = 0;
        for chunk in chunks(&rows, &stamps, &cuts) {
            for t in 0..chunk.timestamps.len() {
                if t_run == 2 {
                    let split = Rescale::split(AssetId(0), 2.0);
                    lookback.rescale(stamps[2], &split).expect("no calendar");
                }
                lookback.move_to(&chunk, t).expect("no calendar");
                if t_run == 1 {
                    let early = lookback.coarser(AssetId(0), Step::Span(2 * minute), 1);
                    assert_eq!(early.expect("rows 0 and 1").columns[3], [12.0]);
                }
                t_run += 1;
            }
        }
        let close = lookback.window(AssetId(0), PastColumn::Row(CLOSE), 4).expect("4 rows");
        assert_eq!(&close[..], [5.0, 6.0, 7.0, 8.0]);
        let volume = lookback.window(AssetId(0), PastColumn::Row(VOLUME), 4).expect("4 rows");
        assert_eq!(&volume[..], [2.0, 2.0, 1.0, 1.0]);
        let bars = lookback.coarser(AssetId(0), Step::Span(2 * minute), 2).expect("two bars");
        assert_eq!((&bars.columns[3], &bars.columns[4]), (&vec![6.0, 8.0], &vec![4.0, 2.0]));
        assert_eq!(bars.timestamps, [2 * minute, 4 * minute]);
    }
}

/// New York, 2024-07-03: the session ends at 13:00, so its last bar of two hours has 90 minutes.
#[test]
fn coarser_bars_when_a_session_ends_early_then_complete_at_its_close() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a time").as_second() * SECOND;
    let stamps = ["14:30", "15:30", "16:30", "17:00"].map(|t| at(&format!("2024-07-03T{t}:00Z")));
    let rows = [(0, 0, 1.0), (1, 0, 2.0), (2, 0, 3.0), (3, 0, 4.0)];
    let calendar = Calendar::named("XNYS").expect("built in");
    let mut lookback = Lookback::new(LookbackTerms { calendar: Some(calendar), ..terms(1) });
    let mut ends = Vec::new();
    for chunk in chunks(&rows, &stamps, &[]) {
        for t in 0..4 {
            lookback.move_to(&chunk, t).expect("in the calendar");
            let two_hours = Step::parse("2h").expect("a step");
            let bars = lookback.coarser(AssetId(0), two_hours, 1);
            ends.push(bars.map_or(0, |bars| bars.timestamps[0]));
        }
    }
    // 09:30 to 11:30 is 13:30 to 15:30 in UTC.
    assert_eq!(ends, [0, stamps[1], stamps[1], stamps[3]], "{}", Timestamp(ends[3]));
}

#[test]
fn rows_when_they_were_let_go_then_the_error_says_so() {
    let rows: Vec<Row> = (0..40).map(|t| (t, 0, 1.0)).collect();
    let stamps: Vec<i64> = (1..41).collect();
    let mut lookback = Lookback::new(LookbackTerms { rows_max: 15, ..terms(1) });
    for chunk in chunks(&rows, &stamps, &[10, 20, 30]) {
        lookback.move_to(&chunk, 9).expect("no calendar");
    }
    let column = PastColumn::Row(CLOSE);
    assert_eq!(lookback.window(AssetId(0), column, 10).expect("the last chunk").len(), 10);
    let error = lookback.window(AssetId(0), column, 11).expect_err("let go");
    assert_eq!(error.code(), "R103");
    assert!(error.message().contains("S0: 11 rows asked, 10 still kept"), "{error}");
    let spec = IndicatorSpec::parse("ema:3").expect("in the table");
    assert_eq!(lookback.indicator(spec, CLOSE).expect_err("too late").code(), "R103");
}
