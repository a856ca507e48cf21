//! Text in a pointer that no store of its struct explains: a copy that runs over the end of an
//! object of another type, in the same slab cache, into the object behind it. Which function copies
//! into such an object without an end is told by the code; which objects lay side by side is not.

use super::overrun::{array_at, copier, starts};
use super::survey::{Known, spot};
use super::{Held, Lead, Search};
use crate::origin::{Explains, Mishap, What};
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, Prose, prose};
use kwhy_flow::stores::Made;
use kwhy_flow::value::{Node, NodeId, Value};
use kwhy_flow::writes::Within;
use kwhy_image::TypeId;

/// The sizes of the general slab caches (mm/slab_common.c, `kmalloc_info`).
const CLASSES: &[u64] = &[8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192];

/// Where objects of a type come from.
#[derive(Clone, Debug, PartialEq)]
enum Cache {
    /// A cache that the code names: `kmalloc_caches+0x38`. Its address in the code, and its size class.
    Named(String, Option<u64>),
    /// By its size alone.
    Class(u64),
}

/// Copies without an end into objects that may lie before the one of the member asked about.
pub fn neighbours(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    // Bytes that are no text are the doing of too many.
    if search.kind != Some(ValueKind::AsciiText) && !search.begins_with_text() {
        return Vec::new();
    }
    let Some(wanted) = &search.wanted else { return nameless(search) };
    let own = caches(search, &|known, record| wanted.place_in(known.scene.image, record).is_some());
    let mut found = Vec::new();
    for known in search.survey.functions.iter().filter(|_| !own.is_empty()) {
        for (at, to, how) in endless(known) {
            let scene = &known.scene;
            for within in scene.objects_of(at, to) {
                let Some((place, reason)) = beside(search, known, &own, &within) else { continue };
                let spot = spot(scene.image, known.image, at);
                let detail = prose!(
                    say::NEIGHBOUR,
                    function = spot.function.clone().unwrap_or_default(),
                    place = place,
                    text = &search.asked.text
                );
                let mut lead = search.lead(known, spot, What::MemberStore, Explains::Perhaps, how, detail);
                lead.candidate.reasons.push(reason);
                lead.candidate.mishap = Some(Mishap::RunsOver);
                found.push(lead);
                break;
            }
        }
    }
    if found.is_empty() { nameless(search) } else { found }
}

/// The same where nothing has a type: copies without an end into what an allocator returned, from a
/// cache that the module whose pointer was overwritten takes objects from as well.
fn nameless(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    if matches!(search.asked.held, Held::Global { .. }) {
        return Vec::new();
    }
    let mut own: Vec<Cache> = Vec::new();
    for known in search.survey.functions.iter().filter(|known| known.image == search.asked.load.0) {
        for made in known.scene.objects_made() {
            let cache = cache(known, &made, size_made(known, &made));
            own.extend(cache.filter(|cache| !own.contains(cache)));
        }
    }
    let mut found = Vec::new();
    for known in &search.survey.functions {
        for (at, to, how) in endless(known) {
            // What debug information gives a type was looked at by it; an inferred one is a guess.
            if known.scene.image.has_dwarf() && !known.scene.objects_of(at, to).is_empty() {
                continue;
            }
            let theirs = made_as(search, known, to, 0);
            let Some(reason) =
                theirs.iter().find_map(|cache| own.iter().find_map(|other| shared(cache, other)))
            else {
                continue;
            };
            let spot = spot(known.scene.image, known.image, at);
            let detail = prose!(
                say::NEIGHBOUR_NAMELESS,
                function = spot.function.clone().unwrap_or_default(),
                text = &search.asked.text
            );
            let mut lead = search.lead(known, spot, What::MemberStore, Explains::Perhaps, how, detail);
            lead.candidate.reasons.push(reason);
            lead.candidate.mishap = Some(Mishap::RunsOver);
            found.push(lead);
        }
    }
    found
}

