//! The tables that list which instructions the kernel rewrites, at boot or while it runs.
//!
//! The `Code:` bytes of a log are compared with the image; a difference inside one of these
//! places proves nothing. The tables are found by section name, or, where the linker script
//! merged them into another section, by the symbols around them. Which form of a table an
//! image has is decided by what fits, never by the kernel's version.

use crate::elf::{consts, u32_at, u64_at};
use crate::function::CodeRange;
use crate::image::Image;
use crate::index::{Made, Part, partition};
use crate::modules;
use crate::reader::Bytes;
use crate::relocs;
use crate::{PatchKind, PatchSite};
use kwhy_base::{Arch, ImageAddr};
use std::ops::Range;

/// How the entries of a table look.
#[derive(Clone, Copy)]
enum Form {
    /// `struct alt_instr` (arch/*/include/asm/alternative.h).
    Alternatives,
    /// `struct jump_entry`, relative form (include/linux/jump_label.h).
    Jumps,
    /// Absolute addresses of ftrace's call sites.
    Mcount,
    /// `struct paravirt_patch_site` (x86): pointer, type, length; 16 bytes.
    Paravirt,
    /// 32-bit offsets relative to themselves: entry size, and bytes patched at each place.
    Relative { entry: usize, patched: u64 },
}

struct Spec {
    section: &'static str,
    around: Option<(&'static str, &'static str)>,
    kind: PatchKind,
    form: Form,
}

const fn spec(
    section: &'static str,
    around: Option<(&'static str, &'static str)>,
    kind: PatchKind,
    form: Form,
) -> Spec {
    Spec { section, around, kind, form }
}

/// `call` and `jmp` with a 32-bit offset have five bytes, six with a prefix or as `jcc`.
const CALL: u64 = 5;

const SPECS: [Spec; 11] = [
    spec(
        ".altinstructions",
        Some(("__alt_instructions", "__alt_instructions_end")),
        PatchKind::Alternative,
        Form::Alternatives,
    ),
    spec(
        "__jump_table",
        Some(("__start___jump_table", "__stop___jump_table")),
        PatchKind::JumpLabel,
        Form::Jumps,
    ),
    spec("__mcount_loc", Some(("__start_mcount_loc", "__stop_mcount_loc")), PatchKind::Ftrace, Form::Mcount),
    spec("__patchable_function_entries", None, PatchKind::Ftrace, Form::Mcount),
    spec(
        ".static_call_sites",
        Some(("__start_static_call_sites", "__stop_static_call_sites")),
        PatchKind::StaticCall,
        Form::Relative { entry: 8, patched: CALL },
    ),
    spec(".parainstructions", None, PatchKind::Alternative, Form::Paravirt),
    spec(".retpoline_sites", None, PatchKind::Alternative, Form::Relative { entry: 4, patched: CALL + 1 }),
    spec(".return_sites", None, PatchKind::Alternative, Form::Relative { entry: 4, patched: CALL }),
    spec(".call_sites", None, PatchKind::Alternative, Form::Relative { entry: 4, patched: CALL }),
    spec(".ibt_endbr_seal", None, PatchKind::Alternative, Form::Relative { entry: 4, patched: 4 }),
    spec(".smp_locks", None, PatchKind::SmpLock, Form::Relative { entry: 4, patched: 1 }),
];

/// A table found in an image.
pub(crate) struct Table<'d> {
    bytes: Bytes<'d>,
    /// Where its first byte is.
    address: u64,
    kind: PatchKind,
    form: Form,
}

impl<'d> Image<'d> {
    fn patch_tables(&self) -> &[Table<'d>] {
        self.patch_tables.get_or_init(|| {
            let mut names = Vec::new();
            for spec in &SPECS {
                if self.elf.section(spec.section).is_none() {
                    names.extend(spec.around.iter().flat_map(|(start, stop)| [*start, *stop]));
                }
            }
            // A module's tables always are sections of their own.
            let around =
                if self.elf.relocatable { Default::default() } else { self.symbols.addresses(&names) };
            let mut tables = Vec::new();
            for spec in &SPECS {
                let found = match self.elf.section(spec.section) {
                    Some((index, section)) => {
                        self.loaded_contents(index, section).map(|bytes| (bytes, section.address))
                    }
                    None => spec.around.and_then(|(start, stop)| {
                        let (start, stop) = (*around.get(start)?, *around.get(stop)?);
                        let length = usize::try_from(stop.checked_sub(start)?).ok()?;
                        let bytes =
                            self.mapped(ImageAddr(start), length).filter(|bytes| bytes.len() == length)?;
                        Some((Bytes::Mapped(bytes), start))
                    }),
                };
                if let Some((bytes, address)) = found {
                    tables.push(Table { bytes, address, kind: spec.kind, form: spec.form });
                }
            }
            tables
        })
    }

