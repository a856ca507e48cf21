//! The bytes that DWARF is read from: mapped where the file can be used as it is, owned where
//! a section had to be decompressed or relocated first.

use gimli::{Error, LittleEndian, Reader, ReaderOffsetId, Result};
use std::borrow::Cow;
use std::rc::Rc;

/// A stretch of a section, with the position of a cursor.
#[derive(Clone, Debug)]
pub(crate) enum Bytes<'d> {
    /// In the mapped file.
    Mapped(&'d [u8]),
    /// In a buffer of our own: bytes `start..end` of it. `start <= end <= len` always holds.
    Owned { buffer: Rc<[u8]>, start: usize, end: usize },
}

impl<'d> Bytes<'d> {
    pub(crate) fn owned(bytes: Vec<u8>) -> Bytes<'d> {
        let end = bytes.len();
        Bytes::Owned { buffer: Rc::from(bytes), start: 0, end }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Mapped(slice) => slice,
            Bytes::Owned { buffer, start, end } => buffer.get(*start..*end).unwrap_or(&[]),
        }
    }

    fn eof(&self) -> Error {
        Error::UnexpectedEof(self.offset_id())
    }
}

impl Default for Bytes<'_> {
    fn default() -> Self {
        Bytes::Mapped(&[])
    }
}

impl<'d> Reader for Bytes<'d> {
    type Endian = LittleEndian;
    type Offset = usize;

    #[inline]
    fn endian(&self) -> LittleEndian {
        LittleEndian
    }

    #[inline]
    fn len(&self) -> usize {
        match self {
            Bytes::Mapped(slice) => slice.len(),
            Bytes::Owned { start, end, .. } => end.saturating_sub(*start),
        }
    }

    fn empty(&mut self) {
        *self = Bytes::default();
    }

    #[inline]
    fn truncate(&mut self, len: usize) -> Result<()> {
        if Reader::len(self) < len {
            return Err(self.eof());
        }
        match self {
            Bytes::Mapped(slice) => *slice = slice.get(..len).unwrap_or(&[]),
            Bytes::Owned { start, end, .. } => *end = start.saturating_add(len),
        }
        Ok(())
    }

    #[inline]
    fn offset_from(&self, base: &Self) -> usize {
        (self.as_slice().as_ptr() as usize).wrapping_sub(base.as_slice().as_ptr() as usize)
    }

    #[inline]
    fn offset_id(&self) -> ReaderOffsetId {
        ReaderOffsetId(self.as_slice().as_ptr() as u64)
    }

    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        let start = self.as_slice().as_ptr() as u64;
        let offset = usize::try_from(id.0.checked_sub(start)?).ok()?;
        (offset <= Reader::len(self)).then_some(offset)
    }

    #[inline]
    fn find(&self, byte: u8) -> Result<usize> {
        memchr::memchr(byte, self.as_slice()).ok_or_else(|| self.eof())
    }

    #[inline]
    fn skip(&mut self, len: usize) -> Result<()> {
        if Reader::len(self) < len {
            return Err(self.eof());
        }
        match self {
            Bytes::Mapped(slice) => *slice = slice.get(len..).unwrap_or(&[]),
            Bytes::Owned { start, .. } => *start = start.saturating_add(len),
        }
        Ok(())
    }

    #[inline]
    fn split(&mut self, len: usize) -> Result<Self> {
        let mut head = self.clone();
        head.truncate(len)?;
        self.skip(len)?;
        Ok(head)
    }

    #[inline]
    fn to_slice(&self) -> Result<Cow<'_, [u8]>> {
        Ok(Cow::Borrowed(self.as_slice()))
    }

    fn to_string(&self) -> Result<Cow<'_, str>> {
        std::str::from_utf8(self.as_slice()).map(Cow::Borrowed).map_err(|_| Error::BadUtf8)
    }

    fn to_string_lossy(&self) -> Result<Cow<'_, str>> {
        Ok(String::from_utf8_lossy(self.as_slice()))
    }

    #[inline]
    fn read_slice(&mut self, buf: &mut [u8]) -> Result<()> {
        match self.as_slice().get(..buf.len()) {
            Some(bytes) => buf.copy_from_slice(bytes),
            None => return Err(self.eof()),
        }
        self.skip(buf.len())
    }

    // The hot path of LEB128 and abbreviation codes.
    #[inline]
    fn read_u8(&mut self) -> Result<u8> {
        if let Bytes::Mapped(slice) = self {
            return match slice.split_first() {
                Some((&byte, rest)) => {
                    *slice = rest;
                    Ok(byte)
                }
                None => Err(self.eof()),
            };
        }
        let mut byte = [0];
        self.read_slice(&mut byte)?;
        Ok(byte[0])
    }
}
