//! Machine checks, SErrors, uncorrected memory errors; and software crashes whose evidence is
//! one flipped bit.

use super::{Case, followed, header, quoted};
use crate::checks::MEMTEST;
use crate::context::Facts;
use kwhy_arch::{BitFlip, ValueKind};
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::{Prose, prose};
use kwhy_oops::Family;
use kwhy_report::model::Grade;

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
    if let Some(flip) = facts.code_flip {
        let differs = prose!(
            say::CODE_ONE_BIT,
            line = flip.line,
            printed = format!("{:#04x}", flip.printed),
            image = format!("{:#04x}", flip.image),
            same = flip.same
        );
        return Some(
            Case::new(Grade::Likely, prose!(verdict::ST_CODE_FLIP))
                .with([differs, prose!(say::CODE_IS_READ_ONLY)])
                .with(reported(facts))
                .but([prose!(say::CODE_MAY_BE_PATCHED)])
                .check(prose!(verdict::WHY_MEMTEST), MEMTEST),
        );
    }
    let flip = flipped_pointer(facts)?;
    let reported = reported(facts);
    let mut case = Case::new(
        // What the hardware itself complains of makes it the likelier culprit.
        if reported.is_some() { Grade::Likely } else { Grade::Possible },
        prose!(verdict::ST_BIT_FLIP),
    )
    .with(followed(facts))
    .with(one_bit_away(&flip))
    .but([prose!(say::SOFTWARE_CLEARS_BITS)])
    .check(prose!(verdict::WHY_MEMTEST), MEMTEST);
    case = match reported {
        Some(reported) => case.with([reported]),
        None => case.but([prose!(say::NO_HARDWARE_REPORT)]),
    };
    Some(case)
}

/// The good pointer that the followed value is one bit away from, where that bit cannot be a
/// difference between two good ones.
pub(super) fn flipped_pointer(facts: &Facts<'_>) -> Option<BitFlip> {
    if !facts.is_access_fault() {
        return None;
    }
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
    let flip = flips.into_iter().next().filter(|flip| flip.bits.len() == 1)?;
    // Two good pointers into the linear map may well differ by such a bit.
    let within = flip.bits.iter().any(|bit| *bit < WITHIN_MEMORY);
    (value.class.kind != ValueKind::KernelPointer || !within).then_some(flip)
}

/// Which bit it is, as evidence.
pub(super) fn one_bit_away(flip: &BitFlip) -> Option<Prose> {
    let bit = flip.bits.first()?;
    Some(prose!(
        say::ONE_BIT_AWAY,
        corrected = format_args!("{:#x}", flip.corrected),
        bit = *bit,
        near = format_args!("{:#x}", flip.near)
    ))
}

/// What the hardware reported elsewhere in the log: machine checks, memory controllers' and
/// firmware's errors.
pub(super) fn reported(facts: &Facts<'_>) -> Option<Prose> {
    let speaks = |record: &&kwhy_oops::CrashRecord| {
        record.family == Some(Family::Hardware)
            || !record.details.machine_checks.is_empty()
            || !record.details.edac.is_empty()
            || record.details.ghes.is_some()
    };
    let record = facts.log.iter().find(speaks)?;
    Some(prose!(say::HARDWARE_NEAR_BY, line = record.first_line, text = record.header.as_str()))
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

    /// A pointer of the linear map with bit 44 flipped, and good ones beside it.
    fn flipped() -> kwhy_oops::CrashRecord {
        let bad = 0xffff_9880_0454_5de8;
        let record = with_register(access_fault(Arch::X86_64, bad + 4), "rdi", bad);
        let record = with_register(record, "rsp", 0xffff_c900_0001_3c08);
        let record = with_register(record, "gs.base", 0xffff_8880_1f20_0000);
        // mov 0x4(%rdi),%eax
        crate::testing::x86_code(record, &[0x8b, 0x47, 0x04])
    }

    #[test]
    fn one_flipped_bit_alone_may_be_hardware_and_with_its_own_report_is_likely() {
        let case = detected(&flipped(), detect);
        assert_eq!(case.map(|case| case.grade()), Some(Grade::Possible));
        let mce = headed(Family::Hardware, "mce: [Hardware Error]: Machine check events logged");
        let case = crate::testing::detected_in(&[mce, flipped()], 1, detect);
        assert_eq!(case.map(|case| case.grade()), Some(Grade::Likely));
        let before = crate::detectors::memory_corruption::detect;
        assert_eq!(detected(&flipped(), before).map(|case| case.grade()), Some(Grade::Likely));
    }

    #[test]
    fn a_null_pointer_is_no_hardware() {
        assert!(detected(&access_fault(Arch::X86_64, 0x24), detect).is_none());
    }
}
