//! Which units know a name, and which functions a unit has: what a question over the whole image
//! starts from without reading the whole image.
//!
//! The names of types and functions stand once in `.debug_str`, and every entry that bears one
//! holds its offset there (`DW_FORM_strp`, DWARF 5 section 7.5.5). So the units that could know a
//! name are found by searching `.debug_info` for four bytes, at the speed of memory, and only
//! those are read. Names too short for `.debug_str` stand in the entries themselves
//! (`DW_FORM_string`) and are searched for as text.

use crate::dwarf_types::Key;
use crate::function::CodeRange;
use crate::image::Image;
use crate::types::TypeId;
use crate::units::{Debug, Die, Unit};
use gimli::{DwTag, Section, UnitOffset};
use kwhy_base::ImageAddr;
use memchr::memmem;
use std::rc::Rc;

/// A compilation unit, by the offset of its header in `.debug_info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitId(pub usize);

/// Where a name is used, by unit.
pub(crate) type NamedPlaces = Rc<[(UnitId, Vec<usize>)]>;

/// How many longer names may end in a name that is looked for.
const MAX_STRINGS: usize = 4096;

impl<'d> Image<'d> {
    /// The units in which something is called `name`, in the order of the image. Some may only
    /// seem to: four bytes can occur by chance.
    #[must_use]
    pub fn units_naming(&self, name: &str) -> Vec<UnitId> {
        self.named_places(name).iter().map(|(unit, _)| *unit).collect()
    }

    /// The same with the places, as offsets in `.debug_info`, at which the name is used.
    #[must_use]
    pub fn places_naming(&self, name: &str) -> Vec<(UnitId, Vec<usize>)> {
        self.named_places(name).to_vec()
    }

    fn named_places(&self, name: &str) -> NamedPlaces {
        /// So many names are asked for by no question twice.
        const MAX_KEPT: usize = 256;
        let Some(debug) = self.debug() else { return Rc::from([]) };
        if name.is_empty() {
            return Rc::from([]);
        }
        if let Some(known) = self.named_places.borrow().get(name) {
            return Rc::clone(known);
        }
        let places = self.find_named_places(debug, name);
        let found: NamedPlaces = by_unit(debug.headers(), places).into();
        let mut known = self.named_places.borrow_mut();
        if known.len() < MAX_KEPT {
            known.insert(name.to_owned(), Rc::clone(&found));
        }
        found
    }

    /// Searches for a name, or finds what an earlier run found.
    fn find_named_places(&self, debug: &Debug<'d>, name: &str) -> Vec<usize> {
        /// What more units know is searched for sooner than read from elsewhere.
        const MAX_PLACES: usize = 1 << 14;
        let question = format!("?named {name}");
        if let Some(kept) = debug.lent().and_then(|lent| lent.get(&question)) {
            let numbers = kept.all().map(|all| all.as_chunks::<8>().0.iter());
            let places =
                numbers.map(|all| all.map(|at| u64::from_le_bytes(*at) as usize).collect::<Vec<_>>());
            if let Some(places) = places.filter(|places| places.is_sorted()) {
                return places;
            }
        }
        let places = self.search_places(debug, name);
        if places.len() <= MAX_PLACES
            && let Some(lent) = debug.lent()
        {
            let bytes: Vec<u8> = places.iter().flat_map(|at| (*at as u64).to_le_bytes()).collect();
            lent.put(&question, &bytes);
        }
        places
    }

    fn search_places(&self, debug: &Debug<'d>, name: &str) -> Vec<usize> {
        let mut text = name.as_bytes().to_vec();
        text.push(0);
        let strings = debug.dwarf.debug_str.reader().as_slice();
        let info = debug.dwarf.debug_info.reader().as_slice();
        let spelled: Vec<u32> = memmem::find_iter(strings, &text)
            .take(MAX_STRINGS)
            .filter_map(|at| u32::try_from(at).ok())
            .collect();
        let spelled = self.referred_to(debug, spelled, name);
        let mut places: Vec<usize> = Vec::new();
        for offset in spelled {
            places.extend(memmem::find_iter(info, &offset.to_le_bytes()));
        }
        // Four bytes and more are never shorter as a reference than as text.
        if name.len() < 4 {
            places.extend(memmem::find_iter(info, &text));
        }
        places.sort_unstable();
        places
    }

