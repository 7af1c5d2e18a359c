//! Every indicator: its name, parameters, columns, first row and meaning.

use super::averages::{Dema, Ema, Kama, Macd, MeanSpread, Sma, Tema, Trix, Wma};
use super::bands::{Closes, Donchian, Line, Reading, Spread};
use super::changes::{Ad, AdOsc, Adv, Change, Gap, Obv, Since, Volatility, VwapDev, Width};
use super::kernel::{Bank, Field, bank};
use super::oscillators::{
    Aroon, AroonOsc, Bop, Cci, Cmo, Mfi, Rsi, Stoch, StochF, StochRsi, UltOsc, WillR,
};
use super::trend::{Adx, Atr, Di, Keltner, Natr, Sar};
use super::units::Degrees;

/// A number behind the name of an indicator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// What it stands for.
    pub name: &'static str,
    /// Its value when it is left out.
    pub default: f64,
    /// The least value of a whole number of rows; `None` for a factor, which is above 0.
    pub rows_min: Option<u32>,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Indicator {
    /// The name users write.
    pub name: &'static str,
    /// Its numbers, in the order in which they are written.
    pub parameters: &'static [Parameter],
    /// Names of its columns. One column of windows alone carries them as suffix (`rsi_14`),
    /// others only where they are not the defaults (`macd`, `macd_5_35_5`).
    pub outputs: &'static [&'static str],
    /// How its columns follow the units of prices and volumes.
    pub degrees: Degrees,
    /// The columns it reads; a row in which one is missing is passed over.
    pub needs: &'static [Field],
    /// What it gives.
    pub doc: &'static str,
    /// The 0-based row of its first value.
    pub first: fn(&[f64]) -> usize,
    pub(super) build: fn(&[f64]) -> Box<dyn Bank>,
}

/// Parameters as whole numbers of rows.
fn n(values: &[f64], i: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked as rows")]
    let rows = values[i] as usize;
    rows
}

const fn rows(name: &'static str, default: f64, rows_min: u32) -> Parameter {
    Parameter { name, default, rows_min: Some(rows_min) }
}

const fn factor(name: &'static str, default: f64) -> Parameter {
    Parameter { name, default, rows_min: None }
}

const RATIO: Degrees = Degrees { price: 0, volume: 0 };
const PRICE: Degrees = Degrees { price: 1, volume: 0 };
const SQUARE: Degrees = Degrees { price: 2, volume: 0 };
const VOLUME: Degrees = Degrees { price: 0, volume: 1 };

const CLOSE: &[Field] = &[Field::Close];
const HIGH_LOW: &[Field] = &[Field::High, Field::Low];
const HLC: &[Field] = &[Field::High, Field::Low, Field::Close];
const HLCV: &[Field] = &[Field::High, Field::Low, Field::Close, Field::Volume];
const FACTOR_UP: Parameter = factor("up", 2.0);

macro_rules! indicators {
    ($($name:literal [$($parameter:expr),*] => [$($output:literal),+] $degrees:ident,
        $needs:expr, $first:expr, $build:expr, $doc:literal;)+) => {
        /// The indicators, by kind.
        pub const INDICATORS: &[Indicator] = &[$(Indicator {
            name: $name,
            parameters: &[$($parameter),*],
            outputs: &[$($output),+],
            degrees: $degrees,
            needs: $needs,
            doc: $doc,
            first: $first,
            build: $build,
        }),+];
    };
}

