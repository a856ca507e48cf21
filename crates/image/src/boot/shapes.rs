//! Tables that are found by what is in them, where no symbol says where they are: kernels
//! without `CONFIG_KALLSYMS_ALL` name their code only.
//!
//! Each entry of these tables points into the code with 32-bit offsets from its own place (ftrace's
//! with addresses), and at a known instruction or in ascending order; the longest run of such
//! entries is the table.

use crate::elf::{u16_at, u32_at, u64_at};
use std::ops::Range;

/// A shorter run is chance.
const LEAST: usize = 32;
/// How many odd entries in a row are borne: none, for what follows a table may look like one.
const NONE_ODD: usize = 0;
/// `brk #0x800` (arch/arm64/include/asm/brk-imm.h), which is what `BUG()` and `WARN()` are.
const BRK: u32 = 0xd421_0000;
/// `nop` and `b`, which are what a static key switches between.
const NOP: u32 = 0xd503_201f;

/// A raw arm64 kernel, and which of its bytes are code.
pub(super) struct Shapes<'d> {
    pub data: &'d [u8],
    /// Code, by the places of its bytes.
    pub text: Vec<Range<usize>>,
    /// Where tables are looked for.
    pub tables: Range<usize>,
    /// The addresses of kallsyms, which may lead to code from their own places as well.
    pub names: Range<usize>,
    /// The address of the first byte.
    pub base: u64,
}

impl Shapes<'_> {
    /// Name and place of each table that was found.
    pub(super) fn find(&self) -> Vec<(&'static str, Range<usize>)> {
        let mut found = Vec::new();
        let mut add = |name, table: Option<Range<usize>>| found.extend(table.map(|table| (name, table)));
        let verbose = self.run(12, NONE_ODD, |at| self.bug(at, 10));
        add("__bug_table", verbose.or_else(|| self.run(8, NONE_ODD, |at| self.bug(at, 4))));
        add("__jump_table", self.run(16, NONE_ODD, |at| self.jump(at)));
        let typed = self.run(12, NONE_ODD, |at| self.fixup(at, 12));
        let plain = self.run(8, NONE_ODD, |at| self.fixup(at, 8));
        let longer = match (typed, plain) {
            (Some(a), Some(b)) => Some(if a.len() >= b.len() { a } else { b }),
            (a, b) => a.or(b),
        };
        add("__ex_table", longer);
        add(".altinstructions", self.run(12, NONE_ODD, |at| self.alternative(at)));
        add("__mcount_loc", self.run(8, NONE_ODD, |at| at % 8 == 0 && self.traced(at)));
        found
    }

    /// The longest run of entries that are valid, with so many odd ones in a row borne among them:
    /// those of code that is none of the kernel's own.
    fn run(&self, size: usize, borne: usize, valid: impl Fn(usize) -> bool) -> Option<Range<usize>> {
        let mut best: Option<Range<usize>> = None;
        let mut at = self.tables.start.next_multiple_of(4);
        while at.saturating_add(size) <= self.tables.end {
            if self.names.contains(&at) {
                at = self.names.end.next_multiple_of(4);
                continue;
            }
            let (mut end, mut next, mut count) = (at, at, 0usize);
            let (mut odd, mut all_odd) = (0usize, 0usize);
            while next.saturating_add(size) <= self.tables.end {
                if valid(next) {
                    count = count.saturating_add(1);
                    end = next.saturating_add(size);
                    odd = 0;
                } else {
                    odd = odd.saturating_add(1);
                    all_odd = all_odd.saturating_add(1);
                }
                // Two early ones, and then one in eight: entries of another size fit more seldom.
                let many = all_odd.saturating_mul(8) > count.saturating_add(16);
                if count == 0 || odd > borne || many {
                    break;
                }
                next = next.saturating_add(size);
            }
            if count >= LEAST && best.as_ref().is_none_or(|best| best.len() < end - at) {
                best = Some(at..end);
            }
            at = if count >= LEAST { end } else { at.saturating_add(4) };
        }
        best
    }

    /// The place in the code that the offset at `at` leads to.
    fn code(&self, at: usize) -> Option<usize> {
        let offset = u32_at(self.data, at)? as i32;
        let place = at.checked_add_signed(offset as isize)?;
        (place % 4 == 0 && self.text.iter().any(|text| text.contains(&place))).then_some(place)
    }

    /// `struct bug_entry` (include/asm-generic/bug.h) with its flags at `flags`.
    fn bug(&self, at: usize, flags: usize) -> bool {
        self.code(at).is_some_and(|place| u32_at(self.data, place) == Some(BRK))
            && u16_at(self.data, at.saturating_add(flags)).is_some_and(|flags| flags & 0xff < 16)
    }

    /// `struct jump_entry` (include/linux/jump_label.h).
    fn jump(&self, at: usize) -> bool {
        let Some(place) = self.code(at) else { return false };
        let Some(insn) = u32_at(self.data, place) else { return false };
        (insn == NOP || insn & 0xfc00_0000 == 0x1400_0000) && self.code(at.saturating_add(4)).is_some()
    }

    /// `struct exception_table_entry`, which is sorted when the kernel is built.
    fn fixup(&self, at: usize, size: usize) -> bool {
        let (Some(from), Some(_)) = (self.code(at), self.code(at.saturating_add(4))) else { return false };
        let typed = size < 12 || u16_at(self.data, at.saturating_add(8)).is_some_and(|kind| kind < 16);
        // The next one is beyond this one, or the table ends here.
        let next = self.code(at.saturating_add(size));
        typed && next.is_none_or(|next| next > from)
    }

    /// The address of a call site of ftrace: two `nop`s, after a `bti c` where functions begin with
    /// one (`-fpatchable-function-entry=2`, arch/arm64/Makefile).
    fn traced(&self, at: usize) -> bool {
        /// `bti c`.
        const BTI: u32 = 0xd503_245f;
        let place = u64_at(self.data, at).and_then(|address| address.checked_sub(self.base));
        let Some(place) = place.and_then(|place| usize::try_from(place).ok()) else { return false };
        if place % 4 != 0 || !self.text.iter().any(|text| text.contains(&place)) {
            return false;
        }
        let insn = |index: usize| u32_at(self.data, place.saturating_add(index * 4));
        let first = usize::from(insn(0) == Some(BTI));
        insn(first) == Some(NOP) && insn(first + 1) == Some(NOP)
    }

    /// `struct alt_instr` (arch/arm64/include/asm/alternative.h): two places, a feature, and the
    /// lengths of what is there and of what replaces it (none, where a function makes it).
    fn alternative(&self, at: usize) -> bool {
        let length = |field: usize| self.data.get(at.saturating_add(field)).copied();
        let (Some(old), Some(new)) = (length(10), length(11)) else { return false };
        let feature = u16_at(self.data, at.saturating_add(8)).is_some_and(|feature| feature & 0x7fff < 256);
        feature
            && old > 0
            && old % 4 == 0
            && (new == old || new == 0)
            && self.code(at).is_some()
            && u32_at(self.data, at.saturating_add(4)).is_some_and(|offset| offset != 0)
    }
}

