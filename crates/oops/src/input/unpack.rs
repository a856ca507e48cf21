//! Compressed files: gzip, zlib, xz, lzma, zstd, bzip2, lz4. What is cut off or damaged yields
//! what stood before the damage: the last words of a machine are often such files.

use std::io::{self, BufRead, Read};
use std::sync::{Arc, Mutex};

use kwhy_base::catalogue::input as say;
use kwhy_base::{Prose, prose};

use super::{Budget, Layer};

/// Memory that a decoder may take for its own window, in KiB: 192 MiB, above `xz -9`'s 65 MiB.
const WINDOW_KIB: u32 = 192 << 10;

type Packed<'a> = Box<dyn BufRead + Send + 'a>;
type Plain<'a> = Box<dyn Read + Send + 'a>;

/// A compressed format.
struct Format {
    name: &'static str,
    is: fn(&[u8]) -> bool,
    decode: for<'a> fn(Packed<'a>) -> Plain<'a>,
}

const FORMATS: &[Format] = &[
    Format {
        name: "gzip",
        is: |head| head.starts_with(b"\x1f\x8b\x08"),
        decode: |bytes| Box::new(flate2::bufread::MultiGzDecoder::new(bytes)),
    },
    Format {
        name: "xz",
        is: |head| head.starts_with(b"\xfd7zXZ\0"),
        decode: |bytes| Box::new(lzma_rust2::XzReader::new_mem_limit(bytes, true, WINDOW_KIB)),
    },
    Format {
        name: "zstd",
        is: |head| head.starts_with(b"\x28\xb5\x2f\xfd") || skippable(head).is_some(),
        decode: |bytes| Box::new(Zstd::Between(Peeked { source: bytes, head: [0; 8], at: 0, end: 0 })),
    },
    Format {
        name: "bzip2",
        is: |head| {
            head.starts_with(b"BZh")
                && head.get(3).is_some_and(|level| (b'1'..=b'9').contains(level))
                // A block, or the end of an empty stream: π and √π in decimal digits.
                && head.get(4..10).is_some_and(|m| m == b"1AY&SY" || m == b"\x17rE8P\x90")
        },
        decode: |bytes| Box::new(bzip2::bufread::MultiBzDecoder::new(bytes)),
    },
    Format {
        name: "lz4",
        is: |head| head.starts_with(b"\x04\x22\x4d\x18") || head.starts_with(b"\x02\x21\x4c\x18"),
        decode: |bytes| Box::new(lz4_flex::frame::FrameDecoder::new(bytes)),
    },
    Format { name: "lzma", is: is_lzma, decode: lzma },
    Format { name: "zlib", is: is_zlib, decode: |bytes| Box::new(flate2::read::ZlibDecoder::new(bytes)) },
];

/// LZMA has no magic: properties below 225 (in practice 0x5d), a dictionary that is a power of
/// two (or 1.5 times one), a size that is unknown (all ones) or below 256 GiB.
fn is_lzma(head: &[u8]) -> bool {
    let (Some(0x5d), Some(dictionary), Some(size)) = (head.first(), head.get(1..5), head.get(5..13)) else {
        return false;
    };
    let dictionary = dictionary.iter().rev().fold(0u32, |value, b| value << 8 | u32::from(*b));
    let plausible = dictionary.is_power_of_two()
        || dictionary.checked_mul(2).is_some_and(|d| d % 3 == 0 && (d / 3).is_power_of_two());
    plausible && (size.iter().all(|b| *b == 0xff) || size.iter().skip(5).all(|b| *b == 0))
}

