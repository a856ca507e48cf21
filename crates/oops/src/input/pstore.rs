//! pstore: what the kernel saved of its log into the firmware's or the board's memory.
//!
//! At a crash `pstore_dump()` (fs/pstore/platform.c) walks the log from its end to its beginning
//! and stores it in parts, each with the head `Oops#1 Part3`: part 1 is the *end* of the log. A
//! later crash of the same boot saves the log again, with the next number. Here parts become logs
//! in the order they were printed, and what was saved twice stands there once.

use std::io::Read;

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::lines::{LineMap, Rows, numbered};
use super::{Budget, Layer};

/// Parts of one input; firmware holds some dozens.
const MOST_PARTS: usize = 4096;

/// Whether the content is a part that pstore saved, as it stands or compressed.
#[must_use]
pub fn is_part(bytes: &[u8]) -> bool {
    head(bytes.split(|b| *b == b'\n').next().unwrap_or_default()).is_some() || is_deflated(bytes)
}

/// The content of several files of a pstore folder as one, which [`super::open`] then puts in order.
/// `None` where fewer than two of them are parts.
#[must_use]
pub fn together<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut budget = Budget { bytes: super::MOST_UNPACKED };
    let mut all = Vec::new();
    let mut count = 0usize;
    for file in files.into_iter().filter(|file| is_part(file)).take(MOST_PARTS) {
        let plain = if is_deflated(file) { Some(inflate(file, &mut budget)) } else { None };
        all.extend_from_slice(plain.as_deref().unwrap_or(file));
        if all.last() != Some(&b'\n') {
            all.push(b'\n');
        }
        count += 1;
    }
    (count > 1).then_some(all)
}

/// `Oops#1 Part3`: why the log was saved, the how manieth time of this boot, and the part.
fn head(line: &[u8]) -> Option<(&[u8], u32)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // The reasons of `kmsg_dump_reason_str()` and of older kernels, which had more of them.
    let reason = line.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    if !(3..=16).contains(&reason) || line.get(reason) != Some(&b'#') {
        return None;
    }
    let digits = |from: usize| {
        let tail = line.get(from..)?;
        let length = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        (1..=9).contains(&length).then_some(from + length)
    };
    let dump = digits(reason + 1)?;
    let part = dump + b" Part".len();
    if line.get(dump..part) != Some(b" Part") || digits(part)? != line.len() {
        return None;
    }
    let number = std::str::from_utf8(line.get(part..)?).ok()?.parse().ok()?;
    Some((line.get(..dump)?, number))
}

/// What ramoops adds to a part about its memory (`persistent_ram_ecc_string()`, fs/pstore/ram_core.c).
fn is_ecc(line: &[u8]) -> bool {
    line.starts_with(b"ECC: ")
        && (line.ends_with(b"No errors detected") || line.ends_with(b" unrecoverable blocks"))
}

/// A part that the kernel left compressed (`.enc.z`): bare deflate (RFC 1951), known by what it
/// unpacks to.
fn is_deflated(bytes: &[u8]) -> bool {
    // Text never begins so: the first byte of a dynamic or fixed block with printable high bits
    // exists, but what it unpacks to is no head.
    let mut first = [0; 48];
    let mut length = 0;
    let mut decoder = flate2::read::DeflateDecoder::new(bytes);
    while let Some(room) = first.get_mut(length..).filter(|room| !room.is_empty()) {
        match decoder.read(room) {
            Ok(count) if count > 0 => length += count,
            _ => break,
        }
    }
    let line = first.get(..length).and_then(|text| text.split(|b| *b == b'\n').next());
    line.is_some_and(|line| line.len() < length && head(line).is_some())
}

