//! Machine checks, SErrors, uncorrected memory errors; and software crashes whose evidence is
//! one flipped bit.

use super::{Case, followed, header, quoted};
use crate::context::Facts;
use kwhy_arch::ValueKind;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

const MEMTEST: &str =
    "memtester 75% 3; rasdaemon --record; ras-mc-ctl --errors; dmidecode -t memory   # or boot memtest86+";

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let said = [
        "Machine check",
        "mce: [Hardware Error]",
        "Hardware Error",
        "SError",
        "Uncorrected error",
        "external abort",
    ]
    .iter()
    .find_map(|words| facts.says(words));
    // The bus refuses an access to where no device answers just as one that went wrong.
    if let Some(refused) = said.filter(|(_, text)| refused_by_the_bus(text)) {
        return Some(
            Case::new(Grade::Possible, prose!(verdict::ST_HARDWARE))
                .with([quoted(refused)])
                .but([prose!(say::NO_DEVICE_ANSWERS)])
                .check(prose!(verdict::WHY_MEMTEST), MEMTEST),
        );
    }
    if let Some(said) = said {
        let grade = if facts.is(Family::Hardware) { Grade::Proved } else { Grade::Likely };
        return Some(
            Case::new(grade, prose!(verdict::ST_HARDWARE))
                .with([quoted(said)])
                .check(prose!(verdict::WHY_MEMTEST), MEMTEST),
        );
    }
    if facts.is(Family::Hardware) {
        return Some(
            Case::new(Grade::Likely, prose!(verdict::ST_HARDWARE))
                .with([header(facts)])
                .check(prose!(verdict::WHY_MEMTEST), MEMTEST),
        );
    }
    if !facts.is_access_fault() {
        return None;
    }
    // A pointer one bit away from a good one: a memory error, or a stray bit operation.
    let value = facts.followed.as_ref()?;
    // What is explained by what it is (an error pointer, a poison, NULL) needs no flipped bit.
    let odd = matches!(
        value.class.kind,
        ValueKind::BitFlip
            | ValueKind::Integer
            | ValueKind::TaggedPointer
            | ValueKind::KernelPointer
            | ValueKind::UserPointer
    );
    if !odd {
        return None;
    }
    let flips = kwhy_arch::bit_flips(facts.arch()?, value.value, &facts.space);
    let flip = flips.first().filter(|flip| flip.bits.len() == 1)?;
    // Two good pointers into the linear map may well differ by such a bit.
    if value.class.kind == ValueKind::KernelPointer && flip.bits.iter().any(|bit| *bit < WITHIN_MEMORY) {
        return None;
    }
    Some(
        Case::new(Grade::Possible, prose!(verdict::ST_BIT_FLIP))
            .with(followed(facts))
            .with(flip.bits.first().map(|bit| {
                prose!(
                    say::ONE_BIT_AWAY,
                    corrected = format_args!("{:#x}", flip.corrected),
                    bit = *bit,
                    near = format_args!("{:#x}", flip.near)
                )
            }))
            .but([prose!(say::SOFTWARE_CLEARS_BITS)])
            .check(prose!(verdict::WHY_MEMTEST), MEMTEST),
    )
}

/// `synchronous external abort`, `asynchronous external abort`, Arm's `external abort on
/// non-linefetch`: words of the fault status, not of an error that was counted or corrected.
fn refused_by_the_bus(text: &str) -> bool {
    text.contains("external abort")
}

/// Bits below this tell places within one machine's memory apart: 64 GiB of it.
const WITHIN_MEMORY: u8 = 36;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, headed, with_register};
    use kwhy_base::Arch;

    #[test]
    fn the_hardwares_own_words_are_believed() {
        let record =
            headed(Family::Hardware, "mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 7");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn what_the_bus_refused_may_be_no_device() {
        let header = "Internal error: synchronous external abort: 96000010 [#1] PREEMPT SMP";
        let case = detected(&headed(Family::Hardware, header), detect);
        assert_eq!(case.map(|case| case.grade()), Some(Grade::Possible));
    }

    #[test]
    fn another_place_of_the_linear_map_is_no_flipped_bit() {
        let near =
            with_register(access_fault(Arch::X86_64, 0xffff_8880_8123_4000), "rdi", 0xffff_8880_8123_4000);
        let record = with_register(near, "rsp", 0xffff_8880_0123_4000);
        assert!(detected(&record, detect).is_none());
    }

    #[test]
    fn a_null_pointer_is_no_hardware() {
        assert!(detected(&access_fault(Arch::X86_64, 0x24), detect).is_none());
    }
}
