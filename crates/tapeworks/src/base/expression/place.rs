//! Where something stands in the text of an expression, and errors that point at it.

use crate::base::{Error, ErrorKind};

/// A range of bytes of the expression's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Place {
    /// An error that shows the line of the text with carets under this place.
    ///
    /// The column in the message counts characters from 1.
    #[must_use]
    pub fn error(
        self,
        kind: ErrorKind,
        code: &'static str,
        text: &str,
        what: impl std::fmt::Display,
    ) -> Error {
        let line_start = text[..self.start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[self.start..].find('\n').map_or(text.len(), |at| self.start + at);
        let before = text[line_start..self.start].chars().count();
        let width = text[self.start..self.end.min(line_end).max(self.start)].chars().count();
        let line: String = text[line_start..line_end].chars().map(printable).collect();
        let row = text[..line_start].matches('\n').count() + 1;
        let at = if text.contains('\n') {
            format!("line {row}, column {}", before + 1)
        } else {
            format!("column {}", before + 1)
        };
        let carets = "^".repeat(width.max(1));
        Error::new(
            kind,
            code,
            format!("{what}, at {at} of the expression\n  {line}\n  {:before$}{carets}", ""),
        )
    }
}

/// Tabs and control characters as blanks, so that the caret stands where it should.
fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}
