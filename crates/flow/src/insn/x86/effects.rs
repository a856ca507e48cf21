//! What x86-64 instructions do, by mnemonic.

use super::operand::{
    based, compose, is_high_byte, memory, memory_width, register, register_value, size, truncate, value,
    width,
};
use super::{RAX, RBP, RCX, RDX, RSP};
use crate::insn::{Effect, MemOperand, Operator, Value};
use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

/// The effects of `insn`, in order.
pub(super) fn effects(insn: &Instruction) -> Vec<Effect> {
    let mut out = Vec::new();
    if !modelled(insn, &mut out) {
        out.clear();
        by_tables(insn, &mut out);
    }
    let flags_said = out.iter().any(|e| matches!(e, Effect::Compare(..) | Effect::Test(..)));
    if !flags_said && insn.rflags_modified() & STATUS_FLAGS != 0 {
        out.push(Effect::Compare(Value::Opaque, Value::Opaque));
    }
    out
}

/// The flags that conditions read, as iced numbers them.
const STATUS_FLAGS: u32 = iced_x86::RflagsBits::OF
    | iced_x86::RflagsBits::SF
    | iced_x86::RflagsBits::ZF
    | iced_x86::RflagsBits::CF
    | iced_x86::RflagsBits::PF;

/// Fills `out` for the instructions that compiled C is made of; `false` for all others.
fn modelled(insn: &Instruction, out: &mut Vec<Effect>) -> bool {
    match insn.mnemonic() {
        Mnemonic::Nop
        | Mnemonic::Endbr64
        | Mnemonic::Pause
        | Mnemonic::Lfence
        | Mnemonic::Mfence
        | Mnemonic::Sfence
        | Mnemonic::Jmp
        | Mnemonic::Ud2 => {}
        _ if insn.is_jcc_short_or_near() => {}
        Mnemonic::Call => {}
        Mnemonic::Ret => out.push(read(based(RSP, 0), 8)),
        Mnemonic::Mov => return mov(insn, out),
        Mnemonic::Movzx => extend(insn, out, false),
        Mnemonic::Movsx | Mnemonic::Movsxd => extend(insn, out, true),
        Mnemonic::Lea => lea(insn, out),
        Mnemonic::Add => arithmetic(insn, out, Operator::Add, "+="),
        Mnemonic::Sub => arithmetic(insn, out, Operator::Sub, "-="),
        Mnemonic::And => arithmetic(insn, out, Operator::And, "&="),
        Mnemonic::Or => arithmetic(insn, out, Operator::Or, "|="),
        Mnemonic::Xor => arithmetic(insn, out, Operator::Xor, "^="),
        Mnemonic::Shl | Mnemonic::Sal => arithmetic(insn, out, Operator::Shl, "<<="),
        Mnemonic::Shr => arithmetic(insn, out, Operator::Shr, ">>="),
        Mnemonic::Sar => arithmetic(insn, out, Operator::Sar, ">>="),
        Mnemonic::Shlx => three(insn, out, Operator::Shl),
        Mnemonic::Shrx => three(insn, out, Operator::Shr),
        Mnemonic::Sarx => three(insn, out, Operator::Sar),
        Mnemonic::Inc => by_one(insn, out, Operator::Add, "+="),
        Mnemonic::Dec => by_one(insn, out, Operator::Sub, "-="),
        Mnemonic::Neg | Mnemonic::Not => negate(insn, out),
        Mnemonic::Imul if insn.op_count() == 2 => arithmetic(insn, out, Operator::Mul, "*="),
        Mnemonic::Imul if insn.op_count() == 3 => three(insn, out, Operator::Mul),
        Mnemonic::Cmp => {
            let w = width(insn, 0);
            out.push(Effect::Compare(value(insn, 0, w), value(insn, 1, w)));
        }
        Mnemonic::Test => {
            let w = width(insn, 0);
            out.push(Effect::Test(value(insn, 0, w), value(insn, 1, w)));
        }
        Mnemonic::Push => push(insn, out),
        Mnemonic::Pop => return pop(insn, out),
        Mnemonic::Leave => {
            set(out, RSP, 8, Value::Address(based(RBP, 8)));
            out.push(load(RBP, based(RBP, 0), 8, false));
        }
        Mnemonic::Xchg => return exchange(insn, out),
        Mnemonic::Xadd => return exchange_add(insn, out),
        Mnemonic::Cmpxchg => return compare_exchange(insn, out),
        Mnemonic::Cdqe => set(out, RAX, 8, widened(Value::Register(RAX, 4), 4, true)),
        Mnemonic::Cwde => set(out, RAX, 4, widened(Value::Register(RAX, 2), 2, true)),
        Mnemonic::Cbw => set(out, RAX, 2, widened(Value::Register(RAX, 1), 1, true)),
        Mnemonic::Cqo => set(out, RDX, 8, sign_of(8)),
        Mnemonic::Cdq => set(out, RDX, 4, sign_of(4)),
        Mnemonic::Jrcxz => out.push(Effect::Test(Value::Register(RCX, 8), Value::Register(RCX, 8))),
        Mnemonic::Loop => {
            set(out, RCX, 8, Value::Address(based(RCX, -1)));
            out.push(Effect::Test(Value::Register(RCX, 8), Value::Register(RCX, 8)));
        }
        Mnemonic::Bts => return bit_in_memory(insn, out, "|="),
        Mnemonic::Btr => return bit_in_memory(insn, out, "&= ~"),
        Mnemonic::Btc => return bit_in_memory(insn, out, "^="),
        Mnemonic::Stosb | Mnemonic::Stosw | Mnemonic::Stosd | Mnemonic::Stosq => {
            by_tables(insn, out);
            let stored = Value::Register(RAX, width(insn, 1).min(8));
            for effect in out.iter_mut() {
                if let Effect::Store { value, .. } = effect {
                    *value = stored.clone();
                }
            }
            repeated(insn, out);
        }
        Mnemonic::Movsb | Mnemonic::Movsw | Mnemonic::Movsd | Mnemonic::Movsq
            if insn.is_string_instruction() =>
        {
            by_tables(insn, out);
            repeated(insn, out);
        }
        _ if is_cmov(insn) => {
            let w = width(insn, 0);
            let either =
                Value::Binary(Operator::Either, Box::new(value(insn, 1, w)), Box::new(value(insn, 0, w)));
            return assign(out, insn.op0_register(), either);
        }
        _ => return false,
    }
    true
}

