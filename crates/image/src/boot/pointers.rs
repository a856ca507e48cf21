//! Where an image was linked to run, told by the pointers in it.
//!
//! Kernels whose kallsyms count from their own place say nothing of an address, and with
//! relative relocations packed (`.relr.dyn`) no list of places does. The pointers themselves do:
//! most lead to the beginning of something that has a name, if the base is right.

use crate::elf::u64_at;

/// The base is a multiple of this: 2 MiB as a rule (arm64, RISC-V), 64 KiB with the text's offset.
const STEP: usize = 64 << 10;
/// Pointers that are asked; of each so many bases are possible as the image has steps.
const ASKED: usize = 4096;
/// Of the pointers asked so many must lead to something: an eighth.
const LEAST: usize = ASKED / 64;

/// The address of the first byte of `data`, by its pointers. `starts` are the symbols' places,
/// counted from there.
pub(super) fn base(data: &[u8], starts: impl Iterator<Item = u64>) -> Option<u64> {
    let mut named = vec![0u64; data.len() / 256 + 1];
    for start in starts.filter(|start| start.is_multiple_of(4)) {
        let bit = usize::try_from(start / 4).ok()?;
        if let Some(word) = named.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }
    let is_start = |place: usize| {
        place.is_multiple_of(4)
            && named.get(place / 256).is_some_and(|word| word >> (place / 4 % 64) & 1 != 0)
    };
    let pointers = pointers(data);
    let mut votes: std::collections::BTreeMap<u64, usize> = std::collections::BTreeMap::new();
    for pointer in &pointers {
        let low = (*pointer % STEP as u64) as usize;
        for place in (low..data.len()).step_by(STEP) {
            if is_start(place) {
                *votes.entry(pointer.wrapping_sub(place as u64)).or_default() += 1;
            }
        }
    }
    let mut best: Vec<(usize, u64)> = votes.into_iter().map(|(base, count)| (count, base)).collect();
    best.sort_unstable_by_key(|(count, _)| std::cmp::Reverse(*count));
    let (count, base) = *best.first()?;
    let second = best.get(1).map_or(0, |(count, _)| *count);
    (count >= LEAST && count > second.saturating_mul(2)).then_some(base)
}

/// Words that are kernel addresses, from all over the image, most of them in the region where
/// most are.
fn pointers(data: &[u8]) -> Vec<u64> {
    // Where kernels are linked to: the last 2^48 bytes, or LoongArch's cached window.
    let high = |word: &u64| matches!(word >> 48, 0xffff | 0x9000);
    let words = || (0..data.len()).step_by(8).filter_map(|at| u64_at(data, at)).filter(high);
    // Repeated words (fill bytes, errors) are no pointers that tell anything.
    let plain = |word: &u64| word.wrapping_add(1 << 20) > 1 << 21 && word >> 32 != *word & 0xffff_ffff;
    let mut regions: std::collections::BTreeMap<u64, usize> = std::collections::BTreeMap::new();
    for word in words().filter(plain) {
        if regions.len() < 1 << 16 || regions.contains_key(&(word >> 30)) {
            *regions.entry(word >> 30).or_default() += 1;
        }
    }
    let Some((region, _)) = regions.into_iter().max_by_key(|(_, count)| *count) else { return Vec::new() };
    // Each once: a few addresses stand in thousands of places.
    let mut found: Vec<u64> = words().filter(plain).filter(|word| word >> 30 == region).collect();
    found.sort_unstable();
    found.dedup();
    let every = found.len().div_ceil(ASKED).max(1);
    found.into_iter().step_by(every).collect()
}
