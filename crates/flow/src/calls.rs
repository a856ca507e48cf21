//! Who calls whom, over a whole image, by its direct calls.
//!
//! A kernel has some 700 000 calls in 20 MB of code. They are found without decoding it: on ARM64
//! every word is an instruction, on x86-64 a byte `e8` or `e9` counts when the four after it lead
//! to the very start of a function, which almost no other bytes do; a path that is shown has its
//! calls decoded. Jumps to the start of another function are calls too: tail calls.
//!
//! Sources: Arm ARM C6.2.34 and C6.2.26 (BL, B: `imm26 * 4` from the instruction), Intel SDM
//! volume 2, CALL and JMP (E8, E9: `rel32` from the next instruction).

use crate::reloc::{Imports, relocated_code};
use kwhy_base::{Arch, ImageAddr};
use kwhy_image::index::{Learned, Part, partition};
use kwhy_image::{Image, ImageKind};
use std::borrow::Cow;

/// A call or a tail call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The function called, by its entry.
    pub callee: ImageAddr,
    /// The function that calls, by its symbol's address.
    pub caller: ImageAddr,
    /// The instruction.
    pub site: ImageAddr,
}

/// All direct calls of an image.
///
/// They are one table of bytes, which is kept with what else is learned of a kernel: the number of
/// places (u64); the places, every function's and every callee's address (u64); for each place and
/// behind the last where the calls of it begin (u32); those calls, the instruction as a distance
/// from the first place and the caller's number (u32 each), in the order of the code; where the
/// calls in each place begin (u32); those, the instruction and the callee's number.
pub struct Calls<'i, 'd> {
    image: &'i Image<'d>,
    table: Learned,
    /// A module's, whose imports have to be found anyway.
    own: Option<Part>,
    imports: Imports,
}

/// More calls than this are no kernel's: the largest have a few millions.
const MAX_CALLS: usize = 16_000_000;

impl<'i, 'd> Calls<'i, 'd> {
    /// Finds the calls of `image`.
    #[must_use]
    pub fn scan(image: &'i Image<'d>) -> Calls<'i, 'd> {
        let mut imports = Imports::default();
        let own = (!matches!(image.kind(), ImageKind::Kernel)).then(|| Part::own(find(image, &mut imports)));
        Calls { image, table: Learned::default(), own, imports }
    }

    fn ask<'s, R>(&'s self, question: impl Fn(Table<'s>) -> Option<R>) -> Option<R> {
        let question = |part: &'s Part| question(Table::open(part)?);
        match &self.own {
            Some(part) => question(part),
            None => self.image.learned(
                &self.table,
                "calls",
                || find(self.image, &mut Imports::default()),
                question,
            ),
        }
    }

    /// The calls of the function that begins at `entry`, in the order of their callers.
    #[must_use]
    pub fn of(&self, entry: ImageAddr) -> Vec<Call> {
        let found = self.ask(|table| {
            let Some(callee) = table.number(entry.0)? else { return Some(Vec::new()) };
            let calls = table.calls(callee, false)?;
            let call = |(site, caller): (u64, usize)| {
                Some(Call { callee: entry, caller: ImageAddr(table.place(caller)?), site: ImageAddr(site) })
            };
            calls.into_iter().map(call).collect()
        });
        found.unwrap_or_default()
    }

    /// What the function at `caller` calls: instruction and callee, in the order of the code.
    #[must_use]
    pub fn from(&self, caller: ImageAddr) -> Vec<(ImageAddr, ImageAddr)> {
        let found = self.ask(|table| {
            let Some(caller) = table.number(caller.0)? else { return Some(Vec::new()) };
            let calls = table.calls(caller, true)?;
            let call =
                |(site, callee): (u64, usize)| Some((ImageAddr(site), ImageAddr(table.place(callee)?)));
            calls.into_iter().map(call).collect()
        });
        found.unwrap_or_default()
    }

    /// The name of an import that a module calls, by the address that stands for it here.
    #[must_use]
    pub fn import(&self, callee: ImageAddr) -> Option<&str> {
        self.imports.name(callee)
    }

    /// The address that stands for an import here, where the code calls or uses it.
    #[must_use]
    pub fn import_named(&self, name: &str) -> Option<ImageAddr> {
        self.imports.find(name)
    }
}

