//! Blame by the trail of the bad value: who stored it, who left a store out, who took it over
//! unchecked, who followed it where others may rely on its being checked.

use super::trace;
use crate::location::Place;
use crate::names::base_name;
use crate::origin::{Candidate, Ctx, Explains, How, Spot, Step, Trail, What};
use kwhy_base::catalogue::blame as say;
use kwhy_base::{Prose, prose};
use kwhy_report::model::{Blame, Grade};

/// The blame that the trail leads to; `None` where it leads nowhere.
pub fn by_trail(ctx: &Ctx<'_, '_, '_>, trail: &Trail) -> Option<Blame> {
    let (here, tripped) = trace::site(ctx.facts)?;
    // A pointer that a loop advances runs off the end of what it walks: the loop should have
    // stopped, whoever made the last entry.
    if trail.carried {
        let function = name(here);
        return Some(trace::at(here, Grade::Likely, prose!(say::LOOPS, function = function)));
    }
    let best = trail.candidates.first()?;
    let rivals = trail.candidates.iter().skip(1).any(|other| other.explains == best.explains);
    let grade = if best.explains == Explains::Exactly && !rivals { Grade::Likely } else { Grade::Possible };
    if let Some(receiver) = &best.unchecked_in {
        // That it did not look is in its code.
        return of(receiver, Grade::Likely, unchecked(best, receiver));
    }
    let handed = tripped.filter(|_| trail.steps.iter().any(|step| step.how == How::HandedOn));
    match best.what {
        What::MissingStore => match handed {
            // A helper was handed the member as it is: who handed it over had it in hand last.
            Some((helper, family)) => Some(trace::at(
                here,
                grade,
                prose!(
                    say::HANDED_UNSET,
                    function = name(here),
                    helper = name(helper),
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
        What::MemberStore | What::Constant | What::Code => stored(ctx, trail, best, here, grade),
        What::Global => match &best.spot.code {
            // Code stored it there.
            Some(_) => {
                of(&best.spot, grade, prose!(say::STORED, function = named(&best.spot), what = member(trail)))
            }
            // It is so from the start: whoever reads it must know.
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

/// A store that gives the value.
fn stored(
    ctx: &Ctx<'_, '_, '_>,
    trail: &Trail,
    best: &Candidate,
    here: &Place,
    grade: Grade,
) -> Option<Blame> {
    let storer = named(&best.spot);
    if let Some(other) = other_arm(ctx, trail, best) {
        // Legal there: what reads it as something else should have known better.
        let reason = prose!(
            say::READ_AS_OTHER,
            function = name(here),
            stored = other,
            read = text(trail),
            storer = storer
        );
        return Some(trace::at(here, Grade::Possible, reason));
    }
    if best.what == What::MemberStore && expects_null(ctx, best) {
        let reason = prose!(say::NULL_IS_LEGAL, function = name(here), what = text(trail), storer = storer);
        return Some(trace::at(here, grade.max(Grade::Possible), reason));
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

/// The store's own name for the member, where it writes another arm of a union than was read.
fn other_arm(ctx: &Ctx<'_, '_, '_>, trail: &Trail, best: &Candidate) -> Option<String> {
    let (record, read) = trail.member.as_ref()?;
    let (image, address) = best.spot.code?;
    let scene = ctx.scenes.of(image, address)?;
    let recovered = scene.recover(address, None, &|_| None)?;
    let written = recovered.main;
    let same = written.record.as_ref() == Some(record) && !written.ambiguous;
    let member = written.member.filter(|_| same)?;
    let plain = |path: &str| path.split('[').next().unwrap_or_default().to_owned();
    let differs = plain(&member) != plain(read)
        && !read.starts_with(&format!("{member}."))
        && !member.starts_with(&format!("{read}."));
    differs.then_some(written.text)
}

/// Whether the storing function looks whether the value is NULL: then NULL is legal there.
fn expects_null(_: &Ctx<'_, '_, '_>, _: &Candidate) -> bool {
    false
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
    place.at.symbol.as_deref().map(base_name).unwrap_or_default().to_owned()
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
