//! Blame by the call trace alone: the first function on the way down it that is no core helper.
//! A log alone never proves this; where the module loader itself trips, the module being loaded
//! is the subject of the crash and not its author.

use crate::context::Facts;
use crate::helpers::{Helper, helper};
use crate::location::Place;
use crate::names::base_name;
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::verdict as say;
use kwhy_base::prose;
use kwhy_report::model::{Blame, Grade};

/// The blame of this crash; `None` where no function is named at all. `handed_on`: the code shows
/// that the caller of the helper was itself handed the value.
pub fn blame(facts: &Facts<'_>, handed_on: bool) -> Option<Blame> {
    let chain = facts.places.chain();
    let mut passed: Option<(&Place, Helper)> = None;
    for place in &chain {
        let symbol = place.at.symbol.as_deref()?;
        // A module's own function is never a core helper, whatever it is called.
        let family = if place.at.module.is_some() { None } else { helper(symbol) };
        match family {
            Some(family) => {
                passed.get_or_insert((place, family));
            }
            None => return Some(found(facts, handed_on, place, passed)),
        }
    }
    // Helpers all the way down: say where it tripped, and that this blames nobody.
    let (place, family) = passed?;
    let function = place.at.symbol.as_deref().map(base_name)?;
    let reason = match &facts.subject {
        Some(subject) if family == Helper::Loader && subject.marked => {
            prose!(say::BLAME_LOADER_MARKED, function = function, module = &subject.name, line = subject.line)
        }
        Some(subject) if family == Helper::Loader => {
            prose!(say::BLAME_LOADER_FIRST, function = function, module = &subject.name, line = subject.line)
        }
        _ => prose!(say::BLAME_ONLY_HELPERS, function = function, why = family.reason()),
    };
    Some(at(place, Grade::Possible, reason))
}

fn found(facts: &Facts<'_>, handed_on: bool, place: &Place, passed: Option<(&Place, Helper)>) -> Blame {
    let function = &name(place);
    if let Some((tripped, family)) = passed {
        let helper = tripped.at.symbol.as_deref().map(base_name).unwrap_or_default();
        let (grade, reason) = (
            // A helper that followed what it was handed speaks against its caller; one that waits
            // or checks speaks only of where the trouble showed.
            if place.at.module.is_some() && facts.is_access_fault() && !handed_on {
                Grade::Likely
            } else {
                Grade::Possible
            },
            prose!(say::BLAME_CALLER, function = function, helper = helper, why = family.reason()),
        );
        return at(place, grade, reason);
    }
    if facts.places.pc_is_garbage {
        // Who calls through NULL did not check; any other value was put there by somebody.
        let null = facts.class().is_some_and(|class| class.kind == ValueKind::Null);
        let grade = if null { Grade::Likely } else { Grade::Possible };
        return at(place, grade, prose!(say::BLAME_CALL_SITE, function = function));
    }
    // Where it happened is not yet who did it: the bad value may have been handed over, stored long
    // before, or written over by somebody else. The log alone does not tell.
    at(place, Grade::Possible, prose!(say::BLAME_FAULTED_ITSELF, function = function))
}

/// The first place on the way down the trace that answers for itself, and the helper that
/// tripped above it.
pub fn site<'f>(facts: &'f Facts<'_>) -> Option<(&'f Place, Option<(&'f Place, Helper)>)> {
    let mut passed: Option<(&Place, Helper)> = None;
    for place in facts.places.chain() {
        match family(place)? {
            Some(family) => {
                passed.get_or_insert((place, family));
            }
            None => return Some((place, passed)),
        }
    }
    None
}

/// The family of helpers that a place belongs to; `None` where it has no name.
pub fn family(place: &Place) -> Option<Option<Helper>> {
    let symbol = place.at.symbol.as_deref()?;
    // A module's own function is never a core helper, whatever it is called.
    Some(if place.at.module.is_some() { None } else { helper(symbol) })
}

/// The blame of a place: of the innermost function there that is written in a source file of its
/// own, which the compiler may have inlined; helpers of headers and of the core are passed over.
pub fn at(place: &Place, grade: Grade, reason: kwhy_base::Prose) -> Blame {
    let location = place.location();
    let own = location.inline_chain.iter().find(|frame| {
        frame.file.as_deref().is_some_and(|file| !file.ends_with(".h"))
            && (place.at.module.is_some() || helper(&frame.function).is_none())
    });
    made(place, own.or(location.inline_chain.last()), grade, reason)
}

/// The blame of a place's out-of-line function.
pub fn outer(place: &Place, grade: Grade, reason: kwhy_base::Prose) -> Blame {
    made(place, place.location().inline_chain.last(), grade, reason)
}

/// What a place is called when it is blamed.
pub fn name(place: &Place) -> String {
    at(place, Grade::Possible, kwhy_base::Prose::verbatim("")).function.unwrap_or_default()
}

fn made(
    place: &Place,
    frame: Option<&kwhy_report::model::SourceFrame>,
    grade: Grade,
    reason: kwhy_base::Prose,
) -> Blame {
    let location = place.location();
    Blame {
        function: frame
            .map(|frame| frame.function.clone())
            .or_else(|| place.at.symbol.as_deref().map(|symbol| base_name(symbol).to_owned())),
        file: frame.and_then(|frame| frame.file.clone()).or(location.file),
        line: frame.and_then(|frame| frame.line).or(location.line),
        module: place.at.module.clone(),
        grade,
        reason: reason.into(),
    }
}
