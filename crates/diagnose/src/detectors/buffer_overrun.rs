//! `detected buffer overflow in memcpy`, `usercopy: Kernel memory overwrite attempt`, `Redzone
//! overwritten`: more was written (or copied) than the buffer holds.

use super::{Case, SLUB_DEBUG, followed, quoted};
use crate::context::Facts;
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let said = ["detected buffer overflow", "Redzone overwritten", "usercopy: Kernel memory", "usercopy:"]
        .iter()
        .find_map(|words| facts.says(words));
    if let Some(said) = said {
        let grade = if said.1.contains("Redzone") { Grade::Likely } else { Grade::Proved };
        return Some(
            Case::new(grade, prose!(verdict::ST_BUFFER_OVERRUN))
                .with([quoted(said)])
                .check(prose!(verdict::WHY_KASAN), SLUB_DEBUG),
        );
    }
    // A pointer that is text: a string may have run into it.
    if facts.is_access_fault() && facts.class().is_some_and(|class| class.kind == ValueKind::AsciiText) {
        return Some(
            Case::new(Grade::Possible, prose!(verdict::ST_BUFFER_OVERRUN))
                .with(followed(facts))
                .with([prose!(say::TEXT_OVER_POINTER)])
                .check(prose!(verdict::WHY_KASAN), SLUB_DEBUG),
        );
    }
    (facts.is(Family::Usercopy))
        .then(|| Case::new(Grade::Proved, prose!(verdict::ST_BUFFER_OVERRUN)).with([super::header(facts)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, headed};
    use kwhy_base::Arch;

    #[test]
    fn fortify_and_usercopy_are_believed() {
        for (family, header) in [
            (Family::Bug, "detected buffer overflow in memcpy"),
            (
                Family::Usercopy,
                "usercopy: Kernel memory overwrite attempt detected to SLUB object 'kmalloc-8'",
            ),
        ] {
            assert_eq!(
                detected(&headed(family, header), detect).map(|c| c.grade()),
                Some(Grade::Proved),
                "{header}"
            );
        }
    }

    #[test]
    fn a_null_pointer_is_no_overrun() {
        assert!(detected(&access_fault(Arch::X86_64, 0x24), detect).is_none());
    }
}