/// Every part of `bytes`, one stream of deflate after the other.
fn inflate(bytes: &[u8], budget: &mut Budget) -> Vec<u8> {
    let mut all = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() && is_deflated(rest) {
        let before = all.len();
        let mut decoder = flate2::bufread::DeflateDecoder::new(rest);
        let room = u64::try_from(budget.bytes).unwrap_or(u64::MAX);
        // A stream that breaks off has given what it could.
        let _ = decoder.by_ref().take(room).read_to_end(&mut all);
        budget.bytes = budget.bytes.saturating_sub(all.len() - before);
        let read = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
        rest = rest.get(read.max(1)..).unwrap_or_default();
        if all.last() != Some(&b'\n') {
            all.push(b'\n');
        }
    }
    all
}

/// One part: the numbers and texts of its lines.
struct Part<'a> {
    number: u32,
    lines: Vec<(u32, &'a [u8])>,
}

/// One saving of the log.
struct Dump<'a> {
    name: &'a [u8],
    parts: Vec<Part<'a>>,
}

pub(super) fn sniff(sample: &[u8]) -> bool {
    is_deflated(sample) || sample.split(|b| *b == b'\n').any(|line| head(line).is_some())
}

pub(super) fn read(bytes: &[u8], budget: &mut Budget) -> Option<Vec<Layer>> {
    if is_deflated(bytes) {
        return Some(vec![Layer { text: inflate(bytes, budget), ..Layer::default() }]);
    }
    let mut before = Vec::new();
    let mut dumps: Vec<Dump<'_>> = Vec::new();
    let mut count = 0usize;
    for (number, line) in numbered(bytes) {
        match head(line) {
            Some((name, part)) if count < MOST_PARTS => {
                count += 1;
                let parts = match dumps.iter().rposition(|dump| dump.name == name) {
                    // The same part twice: another boot's.
                    Some(at) if dumps.get(at).is_some_and(|d| d.parts.iter().all(|p| p.number != part)) => {
                        dumps.get_mut(at).map(|dump| &mut dump.parts)
                    }
                    _ => {
                        dumps.push(Dump { name, parts: Vec::new() });
                        dumps.last_mut().map(|dump| &mut dump.parts)
                    }
                };
                parts?.push(Part { number: part, lines: Vec::new() });
                // Lines go to the part whose head came last.
                let at = dumps.iter().rposition(|dump| dump.name == name)?;
                let last = dumps.remove(at);
                dumps.push(last);
            }
            _ if is_ecc(line) => {}
            _ => match dumps.last_mut().and_then(|dump| dump.parts.last_mut()) {
                Some(part) => part.lines.push((number, line)),
                None => before.push((number, line)),
            },
        }
    }
    if count < 2 {
        return None;
    }
    dumps.sort_by_key(|dump| dump.parts.iter().filter_map(|p| p.lines.first()).map(|(n, _)| *n).min());
    let (text, numbers) = put_together(before, dumps);
    let remarks = vec![prose!(say::PSTORE, count = count)];
    Some(vec![Layer { text, numbers, remarks, part: String::new() }])
}

fn put_together<'a>(before: Vec<(u32, &'a [u8])>, dumps: Vec<Dump<'a>>) -> (Vec<u8>, LineMap) {
    let mut rows = Rows::default();
    for (number, line) in before {
        rows.push(line, number);
    }
    let mut earlier: Vec<&[u8]> = Vec::new();
    for mut dump in dumps {
        dump.parts.sort_by_key(|part| std::cmp::Reverse(part.number));
        // printk ends no record with an empty line; what added one is not the kernel's log.
        let whole = |part: Part<'a>| {
            let mut lines = part.lines;
            lines.truncate(lines.iter().rposition(|(_, line)| !line.is_empty()).map_or(0, |last| last + 1));
            lines
        };
        let lines: Vec<_> = dump.parts.into_iter().flat_map(whole).collect();
        let own: Vec<&[u8]> = lines.iter().map(|(_, line)| *line).collect();
        for (number, line) in lines.iter().skip(known(&earlier, &own)) {
            rows.push(line, *number);
        }
        earlier = own;
    }
    rows.done()
}

