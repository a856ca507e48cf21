//! What a pointer points to where no debug information says so: by what is done with it.
//!
//! Without DWARF a local has no type, and BTF has no prototypes of the clones that compilers make
//! of static functions. But every access through a pointer is at an offset and of a width, some
//! of the values read there are followed in turn or handed to functions whose prototypes are
//! known, and of the structs that a module defines mostly one alone has such members. That is an
//! inference and never a proof; where two structs would fit, there is none.

use crate::describe::{Described, Footing, View};
use crate::insn::Flow;
use crate::interp::address;
use crate::path::{self, Fit, Spot};
use crate::scene::Scene;
use crate::value::{Node, NodeId, Value};
use kwhy_image::{Type, TypeId};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Uses of one pointer that are compared; the first are as good as any.
const MAX_USES: usize = 24;
/// How deep a struct is searched for one that it embeds.
const MAX_DEPTH: u32 = 4;
/// Uses that it takes to pick one of all the kernel's structs.
const LEAST_FOR_KERNEL: usize = 2;

/// What was done with a pointer at one of its offsets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    offset: i64,
    width: u8,
    /// What was read there is a pointer itself: followed, or handed over as one.
    pointer: bool,
    /// To what, where that is known: a struct's name.
    to: Option<Rc<str>>,
    /// The class of what was read there, whose own uses must fit what the member points to.
    class: Option<NodeId>,
}

/// The uses of every pointer of a function.
#[derive(Default)]
pub(crate) struct Uses {
    /// By the pointer's class.
    uses: BTreeMap<NodeId, BTreeSet<Use>>,
    /// Values of one type: read from one place, or met in one join.
    classes: BTreeMap<NodeId, NodeId>,
    /// What a value is handed over as, by class: a struct's name.
    typed: BTreeMap<NodeId, TypeId>,
}

impl Uses {
    fn class(&self, node: NodeId) -> NodeId {
        self.classes.get(&node).copied().unwrap_or(node)
    }
}

impl Scene<'_, '_> {
    fn uses(&self) -> Rc<Uses> {
        if let Some(known) = &*self.uses.borrow() {
            return Rc::clone(known);
        }
        let found = Rc::new(self.find_uses());
        *self.uses.borrow_mut() = Some(Rc::clone(&found));
        found
    }

    fn find_uses(&self) -> Uses {
        let arguments = kwhy_arch::cpu(self.arch()).map_or(&[][..], |cpu| cpu.arguments);
        let mut accesses: Vec<(NodeId, i64, u8)> = Vec::new();
        let mut handed: Vec<(NodeId, i64, TypeId)> = Vec::new();
        self.solved.borrow_mut().walk(|arena, insn, _, state| {
            for access in insn.accesses() {
                if access.memory.segment.is_some() || access.memory.index.is_some() {
                    continue;
                }
                if let Some(Value { node: Some(node), plus }) = address(arena, state, &access.memory) {
                    accesses.push((node, plus, access.width));
                }
            }
            let (Flow::Call(target) | Flow::Jump(target)) = &insn.flow else { return };
            let Some(name) = self.code.symbol_name(self.image, *target) else { return };
            let Some(prototype) = self.prototype(&name) else { return };
            for (register, (_, ty)) in arguments.iter().zip(&prototype.parameters) {
                let Some(Type::Pointer(ty)) = ty.map(|ty| self.image.strip(ty)) else { continue };
                if matches!(self.image.strip(ty), Type::Record(_))
                    && let Some(Value { node: Some(node), plus }) = state.register(*register)
                {
                    handed.push((node, plus, ty));
                }
            }
        });
        let mut found = Uses { classes: self.classes(), ..Uses::default() };
        for (node, plus, ty) in &handed {
            if *plus == 0 {
                found.typed.entry(found.class(*node)).or_insert(*ty);
            }
        }
        let followed: BTreeSet<NodeId> = accesses.iter().map(|(node, ..)| found.class(*node)).collect();
        // What each read of memory brought.
        let mut read: BTreeMap<(NodeId, i64, u8), NodeId> = BTreeMap::new();
        for (id, node) in self.loads() {
            if let Node::Load { address: Value { node: Some(base), plus }, segment: None, width, .. } = node {
                read.insert((found.class(base), plus, width), found.class(id));
            }
        }
        for (node, offset, width) in accesses {
            let class = found.class(node);
            let value = read.get(&(class, offset, width)).filter(|_| width == 8);
            let to = value.and_then(|value| found.typed.get(value)).and_then(|ty| self.tag(*ty));
            let pointer = to.is_some() || value.is_some_and(|value| followed.contains(value));
            let uses = found.uses.entry(class).or_default();
            if uses.len() < MAX_USES {
                uses.insert(Use { offset, width, pointer, to, class: value.copied().filter(|_| pointer) });
            }
        }
        found
    }

