//! Loads and stores (C4.1.94).

use super::bits::{Word, based, binary, clobber, set};
use super::{Meaning, SP};
use crate::insn::{Effect, Index, MemOperand, Operator, Value};
use kwhy_base::{ImageAddr, Reg};

/// How an access changes its base register.
#[derive(Clone, Copy, PartialEq)]
enum WriteBack {
    None,
    /// Before the access: `[x0, #16]!`.
    Pre(i64),
    /// After it: `[x0], #16`.
    Post(i64),
}

pub(super) fn load_or_store(w: Word, address: ImageAddr, to: &mut Meaning) {
    let out = &mut to.effects;
    let vector = w.bit(26);
    match (w.field(29, 27), w.field(25, 24)) {
        (0b001, 0b00 | 0b01) if vector => structures(w, out),
        (0b001, 0b00) => exclusive(w, out),
        (0b011, 0b00) => literal(w, address, out),
        (0b011, 0b01) if vector => clobber(out, w.reg(0)),
        (0b011, 0b01) if !w.bit(21) && w.field(11, 10) == 0 => {
            // stlur, ldapur: ordered, unscaled.
            single(w, based(w.reg_or_sp(5), w.signed(20, 12)), WriteBack::None, true, out);
        }
        (0b011, 0b01) if w.bit(21) => tags(w, out),
        (0b011, 0b01) => copies(w, out),
        (0b101, _) => pair(w, out),
        (0b111, 0b01) => {
            let scale = size_log2(w);
            let offset = i64::from(w.field(21, 10)).wrapping_shl(scale);
            single(w, based(w.reg_or_sp(5), offset), WriteBack::None, false, out);
        }
        (0b111, _) => by_register_or_nine_bits(w, out),
        _ => clobber(out, w.reg(0)),
    }
}

fn by_register_or_nine_bits(w: Word, out: &mut Vec<Effect>) {
    let base = w.reg_or_sp(5);
    let offset = w.signed(20, 12);
    match (w.bit(21), w.field(11, 10)) {
        (false, 0b01) => single(w, based(base, 0), WriteBack::Post(offset), false, out),
        (false, 0b11) => single(w, based(base, offset), WriteBack::Pre(offset), false, out),
        // Unscaled, and with user-mode permissions (ldtr, sttr).
        (false, _) => single(w, based(base, offset), WriteBack::None, false, out),
        (true, 0b00) => atomic(w, out),
        (true, 0b10) => {
            let scale = if w.bit(12) { size_log2(w) } else { 0 };
            let option = w.field(15, 13);
            let narrow = option & 1 == 0;
            let index = w.reg(16).map(|register| Index {
                register,
                scale: 1_u8.wrapping_shl(scale),
                narrow,
                signed: narrow && option & 4 != 0,
            });
            let memory = MemOperand { base: Some(base), index, ..MemOperand::default() };
            single(w, memory, WriteBack::None, false, out);
        }
        (true, _) => {
            // ldraa, ldrab: the base is authenticated first, which keeps its address.
            let sign = if w.bit(22) { -512 } else { 0 };
            let offset = i64::from(w.field(20, 12)).wrapping_add(sign).wrapping_mul(8);
            out.push(load(w.reg(0), based(base, offset), 8, false, false));
            if w.bit(11) {
                set(out, Some(base), 8, Value::Address(based(base, offset)));
            }
        }
    }
}

/// log2 of the bytes of a single load or store: bits 31:30, and bit 23 for 16-byte vectors.
fn size_log2(w: Word) -> u32 {
    let size = w.field(31, 30);
    if w.bit(26) && w.bit(23) { 4 } else { size }
}

fn load(register: Option<Reg>, memory: MemOperand, width: u8, signed: bool, ordered: bool) -> Effect {
    Effect::Load { register, memory, width, signed, ordered }
}

