//! An ELF kernel without symbols (what a bzImage unpacks to): the same with those of kallsyms.

use super::synth::{self, Entry, KALLSYMS, Part};
use crate::elf::{Elf, Section, consts, u16_at, u64_at};
use crate::kallsyms::{Base, Kallsyms, Named};
use crate::relocs;

const SECTION: usize = 64;

/// The file with a symbol table; `None` where it has one, is a module, or has no kallsyms.
pub(super) fn with_symbols(data: &[u8]) -> Option<Vec<u8>> {
    let elf = Elf::parse(data, &mut Vec::new()).ok()?;
    if elf.relocatable || elf.sections.iter().any(|section| section.kind == consts::SHT_SYMTAB) {
        return None;
    }
    let symbols = listed(&elf)?;
    let parts: Vec<Part> = elf.sections.iter().skip(1).map(part).collect();
    let entries: Vec<Entry<'_>> = symbols
        .iter()
        .map(|symbol| Entry { name: &symbol.name, letter: symbol.letter, address: symbol.address })
        .collect();
    append(data, &elf, &parts, &entries)
}

/// What the tables of a linked kernel list.
pub(super) fn listed(elf: &Elf<'_>) -> Option<Vec<Named>> {
    let found = Kallsyms::find(elf.data)?;
    let base = match found.base() {
        Base::None => 0,
        Base::Known(base) => base,
        Base::At(_) => return None,
        // What was searched is the file: the tables' section says how its places are addresses.
        Base::Image(table) => {
            let table = table as u64;
            let holds = |section: &&Section<'_>| {
                section.loaded()
                    && section.kind != consts::SHT_NOBITS
                    && table.checked_sub(section.offset).is_some_and(|at| at < section.size)
            };
            let section = elf.sections.iter().find(holds)?;
            section.address.wrapping_sub(section.offset)
        }
    };
    Some(found.symbols(base))
}

fn part(section: &Section<'_>) -> Part {
    Part {
        name: section.name.to_owned(),
        kind: section.kind,
        flags: section.flags,
        address: section.address,
        offset: section.offset,
        size: section.size,
    }
}

/// The same file with a symbol table, its names and a longer list of sections behind it.
fn append(data: &[u8], elf: &Elf<'_>, parts: &[Part], symbols: &[Entry<'_>]) -> Option<Vec<u8>> {
    let headers = usize::try_from(u64_at(data, 40)?).ok()?;
    let count = elf.sections.len();
    let names_index = usize::from(u16_at(data, 62)?);
    let old = data.get(headers..headers.checked_add(count.checked_mul(SECTION)?)?)?;
    let mut names = elf.raw(elf.sections.get(names_index)?).to_vec();
    let (entries, strings) = synth::symbol_table(parts, symbols);

    let mut file = data.to_vec();
    let mut add_name = |name: &str| {
        let at = u32::try_from(names.len()).unwrap_or(0);
        names.extend_from_slice(name.as_bytes());
        names.push(0);
        at
    };
    let (table_name, strings_name) = (add_name(KALLSYMS), add_name(".strtab"));
    let filled = elf.sections.iter().filter(|section| section.kind != consts::SHT_NOBITS);
    let ends = filled.map(|section| section.offset.saturating_add(section.size));
    let end = ends.filter_map(|end| usize::try_from(end).ok()).max().unwrap_or(0);
    let behind = relocs::find(data, end.max(headers.saturating_add(old.len())));
    let behind = behind.map(|range| (add_name(relocs::SECTION), range));
    let mut table = old.to_vec();
    let mut add = |file: &mut Vec<u8>, name: u32, kind: u32, bytes: &[u8], link: u32, entry: u64| {
        let offset = synth::append(file, bytes) as u64;
        let size = bytes.len() as u64;
        let part = Part { name: String::new(), kind, flags: 0, address: 0, offset, size };
        table.extend(synth::header(name, &part, link, entry));
        offset
    };
    let link = u32::try_from(count.checked_add(1)?).ok()?;
    add(&mut file, table_name, consts::SHT_SYMTAB, &entries, link, 24);
    add(&mut file, strings_name, consts::SHT_STRTAB, &strings, 0, 0);
    let mut total = count.checked_add(2)?;
    if let Some((name, range)) = behind {
        let (offset, size) = (range.start as u64, range.len() as u64);
        let kind = consts::SHT_PROGBITS;
        let part = Part { name: String::new(), kind, flags: 0, address: 0, offset, size };
        table.extend(synth::header(name, &part, 0, 4));
        total = total.checked_add(1)?;
    }
    // The names moved: their own header says where to.
    let names_at = synth::append(&mut file, &names) as u64;
    let own = table.get_mut(names_index.checked_mul(SECTION)?..)?;
    own.get_mut(24..32)?.copy_from_slice(&names_at.to_le_bytes());
    own.get_mut(32..40)?.copy_from_slice(&(names.len() as u64).to_le_bytes());
    let table_at = synth::append(&mut file, &table) as u64;
    file.get_mut(40..48)?.copy_from_slice(&table_at.to_le_bytes());
    file.get_mut(60..62)?.copy_from_slice(&u16::try_from(total).ok()?.to_le_bytes());
    Some(file)
}
