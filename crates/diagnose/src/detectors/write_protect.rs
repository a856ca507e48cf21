//! `Unable to handle kernel write to read-only memory`, error code 0003: a store to memory
//! that is mapped but read-only, usually `const` data or code.

use super::{Case, access, disasm, fault_address, followed, header};
use crate::context::Facts;
use kwhy_arch::{Access, Region, exception_class};
use kwhy_base::catalogue::verdict;
use kwhy_base::{Arch, prose};
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if !facts.is(Family::PageFault) || facts.fault.access != Some(Access::Write) {
        return None;
    }
    let said = facts.says("read-only memory");
    if said.is_none() && (!permission_fault(facts) || !kernel_half(facts.region())) {
        return None;
    }
    let case = Case::new(Grade::Proved, prose!(verdict::ST_WRITE_PROTECT))
        .with([header(facts)])
        .with(access(facts))
        .with(fault_address(facts))
        .with(followed(facts));
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_DISASM), command),
        None => case,
    })
}

/// Whether the syndrome says that the page was there and forbade the access.
///
/// ARM64: DFSC 0b0011xx of a data or instruction abort (Arm ARM, ISS encoding for aborts).
/// x86: bit 0 of the page-fault error code (SDM volume 3, 4.7).
pub fn permission_fault(facts: &Facts<'_>) -> bool {
    let Some(syndrome) = &facts.fault.syndrome else { return false };
    match facts.arch() {
        Some(Arch::Arm64) => {
            matches!(exception_class(syndrome.value), 0x20 | 0x21 | 0x24 | 0x25)
                && syndrome.value & 0x3c == 0x0c
        }
        Some(Arch::X86_64 | Arch::I386) => facts.is(Family::PageFault) && syndrome.value & 1 == 1,
        // Only the DSISR has the bit; the vector alone does not.
        Some(Arch::Ppc64 | Arch::Ppc) => {
            syndrome.name == "DSISR" && kwhy_arch::forbidden(Arch::Ppc64, syndrome.value)
        }
        Some(arch) => kwhy_arch::forbidden(arch, syndrome.value),
        None => false,
    }
}

/// Whether the region is the kernel's.
pub fn kernel_half(region: Option<Region>) -> bool {
    matches!(
        region,
        Some(
            Region::LinearMap
                | Region::Vmalloc
                | Region::KernelText
                | Region::KernelData
                | Region::Module
                | Region::Vmemmap
                | Region::Fixmap
                | Region::KernelOther
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, with_code};

    #[test]
    fn a_store_to_a_read_only_page_is_proved_by_its_error_code() {
        let record = with_code(access_fault(Arch::X86_64, 0xffff_ffff_c020_21e4), "0003");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
        let record = with_code(access_fault(Arch::Arm64, 0xffff_8000_08a9_1044), "9600004f");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn a_store_to_an_absent_page_or_a_load_is_not() {
        let record = with_code(access_fault(Arch::X86_64, 0xffff_ffff_c020_21e4), "0002");
        assert!(detected(&record, detect).is_none());
        let record = with_code(access_fault(Arch::X86_64, 0xffff_ffff_c020_21e4), "0001");
        assert!(detected(&record, detect).is_none());
    }
}
