//! `rcu: INFO: rcu_preempt self-detected stall on CPU`: a CPU or task held up an RCU grace period
//! for many seconds.

use super::{Case, header};
use crate::context::Facts;
use kwhy_base::catalogue::verdict;
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

const CHECK: &str = "perf record -a -g -- sleep 10; echo l > /proc/sysrq-trigger";

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    facts.is(Family::RcuStall).then(|| {
        Case::new(Grade::Proved, prose!(verdict::ST_RCU_STALL))
            .with([header(facts)])
            .with(super::waiting_for(facts))
            .check(prose!(verdict::WHY_LOCKUP), CHECK)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};

    #[test]
    fn the_kernels_own_words_are_believed() {
        let record = headed(Family::RcuStall, "rcu: INFO: rcu_preempt self-detected stall on CPU");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn another_report_is_not() {
        assert!(detected(&headed(Family::Bug, "kernel BUG at fs/inode.c:1!"), detect).is_none());
    }
}
