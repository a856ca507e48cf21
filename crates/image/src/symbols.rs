//! The ELF symbol table, read the way kallsyms presents it.
//!
//! Nothing is indexed when a file is opened: a question is one pass over the table (24 bytes a
//! symbol), and names are looked at only where they can matter. After some questions by
//! address a sorted index pays and is made.
//!
//! **`Symbol::size`** is the second number of `symbol+0x10/0x40` in a log. The kernel does
//! not keep sizes; it prints the distance to the next symbol:
//!
//! - vmlinux (`get_symbol_pos()`, kernel/kallsyms.c): up to the next *different* address in
//!   kallsyms' table, which holds every symbol of every section but those that
//!   scripts/kallsyms.c and scripts/mksysmap drop. Of several names at one address the first
//!   of that table is printed: weak names come last, names that the linker script may have
//!   provided before them, then fewer leading underscores win (`compare_symbols()`).
//! - modules (`find_kallsyms_symbol()`, kernel/module/kallsyms.c): up to the next symbol in
//!   the module's layout, at most to the end of the code region, which is rounded up to a
//!   page; of several names at one address the first of the ELF table is printed.

use crate::Symbol;
use crate::elf::{Elf, consts, u16_at, u32_at, u64_at};
use crate::layout::Layout;
use kwhy_base::ImageAddr;
use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};

const ENTRY: usize = 24;
/// Questions by address answered by scanning before the sorted index is made; one scan costs
/// about a thirtieth of the index.
const SCANS: u32 = 24;

/// One entry of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawSymbol {
    pub name: u32,
    pub info: u8,
    pub section: u16,
    pub value: u64,
    pub size: u64,
}

impl RawSymbol {
    fn kind(self) -> u8 {
        self.info & 0xf
    }

    fn bind(self) -> u8 {
        self.info >> 4
    }

    /// Whether nm and the module loader would list it at an address.
    fn placed(self) -> bool {
        self.section != consts::SHN_UNDEF
            && self.section != consts::SHN_ABS
            && self.section != consts::SHN_COMMON
            && self.kind() != consts::STT_SECTION
            && self.kind() != consts::STT_FILE
    }
}

/// The symbol table of one image.
pub(crate) struct Symbols<'d> {
    table: &'d [u8],
    strings: &'d [u8],
    /// `SHT_SYMTAB_SHNDX` is not read: kernels and modules have far fewer than 65280 sections.
    scans: Cell<u32>,
    /// (address, index) of every symbol that kallsyms would list, sorted.
    index: OnceCell<Vec<(u64, u32)>>,
}

impl<'d> Symbols<'d> {
    pub(crate) fn new(elf: &Elf<'d>, problems: &mut Vec<String>) -> Symbols<'d> {
        let mut symbols = Symbols { table: &[], strings: &[], scans: Cell::new(0), index: OnceCell::new() };
        if let Some(section) = elf.sections.iter().find(|section| section.kind == consts::SHT_SYMTAB) {
            symbols.table = elf.raw(section);
            if (symbols.table.len() as u64) < section.size {
                problems.push(format!(
                    "the symbol table is cut off: {} of {} bytes are in the file",
                    symbols.table.len(),
                    section.size
                ));
            }
            if let Some(strings) = elf.sections.get(section.link as usize) {
                symbols.strings = elf.raw(strings);
            }
        }
        symbols
    }

    pub(crate) fn get(&self, index: usize) -> Option<RawSymbol> {
        let start = index.checked_mul(ENTRY)?;
        raw(self.table.get(start..start.checked_add(ENTRY)?)?)
    }

    fn iter(&self) -> impl Iterator<Item = RawSymbol> + '_ {
        self.table.chunks_exact(ENTRY).filter_map(raw)
    }

    pub(crate) fn name(&self, symbol: RawSymbol) -> &'d str {
        let rest = self.strings.get(symbol.name as usize..).unwrap_or(&[]);
        let end = memchr::memchr(0, rest).unwrap_or(0);
        rest.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// The address in the image: a module's symbol values count from the start of its section.
    pub(crate) fn address(elf: &Elf<'d>, symbol: RawSymbol) -> u64 {
        if !elf.relocatable || symbol.section >= consts::SHN_LORESERVE {
            return symbol.value;
        }
        let base = elf.sections.get(symbol.section as usize).map_or(0, |section| section.address);
        base.wrapping_add(symbol.value)
    }

