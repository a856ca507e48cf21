//! `kernel tried to execute NX-protected page`, `Unable to handle kernel execute from
//! non-executable memory`: control went to memory that is mapped but holds no code.

use super::write_protect::permission_fault;
use super::{Case, fault_address, followed, header, quoted};
use crate::context::Facts;
use kwhy_arch::Access;
use kwhy_base::catalogue::verdict;
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if !facts.is(Family::PageFault) {
        return None;
    }
    let said = [
        "tried to execute NX-protected page",
        "execute from non-executable memory",
        "execute userspace code",
        "execute user memory",
    ]
    .iter()
    .find_map(|words| facts.says(words));
    let fetched = facts.fault.access == Some(Access::Execute);
    if said.is_none() && !(fetched && permission_fault(facts)) {
        return None;
    }
    let case = Case::new(Grade::Proved, prose!(verdict::ST_EXECUTE_PROTECT))
        .with([said.map_or_else(|| header(facts), quoted)])
        .with(fault_address(facts))
        .with(followed(facts));
    Some(match super::disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_CALL_SITE), command),
        None => case,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, with_code};
    use kwhy_base::Arch;

    #[test]
    fn fetching_from_a_mapped_page_is_found() {
        let record = with_code(access_fault(Arch::X86_64, 0xffff_8880_0123_4000), "0011");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn fetching_from_nothing_is_not() {
        let record = with_code(access_fault(Arch::X86_64, 0), "0010");
        assert!(detected(&record, detect).is_none());
    }
}
