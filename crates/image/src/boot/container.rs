//! What a boot image is wrapped in, down to the kernel itself.

use super::compressed::{self, Format};
use super::{MAX_LAYERS, text};
use crate::ImageError;
use crate::elf::{u16_at, u32_at, u64_at};
use kwhy_base::Arch;
use std::borrow::Cow;

/// Streams that are tried in an executable whose header says nothing of where its payload is.
const MAX_TRIES: usize = 16;
/// Longest release that a header is believed to hold (`UTS_RELEASE` is at most 64 characters).
const MAX_RELEASE: usize = 64;

/// What a file is once nothing is around it any more.
pub(super) enum Kind {
    /// vmlinux or a module.
    Elf,
    /// A kernel without any headers but the boot loader's.
    Raw(RawHeader),
    /// A list of symbols.
    Text,
    /// Nothing that is known here.
    Other,
}

/// What the header of an uncompressed kernel tells.
pub(super) struct RawHeader {
    pub arch: Arch,
    /// Bytes in memory, `.bss` included; 0 where it is not told.
    pub memory: u64,
}

/// What `data` is.
pub(super) fn kind(data: &[u8]) -> Kind {
    if data.starts_with(b"\x7fELF") {
        Kind::Elf
    } else if let Some(header) = raw_header(data) {
        Kind::Raw(header)
    } else if text::is_list(data) {
        Kind::Text
    } else {
        Kind::Other
    }
}

/// Documentation/arch/arm64/booting.rst (magic at 56, image_size at 16) and
/// Documentation/arch/riscv/boot-image-header.rst (magic2 at 56, image_size at 16).
fn raw_header(data: &[u8]) -> Option<RawHeader> {
    let arch = match data.get(56..60)? {
        b"ARM\x64" => Arch::Arm64,
        b"RSC\x05" => Arch::Riscv64,
        _ => return None,
    };
    Some(RawHeader { arch, memory: u64_at(data, 16)? })
}

/// Takes containers off until none is left.
pub(super) fn open(data: &[u8]) -> Result<Cow<'_, [u8]>, ImageError> {
    let mut bytes = Cow::Borrowed(data);
    for _ in 0..MAX_LAYERS {
        let inside = match layer(&bytes)? {
            Some(inside) => inside,
            None => return Ok(bytes),
        };
        bytes = match inside {
            Inside::Unpacked(unpacked) => Cow::Owned(unpacked),
            Inside::Part(start, end) => match bytes {
                Cow::Borrowed(all) => Cow::Borrowed(all.get(start..end).unwrap_or_default()),
                Cow::Owned(all) => Cow::Owned(all.get(start..end).unwrap_or_default().to_vec()),
            },
        };
    }
    Ok(bytes)
}

enum Inside {
    Unpacked(Vec<u8>),
    Part(usize, usize),
}

/// What is inside the outermost container; `None` where there is none.
fn layer(data: &[u8]) -> Result<Option<Inside>, ImageError> {
    if let Some(format) = compressed::format(data) {
        return unpacked(format, data, "the file").map(Some);
    }
    if let Some((start, end)) = zboot(data).or_else(|| bzimage(data)) {
        let payload = data.get(start..end).unwrap_or_default();
        return match compressed::format(payload) {
            Some(format) => unpacked(format, payload, "the boot image's payload").map(Some),
            None if payload.starts_with(b"\x7fELF") || raw_header(payload).is_some() => {
                Ok(Some(Inside::Part(start, end)))
            }
            None => Err(ImageError::Damaged(format!(
                "the boot image's payload at {start:#x} is compressed in no known way"
            ))),
        };
    }
    if let Some((start, end)) = pe_section(data, b".linux") {
        return Ok(Some(Inside::Part(start, end)));
    }
    // An executable around a kernel that says nothing of where it is: old boot headers.
    if data.starts_with(b"MZ") && raw_header(data).is_none() || is_bzimage(data) {
        for place in compressed::places(data, MAX_TRIES) {
            let Some(rest) = data.get(place..) else { continue };
            let Some(Ok(inside)) = compressed::format(rest).map(|format| compressed::unpack(format, rest))
            else {
                continue;
            };
            if matches!(kind(&inside), Kind::Elf | Kind::Raw(_)) {
                return Ok(Some(Inside::Unpacked(inside)));
            }
        }
        return Err(ImageError::Unsupported("a boot image in which no kernel is found".into()));
    }
    Ok(None)
}

