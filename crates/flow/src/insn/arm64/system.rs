//! Branches, exception generation and system instructions (C4.1.93).

use super::bits::{Word, based, clobber, set, unknown_flags};
use super::{Meaning, condition};
use crate::insn::{Condition, Effect, Flow, Target, Value};
use kwhy_base::{ImageAddr, Reg};

pub(super) fn branch_or_system(w: Word, address: ImageAddr, to: &mut Meaning) {
    let target = |high, low| address.offset(w.signed(high, low).wrapping_shl(2));
    if w.field(30, 26) == 0b0_0101 {
        let there = target(25, 0);
        to.flow = if w.bit(31) { Flow::Call(there) } else { Flow::Jump(there) };
        if w.bit(31) {
            link(address, to);
        }
    } else if w.field(30, 25) == 0b01_1010 {
        let zero_wanted = !w.bit(24);
        to.effects.push(Effect::Compare(w.value(0, w.width()), Value::Constant(0)));
        to.condition = Some(if zero_wanted { Condition::Equal } else { Condition::NotEqual });
        to.flow = Flow::Branch(target(23, 5));
    } else if w.field(30, 25) == 0b01_1011 {
        let bit = (w.field(31, 31) << 5) | w.field(23, 19);
        let mask = 1_u64.wrapping_shl(bit);
        to.effects.push(Effect::Test(w.value(0, w.width()), Value::Constant(mask)));
        to.condition = Some(if w.bit(24) { Condition::NotEqual } else { Condition::Equal });
        to.flow = Flow::Branch(target(18, 5));
    } else if w.field(31, 24) == 0x54 {
        to.condition = condition(w.field(3, 0));
        let there = target(23, 5);
        to.flow = if to.condition.is_some() { Flow::Branch(there) } else { Flow::Jump(there) };
    } else if w.field(31, 25) == 0b110_1011 {
        by_register(w, address, to);
    } else if w.field(31, 24) == 0xd4 {
        exception(w, to);
    } else if w.field(31, 22) == 0b11_0101_0100 {
        system(w, to);
    } else {
        clobber(&mut to.effects, w.reg(0));
    }
}

/// A call leaves the return address in x30.
fn link(address: ImageAddr, to: &mut Meaning) {
    set(&mut to.effects, Some(Reg(30)), 8, Value::Constant(address.offset(4).0));
}

/// br, blr, ret, their authenticating forms, eret.
fn by_register(w: Word, address: ImageAddr, to: &mut Meaning) {
    // The zero register as a target would be a jump to 0; the encodings of `reta?` carry 31.
    let register = w.reg(5).map(Target::Register);
    to.flow = match (w.field(24, 21), register) {
        (0b0000 | 0b1000, Some(target)) => Flow::JumpIndirect(target),
        (0b0001 | 0b1001, Some(target)) => {
            // `blr x30` jumps to the old x30: the target is read before the effects of the call.
            link(address, to);
            Flow::CallIndirect(target)
        }
        (0b0010, _) => Flow::Return,
        (0b0100 | 0b0101, _) => Flow::Return,
        _ => Flow::Stop,
    };
}

fn exception(w: Word, to: &mut Meaning) {
    match (w.field(23, 21), w.field(1, 0)) {
        (0b000, 0b01) => clobber(&mut to.effects, Some(Reg(0))),
        (0b000, _) => {
            // Hypervisor and firmware calls: x0–x17 are not preserved (SMC calling convention).
            to.effects.extend((0..18).map(|n| Effect::Clobber(Reg(n))));
        }
        _ => to.flow = Flow::Stop, // brk, hlt, dcps
    }
}

fn system(w: Word, to: &mut Meaning) {
    let out = &mut to.effects;
    let (op0, op1, crn, crm, op2) =
        (w.field(20, 19), w.field(18, 16), w.field(15, 12), w.field(11, 8), w.field(7, 5));
    match (w.bit(21), op0) {
        (true, 0) => clobber(out, w.reg(0)), // tstart, ttest
        (true, 1) => clobber(out, w.reg(0)), // sysl
        (true, _) => {
            let value = match (op0, op1, crn, crm, op2) {
                (3, 0, 4, 1, 0) => Value::System("sp_el0"),
                (3, 0, 13, 0, 4) => Value::System("tpidr_el1"),
                (3, 4, 13, 0, 2) => Value::System("tpidr_el2"),
                (3, 3, 13, 0, 2) => Value::System("tpidr_el0"),
                (3, 3, 13, 0, 3) => Value::System("tpidrro_el0"),
                _ => return clobber(out, w.reg(0)),
            };
            set(out, w.reg(0), 8, value);
        }
        (false, 0) => match (crn, crm, op2) {
            // pacia1716 and its kin sign or check x17; xpaclri and the sp forms keep what x30 points to.
            (2, 1, 0 | 2 | 4 | 6) => set(out, Some(Reg(17)), 8, Value::Register(Reg(17), 8)),
            (4, _, _) if op1 == 0 && op2 <= 2 => out.push(unknown_flags()), // cfinv, xaflag, axflag
            _ => {}
        },
        (false, 1) if crn == 7 => {
            let base = w.reg_or_sp(0);
            match (op1, crm, op2) {
                // dc zva, gva, gzva: the block's size is the CPU's; 64 bytes on all that run Linux widely.
                (3, 4, 1 | 3 | 4) => {
                    out.push(Effect::Store { value: Value::Constant(0), memory: based(base, 0), width: 64 });
                }
                // Maintenance by virtual address translates, and so faults, like a one-byte load.
                (3, 5, 1) | (3, 10..=14, 1 | 3 | 5) | (0, 6, 1 | 3 | 5) => {
                    out.push(Effect::Load {
                        register: None,
                        memory: based(base, 0),
                        width: 1,
                        signed: false,
                        ordered: false,
                    });
                }
                _ => {}
            }
        }
        (false, 3) if (op1, crn, crm) == (3, 4, 2) && op2 == 0 => out.push(unknown_flags()), // msr nzcv
        _ => {}
    }
}
