//! `invalid opcode: 0000` without a BUG line, `Internal error: Oops - Undefined instruction`:
//! the CPU was given bytes that are no instruction of it: code overwritten, a jump into the
//! middle of an instruction or into data, or code built for another CPU.

use super::{Case, disasm, header};
use crate::context::Facts;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    // `__builtin_trap()` on ARM64: the compiler found that the code can go no further.
    let trapped = facts.says("BRK handler").or_else(|| facts.says("Unexpected kernel BRK"));
    if !facts.is(Family::InvalidOpcode) && (trapped.is_none() || facts.is(Family::Bug)) {
        return None;
    }
    let grade = if trapped.is_some() { Grade::Likely } else { Grade::Proved };
    let mut case = Case::new(grade, prose!(verdict::ST_INVALID_OPCODE)).with([header(facts)]);
    if let Some(faulting) = &facts.faulting {
        case = case.with([prose!(
            say::INSTRUCTION_AT_PC,
            instruction = faulting.insn.text(),
            place = crate::followed::source_words(&faulting.source)
        )]);
    }
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_CODE_BYTES), command),
        None => case,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};

    #[test]
    fn an_undefined_instruction_is_one() {
        let record =
            headed(Family::InvalidOpcode, "Internal error: Oops - Undefined instruction: 0 [#1] SMP");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn a_compilers_trap_on_arm64_is_likely_one() {
        let record = headed(Family::OtherException, "Internal error: BRK handler: 00000000f20003e8 [#1] SMP");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Likely));
    }

    #[test]
    fn an_assertion_that_uses_ud2_is_not() {
        assert!(detected(&headed(Family::Bug, "kernel BUG at fs/inode.c:1!"), detect).is_none());
    }
}
