//! Writes that are wider than the member they aim at: `kstrtoul(text, 0, (unsigned long *)&p->count)`
//! with a `u32 count` goes over the half of the pointer behind it.

use super::survey::{Known, spot};
use super::{Lead, Search};
use crate::origin::{Explains, Mishap, What};
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, Prose, prose};
use kwhy_flow::insn::Flow;
use kwhy_flow::scene::Scene;
use kwhy_flow::value::Value;
use kwhy_image::{Image, Type, TypeId};
use std::rc::Rc;

/// Functions that write a number of fixed width through a pointer: position of the pointer, bytes.
/// From include/linux/kstrtox.h and of.h, for where there is no kernel image to read them from.
const WRITERS: &[(&str, usize, u64)] = &[
    ("kstrtoull", 2, 8),
    ("kstrtoll", 2, 8),
    ("_kstrtoul", 2, 8),
    ("_kstrtol", 2, 8),
    ("kstrtouint", 2, 4),
    ("kstrtoint", 2, 4),
    ("kstrtou16", 2, 2),
    ("kstrtos16", 2, 2),
    ("kstrtoull_from_user", 3, 8),
    ("kstrtoul_from_user", 3, 8),
    ("kstrtouint_from_user", 3, 4),
    ("of_property_read_u64", 2, 8),
];

/// How many arguments of a call are looked at.
const MAX_ARGUMENTS: usize = 6;
/// How many functions a pointer is followed through to the one that writes.
const MAX_DEPTH: u32 = 3;

/// A member that is smaller than what was written to it.
struct Narrow {
    /// `ring->usecs`.
    place: String,
    /// Bytes from the start of the struct.
    offset: u64,
    /// Its size.
    size: u64,
}

/// Writes that begin in a member before the one asked about and end inside it or behind it.
pub fn spills(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    let Some(wanted) = &search.wanted else { return Vec::new() };
    if search.asked.size != 8 || search.asked.indexed || search.is_nothing() || search.asked.value.is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for known in &search.survey.functions {
        let scene = &known.scene;
        for write in &known.writes {
            let width = u64::from(write.width);
            if width < 2 || scene.is_stack_address(write.address) {
                continue;
            }
            if let Some(narrow) = narrow(search, known, write.at, write.address)
                && is_spilt(search, &narrow, width)
            {
                let place = spot(scene.image, known.image, write.at);
                let detail = prose!(
                    say::SPILLS,
                    function = place.function.clone().unwrap_or_default(),
                    width = width,
                    place = narrow.place,
                    size = narrow.size,
                    text = &search.asked.text
                );
                found.push(lead(search, known, write.at, detail));
            }
        }
        for (call, _) in scene.calls() {
            for index in 0..MAX_ARGUMENTS {
                let Some(argument) = scene.argument(call, index) else { continue };
                if argument.node.is_none() || scene.is_stack_address(argument) {
                    continue;
                }
                // What is no member before the one asked about needs no look at the callee.
                let Some(narrow) = narrow(search, known, call, argument) else { continue };
                if narrow.offset.saturating_add(8) <= wanted.offset {
                    continue;
                }
                let Some((callee, width)) = written_by(search, known, call, index) else { continue };
                if !is_spilt(search, &narrow, width) {
                    continue;
                }
                let place = spot(scene.image, known.image, call);
                let detail = prose!(
                    say::CALL_SPILLS,
                    function = place.function.clone().unwrap_or_default(),
                    callee = callee,
                    width = width,
                    place = narrow.place,
                    size = narrow.size,
                    text = &search.asked.text
                );
                found.push(lead(search, known, call, detail));
            }
        }
    }
    found
}

fn lead(search: &Search<'_, '_, '_, '_>, known: &Known<'_, '_>, at: ImageAddr, detail: Prose) -> Lead {
    let place = spot(known.scene.image, known.image, at);
    let mut lead = search.lead(known, place, What::MemberStore, Explains::Perhaps, 0, detail);
    lead.candidate.mishap = Some(Mishap::RunsOver);
    lead
}

/// Whether a write of that many bytes goes over the member's end and over (a part of) the one asked
/// about, and what was left of that is what was found.
fn is_spilt(search: &Search<'_, '_, '_, '_>, narrow: &Narrow, width: u64) -> bool {
    let (Some(wanted), Some(value)) = (&search.wanted, search.asked.value) else { return false };
    let end = narrow.offset.saturating_add(width);
    if width <= narrow.size || narrow.offset.saturating_add(narrow.size) > wanted.offset {
        return false;
    }
    match end.checked_sub(wanted.offset) {
        // Members that are set with one store are all set whole. The bytes that were not written are
        // those of the pointer that was there.
        Some(1..=7) => value.to_le_bytes().last() == Some(&0xff),
        _ => false,
    }
}

