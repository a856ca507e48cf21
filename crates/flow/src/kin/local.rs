//! What one function does with each of its values: what is needed of it to tell what they point to.

use crate::insn::{AccessKind, Effect, Flow, Operator, Value as Operand};
use crate::interp::{Solved, address};
use crate::value::{Node, NodeId, Value};
use kwhy_base::{ImageAddr, Reg};
use kwhy_image::{Function, Image, Place as Where, TypeId};
use std::rc::Rc;

/// Nodes of one function that are looked at; real functions have some thousands.
const MAX_NODES: u32 = 60_000;

/// A call, or a jump to another function.
pub(crate) struct Called {
    /// The callee's symbol.
    pub name: Option<String>,
    /// Where it is, for a function of the same image.
    pub target: Option<ImageAddr>,
    /// What is in the argument registers.
    pub arguments: Vec<Option<Value>>,
    /// What it returns.
    pub result: Option<NodeId>,
}

/// An access to memory.
pub(crate) struct Touched {
    pub address: Value,
    pub width: u8,
    /// Only written.
    pub written: bool,
}

/// A pointer that is stored.
pub(crate) struct Kept {
    pub address: Value,
    pub value: Value,
}

/// One function.
pub(crate) struct Local {
    pub entry: ImageAddr,
    pub symbol: String,
    /// The values that were known when it was solved, by number.
    pub nodes: Vec<Node>,
    pub phis: Vec<(NodeId, Vec<Value>)>,
    pub touched: Vec<Touched>,
    pub kept: Vec<Kept>,
    pub calls: Vec<Called>,
    pub returns: Vec<Value>,
    /// Parameters whose types the function's declaration tells: what each points to.
    pub declared: Vec<(NodeId, TypeId)>,
    /// Values that something is done with. At a join every register meets, dead ones too.
    pub used: Vec<bool>,
    pub sp: Option<NodeId>,
}

