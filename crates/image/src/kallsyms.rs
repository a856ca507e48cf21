//! The tables by which a kernel names its own addresses, found inside an image by their shape.
//!
//! scripts/kallsyms.c writes, and kernel/kallsyms.c reads: how many symbols there are, their
//! names compressed with 256 tokens, a marker at every 256th name, the tokens, where each token
//! begins, and the addresses. Nothing says where the tables are once the ELF symbols are
//! stripped, but they check one another:
//!
//! - the tokens of the digits stand for themselves, so `0␀1␀…9␀` marks the token table, and the
//!   index after it must repeat the length of every token;
//! - the count stands before the names, and walking so many names must end at the markers, each
//!   of which must be where the walk was.
//!
//! The addresses come as 64-bit numbers, as 32-bit offsets from a base, as offsets of which the
//! negative ones count from the base and the others are absolute (per-cpu variables of x86 up to
//! 6.14), or as offsets each from its own place (without a base, since 7.x). They stand before the
//! count (up to 6.3) or after the token index (since). Which it is, is told by what ascends:
//! kallsyms are sorted. The tables begin at multiples of eight, those without a base at multiples
//! of four. Names longer than 127 tokens have a length of two bytes since 6.1, by the top bit of
//! the first.

use crate::elf::{u16_at, u32_at, u64_at};

/// Far above any kernel: 200 000 symbols are usual.
const MAX_SYMBOLS: usize = 4_000_000;
/// A table of fewer is none.
const MIN_SYMBOLS: usize = 64;
/// `KSYM_NAME_LEN` is 512 since 6.1; nothing longer is a name.
const MAX_NAME: usize = 1024;
/// A kernel's addresses are negative as signed numbers: those of LoongArch begin at
/// 0x9000000000000000.
const LEAST_ADDRESS: u64 = 1 << 63;
/// Places at which all names are walked through: a table has one, and chance a few more.
const MAX_WALKS: usize = 64;
const DIGITS: &[u8] = b"0\x001\x002\x003\x004\x005\x006\x007\x008\x009\0";

/// How the addresses are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// 64 bits each, from this place on.
    Absolute(usize),
    /// 32 bits each, from this place on; the base is at the second one.
    Relative(usize, usize),
    /// The same, with absolute numbers where they are not negative.
    PerCpu(usize, usize),
    /// 32 bits each, from this place on, counted each from where it stands itself.
    FromPlace(usize),
}

/// The tables, by their places in the bytes that were searched.
#[derive(Debug)]
pub(crate) struct Kallsyms<'d> {
    data: &'d [u8],
    /// Where each token's text begins and ends.
    tokens: Vec<(usize, usize)>,
    names: usize,
    count: usize,
    numbers: Numbers,
}

/// One symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// As `nm` writes it: `T`, `t`, `D`…
    pub letter: u8,
    pub name: String,
    /// Less the base, where addresses are relative to one (see [`Kallsyms::base`]).
    pub address: u64,
}

/// What stands where `kallsyms_relative_base` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// Addresses need none.
    None,
    /// This number.
    Known(u64),
    /// A place that only a relocation fills.
    At(usize),
    /// The address of the first of the bytes that were searched, as the place given says it: the
    /// table of addresses, which has none but relative ones.
    Image(usize),
}