/// ldr, str and their narrow, signed and vector forms, by bits 31:30, 26 and 23:22.
fn single(w: Word, memory: MemOperand, back: WriteBack, ordered: bool, out: &mut Vec<Effect>) {
    let width = 1_u8.wrapping_shl(size_log2(w));
    let opc = w.field(23, 22);
    if w.bit(26) {
        if opc & 1 == 1 {
            out.push(load(None, memory, width, false, ordered));
        } else {
            out.push(Effect::Store { value: Value::Opaque, memory, width });
        }
    } else {
        let register = w.reg(0);
        match (opc, width) {
            (0b00, _) => {
                out.push(Effect::Store {
                    value: w.value(0, if width == 8 { 8 } else { 4.min(width) }),
                    memory,
                    width,
                });
            }
            (0b01, _) => out.push(load(register, memory, width, false, ordered)),
            // Prefetches neither fault nor change anything.
            (0b10, 8) => {}
            (0b10, _) => out.push(load(register, memory, width, true, ordered)),
            _ => {
                // Sign-extended to 32 bits only.
                out.push(load(register, memory, width, true, ordered));
                set(out, register, 4, w.value(0, 4));
            }
        }
    }
    write_back(w, back, out);
}

fn write_back(w: Word, back: WriteBack, out: &mut Vec<Effect>) {
    let base = w.reg_or_sp(5);
    if let WriteBack::Pre(offset) | WriteBack::Post(offset) = back {
        set(out, Some(base), 8, Value::Address(based(base, offset)));
    }
}

/// ldr (literal), ldrsw (literal), and vector literals; prefetches of literals do nothing.
fn literal(w: Word, address: ImageAddr, out: &mut Vec<Effect>) {
    let target = address.0.wrapping_add_signed(w.signed(23, 5).wrapping_shl(2));
    let memory = MemOperand { displacement: target.cast_signed(), ..MemOperand::default() };
    let opc = w.field(31, 30);
    if w.bit(26) {
        out.push(load(None, memory, 4_u8.wrapping_shl(opc), false, false));
        return;
    }
    match opc {
        0b00 => out.push(load(w.reg(0), memory, 4, false, false)),
        0b01 => out.push(load(w.reg(0), memory, 8, false, false)),
        0b10 => out.push(load(w.reg(0), memory, 4, true, false)),
        _ => {}
    }
}

/// ldp, stp, ldpsw, ldnp, stnp, stgp.
fn pair(w: Word, out: &mut Vec<Effect>) {
    let opc = w.field(31, 30);
    let is_load = w.bit(22);
    let base = w.reg_or_sp(5);
    let vector = w.bit(26);
    let tagged = !vector && opc == 0b01 && !is_load;
    let width = match (vector, opc) {
        (true, _) => 4_u8.wrapping_shl(opc),
        (false, 0b10) => 8,
        _ if tagged => 8,
        _ => 4,
    };
    let unit = if tagged { 16 } else { i64::from(width) };
    let offset = w.signed(21, 15).wrapping_mul(unit);
    let (start, back) = match w.field(25, 23) {
        0b001 => (0, WriteBack::Post(offset)),
        0b011 => (offset, WriteBack::Pre(offset)),
        _ => (offset, WriteBack::None),
    };
    let first = based(base, start);
    let second = based(base, start.wrapping_add(i64::from(width)));
    if is_load {
        let kept = |low| if vector { None } else { w.reg(low) };
        let signed = !vector && opc == 0b01;
        let low = load(kept(0), first, width, signed, false);
        let high = load(kept(10), second, width, signed, false);
        // Both addresses are made before either register is written.
        if kept(0) == Some(base) {
            out.extend([high, low]);
        } else {
            out.extend([low, high]);
        }
    } else {
        let stored = |low| if vector { Value::Opaque } else { w.value(low, width) };
        out.push(Effect::Store { value: stored(0), memory: first, width });
        out.push(Effect::Store { value: stored(10), memory: second, width });
    }
    write_back(w, back, out);
}

