//! Blame where the cause itself says whom to look at: assertions about an object that was handed
//! over, locks that others hold, what may not be written, divided by or slept under.

use super::trace;
use crate::expression::{Expressed, Sort};
use crate::helpers::{Helper, helper};
use crate::location::{self, Place};
use crate::names::base_name;
use crate::origin::memory::{Asked, Held, producers};
use crate::origin::reports::{self, Event};
use crate::origin::{Candidate, Ctx, Explains, Spot, Start, Trail, What};
use kwhy_base::catalogue::{blame as say, reports as told};
use kwhy_base::{Prose, prose};
use kwhy_flow::insn::Flow;
use kwhy_oops::{CrashRecord, Family};
use kwhy_report::model::{self, Blame, Grade};

/// The blame that the cause decides, where it decides one.
pub fn by_cause(
    ctx: &Ctx<'_, '_, '_>,
    expressed: &Expressed,
    trail: &Trail,
    cause: Option<&str>,
) -> Option<Blame> {
    if let Some(told) = cause.and_then(|cause| told(ctx, trail, cause)) {
        return Some(told);
    }
    match cause? {
        "assertion" | "refcount" => keeper(ctx, expressed),
        "hung-task" | "deadlock" if ctx.facts.is(Family::HungTask) => lock_holder(ctx, expressed),
        "sleep-in-atomic" => under_lock(ctx),
        "divide-by-zero" => itself(ctx, &|function| prose!(say::ITSELF_DIVIDES, function = function)),
        "write-protect" => itself(ctx, &|function| prose!(say::ITSELF_WRITES, function = function)),
        "out-of-bounds" => {
            let caught = itself(ctx, &|function| prose!(say::ITSELF_INDEXES, function = function))?;
            let grade = if bounded_by_caller(ctx) { Grade::Possible } else { caught.grade };
            Some(Blame { grade, ..caught })
        }
        "soft-lockup" | "hard-lockup" | "rcu-stall" => {
            // One sample: the loop may as well be its caller's.
            let caught = itself(ctx, &|function| prose!(say::ITSELF_RUNS, function = function))?;
            Some(Blame { grade: Grade::Possible, ..caught })
        }
        "stack-overflow" => recursing(ctx),
        "bad-call-target" => super::unloaded::by_unloaded(ctx),
        _ => overrun(ctx, expressed).or_else(|| freed(trail, cause)),
    }
}

/// The blame that the report itself speaks for: whom its recorded stacks and its own words name.
fn told(ctx: &Ctx<'_, '_, '_>, trail: &Trail, cause: &str) -> Option<Blame> {
    let facts = ctx.facts;
    match cause {
        "use-after-free" | "double-free" => {
            if let Some((line, spot)) = reports::line_of(ctx, Event::Freed) {
                // The core frees for whoever asks it to; only of a module's own free is it known
                // whose decision it was.
                let function = spot.function.as_deref().map(base_name)?;
                let reason = prose!(told::BLAME_FREED, function = function, line = line);
                return spot.module.is_some().then(|| of_spot(&spot, Grade::Possible, reason));
            }
            let by = trail.candidates.first().filter(|by| by.frees && cause == "double-free")?;
            let function = by.spot.function.as_deref().map(base_name)?;
            Some(of_candidate(by, Grade::Possible, prose!(told::BLAME_FREED_ELSEWHERE, function = function)))
        }
        "buffer-overrun" | "memory-corruption" if facts.is(Family::Slab) => {
            let (line, spot) = reports::line_of(ctx, Event::Allocated)?;
            let function = spot.function.as_deref().map(base_name)?;
            let reason = prose!(told::BLAME_OWNER, function = function, line = line);
            Some(of_spot(&spot, Grade::Possible, reason))
        }
        "stack-corruption" => {
            let by = trail.candidates.first()?;
            let function = by.spot.function.as_deref().map(base_name)?;
            Some(of_candidate(by, Grade::Possible, prose!(told::BLAME_CANARY, function = function)))
        }
        "warning" | "assertion" if matches!(facts.record.family, Some(Family::Warning | Family::Bug)) => {
            let (core, asker) = reports::asked_core(ctx)?;
            // What the core's own helpers say of their caller is told there.
            trace::family(core)?.is_none().then_some(())?;
            let function = trace::name(asker);
            let reason = prose!(
                told::BLAME_CALLS_CORE,
                core = core.at.symbol.as_deref().map(base_name)?,
                function = function,
                module = asker.at.module.as_deref()?
            );
            Some(trace::at(asker, Grade::Possible, reason))
        }
        _ => None,
    }
}

