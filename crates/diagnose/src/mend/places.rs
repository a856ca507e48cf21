//! A place in the code, `symbol+offset/size [module]`, against the images: the name against the
//! symbol table, the size against the symbol's, the offset against where the function's calls
//! return and whom they call.

use super::likeness::{self, FAR, SLIP};
use super::placed;
use super::pool::Pool;
use super::sites::{self, Callee};
use kwhy_base::catalogue::damage as say;
use kwhy_base::{Prose, prose};
use kwhy_image::{Image, Symbol};
use kwhy_oops::{CodeRef, Grade};

/// A place read better than it was printed.
#[derive(Clone, Debug)]
pub struct Better {
    /// The place.
    pub at: CodeRef,
    /// How sure.
    pub grade: Grade,
    /// Why.
    pub reason: Vec<Prose>,
}

/// What sort of place it is.
#[derive(Clone, Copy, Debug)]
pub enum Role<'a> {
    /// Where an instruction was interrupted: any instruction's beginning.
    Interrupted,
    /// A return address; the function that the call there entered, where that is known.
    Return(Option<&'a str>),
    /// Found on the stack: mostly a return address, of whatever call.
    Loose,
}

/// What the neighbours of a place in the trace say of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The function that the frame below it (its caller) calls.
    pub called: Option<&'a str>,
}

/// The dearest reading that is believed: two slips that leave look-alikes and a third.
const LIMIT: u32 = 4 * SLIP;
/// The dearest reading of a number.
const NUMBER: u32 = 25;
/// By so much the best reading must be better than the next.
const MARGIN: u32 = 5;
/// What it costs a reading that the call goes to another function than the frame above.
const ELSEWHERE: u32 = 14;
/// What it costs that there is no call at all before a return address.
const NOWHERE: u32 = 28;

/// One reading of a place.
#[derive(Clone)]
struct Reading<'o, 'd> {
    image: &'o Image<'d>,
    symbol: Symbol,
    module: Option<String>,
    offset: u64,
    name: u32,
    size: u32,
    digits: u32,
    /// The call there goes to the frame above.
    calls: Option<String>,
    /// What the site speaks against it.
    against: u32,
    /// The only such call of the function.
    only: bool,
}

impl Reading<'_, '_> {
    fn slips(&self) -> u32 {
        self.name + self.size + self.digits
    }

    fn total(&self) -> u32 {
        self.slips() + self.against
    }
}

/// The digits of the offset as printed.
pub fn offset_digits(at: &CodeRef) -> Option<String> {
    at.offset_digits.clone().or_else(|| at.offset.map(|offset| format!("{offset:x}")))
}

fn size_digits(at: &CodeRef) -> Option<String> {
    at.size_digits.clone().or_else(|| at.size.map(|size| format!("{size:x}")))
}

/// Whether nothing at all speaks against the place: cheap, and true for what a kernel printed.
pub fn sound(pool: &Pool<'_, '_>, at: &CodeRef, role: Role<'_>) -> bool {
    if at.offset_digits.is_some() || at.size_digits.is_some() || at.unreadable {
        return false;
    }
    let Some((image, symbol)) = pool.exact(at) else { return false };
    let Some(offset) = at.offset.filter(|offset| *offset <= symbol.size) else { return false };
    let place = symbol.address.offset(offset as i64);
    let aligned = image.arch() != kwhy_base::Arch::Arm64 || offset % 4 == 0;
    match role {
        Role::Interrupted => aligned && offset < symbol.size,
        Role::Loose => aligned,
        Role::Return(inner) => match sites::call_before(image, place) {
            None => false,
            Some(Callee::Any) => true,
            Some(Callee::Named(callee)) => inner.is_none_or(|inner| sites::same(&callee, inner)),
        },
    }
}

/// Reads a place better; `None` where it is well as it is, or nothing better is sure enough.
pub fn better(pool: &Pool<'_, '_>, at: &CodeRef, role: Role<'_>, hints: Hints<'_>) -> Option<Better> {
    let printed = at.symbol.as_deref()?;
    let mut readings = Vec::new();
    for (image, module, symbol, name) in candidates(pool, at, printed, hints) {
        let size = match size_digits(at) {
            Some(digits) => {
                likeness::hex_cost(&digits, symbol.size).min(likeness::hex_cost(&digits, symbol.elf_size))
            }
            None => SLIP,
        };
        if size > NUMBER || name + size > LIMIT {
            continue;
        }
        readings.extend(offsets(image, &symbol, at, role).into_iter().map(|mut reading| {
            reading.name = name;
            reading.size = size;
            reading.module.clone_from(&module);
            reading
        }));
    }
    readings.retain(|reading| reading.total() <= LIMIT);
    readings
        .sort_by(|a, b| (a.total(), &a.symbol.name, a.offset).cmp(&(b.total(), &b.symbol.name, b.offset)));
    let best = readings.first()?;
    let place = |r: &Reading<'_, '_>| (r.symbol.address, r.offset, r.module.clone());
    // Aliases of one function are one reading, spelled as the kernel spells it.
    let rival = readings.iter().find(|other| place(other) != place(best));
    if rival.is_some_and(|rival| rival.total() < best.total() + MARGIN) {
        return None;
    }
    // As printed, but for a neighbour that does not fit: there may be a frame missing between.
    if best.slips() == 0 && best.module == at.module {
        return None;
    }
    if passes_on(best, at, role) {
        return None;
    }
    Some(mended(pool, at, printed, best))
}

