//! What a function returns: each value with the line that set it, and the calls that it ends in.

use crate::insn::Flow;
use crate::scene::Scene;
use crate::sources::Arm;
use kwhy_base::{ImageAddr, Reg};

/// One way out of a function.
#[derive(Clone, Debug, PartialEq)]
pub enum Return {
    /// It returns this.
    Value {
        /// The value, and where it was set.
        leaf: Arm,
        /// The return instruction.
        at: ImageAddr,
    },
    /// It ends in a jump to another function, which returns for it.
    TailCall {
        /// The jump.
        at: ImageAddr,
        /// The symbol; `None` for a jump through a pointer.
        callee: Option<String>,
    },
}

/// How many ways out are looked at.
const MAX_EXITS: usize = 64;

impl Scene<'_, '_> {
    /// What the function returns in `register`, leaving out what gives another value than
    /// `observed`.
    #[must_use]
    pub fn returns(&self, register: Reg, observed: Option<u64>) -> Vec<Return> {
        let mut found: Vec<Return> = Vec::new();
        let mut exits = 0usize;
        for insn in &self.code.insns {
            let at = insn.address;
            match &insn.flow {
                Flow::Return => {
                    let Some(value) = self.register(at, register) else { continue };
                    for leaf in self.arms(value, Some(register), at, observed) {
                        let known = found.iter().any(|known| {
                            matches!(known, Return::Value { leaf: other, .. }
                                if other.value == leaf.value && other.set == leaf.set)
                        });
                        if !known {
                            found.push(Return::Value { leaf, at });
                        }
                    }
                }
                Flow::Jump(target) if self.code.index_of(*target).is_none() => {
                    found.push(Return::TailCall { at, callee: self.callee_name(at) });
                }
                // A jump through a table stays within the function; one that leaves it has no
                // successors.
                Flow::JumpIndirect(_)
                    if self
                        .block_at(at)
                        .and_then(|block| self.code.blocks.get(block))
                        .is_some_and(|block| block.successors.is_empty()) =>
                {
                    found.push(Return::TailCall { at, callee: None });
                }
                _ => continue,
            }
            exits += 1;
            if exits > MAX_EXITS {
                break;
            }
        }
        found
    }

    /// An instruction of the last statement before the function's end at `at`: where the value is
    /// put together in several lines, the `return` is the last of them.
    #[must_use]
    pub fn return_statement(&self, at: ImageAddr) -> Option<ImageAddr> {
        let line = |at: ImageAddr| self.image.source_at(at).last().and_then(|frame| frame.line);
        let end = line(at)?;
        let last = self.code.index_of(at)?;
        let block = self.code.block_of(last)?;
        let from = self.code.blocks.get(block)?.insns.start;
        let mut best: Option<(u32, ImageAddr)> = None;
        for insn in self.code.insns.get(from..last)?.iter().rev() {
            // The closing brace has the greatest line; the statement before it the next.
            if let Some(line) = line(insn.address).filter(|line| *line < end)
                && best.is_none_or(|(other, _)| line > other)
            {
                best = Some((line, insn.address));
            }
        }
        best.map(|(_, at)| at)
    }
}
