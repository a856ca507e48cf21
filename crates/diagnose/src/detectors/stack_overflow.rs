//! `BUG: stack guard page was hit`, `kernel stack overflow`, `Insufficient stack space to
//! handle exception!`: the kernel stack was used up.

use super::{Case, quoted};
use crate::context::Facts;
use crate::names::base_name;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;
use std::collections::BTreeMap;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    let said = ["stack guard page was hit", "stack overflow", "Insufficient stack space to handle exception"]
        .iter()
        .find_map(|words| facts.says(words));
    let repeated = recursion(facts);
    let grade = match (&said, facts.record.family, &repeated) {
        (Some(_), ..) => Grade::Proved,
        // A double fault on x86-64 is nearly always a fault that found no stack to be handled on.
        (None, Some(Family::DoubleFault), Some(_)) => Grade::Likely,
        (None, Some(Family::DoubleFault), None) if !stack_is_elsewhere(facts) => Grade::Possible,
        _ => return None,
    };
    let mut case = Case::new(grade, prose!(verdict::ST_STACK_OVERFLOW)).with(said.map(quoted));
    if let Some((function, count)) = repeated {
        case = case.with([prose!(say::RECURSION, function = function, count = count)]);
    }
    let command = "echo 1 > /proc/sys/kernel/stack_tracer_enabled; cat /sys/kernel/tracing/stack_trace";
    Some(case.check(prose!(verdict::WHY_STACK_TRACER), command))
}

/// Whether the stack pointer is no kernel address: such a stack was not used up but lost.
fn stack_is_elsewhere(facts: &Facts<'_>) -> bool {
    let sp = facts.arch().and_then(kwhy_arch::cpu).and_then(|cpu| facts.record.registers.known(cpu.sp));
    sp.is_some_and(|sp| sp < 1 << 63)
}

/// A function that stands in the trace again and again.
fn recursion(facts: &Facts<'_>) -> Option<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for frame in facts.record.frames.iter().filter(|frame| frame.reliable) {
        if let Some(symbol) = &frame.at.symbol {
            *counts.entry(base_name(symbol)).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .filter(|(_, n)| *n >= 4)
        .max_by_key(|(name, n)| (*n, *name))
        .map(|(f, n)| (f.to_owned(), n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};

    #[test]
    fn the_guard_page_is_believed() {
        let record = headed(Family::Stack, "BUG: stack guard page was hit at 00000000a1b2c3d4");
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn a_smashed_canary_is_no_overflow() {
        let header = "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: f+0x1/0x2";
        assert!(detected(&headed(Family::Stack, header), detect).is_none());
    }
}
