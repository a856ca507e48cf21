//! The condition that led to a trap: what stood in a `BUG_ON(…)` or `WARN_ON(…)`.
//!
//! The compiler turns the macro into a comparison, a branch and, somewhere else, the trap
//! instruction. The branch into the trap's block, read with its comparison, is the condition.

use crate::expr::primary_level;
use crate::insn::{Condition as Relation, Effect, Flow, Insn, Value as Operand};
use crate::lvalue::LValue;
use crate::scene::Scene;
use crate::value::{Node, Value};
use kwhy_base::ImageAddr;
use kwhy_image::Type;

/// A condition under which a trap is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// In C: `r->count > r->depth`.
    pub text: String,
    /// The first object compared that is a member of something.
    pub subject: Option<LValue>,
    /// The number that the first operand is said to equal, for `a == 0xdead000000000100`.
    pub equals: Option<u64>,
    /// The branch that decides.
    pub branch: ImageAddr,
}

/// A comparison, the branch it decides, and the trap that lies behind it.
struct Site<'a> {
    index: usize,
    insn: &'a Insn,
    branch: ImageAddr,
    pc: ImageAddr,
}

impl Scene<'_, '_> {
    /// The condition under which the trap at `pc` is reached; `None` where more than one branch
    /// leads there with different conditions, or where it cannot be read.
    #[must_use]
    pub fn trap_condition(&self, pc: ImageAddr) -> Option<Condition> {
        let index = self.code.index_of(pc)?;
        let mut block = self.code.block_of(index)?;
        let mut found: Option<Condition> = None;
        // A trap's block may be entered through blocks that only fall or jump into it.
        for _ in 0..4 {
            let predecessors = self.code.blocks.get(block)?.predecessors.clone();
            let [only] = predecessors.as_slice() else {
                for predecessor in predecessors {
                    let condition = self.condition_of(predecessor, block, pc)?;
                    match &found {
                        Some(other) if other.text != condition.text => return None,
                        _ => found = Some(condition),
                    }
                }
                return found;
            };
            let last = self.code.blocks.get(*only)?.insns.end.checked_sub(1)?;
            if matches!(self.code.insns.get(last)?.flow, Flow::Branch(_)) {
                return self.condition_of(*only, block, pc);
            }
            block = *only;
        }
        None
    }

    /// The condition for going from `block` to `next`.
    pub(crate) fn condition_of(&self, block: usize, next: usize, pc: ImageAddr) -> Option<Condition> {
        let range = self.code.blocks.get(block)?.insns.clone();
        let insns = self.code.insns.get(range.clone())?;
        let branch = insns.last()?;
        let Flow::Branch(target) = branch.flow else { return None };
        let taken = self.code.block_start(next) == Some(target);
        let (operator, negated) = relation(branch)?;
        let operator = if taken { operator } else { negated };
        // The last comparison before the branch, with the state it sees.
        for (offset, insn) in insns.iter().enumerate().rev() {
            let site = Site { index: range.start + offset, insn, branch: branch.address, pc };
            for effect in insn.effects.iter().rev() {
                match effect {
                    Effect::Compare(a, b) => return self.compared(&site, a, b, operator),
                    Effect::Test(a, b) => return self.tested(&site, a, b, operator),
                    _ => {}
                }
            }
        }
        None
    }

    fn compared(&self, site: &Site<'_>, a: &Operand, b: &Operand, operator: &str) -> Option<Condition> {
        let Site { index, insn, branch, pc } = *site;
        let (a_text, subject) = self.operand_text(index, insn, a, pc)?;
        let (b_text, other) = self.operand_text(index, insn, b, pc)?;
        let pointer = subject
            .as_ref()
            .and_then(|s| s.ty)
            .is_some_and(|ty| matches!(self.image.strip(ty), Type::Pointer(_)));
        // Compilers write `b < a` as readily as `a > b`. Checks against limits are mostly written
        // with what is checked first, and the limit is what must not be exceeded.
        let turned = match operator {
            "<" => Some(">"),
            "<=" => Some(">="),
            _ => None,
        };
        if let (Some(turned), Some(other)) = (turned, &other)
            && subject.is_some()
        {
            let text = format!("{b_text} {turned} {a_text}");
            return Some(Condition { text, subject: Some(other.clone()), equals: None, branch });
        }
        let text = match (b_text.as_str(), operator) {
            ("0", "==") if pointer => format!("!{a_text}"),
            ("0", "!=") if pointer => a_text,
            _ => format!("{a_text} {operator} {b_text}"),
        };
        let equals = if operator == "==" { self.constant_operand(index, insn, b) } else { None };
        Some(Condition { text, subject: subject.or(other), equals, branch })
    }

