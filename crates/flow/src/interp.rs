//! Abstract interpretation: what every register and stack slot holds before every instruction.
//!
//! States are solved over the block graph. Where different values meet, a place gets a phi of
//! that block; a place can do so once, which bounds the work. Calls forget what the calling
//! convention lets them change. Nothing is guessed: an effect that is not modelled leaves an
//! opaque value behind.

use crate::code::Code;
use crate::insn::{Effect, Flow, Insn, MemOperand, Value as Operand};
use crate::value::{Arena, Node, Place, Value};
use kwhy_arch::Cpu;
use kwhy_base::{ImageAddr, Reg};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What each place holds at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    registers: BTreeMap<Reg, Value>,
    slots: BTreeMap<i64, Value>,
}

impl State {
    /// What a register holds.
    #[must_use]
    pub fn register(&self, register: Reg) -> Option<Value> {
        self.registers.get(&register).copied()
    }

    /// What the stack slot at `offset` from the stack pointer on entry holds.
    #[must_use]
    pub fn slot(&self, offset: i64) -> Option<Value> {
        self.slots.get(&offset).copied()
    }

    fn place(&self, place: Place) -> Option<Value> {
        match place {
            Place::Register(register) => self.register(register),
            Place::Slot(offset) => self.slot(offset),
        }
    }
}

/// The solved function.
pub struct Solved {
    /// Its code.
    pub code: Rc<Code>,
    /// Its values.
    pub arena: Arena,
    cpu: &'static Cpu,
    entries: Vec<Option<State>>,
}

/// A function with more blocks than this is analysed only along straight lines: each block
/// starts from nothing. The kernel's largest have some thousands.
const MAX_BLOCKS: usize = 20_000;

impl Solved {
    /// Solves a function; `None` for a CPU whose instructions are not known.
    #[must_use]
    pub fn new(code: Rc<Code>) -> Option<Solved> {
        let cpu = kwhy_arch::cpu(code.arch)?;
        let entries = vec![None; code.blocks.len()];
        let mut solved = Solved { code, arena: Arena::default(), cpu, entries };
        solved.solve();
        Some(solved)
    }

    fn solve(&mut self) {
        let mut work: BTreeSet<usize> = BTreeSet::new();
        let code = Rc::clone(&self.code);
        for (index, block) in code.blocks.iter().enumerate() {
            let is_entry = code.block_start(index) == Some(code.entry);
            if is_entry {
                let state = self.entry_state();
                self.set_entry(index, state);
                work.insert(index);
            } else if block.predecessors.is_empty() || self.code.blocks.len() > MAX_BLOCKS {
                // Reached in a way the graph does not show (a switch table, an exception fixup,
                // an `asm goto`): nothing is known but the stack pointer's distance, which
                // compiled code keeps fixed after the prologue and DWARF supplies elsewhere.
                let state = self.unknown_state(index);
                self.set_entry(index, state);
                work.insert(index);
            }
        }
        while let Some(block) = work.pop_first() {
            let Some(mut state) = self.entries.get(block).cloned().flatten() else { continue };
            self.run_block(block, &mut state);
            let successors = self.code.blocks.get(block).map(|b| b.successors.clone()).unwrap_or_default();
            for next in successors {
                if self.join(next, &state) {
                    work.insert(next);
                }
            }
        }
    }

    fn set_entry(&mut self, block: usize, state: State) {
        if let Some(slot) = self.entries.get_mut(block) {
            *slot = Some(state);
        }
    }

    fn entry_state(&mut self) -> State {
        let mut registers = BTreeMap::new();
        for (_, register) in self.cpu.registers {
            registers.insert(*register, self.arena.intern(Node::Entry(*register)));
        }
        State { registers, slots: BTreeMap::new() }
    }

    fn unknown_state(&mut self, block: usize) -> State {
        let at = self.code.block_start(block).unwrap_or(self.code.entry);
        let mut registers = BTreeMap::new();
        for (_, register) in self.cpu.registers {
            let place = Place::Register(*register);
            registers.insert(*register, self.arena.intern(Node::Opaque { at, place }));
        }
        State { registers, slots: BTreeMap::new() }
    }

