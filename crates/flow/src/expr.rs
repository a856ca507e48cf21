//! The expression that faulted: which C object an instruction touched, in whose terms.

use crate::describe::{Described, Footing, View};
use crate::insn::{AccessKind, Effect, Flow, MemOperand, Operator, Target, Value as Operand};
use crate::lvalue::LValue;
use crate::path::Fit;
use crate::scene::{Scene, SceneAccess};
use crate::value::{Node, Place, Value};
use kwhy_base::{ImageAddr, Reg};
use kwhy_image::{SourceFrame, Type};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What an instruction does to memory, in C.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    /// The expression in the terms of the function that the source line belongs to.
    pub main: Terms,
    /// The same in the terms of the other functions that cover the instruction, innermost first.
    pub also: Vec<Terms>,
    /// The memory operand.
    pub memory: MemOperand,
    /// Bytes accessed.
    pub width: u8,
    /// How.
    pub kind: AccessKind,
    /// The pointer's value.
    pub base: Option<Value>,
    /// Index into [`Scene::accesses`].
    pub access: usize,
}

/// An expression in one function's terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// The (inlined or out-of-line) function.
    pub function: Rc<str>,
    /// Where in it.
    pub file: Option<Rc<str>>,
    /// Line.
    pub line: Option<u32>,
    /// `use->target->holders_dir`.
    pub text: String,
    /// `use->target`.
    pub pointer: Option<String>,
    /// `struct module`.
    pub record: Option<String>,
    /// `holders_dir`.
    pub member: Option<String>,
    /// Bytes from the pointer.
    pub offset: Option<i64>,
    /// How well the type explains the access.
    pub fit: Option<Fit>,
    /// Another member of a union fits as well.
    pub ambiguous: bool,
    /// How well the names are founded.
    pub footing: Footing,
}

impl<'i, 'd> Scene<'i, 'd> {
    /// The expression that the instruction at `pc` reads or writes. `fault_address` and the
    /// registers, where known, choose between several accesses of one instruction.
    #[must_use]
    pub fn recover(
        &self,
        pc: ImageAddr,
        fault_address: Option<u64>,
        registers: &dyn Fn(Reg) -> Option<u64>,
    ) -> Option<Recovered> {
        let accesses = self.accesses(pc);
        let chosen = choose(&accesses, fault_address, registers)?;
        let access = accesses.get(chosen)?;
        let frames = self.image.source_at(pc);
        let levels = self.levels(pc);
        let primary = primary_level(&frames, levels.len());
        // Best first: the primary function, those it is inlined into, then the header helpers.
        let order: Vec<usize> = levels
            .iter()
            .skip(primary)
            .chain(levels.iter().take(primary).rev())
            .map(|(level, _)| *level)
            .collect();
        let own: Vec<usize> = levels.iter().skip(primary).map(|(level, _)| *level).collect();
        let lvalue = self
            .access_lvalue(pc, access, &own, false)
            .filter(|lvalue| lvalue.fit.is_some())
            .or_else(|| {
                // Only an inlined helper of a header has words for it: true, but not what the
                // source line says.
                let lvalue = self.access_lvalue(pc, access, &order, true)?;
                Some(LValue { ambiguous: lvalue.ambiguous || primary > 0, ..lvalue })
            })?;
        let mut main = self.terms(&lvalue, levels.get(primary).map(|l| &l.1), frames.get(primary));
        // A pointer that is only an inlined function's parameter says nothing of where it came
        // from; the caller's words for it do.
        if let (Some(pointer), Some(base)) = (&main.pointer, lvalue.base)
            && primary + 1 < levels.len()
            && self.is_inline_parameter(pointer, levels.get(primary).map(|l| l.0))
        {
            for outer in (primary + 1)..levels.len() {
                let Some(level) = levels.get(outer) else { break };
                let view = self.view(pc, &[level.0], false);
                if let Some(described) = self.describe(&view, base) {
                    let plain =
                        self.is_inline_parameter(&described.text, Some(level.0)) && outer + 1 < levels.len();
                    main.pointer = Some(described.text);
                    if !plain {
                        break;
                    }
                }
            }
        }
        let mut also = Vec::new();
        for (position, level) in levels.iter().enumerate() {
            if position == primary {
                continue;
            }
            if let Some(lvalue) = self.access_lvalue(pc, access, &[level.0], false)
                && lvalue.fit.is_some()
            {
                let terms = self.terms(&lvalue, Some(&level.1), frames.get(position));
                if terms.text != main.text {
                    also.push(terms);
                }
            }
        }
        Some(Recovered {
            main,
            also,
            memory: access.memory.clone(),
            width: access.width,
            kind: access.kind,
            base: lvalue.base,
            access: chosen,
        })
    }

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
        let found = crate::path::paths(self.image, pointee_of(one)?, spot).into_iter().next()?;
        (found.fit == Fit::Exact && !found.ambiguous).then(|| Described {
            text: crate::path::join(&one.name, &found.text),
            ty: found.ty,
            points_to: None,
            footing: Footing::Earlier,
        })
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

