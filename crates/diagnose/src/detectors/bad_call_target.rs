//! PC 0, or the PC in no code at all: a function pointer that was NULL or garbage was called,
//! or a return address was overwritten.

use super::{Case, disasm, fault_address, followed, quoted};
use crate::context::Facts;
use crate::followed::How;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if let Some(said) = facts.says("CFI failure") {
        return Some(Case::new(Grade::Proved, prose!(verdict::ST_BAD_CALL_TARGET)).with([quoted(said)]));
    }
    let indirect = facts.faulting.as_ref().is_some_and(|faulting| faulting.call_register().is_some());
    let thunk = facts.function().is_some_and(|function| function.starts_with("__x86_indirect_thunk"));
    let sent = facts.places.pc_is_garbage || (facts.is_access_fault() && (indirect || thunk));
    if !sent {
        return None;
    }
    let null = facts.followed.as_ref().is_some_and(|followed| followed.value == 0);
    let statement = match (facts.function(), null) {
        (Some(function), true) => prose!(verdict::ST_NULL_CALL_IN, function = function),
        (Some(function), false) => prose!(verdict::ST_BAD_CALL_IN, function = function),
        (None, _) => prose!(verdict::ST_BAD_CALL_TARGET),
    };
    // That control went to a bad address is what the fault is; whence it went is LR's or the trace's word.
    let grade = if facts.places.pc_is_garbage { Grade::Proved } else { Grade::Likely };
    let mut case = Case::new(grade, statement).with(followed(facts)).with(fault_address(facts));
    if let Some(place) = facts.places.call_site.as_ref()
        && let (Some(symbol), Some(line)) = (&place.at.symbol, place.line)
    {
        case = case.with([prose!(say::CALL_SITE, symbol = symbol, line = line)]);
    }
    if facts.followed.as_ref().is_none_or(|followed| followed.how != How::CallTarget) {
        case = case.with([prose!(say::INDIRECT_CALL)]);
    }
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_CALL_SITE), command),
        None => case,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, at, detected, with_code};
    use kwhy_base::Arch;
    use kwhy_oops::{CodeRef, Located};

    #[test]
    fn a_pc_of_zero_is_a_null_function_pointer() {
        let mut record = with_code(access_fault(Arch::Arm64, 0), "86000005");
        record.pc = Some(Located { value: CodeRef { address: Some(0), ..CodeRef::default() }, line: 8 });
        record.lr = Some(Located { value: at("strm_start [strmdev]"), line: 9 });
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Proved));
    }

    #[test]
    fn reading_null_is_no_call() {
        let mut record = with_code(access_fault(Arch::Arm64, 0), "96000005");
        record.pc = Some(Located { value: at("strlen"), line: 8 });
        assert!(detected(&record, detect).is_none());
    }
}
