//! Objects that are made and left as they were: the store that should be there and is not.

use super::survey::{Known, spot};
use super::{Lead, Search};
use crate::origin::{Explains, What};
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, prose};
use kwhy_flow::insn::{Effect, Flow};
use kwhy_flow::stores::Made;
use kwhy_flow::value::{Node, NodeId, Value};
use std::collections::BTreeSet;

/// What becomes of the member after the object was made.
enum Then {
    /// It is stored on every way on.
    Stored,
    /// It can be passed over; the branches that decide.
    PassedOver(Vec<ImageAddr>),
    /// This function does not store it.
    Not,
}

/// The places that make the object and leave the member. `stores` is how many stores of it were
/// found anywhere.
pub fn missing(search: &Search<'_, '_, '_, '_>, stores: usize) -> Vec<Lead> {
    let Some(wanted) = &search.wanted else { return Vec::new() };
    let mut found = Vec::new();
    for known in &search.survey.functions {
        for made in known.scene.objects_made() {
            let of_type = known.scene.objects_of(made.at, made.object).into_iter().any(|within| {
                within.offset == 0 && wanted.place_in(known.scene.image, within.record).is_some()
            });
            if of_type && (!made.zeroed || search.may_be_zero()) {
                object(search, known, &made, stores, &mut found);
            }
        }
    }
    found
}

/// The same for a struct that lies in many others (a work item, a list's head): only where an
/// object that has it in it is made and can go on without it being set up. Where it is set up
/// nowhere, nothing says that it is the one.
pub fn passed_over(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    let mut found = missing(search, 1);
    found.retain(|lead| lead.candidate.explains == Explains::Exactly);
    for lead in &mut found {
        lead.candidate.explains = Explains::Perhaps;
    }
    found
}

fn object(
    search: &Search<'_, '_, '_, '_>,
    known: &Known<'_, '_>,
    made: &Made,
    stores: usize,
    found: &mut Vec<Lead>,
) {
    let place = spot(known.scene.image, known.image, made.at);
    let function = place.function.clone().unwrap_or_default();
    let text = &search.asked.text;
    let then = if search.asked.indexed { Then::Not } else { after(search, known, made) };
    if !made.zeroed {
        let explains = match then {
            Then::Stored => return,
            // A pointer of the last owner, poison, text: anything but a clean zero.
            _ if search.asked.value == Some(0) => Explains::Hardly,
            _ => Explains::Perhaps,
        };
        let order = match search.kind {
            Some(ValueKind::SlabPoison) => 0,
            _ => 1,
        };
        let detail = prose!(say::NOT_ZEROED, function = function, text = text);
        found.push(search.lead(known, place, What::MissingStore, explains, order, detail));
        return;
    }
    let (explains, order, detail) = match &then {
        Then::Stored => (Explains::Hardly, 1, prose!(say::STORED_AFTER, function = &function, text = text)),
        Then::PassedOver(_) => {
            (Explains::Exactly, 3, prose!(say::PASSED_OVER, function = &function, text = text))
        }
        Then::Not if stores == 0 => {
            (Explains::Exactly, 3, prose!(say::NEVER_STORED, function = &function, text = text))
        }
        // What a check found wrong was counted, mostly.
        Then::Not if search.asked.value.is_none() => {
            (Explains::Hardly, 2, prose!(say::LEFT_ZERO, function = &function, text = text))
        }
        Then::Not => (Explains::Perhaps, 0, prose!(say::LEFT_ZERO, function = &function, text = text)),
    };
    found.push(search.lead(known, place, What::MissingStore, explains, order, detail));
    if let Then::PassedOver(branches) = &then {
        for branch in branches.iter().take(2) {
            let place = spot(known.scene.image, known.image, *branch);
            let detail = prose!(say::GUARD, text = text);
            found.push(search.lead(known, place, What::MissingStore, Explains::Exactly, 4, detail));
        }
    }
    if matches!(then, Then::Not)
        && stores == 0
        && let Some(lead) = sibling(search, known, made, explains)
    {
        found.push(lead);
    }
}

/// Whether an address is of the member of the very object.
fn is_its(
    search: &Search<'_, '_, '_, '_>,
    known: &Known<'_, '_>,
    made: &Made,
    address: Value,
) -> Option<i64> {
    let wanted = search.wanted.as_ref()?;
    let id = address.node?;
    // Where the object begins in what was made is told by the types.
    let start = known
        .scene
        .objects_of(made.at, made.object)
        .into_iter()
        .filter(|within| within.offset == 0)
        .find_map(|within| wanted.place_in(known.scene.image, within.record))?;
    let own = Some(id) == made.object.node || reread(known, made, id);
    own.then(|| address.plus.wrapping_sub_unsigned(start))
}

/// Whether a value was read back from the variable that the object was put into.
fn reread(known: &Known<'_, '_>, made: &Made, id: NodeId) -> bool {
    let Some(Node::Load { address, segment: None, width: 8, .. }) = known.scene.node(id) else {
        return false;
    };
    let put = |write: &kwhy_flow::writes::Write| {
        write.address == address && write.number == Some(made.object) && write.width == 8
    };
    address.node.is_none() && known.writes.iter().any(put)
}

