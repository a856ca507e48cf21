//! One thing that was learned about an image, as bytes that check themselves.
//!
//! # Format
//!
//! Little-endian: 8 bytes of magic; the length of what is kept (u64); the CRC-32 of the part's
//! name, the length and the sums (u32); zeros up to 32 bytes; the CRC-32 (u32) of each block of
//! 4096 bytes of what is kept, the last block being shorter; then, from the next multiple of 64
//! bytes on, what is kept.
//!
//! A block is checked when something in it is first asked for. So a part of many megabytes costs
//! the few pages that a question needs, and damage is noticed all the same.

use std::cell::Cell;
use std::sync::Arc;

/// Bytes that were kept, however their keeper holds them.
pub type Kept = Arc<dyn AsRef<[u8]> + Send + Sync>;

const MAGIC: &[u8; 8] = b"kwhypar1";
const HEADER: usize = 32;
const BLOCK: usize = 4096;
const ALIGN: usize = 64;

/// What was learned, ready to be read in place.
pub struct Part {
    bytes: Kept,
    /// Where what is kept begins, and its length.
    start: usize,
    len: usize,
    /// One bit per block that was checked; empty where this very process made the bytes.
    checked: Vec<Cell<u64>>,
    own: bool,
}

/// The bytes of a part with their sums in front, as they are handed to a keeper.
#[must_use]
pub fn seal(name: &str, content: &[u8]) -> Vec<u8> {
    let blocks = content.len().div_ceil(BLOCK);
    let start = start(blocks).unwrap_or(HEADER);
    let mut out = Vec::with_capacity(start.saturating_add(content.len()));
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&(content.len() as u64).to_le_bytes());
    let mut sums = Vec::with_capacity(blocks * 4);
    for block in content.chunks(BLOCK) {
        sums.extend_from_slice(&crc32fast::hash(block).to_le_bytes());
    }
    out.extend_from_slice(&total(name, content.len() as u64, &sums).to_le_bytes());
    out.resize(HEADER, 0);
    out.extend_from_slice(&sums);
    out.resize(start, 0);
    out.extend_from_slice(content);
    out
}

fn start(blocks: usize) -> Option<usize> {
    blocks.checked_mul(4)?.checked_add(HEADER)?.checked_next_multiple_of(ALIGN)
}

fn total(name: &str, length: u64, sums: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(name.as_bytes());
    sum.update(&length.to_le_bytes());
    sum.update(sums);
    sum.finalize()
}

impl Part {
    /// Reads what [`seal`] wrote under this name; `None` for anything else.
    pub(super) fn open(name: &str, bytes: Kept) -> Option<Part> {
        let all = (*bytes).as_ref();
        if !all.starts_with(MAGIC) {
            return None;
        }
        let length = u64_in(all, 8)?;
        let len = usize::try_from(length).ok()?;
        let blocks = len.div_ceil(BLOCK);
        let start = start(blocks)?;
        let sums = all.get(HEADER..HEADER.checked_add(blocks.checked_mul(4)?)?)?;
        // Neither cut off nor followed by anything.
        if start.checked_add(len)? != all.len() || total(name, length, sums) != u32_in(all, 16)? {
            return None;
        }
        let checked = vec![Cell::new(0); blocks.div_ceil(64)];
        Some(Part { bytes, start, len, checked, own: false })
    }

    /// What this process just learned and nobody keeps.
    #[must_use]
    pub fn own(content: Vec<u8>) -> Part {
        let len = content.len();
        Part { bytes: Arc::new(content), start: 0, len, checked: Vec::new(), own: true }
    }

