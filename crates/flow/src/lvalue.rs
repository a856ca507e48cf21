//! Objects: which variable or member an access touches.
//!
//! An address is matched against every pointer into the same object that has a name or a typed
//! way to it; the one whose type explains the access best wins.

use crate::assembler;
use crate::describe::{Described, Footing, Rank, View, is_temporary};
use crate::path::{self, Fit, Path, Spot};
use crate::scene::{Scene, plain_name};
use crate::value::{Node, Value};
use kwhy_base::{ImageAddr, Reg};
use kwhy_image::{Type, TypeId};

const MAX_DEPTH: u32 = 12;

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
    /// Another member fits the access as well: a union, of which the first declared was taken.
    pub ambiguous: bool,
    /// How well the pointer's expression is founded.
    pub footing: Footing,
}

impl Scene<'_, '_> {
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

    pub(crate) fn lvalue_at(
        &self,
        view: &View,
        address: Value,
        segment: Option<Reg>,
        width: u8,
        depth: u32,
    ) -> Option<LValue> {
        self.best_lvalue(view, address, segment, width, None, depth)
    }

    pub(crate) fn best_lvalue(
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
            if address.node.is_some() {
                // A per-cpu pointer, or a table of each CPU's.
                let lvalue = self.best_lvalue(view, address, None, width, bits, depth + 1)?;
                return Some(LValue { text: format!("this_cpu({})", lvalue.text), ..lvalue });
            }
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
        if self.in_assembler() {
            return self.assembler_access(view, address);
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
            if let Some(candidate) = self.through(view, &described, base, offset, None, width, bits) {
                offer(candidate);
            }
        }
        if best.as_ref().is_none_or(|best| best.fit < Some(Fit::Narrower))
            && let Some(object) = self.per_cpu_object(view, id, address.plus, width, depth)
        {
            return Some(object);
        }
        // The node itself, by how it was made.
        let base = Value { node: Some(id), plus: 0 };
        if !best.as_ref().is_some_and(|b| {
            b.fit >= Some(Fit::Bits)
                && b.footing >= Footing::Earlier
                && !b.pointer.as_deref().is_some_and(is_temporary)
        }) {
            for described in self.ways_to(view, base, depth + 1) {
                let Some(candidate) = self.through(view, &described, base, address.plus, None, width, bits)
                else {
                    continue;
                };
                // A name wins unless it explains nothing.
                let better = best.as_ref().is_none_or(|best| {
                    candidate.fit > best.fit && (best.fit.is_none() || candidate.footing >= best.footing)
                        || quality(&candidate) > quality(best)
                            && best.pointer.as_deref().is_some_and(is_temporary)
                });
                if better {
                    best = Some(candidate);
                }
            }
        }
        if best.as_ref().is_none_or(|b| b.fit < Some(Fit::Narrower))
            && let Some(within) = self.within(view, None, base, address.plus, width, bits)
            && best.as_ref().is_none_or(|best| within.fit > best.fit)
        {
            best = Some(within);
        }
        if best.as_ref().is_none_or(|b| b.fit < Some(Fit::Narrower))
            && let Some(indexed) = self.indexed(view, id, address.plus, width, bits, depth)
        {
            let better = best.as_ref().is_none_or(|b| quality(&indexed) > quality(b));
            if better {
                best = Some(indexed);
            }
        }
        if best.as_ref().is_none_or(|b| b.fit.is_none())
            && bits.is_none()
            && let Some(element) = self.element(view, base, address.plus, width)
        {
            best = Some(element);
        }
        if best.as_ref().is_none_or(|b| b.fit.is_none())
            && depth == 0
            && bits.is_none()
            && let Some(kept) = self.kept_in(view, address, width)
        {
            best = Some(kept);
        }
        best
    }

    /// An access through a pointer that was computed from what was read and then stored: once
    /// `p->cursor = list_next_entry(…)` has run, the pointer is `p->cursor`.
    ///
    /// An inference: the memory may have been written again since. Compilers also move the access
    /// before the store, but not out of their common block.
    fn kept_in(&self, view: &View, address: Value, width: u8) -> Option<LValue> {
        let id = address.node?;
        let block = |at| self.code.index_of(at).and_then(|index| self.code.block_of(index));
        let here = block(view.pc);
        let earlier = self
            .names
            .stores_of(id)
            .iter()
            .filter(|store| store.at < view.pc || here.is_some() && block(store.at) == here);
        let mut stores: Vec<_> = earlier.copied().collect();
        stores.sort_by_key(|store| std::cmp::Reverse(store.at));
        stores.into_iter().take(8).find_map(|store| {
            let place = self.lvalue_at(view, store.address, None, 8, 2)?;
            let exact = place.fit == Some(Fit::Exact) && !place.ambiguous;
            let ty = place.ty.filter(|_| exact && place.footing >= Footing::Earlier)?;
            let pointer =
                Described { text: place.text, points_to: None, ty: Some(ty), footing: Footing::Elsewhere };
            let base = Value { node: Some(id), plus: store.plus };
            let offset = address.plus.wrapping_sub(store.plus);
            let found = self.through(view, &pointer, base, offset, None, width, None)?;
            (found.fit >= Some(Fit::Narrower) && found.member.is_some()).then_some(found)
        })
    }

