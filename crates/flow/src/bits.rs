//! Which bits of what an access reads or writes are meant: the field of a bit-field access.

use crate::insn::{Effect, Flow, Operator, Value as Operand};
use crate::scene::{Scene, SceneAccess};
use kwhy_base::{ImageAddr, Reg};
use kwhy_image::Type;

impl Scene<'_, '_> {
    /// Which bits of the value read are used: the field of a bit-field access.
    pub(crate) fn bits_used(&self, pc: ImageAddr, access: &SceneAccess) -> Option<(u8, u8)> {
        let index = self.code.index_of(pc)?;
        let insn = self.code.insns.get(index)?;
        let mut register = None;
        for effect in &insn.effects {
            match effect {
                Effect::Test(Operand::Memory(..), Operand::Constant(mask))
                | Effect::Test(Operand::Constant(mask), Operand::Memory(..)) => {
                    return mask_bits(*mask, access.width, Mask::Selects);
                }
                Effect::Modify { operator, operand: Some(Operand::Constant(mask)), .. } => {
                    let mask = if *operator == "&=" { !*mask } else { *mask };
                    return if matches!(*operator, "&=" | "|=" | "^=") {
                        mask_bits(mask, access.width, Mask::Selects)
                    } else {
                        None
                    };
                }
                Effect::Load { register: Some(r), .. } => register = Some(*r),
                // Byte and word loads on x86 that keep the rest of the register.
                Effect::Set { register: r, value: Operand::Memory(..), .. } => register = Some(*r),
                _ => {}
            }
        }
        let register = register?;
        // Written back where it was read: what a mask clears is the field, not what it keeps.
        let rest = self.code.insns.get(index + 1..)?;
        let written_back = rest
            .iter()
            .take(10)
            .flat_map(|insn| &insn.effects)
            .any(|effect| matches!(effect, Effect::Store { memory, .. } if *memory == access.memory));
        let use_of_mask = if written_back { Mask::Clears } else { Mask::Selects };
        // The field is cut out soon after the load; the register must not change before that.
        for (at, insn) in self.code.insns.iter().enumerate().skip(index + 1).take(6) {
            for effect in &insn.effects {
                let bits = match effect {
                    Effect::Set { value, .. } | Effect::Store { value, .. } => {
                        field_of(value, register, access.width, use_of_mask)
                    }
                    Effect::Test(a, Operand::Constant(mask)) if reads(a, register) => {
                        mask_bits(*mask, access.width, Mask::Selects)
                    }
                    Effect::Compare(a, _) => field_of(a, register, access.width, use_of_mask),
                    _ => None,
                };
                if let (Some((first, rest)), Effect::Set { register: to, value: Operand::Binary(..), .. }) =
                    (bits, effect)
                    && let Some(masked) = self.masked_after(at, *to)
                {
                    // `shr` brings the field down, a mask behind it cuts it out.
                    return Some((first.saturating_add(masked.0), masked.1.min(rest)));
                }
                if bits.is_some() {
                    return bits;
                }
                // Bit-field inserts overwrite the rest of the register with itself.
                if matches!(effect, Effect::Clobber(r) if *r == register)
                    && let Some(bits) = inserted(&insn.text())
                {
                    return Some(bits);
                }
                let written = match effect {
                    Effect::Set { register, .. } | Effect::Clobber(register) => Some(*register),
                    Effect::Load { register, .. } => *register,
                    _ => None,
                };
                if written == Some(register) {
                    return None;
                }
            }
            if !matches!(insn.flow, Flow::Next) {
                return None;
            }
        }
        None
    }

    /// The field that the instruction after `index` cuts out of a register.
    fn masked_after(&self, index: usize, register: Reg) -> Option<(u8, u8)> {
        let next = self.code.insns.get(index + 1)?;
        next.effects.iter().find_map(|effect| match effect {
            Effect::Set { value: value @ Operand::Binary(Operator::And, ..), .. } => {
                field_of(value, register, 4, Mask::Selects)
            }
            _ => None,
        })
    }

    pub(crate) fn is_integer(&self, ty: kwhy_image::TypeId) -> bool {
        matches!(self.image.strip(ty), Type::Base { .. } | Type::Enum { .. })
    }
}

