//! `BUG: KASAN: slab-out-of-bounds in F`, `UBSAN: array-index-out-of-bounds`: an access past
//! the end (or before the start) of an object, caught in the act.

use super::{Case, disasm, quoted};
use crate::context::Facts;
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if !matches!(facts.record.family, Some(Family::Kasan | Family::Kfence | Family::Ubsan)) {
        return None;
    }
    if facts.is(Family::Kasan)
        && let Some(said) = facts.says("invalid-access")
    {
        return Some(
            Case::new(Grade::Possible, prose!(verdict::ST_OUT_OF_BOUNDS))
                .with([quoted(said), prose!(say::TAGS_DIFFER)]),
        );
    }
    let said = facts.says("index-out-of-bounds").or_else(|| facts.says("index out of bounds"));
    // UBSAN's shift-out-of-bounds is no access at all.
    let said = said.or_else(|| if facts.is(Family::Ubsan) { None } else { facts.says("out-of-bounds") })?;
    let case = Case::new(Grade::Proved, prose!(verdict::ST_OUT_OF_BOUNDS)).with([quoted(said)]);
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_DISASM), command),
        None => case,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{detected, headed};

    #[test]
    fn what_the_sanitizers_saw() {
        for (family, header) in [
            (Family::Kasan, "BUG: KASAN: slab-out-of-bounds in f+0x1/0x2"),
            (Family::Kfence, "BUG: KFENCE: out-of-bounds write in f+0x1/0x2"),
            (Family::Ubsan, "UBSAN: array-index-out-of-bounds in fs/a.c:3:9"),
        ] {
            assert_eq!(
                detected(&headed(family, header), detect).map(|c| c.grade()),
                Some(Grade::Proved),
                "{header}"
            );
        }
    }

    #[test]
    fn a_shift_is_no_access() {
        assert!(
            detected(&headed(Family::Ubsan, "UBSAN: shift-out-of-bounds in fs/a.c:3:9"), detect).is_none()
        );
    }
}