fn unpacked(format: Format, data: &[u8], what: &str) -> Result<Inside, ImageError> {
    compressed::unpack(format, data)
        .map(Inside::Unpacked)
        .map_err(|error| ImageError::Damaged(format!("{what} ({format:?}): {error}")))
}

fn is_bzimage(data: &[u8]) -> bool {
    data.get(0x202..0x206) == Some(b"HdrS")
}

/// Documentation/arch/x86/boot.rst: `payload_offset` and `payload_length` (protocol 2.08) count
/// from the protected-mode code, which follows `setup_sects` + 1 sectors of real mode.
fn bzimage(data: &[u8]) -> Option<(usize, usize)> {
    if !is_bzimage(data) || u16_at(data, 0x206)? < 0x208 {
        return None;
    }
    let sectors = match data.get(0x1f1)? {
        0 => 4,
        count => usize::from(*count),
    };
    let start = (sectors + 1).checked_mul(512)?.checked_add(u32_at(data, 0x248)? as usize)?;
    let end = start.checked_add(u32_at(data, 0x24c)? as usize)?;
    (start < end && end <= data.len()).then_some((start, end))
}

/// drivers/firmware/efi/libstub/zboot-header.S: `MZ`, `zimg` at 4, payload offset and size at 8.
fn zboot(data: &[u8]) -> Option<(usize, usize)> {
    if !data.starts_with(b"MZ") || data.get(4..8) != Some(b"zimg") {
        return None;
    }
    let start = u32_at(data, 8)? as usize;
    let end = start.checked_add(u32_at(data, 12)? as usize)?;
    (start < end && end <= data.len()).then_some((start, end))
}

/// A section of a PE file by name: unified kernel images hold the kernel in `.linux`.
fn pe_section(data: &[u8], wanted: &[u8]) -> Option<(usize, usize)> {
    if !data.starts_with(b"MZ") {
        return None;
    }
    let header = u32_at(data, 0x3c)? as usize;
    if data.get(header..header.checked_add(4)?) != Some(b"PE\0\0") {
        return None;
    }
    let count = usize::from(u16_at(data, header.checked_add(6)?)?);
    let optional = usize::from(u16_at(data, header.checked_add(20)?)?);
    let table = header.checked_add(24)?.checked_add(optional)?;
    (0..count.min(96)).find_map(|index| {
        let entry = table.checked_add(index * 40)?;
        let name = data.get(entry..entry.checked_add(8)?)?;
        if name.split(|byte| *byte == 0).next()? != wanted {
            return None;
        }
        // VirtualSize at 8 is what is meant; SizeOfRawData at 16 is rounded up.
        let size = u32_at(data, entry + 8)?.min(u32_at(data, entry + 16)?) as usize;
        let start = u32_at(data, entry + 20)? as usize;
        let end = start.checked_add(size)?;
        (size > 0 && end <= data.len()).then_some((start, end))
    })
}

/// The kernel release that a boot image names, without unpacking it: `kernel_version` of a
/// bzImage, the banner of an uncompressed kernel. `None` where only unpacking would tell.
#[must_use]
pub fn release(data: &[u8]) -> Option<String> {
    let text = if is_bzimage(data) {
        let at = usize::from(u16_at(data, 0x20e).filter(|at| *at != 0)?).checked_add(0x200)?;
        data.get(at..)?
    } else {
        raw_header(data)?;
        let at = memchr::memmem::find(data, b"Linux version ")?;
        data.get(at.checked_add(14)?..)?
    };
    let text = text.get(..MAX_RELEASE.min(text.len()))?;
    let end = text.iter().position(|byte| !byte.is_ascii_graphic())?;
    let release = std::str::from_utf8(text.get(..end)?).ok()?;
    release.starts_with(|first: char| first.is_ascii_digit()).then(|| release.to_owned())
}
