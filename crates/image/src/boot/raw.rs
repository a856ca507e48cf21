//! An uncompressed arm64 or RISC-V kernel: one stretch of bytes without sections. Its symbols
//! say where its parts are, its relocations or its calls where it was linked to run.

use super::container::RawHeader;
use super::shapes::{self, Shapes};
use super::synth::{self, Entry, KALLSYMS, Part};
use super::{pointers, reloc};
use crate::ImageError;
use crate::elf::{consts, u32_at};
use crate::kallsyms::{Base, Kallsyms, Named};
use kwhy_base::Arch;
use std::collections::BTreeMap;
use std::ops::Range;

/// Where the kernel's bytes are in the file that is written: behind its header, page-aligned.
const START: usize = 4096;
/// Calls that are looked at to tell where symbols are.
const MAX_CALLS: usize = 2000;
/// More than `.exit.text` has of any kernel: 128 KiB.
const EXIT: usize = 128 << 10;
/// Pairs of base and number that are tried; a kernel's relocations leave one or two.
const MAX_CHOICES: usize = 1024;
/// Code begins at most so far behind the start of the image.
const MAX_DISTANCE: u64 = 64 << 20;
const PAGE: u64 = 4096;

/// What a raw kernel says of itself.
pub(super) struct Listed {
    /// The address of its first byte.
    base: u64,
    /// What its tables list.
    pub symbols: Vec<Named>,
    /// Where its relocations are.
    relocations: Option<Range<usize>>,
    /// Where the symbols' own addresses are listed.
    names: Range<usize>,
}

/// Reads the tables and tells where they say that the kernel runs.
pub(super) fn listed(data: &[u8], arch: Arch) -> Result<Listed, ImageError> {
    let Some(kallsyms) = Kallsyms::find(data) else {
        return Err(ImageError::Unsupported(
            "a boot image without kallsyms tables (CONFIG_KALLSYMS is off): no address in it has a name. Give the \
             vmlinux with debug information, or System.map"
                .into(),
        ));
    };
    let relocations = reloc::find(data, arch);
    let Some((base, relative_base)) = place(data, arch, &kallsyms, relocations.clone()) else {
        return Err(ImageError::Unsupported(
            "a boot image of which it cannot be told where it runs: neither its calls nor its pointers fit its symbols. \
             Give the vmlinux with debug information, or System.map"
                .into(),
        ));
    };
    let names = kallsyms.addresses();
    Ok(Listed { base, symbols: kallsyms.symbols(relative_base), relocations, names })
}

/// The kernel as an ELF file.
pub(super) fn to_elf(data: &[u8], header: &RawHeader) -> Result<Vec<u8>, ImageError> {
    let Listed { base, mut symbols, relocations, names } = listed(data, header.arch)?;
    let mut file = Vec::with_capacity(START.saturating_add(data.len()).saturating_add(data.len() / 4));
    file.resize(START, 0);
    file.extend_from_slice(data);
    if let Some(image) = file.get_mut(START..)
        && let Some(table) = relocations.clone()
    {
        reloc::apply(image, base, reloc::entries(data, table));
    }
    let image = file.get(START..).unwrap_or_default();
    let layout = Layout { base, names, size: image.len() as u64, memory: header.memory };
    let mut parts = layout.parts(image, header.arch, &symbols);
    // The places that move with the kernel.
    parts.extend(relocations.and_then(|table| {
        let (start, end) = (base.wrapping_add(table.start as u64), base.wrapping_add(table.end as u64));
        let part = layout.part(".rela.dyn", 0, start, end)?;
        Some(Part { kind: consts::SHT_RELA, flags: 0, ..part })
    }));
    name_banner(image, base, &mut symbols);
    let entries: Vec<Entry<'_>> = symbols
        .iter()
        .map(|symbol| Entry { name: &symbol.name, letter: symbol.letter, address: symbol.address })
        .collect();
    Ok(synth::finish(file, header.arch, &parts, &entries, KALLSYMS))
}

