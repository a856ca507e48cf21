//! `WARNING: CPU: 0 PID: 1 at FILE:LINE F`, and the reports that are warnings in all but name
//! (lockdep's other complaints, UBSAN's arithmetic): something is wrong, and the kernel went on.

use super::{Case, disasm, header};
use crate::context::Facts;
use kwhy_base::catalogue::{fixup, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let goes_on = matches!(
        facts.record.family,
        Some(Family::Warning | Family::Lockdep | Family::Ubsan | Family::Kmsan | Family::Kcsan)
    );
    // Per-CPU data used while preemptible, file systems unmounted in use, memory leaked.
    let only_told =
        facts.is(Family::Other) && matches!(facts.record.kind.as_str(), "preemptible" | "vfs" | "leak");
    if !goes_on && !only_told {
        return None;
    }
    let statement = match &facts.record.assertion {
        Some(at) => prose!(verdict::ST_WARNING_AT, file = &at.value.0, line = at.value.1),
        None => prose!(verdict::ST_WARNING),
    };
    // ex_handler_uaccess() (arch/x86/mm/extable.c) warns and goes on at the fixup.
    let handled = facts.says("General protection fault in user access").map(|_| prose!(fixup::HANDLED));
    let case = Case::new(Grade::Proved, statement).with([header(facts)]).with(handled);
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_ASSERTION), command),
        None => case,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};

    #[test]
    fn a_warning_is_one() {
        let record = headed(Family::Warning, "WARNING: CPU: 0 PID: 0 at kernel/context_tracking.c:128");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn what_the_kernel_only_tells_of_is_one() {
        let mut record =
            headed(Family::Other, "BUG: using smp_processor_id() in preemptible [00000000] code");
        assert!(detected(&record, detect).is_none());
        record.kind = "preemptible".to_owned();
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
        assert!(detected(&headed(Family::Kcsan, "BUG: KCSAN: data-race in f / g"), detect).is_some());
    }

    #[test]
    fn a_bug_is_more_than_that() {
        assert!(detected(&headed(Family::Bug, "kernel BUG at fs/inode.c:1!"), detect).is_none());
    }
}
