//! Where a value came from, one step back, in C terms; and where it was set.
//!
//! A value that different ways bring about is first taken apart into its [`Arm`]s, each with
//! what the branches on its way say of it: a way on which the value was found not to be NULL
//! does not bring NULL about.

use crate::insn::{Effect, Flow, Insn, Operator, Value as Operand};
use crate::path::Fit;
use crate::scene::Scene;
use crate::value::{Node, NodeId, Place, Value};
use kwhy_base::{ImageAddr, Reg};
use kwhy_image::Type;
use std::collections::{BTreeSet, VecDeque};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// It is this number.
    Constant(u64),
    /// The function was entered with it.
    Parameter {
        /// In this register.
        register: Reg,
    },
    /// It was read from memory.
    Read(Read),
    /// A call returned it.
    Result {
        /// The call.
        call: ImageAddr,
        /// The symbol called; `None` for a call through a pointer.
        callee: Option<String>,
        /// The register that it came back in; another than the first for the second half of a
        /// struct returned by value.
        register: Reg,
    },
    /// It was computed from these.
    Computed(Vec<Value>),
    /// An instruction that is not modelled made it.
    Opaque {
        /// The instruction.
        at: ImageAddr,
    },
    /// Different ways give different values; see [`Scene::arms`].
    Choice,
    /// A system register, or the stack pointer.
    Machine,
}

/// A value read from memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The instruction.
    pub at: ImageAddr,
    /// The address read.
    pub address: Value,
    /// Bytes read.
    pub width: u8,
    /// What was read, in C.
    pub text: String,
    /// What it was read from.
    pub from: Holder,
    /// It is one element of several, by an index.
    pub indexed: bool,
}

/// What a value was read from.
#[derive(Clone, Debug, PartialEq)]
pub enum Holder {
    /// A member of a struct.
    Member {
        /// `struct module_use`.
        record: String,
        /// `target`.
        member: String,
        /// Bytes from the start of the struct; of an element the constant part.
        offset: u64,
        /// The struct's address.
        object: Option<Value>,
    },
    /// A variable with a fixed address, or a part of it.
    Global {
        /// Its name.
        symbol: String,
        /// Its address, where this image defines it.
        address: Option<ImageAddr>,
        /// Bytes into it; of an element the constant part.
        offset: u64,
        /// Each CPU has its own.
        per_cpu: bool,
    },
    /// The function's own stack.
    Stack,
    /// What some pointer points to.
    Pointee,
}

/// One way a value may have come about.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// The value.
    pub value: Value,
    /// What it must have been, given what the whole was.
    pub observed: Option<u64>,
    /// The instructions that set it: more than one where several ways set the same.
    pub set: Vec<ImageAddr>,
    /// It comes round a loop.
    pub carried: bool,
    /// The end of the last block that only this way goes through, where ways join.
    pub end: Option<ImageAddr>,
}

/// How many leaves a value is taken apart into.
const MAX_ARMS: usize = 48;
/// How many blocks are searched for the instruction that set a place.
const MAX_BLOCKS: usize = 400;

impl Scene<'_, '_> {
    /// Where a value came from, one step back.
    #[must_use]
    pub fn source(&self, value: Value) -> Source {
        let Some(id) = value.node else { return Source::Constant(value.plus as u64) };
        let cpu = kwhy_arch::cpu(self.arch());
        match self.node(id) {
            Some(Node::Entry(register)) if cpu.is_some_and(|cpu| cpu.arguments.contains(&register)) => {
                Source::Parameter { register }
            }
            Some(Node::Load { address, segment, width, at, .. }) => {
                Source::Read(self.read(address, segment, width, at))
            }
            Some(Node::Result { at }) => Source::Result {
                call: at,
                callee: self.callee_name(at),
                register: cpu.map_or(Reg(0), |cpu| cpu.result),
            },
            Some(Node::Phi { .. } | Node::Binary(Operator::Either, ..)) => Source::Choice,
            Some(Node::Binary(_, a, b)) => Source::Computed(vec![a, b]),
            Some(Node::Extract { value, bits, .. }) => {
                // Narrowing a pointer makes an integer of it; what is wide stays itself.
                if bits >= 32 { self.source(value) } else { Source::Computed(vec![value]) }
            }
            Some(Node::Opaque { at, place }) => match (self.insn(at).map(|insn| &insn.flow), place) {
                (Some(Flow::Call(_) | Flow::CallIndirect(_)), Place::Register(register))
                    if second_result(self.arch()) == Some(register) =>
                {
                    Source::Result { call: at, callee: self.callee_name(at), register }
                }
                _ => Source::Opaque { at },
            },
            Some(Node::System(_) | Node::Entry(_)) | None => Source::Machine,
        }
    }

