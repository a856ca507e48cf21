//! ORC: the kernel's own description of its stack frames on x86 (arch/x86/include/asm/orc_types.h,
//! tools/objtool/orc_gen.c), which every kernel and module carries, with debug information or without.
//!
//! `.orc_unwind_ip` lists places in the code, 32 bits each, relative to themselves; `.orc_unwind`
//! has an entry of six bytes beside each: `s16 sp_offset, s16 bp_offset`, then `sp_reg:4, bp_reg:4`
//! and a type of two or three bits. An entry holds up to the next place. The numbers of the types
//! changed: an image with the section `.orc_header` has the later ones; without it they are told by
//! the one that most entries have, which is that of ordinary calls.

use crate::elf::{u16_at, u32_at};
use crate::image::Image;
use kwhy_base::{Arch, ImageAddr, Reg};

/// Bytes of one `struct orc_entry`.
const ENTRY: usize = 6;
/// Entries looked at to learn which type number means an ordinary frame.
const SAMPLE: usize = 1024;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// That of a function which was called: the return address lies just below the frame's end.
    Call,
    /// A `struct pt_regs`, whole or in part: an interrupt or exception came here.
    Registers,
    /// The end of the stack, or code that has no description.
    None,
}

/// The frame at an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: FrameKind,
    /// Register and offset that give the caller's stack pointer before the call; `None` where it is
    /// found in memory, or not at all.
    pub end: Option<(Reg, i64)>,
    /// How far below the caller's stack pointer rbp was saved; `None` where it still has its value.
    pub saved_bp: Option<i64>,
}

impl Image<'_> {
    /// The frame at an instruction, by ORC; `None` where the image has none or does not say.
    #[must_use]
    pub fn orc_at(&self, address: ImageAddr) -> Option<Frame> {
        if self.elf.arch != Arch::X86_64 {
            return None;
        }
        let (places_index, places_section) = self.elf.section(".orc_unwind_ip")?;
        let (entries_index, entries_section) = self.elf.section(".orc_unwind")?;
        let places = self.loaded_contents(places_index, places_section)?;
        let entries = self.loaded_contents(entries_index, entries_section)?;
        let entries = entries.as_slice();
        let start = places_section.address;
        let number = place_of(places.as_slice(), start, address.0, self.elf.relocatable)?;
        let entry = entries.get(number.checked_mul(ENTRY)?..)?.get(..ENTRY)?;
        let later = self.elf.section(".orc_header").is_some();
        let kind = match (later, u16_at(entry, 4)? >> 8) {
            // ORC_TYPE_UNDEFINED 0, END_OF_STACK 1, CALL 2, REGS 3, REGS_PARTIAL 4.
            (true, bits) => match bits & 7 {
                2 => FrameKind::Call,
                3 | 4 => FrameKind::Registers,
                _ => FrameKind::None,
            },
            (false, bits) => {
                if bits & 3 == ordinary(entries)? {
                    FrameKind::Call
                } else {
                    FrameKind::Registers
                }
            }
        };
        let bits = u16_at(entry, 4)?;
        let offset = i64::from(u16_at(entry, 0)? as i16);
        // ORC_REG_BP and ORC_REG_SP, as DWARF numbers: rbp 6, rsp 7.
        let end = match bits & 0xf {
            4 => Some((Reg(6), offset)),
            5 => Some((Reg(7), offset)),
            _ => None,
        };
        // ORC_REG_UNDEFINED is 0: neither saved nor changed. ORC_REG_PREV_SP is 1.
        let saved_bp = (bits >> 4 & 0xf == 1).then_some(i64::from(u16_at(entry, 2)? as i16));
        let kind = if bits & 0xf == 0 { FrameKind::None } else { kind };
        Some(Frame { kind, end, saved_bp })
    }

    /// The canonical frame address, where the frame is one of an ordinary call.
    pub(crate) fn cfa_by_orc(&self, address: ImageAddr) -> Option<(Reg, i64)> {
        self.orc_at(address).filter(|frame| frame.kind == FrameKind::Call)?.end
    }
}

/// The last place at or before `address`. A kernel's list is sorted when it is built, a module's when
/// it is loaded.
fn place_of(places: &[u8], start: u64, address: u64, unsorted: bool) -> Option<usize> {
    let (words, _) = places.as_chunks::<4>();
    let at = |number: usize| {
        let word = words.get(number)?;
        let from = start.wrapping_add((number as u64).wrapping_mul(4));
        Some(from.wrapping_add_signed(i64::from(u32_at(word, 0)? as i32)))
    };
    if !unsorted {
        let (mut low, mut high) = (0usize, words.len());
        while low < high {
            let middle = low.saturating_add(high) / 2;
            if at(middle)? <= address { low = middle.saturating_add(1) } else { high = middle }
        }
        let found = low.checked_sub(1)?;
        // Old kernels sort the list when they boot: then the search went astray.
        let next = at(low).is_none_or(|next| next > address);
        if at(found)? <= address && next && at(0)? <= at(words.len().checked_sub(1)?)? {
            return Some(found);
        }
    }
    let mut best: Option<(u64, usize)> = None;
    for number in 0..words.len() {
        let place = at(number)?;
        if place <= address && best.is_none_or(|(known, _)| place >= known) {
            best = Some((place, number));
        }
    }
    best.map(|(_, number)| number)
}

