//! Long work beside the interpreter, so that Ctrl-C is heard while it goes on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use tapeworks::base::StopFlag;

/// How often the interpreter is asked for signals.
const TICK: Duration = Duration::from_millis(20);
/// How long interrupted work may take to clear away what it has begun; after that it does so alone.
const GRACE: Duration = Duration::from_millis(40);

/// Work on a thread of its own.
///
/// Python hears signals on its main thread alone, and that one is the caller of a run: what takes
/// long and calls no Python goes to another thread, and the caller waits in short steps.
pub struct Work<T>(Mutex<Receiver<Result<T, Box<dyn Any + Send>>>>);

impl<T: Send + 'static> Work<T> {
    /// Starts the work.
    pub fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(1);
        thread::spawn(move || {
            // Whoever was interrupted does not wait for it any more.
            drop(sender.send(catch_unwind(AssertUnwindSafe(work))));
        });
        Self(Mutex::new(receiver))
    }

    /// What it came to.
    ///
    /// # Errors
    /// What a signal handler raised, `KeyboardInterrupt` as a rule; then `stop` is raised as well.
    pub fn wait(self, py: Python<'_>, stop: &StopFlag) -> PyResult<T> {
        let waited = |how_long| {
            py.detach(|| {
                let receiver = self.0.lock().expect("nobody else holds it");
                receiver.recv_timeout(how_long)
            })
        };
        loop {
            match waited(TICK) {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(panic)) => resume_unwind(panic),
                Err(RecvTimeoutError::Disconnected) => unreachable!("the thread sends at its end"),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Err(interrupt) = py.check_signals() {
                stop.raise();
                drop(waited(GRACE));
                return Err(interrupt);
            }
        }
    }
}
