//! The ELF symbol table, read the way kallsyms presents it.
//!
//! Nothing is indexed when a file is opened. The first question by address sorts the addresses,
//! the first by name distributes the names over buckets by their hash; both tables are kept where
//! there is a shelf for them ([`crate::index`]). A kernel has 150 000 symbols and its report asks
//! a hundred questions.
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
use crate::index::{self, Learned, Lent, Part, partition};
use crate::layout::Layout;
use kwhy_base::ImageAddr;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

const ENTRY: usize = 24;
/// Answers by name that are kept: the same few functions are asked for again and again.
const MAX_KEPT: usize = 4096;

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

/// The symbol table of one image. `SHT_SYMTAB_SHNDX` is not read: kernels and modules have far
/// fewer than 65280 sections.
pub(crate) struct Symbols<'d> {
    table: &'d [u8],
    strings: &'d [u8],
    /// The table is the kernel's own (see [`crate::boot`]): it lists what the kernel lists, in its order.
    own: bool,
    /// Where tables are kept that are worth it.
    pub(crate) lent: Option<Lent<'d>>,
    /// The number (u32) of every symbol that kallsyms would list, by address.
    index: Learned,
    /// The number of every symbol by its name ([`index::buckets`]).
    names: Learned,
    answers: RefCell<BTreeMap<String, Vec<Symbol>>>,
}