    fn loads(&self) -> Vec<(NodeId, Node)> {
        let solved = self.solved.borrow();
        let all = (0u32..).map(NodeId).map_while(|id| Some((id, solved.arena.node(id)?)));
        all.filter(|(_, node)| matches!(node, Node::Load { .. } | Node::Phi { .. })).collect()
    }

    /// Values of one type, by the first of them.
    fn classes(&self) -> BTreeMap<NodeId, NodeId> {
        let mut classes: BTreeMap<NodeId, NodeId> = BTreeMap::new();
        let all = self.loads();
        // What is read from one place is of one type; a place in what was read twice is one, too.
        for _ in 0..3 {
            let of = |classes: &BTreeMap<NodeId, NodeId>, id: NodeId| classes.get(&id).copied().unwrap_or(id);
            let mut first: BTreeMap<(Option<NodeId>, i64, u8), NodeId> = BTreeMap::new();
            let before = classes.clone();
            for (id, node) in &all {
                match node {
                    Node::Load { address, segment: None, width, .. } => {
                        let key = (address.node.map(|node| of(&before, node)), address.plus, *width);
                        let one = *first.entry(key).or_insert_with(|| of(&before, *id));
                        classes.insert(*id, one);
                    }
                    Node::Phi { block, place } => {
                        // A null pointer among what meets says nothing of the type.
                        let inputs = self.phi_inputs(*block, *place);
                        let nodes = inputs.iter().filter(|(_, value)| value.node.is_some());
                        let plain: Vec<NodeId> =
                            nodes.clone().filter(|(_, v)| v.plus == 0).filter_map(|(_, v)| v.node).collect();
                        if plain.len() == nodes.count()
                            && let Some(one) = plain.iter().find(|node| *node != id)
                        {
                            classes.insert(*id, of(&before, *one));
                        }
                    }
                    _ => {}
                }
            }
            if classes == before {
                break;
            }
        }
        classes
    }

    fn tag(&self, ty: TypeId) -> Option<Rc<str>> {
        match self.image.strip(ty) {
            Type::Record(record) => record.name.clone(),
            _ => None,
        }
    }

    /// What `base` points to, where one struct alone fits everything that is done with it.
    pub(crate) fn inferred(&self, base: Value) -> Option<TypeId> {
        if self.image.has_dwarf() || base.plus != 0 {
            return None;
        }
        let uses = self.uses();
        let class = uses.class(base.node?);
        if let Some(known) = self.inferred.borrow().get(&class) {
            return *known;
        }
        // Handed over as a pointer to a struct: that struct, unless what is done with it is not
        // in there (it is then the first member of something).
        let all: Vec<&Use> = uses.uses.get(&class).into_iter().flatten().collect();
        let told =
            uses.typed.get(&class).copied().filter(|ty| all.iter().all(|one| self.fits(*ty, 0, one, 0)));
        let found = told.or_else(|| {
            let own = self.image.own_records();
            match self.only(own.iter().map(|ty| (*ty, 0)), &all) {
                Some((ty, _)) => Some(ty),
                None if all.len() >= LEAST_FOR_KERNEL && all.iter().any(|one| one.to.is_some()) => {
                    let shared = self.image.shared_records();
                    self.only(shared.iter().map(|ty| (*ty, 0)), &all).map(|(ty, _)| ty)
                }
                None => None,
            }
        });
        self.inferred.borrow_mut().insert(class, found);
        found
    }

    /// The struct around the `inner` that `base` points to, and where that is in it.
    pub(crate) fn inferred_around(
        &self,
        base: Value,
        inner: TypeId,
        spot: (i64, u8),
    ) -> Option<(TypeId, i64)> {
        if self.image.has_dwarf() {
            return None;
        }
        let name = self.tag(inner)?;
        let uses = self.uses();
        let class = uses.class(base.node?);
        let shift = base.plus;
        let here =
            Use { offset: spot.0.wrapping_add(shift), width: spot.1, pointer: false, to: None, class: None };
        let mut all: Vec<&Use> = uses.uses.get(&class).into_iter().flatten().collect();
        all.push(&here);
        let within = |records: Rc<[TypeId]>| {
            let mut places = Vec::new();
            for ty in records.iter() {
                places.extend(self.places_of(*ty, &name).into_iter().map(|at| (*ty, at.wrapping_sub(shift))));
            }
            places
        };
        let own = within(self.image.own_records());
        let found = self.only(own.into_iter(), &all).or_else(|| {
            let enough = all.len() > LEAST_FOR_KERNEL;
            enough.then(|| self.only(within(self.image.shared_records()).into_iter(), &all))?
        });
        found.map(|(ty, at)| (ty, at.wrapping_add(shift)))
    }

