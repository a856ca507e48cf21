//! Blame by the trail of the bad value: who stored it, who left a store out, who took it over
//! unchecked, who followed it where others may rely on its being checked.

use super::trace;
use crate::bounds;
use crate::expression::Expressed;
use crate::helpers::Helper;
use crate::location::Place;
use crate::names::base_name;
use crate::origin::{Candidate, Ctx, Explains, How, Mishap, Spot, Step, Trail, What};
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::blame as say;
use kwhy_base::{Prose, prose};
use kwhy_report::model::{Blame, Grade};

/// The blame that the trail leads to; `None` where it leads nowhere.
pub fn by_trail(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed, trail: &Trail) -> Option<Blame> {
    // Where helpers tripped all the way down, the first of them stands for where it happened.
    let chain = ctx.facts.places.chain();
    let (here, tripped) = trace::site(ctx.facts).or_else(|| Some((*chain.first()?, None)))?;
    // A pointer that a loop advances runs off the end of what it walks: the loop should have
    // stopped, whoever made the last entry.
    if trail.carried {
        let function = here.at.symbol.as_deref().map(base_name).unwrap_or_default();
        return Some(trace::outer(here, Grade::Likely, prose!(say::LOOPS, function = function)));
    }
    let best = trail.candidates.first()?;
    let rivals = trail.candidates.iter().skip(1).any(|other| other.explains == best.explains);
    let sure = best.explains == Explains::Exactly && !rivals && !is_marker(ctx, expressed);
    let grade = if sure { Grade::Likely } else { Grade::Possible };
    // Only NULL and errors are found by looking at a result.
    let shows = expressed.value.is_none_or(|value| value.wrapping_add(4096) < 8192);
    if let Some(receiver) = best.unchecked_in.as_ref().filter(|_| shows) {
        // That it did not look is in its code.
        return of(receiver, Grade::Likely, unchecked(best, receiver));
    }
    if let Some(blame) = by_mishap(trail, best, grade) {
        return Some(blame);
    }
    let handed = tripped
        .filter(|_| trail.steps.iter().any(|step| step.how == How::HandedOn))
        .map(|(helper, family)| (name(helper), family))
        .or_else(|| inlined_copy(ctx));
    if let Some((helper, family)) = &handed
        && best.explains != Explains::Exactly
        && matches!(best.what, What::MemberStore | What::Code)
    {
        let reason = prose!(
            say::HANDED_OVER,
            function = name(here),
            helper = helper,
            why = family.reason(),
            what = text(trail)
        );
        return Some(trace::at(here, grade, reason));
    }
    match best.what {
        What::MissingStore => match handed {
            // A helper was handed the member as it is: who handed it over had it in hand last.
            Some((helper, family)) => Some(trace::at(
                here,
                grade,
                prose!(
                    say::HANDED_UNSET,
                    function = name(here),
                    helper = helper,
                    why = family.reason(),
                    maker = named(&best.spot)
                ),
            )),
            None => of(
                &best.spot,
                grade,
                prose!(say::LEFT_UNSET, function = named(&best.spot), what = member(trail)),
            ),
        },
        What::MemberStore | What::Constant | What::Code => stored(ctx, expressed, trail, best, here, grade),
        What::Global => match &best.spot.code {
            // Code stored it there.
            Some(_) => {
                of(&best.spot, grade, prose!(say::STORED, function = named(&best.spot), what = member(trail)))
            }
            // It is so from the start: whoever reads it must know.
            None if per_cpu(trail) && setter(trail).is_some() => {
                let setter = setter(trail)?;
                let reason =
                    prose!(say::SET_ELSEWHERE_ONLY, function = named(&setter.spot), what = text(trail));
                of(&setter.spot, Grade::Possible, reason)
            }
            None => {
                let reader =
                    loaded(trail).and_then(|step| blamable(&step.spot)).unwrap_or_else(|| spot_of(here));
                let reason = prose!(say::READ_AS_IT_IS, function = named(&reader), what = text(trail));
                of(&reader, grade, reason)
            }
        },
        What::CallResult => {
            let step = trail.steps.last()?;
            let receiver = blamable(&step.spot)?;
            // A step inside the callee: what took the result over is the candidate's own line.
            if receiver.module.is_none() && best.spot.module.is_some() {
                return of(&best.spot, grade, prose!(say::UNCHECKED, function = named(&best.spot)));
            }
            let reason = prose!(say::TOOK_RESULT, function = named(&receiver), callee = named(&best.spot));
            of(&receiver, grade, reason)
        }
        What::Parameter => {
            let outermost = trail.steps.iter().rev().find_map(|step| blamable(&step.spot))?;
            let reason = prose!(say::PASSED_ON, function = named(&outermost), what = text(trail));
            of(&outermost, grade, reason)
        }
        What::Unknown => None,
    }
}

