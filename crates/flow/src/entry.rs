//! What a value has to do with what the function was entered with: which argument it is, or is
//! made of.

use crate::scene::Scene;
use crate::value::{Node, Place, Value};
use kwhy_base::{ImageAddr, Reg};
use std::collections::BTreeSet;

impl Scene<'_, '_> {
    /// The register that a value came in, by the debug information: the value is called what a
    /// parameter of the function is called that the entry point has in a register. For code whose
    /// blocks are reached in ways that cannot be followed, so that the flow is lost.
    #[must_use]
    pub fn parameter_register(&self, value: Value) -> Option<Reg> {
        let mut found = None;
        for name in self.names.of_node(value.node).iter().filter(|name| name.plus == value.plus) {
            let variable = self.names.variables.get(name.variable)?;
            let of_function =
                self.names.scopes.get(variable.scope).is_some_and(|scope| scope.parent.is_none());
            if !variable.parameter || !of_function || value.node.is_none() {
                continue;
            }
            let function = self.function.as_ref()?;
            let declared = function.body.variables.iter().find(|v| v.parameter && v.name == variable.name)?;
            // Its first place: what the calling convention handed it over in.
            let first = declared.locations.iter().min_by_key(|l| l.range.as_ref().map(|range| range.start));
            match first.map(|location| &location.place) {
                Some(kwhy_image::Place::Register(register)) if found.is_none() => found = Some(*register),
                _ => return None,
            }
        }
        found
    }

    /// The register that holds, before the instruction at `pc`, what `register` held on entry.
    #[must_use]
    pub fn where_is_entry(&self, pc: ImageAddr, register: Reg) -> Option<Reg> {
        let entry = self.solved.borrow_mut().arena.intern(Node::Entry(register));
        let state = self.state(pc)?;
        let cpu = kwhy_arch::cpu(self.arch())?;
        let holds = |r: &Reg| state.register(*r) == Some(entry);
        cpu.registers.iter().map(|(_, r)| *r).find(holds)
    }

    /// The registers whose values on entry a value is made of.
    #[must_use]
    pub fn roots(&self, value: Value) -> BTreeSet<Reg> {
        let mut roots = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut work = vec![value];
        while let Some(value) = work.pop() {
            let Some(id) = value.node else { continue };
            if !seen.insert(id) || seen.len() > 200 {
                continue;
            }
            match self.node(id) {
                Some(Node::Entry(register)) => {
                    roots.insert(register);
                }
                Some(Node::Load { address, .. }) => work.push(address),
                Some(Node::Binary(_, a, b)) => work.extend([a, b]),
                Some(Node::Extract { value, .. }) => work.push(value),
                Some(Node::Phi { block, place }) => {
                    work.extend(self.phi_inputs(block, place).into_iter().map(|(_, value)| value));
                }
                _ => {}
            }
        }
        roots
    }

    /// The argument registers that an address is computed from, by arithmetic alone: a page's
    /// descriptor from an object's address, a rounded pointer. Empty where memory that an
    /// argument points to was read on the way: what was read is another value.
    #[must_use]
    pub fn argument_roots(&self, value: Value) -> Vec<Reg> {
        let Some(cpu) = kwhy_arch::cpu(self.arch()) else { return Vec::new() };
        if self.reads_through_entry(value, 0) {
            return Vec::new();
        }
        self.roots(value).into_iter().filter(|register| cpu.arguments.contains(register)).collect()
    }

    fn reads_through_entry(&self, value: Value, depth: u32) -> bool {
        if depth > 16 {
            return true;
        }
        match value.node.and_then(|id| self.node(id)) {
            Some(Node::Load { address, .. }) => !self.roots(address).is_empty(),
            Some(Node::Binary(_, a, b)) => {
                self.reads_through_entry(a, depth + 1) || self.reads_through_entry(b, depth + 1)
            }
            Some(Node::Extract { value, .. }) => self.reads_through_entry(value, depth + 1),
            // An index that a loop counts up is no pointer; what else a loop carries may be read.
            Some(Node::Phi { block, place }) => self
                .phi_inputs(block, place)
                .into_iter()
                .any(|(_, input)| input.node != value.node && self.reads_through_entry(input, depth + 4)),
            _ => false,
        }
    }

    /// The entry register whose value plus a constant `value` is.
    #[must_use]
    pub fn as_entry(&self, value: Value) -> Option<(Reg, i64)> {
        match self.node(value.node?)? {
            Node::Entry(register) => Some((register, value.plus)),
            Node::Phi { block, place } => {
                // A loop that advances its parameter: the first round's value is the parameter.
                let inputs = self.phi_inputs(block, place);
                let mut entries = inputs.iter().filter_map(|(_, input)| match self.node(input.node?)? {
                    Node::Entry(register) => Some((register, input.plus)),
                    _ => None,
                });
                let first = entries.next()?;
                (entries.all(|other| other == first) && matches!(place, Place::Register(_)))
                    .then_some((first.0, first.1.wrapping_add(value.plus)))
            }
            _ => None,
        }
    }

    /// Whether a value that was found to be `number`, a small negative one, is NULL less an offset:
    /// something that was read plus exactly that number, also where a loop carries it round.
    #[must_use]
    pub fn is_null_less(&self, value: Value, number: u64) -> bool {
        let offset = number as i64;
        if !(-4095..0).contains(&offset) || value.node.is_none() {
            return false;
        }
        if value.plus == offset {
            return true;
        }
        let Some(Node::Phi { block, place }) = value.node.and_then(|id| self.node(id)) else { return false };
        value.plus == 0
            && self.phi_inputs(block, place).into_iter().any(|(_, input)| {
                input.plus == offset
                    && matches!(input.node.and_then(|id| self.node(id)), Some(Node::Load { .. }))
            })
    }
}