    /// How far an address is from the pointer that it was made of: from the named value with the
    /// same node, else from the node itself.
    fn offset_from_pointer(&self, address: Value) -> i64 {
        let named = self.names.of_node(address.node).iter().map(|name| address.plus.wrapping_sub(name.plus));
        named.filter(|offset| *offset >= 0).min().unwrap_or(address.plus)
    }

    fn access_lvalue(
        &self,
        pc: ImageAddr,
        access: &SceneAccess,
        order: &[usize],
        open: bool,
    ) -> Option<LValue> {
        let view = self.view(pc, order, open);
        let address = access.address?;
        if let Some(bits) = self.bits_used(pc, access)
            && access.memory.segment.is_none()
        {
            if let Some(lvalue) = self.lvalue_of_bits(&view, address, access.width, bits)
                && lvalue.fit == Some(Fit::Bits)
            {
                return Some(lvalue);
            }
            // Compilers test and change a flag by the byte that holds it: that is a proper access
            // to the whole integer.
            let lvalue = self.lvalue(&view, address, None, access.width)?;
            let flags = lvalue.fit == Some(Fit::Inside) && lvalue.ty.is_some_and(|ty| self.is_integer(ty));
            let fit = if flags { Some(Fit::Narrower) } else { lvalue.fit };
            return Some(LValue { fit, ..lvalue });
        }
        self.lvalue(&view, address, access.memory.segment, access.width)
    }

    fn is_integer(&self, ty: kwhy_image::TypeId) -> bool {
        matches!(self.image.strip(ty), Type::Base { .. } | Type::Enum { .. })
    }

