//! What a function has found out about a value at some point: the comparisons that every way to
//! the point has passed, and which way each of them went.
//!
//! A block is behind a branch's condition where the block that the branch goes to has no other
//! way in and dominates it. Dominators are found by Cooper, Harvey and Kennedy's "A Simple, Fast
//! Dominance Algorithm" (2001).

use crate::code::Code;
use crate::insn::{Condition as Relation, Effect, Flow};
use crate::scene::Scene;
use crate::value::{Node, Value};
use kwhy_base::ImageAddr;
use std::cell::OnceCell;

/// The lowest error pointer, `ERR_PTR(-MAX_ERRNO)`, less one: what `IS_ERR()` compares with
/// (include/linux/err.h). Compilers write `> -4096` or `>= -4095`.
const ERRORS: [u64; 2] = [0xffff_ffff_ffff_f000, 0xffff_ffff_ffff_f001];

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The instruction.
    pub at: ImageAddr,
    /// Its index.
    index: usize,
    /// What is compared.
    pub left: Value,
    /// With what.
    pub right: Value,
    /// The bits that both have set are looked at, not the difference.
    pub bits: bool,
}

/// A condition that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The branch that decides.
    pub branch: ImageAddr,
    /// How the two values are related on this way.
    pub relation: Relation,
    /// What is compared.
    pub compared: Compared,
    from: usize,
    to: usize,
}

/// What is found out once about a function's branches.
#[derive(Default)]
pub(crate) struct Branches {
    dominators: OnceCell<Vec<Option<usize>>>,
    compared: OnceCell<Vec<Compared>>,
}

/// How many dominators are gone through; a chain is as long as a function has blocks.
const MAX_CHAIN: usize = 4096;

impl Scene<'_, '_> {
    fn dominators(&self) -> &[Option<usize>] {
        self.branches.dominators.get_or_init(|| immediate_dominators(&self.code))
    }

    /// Every comparison of the function, in the order of the code.
    #[must_use]
    pub fn comparisons(&self) -> &[Compared] {
        self.branches.compared.get_or_init(|| {
            let mut sites = Vec::new();
            for (index, insn) in self.code.insns.iter().enumerate() {
                for effect in &insn.effects {
                    match effect {
                        Effect::Compare(a, b) => sites.push((index, insn.address, a, b, false)),
                        Effect::Test(a, b) => sites.push((index, insn.address, a, b, true)),
                        _ => {}
                    }
                }
            }
            let mut found = Vec::new();
            let mut solved = self.solved.borrow_mut();
            // One walk over each block's states would do; functions have few comparisons a block.
            for (index, at, a, b, bits) in sites {
                let Some(state) = solved.state_before(index) else { continue };
                let (Some(left), Some(right)) =
                    (solved.operand(&state, a, at), solved.operand(&state, b, at))
                else {
                    continue;
                };
                // `test %rax,%rax` is a comparison with 0, and constants go to the right.
                let (left, right, bits) = if bits && left == right {
                    (left, Value::constant(0), false)
                } else {
                    (left, right, bits)
                };
                found.push(Compared { at, index, left, right, bits });
            }
            found
        })
    }

    /// Whether block `a` is on every way from the function's entry to block `b`.
    #[must_use]
    pub fn dominates(&self, a: usize, b: usize) -> bool {
        let dominators = self.dominators();
        let mut here = b;
        for _ in 0..MAX_CHAIN {
            if here == a {
                return true;
            }
            match dominators.get(here).copied().flatten() {
                Some(next) if next != here => here = next,
                _ => return false,
            }
        }
        false
    }

    /// The block that holds the instruction at `at`.
    #[must_use]
    pub fn block_at(&self, at: ImageAddr) -> Option<usize> {
        self.code.block_of(self.code.index_of(at)?)
    }

    /// The conditions that hold whenever the instruction at `at` runs, the nearest first.
    #[must_use]
    pub fn guards(&self, at: ImageAddr) -> Vec<Guard> {
        self.block_at(at).map(|block| self.guards_of(block)).unwrap_or_default()
    }

