//! The bytes of an image file: mapped as they are, or unpacked where it is compressed or boots.

use kwhy_mmap::Mapping;
use std::borrow::Cow;
use std::io;
use std::ops::Deref;
use std::path::Path;

/// What [`kwhy_image::Image`] reads of one file.
pub struct Contents {
    bytes: Bytes,
    /// Why a boot image or a compressed file could not be unpacked.
    pub problem: Option<String>,
}

enum Bytes {
    Mapped(Mapping),
    Unpacked(Vec<u8>),
}

impl Contents {
    /// Maps the file at `path` and unpacks it where it has to be.
    ///
    /// # Errors
    /// Whatever opening, reading or mapping it says.
    pub fn open(path: &Path) -> io::Result<Contents> {
        let mapping = Mapping::open(path)?;
        let unpacked = match kwhy_image::unpack(&mapping) {
            Ok(Cow::Owned(unpacked)) => Ok(Some(unpacked)),
            Ok(Cow::Borrowed(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        Ok(match unpacked {
            Ok(Some(unpacked)) => Contents { bytes: Bytes::Unpacked(unpacked), problem: None },
            Ok(None) => Contents { bytes: Bytes::Mapped(mapping), problem: None },
            Err(problem) => Contents { bytes: Bytes::Mapped(mapping), problem: Some(problem) },
        })
    }
}

impl Deref for Contents {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(mapping) => mapping,
            Bytes::Unpacked(bytes) => bytes,
        }
    }
}
