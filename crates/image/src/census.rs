//! Which units know a name, and which functions a unit has: what a question over the whole image
//! starts from without reading the whole image.
//!
//! The names of types and functions stand once in `.debug_str`, and every entry that bears one
//! holds its offset there (`DW_FORM_strp`, DWARF 5 section 7.5.5). So the units that could know a
//! name are found by searching `.debug_info` for four bytes, at the speed of memory, and only
//! those are read. Names too short for `.debug_str` stand in the entries themselves
//! (`DW_FORM_string`) and are searched for as text.

use crate::image::Image;
use crate::types::TypeId;
use crate::units::Unit;
use gimli::{Section, UnitOffset};
use kwhy_base::ImageAddr;
use memchr::memmem;
use std::rc::Rc;

/// A compilation unit, by the offset of its header in `.debug_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitId(pub usize);

/// How many offsets in `.debug_str` one name may have: one, and one more for every longer name
/// that a linker without tail merging keeps apart.
const MAX_STRINGS: usize = 64;

impl<'d> Image<'d> {
    /// The units in which something is called `name`, in the order of the image. Some may only
    /// seem to: four bytes can occur by chance.
    #[must_use]
    pub fn units_naming(&self, name: &str) -> Vec<UnitId> {
        let Some(debug) = self.debug() else { return Vec::new() };
        if name.is_empty() {
            return Vec::new();
        }
        let mut text = name.as_bytes().to_vec();
        text.push(0);
        let strings = debug.dwarf.debug_str.reader().as_slice();
        let info = debug.dwarf.debug_info.reader().as_slice();
        let mut places: Vec<usize> = Vec::new();
        for at in memmem::find_iter(strings, &text).take(MAX_STRINGS) {
            let Ok(offset) = u32::try_from(at) else { continue };
            places.extend(memmem::find_iter(info, &offset.to_le_bytes()));
        }
        // Four bytes and more are never shorter as a reference than as text.
        if name.len() < 4 {
            places.extend(memmem::find_iter(info, &text));
        }
        let headers = debug.headers();
        let mut found: Vec<UnitId> = places
            .into_iter()
            .filter_map(|place| {
                let next = headers.partition_point(|(start, _)| *start <= place);
                let (start, end) = *headers.get(next.checked_sub(1)?)?;
                (place < end).then_some(UnitId(start))
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The unit's source file, as in the kernel's tree.
    #[must_use]
    pub fn unit_file(&self, unit: UnitId) -> Option<Rc<str>> {
        let unit = self.debug()?.unit(unit.0)?;
        let name = unit.name.as_deref()?;
        Some(Rc::from(crate::paths::shown(name, unit.comp_dir.as_deref(), Some(name))))
    }

    /// `struct module`, `union u` as the unit defines it; `None` where it only declares it.
    #[must_use]
    pub fn find_type_in(&self, unit: UnitId, name: &str) -> Option<TypeId> {
        let debug = self.debug()?;
        let unit = debug.unit(unit.0)?;
        self.type_in(debug, &unit, name)
    }

    /// Where the unit's out-of-line functions begin, in address order. Assembler's have no entries.
    #[must_use]
    pub fn functions_of(&self, unit: UnitId) -> Vec<ImageAddr> {
        let Some(debug) = self.debug() else { return Vec::new() };
        let Some(unit) = debug.unit(unit.0) else { return Vec::new() };
        let mut found: Vec<ImageAddr> = debug
            .top(&unit)
            .iter()
            .filter(|(_, tag)| *tag == gimli::DW_TAG_subprogram)
            .filter_map(|(offset, _)| debug.entry(&unit, UnitOffset(*offset)))
            .filter(|entry| entry.has_attr(gimli::DW_AT_low_pc) || entry.has_attr(gimli::DW_AT_ranges))
            .filter_map(|entry| self.entry_of(&unit, &entry))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn entry_of(&self, unit: &Unit<'d>, entry: &crate::units::Die<'d>) -> Option<ImageAddr> {
        let debug = self.debug()?;
        // The first range of a function split into a hot and a cold part is the hot one.
        debug.ranges(unit, entry).first().map(|(start, _)| ImageAddr(*start))
    }

    /// Every function symbol's address, in order, each once.
    #[must_use]
    pub fn function_addresses(&self) -> Vec<ImageAddr> {
        self.symbols.functions(&self.elf)
    }

    /// The image's code: each executable section's address and bytes as linked.
    #[must_use]
    pub fn code_sections(&self) -> Vec<(ImageAddr, &'d [u8])> {
        let code = self.elf.sections.iter().filter(|section| section.loaded() && section.executable());
        code.map(|section| (ImageAddr(section.address), self.elf.raw(section))).collect()
    }

    /// The places in the image's data that hold `address`: as linked, and where a relocation of a
    /// position-independent kernel puts it (`R_AARCH64_RELATIVE`, whose addend it is).
    #[must_use]
    pub fn references_to(&self, address: ImageAddr) -> Vec<ImageAddr> {
        /// Relocations that put base + addend: AArch64 ELF ABI 5.7.17, x86-64 psABI table 4.10.
        const RELATIVE: [u32; 2] = [1027, 8];
        const ENTRY: usize = 24;
        const MAX: usize = 64;
        let needle = address.0.to_le_bytes();
        let mut found = Vec::new();
        let data = |section: &&crate::elf::Section<'d>| section.loaded() && !section.executable();
        for section in self.elf.sections.iter().filter(data) {
            let bytes = self.elf.raw(section);
            if section.name.starts_with(".rela") {
                for at in memmem::find_iter(bytes, &needle).take(MAX) {
                    let Some(start) = at.checked_sub(16).filter(|start| start % ENTRY == 0) else { continue };
                    let Some(entry) = bytes.get(start..start.saturating_add(ENTRY)) else { continue };
                    let kind = crate::elf::u32_at(entry, 8);
                    if let Some(place) = crate::elf::u64_at(entry, 0)
                        && kind.is_some_and(|kind| RELATIVE.contains(&kind))
                    {
                        found.push(ImageAddr(place));
                    }
                }
                continue;
            }
            let places = memmem::find_iter(bytes, &needle).filter(|at| at % 8 == 0).take(MAX);
            found.extend(places.map(|at| ImageAddr(section.address.wrapping_add(at as u64))));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
