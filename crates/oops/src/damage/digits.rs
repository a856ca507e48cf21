//! Numbers with too few or too many digits, or with characters that are no digits.

use kwhy_base::catalogue::damage as say;
use kwhy_base::{Arch, Prose, RegValue, prose};

use super::damage;
use crate::fuzzy::mended_digit;
use crate::record::{CrashRecord, Damage, Grade, PrintedHex};
use crate::slip;
use crate::text::Line;

/// `digits` with every look-alike replaced; `None` where a character is like no digit.
fn mended(digits: &str) -> Option<String> {
    digits.chars().map(mended_digit).collect()
}

/// Why `digits` cannot be a number of `expected` digits, and what it likely is.
fn wrong(digits: &str, expected: usize, others: &[u64]) -> Option<(Prose, Option<String>)> {
    if let Some(character) = digits.chars().find(|c| mended_digit(*c) != Some(*c)) {
        let whole = |m: String| if m.len() == expected { Some(m) } else { counted(&m, expected, others) };
        let likely = mended(digits).and_then(whole);
        let reason = match mended_digit(character).filter(|_| likely.is_some()) {
            Some(meant) if character.is_ascii_hexdigit() => {
                prose!(say::DIGITS_UPPER, character = character, meant = meant)
            }
            Some(meant) => prose!(say::DIGITS_FOREIGN_LIKELY, character = character, meant = meant),
            None if character.is_ascii_hexdigit() => {
                prose!(say::DIGITS_COUNT, count = digits.len(), expected = expected)
            }
            None => prose!(say::DIGITS_FOREIGN, character = character),
        };
        return Some((reason, likely));
    }
    (digits.len() != expected).then(|| {
        let likely = counted(digits, expected, others);
        let reason = match likely {
            Some(_) => prose!(say::DIGITS_COUNT_LIKELY, count = digits.len(), expected = expected),
            None => prose!(say::DIGITS_COUNT, count = digits.len(), expected = expected),
        };
        (reason, likely)
    })
}

/// `digits`, of which one is too many or missing, with the right number of them.
///
/// Of a number that begins with a run of zeros (or ones) the slip was rather within the run. Otherwise it
/// is where the number then begins as another of the report does: pointers of one region share their
/// upper digits.
fn counted(digits: &str, expected: usize, others: &[u64]) -> Option<String> {
    const RUN: usize = 5;
    const SHARED: usize = 8;
    let chars: Vec<char> = digits.chars().collect();
    if !matches!(expected, 8 | 16) || chars.len().abs_diff(expected) != 1 {
        return None;
    }
    let lead = *chars.first()?;
    let run = chars.iter().take_while(|c| **c == lead).count();
    let long = chars.len() > expected;
    if matches!(lead, '0' | 'f') && run >= RUN {
        return if long { digits.get(1..).map(str::to_owned) } else { Some(format!("{lead}{digits}")) };
    }
    // Of eight digits too few are left to tell which pointer's beginning is meant.
    if expected != 16 {
        return None;
    }
    let mut candidates: Vec<String> = Vec::new();
    for at in 0..=chars.len() {
        if long {
            // Only a digit written twice: any other one too many could be anywhere.
            if at + 1 < chars.len() && chars.get(at) == chars.get(at + 1) {
                let mut other = chars.clone();
                other.remove(at);
                candidates.push(other.into_iter().collect());
            }
            continue;
        }
        for digit in "0123456789abcdef".chars() {
            let mut other = chars.clone();
            other.insert(at, digit);
            candidates.push(other.into_iter().collect());
        }
    }
    candidates.sort_unstable();
    candidates.dedup();
    let others: Vec<String> = others.iter().map(|value| format!("{value:016x}")).collect();
    let shared = |candidate: &str| {
        let same = |other: &String| candidate.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
        others.iter().map(same).max().unwrap_or(0)
    };
    let mut scored: Vec<(usize, String)> = candidates.into_iter().map(|c| (shared(&c), c)).collect();
    scored.sort_by(|a, b| b.cmp(a));
    match scored.as_slice() {
        [(best, one), (second, _), ..] if *best > *second && (*best >= SHARED || long && *best >= 4) => {
            Some(one.clone())
        }
        [(best, one)] if *best >= 4 => Some(one.clone()),
        _ => None,
    }
}

