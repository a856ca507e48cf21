//! From symbolic values back to C expressions.
//!
//! A value is described by the best name it has, or else by how it was made: a load through a
//! typed pointer is a member of what the pointer's expression denotes. "Best" prefers names that
//! hold at the point asked about, in the functions asked for, and whose types explain the access.

use crate::assembler;
use crate::insn::Operator;
use crate::path::{self, Fit};
use crate::scene::{Scene, plain_name};
use crate::value::{Node, NodeId, Place, Value};
use kwhy_base::{Arch, ImageAddr, Reg};
use kwhy_image::{Type, TypeId};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A C expression and its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// The expression.
    pub text: String,
    /// Its type, where known.
    pub ty: Option<TypeId>,
    /// For a pointer whose own type has no id: what it points to.
    pub points_to: Option<TypeId>,
    /// How well it is founded.
    pub footing: Footing,
}

/// How well an expression is founded, best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Footing {
    /// By a register's name or a cast.
    Raw,
    /// By a name of a scope that does not cover the point.
    Elsewhere,
    /// By a name that held at another point of the function.
    Earlier,
    /// By names live at the point, globals, or call results.
    Here,
}

/// From where expressions are written.
#[derive(Clone, Debug)]
pub struct View {
    /// The point in the code.
    pub pc: ImageAddr,
    /// Functions (scope indices, see [`Scene::levels`]) whose names may be used, best first.
    pub levels: Vec<usize>,
    /// Whether names of other scopes may be used where those have none.
    pub open: bool,
    live: BTreeMap<usize, Value>,
}

impl View {
    /// Whether a variable has a value at the point.
    pub(crate) fn is_live(&self, variable: usize) -> bool {
        self.live.contains_key(&variable)
    }
}

const MAX_DEPTH: u32 = 12;

impl<'i, 'd> Scene<'i, 'd> {
    /// A view from `pc` in the terms of the functions `levels`, best first.
    #[must_use]
    pub fn view(&self, pc: ImageAddr, levels: &[usize], open: bool) -> View {
        let live = self.names.live(&mut self.solved.borrow_mut(), pc);
        View { pc, levels: levels.to_vec(), open, live }
    }

    /// The best expression for a value.
    #[must_use]
    pub fn describe(&self, view: &View, value: Value) -> Option<Described> {
        self.describe_at(view, value, 0)
    }

    pub(crate) fn describe_at(&self, view: &View, value: Value, depth: u32) -> Option<Described> {
        if depth > MAX_DEPTH {
            return None;
        }
        let named = self.named(view, value);
        // A macro's temporary is a name only where nothing better is.
        if let Some((described, temporary)) = &named
            && !temporary
        {
            return Some(described.clone());
        }
        let made = self.derived(view, value, depth);
        match (made, named) {
            (Some(made), Some((name, _))) if made.footing >= name.footing => Some(made),
            (_, Some((name, _))) => Some(name),
            (made, None) => made,
        }
    }

    /// A value by a variable's name. `true` beside it marks a macro's temporary.
    fn named(&self, view: &View, value: Value) -> Option<(Described, bool)> {
        let mut best: Option<(Rank, Described, bool)> = None;
        for name in self.names.of_node(value.node) {
            let Some(variable) = self.names.variables.get(name.variable) else { continue };
            if name.plus != value.plus {
                continue;
            }
            // A number is not "called" `i` because `i` once had that value.
            if value.node.is_none()
                && (view.live.get(&name.variable) != Some(&value) || !self.is_pointer(variable.ty))
            {
                continue;
            }
            let Some(rank) = self.rank(view, name.variable, value) else { continue };
            let temporary = is_temporary(&variable.name);
            let described = Described {
                text: variable.name.to_string(),
                points_to: None,
                ty: variable.ty,
                footing: rank.footing,
            };
            if best.as_ref().is_none_or(|(other, ..)| rank > *other) {
                best = Some((rank, described, temporary));
            }
        }
        best.map(|(_, described, temporary)| (described, temporary))
    }

    fn is_pointer(&self, ty: Option<TypeId>) -> bool {
        ty.is_some_and(|ty| matches!(self.image.strip(ty), Type::Pointer(_)))
    }

    pub(crate) fn rank(&self, view: &View, variable: usize, value: Value) -> Option<Rank> {
        let info = self.names.variables.get(variable)?;
        let level = self.names.level_of(variable)?;
        let position = view.levels.iter().position(|l| *l == level);
        if position.is_none() && !view.open {
            return None;
        }
        let live = view.live.get(&variable) == Some(&value);
        let in_scope = self.names.in_scope(info.scope, view.pc);
        let footing = match (live, in_scope) {
            (true, _) => Footing::Here,
            (false, true) => Footing::Earlier,
            (false, false) => Footing::Elsewhere,
        };
        let levels = view.levels.len();
        Some(Rank {
            footing,
            lasting: !is_temporary(&info.name),
            level: position.map_or(0, |p| levels - p),
            order: std::cmp::Reverse(variable),
        })
    }

