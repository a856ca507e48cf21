//! What a pointer leads to beyond the object that its type promises: the struct around a member
//! (`container_of()`), the struct behind a `void *`, and the variables of each CPU.
//!
//! Compilers keep no variable for `to_chip(dev)` where arithmetic on `dev` does. What the source
//! calls the struct is then told by what it declares: a variable without a place whose struct
//! holds the pointer's, or an inlined accessor that returns such a struct. That is an inference,
//! never a proof, and is made only where one struct alone fits.

use crate::describe::{Described, Footing, View, is_temporary};
use crate::insn::Operator;
use crate::lvalue::LValue;
use crate::path::{self, Fit, Spot};
use crate::scene::Scene;
use crate::value::{Node, NodeId, Value};
use kwhy_base::ImageAddr;
use kwhy_image::{Type, TypeId};
use std::rc::Rc;

/// How deep a struct is searched for the one it encloses.
const MAX_DEPTH: u32 = 4;
/// How many inlined functions are looked at for accessors.
const MAX_SCOPES: usize = 2_000;

/// A struct that encloses what a pointer points to.
struct Enclosing {
    text: String,
    ty: TypeId,
    at: i64,
    /// The variable has a value where the access is.
    valued: bool,
}

impl Scene<'_, '_> {
    /// An access at `offset` from `pointer`, outside of the struct `inner` that it points to.
    pub(crate) fn enclosing(
        &self,
        view: &View,
        pointer: &Described,
        inner: TypeId,
        base: Value,
        offset: i64,
        width: u8,
    ) -> Option<LValue> {
        let size = self.image.size_of(inner)? as i64;
        if (0..size).contains(&offset) || !matches!(self.image.strip(inner), Type::Record(_)) {
            return None;
        }
        let mut found: Option<(Enclosing, path::Path)> = None;
        let candidates = self.declared_around(view, inner);
        if candidates.iter().any(|candidate| candidate.valued) {
            return None;
        }
        let candidates = if candidates.is_empty() { self.accessors_from(pointer, inner) } else { candidates };
        for candidate in candidates {
            let spot = Spot { offset: offset.wrapping_add(candidate.at), width, index: None };
            let Some(path) = path::paths(self.image, candidate.ty, spot).into_iter().next() else { continue };
            if path.fit < Fit::Narrower {
                continue;
            }
            match &found {
                Some((other, _)) if other.text == candidate.text => {}
                // Two structs would fit: neither is sure.
                Some(_) => return None,
                None => found = Some((candidate, path)),
            }
        }
        let (candidate, path) = found?;
        Some(LValue {
            text: path::join(&candidate.text, &path.text),
            ty: path.ty,
            pointer: Some(candidate.text),
            base: Some(base.offset(candidate.at.wrapping_neg())),
            pointee: Some(candidate.ty),
            member: path.text.strip_prefix('.').map(str::to_owned),
            offset: offset.wrapping_add(candidate.at),
            index: None,
            fit: Some(path.fit),
            ambiguous: path.ambiguous,
            footing: Footing::Elsewhere,
        })
    }

    /// Variables declared where `view` looks from, whose structs hold one `inner`. One that has a
    /// value is not what is looked for, or it would have been found by its value; but then what
    /// is looked for may have none of the names left.
    fn declared_around(&self, view: &View, inner: TypeId) -> Vec<Enclosing> {
        let mut found = Vec::new();
        for (index, variable) in self.names.variables.iter().enumerate() {
            let level = self.names.level_of(index);
            let wanted = view.open || level.is_some_and(|level| view.levels.contains(&level));
            if !wanted
                || variable.parameter
                || is_temporary(&variable.name)
                || !self.names.in_scope(variable.scope, view.pc)
            {
                continue;
            }
            let Some(Type::Pointer(ty)) = variable.ty.map(|ty| self.image.strip(ty)) else { continue };
            if let Some(at) = self.place_within(ty, inner) {
                found.push(Enclosing {
                    text: variable.name.to_string(),
                    ty,
                    at,
                    valued: view.is_live(index),
                });
            }
        }
        found
    }

    /// Functions inlined here that take a pointer to `inner` and return one to a struct around it.
    fn accessors_from(&self, pointer: &Described, inner: TypeId) -> Vec<Enclosing> {
        self.accessors()
            .into_iter()
            .filter(|(_, taken, _)| self.same_record(*taken, inner))
            .filter_map(|(name, _, ty)| {
                let at = self.place_within(ty, inner)?;
                Some(Enclosing { text: format!("{name}({})", pointer.text), ty, at, valued: false })
            })
            .collect()
    }

