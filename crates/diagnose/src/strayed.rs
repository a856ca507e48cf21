//! An index that leads out of what it indexes, told by the code and the registers alone: no type
//! says how long the array is, but a variable's symbol says where it ends, a vmalloc area ends where
//! a page does, and nothing is indexed by more than fits into memory.

use crate::context::Facts;
use crate::scenes::Scenes;
use kwhy_arch::{Region, classify_address};
use kwhy_base::{ImageAddr, Reg};
use kwhy_flow::insn::Operator;
use kwhy_flow::scene::Scene;
use kwhy_flow::value::{Node, NodeId, Value};
use kwhy_image::Symbol;
use std::collections::BTreeMap;

/// What an index led out of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strayed {
    /// A variable: the index leads out of the whole image that it is in.
    Variable {
        /// The symbol.
        symbol: String,
        /// How many bytes it has.
        size: u64,
        /// How many bytes behind its start (before it, where negative) the access was.
        distance: i64,
    },
    /// A vmalloc area: the access is the first behind the end of one of its pages.
    Area {
        /// Where the pointer led to, page-aligned.
        start: u64,
        /// How many bytes behind that the access was: whole pages and less than an element.
        distance: i64,
    },
    /// An object anywhere: the pointer is one of the kernel's, the index takes it far away.
    Far {
        /// The pointer.
        pointer: u64,
        /// How many bytes the index takes it away.
        distance: i64,
    },
}

/// An index that leads further than this, in bytes, is hardly one of an array.
const FAR: u64 = 1 << 24;
/// More than any index of a variable: what is added is then no index but an address.
const MOST: u64 = 1 << 40;
/// The size of a page (and of the guard behind a vmalloc area, mm/vmalloc.c) at the least.
const PAGE: u64 = 4096;
/// How many parts of an address are looked at.
const MAX_PARTS: usize = 16;
/// How deep a value is computed.
const MAX_DEPTH: u32 = 12;