    pub(crate) fn find_patch_sites(&self, range: CodeRange) -> Vec<PatchSite> {
        let range = range.start.0..range.end.0;
        let mut sites = self.listed_sites(&range);
        self.relocated_places(&range, &mut sites);
        sites.sort_by_key(|site| (site.range.start, site.range.end));
        sites.dedup();
        sites
    }

    /// What the tables list. Their entries are in no order and each question reads them all, so
    /// with a shelf they are read once, and kept in the order of the places.
    fn listed_sites(&self, range: &Range<u64>) -> Vec<PatchSite> {
        if self.elf.relocatable || self.place.is_none() {
            return self.read_listed_sites(range);
        }
        let make = || {
            let before = self.problems.borrow().len();
            let content = table_of(self.read_listed_sites(&(0..u64::MAX)));
            Made { content, sound: self.problems.borrow().len() == before }
        };
        let found =
            self.patched.ask(self.place.as_ref(), "patches.listed", make, |part| sites_in(part, range));
        found.unwrap_or_else(|| self.read_listed_sites(range))
    }

    fn read_listed_sites(&self, range: &Range<u64>) -> Vec<PatchSite> {
        let range = range.clone();
        let mut sites = Vec::new();
        for table in self.patch_tables() {
            let bytes = table.bytes.as_slice();
            match table.form {
                Form::Alternatives => self.alternatives(table.address, bytes, &range, &mut sites),
                Form::Jumps => self.jumps(table.address, bytes, &range, &mut sites),
                Form::Mcount => {
                    for place in bytes.chunks_exact(8).filter_map(|entry| u64_at(entry, 0)) {
                        self.ftrace_site(place, &range, &mut sites);
                    }
                }
                Form::Paravirt => {
                    for entry in bytes.chunks_exact(16) {
                        if let (Some(place), Some(length)) = (u64_at(entry, 0), entry.get(9)) {
                            push(&mut sites, &range, place, u64::from(*length), table.kind);
                        }
                    }
                }
                Form::Relative { entry, patched } => {
                    for (at, bytes) in (0u64..).step_by(entry).zip(bytes.chunks_exact(entry)) {
                        let place = relative(table.address.wrapping_add(at), bytes, 0);
                        push(&mut sites, &range, place, patched, table.kind);
                    }
                }
            }
        }
        if let Some((_, section)) = self.elf.section(relocs::SECTION) {
            for (place, length) in relocs::places(self.elf.raw(section)) {
                push(&mut sites, &range, place, length, PatchKind::Other);
            }
        }
        sites
    }

    /// `s32 orig_offset, s32 alt_offset`, the feature's number in 2 or 4 bytes, `u8 orig_len,
    /// u8 alt_len`, on some x86 kernels `u8 padlen`: 12 to 14 bytes, packed.
    fn alternatives(&self, address: u64, bytes: &[u8], range: &Range<u64>, sites: &mut Vec<PatchSite>) {
        let sizes: &[(usize, usize)] =
            if self.elf.arch == Arch::X86_64 { &[(12, 10), (13, 10), (14, 12)] } else { &[(12, 10)] };
        let fits = |(size, length): (usize, usize)| {
            bytes.len().is_multiple_of(size)
                && (0u64..).step_by(size).zip(bytes.chunks_exact(size)).take(64).all(|(at, entry)| {
                    let original = relative(address.wrapping_add(at), entry, 0);
                    let length = entry.get(length).copied().unwrap_or(0);
                    self.section_of(ImageAddr(original)).is_some_and(|section| section.executable())
                        && (1..=128).contains(&length)
                })
        };
        let Some((size, length)) = sizes.iter().copied().find(|candidate| fits(*candidate)) else {
            if !bytes.is_empty() {
                self.note("the alternatives table has an unknown form");
            }
            return;
        };
        for (at, entry) in (0u64..).step_by(size).zip(bytes.chunks_exact(size)) {
            let original = relative(address.wrapping_add(at), entry, 0);
            let length = entry.get(length).copied().unwrap_or(0);
            push(sites, range, original, u64::from(length), PatchKind::Alternative);
        }
    }

