//! Accesses of compiler-made clones, in their callers' words.
//!
//! A clone (`.isra`) is handed what its original read for itself, so its own debug information
//! does not say what its parameters are. The caller's does.

use crate::describe::{Described, Footing};
use crate::expr::{Outlook, Recovered, Terms, choose, primary_level};
use crate::insn::Operator;
use crate::path::Fit;
use crate::scene::Scene;
use crate::value::{Node, Value};
use kwhy_base::{ImageAddr, Reg};
use kwhy_image::{Type, TypeId};

impl Scene<'_, '_> {
    /// The expression of an access through a parameter that the compiler made: a clone of a
    /// function (`.isra`) is handed what its original would have read itself. The caller's
    /// scene and call say what that is.
    ///
    /// `register` is the entry register that the access goes through, `at_call` the one that holds
    /// its value at the caller's call.
    #[must_use]
    pub fn recover_from_caller(
        &self,
        pc: ImageAddr,
        access: usize,
        register: Reg,
        caller: &Scene<'_, '_>,
        (call, at_call): (ImageAddr, Reg),
    ) -> Option<Recovered> {
        // Types mean something only within one image.
        let same_image = std::ptr::eq(
            std::ptr::from_ref(self.image).cast::<()>(),
            std::ptr::from_ref(caller.image).cast::<()>(),
        );
        if !same_image {
            return None;
        }
        let access_at = self.accesses(pc).into_iter().nth(access)?;
        let address = access_at.address?;
        let outlook = caller.outlook(call);
        let value = caller.register(call, at_call)?;
        let described = caller.described_in(&outlook, value)?;
        let own_words = self.in_own_words(caller, &outlook, value).or_else(|| self.lost_member(&described));
        let described = own_words.unwrap_or(described);
        let base = self.solved.borrow_mut().arena.intern(Node::Entry(register));
        let (offset, index) = self.offset_from(pc, address, base)?;
        let index = index.as_ref().map(|(text, scale)| (text.as_str(), *scale));
        let bits = self.bits_used(pc, &access_at);
        let view = self.view(pc, &[], true);
        let through = |bits| self.through(&view, &described, base, offset, index, access_at.width, bits);
        let lvalue = bits.and_then(|bits| through(Some(bits))).or_else(|| through(None))?;
        lvalue.fit?;
        let frames = self.image.source_at(pc);
        let levels = self.levels(pc);
        let primary = primary_level(&frames, levels.len());
        let main = self.terms(&lvalue, levels.get(primary).map(|l| &l.1), frames.get(primary));
        Some(Recovered {
            main: Terms { footing: main.footing.min(Footing::Earlier), ..main },
            also: Vec::new(),
            memory: access_at.memory,
            width: access_at.width,
            kind: access_at.kind,
            base: Some(base),
            access,
        })
    }

    /// The access of the instruction at `pc` that faulted, and the argument register that it goes
    /// through, where its address is made of one by arithmetic alone.
    #[must_use]
    pub fn parameter_access(
        &self,
        pc: ImageAddr,
        fault_address: Option<u64>,
        registers: &dyn Fn(Reg) -> Option<u64>,
    ) -> Option<(usize, Reg)> {
        let accesses = self.accesses(pc);
        let chosen = choose(&accesses, fault_address, registers)?;
        let address = accesses.get(chosen)?.address?;
        // The pointer is the part of the sum that is not scaled.
        let root = match self.node(address.node?)? {
            Node::Binary(Operator::Add, a, b) => self.as_entry(a).or_else(|| self.as_entry(b)),
            _ => self.as_entry(address),
        };
        Some((chosen, root?.0))
    }

    /// What lies between a base and an address: a constant, or an index, its scale and a constant.
    fn offset_from(
        &self,
        pc: ImageAddr,
        address: Value,
        base: Value,
    ) -> Option<(i64, Option<(String, u64)>)> {
        if address.node == base.node {
            return Some((address.plus.wrapping_sub(base.plus), None));
        }
        let Node::Binary(Operator::Add, a, b) = self.node(address.node?)? else { return None };
        let other = if a.node == base.node {
            b
        } else if b.node == base.node {
            a
        } else {
            return None;
        };
        let (index, scale) = self.scaled(other);
        let levels: Vec<usize> = self.levels(pc).iter().map(|l| l.0).collect();
        let described = self.describe(&self.view(pc, &levels, true), index);
        Some((address.plus, Some((described.map_or_else(|| "…".to_owned(), |d| d.text), scale))))
    }

    /// A member that the caller read for a clone, through the parameter that the clone lost: the
    /// one parameter without a place whose type is the pointer that the caller read through.
    fn in_own_words(&self, caller: &Scene<'_, '_>, outlook: &Outlook, value: Value) -> Option<Described> {
        let (variable, _, _, found) = self.lost_parameter(caller, outlook, value)?;
        Some(Described {
            text: crate::path::join(&variable, &found.text),
            ty: found.ty,
            points_to: None,
            footing: Footing::Earlier,
        })
    }

