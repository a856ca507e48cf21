//! Abstract interpretation: what every register and stack slot holds before every instruction.
//!
//! States are solved over the block graph. Where different values meet, a place gets a phi of
//! that block; a place can do so once, which bounds the work. Calls forget what the calling
//! convention lets them change. Nothing is guessed: an effect that is not modelled leaves an
//! opaque value behind.

use crate::code::Code;
use crate::insn::{Effect, Flow, Insn, MemOperand, Value as Operand};
use crate::value::{Arena, Node, NodeId, Place, Value};
use kwhy_arch::Cpu;
use kwhy_base::{ImageAddr, Reg};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
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
    exits: Vec<Option<Rc<State>>>,
}

/// Places of blocks (by the first instruction) where what meets is one value.
type Settled = HashSet<(ImageAddr, Place)>;

/// The blocks in an order in which each comes after those that lead to it, loops aside.
struct Order {
    blocks: Vec<usize>,
    positions: Vec<usize>,
    roots: HashSet<usize>,
}

impl Order {
    /// Reverse postorder from the entry and from all blocks that nothing leads to.
    fn new(code: &Code) -> Order {
        let count = code.blocks.len();
        let mut seen = vec![false; count];
        let mut done: Vec<usize> = Vec::with_capacity(count);
        let mut roots = HashSet::new();
        let entry = (0..count).find(|index| code.block_start(*index) == Some(code.entry));
        let lost = (0..count).filter(|b| code.blocks.get(*b).is_some_and(|b| b.predecessors.is_empty()));
        // What is left then is loops that nothing leads into.
        for root in entry.into_iter().chain(lost).chain(0..count) {
            if seen.get(root).copied().unwrap_or(true) {
                continue;
            }
            roots.insert(root);
            code.postorder(root, &mut seen, &mut done);
        }
        done.reverse();
        let mut positions = vec![0; count];
        for (position, block) in done.iter().enumerate() {
            if let Some(slot) = positions.get_mut(*block) {
                *slot = position;
            }
        }
        Order { blocks: done, positions, roots }
    }

    fn position(&self, block: usize) -> usize {
        self.positions.get(block).copied().unwrap_or(0)
    }

    fn block(&self, position: usize) -> Option<usize> {
        self.blocks.get(position).copied()
    }

    fn is_root(&self, block: usize) -> bool {
        self.roots.contains(&block)
    }
}

/// What a value is once joins of one value are taken out.
fn resolve(same: &HashMap<NodeId, Value>, mut value: Value) -> Value {
    // Chains are as long as loops are deep.
    for _ in 0..64 {
        let Some(next) = value.node.and_then(|id| same.get(&id)) else { return value };
        value = next.offset(value.plus);
    }
    value
}

/// A function with more blocks than this is not analysed: the kernel's largest have some
/// thousands, the padding between sections that a label stands in front of has millions.
const MAX_BLOCKS: usize = 20_000;
/// How often a function is solved; two are enough but for joins hidden behind joins.
const MAX_ROUNDS: usize = 4;
/// How often the joins are gone through for ones of a single value.
const MAX_PASSES: usize = 32;

impl Solved {
    /// Solves a function; `None` for a CPU whose instructions are not known.
    #[must_use]
    pub fn new(code: Rc<Code>) -> Option<Solved> {
        Some(Solved::with(kwhy_arch::cpu(code.arch)?, code))
    }

    /// The same for a CPU that is known.
    pub(crate) fn with(cpu: &'static Cpu, code: Rc<Code>) -> Solved {
        let entries = vec![None; code.blocks.len()];
        let exits = vec![None; code.blocks.len()];
        let mut solved = Solved { code, arena: Arena::default(), cpu, entries, exits };
        solved.solve();
        solved
    }

    fn solve(&mut self) {
        if self.code.blocks.len() > MAX_BLOCKS {
            return;
        }
        // A loop that leaves a register alone joins it with itself, and whether it does is known
        // only at the end. So the places that turned out to join one value with itself are
        // noted, and the function is solved again without those joins.
        let order = Order::new(&self.code);
        let mut settled = Settled::new();
        for _ in 0..MAX_ROUNDS {
            if !self.solve_once(&order, &settled) {
                // Not reached by compiled code; what is not solved is not known.
                for index in 0..self.code.blocks.len() {
                    let state = self.unknown_state(index);
                    self.set_entry(index, state);
                }
                return;
            }
            let before = settled.len();
            self.find_settled(&order, &mut settled);
            if settled.len() == before {
                return;
            }
        }
        // The last round settled more: the state of the round before it is as true.
    }

    /// One fixpoint; `false` where it takes longer than any real function does.
    fn solve_once(&mut self, order: &Order, settled: &Settled) -> bool {
        let code = Rc::clone(&self.code);
        self.entries = vec![None; code.blocks.len()];
        self.exits = vec![None; code.blocks.len()];
        let mut work: BTreeSet<usize> = BTreeSet::new();
        for (index, block) in code.blocks.iter().enumerate() {
            let is_entry = code.block_start(index) == Some(code.entry);
            // Without a predecessor it is reached in a way the graph does not show (a switch
            // table, an exception fixup, an `asm goto`): nothing is known.
            if is_entry || block.predecessors.is_empty() || order.is_root(index) {
                work.insert(order.position(index));
            }
        }
        let mut budget = code.blocks.len().saturating_mul(200).saturating_add(10_000);
        while let Some(position) = work.pop_first() {
            budget = match budget.checked_sub(1) {
                Some(left) => left,
                None => return false,
            };
            let Some(block) = order.block(position) else { continue };
            let Some(mut state) = self.meet(block, order, settled) else { continue };
            let known = self.entries.get(block).is_some_and(|entry| entry.as_ref() == Some(&state));
            if known {
                continue;
            }
            self.set_entry(block, state.clone());
            self.run_block(block, &mut state);
            let changed = self.exits.get(block).is_some_and(|exit| exit.as_deref() != Some(&state));
            if let Some(exit) = self.exits.get_mut(block).filter(|_| changed) {
                *exit = Some(Rc::new(state));
                for next in code.blocks.get(block).map_or(&[][..], |b| &b.successors) {
                    work.insert(order.position(*next));
                }
            }
        }
        true
    }