fn is_cmov(insn: &Instruction) -> bool {
    insn.condition_code() != iced_x86::ConditionCode::None
        && insn.op_count() == 2
        && insn.op0_kind() == OpKind::Register
        && insn.op0_register().is_gpr()
}

fn set(out: &mut Vec<Effect>, register: kwhy_base::Reg, width: u8, value: Value) {
    out.push(Effect::Set { register, width, value });
}

fn load(register: kwhy_base::Reg, memory: MemOperand, width: u8, signed: bool) -> Effect {
    Effect::Load { register: Some(register), memory, width, signed, ordered: false }
}

fn read(memory: MemOperand, width: u8) -> Effect {
    Effect::Load { register: None, memory, width, signed: false, ordered: false }
}

/// `reg = value`; `false` when `reg` is no general register.
fn assign(out: &mut Vec<Effect>, reg: Register, value: Value) -> bool {
    let Some(number) = register(reg) else { return false };
    if is_high_byte(reg) {
        out.push(Effect::Clobber(number));
    } else {
        set(out, number, size(reg), value);
    }
    true
}

fn mov(insn: &Instruction, out: &mut Vec<Effect>) -> bool {
    match (insn.op0_kind(), insn.op1_kind()) {
        (OpKind::Register, OpKind::Memory) => {
            let to = insn.op0_register();
            let Some(number) = register(to) else { return false };
            let w = memory_width(insn);
            if is_high_byte(to) {
                out.push(read(memory(insn), w));
                out.push(Effect::Clobber(number));
            } else if w >= 4 {
                out.push(load(number, memory(insn), w, false));
            } else {
                // The rest of the register is kept, which a load cannot say.
                set(out, number, w, Value::Memory(Box::new(memory(insn)), w));
            }
            true
        }
        (OpKind::Memory, _) => {
            let w = memory_width(insn);
            out.push(Effect::Store { value: value(insn, 1, w), memory: memory(insn), width: w });
            true
        }
        (OpKind::Register, _) => {
            let w = width(insn, 0);
            assign(out, insn.op0_register(), value(insn, 1, w)) || register(insn.op1_register()).is_some() // to a control or segment register: nothing tracked
        }
        _ => false,
    }
}

