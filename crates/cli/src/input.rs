//! Reads what is to be explained, and says kindly what cannot be.
//!
//! Logs are read, never mapped: they grow and are rotated while one looks at them. Plain text goes
//! through the scanner piece by piece, however long it is.

use crate::command_error::CommandError;
use crate::feed;
use kwhy_base::catalogue::cli as c;
use kwhy_base::{Prose, prose};
use kwhy_oops::Log;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// What is read of an input that has to be converted as a whole: 1 GiB.
const MOST: u64 = 1 << 30;

/// How much of an input tells what it is.
const HEAD: u64 = 4096;

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

/// Reads the log at `path`.
pub fn read(path: &Path) -> Result<LogText, CommandError> {
    let name = name(path);
    let broken = |error: io::Error| unreadable(path, &error);
    let mut source = open(path)?;
    let mut head = Vec::new();
    source.by_ref().take(HEAD).read_to_end(&mut head).map_err(broken)?;
    if let Some((format, hint)) = foreign(&head, &name) {
        return Err(CommandError::unusable(prose!(c::NOT_A_LOG, path = name, format = format)).hint(hint));
    }
    let mut oddities = Vec::new();
    let mut source = io::Cursor::new(head.clone()).chain(source);
    let log = if matches!(head.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        let mut bytes = Vec::new();
        source.by_ref().take(MOST).read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 == MOST {
            oddities.push(prose!(c::TOO_LONG, bytes = MOST));
        }
        oddities.push(prose!(c::WAS_UTF16));
        kwhy_oops::parse(utf16(&bytes).unwrap_or_default().as_bytes())
    } else {
        feed::log(source).map_err(broken)?
    };
    Ok(LogText { name, log, oddities })
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

/// Files known by their first bytes to be something else, and what to do with each.
fn foreign(bytes: &[u8], name: &str) -> Option<(&'static str, Prose)> {
    let unpack = |tool: &str| prose!(c::HINT_UNPACK, tool = tool, path = name);
    let known: [(&[u8], &'static str, Prose); 9] = [
        (b"\x7fELF", "ELF", prose!(c::HINT_ELF, path = name)),
        (b"KDUMP   ", "kdump", prose!(c::HINT_VMCORE)),
        (b"\x1f\x8b", "gzip", unpack("zcat")),
        (b"\xfd7zXZ\0", "xz", unpack("xzcat")),
        (b"\x28\xb5\x2f\xfd", "zstd", unpack("zstdcat")),
        (b"BZh", "bzip2", unpack("bzcat")),
        (b"\x89PNG", "PNG", prose!(c::HINT_PICTURE)),
        (b"\xff\xd8\xff", "JPEG", prose!(c::HINT_PICTURE)),
        (b"%PDF-", "PDF", prose!(c::HINT_PICTURE)),
    ];
    let (_, format, hint) = known.into_iter().find(|(magic, ..)| bytes.starts_with(magic))?;
    // An ELF core is a vmcore: e_type 4, little-endian, at offset 16.
    if format == "ELF" && bytes.get(16..18) == Some(&[4, 0]) {
        return Some(("ELF core", prose!(c::HINT_VMCORE)));
    }
    Some((format, hint))
}

/// Text as some terminals on other systems save it.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (big, rest) = match bytes {
        [0xff, 0xfe, rest @ ..] => (false, rest),
        [0xfe, 0xff, rest @ ..] => (true, rest),
        _ => return None,
    };
    let units = rest.chunks_exact(2).map(|pair| match pair {
        [a, b] if big => u16::from_be_bytes([*a, *b]),
        [a, b] => u16::from_le_bytes([*a, *b]),
        _ => 0xfffd,
    });
    Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_log_is_known_by_its_first_bytes() {
        assert_eq!(foreign(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0", "v").map(|f| f.0), Some("ELF"));
        assert_eq!(
            foreign(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0", "v").map(|f| f.0),
            Some("ELF core")
        );
        assert_eq!(foreign(b"\x1f\x8b\x08", "v").map(|f| f.0), Some("gzip"));
        assert!(foreign(b"[    0.0] Linux", "v").is_none());
        assert!(foreign(b"", "v").is_none());
    }

    #[test]
    fn utf16_is_read() {
        assert_eq!(utf16(b"\xff\xfeO\0K\0").as_deref(), Some("OK"));
        assert_eq!(utf16(b"\xfe\xff\0O\0K").as_deref(), Some("OK"));
        assert_eq!(utf16(b"OK"), None);
    }
}
