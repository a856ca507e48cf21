//! Writes that run over: bytes copied into an array without an end, into the member behind it; and
//! copies into memory that the member shares.

use super::survey::{Known, spot};
use super::{Lead, Search};
use crate::origin::{Explains, Mishap, What};
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::memory as say;
use kwhy_base::prose;
use kwhy_flow::value::{Node, Value};
use kwhy_flow::writes::{Within, Write};
use kwhy_image::{Image, Type, TypeId};

/// Functions that write what their first argument points to: which argument is the length in
/// bytes, where there is one. From include/linux/string.h, kernel.h, uaccess.h.
const COPIERS: &[(&str, Option<usize>)] = &[
    ("memcpy", Some(2)),
    ("memmove", Some(2)),
    ("memset", Some(2)),
    ("strcpy", None),
    ("strcat", None),
    ("strncpy", Some(2)),
    ("strlcpy", Some(2)),
    ("strscpy", Some(2)),
    ("strncat", None),
    ("strlcat", Some(2)),
    ("stpcpy", None),
    ("sprintf", None),
    ("vsprintf", None),
    ("snprintf", Some(1)),
    ("scnprintf", Some(1)),
    ("vsnprintf", Some(1)),
    ("_copy_from_user", Some(2)),
    ("copy_from_user", Some(2)),
    ("__arch_copy_from_user", Some(2)),
    ("raw_copy_from_user", Some(2)),
    ("memcpy_fromio", Some(2)),
    ("__memcpy_fromio", Some(2)),
];

/// The position of the length of a function that copies to where its first argument points to,
/// and its name without what the machine puts in front; `None` for any other function.
pub fn copier(callee: &str) -> Option<(&str, Option<usize>)> {
    let plain = crate::names::base_name(callee).trim_start_matches("__pi_");
    let known_as = |name: &str| plain == name || plain.strip_prefix("__") == Some(name);
    COPIERS.iter().find(|(name, _)| known_as(name)).map(|(_, length)| (plain, *length))
}

/// Writes that may have run into the member, or over it by another name.
pub fn overruns(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    // A clean NULL, an error or a good pointer is not left by bytes that run over.
    let by_bytes = matches!(
        search.kind,
        Some(
            ValueKind::AsciiText
                | ValueKind::Integer
                | ValueKind::UserPointer
                | ValueKind::MachineCode
                | ValueKind::BitFlip
                | ValueKind::TaggedPointer
                | ValueKind::SmallInteger
        ) | None
    ) || search.begins_with_text();
    if search.wanted.is_none() || !by_bytes || search.asked.value.is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for known in &search.survey.functions {
        for write in &known.writes {
            if u64::from(write.width) < search.asked.size.max(2) {
                found.extend(byte_by_byte(search, known, write));
            }
        }
        found.extend(copies(search, known));
    }
    found
}

/// The struct of the member, as an object that an address lies in, and where.
fn inside(search: &Search<'_, '_, '_, '_>, image: &Image<'_>, within: &[Within]) -> Option<(TypeId, u64)> {
    let wanted = search.wanted.as_ref()?;
    within.iter().find_map(|within| {
        let start = wanted.place_in(image, within.record)?;
        let offset = u64::try_from(within.offset).ok()?.checked_sub(start)?;
        let own = start == 0 && image.type_name(within.record) == wanted.record;
        own.then_some((within.record, offset))
    })
}

/// The array member at an offset of a struct: name, first byte and the one past the last.
pub fn array_at(image: &Image<'_>, record: TypeId, offset: u64, depth: u32) -> Option<(String, u64, u64)> {
    let Type::Record(of) = image.strip(record) else { return None };
    if depth > 8 {
        return None;
    }
    of.members.iter().find_map(|member| {
        let end = member.offset.checked_add(image.size_of(member.ty)?)?;
        if !(member.offset..end).contains(&offset) {
            return None;
        }
        match image.strip(member.ty) {
            Type::Array { .. } => {
                Some((member.name.as_deref().unwrap_or("?").to_owned(), member.offset, end))
            }
            Type::Record(_) => {
                let inner = offset.checked_sub(member.offset)?;
                let (name, first, last) = array_at(image, member.ty, inner, depth + 1)?;
                let name = match member.name.as_deref() {
                    Some(outer) => format!("{outer}.{name}"),
                    None => name,
                };
                Some((name, first.checked_add(member.offset)?, last.checked_add(member.offset)?))
            }
            _ => None,
        }
    })
}

