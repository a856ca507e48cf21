//! `WARNING: possible circular locking dependency detected`, `spinlock recursion`, or several
//! tasks hung in each other's locks: a wait that can never end.

use super::{Case, quoted, waiting_for};
use crate::context::Facts;
use crate::helpers::{Helper, helper};
use crate::names::base_name;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::{CrashRecord, Family};
use kwhy_report::model::Grade;

const LOCKDEP: &str =
    "a kernel with CONFIG_PROVE_LOCKING=y; then: echo d > /proc/sysrq-trigger   # every held lock";

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let finish = |case: Case| case.check(prose!(verdict::WHY_LOCKDEP), LOCKDEP);
    let said = [
        "circular locking dependency",
        "recursive locking detected",
        "irq lock inversion",
        "lock order detected",
        "spinlock recursion",
        "inconsistent lock state",
    ]
    .iter()
    .find_map(|words| facts.says(words));
    if let Some(said) = said {
        // lockdep proves that this order of locks can deadlock, which is what the statement says.
        return Some(finish(Case::new(Grade::Proved, prose!(verdict::ST_DEADLOCK)).with([quoted(said)])));
    }
    if !facts.is(Family::HungTask) || !blocked_on_lock(facts.record) {
        return None;
    }
    // Another task of the same log that also waits for a lock, in the same module.
    let mine = holder(facts.record)?;
    let other = facts.log.iter().enumerate().find(|(index, other)| {
        *index != facts.index
            && other.family == Some(Family::HungTask)
            && other.pid != facts.record.pid
            && blocked_on_lock(other)
            && holder(other).is_some_and(|h| h.0 != mine.0 && h.1 == mine.1)
    });
    let case = match other {
        Some((_, other)) => Case::new(Grade::Likely, prose!(verdict::ST_DEADLOCK)).with([prose!(
            say::TWO_WAIT,
            first = mine.0,
            second = holder(other).map(|h| h.0).unwrap_or_default(),
            line = other.first_line
        )]),
        None => Case::new(Grade::Possible, prose!(verdict::ST_DEADLOCK)),
    };
    Some(finish(case.with(waiting_for(facts))))
}

/// Whether the task sits in a lock's slow path.
fn blocked_on_lock(record: &CrashRecord) -> bool {
    record
        .frames
        .iter()
        .filter(|frame| frame.reliable)
        .filter_map(|frame| frame.at.symbol.as_deref())
        .take(12)
        .any(|symbol| {
            let name = base_name(symbol).trim_start_matches('_');
            name.contains("mutex_lock")
                || name.starts_with("rwsem_down")
                || name.starts_with("down_write")
                || name.starts_with("down_read")
                || name == "down"
        })
}

/// The function that asked for the lock, and its module.
fn holder(record: &CrashRecord) -> Option<(&str, Option<&str>)> {
    record.frames.iter().filter(|frame| frame.reliable).find_map(|frame| {
        let symbol = frame.at.symbol.as_deref()?;
        let core = frame.at.module.is_none()
            && matches!(helper(symbol), Some(Helper::Lock | Helper::Scheduler | Helper::Report));
        (!core && !symbol.starts_with("__switch_to")).then(|| (base_name(symbol), frame.at.module.as_deref()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, detected_in, headed, record_with_frames};

    fn hung(pid: u32, function: &str) -> CrashRecord {
        let mut record =
            record_with_frames(&["__schedule", "schedule", "__mutex_lock.constprop.0", function, "kthread"]);
        record.family = Some(Family::HungTask);
        record.header = format!("INFO: task t:{pid} blocked for more than 12 seconds.");
        record.pid = Some(pid);
        record
    }

    #[test]
    fn two_tasks_in_each_others_locks_are_likely_one() {
        let log = [hung(91, "ab_commit [abbalock]"), hung(92, "ab_compact [abbalock]")];
        assert_eq!(detected_in(&log, 0, detect).map(|case| case.grade()), Some(Grade::Likely));
        assert_eq!(detected_in(&log[..1], 0, detect).map(|case| case.grade()), Some(Grade::Possible));
    }

    #[test]
    fn lockdep_is_believed() {
        let record = headed(Family::Lockdep, "WARNING: possible circular locking dependency detected");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn a_task_waiting_for_io_is_not() {
        let mut record = record_with_frames(&["__schedule", "io_schedule", "folio_wait_bit", "ext4_read"]);
        record.family = Some(Family::HungTask);
        assert!(detected(&record, detect).is_none());
        assert!(detected(&headed(Family::Bug, "kernel BUG at fs/inode.c:1!"), detect).is_none());
    }
}