    /// `s32 code, s32 target, long key`, relative to themselves.
    fn jumps(&self, address: u64, bytes: &[u8], range: &Range<u64>, sites: &mut Vec<PatchSite>) {
        for (at, entry) in (0u64..).step_by(16).zip(bytes.chunks_exact(16)) {
            let place = relative(address.wrapping_add(at), entry, 0);
            if !range.contains(&place) && !range.contains(&place.wrapping_add(4)) {
                continue;
            }
            let length = match (self.elf.arch, self.mapped(ImageAddr(place), 1)) {
                // A short jump (eb) or the two-byte nop (66 90) takes two bytes, else five.
                (Arch::X86_64, Some([0xeb | 0x66])) => 2,
                (Arch::X86_64, _) => CALL,
                _ => 4,
            };
            push(sites, range, place, length, PatchKind::JumpLabel);
        }
    }

    fn ftrace_site(&self, place: u64, range: &Range<u64>, sites: &mut Vec<PatchSite>) {
        if place.saturating_add(16) < range.start || place >= range.end || place == 0 {
            return;
        }
        let length = if self.elf.arch == Arch::Arm64 {
            // Two instructions after an optional `bti` (hint #32 to #38: d503241f to d50324df).
            let first = self.mapped(ImageAddr(place), 4).and_then(|bytes| u32_at(bytes, 0)).unwrap_or(0);
            if first & 0xffff_ff3f == 0xd503_241f { 12 } else { 8 }
        } else {
            CALL
        };
        push(sites, range, place, length, PatchKind::Ftrace);
    }

    /// Places that the loader relocates: all of a module's, and with KASLR those of a vmlinux
    /// that hold absolute addresses (known where it was linked with `--emit-relocs`, or as
    /// position-independent).
    fn relocated_places(&self, range: &Range<u64>, sites: &mut Vec<PatchSite>) {
        if self.elf.relocatable {
            for (place, relocation) in modules::relocations(&self.elf, &self.symbols, range.clone()) {
                let length = match (self.elf.arch, relocation.kind) {
                    (Arch::X86_64, 1 | 24) | (Arch::Arm64, 257 | 260) => 8,
                    _ => 4,
                };
                push(sites, range, place.0, length, PatchKind::Other);
            }
            return;
        }
        let ftrace = self.symbols_around_mcount();
        for table in self.elf.sections.iter().filter(|section| section.kind == consts::SHT_RELA) {
            let bytes = self.elf.raw(table);
            if table.name == ".rela.dyn" {
                for entry in bytes.chunks_exact(24) {
                    let (Some(offset), Some(kind), Some(addend)) =
                        (u64_at(entry, 0), u32_at(entry, 8), u64_at(entry, 16))
                    else {
                        continue;
                    };
                    // R_AARCH64_RELATIVE: the file holds zeros where the table of ftrace's
                    // call sites will be.
                    if kind == 1027 && ftrace.contains(&offset) {
                        self.ftrace_site(addend, range, sites);
                    } else if range.contains(&offset) {
                        push(sites, range, offset, 8, PatchKind::Other);
                    }
                }
                continue;
            }
            let Some(target) = self.elf.sections.get(table.info as usize) else { continue };
            if self.elf.arch != Arch::X86_64
                || !target.executable()
                || target.address >= range.end
                || target.end() <= range.start
            {
                continue;
            }
            for entry in near(bytes, range) {
                let (Some(offset), Some(kind), Some(symbol)) =
                    (u64_at(entry, 0), u32_at(entry, 8), u32_at(entry, 12))
                else {
                    continue;
                };
                // What lies in the per-cpu section keeps its number (arch/x86/tools/relocs.c).
                let length = match kind {
                    1 | 10 | 11 if self.per_cpu_symbol(symbol) => continue,
                    1 => 8,
                    10 | 11 => 4,
                    // Relative to a per-cpu variable, whose section does not move.
                    2 if self.per_cpu_symbol(symbol) => 4,
                    _ => continue,
                };
                push(sites, range, offset, length, PatchKind::Other);
            }
        }
    }