impl<'d> Kallsyms<'d> {
    /// Searches the whole of `data`; `None` where there are no such tables.
    pub(crate) fn find(data: &'d [u8]) -> Option<Kallsyms<'d>> {
        memchr::memmem::find_iter(data, DIGITS).take(64).find_map(|digits| {
            let (tokens, index_end) = tokens(data, digits)?;
            let start = tokens.first()?.0;
            let mut walks = 0;
            // The count and the names come before the tokens.
            let mut at = start & !3;
            while let Some(place) = at.checked_sub(4).filter(|_| walks < MAX_WALKS) {
                at = place;
                let Some(count) = count_at(data, place, start) else { continue };
                for align in [8, 4] {
                    let Some(names) = names_at(data, &tokens, place, align) else { continue };
                    walks += 1;
                    if !markers_follow(data, &tokens, names, align, count) {
                        continue;
                    }
                    if let Some(numbers) = numbers(data, place, index_end, count) {
                        return Some(Kallsyms { data, tokens, names, count, numbers });
                    }
                }
            }
            None
        })
    }

    /// The number that relative addresses count from.
    pub(crate) fn base(&self) -> Base {
        match self.numbers {
            Numbers::Absolute(_) => Base::None,
            Numbers::FromPlace(table) => Base::Image(table),
            Numbers::Relative(_, at) | Numbers::PerCpu(_, at) => match u64_at(self.data, at) {
                Some(base) if base >= LEAST_ADDRESS => Base::Known(base),
                _ => Base::At(at),
            },
        }
    }

    /// Where the addresses are listed.
    pub(crate) fn addresses(&self) -> std::ops::Range<usize> {
        let (table, width) = match self.numbers {
            Numbers::Absolute(table) => (table, 8),
            Numbers::Relative(table, _) | Numbers::PerCpu(table, _) | Numbers::FromPlace(table) => (table, 4),
        };
        table..table.saturating_add(self.count.saturating_mul(width))
    }

    /// Every symbol, in the kernel's own order.
    pub(crate) fn symbols(&self, base: u64) -> Vec<Named> {
        let mut found = Vec::with_capacity(self.count.min(1 << 18));
        let mut at = self.names;
        let mut text = Vec::new();
        for index in 0..self.count {
            let Some((entry, next)) = entry(self.data, at) else { break };
            at = next;
            text.clear();
            for token in entry {
                let (start, end) = self.tokens.get(usize::from(*token)).copied().unwrap_or_default();
                text.extend_from_slice(self.data.get(start..end).unwrap_or_default());
                if text.len() > MAX_NAME {
                    break;
                }
            }
            let (Some((letter, name)), Some(address)) = (text.split_first(), self.address(index, base))
            else {
                continue;
            };
            let name = String::from_utf8_lossy(name).into_owned();
            found.push(Named { letter: *letter, name, address });
        }
        found
    }

    fn address(&self, index: usize, base: u64) -> Option<u64> {
        let word = |table: usize| u32_at(self.data, table.checked_add(index.checked_mul(4)?)?);
        match self.numbers {
            Numbers::Absolute(table) => u64_at(self.data, table.checked_add(index.checked_mul(8)?)?),
            Numbers::Relative(table, _) => Some(base.wrapping_add(u64::from(word(table)?))),
            Numbers::PerCpu(table, _) => {
                let offset = i64::from(word(table)? as i32);
                // `kallsyms_sym_address()`.
                Some(if offset >= 0 {
                    offset as u64
                } else {
                    base.wrapping_sub(1).wrapping_sub(offset as u64)
                })
            }
            // `offset_to_ptr()` of the entry itself.
            Numbers::FromPlace(table) => {
                let place = table.checked_add(index.checked_mul(4)?)? as u64;
                let offset = i64::from(word(table)? as i32);
                Some(base.wrapping_add(place).wrapping_add_signed(offset))
            }
        }
    }
}

/// Where each of the 256 tokens is, given where that of the digit 0 is, and where the index ends.
fn tokens(data: &[u8], digits: usize) -> Option<(Vec<(usize, usize)>, usize)> {
    const FIRST: usize = b'0' as usize;
    // From the digit on forwards, the tokens follow from their NULs.
    let mut places = Vec::with_capacity(256 - FIRST);
    let mut at = digits;
    for _ in FIRST..256 {
        let length = memchr::memchr(0, data.get(at..at.checked_add(MAX_NAME)?.min(data.len()))?)?;
        places.push((at, at.checked_add(length)?));
        at = at.checked_add(length)?.checked_add(1)?;
    }
    // The index repeats them; it also tells where the first one is.
    let index = (at..at.checked_add(64)?).find(|index| {
        let number = |token: usize| u16_at(data, index.checked_add(token * 2)?).map(usize::from);
        let Some(first) = number(FIRST) else { return false };
        number(0) == Some(0)
            && (0..FIRST).all(|token| number(token) < number(token + 1))
            && places
                .iter()
                .zip(FIRST..)
                .all(|(place, token)| number(token) == Some(place.0 - digits + first))
    })?;
    let start = digits.checked_sub(usize::from(u16_at(data, index.checked_add(FIRST * 2)?)?))?;
    let mut all = Vec::with_capacity(256);
    for token in 0..FIRST {
        let place = start.checked_add(usize::from(u16_at(data, index.checked_add(token * 2)?)?))?;
        let length = memchr::memchr(0, data.get(place..digits)?)?;
        all.push((place, place.checked_add(length)?));
    }
    all.extend(places);
    Some((all, index.checked_add(512)?))
}

/// One compressed name: its tokens, and where the next one starts.
fn entry(data: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let first = usize::from(*data.get(at)?);
    let (length, start) = if first & 0x80 == 0 {
        (first, at.checked_add(1)?)
    } else {
        (first & 0x7f | usize::from(*data.get(at.checked_add(1)?)?) << 7, at.checked_add(2)?)
    };
    let end = start.checked_add(length)?;
    Some((data.get(start..end).filter(|entry| !entry.is_empty())?, end))
}

/// The number of symbols, if what is at `place` may be one: names of two bytes at least follow
/// before the tokens.
fn count_at(data: &[u8], place: usize, tokens: usize) -> Option<usize> {
    let count = u32_at(data, place)? as usize;
    let room = tokens.checked_sub(place)? / 2;
    (MIN_SYMBOLS..MAX_SYMBOLS.min(room)).contains(&count).then_some(count)
}

/// Where the names start behind the count at `place`, padded to `align`. Nearly every false
/// start ends here, at one of the first names.
fn names_at(data: &[u8], tokens: &[(usize, usize)], place: usize, align: usize) -> Option<usize> {
    if align == 8 && (!place.is_multiple_of(8) || u32_at(data, place.checked_add(4)?)? != 0) {
        return None;
    }
    let names = place.checked_add(align)?;
    let mut at = names;
    for _ in 0..MIN_SYMBOLS {
        let (tokens_of, next) = entry(data, at)?;
        let (start, _) = *tokens.get(usize::from(*tokens_of.first()?))?;
        // A letter of nm's; `?` stands for what it does not know.
        let letter = *data.get(start)?;
        if !letter.is_ascii_alphabetic() && letter != b'?' {
            return None;
        }
        at = next;
    }
    Some(names)
}

/// Whether the markers behind `count` names say where every 256th of them is. They are words.
fn markers_follow(data: &[u8], tokens: &[(usize, usize)], names: usize, align: usize, count: usize) -> bool {
    let end_of_all = tokens.first().map_or(0, |first| first.0);
    let mut places = Vec::with_capacity(count.min(MAX_SYMBOLS) / 256 + 1);
    let mut at = names;
    for index in 0..count {
        if index % 256 == 0 {
            places.push(at - names);
        }
        let Some((_, next)) = entry(data, at).filter(|(_, next)| *next <= end_of_all) else { return false };
        at = next;
    }
    let Some(markers) = at.checked_next_multiple_of(align) else { return false };
    let stored = data.get(markers..end_of_all).unwrap_or_default().chunks_exact(4);
    let same = |(stored, place): (&[u8], &usize)| u32_at(stored, 0) == u32::try_from(*place).ok();
    stored.len() >= places.len() && stored.zip(&places).all(same)
}

/// Where the addresses are: whichever ascends.
fn numbers(data: &[u8], count_at: usize, index_end: usize, count: usize) -> Option<Numbers> {
    let words = count.checked_mul(4)?;
    let padded = words.checked_add(7)? & !7;
    let wide = count.checked_mul(8)?;
    let after = index_end.checked_add(7)? & !7;
    let before = count_at.checked_sub(8).and_then(|base| Some((base.checked_sub(padded)?, base)));
    let behind = after.checked_add(padded).map(|base| (after, base));
    for (table, base) in [before, behind].into_iter().flatten() {
        if let Some(found) = relative(data, table, base, count) {
            return Some(found);
        }
    }
    let places = [count_at.checked_sub(wide), Some(after)];
    if let Some(table) = places.into_iter().flatten().find(|table| absolute(data, *table, count)) {
        return Some(Numbers::Absolute(table));
    }
    let places = [count_at.checked_sub(words), index_end.checked_add(3).map(|end| end & !3), Some(after)];
    places.into_iter().flatten().find(|table| from_place(data, *table, count)).map(Numbers::FromPlace)
}

/// Whether offsets, each counted from its own place, ascend.
fn from_place(data: &[u8], table: usize, count: usize) -> bool {
    let Some(end) = count.checked_mul(4).and_then(|size| table.checked_add(size)) else { return false };
    let Some(bytes) = data.get(table..end) else { return false };
    let all = || {
        let offsets = bytes.chunks_exact(4).map(|entry| i64::from(u32_at(entry, 0).unwrap_or(0) as i32));
        offsets.zip((0i64..).step_by(4)).map(|(offset, place)| offset.wrapping_add(place))
    };
    let spread =
        all().next().zip(all().last()).is_some_and(|(first, last)| last.wrapping_sub(first) > 0x1000);
    spread && all().is_sorted()
}

fn relative(data: &[u8], table: usize, base: usize, count: usize) -> Option<Numbers> {
    let bytes = data.get(table..table.checked_add(count.checked_mul(4)?)?)?;
    let offset = |entry: &[u8]| u32_at(entry, 0).unwrap_or(0);
    let all = || bytes.chunks_exact(4).map(offset);
    let spread = |first: u32, last: u32| last.abs_diff(first) > 0x1000;
    let (first, last) = (all().next()?, all().next_back()?);
    if all().is_sorted() && spread(first, last) && (last as i32) > 0 {
        return Some(Numbers::Relative(table, base));
    }
    // Absolute ones first, then ever more negative ones.
    let key = |offset: u32| {
        let signed = i64::from(offset as i32);
        if signed >= 0 { signed } else { (1 << 32) - signed }
    };
    let mixed = (first as i32) >= 0 && (last as i32) < 0;
    let ascends = mixed && all().map(key).is_sorted() && u64_at(data, base).is_some();
    ascends.then_some(Numbers::PerCpu(table, base))
}

fn absolute(data: &[u8], table: usize, count: usize) -> bool {
    let Some(end) = count.checked_mul(8).and_then(|size| table.checked_add(size)) else { return false };
    let Some(bytes) = data.get(table..end) else { return false };
    let all = || bytes.chunks_exact(8).map(|entry| u64_at(entry, 0).unwrap_or(0));
    all().is_sorted() && all().next_back().is_some_and(|last| last >= LEAST_ADDRESS)
}
