//! From symbolic values back to C expressions.
//!
//! A value is described by the best name it has, or else by how it was made: a load through a
//! typed pointer is a member of what the pointer's expression denotes. "Best" prefers names that
//! hold at the point asked about, in the functions asked for, and whose types explain the access.

use crate::assembler;
use crate::insn::Operator;
use crate::path::{self, Fit, Path, Spot};
use crate::scene::Scene;
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

/// An object that an access touches.
#[derive(Clone, Debug, PartialEq)]
pub struct LValue {
    /// The expression: `use->target->holders_dir`.
    pub text: String,
    /// Its type.
    pub ty: Option<TypeId>,
    /// The pointer's expression, where one was followed: `use->target`.
    pub pointer: Option<String>,
    /// The pointer's value; the object's address less the offset.
    pub base: Option<Value>,
    /// The type pointed to.
    pub pointee: Option<TypeId>,
    /// Members from there: `holders_dir`, `ring.head`.
    pub member: Option<String>,
    /// Bytes from the pointer to the access (the constant part of an indexed one).
    pub offset: i64,
    /// The index expression and scale of an indexed access.
    pub index: Option<(String, u64)>,
    /// How well the access fits the member; `None` where no type explains it.
    pub fit: Option<Fit>,
    /// How well the pointer's expression is founded.
    pub footing: Footing,
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

