//! `BUG: sleeping function called from invalid context`, `scheduling while atomic`: code that may
//! sleep ran where sleeping is forbidden: under a spinlock, in an interrupt, with preemption off.

use super::{Case, header};
use crate::context::Facts;
use kwhy_base::catalogue::verdict;
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

const CHECK: &str = "trace-cmd record -e preemptirq -e lock   # or a kernel with CONFIG_DEBUG_ATOMIC_SLEEP=y CONFIG_PROVE_LOCKING=y";

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    facts.is(Family::AtomicSleep).then(|| {
        Case::new(Grade::Proved, prose!(verdict::ST_SLEEP_IN_ATOMIC))
            .with([header(facts)])
            .with(super::waiting_for(facts))
            .check(prose!(verdict::WHY_ATOMIC), CHECK)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};

    #[test]
    fn the_kernels_own_words_are_believed() {
        let record = headed(Family::AtomicSleep, "BUG: scheduling while atomic: sh/88/0x00000002");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn another_report_is_not() {
        assert!(detected(&headed(Family::Bug, "kernel BUG at fs/inode.c:1!"), detect).is_none());
    }
}
