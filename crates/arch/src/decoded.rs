//! The common shape of every decoder's answer: a value taken apart field by field.

use kwhy_base::Prose;

/// One field of a decoded register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name the architecture's manual gives it: `EC`, `DFSC`, `WnR`, `U/S`…
    pub name: &'static str,
    /// Its highest bit, 0–63.
    pub hi: u8,
    /// Its lowest bit, 0–63, at most `hi`.
    pub lo: u8,
    /// Its value, shifted down to bit 0.
    pub value: u64,
    /// What that value means.
    pub meaning: Prose,
}

impl Field {
    /// Bits `hi..=lo` of `from`, with what they mean.
    #[must_use]
    pub fn new(name: &'static str, hi: u8, lo: u8, from: u64, meaning: Prose) -> Field {
        Field { name, hi, lo, value: bits(from, hi, lo), meaning }
    }

    /// `31:26`, or `25` for a single bit.
    #[must_use]
    pub fn bits(&self) -> String {
        if self.hi == self.lo { self.hi.to_string() } else { format!("{}:{}", self.hi, self.lo) }
    }
}

/// A register or error code, decoded; high bits first. Every set bit is in some field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// `ESR_EL1`, `PSTATE`, `error_code`, `EFLAGS`…
    pub name: &'static str,
    /// The whole value, as given.
    pub value: u64,
    /// Field by field.
    pub fields: Vec<Field>,
}

impl Decoded {
    /// The field called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Bits `hi..=lo` of `value`, shifted down; 0 where the range is empty or out of 64 bits.
#[must_use]
pub fn bits(value: u64, hi: u8, lo: u8) -> u64 {
    if hi > 63 || lo > hi {
        return 0;
    }
    let width = u32::from(hi - lo) + 1;
    let mask = if width >= 64 { u64::MAX } else { (1u64 << width) - 1 };
    (value >> lo) & mask
}

/// Bit `n` of `value`.
#[must_use]
pub fn bit(value: u64, n: u8) -> bool {
    bits(value, n, n) == 1
}

/// How sure a classification is. Never a percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Nothing else is consistent with what the log proves.
    Proved,
    /// It is what such values are on usual kernels, and nothing speaks against it.
    Likely,
    /// Worth checking.
    Possible,
}
