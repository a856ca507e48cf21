//! What the kernel always prints and the log does not have.

use kwhy_base::catalogue::damage as say;
use kwhy_base::{Arch, Reg, prose};

use super::damage;
use crate::record::{CrashRecord, Damage, Grade};
use crate::text::Line;

/// Whether the report was printed to its end, so that what is missing was lost and not cut off.
fn whole(record: &CrashRecord, lines: &[&Line<'_>]) -> bool {
    record.oops_count.is_some()
        && lines.iter().any(|line| line.text.trim_start().starts_with("---[ end trace"))
}

/// General registers of a dump of which others are there.
pub(super) fn registers(record: &CrashRecord, lines: &[&Line<'_>]) -> Vec<Damage> {
    let Some(arch) = record.arch else { return Vec::new() };
    let Some(cpu) = kwhy_arch::cpu(arch) else { return Vec::new() };
    if record.registers.is_empty() || !whole(record, lines) {
        return Vec::new();
    }
    // x30 is printed as `lr :`, the program counter on its own line, the bases with the segments.
    // The CPUs that are not named print fewer registers in some reports and kernels.
    let expected = |reg: Reg| match arch {
        Arch::Arm64 => reg.0 < 30 || reg == cpu.sp,
        Arch::X86_64 => reg.0 < 16,
        Arch::I386 => reg.0 < 8,
        Arch::Arm => reg.0 < 14,
        Arch::Riscv64 | Arch::Riscv32 => (1..32).contains(&reg.0),
        _ => false,
    };
    let missing = cpu
        .registers
        .iter()
        .filter(|(_, reg)| expected(*reg) && !record.registers.0.contains_key(reg))
        .map(|(name, _)| *name)
        .collect::<Vec<_>>();
    if missing.is_empty() {
        return Vec::new();
    }
    let last = record.registers.0.values().map(|value| match value {
        kwhy_base::RegValue::Known { line, .. } | kwhy_base::RegValue::Damaged { line, .. } => *line,
    });
    let line = last.max().unwrap_or(record.first_line);
    let reason = prose!(say::REGISTERS_MISSING);
    vec![damage(line, &ranges(&missing), "", None, Grade::Proved, reason)]
}

/// `x0-x19` for twenty names in a row.
fn ranges(names: &[&str]) -> String {
    let number = |name: &str| name.get(1..).and_then(|n| n.parse::<u32>().ok());
    let mut parts: Vec<(String, String)> = Vec::new();
    for name in names {
        match parts.last_mut() {
            Some((_, last)) if number(last).is_some() && number(last).map(|n| n + 1) == number(name) => {
                *last = (*name).to_owned();
            }
            _ => parts.push(((*name).to_owned(), (*name).to_owned())),
        }
    }
    let show = |(first, last): &(String, String)| {
        if first == last { first.clone() } else { format!("{first}-{last}") }
    };
    parts.iter().map(show).collect::<Vec<_>>().join(", ")
}

/// The `Code:` line of an oops.
pub(super) fn code(record: &CrashRecord, lines: &[&Line<'_>]) -> Vec<Damage> {
    let wide = matches!(record.arch, Some(Arch::Arm64 | Arch::X86_64));
    if !wide
        || record.code.is_some()
        || record.code_note.is_some()
        || record.pc.is_none()
        || !whole(record, lines)
    {
        return Vec::new();
    }
    // A line that is there in some form is not missing.
    if lines.iter().any(|line| line.text.trim_start().starts_with("Code:")) {
        return Vec::new();
    }
    let line = record.frames.last().map_or(record.last_line, |frame| frame.line);
    vec![damage(line, "Code", "", None, Grade::Proved, prose!(say::CODE_MISSING))]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ARM64, X86, after, record};
    use super::*;

    fn without(log: &str, part: &str) -> Vec<Damage> {
        let kept = log
            .lines()
            .filter(|line| !line.contains(part))
            .map(|line| format!("{line}\n"))
            .collect::<String>();
        record(&kept).damage
    }

    #[test]
    fn missing_lines_are_named() {
        let found = without(ARM64, "x17:");
        assert_eq!(found.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["x15-x17"]);
        let found = without(X86, "R10:");
        assert_eq!(found.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["r10-r12"]);
        let found = without(ARM64, "Code:");
        assert_eq!(found.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["Code"]);
    }

    #[test]
    fn a_log_that_ends_early_has_lost_nothing() {
        let (head, _) = ARM64.split_once("x20:").unwrap();
        assert!(record(head).damage.is_empty());
        assert!(
            after(ARM64, "Code: 540005e0 f94016a0 aa1a03e2 aa1703e1 (f9406400)", "Code: bad PC value")
                .is_empty()
        );
    }
}