/// What the function does with the member after it made the object.
fn after(search: &Search<'_, '_, '_, '_>, known: &Known<'_, '_>, made: &Made) -> Then {
    let (Some(wanted), code) = (search.wanted.as_ref(), &known.scene.code) else { return Then::Not };
    let block_of = |at: ImageAddr| code.index_of(at).and_then(|index| code.block_of(index));
    let Some(start) = block_of(made.at) else { return Then::Not };
    let mut storing: BTreeSet<usize> = BTreeSet::new();
    for write in known.writes.iter().filter(|write| write.number.is_some()) {
        let Some(offset) = is_its(search, known, made, write.address) else { continue };
        let from = wanted.offset as i64;
        let reaches = offset <= from && from < offset.saturating_add(i64::from(write.width));
        // What is stored first and is zero again is no store.
        let zero = write.number.and_then(Value::as_constant) == Some(0);
        if reaches && !zero {
            storing.extend(block_of(write.at));
        }
    }
    if storing.is_empty() {
        return Then::Not;
    }
    if storing.contains(&start) {
        return Then::Stored;
    }
    // Blocks after the allocation that are reached without a store, and those from which a store
    // can still be reached before the object is made anew.
    let successors = |block: usize| code.blocks.get(block).map_or(&[][..], |block| &block.successors[..]);
    let reaching = |from: usize| {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(block) = open.pop() {
            if storing.contains(&block) {
                return true;
            }
            if block != start || block == from {
                open.extend(successors(block).iter().filter(|next| **next != start && seen.insert(**next)));
            }
        }
        false
    };
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![start];
    let mut guards = Vec::new();
    while let Some(block) = open.pop() {
        if storing.contains(&block) {
            continue;
        }
        let next = successors(block);
        let split =
            next.iter().any(|to| reaching(*to)) && next.iter().any(|to| *to != start && !reaching(*to));
        if split && let Some(branch) = deciding(known, made, block) {
            guards.push(branch);
        }
        open.extend(next.iter().filter(|to| **to != start && reaching(**to) && seen.insert(**to)));
    }
    guards.sort();
    guards.dedup();
    if guards.is_empty() { Then::Stored } else { Then::PassedOver(guards) }
}

/// The branch that ends a block, unless it only asks whether there was memory.
fn deciding(known: &Known<'_, '_>, made: &Made, block: usize) -> Option<ImageAddr> {
    let scene = &known.scene;
    let insns = scene.code.insns.get(scene.code.blocks.get(block)?.insns.clone())?;
    let branch = insns.last()?;
    if !matches!(branch.flow, Flow::Branch(_)) {
        return None;
    }
    let fresh = |value: Option<Value>| {
        let Some(id) = value.and_then(|value| value.node) else { return false };
        let result = match scene.node(id) {
            Some(Node::Result { at }) => {
                scene.callee_name(at).as_deref().is_some_and(kwhy_flow::stores::is_maker)
            }
            _ => false,
        };
        result || Some(id) == made.object.node || reread(known, made, id)
    };
    // `cbz x0` and `test %rax,%rax` compare what was just made.
    for insn in insns.iter().rev() {
        for effect in insn.effects.iter().rev() {
            if let Effect::Compare(a, b) | Effect::Test(a, b) = effect {
                let values = [a, b].map(|operand| scene.operand_value(insn.address, operand));
                return (!values.into_iter().any(fresh)).then_some(branch.address);
            }
        }
    }
    Some(branch.address)
}

/// The last member of the object that the function does set up.
fn sibling(
    search: &Search<'_, '_, '_, '_>,
    known: &Known<'_, '_>,
    made: &Made,
    explains: Explains,
) -> Option<Lead> {
    let wanted = search.wanted.as_ref()?;
    let image = known.scene.image;
    let mut last: Option<(u32, ImageAddr)> = None;
    for write in &known.writes {
        let own = is_its(search, known, made, write.address).is_some_and(|offset| offset >= 0);
        let same = own
            || known
                .scene
                .objects_of(write.at, write.address)
                .iter()
                .any(|within| image.type_name(within.record) == wanted.record && within.offset >= 0);
        let line = spot(image, known.image, write.at).line;
        if let (true, Some(line)) = (same, line)
            && last.is_none_or(|(other, _)| line > other)
        {
            last = Some((line, write.at));
        }
    }
    let (_, at) = last?;
    let place = spot(image, known.image, at);
    let write = known.writes.iter().find(|write| write.at == at)?;
    let object = known.scene.object_at(at, write.address, write.segment, write.width)?;
    let function = place.function.clone().unwrap_or_default();
    let detail =
        prose!(say::LAST_SIBLING, function = function, sibling = object.text, text = &search.asked.text);
    Some(search.lead(known, place, What::MissingStore, explains, 5, detail))
}
