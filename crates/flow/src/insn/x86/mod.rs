//! x86-64: decoding by iced-x86, effects by mnemonic, everything else by iced's own tables.
//!
//! Semantics follow the SDM, volume 2. What is not modelled clobbers the registers that iced's
//! instruction-information tables say it writes, and touches the memory they say it touches.

mod effects;
mod operand;
mod text;

#[cfg(test)]
mod tests;

use super::{Condition, Decoded, Effect, Flow, Target, Value};
use iced_x86::{ConditionCode, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};
use kwhy_base::{ImageAddr, Reg};

pub(super) const RAX: Reg = Reg(0);
pub(super) const RDX: Reg = Reg(1);
pub(super) const RCX: Reg = Reg(2);
pub(super) const RBP: Reg = Reg(6);
pub(super) const RSP: Reg = Reg(7);

pub(super) use text::text;

/// One instruction, or nothing where the bytes are none.
fn instruction(bytes: &[u8], address: ImageAddr) -> Option<Instruction> {
    let window = bytes.get(..bytes.len().min(15))?;
    let mut decoder = Decoder::with_ip(64, window, address.0, DecoderOptions::NONE);
    if !decoder.can_decode() {
        return None;
    }
    let insn = decoder.decode();
    (!insn.is_invalid()).then_some(insn)
}

pub(super) fn decode(bytes: &[u8], address: ImageAddr) -> Option<Decoded> {
    let insn = instruction(bytes, address)?;
    let flow = flow(&insn);
    let mut effects = effects::effects(&insn);
    if matches!(flow, Flow::Call(_) | Flow::CallIndirect(_)) {
        // The pushed return address; the matching pop is the callee's.
        effects.push(Effect::Store {
            value: Value::Constant(insn.next_ip()),
            memory: operand::based(RSP, -8),
            width: 8,
        });
    }
    let len = u8::try_from(insn.len()).ok()?;
    Some(Decoded { len, effects, flow, condition: condition(&insn) })
}

fn flow(insn: &Instruction) -> Flow {
    let near = || ImageAddr(insn.near_branch_target());
    match insn.flow_control() {
        FlowControl::UnconditionalBranch if insn.op0_kind() == OpKind::NearBranch64 => Flow::Jump(near()),
        FlowControl::ConditionalBranch => Flow::Branch(near()),
        FlowControl::Call if insn.op0_kind() == OpKind::NearBranch64 => Flow::Call(near()),
        FlowControl::IndirectBranch => Flow::JumpIndirect(target(insn)),
        FlowControl::IndirectCall => Flow::CallIndirect(target(insn)),
        FlowControl::Return => Flow::Return,
        FlowControl::Exception => Flow::Stop,
        FlowControl::Interrupt if insn.mnemonic() == Mnemonic::Int3 => Flow::Stop,
        // `syscall` and `int n` come back; far jumps by constant do not exist in 64-bit mode.
        _ => Flow::Next,
    }
}

fn target(insn: &Instruction) -> Target {
    match operand::register(insn.op0_register()) {
        Some(register) if insn.op0_kind() == OpKind::Register => Target::Register(register),
        _ => Target::Memory(operand::memory(insn)),
    }
}

fn condition(insn: &Instruction) -> Option<Condition> {
    match insn.mnemonic() {
        Mnemonic::Jrcxz | Mnemonic::Jecxz => return Some(Condition::Equal),
        Mnemonic::Loop => return Some(Condition::NotEqual),
        _ => {}
    }
    Some(match insn.condition_code() {
        ConditionCode::None => return None,
        ConditionCode::o => Condition::Overflow,
        ConditionCode::no => Condition::NoOverflow,
        ConditionCode::b => Condition::Below,
        ConditionCode::ae => Condition::AboveOrEqual,
        ConditionCode::e => Condition::Equal,
        ConditionCode::ne => Condition::NotEqual,
        ConditionCode::be => Condition::BelowOrEqual,
        ConditionCode::a => Condition::Above,
        ConditionCode::s => Condition::Negative,
        ConditionCode::ns => Condition::NotNegative,
        ConditionCode::p => Condition::Parity,
        ConditionCode::np => Condition::NoParity,
        ConditionCode::l => Condition::Less,
        ConditionCode::ge => Condition::GreaterOrEqual,
        ConditionCode::le => Condition::LessOrEqual,
        ConditionCode::g => Condition::Greater,
    })
}
