//! Text to tokens, each with its place.

use super::place::Place;
use crate::base::{ErrorKind, Result};

/// Longer texts are refused: no filter that a person writes comes near it.
const MAX_BYTES: usize = 4_000;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    Number(f64),
    Name(&'a str),
    /// An operator or bracket.
    Symbol(&'static str),
    End,
}

/// Longest first, so that `>=` is not read as `>`.
const SYMBOLS: [&str; 24] = [
    "**", "&&", "||", ">=", "<=", "==", "!=", ">", "<", "=", "!", "&", "|", "+", "-", "*", "/",
    "^", "(", ")", ",", ".", "?", ":",
];

/// All tokens; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Place)>> {
    if text.len() > MAX_BYTES {
        return Err(Place { start: 0, end: 0 }.error(
            ErrorKind::Config,
            "C101",
            text.get(..20).unwrap_or_default(),
            format_args!("the expression has {} bytes, {MAX_BYTES} are allowed", text.len()),
        ));
    }
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        let next_is_digit = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        let token = if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        } else if byte == b'#' {
            while at < bytes.len() && bytes[at] != b'\n' {
                at += 1;
            }
            continue;
        } else if byte.is_ascii_digit() || (byte == b'.' && next_is_digit) {
            at = number_end(bytes, at);
            let place = Place { start, end: at };
            let refuse = || {
                let what = format!("{:?} is no number", &text[start..at]);
                place.error(ErrorKind::Config, "C101", text, what)
            };
            let value: f64 = text[start..at].parse().map_err(|_| refuse())?;
            // `20d` or `1_000`: a number runs into a name.
            let glued = bytes.get(at).is_some_and(|&b| b == b'_' || b.is_ascii_alphabetic());
            if glued || !value.is_finite() {
                return Err(refuse());
            }
            Token::Number(value)
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                at += 1;
            }
            Token::Name(&text[start..at])
        } else if let Some(symbol) = SYMBOLS.iter().find(|s| text[at..].starts_with(**s)) {
            at += symbol.len();
            Token::Symbol(symbol)
        } else {
            let found = text[at..].chars().next().unwrap_or_default();
            let place = Place { start, end: start + found.len_utf8() };
            let what = format!("{found:?} has no meaning here");
            return Err(place.error(ErrorKind::Config, "C101", text, what));
        };
        out.push((token, Place { start, end: at }));
    }
    out.push((Token::End, Place { start: text.len(), end: text.len() }));
    Ok(out)
}

/// One past the last byte of the number that starts at `at`.
fn number_end(bytes: &[u8], mut at: usize) -> usize {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    at = digits(at);
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}