/// The type number that most entries have.
fn ordinary(entries: &[u8]) -> Option<u16> {
    let mut counts = [0usize; 4];
    for entry in entries.chunks_exact(ENTRY).take(SAMPLE) {
        let bits = u16_at(entry, 4)?;
        // Places without a description have no register and whatever type is numbered 0.
        if bits & 0xf != 0
            && let Some(count) = counts.get_mut(usize::from(bits >> 8 & 3))
        {
            *count = count.saturating_add(1);
        }
    }
    (0..4u16).max_by_key(|kind| counts.get(usize::from(*kind)).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::synthetic;

    const TEXT: u64 = 0xffff_ffff_8100_0000;
    const PLACES: u64 = 0xffff_ffff_8200_0000;

    /// Rows of (place in the code, offset, offset of rbp, registers and type).
    fn image(rows: &[(u64, i16, i16, u16)], header: bool) -> Vec<u8> {
        let mut places = Vec::new();
        let mut entries = Vec::new();
        for (number, (place, sp, bp, bits)) in rows.iter().enumerate() {
            let at = PLACES + number as u64 * 4;
            places.extend(((TEXT + place).wrapping_sub(at) as u32).to_le_bytes());
            entries.extend(sp.to_le_bytes());
            entries.extend(bp.to_le_bytes());
            entries.extend(bits.to_le_bytes());
        }
        let mut sections = vec![
            (".text", TEXT, true, vec![0x90; 0x100]),
            (".orc_unwind_ip", PLACES, false, places),
            (".orc_unwind", PLACES + 0x1000, false, entries),
        ];
        if header {
            sections.push((".orc_header", PLACES + 0x2000, false, vec![0; 20]));
        }
        synthetic(Arch::X86_64, &sections, &[("f", TEXT)])
    }

    fn at(file: &[u8], place: u64) -> Option<Frame> {
        Image::parse(file).unwrap().orc_at(ImageAddr(TEXT + place))
    }

    #[test]
    fn the_first_numbering_is_told_by_what_most_entries_are() {
        // sp+8, sp+16 with rbp saved, registers from sp, nothing.
        let rows =
            [(0x10, 8, 0, 0x0005), (0x14, 16, -16, 0x0015), (0x20, 168, 0, 0x0105), (0x30, 0, 0, 0x0000)];
        let file = image(&rows, false);
        assert_eq!(at(&file, 0x0), None, "before the first place");
        let frame = Frame { kind: FrameKind::Call, end: Some((Reg(7), 8)), saved_bp: None };
        assert_eq!(at(&file, 0x13), Some(frame));
        let frame = Frame { kind: FrameKind::Call, end: Some((Reg(7), 16)), saved_bp: Some(-16) };
        assert_eq!(at(&file, 0x1f), Some(frame));
        assert_eq!(at(&file, 0x20).map(|frame| frame.kind), Some(FrameKind::Registers));
        assert_eq!(at(&file, 0x40).map(|frame| frame.kind), Some(FrameKind::None));
        let parsed = Image::parse(&file).unwrap();
        assert_eq!(parsed.cfa_at(ImageAddr(TEXT + 0x1f)), Some((Reg(7), 16)));
        assert_eq!(parsed.cfa_at(ImageAddr(TEXT + 0x20)), None, "no ordinary frame");
    }

    #[test]
    fn the_later_numbering_is_told_by_the_header() {
        let rows = [(0x10, 8, 0, 0x0205), (0x20, 168, 0, 0x0305), (0x30, 0, 0, 0x0105)];
        let file = image(&rows, true);
        let kinds: Vec<_> = [0x10, 0x20, 0x30].map(|place| at(&file, place).map(|frame| frame.kind)).into();
        assert_eq!(kinds, [Some(FrameKind::Call), Some(FrameKind::Registers), Some(FrameKind::None)]);
    }

    #[test]
    fn lists_that_are_not_sorted_are_read_all_the_same() {
        let rows = [(0x30, 24, 0, 0x0005), (0x10, 8, 0, 0x0005), (0x20, 16, 0, 0x0005)];
        let file = image(&rows, false);
        assert_eq!(at(&file, 0x25).and_then(|frame| frame.end), Some((Reg(7), 16)));
    }
}