/// The table, being read; `None` everywhere means that it is not as it was written.
#[derive(Clone, Copy)]
struct Table<'p> {
    part: &'p Part,
    places: usize,
}

impl<'p> Table<'p> {
    fn open(part: &'p Part) -> Option<Table<'p>> {
        let places = usize::try_from(part.u64(0)?).ok()?;
        Some(Table { part, places })
    }

    fn place(&self, number: usize) -> Option<u64> {
        (number < self.places).then_some(())?;
        self.part.u64(number.checked_mul(8)?.checked_add(8)?)
    }

    /// The number of the place at `address`, if there is one.
    fn number(&self, address: u64) -> Option<Option<usize>> {
        let number = partition(self.places, |number| Some(self.place(number)? < address))?;
        Some((number < self.places && self.place(number)? == address).then_some(number))
    }

    /// The calls of a place, or those in it: instruction, and the number of the other end.
    fn calls(&self, number: usize, inside: bool) -> Option<Vec<(u64, usize)>> {
        let starts = self.places.checked_add(1)?.checked_mul(4)?;
        let mut at = self.places.checked_mul(8)?.checked_add(8)?;
        if inside {
            let count = self.part.u32(at.checked_add(starts)?.checked_sub(4)?)? as usize;
            at = at.checked_add(starts)?.checked_add(count.checked_mul(8)?)?;
        }
        let range = at.checked_add(number.checked_mul(4)?)?;
        let (from, to) = (self.part.u32(range)? as usize, self.part.u32(range.checked_add(4)?)? as usize);
        let calls = at.checked_add(starts)?.checked_add(from.checked_mul(8)?)?;
        let bytes = self.part.get(calls, to.checked_sub(from)?.checked_mul(8)?)?;
        let first = if bytes.is_empty() { 0 } else { self.place(0)? };
        let call = |entry: &[u8; 8]| {
            let [a, b, c, d, e, f, g, h] = *entry;
            let site = u32::from_le_bytes([a, b, c, d]);
            (first.wrapping_add(u64::from(site)), u32::from_le_bytes([e, f, g, h]) as usize)
        };
        Some(bytes.as_chunks::<8>().0.iter().map(call).collect())
    }
}

/// A call while they are being found, by numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    /// Bytes from the first place.
    site: u32,
    caller: u32,
    callee: u32,
}

