//! Variables: what their definitions put there.

use super::survey::{Known, definition, size_of, spot};
use super::{Held, Lead, Search, hex};
use crate::origin::{Candidate, Explains, Spot, What};
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, Prose, prose};
use kwhy_flow::guards::Guard;
use kwhy_flow::insn::Condition;
use kwhy_flow::value::{Node, Value};
use kwhy_flow::writes::Write;
use kwhy_image::{Image, StaticVariable, TypeId};

/// What a variable's place holds when the image is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    /// A number.
    Number(u64),
    /// An address that the loader puts there.
    Address,
}

/// Initialisers that put the value there.
pub fn initialisers(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    match &search.asked.held {
        Held::Member { record, member, .. } => instances(search, record, member),
        Held::Global { .. } => search.range.map(|range| variable(search, range)).unwrap_or_default(),
        Held::Pointee { .. } => pointees(search),
    }
}

/// Variables of the struct's type whose member is what was found: static tables of operations
/// without the operation, mostly.
fn instances(search: &Search<'_, '_, '_, '_>, record: &str, member: &str) -> Vec<Lead> {
    let Some(wanted) = &search.wanted else { return Vec::new() };
    let mut found = Vec::new();
    for (index, distance) in &search.survey.images {
        let Some(image) = search.ctx.images.image(*index) else { continue };
        for variable in search.survey.statics(image) {
            let Some(ty) = variable.ty else { continue };
            let Some(start) = wanted.place_in(image, ty) else { continue };
            let writable = image.section_at(variable.address).is_none_or(|section| section.writable);
            for place in places(image, ty, start, record) {
                let address = ImageAddr(variable.address.0.wrapping_add(place).wrapping_add(wanted.offset));
                let Some(explains) = fits(search, initial(image, address, wanted.size), writable) else {
                    continue;
                };
                let detail =
                    prose!(say::INSTANCE, variable = &*variable.name, record = record, member = member);
                let order = if writable { 4 } else { 1 };
                found.push(lead(
                    definition(image, &variable),
                    What::Global,
                    explains,
                    order,
                    *distance,
                    detail,
                ));
                break;
            }
        }
    }
    found
}

/// Where the struct begins in a variable: once, or in each element of an array of it.
fn places(image: &Image<'_>, ty: TypeId, start: u64, _record: &str) -> Vec<u64> {
    /// Longer tables are looked at in part.
    const MAX_ELEMENTS: u64 = 256;
    match image.strip(ty) {
        kwhy_image::Type::Array { element, count } => {
            let size = image.size_of(element).unwrap_or(0);
            let count = count.unwrap_or(1).clamp(1, MAX_ELEMENTS);
            (0..count).map(|i| start.wrapping_add(size.wrapping_mul(i))).collect()
        }
        _ => vec![start],
    }
}

fn fits(search: &Search<'_, '_, '_, '_>, initial: Option<Initial>, writable: bool) -> Option<Explains> {
    match (initial?, search.asked.value) {
        (Initial::Number(number), Some(value)) if number == value => {
            Some(if writable { Explains::Perhaps } else { Explains::Exactly })
        }
        (Initial::Number(0), None) => Some(Explains::Perhaps),
        (Initial::Address, _) if search.can_be_pointer() && search.asked.value.is_some() => {
            Some(Explains::Perhaps)
        }
        _ => None,
    }
}

/// What is at an address of an image before anything ran.
pub fn initial(image: &Image<'_>, address: ImageAddr, size: u64) -> Option<Initial> {
    let size = size.clamp(1, 8);
    let end = ImageAddr(address.0.checked_add(size)?);
    if !image.relocations(address..end).is_empty() {
        return Some(Initial::Address);
    }
    let section = image.section_at(address)?;
    if section.executable {
        return None;
    }
    // What has no bytes in the file is zero.
    let Some(bytes) = image.bytes(address, usize::try_from(size).ok()?) else {
        return Some(Initial::Number(0));
    };
    let mut number = 0u64;
    for (shift, byte) in bytes.iter().enumerate() {
        number |= u64::from(*byte).checked_shl(u32::try_from(shift.saturating_mul(8)).ok()?)?;
    }
    Some(Initial::Number(number))
}

fn lead(spot: Spot, what: What, explains: Explains, order: u8, distance: u8, detail: Prose) -> Lead {
    let candidate = Candidate::new(what, spot, explains, detail);
    Lead { candidate, order, distance, on_stack: false }
}

