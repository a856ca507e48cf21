//! The compressions that kernels and modules come in (init/Kconfig, `KERNEL_GZIP` to
//! `KERNEL_ZSTD`; kernel/module/Kconfig, `MODULE_COMPRESS_*`).

use crate::elf::u32_at;
use std::io::Read;

/// What anything unpacks to at most: 2 GiB. A vmlinux with debug information has 0.6 of them.
const MOST: usize = 2 << 30;
/// What a small file may unpack to, and how many times its size a larger one: kernels with all
/// their zeroes unpack to six times their size. More is a bomb.
const LEAST_ROOM: usize = 64 << 20;
const MAX_RATIO: usize = 24;
/// Memory for a decoder's window, in KiB: 192 MiB, above the 128 MiB of `zstd --ultra -22`.
const WINDOW_KIB: u32 = 192 << 10;
/// A block of lz4's legacy format, unpacked (scripts/Makefile.lib calls `lz4 -l`).
const LZ4_BLOCK: usize = 8 << 20;
/// A block of lzop's is 256 KiB; the kernel's own decoder knows no others (lib/decompress_unlzo.c).
const LZO_BLOCK: usize = 256 << 10;

/// A compressed format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Gzip,
    Xz,
    Lzma,
    Lzo,
    Lz4,
    Zstd,
    Bzip2,
}

/// How each begins. LZMA has no magic but properties of 0x5d and a dictionary of whole 64 KiB.
const MAGICS: [(Format, &[u8]); 8] = [
    (Format::Gzip, b"\x1f\x8b\x08"),
    (Format::Xz, b"\xfd7zXZ\0"),
    (Format::Zstd, b"\x28\xb5\x2f\xfd"),
    (Format::Lz4, b"\x02\x21\x4c\x18"),
    (Format::Lz4, b"\x04\x22\x4d\x18"),
    (Format::Lzo, b"\x89LZO\0\r\n\x1a\n"),
    (Format::Bzip2, b"BZh"),
    (Format::Lzma, b"\x5d\0\0"),
];

/// The format that `data` begins with.
pub(super) fn format(data: &[u8]) -> Option<Format> {
    MAGICS.iter().find(|(_, magic)| data.starts_with(magic)).map(|(format, _)| *format)
}

impl Format {
    /// As the tool that makes it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Gzip => "gzip",
            Format::Xz => "xz",
            Format::Lzma => "lzma",
            Format::Lzo => "lzop",
            Format::Lz4 => "lz4",
            Format::Zstd => "zstd",
            Format::Bzip2 => "bzip2",
        }
    }
}

/// How many bytes what is in a file of so many may unpack to.
pub(super) fn room(file: usize) -> usize {
    LEAST_ROOM.saturating_add(file.saturating_mul(MAX_RATIO)).min(MOST)
}

/// The places where one of the formats seems to begin, in order.
pub(super) fn places(data: &[u8], most: usize) -> Vec<usize> {
    // lzma: the properties, a dictionary of whole 64 KiB, a size that is not told.
    let is_lzma = |at: &usize| data.get(at.saturating_add(5)..at.saturating_add(13)) == Some(&[0xff; 8][..]);
    let mut found: Vec<usize> = MAGICS
        .iter()
        .filter(|(_, magic)| magic.len() > 3)
        .flat_map(|(_, magic)| memchr::memmem::find_iter(data, magic).take(most))
        .chain(memchr::memmem::find_iter(data, b"\x1f\x8b\x08\0").take(most))
        .chain(memchr::memmem::find_iter(data, b"BZh91AY&SY").take(most))
        .chain(memchr::memmem::find_iter(data, b"\x5d\0\0").filter(is_lzma).take(most))
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(most);
    found
}

/// Unpacks one stream to at most `room` bytes; what follows it is left alone (a boot image puts
/// the size there).
pub(super) fn unpack(format: Format, data: &[u8], room: usize) -> Result<Vec<u8>, String> {
    let read = |source: &mut dyn Read| read(source, room);
    match format {
        Format::Gzip => read(&mut flate2::bufread::GzDecoder::new(data)),
        Format::Xz => read(&mut lzma_rust2::XzReader::new_mem_limit(data, false, WINDOW_KIB)),
        Format::Lzma => {
            let reader = lzma_rust2::LzmaReader::new_mem_limit(data, WINDOW_KIB, None);
            read(&mut reader.map_err(|error| error.to_string())?)
        }
        Format::Zstd => {
            let reader = ruzstd::decoding::StreamingDecoder::new(data);
            read(&mut reader.map_err(|error| error.to_string())?)
        }
        Format::Bzip2 => read(&mut bzip2::bufread::BzDecoder::new(data)),
        Format::Lz4 if data.starts_with(b"\x02") => lz4_legacy(data, room),
        Format::Lz4 => read(&mut lz4_flex::frame::FrameDecoder::new(data)),
        Format::Lzo => lzo(data, room),
    }
}

