//! Every write of a function to memory, with what is written, and what pointers of it point into:
//! what the search for a value's producers runs on.

use crate::insn::{Effect, Flow, Operator};
use crate::scene::Scene;
use crate::value::{Node, Place, Value};
use kwhy_base::{ImageAddr, Reg};
use kwhy_image::{Type, TypeId};
use std::collections::BTreeSet;

/// One write to memory that is not the function's own stack frame's bookkeeping.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The instruction.
    pub at: ImageAddr,
    /// Where to, without a segment's base.
    pub address: Value,
    /// Segment base register (x86 gs.base for per-cpu data), where the operand had one.
    pub segment: Option<Reg>,
    /// Bytes.
    pub width: u8,
    /// It changes what was there rather than replacing it (`++`, `|=`, an atomic operation).
    pub modifies: bool,
    /// What is written, where that is modelled and does not depend on what was there.
    pub number: Option<Value>,
}

/// An object that an address lies in.
#[derive(Clone, Debug, PartialEq)]
pub struct Within {
    /// The struct or union.
    pub record: TypeId,
    /// Bytes from its start.
    pub offset: i64,
    /// What points to it, in C; for a local variable its address: `&cmd`.
    pub pointer: String,
}

/// A value that a value may be, with the place in the code that decided for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The value; never a choice between others.
    pub value: Value,
    /// The instruction that set it, where it is one of several: for a constant, its line.
    pub set_at: Option<ImageAddr>,
}

/// How many values of a choice are told apart.
const MAX_CHOICES: usize = 32;
/// How many instructions back the one that set a value is looked for.
const MAX_BACK: usize = 64;