/// The first function of the trace that answers for itself.
fn itself(ctx: &Ctx<'_, '_, '_>, reason: &dyn Fn(&str) -> Prose) -> Option<Blame> {
    let (place, tripped) = trace::site(ctx.facts)?;
    let function = &trace::name(place);
    // Where a helper tripped, what its caller did is less plain.
    let grade = if tripped.is_none() && place.at.module.is_some() { Grade::Likely } else { Grade::Possible };
    Some(trace::at(place, grade, reason(function)))
}

/// Whether the function was called by another of its module, inlined or not: which of the two had
/// to compare the index is between them.
fn bounded_by_caller(ctx: &Ctx<'_, '_, '_>) -> bool {
    let Some((place, _)) = trace::site(ctx.facts) else { return false };
    if place.location().inline_chain.len() > 1 {
        return true;
    }
    let chain = ctx.facts.places.chain();
    let at = chain.iter().position(|other| other.at == place.at);
    let caller = at.and_then(|at| chain.get(at.checked_add(1)?));
    caller.is_some_and(|caller| caller.at.module == place.at.module)
}

/// The function that stands most often in the trace.
fn recursing(ctx: &Ctx<'_, '_, '_>) -> Option<Blame> {
    let chain = ctx.facts.places.frames.iter().filter(|frame| frame.reliable);
    let named: Vec<&Place> =
        chain.filter(|place| trace::family(place).is_some_and(|family| family.is_none())).collect();
    let count = |place: &Place| named.iter().filter(|other| other.at.symbol == place.at.symbol).count();
    let most = named.iter().map(|place| count(place)).max().filter(|count| *count > 2)?;
    // Of several that call each other the one that ran last.
    let last = ctx.facts.places.here().filter(|here| count(here).saturating_add(1) >= most);
    let place = last.or_else(|| named.iter().find(|place| count(place) == most).copied())?;
    let function = &trace::name(place);
    Some(trace::at(place, Grade::Likely, prose!(say::ITSELF_RECURSES, function = function)))
}

/// An assertion about an object that the function was handed: what it looks at is the doing of
/// those who call it. So is a count that is put too often.
fn keeper(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed) -> Option<Blame> {
    let (here, _) = trace::site(ctx.facts)?;
    let handed = expressed.handed_on() || about_parameter(ctx, expressed, here);
    if !handed {
        return None;
    }
    let chain = ctx.facts.places.chain();
    let at = chain.iter().position(|place| place.at == here.at)?;
    let caller = *chain.get(at.checked_add(1)?)?;
    let same = caller.at.module == here.at.module && caller.at.symbol != here.at.symbol;
    if !same || trace::family(caller)?.is_some() {
        return None;
    }
    let keeper = here.at.symbol.as_deref().map(base_name)?;
    let function = caller.at.symbol.as_deref().map(base_name)?;
    let reason = prose!(say::KEEPS_COUNT, keeper = keeper, function = function);
    Some(trace::at(caller, Grade::Possible, reason))
}

/// Whether what a failed check looks at is reached through a parameter of the function.
fn about_parameter(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed, here: &Place) -> bool {
    if expressed.sort != Sort::Check || expressed.caller.is_some() {
        return false;
    }
    let scene = ctx.scenes.at(here).map(|(scene, _)| scene);
    // Without names it is told by the register that the function was entered with.
    let named = |scene: &kwhy_flow::scene::Scene<'_, '_>| {
        scene.function.as_ref().is_some_and(|f| f.body.variables.iter().any(|variable| variable.parameter))
    };
    if scene.as_ref().is_some_and(|scene| !named(scene)) {
        return matches!(expressed.start, Some(Start::Member { object: Some(_), .. }));
    }
    let pointer = expressed.expression.as_ref().and_then(|expression| expression.pointer.as_deref());
    let root: Option<&str> = pointer.and_then(|text| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| !word.is_empty())
    });
    let (Some(root), Some((scene, _))) = (root, ctx.scenes.at(here)) else { return false };
    scene.function.as_ref().is_some_and(|function| {
        function.body.variables.iter().any(|variable| variable.parameter && *variable.name == *root)
    })
}