/// ldxr, stxr, ldar, stlr, ldxp, stxp, cas, casp and their ordered forms.
fn exclusive(w: Word, out: &mut Vec<Effect>) {
    let width = 1_u8.wrapping_shl(w.field(31, 30));
    let memory = based(w.reg_or_sp(5), 0);
    let value_width = width.max(1);
    match (w.bit(23), w.bit(22), w.bit(21)) {
        (false, true, false) | (true, true, false) => out.push(load(w.reg(0), memory, width, false, true)),
        (true, false, false) => {
            out.push(Effect::Store { value: w.value(0, value_width), memory, width });
        }
        (false, false, false) => {
            out.push(Effect::Store { value: w.value(0, value_width), memory, width });
            clobber(out, w.reg(16)); // 0 when the store happened
        }
        (true, _, true) => {
            out.push(Effect::Modify {
                memory,
                width,
                operator: "=",
                operand: Some(w.value(0, value_width)),
                old: w.reg(16),
            });
        }
        (false, is_load, true) if w.bit(31) => {
            let second = based(w.reg_or_sp(5), i64::from(width));
            if is_load {
                let low = load(w.reg(0), memory, width, false, true);
                let high = load(w.reg(10), second, width, false, true);
                if w.reg(0) == Some(w.reg_or_sp(5)) {
                    out.extend([high, low])
                } else {
                    out.extend([low, high])
                }
            } else {
                out.push(Effect::Store { value: w.value(0, width), memory, width });
                out.push(Effect::Store { value: w.value(10, width), memory: second, width });
                clobber(out, w.reg(16));
            }
        }
        (false, _, true) => {
            // casp: the even register and the next one are compared and get the old value.
            let width = if w.bit(30) { 16 } else { 8 };
            out.push(Effect::Modify { memory, width, operator: "=", operand: None, old: None });
            for n in [w.field16(20, 16), w.field16(20, 16) | 1] {
                clobber(out, (n != 31).then_some(Reg(n)));
            }
        }
    }
}

/// The large-system atomics: ldadd, ldclr, swp…, their store-only aliases, and ldapr.
fn atomic(w: Word, out: &mut Vec<Effect>) {
    let width = 1_u8.wrapping_shl(w.field(31, 30));
    let memory = based(w.reg_or_sp(5), 0);
    if w.bit(26) {
        // Floating-point atomics.
        out.push(Effect::Modify { memory, width, operator: "?", operand: None, old: None });
        return;
    }
    let operator = match (w.bit(15), w.field(14, 12)) {
        (false, 0b000) => "+=",
        (false, 0b001) => "&= ~",
        (false, 0b010) => "^=",
        (false, 0b011) => "|=",
        (true, 0b000) => "=",
        (true, 0b100) => return out.push(load(w.reg(0), memory, width, false, true)),
        // 64-byte loads and stores to devices write up to eight registers.
        (true, 0b001) if width == 8 && !w.bit(23) && !w.bit(22) && w.field(20, 16) == 31 => {
            out.push(Effect::Store { value: Value::Opaque, memory, width: 64 });
            return;
        }
        (true, 0b101) if width == 8 => {
            out.push(load(None, memory, 64, false, false));
            for n in 0..8 {
                clobber(out, Some(Reg(w.field16(4, 0).wrapping_add(n))).filter(|r| r.0 < 31));
            }
            return;
        }
        _ => "?", // minimum, maximum, read-check-write
    };
    let operand = if operator == "?" { None } else { Some(w.value(16, width)) };
    out.push(Effect::Modify { memory, width, operator, operand, old: w.reg(0) });
    if operator == "?" && w.bit(15) {
        clobber(out, w.reg(16));
    }
}