fn read(source: &mut dyn Read, room: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let most = u64::try_from(room).unwrap_or(u64::MAX);
    match source.take(most.saturating_add(1)).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > room => Err(too_large(room)),
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("damaged or cut off after {} unpacked bytes: {error}", bytes.len())),
    }
}

fn too_large(room: usize) -> String {
    format!(
        "it unpacks to more than {room} bytes, far more than a kernel of that size: nothing is read of it"
    )
}

/// Blocks with their compressed size in front. A boot image ends in its unpacked size, which
/// is no block: it is larger than what is left.
fn lz4_legacy(data: &[u8], room: usize) -> Result<Vec<u8>, String> {
    let mut out: Vec<u8> = Vec::new();
    let mut at = 4usize;
    while let Some(size) = u32_at(data, at).map(|size| size as usize) {
        let start = at.saturating_add(4);
        let Some(end) = start.checked_add(size).filter(|end| size > 0 && *end <= data.len()) else {
            // A size that is larger than what is left is the image's own, if it is what is behind
            // it that was unpacked; else the last block is cut off.
            if size != out.len() && size > 0 && start < data.len() {
                return Err(format!(
                    "cut off: the lz4 block at {at:#x} has {size} bytes, of which {} are there",
                    data.len().saturating_sub(start)
                ));
            }
            break;
        };
        let Some(block) = data.get(start..end) else { break };
        if out.len() >= room {
            return Err(too_large(room));
        }
        let unpacked = lz4_flex::block::decompress(block, LZ4_BLOCK)
            .map_err(|error| format!("the lz4 block at {at:#x} is damaged: {error}"))?;
        let full = unpacked.len() == LZ4_BLOCK;
        out.extend(unpacked);
        at = end;
        // Only the last block may be short.
        if !full {
            break;
        }
    }
    match out.len() {
        0 => Err("there is no lz4 block in it".into()),
        size if size > room => Err(too_large(room)),
        _ => Ok(out),
    }
}

/// lzop's container: a header, then blocks of (unpacked size, packed size, checksum of the
/// unpacked), big-endian; an unpacked size of 0 ends it.
fn lzo(data: &[u8], room: usize) -> Result<Vec<u8>, String> {
    let cut = || "the lzop header is cut off".to_owned();
    let half = |at: usize| -> Option<u16> {
        data.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_be_bytes)
    };
    let word = |at: usize| -> Option<u32> {
        data.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
    };
    // Magic, version, library version, version needed, method, level, flags, [filter], mode,
    // time (with its high half since 0.940), name length, name, checksum.
    let version = half(9).ok_or_else(cut)?;
    let new = version >= 0x0940;
    let mut at = if new { 17 } else { 13 };
    let flags = word(at).ok_or_else(cut)?;
    at += 4;
    if flags & 0x800 != 0 {
        at += 4;
    }
    at += if new { 12 } else { 8 };
    let name = usize::from(data.get(at).copied().ok_or_else(cut)?);
    at += 1 + name + 4;
    let mut out: Vec<u8> = Vec::new();
    loop {
        let unpacked = match word(at) {
            Some(0) => break,
            Some(size) => size as usize,
            None => return Err(format!("cut off: no block and no end at {at:#x}")),
        };
        let packed = word(at + 4).ok_or_else(cut)? as usize;
        if out.len() >= room {
            return Err(too_large(room));
        }
        if unpacked > LZO_BLOCK || packed > unpacked {
            return Err(format!("the lzo block at {at:#x} claims {packed} bytes for {unpacked}"));
        }
        // Checksums: of the unpacked data by adler32 or crc32, of the packed likewise, where it
        // was packed at all (lzop's F_ADLER32_D, F_CRC32_D, F_ADLER32_C, F_CRC32_C).
        let mut checks = [1u32, 0x100].iter().filter(|flag| flags & **flag != 0).count();
        if packed < unpacked {
            checks += [2u32, 0x200].iter().filter(|flag| flags & **flag != 0).count();
        }
        at += 8 + checks * 4;
        let block = at.checked_add(packed).and_then(|end| data.get(at..end));
        let block = block.ok_or_else(|| format!("the lzo block at {at:#x} is cut off"))?;
        if packed == unpacked {
            out.extend_from_slice(block);
        } else {
            let mut bytes = vec![0; unpacked];
            let size = lzokay::decompress::decompress(block, &mut bytes)
                .map_err(|error| format!("the lzo block at {at:#x} is damaged: {error}"))?;
            if size != unpacked {
                return Err(format!("the lzo block at {at:#x} has {size} bytes for {unpacked}"));
            }
            out.extend(bytes);
        }
        at += packed;
    }
    if out.is_empty() { Err("there is no lzo block in it".into()) } else { Ok(out) }
}