    /// Those of several offsets of a text in `.debug_str` that entries refer to.
    ///
    /// A linker keeps each text once. Where it lets texts share their ends (`file` is the end of
    /// `vm_file`), a text that others end in does not stand on its own, and all its entries refer
    /// to the end of one and the same other. So the first entry found that bears the name tells.
    fn referred_to(&self, debug: &Debug<'d>, spelled: Vec<u32>, name: &str) -> Vec<u32> {
        let strings = debug.dwarf.debug_str.reader().as_slice();
        let info = debug.dwarf.debug_info.reader().as_slice();
        let alone = |at: &u32| {
            let before = usize::try_from(*at).ok().and_then(|at| at.checked_sub(1));
            before.is_none_or(|before| strings.get(before) == Some(&0))
        };
        let whole: Vec<u32> = spelled.iter().copied().filter(alone).collect();
        if !whole.is_empty() || spelled.len() < 2 {
            return if whole.is_empty() { spelled } else { whole };
        }
        // By their low halves most other bytes are passed over.
        let mut low = vec![false; 1 << 16];
        for offset in &spelled {
            if let Some(known) = low.get_mut((offset & 0xffff) as usize) {
                *known = true;
            }
        }
        for (at, window) in info.windows(4).enumerate() {
            let Ok(value) = window.try_into().map(u32::from_le_bytes) else { continue };
            if low.get((value & 0xffff) as usize) == Some(&true)
                && spelled.binary_search(&value).is_ok()
                && self.is_name_of_entry(debug, at, name)
            {
                return vec![value];
            }
        }
        spelled
    }

    /// Whether the top-level entry that the byte at `place` of `.debug_info` belongs to has this name.
    fn is_name_of_entry(&self, debug: &Debug<'d>, place: usize, name: &str) -> bool {
        let named = || {
            let unit = debug.unit_of_die(place)?;
            let (die, _) = holder(debug.top(&unit), place.checked_sub(unit.offset)?)?;
            let entry = debug.entry(&unit, UnitOffset(die))?;
            debug.own_name(&unit, &entry)
        };
        named().is_some_and(|found| found.as_ref() == name)
    }

    /// `struct module` as the unit defines it, looked for only where its tag is used; see
    /// [`Image::places_naming`]. `None` where the unit only declares or mentions it.
    #[must_use]
    pub fn defined_at(&self, unit: UnitId, places: &[usize], name: &str) -> Option<TypeId> {
        let debug = self.debug()?;
        let unit = debug.unit(unit.0)?;
        let (keyword, tag) = crate::type_names::split_keyword(name);
        places.iter().find_map(|place| {
            let (die, kind) = holder(debug.top(&unit), place.checked_sub(unit.offset)?)?;
            if !crate::type_names::fits(keyword, kind) {
                return None;
            }
            let entry = debug.entry(&unit, UnitOffset(die))?;
            let defined = entry.attr_value(gimli::DW_AT_declaration).is_none();
            let named = || debug.own_name(&unit, &entry).is_some_and(|name| name.as_ref() == tag);
            (defined && named()).then(|| self.intern(Key::Dwarf(unit.offset.saturating_add(die))))
        })
    }

    /// Where the unit's functions begin that have a variable, a parameter or a result of type
    /// pointer to `ty`, their own or one of what was inlined into them. One too many is possible.
    ///
    /// Compilers refer to what is in the same unit by its distance from the unit's header in four
    /// bytes (`DW_FORM_ref4`), so that the references are found by searching for those.
    #[must_use]
    pub fn functions_with_pointers_to(&self, unit: UnitId, ty: TypeId) -> Vec<ImageAddr> {
        /// Variants of a type (`const`, typedefs) that are followed.
        const MAX_VARIANTS: usize = 64;
        let mut found = Vec::new();
        let (Some(debug), Key::Dwarf(target)) = (self.debug(), self.key_of(ty)) else { return found };
        let Some(unit) = debug.unit(unit.0) else { return found };
        let info = debug.dwarf.debug_info.reader().as_slice();
        let (Some(bytes), Some(target)) =
            (info.get(unit.offset..unit.end.min(info.len())), target.checked_sub(unit.offset))
        else {
            return found;
        };
        let top = debug.top(&unit);
        let users = |die: usize| -> Vec<(usize, DwTag)> {
            let Ok(reference) = u32::try_from(die) else { return Vec::new() };
            memmem::find_iter(bytes, &reference.to_le_bytes()).filter_map(|at| holder(top, at)).collect()
        };
        let mut functions: Vec<usize> = Vec::new();
        let mut types: Vec<(usize, bool)> = vec![(target, false)];
        let mut next = 0;
        while let Some((at, pointer)) = types.get(next).copied()
            && types.len() < MAX_VARIANTS
        {
            next = next.saturating_add(1);
            for (die, tag) in users(at) {
                let points = tag == gimli::DW_TAG_pointer_type;
                let same = matches!(
                    tag,
                    gimli::DW_TAG_const_type
                        | gimli::DW_TAG_volatile_type
                        | gimli::DW_TAG_restrict_type
                        | gimli::DW_TAG_typedef
                );
                let variant = (die, pointer || points);
                if (points || same) && !types.contains(&variant) {
                    types.push(variant);
                } else if pointer && tag == gimli::DW_TAG_subprogram {
                    functions.push(die);
                }
            }
        }
        functions.sort_unstable();
        functions.dedup();
        let mut concrete: Vec<usize> = Vec::new();
        for die in functions {
            concrete.push(die);
            // What is inlined stands as a reference to its abstract instance in the function.
            let inlined = |(user, tag): &(usize, DwTag)| *tag == gimli::DW_TAG_subprogram && *user != die;
            concrete.extend(users(die).into_iter().filter(inlined).map(|(user, _)| user));
        }
        concrete.sort_unstable();
        concrete.dedup();
        for die in concrete {
            let entry = debug.entry(&unit, UnitOffset(die)).filter(|entry| has_code(entry));
            found.extend(entry.and_then(|entry| self.entry_of(&unit, &entry)));
        }
        found.sort_unstable();
        found
    }

