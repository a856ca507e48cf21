//! The bytes of a file, mapped where that can be done.
//!
//! A vmlinux with debug information is half a gigabyte, of which an answer needs a few
//! megabytes; mapping it costs only the pages that are looked at.
//!
//! **The one hazard.** A mapping shows the file as it is, not as it was: if another process
//! shortens the file while kwhy reads it, the kernel ends kwhy with SIGBUS, and if another
//! process writes to it, kwhy sees the change. Package managers and `make` replace files by
//! renaming new ones over them, which leaves a mapping as it was; only tools that truncate an
//! image in place do harm, and they end a run rather than corrupt anything. What changes in
//! place by habit (logs) is read, never mapped.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;

/// What is read of something that cannot be mapped (a pipe, a device): 2 GiB.
const MOST: u64 = 2 << 30;

/// The bytes of one file.
#[derive(Debug)]
pub struct Mapping(Bytes);

#[derive(Debug)]
enum Bytes {
    Mapped(memmap2::Mmap),
    Read(Vec<u8>),
}

impl Mapping {
    /// Maps the file at `path`, or reads it where it is no regular file.
    ///
    /// # Errors
    /// Whatever opening, reading or mapping it says.
    pub fn open(path: &Path) -> io::Result<Mapping> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        if !about.is_file() || about.len() == 0 {
            // A file of /proc has no length and content all the same.
            let mut bytes = Vec::new();
            file.take(MOST).read_to_end(&mut bytes)?;
            return Ok(Mapping(Bytes::Read(bytes)));
        }
        map(&file).map(|map| Mapping(Bytes::Mapped(map)))
    }
}

#[allow(unsafe_code)]
fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: the mapping is private to this process and only ever read as bytes. That its
    // content may change under us is the hazard this module's documentation describes: every
    // reader treats the bytes as hostile anyway, and a truncation ends in SIGBUS, not in
    // undefined memory being read.
    unsafe { memmap2::MmapOptions::new().map_copy_read_only(file) }
}

impl Deref for Mapping {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Mapped(map) => map,
            Bytes::Read(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_as_its_bytes_and_a_directory_is_refused() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifest = Mapping::open(&here.join("Cargo.toml")).unwrap();
        assert!(manifest.starts_with(b"[package]"));
        assert_eq!(Mapping::open(here).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(Mapping::open(&here.join("absent")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_has_no_length_is_read() {
        assert!(Mapping::open(Path::new("/dev/null")).unwrap().is_empty());
    }
}
