//! The one-off decoders of `kwhy decode KIND VALUE`.

use crate::decoded::Decoded;
use kwhy_base::Arch;

/// What to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecodeKind {
    /// ARM64 ESR_EL1.
    Esr,
    /// x86 page-fault error code.
    Pf,
    /// Taint mask or letters.
    Taint,
    /// ARM64 PSTATE.
    Pstate,
    /// x86 EFLAGS.
    Eflags,
    /// An address or any 64-bit value.
    Addr,
}

impl DecodeKind {
    /// Every kind, in the order of the help.
    pub const ALL: [DecodeKind; 6] = [
        DecodeKind::Esr,
        DecodeKind::Pf,
        DecodeKind::Taint,
        DecodeKind::Pstate,
        DecodeKind::Eflags,
        DecodeKind::Addr,
    ];

    /// The word of the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            DecodeKind::Esr => "esr",
            DecodeKind::Pf => "pf",
            DecodeKind::Taint => "taint",
            DecodeKind::Pstate => "pstate",
            DecodeKind::Eflags => "eflags",
            DecodeKind::Addr => "addr",
        }
    }

    /// The kind called `word`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<DecodeKind> {
        DecodeKind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The only architecture the kind makes sense on.
    #[must_use]
    pub fn arch(self) -> Option<Arch> {
        match self {
            DecodeKind::Esr | DecodeKind::Pstate => Some(Arch::Arm64),
            DecodeKind::Pf | DecodeKind::Eflags => Some(Arch::X86_64),
            DecodeKind::Taint | DecodeKind::Addr => None,
        }
    }
}

/// Why a value could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// It is no number (nor, for taints, letters).
    NotANumber,
    /// The number has more than 64 bits.
    TooLarge,
    /// This kind is another architecture's.
    OtherArch(Arch),
}

/// Decodes `value` (hex with or without `0x`; taints also decimal or letters) as `kind`.
///
/// # Errors
/// Says why `value` is not one that can be decoded.
pub fn decode(kind: DecodeKind, value: &str, arch: Option<Arch>) -> Result<Vec<Decoded>, DecodeError> {
    let _ = (kind, value, arch);
    Err(DecodeError::NotANumber)
}
