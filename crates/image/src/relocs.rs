//! What an x86 boot image moves when it is put elsewhere than where it was linked (KASLR).
//!
//! The relocations of vmlinux are stripped from what boots; what the decompressor needs of them is
//! appended to the kernel (`vmlinux.relocs`, made by arch/x86/tools/relocs.c and read backwards by
//! `handle_relocations()`, arch/x86/boot/compressed/misc.c): 32-bit places, sign-extended, in lists
//! that a zero begins. From the front: places of 64-bit addresses; on kernels with a per-cpu section
//! at zero, 32-bit distances from it, which shrink; last, 32-bit addresses.

use crate::elf::u32_at;
use std::ops::Range;

/// The section that the lists are given in an unpacked boot image.
pub const SECTION: &str = ".relocs";

/// Fewer places are hardly a kernel's.
const LEAST: usize = 64;

/// The lists behind the `end` of an unpacked kernel, where what stands there has their form.
pub fn find(data: &[u8], end: usize) -> Option<Range<usize>> {
    let bytes = data.get(end..)?;
    let whole = bytes.len().is_multiple_of(4) && bytes.len() / 4 > LEAST && u32_at(bytes, 0) == Some(0);
    // The kernel lies in the uppermost 2 GiB (`__START_KERNEL_map`): as 32 bits, with the sign set.
    let mut zeros = 0usize;
    let places = bytes.chunks_exact(4).all(|word| match u32_at(word, 0) {
        Some(0) => {
            zeros = zeros.saturating_add(1);
            zeros <= 3
        }
        word => word.is_some_and(|word| word >> 31 == 1),
    });
    (whole && places).then_some(end..data.len())
}

/// The places of the lists, and how many bytes are moved at each.
pub fn places(lists: &[u8]) -> impl Iterator<Item = (u64, u64)> + '_ {
    let mut list = 0u32;
    lists.chunks_exact(4).filter_map(move |word| {
        let word = u32_at(word, 0)?;
        if word == 0 {
            list = list.saturating_add(1);
            return None;
        }
        let place = i64::from(word as i32) as u64;
        Some((place, if list <= 1 { 8 } else { 4 }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> Vec<u8> {
        let mut words = vec![0u32];
        words.extend((0..70).map(|i| 0x8100_0000 + i * 16));
        words.extend([0, 0x8110_0003, 0, 0x8120_0001]);
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }

    #[test]
    fn the_lists_are_told_by_their_form_and_give_places_with_lengths() {
        let mut file = b"kernel!!".to_vec();
        file.extend(lists());
        let found = find(&file, 8).unwrap();
        assert_eq!(found, 8..file.len());
        let all: Vec<(u64, u64)> = places(&file[found]).collect();
        assert_eq!(all.len(), 72);
        assert_eq!(all[0], (0xffff_ffff_8100_0000, 8));
        assert_eq!(all[70..], [(0xffff_ffff_8110_0003, 4), (0xffff_ffff_8120_0001, 4)]);
    }

    #[test]
    fn what_is_something_else_is_not_taken_for_them() {
        assert_eq!(find(&lists(), 4), None, "no zero in front");
        let mut odd = lists();
        odd.push(1);
        assert_eq!(find(&odd, 0), None, "no whole words");
        let mut low = lists();
        low[8..12].copy_from_slice(&0x1000u32.to_le_bytes());
        assert_eq!(find(&low, 0), None, "not in the kernel's part of the address space");
        assert_eq!(find(&[], 0), None);
        assert_eq!(find(&lists(), usize::MAX), None);
    }
}