    /// A load in C terms.
    fn read(&self, address: Value, segment: Option<Reg>, width: u8, at: ImageAddr) -> Read {
        let outlook = self.outlook(at);
        let lvalue = self.lvalue_in(&outlook, address, segment, width);
        let indexed = lvalue.as_ref().is_some_and(|lvalue| lvalue.index.is_some())
            || address.node.is_some_and(|id| self.is_sum(id));
        let text = lvalue.as_ref().map(|lvalue| lvalue.text.clone()).unwrap_or_default();
        let made = |from| Read { at, address, width, text: text.clone(), from, indexed };
        if let Some(from) = self.global_holder(address, segment, at) {
            let unnamed = match &from {
                Holder::Global { symbol, offset, .. } if text.is_empty() => Some((symbol.clone(), *offset)),
                _ => None,
            };
            let read = made(from);
            // A variable that nothing types still has its symbol.
            return match unnamed {
                Some((symbol, 0)) => Read { text: symbol, ..read },
                Some((symbol, offset)) => Read { text: format!("{symbol}+{offset:#x}"), ..read },
                None => read,
            };
        }
        if let Some(Node::Entry(register)) = address.node.and_then(|id| self.node(id))
            && kwhy_arch::cpu(self.arch()).is_some_and(|cpu| cpu.sp == register)
        {
            return made(Holder::Stack);
        }
        let member = lvalue.filter(|lvalue| lvalue.fit >= Some(Fit::Inside)).and_then(|lvalue| {
            let record = lvalue.pointee.filter(|ty| matches!(self.image.strip(*ty), Type::Record(_)))?;
            Some(Holder::Member {
                record: self.image.type_name(record),
                member: lvalue.member?,
                offset: u64::try_from(lvalue.offset).ok()?,
                object: lvalue.base,
            })
        });
        made(member.unwrap_or(Holder::Pointee))
    }

    fn is_sum(&self, id: NodeId) -> bool {
        matches!(self.node(id), Some(Node::Binary(Operator::Add | Operator::Mul, ..)))
    }

    /// The variable that an address with a constant part of that size must lie in.
    fn global_holder(&self, address: Value, segment: Option<Reg>, pc: ImageAddr) -> Option<Holder> {
        let at = ImageAddr(address.plus as u64);
        // What is added to a variable's address is an index or a CPU's base, never a pointer.
        let base = match address.node.and_then(|id| self.node(id)) {
            None if address.node.is_none() => segment.is_some(),
            Some(Node::System(_)) => true,
            Some(Node::Load { segment: Some(_), .. }) => true,
            Some(Node::Binary(..) | Node::Extract { .. }) => false,
            _ => return None,
        };
        if let Some(name) = self.code.imports.name(at) {
            return Some(Holder::Global { symbol: name.to_owned(), address: None, offset: 0, per_cpu: base });
        }
        // A per-cpu variable's address on x86 may be a small number: it is one only behind gs.
        if !base && at.0 < 0x1000 {
            return None;
        }
        if let Some(global) = self.image.global_at(at, pc) {
            return Some(Holder::Global {
                symbol: global.name.to_string(),
                address: Some(global.address),
                offset: at.0.wrapping_sub(global.address.0),
                per_cpu: base || global.per_cpu,
            });
        }
        self.image.section_at(at)?;
        let symbol = self.image.symbol_at(at).filter(|symbol| !symbol.function)?;
        Some(Holder::Global {
            offset: at.0.wrapping_sub(symbol.address.0),
            address: Some(symbol.address),
            symbol: symbol.name,
            per_cpu: base,
        })
    }

