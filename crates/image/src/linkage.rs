//! What ties a module to its kernel and to other modules: the strings of `.modinfo`, the symbols
//! it imports and exports, their checksums, and the `struct module` that it brings along.

use crate::ImageKind;
use crate::elf::{consts, u32_at};
use crate::image::Image;
use kwhy_base::ImageAddr;
use std::collections::BTreeSet;

/// `MODULE_NAME_LEN` on 64-bit machines (include/linux/moduleparam.h): the `name` of a
/// `struct modversion_info` fills it up to 64 bytes together with the 8 bytes of the checksum.
const VERSION_ENTRY: usize = 64;

impl<'d> Image<'d> {
    /// The value of `key=value` in a module's `.modinfo`.
    #[must_use]
    pub fn modinfo(&self, key: &str) -> Option<&'d str> {
        crate::modules::modinfo(&self.elf, key)
    }

    /// What a kernel demands of a module's `vermagic` (kernel/module/main.c, `vermagic`), or a
    /// module's own.
    #[must_use]
    pub fn vermagic(&self) -> Option<String> {
        match self.kind() {
            ImageKind::Kernel => {
                let symbol = self.symbols_named("vermagic").into_iter().next()?;
                let text = self.string_at(symbol.address, 256)?;
                // A variable of that name that is no such text is not it.
                text.starts_with(|c: char| c.is_ascii_digit()).then_some(text)
            }
            ImageKind::Module(_) => self.modinfo("vermagic").map(str::to_owned),
        }
    }

    /// A section's size in bytes.
    #[must_use]
    pub fn section_size(&self, name: &str) -> Option<u64> {
        self.elf.section(name).map(|(_, section)| section.size)
    }

    /// The symbols that a module imports with the checksums it was built with (`__versions`;
    /// `struct modversion_info`, include/linux/module.h).
    #[must_use]
    pub fn symbol_versions(&self) -> Vec<(String, u32)> {
        if let Some((_, section)) = self.elf.section("__versions") {
            return self
                .elf
                .raw(section)
                .chunks_exact(VERSION_ENTRY)
                .filter_map(|entry| {
                    let name = entry.get(8..)?.split(|byte| *byte == 0).next()?;
                    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
                    Some((name.to_owned(), u32_at(entry, 0)?))
                })
                .collect();
        }
        // CONFIG_EXTENDED_MODVERSIONS: the checksums and the names in a section each.
        let raw = |name| self.elf.section(name).map(|(_, section)| self.elf.raw(section));
        let (Some(sums), Some(names)) = (raw("__version_ext_crcs"), raw("__version_ext_names")) else {
            return Vec::new();
        };
        let names = names.split(|byte| *byte == 0).filter_map(|name| std::str::from_utf8(name).ok());
        let sums = sums.chunks_exact(4).filter_map(|sum| u32_at(sum, 0));
        names.filter(|name| !name.is_empty()).map(str::to_owned).zip(sums).collect()
    }

    /// The checksum of an exported symbol: `__crc_NAME` is the sum itself where it is absolute
    /// (before 5.19 on most CPUs), else the place in `__kcrctab` where it stands.
    #[must_use]
    pub fn export_checksum(&self, name: &str) -> Option<u32> {
        let symbol = self.symbols.first_spelled(&format!("__crc_{name}"))?;
        match symbol.section {
            consts::SHN_UNDEF => None,
            consts::SHN_ABS => u32::try_from(symbol.value).ok(),
            _ => {
                let at = ImageAddr(crate::symbols::Symbols::address(&self.elf, symbol));
                self.section_at(at).filter(|section| section.name.starts_with("__kcrctab"))?;
                u32_at(&self.bytes(at, 4)?, 0)
            }
        }
    }

    /// The symbols that a module needs from outside.
    #[must_use]
    pub fn imports(&self) -> BTreeSet<String> {
        let undefined = |name: &str, section: u16| section == consts::SHN_UNDEF && !name.is_empty();
        self.symbols.names_where(&undefined)
    }

    /// The symbols that a module exports (`EXPORT_SYMBOL`: an entry `__ksymtab_NAME` each).
    #[must_use]
    pub fn exports(&self) -> BTreeSet<String> {
        let exported = |name: &str, section: u16| {
            section != consts::SHN_UNDEF && name.starts_with("__ksymtab_") && name != "__ksymtab_strings"
        };
        let names = self.symbols.names_where(&exported).into_iter();
        names.filter_map(|name| name.strip_prefix("__ksymtab_").map(str::to_owned)).collect()
    }

    /// The first `most` places in sections without code where these very bytes stand.
    #[must_use]
    pub fn find_data(&self, bytes: &[u8], most: usize) -> Vec<ImageAddr> {
        if bytes.is_empty() {
            return Vec::new();
        }
        let finder = memchr::memmem::Finder::new(bytes);
        let data = self.elf.sections.iter().filter(|section| section.loaded() && !section.executable());
        data.flat_map(|section| {
            let at = |place: usize| ImageAddr(section.address.wrapping_add(place as u64));
            finder.find_iter(self.elf.raw(section)).map(at).take(most).collect::<Vec<_>>()
        })
        .take(most)
        .collect()
    }
}
