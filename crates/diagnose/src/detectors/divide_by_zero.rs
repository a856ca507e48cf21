//! `divide error: 0000`: an x86 division by zero, or one whose quotient does not fit.

use super::{Case, disasm, header, quoted};
use crate::context::Facts;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::{Arch, Reg, prose};
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let finish = |case: Case| match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_DISASM), command),
        None => case,
    };
    if facts.is(Family::Ubsan) {
        let said = facts.says("division-overflow").or_else(|| facts.says("division by zero"))?;
        return Some(finish(Case::new(Grade::Proved, prose!(verdict::ST_DIVIDE)).with([quoted(said)])));
    }
    if !facts.is(Family::DivideError) {
        return None;
    }
    Some(finish(match divisor(facts) {
        Some((register, 0)) => Case::new(Grade::Proved, prose!(verdict::ST_DIVIDE))
            .with([header(facts), prose!(say::DIVISOR_ZERO, register = facts.name(register))]),
        Some((register, value)) => {
            Case::new(Grade::Possible, prose!(verdict::ST_DIVIDE)).with([header(facts)]).but([prose!(
                say::DIVISOR_NOT_ZERO,
                register = facts.name(register),
                value = format_args!("{value:#x}")
            )])
        }
        None => Case::new(Grade::Likely, prose!(verdict::ST_DIVIDE)).with([header(facts)]),
    }))
}

/// The register that a `div`/`idiv` of the `Code:` line divides by, and its value.
///
/// Encoding: F6/F7 with /6 (div) or /7 (idiv) and a register operand (SDM volume 2, DIV, IDIV).
pub fn divisor(facts: &Facts<'_>) -> Option<(Reg, u64)> {
    if facts.arch() != Some(Arch::X86_64) {
        return None;
    }
    let faulting = facts.faulting.as_ref()?;
    let mut bytes = faulting.bytes.iter().copied().peekable();
    let mut rex = 0u8;
    while let Some(&byte) = bytes.peek() {
        match byte {
            0x66 => {}
            0x40..=0x4f => rex = byte,
            _ => break,
        }
        bytes.next();
    }
    let opcode = bytes.next()?;
    let modrm = bytes.next()?;
    if !matches!(opcode, 0xf6 | 0xf7) || modrm < 0xf0 {
        return None;
    }
    let number = usize::from((modrm & 7) | ((rex & 1) << 3));
    // ModRM numbers in the order of the instruction set, not of DWARF.
    let name = [
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
        "r14", "r15",
    ]
    .get(number)?;
    let register = facts.cpu?.register(name)?;
    let value = facts.record.registers.known(register)?;
    let value = match (opcode, rex & 8 != 0) {
        (0xf6, _) => value & 0xff,
        (_, true) => value,
        (_, false) if faulting.bytes.first() == Some(&0x66) => value & 0xffff,
        (_, false) => value & 0xffff_ffff,
    };
    Some((register, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed, with_register, x86_code};

    #[test]
    fn a_zero_divisor_is_proved_by_the_instruction() {
        let mut record = headed(Family::DivideError, "divide error: 0000 [#1] PREEMPT SMP");
        record.arch = Some(Arch::X86_64);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
        // div %ecx
        let record = x86_code(with_register(record, "rcx", 0xffff_ffff_0000_0000), &[0xf7, 0xf1]);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
        // A divisor that is not zero: the quotient did not fit.
        let record = with_register(record, "rcx", 3);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Possible));
    }

    #[test]
    fn a_page_fault_divides_nothing() {
        assert!(detected(&headed(Family::PageFault, "BUG: unable to handle page fault"), detect).is_none());
    }
}