    fn describe_at(&self, view: &View, value: Value, depth: u32) -> Option<Described> {
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
            if value.node.is_none() && view.live.get(&name.variable) != Some(&value) {
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

    fn rank(&self, view: &View, variable: usize, value: Value) -> Option<Rank> {
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
    fn derived(&self, view: &View, value: Value, depth: u32) -> Option<Described> {
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
        let plain = name.split_once('.').map_or(name.as_str(), |(plain, _)| plain).to_owned();
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

    /// Whether the function has no variables of its own in the debug information.
    fn in_assembler(&self) -> bool {
        self.function.as_ref().is_none_or(|function| function.body.variables.is_empty())
            && assembler::parameter(&self.symbol, 0).is_some()
    }

    fn phi(&self, view: &View, block: ImageAddr, place: Place, depth: u32) -> Option<Described> {
        let itself = self.solved.borrow_mut().arena.intern(Node::Phi { block, place });
        let mut agreed: Option<Described> = None;
        for (_, input) in self.phi_inputs(block, place) {
            if input == itself {
                continue;
            }
            let described = self.describe_at(view, input, depth + 4)?;
            match &agreed {
                None => agreed = Some(described),
                Some(other) if other.text == described.text => {}
                Some(_) => return None,
            }
        }
        agreed.map(|described| Described { footing: described.footing.min(Footing::Earlier), ..described })
    }

    fn binary(&self, view: &View, operator: Operator, a: Value, b: Value, depth: u32) -> Option<Described> {
        if operator == Operator::Add
            && let Some(pointer) = self.per_cpu_pointer(view, a, b, depth)
        {
            return Some(pointer);
        }
        // Assembler aligns a pointer down to read whole words: still the same object to C.
        if operator == Operator::And
            && let Some(mask) = b.as_constant()
            && (1..4096).contains(&mask.wrapping_neg())
            && self.in_assembler()
        {
            return self.describe_at(view, a, depth + 1);
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
            let task = self.image.find_type_near("struct task_struct", self.code.entry);
            return Some(Described {
                text: "current".to_owned(),
                points_to: task,
                ty: None,
                footing: Footing::Here,
            });
        }
        None
    }

    /// The object that an access of `width` bytes at `address` touches; `width` 0 for a mere address.
    #[must_use]
    pub fn lvalue(&self, view: &View, address: Value, segment: Option<Reg>, width: u8) -> Option<LValue> {
        self.lvalue_at(view, address, segment, width, 0)
    }

    /// The same where only some bits of what is read are used: for bit-fields.
    #[must_use]
    pub fn lvalue_of_bits(&self, view: &View, address: Value, width: u8, bits: (u8, u8)) -> Option<LValue> {
        self.best_lvalue(view, address, None, width, Some(bits), 0)
    }

    fn lvalue_at(
        &self,
        view: &View,
        address: Value,
        segment: Option<Reg>,
        width: u8,
        depth: u32,
    ) -> Option<LValue> {
        self.best_lvalue(view, address, segment, width, None, depth)
    }

    fn best_lvalue(
        &self,
        view: &View,
        address: Value,
        segment: Option<Reg>,
        width: u8,
        bits: Option<(u8, u8)>,
        depth: u32,
    ) -> Option<LValue> {
        if depth > MAX_DEPTH {
            return None;
        }
        if segment.is_some() {
            return self.per_cpu(view, address, width);
        }
        let Some(id) = address.node else { return self.global(view, address.plus as u64, width) };
        // A variable in memory that is not the stack is one the compiler never gave a place of its
        // own: it equals the memory that it was read from, so it names what is read there but not
        // the memory.
        let on_stack = matches!(self.node(id), Some(Node::Entry(register))
            if kwhy_arch::cpu(self.arch()).is_some_and(|cpu| cpu.sp == register));
        if (on_stack || depth > 0)
            && let Some(local) = self.local(view, address, width, bits)
        {
            return Some(local);
        }
        let mut best: Option<LValue> = None;
        let mut offer = |candidate: LValue| {
            let better = best.as_ref().is_none_or(|other| quality(&candidate) > quality(other));
            if better {
                best = Some(candidate);
            }
        };
        // Any name of any value with the same node: `use` is `x0 - 0x10`, so `x0 + 0x18` is `use + 0x28`.
        let mut names: Vec<(Rank, usize, i64)> = self
            .names
            .of_node(Some(id))
            .iter()
            .filter_map(|name| {
                let value = Value { node: Some(id), plus: name.plus };
                Some((self.rank(view, name.variable, value)?, name.variable, name.plus))
            })
            .collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.0));
        for (rank, variable, plus) in names.into_iter().take(40) {
            let Some(info) = self.names.variables.get(variable) else { continue };
            let described = Described {
                text: info.name.to_string(),
                points_to: None,
                ty: info.ty,
                footing: rank.footing,
            };
            let base = Value { node: Some(id), plus };
            let offset = address.plus.wrapping_sub(plus);
            if let Some(candidate) = self.through(&described, base, offset, None, width, bits) {
                offer(candidate);
            }
        }
        // The node itself, by how it was made.
        let base = Value { node: Some(id), plus: 0 };
        if !best.as_ref().is_some_and(|b| b.fit >= Some(Fit::Bits) && b.footing >= Footing::Earlier)
            && let Some(described) = self.derived(view, base, depth + 1)
            && let Some(candidate) = self.through(&described, base, address.plus, None, width, bits)
        {
            if let Some(best) = &mut best {
                // A name wins unless it explains nothing.
                if candidate.fit > best.fit && (best.fit.is_none() || candidate.footing >= best.footing) {
                    *best = candidate;
                }
            } else {
                best = Some(candidate);
            }
        }
        if best.as_ref().is_none_or(|b| b.fit < Some(Fit::Narrower))
            && let Some(indexed) = self.indexed(view, id, address.plus, width, bits, depth)
        {
            let better = best.as_ref().is_none_or(|b| quality(&indexed) > quality(b));
            if better {
                best = Some(indexed);
            }
        }
        best
    }

    /// `pointer[offset]` through a described pointer.
    fn through(
        &self,
        pointer: &Described,
        base: Value,
        offset: i64,
        index: Option<(&str, u64)>,
        width: u8,
        bits: Option<(u8, u8)>,
    ) -> Option<LValue> {
        let mut lvalue = LValue {
            text: String::new(),
            ty: None,
            pointer: Some(pointer.text.clone()),
            base: Some(base),
            pointee: None,
            member: None,
            offset,
            index: index.map(|(text, scale)| (text.to_owned(), scale)),
            fit: None,
            footing: pointer.footing,
        };
        let pointee = match pointer.ty.map(|ty| self.image.strip(ty)) {
            Some(Type::Pointer(pointee)) => Some(pointee),
            // An array's name is a pointer to its first element.
            Some(Type::Array { element, .. }) => Some(element),
            _ => pointer.points_to,
        };
        if let Some(pointee) = pointee
            && let Some(found) = self.path_into(pointee, offset, index, width, bits)
        {
            lvalue.text = path::join(&pointer.text, &found.text);
            lvalue.ty = found.ty;
            lvalue.pointee = Some(pointee);
            lvalue.member = found.text.strip_prefix('.').map(str::to_owned);
            lvalue.fit = Some(found.fit);
            return Some(lvalue);
        }
        if let Some(pointee) = pointee
            && let Some(element) = self.element_access(pointee, &pointer.text, offset, index, width)
        {
            lvalue.text = element.0;
            lvalue.member = element.1;
            lvalue.ty = element.2;
            lvalue.pointee = Some(pointee);
            lvalue.fit = Some(element.3);
            return Some(lvalue);
        }
        if index.is_some() {
            return None;
        }
        // Assembler reads strings and pages in words of its own choice: the C type is bytes.
        if self.in_assembler() && path::is_postfix(&pointer.text) {
            lvalue.text = match offset {
                0 => format!("*{}", pointer.text),
                _ => format!("{}[{offset}]", pointer.text),
            };
            lvalue.fit = Some(Fit::Wider);
            return Some(lvalue);
        }
        lvalue.pointee = pointee;
        let cast = match width {
            1 => "u8",
            2 => "u16",
            4 => "u32",
            _ => "u64",
        };
        let base_text = if path::is_postfix(&pointer.text) {
            pointer.text.clone()
        } else {
            format!("({})", pointer.text)
        };
        lvalue.text = match offset {
            0 => format!("*({cast} *){base_text}"),
            1.. => format!("*({cast} *)((char *){base_text} + {offset:#x})"),
            _ => format!("*({cast} *)((char *){base_text} - {:#x})", offset.unsigned_abs()),
        };
        lvalue.footing = lvalue.footing.min(Footing::Earlier);
        Some(lvalue)
    }

    fn path_into(
        &self,
        pointee: TypeId,
        offset: i64,
        index: Option<(&str, u64)>,
        width: u8,
        bits: Option<(u8, u8)>,
    ) -> Option<Path> {
        let paths = path::paths(self.image, pointee, Spot { offset, width, index });
        if let Some((lsb, count)) = bits {
            let first = (offset as u64).wrapping_mul(8).wrapping_add(u64::from(lsb));
            let exact = paths.iter().find(|path| path.bits == Some((first, u64::from(count))));
            return exact.cloned();
        }
        // Of several bit-fields in one storage unit none can be named without knowing the bits.
        let best = paths.first()?;
        if best.fit == Fit::Bits {
            let fields: Vec<&Path> = paths.iter().filter(|path| path.fit == Fit::Bits).collect();
            if let [one] = fields.as_slice() {
                return Some((*one).clone());
            }
            let exact = paths.iter().find(|path| path.fit == Fit::Exact);
            return exact.or(Some(best)).cloned();
        }
        Some(best.clone())
    }

    /// `p[2].x`, `p[i].x`: beyond the first element of what a pointer points to.
    fn element_access(
        &self,
        pointee: TypeId,
        pointer: &str,
        offset: i64,
        index: Option<(&str, u64)>,
        width: u8,
    ) -> Option<(String, Option<String>, Option<TypeId>, Fit)> {
        let size = self.image.size_of(pointee).filter(|size| *size > 0)? as i64;
        let (constant, rest) = (offset.div_euclid(size), offset.rem_euclid(size));
        let subscript = match (index, constant) {
            (Some((text, scale)), 0) if scale as i64 == size => text.to_owned(),
            (Some((text, scale)), 1..) if scale as i64 == size => format!("{text} + {constant}"),
            (Some((text, scale)), _) if scale as i64 == size => {
                format!("{text} - {}", constant.unsigned_abs())
            }
            (Some(_), _) => return None,
            // A struct pointer is an array only in the eyes of arithmetic: far offsets are not.
            (None, n) if n != 0 && n.unsigned_abs() <= 64 => n.to_string(),
            (None, _) => return None,
        };
        let spot = Spot { offset: rest, width, index: None };
        let found = path::paths(self.image, pointee, spot).into_iter().next()?;
        let base = if path::is_postfix(pointer) { pointer.to_owned() } else { format!("({pointer})") };
        let base = match pointer.strip_prefix('&') {
            Some(object) if path::is_postfix(object) => {
                object.strip_suffix("[0]").unwrap_or(&base).to_owned()
            }
            _ => base,
        };
        let fit = if index.is_none() { found.fit.min(Fit::Narrower) } else { found.fit };
        let member = found.text.strip_prefix('.').map(str::to_owned);
        Some((format!("{base}[{subscript}]{}", found.text), member, found.ty, fit))
    }

    /// `base + index * scale + offset`.
    fn indexed(
        &self,
        view: &View,
        id: NodeId,
        offset: i64,
        width: u8,
        bits: Option<(u8, u8)>,
        depth: u32,
    ) -> Option<LValue> {
        let Some(Node::Binary(Operator::Add, a, b)) = self.node(id) else { return None };
        for (base, index) in [(a, b), (b, a)] {
            let (index, scale) = self.scaled(index);
            let text = self
                .describe_at(view, index, depth + 2)
                .map_or_else(|| "i".to_owned(), |described| described.text);
            let Some(base_id) = base.node else {
                // A table at a fixed address: `table[i].x`.
                let whole = base.plus.wrapping_add(offset);
                if let Some(found) = self.global_indexed(view, whole, &text, scale, width) {
                    return Some(found);
                }
                continue;
            };
            let mut candidates: Vec<(Described, Value)> = Vec::new();
            for name in self.names.of_node(Some(base_id)) {
                let value = Value { node: Some(base_id), plus: name.plus };
                let (Some(rank), Some(info)) =
                    (self.rank(view, name.variable, value), self.names.variables.get(name.variable))
                else {
                    continue;
                };
                candidates.push((
                    Described {
                        text: info.name.to_string(),
                        points_to: None,
                        ty: info.ty,
                        footing: rank.footing,
                    },
                    value,
                ));
            }
            let plain = Value { node: Some(base_id), plus: 0 };
            if let Some(derived) = self.derived(view, plain, depth + 1) {
                candidates.push((derived, plain));
            }
            let mut best: Option<LValue> = None;
            for (pointer, value) in candidates {
                let total = base.plus.wrapping_add(offset).wrapping_sub(value.plus);
                let found = self.through(&pointer, value, total, Some((&text, scale)), width, bits);
                if let Some(found) = found
                    && best.as_ref().is_none_or(|b| quality(&found) > quality(b))
                {
                    best = Some(found);
                }
            }
            if best.is_some() {
                return best;
            }
        }
        None
    }

    fn scaled(&self, value: Value) -> (Value, u64) {
        match value.node.and_then(|id| self.node(id)) {
            Some(Node::Binary(Operator::Mul, index, scale)) if value.plus == 0 => match scale.as_constant() {
                Some(scale) => (index, scale),
                None => (value, 1),
            },
            _ => (value, 1),
        }
    }

    fn global_indexed(&self, view: &View, at: i64, index: &str, scale: u64, width: u8) -> Option<LValue> {
        let global = self.image.global_at(ImageAddr(at as u64), view.pc)?;
        let offset = (at as u64).wrapping_sub(global.address.0) as i64;
        let spot = Spot { offset, width, index: Some((index, scale)) };
        let found = path::paths(self.image, global.ty?, spot).into_iter().next()?;
        Some(LValue {
            text: format!("{}{}", global.name, found.text),
            ty: found.ty,
            pointer: Some(format!("&{}", global.name)),
            base: Some(Value::constant(global.address.0)),
            pointee: global.ty,
            member: found.text.strip_prefix('.').map(str::to_owned),
            offset,
            index: Some((index.to_owned(), scale)),
            fit: Some(found.fit),
            footing: Footing::Here,
        })
    }

    /// A variable at a fixed address, or a member of one.
    fn global(&self, view: &View, at: u64, width: u8) -> Option<LValue> {
        let global = self.image.global_at(ImageAddr(at), view.pc)?;
        let offset = at.wrapping_sub(global.address.0) as i64;
        let found = global.ty.and_then(|ty| {
            path::paths(self.image, ty, Spot { offset, width, index: None }).into_iter().next()
        });
        let text = match (&found, offset) {
            (Some(found), _) => format!("{}{}", global.name, found.text),
            (None, 0) => global.name.to_string(),
            (None, _) => return None,
        };
        Some(LValue {
            text,
            ty: found.as_ref().map_or(global.ty.filter(|_| offset == 0), |found| found.ty),
            pointer: Some(format!("&{}", global.name)),
            base: Some(Value::constant(global.address.0)),
            pointee: global.ty,
            member: found.as_ref().and_then(|f| f.text.strip_prefix('.').map(str::to_owned)),
            offset,
            index: None,
            fit: found.map(|found| found.fit),
            footing: Footing::Here,
        })
    }

    /// A per-cpu variable of this CPU, through gs on x86.
    fn per_cpu(&self, view: &View, address: Value, width: u8) -> Option<LValue> {
        let at = address.as_constant()?;
        if let Some(name) = self.code.imports.name(ImageAddr(at)) {
            let text =
                if name == "current_task" { "current".to_owned() } else { format!("this_cpu({name})") };
            return Some(self.bare(text, None));
        }
        let lvalue = self.global(view, at, width)?;
        if lvalue.text == "current_task" || lvalue.text == "pcpu_hot.current_task" {
            return Some(LValue { text: "current".to_owned(), ..lvalue });
        }
        Some(LValue { text: format!("this_cpu({})", lvalue.text), ..lvalue })
    }

    fn bare(&self, text: String, ty: Option<TypeId>) -> LValue {
        LValue {
            text,
            ty,
            pointer: None,
            base: None,
            pointee: None,
            member: None,
            offset: 0,
            index: None,
            fit: None,
            footing: Footing::Here,
        }
    }

    /// A variable in memory (on the stack, mostly), or a member of one.
    fn local(&self, view: &View, address: Value, width: u8, bits: Option<(u8, u8)>) -> Option<LValue> {
        let mut best: Option<(Rank, LValue)> = None;
        for name in self.names.objects_at(address.node) {
            let Some(info) = self.names.variables.get(name.variable) else { continue };
            let offset = address.plus.wrapping_sub(name.plus);
            let Some(ty) = info.ty else { continue };
            let size = self.image.size_of(ty).unwrap_or(0) as i64;
            if offset < 0 || offset >= size.max(1) {
                continue;
            }
            let value = Value { node: address.node, plus: name.plus };
            let Some(rank) = self.rank(view, name.variable, value) else { continue };
            let Some(found) = self.path_into(ty, offset, None, width, bits) else { continue };
            let lvalue = LValue {
                text: format!("{}{}", info.name, found.text),
                ty: found.ty,
                pointer: Some(format!("&{}", info.name)),
                base: Some(value),
                pointee: Some(ty),
                member: found.text.strip_prefix('.').map(str::to_owned),
                offset,
                index: None,
                fit: Some(found.fit),
                footing: rank.footing.max(Footing::Earlier),
            };
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                best = Some((rank, lvalue));
            }
        }
        best.map(|(_, lvalue)| lvalue)
    }

    /// The name of a function's variable, for tests and listings.
    #[must_use]
    pub fn variable_name(&self, variable: usize) -> Option<Rc<str>> {
        self.names.variables.get(variable).map(|info| Rc::clone(&info.name))
    }
}

/// How good a name is; compared in the order of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    lasting: bool,
    footing: Footing,
    level: usize,
    order: std::cmp::Reverse<usize>,
}

/// Whether a name is of a macro's making (`__mptr`, `__UNIQUE_ID_x42`, `_________p1`).
fn is_temporary(name: &str) -> bool {
    name.starts_with("__") || name.contains("UNIQUE_ID")
}

/// Orders candidates: the better the type explains the access, then the footing.
fn quality(lvalue: &LValue) -> (bool, bool, Footing, Option<Fit>) {
    let temporary = lvalue.pointer.as_deref().is_some_and(is_temporary);
    (lvalue.fit >= Some(Fit::Narrower), !temporary, lvalue.footing, lvalue.fit)
}
