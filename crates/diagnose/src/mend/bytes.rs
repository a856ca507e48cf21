//! The program counter and the bytes of `Code:`, each by the other: the bytes stand in one place
//! of the image, and the place has its bytes in the image.

use super::likeness::{self, SLIP};
use super::placed;
use super::places::{self, Better};
use super::pool::Pool;
use super::sites;
use crate::images::{ComparedCode, compare_at};
use kwhy_base::catalogue::damage as say;
use kwhy_base::{Arch, ImageAddr, prose};
use kwhy_image::{Image, Symbol};
use kwhy_oops::{CodeDump, CodeRef, Grade};
use std::collections::BTreeMap;

/// So many bytes must be the same for a place to be told by them.
const ENOUGH: usize = 10;
/// So many bytes at least are looked for in the whole image; fewer stand in many places.
const NEEDLE: usize = 12;
/// Needles tried; a log so damaged that none of them is whole tells no place.
const NEEDLES: usize = 8;

/// Whether the bytes are those of the place, but for some slips.
pub fn fits(compared: &ComparedCode) -> bool {
    compared.same >= ENOUGH && compared.different.len() * 3 <= compared.same
}

/// How the bytes compare at a place of the log.
pub fn at_place(pool: &Pool<'_, '_>, at: &CodeRef, code: &CodeDump) -> Option<ComparedCode> {
    let (image, symbol) = pool.exact(at)?;
    let pc = symbol.address.offset(i64::try_from(at.offset?).ok()?);
    compare_at(image, pc, code.fault_index?, code)
}

/// One place where the bytes stand.
struct Found<'o, 'd> {
    image: &'o Image<'d>,
    module: Option<String>,
    symbol: Symbol,
    offset: u64,
    same: usize,
}

/// The place that the bytes stand at, where it may be what is printed.
pub fn place_of(pool: &Pool<'_, '_>, at: &CodeRef, code: &CodeDump) -> Option<Better> {
    let index = code.fault_index?;
    let mut found: Vec<Found<'_, '_>> = Vec::new();
    for (image, module, symbol, _) in places::candidates_by_name(pool, at) {
        for offset in sites::boundaries(image, &symbol) {
            let pc = symbol.address.offset(offset as i64);
            let Some(compared) = compare_at(image, pc, index, code).filter(fits) else { continue };
            let (module, symbol) = (module.clone(), symbol.clone());
            found.push(Found { image, module, symbol, offset, same: compared.same });
        }
    }
    let named = !found.is_empty();
    if !named {
        found = anywhere(pool, at, code, index);
    }
    // Symbols of one place are one place, by the name that the kernel prints.
    found.sort_by_key(|f| (std::cmp::Reverse(f.same), f.symbol.address, f.offset));
    found.dedup_by_key(|f| (f.symbol.address, f.offset));
    let best = found.first()?;
    let alone = found.get(1).is_none_or(|next| next.same * 2 < best.same);
    let printed = places::offset_digits(at);
    let cost = |f: &Found<'_, '_>| printed.as_deref().map_or(SLIP, |p| likeness::hex_cost(p, f.offset));
    // Equal code stands in several places: the digits choose.
    let best = if alone {
        best
    } else {
        let mut near: Vec<&Found<'_, '_>> = found.iter().filter(|f| f.same * 2 >= best.same).collect();
        near.sort_by_key(|f| (cost(f), f.symbol.address, f.offset));
        let first = *near.first()?;
        if near.get(1).is_some_and(|second| cost(first) + 5 > cost(second)) {
            return None;
        }
        first
    };
    let known = best.image.symbol_at(best.symbol.address).filter(|s| s.address == best.symbol.address);
    let name = match (&at.symbol, known) {
        (Some(printed), _) if *printed == best.symbol.name => best.symbol.name.clone(),
        (_, Some(known)) => known.name,
        (_, None) => best.symbol.name.clone(),
    };
    let size = if Some(best.symbol.elf_size) == at.size { best.symbol.elf_size } else { best.symbol.size };
    let better = placed(at, &name, (best.offset, size), best.module.as_ref());
    if better == *at {
        return None;
    }
    let place = format!("{name}+{:#x}", best.offset);
    let grade =
        if pool.trusted && alone && named && best.same >= 2 * ENOUGH { Grade::Proved } else { Grade::Likely };
    let reason = prose!(say::MEND_PC_BYTES, count = best.same, line = code.line, place = place);
    Some(Better { at: better, grade, reason: vec![reason] })
}

