//! Traps of system register accesses and system instructions.

use super::m;
use super::sysreg::{Encoding, name_of};
use super::trap::register_name;
use crate::decoded::{Field, bits};
use crate::layout::{Meaning, Spec, field, flag, says, take_apart};
use kwhy_base::{Prose, prose};

fn operand(n: u64) -> Prose {
    prose!(m::OPERAND, n = n)
}

fn register(n: u64) -> Prose {
    prose!(m::REGISTER, register = register_name(n))
}

const HEAD: [Spec; 4] = [
    field("Op0", 21, 20, Meaning::Says(operand)),
    field("Op2", 19, 17, Meaning::Says(operand)),
    field("Op1", 16, 14, Meaning::Says(operand)),
    field("CRn", 13, 10, Meaning::Says(operand)),
];

/// The system register or instruction of an MSR/MRS trap, for the first field's meaning.
fn named(esr: u64) -> Prose {
    let encoding = Encoding {
        op0: bits(esr, 21, 20) as u8,
        op1: bits(esr, 16, 14) as u8,
        crn: bits(esr, 13, 10) as u8,
        crm: bits(esr, 4, 1) as u8,
        op2: bits(esr, 19, 17) as u8,
    };
    match name_of(encoding) {
        Some(name) => prose!(m::SYSREG_NAMED, name = name),
        None => prose!(m::SYSREG_CODED, name = encoding.generic()),
    }
}

/// The ISS of an MSR, MRS or system instruction trap.
pub(super) fn register_64(esr: u64, out: &mut Vec<Field>) {
    let rest = [
        field("Rt", 9, 5, Meaning::Says(register)),
        field("CRm", 4, 1, Meaning::Says(operand)),
        flag("Direction", 0, &m::DIR_WRITE, &m::DIR_READ),
    ];
    with_name(esr, &rest, out);
}

/// The ISS of an MSRR, MRRS or SYSP trap: Rt is an even register, its low bit not encoded.
pub(super) fn register_128(esr: u64, out: &mut Vec<Field>) {
    let rest = [
        field("Rt", 9, 6, Meaning::Says(|n| register(n.wrapping_mul(2)))),
        field("CRm", 4, 1, Meaning::Says(operand)),
        flag("Direction", 0, &m::DIR_WRITE, &m::DIR_READ),
    ];
    with_name(esr, &rest, out);
}

/// The fields, and in the place of Op0's bare number the register that all of them together name.
fn with_name(esr: u64, rest: &[Spec], out: &mut Vec<Field>) {
    take_apart(esr, 24, 10, &HEAD, &m::RESERVED_SET, out);
    take_apart(esr, 9, 0, rest, &m::RESERVED_SET, out);
    if let Some(op0) = out.iter_mut().find(|f| f.name == "Op0") {
        op0.meaning = if bits(esr, 21, 20) == 0 { says(&m::ISS_RAW) } else { named(esr) };
    }
}
