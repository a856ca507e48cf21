//! Addresses that were kept in 32 bits: an allocator never returns such a number, so where one was
//! followed that a call of it is said to have returned, the upper half was lost on the way.

use super::{Candidate, Ctx, Explains, Mishap, What, spot};
use kwhy_base::catalogue::memory as say;
use kwhy_base::{ImageAddr, prose};
use kwhy_flow::scene::Scene;
use kwhy_flow::value::{Node, Value};

/// Whether a number may be an address of kernel memory without its upper half: too large for a
/// count, too small for any address.
pub fn is_half(number: u64) -> bool {
    (0x1_0000..=0xffff_ffff).contains(&number)
}

/// The stores of four bytes that keep what the call at `call` of `scene` returned.
pub fn keepers(
    ctx: &Ctx<'_, '_, '_>,
    image: usize,
    scene: &Scene<'_, '_>,
    call: ImageAddr,
) -> Vec<Candidate> {
    let Some(callee) = scene.callee_name(call) else { return Vec::new() };
    let callee = crate::names::base_name(&callee);
    let kept = scene.writes().into_iter().filter(|write| {
        write.width == 4 && write.number.is_some_and(|number| is_result(scene, number, call))
    });
    kept.map(|write| {
        let place = super::memory::place(ctx, image, write.at).unwrap_or_else(|| spot(ctx, image, write.at));
        let function = place.function.clone().unwrap_or_default();
        let detail = prose!(say::CUT, function = function, callee = callee, width = write.width);
        Candidate {
            what: What::MemberStore,
            spot: place,
            explains: Explains::Exactly,
            detail,
            reasons: Vec::new(),
            call_path: Vec::new(),
            unchecked_in: None,
            frees: false,
            mishap: Some(Mishap::CutsOff),
        }
    })
    .collect()
}

/// Whether a value is what the call returned, or its lower half.
fn is_result(scene: &Scene<'_, '_>, value: Value, call: ImageAddr) -> bool {
    if value.plus != 0 {
        return false;
    }
    match value.node.and_then(|id| scene.node(id)) {
        Some(Node::Result { at }) => at == call,
        Some(Node::Extract { value, lsb: 0, bits: 32, .. }) => {
            matches!(value.node.and_then(|id| scene.node(id)), Some(Node::Result { at }) if at == call)
                && value.plus == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_addresses_are_neither_counts_nor_addresses() {
        assert!(is_half(0x5ff2_b1c0));
        for number in [0, 64, 0xffff_8880_0123_4500, 0xffff_ffff_ffff_fff4, 0x1_0000_0000] {
            assert!(!is_half(number), "{number:#x}");
        }
    }
}