    /// Which bits of the value read are used: the field of a bit-field access.
    fn bits_used(&self, pc: ImageAddr, access: &SceneAccess) -> Option<(u8, u8)> {
        let index = self.code.index_of(pc)?;
        let insn = self.code.insns.get(index)?;
        let mut register = None;
        for effect in &insn.effects {
            match effect {
                Effect::Test(Operand::Memory(..), Operand::Constant(mask))
                | Effect::Test(Operand::Constant(mask), Operand::Memory(..)) => {
                    return mask_bits(*mask, access.width, Mask::Selects);
                }
                Effect::Modify { operator, operand: Some(Operand::Constant(mask)), .. } => {
                    let mask = if *operator == "&=" { !*mask } else { *mask };
                    return if matches!(*operator, "&=" | "|=" | "^=") {
                        mask_bits(mask, access.width, Mask::Selects)
                    } else {
                        None
                    };
                }
                Effect::Load { register: Some(r), .. } => register = Some(*r),
                // Byte and word loads on x86 that keep the rest of the register.
                Effect::Set { register: r, value: Operand::Memory(..), .. } => register = Some(*r),
                _ => {}
            }
        }
        let register = register?;
        // Written back where it was read: what a mask clears is the field, not what it keeps.
        let rest = self.code.insns.get(index + 1..)?;
        let written_back = rest
            .iter()
            .take(10)
            .flat_map(|insn| &insn.effects)
            .any(|effect| matches!(effect, Effect::Store { memory, .. } if *memory == access.memory));
        let use_of_mask = if written_back { Mask::Clears } else { Mask::Selects };
        // The field is cut out soon after the load; the register must not change before that.
        for (at, insn) in self.code.insns.iter().enumerate().skip(index + 1).take(6) {
            for effect in &insn.effects {
                let bits = match effect {
                    Effect::Set { value, .. } | Effect::Store { value, .. } => {
                        field_of(value, register, access.width, use_of_mask)
                    }
                    Effect::Test(a, Operand::Constant(mask)) if reads(a, register) => {
                        mask_bits(*mask, access.width, Mask::Selects)
                    }
                    Effect::Compare(a, _) => field_of(a, register, access.width, use_of_mask),
                    _ => None,
                };
                if let (Some((first, rest)), Effect::Set { register: to, value: Operand::Binary(..), .. }) =
                    (bits, effect)
                    && let Some(masked) = self.masked_after(at, *to)
                {
                    // `shr` brings the field down, a mask behind it cuts it out.
                    return Some((first.saturating_add(masked.0), masked.1.min(rest)));
                }
                if bits.is_some() {
                    return bits;
                }
                // Bit-field inserts overwrite the rest of the register with itself.
                if matches!(effect, Effect::Clobber(r) if *r == register)
                    && let Some(bits) = inserted(&insn.text())
                {
                    return Some(bits);
                }
                let written = match effect {
                    Effect::Set { register, .. } | Effect::Clobber(register) => Some(*register),
                    Effect::Load { register, .. } => *register,
                    _ => None,
                };
                if written == Some(register) {
                    return None;
                }
            }
            if !matches!(insn.flow, Flow::Next) {
                return None;
            }
        }
        None
    }

    /// The field that the instruction after `index` cuts out of a register.
    fn masked_after(&self, index: usize, register: Reg) -> Option<(u8, u8)> {
        let next = self.code.insns.get(index + 1)?;
        next.effects.iter().find_map(|effect| match effect {
            Effect::Set { value: value @ Operand::Binary(Operator::And, ..), .. } => {
                field_of(value, register, 4, Mask::Selects)
            }
            _ => None,
        })
    }

    fn is_inline_parameter(&self, text: &str, level: Option<usize>) -> bool {
        self.names.variables.iter().enumerate().any(|(index, variable)| {
            variable.parameter
                && *variable.name == *text
                && self.names.level_of(index) == level
                && self.names.scopes.get(variable.scope).is_some_and(|scope| scope.parent.is_some())
        })
    }

    fn terms(&self, lvalue: &LValue, function: Option<&Rc<str>>, frame: Option<&SourceFrame>) -> Terms {
        let function = function
            .cloned()
            .or_else(|| frame.map(|frame| Rc::clone(&frame.function)))
            .unwrap_or_else(|| Rc::from(self.symbol.as_str()));
        let record = lvalue.pointee.filter(|ty| matches!(self.image.strip(*ty), Type::Record(_)));
        Terms {
            function,
            file: frame.and_then(|frame| frame.file.clone()),
            line: frame.and_then(|frame| frame.line),
            text: lvalue.text.clone(),
            pointer: lvalue.pointer.clone(),
            record: record.map(|ty| self.image.type_name(ty)),
            member: lvalue.member.clone().filter(|_| record.is_some()),
            offset: Some(lvalue.offset),
            fit: lvalue.fit,
            ambiguous: lvalue.ambiguous,
            footing: lvalue.footing,
        }
    }