/// Every number of the report that is whole and could be a pointer.
fn pointers(record: &CrashRecord) -> Vec<u64> {
    let registers = record.registers.0.keys().filter_map(|reg| record.registers.known(*reg));
    let address = record.fault_address.as_ref().and_then(|address| address.value.value);
    registers.chain(address).filter(|value| *value >> 32 != 0).collect()
}

/// How many digits a register of `arch` has that was printed as `digits`: of two widths the nearer.
fn register_width(arch: Arch, digits: &str) -> usize {
    let widths = kwhy_arch::register_digits(arch).iter().copied();
    widths.min_by_key(|width| width.abs_diff(digits.len())).unwrap_or(16)
}

/// How many digits the kernel prints the control register `name` with; `None` where that varies.
fn control_width(arch: Arch, name: &str) -> Option<usize> {
    match arch {
        _ if name == "PKRU" => Some(8),
        Arch::Arm64 | Arch::X86_64 => Some(16),
        // `__show_regs` of arch/x86/kernel/process_32.c: `%08lx`, CR3 with PAE too.
        Arch::I386 if name.starts_with("CR") || name.starts_with("DR") => Some(8),
        _ => None,
    }
}

/// Where the processor's state is printed with eight digits, and what it is called.
fn flags_name(arch: Arch) -> Option<&'static str> {
    match arch {
        Arch::Arm64 => Some("pstate"),
        Arch::X86_64 | Arch::I386 | Arch::Arm => kwhy_arch::cpu(arch).map(|cpu| cpu.flags),
        _ => None,
    }
}

