//! Who gives a member of one of the kernel's own structs its value when all is well: the kernel's
//! stores into it, with the way there from the entry points. They say where the object is set up
//! and what it should have held; that one of them stored the bad value is not said.

use super::{Candidate, Ctx, Explains, Spot, What};
use crate::writers::{self, Search, Writer};
use kwhy_base::catalogue::memory as say;
use kwhy_base::prose;
use kwhy_flow::stores::StoreKind;

/// A struct that more units know is asked about by `kwhy writers`: a report must not wait for it.
const MAX_UNITS: usize = 64;
/// So many functions are read at most.
const MAX_FUNCTIONS: usize = 256;
/// So many are told.
const MAX_TOLD: usize = 3;

/// The kernel's stores into `record.member`, assignments first; none for a module's own structs.
pub fn writers(ctx: &Ctx<'_, '_, '_>, record: &str, member: &str) -> Vec<Candidate> {
    let Some((index, kernel)) = ctx.images.used_for(None) else { return Vec::new() };
    let tag = record.split_whitespace().last().unwrap_or(record);
    let units = kernel.units_naming(tag).len();
    // An element's place is not a member's name.
    if units == 0 || units > MAX_UNITS || member.contains(['[', '(']) {
        return Vec::new();
    }
    let how = Search { ways: true, functions: MAX_FUNCTIONS };
    let Ok(found) = writers::search_all(&[kernel], record, member, how) else { return Vec::new() };
    let stores = found
        .writers
        .iter()
        .filter(|writer| writer.store.kind == StoreKind::Assigned && writer.store.constant.is_none());
    let mut told: Vec<Candidate> = Vec::new();
    for candidate in stores.map(|writer| candidate(index, writer)) {
        let known = |other: &Candidate| {
            (&other.spot.function, other.spot.line) == (&candidate.spot.function, candidate.spot.line)
        };
        if !told.iter().any(known) {
            told.push(candidate);
        }
    }
    told.truncate(MAX_TOLD);
    told
}

fn candidate(image: usize, writer: &Writer) -> Candidate {
    let text = writer.store.text.as_str();
    let function = writer.function.as_str();
    let detail = match &writer.store.value {
        Some(value) => prose!(say::USUALLY_SETS, function = function, text = text, value = value),
        None => prose!(say::USUALLY_STORES, function = function, text = text),
    };
    let way = writer.ways.first().map(Vec::as_slice).unwrap_or_default();
    let spot = Spot {
        code: Some((image, writer.store.at)),
        function: Some(writer.function.clone()),
        file: writer.file.clone(),
        line: writer.line,
        module: None,
    };
    Candidate {
        call_path: way.iter().map(|step| step.function.clone()).collect(),
        ..Candidate::new(What::MemberStore, spot, Explains::Hardly, detail)
    }
}