    /// What holds at a block's start, from the ends of the blocks before it as far as known.
    fn meet(&mut self, block: usize, order: &Order, settled: &Settled) -> Option<State> {
        let code = Rc::clone(&self.code);
        let start = code.block_start(block)?;
        let predecessors = &code.blocks.get(block)?.predecessors;
        let mut inputs: Vec<Rc<State>> = Vec::new();
        if start == code.entry {
            inputs.push(Rc::new(self.entry_state()));
        } else if order.is_root(block) {
            inputs.push(Rc::new(self.unknown_state(block)));
        }
        let mut known: Vec<usize> = predecessors
            .iter()
            .copied()
            .filter(|p| self.exits.get(*p).is_some_and(Option::is_some))
            .collect();
        // The first one is the one that the block was first reached from: never a loop's end.
        known.sort_by_key(|p| order.position(*p));
        inputs.extend(known.iter().filter_map(|p| self.exits.get(*p).cloned().flatten()));
        let mut inputs = inputs.into_iter();
        let mut state = State::clone(&*inputs.next()?);
        let before = self.entries.get(block).cloned().flatten();
        let rest: Vec<Rc<State>> = inputs.collect();
        for (register, value) in &mut state.registers {
            let place = Place::Register(*register);
            if settled.contains(&(start, place)) {
                continue;
            }
            let differs = rest.iter().any(|other| other.registers.get(register) != Some(value));
            let phi = Node::Phi { block: start, place };
            // A join once made stays: that bounds the work.
            let was = before.as_ref().and_then(|before| before.registers.get(register).copied());
            if differs || self.is_node(was, phi) {
                *value = self.arena.intern(phi);
            }
        }
        state.slots.retain(|offset, _| {
            rest.iter().all(|other| other.slots.contains_key(offset))
                && before.as_ref().is_none_or(|before| before.slots.contains_key(offset))
        });
        for (offset, value) in &mut state.slots {
            let place = Place::Slot(*offset);
            if settled.contains(&(start, place)) {
                continue;
            }
            let differs = rest.iter().any(|other| other.slots.get(offset) != Some(value));
            let phi = Node::Phi { block: start, place };
            let was = before.as_ref().and_then(|before| before.slots.get(offset).copied());
            if differs || self.is_node(was, phi) {
                *value = self.arena.intern(phi);
            }
        }
        Some(state)
    }

    fn is_node(&self, value: Option<Value>, node: Node) -> bool {
        value.is_some_and(|value| {
            value.plus == 0 && value.node.and_then(|id| self.arena.node(id)) == Some(node)
        })
    }

    /// Adds the places whose joins are of one value with itself.
    fn find_settled(&mut self, order: &Order, settled: &mut Settled) {
        let code = Rc::clone(&self.code);
        // The joins that there are, with what meets in them.
        let mut phis: Vec<(NodeId, ImageAddr, Place, Vec<Value>)> = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let (Some(entry), Some(start)) = (entry, code.block_start(index)) else { continue };
            if order.is_root(index) {
                continue;
            }
            let registers = entry.registers.iter().map(|(r, v)| (Place::Register(*r), *v));
            let slots = entry.slots.iter().map(|(o, v)| (Place::Slot(*o), *v));
            for (place, value) in registers.chain(slots) {
                let Some(id) = value.node.filter(|_| value.plus == 0) else { continue };
                if self.arena.node(id) != Some(Node::Phi { block: start, place }) {
                    continue;
                }
                let mut inputs: Vec<Value> = code
                    .blocks
                    .get(index)
                    .map_or(&[][..], |block| &block.predecessors)
                    .iter()
                    .filter_map(|p| self.exits.get(*p)?.as_ref()?.place(place))
                    .collect();
                inputs.sort_unstable();
                inputs.dedup();
                phis.push((id, start, place, inputs));
            }
        }
        let mut same: HashMap<NodeId, Value> = HashMap::new();
        for _ in 0..MAX_PASSES {
            let before = same.len();
            for (id, start, place, inputs) in &phis {
                if same.contains_key(id) {
                    continue;
                }
                let itself = Value { node: Some(*id), plus: 0 };
                let mut others = inputs.iter().map(|v| resolve(&same, *v)).filter(|v| *v != itself);
                if let Some(one) = others.next()
                    && one.node != Some(*id)
                    && others.all(|other| other == one)
                {
                    same.insert(*id, one);
                    settled.insert((*start, *place));
                }
            }
            if same.len() == before {
                return;
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
        if block == self.code.entry
            && let Place::Register(register) = place
        {
            inputs.push((block, self.arena.intern(Node::Entry(register))));
        }
        for predecessor in predecessors {
            let value = self.exits.get(predecessor).and_then(|exit| exit.as_ref()?.place(place));
            if let (Some(value), Some(start)) = (value, self.code.block_start(predecessor)) {
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
