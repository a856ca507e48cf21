//! Writes an ELF file: the form in which what was found in a boot image is handed on.

use crate::elf::consts;
use kwhy_base::Arch;

const HEADER: usize = 64;
const SECTION: usize = 64;
/// The name of a symbol table in the kernel's own order, by which it is known for one: of
/// several names at an address the first is the one that the kernel prints.
pub(crate) const KALLSYMS: &str = ".kallsyms";

/// A section to be written.
pub(super) struct Part {
    pub name: String,
    /// `SHT_*`.
    pub kind: u32,
    /// `SHF_*`.
    pub flags: u64,
    pub address: u64,
    /// Where its bytes are in the file.
    pub offset: u64,
    pub size: u64,
}

impl Part {
    pub(super) fn loaded(name: &str, flags: u64, address: u64, offset: u64, size: u64) -> Part {
        let flags = flags | consts::SHF_ALLOC;
        Part { name: name.to_owned(), kind: consts::SHT_PROGBITS, flags, address, offset, size }
    }
}

/// A symbol to be written.
pub(super) struct Entry<'n> {
    pub name: &'n str,
    /// nm's letter.
    pub letter: u8,
    pub address: u64,
}

/// Appends sections, symbols and names to `file`, which begins with room for the header.
/// Symbols belong to the first part that holds them; they keep their order.
pub(super) fn finish(
    mut file: Vec<u8>,
    arch: Arch,
    parts: &[Part],
    symbols: &[Entry<'_>],
    table: &str,
) -> Vec<u8> {
    let machine = match arch {
        Arch::Arm64 => consts::EM_AARCH64,
        Arch::Riscv64 => consts::EM_RISCV,
        Arch::Loongarch64 => consts::EM_LOONGARCH,
        _ => consts::EM_X86_64,
    };
    let (entries, strings) = symbol_table(parts, symbols);
    let place = append(&mut file, &entries);
    let strings_at = append(&mut file, &strings);
    let mut names = vec![0u8];
    let mut headers = vec![0u8; SECTION];
    let mut add = |part: &Part, link: u32, entry: u64, names: &mut Vec<u8>| {
        let name = u32::try_from(names.len()).unwrap_or(0);
        names.extend_from_slice(part.name.as_bytes());
        names.push(0);
        headers.extend(header(name, part, link, entry));
    };
    for part in parts {
        add(part, 0, 0, &mut names);
    }
    let count = u32::try_from(parts.len()).unwrap_or(0);
    let plain = |name: &str, kind: u32, offset: usize, size: usize| Part {
        name: name.to_owned(),
        kind,
        flags: 0,
        address: 0,
        offset: offset as u64,
        size: size as u64,
    };
    add(&plain(table, consts::SHT_SYMTAB, place, entries.len()), count + 2, 24, &mut names);
    add(&plain(".strtab", consts::SHT_STRTAB, strings_at, strings.len()), 0, 0, &mut names);
    let names_at = file.len().next_multiple_of(8);
    let size = names.len() + ".shstrtab".len() + 1;
    add(&plain(".shstrtab", consts::SHT_STRTAB, names_at, size), 0, 0, &mut names);
    append(&mut file, &names);
    let headers_at = append(&mut file, &headers);

    let mut head = Vec::with_capacity(HEADER);
    head.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    head.extend(2u16.to_le_bytes()); // ET_EXEC
    head.extend(machine.to_le_bytes());
    head.extend(1u32.to_le_bytes());
    head.extend([0; 16]); // entry, program headers
    head.extend((headers_at as u64).to_le_bytes());
    head.extend([0; 4]);
    let sizes = [HEADER as u16, 0, 0, SECTION as u16];
    head.extend(sizes.iter().flat_map(|half| half.to_le_bytes()));
    let number = u16::try_from(parts.len() + 4).unwrap_or(0);
    head.extend(number.to_le_bytes());
    head.extend(number.wrapping_sub(1).to_le_bytes());
    if let Some(room) = file.get_mut(..HEADER) {
        room.copy_from_slice(&head);
    }
    file
}

/// `Elf64_Sym`s and their names.
pub(super) fn symbol_table(parts: &[Part], symbols: &[Entry<'_>]) -> (Vec<u8>, Vec<u8>) {
    let mut strings = vec![0u8];
    let mut entries = vec![0u8; 24];
    entries.reserve(symbols.len().saturating_mul(24));
    // What lies in none of them (numbers, other mappings of an address) is listed all the same.
    let spare = parts.iter().rposition(|part| part.flags & consts::SHF_ALLOC != 0);
    for symbol in symbols {
        let inside = |part: &Part| {
            part.flags & consts::SHF_ALLOC != 0
                && symbol.address.wrapping_sub(part.address) < part.size.max(1)
        };
        let found = parts.iter().position(inside);
        let section = found.or(spare).and_then(|index| u16::try_from(index + 1).ok());
        let section = section.unwrap_or(consts::SHN_ABS);
        let executable = found
            .and_then(|index| parts.get(index))
            .is_some_and(|part| part.flags & consts::SHF_EXECINSTR != 0);
        let kind = if executable { consts::STT_FUNC } else { consts::STT_OBJECT };
        let bind = match symbol.letter {
            b'w' | b'W' | b'v' | b'V' => consts::STB_WEAK,
            letter if letter.is_ascii_lowercase() => consts::STB_LOCAL,
            _ => 1,
        };
        let name = u32::try_from(strings.len()).unwrap_or(0);
        strings.extend_from_slice(symbol.name.as_bytes());
        strings.push(0);
        entries.extend(name.to_le_bytes());
        entries.extend([bind << 4 | kind, 0]);
        entries.extend(section.to_le_bytes());
        entries.extend(symbol.address.to_le_bytes());
        entries.extend([0; 8]);
    }
    (entries, strings)
}

/// `Elf64_Shdr`.
pub(super) fn header(name: u32, part: &Part, link: u32, entry: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SECTION);
    bytes.extend(name.to_le_bytes());
    bytes.extend(part.kind.to_le_bytes());
    for number in [part.flags, part.address, part.offset, part.size] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(link.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(8u64.to_le_bytes());
    bytes.extend(entry.to_le_bytes());
    bytes
}

/// Adds bytes at the next multiple of eight; where that is.
pub(super) fn append(file: &mut Vec<u8>, bytes: &[u8]) -> usize {
    file.resize(file.len().next_multiple_of(8), 0);
    let place = file.len();
    file.extend_from_slice(bytes);
    place
}
