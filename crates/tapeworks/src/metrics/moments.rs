//! Central moments and the straightness of a series.

use super::curve::mean;

/// Central moments divided by n.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    pub second: f64,
    pub third: f64,
    pub fourth: f64,
}

impl Moments {
    pub(super) fn of(values: &[f64]) -> Self {
        let centre = mean(values);
        let (mut second, mut third, mut fourth) = (0.0, 0.0, 0.0);
        for value in values {
            let distance = value - centre;
            let square = distance * distance;
            second += square;
            third += square * distance;
            fourth += square * square;
        }
        let n = values.len() as f64;
        Self { second: second / n, third: third / n, fourth: fourth / n }
    }
}

/// The squared correlation of a series with its row number; `None` for a level series.
pub(super) fn squared_correlation_with_time(values: &[f64]) -> Option<f64> {
    let height = mean(values);
    let middle = (values.len() - 1) as f64 / 2.0;
    let (mut both, mut time, mut series) = (0.0, 0.0, 0.0);
    for (idx, value) in values.iter().enumerate() {
        let (x, y) = (idx as f64 - middle, value - height);
        both += x * y;
        time += x * x;
        series += y * y;
    }
    (series > 0.0 && time > 0.0).then(|| both * both / (time * series))
}
