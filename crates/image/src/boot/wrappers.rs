//! The headers that boot loaders want before a kernel, and where they say that it is.

use crate::ImageError;
use crate::elf::{u16_at, u32_at};
use std::ops::Range;

/// Nodes and properties of a device tree that are looked at.
const MAX_TOKENS: usize = 4096;

/// Where a wrapper has its kernel.
pub(super) struct Payload {
    /// What the wrapper is called.
    pub what: &'static str,
    pub part: Range<usize>,
}

/// Where the kernel is, by the header that `data` begins with; `None` where no header is known,
/// or where it does not say.
///
/// # Errors
///
/// When the header says where the kernel is, and the file ends before.
pub(super) fn payload(data: &[u8]) -> Result<Option<Payload>, ImageError> {
    let known: [(&'static str, Option<(usize, usize)>); 6] = [
        ("EFI zboot image", zboot(data)),
        ("bzImage", bzimage(data)),
        ("uImage", uimage(data)),
        ("FIT image", fit(data)),
        ("Android boot image", android(data)),
        ("unified kernel image", pe_section(data, b".linux")),
    ];
    let Some((what, start, size)) = known.into_iter().find_map(|(what, place)| {
        let (start, size) = place?;
        Some((what, start, size))
    }) else {
        return Ok(None);
    };
    match start.checked_add(size).filter(|end| *end <= data.len()) {
        Some(end) if size > 0 => Ok(Some(Payload { what, part: start..end })),
        _ => Err(ImageError::Damaged(format!(
            "the {what} is cut off: its kernel ends at byte {}, and the file at byte {}. Copy it again",
            start.saturating_add(size),
            data.len()
        ))),
    }
}

pub(super) fn is_bzimage(data: &[u8]) -> bool {
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
    let size = u32_at(data, 0x24c)? as usize;
    // Boot loaders of their own (kexec's tools, coreboot's) leave the field empty.
    (size > 0).then_some((start, size))
}

/// drivers/firmware/efi/libstub/zboot-header.S: `MZ`, `zimg` at 4, payload offset and size at 8.
fn zboot(data: &[u8]) -> Option<(usize, usize)> {
    if !data.starts_with(b"MZ") || data.get(4..8) != Some(b"zimg") {
        return None;
    }
    Some((u32_at(data, 8)? as usize, u32_at(data, 12)? as usize))
}

fn word(data: &[u8], at: usize) -> Option<usize> {
    let bytes = data.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}

/// U-Boot's image header (include/image.h there): magic, and the size of the data at 12, all
/// big-endian; the data begins behind its 64 bytes.
fn uimage(data: &[u8]) -> Option<(usize, usize)> {
    const MAGIC: &[u8] = b"\x27\x05\x19\x56";
    data.starts_with(MAGIC).then_some((64, word(data, 12)?))
}

/// U-Boot's flattened image tree: a device tree with the images in it. Of several kernels the
/// first counts.
fn fit(data: &[u8]) -> Option<(usize, usize)> {
    const MAGIC: &[u8] = b"\xd0\x0d\xfe\xed";
    const BEGIN: usize = 1;
    const END: usize = 2;
    const PROPERTY: usize = 3;
    const NOTHING: usize = 4;
    if !data.starts_with(MAGIC) {
        return None;
    }
    let (total, strings) = (word(data, 4)?, word(data, 12)?);
    // Names come last: without them nothing is found.
    if total > data.len() {
        return Some((0, total));
    }
    let text = |at: usize| -> Option<&[u8]> {
        let rest = data.get(at..)?;
        rest.get(..memchr::memchr(0, rest)?)
    };
    let mut at = word(data, 8)?;
    let mut path: Vec<&[u8]> = Vec::new();
    let (mut kernel, mut inline) = (false, None);
    let (mut offset, mut position, mut size) = (None, None, None);
    for _ in 0..MAX_TOKENS {
        let token = word(data, at)?;
        at = at.checked_add(4)?;
        match token {
            BEGIN => {
                let name = text(at)?;
                at = at.checked_add(name.len())?.checked_add(4)? & !3;
                path.push(name);
                if path.len() == 3 {
                    (kernel, inline, offset, position, size) = (false, None, None, None, None);
                }
            }
            END => {
                let image = path.len() == 3 && path.get(1) == Some(&&b"images"[..]);
                if image && kernel {
                    // Data outside the tree is counted from its end, rounded up to words, or from
                    // the start of the file.
                    let outside =
                        offset.map(|offset: usize| (total.next_multiple_of(4)).saturating_add(offset));
                    return inline.or_else(|| position.or(outside).zip(size));
                }
                path.pop()?;
            }
            PROPERTY => {
                let (length, name) = (word(data, at)?, word(data, at.checked_add(4)?)?);
                let value = at.checked_add(8)?;
                at = value.checked_add(length)?.checked_add(3)? & !3;
                if path.len() != 3 {
                    continue;
                }
                match text(strings.checked_add(name)?)? {
                    b"type" => kernel = data.get(value..).is_some_and(|text| text.starts_with(b"kernel\0")),
                    b"data" => inline = Some((value, length)),
                    b"data-offset" => offset = word(data, value),
                    b"data-position" => position = word(data, value),
                    b"data-size" => size = word(data, value),
                    _ => {}
                }
            }
            NOTHING => {}
            _ => return None,
        }
    }
    None
}

/// Android's boot image (include/bootimg/bootimg.h of its tools): the kernel's size at 8, in the
/// first page behind the header's. Pages have the size at 36, from version 3 on 4096 bytes.
fn android(data: &[u8]) -> Option<(usize, usize)> {
    if !data.starts_with(b"ANDROID!") {
        return None;
    }
    let page = match u32_at(data, 40)? {
        3 | 4 => 4096,
        _ => u32_at(data, 36)? as usize,
    };
    Some((page, u32_at(data, 8)? as usize))
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
        let size = u32_at(data, entry.checked_add(8)?)?.min(u32_at(data, entry.checked_add(16)?)?) as usize;
        Some((u32_at(data, entry.checked_add(20)?)? as usize, size))
    })
}
