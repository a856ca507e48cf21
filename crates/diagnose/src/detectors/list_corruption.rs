//! `list_del corruption, ffff8aaa0278de48->next is LIST_POISON1 (dead000000000100)`: the list
//! debugging checks (lib/list_debug.c) found a list whose links do not agree.

use super::{Case, SLUB_DEBUG, quoted};
use crate::context::Facts;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let said = facts.says("list_add corruption").or_else(|| facts.says("list_del corruption"));
    let said = said.or_else(|| {
        facts.is(Family::ListCorruption).then_some((facts.record.first_line, facts.record.header.as_str()))
    })?;
    let (_, text) = said;
    let meaning = if text.contains("LIST_POISON1") || text.contains("LIST_POISON2") {
        prose!(say::LIST_DELETED_TWICE)
    } else if text.contains("double add") {
        prose!(say::LIST_ADDED_TWICE)
    } else {
        prose!(say::LIST_LINKS_DISAGREE)
    };
    Some(
        Case::new(Grade::Proved, prose!(verdict::ST_LIST_CORRUPTION))
            .with([quoted(said), meaning])
            .check(prose!(verdict::WHY_SLUB_DEBUG), SLUB_DEBUG),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed, remarked};

    #[test]
    fn the_list_checks_are_believed() {
        let record = remarked(
            headed(Family::Bug, "kernel BUG at lib/list_debug.c:53!"),
            "list_del corruption, ffff8aaa0278de48->next is LIST_POISON1 (dead000000000100)",
        );
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn another_assertion_is_no_list_corruption() {
        assert!(detected(&headed(Family::Bug, "kernel BUG at fs/inode.c:1!"), detect).is_none());
    }
}
