//! `detected buffer overflow in memcpy`, `usercopy: Kernel memory overwrite attempt`, `Redzone
//! overwritten`: more was written (or copied) than the buffer holds.

use super::{Case, SLUB_DEBUG, followed, quoted};
use crate::bounds;
use crate::context::Facts;
use crate::expression::Expressed;
use kwhy_arch::{Region, ValueKind, classify_address};
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
    if let Some(value) = facts.followed.as_ref().filter(|_| facts.is_access_fault())
        && text_over_half(facts, value.value)
    {
        return Some(
            Case::new(Grade::Likely, prose!(verdict::ST_BUFFER_OVERRUN))
                .with(followed(facts))
                .with([prose!(
                    say::TEXT_OVER_PART,
                    value = format_args!("{:#x}", value.value),
                    text = text_of(value.value)
                )])
                .check(prose!(verdict::WHY_KASAN), SLUB_DEBUG),
        );
    }
    (facts.is(Family::Usercopy))
        .then(|| Case::new(Grade::Proved, prose!(verdict::ST_BUFFER_OVERRUN)).with([super::header(facts)]))
}

/// The pointer that was followed is text, wholly or in its lower bytes, and by the image's types
/// it stands directly behind an array of characters.
pub fn by_code(facts: &Facts<'_>, expressed: &Expressed) -> Option<Case> {
    let before = expressed.text_before.as_ref()?;
    let value = expressed.value?;
    if !is_text_over_pointer(facts, value) {
        return None;
    }
    let text = text_of(value);
    Some(
        Case::new(
            Grade::Likely,
            prose!(
                verdict::ST_BUFFER_OVERRUN_OF,
                array = &before.array,
                record = &before.record,
                pointer = &before.pointer
            ),
        )
        .with([
            prose!(say::POINTER_HOLDS_TEXT, value = format_args!("{value:#x}"), text = text),
            prose!(
                say::ARRAY_BEFORE_POINTER,
                record = &before.record,
                array = &before.array,
                length = before.length,
                pointer = &before.pointer
            ),
        ])
        .check(prose!(verdict::WHY_KASAN), SLUB_DEBUG),
    )
}

/// The text that a value begins with, in the order of memory.
fn text_of(value: u64) -> String {
    value.to_le_bytes().iter().take(bounds::text_bytes(value)).map(|byte| char::from(*byte)).collect()
}

/// Text in the lower bytes, and above it what is left of a kernel pointer: what wrote it came
/// from below, byte after byte, and ended inside the pointer. Four letters alone may be chance; with
/// the zero of a string's end, or five, they hardly are.
fn text_over_half(facts: &Facts<'_>, value: u64) -> bool {
    let bytes = value.to_le_bytes();
    let length = bounds::text_bytes(value);
    let ended = length == 4 && bytes.get(4) == Some(&0);
    (ended || (5..=7).contains(&length))
        && bytes.last() == Some(&0xff)
        && facts.class().is_some_and(|class| class.kind != ValueKind::ErrorPointer)
}

/// Text in the lower bytes, from the first on, and above it nothing (the string's end) or what is
/// left of the kernel pointer that stood there.
pub fn is_text_over_pointer(facts: &Facts<'_>, value: u64) -> bool {
    let Some(arch) = facts.arch() else { return false };
    let length = bounds::text_bytes(value);
    let above = value.checked_shr(u32::try_from(length.saturating_mul(8)).unwrap_or(64)).unwrap_or(0);
    match length {
        8 => true,
        // A terminating NUL, and the upper bytes of what was there.
        4..=7 => {
            let region = classify_address(arch, value, &facts.space).region;
            let kernel =
                !matches!(region, Region::Null | Region::NearNull | Region::User | Region::NonCanonical);
            above & 0xff == 0 || kernel
        }
        _ => false,
    }
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

    fn behind_a_name(value: u64) -> Expressed {
        Expressed {
            value: Some(value),
            text_before: Some(bounds::TextBefore {
                record: "struct tag".into(),
                array: "name".into(),
                length: 12,
                offset: 4,
                pointer: "sink".into(),
            }),
            ..Expressed::default()
        }
    }

    #[test]
    fn text_in_a_pointer_behind_an_array_of_characters_is_likely_its_overrun() {
        let record = access_fault(Arch::X86_64, 0xffff_ff58_6563_697e);
        let images = crate::images::Images::check(&[], &record);
        let facts = Facts::new(std::slice::from_ref(&record), 0, &images).unwrap();
        let case = by_code(&facts, &behind_a_name(0xffff_ff58_6563_6976));
        assert_eq!(case.map(|case| case.grade()), Some(Grade::Likely));
        // A pointer like any other, and one of which no more than three bytes happen to be letters.
        assert!(by_code(&facts, &behind_a_name(0xffff_8880_0123_4500)).is_none());
        assert!(by_code(&facts, &behind_a_name(0xffff_8880_0141_4243)).is_none());
        assert!(
            by_code(&facts, &Expressed { text_before: None, ..behind_a_name(0x4142_4344_4546_4748) })
                .is_none()
        );
    }

    #[test]
    fn text_over_a_part_of_a_kernel_pointer_is_likely_an_overrun_without_any_types() {
        let with = |value: u64| {
            let record = crate::testing::with_register(access_fault(Arch::X86_64, value), "rdi", value);
            // mov (%rdi),%eax
            detected(&crate::testing::x86_code(record, &[0x8b, 0x07]), detect).map(|case| case.grade())
        };
        assert_eq!(with(0xffff_ff58_6563_6976), Some(Grade::Likely));
        assert_eq!(with(0xffff_ff00_6563_6976), Some(Grade::Likely), "the string's end");
        assert_eq!(with(0xffff_8880_6563_6976), None, "four letters are chance");
        assert_eq!(with(0xffff_8880_0123_4500), None);
    }

    #[test]
    fn a_null_pointer_is_no_overrun() {
        assert!(detected(&access_fault(Arch::X86_64, 0x24), detect).is_none());
    }
}