/// What is wrong in itself is to blame, whoever tripped over it.
fn by_mishap(trail: &Trail, best: &Candidate, grade: Grade) -> Option<Blame> {
    let (function, what) = (named(&best.spot), member(trail));
    let reason = match best.mishap? {
        Mishap::RunsOver => prose!(say::RUNS_OVER, function = function, what = what),
        Mishap::TakesForOther => prose!(say::TAKES_FOR_OTHER, function = function, what = what),
        Mishap::CutsOff => prose!(say::CUTS_OFF, function = function),
        Mishap::Alters => return None,
    };
    of(&best.spot, grade, reason)
}

/// A per-cpu variable: what each CPU finds there somebody must have prepared for it.
fn per_cpu(trail: &Trail) -> bool {
    trail.steps.iter().any(|step| step.text.contains("this_cpu(") || step.text.contains("per_cpu"))
        || trail
            .candidates
            .iter()
            .any(|candidate| candidate.detail.render(kwhy_base::Lang::En).contains("this_cpu("))
}

/// The code that gives the variable a value at all.
fn setter(trail: &Trail) -> Option<&Candidate> {
    trail.candidates.iter().find(|candidate| candidate.what == What::Global && candidate.spot.code.is_some())
}

/// `rep movsq` and its kin: a copy that the compiler put in place of a call.
fn inlined_copy(ctx: &Ctx<'_, '_, '_>) -> Option<(String, Helper)> {
    let text = ctx.facts.faulting.as_ref()?.insn.text();
    text.starts_with("rep")
        .then(|| (text.split('%').next().unwrap_or_default().trim().to_owned(), Helper::Memory))
}

/// A store that gives the value.
fn stored(
    ctx: &Ctx<'_, '_, '_>,
    expressed: &Expressed,
    trail: &Trail,
    best: &Candidate,
    here: &Place,
    grade: Grade,
) -> Option<Blame> {
    let storer = named(&best.spot);
    if let Some((stored, read)) = other_arm(ctx, expressed, trail, best) {
        // Legal there: what reads it as something else should have known better.
        let reason =
            prose!(say::READ_AS_OTHER, function = name(here), stored = stored, read = read, storer = storer);
        return Some(trace::at(here, Grade::Possible, reason));
    }
    if best.what == What::MemberStore && null_is_legal(ctx, trail, best) {
        let reason = prose!(say::NULL_IS_LEGAL, function = name(here), what = text(trail), storer = storer);
        return Some(trace::at(here, Grade::Possible, reason));
    }
    let reason = match (&best.spot.module, &here.at.module) {
        (Some(module), other) if other.as_ref() != Some(module) => {
            let victim = match (other, &ctx.facts.subject) {
                (Some(victim), _) => victim.clone(),
                (None, Some(subject)) => subject.name.clone(),
                (None, None) => name(here),
            };
            prose!(
                say::STORED_ACROSS,
                function = storer,
                module = module,
                what = member(trail),
                victim = victim
            )
        }
        _ => prose!(say::STORED, function = storer, what = member(trail)),
    };
    of(&best.spot, grade, reason)
}

/// A small number or a poison in a pointer is often put there on purpose, to mark the place; whoever
/// follows it should then have known.
fn is_marker(ctx: &Ctx<'_, '_, '_>, expressed: &Expressed) -> bool {
    expressed.value.is_some_and(|value| (1..4096).contains(&value))
        || ctx.facts.class().is_some_and(|class| class.kind == ValueKind::ListPoison)
}

