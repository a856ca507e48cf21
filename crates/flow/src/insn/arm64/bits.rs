//! The fields of an A64 word.

use super::SP;
use crate::insn::{Effect, MemOperand, Operator, Value};
use kwhy_base::Reg;

/// An instruction word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word(pub(super) u32);

impl Word {
    /// Bits `high` to `low`, as a number.
    pub(super) fn field(self, high: u32, low: u32) -> u32 {
        let width = high.saturating_sub(low).saturating_add(1);
        self.0.wrapping_shr(low) & u32::MAX.wrapping_shr(32_u32.saturating_sub(width))
    }

    /// The same, for fields of at most 16 bits.
    pub(super) fn field16(self, high: u32, low: u32) -> u16 {
        (self.field(high, low) & 0xffff) as u16
    }

    /// The same, for fields of at most 8 bits.
    pub(super) fn field8(self, high: u32, low: u32) -> u8 {
        (self.field(high, low) & 0xff) as u8
    }

    pub(super) fn bit(self, n: u32) -> bool {
        self.field(n, n) == 1
    }

    /// Bits `high` to `low`, sign-extended.
    pub(super) fn signed(self, high: u32, low: u32) -> i64 {
        let unused = 31_u32.saturating_sub(high);
        let shifted = self.0.wrapping_shl(unused).cast_signed();
        i64::from(shifted.wrapping_shr(unused.saturating_add(low)))
    }

    /// Bytes of the general registers used: bit 31 chooses X over W.
    pub(super) fn width(self) -> u8 {
        if self.bit(31) { 8 } else { 4 }
    }

    /// The register in the field whose lowest bit is `low`; `None` for the zero register.
    pub(super) fn reg(self, low: u32) -> Option<Reg> {
        let n = self.field16(low.saturating_add(4), low);
        (n != 31).then_some(Reg(n))
    }

    /// The register in that field, 31 being the stack pointer.
    pub(super) fn reg_or_sp(self, low: u32) -> Reg {
        let n = self.field16(low.saturating_add(4), low);
        if n == 31 { SP } else { Reg(n) }
    }

    /// The value of that register, 31 being zero.
    pub(super) fn value(self, low: u32, width: u8) -> Value {
        self.reg(low).map_or(Value::Constant(0), |reg| Value::Register(reg, width))
    }
}

/// `value` limited to `width` bytes.
pub(super) fn truncate(value: u64, width: u8) -> u64 {
    if width == 8 { value } else { value & 0xffff_ffff }
}

pub(super) fn binary(operator: Operator, a: Value, b: Value) -> Value {
    Value::Binary(operator, Box::new(a), Box::new(b))
}

/// `register = value`, nothing for the zero register.
pub(super) fn set(out: &mut Vec<Effect>, register: Option<Reg>, width: u8, value: Value) {
    if let Some(register) = register {
        out.push(Effect::Set { register, width, value });
    }
}

pub(super) fn clobber(out: &mut Vec<Effect>, register: Option<Reg>) {
    if let Some(register) = register {
        out.push(Effect::Clobber(register));
    }
}

/// `[base + displacement]`.
pub(super) fn based(base: Reg, displacement: i64) -> MemOperand {
    MemOperand { base: Some(base), displacement, ..MemOperand::default() }
}

/// Flags set by something that is not modelled.
pub(super) fn unknown_flags() -> Effect {
    Effect::Compare(Value::Opaque, Value::Opaque)
}

#[cfg(test)]
mod tests {
    use super::Word;

    #[test]
    fn fields_are_cut_and_extended() {
        let w = Word(0xa9bd_7bfd); // stp x29, x30, [sp, #-48]!
        assert_eq!(w.field(31, 30), 2);
        assert_eq!(w.signed(21, 15), -6);
        assert_eq!(w.field(31, 0), 0xa9bd_7bfd);
        assert_eq!(w.signed(31, 0), -1_447_199_747);
        assert!(w.bit(31) && !w.bit(30));
    }
}
