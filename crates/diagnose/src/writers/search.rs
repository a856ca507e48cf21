//! The search of one image for what writes a member.
//!
//! Two passes, each on as many threads as there are CPUs. The first looks at every function of
//! the units that define the struct and picks those that could write the member; the second solves
//! those. An [`Image`] belongs to one thread, so each reads its own from the same bytes, and
//! begins a new one from time to time: what an image has read it keeps.

use super::{Found, Writer};
use kwhy_base::ImageAddr;
use kwhy_flow::glance::{glance, handlers};
use kwhy_flow::scene::Scene;
use kwhy_flow::stores::{Store, Wanted};
use kwhy_image::{Image, ImageKind, UnitId};
use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// In up to this many units every function is solved, whatever it looks like.
const FEW_UNITS: usize = 16;
/// Units that one thread takes at a time, and functions.
pub(super) const UNITS_AT_ONCE: usize = 16;
pub(super) const FUNCTIONS_AT_ONCE: usize = 16;
/// How many of those a thread reads before it lets go of what its image has read.
const RENEWED_AFTER: usize = 24;
/// More threads than that only wait for memory.
const MAX_THREADS: usize = 4;
/// As the command's main thread has: types may be deep.
const STACK: usize = 64 << 20;

/// A function that may write the member.
struct Pick {
    /// Nothing in it is at the member's distance, but it hands objects to the allocator.
    handles_only: bool,
    entry: ImageAddr,
    asked: Wanted,
}

/// What a few units gave.
#[derive(Default)]
struct Picked {
    known: bool,
    wanted: Option<Wanted>,
    units: usize,
    picks: Vec<Pick>,
}

/// Finds who writes `record.path`. At most `most` functions are solved.
pub(super) fn search(image: &Image<'_>, record: &str, path: &str, most: usize) -> Found {
    let tag = record.split_whitespace().last().unwrap_or(record);
    let units = image.places_naming(tag);
    let many = units.len() > FEW_UNITS;
    let handlers = if many { handlers(image) } else { BTreeSet::new() };
    let picked = spread(image, &units, UNITS_AT_ONCE, |image, units| {
        let mut picked = Picked::default();
        for (unit, places) in units {
            pick(image, *unit, places, (record, path), many.then_some(&handlers), &mut picked);
        }
        picked
    });
    let mut found = Found::default();
    let mut picks: Vec<Pick> = Vec::new();
    for part in picked {
        found.known |= part.known;
        found.wanted = found.wanted.or(part.wanted);
        found.units = found.units.saturating_add(part.units);
        picks.extend(part.picks);
    }
    // A static function of a header is in many units.
    picks.sort_by_key(|pick| (pick.handles_only, pick.entry));
    picks.dedup_by(|a, b| a.entry == b.entry && a.asked == b.asked);
    found.unread = picks.len().saturating_sub(most);
    picks.truncate(most);
    picks.sort_by_key(|pick| pick.entry);
    found.functions = picks.len();
    let written = spread(image, &picks, FUNCTIONS_AT_ONCE, |image, picks| {
        let mut writers: Vec<Writer> = Vec::new();
        for pick in picks {
            let Some(scene) = Scene::new(image, pick.entry) else { continue };
            writers.extend(scene.stores_into(&pick.asked).into_iter().map(|store| writer(&scene, store)));
        }
        writers
    });
    found.writers = written.into_iter().flatten().collect();
    // The same line of the same symbol is one.
    found.writers.sort_by_key(|writer| (writer.store.kind, writer.store.at));
    found.writers.dedup_by_key(|writer| writer.store.at);
    found
}

/// Picks the functions of a unit; all of them where nothing is said of `handlers`.
fn pick(
    image: &Image<'_>,
    unit: UnitId,
    places: &[usize],
    (record, path): (&str, &str),
    handlers: Option<&BTreeSet<ImageAddr>>,
    picked: &mut Picked,
) {
    let Some(ty) = image.defined_at(unit, places, record) else { return };
    picked.known = true;
    // Files may define different structs of one name: the member is looked up in each.
    let Some((offset, size)) = super::member(image, ty, path) else { return };
    let asked = Wanted { record: image.type_name(ty), offset, size };
    picked.units = picked.units.saturating_add(1);
    picked.wanted.get_or_insert_with(|| asked.clone());
    let mut typed: Option<Vec<ImageAddr>> = None;
    for (entry, ranges) in image.code_of(unit) {
        let mut handles_only = false;
        if let Some(handlers) = handlers {
            let seen = glance(image, &ranges, &asked, handlers);
            handles_only = !seen.stores;
            if handles_only && !seen.handles {
                continue;
            }
            // What it hands over may be of any type; without a pointer to this one it is of another.
            let pointers = || image.functions_with_pointers_to(unit, ty);
            if handles_only && typed.get_or_insert_with(pointers).binary_search(&entry).is_err() {
                continue;
            }
        }
        picked.picks.push(Pick { handles_only, entry, asked: asked.clone() });
    }
}

fn writer(scene: &Scene<'_, '_>, store: Store) -> Writer {
    let frames = scene.image.source_at(store.at);
    // `kmalloc()` and other helpers of headers are not who does it, and neither is a copy loop.
    let level = kwhy_flow::expr::primary_level(&frames, frames.len());
    let frame = frames.get(level).or(frames.first());
    let function =
        frame.map_or_else(|| crate::names::base_name(&scene.symbol).to_owned(), |f| f.function.to_string());
    let module = match scene.image.kind() {
        ImageKind::Module(name) => name.clone(),
        ImageKind::Kernel => None,
    };
    let start = scene.image.symbol_at(store.at).map_or(scene.code.entry, |symbol| symbol.address);
    Writer {
        image: 0,
        entry: scene.code.entry,
        module,
        function,
        symbol: scene.symbol.clone(),
        offset: store.at.0.saturating_sub(start.0),
        file: frame.and_then(|frame| frame.file.as_deref().map(str::to_owned)),
        line: frame.and_then(|frame| frame.line),
        ways: Vec::new(),
        store,
    }
}

/// Does `work` on `items`, so many at a time, and gives the results in the order of the items,
/// whichever thread they are from.
pub(super) fn spread<T: Sync, R: Send>(
    image: &Image<'_>,
    items: &[T],
    at_once: usize,
    work: impl Fn(&Image<'_>, &[T]) -> R + Sync,
) -> Vec<R> {
    let batches: Vec<&[T]> = items.chunks(at_once).collect();
    let cpus = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cpus.min(MAX_THREADS).min(batches.len());
    if batches.len() <= 2 {
        return batches.into_iter().map(|batch| work(image, batch)).collect();
    }
    let next = AtomicUsize::new(0);
    let (data, code, shelf) = (image.data(), image.code_data(), image.shelf());
    let part = || {
        let mut done: Vec<(usize, R)> = Vec::new();
        let mut mine: Option<Image<'_>> = None;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = batches.get(index) else { break };
            if done.len().is_multiple_of(RENEWED_AFTER) {
                mine = None;
            }
            if mine.is_none() {
                let read = code.map_or_else(|| Image::parse(data), |code| Image::parse_joined(data, code));
                mine = read.ok().map(|image| image.with_shelf(shelf));
            }
            let Some(image) = &mine else { break };
            done.push((index, work(image, batch)));
        }
        done
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let start = |_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, part).ok();
        let running: Vec<_> = (0..threads).filter_map(start).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    });
    // Where no thread could be had.
    if done.is_empty() {
        done = part();
    }
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
