//! Data processing: immediates, registers, and what vector instructions leave in general registers.

use super::bits::{Word, based, binary, clobber, set, truncate, unknown_flags};
use super::{Meaning, condition};
use crate::insn::{Effect, Index, MemOperand, Operator, Value};
use kwhy_base::{ImageAddr, Reg};

/// Data processing, immediate (C4.1.92).
pub(super) fn immediate(w: Word, address: ImageAddr, to: &mut Meaning) {
    let width = w.width();
    let out = &mut to.effects;
    match w.field(25, 23) {
        0b000 | 0b001 => {
            let offset = w.signed(23, 5).wrapping_shl(2) | i64::from(w.field(30, 29));
            let value = if w.bit(31) {
                (address.0 & !0xfff).wrapping_add_signed(offset.wrapping_shl(12))
            } else {
                address.0.wrapping_add_signed(offset)
            };
            set(out, w.reg(0), 8, Value::Constant(value));
        }
        0b010 => {
            let amount = u64::from(w.field(21, 10)) << if w.bit(22) { 12 } else { 0 };
            let (subtract, flags) = (w.bit(30), w.bit(29));
            let source = w.reg_or_sp(5);
            if flags {
                let other = if subtract { amount } else { truncate(amount.wrapping_neg(), width) };
                out.push(Effect::Compare(Value::Register(source, width), Value::Constant(other)));
            }
            let register = if flags { w.reg(0) } else { Some(w.reg_or_sp(0)) };
            set(out, register, width, plus(source, width, amount, subtract));
        }
        0b100 => {
            let Some(mask) = bit_mask(w) else { return clobber(out, Some(w.reg_or_sp(0))) };
            let mask = truncate(mask, width);
            let source = w.value(5, width);
            logical(out, w, source, Value::Constant(mask));
        }
        0b101 => {
            let shift = w.field(22, 21).saturating_mul(16);
            let piece = u64::from(w.field(20, 5)).wrapping_shl(shift);
            let value = match w.field(30, 29) {
                0b00 => Value::Constant(truncate(!piece, width)),
                0b10 => Value::Constant(piece),
                _ => {
                    let hole = truncate(!(0xffff_u64.wrapping_shl(shift)), width);
                    let rest = binary(Operator::And, w.value(0, width), Value::Constant(hole));
                    binary(Operator::Or, rest, Value::Constant(piece))
                }
            };
            set(out, w.reg(0), width, value);
        }
        0b110 => bit_field(w, out),
        0b111 => {
            // `extr`; with the same register twice a rotation. Neither has a C operator.
            clobber(out, w.reg(0));
        }
        _ => clobber(out, Some(w.reg_or_sp(0))), // addg, subg: memory tags; min/max immediates
    }
}

/// `source ± amount`; 64-bit sums may be pointers.
fn plus(source: Reg, width: u8, amount: u64, subtract: bool) -> Value {
    if amount == 0 {
        return Value::Register(source, width);
    }
    if width == 8 {
        let amount = amount.cast_signed();
        return Value::Address(based(source, if subtract { amount.wrapping_neg() } else { amount }));
    }
    let operator = if subtract { Operator::Sub } else { Operator::Add };
    binary(operator, Value::Register(source, width), Value::Constant(amount))
}

/// and, orr, eor, ands of `source` with `operand`, by bits 30:29.
fn logical(out: &mut Vec<Effect>, w: Word, source: Value, operand: Value) {
    let width = w.width();
    let immediate = matches!(operand, Value::Constant(_)) && w.field(28, 23) == 0b10_0100;
    let opc = w.field(30, 29);
    if opc == 0b11 {
        out.push(Effect::Test(source.clone(), operand.clone()));
    }
    let operator = match opc {
        0b01 => Operator::Or,
        0b10 => Operator::Xor,
        _ => Operator::And,
    };
    // Field 31 of the result is the stack pointer only with an immediate and no flags.
    let register = if immediate && opc != 0b11 { Some(w.reg_or_sp(0)) } else { w.reg(0) };
    let value = match (operator, source, operand) {
        (Operator::Or | Operator::Xor, Value::Constant(0), other)
        | (Operator::Or | Operator::Xor, other, Value::Constant(0)) => other,
        (Operator::And, a, b) if a == b => a,
        (operator, a, b) => binary(operator, a, b),
    };
    set(out, register, width, value);
}