    pub(crate) fn guards_of(&self, block: usize) -> Vec<Guard> {
        let dominators = self.dominators();
        let mut found = Vec::new();
        let mut here = block;
        for _ in 0..MAX_CHAIN {
            let Some(above) = dominators.get(here).copied().flatten().filter(|above| *above != here) else {
                break;
            };
            // The padding before an aligned block falls into it, but nothing comes to the padding.
            let runs = |block: &usize| dominators.get(*block).copied().flatten().is_some();
            let only = self
                .code
                .blocks
                .get(here)
                .is_some_and(|block| block.predecessors.iter().filter(|from| runs(from)).eq([&above]));
            if only && let Some(guard) = self.guard_between(above, here) {
                found.push(guard);
            }
            here = above;
        }
        found
    }

    /// The condition for going from block `from` to its successor `to`.
    pub(crate) fn guard_between(&self, from: usize, to: usize) -> Option<Guard> {
        let range = self.code.blocks.get(from)?.insns.clone();
        let branch = self.code.insns.get(range.end.checked_sub(1)?)?;
        let Flow::Branch(target) = branch.flow else { return None };
        let taken = self.code.block_start(to) == Some(target);
        let next = branch.address.offset(i64::from(branch.len));
        if target == next || (!taken && self.code.block_start(to) != Some(next)) {
            return None;
        }
        let relation = if taken { branch.condition? } else { opposite(branch.condition?) };
        let compared =
            self.comparisons().iter().rev().find(|compared| range.contains(&compared.index)).copied()?;
        Some(Guard { branch: branch.address, relation, compared, from, to })
    }

    /// The condition in C, as the function around `pc` would say it.
    #[must_use]
    pub fn guard_text(&self, guard: &Guard, pc: ImageAddr) -> Option<String> {
        self.condition_of(guard.from, guard.to, pc).map(|condition| condition.text)
    }

    /// The first instruction that runs where the condition does not hold.
    #[must_use]
    pub fn otherwise(&self, guard: &Guard) -> Option<ImageAddr> {
        let successors = &self.code.blocks.get(guard.from)?.successors;
        let other = successors.iter().copied().find(|block| *block != guard.to)?;
        self.code.block_start(other)
    }

    /// Whether the function compares the value with zero, or looks whether it is an error,
    /// anywhere.
    #[must_use]
    pub fn is_tested(&self, value: Value) -> bool {
        self.tests(value).next().is_some()
    }

    /// Whether it does so on every way to `at`, before.
    #[must_use]
    pub fn is_tested_before(&self, value: Value, at: ImageAddr) -> bool {
        let (Some(index), Some(block)) = (self.code.index_of(at), self.block_at(at)) else { return false };
        self.tests(value).any(|compared| match self.code.block_of(compared.index) {
            Some(own) if own == block => compared.index < index,
            Some(own) => self.dominates(own, block),
            None => false,
        })
    }

    fn tests(&self, value: Value) -> impl Iterator<Item = &Compared> {
        self.comparisons().iter().filter(move |compared| {
            let with = |a: Value, b: Value| {
                a == value
                    && a.node.is_some()
                    && b.as_constant().is_some_and(|number| number == 0 || ERRORS.contains(&number))
            };
            !compared.bits && (with(compared.left, compared.right) || with(compared.right, compared.left))
        })
    }