impl Scene<'_, '_> {
    /// All writes, in the order of the code. What never runs is left out.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        let mut found = Vec::new();
        for insn in &self.code.insns {
            let writes = |effect: &Effect| matches!(effect, Effect::Store { .. } | Effect::Modify { .. });
            // The return address that a call pushes is nobody's data.
            if !matches!(insn.flow, Flow::Next | Flow::Branch(_)) || !insn.effects.iter().any(writes) {
                continue;
            }
            let Some(state) = self.state(insn.address) else { continue };
            let mut solved = self.solved.borrow_mut();
            for effect in &insn.effects {
                let (memory, width, modifies, value) = match effect {
                    Effect::Store { memory, width, value } => (memory, *width, false, Some(value)),
                    // An exchange writes its operand; of a conditional one it is what may be written.
                    Effect::Modify { memory, width, operand, operator: "=", .. } => {
                        (memory, *width, false, operand.as_ref())
                    }
                    Effect::Modify { memory, width, .. } => (memory, *width, true, None),
                    _ => continue,
                };
                let Some(address) = solved.address(&state, memory) else { continue };
                let number = value.and_then(|value| solved.operand(&state, value, insn.address));
                found.push(Write {
                    at: insn.address,
                    address,
                    segment: memory.segment,
                    width,
                    modifies,
                    number,
                });
            }
        }
        found
    }

    /// Whether the value is an address in this function's stack frame.
    #[must_use]
    pub fn is_stack_address(&self, value: Value) -> bool {
        let sp = kwhy_arch::cpu(self.arch()).map(|cpu| cpu.sp);
        matches!(value.node.and_then(|id| self.node(id)), Some(Node::Entry(register)) if Some(register) == sp)
    }

    /// The structs that an address is in, by every name and type that there is for the pointers
    /// to them. Usually one; a pointer to a member is one to the struct around it as well.
    #[must_use]
    pub fn objects_of(&self, pc: ImageAddr, address: Value) -> Vec<Within> {
        let mut found: Vec<Within> = Vec::new();
        let mut add = |record: TypeId, offset: i64, pointer: String| {
            if matches!(self.image.strip(record), Type::Record(_))
                && !found.iter().any(|other| other.record == record && other.offset == offset)
            {
                found.push(Within { record, offset, pointer });
            }
        };
        let pointee = |ty: Option<TypeId>| match ty.map(|ty| self.image.strip(ty)) {
            Some(Type::Pointer(to)) => Some(to),
            _ => None,
        };
        for name in self.names.of_node(address.node) {
            let Some(variable) = self.names.variables.get(name.variable) else { continue };
            if let Some(to) = pointee(variable.ty) {
                add(to, address.plus.wrapping_sub(name.plus), variable.name.to_string());
            }
        }
        for name in self.names.objects_at(address.node) {
            let Some(variable) = self.names.variables.get(name.variable) else { continue };
            let offset = address.plus.wrapping_sub(name.plus);
            let size = variable.ty.and_then(|ty| self.image.size_of(ty)).unwrap_or(0);
            if let Some(ty) = variable.ty
                && u64::try_from(offset).is_ok_and(|offset| offset < size)
            {
                add(ty, offset, format!("&{}", variable.name));
            }
        }
        let Some(id) = address.node else { return found };
        let base = Value { node: Some(id), plus: 0 };
        let outlook = self.outlook(pc);
        if let Some(described) = self.described_in(&outlook, base)
            && let Some(to) = pointee(described.ty).or(described.points_to)
        {
            add(to, address.plus, described.text);
        }
        // What is made here and only ever stored has the type of the place that it is stored to.
        for store in self.names.stores_of(id).iter().take(4) {
            let there = self.outlook(store.at);
            let kept = self.lvalue_in(&there, store.address, None, 8);
            if let Some(kept) = kept.filter(|kept| kept.fit.is_some())
                && let Some(to) = pointee(kept.ty)
            {
                add(to, address.plus.wrapping_sub(store.plus), kept.text);
            }
        }
        if let Some(lvalue) = self.lvalue_in(&outlook, address, None, 0)
            && let (Some(to), Some(pointer)) = (lvalue.pointee, lvalue.pointer)
        {
            add(to, lvalue.offset, pointer);
        }
        found
    }

    /// The values that a value may be: the inputs of choices, and of choices between those.
    /// What leads back to itself (a loop's variable) is left out.
    #[must_use]
    pub fn choices(&self, value: Value) -> Vec<Choice> {
        let mut seen: BTreeSet<Value> = BTreeSet::new();
        let mut open = vec![Choice { value, set_at: None }];
        let mut found = Vec::new();
        while let Some(leaf) = open.pop() {
            if !seen.insert(leaf.value) || seen.len() > MAX_CHOICES {
                continue;
            }
            let plus = leaf.value.plus;
            match leaf.value.node.and_then(|id| self.node(id)) {
                Some(Node::Phi { block, place }) => {
                    for (from, input) in self.phi_inputs(block, place).into_iter().rev() {
                        let set_at = self.setter(from, place).or(leaf.set_at);
                        open.push(Choice { value: input.offset(plus), set_at });
                    }
                }
                Some(Node::Binary(Operator::Either, a, b)) => {
                    for input in [b, a] {
                        open.push(Choice { value: input.offset(plus), set_at: leaf.set_at });
                    }
                }
                // A zero-extended choice is a choice of zero-extended values.
                Some(Node::Extract { value: inner, lsb: 0, bits, signed }) if plus == 0 && bits >= 32 => {
                    let inner = self.choices_once(inner);
                    if inner.len() <= 1 {
                        found.push(leaf);
                        continue;
                    }
                    for input in inner.into_iter().rev() {
                        let cut = self.solved.borrow_mut().arena.extract(input.value, 0, bits, signed);
                        open.push(Choice { value: cut, set_at: input.set_at.or(leaf.set_at) });
                    }
                }
                _ => found.push(leaf),
            }
        }
        found
    }

    /// One level of [`Scene::choices`].
    fn choices_once(&self, value: Value) -> Vec<Choice> {
        match value.node.and_then(|id| self.node(id)) {
            Some(Node::Phi { block, place }) => self
                .phi_inputs(block, place)
                .into_iter()
                .map(|(from, input)| Choice {
                    value: input.offset(value.plus),
                    set_at: self.setter(from, place),
                })
                .collect(),
            Some(Node::Binary(Operator::Either, a, b)) => [a, b]
                .into_iter()
                .map(|input| Choice { value: input.offset(value.plus), set_at: None })
                .collect(),
            _ => vec![Choice { value, set_at: None }],
        }
    }

    /// The instruction that gave a register its value before the end of the block at `block`.
    fn setter(&self, block: ImageAddr, place: Place) -> Option<ImageAddr> {
        let Place::Register(register) = place else { return None };
        let mut index = self.code.block_of(self.code.index_of(block)?)?;
        let mut budget = MAX_BACK;
        for _ in 0..MAX_BACK {
            let range = self.code.blocks.get(index)?.insns.clone();
            for insn in self.code.insns.get(range)?.iter().rev() {
                budget = budget.checked_sub(1)?;
                let sets = insn.effects.iter().any(|effect| match effect {
                    Effect::Set { register: to, .. } | Effect::Clobber(to) => *to == register,
                    Effect::Load { register: to, .. } => *to == Some(register),
                    Effect::Modify { old, .. } => *old == Some(register),
                    _ => false,
                });
                if sets {
                    return Some(insn.address);
                }
                if matches!(insn.flow, Flow::Call(_) | Flow::CallIndirect(_)) {
                    let saved = kwhy_arch::cpu(self.arch())
                        .is_some_and(|cpu| cpu.callee_saved.contains(&register) || cpu.sp == register);
                    if !saved {
                        return Some(insn.address);
                    }
                }
            }
            match self.code.blocks.get(index)?.predecessors.as_slice() {
                [only] if *only != index => index = *only,
                _ => return None,
            }
        }
        None
    }

    /// What the function returns, at each of its returns (and jumps to other functions are none).
    #[must_use]
    pub fn returned(&self) -> Vec<(ImageAddr, Value)> {
        let Some(cpu) = kwhy_arch::cpu(self.arch()) else { return Vec::new() };
        let returns = self.code.insns.iter().filter(|insn| self.is_return(insn));
        returns.filter_map(|insn| Some((insn.address, self.register(insn.address, cpu.result)?))).collect()
    }

    /// A return, or on x86 a jump to the thunk that stands for one (`-mfunction-return`).
    fn is_return(&self, insn: &crate::insn::Insn) -> bool {
        match insn.flow {
            Flow::Return => true,
            Flow::Jump(target) => self
                .code
                .symbol_name(self.image, target)
                .is_some_and(|name| name.starts_with("__x86_return_thunk") || name == "srso_return_thunk"),
            _ => false,
        }
    }

    /// The calls, and jumps to other functions: the instruction, and where it goes if that is fixed.
    #[must_use]
    pub fn calls(&self) -> Vec<(ImageAddr, Option<ImageAddr>)> {
        let outside = |target: &ImageAddr| self.code.index_of(*target).is_none();
        self.code
            .insns
            .iter()
            .filter_map(|insn| match &insn.flow {
                Flow::Call(target) => Some((insn.address, Some(*target))),
                Flow::Jump(target) | Flow::Branch(target) if outside(target) => {
                    Some((insn.address, Some(*target)))
                }
                Flow::CallIndirect(_) => Some((insn.address, None)),
                _ => None,
            })
            .collect()
    }

    /// What is handed over as argument number `index` (from 0) by the call at `call`.
    #[must_use]
    pub fn argument(&self, call: ImageAddr, index: usize) -> Option<Value> {
        self.register(call, *kwhy_arch::cpu(self.arch())?.arguments.get(index)?)
    }

    /// The parameter (from 0) that a value is, unchanged.
    #[must_use]
    pub fn parameter_index(&self, value: Value) -> Option<usize> {
        let Some(Node::Entry(register)) = value.node.filter(|_| value.plus == 0).and_then(|id| self.node(id))
        else {
            return None;
        };
        kwhy_arch::cpu(self.arch())?.arguments.iter().position(|argument| *argument == register)
    }

    /// The value written at `at` as C says it, in the best terms there are.
    #[must_use]
    pub fn in_words(&self, at: ImageAddr, value: Value) -> Option<String> {
        self.described_in(&self.outlook(at), value).map(|described| described.text)
    }

    /// What an address is called, in the best terms there are; with the access's width in bytes.
    #[must_use]
    pub fn object_at(
        &self,
        at: ImageAddr,
        address: Value,
        segment: Option<Reg>,
        width: u8,
    ) -> Option<crate::lvalue::LValue> {
        self.lvalue_in(&self.outlook(at), address, segment, width)
    }

    /// What an operand of the instruction at `at` is worth before it runs.
    #[must_use]
    pub fn operand_value(&self, at: ImageAddr, operand: &crate::insn::Value) -> Option<Value> {
        let state = self.state(at)?;
        self.solved.borrow_mut().operand(&state, operand, at)
    }

    /// What the call at `call` returns.
    #[must_use]
    pub fn result_of(&self, call: ImageAddr) -> Option<Value> {
        self.insn(call).filter(|insn| insn.address == call)?;
        Some(self.solved.borrow_mut().arena.intern(Node::Result { at: call }))
    }
}
