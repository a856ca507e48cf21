//! Which values have names in the source, where, and in whose terms.
//!
//! The debug information says where each variable lives over which code. Evaluated in the
//! states of the interpretation, that turns into: this *value* is called `use` in
//! `add_usage_links`. A value keeps its names when the register that the compiler kept it in
//! has been reused, which is what makes expressions recoverable at all in optimised code.

use crate::insn::{Effect, Value as Operand};
use crate::interp::{Solved, State, address};
use crate::path::{Fit, Spot, paths};
use crate::value::{Arena, Node, NodeId, Value};
use kwhy_base::{Arch, ImageAddr, Reg};
use kwhy_image::{Function, Image, Place as Where, Scope, ScopeKind, TypeId, VariableLocation};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// How deep scopes may nest; real ones stay below forty.
const MAX_SCOPE_DEPTH: usize = 200;
/// How many variable locations of one function are looked at.
const MAX_LOCATIONS: usize = 200_000;

/// One scope on the way from a function's body to its leaves, flattened.
#[derive(Clone, Debug)]
pub struct ScopeInfo {
    /// Its parent in [`Names::scopes`].
    pub parent: Option<usize>,
    /// The scope of the innermost function, inlined or not, that it belongs to (itself for those).
    pub function: usize,
    /// That function's name.
    pub function_name: Rc<str>,
    /// Its code.
    pub ranges: Vec<Range<ImageAddr>>,
}

/// A variable of the function or of a call inlined into it.
#[derive(Clone, Debug)]
pub struct VariableInfo {
    /// Its name.
    pub name: Rc<str>,
    /// Its type.
    pub ty: Option<TypeId>,
    /// A parameter.
    pub parameter: bool,
    /// Its scope in [`Names::scopes`].
    pub scope: usize,
    /// File and line of its declaration.
    pub declared: Option<(Rc<str>, u32)>,
    locations: Vec<VariableLocation>,
}

/// A name for a value: the variable's value is `node + plus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameOf {
    /// In [`Names::variables`].
    pub variable: usize,
    /// What to add to the node to get the variable's value.
    pub plus: i64,
}

/// All names of one function.
pub struct Names {
    /// Scopes, parents before children.
    pub scopes: Vec<ScopeInfo>,
    /// Variables.
    pub variables: Vec<VariableInfo>,
    /// Names of values.
    values: BTreeMap<Option<NodeId>, Vec<NameOf>>,
    /// Variables in memory, by the node of their address.
    objects: BTreeMap<Option<NodeId>, Vec<NameOf>>,
    /// Where values were stored: by node, (what was added to it, the address stored to, the instruction).
    stored: BTreeMap<NodeId, Vec<StoredTo>>,
    arch: Arch,
    sp: Option<Reg>,
}

/// A store of a value to memory: from there on the memory is another name for the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredTo {
    /// The instruction.
    pub at: ImageAddr,
    /// What was stored is `node + plus`.
    pub plus: i64,
    /// Where to.
    pub address: Value,
}

/// What a location says in one state.
enum Evaluated {
    /// The variable's value.
    Value(Value),
    /// The variable's address.
    Object(Value),
}

impl Names {
    /// Names every value of a solved function.
    #[must_use]
    pub fn new(solved: &mut Solved, function: &Function, image: &Image<'_>) -> Names {
        let mut names = Names::none(solved);
        names.flatten(&function.body, None, 0, &function.name);
        names.split_pieces(image);
        names.evaluate_all(solved);
        names.find_stores(solved);
        names
    }

    /// Finds where whole pointers are stored to memory that is not the stack.
    fn find_stores(&mut self, solved: &mut Solved) {
        let mut found: BTreeMap<NodeId, Vec<StoredTo>> = BTreeMap::new();
        let sp = self.sp;
        solved.walk(|arena, insn, _, state| {
            for effect in &insn.effects {
                let Effect::Store { value: Operand::Register(register, 8), memory, width: 8 } = effect else {
                    continue;
                };
                let (Some(value), Some(address)) = (state.register(*register), address(arena, state, memory))
                else {
                    continue;
                };
                let stack = sp.and_then(|sp| arena.intern(Node::Entry(sp)).node);
                let Some(node) = value.node else { continue };
                if memory.segment.is_none() && address.node != stack {
                    let stored = StoredTo { at: insn.address, plus: value.plus, address };
                    found.entry(node).or_default().push(stored);
                }
            }
        });
        self.stored = found;
    }

    /// Where a value was stored.
    #[must_use]
    pub fn stores_of(&self, node: NodeId) -> &[StoredTo] {
        self.stored.get(&node).map_or(&[], Vec::as_slice)
    }

    /// No names at all: for code without debug information.
    #[must_use]
    pub fn none(solved: &Solved) -> Names {
        let arch = solved.code.arch;
        Names {
            scopes: Vec::new(),
            variables: Vec::new(),
            values: BTreeMap::new(),
            objects: BTreeMap::new(),
            stored: BTreeMap::new(),
            arch,
            sp: kwhy_arch::cpu(arch).map(|cpu| cpu.sp),
        }
    }

