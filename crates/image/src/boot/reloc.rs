//! The relocations that a position-independent kernel carries, and what they tell of where it
//! was linked to run.
//!
//! arm64 and RISC-V kernels are linked like shared objects: every pointer in their data is
//! listed in `.rela.dyn` (`struct elf64_rela`: place, type, addend), and with GNU ld the bytes at
//! the place are nought until the kernel relocates itself. The listed places are addresses.

use crate::elf::u64_at;
use kwhy_base::Arch;
use std::ops::Range;

const ENTRY: usize = 24;
/// A shorter run is chance; kernels have a hundred thousand.
const LEAST: usize = 64;

/// "Base plus addend", which is all that a kernel has many of: AArch64 ELF ABI 5.7.17, RISC-V
/// psABI, Relocations.
fn relative(arch: Arch) -> Option<u64> {
    match arch {
        Arch::Arm64 => Some(1027),
        Arch::Riscv64 => Some(3),
        _ => None,
    }
}

/// Where the table is in the file.
pub(super) fn find(data: &[u8], arch: Arch) -> Option<Range<usize>> {
    let kind = relative(arch)?;
    let is = |entry: usize| u64_at(data, entry.saturating_add(8)) == Some(kind);
    let mut best: Option<Range<usize>> = None;
    let mut from = 0usize;
    let finder = memchr::memmem::Finder::new(&kind.to_le_bytes()).into_owned();
    while let Some(found) = finder.find(data.get(from..)?) {
        let info = from.saturating_add(found);
        from = info.saturating_add(8);
        let Some(start) = info.checked_sub(8).filter(|start| start % 8 == 0) else { continue };
        let mut end = start;
        while is(end) {
            end = end.saturating_add(ENTRY);
        }
        if (end - start) / ENTRY < LEAST {
            continue;
        }
        from = end;
        if best.as_ref().is_none_or(|best| best.len() < end - start) {
            best = Some(start..end);
        }
    }
    best
}

/// (place, addend) of each entry.
pub(super) fn entries(data: &[u8], table: Range<usize>) -> impl Iterator<Item = (u64, u64)> + '_ {
    let table = data.get(table).unwrap_or_default();
    table.chunks_exact(ENTRY).filter_map(|entry| Some((u64_at(entry, 0)?, u64_at(entry, 16)?)))
}

/// Writes each addend to its place in `image`, which begins at `base`.
pub(super) fn apply(image: &mut [u8], base: u64, entries: impl Iterator<Item = (u64, u64)>) {
    for (place, addend) in entries {
        let slot = place
            .checked_sub(base)
            .and_then(|at| usize::try_from(at).ok())
            .and_then(|at| image.get_mut(at..at.checked_add(8)?));
        if let Some(slot) = slot {
            slot.copy_from_slice(&addend.to_le_bytes());
        }
    }
}
