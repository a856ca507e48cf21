//! Pointers that were damaged or decorated on their way: flipped bits, tags, PACs, shifts, lost halves.
//!
//! All of it compares with pointers that the log vouches for; without any, nothing is proposed,
//! because every value is a few bits away from some kernel address.

use crate::map::{AddressContext, arm64_layout, hex};
use kwhy_base::catalogue::arch as m;
use kwhy_base::{Arch, Prose, prose};

/// How close to a vouched pointer a corrected one must be, in bytes: with one bit flipped.
pub(super) const REACH: u64 = 1 << 30;

/// The same with two bits flipped, of which there are 2016 ways.
const REACH_TWO: u64 = 1 << 20;

/// How close the low halves of two pointers must be.
const REACH_HALF: u64 = 1 << 16;

/// A plausible pointer that `value` differs from by a flipped bit or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitFlip {
    /// The bits that differ, low first.
    pub bits: Vec<u8>,
    /// The value with them flipped back.
    pub corrected: u64,
    /// The known-good pointer that the corrected value is close to.
    pub near: u64,
}

/// The vouched pointer nearest to `pointer`, where it is nearer than `reach`.
pub(super) fn near_vouched(pointer: u64, context: &AddressContext, reach: u64) -> Option<u64> {
    nearest(pointer, &context.vouched(), reach)
}

fn nearest(pointer: u64, vouched: &[u64], reach: u64) -> Option<u64> {
    let near = vouched.iter().copied().min_by_key(|v| v.abs_diff(pointer))?;
    (near.abs_diff(pointer) < reach).then_some(near)
}

/// Bit-flip candidates of `value` against the known-good pointers of `context`, likeliest first:
/// one bit before two, then the nearest. Empty for a value that is itself near a known-good pointer,
/// where any low bit could be flipped and nothing would show it.
#[must_use]
pub fn bit_flips(arch: Arch, value: u64, context: &AddressContext) -> Vec<BitFlip> {
    let vouched = context.vouched();
    if !matches!(arch, Arch::Arm64 | Arch::X86_64) || nearest(value, &vouched, REACH).is_some() {
        return Vec::new();
    }
    let address = crate::map::classify_address(arch, value, context);
    let mut found: Vec<BitFlip> =
        flipped_out_of_its_region(arch, value, &address, context).into_iter().collect();
    if !found.is_empty() {
        return found;
    }
    // A bit below 2^30 cannot bring it nearer to a pointer 2^30 away, so only the upper ones count.
    for first in 30..64u8 {
        let once = value ^ 1 << first;
        if let Some(near) = nearest(once, &vouched, REACH) {
            found.push(BitFlip { bits: vec![first], corrected: once, near });
        }
        for second in first + 1..64 {
            let twice = once ^ 1 << second;
            if let Some(near) = nearest(twice, &vouched, REACH_TWO) {
                found.push(BitFlip { bits: vec![first, second], corrected: twice, near });
            }
        }
    }
    found.sort_by_key(|flip| (flip.bits.len(), flip.corrected.abs_diff(flip.near), flip.corrected));
    found.truncate(4);
    found
}

/// Bits below this tell places within one machine's memory apart: 64 GiB of it.
const WITHIN_MEMORY: u32 = 36;

/// How far a member may lie from the pointer that it is reached through.
const MEMBER_REACH: u64 = 0x1_0000;

/// `value` as a pointer that one flipped bit carried to where nothing is mapped, though the region
/// itself exists: the address it gave was found unmapped, and with one bit above those that tell
/// places in memory apart flipped back it is close to other pointers of the log.
pub(super) fn flipped_out_of_its_region(
    arch: Arch,
    value: u64,
    address: &crate::map::AddressClass,
    context: &AddressContext,
) -> Option<BitFlip> {
    let unmapped = context.unmapped?;
    let region = address.region;
    if !matches!(arch, Arch::Arm64 | Arch::X86_64)
        || !(region.is_kernel() || region == crate::map::Region::KernelOther)
        || unmapped.abs_diff(value) > MEMBER_REACH
    {
        return None;
    }
    // A register that holds the same bad pointer vouches for nothing.
    let mut known = context.vouched();
    // A round number is where a region begins, which code makes by itself, and points to no object.
    known.extend(context.seen.iter().copied().filter(|seen| seen >> 63 == 1 && seen % REACH != 0));
    known.retain(|pointer| pointer.abs_diff(unmapped) >= REACH);
    if context.vouched().iter().any(|pointer| pointer.abs_diff(value) < REACH) {
        return None;
    }
    let flips = (WITHIN_MEMORY..64).filter_map(|bit| {
        let corrected = value ^ 1u64.checked_shl(bit)?;
        let near = nearest(corrected, &known, REACH)?;
        // Across the border of two regions, being close means nothing.
        let part = |pointer| crate::map::classify_address(arch, pointer, context).region;
        if part(near) != part(corrected) {
            return None;
        }
        Some(BitFlip { bits: vec![u8::try_from(bit).ok()?], corrected, near })
    });
    flips.min_by_key(|flip| flip.corrected.abs_diff(flip.near))
}

