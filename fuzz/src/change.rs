//! Changes that know what an input is: lines of a log, sections of an ELF file.

mod boot;
mod shuffle;

use crate::pack;
use libfuzzer_sys::fuzzer_mutate;

/// Logs whose lines are put into others.
const LOGS: [&str; 5] = [
    include_str!("../../examples/ubuntu-arm64-insmod.log"),
    include_str!("../../crates/oops/tests/shapes/x86-gpf.log"),
    include_str!("../../crates/oops/tests/shapes/mixed.log"),
    include_str!("../../crates/diagnose/tests/logs/arm64-null-call.log"),
    include_str!("../../crates/diagnose/tests/logs/x86-error-pointer.log"),
];
/// Values that have meant something to some code.
const VALUES: [&str; 12] = [
    "0",
    "1",
    "ffffffffffffffff",
    "8000000000000000",
    "7fffffffffffffff",
    "dead000000000100",
    "ffff800000000000",
    "fffffffffffffff4",
    "6b6b6b6b6b6b6b6b",
    "18446744073709551616",
    "-1",
    "96000004",
];

/// The sequence that one seed of libFuzzer gives (Knuth's MMIX constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Changes a log in place: bytes by libFuzzer's own means, or whole lines and numbers.
pub fn log(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut numbers = Numbers(u64::from(seed));
    if numbers.below(3) == 0 {
        return fuzzer_mutate(data, size, most);
    }
    let changed = changed_log(data.get(..size).unwrap_or_default(), &mut numbers);
    store(data, &changed, most)
}

/// Mixes a log up in place.
pub fn shuffled(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut numbers = Numbers(u64::from(seed));
    let text = data.get(..size).unwrap_or_default();
    let changed = match numbers.below(6) {
        0 => return fuzzer_mutate(data, size, most),
        1 => changed_log(text, &mut numbers),
        _ => shuffle::shuffled(text, &mut numbers),
    };
    store(data, &changed, most)
}

/// Changes an ELF file in place, mostly inside one section.
pub fn elf(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut numbers = Numbers(u64::from(seed));
    if numbers.below(4) == 0 {
        return fuzzer_mutate(data, size, most);
    }
    changed_elf(data.get_mut(..size).unwrap_or_default(), &mut numbers);
    size
}

/// Changes the log or the image of a packed pair in place.
pub fn pair(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut numbers = Numbers(u64::from(seed));
    let (log, image) = pack::unpack(data.get(..size).unwrap_or_default());
    let (mut log, mut image) = (log.to_vec(), image.to_vec());
    match numbers.below(8) {
        0 => return fuzzer_mutate(data, size, most),
        1..=4 => log = changed_log(&log, &mut numbers),
        _ => changed_elf(&mut image, &mut numbers),
    }
    store(data, &pack::pack(&log, &image, most), most)
}

/// Changes a boot image in place: inside its tables, or what is around it.
pub fn boot(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut numbers = Numbers(u64::from(seed));
    match numbers.below(8) {
        0 | 1 => fuzzer_mutate(data, size, most),
        2 => {
            let file = boot::wrapped(data.get(..size).unwrap_or_default(), &mut numbers);
            store(data, &file, most)
        }
        _ => {
            boot::changed(data.get_mut(..size).unwrap_or_default(), &mut numbers);
            size
        }
    }
}

/// Changes one of two packed files of types in place.
pub fn types(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut numbers = Numbers(u64::from(seed));
    let (one, other) = pack::unpack(data.get(..size).unwrap_or_default());
    let (mut one, mut other) = (one.to_vec(), other.to_vec());
    match numbers.below(8) {
        0 => return fuzzer_mutate(data, size, most),
        1 => std::mem::swap(&mut one, &mut other),
        2..=4 => boot::changed(&mut one, &mut numbers),
        _ => boot::changed(&mut other, &mut numbers),
    }
    store(data, &pack::pack(&one, &other, most), most)
}

fn store(data: &mut [u8], changed: &[u8], most: usize) -> usize {
    let length = changed.len().min(most).min(data.len());
    if let (Some(to), Some(from)) = (data.get_mut(..length), changed.get(..length)) {
        to.copy_from_slice(from);
    }
    length
}