    /// A value by how it was made.
    pub(crate) fn derived(&self, view: &View, value: Value, depth: u32) -> Option<Described> {
        let Some(id) = value.node else { return self.constant(view, value.plus as u64) };
        let node = self.node(id)?;
        if value.plus != 0 {
            return self.sum(view, id, value.plus, depth);
        }
        match node {
            Node::Load { address, segment, width, .. } => {
                let lvalue = self.lvalue_at(view, address, segment, width, depth + 1)?;
                Some(Described { text: lvalue.text, points_to: None, ty: lvalue.ty, footing: lvalue.footing })
            }
            Node::Result { at } => self.stored_as(view, id, depth).or_else(|| self.call_result(at)),
            Node::Entry(register) => self.parameter(register),
            Node::Phi { block, place } => self.phi(view, block, place, depth),
            Node::Binary(operator, a, b) => self.binary(view, operator, a, b, depth),
            Node::Extract { value, lsb, bits, .. } => self.extracted(view, value, lsb, bits, depth),
            Node::System(name) => self.system(name),
            Node::Opaque { .. } => None,
        }
    }

    /// A value by the member it was stored to before the point asked about: what a call
    /// returned is `cl->tx` once it has been assigned there.
    fn stored_as(&self, view: &View, id: NodeId, depth: u32) -> Option<Described> {
        let stores = self.names.stores_of(id);
        let store =
            stores.iter().filter(|store| store.plus == 0 && store.at < view.pc).max_by_key(|s| s.at)?;
        let lvalue = self.lvalue_at(view, store.address, None, 8, depth + 2)?;
        (lvalue.fit == Some(Fit::Exact)).then_some(Described {
            text: lvalue.text,
            points_to: None,
            ty: lvalue.ty,
            footing: lvalue.footing.min(Footing::Earlier),
        })
    }

    /// `node + plus`: the address of a member where the node is a typed pointer.
    fn sum(&self, view: &View, id: NodeId, plus: i64, depth: u32) -> Option<Described> {
        let value = Value { node: Some(id), plus };
        if let Some(lvalue) = self.lvalue_at(view, value, None, 0, depth + 1)
            && lvalue.fit.is_some()
        {
            let text = format!("&{}", lvalue.text);
            return Some(Described { text, points_to: None, ty: None, footing: lvalue.footing });
        }
        let base = self.describe_at(view, Value { node: Some(id), plus: 0 }, depth + 1)?;
        if base.ty.is_some_and(|ty| matches!(self.image.strip(ty), Type::Pointer(_))) {
            return None;
        }
        let text = if plus < 0 {
            format!("{} - {}", base.text, plus.unsigned_abs())
        } else {
            format!("{} + {plus}", base.text)
        };
        Some(Described { text, points_to: None, ty: base.ty, footing: base.footing })
    }

    fn constant(&self, view: &View, number: u64) -> Option<Described> {
        if let Some(name) = self.code.imports.name(ImageAddr(number)) {
            return Some(Described {
                text: format!("&{name}"),
                points_to: None,
                ty: None,
                footing: Footing::Here,
            });
        }
        if self.image.section_at(ImageAddr(number)).is_some() && number > 0x1000 {
            if let Some(lvalue) = self.global(view, number, 0) {
                let text = format!("&{}", lvalue.text);
                return Some(Described { text, points_to: None, ty: None, footing: Footing::Here });
            }
            if let Some(symbol) = self.image.symbol_at(ImageAddr(number))
                && symbol.address.0 == number
            {
                return Some(Described {
                    text: symbol.name,
                    points_to: None,
                    ty: None,
                    footing: Footing::Here,
                });
            }
        }
        let text = match number as i64 {
            0 => "0".to_owned(),
            small @ -4095..=-1 => small.to_string(),
            1..=255 => number.to_string(),
            _ => format!("{number:#x}"),
        };
        Some(Described { text, points_to: None, ty: None, footing: Footing::Here })
    }

    fn call_result(&self, at: ImageAddr) -> Option<Described> {
        let name = self.callee_name(at)?;
        let plain = plain_name(&name);
        let ty = self.prototype(&name).and_then(|prototype| prototype.returns);
        Some(Described { text: format!("{plain}()"), points_to: None, ty, footing: Footing::Here })
    }

    /// The symbol called by the instruction at `at`.
    #[must_use]
    pub fn callee_name(&self, at: ImageAddr) -> Option<String> {
        match &self.insn(at)?.flow {
            crate::insn::Flow::Call(target) | crate::insn::Flow::Jump(target) => {
                self.code.symbol_name(self.image, *target)
            }
            _ => None,
        }
    }