    /// The ways a value may have come about, as the code before `pc` has it in `register` (where
    /// one is known); those that give another value than `observed` are left out.
    #[must_use]
    pub fn arms(
        &self,
        value: Value,
        register: Option<Reg>,
        pc: ImageAddr,
        observed: Option<u64>,
    ) -> Vec<Arm> {
        let mut found = Vec::new();
        let (Some(index), Some(block)) = (self.code.index_of(pc), self.block_at(pc)) else { return found };
        if !self.is_possible(value, observed, block, None) {
            return found;
        }
        let place = register.or_else(|| self.holder_of(value, pc)).map(Place::Register);
        let start = Way { value, observed, place, index, block, carried: false, joined: false };
        let mut work = VecDeque::from([start]);
        let mut seen: BTreeSet<(NodeId, Option<u64>)> = BTreeSet::new();
        while let Some(way) = work.pop_front() {
            if found.len() >= MAX_ARMS {
                break;
            }
            let node = way.value.node.and_then(|id| self.node(id));
            match (way.value.node, node) {
                (Some(id), Some(Node::Phi { block, place })) => {
                    let inner = way.observed.map(|number| number.wrapping_add_signed(-way.value.plus));
                    if !seen.insert((id, inner)) {
                        continue;
                    }
                    self.take_apart(&way, block, place, &mut work);
                }
                (Some(id), Some(Node::Binary(Operator::Either, a, b))) => {
                    if !seen.insert((id, way.observed)) {
                        continue;
                    }
                    let set = way
                        .place
                        .map(|place| self.definitions(place, way.block, way.index))
                        .unwrap_or_default();
                    for value in [a, b] {
                        let value = value.offset(way.value.plus);
                        if self.is_another(value, way.observed) {
                            continue;
                        }
                        let end = way.joined.then(|| self.end_of(way.block)).flatten();
                        let set = set.clone();
                        found.push(Arm { value, observed: way.observed, set, carried: way.carried, end });
                    }
                }
                _ => {
                    if self.is_another(way.value, way.observed) {
                        continue;
                    }
                    let set = self.set_by(way.value).map_or_else(
                        || {
                            way.place
                                .map(|place| self.definitions(place, way.block, way.index))
                                .unwrap_or_default()
                        },
                        |at| vec![at],
                    );
                    let end = way.joined.then(|| self.end_of(way.block)).flatten();
                    let leaf =
                        Arm { value: way.value, observed: way.observed, set, carried: way.carried, end };
                    if !found.contains(&leaf) {
                        found.push(leaf);
                    }
                }
            }
        }
        found
    }

    fn take_apart(&self, way: &Way, start: ImageAddr, place: Place, work: &mut VecDeque<Way>) {
        let Some(join) = self.block_at(start) else { return };
        for (from, input) in self.phi_inputs(start, place) {
            let Some(block) = self.block_at(from) else { continue };
            let value = input.offset(way.value.plus);
            // The function's entry as a way in of its own.
            let edge = self.code.blocks.get(join).is_some_and(|b| b.predecessors.contains(&block));
            if !self.is_possible(value, way.observed, block, edge.then_some(join)) {
                continue;
            }
            let Some(index) = self.code.blocks.get(block).map(|block| block.insns.end) else { continue };
            work.push_back(Way {
                value,
                observed: way.observed,
                place: Some(place),
                index,
                block,
                carried: way.carried || self.dominates(join, block),
                joined: true,
            });
        }
    }

    /// Whether what the branches on the way into `block` (and from there to `next`) say leaves it
    /// open that the value is `observed`.
    fn is_possible(&self, value: Value, observed: Option<u64>, block: usize, next: Option<usize>) -> bool {
        let Some(number) = observed else { return true };
        let last = next.and_then(|next| self.guard_between(block, next));
        let mut guards = self.guards_of(block).into_iter().take(64).chain(last);
        guards.all(|guard| self.allows(&guard, value, number))
    }

    /// Whether a value is a number and not the one observed. The address of something in the image
    /// is another one while it runs; it is never a small number or an error.
    fn is_another(&self, value: Value, observed: Option<u64>) -> bool {
        let Some(observed) = observed else { return false };
        let number = value.plus as u64;
        let at = ImageAddr(number);
        let moves =
            number >= 0x1000 && (self.image.section_at(at).is_some() || self.code.imports.name(at).is_some());
        let plain = !(0x1_0000..=0xffff_ffff_ffff_f000).contains(&observed);
        // With an index added it still lies in the image.
        if moves { plain } else { value.node.is_none() && number != observed }
    }

    /// The instruction that made a value that is not just a number.
    fn set_by(&self, value: Value) -> Option<ImageAddr> {
        match self.node(value.node?)? {
            Node::Load { at, .. } | Node::Result { at } | Node::Opaque { at, .. } => Some(at),
            _ => None,
        }
    }