fn lzma(bytes: Packed<'_>) -> Plain<'_> {
    match lzma_rust2::LzmaReader::new_mem_limit(bytes, WINDOW_KIB, None) {
        Ok(reader) => Box::new(reader),
        Err(error) => Box::new(Failed(Some(error))),
    }
}

/// zlib (RFC 1950), in which pstore keeps compressed parts: deflate with a window of 32 KiB,
/// and the two header bytes a multiple of 31. Text begins like that too (`x` and `^`), so the
/// stream must also decode.
fn is_zlib(head: &[u8]) -> bool {
    let [0x78, flags, ..] = head else { return false };
    if flags & 0x20 != 0 || (0x7800 | u32::from(*flags)) % 31 != 0 {
        return false;
    }
    let mut first = [0; 16];
    flate2::read::ZlibDecoder::new(head).read(&mut first).is_ok_and(|count| count > 0)
}

/// The length of the content of the skippable zstd frame (RFC 8878, 3.1.2) that `bytes` begin
/// with; its header has 8 bytes.
fn skippable(bytes: &[u8]) -> Option<u64> {
    let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = bytes else { return None };
    Some(u64::from(u32::from_le_bytes([*a, *b, *c, *d])))
}

type ZstdFrame<'a> = ruzstd::decoding::StreamingDecoder<Peeked<'a>, ruzstd::decoding::FrameDecoder>;

/// A source of which the next few bytes were looked at.
struct Peeked<'a> {
    source: Packed<'a>,
    /// The bytes looked at, up to `end`; those before `at` were read.
    head: [u8; 8],
    at: usize,
    end: usize,
}

impl Peeked<'_> {
    /// The next bytes, as many as fit and there are.
    fn peek(&mut self) -> io::Result<&[u8]> {
        self.head.copy_within(self.at..self.end, 0);
        (self.at, self.end) = (0, self.end.saturating_sub(self.at));
        let free = self.head.get_mut(self.end..).unwrap_or_default();
        let count = fill(&mut self.source, free)?;
        self.end = self.end.saturating_add(count);
        Ok(self.head.get(..self.end).unwrap_or_default())
    }
}

impl Read for Peeked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut held = self.head.get(self.at..self.end).unwrap_or_default();
        if held.is_empty() {
            return self.source.read(buffer);
        }
        let count = held.read(buffer)?;
        self.at = self.at.saturating_add(count);
        Ok(count)
    }
}

/// Frames of zstd, one behind the other.
enum Zstd<'a> {
    Between(Peeked<'a>),
    Within(Box<ZstdFrame<'a>>),
    Ended,
}

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            *self = match std::mem::replace(self, Zstd::Ended) {
                Zstd::Ended => return Ok(0),
                Zstd::Within(mut frame) => match frame.read(buffer)? {
                    0 => Zstd::Between(frame.into_inner()),
                    count => {
                        *self = Zstd::Within(frame);
                        return Ok(count);
                    }
                },
                Zstd::Between(mut source) => {
                    let head = source.peek()?;
                    if head.is_empty() {
                        return Ok(0);
                    }
                    match skippable(head) {
                        Some(length) => {
                            io::copy(&mut source.by_ref().take(length.saturating_add(8)), &mut io::sink())?;
                            Zstd::Between(source)
                        }
                        None => {
                            let frame =
                                ruzstd::decoding::StreamingDecoder::new(source).map_err(io::Error::other)?;
                            Zstd::Within(Box::new(frame))
                        }
                    }
                }
            };
        }
    }
}

/// Reads until `buffer` is full or the source ends.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut end = 0usize;
    while let Some(free) = buffer.get_mut(end..).filter(|free| !free.is_empty()) {
        match source.read(free) {
            Ok(0) => break,
            Ok(count) => end = end.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(end)
}

/// A decoder that could not even begin.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// A compressed source, unpacked as it is read. Damage ends it and is remembered, as what came
/// before is worth reading.
pub struct Unpacked<'a> {
    format: &'static str,
    plain: Plain<'a>,
    left: u64,
    bytes: u64,
    remarks: Arc<Mutex<Vec<Prose>>>,
}

/// Bytes that a source may unpack to while it is read piece by piece: 64 GiB cost no memory, but
/// everything ends some time.
const MOST_STREAMED: u64 = 64 << 30;

