//! A pointer member that holds text, code or a pointer with a part overwritten: something wrote
//! over memory that was not its own. Also what the allocators and the page checks say.

use super::hardware::{flipped_pointer, one_bit_away, reported};
use super::{Case, SLUB_DEBUG, followed, quoted};
use crate::context::Facts;
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let finish = |case: Case| case.check(prose!(verdict::WHY_KASAN), SLUB_DEBUG);
    let said = [
        "memory corruption",
        "Freepointer corrupt",
        "Freechain corrupt",
        "Poison overwritten",
        "Left Redzone overwritten",
        "Bad page state",
        "Padding overwritten",
    ]
    .iter()
    .find_map(|words| facts.says(words));
    if let Some(said) = said {
        return Some(finish(
            Case::new(Grade::Likely, prose!(verdict::ST_MEMORY_CORRUPTION)).with([quoted(said)]),
        ));
    }
    if !facts.is_access_fault() {
        return None;
    }
    let value = facts.followed.as_ref()?;
    // One bit apart from a good pointer: it was altered in place. Software does that oftener than
    // hardware, unless the hardware itself complains.
    if let Some(flip) = flipped_pointer(facts) {
        let reported = reported(facts);
        let grade = if reported.is_some() || value.class.kind != ValueKind::BitFlip {
            Grade::Possible
        } else {
            Grade::Likely
        };
        return Some(finish(
            Case::new(grade, prose!(verdict::ST_POINTER_ALTERED))
                .with(followed(facts))
                .with(one_bit_away(&flip))
                .with([prose!(say::FLIP_IN_STORED_POINTER)])
                .but([prose!(say::HARDWARE_FLIPS_TOO)])
                .but(reported),
        ));
    }
    let mut grade = Grade::Possible;
    let reason = match value.class.kind {
        ValueKind::MachineCode => prose!(say::CODE_OVER_POINTER),
        ValueKind::AsciiText => prose!(say::TEXT_OVER_POINTER),
        _ => {
            let shaped = kwhy_arch::reshaped(facts.arch()?, value.value, &facts.space);
            let shaped = shaped.first()?;
            // A pointer that ends in a number of 32 bits that small is hardly one by chance.
            if kept_upper_half(value.value, shaped.pointer) {
                grade = Grade::Likely;
            }
            prose!(
                say::RESHAPED_POINTER,
                pointer = format_args!("{:#x}", shaped.pointer),
                how = shaped.how.clone()
            )
        }
    };
    Some(finish(Case::new(grade, prose!(verdict::ST_MEMORY_CORRUPTION)).with(followed(facts)).with([reason])))
}

/// Whether a value is the upper half of a pointer with a small number, positive or negative, for
/// the lower one: what a 32-bit store leaves of the pointer that it went over.
fn kept_upper_half(value: u64, pointer: u64) -> bool {
    value >> 32 == pointer >> 32 && (value as u32 as i32).unsigned_abs() < 0x1_0000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, headed, with_register};
    use kwhy_base::Arch;
    use kwhy_oops::Family;

    #[test]
    fn code_where_a_pointer_belongs_may_be_corruption() {
        let record =
            with_register(access_fault(Arch::Arm64, 0x0003_23bf_a8c1_7cc5), "x0", 0xd503_23bf_a8c1_7bfd);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Possible));
        let record = headed(Family::Kfence, "BUG: KFENCE: memory corruption in f+0x1/0x2");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
    }

    #[test]
    fn a_number_over_the_lower_half_of_a_pointer_is_likely_corruption() {
        let with = |value: u64| {
            let record = with_register(access_fault(Arch::X86_64, value + 4), "rax", value);
            let record = with_register(record, "rsp", 0xffff_8a27_9123_4f00);
            // mov 0x4(%rax),%eax
            let record = crate::testing::x86_code(record, &[0x8b, 0x40, 0x04]);
            detected(&record, detect).map(|case| case.grade())
        };
        assert_eq!(with(0xffff_8a27_0000_0140), Some(Grade::Likely));
        assert_eq!(with(0xffff_8a27_ffff_fff0), Some(Grade::Likely));
        assert_eq!(with(0xffff_8a27_4567_8900), None, "a pointer like any other");
    }

    #[test]
    fn null_is_not() {
        assert!(detected(&with_register(access_fault(Arch::Arm64, 8), "x0", 0), detect).is_none());
    }
}
