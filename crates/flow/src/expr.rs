//! The expression that faulted: which C object an instruction touched, in whose terms.

use crate::describe::{Described, Footing, View};
use crate::insn::{AccessKind, Flow, MemOperand, Target};
use crate::lvalue::LValue;
use crate::path::Fit;
use crate::scene::{Scene, SceneAccess};
use crate::value::{Node, Value};
use kwhy_base::{ImageAddr, Reg};
use kwhy_image::{SourceFrame, Type};
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

    fn is_inline_parameter(&self, text: &str, level: Option<usize>) -> bool {
        self.names.variables.iter().enumerate().any(|(index, variable)| {
            variable.parameter
                && *variable.name == *text
                && self.names.level_of(index) == level
                && self.names.scopes.get(variable.scope).is_some_and(|scope| scope.parent.is_some())
        })
    }

    pub(crate) fn terms(
        &self,
        lvalue: &LValue,
        function: Option<&Rc<str>>,
        frame: Option<&SourceFrame>,
    ) -> Terms {
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
    pub(crate) fn outlook(&self, pc: ImageAddr) -> Outlook {
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
    pub(crate) fn lvalue_in(
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

    pub(crate) fn described_in(&self, outlook: &Outlook, value: Value) -> Option<Described> {
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
}

/// A place in the code with the views of it, best first.
pub(crate) struct Outlook {
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
pub(crate) fn choose(
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

#[cfg(test)]
mod tests {
    use super::*;

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
