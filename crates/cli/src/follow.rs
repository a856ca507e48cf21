//! `kwhy --follow`: reports each crash as soon as its text is complete.
//!
//! A crash is complete when its end marker has come, when another has begun after it, when the
//! input ends, or when the console has been silent for a moment: a dying kernel prints at full
//! speed. What has been reported is blanked but its line breaks kept, so that line numbers stay
//! those of the input while memory does not grow with it.

use crate::args::ExplainArgs;
use crate::command_error::CommandError;
use crate::explain::{explain, verdict};
use crate::input::{self, LogText};
use crate::output::Output;
use kwhy_base::catalogue::cli as c;
use kwhy_base::prose;
use kwhy_oops::CrashRecord;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Silence after which a crash is taken to be complete.
const SILENCE: Duration = Duration::from_millis(1000);
/// How often a file is looked at for more.
const POLL: Duration = Duration::from_millis(200);
/// Lines kept before a crash, for what they say of the kernel and its modules.
const CONTEXT: usize = 4000;

/// Follows one input until it ends (standard input) or kwhy is ended (a file).
pub fn run(args: &ExplainArgs, path: &Path, output: &Output) -> Result<ExitCode, CommandError> {
    input::refuse_directory(path)?;
    let chunks = reader(path)?;
    let mut text = Follower { name: input::name(path), bytes: Vec::new() };
    let mut exit = ExitCode::from(crate::command_error::UNDETERMINED);
    loop {
        let (ended, silent) = match chunks.recv_timeout(SILENCE) {
            Ok(Ok(chunk)) => {
                text.bytes.extend_from_slice(&chunk);
                (false, false)
            }
            Ok(Err(error)) => return Err(input::unreadable(path, &error)),
            Err(RecvTimeoutError::Timeout) => (false, true),
            Err(RecvTimeoutError::Disconnected) => (true, true),
        };
        while let Some(log) = text.next_complete(silent) {
            let mut usable = true;
            let report = explain(args, &log, output, &mut usable);
            output.write(&kwhy_report::render(&report, output.format, output.lang, &output.options))?;
            if verdict(&report) == ExitCode::SUCCESS {
                exit = ExitCode::SUCCESS;
            }
        }
        text.forget();
        if ended {
            return Ok(exit);
        }
    }
}

type Chunk = std::io::Result<Vec<u8>>;

/// Reads in a thread of its own, so that silence can be noticed.
fn reader(path: &Path) -> Result<Receiver<Chunk>, CommandError> {
    let stdin = input::is_stdin(path);
    let mut source: Box<dyn Read + Send> = if stdin {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| input::unreadable(path, &error))?)
    };
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let chunk = match source.read(&mut buffer) {
                Ok(0) if stdin => return,
                Ok(0) => {
                    std::thread::sleep(POLL);
                    continue;
                }
                Ok(count) => Ok(buffer.get(..count).unwrap_or_default().to_vec()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let failed = chunk.is_err();
            if sender.send(chunk).is_err() || failed {
                return;
            }
        }
    });
    Ok(receiver)
}

struct Follower {
    name: String,
    bytes: Vec<u8>,
}

impl Follower {
    /// The first crash that is complete, as a log of its own; it is blanked here.
    fn next_complete(&mut self, silent: bool) -> Option<LogText> {
        // The last line may still be growing.
        let whole = if silent { self.bytes.len() } else { memchr_last(&self.bytes)? };
        let seen = self.bytes.get(..whole)?;
        let log = kwhy_oops::parse(seen);
        let crash = log.crashes.first()?;
        let total = seen.iter().filter(|b| **b == b'\n').count();
        if !silent && log.crashes.len() < 2 && !self.ended(crash, total) {
            return None;
        }
        let end = line_end(seen, crash.last_line);
        let bytes = seen.get(..end)?.to_vec();
        blank(self.bytes.get_mut(..end)?);
        Some(LogText { name: self.name.clone(), bytes, oddities: vec![prose!(c::FOLLOWED)] })
    }

    /// Whether the crash's own end marker has come.
    fn ended(&self, crash: &CrashRecord, total: usize) -> bool {
        let start = line_end(&self.bytes, crash.first_line.saturating_sub(1));
        let end = line_end(&self.bytes, crash.last_line);
        let text = String::from_utf8_lossy(self.bytes.get(start..end).unwrap_or_default());
        // The marker must be the last thing: a panic prints one more after the oops's.
        let last = text.trim_end().rsplit('\n').next().unwrap_or_default();
        last.contains("---[ end ") && usize::try_from(crash.last_line).is_ok_and(|last| last <= total)
    }

    /// Blanks lines that are too old to matter.
    fn forget(&mut self) {
        let breaks: Vec<usize> = self
            .bytes
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, b)| **b == b'\n')
            .map(|(i, _)| i)
            .take(CONTEXT)
            .collect();
        if let (Some(oldest), CONTEXT) = (breaks.last(), breaks.len())
            && let Some(old) = self.bytes.get_mut(..*oldest)
            && old.iter().any(|b| *b != b'\n')
        {
            blank(old);
        }
        let mut kept = Vec::with_capacity(self.bytes.len());
        kept.extend(self.bytes.iter().copied().filter(|b| *b != 0));
        self.bytes = kept;
    }
}

/// Marks everything but line breaks for removal.
fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = 0);
}

/// One past the last line break.
fn memchr_last(bytes: &[u8]) -> Option<usize> {
    bytes.iter().rposition(|b| *b == b'\n').map(|i| i.saturating_add(1))
}

/// The offset just after 1-based line `line`; 0 for line 0.
fn line_end(bytes: &[u8], line: u32) -> usize {
    let Some(nth) = usize::try_from(line).ok().and_then(|line| line.checked_sub(1)) else { return 0 };
    let position = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(nth);
    position.map_or(bytes.len(), |(i, _)| i.saturating_add(1))
}
