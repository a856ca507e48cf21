//! Symbolic values: what a register or a stack slot holds, in terms of where it came from.
//!
//! Values are hash-consed in an [`Arena`], so that "the same value" is an integer comparison.
//! A value is a node plus a constant: pointer arithmetic with constants never makes new nodes,
//! which is what lets a member access be matched against any pointer into the same object.

use crate::insn::Operator;
use kwhy_base::{ImageAddr, Reg};
use std::collections::HashMap;

/// A node of an [`Arena`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// `node + plus`; a plain number where there is no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value {
    /// The part that is not a constant.
    pub node: Option<NodeId>,
    /// The constant part; arithmetic wraps as the machine's does.
    pub plus: i64,
}

impl Value {
    /// A plain number.
    #[must_use]
    pub fn constant(number: u64) -> Value {
        Value { node: None, plus: number as i64 }
    }

    /// This value plus a constant.
    #[must_use]
    pub fn offset(self, delta: i64) -> Value {
        Value { node: self.node, plus: self.plus.wrapping_add(delta) }
    }

    /// The number, where it is one.
    #[must_use]
    pub fn as_constant(self) -> Option<u64> {
        self.node.is_none().then_some(self.plus as u64)
    }
}

/// Where a state keeps a value: a register or an 8-byte stack slot (offset from the SP on entry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A register.
    Register(Reg),
    /// A stack slot, by its offset from the stack pointer's value on entry.
    Slot(i64),
}

/// Where a value that is not a constant came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Node {
    /// What a register held when the function was entered.
    Entry(Reg),
    /// What the instruction at `at` read from memory.
    Load {
        /// The address read.
        address: Value,
        /// Segment base register (x86 fs.base/gs.base), where the operand had one.
        segment: Option<Reg>,
        /// Bytes.
        width: u8,
        /// Sign-extended.
        signed: bool,
        /// The instruction.
        at: ImageAddr,
    },
    /// What the call at `at` returned.
    Result {
        /// The call instruction.
        at: ImageAddr,
    },
    /// What a place holds at the start of a block that different values reach.
    Phi {
        /// First instruction of the block.
        block: ImageAddr,
        /// Which place.
        place: Place,
    },
    /// Two values combined.
    Binary(Operator, Value, Value),
    /// Some bits of a value.
    Extract {
        /// Of what.
        value: Value,
        /// First bit.
        lsb: u8,
        /// How many.
        bits: u8,
        /// Sign-extended.
        signed: bool,
    },
    /// A system register: `sp_el0` (the current task on ARM64), `tpidr_el1` (the per-cpu base).
    System(&'static str),
    /// Something an instruction made that is not modelled.
    Opaque {
        /// The instruction.
        at: ImageAddr,
        /// The place it wrote.
        place: Place,
    },
}

/// The values of one function's analysis.
#[derive(Default)]
pub struct Arena {
    nodes: Vec<Node>,
    ids: HashMap<Node, NodeId>,
}

