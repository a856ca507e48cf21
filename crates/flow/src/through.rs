//! Calls through function pointers that stand in members of structs: `file->f_op->write()`.
//!
//! What such a call may reach is resolved by the member's type alone: every function that some
//! object keeps in that member. The member is named by the innermost struct with a tag that it
//! is in, so that `struct pci_driver`'s `driver.probe` and `struct device_driver`'s `probe` meet.

use crate::insn::{self, Effect, Flow, Target, Value as Operand};
use crate::scene::Scene;
use crate::value::{Node, Value};
use kwhy_base::{Arch, ImageAddr, Reg};
use kwhy_image::{Image, Type, TypeId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A member that holds the address of a function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The innermost struct with a tag: `struct file_operations`.
    pub record: String,
    /// Bytes from its start.
    pub offset: u64,
    /// The member, with those of structs without a tag before it: `write`.
    pub member: String,
}

/// How many values may meet in what is called.
const MAX_CHOICES: usize = 8;

/// How deep structs lie in structs; hostile types contain themselves.
const MAX_DEPTH: u32 = 16;

/// The pointer at `offset` of an object of type `ty`; `None` where no pointer is right there.
#[must_use]
pub fn slot(image: &Image<'_>, ty: TypeId, offset: u64) -> Option<Slot> {
    let (mut ty, mut offset) = (ty, offset);
    let mut outer: Option<Slot> = None;
    for _ in 0..MAX_DEPTH {
        match image.strip(ty) {
            Type::Array { element, .. } => {
                let size = image.size_of(element).filter(|size| *size > 0)?;
                let within = offset.checked_rem(size)?;
                if let Some(outer) = &mut outer {
                    // Elements are alike.
                    outer.offset = outer.offset.saturating_sub(offset).saturating_add(within);
                }
                (ty, offset) = (element, within);
            }
            Type::Record(record) => {
                let covers = |at: u64, ty: TypeId| {
                    offset.checked_sub(at).is_some_and(|in_it| in_it < image.size_of(ty).unwrap_or(0))
                };
                let member = record.members.iter().find(|member| covers(member.offset, member.ty))?;
                let name = member.name.as_deref().unwrap_or_default();
                match &mut outer {
                    Some(outer) if record.name.is_none() => {
                        if !outer.member.is_empty() && !name.is_empty() {
                            outer.member.push('.');
                        }
                        outer.member.push_str(name);
                    }
                    _ => {
                        outer = Some(Slot { record: image.type_name(ty), offset, member: name.to_owned() });
                    }
                }
                offset = offset.checked_sub(member.offset)?;
                ty = member.ty;
            }
            Type::Pointer(_) if offset == 0 => return outer.filter(|slot| !slot.member.is_empty()),
            _ => return None,
        }
    }
    None
}

/// The retpoline thunks of an x86 kernel, by their addresses: the register that each jumps to.
#[must_use]
pub fn thunks(image: &Image<'_>) -> BTreeMap<ImageAddr, Reg> {
    let Some(cpu) = kwhy_arch::cpu(Arch::X86_64).filter(|_| image.arch() == Arch::X86_64) else {
        return BTreeMap::new();
    };
    let named = image.symbols_where(&|name| name.starts_with("__x86_indirect_"));
    let through = |name: &str| name.rsplit('_').next().and_then(|register| cpu.register(register));
    named.iter().filter_map(|symbol| Some((symbol.address, through(&symbol.name)?))).collect()
}

