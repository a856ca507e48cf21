//! A line on standard error while work takes longer than a moment, on a terminal only: a word,
//! or how far a download got.

use crate::cache_cmd::size;
use kwhy_base::catalogue::fetch_cmd as c;
use kwhy_base::{Lang, Prose, prose};
use kwhy_fetch::download::Watch;
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

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

/// How far a download got, redrawn ten times a second at most.
pub struct Bar {
    /// The language; `None` where there is nobody to see it.
    lang: Option<Lang>,
    begun: Instant,
    drawn: Option<Instant>,
}

impl Bar {
    /// Begins, unless there is nobody to see it.
    pub fn new(lang: Lang) -> Bar {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let seen = !dumb && std::io::stderr().is_terminal();
        Bar { lang: seen.then_some(lang), begun: Instant::now(), drawn: None }
    }
}

impl Watch for Bar {
    fn progress(&mut self, what: &str, done: u64, total: Option<u64>) {
        let Some(lang) = self.lang else { return };
        if self.drawn.unwrap_or(self.begun).elapsed() < MOMENT {
            return;
        }
        self.drawn = Some(Instant::now());
        let percent = total.and_then(|total| done.saturating_mul(100).checked_div(total));
        let line = match (total, percent) {
            (Some(total), Some(percent)) => {
                prose!(c::FETCHING, what = what, done = size(done), total = size(total), percent = percent)
            }
            _ => prose!(c::FETCHING_UNKNOWN, what = what, done = size(done)),
        };
        let _ = write!(std::io::stderr(), "\r\x1b[K{}", kwhy_report::doc::clean(&line.render(lang)));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