/// A write of less than the member in a loop, or at an index: it goes through an array that the
/// member lies behind or shares its memory with.
fn byte_by_byte(search: &Search<'_, '_, '_, '_>, known: &Known<'_, '_>, write: &Write) -> Option<Lead> {
    let scene = &known.scene;
    let wanted = search.wanted.as_ref()?;
    for start in starts(known, write) {
        let within = scene.objects_of(write.at, start);
        let Some((record, offset)) = inside(search, scene.image, &within) else { continue };
        let Some((name, first, _)) = array_at(scene.image, record, offset, 0) else { continue };
        if first <= wanted.offset {
            let pointer = within.first().map(|within| within.pointer.clone()).unwrap_or_default();
            let array = kwhy_flow::path::join(&pointer, &format!(".{name}"));
            let place = spot(scene.image, known.image, write.at);
            let function = place.function.clone().unwrap_or_default();
            let detail =
                prose!(say::RUNS_OVER, function = function, place = array, text = &search.asked.text);
            let mut lead = search.lead(known, place, What::MemberStore, Explains::Perhaps, 0, detail);
            lead.candidate.mishap = Some(Mishap::RunsOver);
            return Some(lead);
        }
    }
    None
}

/// Where a write that is repeated begins: the pointer that a loop starts from, or the base of an index.
pub fn starts(known: &Known<'_, '_>, write: &Write) -> Vec<Value> {
    let scene = &known.scene;
    match write.address.node.and_then(|id| scene.node(id)) {
        Some(Node::Phi { .. }) => {
            let mut found: Vec<Value> =
                scene.choices(write.address).into_iter().map(|leaf| leaf.value).collect();
            found.retain(|value| value.node.is_some());
            found
        }
        Some(Node::Binary(kwhy_flow::insn::Operator::Add, a, b)) => {
            let plus = write.address.plus;
            let mut found = vec![a.offset(plus), b.offset(plus)];
            for (base, index) in [(a, b), (b, a)] {
                for choice in scene.choices(index) {
                    found.push(choice.value.offset(plus));
                    // The compiler lets an index begin at 1 and takes that off the address.
                    if choice.value.node.is_none() {
                        found.push(base.offset(plus.wrapping_add(choice.value.plus)));
                    }
                }
            }
            found
        }
        _ => Vec::new(),
    }
}

/// Calls that copy into an array before the member, or into memory shared with it.
fn copies(search: &Search<'_, '_, '_, '_>, known: &Known<'_, '_>) -> Vec<Lead> {
    let scene = &known.scene;
    let Some(wanted) = search.wanted.as_ref() else { return Vec::new() };
    let mut found = Vec::new();
    for (call, _) in scene.calls() {
        let Some(callee) = scene.callee_name(call) else { continue };
        let Some((plain, length)) = copier(&callee) else { continue };
        let Some(to) = scene.argument(call, 0) else { continue };
        let within = scene.objects_of(call, to);
        let Some((record, offset)) = inside(search, scene.image, &within) else { continue };
        let length = length.and_then(|index| scene.argument(call, index)).and_then(Value::as_constant);
        let reaches = match length {
            Some(length) => wanted.offset < offset.saturating_add(length),
            None => true,
        };
        let array = array_at(scene.image, record, offset, 0);
        let before = offset <= wanted.offset && (array.is_some() || length.is_some());
        if !reaches || !before {
            continue;
        }
        let pointer = within.first().map(|within| within.pointer.clone()).unwrap_or_default();
        let place = spot(scene.image, known.image, call);
        let (text, order) = (&search.asked.text, u8::from(offset == 0 && array.is_none()));
        let detail = match array {
            Some((name, ..)) => {
                let array = kwhy_flow::path::join(&pointer, &format!(".{name}"));
                prose!(say::COPIES_OVER, callee = plain, place = array, text = text)
            }
            None => prose!(say::FILLS, callee = plain, text = text),
        };
        found.push(search.lead(known, place, What::Code, Explains::Perhaps, order, detail));
    }
    found
}
