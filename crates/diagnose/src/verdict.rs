//! The verdict in one paragraph, and the story in order.

use crate::context::Facts;
use crate::entry;
use crate::expression::Expressed;
use crate::followed::source_words;
use crate::names::base_name;
use kwhy_arch::Access;
use kwhy_base::catalogue::verdict as say;
use kwhy_base::{Prose, prose};
use kwhy_oops::Family;
use kwhy_report::model::{Blame, Grade, Hypothesis};

/// What was attempted, in words.
pub fn access_word(access: Access) -> Prose {
    match access {
        Access::Read => prose!(say::ACCESS_READ),
        Access::Write => prose!(say::ACCESS_WRITE),
        Access::Execute => prose!(say::ACCESS_EXECUTE),
    }
}

/// How sure, in words.
pub fn grade_word(grade: Grade) -> Prose {
    match grade {
        Grade::Proved => prose!(say::GRADE_PROVED),
        Grade::Likely => prose!(say::GRADE_LIKELY),
        Grade::Possible => prose!(say::GRADE_POSSIBLE),
    }
}

/// The verdict: what happened where, the likeliest cause with its grade, and what to do next.
pub fn verdict(facts: &Facts<'_>, expressed: &Expressed, hypotheses: &[Hypothesis]) -> Prose {
    let mut parts = vec![what_happened(facts)];
    parts.extend(expressed.sentences());
    match hypotheses.first() {
        Some(best) => {
            parts.push(prose!(
                say::VERDICT_CAUSE,
                grade = grade_word(best.grade),
                statement = best.statement.0.clone()
            ));
            if let Some(value) = &facts.followed {
                parts.push(prose!(
                    say::VERDICT_VALUE,
                    value = format_args!("{:#x}", value.value),
                    what = value.class.detail.clone()
                ));
            }
        }
        None => parts.push(prose!(say::VERDICT_UNDETERMINED)),
    }
    if !facts.findings.damage.is_empty() || !facts.record.damage.is_empty() {
        parts.push(prose!(say::VERDICT_DAMAGED, count = facts.damage.len()));
    }
    Prose::Sequence(parts)
}

/// The first sentence: who did what where.
fn what_happened(facts: &Facts<'_>) -> Prose {
    let what = kind(facts);
    match (place(facts), &facts.record.comm) {
        (Some(place), Some(comm)) => prose!(say::WHAT_WHERE_WHO, what = what, place = place, comm = comm),
        (Some(place), None) => prose!(say::WHAT_WHERE, what = what, place = place),
        (None, Some(comm)) => prose!(say::WHAT_WHO, what = what, comm = comm),
        (None, None) => prose!(say::WHAT_ONLY, what = what),
    }
}

/// `symbol+0x240/0x3c0 (file.c:263)` in its module.
fn place(facts: &Facts<'_>) -> Option<Prose> {
    let place = facts.places.here()?;
    let symbol = place.at.symbol.as_deref()?;
    let mut text = symbol.to_owned();
    if let Some(offset) = place.at.offset {
        text.push_str(&format!("+{offset:#x}"));
    }
    let location = place.location();
    if let (Some(file), Some(line)) = (location.file, location.line) {
        text.push_str(&format!(" ({file}:{line})"));
    }
    Some(match &place.at.module {
        Some(module) => prose!(say::PLACE_IN_MODULE, place = text, module = module),
        None => Prose::verbatim(text),
    })
}