/// The immediate of a logical instruction: `DecodeBitMasks` of the Arm ARM.
pub(super) fn bit_mask(w: Word) -> Option<u64> {
    let (n, immr, imms) = (w.field(22, 22), w.field(21, 16), w.field(15, 10));
    let combined = (n << 6) | (!imms & 0x3f);
    let length = combined.checked_ilog2()?;
    let size = 1_u32.checked_shl(length)?;
    let levels = size.wrapping_sub(1);
    let (s, r) = (imms & levels, immr & levels);
    if length == 0 || s == levels {
        return None;
    }
    let ones = u64::MAX.checked_shr(63_u32.checked_sub(s)?)?;
    let all = u64::MAX.checked_shr(64_u32.checked_sub(size)?)?;
    let rotated = if r == 0 { ones } else { (ones >> r | ones.wrapping_shl(size.wrapping_sub(r))) & all };
    let mut mask = rotated;
    let mut filled = size;
    while filled < 64 {
        mask |= mask << filled;
        filled = filled.saturating_mul(2);
    }
    Some(mask)
}

/// sbfm, bfm, ubfm and with them all immediate shifts and extensions.
fn bit_field(w: Word, out: &mut Vec<Effect>) {
    let width = w.width();
    let size = u32::from(width).saturating_mul(8);
    let (r, s) = (w.field(21, 16), w.field(15, 10));
    let source = w.value(5, width);
    let signed = match w.field(30, 29) {
        0b00 => true,
        0b10 => false,
        _ => return clobber(out, w.reg(0)), // bfi, bfxil: part of the old value stays
    };
    let top = size.saturating_sub(1);
    let value = if s >= r {
        if s == top {
            let operator = if signed { Operator::Sar } else { Operator::Shr };
            if r == 0 { source } else { binary(operator, source, Value::Constant(u64::from(r))) }
        } else {
            extract(source, r, s.saturating_sub(r).saturating_add(1), signed)
        }
    } else {
        // The low s+1 bits move up by size - r; a plain shift when they are all that fit.
        let shift = size.saturating_sub(r);
        let bits = s.saturating_add(1);
        let moved = Value::Constant(u64::from(shift));
        if bits.saturating_add(shift) == size {
            binary(Operator::Shl, source, moved)
        } else {
            binary(Operator::Shl, extract(source, 0, bits, signed), moved)
        }
    };
    set(out, w.reg(0), width, value);
}

fn extract(value: Value, lsb: u32, bits: u32, signed: bool) -> Value {
    let narrow = |n: u32| u8::try_from(n).unwrap_or(64);
    Value::Extract { value: Box::new(value), lsb: narrow(lsb), bits: narrow(bits), signed }
}

/// Data processing, register (C4.1.95).
pub(super) fn register(w: Word, to: &mut Meaning) {
    let width = w.width();
    let out = &mut to.effects;
    if !w.bit(28) {
        if !w.bit(24) {
            logical_shifted(w, out);
        } else if w.bit(21) {
            sum_extended(w, out);
        } else {
            sum_shifted(w, out);
        }
        return;
    }
    if w.bit(24) {
        return multiply(w, out);
    }
    match w.field(23, 21) {
        0b000 if w.field(15, 10) == 0 => {
            // adc, sbc: the carry is not modelled.
            clobber(out, w.reg(0));
            if w.bit(29) {
                out.push(unknown_flags());
            }
        }
        // rmif, setf8, setf16; ccmp, ccmn: the flags depend on the flags.
        0b000 | 0b010 => out.push(unknown_flags()),
        0b100 => {
            to.condition = condition(w.field(15, 12));
            let first = w.value(5, width);
            let other = w.value(16, width);
            let ones = Value::Constant(truncate(u64::MAX, width));
            let second = match (w.bit(30), w.bit(10)) {
                (false, false) => other,
                (false, true) => match other {
                    Value::Constant(_) => Value::Constant(1),
                    other => binary(Operator::Add, other, Value::Constant(1)),
                },
                (true, false) => match other {
                    Value::Constant(_) => ones,
                    other => binary(Operator::Xor, other, ones),
                },
                (true, true) => match other {
                    Value::Constant(_) => Value::Constant(0),
                    other => binary(Operator::Sub, Value::Constant(0), other),
                },
            };
            let value = if first == second { first } else { binary(Operator::Either, first, second) };
            set(out, w.reg(0), width, value);
        }
        0b110 if w.bit(30) => one_source(w, out),
        0b110 => two_sources(w, out),
        _ => clobber(out, w.reg(0)),
    }
}