    /// The ways to write a pointer by how it was made. More than one where it was read from a
    /// union: what it is then used for tells which member it was.
    fn ways_to(&self, view: &View, pointer: Value, depth: u32) -> Vec<Described> {
        let mut ways: Vec<Described> = self.derived(view, pointer, depth).into_iter().collect();
        if ways.is_empty() {
            ways.extend(self.raw_pointer(view, pointer));
        }
        if let Some(Node::Load { address, segment: None, width, .. }) =
            pointer.node.and_then(|id| self.node(id))
            && pointer.plus == 0
            && let Some(read) = self.lvalue_at(view, address, None, width, depth + 1)
            && read.ambiguous
            && read.index.is_none()
            && let (Some(pointee), Some(text)) = (read.pointee, &read.pointer)
        {
            let spot = Spot { offset: read.offset, width, index: None };
            ways.extend(
                path::paths(self.image, pointee, spot)
                    .into_iter()
                    .filter(|path| Some(path.fit) == read.fit)
                    .map(|path| Described {
                        text: path::join(text, &path.text),
                        points_to: None,
                        ty: path.ty,
                        footing: read.footing,
                    }),
            );
        }
        ways
    }

    /// `pointer[offset]` through a described pointer.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn through(
        &self,
        view: &View,
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
            ambiguous: false,
            footing: pointer.footing,
        };
        let pointee = match pointer.ty.map(|ty| self.image.strip(ty)) {
            Some(Type::Pointer(pointee)) => Some(pointee),
            // An array's name is a pointer to its first element.
            Some(Type::Array { element, .. }) => Some(element),
            _ => pointer.points_to,
        };
        // A `void *` is what its accessor says it is.
        let accessor = pointee
            .filter(|ty| matches!(self.image.strip(*ty), Type::Void))
            .and_then(|_| self.accessor_type(view, base, 6));
        let cast = accessor.map(|ty| Described {
            text: format!("({} *){}", self.image.type_name(ty), pointer.text),
            footing: pointer.footing.min(Footing::Elsewhere),
            ..pointer.clone()
        });
        let (pointer, pointee) = (cast.as_ref().unwrap_or(pointer), accessor.or(pointee));
        let open = pointee.is_none_or(|ty| matches!(self.image.strip(ty), Type::Void));
        let retyped = if open { self.retyped(pointer, base) } else { None };
        let (pointer, pointee) = match &retyped {
            Some((pointer, ty)) => (pointer, Some(*ty)),
            None => (pointer, pointee),
        };
        lvalue.footing = pointer.footing;
        lvalue.pointer = Some(pointer.text.clone());
        if let Some(pointee) = pointee
            && let Some(found) = self.path_into(pointee, offset, index, width, bits)
        {
            lvalue.text = path::join(&pointer.text, &found.text);
            lvalue.ty = found.ty;
            lvalue.pointee = Some(pointee);
            lvalue.member = found.text.strip_prefix('.').map(str::to_owned);
            lvalue.fit = Some(found.fit);
            lvalue.ambiguous = found.ambiguous || index_unknown(&lvalue.index);
            return Some(lvalue);
        }
        if let Some(pointee) = pointee
            && index.is_none()
            && let Some(enclosing) = self.enclosing(view, pointer, pointee, base, offset, width)
        {
            return Some(enclosing);
        }
        if pointee.is_some()
            && index.is_none()
            && let Some(around) = self.within(view, Some(pointer), base, offset, width, bits)
        {
            return Some(around);
        }
        if let Some(pointee) = pointee
            && let Some(element) = self.element_access(pointee, &pointer.text, offset, index, width)
        {
            lvalue.text = element.0;
            lvalue.member = element.1;
            lvalue.ty = element.2;
            lvalue.pointee = Some(pointee);
            lvalue.fit = Some(element.3);
            lvalue.ambiguous = index_unknown(&lvalue.index);
            return Some(lvalue);
        }
        if index.is_some() {
            return None;
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

    pub(crate) fn path_into(
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
        // Of several bit-fields in one storage unit the first stands for all: which one it is
        // cannot be told without the bits that are used.
        let best = paths.first()?;
        if best.fit == Fit::Bits {
            let several = paths.iter().filter(|path| path.fit == Fit::Bits).nth(1).is_some();
            return Some(Path { ambiguous: several, ..best.clone() });
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
        // Two structs of one size are common, elements far from the one pointed to are not.
        let record = matches!(self.image.strip(pointee), Type::Record(_));
        if record && constant.unsigned_abs() > 1 {
            return None;
        }
        let subscript = match (index, constant) {
            (Some((text, scale)), 0) if scale as i64 == size => text.to_owned(),
            (Some((text, scale)), 1..) if scale as i64 == size => format!("{text} + {constant}"),
            (Some((text, scale)), _) if scale as i64 == size => {
                format!("{text} - {}", constant.unsigned_abs())
            }
            (Some(_), _) => return None,
            // A struct pointer is an array only in the eyes of arithmetic: next to a struct lies the
            // rest of the struct that it is part of, far more often than another one.
            (None, _) if record => return None,
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
        // `&first->next` is `first`, so that `pp[5]` may be any member of it.
        let worst = match self.image.strip(pointee) {
            Type::Pointer(_) => Fit::Inside,
            _ => Fit::Narrower,
        };
        let fit = if index.is_none() { found.fit.min(worst) } else { found.fit };
        let member = found.text.strip_prefix('.').map(str::to_owned);
        Some((format!("{base}[{subscript}]{}", found.text), member, found.ty, fit))
    }

    /// A variable at a fixed address, or a member of one.
    pub(crate) fn global(&self, view: &View, at: u64, width: u8) -> Option<LValue> {
        let Some(global) = self.image.global_at(ImageAddr(at), view.pc) else {
            return self.of_variable(at, None, width).or_else(|| self.symbol_object(at));
        };
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
            ambiguous: found.as_ref().is_some_and(|found| found.ambiguous),
            fit: found.map(|found| found.fit),
            footing: Footing::Here,
        })
    }

    /// A variable that only the symbol table knows: a static one of an inlined function, mostly.
    fn symbol_object(&self, at: u64) -> Option<LValue> {
        let symbol = self
            .image
            .symbol_at(ImageAddr(at))
            .filter(|symbol| !symbol.function && symbol.address.0 == at)
            .filter(|symbol| symbol.elf_size > 0 || !self.image.has_dwarf())?;
        let plain = plain_name(&symbol.name);
        let pointer = Some(format!("&{plain}"));
        Some(LValue { pointer, base: Some(Value::constant(at)), ..self.bare(plain.to_owned(), None) })
    }

    /// A per-cpu variable of this CPU, through gs on x86.
    pub(crate) fn per_cpu(&self, view: &View, address: Value, width: u8) -> Option<LValue> {
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
            ambiguous: false,
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
                ambiguous: found.ambiguous,
                footing: rank.footing.max(Footing::Earlier),
            };
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                best = Some((rank, lvalue));
            }
        }
        best.map(|(_, lvalue)| lvalue)
    }

    /// What assembler touches: whatever the one parameter points to that the address is made of.
    /// It reads strings and pages in words of its own choice; to C they are bytes.
    fn assembler_access(&self, view: &View, address: Value) -> Option<LValue> {
        let cpu = kwhy_arch::cpu(self.arch())?;
        let roots: Vec<Reg> =
            self.roots(address).into_iter().filter(|root| cpu.arguments.contains(root)).collect();
        // A length or a difference of two pointers may be part of the sum; a pointer comes first.
        let register = match roots.as_slice() {
            [one] => *one,
            _ => self.as_entry(address)?.0,
        };
        let root = self.solved.borrow_mut().arena.intern(Node::Entry(register));
        let described = self.describe(view, root)?;
        let offset = if address.node == root.node { address.plus } else { 0 };
        let text = match offset {
            0 => format!("*{}", described.text),
            _ => format!("{}[{offset}]", described.text),
        };
        Some(LValue {
            pointer: Some(described.text),
            base: Some(root),
            offset,
            fit: Some(Fit::Wider),
            ..self.bare(text, None)
        })
    }

    /// Whether the function has no variables of its own in the debug information.
    pub(crate) fn in_assembler(&self) -> bool {
        // Without debug information a C function without parameters looks the same as one in
        // assembler, but for its name.
        if !self.image.has_dwarf() {
            return crate::assembler::parameter(&self.symbol, 0).is_some();
        }
        self.function.as_ref().is_none_or(|function| function.body.variables.is_empty())
            && assembler::parameter(&self.symbol, 0).is_some()
    }
}

/// An index that has no name leaves the element open.
fn index_unknown(index: &Option<(String, u64)>) -> bool {
    index.as_ref().is_some_and(|(text, _)| text.contains('…'))
}

/// Orders candidates: the better the type explains the access, then the footing.
pub(crate) fn quality(lvalue: &LValue) -> (bool, bool, Footing, Option<Fit>) {
    let temporary = lvalue.pointer.as_deref().is_some_and(is_temporary);
    (lvalue.fit >= Some(Fit::Narrower), !temporary, lvalue.footing, lvalue.fit)
}
