//! What a 64-bit value looks like: pointer, poison, text, error, code.

use crate::decoded::Grade;
use crate::map::{AddressClass, AddressContext};
use kwhy_base::{Arch, Prose};

/// The contract's `bad_value.class` words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// 0.
    Null,
    /// A number too small for a pointer.
    SmallInteger,
    /// `ERR_PTR(-errno)`.
    ErrorPointer,
    /// LIST_POISON1/2 and kin.
    ListPoison,
    /// A fill byte of the slab or page allocator, or of a debugging tool.
    SlabPoison,
    /// Instructions.
    MachineCode,
    /// Printable characters.
    AsciiText,
    /// An address of the user half.
    UserPointer,
    /// An address of the kernel half that is not kernel text.
    KernelPointer,
    /// An address in the kernel's or a module's code.
    KernelText,
    /// One or two bits away from a plausible pointer.
    BitFlip,
    /// A pointer with a tag or a PAC in its top bits.
    TaggedPointer,
    /// None of these.
    Integer,
}

impl ValueKind {
    /// The contract's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            ValueKind::Null => "null",
            ValueKind::SmallInteger => "small-integer",
            ValueKind::ErrorPointer => "error-pointer",
            ValueKind::ListPoison => "list-poison",
            ValueKind::SlabPoison => "slab-poison",
            ValueKind::MachineCode => "machine-code",
            ValueKind::AsciiText => "ascii-text",
            ValueKind::UserPointer => "user-pointer",
            ValueKind::KernelPointer => "kernel-pointer",
            ValueKind::KernelText => "kernel-text",
            ValueKind::BitFlip => "bit-flip",
            ValueKind::TaggedPointer => "tagged-pointer",
            ValueKind::Integer => "integer",
        }
    }
}

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueClass {
    /// The class.
    pub kind: ValueKind,
    /// In words: the errno, the text, the region, the poison's name.
    pub detail: Prose,
    /// How sure.
    pub grade: Grade,
    /// Where it points, for what is a pointer or can be read as one.
    pub address: Option<AddressClass>,
    /// The value it probably should be: tag or PAC stripped, bit flipped back.
    pub better: Option<u64>,
}

impl ValueClass {
    /// The contract's word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.kind.word()
    }
}

/// What `value` looks like on a machine of `arch`.
///
/// `decodes` judges machine code (the disassembler lives elsewhere): it returns the
/// instructions where the value is plausibly code, `None` where it is not or nobody can say.
#[must_use]
pub fn classify_value(
    arch: Arch,
    value: u64,
    context: &AddressContext,
    decodes: &dyn Fn(u64) -> Option<String>,
) -> ValueClass {
    let _ = (arch, value, context, decodes);
    ValueClass {
        kind: ValueKind::Integer,
        detail: Prose::verbatim(""),
        grade: Grade::Possible,
        address: None,
        better: None,
    }
}

/// A plausible pointer that `value` differs from by a flipped bit or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitFlip {
    /// The bits that differ, low first.
    pub bits: Vec<u8>,
    /// The value with them flipped back.
    pub corrected: u64,
    /// The known-good pointer that the corrected value is close to.
    pub near: u64,
}

/// Bit-flip candidates of `value` against the known-good pointers of `context`, likeliest first.
#[must_use]
pub fn bit_flips(arch: Arch, value: u64, context: &AddressContext) -> Vec<BitFlip> {
    let _ = (arch, value, context);
    Vec::new()
}

/// How a value may be a pointer that was shifted, cut or half overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reshaped {
    /// The pointer that it may have been, or its known part.
    pub pointer: u64,
    /// What was done to it.
    pub how: Prose,
}

/// Readings of `value` as a pointer shifted by whole bytes or half overwritten.
#[must_use]
pub fn reshaped(arch: Arch, value: u64, context: &AddressContext) -> Vec<Reshaped> {
    let _ = (arch, value, context);
    Vec::new()
}
