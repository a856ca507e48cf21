//! Reads an input as it grows, in a thread of its own.
//!
//! Log files are rotated while they are followed: renamed, with a new one in their place, or
//! copied and cut to nothing. The name is followed, as `tail -F` does: what the old file still
//! holds is read first, then the new one from its beginning.

use crate::command_error::CommandError;
use crate::input;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Result, Seek};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// How often a file is looked at for more.
const POLL: Duration = Duration::from_millis(200);

/// What is read at a time.
const PIECE: usize = 256 * 1024;

/// What happened to an input.
pub enum News {
    /// It has grown by these.
    Bytes(Vec<u8>),
    /// What comes next is from a new file of that name, or from the same one cut to nothing.
    Restarted,
    /// Nothing more can come.
    Ended,
    /// It cannot be read any more.
    Failed(std::io::Error),
}

/// Where the news of the input with that index goes.
type Sender = SyncSender<(usize, News)>;

/// Follows the input at `path`; the thread ends with the input or its listener.
pub fn follow(path: &Path, index: usize, sender: Sender) -> std::result::Result<(), CommandError> {
    let regular = !input::is_stdin(path) && path.metadata().is_ok_and(|about| about.is_file());
    if regular {
        let file = File::open(path).map_err(|error| input::unreadable(path, &error))?;
        let tail = Tail { path: path.to_owned(), file, read: 0 };
        std::thread::spawn(move || tail.run(index, &sender));
    } else {
        let source = input::open(path)?;
        std::thread::spawn(move || stream(source, index, &sender));
    }
    Ok(())
}

/// Reads standard input, a terminal line, a pipe or /dev/kmsg.
fn stream(mut source: impl Read, index: usize, sender: &Sender) {
    let mut buffer = vec![0; PIECE];
    loop {
        let news = match source.read(&mut buffer) {
            Ok(0) => News::Ended,
            Ok(count) => News::Bytes(buffer.get(..count).unwrap_or_default().to_vec()),
            // /dev/kmsg says so where records were overwritten before they were read.
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::BrokenPipe) => continue,
            Err(error) => News::Failed(error),
        };
        let last = !matches!(news, News::Bytes(_));
        if sender.send((index, news)).is_err() || last {
            return;
        }
    }
}

/// A regular file and its name.
struct Tail {
    path: PathBuf,
    file: File,
    /// Bytes of it that were read.
    read: u64,
}

impl Tail {
    fn run(mut self, index: usize, sender: &Sender) {
        let mut buffer = vec![0; PIECE];
        loop {
            let news = match self.more(&mut buffer) {
                Ok(Some(news)) => news,
                Ok(None) => {
                    std::thread::sleep(POLL);
                    continue;
                }
                Err(error) => News::Failed(error),
            };
            let last = matches!(news, News::Failed(_));
            if sender.send((index, news)).is_err() || last {
                return;
            }
        }
    }

    /// What happened since, if anything.
    fn more(&mut self, buffer: &mut [u8]) -> Result<Option<News>> {
        if let Some(bytes) = self.bytes(buffer)? {
            return Ok(Some(bytes));
        }
        let own = self.file.metadata()?;
        if own.len() < self.read {
            self.file.rewind()?;
            self.read = 0;
            return Ok(Some(News::Restarted));
        }
        // Between two files of that name there may be none for a while.
        let Ok(named) = self.path.metadata() else { return Ok(None) };
        if same(&own, &named) {
            return Ok(None);
        }
        // Its writer may have gone on with the old one until just now.
        if let Some(bytes) = self.bytes(buffer)? {
            return Ok(Some(bytes));
        }
        let Ok(file) = File::open(&self.path) else { return Ok(None) };
        (self.file, self.read) = (file, 0);
        Ok(Some(News::Restarted))
    }

    fn bytes(&mut self, buffer: &mut [u8]) -> Result<Option<News>> {
        loop {
            match self.file.read(buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => {
                    self.read += count as u64;
                    return Ok(Some(News::Bytes(buffer.get(..count).unwrap_or_default().to_vec())));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether both are the same file, whatever its name.
#[cfg(unix)]
fn same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Whether both are the same file: elsewhere its birthday is the nearest thing to an identity.
#[cfg(not(unix))]
fn same(a: &Metadata, b: &Metadata) -> bool {
    a.created().ok() == b.created().ok()
}