    /// Whether a guard leaves it open that `value` is `number`.
    #[must_use]
    pub fn allows(&self, guard: &Guard, value: Value, number: u64) -> bool {
        let Some(node) = value.node else { return true };
        // What the compared value is where `value` is `number`.
        let known = |side: Value| -> Option<(u64, u8)> {
            if let Some(constant) = side.as_constant() {
                return Some((constant, 64));
            }
            if side.node == Some(node) {
                return Some((number.wrapping_add_signed(side.plus.wrapping_sub(value.plus)), 64));
            }
            match self.node(side.node?)? {
                Node::Extract { value: inner, lsb: 0, bits: bits @ 8..=63, signed: false }
                    if inner.node == Some(node) && side.plus == 0 =>
                {
                    let whole = number.wrapping_add_signed(inner.plus.wrapping_sub(value.plus));
                    Some((whole & ((1u64 << bits) - 1), bits))
                }
                _ => None,
            }
        };
        let (Some((left, a)), Some((right, b))) = (known(guard.compared.left), known(guard.compared.right))
        else {
            return true;
        };
        let bits = a.min(b);
        let mask = if bits >= 64 { u64::MAX } else { (1u64 << bits) - 1 };
        let (left, right) = (left & mask, right & mask);
        let signed = |number: u64| ((number << (64 - bits)) as i64) >> (64 - bits);
        if guard.compared.bits {
            return match guard.relation {
                Relation::Equal => left & right == 0,
                Relation::NotEqual => left & right != 0,
                _ => true,
            };
        }
        match guard.relation {
            Relation::Equal => left == right,
            Relation::NotEqual => left != right,
            Relation::Below => left < right,
            Relation::AboveOrEqual => left >= right,
            Relation::BelowOrEqual => left <= right,
            Relation::Above => left > right,
            Relation::Less => signed(left) < signed(right),
            Relation::GreaterOrEqual => signed(left) >= signed(right),
            Relation::LessOrEqual => signed(left) <= signed(right),
            Relation::Greater => signed(left) > signed(right),
            _ => true,
        }
    }
}

/// The relation that holds where the other does not.
fn opposite(relation: Relation) -> Relation {
    match relation {
        Relation::Equal => Relation::NotEqual,
        Relation::NotEqual => Relation::Equal,
        Relation::Below => Relation::AboveOrEqual,
        Relation::AboveOrEqual => Relation::Below,
        Relation::BelowOrEqual => Relation::Above,
        Relation::Above => Relation::BelowOrEqual,
        Relation::Less => Relation::GreaterOrEqual,
        Relation::GreaterOrEqual => Relation::Less,
        Relation::LessOrEqual => Relation::Greater,
        Relation::Greater => Relation::LessOrEqual,
        Relation::Negative => Relation::NotNegative,
        Relation::NotNegative => Relation::Negative,
        Relation::Overflow => Relation::NoOverflow,
        Relation::NoOverflow => Relation::Overflow,
        Relation::Parity => Relation::NoParity,
        Relation::NoParity => Relation::Parity,
    }
}

/// Each block's immediate dominator, the entry's being itself; `None` for blocks that no visible
/// way leads to.
fn immediate_dominators(code: &Code) -> Vec<Option<usize>> {
    let count = code.blocks.len();
    let mut dominators: Vec<Option<usize>> = vec![None; count];
    let Some(entry) = (0..count).find(|block| code.block_start(*block) == Some(code.entry)) else {
        return dominators;
    };
    let mut order = Vec::new();
    code.postorder(entry, &mut vec![false; count], &mut order);
    let mut number: Vec<Option<usize>> = vec![None; count];
    for (position, block) in order.iter().enumerate() {
        if let Some(slot) = number.get_mut(*block) {
            *slot = Some(position);
        }
    }
    if let Some(slot) = dominators.get_mut(entry) {
        *slot = Some(entry);
    }
    let rank = |block: usize| number.get(block).copied().flatten().unwrap_or(0);
    // Reducible graphs are done after two rounds; others converge within their loops' depth.
    for _ in 0..64 {
        let mut changed = false;
        for block in order.iter().rev().copied().filter(|block| *block != entry) {
            let mut new: Option<usize> = None;
            for predecessor in code.blocks.get(block).map_or(&[][..], |b| &b.predecessors) {
                if dominators.get(*predecessor).copied().flatten().is_none() {
                    continue;
                }
                new = Some(match new {
                    None => *predecessor,
                    Some(other) => {
                        let (mut a, mut b) = (*predecessor, other);
                        // Both climb towards the entry, whose number is the highest.
                        for _ in 0..count.saturating_mul(2) {
                            if a == b {
                                break;
                            }
                            let up = |x: usize| dominators.get(x).copied().flatten().unwrap_or(entry);
                            if rank(a) < rank(b) { a = up(a) } else { b = up(b) }
                        }
                        a
                    }
                });
            }
            if let Some(slot) = dominators.get_mut(block)
                && *slot != new
            {
                *slot = new;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    dominators
}
