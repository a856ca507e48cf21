//! Producers where no value was followed: a lock that is waited for or slept under, a count that
//! was put too often, a recursion that something made endless.

use super::survey::{Known, Survey, spot};
use super::{Asked, Held, producers};
use crate::expression::Expressed;
use crate::helpers::{Helper, helper};
use crate::location::Place;
use crate::names::base_name;
use crate::origin::{Candidate, Ctx, Explains, Trail, What};
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, Prose, prose};
use kwhy_flow::value::Node;
use kwhy_oops::Family;

/// How many frames are looked at.
const MAX_FRAMES: usize = 16;
/// How often a function stands in a trace before it is taken for endless.
const MANY: usize = 4;

/// Adds the candidates that the family of the report asks for, before what else was found.
pub fn by_family(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed, trail: &mut Trail) {
    let facts = ctx.facts;
    let mut found = if facts.is(Family::HungTask) {
        holders(ctx, expressed)
    } else if facts.is(Family::AtomicSleep) {
        atomic(ctx)
    } else if facts.is(Family::Refcount) {
        puts(ctx)
    } else {
        recursion(ctx)
    };
    let known = |found: &[Candidate], other: &Candidate| {
        found.iter().any(|c| (&c.spot.file, c.spot.line) == (&other.spot.file, other.spot.line))
    };
    for candidate in std::mem::take(&mut trail.candidates) {
        if !known(&found, &candidate) {
            found.push(candidate);
        }
    }
    found.truncate(super::MAX_TOLD);
    trail.candidates = found;
}

fn candidate(ctx: &Ctx<'_, '_, '_>, image: usize, at: ImageAddr, detail: Prose) -> Option<Candidate> {
    let spot = spot(ctx.images.image(image)?, image, at);
    Some(Candidate {
        what: What::Code,
        spot,
        explains: Explains::Perhaps,
        detail,
        reasons: Vec::new(),
        call_path: Vec::new(),
        unchecked_in: None,
        frees: false,
    })
}

/// What a call of a lock function does: takes (`true`) or gives back; and which member of what.
fn lock_call(known: &Known<'_, '_>, call: ImageAddr) -> Option<(bool, String, Option<String>, String)> {
    let callee = known.scene.callee_name(call)?;
    if helper(&callee) != Some(Helper::Lock) {
        return None;
    }
    let name = base_name(&callee).trim_start_matches('_');
    let gives = name.contains("unlock") || name.starts_with("up");
    let takes = name.contains("lock") || name.starts_with("down");
    if !gives && !takes {
        return None;
    }
    let first = *kwhy_arch::cpu(known.scene.arch())?.arguments.first()?;
    let (terms, _) = known.scene.argument_terms(call, first)?;
    Some((!gives, terms.record?, terms.member, terms.text))
}

/// Who takes the lock that a task waits for, and where it then waits for another one.
fn holders(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed) -> Vec<Candidate> {
    let Some(expression) = &expressed.expression else { return Vec::new() };
    let (Some(record), member) = (expression.record.clone(), expression.member.clone()) else {
        return Vec::new();
    };
    let survey = Survey::of(ctx);
    let mine = |known: &Known<'_, '_>| known.on_stack;
    // The stacks of other hung tasks of the log say who waits as well.
    let waits = |known: &Known<'_, '_>| {
        ctx.facts.log.iter().enumerate().any(|(index, other)| {
            index != ctx.facts.index
                && other.family == Some(Family::HungTask)
                && other.frames.iter().any(|frame| {
                    frame.reliable
                        && frame.at.symbol.as_deref().map(base_name) == Some(base_name(&known.scene.symbol))
                })
        })
    };
    let mut found: Vec<(bool, u8, Candidate)> = Vec::new();
    for known in survey.functions.iter().filter(|known| !mine(known)) {
        let mut held = false;
        for (call, _) in known.scene.calls() {
            let Some((takes, of, lock, text)) = lock_call(known, call) else { continue };
            let same = of == record && lock == member;
            let function = base_name(&known.scene.symbol).to_owned();
            let (detail, order) = match (takes, same) {
                (true, true) => (prose!(say::HOLDS_LOCK, function = function, lock = text), 0),
                (true, false) if held => (prose!(say::WAITS_BACK, function = function, lock = text), 1),
                _ => {
                    held &= !(same && !takes);
                    continue;
                }
            };
            held |= same;
            if let Some(candidate) = candidate(ctx, known.image, call, detail) {
                found.push((!waits(known), order, candidate));
            }
        }
    }
    // A holder that waits for something in turn is the likelier one to hold on to it.
    found.sort_by_key(|(other, order, _)| (*other, *order));
    found.truncate(super::MAX_TOLD);
    found.into_iter().map(|(_, _, candidate)| candidate).collect()
}