/// The size that an allocator was asked for, where it is a constant (kmalloc_trace() is handed it
/// after the cache and the flags).
fn size_made(known: &Known<'_, '_>, made: &Made) -> Option<u64> {
    let callee = known.scene.callee_name(made.at)?;
    let plain = crate::names::base_name(&callee);
    let index = match plain {
        "kmalloc_trace" | "kmem_cache_alloc_trace" | "__kmalloc_cache_noprof" => 2,
        _ if plain.starts_with("__kmalloc") => 0,
        _ => return None,
    };
    known.scene.argument(made.at, index).and_then(Value::as_constant)
}

/// The caches that an object, as a function has it, was made from: there, or by those of its callers
/// that hand it over.
fn made_as(search: &Search<'_, '_, '_, '_>, known: &Known<'_, '_>, object: Value, depth: u32) -> Vec<Cache> {
    let Some(id) = object.node else { return Vec::new() };
    if let Some(made) = known.scene.objects_made().into_iter().find(|made| made.object.node == Some(id)) {
        return cache(known, &made, size_made(known, &made)).into_iter().collect();
    }
    let Some((register, _)) = known.scene.as_entry(Value { node: Some(id), plus: 0 }) else {
        return Vec::new();
    };
    if depth >= 2 {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (caller, call) in search.survey.calls_of(known.image, known.scene.code.entry) {
        if let Some(value) = caller.scene.register(call, register) {
            found.extend(made_as(search, caller, value, depth.saturating_add(1)));
        }
    }
    found
}

/// Whether an object that is written to may lie before one of those asked about: it is of another
/// type and from the same cache. What it is called, and why.
fn beside(
    search: &Search<'_, '_, '_, '_>,
    known: &Known<'_, '_>,
    own: &[Cache],
    within: &Within,
) -> Option<(String, Prose)> {
    let image = known.scene.image;
    let wanted = search.wanted.as_ref()?;
    let name = image.type_name(within.record);
    if wanted.place_in(image, within.record).is_some() {
        return None;
    }
    let offset = u64::try_from(within.offset).ok()?;
    let (array, ..) = array_at(image, within.record, offset, 0)?;
    let same_type = |other: &Known<'_, '_>, record: TypeId| other.scene.image.type_name(record) == name;
    let theirs = caches(search, &same_type);
    let reason = theirs.iter().find_map(|cache| own.iter().find_map(|other| shared(cache, other)))?;
    Some((kwhy_flow::path::join(&within.pointer, &format!(".{array}")), reason))
}

/// Whether two objects come from one cache.
fn shared(a: &Cache, b: &Cache) -> Option<Prose> {
    match (a, b) {
        (Cache::Named(a, class), Cache::Named(b, _)) if a == b => {
            let cache = class.map_or_else(|| a.clone(), |size| format!("kmalloc-{size}"));
            Some(prose!(say::SAME_CACHE, cache = cache))
        }
        (Cache::Named(_, Some(a)) | Cache::Class(a), Cache::Class(b))
        | (Cache::Class(a), Cache::Named(_, Some(b)))
            if a == b =>
        {
            Some(prose!(say::SAME_CLASS, cache = format!("kmalloc-{a}")))
        }
        _ => None,
    }
}

/// The caches that objects of a type are made from.
fn caches(search: &Search<'_, '_, '_, '_>, of: &dyn Fn(&Known<'_, '_>, TypeId) -> bool) -> Vec<Cache> {
    let mut found: Vec<Cache> = Vec::new();
    for known in &search.survey.functions {
        for made in known.scene.objects_made() {
            let within = known.scene.objects_of(made.at, made.object);
            let Some(record) = within.iter().find(|within| within.offset == 0 && of(known, within.record))
            else {
                continue;
            };
            let size = known.scene.image.size_of(record.record);
            let cache = cache(known, &made, size);
            if let Some(cache) = cache.filter(|cache| !found.contains(cache)) {
                found.push(cache);
            }
        }
    }
    found
}

/// The cache that an object is made from: what the allocator is handed as such, else its size class.
fn cache(known: &Known<'_, '_>, made: &Made, size: Option<u64>) -> Option<Cache> {
    let class = size.and_then(|size| CLASSES.iter().copied().find(|class| size <= *class));
    let callee = known.scene.callee_name(made.at)?;
    // kmalloc_trace() and kmem_cache_alloc() are handed their cache; __kmalloc() a number of bytes.
    let by_size =
        crate::names::base_name(&callee).starts_with("__kmalloc") && !callee.contains("__kmalloc_cache");
    let handed = known.scene.argument(made.at, 0).filter(|_| !by_size);
    let Some(Node::Load { address, segment: None, width: 8, .. }) =
        handed.and_then(|value| value.node).and_then(|id| known.scene.node(id))
    else {
        return class.map(Cache::Class);
    };
    if address.node.is_some() {
        return class.map(Cache::Class);
    }
    match known.scene.code.imports.within(ImageAddr(address.plus as u64)) {
        Some((name, offset)) => {
            let general = name == "kmalloc_caches";
            Some(Cache::Named(format!("{name}+{offset:#x}"), class.filter(|_| general)))
        }
        // A cache of the module's own is shared with nobody, unless caches were merged.
        None => {
            let symbol = known.scene.image.symbol_at(ImageAddr(address.plus as u64))?;
            Some(Cache::Named(format!("{}:{}", known.image, symbol.name), None))
        }
    }
}

/// Writes of a function whose length is nowhere compared with anything: the instruction, where it
/// begins to write, and how much speaks for it (less is more).
fn endless(known: &Known<'_, '_>) -> Vec<(ImageAddr, Value, u8)> {
    let scene = &known.scene;
    let mut found = Vec::new();
    for (call, _) in scene.calls() {
        let Some(callee) = scene.callee_name(call) else { continue };
        let Some((_, length)) = copier(&callee) else { continue };
        let Some(to) = scene.argument(call, 0) else { continue };
        match length {
            None => found.push((call, to, 2)),
            Some(index) => {
                let Some(length) = scene.argument(call, index) else { continue };
                if length.as_constant().is_none() && !is_limited(known, length) {
                    found.push((call, to, 1));
                }
            }
        }
    }
    for write in known.writes.iter().filter(|write| write.width <= 2 && !write.modifies) {
        let Some(id) = write.address.node else { continue };
        let looping = match scene.node(id) {
            Some(Node::Binary(_, a, b)) => {
                [a, b].into_iter().filter_map(|part| part.node).any(|part| is_counter(known, part))
            }
            _ => is_counter(known, id),
        };
        if looping && !is_limited(known, write.address) {
            found.extend(starts(known, write).into_iter().map(|start| (write.at, start, 1)));
        }
    }
    found
}

/// Whether a value goes round a loop and is itself and a constant in the next round.
fn is_counter(known: &Known<'_, '_>, id: NodeId) -> bool {
    let Some(Node::Phi { block, place }) = known.scene.node(id) else { return false };
    let again = |input: Value| input.node == Some(id) && input.plus != 0;
    known.scene.phi_inputs(block, place).into_iter().any(|(_, input)| again(input))
}

/// Whether a value, or a part of it, is compared with a constant other than 0, or is a choice one
/// of which is a constant (as `min()` makes one).
fn is_limited(known: &Known<'_, '_>, value: Value) -> bool {
    let parts = parts(known, value);
    let limit = |value: Value| value.as_constant().is_some_and(|number| number != 0);
    let is_part = |value: Value| value.node.is_some_and(|id| parts.contains(&id));
    let compared = known
        .scene
        .comparisons()
        .iter()
        .any(|one| (is_part(one.left) && limit(one.right)) || (is_part(one.right) && limit(one.left)));
    let chosen = || {
        let choices = known.scene.choices(value);
        choices.len() > 1 && choices.iter().any(|choice| limit(choice.value))
    };
    compared || chosen()
}

/// What a value is made of, some steps back.
fn parts(known: &Known<'_, '_>, value: Value) -> Vec<NodeId> {
    /// More are not looked at.
    const MAX_PARTS: usize = 16;
    let mut open: Vec<Value> = vec![value];
    let mut found: Vec<NodeId> = Vec::new();
    while let Some(value) = open.pop() {
        let Some(id) = value.node.filter(|id| !found.contains(id)) else { continue };
        if found.len() >= MAX_PARTS {
            break;
        }
        found.push(id);
        match known.scene.node(id) {
            Some(Node::Binary(_, a, b)) => open.extend([a, b]),
            Some(Node::Extract { value, .. }) => open.push(value),
            _ => {}
        }
    }
    found
}