/// What kind of crash it is, as the subject of a sentence.
fn kind(facts: &Facts<'_>) -> Prose {
    let address = facts.fault.address.as_ref().map(|address| format!("0x{}", address.value.digits));
    match (facts.record.family, address) {
        (Some(Family::PageFault), Some(address)) => match facts.fault.access {
            Some(Access::Read) => prose!(say::KIND_READ_FAULT, address = address),
            Some(Access::Write) => prose!(say::KIND_WRITE_FAULT, address = address),
            Some(Access::Execute) => prose!(say::KIND_EXECUTE_FAULT, address = address),
            None => prose!(say::KIND_PAGE_FAULT, address = address),
        },
        (Some(Family::GeneralProtection), _) => prose!(say::KIND_GPF),
        (Some(Family::Bug), _) => prose!(say::KIND_BUG),
        (Some(Family::Warning | Family::Refcount), _) => prose!(say::KIND_WARNING),
        (Some(Family::Panic), _) => prose!(say::KIND_PANIC),
        (Some(Family::HungTask), _) => prose!(say::KIND_HUNG),
        (Some(Family::SoftLockup | Family::HardLockup | Family::RcuStall), _) => prose!(say::KIND_STUCK),
        (Some(Family::Kasan | Family::Kfence | Family::Kmsan | Family::Kcsan | Family::Ubsan), _) => {
            prose!(say::KIND_SANITIZER, title = &facts.record.title)
        }
        _ if facts.record.title.is_empty() => prose!(say::KIND_OTHER, title = &facts.record.header),
        _ => prose!(say::KIND_OTHER, title = &facts.record.title),
    }
}

/// What happened, sentence by sentence.
pub fn story(
    facts: &Facts<'_>,
    expressed: &Expressed,
    hypotheses: &[Hypothesis],
    blame: Option<&Blame>,
) -> Vec<Prose> {
    let mut story = Vec::new();
    if let Some(entry) = entry::describe(&facts.contexts, facts.record) {
        story.push(prose!(say::STORY_ENTRY, entry = entry));
    }
    if let Some(path) = path(facts) {
        story.push(prose!(say::STORY_PATH, path = path));
    }
    if let Some(subject) = &facts.subject {
        story.push(if subject.marked {
            prose!(say::STORY_SUBJECT_MARKED, module = &subject.name)
        } else {
            prose!(say::STORY_SUBJECT_FIRST, module = &subject.name)
        });
    }
    if let Some(faulting) = &facts.faulting {
        story.push(prose!(
            say::STORY_INSTRUCTION,
            instruction = faulting.insn.text(),
            place = source_words(&faulting.source)
        ));
    }
    story.extend(expressed.sentences());
    if let Some(value) = &facts.followed {
        story.push(prose!(
            say::STORY_VALUE,
            evidence = value.evidence(facts),
            what = value.class.detail.clone()
        ));
    }
    if let Some(class) = &facts.fault.class {
        let address = facts.fault.best.map(|address| format!("{address:#x}")).unwrap_or_default();
        story.push(prose!(
            say::STORY_ADDRESS,
            address = address,
            region = class.name.clone(),
            reason = class.reason.clone()
        ));
    }
    if let Some(best) = hypotheses.first() {
        story.push(prose!(
            say::STORY_CAUSE,
            cause = &best.cause,
            grade = grade_word(best.grade),
            statement = best.statement.0.clone()
        ));
    }
    if let Some(second) = hypotheses.get(1) {
        story.push(prose!(
            say::STORY_SECOND,
            cause = &second.cause,
            grade = grade_word(second.grade),
            statement = second.statement.0.clone()
        ));
    }
    if let Some(blame) = blame {
        story.push(blame.reason.0.clone());
    }
    if let Some(check) = hypotheses.iter().find_map(|hypothesis| hypothesis.next_check.as_ref()) {
        story.push(prose!(say::STORY_NEXT, why = check.why.0.clone()));
    }
    if facts.record.oops_count.is_some_and(|count| count > 1) {
        story.push(prose!(say::STORY_NOT_FIRST, count = facts.record.oops_count.unwrap_or(0)));
    } else if facts.index > 0 {
        story.push(prose!(say::STORY_LATER));
    }
    story
}

/// The call path from the outermost frame to the crash, by function.
fn path(facts: &Facts<'_>) -> Option<String> {
    let mut names: Vec<&str> =
        facts.places.chain().iter().filter_map(|place| place.at.symbol.as_deref().map(base_name)).collect();
    names.dedup();
    (names.len() > 1).then(|| names.into_iter().rev().collect::<Vec<_>>().join(" → "))
}
