//! The exception table: which instructions may fault, and where the kernel goes on when one does
//! (`struct exception_table_entry`, arch/x86/include/asm/extable.h, arch/arm64/include/asm/extable.h).
//!
//! An entry is `s32 insn, s32 fixup`, each relative to itself. x86 always has four bytes more:
//! the place of a handler, relative as well, or since types were introduced a type and its data.
//! arm64 has a type and data in 16 bits each where it has types. Which of them it is shows in the
//! table: types are small numbers, and as places they would lie in the table itself.

use crate::edges::{entries, relative};
use crate::elf::{u16_at, u32_at};
use crate::image::Image;
use kwhy_base::{Arch, ImageAddr};

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixupMeaning {
    /// The instruction accesses user memory: `copy_from_user()`, `get_user()` and their like.
    User,
    /// It reads or writes kernel memory that may not be there: `copy_from_kernel_nofault()`.
    KernelNoFault,
    /// It reads a word that may run over the end of the last page: `load_unaligned_zeropad()`.
    WordAtATime,
    /// A model-specific register that may not exist.
    Register,
    /// Something else, or the table does not say.
    Other,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixup {
    /// The entry itself.
    pub entry: ImageAddr,
    /// The instruction.
    pub instruction: ImageAddr,
    /// Where the kernel goes on after a fault there.
    pub target: ImageAddr,
    /// The type by its name in the kernel's source, or the handler's function; `None` where entries
    /// have neither.
    pub kind: Option<String>,
    /// What it is for.
    pub meaning: FixupMeaning,
}

/// What the table says of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FixupAt {
    /// The image's table was not found.
    Unknown,
    /// The table has no entry for it: a fault there is an oops.
    None,
    /// Its entry.
    Entry(Fixup),
}

/// How the entries of a table look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Two places.
    Plain,
    /// A third place: the handler's.
    Handler,
    /// `EX_TYPE_…` in the lowest byte of a word (x86).
    X86,
    /// `EX_TYPE_…` in 16 bits (arm64), numbered as when types were introduced.
    Arm64First,
    /// The same, numbered as since `EX_TYPE_FIXUP` went.
    Arm64,
}

/// arch/x86/include/asm/extable_fixup_types.h; numbers were only added.
const X86_TYPES: &[(&str, FixupMeaning)] = &[
    ("EX_TYPE_NONE", FixupMeaning::Other),
    ("EX_TYPE_DEFAULT", FixupMeaning::Other),
    ("EX_TYPE_FAULT", FixupMeaning::Other),
    ("EX_TYPE_UACCESS", FixupMeaning::User),
    ("EX_TYPE_COPY", FixupMeaning::User),
    ("EX_TYPE_CLEAR_FS", FixupMeaning::Other),
    ("EX_TYPE_FPU_RESTORE", FixupMeaning::Other),
    ("EX_TYPE_BPF", FixupMeaning::Other),
    ("EX_TYPE_WRMSR", FixupMeaning::Register),
    ("EX_TYPE_RDMSR", FixupMeaning::Register),
    ("EX_TYPE_WRMSR_SAFE", FixupMeaning::Register),
    ("EX_TYPE_RDMSR_SAFE", FixupMeaning::Register),
    ("EX_TYPE_WRMSR_IN_MCE", FixupMeaning::Register),
    ("EX_TYPE_RDMSR_IN_MCE", FixupMeaning::Register),
    ("EX_TYPE_DEFAULT_MCE_SAFE", FixupMeaning::Other),
    ("EX_TYPE_FAULT_MCE_SAFE", FixupMeaning::Other),
    ("EX_TYPE_POP_REG", FixupMeaning::Other),
    ("EX_TYPE_IMM_REG", FixupMeaning::Other),
    ("EX_TYPE_FAULT_SGX", FixupMeaning::Other),
    ("EX_TYPE_UCOPY_LEN", FixupMeaning::User),
    ("EX_TYPE_ZEROPAD", FixupMeaning::WordAtATime),
    ("EX_TYPE_ERETU", FixupMeaning::Other),
];

/// arch/arm64/include/asm/asm-extable.h, as first written.
const ARM64_FIRST_TYPES: &[(&str, FixupMeaning)] = &[
    ("EX_TYPE_NONE", FixupMeaning::Other),
    ("EX_TYPE_FIXUP", FixupMeaning::Other),
    ("EX_TYPE_BPF", FixupMeaning::Other),
    ("EX_TYPE_UACCESS_ERR_ZERO", FixupMeaning::User),
    ("EX_TYPE_LOAD_UNALIGNED_ZEROPAD", FixupMeaning::WordAtATime),
];