/// The plain member that an address of the wanted struct is the start of, in front of the one asked
/// about.
fn narrow(
    search: &Search<'_, '_, '_, '_>,
    known: &Known<'_, '_>,
    at: ImageAddr,
    address: Value,
) -> Option<Narrow> {
    let wanted = search.wanted.as_ref()?;
    let image = known.scene.image;
    known.scene.objects_of(at, address).into_iter().find_map(|within| {
        let start = wanted.place_in(image, within.record)?;
        let offset = u64::try_from(within.offset).ok()?.checked_sub(start)?;
        if offset >= wanted.offset || (start == 0 && image.type_name(within.record) != wanted.record) {
            return None;
        }
        let record = image.find_type_near(&wanted.record, at).or_else(|| image.find_type(&wanted.record))?;
        let (name, size) = scalar_at(image, record, offset, 0)?;
        Some(Narrow { place: kwhy_flow::path::join(&within.pointer, &format!(".{name}")), offset, size })
    })
}

/// The member that is no array, struct or bit-field and begins at exactly this offset.
fn scalar_at(image: &Image<'_>, record: TypeId, offset: u64, depth: u32) -> Option<(String, u64)> {
    let Type::Record(of) = image.strip(record) else { return None };
    if depth > 8 {
        return None;
    }
    of.members.iter().find_map(|member| {
        let size = image.size_of(member.ty)?;
        let inner = offset.checked_sub(member.offset).filter(|inner| *inner < size)?;
        let name = member.name.as_deref();
        match image.strip(member.ty) {
            Type::Array { .. } => None,
            Type::Record(_) => {
                let (inner, size) = scalar_at(image, member.ty, inner, depth.saturating_add(1))?;
                Some((name.map_or_else(|| inner.clone(), |outer| format!("{outer}.{inner}")), size))
            }
            _ if inner == 0 && member.bits.is_none() => Some((name?.to_owned(), size)),
            _ => None,
        }
    })
}

/// How many bytes a call writes through one of its arguments; by the callee's code, else by the table.
fn written_by<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    known: &Known<'o, 'd>,
    call: ImageAddr,
    index: usize,
) -> Option<(String, u64)> {
    let callee = known.scene.callee_name(call)?;
    let plain = crate::names::base_name(&callee).to_owned();
    let by_code = target(search, known.image, &known.scene, call)
        .and_then(|(image, scene)| through(search, image, &scene, index, 0));
    let by_table =
        || WRITERS.iter().find(|(name, at, _)| *name == plain && *at == index).map(|(_, _, width)| *width);
    let width = by_code.or_else(by_table)?;
    Some((plain, width))
}

/// The function that a direct call or jump goes to, in its own image or in the kernel.
fn target<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    image: usize,
    scene: &Scene<'o, 'd>,
    at: ImageAddr,
) -> Option<(usize, Rc<Scene<'o, 'd>>)> {
    let (Flow::Call(to) | Flow::Jump(to)) = scene.insn(at)?.flow else { return None };
    if scene.image.section_at(to).is_some() && scene.code.imports.name(to).is_none() {
        return Some((image, search.ctx.scenes.of(image, to)?));
    }
    let kernel = search.ctx.scenes.kernel()?;
    Some((kernel, search.ctx.scenes.symbol(kernel, &scene.callee_name(at)?)?))
}

/// The widest store of a function straight to where one of its parameters points.
fn through<'o, 'd>(
    search: &Search<'_, '_, 'o, 'd>,
    image: usize,
    scene: &Rc<Scene<'o, 'd>>,
    index: usize,
    depth: u32,
) -> Option<u64> {
    let register = *kwhy_arch::cpu(scene.arch())?.arguments.get(index)?;
    let pointer = scene.entered_with(register);
    let own = scene.writes().into_iter().filter(|write| write.address == pointer && !write.modifies);
    if let Some(width) = own.map(|write| u64::from(write.width)).max() {
        return Some(width);
    }
    if depth >= MAX_DEPTH {
        return None;
    }
    for (call, _) in scene.calls() {
        let Some(index) = (0..MAX_ARGUMENTS).find(|index| scene.argument(call, *index) == Some(pointer))
        else {
            continue;
        };
        let Some((image, next)) = target(search, image, scene, call) else { continue };
        if let Some(width) = through(search, image, &next, index, depth.saturating_add(1)) {
            return Some(width);
        }
    }
    None
}