    /// Where a struct embeds one of that name, itself excluded.
    fn places_of(&self, outer: TypeId, inner: &str) -> Vec<i64> {
        let mut found = Vec::new();
        let mut work = vec![(outer, 0i64, 0u32)];
        let mut budget = 400u32;
        while let Some((ty, at, depth)) = work.pop() {
            let Some(left) = budget.checked_sub(1) else { break };
            budget = left;
            let Type::Record(record) = self.image.strip(ty) else { continue };
            if record.name.as_deref() == Some(inner) {
                if depth > 0 {
                    found.push(at);
                }
                continue;
            }
            if depth < MAX_DEPTH {
                let plain = record.members.iter().filter(|member| member.bits.is_none());
                work.extend(plain.map(|m| (m.ty, at.wrapping_add(m.offset as i64), depth + 1)));
            }
        }
        found.sort_unstable();
        found
    }

    /// The one candidate that everything fits.
    fn only(&self, candidates: impl Iterator<Item = (TypeId, i64)>, uses: &[&Use]) -> Option<(TypeId, i64)> {
        if uses.is_empty() {
            return None;
        }
        let mut found: Option<(TypeId, i64)> = None;
        for (ty, at) in candidates {
            if !uses.iter().all(|one| self.fits(ty, at, one, 0)) {
                continue;
            }
            match found {
                Some(other) if self.tag(other.0) == self.tag(ty) && other.1 == at => {}
                Some(_) => return None,
                None => found = Some((ty, at)),
            }
        }
        found
    }

    /// Whether a use is one of a member of `ty`.
    fn fits(&self, ty: TypeId, at: i64, one: &Use, depth: u32) -> bool {
        let offset = one.offset.wrapping_add(at);
        if offset < 0 || self.image.size_of(ty).is_none_or(|size| offset as u64 >= size) {
            return false;
        }
        let spot = Spot { offset, width: one.width, index: None };
        path::paths(self.image, ty, spot).into_iter().filter(|path| path.fit >= Fit::Narrower).any(|path| {
            let exact = path.fit == Fit::Exact || one.width <= 8 && path.fit == Fit::Bits;
            if !one.pointer {
                // A wide integer is read in part, a struct copied in whole.
                return exact || one.width < 8;
            }
            let Some(Type::Pointer(to)) = path.ty.map(|ty| self.image.strip(ty)) else { return false };
            let anything = matches!(self.image.strip(to), Type::Void);
            anything || (one.to.is_none() || self.tag(to) == one.to) && self.leads_on(to, one, depth)
        })
    }

    /// Whether what is done with a value that was read is done with members of `to`.
    fn leads_on(&self, to: TypeId, one: &Use, depth: u32) -> bool {
        const DEEPEST: u32 = 2;
        // A list's entry is followed beyond itself, into what it is in; so may anything embedded be.
        let Type::Record(record) = self.image.strip(to) else { return true };
        let Some(class) = one.class.filter(|_| depth < DEEPEST && record.size > 16) else { return true };
        let uses = self.uses();
        let all = uses.uses.get(&class).into_iter().flatten();
        all.into_iter().all(|next| self.fits(to, 0, next, depth + 1))
    }

    /// A pointer that has no name, by its inferred type and the register that holds it.
    pub(crate) fn raw_pointer(&self, view: &View, base: Value) -> Option<Described> {
        let ty = self.inferred(base)?;
        let state = self.state(view.pc)?;
        let cpu = kwhy_arch::cpu(self.arch())?;
        let uses = self.uses();
        let class = uses.class(base.node?);
        let holders = cpu.registers.iter().filter_map(|(name, register)| {
            let value = state.register(*register)?;
            let same =
                value == base || value.plus == 0 && value.node.map(|node| uses.class(node)) == Some(class);
            same.then_some((value != base, *name))
        });
        // The first that holds the value itself, else the first that holds an equal one.
        let (_, name) = holders.min_by_key(|(other, _)| *other)?;
        Some(Described {
            text: format!("({} *){name}", self.image.type_name(ty)),
            points_to: Some(ty),
            ty: None,
            footing: Footing::Elsewhere,
        })
    }

    /// A described pointer with what it must point to, where its own type does not say.
    pub(crate) fn retyped(&self, pointer: &Described, base: Value) -> Option<(Described, TypeId)> {
        let ty = self.inferred(base)?;
        // A `void *` of the source is something else there, under another name.
        let text = if pointer.ty.is_some() {
            format!("({} *){}", self.image.type_name(ty), pointer.text)
        } else {
            pointer.text.clone()
        };
        let footing = pointer.footing.min(Footing::Elsewhere);
        Some((Described { text, points_to: Some(ty), footing, ty: None }, ty))
    }
}
