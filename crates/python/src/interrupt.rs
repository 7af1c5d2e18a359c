//! Long work beside the interpreter, so that Ctrl-C is heard while it goes on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use tapeworks::base::StopFlag;

/// How often the interpreter is asked for signals.
const TICK: Duration = Duration::from_millis(20);
/// How long interrupted work may take to clear away what it has begun; after that it does so alone.
const GRACE: Duration = Duration::from_millis(40);

/// How long the end of the process waits for interrupted work.
const PATIENCE: Duration = Duration::from_secs(5);

/// Work on a thread of its own.
///
/// Python hears signals on its main thread alone, and that one is the caller of a run: what takes
/// long and calls no Python goes to another thread, and the caller waits in short steps.
pub struct Work<T> {
    answer: Mutex<Receiver<Result<T, Box<dyn Any + Send>>>>,
    has_ended: Arc<AtomicBool>,
}

/// Interrupted work that may still be clearing away what it had begun.
static INTERRUPTED: Mutex<Vec<Arc<AtomicBool>>> = Mutex::new(Vec::new());

impl<T: Send + 'static> Work<T> {
    /// Starts the work.
    pub fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(1);
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&has_ended);
        thread::spawn(move || {
            let answer = catch_unwind(AssertUnwindSafe(work));
            ended.store(true, Ordering::Release);
            // Whoever was interrupted does not wait for it any more.
            drop(sender.send(answer));
        });
        Self { answer: Mutex::new(receiver), has_ended }
    }

    /// What it came to.
    ///
    /// # Errors
    /// What a signal handler raised, `KeyboardInterrupt` as a rule; then `stop` is raised as well.
    pub fn wait(self, py: Python<'_>, stop: &StopFlag) -> PyResult<T> {
        let waited = |how_long| {
            py.detach(|| {
                let receiver = self.answer.lock().expect("nobody else holds it");
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
                if !self.has_ended.load(Ordering::Acquire) {
                    let mut interrupted = INTERRUPTED.lock().expect("nothing panics here");
                    interrupted.retain(|ended| !ended.load(Ordering::Acquire));
                    interrupted.push(self.has_ended);
                }
                return Err(interrupt);
            }
        }
    }
}

/// Waits until interrupted work has cleared away its files, before the process ends under it.
#[pyfunction]
fn end_work(py: Python<'_>) {
    py.detach(|| {
        let interrupted = std::mem::take(&mut *INTERRUPTED.lock().expect("nothing panics here"));
        let mut ticks = PATIENCE.as_millis() / TICK.as_millis();
        while ticks > 0 && interrupted.iter().any(|ended| !ended.load(Ordering::Acquire)) {
            thread::sleep(TICK);
            ticks -= 1;
        }
    });
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let at_exit = wrap_pyfunction!(end_work, module)?;
    module.py().import("atexit")?.call_method1("register", (at_exit,)).map(drop)
}
