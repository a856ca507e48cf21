//! Stack pointers that are no such thing.

use kwhy_base::catalogue::damage as say;
use kwhy_base::{Arch, RegValue, prose};

use super::damage;
use crate::record::{CrashRecord, Damage, Family, Grade};
use crate::text::Line;

/// The stack pointer is 16-byte aligned on ARM64 (the hardware checks it on use, SCTLR_EL1.SA) and
/// 8-byte aligned on x86-64.
pub(super) fn pointer(record: &CrashRecord, _: &[&Line<'_>]) -> Vec<Damage> {
    let Some(arch @ (Arch::Arm64 | Arch::X86_64)) = record.arch else { return Vec::new() };
    // Where the stack itself is what broke, nothing follows from its pointer.
    if matches!(record.family, Some(Family::Stack | Family::DoubleFault)) {
        return Vec::new();
    }
    let Some(cpu) = kwhy_arch::cpu(arch) else { return Vec::new() };
    let alignment = if arch == Arch::Arm64 { 16 } else { 8 };
    match record.registers.0.get(&cpu.sp) {
        Some(RegValue::Known { value, line }) if value % alignment != 0 => {
            let reason = prose!(say::STACK_POINTER, alignment = alignment);
            let name = cpu.name(cpu.sp).unwrap_or("sp");
            vec![damage(*line, name, &format!("{value:016x}"), None, Grade::Possible, reason)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ARM64, X86, one};

    #[test]
    fn unaligned_stack_pointers() {
        assert_eq!(one(ARM64, "sp : ffff80000859b960", "sp : ffff80000859b968").field, "sp");
        assert_eq!(one(X86, "RSP: 0018:ffffc900005b3d98", "RSP: 0018:ffffc900005b3d99").field, "rsp");
    }
}
