//! The detectors: one file a cause, each a function from [`Facts`] to a hypothesis with its
//! evidence. Registered in [`DETECTORS`]; whether one fires depends on nothing but the facts.

mod assertion;
mod bad_call_target;
mod buffer_overrun;
mod deadlock;
mod divide_by_zero;
mod double_free;
mod error_pointer;
mod execute_protect;
mod hard_lockup;
mod hardware;
mod hung_task;
mod invalid_opcode;
mod list_corruption;
mod list_poison;
mod memory_corruption;
mod null_pointer;
mod out_of_bounds;
mod rcu_stall;
mod refcount;
mod sleep_in_atomic;
mod soft_lockup;
mod stack_corruption;
mod stack_overflow;
mod use_after_free;
mod user_access;
mod warning;
mod wild_pointer;
mod write_protect;

pub use buffer_overrun::is_text_over_pointer;
pub use divide_by_zero::divisor;

use crate::checks::{SLUB_DEBUG, disasm, kprobe};
use crate::context::Facts;
use crate::expression::Expressed;
use kwhy_base::catalogue::{evidence as say, expression as words};
use kwhy_base::{Prose, prose};
use kwhy_oops::Grade as LogGrade;
use kwhy_report::model::{Grade, Hypothesis, NextCheck};

/// A detector.
pub struct Detector {
    /// The contract's word for the cause.
    pub cause: &'static str,
    /// Whether and why the facts speak for it.
    pub detect: fn(&Facts<'_>) -> Option<Case>,
}

/// What speaks for a cause by the images' types and code; asked first, as it says more.
type ByCode = fn(&Facts<'_>, &Expressed) -> Option<Case>;

/// The causes that the code may tell better than the log.
const BY_CODE: &[(&str, ByCode)] =
    &[("out-of-bounds", out_of_bounds::by_code), ("buffer-overrun", buffer_overrun::by_code)];

/// The detectors, the more specific before the more general: where two are equally sure, the
/// first stands first.
pub const DETECTORS: &[Detector] = &[
    Detector { cause: "list-corruption", detect: list_corruption::detect },
    Detector { cause: "refcount", detect: refcount::detect },
    Detector { cause: "double-free", detect: double_free::detect },
    Detector { cause: "use-after-free", detect: use_after_free::detect },
    Detector { cause: "out-of-bounds", detect: out_of_bounds::detect },
    Detector { cause: "stack-overflow", detect: stack_overflow::detect },
    Detector { cause: "stack-corruption", detect: stack_corruption::detect },
    Detector { cause: "buffer-overrun", detect: buffer_overrun::detect },
    Detector { cause: "write-protect", detect: write_protect::detect },
    Detector { cause: "execute-protect", detect: execute_protect::detect },
    Detector { cause: "bad-call-target", detect: bad_call_target::detect },
    Detector { cause: "error-pointer", detect: error_pointer::detect },
    Detector { cause: "list-poison", detect: list_poison::detect },
    Detector { cause: "null-pointer", detect: null_pointer::detect },
    Detector { cause: "user-access", detect: user_access::detect },
    Detector { cause: "divide-by-zero", detect: divide_by_zero::detect },
    Detector { cause: "sleep-in-atomic", detect: sleep_in_atomic::detect },
    Detector { cause: "soft-lockup", detect: soft_lockup::detect },
    Detector { cause: "hard-lockup", detect: hard_lockup::detect },
    Detector { cause: "rcu-stall", detect: rcu_stall::detect },
    Detector { cause: "hung-task", detect: hung_task::detect },
    Detector { cause: "deadlock", detect: deadlock::detect },
    Detector { cause: "hardware", detect: hardware::detect },
    Detector { cause: "wild-pointer", detect: wild_pointer::detect },
    Detector { cause: "memory-corruption", detect: memory_corruption::detect },
    Detector { cause: "assertion", detect: assertion::detect },
    Detector { cause: "invalid-opcode", detect: invalid_opcode::detect },
    Detector { cause: "warning", detect: warning::detect },
];

/// A hypothesis being put together.
#[derive(Debug)]
pub struct Case {
    grade: Grade,
    statement: Prose,
    for_: Vec<Prose>,
    against: Vec<Prose>,
    next: Option<(Prose, String)>,
}

impl Case {
    /// A cause stated with its grade.
    pub fn new(grade: Grade, statement: Prose) -> Case {
        Case { grade, statement, for_: Vec::new(), against: Vec::new(), next: None }
    }

    /// With evidence for it.
    pub fn with(mut self, evidence: impl IntoIterator<Item = Prose>) -> Case {
        self.for_.extend(evidence);
        self
    }

    /// With evidence against it.
    pub fn but(mut self, evidence: impl IntoIterator<Item = Prose>) -> Case {
        self.against.extend(evidence);
        self
    }

    /// With the cheapest check that would settle it.
    pub fn check(mut self, why: Prose, command: impl Into<String>) -> Case {
        self.next = Some((why, command.into()));
        self
    }

    /// How sure it is.
    #[cfg(test)]
    pub fn grade(&self) -> Grade {
        self.grade
    }
}

/// Every cause that the facts speak for, best first. The order depends on the facts alone.
pub fn run(facts: &Facts<'_>, expressed: &Expressed) -> Vec<Hypothesis> {
    let mut found: Vec<(Grade, usize, Hypothesis)> = Vec::new();
    for (order, detector) in DETECTORS.iter().enumerate() {
        // What the log takes for an error pointer is NULL less an offset where the code says so.
        let case = match expressed.null_less {
            Some(_) if detector.cause == "error-pointer" => None,
            Some(offset) if detector.cause == "null-pointer" => {
                Some(null_container(facts, expressed, offset))
            }
            _ => {
                let by_code = BY_CODE.iter().find(|(cause, _)| *cause == detector.cause);
                by_code.and_then(|(_, ask)| ask(facts, expressed)).or_else(|| (detector.detect)(facts))
            }
        };
        let Some(mut case) = case else { continue };
        // Where address and value are both missing, the kernel's own first line was all there was.
        if case.for_.is_empty() {
            case.for_.push(header(facts));
        }
        found.push((
            case.grade,
            order,
            Hypothesis {
                cause: detector.cause.to_owned(),
                grade: case.grade,
                statement: case.statement.into(),
                for_: case.for_.into_iter().map(Into::into).collect(),
                against: case.against.into_iter().map(Into::into).collect(),
                next_check: case.next.map(|(why, command)| NextCheck {
                    why: why.into(),
                    command,
                    more: Vec::new(),
                }),
            },
        ));
    }
    found.sort_by_key(|(grade, order, _)| (*grade, *order));
    found.into_iter().map(|(_, _, hypothesis)| hypothesis).collect()
}

/// `container_of()` of a NULL pointer, read from the code.
fn null_container(facts: &Facts<'_>, expressed: &Expressed, offset: u64) -> Case {
    let offset = format!("{offset:#x}");
    let register = || facts.followed.as_ref()?.register.map(|register| facts.name(register));
    let pointer = expressed.expression.as_ref().and_then(|e| e.pointer.clone()).or_else(register);
    let pointer = pointer.unwrap_or_default();
    let value = expressed.value.or_else(|| facts.followed.as_ref().map(|followed| followed.value));
    let value = value.map(|value| format!("{value:#x}")).unwrap_or_default();
    Case::new(Grade::Likely, prose!(words::ST_NULL_CONTAINER, offset = &offset))
        .with([prose!(words::NULL_LESS, pointer = pointer, offset = &offset, value = value)])
        .with(fault_address(facts))
}

/// The report's grade for the log reader's.
fn grade(grade: LogGrade) -> Grade {
    match grade {
        LogGrade::Proved => Grade::Proved,
        LogGrade::Likely => Grade::Likely,
        LogGrade::Possible => Grade::Possible,
    }
}

/// What line `line` says, as evidence.
fn quoted((line, text): (u32, &str)) -> Prose {
    prose!(say::LOG_SAYS, line = line, text = text)
}

/// The trigger line, as evidence.
fn header(facts: &Facts<'_>) -> Prose {
    quoted((facts.record.first_line, &facts.record.header))
}

/// The fault address and its region, as evidence.
fn fault_address(facts: &Facts<'_>) -> Option<Prose> {
    let address = facts.fault.address.as_ref()?;
    let class = facts.fault.class.as_ref()?;
    Some(prose!(
        say::FAULT_ADDRESS,
        address = &address.value.digits,
        line = address.line,
        region = class.name.clone()
    ))
}

/// How the followed value is known and what it is, as evidence.
fn followed(facts: &Facts<'_>) -> Vec<Prose> {
    let Some(followed) = &facts.followed else { return Vec::new() };
    vec![
        followed.evidence(facts),
        prose!(
            say::VALUE_IS,
            value = format_args!("{:#x}", followed.value),
            what = followed.class.detail.clone()
        ),
    ]
}

/// What the access was, as evidence.
fn access(facts: &Facts<'_>) -> Option<Prose> {
    let access = facts.fault.access?;
    let line = facts.fault.access_line?;
    Some(prose!(say::ACCESS_WAS, access = crate::verdict::access_word(access), line = line))
}

/// Which function was at work (or asked for what is waited for), as evidence.
fn waiting_for(facts: &Facts<'_>) -> Option<Prose> {
    // Which function it is does not depend on how sure the blame is.
    let function = crate::blame::by_trace(facts, false)?.function?;
    let line = facts
        .record
        .frames
        .iter()
        .find(|frame| frame.at.symbol.as_deref().map(crate::names::base_name) == Some(function.as_str()))
        .map(|frame| frame.line)?;
    Some(prose!(say::AT_WORK, function = function, line = line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_cause_has_one_detector() {
        let causes: BTreeSet<&str> = DETECTORS.iter().map(|d| d.cause).collect();
        assert_eq!(causes.len(), DETECTORS.len());
        assert_eq!(causes.len(), 28);
    }
}