impl Local {
    /// Of a function just solved; to be called before anything else is asked of it, so that its
    /// values have the numbers that they always have.
    pub(crate) fn of(
        solved: &mut Solved,
        image: &Image<'_>,
        function: Option<&Function>,
        symbol: &str,
    ) -> Local {
        let code = Rc::clone(&solved.code);
        let cpu = kwhy_arch::cpu(code.arch);
        let arguments = cpu.map_or(&[][..], |cpu| cpu.arguments);
        let (mut touched, mut kept, mut calls, mut returns) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        solved.walk(|arena, insn, _, state| {
            for access in insn.accesses() {
                if access.memory.segment.is_none()
                    && let Some(address) = address(arena, state, &access.memory)
                {
                    let written = access.kind == AccessKind::Write;
                    touched.push(Touched { address, width: access.width, written });
                }
            }
            for effect in &insn.effects {
                let Effect::Store { value, memory, width: 8 } = effect else { continue };
                let value = match value {
                    Operand::Register(register, 8) => state.register(*register),
                    Operand::Constant(number) => Some(Value::constant(*number)),
                    _ => None,
                };
                if memory.segment.is_none()
                    && let (Some(value), Some(address)) = (value, address(arena, state, memory))
                {
                    kept.push(Kept { address, value });
                }
            }
            let target = match &insn.flow {
                Flow::Call(target) => Some(*target),
                Flow::Jump(target) if code.index_of(*target).is_none() => Some(*target),
                Flow::Return => {
                    returns.extend(cpu.and_then(|cpu| state.register(cpu.result)));
                    None
                }
                _ => None,
            };
            let Some(target) = target else { return };
            let result = arena.intern(Node::Result { at: insn.address });
            if matches!(insn.flow, Flow::Jump(_)) {
                returns.push(result);
            }
            calls.push(Called {
                name: code.symbol_name(image, target),
                target: code.imports.name(target).is_none().then_some(target),
                arguments: arguments.iter().map(|register| state.register(*register)).collect(),
                result: result.node,
            });
        });
        let phis = phis(solved);
        let declared = declared(image, function, solved);
        let sp = cpu.and_then(|cpu| solved.arena.intern(Node::Entry(cpu.sp)).node);
        for register in arguments {
            let _ = solved.arena.intern(Node::Entry(*register));
        }
        let nodes: Vec<Node> = (0..MAX_NODES).map_while(|number| solved.arena.node(NodeId(number))).collect();
        let used = vec![false; nodes.len()];
        let (entry, symbol) = (code.entry, symbol.to_owned());
        let mut local =
            Local { entry, symbol, nodes, phis, touched, kept, calls, returns, declared, used, sp };
        let mut work: Vec<Value> = local.touched.iter().map(|touched| touched.address).collect();
        work.extend(local.kept.iter().map(|kept| kept.value));
        local.mark(work);
        local
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<Node> {
        self.nodes.get(id.0 as usize).copied()
    }

    pub(crate) fn is_used(&self, id: NodeId) -> bool {
        self.used.get(id.0 as usize).copied().unwrap_or(false)
    }

    /// The node of what a register held on entry.
    pub(crate) fn entered(&self, register: Reg) -> Option<NodeId> {
        let index = self.nodes.iter().position(|node| *node == Node::Entry(register))?;
        Some(NodeId(u32::try_from(index).ok()?))
    }

    /// Marks values, and what they are made of, as used. `true` where that was news.
    pub(crate) fn mark(&mut self, mut work: Vec<Value>) -> bool {
        let mut news = false;
        while let Some(value) = work.pop() {
            let Some(id) = value.node else { continue };
            let Some(slot) = self.used.get_mut(id.0 as usize).filter(|used| !**used) else { continue };
            *slot = true;
            news = true;
            match self.node(id) {
                Some(Node::Load { address, .. }) => work.push(address),
                Some(Node::Binary(_, a, b)) => work.extend([a, b]),
                Some(Node::Extract { value, .. }) => work.push(value),
                Some(Node::Phi { .. }) => {
                    let at = self.phis.binary_search_by_key(&id, |(phi, _)| *phi);
                    if let Some((_, inputs)) = at.ok().and_then(|at| self.phis.get(at)) {
                        work.extend(inputs.iter().copied());
                    }
                }
                _ => {}
            }
        }
        news
    }
}

/// The joins with what meets in them, by number.
fn phis(solved: &mut Solved) -> Vec<(NodeId, Vec<Value>)> {
    let mut found = Vec::new();
    let mut number = 0;
    while number < MAX_NODES
        && let Some(node) = solved.arena.node(NodeId(number))
    {
        if let Node::Phi { block, place } = node {
            let inputs = solved.phi_inputs(block, place).into_iter().map(|(_, value)| value);
            found.push((NodeId(number), inputs.collect()));
        }
        number += 1;
    }
    found
}

/// The parameters that the declaration types.
fn declared(image: &Image<'_>, function: Option<&Function>, solved: &mut Solved) -> Vec<(NodeId, TypeId)> {
    let mut found = Vec::new();
    let variables = function.iter().flat_map(|function| &function.body.variables);
    for variable in variables.filter(|variable| variable.parameter) {
        let Some(ty) = variable.ty else { continue };
        for location in &variable.locations {
            let mut tell = |register: Reg, ty: TypeId| {
                if let kwhy_image::Type::Pointer(to) = image.strip(ty)
                    && matches!(image.strip(to), kwhy_image::Type::Record(_))
                    && let Some(node) = solved.arena.intern(Node::Entry(register)).node
                {
                    found.push((node, to));
                }
            };
            match &location.place {
                Where::Entry(register, 0) => tell(*register, ty),
                Where::Pieces(pieces) => {
                    for (offset, size, register) in pieces {
                        let (Ok(offset), 8) = (i64::try_from(*offset), *size) else { continue };
                        let spot = crate::path::Spot { offset, width: 8, index: None };
                        let member = crate::path::paths(image, ty, spot).into_iter().next();
                        if let Some(ty) = member.and_then(|path| path.ty) {
                            tell(*register, ty);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// What an index is multiplied by, where a value is one.
pub(crate) fn strides(local: &Local, value: Value, depth: u32) -> Vec<u64> {
    let Some(id) = value.node.filter(|_| depth < 6) else { return Vec::new() };
    match local.node(id) {
        Some(Node::Binary(Operator::Mul, inner, scale)) => {
            let Some(scale) = scale.as_constant() else { return Vec::new() };
            let mut all: Vec<u64> =
                strides(local, inner, depth + 1).into_iter().map(|inner| inner.wrapping_mul(scale)).collect();
            all.push(scale);
            all
        }
        // A product that is cut to a width, as compilers scale narrow indices.
        Some(Node::Binary(Operator::And, inner, mask)) if mask.node.is_none() => {
            strides(local, inner, depth + 1)
        }
        Some(Node::Extract { value, lsb: 0, .. }) => strides(local, value, depth + 1),
        Some(Node::Binary(Operator::Add, a, b)) if depth > 0 => {
            let mut all = strides(local, a, depth + 1);
            all.extend(strides(local, b, depth + 1));
            all
        }
        _ => Vec::new(),
    }
}
