//! An object of one type that was taken for one of another: the value found is what the other type
//! has at the same offset. Who stored it there did right; who handed the object over did not.

use super::survey::{Known, spot};
use super::{Lead, Search};
use crate::origin::{Explains, Mishap, What};
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, prose};
use kwhy_flow::value::{Node, Value};
use kwhy_flow::writes::Write;
use std::collections::BTreeSet;

/// How many arguments of a call are looked at.
const MAX_ARGUMENTS: usize = 6;

/// A store of the very value into another struct, and the calls that hand such a struct over.
pub fn unlike(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    if search.wanted.is_none() || !search.is_telling() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut others: BTreeSet<String> = BTreeSet::new();
    for known in &search.survey.functions {
        for write in &known.writes {
            if let Some((other, place)) = same_place(search, known, write) {
                others.insert(other);
                found.extend(stored(search, known, write, place));
            }
        }
    }
    for known in &search.survey.functions {
        for (call, _) in known.scene.calls() {
            found.extend(handed(search, known, call, &others));
        }
    }
    found
}

/// The struct that a write of the very value goes into, where that is another one than the wanted
/// and the place has the same offset in it; and what the place is called.
fn same_place(
    search: &Search<'_, '_, '_, '_>,
    known: &Known<'_, '_>,
    write: &Write,
) -> Option<(String, String)> {
    let wanted = search.wanted.as_ref()?;
    let number = constant(known, write.number?, write.width)?;
    if u64::from(write.width) != search.asked.size || Some(number) != search.asked.value {
        return None;
    }
    let image = known.scene.image;
    let within = known.scene.objects_of(write.at, write.address);
    if within.iter().any(|within| wanted.place_in(image, within.record).is_some()) {
        return None;
    }
    let at = i64::try_from(wanted.offset).ok()?;
    let other = within.into_iter().find(|within| within.offset == at)?;
    let place = known.scene.object_at(write.at, write.address, write.segment, write.width);
    let place = place.map_or_else(|| other.pointer.clone(), |place| place.text);
    Some((image.type_name(other.record), place))
}

/// The number that a value is: in the code, or read from data that nothing can change.
fn constant(known: &Known<'_, '_>, value: Value, width: u8) -> Option<u64> {
    if let Some(number) = value.as_constant() {
        return Some(number);
    }
    let Some(Node::Load { address, segment: None, width: 8, .. }) =
        value.node.filter(|_| value.plus == 0 && width == 8).and_then(|id| known.scene.node(id))
    else {
        return None;
    };
    let at = ImageAddr(address.as_constant()?);
    let image = known.scene.image;
    if image.section_at(at)?.writable {
        return None;
    }
    match super::data::initial(image, at, 8)? {
        super::data::Initial::Number(number) => Some(number),
        super::data::Initial::Address => None,
    }
}

fn stored(
    search: &Search<'_, '_, '_, '_>,
    known: &Known<'_, '_>,
    write: &Write,
    place: String,
) -> Option<Lead> {
    let wanted = search.wanted.as_ref()?;
    let spot = spot(known.scene.image, known.image, write.at);
    let detail = prose!(
        say::OTHER_STORED,
        function = spot.function.clone().unwrap_or_default(),
        place = place,
        member = member(search),
        record = &wanted.record
    );
    Some(search.lead(known, spot, What::Constant, Explains::Perhaps, 3, detail))
}

/// A call that hands over the other struct to a function of another image, which cannot know its
/// type; surest where the same function is handed the wanted struct in the same place.
fn handed(
    search: &Search<'_, '_, '_, '_>,
    known: &Known<'_, '_>,
    call: ImageAddr,
    others: &BTreeSet<String>,
) -> Vec<Lead> {
    let scene = &known.scene;
    let (Some(wanted), Some(callee)) = (search.wanted.as_ref(), scene.callee_name(call)) else {
        return Vec::new();
    };
    if others.is_empty()
        || kwhy_flow::stores::handles_objects(&callee)
        || super::overrun::copier(&callee).is_some()
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    for index in 0..MAX_ARGUMENTS {
        let Some(other) = struct_of(known, call, index).find(|record| others.contains(record)) else {
            continue;
        };
        let pair = search.survey.functions.iter().any(|known| {
            known.scene.calls().into_iter().any(|(at, _)| {
                known.scene.callee_name(at).as_deref() == Some(&*callee)
                    && struct_of(known, at, index).any(|record| record == wanted.record)
            })
        });
        // A function of the module itself says in its own parameters what it takes.
        if !pair {
            continue;
        }
        let spot = spot(scene.image, known.image, call);
        let callee = crate::names::base_name(&callee);
        let detail = prose!(
            say::OTHER_HANDED,
            function = spot.function.clone().unwrap_or_default(),
            callee = callee,
            other = other,
            record = &wanted.record,
            member = member(search)
        );
        let mut lead = search.lead(known, spot, What::Code, Explains::Exactly, 1, detail);
        lead.candidate.mishap = Some(Mishap::TakesForOther);
        lead.candidate.reasons.push(prose!(say::SAME_PLACE, callee = callee, record = &wanted.record));
        found.push(lead);
    }
    found
}

/// The structs that an argument of a call is the address of.
fn struct_of(known: &Known<'_, '_>, call: ImageAddr, index: usize) -> impl Iterator<Item = String> {
    let image = known.scene.image;
    let within = known.scene.argument(call, index).map(|value| {
        let mut names: Vec<String> = known
            .scene
            .objects_of(call, value)
            .into_iter()
            .filter(|within| within.offset == 0)
            .map(|within| image.type_name(within.record))
            .collect();
        names.extend(variable(known, call, value));
        names
    });
    within.into_iter().flatten()
}

/// The struct of the variable that a constant is the address of.
fn variable(known: &Known<'_, '_>, near: ImageAddr, value: Value) -> Option<String> {
    let image = known.scene.image;
    let at = ImageAddr(value.as_constant()?);
    image.section_at(at)?;
    let global = image.global_at(at, near).filter(|global| global.address == at)?;
    Some(image.type_name(global.ty?))
}

fn member(search: &Search<'_, '_, '_, '_>) -> String {
    match &search.asked.held {
        super::Held::Member { member, .. } => member.clone(),
        _ => search.asked.text.clone(),
    }
}
