//! Producers where no value was followed: a lock that is waited for or slept under, a count that
//! was put too often, a recursion that something made endless.

use super::survey::{Known, Survey, spot};
use super::{Asked, Held, producers};
use crate::helpers::{Helper, helper};
use crate::location::Place;
use crate::names::base_name;
use crate::origin::{Candidate, Ctx, Explains, Trail, What, reports};
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, Prose, Reg, prose};
use kwhy_flow::insn::AccessKind;
use kwhy_flow::scene::Scene;
use kwhy_flow::value::{Node, Value};
use kwhy_oops::Family;

/// How many frames are looked at.
const MAX_FRAMES: usize = 16;
/// How often a function stands in a trace before it is taken for endless.
const MANY: usize = 4;

/// Adds the candidates that the family of the report asks for, before what else was found.
pub fn by_family(ctx: &Ctx<'_, '_, '_>, trail: &mut Trail) {
    let facts = ctx.facts;
    let mut found = if facts.is(Family::HungTask) {
        holders(ctx)
    } else if facts.is(Family::AtomicSleep) {
        atomic(ctx)
    } else if facts.is(Family::Refcount) {
        puts(ctx)
    } else if facts.is(Family::DivideError) {
        divisor(ctx)
    } else {
        let mut found = recursion(ctx);
        found.extend(unset_callback(ctx));
        found
    };
    // What the report itself tells of the past comes before what the code leaves open.
    found.splice(0..0, reports::told(ctx));
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

/// Core functions that call what was queued, and the member that they call.
const CALLERS: &[(&str, &str, &str)] = &[
    ("process_one_work", "struct work_struct", "func"),
    ("call_timer_fn", "struct timer_list", "function"),
    ("expire_timers", "struct timer_list", "function"),
    ("__hrtimer_run_queues", "struct hrtimer", "function"),
    ("tasklet_action_common", "struct tasklet_struct", "func"),
    ("rcu_do_batch", "struct callback_head", "func"),
    ("task_work_run", "struct callback_head", "func"),
    ("notifier_call_chain", "struct notifier_block", "notifier_call"),
    ("irq_work_single", "struct irq_work", "func"),
    ("__handle_irq_event_percpu", "struct irqaction", "handler"),
];

/// The core called a bad callback of something that a module had queued: who set that up.
fn unset_callback(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    let facts = ctx.facts;
    let Some(place) = facts.places.here().filter(|_| facts.places.pc_is_garbage) else { return Vec::new() };
    let name = place.at.symbol.as_deref().map(base_name).unwrap_or_default();
    let Some((_, record, member)) = CALLERS.iter().find(|(caller, ..)| *caller == name) else {
        return Vec::new();
    };
    let (Some((scene, _)), Some(image), Some(address)) = (ctx.scenes.at(place), place.image, place.address)
    else {
        return Vec::new();
    };
    let Some(offset) = crate::bounds::offset_of(scene.image, address, record, member) else {
        return Vec::new();
    };
    let asked = Asked {
        held: Held::Member { record: (*record).to_owned(), member: (*member).to_owned(), offset },
        size: 8,
        indexed: false,
        value: facts.followed.as_ref().map(|followed| followed.value),
        load: (image, address),
        text: format!("{record}.{member}"),
        at_best: Explains::Perhaps,
    };
    let mut found = producers(ctx, &asked);
    found.retain(|candidate| candidate.spot.module.is_some());
    found
}

fn candidate(ctx: &Ctx<'_, '_, '_>, image: usize, at: ImageAddr, detail: Prose) -> Option<Candidate> {
    let spot = spot(ctx.images.image(image)?, image, at);
    Some(Candidate::new(What::Code, spot, Explains::Perhaps, detail))
}

/// A call that takes or gives back a lock.
struct LockCall {
    /// It takes it.
    takes: bool,
    /// Which lock: the structs that it lies in and where, or the variable that it is.
    lock: Vec<(String, i64)>,
    /// What it is called.
    text: String,
}

fn lock_call(scene: &Scene<'_, '_>, call: ImageAddr) -> Option<LockCall> {
    let callee = scene.callee_name(call)?;
    if helper(&callee) != Some(Helper::Lock) {
        return None;
    }
    let name = base_name(&callee).trim_start_matches('_');
    let gives = name.contains("unlock") || name.starts_with("up");
    let takes = name.contains("lock") || name.starts_with("down");
    if !gives && !takes {
        return None;
    }
    let argument = scene.argument(call, 0)?;
    let text = scene.in_words(call, argument).unwrap_or_else(|| format!("{}()", base_name(&callee)));
    Some(LockCall { takes: !gives, lock: identity(scene, call, argument), text })
}

/// What tells a lock from others: two functions know one lock by the struct that it is in.
fn identity(scene: &Scene<'_, '_>, at: ImageAddr, lock: Value) -> Vec<(String, i64)> {
    if let Some(address) = lock.as_constant() {
        let symbol = scene.image.symbol_at(ImageAddr(address));
        return symbol
            .map(|symbol| (symbol.name, address.wrapping_sub(symbol.address.0) as i64))
            .into_iter()
            .collect();
    }
    let own =
        ["struct mutex", "struct rw_semaphore", "struct spinlock", "struct semaphore", "struct rt_mutex"];
    scene
        .objects_of(at, lock)
        .into_iter()
        .map(|within| (scene.image.type_name(within.record), within.offset))
        .filter(|(record, _)| !own.contains(&record.as_str()))
        .collect()
}

/// Who takes the lock that a task waits for, and where it then waits for another one.
fn holders(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    let waits_in = ctx.facts.places.chain().into_iter().find_map(|place| {
        let (scene, address) = ctx.scenes.at(place).filter(|(scene, _)| helper(&scene.symbol).is_none())?;
        let call = scene.insn(address)?.address;
        lock_call(&scene, call).filter(|call| call.takes)
    });
    let Some(waited) = waits_in.filter(|waited| !waited.lock.is_empty()) else { return Vec::new() };
    let survey = Survey::of(ctx);
    // The stacks of other hung tasks of the log say who waits as well.
    let waits = |known: &Known<'_, '_>| {
        let own = base_name(&known.scene.symbol);
        ctx.facts.log.iter().enumerate().any(|(index, other)| {
            index != ctx.facts.index
                && other.family == Some(Family::HungTask)
                && other
                    .frames
                    .iter()
                    .any(|frame| frame.reliable && frame.at.symbol.as_deref().map(base_name) == Some(own))
        })
    };
    let mut found: Vec<(bool, u8, Candidate)> = Vec::new();
    for known in survey.functions.iter().filter(|known| !known.on_stack) {
        let mut held = false;
        for (call, _) in known.scene.calls() {
            let Some(here) = lock_call(&known.scene, call) else { continue };
            let same = here.lock.iter().any(|lock| waited.lock.contains(lock));
            let function = base_name(&known.scene.symbol).to_owned();
            let (detail, order) = match (here.takes, same) {
                (true, true) => (prose!(say::HOLDS_LOCK, function = function, lock = here.text), 0),
                (true, false) if held => (prose!(say::WAITS_BACK, function = function, lock = here.text), 1),
                _ => {
                    held &= !same || here.takes;
                    continue;
                }
            };
            held |= same;
            if let Some(candidate) = candidate(ctx, known.image, call, detail) {
                found.push((!waits(known), order, candidate));
            }
        }
    }
    // A holder that waits in turn is the likelier one to hold on to it.
    found.sort_by_key(|(other, order, _)| (*other, *order));
    found.truncate(super::MAX_TOLD);
    found.into_iter().map(|(_, _, candidate)| candidate).collect()
}

/// The divisor that was zero: who left it so.
fn divisor(ctx: &Ctx<'_, '_, '_>) -> Vec<Candidate> {
    let Some(place) = ctx.facts.places.here() else { return Vec::new() };
    let (Some((scene, address)), Some(index)) = (ctx.scenes.at(place), place.image) else {
        return Vec::new();
    };
    let Some(insn) = scene.insn(address) else { return Vec::new() };
    let (pc, text) = (insn.address, insn.text());
    let read = match scene.accesses(pc).into_iter().find(|access| access.kind == AccessKind::Read) {
        Some(access) => access.address.map(|from| (from, access.memory.segment, access.width, pc)),
        None => register_named(&scene, &text)
            .and_then(|register| scene.register(pc, register))
            .and_then(|value| loaded(&scene, value)),
    };
    let Some((from, segment, width, at)) = read else { return Vec::new() };
    let Some(object) = scene.object_at(at, from, segment, width) else { return Vec::new() };
    let (Some(record), Some(member), Ok(offset)) =
        (scene.record_name(object.pointee), object.member.clone(), u64::try_from(object.offset))
    else {
        return Vec::new();
    };
    let asked = Asked {
        held: Held::Member { record, member, offset },
        size: u64::from(width),
        indexed: object.index.is_some(),
        value: Some(0),
        load: (index, at),
        text: object.text,
        at_best: Explains::Exactly,
    };
    producers(ctx, &asked)
}

/// The register that an instruction with one operand names: `div %ecx`.
fn register_named(scene: &Scene<'_, '_>, text: &str) -> Option<Reg> {
    let name = text.rsplit('%').next()?.trim();
    let whole = match name.strip_prefix('e') {
        Some(rest) => format!("r{rest}"),
        None => name.trim_end_matches('d').to_owned(),
    };
    kwhy_arch::cpu(scene.arch())?.register(&whole)
}

/// Where a value was read, through what only narrows it.
fn loaded(scene: &Scene<'_, '_>, value: Value) -> Option<(Value, Option<Reg>, u8, ImageAddr)> {
    match value.node.and_then(|id| scene.node(id))? {
        Node::Load { address, segment, width, at, .. } => Some((address, segment, width, at)),
        Node::Extract { value, lsb: 0, .. } => match value.node.and_then(|id| scene.node(id))? {
            Node::Load { address, segment, width, at, .. } => Some((address, segment, width, at)),
            _ => None,
        },
        _ => None,
    }
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
    // Not every frame of it need be in the call of itself: the last one is not.
    let itself = |place: &&Place| {
        let (scene, address) = ctx.scenes.at(place)?;
        let call = scene.insn(address)?.address;
        let callee = scene.callee_name(call)?;
        (base_name(&callee) == base_name(&scene.symbol)).then_some((scene, call))
    };
    let Some((place, (scene, call))) =
        frames.iter().filter(same).take(4).find_map(|place| Some((place, itself(place)?)))
    else {
        return Vec::new();
    };
    let Some(cpu) = kwhy_arch::cpu(scene.arch()) else { return Vec::new() };
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