    /// Where the functions begin into which the function `name` was inlined, in address order.
    #[must_use]
    pub fn functions_inlining(&self, name: &str) -> Vec<ImageAddr> {
        let Some(debug) = self.debug() else { return Vec::new() };
        let info = debug.dwarf.debug_info.reader().as_slice();
        let mut found = Vec::new();
        for (unit, places) in self.places_naming(name) {
            let Some(unit) = debug.unit(unit.0) else { continue };
            let Some(bytes) = info.get(unit.offset..unit.end.min(info.len())) else { continue };
            let top = debug.top(&unit);
            let mut abstracts: Vec<usize> = places
                .iter()
                .filter_map(|place| holder(top, place.checked_sub(unit.offset)?))
                .filter(|(_, tag)| *tag == gimli::DW_TAG_subprogram)
                .map(|(die, _)| die)
                .collect();
            abstracts.dedup();
            for die in abstracts {
                let entry = debug.entry(&unit, UnitOffset(die)).filter(|entry| !has_code(entry));
                let own = entry.and_then(|entry| debug.own_name(&unit, &entry));
                let Ok(reference) = u32::try_from(die) else { continue };
                if own.as_deref() != Some(name) {
                    continue;
                }
                for at in memmem::find_iter(bytes, &reference.to_le_bytes()) {
                    let user = holder(top, at)
                        .filter(|(user, tag)| *tag == gimli::DW_TAG_subprogram && *user != die);
                    let entry = user.and_then(|(user, _)| debug.entry(&unit, UnitOffset(user)));
                    let entry = entry.filter(|entry| has_code(entry));
                    found.extend(entry.and_then(|entry| self.entry_of(&unit, &entry)));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The bytes that the image was read from. Another thread reads its own image from them.
    #[must_use]
    pub fn data(&self) -> &'d [u8] {
        self.elf.data
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
        self.code_of(unit).into_iter().map(|(entry, _)| entry).collect()
    }

    /// The same with the ranges of each.
    #[must_use]
    pub fn code_of(&self, unit: UnitId) -> Vec<(ImageAddr, Vec<CodeRange>)> {
        let Some(debug) = self.debug() else { return Vec::new() };
        let Some(unit) = debug.unit(unit.0) else { return Vec::new() };
        let mut found: Vec<(ImageAddr, Vec<CodeRange>)> = debug
            .top(&unit)
            .iter()
            .filter(|(_, tag)| *tag == gimli::DW_TAG_subprogram)
            .filter_map(|(offset, _)| debug.entry(&unit, UnitOffset(*offset)))
            .filter(|entry| has_code(entry))
            .filter_map(|entry| {
                let ranges = debug.ranges(&unit, &entry);
                let (start, _) = ranges.first()?;
                let range = |(start, end): &(u64, u64)| ImageAddr(*start)..ImageAddr(*end);
                Some((ImageAddr(*start), ranges.iter().map(range).collect()))
            })
            .collect();
        found.sort_by_key(|(entry, _)| *entry);
        found.dedup_by_key(|(entry, _)| *entry);
        found
    }

    fn entry_of(&self, unit: &Unit<'d>, entry: &Die<'d>) -> Option<ImageAddr> {
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

/// Distributes places over the units that they are in.
fn by_unit(headers: &[(usize, usize)], places: Vec<usize>) -> Vec<(UnitId, Vec<usize>)> {
    let mut found: Vec<(UnitId, Vec<usize>)> = Vec::new();
    for place in places {
        let next = headers.partition_point(|(start, _)| *start <= place);
        let Some((start, end)) = next.checked_sub(1).and_then(|index| headers.get(index)).copied() else {
            continue;
        };
        if place >= end {
            continue;
        }
        match found.last_mut() {
            Some((unit, here)) if unit.0 == start => here.push(place),
            _ => found.push((UnitId(start), vec![place])),
        }
    }
    found
}

/// The top-level entry that the byte at `place` of the unit belongs to.
fn holder(top: &[(usize, DwTag)], place: usize) -> Option<(usize, DwTag)> {
    let next = top.partition_point(|(start, _)| *start <= place);
    top.get(next.checked_sub(1)?).copied()
}

fn has_code(entry: &Die<'_>) -> bool {
    entry.has_attr(gimli::DW_AT_low_pc) || entry.has_attr(gimli::DW_AT_ranges)
}
