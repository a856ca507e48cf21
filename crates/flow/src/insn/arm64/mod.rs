//! ARM64: the A64 instruction set, decoded by the encoding classes of the Arm ARM (DDI 0487,
//! chapter C4.1, "A64 instruction set encoding").
//!
//! Whether a word is an instruction at all is asked of disarm64, whose tables are derived from
//! binutils; so is the text. What it does is decoded here, because the compiled forms
//! number a few dozen and their fields are regular.

mod alu;
mod bits;
mod memory;
mod names;
mod system;
mod text;

#[cfg(test)]
mod tests;

use super::{Condition, Decoded, Effect, Flow};
use bits::Word;
use kwhy_base::{ImageAddr, Reg};

pub(super) use text::text;

/// The stack pointer's DWARF number; in most fields 31 means it, in the others the zero register.
const SP: Reg = Reg(31);

/// What one word does.
#[derive(Debug)]
struct Meaning {
    effects: Vec<Effect>,
    flow: Flow,
    condition: Option<Condition>,
}

impl Meaning {
    fn new() -> Meaning {
        Meaning { effects: Vec::new(), flow: Flow::Next, condition: None }
    }
}

pub(super) fn decode(bytes: &[u8], address: ImageAddr) -> Option<Decoded> {
    let word = word(bytes)?;
    if !text::is_instruction(word) {
        return None;
    }
    let mut meaning = Meaning::new();
    let w = Word(word);
    // Bits 28:25 choose the group (table C4-1).
    match w.field(28, 25) {
        0b1000 | 0b1001 => alu::immediate(w, address, &mut meaning),
        0b1010 | 0b1011 => system::branch_or_system(w, address, &mut meaning),
        0b0100 | 0b0110 | 0b1100 | 0b1110 => memory::load_or_store(w, address, &mut meaning),
        0b0101 | 0b1101 => alu::register(w, &mut meaning),
        0b0111 | 0b1111 => alu::vector(w, &mut meaning),
        0b0000 if word >> 16 == 0 => meaning.flow = Flow::Stop,
        0b0010 if memory::sve_register(w, &mut meaning) => {}
        // SVE and SME: which of them write a general register is not modelled, so all do.
        _ => meaning.effects.push(Effect::Clobber(Reg(w.field16(4, 0)))),
    }
    let Meaning { effects, flow, condition } = meaning;
    Some(Decoded { len: 4, effects, flow, condition })
}

/// The first four bytes: instructions are little-endian whatever the data's endianness.
fn word(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|b| u32::from_le_bytes(*b))
}

/// The condition that `code` (0–15) names; `al` and `nv` are none.
fn condition(code: u32) -> Option<Condition> {
    Some(match code {
        0 => Condition::Equal,
        1 => Condition::NotEqual,
        2 => Condition::AboveOrEqual,
        3 => Condition::Below,
        4 => Condition::Negative,
        5 => Condition::NotNegative,
        6 => Condition::Overflow,
        7 => Condition::NoOverflow,
        8 => Condition::Above,
        9 => Condition::BelowOrEqual,
        10 => Condition::GreaterOrEqual,
        11 => Condition::Less,
        12 => Condition::Greater,
        13 => Condition::LessOrEqual,
        _ => return None,
    })
}