impl<'d> Symbols<'d> {
    pub(crate) fn new(elf: &Elf<'d>, problems: &mut Vec<String>) -> Symbols<'d> {
        let mut symbols = Symbols {
            table: &[],
            strings: &[],
            own: false,
            lent: None,
            index: Learned::default(),
            names: Learned::default(),
            answers: RefCell::default(),
        };
        if let Some(section) = elf.sections.iter().find(|section| section.kind == consts::SHT_SYMTAB) {
            symbols.table = elf.raw(section);
            symbols.own = section.name == crate::boot::KALLSYMS;
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
        if let Some(known) = self.answers.borrow().get(wanted) {
            return known.clone();
        }
        let placed = self.spelled(wanted).into_iter().filter(|symbol| symbol.placed());
        let found: Vec<Symbol> = placed.map(|symbol| self.present(elf, layout, symbol)).collect();
        let mut answers = self.answers.borrow_mut();
        if answers.len() < MAX_KEPT {
            answers.insert(wanted.to_owned(), found.clone());
        }
        found
    }

    /// Every listed symbol whose name is accepted, in the order of the table.
    pub(crate) fn accepted(
        &self,
        elf: &Elf<'d>,
        layout: &Layout,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Vec<Symbol> {
        self.iter()
            .filter(|symbol| symbol.placed())
            .filter(|symbol| {
                let name = self.name(*symbol);
                wanted(name) && Self::listed(elf, *symbol, name)
            })
            .map(|symbol| self.present(elf, layout, symbol))
            .collect()
    }

    /// The symbols of exactly this name, in the order of the table.
    fn spelled(&self, wanted: &str) -> Vec<RawSymbol> {
        let make = || self.by_name().into();
        let found = self.names.ask(self.lent.as_ref(), "symbols.names", make, |part| {
            let mut found = Vec::new();
            for number in index::in_bucket(part, self.table.len() / ENTRY, name_hash(wanted.as_bytes()))? {
                let symbol = self.get(number as usize)?;
                let name = self.strings.get(symbol.name as usize..).unwrap_or_default();
                if name.strip_prefix(wanted.as_bytes()).is_some_and(|rest| rest.first() == Some(&0)) {
                    found.push(symbol);
                }
            }
            Some(found)
        });
        found.unwrap_or_default()
    }

    /// The first symbol of exactly this name, of whatever section.
    pub(crate) fn first_spelled(&self, wanted: &str) -> Option<RawSymbol> {
        self.spelled(wanted).into_iter().next()
    }

    /// The names that `wanted` accepts with the number of their section.
    pub(crate) fn names_where(
        &self,
        wanted: &dyn Fn(&str, u16) -> bool,
    ) -> std::collections::BTreeSet<String> {
        self.iter()
            .map(|symbol| (self.name(symbol), symbol.section))
            .filter(|(name, section)| wanted(name, *section))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    fn address_of(&self, elf: &Elf<'d>, index: u32) -> u64 {
        self.get(index as usize).map_or(0, |symbol| Self::address(elf, symbol))
    }

    fn by_name(&self) -> Vec<u8> {
        let hashes: Vec<Option<u64>> = self
            .iter()
            .map(|symbol| {
                let rest = self.strings.get(symbol.name as usize..).unwrap_or_default();
                // Names may share their ends; an endless one must not be read for each symbol.
                let rest = rest.get(..MAX_HASHED).unwrap_or(rest);
                let end = memchr::memchr(0, rest).unwrap_or(rest.len());
                rest.get(..end).map(name_hash)
            })
            .collect();
        index::buckets(&hashes)
    }

    /// The values of several symbols.
    pub(crate) fn addresses(&self, names: &[&'static str]) -> BTreeMap<&'static str, u64> {
        let mut found = BTreeMap::new();
        for name in names {
            let defined = |symbol: &RawSymbol| symbol.section != consts::SHN_UNDEF;
            // Of several the last one of the table counts.
            if let Some(symbol) = self.spelled(name).into_iter().rfind(defined) {
                found.insert(*name, symbol.value);
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
        let best = if elf.relocatable || self.own {
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
        self.by_address(elf, |part| {
            let count = part.len() / 4;
            let at = |index: usize| self.listed_at(elf, part, index).map(|(_, at)| at);
            let end = partition(count, |index| Some(at(index)? <= address))?;
            let Some(last) = end.checked_sub(1) else { return Some(None) };
            let start = at(last)?;
            if start > address {
                return None;
            }
            let mut here = Vec::new();
            for index in (0..end).rev() {
                let (symbol, at) = self.listed_at(elf, part, index)?;
                if at != start {
                    break;
                }
                here.push(symbol);
            }
            here.reverse();
            Some(Some((start, here)))
        })?
    }

    /// The least address of a listed symbol above `address`.
    fn next_after(&self, elf: &Elf<'d>, address: u64) -> Option<u64> {
        self.by_address(elf, |part| {
            let count = part.len() / 4;
            let at = |index: usize| self.listed_at(elf, part, index).map(|(_, at)| at);
            let next = partition(count, |index| Some(at(index)? <= address))?;
            if next == count { Some(None) } else { at(next).map(Some) }
        })?
    }

    /// The symbol that stands at a place of the table by address, and its address.
    fn listed_at(&self, elf: &Elf<'d>, part: &Part, index: usize) -> Option<(RawSymbol, u64)> {
        let symbol = self.get(part.u32(index.checked_mul(4)?)? as usize)?;
        Some((symbol, Self::address(elf, symbol)))
    }

    /// Where functions begin, in order, each address once.
    pub(crate) fn functions(&self, elf: &Elf<'d>) -> Vec<ImageAddr> {
        let is_code = |symbol: &RawSymbol| {
            matches!(symbol.kind(), consts::STT_FUNC | consts::STT_GNU_IFUNC | consts::STT_NOTYPE)
                && elf.sections.get(symbol.section as usize).is_some_and(|section| section.executable())
        };
        let found = self.by_address(elf, |part| {
            let mut found = Vec::new();
            for index in 0..part.len() / 4 {
                let (symbol, at) = self.listed_at(elf, part, index)?;
                if is_code(&symbol) {
                    found.push(ImageAddr(at));
                }
            }
            found.is_sorted().then_some(found)
        });
        let mut found = found.unwrap_or_default();
        found.dedup();
        found
    }

    fn by_address<R>(&self, elf: &Elf<'d>, question: impl Fn(&Part) -> Option<R>) -> Option<R> {
        let make = || index::words(&self.sorted_by_address(elf)).into();
        self.index.ask(self.lent.as_ref(), "symbols.addresses", make, question)
    }

    fn sorted_by_address(&self, elf: &Elf<'d>) -> Vec<u32> {
        let plain = self.plain();
        let listed = |symbol: RawSymbol| {
            let rest = self.strings.get(symbol.name as usize..).unwrap_or_default();
            if self.own || plain && !elf.relocatable && !may_be_dropped(rest) {
                return !matches!(rest.first(), None | Some(0));
            }
            Self::listed(elf, symbol, self.name(symbol))
        };
        let all = || {
            let listed = |(symbol, _): &(RawSymbol, u32)| symbol.placed() && listed(*symbol);
            self.iter().zip(0u32..).filter(listed).map(|(_, index)| index)
        };
        // Outside lie only the per-cpu variables, counted from nought, and the like.
        let placed = || elf.sections.iter().filter(|section| section.loaded() && section.address > 0);
        let code = placed().filter(|section| section.executable()).map(|section| section.address);
        let end = placed().map(|section| section.end()).max();
        let most = code.min().unwrap_or(0)..end.unwrap_or(0);
        sorted(all, |index| self.address_of(elf, index), most)
    }

    /// Whether all names are ASCII, ended by a NUL and not of those that are dropped for how
    /// they end. Then the beginning tells whether the kernel lists one.
    fn plain(&self) -> bool {
        self.strings.is_ascii()
            && self.strings.last() == Some(&0)
            && memchr::memmem::find(self.strings, b"_veneer\0").is_none()
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

/// Of a longer name only the beginning is hashed.
const MAX_HASHED: usize = 512;

fn name_hash(name: &[u8]) -> u64 {
    index::hash(name.get(..MAX_HASHED).unwrap_or(name))
}

/// Sorts numbers by their keys, by first distributing them over buckets of equal width between
/// the ends of `most`, where most keys are expected: the symbols of a kernel lie evenly enough
/// for the buckets to be small, and this takes a fraction of the time and memory of sorting the
/// whole. Keys may lie anywhere; all below share a bucket, and so do all above. `all` is gone
/// through twice, and is in ascending order.
fn sorted<I: Iterator<Item = u32>>(
    all: impl Fn() -> I,
    key: impl Fn(u32) -> u64,
    most: Range<u64>,
) -> Vec<u32> {
    const BITS: u32 = 16;
    const BUCKETS: usize = 1 << BITS;
    // A module's hundreds are not worth the buckets.
    let mut few: Vec<u32> = all().take(BUCKETS / 16).collect();
    if few.len() < BUCKETS / 16 {
        few.sort_unstable_by_key(|item| (key(*item), *item));
        return few;
    }
    let size = most.end.saturating_sub(most.start);
    let width = (u64::BITS - size.leading_zeros()).saturating_sub(BITS);
    let bucket = |item: u32| match key(item).checked_sub(most.start) {
        None => 0,
        Some(above) => usize::try_from(above >> width).map_or(BUCKETS, |b| b.saturating_add(1).min(BUCKETS)),
    };
    // How many lie in the buckets before each one, then where its next item goes.
    let mut next = vec![0_u32; BUCKETS + 2];
    for item in all() {
        if let Some(count) = next.get_mut(bucket(item) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for count in &mut next {
        sum += *count;
        *count = sum;
    }
    let mut out = vec![0; sum as usize];
    for item in all() {
        if let Some(place) = next.get_mut(bucket(item)) {
            if let Some(slot) = out.get_mut(*place as usize) {
                *slot = item;
            }
            *place += 1;
        }
    }
    // Each place now stands at its bucket's end.
    let mut start = 0;
    for end in next {
        let end = end as usize;
        if let Some(bucket) = out.get_mut(start..end).filter(|bucket| bucket.len() > 1) {
            bucket.sort_unstable_by_key(|item| (key(*item), *item));
        }
        start = end;
    }
    out
}

/// Whether one of the beginnings of [`dropped`] may be there; `name` goes on after its end.
fn may_be_dropped(name: &[u8]) -> bool {
    matches!(name, [b'$' | b'.' | b'L', ..] | [b'_', b'_', b'c' | b'e' | b'k' | b'A' | b'p', ..])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_sort_as_sorting_does() {
        // Evenly spread, in bunches, below the range, far above it, and equal keys.
        let mut keys: Vec<u64> = Vec::new();
        let mut state = 1_u64;
        for i in 0..30_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            keys.push(match i % 5 {
                0 => state >> 44,
                1 => 0xffff_ffff_8100_0000 + (state >> 38),
                2 => 0xffff_ffff_8100_0000 + (i & 0xff),
                3 => u64::MAX - (state >> 60),
                _ => state,
            });
        }
        let mut whole: Vec<u32> = (0..30_000).collect();
        whole.sort_by_key(|item| keys[*item as usize]);
        let text = 0xffff_ffff_8100_0000;
        for most in [0..1 << 22, text..text + (1 << 26), 0..u64::MAX, text..text] {
            assert_eq!(sorted(|| 0..30_000, |item| keys[item as usize], most), whole);
        }
        assert_eq!(sorted(|| 0..3, |item| [7, 9, 7][item as usize], 0..0), [0, 2, 1]);
    }

    #[test]
    fn every_dropped_beginning_is_looked_at() {
        for name in [
            "$x",
            ".Ltmp",
            "L0\u{1}",
            "__crc_a",
            "__efistub_a",
            "__kvm_nvhe_$x",
            "__pi_.Lx",
            "__kcfi_typeid_a",
        ] {
            assert!(dropped(name) && may_be_dropped(name.as_bytes()), "{name}");
        }
        assert!(dropped("__AArch64ADRPThunk_a") && may_be_dropped(b"__AArch64ADRPThunk_a\0next"));
        assert!(!may_be_dropped(b"mod_sysfs_setup\0"));
    }
}