impl<'a> Unpacked<'a> {
    /// Unpacks `source`, which begins with `head`. `None` where `head` is of no format known.
    #[must_use]
    pub fn new(head: &[u8], source: impl BufRead + Send + 'a) -> Option<Unpacked<'a>> {
        let format = FORMATS.iter().find(|format| (format.is)(head))?;
        let remarks = Arc::new(Mutex::new(vec![prose!(say::UNPACKED, format = format.name)]));
        let plain = (format.decode)(Box::new(source));
        Some(Unpacked { format: format.name, plain, left: MOST_STREAMED, bytes: 0, remarks })
    }

    /// What is to be said of the unpacking, once it was read.
    #[must_use]
    pub fn remarks(&self) -> Arc<Mutex<Vec<Prose>>> {
        Arc::clone(&self.remarks)
    }

    fn remark(&self, prose: Prose) {
        if let Ok(mut remarks) = self.remarks.lock() {
            remarks.push(prose);
        }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let count = match self.plain.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.left = 0;
                let (format, cause) = (self.format, error.to_string());
                self.remark(prose!(say::UNPACK_CUT, format = format, cause = cause, bytes = self.bytes));
                return Ok(0);
            }
            Ok(count) => count,
        };
        let size = u64::try_from(count).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(size);
        self.left = self.left.saturating_sub(size);
        if self.left == 0 {
            self.remark(prose!(say::UNPACK_LIMIT, bytes = self.bytes));
        }
        Ok(count)
    }
}

/// How unpacking ended.
pub(super) enum End {
    /// At the data's own end.
    Whole,
    /// At damage, or where the data was cut.
    Damaged,
    /// At the limit.
    Limit,
}

/// Reads at most `most` bytes.
pub(super) fn drain(source: impl Read, most: usize) -> (Vec<u8>, End) {
    let mut source = io::BufReader::new(source);
    let mut bytes = Vec::new();
    loop {
        let count = match source.fill_buf() {
            Ok([]) => return (bytes, End::Whole),
            Ok(chunk) => {
                let room = most.saturating_sub(bytes.len());
                bytes.extend_from_slice(chunk.get(..room).unwrap_or(chunk));
                chunk.len()
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(_) => return (bytes, End::Damaged),
        };
        source.consume(count);
        if bytes.len() >= most {
            return (bytes, End::Limit);
        }
    }
}

pub(super) fn sniff(head: &[u8]) -> bool {
    FORMATS.iter().any(|format| (format.is)(head))
}

pub(super) fn read(bytes: &[u8], budget: &mut Budget) -> Option<Vec<Layer>> {
    let unpacked = Unpacked::new(bytes, bytes)?;
    let remarks = unpacked.remarks();
    let (text, end) = drain(unpacked, budget.bytes);
    budget.bytes = budget.bytes.saturating_sub(text.len());
    let mut remarks = remarks.lock().map(|remarks| remarks.clone()).unwrap_or_default();
    if matches!(end, End::Limit) {
        remarks.push(prose!(say::UNPACK_LIMIT, bytes = text.len()));
    }
    Some(vec![Layer { text, remarks, ..Layer::default() }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const TEXT: &[u8] = b"[    1.000000] one\n[    2.000000] two\n";

    fn unpack(bytes: &[u8], most: usize) -> Option<(Vec<u8>, usize)> {
        assert!(sniff(bytes));
        let layer = read(bytes, &mut Budget { bytes: most })?.pop()?;
        Some((layer.text, layer.remarks.len()))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn members_follow_one_another_and_what_is_cut_still_says_something() {
        let one = gzip(TEXT);
        let two = [one.clone(), one.clone()].concat();
        assert_eq!(unpack(&two, 1000), Some(([TEXT, TEXT].concat(), 1)));
        let (text, remarks) = unpack(&two[..one.len() + 30], 1000).unwrap();
        assert!(text.starts_with(TEXT) && text.len() < 2 * TEXT.len() && remarks == 2);
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b'a'; 10 << 20]);
        assert!(bomb.len() < 20_000);
        assert_eq!(unpack(&bomb, 1000), Some((vec![b'a'; 1000], 2)));
    }

    #[test]
    fn hostile_headers_do_no_harm() {
        // A dictionary of 4 GiB; a frame header that ends; an xz that is nothing else.
        let lzma = [&b"\x5d\0\0\0\x80"[..], &[0xff; 8], &[0; 40]].concat();
        for bytes in [
            &lzma[..],
            b"\xfd7zXZ\0",
            b"\x28\xb5\x2f\xfd",
            b"\x50\x2a\x4d\x18\xff\xff\xff\xff",
            b"\x1f\x8b\x08",
        ] {
            let (text, _) = unpack(bytes, 1 << 20).unwrap();
            assert!(text.len() <= 1 << 20);
        }
        for text in [&b"x^ + y"[..], b"xerxes", b"BZh is a name", b"]ab", b""] {
            assert!(!sniff(text), "{text:?}");
        }
    }
}
