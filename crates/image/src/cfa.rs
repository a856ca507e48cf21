//! The canonical frame address: from `.debug_frame`, `.eh_frame`, or the kernel's own ORC tables.

use crate::elf::{Section, u32_at, u64_at};
use crate::image::Image;
use crate::modules;
use crate::reader::Bytes;
use gimli::{BaseAddresses, CfaRule, UnwindContext, UnwindSection};
use kwhy_base::{ImageAddr, Reg};

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