fn one_source(w: Word, out: &mut Vec<Effect>) {
    // Pointer authentication: signing, checking and stripping keep what the pointer points to.
    if w.field(20, 16) == 1 && w.bit(31) {
        set(out, w.reg(0), 8, w.value(0, 8));
    } else {
        clobber(out, w.reg(0));
    }
}

fn two_sources(w: Word, out: &mut Vec<Effect>) {
    let width = w.width();
    let operator = match w.field(15, 10) {
        0b00_1000 => Operator::Shl,
        0b00_1001 => Operator::Shr,
        0b00_1010 => Operator::Sar,
        0b00_0000 => {
            // subp(s): a difference of tagged pointers.
            clobber(out, w.reg(0));
            if w.bit(29) {
                out.push(unknown_flags());
            }
            return;
        }
        // irg writes a tagged stack pointer too.
        0b00_0100 => return clobber(out, Some(w.reg_or_sp(0))),
        _ => return clobber(out, w.reg(0)),
    };
    // The amount counts modulo the width.
    let amount = extract(w.value(16, width), 0, if width == 8 { 6 } else { 5 }, false);
    set(out, w.reg(0), width, binary(operator, w.value(5, width), amount));
}

fn multiply(w: Word, out: &mut Vec<Effect>) {
    let width = w.width();
    let subtract = w.bit(15);
    let (a, b) = match w.field(23, 21) {
        0b000 => (w.value(5, width), w.value(16, width)),
        0b001 => (extract(w.value(5, 4), 0, 32, true), extract(w.value(16, 4), 0, 32, true)),
        0b101 => (w.value(5, 4), w.value(16, 4)),
        _ => return clobber(out, w.reg(0)), // umulh, smulh; newer pairs
    };
    let product = binary(Operator::Mul, a, b);
    let value = match (w.value(10, width), subtract) {
        (Value::Constant(0), false) => product,
        (addend, false) => binary(Operator::Add, addend, product),
        (addend, true) => binary(Operator::Sub, addend, product),
    };
    set(out, w.reg(0), width, value);
}

/// The shifted second operand of bits 23:22 and 15:10.
fn shifted(w: Word) -> Value {
    let width = w.width();
    let source = w.value(16, width);
    let amount = w.field(15, 10);
    if amount == 0 || matches!(source, Value::Constant(0)) {
        return source;
    }
    let operator = match w.field(23, 22) {
        0b00 => Operator::Shl,
        0b01 => Operator::Shr,
        0b10 => Operator::Sar,
        _ => return Value::Opaque, // a rotation
    };
    binary(operator, source, Value::Constant(u64::from(amount)))
}

fn logical_shifted(w: Word, out: &mut Vec<Effect>) {
    let mut operand = shifted(w);
    if w.bit(21) {
        let ones = truncate(u64::MAX, w.width());
        operand = match operand {
            Value::Constant(n) => Value::Constant(!n & ones),
            other => binary(Operator::Xor, other, Value::Constant(ones)),
        };
    }
    logical(out, w, w.value(5, w.width()), operand);
}

fn sum_shifted(w: Word, out: &mut Vec<Effect>) {
    let width = w.width();
    let amount = w.field8(15, 10);
    let index = (w.field(23, 22) == 0 && amount <= 4).then(|| w.reg(16)).flatten().map(|register| Index {
        register,
        scale: 1_u8.wrapping_shl(u32::from(amount)),
        narrow: false,
        signed: false,
    });
    sum(w, out, w.value(5, width), shifted(w), index, w.reg(0));
}

