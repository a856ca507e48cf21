//! `BUG: KASAN: slab-use-after-free in F`, or a pointer `6b6b6b6b6b6b6b6b`: memory was used
//! after it had been freed. 0x6b is POISON_FREE (include/linux/poison.h), written over an
//! object by slub_debug=P when it is freed.

use super::{Case, SLUB_DEBUG, fault_address, followed, grade, quoted};
use crate::context::Facts;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::{Family, Grade as LogGrade};
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let sanitizer = matches!(facts.record.family, Some(Family::Kasan | Family::Kfence | Family::Slab));
    if sanitizer && let Some(said) = facts.says("use-after-free") {
        return Some(
            Case::new(Grade::Proved, prose!(verdict::ST_USE_AFTER_FREE))
                .with([quoted(said), prose!(say::SANITIZER_HAS_STACKS)]),
        );
    }
    // Memory tags tell that pointer and memory do not belong together, not which of them is late.
    if facts.is(Family::Kasan)
        && let Some(said) = facts.says("invalid-access")
    {
        return Some(
            Case::new(Grade::Possible, prose!(verdict::ST_USE_AFTER_FREE))
                .with([quoted(said), prose!(say::TAGS_DIFFER)]),
        );
    }
    if let Some(said) = facts.says("Poison overwritten") {
        return Some(
            Case::new(Grade::Likely, prose!(verdict::ST_USE_AFTER_FREE))
                .with([quoted(said), prose!(say::POISON_OVERWRITTEN)])
                .check(prose!(verdict::WHY_KASAN), SLUB_DEBUG),
        );
    }
    if !facts.is_access_fault() {
        return None;
    }
    if let Some(value) = facts.followed.as_ref().filter(|value| free_poison(value.value)) {
        // The poison is proof of freed memory, as far as the register is the one followed.
        return Some(
            Case::new(grade(value.grade), prose!(verdict::ST_USE_AFTER_FREE))
                .with(followed(facts))
                .with([prose!(say::FREE_POISON)])
                .check(prose!(verdict::WHY_KASAN), SLUB_DEBUG),
        );
    }
    let address = facts.fault.best.filter(|address| facts.followed.is_none() && free_poison(*address))?;
    Some(
        Case::new(grade(LogGrade::Likely), prose!(verdict::ST_USE_AFTER_FREE))
            .with(fault_address(facts))
            .with([prose!(say::ADDRESS_NEAR_FREE_POISON, address = format_args!("{address:#x}"))])
            .check(prose!(verdict::WHY_KASAN), SLUB_DEBUG),
    )
}

/// Whether `value` is POISON_FREE all over, or that plus a member's offset. ARM64 prints an
/// address without its top byte.
fn free_poison(value: u64) -> bool {
    const FREE: u64 = 0x6b6b_6b6b_6b6b_6b6b;
    const UNTAGGED: u64 = 0x006b_6b6b_6b6b_6b6b;
    value.wrapping_sub(FREE) < 0x1_0000 || value.wrapping_sub(UNTAGGED) < 0x1_0000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, headed};
    use kwhy_base::Arch;

    #[test]
    fn a_sanitizer_and_the_poison_are_believed() {
        let record = headed(Family::Kasan, "BUG: KASAN: slab-use-after-free in f+0x1/0x2");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
        let mut record = access_fault(Arch::X86_64, 0x6b6b_6b6b_6b6b_6b7b);
        record.family = Some(Family::GeneralProtection);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
        let record = access_fault(Arch::Arm64, 0x006b_6b6b_6b6b_6b73);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
    }

    #[test]
    fn null_is_not_freed_memory_nor_is_a_refcounts_warning() {
        assert!(detected(&access_fault(Arch::Arm64, 8), detect).is_none());
        assert!(
            detected(&headed(Family::Refcount, "refcount_t: underflow; use-after-free."), detect).is_none()
        );
    }
}
