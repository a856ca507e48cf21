//! `INFO: task ab_writer:91 blocked for more than 120 seconds.`: a task waited uninterruptibly for
//! something that did not come.

use super::{Case, header};
use crate::context::Facts;
use kwhy_base::catalogue::verdict;
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

const CHECK: &str = "echo w > /proc/sysrq-trigger; echo d > /proc/sysrq-trigger   # d: held locks, with CONFIG_PROVE_LOCKING=y";

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    facts.is(Family::HungTask).then(|| {
        Case::new(Grade::Proved, prose!(verdict::ST_HUNG_TASK))
            .with([header(facts)])
            .with(super::waiting_for(facts))
            .check(prose!(verdict::WHY_HUNG), CHECK)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};

    #[test]
    fn the_kernels_own_words_are_believed() {
        let record = headed(Family::HungTask, "INFO: task ab_writer:91 blocked for more than 12 seconds.");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn another_report_is_not() {
        assert!(detected(&headed(Family::Bug, "kernel BUG at fs/inode.c:1!"), detect).is_none());
    }
}
