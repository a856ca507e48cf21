//! Elements of arrays: `base + index * scale + offset`, and pointers that loops advance.

use crate::describe::{Described, Footing, View};
use crate::insn::Operator;
use crate::lvalue::{LValue, quality};
use crate::path::{self, Fit, Spot};
use crate::scene::Scene;
use crate::value::{Node, NodeId, Value};
use kwhy_base::ImageAddr;
use kwhy_image::Type;

impl Scene<'_, '_> {
    /// A pointer that a loop advances: where it starts and by how much it moves a round.
    ///
    /// Compilers turn `a[i]` in a loop into such a pointer.
    fn induction(&self, id: NodeId) -> Option<(Value, i64)> {
        let (mut start, mut stride) = (None, None);
        let (mut seen, mut work) = (vec![id], vec![id]);
        while let Some(phi) = work.pop() {
            let Some(Node::Phi { block, place }) = self.node(phi) else { return None };
            for (_, input) in self.phi_inputs(block, place) {
                let again = input.node.filter(|node| matches!(self.node(*node), Some(Node::Phi { .. })));
                if let Some(node) = again {
                    if input.plus != 0 {
                        match stride {
                            None => stride = Some(input.plus),
                            Some(other) if other == input.plus => {}
                            Some(_) => return None,
                        }
                    }
                    if !seen.contains(&node) {
                        seen.push(node);
                        work.push(node);
                    }
                    if seen.len() > 16 {
                        return None;
                    }
                } else {
                    match start {
                        None => start = Some(input),
                        Some(other) if other == input => {}
                        Some(_) => return None,
                    }
                }
            }
        }
        Some((start?, stride?))
    }

    /// The variable that counts the rounds of a loop whose pointer is advanced in its stead: the
    /// one integer that is declared around `pc` and lives nowhere there, if there is one.
    fn loop_variable(&self, pc: ImageAddr) -> Option<String> {
        let live = self.names.live(&mut self.solved.borrow_mut(), pc);
        let levels = self.names.levels(pc);
        let mut found = self.names.variables.iter().enumerate().filter(|(index, variable)| {
            !variable.parameter
                && self.names.in_scope(variable.scope, pc)
                && self.names.level_of(*index).is_some_and(|level| levels.first() == Some(&level))
                && !live.contains_key(index)
                && variable.ty.is_some_and(|ty| matches!(self.image.strip(ty), Type::Base { .. }))
        });
        let (one, None) = (found.next()?, found.next()) else { return None };
        Some(one.1.name.to_string())
    }