/// Looks whether the faulting access was led astray by an index.
pub fn find(facts: &Facts<'_>, scenes: &Scenes<'_, '_>) -> Option<Strayed> {
    if !facts.is_access_fault() || facts.places.pc_is_garbage {
        return None;
    }
    let (scene, pc) = scenes.at(facts.places.here()?)?;
    let arch = facts.arch()?;
    let fault = facts.findings.address_likely.or(facts.fault.best)?;
    let numbers = Numbers::read(facts, &scene, pc);
    for access in scene.accesses(pc) {
        let Some(address) = access.address.filter(|_| access.memory.segment.is_none()) else { continue };
        let parts = Parts::of(&scene, address);
        if !parts.others.iter().any(|part| is_index(&scene, *part)) {
            continue;
        }
        let found = match parts.base(&scene) {
            Some((symbol, base)) => variable(&scene, &numbers, &parts, &symbol, base, fault),
            None => {
                let region = |value| classify_address(arch, value, &facts.space).region;
                pointed(&scene, &numbers, &parts, fault, u64::from(access.width), &region)
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// An access at an index of a variable, where the place that it leads to is in no part of the image.
fn variable(
    scene: &Scene<'_, '_>,
    numbers: &Numbers,
    parts: &Parts,
    symbol: &Symbol,
    base: u64,
    fault: u64,
) -> Option<Strayed> {
    // What was added, else what is left of the fault address without the variable's own.
    let index = || {
        let sum = parts
            .others
            .iter()
            .try_fold(0u64, |sum, part| Some(sum.wrapping_add(numbers.of(scene, *part, 0)?)))?;
        Some(sum as i64)
    };
    let moved = || Some(fault.wrapping_sub(numbers.moved(scene, base)?).wrapping_sub(base) as i64);
    let index = index().or_else(moved)?;
    let place = base.wrapping_add_signed(index);
    if index.unsigned_abs() >= MOST || scene.image.section_at(ImageAddr(place)).is_some() {
        return None;
    }
    let size = if symbol.elf_size > 0 { symbol.elf_size } else { symbol.size };
    let distance = place.wrapping_sub(symbol.address.0) as i64;
    let outside = distance < 0 || distance.unsigned_abs() >= size;
    outside.then(|| Strayed::Variable { symbol: symbol.name.clone(), size, distance })
}

/// An access at an index from a pointer.
fn pointed(
    scene: &Scene<'_, '_>,
    numbers: &Numbers,
    parts: &Parts,
    fault: u64,
    width: u64,
    region: &dyn Fn(u64) -> Region,
) -> Option<Strayed> {
    let kernels = |value: u64| {
        matches!(region(value), Region::LinearMap | Region::Vmalloc | Region::KernelData | Region::Module)
    };
    let (indices, pointers): (Vec<Value>, Vec<Value>) =
        parts.others.iter().partition(|part| is_index(scene, **part));
    let [pointer] = pointers.as_slice() else { return None };
    let known = numbers.of(scene, *pointer, 0).or_else(|| {
        let sum = indices
            .iter()
            .try_fold(0u64, |sum, part| Some(sum.wrapping_add(numbers.of(scene, *part, 0)?)))?;
        Some(fault.wrapping_sub(sum).wrapping_add_signed(parts.plus.wrapping_neg()))
    });
    let pointer = known.filter(|pointer| kernels(*pointer))?;
    let distance = fault.wrapping_sub(pointer) as i64;
    let far = (FAR..1 << 47).contains(&distance.unsigned_abs());
    if far {
        return Some(Strayed::Far { pointer, distance });
    }
    // Whole pages were walked, and the first byte behind them is where there is none any more.
    let walked = distance.unsigned_abs() >= PAGE && distance > 0;
    let edge = pointer.is_multiple_of(PAGE) && fault % PAGE < width;
    (walked && edge && region(pointer) == Region::Vmalloc && region(fault) == Region::Vmalloc)
        .then_some(Strayed::Area { start: pointer, distance })
}

/// Whether a part of an address is what an index looks like: multiplied by an element's size, or a
/// narrow number.
fn is_index(scene: &Scene<'_, '_>, part: Value) -> bool {
    let small = |value: Value, most: u64| value.as_constant().is_some_and(|number| number < most);
    match part.node.and_then(|id| scene.node(id)) {
        Some(Node::Binary(Operator::Mul, a, b)) => small(a, PAGE) || small(b, PAGE),
        // A page's number becomes its address by a shift of 12: that is no index.
        Some(Node::Binary(Operator::Shl, _, by)) => small(by, 12),
        Some(Node::Extract { bits, .. }) => bits <= 32,
        Some(Node::Load { width, .. }) => width <= 4,
        _ => false,
    }
}

/// An address taken apart: what is added up, and the constant.
struct Parts {
    others: Vec<Value>,
    plus: i64,
}

impl Parts {
    fn of(scene: &Scene<'_, '_>, address: Value) -> Parts {
        let mut parts = Parts { others: Vec::new(), plus: 0 };
        let mut open = vec![address];
        while let Some(value) = open.pop() {
            parts.plus = parts.plus.wrapping_add(value.plus);
            let Some(id) = value.node else { continue };
            match scene.node(id) {
                Some(Node::Binary(Operator::Add, a, b)) if open.len() < MAX_PARTS => open.extend([a, b]),
                _ => parts.others.push(Value { node: Some(id), plus: 0 }),
            }
        }
        parts
    }

    /// The variable that the constant is the address of, with that address; none of a per-cpu one,
    /// whose address is no place.
    fn base(&self, scene: &Scene<'_, '_>) -> Option<(Symbol, u64)> {
        let base = self.plus as u64;
        let section = scene.image.section_at(ImageAddr(base))?;
        let data = !section.executable && !section.name.contains("percpu") && base > PAGE;
        let symbol = scene.image.symbol_at(ImageAddr(base)).filter(|_| data)?;
        Some((symbol, base))
    }
}

/// What the registers say of the function's values.
struct Numbers {
    known: BTreeMap<NodeId, u64>,
    /// Places of the image that registers hold, and where they were when it ran.
    places: Vec<(u64, u64)>,
}

impl Numbers {
    fn read(facts: &Facts<'_>, scene: &Scene<'_, '_>, pc: ImageAddr) -> Numbers {
        let mut numbers = Numbers { known: BTreeMap::new(), places: Vec::new() };
        let Some(cpu) = kwhy_arch::cpu(scene.arch()) else { return numbers };
        let registers = cpu.registers.iter().map(|(_, register)| *register);
        for register in registers.collect::<std::collections::BTreeSet<Reg>>() {
            let (Some(value), Some(printed)) =
                (scene.register(pc, register), facts.record.registers.known(register))
            else {
                continue;
            };
            // What has an address of the image in it was moved with the image.
            let moved = scene.image.section_at(ImageAddr(value.plus as u64)).is_some()
                && value.plus.unsigned_abs() > PAGE;
            match value.node {
                Some(id) if !moved => {
                    numbers.known.entry(id).or_insert(printed.wrapping_sub(value.plus as u64));
                }
                None if moved => numbers.places.push((value.plus as u64, printed)),
                _ => {}
            }
        }
        numbers
    }

    /// How far the part of the image with `place` was moved.
    fn moved(&self, scene: &Scene<'_, '_>, place: u64) -> Option<u64> {
        let name = |at: u64| scene.image.section_at(ImageAddr(at)).map(|section| section.name);
        let section = name(place)?;
        let same = self.places.iter().find(|(linked, _)| name(*linked).as_ref() == Some(&section));
        same.map(|(linked, printed)| printed.wrapping_sub(*linked))
    }

    /// The number that a value was.
    fn of(&self, scene: &Scene<'_, '_>, value: Value, depth: u32) -> Option<u64> {
        let Some(id) = value.node else { return Some(value.plus as u64) };
        let number = match self.known.get(&id) {
            Some(number) => *number,
            None if depth < MAX_DEPTH => match scene.node(id)? {
                Node::Binary(operator, a, b) => {
                    let (a, b) = (self.of(scene, a, depth + 1)?, self.of(scene, b, depth + 1)?);
                    match operator {
                        Operator::Add => a.wrapping_add(b),
                        Operator::Sub => a.wrapping_sub(b),
                        Operator::Mul => a.wrapping_mul(b),
                        Operator::And => a & b,
                        Operator::Or => a | b,
                        Operator::Xor => a ^ b,
                        Operator::Shl => a.checked_shl(u32::try_from(b).ok()?)?,
                        Operator::Shr => a.checked_shr(u32::try_from(b).ok()?)?,
                        Operator::Sar => (a as i64).checked_shr(u32::try_from(b).ok()?)? as u64,
                        Operator::Either => return None,
                    }
                }
                Node::Extract { value, lsb, bits, signed } => {
                    extract(self.of(scene, value, depth + 1)?, lsb, bits, signed)?
                }
                _ => return None,
            },
            None => return None,
        };
        Some(number.wrapping_add(value.plus as u64))
    }
}

/// `bits` bits of a number, from `lsb` on.
fn extract(number: u64, lsb: u8, bits: u8, signed: bool) -> Option<u64> {
    let above = 64u32.checked_sub(u32::from(lsb).checked_add(u32::from(bits))?)?;
    let below = above.checked_add(u32::from(lsb))?;
    let up = number.checked_shl(above)?;
    if signed { (up as i64).checked_shr(below).map(|number| number as u64) } else { up.checked_shr(below) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_taken_out_of_a_number() {
        assert_eq!(extract(0xffff_ffff_8000_0001, 0, 32, false), Some(0x8000_0001));
        assert_eq!(extract(0x8000_0001, 0, 32, true), Some(0xffff_ffff_8000_0001));
        assert_eq!(extract(0x1234, 4, 8, false), Some(0x23));
        assert_eq!(extract(7, 0, 64, false), Some(7));
        assert_eq!(extract(7, 60, 8, false), None);
    }
}
