//! Accesses through pointers that no debug information types: by what the classes of the whole
//! module tell (see [`crate::kin`]). Such a type is an inference and never a proof.

use crate::describe::{Described, Footing, View};
use crate::kin::{Found, Why};
use crate::lvalue::LValue;
use crate::path::{self, Spot};
use crate::scene::Scene;
use crate::value::{Node, Value};
use kwhy_base::ImageAddr;
use kwhy_image::{Type, TypeId};

/// Places that one struct alone must have for the inference to be more than a possibility.
const ENOUGH: usize = 2;

/// A variable that nothing describes, and what it holds.
pub(crate) struct Variable {
    pub name: String,
    pub start: u64,
    pub ty: TypeId,
    /// Where in a `ty` it begins.
    pub at: i64,
    /// Bytes of an element; 0 where it is none of several.
    pub stride: u64,
    pub footing: Footing,
}

fn footing(why: &Why) -> Footing {
    match why {
        Why::Only(places) if *places < ENOUGH => Footing::Raw,
        _ => Footing::Elsewhere,
    }
}

impl Scene<'_, '_> {
    fn found(&self, value: Value) -> Option<Found> {
        self.with_kin(|kin, local| kin.pointee(self.image, local, value, &|id| self.node(id)))
    }

    /// What `base` points to.
    pub(crate) fn inferred(&self, base: Value) -> Option<(TypeId, Footing)> {
        let found = self.found(base).filter(|found| found.at == 0)?;
        Some((found.ty, footing(&found.why)))
    }

    /// The struct that the type of a value was inferred to be, and from what.
    #[must_use]
    pub fn why_typed(&self, base: Value) -> Option<(String, Why)> {
        let found = match base.as_constant() {
            Some(at) => self.with_kin(|kin, _| kin.variable(self.image, at)).map(|(.., found)| found),
            None => self.found(base).or_else(|| {
                self.with_kin(|kin, local| kin.element(self.image, local, base, &|id| self.node(id)))
            }),
        }?;
        Some((self.image.type_name(found.ty), found.why))
    }

    /// The same of the pointer that `base` was read through, or that was read through: what a
    /// member that declares its own type rests on.
    #[must_use]
    pub fn why_typed_before(&self, base: Value) -> Option<(String, Why)> {
        /// Members in a row.
        const STEPS: usize = 4;
        let mut value = base;
        for _ in 0..STEPS {
            let Some(Node::Load { address, .. }) = self.node(value.node?) else { return None };
            value = address;
            if let Some(found) = self.why_typed(value) {
                return Some(found);
            }
        }
        None
    }

    /// The struct around the one that `base` points to, where that is in it, and how well that is
    /// founded.
    pub(crate) fn inferred_around(&self, base: Value) -> Option<(TypeId, i64, Footing)> {
        let found = self.found(base).filter(|found| found.at != 0)?;
        Some((found.ty, found.at, footing(&found.why)))
    }

    /// The first register that holds a value before the instruction looked at, or one like it.
    fn holder(&self, view: &View, base: Value) -> Option<String> {
        let state = self.state(view.pc)?;
        let cpu = kwhy_arch::cpu(self.arch())?;
        let holders = cpu.registers.iter().filter_map(|(name, register)| {
            let value = state.register(*register)?;
            let alike =
                || self.with_kin(|kin, local| Some(kin.same(self.image, local, value, base))) == Some(true);
            (value == base || alike()).then_some((value != base, *name))
        });
        let held = holders.min_by_key(|(other, _)| *other).map(|(_, name)| name.to_owned());
        // An argument whose register has been reused, counted as tracing does: $arg1 is the first.
        held.or_else(|| {
            let Some(Node::Entry(register)) = self.node(base.node.filter(|_| base.plus == 0)?) else {
                return None;
            };
            let position = cpu.arguments.iter().position(|argument| *argument == register)?;
            Some(format!("arg{}", position.checked_add(1)?))
        })
    }

    /// A pointer that has no name, by its inferred type and the register that holds it.
    pub(crate) fn raw_pointer(&self, view: &View, base: Value) -> Option<Described> {
        let (ty, footing) = self.inferred(base)?;
        let name = self.holder(view, base)?;
        let text = format!("({} *){name}", self.image.type_name(ty));
        Some(Described { text, points_to: Some(ty), ty: None, footing })
    }

