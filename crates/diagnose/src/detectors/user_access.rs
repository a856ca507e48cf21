//! `Unable to handle kernel access to user memory outside uaccess routines`, or a user address
//! that is mapped and yet faults: the kernel followed a user pointer directly instead of
//! through copy_from_user() and its kin (SMAP, PAN).

use super::write_protect::permission_fault;
use super::{Case, access, disasm, fault_address, followed, quoted};
use crate::context::Facts;
use kwhy_arch::{Access, Region, ValueKind};
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::{Arch, prose};
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let finish = |case: Case| {
        let said = facts.fixup.as_ref();
        let sentences = |said: &crate::fixup::Said| said.sentences();
        let plain = said.filter(|said| said.plain_user_access()).map(sentences);
        // What is meant for user memory is no pointer that was followed by mistake.
        let meant = said.filter(|said| said.meant_for_user()).map(sentences);
        let case = case.with(plain.unwrap_or_default()).but(meant.unwrap_or_default());
        match disasm(facts) {
            Some(command) => case.check(prose!(verdict::WHY_USER_POINTER), command),
            None => case,
        }
    };
    if let Some(said) = facts.says("outside uaccess routines") {
        return Some(finish(
            Case::new(Grade::Proved, prose!(verdict::ST_USER_ACCESS))
                .with([quoted(said)])
                .with(fault_address(facts)),
        ));
    }
    // `get_bug_type()` of mm/kasan/report_generic.c names the range that the address lies in. Below
    // a protection fault (`probably user-memory-access in range`) even the address is a guess.
    if let Some(said) = facts.says("KASAN: user-memory-access") {
        return Some(finish(
            Case::new(Grade::Possible, prose!(verdict::ST_USER_ACCESS))
                .with([quoted(said)])
                .but([prose!(say::KASAN_GUESSES_BY_ADDRESS)]),
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
    // A small heap address looks like any number; that its page is mapped tells what it is.
    let number = matches!(pointer, Some(ValueKind::Integer | ValueKind::SmallInteger | ValueKind::AsciiText));
    let refused = permission_fault(facts);
    if pointer.is_some_and(|kind| kind != ValueKind::UserPointer) && !(number && refused) {
        return None;
    }
    // Processes are given higher addresses only where they ask for them (5level-paging.rst,
    // arm64's memory.rst): such a value is hardly one of theirs.
    let ends = facts.arch().and_then(default_user_bits).map(|bits| 1u64 << bits);
    if ends.zip(facts.followed.as_ref()).is_some_and(|(ends, followed)| followed.value >= ends) {
        return None;
    }
    // The page is there and was refused: that is what SMAP and PAN do.
    let (grade, reason) = if refused {
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

/// How wide addresses are that the kernel gives to processes unasked: `DEFAULT_MAP_WINDOW`.
fn default_user_bits(arch: Arch) -> Option<u32> {
    match arch {
        Arch::X86_64 => Some(47),
        Arch::Arm64 => Some(48),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, headed, with_code, with_register};

    #[test]
    fn a_mapped_user_page_that_was_refused_is_proved() {
        let record = with_code(access_fault(Arch::X86_64, 0x0000_7f12_3456_7000), "0001");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
        let header =
            "Unable to handle kernel access to user memory outside uaccess routines at virtual address";
        assert!(detected(&headed(Family::PageFault, header), detect).is_some());
    }

    #[test]
    fn a_low_user_address_is_known_by_its_page_being_mapped() {
        // mov (%rdi),%eax
        let record = with_register(access_fault(Arch::X86_64, 0x2c4c_a960), "rdi", 0x2c4c_a960);
        let record = crate::testing::x86_code(record, &[0x8b, 0x07]);
        let refused = with_code(record.clone(), "0001");
        assert_eq!(detected(&refused, detect).map(|case| case.grade()), Some(Grade::Proved));
        assert!(detected(&record, detect).is_none(), "a number that nothing is mapped at");
    }

    #[test]
    fn what_kasan_takes_for_a_user_address_is_possible_at_most() {
        let header = "BUG: KASAN: user-memory-access in f+0x1/0x2";
        let case = detected(&headed(Family::Kasan, header), detect);
        assert_eq!(case.map(|case| case.grade()), Some(Grade::Possible));
        let header = "KASAN: probably user-memory-access in range [0x0000000077777780-0x0000000077777787]";
        assert!(detected(&headed(Family::GeneralProtection, header), detect).is_none());
    }

    #[test]
    fn an_address_that_no_process_is_given_unasked_is_not() {
        // In the user half of 57-bit addresses, above what mmap() returns.
        let record =
            with_register(access_fault(Arch::X86_64, 0x0099_9dd0_b4c1_a1c8), "rax", 0x0099_9dd0_b4c1_a1c0);
        assert!(detected(&with_code(record, "0000"), detect).is_none());
    }

    #[test]
    fn kernel_addresses_and_null_are_not() {
        assert!(
            detected(&with_code(access_fault(Arch::X86_64, 0xffff_8880_0000_0000), "0000"), detect).is_none()
        );
        assert!(detected(&with_code(access_fault(Arch::X86_64, 0x10), "0000"), detect).is_none());
    }
}