/// Whether the code calls or jumps through a register that is somewhere loaded at `offset` from a
/// pointer: a look at the instructions without following values.
#[must_use]
pub fn may_call_through(
    image: &Image<'_>,
    ranges: &[Range<ImageAddr>],
    offset: u64,
    thunks: &BTreeMap<ImageAddr, Reg>,
) -> bool {
    let Ok(offset) = i64::try_from(offset) else { return false };
    let arch = image.arch();
    // In any order: compilers move what seldom runs to a function's end.
    let mut loaded: BTreeSet<Reg> = BTreeSet::new();
    let mut called: BTreeSet<Reg> = BTreeSet::new();
    let mut imports = crate::reloc::Imports::default();
    for range in ranges {
        let code = crate::reloc::relocated_code(image, range.clone(), &mut imports);
        let mut at = 0usize;
        while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(insn) = insn::decode(arch, rest, range.start.offset(at as i64)) else {
                at = at.saturating_add(if arch == Arch::Arm64 { 4 } else { 1 });
                continue;
            };
            at = at.saturating_add(usize::from(insn.len).max(1));
            let register = match &insn.flow {
                Flow::CallIndirect(Target::Memory(memory)) | Flow::JumpIndirect(Target::Memory(memory)) => {
                    if memory.displacement == offset && memory.base.is_some() {
                        return true;
                    }
                    None
                }
                Flow::CallIndirect(Target::Register(register))
                | Flow::JumpIndirect(Target::Register(register)) => Some(*register),
                Flow::Call(target) | Flow::Jump(target) => thunks.get(target).copied().or_else(|| {
                    let name = imports.name(*target)?.strip_prefix("__x86_indirect_")?;
                    kwhy_arch::cpu(arch)?.register(name.rsplit('_').next()?)
                }),
                _ => None,
            };
            called.extend(register);
            for effect in &insn.effects {
                match effect {
                    Effect::Load { register: Some(register), memory, width: 8, .. }
                        if memory.displacement == offset =>
                    {
                        loaded.insert(*register);
                    }
                    Effect::Set { register, value: Operand::Register(from, 8), .. }
                        if loaded.contains(from) =>
                    {
                        loaded.insert(*register);
                    }
                    _ => {}
                }
            }
        }
    }
    called.iter().any(|register| loaded.contains(register))
}

impl Scene<'_, '_> {
    /// The instructions of this function that call what `slot` holds, whatever the object.
    #[must_use]
    pub fn calls_through(&self, slot: &Slot) -> Vec<ImageAddr> {
        let indirect =
            |insn: &&insn::Insn| matches!(insn.flow, Flow::CallIndirect(_) | Flow::JumpIndirect(_));
        let calls = self.code.insns.iter().filter(indirect);
        calls.map(|insn| insn.address).filter(|at| self.called_slots(*at).contains(slot)).collect()
    }

    /// The members that the indirect call at `call` may take its target from: one, or several where
    /// the pointer is chosen before the call (`open = open ?: f->f_op->open`).
    #[must_use]
    pub fn called_slots(&self, call: ImageAddr) -> Vec<Slot> {
        let (Some(insn), Some(state)) = (self.insn(call), self.state(call)) else { return Vec::new() };
        let register = match &insn.flow {
            Flow::CallIndirect(Target::Memory(memory)) | Flow::JumpIndirect(Target::Memory(memory)) => {
                let address = self.solved.borrow_mut().address(&state, memory);
                let slot = address.and_then(|address| self.slot_at(call, address, memory.segment));
                return slot.into_iter().collect();
            }
            Flow::CallIndirect(Target::Register(register))
            | Flow::JumpIndirect(Target::Register(register)) => *register,
            _ => return Vec::new(),
        };
        let mut found = Vec::new();
        let mut open: Vec<Value> = state.register(register).into_iter().collect();
        let mut next = 0;
        while let Some(value) = open.get(next).copied()
            && next < MAX_CHOICES
        {
            next = next.saturating_add(1);
            match value.node.filter(|_| value.plus == 0).and_then(|node| self.node(node)) {
                Some(Node::Load { address, segment, width: 8, .. }) => {
                    found.extend(self.slot_at(call, address, segment));
                }
                Some(Node::Phi { block, place }) => {
                    for (_, input) in self.phi_inputs(block, place) {
                        if !open.contains(&input) {
                            open.push(input);
                        }
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// The members that this function stores the address of `function` into.
    #[must_use]
    pub fn slots_given(&self, function: ImageAddr) -> Vec<Slot> {
        let mut found = Vec::new();
        for insn in &self.code.insns {
            for effect in &insn.effects {
                let Effect::Store { value, memory, width: 8 } = effect else { continue };
                let Some(state) = self.state(insn.address) else { continue };
                let written = self.solved.borrow_mut().operand(&state, value, insn.address);
                if written.and_then(Value::as_constant) != Some(function.0) {
                    continue;
                }
                let address = self.solved.borrow_mut().address(&state, memory);
                found.extend(address.and_then(|at| self.slot_at(insn.address, at, memory.segment)));
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn slot_at(&self, pc: ImageAddr, address: Value, segment: Option<Reg>) -> Option<Slot> {
        let lvalue = self.lvalue_in(&self.outlook(pc), address, segment, 8)?;
        slot(self.image, lvalue.pointee?, u64::try_from(lvalue.offset).ok()?)
    }
}
