//! A flag that another thread raises to end a long piece of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::{Error, ErrorKind, Result};

/// Shared by whoever works and whoever may end it; clones are the same flag. Work that is never
/// ended takes `StopFlag::default()`.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Asks the work to end; it does at its next step.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to end.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Goes on, or ends the work.
    ///
    /// # Errors
    /// `I130` of kind `Interrupted` once the flag was raised.
    pub fn check(&self) -> Result<()> {
        if self.is_raised() {
            return Err(Error::new(ErrorKind::Interrupted, "I130", "interrupted by the user"));
        }
        Ok(())
    }
}