/// The variable's own definition.
fn variable(search: &Search<'_, '_, '_, '_>, (index, first, end): (usize, u64, u64)) -> Vec<Lead> {
    let Some(image) = search.ctx.images.image(index) else { return Vec::new() };
    let covers = |variable: &StaticVariable| {
        first.checked_sub(variable.address.0).is_some_and(|offset| offset < size_of(image, variable))
    };
    let Some(variable) = search.survey.statics(image).into_iter().find(covers) else { return Vec::new() };
    let step = search.asked.size.max(1);
    let mut at = first;
    let mut explains = None;
    // One element of several: any that holds the value will do.
    for _ in 0..256 {
        if at >= end {
            break;
        }
        explains = explains.or(fits(search, initial(image, ImageAddr(at), step), true));
        at = at.saturating_add(step);
    }
    let Some(explains) = explains else { return Vec::new() };
    let value = search.asked.value.map_or_else(|| "0".to_owned(), |value| search.number(value));
    let name = &*variable.name;
    let stored = storing(search);
    let guards = if search.asked.value == Some(0) { conditional(search, &stored, name) } else { Vec::new() };
    if !guards.is_empty() {
        return guards;
    }
    let (explains, order, detail) = if stored.is_empty() {
        (Explains::Exactly, 3, prose!(say::INITIALISER_KEPT, variable = name, value = value))
    } else {
        (explains, 2, prose!(say::INITIALISER, variable = name, value = value))
    };
    vec![lead(definition(image, &variable), What::Global, explains, order, 0, detail)]
}

/// A function that writes the variable, and one of its writes.
type Stored<'k, 'o, 'd> = (&'k Known<'o, 'd>, &'k Write);

/// The writes of the variable.
fn storing<'s, 'o, 'd>(search: &'s Search<'_, '_, 'o, 'd>) -> Vec<Stored<'s, 'o, 'd>> {
    let functions = search.survey.functions.iter();
    let writes = functions.flat_map(|known| known.writes.iter().map(move |write| (known, write)));
    writes
        .filter(|(known, write)| {
            search.reached(known, write.at, write.address, u64::from(write.width)).is_some()
        })
        .collect()
}

