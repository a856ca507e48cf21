//! A pointer that is none: code, text, a number, or an address that nothing is mapped at.
//!
//! `general protection fault, probably for non-canonical address 0xccc35d5bec83491d` on x86-64;
//! `address between user and kernel address ranges` on ARM64.

use super::null_pointer::misaligned;
use super::write_protect::{kernel_half, permission_fault};
use super::{Case, fault_address, followed, grade, header, kprobe, quoted};
use crate::context::Facts;
use kwhy_arch::{Access, Region, ValueKind};
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::{Reg, prose};
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if facts.is(Family::Kasan) && facts.says("wild-memory-access").is_some() {
        return Some(Case::new(Grade::Proved, prose!(verdict::ST_WILD_POINTER)).with([header(facts)]));
    }
    let calls = facts.faulting.as_ref().is_some_and(|faulting| faulting.call_register().is_some());
    if !facts.is_access_fault()
        || facts.places.pc_is_garbage
        || calls
        || facts.fault.access == Some(Access::Execute)
        || permission_fault(facts)
    {
        return None;
    }
    // What was used there is an index into KASAN's shadow; the pointer itself is not shown.
    if let Some(said) = facts.says("KASAN: probably user-memory-access in range") {
        return Some(Case::new(Grade::Possible, prose!(verdict::ST_WILD_POINTER)).with([quoted(said)]));
    }
    let number = misaligned(facts);
    let (grade, statement) = match (&facts.followed, facts.region()) {
        // A stack pointer that is none was not followed as data.
        (Some(value), _) if is_stack_pointer(facts, value.register) => return None,
        (Some(value), _) => {
            // What can be said of the value is never surer than that it is the one followed, and
            // that it is *wild* rather than stale or overwritten is an inference.
            let at_most = grade(value.grade).max(Grade::Likely);
            match value.class.kind {
                ValueKind::MachineCode => (at_most, prose!(verdict::ST_WILD_CODE)),
                // Text is as often a string that ran over the pointer; who wrote it is in the code.
                ValueKind::AsciiText if facts.places.here().is_none_or(|here| here.image.is_none()) => {
                    (Grade::Possible, prose!(verdict::ST_WILD_TEXT))
                }
                ValueKind::AsciiText => (at_most, prose!(verdict::ST_WILD_TEXT)),
                ValueKind::Integer | ValueKind::TaggedPointer => (at_most, prose!(verdict::ST_WILD_POINTER)),
                // It was a good pointer once: what altered it is the cause.
                ValueKind::BitFlip => (Grade::Possible, prose!(verdict::ST_WILD_POINTER)),
                ValueKind::SlabPoison if value.value.to_le_bytes().iter().all(|byte| *byte == 0x5a) => {
                    (at_most, prose!(verdict::ST_WILD_UNINITIALISED))
                }
                ValueKind::SlabPoison => (Grade::Possible, prose!(verdict::ST_WILD_POINTER)),
                ValueKind::SmallInteger if value.value >= 0x1000 || number.is_some() => {
                    (at_most, prose!(verdict::ST_WILD_POINTER))
                }
                ValueKind::KernelPointer | ValueKind::KernelText => {
                    (Grade::Possible, prose!(verdict::ST_WILD_UNMAPPED))
                }
                ValueKind::UserPointer => (Grade::Possible, prose!(verdict::ST_WILD_POINTER)),
                _ => return None,
            }
        }
        (None, Some(Region::NonCanonical)) => (Grade::Likely, prose!(verdict::ST_WILD_POINTER)),
        (None, Some(Region::User)) => (Grade::Possible, prose!(verdict::ST_WILD_POINTER)),
        (None, region) if kernel_half(region) => (Grade::Possible, prose!(verdict::ST_WILD_UNMAPPED)),
        // A protection fault without an address: on x86-64 a non-canonical one is the usual reason.
        (None, None) if facts.is(Family::GeneralProtection) => {
            (Grade::Possible, prose!(verdict::ST_WILD_POINTER))
        }
        _ => return None,
    };
    let number = number.map(|(width, address)| {
        prose!(say::MISALIGNED_NUMBER, width = width, address = format_args!("{address:#x}"))
    });
    let mut case = Case::new(grade, statement).with(fault_address(facts)).with(followed(facts)).with(number);
    if facts.followed.is_none() {
        case = case.but([if facts.record.registers.is_empty() {
            prose!(say::NO_REGISTERS)
        } else {
            prose!(say::NO_INSTRUCTION)
        }]);
    }
    if let Some(subject) = &facts.subject {
        case = case.with([prose!(say::WHILE_LOADING, module = &subject.name, line = subject.line)]);
    }
    Some(match kprobe(facts) {
        Some(command) => case.check(prose!(verdict::WHY_KPROBE), command),
        None => case,
    })
}

fn is_stack_pointer(facts: &Facts<'_>, register: Option<Reg>) -> bool {
    register.is_some() && facts.arch().and_then(kwhy_arch::cpu).map(|cpu| cpu.sp) == register
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, arm64_code, detected, with_register};
    use kwhy_base::Arch;

    #[test]
    fn code_that_was_followed_is_a_wild_pointer() {
        let record =
            with_register(access_fault(Arch::Arm64, 0x0003_23bf_a8c1_7cc5), "x0", 0xd503_23bf_a8c1_7bfd);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
        // ldr x0, [x0, #200]
        let record = arm64_code(record, 0xf940_6400);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
    }

    #[test]
    fn a_small_number_where_no_member_lies_is_wild() {
        // ldr w3, [x3, #36]
        let record = with_register(access_fault(Arch::Arm64, 0x79b), "x3", 0x777);
        let record = arm64_code(record, 0xb940_2463);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
    }

    #[test]
    fn a_stack_pointer_that_is_none_was_not_followed() {
        // ldr x0, [sp, #200]
        let record =
            with_register(access_fault(Arch::Arm64, 0x0003_23bf_a8c1_7cc5), "sp", 0xd503_23bf_a8c1_7bfd);
        assert!(detected(&arm64_code(record, 0xf940_67e0), detect).is_none());
    }

    #[test]
    fn null_and_error_pointers_are_not_wild() {
        assert!(detected(&access_fault(Arch::X86_64, 0x24), detect).is_none());
        assert!(detected(&access_fault(Arch::X86_64, 0xffff_ffff_ffff_fff4), detect).is_none());
    }
}