/// Finds all calls and writes the table.
fn find(image: &Image<'_>, imports: &mut Imports) -> Vec<u8> {
    let functions = image.function_addresses();
    let mut sections = image.code_sections();
    sections.sort_by_key(|(start, _)| *start);
    let mut read: Vec<(ImageAddr, Cow<'_, [u8]>)> = Vec::new();
    for (start, linked) in sections {
        let code = if matches!(image.kind(), ImageKind::Kernel) {
            Cow::Borrowed(linked)
        } else {
            let end = ImageAddr(start.0.saturating_add(linked.len() as u64));
            Cow::Owned(relocated_code(image, start..end, imports))
        };
        read.push((start, code));
    }
    let places = Places::new(&functions, imports);
    let mut calls: Vec<Found> = Vec::new();
    for (start, code) in &read {
        match image.arch() {
            Arch::Arm64 => arm64(*start, code, &places, &mut calls),
            Arch::X86_64 => x86(*start, code, &places, &mut calls),
            _ => {}
        }
    }
    // In the order of the sections they are in the order of the code already.
    if !calls.is_sorted() {
        calls.sort_unstable();
    }
    calls.dedup();
    let mut out = Vec::with_capacity(8 + places.all.len() * 16 + 8 + calls.len() * 16);
    out.extend_from_slice(&(places.all.len() as u64).to_le_bytes());
    out.extend(places.all.iter().flat_map(|place| place.to_le_bytes()));
    // By the callee, then by the caller.
    for inside in [false, true] {
        let ends =
            |call: &Found| if inside { (call.caller, call.callee) } else { (call.callee, call.caller) };
        let mut next = vec![0_u32; places.all.len() + 1];
        for call in &calls {
            if let Some(count) = next.get_mut(ends(call).0 as usize + 1) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0_u32;
        for start in &mut next {
            sum = sum.saturating_add(*start);
            *start = sum;
        }
        out.extend(next.iter().flat_map(|start| start.to_le_bytes()));
        let mut sorted = vec![[0_u8; 8]; calls.len()];
        for call in &calls {
            let (end, other) = ends(call);
            let Some(place) = next.get_mut(end as usize) else { continue };
            if let Some(slot) = sorted.get_mut(*place as usize) {
                let ([a, b, c, d], [e, f, g, h]) = (call.site.to_le_bytes(), other.to_le_bytes());
                *slot = [a, b, c, d, e, f, g, h];
            }
            *place = place.saturating_add(1);
        }
        out.extend(sorted.as_flattened());
    }
    out
}

/// The functions and imports, ready to be asked what begins at an address.
struct Places {
    all: Vec<u64>,
    /// Whether each is a function of the image.
    function: Vec<bool>,
    /// For each stretch of 256 bytes how many places are below it; empty where places lie so far
    /// apart that they are searched for.
    below: Vec<u32>,
}

impl Places {
    fn new(functions: &[ImageAddr], imports: &Imports) -> Places {
        const MAX_STRETCHES: u64 = 1 << 20;
        let mut marked: Vec<(u64, bool)> = functions.iter().map(|at| (at.0, true)).collect();
        marked.extend(imports.addresses().map(|at| (at.0, false)));
        // A function before an import at the same place.
        marked.sort_unstable_by_key(|(at, function)| (*at, !function));
        marked.dedup_by_key(|(at, _)| *at);
        let (all, function): (Vec<u64>, Vec<bool>) = marked.into_iter().unzip();
        let first = all.first().copied().unwrap_or(0);
        let stretches = all.last().map_or(0, |last| (last.wrapping_sub(first) >> 8).saturating_add(2));
        let mut below = Vec::new();
        if stretches <= MAX_STRETCHES {
            below.resize(stretches as usize, 0);
            for (number, at) in (1_u32..).zip(&all) {
                if let Some(count) = below.get_mut((at.wrapping_sub(first) >> 8) as usize + 1) {
                    *count = number;
                }
            }
            let mut most = 0;
            for count in &mut below {
                most = (*count).max(most);
                *count = most;
            }
        }
        Places { all, function, below }
    }

    /// The number of what begins at `address`.
    fn at(&self, address: u64) -> Option<usize> {
        let first = *self.all.first()?;
        if self.below.is_empty() {
            return self.all.binary_search(&address).ok();
        }
        let stretch = usize::try_from(address.checked_sub(first)? >> 8).ok()?;
        let from = *self.below.get(stretch)? as usize;
        let to = *self.below.get(stretch + 1)? as usize;
        let here = self.all.get(from..to)?;
        here.iter().position(|at| *at == address).map(|index| from + index)
    }

    /// The number of the last function that begins at or before `site`; `near` is one to start from.
    fn function_before(&self, site: u64, near: usize) -> Option<usize> {
        let from = if self.all.get(near).is_some_and(|at| *at <= site) { near } else { 0 };
        let rest = self.all.get(from..)?;
        // Sites come in their order: the next function is mostly this one or one of the next few.
        let few = rest.get(..16).unwrap_or(rest);
        let next = match few.iter().position(|at| *at > site) {
            Some(next) => next,
            None => rest.partition_point(|at| *at <= site),
        };
        let mut number = from.checked_add(next)?.checked_sub(1)?;
        while !*self.function.get(number)? {
            number = number.checked_sub(1)?;
        }
        Some(number)
    }

    /// A call, if `callee` is where something begins.
    fn call(&self, site: u64, callee: u64, link: bool, calls: &mut Vec<Found>) {
        let Some(callee) = self.at(callee) else { return };
        let near = calls.last().map_or(0, |call| call.caller as usize);
        let Some(caller) = self.function_before(site, near) else { return };
        let Some(first) = self.all.first() else { return };
        let numbers =
            (u32::try_from(site.wrapping_sub(*first)), u32::try_from(caller), u32::try_from(callee));
        // A jump to one's own start is a loop.
        if let (Ok(site), Ok(caller), Ok(callee)) = numbers
            && (link || caller != callee)
            && calls.len() < MAX_CALLS
        {
            calls.push(Found { site, caller, callee });
        }
    }
}

/// The instructions that make the address `target` in a register or store it, in a linked image: on
/// x86-64 four bytes that are it or lead to it (some may only seem to), on ARM64 the ADRP of a pair.
#[must_use]
pub fn uses_of(image: &Image<'_>, target: ImageAddr) -> Vec<ImageAddr> {
    /// More are no table's, and no function's that tables hold.
    const MAX_USES: usize = 256;
    let mut found = Vec::new();
    for (start, code) in image.code_sections() {
        match image.arch() {
            Arch::X86_64 => {
                let absolute = (target.0 as u32).to_le_bytes();
                let place = |at: usize| start.0.wrapping_add(at as u64);
                // `mov $imm32`, sign-extended: only such addresses can be written so.
                if target.0 as i32 as u64 == target.0 {
                    found.extend(memchr::memmem::find_iter(code, &absolute).map(place).take(MAX_USES));
                }
                // `lea rel32(%rip)`: ModRM with mod 0 and r/m 5 stands before the four bytes.
                for (at, window) in code.windows(5).enumerate() {
                    let [modrm, a, b, c, d] = *window else { continue };
                    if modrm & 0xc7 == 5 {
                        let next = place(at.saturating_add(5));
                        let offset = i64::from(i32::from_le_bytes([a, b, c, d]));
                        if next.wrapping_add_signed(offset) == target.0 && found.len() < MAX_USES {
                            found.push(place(at));
                        }
                    }
                }
            }
            Arch::Arm64 => {
                // Arm ARM C6.2.10, ADRP: immhi:immlo pages from this one; C6.2.4, ADD (immediate).
                let words: Vec<u32> = code
                    .chunks_exact(4)
                    .filter_map(|word| word.try_into().ok().map(u32::from_le_bytes))
                    .collect();
                for (index, word) in words.iter().enumerate() {
                    if word & 0x9f00_0000 != 0x9000_0000 {
                        continue;
                    }
                    let site = start.0.wrapping_add(index as u64 * 4);
                    let pages = ((word >> 29) & 3) | ((word >> 3) & 0x1f_fffc);
                    let pages = i64::from((pages << 11) as i32 >> 11);
                    let page = (site & !0xfff).wrapping_add_signed(pages.wrapping_mul(4096));
                    let register = word & 0x1f;
                    let adds = |word: &u32| {
                        word & 0xffc0_0000 == 0x9100_0000
                            && (word >> 5) & 0x1f == register
                            && page.wrapping_add(u64::from((word >> 10) & 0xfff)) == target.0
                    };
                    let near = words.get(index..words.len().min(index.saturating_add(16)));
                    if near.is_some_and(|near| near.iter().any(adds)) && found.len() < MAX_USES {
                        found.push(site);
                    }
                }
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(ImageAddr).collect()
}

fn arm64(start: ImageAddr, code: &[u8], places: &Places, calls: &mut Vec<Found>) {
    for (index, word) in code.as_chunks::<4>().0.iter().enumerate() {
        let word = u32::from_le_bytes(*word);
        let link = word & 0xfc00_0000 == 0x9400_0000;
        if !link && word & 0xfc00_0000 != 0x1400_0000 {
            continue;
        }
        let site = start.0.wrapping_add(index as u64 * 4);
        // imm26, sign-extended, times four.
        let offset = i64::from((word << 6) as i32 >> 4);
        places.call(site, site.wrapping_add_signed(offset), link, calls);
    }
}

fn x86(start: ImageAddr, code: &[u8], places: &Places, calls: &mut Vec<Found>) {
    for at in memchr::memchr2_iter(0xe8, 0xe9, code) {
        let Some([opcode, a, b, c, d]) = code.get(at..at.saturating_add(5)) else { continue };
        let offset = i32::from_le_bytes([*a, *b, *c, *d]);
        let site = start.0.wrapping_add(at as u64);
        let callee = site.wrapping_add(5).wrapping_add_signed(i64::from(offset));
        places.call(site, callee, *opcode == 0xe8, calls);
    }
}
