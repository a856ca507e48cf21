//! Which members hold a function, and who calls through them.

use super::search::{FUNCTIONS_AT_ONCE, UNITS_AT_ONCE, spread};
use super::shelf;
use super::ways::Ways;
use kwhy_base::ImageAddr;
use kwhy_flow::calls::uses_of;
use kwhy_flow::scene::Scene;
use kwhy_flow::through::{Slot, may_call_through, slot, thunks};
use kwhy_image::{Image, ImageKind};

/// A member that holds a function.
pub(super) struct Held {
    pub slot: Slot,
    /// The variable that it is a member of and where that is; `None` where code stores it.
    pub table: Option<(String, ImageAddr)>,
}

impl Held {
    /// `struct file_operations.write in tune_fops`.
    pub(super) fn text(&self) -> String {
        let member = format!("{}.{}", self.slot.record, self.slot.member);
        match &self.table {
            Some((table, _)) => format!("{member} in {table}"),
            None => member,
        }
    }
}

/// How many functions that store a function's address are read.
const MAX_STORING: usize = 16;
/// How many functions that may call through a member are solved.
const MAX_CALLING: usize = 4_000;

/// The members that hold the function at `function`: those of variables first, else those that
/// code stores it into.
pub(super) fn holding(ways: &Ways<'_, '_>, function: ImageAddr) -> Vec<Held> {
    let image = ways.image;
    let (places, uses) = places_of(image, function);
    let mut held: Vec<Held> = Vec::new();
    for place in places {
        let Some(symbol) = image.symbol_at(place).filter(|symbol| !symbol.function) else { continue };
        let Some(global) = image.global_at(place, function) else { continue };
        let offset = place.0.checked_sub(global.address.0);
        let found = global.ty.zip(offset).and_then(|(ty, offset)| slot(image, ty, offset));
        if let Some(found) = found
            && !symbol.name.starts_with("__")
        {
            held.push(Held { slot: found, table: Some((global.name.to_string(), global.address)) });
        }
    }
    if held.is_empty() {
        let uses = uses.unwrap_or_else(|| uses_of(image, function));
        let mut storing: Vec<ImageAddr> =
            uses.iter().filter_map(|at| Some(image.symbol_at(*at)?.address)).collect();
        storing.dedup();
        for entry in storing.into_iter().take(MAX_STORING) {
            let Some(scene) = Scene::new(image, entry) else { continue };
            let given = scene.slots_given(function);
            held.extend(given.into_iter().map(|slot| Held { slot, table: None }));
        }
    }
    held.sort_by(|a, b| (&a.slot, &a.table).cmp(&(&b.slot, &b.table)));
    held.dedup_by(|a, b| (&a.slot, &a.table) == (&b.slot, &b.table));
    held
}

/// The places in data that hold `address`; and for a module those in code that use it.
fn places_of(image: &Image<'_>, address: ImageAddr) -> (Vec<ImageAddr>, Option<Vec<ImageAddr>>) {
    /// R_X86_64_64 (psABI table 4.9) and R_AARCH64_ABS64 (aaelf64 5.7.4): whole addresses.
    const WHOLE: [u32; 2] = [1, 257];
    if matches!(image.kind(), ImageKind::Kernel) {
        return (image.references_to(address), None);
    }
    let (mut places, mut uses) = (Vec::new(), Vec::new());
    for (place, relocation) in image.relocations(ImageAddr(0)..ImageAddr(u64::MAX)) {
        let Some(symbol) = relocation.address else { continue };
        let target = symbol.0.wrapping_add_signed(relocation.addend);
        let code = image.section_at(place).is_some_and(|section| section.executable);
        // An x86 operand is relative to its end, four bytes on.
        if code && (target == address.0 || target.wrapping_add(4) == address.0) {
            uses.push(place);
        } else if !code && target == address.0 && WHOLE.contains(&relocation.kind) {
            places.push(place);
        }
    }
    (places, Some(uses))
}

/// The folders of the sources of what is handed the variable at `table`: who registers it.
pub(super) fn registrars(parts: &[Ways<'_, '_>], home: usize, table: ImageAddr) -> Vec<String> {
    let Some(ways) = parts.get(home) else { return Vec::new() };
    let uses = places_of(ways.image, table).1.unwrap_or_else(|| uses_of(ways.image, table));
    let mut folders = Vec::new();
    for at in uses.into_iter().take(MAX_STORING) {
        let Some(function) = ways.image.symbol_at(at) else { continue };
        let Some((_, callee)) = ways.calls.from(function.address).into_iter().find(|(site, _)| *site >= at)
        else {
            continue;
        };
        let name = ways.calls.import(callee).map_or_else(|| ways.symbol(callee), str::to_owned);
        for other in parts {
            let named = other.image.symbols_named(&name).into_iter().find(|symbol| symbol.function);
            folders.extend(named.and_then(|symbol| folder(other.image, symbol.address)));
        }
    }
    folders.sort();
    folders.dedup();
    folders
}

/// The folder of the source of the function at `at`.
pub(super) fn folder(image: &Image<'_>, at: ImageAddr) -> Option<String> {
    let file = image.source_at(at).pop()?.file?;
    file.rsplit_once('/').map(|(folder, _)| folder.to_owned())
}

/// The calls through a member: the function's symbol and the instruction, in address order.
pub(super) fn calling(image: &Image<'_>, wanted: &Slot) -> Vec<(ImageAddr, ImageAddr)> {
    let text = format!("{}+{:#x}.{}:calls", wanted.record, wanted.offset, wanted.member);
    let question = shelf::question(&text);
    if let Some(found) = image.kept_answer(&question).and_then(|bytes| shelf::unpack_calls(&question, &bytes))
    {
        return found;
    }
    let found = search(image, wanted);
    image.keep_answer(&question, || shelf::pack_calls(&question, &found));
    found
}

fn search(image: &Image<'_>, wanted: &Slot) -> Vec<(ImageAddr, ImageAddr)> {
    let tag = wanted.record.split_whitespace().last().unwrap_or(&wanted.record);
    let units = image.places_naming(tag);
    let thunks = thunks(image);
    let picked = spread(image, &units, UNITS_AT_ONCE, |image, units| {
        let mut picked: Vec<ImageAddr> = Vec::new();
        for (unit, places) in units {
            let known = image.defined_at(*unit, places, &wanted.record);
            if known.and_then(|ty| slot(image, ty, wanted.offset)).as_ref() != Some(wanted) {
                continue;
            }
            for (entry, ranges) in image.code_of(*unit) {
                if may_call_through(image, &ranges, wanted.offset, &thunks) {
                    picked.push(entry);
                }
            }
        }
        picked
    });
    let mut picked: Vec<ImageAddr> = picked.into_iter().flatten().collect();
    picked.sort_unstable();
    picked.dedup();
    picked.truncate(MAX_CALLING);
    let calls = spread(image, &picked, FUNCTIONS_AT_ONCE, |image, picked| {
        let mut calls: Vec<(ImageAddr, ImageAddr)> = Vec::new();
        for scene in picked.iter().filter_map(|entry| Scene::new(image, *entry)) {
            let start = |at| image.symbol_at(at).map_or(scene.code.entry, |symbol| symbol.address);
            calls.extend(scene.calls_through(wanted).into_iter().map(|at| (start(at), at)));
        }
        calls
    });
    let mut calls: Vec<(ImageAddr, ImageAddr)> = calls.into_iter().flatten().collect();
    calls.sort_unstable();
    calls.dedup();
    calls
}