/// Whether a place that is right as printed calls a function that passes control on to the
/// frame above, so that nothing need be mended.
fn passes_on(best: &Reading<'_, '_>, at: &CodeRef, role: Role<'_>) -> bool {
    let Role::Return(Some(inner)) = role else { return false };
    if best.name + best.size > 0 || at.offset_digits.is_some() {
        return false;
    }
    let Some(printed) = at.offset else { return false };
    match sites::call_before(best.image, best.symbol.address.offset(printed as i64)) {
        Some(Callee::Named(callee)) => {
            let called = best.image.symbols_named(&callee);
            called.is_empty() || called.iter().any(|symbol| sites::jumps_to(best.image, symbol, inner))
        }
        _ => false,
    }
}

/// The symbols that a place's name may stand for.
pub fn candidates_by_name<'o, 'd>(pool: &Pool<'o, 'd>, at: &CodeRef) -> Vec<Candidate<'o, 'd>> {
    match &at.symbol {
        Some(printed) => candidates(pool, at, printed, Hints::default()),
        None => Vec::new(),
    }
}

/// Image, module, symbol, and what the name costs.
pub type Candidate<'o, 'd> = (&'o Image<'d>, Option<String>, Symbol, u32);

/// The symbols that may be meant, each with what its name costs.
fn candidates<'o, 'd>(
    pool: &Pool<'o, 'd>,
    at: &CodeRef,
    printed: &str,
    hints: Hints<'_>,
) -> Vec<Candidate<'o, 'd>> {
    let mut found: Vec<Candidate<'o, 'd>> = Vec::new();
    for (module, dear) in modules(pool, at) {
        let Some(image) = pool.image(module.as_deref()) else { continue };
        let exact = image.symbols_named(printed);
        if !exact.is_empty() {
            found.extend(exact.into_iter().map(|symbol| (image, module.clone(), symbol, dear)));
            continue;
        }
        if dear > 0 && at.module.is_none() {
            continue;
        }
        // The frame below says whom it called: that name first.
        if let Some(called) = hints.called {
            let cost = likeness::cost(printed, called).saturating_sub(SLIP / 2);
            if cost <= LIMIT {
                let named = image.symbols_named(called);
                found.extend(named.into_iter().map(|symbol| (image, module.clone(), symbol, cost + dear)));
            }
        }
        let most = match printed.len() {
            0..=3 => continue,
            4..=7 => SLIP + 2,
            8..=11 => 2 * SLIP + 4,
            _ => 3 * SLIP + 4,
        };
        let near =
            |name: &str| name.len().abs_diff(printed.len()) <= 3 && likeness::cost(printed, name) <= most;
        found.extend(image.symbols_where(&near).into_iter().filter(|symbol| symbol.function).map(|symbol| {
            let cost = likeness::cost(printed, &symbol.name);
            (image, module.clone(), symbol, cost + dear)
        }));
    }
    found
}

/// The images a place may be in: the one it names; one whose name looks like it; and where it
/// names none and the kernel has no such symbol, any module whose brackets may be lost.
fn modules(pool: &Pool<'_, '_>, at: &CodeRef) -> Vec<(Option<String>, u32)> {
    let Some(module) = &at.module else {
        let lost = pool.modules().map(|name| (Some(name.to_owned()), 2 * SLIP));
        return std::iter::once((None, 0)).chain(lost).collect();
    };
    if pool.image(Some(module)).is_some() {
        return vec![(Some(module.clone()), 0)];
    }
    pool.modules()
        .map(|name| (Some(name.to_owned()), likeness::cost(module, name)))
        .filter(|(_, cost)| *cost <= NUMBER)
        .collect()
}