impl Arena {
    /// The node behind an id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<Node> {
        self.nodes.get(id.0 as usize).copied()
    }

    /// The one id of a node.
    pub fn intern(&mut self, node: Node) -> Value {
        let next = NodeId(self.nodes.len() as u32);
        let id = *self.ids.entry(node).or_insert(next);
        if id == next {
            self.nodes.push(node);
        }
        Value { node: Some(id), plus: 0 }
    }

    /// Combines two values, folding constants so that pointer arithmetic stays `node + constant`.
    pub fn binary(&mut self, operator: Operator, a: Value, b: Value) -> Value {
        use Operator::{Add, And, Either, Mul, Or, Sar, Shl, Shr, Sub, Xor};
        if let (Some(x), Some(y)) = (a.as_constant(), b.as_constant()) {
            let shift = (y & 63) as u32;
            let folded = match operator {
                Add => x.wrapping_add(y),
                Sub => x.wrapping_sub(y),
                Mul => x.wrapping_mul(y),
                And => x & y,
                Or => x | y,
                Xor => x ^ y,
                Shl => x << shift,
                Shr => x >> shift,
                Sar => ((x as i64) >> shift) as u64,
                Either if x == y => x,
                Either => return self.intern(Node::Binary(operator, a, b)),
            };
            return Value::constant(folded);
        }
        match operator {
            Add if b.node.is_none() => a.offset(b.plus),
            Add if a.node.is_none() => b.offset(a.plus),
            Sub if b.node.is_none() => a.offset(b.plus.wrapping_neg()),
            Or if a == b => a,
            And if a == b => a,
            Either if a == b => a,
            Shl | Shr | Sar | Or | Xor if b.as_constant() == Some(0) => a,
            Mul if b.as_constant() == Some(1) => a,
            // Constants are pulled out of sums, and products take one canonical form, so that
            // equal addresses compare equal however the compiler arranged them.
            Add => {
                let plus = a.plus.wrapping_add(b.plus);
                let (mut left, mut right) = (Value { plus: 0, ..a }, Value { plus: 0, ..b });
                if self.is_scaled(left) && !self.is_scaled(right) {
                    std::mem::swap(&mut left, &mut right);
                }
                // `i + i * 2` is `i * 3`: how compilers multiply by small odd numbers.
                if let Some(Node::Binary(Mul, i, m)) = right.node.and_then(|id| self.node(id))
                    && i == left
                    && let Some(m) = m.as_constant()
                {
                    return self.binary(Mul, left, Value::constant(m.wrapping_add(1))).offset(plus);
                }
                if let Some(Node::Binary(Mul, i, m)) = left.node.and_then(|id| self.node(id))
                    && i == right
                    && let Some(m) = m.as_constant()
                {
                    return self.binary(Mul, right, Value::constant(m.wrapping_add(1))).offset(plus);
                }
                if left == right {
                    return self.binary(Mul, left, Value::constant(2)).offset(plus);
                }
                self.intern(Node::Binary(Add, left, right)).offset(plus)
            }
            Shl => match b.as_constant() {
                Some(shift) if shift < 32 => self.binary(Mul, a, Value::constant(1 << shift)),
                _ => self.intern(Node::Binary(Shl, a, b)),
            },
            Mul if a.node.is_none() => self.binary(Mul, b, a),
            Mul => {
                // (i * m) * n is i * (m * n); (i + c) * n is i * n + c * n.
                if let (Some(n), Some(Node::Binary(Mul, i, m))) =
                    (b.as_constant(), a.node.and_then(|id| self.node(id)))
                    && let Some(m) = m.as_constant()
                {
                    let scaled = self.binary(Mul, i, Value::constant(m.wrapping_mul(n)));
                    return scaled.offset(a.plus.wrapping_mul(n as i64));
                }
                match b.as_constant() {
                    Some(n) if a.plus != 0 => {
                        let scaled = self.intern(Node::Binary(Mul, Value { plus: 0, ..a }, b));
                        scaled.offset(a.plus.wrapping_mul(n as i64))
                    }
                    _ => self.intern(Node::Binary(Mul, a, b)),
                }
            }
            _ => self.intern(Node::Binary(operator, a, b)),
        }
    }

    fn is_scaled(&self, value: Value) -> bool {
        matches!(
            value.node.and_then(|id| self.node(id)),
            Some(Node::Binary(Operator::Mul, ..) | Node::Extract { .. })
        )
    }

    /// Some bits of a value; the whole of it where that is what is asked for.
    pub fn extract(&mut self, value: Value, lsb: u8, bits: u8, signed: bool) -> Value {
        if lsb == 0 && bits >= 64 {
            return value;
        }
        if let Some(number) = value.as_constant()
            && bits < 64
            && lsb < 64
        {
            let field = (number >> lsb) & ((1u64 << bits) - 1);
            let shift = 64 - u32::from(bits.max(1));
            return Value::constant(if signed { (((field << shift) as i64) >> shift) as u64 } else { field });
        }
        // A load that was already widened is not narrowed again by the same width.
        if let (0, Some(Node::Load { width, signed: load_signed, .. }), 0) =
            (lsb, value.node.and_then(|id| self.node(id)), value.plus)
            && u16::from(bits) >= u16::from(width) * 8
            && (signed == load_signed || u16::from(bits) > u16::from(width) * 8 && !load_signed)
        {
            return value;
        }
        self.intern(Node::Extract { value, lsb, bits, signed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sums_are_one_value() {
        let mut arena = Arena::default();
        let p = arena.intern(Node::Entry(Reg(0)));
        let i = arena.intern(Node::Entry(Reg(1)));
        let three = Value::constant(3);
        let scaled = arena.binary(Operator::Shl, i, three);
        let one = arena.binary(Operator::Add, p.offset(8), scaled);
        let eight = Value::constant(8);
        let scaled_again = arena.binary(Operator::Mul, i, eight);
        let other = arena.binary(Operator::Add, scaled_again, p).offset(8);
        assert_eq!(one, other);
    }

    #[test]
    fn products_of_one_value_add_up_in_either_order() {
        let mut arena = Arena::default();
        let i = arena.intern(Node::Entry(Reg(1)));
        let i = arena.extract(i, 0, 32, false);
        let twice = arena.binary(Operator::Shl, i, Value::constant(1));
        let thrice = arena.binary(Operator::Mul, i, Value::constant(3));
        assert_eq!(arena.binary(Operator::Add, twice, i), thrice);
        assert_eq!(arena.binary(Operator::Add, i, twice), thrice);
    }

    #[test]
    fn constants_fold_and_wrap() {
        let mut arena = Arena::default();
        let sum = arena.binary(Operator::Add, Value::constant(u64::MAX), Value::constant(2));
        assert_eq!(sum.as_constant(), Some(1));
        let low = arena.extract(Value::constant(0xffff_fff4), 0, 32, true);
        assert_eq!(low.as_constant(), Some((-12i64) as u64));
    }
}
