//! `Unable to handle kernel access to user memory outside uaccess routines`, or a user address
//! that is mapped and yet faults: the kernel followed a user pointer directly instead of
//! through copy_from_user() and its kin (SMAP, PAN).

use super::write_protect::permission_fault;
use super::{Case, access, disasm, fault_address, followed, quoted};
use crate::context::Facts;
use kwhy_arch::{Access, Region, ValueKind};
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let finish = |case: Case| match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_USER_POINTER), command),
        None => case,
    };
    let said = facts.says("outside uaccess routines").or_else(|| facts.says("user-memory-access"));
    if let Some(said) = said {
        return Some(finish(
            Case::new(Grade::Proved, prose!(verdict::ST_USER_ACCESS))
                .with([quoted(said)])
                .with(fault_address(facts)),
        ));
    }
    if !facts.is(Family::PageFault)
        || facts.places.pc_is_garbage
        || facts.fault.access == Some(Access::Execute)
        || facts.region() != Some(Region::User)
    {
        return None;
    }
    let pointer = facts.followed.as_ref().map(|followed| followed.class.kind);
    if pointer.is_some_and(|kind| kind != ValueKind::UserPointer) {
        return None;
    }
    // The page is there and was refused: that is what SMAP and PAN do.
    let (grade, reason) = if permission_fault(facts) {
        (Grade::Proved, prose!(say::MAPPED_AND_REFUSED))
    } else if pointer.is_some() {
        (Grade::Likely, prose!(say::USER_ADDRESS_FOLLOWED))
    } else {
        (Grade::Possible, prose!(say::USER_ADDRESS_FOLLOWED))
    };
    Some(finish(
        Case::new(grade, prose!(verdict::ST_USER_ACCESS))
            .with(fault_address(facts))
            .with(access(facts))
            .with([reason])
            .with(followed(facts)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, headed, with_code};
    use kwhy_base::Arch;

    #[test]
    fn a_mapped_user_page_that_was_refused_is_proved() {
        let record = with_code(access_fault(Arch::X86_64, 0x0000_7f12_3456_7000), "0001");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
        let header =
            "Unable to handle kernel access to user memory outside uaccess routines at virtual address";
        assert!(detected(&headed(Family::PageFault, header), detect).is_some());
    }

    #[test]
    fn kernel_addresses_and_null_are_not() {
        assert!(
            detected(&with_code(access_fault(Arch::X86_64, 0xffff_8880_0000_0000), "0000"), detect).is_none()
        );
        assert!(detected(&with_code(access_fault(Arch::X86_64, 0x10), "0000"), detect).is_none());
    }
}
