//! Ctrl-C and SIGTERM: stop at the next chunk of data, and within a second in any case.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};

/// How long a command has to end by itself after a signal.
const GRACE: Duration = Duration::from_millis(600);
/// How often the watcher looks.
const TICK: Duration = Duration::from_millis(50);

/// Whether a signal has come, and what to clear away when it has.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    signal: Arc<AtomicUsize>,
    unfinished: Arc<Mutex<Option<PathBuf>>>,
}

impl Interrupt {
    /// Starts to listen. Where signals cannot be caught, they end the process as always.
    pub fn listen() -> Self {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            let flag = Arc::clone(&interrupt.signal);
            let _ = signal_hook::flag::register_usize(signal, flag, number);
        }
        let watched = interrupt.clone();
        // Detached: it ends with the process.
        let _ = thread::Builder::new().name("interrupt".into()).spawn(move || watched.watch());
        interrupt
    }

    /// Whether to stop.
    pub fn is_set(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// The exit code of an interrupted process: 130 for Ctrl-C, 143 for SIGTERM.
    pub fn exit_code(&self) -> u8 {
        let signal = self.signal.load(Ordering::Relaxed);
        128 + u8::try_from(signal).unwrap_or(2).max(2)
    }

    /// Names the folder that is being written, to be removed should the process be cut short.
    pub fn set_unfinished(&self, folder: Option<PathBuf>) {
        *self.unfinished.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = folder;
    }

    fn watch(&self) {
        while !self.is_set() {
            thread::sleep(TICK);
        }
        thread::sleep(GRACE);
        let folder = self.unfinished.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(folder) = &*folder {
            // The writer may still be adding files: a few tries.
            for _ in 0..20 {
                if std::fs::remove_dir_all(folder).is_ok() || !folder.exists() {
                    break;
                }
            }
        }
        std::process::exit(i32::from(self.exit_code()));
    }
}
