//! Row expressions: the grammar of `base`, the evaluation of `engine`.

use proptest::prelude::*;
use tapeworks::base::ErrorKind;
use tapeworks::base::expression::{Expression, FUNCTIONS};
use tapeworks::engine::expression::RowProgram;
use tapeworks::feed::{Layout, MarketChunk};

use crate::random::draws;

const NAN: f64 = f64::NAN;

fn layout() -> Layout {
    Layout {
        signals: vec!["score".into(), "rank".into()],
        indicators: vec!["atr_14".into()],
        context: vec!["vix".into(), "spy".into()],
    }
}

/// One timestamp with three rows; the third has holes.
fn one_slice() -> MarketChunk {
    MarketChunk {
        timestamps: vec![0],
        offsets: vec![0, 3],
        assets: vec![0, 1, 2],
        open: vec![1.0, 4.0, 2.0],
        high: vec![3.0, 6.0, 2.0],
        low: vec![0.5, 3.0, 2.0],
        close: vec![2.0, 5.0, NAN],
        volume: vec![100.0, 0.0, NAN],
        signals: vec![vec![-1.5, 0.0, 2.0], vec![1.0, 2.0, NAN]],
        indicators: vec![vec![0.25, 0.5, 0.75]],
        context: vec![vec![20.0], vec![NAN]],
    }
}

fn evaluate(text: &str, chunk: &MarketChunk) -> Vec<f64> {
    let mut program = RowProgram::new(text, &layout()).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut all = Vec::new();
    let mut out = Vec::new();
    for t in 0..chunk.timestamps.len() {
        program.evaluate_at(chunk, t, &mut out);
        all.extend_from_slice(&out);
    }
    all
}

#[track_caller]
fn assert_rows(text: &str, got: &[f64], want: &[f64]) {
    let same = got.len() == want.len()
        && got.iter().zip(want).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
    assert!(same, "{text}: got {got:?}, want {want:?}");
}

#[test]
fn arithmetic_when_evaluated_then_precedence_and_missing_as_written() {
    // expression, values of the three rows of `one_slice` by hand
    let rows: [(&str, [f64; 3]); 44] = [
        ("1 + 2 * 3", [7.0; 3]),
        ("(1 + 2) * 3", [9.0; 3]),
        ("10 - 4 - 3", [3.0; 3]),
        ("12 / 2 / 3", [2.0; 3]),
        ("-2 ** 2", [-4.0; 3]),
        ("2 ^ 3 ^ 2", [512.0; 3]),
        ("2 ** -1", [0.5; 3]),
        ("--3 + +1", [4.0; 3]),
        ("2 * -3", [-6.0; 3]),
        (".5 + 1.5e1 + 2E-1", [15.7; 3]),
        ("close - open", [1.0, 1.0, NAN]),
        ("(high - low) / close", [1.25, 0.6, NAN]),
        ("close / volume", [0.02, NAN, NAN]),
        ("1 / 0", [NAN; 3]),
        ("0 ^ 0", [1.0; 3]),
        ("close ^ 0", [1.0, 1.0, NAN]),
        ("context.vix", [20.0; 3]),
        ("close * context.vix", [40.0, 100.0, NAN]),
        ("context.spy + 1", [NAN; 3]),
        ("signals.score", [-1.5, 0.0, 2.0]),
        ("indicators.atr_14 * 4", [1.0, 2.0, 3.0]),
        ("abs(score)", [1.5, 0.0, 2.0]),
        ("sign(score)", [-1.0, 0.0, 1.0]),
        ("sqrt(score)", [NAN, 0.0, 2f64.sqrt()]),
        ("log(score)", [NAN, NAN, 2f64.ln()]),
        ("exp(1000)", [NAN; 3]),
        ("min(close, 3)", [2.0, 3.0, NAN]),
        ("max(open, high, low)", [3.0, 6.0, 2.0]),
        ("max(close, rank)", [2.0, 5.0, NAN]),
        ("close > 3", [0.0, 1.0, NAN]),
        ("close > 3 or score > 0", [0.0, 1.0, NAN]),
        ("1 < 2 and 3 >= 3", [1.0; 3]),
        ("not close > 3", [1.0, 0.0, NAN]),
        ("!(score == 0) && score != 2", [1.0, 0.0, 0.0]),
        ("score < 0 | score > 1 & open < 3", [1.0, 0.0, 1.0]),
        ("context.vix < 30", [1.0; 3]),
        ("where(close, score > -1)", [NAN, 5.0, NAN]),
        ("where(close, score > -1, 0)", [0.0, 5.0, NAN]),
        ("if_else(score > 0, close, open)", [1.0, 4.0, NAN]),
        ("if(close > 3, 1, 2)", [2.0, 1.0, NAN]),
        ("score > 0 ? 1 : score < 0 ? -1 : 0", [-1.0, 0.0, 1.0]),
        ("is_missing(close) ? open : close", [2.0, 5.0, 2.0]),
        ("is_missing(context.spy)", [1.0; 3]),
        ("open # the first price\n + 1", [2.0, 5.0, 3.0]),
    ];
    for (text, want) in rows {
        assert_rows(text, &evaluate(text, &one_slice()), &want);
    }
}