    /// The same as a member of a struct, for the value that the caller has in hand at `call`: the
    /// struct, the member, its offset.
    #[must_use]
    pub fn lost_member_of(
        &self,
        caller: &Scene<'_, '_>,
        call: ImageAddr,
        value: Value,
    ) -> Option<(String, String, u64)> {
        let same_image = std::ptr::eq(
            std::ptr::from_ref(self.image).cast::<()>(),
            std::ptr::from_ref(caller.image).cast::<()>(),
        );
        if !same_image {
            return None;
        }
        let (_, pointee, offset, found) = self.lost_parameter(caller, &caller.outlook(call), value)?;
        let record = matches!(self.image.strip(pointee), Type::Record(_)).then_some(pointee)?;
        let member = found.text.strip_prefix('.')?.to_owned();
        Some((self.image.type_name(record), member, u64::try_from(offset).ok()?))
    }

    /// The parameter's name, what it points to, the member's offset and the way to it.
    fn lost_parameter(
        &self,
        caller: &Scene<'_, '_>,
        outlook: &Outlook,
        value: Value,
    ) -> Option<(String, TypeId, i64, crate::path::Path)> {
        let Some(Node::Load { address, segment, width, .. }) = value.node.and_then(|id| caller.node(id))
        else {
            return None;
        };
        if value.plus != 0 || segment.is_some() || width != 8 {
            return None;
        }
        let read = caller.lvalue_in(outlook, address, segment, width);
        let read = read.filter(|lvalue| lvalue.fit.is_some());
        // What the caller holds may be a `void *`: then only the clone's own parameter has a type.
        let wanted = read.as_ref().and_then(|read| read.pointee).map(|ty| self.image.type_name(ty));
        let wanted = wanted.filter(|name| name != "void");
        let offset = match &read {
            Some(read) => read.offset,
            None => caller.offset_from_pointer(address),
        };
        let function = self.function.as_ref()?;
        let pointee_of = |variable: &kwhy_image::Variable| match self.image.strip(variable.ty?) {
            Type::Pointer(to) => Some(to),
            _ => None,
        };
        let mut lost = function.body.variables.iter().filter(|variable| {
            variable.parameter
                && variable.place_at(self.code.entry).is_none_or(|place| *place == kwhy_image::Place::Other)
                && pointee_of(variable).is_some_and(|to| match &wanted {
                    Some(wanted) => self.image.type_name(to) == *wanted,
                    None => matches!(self.image.strip(to), Type::Record(_)),
                })
        });
        let (one, None) = (lost.next()?, lost.next()) else { return None };
        let spot = crate::path::Spot { offset, width, index: None };
        let pointee = pointee_of(one)?;
        let found = crate::path::paths(self.image, pointee, spot).into_iter().next()?;
        (found.fit == Fit::Exact && !found.ambiguous).then(|| (one.name.to_string(), pointee, offset, found))
    }

    /// A pointer that was a member of a struct passed by value, which the clone lost: the one
    /// member of the one such parameter that has the pointer's type.
    fn lost_member(&self, handed: &Described) -> Option<Described> {
        let wanted = self.image.type_name(handed.ty?);
        // The caller has the struct itself from a call: its first eight bytes are the register.
        let whole = matches!(self.image.strip(handed.ty?), Type::Record(_));
        let function = self.function.as_ref()?;
        let mut found = None;
        for variable in function.body.variables.iter().filter(|variable| variable.parameter) {
            let lost = variable.place_at(self.code.entry).is_none_or(|place| match place {
                kwhy_image::Place::Other => true,
                // Other members of it are still handed over in registers.
                kwhy_image::Place::Pieces(pieces) => pieces.iter().all(|(offset, ..)| *offset != 0),
                _ => false,
            });
            let Some(Type::Record(record)) = variable.ty.map(|ty| self.image.strip(ty)) else { continue };
            let same = whole && variable.ty.is_some_and(|ty| self.image.type_name(ty) == wanted);
            for member in record.members.iter().filter(|member| lost && member.bits.is_none()) {
                let Some(name) = &member.name else { continue };
                let pointer = matches!(self.image.strip(member.ty), Type::Pointer(_));
                let fits = self.image.type_name(member.ty) == wanted || same && member.offset == 0;
                if pointer && fits {
                    if found.is_some() {
                        return None;
                    }
                    found = Some(Described {
                        text: format!("{}.{name}", variable.name),
                        ty: Some(member.ty),
                        points_to: None,
                        footing: Footing::Earlier,
                    });
                }
            }
        }
        found
    }

    /// How far an address is from the pointer that it was made of: from the named value with the
    /// same node, else from the node itself.
    fn offset_from_pointer(&self, address: Value) -> i64 {
        let named = self.names.of_node(address.node).iter().map(|name| address.plus.wrapping_sub(name.plus));
        named.filter(|offset| *offset >= 0).min().unwrap_or(address.plus)
    }
}
