//! Causes after the trail: a wild pointer whose author was found writing over what is not its own
//! is corrupted memory, and how it was corrupted can be said.

use crate::checks::SLUB_DEBUG;
use crate::origin::{Mishap, Spot, Trail};
use kwhy_base::catalogue::verdict;
use kwhy_base::prose;
use kwhy_report::model::{Grade, Hypothesis, NextCheck};

/// Causes that say no more than what the pointer looked like.
const BY_LOOKS: &[&str] = &["wild-pointer", "user-access", "hardware", "memory-corruption"];

/// Puts the cause first that the best producer of the value speaks for.
pub fn refine(trail: &Trail, hypotheses: &mut Vec<Hypothesis>) {
    let Some((best, rest)) = trail.candidates.split_first() else { return };
    let (cause, statement) = match best.mishap {
        Some(Mishap::RunsOver) => ("buffer-overrun", prose!(verdict::ST_BUFFER_OVERRUN)),
        Some(Mishap::Alters) => ("memory-corruption", prose!(verdict::ST_POINTER_ALTERED)),
        _ => return,
    };
    // Where several may have done it, or another gives the value just as well, nothing is decided.
    let own = |spot: &Spot| (spot.module.clone(), spot.function.clone());
    if rest.iter().any(|other| {
        other.explains == best.explains && other.mishap == best.mishap && own(&other.spot) != own(&best.spot)
    }) {
        return;
    }
    let Some(first) = hypotheses.first() else { return };
    if first.grade == Grade::Proved || !BY_LOOKS.contains(&first.cause.as_str()) || first.cause == cause {
        return;
    }
    let grade = first.grade;
    let known = hypotheses.iter().position(|hypothesis| hypothesis.cause == cause);
    let mut refined = match known {
        Some(at) => hypotheses.remove(at),
        None => Hypothesis {
            cause: cause.to_owned(),
            grade,
            statement: statement.into(),
            for_: Vec::new(),
            against: Vec::new(),
            next_check: Some(NextCheck {
                why: prose!(verdict::WHY_KASAN).into(),
                command: SLUB_DEBUG.to_owned(),
                more: Vec::new(),
            }),
        },
    };
    refined.grade = grade;
    refined.for_.push(best.detail.clone().into());
    hypotheses.insert(0, refined);
}