#[test]
fn parse_when_text_is_wrong_then_code_place_and_remedy() {
    // text, code, where, words of the message or hint
    let rows = [
        ("", "C101", "column 1", "empty"),
        ("close >", "C101", "column 8", "ends where a value"),
        ("close close", "C101", "column 7", "expected an operator"),
        ("(close", "C101", "column 7", "expected \")\""),
        ("close)", "C101", "column 6", "no open bracket"),
        ("close = 5", "C101", "column 7", "compare with =="),
        ("5 = close", "C101", "column 3", "compare with =="),
        ("1 < close < 2", "C101", "column 11", "write 1 < close and close < 2"),
        ("1 + not close", "C101", "column 5", "brackets"),
        ("close @ 3", "C101", "column 7", "'@'"),
        ("20d", "C101", "column 1", "\"20\" is no number"),
        ("1e999", "C101", "column 1", "no number"),
        ("and close", "C101", "column 1", "\"and\""),
        ("close +\n  * 2", "C101", "line 2, column 3", "expected a number"),
        ("ts_maen(close, 5)", "C301", "column 1", "did you mean \"ts_mean\""),
        ("foo(close)", "C301", "column 1", "functions: abs"),
        ("contxt.vix", "C301", "column 1", "did you mean \"context\""),
        ("1 + abs()", "C301", "column 5", "write abs(x)"),
        ("abs(1, 2)", "C301", "column 1", "2 arguments"),
        ("ts_mean(close)", "C301", "column 1", "ts_mean(x, w)"),
        ("ts_mean(close, 2.5)", "C301", "column 16", "2.5"),
        ("ts_mean(close, 0)", "C301", "column 16", "whole number"),
        ("ts_mean(close, -5)", "C301", "column 16", "-5"),
        ("ts_mean(close, open)", "C301", "column 16", "must be a number"),
        ("ts_std(close, 20, ddof=1)", "C301", "column 19", "\"ddof\""),
        ("ts_delay(close, -1)", "L103", "column 17", "future"),
        ("ts_returns(close, 1 - 3)", "L103", "column 19", "future"),
        ("where(close > 3, 1, 2)", "C301", "column 7", "if_else(cond, a, b)"),
        ("1_000", "C101", "column 1", "no number"),
    ];
    for (text, code, place, words) in rows {
        let error = Expression::parse(text).expect_err(text);
        let whole = error.to_string();
        assert_eq!(error.code(), code, "{text}: {whole}");
        assert!(whole.contains(&format!("at {place} of")), "{text}: {whole}");
        assert!(whole.contains(words), "{text}: {whole}");
        let is_future = error.kind() == ErrorKind::LookAhead;
        assert_eq!(is_future, code == "L103", "{text}");
    }
}

#[test]
fn parse_when_error_is_shown_then_the_caret_stands_under_the_place() {
    let error = RowProgram::new("score > 0 and scroe < é_5", &layout()).expect_err("é");
    assert!(error.message().ends_with(&format!("\n  {}^", " ".repeat(22))), "{error}");
    let error = RowProgram::new("score > 0 and scroe < 5", &layout()).expect_err("unknown");
    let want = format!("score > 0 and scroe < 5\n  {}^^^^^", " ".repeat(14));
    assert!(error.message().ends_with(&want), "{error}");
    assert_eq!(error.hint(), Some("did you mean score"));
}

#[test]
fn columns_when_unknown_then_the_hint_names_the_way() {
    for (text, hint) in [
        ("vix < 30", "write context.vix"),
        ("context.vx < 30", "did you mean context.vix"),
        ("signals.atr_14", "columns there: score, rank"),
        ("Close > 1", "did you mean close"),
    ] {
        let error = RowProgram::new(text, &layout()).expect_err(text);
        assert_eq!(error.code(), "C301");
        assert_eq!(error.hint(), Some(hint), "{text}");
    }
    let error = RowProgram::new("context.vix", &Layout::default()).expect_err("no context");
    assert_eq!(error.hint(), Some("the feed has no context columns"));
}