    /// How `pc` is looked at: first in the terms of the function that its line belongs to and of
    /// those it is inlined into, then in any terms.
    fn outlook(&self, pc: ImageAddr) -> Outlook {
        let frames = self.image.source_at(pc);
        let levels = self.levels(pc);
        let primary = primary_level(&frames, levels.len());
        let own: Vec<usize> = levels.iter().skip(primary).map(|l| l.0).collect();
        let all: Vec<usize> =
            own.iter().copied().chain(levels.iter().take(primary).rev().map(|l| l.0)).collect();
        Outlook {
            views: [self.view(pc, &own, false), self.view(pc, &all, true)],
            function: levels.get(primary).map(|l| Rc::clone(&l.1)),
            frame: frames.into_iter().nth(primary),
        }
    }

    /// The first view's answer that a type explains, else the last one's.
    fn lvalue_in(
        &self,
        outlook: &Outlook,
        address: Value,
        segment: Option<Reg>,
        width: u8,
    ) -> Option<LValue> {
        let [own, any] = &outlook.views;
        let first = self.lvalue(own, address, segment, width);
        first.filter(|l| l.fit.is_some()).or_else(|| self.lvalue(any, address, segment, width))
    }

    fn described_in(&self, outlook: &Outlook, value: Value) -> Option<Described> {
        outlook.views.iter().find_map(|view| self.describe(view, value))
    }

    /// What the call instruction at `call` calls, in C: `s->ops->start`, and the member it is in.
    #[must_use]
    pub fn call_target(&self, call: ImageAddr) -> Option<Terms> {
        let insn = self.insn(call)?;
        let (Flow::CallIndirect(target) | Flow::JumpIndirect(target)) = &insn.flow else { return None };
        let outlook = self.outlook(call);
        let state = self.state(call)?;
        let (function, frame) = (outlook.function.as_ref(), outlook.frame.as_ref());
        match target {
            Target::Memory(memory) => {
                let address = self.solved.borrow_mut().address(&state, memory)?;
                let lvalue = self.lvalue_in(&outlook, address, memory.segment, 8)?;
                Some(self.target_terms(&lvalue, function, frame))
            }
            Target::Register(register) => {
                let value = state.register(*register)?;
                if let Some(Node::Load { address, segment, width, .. }) =
                    value.node.and_then(|id| self.node(id))
                    && value.plus == 0
                    && let Some(lvalue) = self.lvalue_in(&outlook, address, segment, width)
                {
                    return Some(self.target_terms(&lvalue, function, frame));
                }
                let described = self.described_in(&outlook, value)?;
                Some(self.plain_terms(described, function, frame))
            }
        }
    }

    /// The value that the call instruction at `call` jumps to.
    #[must_use]
    pub fn call_value(&self, call: ImageAddr) -> Option<Value> {
        let (Flow::CallIndirect(target) | Flow::JumpIndirect(target)) = &self.insn(call)?.flow else {
            return None;
        };
        let state = self.state(call)?;
        match target {
            Target::Register(register) => state.register(*register),
            Target::Memory(_) => None,
        }
    }

    fn target_terms(
        &self,
        lvalue: &LValue,
        function: Option<&Rc<str>>,
        frame: Option<&SourceFrame>,
    ) -> Terms {
        let terms = self.terms(lvalue, function, frame);
        // What was followed is the function pointer itself.
        Terms { pointer: Some(terms.text.clone()), ..terms }
    }

    fn plain_terms(
        &self,
        described: Described,
        function: Option<&Rc<str>>,
        frame: Option<&SourceFrame>,
    ) -> Terms {
        Terms {
            function: function.cloned().unwrap_or_else(|| Rc::from(self.symbol.as_str())),
            file: frame.and_then(|frame| frame.file.clone()),
            line: frame.and_then(|frame| frame.line),
            text: described.text.clone(),
            pointer: Some(described.text),
            record: None,
            member: None,
            offset: None,
            fit: None,
            ambiguous: false,
            footing: described.footing,
        }
    }