indicators! {
    "sma" [rows("n", 20.0, 1)] => ["sma"] PRICE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Sma::new(n(a, 0))), "mean of the last n closes";
    "wma" [rows("n", 20.0, 1)] => ["wma"] PRICE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Wma::new(n(a, 0))), "mean with weights 1 (oldest) to n";
    "ema" [rows("n", 20.0, 1)] => ["ema"] PRICE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Ema::new(n(a, 0))),
        "exponential mean e of weight 2/(n+1), seeded with the mean of the first n";
    "dema" [rows("n", 20.0, 1)] => ["dema"] PRICE, CLOSE, |a| 2 * n(a, 0) - 2,
        |a| bank(Dema::new(n(a, 0))), "2 e - e(e)";
    "tema" [rows("n", 20.0, 1)] => ["tema"] PRICE, CLOSE, |a| 3 * n(a, 0) - 3,
        |a| bank(Tema::new(n(a, 0))), "3 e - 3 e(e) + e(e(e))";
    "kama" [rows("n", 10.0, 2)] => ["kama"] PRICE, CLOSE, |a| n(a, 0), |a| bank(Kama::new(n(a, 0))),
        "mean whose weight follows the efficiency ratio, between 2 and 30 rows";
    "trix" [rows("n", 30.0, 1)] => ["trix"] RATIO, CLOSE, |a| 3 * n(a, 0) - 2,
        |a| bank(Trix::new(n(a, 0))), "change of e(e(e)) in percent";
    "macd" [rows("fast", 12.0, 2), rows("slow", 26.0, 2), rows("signal", 9.0, 1)]
        => ["macd", "macd_signal", "macd_hist"] PRICE, CLOSE, |a| n(a, 1) + n(a, 2) - 2,
        |a| bank(Macd::new(n(a, 0), n(a, 1), n(a, 2))),
        "fast less slow exponential mean, its exponential mean, their difference";
    "apo" [rows("fast", 12.0, 2), rows("slow", 26.0, 2)] => ["apo"] PRICE, CLOSE, |a| n(a, 1) - 1,
        |a| bank(MeanSpread::apo(n(a, 0), n(a, 1))), "fast less slow exponential mean";
    "ppo" [rows("fast", 12.0, 2), rows("slow", 26.0, 2)] => ["ppo"] RATIO, CLOSE, |a| n(a, 1) - 1,
        |a| bank(MeanSpread::ppo(n(a, 0), n(a, 1))),
        "fast less slow exponential mean, in percent of the slow one";
    "rsi" [rows("n", 14.0, 2)] => ["rsi"] RATIO, CLOSE, |a| n(a, 0), |a| bank(Rsi::new(n(a, 0))),
        "100 up / (up + down) of Wilder's means of changes; 0 without movement";
    "cmo" [rows("n", 14.0, 2)] => ["cmo"] RATIO, CLOSE, |a| n(a, 0), |a| bank(Cmo::new(n(a, 0))),
        "100 (up - down) / (up + down) of Wilder's means of changes; 0 without movement";
    "stoch" [rows("fast_k", 5.0, 1), rows("slow_k", 3.0, 1), rows("slow_d", 3.0, 1)]
        => ["stoch_k", "stoch_d"] RATIO, HLC, |a| n(a, 0) + n(a, 1) + n(a, 2) - 3,
        |a| bank(Stoch::new(n(a, 0), n(a, 1), n(a, 2))),
        "place of the close in the range of fast_k rows in percent, twice smoothed";
    "stochf" [rows("fast_k", 5.0, 1), rows("fast_d", 3.0, 1)] => ["stochf_k", "stochf_d"] RATIO,
        HLC, |a| n(a, 0) + n(a, 1) - 2, |a| bank(StochF::new(n(a, 0), n(a, 1))),
        "place of the close in the range of fast_k rows in percent, and its mean";
    "stochrsi" [rows("n", 14.0, 2), rows("fast_k", 5.0, 1), rows("fast_d", 3.0, 1)]
        => ["stochrsi_k", "stochrsi_d"] RATIO, CLOSE, |a| n(a, 0) + n(a, 1) + n(a, 2) - 2,
        |a| bank(StochRsi::new(n(a, 0), n(a, 1), n(a, 2))), "stochf of the rsi";
    "willr" [rows("n", 14.0, 2)] => ["willr"] RATIO, HLC, |a| n(a, 0) - 1,
        |a| bank(WillR::new(n(a, 0))), "-100 (highest - close) / (highest - lowest) of n rows";
    "cci" [rows("n", 14.0, 2)] => ["cci"] RATIO, HLC, |a| n(a, 0) - 1, |a| bank(Cci::new(n(a, 0))),
        "typical price less its mean, in 0.015 mean absolute distances";
    "mfi" [rows("n", 14.0, 2)] => ["mfi"] RATIO, HLCV, |a| n(a, 0), |a| bank(Mfi::new(n(a, 0))),
        "share of typical-price money on rising rows, in percent; 0 below a flow of 1";
    "aroon" [rows("n", 14.0, 2)] => ["aroon_down", "aroon_up"] RATIO, HIGH_LOW, |a| n(a, 0),
        |a| bank(Aroon::new(n(a, 0))),
        "how near the lowest low and the highest high of n + 1 rows are: 100 now, 0 n rows ago";
    "aroonosc" [rows("n", 14.0, 2)] => ["aroonosc"] RATIO, HIGH_LOW, |a| n(a, 0),
        |a| bank(AroonOsc::new(n(a, 0))), "aroon_up less aroon_down";
    "ultosc" [rows("short", 7.0, 1), rows("middle", 14.0, 1), rows("long", 28.0, 1)]
        => ["ultosc"] RATIO, HLC, |a| n(a, 2), |a| bank(UltOsc::new([n(a, 0), n(a, 1), n(a, 2)])),
        "buying pressure over true range of three lengths, weighted 4, 2, 1, in percent";
    "bop" [] => ["bop"] RATIO, &[Field::Open, Field::High, Field::Low, Field::Close], |_| 0,
        |_| bank(Bop), "(close - open) / (high - low)";
    "roc" [rows("n", 10.0, 1)] => ["roc"] RATIO, CLOSE, |a| n(a, 0),
        |a| bank(Since::new(n(a, 0), Change::Percent)), "change over n rows in percent";
    "rocp" [rows("n", 10.0, 1)] => ["rocp"] RATIO, CLOSE, |a| n(a, 0),
        |a| bank(Since::new(n(a, 0), Change::Fraction)), "change over n rows as a fraction";
    "mom" [rows("n", 10.0, 1)] => ["mom"] PRICE, CLOSE, |a| n(a, 0),
        |a| bank(Since::new(n(a, 0), Change::Units)), "change over n rows in units of price";
    "atr" [rows("n", 14.0, 1)] => ["atr"] PRICE, HLC, |a| n(a, 0), |a| bank(Atr::new(n(a, 0))),
        "Wilder's mean of the true range; the first row has no range";
    "natr" [rows("n", 14.0, 1)] => ["natr"] RATIO, HLC, |a| n(a, 0), |a| bank(Natr::new(n(a, 0))),
        "atr in percent of the close";
    "adx" [rows("n", 14.0, 2)] => ["adx"] RATIO, HLC, |a| 2 * n(a, 0) - 1,
        |a| bank(Adx::new(n(a, 0))),
        "Wilder's mean of how one-sided the directional movement is, in percent";
    "plus_di" [rows("n", 14.0, 2)] => ["plus_di"] RATIO, HLC, |a| n(a, 0),
        |a| bank(Di::plus(n(a, 0))), "upward movement in percent of the true range";
    "minus_di" [rows("n", 14.0, 2)] => ["minus_di"] RATIO, HLC, |a| n(a, 0),
        |a| bank(Di::minus(n(a, 0))), "downward movement in percent of the true range";
    "sar" [factor("step", 0.02), factor("most", 0.2)] => ["sar"] PRICE, HIGH_LOW, |_| 1,
        |a| bank(Sar::new(a[0], a[1])), "parabolic stop";
    "bbands" [rows("n", 20.0, 2), FACTOR_UP, factor("down", 2.0)]
        => ["bb_upper", "bb_middle", "bb_lower"] PRICE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Closes::new(n(a, 0), Spread::Bands { up: a[1], down: a[2] })),
        "mean of n closes, with deviations (ddof 0) to either side";
    "stddev" [rows("n", 5.0, 2)] => ["stddev"] PRICE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Closes::new(n(a, 0), Spread::Deviation)), "deviation of n closes, ddof 0";
    "var" [rows("n", 5.0, 1)] => ["var"] SQUARE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Closes::new(n(a, 0), Spread::Variance)), "variance of n closes, ddof 0";
    "donchian" [rows("n", 20.0, 1)] => ["donchian_upper", "donchian_lower"] PRICE, HIGH_LOW,
        |a| n(a, 0) - 1, |a| bank(Donchian::new(n(a, 0))), "highest high, lowest low of n rows";
    "keltner" [rows("n", 20.0, 1), factor("k", 2.0)]
        => ["keltner_upper", "keltner_middle", "keltner_lower"] PRICE, HLC, |a| n(a, 0),
        |a| bank(Keltner::new(n(a, 0), a[1])), "ema, with k times atr to either side";
    "linreg" [rows("n", 14.0, 2)] => ["linreg"] PRICE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Line::new(n(a, 0), Reading::End)), "line through n closes, at the newest row";
    "linreg_slope" [rows("n", 14.0, 2)] => ["linreg_slope"] PRICE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Line::new(n(a, 0), Reading::Slope)), "its change a row";
    "linreg_intercept" [rows("n", 14.0, 2)] => ["linreg_intercept"] PRICE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Line::new(n(a, 0), Reading::Intercept)), "its value at the oldest row";
    "linreg_angle" [rows("n", 14.0, 2)] => ["linreg_angle"] RATIO, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Line::new(n(a, 0), Reading::Angle)), "its slope as an angle in degrees";
    "tsf" [rows("n", 14.0, 2)] => ["tsf"] PRICE, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Line::new(n(a, 0), Reading::Forecast)), "its value one row on";
    "obv" [] => ["obv"] VOLUME, &[Field::Close, Field::Volume], |_| 0, |_| bank(Obv::new()),
        "volume added on rising closes and taken off on falling ones";
    "ad" [] => ["ad"] VOLUME, HLCV, |_| 0, |_| bank(Ad(0.0)),
        "running sum of volume weighted by the place of the close in its row";
    "adosc" [rows("fast", 3.0, 2), rows("slow", 10.0, 2)] => ["adosc"] VOLUME, HLCV,
        |a| n(a, 1) - 1, |a| bank(AdOsc::new(n(a, 0), n(a, 1))),
        "fast less slow exponential mean of ad, both seeded with its first value";
    "adv" [rows("n", 20.0, 1)] => ["adv"] RATIO, &[Field::Notional], |a| n(a, 0) - 1,
        |a| bank(Adv::new(n(a, 0))), "mean value traded in n rows";
    "vwap_dev" [] => ["vwap_dev"] RATIO, &[Field::Close, Field::Vwap], |_| 0, |_| bank(VwapDev),
        "close / vwap - 1";
    "gap" [] => ["gap"] RATIO, &[Field::Open, Field::Close], |_| 1, |_| bank(Gap(None)),
        "open / close before - 1";
    "range" [] => ["range"] RATIO, HLC, |_| 0, |_| bank(Width), "(high - low) / close";
    "returns" [rows("n", 1.0, 1)] => ["returns"] RATIO, CLOSE, |a| n(a, 0),
        |a| bank(Since::new(n(a, 0), Change::Fraction)), "simple return over n rows";
    "log_returns" [rows("n", 1.0, 1)] => ["log_returns"] RATIO, CLOSE, |a| n(a, 0),
        |a| bank(Since::new(n(a, 0), Change::Log)), "logarithm of the price ratio over n rows";
    "volatility" [rows("n", 20.0, 2)] => ["volatility"] RATIO, CLOSE, |a| n(a, 0),
        |a| bank(Volatility::new(n(a, 0))), "deviation (ddof 1) of n log returns, a row";
    "zscore" [rows("n", 20.0, 2)] => ["zscore"] RATIO, CLOSE, |a| n(a, 0) - 1,
        |a| bank(Closes::new(n(a, 0), Spread::ZScore)),
        "close less its mean, in deviations (ddof 1); missing on constants";
}
