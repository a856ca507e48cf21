//! ELF headers and section contents. Only the headers are read when a file is opened.

use crate::ImageError;
use crate::joined::Other;
use crate::reader::Bytes;
use kwhy_base::Arch;
use object::LittleEndian as LE;
use object::elf;
use object::read::elf::{FileHeader, SectionHeader};

/// More than any section of a kernel, compressed or not: a size beyond it is damage.
const MAX_DECOMPRESSED: u64 = 4 << 30;
/// zlib's limit is 1032:1; zstd can do better, but not on debug information.
const MAX_RATIO: u64 = 2000;

/// A section header, with the address that the image's layout gave it.
#[derive(Clone, Debug)]
pub(crate) struct Section<'d> {
    pub name: &'d str,
    /// `SHT_*`.
    pub kind: u32,
    /// `SHF_*`.
    pub flags: u64,
    /// `sh_addr`; for modules, where the layout put it (0 for sections that are not loaded).
    pub address: u64,
    pub offset: u64,
    pub size: u64,
    pub link: u32,
    pub info: u32,
    pub align: u64,
    /// The bytes, where another file than this one has them (see [`crate::joined`]).
    pub elsewhere: Option<&'d [u8]>,
    /// A table of relocations whose symbols are those of that other file.
    pub foreign: bool,
}

impl Section<'_> {
    pub(crate) fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn loaded(&self) -> bool {
        self.has(consts::SHF_ALLOC)
    }

    pub(crate) fn executable(&self) -> bool {
        self.has(consts::SHF_EXECINSTR)
    }

    pub(crate) fn contains(&self, address: u64) -> bool {
        address.checked_sub(self.address).is_some_and(|offset| offset < self.size)
    }

    pub(crate) fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }
}

/// A file whose headers have been read.
pub(crate) struct Elf<'d> {
    pub data: &'d [u8],
    pub arch: Arch,
    /// `ET_REL`: a module, whose sections have no addresses of their own.
    pub relocatable: bool,
    /// Index 0 is the null section, as in the file.
    pub sections: Vec<Section<'d>>,
    /// The file that has the code, where this one has debug information only.
    pub other: Option<Box<Other<'d>>>,
}