/// Vector structures: ld1–ld4, st1–st4, of whole registers or single elements.
fn structures(w: Word, out: &mut Vec<Effect>) {
    let base = w.reg_or_sp(5);
    let full: u8 = if w.bit(30) { 16 } else { 8 };
    let bytes = if w.bit(24) {
        // One element of each of 1–4 registers; the replicating forms read one too.
        let count = ((w.field8(13, 13) << 1) | w.field8(21, 21)).saturating_add(1);
        let element = match w.field(15, 14) {
            0b00 => 1,
            0b01 => 2,
            0b10 => {
                if w.bit(10) {
                    8
                } else {
                    4
                }
            }
            _ => 1_u8.wrapping_shl(w.field(11, 10)),
        };
        count.saturating_mul(element)
    } else {
        let registers: u8 = match w.field(15, 12) {
            0b0000 | 0b0010 => 4,
            0b0100 | 0b0110 => 3,
            0b1000 | 0b1010 => 2,
            _ => 1,
        };
        registers.saturating_mul(full)
    };
    let memory = based(base, 0);
    if w.bit(22) {
        out.push(load(None, memory, bytes, false, false));
    } else {
        out.push(Effect::Store { value: Value::Opaque, memory, width: bytes });
    }
    if w.bit(23) {
        let next = match w.reg(16) {
            None => Value::Address(based(base, i64::from(bytes))),
            Some(step) => binary(Operator::Add, Value::Register(base, 8), Value::Register(step, 8)),
        };
        set(out, Some(base), 8, next);
    }
}

/// Memory-tagging stores and loads: they access the tags of a granule, which faults like data.
fn tags(w: Word, out: &mut Vec<Effect>) {
    let base = w.reg_or_sp(5);
    let offset = w.signed(20, 12).wrapping_mul(16);
    let opc = w.field(23, 22);
    let width = if opc & 2 == 0 { 16 } else { 32 };
    match w.field(11, 10) {
        0b00 if opc == 0b01 => {
            // ldg inserts the tag into the register.
            out.push(load(None, based(base, offset), 16, false, false));
            clobber(out, w.reg(0));
        }
        0b00 if opc == 0b11 => {
            out.push(load(None, based(base, 0), 0, false, false)); // ldgm: a block of tags
            clobber(out, w.reg(0));
        }
        0b00 => out.push(Effect::Store { value: Value::Opaque, memory: based(base, 0), width: 0 }),
        mode => {
            let start = if mode == 0b01 { 0 } else { offset };
            out.push(Effect::Store { value: Value::Opaque, memory: based(base, start), width });
            if mode != 0b10 {
                set(out, Some(base), 8, Value::Address(based(base, offset)));
            }
        }
    }
}

/// The memory-copy and memory-set instructions: destination, source and count all move.
fn copies(w: Word, out: &mut Vec<Effect>) {
    let (to, from, count) = (w.reg(0), w.reg(16), w.reg(5));
    let setting = w.field(23, 22) == 0b11;
    if !setting && let Some(from) = from {
        out.push(load(None, based(from, 0), 0, false, false));
    }
    out.push(Effect::Store { value: Value::Opaque, memory: based(to.unwrap_or(SP), 0), width: 0 });
    clobber(out, to);
    clobber(out, count);
    if !setting {
        clobber(out, from);
    }
    out.push(super::bits::unknown_flags());
}

/// `ldr` and `str` of a whole SVE register; `false` for other words.
///
/// Offsets count in vector lengths, which only the running CPU knows: the access is said where
/// the offset is 0, and left out elsewhere rather than put at a wrong place.
pub(super) fn sve_register(w: Word, to: &mut Meaning) -> bool {
    let top = w.field(31, 22);
    let is_load = top == 0b10_0001_0110;
    if !(is_load || top == 0b11_1001_0110) || !matches!(w.field(15, 13), 0b000 | 0b010) {
        return false;
    }
    if w.field(21, 16) == 0 && w.field(12, 10) == 0 {
        let memory = based(w.reg_or_sp(5), 0);
        to.effects.push(if is_load {
            load(None, memory, 0, false, false)
        } else {
            Effect::Store { value: Value::Opaque, memory, width: 0 }
        });
    }
    true
}