/// `value`, `bytes` wide, extended to whatever it is assigned to.
fn widened(value: Value, bytes: u8, signed: bool) -> Value {
    Value::Extract { value: Box::new(value), lsb: 0, bits: bytes.saturating_mul(8), signed }
}

/// The sign of rax's low `bytes` bytes, in every bit.
fn sign_of(bytes: u8) -> Value {
    let top = u64::from(bytes).saturating_mul(8).saturating_sub(1);
    Value::Binary(Operator::Sar, Box::new(Value::Register(RAX, bytes)), Box::new(Value::Constant(top)))
}

fn extend(insn: &Instruction, out: &mut Vec<Effect>, signed: bool) {
    let to = insn.op0_register();
    let from = width(insn, 1);
    let whole = size(to) == 8 || (size(to) == 4 && !signed);
    match register(to) {
        Some(number) if insn.op1_kind() == OpKind::Memory && whole => {
            out.push(load(number, memory(insn), from, signed));
        }
        _ => {
            assign(out, to, widened(value(insn, 1, from), from, signed));
        }
    }
}

fn lea(insn: &Instruction, out: &mut Vec<Effect>) {
    let mut address = memory(insn);
    address.segment = None;
    assign(out, insn.op0_register(), simplest(address));
}

/// An address that is a plain number or register, said as that.
fn simplest(address: MemOperand) -> Value {
    match address {
        MemOperand { base: None, index: None, displacement, .. } => {
            Value::Constant(displacement.cast_unsigned())
        }
        MemOperand { base: Some(base), index: None, displacement: 0, .. } => Value::Register(base, 8),
        other => Value::Address(other),
    }
}

fn arithmetic(insn: &Instruction, out: &mut Vec<Effect>, operator: Operator, in_c: &'static str) {
    let w = width(insn, 0);
    let mut right = value(insn, 1, w);
    if matches!(operator, Operator::Shl | Operator::Shr | Operator::Sar) {
        // Shift counts are their own width: an immediate byte, or cl.
        right = match right {
            Value::Constant(n) => Value::Constant(n & if w == 8 { 63 } else { 31 }),
            other => other,
        };
    }
    if insn.op0_kind() == OpKind::Memory {
        out.push(Effect::Modify {
            memory: memory(insn),
            width: w,
            operator: in_c,
            operand: Some(right),
            old: None,
        });
        return;
    }
    let to = insn.op0_register();
    let same = insn.op1_kind() == OpKind::Register && insn.op1_register() == to;
    let left = register_value(to);
    let logical = matches!(operator, Operator::And | Operator::Or | Operator::Xor);
    if operator == Operator::Sub {
        out.push(Effect::Compare(left.clone(), right.clone()));
    }
    let result = match (operator, &left, &right) {
        (Operator::Xor | Operator::Sub, _, _) if same => Value::Constant(0),
        (Operator::Or, _, Value::Constant(n)) if *n == truncate(u64::MAX, w) => Value::Constant(*n),
        (Operator::And, _, Value::Constant(0)) => Value::Constant(0),
        (Operator::Add, Value::Register(base, 8), Value::Constant(n)) => {
            Value::Address(based(*base, n.cast_signed()))
        }
        (Operator::Sub, Value::Register(base, 8), Value::Constant(n)) => {
            Value::Address(based(*base, n.cast_signed().wrapping_neg()))
        }
        (Operator::Add, Value::Register(base, 8), Value::Register(index, 8)) => Value::Address(MemOperand {
            base: Some(*base),
            index: Some(crate::insn::Index { register: *index, scale: 1, narrow: false, signed: false }),
            ..MemOperand::default()
        }),
        _ => Value::Binary(operator, Box::new(left), Box::new(right)),
    };
    assign(out, to, result);
    if logical {
        // These clear carry and overflow, so the flags say what `test` of the result would.
        out.push(Effect::Test(register_value(to), register_value(to)));
    }
}