/// A variable that is still as it started, though it is stored: the conditions under which that
/// is, where every store has one.
fn conditional(search: &Search<'_, '_, '_, '_>, stored: &[Stored<'_, '_, '_>], variable: &str) -> Vec<Lead> {
    let mut found = Vec::new();
    for (known, write) in stored {
        // Going back to zero is no way to get a value.
        if write.number.and_then(Value::as_constant) == Some(0) {
            continue;
        }
        let guards = known.scene.guards(write.at);
        let Some(guard) = guards.iter().find(|guard| !asks_for_failure(known, guard)) else {
            return Vec::new();
        };
        let place = spot(known.scene.image, known.image, guard.branch);
        let function = place.function.clone().unwrap_or_default();
        let value = search.number(0);
        let detail = prose!(say::GUARD_OF_VARIABLE, variable = variable, value = value, function = function);
        found.push(search.lead(known, place, What::MissingStore, Explains::Perhaps, 2, detail));
    }
    found
}

/// Whether a condition only asks whether a call before it succeeded.
fn asks_for_failure(known: &Known<'_, '_>, guard: &Guard) -> bool {
    let scene = &known.scene;
    let result = |value: Value| {
        let mut node = value.node.and_then(|id| scene.node(id));
        if let Some(Node::Extract { value, .. }) = node {
            node = value.node.and_then(|id| scene.node(id));
        }
        matches!(node, Some(Node::Result { .. }))
    };
    let number = |value: Value| value.as_constant();
    let failure = |number: u64| number == 0 || (number as i64) < 0;
    let (left, right) = (guard.compared.left, guard.compared.right);
    let equal = matches!(guard.relation, Condition::Equal | Condition::NotEqual);
    result(left)
        && match number(right) {
            Some(0) => equal || guard.compared.bits,
            Some(number) => failure(number),
            None => true,
        }
}

/// `*tone` where `tone = &bell->tones[i]`: the variables that `bell->tones` is made to point to.
fn pointees(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    let (index, pc) = search.asked.load;
    let Some(scene) = search.ctx.scenes.of(index, pc) else { return Vec::new() };
    let mut found = Vec::new();
    for access in scene.accesses(pc) {
        let Some(address) = access.address else { continue };
        for pointer in pointers_in(&scene, address) {
            let Some(Node::Load { address: from, segment, width, .. }) =
                pointer.node.and_then(|id| scene.node(id))
            else {
                continue;
            };
            let Some(kept) = scene.object_at(pc, from, segment, width) else { continue };
            let (Some(pointee), Ok(offset)) = (kept.pointee, u64::try_from(kept.offset)) else { continue };
            let wanted =
                kwhy_flow::stores::Wanted { record: scene.image.type_name(pointee), offset, size: 8 };
            for target in targets(search, &wanted) {
                found.extend(pointed_to(search, target));
            }
        }
    }
    found
}

/// The parts of an address that may be pointers.
fn pointers_in(scene: &kwhy_flow::scene::Scene<'_, '_>, address: Value) -> Vec<Value> {
    let mut open = vec![address];
    let mut found = Vec::new();
    for _ in 0..16 {
        let Some(value) = open.pop() else { break };
        match value.node.and_then(|id| scene.node(id)) {
            Some(Node::Binary(kwhy_flow::insn::Operator::Add, a, b)) => open.extend([a, b]),
            Some(Node::Load { width: 8, .. }) => found.push(value),
            _ => {}
        }
    }
    found
}

/// The variables whose addresses are stored into a member: image and address.
fn targets(
    search: &Search<'_, '_, '_, '_>,
    wanted: &kwhy_flow::stores::Wanted,
) -> Vec<(usize, ImageAddr, u8)> {
    let mut found = Vec::new();
    for known in &search.survey.functions {
        for write in &known.writes {
            let Some(number) = write.number.and_then(Value::as_constant) else { continue };
            let image = known.scene.image;
            let within = known.scene.objects_of(write.at, write.address);
            let reached = within
                .iter()
                .any(|within| wanted.is_reached(image, within.record, within.offset, u64::from(write.width)));
            if reached && image.section_at(ImageAddr(number)).is_some_and(|section| !section.executable) {
                found.push((known.image, ImageAddr(number), known.distance));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn pointed_to(
    search: &Search<'_, '_, '_, '_>,
    (index, address, distance): (usize, ImageAddr, u8),
) -> Option<Lead> {
    let image = search.ctx.images.image(index)?;
    let statics = search.survey.statics(image);
    let variable = statics.into_iter().find(|variable| variable.address == address)?;
    let size = variable.ty.and_then(|ty| image.size_of(ty))?.min(4096);
    let step = search.asked.size.clamp(1, 8);
    let mut offset = 0;
    while offset < size {
        let at = ImageAddr(address.0.checked_add(offset)?);
        if let Some(explains) = fits(search, initial(image, at, step), true) {
            let value = search.asked.value.map_or_else(|| "0".to_owned(), |value| search.number(value));
            let detail = prose!(say::INITIALISER, variable = &*variable.name, value = value);
            return Some(lead(definition(image, &variable), What::Global, explains, 1, distance, detail));
        }
        offset = offset.checked_add(step)?;
    }
    None
}

impl Search<'_, '_, '_, '_> {
    /// The variables that hold the very value where a load reads, where that is more than zero:
    /// a table's entry, a rule's number.
    pub(super) fn data_holding(
        &self,
        known: &Known<'_, '_>,
        at: ImageAddr,
        address: Value,
    ) -> Option<Vec<Lead>> {
        let value = self.asked.value.filter(|value| *value != 0)?;
        let image = known.scene.image;
        let mut found = Vec::new();
        if address.node.is_none() {
            let place = ImageAddr(address.plus as u64);
            let covers = |variable: &StaticVariable| {
                place
                    .0
                    .checked_sub(variable.address.0)
                    .is_some_and(|offset| offset < size_of(image, variable))
            };
            if initial(image, place, self.asked.size) == Some(Initial::Number(value))
                && let Some(variable) = self.survey.statics(image).into_iter().find(covers)
            {
                let detail = prose!(say::INITIALISER, variable = &*variable.name, value = hex(value));
                let place = definition(image, &variable);
                return Some(vec![lead(place, What::Global, Explains::Exactly, 3, known.distance, detail)]);
            }
        }
        for within in known.scene.objects_of(at, address) {
            let Ok(offset) = u64::try_from(within.offset) else { continue };
            let name = image.type_name(within.record);
            let wanted = kwhy_flow::stores::Wanted { record: name.clone(), offset, size: self.asked.size };
            for variable in self.survey.statics(image) {
                let Some(ty) = variable.ty else { continue };
                let Some(start) = wanted.place_in(image, ty) else { continue };
                let holds = places(image, ty, start, &name).into_iter().any(|place| {
                    let at = ImageAddr(variable.address.0.wrapping_add(place).wrapping_add(offset));
                    initial(image, at, self.asked.size) == Some(Initial::Number(value))
                });
                if holds {
                    let detail = prose!(say::INITIALISER, variable = &*variable.name, value = hex(value));
                    let place = definition(image, &variable);
                    found.push(lead(place, What::Global, Explains::Exactly, 3, known.distance, detail));
                }
            }
        }
        (!found.is_empty()).then_some(found)
    }
}
