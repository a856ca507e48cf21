//! Boot images, compressed modules and symbol lists, turned into what [`crate::Image`] reads.
//!
//! A distribution ships no vmlinux but `vmlinuz`: a container around a compressed kernel from
//! which the symbol table was stripped. What was stripped is in it all the same, because the
//! kernel itself prints names: the tables of kallsyms. [`unpack`] takes the container apart and
//! writes what it finds as an ELF file in memory, sections and symbols included, so that
//! everything behind [`crate::Image`] is the same for a vmlinux and for what boots.

mod compressed;
mod container;
mod linked;
mod pointers;
mod raw;
mod reloc;
mod shapes;
mod synth;
mod text;
mod types;
mod wrappers;

#[cfg(test)]
mod forms_tests;
#[cfg(test)]
mod lab_tests;
#[cfg(test)]
mod tests;

use crate::ImageError;
use std::borrow::Cow;

pub use container::release as boot_release;
pub(crate) use synth::KALLSYMS;

/// Containers in containers that are opened (a compressed Image in zboot in a unified kernel image
/// is three).
const MAX_LAYERS: usize = 5;

/// The file that [`crate::Image::parse`] reads, of whatever a person has in hand: a boot image
/// (bzImage, `Image` of arm64, RISC-V and LoongArch, EFI zboot, unified kernel image, uImage, FIT,
/// Android's, each compressed with gzip, xz, lzma, lzo, lz4, zstd or bzip2), a compressed vmlinux
/// or module, `System.map` or `/proc/kallsyms`, BTF by itself. What is an ELF file with symbols
/// already is given back as it is.
///
/// What it takes is bound by the file's size: a file that unpacks to more than any kernel of that
/// size is refused.
///
/// # Errors
///
/// What it is not, or which part of it is damaged.
pub fn unpack(data: &[u8]) -> Result<Cow<'_, [u8]>, ImageError> {
    let kernel = container::open(data)?;
    match container::kind(&kernel) {
        container::Kind::Elf => {
            let made = linked::with_symbols(&kernel);
            Ok(made.map_or(kernel, Cow::Owned))
        }
        container::Kind::Raw(header) => raw::to_elf(&kernel, &header).map(Cow::Owned),
        container::Kind::Text => text::to_elf(&kernel).map(Cow::Owned),
        container::Kind::Types => types::to_elf(&kernel).map(Cow::Owned),
        container::Kind::Other => Ok(kernel),
    }
}

/// An ELF file with these sections (name, address, code or not, bytes) and symbols: for tests.
#[cfg(test)]
pub(crate) fn synthetic(
    arch: kwhy_base::Arch,
    sections: &[(&str, u64, bool, Vec<u8>)],
    symbols: &[(&str, u64)],
) -> Vec<u8> {
    let mut file = vec![0u8; 64];
    let mut parts = Vec::new();
    for (name, address, code, bytes) in sections {
        let flags = if *code { crate::elf::consts::SHF_EXECINSTR } else { 0 };
        let offset = synth::append(&mut file, bytes) as u64;
        parts.push(synth::Part::loaded(name, flags, *address, offset, bytes.len() as u64));
    }
    let entries: Vec<synth::Entry<'_>> = symbols
        .iter()
        .map(|(name, address)| synth::Entry { name, letter: b't', address: *address })
        .collect();
    synth::finish(file, arch, &parts, &entries, KALLSYMS)
}