/// Three-operand forms: `imul $3, b, a`, `shlx c, b, a`.
fn three(insn: &Instruction, out: &mut Vec<Effect>, operator: Operator) {
    let w = width(insn, 0);
    let result = Value::Binary(operator, Box::new(value(insn, 1, w)), Box::new(value(insn, 2, w)));
    assign(out, insn.op0_register(), result);
}

fn by_one(insn: &Instruction, out: &mut Vec<Effect>, operator: Operator, in_c: &'static str) {
    let w = width(insn, 0);
    if insn.op0_kind() == OpKind::Memory {
        out.push(Effect::Modify {
            memory: memory(insn),
            width: w,
            operator: in_c,
            operand: Some(Value::Constant(1)),
            old: None,
        });
        return;
    }
    let left = register_value(insn.op0_register());
    let result = match &left {
        Value::Register(base, 8) => {
            Value::Address(based(*base, if operator == Operator::Add { 1 } else { -1 }))
        }
        _ => Value::Binary(operator, Box::new(left), Box::new(Value::Constant(1))),
    };
    assign(out, insn.op0_register(), result);
}

fn negate(insn: &Instruction, out: &mut Vec<Effect>) {
    let w = width(insn, 0);
    let is_neg = insn.mnemonic() == Mnemonic::Neg;
    let ones = Value::Constant(truncate(u64::MAX, w));
    if insn.op0_kind() == OpKind::Memory {
        let (operator, operand) = if is_neg { ("?", None) } else { ("^=", Some(ones)) };
        out.push(Effect::Modify { memory: memory(insn), width: w, operator, operand, old: None });
        return;
    }
    let old = Box::new(register_value(insn.op0_register()));
    let result = if is_neg {
        out.push(Effect::Compare(Value::Constant(0), (*old).clone()));
        Value::Binary(Operator::Sub, Box::new(Value::Constant(0)), old)
    } else {
        Value::Binary(Operator::Xor, old, Box::new(ones))
    };
    assign(out, insn.op0_register(), result);
}

fn push(insn: &Instruction, out: &mut Vec<Effect>) {
    // A 16-bit push is never compiled; its width comes out right all the same.
    let bytes = u8::try_from(insn.stack_pointer_increment().unsigned_abs()).unwrap_or(8);
    let moved = i64::from(insn.stack_pointer_increment());
    let what = value(insn, 0, 8);
    out.push(Effect::Store { value: what, memory: based(RSP, moved), width: bytes });
    set(out, RSP, 8, Value::Address(based(RSP, moved)));
}

fn pop(insn: &Instruction, out: &mut Vec<Effect>) -> bool {
    let to = insn.op0_register();
    if insn.op0_kind() != OpKind::Register || size(to) != 8 {
        return false;
    }
    let Some(number) = register(to) else { return false };
    out.push(load(number, based(RSP, 0), 8, false));
    if number != RSP {
        set(out, RSP, 8, Value::Address(based(RSP, 8)));
    }
    true
}

fn exchange(insn: &Instruction, out: &mut Vec<Effect>) -> bool {
    let old = register(insn.op1_register());
    if insn.op0_kind() == OpKind::Memory && !is_high_byte(insn.op1_register()) {
        let w = memory_width(insn);
        out.push(Effect::Modify {
            memory: memory(insn),
            width: w,
            operator: "=",
            operand: Some(register_value(insn.op1_register())),
            old: if w >= 4 { old } else { None },
        });
        if let Some(number) = old.filter(|_| w < 4) {
            out.push(Effect::Clobber(number));
        }
        return true;
    }
    false
}

