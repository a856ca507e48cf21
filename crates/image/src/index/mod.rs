//! What was learned about an image, kept from one run to the next.
//!
//! Whoever opens an image may lend it a [`Shelf`]. Then tables that take time to make (symbols by
//! address and by name, units, calls) and answers to questions about the whole image are put there
//! and found there by the next run, which reads them in place. Without a shelf, with an empty one,
//! and with one that holds nonsense, every answer is the same: what is found is checked block by
//! block as it is read ([`Part`]), and what cannot be read is learned anew.
//!
//! # Which image
//!
//! A key is the image's build-id and a hash of the file's length, its section headers and samples
//! of its bytes: a stripped file and a full one of the same build have the same build-id and
//! different offsets, and a build-id is easily forged. An image without a build-id is not kept.

mod part;

pub use part::{Kept, Part, partition, seal};

use crate::elf::Elf;
use kwhy_base::BuildId;
use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

/// Keeps bytes from one run to the next. Nothing depends on it: one that forgets everything is as
/// good, only slower, and one that gives other bytes than it was given is noticed.
///
/// Several threads read their own image of the same file, and share the shelf.
pub trait Shelf: Sync {
    /// What was kept of the image under this name.
    fn get(&self, image: &str, name: &str) -> Option<Kept>;
    /// Keeps bytes under a name, or not.
    fn put(&self, image: &str, name: &str, bytes: Kept);
}

/// A shelf, and the image's place on it.
#[derive(Clone)]
pub(crate) struct Lent<'d> {
    pub shelf: &'d dyn Shelf,
    key: Rc<str>,
}

impl<'d> Lent<'d> {
    pub(crate) fn new(shelf: &'d dyn Shelf, elf: &Elf<'d>, build_id: &BuildId) -> Lent<'d> {
        let id = build_id.to_string();
        let key = format!("{}-{:016x}", id.get(..64).unwrap_or(&id), fingerprint(elf));
        Lent { shelf, key: Rc::from(key) }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Part> {
        Part::open(name, self.shelf.get(&self.key, name)?)
    }

    pub(crate) fn put(&self, name: &str, content: &[u8]) -> Part {
        let sealed: Kept = Arc::new(part::seal(name, content));
        self.shelf.put(&self.key, name, Arc::clone(&sealed));
        Part::sealed(sealed, content.len())
    }
}

/// Tells files of one build-id apart; see above.
fn fingerprint(elf: &Elf<'_>) -> u64 {
    const MAX_SAMPLED: usize = 8;
    const SAMPLE: usize = 64;
    let mut hash = hash(&(elf.data.len() as u64).to_le_bytes());
    let mut add = |bytes: &[u8]| hash = (hash ^ self::hash(bytes)).wrapping_mul(PRIME).rotate_left(29);
    for section in &elf.sections {
        add(section.name.as_bytes());
        for number in [section.address, section.offset, section.size, section.flags] {
            add(&number.to_le_bytes());
        }
    }
    // Spread over what the tables are made of: code, symbols, their names.
    let sampled = elf.sections.iter().filter(|section| {
        section.executable()
            || matches!(section.name, ".symtab" | ".strtab" | ".debug_info" | ".debug_str" | ".BTF")
    });
    // Each sample costs a page, so they are few.
    for section in sampled.take(MAX_SAMPLED) {
        let bytes = elf.raw(section);
        let step = (bytes.len() / 2).max(SAMPLE);
        for chunk in bytes.chunks(step).take(3) {
            add(chunk.get(..SAMPLE).unwrap_or(chunk));
        }
    }
    hash
}

const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash of bytes, eight at a time: the same on every machine, as it is written to disk.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = (bytes.len() as u64).wrapping_mul(PRIME);
    for word in words {
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME);
    }
    let last = rest.iter().fold(0_u64, |last, byte| last << 8 | u64::from(*byte));
    hash = (hash.rotate_left(5) ^ last).wrapping_mul(PRIME);
    hash ^ hash >> 32
}

