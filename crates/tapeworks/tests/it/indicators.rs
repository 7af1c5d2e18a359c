//! Indicators against TA-Lib and numpy (`oracles/indicators.py`), and rules no library states.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;
use tapeworks::feed::{ChunkSource, Layout, MarketChunk};
use tapeworks::prepare::{INDICATORS, IndicatorSet, IndicatorSpec};

use crate::random::draws;

const RELATIVE: f64 = 1e-10;
/// Differences of prices near 0 are known to the rounding of the prices only.
const ABSOLUTE: f64 = 1e-11;

fn goldens() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../oracles/indicators.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("the script writes JSON")
}

/// One symbol's rows, a timestamp each, with the columns vwap and notional.
fn chunk(columns: &[Vec<f64>; 7]) -> MarketChunk {
    let n = u32::try_from(columns[0].len()).unwrap();
    let [open, high, low, close, volume, vwap, notional] = columns.clone();
    MarketChunk {
        timestamps: (0..i64::from(n)).collect(),
        offsets: (0..=n).collect(),
        assets: vec![0; n as usize],
        open,
        high,
        low,
        close,
        volume,
        signals: vec![vwap, notional],
        ..MarketChunk::default()
    }
}

fn layout() -> Layout {
    Layout { signals: vec!["vwap".into(), "notional".into()], ..Layout::default() }
}

