//! The story in order: how control got there, where the bad value came from and how it travelled,
//! what faulted, why it is this cause and not that one, whose doing it is, what to do now.

use crate::context::Facts;
use crate::entry;
use crate::expression::Expressed;
use crate::followed::source_words;
use crate::names::base_name;
use crate::origin::{Explains, How, Step, Trail};
use crate::verdict::{cause_word, grade_word, source_place};
use kwhy_base::catalogue::story as say;
use kwhy_base::{Prose, prose};
use kwhy_report::model::{Blame, Hypothesis};

/// How many steps of the value's way are told; the report has them all.
const MAX_STEPS: usize = 6;

/// What happened, sentence by sentence.
pub fn story(
    facts: &Facts<'_>,
    expressed: &Expressed,
    trail: &Trail,
    hypotheses: &[Hypothesis],
    blame: Option<&Blame>,
) -> Vec<Prose> {
    let mut story = Vec::new();
    if let Some(entry) = entry::describe(&facts.contexts, facts.record) {
        story.push(prose!(say::ENTRY, entry = entry));
    }
    if let Some(path) = path(facts) {
        story.push(prose!(say::PATH, path = path));
    }
    if let Some(subject) = &facts.subject {
        story.push(if subject.marked {
            prose!(say::SUBJECT_MARKED, module = &subject.name)
        } else {
            prose!(say::SUBJECT_FIRST, module = &subject.name)
        });
    }
    story.extend(chain(trail));
    if let Some(faulting) = &facts.faulting {
        story.push(prose!(
            say::INSTRUCTION,
            instruction = faulting.insn.text(),
            place = source_words(&faulting.source)
        ));
    }
    if let Some(said) =
        facts.fixup.as_ref().map(crate::fixup::Said::sentences).filter(|said| !said.is_empty())
    {
        story.push(Prose::Sequence(said));
    }
    story.extend(expressed.sentences());
    if let Some(value) = &facts.followed {
        story.push(prose!(say::VALUE, evidence = value.evidence(facts), what = value.class.detail.clone()));
    }
    if let Some(class) = &facts.fault.class {
        let address = facts.fault.best.map(|address| format!("{address:#x}")).unwrap_or_default();
        story.push(prose!(
            say::ADDRESS,
            address = address,
            region = class.name.clone(),
            reason = class.reason.clone()
        ));
    }
    story.extend(causes(hypotheses));
    if let Some(blame) = blame {
        story.extend(crate::verdict::blamed(blame));
        story.push(blame.reason.0.clone());
    }
    if let Some(check) = hypotheses.iter().find_map(|hypothesis| hypothesis.next_check.as_ref()) {
        story.push(prose!(say::NEXT, why = check.why.0.clone()));
    }
    if facts.record.oops_count.is_some_and(|count| count > 1) {
        story.push(prose!(say::NOT_FIRST, count = facts.record.oops_count.unwrap_or(0)));
    } else if facts.index > 0 {
        story.push(prose!(say::LATER));
    }
    story
}

/// The bad value from whoever produced it to where it was followed.
fn chain(trail: &Trail) -> Vec<Prose> {
    let mut told = Vec::new();
    if let Some(best) = trail.candidates.first() {
        let spot = &best.spot;
        let place = source_place(spot.function.as_deref(), spot.file.as_deref(), spot.line);
        let detail = best.detail.clone();
        told.push(match best.explains {
            Explains::Exactly => prose!(say::PRODUCED, detail = detail, place = place),
            Explains::Perhaps => prose!(say::PRODUCED_PERHAPS, detail = detail, place = place),
            Explains::Hardly => prose!(say::PRODUCED_HARDLY, detail = detail, place = place),
        });
    }
    // The trail goes backwards; the story goes on towards the fault, which is told after it.
    let steps: Vec<&Step> = trail.steps.iter().filter(|step| step.how != How::Followed).collect();
    let left_out = steps.len().saturating_sub(MAX_STEPS);
    told.extend(steps.into_iter().take(MAX_STEPS).rev().map(step));
    if left_out > 0 {
        told.push(prose!(say::STEPS_LEFT_OUT, count = left_out));
    }
    told
}

/// One step, in the words of the function that it passed through.
fn step(step: &Step) -> Prose {
    let spot = &step.spot;
    let place = source_place(spot.function.as_deref(), spot.file.as_deref(), spot.line);
    let text = &step.text;
    match step.how {
        How::Followed => prose!(say::STEP_FOLLOWED, place = place, text = text),
        How::Loaded => prose!(say::STEP_LOADED, place = place, text = text),
        How::HandedOn if step.checked => prose!(say::STEP_HANDED_CHECKED, place = place, text = text),
        How::HandedOn => prose!(say::STEP_HANDED, place = place, text = text),
        How::Returned if step.checked => prose!(say::STEP_RETURNED_CHECKED, place = place, text = text),
        How::Returned => prose!(say::STEP_RETURNED, place = place, text = text),
        How::Made => prose!(say::STEP_MADE, place = place, text = text),
    }
}

/// The cause, what speaks for it, and why not the next one.
fn causes(hypotheses: &[Hypothesis]) -> Vec<Prose> {
    let mut told = Vec::new();
    let Some(best) = hypotheses.first() else { return told };
    told.push(prose!(
        say::CAUSE,
        cause = cause_word(&best.cause),
        grade = grade_word(best.grade),
        statement = best.statement.0.clone()
    ));
    let Some(second) = hypotheses.get(1) else { return told };
    let (cause, grade) = (cause_word(&second.cause), grade_word(second.grade));
    told.push(match second.against.first() {
        Some(against) => prose!(say::NOT_SECOND, cause = cause, grade = grade, against = against.0.clone()),
        None if second.grade > best.grade => prose!(say::SECOND_LESS_SURE, cause = cause, grade = grade),
        None => prose!(say::SECOND, cause = cause, grade = grade, statement = second.statement.0.clone()),
    });
    told
}

/// The call path from the outermost frame to the crash, by function.
fn path(facts: &Facts<'_>) -> Option<String> {
    let mut names: Vec<&str> =
        facts.places.chain().iter().filter_map(|place| place.at.symbol.as_deref().map(base_name)).collect();
    names.dedup();
    (names.len() > 1).then(|| names.into_iter().rev().collect::<Vec<_>>().join(" → "))
}
