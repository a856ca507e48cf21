//! `kernel BUG at FILE:LINE!`: a condition that its author declared impossible came true.

use super::{Case, disasm, header, quoted};
use crate::context::Facts;
use kwhy_base::catalogue::verdict;
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if !facts.is(Family::Bug) {
        return facts
            .says("Assertion failed")
            .or_else(|| facts.says("ASSERT FAILED"))
            .map(|said| Case::new(Grade::Likely, prose!(verdict::ST_ASSERTION)).with([quoted(said)]));
    }
    let statement = match &facts.record.assertion {
        Some(at) => prose!(verdict::ST_ASSERTION_AT, file = &at.value.0, line = at.value.1),
        None => prose!(verdict::ST_ASSERTION),
    };
    // What the assertion stands for is a better name where that is known.
    let grade = if super::double_free::detect(facts).is_some() { Grade::Likely } else { Grade::Proved };
    let case = Case::new(grade, statement).with([header(facts)]);
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_ASSERTION), command),
        None => case,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, headed};
    use kwhy_base::Arch;

    #[test]
    fn bug_is_an_assertion() {
        let record = headed(Family::Bug, "kernel BUG at drivers/x/ringq.c:28!");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn a_page_fault_is_not() {
        assert!(detected(&access_fault(Arch::Arm64, 8), detect).is_none());
    }
}
