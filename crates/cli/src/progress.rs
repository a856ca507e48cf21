//! A line on standard error while work takes longer than a moment, on a terminal only.

use kwhy_base::{Lang, Prose};
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Work shorter than this is not worth a word.
const MOMENT: Duration = Duration::from_millis(100);

/// Shows its message from 100 ms after its making until it is dropped.
pub struct Progress {
    worker: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins, unless there is nobody to see it.
    pub fn start(lang: Lang, message: &Prose) -> Progress {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if dumb || !std::io::stderr().is_terminal() {
            return Progress { worker: None };
        }
        let text = kwhy_report::doc::clean(&message.render(lang));
        let (done, finished) = channel::<()>();
        let worker = std::thread::spawn(move || {
            if finished.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) {
                let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
                // Nothing is ever sent: this ends when the other side is dropped.
                let _ = finished.recv();
                let _ = write!(std::io::stderr(), "\r\x1b[K");
            }
        });
        Progress { worker: Some((done, worker)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, worker)) = self.worker.take() {
            drop(done);
            // The line must be gone before anything else is written.
            let _ = worker.join();
        }
    }
}