/// Calls that enter atomic context and those that leave it.
fn atomic_call(name: &str) -> Option<bool> {
    let name = base_name(name).trim_start_matches('_');
    let spins = ["raw_spin_", "raw_read_", "raw_write_", "spin_", "read_lock", "write_lock", "rcu_read_"];
    spins.iter().any(|prefix| name.starts_with(prefix)).then(|| !name.contains("unlock"))
}

/// Where the trace took the spin lock under which it sleeps.
fn atomic(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    let chain = ctx.facts.places.chain();
    let mut found = Vec::new();
    for place in chain.into_iter().filter(|place| place.returns).take(MAX_FRAMES) {
        let Some((scene, address)) = ctx.scenes.at(place) else { continue };
        // What locks and schedules takes locks of its own, and gives them back.
        if helper(&scene.symbol).is_some() {
            continue;
        }
        let site = scene.insn(address).map(|insn| insn.address);
        let mut taken: Vec<(ImageAddr, String)> = Vec::new();
        for (call, _) in scene.calls() {
            if Some(call) >= site {
                break;
            }
            let Some(callee) = scene.callee_name(call) else { continue };
            match atomic_call(&callee) {
                Some(true) => taken.push((call, base_name(&callee).trim_start_matches('_').to_owned())),
                Some(false) => {
                    taken.pop();
                }
                None => {}
            }
        }
        for (call, lock) in taken {
            let function = base_name(&scene.symbol).to_owned();
            let detail = prose!(say::MADE_ATOMIC, function = function, lock = format!("{lock}()"));
            found.extend(candidate(ctx, place.image.unwrap_or(0), call, detail));
        }
    }
    found.truncate(super::MAX_TOLD);
    found
}

/// Who gave a reference up: the callers of the function in which the count ran out, from the trace.
fn puts(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    let chain = ctx.facts.places.chain();
    let own = |place: &&&Place| place.at.symbol.as_deref().is_some_and(|symbol| helper(symbol).is_none());
    let mut frames = chain.iter().filter(own).take(MAX_FRAMES);
    let (Some(keeper), caller) = (frames.next(), frames.next()) else { return Vec::new() };
    let caller = caller.filter(|caller| caller.at.module == keeper.at.module);
    let mut found = Vec::new();
    for place in caller.into_iter().chain(Some(keeper)) {
        let (Some(image), Some(address)) = (place.image, place.address) else { continue };
        let function = place.at.symbol.as_deref().map(base_name).unwrap_or_default();
        found.extend(candidate(ctx, image, address, prose!(say::PUTS_AGAIN, function = function)));
    }
    found
}

/// What is handed from one call of a recursion to the next: who stored that.
fn recursion(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    let frames = ctx.facts.places.frames.iter().filter(|frame| frame.reliable && frame.returns);
    let frames: Vec<&Place> = frames.take(256).collect();
    let same = |place: &&&Place| {
        let count = frames.iter().filter(|other| other.at.symbol == place.at.symbol).count();
        place.at.symbol.is_some() && count >= MANY
    };
    let Some(place) = frames.iter().find(same) else { return Vec::new() };
    let Some((scene, address)) = ctx.scenes.at(place) else { return Vec::new() };
    let Some(call) = scene.insn(address).map(|insn| insn.address) else { return Vec::new() };
    let Some(cpu) = kwhy_arch::cpu(scene.arch()) else { return Vec::new() };
    let calls_itself =
        scene.callee_name(call).is_some_and(|name| base_name(&name) == base_name(&scene.symbol));
    if !calls_itself {
        return Vec::new();
    }
    let count = scene.parameter_count(&scene.symbol).unwrap_or(1);
    let mut found = Vec::new();
    for register in cpu.arguments.iter().take(count) {
        let Some(value) = scene.register(call, *register) else { continue };
        let Some(Node::Load { address: from, segment, width, at, .. }) =
            value.node.filter(|_| value.plus == 0).and_then(|id| scene.node(id))
        else {
            continue;
        };
        let Some(object) = scene.object_at(at, from, segment, width) else { continue };
        let (Some(record), Some(member), Ok(offset)) =
            (scene.record_name(object.pointee), object.member.clone(), u64::try_from(object.offset))
        else {
            continue;
        };
        let asked = Asked {
            held: Held::Member { record, member, offset },
            size: u64::from(width),
            indexed: object.index.is_some(),
            value: None,
            load: (place.image.unwrap_or(0), at),
            text: object.text.clone(),
            at_best: Explains::Perhaps,
        };
        // What was just made leads nowhere by itself.
        let stores = producers(ctx, &asked).into_iter();
        found.extend(stores.filter(|candidate| candidate.what == What::MemberStore));
    }
    let function = base_name(&scene.symbol).to_owned();
    let detail = prose!(say::CALLS_ITSELF, function = function);
    found.extend(candidate(ctx, place.image.unwrap_or(0), call, detail));
    found
}
