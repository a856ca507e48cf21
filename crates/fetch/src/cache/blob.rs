//! An entry of bytes: a header of 64 bytes that says what follows, and the bytes, mapped.
//!
//! The header is little-endian: 8 bytes of magic, the header's version (u32), the writer's
//! version (u32), the length of the bytes (u64), the CRC-32 of key and bytes (u32), zeros. 64
//! bytes keep what follows aligned for whatever number type it is read as.

use kwhy_mmap::Mapping;
use std::ops::Deref;
use std::path::Path;

const MAGIC: &[u8; 8] = b"kwhyblob";
/// Raised when the header's own layout changes.
const FORMAT: u32 = 1;
/// Length of the header in bytes.
pub(super) const HEADER: usize = 64;

/// Bytes out of the cache, checked.
#[derive(Debug)]
pub struct Blob(Mapping);

impl Deref for Blob {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.0.get(HEADER..).unwrap_or_default()
    }
}

/// Why an entry cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// Of another version of its writer.
    Outdated,
    /// Cut off, altered, or another key's.
    Damaged,
}

impl Blob {
    /// Opens an entry; `None` where there is none.
    pub(super) fn open(path: &Path, key: &str, version: u32) -> Option<Result<Blob, Damage>> {
        let blob = Blob(Mapping::open(path).ok()?);
        Some(check(&blob, key, version).map(|()| blob))
    }
}

fn check(blob: &Blob, key: &str, version: u32) -> Result<(), Damage> {
    let written = blob.0.get(..HEADER).ok_or(Damage::Damaged)?;
    let number = |at: usize| {
        let bytes = written.get(at..at.saturating_add(4)).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_le_bytes)
    };
    if !written.starts_with(MAGIC) {
        return Err(Damage::Damaged);
    }
    if number(8) != Some(FORMAT) || number(12) != Some(version) {
        return Err(Damage::Outdated);
    }
    // The length is compared before the bytes are read: most damage is a cut.
    let length = written.get(16..24).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    if length != u64::try_from(blob.len()).ok() || header(key, version, blob) != written {
        return Err(Damage::Damaged);
    }
    Ok(())
}

/// The header of an entry.
pub(super) fn header(key: &str, version: u32, bytes: &[u8]) -> [u8; HEADER] {
    let mut sum = crc32fast::Hasher::new();
    sum.update(key.as_bytes());
    sum.update(bytes);
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let fields = [
        &MAGIC[..],
        &FORMAT.to_le_bytes(),
        &version.to_le_bytes(),
        &length.to_le_bytes(),
        &sum.finalize().to_le_bytes(),
    ];
    let mut header = [0; HEADER];
    for (to, from) in header.iter_mut().zip(fields.concat()) {
        *to = from;
    }
    header
}