    /// What this process just learned, sealed for its keeper.
    pub(super) fn sealed(bytes: Kept, len: usize) -> Part {
        let start = (*bytes).as_ref().len().saturating_sub(len);
        Part { bytes, start, len, checked: Vec::new(), own: true }
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Some of the bytes; `None` where there are none or they are not as they were written.
    #[must_use]
    pub fn get(&self, at: usize, len: usize) -> Option<&[u8]> {
        let end = at.checked_add(len)?;
        if end > self.len {
            return None;
        }
        if !self.own && len > 0 {
            for block in at / BLOCK..=(end - 1) / BLOCK {
                self.check(block)?;
            }
        }
        (*self.bytes).as_ref().get(self.start.checked_add(at)?..self.start.checked_add(end)?)
    }

    fn check(&self, block: usize) -> Option<()> {
        let seen = self.checked.get(block / 64)?;
        let bit = 1_u64 << (block % 64);
        if seen.get() & bit == 0 {
            let all = (*self.bytes).as_ref();
            let from = block.checked_mul(BLOCK)?;
            let to = from.saturating_add(BLOCK).min(self.len);
            let content = all.get(self.start.checked_add(from)?..self.start.checked_add(to)?)?;
            if crc32fast::hash(content) != u32_in(all, HEADER.checked_add(block.checked_mul(4)?)?)? {
                return None;
            }
            seen.set(seen.get() | bit);
        }
        Some(())
    }

    /// All of it.
    #[must_use]
    pub fn all(&self) -> Option<&[u8]> {
        self.get(0, self.len)
    }

    /// Four bytes as a number.
    #[must_use]
    pub fn u32(&self, at: usize) -> Option<u32> {
        u32_in(self.get(at, 4)?, 0)
    }

    /// Eight bytes as a number.
    #[must_use]
    pub fn u64(&self, at: usize) -> Option<u64> {
        u64_in(self.get(at, 8)?, 0)
    }
}

/// Finds in `0..count` where `before` begins to be false; `None` where it cannot be told.
pub fn partition(count: usize, before: impl Fn(usize) -> Option<bool>) -> Option<usize> {
    let (mut from, mut to) = (0, count);
    while from < to {
        let middle = from + (to - from) / 2;
        if before(middle)? { from = middle + 1 } else { to = middle }
    }
    Some(from)
}

fn u32_in(bytes: &[u8], at: usize) -> Option<u32> {
    crate::elf::u32_at(bytes, at)
}

fn u64_in(bytes: &[u8], at: usize) -> Option<u64> {
    crate::elf::u64_at(bytes, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        (0..20_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    fn open(bytes: Vec<u8>) -> Option<Part> {
        Part::open("calls", Arc::new(bytes))
    }

    #[test]
    fn what_was_sealed_is_read_in_pieces() {
        let content = sample();
        let part = open(seal("calls", &content)).unwrap();
        assert_eq!(part.all().unwrap(), content);
        let part = open(seal("calls", &content)).unwrap();
        assert_eq!(part.get(4090, 20).unwrap(), &content[4090..4110]);
        assert_eq!(part.get(19_999, 1).unwrap(), &content[19_999..]);
        assert!(part.get(19_999, 2).is_none() && part.get(usize::MAX, 2).is_none());
        assert!(open(seal("calls", &[])).unwrap().all().unwrap().is_empty());
    }

    #[test]
    fn another_name_a_cut_and_a_tail_are_noticed_at_once() {
        let sealed = seal("calls", &sample());
        assert!(Part::open("units", Arc::new(sealed.clone())).is_none());
        for cut in [0, 7, 8, 31, 40, 64, 4096, sealed.len() - 1] {
            assert!(open(sealed[..cut].to_vec()).is_none(), "{cut}");
        }
        assert!(open([sealed, vec![0]].concat()).is_none());
    }

    #[test]
    fn damage_is_noticed_where_it_is_and_only_there() {
        let content = sample();
        let sealed = seal("calls", &content);
        let start = sealed.len() - content.len();
        for at in [0, 4095, 4096, 12_000, 19_999] {
            let mut damaged = sealed.clone();
            damaged[start + at] ^= 0x10;
            let part = open(damaged).unwrap();
            assert!(part.get(at, 1).is_none() && part.all().is_none(), "{at}");
            let elsewhere = if at < 8192 { 16_384 } else { 0 };
            assert_eq!(part.get(elsewhere, 8).unwrap(), &content[elsewhere..elsewhere + 8]);
        }
        // In the header and the sums.
        for at in (0..20).chain(32..start.min(32 + 4 * 5)) {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(open(damaged).is_none(), "{at}");
        }
    }

    #[test]
    fn partition_finds_the_border() {
        for border in 0..=9 {
            assert_eq!(partition(9, |i| Some(i < border)), Some(border));
        }
        assert_eq!(partition(9, |_| None), None);
    }
}
