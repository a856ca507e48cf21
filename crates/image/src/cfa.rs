//! The canonical frame address: from `.debug_frame`, `.eh_frame`, or the kernel's own ORC tables.

use crate::elf::{Section, u16_at, u32_at, u64_at};
use crate::image::Image;
use crate::modules;
use crate::reader::Bytes;
use gimli::{BaseAddresses, CfaRule, UnwindContext, UnwindSection};
use kwhy_base::{Arch, ImageAddr, Reg};

/// Bytes of one `struct orc_entry` (arch/x86/include/asm/orc_types.h).
const ORC_ENTRY: usize = 6;
/// Entries looked at to learn which type number means an ordinary frame.
const ORC_SAMPLE: usize = 1024;

impl<'d> Image<'d> {
    pub(crate) fn find_cfa(&self, address: ImageAddr) -> Option<(Reg, i64)> {
        self.cfa_by_debug_frame(address)
            .or_else(|| self.cfa_by_eh_frame(address))
            .or_else(|| self.cfa_by_orc(address))
    }

    fn cfa_by_debug_frame(&self, address: ImageAddr) -> Option<(Reg, i64)> {
        let debug = self.debug()?;
        let index =
            self.frame_index.get_or_init(|| frame_index(gimli::Section::reader(&debug.frames).as_slice()));
        let next = index.partition_point(|(start, _)| *start <= address.0);
        let (_, offset) = *index.get(next.checked_sub(1)?)?;
        let bases = BaseAddresses::default();
        let offset = gimli::DebugFrameOffset(usize::try_from(offset).ok()?);
        let entry = debug.frames.fde_from_offset(&bases, offset, gimli::DebugFrame::cie_from_offset).ok()?;
        let mut context = UnwindContext::new();
        let row = entry.unwind_info_for_address(&debug.frames, &bases, &mut context, address.0).ok()?;
        simple(row.cfa())
    }

    fn cfa_by_eh_frame(&self, address: ImageAddr) -> Option<(Reg, i64)> {
        let (index, section) = self.elf.section(".eh_frame")?;
        let mut frames = gimli::EhFrame::from(self.loaded_contents(index, section)?);
        frames.set_address_size(8);
        let bases = BaseAddresses::default().set_eh_frame(section.address);
        let mut context = UnwindContext::new();
        let row = frames
            .unwind_info_for_address(&bases, &mut context, address.0, gimli::EhFrame::cie_from_offset)
            .ok()?;
        simple(row.cfa())
    }

    /// ORC: a sorted list of places (32-bit offsets relative to themselves) and, beside it, an
    /// entry for each: `s16 sp_offset, s16 bp_offset`, then `sp_reg:4, bp_reg:4, type:2 or 3, …`.
    /// The numbers of the types changed over time, so the one that most entries have is taken
    /// for a frame of ordinary calls; at any other kind of frame the answer is unknown.
    fn cfa_by_orc(&self, address: ImageAddr) -> Option<(Reg, i64)> {
        if self.elf.arch != Arch::X86_64 {
            return None;
        }
        let (places_index, places_section) = self.elf.section(".orc_unwind_ip")?;
        let (entries_index, entries_section) = self.elf.section(".orc_unwind")?;
        let places = self.loaded_contents(places_index, places_section)?;
        let entries = self.loaded_contents(entries_index, entries_section)?;
        // Sorted in a vmlinux, not in a module: one pass suits both.
        let mut best: Option<(u64, usize)> = None;
        for (number, (offset, place)) in
            (0u64..).step_by(4).zip(places.as_slice().chunks_exact(4)).enumerate()
        {
            let from = places_section.address.wrapping_add(offset);
            let start = from.wrapping_add_signed(i64::from(u32_at(place, 0)? as i32));
            if start <= address.0 && best.is_none_or(|(known, _)| start >= known) {
                best = Some((start, number));
            }
        }
        let (_, number) = best?;
        let kind_of = |entry: &[u8]| u16_at(entry, 4).map(|bits| bits >> 8 & 3);
        let entries = entries.as_slice();
        let entry = entries.get(number.checked_mul(ORC_ENTRY)?..)?.get(..ORC_ENTRY)?;
        let mut counts = [0usize; 4];
        for kind in entries.chunks_exact(ORC_ENTRY).take(ORC_SAMPLE).filter_map(kind_of) {
            if let Some(count) = counts.get_mut(usize::from(kind)) {
                *count += 1;
            }
        }
        let ordinary = (0..4u16).max_by_key(|kind| counts.get(usize::from(*kind)).copied().unwrap_or(0))?;
        if kind_of(entry) != Some(ordinary) {
            return None;
        }
        let offset = i64::from(u16_at(entry, 0)? as i16);
        // ORC_REG_BP and ORC_REG_SP, as DWARF numbers: rbp 6, rsp 7.
        match u16_at(entry, 4)? & 0xf {
            4 => Some((Reg(6), offset)),
            5 => Some((Reg(7), offset)),
            _ => None,
        }
    }

    /// A loaded section's contents; of a module, as its loader relocates them.
    pub(crate) fn loaded_contents(&self, index: usize, section: &Section<'d>) -> Option<Bytes<'d>> {
        let contents = self.elf.contents(section).ok()?;
        if !self.elf.relocatable {
            return Some(contents);
        }
        let mut problems = Vec::new();
        let relocated = modules::relocated(&self.elf, &self.symbols, index, &contents, &mut problems);
        problems.iter().for_each(|problem| self.note(problem));
        Some(relocated.unwrap_or(contents))
    }
}

/// Start address and offset of every frame description in `.debug_frame`, sorted: one pass over
/// the entries' headers. Only the 32-bit format with 8-byte addresses is indexed; nothing else
/// occurs in kernels.
fn frame_index(section: &[u8]) -> Vec<(u64, u64)> {
    let mut index = Vec::new();
    let mut at = 0usize;
    while let (Some(length), Some(cie)) = (u32_at(section, at), u32_at(section, at.saturating_add(4))) {
        if length >= 0xffff_fff0 {
            break;
        }
        // A common entry has all ones here, a frame description the offset of its common entry.
        if cie != u32::MAX
            && let Some(start) = u64_at(section, at.saturating_add(8))
        {
            index.push((start, at as u64));
        }
        at = at.saturating_add(4).saturating_add(length as usize);
    }
    index.sort_unstable();
    index
}

fn simple(rule: &CfaRule<usize>) -> Option<(Reg, i64)> {
    match *rule {
        CfaRule::RegisterAndOffset { register, offset } => Some((Reg(register.0), offset)),
        CfaRule::Expression(_) => None,
    }
}