fn sum_extended(w: Word, out: &mut Vec<Effect>) {
    let width = w.width();
    let option = w.field(15, 13);
    let amount = w.field8(12, 10).min(4);
    let signed = option & 4 != 0;
    let bits = 8_u32.wrapping_shl(option & 3);
    let source = w.value(16, if bits == 64 { width } else { 4 });
    let whole = bits >= u32::from(width).saturating_mul(8);
    let wide = if whole { source } else { extract(source, 0, bits, signed) };
    let operand =
        if amount == 0 { wide } else { binary(Operator::Shl, wide, Value::Constant(u64::from(amount))) };
    let index = (bits >= 32).then(|| w.reg(16)).flatten().map(|register| Index {
        register,
        scale: 1_u8.wrapping_shl(u32::from(amount)),
        narrow: bits == 32,
        signed: bits == 32 && signed,
    });
    let register = if w.bit(29) { w.reg(0) } else { Some(w.reg_or_sp(0)) };
    sum(w, out, Value::Register(w.reg_or_sp(5), width), operand, index, register);
}

/// `a ± b`, with flags by bit 29; `index` says `b` as the index of an address where it can.
fn sum(w: Word, out: &mut Vec<Effect>, a: Value, b: Value, index: Option<Index>, register: Option<Reg>) {
    let width = w.width();
    let subtract = w.bit(30);
    if w.bit(29) {
        let other = if subtract { b.clone() } else { binary(Operator::Sub, Value::Constant(0), b.clone()) };
        out.push(Effect::Compare(a.clone(), other));
    }
    let value = match (subtract, &a, &b) {
        (false, Value::Constant(0), _) => b,
        (_, _, Value::Constant(0)) => a,
        (true, _, _) if a == b => Value::Constant(0),
        (false, Value::Register(base, 8), _) if index.is_some() => {
            Value::Address(MemOperand { base: Some(*base), index, ..MemOperand::default() })
        }
        (false, _, _) => binary(Operator::Add, a, b),
        (true, _, _) => binary(Operator::Sub, a, b),
    };
    set(out, register, width, value);
}

/// SIMD and floating point (C4.1.96): only what reaches general registers and flags counts here.
pub(super) fn vector(w: Word, to: &mut Meaning) {
    let out = &mut to.effects;
    // Conversions between floating point and integers (bits 28:24 = 11110).
    if w.field(30, 24) == 0b001_1110 {
        let integer = w.bit(21) && w.field(15, 10) == 0;
        let fixed = !w.bit(21);
        // Opcodes 2, 3 and 7 take the general register as source.
        if (integer || fixed) && !matches!(w.field(18, 16), 2 | 3 | 7) {
            return clobber(out, w.reg(0));
        }
        // fcmp, fccmp.
        if w.bit(21) && (w.field(13, 10) == 0b1000 || w.field(11, 10) == 0b01) {
            out.push(unknown_flags());
        }
        return;
    }
    // smov, umov: an element to a general register.
    if w.field(29, 21) == 0b0_0111_0000 && !w.bit(31) && matches!(w.field(15, 10), 0b00_1011 | 0b00_1111) {
        clobber(out, w.reg(0));
    }
}

#[cfg(test)]
mod tests {
    use super::{Word, bit_mask};

    #[test]
    fn logical_immediates_are_those_of_the_manual() {
        assert_eq!(bit_mask(Word(0x1200_2401)), Some(0x3ff_0000_03ff)); // and w1, w0, #0x3ff
        assert_eq!(bit_mask(Word(0x9240_7e60)), Some(0xffff_ffff)); // and x0, x19, #0xffffffff
        assert_eq!(bit_mask(Word(0xb261_0000)), Some(0x8000_0000)); // orr x0, x0, #0x80000000
        assert_eq!(bit_mask(Word(0x521b_0820)), Some(0xe0_0000_00e0)); // eor w0, w1, #0xe0
    }
}