    /// The arguments of the call at `call` as C expressions, as many as `count`.
    #[must_use]
    pub fn arguments(&self, call: ImageAddr, count: usize) -> Vec<Option<String>> {
        let Some(cpu) = kwhy_arch::cpu(self.arch()) else { return Vec::new() };
        let Some(state) = self.state(call) else { return Vec::new() };
        let outlook = self.outlook(call);
        cpu.arguments
            .iter()
            .take(count)
            .map(|register| self.described_in(&outlook, state.register(*register)?).map(|d| d.text))
            .collect()
    }

    /// How many parameters the function pointer's type has, where the call's target is typed.
    #[must_use]
    pub fn call_arity(&self, call: ImageAddr) -> Option<usize> {
        let insn = self.insn(call)?;
        let (Flow::CallIndirect(target) | Flow::JumpIndirect(target)) = &insn.flow else { return None };
        let levels: Vec<usize> = self.levels(call).iter().map(|l| l.0).collect();
        let view = self.view(call, &levels, true);
        let state = self.state(call)?;
        let ty = match target {
            Target::Memory(memory) => {
                let address = self.solved.borrow_mut().address(&state, memory)?;
                self.lvalue(&view, address, memory.segment, 8)?.ty?
            }
            Target::Register(register) => self.describe(&view, state.register(*register)?)?.ty?,
        };
        match self.image.strip(ty) {
            Type::Pointer(function) => match self.image.strip(function) {
                Type::Function { parameters, .. } => Some(parameters.len()),
                _ => None,
            },
            _ => None,
        }
    }

    /// What is handed over in an argument register at the call at `call`, in the caller's terms:
    /// the expression, and where it is a member that was read, of which struct.
    #[must_use]
    pub fn argument_terms(&self, call: ImageAddr, register: Reg) -> Option<(Terms, Value)> {
        let outlook = self.outlook(call);
        let value = self.register(call, register)?;
        let (function, frame) = (outlook.function.as_ref(), outlook.frame.as_ref());
        let described = self.described_in(&outlook, value);
        if let Some(Node::Load { address, segment, width, .. }) = value.node.and_then(|id| self.node(id))
            && value.plus == 0
            && let Some(lvalue) = self.lvalue_in(&outlook, address, segment, width)
            && lvalue.fit.is_some()
        {
            // The pointer is what the source calls the value: `p` where `p = in->label`, which is
            // then said by the text.
            let terms = self.target_terms(&lvalue, function, frame);
            let own = self.describe(outlook.views.first()?, value);
            let pointer = own.map(|described| described.text).or(terms.pointer);
            return Some((Terms { pointer, ..terms }, value));
        }
        // `&h->lock`: an address inside what a pointer points to.
        if value.node.is_some()
            && let Some(lvalue) = self.lvalue_in(&outlook, value, None, 0)
            && lvalue.fit.is_some()
            && lvalue.offset != 0
        {
            let terms = self.terms(&lvalue, function, frame);
            return Some((Terms { text: format!("&{}", terms.text), ..terms }, value));
        }
        Some((self.plain_terms(described?, function, frame), value))
    }

