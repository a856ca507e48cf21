//! C names for the explanation of an instruction: what it works on, as the function around it
//! calls it.

use crate::describe::{Footing, View};
use crate::explain::{Naming, explain};
use crate::expr::primary_level;
use crate::insn::{Insn, MemOperand};
use crate::interp::{State, address};
use crate::scene::Scene;
use kwhy_base::{ImageAddr, Prose, Reg};

/// The names that hold before one instruction of a scene.
struct Here<'s, 'i, 'd> {
    scene: &'s Scene<'i, 'd>,
    state: Option<State>,
    view: View,
}

impl Scene<'_, '_> {
    /// What the instruction at `pc` does, in plain words and C names.
    #[must_use]
    pub fn explain(&self, pc: ImageAddr) -> Option<Prose> {
        let insn = self.insn(pc)?;
        let levels = self.levels(insn.address);
        let primary = primary_level(&self.image.source_at(insn.address), levels.len());
        let order: Vec<usize> =
            levels.iter().skip(primary).chain(levels.iter().take(primary).rev()).map(|l| l.0).collect();
        let here = Here {
            scene: self,
            state: self.state(insn.address),
            view: self.view(insn.address, &order, true),
        };
        Some(explain(insn, &here))
    }

    /// The instruction as text, with the symbols of its branch target beside the address.
    #[must_use]
    pub fn text(&self, insn: &Insn) -> String {
        use crate::insn::Flow;
        let text = insn.text();
        let (Flow::Jump(target) | Flow::Branch(target) | Flow::Call(target)) = &insn.flow else {
            return text;
        };
        match self.place_name(*target) {
            Some(name) => format!("{text} <{name}>"),
            None => text,
        }
    }

    /// `symbol` or `symbol+0x10` for an address of the function's image or an import of it.
    fn place_name(&self, address: ImageAddr) -> Option<String> {
        if let Some(name) = self.code.imports.name(address) {
            return Some(name.to_owned());
        }
        let symbol = self.image.symbol_at(address)?;
        match address.0.wrapping_sub(symbol.address.0) {
            0 => Some(symbol.name),
            // Behind the last symbol lies nothing: a number there is no address.
            distance if distance < symbol.size => Some(format!("{}+{distance:#x}", symbol.name)),
            _ => None,
        }
    }
}

impl Naming for Here<'_, '_, '_> {
    fn register(&self, register: Reg) -> Option<String> {
        let value = self.state.as_ref()?.register(register)?;
        value.node?;
        let cpu = kwhy_arch::cpu(self.scene.arch())?;
        if register == cpu.sp || register == cpu.pc {
            return None;
        }
        let described = self.scene.describe(&self.view, value)?;
        (described.footing >= Footing::Earlier).then_some(described.text)
    }

    fn memory(&self, memory: &MemOperand, width: u8) -> Option<String> {
        let value = address(&mut self.scene.solved.borrow_mut().arena, self.state.as_ref()?, memory)?;
        let lvalue = self.scene.lvalue(&self.view, value, memory.segment, width)?;
        (lvalue.fit.is_some() && lvalue.footing >= Footing::Earlier).then_some(lvalue.text)
    }

    fn address_of(&self, memory: &MemOperand) -> Option<String> {
        let value = address(&mut self.scene.solved.borrow_mut().arena, self.state.as_ref()?, memory)?;
        value.node?;
        let described = self.scene.describe(&self.view, value)?;
        (described.footing >= Footing::Earlier).then_some(described.text)
    }

    fn address(&self, address: ImageAddr) -> Option<String> {
        self.scene.place_name(address)
    }
}