/// The largest BTF in `data` (Documentation/bpf/btf.rst): its header checks its own length.
pub(super) fn btf(data: &[u8]) -> Option<Range<usize>> {
    // Magic, version 1, no flags, a header of 24 bytes.
    const HEAD: [u8; 8] = [0x9f, 0xeb, 1, 0, 24, 0, 0, 0];
    memchr::memmem::find_iter(data, &HEAD)
        .take(1024)
        .filter_map(|at| {
            let field = |offset: usize| u32_at(data, at.checked_add(offset)?).map(|word| word as usize);
            let (types, strings) = (field(12)?, field(16)?);
            let size = 24usize.checked_add(strings)?.checked_add(field(20)?)?;
            let end = at.checked_add(size)?;
            let first = data.get(at.checked_add(24)?.checked_add(strings)?)?;
            (field(8)? == 0 && types <= strings && *first == 0 && end <= data.len()).then_some(at..end)
        })
        .max_by_key(|range| range.len())
}

/// The kernel's own notes. The virtual dynamic objects for user space in the image have some as
/// well; those lie inside an ELF file.
pub(super) fn notes(data: &[u8]) -> Option<Range<usize>> {
    /// `namesz`, `descsz`, `NT_GNU_BUILD_ID`, name.
    const HEAD: [u8; 16] = [4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, b'G', b'N', b'U', 0];
    const PAGE: usize = 4096;
    memchr::memmem::find_iter(data, &HEAD).take(64).find_map(|at| {
        let page = at / PAGE * PAGE;
        let in_object = (0..16usize).any(|back| {
            let start = page.wrapping_sub(back * PAGE);
            let head = data.get(start..).unwrap_or_default();
            // The section headers are its last part.
            let end = crate::elf::u64_at(head, 40).unwrap_or(0);
            head.starts_with(b"\x7fELF") && (at.wrapping_sub(start) as u64) < end
        });
        let end = at.checked_add(36)?;
        (!in_object && end <= data.len()).then_some(at..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = 0xffff_8000_0800_0000;

    /// Functions of 16 bytes that begin with two `nop`s, and the addresses of `count` of them.
    fn traced(count: u32, bti: bool) -> Vec<u8> {
        let mut data: Vec<u8> = Vec::new();
        for _ in 0..count {
            let first = if bti { 0xd503_245f } else { NOP };
            let words = [first, NOP, if bti { NOP } else { 0xd65f_03c0 }, 0xd65f_03c0u32];
            data.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
        for number in 0..u64::from(count) {
            data.extend((BASE + number * 16).to_le_bytes());
        }
        data
    }

    fn found(data: &[u8], text: usize) -> Option<Range<usize>> {
        let text_only = std::iter::once(0..text).collect();
        let shapes = Shapes { data, text: text_only, tables: text..data.len(), names: 0..0, base: BASE };
        shapes.find().into_iter().find(|(name, _)| *name == "__mcount_loc").map(|(_, range)| range)
    }

    #[test]
    fn the_call_sites_of_ftrace_are_found_by_the_nops_that_they_are() {
        for bti in [false, true] {
            let data = traced(40, bti);
            assert_eq!(found(&data, 640), Some(640..640 + 320), "bti {bti}");
        }
        // Too few, and addresses of other code.
        assert_eq!(found(&traced(8, false), 128), None);
        let mut other = traced(40, false);
        other[..640].fill(0);
        assert_eq!(found(&other, 640), None);
    }
}