/// The names of one place in a union, as it was stored and as it was read, where they differ.
fn other_arm(
    ctx: &Ctx<'_, '_, '_>,
    expressed: &Expressed,
    trail: &Trail,
    best: &Candidate,
) -> Option<(String, String)> {
    // The trail names a place by what was stored there, the expression by what was read.
    let pointer = expressed.expression.as_ref().and_then(|expression| expression.pointer.clone());
    let step = trail.steps.first().map(|step| step.text.clone());
    if let (Some(pointer), Some(step)) = (pointer, step)
        && let (Some((outer, last)), Some((own, other))) = (pointer.rsplit_once('.'), step.rsplit_once('.'))
        && outer == own
        && last != other
    {
        return Some((step.clone(), pointer.clone()));
    }
    let (record, read) = trail.member.as_ref()?;
    let (image, address) = best.spot.code?;
    let scene = ctx.scenes.of(image, address)?;
    let written = scene.recover(address, None, &|_| None)?.main;
    let offset = bounds::offset_of(scene.image, address, record, read)?;
    // One instruction may store two members; only another name of the same place counts.
    let same = written.record.as_ref() == Some(record)
        && !written.ambiguous
        && written.offset.and_then(|own| u64::try_from(own).ok()) == Some(offset);
    let member = written.member.filter(|_| same)?;
    let within = |a: &str, b: &str| a == b || a.starts_with(&format!("{b}."));
    let differs =
        !within(&member, read) && !within(read, &member) && !member.contains('[') && !read.contains('[');
    differs.then(|| (written.text, text(trail)))
}

/// Whether NULL is one of the values that the storing function expects: it tests for it, or sets
/// the object up with it when it makes the object.
fn null_is_legal(ctx: &Ctx<'_, '_, '_>, trail: &Trail, best: &Candidate) -> bool {
    let made_there = trail.candidates.iter().any(|other| {
        other.what == What::MissingStore
            && other.spot.function == best.spot.function
            && other.spot.module == best.spot.module
    });
    let tested = || {
        let (image, address) = best.spot.code?;
        let scene = ctx.scenes.of(image, address)?;
        let writes = scene.writes();
        let value = writes.iter().find(|write| write.at == address)?.number?;
        value.node?;
        Some(scene.is_tested(value))
    };
    made_there || tested() == Some(true)
}

/// The receiver of a value that it did not look at.
fn unchecked(best: &Candidate, receiver: &Spot) -> Prose {
    match best.what {
        What::CallResult => {
            prose!(say::UNCHECKED_RESULT, function = named(receiver), callee = named(&best.spot))
        }
        _ => prose!(say::UNCHECKED, function = named(receiver)),
    }
}

/// The step at which the value was last read from memory.
fn loaded(trail: &Trail) -> Option<&Step> {
    trail.steps.iter().rev().find(|step| step.how == How::Loaded).or_else(|| trail.steps.last())
}

/// The spot, if its function answers for itself.
fn blamable(spot: &Spot) -> Option<Spot> {
    let function = spot.function.as_deref()?;
    (spot.module.is_some() || crate::helpers::helper(function).is_none()).then(|| spot.clone())
}

/// What the value was last called.
fn text(trail: &Trail) -> String {
    loaded(trail).map(|step| step.text.clone()).unwrap_or_default()
}

/// The member that it was read from, in C's words, else what it was last called.
fn member(trail: &Trail) -> String {
    match &trail.member {
        Some((record, member)) => format!("{record}.{member}"),
        None => text(trail),
    }
}

fn name(place: &Place) -> String {
    trace::name(place)
}

fn named(spot: &Spot) -> String {
    spot.function.as_deref().map(base_name).unwrap_or("?").to_owned()
}

fn spot_of(place: &Place) -> Spot {
    let location = place.location();
    Spot {
        code: place.image.zip(place.address),
        function: Some(name(place)),
        file: location.file,
        line: location.line,
        module: place.at.module.clone(),
    }
}

/// The blame of a spot; `None` where its function is not known.
fn of(spot: &Spot, grade: Grade, reason: Prose) -> Option<Blame> {
    Some(Blame {
        function: Some(base_name(spot.function.as_deref()?).to_owned()),
        file: spot.file.clone(),
        line: spot.line,
        module: spot.module.clone(),
        grade,
        reason: reason.into(),
    })
}