    /// Merges a state into a block's entry; `true` when that changed it.
    fn join(&mut self, block: usize, incoming: &State) -> bool {
        let Some(start) = self.code.block_start(block) else { return false };
        let Some(slot) = self.entries.get_mut(block) else { return false };
        let Some(current) = slot else {
            *slot = Some(incoming.clone());
            return true;
        };
        let mut changed = false;
        for (register, value) in &mut current.registers {
            if incoming.registers.get(register) != Some(value) {
                let place = Place::Register(*register);
                let phi = self.arena.intern(Node::Phi { block: start, place });
                if *value != phi {
                    *value = phi;
                    changed = true;
                }
            }
        }
        let before = current.slots.len();
        current.slots.retain(|offset, _| incoming.slots.contains_key(offset));
        changed |= current.slots.len() != before;
        for (offset, value) in &mut current.slots {
            if incoming.slots.get(offset) != Some(value) {
                let phi = self.arena.intern(Node::Phi { block: start, place: Place::Slot(*offset) });
                if *value != phi {
                    *value = phi;
                    changed = true;
                }
            }
        }
        changed
    }

    fn run_block(&mut self, block: usize, state: &mut State) {
        let code = Rc::clone(&self.code);
        let Some(range) = code.blocks.get(block).map(|b| b.insns.clone()) else { return };
        for insn in code.insns.get(range).unwrap_or_default() {
            self.step(insn, state);
        }
    }

    /// The state before the instruction with this index; `None` where it is never reached.
    pub fn state_before(&mut self, index: usize) -> Option<State> {
        let block = self.code.block_of(index)?;
        let mut state = self.entries.get(block)?.clone()?;
        let start = self.code.blocks.get(block)?.insns.start;
        let code = Rc::clone(&self.code);
        for insn in code.insns.get(start..index).unwrap_or_default() {
            self.step(insn, &mut state);
        }
        Some(state)
    }

    /// Calls `visit` with every reachable instruction and the state before it, in address order.
    pub fn walk(&mut self, mut visit: impl FnMut(&mut Arena, &Insn, bool, &State)) {
        let code = Rc::clone(&self.code);
        for (index, block) in code.blocks.iter().enumerate() {
            let Some(mut state) = self.entries.get(index).cloned().flatten() else { continue };
            for (i, insn) in code.insns.get(block.insns.clone()).unwrap_or_default().iter().enumerate() {
                visit(&mut self.arena, insn, i == 0, &state);
                self.step(insn, &mut state);
            }
        }
    }

    /// The values that meet in a phi, each with the block it comes from.
    pub fn phi_inputs(&mut self, block: ImageAddr, place: Place) -> Vec<(ImageAddr, Value)> {
        let Some(index) = self.code.index_of(block).and_then(|i| self.code.block_of(i)) else {
            return Vec::new();
        };
        let predecessors = self.code.blocks.get(index).map(|b| b.predecessors.clone()).unwrap_or_default();
        let mut inputs = Vec::new();
        for predecessor in predecessors {
            let Some(mut state) = self.entries.get(predecessor).cloned().flatten() else { continue };
            self.run_block(predecessor, &mut state);
            if let (Some(value), Some(start)) = (state.place(place), self.code.block_start(predecessor)) {
                inputs.push((start, value));
            }
        }
        inputs
    }

    /// The address a memory operand means in a state, without its segment's base.
    pub fn address(&mut self, state: &State, memory: &MemOperand) -> Option<Value> {
        address(&mut self.arena, state, memory)
    }

    /// What an operand is worth in a state.
    pub fn operand(&mut self, state: &State, operand: &Operand, at: ImageAddr) -> Option<Value> {
        self.eval(state, operand, at)
    }

    fn step(&mut self, insn: &Insn, state: &mut State) {
        let is_call = matches!(insn.flow, Flow::Call(_) | Flow::CallIndirect(_));
        if is_call {
            self.call(insn, state);
            return;
        }
        for effect in &insn.effects {
            self.effect(insn, effect, state);
        }
    }

    fn effect(&mut self, insn: &Insn, effect: &Effect, state: &mut State) {
        let at = insn.address;
        match effect {
            Effect::Set { register, width, value } => {
                let value = match width {
                    8.. => self.eval(state, value, at),
                    4 => self.eval(state, value, at).map(|v| self.arena.extract(v, 0, 32, false)),
                    // The rest of the register is kept: only a constant 0 over a zero is simple.
                    _ => None,
                };
                self.set(state, *register, value, at);
            }
            Effect::Load { register, memory, width, signed, .. } => {
                if let Some(register) = register {
                    let value = self.load(state, memory, *width, *signed, at);
                    self.set(state, *register, value, at);
                }
            }
            Effect::Store { value, memory, width } => {
                let value = self.eval(state, value, at);
                if let Some(offset) = self.slot_of(state, memory) {
                    forget_slots(state, offset, i64::from(*width));
                    if let (8, Some(value)) = (*width, value) {
                        state.slots.insert(offset, value);
                    }
                }
            }
            Effect::Modify { memory, width, old, .. } => {
                if let Some(register) = old {
                    let value = self.load(state, memory, *width, false, at);
                    self.set(state, *register, value, at);
                }
                if let Some(offset) = self.slot_of(state, memory) {
                    forget_slots(state, offset, i64::from(*width));
                }
            }
            Effect::Clobber(register) => self.set(state, *register, None, at),
            Effect::Compare(..) | Effect::Test(..) => {}
        }
    }