impl<'d> Elf<'d> {
    pub(crate) fn parse(data: &'d [u8], problems: &mut Vec<String>) -> Result<Elf<'d>, ImageError> {
        let ident = data
            .get(..20)
            .ok_or_else(|| ImageError::NotElf(format!("{} bytes: shorter than an ELF header", data.len())))?;
        if ident.get(..4) != Some(&elf::ELFMAG) {
            return Err(ImageError::NotElf(describe(data)));
        }
        let (class, order) = (ident.get(4).copied(), ident.get(5).copied());
        let half = |bytes: Option<&[u8]>| match bytes {
            Some(&[a, b]) if order == Some(consts::ELFDATA2MSB) => u16::from_be_bytes([a, b]),
            Some(&[a, b]) => u16::from_le_bytes([a, b]),
            _ => 0,
        };
        let (etype, machine) = (half(ident.get(16..18)), half(ident.get(18..20)));
        if class != Some(consts::ELFCLASS64) || order != Some(consts::ELFDATA2LSB) {
            return Err(ImageError::Unsupported(format!(
                "a {}-bit {}-endian ELF file for {}; only 64-bit little-endian kernels are read",
                if class == Some(consts::ELFCLASS32) { 32 } else { 64 },
                if order == Some(consts::ELFDATA2MSB) { "big" } else { "little" },
                machine_name(machine),
            )));
        }
        let arch = match machine {
            consts::EM_X86_64 => Arch::X86_64,
            consts::EM_AARCH64 => Arch::Arm64,
            consts::EM_RISCV => Arch::Riscv64,
            consts::EM_PPC64 => Arch::Ppc64,
            consts::EM_LOONGARCH => Arch::Loongarch64,
            consts::EM_MIPS => Arch::Mips,
            other => {
                return Err(ImageError::Unsupported(format!("an ELF file for {}", machine_name(other))));
            }
        };
        let relocatable = match etype {
            consts::ET_REL => true,
            consts::ET_EXEC | consts::ET_DYN => false,
            consts::ET_CORE => {
                return Err(ImageError::Unsupported("a core dump, not a kernel image or module".into()));
            }
            other => return Err(ImageError::Unsupported(format!("an ELF file of type {other}"))),
        };
        let header = elf::FileHeader64::<LE>::parse(data)
            .map_err(|error| ImageError::Damaged(format!("file header: {error}")))?;
        let headers = header.section_headers(LE, data).map_err(|error| {
            ImageError::Damaged(format!("section headers: {error} (is the file cut off?)"))
        })?;
        if headers.is_empty() {
            return Err(ImageError::Damaged(
                "no section headers (stripped of everything, or cut off)".into(),
            ));
        }
        let names = match header.section_strings(LE, data, headers) {
            Ok(names) => names,
            Err(error) => {
                problems.push(format!("section names cannot be read: {error}"));
                Default::default()
            }
        };
        let sections = headers
            .iter()
            .map(|header| Section {
                name: header
                    .name(LE, names)
                    .ok()
                    .and_then(|name| std::str::from_utf8(name).ok())
                    .unwrap_or_default(),
                kind: header.sh_type(LE).0,
                flags: header.sh_flags(LE).0,
                address: if relocatable { 0 } else { header.sh_addr.get(LE) },
                offset: header.sh_offset.get(LE),
                size: header.sh_size.get(LE),
                link: header.sh_link(LE),
                info: header.sh_info(LE),
                align: header.sh_addralign.get(LE),
                elsewhere: None,
                foreign: false,
            })
            .collect();
        Ok(Elf { data, arch, relocatable, sections, other: None })
    }

    pub(crate) fn section(&self, name: &str) -> Option<(usize, &Section<'d>)> {
        self.sections.iter().enumerate().find(|(_, section)| section.name == name)
    }

    /// The bytes of a section in the file; as many as the file still has.
    pub(crate) fn raw(&self, section: &Section<'d>) -> &'d [u8] {
        if let Some(bytes) = section.elsewhere {
            return bytes;
        }
        if section.kind == consts::SHT_NOBITS || section.kind == consts::SHT_NULL {
            return &[];
        }
        let Ok(start) = usize::try_from(section.offset) else { return &[] };
        let size = usize::try_from(section.size).unwrap_or(usize::MAX);
        let rest = self.data.get(start..).unwrap_or(&[]);
        rest.get(..size).unwrap_or(rest)
    }

    /// The contents of a section that is not loaded (debug information), decompressed.
    pub(crate) fn contents(&self, section: &Section<'d>) -> Result<Bytes<'d>, String> {
        let raw = self.raw(section);
        if !section.has(consts::SHF_COMPRESSED) {
            return Ok(Bytes::Mapped(raw));
        }
        // Elf64_Chdr: ch_type u32, ch_reserved u32, ch_size u64, ch_addralign u64.
        let kind = u32_at(raw, 0).ok_or("compression header is cut off")?;
        let size = u64_at(raw, 8).ok_or("compression header is cut off")?;
        let packed = raw.get(24..).ok_or("compression header is cut off")?;
        let format = match kind {
            consts::ELFCOMPRESS_ZLIB => object::CompressionFormat::Zlib,
            consts::ELFCOMPRESS_ZSTD => object::CompressionFormat::Zstandard,
            other => return Err(format!("unknown compression {other}")),
        };
        if size > MAX_DECOMPRESSED || size > (packed.len() as u64).saturating_mul(MAX_RATIO) {
            return Err(format!("claims to unpack {} bytes to {size}", packed.len()));
        }
        object::CompressedData { format, data: packed, uncompressed_size: size }
            .decompress()
            .map(|bytes| Bytes::owned(bytes.into_owned()))
            .map_err(|error| format!("cannot be decompressed: {error}"))
    }
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

/// What a file that is no ELF file is, as far as its first bytes tell.
fn describe(data: &[u8]) -> String {
    let starts = |magic: &[u8]| data.starts_with(magic);
    if starts(&[0x1f, 0x8b]) {
        "gzip data: unpack it first".into()
    } else if starts(&[0xfd, b'7', b'z', b'X', b'Z']) {
        "xz data: unpack it first (xz -dk)".into()
    } else if starts(&[0x28, 0xb5, 0x2f, 0xfd]) {
        "zstd data: unpack it first (zstd -dk)".into()
    } else if data.get(0x202..0x206) == Some(b"HdrS") {
        "a bzImage: the boot image has no symbols; the vmlinux with debug information is needed".into()
    } else if starts(b"MZ") {
        "a boot image (EFI stub); the vmlinux with debug information is needed".into()
    } else if starts(b"!<arch>") {
        "an archive or Debian package".into()
    } else {
        let first: Vec<String> = data.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("it starts with {}", first.join(" "))
    }
}

fn machine_name(machine: u16) -> String {
    match machine {
        consts::EM_386 => "i386".into(),
        consts::EM_ARM => "arm".into(),
        consts::EM_S390 => "s390x".into(),
        consts::EM_PPC | consts::EM_PPC64 => "powerpc".into(),
        consts::EM_MIPS => "mips".into(),
        consts::EM_RISCV => "riscv".into(),
        consts::EM_X86_64 => "x86_64".into(),
        consts::EM_AARCH64 => "arm64".into(),
        consts::EM_SPARCV9 => "sparc64".into(),
        other => format!("machine {other}"),
    }
}

/// ELF's numbers as plain integers, which is what hostile input is compared with.
pub(crate) mod consts {
    use object::elf;
    pub(crate) const ELFCLASS32: u8 = elf::ELFCLASS32.0;
    pub(crate) const ELFCLASS64: u8 = elf::ELFCLASS64.0;
    pub(crate) const ELFCOMPRESS_ZLIB: u32 = elf::ELFCOMPRESS_ZLIB.0;
    pub(crate) const ELFCOMPRESS_ZSTD: u32 = elf::ELFCOMPRESS_ZSTD.0;
    pub(crate) const ELFDATA2LSB: u8 = elf::ELFDATA2LSB.0;
    pub(crate) const ELFDATA2MSB: u8 = elf::ELFDATA2MSB.0;
    pub(crate) const EM_386: u16 = elf::EM_386.0;
    pub(crate) const EM_AARCH64: u16 = elf::EM_AARCH64.0;
    pub(crate) const EM_ARM: u16 = elf::EM_ARM.0;
    pub(crate) const EM_LOONGARCH: u16 = elf::EM_LOONGARCH.0;
    pub(crate) const EM_MIPS: u16 = elf::EM_MIPS.0;
    pub(crate) const EM_PPC: u16 = elf::EM_PPC.0;
    pub(crate) const EM_PPC64: u16 = elf::EM_PPC64.0;
    pub(crate) const EM_RISCV: u16 = elf::EM_RISCV.0;
    pub(crate) const EM_S390: u16 = elf::EM_S390.0;
    pub(crate) const EM_SPARCV9: u16 = elf::EM_SPARCV9.0;
    pub(crate) const EM_X86_64: u16 = elf::EM_X86_64.0;
    pub(crate) const ET_CORE: u16 = elf::ET_CORE.0;
    pub(crate) const ET_DYN: u16 = elf::ET_DYN.0;
    pub(crate) const ET_EXEC: u16 = elf::ET_EXEC.0;
    pub(crate) const ET_REL: u16 = elf::ET_REL.0;
    pub(crate) const SHF_ALLOC: u64 = elf::SHF_ALLOC.0;
    pub(crate) const SHF_COMPRESSED: u64 = elf::SHF_COMPRESSED.0;
    pub(crate) const SHF_EXECINSTR: u64 = elf::SHF_EXECINSTR.0;
    pub(crate) const SHF_WRITE: u64 = elf::SHF_WRITE.0;
    pub(crate) const SHN_ABS: u16 = elf::SHN_ABS.0;
    pub(crate) const SHN_COMMON: u16 = elf::SHN_COMMON.0;
    pub(crate) const SHN_LORESERVE: u16 = elf::SHN_LORESERVE;
    pub(crate) const SHN_UNDEF: u16 = elf::SHN_UNDEF.0;
    pub(crate) const SHT_NOBITS: u32 = elf::SHT_NOBITS.0;
    pub(crate) const SHT_NOTE: u32 = elf::SHT_NOTE.0;
    pub(crate) const SHT_PROGBITS: u32 = elf::SHT_PROGBITS.0;
    pub(crate) const SHT_STRTAB: u32 = elf::SHT_STRTAB.0;
    pub(crate) const SHT_NULL: u32 = elf::SHT_NULL.0;
    pub(crate) const SHT_RELA: u32 = elf::SHT_RELA.0;
    pub(crate) const SHT_SYMTAB: u32 = elf::SHT_SYMTAB.0;
    pub(crate) const STB_LOCAL: u8 = elf::STB_LOCAL.0;
    pub(crate) const STB_WEAK: u8 = elf::STB_WEAK.0;
    pub(crate) const STT_FILE: u8 = elf::STT_FILE.0;
    pub(crate) const STT_FUNC: u8 = elf::STT_FUNC.0;
    pub(crate) const STT_GNU_IFUNC: u8 = elf::STT_GNU_IFUNC.0;
    pub(crate) const STT_NOTYPE: u8 = elf::STT_NOTYPE.0;
    pub(crate) const STT_OBJECT: u8 = elf::STT_OBJECT.0;
    pub(crate) const STT_SECTION: u8 = elf::STT_SECTION.0;
}
