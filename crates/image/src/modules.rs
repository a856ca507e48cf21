//! What only modules have: relocations, `.modinfo`, their own name.

use crate::Relocation;
use crate::elf::{Elf, consts, u32_at, u64_at};
use crate::reader::Bytes;
use crate::symbols::{RawSymbol, Symbols};
use kwhy_base::{Arch, ImageAddr};
use std::ops::Range;

const ENTRY: usize = 24;

/// One `Elf64_Rela`.
#[derive(Clone, Copy)]
struct Rela {
    offset: u64,
    kind: u32,
    symbol: u32,
    addend: i64,
}

fn relas(table: &[u8]) -> impl Iterator<Item = Rela> + '_ {
    table.chunks_exact(ENTRY).filter_map(|entry| {
        Some(Rela {
            offset: u64_at(entry, 0)?,
            kind: u32_at(entry, 8)?,
            symbol: u32_at(entry, 12)?,
            addend: u64_at(entry, 16)? as i64,
        })
    })
}

/// The relocations of code and data in `range`, in address order.
pub(crate) fn relocations<'d>(
    elf: &Elf<'d>,
    symbols: &Symbols<'d>,
    range: Range<u64>,
) -> Vec<(ImageAddr, Relocation)> {
    let mut found = Vec::new();
    if !elf.relocatable {
        return found;
    }
    for table in elf.sections.iter().filter(|section| section.kind == consts::SHT_RELA) {
        let Some(target) = elf.sections.get(table.info as usize).filter(|section| section.loaded()) else {
            continue;
        };
        if target.address >= range.end || target.end() <= range.start {
            continue;
        }
        for rela in relas(elf.raw(table)) {
            let place = target.address.wrapping_add(rela.offset);
            if rela.offset < target.size && range.contains(&place) {
                let symbol = match elf.other.as_ref().filter(|_| table.foreign) {
                    Some(other) => other.symbol(rela.symbol as usize),
                    None => symbols.get(rela.symbol as usize).map(|symbol| (symbol, symbols.name(symbol))),
                };
                found.push((ImageAddr(place), describe(elf, symbol, rela)));
            }
        }
    }
    found.sort_by_key(|(place, _)| *place);
    found
}

/// What `rela` puts there, by its symbol and that symbol's name.
fn describe(elf: &Elf<'_>, symbol: Option<(RawSymbol, &str)>, rela: Rela) -> Relocation {
    let (symbol, own_name) = symbol.map_or((None, ""), |(symbol, name)| (Some(symbol), name));
    let section = symbol.and_then(|symbol| elf.sections.get(symbol.section as usize));
    let defined = symbol.filter(|symbol| {
        symbol.section != consts::SHN_UNDEF
            && (symbol.section >= consts::SHN_LORESERVE || section.is_some_and(|section| section.loaded()))
    });
    let name = match symbol {
        Some(symbol) if symbol.info & 0xf == consts::STT_SECTION => {
            section.map_or("", |section| section.name)
        }
        Some(_) => own_name,
        None => "",
    };
    Relocation {
        symbol: name.to_owned(),
        address: defined.map(|symbol| ImageAddr(Symbols::address(elf, symbol))),
        addend: rela.addend,
        kind: rela.kind,
    }
}

/// How a relocation of a debug section changes the bytes.
enum Change {
    /// `S + A` in this many bytes.
    Absolute(usize),
    /// `S + A - P` in this many bytes.
    Relative(usize),
    Nothing,
}

/// ELF for the Arm 64-bit Architecture, section 5.7; psABI x86-64, table 4.9; the RISC-V and
/// LoongArch types beyond plain words do not occur in what is read here.
fn change(arch: Arch, kind: u32) -> Option<Change> {
    Some(match (arch, kind) {
        (_, 0) => Change::Nothing,
        (Arch::X86_64, 1) | (Arch::Arm64, 257) | (Arch::Riscv64 | Arch::Loongarch64, 2) => {
            Change::Absolute(8)
        }
        (Arch::X86_64, 10 | 11) | (Arch::Arm64, 258) | (Arch::Riscv64 | Arch::Loongarch64, 1) => {
            Change::Absolute(4)
        }
        (Arch::X86_64, 24) | (Arch::Arm64, 260) => Change::Relative(8),
        (Arch::X86_64, 2) | (Arch::Arm64, 261) => Change::Relative(4),
        _ => return None,
    })
}

/// A section as the loader would leave it: a copy with its relocations applied. `None` when it
/// has none, so that the file can be used as it is.
pub(crate) fn relocated<'d>(
    elf: &Elf<'d>,
    symbols: &Symbols<'d>,
    index: usize,
    contents: &Bytes<'d>,
    problems: &mut Vec<String>,
) -> Option<Bytes<'d>> {
    let target = elf.sections.get(index)?;
    let mut bytes: Option<Vec<u8>> = None;
    let mut unknown = 0usize;
    for table in &elf.sections {
        if table.kind != consts::SHT_RELA || table.info as usize != index {
            continue;
        }
        let Ok(entries) = elf.contents(table) else { continue };
        let bytes = bytes.get_or_insert_with(|| contents.as_slice().to_vec());
        for rela in relas(entries.as_slice()) {
            let Some(symbol) = symbols.get(rela.symbol as usize) else { continue };
            let value = Symbols::address(elf, symbol).wrapping_add_signed(rela.addend);
            let place = target.address.wrapping_add(rela.offset);
            let (value, width) = match change(elf.arch, rela.kind) {
                Some(Change::Absolute(width)) => (value, width),
                Some(Change::Relative(width)) => (value.wrapping_sub(place), width),
                Some(Change::Nothing) => continue,
                None => {
                    unknown += 1;
                    continue;
                }
            };
            let slot = usize::try_from(rela.offset)
                .ok()
                .and_then(|start| bytes.get_mut(start..start.checked_add(width)?));
            if let (Some(slot), Some(new)) = (slot, value.to_le_bytes().get(..width)) {
                slot.copy_from_slice(new);
            }
        }
    }
    if unknown > 0 {
        problems.push(format!("{}: {unknown} relocations of an unknown type were left out", target.name));
    }
    bytes.map(Bytes::owned)
}

/// The value of `key=value` in `.modinfo`.
pub(crate) fn modinfo<'d>(elf: &Elf<'d>, key: &str) -> Option<&'d str> {
    let (_, section) = elf.section(".modinfo")?;
    elf.raw(section)
        .split(|byte| *byte == 0)
        .filter_map(|entry| std::str::from_utf8(entry).ok())
        .find_map(|entry| entry.strip_prefix(key)?.strip_prefix('='))
}

/// The module's name: `.modinfo` since Linux 4.17, else the first string in its `struct module`
/// (`.gnu.linkonce.this_module`: state, list head, name).
pub(crate) fn name(elf: &Elf<'_>) -> Option<String> {
    if let Some(name) = modinfo(elf, "name").filter(|name| !name.is_empty()) {
        return Some(name.to_owned());
    }
    let (_, section) = elf.section(".gnu.linkonce.this_module")?;
    let rest = elf.raw(section).get(24..)?;
    let name = rest.get(..memchr::memchr(0, rest)?)?;
    let name = std::str::from_utf8(name).ok()?;
    let plausible = !name.is_empty() && name.len() < 64 && name.bytes().all(|byte| byte.is_ascii_graphic());
    plausible.then(|| name.to_owned())
}
