//! The fault syndrome against the fields that the same kernel printed from it.

use kwhy_base::catalogue::damage as say;
use kwhy_base::{Arch, prose};

use super::damage;
use crate::fields::values::hex_value;
use crate::record::{CrashRecord, Damage, Grade, PrintedHex};
use crate::text::Line;
use crate::words::Words;

/// Where each printed field lies in ESR_EL1 (Arm ARM D24.2.40): (name, lowest bit, bits).
const FIELDS: &[(&str, u32, u32)] = &[
    ("EC", 26, 6),
    ("IL", 25, 1),
    ("ISS", 0, 25),
    ("ISV", 24, 1),
    ("SET", 11, 2),
    ("FnV", 10, 1),
    ("EA", 9, 1),
    ("CM", 8, 1),
    ("S1PTW", 7, 1),
    ("WnR", 6, 1),
    ("FSC", 0, 6),
];

/// What the printed fields say of the register: bits known, their values, the fields in words.
fn from_fields(record: &CrashRecord) -> (u64, u64, String) {
    let (mut mask, mut value, mut words) = (0u64, 0u64, Vec::new());
    for field in &record.esr_fields {
        let (name, text) = &field.value;
        let Some((_, low, bits)) = FIELDS.iter().find(|(n, _, _)| n == name) else { continue };
        let word = text.split([':', ' ', ',']).next().unwrap_or_default();
        let number = match (name.as_str(), word) {
            ("IL", "32") => Some(1),
            ("IL", "16") => Some(0),
            _ if word.starts_with("0x") => hex_value(word),
            _ => word.parse().ok(),
        };
        let Some(number) = number else { continue };
        let ones = (1u64 << bits) - 1;
        if number > ones {
            continue;
        }
        mask |= ones << low;
        value = value & !(ones << low) | number << low;
        words.push(format!("{name} = {word}"));
    }
    (mask, value, words.join(", "))
}