/// The task of this log that waits for a lock while it holds the one that this task waits for.
fn lock_holder(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed) -> Option<Blame> {
    let facts = ctx.facts;
    let mine = asker(facts.record)?;
    let others = facts.log.iter().enumerate().filter(|(index, other)| {
        *index != facts.index && other.family == Some(Family::HungTask) && other.pid != facts.record.pid
    });
    let lock = expressed.expression.as_ref().and_then(|e| Some((e.record.clone()?, e.member.clone()?)));
    let mut waits_too = None;
    for (_, other) in others {
        let Some(frame) = asker(other).filter(|frame| frame.at.module == mine.at.module) else { continue };
        if frame.at.symbol == mine.at.symbol {
            continue;
        }
        let place = location::frame(frame, ctx.images);
        let function = frame.at.symbol.as_deref().map(base_name)?;
        if let Some((record, member)) = &lock
            && holds(ctx, frame, record, member)
        {
            let waiter = mine.at.symbol.as_deref().map(base_name)?;
            let text = format!("{record}.{member}");
            let reason = prose!(
                say::HOLDS_LOCK,
                waiter = waiter,
                lock = text,
                function = function,
                line = other.first_line
            );
            return Some(of_frame(&place, Grade::Likely, reason));
        }
        let reason = prose!(say::WAITS_TOO, function = function, line = other.first_line);
        waits_too.get_or_insert_with(|| of_frame(&place, Grade::Possible, reason));
    }
    waits_too.or_else(|| {
        let (here, _) = trace::site(facts)?;
        let function = here.at.symbol.as_deref().map(base_name)?;
        Some(trace::at(here, Grade::Possible, prose!(say::WAITS, function = function)))
    })
}

/// The function of a hung task that asked for the lock.
fn asker(record: &CrashRecord) -> Option<&kwhy_oops::Frame> {
    let reliable: Vec<&kwhy_oops::Frame> = record.frames.iter().filter(|frame| frame.reliable).collect();
    let core = |frame: &kwhy_oops::Frame| {
        let symbol = frame.at.symbol.as_deref().unwrap_or_default();
        frame.at.module.is_none()
            && (symbol.starts_with("__switch_to")
                || matches!(helper(symbol), Some(Helper::Lock | Helper::Scheduler | Helper::Report)))
    };
    let at = reliable.iter().position(|frame| !core(frame))?;
    let locks = reliable
        .iter()
        .take(at)
        .any(|frame| frame.at.symbol.as_deref().is_some_and(|symbol| helper(symbol) == Some(Helper::Lock)));
    reliable.get(at).copied().filter(|_| locks)
}

/// Whether the function of a frame takes the lock at that member of that struct before the call
/// in which it waits, and does not give it back before.
fn holds(ctx: &Ctx<'_, '_, '_>, frame: &kwhy_oops::Frame, record: &str, member: &str) -> bool {
    let Some((index, image)) = ctx.images.used_for(frame.at.module.as_deref()) else { return false };
    let Some(returns_to) = location::image_address(image, &frame.at) else { return false };
    let Some(scene) = ctx.scenes.of(index, returns_to.offset(-1)) else { return false };
    let Some(first) = ctx.facts.cpu.and_then(|cpu| cpu.arguments.first().copied()) else { return false };
    let waits = scene.insn(returns_to.offset(-1)).map(|insn| insn.address);
    let mut held = false;
    for insn in scene.code.insns.iter().take_while(|insn| Some(insn.address) != waits) {
        if !matches!(insn.flow, Flow::Call(_)) {
            continue;
        }
        let Some(event) = scene.callee_name(insn.address).as_deref().and_then(lock_event) else { continue };
        let terms = scene.argument_terms(insn.address, first).map(|(terms, _)| terms);
        let same = terms.is_some_and(|terms| {
            terms.record.as_deref() == Some(record) && terms.member.as_deref() == Some(member)
        });
        if same {
            held = event;
        }
    }
    held
}

/// Whether a function takes (`true`) or gives back a lock.
fn lock_event(callee: &str) -> Option<bool> {
    let name = base_name(callee).trim_start_matches('_');
    if helper(callee) != Some(Helper::Lock) {
        return None;
    }
    let gives = name.contains("unlock") || name.starts_with("up") || name == "up_read" || name == "up_write";
    let takes = name.contains("lock") || name.starts_with("down");
    (gives || takes).then_some(!gives)
}

/// Whether a function takes or gives back what forbids sleeping: a spin lock, an RCU read lock,
/// preemption, interrupts.
fn atomic_event(callee: &str) -> Option<bool> {
    let name = base_name(callee).trim_start_matches('_');
    let spins = ["raw_spin_", "raw_read_", "raw_write_", "spin_", "read_lock", "write_lock", "rcu_read_"];
    if !spins.iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    Some(!name.contains("unlock"))
}