#[test]
fn depth_when_nested_without_end_then_error_and_no_overflow() {
    for text in ["(".repeat(3_000), "-".repeat(3_000), "abs(".repeat(900), "not ".repeat(900)] {
        let error = Expression::parse(&text).expect_err("too deep");
        assert!(error.message().contains("nested deeper"), "{error}");
    }
    let long = format!("1{}", "+1".repeat(1_900));
    assert_rows("long sum", &evaluate(&long, &one_slice())[..1], &[1901.0]);
    let too_long = "1+".repeat(3_000);
    assert!(Expression::parse(&too_long).expect_err("too long").message().contains("bytes"));
}

/// Every function of the table is called by its own form.
#[test]
fn functions_when_called_as_their_form_says_then_they_parse() {
    for row in FUNCTIONS {
        let form = row.form.replace(", ..", "").replace("w)", "3)").replace("k)", "2)");
        let form = form.replace("cond", "close > 1").replace("other", "0");
        let form = ["(x", "(a", " x", " y", " a", " b"].iter().fold(form, |form, &slot| {
            let (head, _) = slot.split_at(1);
            form.replace(&format!("{slot},"), &format!("{head}close,"))
                .replace(&format!("{slot})"), &format!("{head}open)"))
        });
        RowProgram::new(&form, &layout()).unwrap_or_else(|error| panic!("{form}: {error}"));
    }
}

/// Ragged rows: for each timestamp the present assets with a value that may be missing.
fn ragged() -> impl Strategy<Value = Vec<Vec<Option<f64>>>> {
    let value = prop_oneof![
        6 => (-50..50i32).prop_map(|n| f64::from(n) / 8.0),
        1 => Just(NAN),
        1 => Just(1e12),
    ];
    let rows = prop::collection::vec(prop::option::weighted(0.8, value), 3);
    prop::collection::vec(rows, 1..60)
}

fn chunk_of(table: &[Vec<Option<f64>>]) -> MarketChunk {
    let mut chunk = MarketChunk { offsets: vec![0], ..MarketChunk::default() };
    for (t, row) in (0i64..).zip(table) {
        chunk.timestamps.push(t);
        for (asset, value) in (0u32..).zip(row) {
            if let Some(value) = value {
                chunk.assets.push(asset);
                chunk.close.push(*value);
            }
        }
        chunk.offsets.push(u32::try_from(chunk.assets.len()).expect("small"));
    }
    let n = chunk.assets.len();
    for column in [&mut chunk.open, &mut chunk.high, &mut chunk.low, &mut chunk.volume] {
        column.resize(n, 1.0);
    }
    chunk.signals = vec![vec![0.0; n]; 2];
    chunk.indicators = vec![vec![0.0; n]; 1];
    chunk.context = vec![vec![0.0; table.len()]; 2];
    chunk
}

/// The twin: the symbol's own rows up to now, then the formula over the last ones.
fn naive(table: &[Vec<Option<f64>>], rows: usize, formula: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut out = Vec::new();
    for t in 0..table.len() {
        for asset in 0..table[t].len() {
            if table[t][asset].is_none() {
                continue;
            }
            let own: Vec<f64> = table[..=t].iter().filter_map(|row| row[asset]).collect();
            let window = own.len().checked_sub(rows).map(|from| &own[from..]);
            let value = window.filter(|w| !w.iter().any(|v| v.is_nan())).map_or(NAN, &formula);
            out.push(if value.is_finite() { value } else { NAN });
        }
    }
    out
}

fn std(window: &[f64]) -> f64 {
    let n = window.len() as f64;
    let mean = window.iter().sum::<f64>() / n;
    (window.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0)).sqrt()
}

/// Relative to the values, with exact agreement on what is missing.
fn close_to(got: &[f64], want: &[f64], tolerance: f64) -> std::result::Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), want.len());
    for (row, (a, b)) in got.iter().zip(want).enumerate() {
        let same = (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs().max(1e-3);
        prop_assert!(same, "row {}: {} is not {}", row, a, b);
    }
    Ok(())
}

