//! `stack-protector: Kernel stack is corrupted in: F`: F's canary was overwritten, usually by
//! an array of F itself; `corrupted stack end detected inside scheduler`: the word at the end
//! of the stack was.

use super::{Case, disasm, quoted};
use crate::context::Facts;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let (said, meaning) = match facts.says("stack-protector:") {
        Some(said) => (said, prose!(say::CANARY)),
        None => (facts.says("corrupted stack end")?, prose!(say::STACK_END)),
    };
    let case = Case::new(Grade::Proved, prose!(verdict::ST_STACK_CORRUPTION)).with([quoted(said), meaning]);
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_STACK_ARRAYS), command),
        None => case,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};
    use kwhy_oops::Family;

    #[test]
    fn the_canary_is_believed() {
        let header = "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: f+0x1/0x2";
        assert_eq!(detected(&headed(Family::Stack, header), detect).map(|c| c.grade()), Some(Grade::Proved));
    }

    #[test]
    fn another_panic_is_not() {
        assert!(detected(&headed(Family::Panic, "Kernel panic - not syncing: VFS"), detect).is_none());
    }
}
