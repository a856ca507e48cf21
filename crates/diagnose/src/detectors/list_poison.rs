//! A pointer of `dead000000000100` or `dead000000000122`: LIST_POISON1 and LIST_POISON2, which
//! list_del() leaves in the entry it removed (include/linux/poison.h). The entry was used as if
//! it were still on a list.

use super::{Case, SLUB_DEBUG, fault_address, followed, grade, quoted};
use crate::context::Facts;
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if let Some(said) = facts.says("LIST_POISON") {
        return Some(
            Case::new(Grade::Likely, prose!(verdict::ST_LIST_POISON))
                .with([quoted(said), prose!(say::LIST_DELETED_TWICE)])
                .check(prose!(verdict::WHY_SLUB_DEBUG), SLUB_DEBUG),
        );
    }
    if !facts.is_access_fault() {
        return None;
    }
    if let Some(value) = &facts.followed {
        if value.class.kind != ValueKind::ListPoison {
            return None;
        }
        return Some(
            Case::new(grade(value.grade), prose!(verdict::ST_LIST_POISON))
                .with(followed(facts))
                .with(fault_address(facts))
                .check(prose!(verdict::WHY_SLUB_DEBUG), SLUB_DEBUG),
        );
    }
    // The 64-bit poison offset is CONFIG_ILLEGAL_POINTER_VALUE, 0xdead000000000000 on both CPUs;
    // ARM64 prints it without the top byte.
    let address = facts.fault.best?;
    let near = [0xdead_0000_0000_0000_u64, 0x00ad_0000_0000_0000]
        .iter()
        .any(|base| (0x100..0x1200).contains(&address.wrapping_sub(*base)));
    near.then(|| {
        Case::new(Grade::Likely, prose!(verdict::ST_LIST_POISON))
            .with(fault_address(facts))
            .with([prose!(say::ADDRESS_NEAR_LIST_POISON)])
            .check(prose!(verdict::WHY_SLUB_DEBUG), SLUB_DEBUG)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, with_register};
    use kwhy_base::Arch;

    #[test]
    fn the_poison_is_recognised_by_register_and_by_address() {
        let record =
            with_register(access_fault(Arch::X86_64, 0xdead_0000_0000_0108), "rax", 0xdead_0000_0000_0100);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
        assert!(detected(&access_fault(Arch::Arm64, 0x00ad_0000_0000_0122), detect).is_some());
    }

    #[test]
    fn other_non_canonical_addresses_are_not() {
        assert!(detected(&access_fault(Arch::X86_64, 0xccc3_5d5b_ec83_491d), detect).is_none());
    }
}