    /// Whether the kernel lists the symbol under this name.
    fn listed(elf: &Elf<'d>, symbol: RawSymbol, name: &str) -> bool {
        // A module's sections that are not loaded (debug information) have no addresses.
        let loaded = !elf.relocatable
            || elf.sections.get(symbol.section as usize).is_some_and(|section| section.loaded());
        loaded && !name.is_empty() && if elf.relocatable { !mapping(name) } else { !dropped(name) }
    }

    pub(crate) fn named(&self, elf: &Elf<'d>, layout: &Layout, wanted: &str) -> Vec<Symbol> {
        if wanted.is_empty() {
            return Vec::new();
        }
        // The linker stores one string for names of which one ends in the other, so a name may
        // start in the middle of a longer one.
        let mut needle = wanted.as_bytes().to_vec();
        needle.push(0);
        let places: BTreeSet<u32> = memchr::memmem::find_iter(self.strings, &needle)
            .filter_map(|place| u32::try_from(place).ok())
            .collect();
        if places.is_empty() {
            return Vec::new();
        }
        let found: Vec<RawSymbol> =
            self.iter().filter(|symbol| symbol.placed() && places.contains(&symbol.name)).collect();
        found.into_iter().map(|symbol| self.present(elf, layout, symbol)).collect()
    }