/// A table as it was just made.
pub(crate) struct Made {
    pub content: Vec<u8>,
    /// Nothing was wrong with what it was made of. A problem is told by every run, so what gave
    /// rise to one is read by every run.
    pub sound: bool,
}

impl From<Vec<u8>> for Made {
    fn from(content: Vec<u8>) -> Made {
        Made { content, sound: true }
    }
}

/// A table that is made once: by an earlier run, or when it is first asked.
#[derive(Default)]
pub struct Learned {
    kept: OnceCell<Option<Part>>,
    made: OnceCell<Part>,
}

impl Learned {
    /// Puts `question` to the table; it answers `None` where the table is damaged, and is then
    /// put to one that is made anew.
    pub(crate) fn ask<'l, R>(
        &'l self,
        lent: Option<&Lent<'_>>,
        name: &str,
        make: impl FnOnce() -> Made,
        question: impl Fn(&'l Part) -> Option<R>,
    ) -> Option<R> {
        if self.made.get().is_none()
            && let Some(part) = self.kept.get_or_init(|| lent?.get(name))
            && let Some(answer) = question(part)
        {
            return Some(answer);
        }
        question(self.made.get_or_init(|| {
            let Made { content, sound } = make();
            match lent.filter(|_| sound) {
                Some(lent) => lent.put(name, &content),
                None => Part::own(content),
            }
        }))
    }
}

/// Numbers as the tables hold them.
pub(crate) fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// A table that finds numbers by a hash: for each of `2^bits` buckets and behind the last where its
/// numbers begin (u32), then the numbers (u32), ascending in each bucket. `hashes` gives the hash
/// of each number, in order; numbers without one are left out.
pub(crate) fn buckets(hashes: &[Option<u64>]) -> Vec<u8> {
    let bits = bits(hashes.len());
    let bucket = |hash: u64| (hash & ((1_u64 << bits) - 1)) as usize;
    let mut starts = vec![0_u32; (1 << bits) + 1];
    for hash in hashes.iter().flatten() {
        if let Some(count) = starts.get_mut(bucket(*hash) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut numbers = vec![0_u32; sum as usize];
    for (number, hash) in (0_u32..).zip(hashes) {
        let Some(place) = hash.and_then(|hash| next.get_mut(bucket(hash))) else { continue };
        if let Some(slot) = numbers.get_mut(*place as usize) {
            *slot = number;
        }
        *place += 1;
    }
    starts.append(&mut numbers);
    words(&starts)
}

/// The numbers in the bucket of a hash, of a table over `count` numbers.
pub(crate) fn in_bucket(part: &Part, count: usize, hash: u64) -> Option<Vec<u32>> {
    let bits = bits(count);
    let bucket = (hash & ((1_u64 << bits) - 1)) as usize;
    let (from, to) = (part.u32(bucket * 4)? as usize, part.u32(bucket * 4 + 4)? as usize);
    let first = ((1_usize << bits) + 1) * 4;
    let len = to.checked_sub(from)?.checked_mul(4)?;
    let bytes = part.get(first.checked_add(from.checked_mul(4)?)?, len)?;
    Some(bytes.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number)).collect())
}

/// One or two numbers a bucket.
fn bits(count: usize) -> u32 {
    count.checked_ilog2().unwrap_or(0).min(24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_hashes() {
        for count in [0_u64, 1, 2, 3, 1000] {
            let hashes: Vec<Option<u64>> =
                (0..count).map(|i| (i % 7 != 3).then(|| hash(&(i / 2).to_le_bytes()))).collect();
            let part = Part::own(buckets(&hashes));
            for (number, wanted) in hashes.iter().enumerate() {
                let Some(wanted) = wanted else { continue };
                let found = in_bucket(&part, hashes.len(), *wanted).unwrap();
                assert!(found.is_sorted() && found.contains(&(number as u32)));
            }
            let every = 0..1_u64 << bits(hashes.len());
            let all: usize = every.map(|hash| in_bucket(&part, hashes.len(), hash).unwrap().len()).sum();
            assert_eq!(all, hashes.iter().flatten().count());
        }
    }
}
