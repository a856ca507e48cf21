//! Control flow that instructions do not show: the kernel's tables say where static keys jump,
//! which traps resume, and where faulting accesses continue.

use crate::elf::{u16_at, u32_at};
use crate::function::CodeRange;
use crate::image::Image;
use crate::reader::Bytes;
use kwhy_base::ImageAddr;

/// What makes control go from one place to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HiddenEdgeKind {
    /// A static key's site jumps to the target, or runs on behind itself (`__jump_table`).
    JumpLabel,
    /// The trap of a `WARN()` resumes behind itself (`__bug_table`); the target is the trap.
    Warning,
    /// A fault at the instruction continues at the target (`__ex_table`).
    Fixup,
}

/// One such edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HiddenEdge {
    /// The instruction.
    pub from: ImageAddr,
    /// Where it may go.
    pub to: ImageAddr,
    /// Why.
    pub kind: HiddenEdgeKind,
}

/// `BUGFLAG_WARNING` (include/linux/bug.h, asm-generic/bug.h).
const WARNING: u16 = 1;

impl<'d> Image<'d> {
    pub(crate) fn find_hidden_edges(&self, range: CodeRange) -> &[HiddenEdge] {
        let edges = self.hidden_edges.get_or_init(|| {
            let mut edges = Vec::new();
            self.jump_labels(&mut edges);
            self.warnings(&mut edges);
            self.fixups(&mut edges);
            edges.sort_unstable();
            edges.dedup();
            edges
        });
        let first = edges.partition_point(|edge| edge.from < range.start);
        let last = edges.partition_point(|edge| edge.from < range.end);
        edges.get(first..last).unwrap_or_default()
    }

    pub(crate) fn table(
        &self,
        section: &str,
        start: &'static str,
        stop: &'static str,
    ) -> Option<(Bytes<'d>, u64)> {
        if let Some((index, section)) = self.elf.section(section) {
            return Some((self.loaded_contents(index, section)?, section.address));
        }
        if self.elf.relocatable {
            return None;
        }
        let around = self.symbols.addresses(&[start, stop]);
        let (start, stop) = (*around.get(start)?, *around.get(stop)?);
        let length = usize::try_from(stop.checked_sub(start)?).ok()?;
        let bytes = self.mapped(ImageAddr(start), length).filter(|bytes| bytes.len() == length)?;
        Some((Bytes::Mapped(bytes), start))
    }

    pub(crate) fn is_code(&self, address: u64) -> bool {
        self.section_of(ImageAddr(address)).is_some_and(|section| section.executable())
    }

    /// `s32 code, s32 target, long key`, relative to themselves (include/linux/jump_label.h).
    fn jump_labels(&self, edges: &mut Vec<HiddenEdge>) {
        let Some((bytes, address)) =
            self.table("__jump_table", "__start___jump_table", "__stop___jump_table")
        else {
            return;
        };
        for (at, entry) in entries(address, bytes.as_slice(), 16) {
            let (from, to) = (relative(at, entry, 0), relative(at, entry, 4));
            edges.push(HiddenEdge {
                from: ImageAddr(from),
                to: ImageAddr(to),
                kind: HiddenEdgeKind::JumpLabel,
            });
        }
    }

    /// `struct bug_entry`: `s32 bug_addr_disp`, with `CONFIG_DEBUG_BUGVERBOSE` `s32 file_disp, u16
    /// line`, then `u16 flags`; 12 or 8 bytes with padding.
    fn warnings(&self, edges: &mut Vec<HiddenEdge>) {
        let Some((bytes, address)) = self.table("__bug_table", "__start___bug_table", "__stop___bug_table")
        else {
            return;
        };
        let bytes = bytes.as_slice();
        let forms = [(12usize, 10usize), (8, 4)];
        let fits = |size: usize| {
            bytes.len().is_multiple_of(size)
                && entries(address, bytes, size)
                    .take(64)
                    .all(|(at, entry)| self.is_code(relative(at, entry, 0)))
        };
        let Some((size, flags)) = forms.into_iter().find(|(size, _)| fits(*size)) else { return };
        for (at, entry) in entries(address, bytes, size) {
            if u16_at(entry, flags).is_some_and(|flags| flags & WARNING != 0) {
                let trap = ImageAddr(relative(at, entry, 0));
                edges.push(HiddenEdge { from: trap, to: trap, kind: HiddenEdgeKind::Warning });
            }
        }
    }

    /// `struct exception_table_entry`: `s32 insn, s32 fixup`, since 5.16 on arm64 and always on
    /// x86 four more bytes.
    fn fixups(&self, edges: &mut Vec<HiddenEdge>) {
        let Some((bytes, address)) = self.table("__ex_table", "__start___ex_table", "__stop___ex_table")
        else {
            return;
        };
        let bytes = bytes.as_slice();
        let Some(size) = self.fixup_size(bytes, address) else { return };
        for (at, entry) in entries(address, bytes, size) {
            let (from, to) = (relative(at, entry, 0), relative(at, entry, 4));
            edges.push(HiddenEdge { from: ImageAddr(from), to: ImageAddr(to), kind: HiddenEdgeKind::Fixup });
        }
    }
}

pub(crate) fn entries(address: u64, bytes: &[u8], size: usize) -> impl Iterator<Item = (u64, &[u8])> {
    (0u64..).step_by(size).map(move |at| address.wrapping_add(at)).zip(bytes.chunks_exact(size))
}

/// A 32-bit offset from its own place.
pub(crate) fn relative(entry_at: u64, entry: &[u8], field: usize) -> u64 {
    let offset = u32_at(entry, field).unwrap_or(0) as i32;
    entry_at.wrapping_add(field as u64).wrapping_add_signed(i64::from(offset))
}