/// General and control registers, flags.
pub(super) fn registers(record: &CrashRecord, _: &[&Line<'_>]) -> Vec<Damage> {
    let Some(arch) = record.arch else { return Vec::new() };
    let mut found = Vec::new();
    let others = pointers(record);
    let mut check = |line: u32, name: &str, digits: &str, expected: usize| {
        if let Some((reason, likely)) = wrong(digits, expected, &others) {
            let grade = if likely.is_some() { Grade::Likely } else { Grade::Proved };
            found.push(damage(line, name, digits, likely, grade, reason));
        }
    };
    let cpu = kwhy_arch::cpu(arch);
    for (reg, value) in &record.registers.0 {
        if let RegValue::Damaged { printed, line, .. } = value {
            let name = cpu.and_then(|cpu| cpu.name(*reg)).unwrap_or("register");
            check(*line, name, printed, register_width(arch, printed));
        }
    }
    for (name, value) in &record.control_registers {
        if let Some(expected) = control_width(arch, name) {
            check(value.line, name, &value.value.digits, expected);
        }
    }
    if let (Some((value, _)), Some(name)) = (&record.flags, flags_name(arch)) {
        check(value.line, name, &value.value.digits, 8);
    }
    if let Some(esr) = record.esr.as_ref().filter(|_| arch == Arch::Arm64)
        && !matches!(esr.value.digits.len(), 8 | 16)
    {
        check(esr.line, "ESR", &esr.value.digits, 16);
    }
    found
}

/// Whether `%016lx` or (in older kernels) `%08lx` prints these digits.
fn printable(digits: &str) -> bool {
    digits.len() == 16
        || digits.len() == 8
        || digits.len() > 8 && digits.len() < 16 && !digits.starts_with('0')
}

/// The fault address, and its repetition in brackets below it.
pub(super) fn addresses(record: &CrashRecord, lines: &[&Line<'_>]) -> Vec<Damage> {
    let mut found = Vec::new();
    let Some(fault) = &record.fault_address else { return found };
    // With `0x` in front the kernel pads nothing; such an address may have any number of digits.
    let prefixed = format!("0x{}", fault.value.digits);
    let bare = !lines.iter().any(|line| line.number == fault.line && line.text.contains(&prefixed));
    let wide = matches!(record.arch, Some(Arch::Arm64 | Arch::X86_64));
    let others = pointers(record);
    let check = |name: &str, line: u32, value: &PrintedHex, found: &mut Vec<Damage>| {
        let lower = !value.digits.bytes().any(|b| b.is_ascii_uppercase());
        if !wide || !bare || printable(&value.digits) && value.value.is_some() && lower {
            return false;
        }
        let Some((reason, likely)) = wrong(&value.digits, 16, &others) else { return false };
        // That it is wrong is certain; what it is instead is not.
        let grade = if likely.is_some() { Grade::Likely } else { Grade::Proved };
        found.push(damage(line, name, &value.digits, likely, grade, reason));
        true
    };
    let header_wrong = check("fault address", fault.line, &fault.value, &mut found);
    let Some((again, _)) = &record.fault_address_note else { return found };
    if again.value.digits == fault.value.digits {
        return found;
    }
    let printed = format!("[{}]", again.value.digits);
    let other = &fault.value.digits;
    if !header_wrong && wide && fault.value.value.is_some() {
        let lost_zero = again.value.value == fault.value.value;
        let near = fault.value.value.and_then(|value| slip::near_miss(&again.value.digits, value));
        let reason = match near {
            _ if lost_zero => {
                prose!(say::ADDRESS_REPEATED, other = other, slip = prose!(say::ADDRESS_LEADING_ZERO))
            }
            Some(near) => prose!(say::ADDRESS_REPEATED, other = other, slip = near.prose),
            None => prose!(say::ADDRESS_REPEATED_DIFFERS, other = other),
        };
        let grade = if lost_zero { Grade::Proved } else { Grade::Possible };
        found.push(damage(again.line, "fault address", &printed, Some(other.clone()), grade, reason));
    } else if header_wrong
        && again.value.value.is_some()
        && again.value.digits.len() == 16
        && !again.value.digits.bytes().any(|b| b.is_ascii_uppercase())
    {
        // The repetition is whole: it gives the header's address.
        if let Some(first) = found.first_mut() {
            first.likely = Some(again.value.digits.clone());
            first.grade = Grade::Likely;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ARM64, X86, after, one};
    use super::*;

    #[test]
    fn fifteen_digits() {
        let found = one(ARM64, "x26: ffffa051c2a92058", "x26: ffffa051c2a9058");
        assert_eq!(
            (found.field.as_str(), found.printed.as_str(), found.likely),
            ("x26", "ffffa051c2a9058", Some("ffffa051c2a92058".to_owned()))
        );
        assert_eq!(found.grade, Grade::Likely);
        assert_eq!(one(X86, "R12: 000000000c3fe980", "R12: 000000000c3fe9800").field, "r12");
        assert_eq!(one(X86, "EFLAGS: 00000202", "EFLAGS: 0000202").field, "EFLAGS");
    }

    #[test]
    fn letters_that_are_no_digits() {
        let found = one(ARM64, "x26: ffffa051c2a92058", "x26: ffffaO51c2a92O58");
        assert_eq!((found.likely.as_deref(), found.grade), (Some("ffffa051c2a92058"), Grade::Likely));
        let found = one(X86, "RBX: 0000000000000005", "RBX: 000000000000000S");
        assert_eq!(found.likely.as_deref(), Some("0000000000000005"));
    }

    #[test]
    fn the_address_in_brackets() {
        let found = one(ARM64, "[000aaabbbbccccdd]", "[00aaabbbbccccdd]");
        assert_eq!((found.field.as_str(), found.printed.as_str()), ("fault address", "[00aaabbbbccccdd]"));
        assert_eq!((found.likely.as_deref(), found.grade), (Some("000aaabbbbccccdd"), Grade::Proved));
        let found = one(ARM64, "[000aaabbbbccccdd]", "[000aaabbbbcccdcd]");
        assert_eq!(found.grade, Grade::Possible);
        let found = one(ARM64, "virtual address 000aaabbbbccccdd", "virtual address 000aaabbbccccdd");
        assert_eq!((found.likely.as_deref(), found.grade), (Some("000aaabbbbccccdd"), Grade::Likely));
    }

    #[test]
    fn old_kernels_print_short_addresses() {
        let log = ARM64.replace("000aaabbbbccccdd", "00000018");
        assert!(after(&log, "SMP", "SMP").is_empty());
    }
}
