//! The shape of the distribution of returns, and how straight the way up was.

use super::Reason;
use super::curve::{Path, is_noise};
use super::definition::{Convention, Definition, Outcome, Source};
use super::metric::{Conventions, Unit};
use super::moments::{Moments, squared_correlation_with_time};

pub(super) const SKEW: Definition = Definition {
    key: "skew",
    label: "Skewness",
    unit: Unit::Ratio,
    formula: "sqrt(n (n-1)) / (n-2) x m3 / m2^1.5",
    reference: "pandas.Series.skew",
    convention: Convention::Fixed("bias-corrected, per period"),
    source: Source::Path(skew),
};

pub(super) const KURTOSIS: Definition = Definition {
    key: "kurtosis",
    label: "Kurtosis",
    unit: Unit::Ratio,
    formula: "(n-1) / ((n-2) (n-3)) x ((n+1) (m4 / m2^2 - 3) + 6)",
    reference: "pandas.Series.kurt",
    convention: Convention::Fixed("excess, bias-corrected, per period"),
    source: Source::Path(kurtosis),
};

pub(super) const STABILITY: Definition = Definition {
    key: "stability",
    label: "Stability",
    unit: Unit::Ratio,
    formula: "R^2 of the cumulative log return on time",
    reference: "empyrical.stability_of_timeseries",
    convention: Convention::Fixed("log returns"),
    source: Source::Path(stability),
};

fn skew(path: &Path<'_>, _: &Conventions) -> Outcome {
    let value = moments(path, 3).map(|m| {
        let n = path.n() as f64;
        (n * (n - 1.0)).sqrt() / (n - 2.0) * m.third / m.second.powf(1.5)
    });
    Outcome::new(path.n(), value)
}

fn kurtosis(path: &Path<'_>, _: &Conventions) -> Outcome {
    let value = moments(path, 4).map(|m| {
        let n = path.n() as f64;
        let excess = m.fourth / (m.second * m.second) - 3.0;
        (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0)
    });
    Outcome::new(path.n(), value)
}

fn stability(path: &Path<'_>, _: &Conventions) -> Outcome {
    let value = path.returns(2).and_then(|returns| {
        let mut total = 0.0;
        let heights: Vec<f64> = returns
            .iter()
            .map(|r| {
                total += r.ln_1p();
                total
            })
            .collect();
        squared_correlation_with_time(&heights).ok_or(Reason::ZeroVariance)
    });
    Outcome::new(path.n(), value)
}

fn moments(path: &Path<'_>, n_min: usize) -> Result<Moments, Reason> {
    let moments = Moments::of(path.returns(n_min)?);
    if is_noise(moments.second.sqrt()) { Err(Reason::ZeroVariance) } else { Ok(moments) }
}