    fn call(&mut self, insn: &Insn, state: &mut State) {
        let at = insn.address;
        // A pointer to a local that is handed over lets the callee write the local.
        let sp = self.arena.intern(Node::Entry(self.cpu.sp)).node;
        let escaped: Vec<i64> = self
            .cpu
            .arguments
            .iter()
            .filter_map(|register| state.register(*register))
            .filter(|value| value.node == sp)
            .map(|value| value.plus)
            .collect();
        for offset in escaped {
            forget_slots(state, offset, 64);
        }
        for (_, register) in self.cpu.registers {
            let kept = self.cpu.callee_saved.contains(register)
                || *register == self.cpu.sp
                || *register == self.cpu.pc
                || register.0 >= 49;
            if !kept {
                let value = if *register == self.cpu.result {
                    self.arena.intern(Node::Result { at })
                } else {
                    self.arena.intern(Node::Opaque { at, place: Place::Register(*register) })
                };
                state.registers.insert(*register, value);
            }
        }
    }

    fn set(&mut self, state: &mut State, register: Reg, value: Option<Value>, at: ImageAddr) {
        let value =
            value.unwrap_or_else(|| self.arena.intern(Node::Opaque { at, place: Place::Register(register) }));
        state.registers.insert(register, value);
    }

    fn slot_of(&mut self, state: &State, memory: &MemOperand) -> Option<i64> {
        if memory.segment.is_some() {
            return None;
        }
        let address = address(&mut self.arena, state, memory)?;
        let sp = self.arena.intern(Node::Entry(self.cpu.sp)).node;
        (address.node == sp).then_some(address.plus)
    }

    fn load(
        &mut self,
        state: &State,
        memory: &MemOperand,
        width: u8,
        signed: bool,
        at: ImageAddr,
    ) -> Option<Value> {
        if width == 8
            && let Some(offset) = self.slot_of(state, memory)
            && let Some(value) = state.slot(offset)
        {
            return Some(value);
        }
        let address = address(&mut self.arena, state, memory)?;
        Some(self.arena.intern(Node::Load { address, segment: memory.segment, width, signed, at }))
    }

    fn eval(&mut self, state: &State, operand: &Operand, at: ImageAddr) -> Option<Value> {
        match operand {
            Operand::Register(register, width) => {
                let value = state.register(*register)?;
                Some(self.arena.extract(value, 0, width.saturating_mul(8), false))
            }
            Operand::Constant(number) => Some(Value::constant(*number)),
            Operand::Address(memory) => address(&mut self.arena, state, memory),
            Operand::Binary(operator, a, b) => {
                let a = self.eval(state, a, at)?;
                let b = self.eval(state, b, at)?;
                Some(self.arena.binary(*operator, a, b))
            }
            Operand::Extract { value, lsb, bits, signed } => {
                let value = self.eval(state, value, at)?;
                Some(self.arena.extract(value, *lsb, *bits, *signed))
            }
            Operand::Memory(memory, width) => self.load(state, memory, *width, false, at),
            Operand::System(name) => Some(self.arena.intern(Node::System(name))),
            Operand::Opaque => None,
        }
    }
}

/// The address a memory operand means in a state, without its segment's base.
pub fn address(arena: &mut Arena, state: &State, memory: &MemOperand) -> Option<Value> {
    let mut sum = match memory.base {
        Some(base) => state.register(base)?,
        None => Value::constant(0),
    };
    if let Some(index) = &memory.index {
        let mut value = state.register(index.register)?;
        if index.narrow {
            value = arena.extract(value, 0, 32, index.signed);
        }
        let scaled =
            arena.binary(crate::insn::Operator::Mul, value, Value::constant(u64::from(index.scale.max(1))));
        sum = arena.binary(crate::insn::Operator::Add, sum, scaled);
    }
    Some(sum.offset(memory.displacement))
}

fn forget_slots(state: &mut State, offset: i64, len: i64) {
    let from = offset.saturating_sub(7);
    let to = offset.saturating_add(len);
    let gone: Vec<i64> = state.slots.range(from..to).map(|(slot, _)| *slot).collect();
    for slot in gone {
        state.slots.remove(&slot);
    }
}