fn changed_log(text: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for _ in 0..1 + numbers.below(6) {
        let at = numbers.below(lines.len());
        let other = numbers.below(lines.len());
        match numbers.below(10) {
            0 if at < lines.len() => {
                lines.remove(at);
            }
            1 if at < lines.len() => lines.swap(at, other),
            2 if at < lines.len() => lines.insert(other, lines[at].clone()),
            3 => {
                // A run of lines, elsewhere once more.
                let run: Vec<_> = lines.iter().skip(at).take(1 + numbers.below(20)).cloned().collect();
                lines.splice(other..other, run);
            }
            4 if at < lines.len() => {
                let keep = numbers.below(lines[at].len());
                lines[at].truncate(keep);
            }
            5 => lines.truncate(at.max(1)),
            6 | 7 => {
                let from: Vec<&str> = LOGS[numbers.below(LOGS.len())].split_inclusive('\n').collect();
                let start = numbers.below(from.len());
                let run = from.iter().skip(start).take(1 + numbers.below(4));
                let run: Vec<_> = run.map(|line| line.as_bytes().to_vec()).collect();
                lines.splice(at..at, run);
            }
            _ if at < lines.len() => number(&mut lines[at], numbers),
            _ => {}
        }
    }
    lines.concat()
}

/// Changes one number of a line, or one of its digits.
fn number(line: &mut Vec<u8>, numbers: &mut Numbers) {
    let starts: Vec<usize> = (0..line.len())
        .filter(|at| line[*at].is_ascii_hexdigit() && (*at == 0 || !line[*at - 1].is_ascii_hexdigit()))
        .collect();
    if starts.is_empty() {
        return;
    }
    let start = starts[numbers.below(starts.len())];
    let length = line[start..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    match numbers.below(4) {
        0 => {
            line.splice(start..start + length, VALUES[numbers.below(VALUES.len())].bytes());
        }
        1 => {
            line.remove(start + numbers.below(length));
        }
        2 => line.insert(start + numbers.below(length), b"0123456789abcdef"[numbers.below(16)]),
        _ => line[start + numbers.below(length)] = b"0123456789abcdef"[numbers.below(16)],
    }
}

fn changed_elf(data: &mut [u8], numbers: &mut Numbers) {
    let range = section(data, numbers).unwrap_or(0..data.len());
    let Some(part) = data.get_mut(range).filter(|part| !part.is_empty()) else { return };
    for _ in 0..1 + numbers.below(8) {
        let at = numbers.below(part.len());
        match numbers.below(5) {
            0 => part[at] ^= 1 << numbers.below(8),
            1 => part[at] = [0, 1, 0x7f, 0x80, 0xff][numbers.below(5)],
            2 => part[at] = numbers.below(256) as u8,
            3 => {
                // A stretch of the section over another.
                let (from, length) = (numbers.below(part.len()), 1 + numbers.below(16));
                let copy: Vec<u8> = part[from..].iter().take(length).copied().collect();
                part[at..].iter_mut().zip(copy).for_each(|(to, byte)| *to = byte);
            }
            _ => {
                let value = [0, 1, u64::MAX, 1 << 63, 1 << 31, 0x7fff_ffff][numbers.below(6)].to_le_bytes();
                let width = 1 << numbers.below(4);
                part[at..].iter_mut().zip(&value[..width]).for_each(|(to, byte)| *to = *byte);
            }
        }
    }
}

/// The bytes of a section chosen at random, or of the section headers.
fn section(data: &[u8], numbers: &mut Numbers) -> Option<std::ops::Range<usize>> {
    let word = |at: usize, width: usize| {
        let mut value = [0; 8];
        value.get_mut(..width)?.copy_from_slice(data.get(at..at.checked_add(width)?)?);
        usize::try_from(u64::from_le_bytes(value)).ok()
    };
    let (table, count) = (word(0x28, 8)?, word(0x3c, 2)?);
    let index = numbers.below(count + 1);
    let range = if index == count {
        table..table.checked_add(count.checked_mul(64)?)?
    } else {
        let header = table.checked_add(index * 64)?;
        let (offset, size) = (word(header.checked_add(0x18)?, 8)?, word(header.checked_add(0x20)?, 8)?);
        offset..offset.checked_add(size)?
    };
    (range.end <= data.len() && !range.is_empty()).then_some(range)
}