    /// The values of several symbols, found in one pass.
    pub(crate) fn addresses(&self, names: &[&'static str]) -> BTreeMap<&'static str, u64> {
        let mut places = BTreeMap::new();
        for name in names {
            let mut needle = name.as_bytes().to_vec();
            needle.push(0);
            for place in memchr::memmem::find_iter(self.strings, &needle) {
                places.insert(place, *name);
            }
        }
        let mut found = BTreeMap::new();
        if !places.is_empty() {
            for symbol in self.iter().filter(|symbol| symbol.section != consts::SHN_UNDEF) {
                if let Some(name) = places.get(&(symbol.name as usize)) {
                    found.insert(*name, symbol.value);
                }
            }
        }
        found
    }

    pub(crate) fn at(&self, elf: &Elf<'d>, layout: &Layout, address: u64) -> Option<Symbol> {
        let (start, candidates) = self.covering(elf, address)?;
        // A symbol of one section says nothing about an address in another.
        let section = elf.sections.iter().find(|section| section.loaded() && section.contains(address));
        if let Some(section) = section
            && start < section.address
        {
            return None;
        }
        let best = if elf.relocatable {
            candidates.first().copied()?
        } else {
            candidates.into_iter().min_by(|a, b| self.preference(*a).cmp(&self.preference(*b)))?
        };
        Some(self.present(elf, layout, best))
    }

    /// The name by which assembler source calls the function that covers `address`: of several
    /// names at one place the plain one (`strlen`, not `__pi_strlen`).
    pub(crate) fn source_name(&self, elf: &Elf<'d>, address: u64) -> Option<&'d str> {
        let (_, candidates) = self.covering(elf, address)?;
        let key = |symbol: &RawSymbol| {
            let name = self.name(*symbol);
            let underscores = name.bytes().take_while(|byte| *byte == b'_').count();
            (symbol.kind() != consts::STT_FUNC, underscores, name)
        };
        candidates.into_iter().min_by(|a, b| key(a).cmp(&key(b))).map(|symbol| self.name(symbol))
    }

    /// The greatest address of a listed symbol that is not above `address`, and all symbols there.
    fn covering(&self, elf: &Elf<'d>, address: u64) -> Option<(u64, Vec<RawSymbol>)> {
        if let Some(index) = self.sorted(elf) {
            let end = index.partition_point(|(start, _)| *start <= address);
            let (start, _) = *index.get(end.checked_sub(1)?)?;
            let first = index.partition_point(|(other, _)| *other < start);
            let here = index.get(first..end)?.iter().filter_map(|(_, i)| self.get(*i as usize)).collect();
            return Some((start, here));
        }
        let mut best: Option<(u64, Vec<RawSymbol>)> = None;
        for symbol in self.iter().filter(|symbol| symbol.placed()) {
            let start = Self::address(elf, symbol);
            let floor = best.as_ref().map_or(0, |(start, _)| *start);
            if start > address || start < floor || !Self::listed(elf, symbol, self.name(symbol)) {
                continue;
            }
            match &mut best {
                Some((at, here)) if *at == start => here.push(symbol),
                _ => best = Some((start, vec![symbol])),
            }
        }
        best
    }

    /// The least address of a listed symbol above `address`.
    fn next_after(&self, elf: &Elf<'d>, address: u64) -> Option<u64> {
        if let Some(index) = self.sorted(elf) {
            let next = index.partition_point(|(start, _)| *start <= address);
            return index.get(next).map(|(start, _)| *start);
        }
        let mut best = None;
        for symbol in self.iter().filter(|symbol| symbol.placed()) {
            let start = Self::address(elf, symbol);
            if start > address
                && best.is_none_or(|best| start < best)
                && Self::listed(elf, symbol, self.name(symbol))
            {
                best = Some(start);
            }
        }
        best
    }

    fn sorted(&self, elf: &Elf<'d>) -> Option<&[(u64, u32)]> {
        let scans = self.scans.get();
        if scans < SCANS {
            self.scans.set(scans + 1);
            return None;
        }
        Some(self.index.get_or_init(|| {
            let mut index: Vec<(u64, u32)> = self
                .iter()
                .zip(0u32..)
                .filter(|(symbol, _)| symbol.placed() && Self::listed(elf, *symbol, self.name(*symbol)))
                .map(|(symbol, i)| (Self::address(elf, symbol), i))
                .collect();
            index.sort_unstable();
            index
        }))
    }

    /// Sort key of `compare_symbols()` (scripts/kallsyms.c); ties are in the order of `nm -n`,
    /// which is that of the names.
    fn preference(&self, symbol: RawSymbol) -> (bool, bool, usize, &'d str) {
        let name = self.name(symbol);
        let weak = symbol.bind() == consts::STB_WEAK && symbol.kind() != consts::STT_OBJECT;
        // may_be_linker_script_provide_symbol()
        let provided = name.len() >= 8
            && name.starts_with("__")
            && (["__start_", "__stop_", "__end_"].iter().any(|prefix| name.starts_with(prefix))
                || name.ends_with("_start")
                || name.ends_with("_end"));
        let underscores = name.bytes().take_while(|byte| *byte == b'_').count();
        (weak, provided, underscores, name)
    }

    fn present(&self, elf: &Elf<'d>, layout: &Layout, symbol: RawSymbol) -> Symbol {
        let address = Self::address(elf, symbol);
        let section = elf.sections.get(symbol.section as usize);
        let code = section.is_some_and(|section| section.executable());
        let next = self.next_after(elf, address);
        let end = if elf.relocatable {
            let region = [&layout.core_text, &layout.init_text].into_iter().find(|r| r.contains(&address));
            let limit = region.map(|region| region.end).or_else(|| section.map(|section| section.end()));
            [next, limit].into_iter().flatten().min()
        } else {
            next
        };
        Symbol {
            name: self.name(symbol).to_owned(),
            address: ImageAddr(address),
            size: end.map_or(symbol.size, |end| end.saturating_sub(address)),
            elf_size: symbol.size,
            function: match symbol.kind() {
                consts::STT_FUNC | consts::STT_GNU_IFUNC => true,
                consts::STT_NOTYPE => code,
                _ => false,
            },
            global: symbol.bind() != consts::STB_LOCAL,
        }
    }
}

fn raw(entry: &[u8]) -> Option<RawSymbol> {
    Some(RawSymbol {
        name: u32_at(entry, 0)?,
        info: *entry.get(4)?,
        section: u16_at(entry, 6)?,
        value: u64_at(entry, 8)?,
        size: u64_at(entry, 16)?,
    })
}

/// `is_arm_mapping_symbol()` (include/linux/module_symbol.h): labels that say where code and data start.
fn mapping(name: &str) -> bool {
    let bytes = name.as_bytes();
    match (bytes.first(), bytes.get(1)) {
        (Some(b'.'), Some(b'L')) => true,
        (Some(b'$'), Some(b'a' | b'd' | b't' | b'x')) => matches!(bytes.get(2), None | Some(b'.')),
        _ => false,
    }
}

/// Names that scripts/mksysmap and `is_ignored_symbol()` (scripts/kallsyms.c) leave out.
fn dropped(name: &str) -> bool {
    const PREFIXES: [&str; 11] = [
        "$",
        ".L",
        "L0",
        "__crc_",
        "__efistub_",
        "__kvm_nvhe_$",
        "__kvm_nvhe_.L",
        "__AArch64ADRPThunk_",
        "__pi_$",
        "__pi_.L",
        "__kcfi_typeid_",
    ];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || name.ends_with("_veneer")
}
