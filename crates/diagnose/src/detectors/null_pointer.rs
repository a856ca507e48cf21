//! `BUG: kernel NULL pointer dereference, address: 0000000000000024`: a pointer that was NULL
//! was followed to a member at 0x24.
//!
//! A tiny fault address alone does not prove it: an error pointer plus an offset wraps around
//! to one as well. With the faulting instruction and its base register it is proved.

use super::error_pointer::register_that_wraps;
use super::{Case, fault_address, followed, grade, header, kprobe};
use crate::context::Facts;
use kwhy_arch::{Region, ValueKind};
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if facts.places.pc_is_garbage {
        return None;
    }
    if facts.is(Family::Kasan) && facts.says("null-ptr-deref").is_some() {
        return Some(Case::new(Grade::Proved, prose!(verdict::ST_NULL_POINTER)).with([header(facts)]));
    }
    if !facts.is_access_fault() {
        return None;
    }
    // KASAN's shadow check makes a protection fault of a NULL pointer; the kernel says so below it.
    if let Some(said) = facts.says("KASAN: null-ptr-deref in range") {
        return Some(
            Case::new(Grade::Proved, prose!(verdict::ST_NULL_POINTER))
                .with([header(facts), super::quoted(said)]),
        );
    }
    let finish = |case: Case| match kprobe(facts) {
        Some(command) => case.check(prose!(verdict::WHY_KPROBE), command),
        None => case,
    };
    if let Some(value) = &facts.followed {
        return match value.class.kind {
            ValueKind::Null => Some(finish(
                Case::new(grade(value.grade), prose!(verdict::ST_NULL_POINTER))
                    .with(followed(facts))
                    .with(fault_address(facts)),
            )),
            // A pointer to a member of a structure at NULL, made before it was followed.
            ValueKind::SmallInteger if value.value < 0x1000 && misaligned(facts).is_none() => Some(finish(
                Case::new(
                    Grade::Likely,
                    prose!(verdict::ST_NULL_MEMBER, offset = format_args!("{:#x}", value.value)),
                )
                .with(followed(facts))
                .with(fault_address(facts)),
            )),
            _ => None,
        };
    }
    // Where not even the CPU's architecture is known, the kernel's own words are.
    let tiny =
        facts.fault.address.as_ref().and_then(|address| address.value.value).is_some_and(|a| a < 0x1000);
    let named = tiny && facts.arch().is_none() && facts.says("NULL pointer dereference").is_some();
    if !named && !matches!(facts.region(), Some(Region::Null | Region::NearNull)) {
        return None;
    }
    let mut case = Case::new(Grade::Likely, prose!(verdict::ST_NULL_POINTER)).with(fault_address(facts));
    if facts.record.registers.is_empty() {
        case = case.but([prose!(say::NO_REGISTERS)]);
    } else if facts.faulting.is_none() {
        case = case.but([prose!(say::NO_INSTRUCTION)]);
    }
    if let Some((register, number)) = register_that_wraps(facts) {
        case = case.but([prose!(say::REGISTER_MAY_WRAP, register = facts.name(register), number = number)]);
    }
    Some(finish(case))
}

/// The access's width and address, where no member lies at it: compilers place members of up to
/// eight bytes at multiples of their size. Packed structures are the rare exception.
pub fn misaligned(facts: &Facts<'_>) -> Option<(u8, u64)> {
    let address = facts.fault.best?;
    let touch = facts.faulting.as_ref()?.touch(facts.arch()?, Some(address))?;
    let width = touch.access.width;
    let natural = matches!(width, 2 | 4 | 8) && touch.access.memory.index.is_none();
    (natural && address % u64::from(width) != 0).then_some((width, address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, arm64_code, detected, with_register};
    use kwhy_base::Arch;

    /// `ldr w3, [x3, #36]`
    const LDR_W3_X3_36: u32 = 0xb940_2463;

    #[test]
    fn with_the_instruction_it_is_proved() {
        let record = with_register(access_fault(Arch::Arm64, 0x24), "x3", 0);
        let record = arm64_code(record, LDR_W3_X3_36);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn a_number_where_no_member_lies_is_no_null() {
        // Four bytes at 0x777 + 36 = 0x79b.
        let record = with_register(access_fault(Arch::Arm64, 0x79b), "x3", 0x777);
        assert!(detected(&arm64_code(record, LDR_W3_X3_36), detect).is_none());
        let record = with_register(access_fault(Arch::Arm64, 0x79c), "x3", 0x778);
        let case = detected(&arm64_code(record, LDR_W3_X3_36), detect);
        assert_eq!(case.map(|case| case.grade()), Some(Grade::Likely));
    }

    #[test]
    fn by_its_address_alone_it_is_likely() {
        assert_eq!(
            detected(&access_fault(Arch::Arm64, 0x24), detect).map(|c| c.grade()),
            Some(Grade::Likely)
        );
    }

    #[test]
    fn an_error_pointer_that_wrapped_around_is_no_null() {
        // ERR_PTR(-ENOMEM) + 36 = 0x18: the address is tiny, the pointer is not.
        let record = with_register(access_fault(Arch::Arm64, 0x18), "x3", 0xffff_ffff_ffff_fff4);
        let record = arm64_code(record, LDR_W3_X3_36);
        assert!(detected(&record, detect).is_none());
    }
}
