//! `refcount_t: underflow; use-after-free.`: a reference count was put once too often, or
//! taken when it was already 0 (lib/refcount.c).

use super::{Case, quoted};
use crate::context::Facts;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let said = facts.says("refcount_t:").or_else(|| {
        facts.is(Family::Refcount).then_some((facts.record.first_line, facts.record.header.as_str()))
    })?;
    let (_, text) = said;
    let meaning = if text.contains("underflow") {
        prose!(say::REFCOUNT_UNDERFLOW)
    } else if text.contains("on 0") {
        prose!(say::REFCOUNT_ON_ZERO)
    } else if text.contains("saturated") {
        prose!(say::REFCOUNT_SATURATED)
    } else {
        prose!(say::REFCOUNT_OTHER)
    };
    let command =
        "trace-cmd record -e kmem:kfree -p function_graph -l 'refcount_*' -l 'kref_*' --max-graph-depth 1";
    Some(
        Case::new(Grade::Proved, prose!(verdict::ST_REFCOUNT))
            .with([quoted(said), meaning])
            .check(prose!(verdict::WHY_TRACE_REFCOUNT), command),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};

    #[test]
    fn an_underflow_is_found() {
        let record = headed(Family::Refcount, "refcount_t: underflow; use-after-free.");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn any_other_warning_is_not() {
        assert!(
            detected(&headed(Family::Warning, "WARNING: CPU: 0 PID: 1 at fs/inode.c:1"), detect).is_none()
        );
    }
}