/// ARM64: `ESR = …`, its fields, and `Internal error: Oops: …` all print one register.
pub(super) fn esr(record: &CrashRecord, _: &[&Line<'_>]) -> Vec<Damage> {
    if record.arch != Some(Arch::Arm64) {
        return Vec::new();
    }
    let Some(esr) = &record.esr else { return Vec::new() };
    let oops = record.oops_code.as_ref();
    let (mask, fields, words) = from_fields(record);
    let printed = format!("0x{}", esr.value.digits);
    // Above ISS2 all bits are reserved and read as zero: a digit there was misread.
    let fits = |value: Option<u64>| value.is_some_and(|v| v & mask == fields && v >> 37 == 0);
    let agrees = fits(esr.value.value);
    let oops_value = oops.and_then(|o| o.value.value);
    let same = oops.is_none() || esr.value.value.is_some() && esr.value.value == oops_value;
    if same && (agrees || mask == 0) {
        return Vec::new();
    }
    // `%08x` of 32 bits and `%016lx` print no other number of digits: such a one was misread.
    let esr_fits = agrees && matches!(esr.value.digits.len(), 8 | 16);
    // Bits that no field covers are only sure where both copies have them.
    let grade = |value: u64| {
        let both = esr.value.value.zip(oops_value).is_some_and(|(esr, oops)| (esr ^ oops) & !mask == 0);
        if both || value & !mask == 0 && mask & 0xffff_ffff == 0xffff_ffff {
            Grade::Proved
        } else {
            Grade::Likely
        }
    };
    // As many digits as the line printed, or the fewest that this kernel's `%08lx` prints.
    let width = if esr.value.digits.len() > 12 { 16 } else { 8 };
    let show = |value: u64| format!("0x{value:0width$x}");
    if !esr_fits && mask != 0 {
        if let Some(other) = oops_value.filter(|v| fits(Some(*v))) {
            let reason =
                prose!(say::ESR_FIELDS_AND_OOPS, fields = words, printed = &printed, other = show(other));
            return vec![damage(esr.line, "ESR", &printed, Some(show(other)), grade(other), reason)];
        }
        // Without a second whole copy the fields alone must cover all that can be set.
        if mask & 0xffff_ffff == 0xffff_ffff {
            let reason =
                prose!(say::ESR_FIELDS_ONLY, fields = words, printed = &printed, other = show(fields));
            return vec![damage(esr.line, "ESR", &printed, Some(show(fields)), Grade::Likely, reason)];
        }
        if agrees {
            return Vec::new();
        }
        let reason = prose!(say::ESR_FIELDS_DISAGREE, fields = words, printed = &printed);
        return vec![damage(esr.line, "ESR", &printed, None, Grade::Likely, reason)];
    }
    let Some(oops) = oops else { return Vec::new() };
    let code = &oops.value.digits;
    match esr.value.value {
        // The fields vouch for the ESR line.
        Some(value) if mask != 0 && esr_fits && !fits(oops.value.value) => {
            let likely = format!("{value:0width$x}", width = code.len());
            let reason = prose!(say::OOPS_CODE_DISAGREES, other = show(value), printed = code);
            vec![damage(oops.line, "error code", code, Some(likely), grade(value), reason)]
        }
        _ => {
            let reason = prose!(say::ESR_OOPS_DIFFER, printed = &printed, other = code);
            vec![damage(esr.line, "ESR", &printed, None, Grade::Possible, reason)]
        }
    }
}

/// Words of the first `#PF` line and the bit of the error code (SDM vol. 3, 4.7) they print.
const PF_WORDS: &[(&str, u64, u64)] = &[
    ("user ", 1 << 2, 1 << 2),
    ("supervisor ", 1 << 2, 0),
    ("write access", 1 << 1 | 1 << 4, 1 << 1),
    ("read access", 1 << 1 | 1 << 4, 0),
    ("instruction fetch", 1 << 4, 1 << 4),
];

/// x86: `#PF: error_code(0x0003)`, the words of the other `#PF` line, and `Oops: 0003`.
pub(super) fn page_fault(record: &CrashRecord, _: &[&Line<'_>]) -> Vec<Damage> {
    let Some(oops) = &record.oops_code else { return Vec::new() };
    let Some(code) = oops.value.value else { return Vec::new() };
    let mut found = Vec::new();
    let mut repeated = None;
    for line in &record.pf_lines {
        if let Some((_, rest)) = line.value.cut("error_code(0x") {
            let digits = rest.split(')').next().unwrap_or_default();
            repeated = PrintedHex::new(digits).value;
            if repeated != Some(code) {
                let reason =
                    prose!(say::PF_CODE_DIFFERS, other = format!("0x{digits}"), printed = &oops.value.digits);
                found.push(damage(oops.line, "error code", &oops.value.digits, None, Grade::Likely, reason));
            }
        }
    }
    for line in &record.pf_lines {
        let Some(words) = line.value.strip_prefix("#PF: ").filter(|w| w.contains(" in ")) else { continue };
        let access = words.split(" in ").next().unwrap_or(words);
        let value = repeated.unwrap_or(code);
        let wrong = PF_WORDS.iter().any(|(word, mask, expected)| {
            let said = if word.ends_with(' ') { access.starts_with(word) } else { access.ends_with(word) };
            said && value & mask != *expected
        });
        if wrong {
            let printed = format!("0x{value:04x}");
            let reason = prose!(say::PF_WORDS_DIFFER, words = access, printed = &printed);
            found.push(damage(line.line, "error code", &printed, None, Grade::Likely, reason));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ARM64, X86, after, one};
    use super::*;

    #[test]
    fn the_fields_and_the_oops_line_outvote_the_esr_line() {
        let found = one(ARM64, "ESR = 0x0000000096000004", "ESR = 0x00000004");
        assert_eq!((found.field.as_str(), found.printed.as_str()), ("ESR", "0x00000004"));
        assert_eq!((found.likely.as_deref(), found.grade), (Some("0x96000004"), Grade::Proved));
        assert_eq!(found.line, 3);
    }

    #[test]
    fn the_fields_and_the_esr_line_outvote_the_oops_line() {
        let found = one(ARM64, "Oops: 0000000096000004", "Oops: 0000000096000044");
        assert_eq!((found.field.as_str(), found.grade), ("error code", Grade::Proved));
        assert_eq!(found.likely.as_deref(), Some("0000000096000004"));
    }

    #[test]
    fn a_register_with_reserved_bits_vouches_for_nothing() {
        let log = ARM64.replace("Oops: 0000000096000004", "Oops: 96000O04");
        let found = after(&log, "ESR = 0x0000000096000004", "ESR = 0x0000d00096000004");
        let wrong = |d: &&Damage| d.likely.as_deref().is_some_and(|likely| likely.contains('d'));
        assert!(!found.iter().filter(wrong).any(|d| d.grade == Grade::Proved), "{found:?}");
    }

    #[test]
    fn a_register_of_nine_digits_vouches_for_nothing() {
        let log = ARM64.replace("Oops: 0000000096000004", "Oops: 4");
        let found = after(&log, "ESR = 0x0000000096000004", "ESR = 0xd96000004");
        let mend = found.iter().find(|d| d.likely.is_some()).unwrap();
        assert_eq!((mend.field.as_str(), mend.grade), ("ESR", Grade::Likely), "{found:?}");
        assert_eq!(mend.likely.as_deref(), Some("0x96000004"));
    }

    #[test]
    fn the_fields_alone_can_make_up_the_register() {
        let log = ARM64.replace("Internal error: Oops: 0000000096000004 [#1] SMP", "x");
        let found = one(&log, "ESR = 0x0000000096000004", "ESR = 0x0000000098000004");
        assert_eq!((found.likely.as_deref(), found.grade), (Some("0x0000000096000004"), Grade::Likely));
    }

    #[test]
    fn x86_error_codes() {
        assert_eq!(one(X86, "Oops: 0003", "Oops: 0002").field, "error code");
        assert_eq!(one(X86, "supervisor write access", "supervisor read access").line, 2);
        assert!(after(X86, "0003", "0003").is_empty());
    }
}
