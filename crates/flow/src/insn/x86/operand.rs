//! x86-64 operands as [`Value`]s and [`MemOperand`]s.

use crate::insn::{Index, MemOperand, Value};
use iced_x86::{Instruction, OpKind, Register};
use kwhy_base::Reg;

/// DWARF numbers of rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8–r15: the order of the encoding.
const BY_ENCODING: [u16; 16] = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];

/// The general register that `register` is or is part of.
pub(super) fn register(register: Register) -> Option<Reg> {
    let full = register.full_register();
    let number = (full as usize).checked_sub(Register::RAX as usize)?;
    BY_ENCODING.get(number).map(|n| Reg(*n))
}

/// `ah`, `ch`, `dh`, `bh`: bits 15:8 of their register.
pub(super) fn is_high_byte(register: Register) -> bool {
    matches!(register, Register::AH | Register::CH | Register::DH | Register::BH)
}

/// The value in a register operand; opaque for vector, segment and control registers.
pub(super) fn register_value(reg: Register) -> Value {
    match register(reg) {
        Some(number) if is_high_byte(reg) => {
            Value::Extract { value: Box::new(Value::Register(number, 8)), lsb: 8, bits: 8, signed: false }
        }
        Some(number) => Value::Register(number, size(reg)),
        None => Value::Opaque,
    }
}

/// A register's bytes.
pub(super) fn size(register: Register) -> u8 {
    u8::try_from(register.size()).unwrap_or(255)
}

/// `n` limited to its low `width` bytes.
pub(super) fn truncate(n: u64, width: u8) -> u64 {
    match width {
        1 => n & 0xff,
        2 => n & 0xffff,
        4 => n & 0xffff_ffff,
        _ => n,
    }
}

/// `[base + displacement]`.
pub(super) fn based(base: Reg, displacement: i64) -> MemOperand {
    MemOperand { base: Some(base), displacement, ..MemOperand::default() }
}

/// The explicit memory operand of `insn`.
pub(super) fn memory(insn: &Instruction) -> MemOperand {
    compose(
        insn.segment_prefix(),
        insn.memory_base(),
        insn.memory_index(),
        insn.memory_index_scale(),
        insn.memory_displacement64(),
    )
}

/// A memory operand from its parts as iced gives them: a rip-relative displacement is the whole address.
pub(super) fn compose(
    segment: Register,
    base: Register,
    index: Register,
    scale: u32,
    displacement: u64,
) -> MemOperand {
    let segment = match segment {
        Register::FS => Some(Reg(58)),
        Register::GS => Some(Reg(59)),
        _ => None,
    };
    let index = register(index).filter(|_| index.is_gpr()).map(|number| Index {
        register: number,
        scale: u8::try_from(scale).unwrap_or(1),
        narrow: index.is_gpr32(),
        signed: false,
    });
    let whole_base = register(base).filter(|_| base.is_gpr64());
    // A 32-bit base counts with its low half only, which an index can say and a base cannot.
    let narrow_base = register(base).filter(|_| base.is_gpr32());
    let index = index.or_else(|| {
        narrow_base.map(|number| Index { register: number, scale: 1, narrow: true, signed: false })
    });
    MemOperand { base: whole_base, index, displacement: displacement.cast_signed(), segment }
}

/// Bytes of the explicit memory operand: 0 unknown, 255 for more than 254.
pub(super) fn memory_width(insn: &Instruction) -> u8 {
    u8::try_from(insn.memory_size().size()).unwrap_or(255)
}

/// The value of operand `n`; immediates are cut to `width` bytes.
pub(super) fn value(insn: &Instruction, n: u32, width: u8) -> Value {
    match insn.op_kind(n) {
        OpKind::Register => register_value(insn.op_register(n)),
        OpKind::Memory => Value::Memory(Box::new(memory(insn)), memory_width(insn)),
        OpKind::Immediate8
        | OpKind::Immediate16
        | OpKind::Immediate32
        | OpKind::Immediate64
        | OpKind::Immediate8to16
        | OpKind::Immediate8to32
        | OpKind::Immediate8to64
        | OpKind::Immediate32to64 => Value::Constant(truncate(insn.immediate(n), width)),
        _ => Value::Opaque,
    }
}

/// Bytes of operand `n` where it is a register or memory; 8 otherwise.
pub(super) fn width(insn: &Instruction, n: u32) -> u8 {
    match insn.op_kind(n) {
        OpKind::Register => size(insn.op_register(n)),
        OpKind::Memory => memory_width(insn),
        _ => 8,
    }
}
