//! `kwhy --follow`: reports each crash as soon as its text is complete.
//!
//! A crash is complete when the scanner says so (another has begun after it, or enough has been
//! printed that is no part of it), when the input ends, or when the console has been silent for a
//! moment: a dying kernel prints at full speed. Nothing that was reported is kept, so memory stays
//! the same however long the input is.

use crate::args::ExplainArgs;
use crate::command_error::CommandError;
use crate::explain::{explain, verdict};
use crate::input::{self, LogText};
use crate::output::Output;
use crate::tail::{self, News};
use kwhy_base::catalogue::cli as c;
use kwhy_base::prose;
use kwhy_oops::{CrashRecord, Log, Scanner};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Silence after which a crash is taken to be complete.
const SILENCE: Duration = Duration::from_millis(1000);

/// Pieces of input that may wait: when explaining takes its time, reading waits for it.
const WAITING: usize = 16;

/// Follows the inputs until all have ended (standard input) or kwhy is ended (files).
pub fn run(args: &ExplainArgs, paths: &[PathBuf], output: &Output) -> Result<ExitCode, CommandError> {
    let (sender, news) = sync_channel(WAITING);
    let mut followed = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        tail::follow(path, index, sender.clone())?;
        followed.push(Followed { name: input::name(path), scanner: Scanner::new(), heard: None });
    }
    drop(sender);
    let mut told = Told { args, output, several: paths.len() > 1, found: false };
    loop {
        // What has come already goes first: only then is it known who is silent.
        let next = match news.try_recv() {
            Ok(next) => Ok(next),
            Err(_) => {
                for one in &mut followed {
                    one.listen(&mut told)?;
                }
                let wait = followed.iter().filter_map(Followed::wait).min();
                match wait {
                    Some(wait) => news.recv_timeout(wait),
                    None => news.recv().map_err(|_| RecvTimeoutError::Disconnected),
                }
            }
        };
        let (index, what) = match next {
            Ok(next) => next,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let Some(one) = followed.get_mut(index) else { continue };
        match what {
            News::Bytes(bytes) => one.take(&bytes, &mut told)?,
            News::Restarted | News::Ended => one.restart(&mut told)?,
            News::Failed(error) => {
                let path = paths.get(index).cloned().unwrap_or_default();
                return Err(input::unreadable(&path, &error));
            }
        }
    }
    Ok(if told.found { ExitCode::SUCCESS } else { ExitCode::from(crate::command_error::UNDETERMINED) })
}

/// One input.
struct Followed {
    name: String,
    scanner: Scanner,
    /// When something came last, until its silence was noticed.
    heard: Option<Instant>,
}

impl Followed {
    fn take(&mut self, bytes: &[u8], told: &mut Told<'_>) -> Result<(), CommandError> {
        self.scanner.feed(bytes);
        self.heard = Some(Instant::now());
        self.tell(told)
    }

    /// Takes what is being read to be complete once the input has been silent for long enough.
    fn listen(&mut self, told: &mut Told<'_>) -> Result<(), CommandError> {
        if self.heard.is_some_and(|heard| heard.elapsed() >= SILENCE) {
            self.heard = None;
            self.scanner.settle();
            self.tell(told)?;
        }
        Ok(())
    }

    /// How long to wait for the silence to be long enough.
    fn wait(&self) -> Option<Duration> {
        Some(SILENCE.saturating_sub(self.heard?.elapsed()))
    }

    /// The input ended; what comes next, if anything, begins anew.
    fn restart(&mut self, told: &mut Told<'_>) -> Result<(), CommandError> {
        self.heard = None;
        let log = std::mem::take(&mut self.scanner).finish();
        log.crashes.into_iter().try_for_each(|crash| told.tell(&self.name, crash))
    }

    fn tell(&mut self, told: &mut Told<'_>) -> Result<(), CommandError> {
        self.scanner.crashes().try_for_each(|crash| told.tell(&self.name, crash))
    }
}

/// Who reports.
struct Told<'a> {
    args: &'a ExplainArgs,
    output: &'a Output,
    /// Whether a report has to say which input it is about.
    several: bool,
    /// Whether any crash's cause was found.
    found: bool,
}

impl Told<'_> {
    fn tell(&mut self, name: &str, crash: CrashRecord) -> Result<(), CommandError> {
        let oddity = match self.several {
            true => prose!(c::FOLLOWED_OF, path = name),
            false => prose!(c::FOLLOWED),
        };
        let log = LogText {
            name: name.to_owned(),
            log: Log { crashes: vec![crash], notes: Vec::new() },
            oddities: vec![oddity],
        };
        let mut usable = true;
        let report = explain(self.args, &log, self.output, &crate::shelf::shelf(), &mut usable);
        let text = kwhy_report::render(&report, self.output.format, self.output.lang, &self.output.options);
        self.found |= verdict(&report) == ExitCode::SUCCESS;
        self.output.append(&text)
    }
}