/// The offsets in a symbol that may be meant.
fn offsets<'o, 'd>(
    image: &'o Image<'d>,
    symbol: &Symbol,
    at: &CodeRef,
    role: Role<'_>,
) -> Vec<Reading<'o, 'd>> {
    let Some(digits) = offset_digits(at) else { return Vec::new() };
    let reading = |offset: u64, calls: Option<String>, against: u32| Reading {
        image,
        symbol: symbol.clone(),
        module: None,
        offset,
        name: 0,
        size: 0,
        digits: likeness::hex_cost(&digits, offset),
        calls,
        against,
        only: false,
    };
    let plain = at.offset.filter(|_| at.offset_digits.is_none());
    let inner = match role {
        Role::Interrupted => {
            let places = sites::boundaries(image, symbol);
            return places
                .into_iter()
                .map(|offset| reading(offset, None, 0))
                .filter(|reading| reading.digits <= NUMBER)
                .collect();
        }
        Role::Return(inner) => inner,
        Role::Loose => None,
    };
    let returns = sites::returns(image, symbol);
    let calling = |callee: &Callee| match (callee, inner) {
        (Callee::Named(name), Some(inner)) => sites::same(name, inner),
        _ => false,
    };
    let several = returns.iter().filter(|(_, callee)| calling(callee)).count() > 1;
    let mut found: Vec<Reading<'o, 'd>> = returns
        .iter()
        .map(|(offset, callee)| {
            let strong = calling(callee);
            let against = match callee {
                _ if strong => 0,
                Callee::Named(_) if inner.is_some() => ELSEWHERE,
                _ => SLIP / 2,
            };
            let name = match callee {
                Callee::Named(name) if strong => Some(name.clone()),
                _ => None,
            };
            Reading { only: strong && !several, ..reading(*offset, name, against) }
        })
        // A call's only place is believed from farther off.
        .filter(|reading| reading.digits <= if reading.only { 3 * SLIP } else { NUMBER })
        .collect();
    // What lies on the stack need not be a return address, and entry code is not always entered by calls.
    if let Some(offset) = plain.filter(|offset| *offset <= symbol.size)
        && !found.iter().any(|reading| reading.offset == offset)
        && (image.arch() != kwhy_base::Arch::Arm64 || offset % 4 == 0)
    {
        let against = if matches!(role, Role::Loose) { SLIP / 2 } else { NOWHERE };
        found.push(reading(offset, None, against));
    }
    found
}

/// The mended place, with its reasons.
fn mended(pool: &Pool<'_, '_>, at: &CodeRef, printed: &str, best: &Reading<'_, '_>) -> Better {
    let symbol = &best.symbol;
    let mut reason = Vec::new();
    if best.module != at.module {
        let name = best.module.clone().unwrap_or_default();
        reason.push(match &at.module {
            Some(was) => prose!(say::MEND_MODULE, printed = was, module = name, symbol = &symbol.name),
            None => prose!(say::MEND_MODULE_LOST, module = name, symbol = &symbol.name),
        });
    }
    if symbol.name != printed {
        reason.push(prose!(say::MEND_SYMBOL, printed = printed, symbol = &symbol.name));
    }
    let size = if Some(symbol.elf_size) == at.size { symbol.elf_size } else { symbol.size };
    if at.size != Some(size) || at.size_digits.is_some() {
        reason.push(prose!(say::MEND_SIZE, symbol = &symbol.name, size = format_args!("{size:#x}")));
    }
    let shown = format!("{:#x}", best.offset);
    if let Some(callee) = &best.calls {
        reason.push(prose!(say::MEND_OFFSET_CALL, offset = shown, symbol = &symbol.name, callee = callee));
    } else if at.offset != Some(best.offset) || at.offset_digits.is_some() {
        reason.push(prose!(say::MEND_OFFSET_RETURN, offset = shown, symbol = &symbol.name));
    }
    // What the slips leave open the call must settle.
    let settled = best.calls.is_some() && (best.digits == 0 || best.only);
    let only_size =
        best.name == 0 && best.digits == 0 && best.against < ELSEWHERE && best.module == at.module;
    let proved = pool.trusted && best.slips() <= NUMBER && (settled || only_size);
    let at = placed(at, &symbol.name, (best.offset, size), best.module.as_ref());
    Better { at, grade: if proved { Grade::Proved } else { Grade::Likely }, reason }
}

/// Whether one place may be a misreading of another, as the two prints of an ARM64 PC are.
pub fn near(a: &CodeRef, b: &CodeRef) -> bool {
    let names = match (&a.symbol, &b.symbol) {
        (Some(a), Some(b)) => likeness::cost(a, b),
        _ => FAR,
    };
    let number = |a: Option<String>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => likeness::hex_cost(&a, b),
        (None, None) => 0,
        _ => SLIP,
    };
    let sum = names + number(offset_digits(a), b.offset) + number(size_digits(a), b.size);
    sum <= LIMIT
}