/// The kernel pointer that an ARM64 `value` with bit 55 set is without the tag (bits 63:56) or the
/// PAC (63:56 and 54 down to the width of addresses) in its top bits; `None` where it carries none
/// or is no such pointer.
#[must_use]
pub fn strip_pointer(arch: Arch, value: u64, context: &AddressContext) -> Option<u64> {
    if arch != Arch::Arm64 || value & (1 << 55) == 0 {
        return None;
    }
    let width = arm64_layout(context).bits.clamp(36, 52);
    let stripped = value | u64::MAX << width;
    (stripped != value).then_some(stripped)
}

/// How a value may be a pointer that was shifted, cut or half overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reshaped {
    /// The pointer that it may have been, or its known part.
    pub pointer: u64,
    /// What was done to it.
    pub how: Prose,
}

/// Readings of `value` as a pointer shifted by whole bytes or half overwritten: whatever brings it
/// close to a pointer that the log vouches for. Each is only possible, none is proof.
#[must_use]
pub fn reshaped(arch: Arch, value: u64, context: &AddressContext) -> Vec<Reshaped> {
    let vouched = context.vouched();
    if !matches!(arch, Arch::Arm64 | Arch::X86_64)
        || value < 0x1_0000
        || nearest(value, &vouched, REACH).is_some()
    {
        return Vec::new();
    }
    let mut found = shifted(value, &vouched);
    // Any pointer that the registers hold has an upper half to compare, but for the value itself.
    let seen =
        context.seen.iter().copied().filter(|seen| seen >> 63 == 1 && seen.abs_diff(value) > REACH_HALF);
    let uppers: Vec<u64> = vouched.iter().copied().chain(seen).collect();
    found.extend(halves(value, &vouched, &uppers));
    found
}

/// Shifts by one to four bytes: by an instruction, or by reading at the wrong place.
fn shifted(value: u64, vouched: &[u64]) -> Vec<Reshaped> {
    let mut found = Vec::new();
    for bytes in 1..=4u32 {
        let bits = bytes * 8;
        // Shifted left: the top bytes are lost, and were ones; the low ones are zero.
        let left = value >> bits | u64::MAX << (64 - bits);
        if value.trailing_zeros() >= bits && nearest(left, vouched, REACH).is_some() {
            let how = prose!(m::RESHAPED_LEFT, pointer = hex(left), bits = bits);
            found.push(Reshaped { pointer: left, how });
        }
        // Shifted right: the low bytes are lost, so it can only be as near as they are large.
        let right = value << bits;
        if right >> 63 == 1 && nearest(right, vouched, REACH.max(1 << bits)).is_some() {
            let how = if value >> (64 - bits) == 0 {
                prose!(m::RESHAPED_RIGHT, pointer = hex(right), bits = bits)
            } else {
                prose!(m::RESHAPED_UNALIGNED, pointer = hex(right), bytes = bytes)
            };
            found.push(Reshaped { pointer: right, how });
        }
    }
    found
}

/// One half lost: overwritten by a neighbouring 32-bit store, or cut off.
fn halves(value: u64, vouched: &[u64], uppers: &[u64]) -> Vec<Reshaped> {
    let low = value & 0xffff_ffff;
    let high = value >> 32;
    let by_low =
        vouched.iter().copied().filter(|v| low >= 0x1_0000 && (v & 0xffff_ffff).abs_diff(low) < REACH_HALF);
    let mut found = Vec::new();
    if let Some(near) = by_low.min_by_key(|v| (v & 0xffff_ffff).abs_diff(low)) {
        let pointer = near & !0xffff_ffff | low;
        let how = match high {
            0 => prose!(m::RESHAPED_LOW_ONLY, pointer = hex(pointer)),
            0xffff_ffff => prose!(m::RESHAPED_SIGN, pointer = hex(pointer)),
            _ => prose!(m::RESHAPED_LOW_KEPT, pointer = hex(pointer)),
        };
        found.push(Reshaped { pointer, how });
    }
    // The upper half of a known pointer over a small number, or one below zero: a 32-bit store hit
    // the lower half. What is below zero as a whole is an error, no pointer.
    let small = low < 0x1_0000 || (low >= 0xffff_0000 && high != 0xffff_ffff);
    if let Some(near) = uppers.iter().copied().find(|v| small && v >> 32 == high) {
        found.push(Reshaped { pointer: near, how: prose!(m::RESHAPED_HIGH_KEPT, pointer = hex(near)) });
    }
    found
}
