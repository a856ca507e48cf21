//! The verdict in one paragraph.

use crate::context::Facts;
use crate::expression::Expressed;
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

/// The verdict: what happened where, the likeliest cause and who is to blame, each with its grade.
pub fn verdict(
    facts: &Facts<'_>,
    expressed: &Expressed,
    hypotheses: &[Hypothesis],
    blame: Option<&Blame>,
) -> Prose {
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
    parts.extend(blame.and_then(blamed));
    if !facts.findings.damage.is_empty() || !facts.record.damage.is_empty() {
        parts.push(prose!(say::VERDICT_DAMAGED, count = facts.damage.len()));
    }
    Prose::Sequence(parts)
}

/// Who is to blame, as a sentence.
pub fn blamed(blame: &Blame) -> Option<Prose> {
    let function = blame.function.as_deref()?;
    // A core helper is named where nobody else is: it says where, not who.
    if blame.module.is_none() && crate::helpers::helper(function).is_some() {
        return None;
    }
    let place = source_place(Some(function), blame.file.as_deref(), blame.line);
    let place = match &blame.module {
        Some(module) => prose!(say::PLACE_IN_MODULE, place = place, module = module),
        None => Prose::verbatim(place),
    };
    Some(prose!(say::VERDICT_BLAME, grade = grade_word(blame.grade), place = place))
}

/// `function (file:line)`, as far as known.
pub fn source_place(function: Option<&str>, file: Option<&str>, line: Option<u32>) -> String {
    let function = function.unwrap_or("?");
    match (file, line) {
        (Some(file), Some(line)) => format!("{function} ({file}:{line})"),
        (Some(file), None) => format!("{function} ({file})"),
        _ => function.to_owned(),
    }
}

/// A cause in words.
pub fn cause_word(cause: &str) -> Prose {
    match kwhy_report::document::words::cause_message(cause) {
        Some(message) => Prose::Message(message, Vec::new()),
        None => Prose::verbatim(cause),
    }
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