/// How many lines of `later` the dump before it ends with: a crash after another saves the log
/// again, and what the first had saved last stands somewhere in it.
fn known(earlier: &[&[u8]], later: &[&[u8]]) -> usize {
    /// Lines that are compared; so many are not alike by chance.
    const COMPARED: usize = 64;
    /// Fewer are.
    const FEWEST: usize = 3;
    let alike = |end: &usize| {
        let ended = later.get(..*end).unwrap_or_default();
        ended.iter().rev().zip(earlier.iter().rev()).take(COMPARED).take_while(|(a, b)| a == b).count()
    };
    let (count, end) = (1..=later.len()).map(|end| (alike(&end), end)).max().unwrap_or_default();
    if count >= FEWEST.min(earlier.len()).max(1) { end } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn joined(text: &[u8]) -> Option<(String, LineMap)> {
        let mut layers = sniff(text).then(|| read(text, &mut Budget { bytes: 1 << 20 })).flatten()?;
        let layer = layers.remove(0);
        Some((String::from_utf8(layer.text).unwrap(), layer.numbers))
    }

    fn deflated(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn parts_begin_at_the_end() {
        let text =
            b"Panic#1 Part1\n<0>[    3.000000] c\nPanic#1 Part2\n<0>[    1.000000] a\n<0>[    2.000000] b\n";
        let (log, numbers) = joined(text).unwrap();
        assert_eq!(log, "<0>[    1.000000] a\n<0>[    2.000000] b\n<0>[    3.000000] c\n");
        assert_eq!(numbers, LineMap::Each(vec![4, 5, 2]));
    }

    #[test]
    fn what_was_saved_twice_stands_once() {
        let text = b"Oops#1 Part1\n0\na\nx\nb\nx\n\nECC: No errors detected\n\
            Panic#2 Part2\na\nx\n\nECC: 2 Corrected bytes, 0 unrecoverable blocks\nPanic#2 Part1\nb\nx\nx\nb\n";
        assert_eq!(joined(text).unwrap().0, "0\na\nx\nb\nx\nx\nb\n");
        // Nothing in common.
        let text = b"Oops#1 Part1\na\nb\nc\nPanic#2 Part1\nx\nc\nd\n";
        assert_eq!(joined(text).unwrap().0, "a\nb\nc\nx\nc\nd\n");
        // Another boot's first oops.
        let text = b"Oops#1 Part1\n[    1.000000] a\nOops#1 Part1\n[    1.500000] b\n";
        assert_eq!(joined(text).unwrap().0, "[    1.000000] a\n[    1.500000] b\n");
    }

    #[test]
    fn compressed_parts() {
        let mut all = deflated("Oops#1 Part1\n[    2.000000] b\n");
        all.extend(deflated("Oops#1 Part2\n[    1.000000] a\n"));
        assert!(is_part(&all));
        assert_eq!(
            joined(&all).unwrap().0,
            "Oops#1 Part1\n[    2.000000] b\nOops#1 Part2\n[    1.000000] a\n"
        );
        let plain: &[u8] = b"Oops#1 Part2\n[    1.000000] a";
        let first = deflated("Oops#1 Part1\n[    2.000000] b\n");
        let both = together([plain, &first, b"no part"]).unwrap();
        assert_eq!(joined(&both).unwrap().0, "[    1.000000] a\n[    2.000000] b\n");
        assert_eq!(together([plain]), None);
    }

    #[test]
    fn what_is_no_part() {
        for text in [
            "",
            "Oops#1 Part",
            "Oops#1 Part1x",
            "Oops: 0002 [#1] SMP",
            "#1 Part1",
            "a#1 Part1",
            "Oops# Part1",
        ] {
            assert!(!sniff(text.as_bytes()), "{text}");
        }
        assert_eq!(joined(b"Oops#1 Part1\n[    1.000000] a\n"), None, "one part is a log as it stands");
    }
}