fn reads(value: &Operand, register: Reg) -> bool {
    match value {
        Operand::Register(r, _) => *r == register,
        Operand::Extract { value, .. } => reads(value, register),
        _ => false,
    }
}

/// The field that an ARM64 `bfi` writes, from its text `bfi w2, w1, #2, #4`.
fn inserted(text: &str) -> Option<(u8, u8)> {
    let mut numbers = text.strip_prefix("bfi ")?.split('#').skip(1);
    let mut number = || -> Option<u8> {
        let digits = numbers.next()?.trim().trim_end_matches(',');
        match digits.strip_prefix("0x") {
            Some(hex) => u8::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        }
    };
    Some((number()?, number()?))
}

/// What the ones of a mask are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mask {
    /// They select the field that is read.
    Selects,
    /// They keep the field's neighbours; the zeros clear the field that is written.
    Clears,
}

/// The field that a value cuts out of a register.
fn field_of(value: &Operand, register: Reg, width: u8, mask_use: Mask) -> Option<(u8, u8)> {
    match value {
        Operand::Extract { value, lsb, bits, .. } if reads(value, register) => {
            let whole = u16::from(*lsb) + u16::from(*bits) >= u16::from(width) * 8 && *lsb == 0;
            (!whole).then_some((*lsb, (*bits).min((width.saturating_mul(8)).saturating_sub(*lsb))))
        }
        Operand::Binary(Operator::And, a, b) => match (&**a, &**b) {
            (Operand::Constant(mask), other) | (other, Operand::Constant(mask)) => match other {
                // `(x >> lsb) & mask`.
                Operand::Binary(Operator::Shr | Operator::Sar, x, shift) if reads(x, register) => {
                    let Operand::Constant(shift) = **shift else { return None };
                    let (lsb, bits) = mask_bits(*mask, 8, Mask::Selects)?;
                    Some((lsb.checked_add(u8::try_from(shift).ok()?)?, bits))
                }
                other if reads(other, register) => mask_bits(*mask, width, mask_use),
                _ => None,
            },
            _ => None,
        },
        Operand::Binary(Operator::Or, a, b) => match (&**a, &**b) {
            (Operand::Constant(mask), other) | (other, Operand::Constant(mask)) if reads(other, register) => {
                mask_bits(*mask, width, Mask::Selects)
            }
            _ => None,
        },
        Operand::Binary(Operator::Shr | Operator::Sar, x, shift) if reads(x, register) => {
            let Operand::Constant(shift) = **shift else { return None };
            let shift = u8::try_from(shift).ok()?;
            let bits = width.saturating_mul(8).checked_sub(shift)?;
            (bits > 0 && shift > 0).then_some((shift, bits))
        }
        _ => None,
    }
}

/// The one run of ones in a mask that selects a field, of zeros in one that clears it: first bit
/// and width. Where the mask cannot be what it should, it is read the other way.
fn mask_bits(mask: u64, width: u8, mask_use: Mask) -> Option<(u8, u8)> {
    let all = if width >= 8 { u64::MAX } else { (1u64 << (u32::from(width) * 8)) - 1 };
    let run = |mask: u64| {
        if mask == 0 || mask == all {
            return None;
        }
        let lsb = mask.trailing_zeros();
        let bits = (mask >> lsb).trailing_ones();
        (bits + lsb >= 64 || mask >> lsb >> bits == 0).then_some((lsb as u8, bits as u8))
    };
    let mask = mask & all;
    match mask_use {
        Mask::Selects => run(mask).or_else(|| run(!mask & all)),
        Mask::Clears => run(!mask & all).or_else(|| run(mask)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_select_or_clear_one_field() {
        assert_eq!(mask_bits(0b0011_1000, 1, Mask::Selects), Some((3, 3)));
        assert_eq!(mask_bits(0xffff_ffc3, 1, Mask::Clears), Some((2, 4)));
        assert_eq!(mask_bits(0x0f, 1, Mask::Selects), Some((0, 4)));
        assert_eq!(mask_bits(0x0f, 1, Mask::Clears), Some((4, 4)));
        assert_eq!(mask_bits(0b0101, 1, Mask::Selects), None);
        assert_eq!(mask_bits(0xff, 1, Mask::Clears), None);
    }
}