    fn flatten(&mut self, scope: &Scope, parent: Option<usize>, depth: usize, name: &Rc<str>) {
        if depth > MAX_SCOPE_DEPTH {
            return;
        }
        let index = self.scopes.len();
        let (function, function_name) = match (&scope.kind, parent.and_then(|p| self.scopes.get(p))) {
            (ScopeKind::Inlined { name, .. }, _) => (index, Rc::clone(name)),
            (ScopeKind::Block, Some(parent)) => (parent.function, Rc::clone(&parent.function_name)),
            _ => (index, Rc::clone(name)),
        };
        self.scopes.push(ScopeInfo { parent, function, function_name, ranges: scope.ranges.clone() });
        for variable in &scope.variables {
            self.variables.push(VariableInfo {
                name: Rc::clone(&variable.name),
                ty: variable.ty,
                parameter: variable.parameter,
                scope: index,
                locations: variable.locations.clone(),
                declared: variable.declared.clone(),
            });
        }
        for child in &scope.children {
            self.flatten(child, Some(index), depth + 1, name);
        }
    }

    /// A struct that was passed in registers: each register is a member of it, under the member's
    /// own name (`span.surface`).
    fn split_pieces(&mut self, image: &Image<'_>) {
        let mut parts: Vec<VariableInfo> = Vec::new();
        for variable in &self.variables {
            let Some(ty) = variable.ty else { continue };
            for location in &variable.locations {
                let Where::Pieces(pieces) = &location.place else { continue };
                for (offset, size, register) in pieces {
                    let (Ok(offset), Ok(width)) = (i64::try_from(*offset), u8::try_from(*size)) else {
                        continue;
                    };
                    let found = paths(image, ty, Spot { offset, width, index: None }).into_iter().next();
                    let Some(found) = found.filter(|path| path.fit == Fit::Exact && !path.ambiguous) else {
                        continue;
                    };
                    parts.push(VariableInfo {
                        name: Rc::from(format!("{}{}", variable.name, found.text)),
                        ty: found.ty,
                        locations: vec![VariableLocation {
                            range: location.range.clone(),
                            place: Where::Register(*register),
                        }],
                        ..variable.clone()
                    });
                }
            }
        }
        self.variables.extend(parts);
    }

    fn evaluate_all(&mut self, solved: &mut Solved) {
        // (start, end, variable, location), walked along with the code.
        let mut spans: Vec<(ImageAddr, ImageAddr, usize, usize)> = Vec::new();
        for (v, variable) in self.variables.iter().enumerate() {
            for (l, location) in variable.locations.iter().enumerate() {
                match &location.range {
                    // An empty range is a location view: true between two instructions.
                    Some(range) => spans.push((range.start, range.end.max(range.start.offset(1)), v, l)),
                    None => {
                        let ranges = self.scopes.get(variable.scope).map_or(&[][..], |scope| &scope.ranges);
                        spans.extend(ranges.iter().map(|range| (range.start, range.end, v, l)));
                    }
                }
                if spans.len() > MAX_LOCATIONS {
                    break;
                }
            }
        }
        spans.sort_unstable();
        let mut next = 0;
        let mut active: Vec<(ImageAddr, usize, usize)> = Vec::new();
        let mut found: Vec<(bool, Option<NodeId>, NameOf)> = Vec::new();
        let (variables, arch, sp) = (&self.variables, self.arch, self.sp);
        solved.walk(|arena, insn, block_start, state| {
            let mut fresh = active.len();
            active.retain(|(end, _, _)| *end > insn.address);
            fresh = fresh.min(active.len());
            while let Some((start, end, v, l)) = spans.get(next).copied()
                && start <= insn.address
            {
                next += 1;
                if end > insn.address {
                    active.push((end, v, l));
                }
            }
            let look_at = if block_start { &active[..] } else { active.get(fresh..).unwrap_or_default() };
            for (_, v, l) in look_at {
                let Some(place) =
                    variables.get(*v).and_then(|variable| variable.locations.get(*l)).map(|l| &l.place)
                else {
                    continue;
                };
                match evaluate(arena, state, place, arch, sp) {
                    Some(Evaluated::Value(value)) => {
                        found.push((false, value.node, NameOf { variable: *v, plus: value.plus }));
                    }
                    Some(Evaluated::Object(value)) => {
                        found.push((true, value.node, NameOf { variable: *v, plus: value.plus }));
                    }
                    None => {}
                }
            }
        });
        found.sort_unstable();
        found.dedup();
        for (object, node, name) in found {
            let map = if object { &mut self.objects } else { &mut self.values };
            map.entry(node).or_default().push(name);
        }
    }

    /// The names of values `node + something`.
    #[must_use]
    pub fn of_node(&self, node: Option<NodeId>) -> &[NameOf] {
        self.values.get(&node).map_or(&[], Vec::as_slice)
    }

