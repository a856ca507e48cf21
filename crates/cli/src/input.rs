//! Reads what is to be explained, and says kindly what cannot be.
//!
//! Logs are read, never mapped: they grow and are rotated while one looks at them. Plain text goes
//! through the scanner piece by piece, however long it is; so does what is compressed. What other
//! forms hold is taken out by [`kwhy_oops::input`].

use crate::command_error::CommandError;
use crate::{feed, folder};
use kwhy_base::catalogue::cli as c;
use kwhy_base::{Prose, prose};
use kwhy_oops::Log;
use kwhy_oops::input::{Foreign, SAMPLE, Unpacked, is_plain};
use std::fs::File;
use std::io::{self, BufReader, Cursor, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What is read of an input that has to be converted as a whole: 1 GiB.
const MOST: u64 = 1 << 30;

/// Compressed files in compressed files that are unpacked.
const MOST_LAYERS: usize = 4;

/// A log that was read.
pub struct LogText {
    /// The name to call it by.
    pub name: String,
    /// The crashes in it.
    pub log: Log,
    /// What is odd about it.
    pub oddities: Vec<Prose>,
}

/// The inputs to read: those given, or standard input where that is piped. `None` when there is
/// nothing to read and a person to tell.
pub fn chosen(given: &[PathBuf]) -> Option<Vec<PathBuf>> {
    match given {
        [] if std::io::stdin().is_terminal() => None,
        [] => Some(vec![PathBuf::from("-")]),
        given => Some(given.to_vec()),
    }
}

/// The name that messages use for an input.
pub fn name(path: &Path) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { path.to_string_lossy().into_owned() }
}

/// Whether `path` is standard input.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads the logs at `path`: one, or what an archive, a journal of several boots or a folder holds.
pub fn read(path: &Path) -> Result<Vec<LogText>, CommandError> {
    if !is_stdin(path) && path.is_dir() {
        return folder::read(path);
    }
    read_from(open(path)?, &name(path)).map_err(|error| match error {
        Failure::Broken(error) => unreadable(path, &error),
        Failure::Unusable(error) => error,
    })
}

/// Why an input could not be read.
pub enum Failure {
    /// The system would not.
    Broken(io::Error),
    /// It is no log.
    Unusable(CommandError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Broken(error)
    }
}

/// Reads the logs that `source` holds. Plain text, compressed or not, is never kept whole.
pub fn read_from(source: Box<dyn Read + Send>, name: &str) -> Result<Vec<LogText>, Failure> {
    let mut source = source;
    let mut unpacking: Vec<Arc<Mutex<Vec<Prose>>>> = Vec::new();
    let mut head = take_head(&mut source)?;
    while unpacking.len() < MOST_LAYERS && kwhy_oops::input::is_packed(&head) {
        let packed = BufReader::with_capacity(SAMPLE, Cursor::new(head.clone()).chain(source));
        let Some(mut unpacked) = Unpacked::new(&head, packed) else { return Ok(Vec::new()) };
        unpacking.push(unpacked.remarks());
        head = take_head(&mut unpacked)?;
        source = Box::new(unpacked);
    }
    let remarks = || -> Vec<Prose> {
        unpacking.iter().filter_map(|said| said.lock().ok().map(|said| said.clone())).flatten().collect()
    };
    if let Some(foreign) = Foreign::of(&head) {
        return Err(Failure::Unusable(refused(foreign, name)));
    }
    if head.is_empty() && !unpacking.is_empty() {
        let error = remarks()
            .into_iter()
            .fold(CommandError::unusable(prose!(c::NOTHING_UNPACKED, path = name)), |e, r| e.hint(r));
        return Err(Failure::Unusable(error));
    }
    if is_plain(&head) {
        let log = feed::log(Cursor::new(head).chain(source))?;
        return Ok(vec![LogText { name: name.to_owned(), log, oddities: remarks() }]);
    }

    let mut bytes = head;
    source.take(MOST.saturating_sub(SAMPLE as u64)).read_to_end(&mut bytes)?;
    let mut first = remarks();
    if bytes.len() as u64 >= MOST {
        first.push(prose!(c::TOO_LONG, bytes = MOST));
    }
    let opened = kwhy_oops::input::open(&bytes);
    if let Some(foreign) = opened.foreign {
        return Err(Failure::Unusable(refused(foreign, name)));
    }
    let mut logs = Vec::new();
    for document in opened.documents {
        let name = match document.part.as_str() {
            "" => name.to_owned(),
            part => format!("{name}: {part}"),
        };
        let log = kwhy_oops::parse_numbered(&document.text, &document.numbers);
        let mut oddities = std::mem::take(&mut first);
        oddities.extend(document.remarks);
        logs.push(LogText { name, log, oddities });
    }
    Ok(logs)
}

/// As much of a source as its form is known by.
fn take_head(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    source.take(SAMPLE as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Opens an input to read from it.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>, CommandError> {
    if is_stdin(path) {
        return Ok(Box::new(io::stdin()));
    }
    refuse_directory(path)?;
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok(Box::new(file))
}

/// A directory is the commonest wrong input: it is what `-i` takes.
pub fn refuse_directory(path: &Path) -> Result<(), CommandError> {
    if path.is_dir() {
        let name = path.to_string_lossy();
        let error = CommandError::unusable(prose!(c::IS_DIRECTORY, path = &*name));
        return Err(error.hint(prose!(c::HINT_DIRECTORY, path = &*name)));
    }
    Ok(())
}

/// The error for a file that cannot be opened or read.
pub fn unreadable(path: &Path, error: &std::io::Error) -> CommandError {
    let name = name(path);
    let result = CommandError::unusable(prose!(c::CANNOT_READ, path = &name)).because(error);
    match error.kind() {
        std::io::ErrorKind::NotFound => result.hint(prose!(c::HINT_NOT_FOUND)),
        std::io::ErrorKind::PermissionDenied => result.hint(prose!(c::HINT_PERMISSION, path = &name)),
        _ => result,
    }
}

/// The error for what is no log, with what to do about it.
fn refused(foreign: Foreign, name: &str) -> CommandError {
    let unpack = |tool: &str| prose!(c::HINT_UNPACK, tool = tool, path = name);
    let hint = match foreign {
        Foreign::Elf => prose!(c::HINT_ELF, path = name),
        Foreign::Vmcore(_) => prose!(c::HINT_VMCORE),
        Foreign::Journal => prose!(c::HINT_JOURNAL, path = name),
        Foreign::Archive("7z") => unpack("7z e -so"),
        Foreign::Archive("RAR") => unpack("unrar p -inul"),
        Foreign::Archive(_) => unpack("unzip -p"),
        _ => prose!(c::HINT_PICTURE),
    };
    CommandError::unusable(prose!(c::NOT_A_LOG, path = name, format = foreign.name())).hint(hint)
}