/// The address of the image's first byte, and the number that relative symbols count from.
fn place(
    data: &[u8],
    arch: Arch,
    kallsyms: &Kallsyms<'_>,
    table: Option<Range<usize>>,
) -> Option<(u64, u64)> {
    let (number, at) = match kallsyms.base() {
        Base::None => (Some(0), None),
        Base::Known(number) => (Some(number), None),
        Base::At(at) => (None, Some(at as u64)),
        Base::Image(_) => {
            let starts = kallsyms.symbols(0).into_iter().map(|symbol| symbol.address);
            return pointers::base(data, starts).map(|base| (base, base));
        }
    };
    // Which (base, number) there are to choose from.
    let mut choices: Vec<(u64, u64)> = Vec::new();
    if let (Some(at), Some(table)) = (at, table) {
        for (place, addend) in reloc::entries(data, table) {
            let base = place.wrapping_sub(at);
            if base % PAGE == 0
                && addend.wrapping_sub(base) < MAX_DISTANCE
                && choices.len() < MAX_CHOICES
                && !choices.contains(&(base, addend))
            {
                choices.push((base, addend));
            }
        }
    }
    if let Some(number) = number {
        let all = kallsyms.symbols(number);
        let named = |name: &str| all.iter().find(|symbol| symbol.name == name).map(|symbol| symbol.address);
        // `_text` is the first byte, where it is listed; RISC-V has its header before, at `_start`.
        if let Some(first) = [named("_text"), named("_start")].into_iter().flatten().min() {
            return Some((first & !(PAGE - 1), number));
        }
        let first = all.first().map(|symbol| symbol.address & !(PAGE - 1))?;
        choices.extend((0..MAX_DISTANCE / PAGE / 16).map(|pages| (first.wrapping_sub(pages * PAGE), number)));
    }
    if arch != Arch::Arm64 {
        return choices.first().copied();
    }
    let mut starts: Vec<u64> = kallsyms.symbols(0).iter().map(|symbol| symbol.address).collect();
    starts.sort_unstable();
    let calls = calls(data);
    let score = |(base, number): &(u64, u64)| {
        let hits =
            |target: &&u64| starts.binary_search(&base.wrapping_add(**target).wrapping_sub(*number)).is_ok();
        calls.iter().filter(hits).count()
    };
    let best = choices.into_iter().map(|choice| (score(&choice), choice)).max_by_key(|(score, _)| *score);
    let (score, choice) = best?;
    (score * 2 > calls.len() && score > 16).then_some(choice)
}

/// Where the `bl` instructions of the first code lead, as places in the file.
fn calls(data: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    // The first 64 KiB hold the EFI header and little code.
    let mut at = 0x1_0000usize;
    while let Some(insn) = u32_at(data, at) {
        if insn & 0xfc00_0000 == 0x9400_0000 {
            let offset = i64::from((insn << 6) as i32 >> 4);
            found.push((at as u64).wrapping_add_signed(offset));
            if found.len() >= MAX_CALLS {
                break;
            }
        }
        at = at.saturating_add(4);
    }
    found
}

/// Where the banner is, as a symbol, where the kernel lists only its code.
fn name_banner(image: &[u8], base: u64, symbols: &mut Vec<Named>) {
    if symbols.iter().any(|symbol| symbol.name == "linux_banner") {
        return;
    }
    let digit = |at: &usize| image.get(at.saturating_add(14)).is_some_and(u8::is_ascii_digit);
    if let Some(at) = memchr::memmem::find_iter(image, b"Linux version ").find(digit) {
        let address = base.wrapping_add(at as u64);
        symbols.push(Named { letter: b'D', name: "linux_banner".to_owned(), address });
    }
}

struct Layout {
    base: u64,
    /// Where the symbols' own addresses are listed.
    names: Range<usize>,
    size: u64,
    memory: u64,
}