    /// `base + index * scale + offset`.
    pub(crate) fn indexed(
        &self,
        view: &View,
        id: NodeId,
        offset: i64,
        width: u8,
        bits: Option<(u8, u8)>,
        depth: u32,
    ) -> Option<LValue> {
        if bits.is_none()
            && let Some(found) = self.indexed_twice(view, id, offset, width, depth)
        {
            return Some(found);
        }
        let pairs: Vec<(Value, Option<Value>, u64)> = match self.node(id)? {
            Node::Binary(Operator::Add, a, b) => [(a, b), (b, a)]
                .into_iter()
                .map(|(base, index)| {
                    let (index, scale) = self.scaled(index);
                    (base, Some(index), scale)
                })
                .collect(),
            Node::Phi { .. } => {
                let (start, stride) = self.induction(id)?;
                vec![(start, None, stride.unsigned_abs())]
            }
            // `table[i]`, the table's address being the constant part.
            Node::Binary(Operator::Mul, index, scale) => {
                vec![(Value::constant(0), Some(index), scale.as_constant()?)]
            }
            _ if self.image.section_at(ImageAddr(offset as u64)).is_some() => {
                vec![(Value::constant(0), Some(Value { node: Some(id), plus: 0 }), 1)]
            }
            _ => return None,
        };
        for (base, index, scale) in pairs {
            let text = match index {
                Some(index) => self.describe_at(view, index, depth + 2).map(|described| described.text),
                None => self.loop_variable(view.pc),
            };
            let text = text.unwrap_or_else(|| "…".to_owned());
            let counted = index.is_none();
            let Some(base_id) = base.node else {
                // A table at a fixed address: `table[i].x`.
                let whole = base.plus.wrapping_add(offset);
                if let Some(mut found) = self.global_indexed(view, whole, &text, scale, width) {
                    found.ambiguous |= counted;
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
            if candidates.is_empty() {
                candidates.extend(self.raw_pointer(view, plain).map(|raw| (raw, plain)));
            }
            let mut best: Option<LValue> = None;
            for (pointer, value) in candidates {
                let total = base.plus.wrapping_add(offset).wrapping_sub(value.plus);
                let found = self.through(view, &pointer, value, total, Some((&text, scale)), width, bits);
                if let Some(found) = found
                    && best.as_ref().is_none_or(|b| quality(&found) > quality(b))
                {
                    best = Some(found);
                }
            }
            if let Some(mut best) = best {
                best.ambiguous |= counted;
                return Some(best);
            }
        }
        None
    }

    /// `table[i].inner[j].x`, whose address compilers compute as `(j + i * 6) * 8`: each summand
    /// belongs to the array whose element is as large as what it is multiplied by.
    fn indexed_twice(&self, view: &View, id: NodeId, offset: i64, width: u8, depth: u32) -> Option<LValue> {
        let (terms, constant) = self.summands(Value { node: Some(id), plus: offset })?;
        let (pointers, indices): (Vec<_>, Vec<_>) = terms.into_iter().partition(|(_, scale)| *scale == 1);
        let [(one, first), (other, second)] = indices.as_slice() else { return None };
        let (outer, stride, inner, scale) = match first.cmp(second) {
            std::cmp::Ordering::Greater => (*one, *first, *other, *second),
            std::cmp::Ordering::Less => (*other, *second, *one, *first),
            std::cmp::Ordering::Equal => return None,
        };
        let text_of = |value: Value| {
            let described = self.describe_at(view, value, depth + 2)?;
            Some((described.text, described.footing))
        };
        let (outer_text, outer_footing) = text_of(outer)?;
        let (inner_text, inner_footing) = text_of(inner)?;
        let (table, element, start, footing, base) = match pointers.as_slice() {
            [] => match self.image.global_at(ImageAddr(constant as u64), view.pc) {
                Some(global) => {
                    let Type::Array { element, .. } = self.image.strip(global.ty?) else { return None };
                    let (at, name) = (global.address.0, global.name.to_string());
                    (name, element, at as i64, Footing::Here, Value::constant(at))
                }
                None => {
                    let variable = self.variable_at(constant as u64).filter(|v| v.stride > 0)?;
                    let (at, footing) = (variable.start, variable.footing);
                    (variable.name, variable.ty, at as i64, footing, Value::constant(at))
                }
            },
            [(pointer, _)] => {
                let described = self.describe_at(view, *pointer, depth + 2)?;
                let element = match self.image.strip(described.ty?) {
                    Type::Pointer(element) | Type::Array { element, .. } => element,
                    _ => return None,
                };
                (described.text, element, 0, described.footing, *pointer)
            }
            _ => return None,
        };
        if self.image.size_of(element) != Some(stride) {
            return None;
        }
        let rest = constant.wrapping_sub(start);
        let size = i64::try_from(stride).ok().filter(|size| *size > 0)?;
        let (shift, rest) = (rest.div_euclid(size), rest.rem_euclid(size));
        let subscript = match shift {
            0 => outer_text,
            1.. => format!("{outer_text} + {shift}"),
            _ => format!("{outer_text} - {}", shift.unsigned_abs()),
        };
        let spot = Spot { offset: rest, width, index: Some((&inner_text, scale)) };
        let found = path::paths(self.image, element, spot).into_iter().next()?;
        if found.fit < Fit::Narrower || !path::is_postfix(&table) {
            return None;
        }
        let base = {
            let mut solved = self.solved.borrow_mut();
            let scaled = solved.arena.binary(Operator::Mul, outer, Value::constant(stride));
            solved.arena.binary(Operator::Add, base, scaled).offset(shift.wrapping_mul(size))
        };
        let object = format!("{table}[{subscript}]");
        Some(LValue {
            text: format!("{object}{}", found.text),
            ty: found.ty,
            pointer: Some(format!("&{object}")),
            base: Some(base),
            pointee: Some(element),
            member: found.text.strip_prefix('.').map(str::to_owned),
            offset: rest,
            index: Some((inner_text, scale)),
            fit: Some(found.fit),
            // A row that is indexed again mostly has a name of its own in the source.
            ambiguous: true,
            footing: footing.min(outer_footing).min(inner_footing),
        })
    }

    /// A sum's parts with what each is multiplied by, and its constant. Parts of narrower sums,
    /// which may have wrapped, are not taken apart.
    fn summands(&self, value: Value) -> Option<(Vec<(Value, u64)>, i64)> {
        let (mut found, mut constant) = (Vec::new(), 0i64);
        let mut work = vec![(value, 1u64)];
        let mut budget = 24u32;
        while let Some((value, scale)) = work.pop() {
            budget = budget.checked_sub(1)?;
            constant = constant.wrapping_add(value.plus.wrapping_mul(scale as i64));
            let Some(id) = value.node else { continue };
            let plain = Value { node: Some(id), plus: 0 };
            match self.node(id)? {
                Node::Binary(Operator::Add, a, b) => work.extend([(a, scale), (b, scale)]),
                Node::Binary(Operator::Mul, a, b) if b.as_constant().is_some() => {
                    work.push((a, scale.wrapping_mul(b.as_constant()?)));
                }
                _ => found.push((plain, scale)),
            }
        }
        Some((found, constant))
    }

    pub(crate) fn scaled(&self, value: Value) -> (Value, u64) {
        match value.node.and_then(|id| self.node(id)) {
            Some(Node::Binary(Operator::Mul, index, scale)) if value.plus == 0 => match scale.as_constant() {
                Some(scale) => (index, scale),
                None => (value, 1),
            },
            _ => (value, 1),
        }
    }

    pub(crate) fn global_indexed(
        &self,
        view: &View,
        at: i64,
        index: &str,
        scale: u64,
        width: u8,
    ) -> Option<LValue> {
        let Some(global) = self.image.global_at(ImageAddr(at as u64), view.pc) else {
            return self.of_variable(at as u64, Some((index, scale)), width);
        };
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
            ambiguous: found.ambiguous,
            footing: Footing::Here,
        })
    }
}