proptest! {
    #![proptest_config(draws(256))]

    #[test]
    fn windows_when_rows_are_random_then_equal_to_the_naive_twin(
        table in ragged(),
        w in 1..9usize,
    ) {
        let chunk = chunk_of(&table);
        let run = |name: &str| evaluate(&format!("{name}(close, {w})"), &chunk);
        let first = |window: &[f64]| window[0];
        let last = |window: &[f64]| window[window.len() - 1];
        let least = |window: &[f64]| window.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = |window: &[f64]| window.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        close_to(&run("ts_min"), &naive(&table, w, least), 0.0)?;
        close_to(&run("ts_max"), &naive(&table, w, greatest), 0.0)?;
        // Values are eighths up to 1e12: their sums are exact in f64, in any order.
        close_to(&run("ts_sum"), &naive(&table, w, |v| v.iter().sum()), 0.0)?;
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        close_to(&run("ts_mean"), &naive(&table, w, mean), 0.0)?;
        close_to(&run("ts_std"), &naive(&table, w, std), 1e-9)?;
        // A lag looks at one row: holes between do not matter.
        let delayed: Vec<f64> = {
            let mut out = Vec::new();
            for t in 0..table.len() {
                for asset in 0..3 {
                    if table[t][asset].is_some() {
                        let own: Vec<f64> = table[..=t].iter().filter_map(|r| r[asset]).collect();
                        out.push(own.len().checked_sub(w + 1).map_or(NAN, |from| own[from]));
                    }
                }
            }
            out
        };
        close_to(&run("ts_delay"), &delayed, 0.0)?;
        let finite = |v: f64| if v.is_finite() { v } else { NAN };
        let delta: Vec<f64> = chunk.close.iter().zip(&delayed).map(|(x, d)| x - d).collect();
        close_to(&run("ts_delta"), &delta, 0.0)?;
        let returns: Vec<f64> =
            chunk.close.iter().zip(&delayed).map(|(x, d)| finite(x / d - 1.0)).collect();
        close_to(&run("ts_returns"), &returns, 0.0)?;
        // A cross of a level: now above, at the row before not.
        let pairs = |v: &[f64]| f64::from(u8::from(last(v) > 0.5 && first(v) <= 0.5));
        close_to(&evaluate("cross_above(close, 0.5)", &chunk), &naive(&table, 2, pairs), 0.0)?;
        let pairs = |v: &[f64]| f64::from(u8::from(last(v) < 0.5 && first(v) >= 0.5));
        close_to(&evaluate("cross_below(close, 0.5)", &chunk), &naive(&table, 2, pairs), 0.0)?;
    }

    #[test]
    fn symbols_when_alone_then_the_same_as_among_others(table in ragged(), w in 1..9usize) {
        let text = format!("ts_std(ts_returns(close), {w}) + ts_mean(close, {w})");
        let among = chunk_of(&table);
        let all = evaluate(&text, &among);
        let rows = all.iter().zip(&among.assets);
        let of_one: Vec<u64> = rows.filter(|row| *row.1 == 1).map(|row| row.0.to_bits()).collect();
        let alone: Vec<Vec<Option<f64>>> = table.iter().map(|row| vec![None, row[1]]).collect();
        let alone = evaluate(&text, &chunk_of(&alone));
        let got: Vec<u64> = alone.iter().map(|v| v.to_bits()).collect();
        prop_assert_eq!(got, of_one);
    }

    #[test]
    fn parse_when_text_is_noise_then_no_panic(
        text in "[a-z0-9 .()+*/<>=!&|,?:^-]{0,40}|\\PC{0,20}",
    ) {
        if let Err(error) = RowProgram::new(&text, &layout()) {
            prop_assert!(!error.message().is_empty());
        }
    }
}

/// Rule 5 of the operators: a huge value leaves no trace, a level costs no digits, a constant has
/// a deviation of exactly 0.
#[test]
fn windows_when_values_are_extreme_then_exact_again() {
    let of = |values: &[f64]| chunk_of(&values.iter().map(|&v| vec![Some(v)]).collect::<Vec<_>>());
    let sums = evaluate("ts_sum(close, 2)", &of(&[0.1, 1e16, 0.1, 0.2, 0.3]));
    assert_rows("huge", &sums[3..], &[0.1 + 0.2, 0.2 + 0.3]);
    let constant = evaluate("ts_std(close, 3)", &of(&[0.1; 8]));
    assert_rows("constant", &constant, &[NAN, NAN, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    // Level 1e8, steps of 1/64 and so exact: the deviation is that of 0, 1, 2, 3 over 64 in any
    // order, sqrt(5/3)/64.
    let steps = [0.0, 2.0, 1.0, 3.0, 0.0, 2.0, 1.0, 3.0, 0.0];
    let level: Vec<f64> = steps.iter().map(|s| 1e8 + s / 64.0).collect();
    let want = (5.0f64 / 3.0).sqrt() / 64.0;
    for got in &evaluate("ts_std(close, 4)", &of(&level))[3..] {
        assert!((got / want - 1.0).abs() < 1e-14, "{got} is not {want}");
    }
    // The huge value starts a block: it must not stay in the windows that follow it.
    let after_huge = evaluate("ts_std(close, 3)", &of(&[1e12, 0.0, 1.0, 2.0, 3.0, 4.0]));
    assert_rows("after huge", &after_huge[3..], &[1.0, 1.0, 1.0]);
}