impl Layout {
    /// The sections, particular ones before those around them.
    fn parts(&self, image: &[u8], arch: Arch, symbols: &[Named]) -> Vec<Part> {
        let mut known: BTreeMap<&str, u64> = BTreeMap::new();
        for symbol in symbols {
            if BOUNDS.iter().any(|(_, start, end, _)| symbol.name == *start || symbol.name == *end) {
                known.insert(&symbol.name, symbol.address);
            }
        }
        let mut parts = Vec::new();
        let mut text: Vec<Range<usize>> = Vec::new();
        for (name, start, end, flags) in BOUNDS {
            let (Some(start), Some(end)) = (known.get(start), known.get(end)) else { continue };
            let Some(part) = self.part(name, flags, *start, *end) else { continue };
            if flags & consts::SHF_EXECINSTR != 0
                && let (Ok(start), Ok(size)) = (usize::try_from(part.offset), usize::try_from(part.size))
            {
                // What runs at exit follows what runs at start (arch/arm64/kernel/vmlinux.lds.S).
                let more = if name == ".init.text" { EXIT } else { 0 };
                let start = start.saturating_sub(START);
                text.push(start..start.saturating_add(size).saturating_add(more).min(image.len()));
            }
            parts.push(part);
        }
        let has = |parts: &[Part], name: &str| parts.iter().any(|part| part.name == name);
        let mut found: Vec<(&str, Range<usize>)> = Vec::new();
        found.extend(shapes::btf(image).map(|range| (".BTF", range)));
        found.extend(shapes::notes(image).map(|range| (".notes", range)));
        if arch == Arch::Arm64 {
            let tables = text.first().map_or(0, |first| first.end)..image.len();
            found.extend(
                Shapes { data: image, text, tables, names: self.names.clone(), base: self.base }.find(),
            );
        }
        let mut particular = Vec::new();
        for (name, range) in found {
            let start = self.base.wrapping_add(range.start as u64);
            let end = self.base.wrapping_add(range.end as u64);
            if !has(&parts, name) {
                particular.extend(self.part(name, 0, start, end));
            }
        }
        particular.append(&mut parts);
        // Whatever is in none of them, and what has no bytes in the file.
        let end = self.base.wrapping_add(self.size);
        particular.extend(self.part(".data", consts::SHF_WRITE, self.base, end));
        if self.memory > self.size && self.memory < 1 << 32 {
            let mut bss = Part::loaded(".bss", consts::SHF_WRITE, end, 0, self.memory - self.size);
            bss.kind = consts::SHT_NOBITS;
            particular.push(bss);
        }
        particular
    }

    fn part(&self, name: &str, flags: u64, start: u64, end: u64) -> Option<Part> {
        let offset = start.checked_sub(self.base)?;
        let size = end.checked_sub(start)?;
        let inside = size > 0 && offset.checked_add(size)? <= self.size;
        inside.then(|| Part::loaded(name, flags, start, offset + START as u64, size))
    }
}

/// Sections by the symbols around them (include/asm-generic/sections.h, the linker scripts of
/// arch/arm64 and arch/riscv).
const BOUNDS: [(&str, &str, &str, u64); 11] = [
    (".BTF", "__start_BTF", "__stop_BTF", 0),
    (".notes", "__start_notes", "__stop_notes", 0),
    ("__ex_table", "__start___ex_table", "__stop___ex_table", 0),
    ("__bug_table", "__start___bug_table", "__stop___bug_table", 0),
    ("__jump_table", "__start___jump_table", "__stop___jump_table", 0),
    (".data..percpu", "__per_cpu_start", "__per_cpu_end", consts::SHF_WRITE),
    (".text", "_stext", "_etext", consts::SHF_EXECINSTR),
    (".init.text", "_sinittext", "_einittext", consts::SHF_EXECINSTR),
    (".data", "_sdata", "_edata", consts::SHF_WRITE),
    (".rodata", "__start_rodata", "__end_rodata", 0),
    (".altinstructions", "__alt_instructions", "__alt_instructions_end", 0),
];