    /// The member that a value was read from, in the terms of the function at `pc`.
    #[must_use]
    pub fn read_as(&self, pc: ImageAddr, value: Value) -> Option<Terms> {
        let Node::Load { address, segment, width, .. } = self.node(value.node?)? else { return None };
        if value.plus != 0 {
            return None;
        }
        let outlook = self.outlook(pc);
        let lvalue = self.lvalue_in(&outlook, address, segment, width).filter(|l| l.fit.is_some())?;
        let terms = self.target_terms(&lvalue, outlook.function.as_ref(), outlook.frame.as_ref());
        terms.record.is_some().then_some(terms)
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

    /// What a register holds before the instruction at `pc`, in C; `None` where it has no name
    /// worth the word: plain numbers and what only raw registers tell.
    #[must_use]
    pub fn holds(&self, pc: ImageAddr, register: Reg) -> Option<String> {
        let value = self.register(pc, register)?;
        value.node?;
        let cpu = kwhy_arch::cpu(self.arch())?;
        if register == cpu.sp || register == cpu.pc {
            return None;
        }
        let levels: Vec<usize> = self.levels(pc).iter().map(|l| l.0).collect();
        let described = self.describe(&self.view(pc, &levels, true), value)?;
        (described.footing >= Footing::Earlier).then_some(described.text)
    }

    /// `struct module` for a struct or union type; `None` for anything else.
    #[must_use]
    pub fn record_name(&self, ty: Option<kwhy_image::TypeId>) -> Option<String> {
        let ty = ty.filter(|ty| matches!(self.image.strip(*ty), Type::Record(_)))?;
        Some(self.image.type_name(ty))
    }

    /// How many parameters a function is declared with.
    #[must_use]
    pub fn parameter_count(&self, function: &str) -> Option<usize> {
        self.prototype(function).map(|prototype| prototype.parameters.len())
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
}

/// A place in the code with the views of it, best first.
struct Outlook {
    views: [View; 2],
    function: Option<Rc<str>>,
    frame: Option<SourceFrame>,
}

/// The function whose terms people think in: the innermost that is not a header's helper.
#[must_use]
pub fn primary_level(frames: &[SourceFrame], levels: usize) -> usize {
    let in_header = |frame: &SourceFrame| frame.file.as_deref().is_some_and(|file| file.ends_with(".h"));
    let primary = frames.iter().position(|frame| !in_header(frame)).unwrap_or(0);
    primary.min(levels.saturating_sub(1))
}

/// The access that faulted: the one whose address, computed from the registers, is the fault's.
fn choose(
    accesses: &[SceneAccess],
    fault_address: Option<u64>,
    registers: &dyn Fn(Reg) -> Option<u64>,
) -> Option<usize> {
    if accesses.is_empty() {
        return None;
    }
    let fault = fault_address.unwrap_or_default();
    let matching = accesses.iter().position(|access| {
        fault_address.is_some()
            && effective_address(&access.memory, registers).is_some_and(|address| {
                let distance = fault.wrapping_sub(address);
                let untagged = fault.wrapping_sub(kwhy_arch::untag_for_print(address));
                distance < u64::from(access.width.max(1)) || untagged < u64::from(access.width.max(1))
            })
    });
    Some(matching.unwrap_or(0))
}

/// The address of a memory operand from the registers' values; segment bases are not known.
#[must_use]
pub fn effective_address(memory: &MemOperand, registers: &dyn Fn(Reg) -> Option<u64>) -> Option<u64> {
    if memory.segment.is_some() {
        return registers(memory.segment?).map(|base| base.wrapping_add_signed(memory.displacement));
    }
    let mut address = match memory.base {
        Some(base) => registers(base)?,
        None => 0,
    };
    if let Some(index) = &memory.index {
        let mut value = registers(index.register)?;
        if index.narrow {
            value = if index.signed { value as i32 as i64 as u64 } else { u64::from(value as u32) };
        }
        address = address.wrapping_add(value.wrapping_mul(u64::from(index.scale.max(1))));
    }
    Some(address.wrapping_add_signed(memory.displacement))
}

fn reads(value: &Operand, register: Reg) -> bool {
    match value {
        Operand::Register(r, _) => *r == register,
        Operand::Extract { value, .. } => reads(value, register),
        _ => false,
    }
}

/// The field that an ARM64 `bfi` writes, from its text `bfi w2, w1, #2, #4`.
fn inserted(text: &str) -> Option<(u8, u8)> {
    let mut numbers = text.strip_prefix("bfi ")?.split('#').skip(1);
    let mut number = || -> Option<u8> {
        let digits = numbers.next()?.trim().trim_end_matches(',');
        match digits.strip_prefix("0x") {
            Some(hex) => u8::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        }
    };
    Some((number()?, number()?))
}

/// What the ones of a mask are for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mask {
    /// They select the field that is read.
    Selects,
    /// They keep the field's neighbours; the zeros clear the field that is written.
    Clears,
}

/// The field that a value cuts out of a register.
fn field_of(value: &Operand, register: Reg, width: u8, mask_use: Mask) -> Option<(u8, u8)> {
    match value {
        Operand::Extract { value, lsb, bits, .. } if reads(value, register) => {
            let whole = u16::from(*lsb) + u16::from(*bits) >= u16::from(width) * 8 && *lsb == 0;
            (!whole).then_some((*lsb, (*bits).min((width.saturating_mul(8)).saturating_sub(*lsb))))
        }
        Operand::Binary(Operator::And, a, b) => match (&**a, &**b) {
            (Operand::Constant(mask), other) | (other, Operand::Constant(mask)) => match other {
                // `(x >> lsb) & mask`.
                Operand::Binary(Operator::Shr | Operator::Sar, x, shift) if reads(x, register) => {
                    let Operand::Constant(shift) = **shift else { return None };
                    let (lsb, bits) = mask_bits(*mask, 8, Mask::Selects)?;
                    Some((lsb.checked_add(u8::try_from(shift).ok()?)?, bits))
                }
                other if reads(other, register) => mask_bits(*mask, width, mask_use),
                _ => None,
            },
            _ => None,
        },
        Operand::Binary(Operator::Or, a, b) => match (&**a, &**b) {
            (Operand::Constant(mask), other) | (other, Operand::Constant(mask)) if reads(other, register) => {
                mask_bits(*mask, width, Mask::Selects)
            }
            _ => None,
        },
        Operand::Binary(Operator::Shr | Operator::Sar, x, shift) if reads(x, register) => {
            let Operand::Constant(shift) = **shift else { return None };
            let shift = u8::try_from(shift).ok()?;
            let bits = width.saturating_mul(8).checked_sub(shift)?;
            (bits > 0 && shift > 0).then_some((shift, bits))
        }
        _ => None,
    }
}

/// The one run of ones in a mask that selects a field, of zeros in one that clears it: first bit
/// and width. Where the mask cannot be what it should, it is read the other way.
fn mask_bits(mask: u64, width: u8, mask_use: Mask) -> Option<(u8, u8)> {
    let all = if width >= 8 { u64::MAX } else { (1u64 << (u32::from(width) * 8)) - 1 };
    let run = |mask: u64| {
        if mask == 0 || mask == all {
            return None;
        }
        let lsb = mask.trailing_zeros();
        let bits = (mask >> lsb).trailing_ones();
        (bits + lsb >= 64 || mask >> lsb >> bits == 0).then_some((lsb as u8, bits as u8))
    };
    let mask = mask & all;
    match mask_use {
        Mask::Selects => run(mask).or_else(|| run(!mask & all)),
        Mask::Clears => run(!mask & all).or_else(|| run(mask)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_select_or_clear_one_field() {
        assert_eq!(mask_bits(0b0011_1000, 1, Mask::Selects), Some((3, 3)));
        assert_eq!(mask_bits(0xffff_ffc3, 1, Mask::Clears), Some((2, 4)));
        assert_eq!(mask_bits(0x0f, 1, Mask::Selects), Some((0, 4)));
        assert_eq!(mask_bits(0x0f, 1, Mask::Clears), Some((4, 4)));
        assert_eq!(mask_bits(0b0101, 1, Mask::Selects), None);
        assert_eq!(mask_bits(0xff, 1, Mask::Clears), None);
    }

    #[test]
    fn effective_addresses_wrap_and_extend() {
        let registers = |r: Reg| Some(if r.0 == 0 { 0xffff_ffff_ffff_ffea } else { 0xffff_fff0 });
        let memory = MemOperand { base: Some(Reg(0)), displacement: 0x14, ..MemOperand::default() };
        assert_eq!(effective_address(&memory, &registers), Some(0xffff_ffff_ffff_fffe));
        let index = crate::insn::Index { register: Reg(1), scale: 8, narrow: true, signed: true };
        let memory = MemOperand { base: None, index: Some(index), displacement: 0, segment: None };
        assert_eq!(effective_address(&memory, &registers), Some((-128i64) as u64));
    }
}
