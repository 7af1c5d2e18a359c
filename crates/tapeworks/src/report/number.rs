//! Numbers as text: grouped digits, percents, money, sizes.

/// Shown where a value does not exist.
pub const ABSENT: &str = "n/a";

/// `1234567.891` with 2 decimals is `1,234,567.89`; a value that rounds to zero has no sign.
#[must_use]
pub fn grouped(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return ABSENT.into();
    }
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0.0 && digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        text.push('-');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// A count with grouped digits.
#[must_use]
pub fn count(value: impl TryInto<u64>) -> String {
    let value = value.try_into().unwrap_or(u64::MAX);
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A fraction as percent with two decimals; thousands of percent lose their decimals.
#[must_use]
pub fn percent(fraction: f64) -> String {
    let value = fraction * 100.0;
    if !value.is_finite() {
        return ABSENT.into();
    }
    let decimals = if value.abs() >= 1_000.0 { 0 } else { 2 };
    format!("{} %", grouped(value, decimals))
}

/// A percent that always shows its sign.
#[must_use]
pub fn signed_percent(fraction: f64) -> String {
    with_plus(fraction, percent(fraction))
}

/// An amount of currency: cents below 100,000, whole units above.
#[must_use]
pub fn money(value: f64) -> String {
    grouped(value, if value.abs() < 100_000.0 { 2 } else { 0 })
}

/// An amount of currency that always shows its sign.
#[must_use]
pub fn signed_money(value: f64) -> String {
    with_plus(value, money(value))
}

/// A price: at least two decimals, five significant digits below 100.
#[must_use]
pub fn price(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        _ if size >= 100.0 || size == 0.0 => 2,
        _ if size >= 1.0 => 4,
        _ => 6,
    };
    let text = grouped(value, decimals);
    let Some((whole, fraction)) = text.split_once('.') else { return text };
    let kept = fraction.trim_end_matches('0');
    format!("{whole}.{kept:0<2}")
}

/// A plain number with two decimals, three below one, none from 10,000.
#[must_use]
pub fn plain(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        _ if size >= 10_000.0 => 0,
        _ if size >= 1.0 || size == 0.0 => 2,
        _ if size >= 0.001 => 3,
        _ => 6,
    };
    grouped(value, decimals)
}

/// The text with a true minus sign in place of a leading hyphen.
#[must_use]
pub fn true_minus(text: &str) -> String {
    match text.strip_prefix('-') {
        Some(rest) => format!("\u{2212}{rest}"),
        None => text.into(),
    }
}

/// `1.2 MB`.
#[must_use]
pub fn bytes(value: u64) -> String {
    let value = value as f64;
    match value {
        _ if value < 1e3 => format!("{value} B"),
        _ if value < 1e6 => format!("{:.1} kB", value / 1e3),
        _ if value < 1e9 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

fn with_plus(value: f64, text: String) -> String {
    let shows_size = text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    if value > 0.0 && value.is_finite() && shows_size { format!("+{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_when_printed_then_read_as_written_by_hand() {
        let rows = [
            (grouped(1_234_567.891, 2), "1,234,567.89"),
            (grouped(-999.5, 0), "-1,000"),
            (grouped(-0.001, 2), "0.00"),
            (grouped(f64::NAN, 2), "n/a"),
            (count(0_usize), "0"),
            (count(958_081_u64), "958,081"),
            (percent(0.12345), "12.35 %"),
            (percent(-12.5), "-1,250 %"),
            (signed_percent(0.5), "+50.00 %"),
            (signed_percent(0.0), "0.00 %"),
            (signed_percent(-0.000_001), "0.00 %"),
            (money(10_138_331.313), "10,138,331"),
            (money(99.5), "99.50"),
            (signed_money(-1_250.0), "-1,250.00"),
            (price(101.5), "101.50"),
            (price(1.23456), "1.2346"),
            (price(0.000_123), "0.000123"),
            (plain(0.781_778), "0.782"),
            (plain(286.0), "286.00"),
            (bytes(51_081), "51.1 kB"),
        ];
        for (text, expected) in rows {
            assert_eq!(text, expected);
        }
    }
}
