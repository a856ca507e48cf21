//! Places in the code that cannot be.

use kwhy_base::catalogue::damage as say;
use kwhy_base::{Arch, prose};

use super::damage;
use crate::record::{CodeRef, CrashRecord, Damage, Family, Grade};
use crate::text::Line;

fn show(place: &CodeRef) -> String {
    let symbol = place.symbol.as_deref().unwrap_or("?");
    match (place.offset, place.size) {
        (Some(offset), Some(size)) => format!("{symbol}+{offset:#x}/{size:#x}"),
        (Some(offset), None) => format!("{symbol}+{offset:#x}"),
        _ => symbol.to_owned(),
    }
}

/// Offsets that no instruction can have: unaligned, or beyond the function's end.
pub(super) fn places(record: &CrashRecord, _: &[&Line<'_>]) -> Vec<Damage> {
    let alignment = record.arch.and_then(kwhy_arch::cpu).map_or(1, |cpu| cpu.code_alignment.max(1));
    let named = [("pc", &record.pc), ("lr", &record.lr)];
    let named =
        named.into_iter().filter_map(|(name, place)| place.as_ref().map(|p| (name, &p.value, p.line)));
    let stacks = record.other_stacks.iter().flat_map(|(_, frames)| frames);
    let frames =
        record.frames.iter().chain(stacks).filter(|f| f.reliable).map(|f| ("frame offset", &f.at, f.line));
    let mut found = Vec::new();
    for (field, place, line) in named.chain(frames) {
        if place.symbol.is_some() && place.unreadable {
            let reason = prose!(say::OFFSET_UNREADABLE);
            found.push(damage(line, field, &show(place), None, Grade::Proved, reason));
            continue;
        }
        let Some(offset) = place.offset else { continue };
        // Where control was sent to may be anything, and is named after the symbol before it.
        let astray = record.is_fetch_fault()
            && record
                .pc
                .as_ref()
                .is_some_and(|pc| (&pc.value.symbol, pc.value.offset) == (&place.symbol, place.offset));
        if astray {
            continue;
        }
        if offset % alignment != 0 {
            let arch = record.arch.map_or("", Arch::name);
            let reason = prose!(say::CODE_ALIGNMENT, place = show(place), alignment = alignment, arch = arch);
            found.push(damage(line, field, &show(place), None, Grade::Proved, reason));
        }
        // A call that does not return may be a function's last instruction: the return address
        // is then its end.
        if let Some(size) = place.size.filter(|size| offset > *size) {
            let reason =
                prose!(say::OFFSET_BEYOND, offset = format!("{offset:#x}"), size = format!("{size:#x}"));
            found.push(damage(line, field, &show(place), None, Grade::Proved, reason));
        }
    }
    found
}

/// ARM64's trace of an oops begins with the program counter (`dump_backtrace` starts at `regs->pc`).
pub(super) fn trace_top(record: &CrashRecord, _: &[&Line<'_>]) -> Vec<Damage> {
    let dies = matches!(record.family, Some(Family::PageFault | Family::Bug | Family::OtherException));
    if record.arch != Some(Arch::Arm64) || !dies || record.oops_count.is_none() {
        return Vec::new();
    }
    let (Some(pc), Some(top)) = (&record.pc, record.frames.first()) else { return Vec::new() };
    let both = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    // Only a line that is clearly meant as the same place, yet differs from it, tells of damage.
    if !both(&pc.value.symbol, &top.at.symbol)
        || (pc.value.offset == top.at.offset && pc.value.size == top.at.size)
        || pc.value.offset.is_none()
        || top.at.offset.is_none()
        || pc.line == top.line
    {
        return Vec::new();
    }
    let near = pc.value.size == top.at.size || pc.value.offset == top.at.offset;
    // A function that calls itself may follow itself; then the top frame is missing, not wrong.
    let recursive = record.frames.get(1).is_some_and(|second| second.at.symbol == top.at.symbol);
    if !near || recursive {
        return Vec::new();
    }
    let reason = prose!(say::PC_AND_TRACE, other = show(&top.at));
    vec![damage(pc.line, "pc", &show(&pc.value), None, Grade::Likely, reason)]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ARM64, X86, after, one};
    use super::*;

    #[test]
    fn arm64_instructions_are_aligned() {
        let found = one(ARM64, "do_one_initcall+0x4c/0x210", "do_one_initcall+0x4a/0x210");
        assert_eq!((found.field.as_str(), found.grade), ("frame offset", Grade::Proved));
        assert_eq!(found.printed, "do_one_initcall+0x4a/0x210");
        assert!(after(X86, "tune_write+0x67/0x71", "tune_write+0x65/0x71").is_empty());
    }

    #[test]
    fn offsets_end_with_their_function() {
        assert_eq!(one(X86, "tune_write+0x67/0x71", "tune_write+0x76/0x71").field, "frame offset");
        assert!(after(X86, "tune_write+0x67/0x71", "tune_write+0x71/0x71").is_empty());
        assert_eq!(one(ARM64, "lr : driver_start+0x28/0x7c", "lr : driver_start+0x28/0x1c").field, "lr");
    }

    #[test]
    fn the_trace_repeats_the_pc() {
        let found = one(
            ARM64,
            " driver_start+0x3c/0x7c [driver]\n[   10.000032]",
            " driver_start+0x30/0x7c [driver]\n[   10.000032]",
        );
        assert_eq!((found.field.as_str(), found.grade), ("pc", Grade::Likely));
    }
}