    /// Functions inlined here that take one pointer and return one: name, and what each points to.
    fn accessors(&self) -> Vec<(Rc<str>, TypeId, TypeId)> {
        let mut found: Vec<(Rc<str>, TypeId, TypeId)> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for scope in self.names.scopes.iter().skip(1).take(MAX_SCOPES) {
            if seen.contains(&&*scope.function_name) {
                continue;
            }
            seen.push(&scope.function_name);
            let Some(prototype) = self.prototype(&scope.function_name) else { continue };
            let Some(Type::Pointer(ty)) = prototype.returns.map(|ty| self.image.strip(ty)) else { continue };
            let [(_, Some(parameter))] = prototype.parameters.as_slice() else { continue };
            let Type::Pointer(taken) = self.image.strip(*parameter) else { continue };
            found.push((Rc::clone(&scope.function_name), taken, ty));
        }
        found
    }

    fn same_record(&self, a: TypeId, b: TypeId) -> bool {
        match (self.image.strip(a), self.image.strip(b)) {
            (Type::Record(a), Type::Record(b)) => a.name.is_some() && a.name == b.name && a.size == b.size,
            _ => false,
        }
    }

    /// Where `outer` holds its one `inner`; `None` where it holds none or several.
    fn place_within(&self, outer: TypeId, inner: TypeId) -> Option<i64> {
        if self.same_record(outer, inner) {
            return None;
        }
        let mut found = None;
        let mut work = vec![(outer, 0i64, 0u32)];
        let mut budget = 400u32;
        while let Some((ty, at, depth)) = work.pop() {
            budget = budget.checked_sub(1)?;
            let Type::Record(record) = self.image.strip(ty) else { continue };
            for member in &record.members {
                let place = at.wrapping_add(member.offset as i64);
                if self.same_record(member.ty, inner) {
                    if found.is_some() {
                        return None;
                    }
                    found = Some(place);
                } else if depth < MAX_DEPTH && member.bits.is_none() {
                    work.push((member.ty, place, depth + 1));
                }
            }
        }
        found
    }

    /// What a `void *` member points to, by the accessor that reads it: the inlined
    /// `EXT4_SB(sb)` returns `sb->s_fs_info` as what it is.
    pub(crate) fn accessor_type(&self, view: &View, base: Value, depth: u32) -> Option<TypeId> {
        let Node::Load { address, segment: None, width: 8, .. } =
            self.node(base.node.filter(|_| base.plus == 0)?)?
        else {
            return None;
        };
        let holder = self.lvalue_at(view, address, None, 8, depth + 2)?.pointee?;
        let mut found: Option<TypeId> = None;
        for (_, taken, ty) in self.accessors() {
            // An accessor that only goes from one typed member to another is none for a `void *`.
            if !self.same_record(taken, holder) || !matches!(self.image.strip(ty), Type::Record(_)) {
                continue;
            }
            match found {
                Some(other) if !self.same_record(other, ty) => return None,
                _ => found = Some(ty),
            }
        }
        found
    }

    /// A variable of this CPU, or of another one: ARM64's `tpidr_el1 + &x`, x86's
    /// `__per_cpu_offset[cpu] + &x`.
    pub(crate) fn per_cpu_object(
        &self,
        view: &View,
        id: NodeId,
        plus: i64,
        width: u8,
        depth: u32,
    ) -> Option<LValue> {
        let address = Value::constant(plus as u64);
        let at = ImageAddr(plus as u64);
        let is_per_cpu =
            |at| self.image.section_at(at).is_some_and(|section| section.name.contains("percpu"));
        let this_cpu = match self.node(id) {
            Some(Node::System(name)) => name.starts_with("tpidr_el"),
            Some(Node::Result { at }) => {
                self.callee_name(at).is_some_and(|name| name == "__kern_my_cpu_offset")
            }
            _ => false,
        };
        if this_cpu && is_per_cpu(at) {
            return self.per_cpu(view, address, width);
        }
        let cpu = self.cpu_of_offset(view, id, depth)?;
        if !is_per_cpu(at) {
            return None;
        }
        let lvalue = self.global(view, plus as u64, width)?;
        Some(LValue { text: format!("per_cpu({}, {cpu})", lvalue.text), ..lvalue })
    }

    /// The CPU's number, for `__per_cpu_offset[cpu]`.
    pub(crate) fn cpu_of_offset(&self, view: &View, id: NodeId, depth: u32) -> Option<String> {
        let Node::Load { address, segment: None, width: 8, .. } = self.node(id)? else { return None };
        let (table, index) = match self.node(address.node?)? {
            Node::Binary(Operator::Mul, index, scale) if scale.as_constant() == Some(8) => {
                (address.plus as u64, index)
            }
            Node::Binary(Operator::Add, a, b) => {
                let constant = a.as_constant().or(b.as_constant())?;
                let other = if a.node.is_none() { b } else { a };
                let Node::Binary(Operator::Mul, index, scale) = self.node(other.node?)? else { return None };
                if scale.as_constant() != Some(8) {
                    return None;
                }
                (constant.wrapping_add_signed(address.plus), index)
            }
            _ => return None,
        };
        let name = self.code.symbol_name(self.image, ImageAddr(table))?;
        if name != "__per_cpu_offset" {
            return None;
        }
        Some(self.describe_at(view, index, depth + 2).map_or_else(|| "cpu".to_owned(), |d| d.text))
    }
}