/// The same since user and kernel accesses have types of their own.
const ARM64_TYPES: &[(&str, FixupMeaning)] = &[
    ("EX_TYPE_NONE", FixupMeaning::Other),
    ("EX_TYPE_BPF", FixupMeaning::Other),
    ("EX_TYPE_UACCESS_ERR_ZERO", FixupMeaning::User),
    ("EX_TYPE_KACCESS_ERR_ZERO", FixupMeaning::KernelNoFault),
    ("EX_TYPE_LOAD_UNALIGNED_ZEROPAD", FixupMeaning::WordAtATime),
];

/// Entries that are looked at to tell what form they have.
const SAMPLE: usize = 64;

impl Image<'_> {
    /// What the exception table says of the instruction at `address`.
    #[must_use]
    pub fn fixup_at(&self, address: ImageAddr) -> FixupAt {
        let table = self.table("__ex_table", "__start___ex_table", "__stop___ex_table");
        let Some((bytes, start)) = table else {
            // A module without a table has no entries; of a kernel it was not found.
            return if self.elf.relocatable { FixupAt::None } else { FixupAt::Unknown };
        };
        let bytes = bytes.as_slice();
        let Some(size) = self.fixup_size(bytes, start) else { return FixupAt::Unknown };
        let found = entries(start, bytes, size).find(|(at, entry)| relative(*at, entry, 0) == address.0);
        let Some((at, entry)) = found else { return FixupAt::None };
        let form = self.fixup_form(bytes, start, size);
        let (kind, meaning) = self.fixup_kind(form, at, entry);
        FixupAt::Entry(Fixup {
            entry: ImageAddr(at),
            instruction: address,
            target: ImageAddr(relative(at, entry, 4)),
            kind,
            meaning,
        })
    }

    /// Bytes an entry.
    pub(crate) fn fixup_size(&self, bytes: &[u8], start: u64) -> Option<usize> {
        let sizes: &[usize] = if self.elf.arch == Arch::X86_64 { &[12] } else { &[12, 8] };
        let fits = |size: usize| {
            bytes.len().is_multiple_of(size)
                && entries(start, bytes, size).take(SAMPLE).all(|(at, entry)| {
                    self.is_code(relative(at, entry, 0)) && self.is_code(relative(at, entry, 4))
                })
        };
        sizes.iter().copied().find(|size| fits(*size))
    }

    fn fixup_form(&self, bytes: &[u8], start: u64, size: usize) -> Form {
        if size == 8 {
            return Form::Plain;
        }
        if self.elf.arch == Arch::X86_64 {
            let handler = |(at, entry): (u64, &[u8])| self.is_code(relative(at, entry, 8));
            let handlers = entries(start, bytes, size).take(SAMPLE).all(handler);
            return if handlers { Form::Handler } else { Form::X86 };
        }
        // Type 1 was the plain fixup, which most entries were; since then it is that of code that
        // is compiled while the kernel runs, whose entries are in no image.
        let plain = entries(start, bytes, size).any(|(_, entry)| u16_at(entry, 8) == Some(1));
        if plain { Form::Arm64First } else { Form::Arm64 }
    }

    fn fixup_kind(&self, form: Form, at: u64, entry: &[u8]) -> (Option<String>, FixupMeaning) {
        let named = |types: &[(&str, FixupMeaning)], number: u32| {
            let known = usize::try_from(number).ok().and_then(|number| types.get(number));
            match known {
                Some((name, meaning)) => (Some((*name).to_owned()), *meaning),
                None => (Some(format!("EX_TYPE {number}")), FixupMeaning::Other),
            }
        };
        match form {
            Form::Plain => (None, FixupMeaning::Other),
            Form::Handler => {
                let symbol = self.symbol_at(ImageAddr(relative(at, entry, 8)));
                let name = symbol.map(|symbol| symbol.name);
                let has = |word: &str| name.as_deref().is_some_and(|name| name.contains(word));
                let meaning = match () {
                    () if has("uaccess") || has("copy") => FixupMeaning::User,
                    () if has("msr") => FixupMeaning::Register,
                    () => FixupMeaning::Other,
                };
                (name, meaning)
            }
            Form::X86 => {
                let word = u32_at(entry, 8).unwrap_or(0);
                let (name, meaning) = named(X86_TYPES, word & 0xff);
                // `-EFAULT` in a register is what get_user() and put_user() give (EX_TYPE_EFAULT_REG).
                let fault = word & 0xff == 17 && (word as i32) >> 16 == -14;
                (name, if fault { FixupMeaning::User } else { meaning })
            }
            Form::Arm64First => named(ARM64_FIRST_TYPES, u32::from(u16_at(entry, 8).unwrap_or(0))),
            Form::Arm64 => named(ARM64_TYPES, u32::from(u16_at(entry, 8).unwrap_or(0))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::synthetic;

    const TEXT: u64 = 0xffff_ffff_8100_0000;
    const TABLE: u64 = 0xffff_ffff_8200_0000;

    /// A table of entries: (instruction, fixup, third word); addresses count from the text's start.
    fn table(entries: &[(u64, u64, Option<u32>)]) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::new();
        let relative = |bytes: &mut Vec<u8>, to: u64| {
            let at = TABLE + bytes.len() as u64;
            bytes.extend((TEXT.wrapping_add(to).wrapping_sub(at) as u32).to_le_bytes());
        };
        for (from, to, third) in entries {
            relative(&mut bytes, *from);
            relative(&mut bytes, *to);
            match third {
                Some(0x8000_0000) => relative(&mut bytes, 0x40),
                Some(word) => bytes.extend(word.to_le_bytes()),
                None => {}
            }
        }
        bytes
    }

    fn asked(arch: Arch, entries: &[(u64, u64, Option<u32>)], at: u64) -> FixupAt {
        let file = synthetic(
            arch,
            &[(".text", TEXT, true, vec![0x90; 0x100]), ("__ex_table", TABLE, false, table(entries))],
            &[("f", TEXT), ("ex_handler_uaccess", TEXT + 0x40)],
        );
        Image::parse(&file).unwrap().fixup_at(ImageAddr(TEXT + at))
    }

    fn entry(found: FixupAt) -> Fixup {
        let FixupAt::Entry(fixup) = found else { panic!("no entry: {found:?}") };
        fixup
    }

    #[test]
    fn types_handlers_and_entries_with_neither_are_told_by_their_form() {
        let types = [(0x10, 0x80, Some(3)), (0x20, 0x84, Some(20)), (0x30, 0x88, Some(0xfff2_0011))];
        let found = entry(asked(Arch::X86_64, &types, 0x10));
        assert_eq!((found.kind.as_deref(), found.meaning), (Some("EX_TYPE_UACCESS"), FixupMeaning::User));
        assert_eq!((found.entry.0, found.target.0), (TABLE, TEXT + 0x80));
        let found = entry(asked(Arch::X86_64, &types, 0x20));
        assert_eq!(found.meaning, FixupMeaning::WordAtATime);
        let found = entry(asked(Arch::X86_64, &types, 0x30));
        assert_eq!((found.kind.as_deref(), found.meaning), (Some("EX_TYPE_IMM_REG"), FixupMeaning::User));

        let handlers = [(0x10, 0x80, Some(0x8000_0000))];
        let found = entry(asked(Arch::X86_64, &handlers, 0x10));
        assert_eq!((found.kind.as_deref(), found.meaning), (Some("ex_handler_uaccess"), FixupMeaning::User));

        let found = entry(asked(Arch::Arm64, &[(0x10, 0x80, None), (0x20, 0x80, None)], 0x20));
        assert_eq!((found.kind, found.meaning), (None, FixupMeaning::Other));
        assert_eq!(found.entry.0, TABLE + 8);
    }

    #[test]
    fn arm64_types_were_numbered_anew() {
        let first = [(0x10, 0x80, Some(1)), (0x20, 0x80, Some(3))];
        assert_eq!(entry(asked(Arch::Arm64, &first, 0x20)).meaning, FixupMeaning::User);
        let since = [(0x10, 0x80, Some(2)), (0x20, 0x80, Some(3))];
        assert_eq!(entry(asked(Arch::Arm64, &since, 0x10)).meaning, FixupMeaning::User);
        assert_eq!(entry(asked(Arch::Arm64, &since, 0x20)).meaning, FixupMeaning::KernelNoFault);
    }

    #[test]
    fn no_entry_and_no_table_are_two_things() {
        assert_eq!(asked(Arch::X86_64, &[(0x10, 0x80, Some(3))], 0x14), FixupAt::None);
        let file = synthetic(Arch::X86_64, &[(".text", TEXT, true, vec![0x90; 0x100])], &[("f", TEXT)]);
        assert_eq!(Image::parse(&file).unwrap().fixup_at(ImageAddr(TEXT)), FixupAt::Unknown);
    }
}
