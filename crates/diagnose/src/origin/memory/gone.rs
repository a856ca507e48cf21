//! Objects given back and entries taken off lists: the value found is what that leaves behind.

use super::survey::{Known, spot};
use super::{Lead, Search};
use crate::origin::{Explains, What};
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, prose};
use kwhy_flow::value::Value;
use kwhy_oops::Family;

/// Where the object is freed, for values that only a freed object holds; where the entry is taken
/// off, for list poison.
pub fn gone(search: &Search<'_, '_, '_, '_>) -> Vec<Lead> {
    let freed = search.kind == Some(ValueKind::SlabPoison) || search.ctx.facts.is(Family::Kasan);
    let mut found = Vec::new();
    if freed {
        for known in &search.survey.functions {
            found.extend(frees(search, known));
        }
    }
    // A store of list poison is a store of the constant; it only has a better name.
    let corrupted = search.asked.value.is_none() && search.is_bare();
    if search.kind == Some(ValueKind::ListPoison) || corrupted {
        for known in &search.survey.functions {
            found.extend(unlinks(search, known));
        }
    }
    found
}

fn frees(search: &Search<'_, '_, '_, '_>, known: &Known<'_, '_>) -> Vec<Lead> {
    let Some(wanted) = &search.wanted else { return Vec::new() };
    let scene = &known.scene;
    let mut found = Vec::new();
    for (call, _) in scene.calls() {
        let Some(callee) = scene.callee_name(call) else { continue };
        let Some(index) = kwhy_flow::stores::freed_argument(&callee) else { continue };
        let Some(object) = scene.argument(call, index) else { continue };
        let is_it = scene
            .objects_of(call, object)
            .into_iter()
            .any(|within| within.offset == 0 && wanted.place_in(scene.image, within.record).is_some());
        if is_it {
            let place = spot(scene.image, known.image, call);
            let function = place.function.clone().unwrap_or_default();
            let detail = prose!(say::FREED, function = function, text = &search.asked.text);
            let mut lead = search.lead(known, place, What::Code, Explains::Perhaps, 0, detail);
            lead.candidate.frees = true;
            found.push(lead);
        }
    }
    found
}

/// Stores of the very poison into any list entry that may be the one.
fn unlinks(search: &Search<'_, '_, '_, '_>, known: &Known<'_, '_>) -> Vec<Lead> {
    let scene = &known.scene;
    let mut found = Vec::new();
    for write in &known.writes {
        let number = write.number.and_then(Value::as_constant);
        let (poison, explains) = match search.asked.value {
            Some(value) => (number == Some(value), Explains::Exactly),
            None => (number.is_some_and(|number| is_list_poison(search, number)), Explains::Perhaps),
        };
        if !poison || write.width != 8 || !may_be(search, known, write.at, write.address) {
            continue;
        }
        let place = spot(scene.image, known.image, write.at);
        let function = place.function.clone().unwrap_or_default();
        let detail = prose!(say::UNLINKED, function = function, text = &search.asked.text);
        found.push(search.lead(known, place, What::MemberStore, explains, 0, detail));
    }
    found
}

/// What `list_del()` leaves behind.
fn is_list_poison(search: &Search<'_, '_, '_, '_>, number: u64) -> bool {
    search.ctx.facts.arch().is_some_and(|arch| {
        kwhy_arch::classify_value(arch, number, &search.ctx.facts.space, &|_| None).kind
            == ValueKind::ListPoison
    })
}

/// Whether a list entry that is written may be the one that was read: in the same struct, or
/// nothing says which struct it is in.
fn may_be(search: &Search<'_, '_, '_, '_>, known: &Known<'_, '_>, at: ImageAddr, address: Value) -> bool {
    let Some(wanted) = &search.wanted else { return true };
    let image = known.scene.image;
    let bare = |name: &str| matches!(name, "struct list_head" | "struct hlist_node");
    let within = known.scene.objects_of(at, address);
    let around: Vec<_> = within.iter().filter(|w| !bare(&image.type_name(w.record))).collect();
    bare(&wanted.record)
        || around.is_empty()
        || around.iter().any(|w| wanted.is_reached(image, w.record, w.offset, 8))
}
