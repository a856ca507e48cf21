//! What a boot image is wrapped in, down to the kernel itself.

use super::compressed::{self, Format};
use super::wrappers::{self, Payload};
use super::{MAX_LAYERS, text};
use crate::ImageError;
use crate::elf::{u16_at, u32_at, u64_at};
use kwhy_base::Arch;
use std::borrow::Cow;
use std::ops::Range;

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
    /// BTF by itself.
    Types,
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
    } else if super::types::is_btf(data) {
        Kind::Types
    } else if text::is_list(data) {
        Kind::Text
    } else {
        Kind::Other
    }
}

/// Documentation/arch/arm64/booting.rst (magic at 56, image_size at 16),
/// Documentation/arch/riscv/boot-image-header.rst (magic2 at 56, image_size at 16), and
/// arch/loongarch/kernel/head.S, which is known by what all PE kernels have at 56 and by its
/// machine (`IMAGE_FILE_MACHINE_LOONGARCH64`).
fn raw_header(data: &[u8]) -> Option<RawHeader> {
    const LOONGARCH64: u16 = 0x6264;
    let arch = match data.get(56..60)? {
        b"ARM\x64" => Arch::Arm64,
        b"RSC\x05" => Arch::Riscv64,
        b"\xcd\x23\x82\x81" => {
            let pe = u32_at(data, 0x3c)? as usize;
            let machine = u16_at(data, pe.checked_add(4)?)?;
            // An EFI zboot image has the same; its kernel is inside.
            let inside = data.get(4..8)? == b"zimg" || wrappers::is_bzimage(data);
            (machine == LOONGARCH64 && !inside).then_some(Arch::Loongarch64)?
        }
        _ => return None,
    };
    Some(RawHeader { arch, memory: u64_at(data, 16)? })
}

/// Takes containers off until none is left.
pub(super) fn open(data: &[u8]) -> Result<Cow<'_, [u8]>, ImageError> {
    let room = compressed::room(data.len());
    let mut bytes = Cow::Borrowed(data);
    for _ in 0..MAX_LAYERS {
        let inside = match layer(&bytes, room)? {
            Some(inside) => inside,
            None => return Ok(bytes),
        };
        bytes = match inside {
            Inside::Unpacked(unpacked) => Cow::Owned(unpacked),
            Inside::Part(part) => match bytes {
                Cow::Borrowed(all) => Cow::Borrowed(all.get(part).unwrap_or_default()),
                Cow::Owned(mut all) => {
                    all.truncate(part.end);
                    all.drain(..part.start.min(all.len()));
                    Cow::Owned(all)
                }
            },
        };
    }
    match layer(&bytes, 0) {
        Ok(None) => Ok(bytes),
        _ => Err(ImageError::Unsupported(format!(
            "a boot image in more than {MAX_LAYERS} containers: unpack the outer ones first"
        ))),
    }
}

enum Inside {
    Unpacked(Vec<u8>),
    Part(Range<usize>),
}

/// What is inside the outermost container; `None` where there is none.
fn layer(data: &[u8], room: usize) -> Result<Option<Inside>, ImageError> {
    if let Some(format) = compressed::format(data) {
        return unpacked(format, data, "the file", room).map(Some);
    }
    if let Some(Payload { what, part }) = wrappers::payload(data)? {
        let payload = data.get(part.clone()).unwrap_or_default();
        return match compressed::format(payload) {
            Some(format) => {
                let place = format!("the kernel in the {what}, at {:#x}", part.start);
                unpacked(format, payload, &place, room).map(Some)
            }
            None if matches!(kind(payload), Kind::Other)
                && wrappers::payload(payload)?.is_none()
                && !(payload.starts_with(b"MZ") || wrappers::is_bzimage(payload)) =>
            {
                Err(ImageError::Damaged(format!(
                    "the {what} puts its kernel at {:#x}, where {} stands, no kernel and no compression that is known: \
                     is the file damaged?",
                    part.start,
                    first_bytes(payload)
                )))
            }
            None => Ok(Some(Inside::Part(part))),
        };
    }
    // An executable around a kernel that says nothing of where it is: old boot headers.
    if data.starts_with(b"MZ") && raw_header(data).is_none() || wrappers::is_bzimage(data) {
        return search(data, room).map(Some);
    }
    Ok(None)
}

/// The kernel among what looks like the beginning of a compressed stream somewhere in `data`.
fn search(data: &[u8], room: usize) -> Result<Inside, ImageError> {
    let places = compressed::places(data, MAX_TRIES);
    let (mut left, mut why) = (room, Vec::new());
    for place in &places {
        let Some(rest) = data.get(*place..) else { continue };
        let Some(format) = compressed::format(rest) else { continue };
        let said = match compressed::unpack(format, rest, left) {
            Ok(inside) if matches!(kind(&inside), Kind::Elf | Kind::Raw(_)) => {
                return Ok(Inside::Unpacked(inside));
            }
            Ok(inside) => {
                // Streams that are no kernel take from what may be unpacked in all.
                left = left.saturating_sub(inside.len());
                format!("{} bytes that are no kernel", inside.len())
            }
            Err(error) => error,
        };
        why.push(format!("{} at {place:#x}: {said}", format.name()));
    }
    why.truncate(3);
    let tried = match (places.len(), why.is_empty()) {
        (0, _) | (_, true) => "nothing in it looks compressed".to_owned(),
        (count, false) => format!("{count} places look compressed ({})", why.join("; ")),
    };
    Err(ImageError::Unsupported(format!(
        "an EFI or boot executable in which no kernel is found: {tried}. Give the vmlinuz of the distribution, or the \
         vmlinux that it was made of"
    )))
}

fn unpacked(format: Format, data: &[u8], what: &str, room: usize) -> Result<Inside, ImageError> {
    compressed::unpack(format, data, room)
        .map(Inside::Unpacked)
        .map_err(|error| ImageError::Damaged(format!("{what}, packed by {}: {error}", format.name())))
}

fn first_bytes(data: &[u8]) -> String {
    let first: Vec<String> = data.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    if first.is_empty() { "nothing".into() } else { first.join(" ") }
}

/// The kernel release that a boot image names, without unpacking it: `kernel_version` of a
/// bzImage, the banner of an uncompressed kernel. `None` where only unpacking would tell.
#[must_use]
pub fn release(data: &[u8]) -> Option<String> {
    if wrappers::is_bzimage(data) {
        let at = usize::from(u16_at(data, 0x20e).filter(|at| *at != 0)?).checked_add(0x200)?;
        return release_at(data, at);
    }
    raw_header(data)?;
    // Its format string (`Linux version %s`) may come first.
    memchr::memmem::find_iter(data, b"Linux version ")
        .take(16)
        .find_map(|at| release_at(data, at.checked_add(14)?))
}

fn release_at(data: &[u8], at: usize) -> Option<String> {
    let text = data.get(at..)?;
    let text = text.get(..MAX_RELEASE.min(text.len()))?;
    let end = text.iter().position(|byte| !byte.is_ascii_graphic())?;
    let release = std::str::from_utf8(text.get(..end)?).ok()?;
    release.starts_with(|first: char| first.is_ascii_digit()).then(|| release.to_owned())
}