fn exchange_add(insn: &Instruction, out: &mut Vec<Effect>) -> bool {
    let w = memory_width(insn);
    if insn.op0_kind() != OpKind::Memory || w < 4 {
        return false;
    }
    out.push(Effect::Modify {
        memory: memory(insn),
        width: w,
        operator: "+=",
        operand: Some(register_value(insn.op1_register())),
        old: register(insn.op1_register()),
    });
    true
}

fn compare_exchange(insn: &Instruction, out: &mut Vec<Effect>) -> bool {
    let w = memory_width(insn);
    if insn.op0_kind() != OpKind::Memory || w < 4 {
        return false;
    }
    // When the exchange happens rax held the old value already, so it has it either way.
    out.push(Effect::Modify {
        memory: memory(insn),
        width: w,
        operator: "=",
        operand: Some(register_value(insn.op1_register())),
        old: Some(RAX),
    });
    true
}

/// `bts $3, mem`: with an immediate the bit lies in the operand; with a register it may lie
/// anywhere around it, in the doubleword at `mem + bit / 8`, which only the tables' view fits.
fn bit_in_memory(insn: &Instruction, out: &mut Vec<Effect>, in_c: &'static str) -> bool {
    if insn.op0_kind() != OpKind::Memory || insn.op1_kind() != OpKind::Immediate8 {
        return false;
    }
    let w = memory_width(insn);
    let bits = u32::from(w).saturating_mul(8).max(1);
    let bit = u32::from(insn.immediate8()) % bits;
    out.push(Effect::Modify {
        memory: memory(insn),
        width: w,
        operator: in_c,
        operand: Some(Value::Constant(1_u64.wrapping_shl(bit))),
        old: None,
    });
    true
}

/// After a `rep` prefix the count is 0.
fn repeated(insn: &Instruction, out: &mut Vec<Effect>) {
    if insn.has_rep_prefix() || insn.has_repne_prefix() {
        out.retain(|effect| *effect != Effect::Clobber(RCX));
        set(out, RCX, 8, Value::Constant(0));
    }
}

/// Memory touched and registers written, from iced's instruction tables.
fn by_tables(insn: &Instruction, out: &mut Vec<Effect>) {
    let mut factory = InstructionInfoFactory::new();
    let info = factory.info(insn);
    for used in info.used_memory() {
        let memory = compose(used.segment(), used.base(), used.index(), used.scale(), used.displacement());
        let width = match u8::try_from(used.memory_size().size()) {
            // A repeated string instruction's whole extent is in a register; its unit is what is said.
            Ok(0) if insn.is_string_instruction() => memory_width(insn),
            Ok(width) => width,
            Err(_) => 255,
        };
        match used.access() {
            OpAccess::Read | OpAccess::CondRead => out.push(read(memory, width)),
            OpAccess::Write | OpAccess::CondWrite => {
                out.push(Effect::Store { value: Value::Opaque, memory, width });
            }
            OpAccess::ReadWrite | OpAccess::ReadCondWrite => {
                out.push(Effect::Modify { memory, width, operator: "?", operand: None, old: None });
            }
            _ => {}
        }
    }
    for used in info.used_registers() {
        let written = matches!(
            used.access(),
            OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        );
        let Some(number) = register(used.register()).filter(|_| written) else { continue };
        if number == RSP && insn.is_stack_instruction() {
            let moved = i64::from(insn.stack_pointer_increment());
            let kept = matches!(
                insn.flow_control(),
                iced_x86::FlowControl::Call
                    | iced_x86::FlowControl::IndirectCall
                    | iced_x86::FlowControl::Return
            );
            if moved != 0 && !kept {
                set(out, RSP, 8, Value::Address(based(RSP, moved)));
            }
            continue;
        }
        let effect = Effect::Clobber(number);
        if !out.contains(&effect) {
            out.push(effect);
        }
    }
}