fn drawn(goldens: &Value) -> MarketChunk {
    let column = |name: &str| -> Vec<f64> {
        let values = goldens["drawn"][name].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    chunk(&["open", "high", "low", "close", "volume", "vwap", "notional"].map(column))
}

/// The rows of AAPL in the bundled sample; it has neither vwap nor notional.
fn sampled() -> MarketChunk {
    let reader = tapeworks::run::sample_reader("bars").expect("bundled");
    let mut feed = tapeworks::feed::DataFeed::new(tapeworks::data::Source::Arrow(reader));
    feed.read.symbols = Some(vec!["AAPL".into()]);
    let feed = feed.open().expect("opens").into_memory().expect("reads");
    let mut all = MarketChunk::default();
    let mut feed = feed;
    while let Some(part) = feed.next_chunk().unwrap() {
        all.assets.extend(&part.assets);
        all.open.extend(&part.open);
        all.high.extend(&part.high);
        all.low.extend(&part.low);
        all.close.extend(&part.close);
        all.volume.extend(&part.volume);
    }
    all
}

fn compute(spec: &str, layout: &Layout, chunk: &MarketChunk) -> Vec<Vec<f64>> {
    let spec = IndicatorSpec::parse(spec).expect(spec);
    IndicatorSet::new(&[spec], layout).expect("columns are there").push_chunk(chunk)
}

#[test]
fn indicators_when_compared_with_ta_lib_and_numpy_then_equal() {
    let goldens = goldens();
    let (drawn, sampled) = (drawn(&goldens), sampled());
    assert_eq!(sampled.n_rows(), 3270);
    let mut faults = Vec::new();
    let mut n_values = 0;
    for case in goldens["cases"].as_array().unwrap() {
        let text = case["spec"].as_str().unwrap();
        let spec = IndicatorSpec::parse(text).expect(text);
        for (series, layout, chunk) in
            [("drawn", layout(), &drawn), ("sample", Layout::default(), &sampled)]
        {
            let wanted = case[series].as_array().unwrap();
            if wanted.is_empty() {
                continue;
            }
            let columns = compute(text, &layout, chunk);
            assert_eq!(columns.len(), wanted.len(), "{text}");
            for (name, (ours, theirs)) in spec.columns().iter().zip(columns.iter().zip(wanted)) {
                let first = ours.iter().position(|x| !x.is_nan());
                let expected = theirs["first"].as_u64().and_then(|row| usize::try_from(row).ok());
                if first != expected || first != Some(spec.first_row()) {
                    let told = spec.first_row();
                    faults.push(format!("{series} {name}: first {first:?} {expected:?} {told}"));
                }
                for point in theirs["values"].as_array().unwrap() {
                    let row = usize::try_from(point[0].as_u64().unwrap()).unwrap();
                    let (ours, theirs) = (ours[row], point[1].as_f64().unwrap());
                    n_values += 1;
                    let is_near = (ours - theirs).abs() <= RELATIVE * theirs.abs() + ABSOLUTE;
                    if !is_near {
                        faults.push(format!("{series} {name} row {row}: {ours} {theirs}"));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} of {n_values}\n{}", faults.len(), faults.join("\n"));
    assert!(n_values > 1_500, "{n_values}");
}

/// Every row of the table has its case among the golden values.
#[test]
fn table_when_compared_with_the_cases_then_none_is_left_out() {
    let goldens = goldens();
    let cases: Vec<&str> =
        goldens["cases"].as_array().unwrap().iter().map(|c| c["spec"].as_str().unwrap()).collect();
    for indicator in INDICATORS {
        let with_defaults = IndicatorSpec::parse(indicator.name).unwrap().to_string();
        assert!(cases.contains(&with_defaults.as_str()), "{with_defaults} has no case");
    }
}

/// Indicator, closes, the values of its columns.
type Case<'a> = (&'a str, &'a [f64], &'a [&'a [f64]]);

/// By hand: (indicator, closes, its values); open, high, low are the close, volume is 10.
#[test]
fn indicators_when_nothing_moves_then_what_ta_lib_says() {
    let nan = f64::NAN;
    let rows: [Case; 8] = [
        ("rsi:2", &[5.0, 5.0, 5.0], &[&[nan, nan, 0.0]]),
        ("rsi:2", &[5.0, 6.0, 8.0], &[&[nan, nan, 100.0]]),
        ("cmo:2", &[5.0, 6.0, 4.0], &[&[nan, nan, 100.0 * (1.0 - 2.0) / 3.0]]),
        ("willr:2", &[5.0, 5.0], &[&[nan, 0.0]]),
        ("kama:2", &[5.0, 5.0, 5.0], &[&[nan, nan, 5.0]]),
        ("zscore:2", &[5.0, 5.0, 7.0], &[&[nan, nan, 0.5_f64.sqrt()]]),
        ("obv", &[5.0, 6.0, 6.0, 5.0], &[&[10.0, 20.0, 20.0, 10.0]]),
        ("aroon:2", &[5.0, 5.0, 5.0, 4.0], &[&[nan, nan, 100.0, 100.0], &[nan, nan, 100.0, 50.0]]),
    ];
    for (spec, closes, wanted) in rows {
        let c = closes.to_vec();
        let volume = vec![10.0; c.len()];
        let data = chunk(&[c.clone(), c.clone(), c.clone(), c.clone(), volume, c.clone(), c]);
        for (ours, theirs) in compute(spec, &layout(), &data).iter().zip(wanted) {
            let same = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12 || (a.is_nan() && b.is_nan());
            assert!(ours.iter().zip(*theirs).all(same), "{spec}: {ours:?} {theirs:?}");
        }
    }
}

#[test]
fn spec_when_wrong_then_c301_with_a_way_on() {
    // text, what the message or the hint must hold
    let rows = [
        ("rsl:14", "rsi"),
        ("rsi:14:3", "too many"),
        ("rsi:1", "from 2"),
        ("rsi:2.5", "whole number"),
        ("rsi:x", "whole number"),
        ("sar:0", "above 0"),
        ("macd:26:12", "fast must be below slow"),
        ("", "indicators:"),
        ("momentum_x9", "indicators:"),
    ];
    for (text, part) in rows {
        let error = IndicatorSpec::parse(text).expect_err(text);
        assert_eq!(error.code(), "C301", "{text}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    let parse = |text: &str| IndicatorSpec::parse(text).unwrap();
    assert_eq!(parse("bbands:20:2.5").columns()[0], "bb_upper_20_2p5_2");
    assert_eq!(parse("sar").columns(), ["sar"]);
    let twice = IndicatorSet::new(&[parse("rsi"), parse("rsi:14")], &Layout::default());
    assert_eq!(twice.expect_err("one column twice").code(), "D601");
    let data = Layout { signals: vec!["rsi_14".into()], ..Layout::default() };
    assert_eq!(IndicatorSet::new(&[parse("rsi")], &data).expect_err("taken").code(), "D601");
    let error = IndicatorSet::new(&[parse("vwap_dev")], &Layout::default()).expect_err("no vwap");
    assert!(error.message().contains("vwap"), "{error}");
}

/// All indicators with short windows, over a column each.
fn every_spec() -> Vec<IndicatorSpec> {
    INDICATORS.iter().map(|one| IndicatorSpec::parse(one.name).expect(one.name)).collect()
}

proptest! {
    #![proptest_config(draws(24))]

    /// Rows with holes, of two symbols, cut anywhere: the values at whole rows are those of the
    /// series without its holes, computed in one go, and rows with a hole have none.
    #[test]
    fn indicators_when_rows_are_missing_and_chunks_cut_then_as_over_the_whole_rows(
        moves in prop::collection::vec((-0.05..0.05_f64, 0.0..0.02_f64, 0_u32..2, 0_u8..10), 60..200),
        cut in 1_usize..60,
    ) {
        let mut price = [100.0_f64; 2];
        let mut rows: Vec<([f64; 7], u32)> = Vec::new();
        for (step, width, asset, fate) in moves {
            let open = price[asset as usize];
            let close = open * (1.0 + step);
            price[asset as usize] = close;
            let (high, low) = (open.max(close) * (1.0 + width), open.min(close) * (1.0 - width));
            let mut row = [open, high, low, close, 1000.0 * (1.0 + width), f64::midpoint(high, low), 1e5];
            if fate == 0 {
                row = [f64::NAN; 7];
            }
            rows.push((row, asset));
        }
        let specs = every_spec();
        let columns = |rows: &[([f64; 7], u32)]| {
            let mut data: MarketChunk =
                chunk(&std::array::from_fn(|c| rows.iter().map(|row| row.0[c]).collect()));
            data.assets = rows.iter().map(|row| row.1).collect();
            data
        };
        let mut set = IndicatorSet::new(&specs, &layout()).unwrap();
        let mut ours: Vec<Vec<f64>> = vec![Vec::new(); set.columns().len()];
        for part in rows.chunks(cut) {
            for (all, column) in ours.iter_mut().zip(set.push_chunk(&columns(part))) {
                all.extend(column);
            }
        }
        for asset in 0..2 {
            let whole: Vec<usize> = (0..rows.len())
                .filter(|&i| rows[i].1 == asset && !rows[i].0[0].is_nan())
                .collect();
            let alone: Vec<([f64; 7], u32)> = whole.iter().map(|&i| (rows[i].0, 0)).collect();
            let mut set = IndicatorSet::new(&specs, &layout()).unwrap();
            let theirs = set.push_chunk(&columns(&alone));
            for (ours, theirs) in ours.iter().zip(&theirs) {
                for (&i, value) in whole.iter().zip(theirs) {
                    prop_assert_eq!(ours[i].to_bits(), value.to_bits());
                }
            }
        }
        for (i, (row, _)) in rows.iter().enumerate() {
            if row[0].is_nan() {
                prop_assert!(ours.iter().all(|column| column[i].is_nan()));
            }
        }
    }
}
