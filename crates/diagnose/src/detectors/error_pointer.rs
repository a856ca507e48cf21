//! `ERR_PTR(-ENOMEM)` followed as a pointer: the call that returned it was not checked with
//! `IS_ERR`. Adding a member's offset may wrap around to a tiny address, which then looks like
//! a NULL pointer and is none.

use super::{Case, disasm, fault_address, followed, grade};
use crate::context::Facts;
use kwhy_arch::{Region, ValueKind, errno, error_pointer};
use kwhy_base::catalogue::{evidence as say, expression as words, verdict};
use kwhy_base::{Reg, prose};
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if !facts.is_access_fault() || facts.places.pc_is_garbage {
        return None;
    }
    let finish = |case: Case| match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_IS_ERR), command),
        None => case,
    };
    if let Some(value) = &facts.followed {
        let number = error_pointer(value.value).filter(|_| value.class.kind == ValueKind::ErrorPointer)?;
        // Structures hold their list heads at multiples of eight: NULL taken for an entry of one
        // is such a number as well, and the log alone cannot tell them apart.
        let container = number % 8 == 0;
        let read = facts.places.here().is_some_and(|here| here.image.is_some());
        let grade = match container {
            true if read => Grade::Likely,
            true => Grade::Possible,
            false => grade(value.grade),
        };
        let case = Case::new(grade, statement(number)).with(followed(facts)).with(fault_address(facts));
        let case = case.but(container.then(|| {
            let offset = format!("{number:#x}");
            prose!(words::MAY_BE_CONTAINER, value = format_args!("{:#x}", value.value), offset = offset)
        }));
        let wrapped = facts.fault.best.is_some_and(|address| address < 0x1000);
        return Some(finish(case.with(wrapped.then(|| prose!(say::WRAPPED_AROUND)))));
    }
    match facts.region()? {
        Region::ErrorPointer => Some(finish(
            Case::new(Grade::Likely, prose!(verdict::ST_ERROR_POINTER_SOME)).with(fault_address(facts)),
        )),
        Region::Null | Region::NearNull => {
            let (register, number) = register_that_wraps(facts)?;
            Some(finish(
                Case::new(Grade::Possible, statement(number)).with(fault_address(facts)).with([prose!(
                    say::REGISTER_MAY_WRAP,
                    register = facts.name(register),
                    number = number
                )]),
            ))
        }
        _ => None,
    }
}

fn statement(number: u64) -> kwhy_base::Prose {
    match errno(number) {
        Some(error) => prose!(verdict::ST_ERROR_POINTER, error = error.name, number = number),
        None => prose!(verdict::ST_ERROR_POINTER_NUMBER, number = number),
    }
}

/// A register holding an error pointer that a small offset takes around to the fault address.
pub fn register_that_wraps(facts: &Facts<'_>) -> Option<(Reg, u64)> {
    let fault = facts.fault.best.filter(|address| *address < 0x1000)?;
    facts.record.registers.0.keys().find_map(|register| {
        let value = facts.record.registers.known(*register)?;
        let number = error_pointer(value)?;
        (fault.wrapping_sub(value) < 0x1000).then_some((*register, number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, with_register};
    use kwhy_base::Arch;

    #[test]
    fn a_register_that_gives_the_address_is_likely_the_pointer() {
        // ERR_PTR(-EINVAL) + 0x14
        let record =
            with_register(access_fault(Arch::X86_64, 0xffff_ffff_ffff_fffe), "rdi", 0xffff_ffff_ffff_ffea);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
    }

    #[test]
    fn a_tiny_address_beside_an_error_pointer_is_possibly_one() {
        // ERR_PTR(-EINVAL) + 0x20 = 0xa
        let record = with_register(access_fault(Arch::Arm64, 0xa), "x0", 0xffff_ffff_ffff_ffea);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Possible));
    }

    #[test]
    fn null_without_any_error_pointer_is_not() {
        assert!(detected(&with_register(access_fault(Arch::Arm64, 8), "x0", 0), detect).is_none());
    }
}