    /// A described pointer with what it must point to, where its own type does not say.
    pub(crate) fn retyped(&self, pointer: &Described, base: Value) -> Option<(Described, TypeId)> {
        let (ty, founded) = self.inferred(base)?;
        // A `void *` of the source is something else there, under another name.
        let text = if pointer.ty.is_some() {
            format!("({} *){}", self.image.type_name(ty), pointer.text)
        } else {
            pointer.text.clone()
        };
        let footing = pointer.footing.min(founded);
        Some((Described { text, points_to: Some(ty), footing, ty: None }, ty))
    }

    /// An access at `offset` from `base`, which points into the middle of something.
    pub(crate) fn within(
        &self,
        view: &View,
        pointer: Option<&Described>,
        base: Value,
        offset: i64,
        width: u8,
        bits: Option<(u8, u8)>,
    ) -> Option<LValue> {
        let (ty, at, footing) = self.inferred_around(base)?;
        let found = self.path_into(ty, offset.wrapping_add(at), None, width, bits)?;
        let name = self.image.type_name(ty);
        let held = match pointer {
            Some(pointer) => pointer.text.clone(),
            None => self.holder(view, base)?,
        };
        let inner = Spot { offset: at, width: 0, index: None };
        let text = match path::paths(self.image, ty, inner).into_iter().next() {
            Some(inner) if at > 0 => {
                format!("container_of({held}, {name}, {})", inner.text.trim_start_matches('.'))
            }
            _ if at < 0 => format!("({name} *)((char *){held} + {:#x})", at.unsigned_abs()),
            _ => format!("({name} *)((char *){held} - {at:#x})"),
        };
        Some(LValue {
            text: path::join(&text, &found.text),
            ty: found.ty,
            pointer: Some(text),
            base: Some(base.offset(at.wrapping_neg())),
            pointee: Some(ty),
            member: found.text.strip_prefix('.').map(str::to_owned),
            offset: offset.wrapping_add(at),
            index: None,
            fit: Some(found.fit),
            ambiguous: found.ambiguous,
            footing,
        })
    }

    /// An access through a pointer to an element of something that has no name.
    pub(crate) fn element(&self, view: &View, base: Value, offset: i64, width: u8) -> Option<LValue> {
        let more = |id| self.node(id);
        let found = self.with_kin(|kin, local| kin.element(self.image, local, base, &more))?;
        let name = self.holder(view, base).filter(|_| found.at == 0)?;
        let text = format!("({} *){name}", self.image.type_name(found.ty));
        let footing = footing(&found.why);
        let pointer = Described { text, points_to: Some(found.ty), ty: None, footing };
        self.through(view, &pointer, base, offset, None, width, None)
    }

    /// The variable around an address, by its symbol and what is done with it.
    pub(crate) fn variable_at(&self, at: u64) -> Option<Variable> {
        let (start, stride, found) = self.with_kin(|kin, _| kin.variable(self.image, at))?;
        let symbol = self.image.symbol_at(ImageAddr(at)).filter(|symbol| symbol.address.0 == start)?;
        let name = crate::scene::plain_name(&symbol.name).to_owned();
        matches!(self.image.strip(found.ty), Type::Record(_)).then(|| Variable {
            name,
            start,
            ty: found.ty,
            at: found.at,
            stride,
            footing: footing(&found.why),
        })
    }

    /// A member of such a variable, or of an element of it.
    pub(crate) fn of_variable(&self, at: u64, index: Option<(&str, u64)>, width: u8) -> Option<LValue> {
        let variable = self.variable_at(at)?;
        let whole = (at.wrapping_sub(variable.start) as i64).wrapping_add(variable.at);
        let (element, offset, index) = match (variable.stride, index) {
            (0, index) => (String::new(), whole, index),
            (stride, Some((text, scale))) if scale == stride => {
                let shift = whole.div_euclid(stride as i64);
                let subscript = if shift == 0 { text.to_owned() } else { format!("{text} + {shift}") };
                (format!("[{subscript}]"), whole.rem_euclid(stride as i64), None)
            }
            (stride, index) => {
                let number = whole.div_euclid(stride as i64);
                (format!("[{number}]"), whole.rem_euclid(stride as i64), index)
            }
        };
        let found = self.path_into(variable.ty, offset, index, width, None)?;
        let object = format!("{}{element}", variable.name);
        Some(LValue {
            text: format!("{object}{}", found.text),
            ty: found.ty,
            pointer: Some(format!("&{object}")),
            base: Some(Value::constant(variable.start)),
            pointee: Some(variable.ty),
            member: found.text.strip_prefix('.').map(str::to_owned),
            offset,
            index: index.map(|(text, scale)| (text.to_owned(), scale)),
            fit: Some(found.fit),
            ambiguous: found.ambiguous || element.contains('…'),
            footing: variable.footing,
        })
    }
}
