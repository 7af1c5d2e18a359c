//! The one error type: what happened, where, and how to go on.

use std::fmt;

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// The family of an error; it decides the Python class and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Input data breaks a rule (`TW-D...`).
    Data,
    /// A value would have been used before it was available (`TW-L...`).
    LookAhead,
    /// A configuration or an argument is wrong (`TW-C...`).
    Config,
    /// An order that can never be valid (`TW-O...`).
    Order,
    /// The user's strategy failed (`TW-S...`).
    Strategy,
    /// A result could not be written (`TW-W...`).
    Output,
    /// A cap on memory or files was reached (`TW-R...`).
    Resource,
    /// The user asked to stop.
    Interrupted,
}

/// An error with a stable code, a message that names the place, and a remedy.
///
/// The text is lower case without a full stop: `what, where, value, rule`; the hint says what to
/// do next.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error of `kind` with its stable `code` (`"D204"`, without the `TW-` prefix).
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, code, message: message.into(), hint: None }))
    }

    /// A data error.
    pub fn data(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, code, message)
    }

    /// A configuration or usage error.
    pub fn config(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, code, message)
    }

    /// An order that can never be valid.
    pub fn order(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Order, code, message)
    }

    /// A failure inside the user's strategy.
    pub fn strategy(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Strategy, code, message)
    }

    /// A result that could not be written.
    pub fn output(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Output, code, message)
    }

    /// Adds the remedy.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The family.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code without the `TW-` prefix.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What happened and where.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How to go on, when there is a remedy to name.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The exit code of a command that ends with this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.0.kind {
            ErrorKind::Config => 2,
            ErrorKind::Interrupted => 130,
            _ => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TW-{}: {}", self.0.code, self.0.message)?;
        match &self.0.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
