//! Down into callees: what a call returned, or put into an object whose address it was handed.

use super::up::{Above, Here, target_of, targets_of};
use super::within::{MAX_DEPTH, Walk, Wanted, Way, number_text};
use super::{Candidate, Explains, What, module_of, spot};
use crate::names::base_name;
use kwhy_base::catalogue::origin as say;
use kwhy_base::{ImageAddr, Reg, prose};
use kwhy_flow::insn::Flow;
use kwhy_flow::returns::Return;
use kwhy_flow::sources::{Arm, Read, Source};
use kwhy_flow::value::Value;
use std::rc::Rc;

impl<'o, 'd> Walk<'_, '_, 'o, 'd> {
    /// An object on the stack whose address was handed to calls: what they put there.
    pub(super) fn filled(&mut self, here: &Here<'o, 'd>, read: &Read, observed: Option<u64>, way: &Way) {
        let Some(cpu) = kwhy_arch::cpu(here.scene.arch()) else { return };
        for insn in &here.scene.code.insns {
            if insn.address >= read.at || !matches!(insn.flow, Flow::Call(_)) {
                continue;
            }
            let Some(state) = here.scene.state(insn.address) else { continue };
            for register in cpu.arguments {
                let Some(argument) = state.register(*register).filter(|v| v.node == read.address.node) else {
                    continue;
                };
                let inside = read.address.plus.wrapping_sub(argument.plus);
                if !(0..4096).contains(&inside) || !self.may_call() {
                    continue;
                }
                let Some((image, scene)) = target_of(self.ctx, here, insn.address) else { continue };
                let above = Rc::new(Above::Site(here.clone(), insn.address));
                let callee = Here { image, scene, above };
                let address = callee.scene.entered_with(*register).offset(inside);
                for (at, value) in callee.scene.stores_at(address) {
                    let way = Way { depth: way.depth + 1, told: false, ..way.clone() };
                    self.follow(&callee, Wanted { value, register: None, at, observed }, &way);
                }
            }
        }
    }

    fn may_call(&mut self) -> bool {
        match self.calls.checked_sub(1) {
            Some(left) => {
                self.calls = left;
                true
            }
            None => false,
        }
    }

    /// Down into what a call calls: the values that it returns.
    pub(super) fn down(
        &mut self,
        here: &Here<'o, 'd>,
        call: ImageAddr,
        callee: Option<&str>,
        (register, observed, value): (Reg, Option<u64>, Value),
        way: &Way,
    ) {
        // Allocators return NULL or an object, never an error.
        let makes = callee.is_some_and(kwhy_flow::stores::handles_objects);
        if makes && observed.is_some_and(|seen| kwhy_arch::error_pointer(seen).is_some()) {
            return;
        }
        if makes && observed.is_some_and(super::cut::is_half) {
            for candidate in super::cut::keepers(self.ctx, here.image, &here.scene, call) {
                self.add(candidate);
            }
        }
        let own = spot(self.ctx, here.image, call);
        let function = own.function.clone().unwrap_or_default();
        let text = here.scene.called(value, call).unwrap_or_else(|| "?".to_owned());
        let before = self.trail.candidates.len();
        let mut core = false;
        if callee.is_some()
            && !makes
            && self.may_call()
            && let Some((image, scene)) = target_of(self.ctx, here, call)
        {
            let above = Rc::new(Above::Site(here.clone(), call));
            let inside = Here { image, scene, above };
            let receiver = way.receiver.clone().or(Some(own.clone()));
            // What the kernel's own functions return is as they say; who calls them must look.
            let lower = module_of(self.ctx, image).is_none() && own.module.is_some();
            core = lower;
            let at_best = if lower { Explains::Hardly } else { way.at_best };
            let way = Way { depth: way.depth + 1, receiver, at_best, ..way.clone() };
            self.returned(&inside, register, observed, &way);
        }
        if callee.is_none() {
            // Through a member that tables of functions fill: each of them may have been called.
            let targets = targets_of(self.ctx, here, call);
            let several = targets.len() > 1;
            for (image, scene) in targets {
                if !self.may_call() {
                    break;
                }
                let above = Rc::new(Above::Site(here.clone(), call));
                let receiver = way.receiver.clone().or(Some(own.clone()));
                let at_best = if several { Explains::Perhaps.max(way.at_best) } else { way.at_best };
                let way = Way { depth: way.depth + 1, receiver, at_best, ..way.clone() };
                self.returned(&Here { image, scene, above }, register, observed, &way);
            }
        }
        let callee = callee.map(|name| format!("{}()", base_name(name)));
        let detail = match &callee {
            Some(callee) => prose!(say::CALL_RESULT, text = text, callee = callee, function = function),
            None => prose!(say::CALL_UNKNOWN, text = text, function = function),
        };
        let found = self.trail.candidates.len() > before && !core;
        let explains = if found { Explains::Hardly } else { Explains::Perhaps.max(way.at_best) };
        let candidate = Candidate::new(What::CallResult, own, explains, detail);
        if found { self.last.push(candidate) } else { self.add(candidate) }
    }

    fn returned(&mut self, inside: &Here<'o, 'd>, register: Reg, observed: Option<u64>, way: &Way) {
        if way.depth > MAX_DEPTH {
            return;
        }
        let mut returns = inside.scene.returns(register, observed);
        returns.sort_by_key(|way| match way {
            Return::Value { leaf, .. } => match inside.scene.source(leaf.value) {
                Source::Constant(_) => 0,
                _ => 1,
            },
            Return::TailCall { .. } => 2,
        });
        for (index, out) in returns.iter().enumerate() {
            let way = Way { told: way.told && index == 0, ..way.clone() };
            match out {
                Return::Value { leaf, at } => {
                    self.leaf(inside, leaf, *at, &way);
                    // Where a conditional move chooses, the line of the `return` is another one.
                    let computed = leaf.set.first().is_some_and(|at| {
                        inside.scene.insn(*at).is_some_and(|insn| insn.condition.is_some())
                    });
                    if computed && let Some(last) = inside.scene.return_statement(*at) {
                        self.statement(inside, last, leaf, &way);
                    }
                }
                Return::TailCall { at, callee } => {
                    let value = inside.scene.entered_with(register);
                    self.down(inside, *at, callee.as_deref(), (register, observed, value), &way);
                }
            }
        }
    }

    /// The `return` of a value that was chosen without a branch.
    fn statement(&mut self, inside: &Here<'o, 'd>, at: ImageAddr, leaf: &Arm, way: &Way) {
        let Some(number) = leaf.value.as_constant().filter(|number| leaf.observed == Some(*number)) else {
            return;
        };
        let own = spot(self.ctx, inside.image, at);
        let function = own.function.clone().unwrap_or_default();
        let receiver = way.receiver.as_ref().and_then(|r| r.function.clone()).unwrap_or_default();
        let value = number_text(number);
        self.add(Candidate {
            unchecked_in: way.receiver.clone(),
            ..Candidate::new(
                What::CallResult,
                own,
                Explains::Exactly.max(way.at_best),
                prose!(say::RETURNS, function = function, value = value, receiver = receiver),
            )
        });
    }
}
