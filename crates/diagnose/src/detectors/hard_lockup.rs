//! `Watchdog detected hard LOCKUP on cpu 0`: a CPU ran with interrupts off for seconds.

use super::{Case, header};
use crate::context::Facts;
use kwhy_base::catalogue::verdict;
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

const CHECK: &str = "trace-cmd record -p irqsoff; echo 1 > /proc/sys/kernel/hardlockup_all_cpu_backtrace";

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    facts.is(Family::HardLockup).then(|| {
        Case::new(Grade::Proved, prose!(verdict::ST_HARD_LOCKUP))
            .with([header(facts)])
            .with(super::waiting_for(facts))
            .check(prose!(verdict::WHY_HARD_LOCKUP), CHECK)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};

    #[test]
    fn the_kernels_own_words_are_believed() {
        let record = headed(Family::HardLockup, "watchdog: Watchdog detected hard LOCKUP on cpu 0");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn another_report_is_not() {
        assert!(detected(&headed(Family::Bug, "kernel BUG at fs/inode.c:1!"), detect).is_none());
    }
}