    fn end_of(&self, block: usize) -> Option<ImageAddr> {
        let last = self.code.blocks.get(block)?.insns.end.checked_sub(1)?;
        self.code.insns.get(last).map(|insn| insn.address)
    }

    /// A register that has the value before the instruction at `pc`.
    fn holder_of(&self, value: Value, pc: ImageAddr) -> Option<Reg> {
        let state = self.state(pc)?;
        let cpu = kwhy_arch::cpu(self.arch())?;
        cpu.registers.iter().map(|(_, register)| *register).find(|r| state.register(*r) == Some(value))
    }

    /// The instructions that may have given `place` the value that it has in `block` before the
    /// instruction with index `end`, copies from one place to another followed.
    fn definitions(&self, place: Place, block: usize, end: usize) -> Vec<ImageAddr> {
        let mut found = BTreeSet::new();
        let mut seen: BTreeSet<(usize, Place)> = BTreeSet::new();
        let mut work = vec![(block, end, place)];
        while let Some((block, end, mut place)) = work.pop() {
            if seen.len() > MAX_BLOCKS {
                break;
            }
            let Some(range) = self.code.blocks.get(block).map(|block| block.insns.clone()) else { continue };
            let mut open = true;
            for at in (range.start..end.min(range.end)).rev() {
                let Some(insn) = self.code.insns.get(at) else { continue };
                match self.effect_on(insn, at, place) {
                    Written::No => {}
                    Written::Copy(from) => place = from,
                    Written::Yes => {
                        found.insert(insn.address);
                        open = false;
                        break;
                    }
                }
            }
            if open {
                for predecessor in self.code.blocks.get(block).map_or(&[][..], |b| &b.predecessors) {
                    if seen.insert((*predecessor, place)) {
                        work.push((*predecessor, usize::MAX, place));
                    }
                }
            }
        }
        found.into_iter().collect()
    }

    /// What an instruction does to a place.
    fn effect_on(&self, insn: &Insn, index: usize, place: Place) -> Written {
        let cpu = kwhy_arch::cpu(self.arch());
        if let (Flow::Call(_) | Flow::CallIndirect(_), Place::Register(register)) = (&insn.flow, place) {
            let kept = cpu.is_some_and(|cpu| cpu.callee_saved.contains(&register) || register == cpu.sp);
            return if kept { Written::No } else { Written::Yes };
        }
        let slot = |memory: &crate::insn::MemOperand| -> Option<i64> {
            let cpu = cpu?;
            memory.base.filter(|base| *base == cpu.sp || *base == cpu.fp)?;
            let mut solved = self.solved.borrow_mut();
            let state = solved.state_before(index)?;
            let address = solved.address(&state, memory)?;
            let sp = solved.arena.intern(Node::Entry(cpu.sp)).node;
            (address.node == sp).then_some(address.plus)
        };
        for effect in insn.effects.iter().rev() {
            match (effect, place) {
                (Effect::Set { register, value, .. }, Place::Register(wanted)) if *register == wanted => {
                    return match value {
                        Operand::Register(from, 8) => Written::Copy(Place::Register(*from)),
                        _ => Written::Yes,
                    };
                }
                (
                    Effect::Load { register: Some(register), memory, width: 8, .. },
                    Place::Register(wanted),
                ) if *register == wanted => {
                    return slot(memory).map_or(Written::Yes, |slot| Written::Copy(Place::Slot(slot)));
                }
                (Effect::Load { register: Some(register), .. }, Place::Register(wanted))
                | (Effect::Modify { old: Some(register), .. }, Place::Register(wanted))
                | (Effect::Clobber(register), Place::Register(wanted))
                    if *register == wanted =>
                {
                    return Written::Yes;
                }
                (Effect::Store { value, memory, width: 8 }, Place::Slot(wanted))
                    if slot(memory) == Some(wanted) =>
                {
                    return match value {
                        Operand::Register(from, 8) => Written::Copy(Place::Register(*from)),
                        _ => Written::Yes,
                    };
                }
                _ => {}
            }
        }
        Written::No
    }