    fn per_cpu_symbol(&self, index: u32) -> bool {
        self.symbols
            .get(index as usize)
            .and_then(|symbol| self.elf.sections.get(symbol.section as usize))
            .is_some_and(|section| section.name.contains("percpu"))
    }

    fn symbols_around_mcount(&self) -> Range<u64> {
        self.patch_tables().iter().find(|table| matches!(table.form, Form::Mcount)).map_or(0..0, |table| {
            table.address..table.address.saturating_add(table.bytes.as_slice().len() as u64)
        })
    }
}

/// The kinds as they are numbered in a kept table.
const KINDS: [PatchKind; 6] = [
    PatchKind::Alternative,
    PatchKind::Ftrace,
    PatchKind::JumpLabel,
    PatchKind::StaticCall,
    PatchKind::SmpLock,
    PatchKind::Other,
];

/// A kept table: the length of the longest place, then start, end and kind of each, by start; all
/// of 8 bytes.
fn table_of(mut sites: Vec<PatchSite>) -> Vec<u8> {
    sites.sort_by_key(|site| (site.range.start, site.range.end));
    sites.dedup();
    let length = |site: &PatchSite| site.range.end.0.wrapping_sub(site.range.start.0);
    let longest = sites.iter().map(length).max().unwrap_or(0);
    let mut table = longest.to_le_bytes().to_vec();
    for site in &sites {
        let kind = KINDS.iter().position(|kind| *kind == site.kind).unwrap_or(KINDS.len()) as u64;
        table.extend([site.range.start.0, site.range.end.0, kind].iter().flat_map(|n| n.to_le_bytes()));
    }
    table
}

/// The places of a kept table that `range` touches; `None` where it makes no sense.
fn sites_in(part: &Part, range: &Range<u64>) -> Option<Vec<PatchSite>> {
    let longest = part.u64(0)?;
    let at = |index: usize| index.checked_mul(24)?.checked_add(8);
    let count = part.len().checked_sub(8)? / 24;
    let first = range.start.saturating_sub(longest);
    let next = partition(count, |index| Some(part.u64(at(index)?)? < first))?;
    let mut sites = Vec::new();
    for index in next..count {
        let at = at(index)?;
        let start = part.u64(at)?;
        if start >= range.end {
            break;
        }
        let end = part.u64(at.checked_add(8)?)?;
        let kind = *KINDS.get(usize::try_from(part.u64(at.checked_add(16)?)?).ok()?)?;
        push(&mut sites, range, start, end.checked_sub(start)?, kind);
    }
    Some(sites)
}

/// The entries of a relocation table that can concern `range`: linkers write them in the order
/// of the addresses but for small stretches, hence the margin.
fn near<'b>(table: &'b [u8], range: &Range<u64>) -> impl Iterator<Item = &'b [u8]> {
    const MARGIN: usize = 8192;
    let (entries, _) = table.as_chunks::<24>();
    let before = |limit: u64| entries.partition_point(|entry| u64_at(entry, 0).unwrap_or(0) < limit);
    let first = before(range.start.saturating_sub(8)).saturating_sub(MARGIN);
    let last = before(range.end).saturating_add(MARGIN).min(entries.len());
    entries.get(first..last).unwrap_or(&[]).iter().map(<[u8; 24]>::as_slice)
}

/// The address that a 32-bit field means which is relative to itself.
fn relative(entry_address: u64, entry: &[u8], field: usize) -> u64 {
    let offset = u32_at(entry, field).unwrap_or(0) as i32;
    entry_address.wrapping_add(field as u64).wrapping_add_signed(i64::from(offset))
}

fn push(sites: &mut Vec<PatchSite>, range: &Range<u64>, start: u64, length: u64, kind: PatchKind) {
    let end = start.saturating_add(length);
    if start < range.end && end > range.start && length > 0 {
        sites.push(PatchSite { range: ImageAddr(start)..ImageAddr(end), kind });
    }
}