/// Every place of the images where some run of the bytes stands and the rest fits; only such as
/// the printed name may be a misreading of.
fn anywhere<'o, 'd>(pool: &Pool<'o, 'd>, at: &CodeRef, code: &CodeDump, index: usize) -> Vec<Found<'o, 'd>> {
    let mut found = Vec::new();
    for (module, image) in pool.all() {
        if at.module.is_some() && pool.image(at.module.as_deref()).is_some() && module != at.module.as_deref()
        {
            continue;
        }
        let mut tried = 0;
        let mut start = 0;
        while let Some(run) = code.bytes.get(start..start + NEEDLE) {
            let needle: Vec<u8> = run.iter().map_while(|byte| *byte).collect();
            if needle.len() < NEEDLE {
                start += needle.len() + 1;
                continue;
            }
            tried += 1;
            for place in image.find_code(&needle, 4) {
                let pc = place.offset(index as i64 - start as i64);
                found.extend(at_address(image, module, pc, index, code));
            }
            if !found.is_empty() || tried >= NEEDLES {
                break;
            }
            start += 4;
        }
    }
    found.retain(|f: &Found<'_, '_>| match &at.symbol {
        Some(printed) => likeness::cost(printed, &f.symbol.name) <= 3 * SLIP + SLIP / 2,
        None => true,
    });
    found
}

fn at_address<'o, 'd>(
    image: &'o Image<'d>,
    module: Option<&str>,
    pc: ImageAddr,
    index: usize,
    code: &CodeDump,
) -> Option<Found<'o, 'd>> {
    let compared = compare_at(image, pc, index, code).filter(fits)?;
    let symbol = image.symbol_at(pc)?;
    let offset = pc.0.checked_sub(symbol.address.0)?;
    Some(Found { image, module: module.map(str::to_owned), symbol, offset, same: compared.same })
}

/// Bytes mended from the image.
pub struct BetterBytes {
    /// All of them.
    pub code: CodeDump,
    /// Each word (ARM64) or byte that was mended: as printed (`?` for what could not be read), as
    /// it must be, and how sure.
    pub mended: Vec<(String, String, Grade)>,
    /// How many of the others agree.
    pub same: usize,
}

/// The bytes that are unreadable, or misread so that it shows in their digits. A byte that differs
/// in one bit is left alone where its digits do not look alike, and also where nothing else in
/// the log is damaged: then it is a bit of the machine's memory.
pub fn bytes(arch: Arch, compared: &ComparedCode, code: &CodeDump, damaged: bool) -> Option<BetterBytes> {
    if !fits(compared) {
        return None;
    }
    let mut better = code.clone();
    let mut told: BTreeMap<usize, Grade> = BTreeMap::new();
    for (index, of_image) in &compared.unread {
        told.insert(*index, Grade::Proved);
        set(&mut better, *index, *of_image);
    }
    for (index, (printed, of_image)) in compared.unlike.iter().zip(&compared.different) {
        let cost = likeness::cost(&format!("{printed:02x}"), &format!("{of_image:02x}"));
        let one_bit = (printed ^ of_image).count_ones() == 1;
        let slip = cost <= SLIP + 2 && (damaged || !one_bit);
        if slip && (!one_bit || cost <= SLIP) {
            told.insert(*index, Grade::Likely);
            set(&mut better, *index, *of_image);
        }
    }
    if told.is_empty() {
        return None;
    }
    // ARM64 prints words, and tells of them as words.
    let unit = if arch == Arch::Arm64 { 4 } else { 1 };
    let mut units: BTreeMap<usize, Grade> = BTreeMap::new();
    for (index, grade) in told {
        let known = units.entry(index / unit * unit).or_insert(grade);
        *known = (*known).max(grade);
    }
    let shown = |code: &CodeDump, at: usize| -> String {
        let bytes = code.bytes.get(at..at + unit).unwrap_or_default().iter().rev();
        bytes.map(|byte| byte.map_or_else(|| "??".to_owned(), |byte| format!("{byte:02x}"))).collect()
    };
    let mended = units.into_iter().map(|(at, grade)| (shown(code, at), shown(&better, at), grade)).collect();
    Some(BetterBytes { code: better, mended, same: compared.same })
}

fn set(code: &mut CodeDump, index: usize, byte: u8) {
    if let Some(slot) = code.bytes.get_mut(index) {
        *slot = Some(byte);
    }
}