    /// A parameter of a function that has no variables of its own in the debug information
    /// (assembler): by the declaration that C code sees.
    fn parameter(&self, register: Reg) -> Option<Described> {
        if !self.in_assembler() {
            return None;
        }
        let cpu = kwhy_arch::cpu(self.arch())?;
        let index = cpu.arguments.iter().position(|argument| *argument == register)?;
        let declared = self.prototype(&self.symbol).and_then(|p| p.parameters.get(index).cloned());
        let (name, ty) = declared.unwrap_or((None, None));
        let text = match (name, assembler::parameter(&self.symbol, index)) {
            (Some(name), _) => name.to_string(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => return None,
        };
        Some(Described { text, points_to: None, ty, footing: Footing::Here })
    }

    fn phi(&self, view: &View, block: ImageAddr, place: Place, depth: u32) -> Option<Described> {
        let itself = self.solved.borrow_mut().arena.intern(Node::Phi { block, place });
        let mut agreed: Option<Described> = None;
        for (_, input) in self.phi_inputs(block, place) {
            if input == itself {
                continue;
            }
            let Some(described) = self.describe_at(view, input, depth + 4) else {
                return self.merged(view, itself);
            };
            match &agreed {
                None => agreed = Some(described),
                Some(other) if other.text == described.text => {}
                Some(_) => return self.merged(view, itself),
            }
        }
        agreed.map(|described| Described { footing: described.footing.min(Footing::Earlier), ..described })
    }

    /// The variable that every value is called by that a merge may be: the cursor of a loop that
    /// the compiler keeps no place for, being read anew from what it just was.
    fn merged(&self, view: &View, phi: Value) -> Option<Described> {
        let (mut seen, mut work) = (vec![phi.node?], vec![phi.node?]);
        let mut common: Option<Vec<usize>> = None;
        while let Some(id) = work.pop() {
            let Some(Node::Phi { block, place }) = self.node(id) else { return None };
            for (_, input) in self.phi_inputs(block, place) {
                let again = input.node.filter(|node| matches!(self.node(*node), Some(Node::Phi { .. })));
                if let Some(node) = again.filter(|_| input.plus == 0) {
                    if !seen.contains(&node) {
                        seen.push(node);
                        work.push(node);
                    }
                    if seen.len() > 16 {
                        return None;
                    }
                    continue;
                }
                let called = self.variables_of(input);
                match &mut common {
                    None => common = Some(called),
                    Some(common) => common.retain(|variable| called.contains(variable)),
                }
            }
        }
        let ranked = common?.into_iter().filter_map(|variable| {
            let info = self.names.variables.get(variable)?;
            let rank = self.rank(view, variable, phi).filter(|_| !is_temporary(&info.name))?;
            Some((rank, info))
        });
        let (rank, info) = ranked.max_by_key(|(rank, _)| *rank)?;
        // Each value is the variable's where it is read; that nothing else is merged in between
        // is what the debug information leaves open.
        Some(Described {
            text: info.name.to_string(),
            points_to: None,
            ty: info.ty,
            footing: rank.footing.min(Footing::Elsewhere),
        })
    }

    /// The variables that a value is called by: by the value itself, or by the memory that it was
    /// read from, where the debug information has the variable there.
    fn variables_of(&self, value: Value) -> Vec<usize> {
        let of = |names: &[crate::names::NameOf], plus: i64| -> Vec<usize> {
            names.iter().filter(|name| name.plus == plus).map(|name| name.variable).collect()
        };
        let mut found = match value.node {
            Some(_) => of(self.names.of_node(value.node), value.plus),
            None => Vec::new(),
        };
        if value.plus == 0
            && let Some(Node::Load { address, segment: None, .. }) = value.node.and_then(|id| self.node(id))
        {
            found.extend(of(self.names.objects_at(address.node), address.plus));
        }
        found
    }

    fn binary(&self, view: &View, operator: Operator, a: Value, b: Value, depth: u32) -> Option<Described> {
        if operator == Operator::Add
            && let Some(pointer) =
                self.per_cpu_pointer(view, a, b, depth).or_else(|| self.other_cpus_pointer(view, a, b, depth))
        {
            return Some(pointer);
        }
        // Page and alignment masks and the like are shown as they are; the footing is the worse.
        let sign = match operator {
            Operator::Add => "+",
            Operator::Sub => "-",
            Operator::Mul => "*",
            Operator::And => "&",
            Operator::Or => "|",
            Operator::Xor => "^",
            Operator::Shl => "<<",
            Operator::Shr | Operator::Sar => ">>",
            Operator::Either => {
                let a = self.describe_at(view, a, depth + 4)?;
                let b = self.describe_at(view, b, depth + 4)?;
                return (a.text == b.text).then_some(a);
            }
        };
        let a = self.describe_at(view, a, depth + 2)?;
        let b = self.describe_at(view, b, depth + 2)?;
        let wrap = |text: &str| if path::is_postfix(text) { text.to_owned() } else { format!("({text})") };
        Some(Described {
            points_to: None,
            text: format!("{} {sign} {}", wrap(&a.text), wrap(&b.text)),
            ty: a.ty.or(b.ty).filter(|_| operator != Operator::Add),
            footing: a.footing.min(b.footing),
        })
    }

    /// `this_cpu_ptr(x)`: this CPU's offset plus a per-cpu pointer.
    fn per_cpu_pointer(&self, view: &View, a: Value, b: Value, depth: u32) -> Option<Described> {
        let is_base = |value: Value| match value.node.and_then(|id| self.node(id)) {
            Some(Node::System(name)) => name.starts_with("tpidr_el"),
            Some(Node::Load { address, segment: Some(_), .. }) => address
                .as_constant()
                .and_then(|at| {
                    let imported = self.code.imports.name(ImageAddr(at)).map(str::to_owned);
                    imported.or_else(|| self.image.symbol_at(ImageAddr(at)).map(|symbol| symbol.name))
                })
                .is_some_and(|name| name == "this_cpu_off" || name == "pcpu_hot"),
            _ => false,
        };
        let other = if is_base(a) {
            b
        } else if is_base(b) {
            a
        } else {
            return None;
        };
        let described = self.describe_at(view, other, depth + 1)?;
        let points_to = described.points_to.or_else(|| {
            let address = other.as_constant()?;
            self.image.global_at(ImageAddr(address), view.pc)?.ty
        });
        let text = format!("this_cpu_ptr({})", described.text);
        Some(Described { text, points_to, ty: described.ty, footing: described.footing })
    }

    /// `per_cpu_ptr(x, cpu)`: another CPU's offset plus a per-cpu pointer.
    fn other_cpus_pointer(&self, view: &View, a: Value, b: Value, depth: u32) -> Option<Described> {
        let cpu_of = |value: Value| {
            let id = value.node.filter(|_| value.plus == 0)?;
            self.cpu_of_offset(view, id, depth)
        };
        let (cpu, other) = match (cpu_of(a), cpu_of(b)) {
            (Some(cpu), _) => (cpu, b),
            (None, Some(cpu)) => (cpu, a),
            (None, None) => return None,
        };
        let described = self.describe_at(view, other, depth + 1)?;
        let text = format!("per_cpu_ptr({}, {cpu})", described.text);
        Some(Described { text, ..described })
    }

    fn extracted(&self, view: &View, value: Value, lsb: u8, bits: u8, depth: u32) -> Option<Described> {
        // The whole of a C object is never less than a byte wide; below that it is a bit-field.
        if let Some(Node::Load { address, segment, width, .. }) = value.node.and_then(|id| self.node(id))
            && value.plus == 0
            && let Some(lvalue) = self.lvalue_bits(view, address, segment, width, (lsb, bits), depth)
        {
            return Some(lvalue);
        }
        let inner = self.describe_at(view, value, depth + 1)?;
        if lsb == 0 && bits >= 8 {
            return Some(inner);
        }
        None
    }

    fn lvalue_bits(
        &self,
        view: &View,
        address: Value,
        segment: Option<Reg>,
        width: u8,
        (lsb, bits): (u8, u8),
        depth: u32,
    ) -> Option<Described> {
        let lvalue = self.best_lvalue(view, address, segment, width, Some((lsb, bits)), depth + 1)?;
        (lvalue.fit == Some(Fit::Bits)).then_some(Described {
            text: lvalue.text,
            points_to: None,
            ty: lvalue.ty,
            footing: lvalue.footing,
        })
    }

    /// System registers that the kernel keeps pointers in.
    fn system(&self, name: &'static str) -> Option<Described> {
        if name == "sp_el0" && self.arch() == Arch::Arm64 {
            let near = self.image.find_type_near("struct task_struct", self.near());
            let task = near.or_else(|| self.image.find_type("struct task_struct"));
            return Some(Described {
                text: "current".to_owned(),
                points_to: task,
                ty: None,
                footing: Footing::Here,
            });
        }
        None
    }

    /// The name of a function's variable, for tests and listings.
    #[must_use]
    pub fn variable_name(&self, variable: usize) -> Option<Rc<str>> {
        self.names.variables.get(variable).map(|info| Rc::clone(&info.name))
    }
}

/// How good a name is; compared in the order of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    lasting: bool,
    pub(crate) footing: Footing,
    level: usize,
    order: std::cmp::Reverse<usize>,
}

/// Whether a name is of a macro's making (`__mptr`, `__UNIQUE_ID_x42`, `_________p1`).
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with("__") || name.contains("UNIQUE_ID")
}
