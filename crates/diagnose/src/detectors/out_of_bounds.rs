//! `BUG: KASAN: slab-out-of-bounds in F`, `UBSAN: array-index-out-of-bounds`: an access past
//! the end (or before the start) of an object, caught in the act.

use super::{Case, access, disasm, fault_address, followed, quoted};
use crate::context::Facts;
use crate::expression::Expressed;
use crate::strayed::Strayed;
use kwhy_arch::{Region, classify_address};
use kwhy_base::catalogue::{evidence as say, verdict};
use kwhy_base::prose;
use kwhy_oops::Family;
use kwhy_report::model::Grade;

pub fn detect(facts: &Facts<'_>) -> Option<Case> {
    if facts.is_access_fault() {
        return by_index(facts);
    }
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

/// The subscript of the faulting expression is none of its array's, by the image's types.
pub fn by_code(facts: &Facts<'_>, expressed: &Expressed) -> Option<Case> {
    let Some(outside) = expressed.outside.as_ref() else { return by_values(facts, expressed) };
    // The types say how long the array is, but not that the pointer to it is a good one.
    let expression = expressed.expression.as_ref().map(|e| e.text.clone()).unwrap_or_default();
    let case = Case::new(Grade::Likely, prose!(verdict::ST_OUT_OF_BOUNDS_INDEX, expression = expression))
        .with([prose!(
            say::INDEX_OUTSIDE,
            index = &outside.index,
            value = outside.value,
            register = facts.name(outside.register),
            count = outside.count
        )])
        .with(fault_address(facts));
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_BOUND), command),
        None => case,
    })
}

/// An index leads away from what it indexes, by the code and the registers.
fn by_values(facts: &Facts<'_>, expressed: &Expressed) -> Option<Case> {
    let away = |distance: i64| {
        let sign = if distance < 0 { "-" } else { "" };
        format!("{sign}{:#x}", distance.unsigned_abs())
    };
    let (grade, evidence) = match expressed.strayed.as_ref()? {
        Strayed::Variable { symbol, size, distance } => (
            // Where the variable is cannot be wrong: what is left is the index.
            Grade::Likely,
            prose!(
                say::STRAYED_VARIABLE,
                symbol = symbol,
                size = format_args!("{size:#x}"),
                distance = away(*distance)
            ),
        ),
        Strayed::Area { start, distance } => (
            Grade::Likely,
            prose!(say::STRAYED_AREA, start = format_args!("{start:#x}"), distance = away(*distance)),
        ),
        Strayed::Far { pointer, distance } => (
            Grade::Possible,
            prose!(say::STRAYED_FAR, pointer = format_args!("{pointer:#x}"), distance = away(*distance)),
        ),
    };
    let case = Case::new(grade, prose!(verdict::ST_OUT_OF_BOUNDS))
        .with([evidence])
        .with(fault_address(facts))
        .with(access(facts));
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_BOUND), command),
        None => case,
    })
}

/// `0xc(%rdi,%rax,4)`: a base that is a kernel pointer, and an index that takes it far away.
fn by_index(facts: &Facts<'_>) -> Option<Case> {
    let arch = facts.arch()?;
    let touch = facts.faulting.as_ref()?.touch(arch, facts.fault.best)?;
    let memory = &touch.access.memory;
    let (base, index) = (memory.base?, memory.index.as_ref()?);
    if facts.places.pc_is_garbage || memory.segment.is_some() || touch.address.is_none() {
        return None;
    }
    let known = |register| facts.record.registers.known(register);
    let (base_value, index_value) = (known(base)?, known(index.register)?);
    let region = classify_address(arch, base_value, &facts.space).region;
    let pointer = matches!(region, Region::LinearMap | Region::Vmalloc | Region::KernelData | Region::Module);
    // With a scale of one either register may be the pointer.
    let distance = (index_value as i64).checked_mul(i64::from(index.scale)).map(i64::unsigned_abs);
    let far = distance.is_some_and(|distance| (FAR..1 << 47).contains(&distance));
    if !pointer || !far || index.narrow {
        return None;
    }
    let case = Case::new(Grade::Possible, prose!(verdict::ST_OUT_OF_BOUNDS))
        .with([prose!(
            say::INDEX_FAR,
            base = facts.name(base),
            value = format_args!("{base_value:#x}"),
            index = facts.name(index.register),
            count = format_args!("{index_value:#x}")
        )])
        .with(fault_address(facts))
        .with(followed(facts));
    Some(match disasm(facts) {
        Some(command) => case.check(prose!(verdict::WHY_BOUND), command),
        None => case,
    })
}

/// An index that leads further than this, in bytes, is hardly one of an array.
const FAR: u64 = 1 << 24;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, detected, headed, with_register, x86_code};
    use kwhy_base::Arch;

    /// `addl $0x1,0xc(%rdi,%rax,4)`
    const INDEXED: [u8; 5] = [0x83, 0x44, 0x87, 0x0c, 0x01];

    fn indexed(address: u64, base: u64, index: u64) -> kwhy_oops::CrashRecord {
        let record = with_register(access_fault(Arch::X86_64, address), "rdi", base);
        x86_code(with_register(record, "rax", index), &INDEXED)
    }

    #[test]
    fn a_good_base_and_a_huge_index_may_be_out_of_bounds() {
        let record = indexed(0xffff_8d80_5fec_a80c, 0xffff_8c80_5fec_a800, 0x40_0000_0000);
        assert_eq!(detected(&record, detect).map(|case| case.grade()), Some(Grade::Possible));
    }

    #[test]
    fn a_bad_base_and_a_small_index_are_not() {
        assert!(detected(&indexed(0x14, 0, 2), detect).is_none());
        let near = indexed(0xffff_8c80_5fec_a814, 0xffff_8c80_5fec_a800, 2);
        assert!(detected(&near, detect).is_none());
    }

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

    fn strayed(strayed: Strayed) -> Option<Grade> {
        let record = access_fault(Arch::X86_64, 0xffff_ffff_cc29_e204);
        let images = crate::images::Images::check(&[], &record);
        let facts = Facts::new(std::slice::from_ref(&record), 0, &images).unwrap();
        let expressed = Expressed { strayed: Some(strayed), ..Expressed::default() };
        by_code(&facts, &expressed).map(|case| case.grade())
    }

    #[test]
    fn an_index_that_leads_out_of_a_variable_or_off_an_area_is_likely_and_a_far_one_possible() {
        let variable = Strayed::Variable { symbol: "modes".into(), size: 0xc0, distance: 0xc00_0018 };
        assert_eq!(strayed(variable), Some(Grade::Likely));
        let area = Strayed::Area { start: 0xffff_c900_0001_0000, distance: 0x4000 };
        assert_eq!(strayed(area), Some(Grade::Likely));
        let far = Strayed::Far { pointer: 0xffff_8880_0123_4500, distance: 1 << 32 };
        assert_eq!(strayed(far), Some(Grade::Possible));
    }

    #[test]
    fn a_shift_is_no_access() {
        assert!(
            detected(&headed(Family::Ubsan, "UBSAN: shift-out-of-bounds in fs/a.c:3:9"), detect).is_none()
        );
    }
}