    /// The value that control goes to in the indirect call or jump at `call`.
    #[must_use]
    pub fn target_value(&self, call: ImageAddr) -> Option<Value> {
        let insn = self.insn(call)?;
        let (Flow::CallIndirect(target) | Flow::JumpIndirect(target)) = &insn.flow else { return None };
        let state = self.state(insn.address)?;
        match target {
            crate::insn::Target::Register(register) => state.register(*register),
            crate::insn::Target::Memory(memory) => {
                let mut solved = self.solved.borrow_mut();
                let address = solved.address(&state, memory)?;
                let (segment, at) = (memory.segment, insn.address);
                Some(solved.arena.intern(Node::Load { address, segment, width: 8, signed: false, at }))
            }
        }
    }

    /// The stores of this function to an address: the instruction, and the value.
    #[must_use]
    pub fn stores_at(&self, address: Value) -> Vec<(ImageAddr, Value)> {
        let mut found = Vec::new();
        let mut sites: Vec<(usize, ImageAddr, &crate::insn::MemOperand, &Operand)> = Vec::new();
        for (index, insn) in self.code.insns.iter().enumerate() {
            for effect in &insn.effects {
                // The displacement alone tells nothing: the base may point anywhere into the object.
                if let Effect::Store { value, memory, .. } = effect
                    && memory.segment.is_none()
                {
                    sites.push((index, insn.address, memory, value));
                }
            }
        }
        let mut solved = self.solved.borrow_mut();
        for (index, at, memory, value) in sites {
            let Some(state) = solved.state_before(index) else { continue };
            if solved.address(&state, memory) == Some(address)
                && let Some(value) = solved.operand(&state, value, at)
            {
                found.push((at, value));
            }
        }
        found
    }

    /// The value that the instruction at `at` stores; `None` where it stores none, or several.
    #[must_use]
    pub fn stored_by(&self, at: ImageAddr) -> Option<Value> {
        let mut stores = self.insn(at)?.effects.iter().filter_map(|effect| match effect {
            Effect::Store { value, .. } => Some(value),
            _ => None,
        });
        let (one, None) = (stores.next()?, stores.next()) else { return None };
        let state = self.state(at)?;
        self.solved.borrow_mut().operand(&state, one, at)
    }

    /// Where the variables that `value` is called after are declared, if they are `number` for a
    /// while: name, function, file, line.
    #[must_use]
    pub fn declarations(&self, value: Value, number: u64) -> Vec<(String, String, String, u32)> {
        let variables = self.names.declared_as(value, number);
        variables
            .into_iter()
            .filter_map(|index| {
                let variable = self.names.variables.get(index)?;
                let function = self.names.scopes.get(variable.scope)?.function_name.to_string();
                let (file, line) = variable.declared.clone()?;
                Some((variable.name.to_string(), function, file.to_string(), line))
            })
            .collect()
    }

    /// The terms for a value at `pc` in each function that covers it, innermost first: the
    /// position among the frames of the source, and the text.
    #[must_use]
    pub fn called_by_level(&self, value: Value, pc: ImageAddr) -> Vec<(usize, String)> {
        let levels = self.levels(pc);
        levels
            .iter()
            .enumerate()
            .filter_map(|(position, (level, _))| {
                let view = self.view(pc, &[*level], false);
                Some((position, self.describe(&view, value)?.text))
            })
            .collect()
    }

    /// What the function was entered with in a register, as a value.
    #[must_use]
    pub fn entered_with(&self, register: Reg) -> Value {
        self.solved.borrow_mut().arena.intern(Node::Entry(register))
    }

    /// What the value is called at `pc`, in the terms of the function that the line belongs to.
    #[must_use]
    pub fn called(&self, value: Value, pc: ImageAddr) -> Option<String> {
        self.described_in(&self.outlook(pc), value).map(|described| described.text)
    }
}

/// The register of the second half of a struct that is returned by value: rdx (System V ABI for
/// AMD64, 3.2.3), x1 (AAPCS64, 6.9).
fn second_result(arch: kwhy_base::Arch) -> Option<Reg> {
    match arch {
        kwhy_base::Arch::X86_64 | kwhy_base::Arch::Arm64 => Some(Reg(1)),
        _ => None,
    }
}

/// What an instruction does to a place.
enum Written {
    No,
    Copy(Place),
    Yes,
}

/// A value on its way back.
struct Way {
    value: Value,
    observed: Option<u64>,
    place: Option<Place>,
    index: usize,
    block: usize,
    carried: bool,
    joined: bool,
}