    fn tested(&self, site: &Site<'_>, a: &Operand, b: &Operand, operator: &str) -> Option<Condition> {
        let Site { index, insn, branch, pc } = *site;
        if a == b {
            return self.compared(site, a, &Operand::Constant(0), operator);
        }
        let (a_text, subject) = self.operand_text(index, insn, a, pc)?;
        let (b_text, _) = self.operand_text(index, insn, b, pc)?;
        let text = match operator {
            "==" => format!("!({a_text} & {b_text})"),
            "!=" => format!("{a_text} & {b_text}"),
            _ => return None,
        };
        Some(Condition { text, subject, equals: None, branch })
    }

    fn constant_operand(&self, index: usize, insn: &Insn, operand: &Operand) -> Option<u64> {
        let mut solved = self.solved.borrow_mut();
        let state = solved.state_before(index)?;
        solved.operand(&state, operand, insn.address)?.as_constant()
    }

    /// An operand of the instruction with index `index`, and the object it was read from.
    fn operand_text(
        &self,
        index: usize,
        insn: &Insn,
        operand: &Operand,
        pc: ImageAddr,
    ) -> Option<(String, Option<LValue>)> {
        let at = insn.address;
        let levels = self.levels(pc);
        let primary = primary_level(&self.image.source_at(pc), levels.len());
        let order: Vec<usize> =
            levels.iter().skip(primary).chain(levels.iter().take(primary).rev()).map(|l| l.0).collect();
        let view = self.view(at, &order, true);
        let value = {
            let mut solved = self.solved.borrow_mut();
            let state = solved.state_before(index)?;
            solved.operand(&state, operand, at)?
        };
        let lvalue = self.read_from(value).and_then(|(address, segment, width)| {
            self.lvalue(&view, address, segment, width).filter(|lvalue| lvalue.fit.is_some())
        });
        let described = self.describe(&view, value);
        let text = match (&described, &lvalue) {
            // Where the source names the value, that name and the member behind it are both true;
            // a macro's temporary is not what the programmer wrote.
            (Some(described), Some(lvalue)) if described.text.starts_with("__") => lvalue.text.clone(),
            // list_del()'s checks compare against these; the kernel's own names for them.
            (Some(described), None) if described.text == "0xdead000000000100" => "LIST_POISON1".to_owned(),
            (Some(described), None) if described.text == "0xdead000000000122" => "LIST_POISON2".to_owned(),
            (Some(described), _) => described.text.clone(),
            (None, Some(lvalue)) => lvalue.text.clone(),
            (None, None) => return None,
        };
        Some((text, lvalue))
    }

    /// The load behind a value, also through a widening or narrowing of it.
    fn read_from(&self, value: Value) -> Option<(Value, Option<kwhy_base::Reg>, u8)> {
        match self.node(value.node?)? {
            Node::Load { address, segment, width, .. } => Some((address, segment, width)),
            Node::Extract { value, lsb: 0, .. } => self.read_from(value),
            _ => None,
        }
    }
}

/// The relation that a conditional branch takes, and its opposite.
fn relation(branch: &Insn) -> Option<(&'static str, &'static str)> {
    Some(match branch.condition? {
        Relation::Equal => ("==", "!="),
        Relation::NotEqual => ("!=", "=="),
        Relation::Below | Relation::Less => ("<", ">="),
        Relation::AboveOrEqual | Relation::GreaterOrEqual => (">=", "<"),
        Relation::BelowOrEqual | Relation::LessOrEqual => ("<=", ">"),
        Relation::Above | Relation::Greater => (">", "<="),
        Relation::Negative => ("<", ">="),
        Relation::NotNegative => (">=", "<"),
        _ => return None,
    })
}