/// The innermost function on the way down the trace that takes a lock under which nobody may
/// sleep, before the call that leads to the sleep.
fn under_lock(ctx: &Ctx<'_, '_, '_>) -> Option<Blame> {
    let chain = ctx.facts.places.chain();
    let mut inner: Option<&Place> = None;
    for place in chain.iter().filter(|place| place.returns) {
        if trace::family(place)?.is_some() {
            continue;
        }
        if let Some((scene, address)) = ctx.scenes.at(place) {
            let site = scene.insn(address).map(|insn| insn.address);
            let mut taken = None;
            for insn in scene.code.insns.iter().take_while(|insn| Some(insn.address) != site) {
                let Flow::Call(_) = insn.flow else { continue };
                let Some(callee) = scene.callee_name(insn.address) else { continue };
                match atomic_event(&callee) {
                    Some(true) => taken = Some(base_name(&callee).to_owned()),
                    Some(false) => taken = None,
                    None => {}
                }
            }
            if let Some(call) = taken {
                let function = place.at.symbol.as_deref().map(base_name)?;
                let sleeper = inner
                    .and_then(|inner| inner.at.symbol.as_deref())
                    .map(base_name)
                    .map(str::to_owned)
                    .or_else(|| scene.callee_name(site?))?;
                let reason = prose!(
                    say::SLEEPS_UNDER_LOCK,
                    function = function,
                    call = call,
                    sleeper = base_name(&sleeper)
                );
                return Some(trace::at(place, Grade::Likely, reason));
            }
        }
        inner.get_or_insert(place);
        inner = Some(place);
    }
    None
}

/// Who writes the array that text ran out of, over the pointer behind it.
fn overrun(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed) -> Option<Blame> {
    let before = expressed.text_before.as_ref()?;
    if !crate::detectors::is_text_over_pointer(ctx.facts, expressed.value?) {
        return None;
    }
    let here = ctx.facts.places.here()?;
    let asked = Asked {
        held: Held::Member {
            record: before.record.clone(),
            member: before.array.clone(),
            offset: before.offset,
        },
        size: 1,
        indexed: true,
        value: None,
        load: (here.image?, here.address?),
        text: format!("{}.{}", before.record, before.array),
        at_best: Explains::Perhaps,
    };
    let found = producers(ctx, &asked);
    let writer = found.iter().find(|candidate| candidate.what == What::MemberStore)?;
    let rivals = found.iter().filter(|other| other.what == What::MemberStore).count() > 1;
    let grade = if rivals { Grade::Possible } else { Grade::Likely };
    let function = writer.spot.function.as_deref().map(base_name)?;
    let reason =
        prose!(say::RAN_OVER, function = function, array = format!("{}.{}", before.record, before.array));
    Some(of_candidate(writer, grade, reason))
}

/// Who freed the object.
fn freed(trail: &Trail, cause: Option<&str>) -> Option<Blame> {
    if cause != Some("use-after-free") {
        return None;
    }
    let by = trail.candidates.iter().find(|candidate| candidate.frees && candidate.spot.module.is_some())?;
    let function = by.spot.function.as_deref().map(base_name)?;
    Some(of_candidate(by, Grade::Possible, prose!(say::FREED, function = function)))
}

fn of_candidate(candidate: &Candidate, grade: Grade, reason: Prose) -> Blame {
    of_spot(&candidate.spot, grade, reason)
}

fn of_spot(spot: &Spot, grade: Grade, reason: Prose) -> Blame {
    Blame {
        function: spot.function.as_deref().map(|function| base_name(function).to_owned()),
        file: spot.file.clone(),
        line: spot.line,
        module: spot.module.clone(),
        grade,
        reason: reason.into(),
    }
}

/// The blame of another task's frame.
fn of_frame(frame: &model::Frame, grade: Grade, reason: Prose) -> Blame {
    let outer = frame.location.inline_chain.last();
    Blame {
        function: outer
            .map(|outer| outer.function.clone())
            .or_else(|| frame.location.symbol.as_deref().map(|symbol| base_name(symbol).to_owned())),
        file: outer.and_then(|outer| outer.file.clone()).or_else(|| frame.location.file.clone()),
        line: outer.and_then(|outer| outer.line).or(frame.location.line),
        module: frame.location.module.clone(),
        grade,
        reason: reason.into(),
    }
}
