//! A look at a function's instructions without following any value: enough to pass over those
//! that cannot write a member, at a fiftieth of what solving them costs.

use crate::insn::{self, AccessKind, Effect, Flow, Operator, Value};
use crate::reloc::{Imports, relocated_code};
use crate::stores::{Wanted, handles_objects};
use kwhy_base::{Arch, ImageAddr};
use kwhy_image::{Image, ImageKind};
use std::collections::BTreeSet;
use std::ops::Range;

/// What a function shows at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Some store is at the member's distance from a pointer, or at what is left of it after a
    /// constant was added.
    pub stores: bool,
    /// It calls something that may fill, make or free a whole object.
    pub handles: bool,
}

/// A store behind an addition is at most this far from the sum: a list head, a lock, a reference
/// count of an embedded object.
const NEAR: i64 = 64;

/// Where the functions are that may fill, make or free a whole object.
#[must_use]
pub fn handlers(image: &Image<'_>) -> BTreeSet<ImageAddr> {
    image.symbols_where(&handles_objects).into_iter().map(|symbol| symbol.address).collect()
}

/// Whether the code of `ranges` may write `wanted`.
#[must_use]
pub fn glance(
    image: &Image<'_>,
    ranges: &[Range<ImageAddr>],
    wanted: &Wanted,
    handlers: &BTreeSet<ImageAddr>,
) -> Glance {
    let mut seen = Glance::default();
    let (Ok(from), Ok(to)) =
        (i64::try_from(wanted.offset), i64::try_from(wanted.offset.saturating_add(wanted.size)))
    else {
        return seen;
    };
    let arch = image.arch();
    let stack = kwhy_arch::cpu(arch).map(|cpu| cpu.sp);
    let covers = |at: i64, width: i64| at < to && at.saturating_add(width) > from;
    let mut near: BTreeSet<(i64, i64)> = BTreeSet::new();
    let mut sums: BTreeSet<i64> = BTreeSet::new();
    let mut imports = Imports::default();
    for range in ranges {
        let owned;
        let linked;
        let code: &[u8] = if matches!(image.kind(), ImageKind::Kernel) {
            let len = usize::try_from(range.end.0.saturating_sub(range.start.0).min(16 << 20)).unwrap_or(0);
            linked = image.bytes(range.start, len).unwrap_or_default();
            &linked
        } else {
            owned = relocated_code(image, range.clone(), &mut imports);
            &owned
        };
        let mut at = 0usize;
        while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(insn) = insn::decode(arch, rest, range.start.offset(at as i64)) else {
                at = at.saturating_add(if arch == Arch::Arm64 { 4 } else { 1 });
                continue;
            };
            at = at.saturating_add(usize::from(insn.len).max(1));
            if let Flow::Call(target) | Flow::Jump(target) = insn.flow {
                seen.handles |=
                    handlers.contains(&target) || imports.name(target).is_some_and(handles_objects);
                continue;
            }
            sums.extend(insn.effects.iter().filter_map(added).filter(|sum| (1..to).contains(sum)));
            if seen.stores || !insn.effects.iter().any(writes) {
                continue;
            }
            for access in insn.accesses() {
                let width = i64::from(access.width);
                // A pointer is never written in halves.
                if access.kind == AccessKind::Read
                    || access.memory.base == stack
                    || (wanted.size == 8 && width < 8)
                {
                    continue;
                }
                let place = access.memory.displacement;
                seen.stores |= covers(place, width);
                if (0..NEAR).contains(&place) {
                    near.insert((place, width));
                }
            }
        }
    }
    seen.stores |= sums.iter().any(|sum| near.iter().any(|(place, width)| covers(sum + place, *width)));
    seen
}

fn writes(effect: &Effect) -> bool {
    matches!(effect, Effect::Store { .. } | Effect::Modify { .. })
}

/// The constant that an effect adds to a register.
fn added(effect: &Effect) -> Option<i64> {
    match effect {
        Effect::Set { value: Value::Address(memory), .. } if memory.base.is_some() => {
            Some(memory.displacement)
        }
        Effect::Set { value: Value::Binary(Operator::Add, _, by), .. } => match **by {
            Value::Constant(by) => Some(by as i64),
            _ => None,
        },
        _ => None,
    }
}