    /// The variables whose address is `node + something`.
    #[must_use]
    pub fn objects_at(&self, node: Option<NodeId>) -> &[NameOf] {
        self.objects.get(&node).map_or(&[], Vec::as_slice)
    }

    /// Variables alive before the instruction at `pc`, with their values there.
    pub fn live(&self, solved: &mut Solved, pc: ImageAddr) -> BTreeMap<usize, Value> {
        let Some(state) = solved.code.index_of(pc).and_then(|index| solved.state_before(index)) else {
            return BTreeMap::new();
        };
        let mut live = BTreeMap::new();
        for (v, variable) in self.variables.iter().enumerate() {
            if !self.in_scope(variable.scope, pc) {
                continue;
            }
            let place = variable
                .locations
                .iter()
                .find(|location| location.range.as_ref().is_none_or(|range| range.contains(&pc)))
                .map(|location| &location.place);
            if let Some(place) = place
                && let Some(Evaluated::Value(value)) =
                    evaluate(&mut solved.arena, &state, place, self.arch, self.sp)
            {
                live.insert(v, value);
            }
        }
        live
    }

    /// The variables called what `value` is, that the debug information says are `number`
    /// somewhere: set to it where they are declared, mostly.
    #[must_use]
    pub fn declared_as(&self, value: Value, number: u64) -> Vec<usize> {
        let named = self.of_node(value.node).iter().filter(|name| name.plus == value.plus);
        let mut found: Vec<usize> = named
            .filter(|name| {
                let variable = self.variables.get(name.variable);
                let is = |location: &VariableLocation| location.place == Where::Constant(number);
                variable.is_some_and(|variable| !variable.parameter && variable.locations.iter().any(is))
            })
            .map(|name| name.variable)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether the scope's code covers `pc`.
    #[must_use]
    pub fn in_scope(&self, scope: usize, pc: ImageAddr) -> bool {
        self.scopes.get(scope).is_some_and(|scope| scope.ranges.iter().any(|range| range.contains(&pc)))
    }

    /// The functions (inlined ones first) whose code covers `pc`: innermost first, as indices of
    /// their scopes.
    #[must_use]
    pub fn levels(&self, pc: ImageAddr) -> Vec<usize> {
        // Parents come before children, so the last covering scope of each chain is the deepest.
        let mut here = None;
        for (index, scope) in self.scopes.iter().enumerate() {
            let child_of_here = scope.parent == here;
            if child_of_here && (here.is_none() || self.in_scope(index, pc)) {
                here = Some(index);
            }
        }
        let mut levels = Vec::new();
        while let Some(index) = here {
            let Some(scope) = self.scopes.get(index) else { break };
            if levels.last() != Some(&scope.function) {
                levels.push(scope.function);
            }
            here = scope.parent;
        }
        levels
    }

    /// The function (inlined or not) that a variable belongs to, as its scope's index.
    #[must_use]
    pub fn level_of(&self, variable: usize) -> Option<usize> {
        let variable = self.variables.get(variable)?;
        self.scopes.get(variable.scope).map(|scope| scope.function)
    }
}

fn evaluate(
    arena: &mut Arena,
    state: &State,
    place: &Where,
    arch: Arch,
    sp: Option<Reg>,
) -> Option<Evaluated> {
    // The CFA is the stack pointer before the call: on x86 the return address lies below it.
    let cfa = |arena: &mut Arena| {
        let entry = arena.intern(Node::Entry(sp?));
        Some(if arch == Arch::X86_64 { entry.offset(8) } else { entry })
    };
    Some(match place {
        Where::Register(register) => Evaluated::Value(state.register(*register)?),
        Where::Computed(register, plus) => Evaluated::Value(state.register(*register)?.offset(*plus)),
        Where::Constant(number) => Evaluated::Value(Value::constant(*number)),
        Where::AddressOf(address) => Evaluated::Value(Value::constant(address.0)),
        Where::Entry(register, plus) => Evaluated::Value(arena.intern(Node::Entry(*register)).offset(*plus)),
        Where::FrameAddress(offset) => Evaluated::Value(cfa(arena)?.offset(*offset)),
        Where::Memory(register, offset) => {
            in_memory(arena, state, state.register(*register)?.offset(*offset), sp)
        }
        Where::Frame(offset) => {
            let address = cfa(arena)?.offset(*offset);
            in_memory(arena, state, address, sp)
        }
        Where::Address(address) => Evaluated::Object(Value::constant(address.0)),
        Where::Pieces(_) | Where::Other => return None,
    })
}

/// A variable in memory; where it is a spilled register whose value is known, that value.
fn in_memory(arena: &mut Arena, state: &State, address: Value, sp: Option<Reg>) -> Evaluated {
    let entry = sp.and_then(|sp| arena.intern(Node::Entry(sp)).node);
    if entry.is_some()
        && address.node == entry
        && let Some(value) = state.slot(address.plus)
    {
        return Evaluated::Value(value);
    }
    Evaluated::Object(address)
}
